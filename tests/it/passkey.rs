//! Passkeys, from outside: a device of the test makes them and signs with them, for people and for those who would like to
//! be them.

use crate::{
    account::{PHONE, World, in_world},
    authenticator::Authenticator,
    client::Buyer,
};
use serde_json::Value;
use xiadan::{
    args,
    domain::passkey::{CEREMONY_MS, MAX_PASSKEYS},
    server::{
        audit::{self, Finding},
        db::DbError,
    },
};

pub const LI: &str = "li@example.com";
const HAN: &str = "han@example.com";

/// Where the shop of a test has its passkeys: browsers allow none under its IP address.
pub fn origin(world: &World) -> String {
    world.url.replace("127.0.0.1", "localhost")
}

pub async fn begin(browser: &mut Buyer, what: &str, form: &[(&str, &str)]) -> (String, String) {
    let (status, ceremony) = browser.post(&format!("/api/passkey/begin_{what}"), form).await.unwrap();
    assert_eq!(status, 200, "{ceremony}");
    (ceremony["id"].as_str().unwrap().to_owned(), ceremony["options"].as_str().unwrap().to_owned())
}

pub async fn finish(browser: &mut Buyer, what: &str, id: &str, credential: &str) -> (u16, Value) {
    let form = [("id", id), ("credential", credential)];
    browser.post(&format!("/api/passkey/finish_{what}"), &form).await.unwrap()
}

/// Adds a passkey that a new device makes.
pub async fn register(world: &World, browser: &mut Buyer) -> Authenticator {
    let mut device = Authenticator::new(&origin(world));
    let (id, options) = begin(browser, "registration", &[]).await;
    let (status, answer) = finish(browser, "registration", &id, &device.create(&options)).await;
    assert_eq!(status, 200, "{answer}");
    device
}

pub async fn sign_in(browser: &mut Buyer, device: &mut Authenticator) -> (u16, Value) {
    let (id, options) = begin(browser, "sign_in", &[]).await;
    finish(browser, "sign_in", &id, &device.get(&options)).await
}

async fn keys(browser: &Buyer) -> Vec<Value> {
    browser.get("/api/passkey/list").await.unwrap()["keys"].as_array().unwrap().clone()
}

