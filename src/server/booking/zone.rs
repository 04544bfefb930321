//! The clocks of a venue, out of the IANA database.

use crate::domain::booking::zone::{Change, Zone};
use jiff::{Timestamp, tz::TimeZone};

/// The clock by which a date is meant where no venue is named: that of the shop.
pub(super) const OF_THE_SHOP: &str = "Asia/Shanghai";

/// The clocks of a place by its IANA name (`Asia/Shanghai`) from one moment to another, in UTC milliseconds: what a page or
/// a search needs, some years at most. `None` for a name that there is not, and for moments beyond the years of the database.
pub fn zone(name: &str, from: i64, until: i64) -> Option<Zone> {
    let zone = TimeZone::get(name).ok().filter(|zone| !zone.is_unknown())?;
    let start = Timestamp::from_millisecond(from).ok()?;
    let first = i64::from(zone.to_offset(start).seconds()) * 1_000;
    let mut changes: Vec<Change> = Vec::new();
    for transition in zone.following(start) {
        let at = transition.timestamp().as_millisecond();
        if at >= until {
            break;
        }
        let offset = i64::from(transition.offset().seconds()) * 1_000;
        // Some only change the name of the time, as from winter to standard time.
        if changes.last().map_or(first, |last| last.offset) != offset {
            changes.push(Change { at, offset });
        }
    }
    Zone::new(zone.iana_name().unwrap_or(name), first, changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{DAY_MS, MINUTE_MS, date::LocalDate};
    use jiff::civil;
    use proptest::prelude::*;

    /// Hours and half hours, midnight and whole days, twice a year or by the moon, and a zone of quarter hours.
    const NAMES: [&str; 16] = [
        "Asia/Shanghai",
        "Europe/Berlin",
        "Europe/London",
        "Europe/Dublin",
        "America/New_York",
        "America/St_Johns",
        "America/Santiago",
        "America/Havana",
        "Africa/Casablanca",
        "Africa/Cairo",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Australia/Adelaide",
        "Pacific/Apia",
        "UTC",
    ];

    fn moment(year: i16) -> i64 {
        let begin = civil::date(year, 1, 1).at(0, 0, 0, 0);
        TimeZone::UTC.to_timestamp(begin).map_or(0, Timestamp::as_millisecond)
    }

    /// From the beginning of 2010 to that of 2040.
    fn known(name: &str) -> Zone {
        match zone(name, moment(2010), moment(2040)) {
            Some(zone) => zone,
            None => panic!("no {name}"),
        }
    }

    #[test]
    fn a_name_that_there_is_not_is_no_zone() {
        for name in ["", "Europe/Atlantis", "../../etc/passwd", "Etc/Unknown", "+08:00"] {
            assert_eq!(zone(name, 0, DAY_MS), None, "{name}");
        }
        assert_eq!(zone("Europe/Berlin", i64::MIN, 0), None);
        assert_eq!(zone("asia/shanghai", 0, 1).map(|zone| zone.name().to_owned()).as_deref(), Some("Asia/Shanghai"));
    }

    #[test]
    fn the_clocks_of_berlin_in_2026() {
        let berlin = known("Europe/Berlin");
        let date = |text| LocalDate::parse(text).unwrap_or(LocalDate::MIN);
        let minutes = |text| berlin.day(date(text)).length() / MINUTE_MS;
        assert_eq!([minutes("2026-03-29"), minutes("2026-10-25"), minutes("2026-06-01")], [1380, 1500, 1440]);
    }

    proptest! {
        #[test]
        fn clocks_show_what_the_database_says(at in prop::sample::select(NAMES.to_vec()), minute in 0i64..30 * 365 * 1440) {
            let (ours, theirs) = (known(at), TimeZone::get(at));
            let moment = moment(2010) + minute * MINUTE_MS;
            let (Ok(theirs), Ok(stamp)) = (theirs, Timestamp::from_millisecond(moment)) else {
                return Err(TestCaseError::fail("the reference fails"));
            };
            let (shown, expected) = (ours.local(moment), theirs.to_datetime(stamp));
            prop_assert_eq!(shown.date.to_string(), expected.date().to_string());
            prop_assert_eq!(shown.clock(), expected.strftime("%H:%M").to_string());
        }

        #[test]
        fn wall_times_are_the_moments_of_the_database_or_those_of_the_change(
            at in prop::sample::select(NAMES.to_vec()), day in 14_700i64..25_500, minute in 0i64..1440,
        ) {
            let (ours, theirs) = (known(at), TimeZone::get(at));
            let date = LocalDate::from_day(day);
            let (year, month, of_month) = date.civil();
            let wall = civil::date(year as i16, month as i8, of_month as i8).at((minute / 60) as i8, (minute % 60) as i8, 0, 0);
            let Ok(theirs) = theirs else { return Err(TestCaseError::fail("the reference fails")) };
            let ambiguous = theirs.to_ambiguous_timestamp(wall);
            let found = ours.at(date, minute);
            if let jiff::tz::AmbiguousOffset::Gap { before, .. } = ambiguous.offset() {
                // One minute of the clock before the change, and the change is where the clock leaps.
                let before = i64::from(before.seconds()) * 1_000;
                prop_assert!(ours.offset(found) != before && ours.offset(found - 1) == before);
            } else {
                prop_assert_eq!(ambiguous.earlier().ok().map(Timestamp::as_millisecond), Some(found));
            }
        }
    }
}
