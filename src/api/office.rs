//! The office. Every function but signing in requires a member of staff.

#[cfg(feature = "ssr")]
use crate::domain::catalog::percent_encode;
use crate::domain::{
    Error,
    office::{Colleague, OfficeOrder, OfficePassword, OfficeVariant, OpenOrder, Staff},
    order::{OrderCounts, State},
    page::Page,
    second_factor::OfStaff,
    wire::Json,
};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// Takes the password and goes to where the second factor is asked for or set up; where neither is needed, to the office,
/// or to the page of it that was asked for.
///
/// # Errors
/// [`Error::Invalid`] with `Credentials`, without telling which of the two was wrong.
#[server(prefix = "/api", endpoint = "office/sign_in", output = Json)]
pub async fn sign_in(login: String, password: String, #[server(default)] to: Option<String>) -> Result<(), Error> {
    super::with(async |ctx| {
        let inside = crate::server::account::sign_in(&ctx, &login, password).await;
        let inside = inside.inspect_err(|_| super::keep_typed(&ctx, "login", &login))?;
        let to = wanted(to);
        super::go_to(Some(&if inside { to } else { format!("{SECOND}?to={}", percent_encode(&to)) }));
        Ok(())
    })
    .await
}

/// The page where a member of staff shows or sets up the second factor.
pub const SECOND: &str = "/office/second";

/// The page of the office that was asked for, or its first one.
#[cfg(feature = "ssr")]
fn wanted(to: Option<String>) -> String {
    to.filter(|to| to.starts_with("/office")).unwrap_or_else(|| "/office".to_owned())
}

/// Where the second factor of whoever asks stands, at the door or in the office; none for a stranger.
#[server(prefix = "/api", endpoint = "office/second_factor", input = GetUrl, output = Json)]
pub async fn second_factor() -> Result<Option<OfStaff>, Error> {
    super::with(async |ctx| crate::server::account::second_factor::office::get(&ctx).await).await
}

/// Begins to set the second factor up.
///
/// # Errors
/// [`Error::Conflict`] where it is on.
#[server(prefix = "/api", endpoint = "office/second_begin", output = Json)]
pub async fn begin_second(#[server(default)] to: Option<String>) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::second_factor::office::begin(&ctx).await?;
        super::form_to(&format!("{SECOND}?to={}", percent_encode(&wanted(to))));
        Ok(())
    })
    .await
}

/// Turns the second factor on with a code of the app, which opens the office; the recovery codes are shown first.
///
/// # Errors
/// [`Error::Invalid`] for a wrong code, [`Error::Conflict`] where it is on, or was begun elsewhere or too long ago.
#[server(prefix = "/api", endpoint = "office/second_confirm", output = Json)]
pub async fn confirm_second(code: String, #[server(default)] to: Option<String>) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::second_factor::office::confirm(&ctx, &code).await?;
        super::form_to(&format!("{SECOND}?to={}", percent_encode(&wanted(to))));
        Ok(())
    })
    .await
}

/// Completes a sign-in with a code of the app or a recovery code, and goes to the office; after a recovery code to where
/// it says how many are left.
///
/// # Errors
/// [`Error::Invalid`] for a wrong code and for a sign-in that took too long, [`Error::TooMany`] after failures in a row.
#[server(prefix = "/api", endpoint = "office/second_enter", output = Json)]
pub async fn enter(code: String, #[server(default)] to: Option<String>) -> Result<String, Error> {
    super::with(async |ctx| {
        use crate::server::account::second_factor::{Shown, office};
        let shown = office::enter(&ctx, &code).await?;
        let to = wanted(to);
        let page = match shown {
            Shown::Code | Shown::Passkey => to,
            Shown::Recovery(_) => format!("{SECOND}?used=1&to={}", percent_encode(&to)),
        };
        Ok(super::go_anew(Some(&page), "/office"))
    })
    .await
}

