//! What happens to an order after it was placed: the customer changes, cancels or completes it, or its time is over.

use super::{announce, checkout, own, sealed::Sealed, store, submit};
use crate::{
    args,
    domain::{
        Error, Result,
        cart::{check_quantity, is_within},
        error::{PriceChange, Problem, Shortage},
        money::Amount,
        order::{Action, CancelReason, EventKind, OrderChange, OrderLine, State, totals},
    },
    server::{
        App, Ctx,
        audit::{self, Entry},
        booking::{after, held, lines as bookings, waiting},
        context::{internal, now},
        crypto,
        db::Tx,
        figures, payment, stock,
    },
};

/// Changes an unpaid order: quantities of goods, address, note, payment method. The hold keeps its clock, and bookings are
/// what they are. Where nothing is left that costs anything, it is paid for with that.
///
/// # Errors
/// [`Error::OrderClosed`] when it is no longer unpaid or its time is over, [`Error::Conflict`] when it is not the
/// version the customer saw, [`Error::Shortage`] when more is wanted than is left, [`Error::PriceChanged`] when
/// more is wanted and costs another sum now, [`Error::CartEmpty`] when nothing would be left of it, [`Error::Invalid`] for
/// an address to which nobody comes.
pub async fn change(ctx: &Ctx, number: &str, change: OrderChange) -> Result<()> {
    let row = own(ctx, number).await?;
    let checkout = match &change.form {
        Some(form) => Some(checkout::checked_for_order(ctx, form, &row.id).await?),
        None => None,
    };
    for wanted in change.quantities.iter().filter(|wanted| wanted.quantity != 0) {
        check_quantity(wanted.quantity)?;
    }
    let sealed = checkout.as_ref().map(|checkout| Sealed::new(&ctx.app.keys, &row.id, checkout)).transpose()?;
    let (id, now, rules, app) = (row.id.clone(), ctx.now, ctx.app.shipping.clone(), ctx.app.clone());
    let changed = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (id, change, sealed, rules, app) =
                (id.clone(), change.clone(), sealed.clone(), rules.clone(), app.clone());
            Box::pin(async move {
                let row = store::lock(tx, &id).await?;
                if row.version != change.version {
                    return Err(Error::Conflict);
                }
                if row.expires_at <= now {
                    return Err(Error::OrderClosed(State::Cancelled));
                }
                store::transition(tx, &id, Action::Change, "customer", &EventKind::Changed, now).await?;
                if let Some(sealed) = &sealed {
                    within_reach(tx, &row, &sealed.region).await?;
                    write_sealed(tx, &id, sealed).await?;
                }
                let before = store::lines(tx, &id).await?;
                let mut lines = before.clone();
                for wanted in &change.quantities {
                    let mut named = lines.iter_mut().filter(|line| line.variant_id == wanted.variant_id);
                    match named.next().ok_or(Error::NotFound)? {
                        line if line.booking.is_none() => line.quantity = wanted.quantity,
                        _ if wanted.quantity == 1 => {}
                        _ => return Err(Error::field("quantity", Problem::Range(1, 1))),
                    }
                }
                lines.retain(|line| line.quantity > 0);
                if lines.is_empty() {
                    return Err(Error::CartEmpty);
                }
                let region = sealed.as_ref().map_or(row.region.as_str(), |sealed| sealed.region.as_str());
                let sums = totals(&lines, &rules, region);
                let sql = "update orders set goods = $2, discount = $3, shipping = $4, total = $5, quantity = $6, grams = $7 where id = $1";
                let args = args![&id, sums.goods.0, sums.discount.0, sums.shipping.0, sums.total.0, sums.quantity, sums.grams];
                tx.exec(sql, args).await?;
                // Read first: those that are taken out have pieces to tell of as well.
                let products = store::products(tx, &id).await?;
                let is_free = sums.total == Amount::ZERO;
                if is_free {
                    // Their sales are counted below, and products come before stock.
                    tx.lock("product", &products).await?;
                }
                if lines != before {
                    let goods = |lines: Vec<OrderLine>| -> Vec<OrderLine> {
                        lines.into_iter().filter(|line| line.booking.is_none()).collect()
                    };
                    let (before, lines) = (goods(before), goods(lines));
                    still_sold(tx, &before, &lines).await?;
                    set_lines(tx, &id, &before, &lines).await?;
                }
                let sold = if is_free { submit::take(tx, &app, &id, now).await? } else { Vec::new() };
                Ok(store::Changed { number: row.number, products, sold })
            })
        })
        .await?;
    announce(&ctx.app, &changed);
    Ok(())
}

