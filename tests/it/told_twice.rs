//! What a payment provider tells twice and in any order, to whichever node, while other customers order all the time: in
//! time, just as an order expires, when it has expired and what it held is still there or is somebody else's, and when it was
//! cancelled. What was paid is paid once, or goes back once. `make faults` runs it, on PostgreSQL with two nodes and on SQLite.

use crate::{
    client::Buyer,
    ledger,
    load::{LAST, Load, PATIENCE, Scene, VARIANTS, Wanted, until},
    postgres::Database,
    venues::{nights, ride},
};
use futures::future::join_all;
use std::time::{Duration, Instant};
use tokio::time::sleep;
use xiadan::{
    args,
    server::{
        db::DbError,
        payment::{
            SANDBOX_PATH,
            provider::{self, Notification, Outcome, SIGNATURE, TIMESTAMP},
        },
    },
};

/// One for each of the last pieces, and for each of the seats that can be chosen.
const BATCHES: usize = LAST.len();
const SEATS: [&str; BATCHES] = ["1A", "1B", "1C"];
/// The orders of a batch that expire before they are paid, and get what they had again.
const LATE: usize = 3;

/// What becomes of an order before its provider says that it was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    /// At that moment.
    Expires,
    Expired,
    /// It expired, and somebody else got what it held.
    Sold,
    Cancelled,
}

impl Meanwhile {
    /// Whether the money comes in vain.
    fn is_over(self) -> bool {
        matches!(self, Self::Sold | Self::Cancelled)
    }
}

