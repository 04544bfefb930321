//! Somebody with an account, without the way in over HTTP.
#![allow(dead_code, reason = "each test takes what it needs")]

use super::shop::customer;
use xiadan::{
    args,
    domain::{Error, account::Target},
    server::{
        App, Ctx,
        account::{code, consent, profile, session::Session},
        context::new_id,
        crypto,
        db::{DbError, Kind, Row},
        message,
    },
};

/// A customer with an account, who signed in with a code.
pub struct Member {
    pub ctx: Ctx,
    pub id: String,
    /// The cookie of the session.
    pub cookie: String,
}

/// Makes an account that is reached by a phone.
pub async fn member(app: &App, phone: &str) -> Member {
    let ctx = customer(app).await;
    let id = ctx.customer.clone().unwrap();
    let target = Target::Phone(phone.to_owned());
    let (hash, sealed) = (code::hash_of(&app.keys, &target), profile::seal_target(&app.keys, &id, &target).unwrap());
    let (row, now) = (id.clone(), ctx.now);
    app.db
        .write::<_, Error>(move |tx| {
            let (id, hash, sealed) = (row.clone(), hash.clone(), sealed.clone());
            Box::pin(async move {
                tx.exec("insert into account (customer_id, created_at) values ($1, $2)", args![&id, now]).await?;
                profile::set_target(tx, &id, ("phone", &hash, &sealed), now).await?;
                consent::agree(tx, &id, now).await
            })
        })
        .await
        .unwrap();
    enter(&Member { ctx, id, cookie: String::new() }, true).await
}

/// Lets a person be reached by e-mail too.
pub async fn reached_by(member: &Member, email: &str) {
    let (app, id, now) = (&member.ctx.app, member.id.clone(), member.ctx.now);
    let target = Target::Email(email.to_owned());
    let (hash, sealed) = (code::hash_of(&app.keys, &target), profile::seal_target(&app.keys, &id, &target).unwrap());
    app.db
        .write::<_, Error>(move |tx| {
            let (id, hash, sealed) = (id.clone(), hash.clone(), sealed.clone());
            Box::pin(async move { profile::set_target(tx, &id, ("email", &hash, &sealed), now).await })
        })
        .await
        .unwrap();
}

/// To whom messages wait in the outbox and what they say, the oldest first.
pub async fn posted(app: &App) -> Vec<(String, String)> {
    let sql = "select payload from outbox where kind = $1 order by id";
    let rows = app.db.all(sql, args![message::KIND]).await.unwrap();
    let open = |row: &Row| message::open(app, &row.get::<String>("payload").unwrap()).unwrap();
    rows.iter().map(open).map(|message| (message.to.value().to_owned(), message.text())).collect()
}

/// The same person after signing in, with a code or with a password.
pub async fn enter(member: &Member, by_code: bool) -> Member {
    let (app, now, id) = (&member.ctx.app, member.ctx.now, member.id.clone());
    let (session, token) = (new_id(), crypto::token().unwrap());
    let (row, hash) = (session.clone(), app.keys.lookup("session", &token));
    app.db
        .write::<_, DbError>(move |tx| {
            let (session, hash, id) = (row.clone(), hash.clone(), id.clone());
            Box::pin(async move {
                let sql =
                    "insert into session (id, token_hash, customer_id, device, by_code, opened_at, seen_at, expires_at)
                    values ($1, $2, $3, 'Chrome · Android', $4, $5, $5, $6)";
                tx.exec(sql, args![session, hash, id, by_code, now, now + 86_400_000]).await
            })
        })
        .await
        .unwrap();
    let session = Session { id: session, customer_id: member.id.clone(), by_code, opened_at: now };
    let ctx = Ctx { session: Some(session), ..member.ctx.clone() };
    Member { ctx, id: member.id.clone(), cookie: format!("xiadan_session={token}") }
}

/// Runs a statement that takes nothing.
pub async fn exec(app: &App, sql: &'static str) {
    app.db.write::<_, DbError>(move |tx| Box::pin(async move { tx.exec(sql, args![]).await })).await.unwrap();
}

/// A number that a statement names `n`.
pub async fn number(app: &App, sql: &'static str) -> i64 {
    app.db.one(sql, args![]).await.unwrap().get("n").unwrap()
}

/// Table and name of every column of the database.
pub async fn columns(app: &App) -> Vec<(String, String)> {
    let sql = match app.db.kind() {
        Kind::Sqlite => {
            "select m.name as t, p.name as c from sqlite_master m join pragma_table_info(m.name) p where m.type = 'table'"
        }
        Kind::Postgres => {
            "select cast(table_name as text) as t, cast(column_name as text) as c from information_schema.columns
            where table_schema = current_schema()"
        }
    };
    let rows = app.db.all(sql, args![]).await.unwrap();
    rows.iter().map(|row| (row.get("t").unwrap(), row.get("c").unwrap())).collect()
}

/// Every row of every table as text, with its table; bytes as far as they are text.
pub async fn dump(app: &App) -> Vec<(String, String)> {
    let mut tables: Vec<_> = columns(app).await.into_iter().map(|(table, _)| table).collect();
    tables.sort();
    tables.dedup();
    let mut rows = Vec::new();
    for table in tables {
        let found = app.db.all(format!("select * from {table}"), args![]).await.unwrap();
        rows.extend(found.iter().map(|row| {
            let bytes = row.columns().filter_map(|column| row.get::<Vec<u8>>(column).ok());
            let bytes: String = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
            (table.clone(), format!("{row:?} {bytes}"))
        }));
    }
    rows
}
