//! Work that nobody waits for: what is due, and what the outbox holds.
//!
//! Each job is run again and again in a task of its own, so that a slow one holds no other up. A job that fails or
//! panics is logged and tried again later; it must do no harm when it is run twice, here or on another node.
//!
//! Every node runs every job, so that none waits for a node that is no more. What must happen once is claimed in the
//! database by a conditional change, as part of the transaction that does it (an order expires, a booking is told of, a
//! night is opened), or before it, with a time after which another node may try (an effect of the outbox, a copy of
//! somebody's data). So the pauses and failures here, and the wake-up after a new effect, may be those of one process: a
//! node that is not woken looks by itself within a second.

use super::{
    App, account, backup, booking, catalog,
    context::now,
    figures, keys, memory, order,
    outbox::{self, Queue},
    privacy,
};
use crate::domain::{Result, live::Topic};
use futures::{FutureExt, future::BoxFuture};
use std::{collections::HashMap, panic::AssertUnwindSafe, time::Duration};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, timeout},
};

/// A recurring piece of work.
struct Job {
    name: &'static str,
    /// The pause between two runs.
    every: Duration,
    /// Whether `App::wake` shortens it: somebody waits for what this does.
    wakes: bool,
    /// Does a batch and tells whether there is more of it.
    run: fn(App) -> BoxFuture<'static, Result<bool>>,
}

const JOBS: &[Job] = &[
    Job {
        name: "expiry",
        every: Duration::from_secs(1),
        wakes: false,
        run: |app| {
            Box::pin(async move {
                let moves = booking::held::expire_due(&app, now()).await;
                Ok(order::expire_due(&app).await? + moves? > 0)
            })
        },
    },
    Job {
        name: "outbox",
        every: Duration::from_secs(1),
        wakes: true,
        run: |app| Box::pin(async move { outbox::run(&app, Queue::Payments).await.map(|done| done > 0) }),
    },
    Job {
        name: "messages",
        every: Duration::from_secs(1),
        wakes: true,
        run: |app| Box::pin(async move { outbox::run(&app, Queue::Messages).await.map(|done| done > 0) }),
    },
    Job {
        name: "confirmations",
        every: Duration::from_secs(1),
        wakes: true,
        run: |app| Box::pin(async move { outbox::run(&app, Queue::Confirmations).await.map(|done| done > 0) }),
    },
    // Not only once of all nodes: each has an index of its own.
    Job {
        name: "search",
        every: catalog::search::EVERY,
        wakes: false,
        run: |app| Box::pin(async move { catalog::search::step(&app, now()).await }),
    },
    // Looks often whether it is another day.
    Job {
        name: "departures",
        every: Duration::from_secs(600),
        wakes: false,
        run: |app| Box::pin(async move { booking::timetable::run_due(&app, now()).await.map(|_| false) }),
    },
    Job {
        name: "people",
        every: Duration::from_secs(600),
        wakes: false,
        run: |app| Box::pin(async move { account::sweep(&app).await.map(|()| false) }),
    },
    Job {
        name: "privacy",
        every: Duration::from_secs(5),
        wakes: true,
        run: |app| Box::pin(async move { privacy::run_due(&app, now()).await.map(|done| done > 0) }),
    },
    Job {
        name: "waiting",
        every: Duration::from_secs(5),
        wakes: false,
        run: |app| Box::pin(async move { booking::waiting::run_due(&app, now()).await.map(|freed| freed > 0) }),
    },
    Job {
        name: "places",
        every: Duration::from_secs(60),
        wakes: false,
        run: |app| Box::pin(async move { booking::waiting::look(&app, now()).await.map(|()| false) }),
    },
    Job {
        name: "reminders",
        every: Duration::from_secs(60),
        wakes: false,
        run: |app| Box::pin(async move { booking::remind::run_due(&app, now()).await.map(|told| told > 0) }),
    },
    // Looks often whether it is another day, and does something once on each.
    Job {
        name: "horizon",
        every: Duration::from_secs(600),
        wakes: false,
        run: |app| Box::pin(async move { booking::horizon::run_due(&app, now()).await.map(|_| false) }),
    },
    // Looks often whether the next one is due.
    Job {
        name: "backup",
        every: Duration::from_secs(60),
        wakes: false,
        run: |app| Box::pin(async move { backup::schedule::run_due(&app, now()).await.map(|_| false) }),
    },
    // Often enough for every node to know a new key before it is used.
    Job {
        name: "keys",
        every: Duration::from_secs(5),
        wakes: false,
        run: |app| Box::pin(async move { Ok(matches!(keys::step(&app, now()).await?, keys::Progress::Resealed(_))) }),
    },
];

/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often products are looked for that an import beside this process changed.
const LOOK: Duration = Duration::from_secs(1);
/// How far back a look goes before the last one, in milliseconds: a product is dated before the transaction that changes it
/// ends, and maybe by the clock of another machine.
const LOOK_BACK: i64 = 15_000;

/// Runs all jobs until `stop` turns true, and lets each finish the batch it is at.
pub async fn run(app: App, stop: watch::Receiver<bool>) {
    let mut tasks = JoinSet::new();
    for job in JOBS {
        tasks.spawn(repeat(job, app.clone(), stop.clone()));
    }
    tasks.spawn(memory::watch(stop.clone()));
    tasks.spawn(watch_products(app, stop));
    while tasks.join_next().await.is_some() {}
}

/// Tells open pages of the products that another process changed, each change once.
async fn watch_products(app: App, mut stop: watch::Receiver<bool>) {
    let (mut told, mut since) = (HashMap::new(), now());
    loop {
        let (begun, at) = (Instant::now(), now());
        let pause = match catalog::changed_since(&app, since - LOOK_BACK).await {
            Ok(changed) => {
                for (product, _) in changed.iter().filter(|(product, at)| told.get(*product) != Some(*at)) {
                    // Not told to other nodes: each looks for itself.
                    app.live.heard(Topic::Product(product.clone()));
                }
                (told, since) = (changed, at);
                app.live.note_look(begun);
                LOOK
            }
            // It was logged where it happened.
            Err(_) => LOOK * 10,
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn repeat(job: &'static Job, app: App, mut stop: watch::Receiver<bool>) {
    let mut failures = 0u32;
    loop {
        let wake = app.wake.notified();
        let result = AssertUnwindSafe((job.run)(app.clone())).catch_unwind().await;
        failures = match &result {
            Ok(Ok(_)) => 0,
            Ok(Err(error)) => {
                tracing::error!(job = job.name, %error, "a job failed");
                failures + 1
            }
            Err(_) => {
                tracing::error!(job = job.name, "a job panicked");
                failures + 1
            }
        };
        let end = if failures == 0 { "done" } else { "failed" };
        metrics::counter!(figures::JOBS, "name" => job.name, "end" => end).increment(1);
        let pause = match result {
            Ok(Ok(true)) => Duration::ZERO,
            Ok(Ok(false)) => job.every,
            _ => (job.every * 2u32.saturating_pow(failures.min(10))).min(LONGEST_PAUSE),
        };
        // A wake-up during a failure's pause is no reason to fail again at once.
        let early = async { if job.wakes && failures == 0 { wake.await } else { std::future::pending().await } };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = timeout(pause, early) => {}
        }
    }
}
