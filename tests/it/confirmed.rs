//! An order that is paid is confirmed: once, in the language in which it was placed, with a calendar file for each booking,
//! and whatever becomes of the message, the payment is taken.

use crate::{
    authority::Authority,
    booking_after::{LI, owner, paid},
    guests::guest,
    mail_server::{Fault, MailServer, Secured},
    member::{exec, number as count},
    order::charge,
    shop::{Piece, Shop, both, submit},
    venues::{self, at, dinner, first_day, massage},
};
use futures::future::join_all;
use xiadan::{
    domain::{
        Locale,
        account::Posted,
        booking::{after::MoveAnswer, words},
        money::Currency,
        order::{Order, State},
    },
    server::{
        App, Ctx,
        booking::{moving, wishes},
        cart,
        message::mail::MailSettings,
        order, outbox,
        payment::{self, Settled},
    },
};

const MUG: Piece = Piece("mug", 5_000, 10);
const BUYER: &str = "buyer@example.cn";

/// Runs a test on both databases, each in a shop that is being tried: what it would send is read on a page.
async fn tried<F: Future<Output = ()>>(test: impl Fn(App) -> F) {
    for postgres in [false, true] {
        let shop = Shop::open_with(postgres, |config| config.development = true).await;
        shop.sell(&[MUG]).await;
        venues::open(&shop.app).await;
        exec(&shop.app, "update venue set address = '海德三道 88 号' where product_id = 'spa'").await;
        eprintln!("on {}", shop.app.db.kind().as_str());
        test(shop.app.clone()).await;
        shop.app.db.close().await;
    }
}

/// What that page shows, the newest first.
async fn told(app: &App) -> Vec<Posted> {
    outbox::recent(&Ctx::system(app)).await.unwrap()
}

