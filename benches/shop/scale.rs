//! Many at once, on SQLite and on PostgreSQL: orders by more and more buyers, ten thousand of them for a hundred pieces of
//! one thing while others buy other things, and ten thousand open pages, also of a node at which nobody orders.

use crate::{
    PROGRAM, bare,
    client::{Buyer, Seen, Server, Setup, free_ports, memory_kib, run},
    load::{goal, median, quantile},
    postgres, reference,
};
use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use reqwest::Client;
use serde_json::Value;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use xiadan::{
    args,
    server::db::{Db, DbError, Kind, Options},
};

const RUNS: usize = 3;
/// How many order at a time, and how many orders that is in a run.
const BUYERS: [(usize, usize); 4] = [(1, 60), (8, 240), (64, 960), (256, 1_536)];
/// How many variants are ordered, one in each order.
const VARIANTS: usize = 16;
/// The flash sale: pieces, buyers, and how many of these ask at the same time.
const PIECES: usize = 100;
const CROWD: usize = 10_000;
const AT_ONCE: usize = 1_000;
/// How many buy other things meanwhile.
const OTHERS: usize = 8;
const PAGES: usize = 10_000;
/// How many orders the shop's writer puts into one commit at the most.
const GROUPED: usize = 64;

/// A shop on one of the databases, with what it sells.
struct Place<'a> {
    name: &'static str,
    client: &'a Client,
    server: Server,
    db: Db,
    /// Variant and product.
    goods: Vec<(String, String)>,
}

pub async fn all(client: &Client, setup: &Setup<'_>, root: &Path) {
    let sqlite = format!("sqlite://{}", setup.data.join("xiadan.db").display());
    // What a rush leaves behind in memory is not what the pages take.
    {
        let place = Place::open("SQLite", client, setup, &sqlite).await;
        live(&place, &place.server, "of a server that was just started").await;
    }
    {
        let place = Place::open("SQLite", client, setup, &sqlite).await;
        let what = "the same statements through rusqlite, one after the other";
        let most = orders(&place, |_| reference::paid_orders(setup.data, 400, 1), what).await;
        let mut grouped: Vec<_> = (0..RUNS).map(|_| reference::paid_orders(setup.data, 1_600, GROUPED)).collect();
        let grouped = median(&mut grouped);
        println!(
            "SQLite: {most:.0} paid orders/s at the most, {:.2} of those statements alone, {GROUPED} orders to a commit and nobody to answer ({grouped:.0}/s, median of {RUNS})",
            most / grouped
        );
        flash_sale(&place).await;
        live(&place, &place.server, "of one that has had the sale").await;
    }
    let (folder, database) = (tempfile::tempdir().unwrap(), postgres::Database::create());
    database.wait_for_the_disk();
    let data = folder.path().join("data");
    let demo = root.join("demo");
    run(PROGRAM, &data, &["--database-url", &database.url, "demo", "--demo", demo.to_str().unwrap()]);
    let setup = Setup { program: PROGRAM, data: &data, site: setup.site.clone(), ports: free_ports() };
    let place = Place::open("PostgreSQL", client, &setup, &database.url).await;
    let other = Setup { program: PROGRAM, data: &data, site: setup.site.clone(), ports: free_ports() };
    let other = Server::start_with(&other, &["--database-url", &database.url], client).await;
    live(&place, &other, "of a node on PostgreSQL, where they hear of an order at another one").await;
    drop(other);
    orders(&place, |buyers| database.bench(buyers, 3), "simple updates by pgbench with as many clients").await;
    flash_sale(&place).await;
}

impl<'a> Place<'a> {
    async fn open(name: &'static str, client: &'a Client, setup: &Setup<'_>, url: &str) -> Self {
        let server = Server::start_with(setup, &["--database-url", url], client).await;
        let db = Db::open(Options { url: url.to_owned(), ..Options::default() }).await.unwrap();
        let sql = "select v.id, v.product_id from variant v join product p on p.id = v.product_id
            where p.kind = 'goods' and p.status = 'active' and v.active and not v.backorder order by v.id limit $1";
        let rows = db.all(sql, args![VARIANTS as i64]).await.unwrap();
        let goods: Vec<_> = rows.iter().map(|row| (row.get("id").unwrap(), row.get("product_id").unwrap())).collect();
        assert_eq!(goods.len(), VARIANTS);
        let place = Self { name, client, server, db, goods };
        for (variant, _) in &place.goods {
            place.put(variant, 10_000_000).await;
        }
        place
    }

    /// Puts so many free pieces of a variant there.
    async fn put(&self, variant: &str, free: i64) {
        let variant = variant.to_owned();
        let sql = "update stock set on_hand = held + $2 where variant_id = $1";
        let put = self.db.write::<_, DbError>(move |tx| {
            let variant = variant.clone();
            Box::pin(async move { tx.exec(sql, args![variant, free]).await })
        });
        assert_eq!(put.await, Ok(1));
    }

