//! Reviews: customers say of what they got how it was, everybody reads it, and the office answers.
//!
//! A review belongs to a line of an order and through it to whoever has the order; it is written once for each. Its stars
//! count in its product, in the transaction that changes them, so that lists need not add them up. Nothing of it is
//! sealed: it is published. The name it shows was covered before it was written.

pub mod demo;
mod office;
mod store;

pub use office::{answer, hide, list as office_list, show};

use self::store::Line;
use super::{
    App, Ctx,
    context::new_id,
    db::Tx,
    http::kept,
    order::{own, store as orders},
};
use crate::{
    args,
    domain::{
        Error, Result,
        error::Problem,
        live::Topic,
        order::State,
        review::{Draft, LineReview, ReviewForm, ReviewList, Wanted, shown_name},
    },
};

/// The field under which a review is kept that was refused without script.
pub const TYPED: &str = "review";

/// Reviews of a product that are shown.
///
/// # Errors
/// [`Error::NotFound`] for an unknown handle, a draft or an archived product.
pub async fn list(ctx: &Ctx, handle: &str, wanted: &Wanted) -> Result<ReviewList> {
    let changes = ctx.app.live.product_changes();
    let asked = (ctx.locale, handle.to_owned(), wanted.clone());
    ctx.app.reads.reviews.get(asked, changes, || read(ctx, handle, wanted)).await
}

async fn read(ctx: &Ctx, handle: &str, wanted: &Wanted) -> Result<ReviewList> {
    let (locale, handle, wanted) = (ctx.locale, handle.to_owned(), wanted.clone());
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let (handle, wanted) = (handle.clone(), wanted.clone());
            Box::pin(async move { store::list(tx, locale, &handle, &wanted).await })
        })
        .await
}

/// The form for the review of a line of one's own order.
///
/// # Errors
/// [`Error::NotFound`] for the order of someone else and for a line that it does not have.
pub async fn form(ctx: &Ctx, number: &str, position: i64) -> Result<ReviewForm> {
    // What was refused without script stands in the form again.
    let typed = kept::take(ctx, TYPED).and_then(|typed| serde_json::from_str::<Typed>(&typed).ok());
    let order = own(ctx, number).await?;
    let name = shown_name(&order.contact(ctx)?.recipient);
    let id = order.id.clone();
    let line = ctx.app.db.read::<_, Error>(move |tx| {
        let id = id.clone();
        Box::pin(async move { store::line(tx, &id, position).await })
    });
    let line = line.await?;
    let standing = line.standing(order.state, ctx.now);
    let typed = typed.filter(|typed| typed.number == order.number && typed.position == position);
    let Line { title, label, image, person, written, .. } = line;
    let hidden = written.as_ref().and_then(|written| written.hidden.clone());
    let draft = match (typed, written) {
        (Some(typed), _) => typed.draft,
        (None, Some(written)) if !written.removed => written.draft,
        (None, _) => Draft::default(),
    };
    Ok(ReviewForm { title, label, image, name, person: person.map(|(_, name)| name), draft, standing, hidden })
}

/// A review that was typed, with the line that it is of.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Typed {
    pub number: String,
    pub position: i64,
    pub draft: Draft,
}

/// Writes the review of a line of one's own order, or changes it. Sending it twice is once.
///
/// # Errors
/// [`Error::NotFound`] as in [`form`], [`Error::OrderClosed`] for an order that is not complete, [`Error::Invalid`] with the
/// problems by field, and with `ReviewClosed` of `stars` for what was not received and when it is too late.
pub async fn write(ctx: &Ctx, number: &str, position: i64, draft: Draft) -> Result<()> {
    let order = own(ctx, number).await?;
    let name = shown_name(&order.contact(ctx)?.recipient);
    let (id, now) = (order.id, ctx.now);
    let product = ctx.app.db.write::<_, Error>(move |tx| {
        let (id, draft, name) = (id.clone(), draft.clone(), name.clone());
        Box::pin(async move { write_in(tx, &id, position, &draft, &name, now).await })
    });
    tell_pages(&ctx.app, product.await?, "a review was written");
    Ok(())
}

