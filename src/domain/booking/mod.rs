//! The rules of bookings: when something can be had, who claims what, what it costs and what comes back.
//!
//! Two kinds of claims are told apart, because the database keeps them apart. What there is a number of (rooms of a
//! type, seats of a departure, covers of a quarter of an hour) is a count that must not go below zero. What there is one
//! of (a person, a table, a vehicle) is cells of a grid, each of which one claim can have.
//!
//! ```text
//!  zone ── schedule ── slots ── alternatives      people, tables, equipment
//!    │         interval ┘  └ cells, row
//!    │
//!    ├── stay ── rates                            nights
//!    ├── trips                                    seats
//!    └── cancellation                             all of them
//! ```
//!
//! Moments are UTC milliseconds. Where a rule speaks of a day or an hour it means the venue's, and takes its [`zone`].

pub mod after;
pub mod agenda;
pub mod alternatives;
pub mod cancellation;
pub mod cells;
pub mod date;
pub mod ics;
pub mod interval;
pub mod keeping;
pub mod lodging;
pub mod month;
pub mod offer;
pub mod rates;
pub mod row;
pub mod schedule;
pub mod seating;
pub mod slots;
pub mod stay;
pub mod tables;
pub mod timetable;
pub mod travel;
pub mod trips;
pub mod visit;
pub mod wish;
pub mod words;
pub mod zone;

#[cfg(test)]
pub(crate) mod samples;

pub const MINUTE_MS: i64 = 60_000;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// A day of 24 hours; the days of a zone are not all that long.
pub const DAY_MS: i64 = 24 * HOUR_MS;
/// The minutes that a clock on the wall shows in a day.
pub const DAY_MINUTES: i64 = 24 * 60;
/// A whole, in basis points: shares and taxes are parts of it.
pub const WHOLE: i64 = 10_000;
