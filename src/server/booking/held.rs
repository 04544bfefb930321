//! Moves that have to be paid first. What a booking needs elsewhere is claimed beside what it has, and held while its
//! customer pays: then it goes there, and where it was comes free. When the time is over or the move is given up, what was
//! held comes free, and nothing else changes.
//!
//! A move ends once: whoever ends it has locked its order, and takes it from `held` by a conditional change.

use super::{
    after::{Line, is_paid, tell_pages},
    claim,
    moving::{self, Elsewhere, Place, When},
    quote::{self, Asked, By},
    waiting,
};
use crate::{
    args,
    domain::{
        Error, Result,
        booking::{
            after::{HeldMove, MoveQuote},
            trips::Moved,
        },
        error::Problem,
        money::Amount,
        order::{BookingState, EventKind},
    },
    server::{
        App, Ctx,
        context::{internal, new_id},
        db::{Row, Tx},
        order::{announce, confirm, own, store as orders},
        payment::{self, Begun, Due},
    },
};

/// So many moves whose time is over are ended at once.
const BATCH: i64 = 200;

/// The head of each statement that reads moves.
const SELECT: &str = "select m.id, m.order_id, m.position, m.detail, m.fee, m.due, m.expires_at, l.title, l.product_id
    from booking_move m join order_line l on l.order_id = m.order_id and l.position = m.position";

/// A move that is held.
pub(super) struct Held {
    id: String,
    order_id: String,
    position: i64,
    title: String,
    product_id: String,
    to: Place,
    fee: Amount,
    due: Amount,
    /// UTC milliseconds.
    expires_at: i64,
}

/// How a move ends that is not paid.
#[derive(Clone, Copy)]
enum End {
    Expired,
    GivenUp,
}

impl Held {
    fn read(row: &Row) -> Result<Self> {
        let detail: String = row.get("detail")?;
        Ok(Self {
            id: row.get("id")?,
            order_id: row.get("order_id")?,
            position: row.get("position")?,
            title: row.get("title")?,
            product_id: row.get("product_id")?,
            to: serde_json::from_str(&detail).map_err(|e| internal("database", &e))?,
            fee: Amount(row.get("fee")?),
            due: Amount(row.get("due")?),
            expires_at: row.get("expires_at")?,
        })
    }

    /// As its customer sees it at a moment, in UTC milliseconds.
    pub fn shown(self, now: i64) -> HeldMove {
        HeldMove { label: self.to.label, fee: self.fee, due: self.due, until: self.expires_at, now }
    }

    const fn cost(&self) -> Moved {
        Moved { fee: self.fee, to_pay: self.due, refund: Amount::ZERO }
    }

    /// Begins the payment of it, or goes on with one.
    async fn begin(&self, tx: &mut Tx<'_>, order: &orders::OrderRow, now: i64) -> Result<Begun> {
        let due = Due { move_id: Some(&self.id), amount: self.due, method: order.payment_method };
        payment::begin(tx, order, due, now).await
    }

    /// Ends it; false for one that has ended. Whoever calls has locked its order, and frees what it holds.
    async fn end(&self, tx: &mut Tx<'_>, end: End, actor: &str, now: i64) -> Result<bool> {
        let state = match end {
            End::Expired => "expired",
            End::GivenUp => "given_up",
        };
        let sql = "update booking_move set state = $2, ended_at = $3 where id = $1 and state = 'held'";
        if tx.exec(sql, args![&self.id, state, now]).await? == 0 {
            return Ok(false);
        }
        let (position, title, expired) = (self.position, self.title.clone(), matches!(end, End::Expired));
        orders::note_event(tx, &self.order_id, actor, &EventKind::MoveEnded { position, title, expired }, now).await?;
        Ok(true)
    }

    /// The same, and frees what it holds for who waits for it.
    async fn free(&self, tx: &mut Tx<'_>, app: &App, end: End, actor: &str, now: i64) -> Result<bool> {
        let ended = self.end(tx, end, actor, now).await?;
        if ended {
            claim::release_move(tx, &self.id).await?;
            waiting::offer(tx, app, std::slice::from_ref(&self.product_id), now).await?;
        }
        Ok(ended)
    }
}

