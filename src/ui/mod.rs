//! What people see. Pages are in `shop` and `office`; `components` know nothing of what is sold.
//!
//! A view never reads a clock, a random source or the browser's settings: what the server rendered and what the client
//! makes of it must be the same. What it knows of its surroundings comes from [`api::page`](crate::api::page) alone.

pub mod account;
pub mod beacon;
pub mod components;
#[cfg(feature = "ssr")]
pub mod design;
pub mod error;
pub mod live;
pub mod office;
pub mod parts;
pub mod shop;
pub mod texts;

pub use crate::api::page::{absolute, set_status, use_locale};
