//! Two nodes, the real program, over one PostgreSQL, under load, while something goes wrong: a node is killed, the database
//! is killed or started again, the way to it is cut, slow or blocked. Every customer gets an answer or asks again until there
//! is one, and in the end the books balance. They take minutes, so that `make faults` runs them, one at a time.

use crate::{
    client::Buyer,
    ledger,
    load::{BUYERS, Load, PATIENCE, Scene},
    postgres::{Database, How},
    proxy::Proxy,
};
use futures::StreamExt;
use reqwest::Client;
use std::time::{Duration, Instant};
use tokio::{task::spawn_blocking, time::sleep};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn customers_go_on_at_the_other_node_when_one_is_killed() {
    let database = Database::create();
    let scene = Scene::postgres(&database).await;
    let mut nodes = scene.nodes(&scene.url).await;
    let mut load = Load::start(&scene);
    for round in 0..6 {
        load.goes_on(10).await;
        let killed = round % 2;
        nodes[killed].kill();
        // While it is gone the other one sells.
        load.goes_on(5).await;
        nodes[killed] = scene.start(killed, &scene.url).await;
    }
    load.goes_on(10).await;
    load.end().await;
    assert!(load.again() > 0, "somebody was at a node when it was killed");
    scene.settle(&load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn customers_go_on_when_the_database_was_killed_or_restarted_and_is_back() {
    let database = Database::create();
    let scene = Scene::postgres(&database).await;
    let _nodes = scene.nodes(&scene.url).await;
    let mut load = Load::start(&scene);
    for how in [How::Killed, How::Fast, How::Immediate, How::Killed] {
        load.goes_on(15).await;
        restart(&database, &load, how).await;
    }
    load.goes_on(15).await;
    load.end().await;
    scene.settle(&load).await;
}

/// Ends the database under load and starts it again after some seconds, in which nobody gets an order confirmed and customers
/// notice it.
async fn restart(database: &Database, load: &Load, how: How) {
    let (noticed, cluster) = (load.noticed(), database.cluster().clone());
    spawn_blocking(move || cluster.stop(how)).await.unwrap();
    // What is left of it ends, and what it had answered before arrives.
    sleep(Duration::from_secs(1)).await;
    let confirmed = load.confirmed();
    sleep(Duration::from_secs(2)).await;
    let more = load.confirmed() - confirmed;
    assert!(more <= BUYERS, "{how:?}: {more} orders were confirmed without a database");
    let cluster = database.cluster().clone();
    spawn_blocking(move || cluster.start()).await.unwrap();
    load.notices(noticed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn customers_go_on_when_the_way_to_the_database_was_cut_slow_and_blocked() {
    let database = Database::create();
    let scene = Scene::postgres(&database).await;
    let way = Proxy::open(database.port()).await;
    let _nodes = scene.nodes(&database.through(way.port)).await;
    let mut load = Load::start(&scene);
    for _ in 0..3 {
        load.goes_on(10).await;
        assert!(way.is_used(), "the nodes come to the database another way");
        way.cut();
        load.goes_on(5).await;
        way.slow(Duration::from_millis(20));
        load.goes_on(3).await;
        way.cut();
        way.slow(Duration::ZERO);
        let noticed = load.noticed();
        way.block(true);
        way.cut();
        sleep(Duration::from_secs(2)).await;
        load.notices(noticed).await;
        way.block(false);
    }
    load.goes_on(10).await;
    load.end().await;
    scene.settle(&load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn a_page_at_one_node_sees_what_is_ordered_at_the_other() {
    const ORDERS: usize = 100;
    let database = Database::create();
    let scene = Scene::postgres(&database).await;
    let nodes = scene.nodes(&scene.url).await;
    // Nothing of a feed is over in time.
    let feed = Client::builder().build().unwrap().get(format!("{}/live?topics=product:p", nodes[1].url));
    let mut feed = feed.send().await.unwrap().bytes_stream();
    let mut times = Vec::new();
    for left in (0..1_000_000).rev().take(ORDERS) {
        let mut browser = Buyer::new(&scene.client, &nodes[0].url);
        let review = browser.prepare("a", 1).await.unwrap();
        browser.submit(&review).await.unwrap().unwrap();
        let begun = Instant::now();
        let wanted = format!("\"id\":\"a\",\"available\":{left},");
        let seen = async { while !String::from_utf8_lossy(&feed.next().await.unwrap().unwrap()).contains(&wanted) {} };
        assert!(tokio::time::timeout(PATIENCE, seen).await.is_ok(), "{wanted} is not told");
        times.push(begun.elapsed());
    }
    times.sort();
    let (half, most) = (times[ORDERS / 2], times[ORDERS * 99 / 100 - 1]);
    assert!(most < Duration::from_millis(500), "after the answer: half within {half:?}, 99 of 100 within {most:?}");
    eprintln!("after the answer: half within {half:?}, 99 of 100 within {most:?}, all within {:?}", times[ORDERS - 1]);
    ledger::check(&scene.app.db).await;
}
