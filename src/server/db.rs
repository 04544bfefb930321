//! The database: one interface, one SQL text per statement, on SQLite and on PostgreSQL.
//!
//! Nothing outside this module knows which of the two is running. What makes that possible:
//!
//! - placeholders are `$1`, `$2`, …; every argument is used by the statement;
//! - columns are `text`, `bigint`, `double precision`, `boolean` and `bytea`, and one text is always
//!   called with the same types of arguments;
//! - an optional filter is `($1 is null or col = $1)`, a sum is `cast(sum(x) as bigint)`;
//! - writing happens in [`Db::write`], or in [`Db::exec`] where it is one statement. On SQLite one
//!   thread runs all writes and commits up to 64 waiting jobs at once; on PostgreSQL a job is a
//!   transaction that is repeated when it meets a conflict;
//! - a statement that fails ends its transaction, on both: return the error from the job. Where a
//!   row may exist already, say so in the statement (`on conflict do nothing`) and look at the count.
//!
//! ```ignore
//! let id = String::from("0198…");
//! db.write(move |tx| {
//!     let id = id.clone();
//!     Box::pin(async move {
//!         let taken = tx
//!             .exec("update stock set held = held + $2 where variant_id = $1 and on_hand - held >= $2", args![id, 1])
//!             .await?;
//!         if taken == 0 { Err(Error::SoldOut) } else { Ok(()) }
//!     })
//! })
//! .await?;
//! ```
//!
//! The error of a job is any type with `From<DbError>`. Where the compiler cannot see it, name it:
//! `db.write::<_, Error>(…)`, or end the job in `Ok::<_, Error>(…)`.

mod channel;
mod connections;
mod error;
mod job;
mod migrate;
mod options;
mod origin;
mod postgres;
mod sqlite;
pub mod tables;
mod value;

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant},
};

pub use self::{
    channel::{Channels, Ear, LONGEST, Voice},
    error::DbError,
    migrate::Migration,
    options::{Kind, Load, Options},
    value::{Args, ColumnType, FromColumn, Row, Scalar, ToValue, Value, lists, placeholders},
};
pub use futures::future::BoxFuture;

use super::{figures, traces};

/// The text of a statement. It is written by code alone: what a person typed goes into [`Args`].
pub type Sql = Cow<'static, str>;

/// Statements slower than this are logged with their text, without their arguments.
const SLOW: Duration = Duration::from_millis(200);

/// A handle on the database. Cloning it is cheap and all clones are the same database.
#[derive(Clone)]
pub struct Db {
    arm: Arm,
}

#[derive(Clone)]
enum Arm {
    Sqlite(sqlite::Sqlite),
    Postgres(Arc<postgres::Postgres>),
}

impl Db {
    /// Opens the database that the URL names; SQLite files and their folders are made when missing.
    ///
    /// # Errors
    /// A URL of another kind, a file that cannot be opened, a server that did not answer within
    /// [`Options::connect_wait`].
    pub async fn open(options: Options) -> Result<Self, DbError> {
        let arm = if let Some(path) = options.url.strip_prefix("sqlite://") {
            Arm::Sqlite(sqlite::Sqlite::open(path.into(), &options).await?)
        } else if options.url.starts_with("postgres://") || options.url.starts_with("postgresql://") {
            Arm::Postgres(Arc::new(postgres::Postgres::open(&options).await?))
        } else {
            return Err(DbError::Other("the database URL must begin with sqlite:// or postgres://".into()));
        };
        Ok(Self { arm })
    }

