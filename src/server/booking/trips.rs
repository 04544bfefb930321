//! Departures of a line and of all lines: when they leave by the clocks there, what each fare costs and has left, and which
//! seats are free.

mod choice;

pub(super) use choice::leaving;
pub use choice::{add, near};

use super::store::{self, Dated, Offered, Span};
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        booking::{
            DAY_MS,
            cancellation::Booked,
            date::LocalDate,
            offer::{Offer, Stop},
            travel::{
                Call, DepartureList, FareOffer, Pick, SeatRow, Trip, TripAsk, TripList, TripOffer, Voyage, seat_rows,
            },
            trips::{Departure, Fare, Section, Travellers},
        },
        catalog::{ProductOption, label},
        error::Problem,
    },
    server::{
        Ctx,
        catalog::{image, in_locale, json},
        db::Tx,
    },
};
use std::collections::{BTreeMap, HashSet};

/// How many of the next departures are looked at for the stops of a line and its next date.
const NEXT: i64 = 200;
/// The most departures that a search looks at.
const MAX_FOUND: i64 = 500;
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
