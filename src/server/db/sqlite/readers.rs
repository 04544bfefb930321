//! The threads that read, each with a connection of its own.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};

use super::joined;
use crate::server::db::{DbError, origin::Origin, panicked};

/// Jobs that may wait for each thread; more callers wait for room.
const WAITING: usize = 256;

pub(super) struct Readers {
    queue: Arc<Queue>,
    room: Arc<Semaphore>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) -> Result<(), DbError> {
        let mut state = self.lock();
        if state.closed {
            return Err(DbError::Closed);
        }
        state.jobs.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// The next job; none when the queue is closed and empty.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

impl Readers {
    pub(super) fn start(connections: Vec<Connection>) -> Result<Self, DbError> {
        let room = Arc::new(Semaphore::new(connections.len() * WAITING));
        let readers = Self { queue: Arc::default(), room, threads: Mutex::default() };
        for mut connection in connections {
            let queue = readers.queue.clone();
            let thread = std::thread::Builder::new()
                .name("sqlite-reader".into())
                .spawn(move || {
                    while let Some(job) = queue.next() {
                        // A panic drops the job's answer, which tells its caller.
                        let _ = catch_unwind(AssertUnwindSafe(|| job(&mut connection)));
                    }
                })
                .map_err(|error| DbError::Unavailable(error.to_string()))?;
            readers.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(readers)
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, DbError> {
        let permit = self.room.clone().acquire_owned().await.map_err(|_| DbError::Closed)?;
        let (sender, receiver) = oneshot::channel();
        let origin = Origin::current();
        self.queue.push(Box::new(move |connection| {
            let _permit = permit;
            // A caller that went away while waiting needs no answer.
            if !sender.is_closed() {
                let _ = sender.send(origin.run(|| read(connection)));
            }
        }))?;
        receiver.await.map_err(|_| panicked())
    }

    /// The same on a thread of its own, with a connection that is opened for it.
    pub(super) async fn run_apart<T: Send + 'static>(
        &self,
        connect: impl FnOnce() -> Result<Connection, DbError> + Send + 'static,
        read: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, DbError> {
        let (sender, receiver) = oneshot::channel();
        let origin = Origin::current();
        let work = move || {
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let _ = sender.send(connect().map(|mut connection| origin.run(|| read(&mut connection))));
            }));
        };
        {
            // With the lock held, so that whoever closes waits for this one, or it finds that it is too late.
            let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
            if self.queue.lock().closed {
                return Err(DbError::Closed);
            }
            let thread = std::thread::Builder::new().name("sqlite-apart".into()).spawn(work);
            threads.retain(|thread| !thread.is_finished());
            threads.push(thread.map_err(|error| DbError::Unavailable(error.to_string()))?);
        }
        receiver.await.map_err(|_| panicked())?
    }

    pub(super) async fn close(&self) {
        self.queue.close();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        joined(threads).await;
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue.close();
    }
}
