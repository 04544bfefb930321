//! Reminders of bookings: once each, a day before it begins, or shortly before where it was made later than that.

use super::tell;
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        booking::after::{REMIND_LATE_MS, REMIND_MS, remind_at},
    },
    server::{App, db::Tx, message::What, order::store as orders},
};

/// How many are told at once.
const BATCH: i64 = 200;

/// Reminds everybody whose time has come; answers with how many bookings that were.
///
/// # Errors
/// When the database cannot be reached.
pub async fn run_due(app: &App, now: i64) -> Result<usize> {
    let sql = format!(
        "select b.order_id, b.position, b.start_at, o.placed_at from order_booking b join orders o on o.id = b.order_id
        where b.state = 'booked' and b.start_at > $1 and b.start_at <= $2 and b.reminded_at is null
            and o.state in ('to_ship', 'shipped') and (o.placed_at <= b.start_at - $3 or b.start_at <= $4)
        order by b.start_at limit {BATCH}"
    );
    let args = args![now, now.saturating_add(REMIND_MS), REMIND_MS, now.saturating_add(REMIND_LATE_MS)];
    let mut reminded = 0;
    for row in app.db.all(sql, args).await? {
        let (start, made): (i64, i64) = (row.get("start_at")?, row.get("placed_at")?);
        if remind_at(start, made).is_none_or(|at| now < at) {
            continue;
        }
        let (shop, order_id, position): (App, String, i64) = (app.clone(), row.get("order_id")?, row.get("position")?);
        let told = app.db.write::<_, Error>(move |tx| {
            let (app, order_id) = (shop.clone(), order_id.clone());
            Box::pin(async move { remind(tx, &app, &order_id, (position, start), now).await })
        });
        match told.await {
            Ok(told) => reminded += usize::from(told),
            // One that cannot be told must not keep the others from it.
            Err(error) => tracing::error!(%error, position, "nobody could be reminded of a booking"),
        }
    }
    if reminded > 0 {
        app.wake.notify_waiters();
    }
    Ok(reminded)
}

/// Marks as told whoever is to be told by now, and tells nobody; answers with how many bookings that were.
///
/// # Errors
/// When the database cannot be written.
pub async fn set_aside(tx: &mut Tx<'_>, now: i64) -> Result<u64> {
    let sql = "select b.order_id, b.position, b.start_at, o.placed_at
        from order_booking b join orders o on o.id = b.order_id
        where b.state = 'booked' and b.start_at > $1 and b.start_at <= $2 and b.reminded_at is null
            and o.state in ('to_ship', 'shipped')";
    let mut marked = 0;
    for row in tx.all(sql, args![now, now.saturating_add(REMIND_MS)]).await? {
        let (start, made): (i64, i64) = (row.get("start_at")?, row.get("placed_at")?);
        if remind_at(start, made).is_none_or(|at| now < at) {
            continue;
        }
        let (order_id, position): (String, i64) = (row.get("order_id")?, row.get("position")?);
        let sql = "update order_booking set reminded_at = $3 where order_id = $1 and position = $2";
        marked += tx.exec(sql, args![order_id, position, now]).await?;
    }
    Ok(marked)
}

/// Marks it and tells of it, both or neither; false for one that was told of, given up or moved meanwhile.
async fn remind(tx: &mut Tx<'_>, app: &App, order_id: &str, (position, start): (i64, i64), now: i64) -> Result<bool> {
    let sql = "update order_booking set reminded_at = $4
        where order_id = $1 and position = $2 and start_at = $3 and state = 'booked' and reminded_at is null";
    if tx.exec(sql, args![order_id, position, start, now]).await? == 0 {
        return Ok(false);
    }
    let order = orders::by_id(tx, order_id).await?;
    let sql = "select l.title, l.label, o.locale from order_line l join orders o on o.id = l.order_id
        where l.order_id = $1 and l.position = $2";
    let row = tx.one(sql, args![order_id, position]).await?;
    let locale = Locale::from_tag(&row.get::<String>("locale")?).unwrap_or_default();
    let page = format!("{}/orders/{}", app.config.public_url, order.number);
    let what = What::BookingSoon { title: row.get("title")?, label: row.get("label")?, page };
    tell::tell_buyer(tx, app, &order, (locale, start), &what, now).await?;
    Ok(true)
}
