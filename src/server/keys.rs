//! The data keys in the database: how they come to be there, and how they are replaced while the shop serves.
//!
//! A rotation goes by these steps, each of which any node may take, and from each of which another node or a later
//! process goes on:
//!
//! 1. A new random key is written, to be used from [`ANNOUNCED_MS`] on: by then every node knows it.
//! 2. Each value under an older key is opened and sealed anew, a batch at a time. How far that came is in the key's row.
//! 3. A node may have been late and still have sealed with an older key. So a pass counts only when it began
//!    [`GRACE_MS`] after the new key's time; after it the older keys are removed for good.
//!
//! What finds values (keyed hashes) and signs cookies keeps its key; only the master key around it can be replaced.

use super::{
    App,
    audit::{self, Action, Entry},
    context::{internal, now},
    crypto::{Keys, Purpose, SealError, WrappedKey},
    db::{Args, Db, DbError, Row, Tx},
    start::Failure,
};
use crate::{
    args,
    domain::{Error, Result},
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use std::fmt;

/// How long a new key is known before it is used, in milliseconds: several times the pause between two looks at the keys.
pub const ANNOUNCED_MS: i64 = 30_000;
/// How long after that a node may still have sealed with an older key, in milliseconds: longer than any request takes.
pub const GRACE_MS: i64 = 120_000;
/// How long until a pass that met unreadable values is tried again, in milliseconds.
const STUCK_MS: i64 = 60 * 60_000;

/// A column that holds sealed values.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub table: &'static str,
    pub column: &'static str,
    /// Names a row among those of `filter`; a text.
    id: &'static str,
    filter: &'static str,
    /// What a value is bound to: this and the id, or for [`Form::Text`] this alone.
    place: &'static str,
    form: Form,
    /// How many rows are sealed anew in one transaction.
    batch: i64,
}

/// How a sealed value lies in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Bytes,
    /// Base64 without padding.
    Text,
}

const fn column(table: &'static str, column: &'static str, id: &'static str, place: &'static str) -> Column {
    Column { table, column, id, filter: "1 = 1", place, form: Form::Bytes, batch: 50 }
}

/// All columns that hold sealed values. One that is missing here would be lost with its key: a test compares the list
/// with the database.
pub const COLUMNS: [Column; 18] = [
    column("customer", "checkout_sealed", "id", "customer.checkout:"),
    column("customer", "order_draft_sealed", "id", "customer.order_draft:"),
    column("orders", "contact_sealed", "id", "orders.contact:"),
    column("orders", "note_sealed", "id", "orders.note:"),
    column("traveller", "person_sealed", "order_id || ':' || position || ':' || number", "traveller.person:"),
    column("account", "name_sealed", "customer_id", "account.name:"),
    column("account", "address_draft_sealed", "customer_id", "account.address_draft:"),
    column("address", "sealed", "customer_id || ':' || id", "address:"),
    Column {
        filter: "kind = 'phone'",
        ..column("account_target", "target_sealed", "customer_id", "account_target.phone:")
    },
    Column {
        filter: "kind = 'email'",
        ..column("account_target", "target_sealed", "customer_id", "account_target.email:")
    },
    column("one_time_code", "target_sealed", "id", "one_time_code.target:"),
    column("second_factor", "secret_sealed", "owner", "second_factor.secret:"),
    column("second_factor", "codes_sealed", "owner", "second_factor.codes:"),
    column("passkey", "credential_sealed", "id", "passkey.credential:"),
    column("passkey", "name_sealed", "id", "passkey.name:"),
    column("passkey_ceremony", "state_sealed", "id", "passkey_ceremony.state:"),
    Column {
        batch: 8,
        ..column(
            "privacy_export_part",
            "part_sealed",
            "export_id || ':' || attempt || ':' || position",
            "privacy_export.part:",
        )
    },
    Column { filter: "kind = 'message'", form: Form::Text, ..column("outbox", "payload", "id", super::message::PLACE) },
];

