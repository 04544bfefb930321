//! Rows as text, the same whichever database they come from: a JSON list of the values of a row on each line. A number with
//! a fraction is a text, in which no digit is lost, and bytes are base64.

use super::BackupError;
use crate::server::{
    crypto::{hex, sha256},
    db::{ColumnType, Value},
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::Value as Json;

/// Adds a row as a line.
///
/// # Errors
/// Never for what comes out of a database.
pub fn write_line(out: &mut Vec<u8>, row: &[Value]) -> Result<(), BackupError> {
    let values: Vec<Json> = row
        .iter()
        .map(|value| match value {
            Value::Text(text) => Json::from(text.as_str()),
            Value::Int(number) => Json::from(*number),
            Value::Real(number) => Json::from(number.to_string()),
            Value::Bool(flag) => Json::from(*flag),
            Value::Bytes(bytes) => Json::from(STANDARD_NO_PAD.encode(bytes)),
            Value::Null(_) => Json::Null,
        })
        .collect();
    serde_json::to_writer(&mut *out, &values).map_err(|error| BackupError::Io(error.into()))?;
    out.push(b'\n');
    Ok(())
}

/// Reads a line as the values of these types.
///
/// # Errors
/// [`BackupError::Damaged`] for anything else.
pub fn read_line(line: &[u8], types: impl ExactSizeIterator<Item = ColumnType>) -> Result<Vec<Value>, BackupError> {
    let damaged = || BackupError::Damaged("a row is not what was written".to_owned());
    let values: Vec<Json> = serde_json::from_slice(line).map_err(|_| damaged())?;
    if values.len() != types.len() {
        return Err(damaged());
    }
    let typed = |(value, kind): (Json, ColumnType)| {
        Some(match (value, kind) {
            (Json::Null, kind) => Value::Null(kind),
            (Json::String(text), ColumnType::Text) => Value::Text(text),
            (Json::Number(number), ColumnType::Int) => Value::Int(number.as_i64()?),
            (Json::String(text), ColumnType::Real) => Value::Real(text.parse().ok()?),
            (Json::Bool(flag), ColumnType::Bool) => Value::Bool(flag),
            (Json::String(text), ColumnType::Bytes) => Value::Bytes(STANDARD_NO_PAD.decode(text).ok()?),
            _ => return None,
        })
    };
    values.into_iter().zip(types).map(typed).collect::<Option<Vec<_>>>().ok_or_else(damaged)
}

/// How many rows a table has, and a sum over them in which their order, which differs between databases, does not count:
/// their SHA-256 as four numbers each, added up modulo 2⁶⁴. It tells whether a copy has the same rows; it is no seal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub rows: u64,
    lanes: [u64; 4],
}

impl Sum {
    /// Adds a row, as [`write_line`] has it.
    pub fn add(&mut self, line: &[u8]) {
        self.rows += 1;
        for (lane, bytes) in self.lanes.iter_mut().zip(sha256(line).chunks_exact(8)) {
            *lane = lane.wrapping_add(bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)));
        }
    }

    /// In hexadecimal.
    pub fn text(&self) -> String {
        self.lanes.iter().map(|lane| hex(&lane.to_be_bytes())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;

    #[test]
    fn a_row_comes_back_as_it_was() -> Result<(), BackupError> {
        let row = args!["下单\n\"'\u{1e}", i64::MIN, 0.1 + 0.2, -0.0, true, vec![0_u8, 255], None::<i64>, ""];
        let types = [
            ColumnType::Text,
            ColumnType::Int,
            ColumnType::Real,
            ColumnType::Real,
            ColumnType::Bool,
            ColumnType::Bytes,
            ColumnType::Int,
            ColumnType::Text,
        ];
        let mut line = Vec::new();
        write_line(&mut line, &row)?;
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let back = read_line(&line, types.into_iter())?;
        assert_eq!(format!("{back:?}"), format!("{row:?}"));
        assert!(read_line(&line, types[1..].iter().copied()).is_err());
        assert!(read_line(b"[1]", [ColumnType::Text].into_iter()).is_err());
        assert!(read_line(b"[1", [ColumnType::Int].into_iter()).is_err());
        Ok(())
    }

    #[test]
    fn a_sum_tells_rows_apart_and_not_their_order() {
        let sum = |rows: &[&[u8]]| {
            let mut sum = Sum::default();
            rows.iter().for_each(|row| sum.add(row));
            sum
        };
        assert_eq!(sum(&[b"a", b"b"]), sum(&[b"b", b"a"]));
        assert_ne!(sum(&[b"a"]), sum(&[b"b"]));
        assert_ne!(sum(&[b"a", b"a"]).text(), sum(&[b"a"]).text());
        assert_eq!(sum(&[b"a"]).text().len(), 64);
    }
}