/// Nobody comes to an address out of reach. One that an order has already may stay, wherever bookings are done by now.
async fn within_reach(tx: &mut Tx<'_>, order: &store::OrderRow, region: &str) -> Result<()> {
    if region == order.region || bookings::areas(tx, &order.id).await?.iter().all(|area| is_within(area, region)) {
        return Ok(());
    }
    Err(Error::field("district", Problem::Area))
}

/// More pieces than were ordered are bought now: only of what is still sold, and at the price of the order only while
/// that is the price.
async fn still_sold(tx: &mut Tx<'_>, before: &[OrderLine], after: &[OrderLine]) -> Result<()> {
    let (mut gone, mut dearer) = (Vec::new(), Vec::new());
    for line in after {
        let Some(old) = before.iter().find(|old| old.variant_id == line.variant_id) else { continue };
        if line.quantity <= old.quantity {
            continue;
        }
        let sql = "select v.price from variant v join product p on p.id = v.product_id
            where v.id = $1 and v.active and p.status = 'active'";
        let (variant_id, title) = (line.variant_id.clone(), line.title.clone());
        match tx.optional(sql, args![&line.variant_id]).await? {
            None => gone.push(Shortage { variant_id, title, wanted: line.quantity, available: old.quantity }),
            Some(row) => {
                let (old, new) = (line.unit_price, Amount(row.get("price")?));
                if new != old {
                    dearer.push(PriceChange { variant_id, title, old, new });
                }
            }
        }
    }
    match (gone.is_empty(), dearer.is_empty()) {
        (false, _) => Err(Error::Shortage(gone)),
        (_, false) => Err(Error::PriceChanged(dearer)),
        _ => Ok(()),
    }
}

/// Writes the new quantities of goods and holds exactly that much.
async fn set_lines(tx: &mut Tx<'_>, order_id: &str, before: &[OrderLine], after: &[OrderLine]) -> Result<()> {
    for old in before {
        match after.iter().find(|line| line.variant_id == old.variant_id) {
            Some(line) if line.quantity == old.quantity => {}
            Some(line) => {
                let sql = "update order_line set quantity = $3 where order_id = $1 and variant_id = $2 and not exists (
                    select 1 from order_booking b where b.order_id = order_line.order_id and b.position = order_line.position)";
                tx.exec(sql, args![order_id, &line.variant_id, line.quantity]).await?;
            }
            None => {
                let sql = "delete from order_line where order_id = $1 and variant_id = $2 and not exists (
                    select 1 from order_booking b where b.order_id = order_line.order_id and b.position = order_line.position)";
                tx.exec(sql, args![order_id, &old.variant_id]).await?;
            }
        }
    }
    stock::release(tx, order_id).await?;
    let wanted: Vec<_> = after.iter().map(|line| (line.variant_id.clone(), line.quantity)).collect();
    let short = stock::hold(tx, order_id, &wanted).await?;
    if short.is_empty() {
        return Ok(());
    }
    let shortage = |(variant_id, available): (String, i64)| {
        let line = after.iter().find(|line| line.variant_id == variant_id)?;
        Some(Shortage { title: line.title.clone(), wanted: line.quantity, variant_id, available })
    };
    Err(Error::Shortage(short.into_iter().filter_map(shortage).collect()))
}

/// Writes what the form says in place of what it said before.
async fn write_sealed(tx: &mut Tx<'_>, order_id: &str, sealed: &Sealed) -> Result<()> {
    let sql = "update orders set contact_sealed = $2, note_sealed = $3, phone_hash = $4, email_hash = $5, region = $6,
        delivery_wish = $7, payment_method = $8 where id = $1";
    let args = args![
        order_id,
        &sealed.contact,
        &sealed.note,
        &sealed.phone_hash,
        sealed.email_hash.clone(),
        &sealed.region,
        sealed.delivery_wish,
        sealed.payment_method
    ];
    tx.exec(sql, args).await?;
    Ok(())
}

