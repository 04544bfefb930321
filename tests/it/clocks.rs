//! Clocks that jump: each request says another time, hours ahead or days behind, while orders expire by the clock of the
//! machine. Nobody is told nonsense, and the books balance.

use crate::{
    member,
    shop::{Piece, balance, books, both, customer, form, submission},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use xiadan::{
    args,
    domain::{Error, order::State},
    server::{
        App, Ctx, cart,
        context::{new_id, now},
        db::Kind,
        order,
        payment::{
            self,
            provider::{Notification, Outcome},
        },
        start,
    },
};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// How far the clock of a request is ahead, in milliseconds. More than an order is held for, and less.
const JUMPS: [i64; 7] = [0, 10 * MINUTE, -10 * MINUTE, 3 * 60 * MINUTE, -3 * 60 * MINUTE, 40 * DAY, -40 * DAY];
const BUYERS: usize = 6;
const TURNS: usize = 28;
const PIECES: i64 = 1_000;

/// The same browser by the clock of a step.
fn at(ctx: &Ctx, step: usize) -> Ctx {
    Ctx { now: now() + JUMPS[step % JUMPS.len()], ..ctx.clone() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_books_balance_whatever_the_clocks_say() {
    both(&[Piece("mug", 5_000, PIECES)], async |app| {
        // On SQLite there is one node.
        let other = match app.db.kind() {
            Kind::Sqlite => app.clone(),
            Kind::Postgres => start::open(app.config.clone()).await.unwrap(),
        };
        let over = Arc::new(AtomicBool::new(false));
        let expiring = [&app, &other].map(|node| {
            let (node, over) = (node.clone(), over.clone());
            tokio::spawn(async move {
                let mut expired = 0;
                while !over.load(Ordering::Relaxed) {
                    expired += order::expire_due(&node).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                expired
            })
        });
        let paid = Arc::new(AtomicUsize::new(0));
        let buyers: Vec<_> = (0..BUYERS)
            .map(|buyer| {
                let (nodes, paid) = ([app.clone(), other.clone()], paid.clone());
                tokio::spawn(async move {
                    for turn in 0..TURNS {
                        visit(&nodes, buyer * TURNS + turn, &paid).await;
                    }
                })
            })
            .collect();
        for buyer in buyers {
            buyer.await.unwrap();
        }
        over.store(true, Ordering::Relaxed);
        let mut expired = 0;
        for task in expiring {
            expired += task.await.unwrap();
        }
        let paid = i64::try_from(paid.load(Ordering::Relaxed)).unwrap();
        eprintln!("{paid} paid, {expired} expired");
        assert!(paid > 20 && expired > 5, "{paid} paid, {expired} expired");
        balance(&app).await;
        let waiting = member::number(&app, "select count(*) as n from orders where state = 'to_pay'").await;
        assert_eq!(books(&app, "mug").await, (PIECES - paid, waiting, paid));
        if other.db.kind() == Kind::Postgres {
            other.db.close().await;
        }
    })
    .await;
}

/// One order, each step of it by another clock and on the other node.
async fn visit(nodes: &[App; 2], number: usize, paid: &AtomicUsize) {
    let first = customer(&nodes[number % 2]).await;
    let second = Ctx { app: nodes[(number + 1) % 2].clone(), ..first.clone() };
    let filling = at(&first, number);
    cart::add(&filling, "mug", 1).await.unwrap();
    order::save_checkout(&filling, form("张三"), true).await.unwrap();
    let review = order::review(&at(&second, number / 2), None).await.unwrap();
    let placed = order::submit(&at(&first, number / 3), submission(&review)).await.unwrap();
    let again = order::submit(&at(&second, number / 5), submission(&review)).await;
    assert_eq!(again, Ok(placed.clone()), "the same answer at any time");
    match number % 4 {
        // Late or not: it counts, or is given back.
        0 | 1 => {
            settle(&nodes[number % 2], &placed).await;
            let order = order::get(&at(&second, number / 7), &placed).await.unwrap();
            match order.state {
                State::ToShip => _ = paid.fetch_add(1, Ordering::Relaxed),
                State::Cancelled => assert_eq!(order.refunds.len(), 1, "{placed}"),
                other => panic!("{placed} was paid and is {other:?}"),
            }
        }
        2 => match order::cancel(&at(&second, number / 7), &placed).await {
            Ok(()) | Err(Error::OrderClosed(_)) => {}
            Err(other) => panic!("an unclear answer: {other}"),
        },
        _ => {}
    }
}

/// What the provider tells of a payment of an order.
async fn settle(app: &App, number: &str) {
    let row = app.db.one("select id, total from orders where number = $1", args![number]).await.unwrap();
    let (order_id, amount): (String, i64) = (row.get("id").unwrap(), row.get("total").unwrap());
    let payment_id = new_id();
    let money = Notification {
        payment_id: payment_id.clone(),
        reference: payment_id.clone(),
        outcome: Outcome::Succeeded,
        amount,
        currency: "CNY".into(),
    };
    app.db
        .write::<_, Error>(move |tx| {
            let (payment_id, order_id) = (payment_id.clone(), order_id.clone());
            Box::pin(async move {
                let sql = "insert into payment (id, order_id, method, provider, amount, currency, state, created_at)
                    values ($1, $2, 'alipay', 'sandbox', $3, 'CNY', 'pending', 0)";
                Ok(tx.exec(sql, args![payment_id, order_id, amount]).await?)
            })
        })
        .await
        .unwrap();
    payment::settle(app, &money).await.unwrap();
}
