//! How many bytes a first visit costs, with the same responses uncompressed as the reference.

use crate::load::{goal, median};
use reqwest::{Client, header};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Stdio},
};

/// Bytes of each kind of response.
type Bytes = BTreeMap<String, f64>;

const RUNS: usize = 3;

/// The start page on a phone, before it is scrolled.
pub async fn first_visit(client: &Client, root: &Path, url: &str) {
    let browser = browser(root, url, "br").is_some();
    let (mut small, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        for (encoding, visits) in [("br", &mut small), ("identity", &mut plain)] {
            let bytes =
                if browser { self::browser(root, url, encoding) } else { Some(read(client, url, encoding).await) };
            visits.push(bytes.expect("the browser came before"));
        }
    }
    let kib =
        |visits: &[Bytes], of: &dyn Fn(&Bytes) -> f64| median(&mut visits.iter().map(of).collect::<Vec<_>>()) / 1024.0;
    let all = |bytes: &Bytes| bytes.values().sum::<f64>();
    let (small_all, plain_all) = (kib(&small, &all), kib(&plain, &all));
    println!(
        "first visit of the start page, brotli: {small_all:.1} KiB (medians of {RUNS}), {:.2} of the same uncompressed ({plain_all:.1} KiB; {}: 300 KiB), {}",
        small_all / plain_all,
        goal(small_all, 0.0..=300.0),
        if browser {
            "as a browser loads it"
        } else {
            "read from its HTML: there is no Chromium or no end2end/node_modules"
        },
    );
    let kinds: BTreeSet<_> = small.iter().chain(&plain).flat_map(BTreeMap::keys).collect();
    for kind in kinds {
        let part = |bytes: &Bytes| bytes.get(kind).copied().unwrap_or(0.0);
        let (small, plain) = (kib(&small, &part), kib(&plain, &part));
        println!("  {kind}: {small:.1} KiB, {:.2} of the same uncompressed ({plain:.1} KiB)", small / plain);
    }
}

/// What Chromium loads; none when it cannot be had.
fn browser(root: &Path, url: &str, encoding: &str) -> Option<Bytes> {
    let mut node = Command::new("node");
    node.arg(root.join("benches/shop/visit.mjs")).arg(url).arg(encoding);
    let output = node.current_dir(root.join("end2end")).stderr(Stdio::null()).output().ok()?;
    serde_json::from_slice(&output.stdout).ok()
}

/// What a browser would load, going by the tags of the page.
async fn read(client: &Client, url: &str, encoding: &str) -> Bytes {
    let mut bytes = Bytes::new();
    let html = String::from_utf8(fetch(client, &format!("{url}/"), "identity").await).unwrap();
    let mut links = vec![("html", "/".to_owned())];
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
        let length = fetch(client, &format!("{url}{href}"), encoding).await.len();
        *bytes.entry(kind.to_owned()).or_default() += length as f64;
    }
    bytes
}

async fn fetch(client: &Client, url: &str, encoding: &str) -> Vec<u8> {
    let request = client.get(url).header(header::ACCEPT_ENCODING, encoding);
    request.send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap().to_vec()
}
