//! Pages: how many per second, and how fast.

use crate::{
    client::{Buyer, Setup},
    load::{goal, latencies, median, quantile, rate},
    nginx::Nginx,
    orders,
};
use reqwest::{
    Client,
    header::{COOKIE, HeaderValue},
    redirect::Policy,
};
use std::time::Duration;
use xiadan::server::http::GUEST_COOKIE;

/// A page, and the file that holds the same bytes.
pub const PAGES: [(&str, &str); 2] = [("/search", "bench-list.html"), ("/p/celadon-teapot", "bench-product.html")];
const RUNS: usize = 3;
const TIME: Duration = Duration::from_secs(3);

/// For visitors of whom nothing is known, who share a page that was just made, and for those who have a cart, for whom each
/// page is made. Pages that are shared are measured against nginx too, which has them as files.
pub async fn throughput(client: &Client, url: &str, setup: &Setup<'_>) {
    let (variant, _) = orders::variant(setup.data, 1_000_000);
    let guest = guest(client, url, &variant).await;
    for (who, client) in [("a stranger", client), ("a guest with a cart", &guest)] {
        for page in PAGES {
            figures(client, url, who, page).await;
        }
    }
    let Some(nginx) = Nginx::start(&setup.site) else {
        println!(
            "shared pages are not measured against nginx, because it is not installed or does not run: apt-get install nginx"
        );
        return;
    };
    for page in PAGES {
        beside_nginx(client, url, &nginx, page).await;
    }
}

/// A page that is shared, and the same bytes from nginx, in turn.
async fn beside_nginx(client: &Client, url: &str, nginx: &Nginx, (path, file): (&str, &str)) {
    let (page, reference) = (format!("{url}{path}"), format!("{}/{file}", nginx.url));
    let (mut pages, mut files) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        pages.push(rate(client, &page, 8, TIME).await);
        files.push(rate(client, &reference, 8, TIME).await);
    }
    let (pages, files) = (median(&mut pages), median(&mut files));
    println!(
        "{path} for a stranger, shared: {pages:.0} requests/s (median of {RUNS}), {:.2} of the same bytes as a file from nginx ({files:.0}/s; {}: 0.5)",
        pages / files,
        goal(pages / files, 0.5..=f64::MAX),
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
