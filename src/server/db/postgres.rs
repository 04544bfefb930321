//! The PostgreSQL arm: a pool, and one place where conflicts and lost connections are repeated.
//!
//! [`statement`] runs single statements, [`failure`] says what an error means.

mod failure;
mod statement;

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    panic::AssertUnwindSafe,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::FutureExt;
use sqlx::{
    ConnectOptions, Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit, oneshot},
    time::timeout,
};

pub(super) use self::{
    failure::from_sqlx,
    statement::{all, exec},
};
use super::{
    Args, Channels, Connection, DbError, Load, Options, Row, Sql, Tx,
    connections::{Connections, Leased},
    job::{Job, Work},
    note_error,
    origin::Origin,
    panicked, unheard,
};

use crate::server::{config::is_this_machine, figures};

/// How often a transaction is begun before its conflict is the caller's.
const TRIES: u32 = 5;
/// After so long it is not begun again: what waited for a lock to the end of its time does not wait five times.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much longer than a statement may take its answer is waited for. A server that is there ends the statement by itself;
/// one that fell silent, or whose address is another machine's by now, would be waited for until the system gives up, which
/// takes a quarter of an hour.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(super) struct Postgres {
    connections: Arc<Connections>,
    channels: Channels,
    /// How many transactions there were of which nobody knows whether they were committed.
    doubts: Arc<AtomicU64>,
    /// Places of those who read and of those who write. Neither have as many as there are connections: whoever waits for a
    /// slow statement or for a row that many want keeps no one of the other kind out.
    reading: Arc<Semaphore>,
    writing: Arc<Semaphore>,
    /// How long one of them is waited for.
    acquire_timeout: Duration,
    /// How long the answer to a statement is waited for; none is for ever.
    limit: Option<Duration>,
}

impl Postgres {
    pub(super) async fn open(options: &Options) -> Result<Self, DbError> {
        let mut connect = PgConnectOptions::from_str(&options.url)
            .map_err(|_| DbError::Other("the PostgreSQL URL cannot be read".into()))?;
        // What goes over a wire is not read on the way, unless the operator says that it may.
        let said = options.url.contains("sslmode=") || options.url.contains("ssl-mode=");
        if !said && std::env::var_os("PGSSLMODE").is_none() && !is_this_machine(connect.get_host()) {
            connect = connect.ssl_mode(PgSslMode::VerifyFull);
        }
        let connect = connect
            .application_name("xiadan")
            .statement_cache_capacity(256)
            .options([("statement_timeout", options.statement_timeout), ("lock_timeout", options.lock_timeout)].map(
                // In milliseconds, and zero is none.
                |(name, limit)| (name, limit.as_millis()),
            ))
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections.max(1))
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
            .connect_lazy_with(connect.clone());

