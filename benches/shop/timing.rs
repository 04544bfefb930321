//! Whether those who have an account are told by time from those who have none.

use crate::{
    load::{median, quantile},
    people::{KNOWN, mail, name, network, post},
};
use reqwest::Client;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// Tries for each kind of name.
const TRIES: usize = 2_000;
/// Tries before those that are counted.
const WARM: usize = 30;
/// Between two tries, so that what the one before left to do is not counted for the next.
const PAUSE: Duration = Duration::from_millis(2);
/// Those with an account, those without, and others without: how far these two are apart is what noise makes.
const KINDS: [&str; 3] = ["known", "stray", "other"];
/// Each after each of the others equally often.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// What is asked: its name, its function, the answer it has for everybody, and the form for a kind of name and a try.
type Question = (&'static str, &'static str, u16, fn(&str, usize) -> String);

const QUESTIONS: [Question; 3] = [
    ("sign-in by password", "account/sign_in", 422, |kind, n| {
        // By name and by e-mail in turn.
        let who = if n.is_multiple_of(2) { name(kind, n / 2 % KNOWN) } else { mail(kind, n / 2 % KNOWN) };
        format!("name={who}&password=wrong+horse+battery")
    }),
    ("sending a code", "account/send_code", 200, |kind, n| format!("target={}", mail(kind, n % KNOWN))),
    ("sign-in to the office", "office/sign_in", 422, |kind, n| {
        format!("login={}&password=wrong+horse+battery", name(kind, n % KNOWN))
    }),
];

/// Asks in turn for names of each kind, one after the other, each from a network of its own and no name more often than
/// its own limits allow.
pub async fn known_and_unknown(client: &Client, url: &str) {
    static NETWORK: AtomicUsize = AtomicUsize::new(1_000_000);
    for (what, function, answer, form) in QUESTIONS {
        let mut times = [const { Vec::new() }; 3];
        let begin = Instant::now();
        for n in 0..WARM + TRIES {
            for kind in ORDERS[n % ORDERS.len()] {
                tokio::time::sleep(PAUSE).await;
                let from = network(NETWORK.fetch_add(1, Ordering::Relaxed));
                let form = form(KINDS[kind], n);
                let asked = Instant::now();
                let got = post(client, format!("{url}/api/{function}"), &from, "", form).await;
                let status = got.status().as_u16();
                got.bytes().await.unwrap();
                let took = asked.elapsed().as_secs_f64() * 1000.0;
                assert_eq!(status, answer, "{what}: {}", KINDS[kind]);
                if n >= WARM {
                    times[kind].push(took);
                }
            }
        }
        let took = begin.elapsed().as_secs_f64();
        let [known, stray, other] = &times;
        let (apart, noise) = (slower(known, stray), slower(other, stray));
        // Of as many pairs without any difference 999 of 1,000 runs have a share within.
        let band = 3.29 * 0.5 / (TRIES as f64).sqrt();
        let verdict = if (apart - 0.5).abs() <= band { "goal met" } else { "GOAL MISSED" };
        let [known, stray] = [known, stray].map(|times| {
            let mut times = times.clone();
            (median(&mut times), quantile(&mut times, 0.25), quantile(&mut times, 0.75))
        });
        println!(
            "{what}, {TRIES} tries each in {took:.0} s: known {:.2} ms ({:.2} to {:.2}), unknown {:.2} ms ({:.2} to {:.2}), medians {:.3} apart as a ratio; the known one is slower in {apart:.3} of the pairs ({verdict}: 0.5 ± {band:.3}), one of two unknown ones in {noise:.3}",
            known.0,
            known.1,
            known.2,
            stray.0,
            stray.1,
            stray.2,
            known.0 / stray.0,
        );
    }
}

/// In which share of the pairs the first is the slower one; a draw counts half.
fn slower(first: &[f64], second: &[f64]) -> f64 {
    let wins: f64 = first
        .iter()
        .zip(second)
        .map(|(first, second)| match first.total_cmp(second) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        })
        .sum();
    wins / first.len() as f64
}
