//! A hundred thousand tries to sign in, from as many addresses.

use crate::{
    client::{Server, memory_kib},
    load::{goal, latencies, quantile, rate},
    pages::with_cookie,
    people::{LOOKER, LOOKS, PAGE, name, network, post},
};
use futures::{StreamExt, stream};
use reqwest::Client;
use rusqlite::Connection;
use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

const TRIES: usize = 100_000;
const AT_ONCE: usize = 256;
/// The names that are tried, half of them known.
const NAMES: usize = 20;
/// Every so manieth try comes from one household, from ever other addresses of its network.
const HOUSEHOLD: usize = 5;
/// What the limits allow: tries of a name before all wait, with what the pauses of some minutes let through; and those of
/// a network at once, and in a second after that.
const PER_NAME: usize = 50 + 6;
const BURST: f64 = 60.0;
const PER_SECOND: f64 = 0.5;

/// Tries wrong passwords as fast as it goes, and looks at pages meanwhile; beside it, the rate of the cheapest answer.
pub async fn tries(client: &Client, server: &Server, data: &Path) {
    let (page, looker, process) = (format!("{}{PAGE}", server.url), with_cookie(LOOKER), server.child.id());
    let mut calm = latencies(&looker, &page, LOOKS, Duration::from_secs(5)).await;
    let cheapest = rate(client, &format!("{}/healthz", server.url), AT_ONCE, Duration::from_secs(3)).await;
    let (memory, rows) = (memory_kib(process, "VmRSS"), attempts(data));
    let begin = Instant::now();
    let flood = tokio::spawn(flood(client.clone(), server.url.clone()));
    let mut busy = Vec::new();
    while !flood.is_finished() {
        busy.extend(latencies(&looker, &page, LOOKS, Duration::from_secs(2)).await);
    }
    let (counts, took) = flood.await.unwrap();
    let (tried, refused) = (counts.tried.values().sum::<usize>(), counts.refused);
    assert_eq!(tried + refused, TRIES, "every one had an answer");
    let most = counts.tried.values().max().copied().unwrap_or(0);
    let household = BURST + PER_SECOND * begin.elapsed().as_secs_f64() + 1.0;
    assert!(most <= PER_NAME, "{most} tries of one name");
    assert!(counts.household as f64 <= household, "{} tries of one network", counts.household);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mib = |kib: u64| kib as f64 / 1024.0;
    let (after, peak) = (mib(memory_kib(process, "VmRSS")), mib(memory_kib(process, "VmHWM")));
    let (memory, rate) = (mib(memory), TRIES as f64 / took);
    println!(
        "{TRIES} tries to sign in from {} networks in {took:.0} s: {tried} tried, at most {most} of a name and {} of one network, {refused} told to wait; {rate:.0}/s, {:.2} of the cheapest answer ({cheapest:.0}/s)",
        TRIES - TRIES / HOUSEHOLD + 1,
        counts.household,
        rate / cheapest,
    );
    let (p50, p99) = (quantile(&mut busy, 0.5), quantile(&mut busy, 0.99));
    println!(
        "meanwhile {LOOKS} pages/s take p50 {p50:.1} ms, p99 {p99:.1} ms ({}: 1,000 ms), {:.1} times as long as before ({:.1} ms); memory {memory:.0} MiB before, {after:.0} MiB after, {peak:.0} MiB at the peak ({}: 100 MiB more), {} rows of attempts more",
        goal(p99, 0.0..=1_000.0),
        p99 / quantile(&mut calm, 0.99),
        quantile(&mut calm, 0.99),
        goal(after - memory, f64::MIN..=100.0),
        attempts(data) - rows,
    );
}

/// What became of the tries.
#[derive(Default)]
struct Counts {
    /// By name.
    tried: BTreeMap<String, usize>,
    /// Those tried from the one household.
    household: usize,
    refused: usize,
}

/// The counts, and the seconds it took.
async fn flood(client: Client, url: String) -> (Counts, f64) {
    let begin = Instant::now();
    let answers = stream::iter(0..TRIES).map(|n| {
        let (client, url) = (client.clone(), format!("{url}/api/account/sign_in"));
        tokio::spawn(async move {
            let at_home = n.is_multiple_of(HOUSEHOLD);
            let from = if at_home {
                format!("2001:db8:ffff:1::{:x}:{:x}", n >> 16, n & 0xffff)
            } else {
                network(2_000_000 + n)
            };
            let who = name(if (n / HOUSEHOLD).is_multiple_of(2) { "known" } else { "stray" }, n / HOUSEHOLD % NAMES);
            let form = format!("name={who}&password=wrong+horse+battery");
            let answer = post(&client, url, &from, "", form).await;
            let status = answer.status().as_u16();
            answer.bytes().await.unwrap();
            (who, at_home, status)
        })
    });
    let mut answers = answers.buffer_unordered(AT_ONCE);
    let mut counts = Counts::default();
    while let Some(answer) = answers.next().await {
        let (who, at_home, status) = answer.unwrap();
        match status {
            422 => {
                *counts.tried.entry(who).or_default() += 1;
                counts.household += usize::from(at_home);
            }
            429 => counts.refused += 1,
            other => panic!("{other} for {who}"),
        }
    }
    (counts, begin.elapsed().as_secs_f64())
}

/// The rows that count failures.
fn attempts(data: &Path) -> i64 {
    let db = Connection::open(data.join("xiadan.db")).unwrap();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    db.query_row("select count(*) from attempt", [], |row| row.get(0)).unwrap()
}
