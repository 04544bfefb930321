//! Rooms: what is free, and what the office keeps of their nights.

use crate::domain::{
    Error,
    booking::{
        keeping::{OfficeHouse, OfficeMonth, RateForm, RoomsForm},
        lodging::{House, NightList, Quoted, StayForm, StayList},
    },
    page::Page,
    wire::Json,
};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// A page of the houses in which a stay can be had, with its total.
///
/// # Errors
/// [`Error::Invalid`] with the problem of each field.
#[server(prefix = "/api", endpoint = "stay/search", input = GetUrl, output = Json)]
pub async fn search_stays(form: StayForm) -> Result<StayList, Error> {
    super::with(async |ctx| crate::server::booking::stays::search(&ctx, form).await).await
}

/// The places in which there are houses, for a field that suggests them.
#[server(prefix = "/api", endpoint = "stay/places", input = GetUrl, output = Json)]
pub async fn stay_places() -> Result<Vec<String>, Error> {
    super::with(async |ctx| crate::server::booking::stays::places(&ctx).await).await
}

/// A house, and what a stay costs in each of its room types.
///
/// # Errors
/// [`Error::NotFound`] for what is no house. What is wrong with the form is in the answer.
#[server(prefix = "/api", endpoint = "stay/house", input = GetUrl, output = Json)]
pub async fn stay_house(product_id: String, form: StayForm) -> Result<House, Error> {
    super::with(async |ctx| crate::server::booking::stays::house(&ctx, &product_id, form).await).await
}

/// The nights of a month (`2026-12`, or a date in it) of a room type, with prices; without one the present month.
///
/// # Errors
/// [`Error::NotFound`] for what is no room type that is sold.
#[server(prefix = "/api", endpoint = "stay/nights", input = GetUrl, output = Json)]
pub async fn nights(variant_id: String, #[server(default)] month: String) -> Result<NightList, Error> {
    super::with(async |ctx| crate::server::booking::stays::nights(&ctx, &variant_id, &month).await).await
}

/// What a wish comes to now. `wish` is a [`Wish`](crate::domain::booking::wish::Wish) as JSON.
///
/// # Errors
/// [`Error::Invalid`] for what nobody could want, [`Error::NotFound`] for what is not booked in this way.
#[server(prefix = "/api", endpoint = "stay/quote", input = GetUrl, output = Json)]
pub async fn quote(variant_id: String, wish: String) -> Result<Quoted, Error> {
    super::with(async |ctx| {
        let wish = crate::domain::booking::wish::Wish::parse(&wish)?;
        crate::server::booking::stays::quoted(&ctx, &variant_id, &wish).await
    })
    .await
}

/// The houses of the shop with their room types; `q` finds by title.
#[server(prefix = "/api", endpoint = "office/stays", input = GetUrl, output = Json)]
pub async fn office_stays(q: Option<String>, page: i64) -> Result<Page<OfficeHouse>, Error> {
    super::with(async |ctx| crate::server::booking::rates::houses(&ctx, q.as_deref(), page).await).await
}

/// The nights of a month (`2026-12`, or a date in it) of a room type; without one the present month.
///
/// # Errors
/// [`Error::NotFound`] for what is no room type.
#[server(prefix = "/api", endpoint = "office/stay_nights", input = GetUrl, output = Json)]
pub async fn office_nights(variant_id: String, #[server(default)] month: String) -> Result<OfficeMonth, Error> {
    super::with(async |ctx| crate::server::booking::rates::month(&ctx, &variant_id, &month).await).await
}

/// Sets prices and rules of the nights of a range; what is empty stays as it is.
///
/// # Errors
/// [`Error::Invalid`] with the problem of each field, [`Error::NotFound`] for what is no room type.
#[server(prefix = "/api", endpoint = "office/set_rates", output = Json)]
pub async fn set_rates(
    variant_id: String,
    form: RateForm,
    #[server(default)] next: Option<String>,
) -> Result<(), Error> {
    super::with(async |ctx| {
        let set = crate::server::booking::rates::set_rates(&ctx, &variant_id, &form).await;
        set.inspect_err(|_| super::keep_typed(&ctx, "rates", &form.typed()))?;
        super::go_to(next.as_deref());
        Ok(())
    })
    .await
}

/// Sets how many rooms there are in the nights of a range.
///
/// # Errors
/// [`Error::Invalid`] where more are claimed than there would be, [`Error::NotFound`] for what is no room type.
#[server(prefix = "/api", endpoint = "office/set_rooms", output = Json)]
pub async fn set_rooms(
    variant_id: String,
    form: RoomsForm,
    #[server(default)] next: Option<String>,
) -> Result<(), Error> {
    super::with(async |ctx| {
        let set = crate::server::booking::rates::set_rooms(&ctx, &variant_id, &form).await;
        set.inspect_err(|_| super::keep_typed(&ctx, "rooms", &form.typed()))?;
        super::go_to(next.as_deref());
        Ok(())
    })
    .await
}