/// Makes new recovery codes in place of those before.
///
/// # Errors
/// [`Error::Invalid`] for a wrong code, [`Error::TooMany`] after failures in a row.
#[server(prefix = "/api", endpoint = "office/second_renew", output = Json)]
pub async fn renew_recovery(code: String) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::second_factor::office::renew(&ctx, &code).await?;
        super::form_to(SECOND);
        Ok(())
    })
    .await
}

/// Shows the new recovery codes no more, and goes to the office. Answers with the page to load.
#[server(prefix = "/api", endpoint = "office/second_keep", output = Json)]
pub async fn keep_recovery(#[server(default)] to: Option<String>) -> Result<String, Error> {
    super::with(async |ctx| {
        crate::server::account::second_factor::office::keep(&ctx).await?;
        Ok(super::go_anew(Some(&wanted(to)), "/office"))
    })
    .await
}

#[server(prefix = "/api", endpoint = "office/sign_out", output = Json)]
pub async fn sign_out() -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::sign_out(&ctx).await?;
        super::go_to(Some("/office/sign-in"));
        Ok(())
    })
    .await
}

/// Whether a session of the office on this browser is over though nobody signed out: it was not used, or took too long, or
/// was ended elsewhere.
#[server(prefix = "/api", endpoint = "office/session_over", input = GetUrl, output = Json)]
pub async fn session_over() -> Result<bool, Error> {
    super::with(async |ctx| Ok(ctx.inside().is_none() && ctx.staff_token.is_some())).await
}

/// The page where a member of staff sets a password.
pub const PASSWORD: &str = "/office/password";

/// Whose password is set, and whether it has to be; none for a stranger.
#[server(prefix = "/api", endpoint = "office/own_password", input = GetUrl, output = Json)]
pub async fn own_password() -> Result<Option<OfficePassword>, Error> {
    super::with(async |ctx| Ok(crate::server::account::own_password(&ctx))).await
}

/// Sets a password of one's own, and goes to the page of the office that was asked for. Answers with the page to load.
///
/// # Errors
/// [`Error::Invalid`] with the problems by field, [`Error::TooMany`] after wrong passwords in a row, [`Error::Conflict`]
/// when it was changed elsewhere meanwhile.
#[server(prefix = "/api", endpoint = "office/set_password", output = Json)]
pub async fn set_password(
    #[server(default)] old: String,
    new: String,
    #[server(default)] to: Option<String>,
) -> Result<String, Error> {
    super::with(async |ctx| {
        crate::server::account::set_own_password(&ctx, old, new).await?;
        Ok(super::go_anew(Some(&wanted(to)), "/office"))
    })
    .await
}

/// Everybody who works here.
#[server(prefix = "/api", endpoint = "office/people", input = GetUrl, output = Json)]
pub async fn people() -> Result<Vec<Colleague>, Error> {
    super::with(async |ctx| crate::server::account::team::list(&ctx).await).await
}

/// Ends all sessions of somebody else.
///
/// # Errors
/// [`Error::Forbidden`] for oneself, [`Error::NotFound`] for an unknown login.
#[server(prefix = "/api", endpoint = "office/end_sessions", output = Json)]
pub async fn end_sessions(login: String) -> Result<(), Error> {
    super::with(async |ctx| crate::server::account::team::end_sessions(&ctx, &login).await).await
}

/// Removes somebody else from the office.
///
/// # Errors
/// [`Error::Forbidden`] for oneself, [`Error::NotFound`] for an unknown login.
#[server(prefix = "/api", endpoint = "office/remove_staff", output = Json)]
pub async fn remove_staff(login: String) -> Result<(), Error> {
    super::with(async |ctx| crate::server::account::team::remove(&ctx, &login).await).await
}

/// Who is signed in.
#[server(prefix = "/api", endpoint = "office/me", input = GetUrl, output = Json)]
pub async fn me() -> Result<Staff, Error> {
    super::with(async |ctx| ctx.staff().cloned()).await
}

