//! Small and large catalogues: what a list, a product and a search take with a thousand variants, with a hundred thousand and
//! with a million; how long their import takes, and how much memory and room on the disk. It draws a chart of the times.

use crate::{
    PROGRAM,
    client::{Server, Setup, free_ports, memory_kib},
    import,
    load::{goal, median, quantile},
    pages::with_cookie,
    people::LOOKER,
};
use reqwest::Client;
use rusqlite::Connection;
use std::{
    fmt::Write as _,
    fs,
    path::Path,
    time::{Duration, Instant},
};
use xiadan::{domain::catalog::percent_encode, server::figures::SEARCH};

/// Variants, eight to a product.
const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];
const VARIANTS: usize = 8;
const RUNS: usize = 5;
/// How many different addresses of a kind are asked for in a run.
const ASKED: usize = 20;
/// Between two runs: what was read is kept for a second.
const PAUSE: Duration = Duration::from_millis(1_200);
const SORTS: [&str; 4] = ["newest", "sales", "price-asc", "price-desc"];
/// What is asked for. The last one is the worst: every product has it.
const KINDS: [&str; 4] = ["list", "product", "search that finds one", "search that finds all"];
/// How many times as long the largest catalogue may take as the smallest: as their logarithms are to each other.
const GROWTH: f64 = 2.0;

/// Where the chart is put, in the folder of the sources.
const CHART: &str = "docs/catalogue.svg";

/// What was measured of one size.
struct Measured {
    variants: usize,
    /// Of each kind, milliseconds that half and that 99 % of the answers took at most.
    times: [(f64, f64); KINDS.len()],
}

pub async fn all(setup: &Setup<'_>, root: &Path) {
    let mut sizes = Vec::new();
    for variants in SIZES {
        let folder = tempfile::tempdir().unwrap();
        sizes.push(measure(variants, folder.path(), setup).await);
    }
    let (first, last) = (&sizes[0], &sizes[sizes.len() - 1]);
    for (kind, name) in KINDS.iter().enumerate() {
        let list = |figure: fn((f64, f64)) -> f64| {
            let times = sizes.iter().map(|size| format!("{:.1}", figure(size.times[kind])));
            times.collect::<Vec<_>>().join(", ")
        };
        let growth = last.times[kind].0 / first.times[kind].0;
        println!(
            "{name}, with {} variants: p50 {} ms, p99 {} ms (median of {RUNS}); {growth:.1} times as long with the most as with the fewest ({}: {GROWTH}, as their logarithms)",
            SIZES.map(|size| size.to_string()).join(", "),
            list(|times| times.0),
            list(|times| times.1),
            goal(growth, 0.0..=GROWTH),
        );
    }
    fs::write(root.join(CHART), chart(&sizes)).unwrap();
    println!("the chart of it is in {CHART}");
}

