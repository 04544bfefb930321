//! The SQLite arm: threads of our own, because a hop per statement costs more than the statement.
//!
//! [`statement`] runs single statements, [`writer`] is the one thread that writes, [`readers`] are
//! the threads that read.

mod readers;
mod statement;
mod writer;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    task::{Context, Poll, Waker},
    thread::JoinHandle,
};

use futures::future::BoxFuture;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

pub(super) use self::statement::{all, exec, exec_once};
use self::{readers::Readers, statement::run, writer::Writer};
use super::{Args, DbError, Options, Row, Sql, Tx, panicked};

#[derive(Clone)]
pub(super) struct Sqlite {
    threads: Arc<Threads>,
}

struct Threads {
    writer: Writer,
    readers: Readers,
}

impl Sqlite {
    pub(super) async fn open(path: PathBuf, options: &Options) -> Result<Self, DbError> {
        let options = options.clone();
        let open = move || -> Result<Threads, DbError> {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder)
                    .map_err(|error| DbError::Unavailable(format!("{}: {error}", folder.display())))?;
            }
            // The writer first: it makes the file and switches it to the write-ahead log.
            let writer = connect(&path, &options, Role::Writer)?;
            let readers = (0..options.readers.max(1))
                .map(|_| connect(&path, &options, Role::Reader))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(Threads { writer: Writer::start(writer, options.write_queue)?, readers: Readers::start(readers)? })
        };
        let threads = tokio::task::spawn_blocking(open).await.map_err(|_| DbError::Closed)??;
        Ok(Self { threads: Arc::new(threads) })
    }

    pub(super) async fn all(&self, sql: Sql, args: Args) -> Result<Vec<Row>, DbError> {
        self.threads.readers.run(move |connection| all(connection, &sql, &args)).await?
    }

    pub(super) async fn read<T, E, J>(&self, job: J) -> Result<T, E>
    where
        J: for<'t> Fn(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
        E: From<DbError> + Send + 'static,
        T: Send + 'static,
    {
        let read = move |connection: &mut Connection| {
            let (result, broken) = transaction(connection, &SNAPSHOT, &job);
            if broken.is_some() && !connection.is_autocommit() {
                let _ = run(connection, "rollback");
            }
            result
        };
        self.threads.readers.run(read).await?
    }

    pub(super) async fn write<T, E, J>(&self, job: J) -> Result<T, E>
    where
        J: for<'t> Fn(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
        E: From<DbError> + Send + 'static,
        T: Send + 'static,
    {
        self.threads.writer.run(move |connection| transaction(connection, &SAVEPOINT, &job)).await
    }

    /// Readers first, so that the writer's last checkpoint finds nobody in its way.
    pub(super) async fn close(&self) {
        self.threads.readers.close().await;
        self.threads.writer.close().await;
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    Writer,
    Reader,
}

fn connect(path: &Path, options: &Options, role: Role) -> Result<Connection, DbError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if role == Role::Writer {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let setup = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(options.busy_timeout)?;
        connection.set_prepared_statement_cache_capacity(256);
        // No memory map: an I/O error would end the process instead of the statement.
        connection.execute_batch(match role {
            Role::Writer => {
                "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;
                 pragma temp_store = memory; pragma cache_size = -16384;
                 pragma wal_autocheckpoint = 4000; pragma journal_size_limit = 67108864"
            }
            Role::Reader => {
                "pragma foreign_keys = on; pragma temp_store = memory; pragma cache_size = -8192;
                 pragma query_only = on"
            }
        })?;
        Ok(connection)
    };
    setup().map_err(|error| match statement::running(&error) {
        DbError::Busy => DbError::Busy,
        error => DbError::Unavailable(format!("{}: {error}", path.display())),
    })
}

/// How a transaction begins and ends.
struct Steps {
    begin: &'static str,
    commit: &'static [&'static str],
    rollback: &'static [&'static str],
}

const SNAPSHOT: Steps = Steps { begin: "begin", commit: &["commit"], rollback: &["rollback"] };
const SAVEPOINT: Steps =
    Steps { begin: "savepoint job", commit: &["release job"], rollback: &["rollback to job", "release job"] };

/// Runs a job to its end. The second value tells why the transaction around it is of no more use.
fn transaction<T, E, J>(connection: &mut Connection, steps: &Steps, job: &J) -> (Result<T, E>, Option<DbError>)
where
    J: for<'t> Fn(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T, E>>,
    E: From<DbError>,
{
    if let Err(error) = run(connection, steps.begin) {
        return (Err(error.clone().into()), Some(error));
    }
    let mut tx = Tx::new(super::Connection::Sqlite(connection));
    let outcome = catch_unwind(AssertUnwindSafe(|| poll_once(job(&mut tx))));
    let failure = tx.failure.take();
    let result = match (outcome, failure) {
        (Ok(Some(Err(error))), _) => Err(error),
        (Ok(_), Some(failure)) => Err(failure.into()),
        (Ok(Some(Ok(value))), None) => Ok(value),
        (Ok(None), None) => Err(DbError::Other("a job awaited something else than its transaction".into()).into()),
        (Err(_), _) => Err(panicked().into()),
    };
    let ending = if result.is_ok() { steps.commit } else { steps.rollback };
    let broken = ending.iter().find_map(|step| run(connection, step).err());
    match (result, broken) {
        (Ok(_), Some(error)) => (Err(error.clone().into()), Some(error)),
        other => other,
    }
}

/// Waits for the end of threads, on one more thread: the end of the async runtime would wait for a blocking task of its
/// own, however long, when the caller has given up.
async fn joined(threads: impl IntoIterator<Item = JoinHandle<()>> + Send + 'static) {
    let (sender, ended) = oneshot::channel::<()>();
    let join = move || {
        threads.into_iter().for_each(|thread| drop(thread.join()));
        drop(sender);
    };
    if std::thread::Builder::new().name("sqlite-close".into()).spawn(join).is_ok() {
        let _ = ended.await;
    }
}

/// Statements complete while they are polled, so a job is ready at once or waits for something else.
fn poll_once<T>(mut future: BoxFuture<'_, T>) -> Option<T> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
