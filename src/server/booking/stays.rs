//! Rooms: what is free where and for how much, the nights of a month, and what else can be had where something is taken.
//!
//! A search goes from few rows to many: the houses of the place, their room types that the guests fit into, and only of
//! these the nights, by the keys of `rate` and `capacity`. What a stay costs is worked out by the same lines that an order
//! is priced by.

use super::{
    quote::{self, Asked},
    store,
};
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        booking::{
            DAY_MS, HOUR_MS,
            cancellation::Booked,
            date::LocalDate,
            lodging::{
                House, MonthNight, NEAR_DAYS, NEAR_STAYS, NearStay, NightList, NightState, Quoted, RoomNight,
                RoomNights, RoomOffer, RoomProblem, STAYS_PER_PAGE, StayCard, StayForm, StayList, StayOrder,
                StaySearch,
            },
            offer::{Offer, Policies, RoomType},
            rates::{Night, StayPrice, StayRequest},
            stay::Stay,
            wish::Wish,
            zone::{LocalTime, Zone},
        },
        catalog::{ProductOption, label},
        error::Problem,
        money::Amount,
        page::{Page, offset},
    },
    server::{
        Ctx,
        catalog::{image, in_locale, json, like},
        context::internal,
        db::{Args, Row, ToValue, Tx, lists, placeholders},
        divisions::Divisions,
    },
};
use std::collections::HashMap;

/// The clocks of the shop, by which a search without dates begins tomorrow.
const SHOP_MS: i64 = 8 * HOUR_MS;
/// So many houses, those that are booked most, are looked through for other dates.
const NEAR_HOUSES: usize = 50;
/// The most words by which a house is found.
const MAX_WORDS: usize = 5;

/// A house that a search looks at.
struct Venue {
    id: String,
    zone: Zone,
    policies: Policies,
}

/// A room type of a house, by its place in the list.
struct Type {
    variant_id: String,
    venue: usize,
    room: RoomType,
}

/// The room type of a house in which a stay costs least.
struct Found {
    venue: usize,
    kind: usize,
    left: i64,
    total: Amount,
    per_night: Amount,
}

impl Venue {
    /// Today there, and the last date on which a stay may begin.
    fn bounds(&self, now: i64) -> (LocalDate, LocalDate) {
        bounds(&self.zone, &self.policies, now)
    }

    fn is_in_time(&self, stay: Stay, now: i64) -> bool {
        let (today, last) = self.bounds(now);
        (today..=last).contains(&stay.arrival())
    }
}

/// Today there, and the last date on which a stay may begin.
fn bounds(zone: &Zone, policies: &Policies, now: i64) -> (LocalDate, LocalDate) {
    let today = zone.local(now).date;
    (today, today.plus(policies.limits.horizon_days))
}

/// Until when giving a stay up costs nothing, by the clocks there; `None` where that is over.
fn free_until(zone: &Zone, policies: &Policies, stay: Stay, price: &StayPrice, now: i64) -> Option<LocalTime> {
    let start = stay.time(zone, policies.check_in, policies.check_out).start;
    let booked = Booked { date: stay.arrival(), start, paid: price.total, nights: &price.nights };
    let until = policies.cancellation.free_until(&booked, zone);
    (until > now).then(|| zone.local(until))
}

