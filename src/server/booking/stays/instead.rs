//! What is nearest to rooms that cannot be had: other room types of the house for the same nights, and the same one for
//! other nights.

use super::rows::{Type, Venue, nights_of, types};
use crate::{
    args,
    domain::{
        Locale, Result,
        booking::{
            date::LocalDate,
            lodging::{NEAR_DAYS, NEAR_STAYS, RoomNight},
            rates::StayRequest,
            stay::Stay,
            wish::Wish,
        },
        cart::Near,
        catalog::{ProductOption, label},
        money::Amount,
    },
    server::{
        booking::{
            claim::{Claim, What},
            store, wishes,
        },
        catalog::{in_locale, json},
        db::Tx,
    },
};

/// How many other room types are offered, those in which the stay costs least.
const OTHER_ROOMS: usize = 2;

/// What can be had in place of a stay, besides what the cart claims already; other room types first, then other dates, the
/// nearest first. Nothing for rooms that are not offered any more.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::server::booking) async fn instead(
    tx: &mut Tx<'_>,
    variant_id: &str,
    wanted: &StayRequest,
    (before, now): (&[Claim], i64),
    locale: Locale,
) -> Result<Vec<Near>> {
    let Some(offered) = store::offered(tx, variant_id, now).await?.filter(|offered| offered.sold) else {
        return Ok(Vec::new());
    };
    let horizon_days = offered.policies.limits.horizon_days;
    let venue = Venue { id: offered.product_id, zone: offered.zone, horizon_days };
    let types = types(tx, std::slice::from_ref(&venue)).await?;
    let ids: Vec<_> = types.iter().map(|kind| kind.variant_id.clone()).collect();
    let around = (wanted.stay.arrival().plus(-NEAR_DAYS), wanted.stay.departure().plus(NEAR_DAYS));
    let mut nights = nights_of(tx, &ids, around).await?;
    for claim in before {
        let What::Count { from, until, quantity } = claim.what else { continue };
        let Some(nights) = nights.get_mut(&claim.resource_id) else { continue };
        for date in (from..until).map(LocalDate::from_day) {
            if let Some(night) = nights.get(date) {
                nights.insert(date, RoomNight { left: night.left - quantity, ..night });
            }
        }
    }
    let total = |kind: &Type, stay: Stay| {
        let fits = kind.room.occupancy.fits(wanted.guests, wanted.rooms) && venue.is_in_time(stay, now);
        let prices = nights.get(&kind.variant_id).filter(|_| fits)?.prices(stay, wanted.rooms).ok()?;
        Some(kind.room.charges.price(&StayRequest { stay, ..*wanted }, &prices)?.total)
    };
    let mut rooms: Vec<(Amount, &str)> = Vec::new();
    let mut dates: Vec<Stay> = Vec::new();
    for kind in &types {
        if kind.variant_id == variant_id {
            dates.extend(wanted.stay.nearby(NEAR_DAYS).filter(|stay| total(kind, *stay).is_some()).take(NEAR_STAYS));
        } else if let Some(total) = total(kind, wanted.stay) {
            rooms.push((total, kind.variant_id.as_str()));
        }
    }
    rooms.sort_by_key(|(total, _)| *total);
    let mut near = Vec::new();
    for (_, room) in rooms.into_iter().take(OTHER_ROOMS) {
        let label = name_of(tx, room, locale).await?;
        near.push(Near { variant_id: Some(room.to_owned()), wish: Wish::Stay(*wanted), label });
    }
    near.extend(dates.into_iter().map(|stay| Near {
        variant_id: None,
        wish: Wish::Stay(StayRequest { stay, ..*wanted }),
        label: format!("{} – {}", stay.arrival(), stay.departure()),
    }));
    Ok(near)
}

/// What a room type is called, without its house where that has several.
async fn name_of(tx: &mut Tx<'_>, variant_id: &str, locale: Locale) -> Result<String> {
    let sql = format!(
        "select v.choices, {options} as options from variant v join product p on p.id = v.product_id where v.id = $2",
        options = in_locale!("options"),
    );
    let row = tx.one(sql, args![locale.tag(), variant_id]).await?;
    let options: Vec<ProductOption> = json(&row.get::<String>("options")?);
    let choices: Vec<usize> = json(&row.get::<String>("choices")?);
    match label(&options, &choices) {
        name if name.is_empty() => wishes::title_of(tx, variant_id, locale).await,
        name => Ok(name),
    }
}
