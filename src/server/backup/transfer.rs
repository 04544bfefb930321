//! Carrying a shop from one database into another, either way, while nothing writes to it.
//!
//! Rows go page by page, and how far each table came is written in the transaction that writes its rows, so that a
//! transfer that was broken off goes on where it was. At the end both sides are read as a whole and compared; until then
//! the new database is marked as unfinished, and no program serves it.

use super::{
    BackupError, Progress, Watch,
    restore::{MIGRATIONS_TABLE, clear, compare, sums},
    rows::{read_line, write_line},
};
use crate::{
    args,
    server::{
        MIGRATIONS,
        crypto::{hex, sha256},
        db::{Db, Value, tables},
    },
};

/// The row of the mark that says where the rows come from.
const SOURCE: &str = "from";
/// The mark of a table whose rows are all there.
const DONE: &str = "done";

/// What a transfer came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    pub tables: usize,
    pub rows: u64,
    /// Whether an earlier one was gone on with.
    pub resumed: bool,
}

/// Carries everything over. `source` is how the operator names the old database: a transfer that was broken off goes on
/// from the same one alone.
///
/// # Errors
/// [`BackupError::NotEmpty`] where there is a shop already, [`BackupError::Differs`] when something was written to the old
/// database meanwhile, [`BackupError::Refused`] where it has to be migrated first.
pub async fn transfer(from: &Db, to: &Db, source: &str, watch: Watch) -> Result<Moved, BackupError> {
    let names = from.table_names().await?;
    if names.contains(tables::UNFINISHED) {
        return Err(BackupError::Unfinished);
    }
    if !names.contains(MIGRATIONS_TABLE) {
        return Err(BackupError::Refused("there is no shop in the database to move from".into()));
    }
    if !from.pending(MIGRATIONS).await?.is_empty() {
        let text = "the database to move from is behind this program: run `xiadan migrate` on it first";
        return Err(BackupError::Refused(text.into()));
    }
    let resumed = begin(to, source).await?;
    to.migrate(MIGRATIONS).await?;
    let tables = fitting(from, to).await?;
    if !is_begun(to).await? {
        clear(to, &tables).await?;
    }
    for table in &tables {
        carry(from, to, table, &watch).await?;
    }
    let (old, new) = (sums(from).await?, sums(to).await?);
    compare(&old, &new)?;
    to.write::<_, BackupError>(|tx| Box::pin(async move { Ok(tables::end_filling(tx).await?) })).await?;
    Ok(Moved { tables: new.len(), rows: new.iter().map(|sum| sum.rows).sum(), resumed })
}

/// Marks the new database; tells whether it was marked before, from the same source.
async fn begin(to: &Db, source: &str) -> Result<bool, BackupError> {
    let names = to.table_names().await?;
    let source = hex(&sha256(source.as_bytes()));
    if !names.contains(tables::UNFINISHED) {
        if !names.is_empty() {
            return Err(BackupError::NotEmpty(format!("a database with {} tables", names.len())));
        }
        to.begin_filling().await?;
    }
    let sql = format!("select part, done_to from {}", tables::UNFINISHED);
    let rows = to.all(sql, args![]).await?;
    if rows.is_empty() && names.len() > 1 {
        // It is that of a restore, which begins with nothing.
        return Err(BackupError::Unfinished);
    }
    for row in &rows {
        if row.get::<String>("part")? == SOURCE {
            if row.get::<String>("done_to")? == source {
                return Ok(true);
            }
            let text = "the database is being filled from another one than this: name that one, or empty it first";
            return Err(BackupError::Refused(text.into()));
        }
    }
    mark(to, SOURCE.to_owned(), source, None).await?;
    Ok(false)
}

/// Whether rows of any table were carried over.
async fn is_begun(to: &Db) -> Result<bool, BackupError> {
    let sql = format!("select part from {} where part <> $1 limit 1", tables::UNFINISHED);
    Ok(to.optional(sql, args![SOURCE]).await?.is_some())
}

/// The tables to carry over, which are the same on both sides.
async fn fitting(from: &Db, to: &Db) -> Result<Vec<tables::Table>, BackupError> {
    let (old, new) = (all(from).await?, all(to).await?);
    let same =
        |table: &tables::Table| new.iter().any(|other| other.name == table.name && other.columns == table.columns);
    match old.iter().find(|table| !same(table)) {
        Some(table) => Err(BackupError::Refused(format!("the table {} fits none of the new database", table.name))),
        None => Ok(old.into_iter().filter(|table| table.name != MIGRATIONS_TABLE).collect()),
    }
}

async fn all(db: &Db) -> Result<Vec<tables::Table>, BackupError> {
    Ok(db.read(|tx| Box::pin(async move { tables::all(tx).await })).await?)
}

/// Carries the rows of a table over, from where it was left.
async fn carry(from: &Db, to: &Db, table: &tables::Table, watch: &Watch) -> Result<(), BackupError> {
    let sql = format!("select done_to from {} where part = $1", tables::UNFINISHED);
    let done = to.optional(sql, args![&table.name]).await?.map(|row| row.get::<String>("done_to")).transpose()?;
    let mut after = match done.as_deref() {
        Some(DONE) => return Ok(()),
        Some(key) => Some(read_line(key.as_bytes(), table.key_types().into_iter())?),
        None => None,
    };
    let mut rows = 0;
    loop {
        let (page_of, behind) = (table.clone(), after.clone());
        let page = from
            .read::<_, BackupError>(move |tx| {
                let (table, behind) = (page_of.clone(), behind.clone());
                Box::pin(async move { Ok(table.page(tx, behind.as_deref()).await?) })
            })
            .await?;
        let Some(last) = page.last() else { break };
        let key = table.key_of(last);
        let mut line = Vec::new();
        write_line(&mut line, &key)?;
        rows += page.len() as u64;
        let done_to =
            if table.is_read_at_once() { DONE.to_owned() } else { String::from_utf8_lossy(&line).into_owned() };
        mark(to, table.name.clone(), done_to, Some((table.clone(), page))).await?;
        after = Some(key);
        watch(Progress::Rows { table: table.name.clone(), rows });
    }
    mark(to, table.name.clone(), DONE.to_owned(), None).await
}

/// Writes rows, and how far the part they belong to came with them, both or neither.
async fn mark(
    to: &Db,
    part: String,
    done_to: String,
    rows: Option<(tables::Table, Vec<Vec<Value>>)>,
) -> Result<(), BackupError> {
    to.write::<_, BackupError>(move |tx| {
        let (part, done_to, rows) = (part.clone(), done_to.clone(), rows.clone());
        Box::pin(async move {
            if let Some((table, rows)) = rows {
                table.insert(tx, &rows).await?;
            }
            let sql = format!(
                "insert into {} (part, done_to) values ($1, $2) on conflict (part) do update set done_to = excluded.done_to",
                tables::UNFINISHED
            );
            tx.exec(sql, args![part, done_to]).await?;
            Ok(())
        })
    })
    .await
}