    /// All rows of one reading statement.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn all(&self, sql: impl Into<Sql>, args: Args) -> Result<Vec<Row>, DbError> {
        value::check(&args)?;
        match &self.arm {
            Arm::Sqlite(sqlite) => sqlite.all(sql.into(), args).await,
            Arm::Postgres(postgres) => postgres.all(sql.into(), args).await,
        }
    }

    /// The first row of one reading statement, if there is one.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn optional(&self, sql: impl Into<Sql>, args: Args) -> Result<Option<Row>, DbError> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }

    /// The first row of one reading statement.
    ///
    /// # Errors
    /// [`DbError::NotFound`] where there is none.
    pub async fn one(&self, sql: impl Into<Sql>, args: Args) -> Result<Row, DbError> {
        self.optional(sql, args).await?.ok_or(DbError::NotFound)
    }

    /// Several reads on one connection that see one state of the data, whatever is written meanwhile.
    ///
    /// The job awaits nothing but its [`Tx`], and may run more than once.
    ///
    /// # Errors
    /// The job's own, or [`DbError`] turned into it.
    pub async fn read<T, E>(
        &self,
        job: impl for<'t> Fn(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let job = job::Kept::new(job);
        let ended = match &self.arm {
            Arm::Sqlite(sqlite) => sqlite.read(job.clone()).await,
            Arm::Postgres(postgres) => postgres.read(job.clone()).await,
        };
        job.take(ended)
    }

    /// The same for what takes long: on SQLite, which has few threads that read, it has one of its own.
    ///
    /// # Errors
    /// The job's own, or [`DbError`] turned into it.
    pub async fn read_long<T, E>(
        &self,
        job: impl for<'t> Fn(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let job = job::Kept::new(job);
        let ended = match &self.arm {
            Arm::Sqlite(sqlite) => sqlite.read_long(job.clone()).await,
            Arm::Postgres(postgres) => postgres.read(job.clone()).await,
        };
        job.take(ended)
    }

    /// One transaction: everything the job did, or nothing. The answer comes after the commit.
    ///
    /// An error from the job undoes this job alone; so does a panic, which becomes an error here.
    /// The job is a function of what it captured and may run more than once, so it changes nothing
    /// but the database. It awaits nothing but its [`Tx`]: on SQLite all writers share a thread, and
    /// a job that waits for something else is ended with an error. A caller that goes away does not
    /// stop a job that was accepted. Constraints are checked per statement (no `deferrable` ones).
    ///
    /// # Errors
    /// The job's own, or [`DbError`] turned into it. After [`DbError::Unavailable`] the work may
    /// have been done nevertheless.
    pub async fn write<T, E>(
        &self,
        job: impl for<'t> Fn(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let job = job::Kept::new(job);
        let ended = match &self.arm {
            Arm::Sqlite(sqlite) => sqlite.write(job.clone()).await,
            Arm::Postgres(postgres) => postgres.write(job.clone()).await,
        };
        job.take(ended)
    }

    /// One writing statement by itself, which comes to the same when it is done twice; answers with how many rows it changed,
    /// which may be none where it was done before and the answer was lost. On PostgreSQL that is one way there and back, and
    /// three in a [`write`](Self::write).
    ///
    /// # Errors
    /// See [`DbError`]. After [`DbError::Unavailable`] it may have been done nevertheless.
    pub async fn exec(&self, sql: impl Into<Sql>, args: Args) -> Result<u64, DbError> {
        value::check(&args)?;
        let sql = sql.into();
        match &self.arm {
            Arm::Sqlite(_) => {
                self.write(move |tx| {
                    let (sql, args) = (sql.clone(), args.clone());
                    Box::pin(async move { tx.exec(sql, args).await })
                })
                .await
            }
            Arm::Postgres(postgres) => postgres.exec(sql, args).await,
        }
    }

    /// Brings the schema up to date and names the migrations that were applied now.
    ///
    /// Nodes that start together take turns. Each migration is one transaction and is recorded with
    /// a checksum in `schema_migration`.
    ///
    /// # Errors
    /// A migration that was applied before and has changed since; a statement that fails.
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<Vec<&'static str>, DbError> {
        migrate::run(self, migrations).await
    }

    /// The names of those migrations that were not applied yet; changes nothing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn pending(&self, migrations: &[Migration]) -> Result<Vec<&'static str>, DbError> {
        migrate::pending(self, migrations).await
    }

    /// Finishes what was accepted, refuses what comes later, and leaves a tidy file behind.
    pub async fn close(&self) {
        match &self.arm {
            Arm::Sqlite(sqlite) => sqlite.close().await,
            Arm::Postgres(postgres) => postgres.close().await,
        }
    }

    /// Which database this is.
    pub fn kind(&self) -> Kind {
        match &self.arm {
            Arm::Sqlite(_) => Kind::Sqlite,
            Arm::Postgres(_) => Kind::Postgres,
        }
    }

    /// Whether who wants a row that somebody else is changing waits for it on a connection that others lack meanwhile. Where
    /// not, all who write stand in one line anyway.
    pub fn waits_by_row(&self) -> bool {
        self.kind() == Kind::Postgres
    }

    /// The way to other programs on the same database; none on SQLite, which one program serves.
    pub fn channels(&self) -> Option<Channels> {
        match &self.arm {
            Arm::Sqlite(_) => None,
            Arm::Postgres(postgres) => Some(postgres.channels()),
        }
    }

    /// How many transactions there were, since this was opened, of which nobody knows whether they were committed: the
    /// connection was lost just then. What they may have changed was told to nobody.
    pub fn doubts(&self) -> u64 {
        match &self.arm {
            // A commit of the file that fails has changed nothing.
            Arm::Sqlite(_) => 0,
            Arm::Postgres(postgres) => postgres.doubts(),
        }
    }

    /// How busy this is at the moment; for metrics.
    pub fn load(&self) -> Load {
        match &self.arm {
            Arm::Sqlite(sqlite) => Load { writes_waiting: sqlite.writes_waiting(), ..Load::default() },
            Arm::Postgres(postgres) => postgres.load(),
        }
    }

    /// Whether the database answers; for the readiness check. It stands in no line behind those who read: slow statements of
    /// theirs alone would have every node taken for dead, which helps nobody.
    ///
    /// # Errors
    /// [`DbError::Unavailable`], or [`DbError::Closed`].
    pub async fn ping(&self) -> Result<(), DbError> {
        let sql = "select 1 as alive".into();
        match &self.arm {
            Arm::Sqlite(sqlite) => sqlite.all_apart(sql, Args::new()).await,
            Arm::Postgres(postgres) => postgres.all_apart(sql, Args::new()).await,
        }
        .map(drop)
    }
}

