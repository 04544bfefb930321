//! Departures of a line and of all lines: when they leave by the clocks there, what each fare costs and has left, and which
//! seats are free.

use super::{
    claim::Claim,
    quote::{self, Asked, By},
    store::{self, Dated, Offered, Span},
    wishes,
};
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        booking::{
            DAY_MS,
            cancellation::Booked,
            date::LocalDate,
            offer::{Offer, Stop},
            seating::NEAREST,
            travel::{
                Call, DepartureList, FareOffer, Pick, SeatRow, Trip, TripAsk, TripChoice, TripList, TripOffer, Voyage,
                Way, seat_rows,
            },
            trips::{Departure, Fare, Section, Travellers},
            wish::Wish,
        },
        cart::{Cart, MAX_BOOKINGS},
        catalog::{ProductOption, label},
        error::{Problem, TakenSlot},
    },
    server::{
        Ctx, account, cart,
        catalog::{image, in_locale, json},
        context::{internal, new_id},
        db::Tx,
    },
};
use std::collections::{BTreeMap, HashSet};

/// How many of the next departures are looked at for the stops of a line and its next date.
const NEXT: i64 = 200;
/// The most departures that a search looks at.
const MAX_FOUND: i64 = 500;
/// From so many days before a departure to so many after it others are looked for in its place.
const NEAR_DAYS: i64 = 2;
/// How long a departure may be on its way to a stop in the middle of it, in days.
const LONGEST_DAYS: i64 = 3;

/// A fare class of a line.
struct Class {
    offered: Offered,
    fare: Fare,
    name: String,
}

/// Everything that an address asks for of a line.
///
/// # Errors
/// As [`departures`].
pub async fn offer(ctx: &Ctx, product_id: &str, asked: &TripAsk) -> Result<TripOffer> {
    let there = departures(ctx, product_id, asked).await?;
    let home = match asked.backwards(&there.from, &there.to) {
        Some(back) => Some(departures(ctx, product_id, &back).await?),
        None => None,
    };
    let seats = picked(ctx, &there, asked.there.as_ref()).await?;
    let home_seats = match &home {
        Some(home) => picked(ctx, home, asked.home.as_ref()).await?,
        None => Vec::new(),
    };
    Ok(TripOffer { there, home, seats, home_seats })
}

/// The seats of the departure that was picked; none where it is not among those that can be had.
async fn picked(ctx: &Ctx, list: &DepartureList, pick: Option<&Pick>) -> Result<Vec<SeatRow>> {
    let voyage = pick.and_then(|pick| list.voyages.iter().find(|voyage| voyage.id == pick.departure_id));
    match voyage.filter(|voyage| voyage.seats_chosen) {
        Some(voyage) => seats(ctx, &voyage.id, voyage.section).await,
        None => Ok(Vec::new()),
    }
}

/// The departures of a line on a date from one of its stops to another; today and between its ends unless something else is
/// asked for.
///
/// # Errors
/// [`Error::NotFound`] for what is no line, [`Error::Invalid`] for people who cannot travel.
pub async fn departures(ctx: &Ctx, product_id: &str, asked: &TripAsk) -> Result<DepartureList> {
    check(asked.travellers)?;
    let (product, asked, locale, now) = (product_id.to_owned(), asked.clone(), ctx.locale, ctx.now);
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let (product, asked) = (product.clone(), asked.clone());
            Box::pin(async move {
                let classes = classes(tx, &product, (locale, now)).await?;
                let first = &classes.first().ok_or(Error::NotFound)?.offered;
                let today = first.zone.local(now).date;
                let last = today.plus(first.policies.limits.horizon_days);
                let next = store::departing(tx, &Span { product_id: Some(product.as_str()), ..Span::after(now, NEXT) })
                    .await?;
                let places = places(&next, locale);
                let (from, to) = ends(&next, &places, &asked);
                let date = asked.date.unwrap_or(today);
                let mut voyages = Vec::new();
                for dated in store::departing(tx, &Span { product_id: Some(product.as_str()), ..around(date) }).await? {
                    voyages.extend(
                        voyage(tx, &dated, (&from, &to), date, &classes, asked.travellers, (locale, now)).await?,
                    );
                }
                let mut found = DepartureList { today, last, date, places, from, to, voyages, next: None };
                if found.voyages.is_empty() {
                    found.next = next_date(&next, (&found.from, &found.to), date, now)?.filter(|date| *date <= last);
                }
                Ok(found)
            })
        })
        .await
}

