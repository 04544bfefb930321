//! Checkout and the customer's orders.

use crate::domain::{
    Error,
    address::CheckoutForm,
    cart::{BuyNow, Cart},
    order::{self, CheckoutPage, Order, OrderChange, OrderCounts, OrderEdit, OrderSummary, State},
    page::Page,
    wire::Json,
};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// The checkout form as last typed, for the cart or for what is bought now, with the divisions its selects offer.
#[server(prefix = "/api", endpoint = "order/checkout", input = GetUrl, output = Json)]
pub async fn checkout(buy_now: Option<BuyNow>) -> Result<CheckoutPage, Error> {
    super::with(async |ctx| crate::server::order::checkout(&ctx, buy_now).await).await
}

/// Keeps the form as typed and checks it; goes on to the review when it is right.
/// With `step=region` it is only kept, so that the page offers the cities and districts of the choice made;
/// with `step=draft` it is only kept.
///
/// `address` is the choice among the account's addresses in a form without script, `address_shown` the one that the form
/// was filled with: another choice fills it anew, as `step=address` does with any.
///
/// # Errors
/// [`Error::Invalid`] with the problems by field, [`Error::NotFound`] for an address that is not the account's; what was
/// typed is kept all the same.
#[server(prefix = "/api", endpoint = "order/save_checkout", output = Json)]
pub async fn save_checkout(
    form: CheckoutForm,
    #[server(default)] step: Option<String>,
    #[server(default)] buy_now: Option<BuyNow>,
    #[server(default)] address: Option<String>,
    #[server(default)] address_shown: Option<String>,
) -> Result<(), Error> {
    super::with(async |ctx| {
        let step = step.as_deref();
        let fill = match step {
            Some("address") => true,
            None => address != address_shown && address.as_deref() != Some(crate::domain::address_book::ANOTHER),
            Some(_) => false,
        };
        let form = match address.filter(|_| fill) {
            Some(id) => crate::server::order::with_address(&ctx, form, &id).await?,
            None => form,
        };
        let check = !matches!(step, Some("region" | "draft" | "address"));
        crate::server::order::save_checkout(&ctx, form, check).await?;
        let next = match step {
            Some("draft") => None,
            Some("region" | "address") => Some("/checkout"),
            _ => Some("/checkout/review"),
        };
        super::go_to(next.map(|path| BuyNow::href(path, buy_now.as_ref())).as_deref());
        Ok(())
    })
    .await
}

/// Everything that will be ordered, for a last look.
#[server(prefix = "/api", endpoint = "order/review", input = GetUrl, output = Json)]
pub async fn review(buy_now: Option<BuyNow>) -> Result<order::Review, Error> {
    super::with(async |ctx| crate::server::order::review(&ctx, buy_now).await).await
}

/// Places the order and goes to its payment. `cart_version`, `total` and `reviewed` are those of the review, so that
/// submitting twice gives the same order, and nothing is ordered for another sum or to another address than was shown.
///
/// # Errors
/// [`Error::Shortage`], [`Error::PriceChanged`], [`Error::Conflict`] when cart, total or address are no longer those
/// reviewed, [`Error::Invalid`] when the address is missing.
#[server(prefix = "/api", endpoint = "order/submit", output = Json)]
pub async fn submit(
    cart_version: i64,
    total: i64,
    reviewed: String,
    #[server(default)] buy_now: Option<BuyNow>,
) -> Result<String, Error> {
    super::with(async |ctx| {
        let submission = crate::server::order::Submission { cart_version, total, reviewed, buy_now };
        let number = crate::server::order::submit(&ctx, submission).await?;
        super::go_to(Some(&format!("/pay/{number}")));
        Ok(number)
    })
    .await
}

/// The customer's orders, newest first; `q` finds by number or product.
#[server(prefix = "/api", endpoint = "order/list", input = GetUrl, output = Json)]
pub async fn list(state: Option<State>, q: Option<String>, page: i64) -> Result<Page<OrderSummary>, Error> {
    super::with(async |ctx| crate::server::order::list(&ctx, state, q.as_deref(), page).await).await
}

/// How many orders there are in each state.
#[server(prefix = "/api", endpoint = "order/counts", input = GetUrl, output = Json)]
pub async fn counts() -> Result<OrderCounts, Error> {
    super::with(async |ctx| crate::server::order::counts(&ctx).await).await
}

