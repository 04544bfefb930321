//! A question or a closer look above the page, which comes back to it.

use super::icon::Icon;
use crate::{domain::texts::common as t, ui::use_locale};
use leptos::{html, prelude::*};

/// A dialog with its title and a way out. The children are a `dialog-body` and, mostly, `dialog-actions`.
///
/// A page shows it with `show_modal` of `place`; `open` puts it into the page as it stands.
#[component]
pub fn Dialog(
    place: NodeRef<html::Dialog>,
    /// The id of the title.
    #[prop(into)]
    title_id: String,
    title: &'static str,
    #[prop(optional)] open: bool,
    children: Children,
) -> impl IntoView {
    let close = use_locale().t(t::CLOSE);
    let labelled = title_id.clone();
    view! {
        <dialog node_ref=place class="dialog" aria-labelledby=labelled open=open>
            <div class="dialog-head">
                <h2 class="dialog-title" id=title_id>{title}</h2>
                <form method="dialog">
                    <button class="btn btn-icon btn-quiet" aria-label=close><Icon name="close"/></button>
                </form>
            </div>
            {children()}
        </dialog>
    }
    .into_any()
}
