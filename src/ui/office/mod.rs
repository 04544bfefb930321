//! The office: for the shop's staff. It is split from the customer's bundle and loaded when its first page is opened.
//!
//! What is made before a page's code is loaded belongs to the customer's bundle; so the routes here begin with nothing,
//! and each page asks for its data itself.

mod frame;
pub mod order;
mod order_ask;
mod order_details;
mod order_ship;
pub mod orders;
mod orders_row;
mod parts;
pub mod sign_in;
pub mod stock;
mod stock_row;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

/// The page to sign in at.
const SIGN_IN: &str = "/office/sign-in";

/// The frame around the office's pages.
pub struct OfficeShell;

#[lazy_route]
impl LazyRoute for OfficeShell {
    fn data() -> Self {
        Self
    }

    fn view(_this: Self) -> AnyView {
        view! { <frame::Frame/> }.into_any()
    }
}
