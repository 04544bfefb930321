//! The one thread that writes.
//!
//! A commit waits for the disk, which takes longer than most jobs. So the thread runs whatever is
//! queued in one transaction, each job in a savepoint of its own, and answers all of them after the
//! commit. It never waits for company: a lone job is committed at once.

use std::{
    sync::{Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{SAVEPOINT, joined, statement::run, transaction};
use crate::server::{
    db::{DbError, job::Job, note_error, origin::Origin, unheard},
    figures,
};

/// Jobs in one commit.
const BATCH: usize = 64;
/// A batch that has run this long is committed, so that a slow job does not delay the others' answers.
const BATCH_TIME: Duration = Duration::from_millis(20);

pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    Step(Step),
    Close,
}

/// Runs on the connection of the batch, or learns that there is none.
type Step = Box<dyn FnOnce(Result<&mut Connection, &DbError>) -> Finished + Send>;

/// Called when the batch has ended, with what went wrong with all of it.
type Answer = Box<dyn FnOnce(Option<&DbError>)>;

struct Finished {
    answer: Answer,
    /// Why the transaction of the batch is of no more use.
    broken: Option<DbError>,
}

impl Writer {
    pub(super) fn start(connection: Connection, capacity: usize) -> Result<Self, DbError> {
        let (queue, jobs) = mpsc::channel(capacity.max(1));
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || work(connection, jobs))
            .map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Runs a job; `Ok` where the job's own result is the answer.
    pub(super) async fn run(&self, job: Job) -> Result<(), DbError> {
        let (sender, receiver) = oneshot::channel();
        let origin = Origin::current();
        let step: Step = Box::new(move |connection| {
            let (ended, broken) = origin.run(|| match connection {
                Ok(connection) => transaction(connection, &SAVEPOINT, &*job),
                Err(error) => (Err(error.clone()), None),
            });
            let answer = Box::new(move |failure: Option<&DbError>| {
                let ended = failure.map_or(ended, |failure| Err(failure.clone()));
                // Nobody is there to listen when the caller went away; the work is done all the same.
                if let Err(Err(error)) = sender.send(ended) {
                    origin.run(|| unheard(&error));
                }
            });
            Finished { answer, broken }
        });
        self.queue.send(Message::Step(step)).await.map_err(|_| DbError::Closed)?;
        receiver.await.unwrap_or(Err(DbError::Closed))
    }

    /// How many jobs wait for their turn.
    pub(super) fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    pub(super) async fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = self.queue.send(Message::Close).await;
            joined([thread]).await;
        }
    }
}

fn work(mut connection: Connection, mut jobs: mpsc::Receiver<Message>) {
    // After `close` the channel still gives what had been accepted before.
    while let Some(message) = jobs.blocking_recv() {
        match message {
            Message::Step(step) => batch(&mut connection, step, &mut jobs),
            Message::Close => jobs.close(),
        }
    }
    let tidy = connection.execute_batch("pragma optimize; pragma wal_checkpoint(truncate)");
    if let Err(error) = tidy {
        tracing::warn!(error = %super::statement::running(&error), "the last checkpoint failed");
    }
}

fn batch(connection: &mut Connection, first: Step, jobs: &mut mpsc::Receiver<Message>) {
    let started = Instant::now();
    let mut answers = Vec::new();
    let mut failure = run(connection, "begin immediate").err();
    let mut next = Some(first);
    while let Some(step) = next.take() {
        let finished = step(match &failure {
            None => Ok(&mut *connection),
            Some(failure) => Err(failure),
        });
        answers.push(finished.answer);
        if failure.is_none() {
            failure = finished.broken;
            // Some errors (a full disk) end the whole transaction inside SQLite.
            if failure.is_none() && connection.is_autocommit() {
                failure = Some(DbError::Unavailable("the transaction was lost".into()));
            }
            if failure.is_some() {
                break;
            }
        }
        // Where another program holds the file, all who queued meanwhile have waited long enough.
        if answers.len() < BATCH && (failure.is_some() || started.elapsed() < BATCH_TIME) {
            next = match jobs.try_recv() {
                Ok(Message::Step(step)) => Some(step),
                Ok(Message::Close) => {
                    jobs.close();
                    None
                }
                Err(_) => None,
            };
        }
    }

    let commit = Instant::now();
    if failure.is_none() {
        failure = run(connection, "commit").err();
    }
    if let Some(error) = &failure {
        note_error(error);
        tracing::error!(%error, jobs = answers.len(), "a batch of writes failed");
        if !connection.is_autocommit()
            && let Err(error) = run(connection, "rollback")
        {
            tracing::error!(%error, "a failed batch could not be undone");
        }
    }
    tracing::trace!(
        jobs = answers.len(),
        us = started.elapsed().as_micros() as u64,
        commit_us = commit.elapsed().as_micros() as u64,
        "batch of writes"
    );
    // Jobs in one commit are at most 64, and a histogram is of floats.
    metrics::histogram!(figures::COMMITTED).record(answers.len() as f64);
    for answer in answers {
        answer(failure.as_ref());
    }
}
