//! The settings by which nodes agree on who makes the next backup, and by which each of them knows of the last one.

use crate::{
    args,
    domain::{Error, Result},
    server::db::Db,
};

/// The setting that holds when the last backup was begun, in UTC milliseconds; one that is not made yet moves it as well.
const BEGUN: &str = "backup";
/// The setting that holds when the last one was begun that was made, in UTC milliseconds.
const MADE: &str = "backup_made";

/// When the last one was begun, as it is stored; `0` where none was.
pub(super) async fn begun(db: &Db) -> Result<String> {
    Ok(get(db, BEGUN).await?.unwrap_or_else(|| "0".to_owned()))
}

/// When the last one was begun that was made, in UTC milliseconds; none where none was.
///
/// # Errors
/// When the database cannot be read.
pub async fn made(db: &Db) -> Result<Option<i64>> {
    Ok(get(db, MADE).await?.and_then(|text| text.parse().ok()))
}

async fn get(db: &Db, key: &'static str) -> Result<Option<String>> {
    let row = db.optional("select value from setting where key = $1", args![key]).await?;
    Ok(row.map(|row| row.get("value")).transpose()?)
}

/// Moves the time of the last one on from what it was; false where somebody else moved it meanwhile. With `made` the
/// backup that was begun then is there, whoever moved that.
pub(super) async fn move_on(db: &Db, from: String, to: i64, made: bool) -> Result<bool> {
    db.write::<_, Error>(move |tx| {
        let (from, to) = (from.clone(), to.to_string());
        Box::pin(async move {
            if made {
                let sql = "insert into setting (key, value) values ($1, $2)
                    on conflict (key) do update set value = excluded.value";
                tx.exec(sql, args![MADE, &to]).await?;
            }
            let sql = "insert into setting (key, value) values ($1, '0') on conflict (key) do nothing";
            tx.exec(sql, args![BEGUN]).await?;
            let sql = "update setting set value = $3 where key = $1 and value = $2";
            Ok(tx.exec(sql, args![BEGUN, from, to]).await? == 1)
        })
    })
    .await
}
