//! What the database knows of venues and their offers. Nothing is decided here.

use super::zone;
use crate::{
    args,
    domain::{
        Error, Result,
        booking::{
            DAY_MS,
            date::LocalDate,
            interval::Interval,
            offer::{Offer, Policies, Stop},
            rates::{Night, NightChange, RateCalendar, Season},
            schedule::Schedule,
            zone::Zone,
        },
        money::Amount,
    },
    server::{
        context::internal,
        db::{Args, Row, ToValue, Tx, placeholders},
    },
};
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// How far the clocks of a zone are known around now: for as long as anything is booked ahead.
const BEFORE_MS: i64 = 400 * DAY_MS;
const AHEAD_MS: i64 = 800 * DAY_MS;

/// A variant that can be booked, and its venue.
pub struct Offered {
    pub variant_id: String,
    pub product_id: String,
    /// That of the variant.
    pub price: Amount,
    /// Whether variant and product are sold.
    pub sold: bool,
    pub zone: Zone,
    /// The code of the division that it is in, or whose people it comes to.
    pub region: String,
    /// In words.
    pub address: String,
    pub policies: Policies,
    pub offer: Offer,
}

/// A departure with its stops.
pub struct Timetable {
    pub product_id: String,
    pub stops: Vec<Stop>,
    /// The names of all seats, where they are chosen.
    pub seats: Option<Vec<String>>,
}

/// A departure with its id.
pub struct Dated {
    pub id: String,
    pub timetable: Timetable,
}

/// Which departures are asked for.
pub struct Span<'a> {
    /// Those of a line; `None` for all that are sold.
    pub product_id: Option<&'a str>,
    /// Those that call at both places, in whatever order.
    pub calls: Option<(&'a str, &'a str)>,
    /// That leave from a moment up to, and without, another.
    pub from: i64,
    pub until: i64,
    /// At most so many, the first.
    pub limit: i64,
}

impl Span<'_> {
    /// All that leave from a moment on.
    pub const fn after(from: i64, limit: i64) -> Self {
        Self { product_id: None, calls: None, from, until: i64::MAX, limit }
    }
}

/// Somebody or something with the time that is taken of it.
pub struct Resource {
    pub id: String,
    pub name: String,
    /// JSON of what its kind has.
    pub detail: String,
    pub schedule: Schedule,
    pub taken: Vec<Interval>,
}

/// A zone by its name, for some years around a moment.
pub fn zone_around(name: &str, now: i64) -> Result<Zone> {
    let known = zone(name, now.saturating_sub(BEFORE_MS), now.saturating_add(AHEAD_MS));
    known.ok_or_else(|| internal("booking", &format!("there is no zone {name}")))
}

/// A variant with what is offered by it. `None` for one that is not booked.
pub async fn offered(tx: &mut Tx<'_>, variant_id: &str, now: i64) -> Result<Option<Offered>> {
    let sql = "select v.product_id, v.price, v.active, p.status, e.zone, e.region, e.address, e.policies, f.detail
        from variant v join product p on p.id = v.product_id join venue e on e.product_id = v.product_id
            join offer f on f.variant_id = v.id
        where v.id = $1";
    let Some(row) = tx.optional(sql, args![variant_id]).await? else { return Ok(None) };
    Ok(Some(Offered {
        variant_id: variant_id.to_owned(),
        product_id: row.get("product_id")?,
        price: Amount(row.get("price")?),
        sold: row.get("active")? && row.get::<String>("status")? == "active",
        zone: zone_around(&row.get::<String>("zone")?, now)?,
        region: row.get("region")?,
        address: row.get("address")?,
        policies: json(&row, "policies")?,
        offer: json(&row, "detail")?,
    }))
}

/// The calendar of a room type from one date to another, both included, and whether each night before the last date is in
/// it. A night that is not is closed.
pub async fn calendar(
    tx: &mut Tx<'_>,
    variant_id: &str,
    (first, last): (LocalDate, LocalDate),
) -> Result<(RateCalendar, bool)> {
    let base = Night {
        price: Amount::ZERO,
        min_nights: 1,
        max_nights: 1,
        closed_to_arrival: false,
        closed_to_departure: false,
        closed: true,
    };
    let sql = "select day, price, min_nights, max_nights, arrival, departure, open from rate
        where variant_id = $1 and day >= $2 and day <= $3 order by day";
    let (mut seasons, mut nights) = (Vec::new(), 0);
    for row in tx.all(sql, args![variant_id, first.day(), last.day()]).await? {
        let date = LocalDate::from_day(row.get("day")?);
        let change = NightChange {
            price: Some(Amount(row.get("price")?)),
            min_nights: Some(row.get("min_nights")?),
            max_nights: Some(row.get("max_nights")?),
            closed_to_arrival: Some(!row.get::<bool>("arrival")?),
            closed_to_departure: Some(!row.get::<bool>("departure")?),
            closed: Some(!row.get::<bool>("open")?),
        };
        nights += i64::from(date < last);
        seasons.push(Season { first: date, last: date, weekdays: [true; 7], change });
    }
    Ok((RateCalendar { base, seasons }, nights == first.until(last)))
}

/// What is left of each unit of a capacity that has one, the last unit not included.
pub async fn left(tx: &mut Tx<'_>, resource_id: &str, from: i64, until: i64) -> Result<HashMap<i64, i64>> {
    let sql = "select unit, total - claimed as free from capacity where resource_id = $1 and unit >= $2 and unit < $3";
    let rows = tx.all(sql, args![resource_id, from, until]).await?;
    rows.iter().map(|row| Ok((row.get("unit")?, row.get("free")?))).collect()
}

