//! The listener: who asks nothing is let go, more than its places wait, and nobody is left without an answer at the end.

use crate::{
    client::{Server, Setup, client, free_ports},
    http::{FORM, PROGRAM},
};
use axum::{Router, extract::ConnectInfo, routing::get};
use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{sleep, timeout},
};
use xiadan::server::{
    http::listen::{self, Limits},
    payment::SANDBOX_PATH,
};

/// A listener in this process with limits that a test can wait for.
struct Listening {
    address: SocketAddr,
    /// Told when a request to `/slow` has begun, which then takes [`SLOW`].
    begun: mpsc::UnboundedReceiver<()>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

const SLOW: Duration = Duration::from_millis(600);
const LONG: Duration = Duration::from_secs(8);

async fn listening(head: Duration, connections: usize) -> Listening {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (begin, begun) = mpsc::unbounded_channel();
    let slow = get(move || async move {
        begin.send(()).unwrap();
        sleep(SLOW).await;
        "done"
    });
    let peer = get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() });
    let router = Router::new().route("/slow", slow).route("/peer", peer);
    let (stop, stopped) = oneshot::channel();
    let stopped = async {
        let _ = stopped.await;
    };
    let limits = Limits { head, connections, ..Limits::default() };
    let served = tokio::spawn(listen::serve(listener, None, router, limits, stopped));
    Listening { address, begun, stop, served }
}

/// Sends bytes and keeps the connection open.
async fn ask(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// What comes until the other side closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = timeout(LONG, stream.read_to_end(&mut answer)).await.expect("the connection stays open");
    String::from_utf8(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_does_not_ask_is_closed() {
    let server = listening(Duration::from_millis(300), 100).await;
    let whole = "GET /peer HTTP/1.1\r\nhost: shop\r\n\r\n";
    for (sent, answered) in [("", false), ("GET / ", false), ("GET / HTTP/1.1\r\nhost: sh", false), (whole, true)] {
        let begin = Instant::now();
        let mut stream = ask(server.address, sent).await;
        let answer = rest(&mut stream).await;
        assert_eq!(answer.starts_with("HTTP/1.1 200 "), answered, "{sent:?}: {answer}");
        assert!(begin.elapsed() >= Duration::from_millis(250), "{sent:?} had its time");
    }
    // One that goes on asking stays, and is asked by whom it says: for longer than it may be silent, with pauses far shorter.
    let head = Duration::from_secs(1);
    let server = listening(head, 100).await;
    let begin = Instant::now();
    let mut stream = ask(server.address, "").await;
    while begin.elapsed() < head * 2 {
        sleep(Duration::from_millis(150)).await;
        stream.write_all(whole.as_bytes()).await.unwrap();
        let mut answer = [0; 1024];
        let read = timeout(LONG, stream.read(&mut answer)).await.unwrap().unwrap();
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(answer.ends_with(&stream.local_addr().unwrap().to_string()), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_flight_at_the_end_is_still_answered() {
    let mut server = listening(Duration::from_millis(300), 100).await;
    let mut idle = ask(server.address, "GET /peer HTTP/1.1\r\nhost: shop\r\n\r\n").await;
    let mut half = ask(server.address, "GET /slow HTTP/1.1\r\nhost: ").await;
    let mut slow = ask(server.address, "GET /slow HTTP/1.1\r\nhost: shop\r\n\r\n").await;
    server.begun.recv().await.unwrap();
    server.stop.send(()).unwrap();
    let (slow, idle, _) = tokio::join!(rest(&mut slow), rest(&mut idle), rest(&mut half));
    assert!(slow.starts_with("HTTP/1.1 200 ") && slow.ends_with("done"), "{slow}");
    assert!(idle.starts_with("HTTP/1.1 200 "), "{idle}");
    timeout(LONG, server.served).await.expect("nothing holds the end up").unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_connected_before_the_end_is_still_answered() {
    let mut server = listening(Duration::from_secs(5), 2).await;
    let mut slow = ask(server.address, "GET /slow HTTP/1.1\r\nhost: shop\r\n\r\n").await;
    server.begun.recv().await.unwrap();
    let whole = "GET /peer HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n";
    let mut quiet = ask(server.address, "").await;
    sleep(Duration::from_millis(50)).await;
    let mut queued = ask(server.address, whole).await;
    server.stop.send(()).unwrap();
    let address = server.address;
    let closed = async {
        // Who is turned away would ask again after a second, when the quiet one has had its time.
        let refused =
            async || matches!(timeout(Duration::from_millis(100), TcpStream::connect(address)).await, Ok(Err(_)));
        while !refused().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, closed).await.expect("nobody listens any more");
    quiet.write_all(whole.as_bytes()).await.unwrap();
    for stream in [&mut quiet, &mut queued, &mut slow] {
        let answer = rest(stream).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    timeout(LONG, server.served).await.expect("nothing holds the end up").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_over_the_limit_wait_for_their_turn() {
    let server = listening(Duration::from_secs(5), 2).await;
    let begin = Instant::now();
    let one = "GET /slow HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n";
    let asked = (0..6).map(|_| async { rest(&mut ask(server.address, one).await).await });
    let answers = futures::future::join_all(asked).await;
    assert!(answers.iter().all(|answer| answer.ends_with("done")), "{answers:?}");
    assert!(begin.elapsed() >= SLOW * 3, "two at a time, in {:?}", begin.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_comes_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup { program: PROGRAM, data: folder.path(), site: PathBuf::from("none"), ports: free_ports() };
    let server = Server::start(&setup, &client()).await;
    let address = server.url.trim_start_matches("http://").parse().unwrap();
    let wait = async |path: &str| {
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: shop\r\ncontent-type: {FORM}\r\ncontent-length: 100\r\n\r\na");
        let mut stream = ask(address, &head).await;
        let mut answer = [0; 1024];
        let read = timeout(Duration::from_secs(45), stream.read(&mut answer)).await.expect("an answer").unwrap();
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 503 "), "{path}: {answer}");
    };
    tokio::join!(wait(SANDBOX_PATH), wait("/api/cart/add"));
}
