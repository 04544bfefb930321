//! Registrations and sign-ins with passkeys that wait for the browser (WebAuthn level 2 §7): what was asked is kept until
//! the answer comes, for one answer and five minutes.
//!
//! It is kept in the database and not in the browser or in memory: an answer may come to another node or after a restart,
//! and one that was given must never be taken again.

use crate::{
    args,
    domain::{Error, Result, error::Problem, passkey::CEREMONY_MS, texts::shell},
    server::{Ctx, config::Config, context::internal, crypto, db::Tx},
};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;
use webauthn_rs::{Webauthn, WebauthnBuilder};

/// The side of this shop in a ceremony.
///
/// # Errors
/// [`Error::Invalid`] with `PasskeyPlace` where browsers allow no passkeys, see [`Config::passkeys_at`].
pub fn party(ctx: &Ctx) -> Result<Webauthn> {
    let Some(origin) = Config::passkeys_at(&ctx.app.config.public_url) else { return Err(nowhere()) };
    let Some(host) = origin.domain() else { return Err(nowhere()) };
    let wait = Duration::from_millis(CEREMONY_MS.unsigned_abs());
    let built = WebauthnBuilder::new(host, &origin)
        .and_then(|builder| builder.rp_name(ctx.locale.t(shell::NAME)).timeout(wait).build());
    built.map_err(|error| internal("passkeys", &error))
}

fn nowhere() -> Error {
    Error::field("passkey", Problem::PasskeyPlace)
}

/// Keeps what is needed to examine the answer; the id that names it. A registration is the customer's alone.
///
/// # Errors
/// When it cannot be sealed or written.
pub async fn keep(ctx: &Ctx, customer: Option<&str>, state: &impl Serialize) -> Result<String> {
    let id = crypto::token().map_err(|e| internal("random source", &e))?;
    let plain = serde_json::to_vec(state).map_err(|e| internal("passkeys", &e))?;
    let sealed = ctx.app.keys.seal(&plain, &place(&id)).map_err(|e| internal("crypto", &e))?;
    let (row, customer, now) = (id.clone(), customer.map(str::to_owned), ctx.now);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (id, customer, sealed) = (row.clone(), customer.clone(), sealed.clone());
            Box::pin(async move {
                let sql = "insert into passkey_ceremony (id, customer_id, state_sealed, expires_at)
                    values ($1, $2, $3, $4)";
                tx.exec(sql, args![id, customer, sealed, now + CEREMONY_MS]).await?;
                Ok(())
            })
        })
        .await?;
    Ok(id)
}

/// Takes what was kept, for good: whatever comes of the answer, there is no second one.
///
/// # Errors
/// [`Error::Invalid`] with `PasskeyOver` for what is too old, was taken before, never was, is somebody else's, or is the
/// question of another kind of ceremony.
pub async fn take<S: DeserializeOwned>(ctx: &Ctx, customer: Option<&str>, id: &str) -> Result<S> {
    let (row, customer, now) = (id.to_owned(), customer.unwrap_or_default().to_owned(), ctx.now);
    let sealed = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (id, customer) = (row.clone(), customer.clone());
            Box::pin(async move {
                let sql = "delete from passkey_ceremony
                    where id = $1 and coalesce(customer_id, '') = $2 and expires_at > $3 returning state_sealed";
                let row = tx.optional(sql, args![id, customer, now]).await?;
                Ok(row.map(|row| row.get::<Vec<u8>>("state_sealed")).transpose()?)
            })
        })
        .await?;
    let over = || Error::field("passkey", Problem::PasskeyOver);
    let plain = ctx.app.keys.open(&sealed.ok_or_else(over)?, &place(id)).map_err(|e| internal("crypto", &e))?;
    // Nobody else can have written it: what reads as something else is something else.
    serde_json::from_slice(&plain).map_err(|_| over())
}

/// Removes those whose time is over.
///
/// # Errors
/// When the database cannot be written.
pub async fn sweep(tx: &mut Tx<'_>, now: i64) -> Result<()> {
    tx.exec("delete from passkey_ceremony where expires_at <= $1", args![now]).await?;
    Ok(())
}

fn place(id: &str) -> String {
    format!("passkey_ceremony.state:{id}")
}