    /// Buyers who have what they want in their carts.
    async fn ready(&self, count: usize, variant: impl Fn(usize) -> String) -> Vec<(Buyer, Seen)> {
        let ready = (0..count).map(|n| {
            let (mut buyer, variant) = (Buyer::new(self.client, &self.server.url), variant(n));
            async move {
                let seen = buyer.prepare(&variant, 1).await.unwrap();
                (buyer, seen)
            }
        });
        stream::iter(ready).buffer_unordered(32).collect().await
    }
}

/// Orders per second, placed and paid, and how long placing one takes; answers with the most orders per second.
async fn orders(place: &Place<'_>, reference: impl Fn(usize) -> f64, what: &str) -> f64 {
    let mut most = 0.0_f64;
    for (buyers, count) in BUYERS {
        let (mut rates, mut p50, mut p99, mut references) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let ready = place.ready(count, |n| place.goods[n % VARIANTS].0.clone()).await;
            let begin = Instant::now();
            let bought = stream::iter(ready).map(|(mut buyer, seen)| {
                tokio::spawn(async move {
                    let begin = Instant::now();
                    let number = buyer.submit(&seen).await.unwrap().unwrap();
                    let took = begin.elapsed().as_secs_f64() * 1000.0;
                    assert!(buyer.pay(&number).await.unwrap());
                    took
                })
            });
            let mut times: Vec<f64> = bought.buffer_unordered(buyers).map(Result::unwrap).collect().await;
            rates.push(count as f64 / begin.elapsed().as_secs_f64());
            p50.push(quantile(&mut times, 0.5));
            p99.push(quantile(&mut times, 0.99));
            references.push(reference(buyers));
        }
        let (rate, reference) = (median(&mut rates), median(&mut references));
        most = most.max(rate);
        // On SQLite, where the reference does the same work with the same durability, many at once are to get half of it.
        let wanted = if place.db.kind() == Kind::Sqlite && buyers >= 64 {
            format!("; {}: 0.5", goal(rate / reference, 0.5..=f64::MAX))
        } else {
            String::new()
        };
        println!(
            "{}: paid orders/s with {buyers} buyers: {rate:.0} (median of {RUNS}), {:.2} of {what} ({reference:.0}/s{wanted}); placing one p50 {:.1} ms, p99 {:.1} ms",
            place.name,
            rate / reference,
            median(&mut p50),
            median(&mut p99),
        );
    }
    most
}

/// A hundred pieces for ten thousand buyers, while others buy other things all the time; beside it, what those get done
/// when there is no sale.
async fn flash_sale(place: &Place<'_>) {
    let hot = place.goods[0].0.clone();
    let mut crowd = place.ready(CROWD, |_| hot.clone()).await;
    let (mut seconds, mut waits) = (Vec::new(), Vec::new());
    let (mut alone, mut beside) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    let mut again = 0;
    for _ in 0..RUNS {
        let quiet = Others::start(place);
        tokio::time::sleep(Duration::from_secs(3)).await;
        let (rate, p99) = quiet.end().await;
        alone.0.push(rate);
        alone.1.push(p99);

        place.put(&hot, PIECES as i64).await;
        let others = Others::start(place);
        let begin = Instant::now();
        let answers: Vec<_> = stream::iter(crowd.drain(..))
            .map(|(buyer, seen)| tokio::spawn(want(buyer, seen)))
            .buffer_unordered(AT_ONCE)
            .map(Result::unwrap)
            .collect()
            .await;
        seconds.push(begin.elapsed().as_secs_f64());
        let (rate, p99) = others.end().await;
        beside.0.push(rate);
        beside.1.push(p99);
        waits.push(quantile(&mut answers.iter().map(|answer| answer.ms).collect::<Vec<_>>(), 0.99));
        assert_eq!(answers.iter().filter(|answer| answer.ordered).count(), PIECES);
        place.put(&hot, 10_000_000).await;
        for answer in answers {
            again += answer.again;
            // Who was refused has it in the cart still.
            if !answer.ordered {
                crowd.push((answer.buyer, answer.seen));
            }
        }
        crowd.extend(place.ready(PIECES, |_| hot.clone()).await);
    }
    let (alone_rate, rate) = (median(&mut alone.0), median(&mut beside.0));
    let (alone_p99, p99) = (median(&mut alone.1), median(&mut beside.1));
    println!(
        "{}: flash sale of {PIECES} pieces to {CROWD} buyers, {AT_ONCE} at once: {PIECES} orders and {} clear refusals in {:.1} s (median of {RUNS}), answers p99 {:.0} ms, {again} asked again; {OTHERS} buyers of other things meanwhile {rate:.0} orders/s, {:.2} of what they do without a sale ({alone_rate:.0}/s), p99 {p99:.0} ms, {:.1} times as long ({alone_p99:.0} ms)",
        place.name,
        CROWD - PIECES,
        median(&mut seconds),
        median(&mut waits),
        rate / alone_rate,
        p99 / alone_p99,
    );
}

/// What came of wanting one of the pieces.
struct Answer {
    buyer: Buyer,
    seen: Seen,
    ordered: bool,
    ms: f64,
    again: usize,
}

