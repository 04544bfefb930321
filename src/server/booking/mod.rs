//! Bookings: what is offered, what somebody wants of it, and what is claimed of rooms, people, tables and departures.
//!
//! Nobody gets what somebody else has: [`claim`] writes both kinds of claims in the transaction of the order that they
//! are made for. A [`quote`] reads what a wish comes to, of services that are done in one visit in a [`row`]; [`wishes`] are the bookings in carts, [`lines`] those of orders.
//! What comes [`after`] one was paid for: it is given up, [moved](moving), at once or when that was [paid](held), or over;
//! others [`wait`](waiting) for what comes free.
//!
//! [`stays`] finds rooms, [`rates`] are their nights as the office keeps them, and [`horizon`] opens new ones day by day.

pub mod after;
pub mod agenda;
mod calendar;
pub mod claim;
pub mod demo;
pub mod demo_stays;
pub mod demo_tables;
pub mod demo_trips;
mod demo_venue;
pub mod held;
pub mod horizon;
pub mod lines;
pub mod moving;
pub mod quote;
pub mod rates;
pub mod remind;
mod row;
mod slots;
pub mod stays;
mod store;
pub mod tables;
pub(super) mod tell;
pub mod timetable;
pub mod travellers;
pub mod trips;
mod visit;
pub mod waiting;
pub mod wishes;
mod zone;

pub use calendar::{Entry as CalendarEntry, calendar_file, code, entries as calendar_entries, position_of};
pub use slots::slots;
pub use visit::choice;
pub use zone::zone;