/// Where a rotation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is one key and nothing under another one.
    Done,
    /// The new key is not used before this time, in UTC milliseconds.
    Announced(i64),
    /// So many values of a batch were sealed anew; there may be more.
    Resealed(usize),
    /// Everything was sealed anew; at this time, in UTC milliseconds, a last look begins.
    Waiting(i64),
    /// So many values open with no key; the log names them. The older keys stay. In UTC milliseconds, the next try.
    Stuck { unreadable: i64, next: i64 },
}

/// How far a pass came, as the new key's row tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Mark {
    /// In a pass that began at this time: which column, after which row, and how many values did not open so far.
    Pass { began: i64, unreadable: i64, column: usize, id: String },
    /// The next pass begins at this time; `unreadable` is what the last one left.
    Rest { until: i64, unreadable: i64 },
}

impl Mark {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, ' ');
        match parts.next()? {
            "pass" => Some(Self::Pass {
                began: parts.next()?.parse().ok()?,
                unreadable: parts.next()?.parse().ok()?,
                column: parts.next()?.parse().ok()?,
                id: parts.next()?.to_owned(),
            }),
            "rest" => Some(Self::Rest { until: parts.next()?.parse().ok()?, unreadable: parts.next()?.parse().ok()? }),
            _ => None,
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass { began, unreadable, column, id } => write!(f, "pass {began} {unreadable} {column} {id}"),
            Self::Rest { until, unreadable } => write!(f, "rest {until} {unreadable}"),
        }
    }
}

const SELECT: &str = "select purpose, id, wrapped, active_at, done_to from data_key order by purpose, id";

fn read(row: &Row) -> Result<WrappedKey, DbError> {
    let wrong = || DbError::Other("a data key has an unknown purpose or id".into());
    Ok(WrappedKey {
        purpose: Purpose::from_name(&row.get::<String>("purpose")?).ok_or_else(wrong)?,
        id: u8::try_from(row.get::<i64>("id")?).map_err(|_| wrong())?,
        wrapped: row.get("wrapped")?,
        active_at: row.get("active_at")?,
    })
}

async fn insert(tx: &mut Tx<'_>, key: &WrappedKey) -> Result<u64, DbError> {
    let sql = "insert into data_key (purpose, id, wrapped, active_at, done_to) values ($1, $2, $3, $4, '')
        on conflict (purpose, id) do nothing";
    tx.exec(sql, args![key.purpose.name(), i64::from(key.id), &key.wrapped, key.active_at]).await
}

