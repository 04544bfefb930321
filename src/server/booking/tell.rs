//! Messages about bookings, to whoever has one or waits for one: as the person wants them, over the ways they chose.

use crate::{
    domain::{
        Locale, Result,
        account::Target,
        choice::{Channel, Topic},
    },
    server::{
        App,
        account::{choices, targets},
        db::Tx,
        message::{self, Message, What},
        order::store::OrderRow,
    },
};

/// Who is told.
pub struct Reader<'a> {
    pub customer: &'a str,
    /// How a guest is reached, who has no account that says so.
    pub otherwise: Vec<Target>,
    /// What it is about, which the person may not want to be told of.
    pub topic: Topic,
    pub locale: Locale,
    /// UTC milliseconds after which it is of no use.
    pub until: i64,
}

/// Tells whoever placed an order something about a booking of it, which is of no use after a moment (UTC milliseconds): as
/// their account wants it, or a guest as the order says.
///
/// # Errors
/// As [`tell`].
pub async fn tell_buyer(
    tx: &mut Tx<'_>,
    app: &App,
    order: &OrderRow,
    (locale, until): (Locale, i64),
    what: &What,
    now: i64,
) -> Result<()> {
    let contact = order.contact_by(&app.keys)?;
    let (phone, email) = (contact.phone.map(Target::Phone), contact.email.map(Target::Email));
    let otherwise = [phone, email].into_iter().flatten().collect();
    let reader = Reader { customer: &order.customer_id, otherwise, topic: Topic::Order, locale, until };
    tell(tx, app, reader, what, now).await
}

/// Puts a message into the outbox for each way over which the person wants to be told. Whoever calls wakes the outbox after
/// the transaction.
///
/// # Errors
/// When the database cannot be written, or how the person is reached does not open.
pub async fn tell(tx: &mut Tx<'_>, app: &App, reader: Reader<'_>, what: &What, now: i64) -> Result<()> {
    let Reader { customer, otherwise, topic, locale, until } = reader;
    let mut reached = targets::all(tx, &app.keys, customer).await?;
    if reached.is_empty() {
        reached = otherwise;
    }
    for to in reached {
        let channel = match &to {
            Target::Phone(_) => Channel::Phone,
            Target::Email(_) => Channel::Email,
        };
        // Nobody would ever send a text message that has no way out; in development it is read on the page of the outbox.
        let lost = channel == Channel::Phone && !app.post.tells_news(&to) && !app.config.development;
        if lost || !choices::wants(tx, customer, topic, channel).await? {
            continue;
        }
        let message = Message { to, locale, what: what.clone(), until: Some(until) };
        message::enqueue(tx, &message::sealed(app, &message)?, now).await?;
    }
    Ok(())
}
