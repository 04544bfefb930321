//! Moving a booking of a paid order: its customer by the rules that were shown before paying, or the office, for which the
//! customer pays nothing. What costs something is [held](super::held) until it is paid. All go the same way in the end, so
//! that what moving means is in one place.

mod elsewhere;

pub use elsewhere::{OtherDay, departures, move_elsewhere};

use super::{
    after::{Line, is_paid, tell_pages},
    claim::{self, Aside, Claim},
    held,
    lines::Snapshot,
    quote::{self, Asked, By, Quote},
    tell, trips, waiting,
};
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        booking::{
            after::{MoveAnswer, minute_of, move_cost, moved},
            agenda::MoveOrder,
            cancellation::Booked,
            date::LocalDate,
            offer::Kind,
            tables::Table,
            trips::{Departure, Move as OtherDeparture, Moved},
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
        order::{confirm, own, store as orders},
        payment,
    },
};
use serde::{Deserialize, Serialize};

/// What the office needs to move somebody's booking: who may take people's time may also say for whom.
const TO_MOVE: Permission = Permission::AdjustStock;

/// Where a booking goes, and what is claimed for it there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Place {
    pub snapshot: Snapshot,
    /// From when to when, in UTC milliseconds, and the date by the clocks of the venue.
    pub start: i64,
    pub end: i64,
    pub date: LocalDate,
    pub free_until: i64,
    /// When it is, in words.
    pub label: String,
    pub claims: Vec<Claim>,
    /// As [`Quote::opens`] has it.
    pub opens: Option<(String, i64, i64)>,
}

impl Place {
    /// Where a wish leads, with the rules by which the booking was made.
    pub fn new(wish: Wish, quote: Quote, line: &Line, cost: Moved, locale: Locale) -> Self {
        let snapshot = Snapshot {
            wish,
            nights: quote.nights,
            cancellation: line.snapshot.cancellation.clone(),
            change: line.snapshot.change,
            person: quote.person,
        };
        let paid = cost.paid_after(line.paid);
        let booked = Booked { date: quote.date, start: quote.start, paid, nights: &snapshot.nights };
        Self {
            free_until: snapshot.cancellation.free_until(&booked, &quote.zone),
            label: snapshot.wish.words(locale, &quote.zone, quote.start, snapshot.person.as_deref()),
            start: quote.start,
            end: quote.end,
            date: quote.date,
            claims: quote.claims.unwrap_or_default(),
            opens: quote.opens,
            snapshot,
        }
    }
}

/// What a booking comes to elsewhere, and what it has where it is, which was freed.
pub(super) struct Elsewhere {
    pub quote: Quote,
    pub cost: Moved,
    pub aside: Aside,
}

/// A date and a minute of the day, each as far as it could be read.
pub(super) type When = (Result<LocalDate>, Result<Option<i64>>);

/// Reads `2026-12-24` and `18:30`, or no time.
pub(super) fn when(date: &str, time: &str) -> When {
    let date = LocalDate::parse(date).ok_or_else(|| Error::field("date", Problem::Choice));
    let minute = match time.trim() {
        "" => Ok(None),
        time => minute_of(time).map(Some).ok_or_else(|| Error::field("time", Problem::Choice)),
    };
    (date, minute)
}

impl Line {
    /// What is wished for when its customer moves it.
    pub(super) async fn wish_at(&self, tx: &mut Tx<'_>, to: When, now: i64) -> Result<Wish> {
        match self.kind {
            Kind::Trip => self.leaving(tx, to, now).await,
            Kind::Stay | Kind::Table | Kind::Visit => self.at(to),
        }
    }

    /// Somebody else has what it would need.
    pub(super) fn taken(&self) -> Error {
        Error::SlotTaken(vec![TakenSlot { line: self.position.to_string(), title: self.title.clone() }])
    }