/// How much there is of each unit of a capacity, whoever has it, the last unit not included.
pub async fn total(tx: &mut Tx<'_>, resource_id: &str, from: i64, until: i64) -> Result<HashMap<i64, i64>> {
    let sql = "select unit, total from capacity where resource_id = $1 and unit >= $2 and unit < $3";
    let rows = tx.all(sql, args![resource_id, from, until]).await?;
    rows.iter().map(|row| Ok((row.get("unit")?, row.get("total")?))).collect()
}

/// How much of a unit is claimed; none of one that there is no row of.
pub async fn claimed(tx: &mut Tx<'_>, resource_id: &str, unit: i64) -> Result<i64> {
    let sql = "select claimed from capacity where resource_id = $1 and unit = $2";
    let row = tx.optional(sql, args![resource_id, unit]).await?;
    Ok(row.map(|row| row.get("claimed")).transpose()?.unwrap_or(0))
}

/// The units of a capacity in an interval of which some is claimed, each with how much.
pub async fn arriving(tx: &mut Tx<'_>, resource_id: &str, within: Interval) -> Result<Vec<(i64, i64)>> {
    let sql = "select unit, claimed from capacity where resource_id = $1 and unit >= $2 and unit < $3 and claimed > 0";
    let rows = tx.all(sql, args![resource_id, within.start, within.end]).await?;
    rows.iter().map(|row| Ok((row.get("unit")?, row.get("claimed")?))).collect()
}

/// A departure by its id.
pub async fn departure(tx: &mut Tx<'_>, id: &str) -> Result<Option<Timetable>> {
    let sql = "select product_id, stops, seats from departure where id = $1";
    tx.optional(sql, args![id]).await?.as_ref().map(timetable).transpose()
}

/// Departures of lines that are sold, in the order in which they leave.
pub async fn departing(tx: &mut Tx<'_>, span: &Span<'_>) -> Result<Vec<Dated>> {
    // Each place as it stands in the JSON of the stops.
    let call = |place: &str| -> Result<String> {
        let place = serde_json::to_string(place).map_err(|e| internal("departure", &e))?;
        Ok(format!("\"place\":{place}"))
    };
    let (from, to) = match span.calls {
        Some((from, to)) => (Some(call(from)?), Some(call(to)?)),
        None => (None, None),
    };
    let sql = "select d.id, d.product_id, d.stops, d.seats from departure d join product p on p.id = d.product_id
        where p.status = 'active' and d.leaves_at >= $1 and d.leaves_at < $2 and ($3 is null or d.product_id = $3)
            and ($4 is null or replace(d.stops, $4, '') <> d.stops) and ($5 is null or replace(d.stops, $5, '') <> d.stops)
        order by d.leaves_at, d.id limit $6";
    let rows = tx.all(sql, args![span.from, span.until, span.product_id, from, to, span.limit]).await?;
    rows.iter().map(|row| Ok(Dated { id: row.get("id")?, timetable: timetable(row)? })).collect()
}

fn timetable(row: &Row) -> Result<Timetable> {
    let seats = match row.get::<Option<String>>("seats")? {
        Some(_) => Some(json(row, "seats")?),
        None => None,
    };
    Ok(Timetable { product_id: row.get("product_id")?, stops: json(row, "stops")?, seats })
}

/// Which seats of a departure are taken on one of some legs, by the ids under which they are claimed.
pub async fn taken_seats(tx: &mut Tx<'_>, seats: &[String], (from, until): (i64, i64)) -> Result<Vec<String>> {
    if seats.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "select distinct resource_id from calendar_cell where cell_start >= $1 and cell_start < $2 and resource_id in ({})",
        placeholders(3, seats.len())
    );
    let mut args = args![from, until];
    args.extend(seats.iter().map(ToValue::to_value));
    tx.all(sql, args).await?.iter().map(|row| Ok(row.get("resource_id")?)).collect()
}

/// The active people, tables or things of a venue in their order, with the time that is taken of them in an interval;
/// with a variant those that are for it.
pub async fn resources(
    tx: &mut Tx<'_>,
    product_id: &str,
    kind: &'static str,
    variant_id: Option<&str>,
    within: Interval,
) -> Result<Vec<Resource>> {
    let sql = "select r.id, r.name, r.detail, r.schedule from resource r
        where r.product_id = $1 and r.kind = $2 and r.active and ($3 is null or exists (
            select 1 from resource_offer f where f.resource_id = r.id and f.variant_id = $3))
        order by r.position, r.id";
    let rows = tx.all(sql, args![product_id, kind, variant_id]).await?;
    let resource = |row: &Row| -> Result<Resource> {
        Ok(Resource {
            id: row.get("id")?,
            name: row.get("name")?,
            detail: row.get("detail")?,
            schedule: json(row, "schedule")?,
            taken: Vec::new(),
        })
    };
    let mut found: Vec<Resource> = rows.iter().map(resource).collect::<Result<_>>()?;
    if found.is_empty() {
        return Ok(found);
    }
    let sql = format!(
        "select resource_id, start_at, end_at from claim
        where state in ('active', 'taken') and kind = 'time' and start_at < $1 and end_at > $2 and resource_id in ({})",
        placeholders(3, found.len())
    );
    let mut args: Args = args![within.end, within.start];
    args.extend(found.iter().map(|resource| (&resource.id).to_value()));
    for row in tx.all(sql, args).await? {
        let (id, time): (String, _) =
            (row.get("resource_id")?, Interval { start: row.get("start_at")?, end: row.get("end_at")? });
        if let Some(resource) = found.iter_mut().find(|resource| resource.id == id) {
            resource.taken.push(time);
        }
    }
    Ok(found)
}

/// A column that is JSON.
pub fn json<T: DeserializeOwned>(row: &Row, column: &str) -> Result<T, Error> {
    serde_json::from_str(&row.get::<String>(column)?).map_err(|e| internal("database", &e))
}
