//! What stands in the place of content that is on its way, in its final size.

use crate::{domain::texts::common as t, ui::use_locale};
use leptos::{children::ViewFnOnce, prelude::*};

/// Something that stays on the screen while its next version loads; `pending` tells the page around it.
#[component]
pub fn Reloading<C>(
    #[prop(into)] fallback: ViewFnOnce,
    pending: RwSignal<bool>,
    children: TypedChildren<C>,
) -> impl IntoView
where
    C: IntoView + Send + 'static,
{
    // The server sends nothing that is pending, and the effect that would tell of it runs beside the loading it reads of.
    #[cfg(feature = "ssr")]
    let view = {
        let _ = pending;
        view! { <Transition fallback>{children.into_inner()()}</Transition> }
    };
    #[cfg(not(feature = "ssr"))]
    let view = view! { <Transition fallback set_pending=pending>{children.into_inner()()}</Transition> };
    view.into_any()
}

/// The places of product cards in a `ul.products`.
#[component]
pub fn SkeletonProducts(#[prop(default = 8)] count: usize) -> impl IntoView {
    let card = |_| {
        view! {
            <li class="product">
                <span class="skeleton skeleton-media"></span>
                <span class="skeleton skeleton-text skeleton-short"></span>
                <span class="skeleton skeleton-text"></span>
                <span class="skeleton skeleton-text skeleton-short"></span>
            </li>
        }
    };
    let label = use_locale().t(t::LOADING);
    view! { <ul class="products" aria-busy="true" aria-label=label>{(0..count).map(card).collect_view()}</ul> }
        .into_any()
}

/// Some lines of text.
#[component]
pub fn SkeletonText(#[prop(default = 3)] lines: usize) -> impl IntoView {
    let label = use_locale().t(t::LOADING);
    let line = |_| view! { <span class="skeleton skeleton-text"></span> };
    view! { <div class="stack stack-sm" role="status" aria-busy="true" aria-label=label>{(0..lines).map(line).collect_view()}</div> }
        .into_any()
}
