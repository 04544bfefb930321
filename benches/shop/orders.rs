//! Orders: to the paid state over HTTP, in a flash sale, and what open pages see of it.

use crate::{
    bare,
    client::{Buyer, Server, memory_kib},
    load::{goal, median, quantile},
};
use futures::StreamExt;
use reqwest::Client;
use rusqlite::{Connection, params};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Barrier;

/// The variant that is sold, with enough of it.
pub fn variant(data: &Path, on_hand: i64) -> (String, String) {
    let db = open(&data.join("xiadan.db"));
    let sql = "select v.id, v.product_id from variant v join product p on p.id = v.product_id where p.handle = 'celadon-teapot' order by v.position limit 1";
    let (id, product): (String, String) = db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    db.execute("update stock set on_hand = held + ?2 where variant_id = ?1", params![id, on_hand]).unwrap();
    (id, product)
}

fn open(file: &Path) -> Connection {
    let db = Connection::open(file).unwrap();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    db.execute_batch("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;").unwrap();
    db
}

/// Submits and pays orders of buyers whose carts and forms are ready; the clock runs from the first submit to the last
/// confirmed payment.
pub async fn paid(client: &Client, server: &Server, data: &Path) {
    let (variant, _) = variant(data, 1_000_000);
    for (buyers, orders) in [(1, 100), (8, 400), (64, 1_600)] {
        let (mut shop, mut reference) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            shop.push(run(client, server, &variant, buyers, orders).await);
            reference.push(raw(data, 400));
        }
        let (shop, reference) = (median(&mut shop), median(&mut reference));
        println!(
            "paid orders/s with {buyers} buyers: {shop:.0}, {:.2} of the same statements through rusqlite ({reference:.0}/s){}",
            shop / reference,
            if buyers == 64 { format!("; {}: 300/s", goal(shop, 300.0..=f64::MAX)) } else { String::new() }
        );
    }
}

async fn run(client: &Client, server: &Server, variant: &str, buyers: usize, orders: usize) -> f64 {
    let mut ready = Vec::new();
    for _ in 0..orders {
        let mut buyer = Buyer::new(client, &server.url);
        let review = buyer.prepare(variant, 1).await.unwrap();
        ready.push((buyer, review));
    }
    let begin = Instant::now();
    let mut paid = futures::stream::iter(ready.into_iter().map(|(mut buyer, review)| {
        tokio::spawn(async move {
            let number = buyer.submit(&review).await.unwrap().unwrap();
            assert!(buyer.pay(&number).await.unwrap());
            (buyer, number)
        })
    }))
    .buffer_unordered(buyers);
    let mut last = None;
    while let Some(done) = paid.next().await {
        last = Some(done.unwrap());
    }
    let rate = orders as f64 / begin.elapsed().as_secs_f64();
    let (buyer, number) = last.unwrap();
    let order = buyer.get(&format!("/api/order/get?number={number}")).await.unwrap();
    assert_eq!(order["state"], "to_ship", "the payment is confirmed when the cashier answers");
    rate
}

