//! What is booked, on the page of its product, and the searches for it.

pub mod lodging;
pub mod nights;
pub mod stay;
pub mod stays;
