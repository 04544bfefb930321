//! How to reach the database, and how busy it is.

use std::time::Duration;

/// Which database is behind a [`Db`](super::Db); for metrics, logs and tests, never for a decision in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file on this machine.
    Sqlite,
    /// PostgreSQL, or an engine that speaks its protocol and dialect.
    Postgres,
}

impl Kind {
    /// `sqlite` or `postgres`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// How to reach the database and how much of it to use.
#[derive(Clone)]
pub struct Options {
    /// `sqlite:///absolute/file.db`, `sqlite://./relative/file.db` (folders are made), or `postgres://…`.
    pub url: String,
    /// SQLite: threads that read, each with a connection of its own.
    pub readers: u32,
    /// SQLite: write jobs that may wait; more callers wait for room.
    pub write_queue: usize,
    /// SQLite: how long to wait for another program that writes to the file.
    pub busy_timeout: Duration,
    /// PostgreSQL: connections of this node.
    pub max_connections: u32,
    /// PostgreSQL: how long a caller waits for one of them.
    pub acquire_timeout: Duration,
    /// PostgreSQL: how long a statement may take, except in migrations; zero is for ever.
    pub statement_timeout: Duration,
    /// PostgreSQL: how long a statement waits for a lock, except in migrations; zero is for ever.
    pub lock_timeout: Duration,
    /// PostgreSQL: how long [`Db::open`](super::Db::open) waits for a server that is not up yet.
    pub connect_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, |cores| u32::try_from(cores.get()).unwrap_or(8));
        Self {
            url: String::from("sqlite://./data/xiadan.db"),
            readers: cores.clamp(2, 8),
            write_queue: 4096,
            busy_timeout: Duration::from_secs(5),
            max_connections: 16,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(10),
            connect_wait: Duration::from_secs(60),
        }
    }
}

/// How busy a database is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// SQLite: writes that wait for their turn.
    pub writes_waiting: usize,
    /// PostgreSQL: open connections of this node.
    pub connections: usize,
    /// PostgreSQL: those of them that nobody uses.
    pub idle: usize,
    /// PostgreSQL: how many there may be.
    pub most: usize,
}
