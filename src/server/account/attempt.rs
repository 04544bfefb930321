//! Failed tries of what can be guessed. After a few in a row each further one has to wait, longer each time; whoever
//! asks is told how long. A person who forgot a password is never locked out: a code is always another way in.

use crate::{
    args,
    domain::{Error, Result},
    server::{App, db::Tx},
};

/// After so many failures in a row the waiting begins.
const FREE: i64 = 5;
/// The first pause in milliseconds; each failure after it doubles it.
const FIRST_MS: i64 = 15_000;
/// The longest pause in milliseconds: a quarter of an hour, so that no more than about a hundred guesses fit into a day.
const LONGEST_MS: i64 = 15 * 60_000;
/// After so many milliseconds without a failure they are forgotten: a day.
pub const FORGET_MS: i64 = 24 * 60 * 60_000;

/// Counts a try before it is made, so that many at the same time are many. One that succeeds is taken back by
/// [`succeeded`].
///
/// # Errors
/// [`Error::TooMany`] while the pause after the failures before lasts.
pub async fn begin(app: &App, key: String, now: i64) -> Result<()> {
    let blocked = app
        .db
        .write::<_, Error>(move |tx| {
            let key = key.clone();
            Box::pin(async move { count(tx, &key, now).await })
        })
        .await?;
    match blocked {
        Some(until) => Err(wait(until, now)),
        None => Ok(()),
    }
}

/// Counts a try unless the pause lasts, and answers with the end of that pause.
async fn count(tx: &mut Tx<'_>, key: &str, now: i64) -> Result<Option<i64>> {
    // Waits for whoever tries the same at the same time.
    let sql = "insert into attempt (key_hash, failures, blocked_until, changed_at) values ($1, 0, 0, $2)
        on conflict (key_hash) do update set key_hash = excluded.key_hash returning failures, blocked_until, changed_at";
    let row = tx.one(sql, args![key, now]).await?;
    let blocked_until: i64 = row.get("blocked_until")?;
    if blocked_until > now {
        return Ok(Some(blocked_until));
    }
    let old = row.get::<i64>("changed_at")? < now - FORGET_MS;
    let failures = if old { 0 } else { row.get::<i64>("failures")? } + 1;
    let sql = "update attempt set failures = $2, blocked_until = $3, changed_at = $4 where key_hash = $1";
    tx.exec(sql, args![key, failures, now + pause(failures), now]).await?;
    Ok(None)
}

/// Forgets the failures before a success.
///
/// # Errors
/// When the database cannot be written.
pub async fn succeeded(tx: &mut Tx<'_>, key: &str) -> Result<()> {
    tx.exec("delete from attempt where key_hash = $1", args![key]).await?;
    Ok(())
}

/// How long to wait after so many failures in a row, in milliseconds.
fn pause(failures: i64) -> i64 {
    match failures - FREE {
        ..0 => 0,
        over => (FIRST_MS << over.min(20)).min(LONGEST_MS),
    }
}

/// Says when to come back.
pub fn wait(until: i64, now: i64) -> Error {
    let seconds = (until - now).max(0).div_euclid(1000) + 1;
    Error::TooMany { retry_after: u32::try_from(seconds).unwrap_or(u32::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_begin_late_grow_and_end_somewhere() {
        let pauses: Vec<_> = (1..=12).map(|failures| pause(failures) / 1000).collect();
        assert_eq!(pauses, [0, 0, 0, 0, 15, 30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(pause(i64::MAX), LONGEST_MS);
    }
}
