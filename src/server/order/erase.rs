//! What is left of an order when its customer's account is erased: number, lines, amounts, dates, the code of the region
//! and how it was paid, which is what the books need. It belongs to nobody then, and to nobody together with another one.

use super::sealed::Sealed;
use crate::{
    args,
    domain::{
        Locale, Result,
        address::{Checkout, Contact, DeliveryWish},
        order::EventKind,
        payment::Method,
    },
    server::{context::internal, crypto::Keys, db::Tx},
};

/// The customer to whom all such orders belong. Nobody has its cookie: those are signed, and no shop signs this one.
const NOBODY: &str = "erased";

/// What was erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    pub orders: usize,
    /// The products of which a review lost its words, whose pages are to be told.
    pub products: Vec<String>,
}

/// Erases who received some orders of a customer, the oldest first.
///
/// # Errors
/// When the database cannot be written.
pub async fn erase_some(tx: &mut Tx<'_>, keys: &Keys, customer: &str, most: i64) -> Result<Erased> {
    let sql = "select id, region from orders where customer_id = $1 order by id limit $2";
    let rows = tx.all(sql, args![customer, most]).await?;
    if !rows.is_empty() {
        let sql = "insert into customer (id, created_at) values ($1, 0) on conflict (id) do nothing";
        tx.exec(sql, args![NOBODY]).await?;
    }
    let mut products = Vec::new();
    for row in &rows {
        products.extend(erase(tx, keys, &row.get::<String>("id")?, row.get("region")?).await?);
    }
    Ok(Erased { orders: rows.len(), products })
}

/// Forgets by what the provider knows the payments of an order of nobody, but for those of which money still goes back: it is
/// asked for by that, and these are forgotten once it has gone.
pub async fn forget_payments(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    let sql = "update payment set provider_reference = null, cashier_url = null where order_id = $1
        and exists (select 1 from orders o where o.id = payment.order_id and o.customer_id = $2)
        and not exists (select 1 from refund r where r.payment_id = payment.id and r.state = 'pending')";
    tx.exec(sql, args![id, NOBODY]).await?;
    Ok(())
}

/// Answers with the products of the reviews that lost their words.
async fn erase(tx: &mut Tx<'_>, keys: &Keys, id: &str, region: String) -> Result<Vec<String>> {
    let contact = Contact { recipient: String::new(), phone: None, email: None, region, detail: String::new() };
    // Sealed as any other, so that whoever reads orders needs to know nothing of this.
    let nothing =
        Checkout { contact, delivery_wish: DeliveryWish::AnyTime, note: String::new(), payment_method: Method::Alipay };
    let Sealed { contact, note, delivery_wish, .. } = Sealed::new(keys, id, &nothing)?;
    let sql =
        "update orders set customer_id = $2, submit_key = $1, locale = $3, delivery_wish = $4, contact_sealed = $5,
        note_sealed = $6, phone_hash = '', email_hash = null where id = $1";
    tx.exec(sql, args![id, NOBODY, Locale::default().tag(), delivery_wish, contact, note]).await?;
    // By these the carrier and the provider know the person.
    tx.exec("update shipment set tracking_number = '' where order_id = $1", args![id]).await?;
    forget_payments(tx, id).await?;
    tx.exec("delete from traveller where order_id = $1", args![id]).await?;
    // The stars stay, for the mean is not the person's alone: without a name and an order they tell nothing of anybody. The
    // words go, whatever they say, as nobody can know whom they give away, and with them the answer, which may repeat them.
    let sql =
        "update review set order_id = null, position = null, author = '', body = '', answer = null, answered_at = null,
        hidden_reason = '', version = version + 1 where order_id = $1 returning product_id";
    let reviewed = tx.all(sql, args![id]).await?;
    tx.exec("delete from order_sharing where order_id = $1", args![id]).await?;
    let sql = "select sequence, kind from order_event where order_id = $1";
    for row in tx.all(sql, args![id]).await? {
        let kind = serde_json::from_str(&row.get::<String>("kind")?).map_err(|e| internal("database", &e))?;
        if let EventKind::Shipped { carrier, .. } = kind {
            let kind = EventKind::Shipped { carrier, tracking_number: String::new() };
            let kind = serde_json::to_string(&kind).map_err(|e| internal("order event", &e))?;
            let sql = "update order_event set kind = $3 where order_id = $1 and sequence = $2";
            tx.exec(sql, args![id, row.get::<i64>("sequence")?, kind]).await?;
        }
    }
    reviewed.iter().map(|row| Ok(row.get("product_id")?)).collect()
}
