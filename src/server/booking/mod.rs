//! Bookings: what is claimed of rooms, people, tables and departures, and the clocks of the places where they are.
//!
//! Nobody gets what somebody else has: [`claim`] writes both kinds of claims in the transaction of the order that they
//! are made for.

pub mod claim;
mod zone;

pub use zone::zone;
