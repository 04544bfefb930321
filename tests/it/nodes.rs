//! Two nodes of one shop on one PostgreSQL: each hears what the other changes, a job is done by one of them, and a measure
//! is one for both.

use crate::{
    door::Door,
    shop::{Piece, Shop, books, customer, form, place, staff, submission},
};
use futures::StreamExt;
use std::time::{Duration, Instant};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use xiadan::{
    args,
    domain::{Error, live::Topic},
    server::{
        App, cart,
        db::DbError,
        live::Listener,
        nodes, order, outbox,
        start::{self, Failure},
        stock,
    },
};

const MUG: Piece = Piece("mug", 5_000, 100);
/// Far longer than it takes on a busy machine.
const LONG: Duration = Duration::from_secs(30);

/// A second node of a shop: its database and its data folder are the same.
async fn beside(shop: &Shop) -> Result<App, Failure> {
    start::open(shop.app.config.clone()).await
}

/// A node that tells and hears.
struct Node {
    app: App,
    tasks: [JoinHandle<()>; 2],
    stop: watch::Sender<bool>,
}

impl Node {
    fn run(app: App) -> Self {
        let (stop, stopping) = watch::channel(false);
        let feed = tokio::spawn(app.live.clone().run(app.clone()));
        let others = tokio::spawn(nodes::run(app.clone(), stopping));
        Self { app, tasks: [feed, others], stop }
    }

