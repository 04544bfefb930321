//! Placing an order: one transaction that reads the cart, checks it, holds its goods and writes the promise.

use super::{checkout, sealed::Sealed, store};
use crate::{
    args,
    domain::{
        Error, Result,
        cart::{BuyNow, Cart, CartLine},
        error::Shortage,
        live::Topic,
        number,
        order::EventKind,
        pricing::Totals,
    },
    server::{
        Ctx, cart,
        context::{internal, new_id},
        crypto,
        db::{Args, Tx, placeholders},
        stock,
    },
};
use jiff::{Timestamp, tz::TimeZone};

/// How many numbers are drawn for an order. A day has a thousand million of them, so that two are rarely taken.
const NUMBERS: usize = 3;

/// What a customer submits: what the review showed, so that nothing else is ordered.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The version of the cart.
    pub cart_version: i64,
    /// In minor units.
    pub total: i64,
    /// [`Review::reviewed`](crate::domain::order::Review::reviewed).
    pub reviewed: String,
    pub buy_now: Option<BuyNow>,
}

/// What an order's row is made of, beside the cart.
#[derive(Clone)]
struct Draft {
    id: String,
    /// Numbers it may get: the first that no other order has.
    numbers: Vec<String>,
    customer: String,
    submit_key: String,
    locale: crate::domain::Locale,
    sealed: Sealed,
    now: i64,
    expires_at: i64,
}

/// Places the order of a cart, or of what is bought now. The cart's version is the idempotency key: a cart in one state
/// is ordered once, however often and from however many tabs it is submitted, and also when the answer was lost.
///
/// # Errors
/// [`Error::Shortage`], [`Error::PriceChanged`], [`Error::Conflict`] when the cart, its total or the address is not the
/// one that was reviewed, [`Error::Invalid`] when the address is missing, [`Error::NoPayment`] in a shop that takes no
/// payments: goods would be held for an order that nobody can pay.
pub async fn submit(ctx: &Ctx, submission: Submission) -> Result<String> {
    let Submission { cart_version, total, reviewed, buy_now } = submission;
    let customer = ctx.customer()?.to_owned();
    let submit_key = match &buy_now {
        None => cart_version.to_string(),
        Some(BuyNow { variant_id, quantity }) => format!("{cart_version}:{variant_id}:{quantity}"),
    };
    let before = "select number from orders where customer_id = $1 and submit_key = $2";
    if let Some(row) = ctx.app.db.optional(before, args![&customer, &submit_key]).await? {
        return Ok(row.get("number")?);
    }
    if !ctx.app.config.takes_payments() {
        return Err(Error::NoPayment);
    }
    let checkout = checkout::checked(ctx).await?;
    if checkout::seal_of(ctx, &checkout)? != reviewed {
        return Err(Error::Conflict);
    }
    let id = new_id();
    let draft = Draft {
        sealed: Sealed::new(&ctx.app.keys, &id, &checkout)?,
        numbers: (0..NUMBERS).map(|_| new_number(ctx.now)).collect::<Result<_>>()?,
        id,
        customer: customer.clone(),
        submit_key,
        locale: ctx.locale,
        now: ctx.now,
        expires_at: ctx.now + ctx.app.config.hold_ms,
    };
    let (currency, rules) = (ctx.app.currency, ctx.app.shipping.clone());
    let placed = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (draft, rules, buy_now) = (draft.clone(), rules.clone(), buy_now.clone());
            Box::pin(async move {
                let sql =
                    "update cart set version = version + 1, updated_at = $3 where customer_id = $1 and version = $2";
                if tx.exec(sql, args![&draft.customer, cart_version, draft.now]).await? == 0 {
                    let row = tx.optional(before, args![&draft.customer, &draft.submit_key]).await?;
                    let number = row.map(|row| row.get("number")).transpose()?.ok_or(Error::Conflict)?;
                    return Ok(store::Changed { number, products: Vec::new() });
                }
                let mut cart = match &buy_now {
                    Some(buy_now) => cart::load_now(tx, &draft.customer, buy_now, draft.locale).await?,
                    None => cart::load(tx, &draft.customer, draft.locale).await?,
                };
                cart.shipping = rules;
                cart.region = Some(draft.sealed.region.clone());
                cart.check()?;
                let totals = cart.totals();
                if totals.total.0 != total {
                    return Err(Error::Conflict);
                }
                let number = insert(tx, &draft, &cart, &totals, currency.code()).await?;
                store::event(tx, &draft.id, 1, "customer", &EventKind::Placed, draft.now).await?;
                if buy_now.is_none() {
                    tx.exec("delete from cart_line where customer_id = $1 and not saved", args![&draft.customer])
                        .await?;
                }
                hold(tx, &draft.id, &cart).await?;
                let mut products: Vec<_> = cart.lines.iter().map(|line| line.product_id.clone()).collect();
                products.sort();
                products.dedup();
                Ok(store::Changed { number, products })
            })
        })
        .await?;
    ctx.app.live.changed(Topic::Cart(customer));
    super::announce(&ctx.app, &placed);
    Ok(placed.number)
}

