//! Races: many people want the same thing at the same moment.

use crate::shop::{Piece, Shop, books, both, customer, form, place, submission};
use std::sync::Arc;
use tokio::sync::Barrier;
use xiadan::{
    args,
    domain::{Error, order::State},
    server::{
        cart, context, order,
        payment::{
            self, Settled,
            provider::{Notification, Outcome},
        },
    },
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_pieces_for_a_thousand_buyers_are_a_hundred_orders() {
    const BUYERS: usize = 1_000;
    let shop = Shop::open(false).await;
    shop.sell(&[Piece("mug", 5_000, 100)]).await;
    let app = shop.app.clone();
    let mut buyers = Vec::new();
    for _ in 0..BUYERS {
        let ctx = customer(&app).await;
        cart::add(&ctx, "mug", 1).await.unwrap();
        order::save_checkout(&ctx, form("张三"), true).await.unwrap();
        let review = order::review(&ctx, None).await.unwrap();
        buyers.push((ctx, submission(&review)));
    }
    let start = Arc::new(Barrier::new(BUYERS));
    let tasks: Vec<_> = buyers
        .into_iter()
        .map(|(ctx, submission)| {
            let start = start.clone();
            tokio::spawn(async move {
                start.wait().await;
                order::submit(&ctx, submission).await
            })
        })
        .collect();
    let (mut orders, mut refused) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => orders += 1,
            Err(Error::Shortage(short)) => {
                assert_eq!((short[0].wanted, short[0].available), (1, 0));
                refused += 1;
            }
            Err(other) => panic!("an unclear answer: {other}"),
        }
    }
    assert_eq!((orders, refused), (100, 900));
    assert_eq!(books(&app, "mug").await, (100, 100, 0));
    let rows = app.db.one("select count(*) as n from orders", args![]).await.unwrap();
    assert_eq!(rows.get::<i64>("n").unwrap(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_expiry_payment_and_cancellation_exactly_one_wins() {
    const ROUNDS: i64 = 1_000;
    let shop = Shop::open(false).await;
    shop.sell(&[Piece("mug", 5_000, ROUNDS)]).await;
    rounds(&shop.app, ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_expiry_payment_and_cancellation_exactly_one_wins_on_both() {
    both(&[Piece("mug", 5_000, 60)], async |app| rounds(&app, 60).await).await;
}

/// Each round lets the clock, the provider and the customer meet at one order.
async fn rounds(app: &xiadan::server::App, rounds: i64) {
    let (mut sold, mut refunds) = (0, 0);
    for round in 0..rounds {
        let ctx = customer(app).await;
        let number = place(&ctx, "mug", 1).await.unwrap();
        let row = app.db.one("select id, total from orders where number = $1", args![&number]).await.unwrap();
        let (order_id, total): (String, i64) = (row.get("id").unwrap(), row.get("total").unwrap());
        let payment_id = context::new_id();
        let money = Notification {
            payment_id: payment_id.clone(),
            reference: "r".into(),
            outcome: Outcome::Succeeded,
            amount: total,
            currency: "CNY".into(),
        };
        app.db
            .write::<_, Error>(move |tx| {
                let (payment_id, order_id) = (payment_id.clone(), order_id.clone());
                Box::pin(async move {
                    tx.exec("update orders set expires_at = 1 where id = $1", args![&order_id]).await?;
                    let sql =
                        "insert into payment (id, order_id, method, provider, amount, currency, state, created_at)
                        values ($1, $2, 'alipay', 'sandbox', $3, 'CNY', 'pending', 0)";
                    Ok(tx.exec(sql, args![payment_id, order_id, total]).await?)
                })
            })
            .await
            .unwrap();
        // Whoever starts first changes from round to round, and so does how far the others are behind.
        let delay = move |place: i64| {
            std::time::Duration::from_micros(((round * 7 + place * 11) % 3 * (round % 5) * 150).unsigned_abs())
        };
        let expiry = tokio::spawn({
            let app = app.clone();
            async move {
                tokio::time::sleep(delay(0)).await;
                order::expire_due(&app).await
            }
        });
        let payment = tokio::spawn({
            let app = app.clone();
            async move {
                tokio::time::sleep(delay(1)).await;
                payment::settle(&app, &money).await
            }
        });
        let cancellation = tokio::spawn({
            let (ctx, number) = (ctx.clone(), number.clone());
            async move {
                tokio::time::sleep(delay(2)).await;
                order::cancel(&ctx, &number).await
            }
        });
        expiry.await.unwrap().unwrap();
        let settled = payment.await.unwrap().unwrap();
        match cancellation.await.unwrap() {
            Ok(()) | Err(Error::OrderClosed(_)) => {}
            Err(other) => panic!("an unclear answer: {other}"),
        }
        let order = order::get(&ctx, &number).await.unwrap();
        match order.state {
            State::ToShip => {
                assert_eq!((settled, order.refunds.len()), (Settled::Paid, 0));
                sold += 1;
            }
            State::Cancelled => {
                assert_eq!(order.refunds.len(), 1, "the money came and goes back: {settled:?}");
                refunds += 1;
            }
            other => panic!("nobody won: {other:?}"),
        }
        let sequences: Vec<_> = order.events.iter().map(|event| event.sequence).collect();
        assert_eq!(sequences, (1..=order.version).collect::<Vec<_>>(), "no event is lost or doubled");
    }
    eprintln!("{sold} sold, {refunds} given back");
    assert!(rounds < 1_000 || sold >= 20 && refunds >= 20, "it was a race: {sold} sold, {refunds} given back");
    assert_eq!(books(app, "mug").await, (rounds - sold, 0, sold));
}
