//! What comes after a booking, rule by rule: it is given up or moved by the rules that were shown before paying, and the
//! venue says who came.

use crate::{
    booking::balanced,
    door::Door,
    guests::guest,
    member::{Member, exec, member, number as count, posted, reached_by},
    order::charge,
    shop::{Piece, books, both, form, later, staff, submit},
    venues::{self, at, dinner, first_day, massage, nights, ride},
};
use futures::future::join_all;
use xiadan::{
    args,
    domain::{
        Error,
        booking::{
            after::{Mark, MoveAnswer},
            trips::Moved,
        },
        error::Problem,
        money::Amount,
        order::{BookingState, EventKind, Order, State},
    },
    server::{
        App, Ctx,
        audit::{self, Finding},
        booking::{after, moving, remind, wishes},
        cart, order,
        payment::{self, Settled},
    },
};

const MUG: Piece = Piece("mug", 5_000, 10);
pub const LI: &str = "+8613800138000";

/// Somebody with an account who is reached by mail, and whose form is filled in.
pub async fn owner(app: &App, phone: &str, email: &str) -> Member {
    let member = member(app, phone).await;
    reached_by(&member, email).await;
    order::save_checkout(&member.ctx, form("李雷"), true).await.unwrap();
    member
}

/// What is in the cart, as a paid order.
pub async fn paid(ctx: &Ctx) -> String {
    let number = submit(ctx).await.unwrap();
    let order = order::get(ctx, &number).await.unwrap();
    if order.totals.total > Amount::ZERO {
        let money = charge(&ctx.app, &number, None).await;
        assert_eq!(payment::settle(&ctx.app, &money).await, Ok(Settled::Paid));
    }
    number
}

/// The same browser at another moment.
fn moment(ctx: &Ctx, now: i64) -> Ctx {
    Ctx { now, ..ctx.clone() }
}

pub async fn states(ctx: &Ctx, number: &str) -> Vec<BookingState> {
    let lines = order::get(ctx, number).await.unwrap().lines;
    lines.iter().filter_map(|line| line.booking.as_ref().map(|booking| booking.state)).collect()
}

pub fn refunded(order: &Order) -> Amount {
    order.refunds.iter().map(|refund| refund.amount).sum()
}

async fn sold(app: &App, product: &str) -> i64 {
    app.db.one("select sales from product where id = $1", args![product]).await.unwrap().get("sales").unwrap()
}

pub fn of_field<T>(field: &str, problem: Problem) -> Result<T, Error> {
    Err(Error::field(field, problem))
}

