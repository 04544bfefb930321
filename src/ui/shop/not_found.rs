//! For every address that no route knows.

use crate::ui::{error::NotFound, set_status};
use leptos::prelude::*;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    set_status(404);
    view! { <NotFound/> }.into_any()
}
