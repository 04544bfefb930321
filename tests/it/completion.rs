//! A passkey as the second factor: it completes the sign-in that it was asked for, of its own account, once.

use crate::{
    account::{World, in_world},
    authenticator::Authenticator,
    client::Buyer,
    member::exec,
    passkey::{LI, begin, finish, origin, register, signed_in, wrong},
    second::Phone,
};
use serde_json::Value;

const HAN: &str = "han@example.com";
const PASSWORD: &str = "correct horse";

/// An account with a password, an app and a passkey, at the browser where it was made.
async fn with_all(world: &World, target: &str) -> (Buyer, Phone, Authenticator) {
    let mut browser = signed_in(world, target).await;
    let device = register(world, &mut browser).await;
    let phone = with_app(&mut browser).await;
    (browser, phone, device)
}

/// Sets a password and turns an app on.
async fn with_app(browser: &mut Buyer) -> Phone {
    let set = [("old", ""), ("new", PASSWORD)];
    assert_eq!(browser.post("/api/account/set_password", &set).await.unwrap().0, 200);
    assert_eq!(browser.post("/api/account/second_begin", &[]).await.unwrap().0, 200);
    let state = browser.get("/api/account/second_factor").await.unwrap();
    let phone = Phone::told(state["second"]["setting_up"]["secret"].as_str().unwrap());
    assert_eq!(browser.post("/api/account/second_confirm", &[("code", &phone.now())]).await.unwrap().0, 200);
    phone
}

/// A browser whose sign-in waits for the second factor.
async fn waiting(world: &World, target: &str) -> Buyer {
    let mut browser = world.browser();
    let form = [("name", target), ("password", PASSWORD)];
    let answer = browser.post("/api/account/sign_in", &form).await.unwrap();
    assert_eq!(answer, (200, Value::from("/sign-in/second")));
    browser
}

async fn completes(browser: &Buyer) -> Value {
    browser.get("/api/passkey/completes").await.unwrap()
}

async fn complete(browser: &mut Buyer, device: &mut Authenticator) -> (u16, Value) {
    let (id, options) = begin(browser, "second", &[]).await;
    finish(browser, "second", &id, &device.get(&options)).await
}

