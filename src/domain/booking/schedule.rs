//! When a venue is open or a person works: hours of the week, days that are otherwise, breaks, and how soon and how far
//! ahead can be booked.

use super::{
    DAY_MINUTES, DAY_MS, MINUTE_MS,
    date::LocalDate,
    interval::{Interval, Intervals},
    zone::Zone,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// From one minute of a day by the clock to another, which may be of the next day (`22:00`–`04:00`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "(i64, i64)", into = "(i64, i64)")]
pub struct Hours {
    from: i64,
    until: i64,
}

/// A day of a schedule. The default is a closed one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    pub open: Vec<Hours>,
    /// Cut out of what is open, also of the hours of the day before that reach into this one.
    pub breaks: Vec<Hours>,
}

/// The hours of a venue, a person or a thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Monday first.
    pub week: [Day; 7],
    /// Days that are otherwise, wholly: the hours and breaks of the week do not count for them.
    pub exceptions: BTreeMap<LocalDate, Day>,
}

/// When slots begin, and when they can be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// From one slot to the next in milliseconds, counted from the beginning of the hours; less than a minute counts as one.
    pub step_ms: i64,
    /// How long before its beginning the last booking is taken, in milliseconds.
    pub notice_ms: i64,
    /// How many days ahead can be booked; zero is today alone.
    pub horizon_days: i64,
}

/// Hours and breaks of some days, as moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// One for each hours of the schedule, by their beginning; they may overlap.
    pub windows: Vec<Interval>,
    /// All that is open and no break.
    pub work: Intervals,
}

impl Hours {
    /// `from` is a minute of the day, `until` is up to 24 hours later; `None` for anything else.
    pub fn new(from: i64, until: i64) -> Option<Self> {
        let fits = (0..DAY_MINUTES).contains(&from) && from < until && until - from <= DAY_MINUTES;
        fits.then_some(Self { from, until })
    }

    /// Reads two times of a form, as `09:00` and `18:00`. An end that is not after the beginning is of the next day.
    pub fn parse(from: &str, until: &str) -> Option<Self> {
        let (from, until) = (minute(from)?, minute(until)?);
        Self::new(from, if until <= from { until + DAY_MINUTES } else { until })
    }

    /// The minute of the day at which they begin.
    pub const fn begin(self) -> i64 {
        self.from
    }

    /// The minute at which they are over; from 1440 on it is of the next day.
    pub const fn end(self) -> i64 {
        self.until
    }

    /// On a date of a place. Empty where clocks leave all of it out.
    pub fn on(self, date: LocalDate, zone: &Zone) -> Interval {
        Interval { start: zone.at(date, self.from), end: zone.at(date, self.until) }
    }
}

/// Reads `09:05` or `24:00`.
pub fn minute(text: &str) -> Option<i64> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str| match text.len() {
        1 | 2 if text.bytes().all(|b| b.is_ascii_digit()) => text.parse::<i64>().ok(),
        _ => None,
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (minute < 60 && hour * 60 + minute <= DAY_MINUTES).then_some(hour * 60 + minute)
}

impl From<Hours> for (i64, i64) {
    fn from(hours: Hours) -> Self {
        (hours.from, hours.until)
    }
}

impl TryFrom<(i64, i64)> for Hours {
    type Error = &'static str;

    fn try_from((from, until): (i64, i64)) -> Result<Self, Self::Error> {
        Self::new(from, until).ok_or("no hours")
    }
}

impl Schedule {
    /// Hours and breaks of a date.
    pub fn day(&self, date: LocalDate) -> Option<&Day> {
        self.exceptions.get(&date).or_else(|| self.week.get(date.weekday()))
    }

    /// What is open in an interval, and for a day around it: hours that lie across its ends are whole.
    pub fn open(&self, zone: &Zone, within: Interval) -> Open {
        let from = zone.local(within.start.saturating_sub(DAY_MS)).date.plus(-1);
        let until = zone.local(within.end.saturating_add(DAY_MS)).date.plus(1);
        let (mut windows, mut breaks) = (Vec::new(), Vec::new());
        for date in from.up_to(until) {
            let Some(day) = self.day(date) else { continue };
            windows.extend(day.open.iter().map(|hours| hours.on(date, zone)).filter(|window| !window.is_empty()));
            breaks.extend(day.breaks.iter().map(|hours| hours.on(date, zone)));
        }
        if !windows.is_sorted() {
            windows.sort_unstable();
        }
        let work = windows.iter().copied().collect::<Intervals>().minus(&breaks.into_iter().collect());
        Open { windows, work }
    }
}

impl Limits {
    /// The moments from which a slot may begin that is booked now; empty where notice reaches beyond the horizon.
    pub fn bookable(&self, zone: &Zone, now: i64) -> Interval {
        let last = zone.local(now).date.plus(self.horizon_days);
        Interval { start: now.saturating_add(self.notice_ms), end: zone.day(last).end }
    }

