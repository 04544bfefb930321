//! Effects that leave later: a provider that is down, a provider that refuses for good, and the same effect twice.

use crate::{
    shop::{Piece, customer, place},
    till::{press, with_till},
};
use axum::{Router, http::StatusCode, routing::post};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use xiadan::{
    args,
    domain::{Error, order::EventKind},
    server::{
        App, Ctx, context, order, outbox,
        payment::{self, Effect},
    },
};

const MUG: Piece = Piece("mug", 5_000, 10);
const DAY_MS: i64 = 24 * 60 * 60_000;

/// The one effect in the outbox: attempts, the time of the next one, and whether it was carried out.
async fn effect(app: &App) -> (i64, i64, bool) {
    let rows = app.db.all("select attempts, next_at, done_at from outbox", args![]).await.unwrap();
    assert_eq!(rows.len(), 1);
    let done = rows[0].get::<Option<i64>>("done_at").unwrap().is_some();
    (rows[0].get("attempts").unwrap(), rows[0].get("next_at").unwrap(), done)
}

/// An order that is paid and then cancelled, so that its money must go back.
async fn to_refund(app: &App) -> (Ctx, String) {
    let ctx = customer(app).await;
    let number = place(&ctx, "mug", 1).await.unwrap();
    let cashier = payment::start(&ctx, &number, None).await.unwrap();
    press(&cashier, "success").await;
    order::cancel(&ctx, &number).await.unwrap();
    (ctx, number)
}

async fn refunded(ctx: &Ctx, number: &str) -> usize {
    let order = order::get(ctx, number).await.unwrap();
    order.events.iter().filter(|event| matches!(event.kind, EventKind::Refunded { .. })).count()
}

/// Runs a statement with one number.
async fn set(app: &App, sql: &'static str, value: i64) {
    app.db.write::<_, Error>(move |tx| Box::pin(async move { Ok(tx.exec(sql, args![value]).await?) })).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_waits_longer_and_longer_for_a_provider_that_is_down() {
    with_till(&[MUG], async |till| {
        let provider = till.start().await;
        let (ctx, number) = to_refund(&till.app).await;
        provider.stop().await;
        let mut pauses = Vec::new();
        for attempt in 1..=4 {
            set(&till.app, "update outbox set next_at = $1", 1).await;
            let begin = context::now();
            assert_eq!(outbox::run_due(&till.app).await, Ok(0));
            let (attempts, next_at, done) = effect(&till.app).await;
            assert_eq!((attempts, done), (attempt, false), "the row stays");
            pauses.push(next_at - begin);
        }
        assert!(pauses.windows(2).all(|pair| pair[1] > pair[0] + 500), "{pauses:?}");
        assert_eq!(outbox::run_due(&till.app).await, Ok(0));
        assert_eq!(effect(&till.app).await.0, 4, "not before its time");

        let provider = till.start().await;
        set(&till.app, "update outbox set next_at = $1", 1).await;
        assert_eq!(outbox::run_due(&till.app).await, Ok(1));
        assert!(effect(&till.app).await.2);
        assert_eq!(outbox::run_due(&till.app).await, Ok(0), "once is enough");
        assert_eq!(refunded(&ctx, &number).await, 1);
        provider.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_that_is_delivered_twice_happens_once() {
    with_till(&[MUG], async |till| {
        let provider = till.start().await;
        let (ctx, number) = to_refund(&till.app).await;
        let row = till.app.db.one("select id from refund", args![]).await.unwrap();
        let effect = || Effect::Refund { refund_id: row.get("id").unwrap() };
        let at_once = (0..4).map(|_| payment::deliver(&till.app, effect()));
        assert!(futures::future::join_all(at_once).await.iter().all(Result::is_ok));
        assert_eq!(payment::deliver(&till.app, effect()).await, Ok(()));
        // As a node that died between the provider's answer and its own note would leave it.
        assert_eq!(outbox::run_due(&till.app).await, Ok(1));
        assert_eq!(refunded(&ctx, &number).await, 1);
        let of_provider = till.refunds().await;
        assert_eq!(of_provider, 1, "the provider gave the money back once");
        provider.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_at_the_same_moment_do_not_share_an_effect() {
    with_till(&[MUG], async |till| {
        let provider = till.start().await;
        to_refund(&till.app).await;
        provider.stop().await;
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let refuse = post(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            async { StatusCode::UNPROCESSABLE_ENTITY }
        });
        let provider = till.pretend(Router::new().route("/refunds", refuse)).await;
        let workers = futures::future::join_all((0..4).map(|_| outbox::run_due(&till.app))).await;
        assert!(workers.iter().all(|done| *done == Ok(0)));
        assert_eq!((calls.load(Ordering::Relaxed), effect(&till.app).await.0), (1, 1));
        provider.abort();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_that_is_refused_for_good_is_overdue_and_stays() {
    with_till(&[MUG], async |till| {
        let provider = till.start().await;
        to_refund(&till.app).await;
        provider.stop().await;
        let refuse = post(|| async { StatusCode::UNPROCESSABLE_ENTITY });
        let provider = till.pretend(Router::new().route("/refunds", refuse)).await;
        let overdue = async || outbox::overdue(&till.app, context::now()).await.unwrap();
        assert_eq!(overdue().await, 0, "it has only just become due");
        for attempt in 1..=12 {
            set(&till.app, "update outbox set next_at = $1", context::now()).await;
            assert_eq!(outbox::run_due(&till.app).await, Ok(0));
            assert_eq!(overdue().await, i64::from(attempt >= 10), "after {attempt}");
        }
        let (attempts, next_at, done) = effect(&till.app).await;
        assert_eq!((attempts, done), (12, false));
        assert!(next_at <= context::now() + 10 * 60_000, "it goes on trying");

        set(&till.app, "update outbox set attempts = 0, next_at = $1", context::now() - 5 * 60_000).await;
        assert_eq!(overdue().await, 1, "nobody takes it");
        provider.abort();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_carried_out_is_kept_for_a_week() {
    with_till(&[], async |till| {
        let now = context::now();
        till.app
            .db
            .write::<_, Error>(move |tx| {
                Box::pin(async move {
                    let sql = "insert into outbox (id, kind, payload, attempts, next_at, done_at) values ($1, 'payment', '', 1, $2, $3)";
                    for i in 0..1200 {
                        tx.exec(sql, args![format!("old-{i}"), 0, now - 8 * DAY_MS]).await?;
                    }
                    tx.exec(sql, args!["new", 0, now - 6 * DAY_MS]).await?;
                    Ok(tx.exec(sql, args!["waiting", now + DAY_MS, None::<i64>]).await?)
                })
            })
            .await
            .unwrap();
        let mut left = Vec::new();
        for _ in 0..4 {
            outbox::run_due(&till.app).await.unwrap();
            let row = till.app.db.one("select count(*) as n from outbox", args![]).await.unwrap();
            left.push(row.get::<i64>("n").unwrap());
        }
        assert_eq!(left, [702, 202, 2, 2], "in small batches, until only the young and the waiting are left");
    })
    .await;
}
