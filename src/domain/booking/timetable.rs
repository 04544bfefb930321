//! When a line leaves again and again: on which days of the week, and when it calls where, by the clocks there.

use super::{date::LocalDate, offer::Stop, zone::Zone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A departure that comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pattern {
    /// Monday first, by the clock of the first stop.
    pub weekdays: [bool; 7],
    /// At least two, in order.
    pub stops: Vec<PatternStop>,
    /// The names of the seats, where they are chosen.
    #[serde(default)]
    pub seats: Option<Vec<String>>,
    /// How many there are where they are not.
    #[serde(default)]
    pub places: i64,
}

/// Where it calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternStop {
    pub place: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    /// An IANA name.
    pub zone: String,
    /// Minutes of the day on which it leaves the first stop, by the clock here; from 1440 on they are of the days after,
    /// and below zero of the day before, as over the date line.
    pub arrives: i64,
    pub leaves: i64,
}

impl Pattern {
    /// The stops of the departure of a date; `None` where it does not leave on that day, a zone is not known, or it would
    /// not arrive after it leaves.
    pub fn on(&self, date: LocalDate, zone: impl Fn(&str) -> Option<Zone>) -> Option<Vec<Stop>> {
        self.weekdays.get(date.weekday()).filter(|leaves| **leaves)?;
        let mut stops = Vec::with_capacity(self.stops.len());
        for PatternStop { place, names, zone: name, arrives, leaves } in &self.stops {
            let zone = zone(name)?;
            stops.push(Stop {
                place: place.clone(),
                names: names.clone(),
                zone: name.clone(),
                arrives_at: zone.at(date, *arrives),
                leaves_at: zone.at(date, *leaves),
            });
        }
        let onwards = stops.iter().zip(stops.iter().skip(1)).all(|(from, to)| from.leaves_at < to.arrives_at);
        (onwards && stops.len() > 1).then_some(stops)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::samples::*;

    fn stop(place: &str, zone: &str, arrives: i64, leaves: i64) -> PatternStop {
        PatternStop { place: place.into(), names: BTreeMap::new(), zone: zone.into(), arrives, leaves }
    }

    fn known(name: &str) -> Option<Zone> {
        [berlin(), shanghai()].into_iter().find(|zone| zone.name() == name)
    }

    fn flight() -> Pattern {
        // Mondays and Saturdays.
        let weekdays = [true, false, false, false, false, true, false];
        let stops = vec![stop("a", "Asia/Shanghai", 23 * 60, 23 * 60), stop("b", "Europe/Berlin", 1770, 1770)];
        Pattern { weekdays, stops, seats: None, places: 100 }
    }

    #[test]
    fn a_departure_keeps_its_time_by_the_clock_when_clocks_are_changed() {
        let on = |day: &str| flight().on(date(day), known);
        let arrival = |day: &str| on(day).and_then(|stops| stops.last().map(|stop| stop.arrives_at));
        // 05:30 in Berlin, an hour earlier at Greenwich once it is summer there.
        assert_eq!(arrival("2026-03-23"), Some(utc("2026-03-24", 4 * 60 + 30)));
        assert_eq!(arrival("2026-03-30"), Some(utc("2026-03-31", 3 * 60 + 30)));
        assert_eq!(on("2026-03-24"), None, "a Tuesday");
        assert!(on("2026-03-28").is_some(), "a Saturday");
    }

    #[test]
    fn what_cannot_be_travelled_is_no_departure() {
        let on = |pattern: Pattern| pattern.on(date("2026-03-23"), known);
        let mut nowhere = flight();
        nowhere.stops[1].zone = "Europe/Atlantis".into();
        let mut backwards = flight();
        backwards.stops[1].arrives = 0;
        let mut alone = flight();
        alone.stops.truncate(1);
        for pattern in [nowhere, backwards, alone] {
            assert_eq!(on(pattern), None);
        }
    }
}
