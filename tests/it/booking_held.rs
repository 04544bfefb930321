//! Moves of bookings that have to be paid first: what is needed elsewhere is held beside what the booking has, until it is
//! paid, given up or over, whichever comes first.

use crate::{
    booking::balanced,
    booking_after::{of_field, paid, refunded, states, taken},
    booking_trip::{departure, stop},
    guests::guest,
    member::exec,
    shop::{balance, staff},
    till::{press, with_till},
    venues::{self, at, first_day, massage, nights, ride},
};
use xiadan::{
    args,
    domain::{
        Error,
        booking::{
            after::{Mark, MoveAnswer},
            agenda::MoveOrder,
            date::LocalDate,
            trips::Moved,
        },
        error::Problem,
        money::Amount,
        order::{BookingState, EventKind, State},
    },
    server::{
        App, Ctx,
        audit::{self, Finding},
        booking::{after, held, moving, wishes},
        books, order,
        payment::{
            self, Settled,
            provider::{Notification, Outcome},
        },
    },
};

fn day(days: i64) -> String {
    first_day().plus(days).to_string()
}

/// Two nights from the first day on, for 200; from the fifth day on two nights cost 240.
async fn stay(app: &App) -> (Ctx, String) {
    let ctx = guest(app).await;
    wishes::add(&ctx, "twin", &nights(0, 2, 1)).await.unwrap();
    let number = paid(&ctx).await;
    (ctx, number)
}

async fn open(app: &App) {
    venues::open(app).await;
    exec(app, "update rate set price = 12000 where day >= (select min(day) + 5 from rate)").await;
}

/// Confirms the move of a stay to a day, while the provider does not answer: the move is held all the same.
async fn hold(ctx: &Ctx, number: &str, to: &str, due: i64) {
    let held = held::hold(ctx, number, 0, (to, ""), Amount(due)).await;
    assert_eq!(held, Err(Error::ProviderUnavailable));
}

/// What the provider will say of the payment that was begun last for a move.
async fn money(app: &App) -> Notification {
    let sql = "select id, amount from payment where move_id is not null order by created_at desc, id desc limit 1";
    let row = app.db.one(sql, args![]).await.unwrap();
    let payment_id: String = row.get("id").unwrap();
    Notification {
        reference: format!("ref-{payment_id}"),
        payment_id,
        outcome: Outcome::Succeeded,
        amount: row.get("amount").unwrap(),
        currency: "CNY".into(),
    }
}

/// The date of the first line of an order.
async fn date(ctx: &Ctx, number: &str) -> LocalDate {
    order::get(ctx, number).await.unwrap().lines[0].booking.as_ref().unwrap().date
}

/// The events that tell of moves of the first line.
async fn told(ctx: &Ctx, number: &str) -> Vec<EventKind> {
    let events = order::get(ctx, number).await.unwrap().events.into_iter().map(|event| event.kind);
    let about = |kind: &EventKind| {
        matches!(kind, EventKind::MoveHeld { .. } | EventKind::MoveEnded { .. } | EventKind::BookingMoved { .. })
    };
    events.filter(about).collect()
}

