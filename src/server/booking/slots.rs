//! The free slots of a service: hours − exceptions − breaks − claims − buffers, day by day.

use super::store;
use crate::domain::{
    Error, Result,
    booking::{
        date::LocalDate,
        interval::Interval,
        offer::{MAX_DAYS, Offer, SlotDay, SlotList, SlotPerson},
        slots::{self, Availability, Search},
    },
    error::Problem,
    money::Amount,
};
use crate::server::Ctx;

/// The slots of a service on some days from a date on; with a person those of this person. More than one day come without
/// who is free at each.
///
/// # Errors
/// [`Error::NotFound`] for what is no service, [`Error::Invalid`] for a number of days that is none or too many.
pub async fn slots(
    ctx: &Ctx,
    variant_id: &str,
    first: LocalDate,
    days: i64,
    person: Option<&str>,
    add_ons: &[usize],
) -> Result<SlotList> {
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(Error::field("days", Problem::Range(1, MAX_DAYS)));
    }
    let (variant, person, add_ons) = (variant_id.to_owned(), person.map(str::to_owned), add_ons.to_vec());
    let now = ctx.now;
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let (variant, person, add_ons) = (variant.clone(), person.clone(), add_ons.clone());
            Box::pin(async move {
                let offered = store::offered(tx, &variant, now).await?.filter(|offered| offered.sold);
                let offered = offered.ok_or(Error::NotFound)?;
                let Offer::Visit(service) = &offered.offer else { return Err(Error::NotFound) };
                let (extra, visit) = service.with(&add_ons).ok_or_else(|| Error::field("add_ons", Problem::Choice))?;
                let (zone, limits) = (&offered.zone, &offered.policies.limits);
                let asked = Interval { start: zone.day(first).start, end: zone.day(first.plus(days - 1)).end };
                let search = Search::new(visit, limits, zone, now, asked);
                let reach = Availability::reach(search.within);
                let mut people = store::resources(tx, &offered.product_id, "person", Some(&variant), reach).await?;
                let all = people.iter().map(|person| SlotPerson { id: person.id.clone(), name: person.name.clone() });
                let all: Vec<_> = all.collect();
                if let Some(chosen) = &person {
                    people.retain(|person| person.id == *chosen);
                }
                let things = store::resources(tx, &offered.product_id, "thing", Some(&variant), reach).await?;
                let free = |resources: &[store::Resource]| -> Vec<Availability> {
                    let one = |resource: &store::Resource| {
                        Availability::new(&resource.schedule, zone, search.within, resource.taken.iter().copied())
                    };
                    resources.iter().map(one).collect()
                };
                let mut found = slots::slots(&free(&people), &search);
                if !things.is_empty() {
                    let with = slots::with_a_thing(found, &free(&things), &search);
                    found = with.into_iter().map(|(slot, _)| slot).collect();
                }
                // Among all, so that a page names them however they were asked for.
                let place = |place: &usize| {
                    let person = people.get(*place)?;
                    all.iter().position(|other| other.id == person.id)
                };
                for slot in &mut found {
                    slot.people = if days > 1 { Vec::new() } else { slot.people.iter().filter_map(place).collect() };
                }
                let on = |date: LocalDate| {
                    let day = zone.day(date);
                    let slots = found.iter().filter(|slot| day.contains(slot.start)).cloned().collect();
                    SlotDay { date, slots }
                };
                let listed = first.up_to(first.plus(days)).map(on).collect();
                let price: Amount = offered.price + extra;
                let add_ons = service.add_ons.clone();
                Ok(SlotList { zone: zone.clone(), price, people: all, add_ons, days: listed })
            })
        })
        .await
}
