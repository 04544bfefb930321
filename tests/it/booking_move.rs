//! The office moves bookings of customers: to another time, another person, another table; never onto somebody else's, and
//! never past a colleague who was quicker.

use crate::{
    booking::balanced,
    booking_after::paid,
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
        booking::{agenda, moving, wishes},
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
