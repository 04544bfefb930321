//! What comes after a booking: giving it up, moving it, waiting for one that somebody else has; and what the office says of
//! those who came.

use crate::domain::{
    Error,
    booking::after::{BookingChoices, MoveAnswer, MoveQuote, Waiting},
    wire::Json,
};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// The page of what an account waits for.
pub const WAITING: &str = "/me/waiting";

/// What its customer can do with a booking of an order now, and what comes back.
///
/// # Errors
/// [`Error::OrderClosed`] for an order that is not paid, or over.
#[server(prefix = "/api", endpoint = "booking/choices", input = GetUrl, output = Json)]
pub async fn choices(number: String, position: i64) -> Result<BookingChoices, Error> {
    super::with(async |ctx| crate::server::booking::after::choices(&ctx, &number, position).await).await
}

/// Gives one booking of an order up. `expected_refund` is what comes back as it was shown, in minor units.
///
/// # Errors
/// [`Error::Conflict`] when another sum comes back by now, [`Error::Invalid`] when it has begun, [`Error::OrderClosed`].
#[server(prefix = "/api", endpoint = "booking/cancel", output = Json)]
pub async fn cancel_booking(number: String, position: i64, expected_refund: i64) -> Result<(), Error> {
    super::with(async |ctx| {
        let expected = crate::domain::money::Amount(expected_refund);
        crate::server::booking::after::cancel(&ctx, &number, position, expected).await?;
        super::form_to(&format!("/orders/{number}"));
        Ok(())
    })
    .await
}

/// The minutes of a date (`2026-12-24`) at which a booking could begin instead, by the clocks of its venue.
///
/// # Errors
/// As [`choices`].
#[server(prefix = "/api", endpoint = "booking/move_times", input = GetUrl, output = Json)]
pub async fn move_times(number: String, position: i64, date: String) -> Result<Vec<i64>, Error> {
    super::with(async |ctx| crate::server::booking::after::times(&ctx, &number, position, &date).await).await
}

/// Moves one booking of an order to a date (`2026-12-24`) and, where an hour is chosen, a time (`18:30`) of its venue. Where
/// that has to be paid first, it stays where it is, and the page says how much: [`hold_move()`] goes on from there.
///
/// # Errors
/// [`Error::SlotTaken`] when it cannot be had there, [`Error::Invalid`] with the problem of `date` or `time`,
/// [`Error::Conflict`] while another move of it waits for its payment, [`Error::OrderClosed`]; it stays where it is.
#[server(prefix = "/api", endpoint = "booking/move", output = Json)]
pub async fn move_booking(
    number: String,
    position: i64,
    date: String,
    #[server(default)] time: String,
) -> Result<MoveAnswer, Error> {
    super::with(async |ctx| {
        let moved = crate::server::booking::moving::move_to(&ctx, &number, position, &date, &time).await;
        let [number, date, time] = [&number, &date, &time].map(|text| crate::domain::catalog::percent_encode(text));
        match &moved {
            Ok(MoveAnswer::Done) => super::form_to(&format!("/orders/{number}")),
            Ok(MoveAnswer::Due(_)) => {
                super::form_to(&format!("/orders/{number}?move={position}&date={date}&time={time}&quote=1"));
            }
            // What was typed stands in the form again.
            Err(error) => {
                let page = format!("/orders/{number}?move={position}&date={date}&time={time}");
                super::form_back::<MoveBooking>(&page, error);
            }
        }
        moved
    })
    .await
}

/// What it costs to move one booking of an order, as [`move_booking()`] takes where to.
///
/// # Errors
/// [`Error::SlotTaken`] where nothing is offered then; otherwise as [`move_booking()`].
#[server(prefix = "/api", endpoint = "booking/quote_move", input = GetUrl, output = Json)]
pub async fn quote_move(
    number: String,
    position: i64,
    date: String,
    #[server(default)] time: String,
) -> Result<MoveQuote, Error> {
    super::with(async |ctx| crate::server::booking::held::quote(&ctx, &number, position, &date, &time).await).await
}

