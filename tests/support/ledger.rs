//! What customers were told, and whether the books of the shop say the same.

use std::collections::{BTreeMap, BTreeSet};
use xiadan::{args, server::db::Db};

/// Pieces by variant.
pub type Pieces = BTreeMap<String, i64>;

/// What customers were told, by number of their order.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub confirmed: BTreeSet<String>,
    pub paid: BTreeSet<String>,
}

/// The pieces on hand.
pub async fn on_hand(db: &Db) -> Pieces {
    let rows = db.all("select variant_id, on_hand from stock", args![]).await.unwrap();
    rows.iter().map(|row| (row.get("variant_id").unwrap(), row.get("on_hand").unwrap())).collect()
}

/// The numbers of the orders in a state.
pub async fn orders(db: &Db, state: &str) -> BTreeSet<String> {
    let rows = db.all("select number from orders where state = $1", args![state]).await.unwrap();
    rows.iter().map(|row| row.get("number").unwrap()).collect()
}

/// Checks the books of a shop in which nothing was shipped or cancelled: each order that was confirmed is there once, each
/// that was paid has one payment, no cart became two orders, stock is what it was `before` less what was sold, what unpaid
/// orders promise is what is held, and each change of an order has its event.
pub async fn balances(db: &Db, before: &Pieces, told: &Told) {
    let rows = db.all("select number from orders", args![]).await.unwrap();
    let stored: BTreeSet<String> = rows.iter().map(|row| row.get("number").unwrap()).collect();
    assert_eq!(stored.len(), rows.len(), "no number is there twice");
    let lost: Vec<_> = told.confirmed.difference(&stored).collect();
    assert!(lost.is_empty(), "every confirmed order is there: {lost:?}");
    let unpaid: Vec<_> = told.paid.difference(&orders(db, "to_ship").await).cloned().collect();
    assert!(unpaid.is_empty(), "every confirmed payment counts: {unpaid:?}");
    for (rule, sql) in NONE {
        let n: i64 = db.one(sql, args![]).await.unwrap().get("n").unwrap();
        assert_eq!(n, 0, "{rule}");
    }
    let sold = "select l.variant_id, cast(sum(l.quantity) as bigint) as n from order_line l
        join orders o on o.id = l.order_id where o.state = $1 group by l.variant_id";
    let held = "select variant_id, cast(sum(quantity) as bigint) as n from hold where state = $1 group by variant_id";
    let (sold, waiting, held) =
        (sums(db, sold, "to_ship").await, sums(db, sold, "to_pay").await, sums(db, held, "active").await);
    assert_eq!(waiting, held, "what unpaid orders promise is what is held");
    for row in db.all("select variant_id, on_hand, held from stock", args![]).await.unwrap() {
        let variant: String = row.get("variant_id").unwrap();
        let of = |sums: &Pieces| sums.get(&variant).copied().unwrap_or(0);
        assert_eq!(row.get::<i64>("held").unwrap(), of(&held), "{variant}");
        assert_eq!(row.get::<i64>("on_hand").unwrap(), of(before) - of(&sold), "{variant}");
    }
}

/// Rules, with what counts the breaches of each.
const NONE: [(&str, &str); 4] = [
    (
        "no cart became two orders",
        "select count(*) as n from (
            select customer_id, submit_key from orders group by customer_id, submit_key having count(*) > 1) x",
    ),
    (
        "each paid order has one payment",
        "select count(*) as n from orders o where o.state = 'to_ship'
            and (select count(*) from payment p where p.order_id = o.id and p.state = 'succeeded') <> 1",
    ),
    (
        "each change has its event",
        "select count(*) as n from orders o
            where o.version <> (select count(*) from order_event e where e.order_id = o.id)",
    ),
    ("nothing is refunded that was paid once", "select count(*) as n from refund"),
];

async fn sums(db: &Db, sql: &'static str, state: &str) -> Pieces {
    let rows = db.all(sql, args![state]).await.unwrap();
    rows.iter().map(|row| (row.get("variant_id").unwrap(), row.get("n").unwrap())).collect()
}
