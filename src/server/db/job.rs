//! A job without its types: what runs, repeats and answers jobs is compiled once, and not once for each of them.

use std::sync::{Arc, Mutex, PoisonError};

use super::{BoxFuture, DbError, Tx};

/// What the two databases know of a job: it runs in a transaction, and says whether it is content with what it did.
/// Its result stays with it.
pub(super) type Job = Arc<dyn Work>;

pub(super) trait Work: Send + Sync {
    fn run<'t>(&'t self, tx: &'t mut Tx<'_>) -> BoxFuture<'t, bool>;
}

/// A job and the result of its last run.
pub(super) struct Kept<J, T, E> {
    job: J,
    result: Mutex<Option<Result<T, E>>>,
}

impl<J, T, E> Kept<J, T, E> {
    pub(super) fn new(job: J) -> Arc<Self> {
        Arc::new(Self { job, result: Mutex::new(None) })
    }
}

impl<J, T, E: From<DbError>> Kept<J, T, E> {
    /// The job's own result where `ended` says that it stands, else the error.
    pub(super) fn take(&self, ended: Result<(), DbError>) -> Result<T, E> {
        ended?;
        let result = self.result.lock().unwrap_or_else(PoisonError::into_inner).take();
        result.unwrap_or_else(|| Err(DbError::Closed.into()))
    }
}

impl<J, T, E> Work for Kept<J, T, E>
where
    J: for<'t> Fn(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T, E>> + Send + Sync,
    T: Send,
    E: Send,
{
    fn run<'t>(&'t self, tx: &'t mut Tx<'_>) -> BoxFuture<'t, bool> {
        Box::pin(async move {
            let result = (self.job)(tx).await;
            let content = result.is_ok();
            *self.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            content
        })
    }
}
