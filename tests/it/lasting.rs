//! Pages that strangers share: each lasts until something of it changes, on whichever node that is, and for a second where a
//! change may go unheard.

use crate::{
    door::Door,
    member::exec,
    order::charge,
    shop::{Piece, Shop, customer, place, staff},
    venues,
};
use reqwest::header::ETAG;
use std::time::{Duration, Instant};
use tokio::{sync::watch, task::JoinHandle, time::sleep};
use xiadan::{
    args,
    domain::live::Topic,
    server::{
        App,
        db::DbError,
        jobs, nodes, order,
        payment::{self, Settled},
        review, start, stock,
    },
};

const MUG: Piece = Piece("mug", 5_000, 2);
/// Far longer than it takes on a busy machine, and far shorter than a page lasts.
const LONG: Duration = Duration::from_secs(30);

/// A node that serves pages, tells others of changes and hears of theirs, and looks for those of imports.
struct Node {
    app: App,
    door: Door,
    jobs: JoinHandle<()>,
    others: JoinHandle<()>,
    /// Nothing stops while it is there.
    stop: watch::Sender<bool>,
}

impl Node {
    async fn run(app: App) -> Self {
        let (stop, stopping) = watch::channel(false);
        let jobs = tokio::spawn(jobs::run(app.clone(), stopping.clone()));
        let others = tokio::spawn(nodes::run(app.clone(), stopping));
        let node = Self { door: Door::open(&app).await, app, jobs, others, stop };
        node.hears_all(true).await;
        node
    }

