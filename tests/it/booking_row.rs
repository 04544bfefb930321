//! Several services in one visit: offered where all of them can be done in a row, and one booking from then on.

use crate::{
    booking::balanced,
    booking_after::{LI, owner, paid, taken},
    door::Door,
    guests::{guest, rush, wanting},
    member::number as count,
    shop::{Shop, both, customer, later, staff, submit},
    venues::{self, at, first_day, massage, visit},
};
use xiadan::{
    domain::{
        Error,
        booking::{
            HOUR_MS, MINUTE_MS,
            agenda::{AgendaBooking, AgendaWhat, MoveOrder},
            interval::Interval,
            row::MAX_FURTHER,
            visit::{Asked, Choice},
        },
        error::Problem,
        money::Amount,
    },
    server::{
        App, Ctx,
        booking::{self, after, agenda, claim, moving, waiting, wishes},
        order,
    },
};

/// Somebody else has some of a person's time on the first day.
async fn block(app: &App, person: &'static str, start: i64, end: i64) {
    let blocked = app.db.write::<_, Error>(move |tx| {
        Box::pin(async move { claim::block(tx, person, Interval { start, end }, "").await })
    });
    assert!(blocked.await.unwrap().is_some());
}

/// A massage on the first day, with what is done after it.
async fn shown(ctx: &Ctx, further: &[&str]) -> Choice {
    let further = further.iter().map(|variant| (*variant).to_owned()).collect();
    let asked = Asked { date: Some(first_day()), further, ..Asked::default() };
    booking::choice(&later(ctx), "massage", asked).await.unwrap()
}

