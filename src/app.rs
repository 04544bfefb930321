//! The whole of what people see.

mod routes;

use crate::{
    domain::texts,
    ui::{
        components::{
            shell::{ShopFrame, provide_shell},
            travel::{TravelBar, provide_travel},
        },
        live::provide_live,
        shop::not_found::NotFoundPage,
        use_locale,
    },
};
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{Router, Routes};

/// Everything inside `<body>`.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_live();
    provide_shell();
    provide_travel();
    let name = use_locale().t(texts::shell::NAME);
    let full_title = move |title: String| if title.is_empty() { name.to_owned() } else { format!("{title} · {name}") };
    view! {
        <Title formatter=full_title/>
        <Router>
            <TravelBar/>
            <Routes
                fallback=|| view! { <ShopFrame><NotFoundPage/></ShopFrame> }.into_any()
                children=ToChildren::to_children(routes::all)
            />
        </Router>
    }
}
