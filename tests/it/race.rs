//! Races: many people want the same thing at the same moment.

use crate::shop::{Piece, Shop, balance, books, both, customer, form, place, staff, submission};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Barrier;
use xiadan::{
    args,
    domain::{Error, order::State},
    server::{
        App, cart, context, order,
        payment::{
            self, Settled,
            provider::{Notification, Outcome},
        },
        stock,
    },
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_pieces_for_a_thousand_buyers_are_a_hundred_orders() {
    sale(false, 1_000, 100).await;
}

// Fewer, because whoever waits longer than ten seconds for a connection is told to come again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_pieces_for_three_hundred_buyers_are_a_hundred_orders_on_postgres() {
    sale(true, 300, 100).await;
}

/// Lets all buyers submit at one moment; each wants one of the pieces.
async fn sale(postgres: bool, buyers: usize, pieces: i64) {
    let shop = Shop::open(postgres).await;
    shop.sell(&[Piece("mug", 5_000, pieces)]).await;
    let app = &shop.app;
    let start = Arc::new(Barrier::new(buyers));
    let mut ready = Vec::new();
    for _ in 0..buyers {
        let ctx = customer(app).await;
        cart::add(&ctx, "mug", 1).await.unwrap();
        order::save_checkout(&ctx, form("张三"), true).await.unwrap();
        let review = order::review(&ctx, None).await.unwrap();
        ready.push((ctx, submission(&review)));
    }
    let tasks: Vec<_> = ready
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
    assert_eq!((orders, refused), (pieces, i64::try_from(buyers).unwrap() - pieces));
    assert_eq!(books(app, "mug").await, (pieces, pieces, 0));
    let rows = app.db.one("select count(*) as n from orders", args![]).await.unwrap();
    assert_eq!(rows.get::<i64>("n").unwrap(), pieces);
    balance(app).await;
    app.db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_expiry_payment_and_cancellation_exactly_one_wins() {
    // So many that all three meet in a thousand of them. On PostgreSQL, where each takes many times as long, fewer below.
    const ROUNDS: i64 = 1_336;
    let shop = Shop::open(false).await;
    shop.sell(&[Piece("mug", 5_000, ROUNDS)]).await;
    rounds(&shop.app, ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_expiry_payment_and_cancellation_exactly_one_wins_on_both() {
    both(&[Piece("mug", 5_000, 60)], async |app| rounds(&app, 60).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn prices_set_at_once_leave_the_product_with_its_lowest_and_highest() {
    both(&[Piece("large", 5_000, 1), Piece("small", 4_000, 1)], async |app| {
        for version in 1..=60 {
            let start = Arc::new(Barrier::new(2));
            let tasks = [("large", 50 + version), ("small", 40 - version % 30)].map(|(variant, price)| {
                let (app, start) = (app.clone(), start.clone());
                tokio::spawn(async move {
                    start.wait().await;
                    stock::set_price(&staff(&app), variant, version, &price.to_string(), "").await
                })
            });
            for task in tasks {
                task.await.unwrap().unwrap();
            }
            let row = app.db.one("select price_min, price_max from product", args![]).await.unwrap();
            let range: (i64, i64) = (row.get("price_min").unwrap(), row.get("price_max").unwrap());
            assert_eq!(range, ((40 - version % 30) * 100, (50 + version) * 100), "round {version}");
        }
    })
    .await;
}

/// Each round lets the clock, the provider and the customer meet at one order; in every fourth the customer stays away.
async fn rounds(app: &App, rounds: i64) {
    let (mut sold, mut first) = (0, BTreeMap::new());
    for round in 0..rounds {
        let cancels = round % 4 != 3;
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
                if cancels { order::cancel(&ctx, &number).await.map(Some) } else { Ok(None) }
            }
        });
        expiry.await.unwrap().unwrap();
        let settled = payment.await.unwrap().unwrap();
        let cancelled = cancellation.await.unwrap().unwrap();
        let order = order::get(&ctx, &number).await.unwrap();
        match (cancelled, order.state) {
            (None, State::ToShip) => {
                assert_eq!((settled, order.refunds.len()), (Settled::Paid, 0));
                sold += 1;
            }
            (Some(()), State::Cancelled) => {
                assert_eq!(order.refunds.len(), 1, "the money came and goes back: {settled:?}");
            }
            other => panic!("what the customer was told is not what became of the order: {other:?}, {settled:?}"),
        }
        *first.entry(format!("{:?}", order.events[1].kind)).or_insert(0) += 1;
        let sequences: Vec<_> = order.events.iter().map(|event| event.sequence).collect();
        assert_eq!(sequences, (1..=order.version).collect::<Vec<_>>(), "no event is lost or doubled");
    }
    eprintln!("{sold} sold; who came first: {first:?}");
    let each = first.len() == 3 && first.values().all(|times| *times >= 20);
    assert!(rounds < 1_000 || each, "it was a race: {first:?}");
    assert_eq!(sold, rounds / 4);
    assert_eq!(books(app, "mug").await, (rounds - sold, 0, sold));
    balance(app).await;
}
