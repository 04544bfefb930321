//! The staff who sign in to the office.

use super::{
    attempt::{self, Guarded},
    password,
    pending::NewPending,
    second_factor::{self, Owner},
};
use crate::{
    args,
    domain::{Error, Result, error::Problem, office::Staff, permission::Role},
    server::{
        App, Ctx,
        audit::{self, Action, Entry},
        context::{internal, new_id, now},
        crypto,
        db::Tx,
        http,
        refusal::{self, Method},
        risk::{self, Browser},
    },
};

/// A session of the office ends after so many milliseconds: twelve hours.
const STAFF_SESSION_MS: i64 = 12 * 60 * 60 * 1000;

/// One that is not used ends after so many milliseconds: an hour (NIST SP 800-63B-4 §2.2.3).
pub(super) const IDLE_MS: i64 = 60 * 60 * 1000;
/// How stale the note of its last use may be, in milliseconds: a minute, so that not every page writes.
const STALE_MS: i64 = 60 * 1000;
/// The kind of the keyed hashes of session tokens.
pub const SESSION: &str = "staff session";

/// Who is in the office by a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    pub staff: Staff,
    /// Whether a password of one's own has to be set before anything else is done.
    pub must_change: bool,
}

/// Whom a session token belongs to. Outside development nobody is without a second factor, however the session came to
/// be, and nobody keeps a password that the operator chose. `uses` tells whether this is a use of the office: a feed that
/// a page left open takes up by itself is none.
///
/// # Errors
/// When the database cannot be read.
pub async fn staff_of(app: &App, token: &str, now: i64, uses: bool) -> Result<Option<Seat>> {
    let hash = app.keys.lookup(SESSION, token);
    let sql = "select s.login, s.role, s.must_change, t.seen_at from staff_session t join staff s on s.id = t.staff_id
        where t.token_hash = $1 and t.expires_at > $2 and t.seen_at > $3
        and ($4 or exists (select 1 from second_factor f where f.staff_id = s.id and f.confirmed_at is not null))";
    let args = args![&hash, now, now - IDLE_MS, app.config.development];
    let Some(row) = app.db.optional(sql, args).await? else { return Ok(None) };
    let (login, must_change): (String, bool) = (row.get("login")?, row.get("must_change")?);
    let Some(role) = Role::from_name(&row.get::<String>("role")?) else { return Ok(None) };
    if uses && row.get::<i64>("seen_at")? < now - STALE_MS {
        tokio::spawn(note_use(app.clone(), hash, now));
    }
    Ok(Some(Seat { staff: Staff { login, role }, must_change: must_change && !app.config.development }))
}

async fn note_use(app: App, hash: String, now: i64) {
    // A note that is lost is made with the next page.
    let _ = app
        .db
        .write::<_, Error>(move |tx| {
            let hash = hash.clone();
            Box::pin(async move {
                let sql = "update staff_session set seen_at = $2 where token_hash = $1 and seen_at < $2";
                tx.exec(sql, args![hash, now]).await?;
                Ok(())
            })
        })
        .await;
}

/// Takes the password of a member of staff, and tells whether the office is open: else the second factor is awaited, or
/// has to be set up first. In development one that is not set up is not asked for.
///
/// # Errors
/// `Credentials` for an unknown login and for a wrong password alike, after the same work; [`Error::TooMany`] after
/// failures in a row.
pub async fn sign_in(ctx: &Ctx, login: &str, password: String) -> Result<bool> {
    let login = login.trim().to_lowercase();
    let device = risk::asking_device(ctx);
    let sql = "select s.id, s.password_hash,
            (select d.device_hash from staff_device d where d.staff_id = s.id and d.device_hash = $2)
                is not null as is_known
        from staff s where s.login = $1";
    let row = ctx.app.db.optional(sql, args![&login, device.clone()]).await?;
    let (id, hash, known) = match row {
        Some(row) => (
            Some(row.get::<String>("id")?),
            Some(row.get::<String>("password_hash")?),
            device.filter(|_| row.get("is_known").unwrap_or(false)),
        ),
        None => (None, None, None),
    };
    let place = password::place()?;
    let guarded = Guarded::new(&ctx.app.keys, &ctx.asker, &guarded(&login)).known(known.as_deref());
    attempt::begin(&ctx.app, &guarded, ctx.now).await?;
    let valid = place.verify_any(password, hash.clone(), guarded.subject().to_owned()).await?;
    let (Some(staff_id), Some(checked), true) = (id.clone(), hash, valid) else {
        // What a stranger types is nobody's name, and may be a password in the wrong field.
        if id.is_some() {
            // Beside the answer, which must not take longer for a login that exists. The log tells of a failure.
            let (app, now) = (ctx.app.clone(), ctx.now);
            tokio::spawn(async move { note(&app, &login, Action::SignInRefused, now).await });
        }
        refusal::note(ctx, "a sign-in to the office failed", Method::Password, guarded.subject());
        return Err(refused());
    };
    // Whoever signs in is not whoever was in the office on this browser before.
    sign_out(ctx).await?;
    let owner = Owner::Staff { id: staff_id.clone(), login };
    let inside = ctx.app.config.development && !second_factor::known(&ctx.app.db, &owner).await?;
    if inside {
        let session = NewStaffSession::new(ctx)?;
        open(&ctx.app, &session, &staff_id, &checked).await?;
        session.set_cookie(&ctx.app);
    } else {
        let pending = NewPending::new(ctx, false)?;
        await_second(&ctx.app, &owner, checked, &pending).await?;
        pending.set_cookie(&ctx.app, http::STAFF_PENDING_COOKIE);
    }
    attempt::over(&ctx.app, &guarded).await?;
    Ok(inside)
}

