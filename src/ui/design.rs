//! `/design`: every component of the style sheets on one page, while the shop is being worked on.

use super::{development, shop::not_found::NotFoundPage};
use leptos::prelude::*;
use leptos_meta::Title;

/// Only the server carries this text: nothing links to the page, so it is always loaded whole.
#[cfg(feature = "ssr")]
const SPECIMENS: &str = include_str!("design.html");
#[cfg(not(feature = "ssr"))]
const SPECIMENS: &str = "";

#[component]
pub fn DesignPage() -> impl IntoView {
    if !development() {
        return view! { <NotFoundPage/> }.into_any();
    }
    view! {
        <Title text="Design"/>
        <main id="main" class="page container" lang="zh-CN" tabindex="-1" inner_html=SPECIMENS></main>
    }
    .into_any()
}
