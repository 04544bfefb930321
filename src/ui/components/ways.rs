//! The ways to what is booked: rooms, tables, trips and services, as far as the shop has them.

use crate::{
    domain::{booking::offer::Kind, catalog::Way, locale::Text, texts::shell as t},
    ui::use_locale,
};
use leptos::prelude::*;

/// What is booked of a kind, and its picture in the sprite.
const fn face(kind: Kind) -> (Text, &'static str) {
    match kind {
        Kind::Stay => (t::STAYS, "store"),
        Kind::Table => (t::TABLES, "utensils"),
        Kind::Trip => (t::TRIPS, "compass"),
        Kind::Visit => (t::SERVICES, "clock"),
    }
}

/// A row of tiles for the start page; nothing in a shop that sells goods alone.
#[component]
pub fn WayTiles(ways: Vec<Way>) -> impl IntoView {
    let l = use_locale();
    let tile = move |Way { kind, href }: Way| {
        let (text, icon) = face(kind);
        let icon = format!("/icons.svg#{icon}");
        view! {
            <li>
                <a class="way" href=href>
                    <svg class="icon" aria-hidden="true"><use href=icon></use></svg>
                    <span>{l.t(text)}</span>
                </a>
            </li>
        }
    };
    (!ways.is_empty())
        .then(|| {
            view! {
                <nav class="section-sm" aria-label=l.t(t::WAYS)>
                    <ul class="ways">{ways.into_iter().map(tile).collect_view()}</ul>
                </nav>
            }
        })
        .into_any()
}

/// The same as links of the footer.
#[component]
pub fn WayLinks(ways: Vec<Way>) -> impl IntoView {
    let l = use_locale();
    let link = move |Way { kind, href }: Way| {
        let (text, _) = face(kind);
        view! { <a class="footer-link" href=href>{l.t(text)}</a> }
    };
    ways.into_iter().map(link).collect_view().into_any()
}
