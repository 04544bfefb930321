//! Moving a booking of a paid order: its customer by the rules that were shown before paying, or the office, for which the
//! customer pays nothing. Both go the same way from there, so that what moving means is in one place.

mod elsewhere;

pub use elsewhere::{Elsewhere, departures, move_elsewhere};

use super::{
    after::{Line, is_paid, tell_pages},
    claim, lines,
    lines::Snapshot,
    quote::{self, Asked, By},
    tell, trips, waiting,
};
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        booking::{
            after::{minute_of, move_refund, moved},
            agenda::MoveOrder,
            cancellation::Booked,
            date::LocalDate,
            offer::Kind,
            tables::Table,
            trips::{Departure, Move as OtherDeparture},
            wish::Wish,
        },
        error::{Problem, TakenSlot},
        money::Amount,
        number,
        order::EventKind,
        permission::Permission,
    },
    server::{
        App, Ctx,
        audit::{self, Entry},
        context::internal,
        db::Tx,
        message::What,
        order::{own, store as orders},
        payment,
    },
};

/// What the office needs to move somebody's booking: who may take people's time may also say for whom.
const TO_MOVE: Permission = Permission::AdjustStock;

/// Where a booking goes, and on whose word.
struct Move<'a> {
    wish: Wish,
    /// As the history of the order names them.
    actor: &'a str,
    by: By<'a>,
}

/// A date and a minute of the day, each as far as it could be read.
type When = (Result<LocalDate>, Result<Option<i64>>);

/// Reads `2026-12-24` and `18:30`, or no time.
fn when(date: &str, time: &str) -> When {
    let date = LocalDate::parse(date).ok_or_else(|| Error::field("date", Problem::Choice));
    let minute = match time.trim() {
        "" => Ok(None),
        time => minute_of(time).map(Some).ok_or_else(|| Error::field("time", Problem::Choice)),
    };
    (date, minute)
}

impl Line {
    /// The same wish at another time, by the clocks of the venue.
    fn at(&self, (date, minute): When) -> Result<Wish> {
        let (date, minute) = (date?, minute?);
        let minute = match (self.kind, minute) {
            (Kind::Table | Kind::Visit, None) => return Err(Error::field("time", Problem::Required)),
            (_, minute) => minute.unwrap_or(0),
        };
        let wish = moved(&self.snapshot.wish, date, minute, &self.zone);
        let wish = wish.ok_or_else(|| Error::field("date", Problem::Choice))?;
        wish.check()?;
        Ok(wish)
    }

    /// The same trip on the departure of its line that leaves then, by the clocks there.
    async fn leaving(&self, tx: &mut Tx<'_>, (date, minute): When, now: i64) -> Result<Wish> {
        if self.snapshot.change.is_none() {
            return Err(Error::field("date", Problem::Choice));
        }
        let (date, minute) = (date?, minute?.ok_or_else(|| Error::field("time", Problem::Required))?);
        let all = trips::leaving(tx, &self.product_id, &self.snapshot.wish, date, now).await?;
        let found = all.into_iter().find(|(leaves, _)| *leaves == minute);
        found.map(|(_, wish)| wish).ok_or_else(|| Error::field("time", Problem::Choice))
    }

    /// What comes back when its customer moves it to where it costs `price`: a trip by the rule of its fare, anything else
    /// as [`move_refund`] says. It is not moved where something would have to be paid first.
    fn refund_of_move(&self, price: Amount, now: i64) -> Result<Amount> {
        let Wish::Trip { travellers, .. } = &self.snapshot.wish else {
            return move_refund(self.settle(now), self.paid, price);
        };
        let costs = || Error::field("date", Problem::MoveCosts);
        let other = OtherDeparture {
            departure: Departure::new(self.time.start, self.time.end).ok_or_else(costs)?,
            date: self.date,
            zone: &self.zone,
            travellers: *travellers,
            paid: self.paid,
            price,
        };
        let moved = self.snapshot.change.and_then(|rule| rule.moved(&other, now)).ok_or_else(costs)?;
        match (moved.to_pay > Amount::ZERO, moved.fee > Amount::ZERO) {
            (false, _) => Ok(moved.refund),
            (true, true) => Err(costs()),
            (true, false) => Err(Error::field("date", Problem::Dearer)),
        }
    }
}

