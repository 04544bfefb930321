//! The figures of a shop for whoever runs it: their names, what they mean, and those that are looked up when somebody asks.
//!
//! Labels are names of the program alone (a route, a kind of error), never what somebody sent. What the whole shop has in
//! common, such as held orders, each node tells alike: take the `max` of them, not the `sum`.

use super::{App, backup, context::now, db::DbError};
use crate::{
    args,
    domain::{Error, Result},
};
use metrics::Unit;

/// Time to the head of an answer, by route, method and status; the route of a server function is its address.
pub const REQUEST: &str = "http_request_seconds";
/// Refusals and failures of server functions, by function and kind.
pub const FUNCTION_ERRORS: &str = "server_function_errors_total";
/// Time of a statement.
pub const STATEMENT: &str = "database_statement_seconds";
/// What went wrong with statements, transactions and getting connections, by kind; also where it went well when it was tried
/// again.
pub const DATABASE_ERRORS: &str = "database_errors_total";
/// SQLite: how many writes one commit took.
pub const COMMITTED: &str = "database_writes_per_commit";
/// PostgreSQL: transactions that were begun again after a conflict or a lost connection.
pub const REPEATED: &str = "database_repeats_total";
/// Times at which the connection was lost by which other nodes are heard, or could not be had.
pub const DEAF: &str = "nodes_unheard_total";
/// Nodes that are heard, this one included.
pub const NODES: &str = "nodes";
/// Open connections to the live feed.
pub const LIVE: &str = "live_connections";
/// Messages that were put on connections of the live feed.
pub const LIVE_SENT: &str = "live_messages_total";
/// Pages that may be shared by strangers: how many were asked for, and how many were made for that.
pub const SHARED: &str = "shared_pages_total";
/// Effects that failed again and again, or that nobody carries out.
pub const OVERDUE: &str = "outbox_overdue";
/// Effects of the outbox that this node tried, by kind and by what came of it.
pub const EFFECTS: &str = "outbox_effects_total";
/// Steps of orders that were taken on this node.
pub const ORDERS: &str = "order_steps_total";
/// Spans of traces, by what came of them: sent to the collector, or lost.
pub const SPANS: &str = "trace_spans_total";
/// Runs of a job on this node, by job and by what came of it.
pub const JOBS: &str = "job_runs_total";
/// Memory that the search index of this node takes; zero until it is filled.
pub const SEARCH: &str = "search_index_bytes";
/// Backups that were due and that this node could not make.
pub const BACKUP_FAILURES: &str = "backup_failures_total";

const BUILD: &str = "build_info";
const MEMORY: &str = "process_resident_memory_bytes";
const DATABASE_UP: &str = "database_up";
const WRITES_WAITING: &str = "database_writes_waiting";
const CONNECTIONS: &str = "database_connections";
const CONNECTIONS_MOST: &str = "database_connections_limit";
const WAITING: &str = "outbox_waiting";
const LAG: &str = "outbox_lag_seconds";
const UNPAID: &str = "orders_unpaid";
const TO_SHIP: &str = "orders_to_ship";
const HELD: &str = "stock_held_pieces";
const HELD_NIGHTS: &str = "rooms_held_nights";
const HELD_TIME: &str = "people_held_seconds";
const HELD_TABLES: &str = "tables_held";
const HELD_SEATS: &str = "seats_held";
const BOOKINGS: &str = "bookings_ahead";
const BACKUP_MADE: &str = "backup_last_success_timestamp_seconds";
const BACKUP_EVERY: &str = "backup_interval_seconds";

/// What bookings hold: of orders and moves that are not paid, and for the first in a waiting list. Of a departure seats are
/// chosen or counted; the quota of a fare and the covers of a kitchen come on top of what is claimed, and are not counted.
const HELD_CLAIMS: &str = "select
        cast(coalesce(sum(case when v.id is not null then c.quantity * (c.end_at - c.start_at) else 0 end), 0) as bigint)
            as nights,
        cast(coalesce(sum(case when r.kind = 'person' then c.end_at - c.start_at else 0 end), 0) as bigint) as person_ms,
        cast(coalesce(sum(case when r.kind = 'table' then c.quantity else 0 end), 0) as bigint) as tables,
        cast(coalesce(sum(case when d.id is not null or c.kind = 'seat' then c.quantity else 0 end), 0) as bigint) as seats
    from (
        select k.resource_id, k.kind, k.start_at, k.end_at, k.quantity
        from orders o join claim k on k.order_id = o.id where o.state = 'to_pay' and k.state = 'active'
        union all
        select k.resource_id, k.kind, k.start_at, k.end_at, k.quantity
        from booking_move m join claim k on k.move_id = m.id where m.state = 'held' and k.state = 'active'
        union all
        select k.resource_id, k.kind, k.start_at, k.end_at, k.quantity
        from claim k where k.expires_at > 0 and k.waiting_id is not null and k.state = 'active'
    ) c left join variant v on v.id = c.resource_id left join resource r on r.id = c.resource_id
        left join departure d on d.id = c.resource_id";

