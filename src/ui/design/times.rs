//! Days of a month, times of a day, and when a booking is.

use super::samples::MOMENT;
use crate::{
    domain::{
        booking::{HOUR_MS, date::LocalDate, month, words, zone::Zone},
        order::BookingState,
    },
    ui::{
        components::{
            booked::Booked,
            calendar::{Calendar, CalendarDay},
            slot_list::{SlotList, SlotTime},
        },
        use_locale,
    },
};
use leptos::prelude::*;

/// Clocks of the shop's place, which are never changed.
fn clocks() -> Zone {
    Zone::new("Asia/Shanghai", 8 * HOUR_MS, Vec::new()).unwrap_or_else(Zone::utc)
}

pub fn times() -> AnyView {
    let zone = clocks();
    let today = zone.local(MOMENT).date;
    // Every third day has nothing to choose.
    let day = |date: LocalDate| {
        let free = today <= date && date.day() % 3 != 0;
        let count = date.day() % 7 + 1;
        CalendarDay {
            date,
            href: free.then(|| Signal::stored("#times".to_owned())),
            note: if free { count.to_string() } else { String::new() },
            words: if free { count.to_string() } else { String::new() },
        }
    };
    let days: Vec<_> = month::days(today).map(day).collect();
    let chosen = days.iter().find(|day| day.href.is_some()).map(|day| day.date);
    let start = zone.at(today, 9 * 60);
    let time = |hour: i64| SlotTime { start: start + hour * HOUR_MS, value: String::new(), note: String::new() };
    let times = vec![time(0), time(1), SlotTime { note: "Li".into(), ..time(5) }, time(11)];
    let (month, begins, until) = (today, start + 5 * HOUR_MS, start);
    view! {
        <div class="panel">
            <Calendar month days chosen today before=None after={Some(Signal::stored("#times".to_owned()))}/>
        </div>
        <form class="panel" action="#times">
            <h3 class="panel-title">{words::date(use_locale(), today)}</h3>
            <SlotList zone=zone.clone() times name="wish" sent=Signal::stored(None::<String>)/>
        </form>
        <div class="panel stack">
            <div><Booked clocks=zone.clone() start=begins end=begins + HOUR_MS free_until=until/></div>
            <div><Booked clocks=zone start=begins end=begins + 20 * HOUR_MS free_until=begins state=BookingState::Done/></div>
        </div>
    }
    .into_any()
}
