//! The password of the member of staff who asks: what the operator chose is replaced at the first sign-in, and any other
//! by whoever knows it.

use super::{
    attempt::{self, Guarded},
    password, staff,
};
use crate::{
    args,
    domain::{
        Error, Result,
        error::{Check, Problem},
        office::OfficePassword,
    },
    server::{
        Ctx,
        audit::{self, Action},
        refusal::{self, Method},
    },
};

/// Whose password is set, and whether it has to be; none for a stranger.
pub fn own_password(ctx: &Ctx) -> Option<OfficePassword> {
    let login = ctx.inside()?.login.clone();
    Some(OfficePassword { login, first: ctx.staff_to_change.is_some() })
}

/// Sets a password of one's own and ends all other sessions. Whoever has to set one has just signed in with the old one;
/// everybody else shows it.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff; [`Error::Invalid`] with the problems by field; [`Error::TooMany`]
/// after wrong passwords in a row; [`Error::Conflict`] when it was changed elsewhere meanwhile.
pub async fn set_own_password(ctx: &Ctx, old: String, new: String) -> Result<()> {
    let login = ctx.inside().ok_or(Error::Unauthenticated)?.login.clone();
    let first = ctx.staff_to_change.is_some();
    let mut check = Check::default();
    if !first && old.is_empty() {
        check.add("old", Problem::Required);
    }
    check.take("new", password::check(&ctx.app.config, &new, &[&login]));
    check.finish()?;
    let sql = "select id, password_hash from staff where login = $1";
    let row = ctx.app.db.optional(sql, args![&login]).await?.ok_or(Error::Unauthenticated)?;
    let (id, before): (String, String) = (row.get("id")?, row.get("password_hash")?);
    let guarded = Guarded::new(&ctx.app.keys, &ctx.asker, &format!("own password:staff:{login}"));
    let place = password::place()?;
    attempt::begin(&ctx.app, &guarded, ctx.now).await?;
    let same = old == new;
    let present = place.verify(if first { new.clone() } else { old }, before.clone()).await?;
    match (first, present) {
        (false, false) => {
            refusal::note(ctx, "a password of the office was refused", Method::Password, guarded.subject());
            return Err(Error::field("old", Problem::Credentials));
        }
        // The one that the operator knows is none of one's own.
        (true, true) => return Err(Error::field("new", Problem::PasswordSame)),
        (false, true) if same => return Err(Error::field("new", Problem::PasswordSame)),
        _ => {}
    }
    let hash = password::hash(new).await?;
    let token = ctx.staff_token.as_deref().unwrap_or_default();
    let kept = ctx.app.keys.lookup(staff::SESSION, token);
    let (app, now) = (ctx.app.clone(), ctx.now);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (app, login, id, guarded) = (app.clone(), login.clone(), id.clone(), guarded.clone());
            let (hash, before, kept) = (hash.clone(), before.clone(), kept.clone());
            Box::pin(async move {
                // Not over a password that was set meanwhile, and not with a session that was ended meanwhile.
                let sql =
                    "update staff set password_hash = $2, must_change = false where id = $1 and password_hash = $3
                    and exists (select 1 from staff_session where token_hash = $4 and staff_id = $1)";
                if tx.exec(sql, args![&id, hash, before, &kept]).await? == 0 {
                    return Err(Error::Conflict);
                }
                let sql = "delete from staff_session where staff_id = $1 and token_hash <> $2";
                tx.exec(sql, args![&id, kept]).await?;
                tx.exec("delete from pending_sign_in where staff_id = $1", args![id]).await?;
                attempt::succeeded(tx, &guarded).await?;
                attempt::replaced(tx, &app.keys, &staff::guarded(&login)).await?;
                audit::record(tx, &app.keys, &staff::entry(&login, Action::PasswordSet, String::new()), now).await
            })
        })
        .await
}
