//! What is nobody's time, moved by the office: a stay to other nights, a trip to another departure of its line. Hours of
//! people and tables are moved where their days are shown.

use super::{TO_MOVE, When, put_by_office, when};
use crate::{
    domain::{
        Error, Result,
        booking::{date::LocalDate, offer::Kind, wish::Wish},
        error::Problem,
        number,
    },
    server::{
        App, Ctx,
        booking::{
            after::{Line, is_paid, tell_pages},
            quote::{self, Asked, By},
            trips,
        },
        db::Tx,
        order::store as orders,
    },
};

/// Whatever is free, for the office and with nobody in particular.
const BY: By<'static> = By::Office(None);

/// Where a stay or a trip goes, as the office asks for it.
#[derive(Clone, Debug)]
pub struct OtherDay<'a> {
    pub number: &'a str,
    /// Of the line in the order.
    pub position: i64,
    /// When the booking began as it was seen, in UTC milliseconds.
    pub seen: i64,
    /// By the clocks there: `2026-12-24`, and of a trip the `18:30` at which it leaves.
    pub date: &'a str,
    pub time: &'a str,
}

/// The minutes of a date (`2026-12-24`) at which other departures leave that have place for a trip, by the clocks there;
/// none for anything but a trip.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff, [`Error::Forbidden`] without the permission; [`Error::Invalid`] for what
/// is no date and for a booking that has begun, [`Error::NotFound`] for a line that is no booking, [`Error::OrderClosed`]
/// for an order that is not paid, or over.
pub async fn departures(ctx: &Ctx, number: &str, position: i64, date: &str) -> Result<Vec<i64>> {
    ctx.require(TO_MOVE)?;
    let number = number::parse(number).ok_or(Error::NotFound)?;
    let order = orders::by_number(&ctx.app.db, &number).await?;
    is_paid(order.state)?;
    let date = when(date, "").0?;
    let (id, now) = (order.id, ctx.now);
    let found = ctx.app.db.read::<_, Error>(move |tx| {
        let id = id.clone();
        Box::pin(async move { with_place(tx, &id, position, date, now).await })
    });
    found.await
}

async fn with_place(tx: &mut Tx<'_>, id: &str, position: i64, date: LocalDate, now: i64) -> Result<Vec<i64>> {
    let line = Line::load(tx, id, position, now).await?;
    line.to_come("date", now)?;
    let mut minutes = Vec::new();
    for (minute, wish) in trips::leaving(tx, &line.product_id, &line.snapshot.wish, date, now).await? {
        if wish == line.snapshot.wish {
            continue;
        }
        let asked = Asked { variant_id: &line.variant_id, wish: &wish, before: &[], now, by: BY };
        match quote::quote(tx, &asked).await {
            // The office made something else of it.
            Err(Error::NotFound) => {}
            quote => minutes.extend(quote?.claims.is_some().then_some(minute)),
        }
    }
    Ok(minutes)
}

/// The office moves a stay to as many nights from another date on, or a trip to another departure of its line between the
/// same places. It costs the customer what it did, and they are told. Moving it to where it is changes nothing.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff, [`Error::Forbidden`] without the permission; [`Error::Conflict`] when
/// the booking is not where it was seen; [`Error::SlotTaken`] when it cannot be had there; [`Error::Invalid`] with the
/// problem of `date` or `time`, also for a booking that has begun and one that is neither; [`Error::NotFound`] for a line
/// that is no booking, [`Error::OrderClosed`] for an order that is not paid, or over. It stays where it is then.
pub async fn move_elsewhere(ctx: &Ctx, asked: &OtherDay<'_>) -> Result<()> {
    let actor = ctx.require(TO_MOVE)?.actor();
    let number = number::parse(asked.number).ok_or(Error::NotFound)?;
    let id = orders::by_number(&ctx.app.db, &number).await?.id;
    let (app, now, to) = (ctx.app.clone(), ctx.now, when(asked.date, asked.time));
    let line = (asked.position, asked.seen);
    let changed = ctx.app.db.write::<_, Error>(move |tx| {
        let (app, id, to, actor) = (app.clone(), id.clone(), to.clone(), actor.clone());
        Box::pin(async move { move_in(tx, &app, &id, line, to, &actor, now).await })
    });
    tell_pages(&ctx.app, changed.await?, "the office moved a booking");
    Ok(())
}

async fn move_in(
    tx: &mut Tx<'_>,
    app: &App,
    id: &str,
    (position, seen): (i64, i64),
    to: When,
    actor: &str,
    now: i64,
) -> Result<Option<orders::Changed>> {
    let order = orders::lock(tx, id).await?;
    is_paid(order.state)?;
    let line = Line::load(tx, id, position, now).await?;
    line.to_come("date", now)?;
    let wish = wish(tx, &line, to, now).await?;
    // Where it is already. Sent twice, it is there the second time.
    if wish == line.snapshot.wish {
        return Ok(None);
    }
    if line.time.start != seen {
        return Err(Error::Conflict);
    }
    put_by_office(tx, app, (&order, &line), (wish, BY), actor, now).await.map(Some)
}

/// The same wish on other nights, or on the departure that leaves then.
async fn wish(tx: &mut Tx<'_>, line: &Line, (date, minute): When, now: i64) -> Result<Wish> {
    match line.kind {
        Kind::Stay => line.at((date, Ok(None))),
        Kind::Trip => {
            let (date, minute) = (date?, minute?.ok_or_else(|| Error::field("time", Problem::Required))?);
            let all = trips::leaving(tx, &line.product_id, &line.snapshot.wish, date, now).await?;
            let found = all.into_iter().find(|(leaves, _)| *leaves == minute);
            found.map(|(_, wish)| wish).ok_or_else(|| Error::field("time", Problem::Choice))
        }
        Kind::Table | Kind::Visit => Err(Error::field("date", Problem::Choice)),
    }
}
