//! Reading the catalogue.

use crate::domain::{
    Error,
    catalog::{self, Category, KeptProduct, ListQuery, ProductCard, ProductList, Way},
    page::Page,
    wire::Json,
};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// The start page: categories, what sells well, what is new.
#[server(prefix = "/api", endpoint = "catalog/home", input = GetUrl, output = Json)]
pub async fn home() -> Result<catalog::Home, Error> {
    use crate::server::catalog::{reads, sights};
    super::with_catalogue(sights::home, async |ctx| reads::home(&ctx).await).await
}

/// The ways to what is booked, for the foot of every page.
#[server(prefix = "/api", endpoint = "catalog/ways", input = GetUrl, output = Json)]
pub async fn ways() -> Result<Vec<Way>, Error> {
    use crate::server::catalog::{reads, sights};
    super::with_catalogue(sights::nothing, async |ctx| reads::ways(&ctx).await).await
}

/// The whole tree of categories, with pictures.
#[server(prefix = "/api", endpoint = "catalog/categories", input = GetUrl, output = Json)]
pub async fn categories() -> Result<Vec<Category>, Error> {
    use crate::server::catalog::{reads, sights};
    super::with_catalogue(sights::pictures, async |ctx| reads::categories(&ctx).await).await
}

/// Handle and title of the categories at the top, for the head of every page.
#[server(prefix = "/api", endpoint = "catalog/menu", input = GetUrl, output = Json)]
pub async fn menu() -> Result<Vec<(String, String)>, Error> {
    use crate::server::catalog::{reads, sights};
    super::with_catalogue(sights::nothing, async |ctx| reads::menu(&ctx).await).await
}

/// A page of a category or of a search.
#[server(prefix = "/api", endpoint = "catalog/list", input = Json, output = Json)]
pub async fn list(query: ListQuery) -> Result<ProductList, Error> {
    use crate::server::catalog::{reads, sights};
    super::with_catalogue(|list| sights::list(&query, list), async |ctx| reads::list(&ctx, &query).await).await
}

/// A product by its handle. That it was looked at is remembered for the customer, beside the answer.
#[server(prefix = "/api", endpoint = "catalog/product", input = GetUrl, output = Json)]
pub async fn product(handle: String) -> Result<catalog::Product, Error> {
    use crate::server::catalog::{reads, sights, viewed};
    super::with_catalogue(sights::product, async |ctx| {
        let product = reads::product(&ctx, &handle).await?;
        viewed::note(&ctx, &product.id);
        Ok(product)
    })
    .await
}

/// Other products of the same category, the best selling first.
#[server(prefix = "/api", endpoint = "catalog/related", input = GetUrl, output = Json)]
pub async fn related(handle: String) -> Result<Vec<ProductCard>, Error> {
    use crate::server::catalog::{reads, sights};
    let related = super::with_catalogue(sights::related, async |ctx| reads::related(&ctx, &handle).await).await?;
    Ok(related.products)
}

/// Whether a product is among the customer's favourites.
#[server(prefix = "/api", endpoint = "catalog/is_favourite", input = GetUrl, output = Json)]
pub async fn is_favourite(handle: String) -> Result<bool, Error> {
    use crate::server::catalog::{favourites, sights};
    super::with_catalogue(sights::nothing, async |ctx| favourites::has(&ctx, &handle).await).await
}

/// The customer's favourites, the newest first, as they are now.
#[server(prefix = "/api", endpoint = "catalog/favourites", input = GetUrl, output = Json)]
pub async fn favourites(page: i64) -> Result<Page<KeptProduct>, Error> {
    super::with(async |ctx| crate::server::catalog::favourites::list(&ctx, page).await).await
}

/// Puts a product among the favourites or takes it away; `at` puts it back to where it was. Without script, `next` is the
/// local page to go to.
///
/// # Errors
/// [`Error::NotFound`] for an unknown product, [`Error::Invalid`] with `Full` when there can be no more.
#[server(prefix = "/api", endpoint = "catalog/set_favourite", output = Json)]
pub async fn set_favourite(
    product_id: String,
    wanted: bool,
    #[server(default)] at: Option<i64>,
    #[server(default)] next: Option<String>,
) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::catalog::favourites::set(&ctx, &product_id, wanted, at).await?;
        super::go_to(next.as_deref());
        Ok(())
    })
    .await
}

/// The products that this customer looked at last, as they are now.
#[server(prefix = "/api", endpoint = "catalog/viewed", input = GetUrl, output = Json)]
pub async fn viewed(page: i64) -> Result<catalog::Viewed, Error> {
    super::with(async |ctx| crate::server::catalog::viewed::list(&ctx, page).await).await
}

/// Forgets what this customer looked at.
#[server(prefix = "/api", endpoint = "catalog/clear_viewed", output = Json)]
pub async fn clear_viewed() -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::catalog::viewed::clear(&ctx).await?;
        super::go_to(Some("/me/viewed?done=cleared"));
        Ok(())
    })
    .await
}

/// Chooses whether it is remembered what this customer looks at; where it is not, what was remembered is forgotten.
#[server(prefix = "/api", endpoint = "catalog/remember_viewed", output = Json)]
pub async fn remember_viewed(wanted: bool) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::catalog::viewed::remember(&ctx, wanted).await?;
        super::go_to(Some(if wanted { "/me/viewed?done=on" } else { "/me/viewed?done=off" }));
        Ok(())
    })
    .await
}
