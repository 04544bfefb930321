//! Reviews in the shop: those of a product on its page, and the form in which a customer writes one.

mod links;
pub mod list;
mod write;

pub use links::{ReviewLink, ReviewLinks};
pub use write::WriteReviewPage;
