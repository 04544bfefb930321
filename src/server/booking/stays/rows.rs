//! The rows that a search for rooms goes through, from few to many: houses, their room types, the nights of these.

use super::places;
use crate::{
    args,
    domain::{
        Result,
        booking::{
            date::LocalDate,
            lodging::{NEAR_DAYS, RoomNight, RoomNights},
            offer::{Policies, RoomType},
            rates::Night,
            schedule::Limits,
            stay::Stay,
            zone::Zone,
        },
        money::Amount,
    },
    server::{
        booking::store,
        catalog::like,
        context::internal,
        db::{Args, Row, ToValue, Tx, lists, placeholders},
        divisions::Divisions,
    },
};
use serde::Deserialize;
use std::collections::HashMap;

/// The most words by which a house is found.
const MAX_WORDS: usize = 5;
/// So many days have a bit each in a number that both databases add up: the sign is none, and sums stay below the largest.
const BITS: i64 = 62;

/// A house that a search looks at.
pub(super) struct Venue {
    pub(super) id: String,
    pub(super) zone: Zone,
    /// For how many days it takes bookings.
    pub(super) horizon_days: i64,
}

/// The one rule that a search asks every house for. All of them are read of those that are shown.
#[derive(Deserialize)]
struct Ahead {
    limits: Option<Limits>,
}

/// A room type of a house, by its place in the list.
pub(super) struct Type {
    pub(super) variant_id: String,
    pub(super) venue: usize,
    pub(super) room: RoomType,
}

impl Venue {
    /// Today there, and the last date on which a stay may begin.
    pub(super) fn bounds(&self, now: i64) -> (LocalDate, LocalDate) {
        bounds(&self.zone, self.horizon_days, now)
    }

    pub(super) fn is_in_time(&self, stay: Stay, now: i64) -> bool {
        let (today, last) = self.bounds(now);
        (today..=last).contains(&stay.arrival())
    }
}

/// Today there, and the last date on which a stay may begin.
pub(super) fn bounds(zone: &Zone, horizon_days: i64, now: i64) -> (LocalDate, LocalDate) {
    let today = zone.local(now).date;
    (today, today.plus(horizon_days))
}

/// The houses of a place, those that are booked most first. What names no place finds houses by their words.
pub(super) async fn venues(tx: &mut Tx<'_>, divisions: &Divisions, place: &str, now: i64) -> Result<Vec<Venue>> {
    // The order of the join is told, because there are few venues among many products.
    let mut sql = String::from(
        "select p.id, e.zone, e.policies from venue e cross join product p
        where p.id = e.product_id and p.kind = 'stay' and p.status = 'active'",
    );
    let mut args = Args::new();
    if !place.trim().is_empty() {
        let regions = places::regions(tx, divisions, place).await?;
        if regions.is_empty() {
            for word in place.split_whitespace().take(MAX_WORDS) {
                args.push(like(word).to_value());
                sql.push_str(&format!(
                    " and exists (select 1 from product_text w where w.product_id = p.id and w.words like ${} escape '\\')",
                    args.len()
                ));
            }
        } else {
            sql.push_str(&format!(" and e.region in ({})", placeholders(1, regions.len())));
            args.extend(regions.iter().map(|region| region.to_value()));
        }
    }
    sql.push_str(" order by p.sales desc, p.id");
    let mut zones: HashMap<String, Zone> = HashMap::new();
    let mut venues = Vec::new();
    for row in tx.all(sql, args).await? {
        let name: String = row.get("zone")?;
        let zone = match zones.get(&name) {
            Some(zone) => zone.clone(),
            None => {
                let zone = store::zone_around(&name, now)?;
                zones.insert(name, zone.clone());
                zone
            }
        };
        venues.push(Venue { id: row.get("id")?, zone, horizon_days: horizon_days(&row)? });
    }
    Ok(venues)
}

