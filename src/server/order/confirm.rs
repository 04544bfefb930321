//! The confirmation of an order that is paid, and of bookings that their customer moved: what was bought, for each booking
//! when and where it is, and its calendar file where it goes by mail.
//!
//! It is made once, in the transaction that confirms it, and is no more than the order's id then: whom it goes to and
//! what it says is read when it leaves. So it tells what is true by then, nothing personal waits in the outbox, and a contact
//! that does not open keeps no payment from being taken.

use super::store::{self, OrderRow};
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        account::{Posted, Target},
        booking::words,
        choice::{Channel, Topic},
        order::{BookingState, OrderLine, State},
        texts::{booking_visit as v, order as t},
    },
    server::{
        App,
        account::{choices, targets},
        booking::{self, CalendarEntry},
        context::{internal, new_id, now, unreadable},
        db::Tx,
        message::{self, Attached, Letter},
    },
};
use serde::{Deserialize, Serialize};

/// The kind of a confirmation in the outbox.
pub const KIND: &str = "confirmation";
/// How long it is worth sending, in milliseconds: a week.
const WORTH_MS: i64 = 7 * 24 * 60 * 60_000;

/// What is confirmed of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// That it is paid.
    #[default]
    Paid,
    /// That a booking of it is at another time.
    Moved,
}

/// A confirmation as the outbox keeps it.
#[derive(Serialize, Deserialize)]
struct Due {
    /// The id of the order.
    order: String,
    #[serde(default)]
    what: What,
    /// UTC milliseconds after which it is of no use and is not sent any more.
    until: i64,
}

/// Puts the confirmation of what becomes true in this transaction into the outbox, where the shop has a way to tell anything.
/// Nobody waits for it at a page, so the outbox need not be woken.
///
/// # Errors
/// When the database cannot be written.
pub async fn enqueue(tx: &mut Tx<'_>, app: &App, order_id: &str, what: What, now: i64) -> Result<()> {
    if !app.post.tells_any_news() && !app.config.development {
        return Ok(());
    }
    let due = Due { order: order_id.to_owned(), what, until: now.saturating_add(WORTH_MS) };
    let payload = serde_json::to_string(&due).map_err(|e| internal("outbox", &e))?;
    let sql = "insert into outbox (id, kind, payload, attempts, next_at) values ($1, $2, $3, 0, $4)";
    tx.exec(sql, args![new_id(), KIND, payload, now]).await?;
    Ok(())
}

/// Sends a confirmation of the outbox, unless nobody is to be told of the order any more.
///
/// # Errors
/// When the order or its contact cannot be read, or nobody takes the message; the outbox tries again.
pub async fn deliver(app: &App, payload: &str) -> Result<()> {
    let Due { order, what, until } = read(payload)?;
    if until <= now() {
        return Ok(());
    }
    let Some((to, letter)) = written(app, &order, what).await? else { return Ok(()) };
    // An order is paid once, and its bookings may be moved again.
    let once = match what {
        What::Paid => &order,
        What::Moved => payload,
    };
    let sent = message::hand_over(app, &app.keys.lookup(KIND, once), &to, &letter).await;
    sent.map_err(|error| internal("message", &error))
}

/// A confirmation of the outbox, as the page shows it to whoever tries the shop; none where nobody is told.
///
/// # Errors
/// When the order or its contact cannot be read.
pub async fn posted(app: &App, id: String, payload: &str) -> Result<Option<Posted>> {
    let Due { order, what, until } = read(payload)?;
    let written = written(app, &order, what).await?;
    Ok(written.map(|(to, letter)| letter.posted(id, &to, Some(until))))
}

fn read(payload: &str) -> Result<Due> {
    serde_json::from_str(payload).map_err(|e| unreadable("confirmation", &e))
}

/// To whom it goes and what it says now; `None` where there is nobody to tell, or nothing.
async fn written(app: &App, order_id: &str, what: What) -> Result<Option<(Target, Letter)>> {
    let (shop, id, now) = (app.clone(), order_id.to_owned(), now());
    app.db
        .read::<_, Error>(move |tx| {
            let (app, id) = (shop.clone(), id.clone());
            Box::pin(async move {
                let order = store::by_id(tx, &id).await?;
                // What was given up meanwhile is not confirmed.
                if order.state == State::Cancelled {
                    return Ok(None);
                }
                let Some(to) = whom(tx, &app, &order).await? else { return Ok(None) };
                let lines = store::lines(tx, &id).await?;
                let mut bookings = booking::calendar_entries(tx, &id).await?;
                bookings.retain(|entry| entry.state != BookingState::Cancelled);
                if what == What::Moved && bookings.is_empty() {
                    return Ok(None);
                }
                let (text, files) = match to {
                    Target::Email(_) => (
                        text(&app, &order, what, &lines, &bookings),
                        bookings.iter().map(|entry| attached(&app, &order, entry, now)).collect(),
                    ),
                    Target::Phone(_) => (short(&app, &order, what), Vec::new()),
                };
                let subject = match what {
                    What::Paid => t::PAID_SUBJECT,
                    What::Moved => t::MOVED_SUBJECT,
                };
                let subject = order.locale.f(subject, &[("number", &order.number)]);
                let letter = Letter { subject, text, files };
                Ok(Some((to, letter)))
            })
        })
        .await
}