/// Confirms a move that has to be paid first and goes to the provider's cashier; `expected_due` is what has to be paid as it
/// was shown, in minor units. What it needs is held meanwhile.
///
/// # Errors
/// [`Error::Conflict`] when another sum has to be paid by now, [`Error::ProviderUnavailable`] when the provider does not
/// answer: then the move is held, and [`pay_move()`] goes on with it. Otherwise as [`move_booking()`].
#[server(prefix = "/api", endpoint = "booking/hold_move", output = Json)]
pub async fn hold_move(
    number: String,
    position: i64,
    date: String,
    #[server(default)] time: String,
    expected_due: i64,
) -> Result<String, Error> {
    super::with(async |ctx| {
        let (to, expected) = ((date.as_str(), time.as_str()), crate::domain::money::Amount(expected_due));
        let cashier = crate::server::booking::held::hold(&ctx, &number, position, to, expected).await?;
        leptos_axum::redirect(&cashier);
        Ok(cashier)
    })
    .await
}

/// Begins the payment of a move that is held, or goes on with it, and goes to the provider's cashier.
///
/// # Errors
/// [`Error::Invalid`] where none is held any more, [`Error::ProviderUnavailable`], [`Error::OrderClosed`].
#[server(prefix = "/api", endpoint = "booking/pay_move", output = Json)]
pub async fn pay_move(number: String, position: i64) -> Result<String, Error> {
    super::with(async |ctx| {
        let cashier = crate::server::booking::held::pay(&ctx, &number, position).await?;
        leptos_axum::redirect(&cashier);
        Ok(cashier)
    })
    .await
}

/// Gives a move up that is held: the booking stays where it is.
#[server(prefix = "/api", endpoint = "booking/give_up_move", output = Json)]
pub async fn give_up_move(number: String, position: i64) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::booking::held::give_up(&ctx, &number, position).await?;
        super::form_to(&format!("/orders/{number}"));
        Ok(())
    })
    .await
}

/// Waits for a booking that cannot be had now. `wish` is a [`Wish`](crate::domain::booking::wish::Wish) as JSON.
///
/// # Errors
/// [`Error::Conflict`] where there is nothing to wait for, as it can be had.
#[server(prefix = "/api", endpoint = "booking/wait", output = Json)]
pub async fn wait(variant_id: String, wish: String) -> Result<(), Error> {
    super::with(async |ctx| {
        ctx.session()?;
        let wish = crate::domain::booking::wish::Wish::parse(&wish)?;
        crate::server::booking::waiting::wait(&ctx, &variant_id, &wish).await?;
        super::form_to(&format!("{WAITING}?done=wait"));
        Ok(())
    })
    .await
}

/// Waits for it no longer; what was held goes to the next in line.
#[server(prefix = "/api", endpoint = "booking/stop_waiting", output = Json)]
pub async fn stop_waiting(id: String) -> Result<(), Error> {
    super::with(async |ctx| crate::server::booking::waiting::stop(&ctx, &id).await).await
}

/// What the account waits for.
#[server(prefix = "/api", endpoint = "booking/waiting", input = GetUrl, output = Json)]
pub async fn waiting_list() -> Result<Vec<Waiting>, Error> {
    super::with(async |ctx| crate::server::booking::waiting::list(&ctx).await).await
}

/// They came.
///
/// # Errors
/// [`Error::Invalid`] more than a day before, and when something else was said of the booking.
#[server(prefix = "/api", endpoint = "office/check_in", output = Json)]
pub async fn check_in(number: String, position: i64) -> Result<(), Error> {
    super::with(async |ctx| {
        let mark = crate::domain::booking::after::Mark::CheckedIn;
        crate::server::booking::after::mark(&ctx, &number, position, mark).await
    })
    .await
}

/// The booking is over; with the last one the order is complete, once its goods have arrived.
///
/// # Errors
/// [`Error::Invalid`] before it begins, and when something else was said of the booking.
#[server(prefix = "/api", endpoint = "office/booking_done", output = Json)]
pub async fn booking_done(number: String, position: i64) -> Result<(), Error> {
    super::with(async |ctx| {
        let mark = crate::domain::booking::after::Mark::Done;
        crate::server::booking::after::mark(&ctx, &number, position, mark).await
    })
    .await
}

/// Nobody came; what was paid is kept.
///
/// # Errors
/// As [`booking_done`].
#[server(prefix = "/api", endpoint = "office/no_show", output = Json)]
pub async fn no_show(number: String, position: i64) -> Result<(), Error> {
    super::with(async |ctx| {
        let mark = crate::domain::booking::after::Mark::NoShow;
        crate::server::booking::after::mark(&ctx, &number, position, mark).await
    })
    .await
}
