//! Coming back to a list at the place where it was left.
//!
//! The browser does this by itself for whole pages. For a page that the client makes anew, its content is not there yet
//! when the browser would scroll.

use leptos::prelude::*;

/// Remembers, while the caller's component lives, how far the page at an address is scrolled.
#[cfg(not(feature = "hydrate"))]
pub fn remember_scroll(_address: Signal<String>) {}

/// Scrolls to where the page at this address was left, if the reader came by "back" or "forward". To be called in an
/// effect once the content is in the page.
#[cfg(not(feature = "hydrate"))]
pub fn restore_scroll(_address: &str) {}

#[cfg(feature = "hydrate")]
pub use browser::{remember_scroll, restore_scroll};

#[cfg(feature = "hydrate")]
mod browser {
    use super::*;
    use leptos::ev;
    use std::{
        cell::{Cell, RefCell},
        collections::HashMap,
        sync::Once,
    };

    thread_local! {
        static PLACES: RefCell<HashMap<String, f64>> = RefCell::default();
        /// Whether the last navigation was by the browser's buttons.
        static TRAVERSED: Cell<bool> = const { Cell::new(false) };
    }

    /// Remembers, while the caller's component lives, how far the page at an address is scrolled.
    pub fn remember_scroll(address: Signal<String>) {
        static WATCH: Once = Once::new();
        WATCH.call_once(|| {
            // For as long as the page lives: the traversal back to a list happens while another page is shown.
            std::mem::forget(window_event_listener(ev::popstate, |_| TRAVERSED.set(true)));
            std::mem::forget(window_event_listener(ev::click, |_| TRAVERSED.set(false)));
        });
        let scrolled = window_event_listener(ev::scroll, move |_| {
            if let (Some(address), Ok(y)) = (address.try_get_untracked(), window().scroll_y()) {
                PLACES.with_borrow_mut(|places| places.insert(address, y));
            }
        });
        on_cleanup(move || scrolled.remove());
    }

    /// Scrolls to where the page at this address was left, if the reader came by "back" or "forward". To be called in
    /// an effect once the content is in the page.
    pub fn restore_scroll(address: &str) {
        if !TRAVERSED.take() {
            return;
        }
        if let Some(y) = PLACES.with_borrow(|places| places.get(address).copied()) {
            request_animation_frame(move || window().scroll_to_with_x_and_y(0.0, y));
        }
    }
}
