//! What becomes of one booking of a paid order: it is given up, [moved](super::moving), or over. What comes back is worked
//! out by the rules in the order's own snapshot, those that were shown before paying, whatever the venue says today.

use super::{
    calendar, claim, held,
    lines::Snapshot,
    quote::{self, Asked, By},
    slots,
    store::zone_around,
    trips, waiting,
};
use crate::{
    args,
    domain::{
        Error, Result,
        booking::{
            after::{BookingChoices, Mark},
            cancellation::{Booked, Settlement},
            date::LocalDate,
            interval::Interval,
            offer::Kind,
            wish::Wish,
            zone::Zone,
        },
        error::Problem,
        money::Amount,
        number,
        order::{Action, BookingState, CancelReason, EventKind, State},
        permission::Permission,
    },
    server::{
        App, Ctx,
        audit::{self, Entry},
        context::internal,
        db::Tx,
        order::{announce, own, store as orders},
        payment,
    },
};

/// What the office needs to say that somebody came: who may say that a parcel has arrived.
const AT_THE_DOOR: Permission = Permission::Ship;

/// A booking of an order, as its rows tell it.
pub(super) struct Line {
    pub position: i64,
    pub variant_id: String,
    pub product_id: String,
    pub title: String,
    pub kind: Kind,
    pub zone: Zone,
    pub time: Interval,
    pub date: LocalDate,
    pub snapshot: Snapshot,
    pub state: BookingState,
    pub version: i64,
    /// What was paid for it, also when it was moved, and did not come back then; without what the changes themselves cost.
    pub paid: Amount,
}

impl Line {
    /// # Errors
    /// [`Error::NotFound`] for a line that is no booking.
    pub async fn load(tx: &mut Tx<'_>, order_id: &str, position: i64, now: i64) -> Result<Self> {
        let sql = "select l.variant_id, l.product_id, l.title, l.unit_price, b.kind, b.zone, b.start_at, b.end_at,
                b.local_date, b.detail, b.state, b.version, b.returned, b.added, b.fees
            from order_booking b join order_line l on l.order_id = b.order_id and l.position = b.position
            where b.order_id = $1 and b.position = $2";
        let row = tx.one(sql, args![order_id, position]).await?;
        let detail: String = row.get("detail")?;
        let amount = |column: &str| row.get::<i64>(column).map(Amount);
        Ok(Self {
            position,
            variant_id: row.get("variant_id")?,
            product_id: row.get("product_id")?,
            title: row.get("title")?,
            kind: orders::known(Kind::from_name, &row, "kind")?,
            zone: zone_around(&row.get::<String>("zone")?, now)?,
            time: Interval { start: row.get("start_at")?, end: row.get("end_at")? },
            date: orders::known(LocalDate::parse, &row, "local_date")?,
            snapshot: serde_json::from_str(&detail).map_err(|e| internal("database", &e))?,
            state: orders::known(BookingState::from_name, &row, "state")?,
            version: row.get("version")?,
            paid: amount("unit_price")? + amount("added")? - amount("returned")? - amount("fees")?,
        })
    }

    /// What is kept and what comes back when it is given up at a moment.
    pub fn settle(&self, now: i64) -> Settlement {
        let booked = Booked { date: self.date, start: self.time.start, paid: self.paid, nights: &self.snapshot.nights };
        self.snapshot.cancellation.settle(&booked, &self.zone, now)
    }

    /// Whether its customer can move it at a moment: a trip by the rule of its fare, anything else as long as giving it up
    /// costs nothing.
    fn is_movable(&self, settlement: Settlement, now: i64) -> bool {
        if self.kind != Kind::Trip {
            return settlement.fee == Amount::ZERO;
        }
        self.snapshot.change.is_some_and(|rule| now < rule.until(self.time.start, self.date, &self.zone))
    }

