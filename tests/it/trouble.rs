//! Two nodes, the real program, over one PostgreSQL, under load, while something goes wrong: a node is killed, the database
//! is killed, the way to it is cut, slow or blocked, the disk of its tables is full, providers tell the same thing twice and
//! in the wrong order; and one node on SQLite, to which the last two happen as well. Every customer gets an answer or asks
//! again until there is one, and in the end the books balance. They take minutes, so that `make faults` runs them, one at a
//! time.

use crate::{
    client::{Buyer, Server, Setup, free_ports},
    ledger::{self, Pieces, Told},
    postgres,
    proxy::Proxy,
    shop::{self, Piece},
};
use futures::StreamExt;
use reqwest::Client;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinHandle, time::sleep};
use xiadan::{
    args,
    server::{
        App,
        config::Config,
        payment::{
            SANDBOX_PATH,
            provider::{self, Notification, Outcome, SIGNATURE, TIMESTAMP},
        },
        start,
    },
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");
const BUYERS: usize = 8;
const VARIANTS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
/// How long a customer asks again before it is a fault of the shop.
const PATIENCE: Duration = Duration::from_secs(60);

/// A shop for two nodes, and a look at its books from beside.
struct Scene {
    folder: tempfile::TempDir,
    database: postgres::Database,
    app: App,
    before: Pieces,
    client: Client,
    ports: [(u16, u16); 2],
}

impl Scene {
    async fn open() -> Self {
        Self::with(postgres::Database::create()).await
    }

    async fn with(database: postgres::Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        database.keep();
        let app = open(folder.path(), &database.url).await;
        let before = ledger::on_hand(&app.db).await;
        Self { folder, database, app, before, client: client(), ports: [free_ports(), free_ports()] }
    }

    fn urls(&self) -> Vec<String> {
        self.ports.iter().map(|(port, _)| format!("http://127.0.0.1:{port}")).collect()
    }

    async fn start(&self, node: usize, database: &str) -> Server {
        let setup =
            Setup { program: PROGRAM, data: self.folder.path(), site: PathBuf::from("none"), ports: self.ports[node] };
        Server::start_with(&setup, &["--database-url", database], &self.client).await
    }

    async fn both(&self, database: &str) -> [Server; 2] {
        [self.start(0, database).await, self.start(1, database).await]
    }

    /// Waits until all that providers still tell has arrived, and checks the books.
    async fn settle(&self, load: &Load) {
        settled(&self.app, &self.before, load).await;
    }
}

/// A shop with pieces enough, in a folder and a database.
async fn open(data: &Path, database: &str) -> App {
    let config = Config { data: data.to_owned(), database_url: database.to_owned(), ..Config::default() };
    let app = start::open(config).await.unwrap();
    shop::sell(&app, &VARIANTS.map(|id| Piece(id, 5_000, 1_000_000))).await;
    app
}

async fn settled(app: &App, before: &Pieces, load: &Load) {
    let (told, begun) = (load.told.lock().unwrap().clone(), Instant::now());
    while begun.elapsed() < PATIENCE && told.paid.difference(&ledger::orders(&app.db, "to_ship").await).count() > 0 {
        sleep(Duration::from_millis(200)).await;
    }
    ledger::balances(&app.db, before, &told).await;
    eprintln!(
        "{} orders confirmed and {} paid; asked again {} times",
        told.confirmed.len(),
        told.paid.len(),
        load.again.load(Ordering::Relaxed)
    );
}

/// One that gives up what hangs.
fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(64);
    client.timeout(Duration::from_secs(15)).build().unwrap()
}

/// Customers who order and pay all the time, at one node or the other.
struct Load {
    told: Arc<Mutex<Told>>,
    /// How often one of them got no answer, or one that says that something broke.
    again: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    buyers: Vec<JoinHandle<()>>,
}

impl Load {
    fn start(client: &Client, urls: &[String]) -> Self {
        let (told, again, over) = (Arc::default(), Arc::default(), Arc::new(AtomicBool::new(false)));
        let buyers = (0..BUYERS).map(|buyer| {
            let one = One {
                client: client.clone(),
                urls: urls.to_owned(),
                told: Arc::clone(&told),
                again: Arc::clone(&again),
            };
            let over = over.clone();
            tokio::spawn(async move {
                for turn in buyer.. {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    one.order(turn).await;
                }
            })
        });
        let buyers = buyers.collect();
        Self { told, again, over, buyers }
    }

