//! Effects that leave after the transaction which caused them: at least once, with growing pauses after a failure.
//!
//! An effect is claimed by moving its time forward, so that it is tried by one node at a time, and again after the
//! lease should that node die.
//!
//! Nothing is given up by itself: an effect that fails for good is money or a message that somebody waits for. It shows
//! in the log as an error and in the metrics as `outbox_overdue` until it is carried out.

use super::{
    App, Ctx,
    context::{internal, now},
    db::Row,
    figures, message,
    order::confirm,
    payment,
};
use crate::{
    args,
    domain::{Error, Result, account::Posted},
};
use futures::{StreamExt, stream};
use std::time::Duration;
use tokio::time::timeout;

/// How long an attempt may take before another one is made, in milliseconds.
const LEASE_MS: i64 = 60_000;
/// The longest pause between attempts, in milliseconds.
const MAX_PAUSE_MS: i64 = 10 * 60_000;
/// After so many attempts, about a quarter of an hour, somebody must look: each further failure is an error in the log.
const LOUD: i64 = 10;
/// How long effects that were carried out are kept, for whoever looks into one: a week.
const KEEP_MS: i64 = 7 * 24 * 60 * 60_000;
/// How many of them are removed at once, so that nobody waits behind it.
const SWEEP: i64 = 500;
/// How long an attempt is waited for: it ends before another node may make the next.
const LONGEST: Duration = Duration::from_millis(LEASE_MS.unsigned_abs() - 5_000);

/// Effects that wait for each other and for no others: money never waits behind a slow mail server, and somebody who waits
/// for a code not behind what others are told of their orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    Payments,
    Messages,
    Confirmations,
}

impl Queue {
    const ALL: [Self; 3] = [Self::Payments, Self::Messages, Self::Confirmations];

    /// How many of its effects are tried at the same time. Confirmations come as fast as orders and read much, and those who
    /// order come first.
    const fn at_once(self) -> usize {
        match self {
            Self::Payments => 4,
            Self::Messages => 8,
            Self::Confirmations => 2,
        }
    }
}

/// Tries everything that is due and answers with how many effects were carried out.
///
/// # Errors
/// When the database cannot be reached; a failed effect is no error, it is tried again.
pub async fn run_due(app: &App) -> Result<usize> {
    let mut done = 0;
    for queue in Queue::ALL {
        done += run(app, queue).await?;
    }
    Ok(done)
}

/// Tries what is due of one queue.
///
/// # Errors
/// As [`run_due`].
pub async fn run(app: &App, queue: Queue) -> Result<usize> {
    let sql = "select id, kind, payload, attempts, next_at from outbox
        where done_at is null and next_at <= $1
            and case kind when $2 then 'messages' when $3 then 'confirmations' else 'payments' end = $4
        order by next_at limit 50";
    let name = match queue {
        Queue::Payments => "payments",
        Queue::Messages => "messages",
        Queue::Confirmations => "confirmations",
    };
    let due = app.db.all(sql, args![now(), message::KIND, confirm::KIND, name]).await?;
    let tried = stream::iter(due).map(|row| async move { attempt(app, &row).await }).buffer_unordered(queue.at_once());
    // All of them, before a failure of the database is told of: what is under way would be done again.
    let tried: Vec<_> = tried.collect().await;
    let done = tried.into_iter().try_fold(0, |done, end| end.map(|carried_out| done + usize::from(carried_out)))?;
    if queue != Queue::Payments {
        return Ok(done);
    }
    let waiting = overdue(app, now()).await?;
    // Counts are small, and a gauge is a float.
    metrics::gauge!(figures::OVERDUE).set(waiting as f64);
    sweep(app, now()).await?;
    Ok(done)
}