async fn begin_refused(browser: &mut Buyer) -> String {
    let answer = browser.post("/api/passkey/begin_second", &[]).await.unwrap();
    wrong(&answer, "passkey")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_completes_a_sign_in_that_waits() {
    in_world(async |world| {
        let (owner, _, mut device) = with_all(&world, LI).await;
        assert_eq!(completes(&owner).await, Value::Bool(false), "nothing waits there");
        let mut browser = waiting(&world, LI).await;
        browser.post("/api/cart/add", &[("variant_id", "mug"), ("quantity", "2")]).await.unwrap();
        assert_eq!(completes(&browser).await, Value::Bool(true));
        let (id, options) = begin(&mut browser, "second", &[]).await;
        let asked: Value = serde_json::from_str(&options).unwrap();
        assert_eq!(asked["allowCredentials"].as_array().unwrap().len(), 1, "{asked}");
        let stolen = browser.clone();
        let form = [("id", &*id), ("credential", &*device.get(&options)), ("to", "/cart")];
        let answer = browser.post("/api/passkey/finish_second", &form).await.unwrap();
        assert_eq!(answer, (200, Value::from("/cart")));
        assert_eq!((browser.cookie("xiadan_pending"), browser.cookie("xiadan_guest")), (None, None));
        let profile = browser.get("/api/account/me").await.unwrap();
        assert_eq!((&profile["email"], &profile["proved"]), (&"l***@example.com".into(), &true.into()));
        assert_eq!(
            browser.get("/api/cart/get").await.unwrap()["lines"][0]["quantity"],
            2,
            "what the guest had came along"
        );
        let keys = browser.get("/api/passkey/list").await.unwrap();
        assert_ne!(keys["keys"][0]["last_used_at"], Value::Null);

        // What is over is over.
        let mut again = world.browser().with_cookies_of(&stolen);
        assert_eq!(begin_refused(&mut again).await, "SignInOver");
        assert_eq!(wrong(&finish(&mut again, "second", &id, "{}").await, "passkey"), "SignInOver");
        assert_eq!(completes(&again).await, Value::Bool(false));
        assert_eq!(world.count("select count(*) as n from pending_sign_in").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_for_one_sign_in_of_one_account_and_of_one_kind() {
    in_world(async |world| {
        let (mut owner, _, mut device) = with_all(&world, LI).await;
        let (_, _, mut of_han) = with_all(&world, HAN).await;
        assert_eq!(begin_refused(&mut world.browser()).await, "SignInOver", "nothing began");

        // Another account's key, and one that nobody has here.
        let mut browser = waiting(&world, LI).await;
        assert_eq!(wrong(&complete(&mut browser, &mut of_han).await, "passkey"), "Passkey");
        let mut strange = Authenticator::new(&origin(&world));
        let (_, options) = begin(&mut owner, "registration", &[]).await;
        strange.create(&options);
        assert_eq!(wrong(&complete(&mut browser, &mut strange).await, "passkey"), "Passkey");

        // Another sign-in of the same account, and one of another account.
        for target in [LI, HAN] {
            let (id, options) = begin(&mut browser, "second", &[]).await;
            let mut elsewhere = waiting(&world, target).await;
            let answer = finish(&mut elsewhere, "second", &id, &device.get(&options)).await;
            assert_eq!(wrong(&answer, "passkey"), "PasskeyOver", "{target}");
            assert_eq!(elsewhere.cookie("xiadan_session"), None);
        }

        // A question of another kind.
        let (id, options) = begin(&mut browser, "second", &[]).await;
        let answer = device.get(&options);
        let alone = finish(&mut world.browser(), "sign_in", &id, &answer).await;
        assert_eq!(wrong(&alone, "passkey"), "PasskeyOver", "it is no sign-in of its own");
        let registered = finish(&mut owner, "registration", &id, &answer).await;
        assert_eq!(wrong(&registered, "passkey"), "PasskeyOver", "nor a registration");
        let (id, options) = begin(&mut browser, "sign_in", &[]).await;
        let other = finish(&mut browser, "second", &id, &device.get(&options)).await;
        assert_eq!(wrong(&other, "passkey"), "PasskeyOver");
        let (id, _) = begin(&mut owner, "registration", &[]).await;
        let other = finish(&mut browser, "second", &id, &device.get(&options)).await;
        assert_eq!(wrong(&other, "passkey"), "PasskeyOver");

        // Once, whatever comes of it; and nothing but an answer.
        let (id, options) = begin(&mut browser, "second", &[]).await;
        assert_eq!(wrong(&finish(&mut browser, "second", &id, "nonsense").await, "passkey"), "Passkey");
        let answer = device.get(&options);
        assert_eq!(wrong(&finish(&mut browser, "second", &id, &answer).await, "passkey"), "PasskeyOver");
        assert_eq!(browser.cookie("xiadan_session"), None);
        assert_eq!(complete(&mut browser, &mut device).await, (200, Value::from("/me")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_and_a_device_that_looks_at_nobody_complete_nothing_and_guessing_is_slowed_down() {
    in_world(async |world| {
        let (mut owner, phone, mut device) = with_all(&world, LI).await;
        let mut browser = waiting(&world, LI).await;
        let mut found = device.clone();
        found.looks = false;
        assert_eq!(wrong(&complete(&mut browser, &mut found).await, "passkey"), "Passkey");
        let mut copy = device.clone();
        // Asked before the device itself is used, and answered by the copy after it.
        let (id, options) = begin(&mut browser, "second", &[]).await;
        let late = copy.get(&options);
        assert_eq!(complete(&mut waiting(&world, LI).await, &mut device).await.0, 200);
        assert_eq!(wrong(&finish(&mut browser, "second", &id, &late).await, "passkey"), "Passkey");

        // Failures of all second factors count together.
        let mut lured = device.clone();
        lured.origin = "https://evil.example".to_owned();
        exec(&world.app, "delete from attempt").await;
        for turn in 1..=5 {
            assert_eq!(wrong(&complete(&mut browser, &mut lured).await, "passkey"), "Passkey", "{turn}");
        }
        assert_eq!(complete(&mut browser, &mut device).await.0, 429);
        exec(&world.app, "update second_factor set last_step = last_step - 5").await;
        let code = [("code", &*phone.now())];
        assert_eq!(browser.post("/api/account/second_enter", &code).await.unwrap().0, 429);
        exec(&world.app, "update attempt set blocked_until = 0").await;

        // One that was removed meanwhile is none, and an account without any is not asked for one.
        let (id, options) = begin(&mut browser, "second", &[]).await;
        let answer = device.get(&options);
        let key = owner.get("/api/passkey/list").await.unwrap()["keys"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(owner.post("/api/passkey/remove", &[("id", &*key)]).await.unwrap().0, 200);
        assert_eq!(wrong(&finish(&mut browser, "second", &id, &answer).await, "passkey"), "Passkey");
        assert_eq!(completes(&browser).await, Value::Bool(false));
        assert_eq!(begin_refused(&mut browser).await, "Passkey");
        exec(&world.app, "update attempt set blocked_until = 0").await;
        assert_eq!(browser.post("/api/account/second_enter", &code).await.unwrap().0, 200, "the app is still there");
    })
    .await;
}