/// Orders per second when one thread runs the writing statements of an order with the same durability, a transaction
/// each for placing, for opening the payment (two) and for settling it, on a copy of the schema in a file of its own.
fn raw(data: &Path, orders: usize) -> f64 {
    let file = data.join("reference.db");
    for name in ["reference.db", "reference.db-wal", "reference.db-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    let db = open(&file);
    for migration in xiadan::server::MIGRATIONS {
        db.execute_batch(migration.sql).unwrap();
    }
    db.execute_batch(
        "insert into customer (id, created_at) values ('c', 0);
        insert into cart (customer_id, version, updated_at) values ('c', 1, 0);
        insert into product (id, handle, status, brand, tags, price_min, price_max, sales, created_at, updated_at) values ('p', 'p', 'active', '', '[]', 1, 1, 0, 0, 0);
        insert into variant (id, product_id, position, sku, barcode, choices, price, grams, backorder, active, version) values ('v', 'p', 1, 's', '', '[]', 1, 1, false, true, 1);
        insert into stock (variant_id, location, on_hand, held) values ('v', 'main', 1000000, 0);",
    )
    .unwrap();
    let sealed = vec![0u8; 220];
    let begin = Instant::now();
    for i in 0..orders {
        let (id, number) = (format!("order-{i:032}"), format!("{i:016}"));
        let exec = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
            assert_eq!(db.prepare_cached(sql).unwrap().execute(values).unwrap(), 1, "{sql}")
        };
        db.execute_batch("begin immediate").unwrap();
        exec("update cart set version = version + 1, updated_at = ?1 where customer_id = 'c'", &[&1]);
        exec(
            "insert into orders (id, number, customer_id, submit_key, state, version, locale, currency, goods, discount, shipping, total, quantity, grams,
                region, delivery_wish, payment_method, contact_sealed, note_sealed, phone_hash, email_hash, words, placed_at, expires_at, changed_at)
            values (?1, ?2, 'c', ?2, 'to_pay', 1, 'zh-CN', 'CNY', 1, 0, 0, 1, 1, 1, '440305', 'any_time', 'alipay', ?3, ?3, ?2, null, ?2, 1, 1, 1)",
            &[&id, &number, &sealed],
        );
        exec(
            "insert into order_line (order_id, position, variant_id, product_id, handle, title, label, sku, image, unit_price, compare_at, quantity, grams)
            values (?1, 0, 'v', 'p', 'p', 'title', '', 's', null, 1, null, 1, 1)",
            &[&id],
        );
        event(&db, &id, 1);
        exec(
            "update stock set held = held + 1 where variant_id = 'v' and location = 'main' and on_hand - held >= 1",
            &[],
        );
        exec(
            "insert into hold (order_id, variant_id, location, quantity, state) values (?1, 'v', 'main', 1, 'active')",
            &[&id],
        );
        db.execute_batch("commit; begin immediate").unwrap();
        exec("update orders set version = version + 1 where id = ?1", &[&id]);
        event(&db, &id, 2);
        exec("update orders set payment_method = 'alipay' where id = ?1", &[&id]);
        exec(
            "insert into payment (id, order_id, method, provider, amount, currency, state, created_at) values (?1, ?1, 'alipay', 'sandbox', 1, 'CNY', 'pending', 1)",
            &[&id],
        );
        db.execute_batch("commit; begin immediate").unwrap();
        exec("update payment set provider_reference = ?1, cashier_url = ?1 where id = ?1", &[&id]);
        db.execute_batch("commit; begin immediate").unwrap();
        exec("update orders set changed_at = changed_at where id = ?1", &[&id]);
        exec("update payment set state = 'succeeded', settled_at = 1 where id = ?1 and state <> 'succeeded'", &[&id]);
        exec("update orders set state = 'to_ship', version = version + 1 where id = ?1 and version = 2", &[&id]);
        event(&db, &id, 3);
        exec("update product set sales = sales + 1 where id = 'p'", &[]);
        exec("update hold set state = 'taken' where order_id = ?1 and state = 'active'", &[&id]);
        exec(
            "update stock set held = held - 1, on_hand = on_hand - 1 where variant_id = 'v' and location = 'main'",
            &[],
        );
        db.execute_batch("commit").unwrap();
    }
    orders as f64 / begin.elapsed().as_secs_f64()
}

fn event(db: &Connection, order: &str, sequence: i64) {
    let sql = "insert into order_event (order_id, sequence, kind, at, actor) values (?1, ?2, '{\"kind\":\"placed\"}', 1, 'customer')";
    db.prepare_cached(sql).unwrap().execute(params![order, sequence]).unwrap();
}

/// A hundred pieces, a thousand buyers, one moment; beside it, as many requests at once for a file of the same server.
pub async fn flash_sale(client: &Client, server: &Server, data: &Path) {
    let (mut sales, mut files, mut p50, mut p99) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        let (seconds, mut times) = sale(client, server, data).await;
        sales.push(seconds);
        p50.push(quantile(&mut times, 0.5));
        p99.push(quantile(&mut times, 0.99));
        let begin = Instant::now();
        let file = format!("{}/bench-list.html", server.url);
        let asked = (0..BUYERS).map(|_| async { client.get(&file).send().await.unwrap().bytes().await.unwrap() });
        futures::future::join_all(asked).await;
        files.push(begin.elapsed().as_secs_f64());
    }
    let (sale, file) = (median(&mut sales), median(&mut files));
    println!(
        "flash sale of {PIECES} pieces to {BUYERS} buyers: {PIECES} orders and {} clear refusals in {sale:.2} s (median of 3), {:.1} times a file ({file:.2} s); answers p50 {:.0} ms, p99 {:.0} ms",
        BUYERS - PIECES,
        sale / file,
        median(&mut p50),
        median(&mut p99),
    );
}

