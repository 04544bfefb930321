//! How fast one network may guess, over all nodes of a shop together: a burst, and after it one try every so often.
//!
//! Each process also counts for itself, see [`limit`](super::http::limit), and refuses a flood without a word to the
//! database. But a network that is sent to another node with each try would have its measure once for each of them. So
//! what a process lets pass is counted here once more, by the generic cell rate algorithm (ITU-T I.371): one row tells
//! until when a network pays for what it did.

use super::{App, context::Asker, db::Tx, risk};
use crate::{
    args,
    domain::{Error, Result},
};

/// What a try costs, in milliseconds.
const COST_MS: i64 = 2_000;
/// How many tries may come at once.
const BURST: i64 = 60;

/// Counts a try.
///
/// # Errors
/// [`Error::TooMany`] for one too many; where it cannot be counted, what the database says.
pub async fn count(app: &App, asker: &Asker, now: i64) -> Result<()> {
    let network = risk::network_hash(&app.keys, asker);
    let sql = "select paid_at from network_pace where network_hash = $1";
    // A flood ends here, without a write.
    let row = app.db.optional(sql, args![&network]).await?;
    let paid_at = row.map(|row| row.get::<i64>("paid_at")).transpose()?.unwrap_or(now);
    let latest = now.saturating_add(COST_MS * (BURST - 1));
    if paid_at > latest {
        return Err(too_many(paid_at - latest));
    }
    let counted = app.db.write::<_, Error>(move |tx| {
        let network = network.clone();
        Box::pin(async move {
            let sql = "insert into network_pace (network_hash, paid_at) values ($1, $2 + $3)
                on conflict (network_hash) do update
                set paid_at = case when network_pace.paid_at > $2 then network_pace.paid_at else $2 end + $3
                where network_pace.paid_at <= $4";
            Ok(tx.exec(sql, args![network, now, COST_MS, latest]).await? == 1)
        })
    });
    // Many came at the same moment.
    if counted.await? { Ok(()) } else { Err(too_many(COST_MS)) }
}

/// Removes those that paid for all they did.
///
/// # Errors
/// When the database cannot be written.
pub async fn sweep(tx: &mut Tx<'_>, now: i64) -> Result<()> {
    tx.exec("delete from network_pace where paid_at < $1", args![now]).await?;
    Ok(())
}

fn too_many(wait_ms: i64) -> Error {
    Error::TooMany { retry_after: u32::try_from(wait_ms / 1000).unwrap_or(u32::MAX).saturating_add(1) }
}