/// Moves a booking to another date and, where an hour is chosen, another time (`18:30`) by the clocks of the venue; a trip
/// to the departure that leaves then. It is claimed as any other booking is, and where it costs less the rest comes back.
/// Moving it to where it is changes nothing.
///
/// # Errors
/// [`Error::SlotTaken`] when it cannot be had there, [`Error::Invalid`] for what is no date or no time, for a booking that
/// has begun or that it costs something to give up, and for a time at which it costs more; [`Error::NotFound`] for the
/// order of someone else and for a line that is no booking, [`Error::OrderClosed`] for an order that is not paid, or over.
/// It stays where it is then.
pub async fn move_to(ctx: &Ctx, number: &str, position: i64, date: &str, time: &str) -> Result<()> {
    let id = own(ctx, number).await?.id;
    let (app, now, to) = (ctx.app.clone(), ctx.now, when(date, time));
    let changed = ctx.app.db.write::<_, Error>(move |tx| {
        let (app, id, to) = (app.clone(), id.clone(), to.clone());
        Box::pin(async move { move_in(tx, &app, &id, position, to, now).await })
    });
    tell_pages(&ctx.app, changed.await?, "a booking was moved");
    Ok(())
}

async fn move_in(
    tx: &mut Tx<'_>,
    app: &App,
    id: &str,
    position: i64,
    to: When,
    now: i64,
) -> Result<Option<orders::Changed>> {
    let order = orders::lock(tx, id).await?;
    is_paid(order.state)?;
    let line = Line::load(tx, id, position, now).await?;
    line.to_come("date", now)?;
    let wish = match line.kind {
        Kind::Trip => line.leaving(tx, to, now).await?,
        Kind::Stay | Kind::Table | Kind::Visit => line.at(to)?,
    };
    if wish == line.snapshot.wish {
        return Ok(None);
    }
    let to = Move { wish, actor: "customer", by: By::Customer };
    rebook(tx, app, &order, &line, to, now).await.map(Some)
}

/// The office moves an hour of somebody or a table to another time, to somebody else or to another table, while the venue
/// is open and they work. It costs the customer what it did, and they are told. Moving it to where it is changes nothing.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff, [`Error::Forbidden`] without the permission; [`Error::Conflict`] when
/// the booking was changed since it was seen; [`Error::SlotTaken`] when it cannot be had there; [`Error::Invalid`] with the
/// problem of `date`, `time` or `resource`, which is somebody who does not do this, and for a booking that has begun;
/// [`Error::NotFound`] for a line that is no booking, [`Error::OrderClosed`] for an order that is not paid, or over. It
/// stays where it is then.
pub async fn move_for_customer(ctx: &Ctx, form: &MoveOrder) -> Result<()> {
    let actor = ctx.require(TO_MOVE)?.actor();
    let number = number::parse(&form.number).ok_or(Error::NotFound)?;
    let id = orders::by_number(&ctx.app.db, &number).await?.id;
    let (app, now, form) = (ctx.app.clone(), ctx.now, form.clone());
    let changed = ctx.app.db.write::<_, Error>(move |tx| {
        let (app, id, form, actor) = (app.clone(), id.clone(), form.clone(), actor.clone());
        Box::pin(async move { move_by_office(tx, &app, &id, &form, &actor, now).await })
    });
    tell_pages(&ctx.app, changed.await?, "the office moved a booking");
    Ok(())
}

async fn move_by_office(
    tx: &mut Tx<'_>,
    app: &App,
    id: &str,
    form: &MoveOrder,
    actor: &str,
    now: i64,
) -> Result<Option<orders::Changed>> {
    let order = orders::lock(tx, id).await?;
    is_paid(order.state)?;
    let line = Line::load(tx, id, form.position, now).await?;
    line.to_come("date", now)?;
    if !matches!(line.kind, Kind::Table | Kind::Visit) {
        // Nights and departures are no one's time.
        return Err(Error::field("date", Problem::Choice));
    }
    let mut wish = line.at(when(&form.date, &form.time))?;
    let present = claim::with_whom(tx, id, form.position).await?;
    let mut chosen = Some(&form.resource).filter(|resource| !resource.is_empty());
    // Where it is already. Sent twice, it is there the second time.
    if wish == line.snapshot.wish && chosen.is_none_or(|chosen| present.contains(chosen)) {
        return Ok(None);
    }
    if line.version != form.version {
        return Err(Error::Conflict);
    }
    let mut begins = true;
    if let Some(chosen) = chosen {
        let mut detail = suits(tx, &line, &line.variant_id, chosen).await?;
        begins = detail.is_some();
        if let Wish::Visit { further, .. } = &wish {
            for variant in further {
                if detail.is_none() {
                    detail = suits(tx, &line, variant, chosen).await?;
                }
            }
            // Whoever has a part of it keeps that; another one begins it as well.
            begins = begins && (further.is_empty() || !present.contains(chosen));
        }
        let detail = detail.ok_or_else(|| Error::field("resource", Problem::Choice))?;
        if let Wish::Table { area: Some(area), .. } = &mut wish {
            // Wherever the guests wanted to sit, it is there that they will.
            let table: Table = serde_json::from_str(&detail).map_err(|e| internal("database", &e))?;
            *area = table.area;
        }
    }
    if line.kind == Kind::Table && present.len() > 1 {
        // A party at joined tables does not fit at one of them.
        chosen = chosen.filter(|chosen| !present.contains(chosen));
    }
    if let (Wish::Visit { person: Some(person), .. }, Some(chosen), true) = (&mut wish, chosen, begins) {
        person.clone_from(chosen);
    }
    let by = By::Office(chosen.map(String::as_str));
    rebook(tx, app, &order, &line, Move { wish, actor, by }, now).await.map(Some)
}

