//! The life of an order, rule by rule.

use crate::{
    door::Door,
    second,
    shop::{Piece, books, both, customer, form, later, place, staff, submission, submit},
};
use xiadan::{
    args,
    domain::{
        Error,
        cart::{BuyNow, Removed, Wanted},
        error::Problem,
        money::Amount,
        office::Staff,
        order::{EventKind, OrderChange, QuantityChange, State},
        permission::Role,
    },
    server::{
        App, Ctx, account, cart, context,
        order::{self, Submission},
        payment::{
            self, Settled,
            provider::{Notification, Outcome},
        },
        stock,
    },
};

pub const MUG: Piece = Piece("mug", 5_000, 10);

/// A payment row as if the provider had opened its charge; answers with what the provider will say of it.
pub async fn charge(app: &App, number: &str, amount: Option<i64>) -> Notification {
    let row = app.db.one("select id, total from orders where number = $1", args![number]).await.unwrap();
    let (order_id, total): (String, i64) = (row.get("id").unwrap(), row.get("total").unwrap());
    let payment_id = context::new_id();
    let notification = Notification {
        payment_id: payment_id.clone(),
        reference: format!("ref-{payment_id}"),
        outcome: Outcome::Succeeded,
        amount: amount.unwrap_or(total),
        currency: "CNY".into(),
    };
    app.db
        .write::<_, Error>(move |tx| {
            let (payment_id, order_id) = (payment_id.clone(), order_id.clone());
            Box::pin(async move {
                let sql = "insert into payment (id, order_id, method, provider, amount, currency, state, created_at)
                    values ($1, $2, 'alipay', 'sandbox', $3, 'CNY', 'pending', 0)";
                Ok(tx.exec(sql, args![payment_id, order_id, amount.unwrap_or(total)]).await?)
            })
        })
        .await
        .unwrap();
    notification
}

pub async fn expire(app: &App, number: &str) {
    let number = number.to_owned();
    app.db
        .write::<_, Error>(move |tx| {
            let number = number.clone();
            Box::pin(
                async move { Ok(tx.exec("update orders set expires_at = 1 where number = $1", args![number]).await?) },
            )
        })
        .await
        .unwrap();
    assert_eq!(order::expire_due(app).await.unwrap(), 1);
}