pub fn taken<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::SlotTaken(_)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_is_given_up_for_the_fee_that_was_shown_before_paying() {
    both(&[MUG], async |app| {
        venues::open(&app).await;
        exec(&app, "update venue set policies = replace(policies, '\"Share\":10000', '\"Share\":3000')").await;
        let ctx = guest(&app).await;
        cart::add(&ctx, "mug", 2).await.unwrap();
        wishes::add(&ctx, "twin", &nights(0, 3, 1)).await.unwrap();
        let number = paid(&ctx).await;
        // What the venue says by now is of no consequence.
        exec(&app, "update venue set policies = replace(policies, '\"Share\":3000', '\"Share\":9000')").await;
        let early = after::choices(&ctx, &number, 1).await.unwrap();
        assert_eq!(
            (early.settlement.fee, early.settlement.refund, early.movable),
            (Amount::ZERO, Amount(30_000), true)
        );
        let late = moment(&ctx, at(-24, 0));
        let shown = after::choices(&late, &number, 1).await.unwrap();
        assert_eq!((shown.settlement.fee, shown.settlement.refund), (Amount(9_000), Amount(21_000)));
        assert!(shown.open && !shown.movable && !shown.by_hour);
        assert_eq!(order::cancel(&late, &number).await, Err(Error::OrderClosed(State::ToShip)), "not for nothing");

        assert_eq!(after::cancel(&late, &number, 1, Amount(30_000)).await, Err(Error::Conflict), "another sum");
        assert_eq!((balanced(&app).await, sold(&app, "inn").await), (1, 1));
        let twice = join_all((0..4).map(|_| after::cancel(&late, &number, 1, Amount(21_000)))).await;
        assert!(twice.iter().all(Result::is_ok), "{twice:?}");
        let left = order::get(&ctx, &number).await.unwrap();
        assert_eq!((left.state, left.refunds.len(), refunded(&left)), (State::ToShip, 1, Amount(21_000)));
        assert_eq!(left.returnable(), left.totals.total - Amount(30_000));
        assert_eq!(states(&ctx, &number).await, [BookingState::Cancelled]);
        assert_eq!((books(&app, "mug").await, balanced(&app).await, sold(&app, "inn").await), ((8, 0, 2), 0, 0));
        let event = EventKind::BookingCancelled {
            position: 1,
            title: "客栈".into(),
            fee: Amount(9_000),
            refund: Amount(21_000),
        };
        assert_eq!(left.events.iter().filter(|told| told.kind == event).count(), 1);

        // The rest comes back without what was kept.
        order::cancel(&ctx, &number).await.unwrap();
        let gone = order::get(&ctx, &number).await.unwrap();
        assert_eq!((gone.state, refunded(&gone)), (State::Cancelled, gone.totals.total - Amount(9_000)));
        assert_eq!((books(&app, "mug").await, sold(&app, "inn").await, sold(&app, "p").await), ((10, 0, 0), 0, 0));
        assert!(matches!(audit::verify(&app).await, Ok(Finding::Whole(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_ends_with_the_last_of_its_bookings() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        wishes::add(&ctx, "twin", &nights(0, 1, 1)).await.unwrap();
        wishes::add(&later(&ctx), "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        let number = paid(&ctx).await;
        assert_eq!(after::cancel(&ctx, &number, 2, Amount(1)).await, Err(Error::NotFound), "there is no such line");
        let stranger = guest(&app).await;
        assert_eq!(after::cancel(&stranger, &number, 0, Amount(10_000)).await, Err(Error::NotFound));
        after::cancel(&ctx, &number, 0, Amount(10_000)).await.unwrap();
        assert_eq!(order::get(&ctx, &number).await.unwrap().state, State::ToShip);
        after::cancel(&ctx, &number, 1, Amount(20_000)).await.unwrap();
        after::cancel(&ctx, &number, 1, Amount(20_000)).await.unwrap();
        let gone = order::get(&ctx, &number).await.unwrap();
        assert_eq!((gone.state, gone.refunds.len(), refunded(&gone)), (State::Cancelled, 2, gone.totals.total));
        assert_eq!(balanced(&app).await, 0);
        // Cancelled by its customer: money that comes now does not buy it again.
        let money = charge(&app, &number, None).await;
        assert_eq!(payment::settle(&app, &money).await, Ok(Settled::Refunded));

        // Begun, and unpaid.
        wishes::add(&ctx, "table", &dinner(at(18, 0), 2)).await.unwrap();
        let table = paid(&ctx).await;
        let begun = moment(&ctx, at(18, 0));
        assert_eq!(after::cancel(&begun, &table, 0, Amount::ZERO).await, of_field("position", Problem::BookingOver));
        after::cancel(&ctx, &table, 0, Amount::ZERO).await.unwrap();
        let free = order::get(&ctx, &table).await.unwrap();
        assert_eq!((free.state, free.refunds.len()), (State::Cancelled, 0));
        wishes::add(&ctx, "massage", &massage(at(14, 0), None)).await.unwrap();
        let unpaid = submit(&ctx).await.unwrap();
        let refused = after::cancel(&ctx, &unpaid, 0, Amount(20_000)).await;
        assert_eq!(refused, Err(Error::OrderClosed(State::ToPay)), "the order itself is given up then");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_is_moved_to_where_it_costs_no_more() {
    both(&[], async |app| {
        venues::open(&app).await;
        exec(&app, "update rate set price = 8000 where day >= (select min(day) + 5 from rate)").await;
        let ctx = guest(&app).await;
        wishes::add(&ctx, "twin", &nights(0, 2, 1)).await.unwrap();
        let number = paid(&ctx).await;
        let day = |days: i64| first_day().plus(days).to_string();
        let to = async |days: i64| moving::move_to(&ctx, &number, 0, &day(days), "").await;
        to(0).await.unwrap();
        assert_eq!(refunded(&order::get(&ctx, &number).await.unwrap()), Amount::ZERO, "it is there already");
        // One night of it is its own.
        to(1).await.unwrap();
        to(5).await.unwrap();
        to(5).await.unwrap();
        let moved = order::get(&ctx, &number).await.unwrap();
        let booking = moved.lines[0].booking.clone().unwrap();
        assert_eq!(
            (booking.date, booking.start, booking.free_until),
            (first_day().plus(5), at(5 * 24 + 15, 0), at(2 * 24, 0))
        );
        assert!(moved.lines[0].label.contains(&day(5)), "{}", moved.lines[0].label);
        assert_eq!((refunded(&moved), moved.returnable()), (Amount(4_000), Amount(16_000)));
        assert_eq!((balanced(&app).await, moved.lines[0].unit_price), (1, Amount(20_000)));
        let dearer = Moved { to_pay: Amount(4_000), ..Moved::default() };
        assert_eq!(to(0).await, Ok(MoveAnswer::Due(dearer)), "it is said what would have to be paid");
        let full = guest(&app).await;
        wishes::add(&full, "twin", &nights(7, 1, 2)).await.unwrap();
        let others = paid(&full).await;
        assert!(taken(&to(6).await), "both rooms of a night are somebody else's");
        assert!(taken(&to(9).await), "nothing is known of the second night");
        assert_eq!(states(&ctx, &number).await, [BookingState::Booked]);
        assert_eq!(balanced(&app).await, 2, "it stays where it is");
        let nonsense = moving::move_to(&ctx, &number, 0, "2026-02-30", "").await;
        assert_eq!(nonsense, of_field("date", Problem::Choice));
        let late = moment(&ctx, at(5 * 24 - 24, 0));
        let refused = moving::move_to(&late, &number, 0, &day(7), "").await;
        assert!(refused.is_err(), "what costs a fee to give up is not moved away from it: {refused:?}");
        after::cancel(&full, &others, 0, Amount(16_000)).await.unwrap();
        let refused = moving::move_to(&late, &number, 0, &day(7), "").await;
        assert_eq!(refused, of_field("date", Problem::MoveCosts));
        after::cancel(&ctx, &number, 0, Amount(16_000)).await.unwrap();
        let gone = order::get(&ctx, &number).await.unwrap();
        assert_eq!((refunded(&gone), balanced(&app).await), (gone.totals.total, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_is_moved_by_the_clocks_of_the_venue_and_a_trip_is_not() {
    both(&[], async |app| {
        venues::open(&app).await;
        let (ctx, other) = (guest(&app).await, guest(&app).await);
        wishes::add(&ctx, "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        wishes::add(&later(&ctx), "coach", &ride("counted", (0, 1), &[], 1)).await.unwrap();
        let number = paid(&ctx).await;
        wishes::add(&other, "massage", &massage(at(17, 0), Some("wu"))).await.unwrap();
        paid(&other).await;
        let day = first_day().to_string();
        let to = async |time: &str| moving::move_to(&ctx, &number, 0, &day, time).await;
        assert_eq!(to("").await, of_field("time", Problem::Required));
        assert_eq!(to("25:00").await, of_field("time", Problem::Choice));
        let free = after::times(&ctx, &number, 0, &day).await.unwrap();
        assert!(free.contains(&(12 * 60)) && !free.contains(&(16 * 60 + 30)) && !free.contains(&(14 * 60)), "{free:?}");
        assert_eq!(after::times(&ctx, &number, 1, &day).await, Ok(vec![]), "a trip has departures");
        assert_eq!(after::times(&other, &number, 0, &day).await, Err(Error::NotFound));
        assert!(taken(&to("16:30").await), "wu is with somebody else by five");
        assert!(taken(&to("20:30").await), "it would end after hours");
        to("14:30").await.unwrap();
        let moved = order::get(&ctx, &number).await.unwrap();
        assert_eq!(moved.lines[0].booking.as_ref().map(|booking| booking.start), Some(at(14, 30)));
        assert!(moved.lines[0].label.ends_with("14:30 · wu"), "{}", moved.lines[0].label);
        assert_eq!((moved.refunds.len(), balanced(&app).await), (0, 3));
        let sql = "select count(*) as n from claim where state = 'taken'";
        assert_eq!(count(&app, sql).await, 3, "it is paid for where it is now");
        let trip = moving::move_to(&ctx, &number, 1, &day, "").await;
        assert_eq!(trip, of_field("date", Problem::Choice));
        assert!(!after::choices(&ctx, &number, 1).await.unwrap().movable);
        // Of those who want the same hour one gets it.
        let (mine, theirs) = (guest(&app).await, guest(&app).await);
        let mut numbers = Vec::new();
        for (ctx, hour) in [(&mine, 9), (&theirs, 10)] {
            wishes::add(ctx, "massage", &massage(at(hour, 0), Some("li"))).await.unwrap();
            numbers.push(paid(ctx).await);
        }
        let both = [
            moving::move_to(&mine, &numbers[0], 0, &day, "12:00"),
            moving::move_to(&theirs, &numbers[1], 0, &day, "12:30"),
        ];
        let both = join_all(both).await;
        assert_eq!(both.iter().filter(|answer| answer.is_ok()).count(), 1, "{both:?}");
        assert!(both.iter().any(taken), "{both:?}");
        assert_eq!(balanced(&app).await, 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_reminded_once_and_again_after_a_move() {
    both(&[], async |app| {
        venues::open(&app).await;
        let (ctx, li) = (guest(&app).await, owner(&app, LI, "li@example.com").await);
        let mut numbers = Vec::new();
        for (ctx, person) in [(&ctx, "wu"), (&li.ctx, "li")] {
            wishes::add(ctx, "massage", &massage(at(14, 0), Some(person))).await.unwrap();
            numbers.push(paid(ctx).await);
        }
        exec(
            &app,
            "insert into notification_choice (customer_id, topic, channel, wanted, changed_at)
            select customer_id, 'order', 'email', false, 0 from account",
        )
        .await;
        let to_guest = async || {
            let told = posted(&app).await;
            told.iter().filter(|(to, text)| to == "buyer@example.cn" && text.contains(&numbers[0])).count()
        };
        assert_eq!(remind::run_due(&app, at(-10, 0) - 1).await, Ok(0), "not before its time");
        assert_eq!(remind::run_due(&app, at(-10, 0)).await, Ok(2));
        assert_eq!(to_guest().await, 1);
        let all = posted(&app).await.len();
        assert_eq!(all, 1, "who does not want to be told is not");
        // Two nodes at the same moment.
        let again = join_all((0..4).map(|_| remind::run_due(&app, at(-9, 0)))).await;
        assert!(again.iter().all(|told| *told == Ok(0)), "{again:?}");
        moving::move_to(&ctx, &numbers[0], 0, &first_day().plus(1).to_string(), "14:00").await.unwrap();
        assert_eq!(remind::run_due(&app, at(-9, 0)).await, Ok(0));
        let both = join_all((0..4).map(|_| remind::run_due(&app, at(14, 0)))).await;
        assert_eq!(both.into_iter().map(Result::unwrap).sum::<usize>(), 1);
        assert_eq!(to_guest().await, 2);
        after::cancel(&li.ctx, &numbers[1], 0, Amount(20_000)).await.unwrap();
        exec(&app, "update order_booking set reminded_at = null").await;
        assert_eq!(remind::run_due(&app, at(24 + 13, 0)).await, Ok(1), "of what was given up nobody is reminded");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_in_the_middle_has_done_nothing_and_is_done_when_it_is_tried_again() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        wishes::add(&ctx, "massage", &massage(at(14, 0), None)).await.unwrap();
        wishes::add(&later(&ctx), "twin", &nights(0, 2, 1)).await.unwrap();
        let number = paid(&ctx).await;
        // What is written last cannot be written.
        exec(&app, "alter table outbox rename to outbox_elsewhere").await;
        assert_eq!(remind::run_due(&app, at(-5, 0)).await, Ok(0));
        assert!(matches!(after::cancel(&ctx, &number, 1, Amount(20_000)).await, Err(Error::Internal(_))));
        assert_eq!(states(&ctx, &number).await, [BookingState::Booked, BookingState::Booked]);
        assert_eq!((balanced(&app).await, sold(&app, "inn").await), (2, 1));
        assert!(order::get(&ctx, &number).await.unwrap().refunds.is_empty());
        exec(&app, "alter table outbox_elsewhere rename to outbox").await;
        assert_eq!(remind::run_due(&app, at(-5, 0)).await, Ok(2));
        assert_eq!(remind::run_due(&app, at(-5, 0)).await, Ok(0));
        after::cancel(&ctx, &number, 1, Amount(20_000)).await.unwrap();
        let once = order::get(&ctx, &number).await.unwrap();
        assert_eq!((once.refunds.len(), balanced(&app).await), (1, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_complete_when_its_bookings_are_over_and_its_goods_have_arrived() {
    both(&[MUG], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        wishes::add(&ctx, "massage", &massage(at(14, 0), None)).await.unwrap();
        wishes::add(&later(&ctx), "massage", &massage(at(16, 0), None)).await.unwrap();
        let number = paid(&ctx).await;
        let office = async |now: i64, position: i64, mark: Mark| {
            after::mark(&moment(&staff(&app), now), &number, position, mark).await
        };
        let unknown = after::mark(&ctx, &number, 0, Mark::CheckedIn).await;
        assert_eq!(unknown, Err(Error::Unauthenticated), "the venue says so, and not the customer");
        assert_eq!(office(at(-24, 0), 0, Mark::CheckedIn).await, of_field("position", Problem::NotYet));
        assert_eq!(office(at(13, 0), 0, Mark::NoShow).await, of_field("position", Problem::NotYet));
        for _ in 0..2 {
            office(at(13, 50), 0, Mark::CheckedIn).await.unwrap();
        }
        let refused = after::cancel(&moment(&ctx, at(13, 55)), &number, 0, Amount(20_000)).await;
        assert_eq!(refused, of_field("position", Problem::BookingOver), "they are there");
        office(at(15, 0), 0, Mark::Done).await.unwrap();
        assert_eq!(order::get(&ctx, &number).await.unwrap().state, State::ToShip);
        for _ in 0..2 {
            office(at(16, 30), 1, Mark::NoShow).await.unwrap();
        }
        let done = order::get(&ctx, &number).await.unwrap();
        assert_eq!((done.state, refunded(&done)), (State::Completed, Amount::ZERO));
        assert_eq!(states(&ctx, &number).await, [BookingState::Done, BookingState::NoShow]);
        let kinds: Vec<_> = done.events.iter().map(|event| event.kind.clone()).collect();
        assert_eq!(kinds.last(), Some(&EventKind::Completed));
        assert_eq!(office(at(17, 0), 1, Mark::Done).await, Err(Error::OrderClosed(State::Completed)));

        // With goods: whichever comes first, the other is waited for.
        cart::add(&ctx, "mug", 1).await.unwrap();
        wishes::add(&ctx, "massage", &massage(at(18, 0), None)).await.unwrap();
        let mixed = paid(&ctx).await;
        order::ship(&staff(&app), &mixed, "顺丰速运", "SF1234567890").await.unwrap();
        for _ in 0..2 {
            order::complete(&ctx, &mixed).await.unwrap();
        }
        let (shop, customer) = (app.clone(), ctx.customer.clone().unwrap());
        let erased = app.db.write::<_, Error>(move |tx| {
            let (app, customer) = (shop.clone(), customer.clone());
            Box::pin(async move { order::cancel_unpaid(tx, &app, &customer, 1).await.map(|changed| changed.len()) })
        });
        let waits = Err(Error::OrdersUnderWay(vec![mixed.clone()]));
        assert_eq!(erased.await, waits, "an account stays until its bookings are over");
        let arrived = order::get(&ctx, &mixed).await.unwrap();
        assert_eq!((arrived.state, arrived.has_arrived()), (State::Shipped, true));
        let late = moment(&staff(&app), at(19, 0));
        after::mark(&late, &mixed, 1, Mark::Done).await.unwrap();
        assert_eq!(order::get(&ctx, &mixed).await.unwrap().state, State::Completed);

        cart::add(&ctx, "mug", 1).await.unwrap();
        wishes::add(&ctx, "massage", &massage(at(9, 0), None)).await.unwrap();
        let other = paid(&ctx).await;
        after::mark(&late, &other, 1, Mark::Done).await.unwrap();
        assert_eq!(order::get(&ctx, &other).await.unwrap().state, State::ToShip, "the mug is still here");
        order::ship(&staff(&app), &other, "顺丰速运", "SF1234567891").await.unwrap();
        order::complete(&ctx, &other).await.unwrap();
        assert_eq!(order::get(&ctx, &other).await.unwrap().state, State::Completed);
        assert!(matches!(audit::verify(&app).await, Ok(Finding::Whole(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_the_office_cancels_frees_the_rooms_of_guests_who_are_there() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        wishes::add(&ctx, "twin", &nights(0, 3, 2)).await.unwrap();
        let number = paid(&ctx).await;
        after::mark(&moment(&staff(&app), at(15, 0)), &number, 0, Mark::CheckedIn).await.unwrap();
        order::office_cancel(&staff(&app), &number).await.unwrap();
        let gone = order::get(&ctx, &number).await.unwrap();
        assert_eq!((gone.state, refunded(&gone)), (State::Cancelled, gone.totals.total));
        assert_eq!((states(&ctx, &number).await, balanced(&app).await), (vec![BookingState::Cancelled], 0));
        wishes::add(&ctx, "twin", &nights(0, 3, 2)).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_is_a_calendar_file_for_whoever_may_see_its_order() {
    both(&[MUG], async |app| {
        venues::open(&app).await;
        let (ctx, other) = (guest(&app).await, guest(&app).await);
        cart::add(&ctx, "mug", 1).await.unwrap();
        wishes::add(&ctx, "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        let number = paid(&ctx).await;
        let door = Door::open(&app).await;
        let get = async |of: &Ctx, file: &str| {
            let id = of.customer().unwrap();
            let cookie = format!("xiadan_guest={id}.{}", app.keys.sign("guest", id));
            let request = door.client.get(format!("{}/orders/{number}/{file}", door.url));
            request.header("cookie", cookie).send().await.unwrap()
        };
        let answer = get(&ctx, "1.ics").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/calendar; charset=utf-8");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let file = answer.text().await.unwrap();
        let day = first_day().to_string().replace('-', "");
        for line in [
            format!("DTSTART;TZID=Asia/Shanghai:{day}T140000"),
            format!("DTEND;TZID=Asia/Shanghai:{day}T150000"),
            "SUMMARY:推拿".into(),
            "SEQUENCE:0".into(),
            "STATUS:CONFIRMED".into(),
            "TZOFFSETTO:+0800".into(),
        ] {
            assert!(file.contains(&format!("{line}\r\n")), "{line} is not in {file}");
        }
        for file in ["0.ics", "2.ics", "1", "x.ics", "-1.ics", "99999999999999999999.ics"] {
            assert_eq!(get(&ctx, file).await.status(), 404, "{file}");
        }
        assert_eq!(get(&other, "1.ics").await.status(), 404, "nobody else's");
        assert_eq!(door.get(&format!("/orders/{number}/1.ics")).await.status(), 404);
        assert_ne!(get(&ctx, "edit").await.headers()["content-type"], "text/calendar; charset=utf-8");
        moving::move_to(&ctx, &number, 1, &first_day().to_string(), "15:00").await.unwrap();
        after::cancel(&ctx, &number, 1, Amount(20_000)).await.unwrap();
        let file = get(&ctx, "1.ics").await.text().await.unwrap();
        assert!(file.contains("SEQUENCE:2\r\n") && file.contains("STATUS:CANCELLED\r\n"), "{file}");
    })
    .await;
}
