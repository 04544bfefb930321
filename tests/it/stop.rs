//! SIGTERM under load, again and again: the shop says that it goes, breaks no connection and no promise, and goes.

use crate::{
    client::{Buyer, Server, Setup, client, free_ports},
    shop::{Piece, Shop},
};
use futures::StreamExt;
use reqwest::Client;
use std::{
    error::Error,
    io::ErrorKind,
    path::PathBuf,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    time::sleep,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");
const ROUNDS: u64 = 5;
const WRITERS: usize = 12;
const PAGES: usize = 20;
const DRAIN: Duration = Duration::from_secs(1);
/// The time of the last requests and of the closing, on a busy machine.
const BOUND: Duration = Duration::from_secs(10);
/// Lies in a cart all the time, and nobody buys it.
const KEPT: &str = "kept";
const PIECES: [Piece; 5] = [
    Piece("a", 100, 1_000_000),
    Piece("b", 200, 1_000_000),
    Piece("c", 300, 1_000_000),
    Piece("d", 400, 1_000_000),
    Piece(KEPT, 500, 100),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_shop_that_is_asked_to_stop_breaks_no_promise_and_no_connection() {
    for postgres in [false, true] {
        let shop = Shop::open(postgres).await;
        shop.sell(&PIECES).await;
        eprintln!("on {}", shop.app.db.kind().as_str());
        // One connection each, and one for each page.
        let clients: Vec<_> = (0..=WRITERS).map(|_| client()).collect();
        let drain = DRAIN.as_millis().to_string();
        let options = ["--database-url", &shop.app.config.database_url, "--drain-ms", &drain];
        let setup =
            Setup { program: PROGRAM, data: shop.folder.path(), site: PathBuf::from("none"), ports: free_ports() };
        let mut server = Server::start_with(&setup, &options, &clients[0]).await;
        let mut keeper = Buyer::new(&clients[0], &server.url);
        for pieces in 1..=ROUNDS {
            keeper.post("/api/cart/add", &[("variant_id", KEPT), ("quantity", "1")]).await.unwrap();
            let cart = keeper.get("/api/cart/get").await.unwrap();
            assert_eq!(cart["lines"][0]["variant_id"], KEPT);
            assert_eq!(cart["lines"][0]["quantity"], pieces);
            let confirmed = round(&mut server, &clients).await;
            server = Server::start_with(&setup, &options, &clients[0]).await;
            assert_eq!(keeper.get("/api/cart/get").await.unwrap(), cart, "a cart is as it was left");
            for (buyer, number) in &confirmed {
                let order = buyer.get(&format!("/api/order/get?number={number}")).await.unwrap();
                assert_eq!(order["number"], **number);
            }
        }
        // Whoever presses Ctrl-C does not wait for load balancers.
        drop(server);
        let mut server = Server::start_with(&setup, &["--drain-ms", "60000"], &clients[0]).await;
        server.signal("INT");
        assert_eq!(server.ended(BOUND).await, Some(0));
        shop.app.db.close().await;
    }
}

/// Stops a server in the middle of its work; answers with the orders that were confirmed, and their buyers.
async fn round(server: &mut Server, clients: &[Client]) -> Vec<(Buyer, String)> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let follow = |_| tokio::spawn(follow(clients[0].clone(), server.url.clone()));
    let pages: Vec<_> = (0..PAGES).map(follow).collect();
    let order = |writer: usize| tokio::spawn(order(clients[writer].clone(), server.url.clone(), tell.clone()));
    let writers: Vec<_> = (1..=WRITERS).map(order).collect();
    let probe = tokio::spawn(probe(server.url.trim_start_matches("http://").to_owned()));
    told.recv().await.unwrap();
    sleep(Duration::from_millis(200 + getrandom::u64().unwrap() % 1_000)).await;
    let asked = Instant::now();
    server.signal("TERM");
    assert_eq!(server.ended(DRAIN + BOUND).await, Some(0), "in good order");
    let ended = asked.elapsed();

    let seen = probe.await.unwrap();
    let first = seen.iter().position(|(_, ready)| !ready).expect("the end was announced");
    assert!(seen[first..].iter().all(|(_, ready)| !ready), "and not taken back");
    let after = seen[first].0.saturating_duration_since(asked);
    assert!(after < DRAIN / 2, "at once, not after {after:?}");
    let last = seen[seen.len() - 1].0.saturating_duration_since(asked);
    assert!(last > DRAIN / 2, "with time to look elsewhere, not for {last:?} only");

    let mut confirmed = Vec::new();
    for writer in writers {
        confirmed.extend(writer.await.unwrap());
    }
    let late = confirmed.iter().filter(|(_, _, at)| *at > asked).count();
    assert!(late > 0 && confirmed.len() > late, "the load was real: {} orders, {late} late", confirmed.len());
    for page in pages {
        page.await.unwrap();
    }
    eprintln!("{} orders, {late} after the signal; 503 after {after:?}, ended after {ended:?}", confirmed.len());
    confirmed.into_iter().map(|(buyer, number, _)| (buyer, number)).collect()
}

/// Places orders until nobody listens any more, which is the only end that is allowed.
async fn order(client: Client, url: String, tell: mpsc::UnboundedSender<()>) -> Vec<(Buyer, String, Instant)> {
    let mut confirmed = Vec::new();
    for Piece(variant, ..) in PIECES.iter().filter(|piece| piece.0 != KEPT).cycle() {
        let mut buyer = Buyer::new(&client, &url);
        let answer = match buyer.prepare(variant, 1).await {
            Ok(review) => buyer.submit(&review).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(number) => {
                confirmed.push((buyer, number.expect("a clean answer"), Instant::now()));
                let _ = tell.send(());
            }
            Err(error) if refused(&error) => break,
            Err(error) => panic!("a connection broke: {error:?}"),
        }
    }
    confirmed
}

/// When `/readyz` was asked, over a connection of its own each time, and whether it said yes.
async fn probe(address: String) -> Vec<(Instant, bool)> {
    let mut seen = Vec::new();
    loop {
        let mut stream = match TcpStream::connect(&address).await {
            Ok(stream) => stream,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => return seen,
            Err(error) => panic!("no connection: {error}"),
        };
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("a clean answer");
        let status = answer.split(' ').nth(1).unwrap_or("nothing");
        assert!(matches!(status, "200" | "503"), "{status}: {answer}");
        seen.push((Instant::now(), status == "200"));
        sleep(Duration::from_millis(5)).await;
    }
}

/// Follows the live feed to its end, which comes as one and not as a broken connection.
async fn follow(client: Client, url: String) {
    let answer = client.get(format!("{url}/live?topics=product:p")).send().await.unwrap();
    let mut events = answer.error_for_status().unwrap().bytes_stream();
    let mut count = 0;
    while let Some(event) = events.next().await {
        event.expect("a clean end");
        count += 1;
    }
    assert!(count > 0, "the page saw the shop");
}

fn refused(error: &reqwest::Error) -> bool {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let mut causes = causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    error.is_connect() && causes.any(|cause| cause.kind() == ErrorKind::ConnectionRefused)
}
