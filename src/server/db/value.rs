//! Values on their way into a statement and out of a row: five types, the same on both databases.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use super::DbError;

/// The arguments of one statement, in the order of `$1`, `$2`, …; made by [`args!`](crate::args).
pub type Args = Vec<Value>;

/// One value bound to a placeholder or found in a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `text`
    Text(String),
    /// `bigint`
    Int(i64),
    /// `double precision`
    Real(f64),
    /// `boolean`; SQLite keeps it as 0 or 1
    Bool(bool),
    /// `bytea`
    Bytes(Vec<u8>),
    /// A null; its type matters to PostgreSQL
    Null(ColumnType),
}

/// The column types of our SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// `text`
    Text,
    /// `bigint`
    Int,
    /// `double precision`
    Real,
    /// `boolean`
    Bool,
    /// `bytea`
    Bytes,
}

/// What can be written in [`args!`](crate::args).
///
/// Integers are `i64` and nothing else, so that a literal needs no suffix and no value is cut short.
pub trait ToValue {
    /// The value to bind.
    fn to_value(self) -> Value;
}

/// A [`ToValue`] whose type is known even when it is absent, so that `Option` of it can be bound.
pub trait Scalar: ToValue {
    /// The type of the null that stands for `None`.
    const TYPE: ColumnType;
}

macro_rules! scalar {
    ($($kind:ident: $source:ty, $value:ident => $convert:expr;)*) => {$(
        impl ToValue for $source {
            fn to_value(self) -> Value {
                let $value = self;
                Value::$kind($convert)
            }
        }
        impl Scalar for $source {
            const TYPE: ColumnType = ColumnType::$kind;
        }
    )*};
}

scalar! {
    Text: String, text => text;
    Text: &String, text => text.clone();
    Text: &str, text => text.to_owned();
    Text: &&str, text => (*text).to_owned();
    Text: Cow<'_, str>, text => text.into_owned();
    Text: Arc<str>, text => text.as_ref().to_owned();
    Text: &Arc<str>, text => text.as_ref().to_owned();
    Int: i64, number => number;
    Int: &i64, number => *number;
    Real: f64, number => number;
    Real: &f64, number => *number;
    Bool: bool, flag => flag;
    Bool: &bool, flag => *flag;
    Bytes: Vec<u8>, bytes => bytes;
    Bytes: &Vec<u8>, bytes => bytes.clone();
    Bytes: &[u8], bytes => bytes.to_vec();
}

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

impl<const N: usize> Scalar for [u8; N] {
    const TYPE: ColumnType = ColumnType::Bytes;
}

impl<const N: usize> ToValue for &[u8; N] {
    fn to_value(self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

impl<const N: usize> Scalar for &[u8; N] {
    const TYPE: ColumnType = ColumnType::Bytes;
}

impl ToValue for Value {
    fn to_value(self) -> Value {
        self
    }
}

impl<T: Scalar> ToValue for Option<T> {
    fn to_value(self) -> Value {
        self.map_or(Value::Null(T::TYPE), T::to_value)
    }
}

impl<'a, T> ToValue for &'a Option<T>
where
    &'a T: Scalar,
{
    fn to_value(self) -> Value {
        self.as_ref().to_value()
    }
}

/// The arguments of one statement: `args![id, name, None::<i64>]` gives [`Args`](crate::server::db::Args).
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => {{
        let args: $crate::server::db::Args = ::std::vec![$($crate::server::db::ToValue::to_value($value)),*];
        args
    }};
}

/// Refuses what one of the databases cannot store.
pub(super) fn check(args: &Args) -> Result<(), DbError> {
    let nul = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
    if args.iter().any(nul) { Err(DbError::Argument) } else { Ok(()) }
}

/// `$3, $4, $5` for `placeholders(3, 3)`: the list inside `in (…)` or `values (…)`.
pub fn placeholders(start: usize, count: usize) -> String {
    let mut list = String::with_capacity(count * 5);
    for number in start..start + count {
        if number > start {
            list.push_str(", ");
        }
        list.push('$');
        list.push_str(&number.to_string());
    }
    list
}

/// Lists of placeholders like `($1, $2)` for `in` with their arguments: keys of any number, in few sizes so that the
/// statements are prepared once.
pub fn lists(keys: &[String]) -> impl Iterator<Item = (String, Args)> {
    keys.chunks(256).map(|chunk| {
        let size = [1, 8, 64].into_iter().find(|size| chunk.len() <= *size).unwrap_or(256);
        let mut args: Args = chunk.iter().map(|key| Value::Text(key.clone())).collect();
        // A key that is there twice finds the same rows once.
        args.resize(size, Value::Text(chunk.first().cloned().unwrap_or_default()));
        (format!("({})", placeholders(1, size)), args)
    })
}

/// One row of a result, complete and independent of its connection.
#[derive(Debug, Clone)]
pub struct Row {
    names: Arc<[Box<str>]>,
    values: Vec<Value>,
}

impl Row {
    pub(super) fn new(names: Arc<[Box<str>]>, values: Vec<Value>) -> Self {
        Self { names, values }
    }

