//! What a page shows of the catalogue, noted while it is made.

use crate::server::live::{Changes, Hub, Seen, Sight};
use leptos::context::use_context;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The notes of one page, and the changes that they are held against.
#[derive(Clone)]
pub struct Shown {
    changes: Arc<Changes>,
    seen: Arc<Mutex<Seen>>,
}

impl Shown {
    /// Of a page that shows nothing yet.
    pub fn new(live: &Hub) -> Self {
        Self { changes: live.changes(), seen: Arc::default() }
    }

    /// The notes of the page that is being made; none where the answer is none.
    pub fn of_page() -> Option<Self> {
        use_context()
    }

    pub fn note(&self, sight: &Sight) {
        self.lock().note(sight);
    }

    /// Whether something that it shows has changed after so many changes of the catalogue.
    pub fn is_changed_after(&self, changes: u64) -> bool {
        self.changes.is_any_after(changes, &self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // A note is whole, or it is of everything, so what a panic left behind is still right.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
