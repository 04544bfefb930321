//! What belongs to a person: addresses and choices; from outside, over HTTP, and by those who would like to read another's.

use crate::{
    account::{World, in_world},
    client::Buyer,
};
use serde_json::Value;
use xiadan::{
    args,
    domain::{
        address_book::MAX_ADDRESSES,
        choice::{Channel, Topic},
    },
    server::{account::choices, db::DbError},
};

pub const LI: &str = "13800138000";
pub const HAN: &str = "han@example.com";

/// A form of an address with some of its fields.
fn address<'a>(recipient: &'a str, detail: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut form = vec![
        ("address[contact][recipient]", recipient),
        ("address[contact][country_code]", "+86"),
        ("address[contact][phone]", "138 0013 8000"),
        ("address[contact][province]", "440000"),
        ("address[contact][city]", "440300"),
        ("address[contact][district]", "440305"),
        ("address[contact][detail]", detail),
    ];
    form.extend(more);
    form
}

async fn save(browser: &mut Buyer, form: &[(&str, &str)]) -> (u16, Value) {
    browser.post("/api/account/save_address", form).await.unwrap()
}

async fn book(browser: &Buyer) -> Vec<Value> {
    browser.get("/api/account/addresses").await.unwrap().as_array().unwrap().clone()
}

fn id(address: &Value) -> String {
    address["id"].as_str().unwrap().to_owned()
}

async fn status(browser: &Buyer, path: &str) -> u16 {
    browser.get(path).await.err().and_then(|error| error.status()).map_or(200, |status| status.as_u16())
}