/// What is wrong with the passkey, or with the password before it.
pub fn wrong(answer: &(u16, Value), field: &str) -> String {
    assert_eq!(answer.0, 422, "{answer:?}");
    answer.1["Invalid"][field].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

pub async fn signed_in(world: &World, target: &str) -> Buyer {
    let mut browser = world.browser();
    world.enter(&mut browser, target).await;
    browser
}

async fn exec(world: &World, sql: &'static str, ms: i64) {
    world.app.db.write::<_, DbError>(move |tx| Box::pin(async move { tx.exec(sql, args![ms]).await })).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_added_and_opens_the_account_on_another_device() {
    in_world(async |world| {
        let mut li = signed_in(&world, LI).await;
        assert_eq!(keys(&li).await, Vec::<Value>::new());
        let mut device = register(&world, &mut li).await;
        let added = keys(&li).await;
        assert_eq!((added.len(), &added[0]["last_used_at"]), (1, &Value::Null));
        assert!(!added[0]["name"].as_str().unwrap().is_empty(), "it is called something");
        let list = li.get("/api/passkey/list").await.unwrap();
        assert_eq!(list["origin"], origin(&world), "the page says where it works");

        let mut other = world.browser();
        other.post("/api/cart/add", &[("variant_id", "mug"), ("quantity", "2")]).await.unwrap();
        assert_eq!(sign_in(&mut other, &mut device).await, (200, Value::from("/me")));
        assert_eq!(other.get("/api/account/me").await.unwrap()["email"], "l***@example.com");
        assert_eq!(other.cookie("xiadan_guest"), None, "the guest is gone");
        let cart = other.get("/api/cart/get").await.unwrap();
        assert_eq!(cart["lines"][0]["quantity"], 2, "and its cart came along");
        assert_ne!(keys(&other).await[0]["last_used_at"], Value::Null);

        // Signing in again rotates the session: the one before is no more.
        let before = other.clone();
        assert_eq!(sign_in(&mut other, &mut device).await.0, 200);
        assert_eq!(before.get("/api/account/me").await.unwrap(), Value::Null);
        assert_eq!(world.count("select count(*) as n from session").await, 2);
        // Another browser than the one before was new to the account.
        assert_eq!(world.count("select count(*) as n from risk_event where kind = 'new_device'").await, 1);
        let sign_ins = "select count(*) as n from audit where action = 'signed_in'";
        assert_eq!(world.count(sign_ins).await, 3);
        assert_eq!(world.count("select count(*) as n from audit where action = 'passkey_added'").await, 1);
        assert!(matches!(audit::verify(&world.app).await, Ok(Finding::Whole(_))));

        let posted = li.get("/api/account/outbox").await.unwrap();
        let told = |word: &str| {
            let posted = posted.as_array().unwrap();
            posted.iter().filter(|message| message["subject"].as_str().unwrap().contains(word)).count()
        };
        assert_eq!(told("添加了通行密钥"), 1, "{posted}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_once_soon_and_for_its_own_question_alone() {
    in_world(async |world| {
        let mut li = signed_in(&world, LI).await;
        let mut device = register(&world, &mut li).await;
        let mut browser = world.browser();

        let (id, options) = begin(&mut browser, "sign_in", &[]).await;
        let answer = device.get(&options);
        assert_eq!(finish(&mut browser, "sign_in", &id, &answer).await.0, 200);
        let again = finish(&mut world.browser(), "sign_in", &id, &answer).await;
        assert_eq!(wrong(&again, "passkey"), "PasskeyOver", "what was answered is answered");
        let (other, _) = begin(&mut browser, "sign_in", &[]).await;
        let replayed = finish(&mut world.browser(), "sign_in", &other, &answer).await;
        assert_eq!(wrong(&replayed, "passkey"), "Passkey", "the answer to another question");

        let (id, options) = begin(&mut browser, "sign_in", &[]).await;
        exec(&world, "update passkey_ceremony set expires_at = expires_at - $1", CEREMONY_MS).await;
        let late = finish(&mut browser, "sign_in", &id, &device.get(&options)).await;
        assert_eq!(wrong(&late, "passkey"), "PasskeyOver", "five minutes are over");
        let unknown = finish(&mut browser, "sign_in", "no such id", &device.get(&options)).await;
        assert_eq!(wrong(&unknown, "passkey"), "PasskeyOver");

        // A registration is no sign-in, and is the account's that began it.
        let (id, _) = begin(&mut li, "registration", &[]).await;
        let mixed = finish(&mut world.browser(), "sign_in", &id, &device.get(&options)).await;
        assert_eq!(wrong(&mixed, "passkey"), "PasskeyOver");
        let mut han = signed_in(&world, HAN).await;
        let (id, options) = begin(&mut li, "registration", &[]).await;
        let taken = finish(&mut han, "registration", &id, &Authenticator::new(&origin(&world)).create(&options)).await;
        assert_eq!(wrong(&taken, "passkey"), "PasskeyOver");
        assert_eq!(keys(&han).await.len(), 0);

        // What has no form at all does no harm.
        for nonsense in ["", "{}", "[1]", "\"x\""] {
            let (id, _) = begin(&mut browser, "sign_in", &[]).await;
            let refused = finish(&mut browser, "sign_in", &id, nonsense).await;
            assert_eq!(wrong(&refused, "passkey"), "Passkey", "{nonsense:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_page_another_person_and_a_copied_device_do_not_get_in() {
    in_world(async |world| {
        let mut li = signed_in(&world, LI).await;
        let mut device = register(&world, &mut li).await;
        // Far from home: a page that only looks like the shop, or the shop's address by number.
        for origin in ["https://evil.example", &*world.url, "http://localhost:1"] {
            let mut lured = device.clone();
            lured.origin = origin.to_owned();
            let refused = sign_in(&mut world.browser(), &mut lured).await;
            assert_eq!(wrong(&refused, "passkey"), "Passkey", "{origin}");
            let (id, options) = begin(&mut li, "registration", &[]).await;
            let made = Authenticator::new(origin).create(&options);
            let refused = finish(&mut li, "registration", &id, &made).await;
            assert_eq!(wrong(&refused, "passkey"), "Passkey", "{origin}");
        }
        // Nobody looked at who holds the device: that would be one factor.
        let mut found = device.clone();
        found.looks = false;
        assert_eq!(wrong(&sign_in(&mut world.browser(), &mut found).await, "passkey"), "Passkey");
        // A passkey of nobody here.
        let mut strange = device_of_nobody(&world, &mut li).await;
        assert_eq!(wrong(&sign_in(&mut world.browser(), &mut strange).await, "passkey"), "Passkey");
        assert_eq!(keys(&li).await.len(), 1);

        // A copy of the device comes behind it in counting.
        let mut copy = device.clone();
        assert_eq!(sign_in(&mut world.browser(), &mut device).await.0, 200);
        assert_eq!(sign_in(&mut world.browser(), &mut device).await.0, 200);
        assert_eq!(wrong(&sign_in(&mut world.browser(), &mut copy).await, "passkey"), "Passkey");
    })
    .await;
}

/// A device whose key was made for an account and never came to the shop.
async fn device_of_nobody(world: &World, li: &mut Buyer) -> Authenticator {
    let mut device = Authenticator::new(&origin(world));
    let (_, options) = begin(li, "registration", &[]).await;
    device.create(&options);
    device
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_owner_names_and_removes_a_passkey_and_then_it_opens_nothing() {
    in_world(async |world| {
        let mut li = signed_in(&world, LI).await;
        let mut han = signed_in(&world, HAN).await;
        let mut device = register(&world, &mut li).await;
        let id = keys(&li).await[0]["id"].as_str().unwrap().to_owned();
        let rename = [("id", &*id), ("name", " 我的手机 ")];
        assert_eq!(han.post("/api/passkey/rename", &rename).await.unwrap().0, 404);
        assert_eq!(han.post("/api/passkey/remove", &[("id", &id)]).await.unwrap().0, 404);
        let (status, answer) = li.post("/api/passkey/rename", &[("id", &id), ("name", " ")]).await.unwrap();
        assert_eq!((status, &answer["Invalid"]["name"]), (422, &Value::from("Required")));
        // Sent twice it does no harm.
        for _ in 0..2 {
            assert_eq!(li.post("/api/passkey/rename", &rename).await.unwrap().0, 200);
        }
        assert_eq!(keys(&li).await[0]["name"], "我的手机");

        // Two that are removed are removed once, and the other one stays.
        let mut second = register(&world, &mut li).await;
        assert_eq!(sign_in(&mut world.browser(), &mut device).await.0, 200);
        assert_eq!(li.post("/api/passkey/remove", &[("id", &id)]).await.unwrap().0, 200);
        assert_eq!(li.post("/api/passkey/remove", &[("id", &id)]).await.unwrap().0, 404);
        assert_eq!(wrong(&sign_in(&mut world.browser(), &mut device).await, "passkey"), "Passkey");
        assert_eq!(sign_in(&mut world.browser(), &mut second).await.0, 200);
        assert_eq!(keys(&li).await.len(), 1);
        assert_eq!(world.count("select count(*) as n from audit where action = 'passkey_removed'").await, 1);
        let posted = li.get("/api/account/outbox").await.unwrap();
        assert!(posted.to_string().contains("移除了通行密钥"), "{posted}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_adds_a_passkey_shows_who_this_is() {
    in_world(async |world| {
        let mut li = signed_in(&world, PHONE).await;
        let mut device = register(&world, &mut li).await;
        const LONG_AGO: &str = "update session set opened_at = opened_at - $1";
        exec(&world, LONG_AGO, 16 * 60_000).await;
        let asked = li.post("/api/passkey/begin_registration", &[]).await.unwrap();
        assert_eq!(wrong(&asked, "password"), "Proof", "there is no password to show it by");

        // A passkey that was used just now shows it, as a code does.
        let mut other = world.browser();
        assert_eq!(sign_in(&mut other, &mut device).await.0, 200);
        let set = [("old", ""), ("new", "correct horse")];
        assert_eq!(other.post("/api/account/set_password", &set).await.unwrap().0, 200);
        exec(&world, LONG_AGO, 16 * 60_000).await;
        for (password, problem) in [("", "Required"), ("wrong", "Credentials")] {
            let asked = other.post("/api/passkey/begin_registration", &[("password", password)]).await.unwrap();
            assert_eq!(wrong(&asked, "password"), problem);
        }
        let (id, options) = begin(&mut other, "registration", &[("password", "correct horse")]).await;
        let made = Authenticator::new(&origin(&world)).create(&options);
        assert_eq!(finish(&mut other, "registration", &id, &made).await.0, 200);
        // The same key again is the same key. Browsers know by the list which they must not make another of; one that
        // does not is refused.
        let (id, options) = begin(&mut other, "registration", &[("password", "correct horse")]).await;
        let excluded: Value = serde_json::from_str(&options).unwrap();
        assert_eq!(excluded["excludeCredentials"].as_array().unwrap().len(), 2);
        let again = finish(&mut other, "registration", &id, &device.create(&options)).await;
        assert_eq!(wrong(&again, "passkey"), "Passkey");
        assert_eq!(keys(&other).await.len(), 2);

        // Nor does it become another person's.
        let mut han = signed_in(&world, HAN).await;
        let (id, options) = begin(&mut han, "registration", &[]).await;
        let again = finish(&mut han, "registration", &id, &device.clone().create(&options)).await;
        assert_eq!(wrong(&again, "passkey"), "Taken");
        assert_eq!(keys(&han).await.len(), 0);
        assert_eq!(sign_in(&mut world.browser(), &mut device).await.0, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_removes_a_passkey_shows_who_this_is() {
    in_world(async |world| {
        let mut li = signed_in(&world, LI).await;
        let mut device = register(&world, &mut li).await;
        let id = keys(&li).await[0]["id"].as_str().unwrap().to_owned();
        const LONG_AGO: &str = "update session set opened_at = opened_at - $1";
        exec(&world, LONG_AGO, 16 * 60_000).await;
        let remove = async |browser: &mut Buyer, password: &str| {
            browser.post("/api/passkey/remove", &[("id", &id), ("password", password)]).await.unwrap()
        };
        assert_eq!(wrong(&remove(&mut li, "").await, "password"), "Proof", "there is no password to show it by");
        let mut other = world.browser();
        assert_eq!(sign_in(&mut other, &mut device).await.0, 200);
        let set = [("old", ""), ("new", "correct horse")];
        assert_eq!(other.post("/api/account/set_password", &set).await.unwrap().0, 200);
        exec(&world, LONG_AGO, 16 * 60_000).await;
        for (password, problem) in [("", "Required"), ("wrong horse", "Credentials")] {
            assert_eq!(wrong(&remove(&mut other, password).await, "password"), problem);
        }
        assert_eq!(keys(&other).await.len(), 1);
        assert_eq!(world.count("select count(*) as n from audit where action = 'passkey_removed'").await, 0);
        // What is another's is nothing, whatever was shown.
        let mut han = signed_in(&world, HAN).await;
        assert_eq!(remove(&mut han, "correct horse").await.0, 404);
        assert_eq!(remove(&mut other, "correct horse").await.0, 200);
        assert_eq!(keys(&other).await.len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_so_many_passkeys_and_no_more() {
    in_world(async |world| {
        let mut li = signed_in(&world, LI).await;
        register(&world, &mut li).await;
        let begun = [begin(&mut li, "registration", &[]).await, begin(&mut li, "registration", &[]).await];
        for _ in 2..MAX_PASSKEYS {
            register(&world, &mut li).await;
        }
        // Both were begun when there was room, and there is room for one.
        let mut statuses = Vec::new();
        for (id, options) in begun {
            let made = Authenticator::new(&origin(&world)).create(&options);
            statuses.push(finish(&mut li, "registration", &id, &made).await.0);
        }
        assert_eq!(statuses, [200, 422]);
        let (status, answer) = li.post("/api/passkey/begin_registration", &[]).await.unwrap();
        assert_eq!((status, &answer["Invalid"]["passkey"]["Full"]), (422, &Value::from(MAX_PASSKEYS)));
        assert_eq!(keys(&li).await.len(), MAX_PASSKEYS as usize);
    })
    .await;
}