/// Tries an effect, unless another node does, and answers whether it was carried out.
async fn attempt(app: &App, row: &Row) -> Result<bool> {
    let (id, next_at): (String, i64) = (row.get("id")?, row.get("next_at")?);
    let attempts: i64 = row.get("attempts")?;
    if !claim(app, &id, next_at).await? {
        return Ok(false);
    }
    let kind: String = row.get("kind")?;
    let effect = timeout(LONGEST, effect(app, &kind, &row.get::<String>("payload")?)).await;
    let Err(error) = effect.unwrap_or_else(|_| Err(internal("outbox", &"the receiver does not answer"))) else {
        finish(app, &id, None).await?;
        count(&kind, "done");
        return Ok(true);
    };
    let pause = (1000 << attempts.clamp(0, 20)).min(MAX_PAUSE_MS);
    let attempts = attempts + 1;
    if attempts >= LOUD {
        tracing::error!(%kind, %id, attempts, %error, "an effect keeps failing: see to its receiver");
    } else {
        tracing::warn!(%kind, %id, attempts, %error, "an effect failed and is tried again");
    }
    finish(app, &id, Some(now() + pause)).await?;
    count(&kind, "failed");
    Ok(false)
}

fn count(kind: &str, end: &'static str) {
    metrics::counter!(figures::EFFECTS, "kind" => kind.to_owned(), "end" => end).increment(1);
}

/// How many effects need somebody to look: they failed [`LOUD`] times, or were due long ago and no worker took them.
///
/// # Errors
/// When the database cannot be reached.
pub async fn overdue(app: &App, now: i64) -> Result<i64> {
    let sql = "select count(*) as n from outbox where done_at is null and (attempts >= $1 or next_at < $2)";
    Ok(app.db.one(sql, args![LOUD, now - LEASE_MS]).await?.get("n")?)
}

/// Removes some of what was carried out long ago.
async fn sweep(app: &App, now: i64) -> Result<()> {
    let before = now - KEEP_MS;
    // A look costs nothing, while a write waits for its turn.
    if app.db.optional("select id from outbox where done_at < $1 limit 1", args![before]).await?.is_none() {
        return Ok(());
    }
    let sql = "delete from outbox where id in (select id from outbox where done_at < $1 limit $2)";
    Ok(app.db.exec(sql, args![before, SWEEP]).await.map(drop)?)
}

/// The newest messages, for whoever tries the shop without a way to send them: in development only, and only to a browser
/// on the machine of the shop.
///
/// # Errors
/// [`Error::NotFound`] anywhere else.
pub async fn recent(ctx: &Ctx) -> Result<Vec<Posted>> {
    if !ctx.app.config.development || !ctx.asker.is_local() {
        return Err(Error::NotFound);
    }
    // Ids grow with time, and the first attempt is made at once: `next_at` tells of attempts, not of the beginning.
    let sql = "select id, kind, payload from outbox where kind in ($1, $2) order by id desc limit 100";
    let mut recent = Vec::new();
    for row in ctx.app.db.all(sql, args![message::KIND, confirm::KIND]).await? {
        let (id, kind, payload): (String, String, String) = (row.get("id")?, row.get("kind")?, row.get("payload")?);
        match &*kind {
            confirm::KIND => recent.extend(confirm::posted(&ctx.app, id, &payload).await?),
            _ => recent.push(message::posted(&ctx.app, id, &payload)?),
        }
    }
    Ok(recent)
}

async fn effect(app: &App, kind: &str, payload: &str) -> Result<()> {
    match kind {
        "payment" => {
            let effect = serde_json::from_str(payload).map_err(|e| internal("outbox", &e))?;
            payment::deliver(app, effect).await
        }
        message::KIND => message::deliver(app, payload).await,
        confirm::KIND => confirm::deliver(app, payload).await,
        other => Err(internal("outbox", &format!("unknown kind {other}"))),
    }
}

async fn claim(app: &App, id: &str, next_at: i64) -> Result<bool> {
    let lease = now() + LEASE_MS;
    let sql =
        "update outbox set attempts = attempts + 1, next_at = $3 where id = $1 and next_at = $2 and done_at is null";
    Ok(app.db.exec(sql, args![id, next_at, lease]).await? == 1)
}

/// Marks an effect as done, or says when to try again.
async fn finish(app: &App, id: &str, again_at: Option<i64>) -> Result<()> {
    match again_at {
        Some(at) => app.db.exec("update outbox set next_at = $2 where id = $1", args![id, at]).await?,
        None => app.db.exec("update outbox set done_at = $2 where id = $1", args![id, now()]).await?,
    };
    Ok(())
}
