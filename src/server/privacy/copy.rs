//! A copy of all that is kept of a customer: asked for, made by a job, fetched by its owner alone, gone after a while.
//!
//! The file lies sealed in the database in parts, so that every node can give it out, a backup of the database reveals
//! nothing of it, and no part is too large for one transaction.

use super::{collect::collect, files, store};
use crate::domain::{Error, Locale, Result, privacy::DataCopy};
use crate::server::{
    App, Ctx,
    audit::{self, Action, Entry},
    context::{internal, new_id},
};
use bytes::Bytes;
use futures::{Stream, stream};

/// The size of a part before it is sealed, in bytes.
const PART: usize = 256 * 1024;
/// How long making a copy may take before another node tries, in milliseconds.
const LEASE_MS: i64 = 5 * 60_000;
/// The pause after a failure, in milliseconds; each further one is as much longer.
const PAUSE_MS: i64 = 60_000;
/// After so many failures nobody tries any more until the customer asks again.
const ATTEMPTS: i64 = 5;

/// Asks for a copy; while there is one or one is being made, that is the answer.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in, [`Error::TooMany`] over the limit of a day.
pub async fn ask(ctx: &Ctx) -> Result<DataCopy> {
    let customer = ctx.session()?.customer_id.clone();
    let (app, id, locale, now) = (ctx.app.clone(), new_id(), ctx.locale, ctx.now);
    let copy = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (app, customer, id) = (app.clone(), customer.clone(), id.clone());
            Box::pin(async move {
                let (copy, new) = store::ask_copy(tx, &customer, &id, locale.tag(), now).await?;
                if new {
                    audit::record(tx, &app.keys, &entry(&customer, Action::DataExported, &copy.id), now).await?;
                }
                Ok(copy)
            })
        })
        .await?;
    ctx.app.wake.notify_waiters();
    Ok(copy)
}

/// Throws a copy away.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in, [`Error::NotFound`] for a copy of somebody else.
pub async fn discard(ctx: &Ctx, id: &str) -> Result<()> {
    let (customer, id) = (ctx.session()?.customer_id.clone(), id.to_owned());
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (customer, id) = (customer.clone(), id.clone());
            Box::pin(async move { store::discard(tx, &customer, &id).await })
        })
        .await
}

/// A file that is being fetched.
pub struct Download {
    /// In bytes.
    pub size: i64,
    app: App,
    id: String,
    attempt: i64,
}

/// Opens a copy for its owner, which is put on record.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in, [`Error::Forbidden`] when that was too long ago,
/// [`Error::NotFound`] for another customer's copy and for one that is not there alike.
pub async fn download(ctx: &Ctx, id: &str) -> Result<Download> {
    let session = ctx.session()?;
    let (attempt, size) = store::ready_copy(&ctx.app.db, &session.customer_id, id, ctx.now).await?;
    if !session.fresh(ctx.now) {
        return Err(Error::Forbidden);
    }
    let (app, now) = (ctx.app.clone(), ctx.now);
    let entry = entry(&session.customer_id, Action::DataDownloaded, id);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (app, entry) = (app.clone(), entry.clone());
            Box::pin(async move { audit::record(tx, &app.keys, &entry, now).await })
        })
        .await?;
    Ok(Download { size, app: ctx.app.clone(), id: id.to_owned(), attempt })
}

impl Download {
    /// The file, part by part.
    pub fn parts(self) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
        stream::try_unfold((self, 0), |(file, position)| async move {
            let Some(sealed) = store::part(&file.app.db, &file.id, file.attempt, position).await? else {
                return Ok(None);
            };
            let place = place(&file.id, file.attempt, position);
            let plain = file.app.keys.open(&sealed, &place).map_err(|e| internal("crypto", &e))?;
            Ok(Some((Bytes::from(plain), (file, position + 1))))
        })
    }
}

/// Makes the copies that are due; answers with how many were made.
pub(super) async fn make_due(app: &App, now: i64) -> Result<usize> {
    let mut made = 0;
    for due in store::due_copies(&app.db, now).await? {
        let (claimed, until) = (due.clone(), now + LEASE_MS);
        let attempt = app
            .db
            .write::<_, Error>(move |tx| {
                let due = claimed.clone();
                Box::pin(async move { Ok(store::claim(tx, &due, until).await?) })
            })
            .await?;
        let Some(attempt) = attempt else { continue };
        match make(app, &due, attempt, now).await {
            Ok(()) => made += 1,
            Err(error) => {
                // Without who it is: the id leads there.
                tracing::error!(copy = %due.id, attempt, %error, "a copy of a customer's data could not be made");
                let state = if attempt < ATTEMPTS { "asked" } else { "failed" };
                let (id, next_at) = (due.id, now + PAUSE_MS * attempt);
                app.db
                    .write::<_, Error>(move |tx| {
                        let id = id.clone();
                        Box::pin(async move { Ok(store::put_back(tx, &id, attempt, state, next_at).await?) })
                    })
                    .await?;
            }
        }
    }
    Ok(made)
}

async fn make(app: &App, due: &store::Due, attempt: i64, now: i64) -> Result<()> {
    let locale = Locale::from_tag(&due.locale).unwrap_or_default();
    let ctx = Ctx { now, locale, ..Ctx::system(app) };
    let tables = collect(app, &due.customer, &ctx).await?;
    let file = files::pack(&tables, locale, now)?;
    drop(tables);
    for (position, part) in (0i64..).zip(file.chunks(PART)) {
        let sealed = app.keys.seal(part, &place(&due.id, attempt, position)).map_err(|e| internal("crypto", &e))?;
        let id = due.id.clone();
        app.db
            .write::<_, Error>(move |tx| {
                let (id, sealed) = (id.clone(), sealed.clone());
                Box::pin(async move { Ok(store::add_part(tx, &id, attempt, position, &sealed).await?) })
            })
            .await?;
    }
    let bytes = i64::try_from(file.len()).map_err(|e| internal("zip", &e))?;
    let id = due.id.clone();
    let done = app
        .db
        .write::<_, Error>(move |tx| {
            let id = id.clone();
            Box::pin(async move { Ok(store::finish(tx, &id, attempt, bytes, now).await?) })
        })
        .await?;
    tracing::info!(copy = %due.id, bytes, done, "a copy of a customer's data was made");
    Ok(())
}

/// Removes copies that are over.
pub(super) async fn expire(app: &App, now: i64) -> Result<()> {
    // A look costs nothing, while a write waits for its turn.
    if !store::any_over(&app.db, now).await? {
        return Ok(());
    }
    app.db.write::<_, Error>(move |tx| Box::pin(async move { Ok(store::expire(tx, now).await?) })).await
}

fn entry(customer: &str, action: Action, id: &str) -> Entry {
    let actor = format!("customer:{customer}");
    Entry { subject: actor.clone(), actor, action, detail: format!("copy:{id}") }
}

fn place(id: &str, attempt: i64, position: i64) -> String {
    format!("privacy_export.part:{id}:{attempt}:{position}")
}