/// Opens the keys of a database with a master key; writes the first ones into a database that has none. `check` is the
/// setting by which the database knows its keys again. None where the master key is another one.
///
/// # Errors
/// When the database cannot be used.
pub async fn open(mut keys: Keys, db: &Db, check: &'static str) -> Result<Option<Keys>, Failure> {
    let first = keys.wrapped()?;
    let (derived, made) = (keys.lookup("key check", ""), first.clone());
    let (stored, rows) = db
        .write::<_, DbError>(move |tx| {
            let (derived, first) = (derived.clone(), made.clone());
            Box::pin(async move {
                let stored = tx.optional("select value from setting where key = $1", args![check]).await?;
                let stored: Option<String> = stored.map(|row| row.get("value")).transpose()?;
                let mut rows = tx.all(SELECT, args![]).await?;
                if rows.is_empty() && stored.as_ref().is_none_or(|stored| *stored == derived) {
                    for key in &first {
                        insert(tx, key).await?;
                    }
                    rows = tx.all(SELECT, args![]).await?;
                }
                Ok((stored, rows.iter().map(read).collect::<Result<Vec<_>, _>>()?))
            })
        })
        .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    match (keys.adopt(&rows, now()), stored) {
        (Ok(()), _) => {}
        (Err(SealError), Some(_)) => return Ok(None),
        // The operator gave the old key up: what is sealed stays sealed.
        (Err(SealError), None) => {
            db.write::<_, DbError>(move |tx| {
                let first = first.clone();
                Box::pin(async move {
                    tx.exec("delete from data_key", args![]).await?;
                    for key in &first {
                        insert(tx, key).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        }
    }
    let mine = keys.lookup("key check", "");
    let told = mine.clone();
    let stored: String = db
        .write::<_, DbError>(move |tx| {
            let told = told.clone();
            Box::pin(async move {
                let sql = "insert into setting (key, value) values ($1, $2) on conflict (key) do nothing";
                tx.exec(sql, args![check, told]).await?;
                tx.one("select value from setting where key = $1", args![check]).await?.get("value")
            })
        })
        .await?;
    Ok((stored == mine).then_some(keys))
}

/// The sealing keys, oldest first, and how far the newest has come.
async fn sealing(app: &App, now: i64) -> Result<(Vec<WrappedKey>, String)> {
    let rows = app.db.all(SELECT, args![]).await?;
    let keys = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    app.keys.use_keys(&keys, now).map_err(|_| {
        internal("keys", &"the keys were wrapped under another master key: put it in place and start the program again")
    })?;
    let is_sealing = |row: &&Row| row.get::<String>("purpose").is_ok_and(|purpose| purpose == Purpose::Sealing.name());
    let newest = rows.iter().rev().find(is_sealing);
    let done_to = newest.map(|row| row.get("done_to")).transpose()?.unwrap_or_default();
    Ok((keys.into_iter().filter(|key| key.purpose == Purpose::Sealing).collect(), done_to))
}

/// Begins a rotation, or goes on with one that was begun; answers with the id of the new key.
///
/// # Errors
/// [`Error::Conflict`] when all ids were used, which takes 254 rotations.
pub async fn rotate(app: &App, now: i64) -> Result<u8> {
    let (keys, _) = sealing(app, now).await?;
    let newest = keys.iter().map(|key| key.id).max().unwrap_or_default();
    if keys.len() > 1 {
        return Ok(newest);
    }
    let id = newest.checked_add(1).ok_or(Error::Conflict)?;
    let key = app.keys.new_sealing_key(id).map_err(|e| internal("crypto", &e))?;
    let key = WrappedKey { active_at: now + ANNOUNCED_MS, ..key };
    let shop = app.clone();
    app.db
        .write::<_, Error>(move |tx| {
            let (shop, key) = (shop.clone(), key.clone());
            Box::pin(async move {
                // Somebody else may have begun at the same time, which is as good.
                if insert(tx, &key).await? == 1 {
                    audit::record(tx, &shop.keys, &entry(key.id, "begun"), now).await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(id)
}

/// Looks at the keys, and does the next small part of a rotation if there is one.
///
/// # Errors
/// When the database cannot be used, or its keys are not this master key's any more.
pub async fn step(app: &App, now: i64) -> Result<Progress> {
    let (keys, done_to) = sealing(app, now).await?;
    let Some((newest, older)) = keys.split_last() else { return Err(internal("keys", &"there is none")) };
    if older.is_empty() {
        return Ok(Progress::Done);
    }
    if now < newest.active_at {
        return Ok(Progress::Announced(newest.active_at));
    }
    let begin = Mark::Pass { began: now, unreadable: 0, column: 0, id: String::new() };
    let mark = match Mark::read(&done_to).unwrap_or_else(|| begin.clone()) {
        Mark::Rest { until, unreadable: 0 } if now < until => return Ok(Progress::Waiting(until)),
        Mark::Rest { until, unreadable } if now < until => return Ok(Progress::Stuck { unreadable, next: until }),
        Mark::Rest { .. } => begin,
        pass => pass,
    };
    let Mark::Pass { began, unreadable, column: number, id } = mark else { return Ok(Progress::Done) };
    if let Some(column) = COLUMNS.get(number) {
        let batch = Batch::read(app, column, &id, newest.id).await?;
        let unreadable = unreadable + batch.unreadable;
        let next = match batch.last.clone() {
            Some(id) => Mark::Pass { began, unreadable, column: number, id },
            None => Mark::Pass { began, unreadable, column: number + 1, id: String::new() },
        };
        let done = batch.changes.len();
        batch.write(app, newest.id, done_to, next).await?;
        return Ok(Progress::Resealed(done));
    }
    let sure = newest.active_at + GRACE_MS;
    if unreadable > 0 {
        let next = now + STUCK_MS;
        set_mark(app, newest.id, done_to, Mark::Rest { until: next, unreadable }).await?;
        return Ok(Progress::Stuck { unreadable, next });
    }
    if began < sure {
        set_mark(app, newest.id, done_to, Mark::Rest { until: sure, unreadable: 0 }).await?;
        return Ok(Progress::Waiting(sure));
    }
    remove_older(app, newest.id, done_to, now).await?;
    sealing(app, now).await?;
    tracing::info!(key = newest.id, "all values are under the new key; older keys are removed");
    Ok(Progress::Done)
}

/// Values of one column, sealed anew and not yet written.
struct Batch {
    column: Column,
    /// Id, old and new value.
    changes: Vec<(String, Args, Args)>,
    unreadable: i64,
    /// The last id of a batch that is full.
    last: Option<String>,
}

impl Batch {
    /// Reads the next values of a column under other keys, and seals them anew.
    async fn read(app: &App, column: &Column, after: &str, key: u8) -> Result<Self> {
        let Column { table, column: name, id, filter, batch, form, .. } = *column;
        // Those that are done already are passed over in the database, where it can tell.
        let (old, args) = match form {
            Form::Bytes => (format!("substr({name}, 1, 1) <> $3"), args![after, batch, vec![key]]),
            Form::Text => ("1 = 1".to_owned(), args![after, batch]),
        };
        let sql = format!(
            "select {id} as id, {name} as value from {table}
            where {name} is not null and {filter} and {id} > $1 and {old} order by {id} limit $2"
        );
        let rows = app.db.all(sql, args).await?;
        let mut found = Self { column: *column, changes: Vec::new(), unreadable: 0, last: None };
        for row in &rows {
            let id: String = row.get("id")?;
            match found.anew(app, row, &id, key)? {
                Ok(Some((old, new))) => found.changes.push((id.clone(), old, new)),
                Ok(None) => {}
                Err(SealError) => {
                    tracing::error!(table, column = name, id, "a sealed value opens with no key");
                    found.unreadable += 1;
                }
            }
            found.last = Some(id);
        }
        if i64::try_from(rows.len()).unwrap_or(i64::MAX) < batch {
            found.last = None;
        }
        Ok(found)
    }

    /// The value of a row and the same sealed anew; none for one that is under the key.
    fn anew(&self, app: &App, row: &Row, id: &str, key: u8) -> Result<Result<Option<(Args, Args)>, SealError>> {
        let Column { form, place, .. } = self.column;
        let seal = |sealed: &[u8], place: &str| -> Result<Vec<u8>, SealError> {
            app.keys.seal(&app.keys.open(sealed, place)?, place)
        };
        Ok(match form {
            Form::Bytes => {
                let value: Vec<u8> = row.get("value")?;
                seal(&value, &format!("{place}{id}")).map(|new| Some((args![value], args![new])))
            }
            Form::Text => {
                let value: String = row.get("value")?;
                match STANDARD_NO_PAD.decode(&value) {
                    Ok(sealed) if sealed.first() == Some(&key) => Ok(None),
                    Ok(sealed) => {
                        let new = seal(&sealed, place).map(|new| STANDARD_NO_PAD.encode(new));
                        new.map(|new| Some((args![value], args![new])))
                    }
                    Err(_) => Err(SealError),
                }
            }
        })
    }

    /// Writes the values that are still what they were, and how far this came; nothing where another node was faster.
    async fn write(self, app: &App, key: u8, from: String, next: Mark) -> Result<()> {
        let Column { table, column: name, id, filter, .. } = self.column;
        let sql = format!("update {table} set {name} = $3 where {id} = $1 and {name} = $2 and {filter}");
        let (changes, next) = (self.changes, next.to_string());
        app.db
            .write::<_, Error>(move |tx| {
                let (sql, changes, from, next) = (sql.clone(), changes.clone(), from.clone(), next.clone());
                Box::pin(async move {
                    if !advance(tx, key, &from, &next).await? {
                        return Ok(());
                    }
                    for (id, old, new) in changes {
                        let args = args![id].into_iter().chain(old).chain(new).collect();
                        tx.exec(sql.clone(), args).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

/// Moves the mark, if it is still where it was.
async fn advance(tx: &mut Tx<'_>, key: u8, from: &str, to: &str) -> Result<bool, DbError> {
    let sql = "update data_key set done_to = $3 where purpose = 'sealing' and id = $1 and done_to = $2";
    Ok(tx.exec(sql, args![i64::from(key), from, to]).await? == 1)
}

async fn set_mark(app: &App, key: u8, from: String, to: Mark) -> Result<()> {
    let to = to.to_string();
    app.db
        .write::<_, Error>(move |tx| {
            let (from, to) = (from.clone(), to.clone());
            Box::pin(async move { Ok(advance(tx, key, &from, &to).await.map(drop)?) })
        })
        .await
}

/// Removes the keys that nothing is sealed with any more.
async fn remove_older(app: &App, key: u8, from: String, now: i64) -> Result<()> {
    let shop = app.clone();
    app.db
        .write::<_, Error>(move |tx| {
            let (shop, from) = (shop.clone(), from.clone());
            Box::pin(async move {
                if advance(tx, key, &from, "").await? {
                    let sql = "delete from data_key where purpose = 'sealing' and id < $1";
                    tx.exec(sql, args![i64::from(key)]).await?;
                    audit::record(tx, &shop.keys, &entry(key, "done"), now).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Wraps all keys under another master key. The program is then started with that one; nodes that run go on with the
/// keys they have opened.
///
/// # Errors
/// [`Error::Conflict`] during a rotation.
pub async fn wrap_anew(app: &App, master: &Keys, now: i64) -> Result<()> {
    let rows = app.db.all(SELECT, args![]).await?;
    let old = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let anew = old.iter().map(|key| app.keys.wrap_anew(key, master)).collect::<Result<Vec<_>, _>>();
    let anew = anew.map_err(|e| internal("keys", &e))?;
    let newest = old.iter().filter(|key| key.purpose == Purpose::Sealing).map(|key| key.id).max().unwrap_or_default();
    let shop = app.clone();
    app.db
        .write::<_, Error>(move |tx| {
            let (shop, old, anew) = (shop.clone(), old.clone(), anew.clone());
            Box::pin(async move {
                let count = tx.one("select count(*) as n from data_key", args![]).await?.get::<i64>("n")?;
                if count != i64::try_from(Purpose::ALL.len()).unwrap_or_default() {
                    return Err(Error::Conflict);
                }
                for (old, new) in old.iter().zip(&anew) {
                    let sql = "update data_key set wrapped = $4 where purpose = $1 and id = $2 and wrapped = $3";
                    let args = args![old.purpose.name(), i64::from(old.id), &old.wrapped, &new.wrapped];
                    if tx.exec(sql, args).await? != 1 {
                        return Err(Error::Conflict);
                    }
                }
                audit::record(tx, &shop.keys, &entry(newest, "wrapped anew"), now).await
            })
        })
        .await
}

fn entry(key: u8, detail: &str) -> Entry {
    Entry {
        actor: "operator".to_owned(),
        action: Action::KeyRotated,
        subject: format!("key:{key}"),
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back() {
        for mark in [
            Mark::Pass { began: 7, unreadable: 1, column: 3, id: "a:1:2 b".to_owned() },
            Mark::Pass { began: 7, unreadable: 0, column: 0, id: String::new() },
            Mark::Rest { until: 9, unreadable: 0 },
        ] {
            assert_eq!(Mark::read(&mark.to_string()), Some(mark));
        }
        assert_eq!(Mark::read(""), None);
    }
}
