//! Orders: to the paid state over HTTP, in a flash sale, and what open pages see of it.

use crate::{
    bare,
    client::{Buyer, Server, memory_kib},
    load::{goal, median, quantile},
    reference,
};
use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
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

/// Variants that sell little, in other categories than the variant above is, one of each product, with enough of them.
pub fn variants_apart(data: &Path) -> Vec<String> {
    let db = open(&data.join("xiadan.db"));
    let sql =
        "select min(v.id) from variant v join stock s on s.variant_id = v.id join product p on p.id = v.product_id
            join category c on c.id = p.category_id
        where p.status = 'active' and v.active and p.sales < 300
            and not exists (select 1 from venue e where e.product_id = p.id)
            and coalesce(c.parent_id, c.id) <> (select coalesce(k.parent_id, k.id) from category k
                join product t on t.category_id = k.id where t.handle = 'celadon-teapot')
        group by p.id";
    let ids: Vec<String> =
        db.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(ids.len() > 20, "so many that none of them sells as well as what the first page of all shows");
    for id in &ids {
        db.execute("update stock set on_hand = held + 1000000 where variant_id = ?1", params![id]).unwrap();
    }
    ids
}

/// The database of a shop, which may be open elsewhere.
pub fn open(file: &Path) -> Connection {
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
            reference.push(reference::paid_orders(data, 400, 1));
        }
        let (shop, reference) = (median(&mut shop), median(&mut reference));
        println!(
            "paid orders/s with {buyers} buyers: {shop:.0}, {:.2} of the same statements through rusqlite ({reference:.0}/s){}",
            shop / reference,
            if buyers == 64 { format!("; {}: 300/s", goal(shop, 300.0..=f64::MAX)) } else { String::new() }
        );
    }
}

/// Orders per second that so many buyers at a time place and pay, so many in all.
pub async fn run(client: &Client, server: &Server, variant: &str, buyers: usize, orders: usize) -> f64 {
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
pub async fn sale(client: &Client, server: &Server, data: &Path) -> (f64, Vec<f64>) {
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

/// How many pages are open.
const PAGES: usize = 1_000;

/// Opens pages of a product that follow it; each has heard of it once.
pub async fn open_pages(
    client: &Client,
    server: &Server,
    product: &str,
) -> Vec<BoxStream<'static, reqwest::Result<Bytes>>> {
    let mut pages = Vec::new();
    for _ in 0..PAGES {
        let answer = client.get(format!("{}/live?topics=product:{product}", server.url)).send().await.unwrap();
        assert!(answer.status().is_success());
        let mut stream = answer.bytes_stream().boxed();
        stream.next().await.unwrap().unwrap();
        pages.push(stream);
    }
    pages
}

/// The time until open pages see a change of stock, with as many plain connections that are sent the same bytes as the
/// reference.
pub async fn live(client: &Client, server: &Server, data: &Path) {
    let (variant, product) = variant(data, 1_000_000);
    let mut pages = open_pages(client, server, &product).await;
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