    /// The step that counts.
    pub fn step_ms(&self) -> i64 {
        self.step_ms.max(MINUTE_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{HOUR_MS, samples::*};
    use proptest::prelude::*;

    fn daily(open: &[(&str, &str)], breaks: &[(&str, &str)]) -> Schedule {
        let hours = |list: &[(&str, &str)]| list.iter().filter_map(|(from, until)| Hours::parse(from, until)).collect();
        let day = Day { open: hours(open), breaks: hours(breaks) };
        Schedule { week: std::array::from_fn(|_| day.clone()), exceptions: BTreeMap::new() }
    }

    /// What is open of a date of a place, in hours of the clock and how long.
    fn shown(schedule: &Schedule, zone: &Zone, day: &str) -> Vec<(String, i64)> {
        let open = schedule.open(zone, zone.day(date(day)));
        let of_day = open.work.as_slice().iter().filter(|part| zone.local(part.start).date == date(day));
        of_day.map(|part| (zone.local(part.start).clock(), part.length() / MINUTE_MS)).collect()
    }

    #[test]
    fn hours_are_read_as_a_form_has_them() {
        let parse = |from, until| Hours::parse(from, until).map(<(i64, i64)>::from);
        assert_eq!(parse("09:00", "18:30"), Some((540, 1110)));
        assert_eq!(parse("22:00", "04:00"), Some((1320, 1680)));
        assert_eq!(parse("00:00", "24:00"), Some((0, 1440)));
        assert_eq!(parse("00:00", "00:00"), Some((0, 1440)));
        assert_eq!(parse("9:5", "10:00"), Some((545, 600)));
        for (from, until) in [("24:00", "25:00"), ("9", "10"), ("09:60", "10:00"), ("-1:00", "5:00"), ("", "")] {
            assert_eq!(parse(from, until), None, "{from} to {until}");
        }
        assert_eq!(Hours::new(0, 1441), None);
        assert_eq!(Hours::new(5, i64::MAX), None);
        assert_eq!(serde_json::from_str::<Hours>("[600,500]").ok(), None);
    }

    #[test]
    fn breaks_and_other_hours_cut_a_day() {
        let mut schedule = daily(&[("09:00", "18:00")], &[("12:00", "13:00")]);
        let whole = [("09:00".to_owned(), 180), ("13:00".to_owned(), 300)];
        assert_eq!(shown(&schedule, &shanghai(), "2026-05-04"), whole);
        schedule.exceptions.insert(date("2026-05-04"), Day::default());
        assert!(shown(&schedule, &shanghai(), "2026-05-04").is_empty());
        let late = Day { open: Hours::parse("15:00", "20:00").into_iter().collect(), breaks: Vec::new() };
        schedule.exceptions.insert(date("2026-05-05"), late);
        assert_eq!(shown(&schedule, &shanghai(), "2026-05-05"), [("15:00".to_owned(), 300)]);
        assert_eq!(shown(&schedule, &shanghai(), "2026-05-06"), whole);
    }

    #[test]
    fn nights_in_which_clocks_are_changed_are_as_long_as_they_are() {
        let bar = daily(&[("22:00", "04:00")], &[]);
        for (day, hours) in [("2026-03-27", 6), ("2026-03-28", 5), ("2026-10-24", 7), ("2026-10-25", 6)] {
            assert_eq!(shown(&bar, &berlin(), day), [("22:00".to_owned(), hours * 60)], "{day}");
        }
        // Half an hour of it is left out, or all of it.
        assert_eq!(shown(&daily(&[("02:30", "03:30")], &[]), &berlin(), "2026-03-29"), [("03:00".to_owned(), 30)]);
        assert!(shown(&daily(&[("02:15", "02:45")], &[]), &berlin(), "2026-03-29").is_empty());
        assert_eq!(shown(&daily(&[("02:15", "02:45")], &[]), &berlin(), "2026-10-25"), [("02:15".to_owned(), 30)]);
        // A working day is as long as ever.
        let shop = daily(&[("09:00", "18:00")], &[]);
        for day in ["2026-03-28", "2026-03-29", "2026-10-25"] {
            assert_eq!(shown(&shop, &berlin(), day), [("09:00".to_owned(), 540)], "{day}");
        }
    }

    #[test]
    fn notice_and_horizon_say_what_can_be_booked() {
        let limits = Limits { step_ms: 0, notice_ms: 2 * HOUR_MS, horizon_days: 1 };
        let now = utc("2026-03-28", 10 * 60);
        // It is eleven there, and the next day is an hour short.
        let end = now + (13 + 23) * HOUR_MS;
        assert_eq!(limits.bookable(&berlin(), now), Interval { start: now + 2 * HOUR_MS, end });
        assert_eq!(limits.step_ms(), MINUTE_MS);
        let never = Limits { notice_ms: 40 * HOUR_MS, horizon_days: 0, ..limits };
        assert!(never.bookable(&berlin(), now).is_empty());
    }

    proptest! {
        #[test]
        fn what_is_open_does_not_depend_on_what_was_asked_for(
            zone in zones(), (first, schedule) in days().prop_flat_map(|day| (Just(day), schedules(day))), by in 0i64..3,
        ) {
            let wide = schedule.open(&zone, Interval { start: zone.at(first, 0), end: zone.at(first.plus(4), 0) });
            let day = zone.day(first.plus(by));
            let narrow = schedule.open(&zone, day);
            let cut = |open: &Open| {
                let parts = open.work.as_slice().iter().map(|part| part.and(day)).filter(|part| !part.is_empty());
                parts.collect::<Vec<_>>()
            };
            prop_assert_eq!(cut(&wide), cut(&narrow));
        }
    }
}
