//! Running one statement on a connection of PostgreSQL, and reading what it answers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{
    Arguments, AssertSqlSafe, Column, Executor, PgConnection, Row as _, TypeInfo, ValueRef,
    postgres::{PgArguments, PgRow},
};

use super::{answered, failure::from_sqlx};
use crate::server::db::{Args, ColumnType, DbError, Kind, Row, Sql, Value, note_statement};

pub(in crate::server::db) async fn exec(
    connection: &mut PgConnection,
    sql: Sql,
    args: Args,
    persistent: bool,
    limit: Option<Duration>,
) -> Result<u64, DbError> {
    let started = Instant::now();
    let query = sqlx::query_with(AssertSqlSafe(sql.clone()), bind(args)?).persistent(persistent);
    let result = answered(limit, connection.execute(query)).await;
    note_statement(&sql, Kind::Postgres, started, result.as_ref().err());
    result.map(|done| done.rows_affected())
}

pub(in crate::server::db) async fn all(
    connection: &mut PgConnection,
    sql: Sql,
    args: Args,
    limit: Option<Duration>,
) -> Result<Vec<Row>, DbError> {
    let started = Instant::now();
    let query = sqlx::query_with(AssertSqlSafe(sql.clone()), bind(args)?);
    let result = answered(limit, connection.fetch_all(query)).await;
    note_statement(&sql, Kind::Postgres, started, result.as_ref().err());
    let rows = result?;

    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let names: Arc<[Box<str>]> = first.columns().iter().map(|column| column.name().into()).collect();
    rows.iter().map(|row| Ok(Row::new(names.clone(), values(row)?))).collect()
}

fn bind(args: Args) -> Result<PgArguments, DbError> {
    let mut bound = PgArguments::default();
    bound.reserve(args.len(), args.len() * 16);
    for value in args {
        match value {
            Value::Text(text) => bound.add(text),
            Value::Int(number) => bound.add(number),
            Value::Real(number) => bound.add(number),
            Value::Bool(flag) => bound.add(flag),
            Value::Bytes(bytes) => bound.add(bytes),
            Value::Null(ColumnType::Text) => bound.add(None::<String>),
            Value::Null(ColumnType::Int) => bound.add(None::<i64>),
            Value::Null(ColumnType::Real) => bound.add(None::<f64>),
            Value::Null(ColumnType::Bool) => bound.add(None::<bool>),
            Value::Null(ColumnType::Bytes) => bound.add(None::<Vec<u8>>),
        }
        .map_err(|_| DbError::Other("an argument could not be encoded".into()))?;
    }
    Ok(bound)
}

fn values(row: &PgRow) -> Result<Vec<Value>, DbError> {
    (0..row.columns().len()).map(|index| value(row, index)).collect()
}

fn value(row: &PgRow, index: usize) -> Result<Value, DbError> {
    let raw = row.try_get_raw(index).map_err(|error| from_sqlx(&error))?;
    let kind = raw.type_info();
    let column = |problem| DbError::Column {
        name: row.columns().get(index).map_or_else(String::new, |column| column.name().to_owned()),
        problem,
    };
    macro_rules! decode {
        ($source:ty, $kind:ident, $convert:expr) => {
            match row.try_get::<Option<$source>, _>(index) {
                Ok(Some(value)) => Ok(Value::$kind($convert(value))),
                Ok(None) => Ok(Value::Null(ColumnType::$kind)),
                Err(_) => Err(column("could not be decoded")),
            }
        };
    }
    match kind.name() {
        "INT8" => decode!(i64, Int, |number| number),
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" => decode!(String, Text, |text| text),
        "BOOL" => decode!(bool, Bool, |flag| flag),
        "FLOAT8" => decode!(f64, Real, |number| number),
        "BYTEA" => decode!(Vec<u8>, Bytes, |bytes| bytes),
        "INT4" => decode!(i32, Int, i64::from),
        "INT2" => decode!(i16, Int, i64::from),
        "VOID" => Ok(Value::Null(ColumnType::Text)),
        _ => Err(column("is not text, bigint, double precision, boolean or bytea; cast it in the statement")),
    }
}
