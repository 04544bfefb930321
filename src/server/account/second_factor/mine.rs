//! The second factor of the customer who asks, who has to show anew who this is before anything about it changes.

use super::{Owner, Shown, accept};
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        account::Target,
        error::Problem,
        second_factor::{Mine, Typed},
        texts::shell,
    },
    server::{
        App, Ctx,
        account::{
            attempt::{self, Guarded},
            code, password, pending, profile,
            session::{self, Session},
        },
        audit::{self, Action, Entry},
        context::now,
        db::Tx,
        message::What,
        refusal::{self, Method},
        risk::{self, Browser},
    },
};

/// Where it stands; none for a guest.
///
/// # Errors
/// When it cannot be read or opened.
pub async fn get(ctx: &Ctx) -> Result<Option<Mine>> {
    let (Some(session), Some(profile)) = (&ctx.session, profile::get(ctx).await?) else { return Ok(None) };
    let name = profile.login.or(profile.email).or(profile.phone).unwrap_or_default();
    let issuer = ctx.locale.t(shell::NAME);
    let second = super::state(&ctx.app, &owner(session), &session.id, (issuer, &name), ctx.now).await?;
    Ok(Some(Mine { second, has_password: profile.has_password, proved: profile.proved }))
}

/// Whether a sign-in of this browser waits for it.
///
/// # Errors
/// When the database cannot be read.
pub async fn is_awaited(ctx: &Ctx) -> Result<bool> {
    let pending = crate::server::account::pending::find(&ctx.app, ctx.pending.as_deref(), ctx.now).await?;
    Ok(pending.is_some_and(|pending| matches!(pending.owner, Owner::Customer(_))))
}

/// Takes the second factor of a customer away, for the operator: a phone was lost, and the recovery codes too. Ends all
/// sessions. The owner is told.
///
/// # Errors
/// [`Error::Invalid`] for what is neither phone nor e-mail, [`Error::NotFound`] where no account has it.
pub async fn reset(app: &App, typed: &str) -> Result<()> {
    let target = Target::read("+86", typed).map_err(|problem| Error::field("target", problem))?;
    let (shop, hash, now) = (app.clone(), code::hash_of(&app.keys, &target), now());
    app.db
        .write::<_, Error>(move |tx| {
            let (app, hash) = (shop.clone(), hash.clone());
            Box::pin(async move {
                let sql = "select customer_id from account_target where target_hash = $1";
                let row = tx.optional(sql, args![hash]).await?.ok_or(Error::NotFound)?;
                let customer: String = row.get("customer_id")?;
                let owner = Owner::Customer(customer.clone());
                if super::remove(tx, &app.keys, &owner).await? {
                    // Nobody who has a language asks.
                    risk::tell(tx, &app, &customer, What::SecondFactorReset, Locale::default(), now).await?;
                }
                tx.exec("delete from session where customer_id = $1", args![customer]).await?;
                let entry = owner.entry(Action::SecondFactorReset, String::new());
                audit::record(tx, &app.keys, &Entry { actor: "operator".to_owned(), ..entry }, now).await
            })
        })
        .await
}

fn owner(session: &Session) -> Owner {
    Owner::Customer(session.customer_id.clone())
}

/// Begins to set it up: whoever asks has just signed in with a code, or knows the password.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in; [`Error::Invalid`] about the password, `Proof` where there is none;
/// [`Error::TooMany`] after wrong ones in a row; [`Error::Conflict`] where it is on.
pub async fn begin(ctx: &Ctx, password: String) -> Result<()> {
    let session = ctx.session()?.clone();
    let proof = if session.proved(ctx.now) { None } else { Some(by_password(ctx, &session, password).await?) };
    let (app, now) = (ctx.app.clone(), ctx.now);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (app, session, proof) = (app.clone(), session.clone(), proof.clone());
            Box::pin(async move {
                still_in(tx, &session).await?;
                if let Some(proof) = &proof {
                    proof.take(tx, &session).await?;
                }
                super::begin(tx, &app.keys, &owner(&session), &session.id, now).await
            })
        })
        .await
}

/// Turns it on with a code of the app, and ends all other sessions. The owner is told.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in; `SecondFactor` of `code` for a wrong one; [`Error::Conflict`] where
/// it is on, or was begun elsewhere or too long ago.
pub async fn confirm(ctx: &Ctx, typed: &str) -> Result<()> {
    let session = ctx.session()?.clone();
    let typed = read(typed)?;
    let (app, now, locale) = (ctx.app.clone(), ctx.now, ctx.locale);
    let news = What::SecondFactorOn { device: ctx.asker.device.clone(), page: risk::security_page(&app) };
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (app, session, typed, news) = (app.clone(), session.clone(), typed.clone(), news.clone());
            Box::pin(async move {
                still_in(tx, &session).await?;
                risk::tell(tx, &app, &session.customer_id, news, locale, now).await?;
                super::confirm(tx, &app, &owner(&session), &typed, (&session.id, &session.id), now).await?;
                // Who got in without it, or is about to, is not left in.
                session::end_all_but(tx, &session.customer_id, &session.id).await?;
                pending::end_all(tx, &session.customer_id).await
            })
        })
        .await?;
    ctx.app.wake.notify_waiters();
    Ok(())
}

