//! Claims of bookings: nobody gets what somebody else has, and nothing is left of what was not got.

use crate::{
    member::exec,
    shop::{Shop, both, customer},
};
use std::sync::Arc;
use tokio::sync::Barrier;
use xiadan::{
    args,
    domain::{
        Error,
        booking::{HOUR_MS, MINUTE_MS, interval::Interval},
        error::TakenSlot,
    },
    server::{
        App,
        booking::claim::{self, Claim, What},
        books,
        db::DbError,
    },
};

/// Noon of some day, in UTC milliseconds.
const NOON: i64 = 20_500 * 24 * HOUR_MS + 12 * HOUR_MS;

fn nights(from: i64, until: i64, quantity: i64) -> Claim {
    Claim { resource_id: "twin".into(), what: What::Count { from, until, quantity } }
}

/// From one minute after noon to another.
fn time(resource: &str, from: i64, until: i64) -> Claim {
    let time = Interval { start: NOON + from * MINUTE_MS, end: NOON + until * MINUTE_MS };
    Claim { resource_id: resource.into(), what: What::Time(time) }
}

fn seat(seat: &str, from: i64, until: i64) -> Claim {
    Claim { resource_id: format!("bus:{seat}"), what: What::Seat { from, until } }
}

/// So many rooms in each of some nights.
async fn rooms(app: &App, nights: i64, rooms: i64) {
    app.db
        .write::<_, DbError>(move |tx| {
            Box::pin(async move {
                for night in 0..nights {
                    let sql = "insert into capacity (resource_id, unit, total, claimed) values ('twin', $1, $2, 0)";
                    tx.exec(sql, args![night, rooms]).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

/// A bare order with claims, in one transaction as every order is made.
async fn book(app: &App, customer: &str, order: &str, claims: &[Claim]) -> Result<(), Error> {
    let (customer, order, claims) = (customer.to_owned(), order.to_owned(), claims.to_vec());
    app.db
        .write::<_, Error>(move |tx| {
            let (customer, order, claims) = (customer.clone(), order.clone(), claims.clone());
            Box::pin(async move {
                let sql = "insert into orders (id, number, customer_id, submit_key, state, version, locale, currency, goods, discount,
                        shipping, total, quantity, grams, region, delivery_wish, payment_method, contact_sealed, note_sealed,
                        phone_hash, words, placed_at, expires_at, changed_at)
                    values ($1, $1, $2, $1, 'to_pay', 1, 'en', 'CNY', 0, 0, 0, 0, 1, 0, '', 'any_time', 'alipay', $3, $3, '', '', 0, 0, 0)";
                tx.exec(sql, args![&order, customer, Vec::<u8>::new()]).await?;
                let lines: Vec<_> = (0..).zip(claims).collect();
                let taken = claim::hold(tx, &order, &lines).await?;
                let slot = |line: i64| TakenSlot { line: line.to_string(), title: String::new() };
                if taken.is_empty() { Ok(()) } else { Err(Error::SlotTaken(taken.into_iter().map(slot).collect())) }
            })
        })
        .await
}

/// The positions of what was refused; empty where all was got.
fn refused(answer: Result<(), Error>) -> Vec<i64> {
    match answer {
        Ok(()) => Vec::new(),
        Err(Error::SlotTaken(taken)) => taken.iter().map(|slot| slot.line.parse().unwrap()).collect(),
        Err(other) => panic!("an unclear answer: {other}"),
    }
}

/// What a transaction does with the claims of an order, the order locked as by every change of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Release,
    Take,
    HoldAgain,
}

/// False where an order was to be held again and cannot be.
async fn step(app: &App, order: &str, step: Step) -> bool {
    let order = order.to_owned();
    app.db
        .write::<_, Error>(move |tx| {
            let order = order.clone();
            Box::pin(async move {
                tx.exec("update orders set changed_at = changed_at where id = $1", args![&order]).await?;
                match step {
                    Step::Release => claim::release(tx, &order).await.map(|()| true),
                    Step::Take => claim::take(tx, &order).await.map(|()| true),
                    Step::HoldAgain => claim::hold_again(tx, &order).await,
                }
            })
        })
        .await
        .unwrap()
}

/// Whether the books balance: each unit of a capacity is claimed as often as claims say and never more than there are, and
/// there is a cell for each part of the time of a claim, and for nothing else. Answers with the number of claims that hold.
pub async fn balanced(app: &App) -> usize {
    let report = books::check_claims(&app.db).await.unwrap();
    assert!(report.balances(), "{:#?}", report.problems);
    assert_eq!(report.uncounted, 0, "every unit of a claim has its capacity");
    usize::try_from(report.claims).unwrap()
}

/// Lets everybody book at one moment; answers with what each was refused, in the order of the wishes.
async fn rush(app: &App, wishes: Vec<Vec<Claim>>) -> Vec<Vec<i64>> {
    let person = customer(app).await.customer.unwrap();
    let start = Arc::new(Barrier::new(wishes.len()));
    let tasks: Vec<_> = wishes
        .into_iter()
        .enumerate()
        .map(|(number, wish)| {
            let (app, person, start) = (app.clone(), person.clone(), start.clone());
            tokio::spawn(async move {
                start.wait().await;
                refused(book(&app, &person, &format!("order-{number}"), &wish).await)
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_hundred_customers_share_twenty_rooms_over_overlapping_nights() {
    race_for_rooms(false, 500).await;
}

// Fewer, because whoever waits longer than ten seconds for a connection is told to come again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_customers_share_twenty_rooms_over_overlapping_nights_on_postgres() {
    race_for_rooms(true, 200).await;
}

async fn race_for_rooms(postgres: bool, customers: i64) {
    const ROOMS: i64 = 20;
    let shop = Shop::open(postgres).await;
    let app = &shop.app;
    rooms(app, 10, ROOMS).await;
    // One to four nights from one of the first seven on, one or two rooms.
    let wish = |number: i64| {
        let from = number * 5 % 7;
        (from, from + 1 + number % 4, 1 + number % 3 / 2)
    };
    let wishes = (0..customers).map(|number| {
        let (from, until, quantity) = wish(number);
        vec![nights(from, until, quantity)]
    });
    let answers = rush(app, wishes.collect()).await;
    let got = answers.iter().filter(|refused| refused.is_empty()).count();
    assert_eq!(balanced(app).await, got);
    let claimed = app.db.all("select claimed from capacity where resource_id = 'twin' order by unit", args![]).await;
    let claimed: Vec<i64> = claimed.unwrap().iter().map(|row| row.get("claimed").unwrap()).collect();
    assert!(claimed.contains(&ROOMS), "some nights are sold out: {claimed:?}");
    for (number, refused) in (0..customers).zip(&answers) {
        let (from, until, quantity) = wish(number);
        let full = (from..until).any(|night| claimed[usize::try_from(night).unwrap()] + quantity > ROOMS);
        // Nothing was given back, so that what was full then is full now.
        assert!(refused.is_empty() || full, "customer {number} was refused what was there: {claimed:?}");
    }
    app.db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_customers_want_an_afternoon_of_one_masseur() {
    race_for_a_masseur(false, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_customers_want_an_afternoon_of_one_masseur_on_postgres() {
    race_for_a_masseur(true, 100).await;
}

async fn race_for_a_masseur(postgres: bool, customers: i64) {
    let shop = Shop::open(postgres).await;
    let app = &shop.app;
    // Half an hour to an hour and a half, from each quarter of an hour until five.
    let wish = |number: i64| {
        let from = number * 7 % 20 * 15;
        (from, from + 30 + number / 20 % 5 * 15)
    };
    let wishes = (0..customers).map(|number| {
        let (from, until) = wish(number);
        vec![time("masseur", from, until)]
    });
    let answers = rush(app, wishes.collect()).await;
    let got: Vec<_> =
        (0..customers).zip(&answers).filter(|(_, refused)| refused.is_empty()).map(|(n, _)| wish(n)).collect();
    assert_eq!(balanced(app).await, got.len());
    assert!((3..=13).contains(&got.len()), "{got:?}");
    for (number, refused) in (0..customers).zip(&answers) {
        let (from, until) = wish(number);
        let busy = got.iter().any(|(start, end)| *start < until && from < *end);
        assert!(busy, "nobody has from {from} to {until}, and {refused:?} was refused");
    }
    app.db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn orders_of_many_kinds_that_come_and_go_leave_balanced_books() {
    for (postgres, orders) in [(false, 300), (true, 120)] {
        let shop = Shop::open(postgres).await;
        let app = &shop.app;
        eprintln!("on {}", app.db.kind().as_str());
        rooms(app, 8, 6).await;
        let wish = |number: i64| {
            let (from, minute) = (number * 3 % 6, number * 11 % 12 * 10);
            let mut claims = vec![
                time("masseur", minute, minute + 30),
                nights(from, from + 1 + number % 3, 1),
                seat(["a", "b", "c"][usize::try_from(number % 3).unwrap()], number % 4, number % 4 + 2),
            ];
            if number % 4 == 0 {
                // Two tables that are joined, named in any order.
                claims.extend([time("table-2", minute, minute + 60), time("table-1", minute, minute + 60)]);
            }
            claims.truncate(1 + usize::try_from(number % 5).unwrap());
            claims
        };
        let person = customer(app).await.customer.unwrap();
        let start = Arc::new(Barrier::new(usize::try_from(orders).unwrap()));
        let tasks: Vec<_> = (0..orders)
            .map(|number| {
                let (app, person, start, wish) = (app.clone(), person.clone(), start.clone(), wish(number));
                tokio::spawn(async move {
                    start.wait().await;
                    let order = format!("order-{number}");
                    // Whoever is refused tries again, while others give back what they got.
                    let mut tries = 0;
                    while !refused(book(&app, &person, &order, &wish).await).is_empty() {
                        tries += 1;
                        if tries == 8 {
                            return 0;
                        }
                    }
                    let mut held = true;
                    let steps = [Step::Release, Step::HoldAgain, Step::Take, Step::Release, Step::HoldAgain];
                    for next in &steps[..usize::try_from(number % 6).unwrap()] {
                        let done = step(&app, &order, *next).await;
                        held = match next {
                            Step::Release => false,
                            Step::HoldAgain => done,
                            Step::Take => held,
                        };
                    }
                    if held { wish.len() } else { 0 }
                })
            })
            .collect();
        let mut held = 0;
        for task in tasks {
            held += task.await.unwrap();
        }
        assert_eq!(balanced(app).await, held);
        assert!(held > 0);
        let sql = "select count(*) as n from orders o where not exists (select 1 from claim c where c.order_id = o.id)";
        let bare: i64 = app.db.one(sql, args![]).await.unwrap().get("n").unwrap();
        assert_eq!(bare, 0, "of an order that was refused nothing is there");
        app.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_gets_everything_it_asks_for_or_nothing() {
    both(&[], async |app| {
        let person = customer(&app).await.customer.unwrap();
        rooms(&app, 3, 2).await;
        exec(&app, "update capacity set total = 1 where unit = 2").await;
        let book = async |order: &str, claims: &[Claim]| refused(book(&app, &person, order, claims).await);
        let free = time("masseur", 0, 60);
        // The last night has one room, and there is no fourth; each line that cannot be had is told.
        assert_eq!(book("a", &[free.clone(), nights(0, 3, 2), nights(2, 4, 1)]).await, [1, 2]);
        assert_eq!(balanced(&app).await, 0);
        assert_eq!(book("a", &[free.clone(), nights(0, 3, 1), seat("7", 0, 3)]).await, Vec::<i64>::new());
        assert_eq!(balanced(&app).await, 3);
        // What only touches is free.
        let next = [time("masseur", 60, 90), seat("7", 3, 5), nights(0, 2, 1)];
        assert_eq!(book("b", &next).await, Vec::<i64>::new());
        assert_eq!(book("c", &[time("masseur", 55, 65), seat("7", 2, 4), seat("8", 0, 5)]).await, [0, 1]);
        // Two lines of one order are in each other's way as well.
        assert_eq!(book("c", &[time("table", 0, 60), time("table", 30, 90)]).await.len(), 1);
        assert_eq!(balanced(&app).await, 6);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_are_released_and_held_again_all_together() {
    both(&[], async |app| {
        let person = customer(&app).await.customer.unwrap();
        rooms(&app, 2, 1).await;
        let claims = [nights(0, 2, 1), time("masseur", 0, 60)];
        book(&app, &person, "a", &claims).await.unwrap();
        for _ in 0..2 {
            step(&app, "a", Step::Release).await;
            assert_eq!(balanced(&app).await, 0);
        }
        assert!(step(&app, "a", Step::HoldAgain).await);
        step(&app, "a", Step::Take).await;
        assert!(step(&app, "a", Step::HoldAgain).await, "it has everything");
        assert_eq!(balanced(&app).await, 2);
        step(&app, "a", Step::Release).await;

        book(&app, &person, "b", &claims[1..]).await.unwrap();
        assert!(!step(&app, "a", Step::HoldAgain).await, "somebody else has the hour");
        assert_eq!(balanced(&app).await, 1, "and so the room stays free");
        step(&app, "b", Step::Release).await;
        assert!(step(&app, "a", Step::HoldAgain).await);
        assert_eq!(balanced(&app).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocked_time_cannot_be_booked_until_it_is_free_again() {
    both(&[], async |app| {
        let person = customer(&app).await.customer.unwrap();
        let block = async |from: i64, until: i64| {
            let time = Interval { start: NOON + from * MINUTE_MS, end: NOON + until * MINUTE_MS };
            app.db
                .write::<_, Error>(move |tx| {
                    Box::pin(async move { claim::block(tx, "masseur", time, "dentist").await })
                })
                .await
        };
        let blocked = block(0, 7).await.unwrap().unwrap();
        assert_eq!(block(9, 20).await, Ok(None), "to whole cells of five minutes");
        assert!(block(20, 20).await.is_err(), "no time at all");
        assert!(block(30, 30 + 32 * 24 * 60).await.is_err(), "longer than a month");
        assert_eq!(refused(book(&app, &person, "a", &[time("masseur", 5, 30)]).await), [0]);
        assert_eq!(balanced(&app).await, 1);
        for _ in 0..2 {
            let id = blocked.clone();
            let free = app.db.write::<_, Error>(move |tx| {
                let id = id.clone();
                Box::pin(async move { claim::unblock(tx, &id).await })
            });
            free.await.unwrap();
        }
        assert_eq!(balanced(&app).await, 0);
        book(&app, &person, "a", &[time("masseur", 5, 30)]).await.unwrap();
        let held = app.db.one("select id from claim where state = 'active'", args![]).await.unwrap();
        let held: String = held.get("id").unwrap();
        let other = app.db.write::<_, Error>(move |tx| {
            let held = held.clone();
            Box::pin(async move { claim::unblock(tx, &held).await })
        });
        other.await.unwrap();
        assert_eq!(balanced(&app).await, 1, "what an order has is not unblocked");
    })
    .await;
}
