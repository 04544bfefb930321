//! Places and days for the tests of this room: clocks that are changed by an hour, by half an hour and at midnight, a day
//! that never was, and zones that are no whole hours from UTC.

use super::{
    DAY_MS, MINUTE_MS,
    date::LocalDate,
    interval::Interval,
    schedule::{Day, Hours, Schedule},
    zone::{Change, Zone},
};
use proptest::prelude::*;
use std::{collections::BTreeMap, ops::Range};

/// The grid of all of them, in milliseconds.
pub const TICK: i64 = 5 * MINUTE_MS;

pub fn date(text: &str) -> LocalDate {
    match LocalDate::parse(text) {
        Some(date) => date,
        None => panic!("{text} is no date"),
    }
}

/// A moment by a clock that shows UTC.
pub fn utc(day: &str, minute: i64) -> i64 {
    date(day).day() * DAY_MS + minute * MINUTE_MS
}

/// A zone by its first offset and its changes, in minutes.
fn zone(name: &str, first: i64, changes: &[(&str, i64, i64)]) -> Zone {
    let changes =
        changes.iter().map(|(day, minute, offset)| Change { at: utc(day, *minute), offset: offset * MINUTE_MS });
    match Zone::new(name, first * MINUTE_MS, changes.collect()) {
        Some(zone) => zone,
        None => panic!("{name} cannot be"),
    }
}

pub fn berlin() -> Zone {
    zone("Europe/Berlin", 60, &[("2026-03-29", 60, 120), ("2026-10-25", 60, 60)])
}

pub fn new_york() -> Zone {
    zone("America/New_York", -300, &[("2026-03-08", 7 * 60, -240), ("2026-11-01", 6 * 60, -300)])
}

pub fn st_johns() -> Zone {
    zone("America/St_Johns", -210, &[("2026-03-08", 330, -150), ("2026-11-01", 270, -210)])
}

pub fn kathmandu() -> Zone {
    zone("Asia/Kathmandu", 345, &[])
}

pub fn shanghai() -> Zone {
    zone("Asia/Shanghai", 480, &[])
}

pub fn lord_howe() -> Zone {
    zone("Australia/Lord_Howe", 660, &[("2026-04-04", 15 * 60, 630), ("2026-10-03", 15 * 60 + 30, 660)])
}

pub fn beirut() -> Zone {
    zone("Asia/Beirut", 120, &[("2026-03-28", 22 * 60, 180), ("2026-10-24", 21 * 60, 120)])
}

pub fn apia() -> Zone {
    zone("Pacific/Apia", -600, &[("2011-12-30", 10 * 60, 840)])
}

pub fn zones() -> impl Strategy<Value = Zone> {
    prop::sample::select(vec![berlin(), new_york(), st_johns(), kathmandu(), shanghai(), lord_howe(), beirut(), apia()])
}

/// Days of 2026, often those around which clocks are changed somewhere.
pub fn days() -> impl Strategy<Value = LocalDate> {
    let changes = ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01", "2011-12-30"];
    let near = (prop::sample::select(changes.map(date).to_vec()), -2i64..=2).prop_map(|(day, by)| day.plus(by));
    prop_oneof![3 => near, 1 => (0i64..365).prop_map(|by| date("2026-01-01").plus(by))]
}

/// Hours on a grid of five minutes, sometimes over midnight.
fn hours() -> impl Strategy<Value = Hours> {
    (0i64..288, 1i64..=144).prop_filter_map("hours", |(from, length)| Hours::new(from * 5, (from + length) * 5))
}

fn day() -> impl Strategy<Value = Day> {
    (prop::collection::vec(hours(), 0..3), prop::collection::vec(hours(), 0..2))
        .prop_map(|(open, breaks)| Day { open, breaks })
}

/// A week, with exceptions on the days from `first` on.
pub fn schedules(first: LocalDate) -> impl Strategy<Value = Schedule> {
    (prop::array::uniform7(day()), prop::collection::vec(prop::option::weighted(0.2, day()), 5)).prop_map(
        move |(week, exceptions)| {
            let exceptions = (0..).zip(exceptions).filter_map(|(n, day)| Some((first.plus(n), day?)));
            Schedule { week, exceptions: exceptions.collect::<BTreeMap<_, _>>() }
        },
    )
}

/// Claims on somebody or something, none of which overlaps another: fewer than `most` drawn, each from so many ticks after
/// the midnight that `first` begins with, and so many ticks long.
pub fn claims(
    first: LocalDate,
    zone: Zone,
    (from, length): (Range<i64>, Range<i64>),
    most: usize,
) -> impl Strategy<Value = Vec<Interval>> {
    prop::collection::vec((from, length), 0..most).prop_map(move |drawn| {
        let midnight = zone.at(first, 0);
        let mut kept: Vec<Interval> = Vec::new();
        for (start, length) in drawn {
            let claim = Interval { start: midnight + start * TICK, end: midnight + (start + length) * TICK };
            if kept.iter().all(|other| !other.overlaps(claim)) {
                kept.push(claim);
            }
        }
        kept
    })
}