/// Shows the new recovery codes no more.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in.
pub async fn keep(ctx: &Ctx) -> Result<()> {
    let session = ctx.session()?.clone();
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let owner = owner(&session);
            Box::pin(async move { super::keep(tx, &owner).await })
        })
        .await
}

/// Makes new recovery codes in place of those before. The owner is told.
///
/// # Errors
/// As [`turn_off`].
pub async fn renew(ctx: &Ctx, code: &str) -> Result<()> {
    change(ctx, code, Change::Renew).await
}

/// Turns it off: by a code of the app or by a recovery code. The password is not enough, because that it may be known is
/// why there is a second factor. The owner is told.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in; [`Error::Invalid`] about `code`; [`Error::TooMany`]
/// after wrong ones in a row; [`Error::Conflict`] where it is off.
pub async fn turn_off(ctx: &Ctx, code: &str) -> Result<()> {
    change(ctx, code, Change::Off).await
}

#[derive(Clone, Copy)]
enum Change {
    Renew,
    Off,
}

async fn change(ctx: &Ctx, code: &str, what: Change) -> Result<()> {
    let session = ctx.session()?.clone();
    let typed = read(code)?;
    let known = risk::known_device(ctx, &session.customer_id).await?;
    let guarded = Guarded::new(&ctx.app.keys, &ctx.asker, &owner(&session).guarded()).known(known.as_deref());
    attempt::begin(&ctx.app, &guarded, ctx.now).await?;
    let (subject, method) = (guarded.subject().to_owned(), Method::of(&typed));
    let (app, browser, now, locale) = (ctx.app.clone(), Browser::of(ctx)?, ctx.now, ctx.locale);
    let (device, page) = (ctx.asker.device.clone(), risk::security_page(&app));
    let news = match what {
        Change::Renew => What::RecoveryCodesRenewed { device, page },
        Change::Off => What::SecondFactorOff { device, page },
    };
    let done = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (app, browser) = (app.clone(), browser.clone());
            let (session, news) = (session.clone(), news.clone());
            let (typed, guarded) = (typed.clone(), guarded.clone());
            Box::pin(async move {
                let owner = owner(&session);
                still_in(tx, &session).await?;
                if !super::is_on(tx, &owner).await? {
                    return Err(Error::Conflict);
                }
                let Some(shown) = accept(tx, &app, &owner, &typed, now).await? else { return Ok(false) };
                attempt::succeeded(tx, &guarded).await?;
                if let Shown::Recovery(left) = shown {
                    browser.note_recovery(tx, &app, &session.customer_id, left, now).await?;
                }
                risk::tell(tx, &app, &session.customer_id, news, locale, now).await?;
                super::record(tx, &app, &owner, shown, now).await?;
                match what {
                    Change::Renew => super::renew(tx, &app, &owner, &session.id, now).await?,
                    Change::Off => {
                        if !super::remove(tx, &app.keys, &owner).await? {
                            return Err(Error::Conflict);
                        }
                        let entry = owner.entry(Action::SecondFactorOff, String::new());
                        audit::record(tx, &app.keys, &entry, now).await?;
                    }
                }
                Ok(true)
            })
        })
        .await?;
    ctx.app.wake.notify_waiters();
    if done {
        return Ok(());
    }
    refusal::note(ctx, "a second factor was refused", method, &subject);
    Err(Error::field("code", Problem::SecondFactor))
}

/// A password that was right.
#[derive(Clone)]
struct Known {
    hash: String,
    guarded: Guarded,
}

impl Known {
    /// Forgets the failures before it; a password that was replaced meanwhile is none.
    async fn take(&self, tx: &mut Tx<'_>, session: &Session) -> Result<()> {
        let sql = "update account set password_hash = password_hash where customer_id = $1 and password_hash = $2";
        if tx.exec(sql, args![&session.customer_id, &self.hash]).await? == 0 {
            return Err(Error::Conflict);
        }
        attempt::succeeded(tx, &self.guarded).await
    }
}

async fn by_password(ctx: &Ctx, session: &Session, typed: String) -> Result<Known> {
    let sql = "select password_hash from account where customer_id = $1";
    let row = ctx.app.db.one(sql, args![&session.customer_id]).await?;
    let Some(hash) = row.get::<Option<String>>("password_hash")? else {
        return Err(Error::field("password", Problem::Proof));
    };
    if typed.is_empty() {
        return Err(Error::field("password", Problem::Required));
    }
    let guarded = Guarded::new(&ctx.app.keys, &ctx.asker, &profile::own_password(&session.customer_id));
    let place = password::place()?;
    attempt::begin(&ctx.app, &guarded, ctx.now).await?;
    match place.verify(typed, hash.clone()).await? {
        true => Ok(Known { hash, guarded }),
        false => Err(Error::field("password", Problem::Credentials)),
    }
}

fn read(typed: &str) -> Result<Typed> {
    Typed::read(typed).map_err(|problem| Error::field("code", problem))
}

/// Not with a session that was ended meanwhile.
async fn still_in(tx: &mut Tx<'_>, session: &Session) -> Result<()> {
    match tx.optional("select id from session where id = $1", args![&session.id]).await? {
        Some(_) => Ok(()),
        None => Err(Error::Unauthenticated),
    }
}
