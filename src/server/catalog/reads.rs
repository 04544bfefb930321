//! What pages read of the catalogue, once for all who ask within a second: it is the same for everybody, and a page of the
//! shop spends a quarter of its time on it.

use crate::{
    domain::{
        Locale, Result,
        catalog::{Category, Home, ListQuery, Product, ProductList, Way},
        review::{ReviewList, Wanted},
    },
    server::{Ctx, catalog::Related, recent::Recent},
};

/// What was read in the last second.
#[derive(Default)]
pub struct Reads {
    homes: Recent<Locale, Home>,
    ways: Recent<(), Vec<Way>>,
    categories: Recent<Locale, Vec<Category>>,
    menus: Recent<Locale, Vec<(String, String)>>,
    lists: Recent<(Locale, ListQuery), ProductList>,
    products: Recent<(Locale, String), Product>,
    related: Recent<(Locale, String), Related>,
    pub(in crate::server) reviews: Recent<(Locale, String, Wanted), ReviewList>,
}

/// As [`super::home`].
///
/// # Errors
/// As there.
pub async fn home(ctx: &Ctx) -> Result<Home> {
    let changes = ctx.app.live.product_changes();
    ctx.app.reads.homes.get(ctx.locale, changes, || super::home(ctx)).await
}

/// As [`super::ways`].
///
/// # Errors
/// As there.
pub async fn ways(ctx: &Ctx) -> Result<Vec<Way>> {
    let changes = ctx.app.live.product_changes();
    ctx.app.reads.ways.get((), changes, || super::ways(ctx)).await
}

/// As [`super::categories`].
///
/// # Errors
/// As there.
pub async fn categories(ctx: &Ctx) -> Result<Vec<Category>> {
    let changes = ctx.app.live.product_changes();
    ctx.app.reads.categories.get(ctx.locale, changes, || super::categories(ctx)).await
}

/// As [`super::menu`].
///
/// # Errors
/// As there.
pub async fn menu(ctx: &Ctx) -> Result<Vec<(String, String)>> {
    let changes = ctx.app.live.product_changes();
    ctx.app.reads.menus.get(ctx.locale, changes, || super::menu(ctx)).await
}

/// As [`super::list`].
///
/// # Errors
/// As there.
pub async fn list(ctx: &Ctx, query: &ListQuery) -> Result<ProductList> {
    let changes = ctx.app.live.product_changes();
    ctx.app.reads.lists.get((ctx.locale, query.clone()), changes, || super::list(ctx, query)).await
}

/// As [`super::product`].
///
/// # Errors
/// As there.
pub async fn product(ctx: &Ctx, handle: &str) -> Result<Product> {
    let changes = ctx.app.live.product_changes();
    ctx.app.reads.products.get((ctx.locale, handle.to_owned()), changes, || super::product(ctx, handle)).await
}

/// As [`super::related`].
///
/// # Errors
/// As there.
pub async fn related(ctx: &Ctx, handle: &str) -> Result<Related> {
    let changes = ctx.app.live.product_changes();
    ctx.app.reads.related.get((ctx.locale, handle.to_owned()), changes, || super::related(ctx, handle)).await
}