/// The transaction a job runs in.
///
/// After a statement has failed, every further one fails as well and the transaction is undone,
/// even if the job returns `Ok`.
pub struct Tx<'c> {
    connection: Connection<'c>,
    failure: Option<DbError>,
}

enum Connection<'c> {
    Sqlite(&'c mut rusqlite::Connection),
    /// With how long the answer to a statement is waited for; none is for ever.
    Postgres(&'c mut sqlx::PgConnection, Option<Duration>),
}

impl<'c> Tx<'c> {
    fn new(connection: Connection<'c>) -> Self {
        Self { connection, failure: None }
    }

    /// Runs a statement and gives the number of rows it changed.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn exec(&mut self, sql: impl Into<Sql>, args: Args) -> Result<u64, DbError> {
        self.check(&args)?;
        let result = match &mut self.connection {
            Connection::Sqlite(connection) => sqlite::exec(connection, &sql.into(), &args),
            Connection::Postgres(connection, limit) => postgres::exec(connection, sql.into(), args, true, *limit).await,
        };
        self.note(result)
    }

    /// All rows of a statement: a `select`, or a change with `returning`.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn all(&mut self, sql: impl Into<Sql>, args: Args) -> Result<Vec<Row>, DbError> {
        self.check(&args)?;
        let result = match &mut self.connection {
            Connection::Sqlite(connection) => sqlite::all(connection, &sql.into(), &args),
            Connection::Postgres(connection, limit) => postgres::all(connection, sql.into(), args, *limit).await,
        };
        self.note(result)
    }

    /// The first row of a statement, if there is one.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn optional(&mut self, sql: impl Into<Sql>, args: Args) -> Result<Option<Row>, DbError> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }

    /// The first row of a statement.
    ///
    /// # Errors
    /// [`DbError::NotFound`] where there is none; this one leaves the transaction usable.
    pub async fn one(&mut self, sql: impl Into<Sql>, args: Args) -> Result<Row, DbError> {
        self.optional(sql, args).await?.ok_or(DbError::NotFound)
    }

    /// Takes the rows with these ids until the transaction ends, in the order of their ids: what is read of them after
    /// this still holds when it is written, and of two that take the same rows neither waits for the other in a circle.
    /// Rows that refer to them may be added meanwhile. On SQLite the only writer has them anyway.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn lock(&mut self, table: &'static str, ids: &[String]) -> Result<(), DbError> {
        if let Connection::Sqlite(_) = self.connection {
            return Ok(());
        }
        let mut ids = ids.to_vec();
        ids.sort();
        ids.dedup();
        for (list, args) in lists(&ids) {
            self.locked(format!("select id from {table} where id in {list} order by id"), args).await?;
        }
        Ok(())
    }

    /// All rows of a `select` from one table, taken until the transaction ends as [`lock`](Self::lock) takes them.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn locked(&mut self, mut sql: String, args: Args) -> Result<Vec<Row>, DbError> {
        if let Connection::Postgres(..) = self.connection {
            sql.push_str(" for no key update");
        }
        self.all(sql, args).await
    }

    /// From here on a statement of this transaction takes as long as it takes.
    async fn take_all_time(&mut self) -> Result<(), DbError> {
        let Connection::Postgres(_, limit) = &mut self.connection else { return Ok(()) };
        *limit = None;
        self.exec("set local statement_timeout = 0", Args::new()).await?;
        self.exec("set local lock_timeout = 0", Args::new()).await.map(drop)
    }

    /// How long the answer to a statement is waited for; none is for ever.
    fn limit(&self) -> Option<Duration> {
        match self.connection {
            Connection::Sqlite(_) => None,
            Connection::Postgres(_, limit) => limit,
        }
    }

    /// As [`exec`](Self::exec), for a text that comes once and should not stay in the statement cache.
    async fn exec_once(&mut self, sql: String) -> Result<u64, DbError> {
        self.check(&Args::new())?;
        let result = match &mut self.connection {
            Connection::Sqlite(connection) => sqlite::exec_once(connection, &sql),
            Connection::Postgres(connection, limit) => {
                postgres::exec(connection, sql.into(), Args::new(), false, *limit).await
            }
        };
        self.note(result)
    }

    // PostgreSQL refuses everything after a failed statement, and turns the commit into a rollback
    // without an error; SQLite would go on. Both follow the stricter one.
    fn check(&mut self, args: &Args) -> Result<(), DbError> {
        match &self.failure {
            None => self.note(value::check(args)),
            Some(failure) => Err(failure.clone()),
        }
    }

    fn note<T>(&mut self, result: Result<T, DbError>) -> Result<T, DbError> {
        if let Err(error) = &result {
            self.failure = Some(error.clone());
        }
        result
    }
}

/// Tells of a statement that was run, and of what went wrong with it: in figures and traces, and in the log where it was
/// slow.
fn note_statement(sql: &str, kind: Kind, started: Instant, error: Option<&DbError>) {
    let took = started.elapsed();
    metrics::histogram!(figures::STATEMENT).record(took.as_secs_f64());
    traces::statement(sql, kind.as_str(), started);
    if let Some(error) = error {
        note_error(error);
    }
    if took > SLOW {
        let request = super::http::request_id();
        tracing::warn!(ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX), sql, request, "slow statement");
    }
}

/// Counts what went wrong with a statement, with a transaction around it, or with getting a connection.
fn note_error(error: &DbError) {
    metrics::counter!(figures::DATABASE_ERRORS, "kind" => error.kind()).increment(1);
}

/// Logs what nobody waits for any more: an error is logged where it becomes the caller's.
fn unheard(error: &DbError) {
    tracing::error!(%error, request = super::http::request_id(), "a job failed whose caller had gone away");
}

/// What a panic in a job becomes.
fn panicked() -> DbError {
    DbError::Other("a job panicked; its transaction was undone".into())
}
