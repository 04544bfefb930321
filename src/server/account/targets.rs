//! What an account is reached by, changed by its owner: a phone or an e-mail address is added, takes the place of the one
//! before, or is taken away. All that the account was reached by until then is told.
//!
//! Whoever asks shows anew who this is, and that the new one is theirs: by a code. The id of such a code says for which
//! session it is and until when, under a signature, so that a code that was asked for without that proof, as anybody may
//! for signing in, changes nothing about an account.

use super::{
    attempt,
    code::{self, Tried},
    pending, profile, proof,
    session::{self, PROVED_MS, Session},
};
use crate::{
    args,
    domain::{
        Error, Result,
        account::{SentCode, Target},
        error::Problem,
    },
    server::{
        Ctx,
        audit::{self, Action, Entry},
        context::{internal, unreadable},
        crypto::{self, Keys},
        db::Tx,
        message::What,
        refusal::{self, Method},
        risk,
    },
};

/// For what the ids of such codes are signed.
const PURPOSE: &str = "target code";
/// Between the parts of such an id; no other id of a code has it.
const BETWEEN: char = '.';

/// Sends a code to what the account is to be reached by, once it is sure who asks. Nothing tells whether another account
/// is reached by it.
///
/// # Errors
/// [`Error::Invalid`] about `target`, and those of [`proof::prove`] about `password`; [`Error::TooMany`] over the limits.
pub async fn add(ctx: &Ctx, country_code: &str, typed: &str, password: String) -> Result<SentCode> {
    let session = ctx.session()?.clone();
    let target = code::target(ctx, country_code, typed)?;
    if let Some(guarded) = proof::prove(ctx, &session, password).await? {
        attempt::over(&ctx.app, &guarded).await?;
    }
    code::send_as(ctx, new_id(ctx, &session, ctx.now + PROVED_MS)?, target).await
}

/// Sends another code to where one was sent before, as long as the proof lasts that was given for the first.
///
/// # Errors
/// [`Error::NotFound`] for a code of another session, and for one that is long gone, alike; [`Error::TooMany`] over the
/// limits.
pub async fn send_again(ctx: &Ctx, id: &str) -> Result<SentCode> {
    let session = ctx.session()?.clone();
    let until = until(&ctx.app.keys, &session, id, ctx.now).ok_or(Error::NotFound)?;
    let (target, _) = code::find(ctx, id).await?;
    code::send_as(ctx, new_id(ctx, &session, until)?, target).await
}

/// Lets the account be reached by the target of a code, in place of another of its kind. Where one was replaced, all
/// other devices are signed out: whoever got in by it is not left in.
///
/// # Errors
/// [`Error::Invalid`] about `code`: for a wrong one and for that of another session; `Taken`, once the code was right,
/// where another account is reached by it.
pub async fn confirm(ctx: &Ctx, id: &str, typed: &str) -> Result<()> {
    let session = ctx.session()?.clone();
    let refuse = |problem| Err(Error::field("code", problem));
    if typed.trim().is_empty() {
        return refuse(Problem::Required);
    }
    if until(&ctx.app.keys, &session, id, ctx.now).is_none() {
        return refuse(Problem::CodeOver);
    }
    let (app, now, locale) = (ctx.app.clone(), ctx.now, ctx.locale);
    let (id, typed, device) = (id.to_owned(), typed.to_owned(), ctx.asker.device.clone());
    let browser = risk::asking_device(ctx).unwrap_or_default();
    let confirmed = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (app, session, device) = (app.clone(), session.clone(), device.clone());
            let (id, typed, browser) = (id.clone(), typed.clone(), browser.clone());
            Box::pin(async move {
                let customer = &session.customer_id;
                let (hash, target) = match code::attempt(tx, &app.keys, (&id, &typed), &browser, now).await? {
                    Tried::Proved { target_hash, target } => (target_hash, target),
                    // Committed: the try counts.
                    Tried::Refused { problem, target_hash } => return Ok(Err((problem, target_hash))),
                };
                take_turn(tx, &session).await?;
                let taken = "select customer_id from account_target where target_hash = $1 and customer_id <> $2";
                if tx.optional(taken, args![&hash, customer]).await?.is_some() {
                    // Committed as well: the code is used up.
                    return Ok(Err((Problem::Taken, Some(hash))));
                }
                let before = all(tx, &app.keys, customer).await?;
                if before.contains(&target) {
                    return Ok(Ok(()));
                }
                let kind = target.kind();
                let page = risk::security_page(&app);
                let news = What::TargetSet { kind: kind.to_owned(), device, page };
                risk::tell_all(tx, &app, customer, news, locale, now).await?;
                let sealed = profile::seal_target(&app.keys, customer, &target)?;
                profile::set_target(tx, customer, (kind, &hash, &sealed), now).await?;
                if before.iter().any(|before| before.kind() == kind) {
                    end_others(tx, &session).await?;
                }
                audit::record(tx, &app.keys, &entry(customer, Action::TargetSet, kind), now).await?;
                Ok(Ok(()))
            })
        })
        .await?;
    ctx.app.wake.notify_waiters();
    confirmed.or_else(|(problem, target_hash)| {
        let subject = target_hash.unwrap_or_default();
        refusal::note(ctx, "a one-time code changed no account", Method::Code, &subject);
        refuse(problem)
    })
}

