//! The checker of the books finds what is wrong, and nothing where all is well.

use crate::{
    member::exec,
    shop::{Piece, balance, both, customer, place, staff},
};
use xiadan::server::{App, books, order, stock};

/// The rules that are broken.
async fn broken(app: &App) -> Vec<&'static str> {
    let mut rules: Vec<_> = books::check(&app.db).await.unwrap().problems.iter().map(|problem| problem.rule).collect();
    rules.dedup();
    rules
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_is_found_and_each_correct_book_is_left_in_peace() {
    both(&[Piece("mug", 5_000, 10), Piece("bowl", 4_000, 5)], async |app| {
        let ctx = customer(&app).await;
        let first = place(&ctx, "mug", 2).await.unwrap();
        place(&ctx, "mug", 1).await.unwrap();
        order::cancel(&ctx, &first).await.unwrap();
        stock::adjust(&staff(&app), "mug", 0, 10, 12).await.unwrap();
        balance(&app).await;
        let report = books::check(&app.db).await.unwrap();
        assert_eq!((report.stocks, report.orders, report.claims), (2, 2, 0));
        // What breaks it, what mends it, and a word of each rule that tells of it, in the order of the rules.
        let table: [(&'static str, &'static str, &[&str]); 9] = [
            (
                "update stock set held = held + 1 where variant_id = 'mug'",
                "update stock set held = held - 1 where variant_id = 'mug'",
                &["what is held of a variant is"],
            ),
            (
                "update stock set on_hand = on_hand - 1 where variant_id = 'bowl'",
                "update stock set on_hand = on_hand + 1 where variant_id = 'bowl'",
                &["on hand is what was imported"],
            ),
            (
                "update order_line set quantity = quantity + 1 where quantity = 1",
                "update order_line set quantity = quantity - 1 where quantity = 2 and order_id in (select order_id from hold where state = 'active')",
                &["an order has as many pieces"],
            ),
            (
                "update orders set state = 'to_ship' where state = 'to_pay'",
                "update orders set state = 'to_pay' where state = 'to_ship'",
                &["unpaid orders hold, paid ones have", "a paid order has the payments", "the events of an order lead"],
            ),
            (
                "update orders set version = version + 1 where state = 'to_pay'",
                "update orders set version = version - 1 where state = 'to_pay'",
                &["events of an order are numbered"],
            ),
            (
                "insert into payment (id, order_id, method, provider, amount, currency, state, created_at)
                    select 'p', id, 'alipay', 'sandbox', total, 'CNY', 'succeeded', 0 from orders where state = 'cancelled'",
                "delete from payment",
                &["of a cancelled order all goes back"],
            ),
            (
                "insert into payment (id, order_id, method, provider, amount, currency, state, created_at)
                    select 'p', id, 'alipay', 'sandbox', total, 'CNY', 'succeeded', 0 from orders where state = 'to_pay'",
                "delete from payment",
                &["an unpaid order has no payment"],
            ),
            (
                "insert into capacity (resource_id, unit, total, claimed) values ('twin', 1, 2, 1)",
                "delete from capacity",
                &["of a capacity as much is counted"],
            ),
            (
                "insert into calendar_cell (resource_id, cell_start, claim_id) values ('li', 300000, 'nobody')",
                "delete from calendar_cell",
                &["a cell is one of its claim"],
            ),
        ];
        for (breaks, mends, rules) in table {
            exec(&app, breaks).await;
            let found = broken(&app).await;
            let told = found.len() == rules.len() && found.iter().zip(rules).all(|(found, rule)| found.starts_with(rule));
            assert!(told, "{breaks}: {found:?}");
            exec(&app, mends).await;
            balance(&app).await;
        }
    })
    .await;
}
