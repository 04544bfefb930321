//! Bookings: what is offered, what somebody wants of it, and what is claimed of rooms, people, tables and departures.
//!
//! Nobody gets what somebody else has: [`claim`] writes both kinds of claims in the transaction of the order that they
//! are made for. A [`quote`] reads what a wish comes to; [`wishes`] are the bookings in carts, [`lines`] those of orders.

pub mod claim;
pub mod demo_tables;
pub mod demo_trips;
pub mod lines;
pub mod quote;
mod slots;
mod store;
pub mod tables;
pub mod timetable;
pub mod travellers;
pub mod trips;
pub mod wishes;
mod zone;

pub use slots::slots;
pub use zone::zone;