    /// # Errors
    /// [`Error::Invalid`] for one that has begun, or of which something else was said.
    pub fn to_come(&self, field: &str, now: i64) -> Result<()> {
        if self.state == BookingState::Booked && now < self.time.start {
            return Ok(());
        }
        Err(Error::field(field, Problem::BookingOver))
    }
}

/// What the customer can do with a booking now, and what comes back.
///
/// # Errors
/// [`Error::NotFound`] for the order of someone else and for a line that is no booking, [`Error::OrderClosed`] for an order
/// that is not paid, or over.
pub async fn choices(ctx: &Ctx, number: &str, position: i64) -> Result<BookingChoices> {
    let order = own(ctx, number).await?;
    is_paid(order.state)?;
    let (id, now) = (order.id.clone(), ctx.now);
    let read = ctx.app.db.read::<_, Error>(move |tx| {
        let id = id.clone();
        Box::pin(async move {
            let held = held::of(tx, &id, position).await?;
            Ok((Line::load(tx, &id, position, now).await?, held.map(|held| held.shown(now))))
        })
    });
    let (line, held) = read.await?;
    let (settlement, open) = (line.settle(ctx.now), line.to_come("position", ctx.now).is_ok());
    Ok(BookingChoices {
        settlement,
        open,
        movable: open && held.is_none() && line.is_movable(settlement, ctx.now),
        held,
        date: line.date,
        minute: line.zone.local(line.time.start).minute,
        by_hour: line.kind != Kind::Stay,
        code: calendar::code(&order.number)?,
    })
}

/// The minutes of a day at which a booking could begin instead, by the clocks of its venue; none where no hours are offered
/// one by one.
///
/// # Errors
/// [`Error::Invalid`] for what is no date, and those of [`choices`].
pub async fn times(ctx: &Ctx, number: &str, position: i64, date: &str) -> Result<Vec<i64>> {
    let order = own(ctx, number).await?;
    is_paid(order.state)?;
    let date = LocalDate::parse(date).ok_or_else(|| Error::field("date", Problem::Choice))?;
    let (id, now) = (order.id, ctx.now);
    let line = ctx.app.db.read::<_, Error>(move |tx| {
        let id = id.clone();
        Box::pin(async move { Line::load(tx, &id, position, now).await })
    });
    let line = line.await?;
    if line.kind == Kind::Trip && line.snapshot.change.is_some() {
        return departures(ctx, line, date).await;
    }
    let Wish::Visit { person, add_ons, further, .. } = &line.snapshot.wish else { return Ok(Vec::new()) };
    let list = match slots(ctx, &line.variant_id, date, 1, person.as_deref(), add_ons, further).await {
        // It is not sold any more.
        Err(Error::NotFound | Error::Invalid(_)) => return Ok(Vec::new()),
        list => list?,
    };
    let starts = list.days.iter().flat_map(|day| &day.slots).map(|slot| slot.start);
    Ok(starts.filter(|start| *start != line.time.start).map(|start| line.zone.local(start).minute).collect())
}

/// The minutes of a day at which other departures leave on which there is place for a booking.
async fn departures(ctx: &Ctx, line: Line, date: LocalDate) -> Result<Vec<i64>> {
    let (variant, product, wish, now) = (line.variant_id, line.product_id, line.snapshot.wish, ctx.now);
    let found = ctx.app.db.read::<_, Error>(move |tx| {
        let (variant, product, wish) = (variant.clone(), product.clone(), wish.clone());
        Box::pin(async move {
            let mut minutes = Vec::new();
            for (minute, other) in trips::leaving(tx, &product, &wish, date, now).await? {
                if other == wish {
                    continue;
                }
                let asked = Asked { variant_id: &variant, wish: &other, before: &[], now, by: By::Customer };
                match quote::quote(tx, &asked).await {
                    // The office made something else of it.
                    Err(Error::NotFound) => {}
                    quote => minutes.extend(quote?.is_available().then_some(minute)),
                }
            }
            Ok(minutes)
        })
    });
    found.await
}

