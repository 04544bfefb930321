//! Accounts, from outside: the real program over HTTP, used by people and by those who would like to be them.

use crate::{
    client::{Buyer, Server, Setup, client, free_ports},
    member,
    shop::{Piece, Shop},
};
use serde_json::Value;
use std::path::PathBuf;
use xiadan::{
    args,
    domain::account::CODE_TRIES,
    server::{App, db::DbError},
};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");
pub const PHONE: &str = "13800138000";
pub const EMAIL: &str = "li@example.com";

/// A running shop in development mode, whose outbox tells what it sends.
pub struct World {
    pub app: App,
    pub url: String,
    pub client: reqwest::Client,
    _server: Server,
}

pub async fn in_world<F: Future<Output = ()>>(test: impl Fn(World) -> F) {
    for postgres in [false, true] {
        let shop = Shop::open(postgres).await;
        shop.sell(&[Piece("mug", 5_000, 10), Piece("cup", 3_000, 4)]).await;
        let app = shop.app.clone();
        eprintln!("on {}", app.db.kind().as_str());
        let client = client();
        let setup =
            Setup { program: PROGRAM, data: shop.folder.path(), site: PathBuf::from("none"), ports: free_ports() };
        let options = ["--database-url", &app.config.database_url, "--development", "--trusted-proxy", "127.0.0.1"];
        let server = Server::start_with(&setup, &options, &client).await;
        test(World { app: app.clone(), url: server.url.clone(), client, _server: server }).await;
        app.db.close().await;
    }
}

impl World {
    pub fn browser(&self) -> Buyer {
        Buyer::new(&self.client, &self.url)
    }

    /// Asks for a code and answers with its id.
    pub async fn ask(&self, browser: &mut Buyer, target: &str) -> String {
        let (status, sent) = browser.post("/api/account/send_code", &[("target", target)]).await.unwrap();
        assert_eq!(status, 200, "{sent}");
        sent["id"].as_str().unwrap().to_owned()
    }

    /// The newest code that was sent.
    pub async fn newest(&self) -> String {
        let posted = self.browser().get("/api/account/outbox").await.unwrap();
        let text = posted[0]["text"].as_str().unwrap();
        text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 6).unwrap().to_owned()
    }

    /// Signs in with a code that comes.
    pub async fn enter(&self, browser: &mut Buyer, target: &str) {
        self.later(61_000).await;
        let id = self.ask(browser, target).await;
        let code = self.newest().await;
        let (status, answer) = enter(browser, &id, &code).await;
        assert_eq!((status, answer), (200, Value::from("/me")));
    }

    /// Lets time pass for all codes, in milliseconds.
    pub async fn later(&self, ms: i64) {
        self.exec("update one_time_code set created_at = created_at - $1, expires_at = expires_at - $1", ms).await;
    }

    async fn exec(&self, sql: &'static str, ms: i64) {
        self.app
            .db
            .write::<_, DbError>(move |tx| Box::pin(async move { tx.exec(sql, args![ms]).await }))
            .await
            .unwrap();
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        self.app.db.one(sql, args![]).await.unwrap().get("n").unwrap()
    }
}

async fn enter(browser: &mut Buyer, id: &str, code: &str) -> (u16, Value) {
    browser.post("/api/account/enter", &[("id", id), ("code", code), ("agreed", "1")]).await.unwrap()
}

pub async fn sign_in(browser: &mut Buyer, name: &str, password: &str) -> (u16, Value) {
    browser.post("/api/account/sign_in", &[("name", name), ("password", password)]).await.unwrap()
}

async fn me(browser: &Buyer) -> Value {
    browser.get("/api/account/me").await.unwrap()
}

