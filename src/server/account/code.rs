//! One-time codes: six digits sent to a phone or an e-mail address, which prove that whoever types them holds it.
//!
//! Asking for a code does the same work, and answers the same, for those who have an account and those who have none.
//! What may be asked and tried is limited per target and per asking address (OWASP ASVS 5 §6.5 and §6.6, NIST SP
//! 800-63B-4 §3.1.3.2).

use super::{attempt, targets};
use crate::{
    args,
    domain::{
        Error, Result,
        account::{CODE_DIGITS, CODE_MS, CODE_TRIES, RESEND_MS, SentCode, Target},
        error::Problem,
    },
    server::{
        Ctx,
        config::Config,
        context::internal,
        crypto::{self, Keys},
        db::{self, Tx},
        message::{self, Message},
        risk,
    },
};
use subtle::ConstantTimeEq;

/// The window of the limits below, in milliseconds: a day.
const WINDOW_MS: i64 = 24 * 60 * 60_000;
/// The most codes for one target that one address may ask for in the window.
const PER_TARGET: i64 = 10;
/// The most codes for one target in the window, whoever asks: more than one person needs, so that nobody can use up what
/// another one is allowed, and few enough to be no flood.
const PER_TARGET_TOGETHER: i64 = 30;
/// The most codes that one address may ask for in the window; a household, an office or a café shares one.
const PER_ASKER: i64 = 50;
/// After so many wrong codes in a row for one target, however many codes they were for, none is taken for a day: a new code
/// is no new beginning (NIST SP 800-63B-4 §3.1.3.2).
const WRONG: i64 = 100;
/// How many days the numbers of text messages are kept.
const SMS_DAYS: i64 = 30;

/// Reads where a code is to be sent.
///
/// # Errors
/// [`Error::Invalid`] about `target`, for what is neither phone nor e-mail and for what there is no way to.
pub fn target(ctx: &Ctx, country_code: &str, typed: &str) -> Result<Target> {
    let target = Target::read(country_code, typed).map_err(|problem| Error::field("target", problem))?;
    if !ctx.app.post.reaches(&target) && !ctx.app.config.development {
        return Err(unreachable());
    }
    Ok(target)
}

/// Sends a code to a target.
///
/// # Errors
/// [`Error::TooMany`] within a minute after the last one, and over the limits of a day; `Unreachable` of `target` for a
/// phone of a country that gets no text messages, and for every phone once the shop has sent all of a day.
pub async fn send(ctx: &Ctx, target: Target) -> Result<SentCode> {
    let id = crypto::token().map_err(|e| internal("random source", &e))?;
    send_as(ctx, id, target).await
}

/// The same under an id that was made before, see [`targets`](super::targets).
///
/// # Errors
/// As [`send`].
pub(super) async fn send_as(ctx: &Ctx, id: String, target: Target) -> Result<SentCode> {
    let (keys, config) = (&ctx.app.keys, &ctx.app.config);
    if !is_allowed(config, &target) {
        return Err(unreachable());
    }
    let costs = matches!(target, Target::Phone(_)) && ctx.app.post.reaches(&target);
    let target_hash = hash_of(keys, &target);
    let (code, now) = (draw()?, ctx.now);
    let sent = sent_code(ctx, id, &target, now);
    let row = NewCode {
        id: sent.id.clone(),
        target_sealed: seal(keys, &sent.id, &target)?,
        code_hash: code_hash(keys, &sent.id, &code),
        asker_hash: if ctx.asker.is_local() { String::new() } else { keys.lookup("asker", &ctx.asker.network()) },
        target_hash,
        texts: costs.then_some(config.sms_per_day),
        now,
    };
    let message = message::sealed(&ctx.app, &Message::code(target, code, ctx.locale, now))?;
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (row, message) = (row.clone(), message.clone());
            Box::pin(async move {
                row.insert(tx).await?;
                message::enqueue(tx, &message, now).await
            })
        })
        .await?;
    ctx.app.wake.notify_waiters();
    Ok(sent)
}

