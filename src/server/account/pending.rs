//! Sign-ins of which the first factor was shown and the second is awaited. A pending one gives no right at all; its
//! opaque token lies in a cookie of its own, and its keyed hash in the database.

use super::second_factor::Owner;
use crate::{
    args,
    domain::{Result, second_factor::PENDING_MS},
    server::{
        App, Ctx,
        context::internal,
        crypto,
        db::{Row, Tx},
        http,
    },
};

/// One about to be written: the token for the cookie, and what the database is told.
#[derive(Clone)]
pub struct NewPending {
    token: String,
    hash: String,
    by_code: bool,
    now: i64,
}

/// One that still waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub owner: Owner,
    /// Whether the first factor was a code and not a password.
    pub by_code: bool,
}

impl NewPending {
    /// One that begins now, with a code or with a password.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new(ctx: &Ctx, by_code: bool) -> Result<Self> {
        let token = crypto::token().map_err(|e| internal("random source", &e))?;
        let hash = hash_of(&ctx.app, &token);
        Ok(Self { token, hash, by_code, now: ctx.now })
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn insert(&self, tx: &mut Tx<'_>, owner: &Owner) -> Result<()> {
        let (customer, staff) = match owner {
            Owner::Customer(id) => (Some(id.clone()), None),
            Owner::Staff { id, .. } => (None, Some(id.clone())),
        };
        let sql = "insert into pending_sign_in (token_hash, customer_id, staff_id, by_code, expires_at)
            values ($1, $2, $3, $4, $5)";
        tx.exec(sql, args![&self.hash, customer, staff, self.by_code, self.now + PENDING_MS]).await?;
        Ok(())
    }

    /// Gives its token to the browser, in the cookie `name`.
    pub fn set_cookie(&self, app: &App, name: &str) {
        http::set_cookie(app, name, &self.token, PENDING_MS / 1000);
    }
}

const SELECT: &str = "select p.customer_id, p.staff_id, s.login, p.by_code
    from pending_sign_in p left join staff s on s.id = p.staff_id where p.token_hash = $1 and p.expires_at > $2";

fn read(row: &Row) -> Result<Option<Pending>> {
    let (customer, staff): (Option<String>, Option<String>) = (row.get("customer_id")?, row.get("staff_id")?);
    let owner = match (customer, staff.zip(row.get::<Option<String>>("login")?)) {
        (Some(id), None) => Owner::Customer(id),
        (None, Some((id, login))) => Owner::Staff { id, login },
        _ => return Ok(None),
    };
    Ok(Some(Pending { owner, by_code: row.get("by_code")? }))
}

/// The one of a token, while it waits.
///
/// # Errors
/// When the database cannot be read.
pub async fn find(app: &App, token: Option<&str>, now: i64) -> Result<Option<Pending>> {
    let Some(token) = token else { return Ok(None) };
    let row = app.db.optional(SELECT, args![hash_of(app, token), now]).await?;
    row.as_ref().map_or(Ok(None), read)
}

/// The same for whoever is about to complete it: nobody else does so at the same time.
///
/// # Errors
/// When the database cannot be written.
pub async fn take_turn(tx: &mut Tx<'_>, app: &App, token: &str, now: i64) -> Result<Option<Pending>> {
    let hash = hash_of(app, token);
    tx.exec("update pending_sign_in set by_code = by_code where token_hash = $1", args![&hash]).await?;
    let row = tx.optional(SELECT, args![hash, now]).await?;
    row.as_ref().map_or(Ok(None), read)
}

/// Ends one that was completed.
///
/// # Errors
/// When the database cannot be written.
pub async fn end(tx: &mut Tx<'_>, app: &App, token: &str) -> Result<()> {
    tx.exec("delete from pending_sign_in where token_hash = $1", args![hash_of(app, token)]).await?;
    Ok(())
}

/// Ends all of a customer: they began with a password that is no more.
///
/// # Errors
/// When the database cannot be written.
pub async fn end_all(tx: &mut Tx<'_>, customer: &str) -> Result<()> {
    tx.exec("delete from pending_sign_in where customer_id = $1", args![customer]).await?;
    Ok(())
}

/// Removes those that are over.
///
/// # Errors
/// When the database cannot be written.
pub async fn sweep(tx: &mut Tx<'_>, now: i64) -> Result<()> {
    tx.exec("delete from pending_sign_in where expires_at <= $1", args![now]).await?;
    Ok(())
}

/// The keyed hash under which one is known.
pub fn hash_of(app: &App, token: &str) -> String {
    app.keys.lookup("pending sign-in", token)
}
