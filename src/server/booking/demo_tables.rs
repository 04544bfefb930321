//! The restaurants of the demo shop: their hours, tables and rules, and what of their evenings is taken already, relative to
//! today. The products themselves come from a file of products like any others; a file of products cannot say these.

use super::{
    demo_venue::{self, Kept, Resource, Venue, cancellation, hours, offer, text},
    store::zone_around,
};
use crate::{
    domain::{
        Result,
        booking::{
            MINUTE_MS,
            date::LocalDate,
            interval::Interval,
            offer::{Kind, Offer, Policies},
            schedule::{Limits, Schedule},
            tables::{PartyRules, Table, Turn},
            zone::Zone,
        },
        money::Amount,
    },
    server::{App, db::Tx},
};
use serde::Deserialize;

/// For how many days some tables are taken.
const BUSY_DAYS: i64 = 10;

/// A product that is a restaurant.
#[derive(Clone, Deserialize)]
struct Entry {
    #[serde(flatten)]
    venue: Venue,
    sku: String,
    /// Monday first; empty for a day off.
    week: [Vec<String>; 7],
    step_minutes: i64,
    notice_minutes: i64,
    horizon_days: i64,
    cancellation: Vec<Kept>,
    /// The largest party, and how many minutes it stays.
    turns: Vec<(i64, i64)>,
    largest: i64,
    deposit_from: Option<i64>,
    /// In minor units.
    deposit_per_guest: i64,
    pacing: Option<i64>,
    tables: Vec<Place>,
    /// Of ten tables so many are taken for a while each evening.
    busy: i64,
}

/// Some tables that are alike, each of which can be put together with the next one where they join.
#[derive(Clone, Deserialize)]
struct Place {
    area: String,
    count: usize,
    min: i64,
    max: i64,
    joins: bool,
}

/// Takes over the restaurants of a JSON list, whose products are found by their handles. A restaurant whose product does not
/// exist is left out; doing it again brings it up to today, and takes no table twice.
///
/// # Errors
/// When the list cannot be read or the database cannot be written.
pub async fn take_over(app: &App, list: &str) -> Result<()> {
    demo_venue::take_over::<Entry>(app, list, |tx, entry, now| Box::pin(write(tx, entry, now))).await
}

async fn write(tx: &mut Tx<'_>, entry: &Entry, now: i64) -> Result<()> {
    let Some(product) = entry.venue.product(tx, Kind::Table).await? else { return Ok(()) };
    let zone = zone_around(&entry.venue.zone, now)?;
    entry.venue.write(tx, &product, &entry.policies()?).await?;
    offer(tx, &product, &entry.sku, &Offer::Table).await?;
    let schedule = entry.schedule()?;
    for (place, table) in (0_i64..).zip(entry.tables()) {
        let (id, name) = (format!("{product}:table-{:02}", place + 1), format!("T{:02}", place + 1));
        let resource = Resource { product: &product, id: &id, kind: "table", place, name: &name };
        resource.write(tx, &text(&table)?, &schedule, &[]).await?;
        resource.occupy(tx, &entry.taken(&schedule, &zone, now, place)).await?;
    }
    Ok(())
}

impl Entry {
    fn schedule(&self) -> Result<Schedule> {
        let mut schedule = Schedule::default();
        for (day, open) in schedule.week.iter_mut().zip(&self.week) {
            day.open = open.iter().map(|text| hours(text)).collect::<Result<_>>()?;
        }
        Ok(schedule)
    }

    fn policies(&self) -> Result<Policies> {
        let turn = |(up_to, minutes): &(i64, i64)| Turn { up_to: *up_to, duration_ms: minutes * MINUTE_MS };
        Ok(Policies {
            cancellation: cancellation(&self.cancellation),
            limits: Limits {
                step_ms: self.step_minutes * MINUTE_MS,
                notice_ms: self.notice_minutes * MINUTE_MS,
                horizon_days: self.horizon_days,
            },
            hours: self.schedule()?,
            party: Some(PartyRules {
                turns: self.turns.iter().map(turn).collect(),
                largest: self.largest,
                deposit_from: self.deposit_from,
                deposit_per_guest: Amount(self.deposit_per_guest),
            }),
            pacing: self.pacing,
            ..Policies::default()
        })
    }

    /// All tables in their order.
    fn tables(&self) -> Vec<Table> {
        let mut tables = Vec::new();
        for Place { area, count, min, max, joins } in &self.tables {
            for number in 1..=*count {
                let next = tables.len() + 1;
                let joins = if *joins && number < *count { vec![next] } else { Vec::new() };
                tables.push(Table { area: area.clone(), min: *min, max: *max, joins });
            }
        }
        tables
    }

    /// When a table is taken on the next days: for a while of some evenings, never before now.
    fn taken(&self, schedule: &Schedule, zone: &Zone, now: i64, place: i64) -> Vec<Interval> {
        let today: LocalDate = zone.local(now).date;
        let longest = self.turns.iter().map(|(_, minutes)| *minutes).max().unwrap_or(120) * MINUTE_MS;
        let mut taken = Vec::new();
        for day in 0..BUSY_DAYS {
            // Three and ten have no factor in common: all of ten come in turn, on each day from another one on.
            if (place * 3 + day * 7) % 10 >= self.busy {
                continue;
            }
            let within = zone.day(today.plus(day));
            let open = schedule.open(zone, within);
            let evening = open.windows.iter().rfind(|window| within.contains(window.start));
            let Some(evening) = evening else { continue };
            // By sittings one of them is taken, else some time of the evening.
            let (step, steps) = if self.step_minutes > 60 { (self.step_minutes, 2) } else { (30, 4) };
            let start = evening.start + (place + day) % steps * step * MINUTE_MS;
            let time = Interval { start, end: (start + longest).min(evening.end) };
            if now < time.start && !time.is_empty() {
                taken.push(time);
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{
        samples::{shanghai, utc},
        tables::Floor,
    };

    #[test]
    fn every_restaurant_has_tables_for_its_largest_party_and_some_that_are_taken() {
        let list = include_str!("../../../demo/tables.json");
        let entries: Vec<Entry> = serde_json::from_str(list).unwrap_or_default();
        assert_eq!(entries.len(), 6);
        let now = utc("2026-11-26", 0);
        for entry in entries {
            let handle = &entry.venue.handle;
            let (Ok(schedule), Ok(policies)) = (entry.schedule(), entry.policies()) else {
                panic!("{handle}: its hours cannot be read")
            };
            let Some(rules) = policies.party else { panic!("{handle}: no rules") };
            let floor = Floor::new(entry.tables());
            for guests in 1..=rules.largest {
                assert!(rules.terms(guests).is_ok(), "{handle}: {guests} guests");
                assert!(floor.seat(guests, None, |_| true).is_some(), "{handle}: no table for {guests}");
            }
            let mut any = false;
            for place in (0_i64..).take(floor.tables().len()) {
                let taken = entry.taken(&schedule, &shanghai(), now, place);
                let open = schedule.open(&shanghai(), Interval { start: now, end: utc("2026-12-31", 0) });
                assert!(taken.iter().all(|time| open.work.covers(*time)), "{handle}: taken after hours");
                assert!(taken.windows(2).all(|pair| pair[0].end <= pair[1].start), "{handle}: taken twice");
                any |= !taken.is_empty();
            }
            assert!(any, "{handle}: nobody comes");
        }
    }
}