/// Whether the shop sends text messages to the country of a phone. Whoever is paid for calls to a country would have it
/// send any number of them.
fn is_allowed(config: &Config, target: &Target) -> bool {
    match target {
        Target::Email(_) => true,
        Target::Phone(phone) => config.sms_countries.iter().any(|code| phone.starts_with(code.as_str())),
    }
}

fn unreachable() -> Error {
    Error::field("target", Problem::Unreachable)
}

/// Sends another code to sign in with to where one was sent before.
///
/// # Errors
/// As [`send`]; [`Error::NotFound`] for a code that is long gone, and for one that is not to sign in with.
pub async fn send_again(ctx: &Ctx, id: &str) -> Result<SentCode> {
    if targets::is_for_account(id) {
        return Err(Error::NotFound);
    }
    let (target, _) = find(ctx, id).await?;
    send(ctx, target).await
}

/// What the page that waits for a code shows.
///
/// # Errors
/// [`Error::NotFound`] for a code that is long gone.
pub async fn show(ctx: &Ctx, id: &str) -> Result<SentCode> {
    let (target, created_at) = find(ctx, id).await?;
    Ok(sent_code(ctx, id.to_owned(), &target, created_at))
}

fn sent_code(ctx: &Ctx, id: String, target: &Target, created_at: i64) -> SentCode {
    SentCode {
        id,
        masked: target.masked(),
        resend_at: created_at + RESEND_MS,
        expires_at: created_at + CODE_MS,
        now: ctx.now,
        in_outbox: ctx.app.config.development && !ctx.app.post.reaches(target),
    }
}

/// Where a code was sent, and when.
pub(super) async fn find(ctx: &Ctx, id: &str) -> Result<(Target, i64)> {
    let sql = "select target_sealed, created_at from one_time_code where id = $1";
    let row = ctx.app.db.one(sql, args![id]).await?;
    let target = open(&ctx.app.keys, id, &row.get::<Vec<u8>>("target_sealed")?)?;
    Ok((target, row.get("created_at")?))
}

/// What came of a code that was typed. It is no error of the transaction: the try has to be counted.
pub enum Tried {
    /// It was right, and is used up; whoever typed it holds the target.
    Proved { target_hash: String, target: Target },
    /// It was not; with the keyed hash of its target, if there is such a code.
    Refused { problem: Problem, target_hash: Option<String> },
}

/// Tries a code, which counts. A browser on which the account of the target was signed in before, by its keyed hash, may go
/// on after others were wrong too often.
///
/// # Errors
/// When the database cannot be written.
pub async fn attempt(
    tx: &mut Tx<'_>,
    keys: &Keys,
    (id, typed): (&str, &str),
    device_hash: &str,
    now: i64,
) -> Result<Tried> {
    let sql = "update one_time_code set tries = tries + 1
        where id = $1 and used_at is null and expires_at > $2 and tries < $3
        returning code_hash, target_hash, target_sealed";
    let Some(row) = tx.optional(sql, args![id, now, CODE_TRIES]).await? else {
        let row = tx.optional("select target_hash from one_time_code where id = $1", args![id]).await?;
        let target_hash = row.map(|row| row.get("target_hash")).transpose()?;
        return Ok(Tried::Refused { problem: Problem::CodeOver, target_hash });
    };
    let target_hash: String = row.get("target_hash")?;
    let wrong = format!("code-guess:{target_hash}");
    if is_closed(tx, &wrong, &target_hash, device_hash, now).await? {
        return Ok(Tried::Refused { problem: Problem::CodeClosed, target_hash: Some(target_hash) });
    }
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let right = code_hash(keys, id, &typed).as_bytes().ct_eq(row.get::<String>("code_hash")?.as_bytes());
    if !bool::from(right) {
        let sql = "insert into attempt (key_hash, failures, blocked_until, changed_at) values ($1, 1, 0, $2)
            on conflict (key_hash) do update set changed_at = excluded.changed_at,
                failures = case when attempt.changed_at > $3 then attempt.failures + 1 else 1 end";
        tx.exec(sql, args![wrong, now, now - WINDOW_MS]).await?;
        return Ok(Tried::Refused { problem: Problem::Code, target_hash: Some(target_hash) });
    }
    tx.exec("delete from attempt where key_hash = $1", args![wrong]).await?;
    tx.exec("update one_time_code set used_at = $2 where id = $1", args![id, now]).await?;
    let target = open(keys, id, &row.get::<Vec<u8>>("target_sealed")?)?;
    // Two codes of one target that are right at the same time make one account: the second waits here.
    lock(tx, &target_hash, now).await?;
    Ok(Tried::Proved { target_hash, target })
}

