//! Times of a day to choose from, by part of day and by the clocks of their place; where the reader's clock shows
//! another time, that stands beside it once the client has taken the page over, because the server cannot know it.

use crate::{
    domain::{
        booking::{DAY_MS, MINUTE_MS, date::LocalDate, words, zone::Zone},
        locale::Text,
        texts::booking_visit as t,
    },
    ui::use_locale,
};
use leptos::prelude::*;

/// A time that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotTime {
    /// UTC milliseconds.
    pub start: i64,
    /// What its button sends.
    pub value: String,
    /// What stands beside it; empty for nothing.
    pub note: String,
}

/// The parts of a day and the minute at which each is over.
const PARTS: [(Text, i64); 3] = [(t::MORNING, 12 * 60), (t::AFTERNOON, 18 * 60), (t::EVENING, i64::MAX)];

/// Buttons of the form around it. Its name and the value of the one that is pressed are sent.
#[component]
pub fn SlotList(
    zone: Zone,
    times: Vec<SlotTime>,
    /// Of the buttons.
    name: &'static str,
    /// The value that is on its way to the server.
    #[prop(into)]
    sent: Signal<Option<String>>,
) -> impl IntoView {
    let l = use_locale();
    let alive = use_alive();
    let minute = |time: &SlotTime| zone.local(time.start).minute;
    let mut from = 0;
    let parts = PARTS.map(|(part, until)| {
        let here = times.iter().filter(|time| (from..until).contains(&minute(time)));
        let buttons = here.cloned().map(|time| view! { <SlotButton zone=zone.clone() time name sent alive/> });
        let buttons: Vec<_> = buttons.collect();
        from = until;
        (!buttons.is_empty()).then(|| {
            view! {
                <section class="slot-part">
                    <h4 class="slot-title">{l.t(part)}</h4>
                    <ul class="slots">{buttons}</ul>
                </section>
            }
        })
    });
    view! { <div class="slot-parts">{parts.into_iter().collect_view()}</div> }.into_any()
}

#[component]
fn SlotButton(
    zone: Zone,
    time: SlotTime,
    name: &'static str,
    sent: Signal<Option<String>>,
    alive: RwSignal<bool>,
) -> impl IntoView {
    let SlotTime { start, value, note } = time;
    let local = zone.local(start);
    let mine = value.clone();
    let busy = move || sent.with(|sent| sent.as_ref() == Some(&mine)).then_some("true");
    view! {
        <li>
            <button class="slot" type="submit" name=name value=value aria-busy=busy>
                <time datetime=local.to_string()>{local.clock()}</time>
                {(!note.is_empty()).then(|| view! { <span class="slot-note">{note}</span> })}
                <OwnTime zone moment=start alive/>
            </button>
        </li>
    }
    .into_any()
}

/// Whether the client has taken the page over: before that nothing is known of the reader's clock.
pub fn use_alive() -> RwSignal<bool> {
    let alive = RwSignal::new(false);
    Effect::new(move |_| alive.set(true));
    alive
}

/// What the reader's clock shows at a moment, beside the time of a place where that is another one.
#[component]
pub fn OwnTime(
    zone: Zone,
    /// UTC milliseconds.
    moment: i64,
    alive: RwSignal<bool>,
) -> impl IntoView {
    let l = use_locale();
    move || {
        let text = alive.get().then(|| own_clock(&zone, moment, |date| words::date(l, date))).flatten();
        text.map(|text| view! { <span class="slot-own">{l.f(t::YOUR_TIME, &[("time", &text)])}</span> })
    }
}

/// What the reader's clock shows at a moment where that is another time than in a zone: `13:00`, or with the date where
/// that is another one too. Nothing before the client has taken the page over.
fn own_clock(zone: &Zone, moment: i64, date: impl Fn(LocalDate) -> String) -> Option<String> {
    beside(zone, moment, browser_offset(moment)?, date)
}

/// The same, for a clock that is before UTC by so many milliseconds.
fn beside(zone: &Zone, moment: i64, offset: i64, date: impl Fn(LocalDate) -> String) -> Option<String> {
    if zone.offset(moment) == offset {
        return None;
    }
    let local = moment.saturating_add(offset);
    let (day, minute) = (LocalDate::from_day(local.div_euclid(DAY_MS)), local.rem_euclid(DAY_MS) / MINUTE_MS);
    let clock = format!("{:02}:{:02}", minute / 60, minute % 60);
    Some(if zone.local(moment).date == day { clock } else { format!("{} {clock}", date(day)) })
}

/// By how many milliseconds the reader's clock is before UTC at a moment.
#[cfg(feature = "hydrate")]
fn browser_offset(moment: i64) -> Option<i64> {
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(moment as f64));
    Some(-(date.get_timezone_offset() as i64) * MINUTE_MS)
}

/// By how many milliseconds the reader's clock is before UTC at a moment.
#[cfg(not(feature = "hydrate"))]
fn browser_offset(_moment: i64) -> Option<i64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::HOUR_MS;

    #[test]
    fn the_own_clock_stands_beside_only_where_it_shows_something_else() {
        let Some(zone) = Zone::new("Asia/Shanghai", 8 * HOUR_MS, vec![]) else { panic!("a zone") };
        // 2026-12-24 14:00 there.
        let moment = LocalDate::parse("2026-12-24").map_or(0, LocalDate::day) * DAY_MS + 6 * HOUR_MS;
        let told = |hours: i64| beside(&zone, moment, hours * HOUR_MS, |date| date.to_string());
        assert_eq!(told(8), None);
        assert_eq!(told(1).as_deref(), Some("07:00"));
        assert_eq!(told(-8).as_deref(), Some("2026-12-23 22:00"));
    }
}
