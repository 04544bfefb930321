//! What an account is called and how it is signed in to.

use super::{
    attempt::{self, Guarded},
    password, pending, session,
};
use crate::{
    args,
    domain::{
        Error, Result, account,
        account::{Profile, Target},
        address,
        error::Problem,
    },
    server::{
        Ctx,
        audit::{self, Action, Entry},
        context::{internal, unreadable},
        crypto::Keys,
        db::Tx,
        message::What,
        risk,
    },
};

/// The longest name, in characters.
const NAME: u32 = 50;

/// Who is signed in; none for a guest.
///
/// # Errors
/// When the database cannot be read.
pub async fn get(ctx: &Ctx) -> Result<Option<Profile>> {
    let Some(session) = &ctx.session else { return Ok(None) };
    let customer = &session.customer_id;
    let sql =
        "select login, password_hash is not null as has_password, name_sealed from account where customer_id = $1";
    let Some(row) = ctx.app.db.optional(sql, args![customer]).await? else { return Ok(None) };
    let name = open_name(&ctx.app.keys, customer, row.get("name_sealed")?)?;
    let targets = targets(ctx, customer).await?;
    let masked = |kind| targets.iter().find(|target| target.kind() == kind).map(Target::masked);
    Ok(Some(Profile {
        name,
        login: row.get("login")?,
        phone: masked("phone"),
        email: masked("email"),
        has_password: row.get("has_password")?,
        proved: session.proved(ctx.now),
    }))
}

/// What the person of an account is called; empty until chosen.
///
/// # Errors
/// When it cannot be read or opened.
pub async fn name(ctx: &Ctx, customer: &str) -> Result<String> {
    let sql = "select name_sealed from account where customer_id = $1";
    let row = ctx.app.db.one(sql, args![customer]).await?;
    open_name(&ctx.app.keys, customer, row.get("name_sealed")?)
}

fn open_name(keys: &Keys, customer: &str, sealed: Option<Vec<u8>>) -> Result<String> {
    let Some(sealed) = sealed else { return Ok(String::new()) };
    let plain = keys.open(&sealed, &name_place(customer)).map_err(|e| internal("crypto", &e))?;
    String::from_utf8(plain).map_err(|e| internal("crypto", &e.utf8_error()))
}

/// What an account is reached by.
///
/// # Errors
/// When it cannot be read or opened.
pub async fn targets(ctx: &Ctx, customer: &str) -> Result<Vec<Target>> {
    let sql = "select kind, target_sealed from account_target where customer_id = $1 order by kind";
    let mut targets = Vec::new();
    for row in ctx.app.db.all(sql, args![customer]).await? {
        let kind: String = row.get("kind")?;
        let sealed: Vec<u8> = row.get("target_sealed")?;
        let plain = ctx.app.keys.open(&sealed, &target_place(customer, &kind)).map_err(|e| internal("crypto", &e))?;
        targets.push(serde_json::from_slice(&plain).map_err(|e| unreadable("target", &e))?);
    }
    Ok(targets)
}

/// Seals a target for an account.
///
/// # Errors
/// When sealing fails.
pub fn seal_target(keys: &Keys, customer: &str, target: &Target) -> Result<Vec<u8>> {
    let plain = serde_json::to_vec(target).map_err(|e| internal("target", &e))?;
    keys.seal(&plain, &target_place(customer, target.kind())).map_err(|e| internal("crypto", &e))
}

/// Makes a target the account's, in place of another of its kind.
///
/// # Errors
/// When the database cannot be written; `Taken` where another account has it.
pub async fn set_target(
    tx: &mut Tx<'_>,
    customer: &str,
    (kind, hash, sealed): (&str, &str, &[u8]),
    now: i64,
) -> Result<()> {
    let sql = "insert into account_target (customer_id, kind, target_hash, target_sealed, verified_at)
        select $1, $2, $3, $4, $5
        where not exists (select 1 from account_target where target_hash = $3 and customer_id <> $1)
        on conflict (customer_id, kind) do update
        set target_hash = excluded.target_hash, target_sealed = excluded.target_sealed, verified_at = excluded.verified_at";
    match tx.exec(sql, args![customer, kind, hash, sealed, now]).await? {
        0 => Err(Error::field("code", Problem::Taken)),
        _ => Ok(()),
    }
}