/// Whether so many codes for a target were wrong that none is taken from a browser like this.
async fn is_closed(tx: &mut Tx<'_>, wrong: &str, target_hash: &str, device_hash: &str, now: i64) -> Result<bool> {
    let sql = "select failures from attempt where key_hash = $1 and failures >= $2 and changed_at > $3";
    if tx.optional(sql, args![wrong, WRONG, now - WINDOW_MS]).await?.is_none() {
        return Ok(false);
    }
    let sql = "select d.device_hash from known_device d join account_target t on t.customer_id = d.customer_id
        where t.target_hash = $1 and d.device_hash = $2";
    Ok(tx.optional(sql, args![target_hash, device_hash]).await?.is_none())
}

/// A keyed hash under which the account of a target is found.
pub fn hash_of(keys: &Keys, target: &Target) -> String {
    keys.lookup(target.kind(), target.value())
}

#[derive(Clone)]
struct NewCode {
    id: String,
    target_hash: String,
    target_sealed: Vec<u8>,
    code_hash: String,
    /// Empty for one who is not counted.
    asker_hash: String,
    /// How many text messages may leave in a day, if this is one of them.
    texts: Option<i64>,
    now: i64,
}

impl NewCode {
    /// Writes the code, unless that many were asked for already.
    async fn insert(&self, tx: &mut Tx<'_>) -> Result<()> {
        let Self { now, .. } = *self;
        // Always in this order, so that two never wait for each other.
        if !self.asker_hash.is_empty() {
            lock(tx, &self.asker_hash, now).await?;
        }
        lock(tx, &self.target_hash, now).await?;
        let sql = "select count(*) as codes, max(created_at) as last, min(created_at) as first from one_time_code
            where target_hash = $1 and asker_hash = $3 and created_at > $2";
        let row = tx.one(sql, args![&self.target_hash, now - WINDOW_MS, &self.asker_hash]).await?;
        if let Some(last) = row.get::<Option<i64>>("last")?
            && last + RESEND_MS > now
        {
            return Err(attempt::wait(last + RESEND_MS, now));
        }
        let over = |row: &db::Row, most: i64| -> Result<()> {
            match row.get::<Option<i64>>("first")? {
                Some(first) if row.get::<i64>("codes")? >= most => Err(attempt::wait(first + WINDOW_MS, now)),
                _ => Ok(()),
            }
        };
        over(&row, PER_TARGET)?;
        let mut last = row.get::<i64>("codes")? + 1 == PER_TARGET;
        let sql = "select count(*) as codes, min(created_at) as first from one_time_code
            where target_hash = $1 and created_at > $2";
        let row = tx.one(sql, args![&self.target_hash, now - WINDOW_MS]).await?;
        over(&row, PER_TARGET_TOGETHER)?;
        last |= row.get::<i64>("codes")? + 1 == PER_TARGET_TOGETHER;
        if !self.asker_hash.is_empty() {
            let sql = "select count(*) as codes, min(created_at) as first from one_time_code
                where asker_hash = $1 and created_at > $2";
            let row = tx.one(sql, args![&self.asker_hash, now - WINDOW_MS]).await?;
            over(&row, PER_ASKER)?;
            last |= row.get::<i64>("codes")? + 1 == PER_ASKER;
        }
        if last {
            risk::record(tx, risk::Kind::ManyCodes, &self.target_hash, &self.asker_hash, now).await?;
        }
        let sql = "insert into one_time_code
                (id, target_hash, target_sealed, code_hash, asker_hash, created_at, expires_at, tries)
            values ($1, $2, $3, $4, $5, $6, $7, 0)";
        let args = args![
            &self.id,
            &self.target_hash,
            &self.target_sealed,
            &self.code_hash,
            &self.asker_hash,
            now,
            now + CODE_MS
        ];
        tx.exec(sql, args).await?;
        match self.texts {
            Some(most) => self.count_text(tx, most).await,
            None => Ok(()),
        }
    }

