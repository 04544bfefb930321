//! Bookings as the office sees them: the days of people, tables and things.

#[cfg(feature = "ssr")]
use crate::domain::booking::date::LocalDate;
use crate::domain::{
    Error,
    booking::agenda::{Agenda, MoveOrder},
    wire::Json,
};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// Some days of a venue, up to a week, from a date (`2026-12-24`) on; of the first venue and from today on unless others
/// are asked for.
#[server(prefix = "/api", endpoint = "office/bookings", input = GetUrl, output = Json)]
pub async fn bookings(
    #[server(default)] product_id: Option<String>,
    #[server(default)] date: Option<String>,
    days: i64,
) -> Result<Agenda, Error> {
    super::with(async |ctx| {
        let first = date.as_deref().and_then(LocalDate::parse);
        crate::server::booking::agenda::agenda(&ctx, product_id.as_deref(), first, days).await
    })
    .await
}

/// Blocks time of somebody or something: on a date, from one time to another (`09:00`) by the clocks of the venue.
///
/// # Errors
/// [`Error::Invalid`] with the problems by field, and with `Taken` where some of the time is not free.
#[server(prefix = "/api", endpoint = "office/block", output = Json)]
pub async fn block(
    resource_id: String,
    date: String,
    from: String,
    until: String,
    #[server(default)] reason: String,
) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::booking::agenda::block(&ctx, &resource_id, &date, (&from, &until), &reason).await
    })
    .await
}

/// Gives blocked time back, by the id of its claim.
#[server(prefix = "/api", endpoint = "office/unblock", output = Json)]
pub async fn unblock(id: String) -> Result<(), Error> {
    super::with(async |ctx| crate::server::booking::agenda::unblock(&ctx, &id).await).await
}

/// The minutes of a date (`2026-12-24`) at which other departures leave that have place for a trip of a customer, by the
/// clocks there.
///
/// # Errors
/// [`Error::Invalid`] for what is no date and for a booking that has begun, [`Error::OrderClosed`].
#[server(prefix = "/api", endpoint = "office/departures", input = GetUrl, output = Json)]
pub async fn departures(number: String, position: i64, date: String) -> Result<Vec<i64>, Error> {
    super::with(async |ctx| crate::server::booking::moving::departures(&ctx, &number, position, &date).await).await
}

/// Moves a customer's stay to other nights from a date (`2026-12-24`) on, or a trip to the departure of that date that
/// leaves at a time (`18:30`); it costs the customer nothing, and they are told. `seen` is when it began as it was seen, in
/// UTC milliseconds.
///
/// # Errors
/// [`Error::Conflict`] when it is not there any more, [`Error::SlotTaken`] when it cannot be had there, [`Error::Invalid`]
/// with the problem of `date` or `time`, [`Error::OrderClosed`]; it stays where it is.
#[server(prefix = "/api", endpoint = "office/move_elsewhere", output = Json)]
pub async fn move_elsewhere(
    number: String,
    position: i64,
    seen: i64,
    date: String,
    #[server(default)] time: String,
) -> Result<(), Error> {
    super::with(async |ctx| {
        use crate::server::booking::moving;
        let asked = moving::OtherDay { number: &number, position, seen, date: &date, time: &time };
        let moved = moving::move_elsewhere(&ctx, &asked).await;
        let [number, date, time] = [&number, &date, &time].map(|text| crate::domain::catalog::percent_encode(text));
        match &moved {
            Ok(()) => super::form_to(&format!("/office/orders/{number}")),
            // What was typed stands in the form again.
            Err(error) => {
                let page = format!("/office/orders/{number}?elsewhere={position}&date={date}&time={time}");
                super::form_back::<MoveElsewhere>(&page, error);
            }
        }
        moved
    })
    .await
}

/// Moves a customer's booking to another time, another person or another table; it costs the customer nothing, and they
/// are told.
///
/// # Errors
/// [`Error::Conflict`] when the booking was changed since it was seen, [`Error::SlotTaken`] when it cannot be had there,
/// [`Error::Invalid`] with the problem of `date`, `time` or `resource`, [`Error::OrderClosed`]; it stays where it is.
#[server(prefix = "/api", endpoint = "office/move_booking", output = Json)]
pub async fn move_for_customer(form: MoveOrder) -> Result<(), Error> {
    super::with(async |ctx| {
        let moved = crate::server::booking::moving::move_for_customer(&ctx, &form).await;
        if let Some(page) = crate::server::http::local_path(&form.page) {
            match &moved {
                Ok(()) => super::form_to(page),
                // What was typed stands in the form again.
                Err(error) => super::form_back::<MoveForCustomer>(&form.again(page), error),
            }
        }
        moved
    })
    .await
}
