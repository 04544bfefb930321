//! The SQL of copies and erasures.

use crate::{
    args,
    domain::{
        Error, Result,
        privacy::{COPIES_A_DAY, COPY_MS, CopyState, DAY_MS, DataCopy, Deletion},
    },
    server::{
        account::attempt,
        context::internal,
        db::{Db, DbError, Row, Tx},
    },
};

const COPY: &str = "select id, state, asked_at, bytes, expires_at from privacy_export";

fn copy(row: &Row) -> Result<DataCopy> {
    let state = CopyState::from_name(&row.get::<String>("state")?);
    Ok(DataCopy {
        id: row.get("id")?,
        state: state.ok_or_else(|| internal("database", &"a copy has an unknown state"))?,
        asked_at: row.get("asked_at")?,
        bytes: row.get("bytes")?,
        expires_at: row.get("expires_at")?,
    })
}

/// The newest copy of a customer, unless it is gone or over.
pub async fn newest_copy(db: &Db, customer: &str, now: i64) -> Result<Option<DataCopy>> {
    let sql = format!(
        "{COPY} where customer_id = $1 and state <> 'gone' and (expires_at is null or expires_at > $2)
        order by asked_at desc, id desc limit 1"
    );
    db.optional(sql, args![customer, now]).await?.as_ref().map(copy).transpose()
}

/// The copy a customer is waiting for or has, or else a new one.
///
/// # Errors
/// [`Error::TooMany`] over the limit of a day.
pub async fn ask_copy(tx: &mut Tx<'_>, customer: &str, id: &str, locale: &str, now: i64) -> Result<(DataCopy, bool)> {
    lock(tx, customer).await?;
    // The index knows one that is over and not yet removed as well.
    let sql =
        "update privacy_export set state = 'gone' where customer_id = $1 and state = 'ready' and expires_at <= $2";
    tx.exec(sql, args![customer, now]).await?;
    let sql = format!("{COPY} where customer_id = $1 and state in ('asked', 'making', 'ready')");
    if let Some(row) = tx.optional(sql, args![customer]).await? {
        return Ok((copy(&row)?, false));
    }
    let sql = "select count(*) as copies, min(asked_at) as first from privacy_export where customer_id = $1 and asked_at > $2";
    let row = tx.one(sql, args![customer, now - DAY_MS]).await?;
    if row.get::<i64>("copies")? >= COPIES_A_DAY {
        let first = row.get::<Option<i64>>("first")?.unwrap_or(now);
        return Err(attempt::wait(first + DAY_MS, now));
    }
    let sql = "insert into privacy_export (id, customer_id, locale, state, asked_at, attempts, next_at)
        values ($1, $2, $3, 'asked', $4, 0, $4)";
    tx.exec(sql, args![id, customer, locale, now]).await?;
    Ok((copy(&tx.one(format!("{COPY} where id = $1"), args![id]).await?)?, true))
}

/// Lets those who ask for the same account wait for each other.
pub async fn lock(tx: &mut Tx<'_>, customer: &str) -> Result<(), DbError> {
    let sql = "update account set created_at = created_at where customer_id = $1";
    match tx.exec(sql, args![customer]).await? {
        0 => Err(DbError::NotFound),
        _ => Ok(()),
    }
}

/// A copy that is to be made.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: String,
    pub customer: String,
    pub locale: String,
    pub attempts: i64,
    pub next_at: i64,
}

pub async fn due_copies(db: &Db, now: i64) -> Result<Vec<Due>> {
    let sql = "select id, customer_id, locale, attempts, next_at from privacy_export
        where state in ('asked', 'making') and next_at <= $1 order by next_at, id limit 5";
    let due = |row: &Row| -> Result<Due> {
        Ok(Due {
            id: row.get("id")?,
            customer: row.get("customer_id")?,
            locale: row.get("locale")?,
            attempts: row.get("attempts")?,
            next_at: row.get("next_at")?,
        })
    };
    db.all(sql, args![now]).await?.iter().map(due).collect()
}

/// Takes a copy to be made, for one node at a time; the number of the attempt, if it was free.
pub async fn claim(tx: &mut Tx<'_>, due: &Due, until: i64) -> Result<Option<i64>, DbError> {
    let sql = "update privacy_export set state = 'making', attempts = attempts + 1, next_at = $4
        where id = $1 and attempts = $2 and next_at = $3 and state in ('asked', 'making') returning attempts";
    let row = tx.optional(sql, args![&due.id, due.attempts, due.next_at, until]).await?;
    row.map(|row| row.get("attempts")).transpose()
}

