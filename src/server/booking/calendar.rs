//! A booking of an order as a file for calendars, and the order's number as a code for the door.

use super::zone;
use crate::{
    args,
    domain::{
        Error, Result,
        booking::{DAY_MS, ics::CalendarEvent, offer::Offer},
        order::BookingState,
        second_factor::Picture,
    },
    server::{
        Ctx,
        account::second_factor::totp,
        context::internal,
        order::{own, store::known},
    },
};

/// How far around a booking its calendar file knows the clocks.
const AROUND_MS: i64 = 370 * DAY_MS;

/// The calendar file of a booking, for whoever may see the order: its name, and its text.
///
/// # Errors
/// [`Error::NotFound`] for the order of someone else and for a line that is no booking.
pub async fn calendar_file(ctx: &Ctx, number: &str, position: i64) -> Result<(String, String)> {
    let order = own(ctx, number).await?;
    let sql = "select b.zone, b.start_at, b.end_at, b.state, b.version, l.title, l.label,
            coalesce(e.address, '') as address, coalesce(f.detail, '') as offer
        from order_booking b join order_line l on l.order_id = b.order_id and l.position = b.position
            left join venue e on e.product_id = l.product_id left join offer f on f.variant_id = l.variant_id
        where b.order_id = $1 and b.position = $2";
    let row = ctx.app.db.one(sql, args![&order.id, position]).await?;
    let (start, end): (i64, i64) = (row.get("start_at")?, row.get("end_at")?);
    let name: String = row.get("zone")?;
    let clocks = zone(&name, start.saturating_sub(AROUND_MS), end.saturating_add(AROUND_MS));
    let clocks = clocks.ok_or_else(|| internal("booking", &format!("there is no zone {name}")))?;
    // What is done at home is done where the customer lives, and that is in no calendar of ours.
    let offer: Option<Offer> = serde_json::from_str(&row.get::<String>("offer")?).ok();
    let at_home = matches!(offer, Some(Offer::Visit(service)) if service.at_home);
    let (title, label, address): (String, String, String) = (row.get("title")?, row.get("label")?, row.get("address")?);
    let shop = &ctx.app.config.public_url;
    let host = shop.split_once("://").map_or(shop.as_str(), |(_, host)| host);
    let file = CalendarEvent {
        uid: &format!("{}-{position}@{host}", order.number),
        stamp: ctx.now,
        sequence: row.get::<i64>("version")? - 1,
        start,
        end,
        zone: &clocks,
        summary: &title,
        place: if at_home { "" } else { &address },
        note: &label,
        url: &format!("{shop}/orders/{}", order.number),
        cancelled: known(BookingState::from_name, &row, "state")? == BookingState::Cancelled,
    }
    .file();
    Ok((format!("{}-{position}.ics", order.number), file))
}

/// The number of an order as a QR code.
///
/// # Errors
/// When the picture cannot be made.
pub fn code(number: &str) -> Result<Picture> {
    totp::picture(number)
}

/// The position in a name such as `2.ics`.
///
/// # Errors
/// [`Error::NotFound`] for any other name.
pub fn position_of(name: &str) -> Result<i64> {
    let position = name.strip_suffix(".ics").filter(|text| text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit()));
    position.and_then(|text| text.parse().ok()).ok_or(Error::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_the_position_of_its_line() {
        assert_eq!(position_of("0.ics"), Ok(0));
        assert_eq!(position_of("12.ics"), Ok(12));
        for name in ["", ".ics", "1", "1.ICS", "-1.ics", "99999.ics", "a.ics", "1.ics.exe"] {
            assert_eq!(position_of(name), Err(Error::NotFound), "{name}");
        }
    }
}