    /// Counts a text message, unless as many left on this day as may. All wait here for each other, so it comes last.
    async fn count_text(&self, tx: &mut Tx<'_>, most: i64) -> Result<()> {
        let sql = "insert into sms_day (day, sent) values ($1, 1)
            on conflict (day) do update set sent = sms_day.sent + 1 returning sent";
        let sent: i64 = tx.one(sql, args![day_of(self.now)]).await?.get("sent")?;
        if sent > most {
            // Undoes what was written: nothing is sent.
            return Err(unreachable());
        }
        if sent == most {
            tracing::warn!(sent, "no more text messages leave today; --sms-per-day says how many may");
            risk::record(tx, risk::Kind::ManyCodes, "shop", &self.asker_hash, self.now).await?;
        }
        Ok(())
    }
}

/// A day, counted from 1970-01-01 in UTC.
const fn day_of(ms: i64) -> i64 {
    ms.div_euclid(WINDOW_MS)
}

/// Removes the codes and counts that no limit looks at any more, and failures that are forgotten.
///
/// # Errors
/// When the database cannot be written.
pub async fn sweep(tx: &mut Tx<'_>, now: i64) -> Result<()> {
    tx.exec("delete from one_time_code where created_at < $1", args![now - WINDOW_MS]).await?;
    // What is taken no more is not forgotten by time.
    let sql = "delete from attempt where changed_at < $1 and blocked_until < $2";
    tx.exec(sql, args![now - attempt::FORGET_MS, attempt::CLOSED]).await?;
    tx.exec("delete from sms_day where day < $1", args![day_of(now) - SMS_DAYS]).await?;
    Ok(())
}

/// Lets those who do something about one target, or ask from one address, at the same time wait for each other.
async fn lock(tx: &mut Tx<'_>, hash: &str, now: i64) -> Result<()> {
    let sql = "insert into attempt (key_hash, failures, blocked_until, changed_at) values ($1, 0, 0, $2)
        on conflict (key_hash) do update set changed_at = excluded.changed_at";
    tx.exec(sql, args![format!("code:{hash}"), now]).await?;
    Ok(())
}

/// A code drawn evenly: a number that would make the first ones likelier is drawn again.
fn draw() -> Result<String> {
    const CODES: u32 = 10u32.pow(CODE_DIGITS as u32);
    loop {
        let random = u32::from_be_bytes(crypto::random().map_err(|e| internal("random source", &e))?);
        if random < u32::MAX - u32::MAX % CODES {
            return Ok(format!("{:0CODE_DIGITS$}", random % CODES));
        }
    }
}

fn code_hash(keys: &Keys, id: &str, code: &str) -> String {
    keys.lookup("code", &format!("{id}:{code}"))
}

fn place(id: &str) -> String {
    format!("one_time_code.target:{id}")
}

fn seal(keys: &Keys, id: &str, target: &Target) -> Result<Vec<u8>> {
    let plain = serde_json::to_vec(target).map_err(|e| internal("target", &e))?;
    keys.seal(&plain, &place(id)).map_err(|e| internal("crypto", &e))
}

fn open(keys: &Keys, id: &str, sealed: &[u8]) -> Result<Target> {
    let plain = keys.open(sealed, &place(id)).map_err(|e| internal("crypto", &e))?;
    serde_json::from_slice(&plain).map_err(|e| crate::server::context::unreadable("target", &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_six_digits_and_differ() {
        let drawn: Vec<_> = (0..200).filter_map(|_| draw().ok()).collect();
        assert!(drawn.iter().all(|code| code.len() == CODE_DIGITS && code.bytes().all(|b| b.is_ascii_digit())));
        assert!(drawn.iter().collect::<std::collections::HashSet<_>>().len() > 190);
    }
}
