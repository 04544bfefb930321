//! The clocks of a place: between moments (UTC milliseconds) and what a clock on the wall shows there.
//!
//! A [`Zone`] is a short list of the moments at which clocks are changed. The server makes it of the IANA database for the
//! years that matter; the browser gets it along with a page and needs no database of its own.
//!
//! Clocks that are changed leave times out and show others twice. One rule answers both: a wall time stands for **the
//! first moment at which the clock there shows that time or a later one**. So a time that is left out is the moment of the
//! change, and a time that comes twice is its first coming. Later wall times are never earlier moments, and opening hours
//! that span a change keep their beginning before their end.

use super::{DAY_MS, MINUTE_MS, date::LocalDate, interval::Interval};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Further from UTC than any clock in the IANA database.
const FURTHEST_MS: i64 = 26 * 60 * MINUTE_MS;

/// A moment at which clocks are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// UTC milliseconds.
    pub at: i64,
    /// By how many milliseconds clocks are before UTC from then on; negative west of Greenwich.
    pub offset: i64,
}

/// The clocks of a place over some years; before and after those the first and the last offset go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    name: String,
    /// The offset before the first change.
    first: i64,
    /// In order of time.
    changes: Vec<Change>,
}

/// What clocks and calendars show at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalTime {
    pub date: LocalDate,
    /// The minute of the day by the clock.
    pub minute: i64,
    /// How many minutes the clock is before UTC.
    pub offset_minutes: i64,
}

impl Zone {
    /// `None` where an offset is more than any clock has, or the changes are not in order.
    ///
    /// `first` is the offset in milliseconds before the first change.
    pub fn new(name: &str, first: i64, changes: Vec<Change>) -> Option<Self> {
        let possible = |offset: i64| (-FURTHEST_MS < offset) && (offset < FURTHEST_MS);
        let fits = possible(first) && changes.iter().all(|change| possible(change.offset));
        let sorted = changes.iter().zip(changes.iter().skip(1)).all(|(a, b)| a.at < b.at);
        (fits && sorted).then(|| Self { name: name.to_owned(), first, changes })
    }

    /// Universal time, for where a place is not known.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), first: 0, changes: Vec::new() }
    }

    /// The IANA name, as `Asia/Shanghai`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The moments at which clocks are changed, in order of time.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// By how many milliseconds clocks are before UTC at a moment.
    pub fn offset(&self, moment: i64) -> i64 {
        self.offset_before(self.changes.partition_point(|change| change.at <= moment))
    }

    /// The offset before the change with this index.
    fn offset_before(&self, index: usize) -> i64 {
        let last = index.checked_sub(1).and_then(|index| self.changes.get(index));
        last.map_or(self.first, |change| change.offset)
    }

    /// What clocks show at a moment.
    pub fn local(&self, moment: i64) -> LocalTime {
        let offset = self.offset(moment);
        let local = moment.saturating_add(offset);
        LocalTime {
            date: LocalDate::from_day(local.div_euclid(DAY_MS)),
            minute: local.rem_euclid(DAY_MS) / MINUTE_MS,
            offset_minutes: offset.div_euclid(MINUTE_MS),
        }
    }

    /// The first moment at which clocks show this time or a later one. Minutes from 1440 on are of the following days.
    pub fn at(&self, date: LocalDate, minute: i64) -> i64 {
        let local = (date.day() * DAY_MS).saturating_add(minute.saturating_mul(MINUTE_MS));
        // Whatever the offset was, at changes before this one clocks did not show the time yet.
        let near = self.changes.partition_point(|change| change.at <= local.saturating_sub(FURTHEST_MS));
        let (mut begin, mut offset) = (i64::MIN, self.offset_before(near));
        for change in self.changes.iter().skip(near) {
            let moment = local.saturating_sub(offset);
            if moment < change.at {
                return moment.max(begin);
            }
            (begin, offset) = (change.at, change.offset);
        }
        local.saturating_sub(offset).max(begin)
    }

    /// From the first moment of a date to the first of the next: 23, 24 or 25 hours as a rule, none where a date was left
    /// out.
    pub fn day(&self, date: LocalDate) -> Interval {
        Interval { start: self.at(date, 0), end: self.at(date.plus(1), 0) }
    }

    /// Whether clocks here and in another zone show the same at a moment, so that one time is enough.
    pub fn agrees(&self, other: &Self, moment: i64) -> bool {
        self.offset(moment) == other.offset(moment)
    }
}

