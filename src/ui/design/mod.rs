//! `/design`: the shop's components in each of their states, while the shop is being worked on.
//!
//! The page shows the real components with made-up data. Only the server makes it, without the client: nothing of it
//! is in what customers load, and what needs a script stands still.

mod basics;
mod forms;
mod goods;
mod said;
mod samples;
mod times;

use super::{
    components::{
        shell::{Languages, provide_shell},
        travel::{Main, provide_travel},
    },
    live::provide_live,
    use_locale,
};
use crate::domain::{
    locale::Text,
    texts::{design as t, shell},
};
use leptos::prelude::*;
use leptos_meta::{Meta, Stylesheet, Title, provide_meta_context};
use leptos_router::components::Router;

/// How the page lays out its specimens; the shop's own styles know nothing of it.
pub const STYLES: &str = include_str!("../../../style/design.css");
pub const STYLES_PATH: &str = "/design.css";

/// What a section is called in addresses, its title, and what it shows.
type Section = (&'static str, Text, fn() -> AnyView);

const SECTIONS: [Section; 16] = [
    ("colours", t::COLOURS, basics::colours),
    ("buttons", t::BUTTONS, basics::buttons),
    ("badges", t::BADGES, basics::badges),
    ("prices", t::PRICES, goods::prices),
    ("address", t::ADDRESS, forms::address),
    ("fields", t::FIELDS, forms::fields),
    ("quantity", t::QUANTITY, forms::quantity),
    ("notices", t::NOTICES, said::notices),
    ("navigation", t::NAVIGATION, basics::navigation),
    ("times", t::TIMES, times::times),
    ("order", t::ORDER, goods::order),
    ("products", t::PRODUCTS, goods::products),
    ("loading", t::LOADING, said::loading),
    ("empty", t::EMPTY, said::empty),
    ("asking", t::ASKING, said::asking),
    ("icons", t::ICONS, basics::icons),
];

/// Everything inside `<body>`.
#[component]
pub fn DesignPage() -> impl IntoView {
    provide_meta_context();
    provide_live();
    provide_shell();
    provide_travel();
    let l = use_locale();
    let title = format!("{} · {}", l.t(t::TITLE), l.t(shell::NAME));
    view! {
        <Title text=title/>
        <Meta name="robots" content="noindex"/>
        <Stylesheet href=STYLES_PATH/>
        <Router><Specimens/></Router>
    }
    .into_any()
}

#[component]
fn Specimens() -> impl IntoView {
    let l = use_locale();
    let link = move |(id, title, _): Section| view! { <li><a class="chip" href=format!("#{id}")>{l.t(title)}</a></li> };
    let section = move |(id, title, show): Section| {
        let title_id = format!("{id}-title");
        let labelled = title_id.clone();
        view! {
            <section class="stack" id=id aria-labelledby=labelled>
                <h2 class="section-title" id=title_id>{l.t(title)}</h2>
                {show()}
            </section>
        }
    };
    view! {
        <a class="skip-link" href="#main">{l.t(shell::SKIP)}</a>
        <Main class="page container">
            <div class="page-head">
                <h1 class="page-title">{l.t(t::TITLE)}</h1>
                <Languages/>
            </div>
            <p class="muted">{l.t(t::INTRO)}</p>
            <nav class="section-sm" aria-label=l.t(t::CONTENTS)>
                <ul class="cluster">{SECTIONS.into_iter().map(link).collect_view()}</ul>
            </nav>
            <div class="specimens section">{SECTIONS.into_iter().map(section).collect_view()}</div>
        </Main>
    }
    .into_any()
}
