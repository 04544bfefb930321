//! What belongs to a person: addresses, favourites, what was looked at, and choices; from outside, over HTTP, and by those
//! who would like to read another's.

use crate::{
    account::{World, in_world},
    client::Buyer,
};
use serde_json::Value;
use std::time::Duration;
use xiadan::{
    args,
    domain::{
        address_book::MAX_ADDRESSES,
        catalog::{KEPT_PER_PAGE, MAX_FAVOURITES, MAX_VIEWED},
        choice::{Channel, Topic},
    },
    server::{account::choices, db::DbError},
};

const LI: &str = "13800138000";
const HAN: &str = "han@example.com";

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

async fn signed_in(world: &World, target: &str) -> Buyer {
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

/// Puts more products on sale: `p00`, `p01`, …
async fn stock_up(world: &World, count: usize) {
    let write = world.app.db.write::<_, DbError>(move |tx| {
        Box::pin(async move {
            for n in 0..count {
                let id = format!("p{n:02}");
                let sql = "insert into product (id, handle, status, brand, tags, price_min, price_max, sales, created_at, updated_at)
                    values ($1, $1, 'active', 'Brand', '[]', 1, 1, 0, 0, 0)";
                tx.exec(sql, args![&id]).await?;
                let sql = "insert into product_text (product_id, locale, title, description_html, seo_title, seo_description, options, tags, words)
                    values ($1, 'zh-CN', $1, '', '', '', '[]', '[]', $1)";
                tx.exec(sql, args![&id]).await?;
            }
            Ok(())
        })
    });
    write.await.unwrap();
}

async fn like(browser: &mut Buyer, product: &str, wanted: &str) -> u16 {
    let form = [("product_id", product), ("wanted", wanted)];
    browser.post("/api/catalog/set_favourite", &form).await.unwrap().0
}

fn handles(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["card"]["handle"].as_str().unwrap().to_owned()).collect()
}

async fn favourites(browser: &Buyer) -> Vec<String> {
    handles(&browser.get("/api/catalog/favourites?page=1").await.unwrap())
}

async fn viewed(browser: &Buyer) -> Vec<String> {
    handles(&browser.get("/api/catalog/viewed?page=1").await.unwrap()["products"])
}

