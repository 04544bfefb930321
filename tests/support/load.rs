//! A shop under load: customers who order and pay all the time, at one node of it or another, and who ask again where
//! something breaks. Two orders of three are of a piece, the others of nights, of a place on a bus or of somebody's hour, which
//! many want.

use super::{
    client::{Buyer, Server, Setup, free_ports},
    ledger::{self, Pieces, Told},
    member, postgres,
    shop::{self, Piece},
    venues::{self, at, massage, nights, ride},
};
use reqwest::Client;
use serde_json::Value;
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{task::JoinHandle, time::sleep};
use xiadan::{
    domain::booking::{DAY_MS, wish::Wish},
    server::{
        App,
        config::Config,
        db::{Db, Options},
        start,
    },
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");
/// How many customers there are at any time.
pub const BUYERS: usize = 8;
/// What they buy, of which there is enough.
pub const VARIANTS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
/// Of each of these there is one piece, and none of them wants it.
pub const LAST: [&str; 3] = ["x", "y", "z"];
/// How long a customer asks again before it is a fault of the shop.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// A customer notices it who waits so long for an answer.
const LONG: Duration = Duration::from_secs(1);
/// Whoever wants a night or a place on the bus gets it.
const PLENTY: &str = "update capacity set total = 1000000 where resource_id in ('twin', 'counted')";

/// A shop for one node or two, and a look at its books from beside.
pub struct Scene {
    pub app: App,
    pub client: Client,
    /// The address of its database.
    pub url: String,
    data: TempDir,
    before: Pieces,
    ports: Vec<(u16, u16)>,
}

impl Scene {
    /// Two nodes on PostgreSQL.
    pub async fn postgres(database: &postgres::Database) -> Self {
        database.keep();
        Self::open(tempfile::tempdir().unwrap(), database.url.clone(), 2).await
    }

    /// One node on SQLite, everything of which lies in a folder.
    pub async fn sqlite(data: TempDir) -> Self {
        let url = format!("sqlite://{}", data.path().join("xiadan.db").display());
        Self::open(data, url, 1).await
    }

    async fn open(data: TempDir, url: String, nodes: usize) -> Self {
        let config = Config { data: data.path().to_owned(), database_url: url.clone(), ..Config::default() };
        let app = start::open(config).await.unwrap();
        let enough = VARIANTS.map(|id| Piece(id, 5_000, 1_000_000));
        let pieces: Vec<_> = enough.into_iter().chain(LAST.map(|id| Piece(id, 5_000, 1))).collect();
        shop::sell(&app, &pieces).await;
        venues::open(&app).await;
        member::exec(&app, PLENTY).await;
        let before = ledger::on_hand(&app.db).await;
        let ports = (0..nodes).map(|_| free_ports()).collect();
        Self { app, client: client(), url, data, before, ports }
    }

    /// Where customers find the nodes.
    pub fn urls(&self) -> Vec<String> {
        self.ports.iter().map(|(port, _)| format!("http://127.0.0.1:{port}")).collect()
    }

    /// Starts a node, which finds the database at an address.
    pub async fn start(&self, node: usize, database: &str) -> Server {
        let setup =
            Setup { program: PROGRAM, data: self.data.path(), site: PathBuf::from("none"), ports: self.ports[node] };
        Server::start_with(&setup, &["--database-url", database], &self.client).await
    }

    /// Starts all nodes.
    pub async fn nodes(&self, database: &str) -> Vec<Server> {
        let mut nodes = Vec::new();
        for node in 0..self.ports.len() {
            nodes.push(self.start(node, database).await);
        }
        nodes
    }

    /// Waits until everything has arrived that the provider still tells, and all has gone back that has to; then checks the
    /// books.
    pub async fn settle(&self, load: &Load) {
        let (told, begun) = (load.told(), Instant::now());
        let url = format!("sqlite://{}", self.data.path().join("sandbox.db").display());
        let provider = Db::open(Options { url, ..Options::default() }).await.unwrap();
        let untold = "select count(*) as n from notification where not done";
        while begun.elapsed() < PATIENCE
            && (ledger::count(&provider, untold).await > 0 || !ledger::is_settled(&self.app.db, &told).await)
        {
            sleep(Duration::from_millis(200)).await;
        }
        let refunds = ledger::count(&provider, "select count(*) as n from refund").await;
        provider.close().await;
        ledger::balances(&self.app.db, &self.before, &told).await;
        assert_eq!(usize::try_from(refunds).unwrap(), told.returned.len(), "the provider gave back each sum once");
        let Trouble { again, waited, taken } = &*load.customers.trouble;
        let [again, waited, taken] = [again, waited, taken].map(|count| count.load(Ordering::Relaxed));
        eprintln!(
            "{} orders confirmed, {} paid, {} given back; asked again {again} times, waited long {waited} times, somebody \
            else was quicker {taken} times",
            told.confirmed.len(),
            told.paid.len(),
            told.returned.len(),
        );
    }
}

/// One that gives up what hangs.
fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(64);
    client.timeout(Duration::from_secs(15)).build().unwrap()
}

