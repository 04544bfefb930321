//! Reading the catalogue.

use crate::domain::{
    Error,
    catalog::{self, Category, ListQuery, ProductCard, ProductList},
};
use leptos::prelude::*;
use server_fn::codec::{GetUrl, Json};

/// The start page: categories, what sells well, what is new.
#[server(prefix = "/api", endpoint = "catalog/home", input = GetUrl, output = Json)]
pub async fn home() -> Result<catalog::Home, Error> {
    super::with(async |ctx| crate::server::catalog::home(&ctx).await).await
}

/// The whole tree of categories.
#[server(prefix = "/api", endpoint = "catalog/categories", input = GetUrl, output = Json)]
pub async fn categories() -> Result<Vec<Category>, Error> {
    super::with(async |ctx| crate::server::catalog::categories(&ctx).await).await
}

/// A page of a category or of a search.
#[server(prefix = "/api", endpoint = "catalog/list", input = Json, output = Json)]
pub async fn list(query: ListQuery) -> Result<ProductList, Error> {
    super::with(async |ctx| crate::server::catalog::list(&ctx, &query).await).await
}

/// A product by its handle.
#[server(prefix = "/api", endpoint = "catalog/product", input = GetUrl, output = Json)]
pub async fn product(handle: String) -> Result<catalog::Product, Error> {
    super::with(async |ctx| crate::server::catalog::product(&ctx, &handle).await).await
}

/// Other products of the same category, the best selling first.
#[server(prefix = "/api", endpoint = "catalog/related", input = GetUrl, output = Json)]
pub async fn related(handle: String) -> Result<Vec<ProductCard>, Error> {
    super::with(async |ctx| crate::server::catalog::related(&ctx, &handle).await).await
}
