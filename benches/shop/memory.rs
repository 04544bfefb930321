//! How much memory the shop takes: with nothing to do, and at its busiest.

use crate::{
    bare,
    client::{Server, Setup, memory_kib},
    load::{goal, median, rate},
    orders, pages,
    people::LOOKER,
};
use futures::StreamExt;
use reqwest::Client;
use std::time::Duration;
use tokio::task::JoinHandle;

const RUNS: usize = 3;
/// From the first answer to the look at an idle shop.
const SETTLE: Duration = Duration::from_secs(2);
/// How long pages are asked for at the peak.
const TIME: Duration = Duration::from_secs(5);

/// Resident memory in MiB, some time after the first answer; beside it, that of an axum server that does nothing.
pub async fn idle(setup: &Setup<'_>, client: &Client) -> f64 {
    let (mut shop, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let server = Server::start(setup, client).await;
        tokio::time::sleep(SETTLE).await;
        shop.push(memory_kib(server.child.id(), "VmRSS") as f64 / 1024.0);
        bare.push(bare::memory_mib(client, SETTLE).await);
    }
    let (shop, bare) = (median(&mut shop), median(&mut bare));
    println!(
        "memory idle: {shop:.0} MiB (median of {RUNS}; {}: 80 MiB), {:.1} times a bare axum server ({bare:.1} MiB)",
        goal(shop, 0.0..=80.0),
        shop / bare,
    );
    shop
}

/// The most resident memory in MiB of a server that was just started, does everything that a busy shop does at once
/// (lists, product pages and paid orders, while a thousand pages are open) and then a flash sale; beside it, that of an
/// idle one.
pub async fn peak(setup: &Setup<'_>, client: &Client, idle: f64) {
    let mut peaks = Vec::new();
    for _ in 0..RUNS {
        let server = Server::start(setup, client).await;
        let (variant, product) = orders::variant(setup.data, 1_000_000);
        let open = orders::open_pages(client, &server, &product).await;
        let open =
            open.into_iter().map(|mut page| tokio::spawn(async move { while let Some(Ok(_)) = page.next().await {} }));
        let open: Vec<_> = open.collect();
        let [list, one] = pages::PAGES.map(|(path, _)| format!("{}{path}", server.url));
        let looker = pages::with_cookie(LOOKER);
        tokio::join!(
            rate(&looker, &list, 32, TIME),
            rate(&looker, &one, 32, TIME),
            orders::run(client, &server, &variant, 64, 800),
        );
        orders::sale(client, &server, setup.data).await;
        peaks.push(memory_kib(server.child.id(), "VmHWM") as f64 / 1024.0);
        open.iter().for_each(JoinHandle::abort);
    }
    let peak = median(&mut peaks);
    println!("memory at the peak: {peak:.0} MiB (median of {RUNS}), {:.1} times as much as idle", peak / idle);
}