/// The departures of all lines on a date from one place to another; nothing until both places are named.
///
/// # Errors
/// [`Error::Invalid`] for people who cannot travel.
pub async fn trips(ctx: &Ctx, asked: &TripAsk) -> Result<TripList> {
    check(asked.travellers)?;
    let (asked, locale, now) = (asked.clone(), ctx.locale, ctx.now);
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let asked = asked.clone();
            Box::pin(async move {
                let today = store::zone_around(super::zone::OF_THE_SHOP, now)?.local(now).date;
                let date = asked.date.unwrap_or(today);
                let mut places = places(&store::departing(tx, &Span::after(now, MAX_FOUND)).await?, locale);
                places.sort_by(|a, b| a.1.cmp(&b.1));
                let mut found = TripList { today, date, places, trips: Vec::new() };
                let (Some(from), Some(to)) = (&asked.from, &asked.to) else { return Ok(found) };
                let mut lines: BTreeMap<String, Vec<Dated>> = BTreeMap::new();
                for dated in
                    store::departing(tx, &Span { calls: Some((from.as_str(), to.as_str())), ..around(date) }).await?
                {
                    if section(&dated.timetable.stops, from, to).is_some() {
                        lines.entry(dated.timetable.product_id.clone()).or_default().push(dated);
                    }
                }
                for (product, departures) in lines {
                    let classes = classes(tx, &product, (locale, now)).await?;
                    let mut voyages = Vec::new();
                    for dated in &departures {
                        let ends = (from.as_str(), to.as_str());
                        voyages.extend(voyage(tx, dated, ends, date, &classes, asked.travellers, (locale, now)).await?);
                    }
                    if voyages.is_empty() {
                        continue;
                    }
                    let sql = format!(
                        "select p.handle, p.brand, p.image, {} as title from product p where p.id = $2",
                        in_locale!("title")
                    );
                    let row = tx.one(sql, args![locale.tag(), &product]).await?;
                    found.trips.push(Trip {
                        handle: row.get("handle")?,
                        title: row.get("title")?,
                        brand: row.get("brand")?,
                        image: image(&row, "image")?,
                        voyages,
                    });
                }
                found.trips.sort_by_key(|trip| trip.voyages.first().map_or(i64::MAX, |voyage| voyage.leaves_at));
                Ok(found)
            })
        })
        .await
}

