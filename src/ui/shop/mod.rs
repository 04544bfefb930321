//! The customer's pages.

pub mod booking;
pub mod cart;
pub mod checkout;
pub mod home;
pub mod list;
pub mod not_found;
pub mod order;
pub mod orders;
pub mod pay;
pub mod product;
pub mod review;
