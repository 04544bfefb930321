//! Icons from the sprite in `public/icons.svg`.

use leptos::prelude::*;

/// A decorative icon; what it means is said by the text or the `aria-label` beside it.
///
/// `class` adds a size, `icon-sm` or `icon-lg`, to `icon`.
#[component]
pub fn Icon(name: &'static str, #[prop(optional)] class: &'static str) -> impl IntoView {
    let class = if class.is_empty() { "icon".to_owned() } else { format!("icon {class}") };
    let href = format!("/icons.svg#{name}");
    view! { <svg class=class aria-hidden="true"><use href=href></use></svg> }.into_any()
}