    /// Frees what it has, which may be in its way, and says what it comes to elsewhere.
    ///
    /// # Errors
    /// [`Error::SlotTaken`] when it cannot be had there, and those of [`cost_of_move`](Self::cost_of_move).
    pub(super) async fn elsewhere(
        &self,
        tx: &mut Tx<'_>,
        order_id: &str,
        (wish, by): (&Wish, By<'_>),
        now: i64,
    ) -> Result<Elsewhere> {
        let aside = claim::set_aside(tx, order_id, self.position).await?;
        let asked = Asked { variant_id: &self.variant_id, wish, before: &[], now, by };
        let quote = match quote::quote(tx, &asked).await {
            Err(Error::NotFound) => return Err(self.taken()),
            quote => quote?,
        };
        if quote.claims.is_none() {
            return Err(self.taken());
        }
        let cost = match (by, quote.price) {
            // Whatever it would cost there.
            (By::Office(_), _) => Moved::default(),
            (By::Customer | By::Waiting, price) => self.cost_of_move(price.ok_or_else(|| self.taken())?, now)?,
        };
        Ok(Elsewhere { quote, cost, aside })
    }

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

    /// What it costs its customer to move it to where it costs `price`: a trip by the rule of its fare, anything else as
    /// [`move_cost`] says.
    ///
    /// # Errors
    /// [`Error::Invalid`] where its rules do not let it be moved any more.
    pub(super) fn cost_of_move(&self, price: Amount, now: i64) -> Result<Moved> {
        let Wish::Trip { travellers, .. } = &self.snapshot.wish else {
            return move_cost(self.settle(now), self.paid, price);
        };
        let over = || Error::field("date", Problem::MoveCosts);
        let other = OtherDeparture {
            departure: Departure::new(self.time.start, self.time.end).ok_or_else(over)?,
            date: self.date,
            zone: &self.zone,
            travellers: *travellers,
            paid: self.paid,
            price,
        };
        self.snapshot.change.and_then(|rule| rule.moved(&other, now)).ok_or_else(over)
    }
}

/// Moves a booking to another date and, where an hour is chosen, another time (`18:30`) by the clocks of the venue; a trip
/// to the departure that leaves then. It is claimed as any other booking is, and where it costs less the rest comes back.
/// Where something has to be paid first, it stays where it is and the answer says how much: [`held::hold`] goes on from there.
/// Moving it to where it is changes nothing.
///
/// # Errors
/// [`Error::SlotTaken`] when it cannot be had there, [`Error::Invalid`] for what is no date or no time, for a booking that
/// has begun and for one that its rules do not let be moved any more; [`Error::Conflict`] while another move of it waits for
/// its payment; [`Error::NotFound`] for the order of someone else and for a line that is no booking,
/// [`Error::OrderClosed`] for an order that is not paid, or over. It stays where it is then.
pub async fn move_to(ctx: &Ctx, number: &str, position: i64, date: &str, time: &str) -> Result<MoveAnswer> {
    let id = own(ctx, number).await?.id;
    let (app, now, to) = (ctx.app.clone(), ctx.now, when(date, time));
    let moved = ctx.app.db.write::<_, Error>(move |tx| {
        let (app, id, to) = (app.clone(), id.clone(), to.clone());
        Box::pin(async move { move_in(tx, &app, &id, position, to, now).await })
    });
    let (answer, changed) = moved.await?;
    tell_pages(&ctx.app, changed, "a booking was moved");
    Ok(answer)
}

async fn move_in(
    tx: &mut Tx<'_>,
    app: &App,
    id: &str,
    position: i64,
    to: When,
    now: i64,
) -> Result<(MoveAnswer, Option<orders::Changed>)> {
    let order = orders::lock(tx, id).await?;
    is_paid(order.state)?;
    let line = Line::load(tx, id, position, now).await?;
    line.to_come("date", now)?;
    let wish = line.wish_at(tx, to, now).await?;
    if wish == line.snapshot.wish {
        return Ok((MoveAnswer::Done, None));
    }
    if held::of(tx, id, position).await?.is_some() {
        return Err(Error::Conflict);
    }
    let Elsewhere { quote, cost, aside } = line.elsewhere(tx, id, (&wish, By::Customer), now).await?;
    if cost.to_pay > Amount::ZERO {
        claim::put_back(tx, &aside).await?;
        return Ok((MoveAnswer::Due(cost), None));
    }
    let to = Place::new(wish, quote, &line, cost, locale_of(tx, id).await?);
    put(tx, app, (&order, &line), (&to, cost), "customer", now).await?;
    confirm::enqueue(tx, app, id, confirm::What::Moved, now).await?;
    record(tx, app, (&order, &line), (&to, cost), "customer", now).await?;
    Ok((MoveAnswer::Done, Some(changed(&order, &line))))
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
    put_by_office(tx, app, (&order, &line), (wish, by), actor, now).await.map(Some)
}

/// Puts a booking where the office wants it, and tells its customer. The caller has locked the order.
///
/// # Errors
/// [`Error::SlotTaken`].
async fn put_by_office(
    tx: &mut Tx<'_>,
    app: &App,
    (order, line): (&orders::OrderRow, &Line),
    (wish, by): (Wish, By<'_>),
    actor: &str,
    now: i64,
) -> Result<orders::Changed> {
    // It goes where the office says, and no longer where its customer was about to pay for.
    held::end_of(tx, &order.id, line.position, actor, now).await?;
    let Elsewhere { quote, cost, .. } = line.elsewhere(tx, &order.id, (&wish, by), now).await?;
    let locale = locale_of(tx, &order.id).await?;
    let to = Place::new(wish, quote, line, cost, locale);
    put(tx, app, (order, line), (&to, cost), actor, now).await?;
    let page = format!("{}/orders/{}", app.config.public_url, order.number);
    let what = What::BookingMoved { title: line.title.clone(), label: to.label.clone(), page };
    tell::tell_buyer(tx, app, order, (locale, to.start), &what, now).await?;
    record(tx, app, (order, line), (&to, cost), actor, now).await?;
    Ok(changed(order, line))
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

/// The language in which an order is spoken of.
pub(super) async fn locale_of(tx: &mut Tx<'_>, order_id: &str) -> Result<Locale> {
    let locale: String = tx.one("select locale from orders where id = $1", args![order_id]).await?.get("locale")?;
    Ok(Locale::from_tag(&locale).unwrap_or_default())
}

/// Puts a booking of which everything was freed where it goes, and gives back what it costs less there. Should it not be
/// had, all of this is undone. The caller has locked the order.
///
/// # Errors
/// [`Error::SlotTaken`].
pub(super) async fn put(
    tx: &mut Tx<'_>,
    app: &App,
    (order, line): (&orders::OrderRow, &Line),
    (to, cost): (&Place, Moved),
    actor: &str,
    now: i64,
) -> Result<()> {
    let (id, position) = (order.id.as_str(), line.position);
    let detail = serde_json::to_string(&to.snapshot).map_err(|e| internal("booking", &e))?;
    let sql = "update order_booking set start_at = $3, end_at = $4, local_date = $5, detail = $6, free_until = $7,
            returned = returned + $8, added = added + $9, fees = fees + $10, reminded_at = null, version = version + 1
        where order_id = $1 and position = $2";
    let date = to.date.to_string();
    let (refund, added, fee) = (cost.refund, cost.to_pay, cost.fee);
    let args = args![id, position, to.start, to.end, date, detail, to.free_until, refund.0, added.0, fee.0];
    tx.exec(sql, args).await?;
    let sql = "update order_line set label = $3 where order_id = $1 and position = $2";
    tx.exec(sql, args![id, position, &to.label]).await?;
    let (title, start) = (line.title.clone(), to.start);
    let event = EventKind::BookingMoved { position, title, start, refund, added, fee };
    orders::note_event(tx, id, actor, &event, now).await?;
    let part = format!("move:{position}:{}", line.version);
    payment::refund_part(tx, id, (&part, refund), "booking moved", now).await?;
    open(tx, to).await?;
    let claims: Vec<_> = to.claims.iter().map(|claim| (position, claim.clone())).collect();
    if !claim::hold(tx, id, &claims).await?.is_empty() {
        return Err(line.taken());
    }
    claim::take(tx, id).await?;
    waiting::offer(tx, app, std::slice::from_ref(&line.product_id), now).await
}

/// Counts what is counted only from the first claim of it on.
pub(super) async fn open(tx: &mut Tx<'_>, to: &Place) -> Result<()> {
    if let Some(unit) = &to.opens {
        claim::open_unit(tx, unit).await?;
    }
    Ok(())
}

/// Writes a move into the record, which comes last in its transaction.
pub(super) async fn record(
    tx: &mut Tx<'_>,
    app: &App,
    (order, line): (&orders::OrderRow, &Line),
    (to, cost): (&Place, Moved),
    actor: &str,
    now: i64,
) -> Result<()> {
    let (from, start) = (line.time.start, to.start);
    let (refund, added) = (cost.refund.0, cost.to_pay.0);
    let entry = Entry {
        actor: actor.to_owned(),
        action: audit::Action::BookingMoved,
        subject: format!("order:{}", order.number),
        detail: format!("booking {}, from {from} to {start}, refund {refund}, added {added}", line.position),
    };
    audit::record(tx, &app.keys, &entry, now).await
}

/// What a move touched.
pub(super) fn changed(order: &orders::OrderRow, line: &Line) -> orders::Changed {
    orders::Changed::new(order.number.clone(), vec![line.product_id.clone()])
}
