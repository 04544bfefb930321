//! Lists of products: what they are narrowed to and in which order.

use crate::shop::{both, customer};
use xiadan::{
    args,
    domain::{
        Error,
        catalog::{ListQuery, Sort},
        money::Amount,
    },
    server::{App, Ctx, catalog},
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