/// Imports a catalogue of this size into an empty shop, serves it, and asks.
async fn measure(variants: usize, folder: &Path, setup: &Setup<'_>) -> Measured {
    let (file, data) = (folder.join("products.csv"), folder.join("data"));
    fs::create_dir(&data).unwrap();
    fs::write(&file, import::large(variants, VARIANTS)).unwrap();
    let (seconds, peak) = import::run(PROGRAM, &data, &file, &[]);
    fs::remove_file(&file).unwrap();

    // Somebody with a cookie, for whom each page is made.
    let client = with_cookie(LOOKER);
    let setup = Setup { program: PROGRAM, data: &data, site: setup.site.clone(), ports: free_ports() };
    let mut server = Server::start(&setup, &client).await;
    let begin = Instant::now();
    let index = loop {
        match index_bytes(&client, &server.url).await {
            bytes if bytes > 0.0 => break bytes,
            _ => assert!(begin.elapsed() < Duration::from_secs(120), "the search index is not filled"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let filled = begin.elapsed().as_secs_f64();

    let mut times = [const { (Vec::new(), Vec::new()) }; KINDS.len()];
    for run in 0..RUNS {
        tokio::time::sleep(PAUSE).await;
        for (kind, (p50, p99)) in times.iter_mut().enumerate() {
            let mut took = Vec::new();
            for address in addresses(kind, run, variants / VARIANTS) {
                let begin = Instant::now();
                let answer = client.get(format!("{}{address}", server.url)).send().await.unwrap();
                assert!(answer.status().is_success(), "{address}: {}", answer.status());
                answer.bytes().await.unwrap();
                took.push(begin.elapsed().as_secs_f64() * 1000.0);
            }
            p50.push(median(&mut took));
            p99.push(quantile(&mut took, 0.99));
        }
    }
    let memory = memory_kib(server.child.id(), "VmRSS") / 1024;
    server.kill();
    let (database, indexes) = room(&data.join("xiadan.db"));
    println!(
        "catalogue of {variants} variants: imported in {seconds:.1} s, {:.0} a second (memory at most {peak} MiB); the database takes {database:.0} MiB, {indexes:.0} of them its indexes; the search index takes {:.1} MiB of memory, {filled:.1} s after the first answer; all of the server {memory} MiB",
        variants as f64 / seconds,
        index / 1_048_576.0,
    );
    Measured { variants, times: times.map(|(mut p50, mut p99)| (median(&mut p50), median(&mut p99))) }
}

/// What the server tells of its search index; zero until it is filled.
async fn index_bytes(client: &Client, url: &str) -> f64 {
    let figures = client.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
    let line = figures.lines().find_map(|line| line.strip_prefix(SEARCH)?.strip_prefix(' '));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0)
}

/// Different addresses of a kind, others in each run where there are so many.
fn addresses(kind: usize, run: usize, products: usize) -> Vec<String> {
    let address = |n: usize| {
        let (sort, page) = (SORTS[n % SORTS.len()], 1 + n / SORTS.len());
        let product = (run * ASKED + n) * products / (RUNS * ASKED);
        match kind {
            0 => format!("/search?sort={sort}&page={page}"),
            1 => format!("/p/item-{product}"),
            2 => format!("/search?q=SKU-{product}-3"),
            _ => format!("/search?q={}&sort={sort}&page={page}", percent_encode("商品")),
        }
    };
    (0..ASKED).map(address).collect()
}

/// Mebibytes of a database and of the indexes in it.
fn room(file: &Path) -> (f64, f64) {
    const MIB: f64 = 1_048_576.0;
    let db = Connection::open(file).unwrap();
    db.execute_batch("pragma wal_checkpoint(truncate)").unwrap();
    let sql = "select coalesce(sum(pgsize), 0) from dbstat
        where name in (select name from sqlite_schema where type = 'index')";
    let indexes: i64 = db.query_row(sql, [], |row| row.get(0)).unwrap();
    (fs::metadata(file).unwrap().len() as f64 / MIB, indexes as f64 / MIB)
}

/// The chart, in pixels: the whole, and where its axes are.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 540.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 350.0;
/// A colour and a pattern for each kind, so that neither alone tells them apart.
const LINES: [(&str, &str); KINDS.len()] =
    [("#0a7d5a", "none"), ("#1f6feb", "8 4"), ("#b3541e", "2 4"), ("#8e3bb0", "12 4 2 4")];

/// The times by the size of the catalogue, both as logarithms: what takes as long however much there is for sale is level.
fn chart(sizes: &[Measured]) -> String {
    let all = || sizes.iter().flat_map(|size| size.times.iter().map(|times| times.0.log10()));
    let low = all().fold(f64::MAX, f64::min).floor();
    let high = all().fold(f64::MIN, f64::max).ceil().max(low + 1.0);
    let [first, last] = [SIZES[0], SIZES[SIZES.len() - 1]].map(|size| (size as f64).log10());
    let x = |variants: usize| LEFT + ((variants as f64).log10() - first) / (last - first) * (RIGHT - LEFT);
    let y = |exponent: f64| BOTTOM - (exponent - low) / (high - low) * (BOTTOM - TOP);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"title\">
<title id=\"title\">Milliseconds of an answer by the number of variants</title>
<style>
text {{ font: 14px system-ui, sans-serif; fill: #24292f }}
.grid {{ stroke: #d0d7de }}
@media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} .grid {{ stroke: #30363d }} }}
</style>
<text x=\"{LEFT}\" y=\"24\">Half of the answers take at most so many milliseconds, by the number of variants</text>
"
    );
    for exponent in (0_u32..).map(|step| low + f64::from(step)).take_while(|exponent| *exponent <= high) {
        let (at, label) = (y(exponent), 10_f64.powf(exponent));
        _ = writeln!(svg, "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>");
        _ = writeln!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>", LEFT - 8.0, at + 5.0);
    }
    for variants in SIZES {
        let at = x(variants);
        _ = writeln!(svg, "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{BOTTOM}\"/>");
        _ = writeln!(
            svg,
            "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            BOTTOM + 22.0,
            thousands(variants)
        );
    }
    // Names that would stand on each other are moved apart, from the lowest line up.
    let mut ends: Vec<_> = sizes.last().map_or_else(Vec::new, |size| {
        size.times.iter().enumerate().map(|(kind, times)| (kind, y(times.0.log10()))).collect()
    });
    ends.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut above = f64::MAX;
    for (kind, end) in ends {
        let (colour, pattern) = LINES[kind];
        let points = sizes.iter().map(|size| format!("{:.1},{:.1}", x(size.variants), y(size.times[kind].0.log10())));
        let points = points.collect::<Vec<_>>().join(" ");
        _ = writeln!(
            svg,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\" stroke-dasharray=\"{pattern}\"/>"
        );
        above = (end + 5.0).min(above - 18.0);
        _ = writeln!(svg, "<text x=\"{}\" y=\"{above:.1}\">{}</text>", RIGHT + 10.0, KINDS[kind]);
    }
    svg + "</svg>\n"
}

/// A number with a comma between thousands.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}