    async fn hears_all(&self, all: bool) {
        let begun = Instant::now();
        while self.app.live.hears_all() != all {
            assert!(begun.elapsed() < LONG, "whether it hears of every change is not {all}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.door.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    }

    /// What each of some pages is told by: it is another one where a page was made anew that shows something else.
    async fn tags(&self, paths: &[&str]) -> Vec<String> {
        let mut tags = Vec::new();
        for path in paths {
            let answer = self.door.get(path).await;
            assert_eq!(answer.status(), 200, "{path}");
            tags.push(answer.headers()[ETAG].to_str().unwrap().to_owned());
        }
        tags
    }

    /// What the mug costs, as its page tells machines.
    async fn price(&self) -> String {
        let page = self.page("/p/mug").await;
        let (_, price) = page.split_once("\"price\":\"").expect("a price");
        price.split_once('"').expect("its end").0.to_owned()
    }

    async fn is_in_stock(&self) -> bool {
        self.page("/p/mug").await.contains("schema.org/InStock")
    }

    /// Waits until the mug costs so much.
    async fn shows(&self, price: &str) {
        let begun = Instant::now();
        while self.price().await != price {
            assert!(begun.elapsed() < LONG, "not {price}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.jobs.abort();
        self.others.abort();
    }
}

/// Sells a lamp beside the mug, each in a category of its own.
async fn sell_a_lamp(app: &App) {
    for sql in [
        "insert into category (id, handle, parent_id, position) values ('c1', 'tea', null, 1)",
        "insert into category (id, handle, parent_id, position) values ('c2', 'light', null, 2)",
        "update product set category_id = 'c1' where id = 'p'",
        "insert into product (id, handle, status, brand, category_id, tags, price_min, price_max, sales, created_at, updated_at)
            values ('l', 'lamp', 'active', 'Brand', 'c2', '[]', 9000, 9000, 0, 0, 0)",
        "insert into product_text (product_id, locale, title, description_html, seo_title, seo_description, options, tags, words)
            values ('l', 'zh-CN', '台灯', '', '', '', '[]', '[]', '台灯')",
        "insert into variant (id, product_id, position, sku, barcode, choices, price, grams, backorder, active, version)
            values ('lamp', 'l', 1, 'lamp', '', '[]', 9000, 300, false, true, 1)",
        "insert into stock (variant_id, location, on_hand, held, imported) values ('lamp', 'main', 5, 0, 5)",
    ] {
        exec(app, sql).await;
    }
}

/// Sells more in the category of the mug than fits on a page of a list, and three pieces of each.
async fn sell_many(app: &App) {
    let sold = app.db.write::<_, DbError>(|tx| {
        Box::pin(async move {
            for n in 0..30 {
                let id = format!("x{n}");
                let sql = "insert into product (id, handle, status, brand, category_id, tags, price_min, price_max, sales, created_at, updated_at)
                    values ($1, $1, 'active', 'Brand', 'c1', '[]', 1, 1, 3, 0, 0)";
                tx.exec(sql, args![&id]).await?;
                let sql = "insert into product_text (product_id, locale, title, description_html, seo_title, seo_description, options, tags, words)
                    values ($1, 'zh-CN', $1, '', '', '', '[]', '[]', $1)";
                tx.exec(sql, args![&id]).await?;
                let sql = "insert into variant (id, product_id, position, sku, barcode, choices, price, grams, backorder, active, version)
                    values ($1, $1, 1, $1, '', '[]', 100, 300, false, true, 1)";
                tx.exec(sql, args![&id]).await?;
            }
            Ok(())
        })
    });
    sold.await.unwrap();
}

/// Orders mugs, and pays for them.
async fn buy(app: &App, pieces: i64) -> String {
    let number = place(&customer(app).await, "mug", pieces).await.unwrap();
    assert_eq!(payment::settle(app, &charge(app, &number, None).await).await, Ok(Settled::Paid));
    number
}

/// A second node of a shop: its database and its data folder are the same.
async fn two(shop: &Shop) -> (Node, Node) {
    let beside = start::open(shop.app.config.clone()).await.unwrap();
    (Node::run(shop.app.clone()).await, Node::run(beside).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_lasts_until_something_of_it_changes() {
    for postgres in [false, true] {
        let shop = Shop::open(postgres).await;
        shop.sell(&[MUG]).await;
        exec(
            &shop.app,
            "insert into review (id, product_id, variant_id, author, stars, body, written_at, changed_at, version)
            values ('r', 'p', 'mug', '', 5, '杯子很好用', 1, 1, 1)",
        )
        .await;
        exec(&shop.app, "update product set rating_sum = 5, rating_count = 1").await;
        let node = Node::run(shop.app.clone()).await;
        let (app, lin) = (&node.app, staff(&shop.app));

        // By hand, of which nobody tells. On a busy machine a sign of life may be late, and the page is made anew.
        let begun = Instant::now();
        loop {
            let before = node.price().await;
            exec(app, "update variant set price = price + 100").await;
            sleep(Duration::from_millis(1_500)).await;
            if node.price().await == before {
                break;
            }
            assert!(begun.elapsed() < LONG, "it is made anew each second");
            node.hears_all(true).await;
        }

        stock::set_price(&lin, "mug", 1, "60", "").await.unwrap();
        assert_eq!(node.price().await, "60.00");
        assert!(node.is_in_stock().await);
        let number = place(&customer(app).await, "mug", 2).await.unwrap();
        assert!(!node.is_in_stock().await, "all are held");
        order::office_cancel(&lin, &number).await.unwrap();
        assert!(node.is_in_stock().await);
        stock::adjust(&lin, "mug", 0, 2, 0).await.unwrap();
        assert!(!node.is_in_stock().await);

        assert!(node.page("/p/mug").await.contains("杯子很好用"));
        review::answer(&lin, "r", "谢谢您的评价").await.unwrap();
        assert!(node.page("/p/mug").await.contains("谢谢您的评价"));
        review::hide(&lin, "r", "与商品无关").await.unwrap();
        assert!(!node.page("/p/mug").await.contains("杯子很好用"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_drops_the_pages_that_show_what_was_ordered_and_no_others() {
    const DROPPED: [&str; 4] = ["/p/mug", "/c/tea", "/search", "/"];
    const KEPT: [&str; 2] = ["/p/lamp", "/c/light"];
    for postgres in [false, true] {
        let shop = Shop::open(postgres).await;
        shop.sell(&[Piece("mug", 5_000, 1_000)]).await;
        sell_a_lamp(&shop.app).await;
        let node = Node::run(shop.app.clone()).await;
        eprintln!("on {}", node.app.db.kind().as_str());
        for paid in [false, true] {
            // On a busy machine a sign of life may be late, and the search index is filled and counted at the beginning: then
            // every page is made anew.
            let begun = Instant::now();
            loop {
                let (dropped, kept) = (node.tags(&DROPPED).await, node.tags(&KEPT).await);
                // By hand, of which nobody tells: who shows it was made anew.
                exec(&node.app, "update product_text set title = title || '.'").await;
                if paid {
                    buy(&node.app, 1).await;
                } else {
                    place(&customer(&node.app).await, "mug", 1).await.unwrap();
                }
                for ((path, before), after) in DROPPED.iter().zip(dropped).zip(node.tags(&DROPPED).await) {
                    assert_ne!(before, after, "{path}, paid: {paid}");
                }
                if node.tags(&KEPT).await == kept {
                    break;
                }
                assert!(begun.elapsed() < LONG, "made anew with each order, paid: {paid}");
                sleep(Duration::from_millis(200)).await;
                node.hears_all(true).await;
            }
        }
        // Of what is not an order all pages may show something.
        let before = node.tags(&KEPT).await;
        exec(&node.app, "update product_text set title = title || '.'").await;
        node.app.live.changed(Topic::Product("p".into()));
        for (before, after) in before.iter().zip(node.tags(&KEPT).await) {
            assert_ne!(*before, after);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_what_is_in_stock_changes_with_every_stock() {
    for postgres in [false, true] {
        let shop = Shop::open(postgres).await;
        shop.sell(&[MUG]).await;
        sell_a_lamp(&shop.app).await;
        let node = Node::run(shop.app.clone()).await;
        let lists = async |has: bool| {
            for path in ["/search?stock=1", "/search?stock=1&sort=newest", "/c/tea?stock=1"] {
                let shown = node.page(path).await.contains("\"/p/mug\"");
                assert_eq!(shown, has, "{path} on {}", node.app.db.kind().as_str());
            }
        };
        lists(true).await;
        let number = place(&customer(&node.app).await, "mug", 2).await.unwrap();
        lists(false).await;
        order::office_cancel(&staff(&node.app), &number).await.unwrap();
        lists(true).await;
        stock::adjust(&staff(&node.app), "mug", 0, 2, 0).await.unwrap();
        lists(false).await;
        stock::adjust(&staff(&node.app), "mug", 1, 0, 3).await.unwrap();
        lists(true).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sells_well_comes_into_lists_that_did_not_show_it() {
    for postgres in [false, true] {
        let shop = Shop::open(postgres).await;
        shop.sell(&[Piece("mug", 5_000, 100)]).await;
        sell_a_lamp(&shop.app).await;
        sell_many(&shop.app).await;
        let node = Node::run(shop.app.clone()).await;
        let lists = async |has: bool| {
            for path in ["/search", "/search?sort=sales", "/c/tea", "/p/x0"] {
                let shown = node.page(path).await.contains("\"/p/mug\"");
                assert_eq!(shown, has, "{path} on {}", node.app.db.kind().as_str());
            }
        };
        lists(false).await;
        let number = buy(&node.app, 5).await;
        lists(true).await;
        order::office_cancel(&staff(&node.app), &number).await.unwrap();
        lists(false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_on_one_node_drops_on_another_what_shows_it_and_nothing_else() {
    let shop = Shop::open(true).await;
    shop.sell(&[Piece("mug", 5_000, 1_000)]).await;
    sell_a_lamp(&shop.app).await;
    let (first, second) = two(&shop).await;
    let begun = Instant::now();
    loop {
        let (mug, lamp) = (second.tags(&["/p/mug", "/c/tea"]).await, second.tags(&["/p/lamp", "/c/light"]).await);
        exec(&first.app, "update product_text set title = title || '.'").await;
        buy(&first.app, 1).await;
        let told = Instant::now();
        while second.tags(&["/p/mug", "/c/tea"]).await.iter().zip(&mug).any(|(now, before)| now == before) {
            assert!(told.elapsed() < LONG, "it is not told");
            sleep(Duration::from_millis(20)).await;
        }
        if second.tags(&["/p/lamp", "/c/light"]).await == lamp {
            break;
        }
        assert!(begun.elapsed() < LONG, "made anew with each order");
        sleep(Duration::from_millis(200)).await;
        second.hears_all(true).await;
    }

    assert!(second.is_in_stock().await);
    exec(&first.app, "update stock set on_hand = held + 2 where variant_id = 'mug'").await;
    place(&customer(&first.app).await, "mug", 2).await.unwrap();
    let told = Instant::now();
    while second.is_in_stock().await {
        assert!(told.elapsed() < LONG, "it is not told");
        sleep(Duration::from_millis(20)).await;
    }
    for _ in 0..5 {
        assert!(!second.is_in_stock().await, "what was told once stays so");
        assert!(second.page("/search").await.contains("is-soldout"));
    }
    stock::set_price(&staff(&first.app), "lamp", 1, "91", "").await.unwrap();
    let told = Instant::now();
    while !second.page("/p/lamp").await.contains("\"price\":\"91.00\"") {
        assert!(told.elapsed() < LONG, "the price is not told");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_shows_what_is_free_lasts_for_a_second() {
    let shop = Shop::open(false).await;
    venues::open(&shop.app).await;
    let node = Node::run(shop.app.clone()).await;
    assert!(!node.page("/p/spa").await.contains("987.00"));
    exec(&shop.app, "update variant set price = 98700 where id = 'massage'").await;
    let begun = Instant::now();
    while !node.page("/p/spa").await.contains("987.00") {
        assert!(begun.elapsed() < LONG, "it lasts");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_changes_on_one_node_is_soon_on_the_pages_of_all() {
    let shop = Shop::open(true).await;
    shop.sell(&[MUG]).await;
    let (first, second) = two(&shop).await;
    let mut fastest = LONG;
    for version in 1..=5 {
        // Both have made it before, and have it in memory.
        assert_eq!(first.price().await, second.price().await);
        stock::set_price(&staff(&first.app), "mug", version, &(60 + version).to_string(), "").await.unwrap();
        let (begun, price) = (Instant::now(), format!("{}.00", 60 + version));
        assert_eq!(first.price().await, price, "at once where it was changed");
        second.shows(&price).await;
        fastest = fastest.min(begun.elapsed());
    }
    eprintln!("the other node showed it {fastest:?} later at best");
    assert!(fastest < Duration::from_millis(500), "{fastest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hears_nothing_shares_its_pages_for_a_second() {
    let shop = Shop::open(true).await;
    shop.sell(&[MUG]).await;
    let (first, mut second) = two(&shop).await;
    assert_eq!(second.price().await, "50.00");
    second.others.abort();
    stock::set_price(&staff(&first.app), "mug", 1, "61", "").await.unwrap();
    let begun = Instant::now();
    second.shows("61.00").await;
    eprintln!("shown {:?} later by a node that was not told", begun.elapsed());
    second.hears_all(false).await;
    stock::set_price(&staff(&first.app), "mug", 2, "62", "").await.unwrap();
    second.shows("62.00").await;

    second.others = tokio::spawn(nodes::run(second.app.clone(), second.stop.subscribe()));
    second.hears_all(true).await;
    stock::set_price(&staff(&first.app), "mug", 3, "63", "").await.unwrap();
    second.shows("63.00").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_connections_are_lost_is_on_the_pages_afterwards() {
    let shop = Shop::open(true).await;
    shop.sell(&[MUG]).await;
    let (first, second) = two(&shop).await;
    for version in 1..=3 {
        assert_eq!(first.price().await, second.price().await);
        let sql = "select pg_terminate_backend(pid) as gone from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()";
        first.app.db.all(sql, args![]).await.unwrap();
        stock::set_price(&staff(&first.app), "mug", version, &(70 + version).to_string(), "").await.unwrap();
        second.shows(&format!("{}.00", 70 + version)).await;
        first.hears_all(true).await;
        second.hears_all(true).await;
    }
}
