//! What an account is reached by, from outside: added, replaced and taken away by its owner, and by nobody else.

use crate::{
    account::{PHONE, World, in_world, other},
    client::Buyer,
    member::{exec, member, posted},
    shop::Shop,
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};
use xiadan::{
    args,
    server::{
        account::targets,
        audit::{self, Finding},
        message::{
            self,
            sms::{Provider, SmsSettings},
        },
    },
};

const EMAIL: &str = "li@example.com";
const OTHER_PHONE: &str = "13911112222";
const PASSWORD: &str = "correct horse";
/// A code or a passkey that was used so long ago shows nobody any more.
const LONG_AGO: &str = "update session set opened_at = opened_at - 960000";

async fn add(browser: &mut Buyer, target: &str, password: &str) -> (u16, Value) {
    let form = [("target", target), ("password", password)];
    browser.post("/api/account/add_target", &form).await.unwrap()
}

/// Has a code sent to what the account is to be reached by; its id and the code.
async fn begin(world: &World, browser: &mut Buyer, target: &str) -> (String, String) {
    world.later(61_000).await;
    let (status, sent) = add(browser, target, "").await;
    assert_eq!(status, 200, "{sent}");
    (sent["id"].as_str().unwrap().to_owned(), world.newest().await)
}

async fn confirm(browser: &mut Buyer, id: &str, code: &str) -> (u16, Value) {
    browser.post("/api/account/confirm_target", &[("id", id), ("code", code)]).await.unwrap()
}

async fn remove(browser: &mut Buyer, kind: &str, password: &str) -> (u16, Value) {
    browser.post("/api/account/remove_target", &[("kind", kind), ("password", password)]).await.unwrap()
}

async fn me(browser: &Buyer) -> Value {
    browser.get("/api/account/me").await.unwrap()
}

/// What is wrong with a field.
fn wrong<'a>(answer: &'a (u16, Value), field: &str) -> &'a str {
    answer.1["Invalid"][field].as_str().unwrap_or_default()
}

/// How many messages with a word went to somebody.
async fn told(world: &World, to: &str, word: &str) -> usize {
    let posted = world.browser().get("/api/account/outbox").await.unwrap();
    let is_it = |message: &&Value| message["to"] == to && message["text"].as_str().unwrap().contains(word);
    posted.as_array().unwrap().iter().filter(is_it).count()
}

