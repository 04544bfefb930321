//! Making a shop of a backup, in a place where there is none.
//!
//! The file is examined as a whole before anything is written. Then the database gets the migrations that it had, its rows,
//! and, once all of them are there, the migrations that came after. Until the last step it is marked as unfinished, and no
//! program serves it.
//!
//! What was not yet sent when the backup was made may have been sent since. Refunds and other effects that move money are
//! carried out again, because their receivers know them by their ids. Messages that wait and reminders that are due are
//! set aside, unless [`Options::send_due`] says otherwise. All sessions and sign-ins that are under way end: those that were
//! ended since would live again.

use super::{
    BackupError, Contents, Head, Progress, TableSum, Watch, at, blocking,
    read::{Piece, read, verify},
    rows::{Sum, write_line},
    seal::BackupKey,
};
use crate::{
    args,
    server::{
        App, MIGRATIONS,
        audit::{self, Action, Entry},
        booking,
        context::now,
        crypto::key_from_hex,
        db::{Db, DbError, Migration, Tx, tables},
        media::Media,
        message,
        order::confirm,
    },
};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};
use tokio::sync::mpsc;

/// Never copied: it tells what was done to this database.
pub(super) const MIGRATIONS_TABLE: &str = "schema_migration";
/// So many pieces are read ahead.
const AHEAD: usize = 2;

/// How to restore.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub key: Option<BackupKey>,
    /// Sends what was due and not sent when the backup was made.
    pub send_due: bool,
}

/// What became of it.
#[derive(Debug)]
pub struct Restored {
    pub contents: Contents,
    /// The migrations that came after the backup.
    pub migrated: Vec<&'static str>,
    /// Messages and reminders that are not sent any more.
    pub set_aside: (u64, u64),
    /// Whether the backup had the master key, which is in the data folder now.
    pub master_key: bool,
}

/// Restores a backup into an empty database and a data folder without pictures.
///
/// # Errors
/// See [`BackupError`]. What was begun stays marked as unfinished.
pub async fn restore(
    db: &Db,
    data: &Path,
    file: &Path,
    options: Options,
    watch: Watch,
) -> Result<Restored, BackupError> {
    let media = Media::open(data).map_err(at(data))?;
    is_empty(db, &media).await?;
    let (path, key) = (file.to_owned(), options.key.clone());
    let contents = blocking(move || verify(&path, key.as_ref())).await?;
    let migrations = known(&contents.head)?;
    db.begin_filling().await?;
    db.migrate(&migrations).await?;
    let tables = fitting(db, &contents.head).await?;
    clear(db, &tables).await?;
    let master_key = load(db, &tables, file, (data, &media), options.key, &watch).await?;
    let all = contents.manifest.tables.iter();
    compare(&all.filter(|sum| sum.name != MIGRATIONS_TABLE).cloned().collect::<Vec<_>>(), &sums(db).await?)?;
    let migrated = db.migrate(MIGRATIONS).await?;
    let send_due = options.send_due;
    let set_aside = db
        .write::<_, BackupError>(move |tx| {
            Box::pin(async move {
                let set_aside = settle(tx, send_due, now()).await?;
                tables::end_filling(tx).await?;
                Ok(set_aside)
            })
        })
        .await?;
    Ok(Restored { contents, migrated, set_aside, master_key })
}

/// Puts a restore on record: what was recorded after the backup is gone with it.
///
/// # Errors
/// When the database cannot be written.
pub async fn on_record(app: &App, head: &Head) -> crate::domain::Result<()> {
    let (shop, made) = (app.clone(), head.created_at);
    app.db
        .write(move |tx| {
            let shop = shop.clone();
            Box::pin(async move {
                let entry = Entry {
                    actor: "operator".to_owned(),
                    action: Action::Restored,
                    subject: format!("backup:{made}"),
                    detail: String::new(),
                };
                audit::record(tx, &shop.keys, &entry, now()).await
            })
        })
        .await
}

