//! Orders with bookings in them, rule by rule: one order, one clock, all or nothing.

use crate::{
    account::{PHONE, in_world},
    booking::balanced,
    guests::{guest, rush},
    member::{exec, number as count},
    order::{charge, expire},
    shop::{Piece, Shop, books, both, customer, form, later, staff, submission, submit},
    venues::{self, at, dinner, massage, nights, ride},
};
use xiadan::{
    args,
    domain::{
        Error,
        address::CheckoutForm,
        booking::{HOUR_MS, interval::Interval, offer::Kind, wish::Wish},
        error::Problem,
        money::Amount,
        order::{BookingState, EventKind, OrderChange, QuantityChange, State},
    },
    server::{
        App, Ctx,
        booking::{
            self, claim,
            travellers::{self, Traveller},
            wishes,
        },
        cart,
        order::{self, Submission},
        payment::{self, Settled},
        stock,
    },
};

const MUG: Piece = Piece("mug", 5_000, 10);

/// Somebody else has the time of a person.
async fn block(app: &App, person: &'static str, start: i64) {
    let blocked = app.db.write::<_, Error>(move |tx| {
        let time = Interval { start, end: start + HOUR_MS };
        Box::pin(async move { claim::block(tx, person, time, "").await })
    });
    assert!(blocked.await.unwrap().is_some());
}