/// An order of this customer.
#[server(prefix = "/api", endpoint = "order/get", input = GetUrl, output = Json)]
pub async fn get(number: String) -> Result<Order, Error> {
    super::with(async |ctx| crate::server::order::get(&ctx, &number).await).await
}

/// Opens an order of a guest on another device, by its number and the phone or e-mail given with it.
///
/// # Errors
/// [`Error::NotFound`], without telling which of the two was wrong.
#[server(prefix = "/api", endpoint = "order/find", output = Json)]
pub async fn find(number: String, contact: String) -> Result<String, Error> {
    super::with(async |ctx| {
        let found = crate::server::order::find(&ctx, &number, &contact).await;
        match (&found, crate::domain::number::to_show(&number)) {
            (Ok(number), _) => super::go_to(Some(&format!("/orders/{number}"))),
            (Err(error), Some(typed)) => {
                let typed = crate::domain::catalog::percent_encode(typed);
                super::form_back::<Find>(&format!("/orders/find?number={typed}"), error);
            }
            (Err(error), None) => super::form_back::<Find>("/orders/find", error),
        }
        found
    })
    .await
}

/// An order with what a form needs to change it; with `draft` as it was typed when that could not be done.
#[server(prefix = "/api", endpoint = "order/edit", input = GetUrl, output = Json)]
pub async fn edit(number: String, draft: bool) -> Result<OrderEdit, Error> {
    super::with(async |ctx| crate::server::order::edit(&ctx, &number, draft).await).await
}

/// Code and name of the cities of a province and of the districts of a city; none for any other code.
#[server(prefix = "/api", endpoint = "order/divisions", input = GetUrl, output = Json)]
pub async fn divisions(
    province: String,
    city: String,
) -> Result<(Vec<(String, String)>, Vec<(String, String)>), Error> {
    super::with(async |ctx| {
        let offered = |code: &str| ctx.app.divisions.children(code, ctx.locale);
        Ok((offered(&province), offered(&city)))
    })
    .await
}

/// Changes an unpaid order: quantities, address, note, payment method. The hold keeps its clock.
/// With `step=region` what was typed is only kept, so that the page offers the cities and districts of the choice made.
///
/// # Errors
/// [`Error::OrderClosed`], [`Error::Conflict`] when it was changed meanwhile, [`Error::Shortage`],
/// [`Error::PriceChanged`] when more is wanted than before and costs another sum now,
/// [`Error::CartEmpty`] when nothing would be left, [`Error::Invalid`]; what was typed is kept all the same.
#[server(prefix = "/api", endpoint = "order/change", output = Json)]
pub async fn change(number: String, change: OrderChange, #[server(default)] step: Option<String>) -> Result<(), Error> {
    super::with(async |ctx| {
        let region_only = step.as_deref() == Some("region");
        crate::server::order::change_form(&ctx, &number, change, region_only).await?;
        super::go_to(Some(&if region_only {
            format!("/orders/{number}/edit?draft=1")
        } else {
            format!("/orders/{number}")
        }));
        Ok(())
    })
    .await
}

/// Cancels an order that is not yet shipped; what was paid is refunded.
#[server(prefix = "/api", endpoint = "order/cancel", output = Json)]
pub async fn cancel(number: String) -> Result<(), Error> {
    super::with(async |ctx| crate::server::order::cancel(&ctx, &number).await).await
}

/// The customer has received the goods.
#[server(prefix = "/api", endpoint = "order/complete", output = Json)]
pub async fn complete(number: String) -> Result<(), Error> {
    super::with(async |ctx| crate::server::order::complete(&ctx, &number).await).await
}

/// Puts what an order had into the cart again, as far as it is still sold, and goes there.
#[server(prefix = "/api", endpoint = "order/again", output = Json)]
pub async fn again(number: String) -> Result<Cart, Error> {
    super::with(async |ctx| {
        let cart = crate::server::order::again(&ctx, &number).await?;
        super::go_to(Some("/cart"));
        Ok(cart)
    })
    .await
}

/// Begins a payment (with the order's method, or another one) and goes to the provider's cashier.
#[server(prefix = "/api", endpoint = "order/pay", output = Json)]
pub async fn pay(number: String, #[server(default)] method: Option<String>) -> Result<String, Error> {
    super::with(async |ctx| {
        let cashier = crate::server::payment::start(&ctx, &number, method.as_deref()).await?;
        leptos_axum::redirect(&cashier);
        Ok(cashier)
    })
    .await
}
