//! Failed tries of what can be guessed. After a few in a row each further one has to wait, longer each time; whoever
//! asks is told how long.
//!
//! They are counted by what is guessed at and by the network that guesses, so that nobody can shut another person out by
//! failing on purpose; and by what is guessed at alone, with more patience, against those who guess from many networks
//! (OWASP ASVS 5 §6.3.1, NIST SP 800-63B-4 §3.2.2). The latter is no way to shut somebody out either: a browser on which
//! the account was signed in before is counted by itself alone.

use crate::{
    args,
    domain::{Error, Result, error::Problem},
    server::{App, context::Asker, crypto::Keys, db::Tx, risk},
};

/// After so many failures in a row of one network its waiting begins.
const FREE: i64 = 5;
/// After so many of all networks together everybody waits.
const FREE_TOGETHER: i64 = 50;
/// After so many in a row of all networks together a password is taken no more, until its owner has shown who this is in
/// another way (NIST SP 800-63B-4 §3.2.2).
const MOST: i64 = 100;
/// Until when what is taken no more is blocked, in UTC milliseconds: no time ends it.
pub const CLOSED: i64 = i64::MAX;
/// The first pause in milliseconds; each failure after it doubles it.
const FIRST_MS: i64 = 15_000;
/// The longest pause in milliseconds: a quarter of an hour, so that no more than about a hundred guesses fit into a day.
const LONGEST_MS: i64 = 15 * 60_000;
/// After so many milliseconds without a failure they are forgotten: a day.
pub const FORGET_MS: i64 = 24 * 60 * 60_000;

/// What can be guessed, as one network or one known browser tries it.
#[derive(Clone, Debug)]
pub struct Guarded {
    together: String,
    /// Under which the tries of this network, or of this browser, are counted.
    own: String,
    network_hash: String,
    /// Whether it is a browser that the failures of others do not make wait.
    known: bool,
    /// Whether too many failures in a row end it.
    closes: bool,
}

impl Guarded {
    /// The kind of the keyed hashes that stand for what is guarded.
    pub const KIND: &str = "attempt";

    /// `what` names it among all that is guarded, whether or not it exists.
    pub fn new(keys: &Keys, asker: &Asker, what: &str) -> Self {
        let together = keys.lookup(Self::KIND, what);
        // Without the hash a list of who tried what from where would lie in the database.
        let network_hash = risk::network_hash(keys, asker);
        Self { own: format!("{together}:{network_hash}"), together, network_hash, known: false, closes: false }
    }

    /// The same as a browser tries it on which the account was signed in before, by the keyed hash of that browser; none
    /// for any other.
    #[must_use]
    pub fn known(self, device_hash: Option<&str>) -> Self {
        match device_hash {
            Some(device) => Self { own: format!("{}:{device}", self.together), known: true, ..self },
            None => self,
        }
    }

    /// The same, which is taken no more after a hundred failures in a row: for what its owner has another way beside.
    #[must_use]
    pub fn closing(self) -> Self {
        Self { closes: true, ..self }
    }

    /// A keyed hash that stands for it: in the log, and as the subject of an event.
    pub fn subject(&self) -> &str {
        &self.together
    }
}

/// Counts a try before it is made, so that many at the same time are many. One that succeeds is taken back by
/// [`succeeded`].
///
/// # Errors
/// [`Error::TooMany`] while the pause after the failures before lasts; `PasswordClosed` of `password` for what is taken no
/// more.
pub async fn begin(app: &App, guarded: &Guarded, now: i64) -> Result<()> {
    // Most tries of a flood end here, without a write: who comes from ever other networks leaves no row for each of them.
    let sql = "select max(blocked_until) as until from attempt where key_hash in ($1, $2) and blocked_until > $3";
    let joint = if guarded.known { &guarded.own } else { &guarded.together };
    let row = app.db.one(sql, args![&guarded.own, joint, now]).await?;
    if let Some(until) = row.get::<Option<i64>>("until")? {
        return Err(held_up(until, now));
    }
    let guarded = guarded.clone();
    app.db
        .write::<_, Error>(move |tx| {
            let guarded = guarded.clone();
            Box::pin(async move {
                // A network that has to wait does not make others wait, and others do not make a known browser wait.
                let counts = [(&guarded.own, FREE, false), (&guarded.together, FREE_TOGETHER, guarded.closes)];
                for (key, free, closes) in counts.into_iter().take(if guarded.known { 1 } else { 2 }) {
                    match count(tx, key, (free, closes), now).await? {
                        Ok(failures) if failures == free || closes && failures == MOST => {
                            let Guarded { together, network_hash, .. } = &guarded;
                            risk::record(tx, risk::Kind::ManyFailures, together, network_hash, now).await?;
                        }
                        Ok(_) => {}
                        // Undoes what was counted before: who is refused has not tried.
                        Err(until) => return Err(held_up(until, now)),
                    }
                }
                Ok(())
            })
        })
        .await
}

