//! What the office does with reviews: it answers them, hides those that must not be seen, and shows them again.

use super::{
    store::{self, Held},
    tell_pages,
};
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        account::Target,
        choice::Topic,
        error::Problem,
        page::Page,
        permission::Permission,
        review::{MAX_ANSWER, MAX_REASON, OfficeFilter, OfficeReview, needed_text},
    },
    server::{
        App, Ctx,
        audit::{self, Action, Entry},
        booking::tell::{self, Reader},
        db::Tx,
        message::What,
        order::store as orders,
    },
};

/// How long the author is told that a review was hidden, in milliseconds: a week.
const TELL_MS: i64 = 7 * 24 * 60 * 60_000;

/// A page of the reviews of all products, the newest first.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff, [`Error::Forbidden`] without the permission.
pub async fn list(ctx: &Ctx, filter: OfficeFilter, page: i64) -> Result<Page<OfficeReview>> {
    ctx.require(Permission::TendReviews)?;
    let locale = ctx.locale;
    ctx.app
        .db
        .read::<_, Error>(move |tx| Box::pin(async move { store::office_list(tx, locale, filter, page).await }))
        .await
}

/// Answers a review in public, or puts another answer in the place of the one before.
///
/// # Errors
/// As [`list`]; [`Error::NotFound`] for an unknown review, [`Error::Invalid`] with the problem of `answer`.
pub async fn answer(ctx: &Ctx, id: &str, typed: &str) -> Result<()> {
    let actor = ctx.require(Permission::TendReviews)?.actor();
    let text = needed_text(typed, MAX_ANSWER).map_err(|problem| Error::field("answer", problem))?;
    let (app, id, now) = (ctx.app.clone(), id.to_owned(), ctx.now);
    let product = ctx.app.db.write::<_, Error>(move |tx| {
        let (app, id, text, actor) = (app.clone(), id.clone(), text.clone(), actor.clone());
        Box::pin(async move {
            let Held { product_id, .. } = store::hold(tx, &id).await?.ok_or(Error::NotFound)?;
            let sql = "update review set answer = $2, answered_at = $3, version = version + 1
                where id = $1 and (answer is null or answer <> $2)";
            if tx.exec(sql, args![&id, text, now]).await? == 0 {
                // The same was said before.
                return Ok(None);
            }
            // What is shown of it changed, though not its stars.
            store::count(tx, &product_id, (0, 0), now).await?;
            record(tx, &app, (actor, Action::ReviewAnswered), &id, String::new(), now).await?;
            Ok(Some(product_id))
        })
    });
    tell_pages(&ctx.app, product.await?, "a review was answered");
    Ok(())
}

/// Hides a review: it is neither shown nor counted. The reason goes on record, and its author is told. Hiding it twice is
/// once.
///
/// # Errors
/// As [`list`]; [`Error::NotFound`] for an unknown review, [`Error::Invalid`] with the problem of `reason`.
pub async fn hide(ctx: &Ctx, id: &str, reason: &str) -> Result<()> {
    let actor = ctx.require(Permission::TendReviews)?.actor();
    let reason = needed_text(reason, MAX_REASON).map_err(|problem| Error::field("reason", problem))?;
    let (app, id, now) = (ctx.app.clone(), id.to_owned(), ctx.now);
    let product = ctx.app.db.write::<_, Error>(move |tx| {
        let (app, id, reason, actor) = (app.clone(), id.clone(), reason.clone(), actor.clone());
        Box::pin(async move {
            let held = store::hold(tx, &id).await?.ok_or(Error::NotFound)?;
            if held.hidden {
                return Ok(None);
            }
            let sql = "update review set hidden_at = $2, hidden_reason = $3, version = version + 1 where id = $1";
            tx.exec(sql, args![&id, now, &reason]).await?;
            store::count(tx, &held.product_id, (-held.stars, -1), now).await?;
            tell_author(tx, &app, &id, &reason, now).await?;
            record(tx, &app, (actor, Action::ReviewHidden), &id, reason, now).await?;
            Ok(Some(held.product_id))
        })
    });
    tell_pages(&ctx.app, product.await?, "a review was hidden");
    ctx.app.wake.notify_waiters();
    Ok(())
}

/// Shows a hidden review again. Showing it twice is once.
///
/// # Errors
/// As [`list`]; [`Error::NotFound`] for an unknown review; [`Error::Invalid`] for one that its author removed meanwhile.
pub async fn show(ctx: &Ctx, id: &str) -> Result<()> {
    let actor = ctx.require(Permission::TendReviews)?.actor();
    let (app, id, now) = (ctx.app.clone(), id.to_owned(), ctx.now);
    let product = ctx.app.db.write::<_, Error>(move |tx| {
        let (app, id, actor) = (app.clone(), id.clone(), actor.clone());
        Box::pin(async move {
            let held = store::hold(tx, &id).await?.ok_or(Error::NotFound)?;
            if !held.hidden {
                return Ok(None);
            }
            if held.removed {
                return Err(Error::field("id", Problem::ReviewClosed));
            }
            let sql = "update review set hidden_at = null, hidden_reason = '', version = version + 1 where id = $1";
            tx.exec(sql, args![&id]).await?;
            store::count(tx, &held.product_id, (held.stars, 1), now).await?;
            record(tx, &app, (actor, Action::ReviewShown), &id, String::new(), now).await?;
            Ok(Some(held.product_id))
        })
    });
    tell_pages(&ctx.app, product.await?, "a review is shown again");
    Ok(())
}

async fn record(
    tx: &mut Tx<'_>,
    app: &App,
    (actor, action): (String, Action),
    id: &str,
    detail: String,
    now: i64,
) -> Result<()> {
    let entry = Entry { actor, action, subject: format!("review:{id}"), detail };
    audit::record(tx, &app.keys, &entry, now).await
}

/// Tells whoever wrote a review that it was hidden, and why. Of one without an order nobody is known.
async fn tell_author(tx: &mut Tx<'_>, app: &App, id: &str, reason: &str, now: i64) -> Result<()> {
    let sql = "select r.order_id, r.position, l.title, o.locale from review r
            join order_line l on l.order_id = r.order_id and l.position = r.position
            join orders o on o.id = r.order_id where r.id = $1";
    let Some(row) = tx.optional(sql, args![id]).await? else { return Ok(()) };
    let order = orders::by_id(tx, &row.get::<String>("order_id")?).await?;
    let contact = order.contact_by(&app.keys)?;
    let (phone, email) = (contact.phone.map(Target::Phone), contact.email.map(Target::Email));
    let reader = Reader {
        customer: &order.customer_id,
        otherwise: [phone, email].into_iter().flatten().collect(),
        topic: Topic::Order,
        locale: Locale::from_tag(&row.get::<String>("locale")?).unwrap_or_default(),
        until: now.saturating_add(TELL_MS),
    };
    let position: i64 = row.get("position")?;
    let page = format!("{}/orders/{}/review/{position}", app.config.public_url, order.number);
    let what = What::ReviewHidden { title: row.get("title")?, reason: reason.to_owned(), page };
    tell::tell(tx, app, reader, &what, now).await
}
