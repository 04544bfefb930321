//! The rows that a search for rooms goes through, from few to many: houses, their room types, the nights of these.

use super::places;
use crate::{
    args,
    domain::{
        Result,
        booking::{
            date::LocalDate,
            lodging::{RoomNight, RoomNights},
            offer::{Policies, RoomType},
            rates::Night,
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
use std::collections::HashMap;

/// The most words by which a house is found.
const MAX_WORDS: usize = 5;

/// A house that a search looks at.
pub(super) struct Venue {
    pub(super) id: String,
    pub(super) zone: Zone,
    pub(super) policies: Policies,
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
        bounds(&self.zone, &self.policies, now)
    }

    pub(super) fn is_in_time(&self, stay: Stay, now: i64) -> bool {
        let (today, last) = self.bounds(now);
        (today..=last).contains(&stay.arrival())
    }
}

/// Today there, and the last date on which a stay may begin.
pub(super) fn bounds(zone: &Zone, policies: &Policies, now: i64) -> (LocalDate, LocalDate) {
    let today = zone.local(now).date;
    (today, today.plus(policies.limits.horizon_days))
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
        venues.push(Venue { id: row.get("id")?, zone, policies: policies(&row)? });
    }
    Ok(venues)
}

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
    let mut free = HashMap::new();
    for (list, mut args) in lists(ids) {
        let first = args.len() + 1;
        args.extend(args![stay.arrival().day(), stay.departure().day(), stay.nights(), rooms]);
        let sql = format!(
            "select r.variant_id, cast(sum(r.price) as bigint) as price, min(c.total - c.claimed) as free
            from rate r join capacity c on c.resource_id = r.variant_id and c.unit = r.day
            where r.variant_id in {list} and r.day >= ${arrival} and r.day < ${departure} and r.open
                and c.claimed + ${rooms} <= c.total
            group by r.variant_id
            having count(*) = ${nights}
                and min(case when r.day > ${arrival} then 1
                    when r.arrival and r.min_nights <= ${nights} and r.max_nights >= ${nights} then 1 else 0 end) = 1
                and not exists (select 1 from rate d
                    where d.variant_id = r.variant_id and d.day = ${departure} and not d.departure)",
            arrival = first,
            departure = first + 1,
            nights = first + 2,
            rooms = first + 3,
        );
        for row in tx.all(sql, args).await? {
            free.insert(row.get("variant_id")?, (Amount(row.get("price")?), row.get("free")?));
        }
    }
    Ok(free)
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
