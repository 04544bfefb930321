//! Data of a page, or of a part of it: its outline while it loads, and what went wrong in place of it.

use super::skeleton::SkeletonText;
use crate::{
    domain::Error,
    ui::{error::ErrorNotice, set_status},
};
use leptos::prelude::*;

/// Shows data once it is there, and keeps it while it is loaded again. Where it cannot be had the answer has the status
/// of the error.
#[component]
pub fn Loaded<T, F, V>(
    data: Resource<Result<T, Error>>,
    /// Of the outline.
    lines: usize,
    /// Whether this is a part of a panel; else the outline is one.
    #[prop(optional)]
    inside: bool,
    /// The view of the data.
    children: F,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    F: Fn(T) -> V + Clone + Send + 'static,
    V: IntoView + 'static,
{
    let outline = move || {
        let text = view! { <SkeletonText lines/> };
        if inside { text.into_any() } else { view! { <div class="panel">{text}</div> }.into_any() }
    };
    view! {
        <Transition fallback=outline>
            {move || {
                let children = children.clone();
                Suspend::new(async move {
                    match data.await {
                        Ok(found) => children(found).into_any(),
                        Err(error) => {
                            set_status(error.status_code());
                            view! { <ErrorNotice error reload=true/> }.into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
    .into_any()
}
