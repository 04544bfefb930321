//! Orders of one booking beside orders of one piece, in the same minutes: what it costs an order to claim nights, an hour, a
//! seat or a table instead of holding a piece.

use crate::{
    client::{Buyer, Seen, Server, Setup, free_ports},
    load::median,
    orders, reference,
    venues::{self, at, dinner, massage, nights, ride},
};
use futures::{StreamExt, stream};
use reqwest::Client;
use rusqlite::{Connection, params};
use std::{path::Path, time::Instant};
use xiadan::{
    domain::booking::{DAY_MS, offer::Kind, wish::Wish},
    server::{
        books,
        config::Config,
        db::{Db, Options},
        start,
    },
};

const RUNS: usize = 3;
/// How many order at a time, and how many orders that is in a run.
const BUYERS: [(usize, i64); 3] = [(1, 60), (8, 240), (64, 640)];
/// How many fill their carts at the same time.
const AT_ONCE: usize = 32;
/// As many of each room and seat as there are pieces.
const PLENTY: &str = "update capacity set total = 1000000 where resource_id in ('twin', 'counted')";
/// A table without a deposit is paid for as it is placed: this one asks for the money of a piece.
const DEPOSIT: &str = "update venue set policies = json_set(policies, '$.party.deposit_from', 1,
        '$.party.deposit_per_guest', 9950) where product_id = 'bistro'";

/// One of the things that are booked.
struct Booking {
    what: &'static str,
    kind: Kind,
    variant: &'static str,
    /// What the so manieth order wants, which no other one gets.
    wish: fn(i64) -> Wish,
    /// How many claims that is.
    claims: i64,
}

const BOOKINGS: [Booking; 4] = [
    Booking { what: "a room for two nights", kind: Kind::Stay, variant: "twin", wish: room, claims: 1 },
    Booking { what: "an hour of somebody", kind: Kind::Visit, variant: "massage", wish: hour, claims: 1 },
    Booking { what: "a seat", kind: Kind::Trip, variant: "coach", wish: seat, claims: 1 },
    // The table itself, and its covers of a quarter of an hour.
    Booking { what: "a table for two", kind: Kind::Table, variant: "table", wish: table, claims: 2 },
];

fn room(number: i64) -> Wish {
    nights(number % 8, 2, 1)
}

/// Two people have twelve hours a day each.
fn hour(number: i64) -> Wish {
    let person = if number % 2 == 0 { "wu" } else { "li" };
    massage(at(9 + number % 24 / 2, 0) + number / 24 * DAY_MS, Some(person))
}

fn seat(_: i64) -> Wish {
    ride("counted", (0, 1), &[], 1)
}

/// Two tables are laid six times a day.
fn table(number: i64) -> Wish {
    dinner(at(9 + number % 12 / 2 * 2, 0) + number / 12 * DAY_MS, 2)
}

/// All kinds in turn, a piece first, by more and more buyers; afterwards every booking must have what it claimed.
pub async fn all(client: &Client, setup: &Setup<'_>) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    open(data).await;
    let setup = Setup { program: setup.program, data, site: setup.site.clone(), ports: free_ports() };
    let server = Server::start(&setup, client).await;
    let mut placed = 0;
    for (buyers, count) in BUYERS {
        let (mut goods, mut rates) = (Vec::new(), BOOKINGS.each_ref().map(|_| Vec::new()));
        for _ in 0..RUNS {
            goods.push(paid(ready(client, &server, count, |_| None).await, buyers).await);
            for (booking, rates) in BOOKINGS.iter().zip(&mut rates) {
                let wish = |number: i64| Some((booking.variant, (booking.wish)(placed + number).text()));
                rates.push(paid(ready(client, &server, count, wish).await, buyers).await);
            }
            placed += count;
        }
        let goods = median(&mut goods);
        for (booking, mut rates) in BOOKINGS.iter().zip(rates) {
            let rate = median(&mut rates);
            println!(
                "paid orders/s of {} with {buyers} buyers: {rate:.0} (median of {RUNS}), {:.2} of orders of a piece ({goods:.0}/s)",
                booking.what,
                rate / goods,
            );
        }
    }
    hold(data, placed).await;
}