/// Asks again until it is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Something that a customer wants: one piece, or a booking.
#[derive(Clone, Debug)]
pub struct Wanted {
    variant: &'static str,
    wish: Option<Wish>,
}

impl Wanted {
    pub fn piece(variant: &'static str) -> Self {
        Self { variant, wish: None }
    }

    pub fn booking(variant: &'static str, wish: Wish) -> Self {
        Self { variant, wish: Some(wish) }
    }

    /// What a customer wants at a turn. Several come to the same turn, so that one hour is wanted by more of them than can
    /// have it.
    fn at(turn: usize) -> Self {
        if !turn.is_multiple_of(3) {
            return Self::piece(VARIANTS[(turn + turn / 3) % VARIANTS.len()]);
        }
        let number = i64::try_from(turn / 3).unwrap();
        match number % 3 {
            0 => Self::booking("twin", nights(number % 8, 2, 1)),
            1 => Self::booking("coach", ride("counted", (0, 2), &[], 1)),
            _ => Self::booking("massage", massage(at(9 + number / 3 % 12, 0) + number / 36 * DAY_MS, None)),
        }
    }
}

/// How it went for customers.
#[derive(Default)]
struct Trouble {
    /// How often one of them got no answer, or one that says that something broke.
    again: AtomicU64,
    /// How often one of them waited [`LONG`].
    waited: AtomicU64,
    /// How often one of them was told that it cannot be had.
    taken: AtomicU64,
}

/// Customers who order and pay all the time, at one node or another.
pub struct Load {
    pub customers: Customers,
    over: Arc<AtomicBool>,
    buyers: Vec<JoinHandle<()>>,
}

impl Load {
    pub fn start(scene: &Scene) -> Self {
        let customers = Customers {
            client: scene.client.clone(),
            urls: scene.urls(),
            told: Arc::default(),
            trouble: Arc::default(),
        };
        let over = Arc::new(AtomicBool::new(false));
        let buyers = (0..BUYERS).map(|buyer| {
            let (customers, over) = (customers.clone(), over.clone());
            tokio::spawn(async move {
                for turn in buyer.. {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    customers.visit(turn).await;
                }
            })
        });
        let buyers = buyers.collect();
        Self { customers, over, buyers }
    }

    fn told(&self) -> Told {
        self.customers.told.lock().unwrap().clone()
    }

    pub fn confirmed(&self) -> usize {
        self.customers.told.lock().unwrap().confirmed.len()
    }

    /// How often a customer got no answer, or one that says that something broke.
    pub fn again(&self) -> u64 {
        self.customers.trouble.again.load(Ordering::Relaxed)
    }

    /// How often a customer noticed that something is wrong, be it only by waiting.
    pub fn noticed(&self) -> u64 {
        self.again() + self.customers.trouble.waited.load(Ordering::Relaxed)
    }