/// Sets what the person is called, and the user name to sign in with. An empty user name takes it away.
///
/// # Errors
/// [`Error::Invalid`] with the problems by field, `Taken` for a user name that somebody has.
pub async fn set(ctx: &Ctx, name: &str, login: &str) -> Result<()> {
    let customer = ctx.session()?.customer_id.clone();
    let mut check = crate::domain::error::Check::default();
    let name = check.take("name", address::text(name, 0, NAME));
    let login = match login.trim() {
        "" => Some(None),
        typed => check.take("login", account::login(typed)).map(Some),
    };
    check.finish()?;
    let (Some(name), Some(login)) = (name, login) else { return Err(Error::Conflict) };
    let sealed = ctx.app.keys.seal(name.as_bytes(), &name_place(&customer)).map_err(|e| internal("crypto", &e))?;
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (customer, login, sealed) = (customer.clone(), login.clone(), sealed.clone());
            Box::pin(async move {
                let taken = "select customer_id from account where login = $1 and customer_id <> $2";
                if let Some(login) = &login
                    && tx.optional(taken, args![login, &customer]).await?.is_some()
                {
                    return Err(Error::field("login", Problem::Taken));
                }
                let sql = "update account set login = $2, name_sealed = $3 where customer_id = $1";
                tx.exec(sql, args![customer, login, sealed]).await?;
                Ok(())
            })
        })
        .await
}

/// Sets a new password and signs out on all other devices. Whoever asks has to show anew who this is: by a code that was
/// just typed, or by the old password. The owner is told.
///
/// # Errors
/// [`Error::Invalid`] with the problems by field, `Proof` where there is no old password to show it by;
/// [`Error::TooMany`] after wrong passwords in a row; [`Error::Conflict`] when it was changed elsewhere meanwhile.
pub async fn set_password(ctx: &Ctx, old: String, new: String) -> Result<()> {
    let session = ctx.session()?.clone();
    let sql = "select login, password_hash from account where customer_id = $1";
    let row = ctx.app.db.one(sql, args![&session.customer_id]).await?;
    let (login, hash): (Option<String>, Option<String>) = (row.get("login")?, row.get("password_hash")?);
    let targets = targets(ctx, &session.customer_id).await?;
    let names: Vec<_> = targets.iter().map(Target::known_part).chain(login.as_deref()).collect();
    password::check(&ctx.app.config, &new, &names).map_err(|p| Error::field("new", p))?;
    let guarded = Guarded::new(&ctx.app.keys, &ctx.asker, &own_password(&session.customer_id));
    let before = hash.clone();
    match hash {
        _ if session.proved(ctx.now) => {}
        None => return Err(Error::field("new", Problem::Proof)),
        Some(hash) => {
            let place = password::place()?;
            attempt::begin(&ctx.app, &guarded, ctx.now).await?;
            if !place.verify(old, hash).await? {
                return Err(Error::field("old", Problem::Credentials));
            }
        }
    }
    let hash = password::hash(new).await?;
    let (app, now, locale) = (ctx.app.clone(), ctx.now, ctx.locale);
    let news = What::PasswordSet { device: ctx.asker.device.clone(), page: risk::security_page(&app) };
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (app, session, hash) = (app.clone(), session.clone(), hash.clone());
            let (guarded, before, news) = (guarded.clone(), before.clone(), news.clone());
            Box::pin(async move {
                // Not over a password that was set meanwhile, and not with a session that was ended meanwhile.
                let sql = "update account set password_hash = $2 where customer_id = $1
                    and coalesce(password_hash, '') = $3 and exists (select 1 from session where id = $4)";
                let args = args![&session.customer_id, hash, before.unwrap_or_default(), &session.id];
                if tx.exec(sql, args).await? == 0 {
                    return Err(Error::Conflict);
                }
                attempt::succeeded(tx, &guarded).await?;
                risk::tell(tx, &app, &session.customer_id, news, locale, now).await?;
                let actor = format!("customer:{}", session.customer_id);
                let entry = Entry { subject: actor.clone(), actor, action: Action::PasswordSet, detail: String::new() };
                audit::record(tx, &app.keys, &entry, now).await?;
                pending::end_all(tx, &session.customer_id).await?;
                session::end_all_but(tx, &session.customer_id, &session.id).await
            })
        })
        .await?;
    ctx.app.wake.notify_waiters();
    Ok(())
}

/// Under which failed tries of their own password by those who are signed in are counted.
pub fn own_password(customer: &str) -> String {
    format!("own password:{customer}")
}

fn name_place(customer: &str) -> String {
    format!("account.name:{customer}")
}

/// Where a target of an account is sealed to.
pub fn target_place(customer: &str, kind: &str) -> String {
    format!("account_target.{kind}:{customer}")
}
