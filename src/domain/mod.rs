//! Words and rules of ordering. Nothing here knows a database, a network, a clock or a random source:
//! what a rule needs is passed in, so that client and server decide alike and every rule can be tested.

pub mod account;
pub mod address;
pub mod address_book;
pub mod booking;
pub mod cart;
pub mod catalog;
pub mod choice;
pub mod error;
pub mod gtin;
pub mod live;
pub mod locale;
pub mod money;
pub mod number;
pub mod office;
pub mod order;
pub mod page;
pub mod passkey;
pub mod paying;
pub mod payment;
pub mod permission;
pub mod pricing;
pub mod privacy;
pub mod review;
pub mod second_factor;
pub mod time;
pub mod wire;

pub use error::{Error, Result};
pub use locale::{Locale, texts};
