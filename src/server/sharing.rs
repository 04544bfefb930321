//! The record of what of an order was handed to others: written in the transaction that does it, or begins it.

use super::{
    Ctx,
    context::internal,
    db::{Row, Tx},
};
use crate::{
    args,
    domain::{
        Error, Result,
        address::Contact,
        page::{Page, offset},
        privacy::{Datum, Receiver, Sharing},
    },
};

const PER_PAGE: i64 = 20;

/// What of a recipient the carrier reads on the parcel.
pub fn on_a_parcel(contact: &Contact) -> Vec<Datum> {
    let phone = contact.phone.as_ref().map(|_| Datum::Phone);
    // Carriers want one way to reach somebody, and take a phone number where there is one.
    let reached = phone.or_else(|| contact.email.as_ref().map(|_| Datum::Email));
    [Some(Datum::Recipient), reached, Some(Datum::Address)].into_iter().flatten().collect()
}

/// Writes that data of an order was handed to somebody.
///
/// # Errors
/// When the database cannot be written.
pub async fn record(
    tx: &mut Tx<'_>,
    order_id: &str,
    (receiver, name): (Receiver, &str),
    data: &[Datum],
    now: i64,
) -> Result<()> {
    let data: Vec<_> = data.iter().map(|datum| datum.name()).collect();
    let sql = "insert into order_sharing (order_id, sequence, receiver, name, data, at)
        select $1, coalesce(max(sequence), 0) + 1, $2, $3, $4, $5 from order_sharing where order_id = $1";
    tx.exec(sql, args![order_id, receiver.name(), name, data.join(" "), now]).await?;
    Ok(())
}

/// What was handed to whom of the orders of whoever asks, newest first. Somebody without orders has an empty list.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(ctx: &Ctx, page: i64) -> Result<Page<Sharing>> {
    let (page, skip) = offset(page, PER_PAGE);
    let Some(customer) = ctx.customer.clone() else {
        return Ok(Page { items: Vec::new(), total: 0, page, per_page: PER_PAGE });
    };
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let customer = customer.clone();
            Box::pin(async move {
                let sql = "select count(*) as total from order_sharing s join orders o on o.id = s.order_id
                    where o.customer_id = $1";
                let total = tx.one(sql, args![&customer]).await?.get("total")?;
                let sql = "select o.number, s.receiver, s.name, s.data, s.at
                    from order_sharing s join orders o on o.id = s.order_id
                    where o.customer_id = $1 order by s.at desc, s.order_id desc, s.sequence desc limit $2 offset $3";
                let rows = tx.all(sql, args![&customer, PER_PAGE, skip]).await?;
                let items = rows.iter().map(read).collect::<Result<_>>()?;
                Ok(Page { items, total, page, per_page: PER_PAGE })
            })
        })
        .await
}

fn read(row: &Row) -> Result<Sharing> {
    let receiver = Receiver::from_name(&row.get::<String>("receiver")?);
    Ok(Sharing {
        number: row.get("number")?,
        receiver: receiver.ok_or_else(|| internal("database", &"data was shared with an unknown receiver"))?,
        name: row.get("name")?,
        data: row.get::<String>("data")?.split(' ').filter_map(Datum::from_name).collect(),
        at: row.get("at")?,
    })
}
