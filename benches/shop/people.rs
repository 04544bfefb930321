//! People: what hashing a password costs, how many sign in beside others who look at pages, and who else is in
//! `timing.rs` (known and unknown names), `sealing.rs` and `flood.rs`.

use crate::{
    client::{Server, Setup},
    flood,
    load::{latencies, median, quantile},
    pages::with_cookie,
    sealing, timing,
};
use argon2::Argon2;
use reqwest::{Client, Response, header};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use xiadan::{
    args,
    domain::{Error, account::Target},
    server::{
        account::{code, consent, password, profile},
        config::Config,
        context::{new_id, now},
        crypto, start,
    },
};

/// How many have an account, and how many work in the office.
pub const KNOWN: usize = 100;
const PASSWORD: &str = "correct horse battery";
/// The page that is looked at meanwhile, and how often in a second.
pub const PAGE: &str = "/search";
/// The cookie of whoever looks at it, so that it is made each time.
pub const LOOKER: &str = "looker=1";
pub const LOOKS: u32 = 100;

/// All figures about people.
pub async fn all(client: &Client, setup: &Setup<'_>) {
    hash().await;
    settle_in(setup.data).await;
    // Each try comes from a network of its own, as a proxy says, so that no limit is met that is not looked for.
    let options = ["--trusted-proxy", "127.0.0.1", "--development"];
    let server = Server::start_with(setup, &options, client).await;
    sealing::beside_an_order(client, &server, setup.data).await;
    sign_ins(client, &server.url).await;
    timing::known_and_unknown(client, &server.url).await;
    flood::tries(client, &server, setup.data).await;
}

/// Makes accounts and members of staff who share a password.
async fn settle_in(data: &Path) {
    let url = format!("sqlite://{}", data.join("xiadan.db").display());
    let config = Config { data: data.to_owned(), database_url: url, ..Config::default() };
    let app = start::open(config).await.unwrap();
    for n in 0..KNOWN {
        // One of each, as in a shop: what they shared could tell them from unknown names.
        let hash = password::hash(PASSWORD.into()).await.unwrap();
        let (id, now, hash) = (new_id(), now(), hash.clone());
        let target = Target::Email(mail("known", n));
        let target_hash = code::hash_of(&app.keys, &target);
        let sealed = profile::seal_target(&app.keys, &id, &target).unwrap();
        app.db
            .write::<_, Error>(move |tx| {
                let (id, hash, target_hash, sealed) = (id.clone(), hash.clone(), target_hash.clone(), sealed.clone());
                Box::pin(async move {
                    tx.exec("insert into customer (id, created_at) values ($1, $2)", args![&id, now]).await?;
                    let sql =
                        "insert into account (customer_id, login, password_hash, created_at) values ($1, $2, $3, $4)";
                    tx.exec(sql, args![&id, name("known", n), &hash, now]).await?;
                    profile::set_target(tx, &id, ("email", &target_hash, &sealed), now).await?;
                    consent::agree(tx, &id, now).await?;
                    let sql = "insert into staff (id, login, password_hash, created_at, role)
                        values ($1, $2, $3, $4, 'support')";
                    tx.exec(sql, args![&id, name("known", n), &hash, now]).await?;
                    Ok(())
                })
            })
            .await
            .unwrap();
    }
    app.db.close().await;
}

/// A name; all of them are equally long.
pub fn name(kind: &str, n: usize) -> String {
    format!("{kind}{n:04}")
}

pub fn mail(kind: &str, n: usize) -> String {
    format!("{}@example.com", name(kind, n))
}

/// A network of its own for each number, every other one of IPv6.
pub fn network(n: usize) -> String {
    let [a, b, c] = [n >> 16 & 255, n >> 8 & 255, n & 255];
    if n.is_multiple_of(2) { format!("10.{a}.{b}.{c}") } else { format!("2001:db8:{a:x}:{b:x}{c:02x}::{c:x}") }
}

/// Posts a form through the proxy, from the address it names.
pub async fn post(client: &Client, url: String, from: &str, cookie: &str, form: String) -> Response {
    let request = client.post(url).header("x-forwarded-for", from).header(header::COOKIE, cookie);
    request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form).send().await.unwrap()
}

