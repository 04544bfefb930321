//! The second factor of a customer: set up, shown at each sign-in, turned off.

use crate::domain::{Error, second_factor::Mine, wire::Json};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// The page where it is set up and changed.
pub const PAGE: &str = "/me/security/second";

/// Where it stands; none for a guest.
#[server(prefix = "/api", endpoint = "account/second_factor", input = GetUrl, output = Json)]
pub async fn get() -> Result<Option<Mine>, Error> {
    super::with(async |ctx| crate::server::account::second_factor::mine::get(&ctx).await).await
}

/// Whether a sign-in of this browser waits for it.
#[server(prefix = "/api", endpoint = "account/second_awaited", input = GetUrl, output = Json)]
pub async fn is_awaited() -> Result<bool, Error> {
    super::with(async |ctx| crate::server::account::second_factor::mine::is_awaited(&ctx).await).await
}

/// Begins to set it up.
///
/// # Errors
/// [`Error::Invalid`] about the password, [`Error::TooMany`] after wrong ones in a row, [`Error::Conflict`] where it is on.
#[server(prefix = "/api", endpoint = "account/second_begin", output = Json)]
pub async fn begin(#[server(default)] password: String) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::second_factor::mine::begin(&ctx, password).await?;
        super::form_to(PAGE);
        Ok(())
    })
    .await
}

/// Turns it on with a code of the app; the recovery codes are shown then.
///
/// # Errors
/// [`Error::Invalid`] for a wrong code, [`Error::Conflict`] where it is on, or was begun elsewhere or too long ago.
#[server(prefix = "/api", endpoint = "account/second_confirm", output = Json)]
pub async fn confirm(code: String) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::second_factor::mine::confirm(&ctx, &code).await?;
        super::form_to(PAGE);
        Ok(())
    })
    .await
}

/// Shows the new recovery codes no more.
#[server(prefix = "/api", endpoint = "account/second_keep", output = Json)]
pub async fn keep() -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::second_factor::mine::keep(&ctx).await?;
        super::form_to(PAGE);
        Ok(())
    })
    .await
}

/// Makes new recovery codes in place of those before. The code of the app or a recovery code is needed.
///
/// # Errors
/// [`Error::Invalid`] about it, [`Error::TooMany`] after failures in a row.
#[server(prefix = "/api", endpoint = "account/second_renew", output = Json)]
pub async fn renew(#[server(default)] code: String) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::second_factor::mine::renew(&ctx, &code).await?;
        super::form_to(PAGE);
        Ok(())
    })
    .await
}

/// Turns it off. What is needed is as for [`renew`].
///
/// # Errors
/// As [`renew`].
#[server(prefix = "/api", endpoint = "account/second_off", output = Json)]
pub async fn turn_off(#[server(default)] code: String) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::second_factor::mine::turn_off(&ctx, &code).await?;
        super::form_to("/me/security/second?done=off");
        Ok(())
    })
    .await
}

/// Completes a sign-in with a code of the app or a recovery code. Answers with the page to load; after a recovery code it
/// says how many are left.
///
/// # Errors
/// [`Error::Invalid`] for a wrong code and for a sign-in that took too long, [`Error::TooMany`] after failures in a row.
#[server(prefix = "/api", endpoint = "account/second_enter", output = Json)]
pub async fn enter(code: String, #[server(default)] to: Option<String>) -> Result<String, Error> {
    super::with(async |ctx| {
        use crate::server::account::second_factor::Shown;
        let (customer, shown) = crate::server::sign_in::by_second(&ctx, &code).await?;
        let to = super::privacy::after_sign_in(&ctx, &customer, to).await;
        let to = match shown {
            Shown::Code | Shown::Passkey => to,
            Shown::Recovery(_) => Some(format!("{PAGE}?used=1{}", and_to(to))),
        };
        Ok(super::go_anew(to.as_deref(), "/me"))
    })
    .await
}

/// The page after the first factor: the one that was asked for, or the one that asks for the second factor.
#[cfg(feature = "ssr")]
pub async fn after_first(
    ctx: &crate::server::Ctx,
    entered: crate::server::sign_in::Entered,
    to: Option<String>,
) -> String {
    use crate::server::sign_in::Entered;
    match entered {
        Entered::In(customer) => {
            let to = super::privacy::after_sign_in(ctx, &customer, to).await;
            super::go_anew(to.as_deref(), "/me")
        }
        Entered::Waits => {
            let query = and_to(to).replacen('&', "?", 1);
            super::go_anew(Some(&format!("/sign-in/second{query}")), "/sign-in")
        }
    }
}

/// The page to go to after that, as a part of an address.
#[cfg(feature = "ssr")]
fn and_to(to: Option<String>) -> String {
    to.map(|to| format!("&to={}", crate::domain::catalog::percent_encode(&to))).unwrap_or_default()
}