/// The upper bounds of durations of requests, in seconds.
pub const REQUEST_BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Those of statements, in seconds.
pub const STATEMENT_BOUNDS: [f64; 10] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1.0, 10.0];
/// Those of writes in a commit.
pub const COMMITTED_BOUNDS: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// What a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Counter,
    Gauge,
    Histogram,
}

/// Every figure that this program tells.
pub const ALL: [(&str, Type, Option<Unit>, &str); 37] = [
    (REQUEST, Type::Histogram, Some(Unit::Seconds), "Time to the head of an answer"),
    (FUNCTION_ERRORS, Type::Counter, None, "Refusals and failures of server functions"),
    (STATEMENT, Type::Histogram, Some(Unit::Seconds), "Time of a statement"),
    (DATABASE_ERRORS, Type::Counter, None, "Errors of statements, transactions and getting connections, by kind"),
    (COMMITTED, Type::Histogram, None, "SQLite: writes in one commit"),
    (REPEATED, Type::Counter, None, "PostgreSQL: transactions that were begun again"),
    (DATABASE_UP, Type::Gauge, None, "Whether the database answered just now"),
    (WRITES_WAITING, Type::Gauge, None, "SQLite: writes that wait for their turn"),
    (CONNECTIONS, Type::Gauge, None, "PostgreSQL: connections of this node, idle or used"),
    (CONNECTIONS_MOST, Type::Gauge, None, "PostgreSQL: the most connections of this node"),
    (DEAF, Type::Counter, None, "Times at which other nodes could not be heard any more"),
    (NODES, Type::Gauge, None, "Nodes that are heard, this one included"),
    (LIVE, Type::Gauge, None, "Open connections to the live feed"),
    (LIVE_SENT, Type::Counter, None, "Messages put on connections of the live feed"),
    (SHARED, Type::Counter, None, "Pages that strangers share: asked for, and made for that"),
    (WAITING, Type::Gauge, None, "Effects that were not carried out yet, of the whole shop"),
    (LAG, Type::Gauge, Some(Unit::Seconds), "For how long the oldest effect has been due, of the whole shop"),
    (OVERDUE, Type::Gauge, None, "Effects that failed again and again, or that nobody carries out"),
    (EFFECTS, Type::Counter, None, "Effects of the outbox that this node tried"),
    (ORDERS, Type::Counter, None, "Steps of orders taken on this node"),
    (JOBS, Type::Counter, None, "Runs of a job on this node"),
    (UNPAID, Type::Gauge, None, "Orders that hold what they want and wait for their payment, of the whole shop"),
    (HELD, Type::Gauge, None, "Pieces that unpaid orders hold, of the whole shop"),
    (HELD_NIGHTS, Type::Gauge, None, "Nights of rooms that are held and not paid, of the whole shop"),
    (HELD_TIME, Type::Gauge, Some(Unit::Seconds), "Time of people that is held and not paid, of the whole shop"),
    (HELD_TABLES, Type::Gauge, None, "Tables that are held and not paid, of the whole shop"),
    (HELD_SEATS, Type::Gauge, None, "Seats of departures that are held and not paid, of the whole shop"),
    (TO_SHIP, Type::Gauge, None, "Orders that are paid and wait to be shipped, of the whole shop"),
    (BOOKINGS, Type::Gauge, None, "Bookings that are paid and begin in the future, of the whole shop"),
    (BACKUP_MADE, Type::Gauge, Some(Unit::Seconds), "When the last backup that was made was begun; zero: none"),
    (BACKUP_EVERY, Type::Gauge, Some(Unit::Seconds), "The time between two backups of this node; zero: it makes none"),
    (BACKUP_FAILURES, Type::Counter, None, "Backups that were due and that this node could not make"),
    (SPANS, Type::Counter, None, "Spans of traces, sent or lost"),
    (SEARCH, Type::Gauge, Some(Unit::Bytes), "Memory that the search index of this node takes"),
    (MEMORY, Type::Gauge, Some(Unit::Bytes), "Memory in use"),
    (BUILD, Type::Gauge, None, "One; the version is a label"),
    ("process_start_time_seconds", Type::Gauge, Some(Unit::Seconds), "When this process began, since 1970"),
];

