//! The products that a customer looked at last, remembered for that customer alone, unless they refused it.
//!
//! A browser without a customer is not remembered: a look alone makes nobody a customer.

use super::{
    favourites::empty,
    store::{self, Shelf},
};
use crate::{
    args,
    domain::{
        Error, Result,
        catalog::{MAX_VIEWED, Viewed},
        choice::Purpose,
    },
    server::{App, Ctx, account, account::consent, db::Tx},
};

/// Remembers that the customer looked at a product. Nobody waits for it, and one that is lost is no harm.
pub fn note(ctx: &Ctx, product_id: &str) {
    if let Some(customer) = ctx.customer.clone() {
        tokio::spawn(write(ctx.app.clone(), customer, product_id.to_owned(), ctx.now));
    }
}

async fn write(app: App, customer: String, product: String, now: i64) {
    // The conversion of the error has logged it.
    let _ = app
        .db
        .write::<_, Error>(move |tx| {
            let (customer, product) = (customer.clone(), product.clone());
            Box::pin(async move { add(tx, &customer, &product, now).await })
        })
        .await;
}

async fn add(tx: &mut Tx<'_>, customer: &str, product: &str, now: i64) -> Result<()> {
    if !consent::holds(tx, customer, Purpose::Viewed).await? {
        return Ok(());
    }
    // The cookie of a customer may outlive a database that was restored.
    let sql = "insert into viewed (customer_id, product_id, viewed_at)
        select c.id, p.id, $3 from customer c, product p where c.id = $1 and p.id = $2
        on conflict (customer_id, product_id) do update set viewed_at = excluded.viewed_at
        where excluded.viewed_at > viewed.viewed_at";
    tx.exec(sql, args![customer, product, now]).await?;
    trim(tx, customer).await
}

/// Forgets those beyond the last [`MAX_VIEWED`].
async fn trim(tx: &mut Tx<'_>, customer: &str) -> Result<()> {
    // No customer has more than twice as many, after joining.
    let sql = "delete from viewed where customer_id = $1 and product_id in (select v.product_id from viewed v
        where v.customer_id = $1 order by v.viewed_at desc, v.product_id desc limit 1000 offset $2)";
    tx.exec(sql, args![customer, MAX_VIEWED]).await?;
    Ok(())
}

/// A page of them, the last one first.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(ctx: &Ctx, page: i64) -> Result<Viewed> {
    let Some(customer) = ctx.customer.clone() else {
        return Ok(Viewed { products: empty(page), remembered: Purpose::Viewed.by_default() });
    };
    let locale = ctx.locale;
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let customer = customer.clone();
            Box::pin(async move {
                let products = store::kept(tx, locale, Shelf::Viewed, &customer, page).await?;
                Ok(Viewed { products, remembered: consent::holds(tx, &customer, Purpose::Viewed).await? })
            })
        })
        .await
}

/// Forgets all of them.
///
/// # Errors
/// When the database cannot be written.
pub async fn clear(ctx: &Ctx) -> Result<()> {
    let Some(customer) = ctx.customer.clone() else { return Ok(()) };
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let customer = customer.clone();
            Box::pin(async move { forget(tx, &customer).await })
        })
        .await
}

/// Chooses whether they are remembered from now on; where they are not, those that were are forgotten.
///
/// # Errors
/// When the database cannot be written.
pub async fn remember(ctx: &Ctx, wanted: bool) -> Result<()> {
    // A browser that refuses has to be known to be refused for.
    let (customer, now) = (account::customer_or_create(ctx).await?, ctx.now);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let customer = customer.clone();
            Box::pin(async move {
                account::ensure_customer(tx, &customer, now).await?;
                consent::choose(tx, &customer, Purpose::Viewed, wanted, now).await?;
                if wanted { Ok(()) } else { forget(tx, &customer).await }
            })
        })
        .await
}

async fn forget(tx: &mut Tx<'_>, customer: &str) -> Result<()> {
    tx.exec("delete from viewed where customer_id = $1", args![customer]).await?;
    Ok(())
}

/// Gives what a guest looked at to an account, each with the later time, unless the newest choice is not to remember it.
/// The choices have joined before.
///
/// # Errors
/// When the database cannot be written.
pub(in crate::server) async fn join(tx: &mut Tx<'_>, guest: &str, account: &str) -> Result<()> {
    if consent::holds(tx, account, Purpose::Viewed).await? {
        let sql = "insert into viewed (customer_id, product_id, viewed_at)
            select $2, v.product_id, v.viewed_at from viewed v where v.customer_id = $1 order by v.product_id
            on conflict (customer_id, product_id) do update set viewed_at = excluded.viewed_at
            where excluded.viewed_at > viewed.viewed_at";
        tx.exec(sql, args![guest, account]).await?;
        trim(tx, account).await?;
    } else {
        forget(tx, account).await?;
    }
    forget(tx, guest).await
}
