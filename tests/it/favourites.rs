//! What a customer keeps of the catalogue: favourites, and what was looked at last.

use crate::{
    account::{World, in_world},
    client::Buyer,
    personal::{HAN, LI, signed_in},
};
use serde_json::Value;
use std::time::{Duration, Instant};
use xiadan::{
    args,
    domain::catalog::{KEPT_PER_PAGE, MAX_FAVOURITES, MAX_VIEWED},
    server::db::DbError,
};

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
    let begun = Instant::now();
    while viewed(browser).await.first().is_none_or(|first| first != handle) {
        assert!(begun.elapsed() < Duration::from_secs(30), "{handle} is not remembered");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
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
