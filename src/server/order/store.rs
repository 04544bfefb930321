//! The SQL of orders, and the one place where an order changes its state.

use super::sealed;
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        address::{Contact, DeliveryWish},
        money::{Amount, Currency},
        order::{Action, Event, EventKind, Order, OrderCounts, OrderLine, OrderSummary, Refund, Shipment, State},
        payment::Method,
        pricing::Totals,
        review::{Written, of_line},
    },
    server::{
        Ctx,
        booking::lines,
        catalog::image,
        context::{internal, now},
        crypto::Keys,
        db::{Db, Row, ToValue, Tx, placeholders},
        live::Sold,
    },
};
use std::collections::HashMap;

/// The head of each statement that reads orders.
pub const SELECT: &str = "select o.id, o.number, o.customer_id, o.state, o.version, o.currency, o.goods, o.discount, o.shipping, o.total,
    o.quantity, o.grams, o.region, o.delivery_wish, o.payment_method, o.contact_sealed, o.note_sealed, o.placed_at, o.expires_at,
    o.locale
    from orders o";

/// An order as its row tells it.
pub struct OrderRow {
    pub id: String,
    pub number: String,
    pub customer_id: String,
    pub state: State,
    pub version: i64,
    pub currency: Currency,
    pub totals: Totals,
    pub region: String,
    pub delivery_wish: DeliveryWish,
    pub payment_method: Method,
    contact_sealed: Vec<u8>,
    note_sealed: Vec<u8>,
    pub placed_at: i64,
    pub expires_at: i64,
    /// In which language it was placed.
    pub locale: Locale,
}

/// What a change touched, for the live feed and for answers from memory.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    pub number: String,
    /// The products whose stock it may have changed, or how many of them were sold; all of them.
    pub products: Vec<String>,
    /// What was sold with it, or was not after all.
    pub sold: Vec<Sold>,
}

impl Changed {
    /// A change by which nothing is sold.
    pub fn new(number: String, products: Vec<String>) -> Self {
        Self { number, products, sold: Vec::new() }
    }
}

impl OrderRow {
    pub fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            number: row.get("number")?,
            customer_id: row.get("customer_id")?,
            state: known(State::from_name, row, "state")?,
            version: row.get("version")?,
            currency: known(Currency::from_code, row, "currency")?,
            totals: Totals {
                goods: Amount(row.get("goods")?),
                discount: Amount(row.get("discount")?),
                shipping: Amount(row.get("shipping")?),
                total: Amount(row.get("total")?),
                to_free_shipping: None,
                quantity: row.get("quantity")?,
                grams: row.get("grams")?,
            },
            region: row.get("region")?,
            delivery_wish: known(DeliveryWish::from_name, row, "delivery_wish")?,
            payment_method: known(Method::from_name, row, "payment_method")?,
            contact_sealed: row.get("contact_sealed")?,
            note_sealed: row.get("note_sealed")?,
            placed_at: row.get("placed_at")?,
            expires_at: row.get("expires_at")?,
            locale: Locale::from_tag(&row.get::<String>("locale")?).unwrap_or_default(),
        })
    }

    /// Opens the sealed recipient.
    pub fn contact(&self, ctx: &Ctx) -> Result<Contact> {
        self.contact_by(&ctx.app.keys)
    }

    /// The same inside a transaction.
    pub fn contact_by(&self, keys: &Keys) -> Result<Contact> {
        sealed::contact(keys, &self.id, &self.contact_sealed)
    }

    pub fn note(&self, ctx: &Ctx) -> Result<String> {
        sealed::note(&ctx.app.keys, &self.id, &self.note_sealed)
    }
}

/// A column whose text stands for one of a few things.
pub fn known<T>(read: impl Fn(&str) -> Option<T>, row: &Row, column: &str) -> Result<T> {
    read(&row.get::<String>(column)?).ok_or_else(|| internal("database", &format!("an order has an unknown {column}")))
}

pub async fn by_number(db: &Db, number: &str) -> Result<OrderRow> {
    OrderRow::read(&db.one(format!("{SELECT} where o.number = $1"), args![number]).await?)
}

