//! The second factor of the member of staff who asks: of one who gave the password and waits at the door, or of one who is
//! in the office.

use super::{Owner, Shown, accept};
use crate::{
    args,
    domain::{
        Error, Result,
        error::Problem,
        second_factor::{OfStaff, SecondFactor, Typed},
        texts::{office, shell},
    },
    server::{
        App, Ctx,
        account::{
            NewStaffSession, STAFF_SESSION,
            attempt::{self, Guarded},
            pending,
        },
        audit::{self, Action, Entry},
        context::now,
        db::Tx,
        http,
        refusal::{self, Method},
        risk,
    },
};

/// Who asks.
#[derive(Clone)]
struct Who {
    owner: Owner,
    /// Names the session, or the sign-in that waits.
    shown_to: String,
    /// The token of the sign-in that waits; none for one who is in the office.
    waits: Option<String>,
}

async fn who(ctx: &Ctx) -> Result<Option<Who>> {
    if let Some(staff) = ctx.inside() {
        let row = ctx.app.db.one("select id from staff where login = $1", args![&staff.login]).await?;
        let owner = Owner::Staff { id: row.get("id")?, login: staff.login.clone() };
        let shown_to = name_of(&ctx.app, ctx.staff_token.as_deref().unwrap_or_default());
        return Ok(Some(Who { owner, shown_to, waits: None }));
    }
    let Some(token) = &ctx.staff_pending else { return Ok(None) };
    let found = pending::find(&ctx.app, Some(token), ctx.now).await?;
    let Some(owner) = found.map(|found| found.owner).filter(|owner| matches!(owner, Owner::Staff { .. })) else {
        return Ok(None);
    };
    Ok(Some(Who { owner, shown_to: name_of(&ctx.app, token), waits: Some(token.clone()) }))
}

fn name_of(app: &App, token: &str) -> String {
    app.keys.lookup("second factor", token)
}

/// Where it stands; none for a stranger.
///
/// # Errors
/// When it cannot be read or opened.
pub async fn get(ctx: &Ctx) -> Result<Option<OfStaff>> {
    let Some(Who { owner, shown_to, waits }) = who(ctx).await? else { return Ok(None) };
    let Owner::Staff { login, .. } = &owner else { return Ok(None) };
    let issuer = format!("{} {}", ctx.locale.t(shell::NAME), ctx.locale.t(office::NAME));
    let second = super::state(&ctx.app, &owner, &shown_to, (&issuer, login), ctx.now).await?;
    let second = match second {
        // One who waits knows the password alone.
        SecondFactor::On(on) if waits.is_some() => SecondFactor::On(super::On { codes: Vec::new(), left: 0, ..on }),
        second => second,
    };
    Ok(Some(OfStaff { login: login.clone(), inside: waits.is_none(), second }))
}

/// Begins to set it up.
///
/// # Errors
/// [`Error::Unauthenticated`] for a stranger, [`Error::Conflict`] where it is on.
pub async fn begin(ctx: &Ctx) -> Result<()> {
    let who = who(ctx).await?.ok_or(Error::Unauthenticated)?;
    let (app, now) = (ctx.app.clone(), ctx.now);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (app, who) = (app.clone(), who.clone());
            Box::pin(async move { super::begin(tx, &app.keys, &who.owner, &who.shown_to, now).await })
        })
        .await
}

/// Turns it on with a code of the app, which opens the office.
///
/// # Errors
/// [`Error::Unauthenticated`] for a stranger; `SecondFactor` of `code` for a wrong one; [`Error::Conflict`] where it is on,
/// or was begun elsewhere or too long ago.
pub async fn confirm(ctx: &Ctx, typed: &str) -> Result<()> {
    let who = who(ctx).await?.ok_or(Error::Unauthenticated)?;
    let typed = read(typed)?;
    let session = NewStaffSession::new(ctx)?;
    let opens = who.waits.is_some();
    let next = if opens { name_of(&ctx.app, session.token()) } else { who.shown_to.clone() };
    let kept = ctx.staff_token.as_deref().filter(|_| !opens);
    let kept = kept.map(|token| ctx.app.keys.lookup(STAFF_SESSION, token)).unwrap_or_default();
    let (app, open, now) = (ctx.app.clone(), session.clone(), ctx.now);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (app, who, session) = (app.clone(), who.clone(), open.clone());
            let (typed, next, kept) = (typed.clone(), next.clone(), kept.clone());
            Box::pin(async move {
                if let Some(token) = &who.waits {
                    take_turn(tx, &app, token, &who.owner, now).await?;
                    pending::end(tx, &app, token).await?;
                }
                super::confirm(tx, &app, &who.owner, &typed, (&who.shown_to, &next), now).await?;
                if let Owner::Staff { id, .. } = &who.owner {
                    // Those that the password alone opened would come to life with this factor.
                    let sql = "delete from staff_session where staff_id = $1 and token_hash <> $2";
                    tx.exec(sql, args![id, kept]).await?;
                }
                if let (Some(_), Owner::Staff { id, login }) = (&who.waits, &who.owner) {
                    session.open(tx, &app, (id, login), "password and app").await?;
                }
                Ok(())
            })
        })
        .await?;
    if opens {
        let_in(ctx, &session);
    }
    Ok(())
}