/// Lets the sign-in of whoever knew the password that `checked` is the hash of wait for the second factor; not if it was
/// replaced while that was being checked.
async fn await_second(app: &App, owner: &Owner, checked: String, pending: &NewPending) -> Result<()> {
    let (owner, pending) = (owner.clone(), pending.clone());
    let waits = app
        .db
        .write::<_, Error>(move |tx| {
            let (owner, checked, pending) = (owner.clone(), checked.clone(), pending.clone());
            Box::pin(async move {
                let Owner::Staff { id, .. } = &owner else { return Ok(false) };
                if lock(tx, id, &checked).await?.is_none() {
                    return Ok(false);
                }
                pending.insert(tx, &owner).await?;
                Ok(true)
            })
        })
        .await?;
    if waits { Ok(()) } else { Err(refused()) }
}

/// The login of a member of staff whose password has this hash. Waits for whoever is replacing it.
async fn lock(tx: &mut Tx<'_>, staff_id: &str, checked: &str) -> Result<Option<String>> {
    let sql = "update staff set login = login where id = $1 and password_hash = $2 returning login";
    let row = tx.optional(sql, args![staff_id, checked]).await?;
    Ok(row.map(|row| row.get("login")).transpose()?)
}

/// A session of the office about to be opened.
#[derive(Clone)]
pub struct NewStaffSession {
    token: String,
    hash: String,
    /// Where it is opened; none in tests.
    browser: Option<Browser>,
    now: i64,
}

impl NewStaffSession {
    /// One that begins now, on the browser that asks.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new(ctx: &Ctx) -> Result<Self> {
        let token = crypto::token().map_err(|e| internal("random source", &e))?;
        Ok(Self { browser: Some(Browser::of(ctx)?), ..Self::of(&ctx.app, token, ctx.now) })
    }

    fn of(app: &App, token: String, now: i64) -> Self {
        Self { hash: app.keys.lookup(SESSION, &token), token, browser: None, now }
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// Writes it for a member of staff, named by id and login. It goes on record `by` what it was opened; last in a
    /// transaction.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn open(&self, tx: &mut Tx<'_>, app: &App, (id, login): (&str, &str), by: &str) -> Result<()> {
        let sql = "delete from staff_session where expires_at <= $1 or seen_at <= $2";
        tx.exec(sql, args![self.now, self.now - IDLE_MS]).await?;
        let sql = "insert into staff_session (token_hash, staff_id, created_at, seen_at, expires_at)
            values ($1, $2, $3, $3, $4)";
        tx.exec(sql, args![&self.hash, id, self.now, self.now + STAFF_SESSION_MS]).await?;
        tx.exec("update staff set signed_in_at = $2 where id = $1", args![id, self.now]).await?;
        if let Some(browser) = &self.browser {
            browser.note_staff(tx, id, self.now).await?;
        }
        audit::record(tx, &app.keys, &entry(login, Action::SignedIn, by.to_owned()), self.now).await
    }

    /// Gives its token to the browser.
    pub fn set_cookie(&self, app: &App) {
        http::set_cookie(app, http::STAFF_COOKIE, &self.token, STAFF_SESSION_MS / 1000);
    }
}

