//! What the office does with the time of people, tables and things: see it, block some of it, and give it back.

use super::{
    claim,
    store::{self, zone_around},
};
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        booking::{
            agenda::{Agenda, AgendaBooking, AgendaDay, AgendaItem, AgendaResource, AgendaWhat, MAX_DAYS, MAX_REASON},
            date::LocalDate,
            interval::Interval,
            schedule::Hours,
            zone::Zone,
        },
        error::{Check, Problem},
        order::{BookingState, State},
        permission::Permission,
    },
    server::{
        Ctx,
        catalog::in_locale,
        db::{Row, ToValue, Tx, placeholders},
        order::store::known,
    },
};

/// Some days of a venue, of the first one unless another is asked for, from today on unless another day is.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff, [`Error::Invalid`] for a number of days that is none or too many.
pub async fn agenda(ctx: &Ctx, product_id: Option<&str>, first: Option<LocalDate>, days: i64) -> Result<Agenda> {
    ctx.require(Permission::SeeOrders)?;
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(Error::field("days", Problem::Range(1, MAX_DAYS)));
    }
    let may_block = ctx.may(Permission::AdjustStock);
    let (product, locale, now) = (product_id.map(str::to_owned), ctx.locale, ctx.now);
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let product = product.clone();
            Box::pin(async move {
                let agenda = load(tx, product.as_deref(), (first, days), locale, now).await?;
                Ok(Agenda { may_block, ..agenda })
            })
        })
        .await
}

async fn load(
    tx: &mut Tx<'_>,
    product_id: Option<&str>,
    (first, days): (Option<LocalDate>, i64),
    locale: Locale,
    now: i64,
) -> Result<Agenda> {
    let sql = format!(
        "select p.id, e.zone, {} as title from product p join venue e on e.product_id = p.id
        where exists (select 1 from resource r where r.product_id = p.id and r.active) order by p.created_at, p.id",
        in_locale!("title")
    );
    let rows = tx.all(sql, args![locale.tag()]).await?;
    let (mut venues, mut shown) = (Vec::new(), None);
    for row in &rows {
        let (id, title): (String, String) = (row.get("id")?, row.get("title")?);
        if product_id.map_or(venues.is_empty(), |wanted| wanted == id) {
            shown = Some((id.clone(), row.get::<String>("zone")?));
        }
        venues.push((id, title));
    }
    let Some((product, zone)) = shown else {
        let zone = Zone::utc();
        let today = zone.local(now).date;
        let days = today.up_to(today.plus(days)).collect();
        return Ok(Agenda { venues, product_id: None, zone, today, days, resources: Vec::new(), may_block: false });
    };
    // Its clocks are known around the days that are looked at, however long ago those were.
    let about = first.map_or(now, |first| Zone::utc().at(first, 0));
    let (zone, today) = (zone_around(&zone, about)?, zone_around(&zone, now)?.local(now).date);
    let first = first.unwrap_or(today);
    let listed: Vec<_> = first.up_to(first.plus(days)).collect();
    let within = Interval { start: zone.day(first).start, end: zone.day(first.plus(days)).start };
    let mut found = Vec::new();
    for kind in ["person", "table", "thing"] {
        let of_kind = store::resources(tx, &product, kind, None, within).await?;
        found.extend(of_kind.into_iter().map(|resource| (kind != "thing", resource)));
    }
    let ids: Vec<_> = found.iter().map(|(_, resource)| resource.id.clone()).collect();
    let items = items(tx, &ids, within, now).await?;
    let of = |(takes, resource): (bool, store::Resource)| {
        let open = resource.schedule.open(&zone, within);
        let own = items.iter().filter(|(id, _)| *id == resource.id).map(|(_, item)| item.clone());
        let own: Vec<_> = own.collect();
        let day = |date: &LocalDate| {
            let day = zone.day(*date);
            let open = open.work.as_slice().iter().map(|part| part.and(day)).filter(|part| !part.is_empty());
            AgendaDay::new(open.collect(), &own, day)
        };
        AgendaResource { days: listed.iter().map(day).collect(), id: resource.id, name: resource.name, takes }
    };
    let resources = found.into_iter().map(of).collect();
    Ok(Agenda { venues, product_id: Some(product), zone, today, days: listed, resources, may_block: false })
}

