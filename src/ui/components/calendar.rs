//! A month to choose a day of: a table of links, so that it works without script. With it, arrow keys go from day to day.

use super::icon::Icon;
use crate::{
    domain::{
        booking::{date::LocalDate, month, words},
        texts::booking_visit as t,
    },
    ui::use_locale,
};
use leptos::{ev, prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};

/// A day of the month that says something.
#[derive(Clone, Debug)]
pub struct CalendarDay {
    pub date: LocalDate,
    /// Where choosing it leads; `None` where there is nothing to choose.
    pub href: Option<Signal<String>>,
    /// What stands below its number, in a few characters; empty for nothing.
    pub note: String,
    /// How it stands, in words, for those who do not see it.
    pub words: String,
}

/// A month of days. Those that are not among `days` cannot be chosen, and nothing is said of them.
#[component]
pub fn Calendar(
    /// A day of the month.
    month: LocalDate,
    days: Vec<CalendarDay>,
    /// The day that is chosen.
    chosen: Option<LocalDate>,
    /// The day it is there.
    today: LocalDate,
    /// Where the month before and the one after are, if anywhere.
    before: Option<Signal<String>>,
    after: Option<Signal<String>>,
) -> impl IntoView {
    let l = use_locale();
    let heads = (0..7).map(|place| view! { <th scope="col">{words::weekday(l, place)}</th> }).collect_view();
    let blank = month::first(month).weekday();
    let mut cells: Vec<Option<LocalDate>> = vec![None; blank];
    cells.extend(month::days(month).map(Some));
    let week = |week: &[Option<LocalDate>]| {
        let cell = |date: &Option<LocalDate>| {
            let date = *date;
            let day = date.and_then(|date| days.iter().find(|day| day.date == date).cloned());
            let (is_chosen, is_today) = (date.is_some() && date == chosen, date == Some(today));
            view! { <Cell date day chosen=is_chosen today=is_today/> }
        };
        let missing = 7 - week.len();
        view! {
            <tr>
                {week.iter().map(cell).collect_view()}
                {(missing > 0).then(|| view! { <td colspan=missing.to_string()></td> })}
            </tr>
        }
    };
    let weeks = cells.chunks(7).map(week).collect_view();
    view! {
        <div class="calendar">
            <div class="calendar-head">
                <Turn href=before icon="chevron-left" label=l.t(t::MONTH_BEFORE)/>
                <p class="calendar-title" id="calendar-title" aria-live="polite">{words::month(l, month)}</p>
                <Turn href=after icon="chevron-right" label=l.t(t::MONTH_AFTER)/>
            </div>
            <table class="calendar-days" aria-labelledby="calendar-title" on:keydown=by_keyboard>
                <thead><tr>{heads}</tr></thead>
                <tbody>{weeks}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// To another month.
#[component]
fn Turn(href: Option<Signal<String>>, icon: &'static str, label: &'static str) -> impl IntoView {
    match href {
        Some(href) => view! {
            <a class="btn btn-icon btn-quiet" href=href aria-label=label rel="nofollow" data-noscroll="" prop:replace=true>
                <Icon name=icon/>
            </a>
        }
        .into_any(),
        None => view! { <span class="calendar-end" aria-hidden="true"></span> }.into_any(),
    }
}

#[component]
fn Cell(date: Option<LocalDate>, day: Option<CalendarDay>, chosen: bool, today: bool) -> impl IntoView {
    let l = use_locale();
    let Some(date) = date else { return view! { <td></td> }.into_any() };
    let (.., number) = date.civil();
    let name = match today {
        true => format!("{}, {}", words::date(l, date), l.t(t::TODAY)),
        false => words::date(l, date),
    };
    let CalendarDay { href, note, words, .. } =
        day.unwrap_or_else(|| CalendarDay { date, href: None, note: String::new(), words: String::new() });
    let face = view! {
        <span class="calendar-number" class:is-today=today aria-hidden="true">{number}</span>
        <span class="calendar-note" aria-hidden="true">{note}</span>
    };
    let label = if words.is_empty() { name } else { format!("{name}, {words}") };
    match href {
        Some(href) => view! {
            <td>
                <a
                    class="calendar-day"
                    href=href
                    data-day=date.day().to_string()
                    aria-label=label
                    aria-current=chosen.then_some("date")
                    rel="nofollow"
                    data-noscroll=""
                    prop:replace=true
                >
                    {face}
                </a>
            </td>
        }
        .into_any(),
        None => view! {
            <td>
                <span class="calendar-day is-closed">
                    {face}
                    <span class="visually-hidden">{label}</span>
                </span>
            </td>
        }
        .into_any(),
    }
}

/// Arrows move the focus to the next day that can be chosen: by days, or by weeks.
fn by_keyboard(event: ev::KeyboardEvent) {
    let step: i64 = match event.key().as_str() {
        "ArrowLeft" => -1,
        "ArrowRight" => 1,
        "ArrowUp" => -7,
        "ArrowDown" => 7,
        _ => return,
    };
    let present = document().active_element().and_then(|element| element.get_attribute("data-day"));
    let Some(present) = present.and_then(|day| day.parse::<i64>().ok()) else { return };
    event.prevent_default();
    // No month has more days than this.
    let next = (1..=31).find_map(|times| {
        let selector = format!(".calendar-days a[data-day=\"{}\"]", present + step * times);
        document().query_selector(&selector).ok().flatten()
    });
    if let Some(next) = next.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = next.focus();
    }
}
