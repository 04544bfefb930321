//! A day as the calendar on the wall has it: without an hour and without a zone.
//!
//! Nights are counted in these and never in hours: a night in which clocks are changed is one night, though it is an hour
//! longer or shorter.

use crate::domain::time::civil;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A Gregorian date of the years 1 to 9999; on the wire and in the database the text `2026-11-26`, which sorts as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalDate(i64);

impl LocalDate {
    /// 1 January of year 1.
    pub const MIN: Self = Self(-719_162);
    /// 31 December 9999.
    pub const MAX: Self = Self(2_932_896);

    /// `None` where the calendar has no such day.
    pub fn new(year: i64, month: i64, day: i64) -> Option<Self> {
        if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let date = Self(day_number(year, month, day));
        (date.civil() == (year, month, day)).then_some(date)
    }

    /// Reads `2026-11-26`, as `<input type=date>` sends it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut number = |width: usize| {
            let part = parts.next()?;
            if part.len() == width && part.bytes().all(|b| b.is_ascii_digit()) {
                part.parse::<i64>().ok()
            } else {
                None
            }
        };
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        if parts.next().is_some() { None } else { Self::new(year, month, day) }
    }

    /// A day counted from 1970-01-01; the nearest there is beyond [`Self::MIN`] and [`Self::MAX`].
    pub fn from_day(day: i64) -> Self {
        Self(day.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Days since 1970-01-01, negative before it.
    pub const fn day(self) -> i64 {
        self.0
    }

    /// Year, month and day of the month.
    pub fn civil(self) -> (i64, i64, i64) {
        civil(self.0)
    }

    /// So many days later, or earlier where they are negative; no further than the calendar goes.
    pub fn plus(self, days: i64) -> Self {
        Self::from_day(self.0.saturating_add(days))
    }

    /// How many days later another date is.
    pub const fn until(self, later: Self) -> i64 {
        later.0 - self.0
    }

    /// The days from this one up to, and without, another.
    pub fn up_to(self, end: Self) -> impl Iterator<Item = Self> {
        (self.0..end.0).map(Self)
    }

    /// 0 is Monday, 6 is Sunday.
    pub fn weekday(self) -> usize {
        // 1970-01-01 was a Thursday.
        usize::try_from((self.0 + 3).rem_euclid(7)).unwrap_or_default()
    }
}

/// Days from 1970-01-01 to a date. As in [`civil`], years begin in March, so that the leap day comes last.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

impl fmt::Display for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl From<LocalDate> for String {
    fn from(date: LocalDate) -> Self {
        date.to_string()
    }
}

impl TryFrom<String> for LocalDate {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("no date")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_read_as_a_browser_sends_them() {
        for good in ["1970-01-01", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31", "2026-11-26"] {
            assert_eq!(LocalDate::parse(good).map(|date| date.to_string()).as_deref(), Some(good));
        }
        for bad in [
            "",
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "26-11-26",
            "2026-11-26 ",
            "+026-11-26",
            "2026-11-31",
            "0000-01-01",
            "2026-11-26-1",
        ] {
            assert_eq!(LocalDate::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_days_of_the_week() {
        let weekday = |text| LocalDate::parse(text).map(LocalDate::weekday);
        assert_eq!(weekday("1970-01-01"), Some(3));
        assert_eq!(weekday("2026-11-26"), Some(3));
        assert_eq!(weekday("2026-03-29"), Some(6));
        assert_eq!(weekday("1969-12-29"), Some(0));
    }

    #[test]
    fn the_calendar_has_ends() {
        assert_eq!(LocalDate::new(1, 1, 1), Some(LocalDate::MIN));
        assert_eq!(LocalDate::new(9999, 12, 31), Some(LocalDate::MAX));
        assert_eq!(LocalDate::MAX.plus(i64::MAX), LocalDate::MAX);
        assert_eq!(LocalDate::MIN.plus(i64::MIN), LocalDate::MIN);
    }

    proptest! {
        #[test]
        fn a_date_reads_back_in_every_form(day in LocalDate::MIN.0..=LocalDate::MAX.0) {
            let date = LocalDate::from_day(day);
            let (year, month, of_month) = date.civil();
            prop_assert_eq!(LocalDate::new(year, month, of_month), Some(date));
            prop_assert_eq!(LocalDate::parse(&date.to_string()), Some(date));
            let json = serde_json::to_string(&date).unwrap_or_default();
            prop_assert_eq!(serde_json::from_str::<LocalDate>(&json).ok(), Some(date));
        }

        #[test]
        fn dates_and_their_texts_sort_alike(a in -700_000i64..2_900_000, b in -700_000i64..2_900_000) {
            let (a, b) = (LocalDate::from_day(a), LocalDate::from_day(b));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(a.plus(a.until(b)), b);
            prop_assert_eq!(a.plus(7).weekday(), a.weekday());
            prop_assert_eq!(a.plus(1).weekday(), (a.weekday() + 1) % 7);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = LocalDate::parse(&text);
        }
    }
}