/// Another code of six digits.
pub fn other(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_makes_an_account_once_and_signs_in_after_that() {
    in_world(async |world| {
        let mut phone = world.browser();
        phone.post("/api/cart/add", &[("variant_id", "mug"), ("quantity", "2")]).await.unwrap();
        let guest = phone.cookie("xiadan_guest").unwrap().to_owned();
        let id = world.ask(&mut phone, " 138 0013 8000").await;
        let shown = phone.get(&format!("/api/account/code?id={id}")).await.unwrap();
        assert_eq!(shown["masked"], "138****8000");
        let code = world.newest().await;

        let (status, answer) = phone.post("/api/account/enter", &[("id", &id), ("code", &code)]).await.unwrap();
        assert_eq!((status, &answer["Invalid"]["agreed"]), (422, &Value::from("Consent")), "{answer}");
        assert_eq!(me(&phone).await, Value::Null);

        let spaced = format!("{} {}", &code[..3], &code[3..]);
        assert_eq!(enter(&mut phone, &id, &spaced).await, (200, Value::from("/me")));
        let profile = me(&phone).await;
        assert_eq!((&profile["phone"], &profile["has_password"]), (&Value::from("138****8000"), &Value::from(false)));
        assert_eq!(phone.cookie("xiadan_guest"), None, "the guest is gone");
        assert!(!phone.cookie("xiadan_session").unwrap().is_empty());
        let cart = phone.get("/api/cart/get").await.unwrap();
        assert_eq!(
            (&cart["lines"][0]["variant_id"], &cart["lines"][0]["quantity"]),
            (&Value::from("mug"), &Value::from(2))
        );

        // The cookie from before opens nothing that the account has.
        let mut stale = world.browser();
        stale.post("/api/cart/add", &[("variant_id", "cup"), ("quantity", "1")]).await.unwrap();
        let request =
            world.client.get(format!("{}/api/cart/get", world.url)).header("cookie", format!("xiadan_guest={guest}"));
        let cart: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(cart["lines"], Value::Array(Vec::new()));

        let mut desktop = world.browser();
        world.enter(&mut desktop, "+86 13800138000").await;
        assert_eq!(world.count("select count(*) as n from account").await, 1);
        assert_eq!(world.count("select count(*) as n from session").await, 2);
        assert_eq!(world.count("select count(*) as n from consent").await, 2, "the terms and the notice, once");
        let cart = desktop.get("/api/cart/get").await.unwrap();
        assert_eq!(cart["lines"][0]["quantity"], 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_tried_five_times_used_once_and_soon_over() {
    in_world(async |world| {
        let mut browser = world.browser();
        let wrong = |answer: &Value| answer["Invalid"]["code"].as_str().unwrap_or_default().to_owned();
        let id = world.ask(&mut browser, PHONE).await;
        let code = world.newest().await;
        for _ in 0..CODE_TRIES {
            let (status, answer) = enter(&mut browser, &id, &other(&code)).await;
            assert_eq!((status, &*wrong(&answer)), (422, "Code"));
        }
        let (status, answer) = enter(&mut browser, &id, &code).await;
        assert_eq!((status, &*wrong(&answer)), (422, "CodeOver"), "the right one comes too late");

        let (status, answer) = browser.post("/api/account/send_code", &[("target", PHONE)]).await.unwrap();
        let wait = answer["TooMany"]["retry_after"].as_u64().unwrap_or_default();
        assert!(status == 429 && (1..=60).contains(&wait), "{status} {answer}");
        world.later(61_000).await;
        let (status, again) = browser.post("/api/account/resend_code", &[("id", &id)]).await.unwrap();
        assert_eq!(status, 200, "{again}");
        let (id, code) = (again["id"].as_str().unwrap().to_owned(), world.newest().await);
        assert_eq!(enter(&mut browser, &id, &code).await.0, 200);
        let (status, answer) = enter(&mut world.browser(), &id, &code).await;
        assert_eq!((status, &*wrong(&answer)), (422, "CodeOver"), "what was used is used up");

        world.later(61_000).await;
        let id = world.ask(&mut browser, PHONE).await;
        let code = world.newest().await;
        world.later(5 * 60_000).await;
        let (_, answer) = enter(&mut world.browser(), &id, &code).await;
        assert_eq!(wrong(&answer), "CodeOver", "five minutes are over");
        let (_, answer) = enter(&mut world.browser(), "no such id", &code).await;
        assert_eq!(wrong(&answer), "CodeOver", "an unknown id is no different");

        // All tries at once are as many as one after the other.
        world.later(61_000).await;
        let id = world.ask(&mut browser, EMAIL).await;
        let code = world.newest().await;
        let tries = (0..40).map(|_| async { enter(&mut world.browser(), &id, &other(&code)).await.1 });
        let answers = futures::future::join_all(tries).await;
        let counted = answers.iter().filter(|answer| wrong(answer) == "Code").count();
        assert_eq!(counted, usize::try_from(CODE_TRIES).unwrap());

        // No more than ten a day for one target.
        let mut sent = 0;
        for _ in 0..12 {
            world.later(61_000).await;
            sent += i32::from(browser.post("/api/account/send_code", &[("target", EMAIL)]).await.unwrap().0 == 200);
        }
        assert_eq!(sent, 9, "one was sent before");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_opens_the_account_by_any_of_its_names_and_guessing_is_slowed_down() {
    in_world(async |world| {
        let mut owner = world.browser();
        world.enter(&mut owner, PHONE).await;
        let set = async |browser: &mut Buyer, old: &str, new: &str| {
            browser.post("/api/account/set_password", &[("old", old), ("new", new)]).await.unwrap()
        };
        assert_eq!(set(&mut world.browser(), "", "correct horse").await.0, 401);
        for (password, problem) in
            [("1234567", "TooShort"), ("Password", "PasswordCommon"), ("88888888", "PasswordCommon")]
        {
            let (status, answer) = set(&mut owner, "", password).await;
            assert!(status == 422 && answer["Invalid"]["new"].to_string().contains(problem), "{password}: {answer}");
        }
        assert_eq!(set(&mut owner, "", "correct horse").await.0, 200);
        let profile = [("name", "李雷"), ("login", "LiLei")];
        assert_eq!(owner.post("/api/account/set_profile", &profile).await.unwrap().0, 200);
        assert_eq!(me(&owner).await["login"], "lilei");

        for name in ["lilei", "LiLei", PHONE, "+86 138 0013 8000"] {
            assert_eq!(sign_in(&mut world.browser(), name, "correct horse").await, (200, Value::from("/me")), "{name}");
        }
        // Known and unknown, with and without a password, are refused alike.
        world.enter(&mut world.browser(), EMAIL).await;
        for name in ["lilei", "nobody", EMAIL, "13900139000"] {
            for turn in 1..=5 {
                let (status, answer) = sign_in(&mut world.browser(), name, "wrong horse").await;
                assert_eq!(
                    (status, &answer["Invalid"]["password"]),
                    (422, &Value::from("Credentials")),
                    "{name} {turn}"
                );
            }
            let (status, answer) = sign_in(&mut world.browser(), name, "correct horse").await;
            assert!(status == 429 && answer["TooMany"]["retry_after"].as_u64() <= Some(16), "{name}: {answer}");
            if name == "lilei" {
                let by_phone = sign_in(&mut world.browser(), PHONE, "wrong horse").await;
                assert_eq!(by_phone.0, 422, "nothing tells that two names belong to one account");
            }
        }
        // Who holds the phone gets in, and the count begins anew.
        let mut again = world.browser();
        world.enter(&mut again, PHONE).await;
        assert_eq!(sign_in(&mut world.browser(), PHONE, "correct horse").await.0, 200);

        // A session that is no proof any more needs the old password; others end with the new one.
        world.exec("update session set opened_at = opened_at - $1", 16 * 60_000).await;
        let (status, answer) = set(&mut again, "wrong horse", "another horse").await;
        assert_eq!((status, &answer["Invalid"]["old"]), (422, &Value::from("Credentials")));
        assert_eq!(set(&mut again, "correct horse", "another horse").await.0, 200);
        assert_eq!(me(&owner).await, Value::Null);
        assert_ne!(me(&again).await, Value::Null);
        // The name does not wait for its wrong tries any more.
        world.exec("update attempt set blocked_until = blocked_until - $1", 16_000).await;
        assert_eq!(sign_in(&mut world.browser(), "lilei", "correct horse").await.0, 422);
        assert_eq!(sign_in(&mut world.browser(), PHONE, "another horse").await.0, 200);

        // A name that is taken is told of beside its field.
        let mut second = world.browser();
        world.enter(&mut second, EMAIL).await;
        let (status, answer) =
            second.post("/api/account/set_profile", &[("name", ""), ("login", "lilei")]).await.unwrap();
        assert_eq!((status, &answer["Invalid"]["login"]), (422, &Value::from("Taken")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_made_anew_seen_by_its_owner_and_gone_when_it_is_ended() {
    in_world(async |world| {
        let mut first = world.browser();
        world.enter(&mut first, PHONE).await;
        let planted = first.cookie("xiadan_session").unwrap().to_owned();

        // A session that was planted in a browser does not become that of who signs in there.
        let mut second = world.browser().with_cookies_of(&first);
        world.enter(&mut second, EMAIL).await;
        assert_ne!(second.cookie("xiadan_session"), Some(&*planted));
        assert_eq!(me(&second).await["email"], "l***@example.com");
        assert_eq!(me(&first).await, Value::Null, "the session that was planted is over");
        world.enter(&mut first, PHONE).await;
        assert_eq!(me(&first).await["phone"], "138****8000");

        let mut third = world.browser();
        world.enter(&mut third, PHONE).await;
        let devices = third.get("/api/account/devices").await.unwrap();
        let devices = devices.as_array().unwrap();
        assert_eq!(devices.len(), 2);
        assert_eq!((&devices[0]["present"], &devices[1]["present"]), (&Value::from(true), &Value::from(false)));

        // Nobody ends the session of somebody else.
        let id = devices[1]["id"].as_str().unwrap().to_owned();
        assert_eq!(second.post("/api/account/end_device", &[("id", &id)]).await.unwrap().0, 200);
        assert_ne!(me(&first).await, Value::Null);
        assert_eq!(world.browser().post("/api/account/end_device", &[("id", &id)]).await.unwrap().0, 401);
        assert_eq!(third.post("/api/account/end_device", &[("id", &id)]).await.unwrap().0, 200);
        assert_eq!(me(&first).await, Value::Null);

        // What was copied before signing out opens nothing after it.
        let copy = world.browser().with_cookies_of(&third);
        assert_ne!(me(&copy).await, Value::Null);
        assert_eq!(third.post("/api/account/sign_out", &[]).await.unwrap().0, 200);
        assert_eq!(third.cookie("xiadan_session"), None);
        assert_eq!(me(&copy).await, Value::Null);

        // Idle for a month, or open for half a year.
        for sql in ["update session set seen_at = seen_at - $1", "update session set expires_at = expires_at - $1"] {
            let mut browser = world.browser();
            world.enter(&mut browser, PHONE).await;
            assert_ne!(me(&browser).await, Value::Null);
            world.exec(sql, 181 * 24 * 60 * 60_000).await;
            assert_eq!(me(&browser).await, Value::Null, "{sql}");
        }
        xiadan::server::account::sweep(&world.app).await.unwrap();
        assert_eq!(world.count("select count(*) as n from session").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_had_joins_the_account() {
    in_world(async |world| {
        let mut home = world.browser();
        world.enter(&mut home, PHONE).await;
        for (variant, quantity) in [("mug", "3"), ("cup", "3")] {
            home.post("/api/cart/add", &[("variant_id", variant), ("quantity", quantity)]).await.unwrap();
        }
        let mut guest = world.browser();
        let seen = guest.prepare("mug", 1).await.unwrap();
        let number = guest.submit(&seen).await.unwrap().unwrap();
        for (variant, quantity) in [("mug", "4"), ("cup", "3")] {
            guest.post("/api/cart/add", &[("variant_id", variant), ("quantity", quantity)]).await.unwrap();
        }
        guest.post("/api/cart/save_for_later", &[("variant_id", "cup"), ("saved", "true")]).await.unwrap();
        let before = guest.clone();
        world.enter(&mut guest, PHONE).await;

        let cart = home.get("/api/cart/get").await.unwrap();
        let line = |list: &str| (cart[list][0]["variant_id"].clone(), cart[list][0]["quantity"].clone());
        assert_eq!(line("lines"), (Value::from("mug"), Value::from(7)), "three and four, of nine that are left");
        assert_eq!(line("saved"), (Value::from("cup"), Value::from(4)), "six of four; the newer choice was to save it");
        assert_eq!(cart["lines"].as_array().unwrap().len(), 1);

        let order = home.get(&format!("/api/order/get?number={number}")).await.unwrap();
        assert_eq!(order["number"], Value::from(number.clone()));
        assert!(before.get(&format!("/api/order/get?number={number}")).await.is_err(), "it is the account's now");
        // The address that was typed as a guest is there for the next order.
        let page = home.get("/api/order/checkout").await.unwrap();
        assert_eq!(page["form"]["recipient"], "李雷");
        // The same order is not made twice by a form that was open meanwhile.
        assert!(before.clone().submit(&seen).await.unwrap().is_err());
        assert_eq!(world.count("select count(*) as n from orders").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_large_carts_that_join_nothing_is_lost() {
    in_world(async |world| {
        let mut home = world.browser();
        world.enter(&mut home, PHONE).await;
        home.post("/api/cart/add", &[("variant_id", "mug"), ("quantity", "1")]).await.unwrap();
        let mut guest = world.browser();
        guest.post("/api/cart/add", &[("variant_id", "cup"), ("quantity", "1")]).await.unwrap();
        // The guest has a hundred lines then; the account has one other.
        for sql in [
            "insert into variant (id, product_id, position, sku, barcode, choices, price, compare_at, grams, image_position,
                backorder, active, version)
             with recursive n (i) as (select 1 union all select i + 1 from n where i < 99)
             select 'n' || i, v.product_id, 1000 + i, '', '', v.choices, v.price, null, v.grams, null, true, true, 1
             from n, variant v where v.id = 'cup'",
            "insert into cart_line (customer_id, variant_id, quantity, price_seen, saved, added_at)
             select l.customer_id, v.id, 1, v.price, false, 1
             from variant v, cart_line l where v.id like 'n%' and l.variant_id = 'cup'",
        ] {
            member::exec(&world.app, sql).await;
        }
        world.enter(&mut guest, PHONE).await;
        let cart = home.get("/api/cart/get").await.unwrap();
        let lines = |list: &str| cart[list].as_array().unwrap().len();
        assert_eq!((lines("lines"), lines("saved")), (100, 1), "what cannot be ordered with the rest is put aside");

        // What was put aside waits until there is room, and takes none from what is added and put back.
        let aside = cart["saved"][0]["variant_id"].as_str().unwrap().to_owned();
        let back = [("variant_id", &*aside), ("saved", "false")];
        let (status, answer) = home.post("/api/cart/save_for_later", &back).await.unwrap();
        assert_eq!((status, &answer["Invalid"]["quantity"]["Full"]), (422, &Value::from(100)));
        assert_eq!(home.post("/api/cart/set_quantity", &[("variant_id", "mug"), ("quantity", "0")]).await.unwrap().0, 200);
        let undo = [("variant_id", "mug"), ("quantity", "1"), ("price_seen", "5000"), ("saved", "false"), ("added_at", "1")];
        assert_eq!(home.post("/api/cart/restore", &undo).await.unwrap().0, 200);
        assert_eq!(home.post("/api/cart/set_quantity", &[("variant_id", "mug"), ("quantity", "0")]).await.unwrap().0, 200);
        assert_eq!(home.post("/api/cart/save_for_later", &back).await.unwrap().0, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_personal_is_in_clear_and_strangers_read_no_codes() {
    in_world(async |world| {
        let mut owner = world.browser();
        world.enter(&mut owner, PHONE).await;
        world.enter(&mut world.browser(), EMAIL).await;
        let profile = [("name", "李雷雷"), ("login", "lilei")];
        assert_eq!(owner.post("/api/account/set_profile", &profile).await.unwrap().0, 200);
        let mut dump = String::new();
        for sql in [
            "select customer_id || coalesce(password_hash, '') || coalesce(login, '') as t from account",
            "select customer_id || kind || target_hash as t from account_target",
            "select id || token_hash || device as t from session",
            "select id || target_hash || code_hash || asker_hash as t from one_time_code",
            "select key_hash as t from attempt",
            "select payload as t from outbox",
        ] {
            for row in world.app.db.all(sql, args![]).await.unwrap() {
                dump.push_str(&row.get::<String>("t").unwrap());
            }
        }
        for secret in
            [PHONE, EMAIL, "李雷雷", "127.0.0.1", owner.cookie("xiadan_session").unwrap(), &world.newest().await]
        {
            assert!(!dump.contains(secret), "{secret}");
        }
    })
    .await;
    // Outside development the outbox is nobody's, and no database is asked.
    let shop = Shop::open(false).await;
    let setup = Setup { program: PROGRAM, data: shop.folder.path(), site: PathBuf::from("none"), ports: free_ports() };
    let client = client();
    let server = Server::start(&setup, &client).await;
    assert_eq!(client.get(format!("{}/api/account/outbox", server.url)).send().await.unwrap().status(), 404);
}