/// Answers with the product of which what is shown changed.
async fn write_in(
    tx: &mut Tx<'_>,
    order_id: &str,
    position: i64,
    draft: &Draft,
    name: &str,
    now: i64,
) -> Result<Option<String>> {
    // Whoever sends the same form at the same time waits here, and finds the review written.
    let order = orders::lock(tx, order_id).await?;
    let line = store::line(tx, order_id, position).await?;
    let draft = draft.check(line.person.is_some())?;
    let author = if draft.anonymous { "" } else { name };
    // Who has no name to show is nobody with it or without.
    let draft = Draft { anonymous: author.is_empty(), ..draft };
    let person = line.person.as_ref().filter(|_| draft.person_stars > 0).map(|(id, _)| id.clone());
    let person_stars = person.is_some().then_some(draft.person_stars);
    let standing = line.standing(order.state, now);
    let Some(written) = &line.written else {
        match standing {
            Some(_) => {}
            None if order.state != State::Completed => return Err(Error::OrderClosed(order.state)),
            None => return Err(Error::field("stars", Problem::ReviewClosed)),
        }
        let sql =
            "insert into review (id, product_id, variant_id, order_id, position, author, stars, body, resource_id,
                person_stars, written_at, changed_at, version)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, 1)";
        let (id, stars, body) = (new_id(), draft.stars, &draft.body);
        let args = args![
            id,
            &line.product_id,
            &line.variant_id,
            order_id,
            position,
            author,
            stars,
            body,
            person,
            person_stars,
            now
        ];
        tx.exec(sql, args).await?;
        store::count(tx, &line.product_id, (draft.stars, 1), now).await?;
        return Ok(Some(line.product_id));
    };
    if written.draft == draft && !written.removed {
        return Ok(None);
    }
    if !matches!(standing, Some(LineReview::Written { editable: true, .. })) {
        return Err(Error::field("stars", Problem::ReviewClosed));
    }
    // The office may hide it at this moment: what counts is read from the row that is held.
    let Some(held) = store::hold(tx, &written.id).await? else { return Err(Error::Conflict) };
    let sql =
        "update review set author = $2, stars = $3, body = $4, resource_id = $5, person_stars = $6, changed_at = $7,
        removed_at = null, version = version + 1 where id = $1";
    let args = args![&written.id, author, draft.stars, &draft.body, person, person_stars, now];
    tx.exec(sql, args).await?;
    if held.hidden {
        return Ok(None);
    }
    store::count(tx, &line.product_id, (draft.stars - held.stars, 0), now).await?;
    Ok(Some(line.product_id))
}

/// Removes the review of a line of one's own order, whenever its author wants to. Of one that the shop hides the words go
/// and the row stays, so that nobody gets rid of that by writing it again. Removing it twice is once.
///
/// # Errors
/// [`Error::NotFound`] for the order of someone else.
pub async fn remove(ctx: &Ctx, number: &str, position: i64) -> Result<()> {
    let order = own(ctx, number).await?;
    let (id, now) = (order.id, ctx.now);
    let product = ctx.app.db.write::<_, Error>(move |tx| {
        let id = id.clone();
        Box::pin(async move { remove_in(tx, &id, position, now).await })
    });
    tell_pages(&ctx.app, product.await?, "a review was removed");
    Ok(())
}

async fn remove_in(tx: &mut Tx<'_>, order_id: &str, position: i64, now: i64) -> Result<Option<String>> {
    orders::lock(tx, order_id).await?;
    let Some(written) = store::line(tx, order_id, position).await?.written else { return Ok(None) };
    let Some(held) = store::hold(tx, &written.id).await? else { return Ok(None) };
    if held.hidden {
        let sql = "update review set author = '', body = '', answer = null, answered_at = null, resource_id = null,
            person_stars = null, changed_at = $2, removed_at = $2, version = version + 1 where id = $1";
        tx.exec(sql, args![&written.id, now]).await?;
        return Ok(None);
    }
    tx.exec("delete from review where id = $1", args![&written.id]).await?;
    store::count(tx, &held.product_id, (-held.stars, -1), now).await?;
    Ok(Some(held.product_id))
}

/// Tells open pages and shared answers that what is shown of a product changed.
fn tell_pages(app: &App, product: Option<String>, what: &'static str) {
    if let Some(product) = product {
        tracing::info!(product, "{what}");
        app.live.changed(Topic::Product(product));
    }
}