    /// Ends it as a crash would: without a word.
    fn kill(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Two nodes that hear each other, and an open page of the product at the second.
async fn two(shop: &Shop) -> (Node, Node, Listener) {
    let (first, second) = (Node::run(shop.app.clone()), Node::run(beside(shop).await.unwrap()));
    let mut page = second.app.live.listen(vec![Topic::Product("p".into())]).unwrap();
    let begun = Instant::now();
    let before = second.app.live.product_changes();
    while second.app.live.product_changes() < before + 3 {
        first.app.live.changed(Topic::Product("p".into()));
        let _ = timeout(Duration::from_millis(100), page.next()).await;
        assert!(begun.elapsed() < LONG, "the nodes do not hear each other");
    }
    (first, second, page)
}

/// Reads what a page is told until it is told this.
async fn told(page: &mut Listener, text: &str) {
    let waiting = async {
        while let Some(Ok(bytes)) = page.next().await {
            if String::from_utf8_lossy(&bytes).contains(text) {
                return;
            }
        }
        panic!("the feed ended");
    };
    assert!(timeout(LONG, waiting).await.is_ok(), "no {text}");
}

async fn exec(app: &App, sql: &'static str) {
    app.db.write::<_, DbError>(move |tx| Box::pin(async move { tx.exec(sql, args![]).await })).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_on_one_node_follows_what_changes_on_the_other() {
    let shop = Shop::open(true).await;
    shop.sell(&[MUG]).await;
    let (first, second, mut page) = two(&shop).await;
    let buyer = customer(&first.app).await;
    let begun = Instant::now();
    place(&buyer, "mug", 2).await.unwrap();
    told(&mut page, "\"available\":98").await;
    eprintln!("heard {:?} after the order was begun", begun.elapsed());
    // What is remembered for a second is not remembered longer than that it is true.
    let before = second.app.live.product_changes();
    stock::set_price(&staff(&first.app), "mug", 1, "60", "").await.unwrap();
    told(&mut page, "6000").await;
    assert!(second.app.live.product_changes() > before);
    let _ = (first.stop.send(true), second.stop.send(true));
    for task in [first, second].into_iter().flat_map(|node| node.tasks.into_iter().skip(1)) {
        timeout(LONG, task).await.unwrap().unwrap();
    }
}

// Half of them: on a busy machine one or another may wait for it. All but one of a hundred are asked for where nothing else
// runs, by `make faults`.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_on_one_node_is_told_within_half_a_second_of_what_is_ordered_on_the_other() {
    const ORDERS: usize = 15;
    let shop = Shop::open(true).await;
    shop.sell(&[MUG]).await;
    let (first, second, _page) = two(&shop).await;
    let door = Door::open(&second.app).await;
    let mut feed = door.get("/live?topics=product:p").await.bytes_stream();
    let mut times = Vec::new();
    for left in (0..100).rev().take(ORDERS) {
        let buyer = customer(&first.app).await;
        cart::add(&buyer, "mug", 1).await.unwrap();
        order::save_checkout(&buyer, form("张三"), true).await.unwrap();
        let review = order::review(&buyer, None).await.unwrap();
        order::submit(&buyer, submission(&review)).await.unwrap();
        let (begun, wanted, mut told) = (Instant::now(), format!("\"available\":{left},"), String::new());
        let hearing = async {
            while !told.contains(&wanted) {
                told.push_str(&String::from_utf8_lossy(&feed.next().await.unwrap().unwrap()));
            }
        };
        assert!(timeout(LONG, hearing).await.is_ok(), "no {wanted}");
        times.push(begun.elapsed());
    }
    times.sort();
    eprintln!("after the answer: {times:?}");
    assert!(times[ORDERS / 2] < Duration::from_millis(500), "{times:?}");
    second.kill();
    first.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missed_while_a_connection_is_lost_is_read_afterwards() {
    let shop = Shop::open(true).await;
    shop.sell(&[MUG]).await;
    let (first, second, mut page) = two(&shop).await;
    for left in [97, 94, 91] {
        let sql = "select pg_terminate_backend(pid) as gone from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()";
        first.app.db.all(sql, args![]).await.unwrap();
        let buyer = customer(&first.app).await;
        place(&buyer, "mug", 3).await.unwrap();
        told(&mut page, &format!("\"available\":{left}")).await;
    }
    second.kill();
    first.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_changed_last_before_it_died_is_read_by_the_others() {
    let shop = Shop::open(true).await;
    shop.sell(&[MUG]).await;
    let (first, second, mut page) = two(&shop).await;
    // Committed, and it was not said.
    first.kill();
    exec(&first.app, "update stock set on_hand = 7").await;
    told(&mut page, "\"available\":7").await;
    second.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_due_is_done_once_whichever_node_does_it() {
    const ORDERS: i64 = 40;
    let shop = Shop::open(true).await;
    shop.sell(&[MUG]).await;
    let other = beside(&shop).await.unwrap();
    for _ in 0..ORDERS {
        let buyer = customer(&shop.app).await;
        place(&buyer, "mug", 1).await.unwrap();
    }
    exec(&shop.app, "update orders set expires_at = 1").await;
    let nodes = [&shop.app, &other, &shop.app, &other];
    let expired = futures::future::join_all(nodes.map(order::expire_due)).await;
    let expired: Vec<_> = expired.into_iter().map(Result::unwrap).collect();
    assert_eq!(expired.iter().sum::<usize>(), ORDERS as usize, "{expired:?}");
    assert_eq!(books(&shop.app, "mug").await, (100, 0, 0));
    let sql = "select count(*) as n from orders where version <> 2";
    assert_eq!(shop.app.db.one(sql, args![]).await.unwrap().get::<i64>("n").unwrap(), 0, "each was cancelled once");

    // Effects that nobody knows fail, and each try is counted.
    shop.app
        .db
        .write::<_, DbError>(|tx| {
            Box::pin(async move {
                for n in 0..ORDERS {
                    let sql =
                        "insert into outbox (id, kind, payload, attempts, next_at) values ($1, 'nothing', '{}', 0, 1)";
                    tx.exec(sql, args![format!("e{n}")]).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
    for tried in futures::future::join_all(nodes.map(|node| outbox::run(node, outbox::Queue::Payments))).await {
        assert_eq!(tried, Ok(0));
    }
    let sql = "select min(attempts) as least, max(attempts) as most from outbox";
    let row = shop.app.db.one(sql, args![]).await.unwrap();
    assert_eq!((row.get::<i64>("least").unwrap(), row.get::<i64>("most").unwrap()), (1, 1));
    other.db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_guesses_no_faster_at_two_nodes_than_at_one() {
    let shop = Shop::open_with(true, |config| config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let other = beside(&shop).await.unwrap();
    let doors = [Door::open(&shop.app).await, Door::open(&other).await];
    let (mut let_in, begun) = (0, Instant::now());
    let ask = async |door: &Door, from: &str, n: usize| {
        let request = door.client.post(format!("{}/api/order/find", door.url)).header("x-forwarded-for", from);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(format!("number=20261126{n:08}&contact=13800138000")).send().await.unwrap()
    };
    let mut last = None;
    for n in 0..100 {
        let answer = ask(&doors[n % 2], "203.0.113.9", n).await;
        if answer.status() == 429 {
            assert!(answer.headers().contains_key("retry-after"));
            last = Some(answer.json::<Error>().await.unwrap());
        } else {
            let_in += 1;
        }
    }
    // One more for every two seconds that it took.
    let most = 60 + begun.elapsed().as_secs() / 2 + 1;
    assert!((60..=most).contains(&let_in), "{let_in} of {most}");
    assert!(matches!(last, Some(Error::TooMany { retry_after: 1..=3 })), "{last:?}");
    assert_ne!(ask(&doors[1], "203.0.113.10", 0).await.status(), 429, "others are not held up");
    other.db.close().await;
}