/// One hash as the shop makes it, beside the bare function with the parameters of OWASP's cheat sheet.
async fn hash() {
    const RUNS: usize = 40;
    let made = password::hash(PASSWORD.into()).await.unwrap();
    let parts: Vec<_> = made.split('$').collect();
    let (kind, version, parameters) = (parts[1], parts[2], parts[3]);
    let reference = argon2::Params::new(19 * 1024, 2, 1, None).unwrap();
    let reference = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, reference);
    let (mut shop, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let begin = Instant::now();
        let place = password::place().unwrap();
        assert!(place.verify(PASSWORD.into(), made.clone()).await.unwrap());
        shop.push(begin.elapsed().as_secs_f64() * 1000.0);
        let begin = Instant::now();
        let mut out = [0; 32];
        reference.hash_password_into(PASSWORD.as_bytes(), b"sixteen bytes of", &mut out).unwrap();
        bare.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    let (shop, bare) = (median(&mut shop), median(&mut bare));
    println!(
        "password: {kind} {version} {parameters} costs {shop:.1} ms (median of {RUNS}), {:.2} times the bare function ({bare:.1} ms)",
        shop / bare
    );
}

/// What came of sign-ins as fast as they go.
#[derive(Default)]
struct Done {
    entered: AtomicUsize,
    refused: AtomicUsize,
}

/// Sign-ins with the right password, by some at once, while pages are looked at; beside the same pages without them.
async fn sign_ins(client: &Client, url: &str) {
    const TIME: Duration = Duration::from_secs(6);
    const RUNS: usize = 3;
    let (page, looker) = (format!("{url}{PAGE}"), with_cookie(LOOKER));
    latencies(&looker, &page, LOOKS, Duration::from_secs(1)).await;
    // 16 fit into the queue of hashes; 128 are twice as many as do.
    for at_once in [16, 128] {
        let (mut rates, mut refusals) = (Vec::new(), Vec::new());
        let [mut p50, mut p99, mut calm_p50, mut calm_p99] = [const { Vec::new() }; 4];
        for _ in 0..RUNS {
            let mut calm = latencies(&looker, &page, LOOKS, TIME).await;
            calm_p50.push(quantile(&mut calm, 0.5));
            calm_p99.push(quantile(&mut calm, 0.99));
            let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(Done::default()));
            let begin = Instant::now();
            let people: Vec<_> = (0..at_once)
                .map(|n| tokio::spawn(sign_in_again(client.clone(), url.to_owned(), n, stop.clone(), done.clone())))
                .collect();
            let mut busy = latencies(&looker, &page, LOOKS, TIME).await;
            stop.store(true, Ordering::Relaxed);
            for person in people {
                person.await.unwrap();
            }
            rates.push(done.entered.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64());
            refusals.push(done.refused.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64());
            p50.push(quantile(&mut busy, 0.5));
            p99.push(quantile(&mut busy, 0.99));
        }
        let [p50, p99, calm_p50, calm_p99] = [p50, p99, calm_p50, calm_p99].map(|mut figures| median(&mut figures));
        println!(
            "sign-ins by {at_once} at once: {:.0}/s, {:.0}/s asked to come back, while {LOOKS} pages/s take p50 {p50:.1} ms, p99 {p99:.1} ms: {:.1} and {:.1} times as long as without them ({calm_p50:.1} ms, {calm_p99:.1} ms)",
            median(&mut rates),
            median(&mut refusals),
            p50 / calm_p50,
            p99 / calm_p99,
        );
    }
}

/// One person who signs in again and again, on a browser that is known.
async fn sign_in_again(client: Client, url: String, n: usize, stop: Arc<AtomicBool>, done: Arc<Done>) {
    let device = format!("xiadan_device={}", crypto::token().unwrap());
    let form = format!("name={}&password={}", name("known", n % KNOWN), PASSWORD.replace(' ', "+"));
    let mut tries = 0;
    while !stop.load(Ordering::Relaxed) {
        let from = network(4_000_000 + n * 10_000 + tries);
        tries += 1;
        let answer = post(&client, format!("{url}/api/account/sign_in"), &from, &device, form.clone()).await;
        let status = answer.status().as_u16();
        answer.bytes().await.unwrap();
        match status {
            200 => _ = done.entered.fetch_add(1, Ordering::Relaxed),
            429 => {
                done.refused.fetch_add(1, Ordering::Relaxed);
                // Sooner than was said, and not at once.
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            other => panic!("{other}"),
        }
    }
}
