//! Payment: attempts, notifications of providers, refunds.
//!
//! A payment is one attempt to pay an order, or a move of one of its bookings; the provider knows it by our payment id, which
//! is the idempotency key of everything said about it. Money that arrives when nobody waits for it is never swallowed: it
//! takes the holds again, or goes back.

mod begin;
pub mod provider;
pub mod sandbox;
mod webhook;

pub use begin::{Begun, Due, begin, open, start};
pub use webhook::{SANDBOX_PATH, routes};

use super::{
    App,
    audit::{self, Entry},
    booking::{held, lines as bookings},
    context::{internal, new_id, now},
    db::{Row, Tx},
    figures,
    order::{announce, forget_payments, sell, store},
    stock,
};
use crate::{
    args,
    domain::{
        Error, Result,
        money::Amount,
        order::{Action, EventKind, State},
    },
};
use provider::{Notification, Outcome};
use serde::{Deserialize, Serialize};

/// An effect that waits in the outbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    Refund { refund_id: String },
}

/// What a notification came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The order is paid.
    Paid,
    /// A booking of it was moved to where it was paid for.
    Moved,
    /// Told before, or of no consequence.
    Nothing,
    /// The attempt failed; the order still waits.
    Failed,
    /// The money goes back.
    Refunded,
}

/// Takes a provider's word about a payment. Repeating it changes nothing.
///
/// # Errors
/// [`Error::NotFound`] for a payment we never made.
pub async fn settle(app: &App, notification: &Notification) -> Result<Settled> {
    let (shop, notification, now) = (app.clone(), notification.clone(), now());
    let (settled, changed) = app
        .db
        .write::<_, Error>(move |tx| {
            let (shop, notification) = (shop.clone(), notification.clone());
            Box::pin(async move { settle_in(tx, &shop, &notification, now).await })
        })
        .await?;
    if settled != Settled::Nothing {
        let step = match settled {
            Settled::Paid => "paid",
            Settled::Moved => "moved",
            Settled::Failed => "payment_failed",
            Settled::Refunded | Settled::Nothing => "refunded",
        };
        metrics::counter!(figures::ORDERS, "step" => step).increment(1);
        tracing::info!(order = %changed.number, ?settled, "payment settled");
        announce(app, &changed);
    }
    if matches!(settled, Settled::Refunded | Settled::Moved) {
        app.wake.notify_waiters();
    }
    Ok(settled)
}

async fn settle_in(
    tx: &mut Tx<'_>,
    app: &App,
    notification: &Notification,
    now: i64,
) -> Result<(Settled, store::Changed)> {
    let payment_id = &notification.payment_id;
    let order = store::lock_paid(tx, payment_id).await?;
    let order_id = order.id.clone();
    let mut changed = store::Changed::new(order.number.clone(), Vec::new());
    if notification.outcome == Outcome::Failed {
        let sql = "update payment set state = 'failed', settled_at = $2 where id = $1 and state = 'pending'";
        if tx.exec(sql, args![payment_id, now]).await? == 0 {
            return Ok((Settled::Nothing, changed));
        }
        store::note_event(tx, &order_id, "provider", &EventKind::PaymentFailed, now).await?;
        return Ok((Settled::Failed, changed));
    }
    let sql = "update payment set state = 'succeeded', settled_at = $2, provider_reference = $3
        where id = $1 and state <> 'succeeded' returning amount, currency, move_id";
    let Some(payment) = tx.optional(sql, args![payment_id, now, &notification.reference]).await? else {
        return Ok((Settled::Nothing, changed));
    };
    let expected = notification.amount == payment.get::<i64>("amount")?
        && notification.currency == payment.get::<String>("currency")?;
    if let Some(move_id) = payment.get::<Option<String>>("move_id")? {
        let amount = Amount(notification.amount);
        let product = if expected { held::paid(tx, app, &order, (&move_id, amount), now).await? } else { None };
        let Some(product) = product else {
            give_back(tx, app, &order, notification, now).await?;
            return Ok((Settled::Refunded, changed));
        };
        changed.products = vec![product];
        return Ok((Settled::Moved, changed));
    }
    let for_this_total = expected && notification.amount == order.totals.total.0;
    let paid = match order.state {
        State::ToPay if for_this_total => {
            let read = (&*order_id, (order.state, order.version));
            store::transition_from(tx, read, Action::Pay, "provider", &EventKind::Paid, now).await?;
            true
        }
        State::Cancelled
            if for_this_total && expired(tx, &order_id).await? && hold_again(tx, &order_id, now).await? =>
        {
            store::transition(tx, &order_id, Action::PayLate, "provider", &EventKind::Reopened, now).await?;
            true
        }
        _ => false,
    };
    if paid {
        (changed.products, changed.sold) = sell(tx, app, &order_id, now).await?;
        Ok((Settled::Paid, changed))
    } else {
        give_back(tx, app, &order, notification, now).await?;
        Ok((Settled::Refunded, changed))
    }
}