pub async fn kinds(ctx: &Ctx, number: &str) -> Vec<EventKind> {
    order::get(ctx, number).await.unwrap().events.into_iter().map(|event| event.kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_journey_from_cart_to_completion() {
    both(&[MUG], async |app| {
        let ctx = customer(&app).await;
        let number = place(&ctx, "mug", 2).await.unwrap();
        assert_eq!(books(&app, "mug").await, (10, 2, 0));
        assert!(cart::get(&ctx).await.unwrap().lines.is_empty(), "what was ordered left the cart");

        let placed = order::get(&ctx, &number).await.unwrap();
        assert_eq!(
            (placed.state, placed.contact.phone.as_deref(), placed.note.as_str()),
            (State::ToPay, Some("+8613800138000"), "放门口")
        );
        assert_eq!(placed.totals.total, placed.totals.goods + placed.totals.shipping);
        assert_eq!(placed.totals.goods, Amount(10_000));

        assert_eq!(payment::settle(&app, &charge(&app, &number, None).await).await, Ok(Settled::Paid));
        assert_eq!(books(&app, "mug").await, (8, 0, 2));
        order::ship(&staff(&app), &number, "顺丰速运", "SF1234567890").await.unwrap();
        order::ship(&staff(&app), &number, "顺丰速运", "SF1234567890").await.unwrap();
        let other = order::ship(&staff(&app), &number, "顺丰速运", "SF9999999999").await;
        assert_eq!(other, Err(Error::OrderClosed(State::Shipped)), "a second parcel is not taken for the first");
        order::complete(&ctx, &number).await.unwrap();
        order::complete(&ctx, &number).await.unwrap();
        let done = order::get(&ctx, &number).await.unwrap();
        assert_eq!(done.state, State::Completed);
        assert_eq!(done.shipment.map(|s| s.tracking_number), Some("SF1234567890".to_owned()));
        let shipped = EventKind::Shipped { carrier: "顺丰速运".into(), tracking_number: "SF1234567890".into() };
        assert_eq!(kinds(&ctx, &number).await, [EventKind::Placed, EventKind::Paid, shipped, EventKind::Completed]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_whom_a_restored_database_does_not_know_can_order() {
    both(&[MUG], async |app| {
        let ctx = customer(&app).await;
        app.db
            .write::<_, Error>(move |tx| {
                Box::pin(async move {
                    tx.exec("delete from cart", args![]).await?;
                    Ok(tx.exec("delete from customer", args![]).await?)
                })
            })
            .await
            .unwrap();
        place(&ctx, "mug", 1).await.unwrap();
        let other = customer(&app).await;
        app.db
            .write::<_, Error>(move |tx| Box::pin(async move { Ok(tx.exec("delete from cart", args![]).await?) }))
            .await
            .unwrap();
        order::save_checkout(&other, form("张三"), true).await.unwrap();
        let buy_now = Some(BuyNow { variant_id: "mug".into(), quantity: 1 });
        let review = order::review(&other, buy_now.clone()).await.unwrap();
        order::submit(&other, Submission { buy_now, ..submission(&review) }).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn submitting_twice_gives_the_same_order() {
    both(&[MUG], async |app| {
        let ctx = customer(&app).await;
        cart::add(&ctx, "mug", 1).await.unwrap();
        order::save_checkout(&ctx, form("张三"), true).await.unwrap();
        let seen = submission(&order::review(&ctx, None).await.unwrap());
        let many = futures::future::join_all((0..8).map(|_| order::submit(&ctx, seen.clone()))).await;
        let numbers: std::collections::BTreeSet<_> = many.into_iter().map(|n| n.unwrap()).collect();
        assert_eq!(numbers.len(), 1);
        assert_eq!(books(&app, "mug").await, (10, 1, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_line_comes_back_as_it_was() {
    both(&[MUG, Piece("pot", 9_000, 3)], async |app| {
        let ctx = customer(&app).await;
        cart::add(&ctx, "pot", 1).await.unwrap();
        cart::add(&ctx, "mug", 5).await.unwrap();
        stock::adjust(&staff(&app), "mug", 0, 10, 2).await.unwrap();
        stock::set_price(&staff(&app), "mug", 1, "60", "").await.unwrap();
        cart::save_for_later(&ctx, "pot", true).await.unwrap();
        stock::adjust(&staff(&app), "pot", 0, 3, 0).await.unwrap();
        let before = cart::get(&ctx).await.unwrap();
        assert!(before.lines[0].is_short() && before.lines[0].price_changed());
        for (line, saved) in [(&before.lines[0], false), (&before.saved[0], true)] {
            let (left, removed) = cart::set_quantity(&ctx, &line.variant_id, 0).await.unwrap();
            assert!(left.lines.iter().chain(&left.saved).all(|other| other.variant_id != line.variant_id));
            let (variant_id, price_seen) = (line.variant_id.clone(), line.price_seen);
            let wanted = Wanted { quantity: line.quantity, price_seen, saved, added_at: line.added_at };
            let removed = removed.unwrap();
            assert_eq!(removed, Removed { variant_id, wanted });
            assert_eq!(cart::set_quantity(&ctx, &line.variant_id, 0).await.unwrap().1, None, "it is gone already");
            cart::restore(&later(&ctx), removed.clone()).await.unwrap();
            cart::restore(&later(&ctx), removed).await.unwrap();
        }
        let after = cart::get(&ctx).await.unwrap();
        assert_eq!((after.lines, after.saved), (before.lines, before.saved));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_removed_without_script_is_offered_back_until_the_cart_changes() {
    both(&[MUG, Piece("pot", 9_000, 3)], async |app| {
        let ctx = customer(&app).await;
        cart::add(&ctx, "mug", 3).await.unwrap();
        let (door, id) = (Door::open(&app).await, ctx.customer().unwrap());
        let cookie = format!("xiadan_guest={id}.{}", app.keys.sign("guest", id));
        let page = async |path: &str| {
            let request = door.client.get(format!("{}{path}", door.url)).header("accept", "text/html");
            request.header("cookie", &cookie).send().await.unwrap().text().await.unwrap()
        };
        // Answers with where the form leads.
        let form = async |name: &str, body: &'static str| {
            let request = door.client.post(format!("{}/api/cart/{name}", door.url)).header("accept", "text/html");
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let answer = request.header("cookie", &cookie).body(body).send().await.unwrap();
            assert_eq!(answer.status(), 302, "{name}");
            answer.headers()["location"].to_str().unwrap().to_owned()
        };
        let offers = |html: &str| html.contains("action=\"/api/cart/restore\"");
        let after = form("set_quantity", "variant_id=mug&quantity=0").await;
        assert!(after.starts_with("/cart?removed=mug&quantity=3&"), "{after}");
        let html = page(&after).await;
        assert!(offers(&html) && html.contains("name=\"quantity\" value=\"3\""), "{html}");
        assert!(!offers(&page("/cart").await));

        let removed = "variant_id=mug&quantity=3&price_seen=5000&saved=false&added_at=1";
        assert_eq!(form("restore", removed).await, "/cart");
        assert_eq!(cart::get(&ctx).await.unwrap().line("mug").unwrap().quantity, 3);
        assert!(!offers(&page(&after).await), "it is there again");

        let after = form("set_quantity", "variant_id=mug&quantity=0").await;
        assert!(offers(&page(&after).await));
        cart::add(&ctx, "pot", 1).await.unwrap();
        assert!(!offers(&page(&after).await), "something else was done since");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_bought_now_leaves_the_cart_alone() {
    both(&[MUG, Piece("pot", 9_000, 3)], async |app| {
        let ctx = customer(&app).await;
        cart::add(&ctx, "mug", 2).await.unwrap();
        order::save_checkout(&ctx, form("张三"), true).await.unwrap();
        let pot = |quantity| Some(BuyNow { variant_id: "pot".into(), quantity });
        let review = order::review(&ctx, pot(2)).await.unwrap();
        assert_eq!(review.cart.lines.len(), 1);
        assert_eq!(review.cart.totals().goods, Amount(18_000));
        let seen = Submission { buy_now: pot(2), ..submission(&review) };
        let number = order::submit(&ctx, seen.clone()).await.unwrap();
        assert_eq!(order::submit(&ctx, seen.clone()).await.as_ref(), Ok(&number), "the same again");
        let other = Submission { buy_now: None, ..seen };
        assert_eq!(order::submit(&ctx, other).await, Err(Error::Conflict), "another tab's order is another one");
        assert_eq!((books(&app, "pot").await, books(&app, "mug").await), ((3, 2, 0), (10, 0, 0)));
        let placed = order::get(&ctx, &number).await.unwrap();
        assert_eq!(
            placed.lines.iter().map(|line| (line.variant_id.as_str(), line.quantity)).collect::<Vec<_>>(),
            [("pot", 2)]
        );
        assert_eq!(cart::get(&ctx).await.unwrap().lines[0].quantity, 2, "the cart keeps what it had");

        let review = order::review(&ctx, pot(2)).await.unwrap();
        let refused = order::submit(&ctx, Submission { buy_now: pot(2), ..submission(&review) }).await;
        assert!(matches!(refused, Err(Error::Shortage(short)) if short[0].available == 1));
        let nothing = BuyNow { variant_id: "no such".into(), quantity: 1 };
        assert_eq!(order::review(&ctx, Some(nothing)).await.err(), Some(Error::CartEmpty));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ordering_again_takes_what_is_still_there() {
    both(&[MUG, Piece("pot", 9_000, 3)], async |app| {
        let ctx = customer(&app).await;
        cart::add(&ctx, "pot", 2).await.unwrap();
        let number = place(&ctx, "mug", 2).await.unwrap();
        let cart = order::again(&ctx, &number).await.unwrap();
        let mut taken: Vec<_> = cart.lines.iter().map(|line| (line.variant_id.as_str(), line.quantity)).collect();
        taken.sort_unstable();
        assert_eq!(taken, [("mug", 2), ("pot", 1)], "one pot is left beside the two of the order");
        let withdrawn = app.db.write::<_, Error>(move |tx| {
            Box::pin(async move { Ok(tx.exec("update variant set active = false", args![]).await?) })
        });
        withdrawn.await.unwrap();
        let nothing = order::again(&ctx, &number).await;
        assert!(matches!(nothing, Err(Error::Shortage(short)) if short.len() == 2 && short[0].available == 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_recipient_that_cannot_be_opened_hides_no_other_order() {
    both(&[MUG], async |app| {
        let ctx = customer(&app).await;
        let (broken, sound) = (place(&ctx, "mug", 1).await.unwrap(), place(&ctx, "mug", 1).await.unwrap());
        app.db
            .write::<_, Error>(move |tx| {
                let broken = broken.clone();
                Box::pin(async move {
                    let sql = "update orders set contact_sealed = note_sealed where number = $1";
                    Ok(tx.exec(sql, args![broken]).await?)
                })
            })
            .await
            .unwrap();
        let listed = order::office_list(&staff(&app), None, None, 1).await.unwrap();
        let shown: Vec<_> =
            listed.items.iter().map(|item| (item.order.number.clone(), item.recipient.as_str())).collect();
        assert_eq!(shown.iter().find(|(number, _)| *number == sound).map(|(_, name)| *name), Some("张*"));
        assert!(shown.iter().any(|(_, name)| *name == "?"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_password_opens_no_session() {
    both(&[], async |app| {
        account::create_staff(&app, "lin", None, "correct horse".into()).await.unwrap();
        let row = app.db.one("select id, password_hash from staff", args![]).await.unwrap();
        let (id, hash): (String, String) = (row.get("id").unwrap(), row.get("password_hash").unwrap());
        second::staff_with_phone(&app, "lin").await;
        account::open_session(&app, &id, &hash, "first", context::now()).await.unwrap();
        let seat = async |token: &str| account::staff_of(&app, token, context::now(), true).await.unwrap();
        assert_eq!(seat("first").await.map(|seat| seat.staff.login), Some("lin".to_owned()));
        account::create_staff(&app, "lin", None, "battery staple".into()).await.unwrap();
        assert_eq!(seat("first").await, None);
        let late = account::open_session(&app, &id, &hash, "second", context::now()).await;
        assert_eq!(late, Err(Error::field("password", Problem::Credentials)));
        assert_eq!(seat("second").await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_refused_when_stock_price_total_or_address_is_not_what_was_seen() {
    both(&[MUG], async |app| {
        let ctx = customer(&app).await;
        assert!(matches!(cart::add(&ctx, "mug", 11).await, Err(Error::Shortage(s)) if s[0].available == 10));
        assert_eq!(cart::add(&ctx, "no such", 1).await, Err(Error::NotFound));
        cart::add(&ctx, "mug", 10).await.unwrap();
        assert!(matches!(order::review(&ctx, None).await, Err(Error::Invalid(fields)) if fields.contains_key("recipient")));
        order::save_checkout(&ctx, form("张三"), true).await.unwrap();
        let seen = submission(&order::review(&ctx, None).await.unwrap());
        let other = Submission { total: 1, ..seen.clone() };
        assert_eq!(order::submit(&ctx, other).await, Err(Error::Conflict), "another total than was shown");
        order::save_checkout(&ctx, form("李四"), true).await.unwrap();
        assert_eq!(order::submit(&ctx, seen).await, Err(Error::Conflict), "another recipient than was shown");

        stock::adjust(&staff(&app), "mug", 0, 10, 7).await.unwrap();
        assert!(matches!(submit(&ctx).await, Err(Error::Shortage(s)) if s[0].available == 7 && s[0].wanted == 10));
        cart::take_available(&ctx).await.unwrap();
        let comma = stock::set_price(&staff(&app), "mug", 1, "19,99", "").await;
        assert_eq!(comma, Err(Error::field("price", Problem::Number)), "not a hundred times as much");
        stock::set_price(&staff(&app), "mug", 1, "60", "").await.unwrap();
        assert!(matches!(submit(&ctx).await, Err(Error::PriceChanged(c)) if c[0].old == Amount(5_000) && c[0].new == Amount(6_000)));
        assert_eq!(stock::set_price(&staff(&app), "mug", 1, "70", "").await, Err(Error::Conflict), "an older version");
        let again = cart::accept_prices(&ctx, "mug=5500").await.unwrap();
        assert!(again.lines[0].price_changed(), "nobody was shown what it costs now");
        cart::accept_prices(&ctx, "mug=6000").await.unwrap();
        let number = submit(&ctx).await.unwrap();
        assert_eq!(order::get(&ctx, &number).await.unwrap().totals.goods, Amount(42_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpaid_order_can_be_changed_within_its_hold() {
    both(&[MUG, Piece("pot", 9_000, 3)], async |app| {
        let ctx = customer(&app).await;
        cart::add(&ctx, "pot", 1).await.unwrap();
        let number = place(&ctx, "mug", 2).await.unwrap();
        let before = order::get(&ctx, &number).await.unwrap();
        let set = |variant: &str, quantity| QuantityChange { variant_id: variant.into(), quantity };
        let change = OrderChange {
            version: before.version,
            quantities: vec![set("mug", 5), set("pot", 0)],
            form: Some(form("李四")),
        };
        order::change(&ctx, &number, change.clone()).await.unwrap();
        let after = order::get(&ctx, &number).await.unwrap();
        assert_eq!(
            (after.contact.recipient.as_str(), after.lines.len(), after.expires_at),
            ("李四", 1, before.expires_at)
        );
        assert_eq!((books(&app, "mug").await, books(&app, "pot").await), ((10, 5, 0), (3, 0, 0)));
        assert_eq!(order::change(&ctx, &number, change).await, Err(Error::Conflict), "an older version");

        let more =
            |quantity| OrderChange { version: after.version, quantities: vec![set("mug", quantity)], form: None };
        assert!(
            matches!(order::change(&ctx, &number, more(11)).await, Err(Error::Shortage(s)) if s[0].available == 10)
        );
        assert_eq!(books(&app, "mug").await, (10, 5, 0), "a refused change leaves the hold");
        assert_eq!(order::change(&ctx, &number, more(0)).await, Err(Error::CartEmpty));
        stock::set_price(&staff(&app), "mug", 1, "60", "").await.unwrap();
        let dearer = order::change(&ctx, &number, more(6)).await;
        assert!(
            matches!(dearer, Err(Error::PriceChanged(c)) if c[0].new == Amount(6_000)),
            "more costs what it costs now"
        );
        order::change(&ctx, &number, more(4)).await.unwrap();
        assert_eq!(books(&app, "mug").await, (10, 4, 0), "fewer keep the price of the order");
        payment::settle(&app, &charge(&app, &number, None).await).await.unwrap();
        assert!(order::change(&ctx, &number, more(1)).await.is_err(), "a paid order is no longer changed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_or_changes_the_order_of_someone_else() {
    both(&[MUG], async |app| {
        let (owner, stranger) = (customer(&app).await, customer(&app).await);
        let number = place(&owner, "mug", 1).await.unwrap();
        let nobody = Ctx::system(&app);
        for other in [&stranger, &nobody] {
            assert_eq!(order::get(other, &number).await, Err(Error::NotFound));
            assert_eq!(order::cancel(other, &number).await, Err(Error::NotFound));
            assert_eq!(order::complete(other, &number).await, Err(Error::NotFound));
            assert_eq!(order::change(other, &number, OrderChange::default()).await, Err(Error::NotFound));
            assert_eq!(payment::start(other, &number, None).await, Err(Error::NotFound));
            assert_eq!(order::ship(other, &number, "DHL", "12345").await, Err(Error::Unauthenticated));
            assert_eq!(order::office_get(other, &number, None).await, Err(Error::Unauthenticated));
            assert_eq!(stock::set_price(other, "mug", 1, "1", "").await, Err(Error::Unauthenticated));
            assert_eq!(stock::adjust(other, "mug", 0, 10, 1).await, Err(Error::Unauthenticated));
        }
        assert!(order::list(&stranger, None, None, 1).await.unwrap().items.is_empty());
        assert_eq!(order::list(&owner, None, Some(&number[..8]), 1).await.unwrap().total, 1);
        assert_eq!(order::list(&owner, Some(State::Shipped), None, 1).await.unwrap().total, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_corrects_stock_but_never_below_what_is_held() {
    both(&[MUG], async |app| {
        let (ctx, office) = (customer(&app).await, staff(&app));
        place(&ctx, "mug", 4).await.unwrap();
        let least = |least| Err(Error::field("on_hand", Problem::Range(least, stock::MAX_ON_HAND)));
        assert_eq!(stock::adjust(&office, "mug", 0, 10, 3).await, least(4));
        stock::adjust(&office, "mug", 0, 10, 4).await.unwrap();
        assert_eq!(books(&app, "mug").await, (4, 4, 0));
        let wrong = stock::adjust(&office, "mug", 1, 6, 5).await;
        assert_eq!(wrong, least(6), "the least is counted from what was seen, as what was typed is");
        let listed = stock::office_variants(&office, Some("马克"), 1).await.unwrap();
        assert_eq!((listed.total, listed.items[0].on_hand, listed.items[0].held), (1, 4, 4));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_stock_that_is_sent_again_is_made_once() {
    both(&[MUG], async |app| {
        let (ctx, office) = (customer(&app).await, staff(&app));
        let other = Ctx { staff: Some(Staff { login: "hua".into(), role: Role::Owner }), ..staff(&app) };
        let many = futures::future::join_all((0..8).map(|_| stock::adjust(&office, "mug", 0, 10, 15))).await;
        assert!(many.iter().all(Result::is_ok), "{many:?}");
        assert_eq!(books(&app, "mug").await, (15, 0, 0));
        assert_eq!(
            stock::adjust(&office, "mug", 0, 10, 16).await,
            Err(Error::Conflict),
            "another change of what was seen"
        );
        assert_eq!(
            stock::adjust(&other, "mug", 0, 10, 15).await,
            Err(Error::Conflict),
            "the same figure by someone else"
        );

        let number = place(&ctx, "mug", 5).await.unwrap();
        payment::settle(&app, &charge(&app, &number, None).await).await.unwrap();
        stock::adjust(&other, "mug", 1, 15, 20).await.unwrap();
        assert_eq!(books(&app, "mug").await, (15, 0, 5), "what was sold meanwhile stays sold");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_is_in_no_column_in_clear() {
    both(&[MUG], async |app| {
        let ctx = customer(&app).await;
        place(&ctx, "mug", 1).await.unwrap();
        let row = app
            .db
            .one("select contact_sealed, note_sealed, phone_hash, email_hash from orders", args![])
            .await
            .unwrap();
        let mut bytes: Vec<u8> = row.get::<Vec<u8>>("contact_sealed").unwrap();
        bytes.extend(row.get::<Vec<u8>>("note_sealed").unwrap());
        bytes.extend(row.get::<String>("phone_hash").unwrap().into_bytes());
        bytes.extend(row.get::<String>("email_hash").unwrap().into_bytes());
        let text = String::from_utf8_lossy(&bytes);
        for secret in ["张三", "13800138000", "buyer@example.cn", "科技园", "放门口"] {
            assert!(!text.contains(secret), "{secret}");
        }
    })
    .await;
}