    fn confirmed(&self) -> usize {
        self.told.lock().unwrap().confirmed.len()
    }

    /// Waits until so many more orders were confirmed: what went wrong before is over.
    async fn goes_on(&self, more: usize) {
        let (begun, wanted) = (Instant::now(), self.confirmed() + more);
        while self.confirmed() < wanted {
            assert!(begun.elapsed() < PATIENCE, "nobody gets an order confirmed any more");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Lets everybody finish what they are at.
    async fn end(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for buyer in self.buyers.drain(..) {
            buyer.await.unwrap();
        }
    }
}

/// A customer.
struct One {
    client: Client,
    urls: Vec<String>,
    told: Arc<Mutex<Told>>,
    again: Arc<AtomicU64>,
}

impl One {
    async fn order(&self, turn: usize) {
        let mut browser = Buyer::new(&self.client, &self.urls[turn % self.urls.len()]);
        let Ok(review) = browser.prepare(VARIANTS[turn % VARIANTS.len()], 1).await else {
            // Nothing was submitted: this one begins again.
            return self.pause().await;
        };
        let begun = Instant::now();
        let mut node = turn;
        let number = loop {
            match browser.submit(&review).await {
                Ok(Ok(number)) => break number,
                // Such as an empty cart, where putting something into it had failed.
                Ok(Err(answer)) if is_clear(&answer) => return,
                _ => {}
            }
            assert!(begun.elapsed() < PATIENCE, "submitting again and again brings no answer");
            self.pause().await;
            node += 1;
            browser.turn_to(&self.urls[node % self.urls.len()]);
        };
        let new = self.told.lock().unwrap().confirmed.insert(number.clone());
        assert!(new, "a number was given to two customers");
        if turn.is_multiple_of(2) {
            // Whoever cannot pay just now leaves it.
            for _ in 0..5 {
                match browser.pay(&number).await {
                    Ok(true) => {
                        self.told.lock().unwrap().paid.insert(number);
                        return;
                    }
                    _ => self.pause().await,
                }
            }
        }
    }

    async fn pause(&self) {
        self.again.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(50)).await;
    }
}

/// Whether an answer tells a customer what is the matter: not that something broke.
fn is_clear(answer: &Value) -> bool {
    let broken = ["Internal", "ProviderUnavailable", "Offline", "TooMany"];
    !answer.is_null() && !broken.iter().any(|kind| answer == kind || answer.get(kind).is_some())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn customers_go_on_at_the_other_node_when_one_is_killed() {
    let scene = Scene::open().await;
    let mut nodes = scene.both(&scene.database.url).await;
    let mut load = Load::start(&scene.client, &scene.urls());
    for round in 0..6 {
        load.goes_on(10).await;
        let killed = round % 2;
        nodes[killed].kill();
        // While it is gone the other one sells.
        load.goes_on(5).await;
        nodes[killed] = scene.start(killed, &scene.database.url).await;
    }
    load.goes_on(10).await;
    load.end().await;
    assert!(load.again.load(Ordering::Relaxed) > 0, "somebody was at a node when it was killed");
    scene.settle(&load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn customers_go_on_when_the_database_was_killed_and_is_back() {
    let scene = Scene::open().await;
    let _nodes = scene.both(&scene.database.url).await;
    let mut load = Load::start(&scene.client, &scene.urls());
    for _ in 0..3 {
        load.goes_on(15).await;
        // It waits for the server, and this for it.
        tokio::task::spawn_blocking(postgres::restart).await.unwrap();
    }
    load.goes_on(15).await;
    load.end().await;
    scene.settle(&load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn customers_go_on_when_the_way_to_the_database_was_cut_slow_and_blocked() {
    let scene = Scene::open().await;
    let way = Proxy::open(scene.database.port()).await;
    let _nodes = scene.both(&scene.database.through(way.port)).await;
    let mut load = Load::start(&scene.client, &scene.urls());
    for _ in 0..3 {
        load.goes_on(10).await;
        way.cut();
        load.goes_on(5).await;
        way.slow(Duration::from_millis(20));
        load.goes_on(3).await;
        way.cut();
        way.slow(Duration::ZERO);
        way.block(true);
        way.cut();
        sleep(Duration::from_secs(2)).await;
        way.block(false);
    }
    load.goes_on(10).await;
    load.end().await;
    scene.settle(&load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn what_a_provider_tells_twice_and_in_the_wrong_order_is_told_once() {
    let scene = Scene::open().await;
    let _nodes = scene.both(&scene.database.url).await;
    told_in_any_order(&scene.app, &scene.before, &scene.client, &scene.urls()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn what_a_provider_tells_twice_and_in_the_wrong_order_is_told_once_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("xiadan.db").display());
    let app = open(folder.path(), &url).await;
    let (before, client) = (ledger::on_hand(&app.db).await, client());
    let setup = Setup { program: PROGRAM, data: folder.path(), site: PathBuf::from("none"), ports: free_ports() };
    let server = Server::start_with(&setup, &["--database-url", &url], &client).await;
    told_in_any_order(&app, &before, &client, std::slice::from_ref(&server.url)).await;
    app.db.close().await;
}

/// Lets a provider say of each of some orders that it was paid and that it was not, each twice and in any order, to whichever
/// node: it was paid, once.
async fn told_in_any_order(app: &App, before: &Pieces, client: &Client, urls: &[String]) {
    const ROUNDS: usize = 40;
    let (secret, mut told) = (provider::secret(app), Told::default());
    for round in 0..ROUNDS {
        let mut browser = Buyer::new(client, &urls[round % urls.len()]);
        let review = browser.prepare(VARIANTS[round % VARIANTS.len()], 1).await.unwrap();
        let number = browser.submit(&review).await.unwrap().unwrap();
        browser.post("/api/order/pay", &[("number", &number)]).await.unwrap();
        let sql =
            "select p.id, p.amount, p.currency from payment p join orders o on o.id = p.order_id where o.number = $1";
        let row = app.db.one(sql, args![&number]).await.unwrap();
        let word = |outcome| Notification {
            payment_id: row.get("id").unwrap(),
            reference: format!("r{round}"),
            outcome,
            amount: row.get("amount").unwrap(),
            currency: row.get("currency").unwrap(),
        };
        let mut words = [Outcome::Succeeded, Outcome::Failed, Outcome::Succeeded, Outcome::Failed].map(word);
        words.rotate_left(round % 4);
        let sent = words.iter().enumerate().map(|(place, word)| {
            let url = &urls[(round + place / 2) % urls.len()];
            let body = serde_json::to_string(word).unwrap();
            let (timestamp, signature) = provider::sign(&secret, &body);
            async move {
                sleep(Duration::from_millis((place * (round % 7)) as u64)).await;
                let request = client.post(format!("{url}{SANDBOX_PATH}")).header(TIMESTAMP, timestamp);
                request.header(SIGNATURE, signature).body(body).send().await.unwrap().status()
            }
        });
        let answers = futures::future::join_all(sent).await;
        assert!(answers.iter().all(|status| *status == 204), "{answers:?}");
        told.confirmed.insert(number.clone());
        told.paid.insert(number);
    }
    ledger::balances(&app.db, before, &told).await;
    let sql = "select cast(sum(sales) as bigint) as n from product";
    let sales: i64 = app.db.one(sql, args![]).await.unwrap().get("n").unwrap();
    assert_eq!(sales, ROUNDS as i64, "each was sold once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn a_page_at_one_node_sees_what_is_ordered_at_the_other() {
    let scene = Scene::open().await;
    let nodes = scene.both(&scene.database.url).await;
    // Nothing of a feed is over in time.
    let feed = Client::builder().build().unwrap().get(format!("{}/live?topics=product:p", nodes[1].url));
    let mut feed = feed.send().await.unwrap().bytes_stream();
    let mut times = Vec::new();
    for left in (999_950..1_000_000).rev() {
        let mut browser = Buyer::new(&scene.client, &nodes[0].url);
        let review = browser.prepare("a", 1).await.unwrap();
        browser.submit(&review).await.unwrap().unwrap();
        let begun = Instant::now();
        let wanted = format!("\"id\":\"a\",\"available\":{left},");
        let seen = async { while !String::from_utf8_lossy(&feed.next().await.unwrap().unwrap()).contains(&wanted) {} };
        assert!(tokio::time::timeout(PATIENCE, seen).await.is_ok(), "{wanted} is not told");
        times.push(begun.elapsed());
    }
    times.sort();
    let most = times[times.len() * 9 / 10];
    assert!(most < Duration::from_millis(500), "nine of ten are told within {most:?}");
    eprintln!(
        "after the answer: half of them within {:?}, all within {:?}",
        times[times.len() / 2],
        times[times.len() - 1]
    );
}

/// A small disk in memory; it goes away with this.
struct Disk(tempfile::TempDir);

impl Disk {
    /// None where this process may not mount one.
    fn mount(megabytes: u32) -> Option<Self> {
        // Where the database server comes through as well.
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=755"), "tmpfs"]).arg(folder.path());
        mount.output().ok()?.status.success().then_some(Self(folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn a_full_disk_takes_no_order_and_loses_none() {
    let Some(disk) = Disk::mount(64) else {
        eprintln!("skipped: this process may not mount a small disk; run it as root");
        return;
    };
    let data = disk.0.path().join("data");
    let url = format!("sqlite://{}", data.join("xiadan.db").display());
    let app = open(&data, &url).await;
    let before = ledger::on_hand(&app.db).await;
    let client = client();
    let setup = Setup { program: PROGRAM, data: &data, site: PathBuf::from("none"), ports: free_ports() };
    let mut server = Server::start_with(&setup, &["--database-url", &url], &client).await;
    let mut load = Load::start(&client, std::slice::from_ref(&server.url));
    fill_again_and_again(&disk, &load, &client, std::slice::from_mut(&mut server)).await;
    load.end().await;
    settled(&app, &before, &load).await;
    let sound = app.db.one("select integrity_check as found from pragma_integrity_check", args![]).await.unwrap();
    assert_eq!(sound.get::<String>("found").unwrap(), "ok");
    app.db.close().await;
    server.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn a_full_disk_below_the_tables_takes_no_order_and_loses_none() {
    let Some(disk) = Disk::mount(64) else {
        eprintln!("skipped: this process may not mount a small disk; run it as root");
        return;
    };
    let scene = Scene::with(postgres::Database::create_in(&disk.0.path().join("tables"))).await;
    let mut nodes = scene.both(&scene.database.url).await;
    let mut load = Load::start(&scene.client, &scene.urls());
    fill_again_and_again(&disk, &load, &scene.client, &mut nodes).await;
    load.end().await;
    scene.settle(&load).await;
}

/// Fills a disk until nothing is confirmed any more, sees that all go on, and makes room again; three times.
async fn fill_again_and_again(disk: &Disk, load: &Load, client: &Client, servers: &mut [Server]) {
    for _ in 0..3 {
        load.goes_on(15).await;
        let filler = disk.0.path().join("filler");
        fill(&filler);
        // Here and there is some room left; then nothing is confirmed any more.
        let mut before = load.confirmed();
        let begun = Instant::now();
        loop {
            sleep(Duration::from_secs(1)).await;
            let now = load.confirmed();
            if now == before {
                break;
            }
            before = now;
            assert!(begun.elapsed() < PATIENCE, "orders are confirmed without a disk to keep them");
            fill(&filler);
        }
        for server in &mut *servers {
            assert!(server.child.try_wait().unwrap().is_none(), "the program goes on");
            let alive = client.get(format!("{}/healthz", server.url)).send().await.unwrap();
            assert_eq!(alive.status(), 200);
        }
        fs::remove_file(&filler).unwrap();
    }
    load.goes_on(15).await;
}

/// Fills what is left of a disk.
fn fill(file: &Path) {
    use std::io::Write;
    let mut file = fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    for size in [64 * 1024, 512] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}