/// What is taken of some resources in an interval, each with the id of its resource, in order of time.
async fn items(tx: &mut Tx<'_>, resources: &[String], within: Interval, now: i64) -> Result<Vec<(String, AgendaItem)>> {
    if resources.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "select c.id, c.resource_id, c.start_at, c.end_at, c.state, c.reason, c.expires_at, c.move_id, o.number,
            o.state as order_state, l.title, b.state as booking_state, b.position, b.version, b.start_at as begins_at
        from claim c left join orders o on o.id = c.order_id
            left join order_line l on l.order_id = c.order_id and l.position = c.position
            left join order_booking b on b.order_id = c.order_id and b.position = c.position
        where c.kind = 'time' and c.state in ('active', 'taken') and c.start_at < $1 and c.end_at > $2
            and c.resource_id in ({}) order by c.start_at, c.id",
        placeholders(3, resources.len())
    );
    let mut args = args![within.end, within.start];
    args.extend(resources.iter().map(ToValue::to_value));
    tx.all(sql, args).await?.iter().map(|row| item(row, now)).collect()
}

fn item(row: &Row, now: i64) -> Result<(String, AgendaItem)> {
    let what = match row.get::<Option<String>>("number")? {
        Some(number) => {
            let state = known(BookingState::from_name, row, "booking_state")?;
            let (order, start) = (known(State::from_name, row, "order_state")?, row.get("begins_at")?);
            AgendaWhat::Booking(AgendaBooking {
                number,
                position: row.get("position")?,
                version: row.get("version")?,
                start,
                title: row.get::<Option<String>>("title")?.unwrap_or_default(),
                state,
                paid: row.get::<String>("state")? == "taken",
                // Where it would go once that is paid for, there is nothing to move yet.
                open: row.get::<Option<String>>("move_id")?.is_none()
                    && matches!(order, State::ToShip | State::Shipped)
                    && state == BookingState::Booked
                    && now < start,
            })
        }
        None if row.get::<Option<i64>>("expires_at")?.is_some() => AgendaWhat::Offered,
        None => AgendaWhat::Blocked { reason: row.get("reason")? },
    };
    let time = Interval { start: row.get("start_at")?, end: row.get("end_at")? };
    Ok((row.get("resource_id")?, AgendaItem { id: row.get("id")?, time, what }))
}

/// Blocks time of somebody or something on a day by the clocks of the venue; an end that is not after the beginning is of
/// the next day. It is rounded outwards to five minutes.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff, [`Error::Forbidden`] without the permission; [`Error::Invalid`] with
/// the problems by field, and with `Taken` where some of the time is not free; [`Error::NotFound`] for an unknown resource.
pub async fn block(ctx: &Ctx, resource_id: &str, date: &str, (from, until): (&str, &str), reason: &str) -> Result<()> {
    ctx.require(Permission::AdjustStock)?;
    let mut check = Check::default();
    let date = check.take("date", LocalDate::parse(date).ok_or(Problem::Choice));
    let hours = check.take("from", Hours::parse(from, until).ok_or(Problem::Choice));
    let reason = reason.trim().to_owned();
    if reason.chars().count() > MAX_REASON {
        check.add("reason", Problem::TooLong(u32::try_from(MAX_REASON).unwrap_or(u32::MAX)));
    }
    check.finish()?;
    let (Some(date), Some(hours)) = (date, hours) else { return Err(Error::field("date", Problem::Choice)) };
    let (resource, now) = (resource_id.to_owned(), ctx.now);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (resource, reason) = (resource.clone(), reason.clone());
            Box::pin(async move {
                let sql = "select e.zone from resource r join venue e on e.product_id = r.product_id where r.id = $1";
                let zone: String = tx.one(sql, args![&resource]).await?.get("zone")?;
                let about = Zone::utc().at(date, 0).max(now);
                let time = hours.on(date, &zone_around(&zone, about)?);
                if time.is_empty() {
                    // The clocks there leave it out.
                    return Err(Error::field("from", Problem::Choice));
                }
                let blocked = claim::block(tx, &resource, time, &reason).await?;
                blocked.map(|_| ()).ok_or_else(|| Error::field("from", Problem::Taken))
            })
        })
        .await
}

/// Gives blocked time back. Doing it twice is once, and of an order nothing is given back.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff, [`Error::Forbidden`] without the permission.
pub async fn unblock(ctx: &Ctx, claim_id: &str) -> Result<()> {
    ctx.require(Permission::AdjustStock)?;
    let claim = claim_id.to_owned();
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let claim = claim.clone();
            Box::pin(async move { claim::unblock(tx, &claim).await })
        })
        .await
}