/// The orders of a state: to be shipped oldest first, others newest first.
#[server(prefix = "/api", endpoint = "office/orders", input = GetUrl, output = Json)]
pub async fn orders(state: Option<State>, q: Option<String>, page: i64) -> Result<Page<OfficeOrder>, Error> {
    super::with(async |ctx| crate::server::order::office_list(&ctx, state, q.as_deref(), page).await).await
}

/// How many orders there are in each state.
#[server(prefix = "/api", endpoint = "office/counts", input = GetUrl, output = Json)]
pub async fn counts() -> Result<OrderCounts, Error> {
    super::with(async |ctx| crate::server::order::office_counts(&ctx).await).await
}

/// An order; with what [`reveal`] gave also who receives it, and where.
#[server(prefix = "/api", endpoint = "office/order", input = GetUrl, output = Json)]
pub async fn order(number: String, #[server(default)] shown: Option<String>) -> Result<OpenOrder, Error> {
    super::with(async |ctx| crate::server::order::office_get(&ctx, &number, shown.as_deref()).await).await
}

/// Shows for a while who receives an order, and where; it goes on record. Answers with what [`order()`] takes.
#[server(prefix = "/api", endpoint = "office/reveal", output = Json)]
pub async fn reveal(number: String) -> Result<String, Error> {
    super::with(async |ctx| {
        let shown = crate::server::order::reveal(&ctx, &number).await?;
        super::go_to(Some(&format!("/office/orders/{number}?shown={shown}")));
        Ok(shown)
    })
    .await
}

/// The goods have left.
#[server(prefix = "/api", endpoint = "office/ship", output = Json)]
pub async fn ship(number: String, carrier: String, tracking_number: String) -> Result<(), Error> {
    super::with(async |ctx| crate::server::order::ship(&ctx, &number, &carrier, &tracking_number).await).await
}

/// The goods have arrived.
#[server(prefix = "/api", endpoint = "office/complete", output = Json)]
pub async fn complete(number: String) -> Result<(), Error> {
    super::with(async |ctx| crate::server::order::office_complete(&ctx, &number).await).await
}

/// Cancels an order that is not yet shipped; what was paid is refunded.
#[server(prefix = "/api", endpoint = "office/cancel", output = Json)]
pub async fn cancel(number: String) -> Result<(), Error> {
    super::with(async |ctx| crate::server::order::office_cancel(&ctx, &number).await).await
}

/// Variants with stock and price; `q` finds by title or SKU.
#[server(prefix = "/api", endpoint = "office/variants", input = GetUrl, output = Json)]
pub async fn variants(q: Option<String>, page: i64) -> Result<Page<OfficeVariant>, Error> {
    super::with(async |ctx| crate::server::stock::office_variants(&ctx, q.as_deref(), page).await).await
}

/// Sets prices, in major units as typed. `version` is the one the office saw.
///
/// # Errors
/// [`Error::Conflict`] when the price was changed meanwhile.
#[server(prefix = "/api", endpoint = "office/set_price", output = Json)]
pub async fn set_price(variant_id: String, version: i64, price: String, compare_at: String) -> Result<(), Error> {
    super::with(async |ctx| crate::server::stock::set_price(&ctx, &variant_id, version, &price, &compare_at).await)
        .await
}

/// Sets the pieces on hand, as a difference to what the office saw, so that sales in between are not undone. `version` is
/// the one the office saw; the same change sent again is made once.
///
/// # Errors
/// [`Error::Invalid`] when that would be less than customers hold, [`Error::Conflict`] when someone else changed it.
#[server(prefix = "/api", endpoint = "office/adjust_stock", output = Json)]
pub async fn adjust_stock(variant_id: String, version: i64, seen: i64, on_hand: i64) -> Result<(), Error> {
    super::with(async |ctx| crate::server::stock::adjust(&ctx, &variant_id, version, seen, on_hand).await).await
}
