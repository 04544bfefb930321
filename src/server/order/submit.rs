//! Placing an order: one transaction that reads the cart, checks it, writes the promise and holds its goods and bookings,
//! all of them or none.

use super::{
    checkout, confirm,
    crowd::{self, Seen},
    sealed::Sealed,
    store,
};
use crate::{
    args,
    domain::{
        Error, Result,
        cart::{BuyNow, Cart, CartLine},
        error::{Problem, Shortage},
        live::Topic,
        money::Amount,
        number,
        order::{Action, EventKind},
        pricing::Totals,
    },
    server::{
        App, Ctx,
        booking::{lines as bookings, quote::Quote, waiting},
        cart,
        context::{internal, new_id},
        crypto,
        db::{Args, DbError, Tx, placeholders},
        figures,
        live::Sold,
        stock,
    },
};
use jiff::{Timestamp, tz::TimeZone};

/// The order that was placed of the same submission before.
const BEFORE: &str = "select number from orders where customer_id = $1 and submit_key = $2";

/// How many numbers are drawn for an order. A day has a thousand million of them, so that two are rarely taken.
const NUMBERS: usize = 3;

/// How often an order is tried for which somebody else was quicker: a booking that anyone can do is done by another one then.
const TRIES: usize = 3;

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

/// Why an order was not placed.
enum Refused {
    /// What was free when the cart was read was claimed by somebody else before it was held.
    Raced(Error),
    Error(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<DbError> for Refused {
    fn from(error: DbError) -> Self {
        Self::Error(error.into())
    }
}

/// Places the order of a cart, or of what is bought now. The cart's version is the idempotency key: a cart in one state
/// is ordered once, however often and from however many tabs it is submitted, and also when the answer was lost.
///
/// # Errors
/// [`Error::Shortage`], [`Error::SlotTaken`], [`Error::PriceChanged`], [`Error::Conflict`] when the cart, its total or the
/// address is not the one that was reviewed, [`Error::Invalid`] when the address is missing, [`Error::NoPayment`] in a shop
/// that takes no payments: goods would be held for an order that nobody can pay.
pub async fn submit(ctx: &Ctx, submission: Submission) -> Result<String> {
    let customer = ctx.customer()?.to_owned();
    let Submission { cart_version, total, .. } = submission;
    let submit_key = match &submission.buy_now {
        None => cart_version.to_string(),
        Some(BuyNow { variant_id, quantity }) => format!("{cart_version}:{variant_id}:{quantity}"),
    };
    let (lines, little, mut form) = match crowd::first_look(ctx, &submission, &submit_key).await? {
        Seen::Ordered(number) => return Ok(number),
        Seen::Enough { lines, little, form } => (lines, little, form),
    };
    if !ctx.app.config.takes_payments() {
        return Err(Error::NoPayment);
    }
    let turn = ctx.app.crowd.enter(lines).await;
    if turn.waited && little {
        form = match crowd::look(ctx, &submission, &submit_key).await? {
            Seen::Ordered(number) => return Ok(number),
            Seen::Enough { form, .. } => form,
        };
    }
    let Submission { reviewed, buy_now, .. } = submission;
    let checkout = checkout::checked(ctx, &checkout::form_of(ctx, form.as_deref())?, buy_now.is_some()).await?;
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
    let mut tries = 1;
    let placed = loop {
        match place(ctx, &draft, (cart_version, total), buy_now.as_ref()).await {
            Ok(placed) => break placed,
            Err(Refused::Raced(_)) if tries < TRIES => tries += 1,
            Err(Refused::Raced(error) | Refused::Error(error)) => return Err(error),
        }
    };
    drop(turn);
    metrics::counter!(figures::ORDERS, "step" => "placed").increment(1);
    ctx.app.live.changed(Topic::Cart(customer));
    super::announce(&ctx.app, &placed);
    Ok(placed.number)
}

/// One try: everything, or nothing.
async fn place(
    ctx: &Ctx,
    draft: &Draft,
    (cart_version, total): (i64, i64),
    buy_now: Option<&BuyNow>,
) -> Result<store::Changed, Refused> {
    let (currency, rules) = (ctx.app.currency, ctx.app.shipping.clone());
    let (draft, buy_now, app) = (draft.clone(), buy_now.cloned(), ctx.app.clone());
    ctx.app
        .db
        .write::<_, Refused>(move |tx| {
            let (draft, rules, buy_now, app) = (draft.clone(), rules.clone(), buy_now.clone(), app.clone());
            Box::pin(async move {
                let sql =
                    "update cart set version = version + 1, updated_at = $3 where customer_id = $1 and version = $2
                    returning exists (select 1 from cart_booking b where b.customer_id = cart.customer_id) as books";
                let Some(row) = tx.optional(sql, args![&draft.customer, cart_version, draft.now]).await? else {
                    let row = tx.optional(BEFORE, args![&draft.customer, &draft.submit_key]).await?;
                    let number = row.map(|row| row.get("number")).transpose()?.ok_or(Error::Conflict)?;
                    return Ok(store::Changed::new(number, Vec::new()));
                };
                let (mut cart, quotes) = match &buy_now {
                    Some(buy_now) => (cart::load_now(tx, &draft.customer, buy_now, draft.locale).await?, Vec::new()),
                    None => {
                        let books = row.get("books")?;
                        cart::load_quoted(tx, &draft.customer, books, (draft.locale, draft.now)).await?
                    }
                };
                cart.shipping = rules;
                cart.region = Some(draft.sealed.region.clone());
                cart.check()?;
                if draft.sealed.region.is_empty() && cart.needs_address() {
                    return Err(Error::field("district", Problem::Required).into());
                }
                checkout::within_reach(&cart, &draft.sealed.region)?;
                let totals = cart.totals();
                if totals.total.0 != total {
                    return Err(Error::Conflict.into());
                }
                let number = insert(tx, &draft, &cart, &totals, currency.code()).await?;
                let first = i64::try_from(cart.lines.len()).unwrap_or(i64::MAX);
                bookings::insert(tx, &draft.id, first, &cart.bookings, &quotes).await?;
                store::event(tx, &draft.id, 1, "customer", &EventKind::Placed, draft.now).await?;
                if buy_now.is_none() {
                    tx.exec("delete from cart_line where customer_id = $1 and not saved", args![&draft.customer])
                        .await?;
                    if !cart.bookings.is_empty() {
                        tx.exec("delete from cart_booking where customer_id = $1", args![&draft.customer]).await?;
                    }
                }
                let products = cart.lines.iter().map(|line| &line.product_id);
                let products = products.chain(cart.bookings.iter().map(|booking| &booking.product_id));
                let mut products: Vec<_> = products.cloned().collect();
                products.sort();
                products.dedup();
                let is_free = totals.total == Amount::ZERO;
                if is_free {
                    // Their sales are counted below, and products come before what is held.
                    tx.lock("product", &products).await?;
                }
                hold(tx, &draft.id, &cart, &quotes).await?;
                let sold = if is_free { take(tx, &app, &draft.id, draft.now).await? } else { Vec::new() };
                Ok(store::Changed { number, products, sold })
            })
        })
        .await
}

/// Holds the goods and the bookings of a cart for an order; the hot rows come last in the transaction, goods first.
async fn hold(tx: &mut Tx<'_>, order_id: &str, cart: &Cart, quotes: &[Quote]) -> Result<(), Refused> {
    let lines: Vec<_> = cart.lines.iter().map(|line| (line.variant_id.clone(), line.quantity)).collect();
    let short = stock::hold(tx, order_id, &lines).await?;
    if short.is_empty() {
        let first = i64::try_from(cart.lines.len()).unwrap_or(i64::MAX);
        waiting::hand_over(tx, order_id, &cart.bookings, quotes).await?;
        let taken = bookings::hold(tx, order_id, first, quotes).await?;
        if taken.is_empty() {
            return Ok(());
        }
        let taken = taken.into_iter().filter_map(|place| Some(cart.bookings.get(place)?.taken()));
        return Err(Refused::Raced(Error::SlotTaken(taken.collect())));
    }
    let shortage = |(variant_id, available): (String, i64)| {
        let line = cart.line(&variant_id)?;
        Some(Shortage { title: line.title.clone(), wanted: line.quantity, variant_id, available })
    };
    Err(Error::Shortage(short.into_iter().filter_map(shortage).collect()).into())
}

/// What costs nothing is paid for as it is placed, or as the last that costs something is taken out of it: a table without
/// a deposit. Answers with what is sold by that.
pub(super) async fn take(tx: &mut Tx<'_>, app: &App, order_id: &str, now: i64) -> Result<Vec<Sold>> {
    store::transition(tx, order_id, Action::Pay, "system", &EventKind::Paid, now).await?;
    sell(tx, app, order_id, now).await.map(|(_, sold)| sold)
}

/// What an order holds is sold, and the customer is told; answers with its products, and with what to tell of them. The
/// order's own rows come first, then the products, which all orders of one share, and last the stock. The caller has locked
/// the order.
///
/// # Errors
/// When the database cannot be written.
pub async fn sell(tx: &mut Tx<'_>, app: &App, order_id: &str, now: i64) -> Result<(Vec<String>, Vec<Sold>)> {
    let sales = store::sales(tx, order_id).await?;
    if sales.iter().any(|sale| sale.booked) {
        bookings::take(tx, order_id).await?;
    }
    confirm::enqueue(tx, app, order_id, confirm::What::Paid, now).await?;
    let taken = stock::take(tx, order_id).await?;
    let sold = store::count_sales(tx, &sales, 1).await?;
    taken.carry_out(tx).await?;
    Ok((sales.into_iter().map(|sale| sale.product).collect(), sold))
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
    let titles = cart.lines.iter().map(|line| &line.title).chain(cart.bookings.iter().map(|booking| &booking.title));
    let titles: Vec<_> = titles.map(|title| title.to_lowercase()).collect();
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
    if lines.is_empty() {
        return Ok(());
    }
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
