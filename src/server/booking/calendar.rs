//! A booking of an order as a file for calendars, and the order's number as a code for the door.

use super::zone;
use crate::{
    args,
    domain::{
        Error, Result,
        booking::{DAY_MS, ics::CalendarEvent, offer::Offer, zone::Zone},
        order::BookingState,
        second_factor::Picture,
    },
    server::{
        App, Ctx,
        account::second_factor::totp,
        context::internal,
        db::{Row, Tx},
        order::{own, store::known},
    },
};

/// How far around a booking its calendar file knows the clocks.
const AROUND_MS: i64 = 370 * DAY_MS;

/// A booking of an order, as a calendar and whoever comes are told of it.
pub struct Entry {
    /// Of its line.
    pub position: i64,
    pub title: String,
    /// In words for whom it is and when.
    pub label: String,
    /// Empty where it is not known, and for what is done at the customer's: that is in no message of ours.
    pub place: String,
    /// From when to when, in UTC milliseconds.
    pub start: i64,
    pub end: i64,
    /// By whose clocks it begins.
    pub clocks: Zone,
    pub state: BookingState,
    /// How often it was changed.
    sequence: i64,
}

/// The bookings of the order `$1`.
const SELECT: &str = "select b.position, b.zone, b.start_at, b.end_at, b.state, b.version, l.title, l.label,
        coalesce(e.address, '') as address, coalesce(f.detail, '') as offer
    from order_booking b join order_line l on l.order_id = b.order_id and l.position = b.position
        left join venue e on e.product_id = l.product_id left join offer f on f.variant_id = l.variant_id
    where b.order_id = $1";

impl Entry {
    fn read(row: &Row) -> Result<Self> {
        let (start, end): (i64, i64) = (row.get("start_at")?, row.get("end_at")?);
        let name: String = row.get("zone")?;
        let clocks = zone(&name, start.saturating_sub(AROUND_MS), end.saturating_add(AROUND_MS));
        let clocks = clocks.ok_or_else(|| internal("booking", &format!("there is no zone {name}")))?;
        let offer: Option<Offer> = serde_json::from_str(&row.get::<String>("offer")?).ok();
        let at_home = matches!(offer, Some(Offer::Visit(service)) if service.at_home);
        Ok(Self {
            position: row.get("position")?,
            title: row.get("title")?,
            label: row.get("label")?,
            place: if at_home { String::new() } else { row.get("address")? },
            start,
            end,
            clocks,
            state: known(BookingState::from_name, row, "state")?,
            sequence: row.get::<i64>("version")? - 1,
        })
    }

    /// Its calendar file, as the page of its order gives it, at a moment (UTC milliseconds): its name, and its text.
    fn file(&self, app: &App, number: &str, now: i64) -> (String, String) {
        self.written(app, number, now, false)
    }

    /// The same as it goes along with a mail.
    pub fn mailed(&self, app: &App, number: &str, now: i64) -> (String, String) {
        self.written(app, number, now, true)
    }

    fn written(&self, app: &App, number: &str, now: i64, mailed: bool) -> (String, String) {
        let shop = &app.config.public_url;
        let host = shop.split_once("://").map_or(shop.as_str(), |(_, host)| host);
        let position = self.position;
        let (uid, url) = (format!("{number}-{position}@{host}"), format!("{shop}/orders/{number}"));
        let event = CalendarEvent {
            uid: &uid,
            stamp: now,
            sequence: self.sequence,
            start: self.start,
            end: self.end,
            zone: &self.clocks,
            summary: &self.title,
            place: &self.place,
            note: &self.label,
            url: &url,
            cancelled: self.state == BookingState::Cancelled,
        };
        let text = if mailed { event.published() } else { event.file() };
        (format!("{number}-{position}.ics"), text)
    }
}

/// All bookings of an order, in the order of their lines.
///
/// # Errors
/// When they cannot be read.
pub async fn entries(tx: &mut Tx<'_>, order_id: &str) -> Result<Vec<Entry>> {
    let rows = tx.all(format!("{SELECT} order by b.position"), args![order_id]).await?;
    rows.iter().map(Entry::read).collect()
}

/// The calendar file of a booking, for whoever may see the order: its name, and its text.
///
/// # Errors
/// [`Error::NotFound`] for the order of someone else and for a line that is no booking.
pub async fn calendar_file(ctx: &Ctx, number: &str, position: i64) -> Result<(String, String)> {
    let order = own(ctx, number).await?;
    let row = ctx.app.db.one(format!("{SELECT} and b.position = $2"), args![&order.id, position]).await?;
    Ok(Entry::read(&row)?.file(&ctx.app, &order.number, ctx.now))
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
