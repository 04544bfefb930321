//! Single statements on one connection.

use std::{sync::Arc, time::Instant};

use rusqlite::{
    Connection, Error, ErrorCode, Statement, ffi,
    types::{Null, ValueRef},
};

use crate::server::db::{Args, ColumnType, DbError, Kind, Row, Value, note_statement};

/// A statement of our own without arguments: begin, savepoint, commit.
pub(super) fn run(connection: &Connection, sql: &str) -> Result<(), DbError> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.raw_execute()).map(drop).map_err(|e| running(&e))
}

pub(in crate::server::db) fn exec(connection: &Connection, sql: &str, args: &Args) -> Result<u64, DbError> {
    noted(sql, || {
        let mut statement = connection.prepare_cached(sql).map_err(|error| preparing(&error))?;
        step_through(connection, &mut statement, args)
    })
}

pub(in crate::server::db) fn exec_once(connection: &Connection, sql: &str) -> Result<u64, DbError> {
    noted(sql, || {
        let mut statement = connection.prepare(sql).map_err(|error| preparing(&error))?;
        step_through(connection, &mut statement, &Args::new())
    })
}

pub(in crate::server::db) fn all(connection: &Connection, sql: &str, args: &Args) -> Result<Vec<Row>, DbError> {
    noted(sql, || rows(connection, sql, args))
}

/// Runs a statement and tells of it.
fn noted<T>(sql: &str, run: impl FnOnce() -> Result<T, DbError>) -> Result<T, DbError> {
    let started = Instant::now();
    let result = run();
    note_statement(sql, Kind::Sqlite, started, result.as_ref().err());
    result
}

fn step_through(connection: &Connection, statement: &mut Statement<'_>, args: &Args) -> Result<u64, DbError> {
    let before = connection.total_changes();
    bind(statement, args)?;
    let mut rows = statement.raw_query();
    while rows.next().map_err(|error| running(&error))?.is_some() {}
    // `changes` keeps its figure across statements that change nothing, such as `create table`.
    Ok(if connection.total_changes() == before { 0 } else { connection.changes() })
}

fn rows(connection: &Connection, sql: &str, args: &Args) -> Result<Vec<Row>, DbError> {
    let mut statement = connection.prepare_cached(sql).map_err(|error| preparing(&error))?;
    bind(&mut statement, args)?;
    let mut names: Option<Arc<[Box<str>]>> = None;
    let mut found = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|error| running(&error))? {
        // Read after the first step: only then is a statement prepared before a migration up to date.
        let names = names.get_or_insert_with(|| row.as_ref().column_names().into_iter().map(Box::from).collect());
        let mut values = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            values.push(match row.get_ref(index).map_err(|error| running(&error))? {
                ValueRef::Null => Value::Null(ColumnType::Text),
                ValueRef::Integer(number) => Value::Int(number),
                ValueRef::Real(number) => Value::Real(number),
                ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
                ValueRef::Text(text) => match std::str::from_utf8(text) {
                    Ok(text) => Value::Text(text.to_owned()),
                    Err(_) => {
                        return Err(DbError::Column { name: name.to_string(), problem: "is not UTF-8" });
                    }
                },
            });
        }
        found.push(Row::new(names.clone(), values));
    }
    Ok(found)
}

/// To SQLite `$2` is a name and its position is that of its first use, so arguments go by name.
fn bind(statement: &mut Statement<'_>, args: &Args) -> Result<(), DbError> {
    let count = statement.parameter_count();
    if count != args.len() {
        return Err(DbError::Other(format!("{count} placeholders, but {} arguments", args.len())));
    }
    for position in 1..=count {
        let value = statement
            .parameter_name(position)
            .and_then(|name| name.strip_prefix('$'))
            .and_then(|number| number.parse::<usize>().ok())
            .and_then(|number| args.get(number.checked_sub(1)?))
            .ok_or_else(|| DbError::Other("placeholders are $1, $2, … without gaps".into()))?;
        match value {
            Value::Text(text) => statement.raw_bind_parameter(position, text),
            Value::Int(number) => statement.raw_bind_parameter(position, number),
            Value::Real(number) => statement.raw_bind_parameter(position, number),
            Value::Bool(flag) => statement.raw_bind_parameter(position, flag),
            Value::Bytes(bytes) => statement.raw_bind_parameter(position, bytes),
            Value::Null(_) => statement.raw_bind_parameter(position, Null),
        }
        .map_err(|error| running(&error))?;
    }
    Ok(())
}

/// An error in the text of a statement: it speaks of names and never of values.
fn preparing(error: &Error) -> DbError {
    match error {
        Error::SqlInputError { msg, .. } => DbError::Other(msg.clone()),
        Error::SqliteFailure(failure, Some(text)) if failure.code == ErrorCode::Unknown => DbError::Other(text.clone()),
        Error::MultipleStatement => DbError::Other("more than one statement in a text".into()),
        error => running(error),
    }
}

/// An error of a running statement, whose text may quote what was bound.
pub(super) fn running(error: &Error) -> DbError {
    let (failure, text) = match error {
        Error::SqliteFailure(failure, text) => (failure, text.as_deref().unwrap_or_default()),
        Error::SqlInputError { error, .. } => (error, ""),
        _ => return DbError::Other("an argument or an answer could not be converted".into()),
    };
    match failure.code {
        ErrorCode::ConstraintViolation => match failure.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
                DbError::Unique(text.strip_prefix("UNIQUE constraint failed: ").unwrap_or_default().to_owned())
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => DbError::ForeignKey,
            ffi::SQLITE_CONSTRAINT_CHECK | ffi::SQLITE_CONSTRAINT_NOTNULL => DbError::Check,
            code => DbError::Other(format!("SQLite constraint, code {code}")),
        },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => DbError::Busy,
        ErrorCode::SystemIoFailure
        | ErrorCode::DiskFull
        | ErrorCode::CannotOpen
        | ErrorCode::OutOfMemory
        | ErrorCode::PermissionDenied => DbError::Unavailable(describe(failure)),
        _ => DbError::Other(describe(failure)),
    }
}

fn describe(failure: &ffi::Error) -> String {
    let code = failure.extended_code;
    format!("{} (SQLite code {code})", ffi::code_to_str(code))
}