/// Holds the goods of a cart for an order; the hot rows come last in the transaction.
async fn hold(tx: &mut Tx<'_>, order_id: &str, cart: &Cart) -> Result<()> {
    let lines: Vec<_> = cart.lines.iter().map(|line| (line.variant_id.clone(), line.quantity)).collect();
    let short = stock::hold(tx, order_id, &lines).await?;
    if short.is_empty() {
        return Ok(());
    }
    let shortage = |(variant_id, available): (String, i64)| {
        let line = cart.line(&variant_id)?;
        Some(Shortage { title: line.title.clone(), wanted: line.quantity, variant_id, available })
    };
    Err(Error::Shortage(short.into_iter().filter_map(shortage).collect()))
}

/// Writes the order under a number that is free, and answers with it.
async fn insert(tx: &mut Tx<'_>, draft: &Draft, cart: &Cart, totals: &Totals, currency: &str) -> Result<String> {
    for number in &draft.numbers {
        if insert_as(tx, draft, number, cart, totals, currency).await? {
            insert_lines(tx, &draft.id, &cart.lines).await?;
            return Ok(number.clone());
        }
    }
    Err(internal("order number", &"none of those drawn is free"))
}

/// Whether the number was free.
async fn insert_as(
    tx: &mut Tx<'_>,
    draft: &Draft,
    number: &str,
    cart: &Cart,
    totals: &Totals,
    currency: &str,
) -> Result<bool> {
    let titles: Vec<_> = cart.lines.iter().map(|line| line.title.to_lowercase()).collect();
    let sql = "insert into orders (id, number, customer_id, submit_key, state, version, locale, currency, goods, discount, shipping,
            total, quantity, grams, region, delivery_wish, payment_method, contact_sealed, note_sealed, phone_hash, email_hash,
            words, placed_at, expires_at, changed_at)
        values ($1, $2, $3, $4, 'to_pay', 1, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $21)
        on conflict (number) do nothing";
    let args = args![
        &draft.id,
        number,
        &draft.customer,
        &draft.submit_key,
        draft.locale.tag(),
        currency,
        totals.goods.0,
        totals.discount.0,
        totals.shipping.0,
        totals.total.0,
        totals.quantity,
        totals.grams,
        &draft.sealed.region,
        draft.sealed.delivery_wish,
        draft.sealed.payment_method,
        &draft.sealed.contact,
        &draft.sealed.note,
        &draft.sealed.phone_hash,
        draft.sealed.email_hash.clone(),
        format!("{number} {}", titles.join(" ")),
        draft.now,
        draft.expires_at
    ];
    Ok(tx.exec(sql, args).await? == 1)
}

async fn insert_lines(tx: &mut Tx<'_>, order_id: &str, lines: &[CartLine]) -> Result<()> {
    const COLUMNS: usize = 13;
    let mut args = Args::new();
    let mut rows = Vec::new();
    for (position, line) in lines.iter().enumerate() {
        rows.push(format!("({})", placeholders(args.len() + 1, COLUMNS)));
        let image = line.image.as_ref().and_then(|image| serde_json::to_string(image).ok());
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        args.extend(args![
            order_id,
            position,
            &line.variant_id,
            &line.product_id,
            &line.handle,
            &line.title,
            &line.label,
            &line.sku,
            image,
            line.unit_price.0,
            line.compare_at.map(|a| a.0),
            line.quantity,
            line.grams
        ]);
    }
    let sql = format!(
        "insert into order_line (order_id, position, variant_id, product_id, handle, title, label, sku, image, unit_price, compare_at, quantity, grams)
        values {}",
        rows.join(", ")
    );
    tx.exec(sql, args).await?;
    Ok(())
}

/// A number for an order placed now, by the date of the shop.
fn new_number(now: i64) -> Result<String> {
    let random = u64::from_be_bytes(crypto::random().map_err(|e| internal("random source", &e))?);
    let zone = TimeZone::get("Asia/Shanghai").map_err(|e| internal("time zone", &e))?;
    let date = Timestamp::from_millisecond(now).map_err(|e| internal("clock", &e))?.to_zoned(zone).date();
    Ok(number::make(date.year(), date.month(), date.day(), random))
}
