//! The office: for the shop's staff.

mod booking_move;
pub mod bookings;
pub mod frame;
pub mod order;
mod order_ask;
mod order_bookings;
mod order_details;
mod order_move;
mod order_ship;
pub mod orders;
mod orders_row;
mod parts;
pub mod password;
pub mod people;
pub mod reviews;
mod search;
pub mod second;
pub mod sign_in;
pub mod stay_nights;
pub mod stays;
pub mod stock;
mod stock_row;

/// The page to sign in at.
const SIGN_IN: &str = "/office/sign-in";
