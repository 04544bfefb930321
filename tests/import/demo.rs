//! The demo shop: what a first visitor sees has no gaps.

use super::*;
use std::collections::BTreeSet;
use xiadan::server::{Ctx, booking, review};

#[tokio::test]
async fn the_demo_shop_is_complete() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
    both(|shop| {
        let demo = demo.clone();
        async move {
            for (locale, file) in [(Locale::ZhCn, "products.zh-CN.csv"), (Locale::En, "products.en.csv")] {
                for again in [false, true] {
                    let report = shop.run(&demo.join(file), ImportOptions { locale, ..ImportOptions::default() }).await;
                    assert!(report.products >= 80 && report.problems.is_empty(), "{file}: {}", report.text(Locale::En));
                    assert_eq!(if again { report.unchanged } else { report.created }, report.products, "{file}");
                }
            }
            categories(&shop, 10, 20).await;
            products(&shop, 80).await;
            pictures(&shop).await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_services_of_the_demo_shop_can_be_booked() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
    both(|shop| {
        let demo = demo.clone();
        async move {
            let list = fs::read_to_string(demo.join("services.json")).unwrap();
            booking::demo::take_over(&shop.app, &list).await.unwrap();
            assert!(
                shop.rows("select product_id from venue").await.is_empty(),
                "without products there is nothing to do"
            );
            for (locale, file) in [(Locale::ZhCn, "services.zh-CN.csv"), (Locale::En, "services.en.csv")] {
                let report = shop.run(&demo.join(file), ImportOptions { locale, ..ImportOptions::default() }).await;
                assert!(report.products == 10 && report.problems.is_empty(), "{file}: {}", report.text(Locale::En));
            }
            categories(&shop, 1, 4).await;
            products(&shop, 10).await;
            pictures(&shop).await;
            let mut before = Vec::new();
            for again in [false, true] {
                booking::demo::take_over(&shop.app, &list).await.unwrap();
                let sql = "select resource_id, start_at, end_at from claim order by resource_id, start_at";
                let claims: Vec<_> = shop.rows(sql).await.iter().map(|row| format!("{row:?}")).collect();
                assert!(!again || claims == before, "nobody's time is taken twice");
                before = claims;
            }
            let reviews = fs::read_to_string(demo.join("reviews.json")).unwrap();
            for _ in 0..2 {
                review::demo::take_over(&shop.app, &reviews).await.unwrap();
            }
            let sql = "select p.handle from product p where p.rating_count = 0 or p.rating_count <>
                (select count(*) from review r where r.product_id = p.id)";
            assert!(shop.rows(sql).await.is_empty(), "each service has reviews, and they are counted once");
            bookable(&shop).await;
        }
    })
    .await;
}

/// Each service has an offer for each variant, and somebody who is free and somebody who is busy.
async fn bookable(shop: &Shop) {
    let sql = "select p.handle, p.kind, v.id, (select count(*) from offer f where f.variant_id = v.id) as offers,
            (select count(*) from claim c join resource r on r.id = c.resource_id where r.product_id = p.id) as claims
        from variant v join product p on p.id = v.product_id";
    let variants = shop.rows(sql).await;
    assert!(variants.len() >= 20, "{}", variants.len());
    let ctx = Ctx::system(&shop.app);
    for row in variants {
        let (handle, variant): (String, String) = (row.get("handle").unwrap(), row.get("id").unwrap());
        assert_eq!(
            (row.get::<String>("kind").unwrap().as_str(), row.get::<i64>("offers")),
            ("service", Ok(1)),
            "{handle}"
        );
        assert!(row.get::<i64>("claims").unwrap() > 0, "{handle}: everybody has time");
        let choice = booking::choice(&ctx, &variant, Default::default()).await.unwrap();
        assert!(!choice.slots.is_empty() && choice.workers.len() >= 2, "{handle}: {choice:?}");
        assert!(
            choice.workers.iter().all(|worker| !worker.languages.is_empty() && !worker.rating.is_none()),
            "{handle}"
        );
        assert!(!choice.place.is_empty(), "{handle}: where");
    }
}

/// Categories in two levels, none of them nearly empty, each with a name in both languages.
async fn categories(shop: &Shop, at_least_upper: usize, at_least_lower: usize) {
    let sql = "select c.handle, c.parent_id, p.parent_id as above,
            (select count(*) from category_text t where t.category_id = c.id and t.title <> '') as names,
            (select count(*) from category s where s.parent_id = c.id) as below,
            (select count(*) from product x where x.category_id = c.id) as own,
            (select count(*) from product x join category s on s.id = x.category_id where s.parent_id = c.id) as inside
        from category c left join category p on p.id = c.parent_id";
    let (mut upper, mut lower) = (0, 0);
    for row in shop.rows(sql).await {
        let (handle, count): (String, _) = (row.get("handle").unwrap(), |name: &str| row.get::<i64>(name).unwrap());
        assert_eq!(count("names"), 2, "{handle} has a name in both languages");
        assert_eq!(row.get("above"), Ok(None::<String>), "{handle}: there are two levels");
        if row.get::<Option<String>>("parent_id").unwrap().is_none() {
            assert!(count("below") >= 2 && count("inside") >= 5, "{handle} has something to choose from");
            assert_eq!(count("own"), 0, "{handle}: products are in the lower level");
            upper += 1;
        } else {
            assert!(count("own") >= 2, "{handle} is not nearly empty");
            lower += 1;
        }
    }
    assert!(upper >= at_least_upper && lower >= at_least_lower, "{upper} categories with {lower} below them");
}

/// Every product is described in both languages and can be bought.
async fn products(shop: &Shop, at_least: usize) {
    let sql = "select p.handle, p.status, p.brand, p.category_id, p.price_min, p.image,
            (select count(*) from product_text t where t.product_id = p.id and t.title <> '' and t.description_html <> '') as texts,
            (select count(distinct t.title) from product_text t where t.product_id = p.id) as titles,
            (select count(*) from product_image i where i.product_id = p.id) as pictures,
            (select count(*) from product_image i where i.product_id = p.id and i.alt = '') as unsaid,
            (select count(*) from variant v where v.product_id = p.id and v.active and v.price > 0) as variants,
            (select count(*) from variant v where v.product_id = p.id and (not v.active or v.price <= 0)) as others
        from product p";
    let products = shop.rows(sql).await;
    assert!(products.len() >= at_least, "{}", products.len());
    for row in products {
        let text = |name: &str| row.get::<Option<String>>(name).unwrap().unwrap_or_default();
        let (handle, count) = (text("handle"), |name: &str| row.get::<i64>(name).unwrap());
        assert_eq!((&*text("status"), count("texts"), count("titles")), ("active", 2, 2), "{handle}: two languages");
        assert!(!text("brand").is_empty() && !text("category_id").is_empty(), "{handle}: brand and category");
        assert!(!text("image").is_empty() && count("pictures") >= 1, "{handle}: a picture");
        assert!(count("price_min") > 0 && count("variants") >= 1, "{handle}: a price");
        assert_eq!((count("unsaid"), count("others")), (0, 0), "{handle}");
    }
}

/// No picture is there twice, by its content; and each is a file that the shop has.
async fn pictures(shop: &Shop) {
    let rows = shop.rows("select media from product_image").await;
    let names: BTreeSet<String> = rows.iter().map(|row| row.get("media").unwrap()).collect();
    assert_eq!(names.len(), rows.len(), "every picture is another one");
    let contents: BTreeSet<_> =
        names.iter().map(|name| fs::read(shop.app.media.path(name).unwrap()).unwrap()).collect();
    assert_eq!(contents.len(), rows.len());
}