/// Completes a sign-in with a code of the app or a recovery code, and tells which it was.
///
/// # Errors
/// `SecondFactor` of `code` for a wrong one and for one that was used alike, `SignInOver` where nothing waits any more;
/// [`Error::TooMany`] after failures in a row.
pub async fn enter(ctx: &Ctx, typed: &str) -> Result<Shown> {
    let typed = read(typed)?;
    let waiting = match who(&Ctx { staff: None, staff_to_change: None, ..ctx.clone() }).await? {
        Some(Who { owner, waits: Some(token), .. }) => Some((owner, token)),
        _ => None,
    };
    let (owner, token) = waiting.ok_or_else(|| Error::field("code", Problem::SignInOver))?;
    let known = match &owner {
        Owner::Staff { id, .. } => risk::known_staff_device(ctx, id).await?,
        Owner::Customer(_) => None,
    };
    let guarded = Guarded::new(&ctx.app.keys, &ctx.asker, &owner.guarded()).known(known.as_deref());
    attempt::begin(&ctx.app, &guarded, ctx.now).await?;
    let session = NewStaffSession::new(ctx)?;
    let (subject, method) = (guarded.subject().to_owned(), Method::of(&typed));
    let (app, open, now) = (ctx.app.clone(), session.clone(), ctx.now);
    let shown = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (app, owner, token, session) = (app.clone(), owner.clone(), token.clone(), open.clone());
            let (typed, guarded) = (typed.clone(), guarded.clone());
            Box::pin(async move {
                take_turn(tx, &app, &token, &owner, now).await?;
                let Some(shown) = accept(tx, &app, &owner, &typed, now).await? else {
                    // Whoever comes so far has the password.
                    let entry = owner.entry(Action::SignInRefused, "second factor".to_owned());
                    audit::record(tx, &app.keys, &entry, now).await?;
                    return Ok(None);
                };
                pending::end(tx, &app, &token).await?;
                attempt::succeeded(tx, &guarded).await?;
                if let Owner::Staff { id, login } = &owner {
                    session.open(tx, &app, (id, login), super::by(false, Some(shown))).await?;
                }
                super::record(tx, &app, &owner, shown, now).await?;
                Ok(Some(shown))
            })
        })
        .await?;
    let Some(shown) = shown else {
        refusal::note(ctx, "a second factor of the office was refused", method, &subject);
        return Err(Error::field("code", Problem::SecondFactor));
    };
    let_in(ctx, &session);
    Ok(shown)
}

/// Makes new recovery codes in place of those before, for one who shows a code.
///
/// # Errors
/// [`Error::Unauthenticated`] for one who is not in the office; `SecondFactor` of `code` for a wrong one;
/// [`Error::TooMany`] after failures in a row.
pub async fn renew(ctx: &Ctx, typed: &str) -> Result<()> {
    ctx.staff()?;
    let who = who(ctx).await?.ok_or(Error::Unauthenticated)?;
    let typed = read(typed)?;
    let guarded = Guarded::new(&ctx.app.keys, &ctx.asker, &who.owner.guarded());
    attempt::begin(&ctx.app, &guarded, ctx.now).await?;
    let (subject, method) = (guarded.subject().to_owned(), Method::of(&typed));
    let (app, now) = (ctx.app.clone(), ctx.now);
    let done = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (app, who, typed, guarded) = (app.clone(), who.clone(), typed.clone(), guarded.clone());
            Box::pin(async move {
                let Some(shown) = accept(tx, &app, &who.owner, &typed, now).await? else { return Ok(false) };
                attempt::succeeded(tx, &guarded).await?;
                super::record(tx, &app, &who.owner, shown, now).await?;
                super::renew(tx, &app, &who.owner, &who.shown_to, now).await?;
                Ok(true)
            })
        })
        .await?;
    if done {
        return Ok(());
    }
    refusal::note(ctx, "a second factor of the office was refused", method, &subject);
    Err(Error::field("code", Problem::SecondFactor))
}

/// Shows the new recovery codes no more.
///
/// # Errors
/// [`Error::Unauthenticated`] for one who is not in the office.
pub async fn keep(ctx: &Ctx) -> Result<()> {
    ctx.inside().ok_or(Error::Unauthenticated)?;
    let who = who(ctx).await?.ok_or(Error::Unauthenticated)?;
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let owner = who.owner.clone();
            Box::pin(async move { super::keep(tx, &owner).await })
        })
        .await
}

/// Takes the second factor of a member of staff away, for the operator: a phone was lost, and the recovery codes too. Ends
/// all sessions; the next sign-in sets up another one.
///
/// # Errors
/// [`Error::NotFound`] for an unknown login.
pub async fn reset(app: &App, login: &str) -> Result<()> {
    let (shop, login, now) = (app.clone(), login.trim().to_lowercase(), now());
    app.db
        .write::<_, Error>(move |tx| {
            let (app, login) = (shop.clone(), login.clone());
            Box::pin(async move {
                let row = tx.one("select id from staff where login = $1", args![&login]).await?;
                let owner = Owner::Staff { id: row.get("id")?, login: login.clone() };
                super::remove(tx, &app.keys, &owner).await?;
                tx.exec("delete from staff_session where staff_id = $1", args![row.get::<String>("id")?]).await?;
                let entry = owner.entry(Action::SecondFactorReset, String::new());
                audit::record(tx, &app.keys, &Entry { actor: "operator".to_owned(), ..entry }, now).await
            })
        })
        .await
}

/// Makes sure that the sign-in still waits, and that nobody else completes it.
async fn take_turn(tx: &mut Tx<'_>, app: &App, token: &str, owner: &Owner, now: i64) -> Result<()> {
    match pending::take_turn(tx, app, token, now).await? {
        Some(pending) if pending.owner == *owner => Ok(()),
        _ => Err(Error::field("code", Problem::SignInOver)),
    }
}

fn let_in(ctx: &Ctx, session: &NewStaffSession) {
    session.set_cookie(&ctx.app);
    http::set_cookie(&ctx.app, http::STAFF_PENDING_COOKIE, "", 0);
}

fn read(typed: &str) -> Result<Typed> {
    Typed::read(typed).map_err(|problem| Error::field("code", problem))
}
