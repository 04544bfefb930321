//! People: the guests who carry a signed cookie, and the staff who sign in to the office.

use super::{
    App, Ctx,
    context::{internal, new_id, now},
    crypto,
    db::Tx,
    http,
};
use crate::{
    args,
    domain::{Error, Result, error::Problem, office::Staff},
};
use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{SaltString, rand_core::OsRng},
};
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

/// A session of the office ends after so many milliseconds: twelve hours.
const STAFF_SESSION_MS: i64 = 12 * 60 * 60 * 1000;
/// How long a browser keeps its guest cookie, in seconds: 400 days, the longest that browsers allow.
const GUEST_COOKIE_SECONDS: i64 = 400 * 24 * 60 * 60;
/// The most orders of other devices that one browser is granted.
const MAX_GRANTS: usize = 10;

/// Hashing is slow on purpose; more at once than there are cores would only starve the pages.
static HASHING: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))))
});

/// The customer of this browser; makes one and sets the signed cookie for a browser that has none.
///
/// # Errors
/// When the database cannot be written.
pub async fn customer_or_create(ctx: &Ctx) -> Result<String> {
    if let Some(id) = &ctx.customer {
        return Ok(id.clone());
    }
    let id = create_customer(&ctx.app).await?;
    let value = format!("{id}.{}", ctx.app.keys.sign("guest", &id));
    http::set_cookie(&ctx.app, http::GUEST_COOKIE, &value, GUEST_COOKIE_SECONDS);
    Ok(id)
}

/// Makes a customer with an empty cart.
///
/// # Errors
/// When the database cannot be written.
pub async fn create_customer(app: &App) -> Result<String> {
    let (id, now) = (new_id(), now());
    let row = id.clone();
    app.db
        .write::<_, Error>(move |tx| {
            let id = row.clone();
            Box::pin(async move {
                tx.exec("insert into customer (id, created_at) values ($1, $2)", args![&id, now]).await?;
                tx.exec("insert into cart (customer_id, version, updated_at) values ($1, 1, $2)", args![&id, now])
                    .await?;
                Ok(())
            })
        })
        .await?;
    Ok(id)
}

/// Makes sure of the rows of a customer who was made before: a signed cookie may outlive a database that was restored.
///
/// # Errors
/// When the database cannot be written.
pub async fn ensure_customer(tx: &mut Tx<'_>, customer: &str, now: i64) -> Result<()> {
    let sql = "insert into customer (id, created_at) values ($1, $2) on conflict (id) do nothing";
    tx.exec(sql, args![customer, now]).await?;
    let sql =
        "insert into cart (customer_id, version, updated_at) values ($1, 1, $2) on conflict (customer_id) do nothing";
    tx.exec(sql, args![customer, now]).await?;
    Ok(())
}

/// The customer's id in a guest cookie, if its signature holds.
pub fn customer_of(app: &App, cookie: &str) -> Option<String> {
    let (id, signature) = cookie.split_once('.')?;
    app.keys.verify("guest", id, signature).then(|| id.to_owned())
}

/// Lets this browser follow and change an order that was placed on another device: for a guest, the number together with
/// phone or e-mail is what an account is to others.
pub fn grant_order(ctx: &Ctx, number: &str) {
    let mut numbers: Vec<&str> = vec![number];
    numbers.extend(ctx.granted_orders.iter().map(String::as_str).filter(|n| *n != number));
    numbers.truncate(MAX_GRANTS);
    let list = numbers.join("-");
    let value = format!("{list}.{}", ctx.app.keys.sign("orders", &list));
    http::set_cookie(&ctx.app, http::ORDERS_COOKIE, &value, GUEST_COOKIE_SECONDS);
}

/// Lets this browser forget its customer and the orders it was granted, with all that it keeps of this shop.
pub fn forget(ctx: &Ctx) {
    for cookie in [http::GUEST_COOKIE, http::ORDERS_COOKIE] {
        http::set_cookie(&ctx.app, cookie, "", 0);
    }
    http::clear_site_data();
}

