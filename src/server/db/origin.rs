//! For whom a job is done. Errors are logged and get their request's number where they are made, which is on a thread or
//! task that knows nothing of the request unless it is told.

use tracing::{Instrument, Span};

use crate::server::{context::REQUEST_ID, http::request_id};

/// The request and the span in which a job was given away.
#[derive(Clone)]
pub(super) struct Origin {
    request: String,
    span: Span,
}

impl Origin {
    pub(super) fn current() -> Self {
        Self { request: request_id(), span: Span::current() }
    }

    /// Does a part of the job on another thread.
    pub(super) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        self.span.in_scope(|| REQUEST_ID.sync_scope(self.request.clone(), work))
    }

    /// Does the job in another task.
    pub(super) fn follow<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        REQUEST_ID.scope(self.request, work).instrument(self.span)
    }
}