/// Counts a try unless the pause lasts, and answers with the tries in a row or else with the end of that pause.
async fn count(
    tx: &mut Tx<'_>,
    key: &str,
    (free, closes): (i64, bool),
    now: i64,
) -> Result<std::result::Result<i64, i64>> {
    // Waits for whoever tries the same at the same time.
    let sql = "insert into attempt (key_hash, failures, blocked_until, changed_at) values ($1, 0, 0, $2)
        on conflict (key_hash) do update set key_hash = excluded.key_hash returning failures, blocked_until, changed_at";
    let row = tx.one(sql, args![key, now]).await?;
    let blocked_until: i64 = row.get("blocked_until")?;
    if blocked_until > now {
        return Ok(Err(blocked_until));
    }
    let old = row.get::<i64>("changed_at")? < now - FORGET_MS;
    let failures = if old { 0 } else { row.get::<i64>("failures")? } + 1;
    let until = if closes && failures >= MOST { CLOSED } else { now + pause(failures - free) };
    let sql = "update attempt set failures = $2, blocked_until = $3, changed_at = $4 where key_hash = $1";
    tx.exec(sql, args![key, failures, until, now]).await?;
    Ok(Ok(failures))
}

/// Forgets the failures of this network, and of all together, before a success; after one of a known browser only its own:
/// it says nothing of those who guess elsewhere.
///
/// # Errors
/// When the database cannot be written.
pub async fn succeeded(tx: &mut Tx<'_>, guarded: &Guarded) -> Result<()> {
    let joint = if guarded.known { &guarded.own } else { &guarded.together };
    tx.exec("delete from attempt where key_hash in ($1, $2)", args![joint, &guarded.own]).await?;
    Ok(())
}

/// Forgets the failures of all together, once the owner has shown who this is in another way: what was taken no more is
/// taken again.
///
/// # Errors
/// When the database cannot be written.
pub async fn reopened(tx: &mut Tx<'_>, keys: &Keys, what: &str) -> Result<()> {
    tx.exec("delete from attempt where key_hash = $1", args![keys.lookup(Guarded::KIND, what)]).await?;
    Ok(())
}

/// The same in a transaction of its own, for a success that writes nothing else.
///
/// # Errors
/// When the database cannot be written.
pub async fn over(app: &App, guarded: &Guarded) -> Result<()> {
    let guarded = guarded.clone();
    app.db
        .write::<_, Error>(move |tx| {
            let guarded = guarded.clone();
            Box::pin(async move { succeeded(tx, &guarded).await })
        })
        .await
}

/// Forgets the failures of all networks, once it is another thing that would have to be guessed.
///
/// # Errors
/// When the database cannot be written.
pub async fn replaced(tx: &mut Tx<'_>, keys: &Keys, what: &str) -> Result<()> {
    let together = keys.lookup(Guarded::KIND, what);
    // Hexadecimal digits hold no wildcard.
    let networks = format!("{together}:%");
    tx.exec("delete from attempt where key_hash = $1 or key_hash like $2", args![together, networks]).await?;
    Ok(())
}

/// How long to wait after so many failures beyond those that are free, in milliseconds.
fn pause(over: i64) -> i64 {
    match over {
        ..0 => 0,
        over => (FIRST_MS << over.min(20)).min(LONGEST_MS),
    }
}

/// Says when to come back, or that no time will do.
fn held_up(until: i64, now: i64) -> Error {
    if until == CLOSED { Error::field("password", Problem::PasswordClosed) } else { wait(until, now) }
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
        let pauses: Vec<_> = (1..=12).map(|failures| pause(failures - FREE) / 1000).collect();
        assert_eq!(pauses, [0, 0, 0, 0, 15, 30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(pause(i64::MAX), LONGEST_MS);
    }
}