/// The move of a booking that is held; there is one at most.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn of(tx: &mut Tx<'_>, order_id: &str, position: i64) -> Result<Option<Held>> {
    let sql = format!("{SELECT} where m.order_id = $1 and m.position = $2 and m.state = 'held'");
    tx.optional(sql, args![order_id, position]).await?.as_ref().map(Held::read).transpose()
}

/// What a move comes to, to be seen before it is paid for. It holds nothing, and what has to be paid is looked at again when
/// it is confirmed.
///
/// # Errors
/// [`Error::SlotTaken`] where nothing is offered then; otherwise as [`moving::move_to`].
pub async fn quote(ctx: &Ctx, number: &str, position: i64, date: &str, time: &str) -> Result<MoveQuote> {
    let order = own(ctx, number).await?;
    is_paid(order.state)?;
    let (id, locale, now, to) = (order.id, ctx.locale, ctx.now, moving::when(date, time));
    let quoted = ctx.app.db.read::<_, Error>(move |tx| {
        let (id, to) = (id.clone(), to.clone());
        Box::pin(async move {
            let line = Line::load(tx, &id, position, now).await?;
            line.to_come("date", now)?;
            let wish = line.wish_at(tx, to, now).await?;
            let asked = Asked { variant_id: &line.variant_id, wish: &wish, before: &[], now, by: By::Customer };
            let quote = match quote::quote(tx, &asked).await {
                Err(Error::NotFound) => return Err(line.taken()),
                quote => quote?,
            };
            let cost = line.cost_of_move(quote.price.ok_or_else(|| line.taken())?, now)?;
            let label = wish.words(locale, &quote.zone, quote.start, quote.person.as_deref());
            Ok(MoveQuote { label, cost })
        })
    });
    quoted.await
}

/// Holds what a booking needs elsewhere and begins the payment of what has to be paid for the move, `expected` as it was
/// shown; answers with the address of the provider's cashier. Confirming the same move twice is once.
///
/// # Errors
/// [`Error::Conflict`] when another sum has to be paid, or nothing, and while another move of it is held;
/// [`Error::NoPayment`] where there is no provider, [`Error::ProviderUnavailable`] when it does not answer: then the move is
/// held, and [`pay`] goes on with it. Otherwise as [`moving::move_to`].
pub async fn hold(
    ctx: &Ctx,
    number: &str,
    position: i64,
    (date, time): (&str, &str),
    expected: Amount,
) -> Result<String> {
    let order = own(ctx, number).await?;
    is_paid(order.state)?;
    if !ctx.app.config.takes_payments() {
        return Err(Error::NoPayment);
    }
    let (app, id, now, to) = (ctx.app.clone(), order.id, ctx.now, moving::when(date, time));
    let held = ctx.app.db.write::<_, Error>(move |tx| {
        let (app, id, to) = (app.clone(), id.clone(), to.clone());
        Box::pin(async move { hold_in(tx, &app, (&id, position), (to, expected), now).await })
    });
    let (begun, changed) = held.await?;
    tell_pages(&ctx.app, changed, "a move of a booking is held");
    payment::open(ctx, begun).await
}