fn ended(expired: bool) -> EventKind {
    EventKind::MoveEnded { position: 0, title: "客栈".into(), expired }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_goes_where_it_costs_more_once_that_is_paid() {
    with_till(&[], async |till| {
        let app = till.app.clone();
        open(&app).await;
        let (ctx, number) = stay(&app).await;
        let provider = till.start().await;
        let to = day(5);
        let hold = async |due: i64| held::hold(&ctx, &number, 0, (&to, ""), Amount(due)).await;
        let shown = held::quote(&ctx, &number, 0, &to, "").await.unwrap();
        assert_eq!(shown.cost, Moved { to_pay: Amount(4_000), ..Moved::default() });
        assert!(shown.label.contains(&to), "{}", shown.label);
        let answer = moving::move_to(&ctx, &number, 0, &to, "").await;
        assert_eq!(answer, Ok(MoveAnswer::Due(shown.cost)));
        assert_eq!(hold(3_999).await, Err(Error::Conflict), "another sum than was shown");
        assert_eq!(balanced(&app).await, 1);

        let cashier = hold(4_000).await.unwrap();
        assert_eq!(hold(4_000).await.as_ref(), Ok(&cashier), "twice is once");
        assert_eq!(held::pay(&ctx, &number, 0).await.as_ref(), Ok(&cashier));
        let choices = after::choices(&ctx, &number, 0).await.unwrap();
        assert!(!choices.movable);
        let waits = choices.held.unwrap();
        let until = ctx.now + app.config.hold_ms;
        assert_eq!((waits.fee, waits.due, waits.until), (Amount::ZERO, Amount(4_000), until));
        assert_eq!(moving::move_to(&ctx, &number, 0, &day(2), "").await, Err(Error::Conflict), "one at a time");
        assert_eq!((date(&ctx, &number).await, balanced(&app).await), (first_day(), 2), "it has both");
        balance(&app).await;

        press(&cashier, "failure").await;
        assert_eq!(date(&ctx, &number).await, first_day());
        let cashier = held::pay(&ctx, &number, 0).await.unwrap();
        press(&cashier, "twice").await;
        let moved = order::get(&ctx, &number).await.unwrap();
        assert_eq!((date(&ctx, &number).await, balanced(&app).await), (first_day().plus(5), 1));
        assert!(moved.lines[0].label.contains(&to), "{}", moved.lines[0].label);
        assert_eq!((moved.state, moved.refunds.len()), (State::ToShip, 0));
        assert_eq!(
            (moved.totals.total, moved.added(), moved.returnable()),
            (Amount(20_000), Amount(4_000), Amount(24_000))
        );
        let [EventKind::MoveHeld { due: Amount(4_000), .. }, EventKind::BookingMoved { added: Amount(4_000), .. }] =
            &told(&ctx, &number).await[..]
        else {
            panic!("{:?}", told(&ctx, &number).await)
        };
        assert!(after::choices(&ctx, &number, 0).await.unwrap().held.is_none());
        balance(&app).await;

        // All that was paid for it comes back.
        assert_eq!(after::cancel(&ctx, &number, 0, Amount(20_000)).await, Err(Error::Conflict));
        after::cancel(&ctx, &number, 0, Amount(24_000)).await.unwrap();
        let gone = order::get(&ctx, &number).await.unwrap();
        assert_eq!((gone.state, refunded(&gone), balanced(&app).await), (State::Cancelled, Amount(24_000), 0));
        balance(&app).await;
        assert!(matches!(audit::verify(&app).await, Ok(Finding::Whole(_))));
        provider.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_booking_has_already_is_not_claimed_a_second_time() {
    with_till(&[], async |till| {
        let app = till.app;
        open(&app).await;
        exec(&app, "update rate set price = 12000 where day = (select min(day) + 2 from rate)").await;
        let (ctx, number) = stay(&app).await;
        // The other room of the second night is somebody else's, and both of the night after the next.
        let other = guest(&app).await;
        wishes::add(&other, "twin", &nights(1, 1, 1)).await.unwrap();
        paid(&other).await;
        wishes::add(&other, "twin", &nights(3, 1, 2)).await.unwrap();
        paid(&other).await;
        assert!(taken(&moving::move_to(&ctx, &number, 0, &day(2), "").await));
        hold(&ctx, &number, &day(1), 2_000).await;
        balance(&app).await;
        assert_eq!(balanced(&app).await, 4);
        assert_eq!(payment::settle(&app, &money(&app).await).await, Ok(Settled::Moved));
        assert_eq!((date(&ctx, &number).await, balanced(&app).await), (first_day().plus(1), 3));
        balance(&app).await;
        // The first night is free again.
        wishes::add(&other, "twin", &nights(0, 1, 2)).await.unwrap();
        paid(&other).await;
        balance(&app).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_nobody_pays_in_time_ends_by_itself_and_late_money_goes_back() {
    with_till(&[], async |till| {
        let app = till.app;
        open(&app).await;
        let (ctx, number) = stay(&app).await;
        hold(&ctx, &number, &day(5), 4_000).await;
        let until = ctx.now + app.config.hold_ms;
        assert_eq!(held::expire_due(&app, until - 1).await, Ok(0), "not before its time");
        let twice = futures::future::join_all((0..4).map(|_| held::expire_due(&app, until))).await;
        assert_eq!(twice.into_iter().map(Result::unwrap).sum::<usize>(), 1, "once, on however many nodes");
        assert_eq!((date(&ctx, &number).await, balanced(&app).await), (first_day(), 1));
        assert_eq!(told(&ctx, &number).await.last(), Some(&ended(true)));
        assert_eq!(held::pay(&ctx, &number, 0).await, of_field("position", Problem::MoveOver));
        balance(&app).await;

        let money = money(&app).await;
        assert_eq!(payment::settle(&app, &money).await, Ok(Settled::Refunded));
        assert_eq!(payment::settle(&app, &money).await, Ok(Settled::Nothing));
        let after = order::get(&ctx, &number).await.unwrap();
        assert_eq!((after.state, refunded(&after), after.added()), (State::ToShip, Amount(4_000), Amount::ZERO));
        assert_eq!((date(&ctx, &number).await, balanced(&app).await), (first_day(), 1));
        balance(&app).await;

        // Another try, of which the money comes before the clock; a word of failure after it changes nothing.
        hold(&ctx, &number, &day(5), 4_000).await;
        let money = self::money(&app).await;
        assert_eq!(payment::settle(&app, &money).await, Ok(Settled::Moved));
        let failed = Notification { outcome: Outcome::Failed, ..money.clone() };
        assert_eq!(payment::settle(&app, &failed).await, Ok(Settled::Nothing));
        assert_eq!(payment::settle(&app, &money).await, Ok(Settled::Nothing));
        assert_eq!(held::expire_due(&app, until + 1).await, Ok(0));
        assert_eq!((date(&ctx, &number).await, balanced(&app).await), (first_day().plus(5), 1));
        order::cancel(&ctx, &number).await.unwrap();
        let gone = order::get(&ctx, &number).await.unwrap();
        assert_eq!((gone.state, refunded(&gone)), (State::Cancelled, Amount(28_000)), "with what came too late");
        balance(&app).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_given_up_by_its_customer_and_touched_by_nobody_else() {
    with_till(&[], async |till| {
        let app = till.app;
        open(&app).await;
        let ((ctx, number), stranger) = (stay(&app).await, guest(&app).await);
        let to = day(5);
        assert_eq!(held::quote(&stranger, &number, 0, &to, "").await, Err(Error::NotFound));
        let held = held::hold(&stranger, &number, 0, (&to, ""), Amount(4_000)).await;
        assert_eq!(held, Err(Error::NotFound));
        hold(&ctx, &number, &to, 4_000).await;
        assert_eq!(held::pay(&stranger, &number, 0).await, Err(Error::NotFound));
        assert_eq!(held::give_up(&stranger, &number, 0).await, Err(Error::NotFound));
        let full = guest(&app).await;
        let both = nights(5, 1, 2);
        assert!(wishes::add(&full, "twin", &both).await.is_err(), "one of the rooms is held");
        assert_eq!(balanced(&app).await, 2);

        for _ in 0..2 {
            held::give_up(&ctx, &number, 0).await.unwrap();
        }
        assert_eq!((date(&ctx, &number).await, balanced(&app).await), (first_day(), 1));
        assert_eq!(told(&ctx, &number).await.iter().filter(|kind| **kind == ended(false)).count(), 1);
        assert_eq!(payment::settle(&app, &money(&app).await).await, Ok(Settled::Refunded), "it was given up");
        wishes::add(&full, "twin", &both).await.unwrap();
        paid(&full).await;
        let refused = held::hold(&ctx, &number, 0, (&to, ""), Amount(4_000)).await;
        assert!(taken(&refused), "somebody else has it now: {refused:?}");
        assert_eq!(states(&ctx, &number).await, [BookingState::Booked]);
        balance(&app).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_payment_and_the_end_of_a_move_one_wins() {
    with_till(&[], async |till| {
        let app = till.app;
        open(&app).await;
        for round in 0..6 {
            let (ctx, number) = stay(&app).await;
            hold(&ctx, &number, &day(5), 4_000).await;
            let (money, until) = (money(&app).await, ctx.now + app.config.hold_ms);
            let (first, second, expired, given_up) = tokio::join!(
                payment::settle(&app, &money),
                payment::settle(&app, &money),
                async { if round % 2 == 0 { held::expire_due(&app, until).await } else { Ok(0) } },
                async { if round % 2 == 1 { held::give_up(&ctx, &number, 0).await } else { Ok(()) } },
            );
            let settled = [first.unwrap(), second.unwrap()];
            assert!(expired.is_ok() && given_up.is_ok(), "{expired:?} {given_up:?}");
            let moved = settled.contains(&Settled::Moved);
            let (place, back) = if moved { (5, 24_000) } else { (0, 20_000) };
            assert!(settled.contains(&Settled::Nothing), "{settled:?}");
            assert_eq!(settled.contains(&Settled::Refunded), !moved, "{settled:?}");
            assert_eq!((date(&ctx, &number).await, balanced(&app).await), (first_day().plus(place), 1), "{settled:?}");
            balance(&app).await;
            after::cancel(&ctx, &number, 0, Amount(back)).await.unwrap();
            assert_eq!(refunded(&order::get(&ctx, &number).await.unwrap()), Amount(24_000));
            balance(&app).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fee_of_a_change_stays_with_the_venue_whatever_becomes_of_the_booking() {
    with_till(&[], async |till| {
        let app = till.app;
        venues::open(&app).await;
        for (id, hour) in [("next", 33), ("noon", 36)] {
            let stops = [("x9", hour), ("x11", hour + 2), ("x13", hour + 4)];
            let stops = stops.map(|(place, hour)| stop(place, "Asia/Shanghai", at(hour, 0)));
            departure(&app, id, stops.into(), 3).await;
        }
        let rule = "update offer set detail = replace(detail, '\"change\":null',
            '\"change\":{\"from\":{\"Before\":{\"ms\":7200000}},\"fee\":500,\"refunds_difference\":true}')
            where variant_id = 'coach'";
        exec(&app, rule).await;
        let mut numbers = Vec::new();
        let ctx = guest(&app).await;
        for _ in 0..2 {
            wishes::add(&ctx, "coach", &ride("counted", (0, 2), &[], 1)).await.unwrap();
            numbers.push(paid(&ctx).await);
        }
        for number in &numbers {
            let cost = Moved { fee: Amount(500), to_pay: Amount(500), refund: Amount::ZERO };
            assert_eq!(held::quote(&ctx, number, 0, &day(1), "09:00").await.unwrap().cost, cost);
            let held = held::hold(&ctx, number, 0, (&day(1), "09:00"), Amount(500)).await;
            assert_eq!(held, Err(Error::ProviderUnavailable));
            assert_eq!(payment::settle(&app, &money(&app).await).await, Ok(Settled::Moved));
            let moved = order::get(&ctx, number).await.unwrap();
            assert_eq!((moved.added(), moved.returnable()), (Amount(500), Amount(5_000)));
        }
        balance(&app).await;
        let settlement = after::choices(&ctx, &numbers[0], 0).await.unwrap().settlement;
        assert_eq!((settlement.fee, settlement.refund), (Amount::ZERO, Amount(5_000)));
        after::cancel(&ctx, &numbers[0], 0, Amount(5_000)).await.unwrap();
        order::cancel(&ctx, &numbers[1]).await.unwrap();
        for number in &numbers {
            let gone = order::get(&ctx, number).await.unwrap();
            assert_eq!((gone.state, refunded(&gone)), (State::Cancelled, Amount(5_000)));
        }
        assert_eq!(balanced(&app).await, 0);
        balance(&app).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_ends_when_something_else_happens_to_its_booking() {
    with_till(&[], async |till| {
        let app = till.app;
        open(&app).await;
        let (ctx, whole) = stay(&app).await;
        hold(&ctx, &whole, &day(5), 4_000).await;
        let of_whole = money(&app).await;
        order::cancel(&ctx, &whole).await.unwrap();
        assert_eq!(told(&ctx, &whole).await.last(), Some(&ended(false)));
        assert_eq!(balanced(&app).await, 0);

        let (other, one) = stay(&app).await;
        hold(&other, &one, &day(5), 4_000).await;
        let of_one = money(&app).await;
        after::cancel(&other, &one, 0, Amount(20_000)).await.unwrap();
        assert_eq!(told(&other, &one).await.last(), Some(&ended(false)));
        assert_eq!(balanced(&app).await, 0);
        for (ctx, number, money) in [(&ctx, &whole, of_whole), (&other, &one, of_one)] {
            assert_eq!(payment::settle(&app, &money).await, Ok(Settled::Refunded));
            let gone = order::get(ctx, number).await.unwrap();
            assert_eq!((gone.state, refunded(&gone)), (State::Cancelled, Amount(24_000)));
        }
        balance(&app).await;

        let (third, marked) = stay(&app).await;
        hold(&third, &marked, &day(5), 4_000).await;
        let there = Ctx { now: at(15, 0), ..staff(&app) };
        after::mark(&there, &marked, 0, Mark::CheckedIn).await.unwrap();
        assert_eq!((told(&third, &marked).await.last(), balanced(&app).await), (Some(&ended(false)), 1));
        assert_eq!(payment::settle(&app, &money(&app).await).await, Ok(Settled::Refunded));
        balance(&app).await;

        // The office takes an hour elsewhere for which its customer was about to pay.
        let fourth = guest(&app).await;
        wishes::add(&fourth, "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        let hour = paid(&fourth).await;
        exec(&app, "update variant set price = 25000 where id = 'massage'").await;
        let first = day(0);
        let held = held::hold(&fourth, &hour, 0, (&first, "14:30"), Amount(5_000)).await;
        assert_eq!(held, Err(Error::ProviderUnavailable));
        assert_eq!(balanced(&app).await, 3, "half an hour more of wu is held");
        let to = MoveOrder {
            number: hour.clone(),
            version: 1,
            date: first,
            time: "16:00".into(),
            resource: "wu".into(),
            ..MoveOrder::default()
        };
        moving::move_for_customer(&staff(&app), &to).await.unwrap();
        let moved = order::get(&fourth, &hour).await.unwrap();
        assert_eq!(moved.lines[0].booking.as_ref().map(|booking| booking.start), Some(at(16, 0)));
        assert_eq!((moved.added(), balanced(&app).await), (Amount::ZERO, 2));
        assert_eq!(payment::settle(&app, &money(&app).await).await, Ok(Settled::Refunded));
        balance(&app).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_the_books_of_moves_are_found() {
    with_till(&[], async |till| {
        let app = till.app;
        open(&app).await;
        let (ctx, number) = stay(&app).await;
        hold(&ctx, &number, &day(5), 4_000).await;
        let table: [(&'static str, &'static str, &[&str]); 4] = [
            (
                "update booking_move set state = 'expired'",
                "update booking_move set state = 'held'",
                &["claims of unpaid orders and of held moves"],
            ),
            (
                "update booking_move set state = 'paid'",
                "update booking_move set state = 'held'",
                &[
                    "a move that was made is paid once",
                    "what was added to a booking",
                    "claims of unpaid orders and of held moves",
                ],
            ),
            (
                "update order_booking set added = 1",
                "update order_booking set added = 0",
                &["a paid order has the payments", "what was added to a booking"],
            ),
            (
                "update payment set state = 'succeeded' where move_id is not null",
                "update payment set state = 'pending' where move_id is not null",
                &["a paid order has the payments", "a move that was made is paid once"],
            ),
        ];
        balance(&app).await;
        for (breaks, mends, rules) in table {
            exec(&app, breaks).await;
            let mut found: Vec<_> =
                books::check(&app.db).await.unwrap().problems.iter().map(|found| found.rule).collect();
            found.dedup();
            let told =
                found.len() == rules.len() && found.iter().zip(rules).all(|(found, rule)| found.starts_with(rule));
            assert!(told, "{breaks}: {found:?}");
            exec(&app, mends).await;
            balance(&app).await;
        }
    })
    .await;
}