/// Opens a session for whoever knew the password that `checked` is the hash of, and showed all else that is asked for; not
/// if it was replaced while that was being checked.
///
/// # Errors
/// `Credentials`, as for a wrong password.
pub async fn open_session(app: &App, staff_id: &str, checked: &str, token: &str, now: i64) -> Result<()> {
    open(app, &NewStaffSession::of(app, token.to_owned(), now), staff_id, checked).await
}

async fn open(app: &App, session: &NewStaffSession, staff_id: &str, checked: &str) -> Result<()> {
    let (session, staff_id, checked) = (session.clone(), staff_id.to_owned(), checked.to_owned());
    let shop = app.clone();
    let opened = app
        .db
        .write::<_, Error>(move |tx| {
            let (shop, session) = (shop.clone(), session.clone());
            let (staff_id, checked) = (staff_id.clone(), checked.clone());
            Box::pin(async move {
                let Some(login) = lock(tx, &staff_id, &checked).await? else { return Ok(false) };
                session.open(tx, &shop, (&staff_id, &login), "password").await?;
                Ok(true)
            })
        })
        .await?;
    if opened { Ok(()) } else { Err(refused()) }
}

/// Under which failed sign-ins of a login are counted, whether or not there is such a login.
pub(super) fn guarded(login: &str) -> String {
    format!("staff:{login}")
}

/// A row of the record about a member of staff.
pub(super) fn entry(login: &str, action: Action, detail: String) -> Entry {
    Entry { actor: format!("staff:{login}"), action, subject: format!("staff:{login}"), detail }
}

async fn note(app: &App, login: &str, action: Action, now: i64) -> Result<()> {
    let (shop, entry) = (app.clone(), entry(login, action, String::new()));
    app.db
        .write::<_, Error>(move |tx| {
            let (shop, entry) = (shop.clone(), entry.clone());
            Box::pin(async move { audit::record(tx, &shop.keys, &entry, now).await })
        })
        .await
}

fn refused() -> Error {
    Error::field("password", Problem::Credentials)
}

/// Ends the session of the office on this browser.
///
/// # Errors
/// When the database cannot be written.
pub async fn sign_out(ctx: &Ctx) -> Result<()> {
    if let Some(token) = &ctx.staff_token {
        let hash = ctx.app.keys.lookup(SESSION, token);
        ctx.app
            .db
            .write::<_, Error>(move |tx| {
                let hash = hash.clone();
                Box::pin(async move {
                    Ok(tx.exec("delete from staff_session where token_hash = $1", args![hash]).await.map(drop)?)
                })
            })
            .await?;
    }
    http::set_cookie(&ctx.app, http::STAFF_COOKIE, "", 0);
    http::set_cookie(&ctx.app, http::STAFF_PENDING_COOKIE, "", 0);
    Ok(())
}

/// Makes a member of staff, or sets a new password and role for one and ends all sessions. Whoever calls this knows the
/// password, so that it has to be replaced at the first sign-in. Without a role a new one owns the shop and one who is
/// there keeps the present role.
///
/// # Errors
/// [`Error::Invalid`] for an empty login, and for a password that is too short or too common.
pub async fn create_staff(app: &App, login: &str, role: Option<Role>, password: String) -> Result<()> {
    let login = crate::domain::address::text(&login.to_lowercase(), 1, 50).map_err(|p| Error::field("login", p))?;
    password::check(&app.config, &password, &[&login]).map_err(|problem| Error::field("password", problem))?;
    let hash = password::hash(password).await?;
    let (id, now, shop) = (new_id(), now(), app.clone());
    app.db
        .write::<_, Error>(move |tx| {
            let (id, login, hash, shop) = (id.clone(), login.clone(), hash.clone(), shop.clone());
            Box::pin(async move {
                let sql = "insert into staff (id, login, password_hash, created_at, role, must_change)
                    values ($1, $2, $3, $4, coalesce($5, 'owner'), true)
                    on conflict (login) do update set password_hash = excluded.password_hash, must_change = true,
                        role = coalesce($5, staff.role) returning role";
                let row = tx.one(sql, args![id, &login, hash, now, role.map(Role::name)]).await?;
                let sql = "delete from staff_session where staff_id in (select id from staff where login = $1)";
                tx.exec(sql, args![&login]).await?;
                let sql = "delete from pending_sign_in where staff_id in (select id from staff where login = $1)";
                tx.exec(sql, args![&login]).await?;
                attempt::replaced(tx, &shop.keys, &guarded(&login)).await?;
                let set = Entry { actor: "operator".to_owned(), ..entry(&login, Action::StaffSet, row.get("role")?) };
                audit::record(tx, &shop.keys, &set, now).await
            })
        })
        .await
}
