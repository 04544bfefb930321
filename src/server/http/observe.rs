//! Every request leaves one line in the log and its mark in the metrics, and has an id under which both are found.

use super::{
    Front,
    document::{Outline, failure},
    health::{ALIVE, METRICS, READY},
};
use crate::{
    domain::Error,
    server::{Ctx, context::REQUEST_ID, figures, traces},
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header::CONNECTION},
    middleware::Next,
    response::Response,
};
use futures::FutureExt;
use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    time::Instant,
};
use tracing::Instrument;

/// The id is sent back in this header.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request that is being answered; `-` outside of one.
pub fn request_id() -> String {
    // Resources of a page load in tasks of their own, which know the request by its context only.
    let of_page = || leptos::reactive::owner::with_context(|ctx: &Ctx| ctx.request_id.clone());
    REQUEST_ID.try_with(Clone::clone).ok().or_else(of_page).unwrap_or_else(|| "-".to_owned())
}

/// Does what a request asks for to its end, also when whoever asked goes away: what was committed is told to open pages and
/// to other nodes after that, and would not be told to anybody otherwise.
pub async fn to_the_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let task = tokio::spawn(REQUEST_ID.scope(request_id(), work).in_current_span());
    match task.await.map_err(|error| error.try_into_panic()) {
        Ok(done) => done,
        Err(Ok(panic)) => resume_unwind(panic),
        // The process is at its end, and nobody waits any more.
        Err(Err(_)) => std::future::pending().await,
    }
}

pub async fn observe(State(front): State<Front>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = uuid::Uuid::now_v7().to_string();
    let outline = Outline::of(&front, &request);
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = REQUEST_ID.scope(id.clone(), answer).await.unwrap_or_else(|_| {
        tracing::error!(request = id, path = outline.uri.path(), "an answer panicked");
        failure(&front, &outline, StatusCode::INTERNAL_SERVER_ERROR, &Error::Internal(id.clone()))
    });
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    // A client that keeps its connection for the next request would send it to a process that is no more.
    let leaving = *front.leaving.borrow();
    if leaving {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    record(&outline, route, response.status(), started, &id, leaving);
    response
}

fn record(request: &Outline, route: Option<String>, status: StatusCode, started: Instant, id: &str, leaving: bool) {
    let took = started.elapsed();
    let (method, path) = (request.method.as_str(), request.uri.path());
    // Files of the site and mistyped addresses match no route; all of them share one label.
    let route = route.unwrap_or_else(|| "other".to_owned());
    // A method is what the client says it is.
    let known = matches!(method, "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS");
    let labels = [
        ("route", route.clone()),
        ("method", if known { method.to_owned() } else { "other".to_owned() }),
        ("status", status.as_str().to_owned()),
    ];
    metrics::histogram!(figures::REQUEST, &labels).record(took.as_secs_f64());
    traces::request(id, if known { method } else { "other" }, &route, status.as_u16(), started);
    let ms = (took.as_secs_f64() * 1e4).round() / 10.0;
    let status = status.as_u16();
    let probe = matches!(route.as_str(), ALIVE | READY | METRICS);
    // That a process which is about to stop says so is no failure.
    if status >= 500 && !(probe && leaving) {
        tracing::error!(target: "xiadan::http", method, path, status, ms, request = id, "request");
    } else if probe {
        tracing::debug!(target: "xiadan::http", method, path, status, ms, request = id, "request");
    } else {
        tracing::info!(target: "xiadan::http", method, path, status, ms, request = id, "request");
    }
}
