//! Beginning a payment: of an order, or of a move of one of its bookings. It is in the books before the provider is asked, so
//! that whatever the provider says of it is known here.

use super::provider::{self, Charge};
use crate::{
    args,
    domain::{
        Error, Result,
        error::Problem,
        money::{Amount, Currency},
        number,
        order::{EventKind, State},
        payment::Method,
        privacy::{Datum, Receiver},
    },
    server::{
        Ctx,
        context::new_id,
        db::Tx,
        order::{announce, store},
        sharing,
    },
};

/// What is to be paid.
#[derive(Clone, Copy)]
pub struct Due<'a> {
    /// The move of a booking that it is for; `None` for the order itself.
    pub move_id: Option<&'a str>,
    pub amount: Amount,
    pub method: Method,
}

/// An attempt to pay, as it stands in the books.
pub struct Begun {
    payment_id: String,
    /// Where the customer pays, once the provider has said so.
    cashier: Option<String>,
    number: String,
    amount: Amount,
    currency: Currency,
    method: Method,
}

/// Begins the payment of an order, or goes on with one begun for the same sum by the same method; answers with the address of
/// the provider's cashier.
///
/// # Errors
/// [`Error::OrderClosed`] unless the order is unpaid and its time is not over, [`Error::ProviderUnavailable`] when the
/// provider does not answer; trying again is safe. [`Error::NoPayment`] where there is no provider.
pub async fn start(ctx: &Ctx, number: &str, method: Option<&str>) -> Result<String> {
    let number = number::parse(number).ok_or(Error::NotFound)?;
    if !ctx.app.config.takes_payments() {
        return Err(Error::NoPayment);
    }
    let method = method
        .filter(|name| !name.is_empty())
        .map(|name| Method::from_name(name).ok_or_else(|| Error::field("method", Problem::Choice)));
    let (chosen, customer, now) = (method.transpose()?, ctx.customer.clone(), ctx.now);
    let granted = ctx.granted_orders.contains(&number);
    let begun = ctx.app.db.write::<_, Error>(move |tx| {
        let (number, customer) = (number.clone(), customer.clone());
        Box::pin(async move {
            // Decided on the locked row: a change or a payment of the order at this moment comes before or after.
            let order = store::lock_own(tx, &number, customer.as_deref(), granted).await?;
            let method = chosen.unwrap_or(order.payment_method);
            if order.state != State::ToPay || order.expires_at <= now {
                let state = if order.state == State::ToPay { State::Cancelled } else { order.state };
                return Err(Error::OrderClosed(state));
            }
            if order.payment_method != method {
                tx.exec("update orders set payment_method = $2 where id = $1", args![&order.id, method.name()]).await?;
            }
            begin(tx, &order, Due { move_id: None, amount: order.totals.total, method }, now).await
        })
    });
    let begun = begun.await?;
    open(ctx, begun).await
}

/// Writes an attempt to pay into the books, or finds one begun for the same by the same method. The caller has locked the
/// order.
///
/// # Errors
/// When the database cannot be written.
pub async fn begin(tx: &mut Tx<'_>, order: &store::OrderRow, due: Due<'_>, now: i64) -> Result<Begun> {
    let Due { move_id, amount, method } = due;
    let (number, currency) = (order.number.clone(), order.currency);
    let sql = "select id, cashier_url from payment
        where order_id = $1 and method = $2 and amount = $3 and state = 'pending'
            and ($4 is null and move_id is null or move_id = $4) order by created_at desc limit 1";
    if let Some(row) = tx.optional(sql, args![&order.id, method.name(), amount.0, move_id]).await? {
        let (payment_id, cashier) = (row.get("id")?, row.get("cashier_url")?);
        return Ok(Begun { payment_id, cashier, number, amount, currency, method });
    }
    store::note_event(tx, &order.id, "customer", &EventKind::PaymentStarted { method }, now).await?;
    let payment_id = new_id();
    let sql = "insert into payment (id, order_id, move_id, method, provider, amount, currency, state, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, 'pending', $8)";
    let args = args![&payment_id, &order.id, move_id, method.name(), provider::SANDBOX, amount.0, currency.code(), now];
    tx.exec(sql, args).await?;
    let receiver = (Receiver::Payment, provider::SANDBOX);
    sharing::record(tx, &order.id, receiver, &[Datum::OrderNumber, Datum::Amount], now).await?;
    Ok(Begun { payment_id, cashier: None, number, amount, currency, method })
}

/// Asks the provider to collect what was begun, unless it was asked; answers with the address of its cashier.
///
/// # Errors
/// [`Error::ProviderUnavailable`]; trying again is safe.
pub async fn open(ctx: &Ctx, begun: Begun) -> Result<String> {
    let Begun { payment_id, cashier, number, amount, currency, method } = begun;
    if let Some(cashier) = cashier {
        return Ok(cashier);
    }
    let charge = Charge {
        payment_id: payment_id.clone(),
        order_number: number.clone(),
        amount: amount.0,
        currency: currency.code().to_owned(),
        method: method.name().to_owned(),
        locale: ctx.locale.tag().to_owned(),
        notify_url: ctx.app.config.notify_url(),
        return_url: format!("{}/orders/{number}", ctx.app.config.public_url),
    };
    let opened = provider::charge(&ctx.app, &charge).await?;
    let (reference, url) = (opened.reference, opened.cashier_url.clone());
    // A notification that overtook the answer has stored the reference under which the money moved.
    let sql =
        "update payment set provider_reference = $2, cashier_url = $3 where id = $1 and provider_reference is null";
    ctx.app.db.exec(sql, args![payment_id, reference, url]).await?;
    announce(&ctx.app, &store::Changed::new(number, Vec::new()));
    Ok(opened.cashier_url)
}
