//! Departures that come again: those of each day are made as far ahead as the line takes bookings.

use super::store::zone_around;
use crate::{
    args,
    domain::{
        Error, Result,
        booking::{
            date::LocalDate,
            offer::{Offer, Policies, Stop},
            timetable::Pattern,
            zone::Zone,
        },
    },
    server::{App, context::internal, db::Tx},
};
use std::collections::HashMap;

/// How many days of a line are made in one transaction.
const BATCH_DAYS: i64 = 30;
/// Before the first day of which departures are made.
pub const NEVER: i64 = -1;

/// Makes the departures that are missing; answers with how many. Running twice is once: a day is made by whoever comes
/// first, and a departure has its key and date as its id. A timetable that is not what it should be is in the log.
///
/// # Errors
/// When the database cannot be reached.
pub async fn run_due(app: &App, now: i64) -> Result<u64> {
    let sql = "select t.product_id, t.key from timetable t join product p on p.id = t.product_id
        where p.status = 'active' order by t.product_id, t.key";
    let mut made = 0;
    for row in app.db.all(sql, args![]).await? {
        let (product, key): (String, String) = (row.get("product_id")?, row.get("key")?);
        loop {
            let (product, key) = (product.clone(), key.clone());
            let done = app.db.write::<_, Error>(move |tx| {
                let (product, key) = (product.clone(), key.clone());
                Box::pin(async move { make(tx, &product, &key, now).await })
            });
            match done.await {
                Ok((departures, more)) => {
                    made += departures;
                    if !more {
                        break;
                    }
                }
                // One that cannot be made must not keep the lines after it from leaving.
                Err(error) => {
                    tracing::error!(%error, "departures of a timetable could not be made");
                    break;
                }
            }
        }
    }
    Ok(made)
}

/// Makes some days of a timetable; answers with how many departures there are more, and whether days are left.
async fn make(tx: &mut Tx<'_>, product: &str, key: &str, now: i64) -> Result<(u64, bool)> {
    let sql = "select t.pattern, t.made_until, e.policies from timetable t join venue e on e.product_id = t.product_id
        where t.product_id = $1 and t.key = $2";
    let Some(row) = tx.optional(sql, args![product, key]).await? else { return Ok((0, false)) };
    let wrong = |e: serde_json::Error| internal("timetable", &e);
    let pattern: Pattern = serde_json::from_str(&row.get::<String>("pattern")?).map_err(wrong)?;
    let policies: Policies = serde_json::from_str(&row.get::<String>("policies")?).map_err(wrong)?;
    let mut zones: HashMap<String, Zone> = HashMap::new();
    for stop in &pattern.stops {
        if !zones.contains_key(&stop.zone) {
            zones.insert(stop.zone.clone(), zone_around(&stop.zone, now)?);
        }
    }
    let Some(first) = pattern.stops.first().and_then(|stop| zones.get(&stop.zone)) else { return Ok((0, false)) };
    let today = first.local(now).date;
    let last = today.plus(policies.limits.horizon_days);
    let from = LocalDate::from_day(row.get::<i64>("made_until")?.saturating_add(1)).max(today);
    if from > last {
        return Ok((0, false));
    }
    let until = from.plus(BATCH_DAYS - 1).min(last);
    let quotas = quotas(tx, product).await?;
    let mut made = 0;
    for date in from.up_to(until.plus(1)) {
        if let Some(stops) = pattern.on(date, |name| zones.get(name).cloned()) {
            made +=
                u64::from(insert(tx, product, &format!("{product}:{key}:{date}"), &stops, &pattern, &quotas).await?);
        }
    }
    let sql = "update timetable set made_until = $3 where product_id = $1 and key = $2 and made_until < $3";
    tx.exec(sql, args![product, key, until.day()]).await?;
    Ok((made, until < last))
}

/// The fares of a line of which only some seats are sold, with how many.
async fn quotas(tx: &mut Tx<'_>, product: &str) -> Result<Vec<(String, i64)>> {
    let sql =
        "select f.variant_id, f.detail from offer f join variant v on v.id = f.variant_id where v.product_id = $1";
    let mut quotas = Vec::new();
    for row in tx.all(sql, args![product]).await? {
        let offer: Offer =
            serde_json::from_str(&row.get::<String>("detail")?).map_err(|e| internal("timetable", &e))?;
        if let Offer::Trip(fare) = offer
            && let Some(quota) = fare.quota
        {
            quotas.push((row.get("variant_id")?, quota));
        }
    }
    Ok(quotas)
}

/// Makes a departure and what is counted of it; false where it is there.
async fn insert(
    tx: &mut Tx<'_>,
    product: &str,
    id: &str,
    stops: &[Stop],
    pattern: &Pattern,
    quotas: &[(String, i64)],
) -> Result<bool> {
    let (Some(first), Some(last)) = (stops.first(), stops.last()) else { return Ok(false) };
    let text = serde_json::to_string(stops).map_err(|e| internal("timetable", &e))?;
    let seats = pattern.seats.as_ref().map(serde_json::to_string).transpose();
    let seats = seats.map_err(|e| internal("timetable", &e))?;
    let sql = "insert into departure (id, product_id, stops, leaves_at, arrives_at, seats, version)
        values ($1, $2, $3, $4, $5, $6, 1) on conflict (id) do nothing";
    if tx.exec(sql, args![id, product, text, first.leaves_at, last.arrives_at, seats]).await? == 0 {
        return Ok(false);
    }
    let sql = "insert into capacity (resource_id, unit, total, claimed) values ($1, $2, $3, 0)
        on conflict (resource_id, unit) do nothing";
    if pattern.seats.is_none() {
        for leg in (0_i64..).take(stops.len().saturating_sub(1)) {
            tx.exec(sql, args![id, leg, pattern.places]).await?;
        }
    }
    for (variant, quota) in quotas {
        tx.exec(sql, args![format!("{id}:{variant}"), 0_i64, *quota]).await?;
    }
    Ok(true)
}
