//! Trips: what leaves when, by the clocks of both ends; seats, the last of which one gets; both ways or none.

use crate::{
    booking::balanced,
    booking_after::paid,
    guests::{guest, rush, wanting},
    member::{exec, number as count},
    shop::{Shop, both, submit},
    venues::{self, at, ride},
};
use xiadan::{
    args,
    domain::{
        Error,
        booking::{
            DAY_MS, MINUTE_MS,
            after::MoveAnswer,
            offer::Stop,
            timetable::{Pattern, PatternStop},
            travel::{SeatRow, TripAsk, TripChoice, Way},
            trips::{Moved, Section, Travellers},
        },
        error::Problem,
        money::Amount,
        order::State,
    },
    server::{
        App, Ctx,
        booking::{
            after, moving, timetable,
            travellers::{self, Traveller},
            trips, wishes,
        },
        db::DbError,
        order,
    },
};

fn people(adults: i64) -> Travellers {
    Travellers { adults, children: 0, infants: 0 }
}

/// On the first day, between two stops.
fn ask(from: &str, to: &str, adults: i64) -> TripAsk {
    TripAsk {
        date: Some(venues::first_day()),
        from: Some(from.into()),
        to: Some(to.into()),
        travellers: people(adults),
        ..TripAsk::default()
    }
}