fn cases(batch: usize) -> Vec<(Meanwhile, Wanted)> {
    let piece = |place: usize| Wanted::piece(VARIANTS[(batch + place) % VARIANTS.len()]);
    let night = || Wanted::booking("twin", nights(i64::try_from(batch).unwrap(), 2, 1));
    let place = || Wanted::booking("coach", ride("counted", (0, 1), &[], 1));
    let seat = Wanted::booking("coach", ride("mapped", (0, 2), &[SEATS[batch]], 1));
    vec![
        (Meanwhile::Nothing, piece(0)),
        (Meanwhile::Nothing, night()),
        (Meanwhile::Nothing, place()),
        (Meanwhile::Expires, piece(1)),
        (Meanwhile::Expires, night()),
        (Meanwhile::Expires, place()),
        (Meanwhile::Expired, piece(2)),
        (Meanwhile::Expired, night()),
        (Meanwhile::Expired, place()),
        (Meanwhile::Sold, Wanted::piece(LAST[batch])),
        (Meanwhile::Sold, seat),
        (Meanwhile::Cancelled, piece(3)),
        (Meanwhile::Cancelled, night()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn what_a_provider_tells_twice_and_in_the_wrong_order_is_told_once() {
    let database = Database::create();
    let scene = Scene::postgres(&database).await;
    told_in_any_order(&scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn what_a_provider_tells_twice_and_in_the_wrong_order_is_told_once_on_sqlite() {
    let scene = Scene::sqlite(tempfile::tempdir().unwrap()).await;
    told_in_any_order(&scene).await;
    scene.app.db.close().await;
}

async fn told_in_any_order(scene: &Scene) {
    let _nodes = scene.nodes(&scene.url).await;
    let mut load = Load::start(scene);
    for batch in 0..BATCHES {
        load.goes_on(10).await;
        let teller = Teller { scene, load: &load, secret: provider::secret(&scene.app) };
        teller.batch(batch).await;
    }
    load.goes_on(10).await;
    load.end().await;
    scene.settle(&load).await;
    let db = &scene.app.db;
    let reopened = r#"select count(*) as n from order_event where kind = '{"kind":"reopened"}'"#;
    let reopened = usize::try_from(ledger::count(db, reopened).await).unwrap();
    assert!(reopened >= BATCHES * LATE, "{reopened} were paid after they had expired");
    let twice = r#"select count(*) as n from (
        select order_id from order_event where kind in ('{"kind":"paid"}', '{"kind":"reopened"}')
        group by order_id having count(*) > 1) x"#;
    assert_eq!(ledger::count(db, twice).await, 0, "none is paid twice");
}

/// An order whose payment has begun.
struct Bill {
    browser: Buyer,
    number: String,
    meanwhile: Meanwhile,
    wanted: Wanted,
    payment_id: String,
    reference: String,
    amount: i64,
    currency: String,
}

impl Bill {
    fn word(&self, outcome: Outcome) -> Notification {
        Notification {
            payment_id: self.payment_id.clone(),
            reference: self.reference.clone(),
            outcome,
            amount: self.amount,
            currency: self.currency.clone(),
        }
    }
}

/// Speaks for the provider.
struct Teller<'a> {
    scene: &'a Scene,
    load: &'a Load,
    secret: String,
}

impl Teller<'_> {
    async fn batch(&self, batch: usize) {
        let mut bills = Vec::new();
        for (place, (meanwhile, wanted)) in cases(batch).into_iter().enumerate() {
            bills.push(self.bill(place, meanwhile, wanted).await);
        }
        // Of some it is said at first that the payment failed.
        for bill in bills.iter().step_by(2) {
            self.tell(batch, &bill.word(Outcome::Failed)).await;
        }
        let expired = numbers(&bills, |meanwhile| matches!(meanwhile, Meanwhile::Expired | Meanwhile::Sold));
        self.expire(&expired).await;
        until("an order does not expire", async || {
            let cancelled = ledger::orders(&self.scene.app.db, "cancelled").await;
            expired.iter().all(|number| cancelled.contains(number))
        })
        .await;
        for Bill { browser, number, .. } in bills.iter_mut().filter(|bill| bill.meanwhile == Meanwhile::Cancelled) {
            until("an order cannot be cancelled", async || {
                matches!(browser.post("/api/order/cancel", &[("number", number.as_str())]).await, Ok((200, _)))
            })
            .await;
        }
        let sold = bills.iter().filter(|bill| bill.meanwhile == Meanwhile::Sold).map(|bill| bill.wanted.clone());
        for (place, wanted) in sold.collect::<Vec<_>>().into_iter().enumerate() {
            bills.push(self.bill(place, Meanwhile::Nothing, wanted).await);
        }
        let expiring = numbers(&bills, |meanwhile| meanwhile == Meanwhile::Expires);
        let words = bills.iter().enumerate().map(|(place, bill)| self.words(batch + place, bill));
        tokio::join!(self.expire(&expiring), join_all(words));
        self.load.customers.note(|told| {
            for Bill { number, meanwhile, .. } in bills {
                let kept = if meanwhile.is_over() { &mut told.returned } else { &mut told.paid };
                kept.insert(number);
            }
        });
    }

    /// Orders something and begins to pay for it.
    async fn bill(&self, node: usize, meanwhile: Meanwhile, wanted: Wanted) -> Bill {
        let (customers, begun) = (&self.load.customers, Instant::now());
        let (mut browser, number) = loop {
            let mut browser = customers.browser(node);
            if let Some(number) = customers.order(&mut browser, node, &wanted).await {
                break (browser, number);
            }
            assert!(begun.elapsed() < PATIENCE, "{wanted:?} cannot be had");
        };
        let sql = "select p.id, p.provider_reference, p.amount, p.currency from payment p
            join orders o on o.id = p.order_id where o.number = $1 and p.provider_reference is not null";
        let row = loop {
            let _ = browser.post("/api/order/pay", &[("number", &number)]).await;
            if let Some(row) = self.scene.app.db.optional(sql, args![&number]).await.unwrap() {
                break row;
            }
            assert!(begun.elapsed() < PATIENCE, "{number} cannot be paid");
            sleep(Duration::from_millis(100)).await;
        };
        Bill {
            browser,
            number,
            meanwhile,
            wanted,
            payment_id: row.get("id").unwrap(),
            reference: row.get("provider_reference").unwrap(),
            amount: row.get("amount").unwrap(),
            currency: row.get("currency").unwrap(),
        }
    }

    /// Ends the time of orders; the clock of the shop does the rest.
    async fn expire(&self, numbers: &[String]) {
        let sql = "update orders set expires_at = 1 where number = $1 and state = 'to_pay'";
        until("the time of an order cannot be changed", async || {
            let numbers = numbers.to_vec();
            let changed = self.scene.app.db.write::<_, DbError>(move |tx| {
                let numbers = numbers.clone();
                Box::pin(async move {
                    for number in numbers {
                        tx.exec(sql, args![number]).await?;
                    }
                    Ok(())
                })
            });
            changed.await.is_ok()
        })
        .await;
    }

    /// Says of an order that it was paid and that it was not, each twice and in any order, to whichever node.
    async fn words(&self, turn: usize, bill: &Bill) {
        let mut outcomes = [Outcome::Succeeded, Outcome::Failed, Outcome::Succeeded, Outcome::Failed];
        outcomes.rotate_left(turn % 4);
        let told = outcomes.into_iter().enumerate().map(|(place, outcome)| async move {
            sleep(Duration::from_millis((place * (turn % 7)) as u64)).await;
            self.tell(turn + place / 2, &bill.word(outcome)).await;
        });
        join_all(told).await;
    }

    /// Says it again until the shop has heard it, as a provider does.
    async fn tell(&self, node: usize, word: &Notification) {
        let urls = self.scene.urls();
        let url = format!("{}{SANDBOX_PATH}", urls[node % urls.len()]);
        let body = serde_json::to_string(word).unwrap();
        until("the shop does not hear the provider", async || {
            let (timestamp, signature) = provider::sign(&self.secret, &body);
            let request = self.scene.client.post(&url).header(TIMESTAMP, timestamp).header(SIGNATURE, signature);
            request.body(body.clone()).send().await.is_ok_and(|answer| answer.status() == 204)
        })
        .await;
    }
}

/// The numbers of orders of which something becomes.
fn numbers(bills: &[Bill], becomes: impl Fn(Meanwhile) -> bool) -> Vec<String> {
    bills.iter().filter(|bill| becomes(bill.meanwhile)).map(|bill| bill.number.clone()).collect()
}
