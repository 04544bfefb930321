//! Services as their pages show them: free days and slots, who does it, and what else is near a slot that is gone.

use super::{
    claim::Claim,
    row::{self, Services, Staff, Taken},
    store::{self, Offered, Resource},
};
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        booking::{
            DAY_MS,
            alternatives::{self, Wanted},
            date::LocalDate,
            interval::Interval,
            month,
            offer::Offer,
            row::MAX_FURTHER,
            slots::{Search, Slot},
            visit::{Asked, Choice, NEAREST, Profile, Worker},
            wish::Wish,
            zone::Zone,
        },
        cart::Near,
        review::Rating,
    },
    server::{
        Ctx,
        context::internal,
        db::{Row, Tx},
    },
};
use std::collections::HashMap;

/// A service with the free days of a month and the free slots of one of its days. Without a month it is the one of the day
/// that is asked for, or else the first one in which something is free; without a day its first one with a free slot.
///
/// # Errors
/// [`Error::NotFound`] for what is no service.
pub async fn choice(ctx: &Ctx, variant_id: &str, asked: Asked) -> Result<Choice> {
    let (variant, locale, now) = (variant_id.to_owned(), ctx.locale, ctx.now);
    let (mut choice, region) = ctx
        .app
        .db
        .read::<_, Error>(move |tx| {
            let (variant, asked) = (variant.clone(), asked.clone());
            Box::pin(async move { load(tx, &variant, asked, locale, now).await })
        })
        .await?;
    if choice.at_home {
        choice.place = ctx.app.divisions.name(&region, locale);
    }
    Ok(choice)
}

async fn load(tx: &mut Tx<'_>, variant_id: &str, asked: Asked, locale: Locale, now: i64) -> Result<(Choice, String)> {
    let offered = store::offered(tx, variant_id, now).await?.filter(|offered| offered.sold).ok_or(Error::NotFound)?;
    let Offer::Visit(service) = &offered.offer else { return Err(Error::NotFound) };
    // What there is of it: the list of another variant may be shorter.
    let chosen: Vec<_> = asked.add_ons.into_iter().filter(|place| *place < service.add_ons.len()).collect();
    let beside = row::beside(tx, &offered, locale).await?;
    let mut others: Vec<&Offered> = Vec::new();
    for variant in asked.further.iter().take(MAX_FURTHER) {
        let found = beside.iter().map(|(other, _)| other).find(|other| other.variant_id == *variant);
        others.extend(found.filter(|found| others.iter().all(|other| other.variant_id != found.variant_id)));
    }
    let mut services = Services::new(&offered, &chosen, &others);
    if services.is_none() {
        // Too long together.
        others.clear();
        services = Services::new(&offered, &chosen, &others);
    }
    let services = services.ok_or(Error::NotFound)?;
    let (zone, limits) = (&offered.zone, &services.limits);
    let today = zone.local(now).date;
    let last = today.plus(limits.horizon_days.max(0));
    let within = |date: LocalDate| month::first(date.max(today).min(last));
    let mut shown = within(asked.month.or(asked.date).unwrap_or(today));
    let search = |asked: Interval| Search::new(services.visit, limits, zone, now, asked);
    let free_now = Taken { others: true, besides: &[] };
    let mut of_month = search(month_of(&offered, shown));
    let mut staff = Staff::load(tx, &services, of_month.within, &[]).await?;
    let mut slots = staff.slots(zone, &of_month, free_now);
    let following = within(month::next(shown));
    if slots.is_empty() && asked.month.is_none() && asked.date.is_none() && following != shown {
        // The last days of a month are soon taken.
        shown = following;
        of_month = search(month_of(&offered, shown));
        staff = Staff::load(tx, &services, of_month.within, &[]).await?;
        slots = staff.slots(zone, &of_month, free_now);
    }
    let people = staff.begin();
    let person = asked.person.and_then(|id| people.iter().position(|person| person.id == id));
    let wanted = |slot: &Slot| person.is_none_or(|person| slot.people.contains(&person));
    let mut free: Vec<(LocalDate, i64)> = Vec::new();
    for slot in slots.iter().filter(|slot| wanted(slot)) {
        let date = zone.local(slot.start).date;
        match free.last_mut() {
            Some((day, count)) if *day == date => *count += 1,
            _ => free.push((date, 1)),
        }
    }
    let asked_for = asked.date.filter(|date| month::first(*date) == shown && today <= *date && *date <= last);
    let date = asked_for.or_else(|| free.first().map(|(date, _)| *date));
    slots.retain(|slot| Some(zone.local(slot.start).date) == date);
    // What could be had if nobody had anything, of the days of which that matters alone.
    let is_free = |date: LocalDate| free.iter().any(|(day, _)| *day == date);
    let none: Vec<_> = month::days(shown).filter(|day| today <= *day && *day <= last && !is_free(*day)).collect();
    let looked = none.iter().copied().chain(date);
    let (mut full, mut taken): (Vec<LocalDate>, Vec<i64>) = (Vec::new(), Vec::new());
    if let (Some(first), Some(until)) = (looked.clone().min(), looked.max()) {
        let days = Interval { start: zone.day(first).start, end: zone.day(until).end };
        for slot in staff.slots(zone, &search(days), Taken::NOTHING).iter().filter(|slot| wanted(slot)) {
            let day = zone.local(slot.start).date;
            if Some(day) == date && !slots.iter().any(|free| free.start == slot.start && wanted(free)) {
                taken.push(slot.start);
            }
            if none.contains(&day) && full.last() != Some(&day) {
                full.push(day);
            }
        }
    }
    let mut ratings = ratings(tx, &offered.product_id).await?;
    let rated = |person: &Resource| {
        let worker: Worker = worker(person, locale)?;
        Ok(Worker { rating: ratings.remove(&worker.id).unwrap_or_default(), ..worker })
    };
    let workers = people.iter().map(rated).collect::<Result<_>>()?;
    let choice = Choice {
        variant_id: offered.variant_id.clone(),
        zone: zone.clone(),
        place: offered.address.clone(),
        at_home: service.at_home,
        basis: service.basis,
        price: services.price,
        duration_ms: services.visit.times().duration,
        add_ons: service.add_ons.iter().map(|add_on| add_on.in_locale(locale)).collect(),
        chosen_add_ons: chosen,
        further: beside.iter().filter_map(|(other, title)| row::told(other, title)).collect(),
        chosen_further: others.iter().map(|other| other.variant_id.clone()).collect(),
        workers,
        person,
        cancellation: offered.policies.cancellation.clone(),
        today,
        last,
        month: shown,
        free,
        date,
        slots,
        full,
        taken,
    };
    let region = offered.region.clone();
    Ok((choice, region))
}

