//! The staff who sign in to the office.

use super::{
    attempt::{self, Guarded},
    password,
};
use crate::{
    args,
    domain::{Error, Result, error::Problem, office::Staff, permission::Role},
    server::{
        App, Ctx,
        audit::{self, Action, Entry},
        context::{internal, new_id, now},
        crypto, http,
    },
};

/// A session of the office ends after so many milliseconds: twelve hours.
const STAFF_SESSION_MS: i64 = 12 * 60 * 60 * 1000;

/// The member of staff whom a session token belongs to.
pub async fn staff_of(app: &App, token: &str) -> Option<Staff> {
    let hash = app.keys.lookup("staff session", token);
    let sql = "select s.login, s.role from staff_session t join staff s on s.id = t.staff_id where t.token_hash = $1 and t.expires_at > $2";
    // The conversion logs what went wrong.
    let row = app.db.optional(sql, args![hash, now()]).await.map_err(Error::from).ok()??;
    let role = Role::from_name(&row.get::<String>("role").map_err(Error::from).ok()?)?;
    Some(Staff { login: row.get("login").map_err(Error::from).ok()?, role })
}

/// Signs a member of staff in.
///
/// # Errors
/// `Credentials` for an unknown login and for a wrong password alike, after the same work; [`Error::TooMany`] after
/// failures in a row.
pub async fn sign_in(ctx: &Ctx, login: &str, password: String) -> Result<()> {
    let login = login.trim().to_lowercase();
    let row = ctx.app.db.optional("select id, password_hash from staff where login = $1", args![&login]).await?;
    let (id, hash) = match row {
        Some(row) => (Some(row.get::<String>("id")?), Some(row.get::<String>("password_hash")?)),
        None => (None, None),
    };
    let place = password::place()?;
    let guarded = Guarded::new(&ctx.app.keys, &ctx.asker, &guarded(&login));
    attempt::begin(&ctx.app, &guarded, ctx.now).await?;
    let valid = place.verify(password, hash.clone()).await?;
    let (Some(staff_id), Some(checked), true) = (id.clone(), hash, valid) else {
        // What a stranger types is nobody's name, and may be a password in the wrong field.
        if id.is_some() {
            // Beside the answer, which must not take longer for a login that exists. The log tells of a failure.
            let (app, now) = (ctx.app.clone(), ctx.now);
            tokio::spawn(async move { note(&app, &login, Action::SignInRefused, now).await });
        }
        return Err(refused());
    };
    let token = crypto::token().map_err(|e| internal("random source", &e))?;
    open_session(&ctx.app, &staff_id, &checked, &token, ctx.now).await?;
    attempt::over(&ctx.app, &guarded).await?;
    http::set_cookie(&ctx.app, http::STAFF_COOKIE, &token, STAFF_SESSION_MS / 1000);
    Ok(())
}

/// Opens a session for whoever knew the password that `checked` is the hash of; not if it was replaced while that was
/// being checked.
///
/// # Errors
/// `Credentials`, as for a wrong password.
pub async fn open_session(app: &App, staff_id: &str, checked: &str, token: &str, now: i64) -> Result<()> {
    let (hash, staff_id, checked) = (app.keys.lookup("staff session", token), staff_id.to_owned(), checked.to_owned());
    let shop = app.clone();
    let opened = app
        .db
        .write::<_, Error>(move |tx| {
            let (shop, hash, staff_id, checked) = (shop.clone(), hash.clone(), staff_id.clone(), checked.clone());
            Box::pin(async move {
                tx.exec("delete from staff_session where expires_at <= $1", args![now]).await?;
                // Waits for whoever is replacing the password.
                let sql = "update staff set login = login where id = $1 and password_hash = $2 returning login";
                let Some(row) = tx.optional(sql, args![&staff_id, checked]).await? else { return Ok(false) };
                let login: String = row.get("login")?;
                let sql =
                    "insert into staff_session (token_hash, staff_id, created_at, expires_at) values ($1, $2, $3, $4)";
                tx.exec(sql, args![hash, staff_id, now, now + STAFF_SESSION_MS]).await?;
                audit::record(tx, &shop.keys, &entry(&login, Action::SignedIn, String::new()), now).await?;
                Ok(true)
            })
        })
        .await?;
    if opened { Ok(()) } else { Err(refused()) }
}

/// Under which failed sign-ins of a login are counted, whether or not there is such a login.
fn guarded(login: &str) -> String {
    format!("staff:{login}")
}

/// A row of the record about a member of staff.
fn entry(login: &str, action: Action, detail: String) -> Entry {
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
    tracing::warn!("a sign-in to the office failed");
    Error::field("password", Problem::Credentials)
}

/// Ends the session of the office on this browser.
///
/// # Errors
/// When the database cannot be written.
pub async fn sign_out(ctx: &Ctx) -> Result<()> {
    if let Some(token) = &ctx.staff_token {
        let hash = ctx.app.keys.lookup("staff session", token);
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
    Ok(())
}

/// Makes a member of staff, or sets a new password and role for one and ends all sessions. Without a role a new one owns
/// the shop and one who is there keeps the present role.
///
/// # Errors
/// [`Error::Invalid`] for an empty login, and for a password that is too short or too common.
pub async fn create_staff(app: &App, login: &str, role: Option<Role>, password: String) -> Result<()> {
    let login = crate::domain::address::text(&login.to_lowercase(), 1, 50).map_err(|p| Error::field("login", p))?;
    password::check(&password, &[&login]).map_err(|problem| Error::field("password", problem))?;
    let hash = password::hash(password).await?;
    let (id, now, shop) = (new_id(), now(), app.clone());
    app.db
        .write::<_, Error>(move |tx| {
            let (id, login, hash, shop) = (id.clone(), login.clone(), hash.clone(), shop.clone());
            Box::pin(async move {
                let sql = "insert into staff (id, login, password_hash, created_at, role) values ($1, $2, $3, $4, coalesce($5, 'owner'))
                    on conflict (login) do update
                    set password_hash = excluded.password_hash, role = coalesce($5, staff.role) returning role";
                let row = tx.one(sql, args![id, &login, hash, now, role.map(Role::name)]).await?;
                let sql = "delete from staff_session where staff_id in (select id from staff where login = $1)";
                tx.exec(sql, args![&login]).await?;
                attempt::replaced(tx, &shop.keys, &guarded(&login)).await?;
                let set = Entry { actor: "operator".to_owned(), ..entry(&login, Action::StaffSet, row.get("role")?) };
                audit::record(tx, &shop.keys, &set, now).await
            })
        })
        .await
}
