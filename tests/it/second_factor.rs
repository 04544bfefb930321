//! The second factor of customers: what it lets pass, and what it never does.

use crate::{
    account::{PHONE, World, in_world},
    client::Buyer,
    member::{self, columns, dump, exec, member, number},
    privacy::fetched,
    second::{Phone, codes, turn_on},
    shop::both,
};
use serde_json::Value;
use xiadan::{
    args,
    domain::{
        Error,
        error::Problem,
        privacy::WAY_BACK_MS,
        second_factor::{PENDING_MS, RECOVERY_CODES, SET_UP_MS, SHOWN_MS, STEP_SECONDS, SecondFactor},
    },
    server::{
        App, Ctx,
        account::{self, second_factor::mine},
        audit::{self, Finding},
        context::now,
        privacy,
    },
};

pub const EMAIL: &str = "li@example.com";
pub const PASSWORD: &str = "correct horse";
pub const LI: &str = "+8613800138000";
const STEP_MS: i64 = STEP_SECONDS * 1000;

/// An account with a password and an app, at the browser where it was made.
async fn with_app(world: &World, target: &str) -> (Buyer, Phone, Vec<String>) {
    let mut browser = world.browser();
    world.enter(&mut browser, target).await;
    let (status, answer) = browser.post("/api/account/set_password", &[("old", ""), ("new", PASSWORD)]).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    assert_eq!(browser.post("/api/account/second_begin", &[]).await.unwrap().0, 200);
    let state = second(&browser).await;
    let phone = Phone::told(state["setting_up"]["secret"].as_str().unwrap());
    assert_eq!(browser.post("/api/account/second_confirm", &[("code", &phone.now())]).await.unwrap().0, 200);
    let shown = shown_codes(&browser).await;
    later(&world.app).await;
    (browser, phone, shown)
}

async fn second(browser: &Buyer) -> Value {
    browser.get("/api/account/second_factor").await.unwrap()["second"].clone()
}

async fn shown_codes(browser: &Buyer) -> Vec<String> {
    let state = second(browser).await;
    let codes = state["on"]["codes"].as_array().unwrap();
    codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect()
}

/// Lets the codes of now be later than those that were used.
pub async fn later(app: &App) {
    exec(app, "update second_factor set last_step = last_step - 5").await;
}

async fn by_password(world: &World, target: &str) -> Buyer {
    let mut browser = world.browser();
    let form = [("name", target), ("password", PASSWORD), ("to", "/cart")];
    let answer = browser.post("/api/account/sign_in", &form).await.unwrap();
    assert_eq!(answer, (200, Value::from("/sign-in/second?to=%2Fcart")));
    browser
}

pub async fn enter(browser: &mut Buyer, code: &str) -> (u16, Value) {
    browser.post("/api/account/second_enter", &[("code", code)]).await.unwrap()
}

pub fn wrong(answer: &(u16, Value)) -> &str {
    answer.1["Invalid"]["code"].as_str().unwrap_or_default()
}

