//! Traces for whoever runs the shop: each request with the statements that it ran, told to a collector by OTLP over HTTP as
//! JSON (opentelemetry.io/docs/specs/otlp, `ExportTraceServiceRequest`), where one is set up.
//!
//! The trace of a request has the number of the request as its own, without hyphens: what a page or a log names is found
//! there. A trace that a client names is not taken over, for strangers would write into it. Told are names of the program
//! (routes, texts of statements without what is bound to them), never what somebody sent.
//!
//! Nothing waits for a collector: what it does not take in time is dropped and counted.

use super::{figures, http::request_id};
use serde_json::{Value, json};
use std::{
    sync::OnceLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

/// How many spans may wait to be sent.
const WAITING: usize = 8_192;
/// How many are sent at once.
const BATCH: usize = 1_024;
/// How long they are gathered.
const GATHER: Duration = Duration::from_secs(1);
/// How long a collector may take, so that the shop's end does not wait for it.
const LIMIT: Duration = Duration::from_secs(2);

/// Where spans wait; none where nobody asked for them.
static SPANS: OnceLock<mpsc::Sender<Span>> = OnceLock::new();

/// Something that took time.
struct Span {
    /// The number of its request, of 32 hexadecimal digits.
    trace: String,
    kind: Kind,
    begin: SystemTime,
    end: SystemTime,
}

enum Kind {
    Request { method: String, route: String, status: u16 },
    Statement { sql: String, database: &'static str },
}

/// Sends spans to the collector at an address, such as `http://collector:4318`, until `stop` turns true. Once per process.
pub async fn run(client: reqwest::Client, collector: String, mut stop: watch::Receiver<bool>) {
    let (sender, mut spans) = mpsc::channel(WAITING);
    if SPANS.set(sender).is_err() {
        return;
    }
    let url = format!("{}/v1/traces", collector.trim_end_matches('/'));
    let (mut batch, mut failing) = (Vec::new(), false);
    loop {
        let last = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => true,
            () = sleep(GATHER) => false,
        };
        while let Ok(span) = spans.try_recv() {
            batch.push(span);
            if batch.len() == BATCH {
                send(&client, &url, &mut batch, &mut failing).await;
            }
        }
        send(&client, &url, &mut batch, &mut failing).await;
        if last {
            return;
        }
    }
}

async fn send(client: &reqwest::Client, url: &str, batch: &mut Vec<Span>, failing: &mut bool) {
    if batch.is_empty() {
        return;
    }
    let count = batch.len() as u64;
    let body = message(batch).to_string();
    batch.clear();
    let request = client.post(url).header("content-type", "application/json").body(body).send();
    let answer = timeout(LIMIT, request).await;
    let sent = matches!(&answer, Ok(Ok(answer)) if answer.status().is_success());
    metrics::counter!(figures::SPANS, "end" => if sent { "sent" } else { "lost" }).increment(count);
    if !sent && !*failing {
        tracing::warn!(spans = count, "the collector of traces does not take them");
    }
    *failing = !sent;
}

/// Notes a request that was answered.
pub fn request(id: &str, method: &str, route: &str, status: u16, began: Instant) {
    note(id, began, || Kind::Request { method: method.to_owned(), route: route.to_owned(), status });
}

/// Notes a statement of the request that is being answered.
pub fn statement(sql: &str, database: &'static str, began: Instant) {
    if SPANS.get().is_some() {
        note(&request_id(), began, || Kind::Statement { sql: sql.to_owned(), database });
    }
}

fn note(request: &str, began: Instant, kind: impl FnOnce() -> Kind) {
    let Some(spans) = SPANS.get() else { return };
    // Jobs have none.
    let Ok(number) = uuid::Uuid::parse_str(request) else { return };
    let end = SystemTime::now();
    let begin = end.checked_sub(began.elapsed()).unwrap_or(end);
    let span = Span { trace: number.simple().to_string(), kind: kind(), begin, end };
    if spans.try_send(span).is_err() {
        metrics::counter!(figures::SPANS, "end" => "lost").increment(1);
    }
}

/// What the collector is sent.
fn message(spans: &[Span]) -> Value {
    let spans: Vec<_> = spans.iter().map(written).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": [
            text("service.name", "xiadan"),
            text("service.version", env!("CARGO_PKG_VERSION")),
        ]},
        "scopeSpans": [{"scope": {"name": "xiadan"}, "spans": spans}],
    }]})
}

fn written(span: &Span) -> Value {
    // The latter half of a number drawn by time is chance: the span of the request itself.
    let whole = &span.trace[16..];
    let nanos = |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()).to_string();
    let mut written = json!({
        "traceId": span.trace,
        "startTimeUnixNano": nanos(span.begin),
        "endTimeUnixNano": nanos(span.end),
    });
    // Kinds 2 and 3 are those of a server and of a client; status 2 is an error.
    let own = match &span.kind {
        Kind::Request { method, route, status } => json!({
            "spanId": whole,
            "name": format!("{method} {route}"),
            "kind": 2,
            "attributes": [
                text("http.request.method", method),
                text("http.route", route),
                {"key": "http.response.status_code", "value": {"intValue": status.to_string()}},
            ],
            "status": {"code": if *status >= 500 { 2 } else { 0 }},
        }),
        Kind::Statement { sql, database } => json!({
            "spanId": uuid::Uuid::now_v7().simple().to_string()[16..],
            "parentSpanId": whole,
            "name": sql.split_whitespace().next().unwrap_or_default(),
            "kind": 3,
            "attributes": [text("db.system.name", database), text("db.query.text", sql)],
        }),
    };
    if let (Value::Object(written), Value::Object(own)) = (&mut written, own) {
        written.extend(own);
    }
    written
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_hangs_on_its_request_in_the_trace_that_has_its_number() {
        let trace = || "0198f0a0c0de7000a1b2c3d4e5f60718".to_owned();
        let (begin, end) = (UNIX_EPOCH + Duration::from_millis(5), UNIX_EPOCH + Duration::from_micros(7_001));
        let request = Kind::Request { method: "GET".into(), route: "/p/{handle}".into(), status: 503 };
        let statement = Kind::Statement { sql: "select  1".into(), database: "sqlite" };
        let told = message(&[request, statement].map(|kind| Span { trace: trace(), kind, begin, end }));
        let spans = &told["resourceSpans"][0]["scopeSpans"][0]["spans"];
        let (request, statement) = (&spans[0], &spans[1]);
        for span in [request, statement] {
            assert_eq!(span["traceId"], trace());
            assert_eq!((&span["startTimeUnixNano"], &span["endTimeUnixNano"]), (&json!("5000000"), &json!("7001000")));
        }
        assert_eq!((&request["name"], &request["kind"]), (&json!("GET /p/{handle}"), &json!(2)));
        assert_eq!(request["status"]["code"], 2);
        assert_eq!(request["attributes"][2]["value"]["intValue"], "503");
        assert_eq!(statement["parentSpanId"], request["spanId"]);
        assert_eq!((&statement["name"], &statement["kind"]), (&json!("select"), &json!(3)));
        assert_eq!(statement["spanId"].as_str().map(str::len), Some(16));
        assert_ne!(statement["spanId"], request["spanId"]);
    }
}
