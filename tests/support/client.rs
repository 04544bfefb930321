//! The real program as a black box: a server process of its own, and buyers who speak HTTP with it.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "shared by tests and benches, which say so by failing"
)]

use reqwest::{Client, Response, header};
use serde_json::Value;
use std::{
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

/// A running shop; killed with this value.
pub struct Server {
    pub url: String,
    pub child: Child,
    /// From start to the first answer.
    pub started_in: Duration,
}

/// What a server is started with.
pub struct Setup<'a> {
    pub program: &'a str,
    pub data: &'a Path,
    pub site: PathBuf,
    /// Ports of the shop and of the sandbox provider; the same over restarts, because notifications name them.
    pub ports: (u16, u16),
}

/// Two free ports, below those that systems give to outgoing connections: one that such a connection took while its server
/// was down would not be free when that comes back.
pub fn free_ports() -> (u16, u16) {
    const FIRST: u32 = 20_000;
    const MANY: u32 = 12_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Other processes begin elsewhere.
    let begin = std::process::id().wrapping_mul(61);
    let port = || {
        let numbers = std::iter::repeat_with(|| NEXT.fetch_add(1, Ordering::Relaxed)).take(MANY as usize);
        let mut ports = numbers.map(|n| u16::try_from(FIRST + begin.wrapping_add(n) % MANY).unwrap());
        ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("no port is free")
    };
    (port(), port())
}

/// A client that keeps connections and follows no redirect.
pub fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(256).build().unwrap()
}

impl Server {
    /// Starts the program and waits until it answers.
    pub async fn start(setup: &Setup<'_>, client: &Client) -> Self {
        Self::start_with(setup, &[], client).await
    }

    /// The same with more options on the command line.
    pub async fn start_with(setup: &Setup<'_>, options: &[&str], client: &Client) -> Self {
        Self::start_telling(setup, options, None, client).await
    }

    /// The same, with everything that it can tell of itself in a file.
    pub async fn start_telling(setup: &Setup<'_>, options: &[&str], log: Option<&Path>, client: &Client) -> Self {
        Self::start_trusting(setup, options, log, None, client).await
    }

    /// The same, which believes those alone who are in a file of certificates.
    pub async fn start_trusting(
        setup: &Setup<'_>,
        options: &[&str],
        log: Option<&Path>,
        trusted: Option<&Path>,
        client: &Client,
    ) -> Self {
        let url = format!("http://127.0.0.1:{}", setup.ports.0);
        let begin = Instant::now();
        let level = if log.is_some() { "trace" } else { "error" };
        let log = log.map_or_else(Stdio::inherit, |file| File::create(file).unwrap().into());
        let child = Command::new(setup.program)
            .args(["--data", setup.data.to_str().unwrap(), "serve"])
            .args(["--listen", &format!("127.0.0.1:{}", setup.ports.0)])
            .args(["--sandbox", "--sandbox-listen", &format!("127.0.0.1:{}", setup.ports.1)])
            .args(["--site", setup.site.to_str().unwrap()])
            .args(options)
            .env("RUST_LOG", level)
            .envs(trusted.map(|file| ("SSL_CERT_FILE", file)))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        while client.get(format!("{url}/readyz")).send().await.is_err() {
            assert!(begin.elapsed() < Duration::from_secs(30), "the server does not answer");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Self { url, child, started_in: begin.elapsed() }
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "{name}");
    }

