//! Rooms: what is free where and for how much, the nights of a month, and what else can be had where something is taken.
//!
//! A search goes from few rows to many: the houses of the place, their room types that the guests fit into, and only of
//! these the nights, first whether rooms are left and then, where they are, the rates. Both databases add up the nights of
//! a room type themselves and read indexes for it that have all they need. What a stay costs is worked out by the same
//! lines that an order is priced by.

mod house;
mod instead;
mod places;
mod rows;

pub(super) use house::month_of;
pub use house::{house, nights, quoted};
pub(super) use instead::instead;
pub use places::places;

use crate::{
    args,
    domain::{
        Error, Locale, Result,
        booking::{
            DAY_MS, HOUR_MS,
            cancellation::Booked,
            date::LocalDate,
            lodging::{
                NEAR_DAYS, NEAR_STAYS, NearStay, STAYS_PER_PAGE, StayCard, StayForm, StayList, StayOrder, StaySearch,
            },
            offer::Policies,
            rates::{StayPrice, StayRequest},
            stay::Stay,
            zone::{LocalTime, Zone},
        },
        catalog::{ProductOption, label},
        error::Problem,
        money::Amount,
        page::{Page, offset},
    },
    server::{
        Ctx,
        catalog::{image, in_locale, json, rating},
        db::{ToValue, Tx, placeholders},
        divisions::Divisions,
    },
};
use rows::{Type, Venue, around, free, nights_of, policies, types, venues};
use std::collections::HashMap;

/// The clocks of the shop, by which a search without dates begins tomorrow.
const SHOP_MS: i64 = 8 * HOUR_MS;
/// So many houses, those that are booked most, are looked through for other dates.
const NEAR_HOUSES: usize = 50;

/// The room type of a house in which a stay costs least.
struct Found {
    venue: usize,
    kind: usize,
    left: i64,
    total: Amount,
    per_night: Amount,
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

/// Of each house in which a stay can be had the room type in which it costs least.
async fn cheapest(
    tx: &mut Tx<'_>,
    venues: &[Venue],
    types: &[&Type],
    asked: &StaySearch,
    now: i64,
) -> Result<Vec<Found>> {
    let mut ids = Vec::new();
    for kind in types {
        if venues.get(kind.venue).is_some_and(|venue| venue.is_in_time(asked.stay, now)) {
            ids.push(kind.variant_id.clone());
        }
    }
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
        "select v.id as variant_id, v.choices, p.id, p.handle, p.image, p.rating_sum, p.rating_count, e.region, e.policies,
            {title} as title, {lead} as lead, {options} as options
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
        let policies = policies(row)?;
        let prices = nights.get(&kind.variant_id).and_then(|nights| nights.prices(asked.stay, asked.rooms).ok());
        let price = prices.and_then(|prices| kind.room.charges.price(&request, &prices));
        let until = |price: StayPrice| free_until(&venue.zone, &policies, asked.stay, &price, look.now);
        let options: Vec<ProductOption> = json(&row.get::<String>("options")?);
        let choices: Vec<usize> = json(&row.get::<String>("choices")?);
        cards.push(StayCard {
            product_id: row.get("id")?,
            handle: row.get("handle")?,
            title: row.get("title")?,
            lead: row.get("lead")?,
            image: image(row, "image")?,
            rating: rating(row)?,
            region: places::region_name(look.divisions, &row.get::<String>("region")?, look.locale),
            facilities: policies.facilities.clone(),
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
    let known = around(tx, &ids, asked.stay, asked.rooms).await?;
    let mut found = Vec::new();
    for stay in asked.stay.nearby(NEAR_DAYS) {
        let mut ids = Vec::new();
        for kind in &types {
            let sold = venues.get(kind.venue).is_some_and(|venue| venue.is_in_time(stay, now));
            let around = known.as_ref().map(|known| known.get(&kind.variant_id));
            // What is too long to be known is asked for on each date.
            if sold && around.is_none_or(|around| around.is_some_and(|around| around.has(stay))) {
                ids.push(kind.variant_id.clone());
            }
        }
        if ids.is_empty() {
            continue;
        }
        let free = free(tx, &ids, stay, asked.rooms).await?;
        let request = StayRequest { stay, ..request(asked) };
        let total = |kind: &&Type| {
            let (one_room, _) = free.get(&kind.variant_id)?;
            Some(kind.room.charges.price(&request, &[*one_room])?.total)
        };
        if let Some(total) = types.iter().filter_map(total).min() {
            found.push(NearStay { stay, total });
            if found.len() == NEAR_STAYS {
                break;
            }
        }
    }
    Ok(found)
}
