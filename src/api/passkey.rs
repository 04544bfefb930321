//! Passkeys: adding, using, naming and removing them. What the browser does between begin and finish is the business of
//! `public/passkey.js`, which calls these functions by itself.

use crate::domain::{
    Error,
    passkey::{Ceremony, Passkeys},
    wire::Json,
};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// The passkeys of the account.
#[server(prefix = "/api", endpoint = "passkey/list", input = GetUrl, output = Json)]
pub async fn list() -> Result<Passkeys, Error> {
    super::with(async |ctx| crate::server::account::passkey::list(&ctx).await).await
}

/// Begins to add a passkey. Whoever asks has to show anew who this is: by a code or a passkey used just now, or by the
/// password.
///
/// # Errors
/// [`Error::Invalid`] about the password, or about `passkey` where none can be added; [`Error::TooMany`] after wrong
/// passwords in a row.
#[server(prefix = "/api", endpoint = "passkey/begin_registration", output = Json)]
pub async fn begin_registration(#[server(default)] password: String) -> Result<Ceremony, Error> {
    super::with(async |ctx| crate::server::account::passkey::begin_registration(&ctx, password).await).await
}

/// Adds the passkey that the browser made; `credential` is a `RegistrationResponseJSON` (WebAuthn level 3 §5.1).
///
/// # Errors
/// [`Error::Invalid`] about `passkey`.
#[server(prefix = "/api", endpoint = "passkey/finish_registration", output = Json)]
pub async fn finish_registration(id: String, credential: String) -> Result<(), Error> {
    super::with(async |ctx| crate::server::account::passkey::finish_registration(&ctx, &id, &credential).await).await
}

/// Begins a sign-in with a passkey.
///
/// # Errors
/// [`Error::Invalid`] where there are none.
#[server(prefix = "/api", endpoint = "passkey/begin_sign_in", output = Json)]
pub async fn begin_sign_in() -> Result<Ceremony, Error> {
    super::with(async |ctx| crate::server::account::passkey::begin_sign_in(&ctx).await).await
}

/// Signs in with a passkey; `credential` is an `AuthenticationResponseJSON` (WebAuthn level 3 §5.1). Answers with the
/// page to load.
///
/// # Errors
/// [`Error::Invalid`] about `passkey`, [`Error::TooMany`] after failures in a row.
#[server(prefix = "/api", endpoint = "passkey/finish_sign_in", output = Json)]
pub async fn finish_sign_in(
    id: String,
    credential: String,
    #[server(default)] to: Option<String>,
) -> Result<String, Error> {
    super::with(async |ctx| {
        let customer = crate::server::sign_in::by_passkey(&ctx, &id, &credential).await?;
        let to = super::privacy::after_sign_in(&ctx, &customer, to).await;
        Ok(super::go_anew(to.as_deref(), "/me"))
    })
    .await
}

/// Whether the sign-in of this browser that waits for the second factor can be completed with a passkey.
#[server(prefix = "/api", endpoint = "passkey/completes", input = GetUrl, output = Json)]
pub async fn completes() -> Result<bool, Error> {
    super::with(async |ctx| crate::server::sign_in::takes_passkey(&ctx).await).await
}

/// Begins to complete the sign-in of this browser that waits for the second factor, with a passkey of its account.
///
/// # Errors
/// [`Error::Invalid`] about `passkey`, also where nothing waits any more.
#[server(prefix = "/api", endpoint = "passkey/begin_second", output = Json)]
pub async fn begin_second() -> Result<Ceremony, Error> {
    super::with(async |ctx| crate::server::sign_in::begin_passkey(&ctx).await).await
}

/// Completes that sign-in; `credential` as for [`finish_sign_in`]. Answers with the page to load.
///
/// # Errors
/// [`Error::Invalid`] about `passkey`, [`Error::TooMany`] after failures in a row.
#[server(prefix = "/api", endpoint = "passkey/finish_second", output = Json)]
pub async fn finish_second(
    id: String,
    credential: String,
    #[server(default)] to: Option<String>,
) -> Result<String, Error> {
    super::with(async |ctx| {
        let customer = crate::server::sign_in::by_second_passkey(&ctx, &id, &credential).await?;
        let to = super::privacy::after_sign_in(&ctx, &customer, to).await;
        Ok(super::go_anew(to.as_deref(), "/me"))
    })
    .await
}

/// Calls a passkey by another name.
///
/// # Errors
/// [`Error::Invalid`] about the name; [`Error::NotFound`] for an unknown passkey and for that of someone else alike.
#[server(prefix = "/api", endpoint = "passkey/rename", output = Json)]
pub async fn rename(id: String, name: String) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::passkey::rename(&ctx, &id, &name).await?;
        super::form_to("/me/security?done=passkey_renamed");
        Ok(())
    })
    .await
}

/// Removes a passkey. Whoever asks has to show anew who this is, as for [`begin_registration`].
///
/// # Errors
/// [`Error::Invalid`] about the password; [`Error::TooMany`] after wrong passwords in a row; [`Error::NotFound`] for an
/// unknown passkey and for that of someone else alike.
#[server(prefix = "/api", endpoint = "passkey/remove", output = Json)]
pub async fn remove(id: String, #[server(default)] password: String) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::passkey::remove(&ctx, &id, password).await?;
        super::form_to("/me/security?done=passkey_removed");
        Ok(())
    })
    .await
}
