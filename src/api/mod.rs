//! Server functions: the only door from the browser; and in [`page`] what a page knows of its surroundings.
//!
//! Each function is a public endpoint of 3 to 6 lines: take the context, call the room on the server, say where to go next.
//! Every right is checked there. All share one error type, [`Error`], and its
//! [`status_code`](Error::status_code) becomes the status of the answer in one place, `server::http::functions`; a form
//! posted without JavaScript is sent back to its page with the error in the address, where
//! `ServerAction::value()` finds it.
//!
//! ```ignore
//! /// A change, from a form: usable by `ActionForm` with and without JavaScript. A field that a form may leave out
//! /// (an unchecked box) has a default.
//! #[server(prefix = "/api", endpoint = "cart/add", output = Json)]
//! pub async fn add(variant_id: String, quantity: i64, #[server(default)] next: Option<String>) -> Result<Cart, Error> {
//!     super::with(async |ctx| {
//!         let cart = crate::server::cart::add(&ctx, &variant_id, quantity).await?;
//!         super::go_to(next.as_deref());
//!         Ok(cart)
//!     })
//!     .await
//! }
//!
//! /// A read: a GET whose arguments are in the address.
//! #[server(prefix = "/api", endpoint = "catalog/product", input = GetUrl, output = Json)]
//! pub async fn product(handle: String) -> Result<Product, Error> { … }
//!
//! /// One struct of plain fields from a form: the fields are named `form[recipient]`, `form[phone]`, …
//! #[server(prefix = "/api", endpoint = "order/save_checkout", output = Json)]
//! pub async fn save_checkout(form: CheckoutForm) -> Result<(), Error> { … }
//!
//! /// Lists and options inside a struct: as JSON, which a form without JavaScript cannot send.
//! #[server(prefix = "/api", endpoint = "order/change", input = Json, output = Json)]
//! pub async fn change(number: String, change: OrderChange) -> Result<(), Error> { … }
//! ```
//!
//! The result is always written `Result<T, Error>` in full, which is how the macro finds the error type.

pub mod account;
pub mod booking;
pub mod booking_after;
pub mod booking_office;
pub mod booking_table;
pub mod booking_trip;
pub mod cart;
pub mod catalog;
pub mod office;
pub mod order;
pub mod page;
pub mod passkey;
pub mod privacy;
pub mod review;
pub mod second_factor;
pub mod stay;
pub mod target;

#[cfg(feature = "ssr")]
use crate::{
    domain::{Error, Result},
    server::{
        Ctx,
        context::internal,
        http::{
            local_path,
            shared::{Fleeting, Shown},
        },
        live::Sight,
    },
};

/// The context of the request that is being answered, for a page as for a server function.
///
/// # Errors
/// [`Error::Internal`] outside of a request.
#[cfg(feature = "ssr")]
pub fn ctx() -> Result<Ctx> {
    leptos::context::use_context::<Ctx>().ok_or_else(|| internal("server function", &"called outside of a request"))
}

/// Runs the body of a server function with the context of its request. A page that shows its answer is not shared for longer
/// than a second.
///
/// # Errors
/// Those of the body.
#[cfg(feature = "ssr")]
pub async fn with<T>(body: impl AsyncFnOnce(Ctx) -> Result<T, Error>) -> Result<T, Error> {
    if let Some(page) = Fleeting::of_page() {
        page.note();
    }
    body(ctx()?).await
}

/// The same where the answer to somebody without a customer changes with the catalogue alone, and each such change is told:
/// it counts in [`Hub::product_changes`](crate::server::live::Hub::product_changes). A page that shows nothing but such
/// answers is shared until something changes of what it shows, which `sight` says of each answer; not one that could not
/// have them.
///
/// # Errors
/// Those of the body.
#[cfg(feature = "ssr")]
pub async fn with_catalogue<T>(
    sight: impl FnOnce(&T) -> Sight,
    body: impl AsyncFnOnce(Ctx) -> Result<T, Error>,
) -> Result<T, Error> {
    let (fleeting, shown) = (Fleeting::of_page(), Shown::of_page());
    let answer = body(ctx()?).await;
    match (&answer, fleeting, shown) {
        (Ok(answer), _, Some(shown)) => shown.note(&sight(answer)),
        (Err(_), Some(fleeting), _) => fleeting.note(),
        _ => {}
    }
    answer
}

/// Sends the browser to a page of this shop once the server function has succeeded; anything else is ignored.
#[cfg(feature = "ssr")]
pub fn go_to(path: Option<&str>) {
    if let Some(path) = path.and_then(local_path) {
        leptos_axum::redirect(path);
    }
}

/// The page of this shop to go to after something that changes who is asking, or `otherwise`. A form without script is
/// sent there; a script is only told, and loads the page anew, so that nothing of another person stays on it.
#[cfg(feature = "ssr")]
pub fn go_anew(path: Option<&str>, otherwise: &str) -> String {
    let path = path.and_then(local_path).unwrap_or(otherwise).to_owned();
    form_to(&path);
    path
}

/// Sends a form without script to a page of this shop. A script stays where it is and says itself what came of it.
#[cfg(feature = "ssr")]
pub fn form_to(path: &str) {
    if without_script() {
        leptos_axum::redirect(path);
    }
}

/// Keeps what was typed into a field of a form without script that is refused, for the page it is sent back to: see
/// [`page::typed`]. With script it is still there.
#[cfg(feature = "ssr")]
pub fn keep_typed(ctx: &Ctx, field: &str, typed: &str) {
    if without_script() {
        crate::server::http::kept::keep(ctx, field, typed);
    }
}

/// Whether the browser itself posted the form that is being answered.
#[cfg(feature = "ssr")]
fn without_script() -> bool {
    let parts = leptos::context::use_context::<http::request::Parts>();
    let accept = parts.as_ref().and_then(|parts| parts.headers.get(http::header::ACCEPT)?.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Sends a form without script that failed back to a page of this shop, with the error where `ServerAction::value()`
/// finds it. What is to stand in the form again is in the address of the page.
#[cfg(feature = "ssr")]
pub fn form_back<F: leptos::server_fn::ServerFn>(page: &str, error: &Error) {
    let failed = leptos::server_fn::error::ServerFnUrlError::new(F::PATH, error.clone());
    // The host is needed to write the address and left out again.
    if let Ok(url) = failed.to_url(&format!("http://shop{page}")) {
        form_to(&url[url::Position::BeforePath..]);
    }
}
