//! Bookings: what is free, and what of it goes into the cart.

#[cfg(feature = "ssr")]
use crate::domain::booking::{date::LocalDate, month, visit::Asked, wish::Wish};
use crate::domain::{
    Error,
    booking::{offer::SlotList, visit::Choice},
    cart::Cart,
    wire::Json,
};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// The free slots of a service on some days from a date (`2026-12-24`) of its venue on, up to a month; with a person those
/// of this person, and with the variants of further services those at which all are done in a row.
///
/// # Errors
/// [`Error::NotFound`] for what is no service, [`Error::Invalid`] for what is no date, for too many days and for what is not
/// done along with it.
#[server(prefix = "/api", endpoint = "booking/slots", input = GetUrl, output = Json)]
pub async fn slots(
    variant_id: String,
    date: String,
    days: i64,
    #[server(default)] person: Option<String>,
    #[server(default)] add_ons: Vec<usize>,
    #[server(default)] further: Vec<String>,
) -> Result<SlotList, Error> {
    super::with(async |ctx| {
        let first = LocalDate::parse(&date);
        let first = first.ok_or_else(|| Error::field("date", crate::domain::error::Problem::Choice))?;
        let person = person.as_deref().filter(|person| !person.is_empty());
        crate::server::booking::slots(&ctx, &variant_id, first, days, person, &add_ons, &further).await
    })
    .await
}

/// A service with the days of a month (`2026-12`) on which it can be had, and the free slots of one of them; where nothing
/// or nonsense is asked for, of the first.
///
/// # Errors
/// [`Error::NotFound`] for what is no service.
#[server(prefix = "/api", endpoint = "booking/visit", input = GetUrl, output = Json)]
pub async fn visit(
    variant_id: String,
    #[server(default)] month: Option<String>,
    #[server(default)] date: Option<String>,
    #[server(default)] person: Option<String>,
    #[server(default)] add_ons: Vec<usize>,
    #[server(default)] further: Vec<String>,
) -> Result<Choice, Error> {
    super::with(async |ctx| {
        let (month, date) = (month.as_deref().and_then(month::parse), date.as_deref().and_then(LocalDate::parse));
        crate::server::booking::choice(&ctx, &variant_id, Asked { month, date, person, add_ons, further }).await
    })
    .await
}

/// Puts a booking into the cart. `wish` is a [`Wish`](crate::domain::booking::wish::Wish) as JSON, which a button without
/// script has as its value; without script, `next` is the local page to go to, and `back` the one that says what went wrong.
///
/// # Errors
/// [`Error::SlotTaken`] when it cannot be had any more; the cart is unchanged.
#[server(prefix = "/api", endpoint = "booking/add", output = Json)]
pub async fn add_booking(
    variant_id: String,
    wish: String,
    #[server(default)] next: Option<String>,
    #[server(default)] back: Option<String>,
) -> Result<Cart, Error> {
    super::with(async |ctx| {
        let wish = Wish::parse(&wish)?;
        let added = crate::server::booking::wishes::add(&ctx, &variant_id, &wish).await;
        let cart = added.inspect_err(|error| send_back(back.as_deref(), &wish, error))?;
        super::go_to(next.as_deref());
        Ok(cart)
    })
    .await
}

/// Sends a form without script back to its page of this shop, which then offers what is near to the visit that was wanted.
#[cfg(feature = "ssr")]
fn send_back(page: Option<&str>, wish: &Wish, error: &Error) {
    let Some(page) = page.and_then(crate::server::http::local_path) else { return };
    let page = page.split('#').next().unwrap_or_default();
    let mark = if page.contains('?') { '&' } else { '?' };
    match wish {
        Wish::Visit { start, .. } => super::form_back::<AddBooking>(&format!("{page}{mark}gone={start}"), error),
        _ => super::form_back::<AddBooking>(page, error),
    }
}

/// Wants something else in place of a booking in the cart, most likely because that cannot be had any more. `wish` is as
/// [`add_booking()`] takes it, and `variant_id` another variant where it is to be of one; without script, `next` is the
/// local page to go to, the cart unless another one asks.
///
/// # Errors
/// [`Error::SlotTaken`] when it cannot be had either; the cart is unchanged then. [`Error::NotFound`] for what is not in
/// the cart.
#[server(prefix = "/api", endpoint = "booking/replace", output = Json)]
pub async fn replace_booking(
    id: String,
    wish: String,
    #[server(default)] variant_id: Option<String>,
    #[server(default)] next: Option<String>,
) -> Result<Cart, Error> {
    super::with(async |ctx| {
        let other = variant_id.as_deref().filter(|variant| !variant.is_empty());
        let cart = crate::server::booking::wishes::replace_by(&ctx, &id, other, &Wish::parse(&wish)?).await?;
        super::form_to(next.as_deref().and_then(crate::server::http::local_path).unwrap_or("/cart"));
        Ok(cart)
    })
    .await
}

/// Takes a booking out of the cart. Without script the cart then offers to put it back.
#[server(prefix = "/api", endpoint = "booking/remove", output = Json)]
pub async fn remove_booking(id: String) -> Result<Cart, Error> {
    super::with(async |ctx| {
        let (cart, unbooked) = crate::server::booking::wishes::remove(&ctx, &id).await?;
        if let Some(unbooked) = unbooked {
            super::form_to(&unbooked.href(cart.version));
        }
        Ok(cart)
    })
    .await
}