/// Gives one booking up; the goods and the other bookings of the order stay. Giving it up twice is once. An order of which
/// nothing else is left is cancelled with it.
///
/// # Errors
/// [`Error::Conflict`] when what comes back is another sum than was shown, [`Error::Invalid`] when it has begun, and those
/// of [`choices`].
pub async fn cancel(ctx: &Ctx, number: &str, position: i64, expected: Amount) -> Result<()> {
    let id = own(ctx, number).await?.id;
    let (app, now) = (ctx.app.clone(), ctx.now);
    let changed = ctx.app.db.write::<_, Error>(move |tx| {
        let (app, id) = (app.clone(), id.clone());
        Box::pin(async move { cancel_in(tx, &app, &id, position, expected, now).await })
    });
    tell_pages(&ctx.app, changed.await?, "a booking was given up");
    Ok(())
}

async fn cancel_in(
    tx: &mut Tx<'_>,
    app: &App,
    id: &str,
    position: i64,
    expected: Amount,
    now: i64,
) -> Result<Option<orders::Changed>> {
    let order = orders::lock(tx, id).await?;
    if order.state != State::Cancelled {
        is_paid(order.state)?;
    }
    let line = Line::load(tx, id, position, now).await?;
    if line.state == BookingState::Cancelled {
        return Ok(None);
    }
    is_paid(order.state)?;
    line.to_come("position", now)?;
    let Settlement { fee, refund } = line.settle(now);
    if refund != expected {
        return Err(Error::Conflict);
    }
    // What it claims elsewhere is freed with the rest.
    held::end_of(tx, id, position, "customer", now).await?;
    let sql = "update order_booking set state = 'cancelled', kept = $3, version = version + 1
        where order_id = $1 and position = $2";
    tx.exec(sql, args![id, position, fee.0]).await?;
    let title = line.title.clone();
    let event = EventKind::BookingCancelled { position, title, fee, refund };
    orders::note_event(tx, id, "customer", &event, now).await?;
    payment::refund_part(tx, id, (&format!("booking:{position}"), refund), "booking given up", now).await?;
    conclude(tx, id, "customer", now).await?;
    // Products before what is held of them.
    let sold = orders::count_sold(tx, &line.product_id, -1).await?;
    claim::release_line(tx, id, position).await?;
    waiting::offer(tx, app, std::slice::from_ref(&line.product_id), now).await?;
    let entry = Entry {
        actor: "customer".to_owned(),
        action: audit::Action::BookingCancelled,
        subject: format!("order:{}", order.number),
        detail: format!("booking {position}, fee {}, refund {}", fee.0, refund.0),
    };
    audit::record(tx, &app.keys, &entry, now).await?;
    let (products, sold) = (vec![line.product_id], sold.into_iter().collect());
    Ok(Some(orders::Changed { number: order.number, products, sold }))
}

/// The venue says of a booking that they came, that it is over, or that nobody came. Saying it twice is once. The order is
/// complete with its last booking, once its goods have arrived.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff, [`Error::Forbidden`] without the permission, [`Error::NotFound`] for a
/// line that is no booking, [`Error::OrderClosed`] for an order that is not paid, [`Error::Invalid`] before its time and
/// where something else was said.
pub async fn mark(ctx: &Ctx, number: &str, position: i64, mark: Mark) -> Result<()> {
    let actor = ctx.require(AT_THE_DOOR)?.actor();
    let number = number::parse(number).ok_or(Error::NotFound)?;
    let id = orders::by_number(&ctx.app.db, &number).await?.id;
    let (app, now) = (ctx.app.clone(), ctx.now);
    let changed = ctx.app.db.write::<_, Error>(move |tx| {
        let (app, id, actor) = (app.clone(), id.clone(), actor.clone());
        Box::pin(async move { mark_in(tx, &app, &id, (position, mark), actor, now).await })
    });
    tell_pages(&ctx.app, changed.await?, "a booking was marked");
    Ok(())
}

