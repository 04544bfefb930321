//! Hostile bytes: what would like to become a header or another host's page, bodies far over the limit, and requests that
//! never come to an end.

use crate::{
    client::{Server, Setup, client, free_ports, memory_kib},
    shop::{Piece, Shop},
};
use reqwest::{Client, RequestBuilder, Response, header};
use serde_json::Value;
use std::{path::PathBuf, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};
use xiadan::{domain::catalog::percent_encode, server::payment::SANDBOX_PATH};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");
const FORM: &str = "application/x-www-form-urlencoded";
/// What is not a page of this shop, or not only one.
const ELSEWHERE: [&str; 13] = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "https:evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\r\nx-evil: 1",
    "/\nset-cookie: xiadan_session=evil",
    "/a\0b",
    "\r\n\r\n<h1>evil</h1>",
    "@evil.example",
];

struct World {
    // Before the shop, whose database goes away with it.
    server: Server,
    client: Client,
    _shop: Shop,
}

impl World {
    /// The program on a shop that sells something.
    async fn open(postgres: bool) -> Self {
        let shop = Shop::open(postgres).await;
        shop.sell(&[Piece("mug", 5_000, 1_000)]).await;
        let url = shop.app.config.database_url.clone();
        let client = client();
        let setup =
            Setup { program: PROGRAM, data: shop.folder.path(), site: PathBuf::from("none"), ports: free_ports() };
        let contact = "mailto:security@shop.example";
        let options = ["--database-url", &url, "--development", "--security-contact", contact];
        let server = Server::start_with(&setup, &options, &client).await;
        Self { server, client, _shop: shop }
    }

    fn address(&self) -> &str {
        self.server.url.trim_start_matches("http://")
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.server.url)).header(header::ACCEPT, "text/html")
    }

    /// A form as a browser without scripts sends it.
    fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let fields: Vec<_> = fields.iter().map(|(k, v)| format!("{k}={}", percent_encode(v))).collect();
        let request = self.client.post(format!("{}{path}", self.server.url)).header(header::ACCEPT, "text/html");
        let request = request.header(header::REFERER, format!("{}/cart", self.server.url));
        let request = request.header(header::ORIGIN, &self.server.url).header(header::CONTENT_TYPE, FORM);
        request.body(fields.join("&"))
    }

    async fn newest_code(&self) -> String {
        let outbox = self.client.get(format!("{}/api/account/outbox", self.server.url));
        let posted: Value = outbox.send().await.unwrap().json().await.unwrap();
        let text = posted[0]["text"].as_str().unwrap();
        text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 6).unwrap().to_owned()
    }

    /// Writes bytes as no client would, and reads what comes until the server closes.
    async fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.expect("an end");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// Nothing of an answer's head leads out of the shop or was written by whoever asked.
