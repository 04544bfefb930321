//! New terms and a new privacy notice: who is asked, when, and that nobody is held up by the question.

use crate::{
    account::{World, in_world},
    client::Buyer,
    member::exec,
    passkey::{LI, register, sign_in as by_passkey, signed_in},
};
use reqwest::header;
use serde_json::Value;

const PASSWORD: &str = "correct horse";
/// What was agreed to until now was another version.
const NEW_TERMS: &str = "update consent set version = 'old' where purpose = 'terms'";

async fn by_password(browser: &mut Buyer, to: &str) -> Value {
    let form = [("name", LI), ("password", PASSWORD), ("to", to)];
    let (status, answer) = browser.post("/api/account/sign_in", &form).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn agreed(browser: &Buyer) -> Value {
    browser.get("/api/privacy/agreed").await.unwrap()
}

/// Where a page is, and where it leads instead.
async fn open(world: &World, browser: &Buyer, path: &str, headers: &[(&str, &str)]) -> (u16, Option<String>) {
    let cookie = format!("xiadan_session={}", browser.cookie("xiadan_session").unwrap_or_default());
    let request = world.client.get(format!("{}{path}", world.url)).header(header::COOKIE, cookie);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let answer = request.header(header::ACCEPT, "text/html").send().await.unwrap();
    let place = answer.headers().get(header::LOCATION).map(|place| place.to_str().unwrap().to_owned());
    (answer.status().as_u16(), place)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_by_password_or_passkey_is_asked_about_new_terms_until_they_agree() {
    in_world(async |world| {
        let mut li = signed_in(&world, LI).await;
        let mut device = register(&world, &mut li).await;
        let set = [("old", ""), ("new", PASSWORD)];
        assert_eq!(li.post("/api/account/set_password", &set).await.unwrap().0, 200);
        let mut browser = world.browser();
        assert_eq!(agreed(&browser).await, Value::Null, "a guest is asked nothing");
        assert_eq!(by_password(&mut browser, "/cart").await, "/cart");
        assert_eq!(agreed(&browser).await, Value::Bool(true));

        exec(&world.app, NEW_TERMS).await;
        assert_eq!(agreed(&browser).await, Value::Bool(false));
        assert_eq!(by_password(&mut browser, "/cart").await, "/me/consent?to=%2Fcart");
        // Without an answer everything goes on, and the next sign-in asks again.
        assert_eq!(open(&world, &browser, "/cart", &[]).await, (200, None));
        let mut other = world.browser();
        assert_eq!(by_passkey(&mut other, &mut device).await, (200, "/me/consent?to=%2Fme".into()));
        let asked = "select count(*) as n from consent where not granted";
        assert_eq!(world.count(asked).await, 1, "that it was asked is on record, once");

        let answer = other.post("/api/privacy/agree", &[("to", "/cart")]).await.unwrap();
        assert_eq!(answer, (200, Value::from("/cart")));
        assert_eq!(agreed(&browser).await, Value::Bool(true), "for the account, wherever it is open");
        let again = other.post("/api/privacy/agree", &[("to", "//evil.example")]).await.unwrap();
        assert_eq!(again, (200, Value::from("/me")), "no page of another shop");
        assert_eq!(world.count("select count(*) as n from consent where purpose = 'terms' and granted").await, 2);
        assert_eq!(by_password(&mut browser, "/cart").await, "/cart");
        assert_eq!(world.browser().post("/api/privacy/agree", &[]).await.unwrap().0, 401);

        // A code is asked for with the question.
        exec(&world.app, NEW_TERMS).await;
        exec(&world.app, "update consent set version = 'older' where purpose = 'privacy'").await;
        signed_in(&world, LI).await;
        assert_eq!(agreed(&browser).await, Value::Bool(true));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_session_is_asked_once_before_a_page_and_never_where_it_would_be_in_the_way() {
    in_world(async |world| {
        let li = signed_in(&world, LI).await;
        assert_eq!(open(&world, &li, "/cart?x=1", &[]).await, (200, None));
        exec(&world.app, NEW_TERMS).await;
        // Not in the middle of something, nor on the way to the answer, nor what a script fetches for later.
        for path in ["/checkout", "/terms", "/privacy", "/sign-in", "/me/consent?to=%2Fcart"] {
            assert_eq!(open(&world, &li, path, &[]).await.1.filter(|place| place.contains("consent")), None, "{path}");
        }
        let fetched = [("sec-fetch-mode", "cors")];
        assert_eq!(open(&world, &li, "/cart?x=1", &fetched).await, (200, None));
        assert_eq!(world.count("select count(*) as n from consent where not granted").await, 0);

        let opened = [("sec-fetch-mode", "navigate")];
        let question = Some("/me/consent?to=%2Fcart%3Fx%3D1".to_owned());
        assert_eq!(open(&world, &li, "/cart?x=1", &opened).await, (303, question));
        assert_eq!(open(&world, &li, "/cart?x=1", &opened).await, (200, None), "once");
        assert_eq!(open(&world, &li, "/me", &[]).await, (200, None));
        assert_eq!(agreed(&li).await, Value::Bool(false));
    })
    .await;
}
