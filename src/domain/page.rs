//! Pages of the shop by their address, and paging of lists.

use serde::{Deserialize, Serialize};

/// One page of a list and what is needed to offer the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: i64,
    /// This page, from 1.
    pub page: i64,
    pub per_page: i64,
}

impl<T> Page<T> {
    /// The number of pages, at least one.
    pub fn pages(&self) -> i64 {
        (self.total + self.per_page - 1).max(0).checked_div(self.per_page).unwrap_or(1).max(1)
    }
}

/// The path, if it stays on this shop. Browsers read `//host`, `/\host` and paths with control characters as another.
pub fn local_path(path: &str) -> Option<&str> {
    let safe = path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    (safe && path.starts_with('/') && !path.starts_with("//")).then_some(path)
}

/// A page number that someone typed into an address, made valid, and the rows before it.
pub fn offset(page: i64, per_page: i64) -> (i64, i64) {
    let page = page.clamp(1, 10_000);
    (page, (page - 1) * per_page)
}
