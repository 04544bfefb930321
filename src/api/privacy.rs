//! What people may ask of this shop about their own data.

use crate::domain::{
    Error,
    page::Page,
    privacy::{self, DataCopy, Receiver, Sharing},
    wire::Json,
};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// The page of one's own data: where a copy may be asked for, and the account be erased.
pub const PAGE: &str = "/me/privacy";

/// The copy of one's data, and whether the account is to be erased; none for a guest.
#[server(prefix = "/api", endpoint = "privacy/overview", input = GetUrl, output = Json)]
pub async fn overview() -> Result<Option<privacy::Overview>, Error> {
    super::with(async |ctx| match crate::server::privacy::overview(&ctx).await {
        Err(Error::Unauthenticated) => Ok(None),
        overview => overview.map(Some),
    })
    .await
}

/// Asks for a copy of one's data; while there is one, that is the answer.
///
/// # Errors
/// [`Error::TooMany`] over the limit of a day.
#[server(prefix = "/api", endpoint = "privacy/ask_copy", output = Json)]
pub async fn ask_copy() -> Result<DataCopy, Error> {
    super::with(async |ctx| {
        let copy = crate::server::privacy::ask(&ctx).await?;
        super::go_to(Some(PAGE));
        Ok(copy)
    })
    .await
}

/// Throws a copy away.
///
/// # Errors
/// [`Error::NotFound`] for a copy of somebody else.
#[server(prefix = "/api", endpoint = "privacy/discard_copy", output = Json)]
pub async fn discard_copy(id: String) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::privacy::discard(&ctx, &id).await?;
        super::go_to(Some("/me/privacy?done=discarded"));
        Ok(())
    })
    .await
}

/// Lets the account be erased in a week, and signs out everywhere. Answers with the page to load.
///
/// # Errors
/// [`Error::Invalid`] about the password; [`Error::OrdersUnderWay`] while something is paid and not shipped;
/// [`Error::TooMany`] after wrong passwords in a row.
#[server(prefix = "/api", endpoint = "privacy/delete_account", output = Json)]
pub async fn delete_account(#[server(default)] password: String) -> Result<String, Error> {
    super::with(async |ctx| {
        crate::server::privacy::ask_deletion(&ctx, password).await?;
        Ok(super::go_anew(None, "/me/privacy?done=deletion"))
    })
    .await
}

/// Keeps the account after all.
///
/// # Errors
/// [`Error::Conflict`] when it is too late.
#[server(prefix = "/api", endpoint = "privacy/keep_account", output = Json)]
pub async fn keep_account() -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::privacy::take_back(&ctx).await?;
        super::go_to(Some("/me/privacy?done=kept"));
        Ok(())
    })
    .await
}

/// Who receives personal data from this shop.
#[server(prefix = "/api", endpoint = "privacy/receivers", input = GetUrl, output = Json)]
pub async fn receivers() -> Result<Vec<Receiver>, Error> {
    super::with(async |ctx| Ok(crate::server::privacy::receivers(&ctx.app.config))).await
}

/// What of the orders of whoever asks was handed to whom, newest first.
#[server(prefix = "/api", endpoint = "privacy/shared", input = GetUrl, output = Json)]
pub async fn shared(page: i64) -> Result<Page<Sharing>, Error> {
    super::with(async |ctx| crate::server::sharing::list(&ctx, page).await).await
}

/// Whether the present terms and privacy notice were agreed to; none for a guest.
#[server(prefix = "/api", endpoint = "privacy/agreed", input = GetUrl, output = Json)]
pub async fn agreed() -> Result<Option<bool>, Error> {
    super::with(async |ctx| {
        use crate::server::account::consent::{Standing, standing};
        let Some(session) = &ctx.session else { return Ok(None) };
        Ok(Some(standing(&ctx.app, &session.customer_id).await? == Standing::Agreed))
    })
    .await
}

/// Agrees to the present terms and privacy notice. Answers with the page to load.
#[server(prefix = "/api", endpoint = "privacy/agree", output = Json)]
pub async fn agree(#[server(default)] to: Option<String>) -> Result<String, Error> {
    super::with(async |ctx| {
        crate::server::account::consent::accept(&ctx).await?;
        Ok(super::go_anew(to.as_deref(), "/me"))
    })
    .await
}

/// The page to go to after signing in: the one that was asked for, or first the way back of an account that is to be
/// erased, or the question about new terms.
#[cfg(feature = "ssr")]
pub async fn after_sign_in(ctx: &crate::server::Ctx, customer: &str, to: Option<String>) -> Option<String> {
    use crate::server::account::consent::{self, Standing};
    // Signing in has succeeded: what cannot be read is in the log and changes nothing about it.
    if crate::server::privacy::is_asked(&ctx.app, customer).await.unwrap_or(false) {
        return Some(PAGE.to_owned());
    }
    match consent::standing(&ctx.app, customer).await {
        Ok(Standing::Asked) => {}
        Ok(Standing::New) if consent::note_asked(&ctx.app, customer, ctx.now).await.is_ok() => {}
        _ => return to,
    }
    Some(privacy::question(to.as_deref().unwrap_or("/me")))
}
