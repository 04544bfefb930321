//! `make bench`: figures that anyone can repeat, each the median of several runs beside a reference measured in the
//! same minute. It starts the release program on a fresh demo shop and speaks HTTP with it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark says so by failing")]

#[path = "../tests/support/client.rs"]
mod client;
#[path = "shop/import.rs"]
mod import;
#[path = "shop/load.rs"]
mod load;
#[path = "shop/orders.rs"]
mod orders;
#[path = "shop/pages.rs"]
mod pages;

use client::{Server, Setup, client, free_ports, run};
use std::{fs, path::Path, time::Duration};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");

#[tokio::main]
async fn main() {
    // `cargo test --benches` runs this program too; a benchmark is not a test.
    if std::env::args().any(|arg| arg == "--test") || !std::env::args().any(|arg| arg == "--bench") {
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
    let setup = Setup { program: PROGRAM, data: &data, site: site.clone(), ports: free_ports() };
    println!("cores: {}", std::thread::available_parallelism().map_or(0, usize::from));

    // The pages as plain files of the same server are the reference for rendering them.
    {
        let server = Server::start(&setup, &client).await;
        for (path, file) in pages::PAGES {
            let html = client.get(format!("{}{path}", server.url)).send().await.unwrap().bytes().await.unwrap();
            fs::write(site.join(file), html).unwrap();
        }
    }
    start(&setup, &client).await;
    {
        let server = Server::start(&setup, &client).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let idle = server.memory_kib("VmRSS") / 1024;
        println!("memory idle: {idle} MiB ({}: 80 MiB)", load::goal(idle as f64, 0.0..=80.0));
        pages::first_visit(&client, &server.url).await;
        pages::throughput(&client, &server.url).await;
        orders::paid(&client, &server, &data).await;
        orders::flash_sale(&client, &server, &data).await;
        orders::live(&client, &server, &data).await;
        println!("memory at the peak: {} MiB", server.memory_kib("VmHWM") / 1024);
    }
    import::products(PROGRAM, folder.path());
}

/// From the start of the process to its first answer.
async fn start(setup: &Setup<'_>, client: &reqwest::Client) {
    let mut times = Vec::new();
    for _ in 0..7 {
        times.push(Server::start(setup, client).await.started_in.as_secs_f64() * 1000.0);
    }
    let middle = load::median(&mut times);
    let goal = load::goal(middle, 0.0..=300.0);
    println!("start to first answer: {middle:.0} ms (median of {}; {goal}: 300 ms)", times.len());
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