/// Looks at a product, and waits until that is remembered.
async fn look(browser: &Buyer, handle: &str) {
    browser.get(&format!("/api/catalog/product?handle={handle}")).await.unwrap();
    for _ in 0..100 {
        if viewed(browser).await.first().is_some_and(|first| first == handle) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{handle} is not remembered");
}

#[tokio::test(flavor = "multi_thread")]
async fn favourites_are_a_guests_too_and_none_is_lost_at_sign_in() {
    in_world(async |world| {
        stock_up(&world, 3).await;
        let mut home = signed_in(&world, LI).await;
        for product in ["p", "p00"] {
            assert_eq!(like(&mut home, product, "true").await, 200);
        }
        let mut guest = world.browser();
        assert_eq!(like(&mut guest, "p00", "false").await, 200, "a browser without a customer has none to take away");
        assert_eq!(guest.cookie("xiadan_guest"), None);
        for product in ["p00", "p01", "p01"] {
            assert_eq!(like(&mut guest, product, "true").await, 200);
        }
        assert_eq!(like(&mut guest, "unknown", "true").await, 404);
        assert_eq!(favourites(&guest).await, ["p01", "p00"]);
        assert_eq!(guest.get("/api/catalog/is_favourite?handle=p01").await.unwrap(), true);
        assert_eq!(guest.get("/api/catalog/is_favourite?handle=mug").await.unwrap(), false);
        assert_eq!(favourites(&world.browser()).await, Vec::<String>::new());
        assert_eq!(favourites(&home).await, ["p00", "mug"], "nobody sees another's");

        let before = guest.clone();
        world.enter(&mut guest, LI).await;
        assert_eq!(favourites(&home).await, ["p01", "p00", "mug"]);
        assert_eq!(favourites(&before).await, Vec::<String>::new(), "they are the account's now");

        // One that is taken away and put back is where it was.
        let page = home.get("/api/catalog/favourites?page=1").await.unwrap();
        let at = page["items"][1]["at"].to_string();
        assert_eq!(like(&mut home, "p00", "false").await, 200);
        assert_eq!(favourites(&home).await, ["p01", "mug"]);
        let back = [("product_id", "p00"), ("wanted", "true"), ("at", &*at)];
        assert_eq!(home.post("/api/catalog/set_favourite", &back).await.unwrap().0, 200);
        assert_eq!(favourites(&home).await, ["p01", "p00", "mug"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn favourites_tell_price_and_stock_of_now_page_by_page_up_to_their_bound() {
    in_world(async |world| {
        let count = MAX_FAVOURITES as usize;
        stock_up(&world, count).await;
        let mut guest = world.browser();
        assert_eq!(like(&mut guest, "p", "true").await, 200);
        let fill = world.app.db.write::<_, DbError>(|tx| {
            Box::pin(async move {
                let sql = "insert into favourite (customer_id, product_id, added_at)
                    select f.customer_id, p.id, 1 from favourite f, product p where p.id <> 'p' and p.id <> 'p00'";
                tx.exec(sql, args![]).await?;
                tx.exec("update product set status = 'archived' where id = 'p01'", args![]).await
            })
        });
        fill.await.unwrap();
        let first = guest.get("/api/catalog/favourites?page=1").await.unwrap();
        assert_eq!((&first["total"], &first["per_page"]), (&MAX_FAVOURITES.into(), &KEPT_PER_PAGE.into()));
        assert_eq!(handles(&first).len(), usize::try_from(KEPT_PER_PAGE).unwrap());
        let mug = &first["items"][0];
        assert_eq!(
            (&mug["card"]["handle"], &mug["card"]["in_stock"], &mug["sold"]),
            (&"mug".into(), &true.into(), &true.into())
        );
        let last = guest.get(&format!("/api/catalog/favourites?page={}", MAX_FAVOURITES / 20)).await.unwrap();
        let gone = last["items"].as_array().unwrap().iter().find(|item| item["card"]["handle"] == "p01").unwrap();
        assert_eq!((&gone["sold"], &gone["card"]["in_stock"]), (&false.into(), &false.into()));

        let form = [("product_id", "p00"), ("wanted", "true")];
        let (status, answer) = guest.post("/api/catalog/set_favourite", &form).await.unwrap();
        assert_eq!((status, &answer["Invalid"]["favourite"]["Full"]), (422, &MAX_FAVOURITES.into()));
        assert_eq!(like(&mut guest, "p", "true").await, 200, "what is there already is no more");
        assert_eq!(like(&mut guest, "p02", "false").await, 200);
        assert_eq!(like(&mut guest, "p00", "true").await, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_looked_at_is_remembered_for_its_customer_until_it_is_cleared_or_refused() {
    in_world(async |world| {
        let many = usize::try_from(MAX_VIEWED).unwrap() + 2;
        stock_up(&world, many).await;
        // A look alone makes nobody a customer.
        let stranger = world.browser();
        stranger.get("/api/catalog/product?handle=mug").await.unwrap();
        assert_eq!(viewed(&stranger).await, Vec::<String>::new());
        assert_eq!(stranger.cookie("xiadan_guest"), None);

        let mut guest = world.browser();
        like(&mut guest, "p", "true").await;
        for n in 0..many {
            look(&guest, &format!("p{n:02}")).await;
        }
        look(&guest, "p10").await;
        let first = guest.get("/api/catalog/viewed?page=1").await.unwrap();
        assert_eq!((&first["products"]["total"], &first["remembered"]), (&MAX_VIEWED.into(), &true.into()));
        let shown = handles(&first["products"]);
        assert_eq!((&*shown[0], &*shown[1]), ("p10", "p51"), "once, with the last time");
        assert_eq!(viewed(&signed_in(&world, HAN).await).await, Vec::<String>::new(), "nobody sees another's");

        assert_eq!(guest.post("/api/catalog/clear_viewed", &[]).await.unwrap().0, 200);
        assert_eq!(viewed(&guest).await, Vec::<String>::new());
        look(&guest, "mug").await;

        for _ in 0..2 {
            assert_eq!(guest.post("/api/catalog/remember_viewed", &[("wanted", "false")]).await.unwrap().0, 200);
        }
        let none = guest.get("/api/catalog/viewed?page=1").await.unwrap();
        assert_eq!((&none["products"]["total"], &none["remembered"]), (&0.into(), &false.into()));
        guest.get("/api/catalog/product?handle=mug").await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(viewed(&guest).await, Vec::<String>::new());
        assert_eq!(guest.post("/api/catalog/remember_viewed", &[("wanted", "true")]).await.unwrap().0, 200);
        look(&guest, "mug").await;
        let rows = world.count("select count(*) as n from consent where purpose = 'viewed'").await;
        assert_eq!(rows, 2, "each change of mind is on record, once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_looked_at_joins_the_account_and_the_newest_choice_holds() {
    in_world(async |world| {
        stock_up(&world, 3).await;
        let mut home = signed_in(&world, LI).await;
        look(&home, "p00").await;
        look(&home, "p01").await;
        let mut guest = world.browser();
        like(&mut guest, "p", "true").await;
        look(&guest, "p02").await;
        look(&guest, "p00").await;
        world.enter(&mut guest, LI).await;
        assert_eq!(viewed(&home).await, ["p00", "p02", "p01"]);

        // The guest of another browser refused it later than the account chose it.
        home.post("/api/catalog/remember_viewed", &[("wanted", "false")]).await.unwrap();
        home.post("/api/catalog/remember_viewed", &[("wanted", "true")]).await.unwrap();
        look(&home, "p00").await;
        let mut refuser = world.browser();
        refuser.post("/api/catalog/remember_viewed", &[("wanted", "false")]).await.unwrap();
        world.enter(&mut refuser, LI).await;
        let now = home.get("/api/catalog/viewed?page=1").await.unwrap();
        assert_eq!((&now["remembered"], &now["products"]["total"]), (&false.into(), &0.into()));

        // And one whose choice is older changes nothing.
        let mut older = world.browser();
        older.post("/api/catalog/remember_viewed", &[("wanted", "false")]).await.unwrap();
        home.post("/api/catalog/remember_viewed", &[("wanted", "true")]).await.unwrap();
        world.enter(&mut older, LI).await;
        assert_eq!(home.get("/api/catalog/viewed?page=1").await.unwrap()["remembered"], true);
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
