//! What people see. Pages are in `shop` and `office`; `components` know nothing of what is sold.
//!
//! A view never reads a clock, a random source or the browser's settings: what the server rendered and what the client
//! makes of it must be the same. What differs between the two is here, in small functions.

pub mod beacon;
pub mod components;
pub mod design;
pub mod error;
pub mod live;
pub mod office;
pub mod parts;
pub mod shop;

use crate::domain::Locale;

/// The language of the page. It never changes while a page lives: choosing another one loads the page anew.
///
/// On the server it is the request's, in the browser that of `<html lang>`.
#[cfg(feature = "ssr")]
pub fn use_locale() -> Locale {
    leptos::context::use_context::<crate::server::Ctx>().map(|ctx| ctx.locale).unwrap_or_default()
}

/// The language of the page. It never changes while a page lives: choosing another one loads the page anew.
///
/// On the server it is the request's, in the browser that of `<html lang>`.
#[cfg(not(feature = "ssr"))]
pub fn use_locale() -> Locale {
    static LOCALE: std::sync::OnceLock<Locale> = std::sync::OnceLock::new();
    *LOCALE.get_or_init(|| {
        let lang = leptos::prelude::document().document_element().and_then(|html| html.get_attribute("lang"));
        lang.and_then(|tag| Locale::from_tag(&tag)).unwrap_or_default()
    })
}

/// The full address of a local path, for canonical links and structured data.
#[cfg(feature = "ssr")]
pub fn absolute(path: &str) -> String {
    let shop = leptos::context::use_context::<crate::server::Ctx>();
    format!("{}{path}", shop.map(|ctx| ctx.app.config.public_url.clone()).unwrap_or_default())
}

/// The full address of a local path, for canonical links and structured data.
#[cfg(not(feature = "ssr"))]
pub fn absolute(path: &str) -> String {
    format!("{}{path}", leptos::prelude::window().location().origin().unwrap_or_default())
}

/// Sets the HTTP status of the page while the server renders it; nothing in the browser.
pub fn set_status(status: u16) {
    #[cfg(feature = "ssr")]
    if let Some(response) = leptos::context::use_context::<leptos_axum::ResponseOptions>()
        && let Ok(status) = http::StatusCode::from_u16(status)
    {
        response.set_status(status);
    }
    #[cfg(not(feature = "ssr"))]
    let _ = status;
}

/// Whether this shop is being worked on, so that `/design` exists.
#[cfg(feature = "ssr")]
pub fn development() -> bool {
    leptos::context::use_context::<crate::server::Ctx>().is_some_and(|ctx| ctx.app.config.development)
}

/// Whether this shop is being worked on, so that `/design` exists.
#[cfg(not(feature = "ssr"))]
pub fn development() -> bool {
    let html = leptos::prelude::document().document_element();
    html.is_some_and(|html| html.has_attribute("data-development"))
}
