//! Who works in the office, from the first sign-in to the last.

use crate::{
    client::run,
    http::{World, in_world},
    member::{exec, member, number},
    second,
};
use serde_json::Value;
use std::time::Duration;
use xiadan::{
    args,
    domain::permission::Role,
    server::{
        account,
        audit::{self, Finding},
        context::now,
        crypto,
    },
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");
const ME: (&str, &str, &str) = ("GET", "office/me", "");

async fn call(world: &World, function: (&str, &str, &str), cookie: &str) -> (u16, Value) {
    let answer = world.call(function, cookie).await;
    (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
}

/// Another session of somebody who works here.
async fn session(world: &World, login: &str) -> String {
    let row = world.app.db.one("select id, password_hash from staff where login = $1", args![login]).await.unwrap();
    let (id, hash): (String, String) = (row.get("id").unwrap(), row.get("password_hash").unwrap());
    let token = crypto::token().unwrap();
    account::open_session(&world.app, &id, &hash, &token, now()).await.unwrap();
    format!("xiadan_staff={token}")
}

/// What was done, as the record says it.
async fn told(world: &World, actions: &[&str]) -> Vec<String> {
    let rows = world.app.db.all("select actor, action, subject, detail from audit order by sequence", args![]).await;
    let rows = rows.unwrap();
    let wanted = rows.iter().filter(|row| actions.contains(&&*row.get::<String>("action").unwrap()));
    wanted
        .map(|row| ["actor", "action", "subject", "detail"].map(|column| row.get::<String>(column).unwrap()).join(" "))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_the_operator_chose_opens_nothing_but_its_own_replacement() {
    in_world(async |world| {
        let app = &world.app;
        account::create_staff(app, "lin", Some(Role::Owner), "correct horse".into()).await.unwrap();
        second::staff_with_phone(app, "lin").await;
        let (cookie, other) = (session(&world, "lin").await, session(&world, "lin").await);
        for function in [ME, ("GET", "office/orders", "page=1"), ("GET", "office/people", "")] {
            assert_eq!(call(&world, function, &cookie).await, (403, "PasswordFirst".into()), "{function:?}");
        }
        let own = ("GET", "office/own_password", "");
        assert_eq!(call(&world, own, &cookie).await.1["first"], true);
        for (typed, wrong) in [("correct+horse", "PasswordSame"), ("password", "PasswordCommon")] {
            let set = format!("new={typed}");
            let answer = call(&world, ("POST", "office/set_password", &set), &cookie).await;
            assert_eq!((answer.0, &answer.1["Invalid"]["new"]), (422, &wrong.into()), "{typed}");
        }
        let set = ("POST", "office/set_password", "new=battery+staple&to=/office/stock");
        assert_eq!(call(&world, set, "").await.0, 401);
        assert_eq!(call(&world, set, &cookie).await, (200, "/office/stock".into()));
        assert_eq!(call(&world, ME, &cookie).await.1["login"], "lin");
        assert_eq!(call(&world, ME, &other).await.0, 401, "the others are over");
        assert_eq!(call(&world, own, &cookie).await.1["first"], false);

        // From now on it is shown before another one is set.
        for (old, wrong) in [("", "Required"), ("correct+horse", "Credentials")] {
            let set = format!("old={old}&new=staple+battery");
            let answer = call(&world, ("POST", "office/set_password", &set), &cookie).await;
            assert_eq!((answer.0, &answer.1["Invalid"]["old"]), (422, &wrong.into()), "{old}");
        }
        let set = ("POST", "office/set_password", "old=battery+staple&new=staple+battery");
        assert_eq!(call(&world, set, &cookie).await.0, 200);
        assert_eq!(told(&world, &["password_set"]).await, ["staff:lin password_set staff:lin "; 2]);
        account::create_staff(app, "lin", None, "correct horse".into()).await.unwrap();
        assert_eq!(call(&world, ME, &session(&world, "lin").await).await.0, 403, "the operator chose again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_the_office_ends_after_an_hour_without_use() {
    in_world(async |world| {
        let app = &world.app;
        let cookie = world.staff_as("lin", None, now()).await;
        let seen = async || number(app, "select seen_at as n from staff_session").await;
        exec(app, "update staff_session set seen_at = seen_at - 3540000").await;
        let before = seen().await;
        // A page that was left open takes its feed up again by itself.
        let feed = world.get("/live?topics=office", &cookie).send().await.unwrap();
        assert_eq!(feed.status(), 200);
        drop(feed);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(seen().await, before);
        assert_eq!(call(&world, ME, &cookie).await.0, 200, "59 minutes");
        for _ in 0..50 {
            if seen().await > before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(seen().await > before + 3_000_000, "that was a use");

        let over = ("GET", "office/session_over", "");
        assert_eq!(call(&world, over, &cookie).await, (200, false.into()));
        exec(app, "update staff_session set seen_at = seen_at - 3600001").await;
        assert_eq!(call(&world, ME, &cookie).await.0, 401);
        assert_eq!(call(&world, over, &cookie).await, (200, true.into()), "the page to sign in says so");
        assert_eq!(call(&world, over, "").await, (200, false.into()), "to nobody else");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_sees_who_works_here_and_signs_out_and_removes_others() {
    in_world(async |world| {
        let owner = world.staff_as("lin", Some(Role::Owner), now()).await;
        let hua = world.staff_as("hua", Some(Role::Warehouse), now()).await;
        let people = call(&world, ("GET", "office/people", ""), &owner).await.1;
        let of = |n: usize| {
            let person = &people[n];
            assert!(person["signed_in_at"].is_i64() && person["second_factor"] == true && person["sessions"] == 1);
            (person["login"].as_str().unwrap(), person["role"].as_str().unwrap(), person["own"].as_bool().unwrap())
        };
        assert_eq!((of(0), of(1)), (("hua", "warehouse", false), ("lin", "owner", true)));
        for function in ["office/end_sessions", "office/remove_staff"] {
            assert_eq!(call(&world, ("POST", function, "login=+Lin"), &owner).await.0, 403, "not oneself");
            assert_eq!(call(&world, ("POST", function, "login=wei"), &owner).await.0, 404);
        }
        assert_eq!(call(&world, ME, &hua).await.0, 200);
        assert_eq!(call(&world, ("POST", "office/end_sessions", "login=hua"), &owner).await.0, 200);
        assert_eq!(call(&world, ME, &hua).await.0, 401);
        let hua = session(&world, "hua").await;
        assert_eq!(call(&world, ("POST", "office/remove_staff", "login=hua"), &owner).await.0, 200);
        assert_eq!(call(&world, ("POST", "office/remove_staff", "login=hua"), &owner).await.0, 404);
        assert_eq!(call(&world, ME, &hua).await.0, 401);
        for (table, left) in [("staff", 1), ("staff_session", 1), ("second_factor", 1)] {
            let row = world.app.db.one(format!("select count(*) as n from {table}"), args![]).await.unwrap();
            assert_eq!(row.get::<i64>("n").unwrap(), left, "{table}");
        }
        let done = told(&world, &["sessions_ended", "staff_removed"]).await;
        assert_eq!(done, ["staff:lin sessions_ended staff:hua 1 ended", "staff:lin staff_removed staff:hua warehouse"]);
        assert!(matches!(audit::verify(&world.app).await, Ok(Finding::Whole(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_who_remove_each_other_one_stays() {
    in_world(async |world| {
        let lin = world.staff_as("lin", Some(Role::Owner), now()).await;
        let hua = world.staff_as("hua", Some(Role::Owner), now()).await;
        let (removes_hua, removes_lin) =
            (("POST", "office/remove_staff", "login=hua"), ("POST", "office/remove_staff", "login=lin"));
        let (by_lin, by_hua) = tokio::join!(call(&world, removes_hua, &lin), call(&world, removes_lin, &hua));
        let mut answers = [by_lin.0, by_hua.0];
        answers.sort_unstable();
        assert_eq!(answers, [200, 401]);
        assert_eq!(number(&world.app, "select count(*) as n from staff").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_removes_and_signs_out_staff_customers_and_everybody() {
    in_world(async |world| {
        let app = &world.app;
        let lin = world.staff_as("lin", Some(Role::Owner), now()).await;
        let hua = world.staff_as("hua", Some(Role::Warehouse), now()).await;
        member(app, "+8613800138000").await;
        member(app, "+8613800138001").await;
        let url = app.config.database_url.clone();
        let admin = |args: &[&str]| {
            let args: Vec<_> = ["admin"].iter().chain(args).copied().chain(["--database-url", &*url]).collect();
            run(PROGRAM, &app.config.data, &args);
        };
        admin(&["remove", "hua"]);
        assert_eq!((call(&world, ME, &hua).await.0, call(&world, ME, &lin).await.0), (401, 200));
        admin(&["sign-out", "lin"]);
        assert_eq!(call(&world, ME, &lin).await.0, 401);
        admin(&["sign-out", "--customer", "138 0013 8000"]);
        assert_eq!(number(app, "select count(*) as n from session").await, 1);
        let lin = session(&world, "lin").await;
        admin(&["sign-out", "--all"]);
        assert_eq!(number(app, "select count(*) as n from session").await, 0);
        assert_eq!(call(&world, ME, &lin).await.0, 401);
        let done = told(&world, &["sessions_ended", "staff_removed"]).await;
        assert_eq!(
            done[..2],
            ["operator staff_removed staff:hua warehouse", "operator sessions_ended staff:lin 1 ended"]
        );
        assert_eq!((done.len(), &*done[3]), (4, "operator sessions_ended everybody 2 ended"));
    })
    .await;
}
