//! For whoever runs the shop: is it alive, is it ready, how is it doing.

use super::Front;
use crate::server::figures;
use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderName, StatusCode,
        header::{CONTENT_TYPE, FORWARDED},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::time::timeout;

/// Where the process says that it runs.
pub const ALIVE: &str = "/healthz";
/// Where it says that it can answer customers.
pub const READY: &str = "/readyz";
/// Where it tells its figures.
pub const METRICS: &str = "/metrics";
/// How long figures of the database are waited for.
const LOOK: Duration = Duration::from_secs(2);
/// What Prometheus reads (its text format 0.0.4).
const TEXT: [(HeaderName, &str); 1] = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];

/// Makes the metrics of this process readable at `/metrics`; once per process, on its async runtime.
///
/// # Errors
/// When another recorder is installed already.
pub fn install_metrics() -> Result<PrometheusHandle, BuildError> {
    let whole = |name: &str| Matcher::Full(name.to_owned());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(whole(figures::REQUEST), &figures::REQUEST_BOUNDS)?
        .set_buckets_for_metric(whole(figures::STATEMENT), &figures::STATEMENT_BOUNDS)?
        .set_buckets_for_metric(whole(figures::COMMITTED), &figures::COMMITTED_BOUNDS)?
        .install_recorder()?;
    figures::describe();
    // What is measured waits in memory until it is summed up, whether anybody reads it or not.
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut every = tokio::time::interval(Duration::from_secs(5));
        loop {
            every.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

/// The process runs.
pub async fn alive() -> &'static str {
    "ok"
}

/// The process can answer customers: its database answers, and it is not about to stop.
pub async fn ready(State(front): State<Front>) -> Response {
    if *front.leaving.borrow() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping").into_response();
    }
    match timeout(Duration::from_secs(2), front.app.db.ping()).await {
        Ok(Ok(())) => "ok".into_response(),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "database").into_response(),
    }
}

/// The figures, for the machine itself and its private network. What came through a proxy came from outside. Where they
/// have a listener of their own they are not here.
pub async fn metrics(
    State(front): State<Front>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let proxied = request.headers().contains_key(FORWARDED) || request.headers().contains_key("x-forwarded-for");
    if proxied || !private(peer.ip().to_canonical()) || front.app.config.metrics_listen.is_some() {
        return StatusCode::NOT_FOUND.into_response();
    }
    told(&front).await
}

/// The figures on a listener of their own, for whoever reaches that.
pub fn metrics_router(front: Front) -> Router {
    let figures = |State(front): State<Front>| async move { told(&front).await };
    Router::new().route(METRICS, get(figures)).with_state(front)
}

async fn told(front: &Front) -> Response {
    // Who asks for figures while the database does not answer wants those that there are.
    if timeout(LOOK, figures::look(&front.app)).await.is_err() {
        figures::database_is_slow();
    }
    (TEXT, front.metrics.render()).into_response()
}

fn private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}
