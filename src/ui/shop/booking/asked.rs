//! What the page of a product asks for where it is booked, as the address says it.
//!
//! Asked for beside the product and not below it: what is asked for within an answer is asked for twice. So it is decided
//! here, for all kinds, before it is known which one the product is of; of the others nothing is asked.

use super::stay::Asked;
use crate::{
    api,
    domain::{
        Error,
        booking::{
            lodging::{House, NightList},
            offer::Kind,
            seating::{SittingList, TableAsk},
            travel::{TripAsk, TripOffer},
            visit::{Choice, Chosen},
            zone::clock,
        },
        catalog::Product,
    },
    ui::components::travel::use_asked,
};
use leptos::{prelude::*, task::tick};
use serde::{Serialize, de::DeserializeOwned};

/// The product of a page, with the handle in its address.
#[derive(Clone, Copy)]
pub struct OnPage {
    pub handle: Memo<String>,
    pub product: Resource<Result<Product, Error>>,
}

impl OnPage {
    /// What the server says of a product of this kind to what is asked; of any other it is not asked.
    fn answer<S, T, F>(
        self,
        kind: Kind,
        asked: impl Fn() -> S + Send + Sync + 'static,
        ask: impl Fn(Product, S) -> F + Copy + Send + Sync + 'static,
    ) -> Resource<Result<T, Error>>
    where
        S: Clone + PartialEq + Send + Sync + 'static,
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let Self { handle, product } = self;
        Resource::new(
            move || (handle.get(), asked()),
            move |(_, asked)| {
                let product = product.by_ref();
                async move {
                    // With another handle the product is asked for anew at the same moment: not the one before.
                    tick().await;
                    let product = match &*product.await {
                        Ok(product) if product.kind == Some(kind) => Ok(product.clone()),
                        Ok(_) => Err(Error::NotFound),
                        Err(error) => Err(error.clone()),
                    };
                    match product {
                        Ok(product) => ask(product, asked).await,
                        Err(error) => Err(error),
                    }
                }
            },
        )
    }
}

/// What is asked for of a product that is booked, by its kind.
#[derive(Clone, Copy)]
pub struct AskedBooking {
    pub(super) visit: AskedVisit,
    pub(super) stay: AskedStay,
    pub(super) table: AskedTable,
    pub(super) trip: AskedTrip,
}

/// What the address asks for of the product of a page.
pub fn use_booking(page: OnPage) -> AskedBooking {
    AskedBooking {
        visit: AskedVisit::new(page),
        stay: AskedStay::new(page),
        table: AskedTable::new(page),
        trip: AskedTrip::new(page),
    }
}

/// What is asked for of a service.
#[derive(Clone, Copy)]
pub struct AskedVisit {
    pub(super) chosen: Memo<Chosen>,
    pub(super) choice: Resource<Result<Choice, Error>>,
}

impl AskedVisit {
    fn new(page: OnPage) -> Self {
        let chosen = use_asked("/p/", |query| Chosen::parse(|name| query.get(name)));
        let choice = page.answer(
            Kind::Visit,
            move || {
                let Chosen { variant, month, date, person, add_ons, further, .. } = chosen.get();
                (variant, month, date, person, add_ons, further)
            },
            |product, (variant, month, date, person, add_ons, further)| {
                api::booking::visit(offered(&product, variant), month, date, person, add_ons, further)
            },
        );
        Self { chosen, choice }
    }
}

/// The variant that is wanted where the product has it, else the one that is offered first.
pub(super) fn offered(product: &Product, wanted: Option<String>) -> String {
    let known = wanted.filter(|id| product.variants.iter().any(|variant| variant.id == *id));
    known.or_else(|| product.default_variant().map(|variant| variant.id.clone())).unwrap_or_default()
}

/// What is asked for of a house.
#[derive(Clone, Copy)]
pub struct AskedStay {
    pub(super) asked: Memo<Asked>,
    pub(super) house: Resource<Result<House, Error>>,
    /// A month of the room type in view.
    pub(super) nights: Resource<Result<NightList, Error>>,
}

impl AskedStay {
    fn new(page: OnPage) -> Self {
        let asked = use_asked("/p/", |query| Asked::read(|name| query.get(name)));
        let house = page.answer(
            Kind::Stay,
            move || asked.with(|asked| asked.form.clone()),
            |product, form| api::stay::stay_house(product.id, form),
        );
        // The month that is asked for, or that of the stay.
        let month = move |asked: &Asked| asked.month.clone().unwrap_or_else(|| asked.form.arrival.clone());
        let nights = page.answer(
            Kind::Stay,
            move || asked.with(|asked| (asked.room.clone(), month(asked))),
            |product, (room, month)| {
                let known = room.filter(|room| product.variants.iter().any(|variant| variant.id == *room));
                let first = product.variants.into_iter().next().map(|variant| variant.id);
                api::stay::nights(known.or(first).unwrap_or_default(), month)
            },
        );
        Self { asked, house, nights }
    }
}

/// What is asked for of a restaurant.
#[derive(Clone, Copy)]
pub struct AskedTable {
    pub(super) asked: Memo<TableAsk>,
    pub(super) sittings: Resource<Result<SittingList, Error>>,
}

impl AskedTable {
    fn new(page: OnPage) -> Self {
        let asked = use_asked("/p/", |query| TableAsk::parse(|name| query.get(name)));
        let sittings = page.answer(
            Kind::Table,
            move || asked.get(),
            |product, TableAsk { date, guests, time, area, .. }| {
                let date = date.map(|date| date.to_string());
                api::booking_table::sittings(bookable(&product), guests, date, time.map(clock), area)
            },
        );
        Self { asked, sittings }
    }
}

/// The variant that is booked of a restaurant.
pub(super) fn bookable(product: &Product) -> String {
    product.variants.first().map(|variant| variant.id.clone()).unwrap_or_default()
}

/// What is asked for of a line.
#[derive(Clone, Copy)]
pub struct AskedTrip {
    pub(super) asked: Memo<TripAsk>,
    pub(super) offer: Resource<Result<TripOffer, Error>>,
}

impl AskedTrip {
    fn new(page: OnPage) -> Self {
        let asked = use_asked("/p/", |query| TripAsk::parse(|name| query.get(name)));
        let offer =
            page.answer(Kind::Trip, move || asked.get(), |product, asked| api::booking_trip::offer(product.id, asked));
        Self { asked, offer }
    }
}