/// Asks until there is a clear answer, as a customer would.
async fn want(mut buyer: Buyer, seen: Seen) -> Answer {
    let (begin, mut again) = (Instant::now(), 0);
    loop {
        let ordered = match buyer.submit(&seen).await {
            Ok(Ok(_)) => Some(true),
            Ok(Err(error)) if error.get("Shortage").is_some() => Some(false),
            Ok(Err(error)) if error.get("Internal").is_none() => panic!("an unclear answer: {error}"),
            _ => None,
        };
        if let Some(ordered) = ordered {
            return Answer { buyer, seen, ordered, ms: begin.elapsed().as_secs_f64() * 1000.0, again };
        }
        assert!(begin.elapsed() < Duration::from_secs(120), "no clear answer");
        again += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Those who buy other things.
struct Others {
    begin: Instant,
    over: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<Vec<f64>>>,
}

impl Others {
    fn start(place: &Place<'_>) -> Self {
        let (over, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let tasks = (0..OTHERS).map(|n| {
            let (client, url, over, done) =
                (place.client.clone(), place.server.url.clone(), over.clone(), done.clone());
            let variant = place.goods[1 + n % (VARIANTS - 1)].0.clone();
            tokio::spawn(async move {
                let mut times = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    let mut buyer = Buyer::new(&client, &url);
                    let Ok(seen) = buyer.prepare(&variant, 1).await else { continue };
                    let begin = Instant::now();
                    let answer: Result<String, Value> = buyer.submit(&seen).await.unwrap();
                    times.push(begin.elapsed().as_secs_f64() * 1000.0);
                    // Something that broke counts as time and not as an order.
                    done.fetch_add(usize::from(answer.is_ok()), Ordering::Relaxed);
                }
                times
            })
        });
        let tasks = tasks.collect();
        Self { begin: Instant::now(), over, done, tasks }
    }

    /// Orders per second, and the milliseconds that 99 % of them took at most.
    async fn end(self) -> (f64, f64) {
        self.over.store(true, Ordering::Relaxed);
        let mut times = Vec::new();
        for task in self.tasks {
            times.extend(task.await.unwrap());
        }
        let rate = self.done.load(Ordering::Relaxed) as f64 / self.begin.elapsed().as_secs_f64();
        (rate, quantile(&mut times, 0.99))
    }
}

/// Ten thousand open pages see a sale that is made at a server: until when 99 % of them have, the memory of each, and all that
/// of the server that has them, which `whose` tells.
async fn live(place: &Place<'_>, seller: &Server, whose: &str) {
    let files = open_files();
    if files < PAGES + 2_000 {
        println!(
            "live: {PAGES} open pages are left out: `ulimit -n` allows {files} files, and they take {}",
            PAGES + 2_000
        );
        return;
    }
    let (variant, product) = &place.goods[0];
    let process = place.server.child.id();
    let before = memory_kib(process, "VmRSS");
    let mut pages = open_pages(place, product).await;
    let after = memory_kib(process, "VmRSS");
    let (mut runs, mut texts) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut buyer = Buyer::new(place.client, &seller.url);
        let seen = buyer.prepare(variant, 1).await.unwrap();
        let waiting: Vec<_> = pages
            .drain(..)
            .map(|mut page| {
                tokio::spawn(async move {
                    loop {
                        let text = page.next().await.unwrap().unwrap();
                        // Not the word that only says that the connection is alive.
                        if !text.starts_with(b":") {
                            return (page, text, Instant::now());
                        }
                    }
                })
            })
            .collect();
        buyer.submit(&seen).await.unwrap().unwrap();
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
    let whole = memory_kib(process, "VmRSS") as f64 / 1024.0;
    drop(pages);
    let mut bare: Vec<_> = bare::fan_out(&texts, PAGES).await.iter_mut().map(|times| quantile(times, 0.99)).collect();
    let (shop, bare) = (median(&mut runs), median(&mut bare));
    println!(
        "live: {PAGES} open pages see a sale within {shop:.0} ms (99 %, median of {}; {}: 1,000 ms), {:.1} times as long as a bare fan-out of the same bytes ({bare:.0} ms); {:.0} bytes of memory each, {whole:.0} MiB in all {whose} ({}: 400 MiB)",
        runs.len(),
        goal(shop, 0.0..=1_000.0),
        shop / bare,
        after.saturating_sub(before) as f64 * 1024.0 / PAGES as f64,
        goal(whole, 0.0..=400.0),
    );
}

async fn open_pages(place: &Place<'_>, product: &str) -> Vec<BoxStream<'static, reqwest::Result<Bytes>>> {
    let url = format!("{}/live?topics=product:{product}", place.server.url);
    let open = (0..PAGES).map(|_| {
        let (client, url) = (place.client.clone(), url.clone());
        async move {
            let answer = client.get(url).send().await.unwrap();
            assert!(answer.status().is_success());
            let mut stream = answer.bytes_stream().boxed();
            stream.next().await.unwrap().unwrap();
            stream
        }
    });
    stream::iter(open).buffer_unordered(64).collect().await
}

/// How many files this process may have open; those that it starts may have as many.
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(usize::MAX)
}
