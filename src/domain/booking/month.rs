//! The months of the calendar on the wall, each by its first day.

use super::date::LocalDate;

/// The first day of the month that a date is in.
pub fn first(date: LocalDate) -> LocalDate {
    let (year, month, _) = date.civil();
    LocalDate::new(year, month, 1).unwrap_or(date)
}

/// The first day of the month after.
pub fn next(date: LocalDate) -> LocalDate {
    // No month is longer than 31 days, and none is so short that this leaps over it.
    first(first(date).plus(31))
}

/// The first day of the month before.
pub fn before(date: LocalDate) -> LocalDate {
    first(first(date).plus(-1))
}

/// All days of the month that a date is in.
pub fn days(date: LocalDate) -> impl Iterator<Item = LocalDate> {
    first(date).up_to(next(date))
}

/// Reads a month as `<input type=month>` sends it, `2026-12`: its first day.
pub fn parse(text: &str) -> Option<LocalDate> {
    LocalDate::parse(&format!("{text}-01"))
}

/// As [`parse`] reads it.
pub fn name(date: LocalDate) -> String {
    let (year, month, _) = date.civil();
    format!("{year:04}-{month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::samples::date;

    #[test]
    fn months_follow_each_other_over_years_and_leap_days() {
        for (within, begins, later, earlier, length) in [
            ("2026-01-31", "2026-01-01", "2026-02-01", "2025-12-01", 31),
            ("2024-02-29", "2024-02-01", "2024-03-01", "2024-01-01", 29),
            ("2026-02-01", "2026-02-01", "2026-03-01", "2026-01-01", 28),
            ("2026-12-24", "2026-12-01", "2027-01-01", "2026-11-01", 31),
        ] {
            let within = date(within);
            assert_eq!((first(within), next(within), before(within)), (date(begins), date(later), date(earlier)));
            assert_eq!(days(within).count(), length);
            assert_eq!(parse(&name(within)), Some(date(begins)));
        }
        for text in ["", "2026", "2026-13", "2026-1", "2026-01-01"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