/// The one way over which whoever placed an order is told: a mail where there is an address and mails are wanted, as it
/// takes files along, else a text message. As their account is reached, or a guest as the order says.
async fn whom(tx: &mut Tx<'_>, app: &App, order: &OrderRow) -> Result<Option<Target>> {
    let mut reached = targets::all(tx, &app.keys, &order.customer_id).await?;
    if reached.is_empty() {
        let contact = order.contact_by(&app.keys)?;
        let (email, phone) = (contact.email.map(Target::Email), contact.phone.map(Target::Phone));
        reached = [email, phone].into_iter().flatten().collect();
    }
    reached.sort_by_key(|to| matches!(to, Target::Phone(_)));
    for to in reached {
        let channel = match &to {
            Target::Email(_) => Channel::Email,
            Target::Phone(_) => Channel::Phone,
        };
        // What has no way out is read on the page of the outbox, in development alone.
        let lost = !app.post.tells_news(&to) && !app.config.development;
        if !lost && choices::wants(tx, &order.customer_id, Topic::Order, channel).await? {
            return Ok(Some(to));
        }
    }
    Ok(None)
}

fn attached(app: &App, order: &OrderRow, entry: &CalendarEntry, now: i64) -> Attached {
    let (name, text) = entry.mailed(app, &order.number, now);
    Attached { name, text }
}

/// A text message is paid by its length.
fn short(app: &App, order: &OrderRow, what: What) -> String {
    let text = match what {
        What::Paid => t::PAID_SHORT,
        What::Moved => t::MOVED_SHORT,
    };
    order.locale.f(text, &[("number", &order.number), ("page", &page(app, order))])
}

fn page(app: &App, order: &OrderRow) -> String {
    format!("{}/orders/{}", app.config.public_url, order.number)
}

fn text(app: &App, order: &OrderRow, what: What, lines: &[OrderLine], bookings: &[CalendarEntry]) -> String {
    let l = order.locale;
    // Goods have no time that could be another one by now.
    let goods = lines.iter().filter(|line| what == What::Paid && line.booking.is_none()).map(goods);
    let bought: Vec<_> = goods.chain(bookings.iter().map(|entry| booked(l, entry))).collect();
    let bought = bought.join("\n\n");
    let total = order.totals.total.display(order.currency);
    let page = page(app, order);
    let text = match what {
        What::Moved => t::MOVED_TEXT,
        What::Paid if bookings.is_empty() => t::PAID_TEXT,
        What::Paid => t::PAID_TEXT_BOOKED,
    };
    l.f(text, &[("number", &order.number), ("bought", &bought), ("total", &total), ("page", &page)])
}

fn goods(line: &OrderLine) -> String {
    format!("{} × {}", joined(&[&line.title, &line.label], " · "), line.quantity)
}

/// What it is, for whom, when by the clocks of its place, and where.
fn booked(l: Locale, entry: &CalendarEntry) -> String {
    let CalendarEntry { title, label, place, start, end, clocks, .. } = entry;
    let zone = l.f(v::CLOCKS, &[("zone", &words::utc(clocks, *start))]);
    let when = format!("{} · {zone}", words::span(l, clocks, *start, *end));
    joined(&[title, label, &when, place], "\n")
}

/// The parts that are not empty.
fn joined(parts: &[&str], between: &str) -> String {
    parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Amount;

    fn line(label: &str) -> OrderLine {
        OrderLine {
            position: 0,
            variant_id: "mug".to_owned(),
            handle: "mug".to_owned(),
            title: "Mug".to_owned(),
            label: label.to_owned(),
            sku: String::new(),
            image: None,
            unit_price: Amount(5_000),
            compare_at: None,
            quantity: 2,
            grams: 300,
            booking: None,
            review: None,
        }
    }

    #[test]
    fn goods_are_told_with_how_many_there_are() {
        assert_eq!(goods(&line("")), "Mug × 2");
        assert_eq!(goods(&line("Blue · Large")), "Mug · Blue · Large × 2");
    }

    #[test]
    fn what_waits_is_read_again() {
        let due = Due { order: "o".to_owned(), what: What::Moved, until: 7 };
        let payload = serde_json::to_string(&due).unwrap_or_default();
        assert!(read(&payload).is_ok_and(|due| (due.order.as_str(), due.what, due.until) == ("o", What::Moved, 7)));
        let before = read(r#"{"order":"o","until":7}"#);
        assert!(before.is_ok_and(|due| due.what == What::Paid), "what waits since it could be nothing else");
        assert!(read("").is_err());
    }
}
