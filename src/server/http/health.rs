//! For whoever runs the shop: is it alive, is it ready, how is it doing.

use super::Front;
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, header::FORWARDED},
    response::{IntoResponse, Response},
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// The upper bounds of the histogram of request durations, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Makes the metrics of this process readable at `/metrics`; once per process, on its async runtime.
///
/// # Errors
/// When another recorder is installed already.
pub fn install_metrics() -> Result<PrometheusHandle, BuildError> {
    let matcher = Matcher::Full("http_request_seconds".to_owned());
    let handle = PrometheusBuilder::new().set_buckets_for_metric(matcher, &BUCKETS)?.install_recorder()?;
    metrics::describe_histogram!("http_request_seconds", metrics::Unit::Seconds, "Time to the head of an answer");
    metrics::describe_gauge!("live_connections", "Open connections to the live feed");
    metrics::describe_gauge!("process_resident_memory_bytes", metrics::Unit::Bytes, "Memory in use");
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
    match tokio::time::timeout(Duration::from_secs(2), front.app.db.ping()).await {
        Ok(Ok(())) => "ok".into_response(),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "database").into_response(),
    }
}

/// The figures, for the machine itself and its private network. What came through a proxy came from outside.
pub async fn metrics(
    State(front): State<Front>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let proxied = request.headers().contains_key(FORWARDED) || request.headers().contains_key("x-forwarded-for");
    if proxied || !private(peer.ip().to_canonical()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    if let Some(bytes) = resident_bytes() {
        metrics::gauge!("process_resident_memory_bytes").set(bytes);
    }
    front.metrics.render().into_response()
}

fn private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

/// The second field of `statm` counts resident pages (proc(5)).
fn resident_bytes() -> Option<f64> {
    const PAGE: f64 = 4096.0;
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(text.split_whitespace().nth(1)?.parse::<f64>().ok()? * PAGE)
}