/// When the booking of a line is, as a page says it.
fn when(l: Locale, order: &Order, line: usize) -> String {
    let booking = order.lines[line].booking.as_ref().unwrap();
    words::span(l, &booking.clocks, booking.start, booking.end)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_order_is_confirmed_once() {
    tried(async |app| {
        let ctx = guest(&app).await;
        cart::add(&ctx, "mug", 2).await.unwrap();
        wishes::add(&ctx, "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        let number = submit(&ctx).await.unwrap();
        assert!(told(&app).await.is_empty(), "not before it is paid");

        let money = charge(&app, &number, None).await;
        let settled = join_all((0..4).map(|_| payment::settle(&app, &money))).await;
        assert_eq!(settled.iter().filter(|settled| **settled == Ok(Settled::Paid)).count(), 1, "{settled:?}");
        assert_eq!(payment::settle(&app, &money).await, Ok(Settled::Nothing));
        let more = charge(&app, &number, None).await;
        assert_eq!(payment::settle(&app, &more).await, Ok(Settled::Refunded));
        let told = told(&app).await;
        assert_eq!(told.len(), 1, "{told:?}");
        let Posted { to, subject, text, files, .. } = &told[0];
        assert_eq!((&**to, subject), (BUYER, &format!("订单 {number} 已确认")));
        assert_eq!(files, &[format!("{number}-1.ics")]);
        let order = order::get(&ctx, &number).await.unwrap();
        for part in [
            &*number,
            &*when(Locale::ZhCn, &order, 1),
            &*order.totals.total.display(Currency::CNY),
            &*format!("{}/orders/{number}\n", app.config.public_url),
            "马克杯",
            "× 2",
            "推拿",
            "14:00–15:00 · 当地时间 UTC+8",
            "海德三道 88 号",
        ] {
            assert!(format!("{text}\n").contains(part), "{part} is not in {text}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_is_that_of_the_order_and_goods_come_without_a_file() {
    tried(async |app| {
        let ctx = Ctx { locale: Locale::En, ..guest(&app).await };
        wishes::add(&ctx, "massage", &massage(at(14, 0), Some("li"))).await.unwrap();
        let booked = paid(&ctx).await;
        let told_first = told(&app).await;
        let text = &told_first[0].text;
        assert_eq!(told_first[0].subject, format!("Order {booked} is confirmed"));
        let order = order::get(&ctx, &booked).await.unwrap();
        let when = format!("{} · local time, UTC+8", when(Locale::En, &order, 0));
        let total = format!("Total: {}", order.totals.total.display(Currency::CNY));
        for part in [&*when, &*total, "Calendar files, check-in code", "海德三道 88 号"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }

        cart::add(&ctx, "mug", 1).await.unwrap();
        let goods = paid(&ctx).await;
        let told_then = told(&app).await;
        assert_eq!(told_then.len(), 2);
        let Posted { subject, text, files, .. } = &told_then[0];
        assert_eq!((subject, files.len()), (&format!("Order {goods} is confirmed"), 0));
        assert!(text.contains("马克杯") && !text.contains("Calendar"), "{text}");
        // What waits is no more than which order it is.
        let sql = "select count(*) as n from outbox where kind = 'confirmation' and payload not like '%buyer%'";
        assert_eq!(count(&app, sql).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bookings_that_their_customer_moved_are_confirmed_with_their_new_time() {
    tried(async |app| {
        let ctx = guest(&app).await;
        cart::add(&ctx, "mug", 2).await.unwrap();
        wishes::add(&ctx, "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        let number = paid(&ctx).await;
        let to = first_day().to_string();
        for (time, messages) in [("16:00", 2), ("16:00", 2), ("14:00", 3)] {
            assert_eq!(moving::move_to(&ctx, &number, 1, &to, time).await, Ok(MoveAnswer::Done));
            let told = told(&app).await;
            assert_eq!(told.len(), messages, "{told:?}");
            let Posted { to, subject, text, files, .. } = &told[0];
            assert_eq!((&**to, subject), (BUYER, &format!("订单 {number} 的预订已改期")));
            assert_eq!(files, &[format!("{number}-1.ics")]);
            let order = order::get(&ctx, &number).await.unwrap();
            assert!(text.contains(time) && text.contains(&when(Locale::ZhCn, &order, 1)), "{text}");
            assert!(!text.contains("马克杯"), "{text}");
        }
        order::cancel(&ctx, &number).await.unwrap();
        assert!(told(&app).await.is_empty(), "nothing that is not true any more");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_nothing_is_confirmed_as_it_is_placed_and_what_is_given_up_is_not() {
    tried(async |app| {
        let ctx = guest(&app).await;
        wishes::add(&ctx, "table", &dinner(at(18, 0), 2)).await.unwrap();
        let number = submit(&ctx).await.unwrap();
        let confirmed = told(&app).await;
        assert_eq!(confirmed.len(), 1);
        assert_eq!(confirmed[0].files, [format!("{number}-0.ics")]);
        order::cancel(&ctx, &number).await.unwrap();
        assert!(told(&app).await.is_empty(), "what was given up before it left");
        assert_eq!(outbox::run_due(&app).await, Ok(1), "and nobody tries it again");
        assert_eq!(outbox::run_due(&app).await, Ok(0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_with_an_account_is_told_by_the_one_way_that_they_want() {
    tried(async |app| {
        let li = owner(&app, LI, "li@example.com").await;
        wishes::add(&li.ctx, "massage", &massage(at(14, 0), None)).await.unwrap();
        let number = paid(&li.ctx).await;
        let by_mail = told(&app).await;
        assert_eq!(by_mail.len(), 1);
        assert_eq!((&*by_mail[0].to, by_mail[0].files.len()), ("li@example.com", 1));
        let refuse = "insert into notification_choice (customer_id, topic, channel, wanted, changed_at)
            select customer_id, 'order', 'email', false, 0 from account";
        exec(&app, refuse).await;
        let by_phone = told(&app).await;
        assert_eq!(by_phone.len(), 1);
        assert_eq!((&*by_phone[0].to, by_phone[0].files.len()), (LI, 0), "a text message takes nothing along");
        assert!(by_phone[0].text.contains(&number));
        let refuse = "insert into notification_choice (customer_id, topic, channel, wanted, changed_at)
            select customer_id, 'order', 'phone', false, 0 from account";
        exec(&app, refuse).await;
        assert!(told(&app).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_does_not_open_keeps_no_payment_from_being_taken() {
    tried(async |app| {
        let ctx = guest(&app).await;
        cart::add(&ctx, "mug", 1).await.unwrap();
        let number = submit(&ctx).await.unwrap();
        let money = charge(&app, &number, None).await;
        exec(&app, "update orders set contact_sealed = note_sealed").await;
        assert_eq!(payment::settle(&app, &money).await, Ok(Settled::Paid));
        assert!(matches!(order::live_state(&app, &number).await, Ok((State::ToShip, _))));
        assert_eq!(outbox::run_due(&app).await, Ok(0));
        let waiting =
            "select count(*) as n from outbox where kind = 'confirmation' and done_at is null and attempts = 1";
        assert_eq!(count(&app, waiting).await, 1, "it is tried again, and somebody sees that it fails");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_can_tell_nobody_anything_has_nothing_waiting() {
    both(&[MUG], async |app| {
        let ctx = guest(&app).await;
        cart::add(&ctx, "mug", 1).await.unwrap();
        paid(&ctx).await;
        assert_eq!(count(&app, "select count(*) as n from outbox").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calendar_file_goes_along_with_the_mail() {
    for postgres in [false, true] {
        let mut server = MailServer::start(Secured::Never, &Authority::new()).await;
        let url = format!("smtp://127.0.0.1:{}", server.port);
        let mail = Some(MailSettings { url, from: "下单商城 <no-reply@shop.example>".to_owned() });
        let shop = Shop::open_with(postgres, |config| config.mail = mail).await;
        let app = &shop.app;
        eprintln!("on {}", app.db.kind().as_str());
        shop.sell(&[MUG]).await;
        venues::open(app).await;
        let ctx = guest(app).await;
        cart::add(&ctx, "mug", 1).await.unwrap();
        wishes::add(&ctx, "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        let number = paid(&ctx).await;

        server.fails(Fault::Greeting("421 4.3.2 come back later"));
        assert_eq!(outbox::run_due(app).await, Ok(0));
        exec(app, "update outbox set next_at = 0").await;
        assert_eq!(outbox::run_due(app).await, Ok(1));
        let mail = server.next().await;
        assert_eq!(mail.to, [BUYER]);
        assert_eq!(mail.header("Subject"), Some(format!("订单 {number} 已确认")));
        assert!(mail.header("Content-Type").unwrap().starts_with("multipart/mixed;"));
        let pieces = mail.pieces();
        assert_eq!(pieces.len(), 2, "{}", mail.text);
        let header = |piece: usize, name| pieces[piece].header(name).unwrap_or_default();
        assert!(header(0, "Content-Type").eq_ignore_ascii_case("text/plain; charset=utf-8"));
        assert!(pieces[0].body().contains(&number) && pieces[0].body().contains("推拿"), "{}", pieces[0].body());
        assert_eq!(header(1, "Content-Type"), "text/calendar; charset=utf-8; method=PUBLISH");
        assert_eq!(header(1, "Content-Disposition"), format!("attachment; filename=\"{number}-1.ics\""));
        let (file, day) = (pieces[1].body(), first_day().to_string().replace('-', ""));
        for line in [
            "METHOD:PUBLISH".to_owned(),
            format!("DTSTART;TZID=Asia/Shanghai:{day}T140000"),
            format!("DTEND;TZID=Asia/Shanghai:{day}T150000"),
            "TZOFFSETTO:+0800".to_owned(),
            "SUMMARY:推拿".to_owned(),
            "STATUS:CONFIRMED".to_owned(),
        ] {
            assert!(file.lines().any(|told| told == line), "{line} is not in {file}");
        }
        assert_eq!(outbox::run_due(app).await, Ok(0));
        assert!(server.is_quiet(), "once is enough");
        app.db.close().await;
    }
}