/// Gives a copy that could not be made back, to be tried again or not.
pub async fn put_back(tx: &mut Tx<'_>, id: &str, attempt: i64, state: &str, next_at: i64) -> Result<(), DbError> {
    let sql = "update privacy_export set state = $3, next_at = $4 where id = $1 and attempts = $2 and state = 'making'";
    tx.exec(sql, args![id, attempt, state, next_at]).await?;
    tx.exec("delete from privacy_export_part where export_id = $1 and attempt = $2", args![id, attempt]).await?;
    Ok(())
}

pub async fn add_part(tx: &mut Tx<'_>, id: &str, attempt: i64, position: i64, sealed: &[u8]) -> Result<(), DbError> {
    let sql = "insert into privacy_export_part (export_id, attempt, position, part_sealed) values ($1, $2, $3, $4)";
    tx.exec(sql, args![id, attempt, position, sealed]).await?;
    Ok(())
}

/// Makes a copy ready, if this is still its last attempt, and removes what other attempts left.
pub async fn finish(tx: &mut Tx<'_>, id: &str, attempt: i64, bytes: i64, now: i64) -> Result<bool, DbError> {
    let sql = "update privacy_export set state = 'ready', ready_at = $3, expires_at = $4, bytes = $5
        where id = $1 and attempts = $2 and state = 'making'";
    let done = tx.exec(sql, args![id, attempt, now, now + COPY_MS, bytes]).await? == 1;
    let sql = if done {
        "delete from privacy_export_part where export_id = $1 and attempt <> $2"
    } else {
        "delete from privacy_export_part where export_id = $1 and attempt = $2"
    };
    tx.exec(sql, args![id, attempt]).await?;
    Ok(done)
}

/// A copy that is ready: its attempt and size.
///
/// # Errors
/// [`Error::NotFound`] for another customer's, and for one that is not ready or not any more.
pub async fn ready_copy(db: &Db, customer: &str, id: &str, now: i64) -> Result<(i64, i64)> {
    let sql = "select attempts, bytes from privacy_export
        where id = $1 and customer_id = $2 and state = 'ready' and expires_at > $3";
    let row = db.one(sql, args![id, customer, now]).await?;
    Ok((row.get("attempts")?, row.get("bytes")?))
}

/// A part of a copy, if there is that one.
pub async fn part(db: &Db, id: &str, attempt: i64, position: i64) -> Result<Option<Vec<u8>>> {
    let sql = "select part_sealed from privacy_export_part where export_id = $1 and attempt = $2 and position = $3";
    let row = db.optional(sql, args![id, attempt, position]).await?;
    Ok(row.map(|row| row.get("part_sealed")).transpose()?)
}

/// Throws a copy of a customer away; one that is gone stays so.
pub async fn discard(tx: &mut Tx<'_>, customer: &str, id: &str) -> Result<()> {
    let sql = "update privacy_export set state = 'gone' where id = $1 and customer_id = $2";
    if tx.exec(sql, args![id, customer]).await? == 0 {
        return Err(Error::NotFound);
    }
    tx.exec("delete from privacy_export_part where export_id = $1", args![id]).await?;
    Ok(())
}

/// Whether there is something for [`expire`] to do.
pub async fn any_over(db: &Db, now: i64) -> Result<bool> {
    let sql = "select 1 as found from privacy_export where (state = 'ready' and expires_at <= $1)
        or (state in ('gone', 'failed') and asked_at < $2) limit 1";
    Ok(db.optional(sql, args![now, now - KEEP_MS]).await?.is_some())
}

/// How long the row of a copy that is gone is kept, in milliseconds: as long as the limit of a day counts it, and a while
/// longer for whoever asks what became of it.
const KEEP_MS: i64 = 30 * DAY_MS;

