//! The lines of orders that are bookings: a snapshot of what was wanted, what it costs and by which rules it is given up,
//! and what becomes of it along with its order.

use super::{
    claim,
    quote::Quote,
    store::{self, zone_around},
};
use crate::{
    args,
    domain::{
        Result,
        booking::{
            cancellation::Cancellation,
            date::LocalDate,
            offer::{Kind, Offer},
            trips::ChangeRule,
            wish::Wish,
        },
        cart::CartBooking,
        money::Amount,
        order::{BookingState, OrderBooking},
    },
    server::{
        context::internal,
        db::{Row, Tx},
        order::store::known,
    },
};
use serde::{Deserialize, Serialize};

/// What is kept of a booking as it was when it was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub wish: Wish,
    /// What each night costs; empty where there are none.
    pub nights: Vec<Amount>,
    pub cancellation: Cancellation,
    /// How a trip is moved to another departure; `None` where it is not, and for anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeRule>,
    /// The name of whoever was chosen.
    pub person: Option<String>,
}

/// The columns of `order_booking b` that [`read`] reads, of a statement in which there may be no such row.
pub const COLUMNS: &str =
    "b.position as booking, b.kind, b.zone, b.start_at, b.end_at, b.local_date, b.free_until, b.state as booking_state";

/// A booking of an order's line; `None` for goods.
///
/// # Errors
/// When the row is not what it should be.
pub fn read(row: &Row) -> Result<Option<OrderBooking>> {
    let Some(position) = row.get::<Option<i64>>("booking")? else { return Ok(None) };
    let (zone, start): (String, i64) = (row.get("zone")?, row.get("start_at")?);
    Ok(Some(OrderBooking {
        position,
        kind: known(Kind::from_name, row, "kind")?,
        clocks: zone_around(&zone, start)?,
        zone,
        start,
        end: row.get("end_at")?,
        date: known(LocalDate::parse, row, "local_date")?,
        state: known(BookingState::from_name, row, "booking_state")?,
        free_until: row.get("free_until")?,
    }))
}

/// Writes the lines of an order's bookings, from a position on.
///
/// # Errors
/// When the database cannot be written.
pub async fn insert(
    tx: &mut Tx<'_>,
    order_id: &str,
    first: i64,
    bookings: &[CartBooking],
    quotes: &[Quote],
) -> Result<()> {
    for (position, (booking, quote)) in (first..).zip(bookings.iter().zip(quotes)) {
        let image = booking.image.as_ref().and_then(|image| serde_json::to_string(image).ok());
        let sql =
            "insert into order_line (order_id, position, variant_id, product_id, handle, title, label, sku, image,
                unit_price, compare_at, quantity, grams)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, null, 1, 0)";
        let args = args![
            order_id,
            position,
            &booking.variant_id,
            &booking.product_id,
            &booking.handle,
            &booking.title,
            &booking.label,
            &booking.sku,
            image,
            booking.price.0
        ];
        tx.exec(sql, args).await?;
        let snapshot = Snapshot {
            wish: quote.wish.clone(),
            nights: quote.nights.clone(),
            cancellation: quote.cancellation.clone(),
            change: quote.change,
            person: quote.person.clone(),
        };
        let detail = serde_json::to_string(&snapshot).map_err(|e| internal("booking", &e))?;
        let sql = "insert into order_booking (order_id, position, kind, zone, start_at, end_at, local_date, detail, free_until, state, version)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)";
        let args = args![
            order_id,
            position,
            quote.wish.kind().name(),
            quote.zone.name(),
            quote.start,
            quote.end,
            quote.date.to_string(),
            detail,
            booking.free_until,
            BookingState::Booked.name()
        ];
        tx.exec(sql, args).await?;
    }
    Ok(())
}

