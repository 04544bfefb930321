//! The catalogue: what pages read of it, and the import that fills it.

pub mod counts;
pub mod favourites;
mod filter;
pub mod history;
pub mod import;
pub mod reads;
pub mod search;
pub mod shopify;
pub mod sights;
mod store;
pub mod viewed;

use super::{App, Ctx};
use crate::{
    args,
    domain::{
        Error, Result,
        catalog::{Category, Home, ListQuery, Product, ProductCard, ProductList, Sort, Way},
        live::VariantState,
    },
};
use filter::Filter;
pub(super) use filter::like;
use std::collections::HashMap;
pub(super) use store::{AVAILABLE, image, in_locale, json, rating};

/// How many products a row of the start page shows.
const HOME_PRODUCTS: i64 = 8;
/// With fewer products than these that were ever sold, the start page has no row of those that sell best.
const HOME_SOLD: usize = 4;

/// The start page.
///
/// # Errors
/// When the database cannot be read.
pub async fn home(ctx: &Ctx) -> Result<Home> {
    let (locale, counts) = (ctx.locale, ctx.app.search.counts());
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let counts = counts.clone();
            Box::pin(async move {
                let categories = store::categories(tx, locale, true, counts.as_deref()).await?;
                let mut hot = store::products(tx, locale, &Filter::default(), Sort::Sales, HOME_PRODUCTS, 0).await?;
                hot.retain(|product| product.sales > 0);
                let rows = if hot.len() < HOME_SOLD {
                    hot.clear();
                    2
                } else {
                    1
                };
                let new =
                    store::products(tx, locale, &Filter::default(), Sort::Newest, HOME_PRODUCTS * rows, 0).await?;
                let ways = store::ways(tx).await?;
                Ok(Home { categories, ways, hot, new })
            })
        })
        .await
}

/// The ways to what is booked, of which the shop has something.
///
/// # Errors
/// When the database cannot be read.
pub async fn ways(ctx: &Ctx) -> Result<Vec<Way>> {
    ctx.app.db.read(move |tx| Box::pin(store::ways(tx))).await
}

/// The tree of categories that have products, each with a picture.
///
/// # Errors
/// When the database cannot be read.
pub async fn categories(ctx: &Ctx) -> Result<Vec<Category>> {
    tree(ctx, true).await
}

/// Handle and title of the categories at its top.
///
/// # Errors
/// When the database cannot be read.
pub async fn menu(ctx: &Ctx) -> Result<Vec<(String, String)>> {
    Ok(tree(ctx, false).await?.into_iter().map(|category| (category.handle, category.title)).collect())
}

async fn tree(ctx: &Ctx, pictures: bool) -> Result<Vec<Category>> {
    let (locale, counts) = (ctx.locale, ctx.app.search.counts());
    ctx.app
        .db
        .read(move |tx| {
            let counts = counts.clone();
            Box::pin(async move { store::categories(tx, locale, pictures, counts.as_deref()).await })
        })
        .await
}

/// A page of a category, of a search, or of both.
///
/// # Errors
/// [`Error::NotFound`] for an unknown category.
pub async fn list(ctx: &Ctx, query: &ListQuery) -> Result<ProductList> {
    let (locale, query) = (ctx.locale, query.clone());
    let (among, counts) = (ctx.app.search.find(&store::words(&query)), ctx.app.search.counts());
    ctx.app
        .db
        .read(move |tx| {
            let (query, among, counts) = (query.clone(), among.clone(), counts.clone());
            Box::pin(async move { store::list(tx, locale, &query, among, counts.as_deref()).await })
        })
        .await
}

/// A product page.
///
/// # Errors
/// [`Error::NotFound`] for an unknown handle, a draft or an archived product.
pub async fn product(ctx: &Ctx, handle: &str) -> Result<Product> {
    let (locale, handle) = (ctx.locale, handle.to_owned());
    ctx.app
        .db
        .read(move |tx| {
            let handle = handle.clone();
            Box::pin(async move { store::product(tx, locale, &handle).await })
        })
        .await
}

/// Other products beside one.
#[derive(Clone, Debug, Default)]
pub struct Related {
    /// The id of the category they are from, which may be directly below it; none where they are from the whole shop.
    pub category: Option<String>,
    /// The best selling first.
    pub products: Vec<ProductCard>,
}

/// Other products of the same category, the best selling first.
///
/// # Errors
/// When the database cannot be read.
pub async fn related(ctx: &Ctx, handle: &str) -> Result<Related> {
    let (locale, handle) = (ctx.locale, handle.to_owned());
    ctx.app
        .db
        .read(move |tx| {
            let handle = handle.clone();
            Box::pin(async move { store::related(tx, locale, &handle, 6).await })
        })
        .await
}

/// The present stock and price of all variants of a product, for the live feed.
///
/// # Errors
/// When the database cannot be read.
pub async fn variant_states(app: &App, product_id: &str) -> Result<Vec<VariantState>> {
    let product_id = product_id.to_owned();
    app.db
        .read(move |tx| {
            let product_id = product_id.clone();
            Box::pin(async move { store::variant_states(tx, &product_id).await })
        })
        .await
}

/// When each product was changed that was so after `since`: by an import, which may run in another process.
///
/// # Errors
/// When the database cannot be read.
pub async fn changed_since(app: &App, since: i64) -> Result<HashMap<String, i64>> {
    let rows = app.db.all("select id, updated_at from product where updated_at > $1", args![since]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("updated_at")?))).collect()
}
