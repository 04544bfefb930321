//! Products that a customer likes: of an account, or of the guest of a browser until an account takes them over.

use super::store::{self, Shelf};
use crate::{
    args,
    domain::{
        Error, Result,
        catalog::{KEPT_PER_PAGE, KeptProduct, MAX_FAVOURITES},
        error::Problem,
        page::{Page, offset},
    },
    server::{Ctx, account, db::Tx},
};

/// The customer's favourites, the newest first; one that is not sold any more is among them.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(ctx: &Ctx, page: i64) -> Result<Page<KeptProduct>> {
    let Some(customer) = ctx.customer.clone() else { return Ok(empty(page)) };
    let locale = ctx.locale;
    ctx.app
        .db
        .read(move |tx| {
            let customer = customer.clone();
            Box::pin(async move { store::kept(tx, locale, Shelf::Favourites, &customer, page).await })
        })
        .await
}

/// A page of nothing, for a browser without a customer.
pub(super) fn empty(page: i64) -> Page<KeptProduct> {
    Page { items: Vec::new(), total: 0, page: offset(page, KEPT_PER_PAGE).0, per_page: KEPT_PER_PAGE }
}

/// Whether a product is among them.
///
/// # Errors
/// When the database cannot be read.
pub async fn has(ctx: &Ctx, handle: &str) -> Result<bool> {
    let Some(customer) = &ctx.customer else { return Ok(false) };
    let sql = "select f.product_id from favourite f join product p on p.id = f.product_id
        where f.customer_id = $1 and p.handle = $2";
    Ok(ctx.app.db.optional(sql, args![customer, handle]).await?.is_some())
}

/// Puts a product among them or takes it away; done twice it is the same. `at`, in UTC milliseconds, puts one back to
/// where it was.
///
/// # Errors
/// [`Error::NotFound`] for an unknown product, `Full` of `favourite` when there are [`MAX_FAVOURITES`].
pub async fn set(ctx: &Ctx, product_id: &str, wanted: bool, at: Option<i64>) -> Result<()> {
    if !wanted && ctx.customer.is_none() {
        return Ok(());
    }
    let customer = account::customer_or_create(ctx).await?;
    let (product, now) = (product_id.to_owned(), ctx.now);
    let at = at.unwrap_or(now).clamp(0, now);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (customer, product) = (customer.clone(), product.clone());
            Box::pin(async move {
                if wanted {
                    add(tx, &customer, &product, at, now).await
                } else {
                    let sql = "delete from favourite where customer_id = $1 and product_id = $2";
                    tx.exec(sql, args![customer, product]).await?;
                    Ok(())
                }
            })
        })
        .await
}

async fn add(tx: &mut Tx<'_>, customer: &str, product: &str, at: i64, now: i64) -> Result<()> {
    account::ensure_customer(tx, customer, now).await?;
    tx.one("select id from product where id = $1", args![product]).await?;
    let sql = "select count(*) as n from favourite where customer_id = $1 and product_id <> $2";
    if tx.one(sql, args![customer, product]).await?.get::<i64>("n")? >= i64::from(MAX_FAVOURITES) {
        return Err(Error::field("favourite", Problem::Full(MAX_FAVOURITES)));
    }
    let sql = "insert into favourite (customer_id, product_id, added_at) values ($1, $2, $3)
        on conflict (customer_id, product_id) do nothing";
    tx.exec(sql, args![customer, product, at]).await?;
    Ok(())
}

/// Gives the favourites of a guest to an account; those that both have are kept once, since the later time.
///
/// # Errors
/// When the database cannot be written.
pub(in crate::server) async fn join(tx: &mut Tx<'_>, guest: &str, account: &str) -> Result<()> {
    let sql = "insert into favourite (customer_id, product_id, added_at)
        select $2, f.product_id, f.added_at from favourite f where f.customer_id = $1 order by f.product_id
        on conflict (customer_id, product_id) do update set added_at = excluded.added_at
        where excluded.added_at > favourite.added_at";
    tx.exec(sql, args![guest, account]).await?;
    tx.exec("delete from favourite where customer_id = $1", args![guest]).await?;
    Ok(())
}
