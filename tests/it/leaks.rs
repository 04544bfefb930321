//! Nothing personal in clear: a whole journey of a customer and of the office with the program, and then every column of
//! every table, every file of the data folder and every line of the log is searched for what was typed.

use crate::{
    client::{Buyer, Server, Setup, client, free_ports},
    http::staff_cookie,
    shop::{Piece, Shop},
    traces::Traces,
};
use reqwest::{Client, header};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use xiadan::{
    args,
    domain::permission::Role,
    server::{App, context, db::Row},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");

const PHONE: &str = "13711119922";
const NAME: &str = "欧阳晓蕾";
const PASSWORD: &str = "correct-horse-4711qz";
const WRONG_PASSWORD: &str = "wrong-horse-8822xk";
const STAFF_PASSWORD: &str = "staff-typo-3344vm";
const RECIPIENT: &str = "诸葛清岚";
const ORDER_PHONE: &str = "15987654321";
const EMAIL: &str = "qinglan.zhuge@example.com";
const OWN_EMAIL: &str = "lingyun.linghu@example.com";
const STREET: &str = "云栖街4321号601室";
const NOTE: &str = "请放快递柜丙字格";
const BOOK_NAME: &str = "司徒沐阳";
const BOOK_PHONE: &str = "18866660077";
const BOOK_STREET: &str = "望海路7788号听涛苑";
const LABEL: &str = "外婆家的小院";
const FOUND_BY: &str = "shuyuan.wanqi@example.org";
const NETWORK: &str = "203.0.113.77";
const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0) Chrome/120.0 ProbeBuild/77.31";
const DRAFT: &str = "端木未寄出";

/// What nobody may find anywhere.
const SECRET: [&str; 28] = [
    PHONE,
    "+8613711119922",
    NAME,
    PASSWORD,
    WRONG_PASSWORD,
    STAFF_PASSWORD,
    RECIPIENT,
    ORDER_PHONE,
    "+8615987654321",
    "159 8765 4321",
    "159-8765-4321",
    EMAIL,
    "qinglan.zhuge",
    OWN_EMAIL,
    "lingyun.linghu",
    STREET,
    NOTE,
    BOOK_NAME,
    BOOK_PHONE,
    "+8618866660077",
    BOOK_STREET,
    LABEL,
    FOUND_BY,
    NETWORK,
    "ProbeBuild",
    "Chrome/120",
    DRAFT,
    "correct horse",
];

const LOGIN: &str = "xiaolei-2291";
const CARRIER: &str = "顺丰特快专列";
const TRACKING: &str = "SFX771188220099";
const REGION: &str = "330106";

/// What is in clear by design: where, and why. It is in no log.
const OPEN: [(&str, &[&str], &str); 3] = [
    (LOGIN, &["account.login"], "a user name is chosen to be told apart by, and is found by itself"),
    (
        CARRIER,
        &["order_event.kind", "order_sharing.name", "shipment.carrier"],
        "who carries a parcel says nothing of who receives it",
    ),
    (
        TRACKING,
        &["order_event.kind", "shipment.tracking_number"],
        "the carrier's own number, which the office looks for; it goes when the account is erased",
    ),
];
/// The district of an address is in clear, so that a cart is priced for it, and it is seen what is in demand where. It is
/// the home of some hundred thousand people.
const REGION_COLUMNS: [&str; 2] = ["customer.region", "orders.region"];