/// Takes a phone or an e-mail address away, once it is sure who asks, and signs out on all other devices. The last one
/// stays: an account that is reached nowhere is told of nothing, and lost with its password.
///
/// # Errors
/// Those of [`proof::prove`]; [`Error::NotFound`] where there is none of this kind; `LastTarget` of `kind` for the last.
pub async fn remove(ctx: &Ctx, kind: &str, password: String) -> Result<()> {
    let session = ctx.session()?.clone();
    let proved = proof::prove(ctx, &session, password).await?;
    let (app, now, locale) = (ctx.app.clone(), ctx.now, ctx.locale);
    let (kind, device) = (kind.to_owned(), ctx.asker.device.clone());
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (app, session, proved) = (app.clone(), session.clone(), proved.clone());
            let (kind, device) = (kind.clone(), device.clone());
            Box::pin(async move {
                let customer = &session.customer_id;
                take_turn(tx, &session).await?;
                let before = all(tx, &app.keys, customer).await?;
                if !before.iter().any(|target| target.kind() == kind) {
                    return Err(Error::NotFound);
                }
                if before.len() < 2 {
                    return Err(Error::field("kind", Problem::LastTarget));
                }
                let page = risk::security_page(&app);
                let news = What::TargetRemoved { kind: kind.clone(), device, page };
                risk::tell_all(tx, &app, customer, news, locale, now).await?;
                let sql = "delete from account_target where customer_id = $1 and kind = $2";
                tx.exec(sql, args![customer, &kind]).await?;
                if let Some(guarded) = proved {
                    attempt::succeeded(tx, &guarded).await?;
                }
                end_others(tx, &session).await?;
                audit::record(tx, &app.keys, &entry(customer, Action::TargetRemoved, &kind), now).await
            })
        })
        .await?;
    ctx.app.wake.notify_waiters();
    Ok(())
}

/// What an account is reached by, within a transaction.
///
/// # Errors
/// When it cannot be read or opened.
pub async fn all(tx: &mut Tx<'_>, keys: &Keys, customer: &str) -> Result<Vec<Target>> {
    let sql = "select kind, target_sealed from account_target where customer_id = $1 order by kind";
    let mut targets = Vec::new();
    for row in tx.all(sql, args![customer]).await? {
        let place = profile::target_place(customer, &row.get::<String>("kind")?);
        let plain = keys.open(&row.get::<Vec<u8>>("target_sealed")?, &place).map_err(|e| internal("crypto", &e))?;
        targets.push(serde_json::from_slice(&plain).map_err(|e| unreadable("target", &e))?);
    }
    Ok(targets)
}

/// Whether the id of a code is one of these: no sign-in comes of such a code.
pub fn is_for_account(id: &str) -> bool {
    id.contains(BETWEEN)
}

/// An id that cannot be guessed, for one session and until a time in UTC milliseconds.
fn new_id(ctx: &Ctx, session: &Session, until: i64) -> Result<String> {
    let token = crypto::token().map_err(|e| internal("random source", &e))?;
    let signature = ctx.app.keys.sign(PURPOSE, &signed(&token, session, until));
    Ok(format!("{token}{BETWEEN}{until}{BETWEEN}{signature}"))
}

/// Until when an id lets this session change the account, in UTC milliseconds; none for one that does not, or not any
/// more.
fn until(keys: &Keys, session: &Session, id: &str, now: i64) -> Option<i64> {
    let mut parts = id.splitn(3, BETWEEN);
    let (token, until, signature) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    (keys.verify(PURPOSE, &signed(token, session, until), signature) && now < until).then_some(until)
}

fn signed(token: &str, session: &Session, until: i64) -> String {
    format!("{token}:{}:{until}", session.id)
}

/// Those who change what an account is reached by at the same time wait here; not with a session that was ended
/// meanwhile.
async fn take_turn(tx: &mut Tx<'_>, session: &Session) -> Result<()> {
    let sql = "update account set created_at = created_at where customer_id = $1";
    tx.exec(sql, args![&session.customer_id]).await?;
    match tx.optional("select id from session where id = $1", args![&session.id]).await? {
        Some(_) => Ok(()),
        None => Err(Error::Unauthenticated),
    }
}

/// Ends what may have been begun by what the account is reached by no more.
async fn end_others(tx: &mut Tx<'_>, session: &Session) -> Result<()> {
    pending::end_all(tx, &session.customer_id).await?;
    session::end_all_but(tx, &session.customer_id, &session.id).await
}

fn entry(customer: &str, action: Action, kind: &str) -> Entry {
    let actor = format!("customer:{customer}");
    Entry { subject: actor.clone(), actor, action, detail: kind.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_for_one_session_and_ends() {
        let keys = Keys::new(&[7; 32]);
        let session = |id: &str| Session { id: id.into(), customer_id: "c".into(), by_code: true, opened_at: 0 };
        let (li, other) = (session("s"), session("t"));
        let signature = keys.sign(PURPOSE, &signed("token", &li, 1_000));
        let id = format!("token.1000.{signature}");
        assert!(is_for_account(&id));
        assert_eq!(until(&keys, &li, &id, 999), Some(1_000));
        assert_eq!(until(&keys, &li, &id, 1_000), None, "the proof is too old");
        assert_eq!(until(&keys, &other, &id, 999), None, "another session");
        for forged in
            [format!("token.2000.{signature}"), format!("other.1000.{signature}"), "token".into(), "..".into()]
        {
            assert_eq!(until(&keys, &li, &forged, 999), None, "{forged}");
        }
    }
}
