//! The free slots of a service: hours − exceptions − breaks − claims − buffers, day by day.

use super::{row::Services, store, visit};
use crate::domain::{
    Error, Result,
    booking::{
        date::LocalDate,
        interval::Interval,
        offer::{MAX_DAYS, Offer, SlotDay, SlotList, SlotPerson},
        row::are_few,
    },
    error::Problem,
};
use crate::server::Ctx;

/// The slots of a service on some days from a date on; with a person those of this person, and with further services those
/// at which all of them can be done in a row. More than one day come without who is free at each.
///
/// # Errors
/// [`Error::NotFound`] for what is no service, [`Error::Invalid`] for a number of days that is none or too many, and for
/// add-ons and further services that cannot be had with it.
pub async fn slots(
    ctx: &Ctx,
    variant_id: &str,
    first: LocalDate,
    days: i64,
    person: Option<&str>,
    add_ons: &[usize],
    further: &[String],
) -> Result<SlotList> {
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(Error::field("days", Problem::Range(1, MAX_DAYS)));
    }
    if !are_few(further) {
        return Err(Error::field("further", Problem::Choice));
    }
    let (variant, person, add_ons) = (variant_id.to_owned(), person.map(str::to_owned), add_ons.to_vec());
    let (further, locale, now) = (further.to_vec(), ctx.locale, ctx.now);
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let (variant, person, add_ons, further) =
                (variant.clone(), person.clone(), add_ons.clone(), further.clone());
            Box::pin(async move {
                let offered = store::offered(tx, &variant, now).await?.filter(|offered| offered.sold);
                let offered = offered.ok_or(Error::NotFound)?;
                let Offer::Visit(service) = &offered.offer else { return Err(Error::NotFound) };
                service.with(&add_ons).ok_or_else(|| Error::field("add_ons", Problem::Choice))?;
                let services = Services::load(tx, &offered, &add_ons, &further, now).await?;
                let services = services.ok_or_else(|| Error::field("further", Problem::Choice))?;
                let zone = &offered.zone;
                let asked = Interval { start: zone.day(first).start, end: zone.day(first.plus(days - 1)).end };
                let (people, mut found) = visit::find(tx, &services, zone, asked, (&[], now)).await?;
                let chosen = person.map(|id| people.iter().position(|person| person.id == id));
                for slot in &mut found {
                    // Somebody who does not do this has no slots.
                    slot.people.retain(|place| chosen.is_none_or(|chosen| chosen == Some(*place)));
                }
                found.retain(|slot| !slot.people.is_empty());
                if days > 1 {
                    found.iter_mut().for_each(|slot| slot.people.clear());
                }
                let on = |date: LocalDate| {
                    let day = zone.day(date);
                    let slots = found.iter().filter(|slot| day.contains(slot.start)).cloned().collect();
                    SlotDay { date, slots }
                };
                let listed = first.up_to(first.plus(days)).map(on).collect();
                let add_ons = service.add_ons.iter().map(|add_on| add_on.in_locale(locale)).collect();
                let all = people.into_iter().map(|person| SlotPerson { id: person.id, name: person.name }).collect();
                Ok(SlotList { zone: zone.clone(), price: services.price, people: all, add_ons, days: listed })
            })
        })
        .await
}