    /// Waits until customers noticed more than that: what went wrong was in their way.
    pub async fn notices(&self, before: u64) {
        until("no customer noticed that anything was wrong", async || self.noticed() > before).await;
    }

    /// Waits until so many more orders were confirmed: what went wrong before is over.
    pub async fn goes_on(&self, more: usize) {
        let (begun, wanted) = (Instant::now(), self.confirmed() + more);
        while self.confirmed() < wanted {
            assert!(begun.elapsed() < PATIENCE, "nobody gets an order confirmed any more");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Lets everybody finish what they are at.
    pub async fn end(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for buyer in self.buyers.drain(..) {
            buyer.await.unwrap();
        }
    }
}

/// What is common to all customers.
#[derive(Clone)]
pub struct Customers {
    client: Client,
    urls: Vec<String>,
    told: Arc<Mutex<Told>>,
    trouble: Arc<Trouble>,
}

impl Customers {
    /// A new customer at the so manieth node, counted round.
    pub fn browser(&self, node: usize) -> Buyer {
        Buyer::new(&self.client, &self.urls[node % self.urls.len()])
    }

    /// Notes what one of them was told.
    pub fn note(&self, note: impl FnOnce(&mut Told)) {
        note(&mut self.told.lock().unwrap());
    }

    async fn visit(&self, turn: usize) {
        let mut browser = self.browser(turn);
        let Some(number) = self.order(&mut browser, turn, &Wanted::at(turn)).await else { return };
        if turn.is_multiple_of(2) {
            // Whoever cannot pay just now leaves it.
            for _ in 0..5 {
                match self.answer(browser.pay(&number)).await {
                    Ok(true) => {
                        self.note(|told| {
                            told.paid.insert(number);
                        });
                        return;
                    }
                    _ => self.pause().await,
                }
            }
        }
    }

    /// Orders something for a customer who is at the so manieth node, and asks again until there is an answer: the number, or
    /// none where nothing was submitted or somebody else was quicker.
    pub async fn order(&self, browser: &mut Buyer, mut node: usize, wanted: &Wanted) -> Option<String> {
        let (path, field, value) = match &wanted.wish {
            None => ("/api/cart/add", "quantity", String::from("1")),
            Some(wish) => ("/api/booking/add", "wish", wish.text()),
        };
        match self.answer(browser.post(path, &[("variant_id", wanted.variant), (field, &value)])).await {
            Ok((200, _)) => {}
            Ok((_, answer)) if is_clear(&answer) => return self.is_taken(),
            _ => {
                self.pause().await;
                return None;
            }
        }
        let Ok(review) = self.answer(browser.review()).await else {
            self.pause().await;
            return None;
        };
        let begun = Instant::now();
        let number = loop {
            match self.answer(browser.submit(&review)).await {
                Ok(Ok(number)) => break number,
                Ok(Err(answer)) if is_clear(&answer) => return self.is_taken(),
                _ => {}
            }
            assert!(begun.elapsed() < PATIENCE, "submitting again and again brings no answer");
            self.pause().await;
            node += 1;
            browser.turn_to(&self.urls[node % self.urls.len()]);
        };
        let new = self.told.lock().unwrap().confirmed.insert(number.clone());
        assert!(new, "a number was given to two customers");
        Some(number)
    }

    /// Waits for an answer as a customer does, who notices if it takes long.
    async fn answer<T>(&self, asked: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let answer = asked.await;
        if begun.elapsed() >= LONG {
            self.trouble.waited.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    fn is_taken(&self) -> Option<String> {
        self.trouble.taken.fetch_add(1, Ordering::Relaxed);
        None
    }

    async fn pause(&self) {
        self.trouble.again.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(50)).await;
    }
}

/// Whether an answer tells a customer what is the matter: not that something broke.
fn is_clear(answer: &Value) -> bool {
    let broken = ["Internal", "ProviderUnavailable", "Offline", "TooMany"];
    !answer.is_null() && !broken.iter().any(|kind| answer == kind || answer.get(kind).is_some())
}
