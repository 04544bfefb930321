//! Copies of a whole shop: [`write`] makes one while the shop serves, [`read`] examines one, [`restore`] makes a shop of
//! one, [`transfer`] carries a shop from one database into another, and [`schedule`] makes one now and then.
//!
//! A backup is one file, the same from either database, so that one of SQLite can be restored into PostgreSQL and the other
//! way round. It is a tar archive of
//!
//! - `header.json`: the form, the program, the time, the migrations of the database and its tables, and the ids of its
//!   keys ([`Head`]);
//! - `rows/<number>-<table>.jsonl.gz`: rows, a JSON list on each line ([`rows`]);
//! - `media/<name>`: pictures, named after their content;
//! - `master.key`, only where it was asked for, in a sealed file alone;
//! - `manifest.json`: length and SHA-256 of each part before it, and rows and sum of each table ([`Manifest`]), and
//!   `manifest.sha256`, its own.
//!
//! With a key the whole archive is sealed ([`seal`]). What is not in it: certificates, and the books of the sandbox provider.

pub mod read;
pub mod restore;
pub mod rows;
pub mod schedule;
pub mod seal;
pub mod store;
mod tar;
pub mod transfer;
pub mod write;

pub use self::{restore::restore, seal::BackupKey, write::write};

use super::db::{ColumnType, DbError};
use serde::{Deserialize, Serialize};
use std::{fmt, io, path::PathBuf, sync::Arc};

/// The form of backups that this program writes, and the newest it reads.
pub const FORM: u32 = 1;
const HEADER: &str = "header.json";
const MANIFEST: &str = "manifest.json";
const MANIFEST_SUM: &str = "manifest.sha256";
const MASTER_KEY: &str = "master.key";

/// What is known of a backup from its beginning on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub form: u32,
    /// The version of the program that wrote it.
    pub program: String,
    /// UTC milliseconds.
    pub created_at: i64,
    /// `sqlite` or `postgres`.
    pub database: String,
    pub migrations: Vec<Applied>,
    /// In the order in which they are filled.
    pub tables: Vec<TableHead>,
    /// Purpose and id of each data key, such as `sealing:1`; they lie wrapped under the master key in the rows.
    pub keys: Vec<String>,
    pub with_master_key: bool,
}

/// A migration that the database had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    pub name: String,
    pub checksum: String,
}

/// A table and its columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableHead {
    pub name: String,
    pub columns: Vec<(String, ColumnType)>,
}

/// What is in a backup, as its end tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// In their order, but for the manifest itself.
    pub parts: Vec<Part>,
    pub tables: Vec<TableSum>,
    pub pictures: u64,
}

/// A part of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub name: String,
    pub bytes: u64,
    /// In hexadecimal.
    pub sha256: String,
}

/// What all rows of a table come to; see [`rows::Sum`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSum {
    pub name: String,
    pub rows: u64,
    pub sum: String,
}

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    pub head: Head,
    pub manifest: Manifest,
    pub sealed: bool,
    /// Of the file.
    pub bytes: u64,
}

impl Contents {
    /// The rows of a table; none for one that is not in it.
    pub fn rows(&self, table: &str) -> Option<u64> {
        self.manifest.tables.iter().find(|sum| sum.name == table).map(|sum| sum.rows)
    }
}

/// How far something came, for whoever watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many rows of a table are done.
    Rows { table: String, rows: u64 },
    /// So many pictures are done.
    Pictures(u64),
}

/// Is told of each step.
pub type Watch = Arc<dyn Fn(Progress) + Send + Sync>;

/// Somebody who does not look.
pub fn unwatched() -> Watch {
    Arc::new(|_: Progress| {})
}

/// Why a copy could not be made, read or put in place. The text says what to do.
#[derive(Debug)]
pub enum BackupError {
    /// A file or folder that could not be read or written, and why.
    File(PathBuf, io::Error),
    /// The same where no name is known.
    Io(io::Error),
    Database(DbError),
    /// What it is called is there already.
    Exists(PathBuf),
    /// The file is none.
    NoBackup,
    /// It is sealed, and no key was given.
    KeyNeeded,
    /// It is not sealed, and a key was given: whoever changed it may have put one in place that is not.
    NotSealed,
    WrongKey,
    /// The end is missing.
    Truncated,
    /// Something in it is not what was written.
    Damaged(String),
    /// It was written by a newer program: a form or migrations that this one does not know.
    Newer(String),
    /// The place is not empty: what there is.
    NotEmpty(String),
    /// A place whose filling was begun and not finished.
    Unfinished,
    /// These tables are not the same on both sides.
    Differs(Vec<String>),
    /// Something else that does not fit, and what to do.
    Refused(String),
    /// Whoever waited for it went away.
    Stopped,
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Io(error) => write!(f, "{error}"),
            Self::Database(error) => write!(f, "{error}"),
            Self::Exists(path) => write!(f, "{} is there already, and no backup is overwritten", path.display()),
            Self::NoBackup => f.write_str("this is no backup of a shop, or its beginning is damaged"),
            Self::KeyNeeded => f.write_str(
                "the backup is sealed: name the file of its key with --backup-key-file, or put the key into \
                XIADAN_BACKUP_KEY",
            ),
            Self::NotSealed => f.write_str(
                "a key was given and the backup is not sealed: give no key if you know where it comes from",
            ),
            Self::WrongKey => {
                f.write_str("the backup was sealed with another key, or its beginning is damaged")
            }
            Self::Truncated => f.write_str("the end of the backup is missing: it was cut off"),
            Self::Damaged(what) => write!(f, "the backup is damaged: {what}"),
            Self::Newer(what) => {
                write!(f, "the backup is of a newer program ({what}): use one that is at least as new")
            }
            Self::NotEmpty(what) => write!(
                f,
                "there is something in the place already ({what}): name an empty data folder with --data and an empty \
                database with --database-url, or move what is there away first"
            ),
            Self::Unfinished => f.write_str(
                "this database was being filled, and that was not finished: repeat `xiadan move`, which goes on; after a \
                `xiadan restore` remove the database and restore into an empty one",
            ),
            Self::Differs(tables) => write!(
                f,
                "not the same on both sides: {}. Something was written meanwhile: stop the shop, empty the database and \
                begin again",
                tables.join(", ")
            ),
            Self::Refused(why) => f.write_str(why),
            Self::Stopped => f.write_str("it was stopped before its end"),
        }
    }
}

impl std::error::Error for BackupError {}

impl From<DbError> for BackupError {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

/// What was not there is what was cut off.
impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<Self>()) {
            let inner = error.into_inner().and_then(|inner| inner.downcast::<Self>().ok());
            return inner.map_or(Self::Stopped, |inner| *inner);
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Io(error),
        }
    }
}

impl From<BackupError> for io::Error {
    fn from(error: BackupError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// What went wrong with a file, by its name.
fn at(path: &std::path::Path) -> impl FnOnce(io::Error) -> BackupError {
    move |error| BackupError::File(path.to_owned(), error)
}

/// Work that blocks, where blocking is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(BackupError::Stopped))
}
