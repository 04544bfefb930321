//! Restaurants with a free table: a form that reads into an address, and each restaurant with its times around the wanted
//! one, which lead to its page with everything filled in.

use super::ask::{ChoiceField, DateField, TimeField, use_asking};
use crate::{
    api,
    domain::{
        Locale,
        booking::{
            seating::{Restaurant, RestaurantList, TableAsk, TableTime},
            words::full_date,
            zone::clock,
        },
        catalog::Width,
        texts::{booking as words, booking_table as t},
    },
    ui::{
        components::{
            head::Head,
            icon::Icon,
            links::product_href,
            picture::Picture,
            skeleton::SkeletonText,
            slot_list::{OwnTime, use_alive},
            stars::Mean,
            travel::{Main, use_asked},
        },
        error::ErrorNotice,
        set_status, use_locale,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;

const PATH: &str = "/tables";
/// The id of the place where restaurants are shown.
const FOUND: &str = "restaurants";
/// The largest party that the form offers; a restaurant may take larger ones.
const OFFERED_GUESTS: i64 = 20;

#[component]
pub fn TablesPage() -> impl IntoView {
    let l = use_locale();
    let asked = use_asked(PATH, |query| TableAsk::parse(|name| query.get(name)));
    let list = Resource::new(
        move || asked.get(),
        |asked| async move {
            let TableAsk { date, guests, time, place, .. } = asked;
            api::booking_table::restaurants(guests, date.map(|date| date.to_string()), time.map(clock), place).await
        },
    );
    let form = move || {
        Suspend::new(async move {
            let list = list.await.ok()?;
            Some(view! { <AskForm list asked=asked.get_untracked()/> })
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
        <Title text=l.t(t::RESTAURANTS)/>
        <Head path=PATH.to_owned() title=l.t(t::RESTAURANTS).to_owned() description=l.t(t::RESTAURANTS_TEXT).to_owned()/>
        <Main class="page container">
            <div class="page-head"><h1 class="page-title">{l.t(t::RESTAURANTS)}</h1></div>
            <p class="muted">{l.t(t::RESTAURANTS_TEXT)}</p>
            <Transition fallback=|| view! { <SkeletonText lines=3/> }>{form}</Transition>
            <div class="section-sm" id=FOUND tabindex="-1">
                <Transition fallback=|| view! { <SkeletonText lines=8/> }>{found}</Transition>
            </div>
        </Main>
    }
    .into_any()
}

#[component]
fn AskForm(list: RestaurantList, asked: TableAsk) -> impl IntoView {
    let l = use_locale();
    let follow = use_asking(PATH.to_owned(), FOUND);
    let count = |n: i64| (n.to_string(), l.n(words::GUESTS_ONE, words::GUESTS, n));
    let guests = (1..=OFFERED_GUESTS).map(count).collect::<Vec<_>>();
    let all = (String::new(), l.t(t::ALL_PLACES).to_owned());
    let places = std::iter::once(all).chain(list.places).collect::<Vec<_>>();
    let (place, party) = (asked.place.unwrap_or_default(), asked.guests.min(OFFERED_GUESTS).to_string());
    let (date, time) = (list.date.to_string(), asked.time.map(clock).unwrap_or_default());
    view! {
        <form class="form booking-form" action=PATH method="get" on:submit=follow>
            <div class="form-row form-row-2">
                <ChoiceField id="booking-place" name="place" label=t::PLACE chosen=place options=places required=false/>
                <ChoiceField id="booking-guests" name="guests" label=t::GUESTS chosen=party options=guests required=false/>
            </div>
            <div class="form-row form-row-2">
                <DateField id="booking-date" name="date" label=t::DATE value=date first=list.today last=None required=true/>
                <TimeField value=time/>
            </div>
            <button class="btn btn-primary" type="submit">{l.t(t::SEARCH)}</button>
        </form>
    }
    .into_any()
}

#[component]
fn Found(list: RestaurantList, asked: TableAsk) -> impl IntoView {
    let l = use_locale();
    if list.restaurants.is_empty() {
        return view! {
            <div class="empty">
                <span class="empty-art"><Icon name="store" class="icon-lg"/></span>
                <h2 class="empty-title">{l.t(t::NO_RESTAURANTS)}</h2>
                <p class="empty-text">{l.t(t::NO_RESTAURANTS_TEXT)}</p>
                <div class="empty-actions"><a class="btn btn-primary" href=PATH>{l.t(t::ALL_PLACES)}</a></div>
            </div>
        }
        .into_any();
    }
    let count = i64::try_from(list.restaurants.len()).unwrap_or(i64::MAX);
    let asked = TableAsk { date: Some(list.date), place: None, area: None, ..asked };
    let alive = use_alive();
    let card = |restaurant: Restaurant| card(l, restaurant, &asked, alive);
    view! {
        <h2 class="section-title">{full_date(l, list.date)}</h2>
        <p class="muted small" role="status">{l.n(t::RESTAURANTS_FOUND_ONE, t::RESTAURANTS_FOUND, count)}</p>
        <ul class="venues">{list.restaurants.into_iter().map(card).collect_view()}</ul>
    }
    .into_any()
}

/// A restaurant with its times around the wanted one.
fn card(l: Locale, restaurant: Restaurant, asked: &TableAsk, alive: RwSignal<bool>) -> AnyView {
    let Restaurant { handle, title, lead, image, rating, city, address, zone, times } = restaurant;
    let path = product_href(&handle);
    let time = |time: &TableTime| {
        let local = zone.local(time.start);
        let href = TableAsk { date: Some(local.date), time: Some(local.minute), ..asked.clone() }.href(&path);
        view! {
            <li>
                <a class="btn btn-secondary sitting" href=href>
                    <time datetime=local.to_string()>{local.clock()}</time>
                    <OwnTime zone=zone.clone() moment=time.start alive/>
                </a>
            </li>
        }
    };
    let free = if times.is_empty() {
        view! { <p class="muted small">{l.t(t::NO_TIMES)}</p> }.into_any()
    } else {
        let label = l.f(t::TIMES_OF, &[("title", &title)]);
        view! { <ul class="sittings" aria-label=label>{times.iter().map(time).collect_view()}</ul> }.into_any()
    };
    view! {
        <li class="venue">
            <Picture image class="venue-picture" thumb=Width::Card/>
            <div class="venue-body">
                <h3 class="venue-name"><a class="link" href=asked.href(&path)>{title}</a></h3>
                {(!rating.is_none()).then(|| view! { <p class="product-rating"><Mean rating/></p> })}
                {(!lead.is_empty()).then(|| view! { <p class="small">{lead}</p> })}
                <p class="muted small">{city} " · " {address}</p>
                {free}
            </div>
        </li>
    }
    .into_any()
}