/// A code that is not the one.
pub fn other(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

pub async fn told(app: &App, action: &str) -> i64 {
    let sql = "select count(*) as n from audit where action = $1";
    app.db.one(sql, args![action]).await.unwrap().get("n").unwrap()
}

pub async fn last_step(app: &App) -> i64 {
    number(app, "select last_step as n from second_factor").await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_sign_in_happens_before_the_second_factor() {
    in_world(async |world| {
        let (owner, phone, shown) = with_app(&world, PHONE).await;
        assert_eq!(shown.len(), RECOVERY_CODES);
        assert_eq!(told(&world.app, "second_factor_on").await, 1);
        let signed_in = told(&world.app, "signed_in").await;
        let cart = async || owner.get("/api/cart/get").await.unwrap()["lines"].as_array().unwrap().len();

        let mut guest = world.browser();
        guest.post("/api/cart/add", &[("variant_id", "cup"), ("quantity", "1")]).await.unwrap();
        world.later(61_000).await;
        let id = world.ask(&mut guest, PHONE).await;
        let code = world.newest().await;
        let form = [("id", &*id), ("code", &code), ("agreed", "1"), ("to", "//evil.example")];
        let answer = guest.post("/api/account/enter", &form).await.unwrap();
        assert_eq!(answer, (200, Value::from("/sign-in/second?to=%2F%2Fevil.example")));
        assert_eq!(guest.cookie("xiadan_session"), None);
        assert!(guest.cookie("xiadan_guest").is_some() && guest.cookie("xiadan_pending").is_some());
        assert_eq!(guest.get("/api/account/me").await.unwrap(), Value::Null);
        assert_eq!(guest.get("/api/account/second_awaited").await.unwrap(), Value::Bool(true));
        assert_eq!((cart().await, told(&world.app, "signed_in").await), (0, signed_in));
        assert_eq!(world.count("select count(*) as n from session").await, 1);
        assert_eq!(world.count("select count(*) as n from risk_event").await, 0);

        // What the first factor opened opens nothing without the second.
        for (path, form) in [("second_begin", &[][..]), ("second_off", &[("password", PASSWORD)][..])] {
            assert_eq!(guest.post(&format!("/api/account/{path}"), form).await.unwrap().0, 401, "{path}");
        }
        for typed in ["", "12345", "1234567", &other(&phone.now())] {
            let answer = enter(&mut guest, typed).await;
            assert_eq!(answer.0, 422, "{typed}: {}", answer.1);
        }
        let stolen = guest.clone();
        let form = [("code", &*phone.now()), ("to", "//evil.example")];
        let answer = guest.post("/api/account/second_enter", &form).await.unwrap();
        assert_eq!(answer, (200, Value::from("/me")), "no page of another shop");
        assert!(guest.cookie("xiadan_session").is_some());
        assert_eq!((guest.cookie("xiadan_pending"), guest.cookie("xiadan_guest")), (None, None));
        assert_eq!((cart().await, told(&world.app, "signed_in").await), (1, signed_in + 1));
        assert_eq!(world.count("select count(*) as n from risk_event where kind = 'new_device'").await, 1);
        assert_eq!(guest.get("/api/account/me").await.unwrap()["phone"], "138****8000");

        // What is over is over.
        later(&world.app).await;
        let mut again = world.browser().with_cookies_of(&stolen);
        assert_eq!(wrong(&enter(&mut again, &phone.now()).await), "SignInOver");
        assert!(matches!(audit::verify(&world.app).await, Ok(Finding::Whole(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_counts_once_and_a_clock_may_be_a_step_off() {
    in_world(async |world| {
        let (_, phone, _) = with_app(&world, PHONE).await;
        let mut browser = by_password(&world, PHONE).await;
        assert_eq!(enter(&mut browser, &phone.shows(now() + STEP_MS)).await.0, 200, "a clock that is early");
        let used = phone.of_step(last_step(&world.app).await);
        let mut browser = by_password(&world, PHONE).await;
        assert_eq!(wrong(&enter(&mut browser, &used).await), "SecondFactor", "the same again");
        let before = phone.of_step(last_step(&world.app).await - 1);
        assert_eq!(wrong(&enter(&mut browser, &before).await), "SecondFactor", "and the one before it");
        later(&world.app).await;
        assert_eq!(wrong(&enter(&mut browser, &phone.shows(now() + 3 * STEP_MS)).await), "SecondFactor");
        assert_eq!(wrong(&enter(&mut browser, &phone.shows(now() - 3 * STEP_MS)).await), "SecondFactor");
        assert_eq!(enter(&mut browser, &phone.now()).await.0, 200);

        // Several at once with one code: one of them gets in.
        later(&world.app).await;
        let mut browsers = Vec::new();
        for _ in 0..4 {
            browsers.push(by_password(&world, PHONE).await);
        }
        let code = phone.now();
        let answers = browsers.iter_mut().map(|browser| enter(browser, &code));
        let answers = futures::future::join_all(answers).await;
        assert_eq!(answers.iter().filter(|answer| answer.0 == 200).count(), 1, "{answers:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down_and_waiting_ends() {
    in_world(async |world| {
        let (mut owner, phone, _) = with_app(&world, PHONE).await;
        let mut browser = by_password(&world, PHONE).await;
        for turn in 1..=5 {
            let answer = enter(&mut browser, &other(&phone.now())).await;
            assert_eq!((answer.0, wrong(&answer)), (422, "SecondFactor"), "{turn}");
        }
        // Not by another sign-in either.
        for browser in [&mut browser, &mut by_password(&world, PHONE).await] {
            let (status, answer) = enter(browser, &phone.now()).await;
            assert!(status == 429 && answer["TooMany"]["retry_after"].as_u64() <= Some(16), "{answer}");
        }
        assert_eq!(world.count("select count(*) as n from risk_event where kind = 'many_failures'").await, 1);
        exec(&world.app, "update attempt set blocked_until = 0").await;
        assert_eq!(enter(&mut browser, &phone.now()).await.0, 200);

        // Five minutes, and no longer than the password it began with.
        for end in ["time", "password"] {
            later(&world.app).await;
            let mut browser = by_password(&world, PHONE).await;
            if end == "time" {
                assert_eq!(PENDING_MS, 300_000);
                exec(&world.app, "update pending_sign_in set expires_at = expires_at - 300000").await;
            } else {
                let form = [("old", PASSWORD), ("new", "another horse")];
                assert_eq!(owner.post("/api/account/set_password", &form).await.unwrap().0, 200);
            }
            assert_eq!(browser.get("/api/account/second_awaited").await.unwrap(), Value::Bool(false), "{end}");
            assert_eq!(wrong(&enter(&mut browser, &phone.now()).await), "SignInOver", "{end}");
            assert_eq!(browser.cookie("xiadan_session"), None);
        }
        assert_eq!(wrong(&enter(&mut world.browser(), &phone.now()).await), "SignInOver", "nothing began");
        account::sweep(&world.app).await.unwrap();
        assert_eq!(world.count("select count(*) as n from pending_sign_in").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_stands_for_the_app_once_and_its_owner_is_told() {
    in_world(async |world| {
        let (mut owner, phone, shown) = with_app(&world, EMAIL).await;
        let all_mails = async |word: &str| {
            let posted = world.browser().get("/api/account/outbox").await.unwrap();
            let texts = posted.as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap().to_owned());
            texts.filter(|text| text.contains(word)).collect::<Vec<_>>()
        };
        let mails = async || all_mails("用恢复码代替").await;
        for word in ["设置了新密码", "开启了两步验证，其他设备都已退出登录"] {
            assert_eq!(all_mails(word).await.len(), 1, "{word}");
        }
        let mut browser = by_password(&world, EMAIL).await;
        let typed = shown[3].replace('-', " ");
        let form = [("code", &*typed), ("to", "/cart")];
        let answer = browser.post("/api/account/second_enter", &form).await.unwrap();
        assert_eq!(answer, (200, Value::from("/me/security/second?used=1&to=%2Fcart")));
        assert_eq!(second(&browser).await["on"]["left"], 9);
        assert_eq!(mails().await.len(), 1, "{:?}", mails().await);
        assert!(mails().await[0].contains("还剩 9 个"), "{:?}", mails().await);
        assert_eq!(told(&world.app, "recovery_code_used").await, 1);
        assert_eq!(world.count("select count(*) as n from risk_event where kind = 'recovery_code_used'").await, 1);
        let mut browser = by_password(&world, EMAIL).await;
        assert_eq!(wrong(&enter(&mut browser, &shown[3]).await), "SecondFactor", "once");
        assert_eq!(wrong(&enter(&mut browser, "0000-0000-0000-0000").await), "SecondFactor");

        // They are shown to the session that made them, until it has them.
        assert_eq!(enter(&mut browser, &phone.now()).await.0, 200);
        assert_eq!(shown_codes(&browser).await, Vec::<String>::new());
        assert_eq!(shown_codes(&owner).await, shown);
        assert_eq!(owner.post("/api/account/second_keep", &[]).await.unwrap().0, 200);
        assert_eq!(shown_codes(&owner).await, Vec::<String>::new());

        // New ones take the place of all before.
        later(&world.app).await;
        let (status, answer) = owner.post("/api/account/second_renew", &[]).await.unwrap();
        assert_eq!((status, &answer["Invalid"]["code"]), (422, &Value::from("Required")));
        for path in ["second_renew", "second_off"] {
            let form = [("code", ""), ("password", PASSWORD)];
            let (status, answer) = owner.post(&format!("/api/account/{path}"), &form).await.unwrap();
            assert_eq!((status, &answer["Invalid"]["code"]), (422, &Value::from("Required")), "no password is enough");
        }
        assert_eq!(owner.post("/api/account/second_renew", &[("code", &phone.now())]).await.unwrap().0, 200);
        let renewed = shown_codes(&owner).await;
        assert_eq!(renewed.len(), RECOVERY_CODES);
        let mut browser = by_password(&world, EMAIL).await;
        assert_eq!(wrong(&enter(&mut browser, &shown[4]).await), "SecondFactor");
        assert_eq!(enter(&mut browser, &renewed[4]).await.0, 200);
        assert_eq!(told(&world.app, "recovery_codes_renewed").await, 1);
        assert_eq!(all_mails("重新生成了恢复码").await.len(), 1, "not for what was refused");

        // Off, by a recovery code; then signing in needs one step.
        let (status, answer) = owner.post("/api/account/second_off", &[("code", &*renewed[4])]).await.unwrap();
        assert_eq!((status, &answer["Invalid"]["code"]), (422, &Value::from("SecondFactor")), "it was used");
        assert_eq!(owner.post("/api/account/second_off", &[("code", &*renewed[5])]).await.unwrap().0, 200);
        assert_eq!(mails().await.len(), 3);
        assert_eq!(second(&owner).await, "off");
        assert_eq!(told(&world.app, "second_factor_off").await, 1);
        assert_eq!(owner.post("/api/account/second_off", &[("code", &*renewed[6])]).await.unwrap().0, 409, "it is off");
        assert_eq!(all_mails("关闭了两步验证").await.len(), 1);
        let mut browser = world.browser();
        let form = [("name", EMAIL), ("password", PASSWORD)];
        assert_eq!(browser.post("/api/account/sign_in", &form).await.unwrap(), (200, Value::from("/me")));
        for table in ["second_factor", "recovery_code"] {
            let row = world.app.db.one(format!("select count(*) as n from {table}"), args![]).await.unwrap();
            assert_eq!(row.get::<i64>("n").unwrap(), 0, "{table}");
        }
        assert!(matches!(audit::verify(&world.app).await, Ok(Finding::Whole(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_turns_it_on_shows_anew_who_this_is() {
    both(&[], async |app| {
        let li = member(&app, LI).await;
        let guest = Ctx { session: None, ..li.ctx.clone() };
        assert_eq!(mine::begin(&guest, String::new()).await, Err(Error::Unauthenticated));
        assert_eq!(mine::get(&guest).await, Ok(None));
        let by_password = member::enter(&li, false).await.ctx;
        let refused = mine::begin(&by_password, String::new()).await;
        assert_eq!(refused, Err(Error::field("password", Problem::Proof)), "there is no password");
        account::profile::set_password(&li.ctx, String::new(), PASSWORD.into()).await.unwrap();
        let by_password = member::enter(&li, false).await.ctx;
        let refused = mine::begin(&by_password, String::new()).await;
        assert_eq!(refused, Err(Error::field("password", Problem::Required)));
        let refused = mine::begin(&by_password, "wrong horse".into()).await;
        assert_eq!(refused, Err(Error::field("password", Problem::Credentials)));
        mine::begin(&by_password, PASSWORD.into()).await.unwrap();
        let secret = async |ctx: &Ctx| match mine::get(ctx).await.unwrap().unwrap().second {
            SecondFactor::SettingUp(set_up) => Some(set_up.secret),
            SecondFactor::Off => None,
            other => panic!("{other:?}"),
        };
        let first = secret(&by_password).await.unwrap();
        mine::begin(&by_password, PASSWORD.into()).await.unwrap();
        assert_eq!(secret(&by_password).await, Some(first.clone()), "sent twice it is the same");
        assert_eq!(secret(&li.ctx).await, None, "another session does not see it");
        let phone = Phone::told(&first);
        let code = phone.shows(li.ctx.now);
        assert_eq!(mine::confirm(&li.ctx, &code).await, Err(Error::Conflict), "and does not confirm it");
        let late = Ctx { now: li.ctx.now + SET_UP_MS, ..by_password.clone() };
        assert_eq!(
            (secret(&late).await, mine::confirm(&late, &phone.shows(late.now)).await),
            (None, Err(Error::Conflict))
        );
        for wrong in [other(&code), "0000-0000-0000-0000".to_owned()] {
            let refused = mine::confirm(&by_password, &wrong).await;
            assert_eq!(refused, Err(Error::field("code", Problem::SecondFactor)), "{wrong}");
        }
        // Begun elsewhere it is another secret.
        mine::begin(&li.ctx, String::new()).await.unwrap();
        assert_eq!(secret(&by_password).await, None);
        assert_ne!(secret(&li.ctx).await, Some(first));

        let (phone, shown) = turn_on(&li.ctx).await;
        assert_eq!(mine::begin(&li.ctx, String::new()).await, Err(Error::Conflict), "it is on");
        assert_eq!(number(&app, "select count(*) as n from session").await, 1, "those that got in without it are over");
        let late = Ctx { now: li.ctx.now + SHOWN_MS, ..li.ctx.clone() };
        assert_eq!((codes(&li.ctx).await.len(), codes(&late).await.len()), (RECOVERY_CODES, 0));

        // Nothing of it is in clear.
        let rows = dump(&app).await;
        let SecondFactor::On(_) = mine::get(&li.ctx).await.unwrap().unwrap().second else { panic!("it is on") };
        for secret in shown.iter().flat_map(|code| [code.clone(), code.replace('-', "")]) {
            assert!(rows.iter().all(|(_, row)| !row.contains(&secret)), "{secret}");
        }
        assert!(columns(&app).await.contains(&("second_factor".into(), "secret_sealed".into())));
        // A session that is ended changes nothing any more.
        exec(&app, "delete from session").await;
        let refused = mine::turn_off(&li.ctx, &phone.shows(li.ctx.now + STEP_MS)).await;
        assert_eq!(refused, Err(Error::Unauthenticated));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_in_the_copy_of_ones_data_without_its_secret_and_goes_with_the_account() {
    both(&[], async |app| {
        let li = member(&app, LI).await;
        let (_, shown) = turn_on(&li.ctx).await;
        let copy = privacy::ask(&li.ctx).await.unwrap().id;
        assert_eq!(privacy::run_due(&app, li.ctx.now).await, Ok(1));
        let file = String::from_utf8_lossy(&fetched(&li.ctx, &copy).await).into_owned();
        assert!(file.contains("json/second_factor.json") && file.contains("recovery_codes_left"));
        assert!(shown.iter().all(|code| !file.contains(code)));
        assert!(!file.contains("secret"));
        privacy::ask_deletion(&li.ctx, String::new()).await.unwrap();
        privacy::run_due(&app, li.ctx.now + WAY_BACK_MS).await.unwrap();
        assert_eq!(number(&app, "select count(*) as n from account").await, 0);
        assert_eq!(number(&app, "select count(*) as n from second_factor").await, 0);
        assert_eq!(number(&app, "select count(*) as n from recovery_code").await, 0);
    })
    .await;
}