fn assert_tame(answer: &Response, asked: &str) {
    for (name, value) in answer.headers() {
        let text = String::from_utf8_lossy(value.as_bytes());
        assert!(!name.as_str().contains("evil"), "{asked:?}: {name}");
        match name.as_str() {
            // What a page is told to carry on is one value in the address.
            "location" | "serverfnredirect" => {
                let local = url::Url::parse("http://shop.example").unwrap().join(&text).unwrap();
                let own = answer.url().host_str().unwrap();
                assert!(["shop.example", own].contains(&local.host_str().unwrap_or("")), "{asked:?}: {text}");
                assert!(["http", "https"].contains(&local.scheme()), "{asked:?}: {text}");
            }
            "set-cookie" => assert!(!text.contains("evil"), "{asked:?}: {text}"),
            _ => assert!(!text.contains("evil"), "{asked:?}: {name}: {text}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_typed_becomes_a_header_or_leads_to_another_host() {
    for postgres in [false, true] {
        typed(&World::open(postgres).await).await;
    }
}

/// Types what would like to lead elsewhere wherever something can be typed.
async fn typed(world: &World) {
    for (n, to) in ELSEWHERE.iter().enumerate() {
        let typed = percent_encode(to);
        for path in [
            format!("/lang/en?to={typed}"),
            format!("/sign-in?to={typed}"),
            format!("/sign-in/code?id=x&to={typed}"),
            format!("/office/sign-in?to={typed}"),
            format!("/?lang={typed}"),
            format!("/search?q={typed}&lang={typed}"),
            format!("/{}", percent_encode(to)),
            format!("/orders/{typed}"),
            format!("/lang/{typed}"),
        ] {
            let answer = world.get(&path).send().await.unwrap();
            assert!(answer.status().as_u16() < 500, "{path}");
            assert_tame(&answer, &path);
        }
        let (status, location) = {
            let answer = world.get(&format!("/lang/en?to={typed}")).send().await.unwrap();
            (answer.status(), answer.headers()[header::LOCATION].clone())
        };
        assert_eq!((status.as_u16(), location.to_str().unwrap()), (303, "/"), "{to:?}");

        for (path, fields) in [
            ("/api/cart/add", &[("variant_id", "mug"), ("quantity", "1"), ("next", to)][..]),
            ("/api/order/find", &[("number", to), ("contact", to)]),
            ("/api/order/cancel", &[("number", to)]),
            ("/api/order/pay", &[("number", to), ("method", to)]),
            ("/api/account/send_code", &[("target", to), ("to", to)]),
            ("/api/account/enter", &[("id", to), ("code", to), ("agreed", "1"), ("to", to)]),
        ] {
            let answer = world.form(path, fields).send().await.unwrap();
            assert_eq!(answer.status(), 302, "{path} {to:?}");
            assert_tame(&answer, to);
        }

        // All the way in.
        let target = format!("li{n}@example.com");
        let asked = world.form("/api/account/send_code", &[("target", &target), ("to", to)]).send().await.unwrap();
        assert_tame(&asked, to);
        let next = asked.headers()[header::LOCATION].to_str().unwrap();
        let next = url::Url::parse("http://shop.example").unwrap().join(next).unwrap();
        let query = |name: &str| next.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        assert_eq!((next.path(), query("to").as_deref()), ("/sign-in/code", Some(*to)), "carried as it is");
        let code = world.newest_code().await;
        let fields = [("id", &*query("id").unwrap()), ("code", &code), ("agreed", "1"), ("to", to)];
        let entered = world.form("/api/account/enter", &fields).send().await.unwrap();
        assert_tame(&entered, to);
        assert_eq!(entered.status(), 302, "{to:?}");
        assert_eq!(entered.headers()[header::LOCATION], "/me", "{to:?}");
    }
    for quantity in ["1", "x"] {
        let form = [("variant_id", "mug"), ("quantity", quantity)];
        for from in ["https://evil.example/form", "//evil.example/", "javascript:alert(1)"] {
            let mut request = world.form("/api/cart/add", &form).build().unwrap();
            request.headers_mut().insert(header::REFERER, from.parse().unwrap());
            let answer = world.client.execute(request).await.unwrap();
            assert_eq!(answer.status(), 302);
            assert_tame(&answer, from);
        }
    }
    let home = world.form("/api/cart/add", &[("variant_id", "mug"), ("quantity", "1"), ("next", "/cart?a=1")]);
    assert_eq!(home.send().await.unwrap().headers()[header::LOCATION], "/cart?a=1", "its own pages it goes to");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_request_says_of_its_host_and_way_changes_no_page() {
    let world = World::open(false).await;
    let said = [
        (header::HOST.as_str(), "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "evil"),
        ("x-forwarded-port", "666"),
        ("x-forwarded-prefix", "/evil"),
        ("x-forwarded-for", "evil.example, 1.2.3.4, ,,"),
        ("forwarded", "for=1.2.3.4;host=evil.example;proto=evil"),
        ("x-original-url", "/office"),
        ("x-rewrite-url", "/office"),
        ("x-http-method-override", "POST"),
        ("x-request-id", "evil"),
        ("x-lang", "evil"),
        ("accept-language", "evil"),
        ("cookie", "lang=evil; xiadan_guest=evil; xiadan_device=evil"),
    ];
    for path in
        ["/", "/p/mug", "/cart", "/sign-in", "/robots.txt", "/sitemap.xml", "/.well-known/security.txt", "/none"]
    {
        let plain = world.get(path).send().await.unwrap().status();
        for (name, value) in said {
            let answer = world.get(path).header(name, value).send().await.unwrap();
            assert_eq!(answer.status(), plain, "{path} with {name}");
            assert_tame(&answer, name);
            let text = answer.text().await.unwrap();
            assert!(!text.contains("evil"), "{path} with {name}: {text}");
        }
        let long = "1.2.3.4, ".repeat(900);
        assert_eq!(world.get(path).header("x-forwarded-for", long).send().await.unwrap().status(), plain);
    }
    // What is no request is not taken for one.
    for wrong in [
        "GET / HTTP/1.1\r\nhost: a\rx-evil: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx\0y: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\n x-evil: folded\r\n\r\n",
        "GET /\u{1}/evil HTTP/1.1\r\nhost: a\r\n\r\n",
        "POST /api/cart/add HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        "POST /api/cart/add HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        "POST /api/cart/add HTTP/1.1\r\nhost: a\r\ntransfer-encoding: evil\r\n\r\n",
    ] {
        let answer = world.raw(wrong.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4") && !answer.contains("evil"), "{wrong:?}: {answer}");
    }
    let endless = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(1024 * 1024));
    let answer = world.raw(endless.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 4") || answer.is_empty(), "{answer}");
    let many = format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(5_000));
    let answer = world.raw(many.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 4") || answer.is_empty(), "{answer}");
    assert_eq!(world.get("/").send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_mebibytes_are_refused_and_not_kept() {
    const BODY: usize = 10 * 1024 * 1024;
    const TOGETHER: usize = 24;
    let world = World::open(false).await;
    world.get("/p/mug").send().await.unwrap().bytes().await.unwrap();
    let before = memory_kib(world.server.child.id(), "VmRSS");
    let paths = ["/api/cart/add", "/api/account/sign_in", "/api/catalog/list", SANDBOX_PATH, "/", "/nowhere"];
    let send = async |n: usize| {
        let (path, chunked) = (paths[n % paths.len()], n.is_multiple_of(2));
        let kind = if path.ends_with("list") { "application/json" } else { FORM };
        let head = format!("POST {path} HTTP/1.1\r\nhost: shop\r\ncontent-type: {kind}\r\nconnection: close\r\n");
        let mut request = head.into_bytes();
        if chunked {
            request.extend(b"transfer-encoding: chunked\r\n\r\n");
            for _ in 0..BODY / 0x10000 {
                request.extend(b"10000\r\n");
                request.extend([b'a'; 0x10000]);
                request.extend(b"\r\n");
            }
            request.extend(b"0\r\n\r\n");
        } else {
            request.extend(format!("content-length: {BODY}\r\n\r\n").bytes());
            request.extend(std::iter::repeat_n(b'a', BODY));
        }
        let answer = world.raw(&request).await;
        (path, chunked, answer.split(' ').nth(1).unwrap_or_default().to_owned())
    };
    let mut answers = futures::future::join_all((0..TOGETHER).map(send)).await;
    let peak = memory_kib(world.server.child.id(), "VmHWM").saturating_sub(before) / 1024;
    // Each takes in as much as is allowed at most, and not ten times as much.
    assert!(peak < 128, "{peak} MiB for {TOGETHER} bodies of 10 MiB");
    answers.extend([send(0).await, send(1).await, send(2).await]);
    for (path, chunked, status) in answers {
        // Where no body is read its length is all there is to go by.
        let unread = chunked && matches!(path, "/" | "/nowhere");
        assert!(status == "413" || unread && status.starts_with('4'), "{path} chunked={chunked}: {status:?}");
    }
    assert_eq!(world.get("/cart").send().await.unwrap().status(), 200);
}

/// Sends a byte now and then until the server has had enough; answers with what it said.
async fn trickle(address: String, begin: String) -> String {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut from, mut to) = stream.into_split();
    to.write_all(begin.as_bytes()).await.unwrap();
    let dripping = tokio::spawn(async move {
        while to.write_all(b"a").await.is_ok() {
            sleep(Duration::from_millis(400)).await;
        }
    });
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(60), from.read_to_end(&mut answer)).await.expect("the connection stays open");
    dripping.abort();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_requests_end_and_hold_nobody_up() {
    const EACH: usize = 24;
    let world = World::open(false).await;
    let mut heads = Vec::new();
    let mut bodies = Vec::new();
    for n in 0..EACH {
        heads.push(tokio::spawn(trickle(world.address().to_owned(), "GET /cart HTTP/1.1\r\nx-slow: ".to_owned())));
        let path = ["/api/cart/add", "/api/account/sign_in", SANDBOX_PATH][n % 3];
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: shop\r\ncontent-type: {FORM}\r\nconnection: close\r\ncontent-length: 100000\r\n\r\n"
        );
        bodies.push(tokio::spawn(trickle(world.address().to_owned(), head)));
    }
    let mut served = 0;
    while bodies.iter().any(|body| !body.is_finished()) {
        let page = world.get("/p/mug").send().await.unwrap();
        assert_eq!(page.status(), 200);
        page.bytes().await.unwrap();
        let add = world.form("/api/cart/add", &[("variant_id", "mug"), ("quantity", "1")]).send().await.unwrap();
        assert_eq!(add.status(), 302);
        served += 1;
        sleep(Duration::from_millis(100)).await;
    }
    assert!(served > 10, "{served}");
    for head in heads {
        let answer = head.await.unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    for body in bodies {
        let answer = body.await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    }
}
