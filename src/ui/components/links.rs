//! Addresses of the catalogue's pages. Handles may be in any script; in an address they are percent-encoded.

use crate::domain::catalog::percent_encode;

/// The page of a category.
pub fn category_href(handle: &str) -> String {
    format!("/c/{}", percent_encode(handle))
}

/// The page of a product.
pub fn product_href(handle: &str) -> String {
    format!("/p/{}", percent_encode(handle))
}