/// The seats of a departure, free where they are so all along a section; no rows where nobody chooses one.
///
/// # Errors
/// [`Error::NotFound`] for what is no departure of a line that is sold, and for a section that it does not have.
pub async fn seats(ctx: &Ctx, departure_id: &str, section: Section) -> Result<Vec<SeatRow>> {
    let id = departure_id.to_owned();
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let id = id.clone();
            Box::pin(async move {
                let timetable = store::departure(tx, &id).await?.ok_or(Error::NotFound)?;
                let sql = "select id from product where id = $1 and status = 'active'";
                tx.one(sql, args![&timetable.product_id]).await?;
                let (from, to): (usize, usize) = section.into();
                if to >= timetable.stops.len() {
                    return Err(Error::NotFound);
                }
                let Some(names) = timetable.seats else { return Ok(Vec::new()) };
                let taken = taken(tx, &id, &names, (from, to)).await?;
                Ok(seat_rows(&names, |name| taken.contains(&seat_id(&id, name))))
            })
        })
        .await
}

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
        let Some(leaves) = dated.timetable.stops.get(a).map(|stop| stop.leaves_at) else { continue };
        departures.push((leaves.abs_diff(first.leaves_at), dated.id != *departure_id, leaves, (a, b), dated));
    }
    departures.sort_by_key(|(away, other, leaves, ..)| (*away, *other, *leaves));
    let mut found = Vec::new();
    for (_, _, leaves, (a, b), dated) in departures {
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
pub(super) async fn leaving(
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
                let (present, quotes) = wishes::load(tx, &customer, locale, now).await?;
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

fn check(travellers: Travellers) -> Result<()> {
    if travellers.is_possible() { Ok(()) } else { Err(Error::field("travellers", Problem::Choice)) }
}

/// What is sold of a line, in the order of its variants.
async fn classes(tx: &mut Tx<'_>, product_id: &str, (locale, now): (Locale, i64)) -> Result<Vec<Class>> {
    let sql = format!(
        "select v.id, v.choices, {} as options from variant v join product p on p.id = v.product_id
        where v.product_id = $2 and v.active order by v.position, v.id",
        in_locale!("options")
    );
    let mut classes = Vec::new();
    for row in tx.all(sql, args![locale.tag(), product_id]).await? {
        let id: String = row.get("id")?;
        let Some(offered) = store::offered(tx, &id, now).await?.filter(|offered| offered.sold) else { continue };
        let Offer::Trip(fare) = &offered.offer else { continue };
        let fare = fare.clone();
        let options: Vec<ProductOption> = json(&row.get::<String>("options")?);
        let choices: Vec<usize> = json(&row.get::<String>("choices")?);
        classes.push(Class { name: label(&options, &choices), offered, fare });
    }
    Ok(classes)
}

/// When anything has to leave that can be at one of its stops on a date, by whatever clock.
fn around(date: LocalDate) -> Span<'static> {
    let day = date.day() * DAY_MS;
    Span { from: day - LONGEST_DAYS * DAY_MS, until: day + 2 * DAY_MS, ..Span::after(0, MAX_FOUND) }
}

/// The stops of some departures, each once.
fn places(departures: &[Dated], locale: Locale) -> Vec<(String, String)> {
    let mut places: Vec<(String, String)> = Vec::new();
    for stop in departures.iter().flat_map(|dated| &dated.timetable.stops) {
        if !places.iter().any(|(place, _)| *place == stop.place) {
            places.push((stop.place.clone(), stop.name(locale).to_owned()));
        }
    }
    places
}

/// The places between which somebody wants to go: those asked for, as far as anything goes there, else the ends of the
/// first departure that does.
fn ends(departures: &[Dated], places: &[(String, String)], asked: &TripAsk) -> (String, String) {
    let known = |place: &Option<String>| place.clone().filter(|place| places.iter().any(|(known, _)| known == place));
    let (from, to) = (known(&asked.from), known(&asked.to));
    let fitting = departures.iter().find_map(|dated| {
        let stops = &dated.timetable.stops;
        let first = stops.iter().position(|stop| from.as_ref().is_none_or(|from| stop.place == *from))?;
        let last = stops.iter().rposition(|stop| to.as_ref().is_none_or(|to| stop.place == *to))?;
        (first < last).then_some(())?;
        Some((stops.get(first)?.place.clone(), stops.get(last)?.place.clone()))
    });
    fitting.unwrap_or_else(|| (from.unwrap_or_default(), to.unwrap_or_default()))
}

/// The stops at which somebody gets on and off.
fn section(stops: &[Stop], from: &str, to: &str) -> Option<(usize, usize)> {
    let first = stops.iter().position(|stop| stop.place == from)?;
    let last = stops.iter().rposition(|stop| stop.place == to)?;
    (first < last).then_some((first, last))
}

/// The first date after another on which something leaves.
fn next_date(departures: &[Dated], (from, to): (&str, &str), date: LocalDate, now: i64) -> Result<Option<LocalDate>> {
    for dated in departures {
        let stops = &dated.timetable.stops;
        let Some(stop) = section(stops, from, to).and_then(|(first, _)| stops.get(first)) else { continue };
        let leaves = store::zone_around(&stop.zone, now)?.local(stop.leaves_at).date;
        if leaves > date {
            return Ok(Some(leaves));
        }
    }
    Ok(None)
}

/// A departure as those see it who get on at one place on a date, and off at another; `None` where they cannot.
async fn voyage(
    tx: &mut Tx<'_>,
    dated: &Dated,
    (from, to): (&str, &str),
    date: LocalDate,
    classes: &[Class],
    travellers: Travellers,
    (locale, now): (Locale, i64),
) -> Result<Option<Voyage>> {
    let stops = &dated.timetable.stops;
    let Some((a, b)) = section(stops, from, to) else { return Ok(None) };
    let (Some(first), Some(last), Some(section)) = (stops.get(a), stops.get(b), Section::new(a, b)) else {
        return Ok(None);
    };
    let Some(departure) = Departure::new(first.leaves_at, last.arrives_at) else { return Ok(None) };
    let (here, there) = (store::zone_around(&first.zone, now)?, store::zone_around(&last.zone, now)?);
    let ends = departure.ends(&here, &there);
    if ends.leaves.date != date {
        return Ok(None);
    }
    let seats = seats_left(tx, dated, (a, b)).await?;
    let mut fares = Vec::new();
    for Class { offered, fare, name } in classes {
        let Some(price) = fare.price(travellers) else { continue };
        let mut left = seats;
        if fare.quota.is_some() {
            let quota = format!("{}:{}", dated.id, offered.variant_id);
            left = left.min(store::left(tx, &quota, 0, 1).await?.get(&0).copied().unwrap_or(0));
        }
        // As when it is ordered: what leaves too soon cannot be had any more.
        if first.leaves_at <= now || first.leaves_at < now.saturating_add(offered.policies.limits.notice_ms) {
            left = 0;
        }
        let booked = Booked { date, start: first.leaves_at, paid: price, nights: &[] };
        let free_until = fare.cancellation.free_until(&booked, &here);
        fares.push(FareOffer {
            variant_id: offered.variant_id.clone(),
            name: name.clone(),
            price,
            left: left.max(0),
            cabin_bags: fare.cabin_bags,
            checked_grams: fare.checked_grams,
            free_until: (free_until > now).then(|| here.local(free_until)),
            change_fee: fare.change.map(|rule| rule.fee),
        });
    }
    let via = stops.get(a + 1..b).unwrap_or_default();
    Ok(Some(Voyage {
        id: dated.id.clone(),
        section,
        from: Call { place: first.name(locale).to_owned(), local: ends.leaves },
        to: Call { place: last.name(locale).to_owned(), local: ends.arrives },
        via: via.iter().map(|stop| stop.name(locale).to_owned()).collect(),
        days_later: ends.days_later,
        duration_ms: ends.duration_ms,
        leaves_at: first.leaves_at,
        arrives_at: last.arrives_at,
        seats_chosen: dated.timetable.seats.is_some(),
        fares,
    }))
}

/// How many seats are free all along a section.
async fn seats_left(tx: &mut Tx<'_>, dated: &Dated, section: (usize, usize)) -> Result<i64> {
    if let Some(names) = &dated.timetable.seats {
        let taken = taken(tx, &dated.id, names, section).await?.len();
        return Ok(i64::try_from(names.len().saturating_sub(taken)).unwrap_or(i64::MAX));
    }
    let (from, until) = legs(section);
    let left = store::left(tx, &dated.id, from, until).await?;
    Ok((from..until).map(|leg| left.get(&leg).copied().unwrap_or(0)).min().unwrap_or(0))
}

/// The seats that are taken on one of the legs of a section, by the ids under which they are claimed.
async fn taken(
    tx: &mut Tx<'_>,
    departure_id: &str,
    names: &[String],
    section: (usize, usize),
) -> Result<HashSet<String>> {
    let ids: Vec<_> = names.iter().map(|name| seat_id(departure_id, name)).collect();
    Ok(store::taken_seats(tx, &ids, legs(section)).await?.into_iter().collect())
}

fn legs((from, to): (usize, usize)) -> (i64, i64) {
    (i64::try_from(from).unwrap_or(i64::MAX), i64::try_from(to).unwrap_or(i64::MAX))
}

fn seat_id(departure_id: &str, name: &str) -> String {
    format!("{departure_id}:{name}")
}
