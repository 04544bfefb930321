//! Pages: how many per second, and how fast.

use crate::{
    client::{Buyer, Server, Setup},
    load::{goal, latencies, median, quantile, rate, rate_and_cost},
    nginx::Nginx,
    orders,
};
use reqwest::{
    Client,
    header::{COOKIE, HeaderValue},
    redirect::Policy,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;
use xiadan::server::{figures::SHARED, http::GUEST_COOKIE};

/// A page, and the file that holds the same bytes.
pub const PAGES: [(&str, &str); 2] = [("/search", "bench-list.html"), ("/p/celadon-teapot", "bench-product.html")];
const RUNS: usize = 3;
const TIME: Duration = Duration::from_secs(3);
/// How many order other things while a page is asked for.
const BUYERS: usize = 8;

/// For visitors of whom nothing is known, who share a page that was just made, and for those who have a cart, for whom each
/// page is made. Pages that are shared are measured against nginx too, which has them as files.
pub async fn throughput(client: &Client, server: &Server, setup: &Setup<'_>) {
    let url = &server.url;
    let (variant, _) = orders::variant(setup.data, 1_000_000);
    let guest = guest(client, url, &variant).await;
    for (who, client) in [("a stranger", client), ("a guest with a cart", &guest)] {
        for page in PAGES {
            figures(client, url, who, page).await;
        }
    }
    if let Some(nginx) = Nginx::start(&setup.site) {
        for page in PAGES {
            beside_nginx(client, server, &nginx, page).await;
        }
    } else {
        println!(
            "shared pages are not measured against nginx, because it is not installed or does not run: apt-get install nginx"
        );
    }
}

/// Pages that are shared, while others order what they do not show. What those orders leave to be done, such as their
/// confirmations, goes on for a while: nothing else is measured on this server after it.
pub async fn while_others_order(client: &Client, server: &Server, setup: &Setup<'_>) {
    for (path, _) in PAGES {
        beside_orders(client, server, setup, path).await;
    }
}

/// A page that is shared, alone and while others order what it does not show, in turn: an order takes from the processors what
/// it needs, and drops no other page.
async fn beside_orders(client: &Client, server: &Server, setup: &Setup<'_>, path: &str) {
    let page = format!("{}{path}", server.url);
    let variants = Arc::new(orders::variants_apart(setup.data));
    rate(client, &page, 8, Duration::from_secs(1)).await;
    let (mut quiet, mut busy, mut ordered, mut made) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
    for _ in 0..RUNS {
        quiet.push(rate(client, &page, 8, TIME).await);
        let (stop, orders) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let buyers: Vec<_> =
            (0..BUYERS).map(|buyer| order(client, server, &variants, buyer, (&stop, &orders))).collect();
        let (begin, before) = (Instant::now(), pages_made(client, server).await);
        busy.push(rate(client, &page, 8, TIME).await);
        made += pages_made(client, server).await - before;
        ordered.push(orders.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64());
        stop.store(true, Ordering::Relaxed);
        for buyer in buyers {
            buyer.await.unwrap();
        }
    }
    let (quiet, busy, ordered) = (median(&mut quiet), median(&mut busy), median(&mut ordered));
    println!(
        "{path} for a stranger, shared, while {BUYERS} buyers order other things: {busy:.0} requests/s (median of {RUNS}), {:.2} of those without them ({quiet:.0}/s), beside {ordered:.0} paid orders/s; the page was made {made:.0} times",
        busy / quiet,
    );
}

/// A buyer who orders one thing after another and pays for it, until told to stop; counts the orders.
fn order(
    client: &Client,
    server: &Server,
    variants: &Arc<Vec<String>>,
    first: usize,
    (stop, orders): (&Arc<AtomicBool>, &Arc<AtomicUsize>),
) -> JoinHandle<()> {
    let (client, url, variants) = (client.clone(), server.url.clone(), variants.clone());
    let (stop, orders) = (stop.clone(), orders.clone());
    tokio::spawn(async move {
        for variant in variants.iter().cycle().skip(first) {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let mut buyer = Buyer::new(&client, &url);
            let seen = buyer.prepare(variant, 1).await.unwrap();
            let number = buyer.submit(&seen).await.unwrap().unwrap();
            assert!(buyer.pay(&number).await.unwrap());
            orders.fetch_add(1, Ordering::Relaxed);
        }
    })
}

/// How many pages the shop has made for strangers to share.
async fn pages_made(client: &Client, server: &Server) -> f64 {
    let figures = client.get(format!("{}/metrics", server.url)).send().await.unwrap().text().await.unwrap();
    let name = format!("{SHARED}{{step=\"made\"}} ");
    figures.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap()
}

/// A page that is shared, and the same bytes from nginx, in turn.
async fn beside_nginx(client: &Client, server: &Server, nginx: &Nginx, (path, file): (&str, &str)) {
    let (page, reference) = (format!("{}{path}", server.url), format!("{}/{file}", nginx.url));
    let (mut pages, mut files, mut page_cost, mut file_cost) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (rate, cost) = rate_and_cost(client, &page, 8, TIME, server.child.id()).await;
        pages.push(rate);
        page_cost.push(cost);
        let (rate, cost) = rate_and_cost(client, &reference, 8, TIME, nginx.process()).await;
        files.push(rate);
        file_cost.push(cost);
    }
    let (pages, files) = (median(&mut pages), median(&mut files));
    // Whoever asks shares the processors with whoever answers, so that rates alone tell little of either.
    let (page_cost, file_cost) = (median(&mut page_cost), median(&mut file_cost));
    println!(
        "{path} for a stranger, shared: {pages:.0} requests/s (median of {RUNS}), {:.2} of the same bytes as a file from nginx ({files:.0}/s; {}: 0.5); {page_cost:.0} µs of processor time for each, {:.1} times nginx ({file_cost:.0} µs)",
        pages / files,
        goal(pages / files, 0.5..=f64::MAX),
        page_cost / file_cost,
    );
}

