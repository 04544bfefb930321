//! Schema migrations: each one once, in order, in a transaction of its own, never changed afterwards.

use std::{
    collections::BTreeSet,
    fmt::Write,
    time::{SystemTime, UNIX_EPOCH},
};

use sha2::{Digest, Sha256};

use super::{Db, DbError, Kind, Tx, tables};
use crate::args;

/// One step of the schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its name, for example the file name; it is never changed and never used again.
    pub name: &'static str,
    /// Its statements. One ends with a `;` at the end of a line.
    pub sql: &'static str,
}

impl Migration {
    /// The checksum under which it is recorded, in hexadecimal.
    pub fn checksum(&self) -> String {
        checksum(self.sql)
    }
}

/// The advisory lock by which nodes that start together take turns ("xiadan" in hexadecimal).
const LOCK: i64 = 0x7869_6164_616e;

pub(super) async fn run(db: &Db, migrations: &[Migration]) -> Result<Vec<&'static str>, DbError> {
    let kind = db.kind();
    let known: Vec<(&'static str, String)> =
        migrations.iter().map(|migration| (migration.name, checksum(migration.sql))).collect();

    let past = known.clone();
    db.write(move |tx| {
        let past = past.clone();
        Box::pin(async move {
            take_turn(tx, kind).await?;
            tx.exec_once(
                "create table if not exists schema_migration (
                    name text not null primary key,
                    checksum text not null,
                    applied_at bigint not null
                )"
                .into(),
            )
            .await?;
            for (name, checksum) in &past {
                is_applied(tx, name, checksum).await?;
            }
            Ok::<_, DbError>(())
        })
    })
    .await?;

    let mut applied = Vec::new();
    for (migration, (name, checksum)) in migrations.iter().copied().zip(known) {
        let fresh = db
            .write(move |tx| {
                let checksum = checksum.clone();
                Box::pin(async move {
                    take_turn(tx, kind).await?;
                    if is_applied(tx, name, &checksum).await? {
                        return Ok::<_, DbError>(false);
                    }
                    for statement in statements(migration.sql) {
                        tx.exec_once(statement.to_owned()).await.map_err(|error| {
                            tracing::error!(migration = name, %error, "a migration failed");
                            error
                        })?;
                    }
                    tx.exec(
                        "insert into schema_migration (name, checksum, applied_at) values ($1, $2, $3)",
                        args![name, &checksum, now()],
                    )
                    .await?;
                    Ok(true)
                })
            })
            .await?;
        if fresh {
            tracing::info!(migration = name, "migration applied");
            applied.push(name);
        }
    }
    Ok(applied)
}

pub(super) async fn pending(db: &Db, migrations: &[Migration]) -> Result<Vec<&'static str>, DbError> {
    let names: Vec<&'static str> = migrations.iter().map(|migration| migration.name).collect();
    let applied = db
        .read(|tx| {
            Box::pin(async move {
                let mut applied = BTreeSet::new();
                if tables::names(tx).await?.contains("schema_migration") {
                    for row in tx.all("select name from schema_migration", args![]).await? {
                        applied.insert(row.get::<String>("name")?);
                    }
                }
                Ok::<_, DbError>(applied)
            })
        })
        .await?;
    Ok(names.into_iter().filter(|name| !applied.contains(*name)).collect())
}

async fn take_turn(tx: &mut Tx<'_>, kind: Kind) -> Result<(), DbError> {
    // SQLite has a single writer per file already.
    if kind == Kind::Postgres {
        // A migration takes as long as it takes, and so does the turn of another node.
        tx.take_all_time().await?;
        tx.all("select pg_advisory_xact_lock($1)", args![LOCK]).await?;
    }
    Ok(())
}

async fn is_applied(tx: &mut Tx<'_>, name: &'static str, checksum: &str) -> Result<bool, DbError> {
    match tx.optional("select checksum from schema_migration where name = $1", args![name]).await? {
        None => Ok(false),
        Some(row) if row.get::<String>("checksum")? == checksum => Ok(true),
        Some(_) => Err(DbError::Other(format!(
            "migration {name} was changed after it had been applied; put it back and add a new migration instead"
        ))),
    }
}

/// The time of the record, in UTC milliseconds.
fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// Line ends do not count, so that a checkout on another system gives the same figure.
fn checksum(sql: &str) -> String {
    let digest = Sha256::digest(sql.replace("\r\n", "\n").as_bytes());
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Cuts a migration into statements, at each `;` that ends a line (a comment may follow) and stands
/// neither in a quoted text nor in a comment.
fn statements(sql: &str) -> Vec<&str> {
    let bytes = sql.as_bytes();
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'\'' | b'"') => at = find(bytes, at + 1, quote),
            b'-' if bytes.get(at + 1) == Some(&b'-') => at = find(bytes, at, b'\n'),
            b';' if ends_line(&sql[at + 1..]) => {
                found.push(&sql[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    found.push(sql.get(start..).unwrap_or_default());
    found.retain(|statement| {
        statement.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with("--"))
    });
    found.into_iter().map(str::trim).collect()
}

fn find(bytes: &[u8], from: usize, wanted: u8) -> usize {
    bytes.iter().skip(from).position(|byte| *byte == wanted).map_or(bytes.len(), |offset| from + offset)
}

fn ends_line(rest: &str) -> bool {
    let line = rest.lines().next().unwrap_or_default().trim_start();
    line.is_empty() || line.starts_with("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_at_a_semicolon_that_ends_a_line() {
        let sql = "-- the first; not the last;\n\
            create table a (x text default 'it''s; \n;', y bigint); -- done\n\
            \n\
            create index b on a (y) ;\r\n\
            insert into a values (';', 1); insert into a values ('2', 2);\n\
            -- nothing here\n";
        assert_eq!(
            statements(sql),
            [
                "-- the first; not the last;\ncreate table a (x text default 'it''s; \n;', y bigint)",
                "-- done\n\ncreate index b on a (y)",
                "insert into a values (';', 1); insert into a values ('2', 2)",
            ]
        );
        assert_eq!(statements("select 1"), ["select 1"]);
        assert!(statements(" \n-- only a word\n").is_empty());
    }

    #[test]
    fn line_ends_do_not_change_a_checksum() {
        assert_eq!(checksum("a\r\nb"), checksum("a\nb"));
        assert_ne!(checksum("a"), checksum("b"));
    }
}
