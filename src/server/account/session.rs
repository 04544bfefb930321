//! Sessions of accounts: who is signed in on which device.
//!
//! A session is an opaque random token in a cookie; the database keeps its keyed hash. Each sign-in makes a new one, so
//! that none can be planted (OWASP ASVS 5 §7).

use crate::{
    args,
    domain::{Error, Result, account::Device},
    server::{
        App, Ctx,
        context::{internal, new_id},
        crypto,
        db::Tx,
        http,
    },
};

/// A session that is not used ends after so many milliseconds: 30 days.
const IDLE_MS: i64 = 30 * DAY_MS;
/// A session ends after so many milliseconds whatever is done with it: 180 days.
const LONGEST_MS: i64 = 180 * DAY_MS;
const DAY_MS: i64 = 24 * 60 * 60_000;
/// How stale the note of its last use may be, in milliseconds, so that not every page writes.
const STALE_MS: i64 = 10 * 60_000;
/// How long after a sign-in by code or passkey its owner counts as proved, in milliseconds.
pub const PROVED_MS: i64 = 15 * 60_000;

/// A session that is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names it; opens nothing.
    pub id: String,
    pub customer_id: String,
    /// Whether it was opened with a code or a passkey, and not with a password.
    pub by_code: bool,
    /// UTC milliseconds.
    pub opened_at: i64,
}

impl Session {
    /// Whether a code or a passkey has just shown that the owner of the account is here.
    pub fn proved(&self, now: i64) -> bool {
        self.by_code && self.fresh(now)
    }

    /// Whether it was opened a moment ago, by whatever way.
    pub fn fresh(&self, now: i64) -> bool {
        now < self.opened_at + PROVED_MS
    }
}

/// A session about to be opened: the token for the cookie, and what the database is told.
#[derive(Clone)]
pub struct NewSession {
    token: String,
    id: String,
    hash: String,
    device: String,
    by_code: bool,
    now: i64,
}

impl NewSession {
    /// A session on the device that asks.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new(ctx: &Ctx, by_code: bool) -> Result<Self> {
        let token = crypto::token().map_err(|e| internal("random source", &e))?;
        let hash = hash_of(&ctx.app, &token);
        Ok(Self { token, id: new_id(), hash, device: ctx.asker.device.clone(), by_code, now: ctx.now })
    }

    /// Writes it, in place of the one that this browser had before.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn open(&self, tx: &mut Tx<'_>, customer: &str, before: Option<&str>) -> Result<()> {
        if let Some(before) = before {
            tx.exec("delete from session where id = $1", args![before]).await?;
        }
        let sql = "insert into session (id, token_hash, customer_id, device, by_code, opened_at, seen_at, expires_at)
            values ($1, $2, $3, $4, $5, $6, $6, $7)";
        let args = args![&self.id, &self.hash, customer, &self.device, self.by_code, self.now, self.now + LONGEST_MS];
        tx.exec(sql, args).await?;
        Ok(())
    }

    /// Gives its token to the browser, in place of what it was known by as a guest.
    pub fn set_cookie(&self, app: &App) {
        http::set_cookie(app, http::SESSION_COOKIE, &self.token, LONGEST_MS / 1000);
        http::set_cookie(app, http::GUEST_COOKIE, "", 0);
    }
}

/// The session of a token, if it is valid; notes its use.
///
/// # Errors
/// When the database cannot be read: nobody is taken for a guest only because it fails.
pub async fn find(app: &App, token: &str, now: i64) -> Result<Option<Session>> {
    let sql = "select id, customer_id, by_code, opened_at, seen_at from session
        where token_hash = $1 and expires_at > $2 and seen_at > $3";
    let args = args![hash_of(app, token), now, now - IDLE_MS];
    let Some(row) = app.db.optional(sql, args).await? else { return Ok(None) };
    let session = Session {
        id: row.get("id")?,
        customer_id: row.get("customer_id")?,
        by_code: row.get("by_code")?,
        opened_at: row.get("opened_at")?,
    };
    if row.get::<i64>("seen_at")? < now - STALE_MS {
        tokio::spawn(note_use(app.clone(), session.id.clone(), now));
    }
    Ok(Some(session))
}

async fn note_use(app: App, id: String, now: i64) {
    // A note that is lost is made with the next page.
    let _ = app
        .db
        .write::<_, Error>(move |tx| {
            let id = id.clone();
            Box::pin(async move {
                tx.exec("update session set seen_at = $2 where id = $1 and seen_at < $2", args![id, now]).await?;
                Ok(())
            })
        })
        .await;
}

/// The devices on which the account is signed in, the present one first, then the one seen last.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in.
pub async fn devices(ctx: &Ctx) -> Result<Vec<Device>> {
    let session = ctx.session()?;
    let sql = "select id, device, opened_at, seen_at from session
        where customer_id = $1 and expires_at > $2 and seen_at > $3 order by seen_at desc, id desc limit 100";
    let rows = ctx.app.db.all(sql, args![&session.customer_id, ctx.now, ctx.now - IDLE_MS]).await?;
    let device = |row: &crate::server::db::Row| -> Result<Device> {
        let id: String = row.get("id")?;
        Ok(Device {
            name: row.get("device")?,
            signed_in_at: row.get("opened_at")?,
            seen_at: row.get("seen_at")?,
            present: id == session.id,
            id,
        })
    };
    let mut devices = rows.iter().map(device).collect::<Result<Vec<_>>>()?;
    devices.sort_by_key(|device| !device.present);
    Ok(devices)
}

/// Signs the account out on one of its devices. One that is signed out already stays so.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in.
pub async fn end(ctx: &Ctx, id: &str) -> Result<()> {
    let session = ctx.session()?.clone();
    if session.id == id {
        forget(ctx);
    }
    let id = id.to_owned();
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (customer, id) = (session.customer_id.clone(), id.clone());
            Box::pin(async move {
                tx.exec("delete from session where id = $1 and customer_id = $2", args![id, customer]).await?;
                Ok(())
            })
        })
        .await
}

/// Signs the account out on all devices but the present one.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in.
pub async fn end_others(ctx: &Ctx) -> Result<()> {
    let session = ctx.session()?.clone();
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let session = session.clone();
            Box::pin(async move { end_all_but(tx, &session.customer_id, &session.id).await })
        })
        .await
}

/// Ends all sessions of an account but one.
///
/// # Errors
/// When the database cannot be written.
pub async fn end_all_but(tx: &mut Tx<'_>, customer: &str, kept: &str) -> Result<()> {
    tx.exec("delete from session where customer_id = $1 and id <> $2", args![customer, kept]).await?;
    Ok(())
}

/// Lets this browser forget its session and all it keeps of this shop.
pub fn forget(ctx: &Ctx) {
    http::set_cookie(&ctx.app, http::SESSION_COOKIE, "", 0);
    http::clear_site_data();
}

/// Removes sessions that are over.
///
/// # Errors
/// When the database cannot be written.
pub async fn sweep(tx: &mut Tx<'_>, now: i64) -> Result<()> {
    tx.exec("delete from session where expires_at <= $1 or seen_at <= $2", args![now, now - IDLE_MS]).await?;
    Ok(())
}

fn hash_of(app: &App, token: &str) -> String {
    app.keys.lookup("session", token)
}
