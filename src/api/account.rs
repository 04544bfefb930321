//! Who someone is to this shop: signing in and out, and what belongs to an account.

use crate::domain::{
    Error,
    account::{Device, Posted, Profile, SentCode},
    address_book::{AddressInput, AddressPage, SavedAddress},
    choice,
    wire::Json,
};
use leptos::prelude::*;
use server_fn::codec::GetUrl;
use std::collections::BTreeMap;

/// Forgets on this browser whose cart and orders it showed, and everything of them that is kept in it.
#[server(prefix = "/api", endpoint = "account/forget", output = Json)]
pub async fn forget() -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::forget(&ctx);
        super::go_to(Some("/"));
        Ok(())
    })
    .await
}

/// Who is signed in; none for a guest.
#[server(prefix = "/api", endpoint = "account/me", input = GetUrl, output = Json)]
pub async fn me() -> Result<Option<Profile>, Error> {
    super::with(async |ctx| crate::server::account::profile::get(&ctx).await).await
}

/// Sends a one-time code to a phone or an e-mail address and goes to where it is typed. `to` is the page to go to after
/// that.
///
/// # Errors
/// [`Error::Invalid`] for what is neither, [`Error::TooMany`] over the limits.
#[server(prefix = "/api", endpoint = "account/send_code", output = Json)]
pub async fn send_code(target: String, #[server(default)] to: Option<String>) -> Result<SentCode, Error> {
    super::with(async |ctx| {
        let sent = crate::server::sign_in::send_code(&ctx, "+86", &target).await;
        let sent = sent.inspect_err(|_| super::keep_typed(&ctx, "target", &target))?;
        super::go_to(Some(&sent.href(to.as_deref())));
        Ok(sent)
    })
    .await
}

/// Sends another code to where one was sent before.
///
/// # Errors
/// As [`send_code`].
#[server(prefix = "/api", endpoint = "account/resend_code", output = Json)]
pub async fn resend_code(id: String, #[server(default)] to: Option<String>) -> Result<SentCode, Error> {
    super::with(async |ctx| {
        let sent = crate::server::account::code::send_again(&ctx, &id).await?;
        super::go_to(Some(&sent.href(to.as_deref())));
        Ok(sent)
    })
    .await
}

/// A code that is on its way.
///
/// # Errors
/// [`Error::NotFound`] for one that is long gone.
#[server(prefix = "/api", endpoint = "account/code", input = GetUrl, output = Json)]
pub async fn code(id: String) -> Result<SentCode, Error> {
    super::with(async |ctx| crate::server::account::code::show(&ctx, &id).await).await
}

/// Signs in with a one-time code; who has no account gets one. Answers with the page to load, which may be the one that
/// asks for the second factor.
///
/// # Errors
/// [`Error::Invalid`] for a wrong code, and without agreement to the terms.
#[server(prefix = "/api", endpoint = "account/enter", output = Json)]
pub async fn enter(
    id: String,
    code: String,
    #[server(default)] agreed: Option<String>,
    #[server(default)] to: Option<String>,
) -> Result<String, Error> {
    super::with(async |ctx| {
        let entered = crate::server::sign_in::by_code(&ctx, &id, &code, agreed.is_some()).await?;
        Ok(super::second_factor::after_first(&ctx, entered, to).await)
    })
    .await
}

/// Signs in with user name, phone or e-mail and the password. Answers with the page to load, as [`enter`].
///
/// # Errors
/// [`Error::Invalid`] with `Credentials`, without telling which of the two was wrong; [`Error::TooMany`] after failures
/// in a row.
#[server(prefix = "/api", endpoint = "account/sign_in", output = Json)]
pub async fn sign_in(name: String, password: String, #[server(default)] to: Option<String>) -> Result<String, Error> {
    super::with(async |ctx| {
        let entered = crate::server::sign_in::by_password(&ctx, "+86", &name, password).await;
        let entered = entered.inspect_err(|_| super::keep_typed(&ctx, "name", &name))?;
        Ok(super::second_factor::after_first(&ctx, entered, to).await)
    })
    .await
}

/// Signs out on this browser. Answers with the page to load.
#[server(prefix = "/api", endpoint = "account/sign_out", output = Json)]
pub async fn sign_out() -> Result<String, Error> {
    super::with(async |ctx| {
        crate::server::sign_in::out(&ctx).await?;
        Ok(super::go_anew(None, "/"))
    })
    .await
}

/// Sets what the person is called, and the user name; an empty one takes it away.
///
/// # Errors
/// [`Error::Invalid`] with the problems by field.
#[server(prefix = "/api", endpoint = "account/set_profile", output = Json)]
pub async fn set_profile(name: String, login: String) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::profile::set(&ctx, &name, &login).await?;
        super::form_to("/me/security?done=profile");
        Ok(())
    })
    .await
}