async fn hold_in(
    tx: &mut Tx<'_>,
    app: &App,
    (id, position): (&str, i64),
    (to, expected): (When, Amount),
    now: i64,
) -> Result<(Begun, Option<orders::Changed>)> {
    let order = orders::lock(tx, id).await?;
    is_paid(order.state)?;
    let line = Line::load(tx, id, position, now).await?;
    line.to_come("date", now)?;
    let wish = line.wish_at(tx, to, now).await?;
    match of(tx, id, position).await? {
        Some(held) if held.expires_at > now => {
            if held.to.snapshot.wish != wish || held.due != expected {
                return Err(Error::Conflict);
            }
            return Ok((held.begin(tx, &order, now).await?, None));
        }
        // Its time is over, and the clock has not come to it.
        Some(held) => {
            held.free(tx, app, End::Expired, "clock", now).await?;
        }
        None => {}
    }
    let Elsewhere { quote, cost, aside } = line.elsewhere(tx, id, (&wish, By::Customer), now).await?;
    claim::put_back(tx, &aside).await?;
    if cost.to_pay == Amount::ZERO || cost.to_pay != expected {
        return Err(Error::Conflict);
    }
    let ends = quote.end;
    let held = Held {
        id: new_id(),
        order_id: order.id.clone(),
        position,
        title: line.title.clone(),
        product_id: line.product_id.clone(),
        to: Place::new(wish, quote, &line, cost, moving::locale_of(tx, id).await?),
        fee: cost.fee,
        due: cost.to_pay,
        // Not until either of them is over.
        expires_at: now.saturating_add(app.config.hold_ms).min(line.time.start).min(ends),
    };
    let detail = serde_json::to_string(&held.to).map_err(|e| internal("booking", &e))?;
    let sql = "insert into booking_move (id, order_id, position, detail, fee, due, state, expires_at, made_at)
        values ($1, $2, $3, $4, $5, $6, 'held', $7, $8)";
    tx.exec(sql, args![&held.id, id, position, detail, held.fee.0, held.due.0, held.expires_at, now]).await?;
    let event = EventKind::MoveHeld { position, title: held.title.clone(), start: held.to.start, due: held.due };
    orders::note_event(tx, id, "customer", &event, now).await?;
    let begun = held.begin(tx, &order, now).await?;
    moving::open(tx, &held.to).await?;
    let more = claim::beyond(&held.to.claims, &aside.claims());
    if !claim::hold_move(tx, (id, position), &held.id, &more).await? {
        return Err(line.taken());
    }
    Ok((begun, Some(moving::changed(&order, &line))))
}

/// Begins the payment of a move that is held, or goes on with one; answers with the address of the provider's cashier.
///
/// # Errors
/// [`Error::Invalid`] with `MoveOver` where none is held, or its time is over; [`Error::NotFound`] for the order of someone
/// else; [`Error::OrderClosed`], [`Error::NoPayment`] and [`Error::ProviderUnavailable`] as [`hold`].
pub async fn pay(ctx: &Ctx, number: &str, position: i64) -> Result<String> {
    let order = own(ctx, number).await?;
    is_paid(order.state)?;
    if !ctx.app.config.takes_payments() {
        return Err(Error::NoPayment);
    }
    let (id, now) = (order.id, ctx.now);
    let begun = ctx.app.db.write::<_, Error>(move |tx| {
        let id = id.clone();
        Box::pin(async move {
            // Decided on the locked row: the end of the move comes before or after.
            let order = orders::lock(tx, &id).await?;
            let held = of(tx, &id, position).await?.filter(|held| held.expires_at > now);
            let held = held.ok_or_else(|| Error::field("position", Problem::MoveOver))?;
            held.begin(tx, &order, now).await
        })
    });
    let begun = begun.await?;
    payment::open(ctx, begun).await
}

/// The customer gives a move up: the booking stays where it is. Giving it up twice is once, and money that comes for it later
/// goes back.
///
/// # Errors
/// [`Error::NotFound`] for the order of someone else.
pub async fn give_up(ctx: &Ctx, number: &str, position: i64) -> Result<()> {
    let id = own(ctx, number).await?.id;
    let (app, now) = (ctx.app.clone(), ctx.now);
    let given_up = ctx.app.db.write::<_, Error>(move |tx| {
        let (app, id) = (app.clone(), id.clone());
        Box::pin(async move {
            let order = orders::lock(tx, &id).await?;
            let products = drop_of(tx, &app, (&id, position), "customer", now).await?;
            Ok((!products.is_empty()).then_some(orders::Changed::new(order.number, products)))
        })
    });
    tell_pages(&ctx.app, given_up.await?, "a move of a booking was given up");
    Ok(())
}

/// Ends what is held for a booking to which something else happens. Whoever calls has locked its order, and frees all that
/// the booking has.
///
/// # Errors
/// When the database cannot be written.
pub(super) async fn end_of(tx: &mut Tx<'_>, order_id: &str, position: i64, actor: &str, now: i64) -> Result<()> {
    if let Some(held) = of(tx, order_id, position).await? {
        held.end(tx, End::GivenUp, actor, now).await?;
    }
    Ok(())
}

/// The same of all bookings of an order.
///
/// # Errors
/// When the database cannot be written.
pub async fn end_all(tx: &mut Tx<'_>, order_id: &str, actor: &str, now: i64) -> Result<()> {
    let sql = format!("{SELECT} where m.order_id = $1 and m.state = 'held' order by m.position");
    for row in tx.all(sql, args![order_id]).await? {
        Held::read(&row)?.end(tx, End::GivenUp, actor, now).await?;
    }
    Ok(())
}

