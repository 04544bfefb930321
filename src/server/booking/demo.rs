//! The services of the demo shop: who does them, when, and what of their time is taken already, relative to today. The
//! products themselves come from a file of products like any others; a file of products cannot say these.

use super::{
    demo_venue::{self, Kept, Resource, Venue, cancellation, hours, text, wrong},
    store::zone_around,
};
use crate::{
    args,
    domain::{
        Result,
        booking::{
            HOUR_MS, MINUTE_MS,
            date::LocalDate,
            interval::Interval,
            offer::{AddOn, Basis, Kind, Offer, Policies, Service},
            schedule::{Day, Limits, Schedule},
            slots::{Times, Visit},
            visit::{Gender, Profile},
            zone::Zone,
        },
        money::Amount,
    },
    server::{App, db::Tx},
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// For how many days some of everybody's time is taken.
const BUSY_DAYS: i64 = 14;

/// A product that is a service.
#[derive(Clone, Deserialize)]
struct Entry {
    #[serde(flatten)]
    venue: Venue,
    at_home: bool,
    basis: Basis,
    step_minutes: i64,
    notice_minutes: i64,
    horizon_days: i64,
    cancellation: Vec<Kept>,
    before_minutes: i64,
    after_minutes: i64,
    travel_minutes: i64,
    variants: Vec<Variant>,
    add_ons: Vec<Extra>,
    people: Vec<Person>,
    things: Vec<Thing>,
}

#[derive(Clone, Deserialize)]
struct Variant {
    sku: String,
    minutes: i64,
}

#[derive(Clone, Deserialize)]
struct Extra {
    name: String,
    names: BTreeMap<String, String>,
    /// In minor units.
    price: i64,
    minutes: i64,
}

#[derive(Clone, Deserialize)]
struct Person {
    key: String,
    name: String,
    gender: Gender,
    languages: BTreeMap<String, Vec<String>>,
    skills: BTreeMap<String, Vec<String>>,
    visits: i64,
    /// Monday first; empty for a day off.
    week: [String; 7],
    breaks: Vec<String>,
    /// Days off, counted from today.
    off: Vec<i64>,
    /// Of ten mornings and afternoons so many are taken.
    busy: i64,
}

#[derive(Clone, Deserialize)]
struct Thing {
    key: String,
    name: String,
}

/// Takes over the services of a JSON list, in whose products they are found by handle and SKU. A service whose product
/// does not exist is left out; doing it again brings it up to today, and takes nobody's time twice.
///
/// # Errors
/// When the list cannot be read or the database cannot be written.
pub async fn take_over(app: &App, list: &str) -> Result<()> {
    demo_venue::take_over::<Entry>(app, list, |tx, entry, now| Box::pin(write(tx, entry, now))).await
}

async fn write(tx: &mut Tx<'_>, entry: &Entry, now: i64) -> Result<()> {
    let Some(product) = entry.venue.product(tx, Kind::Visit).await? else { return Ok(()) };
    let zone = zone_around(&entry.venue.zone, now)?;
    let today = zone.local(now).date;
    entry.venue.write(tx, &product, &entry.policies()).await?;
    let mut variants: Vec<String> = Vec::new();
    for variant in &entry.variants {
        let sql = "select id from variant where product_id = $1 and sku = $2";
        let Some(row) = tx.optional(sql, args![&product, &variant.sku]).await? else { continue };
        let id: String = row.get("id")?;
        let sql = "insert into offer (variant_id, detail, version) values ($1, $2, 1)
            on conflict (variant_id) do update set detail = excluded.detail, version = offer.version + 1";
        tx.exec(sql, args![&id, text(&Offer::Visit(entry.service(variant)?))?]).await?;
        variants.push(id);
    }
    let mut all_hours = Schedule::default();
    for (place, person) in (0..).zip(&entry.people) {
        let schedule = person.schedule(today)?;
        for (all, own) in all_hours.week.iter_mut().zip(&schedule.week) {
            all.open.extend(&own.open);
        }
        let id = format!("{product}:{}", person.key);
        let resource = Resource { product: &product, id: &id, kind: "person", place, name: &person.name };
        resource.write(tx, &text(&person.profile())?, &schedule, &variants).await?;
        resource.occupy(tx, &person.taken(&schedule, &zone, (today, now), place)).await?;
    }
    // Things are there whenever anybody is.
    for (place, thing) in (0..).zip(&entry.things) {
        let id = format!("{product}:{}", thing.key);
        let resource = Resource { product: &product, id: &id, kind: "thing", place, name: &thing.name };
        resource.write(tx, "{}", &all_hours, &variants).await?;
    }
    Ok(())
}

impl Entry {
    fn policies(&self) -> Policies {
        Policies {
            cancellation: cancellation(&self.cancellation),
            limits: Limits {
                step_ms: self.step_minutes * MINUTE_MS,
                notice_ms: self.notice_minutes * MINUTE_MS,
                horizon_days: self.horizon_days,
            },
            ..Policies::default()
        }
    }

    fn service(&self, variant: &Variant) -> Result<Service> {
        let times = Visit::new(Times {
            duration: variant.minutes * MINUTE_MS,
            before: self.before_minutes * MINUTE_MS,
            after: self.after_minutes * MINUTE_MS,
            travel: self.travel_minutes * MINUTE_MS,
        });
        let add_on = |extra: &Extra| AddOn {
            name: extra.name.clone(),
            names: extra.names.clone(),
            price: Amount(extra.price),
            duration_ms: extra.minutes * MINUTE_MS,
        };
        Ok(Service {
            times: times.ok_or_else(|| wrong(&variant.sku))?,
            add_ons: self.add_ons.iter().map(add_on).collect(),
            at_home: self.at_home,
            basis: self.basis,
        })
    }
}

impl Person {
    fn profile(&self) -> Profile {
        Profile {
            gender: Some(self.gender),
            languages: self.languages.clone(),
            skills: self.skills.clone(),
            visits: self.visits,
        }
    }

    fn schedule(&self, today: LocalDate) -> Result<Schedule> {
        let mut schedule = Schedule::default();
        for (day, open) in schedule.week.iter_mut().zip(&self.week) {
            if !open.is_empty() {
                day.open.push(hours(open)?);
                day.breaks = self.breaks.iter().map(|text| hours(text)).collect::<Result<_>>()?;
            }
        }
        schedule.exceptions = self.off.iter().map(|days| (today.plus(*days), Day::default())).collect();
        Ok(schedule)
    }

    /// What of the next days is taken: some mornings and afternoons, more or less of each, and nothing that is over.
    fn taken(&self, schedule: &Schedule, zone: &Zone, (today, now): (LocalDate, i64), place: i64) -> Vec<Interval> {
        let within = Interval { start: zone.day(today).start, end: zone.day(today.plus(BUSY_DAYS)).start };
        let open = schedule.open(zone, within);
        // What has no break in it has a morning and an afternoon all the same.
        let halves = open.work.as_slice().iter().flat_map(|part| {
            let middle = part.start + part.length() / (2 * HOUR_MS) * HOUR_MS;
            let long = part.length() > 6 * HOUR_MS;
            let cut = if long { middle } else { part.end };
            [Interval { start: part.start, end: cut }, Interval { start: cut, end: part.end }]
        });
        let halves = halves.filter(|half| !half.is_empty() && within.contains(half.start)).enumerate();
        let some = halves.filter_map(|(number, half)| {
            let number = i64::try_from(number).unwrap_or(0);
            // Seven and ten have no factor in common: all of ten come in turn, for each person from another one on.
            let taken = (number * 7 + place * 3) % 10 < self.busy;
            let start = half.start + (number + place) % 3 * 30 * MINUTE_MS;
            let end = (start + (90 + (number * 5 + place) % 3 * 30) * MINUTE_MS).min(half.end);
            (taken && now < start && start < end).then_some(Interval { start, end })
        });
        some.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::samples::{date, shanghai, utc};

    #[test]
    fn some_of_everybodys_time_is_taken_and_none_outside_of_their_hours() {
        let list = include_str!("../../../demo/services.json");
        let entries: Vec<Entry> = serde_json::from_str(list).unwrap_or_default();
        assert_eq!(entries.len(), 10);
        let (today, now) = (date("2026-11-26"), utc("2026-11-26", 0));
        for entry in entries {
            assert!(entry.people.len() >= 2, "{}: somebody to choose from", entry.venue.handle);
            for variant in &entry.variants {
                assert!(entry.service(variant).is_ok(), "{}", variant.sku);
            }
            for (place, person) in (0..).zip(&entry.people) {
                let Ok(schedule) = person.schedule(today) else { panic!("{}: no schedule", person.key) };
                let taken = person.taken(&schedule, &shanghai(), (today, now), place);
                assert!(!taken.is_empty(), "{}: nothing to do", person.key);
                let within = Interval { start: now, end: utc("2026-12-31", 0) };
                let open = schedule.open(&shanghai(), within);
                assert!(taken.iter().all(|time| open.work.covers(*time)), "{}: works after hours", person.key);
                assert!(taken.windows(2).all(|pair| pair[0].end <= pair[1].start), "{}: in two places", person.key);
            }
        }
    }
}
