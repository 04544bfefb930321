//! A row of pages as wide as its view, of which one is seen: swiped by hand, or turned by keys and buttons.
//!
//! The browser scrolls and snaps, so that the strip works without script; this keeps count of the page in view.

use leptos::{ev, html, prelude::*, web_sys::Element};

/// A strip; its pages are the children of a list that scrolls sideways.
#[derive(Clone, Copy)]
pub struct Strip {
    pub track: NodeRef<html::Ul>,
    /// The page in view, from 0; or the one that the strip is on its way to.
    pub current: RwSignal<usize>,
    pages: usize,
    /// Where the strip glides to. Those it passes are not in view.
    goal: StoredValue<Option<usize>>,
}

impl Strip {
    /// A strip of at least one page.
    pub fn new(pages: usize) -> Self {
        Self { track: NodeRef::new(), current: RwSignal::new(0), pages: pages.max(1), goal: StoredValue::new(None) }
    }

    /// Turns to a page, or to the last one.
    pub fn go(self, to: usize) {
        self.turn(to, false);
    }

    /// The same, without being seen to move.
    pub fn jump(self, to: usize) {
        self.turn(to, true);
    }

    fn turn(self, to: usize, at_once: bool) {
        let to = to.min(self.pages - 1);
        self.current.set(to);
        self.goal.set_value((!at_once && self.seen() != Some(to)).then_some(to));
        if let Some(track) = self.track.get_untracked() {
            let left = track.client_width() * i32::try_from(to).unwrap_or(0);
            if at_once { scroll_at_once(&track, left) } else { track.set_scroll_left(left) }
        }
    }

    /// Whether this is the last page.
    pub fn is_last(self, page: usize) -> bool {
        page + 1 >= self.pages
    }

    /// To be called when the strip scrolled.
    pub fn scrolled(self) {
        let Some(seen) = self.seen() else { return };
        if self.goal.get_value().is_some_and(|goal| goal != seen) {
            return;
        }
        self.goal.set_value(None);
        if seen != self.current.get_untracked() {
            self.current.set(seen);
        }
    }

    /// To be called when a finger stops the strip, and when it came to rest: it need not be where it was sent.
    pub fn held(self) {
        self.goal.set_value(None);
        self.scrolled();
    }

    /// Turns to where a key leads. False for keys that lead nowhere.
    pub fn key(self, event: &ev::KeyboardEvent) -> bool {
        if is_shortcut(event) {
            return false;
        }
        let at = self.current.get_untracked();
        let to = match event.key().as_str() {
            "ArrowRight" => at + 1,
            "ArrowLeft" => at.saturating_sub(1),
            "Home" => 0,
            "End" => self.pages - 1,
            _ => return false,
        };
        event.prevent_default();
        self.go(to);
        true
    }

    /// The element of a page.
    pub fn page(self, page: usize) -> Option<Element> {
        self.track.get_untracked()?.query_selector(&format!(":scope > :nth-child({})", page + 1)).ok().flatten()
    }

    /// The page in the middle of the view; none while the strip is not shown.
    fn seen(self) -> Option<usize> {
        let track = self.track.get_untracked()?;
        let width = track.client_width();
        let page = (track.scroll_left() + width / 2).checked_div(width)?;
        Some(usize::try_from(page).unwrap_or(0).min(self.pages - 1))
    }
}

#[cfg(not(feature = "hydrate"))]
fn scroll_at_once(_track: &Element, _left: i32) {}

#[cfg(feature = "hydrate")]
fn scroll_at_once(track: &Element, left: i32) {
    let options = web_sys::ScrollToOptions::new();
    options.set_left(f64::from(left));
    options.set_behavior(web_sys::ScrollBehavior::Instant);
    track.scroll_to_with_scroll_to_options(&options);
}

/// Whether a key is one of the browser's own: back, forward, zoom.
pub fn is_shortcut(event: &ev::KeyboardEvent) -> bool {
    event.ctrl_key() || event.alt_key() || event.meta_key()
}
