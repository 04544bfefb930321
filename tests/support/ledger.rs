//! What customers were told, and whether the books of the shop say the same.

use std::collections::{BTreeMap, BTreeSet};
use xiadan::{
    args,
    server::{
        books::{self, Report},
        db::Db,
    },
};

/// Pieces by variant.
pub type Pieces = BTreeMap<String, i64>;

/// What customers were told, by number of their order.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub confirmed: BTreeSet<String>,
    pub paid: BTreeSet<String>,
    /// Paid when it was too late, or not wanted any more: the money goes back.
    pub returned: BTreeSet<String>,
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

/// What a statement counts, as `n`.
pub async fn count(db: &Db, sql: &'static str) -> i64 {
    db.one(sql, args![]).await.unwrap().get("n").unwrap()
}

/// Whether everything has arrived that a provider says of what was paid, and all has gone back that has to.
pub async fn is_settled(db: &Db, told: &Told) -> bool {
    let refunds = count(db, "select count(*) as n from refund where state = 'succeeded'").await;
    told.paid.is_subset(&orders(db, "to_ship").await)
        && usize::try_from(refunds).is_ok_and(|n| n >= told.returned.len())
}

/// Goes through the books as the program itself does for its operator: stock, orders and their events, money, bookings and
/// what is counted of each capacity.
pub async fn check(db: &Db) -> Report {
    let report = books::check(db).await.unwrap();
    assert!(report.balances(), "{:#?}", report.problems);
    report
}

/// Checks the books of a shop in which nothing was shipped, and nothing cancelled but what customers were told: each order
/// that was confirmed is there once, each that was paid has one payment, what was paid in vain has gone back, no cart became
/// two orders, stock is what it was `before` less what was sold, what unpaid orders promise is what is held, each booking
/// has its claims, and each change of an order has its event.
pub async fn balances(db: &Db, before: &Pieces, told: &Told) {
    let rows = db.all("select number from orders", args![]).await.unwrap();
    let stored: BTreeSet<String> = rows.iter().map(|row| row.get("number").unwrap()).collect();
    assert_eq!(stored.len(), rows.len(), "no number is there twice");
    let lost: Vec<_> = told.confirmed.difference(&stored).collect();
    assert!(lost.is_empty(), "every confirmed order is there: {lost:?}");
    let unpaid: Vec<_> = told.paid.difference(&orders(db, "to_ship").await).cloned().collect();
    assert!(unpaid.is_empty(), "every confirmed payment counts: {unpaid:?}");
    assert_eq!(orders(db, "cancelled").await, told.returned, "nothing else was cancelled");
    gone_back(db, told).await;
    for (rule, sql) in NONE {
        assert_eq!(count(db, sql).await, 0, "{rule}");
    }
    let sold = "select l.variant_id, cast(sum(l.quantity) as bigint) as n from order_line l
        join orders o on o.id = l.order_id
        where o.state = $1 and not exists (
            select 1 from order_booking b where b.order_id = l.order_id and b.position = l.position)
        group by l.variant_id";
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
    let report = check(db).await;
    assert_eq!(usize::try_from(report.orders).unwrap(), stored.len(), "the history of every order was gone through");
    assert!(report.claims > 0, "some of what was ordered is counted by capacity or by time");
    assert_eq!(report.uncounted, 0, "everything that is claimed of a capacity is counted there");
}

/// Checks that of each order that was paid in vain the payment has gone back, once and wholly, and of no other one.
async fn gone_back(db: &Db, told: &Told) {
    let sql = "select o.number, r.state, r.amount, p.amount as paid from refund r
        join payment p on p.id = r.payment_id join orders o on o.id = r.order_id order by o.number";
    let rows = db.all(sql, args![]).await.unwrap();
    let numbers: Vec<String> = rows.iter().map(|row| row.get("number").unwrap()).collect();
    assert!(numbers.iter().eq(&told.returned), "what was paid in vain goes back, once: {numbers:?}");
    for row in &rows {
        assert_eq!(row.get::<String>("state").unwrap(), "succeeded");
        assert_eq!(row.get::<i64>("amount").unwrap(), row.get::<i64>("paid").unwrap());
    }
}

/// Rules, with what counts the breaches of each.
const NONE: [(&str, &str); 6] = [
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
    (
        "what was paid is counted as sold, once",
        "select count(*) as n from product p left join (
                select l.product_id, cast(sum(l.quantity) as bigint) as pieces from order_line l
                join orders o on o.id = l.order_id where o.state = 'to_ship' group by l.product_id
            ) s on s.product_id = p.id
            where p.sales <> coalesce(s.pieces, 0)",
    ),
    (
        "each booking of an order that goes on is held, or taken once it is paid",
        "select count(*) as n from order_booking b join orders o on o.id = b.order_id
            where o.state in ('to_pay', 'to_ship') and (b.state <> 'booked' or not exists (
                select 1 from claim k where k.order_id = b.order_id and k.position = b.position
                    and k.state = case when o.state = 'to_pay' then 'active' else 'taken' end))",
    ),
    (
        "no booking of a cancelled order goes on",
        "select count(*) as n from order_booking b join orders o on o.id = b.order_id
            where o.state = 'cancelled' and b.state <> 'cancelled'",
    ),
];

async fn sums(db: &Db, sql: &'static str, state: &str) -> Pieces {
    let rows = db.all(sql, args![state]).await.unwrap();
    rows.iter().map(|row| (row.get("variant_id").unwrap(), row.get("n").unwrap())).collect()
}