/// Refunds money that nobody waited for.
async fn give_back(
    tx: &mut Tx<'_>,
    app: &App,
    order: &store::OrderRow,
    notification: &Notification,
    now: i64,
) -> Result<()> {
    let Notification { payment_id, amount, .. } = notification;
    let part = Part { payment_id, order_id: &order.id, name: WHOLE };
    if refund(tx, part, Amount(*amount), "not expected", now).await? {
        // Nobody asked for it, so that nothing else on record tells of it.
        let entry = Entry {
            actor: "provider".to_owned(),
            action: audit::Action::RefundRequested,
            subject: format!("order:{}", order.number),
            detail: format!("{amount} of payment {payment_id}, not expected"),
        };
        audit::record(tx, &app.keys, &entry, now).await?;
    }
    Ok(())
}

/// Whether an order was cancelled by the clock: only then is late money still meant to buy it.
pub(super) async fn expired(tx: &mut Tx<'_>, order_id: &str) -> Result<bool> {
    let sql = "select kind from order_event where order_id = $1 order by sequence desc";
    for row in tx.all(sql, args![order_id]).await? {
        let kind = serde_json::from_str(&row.get::<String>("kind")?).map_err(|e| internal("database", &e))?;
        if let EventKind::Cancelled { reason } = kind {
            return Ok(reason == crate::domain::order::CancelReason::Expired);
        }
    }
    Ok(false)
}

/// Holds the goods and bookings of an expired order again: all of them or none.
async fn hold_again(tx: &mut Tx<'_>, order_id: &str, now: i64) -> Result<bool> {
    // Their sales are counted when it is paid, and products come before stock.
    let products = store::products(tx, order_id).await?;
    tx.lock("product", &products).await?;
    let goods = store::lines(tx, order_id).await?.into_iter().filter(|line| line.booking.is_none());
    let goods: Vec<_> = goods.map(|line| (line.variant_id, line.quantity)).collect();
    let held = stock::hold(tx, order_id, &goods).await?.is_empty() && bookings::hold_again(tx, order_id, now).await?;
    if !held {
        stock::release(tx, order_id).await?;
    }
    Ok(held)
}

/// Refunds what is left of what was paid for an order that is cancelled, but for what was kept of bookings that were given
/// up before; answers with how much that is. The caller has locked the order.
pub(super) async fn refund_paid(tx: &mut Tx<'_>, order_id: &str, reason: &str, now: i64) -> Result<Amount> {
    let (mut kept, mut refunded) = (bookings::kept(tx, order_id).await?, Amount::ZERO);
    for (payment_id, left) in left_of_payments(tx, order_id).await? {
        let stays = kept.min(left);
        kept = kept - stays;
        let amount = left - stays;
        let part = Part { payment_id: &payment_id, order_id, name: WHOLE };
        if amount > Amount::ZERO && refund(tx, part, amount, reason, now).await? {
            refunded = refunded + amount;
        }
    }
    Ok(refunded)
}

/// Refunds a part of what was paid for an order; by its name it is refunded once. The caller has locked the order.
///
/// # Errors
/// When less is left of what was paid: then nothing is refunded.
pub(super) async fn refund_part(
    tx: &mut Tx<'_>,
    order_id: &str,
    (name, amount): (&str, Amount),
    reason: &str,
    now: i64,
) -> Result<()> {
    let mut wanted = amount;
    for (payment_id, left) in left_of_payments(tx, order_id).await? {
        let amount = wanted.min(left);
        if amount > Amount::ZERO {
            refund(tx, Part { payment_id: &payment_id, order_id, name }, amount, reason, now).await?;
            wanted = wanted - amount;
        }
    }
    if wanted > Amount::ZERO { Err(internal("payment", &"more is to go back than was paid")) } else { Ok(()) }
}