/// A shop with a piece and venues, and plenty of each.
async fn open(data: &Path) {
    let config = Config { data: data.to_owned(), database_url: url(data), sandbox: true, ..Config::default() };
    let app = start::open(config).await.unwrap();
    venues::open(&app).await;
    app.db.close().await;
    let db = orders::open(&data.join("xiadan.db"));
    db.execute_batch(reference::GOODS).unwrap();
    assert!(db.execute(PLENTY, []).unwrap() > 0);
    assert_eq!(db.execute(DEPOSIT, []).unwrap(), 1);
}

fn url(data: &Path) -> String {
    format!("sqlite://{}", data.join("xiadan.db").display())
}

/// Buyers who have a booking, or one piece where that is none, in their carts and their forms filled in.
async fn ready(
    client: &Client,
    server: &Server,
    count: i64,
    wish: impl Fn(i64) -> Option<(&'static str, String)>,
) -> Vec<(Buyer, Seen)> {
    let ready = (0..count).map(|number| {
        let (mut buyer, booking) = (Buyer::new(client, &server.url), wish(number));
        async move {
            let seen = match booking {
                Some((variant, wish)) => buyer.prepare_booking(variant, &wish).await,
                None => buyer.prepare(reference::VARIANT, 1).await,
            };
            (buyer, seen.unwrap())
        }
    });
    stream::iter(ready).buffer_unordered(AT_ONCE).collect().await
}

/// Orders per second; the clock runs from the first submit to the last confirmed payment.
async fn paid(ready: Vec<(Buyer, Seen)>, buyers: usize) -> f64 {
    let orders = ready.len();
    let begin = Instant::now();
    let paid = stream::iter(ready).map(|(mut buyer, seen)| {
        tokio::spawn(async move {
            let number = buyer.submit(&seen).await.unwrap().unwrap();
            assert!(buyer.pay(&number).await.unwrap());
        })
    });
    let done: Vec<()> = paid.buffer_unordered(buyers).map(Result::unwrap).collect().await;
    assert_eq!(done.len(), orders);
    orders as f64 / begin.elapsed().as_secs_f64()
}

/// Every order that was placed is paid and has all that it claimed, and nothing is claimed twice.
async fn hold(data: &Path, placed: i64) {
    let db = orders::open(&data.join("xiadan.db"));
    let sold = "select 1000000 - on_hand from stock where variant_id = ?1 and held = 0";
    assert_eq!(number(&db, sold, params![reference::VARIANT]), placed, "pieces");
    let kept = "select count(*) from order_booking b join orders o on o.id = b.order_id
        where b.kind = ?1 and b.state = 'booked' and o.state = 'to_ship' and ?2 = (
            select count(*) from claim c where c.order_id = b.order_id and c.position = b.position and c.state = 'taken')";
    for Booking { what, kind, claims, .. } in &BOOKINGS {
        assert_eq!(number(&db, kept, params![kind.name(), claims]), placed, "{what}");
    }
    let claims = BOOKINGS.iter().map(|booking| booking.claims).sum::<i64>() * placed;
    let db = Db::open(Options { url: url(data), ..Options::default() }).await.unwrap();
    let report = books::check_claims(&db).await.unwrap();
    db.close().await;
    assert!(report.balances(), "{:#?}", report.problems);
    assert_eq!((report.claims, report.uncounted), (claims, 0));
    println!(
        "orders of bookings: {} paid, each with what it claimed ({claims} claims); none has what another one has",
        placed * i64::try_from(BOOKINGS.len()).unwrap(),
    );
}

fn number(db: &Connection, sql: &str, values: &[&dyn rusqlite::ToSql]) -> i64 {
    db.query_row(sql, values, |row| row.get(0)).unwrap()
}
