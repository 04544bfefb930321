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
    time::{Duration, Instant},
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
/// How often each buyer comes at least.
const TURNS: usize = 28;
/// More than can be wanted within [`PATIENCE`].
const PIECES: i64 = 1_000;
/// More orders than this are paid, and more expire, while others are still made: buyers come until then, each after a
/// while, but not for ever.
const PAID: usize = 20;
const EXPIRED: usize = 5;
const A_WHILE: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of the orders so far.
#[derive(Default)]
struct Tally {
    paid: AtomicUsize,
    expired: AtomicUsize,
}

impl Tally {
    fn read(&self) -> (usize, usize) {
        (self.paid.load(Ordering::Relaxed), self.expired.load(Ordering::Relaxed))
    }

    fn is_enough(&self) -> bool {
        let (paid, expired) = self.read();
        paid > PAID && expired > EXPIRED
    }
}

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
        let (over, tally, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(Tally::default()), Instant::now());
        let expiring = [&app, &other].map(|node| {
            let (node, over, tally) = (node.clone(), over.clone(), tally.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let expired = order::expire_due(&node).await.unwrap();
                    tally.expired.fetch_add(expired, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
        });
        let buyers: Vec<_> = (0..BUYERS)
            .map(|buyer| {
                let (nodes, tally) = ([app.clone(), other.clone()], tally.clone());
                tokio::spawn(async move {
                    for turn in 0..TURNS {
                        visit(&nodes, buyer * TURNS + turn, &tally.paid).await;
                    }
                    for turn in TURNS.. {
                        if tally.is_enough() || begun.elapsed() > PATIENCE {
                            break;
                        }
                        tokio::time::sleep(A_WHILE).await;
                        visit(&nodes, buyer * TURNS + turn, &tally.paid).await;
                    }
                })
            })
            .collect();
        for buyer in buyers {
            buyer.await.unwrap();
        }
        over.store(true, Ordering::Relaxed);
        for task in expiring {
            task.await.unwrap();
        }
        let (paid, expired) = tally.read();
        eprintln!("{paid} paid, {expired} expired");
        assert!(tally.is_enough(), "{paid} paid, {expired} expired");
        let paid = i64::try_from(paid).unwrap();
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
