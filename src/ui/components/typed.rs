//! Fields whose content follows the page. A property that is bound is written when the client takes the page over, and
//! with it what somebody typed on a slow line until then; here it is written only when there is news.

use leptos::{html, prelude::*};

/// Whether the client is just taking over what the server made.
pub fn taking_over() -> bool {
    Owner::current_shared_context().is_some_and(|context| context.during_hydration())
}

/// Writes a text into a field whenever it changes. The field has the first one from its `value`.
pub fn follow_text(field: NodeRef<html::Input>, text: Signal<String>) {
    Effect::new(move |before: Option<String>| {
        let now = text.get();
        if let (Some(before), Some(field)) = (before, field.get_untracked())
            && before != now
        {
            field.set_value(&now);
        }
        now
    });
}

/// Shows whether a box is ticked that stays when its part of the page is drawn anew. If somebody ticked it before the
/// page came alive, `changed` is told.
pub fn show_ticked(field: NodeRef<html::Input>, ticked: bool, changed: impl Fn(bool) + 'static) {
    let early = taking_over();
    Effect::new(move |_| {
        let Some(field) = field.get() else { return };
        match early && field.checked() != ticked {
            true => changed(field.checked()),
            false => field.set_checked(ticked),
        }
    });
}