pub async fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<OrderRow> {
    OrderRow::read(&tx.one(format!("{SELECT} where o.id = $1"), args![id]).await?)
}

/// Reads an order that this transaction is going to change. Whoever else wants to change it waits here until the
/// transaction ends, so that a decision made on the row still holds when it is carried out.
pub async fn lock(tx: &mut Tx<'_>, id: &str) -> Result<OrderRow> {
    let rows = tx.locked(format!("{SELECT} where o.id = $1"), args![id]).await?;
    OrderRow::read(rows.first().ok_or(Error::NotFound)?)
}

/// The same for the order that a payment is for.
pub async fn lock_paid(tx: &mut Tx<'_>, payment_id: &str) -> Result<OrderRow> {
    let sql = format!("{SELECT} where o.id = (select p.order_id from payment p where p.id = $1)");
    let rows = tx.locked(sql, args![payment_id]).await?;
    OrderRow::read(rows.first().ok_or(Error::NotFound)?)
}

/// The same for an order of a customer by its number, or for one that the browser that asks was `granted` and that nobody's
/// account has.
pub async fn lock_own(tx: &mut Tx<'_>, number: &str, customer: Option<&str>, granted: bool) -> Result<OrderRow> {
    let sql = format!(
        "{SELECT} where o.number = $1 and (o.customer_id = $2
            or $3 and not exists (select 1 from account a where a.customer_id = o.customer_id))"
    );
    let rows = tx.locked(sql, args![number, customer, granted]).await?;
    OrderRow::read(rows.first().ok_or(Error::NotFound)?)
}

fn lines_of(filter: &str) -> String {
    format!(
        "select l.order_id, l.position, l.variant_id, l.handle, l.title, l.label, l.sku, l.image, l.unit_price, l.compare_at,
            l.quantity, l.grams, o.state as order_state, r.stars, r.written_at,
            (select max(e.at) from order_event e where e.order_id = l.order_id and o.state = 'completed'
                and e.kind = '{{\"kind\":\"completed\"}}') as completed_at, {}
        from order_line l join orders o on o.id = l.order_id
            left join order_booking b on b.order_id = l.order_id and b.position = l.position
            left join review r on r.order_id = l.order_id and r.position = l.position
        where {filter} order by l.order_id, l.position",
        lines::COLUMNS
    )
}

fn line(row: &Row) -> Result<OrderLine> {
    let booking = lines::read(row)?;
    let written = row.get::<Option<i64>>("stars")?.zip(row.get::<Option<i64>>("written_at")?);
    let review = of_line(
        known(State::from_name, row, "order_state")?,
        booking.as_ref().map(|booking| booking.state),
        row.get("completed_at")?,
        written.map(|(stars, at)| Written { stars, at }),
        now(),
    );
    Ok(OrderLine {
        position: row.get("position")?,
        variant_id: row.get("variant_id")?,
        handle: row.get("handle")?,
        title: row.get("title")?,
        label: row.get("label")?,
        sku: row.get("sku")?,
        image: image(row, "image")?,
        unit_price: Amount(row.get("unit_price")?),
        compare_at: row.get::<Option<i64>>("compare_at")?.map(Amount),
        quantity: row.get("quantity")?,
        grams: row.get("grams")?,
        booking,
        review,
    })
}

pub async fn lines(tx: &mut Tx<'_>, order_id: &str) -> Result<Vec<OrderLine>> {
    tx.all(lines_of("l.order_id = $1"), args![order_id]).await?.iter().map(line).collect()
}

/// The products of an order, whose stock its changes touch.
pub async fn products(tx: &mut Tx<'_>, order_id: &str) -> Result<Vec<String>> {
    let rows = tx
        .all("select distinct product_id from order_line where order_id = $1 order by product_id", args![order_id])
        .await?;
    rows.iter().map(|row| Ok(row.get("product_id")?)).collect()
}

/// What is sold of a product by an order.
pub struct Sale {
    pub product: String,
    /// Pieces and bookings. A booking that was given up by itself is not counted any more.
    quantity: i64,
    /// Whether it is booked.
    pub booked: bool,
}