/// The orders that a cookie of [`grant_order`] names, if its signature holds.
pub fn granted_orders(app: &App, cookie: &str) -> Vec<String> {
    match cookie.split_once('.') {
        Some((list, signature)) if app.keys.verify("orders", list, signature) => {
            list.split('-').map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// The member of staff whom a session token belongs to.
pub async fn staff_of(app: &App, token: &str) -> Option<Staff> {
    let hash = app.keys.lookup("staff session", token);
    let sql = "select s.login from staff_session t join staff s on s.id = t.staff_id where t.token_hash = $1 and t.expires_at > $2";
    // The conversion logs what went wrong.
    let row = app.db.optional(sql, args![hash, now()]).await.map_err(Error::from).ok()??;
    Some(Staff { login: row.get("login").map_err(Error::from).ok()? })
}

/// Signs a member of staff in.
///
/// # Errors
/// `Credentials` for an unknown login and for a wrong password alike, after the same work.
pub async fn sign_in(ctx: &Ctx, login: &str, password: String) -> Result<()> {
    let login = login.trim().to_lowercase();
    let row = ctx.app.db.optional("select id, password_hash from staff where login = $1", args![&login]).await?;
    let (id, hash) = match row {
        Some(row) => (Some(row.get::<String>("id")?), row.get::<String>("password_hash")?),
        None => (None, DECOY.clone()),
    };
    let checked = hash.clone();
    let valid = hashing(move || {
        PasswordHash::new(&hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    })
    .await?;
    let (Some(staff_id), true) = (id, valid) else { return Err(refused()) };
    let token = crypto::token().map_err(|e| internal("random source", &e))?;
    open_session(&ctx.app, &staff_id, &checked, &token, ctx.now).await?;
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
    let opened = app
        .db
        .write::<_, Error>(move |tx| {
            let (hash, staff_id, checked) = (hash.clone(), staff_id.clone(), checked.clone());
            Box::pin(async move {
                tx.exec("delete from staff_session where expires_at <= $1", args![now]).await?;
                // Waits for whoever is replacing the password.
                tx.exec("update staff set login = login where id = $1", args![&staff_id]).await?;
                let sql = "insert into staff_session (token_hash, staff_id, created_at, expires_at)
                    select $1, s.id, $3, $4 from staff s where s.id = $2 and s.password_hash = $5";
                Ok(tx.exec(sql, args![hash, staff_id, now, now + STAFF_SESSION_MS, checked]).await?)
            })
        })
        .await?;
    if opened == 1 { Ok(()) } else { Err(refused()) }
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

/// Makes a member of staff, or sets a new password for one and ends all sessions.
///
/// # Errors
/// [`Error::Invalid`] for an empty login or a password of fewer than 8 characters.
pub async fn create_staff(app: &App, login: &str, password: String) -> Result<()> {
    let login = crate::domain::address::text(&login.to_lowercase(), 1, 50).map_err(|p| Error::field("login", p))?;
    if password.chars().count() < 8 {
        return Err(Error::field("password", Problem::TooShort(8)));
    }
    let hash = hashing(move || hash(&password)).await?.ok_or_else(|| internal("argon2", &"no hash"))?;
    let (id, now) = (new_id(), now());
    app.db
        .write::<_, Error>(move |tx| {
            let (id, login, hash) = (id.clone(), login.clone(), hash.clone());
            Box::pin(async move {
                let sql = "insert into staff (id, login, password_hash, created_at) values ($1, $2, $3, $4)
                    on conflict (login) do update set password_hash = excluded.password_hash";
                tx.exec(sql, args![id, &login, hash, now]).await?;
                let sql = "delete from staff_session where staff_id in (select id from staff where login = $1)";
                tx.exec(sql, args![&login]).await?;
                Ok(())
            })
        })
        .await
}

/// The hash of a password nobody has, so that an unknown login costs as much time as a wrong password.
static DECOY: LazyLock<String> = LazyLock::new(|| hash("no one's password").unwrap_or_default());

fn hash(password: &str) -> Option<String> {
    let salt = SaltString::generate(&mut OsRng);
    Some(Argon2::default().hash_password(password.as_bytes(), &salt).ok()?.to_string())
}

/// Runs slow hashing off the threads that serve requests.
async fn hashing<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let permit = HASHING.clone().acquire_owned().await.map_err(|e| internal("hashing", &e))?;
    // The work goes on when the request is given up, so the permit belongs to the work.
    let work = move || {
        let _permit = permit;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(|e| internal("hashing", &e))
}
