//! What the office does with orders.

use super::{PER_PAGE, announce, change, search_words, store};
use crate::{
    args,
    domain::{
        Error, Result, address,
        error::Check,
        number,
        office::{OfficeOrder, OpenOrder},
        order::{Action, CancelReason, EventKind, OrderCounts, State},
        page::{Page, offset},
        permission::Permission,
        privacy::Receiver,
    },
    server::{
        Ctx,
        audit::{self, Entry},
        catalog::like,
        sharing,
    },
};

/// How long a recipient who was asked for is shown, in milliseconds: a quarter of an hour.
const SHOWN_MS: i64 = 15 * 60_000;

/// The orders of a state with masked recipients: those to be shipped oldest first, others newest first.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff.
pub async fn list(ctx: &Ctx, state: Option<State>, q: Option<&str>, page: i64) -> Result<Page<OfficeOrder>> {
    ctx.require(Permission::SeeOrders)?;
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
            recipient: contact
                .as_ref()
                .map_or_else(|| "?".to_owned(), |contact| address::mask_name(&contact.recipient)),
            reached_by: contact.map(|contact| contact.masked()).unwrap_or_default(),
            region_name: ctx.app.divisions.name(&row.region, ctx.locale),
        })
    });
    Ok(Page { items: items.collect::<Result<_>>()?, total, page, per_page: PER_PAGE })
}

/// How many orders there are in each state.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff.
pub async fn counts(ctx: &Ctx) -> Result<OrderCounts> {
    ctx.require(Permission::SeeOrders)?;
    store::counts(&ctx.app.db.all("select state, count(*) as orders from orders group by state", args![]).await?)
}

/// An order. Recipient, address and note are masked, unless `shown` is what [`reveal`] gave to this person a while ago.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff, [`Error::Forbidden`] without the permission.
pub async fn get(ctx: &Ctx, number: &str, shown: Option<&str>) -> Result<OpenOrder> {
    let role = ctx.require(Permission::SeeOrders)?.role;
    let row = by_number(ctx, number).await?;
    let mut order = store::order(ctx, &row).await?;
    let shown = shown.is_some_and(|shown| is_shown(ctx, &row.number, shown));
    if !shown {
        order.contact = order.contact.cover();
        if !order.note.is_empty() {
            order.note = "***".to_owned();
        }
    }
    Ok(OpenOrder { order, shown, role })
}

/// Lets the person who asks see for a while who receives an order, and where; puts that on record. Answers with what
/// [`get`] takes.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff, [`Error::Forbidden`] without the permission.
pub async fn reveal(ctx: &Ctx, number: &str) -> Result<String> {
    let staff = ctx.require(Permission::SeeRecipients)?.clone();
    let row = by_number(ctx, number).await?;
    let (app, now) = (ctx.app.clone(), ctx.now);
    let entry = Entry {
        actor: staff.actor(),
        action: audit::Action::RecipientSeen,
        subject: format!("order:{}", row.number),
        detail: String::new(),
    };
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (app, entry) = (app.clone(), entry.clone());
            Box::pin(async move { audit::record(tx, &app.keys, &entry, now).await })
        })
        .await?;
    let until = ctx.now + SHOWN_MS;
    Ok(format!("{until}.{}", ctx.app.keys.sign("recipient", &shown_to(&staff.login, &row.number, until))))
}

/// Whether a text of [`reveal`] was given to this person for this order, and still holds.
fn is_shown(ctx: &Ctx, number: &str, shown: &str) -> bool {
    let Some(staff) = ctx.staff.as_ref().filter(|_| ctx.may(Permission::SeeRecipients)) else { return false };
    let read = || {
        let (until, signature) = shown.split_once('.')?;
        let until: i64 = until.parse().ok()?;
        Some(until > ctx.now && ctx.app.keys.verify("recipient", &shown_to(&staff.login, number, until), signature))
    };
    read().unwrap_or(false)
}

fn shown_to(login: &str, number: &str, until: i64) -> String {
    format!("{number}:{until}:{login}")
}

/// The goods have left. Shipping twice is once.
///
/// # Errors
/// [`Error::Invalid`] for an empty carrier or tracking number, [`Error::OrderClosed`] unless the order is paid.
pub async fn ship(ctx: &Ctx, number: &str, carrier: &str, tracking_number: &str) -> Result<()> {
    let actor = ctx.require(Permission::Ship)?.actor();
    let row = by_number(ctx, number).await?;
    let mut check = Check::default();
    let carrier = check.take("carrier", address::text(carrier, 1, 60));
    let tracking_number = check.take("tracking_number", address::text(tracking_number, 4, 60));
    check.finish()?;
    let (Some(carrier), Some(tracking_number)) = (carrier, tracking_number) else { return Err(Error::Conflict) };
    let (id, actor, now, shop) = (row.id.clone(), actor, ctx.now, ctx.app.clone());
    let changed = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (id, actor, carrier, tracking_number, shop) =
                (id.clone(), actor.clone(), carrier.clone(), tracking_number.clone(), shop.clone());
            Box::pin(async move {
                let row = store::lock(tx, &id).await?;
                let sql =
                    "insert into shipment (order_id, carrier, tracking_number, shipped_at) values ($1, $2, $3, $4)
                    on conflict (order_id) do nothing";
                if tx.exec(sql, args![&id, &carrier, &tracking_number, now]).await? == 1 {
                    // A recipient that does not open is in the log, and the parcel has gone all the same.
                    let contact = row.contact_by(&shop.keys);
                    let data = contact.map_or_else(|_| Receiver::Carrier.data().to_vec(), |c| sharing::on_a_parcel(&c));
                    sharing::record(tx, &id, (Receiver::Carrier, &*carrier), &data, now).await?;
                    let event = EventKind::Shipped { carrier, tracking_number };
                    store::transition(tx, &id, Action::Ship, &actor, &event, now).await?;
                } else {
                    let sql =
                        "select 1 as same from shipment where order_id = $1 and carrier = $2 and tracking_number = $3";
                    let same = tx.optional(sql, args![&id, &carrier, &tracking_number]).await?;
                    same.ok_or(Error::OrderClosed(row.state))?;
                }
                Ok(store::Changed::new(row.number, Vec::new()))
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
    let actor = ctx.require(Permission::Ship)?.actor();
    change::complete_as(ctx, &by_number(ctx, number).await?.id, &actor).await
}

/// Cancels an order that is not yet shipped; what was paid is refunded.
///
/// # Errors
/// [`Error::OrderClosed`] when it is too late.
pub async fn cancel(ctx: &Ctx, number: &str) -> Result<()> {
    let actor = ctx.require(Permission::Cancel)?.actor();
    change::cancel_as(&ctx.app, &by_number(ctx, number).await?.id, CancelReason::Office, &actor, ctx.now)
        .await
        .map(drop)
}

async fn by_number(ctx: &Ctx, number: &str) -> Result<store::OrderRow> {
    store::by_number(&ctx.app.db, &number::parse(number).ok_or(Error::NotFound)?).await
}
