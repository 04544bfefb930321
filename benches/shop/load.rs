//! Load on a server: as fast as it goes, or at a fixed rate.

use std::{
    collections::HashSet,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// The middle of some figures; sorts them.
pub fn median(figures: &mut [f64]) -> f64 {
    quantile(figures, 0.5)
}

/// The figure that a share of all does not exceed; sorts them.
pub fn quantile(figures: &mut [f64], share: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    let last = figures.len().saturating_sub(1);
    figures.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}

/// Says beside a figure whether it is what we mean to reach.
pub fn goal(figure: f64, wanted: std::ops::RangeInclusive<f64>) -> &'static str {
    if wanted.contains(&figure) { "goal met" } else { "GOAL MISSED" }
}

/// Seconds of processor time that a process and those below it have taken so far.
pub fn cpu_seconds(process: u32) -> f64 {
    // What `/proc` counts in (proc(5)).
    const TICKS: f64 = 100.0;
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // One that has ended meanwhile is none of ours. A name in brackets comes first, and may have anything in it.
        let Ok(text) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((_, fields)) = text.rsplit_once(')') else { continue };
        let fields: Vec<f64> = fields.split_whitespace().map(|field| field.parse().unwrap_or(0.0)).collect();
        // The fields 4, 14 and 15: its parent, and its time in and for itself.
        all.push((id, fields[1] as u32, fields[11] + fields[12]));
    }
    let mut family = HashSet::from([process]);
    while let Some((id, ..)) = all.iter().find(|(id, parent, _)| family.contains(parent) && !family.contains(id)) {
        family.insert(*id);
    }
    all.iter().filter(|(id, ..)| family.contains(id)).map(|(.., ticks)| ticks).sum::<f64>() / TICKS
}

/// Requests per second, as [`rate`], and the microseconds of processor time that a process took for each.
pub async fn rate_and_cost(
    client: &reqwest::Client,
    url: &str,
    connections: usize,
    time: Duration,
    process: u32,
) -> (f64, f64) {
    let (begin, before) = (Instant::now(), cpu_seconds(process));
    let rate = rate(client, url, connections, time).await;
    let requests = rate * begin.elapsed().as_secs_f64();
    (rate, (cpu_seconds(process) - before) / requests * 1e6)
}

/// Requests per second that some connections get out of an address.
pub async fn rate(client: &reqwest::Client, url: &str, connections: usize, time: Duration) -> f64 {
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let begin = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            let (client, url, stop, done) = (client.clone(), url.to_owned(), stop.clone(), done.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let answer = client.get(&url).send().await.unwrap();
                    assert!(answer.status().is_success(), "{url}: {}", answer.status());
                    answer.bytes().await.unwrap();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    done.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64()
}

/// Latencies in milliseconds at a fixed rate. A request that must wait for its turn counts its waiting, as it would for
/// a customer.
pub async fn latencies(client: &reqwest::Client, url: &str, per_second: u32, time: Duration) -> Vec<f64> {
    let pause = Duration::from_secs(1) / per_second;
    let count = (time.as_secs_f64() * f64::from(per_second)) as u32;
    let begin = Instant::now();
    let mut tasks = Vec::new();
    for i in 0..count {
        let due = begin + pause * i;
        tokio::time::sleep_until(due.into()).await;
        let (client, url) = (client.clone(), url.to_owned());
        tasks.push(tokio::spawn(async move {
            let answer = client.get(&url).send().await.unwrap();
            assert!(answer.status().is_success(), "{url}: {}", answer.status());
            answer.bytes().await.unwrap();
            due.elapsed().as_secs_f64() * 1000.0
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.push(task.await.unwrap());
    }
    latencies
}
