//! What a page that may be found and shared tells machines of itself: search engines, and those who show a link to it.

use crate::{
    domain::{
        Locale,
        locale::{PARAMETER, any_language},
        texts::shell,
    },
    ui::{absolute, use_locale},
};
use leptos::prelude::*;
use leptos_meta::{Link, Meta};
use leptos_router::hooks::use_query_map;

/// The full address under which the present page is known, made of its local path and what else tells it from others.
///
/// The plain address shows a page in the reader's language; one that asks for a language is a page of its own.
pub fn canonical(path: &str) -> String {
    let asked = use_query_map().with_untracked(|query| query.get(PARAMETER));
    let address = asked.and_then(|tag| Locale::from_tag(&tag)).map(|locale| locale.address(path));
    absolute(&address.unwrap_or_else(|| any_language(path)))
}

/// The description and the addresses of a page that may be found, and how it looks where it is shared. The title of the
/// window stays with the page.
#[component]
pub fn Head(
    /// The local address, without a language.
    path: String,
    title: String,
    description: String,
    /// The local address of a picture; without one the shop's icon stands for it.
    #[prop(default = None)]
    image: Option<String>,
    #[prop(default = "website")] kind: &'static str,
) -> impl IntoView {
    let present = use_locale();
    let address = canonical(&path);
    let card = if image.is_some() { "summary_large_image" } else { "summary" };
    let image = absolute(image.as_deref().unwrap_or("/icon-512.png"));
    let others = Locale::ALL.into_iter().filter(|locale| *locale != present);
    let others = others.map(|locale| view! { <Meta property="og:locale:alternate" content=locale.territory_tag()/> });
    let languages = Locale::ALL.map(|locale| {
        view! { <Link rel="alternate" hreflang=locale.tag() href=absolute(&locale.address(&path))/> }
    });
    view! {
        <Meta name="description" content=description.clone()/>
        <Meta property="og:site_name" content=present.t(shell::NAME)/>
        <Meta property="og:locale" content=present.territory_tag()/>
        {others.collect_view()}
        <Meta property="og:type" content=kind/>
        <Meta property="og:title" content=title/>
        <Meta property="og:description" content=description/>
        <Meta property="og:url" content=address.clone()/>
        <Meta property="og:image" content=image/>
        <Meta name="twitter:card" content=card/>
        <Link rel="canonical" href=address/>
        {languages}
        <Link rel="alternate" hreflang="x-default" href=absolute(&path)/>
    }
    .into_any()
}