async fn is_empty(db: &Db, media: &Media) -> Result<(), BackupError> {
    let names = db.table_names().await?;
    if names.contains(tables::UNFINISHED) {
        return Err(BackupError::Unfinished);
    }
    if !names.is_empty() {
        return Err(BackupError::NotEmpty(format!("a database with {} tables", names.len())));
    }
    let media = media.clone();
    match blocking(move || Ok(media.names()?)).await?.len() {
        0 => Ok(()),
        pictures => Err(BackupError::NotEmpty(format!("{pictures} pictures"))),
    }
}

/// The migrations that the database of a backup had, each as it is known here.
fn known(head: &Head) -> Result<Vec<Migration>, BackupError> {
    for applied in &head.migrations {
        match MIGRATIONS.iter().find(|migration| migration.name == applied.name) {
            None => return Err(BackupError::Newer(format!("migration {}", applied.name))),
            Some(migration) if migration.checksum() != applied.checksum => {
                let text =
                    format!("the migration {} of the backup is another one than that of this program", applied.name);
                return Err(BackupError::Refused(text));
            }
            Some(_) => {}
        }
    }
    let had = |migration: &&Migration| head.migrations.iter().any(|applied| applied.name == migration.name);
    Ok(MIGRATIONS.iter().filter(had).copied().collect())
}

/// The tables of the database, as those of the backup are.
async fn fitting(db: &Db, head: &Head) -> Result<Vec<tables::Table>, BackupError> {
    let present = db.read(|tx| Box::pin(async move { tables::all(tx).await })).await?;
    let mut fitting = Vec::with_capacity(head.tables.len());
    for wanted in &head.tables {
        match present.iter().find(|table| table.name == wanted.name && table.columns == wanted.columns) {
            Some(table) => fitting.push(table.clone()),
            None => {
                return Err(BackupError::Refused(format!("the table {} of the backup fits none here", wanted.name)));
            }
        }
    }
    if fitting.len() == present.len() {
        Ok(fitting)
    } else {
        Err(BackupError::Refused("the backup lacks tables that its migrations make".into()))
    }
}

