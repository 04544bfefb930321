//! A trip that was chosen: how it comes into the cart, and what is nearest to one that is gone.

use super::{
    super::{
        claim::Claim,
        quote::{self, Asked, By},
        store::{self, Span},
        wishes,
    },
    NEXT, around, check, seat_id, section, taken,
};
use crate::{
    args,
    domain::{
        Error, Result,
        booking::{
            DAY_MS,
            date::LocalDate,
            offer::Offer,
            seating::NEAREST,
            travel::{TripChoice, Way},
            trips::{Departure, Section, Travellers},
            wish::Wish,
        },
        cart::{Cart, MAX_BOOKINGS},
        error::{Problem, TakenSlot},
    },
    server::{
        Ctx, account, cart,
        context::{internal, new_id},
        db::Tx,
    },
};

/// From so many days before a departure to so many after it others are looked for in its place.
const NEAR_DAYS: i64 = 2;
/// So many of these are tried, the nearest: each takes some statements, and of a line that is sold out all would be in vain.
const TRIED: usize = 40;

/// Puts a trip into the cart: one way, or both ways or neither.
///
/// # Errors
/// [`Error::Invalid`] where the way back begins before the arrival, where seats are not chosen, and for people who cannot
/// travel; [`Error::SlotTaken`] when a seat is gone; [`Error::NotFound`] for what is no departure.
pub async fn add(ctx: &Ctx, choice: &TripChoice) -> Result<Cart> {
    check(choice.travellers)?;
    let (wish, there) = wish(ctx, &choice.there, choice.travellers, "seats").await?;
    let mut wanted = vec![(choice.there.variant_id.clone(), wish)];
    if let Some(way) = &choice.home {
        let (wish, back) = self::wish(ctx, way, choice.travellers, "home_seats").await?;
        if !there.is_before(back, 0) {
            return Err(Error::field("home", Problem::Choice));
        }
        wanted.push((way.variant_id.clone(), wish));
    }
    put(ctx, wanted).await
}

/// What is nearest to a trip that cannot be had any more, beside what is to be claimed as well: other seats of the same
/// departure, and departures around it for the same fare, the nearest first, each with when it leaves (UTC milliseconds);
/// none for what is no trip.
///
/// # Errors
/// When the database cannot be read.
pub async fn near(
    tx: &mut Tx<'_>,
    variant_id: &str,
    wish: &Wish,
    (before, now): (&[Claim], i64),
) -> Result<Vec<(Wish, i64)>> {
    let Wish::Trip { departure_id, section: part, travellers, .. } = wish else { return Ok(Vec::new()) };
    let offered = store::offered(tx, variant_id, now).await?;
    let offered = offered.filter(|offered| matches!(offered.offer, Offer::Trip(_)));
    let Some(offered) = offered else { return Ok(Vec::new()) };
    let Some(timetable) = store::departure(tx, departure_id).await? else { return Ok(Vec::new()) };
    let (from, to): (usize, usize) = (*part).into();
    let (Some(first), Some(last)) = (timetable.stops.get(from), timetable.stops.get(to)) else {
        return Ok(Vec::new());
    };
    let span = Span {
        product_id: Some(offered.product_id.as_str()),
        calls: Some((first.place.as_str(), last.place.as_str())),
        from: first.leaves_at.saturating_sub(NEAR_DAYS * DAY_MS),
        until: first.leaves_at.saturating_add(NEAR_DAYS * DAY_MS),
        limit: NEXT,
    };
    let mut departures = Vec::new();
    for dated in store::departing(tx, &span).await? {
        let Some((a, b)) = section(&dated.timetable.stops, &first.place, &last.place) else { continue };
        let leaves = dated.timetable.stops.get(a).map(|stop| stop.leaves_at);
        let Some(leaves) = leaves.filter(|leaves| now < *leaves) else { continue };
        departures.push((leaves.abs_diff(first.leaves_at), dated.id != *departure_id, leaves, (a, b), dated));
    }
    departures.sort_by_key(|(away, other, leaves, ..)| (*away, *other, *leaves));
    let mut found = Vec::new();
    for (_, _, leaves, (a, b), dated) in departures.into_iter().take(TRIED) {
        let Some(section) = Section::new(a, b) else { continue };
        let mut seats = Vec::new();
        if let Some(names) = &dated.timetable.seats {
            let taken = taken(tx, &dated.id, names, (a, b)).await?;
            let free = |name: &&String| {
                let id = seat_id(&dated.id, name);
                !taken.contains(&id) && !before.iter().any(|claim| claim.resource_id == id)
            };
            let wanted = usize::try_from(travellers.seats()).unwrap_or(usize::MAX);
            seats = names.iter().filter(free).take(wanted).cloned().collect();
        }
        let other = Wish::Trip { departure_id: dated.id, section, travellers: *travellers, seats };
        let quote = quote::quote(tx, &Asked { variant_id, wish: &other, before, now, by: By::Customer }).await?;
        if quote.is_available() {
            found.push((other, leaves));
        }
        if found.len() == NEAREST {
            break;
        }
    }
    Ok(found)
}