/// A page of the houses in which a stay can be had, with its total.
///
/// # Errors
/// [`Error::Invalid`] with the problem of each field.
pub async fn search(ctx: &Ctx, form: StayForm) -> Result<StayList> {
    let today = LocalDate::from_day(ctx.now.saturating_add(SHOP_MS).div_euclid(DAY_MS));
    let form = form.filled(today);
    let asked = form.check()?;
    let (app, locale, now) = (ctx.app.clone(), ctx.locale, ctx.now);
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let (app, form, asked) = (app.clone(), form.clone(), asked.clone());
            Box::pin(async move {
                let StaySearch { stay, guests, rooms, .. } = asked;
                let venues = venues(tx, &app.divisions, &asked.place, now).await?;
                if !venues.is_empty() && venues.iter().all(|venue| stay.arrival() < venue.bounds(now).0) {
                    return Err(Error::field("arrival", Problem::Choice));
                }
                let all = types(tx, &venues).await?;
                let fit: Vec<_> = all.iter().filter(|kind| kind.room.occupancy.fits(guests, rooms)).collect();
                let mut found = cheapest(tx, &venues, &fit, &asked, now).await?;
                // Houses come in the order in which they are recommended.
                match asked.order {
                    StayOrder::Recommended => found.sort_by_key(|found| found.venue),
                    StayOrder::Price => found.sort_by_key(|found| (found.total, found.venue)),
                }
                let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
                let (page, skip) = offset(asked.page, STAYS_PER_PAGE);
                let skip = usize::try_from(skip).unwrap_or(usize::MAX);
                let shown = found.into_iter().skip(skip).take(usize::try_from(STAYS_PER_PAGE).unwrap_or_default());
                let shown: Vec<_> = shown.collect();
                let look = Look { locale, divisions: &app.divisions, now };
                let items = cards(tx, &look, &venues, &fit, &shown, &asked).await?;
                let near = if total == 0 { near(tx, &venues, &fit, &asked, now).await? } else { Vec::new() };
                let rooms_needed = if fit.is_empty() {
                    all.iter().filter_map(|kind| kind.room.occupancy.rooms_for(guests)).min()
                } else {
                    None
                };
                let stays = Page { items, total, page, per_page: STAYS_PER_PAGE };
                Ok(StayList { form, today, nights: stay.nights(), stays, near, rooms_needed })
            })
        })
        .await
}

/// How a page looks at what was found.
struct Look<'a> {
    locale: Locale,
    divisions: &'a Divisions,
    now: i64,
}

