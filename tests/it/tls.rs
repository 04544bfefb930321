//! HTTPS by the program itself: what customers get over it, how its certificate is replaced, and what it bears with.

use crate::{
    authority::{Authority, Secure, shown},
    client::{Buyer, free_ports},
    shop::{Piece, Shop},
};
use axum::{Router, body::Bytes, extract::ConnectInfo, http::HeaderMap, routing::get};
use h2::client::SendRequest;
use http::Request;
use reqwest::{Client, StatusCode, header};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};
use xiadan::server::http::{
    listen::{self, Limits},
    tls::{Files, Source, Tls},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");
const LONG: Duration = Duration::from_secs(8);
const FORM: &str = "application/x-www-form-urlencoded";

/// The real program over HTTPS; killed with this value.
pub struct Running {
    child: Child,
    pub address: SocketAddr,
    pub url: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts the program with more options; those who sign for others are in a file.
    pub fn start(data: &Path, trusted: &Path, host: &str, options: &[&str]) -> Self {
        let (port, sandbox) = free_ports();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let url = format!("https://{host}:{port}");
        let child = Command::new(PROGRAM)
            .args(["--data", data.to_str().unwrap(), "serve", "--site", "none", "--public-url", &url])
            .args(["--listen", &address.to_string(), "--sandbox", "--sandbox-listen"])
            .arg(format!("127.0.0.1:{sandbox}"))
            .args(options)
            .env("RUST_LOG", "error,xiadan=error")
            .env("SSL_CERT_FILE", trusted)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, address, url }
    }

    pub async fn answers(&self, client: &Client) {
        let begin = Instant::now();
        while let Err(error) = client.get(format!("{}/readyz", self.url)).send().await {
            assert!(begin.elapsed() < Duration::from_secs(60), "the server does not answer: {error:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn hang_up(&self) {
        assert!(Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status().unwrap().success());
    }
}

/// Files for a certificate, and the one of those who are trusted.
struct Papers {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Papers {
    fn new() -> Self {
        let papers = Self { folder: tempfile::tempdir().unwrap(), authority: Authority::new() };
        fs::write(papers.trusted(), papers.authority.pem()).unwrap();
        papers.renew();
        papers
    }

    fn renew(&self) {
        self.authority.certify(&["localhost", "127.0.0.1"], &self.certificate(), &self.key());
    }

    fn trusted(&self) -> PathBuf {
        self.folder.path().join("trusted.pem")
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    fn serve(&self, data: &Path, more: &[&str]) -> Running {
        let (certificate, key) = (self.certificate(), self.key());
        let mut options = vec!["--tls-certificate", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
        options.extend(more);
        Running::start(data, &self.trusted(), "localhost", &options)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_with_a_certificate_is_whole_over_https() {
    let (shop, papers) = (Shop::open(false).await, Papers::new());
    shop.sell(&[Piece("mug", 5_000, 10)]).await;
    shop.app.db.close().await;
    let plain = SocketAddr::from((Ipv4Addr::LOCALHOST, free_ports().0));
    let plain_text = plain.to_string();
    let options = ["--redirect-listen", &plain_text, "--hsts-subdomains"];
    let options = [&options[..], &["--database-url", &shop.app.config.database_url]].concat();
    let server = papers.serve(shop.folder.path(), &options);
    let client = papers.authority.client(None);
    server.answers(&client).await;

    let page = client.get(format!("{}/cart", server.url)).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(page.headers()[header::STRICT_TRANSPORT_SECURITY], "max-age=63072000; includeSubDomains");
    let add = |origin: String| {
        let request = client.post(format!("{}/api/cart/add", server.url)).header(header::CONTENT_TYPE, FORM);
        request.header(header::ORIGIN, origin).body("variant_id=mug&quantity=1").send()
    };
    let answer = add(server.url.clone()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let cookies: Vec<_> =
        answer.headers().get_all(header::SET_COOKIE).iter().map(|set| set.to_str().unwrap()).collect();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("__Host-xiadan_guest=")), "{cookies:?}");
    for cookie in cookies {
        assert!(cookie.starts_with("__Host-"), "{cookie}");
        for attribute in ["; Secure", "; HttpOnly", "; Path=/;", "; SameSite=Lax"] {
            assert!(cookie.contains(attribute), "{attribute}: {cookie}");
        }
    }
    // The same host without encryption is another origin, as is another host.
    for origin in [server.url.replace("https", "http"), "https://evil.example".to_owned()] {
        assert_eq!(add(origin).await.unwrap().status(), StatusCode::FORBIDDEN);
    }

    // The provider reaches the shop at the name that is in its certificate.
    let mut buyer = Buyer::new(&client, &server.url);
    let seen = buyer.prepare("mug", 2).await.unwrap();
    let number = buyer.submit(&seen).await.unwrap().unwrap();
    assert!(buyer.pay(&number).await.unwrap());
    let begin = Instant::now();
    while buyer.get(&format!("/api/order/get?number={number}")).await.unwrap()["state"] != "to_ship" {
        assert!(begin.elapsed() < LONG, "the payment was not told");
        sleep(Duration::from_millis(50)).await;
    }

    plain_http_is_closed_without_harm(server.address).await;
    server.answers(&client).await;
    over_http2(&papers.authority, &server).await;
    plain_http_is_sent_on(plain, &server.url).await;
}

async fn plain_http_is_closed_without_harm(address: SocketAddr) {
    for request in ["GET / HTTP/1.1\r\nhost: localhost\r\n\r\n", "\0\0\0\0\0\0\0\0", "SSH-2.0-OpenSSH\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = timeout(LONG, stream.read_to_end(&mut answer)).await.expect("the connection stays open");
        assert!(!answer.starts_with(b"HTTP/"), "{request:?}: {answer:?}");
    }
}

/// What a browser does that prefers HTTP/2, at an address that is not the public one.
async fn over_http2(authority: &Authority, server: &Running) {
    let stream = authority.connect(server.address, "127.0.0.1", &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let url = format!("https://{}", server.address);
    for (origin, expected) in [(&*url, StatusCode::OK), ("https://evil.example", StatusCode::FORBIDDEN)] {
        let request = Request::post(format!("{url}/api/cart/add"))
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, FORM)
            .body(())
            .unwrap();
        let (answer, mut body) = client.send_request(request, false).unwrap();
        body.send_data("variant_id=mug&quantity=1".into(), true).unwrap();
        assert_eq!(timeout(LONG, answer).await.unwrap().unwrap().status(), expected, "{origin}");
    }
    drop(client);
    let _ = timeout(LONG, connection).await.expect("a connection that nobody needs ends");
}

async fn plain_http_is_sent_on(plain: SocketAddr, url: &str) {
    let client = crate::client::client();
    let ask = |method: reqwest::Method, path: &str| {
        client.request(method, format!("http://{plain}{path}")).header(header::HOST, "evil.example").send()
    };
    for path in ["/", "/p/mug?a=1&b=%2F", "//evil.example/"] {
        for method in [reqwest::Method::GET, reqwest::Method::HEAD] {
            let answer = ask(method, path).await.unwrap();
            assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
            assert_eq!(answer.headers()[header::LOCATION].to_str().unwrap(), format!("{url}{path}"));
        }
    }
    for method in [reqwest::Method::POST, reqwest::Method::PUT, reqwest::Method::DELETE] {
        let answer = ask(method, "/api/cart/add").await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        assert!(!answer.headers().contains_key(header::LOCATION));
        assert!(answer.text().await.unwrap().contains(url));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_replaced_while_the_shop_serves() {
    let (data, papers) = (tempfile::tempdir().unwrap(), Papers::new());
    let server = papers.serve(data.path(), &[]);
    server.answers(&papers.authority.client(None)).await;
    let connect = || papers.authority.connect(server.address, "localhost", &["http/1.1"]);
    let mut open = connect().await.unwrap();
    let first = shown(&open);

    // A file that does not do, and one that does not belong to the other.
    for broken in [&b"-----BEGIN CERTIFICATE-----\nbroken"[..], b"", &fs::read(papers.trusted()).unwrap()] {
        let whole = fs::read(papers.certificate()).unwrap();
        fs::write(papers.certificate(), broken).unwrap();
        server.hang_up();
        sleep(Duration::from_millis(300)).await;
        assert_eq!(shown(&connect().await.unwrap()), first);
        fs::write(papers.certificate(), whole).unwrap();
    }

    papers.renew();
    server.hang_up();
    let begin = Instant::now();
    while shown(&connect().await.unwrap()) == first {
        assert!(begin.elapsed() < LONG, "the new certificate is not shown");
        sleep(Duration::from_millis(20)).await;
    }
    // Who came before goes on.
    open.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    timeout(LONG, open.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn files_that_do_not_do_are_named_at_the_start() {
    let papers = Papers::new();
    let data = tempfile::tempdir().unwrap();
    let start = |certificate: PathBuf, key: PathBuf| {
        let error = Tls::open(&Source::Files(Files { certificate, key }), data.path()).err().map(|e| e.to_string());
        error.expect("it does not do")
    };
    let other = papers.folder.path().join("other.pem");
    papers.authority.certify(&["localhost"], &papers.folder.path().join("unused.pem"), &other);
    assert!(start(papers.folder.path().join("none.pem"), papers.key()).contains("none.pem"));
    assert!(start(papers.certificate(), papers.certificate()).contains("the key "));
    assert!(start(papers.key(), papers.key()).contains("there is none in the file"));
    assert!(start(papers.certificate(), other).contains("certificate.pem"));
}

/// A listener of the test's own, over TLS.
struct Listening {
    address: SocketAddr,
    papers: Papers,
    /// How many slow requests are running, and the most that were at once.
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

const SLOW: Duration = Duration::from_millis(700);
const HEAD: Duration = Duration::from_millis(400);

async fn listening(limits: Limits) -> Listening {
    let papers = Papers::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = (running.clone(), most.clone());
    let slow = get(move || async move {
        let (running, most) = counted;
        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        sleep(SLOW).await;
        running.fetch_sub(1, Ordering::SeqCst);
        "done"
    });
    let told = get(|ConnectInfo(peer): ConnectInfo<SocketAddr>, headers: HeaderMap| async move {
        format!("{} asks {}", peer.ip(), headers[header::HOST].to_str().unwrap())
    });
    let router = Router::new().route("/slow", slow).route("/told", told);
    let source = Source::Files(Files { certificate: papers.certificate(), key: papers.key() });
    let (tls, _) = Tls::open(&source, papers.folder.path()).unwrap();
    let (stop, stopped) = oneshot::channel();
    let stopped = async {
        let _ = stopped.await;
    };
    let served = tokio::spawn(listen::serve(listener, Some(tls), router, limits, stopped));
    Listening { address, papers, running, most, stop, served }
}

impl Listening {
    async fn connect(&self, protocol: &str) -> Secure {
        self.papers.authority.connect(self.address, "localhost", &[protocol]).await.unwrap()
    }

    /// One question over a connection of its own, and how long the answer took.
    async fn ask(&self) -> Duration {
        let begin = Instant::now();
        let mut stream = self.connect("http/1.1").await;
        stream.write_all(b"GET /told HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        timeout(LONG, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.ends_with("127.0.0.1 asks localhost"), "{answer}");
        begin.elapsed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_stalls_ends_while_others_are_served() {
    let handshake = Duration::from_secs(3);
    let server = listening(Limits { handshake, handshakes: 8, ..Limits::default() }).await;
    let begin = Instant::now();
    let mut stalled = Vec::new();
    // Nothing at all, and the begin of a greeting that says how long it will be.
    for sent in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x16\x03\x01"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        stalled.push(stream);
    }
    assert!(server.ask().await < handshake / 2, "others do not wait for them");
    for stream in &mut stalled {
        let _ = timeout(LONG, stream.read_to_end(&mut Vec::new())).await.expect("the connection stays open");
    }
    let ended = begin.elapsed();
    assert!(ended >= handshake && ended < 2 * handshake, "{ended:?}");

    // As many as there are turns: the next one waits for its own, and gets it.
    let server = listening(Limits { handshake, handshakes: 2, ..Limits::default() }).await;
    let _stalled =
        [TcpStream::connect(server.address).await.unwrap(), TcpStream::connect(server.address).await.unwrap()];
    sleep(Duration::from_millis(100)).await;
    let waited = server.ask().await;
    assert!(waited > handshake / 2, "it was one of two at once, not of three: {waited:?}");
    // A listener that closes does not wait for those that stall.
    let begin = Instant::now();
    let _late = TcpStream::connect(server.address).await.unwrap();
    server.stop.send(()).unwrap();
    timeout(LONG, server.served).await.unwrap().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
}

/// What is answered to one of many requests of a connection.
async fn body_of(client: SendRequest<Bytes>, path: &'static str) -> Bytes {
    let mut client = client.ready().await.unwrap();
    let request = Request::get(format!("https://localhost{path}")).body(()).unwrap();
    let (answer, _) = client.send_request(request, true).unwrap();
    let mut body = timeout(LONG, answer).await.unwrap().unwrap().into_body();
    timeout(LONG, body.data()).await.unwrap().unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_many_requests_has_the_same_limits() {
    let server = listening(Limits { head: HEAD, streams: 3, ..Limits::default() }).await;
    // One that says nothing, after it became secure or after its first words.
    for first in [&b""[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let begin = Instant::now();
        let mut silent = server.connect("h2").await;
        silent.write_all(first).await.unwrap();
        let _ = timeout(LONG, silent.read_to_end(&mut Vec::new())).await.expect("the connection stays open");
        assert!(begin.elapsed() > HEAD / 2, "it had its time");
    }
    // One that asks: as much at once as it may, for longer than it may be silent, and not for ever after that.
    let begin = Instant::now();
    let (client, connection) = h2::client::handshake(server.connect("h2").await).await.unwrap();
    let connection = tokio::spawn(connection);
    assert_eq!(body_of(client.clone(), "/told").await, "127.0.0.1 asks localhost");
    let slow = (0..5).map(|_| tokio::spawn(body_of(client.clone(), "/slow")));
    for answer in slow.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap(), "done");
    }
    assert!(begin.elapsed() > SLOW, "silent for longer than {HEAD:?} meanwhile");
    assert!((1..=3).contains(&server.most.load(Ordering::SeqCst)), "{:?} at once", server.most);
    let idle = Instant::now();
    let _ = timeout(LONG, connection).await.expect("an idle connection is closed").unwrap();
    assert!(idle.elapsed() > HEAD / 2, "it could have asked again");
    drop(client);

    // What runs when the listener closes is answered, and no more is taken.
    let (client, connection) = h2::client::handshake(server.connect("h2").await).await.unwrap();
    let connection = tokio::spawn(connection);
    let answer = tokio::spawn(body_of(client, "/slow"));
    let begun = async {
        while server.running.load(Ordering::SeqCst) == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, begun).await.expect("it runs");
    server.stop.send(()).unwrap();
    assert_eq!(answer.await.unwrap(), "done");
    timeout(LONG, server.served).await.unwrap().unwrap();
    let _ = timeout(LONG, connection).await.expect("the connection was closed");
    assert!(TcpStream::connect(server.address).await.is_err());
}
