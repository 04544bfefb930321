//! What forms that ask for a date have in common: they read into an address, which works without script, and with script is
//! followed within the page.

use crate::{
    domain::{
        Locale,
        booking::{HOUR_MS, MINUTE_MS, date::LocalDate, words::full_date},
        locale::Text,
        texts::booking_table as t,
    },
    ui::components::{field::focus, icon::Icon, typed::taking_over},
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

/// Shows a value in a field that stays when its part of the page is drawn anew; what was typed before the page came alive
/// stays as well.
pub fn show_input(field: NodeRef<html::Input>, value: String) {
    let early = taking_over();
    Effect::new(move |_| {
        if let (false, Some(field)) = (early, field.get()) {
            field.set_value(&value);
        }
    });
}

/// The same for a choice.
pub fn show_select(field: NodeRef<html::Select>, value: String) {
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
