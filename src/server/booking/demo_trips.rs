//! The lines of the demo shop: their fares and timetables, from which departures are made relative to today. The products
//! themselves come from a file of products like any others; a file of products cannot say these.

use super::{
    demo_venue::{self, Kept, Venue, cancellation, offer, text},
    timetable::{self, NEVER},
};
use crate::{
    args,
    domain::{
        Result,
        booking::{
            DAY_MINUTES, HOUR_MS, MINUTE_MS,
            cancellation::Deadline,
            offer::{Kind, Offer, Policies},
            schedule::{Limits, minute},
            timetable::{Pattern, PatternStop},
            trips::{ChangeRule, Fare},
        },
        money::Amount,
    },
    server::{
        App,
        context::{internal, now},
        db::Tx,
    },
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A product that is a line.
#[derive(Clone, Deserialize)]
struct Entry {
    #[serde(flatten)]
    venue: Venue,
    notice_minutes: i64,
    horizon_days: i64,
    fares: Vec<Class>,
    departures: Vec<Leaving>,
}

/// A fare class; amounts in minor units.
#[derive(Clone, Deserialize)]
struct Class {
    sku: String,
    adult: i64,
    child: i64,
    infant: i64,
    quota: Option<i64>,
    cancellation: Vec<Kept>,
    change: Option<Change>,
    cabin_bags: i64,
    checked_kg: i64,
}

/// Until so many hours before the departure it can be changed for a fee.
#[derive(Clone, Deserialize)]
struct Change {
    hours: i64,
    fee: i64,
}

#[derive(Clone, Deserialize)]
struct Leaving {
    key: String,
    /// The days of the week on which it leaves: `1` is Monday.
    days: String,
    /// Rows and letters of its seats, where they are chosen.
    rows: Option<(usize, String)>,
    #[serde(default)]
    places: i64,
    stops: Vec<Call>,
}

#[derive(Clone, Deserialize)]
struct Call {
    place: String,
    en: String,
    zone: String,
    /// `08:30`, or `+1 08:30` on the day after.
    arrives: String,
    leaves: String,
}

/// Takes over the lines of a JSON list, whose products are found by their handles and SKUs, and makes their departures. A
/// line whose product does not exist is left out; doing it again makes what is missing.
///
/// # Errors
/// When the list cannot be read or the database cannot be written.
pub async fn take_over(app: &App, list: &str) -> Result<()> {
    demo_venue::take_over::<Entry>(app, list, |tx, entry, _| Box::pin(write(tx, entry))).await?;
    timetable::run_due(app, now()).await.map(drop)
}

async fn write(tx: &mut Tx<'_>, entry: &Entry) -> Result<()> {
    let Some(product) = entry.venue.product(tx, Kind::Trip).await? else { return Ok(()) };
    entry.venue.write(tx, &product, &entry.policies()).await?;
    for class in &entry.fares {
        offer(tx, &product, &class.sku, &Offer::Trip(class.fare())).await?;
    }
    for leaving in &entry.departures {
        let sql = "insert into timetable (product_id, key, pattern, made_until) values ($1, $2, $3, $4)
            on conflict (product_id, key) do update set pattern = excluded.pattern";
        tx.exec(sql, args![&product, &leaving.key, text(&leaving.pattern()?)?, NEVER]).await?;
    }
    Ok(())
}

/// Minutes of the day of the departure.
fn time(text: &str) -> Result<i64> {
    let read = match text.strip_prefix('+').and_then(|later| later.split_once(' ')) {
        Some((days, time)) => days.parse::<i64>().ok().zip(minute(time)),
        None => minute(text).map(|minute| (0, minute)),
    };
    let (days, minute) = read.ok_or_else(|| internal("demo", &format!("{text} is no time")))?;
    Ok(days * DAY_MINUTES + minute)
}

impl Entry {
    fn policies(&self) -> Policies {
        let limits =
            Limits { step_ms: MINUTE_MS, notice_ms: self.notice_minutes * MINUTE_MS, horizon_days: self.horizon_days };
        Policies { limits, ..Policies::default() }
    }
}

impl Class {
    fn fare(&self) -> Fare {
        let change = |change: &Change| ChangeRule {
            from: Deadline::Before { ms: change.hours * HOUR_MS },
            fee: Amount(change.fee),
            refunds_difference: false,
        };
        Fare {
            adult: Amount(self.adult),
            child: Amount(self.child),
            infant: Amount(self.infant),
            quota: self.quota,
            cancellation: cancellation(&self.cancellation),
            change: self.change.as_ref().map(change),
            cabin_bags: self.cabin_bags,
            checked_grams: self.checked_kg * 1_000,
        }
    }
}

impl Leaving {
    fn pattern(&self) -> Result<Pattern> {
        let mut weekdays = [false; 7];
        for (day, leaves) in ('1'..='7').zip(&mut weekdays) {
            *leaves = self.days.contains(day);
        }
        let stop = |call: &Call| -> Result<PatternStop> {
            Ok(PatternStop {
                place: call.place.clone(),
                names: BTreeMap::from([("en".to_owned(), call.en.clone())]),
                zone: call.zone.clone(),
                arrives: time(&call.arrives)?,
                leaves: time(&call.leaves)?,
            })
        };
        let stops = self.stops.iter().map(stop).collect::<Result<_>>()?;
        let seats = self.rows.as_ref().map(|(rows, letters)| {
            (1..=*rows).flat_map(|row| letters.chars().map(move |letter| format!("{row}{letter}"))).collect()
        });
        Ok(Pattern { weekdays, stops, seats, places: self.places })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::booking::samples::date, server::booking::zone};

    #[test]
    fn every_line_leaves_within_a_week_and_arrives_after_that() {
        let list = include_str!("../../../demo/trips.json");
        let entries: Vec<Entry> = serde_json::from_str(list).unwrap_or_default();
        assert_eq!(entries.len(), 6);
        for entry in entries {
            assert!(!entry.fares.is_empty(), "{}: no fare", entry.venue.handle);
            for leaving in &entry.departures {
                let Ok(pattern) = leaving.pattern() else {
                    panic!("{}: {} is no pattern", entry.venue.handle, leaving.key)
                };
                assert!(pattern.seats.is_some() || pattern.places > 0, "{}: {}", entry.venue.handle, leaving.key);
                let monday = date("2026-11-23");
                let known = |name: &str| zone(name, 1_700_000_000_000, 1_900_000_000_000);
                let days = monday.up_to(monday.plus(7)).filter(|day| pattern.on(*day, known).is_some()).count();
                assert_eq!(days, leaving.days.len(), "{}: {}", entry.venue.handle, leaving.key);
            }
        }
    }

    #[test]
    fn times_are_read_with_the_day_they_are_of() {
        assert_eq!(time("08:30").ok(), Some(510));
        assert_eq!(time("+1 05:00").ok(), Some(1_740));
        assert!(time("25:00").is_err() && time("+x 05:00").is_err() && time("").is_err());
    }
}