/// The trips that somebody could make on a date instead of one, each with the minute of the day by the clocks there at
/// which it leaves: other departures of the line, and the same one, between the same places. Seats keep their names; whether
/// they are free there is another question.
///
/// # Errors
/// When the database cannot be read.
pub(in super::super) async fn leaving(
    tx: &mut Tx<'_>,
    product_id: &str,
    wish: &Wish,
    date: LocalDate,
    now: i64,
) -> Result<Vec<(i64, Wish)>> {
    let Wish::Trip { departure_id, section: part, travellers, seats } = wish else { return Ok(Vec::new()) };
    let Some(timetable) = store::departure(tx, departure_id).await? else { return Ok(Vec::new()) };
    let (from, to): (usize, usize) = (*part).into();
    let (Some(first), Some(last)) = (timetable.stops.get(from), timetable.stops.get(to)) else {
        return Ok(Vec::new());
    };
    let zone = store::zone_around(&first.zone, now)?;
    let calls = Some((first.place.as_str(), last.place.as_str()));
    let mut found = Vec::new();
    for dated in store::departing(tx, &Span { product_id: Some(product_id), calls, ..around(date) }).await? {
        let Some((a, b)) = section(&dated.timetable.stops, &first.place, &last.place) else { continue };
        let (Some(stop), Some(section)) = (dated.timetable.stops.get(a), Section::new(a, b)) else { continue };
        let leaves = zone.local(stop.leaves_at);
        // Seats are chosen there as they were here, or on neither.
        if leaves.date == date && dated.timetable.seats.is_some() == timetable.seats.is_some() {
            let (departure_id, seats) = (dated.id, seats.clone());
            found.push((leaves.minute, Wish::Trip { departure_id, section, travellers: *travellers, seats }));
        }
    }
    Ok(found)
}

/// Puts several wishes into the cart in one transaction: one does not get what another one takes.
async fn put(ctx: &Ctx, wanted: Vec<(String, Wish)>) -> Result<Cart> {
    for (_, wish) in &wanted {
        wish.check()?;
    }
    let customer = account::customer_or_create(ctx).await?;
    let (locale, now) = (ctx.locale, ctx.now);
    cart::change(ctx, customer, move |tx, customer| {
        let wanted = wanted.clone();
        Box::pin(async move {
            for (variant, wish) in &wanted {
                let (present, quotes) = wishes::quoted(tx, &customer, locale, now).await?;
                if i64::try_from(present.len()).unwrap_or(i64::MAX) >= MAX_BOOKINGS {
                    let most = u32::try_from(MAX_BOOKINGS).unwrap_or(u32::MAX);
                    return Err(Error::field("wish", Problem::Full(most)));
                }
                let before: Vec<_> = quotes.into_iter().filter_map(|quote| quote.claims).flatten().collect();
                let asked = Asked { variant_id: variant, wish, before: &before, now, by: By::Customer };
                let quote = quote::quote(tx, &asked).await?;
                let Some(price) = quote.price.filter(|_| quote.is_available()) else {
                    let title = wishes::title_of(tx, variant, locale).await?;
                    return Err(Error::SlotTaken(vec![TakenSlot { line: String::new(), title }]));
                };
                let text = serde_json::to_string(wish).map_err(|e| internal("wish", &e))?;
                let sql = "insert into cart_booking (id, customer_id, variant_id, wish, price_seen, added_at)
                    values ($1, $2, $3, $4, $5, $6)";
                tx.exec(sql, args![new_id(), &customer, variant, text, price.0, now]).await?;
            }
            Ok(())
        })
    })
    .await
}

/// What a way comes to, and when it is travelled. `seats` is the field in which seats are chosen.
async fn wish(ctx: &Ctx, way: &Way, travellers: Travellers, seats: &str) -> Result<(Wish, Departure)> {
    let section = Section::new(way.from, way.to).ok_or(Error::NotFound)?;
    let id = way.departure_id.clone();
    let found = ctx.app.db.read::<_, Error>(move |tx| {
        let id = id.clone();
        Box::pin(async move { store::departure(tx, &id).await })
    });
    let timetable = found.await?.ok_or(Error::NotFound)?;
    let ends = timetable.stops.get(way.from).zip(timetable.stops.get(way.to));
    let departure = ends.and_then(|(first, last)| Departure::new(first.leaves_at, last.arrives_at));
    let departure = departure.ok_or(Error::NotFound)?;
    let wanted = travellers.seats();
    if timetable.seats.is_some() && usize::try_from(wanted).ok() != Some(way.seats.len()) {
        return Err(Error::field(seats, Problem::Range(wanted, wanted)));
    }
    let wish = Wish::Trip { departure_id: way.departure_id.clone(), section, travellers, seats: way.seats.clone() };
    Ok((wish, departure))
}