fn horizon_days(row: &Row) -> Result<i64> {
    let ahead: Ahead = serde_json::from_str(&row.get::<String>("policies")?).map_err(|e| internal("database", &e))?;
    Ok(ahead.limits.unwrap_or_else(|| Policies::default().limits).horizon_days)
}

/// The rules of a house.
pub(super) fn policies(row: &Row) -> Result<Policies> {
    serde_json::from_str(&row.get::<String>("policies")?).map_err(|e| internal("database", &e))
}

/// What a product of the kind `stay` offers are room types.
fn room_type(row: &Row) -> Result<RoomType> {
    serde_json::from_str(&row.get::<String>("detail")?).map_err(|e| internal("database", &e))
}

/// The room types of houses that are sold, in their order.
pub(super) async fn types(tx: &mut Tx<'_>, venues: &[Venue]) -> Result<Vec<Type>> {
    let ids: Vec<_> = venues.iter().map(|venue| venue.id.clone()).collect();
    let places: HashMap<&str, usize> =
        venues.iter().enumerate().map(|(place, venue)| (venue.id.as_str(), place)).collect();
    let mut types = Vec::new();
    for (list, args) in lists(&ids) {
        let sql = format!(
            "select v.id, v.product_id, f.detail from variant v join offer f on f.variant_id = v.id
            where v.active and v.product_id in {list} order by v.product_id, v.position, v.id"
        );
        for row in tx.all(sql, args).await? {
            if let Some(venue) = places.get(row.get::<String>("product_id")?.as_str()) {
                types.push(Type { variant_id: row.get("id")?, venue: *venue, room: room_type(&row)? });
            }
        }
    }
    Ok(types)
}

/// Of room types in which so many rooms can be had for all nights of a stay: what one room costs in all nights together,
/// and how many rooms are left. It is what [`RoomNights::prices`] decides, for many room types at once.
pub(super) async fn free(
    tx: &mut Tx<'_>,
    ids: &[String],
    stay: Stay,
    rooms: i64,
) -> Result<HashMap<String, (Amount, i64)>> {
    // What is full is left out before anybody asks for its rates: each of the two tables is gone through once, by its key.
    let left = left(tx, ids, stay, rooms).await?;
    let open: Vec<_> = ids.iter().filter(|id| left.contains_key(*id)).cloned().collect();
    let mut free = HashMap::new();
    for (list, mut args) in lists(&open) {
        let first = args.len() + 1;
        args.extend(args![stay.arrival().day(), stay.departure().day(), stay.nights()]);
        // The date of departure is no night, and its row may be missing; where it is there, it may forbid to leave.
        let sql = format!(
            "select r.variant_id, cast(sum(case when r.day < ${departure} then r.price else 0 end) as bigint) as price
            from rate r where r.variant_id in {list} and r.day >= ${arrival} and r.day <= ${departure}
            group by r.variant_id
            having sum(case when r.day < ${departure} and r.open then 1 else 0 end) = ${nights}
                and min(case
                    when r.day = ${arrival} then
                        case when r.arrival and r.min_nights <= ${nights} and r.max_nights >= ${nights} then 1 else 0 end
                    when r.day = ${departure} and not r.departure then 0
                    else 1 end) = 1",
            arrival = first,
            departure = first + 1,
            nights = first + 2,
        );
        for row in tx.all(sql, args).await? {
            let variant: String = row.get("variant_id")?;
            if let Some(left) = left.get(&variant) {
                free.insert(variant, (Amount(row.get("price")?), *left));
            }
        }
    }
    Ok(free)
}

/// How many rooms are left for all nights of a stay, of those room types of which there are so many.
async fn left(tx: &mut Tx<'_>, ids: &[String], stay: Stay, rooms: i64) -> Result<HashMap<String, i64>> {
    let mut left = HashMap::new();
    for (list, mut args) in lists(ids) {
        let first = args.len() + 1;
        args.extend(args![stay.arrival().day(), stay.departure().day(), stay.nights(), rooms]);
        let sql = format!(
            "select c.resource_id, min(c.total - c.claimed) as free from capacity c
            where c.resource_id in {list} and c.unit >= ${first} and c.unit < ${departure}
            group by c.resource_id
            having count(*) = ${nights} and min(c.total - c.claimed) >= ${rooms}",
            departure = first + 1,
            nights = first + 2,
            rooms = first + 3,
        );
        for row in tx.all(sql, args).await? {
            left.insert(row.get("resource_id")?, row.get("free")?);
        }
    }
    Ok(left)
}

