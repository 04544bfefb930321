//! Guessing, and what was stolen: codes asked for from everywhere, sessions that somebody brings along, copies of cookies,
//! and a flood of tries from thousands of networks.

use crate::{
    account::{PHONE, in_world, other},
    client::{Buyer, Server, Setup, client, free_ports, memory_kib},
    http::staff_cookie,
    shop::{Piece, Shop},
};
use futures::{StreamExt, stream};
use reqwest::{Client, Response, header};
use serde_json::Value;
use std::{collections::BTreeMap, net::IpAddr, path::PathBuf, time::Instant};
use xiadan::{
    args,
    domain::permission::Role,
    server::{
        account::attempt::{self, Guarded},
        context::{self, Asker},
    },
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");
const FORM: &str = "application/x-www-form-urlencoded";

/// Posts a form through a proxy that says who asks.
async fn post(client: &Client, url: &str, from: &str, cookie: &str, form: String) -> Response {
    let request = client.post(url).header("x-forwarded-for", from).header(header::COOKIE, cookie);
    request.header(header::CONTENT_TYPE, FORM).body(form).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_the_codes_of_a_day_leave_few_guesses_wherever_they_are_asked_for() {
    in_world(async |world| {
        let api = format!("{}/api/account", world.url);
        let (mut sent, mut guesses, mut last) = (0, 0, String::new());
        for network in 1..=36 {
            world.later(61_000).await;
            let from = format!("198.51.100.{network}");
            let asked = post(&world.client, &format!("{api}/send_code"), &from, "", format!("target={PHONE}")).await;
            if asked.status() == 429 {
                assert!(asked.headers().contains_key("retry-after"));
                continue;
            }
            assert_eq!(asked.status(), 200);
            sent += 1;
            let id = asked.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned();
            let code = world.newest().await;
            // Each try from yet another network: they count together.
            for try_ in 0..8 {
                let form = format!("id={id}&code={}&agreed=1", other(&code));
                let from = format!("203.0.113.{}", network * 6 % 200 + try_);
                let answer = post(&world.client, &format!("{api}/enter"), &from, "", form).await;
                assert_eq!(answer.status(), 422);
                let problem = answer.json::<Value>().await.unwrap()["Invalid"]["code"].clone();
                // A new code is no new beginning.
                let expected = match (try_ < 5, guesses < 100) {
                    (true, true) => "Code",
                    (true, false) => "CodeClosed",
                    (false, _) => "CodeOver",
                };
                assert_eq!(problem, expected, "try {try_}");
                guesses += i32::from(problem == "Code");
            }
            let form = format!("id={id}&code={code}&agreed=1");
            let answer = post(&world.client, &format!("{api}/enter"), &from, "", form).await;
            assert_eq!(answer.status(), 422, "the right one comes too late");
            last = id;
        }
        assert_eq!((sent, guesses), (30, 100), "of a million");
        // Nor does sending it again count otherwise.
        world.later(61_000).await;
        let again = post(&world.client, &format!("{api}/resend_code"), "192.0.2.1", "", format!("id={last}")).await;
        assert_eq!(again.status(), 429);
        assert_eq!(world.count("select count(*) as n from account").await, 0);
    })
    .await;
}

/// The cookie that an answer sets.
fn set_cookie(answer: &Response, name: &str) -> Option<String> {
    let set = answer.headers().get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut values = set.filter_map(|set| set.split(';').next()?.strip_prefix(name)?.strip_prefix('='));
    values.find(|value| !value.is_empty()).map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_a_browser_brings_along_is_nobodys_before_and_after_signing_in() {
    in_world(async |world| {
        let made_up = "A".repeat(43);
        let cookie = format!("xiadan_session={made_up}; xiadan_staff={made_up}; xiadan_guest={made_up}");
        let me = async |cookie: &str| {
            let request = world.client.get(format!("{}/api/account/me", world.url)).header(header::COOKIE, cookie);
            request.send().await.unwrap().json::<Value>().await.unwrap()
        };
        let mut tokens = vec![made_up.clone()];
        for _ in 0..2 {
            world.later(61_000).await;
            let id = world.ask(&mut world.browser(), PHONE).await;
            let form = format!("id={id}&code={}&agreed=1", world.newest().await);
            let url = format!("{}/api/account/enter", world.url);
            let answer = post(&world.client, &url, "127.0.0.1", &cookie, form.clone()).await;
            assert_eq!(answer.status(), 200);
            let token = set_cookie(&answer, "xiadan_session").unwrap();
            assert!(!tokens.contains(&token) && token.len() >= 43, "{token}");
            assert_ne!(me(&format!("xiadan_session={token}")).await, Value::Null);
            tokens.push(token);
            // What was used opens nothing a second time, on this browser either.
            let again = post(&world.client, &url, "127.0.0.1", &cookie, form).await;
            assert_eq!((again.status().as_u16(), set_cookie(&again, "xiadan_session")), (422, None));
        }
        assert_eq!(me(&cookie).await, Value::Null, "the one that was brought along");
        // Nor is it taken from anywhere but its cookie.
        let request = world.client.get(format!("{}/api/account/me?xiadan_session={}", world.url, tokens[1]));
        let request = request.header("x-session", &tokens[1]).bearer_auth(&tokens[1]);
        assert_eq!(request.send().await.unwrap().json::<Value>().await.unwrap(), Value::Null);
        let staff = world.client.get(format!("{}/api/office/me", world.url)).header(header::COOKIE, &cookie);
        assert_eq!(staff.send().await.unwrap().status(), 401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_cookie_opens_nothing_once_its_owner_has_signed_out() {
    in_world(async |world| {
        let opened = async |browser: &Buyer, order: &str| {
            let me = browser.get("/api/account/me").await.unwrap() != Value::Null;
            let order = browser.get(&format!("/api/order/get?number={order}")).await.is_ok();
            let devices = browser.get("/api/account/devices").await.is_ok();
            let cart = browser.get("/api/cart/get").await.unwrap()["lines"] != Value::Array(Vec::new());
            assert!([order, devices, cart].iter().all(|open| *open == me), "{me} {order} {devices} {cart}");
            me
        };
        let mut home = world.browser();
        world.enter(&mut home, PHONE).await;
        let seen = home.prepare("mug", 1).await.unwrap();
        let number = home.submit(&seen).await.unwrap().unwrap();
        home.post("/api/cart/add", &[("variant_id", "cup"), ("quantity", "1")]).await.unwrap();
        let (mut phone, mut tablet) = (world.browser(), world.browser());
        world.enter(&mut phone, PHONE).await;
        world.enter(&mut tablet, PHONE).await;
        let copies: Vec<_> = [&home, &phone, &tablet].map(|browser| world.browser().with_cookies_of(browser)).into();
        for copy in &copies {
            assert!(opened(copy, &number).await);
        }
        // On one device, on all others, and with the account.
        assert_eq!(tablet.post("/api/account/sign_out", &[]).await.unwrap().0, 200);
        assert!(!opened(&copies[2], &number).await);
        assert_eq!(home.post("/api/account/end_other_devices", &[]).await.unwrap().0, 200);
        assert!(!opened(&copies[1], &number).await && !opened(&phone, &number).await);
        assert!(opened(&home, &number).await && opened(&copies[0], &number).await);
        // Who has the copy cannot get it back, and does not sign the owner out by trying.
        let mut thief = copies[1].clone();
        assert_eq!(thief.post("/api/account/end_other_devices", &[]).await.unwrap().0, 401);
        assert_eq!(thief.post("/api/account/set_password", &[("new", "correct horse")]).await.unwrap().0, 401);
        assert!(opened(&home, &number).await);
        assert_eq!(home.post("/api/privacy/delete_account", &[]).await.unwrap().0, 200);
        assert!(!opened(&copies[0], &number).await);

        let staff = staff_cookie(&world.app, "lin", Some(Role::Owner), context::now()).await;
        let office = async || {
            let request = world.client.get(format!("{}/api/office/me", world.url)).header(header::COOKIE, &staff);
            request.send().await.unwrap().status().as_u16()
        };
        assert_eq!(office().await, 200);
        let out = format!("{}/api/office/sign_out", world.url);
        assert_eq!(post(&world.client, &out, "127.0.0.1", &staff, String::new()).await.status(), 200);
        assert_eq!(office().await, 401);
    })
    .await;
}

/// A network of its own for each number, every other one of IPv6.
fn network(n: u32) -> String {
    let [_, a, b, c] = n.to_be_bytes();
    if n.is_multiple_of(2) { format!("10.{a}.{b}.{c}") } else { format!("2001:db8:{a:x}:{b:x}{c:02x}::{c:x}") }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_networks_together_guess_no_more_than_a_few_times() {
    // Fewer on PostgreSQL, so that it takes no longer than it must: what is refused there is refused by the same count.
    for (postgres, tries) in [(false, 3_000), (true, 1_000)] {
        flood(postgres, tries).await;
    }
}

/// Guesses one password from as many networks as there are tries, then one order from one household.
async fn flood(postgres: bool, tries: u32) {
    let shop = Shop::open(postgres).await;
    eprintln!("on {}", shop.app.db.kind().as_str());
    shop.sell(&[Piece("mug", 5_000, 10)]).await;
    let app = &shop.app;
    // As many failures as are free for all networks together, less one.
    for n in 0..49 {
        let address: IpAddr = network(1_000_000 + n).parse().unwrap();
        let asker = Asker { address: Some(address), ..Asker::default() };
        let guarded = Guarded::new(&app.keys, &asker, "password:lilei");
        attempt::begin(app, &guarded, context::now()).await.unwrap();
    }
    let client = client();
    let setup = Setup { program: PROGRAM, data: shop.folder.path(), site: PathBuf::from("none"), ports: free_ports() };
    let options = ["--database-url", &app.config.database_url, "--trusted-proxy", "127.0.0.1"];
    let server = Server::start_with(&setup, &options, &client).await;
    let page = async || {
        let request = client.get(format!("{}/p/mug", server.url)).header("x-forwarded-for", "192.0.2.9");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "others are served");
        answer.bytes().await.unwrap();
    };
    page().await;
    let before = memory_kib(server.child.id(), "VmRSS");
    let (url, find) = (format!("{}/api/account/sign_in", server.url), format!("{}/api/order/find", server.url));
    let guesses = stream::iter(0..tries).map(|n| {
        let (client, url, page) = (&client, &url, &page);
        async move {
            if n.is_multiple_of(100) {
                page().await;
            }
            let answer = post(client, url, &network(n), "", "name=lilei&password=wrong+horse".into()).await;
            let told_when = answer.headers().contains_key("retry-after");
            (answer.status().as_u16(), told_when)
        }
    });
    let answers: Vec<_> = guesses.buffer_unordered(32).collect().await;
    let mut counts = BTreeMap::new();
    for (status, told_when) in answers {
        assert_eq!(told_when, status == 429, "{status}");
        *counts.entry(status).or_insert(0) += 1;
    }
    // One more was free; after the pause there may be one or two.
    let tried = counts.remove(&422).unwrap_or(0);
    let refused = counts.remove(&429).unwrap_or(0);
    assert!((1..=4).contains(&tried) && tried + refused == tries, "{tried} {refused}");
    assert!(counts.is_empty(), "{counts:?}");
    let rows = app.db.one("select count(*) as n from attempt", args![]).await.unwrap().get::<i64>("n").unwrap();
    assert!(rows <= 2 * 50 + 10, "who is refused leaves no row: {rows}");

    // The addresses of one household of IPv6 are one network, however many it has.
    let begin = Instant::now();
    let guesses = stream::iter(0..400).map(|n| {
        let (client, find) = (&client, &find);
        async move {
            let from = format!("2001:db8:ffff:1::{n:x}");
            post(client, find, &from, "", "number=x&contact=x".into()).await.status().as_u16()
        }
    });
    let answers: Vec<_> = guesses.buffer_unordered(32).collect().await;
    let free = 60 + begin.elapsed().as_secs() / 2 + 1;
    let (tried, refused): (Vec<u16>, _) = answers.iter().partition(|status| **status != 429);
    assert!(tried.len() >= 60 && tried.len() as u64 <= free, "{} of {free}", tried.len());
    assert!(tried.iter().all(|status| *status == 422) && refused.len() == 400 - tried.len());
    page().await;
    let grown = memory_kib(server.child.id(), "VmRSS").saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} KiB");
    app.db.close().await;
}
