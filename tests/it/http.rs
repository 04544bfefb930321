//! What strangers may not do: the real program over HTTP, asked by people it does not know and by forgers.

use crate::{
    client::{Server, Setup, client, free_ports},
    permissions, second,
    shop::{Piece, Shop, books, customer, form, place, submit},
};
use reqwest::{Client, RequestBuilder, Response, header};
use serde_json::Value;
use std::{path::PathBuf, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use xiadan::{
    args,
    domain::{
        address::CheckoutForm,
        order::{EventKind, State},
        permission::Role,
    },
    server::{
        App, Ctx, account, cart, context, crypto, order,
        payment::{
            SANDBOX_PATH,
            provider::{self, Notification, Outcome, SIGNATURE, TIMESTAMP},
        },
    },
};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");
pub const FORM: &str = "application/x-www-form-urlencoded";
/// A running shop with one order, and its data at hand.
pub struct World {
    pub app: App,
    pub server: Server,
    pub client: Client,
    /// Who placed the order.
    pub owner: Ctx,
    pub number: String,
}

/// Runs a test against the program, on both databases.
pub async fn in_world<F: Future<Output = ()>>(test: impl Fn(World) -> F) {
    for postgres in [false, true] {
        let shop = Shop::open(postgres).await;
        shop.sell(&[Piece("mug", 5_000, 10)]).await;
        let app = shop.app.clone();
        eprintln!("on {}", app.db.kind().as_str());
        let owner = customer(&app).await;
        let number = place(&owner, "mug", 2).await.unwrap();
        let client = client();
        let setup =
            Setup { program: PROGRAM, data: shop.folder.path(), site: PathBuf::from("none"), ports: free_ports() };
        let options = ["--database-url", &app.config.database_url];
        let server = Server::start_with(&setup, &options, &client).await;
        test(World { app: app.clone(), server, client, owner, number }).await;
        app.db.close().await;
    }
}

/// The cookie of a member of staff in a role who signed in at a time.
pub async fn staff_cookie(app: &App, login: &str, role: Option<Role>, since: i64) -> String {
    account::create_staff(app, login, role, "correct horse".into()).await.unwrap();
    second::with_own_password(app).await;
    second::staff_with_phone(app, login).await;
    let row = app.db.one("select id, password_hash from staff where login = $1", args![login]).await.unwrap();
    let (id, hash): (String, String) = (row.get("id").unwrap(), row.get("password_hash").unwrap());
    let token = crypto::token().unwrap();
    account::open_session(app, &id, &hash, &token, since).await.unwrap();
    format!("xiadan_staff={token}")
}

impl World {
    pub fn get(&self, path: &str, cookie: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.server.url)).header(header::COOKIE, cookie)
    }

    pub fn post(&self, path: &str, cookie: &str, form: &str) -> RequestBuilder {
        let request = self.client.post(format!("{}{path}", self.server.url)).header(header::COOKIE, cookie);
        request.header(header::CONTENT_TYPE, FORM).body(form.to_owned())
    }

    /// Calls a server function. `{n}` in its input stands for the number of the order.
    pub async fn call(&self, (method, name, input): (&str, &str, &str), cookie: &str) -> Response {
        let (path, input) = (format!("/api/{name}"), input.replace("{n}", &self.number));
        let request = match method {
            "GET" => self.get(&format!("{path}?{input}"), cookie),
            "JSON" => {
                let request = self.client.post(format!("{}{path}", self.server.url)).header(header::COOKIE, cookie);
                request.header(header::CONTENT_TYPE, "application/json").body(input)
            }
            _ => self.post(&path, cookie, &input),
        };
        request.send().await.unwrap()
    }

    /// The cookie of a customer's browser.
    pub fn guest(&self, ctx: &Ctx) -> String {
        let id = ctx.customer().unwrap();
        format!("xiadan_guest={id}.{}", self.app.keys.sign("guest", id))
    }

    /// The cookie of a member of staff who signed in at a time.
    async fn staff(&self, since: i64) -> String {
        self.staff_as("lin", None, since).await
    }

    /// The same for somebody in a role.
    pub async fn staff_as(&self, login: &str, role: Option<Role>, since: i64) -> String {
        staff_cookie(&self.app, login, role, since).await
    }

    async fn state(&self) -> State {
        order::get(&self.owner, &self.number).await.unwrap().state
    }

    /// Hands a notification over, signed by whoever has the secret, at a time.
    async fn notify(&self, secret: &str, timestamp: &str, body: &str) -> u16 {
        let signature = crypto::hex(&crypto::hmac(secret.as_bytes(), &[timestamp.as_bytes(), body.as_bytes()]));
        self.deliver(timestamp, &signature, body).await
    }

    async fn deliver(&self, timestamp: &str, signature: &str, body: &str) -> u16 {
        let request = self.client.post(format!("{}{SANDBOX_PATH}", self.server.url));
        let request = request.header(TIMESTAMP, timestamp).header(SIGNATURE, signature).body(body.to_owned());
        request.send().await.unwrap().status().as_u16()
    }

    /// Writes bytes as no client would, and reads what comes until the server has nothing more to say.
    async fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.server.url.trim_start_matches("http://")).await.unwrap();
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(request).await;
        let mut answer = vec![0; 4096];
        let read = timeout(Duration::from_secs(10), stream.read(&mut answer)).await.unwrap();
        String::from_utf8_lossy(&answer[..read.unwrap_or(0)]).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_tells_strangers_nothing_and_does_nothing_for_them() {
    in_world(async |world| {
        let real = world.staff(context::now()).await;
        let over = world.staff(context::now() - 365 * 24 * 60 * 60_000).await;
        let real_again = world.staff(context::now()).await;
        let stored = world.app.db.one("select token_hash from staff_session", args![]).await.unwrap();
        let stored: String = stored.get("token_hash").unwrap();
        let strangers = [
            String::new(),
            "xiadan_staff=".into(),
            "xiadan_staff=forged".into(),
            "xiadan_staff=lin".into(),
            format!("xiadan_staff={stored}"),
            format!("xiadan_staff={}", "a".repeat(4000)),
            world.guest(&world.owner),
            // A new password ends sessions.
            real,
            over,
        ];
        for cookie in &strangers {
            for (function, _) in permissions::office() {
                let answer = world.call(function, cookie).await;
                assert_eq!(answer.status(), 401, "{function:?} {cookie}");
                assert_eq!(answer.json::<Value>().await.unwrap(), "Unauthenticated", "{function:?} {cookie}");
            }
        }
        for path in ["/office", "/office/orders", &format!("/office/orders/{}", world.number), "/office/products"] {
            let page = world.get(path, "").send().await.unwrap().text().await.unwrap();
            assert!(!page.contains("13800138000") && !page.contains("张三") && !page.contains("科技园"), "{path}");
        }
        assert_eq!(world.state().await, State::ToPay);
        assert_eq!(books(&world.app, "mug").await, (10, 2, 0));
        let price = world.app.db.one("select price from variant where id = 'mug'", args![]).await.unwrap();
        assert_eq!(price.get::<i64>("price").unwrap(), 5_000);

        for (function, _) in permissions::office() {
            let answer = world.call(function, &real_again).await;
            assert!(
                ![401, 403].contains(&answer.status().as_u16()),
                "{function:?}: the refusals were for the person alone"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_provider_can_tell_of_money_and_only_once() {
    in_world(async |world| {
        let paying = world.post("/api/order/pay", &world.guest(&world.owner), &format!("number={}", world.number));
        assert!(paying.send().await.unwrap().status().is_success());
        let row = world.app.db.one("select id, amount, provider_reference from payment", args![]).await.unwrap();
        let notification = Notification {
            payment_id: row.get("id").unwrap(),
            reference: row.get("provider_reference").unwrap(),
            outcome: Outcome::Succeeded,
            amount: row.get("amount").unwrap(),
            currency: "CNY".into(),
        };
        let body = serde_json::to_string(&notification).unwrap();
        let (secret, now) = (provider::secret(&world.app), context::now());
        let at = |offset: i64| (now + offset).to_string();

        assert_eq!(world.notify("guessed", &at(0), &body).await, 401);
        assert_eq!(world.deliver(&at(0), "", &body).await, 401);
        let unsigned = world.client.post(format!("{}{SANDBOX_PATH}", world.server.url)).body(body.clone());
        assert_eq!(unsigned.send().await.unwrap().status(), 401);
        let (timestamp, signature) = provider::sign(&secret, &body);
        assert_eq!(world.deliver(&timestamp, &signature, &body.replace("succeeded", "failed")).await, 401);
        let later = (timestamp.parse::<i64>().unwrap() + 1).to_string();
        assert_eq!(world.deliver(&later, &signature, &body).await, 401, "the time is signed too");
        for wrong in [at(-6 * 60_000), at(6 * 60_000), i64::MIN.to_string(), i64::MAX.to_string(), "soon".into()] {
            assert_eq!(world.notify(&secret, &wrong, &body).await, 401, "{wrong}");
        }
        assert_eq!(world.notify(&secret, &at(0), "{}").await, 401);
        let unknown = Notification { payment_id: context::new_id(), ..notification };
        assert_eq!(world.notify(&secret, &at(0), &serde_json::to_string(&unknown).unwrap()).await, 404);
        assert_eq!(world.state().await, State::ToPay);

        for _ in 0..3 {
            assert_eq!(world.deliver(&timestamp, &signature, &body).await, 204);
        }
        let failed = body.replace("succeeded", "failed");
        assert_eq!(world.notify(&secret, &at(0), &failed).await, 204, "too late to take it back");
        let paid = order::get(&world.owner, &world.number).await.unwrap();
        assert_eq!((paid.state, paid.refunds.len()), (State::ToShip, 0));
        assert_eq!(paid.events.iter().filter(|event| event.kind == EventKind::Paid).count(), 1);
        assert_eq!(books(&world.app, "mug").await, (8, 0, 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_changes_nothing() {
    in_world(async |world| {
        let cookie = world.guest(&world.owner);
        for path in ["/api/cart/add", "/api/order/cancel", "/api/office/sign_in", SANDBOX_PATH, "/", "/nowhere"] {
            let form = format!("variant_id=mug&quantity=1&number={}", world.number);
            for origin in ["https://evil.example", "null", "http://127.0.0.1.evil.example"] {
                let answer = world.post(path, &cookie, &form).header(header::ORIGIN, origin).send().await.unwrap();
                assert_eq!(answer.status(), 403, "{path} from {origin}");
            }
            let answer = world.post(path, &cookie, &form).header("sec-fetch-site", "cross-site").send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path}");
        }
        assert_eq!(world.state().await, State::ToPay);
        assert!(cart::get(&world.owner).await.unwrap().lines.is_empty());
        let own = world.post("/api/cart/add", &cookie, "variant_id=mug&quantity=1");
        let answer = own.header(header::ORIGIN, &world.server.url).send().await.unwrap();
        assert_eq!(answer.status(), 200, "its own pages may");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_cookie_is_nobodys() {
    in_world(async |world| {
        let other = customer(&world.app).await;
        let (own, others) = (world.guest(&world.owner), world.guest(&other));
        let id = world.owner.customer().unwrap();
        cart::add(&world.owner, "mug", 1).await.unwrap();
        let signature = others.rsplit_once('.').unwrap().1;
        let forged = [
            String::new(),
            format!("xiadan_guest={id}"),
            format!("xiadan_guest={id}."),
            format!("xiadan_guest={id}.{}", "A".repeat(signature.len())),
            format!("xiadan_guest={id}.{signature}"),
            format!("xiadan_guest={id}.{}", world.app.keys.sign("orders", id)),
            format!("xiadan_orders={}.{signature}", world.number),
            format!("xiadan_orders={}.{}", world.number, world.app.keys.sign("guest", &world.number)),
            others,
        ];
        let number = &world.number;
        for cookie in &forged {
            let order = world.get(&format!("/api/order/get?number={number}"), cookie).send().await.unwrap();
            assert_eq!(order.status(), 404, "{cookie}");
            assert_eq!(order.json::<Value>().await.unwrap(), "NotFound");
            for path in ["cancel", "pay", "again"] {
                let answer = world.post(&format!("/api/order/{path}"), cookie, &format!("number={number}"));
                assert_eq!(answer.send().await.unwrap().status(), 404, "{path} {cookie}");
            }
            let cart = world.get("/api/cart/get", cookie).send().await.unwrap().text().await.unwrap();
            assert!(!cart.contains("mug"), "{cookie}: {cart}");
            let page = world.get(&format!("/orders/{number}"), cookie).send().await.unwrap().text().await.unwrap();
            assert!(!page.contains("张三") && !page.contains("13800138000"), "{cookie}");
            for topic in [format!("order:{number}"), "office".to_owned(), format!("cart,order:{number}")] {
                let live = world.get(&format!("/live?topics={topic}"), cookie).send().await.unwrap();
                assert_eq!(live.status(), 403, "{topic} {cookie}");
            }
        }
        assert_eq!(world.state().await, State::ToPay);

        let order = world.get(&format!("/api/order/get?number={number}"), &own).send().await.unwrap();
        assert_eq!(order.status(), 200);
        let staff = world.staff(context::now()).await;
        for (topic, cookie) in [(format!("order:{number}"), &own), (format!("office,order:{number}"), &staff)] {
            let live = world.get(&format!("/live?topics={topic}"), cookie).send().await.unwrap();
            assert_eq!(live.status(), 200, "{topic}");
            assert_eq!(live.headers()[header::CONTENT_TYPE], "text/event-stream");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_found_by_what_was_given_with_it_and_by_nothing_else() {
    in_world(async |world| {
        let by_mail = customer(&world.app).await;
        cart::add(&by_mail, "mug", 1).await.unwrap();
        order::save_checkout(&by_mail, CheckoutForm { phone: String::new(), ..form("李雷") }, true).await.unwrap();
        let by_mail = submit(&by_mail).await.unwrap();
        let table = [
            (&by_mail, "buyer@example.cn", 200),
            (&by_mail, "BUYER@example.cn", 200),
            (&by_mail, "other@example.cn", 404),
            (&by_mail, "13800138000", 404),
            (&by_mail, "", 422),
            (&by_mail, "+86", 422),
            (&world.number, "138 0013 8000", 200),
            (&world.number, "buyer@example.cn", 200),
            (&world.number, "13900138000", 404),
            (&world.number, "", 422),
        ];
        for (number, contact, status) in table {
            let contact = contact.replace('+', "%2B");
            let answer = world.post("/api/order/find", "", &format!("number={number}&contact={contact}"));
            assert_eq!(answer.send().await.unwrap().status(), status, "{number} {contact}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_not_found_without_script_keeps_its_number_and_no_contact() {
    in_world(async |world| {
        let sent_back_to = async |number: &str, contact: &str| {
            let form = world.post("/api/order/find", "", &format!("number={number}&contact={contact}"));
            let before = format!("{}/orders/find?number={}", world.server.url, world.number);
            let form = form.header(header::ACCEPT, "text/html").header(header::REFERER, before);
            let answer = form.send().await.unwrap();
            assert_eq!(answer.status(), 302);
            answer.headers()["location"].to_str().unwrap().to_owned()
        };
        let back = sent_back_to(&world.number, "13900138000").await;
        assert!(back.starts_with(&format!("/orders/find?number={}&__path=", world.number)), "{back}");
        assert!(back.contains("&__err=") && !back.contains("13900138000"), "{back}");
        let back = sent_back_to("13900138000", "13900138000").await;
        assert!(!back.contains("13900138000"), "typed into the wrong field: {back}");
        assert!(!back.contains(&world.number), "what was typed before does not stand beside the error: {back}");
        let found = sent_back_to(&world.number, "13800138000").await;
        assert_eq!(found, format!("/orders/{}", world.number));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_not_read() {
    in_world(async |world| {
        for path in ["/api/cart/add", SANDBOX_PATH, "/"] {
            let head = format!("POST {path} HTTP/1.1\r\nhost: shop\r\ncontent-type: {FORM}\r\n");
            for length in ["1048577", "999999999999999999"] {
                let answer = world.raw(format!("{head}content-length: {length}\r\n\r\n").as_bytes()).await;
                assert!(answer.starts_with("HTTP/1.1 413 "), "{path} {length}: {answer}");
            }
            // One that does not say how long it is.
            let mut endless = format!("{head}transfer-encoding: chunked\r\n\r\n").into_bytes();
            for _ in 0..80 {
                endless.extend(b"8000\r\n");
                endless.extend([b'a'; 0x8000]);
                endless.extend(b"\r\n");
            }
            let answer = world.raw(&endless).await;
            let status = answer.split(' ').nth(1).unwrap_or("").to_owned();
            assert!(status.starts_with('4') || status.starts_with('5') || answer.is_empty(), "{path}: {answer}");
        }
        assert!(world.get("/healthz", "").send().await.unwrap().status().is_success());
    })
    .await;
}

/// The word with which the policy of a page lets that page's own inline scripts run.
fn nonce(page: &Response) -> String {
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(!policy.contains("unsafe-inline"), "{policy}");
    let scripts = policy.split(';').find_map(|directive| directive.trim().strip_prefix("script-src ")).unwrap();
    let nonce = scripts.split(' ').find_map(|source| source.strip_prefix("'nonce-")?.strip_suffix('\'')).unwrap();
    assert!(nonce.len() >= 16, "{policy}");
    nonce.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_runs_its_own_scripts_alone_and_tells_strangers_no_figures() {
    const SENT: [(&str, &str); 4] = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ("cross-origin-opener-policy", "same-origin"),
    ];
    in_world(async |world| {
        for path in ["/", "/p/mug", "/nowhere", "/api/cart/get", "/robots.txt", "/healthz"] {
            let answer = world.get(path, "").send().await.unwrap();
            let told = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            let document = told("content-type").is_some_and(|kind| kind.starts_with("text/html"));
            assert_eq!(document, matches!(path, "/" | "/p/mug" | "/nowhere"), "{path}");
            // The last two mean nothing to anything but a document.
            for (name, value) in &SENT[..if document { 4 } else { 2 }] {
                assert_eq!(told(name).as_deref(), Some(*value), "{path}");
            }
            let policy = told("content-security-policy").unwrap();
            assert!(
                policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
                "{path}: {policy}"
            );
            assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
        }
        for path in ["/", "/p/mug"] {
            let plain = world.get(path, "").send().await.unwrap();
            assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
            let packed = world.get(path, "").header(header::ACCEPT_ENCODING, "br").send().await.unwrap();
            assert_eq!(packed.headers()[header::CONTENT_ENCODING], "br", "{path}");
            let nonces = [nonce(&plain), nonce(&packed)];
            assert_ne!(nonces[0], nonces[1], "each answer has its own");

            let (plain, packed) = (plain.text().await.unwrap(), packed.bytes().await.unwrap());
            let mut unpacked = Vec::new();
            brotli::BrotliDecompress(&mut &packed[..], &mut unpacked).unwrap();
            assert!(packed.len() < unpacked.len(), "{path}: {} of {} bytes", packed.len(), unpacked.len());
            let pages = [plain, String::from_utf8(unpacked).unwrap()];
            for (page, nonce) in pages.iter().zip(&nonces) {
                let scripts: Vec<_> = page.split("<script").skip(1).filter_map(|rest| rest.split('>').next()).collect();
                let own = format!("nonce=\"{nonce}\"");
                assert!(scripts.iter().any(|script| script.contains(&own)), "{path}: {scripts:?}");
                // What is no script to a browser, or a file, needs none.
                let free = |script: &&str| script.contains(" src=") || script.contains("application/ld+json");
                let strange = scripts.iter().find(|script| !script.contains(&own) && !free(script));
                assert_eq!(strange, None, "{path}");
            }
            // The data behind a page follows it in the order in which it came.
            let main = |page: &str| page.split_once("<main").unwrap().1.split_once("</main>").unwrap().0.to_owned();
            assert_eq!(main(&pages[0]), main(&pages[1]), "{path}");
            assert_eq!(pages[0].len(), pages[1].len(), "{path}");
        }
        let figures = world.get("/metrics", "").send().await.unwrap();
        assert_eq!(figures.status(), 200);
        let figures = figures.text().await.unwrap();
        assert!(figures.contains("http_request_seconds") && figures.contains("process_resident_memory_bytes"));
        for by in ["x-forwarded-for", "forwarded"] {
            let answer = world.get("/metrics", "").header(by, "127.0.0.1").send().await.unwrap();
            assert_eq!(answer.status(), 404, "{by}");
            assert!(!answer.text().await.unwrap().contains("http_request_seconds"));
        }
    })
    .await;
}

#[tokio::test]
async fn the_page_of_components_is_for_development_alone() {
    let shop = Shop::open(false).await;
    let client = client();
    for (options, status) in [(&[][..], 404), (&["--development"][..], 200)] {
        let setup =
            Setup { program: PROGRAM, data: shop.folder.path(), site: PathBuf::from("none"), ports: free_ports() };
        let server = Server::start_with(&setup, options, &client).await;
        for path in ["/design", "/design.css"] {
            let answer = client.get(format!("{}{path}", server.url)).send().await.unwrap();
            assert_eq!(answer.status(), status, "{path} with {options:?}");
        }
        let page = client.get(format!("{}/design", server.url)).header(header::ACCEPT_LANGUAGE, "en").send().await;
        let page = page.unwrap().text().await.unwrap();
        assert_eq!(page.contains("<script type=\"module\""), status == 404, "it stands still");
        assert_eq!(page.contains(">Components<"), status == 200);
    }
}
