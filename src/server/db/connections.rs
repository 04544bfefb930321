//! The connections of a node to PostgreSQL, ready for whoever needs one next.
//!
//! The library's pool asks the server after each use whether the connection is still there, which is one more round trip for
//! each statement. So it only opens and closes them here: one that was used and is well waits here for its next use, and goes
//! back to the pool when it is not needed for long, when it is old or when it was lost.

use super::{DbError, Load, note_error, postgres::from_sqlx};
use sqlx::{PgConnection, PgPool, pool::PoolConnection};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// A connection that was not needed for so long goes back to the pool, which closes it after a while.
const SPARE: Duration = Duration::from_secs(120);
/// One that was away from the pool for so long goes back, so that the pool sees how old it is.
const AWAY: Duration = Duration::from_secs(600);
/// How long the pool may take to look at a connection that comes back. It asks the server whether it is still there, and of
/// one that fell silent it would wait for the answer as long as the system does, with the place of the connection taken.
const LOOK: Duration = Duration::from_secs(5);

/// All connections, of those who read and of those who write.
pub(super) struct Connections {
    pool: PgPool,
    /// As many as there may be, so that the pool always has one for whoever has a place.
    places: Arc<Semaphore>,
    /// Those that nobody uses; the one that was used last is the next.
    ready: Mutex<VecDeque<Ready>>,
    /// How long a place is waited for.
    acquire_timeout: Duration,
}

struct Ready {
    connection: PoolConnection<sqlx::Postgres>,
    /// When it came from the pool.
    since: Instant,
    /// When it was used last.
    used: Instant,
}

/// A connection in use. After its use it is [done with](Leased::done); one that is only dropped goes back to the pool.
pub(super) struct Leased {
    connection: PoolConnection<sqlx::Postgres>,
    since: Instant,
    home: Arc<Connections>,
    /// Given up after the connection has gone where it belongs.
    _place: OwnedSemaphorePermit,
}

impl Connections {
    pub(super) fn new(pool: PgPool) -> Arc<Self> {
        let options = pool.options();
        let most = usize::try_from(options.get_max_connections()).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            places: Arc::new(Semaphore::new(most)),
            ready: Mutex::default(),
            acquire_timeout: options.get_acquire_timeout(),
            pool,
        })
    }

    /// A connection; whoever comes first gets it first.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] where there is none in time, [`DbError::Closed`].
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Leased, DbError> {
        self.take().await.inspect_err(note_error)
    }

    async fn take(self: &Arc<Self>) -> Result<Leased, DbError> {
        let place = match timeout(self.acquire_timeout, self.places.clone().acquire_owned()).await {
            Ok(place) => place.map_err(|_| DbError::Closed)?,
            Err(_) => return Err(from_sqlx(&sqlx::Error::PoolTimedOut)),
        };
        let ready = self.ready().pop_back();
        let (connection, since) = match ready {
            Some(Ready { connection, since, .. }) => (connection, since),
            None => (self.pool.acquire().await.map_err(|error| from_sqlx(&error))?, Instant::now()),
        };
        Ok(Leased { connection, since, home: self.clone(), _place: place })
    }

    pub(super) fn load(&self) -> Load {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Load {
            connections: count(self.pool.size()),
            idle: self.pool.num_idle() + self.ready().len(),
            most: count(self.pool.options().get_max_connections()),
            ..Load::default()
        }
    }

    /// Closes those that nobody uses now, and the others when they come back.
    pub(super) async fn close(&self) {
        // From here on none is kept.
        let closed = self.pool.close();
        self.ready().clear();
        self.places.close();
        closed.await;
    }

    fn keep(&self, connection: PoolConnection<sqlx::Postgres>, since: Instant) {
        let (now, mut ready) = (Instant::now(), self.ready());
        // Asked with the lock held: who closes the pool empties these afterwards.
        if self.pool.is_closed() || now - since > AWAY {
            give_back(connection);
        } else {
            ready.push_back(Ready { connection, since, used: now });
        }
        while ready.front().is_some_and(|longest| now - longest.used > SPARE) {
            if let Some(spare) = ready.pop_front() {
                give_back(spare.connection);
            }
        }
    }

    fn ready(&self) -> MutexGuard<'_, VecDeque<Ready>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leased {
    /// The connection itself.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Ends its use, in which nothing is under way any more. One that is well is there for the next; of one that had a failure
    /// the pool finds out whether it still is.
    pub(super) fn done(self, failure: Option<&DbError>) {
        let Self { mut connection, since, home, _place } = self;
        match failure {
            // The server is not there any more, not to be understood, or not the one that takes writes: going back is not
            // even begun.
            Some(failure) if failure.is_lost() => drop(connection.return_to_pool()),
            Some(_) => give_back(connection),
            None => home.keep(connection, since),
        }
    }
}

fn give_back(mut connection: PoolConnection<sqlx::Postgres>) {
    let back = connection.return_to_pool();
    tokio::spawn(async move { timeout(LOOK, back).await });
}
