//! All tests that need more than one room: on both databases, and over HTTP with the real program.
#![cfg(feature = "ssr")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

#[path = "../support/acme.rs"]
mod acme_authority;
#[path = "../support/authenticator.rs"]
mod authenticator;
#[path = "../support/authority.rs"]
mod authority;
#[path = "../support/client.rs"]
mod client;
#[path = "../support/door.rs"]
mod door;
#[path = "../support/guests.rs"]
mod guests;
#[path = "../support/ledger.rs"]
mod ledger;
#[path = "../support/load.rs"]
mod load;
#[path = "../support/mail.rs"]
mod mail_server;
#[path = "../support/member.rs"]
mod member;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/proxy.rs"]
mod proxy;
#[path = "../support/second.rs"]
mod second;
#[path = "../support/shop.rs"]
mod shop;
#[path = "../support/till.rs"]
mod till;
#[path = "../support/venues.rs"]
mod venues;

mod account;
mod acme;
mod audit;
mod backup;
mod booking;
mod booking_after;
mod booking_held;
mod booking_move;
mod booking_nights;
mod booking_order;
mod booking_page;
mod booking_row;
mod booking_stay;
mod booking_table;
mod booking_trip;
mod booking_visit;
mod booking_wait;
mod books;
mod bucket;
mod catalog;
mod clocks;
mod cold;
mod completion;
mod confirmed;
mod consent;
mod cookies;
mod crash;
mod crossing;
mod faults;
mod favourites;
mod figures;
mod found;
mod full_disk;
mod guessing;
mod hostile;
mod http;
mod kept;
mod keys;
mod lasting;
mod leaks;
mod listen;
mod lockout;
mod mail;
mod media;
mod migrate;
mod moving;
mod nodes;
mod noticed;
mod order;
mod order_end;
mod outbox;
mod passkey;
mod payment;
mod permissions;
mod personal;
mod privacy;
mod race;
mod review;
mod second_factor;
mod second_office;
mod sms;
mod staff;
mod stop;
mod targets;
mod tls;
mod told_twice;
mod traces;
mod trouble;
mod unchanged;