pub async fn signed_in(world: &World, target: &str) -> Buyer {
    let mut browser = world.browser();
    world.enter(&mut browser, target).await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_kept_changed_and_deleted_and_one_is_the_default() {
    in_world(async |world| {
        let mut li = signed_in(&world, LI).await;
        assert_eq!(book(&li).await, Vec::<Value>::new());
        let home = address("李雷", "科技园一路 1 号", &[("address[label]", "home")]);
        // Sent twice it is one.
        for _ in 0..2 {
            assert_eq!(save(&mut li, &home).await.0, 200);
        }
        let own = [("address[label]", "own"), ("address[label_text]", " 爸妈家 ")];
        assert_eq!(save(&mut li, &address("李建国", "南海大道 2 号", &own)).await.0, 200);
        let saved = book(&li).await;
        assert_eq!(saved.len(), 2);
        assert_eq!((&saved[0]["is_default"], &saved[1]["is_default"]), (&Value::from(true), &Value::from(false)));
        assert_eq!((&saved[0]["label"], &saved[1]["label"]["own"]), (&Value::from("home"), &Value::from("爸妈家")));
        assert_eq!(saved[0]["contact"]["phone"], "+8613800138000");
        assert!(saved[0]["region_name"].as_str().unwrap().contains("南山区"), "{}", saved[0]["region_name"]);

        let (first, second) = (id(&saved[0]), id(&saved[1]));
        assert_eq!(li.post("/api/account/set_default_address", &[("id", &second)]).await.unwrap().0, 200);
        assert_eq!(id(&book(&li).await[0]), second);

        // The form of one shows what it says; changed it is the same one.
        let page = li.get(&format!("/api/account/address?id={first}&draft=false")).await.unwrap();
        assert_eq!(page["input"]["contact"]["detail"], "科技园一路 1 号");
        assert_eq!((&page["input"]["label"], &page["is_default"]), (&Value::from("home"), &Value::from(false)));
        assert!(page["districts"].as_array().unwrap().len() > 3);
        let moved = [("address[id]", &*first), ("address[label]", "company"), ("address[is_default]", "1")];
        assert_eq!(save(&mut li, &address("李雷", "科技园三路 3 号", &moved)).await.0, 200);
        let saved = book(&li).await;
        assert_eq!((saved.len(), id(&saved[0])), (2, first.clone()));
        assert_eq!(
            (&saved[0]["label"], &saved[0]["contact"]["detail"]),
            (&"company".into(), &"科技园三路 3 号".into())
        );

        // Changed into another it is that one: two that are the same are one.
        let same = [("address[id]", &*second), ("address[label]", "")];
        assert_eq!(save(&mut li, &address("李雷", "科技园三路 3 号", &same)).await.0, 200);
        let saved = book(&li).await;
        assert_eq!((saved.len(), id(&saved[0]), &saved[0]["is_default"]), (1, second.clone(), &Value::from(true)));

        save(&mut li, &address("李建国", "南海大道 2 号", &[])).await;
        assert_eq!(li.post("/api/account/delete_address", &[("id", &second)]).await.unwrap().0, 200);
        let saved = book(&li).await;
        assert_eq!((saved.len(), &saved[0]["is_default"]), (1, &Value::from(true)), "another one takes its place");
        assert_eq!(li.post("/api/account/delete_address", &[("id", &second)]).await.unwrap().0, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_address_is_told_by_field_and_what_was_typed_is_kept() {
    in_world(async |world| {
        let mut li = signed_in(&world, LI).await;
        let wrong = [("address[label]", "own"), ("address[contact][phone]", "1")];
        let (status, answer) = save(&mut li, &wrong).await;
        assert_eq!(status, 422, "{answer}");
        let fields: Vec<_> = answer["Invalid"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["detail", "district", "label_text", "phone", "recipient"]);
        let page = li.get("/api/account/address?draft=true").await.unwrap();
        assert_eq!((&page["input"]["contact"]["phone"], &page["input"]["label"]), (&"1".into(), &"own".into()));
        let fresh = li.get("/api/account/address?draft=false").await.unwrap();
        assert_eq!(fresh["input"]["contact"]["phone"], "");
        // Without script a button asks for the cities of a province.
        let region = [("address[contact][province]", "440000"), ("address[label]", "home"), ("step", "region")];
        assert_eq!(save(&mut li, &region).await.0, 200);
        let page = li.get("/api/account/address?draft=true").await.unwrap();
        assert!(page["cities"].as_array().unwrap().len() > 10 && page["districts"].as_array().unwrap().is_empty());
        assert_eq!(page["input"]["label"], "home");
        assert_eq!(book(&li).await.len(), 0);
        assert_eq!(save(&mut li, &address("李雷", "科技园一路 1 号", &[])).await.0, 200);
        let page = li.get("/api/account/address?draft=true").await.unwrap();
        assert_eq!(page["input"]["label"], "", "what was saved is no draft any more");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_book_is_full_at_its_bound_however_many_come_at_once() {
    in_world(async |world| {
        let li = signed_in(&world, LI).await;
        let details: Vec<_> = (0..MAX_ADDRESSES + 6).map(|n| format!("科技园路 {n} 号")).collect();
        let sent = details.iter().map(|detail| {
            let mut browser = li.clone();
            async move { save(&mut browser, &address("李雷", detail, &[])).await }
        });
        let answers = futures::future::join_all(sent).await;
        let saved = answers.iter().filter(|(status, _)| *status == 200).count();
        assert_eq!(saved, MAX_ADDRESSES as usize);
        let refused: Vec<_> = answers.iter().filter(|(status, _)| *status != 200).collect();
        assert!(
            refused.iter().all(|(status, answer)| *status == 422 && answer["Invalid"]["book"]["Full"] == MAX_ADDRESSES),
            "{refused:?}"
        );
        let saved = book(&li).await;
        assert_eq!(saved.len(), MAX_ADDRESSES as usize);
        assert_eq!(saved.iter().filter(|address| address["is_default"] == true).count(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_or_changes_the_addresses_of_somebody_else() {
    in_world(async |world| {
        let mut li = signed_in(&world, LI).await;
        save(&mut li, &address("李雷", "科技园一路 1 号", &[("address[label]", "home")])).await;
        let before = book(&li).await;
        let theirs = id(&before[0]);
        let mut han = signed_in(&world, HAN).await;
        save(&mut han, &address("韩梅梅", "南海大道 2 号", &[])).await;

        for id in [&*theirs, "unknown"] {
            assert_eq!(status(&han, &format!("/api/account/address?id={id}&draft=false")).await, 404);
            let moved = address("韩梅梅", "深南大道 9 号", &[("address[id]", id)]);
            assert_eq!(save(&mut han, &moved).await, (404, Value::from("NotFound")));
            for name in ["delete_address", "set_default_address"] {
                let answer = han.post(&format!("/api/account/{name}"), &[("id", id)]).await.unwrap();
                assert_eq!(answer, (404, Value::from("NotFound")), "{name}");
            }
            let fill = [("step", "address"), ("address", id), ("form[recipient]", "韩")];
            assert_eq!(han.post("/api/order/save_checkout", &fill).await.unwrap().0, 404);
        }
        let kept = han.get("/api/order/checkout").await.unwrap();
        assert_eq!(kept["form"]["recipient"], "韩", "what was typed is kept all the same");
        assert_eq!(kept["addresses"].as_array().unwrap().len(), 1);
        assert_eq!(book(&li).await, before);
        assert_eq!(book(&han).await.len(), 1);

        // A sealed address that is put into another's row does not open.
        let sql = "update address set sealed = (select a.sealed from address a where a.id = $1) where id <> $1";
        world
            .app
            .db
            .write::<_, DbError>(move |tx| {
                let id = theirs.clone();
                Box::pin(async move { tx.exec(sql, args![id]).await })
            })
            .await
            .unwrap();
        assert_eq!(status(&han, "/api/account/addresses").await, 500);
        let mut stranger = world.browser();
        assert_eq!(status(&stranger, "/api/account/addresses").await, 401);
        assert_eq!(save(&mut stranger, &address("无名", "南海大道 2 号", &[])).await.0, 401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_in_no_table_in_clear() {
    in_world(async |world| {
        let mut li = signed_in(&world, LI).await;
        let own = [("address[label]", "own"), ("address[label_text]", "爸妈家")];
        save(&mut li, &address("李雷雷", "科技园一路 1 号", &own)).await;
        save(&mut li, &[("address[contact][recipient]", "李雷雷"), ("step", "region")]).await;
        let row = world.app.db.one("select id, contact_hash, sealed from address", args![]).await.unwrap();
        let draft = world.app.db.one("select address_draft_sealed as sealed from account", args![]).await.unwrap();
        let sealed = [row.get::<Vec<u8>>("sealed").unwrap(), draft.get::<Vec<u8>>("sealed").unwrap()].concat();
        let text = format!("{}{}", row.get::<String>("id").unwrap(), row.get::<String>("contact_hash").unwrap());
        for secret in ["李雷雷", "科技园", "爸妈家", "13800138000"] {
            assert!(!text.contains(secret), "{secret}");
            let found = sealed.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checkout_begins_with_the_default_and_a_choice_fills_it() {
    in_world(async |world| {
        let mut li = signed_in(&world, LI).await;
        save(&mut li, &address("李雷", "科技园一路 1 号", &[])).await;
        save(&mut li, &address("李建国", "南海大道 2 号", &[])).await;
        let saved = book(&li).await;
        let (home, parents) = (id(&saved[0]), id(&saved[1]));
        li.post("/api/cart/add", &[("variant_id", "mug"), ("quantity", "1")]).await.unwrap();

        let page = li.get("/api/order/checkout").await.unwrap();
        assert_eq!((&page["form"]["recipient"], &page["form"]["phone"]), (&"李雷".into(), &"13800138000".into()));
        assert_eq!((&page["form"]["district"], &page["cart"]["region"]), (&"440305".into(), &"440305".into()));
        assert_eq!((&page["signed_in"], page["addresses"].as_array().unwrap().len()), (&Value::from(true), 2));

        // A choice fills the form and leaves the wishes.
        let fill =
            [("form[note]", "放门口"), ("form[payment_method]", "paypal"), ("step", "address"), ("address", &parents)];
        assert_eq!(li.post("/api/order/save_checkout", &fill).await.unwrap().0, 200);
        let page = li.get("/api/order/checkout").await.unwrap();
        assert_eq!((&page["form"]["recipient"], &page["form"]["note"]), (&"李建国".into(), &"放门口".into()));

        // Going on after another choice without script is that choice; the fields that were shown are not meant.
        let shown = [
            ("form[recipient]", "李建国"),
            ("form[phone]", "13800138000"),
            ("form[province]", "440000"),
            ("form[city]", "440300"),
            ("form[district]", "440305"),
            ("form[detail]", "南海大道 2 号"),
            ("form[payment_method]", "alipay"),
        ];
        let with = |more: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
            let all = shown.iter().chain(more);
            all.map(|(name, value)| (*name, (*value).to_owned())).collect()
        };
        let post = async |li: &mut Buyer, form: Vec<(&'static str, String)>| {
            let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            li.post("/api/order/save_checkout", &form).await.unwrap()
        };
        let chosen = with(&[("address", &home), ("address_shown", &parents)]);
        assert_eq!(post(&mut li, chosen).await.0, 200);
        let review = li.get("/api/order/review").await.unwrap();
        assert_eq!(review["checkout"]["contact"]["detail"], "科技园一路 1 号");
        // Where the choice is as it was shown, what was typed over it is meant.
        let typed = with(&[("address", &home), ("address_shown", &home), ("form[save_address]", "1")]);
        assert_eq!(post(&mut li, typed).await.0, 200);
        let review = li.get("/api/order/review").await.unwrap();
        assert_eq!(review["checkout"]["contact"]["detail"], "南海大道 2 号");
        assert_eq!(book(&li).await.len(), 2, "it is there already");
        // To type another one.
        assert_eq!(post(&mut li, with(&[("address", "another"), ("step", "address")])).await.0, 200);
        let page = li.get("/api/order/checkout").await.unwrap();
        assert_eq!((&page["form"]["recipient"], &page["form"]["payment_method"]), (&"".into(), &"alipay".into()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_typed_at_checkout_is_saved_where_asked_for_and_once() {
    in_world(async |world| {
        let mut li = signed_in(&world, LI).await;
        let form = |detail: &'static str, save: &'static str| {
            [
                ("form[recipient]", "李雷"),
                ("form[phone]", "13800138000"),
                ("form[province]", "440000"),
                ("form[city]", "440300"),
                ("form[district]", "440305"),
                ("form[detail]", detail),
                ("form[payment_method]", "alipay"),
                ("form[save_address]", save),
            ]
        };
        let post = async |browser: &mut Buyer, form: &[(&str, &str)]| {
            browser.post("/api/order/save_checkout", form).await.unwrap()
        };
        assert_eq!(post(&mut li, &form("科技园一路 1 号", "")).await.0, 200);
        assert_eq!(book(&li).await.len(), 0);
        // What is wrong is not saved, and the box stays ticked.
        assert_eq!(post(&mut li, &form("", "1")).await.0, 422);
        let page = li.get("/api/order/checkout").await.unwrap();
        assert_eq!((&page["form"]["save_address"], book(&li).await.len()), (&"1".into(), 0));
        for _ in 0..2 {
            assert_eq!(post(&mut li, &form("科技园一路 1 号", "1")).await.0, 200);
        }
        let saved = book(&li).await;
        assert_eq!((saved.len(), &saved[0]["is_default"], &saved[0]["label"]), (1, &true.into(), &Value::Null));
        let page = li.get("/api/order/checkout").await.unwrap();
        assert_eq!(page["form"]["save_address"], "", "the next order asks anew");

        for n in 1..MAX_ADDRESSES {
            let detail = format!("科技园路 {n} 号");
            assert_eq!(save(&mut li, &address("李雷", &detail, &[])).await.0, 200);
        }
        let (status, answer) = post(&mut li, &form("南海大道 2 号", "1")).await;
        assert_eq!((status, &answer["Invalid"]["save_address"]["Full"]), (422, &MAX_ADDRESSES.into()));
        assert_eq!(post(&mut li, &form("南海大道 2 号", "")).await.0, 200);

        // A guest has no book, and is not refused for it.
        let mut guest = world.browser();
        assert_eq!(post(&mut guest, &form("科技园一路 1 号", "1")).await.0, 200);
        let page = guest.get("/api/order/checkout").await.unwrap();
        assert_eq!((&page["signed_in"], &page["addresses"]), (&Value::from(false), &Value::Array(Vec::new())));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn choices_are_kept_and_offers_need_an_agreement_on_record() {
    in_world(async |world| {
        let mut li = signed_in(&world, LI).await;
        let choices_of = async |browser: &Buyer| browser.get("/api/account/choices").await.unwrap();
        let wants = async |topic: Topic, channel: Channel| {
            let row = world.app.db.one("select customer_id from account", args![]).await.unwrap();
            let customer: String = row.get("customer_id").unwrap();
            let read = world.app.db.read::<_, xiadan::domain::Error>(move |tx| {
                let customer = customer.clone();
                Box::pin(async move { choices::wants(tx, &customer, topic, channel).await })
            });
            read.await.unwrap()
        };
        let first = choices_of(&li).await;
        assert_eq!((first["wanted"].as_array().unwrap().len(), &first["recommendation"]), (6, &false.into()));
        assert_eq!(first["reached"], Value::from(vec!["phone"]));
        assert!(wants(Topic::Order, Channel::Email).await && !wants(Topic::Marketing, Channel::Phone).await);
        let recorded = "select count(*) as n from consent where purpose in ('marketing', 'recommendation')";
        assert_eq!(world.count(recorded).await, 0, "nothing was chosen");

        let chosen = [("wanted[order_phone]", "1"), ("wanted[marketing_email]", "1"), ("recommendation", "1")];
        for _ in 0..2 {
            assert_eq!(li.post("/api/account/set_choices", &chosen).await.unwrap().0, 200);
        }
        let now = choices_of(&li).await;
        assert_eq!((now["wanted"].as_array().unwrap().len(), &now["recommendation"]), (2, &true.into()));
        assert!(wants(Topic::Marketing, Channel::Email).await && !wants(Topic::Order, Channel::Email).await);
        assert_eq!(world.count(recorded).await, 2, "once each, with the version");
        assert_eq!(world.count("select count(*) as n from consent where purpose = 'marketing' and granted").await, 1);

        // Withdrawn, it holds at once; both are on record.
        assert_eq!(li.post("/api/account/set_choices", &[("wanted[order_phone]", "1")]).await.unwrap().0, 200);
        assert!(!wants(Topic::Marketing, Channel::Email).await);
        assert_eq!(choices_of(&li).await["recommendation"], false);
        assert_eq!(world.count(recorded).await, 4);

        let han = signed_in(&world, HAN).await;
        assert_eq!(choices_of(&han).await["wanted"].as_array().unwrap().len(), 6, "nobody chooses for another");
    })
    .await;
}
