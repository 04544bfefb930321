//! What an account is reached by: a phone or an e-mail address is added, replaced and taken away.

use crate::domain::{Error, account::SentCode, wire::Json};
use leptos::prelude::*;

/// Sends a one-time code to a phone or an e-mail address by which the account is to be reached, and goes to where it is
/// typed. Whoever asks has to show anew who this is: by a code or a passkey used just now, or by the password. Nothing
/// tells whether another account is reached by it.
///
/// # Errors
/// [`Error::Invalid`] about the target or the password, [`Error::TooMany`] over the limits and after wrong passwords in a
/// row.
#[server(prefix = "/api", endpoint = "account/add_target", output = Json)]
pub async fn add(target: String, #[server(default)] password: String) -> Result<SentCode, Error> {
    super::with(async |ctx| {
        let sent = crate::server::account::targets::add(&ctx, "+86", &target, password).await;
        let sent = sent.inspect_err(|_| super::keep_typed(&ctx, "target", &target))?;
        super::go_to(Some(&sent.target_href()));
        Ok(sent)
    })
    .await
}

/// Sends another code to where one was sent before, for a quarter of an hour after the first.
///
/// # Errors
/// [`Error::NotFound`] for a code of another session, [`Error::TooMany`] over the limits.
#[server(prefix = "/api", endpoint = "account/resend_target", output = Json)]
pub async fn resend(id: String) -> Result<SentCode, Error> {
    super::with(async |ctx| {
        let sent = crate::server::account::targets::send_again(&ctx, &id).await?;
        super::go_to(Some(&sent.target_href()));
        Ok(sent)
    })
    .await
}

/// Lets the account be reached by the target of a code, in place of another of its kind.
///
/// # Errors
/// [`Error::Invalid`] for a wrong code, and `Taken` after a right one where another account is reached by it.
#[server(prefix = "/api", endpoint = "account/confirm_target", output = Json)]
pub async fn confirm(id: String, code: String) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::targets::confirm(&ctx, &id, &code).await?;
        super::go_to(Some("/me/security?done=target"));
        Ok(())
    })
    .await
}

/// Takes the phone or the e-mail address away; `kind` is `phone` or `email`. Whoever asks has to show anew who this is,
/// as for [`add`].
///
/// # Errors
/// [`Error::Invalid`] about the password, and `LastTarget` for the last one; [`Error::NotFound`] where there is none.
#[server(prefix = "/api", endpoint = "account/remove_target", output = Json)]
pub async fn remove(kind: String, #[server(default)] password: String) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::targets::remove(&ctx, &kind, password).await?;
        super::form_to("/me/security?done=target_removed");
        Ok(())
    })
    .await
}