    /// Waits for the end of the process, at most this long; its code.
    pub async fn ended(&mut self, longest: Duration) -> Option<i32> {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begin.elapsed() < longest, "the process goes on");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Ends the process at once, as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A field of `/proc/<pid>/status` in KiB, such as `VmRSS` or `VmHWM`; zero of a process that is no more.
pub fn memory_kib(process: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|value| value.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Runs a command of the program to its end.
pub fn run(program: &str, data: &Path, args: &[&str]) {
    let done = Command::new(program)
        .arg("--data")
        .arg(data)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(done.success(), "{args:?}");
}

/// What a review shows of an order.
pub struct Seen {
    version: String,
    total: String,
    reviewed: String,
}

/// A browser without scripts: it keeps its cookies and posts forms.
#[derive(Clone)]
pub struct Buyer {
    client: Client,
    url: String,
    cookie: String,
}

impl Buyer {
    pub fn new(client: &Client, url: &str) -> Self {
        Self { client: client.clone(), url: url.to_owned(), cookie: String::new() }
    }

    pub async fn get(&self, path: &str) -> reqwest::Result<Value> {
        let request = self.client.get(format!("{}{path}", self.url)).header(header::COOKIE, &self.cookie);
        request.send().await?.error_for_status()?.json().await
    }

    /// Posts a form to a server function; answers with status and JSON.
    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> reqwest::Result<(u16, Value)> {
        let body: Vec<_> = form.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
        let request = self.client.post(format!("{}{path}", self.url)).header(header::COOKIE, &self.cookie);
        let request =
            request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").header(header::ORIGIN, &self.url);
        let answer = request.body(body.join("&")).send().await?;
        self.keep_cookies(&answer);
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// Goes on at another node of the same shop.
    pub fn turn_to(&mut self, url: &str) {
        url.clone_into(&mut self.url);
    }

    /// Takes in the cookies of an answer; one without a value is one that goes.
    fn keep_cookies(&mut self, answer: &Response) {
        for set in answer.headers().get_all(header::SET_COOKIE) {
            let Some((name, value)) = set.to_str().ok().and_then(|text| text.split(';').next()?.split_once('=')) else {
                continue;
            };
            let mut kept: Vec<_> = self.cookie.split("; ").filter(|pair| !pair.is_empty()).map(str::to_owned).collect();
            kept.retain(|pair| !pair.starts_with(&format!("{name}=")));
            if !value.is_empty() {
                kept.push(format!("{name}={value}"));
            }
            self.cookie = kept.join("; ");
        }
    }

    /// The value of a cookie, if the browser has it.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookie.split("; ").find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }

    /// A browser that has another's cookies: one who stole them, or a copy from before.
    pub fn with_cookies_of(&self, other: &Self) -> Self {
        Self { cookie: other.cookie.clone(), ..self.clone() }
    }

    /// Fills the cart and the checkout form; answers with what the review's form would send.
    pub async fn prepare(&mut self, variant: &str, quantity: i64) -> reqwest::Result<Seen> {
        self.post("/api/cart/add", &[("variant_id", variant), ("quantity", &quantity.to_string())]).await?;
        self.review().await
    }

    /// The same with a booking in the cart; what is wished for comes as JSON.
    pub async fn prepare_booking(&mut self, variant: &str, wish: &str) -> reqwest::Result<Seen> {
        self.post("/api/booking/add", &[("variant_id", variant), ("wish", wish)]).await?;
        self.review().await
    }

    /// Fills the checkout form; answers with what the review's form would send.
    pub async fn review(&mut self) -> reqwest::Result<Seen> {
        let form = [
            ("form[recipient]", "李雷"),
            ("form[country_code]", "+86"),
            ("form[phone]", "13800138000"),
            ("form[email]", ""),
            ("form[province]", "440000"),
            ("form[city]", "440300"),
            ("form[district]", "440305"),
            ("form[detail]", "科技园一路 1 号"),
            ("form[delivery_wish]", ""),
            ("form[note]", ""),
            ("form[payment_method]", "alipay"),
        ];
        self.post("/api/order/save_checkout", &form).await?;
        let review = self.get("/api/order/review").await?;
        let cart: xiadan::domain::cart::Cart = serde_json::from_value(review["cart"].clone()).unwrap_or_default();
        let reviewed = review["reviewed"].as_str().unwrap_or_default().to_owned();
        Ok(Seen { version: cart.version.to_string(), total: cart.totals().total.0.to_string(), reviewed })
    }

    /// Submits; the order's number, or the error.
    pub async fn submit(&mut self, seen: &Seen) -> reqwest::Result<Result<String, Value>> {
        let form = [("cart_version", &*seen.version), ("total", &seen.total), ("reviewed", &seen.reviewed)];
        let (status, answer) = self.post("/api/order/submit", &form).await?;
        Ok(match answer.as_str() {
            Some(number) if status == 200 => Ok(number.to_owned()),
            _ => Err(answer),
        })
    }

    /// Pays on the cashier; true when the shop has confirmed the payment by then.
    pub async fn pay(&mut self, number: &str) -> reqwest::Result<bool> {
        let (_, cashier) = self.post("/api/order/pay", &[("number", number)]).await?;
        let Some(cashier) = cashier.as_str() else { return Ok(false) };
        let paid = self
            .client
            .post(cashier)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body("outcome=success");
        Ok(paid.send().await?.status().is_redirection())
    }
}

/// Percent-encodes a form field.
fn encode(text: &str) -> String {
    xiadan::domain::catalog::percent_encode(text)
}
