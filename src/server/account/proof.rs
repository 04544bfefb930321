//! Showing anew who is here, before something that whoever finds a browser open must not do: by a code or a passkey that
//! was used a moment ago, or by the password.

use super::{
    attempt::{self, Guarded},
    password, profile,
    session::Session,
};
use crate::{
    args,
    domain::{Error, Result, error::Problem},
    server::{Ctx, db::Db},
};

/// Makes sure of who asks. Answers with the count of failures to be forgotten with what is done then.
///
/// # Errors
/// [`Error::Invalid`] about the field `password`: `Proof` where there is none to show it by, `Required`, `Credentials`;
/// [`Error::TooMany`] after wrong passwords in a row.
pub async fn prove(ctx: &Ctx, session: &Session, typed: String) -> Result<Option<Guarded>> {
    if session.proved(ctx.now) {
        return Ok(None);
    }
    let Some(hash) = password_hash(&ctx.app.db, &session.customer_id).await? else {
        return Err(Error::field("password", Problem::Proof));
    };
    if typed.is_empty() {
        return Err(Error::field("password", Problem::Required));
    }
    let guarded = Guarded::new(&ctx.app.keys, &ctx.asker, &profile::own_password(&session.customer_id));
    let place = password::place()?;
    attempt::begin(&ctx.app, &guarded, ctx.now).await?;
    if place.verify(typed, hash).await? {
        Ok(Some(guarded))
    } else {
        Err(Error::field("password", Problem::Credentials))
    }
}

/// The hash of an account's password, if it has one.
///
/// # Errors
/// When the database cannot be read.
pub async fn password_hash(db: &Db, customer: &str) -> Result<Option<String>> {
    let sql = "select password_hash from account where customer_id = $1";
    Ok(db.one(sql, args![customer]).await?.get("password_hash")?)
}