/// What is sold by an order, in the order of the ids of its products.
pub async fn sales(tx: &mut Tx<'_>, order_id: &str) -> Result<Vec<Sale>> {
    let sql =
        "select l.product_id, cast(sum(case when b.state = 'cancelled' then 0 else l.quantity end) as bigint) as sold,
            count(b.position) as bookings
        from order_line l left join order_booking b on b.order_id = l.order_id and b.position = l.position
        where l.order_id = $1 group by l.product_id order by l.product_id";
    let sale = |row: &Row| -> Result<Sale> {
        let booked = row.get::<i64>("bookings")? > 0;
        Ok(Sale { product: row.get("product_id")?, quantity: row.get("sold")?, booked })
    };
    tx.all(sql, args![order_id]).await?.iter().map(sale).collect()
}

/// Adds `direction × quantity` to what was sold of each product of an order, before any stock; answers with what to tell of
/// them.
pub async fn count_sales(tx: &mut Tx<'_>, sales: &[Sale], direction: i64) -> Result<Vec<Sold>> {
    let mut told = Vec::new();
    for Sale { product, quantity, .. } in sales.iter().filter(|sale| sale.quantity != 0) {
        told.extend(count_sold(tx, product, direction * quantity).await?);
    }
    Ok(told)
}

/// Adds to the pieces of a product that were sold; answers with what to tell of it once that is committed.
pub async fn count_sold(tx: &mut Tx<'_>, product: &str, pieces: i64) -> Result<Option<Sold>> {
    let sql = "update product set sales = sales + $2 where id = $1
        returning sales, category_id, (select c.parent_id from category c where c.id = product.category_id) as above_id";
    let Some(row) = tx.optional(sql, args![product, pieces]).await? else { return Ok(None) };
    let (own, above): (Option<String>, Option<String>) = (row.get("category_id")?, row.get("above_id")?);
    let after: i64 = row.get("sales")?;
    Ok(Some(Sold { categories: own.into_iter().chain(above).collect(), sales: after.max(after - pieces) }))
}

/// Orders of a list with all their lines, in two statements.
pub async fn summaries(tx: &mut Tx<'_>, rows: &[Row]) -> Result<Vec<OrderSummary>> {
    let orders: Vec<OrderRow> = rows.iter().map(OrderRow::read).collect::<Result<_>>()?;
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let mut lines: HashMap<String, Vec<OrderLine>> = HashMap::new();
    let sql = lines_of(&format!("l.order_id in ({})", placeholders(1, orders.len())));
    for row in tx.all(sql, orders.iter().map(|order| (&order.id).to_value()).collect()).await? {
        lines.entry(row.get("order_id")?).or_default().push(line(&row)?);
    }
    let summaries = orders.into_iter().map(|order| OrderSummary {
        lines: lines.remove(&order.id).unwrap_or_default(),
        number: order.number,
        state: order.state,
        currency: order.currency,
        total: order.totals.total,
        quantity: order.totals.quantity,
        placed_at: order.placed_at,
        expires_at: (order.state == State::ToPay).then_some(order.expires_at),
    });
    Ok(summaries.collect())
}

pub fn counts(rows: &[Row]) -> Result<OrderCounts> {
    let mut counts = OrderCounts::default();
    for row in rows {
        let orders = row.get("orders")?;
        match known(State::from_name, row, "state")? {
            State::ToPay => counts.to_pay = orders,
            State::ToShip => counts.to_ship = orders,
            State::Shipped => counts.shipped = orders,
            State::Completed => counts.completed = orders,
            State::Cancelled => counts.cancelled = orders,
        }
    }
    Ok(counts)
}

