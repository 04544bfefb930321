//! Pages: how many per second, how fast, and how many bytes a first visit costs.

use crate::load::{goal, latencies, median, quantile, rate};
use reqwest::{Client, header};
use std::{collections::BTreeMap, time::Duration};

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

/// What a browser that understands brotli loads for the start page before it scrolls.
pub async fn first_visit(client: &Client, url: &str) {
    let mut bytes: BTreeMap<&str, usize> = BTreeMap::new();
    let html = String::from_utf8(fetch(client, &format!("{url}/"), None).await).unwrap();
    bytes.insert("html", fetch(client, &format!("{url}/"), Some("br")).await.len());
    let mut links: Vec<(&str, String)> = Vec::new();
    for tag in html.split('<') {
        let value =
            |name: &str| Some(tag.split_once(&format!(" {name}=\""))?.1.split_once('"')?.0.replace("&amp;", "&"));
        let lazy = tag.contains("loading=\"lazy\"");
        let link = match tag.split_whitespace().next() {
            Some("link") if tag.contains("stylesheet") => value("href").map(|href| ("css", href)),
            Some("link") if tag.contains("modulepreload") => value("href").map(|href| ("js", href)),
            Some("link") if tag.contains("preload") && tag.contains("wasm") => value("href").map(|href| ("wasm", href)),
            Some("link") if tag.contains("manifest") => value("href").map(|href| ("other", href)),
            Some("script") => value("src").map(|src| ("js", src)),
            Some("img") if !lazy => value("src").map(|src| ("pictures", src)),
            Some("use") => value("href").map(|href| ("icons", href.split('#').next().unwrap_or("").to_owned())),
            _ => None,
        };
        links.extend(link.filter(|(_, href)| href.starts_with('/')));
    }
    links.sort();
    links.dedup();
    for (kind, href) in links {
        *bytes.entry(kind).or_default() += fetch(client, &format!("{url}{href}"), Some("br")).await.len();
    }
    let all: usize = bytes.values().sum();
    let parts: Vec<_> = bytes.iter().map(|(kind, bytes)| format!("{kind} {:.1}", *bytes as f64 / 1024.0)).collect();
    let all = all as f64 / 1024.0;
    let goal = goal(all, 0.0..=300.0);
    println!("first visit of the start page, brotli: {all:.1} KiB in all ({} KiB; {goal}: 300 KiB)", parts.join(", "));
}

async fn fetch(client: &Client, url: &str, encoding: Option<&str>) -> Vec<u8> {
    let request = client.get(url).header(header::ACCEPT_ENCODING, encoding.unwrap_or("identity"));
    request.send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap().to_vec()
}
