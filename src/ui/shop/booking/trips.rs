//! The search for trips: a form that reads into an address, and each line that goes there with its departures of the date.

use super::{trip_form::AskForm, voyage::ends};
use crate::{
    api,
    domain::{
        Locale,
        booking::{
            travel::{Trip, TripAsk, TripList},
            words::full_date,
        },
        catalog::Width,
        texts::booking_trip as t,
    },
    ui::{
        components::{
            head::Head,
            icon::Icon,
            links::product_href,
            picture::Picture,
            price::use_currency,
            skeleton::SkeletonText,
            travel::{Main, use_asked},
        },
        error::ErrorNotice,
        set_status, use_locale,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;

const PATH: &str = "/trips";
/// The id of the place where lines are shown.
const FOUND: &str = "trips";

#[component]
pub fn TripsPage() -> impl IntoView {
    let l = use_locale();
    let asked = use_asked(PATH, |query| TripAsk::parse(|name| query.get(name)));
    let list = Resource::new(
        move || asked.get(),
        |asked| async move {
            let TripAsk { date, from, to, travellers, .. } = asked;
            let date = date.map(|date| date.to_string());
            api::booking_trip::trips(date, from, to, travellers.adults, travellers.children, travellers.infants).await
        },
    );
    let form = move || {
        Suspend::new(async move {
            let TripList { places, today, date, .. } = list.await.ok()?;
            let asked = TripAsk { date: Some(date), ..asked.get_untracked() };
            let path = PATH.to_owned();
            Some(view! { <AskForm places asked today path found=FOUND label=t::SEARCH/> })
        })
    };
    let found = move || {
        Suspend::new(async move {
            match list.await {
                Ok(list) => view! { <Found list asked=asked.get_untracked()/> }.into_any(),
                Err(error) => {
                    set_status(error.status_code());
                    view! { <ErrorNotice error reload=true/> }.into_any()
                }
            }
        })
    };
    view! {
        <Title text=l.t(t::TRIPS)/>
        <Head path=PATH.to_owned() title=l.t(t::TRIPS).to_owned() description=l.t(t::TRIPS_TEXT).to_owned()/>
        <Main class="page container">
            <div class="page-head"><h1 class="page-title">{l.t(t::TRIPS)}</h1></div>
            <p class="muted">{l.t(t::TRIPS_TEXT)}</p>
            <Transition fallback=|| view! { <SkeletonText lines=3/> }>{form}</Transition>
            <div class="section-sm" id=FOUND tabindex="-1">
                <Transition fallback=|| view! { <SkeletonText lines=8/> }>{found}</Transition>
            </div>
            <p class="muted small">{l.t(t::CLOCKS)}</p>
        </Main>
    }
    .into_any()
}

#[component]
fn Found(list: TripList, asked: TripAsk) -> impl IntoView {
    let l = use_locale();
    let date = full_date(l, list.date);
    if asked.from.is_none() || asked.to.is_none() {
        return empty(l.t(t::ASK_TITLE).to_owned(), l.t(t::ASK_TEXT));
    }
    if list.trips.is_empty() {
        return empty(l.f(t::NO_TRIPS, &[("date", &date)]), l.t(t::NO_TRIPS_TEXT));
    }
    let count = i64::try_from(list.trips.len()).unwrap_or(i64::MAX);
    let asked = TripAsk { date: Some(list.date), there: None, home: None, ..asked };
    let card = |trip: Trip| card(l, trip, &asked);
    view! {
        <h2 class="section-title">{date}</h2>
        <p class="muted small" role="status">{l.n(t::FOUND_ONE, t::FOUND, count)}</p>
        <ul class="venues">{list.trips.into_iter().map(card).collect_view()}</ul>
    }
    .into_any()
}

/// A line with its departures, which leads to its page with everything filled in.
fn card(l: Locale, trip: Trip, asked: &TripAsk) -> AnyView {
    let currency = use_currency();
    let Trip { handle, title, brand, image, voyages } = trip;
    let href = asked.href(&product_href(&handle));
    let wanted = asked.travellers.seats();
    let fares = voyages.iter().flat_map(|voyage| &voyage.fares).filter(|fare| fare.left >= wanted);
    let price = match fares.map(|fare| fare.price).min() {
        Some(price) => l.f(t::FROM_PRICE, &[("amount", &price.display(currency))]),
        None => l.t(t::SOLD_OUT).to_owned(),
    };
    view! {
        <li class="venue">
            <Picture image class="venue-picture" thumb=Width::Card/>
            <div class="venue-body">
                <h3 class="venue-name"><a class="link" href=href>{title}</a></h3>
                {(!brand.is_empty()).then(|| view! { <p class="muted small">{brand}</p> })}
                <ul class="voyages">{voyages.iter().map(|voyage| view! { <li>{ends(l, voyage)}</li> }).collect_view()}</ul>
                <p class="strong num">{price}</p>
            </div>
        </li>
    }
    .into_any()
}

fn empty(title: String, text: &'static str) -> AnyView {
    view! {
        <div class="empty">
            <span class="empty-art"><Icon name="compass" class="icon-lg"/></span>
            <h2 class="empty-title">{title}</h2>
            <p class="empty-text">{text}</p>
        </div>
    }
    .into_any()
}
