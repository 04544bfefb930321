//! Trips: what leaves when, which seats are free, and who travels.

use crate::domain::{
    Error,
    booking::travel::{Companions, Traveller, TripAsk, TripChoice, TripList, TripOffer},
    cart::Cart,
    wire::Json,
};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// The departures of a line from one of its stops to another, with what is left of each fare for so many travellers, the way
/// back where there is one, and the seats of what was chosen; today, between the ends of the line and for one adult unless
/// something else is asked for. One answer holds all of it, so that what is shown belongs together.
///
/// # Errors
/// [`Error::NotFound`] for what is no line, [`Error::Invalid`] for people who cannot travel.
#[server(prefix = "/api", endpoint = "booking/offer", input = GetUrl, output = Json)]
pub async fn offer(product_id: String, #[server(default)] asked: TripAsk) -> Result<TripOffer, Error> {
    super::with(async |ctx| crate::server::booking::trips::offer(&ctx, &product_id, &asked).await).await
}

/// The departures of all lines on a date from one place to another.
///
/// # Errors
/// [`Error::Invalid`] for what is no date and for people who cannot travel.
#[server(prefix = "/api", endpoint = "booking/trips", input = GetUrl, output = Json)]
pub async fn trips(
    #[server(default)] date: Option<String>,
    #[server(default)] from: Option<String>,
    #[server(default)] to: Option<String>,
    #[server(default)] adults: i64,
    #[server(default)] children: i64,
    #[server(default)] infants: i64,
) -> Result<TripList, Error> {
    super::with(async |ctx| {
        let asked = asked(date.as_deref(), (from, to), [adults, children, infants])?;
        crate::server::booking::trips::trips(&ctx, &asked).await
    })
    .await
}

/// Puts a trip into the cart: one way, or both or neither. Without script, `next` is the local page to go to.
///
/// # Errors
/// [`Error::SlotTaken`] when it cannot be had any more, [`Error::Invalid`] where the way back begins before the arrival and
/// where seats are not chosen; the cart is unchanged.
#[server(prefix = "/api", endpoint = "booking/add_trip", output = Json)]
pub async fn add_trip(choice: TripChoice, #[server(default)] next: Option<String>) -> Result<Cart, Error> {
    super::with(async |ctx| {
        let cart = crate::server::booking::trips::add(&ctx, &choice).await?;
        super::go_to(next.as_deref());
        Ok(cart)
    })
    .await
}

/// Who comes with a booking of one's own order, by the place of its line.
///
/// # Errors
/// [`Error::NotFound`] for the order of someone else and for a line that is no booking.
#[server(prefix = "/api", endpoint = "booking/travellers", input = GetUrl, output = Json)]
pub async fn travellers(number: String, position: i64) -> Result<Companions, Error> {
    super::with(async |ctx| crate::server::booking::travellers::written(&ctx, &number, position).await).await
}

/// Writes who comes with a booking of one's own order. People without a name and a document are left out.
///
/// # Errors
/// [`Error::NotFound`] for the order of someone else, [`Error::Invalid`] for a document without a name and for more people
/// than were booked, [`Error::OrderClosed`] when the order is over.
#[server(prefix = "/api", endpoint = "booking/set_travellers", output = Json)]
pub async fn set_travellers(
    number: String,
    position: i64,
    #[server(default)] people: Vec<Traveller>,
    #[server(default)] next: Option<String>,
) -> Result<(), Error> {
    super::with(async |ctx| {
        let empty = |person: &Traveller| person.name.trim().is_empty() && person.document.trim().is_empty();
        let people: Vec<_> = people.into_iter().filter(|person| !empty(person)).collect();
        crate::server::booking::travellers::set(&ctx, &number, position, &people).await?;
        super::go_to(next.as_deref());
        Ok(())
    })
    .await
}

/// What is asked for, read as forms and addresses have it.
#[cfg(feature = "ssr")]
fn asked(
    date: Option<&str>,
    (from, to): (Option<String>, Option<String>),
    [adults, children, infants]: [i64; 3],
) -> Result<crate::domain::booking::travel::TripAsk, Error> {
    use crate::domain::{
        booking::{date::LocalDate, travel::TripAsk, trips::Travellers},
        error::Problem,
    };
    let date = match date.map(str::trim).filter(|date| !date.is_empty()) {
        Some(date) => Some(LocalDate::parse(date).ok_or_else(|| Error::field("date", Problem::Choice))?),
        None => None,
    };
    let nobody = [adults, children, infants] == [0; 3];
    let usual = TripAsk::default();
    let travellers = if nobody { usual.travellers } else { Travellers { adults, children, infants } };
    let some = |place: Option<String>| place.filter(|place| !place.is_empty());
    Ok(TripAsk { date, from: some(from), to: some(to), travellers, ..usual })
}
