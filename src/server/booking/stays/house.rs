//! A house with its rooms, the nights of a month, and what a wish comes to.

use super::{
    free_until, places, request,
    rows::{Type, Venue, bounds, nights_of, policies, types},
};
use crate::{
    args,
    domain::{
        Error, Result,
        booking::{
            date::LocalDate,
            lodging::{
                House, MonthNight, NEAR_DAYS, NEAR_STAYS, NearStay, NightList, NightState, Quoted, RoomNights,
                RoomOffer, RoomProblem, StayForm, StaySearch,
            },
            offer::{Offer, Policies},
            rates::StayRequest,
            stay::Stay,
            wish::Wish,
        },
        error::Problem,
        money::Amount,
    },
    server::{
        Ctx,
        booking::{
            quote::{self, Asked, By},
            store,
        },
    },
};
use std::collections::HashMap;

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
                let venue = Venue { id: product, zone, horizon_days: policies.limits.horizon_days };
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
                    room_offer((&venue, &policies), kind, nights, asked.as_ref().ok(), now)
                });
                Ok(House {
                    rooms: offers.collect(),
                    wrong: asked.as_ref().err().cloned(),
                    nights: asked.as_ref().map_or(0, |asked| asked.stay.nights()),
                    form,
                    today,
                    last,
                    region: places::region_name(&app.divisions, &row.get::<String>("region")?, locale),
                    address: row.get("address")?,
                    check_in: policies.check_in,
                    check_out: policies.check_out,
                    facilities: policies.facilities,
                    cancellation: policies.cancellation,
                    zone: venue.zone,
                })
            })
        })
        .await
}

fn room_offer(
    (venue, policies): (&Venue, &Policies),
    kind: &Type,
    nights: &RoomNights,
    asked: Option<&StaySearch>,
    now: i64,
) -> RoomOffer {
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
                offer.price.as_ref().and_then(|price| free_until(&venue.zone, policies, stay, price, now));
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
                let (today, last) = bounds(&offered.zone, offered.policies.limits.horizon_days, now);
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
pub fn month_of(date: LocalDate) -> LocalDate {
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
                let quote =
                    quote::quote(tx, &Asked { variant_id: &variant, wish: &wish, before: &[], now, by: By::Customer })
                        .await?;
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
    fn a_month_begins_with_its_first_day() {
        let date = |text: &str| LocalDate::parse(text).unwrap_or(LocalDate::MIN);
        assert_eq!(month_of(date("2028-02-29")), date("2028-02-01"));
        assert_eq!(month_of(date("2026-12-01").plus(31)), date("2027-01-01"));
        assert_eq!(month_of(date("2027-02-01").plus(31)), date("2027-03-01"));
    }
}