/// The customer gives an order up before it is shipped; what was paid is refunded.
///
/// # Errors
/// [`Error::OrderClosed`] when it is too late, also to give one of its bookings up for nothing.
pub async fn cancel(ctx: &Ctx, number: &str) -> Result<()> {
    let row = own(ctx, number).await?;
    cancel_as(&ctx.app, &row.id, CancelReason::Customer, "customer", ctx.now).await.map(drop)
}

/// Cancels an order for a reason, and answers whether something came of it. Cancelling twice is once.
pub(super) async fn cancel_as(app: &App, order_id: &str, reason: CancelReason, actor: &str, now: i64) -> Result<bool> {
    let (id, actor, shop) = (order_id.to_owned(), actor.to_owned(), app.clone());
    let changed = app
        .db
        .write::<_, Error>(move |tx| {
            let (id, actor, shop) = (id.clone(), actor.clone(), shop.clone());
            Box::pin(async move { cancel_in(tx, &shop, &id, reason, actor, now).await })
        })
        .await?;
    let Some(changed) = changed else { return Ok(false) };
    tracing::info!(order = %changed.number, ?reason, "order cancelled");
    announce(app, &changed);
    if reason != CancelReason::Expired {
        app.wake.notify_waiters();
    }
    Ok(true)
}

/// Cancels an order in a transaction. None for one that was cancelled before.
async fn cancel_in(
    tx: &mut Tx<'_>,
    app: &App,
    id: &str,
    reason: CancelReason,
    actor: String,
    now: i64,
) -> Result<Option<store::Changed>> {
    let row = store::lock(tx, id).await?;
    let expiring = reason == CancelReason::Expired;
    if expiring && row.state != State::ToPay {
        // Paid or cancelled at the same moment, maybe by another node.
        return Ok(None);
    }
    if row.state == State::Cancelled {
        if !payment::expired(tx, id).await? {
            return Ok(None);
        }
        // Late money buys an expired order after all, but not one that somebody said no to.
        store::note_event(tx, id, &actor, &EventKind::Cancelled { reason }, now).await?;
        return Ok(Some(store::Changed::new(row.number, Vec::new())));
    }
    let of_customer = reason == CancelReason::Customer && row.state == State::ToShip;
    if of_customer && !bookings::are_free(tx, id, now).await? {
        // Part of what was paid is the venue's by now: all of it does not come back for nothing.
        return Err(Error::OrderClosed(row.state));
    }
    // What they claim elsewhere is freed with the rest.
    held::end_all(tx, id, &actor, now).await?;
    let action = if expiring { Action::Expire } else { Action::Cancel };
    store::transition(tx, id, action, &actor, &EventKind::Cancelled { reason }, now).await?;
    let (mut refunded, mut sold) = (Amount::ZERO, Vec::new());
    if row.state == State::ToShip {
        refunded = payment::refund_paid(tx, id, "cancelled", now).await?;
        let sales = store::sales(tx, id).await?;
        sold = store::count_sales(tx, &sales, -1).await?;
        stock::put_back(tx, id).await?;
    } else {
        stock::release(tx, id).await?;
    }
    let products = store::products(tx, id).await?;
    if bookings::release(tx, id).await? {
        waiting::offer(tx, app, &products, now).await?;
    }
    if reason == CancelReason::Office || row.state == State::ToShip {
        let entry = Entry {
            actor,
            action: audit::Action::OrderCancelled,
            subject: format!("order:{}", row.number),
            detail: if row.state == State::ToShip { format!("refund {}", refunded.0) } else { String::new() },
        };
        audit::record(tx, &app.keys, &entry, now).await?;
    }
    Ok(Some(store::Changed { number: row.number, products, sold }))
}