/// The payments of an order that came in, with what of each was not refunded; without those that went back as a whole, of
/// which another sum may have come in than was asked for.
async fn left_of_payments(tx: &mut Tx<'_>, order_id: &str) -> Result<Vec<(String, Amount)>> {
    let sql = "select p.id, p.amount, (
            select cast(coalesce(sum(r.amount), 0) as bigint) from refund r where r.payment_id = p.id) as refunded
        from payment p where p.order_id = $1 and p.state = 'succeeded'
            and not exists (select 1 from refund r where r.payment_id = p.id and r.part = 'whole')
        order by p.id";
    let left = |row: &Row| -> Result<(String, Amount)> {
        Ok((row.get("id")?, Amount(row.get::<i64>("amount")? - row.get::<i64>("refunded")?)))
    };
    tx.all(sql, args![order_id]).await?.iter().map(left).collect()
}

/// The part of a payment that is all of it, or all that is left.
const WHOLE: &str = "whole";

/// What is refunded of a payment, and by which name it is known.
#[derive(Clone, Copy)]
struct Part<'a> {
    payment_id: &'a str,
    order_id: &'a str,
    name: &'a str,
}

/// Writes a refund of a part of a payment with the effect that carries it out. Each part is refunded once: false for one
/// that is already.
async fn refund(tx: &mut Tx<'_>, part: Part<'_>, amount: Amount, reason: &str, now: i64) -> Result<bool> {
    let Part { payment_id, order_id, name } = part;
    let refund_id = new_id();
    let sql = "insert into refund (id, payment_id, order_id, part, amount, reason, state, requested_at)
        values ($1, $2, $3, $4, $5, $6, 'pending', $7) on conflict (payment_id, part) do nothing";
    if tx.exec(sql, args![&refund_id, payment_id, order_id, name, amount.0, reason, now]).await? == 0 {
        return Ok(false);
    }
    store::note_event(tx, order_id, "system", &EventKind::RefundRequested { amount }, now).await?;
    let effect = serde_json::to_string(&Effect::Refund { refund_id }).map_err(|e| internal("outbox", &e))?;
    let sql = "insert into outbox (id, kind, payload, attempts, next_at) values ($1, 'payment', $2, 0, $3)";
    tx.exec(sql, args![new_id(), effect, now]).await?;
    Ok(true)
}

/// Carries an effect out; done twice it is once.
///
/// # Errors
/// [`Error::ProviderUnavailable`] when the provider does not answer; the outbox tries again.
pub async fn deliver(app: &App, effect: Effect) -> Result<()> {
    let Effect::Refund { refund_id } = effect;
    let sql = "select r.order_id, r.payment_id, r.amount, r.state, p.provider_reference, p.currency
        from refund r join payment p on p.id = r.payment_id where r.id = $1";
    let row = app.db.one(sql, args![&refund_id]).await?;
    if row.get::<String>("state")? == "succeeded" {
        return Ok(());
    }
    let amount = Amount(row.get("amount")?);
    let request = provider::RefundRequest {
        refund_id: refund_id.clone(),
        payment_id: row.get("payment_id")?,
        reference: row.get::<Option<String>>("provider_reference")?.unwrap_or_default(),
        amount: amount.0,
        currency: row.get("currency")?,
    };
    provider::refund(app, &request).await?;
    let (order_id, now) = (row.get::<String>("order_id")?, now());
    let changed = app
        .db
        .write::<_, Error>(move |tx| {
            let (refund_id, order_id) = (refund_id.clone(), order_id.clone());
            Box::pin(async move {
                let sql = "update refund set state = 'succeeded', settled_at = $2 where id = $1 and state = 'pending'";
                if tx.exec(sql, args![refund_id, now]).await? == 1 {
                    store::note_event(tx, &order_id, "provider", &EventKind::Refunded { amount }, now).await?;
                }
                forget_payments(tx, &order_id).await?;
                Ok(store::Changed::new(store::by_id(tx, &order_id).await?.number, Vec::new()))
            })
        })
        .await?;
    tracing::info!(order = %changed.number, "refund done");
    announce(app, &changed);
    Ok(())
}
