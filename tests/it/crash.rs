//! `kill -9` under load, again and again: what was confirmed is there, once, and the stock adds up.

use crate::{
    client::{Buyer, Server, Setup, client, free_ports, run},
    postgres,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use xiadan::{
    args,
    server::{
        books,
        db::{Db, DbError, Options},
    },
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");
const BUYERS: usize = 8;
/// So many orders are confirmed in a round, and so many paid, before it is cut short.
const CONFIRMED: usize = 8;
const PAID: usize = 2;
/// For how long that is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_confirmed_is_lost_or_doubled_when_the_power_fails() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("xiadan.db").display());
    crashes(folder.path(), &url, 20).await;
}

// PostgreSQL itself goes on, and ends what the shop had begun: fewer rounds tell whether that fits.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_confirmed_is_lost_or_doubled_when_the_shop_fails_and_postgres_does_not() {
    let (folder, database) = (tempfile::tempdir().unwrap(), postgres::Database::create());
    crashes(folder.path(), &database.url, 8).await;
}

/// Kills a shop under load so many times.
async fn crashes(data: &Path, url: &str, rounds: u64) {
    let options = ["--database-url", url];
    run(PROGRAM, data, &[&options[..], &["demo", "--demo", concat!(env!("CARGO_MANIFEST_DIR"), "/demo")]].concat());
    let db = Db::open(Options { url: url.to_owned(), ..Options::default() }).await.unwrap();
    let sql = "select s.variant_id from stock s where s.on_hand >= 20 order by s.variant_id limit 40";
    let variants: Vec<String> =
        db.all(sql, args![]).await.unwrap().iter().map(|row| row.get("variant_id").unwrap()).collect();
    let sql = "update stock set on_hand = on_hand + 100000, imported = imported + 100000";
    db.write::<_, DbError>(move |tx| Box::pin(async move { tx.exec(sql, args![]).await })).await.unwrap();
    let before = on_hand(&db).await;
    db.close().await;

    let client = client();
    let setup = Setup { program: PROGRAM, data, site: PathBuf::from("none"), ports: free_ports() };
    let (confirmed, paid) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(Mutex::new(BTreeSet::new())));
    // Rounds whose kill came after a confirmed order, and in the middle of a submit or a payment.
    let (mut busy, mut cut) = (0, 0);
    for round in 0..rounds {
        let (known, known_paid) = (confirmed.lock().unwrap().len(), paid.lock().unwrap().len());
        let mut server = Server::start_with(&setup, &options, &client).await;
        let buyers: Vec<_> = (0..BUYERS)
            .map(|buyer| {
                let (client, url, variants) = (client.clone(), server.url.clone(), variants.clone());
                let (confirmed, paid) = (confirmed.clone(), paid.clone());
                tokio::spawn(async move {
                    // Until the server is gone: every answer before that is a promise. Tells whether it went while this
                    // buyer submitted or paid.
                    for i in 0.. {
                        let variant = &variants[(buyer * 7 + i) % variants.len()];
                        let mut browser = Buyer::new(&client, &url);
                        let Ok(review) = browser.prepare(variant, 1).await else { break };
                        match browser.submit(&review).await {
                            Ok(Ok(number)) => {
                                assert!(confirmed.lock().unwrap().insert(number.clone()), "a number was given twice");
                                if i % 2 == 0 {
                                    match browser.pay(&number).await {
                                        Ok(true) => _ = paid.lock().unwrap().insert(number),
                                        Ok(false) => {}
                                        Err(_) => return true,
                                    }
                                }
                            }
                            Ok(Err(_)) => {}
                            Err(_) => return true,
                        }
                    }
                    false
                })
            })
            .collect();
        // One in eight is killed whatever it has done by then, perhaps while it still starts; the others under load.
        let patience = Instant::now() + if round % 8 == 0 { Duration::ZERO } else { PATIENCE };
        let is_loaded = || {
            let (confirmed, paid) = (confirmed.lock().unwrap().len(), paid.lock().unwrap().len());
            confirmed >= known + CONFIRMED && paid >= known_paid + PAID
        };
        while !is_loaded() && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(200 + getrandom::u64().unwrap() % 1_500)).await;
        server.kill();
        let mut in_the_middle = false;
        for buyer in buyers {
            in_the_middle |= buyer.await.unwrap();
        }
        cut += u64::from(in_the_middle);
        busy += u64::from(confirmed.lock().unwrap().len() > known);
    }
    assert!(
        busy > rounds * 3 / 4 && cut > rounds / 4,
        "of {rounds} kills {busy} came after an order, {cut} within one"
    );

    // A last start finishes what the provider still has to tell.
    let mut server = Server::start_with(&setup, &options, &client).await;
    let open = || Db::open(Options { url: url.to_owned(), ..Options::default() });
    let paid = paid.lock().unwrap().clone();
    let beside = open().await.unwrap();
    let patience = Instant::now() + PATIENCE;
    while !paid.is_subset(&numbers(&beside, "to_ship").await) && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    beside.close().await;
    server.kill();
    let db = open().await.unwrap();
    let rows = db.all("select number from orders", args![]).await.unwrap();
    let stored: BTreeSet<String> = rows.iter().map(|row| row.get("number").unwrap()).collect();
    let confirmed = confirmed.lock().unwrap().clone();
    assert!(confirmed.len() as u64 > 5 * rounds, "the load was real: {}", confirmed.len());
    assert_eq!(stored.len(), rows.len(), "no number is there twice");
    assert_eq!(confirmed.difference(&stored).count(), 0, "every confirmed order is there");
    let sql = "select count(*) as n from (select customer_id, submit_key from orders group by customer_id, submit_key having count(*) > 1) x";
    assert_eq!(db.one(sql, args![]).await.unwrap().get::<i64>("n").unwrap(), 0, "no cart became two orders");

    let to_ship = numbers(&db, "to_ship").await;
    assert!(paid.len() as u64 > rounds, "the load paid: {}", paid.len());
    assert_eq!(paid.difference(&to_ship).count(), 0, "every confirmed payment counts");

    let sold =
        "select l.variant_id, cast(sum(l.quantity) as bigint) as n from order_line l join orders o on o.id = l.order_id
        where o.state = $1 group by l.variant_id";
    let held = "select variant_id, cast(sum(quantity) as bigint) as n from hold where state = $1 group by variant_id";
    let (sold, waiting, held) =
        (sums(&db, sold, "to_ship").await, sums(&db, sold, "to_pay").await, sums(&db, held, "active").await);
    assert_eq!(waiting, held, "what unpaid orders promise is what is held");
    assert!(!sold.is_empty(), "some orders were paid");
    for row in db.all("select variant_id, on_hand, held from stock", args![]).await.unwrap() {
        let variant: String = row.get("variant_id").unwrap();
        let of = |sums: &std::collections::BTreeMap<String, i64>| sums.get(&variant).copied().unwrap_or(0);
        assert_eq!(row.get::<i64>("held").unwrap(), of(&held), "{variant}");
        assert_eq!(row.get::<i64>("on_hand").unwrap(), of(&before) - of(&sold), "{variant}");
    }
    let sql = "select count(*) as n from orders o where o.state = 'to_ship'
        and (select count(*) from payment p where p.order_id = o.id and p.state = 'succeeded') <> 1";
    assert_eq!(db.one(sql, args![]).await.unwrap().get::<i64>("n").unwrap(), 0, "each paid order has one payment");
    let report = books::check(&db).await.unwrap();
    assert!(report.balances(), "{:#?}", report.problems);
    assert_eq!(report.orders, i64::try_from(stored.len()).unwrap());
    eprintln!("{} orders confirmed and {} paid over {rounds} crashes, {cut} within one", confirmed.len(), paid.len());
}

/// The numbers of all orders in a state.
async fn numbers(db: &Db, state: &str) -> BTreeSet<String> {
    let rows = db.all("select number from orders where state = $1", args![state]).await.unwrap();
    rows.iter().map(|row| row.get("number").unwrap()).collect()
}

type Sums = std::collections::BTreeMap<String, i64>;

async fn on_hand(db: &Db) -> Sums {
    let rows = db.all("select variant_id, on_hand from stock", args![]).await.unwrap();
    rows.iter().map(|row| (row.get("variant_id").unwrap(), row.get("on_hand").unwrap())).collect()
}

async fn sums(db: &Db, sql: &'static str, state: &str) -> Sums {
    let rows = db.all(sql, args![state]).await.unwrap();
    rows.iter().map(|row| (row.get("variant_id").unwrap(), row.get("n").unwrap())).collect()
}
