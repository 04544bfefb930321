//! What pages that ask for a date have in common: a form that reads into an address, which works without script and with
//! script is followed within the page, and the way to the days around.

use crate::{
    domain::{
        Locale,
        booking::{HOUR_MS, MINUTE_MS, date::LocalDate, words::full_date},
        locale::Text,
        texts::booking_table as t,
    },
    ui::{
        components::{field::focus, icon::Icon, typed::taking_over},
        use_locale,
    },
};
use leptos::{ev, form::form_data_from_event, html, prelude::*, web_sys::UrlSearchParams};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use std::ops::RangeInclusive;

/// What follows a form that reads into an address, within the page and where the reader is; afterwards the focus goes to
/// what was found, by the id of that place.
pub fn use_asking(path: String, found: &'static str) -> impl Fn(ev::SubmitEvent) + Clone + Send + Sync + 'static {
    let navigate = use_navigate();
    move |event: ev::SubmitEvent| {
        // The browser follows by itself what cannot be read.
        let Some(query) = form_query(&event) else { return };
        event.prevent_default();
        let options = NavigateOptions { scroll: false, ..NavigateOptions::default() };
        navigate(&format!("{path}?{query}"), options);
        request_animation_frame(move || {
            focus(found);
        });
    }
}

/// What a form would put behind the question mark of its address.
fn form_query(event: &ev::SubmitEvent) -> Option<String> {
    let data = form_data_from_event(event).ok()?;
    let params = UrlSearchParams::new_with_str_sequence_sequence(&data).ok()?;
    params.to_string().as_string()
}

/// A date to choose, from `first` on and where there is one up to `last`.
#[component]
pub fn DateField(
    id: &'static str,
    name: &'static str,
    label: Text,
    value: String,
    first: LocalDate,
    last: Option<LocalDate>,
    required: bool,
) -> impl IntoView {
    let l = use_locale();
    let field = NodeRef::<html::Input>::new();
    show_input(field, value.clone());
    view! {
        <div class="field">
            <label class="field-label" for=id>{l.t(label)}</label>
            <input
                class="input"
                type="date"
                id=id
                name=name
                value=value
                min=first.to_string()
                max=last.map(|last| last.to_string())
                required=required
                node_ref=field
            />
        </div>
    }
    .into_any()
}

/// A time of the day, which can be left open.
#[component]
pub fn TimeField(value: String) -> impl IntoView {
    let l = use_locale();
    let field = NodeRef::<html::Input>::new();
    show_input(field, value.clone());
    view! {
        <div class="field">
            <label class="field-label" for="booking-time">
                {l.t(t::TIME)} " " <span class="field-optional">{l.t(t::ANY_TIME)}</span>
            </label>
            <input class="input" type="time" id="booking-time" name="time" value=value node_ref=field/>
        </div>
    }
    .into_any()
}

/// A choice among some values, each with its words.
#[component]
pub fn ChoiceField(
    id: &'static str,
    name: &'static str,
    label: Text,
    chosen: String,
    options: Vec<(String, String)>,
    required: bool,
) -> impl IntoView {
    let l = use_locale();
    let field = NodeRef::<html::Select>::new();
    show_select(field, chosen.clone());
    let option = |(value, words): (String, String)| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{words}</option> }
    };
    view! {
        <div class="field">
            <label class="field-label" for=id>{l.t(label)}</label>
            <select class="select" id=id name=name required=required node_ref=field>
                {options.into_iter().map(option).collect_view()}
            </select>
        </div>
    }
    .into_any()
}

/// Shows a value in a field that stays when its part of the page is drawn anew; what was typed before the page came alive
/// stays as well.
fn show_input(field: NodeRef<html::Input>, value: String) {
    let early = taking_over();
    Effect::new(move |_| {
        if let (false, Some(field)) = (early, field.get()) {
            field.set_value(&value);
        }
    });
}

/// The same for a choice.
fn show_select(field: NodeRef<html::Select>, value: String) {
    let early = taking_over();
    Effect::new(move |_| {
        if let (false, Some(field)) = (early, field.get()) {
            field.set_value(&value);
        }
    });
}

/// The days before and after a date, as far as they can be booked; `href` is the address that asks for a day.
pub fn days_around(
    l: Locale,
    date: LocalDate,
    bookable: RangeInclusive<LocalDate>,
    label: Text,
    href: impl Fn(LocalDate) -> String,
) -> AnyView {
    let link = |by: i64, icon: &'static str| {
        let date = date.plus(by);
        bookable.contains(&date).then(|| {
            view! {
                <a class="btn btn-quiet" href=href(date) data-noscroll=""><Icon name=icon class="icon-sm"/>{full_date(l, date)}</a>
            }
        })
    };
    view! { <nav class="spread booking-days" aria-label=l.t(label)>{link(-1, "chevron-left")} {link(1, "chevron-right")}</nav> }
        .into_any()
}

/// How long something takes, in milliseconds: `2 小时 30 分钟`, `2 hours 30 minutes`.
pub fn duration_words(l: Locale, ms: i64) -> String {
    let (hours, minutes) = (ms / HOUR_MS, ms % HOUR_MS / MINUTE_MS);
    let mut parts = Vec::new();
    if hours > 0 {
        parts.push(l.n(t::DURATION_H_ONE, t::DURATION_H, hours));
    }
    if minutes > 0 || hours == 0 {
        parts.push(l.f(t::DURATION_M, &[("n", &minutes)]));
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_as_people_say_them() {
        assert_eq!(duration_words(Locale::En, HOUR_MS), "1 hour");
        assert_eq!(duration_words(Locale::En, 150 * MINUTE_MS), "2 hours 30 minutes");
        assert_eq!(duration_words(Locale::ZhCn, 45 * MINUTE_MS), "45 分钟");
    }
}
