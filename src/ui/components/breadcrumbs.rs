//! The way from the start page down to here.

use crate::{domain::texts::common as t, ui::use_locale};
use leptos::prelude::*;

/// Links (address and title) after "home", and the name of the present page where it is part of the way.
#[component]
pub fn Breadcrumbs(links: Vec<(String, String)>, #[prop(optional)] here: Option<String>) -> impl IntoView {
    let l = use_locale();
    let link = |(href, title): (String, String)| view! { <li><a class="breadcrumb-link" href=href>{title}</a></li> };
    view! {
        <nav aria-label=l.t(t::BREADCRUMB)>
            <ol class="breadcrumb">
                <li><a class="breadcrumb-link" href="/">{l.t(t::HOME)}</a></li>
                {links.into_iter().map(link).collect_view()}
                {here.map(|title| view! { <li><span aria-current="page">{title}</span></li> })}
            </ol>
        </nav>
    }
    .into_any()
}