/// What customers thought of the people of a product who came, as they said in reviews that are shown. Nobody else says it:
/// who was never reviewed has no stars.
async fn ratings(tx: &mut Tx<'_>, product_id: &str) -> Result<HashMap<String, Rating>> {
    let sql = "select resource_id, cast(sum(person_stars) as bigint) as stars, count(*) as reviews from review
        where product_id = $1 and resource_id is not null and person_stars is not null and hidden_at is null
        group by resource_id";
    let rows = tx.all(sql, args![product_id]).await?;
    let read = |row: &Row| Ok((row.get("resource_id")?, Rating { sum: row.get("stars")?, count: row.get("reviews")? }));
    rows.iter().map(read).collect()
}

fn worker(person: &Resource, locale: Locale) -> Result<Worker> {
    let profile: Profile = serde_json::from_str(&person.detail).map_err(|e| internal("database", &e))?;
    Ok(profile.worker(&person.id, &person.name, locale.tag()))
}

/// The month of a venue that begins with a day.
fn month_of(offered: &Offered, first: LocalDate) -> Interval {
    Interval { start: offered.zone.day(first).start, end: offered.zone.day(month::next(first)).start }
}

/// Those who do a service, or begin with it where others follow, and its free slots that begin in an interval; slots name
/// people by their places in the list. With the claims that the cart makes besides, and the present moment.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn find(
    tx: &mut Tx<'_>,
    services: &Services,
    zone: &Zone,
    asked: Interval,
    (besides, now): (&[Claim], i64),
) -> Result<(Vec<Resource>, Vec<Slot>)> {
    let search = Search::new(services.visit, &services.limits, zone, now, asked);
    let staff = Staff::load(tx, services, search.within, &[]).await?;
    let slots = staff.slots(zone, &search, Taken { others: true, besides });
    Ok((staff.into_begin(), slots))
}

/// What is nearest to a visit that cannot be had: other times of the same person, or other people. Nothing for wishes of
/// other kinds, and for a visit that is not offered any more.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn near(
    tx: &mut Tx<'_>,
    variant_id: &str,
    wish: &Wish,
    (before, now): (&[Claim], i64),
    locale: Locale,
) -> Result<Vec<Near>> {
    let Wish::Visit { start, person, add_ons, further } = wish else { return Ok(Vec::new()) };
    let offered = store::offered(tx, variant_id, now).await?.filter(|offered| offered.sold);
    let Some(offered) = offered else { return Ok(Vec::new()) };
    let services = Services::load(tx, &offered, add_ons, further, now).await?;
    let Some(services) = services else { return Ok(Vec::new()) };
    // Around what was wanted; where that is over, around now.
    let middle = (*start).max(now);
    let around = Interval { start: middle.saturating_sub(3 * DAY_MS), end: middle.saturating_add(3 * DAY_MS) };
    let (people, slots) = find(tx, &services, &offered.zone, around, (before, now)).await?;
    let place = |id: &String| people.iter().position(|person| person.id == *id);
    let wanted = Wanted { start: *start, person: person.as_ref().and_then(place) };
    let found = alternatives::nearest(&slots, wanted, NEAREST).into_iter().map(|one| {
        let chosen = people.get(one.person).filter(|_| person.is_some());
        let wish = Wish::Visit {
            start: one.start,
            person: chosen.map(|p| p.id.clone()),
            add_ons: add_ons.clone(),
            further: further.clone(),
        };
        let label = wish.words(locale, &offered.zone, one.start, chosen.map(|p| p.name.as_str()));
        Near { variant_id: None, wish, label }
    });
    Ok(found.collect())
}
