//! How an order ends that nobody pays in time, or that is given up: its stock and its money come back, once.

use crate::{
    order::{MUG, charge, expire, kinds},
    shop::{Piece, Shop, books, both, customer, later, place, staff},
};
use xiadan::{
    args,
    domain::{
        Error,
        order::{CancelReason, EventKind, State},
    },
    server::{
        context::now,
        jobs, order,
        payment::{
            self, Settled,
            provider::{Notification, Outcome},
        },
    },
};

/// How long an order is held here.
const HOLD_MS: i64 = 1_200;

#[tokio::test(flavor = "multi_thread")]
async fn an_unpaid_order_ends_by_itself() {
    for postgres in [false, true] {
        let shop = Shop::open_with(postgres, |config| config.hold_ms = HOLD_MS).await;
        shop.sell(&[MUG]).await;
        let app = shop.app.clone();
        eprintln!("on {}", app.db.kind().as_str());
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let begun = now();
        let ctx = later(&customer(&app).await);
        let number = place(&ctx, "mug", 3).await.unwrap();
        // However long that took, nobody ends it yet.
        assert_eq!(books(&app, "mug").await, (10, 3, 0));
        assert_eq!(order::get(&ctx, &number).await.unwrap().state, State::ToPay);
        let jobs = tokio::spawn(jobs::run(app.clone(), stopping));
        loop {
            let (state, held) = (order::get(&ctx, &number).await.unwrap().state, now() - begun);
            if state == State::Cancelled {
                assert!(held >= HOLD_MS, "after {held} ms");
                break;
            }
            assert_eq!(state, State::ToPay);
            assert!(held < 30_000, "it does not end");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert_eq!(books(&app, "mug").await, (10, 0, 0));
        stop.send(true).unwrap();
        jobs.await.unwrap();
        app.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_order_that_cannot_expire_holds_no_other_up() {
    both(&[MUG, Piece("pot", 9_000, 3)], async |app| {
        let ctx = customer(&app).await;
        let (broken, sound) = (place(&ctx, "mug", 2).await.unwrap(), place(&ctx, "pot", 1).await.unwrap());
        app.db
            .write::<_, Error>(move |tx| {
                let broken = broken.clone();
                Box::pin(async move {
                    tx.exec("update stock set held = 0 where variant_id = 'mug'", args![]).await?;
                    tx.exec("update orders set expires_at = 1 where number = $1", args![broken]).await?;
                    Ok(tx.exec("update orders set expires_at = 2 where expires_at > 2", args![]).await?)
                })
            })
            .await
            .unwrap();
        assert_eq!(order::expire_due(&app).await.unwrap(), 1);
        assert_eq!(order::get(&ctx, &sound).await.unwrap().state, State::Cancelled);
        assert_eq!(books(&app, "pot").await, (3, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_gives_stock_and_money_back() {
    both(&[MUG], async |app| {
        let ctx = customer(&app).await;
        let unpaid = place(&ctx, "mug", 4).await.unwrap();
        order::cancel(&ctx, &unpaid).await.unwrap();
        order::cancel(&ctx, &unpaid).await.unwrap();
        assert_eq!(books(&app, "mug").await, (10, 0, 0));

        let paid = place(&ctx, "mug", 3).await.unwrap();
        payment::settle(&app, &charge(&app, &paid, None).await).await.unwrap();
        order::cancel(&ctx, &paid).await.unwrap();
        assert_eq!(books(&app, "mug").await, (10, 0, 0));
        let order = order::get(&ctx, &paid).await.unwrap();
        assert_eq!(order.refunds.iter().map(|r| (r.amount, r.done)).collect::<Vec<_>>(), [(order.totals.total, false)]);

        let shipped = place(&ctx, "mug", 1).await.unwrap();
        assert_eq!(order::ship(&staff(&app), &shipped, "DHL", "12345").await, Err(Error::OrderClosed(State::ToPay)));
        payment::settle(&app, &charge(&app, &shipped, None).await).await.unwrap();
        order::ship(&staff(&app), &shipped, "DHL", "12345").await.unwrap();
        assert_eq!(order::cancel(&ctx, &shipped).await, Err(Error::OrderClosed(State::Shipped)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_order_gives_its_hold_back() {
    both(&[MUG], async |app| {
        let ctx = customer(&app).await;
        let number = place(&ctx, "mug", 10).await.unwrap();
        assert_eq!(order::expire_due(&app).await.unwrap(), 0, "not before its time");
        expire(&app, &number).await;
        assert_eq!(books(&app, "mug").await, (10, 0, 0));
        assert_eq!(kinds(&ctx, &number).await.last(), Some(&EventKind::Cancelled { reason: CancelReason::Expired }));
        assert_eq!(payment::start(&later(&ctx), &number, None).await, Err(Error::OrderClosed(State::Cancelled)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_payment_takes_its_hold_again_or_is_refunded() {
    both(&[MUG], async |app| {
        let (first, second) = (customer(&app).await, customer(&app).await);
        let number = place(&first, "mug", 6).await.unwrap();
        let money = charge(&app, &number, None).await;
        expire(&app, &number).await;
        assert_eq!(payment::settle(&app, &money).await, Ok(Settled::Paid));
        assert_eq!(books(&app, "mug").await, (4, 0, 6));
        assert_eq!(kinds(&first, &number).await.last(), Some(&EventKind::Reopened));

        let late = place(&second, "mug", 4).await.unwrap();
        let money = charge(&app, &late, None).await;
        expire(&app, &late).await;
        place(&first, "mug", 1).await.unwrap();
        assert_eq!(payment::settle(&app, &money).await, Ok(Settled::Refunded), "one piece is promised to someone else");
        assert_eq!(books(&app, "mug").await, (4, 1, 6));
        let order = order::get(&second, &late).await.unwrap();
        assert_eq!((order.state, order.refunds.len()), (State::Cancelled, 1));
        assert!(matches!(order.events.last().map(|e| &e.kind), Some(EventKind::RefundRequested { .. })));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_counted_once_and_never_for_another_sum() {
    both(&[MUG], async |app| {
        let ctx = customer(&app).await;
        let number = place(&ctx, "mug", 2).await.unwrap();
        let failed = Notification { outcome: Outcome::Failed, ..charge(&app, &number, None).await };
        assert_eq!(payment::settle(&app, &failed).await, Ok(Settled::Failed));
        assert_eq!(payment::settle(&app, &failed).await, Ok(Settled::Nothing));
        let wrong = charge(&app, &number, Some(1)).await;
        assert_eq!(payment::settle(&app, &wrong).await, Ok(Settled::Refunded), "a cent does not buy two mugs");
        let (money, other) = (charge(&app, &number, None).await, charge(&app, &number, None).await);
        let settled = futures::future::join_all((0..5).map(|_| payment::settle(&app, &money))).await;
        assert_eq!(settled.iter().filter(|s| **s == Ok(Settled::Paid)).count(), 1);
        assert_eq!(payment::settle(&app, &other).await, Ok(Settled::Refunded), "a second payment goes back");
        assert_eq!(books(&app, "mug").await, (8, 0, 2));
        let unknown = Notification { payment_id: "none".into(), ..money };
        assert_eq!(payment::settle(&app, &unknown).await, Err(Error::NotFound));
    })
    .await;
}