const PIECES: usize = 100;
const BUYERS: usize = 1_000;

/// The seconds that all answers took together, and the milliseconds of each.
async fn sale(client: &Client, server: &Server, data: &Path) -> (f64, Vec<f64>) {
    let (variant, _) = variant(data, 1_000_000);
    let mut ready = Vec::new();
    for _ in 0..BUYERS {
        let mut buyer = Buyer::new(client, &server.url);
        let review = buyer.prepare(&variant, 1).await.unwrap();
        ready.push((buyer, review));
    }
    self::variant(data, PIECES as i64);
    let start = Arc::new(Barrier::new(BUYERS + 1));
    let tasks: Vec<_> = ready
        .into_iter()
        .map(|(mut buyer, review)| {
            let start = start.clone();
            tokio::spawn(async move {
                start.wait().await;
                let begin = Instant::now();
                let answer = buyer.submit(&review).await.unwrap();
                (answer, begin.elapsed().as_secs_f64() * 1000.0)
            })
        })
        .collect();
    start.wait().await;
    let begin = Instant::now();
    let (mut orders, mut refused, mut times) = (0, 0, Vec::new());
    for task in tasks {
        let (answer, ms) = task.await.unwrap();
        times.push(ms);
        match answer {
            Ok(_) => orders += 1,
            Err(error) if error.get("Shortage").is_some() => refused += 1,
            Err(error) => panic!("an unclear answer: {error}"),
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    assert_eq!((orders, refused), (PIECES, BUYERS - PIECES));
    self::variant(data, 1_000_000);
    (seconds, times)
}

/// The time until open pages see a change of stock, with as many plain connections that are sent the same bytes as the
/// reference.
pub async fn live(client: &Client, server: &Server, data: &Path) {
    const PAGES: usize = 1_000;
    let (variant, product) = variant(data, 1_000_000);
    let mut pages = Vec::new();
    for _ in 0..PAGES {
        let answer = client.get(format!("{}/live?topics=product:{product}", server.url)).send().await.unwrap();
        assert!(answer.status().is_success());
        let mut stream = answer.bytes_stream().boxed();
        stream.next().await.unwrap().unwrap();
        pages.push(stream);
    }
    let memory = memory_kib(server.child.id(), "VmRSS") / 1024;
    let (mut runs, mut texts) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut buyer = Buyer::new(client, &server.url);
        let review = buyer.prepare(&variant, 1).await.unwrap();
        let waiting: Vec<_> = pages
            .drain(..)
            .map(|mut page| {
                tokio::spawn(async move {
                    let text = page.next().await.unwrap().unwrap();
                    (page, text, Instant::now())
                })
            })
            .collect();
        buyer.submit(&review).await.unwrap().unwrap();
        let committed = Instant::now();
        let mut times = Vec::new();
        for page in waiting {
            let (page, text, seen) = page.await.unwrap();
            times.push(seen.saturating_duration_since(committed).as_secs_f64() * 1000.0);
            pages.push(page);
            texts.push(text);
        }
        texts.truncate(runs.len() + 1);
        runs.push(quantile(&mut times, 0.99));
    }
    drop(pages);
    let mut bare: Vec<_> = bare::fan_out(&texts, PAGES).await.iter_mut().map(|times| quantile(times, 0.99)).collect();
    let (shop, bare) = (median(&mut runs), median(&mut bare));
    println!(
        "live: {PAGES} open pages see a sale within {shop:.0} ms (99 %, median of {}; {}: 1,000 ms), {:.1} times as long as a bare fan-out of the same bytes ({bare:.1} ms), memory with them {memory} MiB",
        runs.len(),
        goal(shop, 0.0..=1_000.0),
        shop / bare,
    );
}