async fn mark_in(
    tx: &mut Tx<'_>,
    app: &App,
    id: &str,
    (position, mark): (i64, Mark),
    actor: String,
    now: i64,
) -> Result<Option<orders::Changed>> {
    let order = orders::lock(tx, id).await?;
    if order.state != State::Completed {
        is_paid(order.state)?;
    }
    let line = Line::load(tx, id, position, now).await?;
    if line.state == mark.state() {
        return Ok(None);
    }
    is_paid(order.state)?;
    mark.check(line.state, line.time, now).map_err(|problem| Error::field("position", problem))?;
    // Who is there does not come at another time.
    let products = held::drop_of(tx, app, (id, position), &actor, now).await?;
    let sql = "update order_booking set state = $3, version = version + 1 where order_id = $1 and position = $2";
    tx.exec(sql, args![id, position, mark.state().name()]).await?;
    let event = EventKind::BookingMarked { position, title: line.title.clone(), mark };
    orders::note_event(tx, id, &actor, &event, now).await?;
    conclude(tx, id, &actor, now).await?;
    let entry = Entry {
        actor,
        action: audit::Action::BookingMarked,
        subject: format!("order:{}", order.number),
        detail: format!("booking {position}, {}", mark.state().name()),
    };
    audit::record(tx, &app.keys, &entry, now).await?;
    Ok(Some(orders::Changed::new(order.number, products)))
}

/// Ends an order with its last booking. One of which nothing is left but bookings that were given up is cancelled; one
/// whose bookings are over is complete, unless goods are still to arrive. The caller has locked the order.
async fn conclude(tx: &mut Tx<'_>, order_id: &str, actor: &str, now: i64) -> Result<()> {
    let sql = "select b.state, o.state as order_state, o.arrived_at
        from orders o join order_line l on l.order_id = o.id
            left join order_booking b on b.order_id = l.order_id and b.position = l.position
        where o.id = $1";
    let rows = tx.all(sql, args![order_id]).await?;
    let (mut goods, mut over, mut arrived, mut state) = (false, false, false, None);
    for row in &rows {
        state = Some(orders::known(State::from_name, row, "order_state")?);
        arrived = row.get::<Option<i64>>("arrived_at")?.is_some();
        match row.get::<Option<String>>("state")?.as_deref().and_then(BookingState::from_name) {
            None => goods = true,
            Some(BookingState::Booked | BookingState::CheckedIn) => return Ok(()),
            Some(BookingState::Done | BookingState::NoShow) => over = true,
            Some(BookingState::Cancelled) => {}
        }
    }
    let (action, event) = match (state, goods, over) {
        (Some(State::Shipped), goods, _) if arrived || !goods => (Action::Complete, EventKind::Completed),
        (Some(State::ToShip), false, true) => (Action::Finish, EventKind::Completed),
        (Some(State::ToShip), false, false) => {
            (Action::Cancel, EventKind::Cancelled { reason: CancelReason::Customer })
        }
        _ => return Ok(()),
    };
    orders::transition(tx, order_id, action, actor, &event, now).await?;
    Ok(())
}

/// Whether a booking of an order is still to come, or under way.
///
/// # Errors
/// When the database cannot be read.
pub async fn is_any_open(tx: &mut Tx<'_>, order_id: &str) -> Result<bool> {
    let sql = "select position from order_booking where order_id = $1 and state in ('booked', 'checked_in') limit 1";
    Ok(tx.optional(sql, args![order_id]).await?.is_some())
}

/// # Errors
/// [`Error::OrderClosed`] for an order that is not paid, or over.
pub(super) fn is_paid(state: State) -> Result<()> {
    match state {
        State::ToShip | State::Shipped => Ok(()),
        state => Err(Error::OrderClosed(state)),
    }
}

pub(super) fn tell_pages(app: &App, changed: Option<orders::Changed>, what: &'static str) {
    if let Some(changed) = changed {
        tracing::info!(order = %changed.number, "{what}");
        announce(app, &changed);
        app.wake.notify_waiters();
    }
}