/// A minute of the day as a clock shows it: `19:05`.
pub fn clock(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

impl LocalTime {
    /// `14:05`.
    pub fn clock(self) -> String {
        clock(self.minute)
    }

    /// The distance from UTC, as `+05:45`.
    pub fn offset(self) -> String {
        let (sign, minutes) = (if self.offset_minutes < 0 { '-' } else { '+' }, self.offset_minutes.abs());
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl fmt::Display for LocalTime {
    /// For machines, as in `<time datetime>`: `2026-11-26T14:05+05:45`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}{}", self.date, self.clock(), self.offset())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{HOUR_MS, samples::*};
    use proptest::prelude::*;

    #[test]
    fn a_time_that_is_left_out_is_the_moment_of_the_change() {
        let zone = berlin();
        let change = utc("2026-03-29", 60);
        assert_eq!(zone.at(date("2026-03-29"), 119), change - MINUTE_MS);
        for minute in [120, 150, 179, 180] {
            assert_eq!(zone.at(date("2026-03-29"), minute), change, "minute {minute}");
        }
        assert_eq!(zone.at(date("2026-03-29"), 181), change + MINUTE_MS);
        assert_eq!(zone.local(change).to_string(), "2026-03-29T03:00+02:00");
        assert_eq!(zone.local(change - 1).to_string(), "2026-03-29T01:59+01:00");
    }

    #[test]
    fn a_time_that_comes_twice_is_its_first_coming() {
        let zone = berlin();
        let change = utc("2026-10-25", 60);
        assert_eq!(zone.at(date("2026-10-25"), 150), change - 30 * MINUTE_MS);
        assert_eq!(zone.local(change - 30 * MINUTE_MS).to_string(), "2026-10-25T02:30+02:00");
        assert_eq!(zone.local(change + 30 * MINUTE_MS).to_string(), "2026-10-25T02:30+01:00");
        assert_eq!(zone.at(date("2026-10-25"), 180), change + HOUR_MS);
    }

    #[test]
    fn days_are_as_long_as_clocks_make_them() {
        let table = [
            (berlin(), "2026-03-28", 24 * 60),
            (berlin(), "2026-03-29", 23 * 60),
            (berlin(), "2026-10-25", 25 * 60),
            (lord_howe(), "2026-04-05", 24 * 60 + 30),
            (lord_howe(), "2026-10-04", 23 * 60 + 30),
            // Clocks go from 24:00 to 1:00, so the day begins at one.
            (beirut(), "2026-03-29", 23 * 60),
            (apia(), "2011-12-29", 24 * 60),
            (apia(), "2011-12-30", 0),
            (apia(), "2011-12-31", 24 * 60),
            (kathmandu(), "2026-03-29", 24 * 60),
        ];
        for (zone, day, minutes) in table {
            assert_eq!(zone.day(date(day)).length(), minutes * MINUTE_MS, "{day} in {}", zone.name());
        }
        assert_eq!(beirut().local(beirut().day(date("2026-03-29")).start).clock(), "01:00");
    }

    #[test]
    fn half_and_quarter_hours_are_told() {
        let noon = utc("2026-01-15", 12 * 60);
        assert_eq!(kathmandu().local(noon).to_string(), "2026-01-15T17:45+05:45");
        assert_eq!(st_johns().local(noon).to_string(), "2026-01-15T08:30-03:30");
        assert_eq!(lord_howe().local(noon).to_string(), "2026-01-15T23:00+11:00");
        assert!(berlin().agrees(&berlin(), noon) && !berlin().agrees(&kathmandu(), noon));
    }

    #[test]
    fn impossible_zones_are_refused() {
        assert_eq!(Zone::new("x", 30 * HOUR_MS, Vec::new()), None);
        let twice = vec![Change { at: 5, offset: 0 }, Change { at: 5, offset: HOUR_MS }];
        assert_eq!(Zone::new("x", 0, twice), None);
    }

    proptest! {
        #[test]
        fn a_wall_time_is_the_first_moment_that_shows_it_or_a_later_one(
            zone in zones(), day in days(), minute in 0i64..2 * 1440,
        ) {
            let moment = zone.at(day, minute);
            let wall = |moment: i64| moment + zone.offset(moment);
            let wanted = day.day() * DAY_MS + minute * MINUTE_MS;
            prop_assert!(wall(moment) >= wanted);
            // From two days before on, minute by minute.
            let mut earlier = moment - 2 * DAY_MS;
            while earlier < moment {
                prop_assert!(wall(earlier) < wanted, "{earlier} is before {moment}");
                earlier += MINUTE_MS;
            }
        }

        #[test]
        fn later_times_are_never_earlier_moments(zone in zones(), day in days(), a in 0i64..2880, b in 0i64..2880) {
            let (sooner, later) = (a.min(b), a.max(b));
            prop_assert!(zone.at(day, sooner) <= zone.at(day, later));
            prop_assert_eq!(zone.at(day.plus(1), sooner), zone.at(day, sooner + 1440));
        }

        #[test]
        fn what_clocks_show_leads_back_to_the_moment_or_its_first_coming(zone in zones(), day in days(), at in 0i64..1440) {
            let moment = day.day() * DAY_MS + at * MINUTE_MS;
            let shown = zone.local(moment);
            let back = zone.at(shown.date, shown.minute);
            prop_assert!(back <= moment);
            prop_assert_eq!((zone.local(back).date, zone.local(back).minute), (shown.date, shown.minute));
            prop_assert!(zone.day(shown.date).start <= moment);
        }

        #[test]
        fn days_follow_each_other_without_a_gap(zone in zones(), day in days()) {
            prop_assert_eq!(zone.day(day).end, zone.day(day.plus(1)).start);
        }
    }
}
