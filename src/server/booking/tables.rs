//! The free times of a restaurant, and those of all restaurants: hours − exceptions − breaks − claims, the smallest tables
//! that a party fits, alone or joined, and a kitchen that keeps up.

use super::{
    claim::{Claim, What},
    quote::{self, Asked, By},
    store::{self, Offered, Resource},
};
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        booking::{
            DAY_MS,
            cancellation::Booked,
            date::LocalDate,
            interval::Interval,
            offer::Offer,
            seating::{DAYS_AFTER, DAYS_BEFORE, Restaurant, RestaurantList, SittingList, TableAsk, TableTime, nearest},
            slots::{Availability, Search, Times, Visit},
            stay::MAX_GUESTS,
            tables::{Floor, Pacing, Party, PartyProblem, PartyTerms, QUARTER_MS, Sitting, Table},
            wish::Wish,
            zone::Zone,
        },
        error::Problem,
    },
    server::{
        Ctx,
        catalog::{image, in_locale, rating},
        context::internal,
        db::Tx,
        divisions::Divisions,
    },
};
use std::cmp::Reverse;

/// The most restaurants that a search looks at, those that sell best first.
const MAX_RESTAURANTS: i64 = 100;
/// How many times of each a list shows.
const SHOWN_TIMES: usize = 5;

/// The tables of a restaurant with what is taken of them, and who arrives when, for visits that begin in an interval.
struct House {
    resources: Vec<Resource>,
    floor: Floor,
    pacing: Pacing,
    within: Interval,
}

impl House {
    /// `before` is what is to be claimed besides.
    async fn open(tx: &mut Tx<'_>, offered: &Offered, within: Interval, before: &[Claim]) -> Result<Self> {
        let reach = Availability::reach(within);
        let mut resources = store::resources(tx, &offered.product_id, "table", None, reach).await?;
        let tables: Vec<Table> = resources
            .iter()
            .map(|table| serde_json::from_str(&table.detail))
            .collect::<Result<_, _>>()
            .map_err(|e: serde_json::Error| internal("database", &e))?;
        let quarters = Interval { start: within.start.saturating_sub(QUARTER_MS), end: within.end };
        let mut arriving = store::arriving(tx, &offered.product_id, quarters).await?;
        for Claim { resource_id, what } in before {
            match *what {
                What::Count { from, quantity, .. } if *resource_id == offered.product_id => {
                    arriving.push((from, quantity))
                }
                What::Time(time) => {
                    let table = resources.iter_mut().find(|table| table.id == *resource_id);
                    if let Some(table) = table {
                        table.taken.push(time);
                    }
                }
                What::Count { .. } | What::Seat { .. } => {}
            }
        }
        let pacing = Pacing::new(offered.policies.pacing, arriving);
        Ok(Self { resources, floor: Floor::new(tables), pacing, within })
    }

    /// The areas in the order of the tables.
    fn areas(&self) -> Vec<String> {
        let mut areas: Vec<String> = Vec::new();
        for table in self.floor.tables() {
            if !areas.contains(&table.area) {
                areas.push(table.area.clone());
            }
        }
        areas
    }

    /// Where somebody sits.
    fn area_of(&self, sitting: &Sitting) -> Option<String> {
        let table = self.floor.tables().get(*sitting.tables.first()?)?;
        Some(table.area.clone())
    }

    /// When a party can come.
    fn sittings(&self, offered: &Offered, visit: Visit, now: i64, party: Party<'_>) -> Vec<Sitting> {
        let (zone, within) = (&offered.zone, self.within);
        let each: Vec<_> = self
            .resources
            .iter()
            .map(|table| Availability::new(&table.schedule, zone, within, table.taken.iter().copied()))
            .collect();
        let venue = Availability::new(&offered.policies.hours, zone, within, []);
        let search = Search::new(visit, &offered.policies.limits, zone, now, within);
        self.floor.sittings(&venue, &each, &self.pacing, &search, party)
    }
}

/// The free times of a restaurant on a date for a party; today unless a date is asked for. Where a time is asked for that
/// cannot be had, what is nearest to it: other times, other areas, other days.
///
/// # Errors
/// [`Error::NotFound`] for what is no table, [`Error::Invalid`] for a party that nobody is and for an area that there is
/// not.
pub async fn sittings(ctx: &Ctx, variant_id: &str, asked: &TableAsk) -> Result<SittingList> {
    check_guests(asked.guests)?;
    let (variant, asked, now) = (variant_id.to_owned(), asked.clone(), ctx.now);
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let (variant, asked) = (variant.clone(), asked.clone());
            Box::pin(async move {
                let offered = store::offered(tx, &variant, now).await?.filter(|offered| offered.sold);
                let offered = offered.filter(|offered| offered.offer == Offer::Table).ok_or(Error::NotFound)?;
                list(tx, &offered, &asked, (&[], now)).await
            })
        })
        .await
}