    /// The column of this name, as `T`.
    ///
    /// # Errors
    /// [`DbError::Column`] where there is no such column, where it holds another type, and where it
    /// is null and `T` is not an `Option`.
    pub fn get<T: FromColumn>(&self, name: &str) -> Result<T, DbError> {
        let problem = |problem| DbError::Column { name: name.to_owned(), problem };
        let value = self
            .names
            .iter()
            .position(|candidate| &**candidate == name)
            .and_then(|index| self.values.get(index))
            .ok_or_else(|| problem("is not in the result"))?;
        T::from_column(value).map_err(problem)
    }

    /// The values, in the order of the columns.
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// The names of the columns, in their order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }
}

/// A type that [`Row::get`] can give.
pub trait FromColumn: Sized {
    /// Reads the value, or says what is wrong with it as the rest of a sentence.
    ///
    /// # Errors
    /// A null, or a value of another type.
    fn from_column(value: &Value) -> Result<Self, &'static str>;
}

macro_rules! from_column {
    ($($target:ty, $otherwise:literal, { $($pattern:pat => $result:expr),* };)*) => {$(
        impl FromColumn for $target {
            fn from_column(value: &Value) -> Result<Self, &'static str> {
                match value {
                    $($pattern => Ok($result),)*
                    Value::Null(_) => Err("is null"),
                    _ => Err($otherwise),
                }
            }
        }
    )*};
}

from_column! {
    String, "is not text", { Value::Text(text) => text.clone() };
    i64, "is not a bigint", { Value::Int(number) => *number };
    f64, "is not double precision", { Value::Real(number) => *number };
    bool, "is not a boolean", { Value::Bool(flag) => *flag, Value::Int(0) => false, Value::Int(1) => true };
    Vec<u8>, "is not bytea", { Value::Bytes(bytes) => bytes.clone() };
}

impl<T: FromColumn> FromColumn for Option<T> {
    fn from_column(value: &Value) -> Result<Self, &'static str> {
        match value {
            Value::Null(_) => Ok(None),
            value => T::from_column(value).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_from_the_start() {
        assert_eq!(placeholders(3, 3), "$3, $4, $5");
        assert_eq!(placeholders(1, 0), "");
    }

    #[test]
    fn every_source_becomes_its_type_even_when_absent() {
        let owned = Some(String::from("a"));
        assert_eq!(
            args![
                "a",
                String::from("b"),
                &owned,
                None::<String>,
                1,
                Some(2),
                None::<i64>,
                true,
                0.5,
                vec![7_u8],
                None::<Vec<u8>>
            ],
            vec![
                Value::Text("a".into()),
                Value::Text("b".into()),
                Value::Text("a".into()),
                Value::Null(ColumnType::Text),
                Value::Int(1),
                Value::Int(2),
                Value::Null(ColumnType::Int),
                Value::Bool(true),
                Value::Real(0.5),
                Value::Bytes(vec![7]),
                Value::Null(ColumnType::Bytes),
            ]
        );
        assert!(args![].is_empty());
    }
}
