//! A departure as a card: both ends by their own clocks, how long it takes, and its fares with what is left of each.

use super::{ask::duration_words, wait::WaitForm};
use crate::{
    domain::{
        Locale,
        booking::{
            travel::{FareOffer, Pick, Voyage},
            trips::Travellers,
            wish::Wish,
            zone::LocalTime,
        },
        money::{Amount, Currency},
        texts::booking_trip as t,
    },
    ui::{
        components::price::{Price, use_currency},
        use_locale,
    },
};
use leptos::prelude::*;

/// With fewer seats than these it is said how many are left.
const FEW: i64 = 10;

/// The fare that was picked of a departure.
pub fn fare_of<'a>(voyage: &'a Voyage, pick: &Pick) -> Option<&'a FareOffer> {
    voyage.fares.iter().find(|fare| voyage.id == pick.departure_id && fare.variant_id == pick.variant_id)
}

/// With `href` each fare that so many travellers can have is a link to what follows when it is picked; with `pick` that one
/// alone is shown.
#[component]
pub fn VoyageCard(
    voyage: Voyage,
    wanted: i64,
    #[prop(optional)] pick: Option<Pick>,
    #[prop(optional)] href: Option<Callback<Pick, String>>,
    /// Who travels and the address of the page, where what is sold out can be waited for. Where seats are chosen it
    /// cannot: a wish names them, and nobody waits for these two alone.
    #[prop(optional)]
    wait: Option<(Travellers, String)>,
) -> impl IntoView {
    let (l, currency) = (use_locale(), use_currency());
    let ends = ends(l, &voyage);
    let picked = pick.as_ref().map(|pick| pick.variant_id.clone());
    let (id, section) = (voyage.id, voyage.section);
    let wait = wait.filter(|_| !voyage.seats_chosen);
    let shown = voyage.fares.into_iter().filter(|fare| picked.as_ref().is_none_or(|picked| fare.variant_id == *picked));
    let fare = |fare: FareOffer| {
        let enough = fare.left >= wanted;
        let name = if fare.name.is_empty() { l.t(t::STANDARD).to_owned() } else { fare.name.clone() };
        let rules = rules(l, currency, &fare);
        let left = match fare.left {
            ..=0 => Some(l.t(t::SOLD_OUT).to_owned()),
            n @ 1..FEW => Some(l.n(t::LEFT_ONE, t::LEFT, n)),
            _ => None,
        };
        let choose = href.filter(|_| enough).map(|href| {
            let to = href.run(Pick { departure_id: id.clone(), variant_id: fare.variant_id.clone() });
            view! {
                <a class="btn btn-secondary" href=to data-noscroll="">
                    {l.t(t::CHOOSE)} " " <span class="visually-hidden">{name.clone()}</span>
                </a>
            }
        });
        let wait = wait.as_ref().filter(|_| !enough).map(|(travellers, back)| {
            let (departure_id, travellers) = (id.clone(), *travellers);
            let wish = Wish::Trip { departure_id, section, travellers, seats: Vec::new() };
            let (variant_id, back, what) = (fare.variant_id.clone(), back.clone(), name.clone());
            view! { <WaitForm variant_id wish back what short=true/> }
        });
        let chosen = picked.as_ref().map(|_| view! { <span class="badge badge-ok">{l.t(t::CHOSEN)}</span> });
        view! {
            <li class="fare">
                <div class="fare-words">
                    <p class="strong">{name}</p>
                    <p class="muted small">{rules}</p>
                </div>
                <div class="fare-price">
                    <Price amount=fare.price/>
                    {left.map(|left| view! { <p class="small">{left}</p> })}
                </div>
                {choose}
                {wait}
                {chosen}
            </li>
        }
    };
    view! {
        <li class="voyage">
            {ends}
            <ul class="fares">{shown.map(fare).collect_view()}</ul>
        </li>
    }
    .into_any()
}

/// When it leaves and arrives, each by the clock there.
pub fn ends(l: Locale, voyage: &Voyage) -> AnyView {
    let clock =
        |local: LocalTime| view! { <time class="voyage-clock" datetime=local.to_string()>{local.clock()}</time> };
    let later = (voyage.days_later != 0).then(|| {
        let sign = if voyage.days_later > 0 {
            l.f(t::PLUS_DAYS, &[("n", &voyage.days_later)])
        } else {
            // Over the date line.
            voyage.days_later.to_string()
        };
        let hint = l.n(t::PLUS_DAYS_HINT_ONE, t::PLUS_DAYS_HINT, voyage.days_later);
        view! { <sup aria-hidden="true">{sign}</sup><span class="visually-hidden">{hint}</span> }
    });
    // Where clocks differ, it is said by how much.
    let differ = voyage.from.local.offset_minutes != voyage.to.local.offset_minutes;
    let offset = |local: LocalTime| differ.then(|| view! { <span class="muted small">"UTC" {local.offset()}</span> });
    let stops = match voyage.via.as_slice() {
        [] => l.t(t::DIRECT).to_owned(),
        via => l.f(t::VIA, &[("places", &via.join(", "))]),
    };
    let lasting = l.f(t::LASTING, &[("time", &duration_words(l, voyage.duration_ms))]);
    view! {
        <div class="voyage-ends">
            <div>
                {clock(voyage.from.local)} " " {offset(voyage.from.local)}
                <p>{voyage.from.place.clone()}</p>
            </div>
            <p class="muted small center">{lasting} " · " {stops}</p>
            <div>
                {clock(voyage.to.local)} {later} " " {offset(voyage.to.local)}
                <p>{voyage.to.place.clone()}</p>
            </div>
        </div>
    }
    .into_any()
}

/// What may be taken along, and what it costs to cancel or to move it.
fn rules(l: Locale, currency: Currency, fare: &FareOffer) -> String {
    let mut parts = Vec::new();
    if fare.cabin_bags > 0 {
        parts.push(l.n(t::CABIN_ONE, t::CABIN, fare.cabin_bags));
    }
    parts.push(match fare.checked_grams {
        ..=0 => l.t(t::NO_CHECKED).to_owned(),
        grams => l.f(t::CHECKED, &[("kg", &(grams / 1_000))]),
    });
    parts.push(match fare.free_until {
        Some(until) => l.f(t::FREE_UNTIL, &[("time", &format!("{} {}", until.date, until.clock()))]),
        None => l.t(t::NO_FREE).to_owned(),
    });
    parts.push(match fare.change_fee {
        Some(fee) if fee > Amount::ZERO => l.f(t::CHANGE_FEE, &[("amount", &fee.display(currency))]),
        Some(_) => l.t(t::CHANGE_FREE).to_owned(),
        None => l.t(t::NO_CHANGE).to_owned(),
    });
    parts.join(" · ")
}
