//! Lists of products: what they are narrowed to and in which order.

use crate::{
    client::{Server, Setup, client, free_ports, run},
    member::exec,
    shop::{Piece, Shop, both, customer},
    venues,
};
use std::{
    collections::HashSet,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};
use xiadan::{
    args,
    domain::{
        Error,
        catalog::{Category, ListQuery, MOST_FOUND, OFFERED_BRANDS, PER_PAGE, Sort},
        money::Amount,
    },
    server::{
        App, Ctx,
        catalog::{self, search},
        context::now,
    },
};

/// Handle, days on sale, pieces sold, and the price and stock of each variant.
type Sold = (&'static str, i64, i64, &'static [(i64, i64)]);

const SHELF: &[Sold] = &[
    ("kettle", 30, 5, &[(9_900, 3)]),
    ("lamp", 10, 50, &[(6_900, 0), (23_900, 4)]),
    ("stool", 20, 20, &[(15_000, 2)]),
    ("rug", 1, 1, &[(40_000, 0)]),
];

async fn fill(app: &App) {
    app.db
        .write::<_, Error>(|tx| {
            Box::pin(async move {
                for (handle, days, sales, variants) in SHELF {
                    let (low, high) = (variants.iter().map(|v| v.0).min(), variants.iter().map(|v| v.0).max());
                    let sql = "insert into product (id, handle, status, brand, tags, price_min, price_max, sales, created_at, updated_at)
                        values ($1, $1, 'active', 'Brand', '[]', $2, $3, $4, $5, 0)";
                    tx.exec(sql, args![*handle, low, high, *sales, 1_000 - days]).await?;
                    let sql = "insert into product_text (product_id, locale, title, description_html, seo_title, seo_description, options, tags, words)
                        values ($1, 'zh-CN', $1, '', '', '', '[]', '[]', $2)";
                    tx.exec(sql, args![*handle, format!("{handle} wood")]).await?;
                    for (position, (price, on_hand)) in variants.iter().enumerate() {
                        let id = format!("{handle}-{position}");
                        let sql = "insert into variant (id, product_id, position, sku, barcode, choices, price, grams, backorder, active, version)
                            values ($1, $2, 1, $1, '', '[]', $3, 300, false, true, 1)";
                        tx.exec(sql, args![&id, *handle, *price]).await?;
                        let sql = "insert into stock (variant_id, location, on_hand, held) values ($1, 'main', $2, 0)";
                        tx.exec(sql, args![&id, *on_hand]).await?;
                    }
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

async fn handles(ctx: &Ctx, query: ListQuery) -> Vec<String> {
    let list = catalog::list(ctx, &ListQuery { page: 1, ..query }).await.unwrap();
    list.products.items.into_iter().map(|product| product.handle).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_comes_in_the_order_that_is_asked_for() {
    both(&[], async |app| {
        fill(&app).await;
        let ctx = customer(&app).await;
        let sorted = async |sort, q: Option<&str>| {
            let mut found = handles(&ctx, ListQuery { sort, q: q.map(str::to_owned), ..ListQuery::default() }).await;
            found.retain(|handle| handle != "mug");
            found
        };
        assert_eq!(sorted(Sort::PriceAsc, None).await, ["lamp", "kettle", "stool", "rug"]);
        assert_eq!(
            sorted(Sort::PriceDesc, None).await,
            ["rug", "stool", "kettle", "lamp"],
            "by the price each begins at"
        );
        assert_eq!(sorted(Sort::Newest, None).await, ["rug", "lamp", "stool", "kettle"]);
        assert_eq!(sorted(Sort::Sales, None).await, ["lamp", "stool", "kettle", "rug"]);
        assert_eq!(sorted(Sort::Relevance, Some("stool")).await, ["stool"], "what is not meant is left out");
        assert_eq!(sorted(Sort::Relevance, Some("wood")).await.len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn price_and_stock_are_asked_of_one_variant() {
    both(&[], async |app| {
        fill(&app).await;
        let ctx = customer(&app).await;
        let between = async |low, high, in_stock| {
            let query = ListQuery {
                price_min: Some(Amount(low)),
                price_max: Some(Amount(high)),
                in_stock,
                ..ListQuery::default()
            };
            handles(&ctx, ListQuery { sort: Sort::PriceAsc, ..query }).await
        };
        assert_eq!(between(10_000, 20_000, false).await, ["stool"], "no lamp costs that: 69 or 239");
        assert_eq!(between(5_000, 10_000, false).await, ["lamp", "kettle"]);
        assert_eq!(between(5_000, 10_000, true).await, ["kettle"], "the lamp that is there costs more");
    })
    .await;
}

/// A shelf with two categories at the top, one of them with two below it, and a third one that is empty.
async fn sort_into_categories(app: &App) {
    app.db
        .write::<_, Error>(|tx| {
            Box::pin(async move {
                let categories = [
                    ("garden", None),
                    ("home", None),
                    ("kitchen", Some("home")),
                    ("light", Some("home")),
                    ("toys", None),
                ];
                for (position, (handle, parent)) in (1_i64..).zip(categories) {
                    let sql = "insert into category (id, handle, parent_id, position) values ($1, $1, $2, $3)";
                    tx.exec(sql, args![handle, parent, position]).await?;
                }
                for (product, category) in
                    [("kettle", "kitchen"), ("lamp", "light"), ("stool", "home"), ("rug", "garden")]
                {
                    tx.exec("update product set category_id = $2 where id = $1", args![product, category]).await?;
                }
                tx.exec("update product set brand = 'Other' where id = 'stool'", args![]).await?;
                Ok(())
            })
        })
        .await
        .unwrap();
}

/// The categories that a search offers, each with the number of products found, those below another behind it.
async fn offered(ctx: &Ctx, query: &ListQuery) -> Vec<(String, i64, Vec<(String, i64)>)> {
    let list = catalog::list(ctx, query).await.unwrap();
    let pair = |category: &Category| (category.handle.clone(), category.products);
    let all = list.categories.iter().map(|top| {
        let (handle, products) = pair(top);
        (handle, products, top.children.iter().map(pair).collect())
    });
    all.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_offers_the_categories_of_what_it_found() {
    both(&[], async |app| {
        fill(&app).await;
        sort_into_categories(&app).await;
        let ctx = customer(&app).await;
        let search = ListQuery { q: Some("wood".into()), page: 1, ..ListQuery::default() };
        let of = |handle: &str, products: i64, below: &[(&str, i64)]| {
            let below: Vec<_> = below.iter().map(|(handle, products)| ((*handle).to_owned(), *products)).collect();
            (handle.to_owned(), products, below)
        };
        let all = [of("home", 3, &[("kitchen", 1), ("light", 1)]), of("garden", 1, &[])];
        assert_eq!(offered(&ctx, &search).await, all, "those with the most come first, empty ones not at all");

        let narrowed = ListQuery { category: Some("home".into()), ..search.clone() };
        assert_eq!(offered(&ctx, &narrowed).await, all, "the other categories stay there to be chosen");
        let mut found = handles(&ctx, narrowed.clone()).await;
        found.sort();
        assert_eq!(found, ["kettle", "lamp", "stool"]);

        let in_stock = ListQuery { in_stock: true, brand: vec!["Brand".into()], ..search.clone() };
        assert_eq!(offered(&ctx, &in_stock).await, [of("home", 2, &[("kitchen", 1), ("light", 1)])]);
        let nothing_left = ListQuery { category: Some("garden".into()), ..in_stock };
        assert_eq!(
            offered(&ctx, &nothing_left).await,
            [of("home", 2, &[("kitchen", 1), ("light", 1)]), of("garden", 0, &[])],
            "the chosen one can be given up again"
        );
        let below =
            ListQuery { category: Some("light".into()), q: Some("kettle".into()), page: 1, ..ListQuery::default() };
        assert_eq!(offered(&ctx, &below).await, [of("home", 1, &[("kitchen", 1), ("light", 0)])]);

        let page = ListQuery { category: Some("home".into()), page: 1, ..ListQuery::default() };
        assert!(offered(&ctx, &page).await.is_empty(), "its own page leads to others by itself");
        let unknown = catalog::list(&ctx, &ListQuery { category: Some("nowhere".into()), ..search }).await;
        assert_eq!(unknown, Err(Error::NotFound));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_finds_what_looking_through_all_finds_and_follows_changes() {
    both(&[], async |app| {
        fill(&app).await;
        sort_into_categories(&app).await;
        let ctx = customer(&app).await;
        let pages = async || {
            let all = catalog::list(&ctx, &ListQuery { page: 1, ..ListQuery::default() }).await.unwrap();
            let home = ListQuery { category: Some("home".into()), page: 1, ..ListQuery::default() };
            (all, catalog::list(&ctx, &home).await.unwrap(), catalog::categories(&ctx).await.unwrap())
        };
        let found = async |q: &str| {
            let mut found = handles(&ctx, ListQuery { q: Some(q.to_owned()), ..ListQuery::default() }).await;
            found.sort();
            found
        };
        let asked = ["wood", "stool", "oo", "O", "kettle wood", "马克", "none", "%"];
        let mut before = Vec::new();
        for q in asked {
            before.push(found(q).await);
        }
        let counted = pages().await;
        let among = |word: &str| app.search.find(&[word.to_owned()]);
        assert_eq!(among("stool"), None, "nothing is known yet");
        while search::step(&app, now()).await.unwrap() {}
        assert_eq!(among("stool"), Some(vec!["stool".to_owned()]));
        assert_eq!(among("none"), Some(Vec::new()));
        for (q, before) in asked.into_iter().zip(before) {
            assert_eq!(found(q).await, before, "{q}");
        }
        assert!(app.search.counts().is_some());
        assert_eq!(pages().await, counted, "what is counted once is what is counted each time");

        exec(&app, "update product_text set words = 'stone stool' where product_id = 'rug'").await;
        exec(&app, "update product set updated_at = 4102444800000 where id = 'rug'").await;
        exec(&app, "update product set status = 'archived' where id = 'lamp'").await;
        tokio::time::sleep(search::EVERY).await;
        while search::step(&app, now()).await.unwrap() {}
        assert_eq!(found("stool").await, ["rug", "stool"]);
        assert_eq!(
            found("wood").await,
            ["kettle", "stool"],
            "what is not for sale is not shown, whatever the index says"
        );
    })
    .await;
}

/// 2,500 more products that have the word that all have, each of them sold more often, dearer and newer than the one before;
/// the first 600 have another word besides, and one of them has the word in its title.
async fn fill_up(app: &App) {
    let products =
        "insert into product (id, handle, status, brand, tags, price_min, price_max, sales, created_at, updated_at)
        with recursive n (i) as (select 1 union all select i + 1 from n where i < 2500)
        select 'm' || cast(10000 + i as text), 'm' || cast(10000 + i as text), 'active', 'Mass', '[]', i, i, i, 2000 + i, 0
        from n";
    exec(app, products).await;
    let texts = "insert into product_text (product_id, locale, title, description_html, seo_title, seo_description, options, tags, words)
        select id, 'zh-CN', case when sales = 2000 then 'wood' else id end, '', '', '', '[]', '[]',
            case when sales <= 600 then 'wood common' else 'wood' end
        from product where brand = 'Mass'";
    exec(app, texts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_finds_very_many_is_counted_and_paged_through_so_far() {
    both(&[], async |app| {
        fill(&app).await;
        fill_up(&app).await;
        sort_into_categories(&app).await;
        let ctx = customer(&app).await;
        let wood = ListQuery { q: Some("wood".into()), page: 1, ..ListQuery::default() };
        let list = async |sort, page| catalog::list(&ctx, &ListQuery { sort, page, ..wood.clone() }).await.unwrap();
        let pages = MOST_FOUND / PER_PAGE;

        for sort in Sort::ALL {
            let mut shown = HashSet::new();
            for page in [1, 2, 3, 50, pages - 1, pages] {
                let found = list(sort, page).await;
                assert!(found.more && found.partial, "{sort:?}");
                assert_eq!((found.products.total, found.products.pages()), (MOST_FOUND, pages), "{sort:?}");
                assert_eq!(found.products.items.len() as i64, PER_PAGE, "{sort:?} {page}");
                for product in found.products.items {
                    assert!(shown.insert(product.handle.clone()), "{} comes twice: {sort:?} {page}", product.handle);
                }
            }
            assert!(list(sort, pages + 1).await.products.items.is_empty(), "{sort:?}");
        }
        let first = async |sort| -> Vec<String> {
            let items = list(sort, 1).await.products.items;
            items.into_iter().take(5).map(|product| product.handle).collect()
        };
        assert_eq!(first(Sort::Relevance).await, ["m12000", "m12500", "m12499", "m12498", "m12497"]);
        assert_eq!(first(Sort::Sales).await, ["m12500", "m12499", "m12498", "m12497", "m12496"]);
        assert_eq!(first(Sort::Newest).await, ["m12500", "m12499", "m12498", "m12497", "m12496"]);
        assert_eq!(first(Sort::PriceAsc).await, ["m10001", "m10002", "m10003", "m10004", "m10005"]);
        assert_eq!(first(Sort::PriceDesc).await, ["rug", "stool", "kettle", "lamp", "m12500"]);

        // Neither the rug nor its brand is among those that sell best.
        let narrow = async |query: ListQuery| {
            let found = catalog::list(&ctx, &query).await.unwrap();
            assert!(found.partial && !found.more);
            let mut handles: Vec<_> = found.products.items.into_iter().map(|product| product.handle).collect();
            handles.sort();
            (found.products.total, handles)
        };
        let named = |names: &[&str]| -> Vec<String> { names.iter().map(|&name| name.to_owned()).collect() };
        let garden = ListQuery { category: Some("garden".into()), ..wood.clone() };
        assert_eq!(narrow(garden).await, (1, named(&["rug"])));
        let brand = ListQuery { brand: vec!["Brand".into()], ..wood.clone() };
        assert_eq!(narrow(brand).await, (3, named(&["kettle", "lamp", "rug"])));

        // The index tells the same, with names or with none.
        let asked = ["wood", "common"].map(|q| ListQuery { q: Some(q.to_owned()), ..wood.clone() });
        let told = async || {
            let mut told = Vec::new();
            for query in &asked {
                for (sort, page) in Sort::ALL.into_iter().flat_map(|sort| [(sort, 1), (sort, 25)]) {
                    told.push(catalog::list(&ctx, &ListQuery { sort, page, ..query.clone() }).await.unwrap());
                }
            }
            told
        };
        let before = told().await;
        while search::step(&app, now()).await.unwrap() {}
        let among = |word: &str| app.search.find(&[word.to_owned()]).map(|names| names.len());
        assert_eq!((among("wood"), among("common")), (None, Some(600)));
        assert_eq!(told().await, before);
        let common = &before[before.len() - 1];
        assert_eq!((common.products.total, common.more, common.partial), (600, false, false));
        assert_eq!(common.brands, [("Mass".to_owned(), 600)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_node_finds_what_another_process_imports() {
    const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");
    const LONG: Duration = Duration::from_secs(30);
    for postgres in [false, true] {
        let shop = Shop::open(postgres).await;
        shop.sell(&[Piece("mug", 5_000, 10)]).await;
        let (client, url) = (client(), shop.app.config.database_url.clone());
        let data = shop.folder.path();
        let setup = Setup { program: PROGRAM, data, site: PathBuf::from("none"), ports: free_ports() };
        let server = Server::start_with(&setup, &["--database-url", &url], &client).await;
        let get =
            async |path: &str| client.get(format!("{}{path}", server.url)).send().await.unwrap().text().await.unwrap();
        let begun = Instant::now();
        while get("/metrics").await.lines().any(|line| line == "search_index_bytes 0") {
            assert!(begun.elapsed() < LONG, "the index is not filled");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(get("/search?q=%E9%A9%AC%E5%85%8B").await.contains("/p/mug"));
        assert!(!get("/search?q=rare-1").await.contains("/p/rare-lamp"));

        let file = data.join("more.csv");
        fs::write(&file, "Handle,Title,SKU,Price,Status\nrare-lamp,罕见台灯,RARE-1,159,active\n").unwrap();
        run(PROGRAM, data, &["--database-url", &url, "import", "shopify", file.to_str().unwrap()]);
        let begun = Instant::now();
        while !get("/search?q=rare-1").await.contains("/p/rare-lamp") {
            assert!(begun.elapsed() < LONG, "what was imported is not found");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        shop.app.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brand_that_was_chosen_is_offered_however_few_products_it_has() {
    both(&[], async |app| {
        fill(&app).await;
        app.db
            .write::<_, Error>(|tx| {
                Box::pin(async move {
                    for n in 0..2 * OFFERED_BRANDS {
                        let sql = "insert into product (id, handle, status, brand, tags, price_min, price_max, sales, created_at, updated_at)
                            values ($1, $1, 'active', $2, '[]', 100, 100, 0, 0, 0)";
                        tx.exec(sql, args![format!("p{n}"), format!("Maker {:04}", n / 2)]).await?;
                    }
                    tx.exec("update product set brand = 'Rare' where id = 'rug'", args![]).await?;
                    Ok(())
                })
            })
            .await
            .unwrap();
        let ctx = customer(&app).await;
        let brands = async |brand: &[&str]| {
            let brand = brand.iter().map(|&name| name.to_owned()).collect();
            catalog::list(&ctx, &ListQuery { brand, page: 1, ..ListQuery::default() }).await.unwrap().brands
        };
        let all = brands(&[]).await;
        assert_eq!(i64::try_from(all.len()), Ok(OFFERED_BRANDS));
        assert!(!all.iter().any(|(brand, _)| brand == "Rare"));
        let with = brands(&["Rare", "Maker 0001"]).await;
        assert_eq!(with.len(), all.len() + 1, "no other brand comes or goes");
        assert_eq!(with.last(), Some(&("Rare".to_owned(), 1)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ways_to_bookings_are_those_of_which_the_shop_has_something() {
    both(&[], async |app| {
        fill(&app).await;
        sort_into_categories(&app).await;
        let ctx = customer(&app).await;
        let ways = async || -> Vec<String> {
            let home = catalog::home(&ctx).await.unwrap().ways;
            assert_eq!(catalog::ways(&ctx).await, Ok(home.clone()), "the foot of the page says the same");
            home.into_iter().map(|way| way.href).collect()
        };
        assert!(ways().await.is_empty(), "goods alone");
        venues::open(&app).await;
        assert_eq!(ways().await, ["/stays", "/tables", "/trips"], "services are in no category yet");
        exec(&app, "update product set category_id = 'light' where id = 'spa'").await;
        exec(&app, "update product set status = 'draft' where id = 'bus'").await;
        assert_eq!(ways().await, ["/stays", "/tables", "/c/home"], "by the category at the top");
    })
    .await;
}
