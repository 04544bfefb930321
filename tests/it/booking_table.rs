//! Tables of restaurants: what is offered can be had, and nobody sits where somebody else does.

use crate::{
    booking::balanced,
    guests::{guest, rush, wanting},
    member::{exec, number as count},
    order::charge,
    shop::{Piece, Shop, books, both, submit},
    venues::{self, at, dinner, massage},
};
use xiadan::{
    domain::{
        Error,
        booking::{
            seating::{Request, TableAsk},
            tables::PartyProblem,
            wish::Wish,
        },
        error::Problem,
        money::Amount,
        order::{OrderChange, QuantityChange, State},
    },
    server::{
        Ctx,
        booking::{stays, tables, wishes},
        cart, order,
        payment::{self, Settled},
    },
};

fn ask(guests: i64, time: Option<i64>) -> TableAsk {
    TableAsk { date: Some(venues::first_day()), guests, time, ..TableAsk::default() }
}

async fn starts(ctx: &Ctx, guests: i64) -> Vec<i64> {
    let list = tables::sittings(ctx, "table", &ask(guests, None)).await.unwrap();
    list.times.iter().map(|time| time.start).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn times_that_are_offered_can_be_booked_and_those_taken_are_offered_no_more() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        // Two hours at a table, from nine to nine, each quarter of an hour.
        let all = starts(&ctx, 3).await;
        assert_eq!((all.len(), all[0], all[40]), (41, at(9, 0), at(19, 0)));
        assert_eq!(starts(&ctx, 1).await.len(), 41);
        for (start, guests) in [(at(18, 0), 3), (at(9, 0), 2)] {
            wishes::add(&ctx, "table", &dinner(start, guests)).await.unwrap();
            submit(&ctx).await.unwrap();
        }
        // The three have both tables from six to eight; of the two in the morning one is left.
        let two = starts(&ctx, 2).await;
        assert_eq!((two.len(), two[0], two.last().copied()), (29, at(9, 0), Some(at(16, 0))));
        let three = starts(&ctx, 3).await;
        assert_eq!((three.len(), three[0], three.last().copied()), (21, at(11, 0), Some(at(16, 0))));
        for start in two.iter().step_by(9) {
            wishes::add(&ctx, "table", &dinner(*start, 2)).await.unwrap();
        }
        for start in all.iter().filter(|start| !three.contains(start)) {
            let refused = wishes::add(&ctx, "table", &dinner(*start, 3)).await;
            assert!(matches!(refused, Err(Error::SlotTaken(_))), "{start} was not offered");
        }
        assert_eq!(balanced(&app).await, 5, "three tables and two counts of covers");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_time_is_taken_the_nearest_are_offered() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        let at_six = |area: Option<&str>| TableAsk { area: area.map(str::to_owned), ..ask(2, Some(18 * 60)) };
        let free = tables::sittings(&ctx, "table", &at_six(None)).await.unwrap();
        assert_eq!((free.wanted, free.nearest.len(), free.times.len()), (Some(at(18, 0)), 0, 41));
        wishes::add(&ctx, "table", &dinner(at(18, 0), 4)).await.unwrap();
        submit(&ctx).await.unwrap();
        let full = tables::sittings(&ctx, "table", &at_six(None)).await.unwrap();
        let near: Vec<_> = full.nearest.iter().map(|time| (time.start, time.area.as_deref())).collect();
        assert_eq!(near, [at(16, 0), at(15, 45), at(15, 30), at(15, 15)].map(|start| (start, None)));
        let there = tables::sittings(&ctx, "table", &at_six(Some("hall"))).await.unwrap();
        assert_eq!(there.nearest[0].area.as_deref(), Some("hall"));
        assert_eq!(there.areas, ["hall"]);
        let (wanted, now) = (dinner(at(18, 0), 2), ctx.now);
        let near = app.db.read::<_, Error>(move |tx| {
            let wanted = wanted.clone();
            Box::pin(async move { tables::near(tx, "table", &wanted, (&[], now)).await })
        });
        let near = near.await.unwrap();
        assert_eq!(near.first(), Some(&(dinner(at(16, 0), 2), at(16, 0))));
        assert_eq!(near.len(), 4);
        for time in &there.nearest {
            let wish = Wish::Table { start: time.start, guests: 2, area: time.area.clone(), requests: vec![] };
            let ctx = guest(&app).await;
            wishes::add(&ctx, "table", &wish).await.unwrap();
        }
        // With one table there is nothing for four on any day.
        exec(&app, "update resource set active = false where id = 'table-2'").await;
        let large = tables::sittings(&ctx, "table", &ask(4, Some(12 * 60))).await.unwrap();
        assert!(large.times.is_empty() && large.nearest.is_empty(), "one table is too small for four");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_begins_at_the_ends_of_time_cannot_be_had_and_breaks_nothing() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        for start in [i64::MIN, i64::MIN + 1, -1, i64::MAX - 1, i64::MAX] {
            for (variant, wish) in [("table", dinner(start, 2)), ("massage", massage(start, None))] {
                let quoted = stays::quoted(&ctx, variant, &wish).await.unwrap();
                assert!(!quoted.available, "{variant} at {start}");
                let added = wishes::add(&ctx, variant, &wish).await;
                assert!(matches!(added, Err(Error::SlotTaken(_))), "{variant} at {start}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_may_arrive_at_once_as_the_house_says_by_now() {
    both(&[], async |app| {
        venues::open(&app).await;
        let (ctx, other) = (guest(&app).await, guest(&app).await);
        exec(&app, "update venue set policies = replace(policies, '\"pacing\":6', '\"pacing\":2')").await;
        wishes::add(&ctx, "table", &dinner(at(18, 0), 2)).await.unwrap();
        submit(&ctx).await.unwrap();
        let refused = wishes::add(&other, "table", &dinner(at(18, 0), 2)).await;
        assert!(matches!(refused, Err(Error::SlotTaken(_))), "{:?}", refused.err());
        exec(&app, "update venue set policies = replace(policies, '\"pacing\":2', '\"pacing\":4')").await;
        wishes::add(&other, "table", &dinner(at(18, 0), 2)).await.unwrap();
        submit(&other).await.unwrap();
        assert_eq!(balanced(&app).await, 4);
        // Those who come already come.
        exec(&app, "update venue set policies = replace(policies, '\"pacing\":4', '\"pacing\":1')").await;
        wishes::add(&ctx, "table", &dinner(at(12, 0), 1)).await.unwrap();
        submit(&ctx).await.unwrap();
        assert_eq!(count(&app, "select max(total) as n from capacity where resource_id = 'bistro'").await, 4);
        assert_eq!(balanced(&app).await, 6);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_in_which_nothing_that_costs_anything_is_left_is_paid_for() {
    const ACTIVE: &str = "select count(*) as n from claim where state = 'active'";
    both(&[Piece("mug", 5_000, 10)], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        cart::add(&ctx, "mug", 2).await.unwrap();
        wishes::add(&ctx, "table", &dinner(at(18, 0), 2)).await.unwrap();
        let number = submit(&ctx).await.unwrap();
        let before = order::get(&ctx, &number).await.unwrap();
        assert_eq!((before.state, count(&app, ACTIVE).await), (State::ToPay, 2));
        let late = charge(&app, &number, None).await;
        let none = QuantityChange { variant_id: "mug".into(), quantity: 0 };
        let change = OrderChange { version: before.version, quantities: vec![none], form: None };
        order::change(&ctx, &number, change).await.unwrap();
        let free = order::get(&ctx, &number).await.unwrap();
        assert_eq!((free.state, free.totals.total, free.lines.len()), (State::ToShip, Amount::ZERO, 1));
        assert_eq!((books(&app, "mug").await, balanced(&app).await, count(&app, ACTIVE).await), ((10, 0, 0), 2, 0));
        assert_eq!(count(&app, "select sales as n from product where id = 'bistro'").await, 1);
        assert_eq!(payment::settle(&app, &late).await, Ok(Settled::Refunded), "money for the mugs goes back");
        assert_eq!(order::expire_due(&app).await, Ok(0));
        order::cancel(&ctx, &number).await.unwrap();
        assert_eq!(balanced(&app).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_is_told_why_it_cannot_book() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        let large = tables::sittings(&ctx, "table", &ask(5, None)).await.unwrap();
        assert_eq!((large.terms, large.times.len(), large.largest), (Err(PartyProblem::Large(4)), 0, 4));
        let elsewhere = TableAsk { area: Some("roof".into()), ..ask(2, None) };
        for (variant, asked, error) in [
            ("table", ask(0, None), Error::field("guests", Problem::Range(1, 500))),
            ("table", elsewhere, Error::field("area", Problem::Choice)),
            ("massage", ask(2, None), Error::NotFound),
            ("nothing", ask(2, None), Error::NotFound),
        ] {
            assert_eq!(tables::sittings(&ctx, variant, &asked).await.err(), Some(error), "{variant}");
        }
        exec(&app, "update product set status = 'draft' where id = 'bistro'").await;
        assert_eq!(tables::sittings(&ctx, "table", &ask(2, None)).await.err(), Some(Error::NotFound));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kitchen_is_not_overrun_and_what_a_party_asks_for_is_on_its_line() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        let requests = vec![Request::ChildSeat, Request::Birthday];
        let wish = Wish::Table { start: at(12, 0), guests: 2, area: Some("hall".into()), requests };
        let cart = wishes::add(&ctx, "table", &wish).await.unwrap();
        let label = &cart.bookings[0].label;
        assert!(label.ends_with("12:00 · 2 位客人 · 大厅 · 儿童椅 · 过生日"), "{label}");
        submit(&ctx).await.unwrap();
        assert!(starts(&ctx, 2).await.contains(&at(12, 0)), "four of six covers would arrive");
        exec(&app, "update capacity set claimed = 5 where resource_id = 'bistro'").await;
        let two = starts(&ctx, 2).await;
        assert!(!two.contains(&at(12, 0)) && two.contains(&at(12, 15)));
        assert!(starts(&ctx, 1).await.contains(&at(12, 0)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restaurants_of_a_city_come_with_their_times_around_the_wanted_one() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        let list = tables::restaurants(&ctx, &ask(2, Some(18 * 60))).await.unwrap();
        assert_eq!(list.places, [("440300".to_owned(), "深圳市".to_owned())]);
        let [bistro] = &list.restaurants[..] else { panic!("there is one: {:?}", list.restaurants) };
        let times: Vec<_> = bistro.times.iter().map(|time| time.start).collect();
        assert_eq!(times, [at(17, 30), at(17, 45), at(18, 0), at(18, 15), at(18, 30)]);
        assert_eq!((bistro.title.as_str(), bistro.city.as_str()), ("小馆", "深圳市"));
        let elsewhere = TableAsk { place: Some("110100".into()), ..ask(2, None) };
        let none = tables::restaurants(&ctx, &elsewhere).await.unwrap();
        assert_eq!((none.restaurants.len(), none.places.len()), (0, 1));
        let first = tables::restaurants(&ctx, &ask(2, None)).await.unwrap();
        assert_eq!(first.restaurants[0].times[0].start, at(9, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_all_who_want_the_last_table_one_gets_it() {
    for (postgres, customers) in [(false, 60), (true, 25)] {
        let shop = Shop::open(postgres).await;
        let app = &shop.app;
        venues::open(app).await;
        let (first, _) = wanting(app, "table", &dinner(at(18, 0), 2)).await;
        submit(&first).await.unwrap();
        let mut ready = Vec::new();
        for number in 0..customers {
            // Each overlaps with each of the others.
            ready.push(wanting(app, "table", &dinner(at(18, 0) + number % 4 * 15 * 60_000, 2)).await);
        }
        assert_eq!(rush(ready).await, 1);
        // Two tables and two counts of covers.
        assert_eq!(balanced(app).await, 4);
        assert_eq!(count(app, "select count(*) as n from orders").await, 2);
        app.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn joined_tables_go_together_or_not_at_all() {
    for (postgres, customers) in [(false, 60), (true, 25)] {
        let shop = Shop::open(postgres).await;
        let app = &shop.app;
        venues::open(app).await;
        let mut ready = Vec::new();
        for number in 0..customers {
            // Parties that need both tables, and such that need one.
            ready.push(wanting(app, "table", &dinner(at(18, 0), if number % 2 == 0 { 4 } else { 2 })).await);
        }
        let orders = rush(ready).await;
        let tables = count(app, "select count(*) as n from calendar_cell where resource_id like 'table-%'").await;
        // Two hours are 24 cells. A party for one table that is the second to want the first one is refused, though the
        // other was free: its cart shows it another one the next time.
        assert!((1..=2).contains(&orders) && [24, 48].contains(&tables), "{orders} orders, {tables} cells");
        balanced(app).await;
        let covers = count(app, "select claimed as n from capacity where resource_id = 'bistro'").await;
        assert!((2..=4).contains(&covers), "{covers}");
        app.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_was_too_slow_is_told_and_keeps_the_cart() {
    both(&[], async |app| {
        venues::open(&app).await;
        let (ctx, seen) = wanting(&app, "table", &dinner(at(18, 0), 4)).await;
        let (other, _) = wanting(&app, "table", &dinner(at(18, 0), 4)).await;
        submit(&other).await.unwrap();
        let refused = order::submit(&ctx, seen).await;
        assert!(matches!(&refused, Err(Error::SlotTaken(taken)) if taken[0].title == "小馆"), "{refused:?}");
        let cart = cart::get(&ctx).await.unwrap();
        assert_eq!((cart.bookings.len(), cart.bookings[0].available), (1, false));
        assert_eq!(balanced(&app).await, 3);
    })
    .await;
}
