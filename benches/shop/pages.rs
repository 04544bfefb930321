//! Pages: how many per second, and how fast.

use crate::load::{goal, latencies, median, quantile, rate};
use reqwest::Client;
use std::time::Duration;

/// A page, and the file that holds the same bytes.
pub const PAGES: [(&str, &str); 2] = [("/search", "bench-list.html"), ("/p/celadon-teapot", "bench-product.html")];
const RUNS: usize = 3;
const TIME: Duration = Duration::from_secs(3);

pub async fn throughput(client: &Client, url: &str) {
    for (path, file) in PAGES {
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
            "{path}: {pages:.0} requests/s, {:.2} of the same bytes as a file ({files:.0}/s); at 200 requests/s p50 {p50:.1} ms, p99 {p99:.1} ms, {:.1} times the file's ({}: 20 ms)",
            pages / files,
            p99 / file_p99,
            goal(p99, 0.0..=20.0),
        );
    }
}
