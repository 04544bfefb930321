//! The SQLite arm: threads of our own, because a hop per statement costs more than the statement.
//!
//! [`statement`] runs single statements, [`writer`] is the one thread that writes, [`readers`] are
//! the threads that read.

mod readers;
mod statement;
mod writer;

use std::{
    fs::OpenOptions,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    task::{Context, Poll, Waker},
    thread::JoinHandle,
};

use futures::future::BoxFuture;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Mutex, oneshot};

pub(super) use self::statement::{all, exec, exec_once};
use self::{readers::Readers, statement::run, writer::Writer};
use super::{
    Args, DbError, Options, Row, Sql, Tx,
    job::{Job, Work},
    panicked,
};

#[derive(Clone)]
pub(super) struct Sqlite {
    threads: Arc<Threads>,
}

struct Threads {
    writer: Writer,
    readers: Readers,
    path: PathBuf,
    options: Options,
    /// Whose turn it is at a thread that is started for one statement: anybody may have that done.
    apart: Arc<Mutex<()>>,
}

impl Sqlite {
    pub(super) async fn open(path: PathBuf, options: &Options) -> Result<Self, DbError> {
        let options = options.clone();
        let open = move || -> Result<Threads, DbError> {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder)
                    .map_err(|error| DbError::Unavailable(format!("{}: {error}", folder.display())))?;
            }
            make_file(&path).map_err(|error| DbError::Unavailable(format!("{}: {error}", path.display())))?;
            // The writer first: it switches the file to the write-ahead log.
            let writer = connect(&path, &options, Role::Writer)?;
            let readers = (0..options.readers.max(1))
                .map(|_| connect(&path, &options, Role::Reader))
                .collect::<Result<Vec<_>, _>>()?;
            let (writer, readers) = (Writer::start(writer, options.write_queue)?, Readers::start(readers)?);
            Ok(Threads { writer, readers, path, options, apart: Arc::default() })
        };
        let threads = tokio::task::spawn_blocking(open).await.map_err(|_| DbError::Closed)??;
        Ok(Self { threads: Arc::new(threads) })
    }

    pub(super) async fn all(&self, sql: Sql, args: Args) -> Result<Vec<Row>, DbError> {
        self.threads.readers.run(move |connection| all(connection, &sql, &args)).await?
    }

    /// The same on a connection and a thread of its own, one at a time.
    pub(super) async fn all_apart(&self, sql: Sql, args: Args) -> Result<Vec<Row>, DbError> {
        let turn = self.threads.apart.clone().lock_owned().await;
        self.apart(move |connection| {
            // Given up by the thread: whoever asked may have gone away before it is done.
            let _turn = turn;
            all(connection, &sql, &args)
        })
        .await?
    }

    /// Runs a job that reads; `Ok` where the job's own result is the answer.
    pub(super) async fn read(&self, job: Job) -> Result<(), DbError> {
        self.threads.readers.run(move |connection| snapshot(connection, &*job)).await?
    }

    /// The same on a connection and a thread of its own.
    pub(super) async fn read_long(&self, job: Job) -> Result<(), DbError> {
        self.apart(move |connection| snapshot(connection, &*job)).await?
    }

    async fn apart<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, DbError> {
        let threads = self.threads.clone();
        let connect = move || connect(&threads.path, &threads.options, Role::Reader);
        self.threads.readers.run_apart(connect, read).await
    }

    /// Runs a job that writes; `Ok` where the job's own result is the answer.
    pub(super) async fn write(&self, job: Job) -> Result<(), DbError> {
        self.threads.writer.run(job).await
    }

    /// How many writes wait for their turn.
    pub(super) fn writes_waiting(&self) -> usize {
        self.threads.writer.waiting()
    }

    /// Readers first, so that the writer's last checkpoint finds nobody in its way.
    pub(super) async fn close(&self) {
        self.threads.readers.close().await;
        self.threads.writer.close().await;
    }
}

/// Makes the file for its owner alone where there is none, in whatever folder. SQLite would let everybody read it; the files
/// that it makes beside one are as open as that.
fn make_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[derive(Clone, Copy)]
enum Role {
    Writer,
    Reader,
}

fn connect(path: &Path, options: &Options, role: Role) -> Result<Connection, DbError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
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

/// Runs a job to its end; `Ok` where the job's own result is the answer. The second value tells why the transaction
/// around it is of no more use.
fn transaction(connection: &mut Connection, steps: &Steps, job: &dyn Work) -> (Result<(), DbError>, Option<DbError>) {
    if let Err(error) = run(connection, steps.begin) {
        return (Err(error.clone()), Some(error));
    }
    let mut tx = Tx::new(super::Connection::Sqlite(connection));
    let outcome = catch_unwind(AssertUnwindSafe(|| poll_once(job.run(&mut tx))));
    let failure = tx.failure.take();
    let (content, ended) = match (outcome, failure) {
        (Ok(Some(false)), _) => (false, Ok(())),
        (Ok(_), Some(failure)) => (false, Err(failure)),
        (Ok(Some(true)), None) => (true, Ok(())),
        (Ok(None), None) => (false, Err(DbError::Other("a job awaited something else than its transaction".into()))),
        (Err(_), _) => (false, Err(panicked())),
    };
    let ending = if content { steps.commit } else { steps.rollback };
    let broken = ending.iter().find_map(|step| run(connection, step).err());
    match broken {
        Some(error) if content => (Err(error.clone()), Some(error)),
        broken => (ended, broken),
    }
}

/// Runs a job that reads one state of the data.
fn snapshot(connection: &mut Connection, job: &dyn Work) -> Result<(), DbError> {
    let (ended, broken) = transaction(connection, &SNAPSHOT, job);
    if broken.is_some() && !connection.is_autocommit() {
        let _ = run(connection, "rollback");
    }
    ended
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