async fn signed_in(world: &World, target: &str) -> Buyer {
    let mut browser = world.browser();
    world.enter(&mut browser, target).await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_reached_by_a_second_target_once_its_code_was_typed() {
    in_world(async |world| {
        let mut li = signed_in(&world, PHONE).await;
        let elsewhere = signed_in(&world, PHONE).await;
        let (id, code) = begin(&world, &mut li, EMAIL).await;
        assert_eq!(wrong(&confirm(&mut li, &id, "").await, "code"), "Required");
        assert_eq!(wrong(&confirm(&mut li, &id, &other(&code)).await, "code"), "Code");
        assert_eq!(me(&li).await["email"], Value::Null);
        assert_eq!(confirm(&mut li, &id, &code).await.0, 200);
        let profile = me(&li).await;
        assert_eq!((&profile["phone"], &profile["email"]), (&"138****8000".into(), &"l***@example.com".into()));
        assert_ne!(me(&elsewhere).await, Value::Null, "nothing was taken from anybody");
        assert_eq!(wrong(&confirm(&mut li, &id, &code).await, "code"), "CodeOver", "once");
        assert_eq!(told(&world, "+8613800138000", "添加或更换了邮箱").await, 1, "who was there before is told");
        assert_eq!(told(&world, EMAIL, "添加或更换了邮箱").await, 0, "and who is new is not");

        // It opens the same account.
        let by_mail = signed_in(&world, EMAIL).await;
        assert_eq!(me(&by_mail).await["phone"], "138****8000");
        assert_eq!(world.count("select count(*) as n from account").await, 1);

        // The same once more changes nothing, and tells nobody.
        let (id, code) = begin(&world, &mut li, EMAIL).await;
        assert_eq!(confirm(&mut li, &id, &code).await.0, 200);
        assert_eq!(told(&world, EMAIL, "添加或更换了邮箱").await, 0);
        assert_eq!(world.count("select count(*) as n from audit where action = 'target_set'").await, 1);
        assert!(matches!(audit::verify(&world.app).await, Ok(Finding::Whole(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_replaced_opens_nothing_more_and_is_told() {
    in_world(async |world| {
        let mut li = signed_in(&world, PHONE).await;
        let (id, code) = begin(&world, &mut li, EMAIL).await;
        assert_eq!(confirm(&mut li, &id, &code).await.0, 200);
        let elsewhere = signed_in(&world, PHONE).await;
        let (id, code) = begin(&world, &mut li, OTHER_PHONE).await;
        assert_eq!(confirm(&mut li, &id, &code).await.0, 200);
        let profile = me(&li).await;
        assert_eq!((&profile["phone"], &profile["email"]), (&"139****2222".into(), &"l***@example.com".into()));
        assert_eq!(me(&elsewhere).await, Value::Null, "who got in by the old one is out");
        for to in ["+8613800138000", EMAIL] {
            assert_eq!(told(&world, to, "添加或更换了手机号").await, 1, "{to}");
        }
        assert_eq!(told(&world, "+8613911112222", "添加或更换了手机号").await, 0);

        // The old one is free: it makes an account of its own.
        let stranger = signed_in(&world, PHONE).await;
        assert_eq!(me(&stranger).await["email"], Value::Null);
        assert_eq!(world.count("select count(*) as n from account").await, 2);
        assert_eq!(me(&signed_in(&world, OTHER_PHONE).await).await["email"], "l***@example.com");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_right_code_tells_that_another_account_has_it_and_of_two_one_gets_it() {
    in_world(async |world| {
        let mut han = signed_in(&world, EMAIL).await;
        let mut li = signed_in(&world, PHONE).await;
        world.later(61_000).await;
        let free = add(&mut li, "free@example.com", "").await;
        let taken = add(&mut li, EMAIL, "").await;
        let names = |answer: &(u16, Value)| answer.1.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!((free.0, names(&free)), (taken.0, names(&taken)), "nothing tells them apart");
        let (id, code) = (taken.1["id"].as_str().unwrap().to_owned(), world.newest().await);
        assert_eq!(wrong(&confirm(&mut li, &id, &other(&code)).await, "code"), "Code");
        assert_eq!(wrong(&confirm(&mut li, &id, &code).await, "code"), "Taken");
        assert_eq!(wrong(&confirm(&mut li, &id, &code).await, "code"), "CodeOver", "it was used for the answer");
        assert_eq!((&me(&li).await["email"], &me(&han).await["email"]), (&Value::Null, &"l***@example.com".into()));
        assert_eq!(told(&world, "+8613800138000", "邮箱").await, 0);

        let (first, code_of_first) = begin(&world, &mut li, OTHER_PHONE).await;
        let (second, code_of_second) = begin(&world, &mut han, OTHER_PHONE).await;
        let at_once = futures::future::join(
            confirm(&mut li, &first, &code_of_first),
            confirm(&mut han, &second, &code_of_second),
        );
        let (of_li, of_han) = at_once.await;
        let mut statuses = [of_li.0, of_han.0];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{of_li:?} {of_han:?}");
        let refused = if of_li.0 == 200 { &of_han } else { &of_li };
        assert_eq!(wrong(refused, "code"), "Taken");
        // Two accounts with a first target each, and the one that both wanted.
        assert_eq!(world.count("select count(*) as n from account_target").await, if of_han.0 == 200 { 3 } else { 2 });
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_changes_it_shows_who_this_is_in_the_same_session() {
    in_world(async |world| {
        let mut li = signed_in(&world, PHONE).await;
        let mut han = signed_in(&world, "han@example.com").await;
        assert_eq!(wrong(&add(&mut li, "12345", "").await, "target"), "Phone");

        // A code to sign in with, which anybody may ask for, changes nothing; nor does one of another session.
        world.later(61_000).await;
        let asked = world.ask(&mut li, EMAIL).await;
        let code = world.newest().await;
        assert_eq!(wrong(&confirm(&mut li, &asked, &code).await, "code"), "CodeOver");
        let resend = [("id", &*asked)];
        assert_eq!(li.post("/api/account/resend_target", &resend).await.unwrap().0, 404);
        let (id, code) = begin(&world, &mut li, EMAIL).await;
        assert_eq!(wrong(&confirm(&mut han, &id, &code).await, "code"), "CodeOver");
        let resend = [("id", &*id)];
        assert_eq!(han.post("/api/account/resend_target", &resend).await.unwrap().0, 404);
        assert_eq!(world.browser().post("/api/account/resend_target", &resend).await.unwrap().0, 401);

        // And what came for the account signs nobody in, and makes no other.
        let form = [("id", &*id), ("code", &*code), ("agreed", "1")];
        let entered = world.browser().post("/api/account/enter", &form).await.unwrap();
        assert_eq!(wrong(&entered, "code"), "CodeOver");
        assert_eq!(li.post("/api/account/resend_code", &resend).await.unwrap().0, 404);
        assert_eq!(world.count("select count(*) as n from account").await, 2);

        // Another one after a minute; the limits are those of all codes.
        assert_eq!(add(&mut li, EMAIL, "").await.0, 429);
        world.later(61_000).await;
        let (status, sent) = li.post("/api/account/resend_target", &resend).await.unwrap();
        assert_eq!(status, 200, "{sent}");
        let (id, code) = (sent["id"].as_str().unwrap().to_owned(), world.newest().await);
        assert_eq!(confirm(&mut li, &id, &code).await.0, 200);

        // Later only the password, or a new code, shows it.
        exec(&world.app, LONG_AGO).await;
        world.later(61_000).await;
        assert_eq!(wrong(&add(&mut li, OTHER_PHONE, "").await, "password"), "Proof");
        assert_eq!(wrong(&remove(&mut li, "phone", "").await, "password"), "Proof");
        let mut li = signed_in(&world, PHONE).await;
        let set = [("old", ""), ("new", PASSWORD)];
        assert_eq!(li.post("/api/account/set_password", &set).await.unwrap().0, 200);
        exec(&world.app, LONG_AGO).await;
        for (password, problem) in [("", "Required"), ("wrong horse", "Credentials")] {
            assert_eq!(wrong(&add(&mut li, OTHER_PHONE, password).await, "password"), problem);
            assert_eq!(wrong(&remove(&mut li, "phone", password).await, "password"), problem);
        }
        let (status, sent) = add(&mut li, OTHER_PHONE, PASSWORD).await;
        assert_eq!(status, 200, "{sent}");
        let code = world.newest().await;
        assert_eq!(confirm(&mut li, sent["id"].as_str().unwrap(), &code).await.0, 200);
        assert_eq!(me(&li).await["phone"], "139****2222");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_taken_away_and_the_last_one_stays() {
    in_world(async |world| {
        let mut li = signed_in(&world, PHONE).await;
        assert_eq!(remove(&mut li, "email", "").await.0, 404);
        assert_eq!(remove(&mut li, "fax", "").await.0, 404);
        assert_eq!(wrong(&remove(&mut li, "phone", "").await, "kind"), "LastTarget");
        let (id, code) = begin(&world, &mut li, EMAIL).await;
        assert_eq!(confirm(&mut li, &id, &code).await.0, 200);
        let elsewhere = signed_in(&world, PHONE).await;
        assert_eq!(remove(&mut li, "phone", "").await.0, 200);
        assert_eq!(remove(&mut li, "phone", "").await.0, 404, "twice is once");
        assert_eq!(wrong(&remove(&mut li, "email", "").await, "kind"), "LastTarget");
        let profile = me(&li).await;
        assert_eq!((&profile["phone"], &profile["email"]), (&Value::Null, &"l***@example.com".into()));
        assert_eq!(me(&elsewhere).await, Value::Null, "who got in by it is out");
        for to in ["+8613800138000", EMAIL] {
            assert_eq!(told(&world, to, "移除了您的账号的手机号").await, 1, "{to}");
        }
        assert_eq!(world.count("select count(*) as n from audit where action = 'target_removed'").await, 1);
        assert!(matches!(audit::verify(&world.app).await, Ok(Finding::Whole(_))));

        // Of two that are taken away at the same time one stays.
        let (id, code) = begin(&world, &mut li, PHONE).await;
        assert_eq!(confirm(&mut li, &id, &code).await.0, 200);
        let mut copy = world.browser().with_cookies_of(&li);
        let (of_phone, of_email) =
            futures::future::join(remove(&mut li, "phone", ""), remove(&mut copy, "email", "")).await;
        let mut statuses = [of_phone.0, of_email.0];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{of_phone:?} {of_email:?}");
        assert_eq!(world.count("select count(*) as n from account_target").await, 1);
    })
    .await;
}

/// A provider of text messages that takes everything, and tells the first line of each request.
async fn provider() -> (u16, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut request, mut part) = (Vec::new(), [0; 4096]);
            // Everything is said in the address; there is no body.
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut part).await.unwrap() {
                    0 => break,
                    read => request.extend_from_slice(&part[..read]),
                }
            }
            let head = String::from_utf8(request).unwrap();
            let _ = tell.send(head.lines().next().unwrap_or_default().to_owned());
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 13\r\nconnection: close\r\n\r\n{\"Code\":\"OK\"}";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (port, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_is_told_by_text_message_where_the_provider_has_a_template() {
    for (postgres, template) in [(false, "SMS_NEWS"), (true, "SMS_NEWS"), (false, ""), (true, "")] {
        let (port, mut requests) = provider().await;
        let settings = SmsSettings {
            provider: Provider::Alibaba,
            key_id: "id".into(),
            key_secret: "secret".into(),
            sign_name: "shop".into(),
            template: "SMS_CODE".into(),
            news_template: template.into(),
            app_id: String::new(),
            url: format!("http://127.0.0.1:{port}"),
        };
        let shop = Shop::open_with(postgres, |config| config.sms = Some(settings)).await;
        let app = shop.app.clone();
        eprintln!("on {} with {template:?}", app.db.kind().as_str());
        let li = member(&app, "+8613800138000").await;
        let sent = targets::add(&li.ctx, "+86", OTHER_PHONE, String::new()).await.unwrap();
        let (_, text) = posted(&app).await.pop().unwrap();
        let code = text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 6).unwrap();
        targets::confirm(&li.ctx, &sent.id, code).await.unwrap();

        let rows = app.db.all("select payload from outbox order by id", args![]).await.unwrap();
        for row in &rows {
            message::deliver(&app, &row.get::<String>("payload").unwrap()).await.unwrap();
        }
        let code = requests.recv().await.unwrap();
        assert!(code.contains("PhoneNumbers=13911112222&") && code.contains("TemplateCode=SMS_CODE&"), "{code}");
        if template.is_empty() {
            assert_eq!(rows.len(), 1, "what has no way out is not tried");
        } else {
            let news = requests.recv().await.unwrap();
            assert!(news.contains("PhoneNumbers=13800138000&") && news.contains("TemplateCode=SMS_NEWS&"), "{news}");
            assert_eq!(rows.len(), 2);
        }
        app.db.close().await;
    }
}
