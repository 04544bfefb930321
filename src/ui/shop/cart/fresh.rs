//! Pointing at a value that just changed by itself.

use leptos::prelude::*;
use std::time::Duration;

/// How long `is-fresh` stays; its animation is over then.
const FRESH: Duration = Duration::from_millis(1600);

/// Whether a value changed a moment ago. Never at first.
pub fn use_fresh<T: Clone + PartialEq + Send + Sync + 'static>(value: Memo<T>) -> ReadSignal<bool> {
    let fresh = RwSignal::new(false);
    Effect::new(move |before: Option<T>| {
        let now = value.get();
        if before.is_some_and(|before| before != now) {
            // Off and on again, so that the animation of a change before begins anew.
            fresh.set(false);
            request_animation_frame(move || {
                fresh.try_set(true);
            });
            set_timeout(
                move || {
                    fresh.try_set(false);
                },
                FRESH,
            );
        }
        now
    });
    fresh.read_only()
}
