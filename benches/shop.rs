//! `make bench`: figures that anyone can repeat, each the median of several runs beside a reference measured in the
//! same minute. It starts the release program on a fresh demo shop and speaks HTTP with it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark says so by failing")]

#[path = "shop/bare.rs"]
mod bare;
#[path = "shop/booking.rs"]
mod booking;
#[path = "shop/booking_orders.rs"]
mod booking_orders;
#[path = "shop/catalogue.rs"]
mod catalogue;
#[path = "../tests/support/client.rs"]
mod client;
#[path = "shop/flood.rs"]
mod flood;
#[path = "shop/import.rs"]
mod import;
#[path = "shop/load.rs"]
mod load;
#[path = "shop/memory.rs"]
mod memory;
#[path = "shop/nginx.rs"]
mod nginx;
#[path = "shop/orders.rs"]
mod orders;
#[path = "shop/pages.rs"]
mod pages;
#[path = "shop/people.rs"]
mod people;
#[path = "../tests/support/postgres.rs"]
mod postgres;
#[path = "shop/reference.rs"]
mod reference;
#[path = "shop/scale.rs"]
mod scale;
#[path = "shop/sealing.rs"]
mod sealing;
#[path = "shop/stays.rs"]
mod stays;
#[path = "shop/timing.rs"]
mod timing;
#[path = "../tests/support/venues.rs"]
mod venues;
#[path = "shop/visit.rs"]
mod visit;

use client::{Server, Setup, client, free_ports, run};
use load::{goal, median};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, kind] = arguments.as_slice()
        && first == bare::ARGUMENT
    {
        return bare::serve(kind).await;
    }
    // `cargo test --benches` runs this program too; a benchmark is not a test.
    if arguments.iter().any(|arg| arg == "--test") || !arguments.iter().any(|arg| arg == "--bench") {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let site = folder.path().join("site");
    let built = std::env::var("XIADAN_SITE").map_or_else(|_| root.join("target/site"), Into::into);
    assert!(built.join("pkg").exists(), "build the site first: make build");
    run(PROGRAM, &data, &["demo", "--demo", root.join("demo").to_str().unwrap()]);
    copy(&built, &site);
    let client = client();
    let setup = Setup { program: PROGRAM, data: &data, site, ports: free_ports() };
    println!("cores: {}", std::thread::available_parallelism().map_or(0, usize::from));
    let named: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |part: &str| named.is_empty() || named.iter().any(|name| *name == part);
    // What has to do with bookings, or one part of that.
    let parts = ["shop", "people", "booking", "slots", "stays", "booked", "scale", "catalogue"];
    assert!(parts.into_iter().any(wanted), "there are the parts {}", parts.join(", "));
    if wanted("shop") {
        shop(&client, &setup, root, folder.path()).await;
    }
    if wanted("people") {
        people::all(&client, &setup).await;
    }
    if wanted("booking") || wanted("slots") {
        booking::all();
    }
    if wanted("booking") || wanted("stays") {
        stays::all().await;
    }
    if wanted("booking") || wanted("booked") {
        booking_orders::all(&client, &setup).await;
    }
    if wanted("scale") {
        scale::all(&client, &setup, root).await;
    }
    if wanted("catalogue") {
        catalogue::all(&setup, root).await;
    }
}

/// Pages, orders, the live feed and imports.
async fn shop(client: &reqwest::Client, setup: &Setup<'_>, root: &Path, folder: &Path) {
    // The pages as plain files of the same server are the reference for rendering them.
    {
        let server = Server::start(setup, client).await;
        for (path, file) in pages::PAGES {
            let html = client.get(format!("{}{path}", server.url)).send().await.unwrap().bytes().await.unwrap();
            fs::write(setup.site.join(file), html).unwrap();
        }
    }
    start(setup, client).await;
    let idle = memory::idle(setup, client).await;
    {
        let server = Server::start(setup, client).await;
        visit::first_visit(client, root, &server.url).await;
        pages::throughput(client, &server, setup).await;
        orders::paid(client, &server, setup.data).await;
        orders::flash_sale(client, &server, setup.data).await;
        orders::live(client, &server, setup.data).await;
        pages::while_others_order(client, &server, setup).await;
    }
    memory::peak(setup, client, idle).await;
    import::products(PROGRAM, folder);
}

/// From the start of the process to its first answer; beside it, what starting the same program takes at all.
async fn start(setup: &Setup<'_>, client: &reqwest::Client) {
    let (mut answers, mut versions) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        answers.push(Server::start(setup, client).await.started_in.as_secs_f64() * 1000.0);
        let begin = Instant::now();
        assert!(Command::new(PROGRAM).arg("--version").stdout(Stdio::null()).status().unwrap().success());
        versions.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    let (answer, version) = (median(&mut answers), median(&mut versions));
    println!(
        "start to first answer: {answer:.0} ms (median of {}; {}: 300 ms), {:.0} times as long as to print its version ({version:.1} ms)",
        answers.len(),
        goal(answer, 0.0..=300.0),
        answer / version,
    );
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
