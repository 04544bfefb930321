//! What can go wrong with the database, by kind, so that callers decide on meaning and never on text.

use std::fmt;

/// A failed statement, transaction or connection.
///
/// `Display` is for the log: it names constraints, columns and codes, and never a bound value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DbError {
    /// [`one`](super::Db::one) found no row.
    NotFound,
    /// A unique constraint or primary key was violated. The text (a constraint's name on PostgreSQL,
    /// columns on SQLite) is for the log alone: the two databases do not agree on it.
    Unique(String),
    /// A row refers to one that does not exist, or one that is referred to was to be deleted.
    ForeignKey,
    /// A `check` or `not null` constraint was violated.
    Check,
    /// Others were in the way for longer than we are willing to wait (a lock, a conflict that stayed
    /// after all repeats, a statement that took too long). Nothing was written; the same call may succeed in a moment.
    Busy,
    /// The database cannot be reached, has no room left, or the answer to a commit was lost.
    /// In the last case the work may have been done: the caller repeats under its idempotency key.
    Unavailable(String),
    /// The server takes no writes: it was the primary, and another one is by now. Nothing was written; the same call may
    /// succeed on another connection.
    ReadOnly,
    /// A text with a NUL character, which PostgreSQL does not store and SQLite cuts off. Nobody can type one, so
    /// whoever asks for it asks for what is not there.
    Argument,
    /// A column is missing from a result, or its value is not of the type asked for.
    Column {
        /// The name that was asked for.
        name: String,
        /// What is wrong, as the rest of a sentence: "is null".
        problem: &'static str,
    },
    /// [`close`](super::Db::close) was called.
    Closed,
    /// Anything else: wrong SQL, a panic in a job, a corrupt file.
    Other(String),
}

impl DbError {
    /// The [`kind`](Self::kind)s that a database gives rise to.
    pub const KINDS: [&'static str; 9] =
        ["unique", "foreign_key", "check", "busy", "unavailable", "read_only", "column", "closed", "other"];

    /// What it is called in figures.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Unique(_) => "unique",
            Self::ForeignKey => "foreign_key",
            Self::Check => "check",
            Self::Busy => "busy",
            Self::Unavailable(_) => "unavailable",
            Self::ReadOnly => "read_only",
            Self::Argument => "argument",
            Self::Column { .. } => "column",
            Self::Closed => "closed",
            Self::Other(_) => "other",
        }
    }

    /// Whether a transaction that met this error may be run again from its beginning.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::Busy) || self.is_lost()
    }

    /// Whether the connection that met this error is of no more use, and others of the same age may not be either.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::ReadOnly)
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such row"),
            Self::Unique(what) => write!(f, "already exists: {what}"),
            Self::ForeignKey => f.write_str("refers to a row that does not exist, or is still referred to"),
            Self::Check => f.write_str("violates a check or not-null constraint"),
            Self::Busy => f.write_str("the database is busy"),
            Self::Unavailable(why) => write!(f, "the database is unavailable: {why}"),
            Self::ReadOnly => f.write_str("the database server takes no writes: it may be the primary no more"),
            Self::Argument => f.write_str("a text with a NUL character cannot be stored"),
            Self::Column { name, problem } => write!(f, "column {name} {problem}"),
            Self::Closed => f.write_str("the database is closed"),
            Self::Other(why) => write!(f, "database error: {why}"),
        }
    }
}

impl std::error::Error for DbError {}
