//! Failing on purpose: it shuts nobody out, and too many failures in a row are the end of a password.

use crate::{
    account::{self, PHONE},
    client::Buyer,
    http,
    member::{exec, number},
    second::{Phone, with_own_password},
};
use serde_json::Value;
use xiadan::{
    domain::account::Target,
    server::{
        self, App,
        account::{
            attempt::{self, Guarded},
            code,
        },
        context::{Asker, now},
    },
};

const PASSWORD: &str = "correct horse";

/// So many failures in a row at what is guarded, each from a network of its own.
async fn fail(app: &App, what: &str, closes: bool, times: u32) {
    for n in 0..times {
        let address = format!("10.9.{}.{}", n / 250, n % 250).parse().unwrap();
        let guarded = Guarded::new(&app.keys, &Asker { address: Some(address), ..Asker::default() }, what);
        // Their patience has no end.
        exec(app, "update attempt set blocked_until = 0").await;
        let guarded = if closes { guarded.closing() } else { guarded };
        attempt::begin(app, &guarded, now()).await.unwrap();
    }
}

async fn sign_in(browser: &mut Buyer, password: &str) -> (u16, Value) {
    browser.post("/api/account/sign_in", &[("name", PHONE), ("password", password)]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_wrong_passwords_close_it_to_strangers_until_a_code_was_used() {
    account::in_world(async |world| {
        let mut home = world.browser();
        world.enter(&mut home, PHONE).await;
        assert_eq!(home.post("/api/account/set_password", &[("old", ""), ("new", PASSWORD)]).await.unwrap().0, 200);
        assert_eq!(home.post("/api/account/sign_out", &[]).await.unwrap().0, 200);
        let target = Target::read("+86", PHONE).unwrap();
        let what = format!("password:{}", code::hash_of(&world.app.keys, &target));
        fail(&world.app, &what, true, 60).await;
        let mut stranger = world.browser();
        assert_eq!(sign_in(&mut stranger, PASSWORD).await.0, 429, "strangers wait together");
        assert_eq!(sign_in(&mut home, PASSWORD).await.0, 200, "who is known does not");
        assert_eq!(sign_in(&mut stranger, PASSWORD).await.0, 429, "and lets in nobody else");

        fail(&world.app, &what, true, 40).await;
        let closed = |(status, answer): (u16, Value)| (status, answer["Invalid"]["password"].clone());
        assert_eq!(closed(sign_in(&mut stranger, PASSWORD).await), (422, "PasswordClosed".into()));
        exec(&world.app, "update attempt set changed_at = changed_at - 172800000").await;
        assert_eq!(closed(sign_in(&mut stranger, PASSWORD).await), (422, "PasswordClosed".into()), "no time opens it");
        assert_eq!(home.post("/api/account/sign_out", &[]).await.unwrap().0, 200);
        assert_eq!(sign_in(&mut home, PASSWORD).await.0, 200);
        assert_eq!(home.post("/api/account/sign_out", &[]).await.unwrap().0, 200);
        // Nor is a known browser without a count of its own.
        for _ in 0..5 {
            assert_eq!(closed(sign_in(&mut home, "wrong horse").await), (422, "Credentials".into()));
        }
        assert_eq!(sign_in(&mut home, PASSWORD).await.0, 429);

        world.enter(&mut world.browser(), PHONE).await;
        assert_eq!(sign_in(&mut stranger, PASSWORD).await.0, 200, "its owner has shown who this is");
        assert_eq!(number(&world.app, "select count(*) as n from risk_event where kind = 'many_failures'").await, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_get_in_where_they_were_before_whoever_guesses_elsewhere() {
    http::in_world(async |world| {
        let app = &world.app;
        server::account::create_staff(app, "lin", None, PASSWORD.into()).await.unwrap();
        with_own_password(app).await;
        let door = async |browser: &mut Buyer| {
            browser.post("/api/office/sign_in", &[("login", "lin"), ("password", PASSWORD)]).await.unwrap().0
        };
        let mut lin = Buyer::new(&world.client, &world.server.url);
        assert_eq!(door(&mut lin).await, 200);
        assert_eq!(lin.post("/api/office/second_begin", &[]).await.unwrap().0, 200);
        let state = lin.get("/api/office/second_factor").await.unwrap();
        let phone = Phone::told(state["second"]["setting_up"]["secret"].as_str().unwrap());
        assert_eq!(lin.post("/api/office/second_confirm", &[("code", &*phone.now())]).await.unwrap().0, 200);
        assert_eq!(lin.post("/api/office/sign_out", &[]).await.unwrap().0, 200);
        fail(app, "staff:lin", false, 120).await;
        let mut stranger = Buyer::new(&world.client, &world.server.url);
        assert_eq!(door(&mut stranger).await, 429);
        assert_eq!(door(&mut lin).await, 200);
        exec(app, "update second_factor set last_step = last_step - 5").await;
        assert_eq!(lin.post("/api/office/second_enter", &[("code", &*phone.now())]).await.unwrap().0, 200);
        assert_eq!(lin.get("/api/office/me").await.unwrap()["login"], "lin");
        // The operator can always let the person in elsewhere too.
        server::account::create_staff(app, "lin", None, PASSWORD.into()).await.unwrap();
        assert_eq!(door(&mut stranger).await, 200);
    })
    .await;
}
