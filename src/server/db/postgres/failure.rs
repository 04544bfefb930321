//! What an error of PostgreSQL, or on the way to it, means.

use crate::server::db::DbError;

pub(in crate::server::db) fn from_sqlx(error: &sqlx::Error) -> DbError {
    match error {
        sqlx::Error::Database(error) => from_server(error.as_ref()),
        sqlx::Error::PoolTimedOut => DbError::Unavailable("no free connection in time".into()),
        sqlx::Error::PoolClosed => DbError::Closed,
        sqlx::Error::RowNotFound => DbError::NotFound,
        sqlx::Error::Io(error) => DbError::Unavailable(error.to_string()),
        sqlx::Error::Tls(error) => DbError::Unavailable(format!("TLS (?sslmode= in the URL decides on it): {error}")),
        sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed | sqlx::Error::BeginFailed => {
            DbError::Unavailable("the connection is in a bad state".into())
        }
        sqlx::Error::Configuration(_) => DbError::Other("the PostgreSQL URL or its files cannot be used".into()),
        _ => DbError::Other("the answer of the database was not understood".into()),
    }
}

fn from_server(error: &dyn sqlx::error::DatabaseError) -> DbError {
    by_code(&error.code().unwrap_or_default(), error.message(), error.constraint())
}

/// What the SQLSTATE of an error means.
fn by_code(code: &str, message: &str, constraint: Option<&str>) -> DbError {
    match code {
        "23505" | "23P01" => DbError::Unique(constraint.unwrap_or_default().to_owned()),
        "23503" => DbError::ForeignKey,
        "23514" | "23502" => DbError::Check,
        // The last two: a lock or the statement took longer than its limit.
        "40001" | "40P01" | "55P03" | "57014" => DbError::Busy,
        // A plan that was cached before a migration; a fresh connection has none.
        "0A000" if message.contains("cached plan") => DbError::Unavailable("stale plan".into()),
        "40003" => DbError::Unavailable("the outcome of the transaction is unknown".into()),
        "25006" => DbError::ReadOnly,
        // Wrong SQL, rights, transaction state, limits, the server itself: these texts speak of names
        // and never of values.
        code => match code.get(..2).unwrap_or_default() {
            "08" | "53" | "57" => DbError::Unavailable(format!("{message} ({code})")),
            "0A" | "25" | "26" | "28" | "3D" | "42" | "58" | "XX" => DbError::Other(format!("{message} ({code})")),
            _ => DbError::Other(format!("PostgreSQL error {code}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_takes_no_writes_is_left_as_one_that_is_gone_and_wrong_sql_is_not_tried_again() {
        // SQLSTATE; whether a transaction is begun again, and whether its connection is given up.
        for (code, again, lost) in [
            ("25006", true, true),
            ("57P01", true, true),
            ("53300", true, true),
            ("08006", true, true),
            ("40003", true, true),
            ("40001", true, false),
            ("55P03", true, false),
            ("57014", true, false),
            ("25001", false, false),
            ("25P02", false, false),
            ("23505", false, false),
            ("42P01", false, false),
        ] {
            let error = by_code(code, "cannot execute UPDATE in a read-only transaction", None);
            assert_eq!((error.is_transient(), error.is_lost()), (again, lost), "{code}: {error:?}");
        }
    }
}
