//! A moment on a page.

use crate::ui::use_locale;
use leptos::prelude::*;

pub use crate::domain::time::{clock, date, date_time, iso};

/// A moment, in UTC milliseconds, as date and time.
#[component]
pub fn Time(ms: i64, #[prop(optional)] class: &'static str) -> impl IntoView {
    let class = (!class.is_empty()).then_some(class);
    view! { <time class=class datetime=iso(ms)>{date_time(use_locale(), ms)}</time> }.into_any()
}
