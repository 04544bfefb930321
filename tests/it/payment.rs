//! Attempts to pay, with a provider that answers, is down, or is faster than our own books.

use crate::{
    client::client,
    shop::{Piece, Shop, books, customer, later, place},
    till::{press, with_till},
};
use axum::{Json, Router, routing::post};
use std::collections::BTreeSet;
use xiadan::{
    args,
    domain::{
        Error, Locale,
        order::{EventKind, OrderChange, QuantityChange, State},
        payment::Method,
        texts::payment as texts,
    },
    server::{
        App, Ctx, order, outbox,
        payment::{
            self, Settled,
            provider::{Charge, Notification, Opened, Outcome},
        },
    },
};

const MUG: Piece = Piece("mug", 5_000, 10);

/// How many payments of an order are in a state.
async fn payments(app: &App, state: &str) -> i64 {
    app.db.one("select count(*) as n from payment where state = $1", args![state]).await.unwrap().get("n").unwrap()
}

async fn state(ctx: &Ctx, number: &str) -> State {
    order::get(ctx, number).await.unwrap().state
}

async fn count(ctx: &Ctx, number: &str, matches: impl Fn(&EventKind) -> bool) -> usize {
    order::get(ctx, number).await.unwrap().events.iter().filter(|event| matches(&event.kind)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_nothing_is_ordered_and_nothing_is_held() {
    for postgres in [false, true] {
        let shop = Shop::open_with(postgres, |config| config.sandbox = false).await;
        shop.sell(&[MUG]).await;
        let ctx = customer(&shop.app).await;
        assert_eq!(place(&ctx, "mug", 1).await, Err(Error::NoPayment));
        assert!(!order::checkout(&ctx, None).await.unwrap().payable, "the form says so before it is filled in");
        assert_eq!(books(&shop.app, "mug").await, (10, 0, 0));
        shop.app.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_can_be_paid_once_the_provider_is_back() {
    with_till(&[MUG], async |till| {
        let ctx = customer(&till.app).await;
        let number = place(&ctx, "mug", 2).await.unwrap();
        for _ in 0..2 {
            assert_eq!(payment::start(&later(&ctx), &number, None).await, Err(Error::ProviderUnavailable));
        }
        assert_eq!(state(&ctx, &number).await, State::ToPay);
        let provider = till.start().await;
        let cashier = payment::start(&later(&ctx), &number, None).await.unwrap();
        assert_eq!(payments(&till.app, "pending").await, 1, "the attempt that failed goes on");
        press(&cashier, "failure").await;
        assert_eq!(state(&ctx, &number).await, State::ToPay);
        let again = payment::start(&later(&ctx), &number, None).await.unwrap();
        assert_ne!(again, cashier, "a failed attempt is over");
        press(&again, "twice").await;
        assert_eq!(state(&ctx, &number).await, State::ToShip);
        assert_eq!(books(&till.app, "mug").await, (8, 0, 2));
        assert_eq!(count(&ctx, &number, |kind| *kind == EventKind::Paid).await, 1, "told twice is paid once");
        let closed = payment::start(&later(&ctx), &number, None).await;
        assert_eq!(closed, Err(Error::OrderClosed(State::ToShip)));
        provider.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_at_the_same_moment_lead_to_one_payment() {
    with_till(&[MUG], async |till| {
        let provider = till.start().await;
        let ctx = customer(&till.app).await;
        let number = place(&ctx, "mug", 1).await.unwrap();
        let started = (0..8).map(|_| payment::start(&ctx, &number, None));
        let cashiers: BTreeSet<_> =
            futures::future::join_all(started).await.into_iter().map(|cashier| cashier.unwrap()).collect();
        assert_eq!((cashiers.len(), payments(&till.app, "pending").await), (1, 1));
        futures::future::join_all(cashiers.iter().flat_map(|c| [press(c, "success"), press(c, "success")])).await;
        assert_eq!((state(&ctx, &number).await, payments(&till.app, "succeeded").await), (State::ToShip, 1));
        assert_eq!(order::get(&ctx, &number).await.unwrap().refunds.len(), 0);
        provider.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_methods_that_were_both_paid_one_goes_back() {
    with_till(&[MUG], async |till| {
        let provider = till.start().await;
        let ctx = customer(&till.app).await;
        let number = place(&ctx, "mug", 1).await.unwrap();
        let alipay = payment::start(&ctx, &number, Some("alipay")).await.unwrap();
        let wechat = payment::start(&ctx, &number, Some(Method::WechatPay.name())).await.unwrap();
        assert_ne!(alipay, wechat);
        assert_eq!(payment::start(&ctx, &number, Some("alipay")).await.as_ref(), Ok(&alipay), "back to the first");
        assert!(matches!(payment::start(&ctx, &number, Some("seashells")).await, Err(Error::Invalid(_))));
        press(&wechat, "success").await;
        press(&alipay, "success").await;
        outbox::run_due(&till.app).await.unwrap();
        let paid = order::get(&ctx, &number).await.unwrap();
        assert_eq!((paid.state, paid.refunds.len()), (State::ToShip, 1));
        assert_eq!(count(&ctx, &number, |kind| matches!(kind, EventKind::Refunded { .. })).await, 1);
        assert_eq!(books(&till.app, "mug").await, (9, 0, 1));
        // Nobody asked for this refund: the record tells of it by itself.
        let sql = "select actor, subject from audit where action = 'refund_requested'";
        let rows = till.app.db.all(sql, args![]).await.unwrap();
        let told: Vec<(String, String)> =
            rows.iter().map(|row| (row.get("actor").unwrap(), row.get("subject").unwrap())).collect();
        assert_eq!(told, [("provider".to_owned(), format!("order:{number}"))]);
        provider.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_sum_does_not_pay_a_changed_order() {
    with_till(&[MUG], async |till| {
        let provider = till.start().await;
        let ctx = customer(&till.app).await;
        let number = place(&ctx, "mug", 1).await.unwrap();
        let old = payment::start(&ctx, &number, None).await.unwrap();
        let more = OrderChange {
            version: order::get(&ctx, &number).await.unwrap().version,
            quantities: vec![QuantityChange { variant_id: "mug".into(), quantity: 3 }],
            form: None,
        };
        order::change(&later(&ctx), &number, more).await.unwrap();
        press(&old, "success").await;
        assert_eq!(state(&ctx, &number).await, State::ToPay, "one mug's money does not buy three");
        outbox::run_due(&till.app).await.unwrap();
        let refunded = |kind: &EventKind| matches!(kind, EventKind::Refunded { .. });
        assert_eq!(count(&ctx, &number, refunded).await, 1, "and goes back");
        let new = payment::start(&later(&ctx), &number, None).await.unwrap();
        assert_ne!(new, old);
        press(&new, "success").await;
        assert_eq!(state(&ctx, &number).await, State::ToShip);
        assert_eq!(books(&till.app, "mug").await, (7, 0, 3));
        provider.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_that_overtakes_the_answer_keeps_its_reference() {
    with_till(&[MUG], async |till| {
        let app = till.app.clone();
        // Tells of the money before it answers, and under another name.
        let hasty = post(move |body: String| {
            let app = app.clone();
            async move {
                let charge: Charge = serde_json::from_str(&body).unwrap();
                let told = Notification {
                    payment_id: charge.payment_id,
                    reference: "told".into(),
                    outcome: Outcome::Succeeded,
                    amount: charge.amount,
                    currency: charge.currency,
                };
                assert_eq!(payment::settle(&app, &told).await, Ok(Settled::Paid));
                Json(Opened { reference: "answered".into(), cashier_url: "http://cashier.example".into() })
            }
        });
        let provider = till.pretend(Router::new().route("/charges", hasty)).await;
        let ctx = customer(&till.app).await;
        let number = place(&ctx, "mug", 1).await.unwrap();
        payment::start(&ctx, &number, None).await.unwrap();
        let row = till.app.db.one("select provider_reference from payment", args![]).await.unwrap();
        assert_eq!(row.get::<String>("provider_reference").unwrap(), "told");
        assert_eq!(state(&ctx, &number).await, State::ToShip);
        provider.abort();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_link_to_the_cashier_says_so_in_every_language() {
    with_till(&[MUG], async |till| {
        let ctx = customer(&till.app).await;
        let number = place(&ctx, "mug", 1).await.unwrap();
        let provider = till.start().await;
        let cashier = payment::start(&later(&ctx), &number, None).await.unwrap();
        let old = format!("{cashier}-old");
        let form =
            client().post(&old).header("content-type", "application/x-www-form-urlencoded").body("outcome=success");
        for request in [client().get(&old), form] {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 404);
            let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
            assert!(policy.contains("default-src 'none'"), "{policy}");
            let page = answer.text().await.unwrap();
            for locale in Locale::ALL {
                assert!(page.contains(locale.t(texts::CASHIER_GONE_TITLE)), "{page}");
            }
            assert!(page.contains(&format!("href=\"{}/orders\"", till.app.config.public_url)), "{page}");
        }
        assert_eq!(state(&ctx, &number).await, State::ToPay);
        provider.stop().await;
    })
    .await;
}
