//! Words from program to program over one PostgreSQL: what is said on a channel is heard by all who listen to it.
//!
//! Connections of their own, beside those of the shop: one whose own are busy still hears and is heard. Where there is none to
//! be had it speaks over one of the shop's: whoever can change something can say so. What is said is not kept by the database:
//! who does not listen at that moment misses it, and the words themselves are gone with a crash of the database. Hence these
//! connections do not wait for the disk; PostgreSQL lets one commit with words in it pass at a time, and one that waited for
//! the disk would hold up all others.

use super::{DbError, connections::Connections, postgres};
use sqlx::{
    ConnectOptions, PgConnection,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

/// How long connecting, or saying something, may take.
const LIMIT: Duration = Duration::from_secs(3);
/// How many words may wait to be heard before no more are taken off the wire.
const WAITING: usize = 1024;
/// The most bytes of what is said at once; PostgreSQL takes less than 8000.
pub const LONGEST: usize = 7_500;
const SAY: &str = "select pg_notify($1, $2)";

/// A way to the channels of a database.
#[derive(Clone)]
pub struct Channels {
    connect: Arc<PgConnectOptions>,
    connections: Arc<Connections>,
}

/// A connection that listens. Dropping it ends it.
pub struct Ear {
    words: mpsc::Receiver<Result<String, DbError>>,
    task: JoinHandle<()>,
}

/// A connection that speaks; opened when there is something to say, and again after it was lost.
pub struct Voice {
    connect: Arc<PgConnectOptions>,
    connection: Option<PgConnection>,
    /// Those of the shop, for where there is none of its own.
    connections: Arc<Connections>,
}

impl Channels {
    pub(super) fn new(connect: PgConnectOptions, connections: Arc<Connections>) -> Self {
        let connect = connect.application_name("xiadan live").options([("synchronous_commit", "off")]);
        Self { connect: Arc::new(connect), connections }
    }

    /// Listens to a channel: what is said after this is heard.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] where the database does not answer in time; others where it knows no channels.
    pub async fn listen(&self, channel: &'static str) -> Result<Ear, DbError> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(LIMIT)
            .test_before_acquire(false)
            .connect_lazy_with(PgConnectOptions::clone(&self.connect));
        let open = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            // A connection that comes back by itself would not tell that something was missed.
            listener.eager_reconnect(false);
            listener.listen(channel).await?;
            Ok::<_, sqlx::Error>(listener)
        };
        let mut listener: PgListener = within(open).await?;
        let (sender, words) = mpsc::channel(WAITING);
        // A task of its own: what is read half is not lost when who waits for it turns to something else.
        let task = tokio::spawn(async move {
            loop {
                let word = match listener.try_recv().await {
                    Ok(Some(said)) => Ok(said.payload().to_owned()),
                    Ok(None) => Err(DbError::Unavailable("the connection that listens was lost".into())),
                    Err(error) => Err(postgres::from_sqlx(&error)),
                };
                let lost = word.is_err();
                if sender.send(word).await.is_err() || lost {
                    return;
                }
            }
        });
        Ok(Ear { words, task })
    }

    /// A way to speak.
    pub fn voice(&self) -> Voice {
        Voice { connect: self.connect.clone(), connection: None, connections: self.connections.clone() }
    }
}

impl Ear {
    /// The next word on the channel. Giving up waiting for it loses nothing.
    ///
    /// # Errors
    /// When the connection was lost: this one hears nothing any more.
    pub async fn next(&mut self) -> Result<String, DbError> {
        self.words.recv().await.unwrap_or(Err(DbError::Closed))
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Voice {
    /// Says something of at most [`LONGEST`] bytes on a channel; who listens has it soon after this.
    ///
    /// # Errors
    /// When the database does not answer. It may have been said all the same, and twice.
    pub async fn say(&mut self, channel: &'static str, words: &str) -> Result<(), DbError> {
        if self.say_itself(channel, words).await.is_ok() {
            return Ok(());
        }
        let leased = timeout(LIMIT, self.connections.lease()).await;
        let mut leased = leased.map_err(|_| DbError::Unavailable("no free connection in time".into()))??;
        let say = sqlx::query(SAY).bind(channel).bind(words).execute(leased.connection());
        let said = within(say).await;
        leased.done(said.as_ref().err());
        said.map(drop)
    }

    async fn say_itself(&mut self, channel: &'static str, words: &str) -> Result<(), DbError> {
        // Only put back when all went well: a connection on which something is under way is of no more use.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => within(self.connect.connect()).await?,
        };
        let say = sqlx::query(SAY).bind(channel).bind(words).execute(&mut connection);
        within(say).await?;
        self.connection = Some(connection);
        Ok(())
    }
}

async fn within<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, DbError> {
    match timeout(LIMIT, work).await {
        Ok(done) => done.map_err(|error| postgres::from_sqlx(&error)),
        Err(_) => Err(DbError::Unavailable("the database did not answer in time".into())),
    }
}