/// The days around a stay in a room type, a bit for each, the first one in the lowest.
pub(super) struct Around {
    first: LocalDate,
    /// So many rooms as are wanted can be slept in.
    sleep: i64,
    /// Who comes may stay as long as is wanted.
    arrive: i64,
    /// Nobody leaves.
    kept: i64,
}

impl Around {
    /// Whether a stay can be had that is as long as the one around which this is, and not too far from it.
    pub(super) fn has(&self, stay: Stay) -> bool {
        let from = self.first.until(stay.arrival());
        let until = from + stay.nights();
        if from < 0 || until >= BITS {
            return false;
        }
        let nights = ((1_i64 << stay.nights()) - 1) << from;
        (self.sleep & nights) == nights && (self.arrive >> from) & 1 == 1 && (self.kept >> until) & 1 == 0
    }
}

/// What of [`NEAR_DAYS`] before and after a stay can be had, of room types in which anything can; a row of each instead of
/// all of its nights. `None` for a stay that is too long for that.
pub(super) async fn around(
    tx: &mut Tx<'_>,
    ids: &[String],
    stay: Stay,
    rooms: i64,
) -> Result<Option<HashMap<String, Around>>> {
    if stay.nights() + 2 * NEAR_DAYS >= BITS {
        return Ok(None);
    }
    let (first, last) = (stay.arrival().plus(-NEAR_DAYS), stay.departure().plus(NEAR_DAYS));
    let mut sleep: HashMap<String, i64> = HashMap::new();
    for (list, mut args) in lists(ids) {
        let next = args.len() + 1;
        args.extend(args![first.day(), last.day(), rooms]);
        let sql = format!(
            "select c.resource_id, {free} as free from capacity c
            where c.resource_id in {list} and c.unit >= ${next} and c.unit < ${end} group by c.resource_id",
            free = bits(&format!("c.total - c.claimed >= ${}", next + 2), &format!("c.unit - ${next}")),
            end = next + 1,
        );
        for row in tx.all(sql, args).await? {
            let free: i64 = row.get("free")?;
            if has_run(free, stay.nights()) {
                sleep.insert(row.get("resource_id")?, free);
            }
        }
    }
    let some: Vec<_> = ids.iter().filter(|id| sleep.contains_key(*id)).cloned().collect();
    let mut found = HashMap::new();
    for (list, mut args) in lists(&some) {
        let next = args.len() + 1;
        args.extend(args![first.day(), last.day(), stay.nights()]);
        let (day, nights) = (format!("r.day - ${next}"), next + 2);
        let sql = format!(
            "select r.variant_id, {open} as sleep, {arrive} as arrive, {kept} as kept from rate r
            where r.variant_id in {list} and r.day >= ${next} and r.day <= ${end} group by r.variant_id",
            open = bits("r.open", &day),
            arrive = bits(&format!("r.arrival and r.min_nights <= ${nights} and r.max_nights >= ${nights}"), &day),
            kept = bits("not r.departure", &day),
            end = next + 1,
        );
        for row in tx.all(sql, args).await? {
            let variant: String = row.get("variant_id")?;
            let sleep = sleep.get(&variant).copied().unwrap_or_default() & row.get::<i64>("sleep")?;
            found.insert(variant, Around { first, sleep, arrive: row.get("arrive")?, kept: row.get("kept")? });
        }
    }
    Ok(Some(found))
}