/// Removes the files of copies that are over, and the rows of those long gone.
pub async fn expire(tx: &mut Tx<'_>, now: i64) -> Result<(), DbError> {
    let sql = "update privacy_export set state = 'gone' where state = 'ready' and expires_at <= $1";
    tx.exec(sql, args![now]).await?;
    let sql = "delete from privacy_export_part where export_id in (select id from privacy_export where state = 'gone')";
    tx.exec(sql, args![]).await?;
    let sql = "delete from privacy_export where state in ('gone', 'failed') and asked_at < $1";
    tx.exec(sql, args![now - KEEP_MS]).await?;
    Ok(())
}

/// When an account is to be erased, if it is.
pub async fn deletion(db: &Db, customer: &str) -> Result<Option<Deletion>> {
    let sql = "select asked_at, erase_at from account_deletion where customer_id = $1";
    let row = db.optional(sql, args![customer]).await?;
    row.map(|row| Ok::<_, Error>(Deletion { asked_at: row.get("asked_at")?, erase_at: row.get("erase_at")? }))
        .transpose()
}

/// Writes that an account is to be erased; false where that was asked for before.
pub async fn ask_deletion(tx: &mut Tx<'_>, customer: &str, now: i64, erase_at: i64) -> Result<bool, DbError> {
    let sql = "insert into account_deletion (customer_id, asked_at, erase_at) values ($1, $2, $3)
        on conflict (customer_id) do nothing";
    Ok(tx.exec(sql, args![customer, now, erase_at]).await? == 1)
}

/// Takes it back while there is time; false where there is nothing to take back any more.
pub async fn take_back(tx: &mut Tx<'_>, customer: &str, now: i64) -> Result<bool, DbError> {
    let sql = "delete from account_deletion where customer_id = $1 and erase_at > $2";
    Ok(tx.exec(sql, args![customer, now]).await? == 1)
}

/// Whether a session has not been ended.
pub async fn is_open(tx: &mut Tx<'_>, session: &str) -> Result<bool, DbError> {
    Ok(tx.optional("select id from session where id = $1", args![session]).await?.is_some())
}

/// Ends all sessions of an account.
pub async fn end_sessions(tx: &mut Tx<'_>, customer: &str) -> Result<(), DbError> {
    tx.exec("delete from session where customer_id = $1", args![customer]).await?;
    Ok(())
}

/// The accounts whose time has come.
pub async fn due_deletions(db: &Db, now: i64) -> Result<Vec<String>> {
    let sql = "select customer_id from account_deletion where erase_at <= $1 order by erase_at, customer_id limit 50";
    let rows = db.all(sql, args![now]).await?;
    rows.iter().map(|row| Ok(row.get("customer_id")?)).collect()
}

/// Whether an account is still to be erased, and nothing of its orders waits for something: goods to be sent, a
/// booking that is still to come, or money to go back.
pub async fn may_erase(tx: &mut Tx<'_>, customer: &str, now: i64) -> Result<bool, DbError> {
    let sql = "select 1 as due from account_deletion where customer_id = $1 and erase_at <= $2
        and not exists (select 1 from orders where customer_id = $1 and state in ('to_pay', 'to_ship'))
        and not exists (select 1 from order_booking b join orders o on o.id = b.order_id
            where o.customer_id = $1 and o.state = 'shipped' and b.state in ('booked', 'checked_in'))
        and not exists (select 1 from refund r join orders o on o.id = r.order_id
            where o.customer_id = $1 and r.state = 'pending')";
    Ok(tx.optional(sql, args![customer, now]).await?.is_some())
}

/// Puts an erasure off that was due.
pub async fn postpone(tx: &mut Tx<'_>, customer: &str, now: i64, erase_at: i64) -> Result<(), DbError> {
    let sql = "update account_deletion set erase_at = $3 where customer_id = $1 and erase_at <= $2";
    tx.exec(sql, args![customer, now, erase_at]).await?;
    Ok(())
}

/// Removes everything of a customer that has no orders any more.
pub async fn erase(tx: &mut Tx<'_>, customer: &str) -> Result<(), DbError> {
    let sql = "delete from one_time_code
        where target_hash in (select target_hash from account_target where customer_id = $1)";
    tx.exec(sql, args![customer]).await?;
    tx.exec("delete from risk_event where subject = $1", args![format!("customer:{customer}")]).await?;
    // Whatever refers to the account or the customer goes with them.
    tx.exec("delete from account where customer_id = $1", args![customer]).await?;
    tx.exec("delete from customer where id = $1", args![customer]).await?;
    Ok(())
}