/// Somebody who has put something into the cart.
async fn guest(client: &Client, url: &str, variant: &str) -> Client {
    let mut buyer = Buyer::new(client, url);
    buyer.post("/api/cart/add", &[("variant_id", variant), ("quantity", "1")]).await.unwrap();
    with_cookie(&format!("{GUEST_COOKIE}={}", buyer.cookie(GUEST_COOKIE).expect("a guest")))
}

/// Somebody with a cookie, for whom each page is made, whatever the cookie is.
pub fn with_cookie(cookie: &str) -> Client {
    let headers = [(COOKIE, HeaderValue::try_from(cookie).unwrap())].into_iter().collect();
    Client::builder().default_headers(headers).redirect(Policy::none()).build().unwrap()
}

async fn figures(client: &Client, url: &str, who: &str, (path, file): (&str, &str)) {
    let (page, reference) = (format!("{url}{path}"), format!("{url}/{file}"));
    rate(client, &page, 8, Duration::from_secs(1)).await;
    let (mut pages, mut files) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        pages.push(rate(client, &page, 8, TIME).await);
        files.push(rate(client, &reference, 8, TIME).await);
    }
    let (pages, files) = (median(&mut pages), median(&mut files));
    let (mut p50, mut p99, mut file_p99) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let mut times = latencies(client, &page, 200, TIME).await;
        p50.push(quantile(&mut times, 0.5));
        p99.push(quantile(&mut times, 0.99));
        file_p99.push(quantile(&mut latencies(client, &reference, 200, TIME).await, 0.99));
    }
    let (p50, p99, file_p99) = (median(&mut p50), median(&mut p99), median(&mut file_p99));
    println!(
        "{path} for {who}: {pages:.0} requests/s, {:.2} of the same bytes as a file ({files:.0}/s); at 200 requests/s p50 {p50:.1} ms, p99 {p99:.1} ms, {:.1} times the file's ({}: 20 ms)",
        pages / files,
        p99 / file_p99,
        goal(p99, 0.0..=20.0),
    );
}