/// SQL for a number that has the bit of each day for which something holds; a day comes once.
fn bits(holds: &str, day: &str) -> String {
    format!("cast(sum(case when {holds} then cast(1 as bigint) << cast({day} as integer) else 0 end) as bigint)")
}

/// Whether so many bits in a row are set.
const fn has_run(bits: i64, length: i64) -> bool {
    let (mut rest, mut longer) = (bits, 1);
    while longer < length {
        rest &= rest >> 1;
        longer += 1;
    }
    rest != 0
}

/// The nights of room types from one date to another, both included.
pub(super) async fn nights_of(
    tx: &mut Tx<'_>,
    ids: &[String],
    (first, last): (LocalDate, LocalDate),
) -> Result<HashMap<String, RoomNights>> {
    let mut nights: HashMap<String, RoomNights> = HashMap::new();
    for (list, mut args) in lists(ids) {
        let next = args.len() + 1;
        args.extend(args![first.day(), last.day()]);
        let sql = format!(
            "select r.variant_id, r.day, r.price, r.min_nights, r.max_nights, r.arrival, r.departure, r.open,
                coalesce(c.total - c.claimed, 0) as free
            from rate r left join capacity c on c.resource_id = r.variant_id and c.unit = r.day
            where r.variant_id in {list} and r.day >= ${next} and r.day <= ${end}",
            end = next + 1,
        );
        for row in tx.all(sql, args).await? {
            let night = Night {
                price: Amount(row.get("price")?),
                min_nights: row.get("min_nights")?,
                max_nights: row.get("max_nights")?,
                closed_to_arrival: !row.get::<bool>("arrival")?,
                closed_to_departure: !row.get::<bool>("departure")?,
                closed: !row.get::<bool>("open")?,
            };
            let of = nights.entry(row.get("variant_id")?).or_default();
            of.insert(LocalDate::from_day(row.get("day")?), RoomNight { night, left: row.get("free")? });
        }
    }
    Ok(nights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::samples::date;
    use proptest::prelude::*;

    #[test]
    fn a_run_is_as_long_as_its_bits() {
        for (bits, length, expected) in [
            (0, 1, false),
            (0b1, 1, true),
            (0b1, 2, false),
            (0b1011, 2, true),
            (0b1011, 3, false),
            (0b0111_0000, 3, true),
            ((1_i64 << BITS) - 1, BITS, true),
            ((1_i64 << BITS) - 1, BITS + 1, false),
        ] {
            assert_eq!(has_run(bits, length), expected, "{bits:b} {length}");
        }
    }

    proptest! {
        /// The bits of days and the nights themselves agree on what can be had.
        #[test]
        fn what_is_near_is_what_the_nights_allow(
            days in prop::collection::vec(prop::array::uniform3(prop::bool::weighted(0.95)), 62),
            length in 1i64..34,
            by in -NEAR_DAYS..=NEAR_DAYS,
        ) {
            let (first, bit) = (date("2026-10-20"), |day: usize| 1i64 << day);
            let arrival = first.plus(NEAR_DAYS + by);
            let Some(stay) = Stay::new(arrival, arrival.plus(length)) else { return Err(TestCaseError::fail("no stay")) };
            let (mut around, mut nights) = (Around { first, sleep: 0, arrive: 0, kept: 0 }, RoomNights::default());
            for (day, [open, arrives, leaves]) in days.iter().enumerate() {
                around.sleep |= if *open { bit(day) } else { 0 };
                around.arrive |= if *arrives { bit(day) } else { 0 };
                around.kept |= if *leaves { 0 } else { bit(day) };
                let night = Night {
                    price: Amount(1),
                    min_nights: 1,
                    max_nights: 99,
                    closed_to_arrival: !arrives,
                    closed_to_departure: !leaves,
                    closed: !open,
                };
                nights.insert(first.plus(i64::try_from(day).unwrap_or(0)), RoomNight { night, left: 1 });
            }
            prop_assert_eq!(around.has(stay), nights.prices(stay, 1).is_ok());
        }
    }
}
