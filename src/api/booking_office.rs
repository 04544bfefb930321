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