/// A browser behind a proxy, with a name of its own.
fn from_far() -> Client {
    client();
    let headers = [("x-forwarded-for", NETWORK), ("user-agent", BROWSER), ("accept-language", "zh-CN")];
    let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let builder = Client::builder().default_headers(headers.into_iter().collect());
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

struct Journey {
    /// Of the customer.
    far: Client,
    /// At the machine of the shop, where messages can be read.
    near: Client,
    url: String,
}

impl Journey {
    async fn newest_code(&self) -> String {
        let posted = Buyer::new(&self.near, &self.url).get("/api/account/outbox").await.unwrap();
        let text = posted[0]["text"].as_str().unwrap();
        text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 6).unwrap().to_owned()
    }

    async fn ok(&self, buyer: &mut Buyer, path: &str, form: &[(&str, &str)]) -> Value {
        let (status, answer) = buyer.post(path, form).await.unwrap();
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    async fn refused(&self, buyer: &mut Buyer, path: &str, form: &[(&str, &str)]) {
        let (status, answer) = buyer.post(path, form).await.unwrap();
        assert!((400..500).contains(&status), "{path}: {status} {answer}");
    }

    /// A page, as somebody with these cookies sees it.
    async fn page(&self, path: &str, cookie: &str) -> Vec<u8> {
        let accept = if path.starts_with("/api/") { "*/*" } else { "text/html" };
        let request = self.far.get(format!("{}{path}", self.url)).header(header::COOKIE, cookie);
        request.header(header::ACCEPT, accept).send().await.unwrap().bytes().await.unwrap().to_vec()
    }

    async fn customer(&self) -> (String, String) {
        let mut li = Buyer::new(&self.far, &self.url);
        let sent = self.ok(&mut li, "/api/account/send_code", &[("target", PHONE)]).await;
        let (id, code) = (sent["id"].as_str().unwrap(), self.newest_code().await);
        self.refused(&mut li, "/api/account/enter", &[("id", id), ("code", "abcdef"), ("agreed", "1")]).await;
        self.ok(&mut li, "/api/account/enter", &[("id", id), ("code", &code), ("agreed", "1")]).await;
        self.ok(&mut li, "/api/account/set_profile", &[("name", NAME), ("login", LOGIN)]).await;
        self.ok(&mut li, "/api/account/set_password", &[("old", ""), ("new", PASSWORD)]).await;
        let sent = self.ok(&mut li, "/api/account/add_target", &[("target", OWN_EMAIL)]).await;
        let (id, code) = (sent["id"].as_str().unwrap(), self.newest_code().await);
        self.refused(&mut li, "/api/account/confirm_target", &[("id", id), ("code", OWN_EMAIL)]).await;
        self.ok(&mut li, "/api/account/confirm_target", &[("id", id), ("code", &code)]).await;
        let book = [
            ("address[contact][recipient]", BOOK_NAME),
            ("address[contact][country_code]", "+86"),
            ("address[contact][phone]", BOOK_PHONE),
            ("address[contact][province]", "330000"),
            ("address[contact][city]", "330100"),
            ("address[contact][district]", REGION),
            ("address[contact][detail]", BOOK_STREET),
            ("address[label]", "own"),
            ("address[label_text]", LABEL),
        ];
        self.ok(&mut li, "/api/account/save_address", &book).await;
        let draft = [("address[contact][recipient]", DRAFT), ("address[contact][phone]", "137"), ("step", "region")];
        self.ok(&mut li, "/api/account/save_address", &draft).await;

        self.ok(&mut li, "/api/cart/add", &[("variant_id", "mug"), ("quantity", "2")]).await;
        let form = |email, step| {
            [
                ("form[recipient]", RECIPIENT),
                ("form[country_code]", "+86"),
                ("form[phone]", ORDER_PHONE),
                ("form[email]", email),
                ("form[province]", "330000"),
                ("form[city]", "330100"),
                ("form[district]", REGION),
                ("form[detail]", STREET),
                ("form[note]", NOTE),
                ("form[payment_method]", "alipay"),
                ("form[save_address]", "1"),
                ("step", step),
            ]
        };
        self.ok(&mut li, "/api/order/save_checkout", &form(EMAIL, "draft")).await;
        self.refused(&mut li, "/api/order/save_checkout", &form("qinglan.zhuge@@example..com", "")).await;
        self.ok(&mut li, "/api/order/save_checkout", &form(EMAIL, "")).await;
        let review = li.get("/api/order/review").await.unwrap();
        let cart: xiadan::domain::cart::Cart = serde_json::from_value(review["cart"].clone()).unwrap();
        let (version, total) = (cart.version.to_string(), cart.totals().total.0.to_string());
        let reviewed = review["reviewed"].as_str().unwrap();
        let submission = [("cart_version", &*version), ("total", &total), ("reviewed", reviewed)];
        let number = self.ok(&mut li, "/api/order/submit", &submission).await.as_str().unwrap().to_owned();
        assert!(li.pay(&number).await.unwrap());
        let cookie = format!("xiadan_session={}", li.cookie("xiadan_session").unwrap());
        let page = self.page(&format!("/orders/{number}"), &cookie).await;
        assert!(Traces::of(&[RECIPIENT]).find(&page).is_some(), "its owner sees it");
        (cookie, number)
    }

    /// Whoever types what they should not, where they should not.
    async fn mistakes(&self, number: &str) {
        let mut somebody = Buyer::new(&self.far, &self.url);
        for (name, password) in [(PHONE, WRONG_PASSWORD), (LOGIN, WRONG_PASSWORD), (EMAIL, "x"), (PASSWORD, "x")] {
            self.refused(&mut somebody, "/api/account/sign_in", &[("name", name), ("password", password)]).await;
        }
        for (login, password) in [("lin", STAFF_PASSWORD), (STAFF_PASSWORD, "x"), (EMAIL, PASSWORD)] {
            self.refused(&mut somebody, "/api/office/sign_in", &[("login", login), ("password", password)]).await;
        }
        let find = |contact| [("number", number), ("contact", contact)];
        self.refused(&mut somebody, "/api/order/find", &find(FOUND_BY)).await;
        // The order is an account's by now, and found by signing in alone.
        self.refused(&mut somebody, "/api/order/find", &find("159 8765 4321")).await;
        self.refused(&mut somebody, "/api/order/find", &find(EMAIL)).await;
        self.refused(&mut somebody, "/api/cart/set_quantity", &[("variant_id", NAME), ("quantity", ORDER_PHONE)]).await;
        self.refused(&mut somebody, "/api/cart/set_quantity", &[("variant_id", "mug"), ("quantity", EMAIL)]).await;
        self.refused(&mut somebody, "/api/order/submit", &[("cart_version", STREET), ("total", NOTE)]).await;
        let json =
            self.far.post(format!("{}/api/catalog/list", self.url)).header(header::CONTENT_TYPE, "application/json");
        let json = json.body(format!("{{\"query\":{{\"page\":\"{EMAIL}\"}}}}")).send().await.unwrap();
        assert_eq!(json.status(), 422);
        for path in ["/search?q=", "/api/order/get?number=", "/sign-in?to=", "/api/order/list?page=1&state="] {
            for typed in [RECIPIENT, ORDER_PHONE, EMAIL] {
                self.page(&format!("{path}{}", xiadan::domain::catalog::percent_encode(typed)), "").await;
            }
        }
    }

    async fn office(&self, staff: &str, number: &str) {
        let post = async |path: &str, form: String| {
            let request = self.far.post(format!("{}{path}", self.url)).header(header::COOKIE, staff);
            let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            answer.json::<Value>().await.unwrap()
        };
        let (clear, masked) = (Traces::of(&[RECIPIENT]), self.page(&format!("/office/orders/{number}"), staff).await);
        assert_eq!(clear.find(&masked), None, "masked at first");
        let shown = post("/api/office/reveal", format!("number={number}")).await;
        let open =
            self.page(&format!("/api/office/order?number={number}&shown={}", shown.as_str().unwrap()), staff).await;
        assert!(clear.find(&open).is_some(), "shown where it was asked for");
        self.page("/office/orders", staff).await;
        let carrier = xiadan::domain::catalog::percent_encode(CARRIER);
        post("/api/office/ship", format!("number={number}&carrier={carrier}&tracking_number={TRACKING}")).await;
    }

    /// Asks for a copy, fetches it, and lets the account be erased.
    async fn leave(&self, session: &str) {
        // The browser that signed in, by its cookie alone.
        let post = async |path: &str, form: String| {
            let request = self.far.post(format!("{}{path}", self.url)).header(header::COOKIE, session);
            let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
            assert_eq!(request.send().await.unwrap().status(), 200, "{path}");
        };
        post("/api/privacy/ask_copy", String::new()).await;
        let id = loop {
            let overview: Value = serde_json::from_slice(&self.page("/api/privacy/overview", session).await).unwrap();
            if overview["copy"]["state"] == "ready" {
                break overview["copy"]["id"].as_str().unwrap().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let copy = self.page(&format!("/me/privacy/copy/{id}"), session).await;
        for theirs in [NAME, "+8613711119922", RECIPIENT, "+8615987654321", EMAIL, STREET, NOTE, BOOK_NAME, LABEL] {
            assert!(Traces::of(&[theirs]).find(&copy).is_some(), "{theirs} is not in the copy");
        }
        post("/api/privacy/delete_account", format!("password={PASSWORD}")).await;
    }
}

/// Every value of every column as bytes, with its place.
async fn values(app: &App) -> Vec<(String, Vec<u8>)> {
    let columns = crate::member::columns(app).await;
    let mut tables: Vec<_> = columns.iter().map(|(table, _)| table.clone()).collect();
    tables.sort();
    tables.dedup();
    let mut values = Vec::new();
    for table in tables {
        for row in app.db.all(format!("select * from {table}"), args![]).await.unwrap() {
            let names: Vec<_> = row.columns().map(str::to_owned).collect();
            values.extend(names.into_iter().map(|name| (format!("{table}.{name}"), bytes(&row, &name))));
        }
    }
    values
}

fn bytes(row: &Row, column: &str) -> Vec<u8> {
    let text = || row.get::<String>(column).ok().map(String::into_bytes);
    let number = || row.get::<i64>(column).ok().map(|number| number.to_string().into_bytes());
    row.get::<Vec<u8>>(column).ok().or_else(text).or_else(number).unwrap_or_default()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_whole_journey_nothing_personal_is_in_clear_anywhere() {
    for postgres in [false, true] {
        let shop = Shop::open(postgres).await;
        shop.sell(&[Piece("mug", 5_000, 10)]).await;
        let app = &shop.app;
        eprintln!("on {}", app.db.kind().as_str());
        let (near, outside) = (client(), tempfile::tempdir().unwrap());
        let log = outside.path().join("log");
        let setup =
            Setup { program: PROGRAM, data: shop.folder.path(), site: PathBuf::from("none"), ports: free_ports() };
        let options = ["--database-url", &app.config.database_url, "--development", "--trusted-proxy", "127.0.0.1"];
        let server = Server::start_telling(&setup, &options, Some(&log), &near).await;
        let journey = Journey { far: from_far(), near, url: server.url.clone() };
        let staff = staff_cookie(app, "lin", Some(Role::Owner), context::now()).await;
        let (session, number) = journey.customer().await;
        journey.mistakes(&number).await;
        journey.office(&staff, &number).await;
        journey.leave(&session).await;

        let secret = Traces::of(&SECRET);
        let found = values(app).await;
        assert!(found.len() > 300, "{}", found.len());
        for (place, value) in &found {
            if let Some(trace) = secret.find(value) {
                panic!("{place}: {trace}");
            }
        }
        for (value, places, why) in OPEN {
            let trace = Traces::of(&[value]);
            let mut seen: Vec<_> = found.iter().filter(|(_, bytes)| trace.find(bytes).is_some()).collect();
            seen.sort();
            seen.dedup_by(|a, b| a.0 == b.0);
            assert_eq!(seen.iter().map(|(place, _)| &**place).collect::<Vec<_>>(), places, "{value}: {why}");
        }
        let mut regions: Vec<_> = found.iter().filter(|(_, bytes)| bytes == REGION.as_bytes()).collect();
        regions.sort();
        assert_eq!(regions.iter().map(|(place, _)| &**place).collect::<Vec<_>>(), REGION_COLUMNS);

        let files = files(shop.folder.path());
        let named = |end: &str| files.iter().any(|file| file.to_string_lossy().ends_with(end));
        assert!(named("master.key") && named("sandbox.db") && (postgres || named("shop.db") && named("shop.db-wal")));
        for file in &files {
            if let Some(trace) = secret.find(&fs::read(file).unwrap()) {
                panic!("{}: {trace}", file.display());
            }
        }

        drop(server);
        let lines = fs::read(&log).unwrap();
        for told in [
            "order shipped",
            "a sign-in failed",
            "method=\"password\"",
            "path=\"/api/order/pay\"",
            "DEBUG xiadan::http",
        ] {
            assert!(Traces::of(&[told]).find(&lines).is_some(), "it does not tell of {told}");
        }
        let unlogged: Vec<_> = SECRET.into_iter().chain(OPEN.map(|(value, ..)| value)).collect();
        if let Some(trace) = Traces::of(&unlogged).find(&lines) {
            panic!("the log: {trace}");
        }
        app.db.close().await;
    }
}