async fn states(app: &App, state: &str) -> i64 {
    let sql = "select count(*) as n from claim where state = $1";
    app.db.one(sql, args![state]).await.unwrap().get("n").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_a_room_and_a_massage_are_one_order_under_one_clock() {
    both(&[MUG], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        cart::add(&ctx, "mug", 2).await.unwrap();
        wishes::add(&ctx, "twin", &nights(0, 3, 1)).await.unwrap();
        let cart = wishes::add(&later(&ctx), "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        assert_eq!((cart.bookings.len(), cart.quantity()), (2, 4));
        assert_eq!(balanced(&app).await, 0, "a cart holds nothing");
        assert!(cart.bookings[0].label.contains("3 晚"), "{}", cart.bookings[0].label);
        assert!(cart.bookings[1].label.ends_with("14:00 · wu"), "{}", cart.bookings[1].label);

        let review = order::review(&ctx, None).await.unwrap();
        let number = order::submit(&ctx, submission(&review)).await.unwrap();
        let placed = order::get(&ctx, &number).await.unwrap();
        assert_eq!(placed.totals.total, review.cart.totals().total);
        assert_eq!(placed.totals.goods, Amount(2 * 5_000 + 3 * 10_000 + 20_000));
        let kinds: Vec<_> = placed.lines.iter().map(|line| line.booking.as_ref().map(|b| b.kind)).collect();
        assert_eq!(kinds, [None, Some(Kind::Stay), Some(Kind::Visit)]);
        let room = placed.lines[1].booking.clone().unwrap();
        assert_eq!(
            (room.date, room.zone.as_str(), room.state),
            (venues::first_day(), "Asia/Shanghai", BookingState::Booked)
        );
        assert_eq!((room.start, room.end), (at(15, 0), at(3 * 24 + 11, 0)));
        assert_eq!(room.free_until, at(-3 * 24, 0));
        assert_eq!(books(&app, "mug").await, (10, 2, 0));
        assert_eq!((balanced(&app).await, states(&app, "active").await), (2, 2));
        assert!(cart::get(&ctx).await.unwrap().is_empty(), "what was ordered left the cart");

        assert_eq!(payment::settle(&app, &charge(&app, &number, None).await).await, Ok(Settled::Paid));
        assert_eq!(books(&app, "mug").await, (8, 0, 2));
        assert_eq!((balanced(&app).await, states(&app, "taken").await), (2, 2));
        order::cancel(&ctx, &number).await.unwrap();
        assert_eq!((books(&app, "mug").await, balanced(&app).await), ((10, 0, 0), 0));
        let given_up = order::get(&ctx, &number).await.unwrap();
        assert_eq!(given_up.lines[2].booking.as_ref().map(|b| b.state), Some(BookingState::Cancelled));
        assert_eq!(given_up.refunds.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_order_in_which_one_line_fails_nothing_is_claimed() {
    both(&[MUG], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        cart::add(&ctx, "mug", 2).await.unwrap();
        wishes::add(&ctx, "twin", &nights(0, 3, 1)).await.unwrap();
        wishes::add(&later(&ctx), "massage", &massage(at(14, 0), None)).await.unwrap();
        let seen = submission(&order::review(&ctx, None).await.unwrap());
        block(&app, "wu", at(14, 30)).await;
        block(&app, "li", at(13, 30)).await;
        let refused = order::submit(&ctx, seen.clone()).await;
        assert!(
            matches!(&refused, Err(Error::SlotTaken(taken)) if taken.len() == 1 && taken[0].title == "推拿"),
            "{refused:?}"
        );
        assert_eq!((books(&app, "mug").await, balanced(&app).await), ((10, 0, 0), 2));
        assert_eq!(count(&app, "select count(*) as n from orders").await, 0);
        let cart = cart::get(&ctx).await.unwrap();
        assert_eq!((cart.lines.len(), cart.bookings.len()), (1, 2), "the cart is as it was");
        let late = wishes::add(&ctx, "massage", &massage(at(14, 0), None)).await;
        assert!(matches!(late, Err(Error::SlotTaken(_))), "what cannot be had does not go into the cart");

        wishes::remove(&ctx, &cart.bookings[1].id).await.unwrap();
        wishes::remove(&ctx, &cart.bookings[1].id).await.unwrap();
        stock::adjust(&staff(&app), "mug", 0, 10, 1).await.unwrap();
        assert!(matches!(submit(&ctx).await, Err(Error::Shortage(_))));
        assert_eq!((books(&app, "mug").await, balanced(&app).await), ((1, 0, 0), 2), "without mugs no room");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_want_the_last_hours_with_a_mug_two_get_both() {
    for (postgres, customers) in [(false, 100), (true, 30)] {
        let shop = Shop::open(postgres).await;
        shop.sell(&[Piece("mug", 5_000, 1_000)]).await;
        venues::open(&shop.app).await;
        let mut ready: Vec<(Ctx, Submission)> = Vec::new();
        for number in 0..customers {
            let ctx = guest(&shop.app).await;
            cart::add(&ctx, "mug", 1).await.unwrap();
            // Anyone will do; one in three wants a room too, of which there are two.
            wishes::add(&ctx, "massage", &massage(at(14, 0), None)).await.unwrap();
            if number % 3 == 0 {
                wishes::add(&ctx, "twin", &nights(0, 2, 1)).await.unwrap();
            }
            let seen = submission(&order::review(&ctx, None).await.unwrap());
            ready.push((ctx, seen));
        }
        let orders = rush(ready).await;
        assert_eq!(orders, 2, "each of the two people works once");
        assert_eq!(books(&shop.app, "mug").await, (1_000, 2, 0));
        assert!((2..=4).contains(&balanced(&shop.app).await));
        assert_eq!(count(&shop.app, "select count(*) as n from orders").await, 2);
        shop.app.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expiry_frees_all_together_and_late_money_takes_all_again_or_goes_back() {
    both(&[MUG], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        let fill = async |ctx: &Ctx| {
            cart::add(ctx, "mug", 1).await.unwrap();
            wishes::add(ctx, "twin", &nights(0, 2, 2)).await.unwrap();
            wishes::add(ctx, "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
            submit(ctx).await.unwrap()
        };
        let number = fill(&ctx).await;
        let money = charge(&app, &number, None).await;
        expire(&app, &number).await;
        assert_eq!((books(&app, "mug").await, balanced(&app).await), ((10, 0, 0), 0));
        assert_eq!(payment::settle(&app, &money).await, Ok(Settled::Paid));
        assert_eq!((books(&app, "mug").await, balanced(&app).await), ((9, 0, 1), 2));
        let reopened = order::get(&ctx, &number).await.unwrap();
        assert_eq!(reopened.lines[1].booking.as_ref().map(|b| b.state), Some(BookingState::Booked));
        assert_eq!(states(&app, "taken").await, 2);
        order::office_cancel(&staff(&app), &number).await.unwrap();
        assert_eq!(balanced(&app).await, 0);

        // Of the second one the hour is gone when the money comes: neither mug nor room is held for it.
        let late = fill(&ctx).await;
        let money = charge(&app, &late, None).await;
        expire(&app, &late).await;
        block(&app, "wu", at(14, 0)).await;
        assert_eq!(payment::settle(&app, &money).await, Ok(Settled::Refunded));
        assert_eq!((books(&app, "mug").await, balanced(&app).await), ((10, 0, 0), 1));
        assert_eq!(order::get(&ctx, &late).await.unwrap().state, State::Cancelled);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_money_does_not_buy_what_has_begun() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        wishes::add(&ctx, "twin", &nights(0, 1, 1)).await.unwrap();
        let number = submit(&ctx).await.unwrap();
        let money = charge(&app, &number, None).await;
        expire(&app, &number).await;
        exec(&app, "update order_booking set start_at = 1").await;
        assert_eq!(payment::settle(&app, &money).await, Ok(Settled::Refunded));
        assert_eq!(balanced(&app).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bookings_alone_need_no_address_and_no_shipping() {
    both(&[MUG], async |app| {
        venues::open(&app).await;
        let ctx = customer(&app).await;
        let without = CheckoutForm {
            province: String::new(),
            city: String::new(),
            district: String::new(),
            detail: String::new(),
            ..form("张三")
        };
        wishes::add(&ctx, "massage", &massage(at(14, 0), None)).await.unwrap();
        order::save_checkout(&ctx, without.clone(), true).await.unwrap();
        let number = submit(&ctx).await.unwrap();
        let placed = order::get(&ctx, &number).await.unwrap();
        assert_eq!((placed.totals.shipping, placed.totals.total), (Amount::ZERO, Amount(20_000)));
        assert_eq!((&*placed.contact.recipient, &*placed.contact.region, &*placed.region_name), ("张三", "", ""));
        let change = |form| OrderChange { version: placed.version, quantities: vec![], form: Some(form) };
        order::change(&ctx, &number, change(CheckoutForm { recipient: "李四".into(), ..without.clone() }))
            .await
            .unwrap();
        assert_eq!(order::get(&ctx, &number).await.unwrap().contact.recipient, "李四");

        wishes::add(&ctx, "massage", &massage(at(16, 0), None)).await.unwrap();
        let seen = submission(&order::review(&ctx, None).await.unwrap());
        cart::add(&ctx, "mug", 1).await.unwrap();
        let missing = |error: &Error| error.problem("district") == Some(Problem::Required);
        assert!(order::submit(&ctx, seen).await.is_err_and(|error| missing(&error)), "a mug goes somewhere");
        assert!(order::save_checkout(&ctx, without, true).await.is_err_and(|error| missing(&error)));
        assert!(order::review(&ctx, None).await.is_err_and(|error| missing(&error)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_costs_nothing_is_booked_at_once() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        wishes::add(&ctx, "table", &dinner(at(18, 0), 3)).await.unwrap();
        let number = submit(&ctx).await.unwrap();
        let placed = order::get(&ctx, &number).await.unwrap();
        assert_eq!((placed.state, placed.totals.total), (State::ToShip, Amount::ZERO));
        let kinds: Vec<_> = placed.events.iter().map(|event| event.kind.clone()).collect();
        assert_eq!(kinds, [EventKind::Placed, EventKind::Paid]);
        // Both tables, and three covers.
        assert_eq!((balanced(&app).await, states(&app, "taken").await), (3, 3));
        let full = wishes::add(&ctx, "table", &dinner(at(17, 0), 2)).await;
        assert!(matches!(full, Err(Error::SlotTaken(_))), "the tables are taken for two hours");
        assert!(
            matches!(wishes::add(&ctx, "table", &dinner(at(20, 0), 2)).await, Err(Error::SlotTaken(_))),
            "closed too soon"
        );
        exec(&app, "update capacity set claimed = 6 where resource_id = 'bistro'").await;
        order::cancel(&ctx, &number).await.unwrap();
        let paced = wishes::add(&ctx, "table", &dinner(at(18, 0), 4)).await;
        assert!(matches!(paced, Err(Error::SlotTaken(_))), "the kitchen keeps up with six in a quarter of an hour");
        wishes::add(&ctx, "table", &dinner(at(18, 15), 4)).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bookings_of_one_cart_are_not_for_the_same_seat_or_hour() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        let add =
            async |variant: &str, wish: Wish| wishes::add(&ctx, variant, &wish).await.map(|cart| cart.bookings.len());
        let gone = |answer: Result<usize, Error>| matches!(answer, Err(Error::SlotTaken(_)));
        assert_eq!(add("massage", massage(at(14, 0), None)).await, Ok(1));
        assert_eq!(add("massage", massage(at(14, 0), None)).await, Ok(2), "there are two people");
        assert!(gone(add("massage", massage(at(14, 30), None)).await));
        assert!(gone(add("massage", massage(at(14, 7), None)).await), "no slot begins at seven past");
        assert!(gone(add("massage", massage(at(20, 30), None)).await), "it would end after hours");
        assert_eq!(add("coach", ride("counted", (0, 1), &[], 2)).await, Ok(3));
        assert!(gone(add("coach", ride("counted", (0, 2), &[], 2)).await));
        assert_eq!(add("coach", ride("counted", (1, 2), &[], 3)).await, Ok(4), "other seats on the other leg");
        assert_eq!(add("coach", ride("mapped", (0, 2), &["1A", "1B"], 2)).await, Ok(5));
        assert!(gone(add("coach", ride("mapped", (1, 2), &["1B"], 1)).await));
        assert!(gone(add("coach", ride("mapped", (0, 1), &["9Z"], 1)).await), "there is no such seat");
        assert!(gone(add("coach", ride("mapped", (0, 1), &[], 1)).await), "seats are chosen there");
        assert!(gone(add("coach", ride("none", (0, 1), &[], 1)).await));
        assert_eq!(add("twin", nights(0, 2, 1)).await, Ok(6));
        assert!(gone(add("twin", nights(1, 2, 2)).await), "one room is left in the second night");
        assert!(gone(add("twin", nights(9, 2, 1)).await), "of the night after the last nothing is known");
        assert_eq!(add("twin", massage(at(14, 0), None)).await, Err(Error::NotFound), "nobody massages in a room type");
        assert_eq!(add("mug", nights(0, 1, 1)).await, Err(Error::NotFound));
        let many = add("twin", nights(3, 1, 51)).await;
        assert_eq!(many, Err(Error::field("rooms", Problem::Range(1, 50))));
        let number = submit(&ctx).await.unwrap();
        // Two people, two counted rides, two seats, a room.
        assert_eq!(balanced(&app).await, 7);
        assert_eq!(order::get(&ctx, &number).await.unwrap().lines.len(), 6);
        assert!(matches!(cart::add(&ctx, "twin", 1).await, Err(Error::NotFound)), "a room is no goods");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_that_became_dearer_asks_for_a_nod() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        let cart = wishes::add(&ctx, "twin", &nights(0, 2, 1)).await.unwrap();
        exec(&app, "update rate set price = 15000").await;
        let refused = submit(&ctx).await;
        assert!(
            matches!(&refused, Err(Error::PriceChanged(c)) if c[0].old == Amount(20_000) && c[0].new == Amount(30_000))
        );
        cart::accept_prices(&ctx, &cart.prices()).await.unwrap();
        assert!(matches!(submit(&ctx).await, Err(Error::PriceChanged(_))), "that was another price");
        let shown = cart::get(&ctx).await.unwrap().prices();
        cart::accept_prices(&ctx, &shown).await.unwrap();
        let number = submit(&ctx).await.unwrap();
        assert_eq!(order::get(&ctx, &number).await.unwrap().totals.total, Amount(30_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_booking_is_not_given_up_for_nothing_once_it_costs_something() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        wishes::add(&ctx, "twin", &nights(0, 1, 1)).await.unwrap();
        let number = submit(&ctx).await.unwrap();
        exec(&app, "update order_booking set free_until = 1").await;
        payment::settle(&app, &charge(&app, &number, None).await).await.unwrap();
        assert_eq!(order::cancel(&ctx, &number).await, Err(Error::OrderClosed(State::ToShip)));
        assert_eq!(balanced(&app).await, 1);
        order::office_cancel(&staff(&app), &number).await.unwrap();
        assert_eq!(balanced(&app).await, 0);

        wishes::add(&ctx, "twin", &nights(0, 1, 1)).await.unwrap();
        let unpaid = submit(&ctx).await.unwrap();
        exec(&app, "update order_booking set free_until = 1").await;
        order::cancel(&ctx, &unpaid).await.unwrap();
        assert_eq!(balanced(&app).await, 0, "what is not paid is given up at any time");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_goods_leaves_the_bookings_alone() {
    both(&[MUG, Piece("pot", 9_000, 3)], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        cart::add(&ctx, "mug", 2).await.unwrap();
        wishes::add(&ctx, "twin", &nights(0, 2, 1)).await.unwrap();
        wishes::add(&later(&ctx), "twin", &nights(4, 1, 1)).await.unwrap();
        let number = submit(&ctx).await.unwrap();
        let before = order::get(&ctx, &number).await.unwrap();
        let set = |variant: &str, quantity| QuantityChange { variant_id: variant.into(), quantity };
        let change = |version, quantities| OrderChange { version, quantities, form: None };
        let more = order::change(&ctx, &number, change(before.version, vec![set("twin", 2)])).await;
        assert_eq!(more, Err(Error::field("quantity", Problem::Range(1, 1))));
        order::change(&ctx, &number, change(before.version, vec![set("mug", 5), set("twin", 1)])).await.unwrap();
        let after = order::get(&ctx, &number).await.unwrap();
        assert_eq!((after.lines.len(), after.totals.goods), (3, Amount(5 * 5_000 + 3 * 10_000)));
        assert_eq!((books(&app, "mug").await, balanced(&app).await), ((10, 5, 0), 2));
        order::change(&ctx, &number, change(after.version, vec![set("mug", 0)])).await.unwrap();
        let rooms = order::get(&ctx, &number).await.unwrap();
        assert_eq!((rooms.lines.len(), rooms.totals.total), (2, Amount(30_000)));
        assert_eq!((books(&app, "mug").await, balanced(&app).await), ((10, 0, 0), 2));
        assert!(matches!(order::again(&ctx, &number).await, Err(Error::Shortage(short)) if short.is_empty()));
        expire(&app, &number).await;
        assert_eq!(balanced(&app).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_travels_is_written_sealed_and_read_by_its_owner_alone() {
    both(&[], async |app| {
        venues::open(&app).await;
        let (ctx, other) = (guest(&app).await, guest(&app).await);
        wishes::add(&ctx, "coach", &ride("counted", (0, 2), &[], 2)).await.unwrap();
        let number = submit(&ctx).await.unwrap();
        let people = [("欧阳晓", "G12345678"), ("李雷", "")]
            .map(|(name, document)| Traveller { name: name.into(), document: document.into() });
        assert_eq!(travellers::set(&other, &number, 0, &people).await, Err(Error::NotFound));
        assert_eq!(travellers::set(&ctx, &number, 1, &people).await, Err(Error::NotFound), "there is no such line");
        let three = [people.clone().to_vec(), people[..1].to_vec()].concat();
        assert_eq!(
            travellers::set(&ctx, &number, 0, &three).await,
            Err(Error::field("travellers", Problem::Range(0, 2)))
        );
        let nameless = [Traveller { name: " ".into(), ..people[0].clone() }];
        assert_eq!(travellers::set(&ctx, &number, 0, &nameless).await, Err(Error::field("name0", Problem::Required)));
        for _ in 0..2 {
            travellers::set(&ctx, &number, 0, &people).await.unwrap();
        }
        let keys = app.clone();
        let written = app.db.read::<_, Error>(move |tx| {
            let keys = keys.clone();
            Box::pin(async move {
                let order: String = tx.one("select id from orders", args![]).await?.get("id")?;
                travellers::of(tx, &keys.keys, &order).await
            })
        });
        let written = written.await.unwrap();
        assert_eq!(written, [(0, 0, people[0].clone()), (0, 1, people[1].clone())]);
        for (_, row) in crate::member::dump(&app).await {
            assert!(!row.contains("欧阳晓") && !row.contains("G12345678"), "{row}");
        }
        expire(&app, &number).await;
        assert_eq!(travellers::set(&ctx, &number, 0, &people).await, Err(Error::OrderClosed(State::Cancelled)));
        let (shop, person) = (app.clone(), ctx.customer.clone().unwrap());
        let erased = app.db.write::<_, Error>(move |tx| {
            let (shop, person) = (shop.clone(), person.clone());
            Box::pin(async move { order::erase_some(tx, &shop.keys, &person, 10).await })
        });
        assert_eq!(erased.await.map(|erased| erased.orders), Ok(1));
        assert_eq!(count(&app, "select count(*) as n from traveller").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_that_are_offered_can_be_booked_and_those_booked_are_offered_no_more() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        let day = async |person: Option<&str>| {
            let found = booking::slots(&ctx, "massage", venues::first_day(), 1, person, &[], &[]).await.unwrap();
            assert_eq!(found.people.iter().map(|person| &*person.id).collect::<Vec<_>>(), ["li", "wu"]);
            let [day] = &found.days[..] else { panic!("one day was asked for") };
            day.slots.iter().map(|slot| (slot.start, slot.people.clone())).collect::<Vec<_>>()
        };
        let all = day(None).await;
        // From nine on each quarter of an hour, the last at eight.
        assert_eq!((all.len(), all[0].clone(), all[44].0), (45, (at(9, 0), vec![0, 1]), at(20, 0)));
        wishes::add(&ctx, "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        submit(&ctx).await.unwrap();
        let of_wu = day(Some("wu")).await;
        let gone: Vec<_> =
            all.iter().map(|(start, _)| *start).filter(|start| !of_wu.iter().any(|(s, _)| s == start)).collect();
        assert_eq!((gone.len(), gone[0], gone[6]), (7, at(13, 15), at(14, 45)));
        assert!(of_wu.iter().all(|(_, people)| *people == [1]), "named by the place among all");
        assert!(day(None).await.contains(&(at(14, 0), vec![0])));
        // Each that is offered can be had.
        for (start, _) in of_wu.iter().step_by(4) {
            wishes::add(&ctx, "massage", &massage(*start, Some("wu"))).await.unwrap();
        }
        let month = booking::slots(&ctx, "massage", venues::first_day(), 31, None, &[0], &[]).await.unwrap();
        assert_eq!((month.days.len(), month.price), (31, Amount(23_000)));
        // An hour and a half, the last from half past seven on.
        assert_eq!(month.days[1].slots.len(), 43);
        assert!(month.days[1].slots.iter().all(|slot| slot.people.is_empty()));
        for (variant, days, add_ons, error) in [
            ("twin", 1, vec![], Error::NotFound),
            ("nothing", 1, vec![], Error::NotFound),
            ("massage", 0, vec![], Error::field("days", Problem::Range(1, 31))),
            ("massage", 32, vec![], Error::field("days", Problem::Range(1, 31))),
            ("massage", 1, vec![7], Error::field("add_ons", Problem::Choice)),
        ] {
            let refused = booking::slots(&ctx, variant, venues::first_day(), days, None, &add_ons, &[]).await;
            assert_eq!(refused.err(), Some(error), "{variant}, {days}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bookings_of_a_guest_come_along_into_the_account() {
    in_world(async |world| {
        venues::open(&world.app).await;
        let mut guest = world.browser();
        let wish = serde_json::to_string(&massage(at(14, 0), None)).unwrap();
        let form = [("variant_id", "massage"), ("wish", &*wish)];
        let (status, cart) = guest.post("/api/booking/add", &form).await.unwrap();
        assert_eq!(status, 200, "{cart}");
        world.enter(&mut guest, PHONE).await;
        let cart = guest.get("/api/cart/get").await.unwrap();
        assert_eq!(cart["bookings"].as_array().map(Vec::len), Some(1), "{cart}");
        let asked = format!("/api/booking/slots?variant_id=massage&date={}&days=1", venues::first_day());
        let slots = guest.get(&asked).await.unwrap();
        assert_eq!(slots["days"][0]["slots"].as_array().map(Vec::len), Some(45), "{slots}");
        let id = cart["bookings"][0]["id"].as_str().unwrap();
        for _ in 0..2 {
            let (status, cart) = guest.post("/api/booking/remove", &[("id", id)]).await.unwrap();
            assert_eq!((status, &cart["bookings"]), (200, &serde_json::Value::Null));
        }
    })
    .await;
}