/// The places in which there are houses, as people name them, for a field that suggests them.
///
/// # Errors
/// When the database cannot be read.
pub async fn places(ctx: &Ctx) -> Result<Vec<String>> {
    let sql = "select distinct e.region from venue e cross join product p
        where p.id = e.product_id and p.kind = 'stay' and p.status = 'active' order by e.region";
    let mut names: Vec<String> = Vec::new();
    for row in ctx.app.db.all(sql, args![]).await? {
        let name = city(&ctx.app.divisions, &row.get::<String>("region")?, ctx.locale);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The city that a region is in, by its name alone.
fn city(divisions: &Divisions, region: &str, locale: Locale) -> String {
    let code = divisions.path(region).map_or_else(|| region.to_owned(), |(_, city)| city);
    let name = divisions.name(&code, locale);
    let own = match locale {
        Locale::ZhCn => name.rsplit(' ').next(),
        Locale::En => name.split(", ").next(),
    };
    own.filter(|name| !name.is_empty()).unwrap_or(region).to_owned()
}

/// A region without the province it is in, where it has a city: `杭州市 西湖区`. What is no code is a name itself.
fn region_name(divisions: &Divisions, region: &str, locale: Locale) -> String {
    let name = divisions.name(region, locale);
    let separator = match locale {
        Locale::ZhCn => " ",
        Locale::En => ", ",
    };
    let parts: Vec<_> = name.split(separator).collect();
    match (parts.as_slice(), locale) {
        ([""], _) => region.to_owned(),
        ([_, city, district], Locale::ZhCn) | ([city, district, _], Locale::En) => [*city, *district].join(separator),
        _ => name.clone(),
    }
}

/// The regions of venues whose names have all words of a place in them, in any language.
async fn regions(tx: &mut Tx<'_>, divisions: &Divisions, place: &str) -> Result<Vec<String>> {
    let place = place.to_lowercase();
    let words: Vec<_> = place.split([' ', ',', '，', '、']).filter(|word| !word.is_empty()).collect();
    let mut found = Vec::new();
    for row in tx.all("select distinct region from venue", args![]).await? {
        let region: String = row.get("region")?;
        let is_meant = |locale: Locale| {
            let name = divisions.name(&region, locale);
            let name = if name.is_empty() { region.to_lowercase() } else { name.to_lowercase() };
            words.iter().all(|word| name.contains(*word))
        };
        if Locale::ALL.into_iter().any(is_meant) {
            found.push(region);
        }
    }
    Ok(found)
}

/// The houses of a place, those that are booked most first. What names no place finds houses by their words.
async fn venues(tx: &mut Tx<'_>, divisions: &Divisions, place: &str, now: i64) -> Result<Vec<Venue>> {
    // The order of the join is told, because there are few venues among many products.
    let mut sql = String::from(
        "select p.id, e.zone, e.policies from venue e cross join product p
        where p.id = e.product_id and p.kind = 'stay' and p.status = 'active'",
    );
    let mut args = Args::new();
    if !place.trim().is_empty() {
        let regions = regions(tx, divisions, place).await?;
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

fn policies(row: &Row) -> Result<Policies> {
    serde_json::from_str(&row.get::<String>("policies")?).map_err(|e| internal("database", &e))
}

/// What a product of the kind `stay` offers are room types.
fn room_type(row: &Row) -> Result<RoomType> {
    serde_json::from_str(&row.get::<String>("detail")?).map_err(|e| internal("database", &e))
}

/// The room types of houses that are sold, in their order.
async fn types(tx: &mut Tx<'_>, venues: &[Venue]) -> Result<Vec<Type>> {
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

/// Of each house in which a stay can be had the room type in which it costs least.
async fn cheapest(
    tx: &mut Tx<'_>,
    venues: &[Venue],
    types: &[&Type],
    asked: &StaySearch,
    now: i64,
) -> Result<Vec<Found>> {
    let sold = |kind: &Type| venues.get(kind.venue).is_some_and(|venue| venue.is_in_time(asked.stay, now));
    let ids: Vec<_> = types.iter().filter(|kind| sold(kind)).map(|kind| kind.variant_id.clone()).collect();
    let free = free(tx, &ids, asked.stay, asked.rooms).await?;
    let request = request(asked);
    let mut best: HashMap<usize, Found> = HashMap::new();
    for (place, kind) in types.iter().enumerate() {
        let Some((one_room, left)) = free.get(&kind.variant_id) else { continue };
        // The total only asks what a room costs in all nights together.
        let Some(price) = kind.room.charges.price(&request, &[*one_room]) else { continue };
        let found =
            Found { venue: kind.venue, kind: place, left: *left, total: price.total, per_night: price.per_night };
        match best.get(&kind.venue) {
            Some(other) if other.total <= found.total => {}
            _ => {
                best.insert(kind.venue, found);
            }
        }
    }
    Ok(best.into_values().collect())
}

const fn request(asked: &StaySearch) -> StayRequest {
    StayRequest { stay: asked.stay, guests: asked.guests, rooms: asked.rooms, breakfast: false }
}

/// Of room types in which so many rooms can be had for all nights of a stay: what one room costs in all nights together,
/// and how many rooms are left. It is what [`RoomNights::prices`] decides, for many room types at once.
async fn free(tx: &mut Tx<'_>, ids: &[String], stay: Stay, rooms: i64) -> Result<HashMap<String, (Amount, i64)>> {
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
async fn nights_of(
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

/// What is shown of the houses of a page.
async fn cards(
    tx: &mut Tx<'_>,
    look: &Look<'_>,
    venues: &[Venue],
    types: &[&Type],
    shown: &[Found],
    asked: &StaySearch,
) -> Result<Vec<StayCard>> {
    if shown.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> =
        shown.iter().filter_map(|found| types.get(found.kind)).map(|kind| kind.variant_id.clone()).collect();
    let sql = format!(
        "select v.id as variant_id, v.choices, p.id, p.handle, p.image, e.region, {title} as title, {lead} as lead,
            {options} as options
        from variant v join product p on p.id = v.product_id join venue e on e.product_id = p.id
        where v.id in ({list})",
        title = in_locale!("title"),
        lead = in_locale!("seo_description"),
        options = in_locale!("options"),
        list = placeholders(2, ids.len()),
    );
    let mut args = args![look.locale.tag()];
    args.extend(ids.iter().map(|id| id.to_value()));
    let mut rows = HashMap::new();
    for row in tx.all(sql, args).await? {
        rows.insert(row.get::<String>("variant_id")?, row);
    }
    let nights = nights_of(tx, &ids, (asked.stay.arrival(), asked.stay.departure())).await?;
    let request = request(asked);
    let mut cards = Vec::new();
    for found in shown {
        let (Some(venue), Some(kind)) = (venues.get(found.venue), types.get(found.kind)) else { continue };
        let Some(row) = rows.get(&kind.variant_id) else { continue };
        let prices = nights.get(&kind.variant_id).and_then(|nights| nights.prices(asked.stay, asked.rooms).ok());
        let price = prices.and_then(|prices| kind.room.charges.price(&request, &prices));
        let until = |price: StayPrice| free_until(&venue.zone, &venue.policies, asked.stay, &price, look.now);
        let options: Vec<ProductOption> = json(&row.get::<String>("options")?);
        let choices: Vec<usize> = json(&row.get::<String>("choices")?);
        cards.push(StayCard {
            product_id: row.get("id")?,
            handle: row.get("handle")?,
            title: row.get("title")?,
            lead: row.get("lead")?,
            image: image(row, "image")?,
            region: region_name(look.divisions, &row.get::<String>("region")?, look.locale),
            facilities: venue.policies.facilities.clone(),
            variant_id: kind.variant_id.clone(),
            room: label(&options, &choices),
            beds: kind.room.beds,
            left: found.left,
            total: found.total,
            per_night: found.per_night,
            free_until: price.and_then(until),
        });
    }
    Ok(cards)
}

/// The nearest other dates for which something is free, in the houses that are booked most, with the lowest total.
async fn near(
    tx: &mut Tx<'_>,
    venues: &[Venue],
    types: &[&Type],
    asked: &StaySearch,
    now: i64,
) -> Result<Vec<NearStay>> {
    let types: Vec<&Type> = types.iter().copied().filter(|kind| kind.venue < NEAR_HOUSES).collect();
    let ids: Vec<_> = types.iter().map(|kind| kind.variant_id.clone()).collect();
    let around = (asked.stay.arrival().plus(-NEAR_DAYS), asked.stay.departure().plus(NEAR_DAYS));
    let nights = nights_of(tx, &ids, around).await?;
    let total_in = |kind: &Type, stay: Stay| {
        let sold = venues.get(kind.venue).is_some_and(|venue| venue.is_in_time(stay, now));
        let prices = nights.get(&kind.variant_id).filter(|_| sold)?.prices(stay, asked.rooms).ok()?;
        let price = kind.room.charges.price(&StayRequest { stay, ..request(asked) }, &prices)?;
        Some(price.total)
    };
    let total = |stay: Stay| types.iter().filter_map(|kind| total_in(kind, stay)).min();
    let found = asked.stay.nearby(NEAR_DAYS).filter_map(|stay| Some(NearStay { stay, total: total(stay)? }));
    Ok(found.take(NEAR_STAYS).collect())
}

/// A house, and what a stay costs in each of its room types; where one cannot be had, why, and the nearest stays that can.
///
/// # Errors
/// [`Error::NotFound`] for what is no house.
pub async fn house(ctx: &Ctx, product_id: &str, form: StayForm) -> Result<House> {
    let (app, product, locale, now) = (ctx.app.clone(), product_id.to_owned(), ctx.locale, ctx.now);
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let (app, product, form) = (app.clone(), product.clone(), form.clone());
            Box::pin(async move {
                let sql =
                    "select e.zone, e.region, e.address, e.policies from venue e join product p on p.id = e.product_id
                    where p.id = $1 and p.kind = 'stay' and p.status = 'active'";
                let row = tx.one(sql, args![&product]).await?;
                let (zone, policies) = (store::zone_around(&row.get::<String>("zone")?, now)?, policies(&row)?);
                let venue = Venue { id: product, zone, policies };
                let (today, last) = venue.bounds(now);
                let form = form.filled(today);
                let asked = form.check().and_then(|asked| match asked.stay.arrival() < today {
                    true => Err(Error::field("arrival", Problem::Choice)),
                    false => Ok(asked),
                });
                let all = types(tx, std::slice::from_ref(&venue)).await?;
                let nights = match &asked {
                    Ok(asked) => {
                        let ids: Vec<_> = all.iter().map(|kind| kind.variant_id.clone()).collect();
                        let around = (asked.stay.arrival().plus(-NEAR_DAYS), asked.stay.departure().plus(NEAR_DAYS));
                        nights_of(tx, &ids, around).await?
                    }
                    Err(_) => HashMap::new(),
                };
                let none = RoomNights::default();
                let offers = all.iter().map(|kind| {
                    let nights = nights.get(&kind.variant_id).unwrap_or(&none);
                    room_offer(&venue, kind, nights, asked.as_ref().ok(), now)
                });
                Ok(House {
                    rooms: offers.collect(),
                    wrong: asked.as_ref().err().cloned(),
                    nights: asked.as_ref().map_or(0, |asked| asked.stay.nights()),
                    form,
                    today,
                    last,
                    region: region_name(&app.divisions, &row.get::<String>("region")?, locale),
                    address: row.get("address")?,
                    check_in: venue.policies.check_in,
                    check_out: venue.policies.check_out,
                    facilities: venue.policies.facilities.clone(),
                    cancellation: venue.policies.cancellation.clone(),
                    zone: venue.zone,
                })
            })
        })
        .await
}

fn room_offer(venue: &Venue, kind: &Type, nights: &RoomNights, asked: Option<&StaySearch>, now: i64) -> RoomOffer {
    let room = kind.room;
    let mut offer = RoomOffer {
        variant_id: kind.variant_id.clone(),
        room,
        request: None,
        left: 0,
        price: None,
        with_breakfast: None,
        free_until: None,
        problem: None,
        near: Vec::new(),
    };
    let Some(asked) = asked else { return offer };
    let (stay, request) = (asked.stay, request(asked));
    offer.request = Some(request);
    offer.left = nights.left(stay).max(0);
    let fits = room.occupancy.fits(asked.guests, asked.rooms);
    let prices = |stay: Stay| match venue.is_in_time(stay, now) {
        true => nights.prices(stay, asked.rooms),
        false => Err(RoomProblem::Date),
    };
    if !fits {
        offer.problem = Some(RoomProblem::Guests(room.occupancy.rooms_for(asked.guests)));
        return offer;
    }
    match prices(stay) {
        Ok(prices) => {
            offer.price = room.charges.price(&request, &prices);
            offer.with_breakfast = room.charges.price(&StayRequest { breakfast: true, ..request }, &prices);
            offer.free_until =
                offer.price.as_ref().and_then(|price| free_until(&venue.zone, &venue.policies, stay, price, now));
        }
        Err(problem) => {
            offer.problem = Some(problem);
            let near = stay.nearby(NEAR_DAYS).filter_map(|stay| {
                let price = room.charges.price(&StayRequest { stay, ..request }, &prices(stay).ok()?)?;
                Some(NearStay { stay, total: price.total })
            });
            offer.near = near.take(NEAR_STAYS).collect();
        }
    }
    offer
}

/// The nights of a month of a room type, with the price and whether each can be had. `month` is `2026-12`, or a date in
/// it; where it is none the present one.
///
/// # Errors
/// [`Error::NotFound`] for what is no room type that is sold.
pub async fn nights(ctx: &Ctx, variant_id: &str, month: &str) -> Result<NightList> {
    let (variant, now) = (variant_id.to_owned(), ctx.now);
    let wanted = LocalDate::parse(month).or_else(|| LocalDate::parse(&format!("{month}-01")));
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let variant = variant.clone();
            Box::pin(async move {
                let offered = store::offered(tx, &variant, now).await?.filter(|offered| offered.sold);
                let offered = offered.ok_or(Error::NotFound)?;
                let Offer::Stay(room) = &offered.offer else { return Err(Error::NotFound) };
                let (today, last) = bounds(&offered.zone, &offered.policies, now);
                let first = month_of(wanted.unwrap_or(today));
                let next = month_of(first.plus(31));
                let known = nights_of(tx, std::slice::from_ref(&variant), (first, next)).await?;
                let known = known.get(&variant).cloned().unwrap_or_default();
                let night = |date: LocalDate| {
                    let state = known.state(date, (today, last));
                    let open = known.get(date).filter(|_| state != NightState::Closed);
                    MonthNight {
                        date,
                        state,
                        price: open.map(|open| room.charges.with_tax(open.night.price)),
                        left: open.map_or(0, |open| open.left.max(0)),
                        min_nights: open.map_or(1, |open| open.night.min_nights),
                    }
                };
                let nights = first.up_to(next).map(night).collect();
                let (before, after) = (first > today, next <= last);
                Ok(NightList { variant_id: variant, nights, before, after })
            })
        })
        .await
}

/// The first day of the month that a date is in.
pub(super) fn month_of(date: LocalDate) -> LocalDate {
    let (_, _, day) = date.civil();
    date.plus(1 - day)
}

/// What a wish comes to now.
///
/// # Errors
/// [`Error::Invalid`] for what nobody could want, [`Error::NotFound`] for what is not booked in this way.
pub async fn quoted(ctx: &Ctx, variant_id: &str, wish: &Wish) -> Result<Quoted> {
    wish.check()?;
    let (variant, wish, now) = (variant_id.to_owned(), wish.clone(), ctx.now);
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let (variant, wish) = (variant.clone(), wish.clone());
            Box::pin(async move {
                let quote = quote::quote(tx, &Asked { variant_id: &variant, wish: &wish, before: &[], now }).await?;
                Ok(Quoted {
                    price: quote.price,
                    available: quote.is_available(),
                    start: quote.start,
                    end: quote.end,
                    free_until: quote.free_until(quote.price.unwrap_or(Amount::ZERO)),
                    zone: quote.zone,
                })
            })
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_named_as_people_name_them() -> Result<(), serde_json::Error> {
        let divisions = Divisions::load()?;
        assert_eq!(region_name(&divisions, "440305", Locale::ZhCn), "深圳市 南山区");
        assert_eq!(region_name(&divisions, "440305", Locale::En), "Nanshan, Shenzhen");
        assert_eq!(region_name(&divisions, "110101", Locale::ZhCn), "北京市 东城区");
        assert_eq!(region_name(&divisions, "Kyoto", Locale::En), "Kyoto");
        assert_eq!(city(&divisions, "440305", Locale::ZhCn), "深圳市");
        assert_eq!(city(&divisions, "440305", Locale::En), "Shenzhen");
        assert_eq!(city(&divisions, "110101", Locale::ZhCn), "北京市");
        assert_eq!(city(&divisions, "Kyoto", Locale::En), "Kyoto");
        Ok(())
    }

    #[test]
    fn a_month_begins_with_its_first_day() {
        let date = |text: &str| LocalDate::parse(text).unwrap_or(LocalDate::MIN);
        assert_eq!(month_of(date("2028-02-29")), date("2028-02-01"));
        assert_eq!(month_of(date("2026-12-01").plus(31)), date("2027-01-01"));
        assert_eq!(month_of(date("2027-02-01").plus(31)), date("2027-03-01"));
    }
}
