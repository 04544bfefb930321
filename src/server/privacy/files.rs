//! The files of a copy: each table once for programs (JSON) and once for people with a spreadsheet (CSV, RFC 4180).

use super::zip::{DosTime, Zip};
use crate::{
    domain::{Locale, Result, texts::privacy as t},
    server::context::internal,
};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value};

/// Rows of one kind.
pub struct Table {
    /// The name of its files.
    pub name: &'static str,
    pub columns: &'static [&'static str],
    pub rows: Vec<Vec<Value>>,
}

/// Packs tables, with a word on what they are.
///
/// # Errors
/// When they are too large for one file.
pub fn pack(tables: &[Table], locale: Locale, now: i64) -> Result<Vec<u8>> {
    let at = dos_time(now)?;
    let mut zip = Zip::default();
    let mut add = |name: String, content: &[u8]| zip.add(&name, content, at).map_err(|e| internal("zip", &e));
    add(
        "README.txt".to_owned(),
        format!("{}\n\n{}\n", locale.f(t::FILE_TEXT, &[("time", &iso(now))]), locale.t(t::FILE_KINDS)).as_bytes(),
    )?;
    for table in tables {
        let json = serde_json::to_vec_pretty(&objects(table)).map_err(|e| internal("zip", &e))?;
        add(format!("json/{}.json", table.name), &json)?;
        add(format!("csv/{}.csv", table.name), csv(table).as_bytes())?;
    }
    zip.finish().map_err(|e| internal("zip", &e))
}

/// A time as files have it: `2026-11-26T06:05:58.123Z`; takes UTC milliseconds.
pub fn iso(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map(|time| time.to_string()).unwrap_or_default()
}

fn dos_time(now: i64) -> Result<DosTime> {
    let time = Timestamp::from_millisecond(now).map_err(|e| internal("clock", &e))?;
    let zone = TimeZone::get("Asia/Shanghai").map_err(|e| internal("time zone", &e))?;
    let time = time.to_zoned(zone).datetime();
    Ok(DosTime::new((time.year(), time.month(), time.day()), (time.hour(), time.minute(), time.second())))
}

fn objects(table: &Table) -> Vec<Map<String, Value>> {
    let object = |row: &Vec<Value>| table.columns.iter().map(|name| (*name).to_owned()).zip(row.clone()).collect();
    table.rows.iter().map(object).collect()
}

/// With a byte order mark: without it spreadsheets take UTF-8 for something else.
fn csv(table: &Table) -> String {
    let mut text = String::from("\u{feff}");
    let mut line = |fields: Vec<String>| {
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    };
    line(table.columns.iter().map(|name| (*name).to_owned()).collect());
    for row in &table.rows {
        line(row.iter().map(field).collect());
    }
    text
}

fn field(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let rows = vec![vec![json!("科技园, 1 号\n\"左\""), json!(5)], vec![json!(null), json!(true)]];
        let table = Table { name: "x", columns: &["a", "b"], rows };
        assert_eq!(csv(&table), "\u{feff}a,b\r\n\"科技园, 1 号\n\"\"左\"\"\",5\r\n,true\r\n");
        let json = serde_json::to_value(objects(&table)).unwrap_or_default();
        assert_eq!(json[0]["a"], "科技园, 1 号\n\"左\"");
        assert_eq!(json[1], json!({"a": null, "b": true}));
    }

    #[test]
    fn times_are_in_utc() {
        assert_eq!(iso(1_795_413_900_123), "2026-11-23T06:05:00.123Z");
    }
}