        // A separate first connection, because the pool hides why it cannot connect.
        let started = Instant::now();
        loop {
            match answered(Some(options.acquire_timeout), connect.connect()).await {
                Ok(connection) => {
                    let _ = timeout(GRACE, connection.close()).await;
                    let most =
                        usize::try_from(options.max_connections).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
                    let places = (most - most.div_ceil(4)).max(1);
                    let connections = Connections::new(pool);
                    return Ok(Self {
                        channels: Channels::new(connect, connections.clone()),
                        connections,
                        doubts: Arc::default(),
                        reading: Arc::new(Semaphore::new(places)),
                        writing: Arc::new(Semaphore::new(places)),
                        acquire_timeout: options.acquire_timeout,
                        limit: (!options.statement_timeout.is_zero()).then(|| options.statement_timeout + GRACE),
                    });
                }
                Err(error) => {
                    if !error.is_transient() || started.elapsed() >= options.connect_wait {
                        return Err(error);
                    }
                    tracing::warn!(%error, waited_ms = started.elapsed().as_millis() as u64, "waiting for the database");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    pub(super) async fn all(&self, sql: Sql, args: Args) -> Result<Vec<Row>, DbError> {
        let this = self.clone();
        apart(async move { this.statement(sql, args).await }).await
    }

    /// The same before all who wait for a place to read.
    pub(super) async fn all_apart(&self, sql: Sql, args: Args) -> Result<Vec<Row>, DbError> {
        let this = self.clone();
        apart(async move { this.repeated(sql, args).await }).await
    }

    async fn statement(&self, sql: Sql, args: Args) -> Result<Vec<Row>, DbError> {
        let _place = self.place(&self.reading).await?;
        self.repeated(sql, args).await
    }

    async fn repeated(&self, sql: Sql, args: Args) -> Result<Vec<Row>, DbError> {
        let started = Instant::now();
        let mut attempt = 1;
        let mut before: Option<DbError> = None;
        loop {
            let mut connection = self.acquire(before.as_ref()).await?;
            let result = all(connection.connection(), sql.clone(), args.clone(), self.limit).await;
            connection.done(result.as_ref().err());
            let error = match result {
                Ok(rows) => return Ok(rows),
                Err(error) => error,
            };
            if !error.is_transient() || attempt >= TRIES || started.elapsed() >= PATIENCE {
                return Err(error);
            }
            before = Some(error);
            pause(attempt).await;
            attempt += 1;
        }
    }

    /// Runs a job that reads; `Ok` where the job's own result is the answer.
    pub(super) async fn read(&self, job: Job) -> Result<(), DbError> {
        let this = self.clone();
        apart(async move {
            let _place = this.place(&this.reading).await?;
            this.transaction(Purpose::Read, &*job).await
        })
        .await
    }

    /// Runs a job that writes; `Ok` where the job's own result is the answer.
    pub(super) async fn write(&self, job: Job) -> Result<(), DbError> {
        let this = self.clone();
        to_its_end(async move {
            let _place = this.place(&this.writing).await?;
            this.transaction(Purpose::Write, &*job).await
        })
        .await
    }

    /// One statement that writes, a transaction by itself, and comes to the same when it is done twice.
    pub(super) async fn exec(&self, sql: Sql, args: Args) -> Result<u64, DbError> {
        let this = self.clone();
        to_its_end(async move {
            let _place = this.place(&this.writing).await?;
            let started = Instant::now();
            let (mut attempt, mut before) = (1, None);
            loop {
                let mut connection = this.acquire(before.as_ref()).await?;
                let result = exec(connection.connection(), sql.clone(), args.clone(), true, this.limit).await;
                connection.done(result.as_ref().err());
                let error = match result {
                    Ok(changed) => return Ok(changed),
                    Err(error) => error,
                };
                if !error.is_transient() || attempt >= TRIES || started.elapsed() >= PATIENCE {
                    if matches!(error, DbError::Unavailable(_)) {
                        this.doubts.fetch_add(1, Ordering::Relaxed);
                    }
                    return Err(error);
                }
                metrics::counter!(figures::REPEATED).increment(1);
                before = Some(error);
                pause(attempt).await;
                attempt += 1;
            }
        })
        .await
    }

    async fn place<'s>(&self, places: &'s Semaphore) -> Result<SemaphorePermit<'s>, DbError> {
        let place = match timeout(self.acquire_timeout, places.acquire()).await {
            Ok(place) => place.map_err(|_| DbError::Closed),
            Err(_) => Err(from_sqlx(&sqlx::Error::PoolTimedOut)),
        };
        place.inspect_err(note_error)
    }

    async fn transaction(&self, purpose: Purpose, job: &dyn Work) -> Result<(), DbError> {
        let started = Instant::now();
        let (mut attempt, mut before) = (1, None);
        loop {
            let mut connection = self.acquire(before.as_ref()).await?;
            let (outcome, failure) = run(connection.connection(), purpose, job, self.limit).await;
            connection.done(failure.as_ref());
            match outcome {
                Outcome::Done(ended) => return ended,
                Outcome::Unknown(error) => {
                    self.doubts.fetch_add(1, Ordering::Relaxed);
                    return Err(error);
                }
                Outcome::Again(cause, ended) => {
                    if attempt >= TRIES || started.elapsed() >= PATIENCE {
                        return ended;
                    }
                    tracing::debug!(%cause, attempt, "a transaction is repeated");
                    metrics::counter!(figures::REPEATED).increment(1);
                    before = Some(cause);
                    pause(attempt).await;
                    attempt += 1;
                }
            }
        }
    }

    /// A connection. After one was lost, the others may be dead as well, or hold plans from before a migration, so the next
    /// one is tested and its statements are prepared anew.
    async fn acquire(&self, before: Option<&DbError>) -> Result<Leased, DbError> {
        loop {
            let mut leased = self.connections.lease().await?;
            if !before.is_some_and(DbError::is_lost) {
                return Ok(leased);
            }
            let connection = leased.connection();
            let test = async {
                connection.clear_cached_statements().await?;
                connection.ping().await
            };
            match answered(Some(GRACE), test).await {
                Ok(()) => return Ok(leased),
                Err(_) => leased.done(Some(&DbError::Unavailable(String::new()))),
            }
        }
    }

    pub(super) fn channels(&self) -> Channels {
        self.channels.clone()
    }

    pub(super) fn doubts(&self) -> u64 {
        self.doubts.load(Ordering::Relaxed)
    }

    pub(super) fn load(&self) -> Load {
        self.connections.load()
    }

    pub(super) async fn close(&self) {
        self.connections.close().await;
    }
}

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Read,
    Write,
}

