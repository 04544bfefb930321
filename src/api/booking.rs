//! Bookings: what is free, and what of it goes into the cart.

use crate::domain::{Error, booking::offer::SlotList, cart::Cart, wire::Json};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// The free slots of a service on some days from a date (`2026-12-24`) of its venue on, up to a month; with a person those
/// of this person.
///
/// # Errors
/// [`Error::NotFound`] for what is no service, [`Error::Invalid`] for what is no date and for too many days.
#[server(prefix = "/api", endpoint = "booking/slots", input = GetUrl, output = Json)]
pub async fn slots(
    variant_id: String,
    date: String,
    days: i64,
    #[server(default)] person: Option<String>,
    #[server(default)] add_ons: Vec<usize>,
) -> Result<SlotList, Error> {
    super::with(async |ctx| {
        let first = crate::domain::booking::date::LocalDate::parse(&date);
        let first = first.ok_or_else(|| Error::field("date", crate::domain::error::Problem::Choice))?;
        let person = person.as_deref().filter(|person| !person.is_empty());
        crate::server::booking::slots(&ctx, &variant_id, first, days, person, &add_ons).await
    })
    .await
}

/// Puts a booking into the cart. `wish` is a [`Wish`](crate::domain::booking::wish::Wish) as JSON, which a button without
/// script has as its value; without script, `next` is the local page to go to.
///
/// # Errors
/// [`Error::SlotTaken`] when it cannot be had any more; the cart is unchanged.
#[server(prefix = "/api", endpoint = "booking/add", output = Json)]
pub async fn add_booking(
    variant_id: String,
    wish: String,
    #[server(default)] next: Option<String>,
) -> Result<Cart, Error> {
    super::with(async |ctx| {
        let wish = crate::domain::booking::wish::Wish::parse(&wish)?;
        let cart = crate::server::booking::wishes::add(&ctx, &variant_id, &wish).await?;
        super::go_to(next.as_deref());
        Ok(cart)
    })
    .await
}

/// Takes a booking out of the cart.
#[server(prefix = "/api", endpoint = "booking/remove", output = Json)]
pub async fn remove_booking(id: String, #[server(default)] next: Option<String>) -> Result<Cart, Error> {
    super::with(async |ctx| {
        let cart = crate::server::booking::wishes::remove(&ctx, &id).await?;
        super::go_to(next.as_deref());
        Ok(cart)
    })
    .await
}