/// Explains all of them; once the metrics of the process are installed. Counters begin with zero, so that a first failure
/// is a change.
pub fn describe() {
    for (name, kind, unit, text) in ALL {
        let unit = unit.unwrap_or(Unit::Count);
        match kind {
            Type::Counter => metrics::describe_counter!(name, unit, text),
            Type::Gauge => metrics::describe_gauge!(name, unit, text),
            Type::Histogram => metrics::describe_histogram!(name, unit, text),
        }
    }
    for name in [REPEATED, DEAF, LIVE_SENT, BACKUP_FAILURES] {
        metrics::counter!(name).absolute(0);
    }
    metrics::counter!(SPANS, "end" => "lost").absolute(0);
    for kind in DbError::KINDS {
        metrics::counter!(DATABASE_ERRORS, "kind" => kind).absolute(0);
    }
    for step in ["asked", "made"] {
        metrics::counter!(SHARED, "step" => step).absolute(0);
    }
    for name in [NODES, LIVE, OVERDUE] {
        metrics::gauge!(name).set(if name == NODES { 1.0 } else { 0.0 });
    }
    metrics::gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    // A time in seconds is far below where floats lose whole numbers.
    metrics::gauge!("process_start_time_seconds").set(now() as f64 / 1e3);
}

/// Counts an error of a server function. The function is the name of a route, not what was asked for.
pub fn function_failed(function: &str, error: &Error) {
    metrics::counter!(FUNCTION_ERRORS, "function" => function.to_owned(), "kind" => error.kind()).increment(1);
}

/// Looks up what is not counted along the way. Where the database does not answer, its figures stay as they were and it is
/// told to be down.
pub async fn look(app: &App) {
    let load = app.db.load();
    // Counts are small, and a gauge is a float.
    metrics::gauge!(WRITES_WAITING).set(load.writes_waiting as f64);
    metrics::gauge!(CONNECTIONS, "state" => "idle").set(load.idle as f64);
    metrics::gauge!(CONNECTIONS, "state" => "used").set(load.connections.saturating_sub(load.idle) as f64);
    metrics::gauge!(CONNECTIONS_MOST).set(load.most as f64);
    if let Some(bytes) = resident_bytes() {
        metrics::gauge!(MEMORY).set(bytes as f64);
    }
    metrics::gauge!(SEARCH).set(app.search.bytes() as f64);
    let every = app.config.backup.as_ref().map_or(0, |schedule| schedule.every_ms);
    metrics::gauge!(BACKUP_EVERY).set(every as f64 / 1e3);
    let up = shop(app, now()).await.is_ok();
    metrics::gauge!(DATABASE_UP).set(if up { 1.0 } else { 0.0 });
}

/// Tells that the database did not answer in time.
pub fn database_is_slow() {
    metrics::gauge!(DATABASE_UP).set(0.0);
}

/// What is common to all nodes; each of these is found by an index and reads no more than is not done yet.
async fn shop(app: &App, now: i64) -> Result<()> {
    let set = |name: &'static str, value: i64| metrics::gauge!(name).set(value as f64);
    let sql = "select count(*) as n, min(next_at) as first from outbox where done_at is null";
    let row = app.db.one(sql, args![]).await?;
    set(WAITING, row.get("n")?);
    let late = row.get::<Option<i64>>("first")?.map_or(0, |first| now.saturating_sub(first).max(0));
    metrics::gauge!(LAG).set(late as f64 / 1e3);
    let sql = "select count(*) as n from orders where state = $1";
    set(UNPAID, app.db.one(sql, args!["to_pay"]).await?.get("n")?);
    set(TO_SHIP, app.db.one(sql, args!["to_ship"]).await?.get("n")?);
    let sql = "select cast(coalesce(sum(h.quantity), 0) as bigint) as n from orders o
        join hold h on h.order_id = o.id where o.state = 'to_pay' and h.state = 'active'";
    set(HELD, app.db.one(sql, args![]).await?.get("n")?);
    let held = app.db.one(HELD_CLAIMS, args![]).await?;
    set(HELD_NIGHTS, held.get("nights")?);
    metrics::gauge!(HELD_TIME).set(held.get::<i64>("person_ms")? as f64 / 1e3);
    set(HELD_TABLES, held.get("tables")?);
    set(HELD_SEATS, held.get("seats")?);
    let sql = "select count(*) as n from order_booking where state = 'booked' and start_at > $1";
    set(BOOKINGS, app.db.one(sql, args![now]).await?.get("n")?);
    // Of whichever node made it, and whether that still runs.
    let made = backup::store::made(&app.db).await?.unwrap_or(0);
    metrics::gauge!(BACKUP_MADE).set(made as f64 / 1e3);
    Ok(())
}

/// The bytes of memory that this process has; none where the system does not tell.
pub(super) fn resident_bytes() -> Option<u64> {
    const PAGE: u64 = 4096;
    // The second field counts resident pages (proc(5)).
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(text.split_whitespace().nth(1)?.parse::<u64>().ok()? * PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_is_there_once_and_is_one_that_prometheus_takes() {
        let names: HashSet<_> = ALL.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names.len(), ALL.len());
        for (name, kind, ..) in ALL {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert_eq!(kind == Type::Counter, name.ends_with("_total"), "{name}");
        }
    }
}