/// Ends what is held for a booking that stays where it is, and frees it; answers with the products of which something came
/// free. The caller has locked its order.
///
/// # Errors
/// When the database cannot be written.
pub(super) async fn drop_of(
    tx: &mut Tx<'_>,
    app: &App,
    (order_id, position): (&str, i64),
    actor: &str,
    now: i64,
) -> Result<Vec<String>> {
    let Some(held) = of(tx, order_id, position).await? else { return Ok(Vec::new()) };
    let ended = held.free(tx, app, End::GivenUp, actor, now).await?;
    Ok(if ended { vec![held.product_id] } else { Vec::new() })
}

/// The money for a move came: while it is held, the booking goes there. Answers with the product, and with `None` for a move
/// that has ended or costs another sum, whose money goes back. The caller has locked the order.
///
/// # Errors
/// When the database cannot be written.
pub async fn paid(
    tx: &mut Tx<'_>,
    app: &App,
    order: &orders::OrderRow,
    (move_id, amount): (&str, Amount),
    now: i64,
) -> Result<Option<String>> {
    let sql = format!("{SELECT} where m.id = $1 and m.state = 'held'");
    let held = tx.optional(sql, args![move_id]).await?.as_ref().map(Held::read).transpose()?;
    let Some(held) = held.filter(|held| held.order_id == order.id && held.due == amount) else { return Ok(None) };
    let line = Line::load(tx, &order.id, held.position, now).await?;
    if line.state != BookingState::Booked || is_paid(order.state).is_err() {
        return Ok(None);
    }
    let sql = "update booking_move set state = 'paid', ended_at = $2 where id = $1 and state = 'held'";
    tx.exec(sql, args![&held.id, now]).await?;
    // Both of what it had and what was held beside it, which together are what it needs.
    claim::release_line(tx, &order.id, held.position).await?;
    moving::put(tx, app, (order, &line), (&held.to, held.cost()), "customer", now).await?;
    confirm::enqueue(tx, app, &order.id, confirm::What::Moved, now).await?;
    moving::record(tx, app, (order, &line), (&held.to, held.cost()), "customer", now).await?;
    Ok(Some(held.product_id))
}

/// Ends the moves whose time is over; answers with how many there were. Called every second; one that is paid or given up
/// at the same moment is left alone.
///
/// # Errors
/// When the database cannot be reached.
pub async fn expire_due(app: &App, now: i64) -> Result<usize> {
    let sql = format!(
        "select id, order_id from booking_move where state = 'held' and expires_at <= $1
        order by expires_at limit {BATCH}"
    );
    let mut ended = 0;
    for row in app.db.all(sql, args![now]).await? {
        let (id, order_id): (String, String) = (row.get("id")?, row.get("order_id")?);
        match expire(app, &id, &order_id, now).await {
            Ok(Some(changed)) => {
                tracing::info!(order = %changed.number, "a move of a booking was not paid in time");
                announce(app, &changed);
                ended += 1;
            }
            Ok(None) => {}
            // The oldest comes first each time: it must not keep those behind it from being released.
            Err(error) => tracing::error!(move_id = %id, %error, "a move could not expire"),
        }
    }
    if ended > 0 {
        app.wake.notify_waiters();
    }
    Ok(ended)
}

async fn expire(app: &App, id: &str, order_id: &str, now: i64) -> Result<Option<orders::Changed>> {
    let (shop, id, order_id) = (app.clone(), id.to_owned(), order_id.to_owned());
    let expired = app.db.write::<_, Error>(move |tx| {
        let (shop, id, order_id) = (shop.clone(), id.clone(), order_id.clone());
        Box::pin(async move {
            let order = orders::lock(tx, &order_id).await?;
            let sql = format!("{SELECT} where m.id = $1 and m.state = 'held' and m.expires_at <= $2");
            let Some(row) = tx.optional(sql, args![id, now]).await? else { return Ok(None) };
            let held = Held::read(&row)?;
            let ended = held.free(tx, &shop, End::Expired, "clock", now).await?;
            Ok(ended.then_some(orders::Changed::new(order.number, vec![held.product_id])))
        })
    });
    expired.await
}