impl Purpose {
    const fn begin(self) -> &'static str {
        match self {
            Self::Read => "begin isolation level repeatable read read only",
            Self::Write => "begin",
        }
    }
}

enum Outcome {
    /// `Ok` where the job's own result is the answer.
    Done(Result<(), DbError>),
    /// It may have been committed, or not.
    Unknown(DbError),
    /// Nothing was committed, and another try may succeed; if not, this is the answer.
    Again(DbError, Result<(), DbError>),
}

/// One try. The second value is the failure after which the connection may be of no more use.
async fn run(
    connection: &mut PgConnection,
    purpose: Purpose,
    job: &dyn Work,
    limit: Option<Duration>,
) -> (Outcome, Option<DbError>) {
    let mut transaction = match answered(limit, connection.begin_with(purpose.begin())).await.inspect_err(note_error) {
        Ok(transaction) => transaction,
        Err(failure) => return failed(Err(failure.clone()), failure),
    };
    let mut tx = Tx::new(Connection::Postgres(&mut transaction, limit));
    let result = AssertUnwindSafe(async { job.run(&mut tx).await }).catch_unwind().await;
    // The job may have asked for more time.
    let (failure, limit) = (tx.failure.take(), tx.limit());

    if !matches!((&result, &failure), (Ok(true), None)) {
        let undone = if failure.as_ref().is_some_and(DbError::is_lost) {
            // Nobody is there to be told.
            drop(transaction);
            Ok(())
        } else {
            answered(limit, transaction.rollback()).await
        };
        let (outcome, failure) = match (result, failure) {
            // No server would take it: the mistake is the job's.
            (Ok(_), Some(DbError::ReadOnly)) if purpose == Purpose::Read => {
                let error = DbError::Other("a job that only reads tried to write".into());
                (Outcome::Done(Err(error)), Some(DbError::ReadOnly))
            }
            (Ok(false), Some(failure)) => failed(Ok(()), failure),
            (Ok(true), Some(failure)) => failed(Err(failure.clone()), failure),
            (Ok(_), None) => (Outcome::Done(Ok(())), None),
            (Err(_), failure) => (Outcome::Done(Err(panicked())), failure),
        };
        return (outcome, undone.err().or(failure));
    }
    match answered(limit, transaction.commit()).await.inspect_err(note_error) {
        Ok(()) => (Outcome::Done(Ok(())), None),
        // The server says itself that it was not committed.
        Err(DbError::Busy) => failed(Err(DbError::Busy), DbError::Busy),
        // What only reads changed nothing, committed or not.
        Err(error) if purpose == Purpose::Read => failed(Err(error.clone()), error),
        Err(error) => (Outcome::Unknown(error.clone()), Some(error)),
    }
}

/// Does what writes in a task of its own: a caller that goes away leaves no statement half sent, and what comes of it is told
/// in the log.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, DbError>> + Send + 'static,
) -> Result<T, DbError> {
    let (sender, receiver) = oneshot::channel();
    tokio::spawn(Origin::current().follow(async move {
        if let Err(Err(error)) = sender.send(work.await) {
            unheard(&error);
        }
    }));
    receiver.await.unwrap_or(Err(DbError::Closed))
}

/// Does it in a task of its own: a caller that goes away leaves no statement half sent, on a connection that would have to
/// be waited for.
async fn apart<T: Send + 'static>(
    work: impl Future<Output = Result<T, DbError>> + Send + 'static,
) -> Result<T, DbError> {
    let done = tokio::spawn(Origin::current().follow(work)).await;
    done.unwrap_or_else(|error| Err(if error.is_panic() { panicked() } else { DbError::Closed }))
}

/// What comes of it, unless there is no answer for longer than this.
async fn answered<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, DbError> {
    let Some(limit) = limit else { return work.await.map_err(|error| from_sqlx(&error)) };
    match timeout(limit, work).await {
        Ok(done) => done.map_err(|error| from_sqlx(&error)),
        Err(_) => Err(DbError::Unavailable("the server does not answer".into())),
    }
}

fn failed(ended: Result<(), DbError>, failure: DbError) -> (Outcome, Option<DbError>) {
    let outcome = if failure.is_transient() { Outcome::Again(failure.clone(), ended) } else { Outcome::Done(ended) };
    (outcome, Some(failure))
}

/// Waits 2 to 4 ms after the first failure and twice that after each further one, spread by chance
/// so that those who met do not meet again.
async fn pause(attempt: u32) {
    let base = 2_000_u64 << attempt.min(8);
    let chance = RandomState::new().build_hasher().finish() % base;
    tokio::time::sleep(Duration::from_micros((base + chance) / 2)).await;
}