/// Everything of an order.
pub async fn order(ctx: &Ctx, row: &OrderRow) -> Result<Order> {
    let id = row.id.clone();
    let (lines, events, shipment, refunds) = ctx
        .app
        .db
        .read::<_, Error>(move |tx| {
            let id = id.clone();
            Box::pin(async move {
                let lines = lines(tx, &id).await?;
                let events = tx
                    .all("select sequence, kind, at from order_event where order_id = $1 order by sequence", args![&id])
                    .await?;
                let events = events.iter().map(|row| {
                    let kind =
                        serde_json::from_str(&row.get::<String>("kind")?).map_err(|e| internal("database", &e))?;
                    Ok(Event { sequence: row.get("sequence")?, kind, at: row.get("at")? })
                });
                let events: Vec<Event> = events.collect::<Result<_>>()?;
                let shipment = tx
                    .optional(
                        "select carrier, tracking_number, shipped_at from shipment where order_id = $1",
                        args![&id],
                    )
                    .await?;
                let shipment = shipment.map(|row| {
                    Ok::<_, Error>(Shipment {
                        carrier: row.get("carrier")?,
                        tracking_number: row.get("tracking_number")?,
                        shipped_at: row.get("shipped_at")?,
                    })
                });
                let refunds = tx
                    .all(
                        "select amount, state, requested_at from refund where order_id = $1 order by requested_at",
                        args![&id],
                    )
                    .await?;
                let refunds = refunds.iter().map(|row| {
                    let done = row.get::<String>("state")? == "succeeded";
                    Ok(Refund { amount: Amount(row.get("amount")?), done, requested_at: row.get("requested_at")? })
                });
                let refunds = refunds.collect::<Result<Vec<_>>>()?;
                Ok((lines, events, shipment.transpose()?, refunds))
            })
        })
        .await?;
    Ok(Order {
        number: row.number.clone(),
        state: row.state,
        version: row.version,
        currency: row.currency,
        totals: row.totals,
        lines,
        shipping_rules: ctx.app.shipping.clone(),
        contact: row.contact(ctx)?,
        region_name: ctx.app.divisions.name(&row.region, ctx.locale),
        delivery_wish: row.delivery_wish,
        note: row.note(ctx)?,
        payment_method: row.payment_method,
        placed_at: row.placed_at,
        expires_at: (row.state == State::ToPay).then_some(row.expires_at),
        now: now(),
        events,
        shipment,
        refunds,
    })
}

/// Applies an action: checks the state machine, sets the state and appends the event, all or nothing. Of actions that
/// race, exactly one finds the version it read; callers that decide on the order first take it with [`lock`].
///
/// # Errors
/// [`Error::OrderClosed`] when the state does not allow the action, [`Error::Conflict`] when another one was faster.
pub async fn transition(
    tx: &mut Tx<'_>,
    order_id: &str,
    action: Action,
    actor: &str,
    kind: &EventKind,
    now: i64,
) -> Result<State> {
    let row = tx.one("select state, version from orders where id = $1", args![order_id]).await?;
    let present = (known(State::from_name, &row, "state")?, row.get("version")?);
    transition_from(tx, (order_id, present), action, actor, kind, now).await
}

/// The same for an order whose state and version were read before in this transaction.
pub async fn transition_from(
    tx: &mut Tx<'_>,
    (order_id, (present, version)): (&str, (State, i64)),
    action: Action,
    actor: &str,
    kind: &EventKind,
    now: i64,
) -> Result<State> {
    let next = present.after(action)?;
    let sql = "update orders set state = $3, version = version + 1, changed_at = $4 where id = $1 and version = $2";
    if tx.exec(sql, args![order_id, version, next.name(), now]).await? == 0 {
        return Err(Error::Conflict);
    }
    event(tx, order_id, version + 1, actor, kind, now).await?;
    Ok(next)
}

/// Appends an event that leaves the state as it is.
pub async fn note_event(tx: &mut Tx<'_>, order_id: &str, actor: &str, kind: &EventKind, now: i64) -> Result<()> {
    let sql = "update orders set version = version + 1, changed_at = $2 where id = $1 returning version";
    let version = tx.one(sql, args![order_id, now]).await?.get("version")?;
    event(tx, order_id, version, actor, kind, now).await
}

/// The history has the order's version as its sequence, so that no event can be lost or doubled.
pub async fn event(
    tx: &mut Tx<'_>,
    order_id: &str,
    sequence: i64,
    actor: &str,
    kind: &EventKind,
    now: i64,
) -> Result<()> {
    let kind = serde_json::to_string(kind).map_err(|e| internal("order event", &e))?;
    let sql = "insert into order_event (order_id, sequence, kind, at, actor) values ($1, $2, $3, $4, $5)";
    tx.exec(sql, args![order_id, sequence, kind, now, actor]).await?;
    Ok(())
}
