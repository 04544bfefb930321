//! What people may ask about their own data: a copy, the erasure of the account, and whom it was shared with.

use crate::{
    account::{self, PHONE},
    door::Door,
    member::{Member, columns, dump, enter, exec, member, number, posted, reached_by},
    order::{charge, expire},
    shop::{Piece, books, both, customer, place, staff},
    till::with_till,
};
use futures::{TryStreamExt, future::join_all};
use serde_json::Value;
use std::collections::BTreeMap;
use xiadan::{
    args,
    domain::{
        Error, Locale,
        error::Problem,
        order::State,
        privacy::{COPY_MS, CopyState, DAY_MS, DataCopy, Datum, Proof, Receiver, WAY_BACK_MS},
        time::date_time,
    },
    server::{
        App, Ctx,
        account::profile,
        audit::{self, Finding},
        cart, order,
        payment::{self, Settled},
        privacy, sharing,
    },
};

const MUG: Piece = Piece("mug", 5_000, 100);
const LI: &str = "+8613800138000";
const HAN: &str = "+8613900139000";

/// The entries of a ZIP file, by its directory.
fn unzip(file: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let number = |at: usize, length: usize| {
        file[at..at + length].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let end = file.len() - 22;
    assert_eq!(&file[end..end + 4], b"PK\x05\x06");
    let mut entry = number(end + 16, 4);
    let mut entries = BTreeMap::new();
    for _ in 0..number(end + 10, 2) {
        assert_eq!(&file[entry..entry + 4], b"PK\x01\x02");
        let (size, length, local) = (number(entry + 24, 4), number(entry + 28, 2), number(entry + 42, 4));
        let name = String::from_utf8(file[entry + 46..entry + 46 + length].to_vec()).unwrap();
        let begins = local + 30 + number(local + 26, 2) + number(local + 28, 2);
        let content = file[begins..begins + size].to_vec();
        assert_eq!(number(entry + 16, 4), crc32fast::hash(&content) as usize, "{name}");
        assert!(entries.insert(name, content).is_none());
        entry += 46 + length;
    }
    entries
}

/// A paid order of a customer.
async fn paid(ctx: &Ctx) -> String {
    let number = place(ctx, "mug", 2).await.unwrap();
    let notification = charge(&ctx.app, &number, None).await;
    assert_eq!(payment::settle(&ctx.app, &notification).await, Ok(Settled::Paid));
    number
}

async fn ship(app: &App, number: &str) {
    order::ship(&staff(app), number, "顺丰速运", "SF1234567890").await.unwrap();
}

async fn copy_of(member: &Member) -> DataCopy {
    privacy::overview(&member.ctx).await.unwrap().copy.unwrap()
}

fn at(ctx: &Ctx, now: i64) -> Ctx {
    Ctx { now, ..ctx.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_everything_and_goes_to_its_owner_alone() {
    both(&[MUG], async |app| {
        let (li, han) = (member(&app, LI).await, member(&app, HAN).await);
        profile::set(&li.ctx, "李雷雷", "lilei").await.unwrap();
        let number = paid(&li.ctx).await;
        ship(&app, &number).await;
        place(&han.ctx, "mug", 1).await.unwrap();
        cart::add(&li.ctx, "mug", 3).await.unwrap();

        assert_eq!(privacy::ask(&customer(&app).await).await.unwrap_err(), Error::Unauthenticated);
        assert_eq!(privacy::overview(&li.ctx).await.unwrap().copy, None);
        let asked = join_all((0..8).map(|_| privacy::ask(&li.ctx))).await;
        let asked: Vec<_> = asked.into_iter().map(|copy| copy.unwrap()).collect();
        assert!(asked.iter().all(|copy| *copy == asked[0] && copy.state == CopyState::Asked), "{asked:?}");
        assert_eq!(privacy::run_due(&app, li.ctx.now).await, Ok(1));
        assert_eq!(privacy::run_due(&app, li.ctx.now).await, Ok(0));
        let copy = copy_of(&li).await;
        assert_eq!((copy.state, copy.expires_at), (CopyState::Ready, Some(li.ctx.now + COPY_MS)));
        assert_eq!(privacy::ask(&li.ctx).await.unwrap(), copy, "there is one");
        assert_eq!(privacy::overview(&han.ctx).await.unwrap().copy, None);

        let door = Door::open(&app).await;
        let get = async |cookie: &str, accept: &str| {
            let url = format!("{}/me/privacy/copy/{}", door.url, copy.id);
            door.client.get(url).header("cookie", cookie).header("accept", accept).send().await.unwrap()
        };
        let guest = customer(&app).await;
        let guest = format!(
            "xiadan_guest={0}.{1}",
            guest.customer().unwrap(),
            app.keys.sign("guest", guest.customer().unwrap())
        );
        for (cookie, status) in [("", 401), (&*guest, 401), (&*han.cookie, 404)] {
            assert_eq!(get(cookie, "*/*").await.status(), status, "{cookie}");
        }
        let answer = get(&li.cookie, "text/html").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/zip");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let file = answer.bytes().await.unwrap();
        assert_eq!(i64::try_from(file.len()).unwrap(), copy.bytes.unwrap());
        let entries = unzip(&file);
        let json = |name: &str| serde_json::from_slice::<Value>(&entries[&format!("json/{name}.json")]).unwrap();
        let csv = |name: &str| String::from_utf8(entries[&format!("csv/{name}.csv")].clone()).unwrap();
        assert_eq!(
            (&json("profile")[0]["name"], &json("profile")[0]["user_name"]),
            (&"李雷雷".into(), &"lilei".into())
        );
        assert_eq!(json("contacts")[0]["value"], LI);
        assert_eq!(json("consents").as_array().unwrap().len(), 2);
        assert_eq!(json("devices")[0]["device"], "Chrome · Android");
        assert_eq!(json("passkeys"), Value::Array(Vec::new()));
        assert_eq!(json("cart")[0]["quantity"], 3);
        let orders = json("orders");
        assert_eq!(orders.as_array().unwrap().len(), 1, "no one else's");
        assert_eq!((&orders[0]["number"], &orders[0]["recipient"]), (&Value::from(number.clone()), &"张三".into()));
        assert_eq!((&orders[0]["address"], &orders[0]["note"]), (&"科技园一路 1 号 2 栋 301".into(), &"放门口".into()));
        assert_eq!((&orders[0]["goods"], &orders[0]["tracking_number"]), (&"100.00".into(), &"SF1234567890".into()));
        assert_eq!(json("order_lines")[0]["quantity"], 2);
        assert_eq!(json("payments")[0]["state"], "succeeded");
        assert_eq!(json("shared")[0]["name"], "顺丰速运");
        assert_eq!(json("record")[0]["action"], "data_exported");
        let typed = json("addresses");
        assert!(typed.as_array().unwrap().iter().any(|row| row["field"] == "recipient" && row["value"] == "张三"));
        assert!(csv("orders").starts_with("\u{feff}number,state,") && csv("orders").contains("张三"));
        assert!(!String::from_utf8_lossy(&file).contains("13900139000"), "nothing of anybody else");
        assert!(entries.contains_key("README.txt"));

        for (table, row) in dump(&app).await {
            for secret in ["李雷雷", "13800138000", "张三"] {
                assert!(!row.contains(secret), "{secret} in {table}: {row}");
            }
        }
        assert_eq!(privacy::discard(&han.ctx, &copy.id).await, Err(Error::NotFound));
        assert_eq!(copy_of(&li).await, copy);

        // A browser that was left open gives nothing out.
        exec(&app, "update session set opened_at = opened_at - 960000").await;
        let answer = get(&li.cookie, "text/html").await;
        assert_eq!(answer.status(), 303);
        assert_eq!(answer.headers()["location"], "/sign-in?to=/me/privacy");
        assert_eq!(get(&li.cookie, "*/*").await.status(), 403);

        let over = li.ctx.now + COPY_MS;
        assert_eq!(privacy::download(&at(&li.ctx, over), &copy.id).await.err(), Some(Error::NotFound));
        assert_eq!(privacy::overview(&at(&li.ctx, over)).await.unwrap().copy, None);
        privacy::run_due(&app, over - 1).await.unwrap();
        assert_ne!(self::number(&app, "select count(*) as n from privacy_export_part").await, 0);
        privacy::run_due(&app, over).await.unwrap();
        assert_eq!(self::number(&app, "select count(*) as n from privacy_export_part").await, 0);
        assert!(matches!(audit::verify(&app).await, Ok(Finding::Whole(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_limited_by_the_day_and_can_be_thrown_away() {
    both(&[], async |app| {
        let li = member(&app, LI).await;
        for _ in 0..3 {
            let copy = privacy::ask(&li.ctx).await.unwrap();
            assert_eq!(privacy::run_due(&app, li.ctx.now).await, Ok(1));
            privacy::discard(&li.ctx, &copy.id).await.unwrap();
            privacy::discard(&li.ctx, &copy.id).await.unwrap();
            assert_eq!(privacy::overview(&li.ctx).await.unwrap().copy, None);
        }
        assert_eq!(number(&app, "select count(*) as n from privacy_export_part").await, 0);
        let refused = privacy::ask(&at(&li.ctx, li.ctx.now + 1)).await;
        assert!(matches!(refused, Err(Error::TooMany { retry_after: 86_000..=86_401 })), "{refused:?}");
        let tomorrow = at(&li.ctx, li.ctx.now + DAY_MS);
        assert!(privacy::ask(&tomorrow).await.is_ok());
        // A copy that was never fetched does not stand in the way of a new one, removed or not.
        privacy::run_due(&app, tomorrow.now).await.unwrap();
        assert_eq!(privacy::ask(&at(&li.ctx, tomorrow.now + COPY_MS)).await.unwrap().state, CopyState::Asked);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_fails_is_tried_again_and_given_up_in_the_end() {
    both(&[], async |app| {
        let li = member(&app, LI).await;
        privacy::ask(&li.ctx).await.unwrap();
        exec(&app, "update customer set checkout_sealed = (select target_sealed from account_target)").await;
        let mut now = li.ctx.now;
        for attempt in 1..=5 {
            assert_eq!(privacy::run_due(&app, now).await, Ok(0));
            let state = copy_of(&li).await.state;
            assert_eq!(state, if attempt < 5 { CopyState::Asked } else { CopyState::Failed });
            assert_eq!(privacy::run_due(&app, now + 59_000).await, Ok(0), "not before its time");
            now += attempt * 60_000;
        }
        exec(&app, "update customer set checkout_sealed = null").await;
        assert_eq!(privacy::run_due(&app, now + DAY_MS).await, Ok(0));
        let again = privacy::ask(&at(&li.ctx, now)).await.unwrap();
        // A node that dies at work leaves it to another one, after a while.
        exec(&app, "update privacy_export set state = 'making', attempts = attempts + 1, next_at = next_at + 300000 where state = 'asked'").await;
        assert_eq!(privacy::run_due(&app, now + 299_000).await, Ok(0));
        assert_eq!(privacy::run_due(&app, now + 300_000).await, Ok(1));
        let copy = copy_of(&li).await;
        assert_eq!((copy.id, copy.state), (again.id, CopyState::Ready));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_erased_after_a_week_and_its_orders_belong_to_nobody() {
    both(&[MUG], async |app| {
        let (li, han) = (member(&app, LI).await, member(&app, HAN).await);
        profile::set(&li.ctx, "李雷雷", "lilei").await.unwrap();
        let kept = paid(&li.ctx).await;
        let others = paid(&han.ctx).await;
        let before = order::get(&li.ctx, &kept).await.unwrap();
        let unpaid = place(&li.ctx, "mug", 3).await.unwrap();
        privacy::ask(&li.ctx).await.unwrap();
        privacy::run_due(&app, li.ctx.now).await.unwrap();

        // What is paid has to be sent first, and nothing is half done.
        let refused = privacy::ask_deletion(&li.ctx, String::new()).await;
        assert_eq!(refused, Err(Error::OrdersUnderWay(vec![kept.clone()])));
        assert_eq!(order::get(&li.ctx, &unpaid).await.unwrap().state, State::ToPay);
        assert_eq!(number(&app, "select count(*) as n from session").await, 2);
        ship(&app, &kept).await;

        assert_eq!(books(&app, "mug").await, (96, 3, 4));
        let late = charge(&app, &unpaid, None).await;
        privacy::ask_deletion(&li.ctx, String::new()).await.unwrap();
        privacy::ask_deletion(&at(&li.ctx, li.ctx.now + 5), String::new()).await.unwrap();
        assert_eq!(order::get(&li.ctx, &unpaid).await.unwrap().state, State::Cancelled);
        assert_eq!(books(&app, "mug").await, (96, 0, 4), "what was held is free");
        assert_eq!(number(&app, "select count(*) as n from session").await, 1, "only somebody else's");
        let deletion = privacy::overview(&li.ctx).await.unwrap().deletion.unwrap();
        assert_eq!((deletion.asked_at, deletion.erase_at), (li.ctx.now, li.ctx.now + WAY_BACK_MS), "twice is once");

        // Taken back, and asked for again.
        assert_eq!(privacy::take_back(&han.ctx).await, Ok(()));
        assert!(privacy::overview(&li.ctx).await.unwrap().deletion.is_some(), "nobody else takes it back");
        let late_back = privacy::take_back(&at(&li.ctx, deletion.erase_at)).await;
        assert_eq!(late_back, Err(Error::Conflict));
        privacy::take_back(&at(&li.ctx, deletion.erase_at - 1)).await.unwrap();
        privacy::take_back(&li.ctx).await.unwrap();
        assert_eq!(privacy::overview(&li.ctx).await.unwrap().deletion, None);
        let over = privacy::ask_deletion(&li.ctx, String::new()).await;
        assert_eq!(over, Err(Error::Unauthenticated), "that session ended with the first");
        let li = enter(&li, true).await;
        privacy::ask_deletion(&li.ctx, String::new()).await.unwrap();

        // Money that comes for what was cancelled goes back before anything is erased.
        assert_eq!(payment::settle(&app, &late).await, Ok(Settled::Refunded));
        assert_eq!(privacy::run_due(&app, deletion.erase_at - 1).await, Ok(0));
        assert_eq!(privacy::run_due(&app, deletion.erase_at).await, Ok(0), "a refund is under way");
        assert_eq!(privacy::overview(&li.ctx).await.unwrap().deletion.unwrap().erase_at, deletion.erase_at + DAY_MS);
        exec(&app, "update refund set state = 'succeeded'").await;
        let erased_at = deletion.erase_at + DAY_MS;
        assert_eq!(privacy::run_due(&app, erased_at).await, Ok(1));
        assert_eq!(privacy::run_due(&app, erased_at).await, Ok(0));

        let email = app.keys.lookup("email", "buyer@example.cn");
        let phone = app.keys.lookup("phone", LI);
        for (table, row) in dump(&app).await {
            // The record keeps an id that leads nowhere.
            assert!(table == "audit" || !row.contains(&li.id), "{table}: {row}");
            let theirs = table == "orders" && row.contains(&others);
            for trace in ["lilei", "SF1234567890", &*email, &*phone] {
                assert!(theirs || !row.contains(trace), "{trace} in {table}: {row}");
            }
        }
        assert_eq!(order::get(&li.ctx, &kept).await.unwrap_err(), Error::NotFound);
        assert_eq!(order::get(&han.ctx, &others).await.unwrap().contact.recipient, "张三");
        let office = order::office_get(&staff(&app), &kept, None).await.unwrap().order;
        assert_eq!((office.totals, &office.lines, office.placed_at), (before.totals, &before.lines, before.placed_at));
        assert_eq!((office.contact.region, office.state), (before.contact.region, State::Shipped));
        assert_eq!((office.contact.recipient, office.contact.phone, office.note), (String::new(), None, String::new()));
        assert_eq!(order::office_list(&staff(&app), None, None, 1).await.unwrap().total, 3);
        let found = order::find(&customer(&app).await, &kept, "13800138000").await;
        assert_eq!(found, Err(Error::NotFound));
        // The goods still arrive.
        order::office_complete(&staff(&app), &kept).await.unwrap();
        assert!(matches!(audit::verify(&app).await, Ok(Finding::Whole(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_expired_before_is_not_bought_by_late_money_after_the_erasure() {
    both(&[MUG], async |app| {
        let li = member(&app, LI).await;
        let unpaid = place(&li.ctx, "mug", 1).await.unwrap();
        let late = charge(&app, &unpaid, None).await;
        expire(&app, &unpaid).await;
        privacy::ask_deletion(&li.ctx, String::new()).await.unwrap();
        assert_eq!(privacy::run_due(&app, li.ctx.now + WAY_BACK_MS).await, Ok(1));
        assert_eq!(payment::settle(&app, &late).await, Ok(Settled::Refunded));
        assert_eq!(books(&app, "mug").await, (100, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_erases_an_account_shows_who_that_is() {
    both(&[], async |app| {
        let li = member(&app, LI).await;
        reached_by(&li, "li@example.com").await;
        let ask = async |member: &Member, password: &str| privacy::ask_deletion(&member.ctx, password.to_owned()).await;
        assert_eq!(privacy::ask_deletion(&customer(&app).await, String::new()).await, Err(Error::Unauthenticated));
        let known = enter(&li, false).await;
        assert_eq!(privacy::overview(&known.ctx).await.unwrap().proof, Proof::Code);
        assert_eq!(ask(&known, "x").await, Err(Error::field("password", Problem::Proof)));
        profile::set_password(&li.ctx, String::new(), "correct horse".into()).await.unwrap();
        assert_eq!(privacy::overview(&known.ctx).await.unwrap().proof, Proof::Password);
        assert_eq!(ask(&known, "").await, Err(Error::field("password", Problem::Required)));
        for _ in 0..5 {
            assert_eq!(ask(&known, "wrong horse").await, Err(Error::field("password", Problem::Credentials)));
        }
        let refused = ask(&known, "correct horse").await;
        assert!(matches!(refused, Err(Error::TooMany { .. })), "guessing is held up: {refused:?}");
        assert_eq!(privacy::overview(&known.ctx).await.unwrap().deletion, None);
        let later = Member { ctx: at(&known.ctx, known.ctx.now + 60_000), id: known.id, cookie: known.cookie };
        assert_eq!(
            ask(&later, "correct horse").await,
            Err(Error::Unauthenticated),
            "the new password ended that session"
        );
        let again = Member { ctx: at(&later.ctx, later.ctx.now + 900_000), ..later };
        let entered = enter(&again, false).await;
        for _ in 0..2 {
            ask(&entered, "correct horse").await.unwrap();
        }
        let deletion = privacy::overview(&li.ctx).await.unwrap().deletion.unwrap();
        let told = posted(&app).await;
        assert_eq!(told.len(), 2, "of the password and, once, of the erasure: {told:?}");
        assert!(told[0].1.contains("设置了新密码"), "{told:?}");
        let (to, text) = &told[1];
        assert_eq!(to, "li@example.com");
        let until = date_time(Locale::ZhCn, deletion.erase_at);
        assert!(text.contains(&until) && text.contains("/me/privacy"), "{text}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shared_is_recorded_with_each_order_and_shown_to_its_owner() {
    with_till(&[MUG], async |till| {
        let app = till.app.clone();
        let (li, han) = (member(&app, LI).await, member(&app, HAN).await);
        let number = place(&li.ctx, "mug", 1).await.unwrap();
        // The provider does not answer here; it was asked all the same, and asking again tells it nothing more.
        for _ in 0..2 {
            assert_eq!(payment::start(&li.ctx, &number, None).await, Err(Error::ProviderUnavailable));
        }
        payment::settle(&app, &charge(&app, &number, None).await).await.unwrap();
        ship(&app, &number).await;
        ship(&app, &number).await;
        let shared = sharing::list(&at(&li.ctx, 0), 1).await.unwrap();
        let told: Vec<_> =
            shared.items.iter().map(|s| (s.number.clone(), s.receiver, s.name.clone(), s.data.clone())).collect();
        let carrier = vec![Datum::Recipient, Datum::Phone, Datum::Address];
        assert_eq!(
            told,
            [
                (number.clone(), Receiver::Carrier, "顺丰速运".to_owned(), carrier),
                (number.clone(), Receiver::Payment, "sandbox".to_owned(), vec![Datum::OrderNumber, Datum::Amount]),
            ]
        );
        for stranger in [&han.ctx, &customer(&app).await, &Ctx::system(&app)] {
            assert_eq!(sharing::list(stranger, 1).await.unwrap().total, 0);
        }
        for i in 3..=25i64 {
            let sql = "insert into order_sharing (order_id, sequence, receiver, name, data, at)
                select order_id, $1, receiver, name, data, $1 from order_sharing where sequence = 1";
            app.db
                .write::<_, Error>(move |tx| Box::pin(async move { Ok(tx.exec(sql, args![i]).await?) }))
                .await
                .unwrap();
        }
        let second = sharing::list(&li.ctx, 2).await.unwrap();
        assert_eq!((second.total, second.pages(), second.items.len()), (25, 2, 5));
        assert_eq!(privacy::receivers(&app.config), [Receiver::Carrier, Receiver::Payment]);
        let door = Door::open(&app).await;
        for path in ["/privacy/shared", "/privacy/shared?page=2", "/me/privacy"] {
            let answer =
                door.client.get(format!("{}{path}", door.url)).header("cookie", &li.cookie).send().await.unwrap();
            let (status, page) = (answer.status(), answer.text().await.unwrap());
            assert_eq!(status, 200, "{path}");
            assert_eq!(
                page.contains("顺丰速运") || page.contains("sandbox") || page.contains("沙盒"),
                path.contains("shared")
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_a_customer_is_in_the_copy() {
    both(&[], async |app| {
        for (table, column) in columns(&app).await {
            if column == "customer_id" {
                assert!(privacy::COVERED.contains(&&*table), "{table} is not in the copy of a customer's data");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_within_a_week_leads_to_the_way_back() {
    account::in_world(async |world| {
        let mut li = world.browser();
        world.enter(&mut li, PHONE).await;
        let (status, copy) = li.post("/api/privacy/ask_copy", &[]).await.unwrap();
        assert_eq!(status, 200, "{copy}");
        let mut state = String::new();
        for _ in 0..100 {
            let overview = li.get("/api/privacy/overview").await.unwrap();
            state = overview["copy"]["state"].as_str().unwrap().to_owned();
            if state == "ready" {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert_eq!(state, "ready", "the running shop makes it by itself");
        let (status, page) = li.post("/api/privacy/delete_account", &[("password", "")]).await.unwrap();
        assert_eq!((status, page), (200, Value::from("/me/privacy?done=deletion")));
        assert_eq!(li.cookie("xiadan_session"), None);

        let mut again = world.browser();
        world.later(61_000).await;
        let id = world.ask(&mut again, PHONE).await;
        let code = world.newest().await;
        let form = [("id", &*id), ("code", &code), ("agreed", "1"), ("to", "/cart")];
        let (status, page) = again.post("/api/account/enter", &form).await.unwrap();
        assert_eq!((status, page), (200, Value::from("/me/privacy")), "whatever was asked for");
        assert_ne!(again.get("/api/privacy/overview").await.unwrap()["deletion"], Value::Null);
        assert_eq!(again.post("/api/privacy/keep_account", &[]).await.unwrap().0, 200);
        assert_eq!(again.get("/api/privacy/overview").await.unwrap()["deletion"], Value::Null);
        world.enter(&mut world.browser(), PHONE).await;
    })
    .await;
}

/// What a download consists of.
pub async fn fetched(ctx: &Ctx, id: &str) -> Vec<u8> {
    let parts: Vec<_> = privacy::download(ctx, id).await.unwrap().parts().try_collect().await.unwrap();
    parts.concat()
}
