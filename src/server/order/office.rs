//! What the office does with orders.

use super::{PER_PAGE, announce, change, search_words, store};
use crate::{
    args,
    domain::{
        Error, Result,
        address::{self, mask_phone},
        error::Check,
        number,
        office::OfficeOrder,
        order::{Action, CancelReason, EventKind, Order, OrderCounts, State},
        page::{Page, offset},
    },
    server::{Ctx, catalog::like},
};

/// The orders of a state with masked recipients: those to be shipped oldest first, others newest first.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff.
pub async fn list(ctx: &Ctx, state: Option<State>, q: Option<&str>, page: i64) -> Result<Page<OfficeOrder>> {
    ctx.staff()?;
    let (page, skip) = offset(page, PER_PAGE);
    let (name, pattern) = (state.map(State::name), like(&search_words(q)));
    let direction = if state == Some(State::ToShip) { "asc" } else { "desc" };
    let (rows, orders, total) = ctx
        .app
        .db
        .read::<_, Error>(move |tx| {
            let pattern = pattern.clone();
            Box::pin(async move {
                const WHERE: &str = "($1 is null or o.state = $1) and o.words like $2 escape '\\'";
                let total = tx
                    .one(format!("select count(*) as total from orders o where {WHERE}"), args![name, &pattern])
                    .await?;
                let sql = format!(
                    "{} where {WHERE} order by o.placed_at {direction}, o.id {direction} limit $3 offset $4",
                    store::SELECT
                );
                let rows = tx.all(sql, args![name, &pattern, PER_PAGE, skip]).await?;
                let orders = store::summaries(tx, &rows).await?;
                Ok((rows, orders, total.get("total")?))
            })
        })
        .await?;
    let items = rows.iter().zip(orders).map(|(row, order)| {
        let row = store::OrderRow::read(row)?;
        // One that cannot be opened must not hide the others; the log has it.
        let contact = row.contact(ctx).ok();
        Ok(OfficeOrder {
            order,
            recipient: contact.as_ref().map_or_else(|| "?".to_owned(), |contact| mask_name(&contact.recipient)),
            phone: contact.map(|contact| mask_phone(&contact.phone)).unwrap_or_default(),
            region_name: ctx.app.divisions.name(&row.region, ctx.locale),
        })
    });
    Ok(Page { items: items.collect::<Result<_>>()?, total, page, per_page: PER_PAGE })
}

/// A name of which only the first character is shown.
fn mask_name(name: &str) -> String {
    name.chars().enumerate().map(|(i, c)| if i == 0 || c.is_whitespace() { c } else { '*' }).collect()
}

/// How many orders there are in each state.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff.
pub async fn counts(ctx: &Ctx) -> Result<OrderCounts> {
    ctx.staff()?;
    store::counts(&ctx.app.db.all("select state, count(*) as orders from orders group by state", args![]).await?)
}

/// An order with the address it goes to.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff.
pub async fn get(ctx: &Ctx, number: &str) -> Result<Order> {
    let row = staff_order(ctx, number).await?;
    store::order(ctx, &row).await
}

/// The goods have left. Shipping twice is once.
///
/// # Errors
/// [`Error::Invalid`] for an empty carrier or tracking number, [`Error::OrderClosed`] unless the order is paid.
pub async fn ship(ctx: &Ctx, number: &str, carrier: &str, tracking_number: &str) -> Result<()> {
    let row = staff_order(ctx, number).await?;
    let mut check = Check::default();
    let carrier = check.take("carrier", address::text(carrier, 1, 60));
    let tracking_number = check.take("tracking_number", address::text(tracking_number, 4, 60));
    check.finish()?;
    let (Some(carrier), Some(tracking_number)) = (carrier, tracking_number) else { return Err(Error::Conflict) };
    let (id, actor, now) = (row.id.clone(), actor(ctx)?, ctx.now);
    let changed = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (id, actor, carrier, tracking_number) =
                (id.clone(), actor.clone(), carrier.clone(), tracking_number.clone());
            Box::pin(async move {
                let row = store::lock(tx, &id).await?;
                let sql =
                    "insert into shipment (order_id, carrier, tracking_number, shipped_at) values ($1, $2, $3, $4)
                    on conflict (order_id) do nothing";
                if tx.exec(sql, args![&id, &carrier, &tracking_number, now]).await? == 1 {
                    let event = EventKind::Shipped { carrier, tracking_number };
                    store::transition(tx, &id, Action::Ship, &actor, &event, now).await?;
                } else {
                    let sql =
                        "select 1 as same from shipment where order_id = $1 and carrier = $2 and tracking_number = $3";
                    let same = tx.optional(sql, args![&id, &carrier, &tracking_number]).await?;
                    same.ok_or(Error::OrderClosed(row.state))?;
                }
                Ok(store::Changed { number: row.number, products: Vec::new() })
            })
        })
        .await?;
    tracing::info!(order = %changed.number, "order shipped");
    announce(&ctx.app, &changed);
    Ok(())
}

/// The goods have arrived.
///
/// # Errors
/// [`Error::OrderClosed`] unless the order is shipped.
pub async fn complete(ctx: &Ctx, number: &str) -> Result<()> {
    let row = staff_order(ctx, number).await?;
    change::complete_as(ctx, &row.id, &actor(ctx)?).await
}

/// Cancels an order that is not yet shipped; what was paid is refunded.
///
/// # Errors
/// [`Error::OrderClosed`] when it is too late.
pub async fn cancel(ctx: &Ctx, number: &str) -> Result<()> {
    let row = staff_order(ctx, number).await?;
    change::cancel_as(&ctx.app, &row.id, CancelReason::Office, &actor(ctx)?, ctx.now).await
}

async fn staff_order(ctx: &Ctx, number: &str) -> Result<store::OrderRow> {
    ctx.staff()?;
    store::by_number(&ctx.app.db, &number::parse(number).ok_or(Error::NotFound)?).await
}

/// How the history names a member of staff.
fn actor(ctx: &Ctx) -> Result<String> {
    Ok(format!("staff:{}", ctx.staff()?.login))
}
