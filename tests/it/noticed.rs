//! What is noticed of sign-ins: much guessing, which holds up one network and no other, and a device that is new.

use crate::{
    account::{EMAIL, PHONE, PROGRAM, in_world, sign_in},
    client::{Server, Setup, client, free_ports},
    shop::Shop,
};
use serde_json::Value;
use std::path::PathBuf;
use xiadan::args;

#[tokio::test(flavor = "multi_thread")]
async fn one_network_is_held_up_and_no_other() {
    for postgres in [false, true] {
        let shop = Shop::open(postgres).await;
        eprintln!("on {}", shop.app.db.kind().as_str());
        hold_up(&shop).await;
    }
}

/// Asks for codes and guesses passwords from one network after the other.
async fn hold_up(shop: &Shop) {
    let client = client();
    let setup = Setup { program: PROGRAM, data: shop.folder.path(), site: PathBuf::from("none"), ports: free_ports() };
    let contact = "mailto:security@shop.example";
    let database = ["--database-url", &shop.app.config.database_url];
    let others = ["--trusted-proxy", "127.0.0.1", "--development", "--security-contact", contact];
    let options = [&database[..], &others].concat();
    let server = Server::start_with(&setup, &options, &client).await;
    let text =
        client.get(format!("{}/.well-known/security.txt", server.url)).send().await.unwrap().text().await.unwrap();
    assert!(text.starts_with(&format!("Contact: {contact}\nExpires: 20")), "{text}");
    let post = async |path: &str, form: String, from: &str| {
        let request = client.post(format!("{}/api/{path}", server.url)).header("x-forwarded-for", from);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let answer = request.send().await.unwrap();
        let wait = answer.headers().get("retry-after").map(|wait| wait.to_str().unwrap().parse::<u64>().unwrap());
        (answer.status().as_u16(), wait)
    };
    // Codes for ever other people: fifty a day, whatever the pace.
    let mut sent = 0;
    for i in 0..55 {
        let (status, wait) = post("account/send_code", format!("target=a{i}%40example.com"), "198.51.100.7").await;
        match status {
            200 => sent += 1,
            status => assert!(status == 429 && wait.is_some(), "{status} {wait:?}"),
        }
    }
    assert_eq!(sent, 50);
    assert_eq!(post("account/send_code", "target=b%40example.com".into(), "198.51.100.8").await.0, 200);

    // Passwords of ever other names. Many at once, as they come.
    let from = "203.0.113.5, 198.51.100.9";
    let tries = (0..90).map(|i| post("account/sign_in", format!("name=nobody{i}&password=x"), from));
    let answers = futures::future::join_all(tries).await;
    let held_up = answers.iter().filter(|(status, wait)| *status == 429 && wait.is_some_and(|wait| wait > 0)).count();
    assert!(held_up >= 20, "{held_up}");
    // Pages are still shown to them, and sign-ins of others go on.
    let page = client.get(format!("{}/healthz", server.url)).header("x-forwarded-for", from).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert_eq!(post("account/sign_in", "name=nobody&password=x".into(), "198.51.100.10").await.0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_device_and_much_guessing_are_noticed() {
    in_world(async |world| {
        let events = async |kind: &'static str| {
            let sql = "select count(*) as n from risk_event where kind = $1";
            world.app.db.one(sql, args![kind]).await.unwrap().get::<i64>("n").unwrap()
        };
        let told = async || {
            let posted = world.browser().get("/api/account/outbox").await.unwrap();
            let news = |message: &&Value| message["text"].as_str().unwrap().contains("/me/security");
            posted.as_array().unwrap().iter().filter(news).count()
        };
        let mut first = world.browser();
        world.enter(&mut first, EMAIL).await;
        assert_eq!((events("new_device").await, told().await), (0, 0), "an account is made somewhere");

        let mut second = world.browser();
        world.enter(&mut second, EMAIL).await;
        assert_eq!((events("new_device").await, told().await), (1, 1));
        second.post("/api/account/sign_out", &[]).await.unwrap();
        world.enter(&mut second, EMAIL).await;
        assert_eq!((events("new_device").await, told().await), (1, 1), "it is known by now");

        // Who has no mail address is not told, and it is noticed all the same.
        world.enter(&mut world.browser(), PHONE).await;
        world.enter(&mut world.browser(), PHONE).await;
        assert_eq!((events("new_device").await, told().await), (2, 1));

        for turn in 1..=7 {
            let (status, _) = sign_in(&mut world.browser(), "nobody", "wrong horse").await;
            assert_eq!(status, if turn <= 5 { 422 } else { 429 });
        }
        assert_eq!(events("many_failures").await, 1);

        for _ in 0..9 {
            world.ask(&mut world.browser(), "han@example.com").await;
            world.later(61_000).await;
            assert_eq!(events("many_codes").await, 0);
        }
        world.ask(&mut world.browser(), "han@example.com").await;
        assert_eq!(events("many_codes").await, 1);

        // A first password is told, and another one.
        for (password, mails) in [("correct horse", 2), ("another horse", 3)] {
            let set = [("old", ""), ("new", password)];
            assert_eq!(second.post("/api/account/set_password", &set).await.unwrap().0, 200);
            assert_eq!(told().await, mails);
        }
    })
    .await;
}
