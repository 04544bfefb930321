//! The demo shop: what a first visitor sees has no gaps.

use super::*;
use std::collections::BTreeSet;

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
            categories(&shop).await;
            products(&shop).await;
            pictures(&shop).await;
        }
    })
    .await;
}

/// Categories in two levels, none of them nearly empty, each with a name in both languages.
async fn categories(shop: &Shop) {
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
    assert!(upper >= 10 && lower >= 20, "{upper} categories with {lower} below them");
}

/// Every product is described in both languages and can be bought.
async fn products(shop: &Shop) {
    let sql = "select p.handle, p.status, p.brand, p.category_id, p.price_min, p.image,
            (select count(*) from product_text t where t.product_id = p.id and t.title <> '' and t.description_html <> '') as texts,
            (select count(distinct t.title) from product_text t where t.product_id = p.id) as titles,
            (select count(*) from product_image i where i.product_id = p.id) as pictures,
            (select count(*) from product_image i where i.product_id = p.id and i.alt = '') as unsaid,
            (select count(*) from variant v where v.product_id = p.id and v.active and v.price > 0) as variants,
            (select count(*) from variant v where v.product_id = p.id and (not v.active or v.price <= 0)) as others
        from product p";
    let products = shop.rows(sql).await;
    assert!(products.len() >= 80, "{}", products.len());
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
