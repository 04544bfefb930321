//! A month of a room type: the price of each night, and whether it can be had. A night on which somebody may arrive is a
//! link that asks for a stay from it on.

use super::lodging::short;
use crate::{
    domain::{
        Locale,
        booking::{
            date::LocalDate,
            lodging::{MonthNight, NightList, NightState},
            stay::Stay,
            words,
        },
        money::Currency,
        texts::booking_stay as t,
    },
    ui::{
        components::{icon::Icon, price::use_currency},
        use_locale,
    },
};
use leptos::prelude::*;

/// `href` is the address that asks for a stay from a date on, `month_href` that of the month of a date.
#[component]
pub fn Nights<H, M>(
    list: NightList,
    /// What the nights are of.
    room: String,
    /// The stay that is asked for now.
    stay: Option<Stay>,
    href: H,
    month_href: M,
) -> impl IntoView
where
    H: Fn(LocalDate) -> String,
    M: Fn(LocalDate) -> String,
{
    let (l, currency) = (use_locale(), use_currency());
    let Some(first) = list.nights.first().map(|night| night.date) else { return ().into_any() };
    let title = words::month(l, first);
    let link = |there: bool, date: LocalDate, icon: &'static str, rel: &'static str, text| {
        if !there {
            return view! { <span class="nights-end"></span> }.into_any();
        }
        view! {
            <a class="btn btn-icon btn-quiet" href=month_href(date) rel=rel data-noscroll="" aria-label=l.t(text)>
                <Icon name=icon/>
            </a>
        }
        .into_any()
    };
    let before = link(list.before, first.plus(-1), "chevron-left", "prev nofollow", t::MONTH_BEFORE);
    let after = link(list.after, first.plus(31), "chevron-right", "next nofollow", t::MONTH_AFTER);
    let heads = (0..7).map(|day| view! { <th scope="col">{words::weekday(l, day)}</th> }).collect_view();
    let cell = |night: Option<&MonthNight>| match night {
        None => view! { <td></td> }.into_any(),
        Some(night) => view! { <td>{night_view(l, currency, night, stay, &href)}</td> }.into_any(),
    };
    // Weeks begin on Monday; the days before the first and after the last are empty.
    let empty = first.weekday();
    let weeks = (empty + list.nights.len()).div_ceil(7);
    let week = |week: usize| {
        let place = |day: usize| (week * 7 + day).checked_sub(empty).and_then(|place| list.nights.get(place));
        let cells = (0..7).map(|day| cell(place(day))).collect_view();
        view! { <tr>{cells}</tr> }
    };
    let rows = (0..weeks).map(week).collect_view();
    view! {
        <div class="nights">
            <div class="nights-head">
                {before}
                <p class="nights-title" aria-live="polite">{title.clone()}</p>
                {after}
            </div>
            <table class="nights-table">
                <caption class="visually-hidden">{l.f(t::NIGHTS_OF, &[("room", &room), ("month", &title)])}</caption>
                <thead>
                    <tr>{heads}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            <p class="muted small">{l.f(t::NIGHTS_HINT, &[("room", &room)])}</p>
        </div>
    }
    .into_any()
}

fn night_view(
    l: Locale,
    currency: Currency,
    night: &MonthNight,
    stay: Option<Stay>,
    href: &impl Fn(LocalDate) -> String,
) -> AnyView {
    let (_, _, day) = night.date.civil();
    let price = night.price.map(|amount| short(amount, currency)).unwrap_or_default();
    let state = match night.state {
        NightState::Free => l.t(t::NIGHT_FREE).to_owned(),
        NightState::Few => l.n(t::NIGHT_FEW_ONE, t::NIGHT_FEW, night.left),
        NightState::NoArrival => l.t(t::NIGHT_NO_ARRIVAL).to_owned(),
        NightState::SoldOut => l.t(t::NIGHT_SOLD_OUT).to_owned(),
        NightState::Closed => l.t(t::NIGHT_CLOSED).to_owned(),
    };
    let least = (night.min_nights > 1).then(|| l.f(t::NIGHT_LEAST, &[("n", &night.min_nights)]));
    let hidden = [Some(words::full_date(l, night.date)), Some(price.clone()), Some(state.clone()), least];
    let hidden: Vec<_> = hidden.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    let hidden = hidden.join(l.t(t::LIST_COMMA));
    let arrives = stay.is_some_and(|stay| stay.arrival() == night.date);
    let within = stay.is_some_and(|stay| stay.arrival() <= night.date && night.date < stay.departure());
    let class = match night.state {
        _ if within => "night is-chosen",
        NightState::Free | NightState::Few => "night",
        NightState::NoArrival => "night is-through",
        NightState::SoldOut | NightState::Closed => "night is-gone",
    };
    let note = match night.state {
        NightState::Free | NightState::Few | NightState::NoArrival => price,
        NightState::SoldOut => l.t(t::NIGHT_FULL).to_owned(),
        NightState::Closed => String::new(),
    };
    let inside = view! {
        <span class="night-day" aria-hidden="true">{day}</span>
        <span class="night-price" aria-hidden="true">{note}</span>
        <span class="visually-hidden">{hidden}</span>
    };
    match night.state {
        NightState::Free | NightState::Few => {
            let current = arrives.then_some("date");
            view! {
                <a class=class href=href(night.date) rel="nofollow" data-noscroll="" aria-current=current>
                    {inside}
                </a>
            }
            .into_any()
        }
        _ => view! { <span class=class>{inside}</span> }.into_any(),
    }
}
