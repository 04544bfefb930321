//! Tables of restaurants: when a party can have one.

use crate::domain::{
    Error,
    booking::seating::{RestaurantList, SittingList},
    wire::Json,
};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// When a party can have a table on a date (`2026-12-24`) of the restaurant, today unless one is asked for. Where it cannot
/// have one at a time (`19:00`) that is asked for, with what is nearest to that.
///
/// # Errors
/// [`Error::NotFound`] for what is no table, [`Error::Invalid`] for a party that nobody is, and for an area that there is
/// not.
#[server(prefix = "/api", endpoint = "booking/sittings", input = GetUrl, output = Json)]
pub async fn sittings(
    variant_id: String,
    guests: i64,
    #[server(default)] date: Option<String>,
    #[server(default)] time: Option<String>,
    #[server(default)] area: Option<String>,
) -> Result<SittingList, Error> {
    super::with(async |ctx| {
        let asked = asked(guests, date.as_deref(), time.as_deref(), area)?;
        crate::server::booking::tables::sittings(&ctx, &variant_id, &asked).await
    })
    .await
}

/// The restaurants of a city, by its code, or of all, with the times of a date that are nearest to the one asked for.
///
/// # Errors
/// [`Error::Invalid`] for a party that nobody is.
#[server(prefix = "/api", endpoint = "booking/restaurants", input = GetUrl, output = Json)]
pub async fn restaurants(
    guests: i64,
    #[server(default)] date: Option<String>,
    #[server(default)] time: Option<String>,
    #[server(default)] place: Option<String>,
) -> Result<RestaurantList, Error> {
    super::with(async |ctx| {
        let mut asked = asked(guests, date.as_deref(), time.as_deref(), None)?;
        asked.place = place.filter(|place| !place.is_empty());
        crate::server::booking::tables::restaurants(&ctx, &asked).await
    })
    .await
}

/// What is asked for, read as forms and addresses have it.
#[cfg(feature = "ssr")]
fn asked(
    guests: i64,
    date: Option<&str>,
    time: Option<&str>,
    area: Option<String>,
) -> Result<crate::domain::booking::seating::TableAsk, Error> {
    use crate::domain::{
        booking::{date::LocalDate, schedule::minute, seating::TableAsk},
        error::{Check, Problem},
    };
    let mut check = Check::default();
    let said = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let date = said(date).and_then(|text| check.take("date", LocalDate::parse(&text).ok_or(Problem::Choice)));
    let time = said(time).and_then(|text| check.take("time", minute(&text).ok_or(Problem::Choice)));
    check.finish()?;
    Ok(TableAsk { date, guests, time, area: area.filter(|area| !area.is_empty()), ..TableAsk::default() })
}
