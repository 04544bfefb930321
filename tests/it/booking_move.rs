//! The office moves bookings of customers: to another time, another person, another table, other nights, another departure;
//! never onto somebody else's, and never past a colleague who was quicker.

use crate::{
    booking::balanced,
    booking_after::paid,
    booking_trip::{departure, stop},
    guests::guest,
    member::{exec, number as count, posted},
    shop::{both, later, staff, submit},
    venues::{self, at, dinner, first_day, massage, nights, ride},
};
use futures::future::join_all;
use xiadan::{
    domain::{
        Error,
        booking::agenda::{AgendaBooking, AgendaWhat, MoveOrder},
        error::Problem,
        money::Amount,
        order::{EventKind, State},
    },
    server::{
        Ctx,
        audit::{self, Finding},
        booking::{
            agenda,
            moving::{self, OtherDay},
            wishes,
        },
        order,
    },
};

/// To a time of the first day, with somebody.
fn to(number: &str, version: i64, time: &str, resource: &str) -> MoveOrder {
    MoveOrder {
        number: number.to_owned(),
        version,
        date: first_day().to_string(),
        time: time.to_owned(),
        resource: resource.to_owned(),
        ..MoveOrder::default()
    }
}

/// When the first line of an order begins, and what it is called.
async fn line(ctx: &Ctx, number: &str) -> (i64, String) {
    let order = order::get(ctx, number).await.unwrap();
    (order.lines[0].booking.as_ref().unwrap().start, order.lines[0].label.clone())
}

/// The bookings of somebody on the first day, as the office sees them.
async fn seen(office: &Ctx, venue: &str, who: &str) -> Vec<AgendaBooking> {
    let agenda = agenda::agenda(office, Some(venue), Some(first_day()), 1).await.unwrap();
    let resource = agenda.resources.into_iter().find(|resource| resource.id == who).unwrap();
    let items = resource.days.into_iter().flat_map(|day| day.items);
    let booking = |what: AgendaWhat| match what {
        AgendaWhat::Booking(booking) => Some(booking),
        AgendaWhat::Blocked { .. } | AgendaWhat::Offered => None,
    };
    items.filter_map(|item| booking(item.what)).collect()
}