/// Another departure of the bus, with so many places on each of its legs.
pub async fn departure(app: &App, id: &'static str, stops: Vec<Stop>, places: i64) {
    let (leaves, arrives) = (stops[0].leaves_at, stops[stops.len() - 1].arrives_at);
    let (text, legs) = (serde_json::to_string(&stops).unwrap(), stops.len() - 1);
    app.db
        .write::<_, DbError>(move |tx| {
            let text = text.clone();
            Box::pin(async move {
                let sql = "insert into departure (id, product_id, stops, leaves_at, arrives_at, version)
                    values ($1, 'bus', $2, $3, $4, 1)";
                tx.exec(sql, args![id, text, leaves, arrives]).await?;
                for leg in 0..i64::try_from(legs).unwrap() {
                    let sql = "insert into capacity (resource_id, unit, total, claimed) values ($1, $2, $3, 0)";
                    tx.exec(sql, args![id, leg, places]).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

pub fn stop(place: &str, zone: &str, at: i64) -> Stop {
    Stop { place: place.into(), names: Default::default(), zone: zone.into(), arrives_at: at, leaves_at: at }
}

/// The way home, a day later.
async fn way_home(app: &App) {
    let stops = [("x13", 33), ("x11", 35), ("x9", 37)].map(|(place, hour)| stop(place, "Asia/Shanghai", at(hour, 0)));
    departure(app, "home", stops.into(), 3).await;
}

/// What is left on each departure of the first day for the first fare.
async fn left(ctx: &Ctx, from: &str, to: &str) -> Vec<(String, i64)> {
    let list = trips::departures(ctx, "bus", &ask(from, to, 1)).await.unwrap();
    list.voyages.into_iter().map(|voyage| (voyage.id, voyage.fares[0].left)).collect()
}

fn told(counted: i64, mapped: i64) -> Vec<(String, i64)> {
    vec![("counted".to_owned(), counted), ("mapped".to_owned(), mapped)]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_each_leg_is_offered_and_can_be_had() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        let day = venues::first_day();
        let list = trips::departures(&ctx, "bus", &ask("x9", "x13", 2)).await.unwrap();
        let places: Vec<_> = list.places.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!((places, list.date, list.next), (vec!["x9", "x11", "x13"], day, None));
        let bus = &list.voyages[0];
        assert_eq!((bus.from.local.clock(), bus.to.local.clock(), bus.days_later), ("09:05".into(), "13:00".into(), 0));
        assert_eq!(
            (bus.via.as_slice(), bus.seats_chosen, list.voyages[1].seats_chosen),
            (&["x11".into()][..], false, true)
        );
        assert_eq!((bus.fares[0].price, bus.fares[0].left), (Amount(10_000), 3));
        wishes::add(&ctx, "coach", &ride("counted", (0, 1), &[], 2)).await.unwrap();
        wishes::add(&ctx, "coach", &ride("mapped", (1, 2), &["1B"], 1)).await.unwrap();
        submit(&ctx).await.unwrap();
        assert_eq!(left(&ctx, "x9", "x11").await, told(1, 3));
        assert_eq!(left(&ctx, "x11", "x13").await, told(3, 2));
        assert_eq!(left(&ctx, "x9", "x13").await, told(1, 2));
        assert!(left(&ctx, "x13", "x9").await.is_empty(), "nothing goes back");
        let free = async |from, to| {
            let rows = trips::seats(&ctx, "mapped", Section::new(from, to).unwrap()).await.unwrap();
            let [SeatRow { seats, .. }] = &rows[..] else { panic!("one row: {rows:?}") };
            seats.iter().flatten().filter(|seat| seat.free).map(|seat| seat.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(free(0, 1).await, ["1A", "1B", "1C"]);
        assert_eq!(free(0, 2).await, ["1A", "1C"]);
        assert_eq!(trips::seats(&ctx, "counted", Section::new(0, 2).unwrap()).await, Ok(vec![]));
        for (id, to) in [("mapped", 3), ("nothing", 1)] {
            assert_eq!(trips::seats(&ctx, id, Section::new(0, to).unwrap()).await, Err(Error::NotFound), "{id}");
        }
        let other = guest(&app).await;
        wishes::add(&other, "coach", &ride("counted", (0, 2), &[], 1)).await.unwrap();
        wishes::add(&other, "coach", &ride("mapped", (0, 2), &["1A", "1C"], 2)).await.unwrap();
        submit(&other).await.unwrap();
        assert_eq!(left(&ctx, "x9", "x13").await, told(0, 0));
        assert_eq!(balanced(&app).await, 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_seats_and_departures_are_near_to_a_seat_that_is_gone() {
    both(&[], async |app| {
        venues::open(&app).await;
        way_home(&app).await;
        let ctx = guest(&app).await;
        wishes::add(&ctx, "coach", &ride("mapped", (0, 2), &["1A"], 1)).await.unwrap();
        submit(&ctx).await.unwrap();
        let (wanted, now) = (ride("mapped", (0, 2), &["1A"], 1), ctx.now);
        let near = app.db.read::<_, Error>(move |tx| {
            let wanted = wanted.clone();
            Box::pin(async move { trips::near(tx, "coach", &wanted, (&[], now)).await })
        });
        let near = near.await.unwrap();
        let expected = [ride("mapped", (0, 2), &["1B"], 1), ride("counted", (0, 2), &[], 1)];
        assert_eq!(near, expected.map(|wish| (wish, at(9, 5))), "the same departure first, and none the other way");
        for (wish, _) in &near {
            wishes::add(&guest(&app).await, "coach", wish).await.unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_tells_its_next_day_and_refuses_what_nobody_can_travel() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        let today = trips::departures(&ctx, "bus", &TripAsk::default()).await.unwrap();
        assert_eq!((today.voyages.len(), today.next), (0, Some(venues::first_day())));
        assert_eq!((today.from.as_str(), today.to.as_str()), ("x9", "x13"));
        let babies = Travellers { adults: 1, children: 0, infants: 2 };
        let alone = TripAsk { travellers: babies, ..TripAsk::default() };
        let refused = trips::departures(&ctx, "bus", &alone).await.err();
        assert_eq!(refused, Some(Error::field("travellers", Problem::Choice)));
        for product in ["bistro", "nothing"] {
            let none = trips::departures(&ctx, product, &TripAsk::default()).await.err();
            assert_eq!(none, Some(Error::NotFound), "{product}");
        }
        exec(&app, "update product set status = 'draft' where id = 'bus'").await;
        assert_eq!(trips::departures(&ctx, "bus", &TripAsk::default()).await.err(), Some(Error::NotFound));
        let gone = trips::seats(&ctx, "mapped", Section::new(0, 1).unwrap()).await;
        assert_eq!(gone, Err(Error::NotFound));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_those_of_the_clocks_at_both_ends() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        let (leaves, lasting) = (at(23, 0), 750 * MINUTE_MS);
        let stops = vec![stop("深圳", "Asia/Shanghai", leaves), stop("柏林", "Europe/Berlin", leaves + lasting)];
        departure(&app, "night", stops, 9).await;
        let list = trips::departures(&ctx, "bus", &ask("深圳", "柏林", 1)).await.unwrap();
        let [night] = &list.voyages[..] else { panic!("one flight: {:?}", list.voyages) };
        assert_eq!((night.from.local.clock(), night.days_later, night.duration_ms), ("23:00".into(), 1, lasting));
        let arrival = (night.to.local.clock(), night.to.local.offset_minutes);
        assert!([("04:30".to_owned(), 60), ("05:30".to_owned(), 120)].contains(&arrival), "{arrival:?}");
        // The date is that of the place where it leaves.
        let next = TripAsk { date: Some(venues::first_day().plus(1)), ..ask("深圳", "柏林", 1) };
        assert!(trips::departures(&ctx, "bus", &next).await.unwrap().voyages.is_empty());
    })
    .await;
}

fn way(departure: &str, (from, to): (usize, usize), seats: &[&str]) -> Way {
    let seats = seats.iter().map(|seat| (*seat).to_owned()).collect();
    Way { departure_id: departure.into(), variant_id: "coach".into(), from, to, seats }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_go_into_the_cart_or_neither() {
    both(&[], async |app| {
        venues::open(&app).await;
        way_home(&app).await;
        let ctx = guest(&app).await;
        let add = async |there: Way, home: Option<Way>| {
            let choice = TripChoice { travellers: people(2), there, home };
            trips::add(&ctx, &choice).await.map(|cart| cart.bookings.len())
        };
        let (there, home) = (|| way("counted", (0, 2), &[]), || Some(way("home", (0, 2), &[])));
        assert_eq!(add(there(), home()).await, Ok(2));
        let early = add(there(), Some(way("mapped", (0, 2), &["1A", "1B"]))).await;
        assert_eq!(early, Err(Error::field("home", Problem::Choice)), "it leaves before they arrive");
        let unseated = add(way("mapped", (0, 2), &["1A"]), None).await;
        assert_eq!(unseated, Err(Error::field("seats", Problem::Range(2, 2))));
        assert_eq!(add(way("mapped", (0, 9), &["1A", "1B"]), None).await, Err(Error::NotFound));
        assert_eq!(add(way("nothing", (0, 1), &[]), None).await, Err(Error::NotFound));
        // Of the way there two places are gone in this cart, so that neither way is added.
        assert!(matches!(add(there(), home()).await, Err(Error::SlotTaken(_))));
        let number = submit(&ctx).await.unwrap();
        assert_eq!(order::get(&ctx, &number).await.unwrap().lines.len(), 2);
        let other = guest(&app).await;
        exec(&app, "update capacity set total = claimed where resource_id = 'home'").await;
        let choice = TripChoice { travellers: people(1), there: there(), home: home() };
        assert!(matches!(trips::add(&other, &choice).await, Err(Error::SlotTaken(_))));
        let alone = trips::add(&other, &TripChoice { home: None, ..choice }).await.unwrap();
        assert_eq!(alone.bookings.len(), 1, "of what was refused nothing stayed");
        assert_eq!(balanced(&app).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_the_lines_that_call_at_both_places_in_that_order() {
    both(&[], async |app| {
        venues::open(&app).await;
        way_home(&app).await;
        let ctx = guest(&app).await;
        let found = trips::trips(&ctx, &ask("x9", "x11", 1)).await.unwrap();
        let [bus] = &found.trips[..] else { panic!("one line: {:?}", found.trips) };
        assert_eq!((bus.handle.as_str(), bus.title.as_str(), bus.voyages.len()), ("bus", "班车", 2));
        assert!(trips::trips(&ctx, &ask("x11", "x9", 1)).await.unwrap().trips.is_empty(), "that is the day after");
        let back = TripAsk { date: Some(venues::first_day().plus(1)), ..ask("x11", "x9", 1) };
        assert_eq!(trips::trips(&ctx, &back).await.unwrap().trips.len(), 1);
        let nowhere = trips::trips(&ctx, &TripAsk::default()).await.unwrap();
        assert_eq!((nowhere.trips.len(), nowhere.places.len()), (0, 3));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_travels_is_shown_to_the_owner_alone() {
    both(&[], async |app| {
        venues::open(&app).await;
        let (ctx, other) = (guest(&app).await, guest(&app).await);
        wishes::add(&ctx, "coach", &ride("counted", (0, 2), &[], 2)).await.unwrap();
        let number = submit(&ctx).await.unwrap();
        let before = travellers::written(&ctx, &number, 0).await.unwrap();
        assert_eq!((before.title.as_str(), before.most, before.open, before.people.len()), ("班车", 2, true, 0));
        let who = [Traveller { name: "欧阳晓".into(), document: "G12345678".into() }];
        travellers::set(&ctx, &number, 0, &who).await.unwrap();
        assert_eq!(travellers::written(&ctx, &number, 0).await.unwrap().people, who);
        assert_eq!(travellers::written(&other, &number, 0).await.err(), Some(Error::NotFound));
        assert_eq!(travellers::written(&ctx, &number, 1).await.err(), Some(Error::NotFound));
        order::cancel(&ctx, &number).await.unwrap();
        assert!(!travellers::written(&ctx, &number, 0).await.unwrap().open);
        assert_eq!(travellers::set(&ctx, &number, 0, &who).await, Err(Error::OrderClosed(State::Cancelled)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fare_that_is_changed_for_nothing_goes_on_another_departure_and_no_other_fare_does() {
    both(&[], async |app| {
        venues::open(&app).await;
        // The day after: at nine there is place for two, at noon for one.
        for (id, hour, places) in [("next", 33, 2), ("noon", 36, 1)] {
            let stops = [("x9", hour), ("x11", hour + 2), ("x13", hour + 4)];
            departure(&app, id, stops.map(|(place, hour)| stop(place, "Asia/Shanghai", at(hour, 0))).into(), places)
                .await;
        }
        let day = venues::first_day().plus(1).to_string();
        let (ctx, other) = (guest(&app).await, guest(&app).await);
        wishes::add(&other, "coach", &ride("counted", (0, 2), &[], 1)).await.unwrap();
        let fixed = paid(&other).await;
        let rule = "update offer set detail = replace(detail, '\"change\":null',
            '\"change\":{\"from\":{\"Before\":{\"ms\":7200000}},\"fee\":0,\"refunds_difference\":false}')
            where variant_id = 'coach'";
        exec(&app, rule).await;
        assert_eq!(after::times(&other, &fixed, 0, &day).await, Ok(vec![]), "by the rules from before it was paid for");
        assert!(!after::choices(&other, &fixed, 0).await.unwrap().movable);

        wishes::add(&ctx, "coach", &ride("counted", (0, 2), &[], 2)).await.unwrap();
        let number = paid(&ctx).await;
        let shown = after::choices(&ctx, &number, 0).await.unwrap();
        assert_eq!((shown.movable, shown.by_hour, shown.minute), (true, true, 9 * 60 + 5));
        assert_eq!(after::times(&ctx, &number, 0, &day).await, Ok(vec![9 * 60]), "at noon there is no place for two");
        let to = async |time: &str| moving::move_to(&ctx, &number, 0, &day, time).await;
        assert_eq!(to("").await, Err(Error::field("time", Problem::Required)));
        assert_eq!(to("10:00").await, Err(Error::field("time", Problem::Choice)), "nothing leaves at ten");
        assert!(matches!(to("12:00").await, Err(Error::SlotTaken(_))));
        assert_eq!(left(&ctx, "x9", "x13").await, told(0, 3), "it stays where it is");
        for _ in 0..2 {
            assert_eq!(to("09:00").await, Ok(MoveAnswer::Done), "twice is once");
        }
        let moved = order::get(&ctx, &number).await.unwrap();
        let start = moved.lines[0].booking.as_ref().map(|booking| booking.start);
        assert_eq!((start, moved.refunds.len()), (Some(at(33, 0)), 0));
        assert!(moved.lines[0].label.contains("09:00"), "{}", moved.lines[0].label);
        assert_eq!((left(&ctx, "x9", "x13").await, balanced(&app).await), (told(2, 3), 2));
        let late = Ctx { now: at(31, 0), ..ctx.clone() };
        assert!(!after::choices(&late, &number, 0).await.unwrap().movable, "two hours before it is too late");

        exec(&app, "update offer set detail = replace(detail, '\"fee\":0', '\"fee\":500')").await;
        let ctx = guest(&app).await;
        wishes::add(&ctx, "coach", &ride("counted", (0, 2), &[], 1)).await.unwrap();
        let number = paid(&ctx).await;
        assert!(after::choices(&ctx, &number, 0).await.unwrap().movable);
        let answer = moving::move_to(&ctx, &number, 0, &day, "12:00").await;
        let cost = Moved { fee: Amount(500), to_pay: Amount(500), refund: Amount::ZERO };
        assert_eq!(answer, Ok(MoveAnswer::Due(cost)), "it is said what would have to be paid");
        let late = Ctx { now: at(7, 5), ..ctx.clone() };
        let refused = moving::move_to(&late, &number, 0, &day, "12:00").await;
        assert_eq!(refused, Err(Error::field("date", Problem::MoveCosts)));
        assert_eq!(balanced(&app).await, 3, "it stays where it is");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn departures_are_made_of_a_timetable_day_by_day_and_once() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        let stop = |(place, at): (&str, i64)| PatternStop {
            place: place.into(),
            names: Default::default(),
            zone: "Asia/Shanghai".into(),
            arrives: at,
            leaves: at,
        };
        let stops = vec![stop(("a", 600)), stop(("b", 660))];
        let pattern = Pattern { weekdays: [true; 7], stops, seats: None, places: 4 };
        let text = serde_json::to_string(&pattern).unwrap();
        let made = app.db.write::<_, DbError>(move |tx| {
            let text = text.clone();
            Box::pin(async move {
                let sql = "insert into timetable (product_id, key, pattern, made_until) values ('bus', $1, $2, $3)";
                // One that is none comes first, and keeps nobody from leaving.
                tx.exec(sql, args!["broken", "{}", timetable::NEVER]).await?;
                tx.exec(sql, args!["daily", text, timetable::NEVER]).await
            })
        });
        made.await.unwrap();
        // Today, and each of the days for which the bus can be booked ahead.
        assert_eq!(timetable::run_due(&app, ctx.now).await, Ok(366));
        assert_eq!(timetable::run_due(&app, ctx.now).await, Ok(0));
        assert_eq!(timetable::run_due(&app, ctx.now + 2 * DAY_MS).await, Ok(2));
        let list = trips::departures(&ctx, "bus", &ask("a", "b", 1)).await.unwrap();
        let [daily] = &list.voyages[..] else { panic!("one departure: {:?}", list.voyages) };
        assert_eq!((daily.from.local.clock(), daily.fares[0].left), ("10:00".into(), 4));
        wishes::add(&ctx, "coach", &ride(&daily.id, (0, 1), &[], 4)).await.unwrap();
        submit(&ctx).await.unwrap();
        assert_eq!(balanced(&app).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_all_who_want_the_last_seat_one_gets_it() {
    for (postgres, customers) in [(false, 60), (true, 25)] {
        let shop = Shop::open(postgres).await;
        let app = &shop.app;
        venues::open(app).await;
        // One seat on the whole way, which meets those on either leg; and three places on the other departure.
        let (mut seat, mut places) = (Vec::new(), Vec::new());
        for number in 0..customers {
            let section = [(0, 2), (0, 1), (0, 2)][number % 3];
            seat.push(wanting(app, "coach", &ride("mapped", section, &["1A"], 1)).await);
            places.push(wanting(app, "coach", &ride("counted", (0, 2), &[], 1)).await);
        }
        assert_eq!(rush(seat).await, 1);
        assert_eq!(rush(places).await, 3);
        assert_eq!(balanced(app).await, 4);
        assert_eq!(count(app, "select count(*) as n from orders").await, 4);
        let (late, _) = wanting(app, "coach", &ride("mapped", (0, 2), &["1B"], 1)).await;
        submit(&late).await.unwrap();
        app.db.close().await;
    }
}