/// Claims what bookings of an order need, from a position on, in the same transaction as the order and after its goods.
/// Answers with the places in the list of those that somebody else has: then nothing is claimed.
///
/// # Errors
/// When the database cannot be written.
pub async fn hold(tx: &mut Tx<'_>, order_id: &str, first: i64, quotes: &[Quote]) -> Result<Vec<usize>> {
    let mut opens: Vec<_> = quotes.iter().filter_map(|quote| quote.opens.as_ref()).collect();
    opens.sort_unstable();
    opens.dedup();
    for unit in opens {
        claim::open_unit(tx, unit).await?;
    }
    let claims: Vec<_> = (first..)
        .zip(quotes)
        .flat_map(|(position, quote)| quote.claims.iter().flatten().map(move |claim| (position, claim.clone())))
        .collect();
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let taken = claim::hold(tx, order_id, &claims).await?;
    Ok(taken.into_iter().filter_map(|position| usize::try_from(position - first).ok()).collect())
}

/// Frees everything that the bookings of an order have, which is over, also that of guests who are there; answers with
/// whether there was anything. The caller has locked the order.
///
/// # Errors
/// When the database cannot be written.
pub async fn release(tx: &mut Tx<'_>, order_id: &str) -> Result<bool> {
    let sql = "update order_booking set state = 'cancelled', version = version + 1
        where order_id = $1 and state in ('booked', 'checked_in')";
    let any = tx.exec(sql, args![order_id]).await? > 0;
    if any {
        claim::release(tx, order_id).await?;
    }
    Ok(any)
}

/// What the bookings of an order hold is paid for.
///
/// # Errors
/// When the database cannot be written.
pub async fn take(tx: &mut Tx<'_>, order_id: &str) -> Result<()> {
    claim::take(tx, order_id).await
}

/// Holds what the bookings of an expired order had again: all of it, or nothing and false. What has begun meanwhile is not
/// held again. The caller has locked the order.
///
/// # Errors
/// When the database cannot be written.
pub async fn hold_again(tx: &mut Tx<'_>, order_id: &str, now: i64) -> Result<bool> {
    let sql = "select start_at from order_booking where order_id = $1 and state = 'cancelled'";
    let rows = tx.all(sql, args![order_id]).await?;
    for row in &rows {
        if row.get::<i64>("start_at")? <= now {
            return Ok(false);
        }
    }
    if rows.is_empty() {
        return Ok(true);
    }
    let held = claim::hold_again(tx, order_id).await?;
    if held {
        let sql = "update order_booking set state = 'booked', version = version + 1 where order_id = $1 and state = 'cancelled'";
        tx.exec(sql, args![order_id]).await?;
    }
    Ok(held)
}

/// What was kept of what was paid for the bookings of an order: of those that were given up, and for changing them.
///
/// # Errors
/// When the database cannot be read.
pub async fn kept(tx: &mut Tx<'_>, order_id: &str) -> Result<Amount> {
    let sql = "select cast(coalesce(sum(kept + fees), 0) as bigint) as kept from order_booking where order_id = $1";
    Ok(Amount(tx.one(sql, args![order_id]).await?.get("kept")?))
}

/// Whether all bookings of a paid order can be given up now for nothing, by the rules that were shown before paying.
///
/// # Errors
/// When the database cannot be read.
pub async fn are_free(tx: &mut Tx<'_>, order_id: &str, now: i64) -> Result<bool> {
    let sql = "select position from order_booking where order_id = $1 and state <> 'cancelled'
        and (free_until <= $2 or state <> 'booked') limit 1";
    Ok(tx.optional(sql, args![order_id, now]).await?.is_none())
}

/// Where those bookings of an order are done that are done at the customer's, by the codes of the divisions.
///
/// # Errors
/// When the database cannot be read.
pub async fn areas(tx: &mut Tx<'_>, order_id: &str) -> Result<Vec<String>> {
    let sql = "select e.region, f.detail from order_booking b
            join order_line l on l.order_id = b.order_id and l.position = b.position
            join venue e on e.product_id = l.product_id join offer f on f.variant_id = l.variant_id
        where b.order_id = $1 and b.kind = 'service' and b.state <> 'cancelled'";
    let mut areas = Vec::new();
    for row in tx.all(sql, args![order_id]).await? {
        let offer: Offer = store::json(&row, "detail")?;
        if matches!(offer, Offer::Visit(service) if service.at_home) {
            areas.push(row.get("region")?);
        }
    }
    Ok(areas)
}