fn taken(answer: &Result<(), Error>) -> bool {
    matches!(answer, Err(Error::SlotTaken(_)))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_moves_an_hour_to_another_time_and_another_person() {
    both(&[], async |app| {
        venues::open(&app).await;
        let (ctx, office) = (guest(&app).await, staff(&app));
        wishes::add(&ctx, "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        let number = paid(&ctx).await;
        let before = order::get(&ctx, &number).await.unwrap();
        let booking = seen(&office, "spa", "wu").await.remove(0);
        assert_eq!((booking.position, booking.version, booking.start, booking.open), (0, 1, at(14, 0), true));

        // Five minutes past, which customers are not offered; and sent twice.
        for _ in 0..2 {
            moving::move_for_customer(&office, &to(&number, 1, "16:05", "li")).await.unwrap();
        }
        let (start, label) = line(&ctx, &number).await;
        assert_eq!(start, at(16, 5));
        assert!(label.ends_with("16:05 · li"), "{label}");
        let after = order::get(&ctx, &number).await.unwrap();
        assert_eq!((after.totals.total, after.refunds.len()), (before.totals.total, 0), "it costs what it did");
        let (refund, added, fee) = (Amount::ZERO, Amount::ZERO, Amount::ZERO);
        let event =
            EventKind::BookingMoved { position: 0, title: "推拿".into(), start: at(16, 5), refund, added, fee };
        assert_eq!(after.events.iter().filter(|told| told.kind == event).count(), 1);
        let told = posted(&app).await;
        let told = told.iter().filter(|(to, text)| to == "buyer@example.cn" && text.contains("16:05"));
        assert_eq!(told.count(), 1, "the customer is told once");
        assert!(seen(&office, "spa", "wu").await.is_empty());
        assert_eq!(seen(&office, "spa", "li").await[0].version, 2);
        assert_eq!(balanced(&app).await, 1);
        assert_eq!(count(&app, "select count(*) as n from claim where state = 'taken'").await, 1, "it is paid for");

        let refused = moving::move_for_customer(&office, &to(&number, 1, "17:00", "li")).await;
        assert_eq!(refused, Err(Error::Conflict), "a colleague has moved it since it was seen");
        let both = ["10:00", "12:00"].map(|time| to(&number, 2, time, "wu"));
        let both = join_all(both.iter().map(|order| moving::move_for_customer(&office, order))).await;
        assert_eq!(both.iter().filter(|answer| answer.is_ok()).count(), 1, "{both:?}");
        assert!(both.contains(&Err(Error::Conflict)), "{both:?}");
        assert_eq!(balanced(&app).await, 1);
        assert!(matches!(audit::verify(&app).await, Ok(Finding::Whole(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_office_cannot_have_stays_where_it_is() {
    both(&[], async |app| {
        venues::open(&app).await;
        exec(
            &app,
            "insert into resource (id, product_id, kind, position, active, name, detail, schedule, version)
            select 'zhao', product_id, kind, position, active, 'zhao', detail, schedule, version
            from resource where id = 'wu'",
        )
        .await;
        let (ctx, other, office) = (guest(&app).await, guest(&app).await, staff(&app));
        wishes::add(&ctx, "massage", &massage(at(14, 0), None)).await.unwrap();
        wishes::add(&later(&ctx), "coach", &ride("counted", (0, 1), &[], 1)).await.unwrap();
        wishes::add(&later(&later(&ctx)), "twin", &nights(0, 1, 1)).await.unwrap();
        let number = paid(&ctx).await;
        wishes::add(&other, "massage", &massage(at(18, 0), Some("li"))).await.unwrap();
        let theirs = paid(&other).await;

        let to = |time: &str, who: &str| to(&number, 1, time, who);
        let answer = async |order: MoveOrder| moving::move_for_customer(&office, &order).await;
        assert!(taken(&answer(to("17:30", "li")).await), "li is with somebody else by six");
        assert!(taken(&answer(to("20:30", "wu")).await), "it would end after hours");
        assert!(taken(&answer(to("08:00", "wu")).await), "the house is not open");
        for who in ["zhao", "table-1", "nobody"] {
            let refused = answer(to("15:00", who)).await;
            assert_eq!(refused, Err(Error::field("resource", Problem::Choice)), "{who} does not do this");
        }
        assert_eq!(answer(to("", "wu")).await, Err(Error::field("time", Problem::Required)));
        assert_eq!(answer(to("25:00", "wu")).await, Err(Error::field("time", Problem::Choice)));
        for position in [1, 2] {
            let refused = answer(MoveOrder { position, ..to("15:00", "wu") }).await;
            assert_eq!(refused, Err(Error::field("date", Problem::Choice)), "a departure and nights are nobody's time");
        }
        assert_eq!(answer(MoveOrder { position: 7, ..to("15:00", "wu") }).await, Err(Error::NotFound));
        let customer = moving::move_for_customer(&ctx, &to("15:00", "wu")).await;
        assert_eq!(customer, Err(Error::Unauthenticated));
        let begun = Ctx { now: at(14, 0), ..staff(&app) };
        let refused = moving::move_for_customer(&begun, &to("15:00", "wu")).await;
        assert_eq!(refused, Err(Error::field("date", Problem::BookingOver)));

        assert_eq!((line(&ctx, &number).await.0, line(&other, &theirs).await.0), (at(14, 0), at(18, 0)));
        assert_eq!(balanced(&app).await, 4, "nobody has lost anything");
        // Beside the one of somebody else it fits.
        assert_eq!(answer(to("17:00", "li")).await, Ok(()));
        assert_eq!(line(&ctx, &number).await.0, at(17, 0));

        wishes::add(&other, "massage", &massage(at(9, 0), None)).await.unwrap();
        let unpaid = submit(&other).await.unwrap();
        let refused = answer(MoveOrder { number: unpaid, ..to("15:00", "wu") }).await;
        assert_eq!(refused, Err(Error::OrderClosed(State::ToPay)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_is_moved_to_another_table_and_one_at_two_tables_keeps_two() {
    both(&[], async |app| {
        venues::open(&app).await;
        let (ctx, other, office) = (guest(&app).await, guest(&app).await, staff(&app));
        wishes::add(&ctx, "table", &dinner(at(18, 0), 2)).await.unwrap();
        let two = paid(&ctx).await;
        moving::move_for_customer(&office, &to(&two, 1, "18:05", "table-2")).await.unwrap();
        assert_eq!(seen(&office, "bistro", "table-2").await[0].start, at(18, 5));
        assert!(seen(&office, "bistro", "table-1").await.is_empty());

        wishes::add(&other, "table", &dinner(at(12, 0), 4)).await.unwrap();
        let four = paid(&other).await;
        moving::move_for_customer(&office, &to(&four, 1, "13:00", "table-1")).await.unwrap();
        for table in ["table-1", "table-2"] {
            assert_eq!(seen(&office, "bistro", table).await[0].start, at(13, 0), "{table}");
        }
        let refused = moving::move_for_customer(&office, &to(&four, 2, "18:30", "table-1")).await;
        assert!(taken(&refused), "one of the two is somebody else's then: {refused:?}");
        assert_eq!(line(&other, &four).await.0, at(13, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_moves_a_stay_to_other_nights_for_nothing() {
    both(&[], async |app| {
        venues::open(&app).await;
        exec(&app, "update rate set price = 90000 where day >= (select min(day) + 4 from rate)").await;
        let (ctx, other, office) = (guest(&app).await, guest(&app).await, staff(&app));
        wishes::add(&ctx, "twin", &nights(0, 2, 1)).await.unwrap();
        let number = paid(&ctx).await;
        let before = order::get(&ctx, &number).await.unwrap();
        let arrival = |days: i64| at(days * 24 + 15, 0);
        let to_date = async |by: &Ctx, seen: i64, date: &str| {
            let asked = OtherDay { number: &number, position: 0, seen, date, time: "" };
            moving::move_elsewhere(by, &asked).await
        };
        let to = async |seen: i64, days: i64| to_date(&office, seen, &first_day().plus(days).to_string()).await;

        // Where it is dearer, and sent twice.
        for _ in 0..2 {
            assert_eq!(to(arrival(0), 5).await, Ok(()));
        }
        let (start, label) = line(&ctx, &number).await;
        let day = first_day().plus(5).to_string();
        assert_eq!(start, arrival(5));
        assert!(label.contains(&day), "{label}");
        let after = order::get(&ctx, &number).await.unwrap();
        assert_eq!((after.totals.total, after.refunds.len()), (before.totals.total, 0), "it costs what it did");
        let (refund, added, fee) = (Amount::ZERO, Amount::ZERO, Amount::ZERO);
        let event = EventKind::BookingMoved { position: 0, title: "客栈".into(), start, refund, added, fee };
        assert_eq!(after.events.iter().filter(|told| told.kind == event).count(), 1);
        let told = posted(&app).await;
        let told = told.iter().filter(|(to, text)| to == "buyer@example.cn" && text.contains(&day));
        assert_eq!(told.count(), 1, "the customer is told once");
        assert_eq!(balanced(&app).await, 1);

        assert_eq!(to(arrival(0), 2).await, Err(Error::Conflict), "a colleague has moved it since it was seen");
        assert_eq!(to(arrival(5), 6).await, Ok(()), "one night of it is its own");
        wishes::add(&other, "twin", &nights(0, 1, 2)).await.unwrap();
        paid(&other).await;
        assert!(taken(&to(arrival(6), 0).await), "both rooms of a night are somebody else's");
        assert!(taken(&to(arrival(6), 9).await), "nothing is known of the second night");
        let nonsense = to_date(&office, arrival(6), "2026-02-30").await;
        assert_eq!(nonsense, Err(Error::field("date", Problem::Choice)));
        let date = first_day().plus(2).to_string();
        assert_eq!(to_date(&ctx, arrival(6), &date).await, Err(Error::Unauthenticated));
        let begun = Ctx { now: arrival(6), ..staff(&app) };
        let refused = to_date(&begun, arrival(6), &date).await;
        assert_eq!(refused, Err(Error::field("date", Problem::BookingOver)));
        assert_eq!((line(&ctx, &number).await.0, balanced(&app).await), (arrival(6), 2));
        assert!(matches!(audit::verify(&app).await, Ok(Finding::Whole(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_moves_a_trip_to_another_departure_of_its_line() {
    both(&[], async |app| {
        venues::open(&app).await;
        // The day after: at nine there is place for two, at noon for one.
        for (id, hour, places) in [("next", 33, 2), ("noon", 36, 1)] {
            let stops = [("x9", hour), ("x11", hour + 2), ("x13", hour + 4)];
            departure(&app, id, stops.map(|(place, hour)| stop(place, "Asia/Shanghai", at(hour, 0))).into(), places)
                .await;
        }
        let (ctx, office) = (guest(&app).await, staff(&app));
        wishes::add(&ctx, "coach", &ride("counted", (0, 2), &[], 2)).await.unwrap();
        wishes::add(&later(&ctx), "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        let number = paid(&ctx).await;
        let (today, day) = (first_day().to_string(), first_day().plus(1).to_string());
        let found = async |by: &Ctx, date: &str| moving::departures(by, &number, 0, date).await;
        assert_eq!(found(&office, &day).await, Ok(vec![9 * 60]), "at noon there is no place for two");
        assert_eq!(found(&office, &today).await, Ok(vec![]), "seats are chosen on the other one");
        assert_eq!(found(&office, "").await, Err(Error::field("date", Problem::Choice)));
        assert_eq!(found(&ctx, &day).await, Err(Error::Unauthenticated));
        // Customers would be too late.
        exec(&app, "update venue set policies = replace(policies, '\"notice_ms\":0', '\"notice_ms\":8640000000')")
            .await;
        assert_eq!(found(&office, &day).await, Ok(vec![9 * 60]));

        let to = async |position: i64, seen: i64, time: &str| {
            let asked = OtherDay { number: &number, position, seen, date: &day, time };
            moving::move_elsewhere(&office, &asked).await
        };
        assert_eq!(to(0, at(9, 5), "").await, Err(Error::field("time", Problem::Required)));
        assert_eq!(to(0, at(9, 5), "10:00").await, Err(Error::field("time", Problem::Choice)), "nothing leaves at ten");
        assert!(taken(&to(0, at(9, 5), "12:00").await));
        let hour = to(1, at(14, 0), "15:00").await;
        assert_eq!(hour, Err(Error::field("date", Problem::Choice)), "an hour of somebody is moved in their day");
        assert_eq!(to(7, at(9, 5), "09:00").await, Err(Error::NotFound));
        assert_eq!((line(&ctx, &number).await.0, balanced(&app).await), (at(9, 5), 2), "it stays where it is");
        for _ in 0..2 {
            assert_eq!(to(0, at(9, 5), "09:00").await, Ok(()), "twice is once");
        }
        let (start, label) = line(&ctx, &number).await;
        assert_eq!(start, at(33, 0));
        assert!(label.contains("09:00"), "{label}");
        assert_eq!(to(0, at(9, 5), "12:00").await, Err(Error::Conflict), "it is not there any more");
        assert_eq!(balanced(&app).await, 2);
        assert!(order::get(&ctx, &number).await.unwrap().refunds.is_empty());
        assert!(matches!(audit::verify(&app).await, Ok(Finding::Whole(_))));
    })
    .await;
}
