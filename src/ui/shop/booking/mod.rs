//! What is booked, on the page of its product, and the searches for it.

mod ask;
pub mod table;
pub mod tables;
pub mod travellers;
pub mod trip;
mod trip_form;
pub mod trips;
mod voyage;