/// The restaurants of a place with the times of a date that a party can have, those with any first.
///
/// # Errors
/// [`Error::Invalid`] for a party that nobody is.
pub async fn restaurants(ctx: &Ctx, asked: &TableAsk) -> Result<RestaurantList> {
    check_guests(asked.guests)?;
    let (app, locale, now, asked) = (ctx.app.clone(), ctx.locale, ctx.now, asked.clone());
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let (app, asked) = (app.clone(), asked.clone());
            Box::pin(async move {
                let today = store::zone_around(super::zone::OF_THE_SHOP, now)?.local(now).date;
                let date = asked.date.unwrap_or(today);
                let sql = format!(
                    "select v.id as variant_id, p.handle, p.image, p.rating_sum, p.rating_count, e.region, e.address, {} as title, {} as lead
                    from product p join venue e on e.product_id = p.id
                        join variant v on v.product_id = p.id and v.active
                    where p.kind = 'table' and p.status = 'active' order by p.sales desc, p.id, v.position limit $2",
                    in_locale!("title"),
                    in_locale!("seo_description")
                );
                let (mut places, mut restaurants): (Vec<(String, String)>, Vec<Restaurant>) = Default::default();
                for row in tx.all(sql, args![locale.tag(), MAX_RESTAURANTS]).await? {
                    let region: String = row.get("region")?;
                    let code = app.divisions.path(&region).map_or(region, |(_, city)| city);
                    let known = places.iter().find(|(place, _)| *place == code).map(|(_, name)| name.clone());
                    let city = known.unwrap_or_else(|| {
                        let name = city_name(&app.divisions, &code, locale);
                        places.push((code.clone(), name.clone()));
                        name
                    });
                    if asked.place.as_ref().is_some_and(|place| *place != code) {
                        continue;
                    }
                    let variant: String = row.get("variant_id")?;
                    let Some(offered) = store::offered(tx, &variant, now).await? else { continue };
                    if offered.offer != Offer::Table {
                        continue;
                    }
                    let wanted = asked.time.map(|minute| offered.zone.at(date, minute));
                    let looked = TableAsk { date: Some(date), time: None, area: None, ..asked.clone() };
                    let found = list(tx, &offered, &looked, (&[], now)).await?;
                    restaurants.push(Restaurant {
                        handle: row.get("handle")?,
                        title: row.get("title")?,
                        lead: row.get("lead")?,
                        image: image(&row, "image")?,
                        rating: rating(&row)?,
                        city,
                        address: row.get("address")?,
                        zone: found.zone.clone(),
                        times: around(found.times, wanted),
                    });
                }
                restaurants.sort_by_key(|restaurant| Reverse(!restaurant.times.is_empty()));
                Ok(RestaurantList { today, date, places, restaurants })
            })
        })
        .await
}

fn check_guests(guests: i64) -> Result<()> {
    match guests {
        1..=MAX_GUESTS => Ok(()),
        _ => Err(Error::field("guests", Problem::Range(1, MAX_GUESTS))),
    }
}

/// What is nearest to a table that cannot be had any more, beside what is to be claimed as well: wishes with their
/// beginnings (UTC milliseconds), the nearest first; none for what is no table.
///
/// # Errors
/// When the database cannot be read.
pub async fn near(
    tx: &mut Tx<'_>,
    variant_id: &str,
    wish: &Wish,
    (before, now): (&[Claim], i64),
) -> Result<Vec<(Wish, i64)>> {
    let Wish::Table { start, guests, area, requests } = wish else { return Ok(Vec::new()) };
    let offered = store::offered(tx, variant_id, now).await?.filter(|offered| offered.sold);
    let Some(offered) = offered.filter(|offered| offered.offer == Offer::Table) else { return Ok(Vec::new()) };
    let local = offered.zone.local(*start);
    let area = area.clone();
    let asked =
        TableAsk { date: Some(local.date), time: Some(local.minute), guests: *guests, area, ..TableAsk::default() };
    let found = match list(tx, &offered, &asked, (before, now)).await {
        // The area is none of the restaurant any more.
        Err(Error::Invalid(_)) => return Ok(Vec::new()),
        found => found?,
    };
    let wish = |TableTime { start, area, .. }: TableTime| {
        let wish = Wish::Table { start, guests: *guests, area, requests: requests.clone() };
        (wish, start)
    };
    Ok(found.nearest.into_iter().map(wish).collect())
}

