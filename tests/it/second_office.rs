//! The second factor of those who work in the shop, and what its operator can do where an app was lost.

use crate::{
    account::in_world,
    client::{Buyer, run},
    http,
    member::{member, number, posted, reached_by},
    permissions,
    second::{Phone, turn_on, with_own_password},
    second_factor::{EMAIL, LI, PASSWORD, last_step, later, other, told, wrong},
};
use serde_json::Value;
use xiadan::{
    args,
    domain::{Error, second_factor::RECOVERY_CODES},
    server::{
        account::{self, second_factor::mine},
        audit::{self, Finding},
        context,
    },
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");

/// The state at the office's door, and the app that was told its secret.
async fn office(browser: &Buyer) -> Value {
    browser.get("/api/office/second_factor").await.unwrap()
}

async fn at_the_door(browser: &mut Buyer) {
    let form = [("login", "Lin"), ("password", PASSWORD), ("to", "/office/stock")];
    assert_eq!(browser.post("/api/office/sign_in", &form).await.unwrap().0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_opens_to_nobody_without_a_second_factor() {
    http::in_world(async |world| {
        let app = &world.app;
        account::create_staff(app, "lin", None, PASSWORD.into()).await.unwrap();
        with_own_password(app).await;
        let mut lin = Buyer::new(&world.client, &world.server.url);
        assert_eq!(office(&lin).await, Value::Null, "a stranger");
        at_the_door(&mut lin).await;
        assert_eq!(lin.cookie("xiadan_staff"), None);
        let pending =
            format!("xiadan_staff_pending={0}; xiadan_staff={0}", lin.cookie("xiadan_staff_pending").unwrap());
        for (function, _) in permissions::office() {
            // Those of setting it up are all there is.
            if !function.1.starts_with("office/second_begin") && !function.1.starts_with("office/second_confirm") {
                assert_eq!(world.call(function, &pending).await.status(), 401, "{function:?}");
            }
        }
        assert_eq!(told(app, "signed_in").await, 0);
        let state = office(&lin).await;
        assert_eq!(
            (&state["login"], &state["inside"], &state["second"]),
            (&"lin".into(), &false.into(), &"off".into())
        );
        assert_eq!(lin.post("/api/office/second_begin", &[]).await.unwrap().0, 200);
        let phone = Phone::told(office(&lin).await["second"]["setting_up"]["secret"].as_str().unwrap());
        let (status, _) = lin.post("/api/office/second_confirm", &[("code", &*other(&phone.now()))]).await.unwrap();
        assert_eq!((status, lin.cookie("xiadan_staff")), (422, None));
        assert_eq!(lin.post("/api/office/second_confirm", &[("code", &*phone.now())]).await.unwrap().0, 200);
        assert_eq!(lin.get("/api/office/me").await.unwrap()["login"], "lin");
        let shown = office(&lin).await["second"]["on"]["codes"].clone();
        assert_eq!(shown.as_array().unwrap().len(), RECOVERY_CODES);
        let kept = lin.post("/api/office/second_keep", &[("to", "https://evil.example")]).await.unwrap();
        assert_eq!(kept, (200, Value::from("/office")));
        assert_eq!(office(&lin).await["second"]["on"]["codes"], Value::Array(Vec::new()));
        assert_eq!((told(app, "signed_in").await, told(app, "second_factor_on").await), (1, 1));
        let row = app.db.one("select detail from audit where action = 'signed_in'", args![]).await.unwrap();
        assert_eq!(row.get::<String>("detail").unwrap(), "password and app", "by what is on record");

        // From now on it is asked for.
        let mut next = Buyer::new(&world.client, &world.server.url);
        at_the_door(&mut next).await;
        assert_eq!(next.post("/api/office/second_begin", &[]).await.unwrap().0, 409, "no other one in its place");
        let state = office(&next).await;
        assert_eq!((&state["inside"], &state["second"]["on"]["codes"]), (&false.into(), &Value::Array(Vec::new())));
        let enter = async |browser: &mut Buyer, code: &str| {
            browser.post("/api/office/second_enter", &[("code", code), ("to", "/office/stock")]).await.unwrap()
        };
        let used = phone.of_step(last_step(app).await);
        assert_eq!(wrong(&enter(&mut next, &used).await), "SecondFactor");
        assert_eq!(next.cookie("xiadan_staff"), None);
        later(app).await;
        let stolen = next.clone();
        assert_eq!(enter(&mut next, &phone.now()).await, (200, Value::from("/office/stock")));
        assert_eq!(next.get("/api/office/me").await.unwrap()["login"], "lin");
        later(app).await;
        let mut again = Buyer::new(&world.client, &world.server.url).with_cookies_of(&stolen);
        assert_eq!(wrong(&enter(&mut again, &phone.now()).await), "SignInOver");
        at_the_door(&mut again).await;
        let answer = enter(&mut again, shown[0].as_str().unwrap()).await;
        assert_eq!(answer, (200, Value::from("/office/second?used=1&to=%2Foffice%2Fstock")));
        assert_eq!(office(&again).await["second"]["on"]["left"], 9);
        assert_eq!(told(app, "recovery_code_used").await, 1);

        // A new password ends what waits; the operator can take the second factor away.
        let mut waiting = Buyer::new(&world.client, &world.server.url);
        at_the_door(&mut waiting).await;
        account::create_staff(app, "lin", None, PASSWORD.into()).await.unwrap();
        with_own_password(app).await;
        assert_eq!(office(&waiting).await, Value::Null);
        at_the_door(&mut waiting).await;
        assert_eq!(enter(&mut waiting, &phone.now()).await.0, 200);
        let url = app.config.database_url.clone();
        let options = ["admin", "reset-second-factor", "lin", "--database-url", &url];
        run(PROGRAM, &app.config.data, &options);
        assert!(waiting.get("/api/office/me").await.is_err(), "its sessions are over");
        at_the_door(&mut waiting).await;
        assert_eq!(office(&waiting).await["second"], "off");
        let sql = "select actor, subject from audit where action = 'second_factor_reset'";
        let row = app.db.one(sql, args![]).await.unwrap();
        assert_eq!(
            (row.get::<String>("actor").unwrap(), row.get::<String>("subject").unwrap()),
            ("operator".into(), "staff:lin".into())
        );

        // A session that came to be without one, as in development, opens nothing here.
        let row = app.db.one("select id, password_hash from staff", args![]).await.unwrap();
        let (id, hash): (String, String) = (row.get("id").unwrap(), row.get("password_hash").unwrap());
        account::open_session(app, &id, &hash, "token", context::now()).await.unwrap();
        assert_eq!(world.call(("GET", "office/me", ""), "xiadan_staff=token").await.status(), 401);
        assert!(matches!(audit::verify(app).await, Ok(Finding::Whole(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_lets_a_customer_in_again_who_lost_the_app() {
    http::in_world(async |world| {
        let app = &world.app;
        let li = member(app, LI).await;
        reached_by(&li, EMAIL).await;
        turn_on(&li.ctx).await;
        let url = app.config.database_url.clone();
        let options = ["admin", "reset-second-factor", "--customer", "138 0013 8000", "--database-url", &url];
        run(PROGRAM, &app.config.data, &options);
        assert_eq!(number(app, "select count(*) as n from second_factor").await, 0);
        assert_eq!(number(app, "select count(*) as n from recovery_code").await, 0);
        assert_eq!(number(app, "select count(*) as n from session").await, 0);
        let sql = "select count(*) as n from audit where action = 'second_factor_reset' and actor = 'operator'";
        assert_eq!(number(app, sql).await, 1);
        let mails = posted(app).await;
        assert!(mails.iter().any(|(to, text)| to == EMAIL && text.contains("重置了您的账号的两步验证")), "{mails:?}");
        assert_eq!(mine::reset(app, "nobody@example.com").await, Err(Error::NotFound));
        assert!(matches!(mine::reset(app, "lilei").await, Err(Error::Invalid(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_who_tries_the_shop_gets_in_and_may_set_it_up() {
    in_world(async |world| {
        account::create_staff(&world.app, "lin", None, PASSWORD.into()).await.unwrap();
        let mut lin = world.browser();
        at_the_door(&mut lin).await;
        assert_eq!(lin.get("/api/office/me").await.unwrap()["login"], "lin");
        assert_eq!(lin.post("/api/office/second_begin", &[]).await.unwrap().0, 200);
        let phone = Phone::told(office(&lin).await["second"]["setting_up"]["secret"].as_str().unwrap());
        assert_eq!(lin.post("/api/office/second_confirm", &[("code", &*phone.now())]).await.unwrap().0, 200);
        assert_eq!(office(&lin).await["second"]["on"]["codes"].as_array().unwrap().len(), RECOVERY_CODES);
        later(&world.app).await;
        assert_eq!(lin.post("/api/office/second_renew", &[("code", &*phone.now())]).await.unwrap().0, 200);
        assert_eq!(lin.post("/api/office/sign_out", &[]).await.unwrap().0, 200);
        at_the_door(&mut lin).await;
        assert!(lin.get("/api/office/me").await.is_err(), "from now on it is asked for");
        later(&world.app).await;
        let answer = lin.post("/api/office/second_enter", &[("code", &*phone.now())]).await.unwrap();
        assert_eq!(answer, (200, Value::from("/office")));
        assert_eq!(lin.get("/api/office/me").await.unwrap()["login"], "lin");
    })
    .await;
}
