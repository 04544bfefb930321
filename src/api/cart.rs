//! The cart of the browser that asks. Each change answers with the whole cart.

use crate::domain::{
    Error,
    cart::{self, Cart},
    wire::Json,
};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// The cart; empty for a browser without one.
#[server(prefix = "/api", endpoint = "cart/get", input = GetUrl, output = Json)]
pub async fn get() -> Result<Cart, Error> {
    use crate::server::{cart, catalog::sights};
    super::with_catalogue(sights::nothing, async |ctx| cart::get(&ctx).await).await
}

/// How many pieces are in the cart, which every page shows.
#[server(prefix = "/api", endpoint = "cart/count", input = GetUrl, output = Json)]
pub async fn count() -> Result<cart::Count, Error> {
    use crate::server::catalog::sights;
    super::with_catalogue(sights::nothing, async |ctx| Ok(crate::server::cart::get(&ctx).await?.count())).await
}

/// Adds pieces of a variant. Without script, `next` is the local page to go to (`/cart`).
///
/// # Errors
/// [`Error::Shortage`] when less is left than would then be in the cart; the cart is unchanged.
#[server(prefix = "/api", endpoint = "cart/add", output = Json)]
pub async fn add(variant_id: String, quantity: i64, #[server(default)] next: Option<String>) -> Result<Cart, Error> {
    super::with(async |ctx| {
        let cart = crate::server::cart::add(&ctx, &variant_id, quantity).await?;
        super::go_to(next.as_deref());
        Ok(cart)
    })
    .await
}

/// Sets the quantity of a line; zero removes it. Without script the cart then offers to put it back.
#[server(prefix = "/api", endpoint = "cart/set_quantity", output = Json)]
pub async fn set_quantity(variant_id: String, quantity: i64) -> Result<Cart, Error> {
    super::with(async |ctx| {
        let (cart, removed) = crate::server::cart::set_quantity(&ctx, &variant_id, quantity).await?;
        if let Some(removed) = removed {
            super::form_to(&removed.href(cart.version));
        }
        Ok(cart)
    })
    .await
}

/// Puts a line aside, or back among those to be bought.
#[server(prefix = "/api", endpoint = "cart/save_for_later", output = Json)]
pub async fn save_for_later(variant_id: String, saved: bool) -> Result<Cart, Error> {
    super::with(async |ctx| crate::server::cart::save_for_later(&ctx, &variant_id, saved).await).await
}

/// Puts a line back as it was before it was removed.
#[server(prefix = "/api", endpoint = "cart/restore", output = Json)]
pub async fn restore(
    variant_id: String,
    quantity: i64,
    price_seen: i64,
    saved: bool,
    added_at: i64,
) -> Result<Cart, Error> {
    super::with(async |ctx| {
        let wanted = cart::Wanted { quantity, price_seen: crate::domain::money::Amount(price_seen), saved, added_at };
        let cart = crate::server::cart::restore(&ctx, cart::Removed { variant_id, wanted }).await?;
        super::form_to("/cart");
        Ok(cart)
    })
    .await
}

/// The customer's nod to prices as they were shown, written as [`Cart::prices`] does.
#[server(prefix = "/api", endpoint = "cart/accept_prices", output = Json)]
pub async fn accept_prices(prices: String) -> Result<Cart, Error> {
    super::with(async |ctx| crate::server::cart::accept_prices(&ctx, &prices).await).await
}

/// Lowers each short line to what is left; lines of which nothing is left are saved for later.
#[server(prefix = "/api", endpoint = "cart/take_available", output = Json)]
pub async fn take_available() -> Result<Cart, Error> {
    super::with(async |ctx| crate::server::cart::take_available(&ctx).await).await
}
