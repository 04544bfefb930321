//! Services as pages show them, what is offered in place of a time that is gone, and the office's day.

use crate::{
    shop::{Piece, both, customer, form, later, staff, submission},
    venues::{self, at, massage},
};
use xiadan::{
    args,
    domain::{
        Error,
        address::CheckoutForm,
        booking::{
            HOUR_MS, MINUTE_MS,
            agenda::{Agenda, AgendaBooking, AgendaWhat},
            interval::Interval,
            month,
            visit::Asked,
            wish::Wish,
        },
        cart::Unbooked,
        error::Problem,
        money::Amount,
        order::{BookingState, OrderChange},
    },
    server::{
        App,
        booking::{self, agenda, claim, wishes},
        cart,
        db::DbError,
        order,
    },
};

const MUG: Piece = Piece("mug", 5_000, 10);

/// Somebody else has the hour from then on.
async fn taken(app: &App, person: &'static str, start: i64) {
    let blocked = app.db.write::<_, Error>(move |tx| {
        let time = Interval { start, end: start + HOUR_MS };
        Box::pin(async move { claim::block(tx, person, time, "").await })
    });
    assert!(blocked.await.unwrap().is_some());
}

fn on_the_day(person: Option<&str>) -> Asked {
    Asked { date: Some(venues::first_day()), person: person.map(str::to_owned), ..Asked::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_tells_which_of_its_times_are_taken_and_can_be_waited_for() {
    both(&[], async |app| {
        venues::open(&app).await;
        taken(&app, "wu", at(14, 0)).await;
        let ctx = customer(&app).await;
        let asked = async |person| booking::choice(&ctx, "massage", on_the_day(person)).await.unwrap();
        let of_wu = asked(Some("wu")).await;
        assert_eq!((of_wu.taken.len(), of_wu.taken[0], of_wu.taken[6]), (7, at(13, 15), at(14, 45)));
        assert!(of_wu.full.is_empty(), "there are other times");
        assert!(asked(None).await.taken.is_empty(), "li has all of them");

        let whole = Interval { start: at(9, 0), end: at(14, 0) };
        for (person, time) in [
            ("wu", whole),
            ("wu", Interval { start: at(15, 0), end: at(21, 0) }),
            ("li", Interval { start: at(9, 0), end: at(21, 0) }),
        ] {
            let blocked =
                app.db.write::<_, Error>(move |tx| Box::pin(async move { claim::block(tx, person, time, "").await }));
            assert!(blocked.await.unwrap().is_some());
        }
        let none = asked(None).await;
        assert_eq!((none.full.as_slice(), none.taken.len()), ([venues::first_day()].as_slice(), 45));
        assert!(none.slots.is_empty() && none.date == Some(venues::first_day()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_shown_with_its_month_its_people_and_the_times_of_a_day() {
    both(&[MUG], async |app| {
        venues::open(&app).await;
        taken(&app, "wu", at(14, 0)).await;
        let ctx = customer(&app).await;
        let of_wu = booking::choice(&ctx, "massage", on_the_day(Some("wu"))).await.unwrap();
        let names: Vec<_> = of_wu.workers.iter().map(|worker| worker.name.as_str()).collect();
        assert_eq!((names, of_wu.person), (vec!["li", "wu"], Some(1)));
        assert_eq!((of_wu.date, of_wu.month), (Some(venues::first_day()), month::first(venues::first_day())));
        // Forty-five quarters of hours in which an hour begins, without the seven that meet the one that is taken.
        assert_eq!((of_wu.own_slots().len(), of_wu.free_on(venues::first_day())), (38, 38));
        assert_eq!(of_wu.slots.len(), 45, "li has all of them");
        assert!(of_wu.free.iter().all(|(date, _)| of_wu.today <= *date && month::first(*date) == of_wu.month));
        assert_eq!((of_wu.price, of_wu.duration_ms), (Amount(20_000), HOUR_MS));
        assert_eq!(of_wu.wish(at(9, 0), of_wu.person), massage(at(9, 0), Some("wu")));

        let asked = Asked { add_ons: vec![0, 7], ..on_the_day(Some("nobody")) };
        let longer = booking::choice(&ctx, "massage", asked).await.unwrap();
        assert_eq!((longer.person, longer.chosen_add_ons.as_slice()), (None, [0].as_slice()), "what there is counts");
        assert_eq!((longer.price, longer.duration_ms), (Amount(23_000), HOUR_MS + 30 * MINUTE_MS));

        let first = booking::choice(&ctx, "massage", Asked::default()).await.unwrap();
        assert_eq!(first.date, first.free.first().map(|(date, _)| *date));
        assert!(!first.slots.is_empty() && first.months().1.is_some(), "{first:?}");
        let far = Asked { month: Some(first.last.plus(400)), ..Asked::default() };
        let far = booking::choice(&ctx, "massage", far).await.unwrap();
        assert_eq!((far.month, far.months().1), (month::first(first.last), None), "no further than can be booked");
        for variant in ["twin", "nothing"] {
            assert_eq!(
                booking::choice(&ctx, variant, Asked::default()).await.err(),
                Some(Error::NotFound),
                "{variant}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_near_is_offered_in_place_of_a_time_that_is_gone_and_taken_with_one_tap() {
    both(&[MUG], async |app| {
        venues::open(&app).await;
        let ctx = customer(&app).await;
        let before = wishes::add(&ctx, "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        assert!(before.bookings[0].available && before.bookings[0].near.is_empty());
        taken(&app, "wu", at(14, 0)).await;
        let gone = cart::get(&ctx).await.unwrap().bookings.remove(0);
        let near: Vec<_> = gone.near.iter().map(|near| near.wish.clone()).collect();
        let offered = [(13, "wu"), (14, "li"), (15, "wu")].map(|(hour, who)| massage(at(hour, 0), Some(who)));
        assert_eq!((gone.available, near.as_slice()), (false, offered.as_slice()));
        assert!(gone.near[1].label.ends_with("14:00 · li"), "{}", gone.near[1].label);

        let again = wishes::replace(&ctx, &gone.id, &massage(at(14, 30), Some("wu"))).await;
        assert!(matches!(&again, Err(Error::SlotTaken(taken)) if taken[0].line == gone.id), "{again:?}");
        assert_eq!(wishes::replace(&ctx, "x", &offered[0]).await.err(), Some(Error::NotFound));
        let other = customer(&app).await;
        assert_eq!(wishes::replace(&other, &gone.id, &offered[0]).await.err(), Some(Error::NotFound));
        let after = wishes::replace(&ctx, &gone.id, &near[0]).await.unwrap();
        let [booking] = after.bookings.as_slice() else { panic!("one booking: {after:?}") };
        assert_eq!((&booking.id, booking.start, booking.available), (&gone.id, at(13, 0), true));

        // What the cart wants already is not offered for another line of it.
        let both_at_one = wishes::add(&later(&ctx), "massage", &massage(at(15, 0), Some("wu"))).await.unwrap();
        assert_eq!(both_at_one.bookings.len(), 2);
        taken(&app, "wu", at(15, 0)).await;
        let cart = cart::get(&ctx).await.unwrap();
        let near = &cart.bookings[1].near;
        assert!(!near.is_empty() && near.iter().all(|near| near.wish != massage(at(13, 0), Some("wu"))), "{near:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_was_taken_out_can_be_put_back() {
    both(&[MUG], async |app| {
        venues::open(&app).await;
        let ctx = customer(&app).await;
        let wish = Wish::Visit { start: at(10, 0), person: Some("li".into()), add_ons: vec![0], further: vec![] };
        let id = wishes::add(&ctx, "massage", &wish).await.unwrap().bookings[0].id.clone();
        let (cart, unbooked) = wishes::remove(&ctx, &id).await.unwrap();
        let was = Unbooked { variant_id: "massage".into(), wish: wish.clone() };
        assert_eq!((cart.bookings.len(), unbooked), (0, Some(was)));
        assert_eq!(wishes::remove(&ctx, &id).await.unwrap().1, None, "twice is once");
        let cart = wishes::add(&ctx, "massage", &wish).await.unwrap();
        assert_eq!((cart.bookings[0].wish.clone(), cart.bookings[0].price), (wish, Amount(23_000)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_to_an_address_out_of_reach() {
    both(&[MUG], async |app| {
        venues::open(&app).await;
        let at_home = "update offer set detail = replace(detail, '\"at_home\":false', '\"at_home\":true')";
        let changed = app.db.write::<_, DbError>(move |tx| Box::pin(async move { tx.exec(at_home, args![]).await }));
        assert!(changed.await.unwrap() > 0);
        let ctx = customer(&app).await;
        let cart = wishes::add(&ctx, "massage", &massage(at(14, 0), None)).await.unwrap();
        assert_eq!((cart.bookings[0].at_home, cart.bookings[0].area.as_str()), (true, "440300"));
        let far = CheckoutForm { city: "440100".into(), district: "440106".into(), ..form("张三") };
        let refused = order::save_checkout(&ctx, far.clone(), true).await;
        assert_eq!(refused, Err(Error::field("district", Problem::Area)));
        assert_eq!(order::review(&ctx, None).await.err(), Some(Error::field("district", Problem::Area)), "it was kept");
        order::save_checkout(&ctx, form("张三"), true).await.unwrap();
        let review = order::review(&ctx, None).await.unwrap();
        let number = order::submit(&ctx, submission(&review)).await.unwrap();
        // Nor by a change of the order.
        let version = order::get(&ctx, &number).await.unwrap().version;
        let change = |form| OrderChange { version, quantities: vec![], form: Some(form) };
        let refused = order::change(&ctx, &number, change(far)).await;
        assert_eq!(refused, Err(Error::field("district", Problem::Area)));
        assert_eq!(order::get(&ctx, &number).await.unwrap().contact.region, "440305");
        let near = CheckoutForm { district: "440304".into(), ..form("张三") };
        order::change(&ctx, &number, change(near)).await.unwrap();
        assert_eq!(order::get(&ctx, &number).await.unwrap().contact.region, "440304");
    })
    .await;
}

/// What of the day of somebody at the spa is taken, in words.
fn told(agenda: &Agenda, who: &str) -> Vec<String> {
    let resource = agenda.resources.iter().find(|resource| resource.name == who).unwrap();
    let item = |what: &AgendaWhat| match what {
        AgendaWhat::Booking(AgendaBooking { title, state, paid, .. }) => format!("{title} {state:?} {paid}"),
        AgendaWhat::Blocked { reason } => reason.clone(),
        AgendaWhat::Offered => "offered".to_owned(),
    };
    resource.days[0].items.iter().map(|one| item(&one.what)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_sees_a_day_and_blocks_time_that_nobody_has() {
    both(&[MUG], async |app| {
        venues::open(&app).await;
        let (ctx, office) = (customer(&app).await, staff(&app));
        order::save_checkout(&ctx, form("张三"), true).await.unwrap();
        wishes::add(&ctx, "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        let review = order::review(&ctx, None).await.unwrap();
        order::submit(&ctx, submission(&review)).await.unwrap();

        let day = venues::first_day();
        let look = async || agenda::agenda(&office, Some("spa"), Some(day), 1).await.unwrap();
        let seen = look().await;
        assert_eq!(seen.venues.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["bistro", "spa"]);
        assert_eq!((seen.days.as_slice(), seen.may_block), ([day].as_slice(), true));
        assert_eq!(told(&seen, "wu"), [format!("推拿 {:?} false", BookingState::Booked)]);
        assert!(told(&seen, "li").is_empty());
        let open: i64 = seen.resources[0].days[0].open.iter().map(|part| part.length()).sum();
        assert_eq!(open, 12 * HOUR_MS);

        let date = day.to_string();
        let block = async |who: &str, from: &str, until: &str| {
            agenda::block(&office, who, &date, (from, until), " 课程 ").await
        };
        assert_eq!(
            block("wu", "14:30", "16:00").await,
            Err(Error::field("from", Problem::Taken)),
            "it is a customer's"
        );
        assert_eq!(block("wu", "16:00", "18:00").await, Ok(()));
        assert_eq!(block("wu", "17:55", "18:05").await, Err(Error::field("from", Problem::Taken)));
        assert_eq!(block("nobody", "16:00", "18:00").await, Err(Error::NotFound));
        assert_eq!(block("wu", "", "18:00").await, Err(Error::field("from", Problem::Choice)));
        let long = "x".repeat(101);
        let refused = agenda::block(&office, "li", &date, ("09:00", "10:00"), &long).await;
        assert_eq!(refused, Err(Error::field("reason", Problem::TooLong(100))));
        let refused = wishes::add(&later(&ctx), "massage", &massage(at(17, 0), Some("wu"))).await;
        assert!(matches!(refused, Err(Error::SlotTaken(_))), "blocked is not free");

        let seen = look().await;
        assert_eq!(told(&seen, "wu")[1], "课程");
        let wu = seen.resources.iter().find(|resource| resource.name == "wu").unwrap();
        let (booked, blocked) = (wu.days[0].items[0].id.clone(), wu.days[0].items[1].id.clone());
        for id in [&blocked, &blocked, &booked] {
            agenda::unblock(&office, id).await.unwrap();
        }
        assert_eq!(told(&look().await, "wu").len(), 1, "what a customer has is not given back");
        wishes::add(&later(&ctx), "massage", &massage(at(17, 0), Some("wu"))).await.unwrap();

        let week = agenda::agenda(&office, None, Some(day.plus(-3)), 7).await.unwrap();
        assert_eq!((week.product_id.as_deref(), week.days.len(), week.resources.len()), (Some("bistro"), 7, 2));
        assert!(week.resources.iter().all(|resource| resource.days.len() == 7));
        for days in [0, 8] {
            let refused = agenda::agenda(&office, None, None, days).await;
            assert_eq!(refused.err(), Some(Error::field("days", Problem::Range(1, 7))));
        }
        assert_eq!(agenda::agenda(&office, Some("gone"), None, 1).await.unwrap().product_id, None);
        assert_eq!(agenda::agenda(&ctx, None, None, 1).await.err(), Some(Error::Unauthenticated));
        assert_eq!(agenda::unblock(&ctx, &booked).await.err(), Some(Error::Unauthenticated));
    })
    .await;
}