/// Sets a new password and signs out on all other devices.
///
/// # Errors
/// [`Error::Invalid`] with the problems by field, [`Error::TooMany`] after wrong passwords in a row.
#[server(prefix = "/api", endpoint = "account/set_password", output = Json)]
pub async fn set_password(#[server(default)] old: String, new: String) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::profile::set_password(&ctx, old, new).await?;
        super::form_to("/me/security?done=password");
        Ok(())
    })
    .await
}

/// The messages that were sent last, in development only.
///
/// # Errors
/// [`Error::NotFound`] anywhere else.
#[server(prefix = "/api", endpoint = "account/outbox", input = GetUrl, output = Json)]
pub async fn outbox() -> Result<Vec<Posted>, Error> {
    super::with(async |ctx| crate::server::outbox::recent(&ctx).await).await
}

/// The devices on which the account is signed in.
#[server(prefix = "/api", endpoint = "account/devices", input = GetUrl, output = Json)]
pub async fn devices() -> Result<Vec<Device>, Error> {
    super::with(async |ctx| crate::server::account::session::devices(&ctx).await).await
}

/// Signs the account out on one of its devices.
#[server(prefix = "/api", endpoint = "account/end_device", output = Json)]
pub async fn end_device(id: String) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::session::end(&ctx, &id).await?;
        super::form_to("/me/security?done=device");
        Ok(())
    })
    .await
}

/// Signs the account out on all devices but this one.
#[server(prefix = "/api", endpoint = "account/end_other_devices", output = Json)]
pub async fn end_other_devices() -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::session::end_others(&ctx).await?;
        super::form_to("/me/security?done=devices");
        Ok(())
    })
    .await
}

/// The addresses of the account, the default first.
#[server(prefix = "/api", endpoint = "account/addresses", input = GetUrl, output = Json)]
pub async fn addresses() -> Result<Vec<SavedAddress>, Error> {
    super::with(async |ctx| crate::server::account::addresses::list(&ctx).await).await
}

/// The form of an address, or of a new one; with `draft` as it was typed when that could not be saved.
///
/// # Errors
/// [`Error::NotFound`] for an unknown id and for the address of someone else alike.
#[server(prefix = "/api", endpoint = "account/address", input = GetUrl, output = Json)]
pub async fn address(id: Option<String>, draft: bool) -> Result<AddressPage, Error> {
    super::with(async |ctx| crate::server::account::addresses::page(&ctx, id.as_deref(), draft).await).await
}

/// Saves an address, or a new one. With `step=region` what was typed is only kept, so that the page offers the cities and
/// districts of the choice made.
///
/// # Errors
/// [`Error::Invalid`] with the problems by field, [`Error::NotFound`] as [`address`]; what was typed is kept.
#[server(prefix = "/api", endpoint = "account/save_address", output = Json)]
pub async fn save_address(
    #[server(default)] address: AddressInput,
    #[server(default)] step: Option<String>,
) -> Result<(), Error> {
    super::with(async |ctx| {
        let region_only = step.as_deref() == Some("region");
        let id = crate::domain::catalog::percent_encode(&address.id);
        let again = format!("/me/addresses/edit?draft=1&id={id}");
        crate::server::account::addresses::save(&ctx, address, region_only).await?;
        super::go_to(Some(if region_only { &again } else { "/me/addresses?done=saved" }));
        Ok(())
    })
    .await
}

/// Deletes an address of the account.
///
/// # Errors
/// [`Error::NotFound`] for an unknown id and for the address of someone else alike.
#[server(prefix = "/api", endpoint = "account/delete_address", output = Json)]
pub async fn delete_address(id: String) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::addresses::delete(&ctx, &id).await?;
        super::go_to(Some("/me/addresses?done=deleted"));
        Ok(())
    })
    .await
}

/// Makes an address the one to begin with.
///
/// # Errors
/// [`Error::NotFound`] for an unknown id and for the address of someone else alike.
#[server(prefix = "/api", endpoint = "account/set_default_address", output = Json)]
pub async fn set_default_address(id: String) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::addresses::set_default(&ctx, &id).await?;
        super::go_to(Some("/me/addresses?done=default"));
        Ok(())
    })
    .await
}

/// Which messages the account wants, and what it lets the shop do.
#[server(prefix = "/api", endpoint = "account/choices", input = GetUrl, output = Json)]
pub async fn choices() -> Result<choice::Choices, Error> {
    super::with(async |ctx| crate::server::account::choices::get(&ctx).await).await
}

/// Sets all of that. `wanted` names the boxes that are ticked, see
/// [`box_name`](crate::domain::choice::box_name); one that is missing is a no.
#[server(prefix = "/api", endpoint = "account/set_choices", output = Json)]
pub async fn set_choices(
    #[server(default)] wanted: BTreeMap<String, String>,
    #[server(default)] recommendation: Option<String>,
) -> Result<(), Error> {
    super::with(async |ctx| {
        let choices = choice::Choices::read(&wanted, recommendation.is_some());
        crate::server::account::choices::set(&ctx, choices).await?;
        super::go_to(Some("/me/notifications?done=1"));
        Ok(())
    })
    .await
}