/// What customers have of somebody's first day: when it begins for them, from when to when it is taken, and what it is.
async fn day_of(app: &App, venue: &str, who: &str) -> Vec<(i64, Interval, String)> {
    let agenda = agenda::agenda(&staff(app), Some(venue), Some(first_day()), 1).await.unwrap();
    let resource = agenda.resources.into_iter().find(|resource| resource.id == who).unwrap();
    let items = resource.days.into_iter().flat_map(|day| day.items);
    let booking = |(what, time): (AgendaWhat, Interval)| match what {
        AgendaWhat::Booking(AgendaBooking { start, title, .. }) => Some((start, time, title)),
        AgendaWhat::Blocked { .. } | AgendaWhat::Offered => None,
    };
    items.filter_map(|item| booking((item.what, item.time))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_tells_what_else_can_be_done_in_the_same_visit() {
    both(&[], async |app| {
        venues::open(&app).await;
        venues::open_salon(&app).await;
        let ctx = customer(&app).await;
        let alone = shown(&ctx, &[]).await;
        let others: Vec<_> = alone.further.iter().map(|one| (&*one.variant_id, one.price, &*one.title)).collect();
        assert_eq!(others, [("facial", Amount(15_000), "面部护理"), ("foot", Amount(10_000), "推拿")]);
        assert!(alone.chosen_further.is_empty());
        let both = shown(&ctx, &["facial", "table", "facial"]).await;
        assert_eq!(both.chosen_further, ["facial"], "what can be done counts, once");
        assert_eq!((both.price, both.duration_ms), (Amount(35_000), 105 * MINUTE_MS));
        assert_eq!(both.slots.last().map(|slot| (slot.start, slot.end)), Some((at(19, 15), at(21, 0))));
        let workers: Vec<_> = both.workers.iter().map(|worker| &*worker.name).collect();
        assert_eq!(workers, ["li", "wu"], "who begins is chosen");
        assert_eq!(both.wish(at(14, 0), Some(1)), visit(at(14, 0), Some("wu"), &["facial"]));

        for (further, expected) in [(vec!["facial", "foot"], true), (vec!["twin"], false), (vec!["massage"], false)] {
            let further: Vec<_> = further.into_iter().map(str::to_owned).collect();
            let list = booking::slots(&ctx, "massage", first_day(), 1, None, &[], &further).await;
            match expected {
                true => assert_eq!(list.unwrap().price, Amount(45_000)),
                false => assert_eq!(list.err(), Some(Error::field("further", Problem::Choice)), "{further:?}"),
            }
        }
        for (further, refused) in [(["facial", "twin"], true), (["facial", "foot"], false)] {
            let added = wishes::add(&later(&ctx), "massage", &visit(at(12, 0), None, &further)).await;
            assert_eq!(taken(&added), refused, "{further:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_services_at_once_are_refused_before_anything_is_read() {
    both(&[], async |app| {
        let door = Door::open(&app).await;
        let ask = async |further: &[String]| {
            let further = further.iter().enumerate().map(|(n, id)| format!("&further[{n}]={id}")).collect::<String>();
            // There is no such service, which nobody finds out who does not look.
            let path = format!("/api/booking/slots?variant_id=none&date={}&days=1{further}", first_day());
            let answer = door.get(&path).await;
            (answer.status().as_u16(), answer.json::<Error>().await.unwrap())
        };
        let different = |many: usize| -> Vec<String> { (0..many).map(|n| format!("service-{n}")).collect() };
        let refused = (422, Error::field("further", Problem::Choice));
        for many in [MAX_FURTHER + 1, 40] {
            assert_eq!(ask(&different(many)).await, refused, "{many}");
        }
        for twice in [["facial", "facial"].as_slice(), &["facial", "foot", "facial"]] {
            let twice: Vec<_> = twice.iter().map(|id| (*id).to_owned()).collect();
            assert_eq!(ask(&twice).await, refused, "{twice:?}");
        }
        for few in 0..=MAX_FURTHER {
            assert_eq!(ask(&different(few)).await, (404, Error::NotFound), "{few}");
        }
        let form = "application/x-www-form-urlencoded";
        let posted = door.post("/api/booking/slots", form, "variant_id=none&date=2026-12-24&days=1").await;
        assert!(posted.status().is_client_error(), "it is read and nothing else: {}", posted.status());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_time_that_is_offered_for_a_visit_can_be_booked_and_no_other() {
    both(&[], async |app| {
        venues::open(&app).await;
        venues::open_salon(&app).await;
        block(&app, "wu", at(14, 0), at(15, 0)).await;
        block(&app, "li", at(10, 0), at(11, 5)).await;
        block(&app, "li", at(16, 30), at(17, 30)).await;
        block(&app, "bo", at(12, 10), at(13, 0)).await;
        for further in [&["foot"][..], &["facial"], &["facial", "foot"]] {
            let ctx = guest(&app).await;
            let choice = shown(&ctx, further).await;
            let offered: Vec<_> = choice.slots.iter().map(|slot| slot.start).collect();
            assert!(offered.len() > 10, "{further:?}: {offered:?}");
            for quarter in 0..=13 * 4 {
                let start = at(8, quarter * 15);
                let added = wishes::add(&later(&ctx), "massage", &choice.wish(start, None)).await;
                assert_eq!(added.is_ok(), offered.contains(&start), "{further:?} {quarter}: {:?}", added.err());
                let Ok(cart) = added else { continue };
                if quarter % 12 == 0 {
                    let before = balanced(&app).await;
                    let number = submit(&later(&ctx)).await.unwrap();
                    assert!(balanced(&app).await > before);
                    order::cancel(&later(&ctx), &number).await.unwrap();
                    assert_eq!(balanced(&app).await, before, "all of it is free again");
                } else {
                    wishes::remove(&later(&ctx), &cart.bookings[0].id).await.unwrap();
                }
            }
            for slot in choice.slots.iter().step_by(3) {
                for person in &slot.people {
                    let wish = choice.wish(slot.start, Some(*person));
                    let cart = wishes::add(&later(&ctx), "massage", &wish).await.unwrap();
                    wishes::remove(&later(&ctx), &cart.bookings[0].id).await.unwrap();
                }
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_who_want_an_afternoon_of_two_services_each_gets_both_or_nothing() {
    for (postgres, customers) in [(false, 50), (true, 30)] {
        let shop = Shop::open(postgres).await;
        let app = &shop.app;
        venues::open(app).await;
        venues::open_salon(app).await;
        let starts: Vec<_> = (0..9).map(|half| at(13, half * 30)).collect();
        let mut ready = Vec::new();
        for start in starts.iter().cycle().take(customers) {
            ready.push(wanting(app, "massage", &visit(*start, None, &["foot"])).await);
        }
        let orders = i64::try_from(rush(ready).await).unwrap();
        assert!((1..=9).contains(&orders), "{orders}");
        balanced(app).await;
        // Of each an hour and half an hour in cells of five minutes, and nothing of anybody else.
        assert_eq!(count(app, "select count(*) as n from calendar_cell").await, orders * 18);
        let of_orders = count(app, "select count(distinct order_id) as n from claim where state = 'active'").await;
        assert_eq!((of_orders, count(app, "select count(*) as n from orders").await), (orders, orders));
        let strangers = "select count(*) as n from claim where state <> 'active' or order_id is null";
        assert_eq!(count(app, strangers).await, 0, "nothing is left by who was refused");
        if !postgres {
            // Several wanted each of them, and one can have it: nobody was refused for nothing. Where many write at once,
            // who is not the first to claim a person is refused though another might have done it.
            let ctx = customer(app).await;
            let left = shown(&ctx, &["foot"]).await;
            assert!(left.slots.iter().all(|slot| !starts.contains(&slot.start)), "{:?}", left.slots);
        }
        app.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_of_two_services_is_one_booking_from_the_cart_to_the_end() {
    both(&[], async |app| {
        venues::open(&app).await;
        venues::open_salon(&app).await;
        let ctx = guest(&app).await;
        let wish = visit(at(14, 0), Some("wu"), &["facial"]);
        let cart = wishes::add(&ctx, "massage", &wish).await.unwrap();
        let [line] = cart.bookings.as_slice() else { panic!("one line: {cart:?}") };
        assert_eq!((line.title.as_str(), line.price), ("推拿 + 面部护理", Amount(35_000)));
        assert_eq!((line.start, line.end), (at(14, 0), at(15, 45)));
        let both_at_once = wishes::add(&later(&ctx), "massage", &visit(at(14, 30), None, &["facial"])).await;
        assert!(taken(&both_at_once), "the cart has bo for itself already");
        let number = paid(&ctx).await;
        assert_eq!(balanced(&app).await, 2);
        let title = "推拿 + 面部护理".to_owned();
        let hour = |start: i64| Interval { start, end: start + HOUR_MS };
        let three_quarters = |start: i64| Interval { start, end: start + 45 * MINUTE_MS };
        assert_eq!(day_of(&app, "spa", "wu").await, [(at(14, 0), hour(at(14, 0)), title.clone())]);
        assert_eq!(day_of(&app, "salon", "bo").await, [(at(14, 0), three_quarters(at(15, 0)), title.clone())]);
        let (_, file) = booking::calendar_file(&ctx, &number, 0).await.unwrap();
        let day = first_day().to_string().replace('-', "");
        for text in [format!("{day}T140000\r\n"), format!("{day}T154500\r\n"), format!("SUMMARY:{title}\r\n")] {
            assert!(file.contains(&text), "{text} is not in {file}");
        }
        let times = after::times(&later(&ctx), &number, 0, &first_day().to_string()).await.unwrap();
        assert!(times.contains(&(16 * 60)) && !times.contains(&(14 * 60 + 30)), "{times:?}");

        // Somebody else waits for it, and has it held once it is moved.
        let li = owner(&app, LI, "li@example.com").await;
        waiting::wait(&later(&li.ctx), "massage", &wish).await.unwrap();
        moving::move_to(&later(&ctx), &number, 0, &first_day().to_string(), "16:00").await.unwrap();
        assert_eq!(day_of(&app, "spa", "wu").await, [(at(16, 0), hour(at(16, 0)), title.clone())]);
        let line = waiting::list(&later(&li.ctx)).await.unwrap().remove(0);
        assert_eq!((line.title.as_str(), line.held_until.is_some()), (title.as_str(), true));
        assert_eq!(balanced(&app).await, 4);
        waiting::stop(&later(&li.ctx), &line.id).await.unwrap();
        assert_eq!(balanced(&app).await, 2);

        // The office takes it by what bo does, five minutes on; then another masseur does the first of it.
        let to = |version: i64, time: &str, resource: &str| MoveOrder {
            number: number.clone(),
            version,
            date: first_day().to_string(),
            time: time.to_owned(),
            resource: resource.to_owned(),
            ..MoveOrder::default()
        };
        moving::move_for_customer(&staff(&app), &to(2, "16:05", "bo")).await.unwrap();
        assert_eq!(day_of(&app, "spa", "wu").await, [(at(16, 5), hour(at(16, 5)), title.clone())]);
        moving::move_for_customer(&staff(&app), &to(3, "17:00", "li")).await.unwrap();
        assert!(day_of(&app, "spa", "wu").await.is_empty());
        assert_eq!(day_of(&app, "spa", "li").await, [(at(17, 0), hour(at(17, 0)), title.clone())]);
        assert_eq!(day_of(&app, "salon", "bo").await, [(at(17, 0), three_quarters(at(18, 0)), title)]);
        let refused = moving::move_for_customer(&staff(&app), &to(4, "18:00", "table-1")).await;
        assert_eq!(refused, Err(Error::field("resource", Problem::Choice)));

        after::cancel(&later(&ctx), &number, 0, Amount(35_000)).await.unwrap();
        assert_eq!(balanced(&app).await, 0);
        wishes::add(&later(&ctx), "massage", &massage(at(17, 0), Some("li"))).await.unwrap();
    })
    .await;
}