/// Cancels all orders of a customer that are not paid, inside a transaction, so that nothing more comes of them: of those
/// that expired, late money goes back as well. Answers with what open pages are to be told.
///
/// # Errors
/// [`Error::OrdersUnderWay`] with the orders that are paid and not shipped, or have a booking that is still to come.
pub async fn cancel_unpaid(tx: &mut Tx<'_>, app: &App, customer: &str, now: i64) -> Result<Vec<store::Changed>> {
    let sql = "select id, number from orders where customer_id = $1 and state <> 'completed' order by id";
    let (mut changed, mut under_way) = (Vec::new(), Vec::new());
    let rows = tx.all(sql, args![customer]).await?;
    let ids: Vec<String> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    // Paying one at this moment comes before or after. All of them before any stock of one.
    tx.lock("orders", &ids).await?;
    for (row, id) in rows.iter().zip(ids) {
        match store::lock(tx, &id).await?.state {
            State::ToPay | State::Cancelled => {
                let reason = CancelReason::Customer;
                changed.extend(cancel_in(tx, app, &id, reason, "customer".to_owned(), now).await?);
            }
            State::ToShip => under_way.push(row.get("number")?),
            State::Shipped => {
                if after::is_any_open(tx, &id).await? {
                    under_way.push(row.get("number")?);
                }
            }
            State::Completed => {}
        }
    }
    if under_way.is_empty() { Ok(changed) } else { Err(Error::OrdersUnderWay(under_way)) }
}

/// Cancels the unpaid orders whose time is over and answers with how many there were. Called every second; an order
/// that is paid or cancelled at the same moment is left alone.
///
/// # Errors
/// When the database cannot be reached.
pub async fn expire_due(app: &App) -> Result<usize> {
    let now = now();
    let sql = "select id from orders where state = 'to_pay' and expires_at <= $1 order by expires_at limit 200";
    let mut due = app.db.all(sql, args![now]).await?;
    // Each node begins somewhere else: all of them in one line would wait for each other and find nothing left to do.
    let chance = u32::from_be_bytes(crypto::random().map_err(|e| internal("random source", &e))?);
    let first = usize::try_from(chance).unwrap_or(0) % due.len().max(1);
    due.rotate_left(first);
    let mut cancelled = 0;
    for row in &due {
        let id: String = row.get("id")?;
        match cancel_as(app, &id, CancelReason::Expired, "clock", now).await {
            Ok(true) => {
                metrics::counter!(figures::ORDERS, "step" => "expired").increment(1);
                cancelled += 1;
            }
            Ok(false) => {}
            // It must not keep those behind it from being released.
            Err(error) => tracing::error!(order_id = %id, %error, "an order could not expire"),
        }
    }
    if cancelled > 0 {
        app.wake.notify_waiters();
    }
    Ok(cancelled)
}

/// The customer has received the goods.
///
/// # Errors
/// [`Error::OrderClosed`] unless the order is shipped.
pub async fn complete(ctx: &Ctx, number: &str) -> Result<()> {
    let row = own(ctx, number).await?;
    complete_as(ctx, &row.id, "customer").await
}

/// Completes a shipped order, or notes that its goods have arrived while a booking of it is still to come. Completing
/// twice is once.
pub(super) async fn complete_as(ctx: &Ctx, order_id: &str, actor: &str) -> Result<()> {
    let (id, actor, now) = (order_id.to_owned(), actor.to_owned(), ctx.now);
    let changed = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (id, actor) = (id.clone(), actor.clone());
            Box::pin(async move {
                let row = store::lock(tx, &id).await?;
                if row.state == State::Shipped && after::is_any_open(tx, &id).await? {
                    // The goods are there; a booking is still to come, and the order ends with it.
                    let sql = "update orders set arrived_at = $2 where id = $1 and arrived_at is null";
                    if tx.exec(sql, args![&id, now]).await? == 1 {
                        store::note_event(tx, &id, &actor, &EventKind::Arrived, now).await?;
                    }
                } else if row.state != State::Completed {
                    store::transition(tx, &id, Action::Complete, &actor, &EventKind::Completed, now).await?;
                }
                Ok(store::Changed::new(row.number, Vec::new()))
            })
        })
        .await?;
    announce(&ctx.app, &changed);
    Ok(())
}