async fn list(
    tx: &mut Tx<'_>,
    offered: &Offered,
    asked: &TableAsk,
    (before, now): (&[Claim], i64),
) -> Result<SittingList> {
    let (zone, policies) = (&offered.zone, &offered.policies);
    let today = zone.local(now).date;
    let date = asked.date.unwrap_or(today);
    let wanted = asked.time.map(|minute| zone.at(date, minute));
    let day = zone.day(date);
    let within = match wanted {
        Some(_) => Interval {
            start: day.start.saturating_sub(DAYS_BEFORE * DAY_MS),
            end: day.end.saturating_add(DAYS_AFTER * DAY_MS),
        },
        None => day,
    };
    let house = House::open(tx, offered, within, before).await?;
    let areas = house.areas();
    if asked.area.as_ref().is_some_and(|area| !areas.contains(area)) {
        return Err(Error::field("area", Problem::Choice));
    }
    let (terms, largest) = match &policies.party {
        Some(rules) => (rules.terms(asked.guests), rules.largest),
        None => (Err(PartyProblem::Closed), 0),
    };
    let mut found = SittingList {
        zone: zone.clone(),
        today,
        last: today.plus(policies.limits.horizon_days),
        date,
        guests: asked.guests,
        largest,
        areas,
        terms,
        free_before_ms: 0,
        times: Vec::new(),
        wanted,
        nearest: Vec::new(),
        waits: false,
    };
    let visit = terms
        .ok()
        .and_then(|PartyTerms { duration_ms, .. }| Visit::new(Times { duration: duration_ms, ..Times::default() }));
    let Some(visit) = visit else { return Ok(found) };
    let party = Party { guests: asked.guests, area: asked.area.as_deref() };
    let here = house.sittings(offered, visit, now, party);
    let time = |sitting: &Sitting| TableTime { start: sitting.start, end: sitting.end, area: asked.area.clone() };
    found.times = here.iter().filter(|sitting| day.contains(sitting.start)).map(time).collect();
    if let Some(wanted) = wanted.filter(|wanted| !found.times.iter().any(|time| time.start == *wanted)) {
        let elsewhere = match party.area {
            Some(_) => house.sittings(offered, visit, now, Party { area: None, ..party }),
            None => Vec::new(),
        };
        found.nearest = nearest(&here, &elsewhere, party.area, wanted, |sitting| house.area_of(sitting));
        let area = asked.area.clone();
        let wish = Wish::Table { start: wanted, guests: asked.guests, area, requests: Vec::new() };
        let asked = Asked { variant_id: &offered.variant_id, wish: &wish, before: &[], now, by: By::Waiting };
        found.waits = quote::quote(tx, &asked).await?.is_available();
    }
    found.free_before_ms = free_before(offered, zone, &found);
    Ok(found)
}

/// How long before the beginning of any of the listed times giving it up costs nothing.
fn free_before(offered: &Offered, zone: &Zone, found: &SittingList) -> i64 {
    let paid = found.terms.map(|terms| terms.deposit).unwrap_or_default();
    let before = |time: &TableTime| {
        let date: LocalDate = zone.local(time.start).date;
        let booked = Booked { date, start: time.start, paid, nights: &[] };
        time.start.saturating_sub(offered.policies.cancellation.free_until(&booked, zone))
    };
    found.times.iter().chain(&found.nearest).map(before).max().unwrap_or(0)
}

/// Some of these times: those nearest to the wanted one, the first where none was asked for.
fn around(mut times: Vec<TableTime>, wanted: Option<i64>) -> Vec<TableTime> {
    if let Some(wanted) = wanted {
        times.sort_by_key(|time| (time.start.abs_diff(wanted), time.start));
    }
    times.truncate(SHOWN_TIMES);
    times.sort_by_key(|time| time.start);
    times
}

/// The name of a city without what it lies in, which follows it in English and comes before it in Chinese. A code that
/// nobody knows is a name.
fn city_name(divisions: &Divisions, code: &str, locale: Locale) -> String {
    let name = divisions.name(code, locale);
    let city = match locale {
        Locale::ZhCn => name.rsplit(' ').next(),
        Locale::En => name.split(", ").next(),
    };
    city.filter(|city| !city.is_empty()).unwrap_or(code).to_owned()
}
