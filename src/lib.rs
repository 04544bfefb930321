//! Xiadan 下单: a self-service ordering platform in one crate.
//!
//! Four floors, and arrows only point down: `ui → api → server → domain`.
//!
//! | floor | what lives there | compiled for |
//! | --- | --- | --- |
//! | [`domain`] | words and rules: pure types, pricing, the order's state machine | both |
//! | [`server`] | data, sessions, live feed, payment, background work | server |
//! | [`api`] | server functions: the only door from the browser | both |
//! | [`ui`] | components and pages | both |
//!
//! [`app`] is the document shell and the table of all routes.

// The view of a page is one deeply nested type.
#![recursion_limit = "512"]

pub mod api;
pub mod app;
pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;
pub mod ui;

/// Called by the page's script once the client is loaded: takes over the page the server rendered.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_lazy(app::App);
}