/// Removes what migrations put into tables: the copy has it as well.
pub(super) async fn clear(db: &Db, tables: &[tables::Table]) -> Result<(), DbError> {
    let tables = tables.to_vec();
    db.write(move |tx| {
        let tables = tables.clone();
        Box::pin(async move {
            for table in tables.iter().rev().filter(|table| table.name != MIGRATIONS_TABLE) {
                table.clear(tx).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Puts everything in its place; true where the master key was among it.
async fn load(
    db: &Db,
    tables: &[tables::Table],
    file: &Path,
    (data, media): (&Path, &Media),
    key: Option<BackupKey>,
    watch: &Watch,
) -> Result<bool, BackupError> {
    let (sender, mut pieces) = mpsc::channel(AHEAD);
    let file = file.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        read(&file, key.as_ref(), |piece| sender.blocking_send(piece).map_err(|_| BackupError::Stopped))
    });
    let mut counts = vec![0; tables.len()];
    let (mut pictures, mut master_key) = (0, false);
    while let Some(piece) = pieces.recv().await {
        match piece {
            Piece::Head(_) => {}
            Piece::Rows(place, rows) => {
                let Some(table) = tables.get(place).filter(|table| table.name != MIGRATIONS_TABLE) else { continue };
                let count = rows.len() as u64;
                insert(db, table, rows).await?;
                counts[place] += count;
                watch(Progress::Rows { table: table.name.clone(), rows: counts[place] });
            }
            Piece::Picture(_, bytes) => {
                let media = media.clone();
                blocking(move || Ok(media.put(&bytes)?)).await?;
                pictures += 1;
                watch(Progress::Pictures(pictures));
            }
            Piece::MasterKey(text) => {
                let path = data.join("master.key");
                blocking(move || put_master_key(path, &text)).await?;
                master_key = true;
            }
        }
    }
    // Only its end tells that all that was read is what was written.
    reading.await.unwrap_or(Err(BackupError::Stopped))?;
    Ok(master_key)
}

async fn insert(db: &Db, table: &tables::Table, rows: Vec<Vec<crate::server::db::Value>>) -> Result<(), DbError> {
    let table = table.clone();
    db.write(move |tx| {
        let (table, rows) = (table.clone(), rows.clone());
        Box::pin(async move { table.insert(tx, &rows).await })
    })
    .await
}

/// Puts the master key where the program looks for it. One that is there already stays, and has to be the same.
fn put_master_key(path: PathBuf, text: &str) -> Result<(), BackupError> {
    let key = key_from_hex(text);
    if key.is_none() {
        return Err(BackupError::Damaged("its master key is none".to_owned()));
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(&path) {
        Ok(mut file) => {
            file.write_all(format!("{}\n", text.trim()).as_bytes()).and_then(|()| file.sync_all()).map_err(at(&path))
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let there = fs::read_to_string(&path).map_err(at(&path))?;
            if key_from_hex(&there) == key {
                return Ok(());
            }
            Err(BackupError::Refused(format!(
                "{} is another key than that of the backup: move it away and begin again with an empty place",
                path.display()
            )))
        }
        Err(error) => Err(BackupError::File(path, error)),
    }
}

/// What the rows of all tables come to, but for the record of migrations.
///
/// # Errors
/// When the database cannot be read.
pub async fn sums(db: &Db) -> Result<Vec<TableSum>, BackupError> {
    db.read::<_, BackupError>(|tx| {
        Box::pin(async move {
            let mut sums = Vec::new();
            for table in tables::all(tx).await?.into_iter().filter(|table| table.name != MIGRATIONS_TABLE) {
                let (mut sum, mut after, mut line) = (Sum::default(), None, Vec::new());
                loop {
                    let page = table.page(tx, after.as_deref()).await?;
                    let Some(last) = page.last() else { break };
                    after = Some(table.key_of(last));
                    for row in &page {
                        line.clear();
                        write_line(&mut line, row)?;
                        sum.add(&line);
                    }
                }
                sums.push(TableSum { name: table.name, rows: sum.rows, sum: sum.text() });
            }
            Ok(sums)
        })
    })
    .await
}

/// Whether two databases have the same rows.
///
/// # Errors
/// [`BackupError::Differs`] with the tables in which they have not.
pub(super) fn compare(wanted: &[TableSum], present: &[TableSum]) -> Result<(), BackupError> {
    let differs = |sum: &&TableSum| !present.iter().any(|other| other == *sum);
    let mut differing: Vec<_> = wanted.iter().filter(differs).map(|sum| sum.name.clone()).collect();
    let is_new = |sum: &&TableSum| !wanted.iter().any(|other| other.name == sum.name);
    differing.extend(present.iter().filter(is_new).map(|sum| sum.name.clone()));
    if differing.is_empty() { Ok(()) } else { Err(BackupError::Differs(differing)) }
}

/// Lets go of what must not happen twice or live again; answers with how many messages and reminders that were.
async fn settle(tx: &mut Tx<'_>, send_due: bool, now: i64) -> Result<(u64, u64), BackupError> {
    for table in ["session", "staff_session", "pending_sign_in", "one_time_code", "passkey_ceremony"] {
        tx.exec(format!("delete from {table}"), args![]).await?;
    }
    if send_due {
        return Ok((0, 0));
    }
    let sql = "update outbox set done_at = $3 where kind in ($1, $2) and done_at is null";
    let messages = tx.exec(sql, args![message::KIND, confirm::KIND, now]).await?;
    let reminders =
        booking::remind::set_aside(tx, now).await.map_err(|error| BackupError::Refused(error.to_string()))?;
    Ok((messages, reminders))
}
