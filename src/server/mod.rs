//! Everything that needs data, a network or a clock.
//!
//! The first modules serve all rooms; the rooms carry the same names as in [`crate::domain`].

pub mod audit;
pub mod backup;
pub mod books;
pub mod config;
pub mod context;
pub mod crypto;
pub mod db;
pub mod divisions;
pub mod figures;
pub mod http;
pub mod jobs;
pub mod keys;
pub mod live;
pub mod media;
pub mod memory;
pub mod message;
pub mod nodes;
pub mod outbox;
pub mod pace;
pub mod privacy;
pub mod recent;
pub mod refusal;
pub mod risk;
pub mod sharing;
pub mod sign_in;
pub mod start;
pub mod traces;

pub mod account;
pub mod booking;
pub mod cart;
pub mod catalog;
pub mod order;
pub mod payment;
pub mod review;
pub mod stock;

pub use context::{App, Ctx};

use db::Migration;

/// All migrations in the order they run.
pub const MIGRATIONS: &[Migration] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));