/// What there is to know of somebody who does a service of a booking, or of a table of the place, as JSON; `None` of
/// anybody else, and of any other table.
async fn suits(tx: &mut Tx<'_>, line: &Line, variant: &str, resource: &str) -> Result<Option<String>> {
    let sql = "select r.detail from resource r where r.id = $1 and r.active and r.kind = $4
        and (r.kind = 'table' and r.product_id = $2 or r.kind = 'person' and exists (
            select 1 from resource_offer f where f.resource_id = r.id and f.variant_id = $3))";
    let kind = if line.kind == Kind::Table { "table" } else { "person" };
    let row = tx.optional(sql, args![resource, &line.product_id, variant, kind]).await?;
    Ok(row.map(|row| row.get("detail")).transpose()?)
}

/// Claims a booking elsewhere and frees where it was, or does neither. The caller has locked the order.
async fn rebook(
    tx: &mut Tx<'_>,
    app: &App,
    order: &orders::OrderRow,
    line: &Line,
    Move { wish, actor, by }: Move<'_>,
    now: i64,
) -> Result<orders::Changed> {
    let (id, position) = (order.id.as_str(), line.position);
    // Free of its own claims, which may be in its way. Should it not be had, all of this is undone.
    claim::release_line(tx, id, position).await?;
    let taken = || Error::SlotTaken(vec![TakenSlot { line: position.to_string(), title: line.title.clone() }]);
    let asked = Asked { variant_id: &line.variant_id, wish: &wish, before: &[], now, by };
    let quote = match quote::quote(tx, &asked).await {
        Err(Error::NotFound) => return Err(taken()),
        quote => quote?,
    };
    let is_office = matches!(by, By::Office(_));
    let refund = if is_office {
        // Whatever it would cost there.
        quote.claims.as_ref().ok_or_else(taken)?;
        Amount::ZERO
    } else {
        let price = quote.price.filter(|_| quote.is_available()).ok_or_else(taken)?;
        line.refund_of_move(price, now)?
    };
    let price = line.paid - refund;
    let snapshot = Snapshot {
        wish,
        nights: quote.nights.clone(),
        cancellation: line.snapshot.cancellation.clone(),
        change: line.snapshot.change,
        person: quote.person.clone(),
    };
    let booked = Booked { date: quote.date, start: quote.start, paid: price, nights: &snapshot.nights };
    let free_until = snapshot.cancellation.free_until(&booked, &quote.zone);
    let detail = serde_json::to_string(&snapshot).map_err(|e| internal("booking", &e))?;
    let sql = "update order_booking set start_at = $3, end_at = $4, local_date = $5, detail = $6, free_until = $7,
            returned = returned + $8, reminded_at = null, version = version + 1
        where order_id = $1 and position = $2";
    let date = quote.date.to_string();
    let args = args![id, position, quote.start, quote.end, date, detail, free_until, refund.0];
    tx.exec(sql, args).await?;
    let locale: String = tx.one("select locale from orders where id = $1", args![id]).await?.get("locale")?;
    let locale = Locale::from_tag(&locale).unwrap_or_default();
    let label = snapshot.wish.words(locale, &quote.zone, quote.start, quote.person.as_deref());
    let sql = "update order_line set label = $3 where order_id = $1 and position = $2";
    tx.exec(sql, args![id, position, &label]).await?;
    let title = line.title.clone();
    let event = EventKind::BookingMoved { position, title: title.clone(), start: quote.start, refund };
    orders::note_event(tx, id, actor, &event, now).await?;
    let part = format!("move:{position}:{}", line.version);
    payment::refund_part(tx, id, (&part, refund), "booking moved", now).await?;
    if !lines::hold(tx, id, position, std::slice::from_ref(&quote)).await?.is_empty() {
        return Err(taken());
    }
    claim::take(tx, id).await?;
    waiting::offer(tx, app, std::slice::from_ref(&line.product_id), now).await?;
    if is_office {
        let page = format!("{}/orders/{}", app.config.public_url, order.number);
        let what = What::BookingMoved { title, label, page };
        tell::tell_buyer(tx, app, order, (locale, quote.start), &what, now).await?;
    }
    let entry = Entry {
        actor: actor.to_owned(),
        action: audit::Action::BookingMoved,
        subject: format!("order:{}", order.number),
        detail: format!("booking {position}, from {} to {}, refund {}", line.time.start, quote.start, refund.0),
    };
    audit::record(tx, &app.keys, &entry, now).await?;
    Ok(orders::Changed { number: order.number.clone(), products: vec![line.product_id.clone()] })
}
