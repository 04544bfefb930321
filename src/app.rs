//! The document and the table of all pages.

use crate::domain::texts;
use crate::ui::{
    components::{
        shell::{ShopFrame, ShopShell, provide_shell},
        travel::{TravelBar, provide_travel},
    },
    error::OfflinePage,
    live::provide_live,
    parts::{catalog, office, ordering},
    shop::{home::HomePage, not_found::NotFoundPage},
    use_locale,
};
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    Lazy, SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

/// Everything inside `<body>`.
///
/// Pages wait for their data on the server, so that they are whole without JavaScript and carry the right status.
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
            <Routes fallback=|| view! { <ShopFrame><NotFoundPage/></ShopFrame> }.into_any()>
                <ParentRoute path=path!("") view=ShopShell ssr=SsrMode::Async>
                    <Route path=path!("") view=HomePage ssr=SsrMode::Async/>
                    <Route path=path!("categories") view={Lazy::<catalog::Categories>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("c/:handle") view={Lazy::<catalog::Category>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("search") view={Lazy::<catalog::Search>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("p/:handle") view={Lazy::<catalog::Product>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("cart") view={Lazy::<ordering::Cart>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("checkout") view={Lazy::<ordering::Checkout>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("checkout/review") view={Lazy::<ordering::Review>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("pay/:number") view={Lazy::<ordering::Pay>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("orders") view={Lazy::<ordering::Orders>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("orders/find") view={Lazy::<ordering::FindOrder>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("orders/:number") view={Lazy::<ordering::Order>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("orders/:number/edit") view={Lazy::<ordering::OrderEdit>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("me") view={Lazy::<ordering::Me>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("offline") view=OfflinePage ssr=SsrMode::Async/>
                    <Route path=path!("design") view={Lazy::<office::Design>::new()} ssr=SsrMode::Async/>
                </ParentRoute>
                <Route path=path!("office/sign-in") view={Lazy::<office::SignIn>::new()} ssr=SsrMode::Async/>
                <ParentRoute path=path!("office") view={Lazy::<office::Frame>::new()} ssr=SsrMode::Async>
                    <Route path=path!("") view={Lazy::<office::Orders>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("orders/:number") view={Lazy::<office::Order>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("stock") view={Lazy::<office::Stock>::new()} ssr=SsrMode::Async/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}

/// The whole document, as the server sends it.
#[cfg(feature = "ssr")]
pub fn shell() -> impl IntoView {
    use crate::{
        server::http::document,
        ui::{components::price::use_currency, development},
    };
    use leptos::nonce::use_nonce;
    use leptos_meta::MetaTags;

    let files = document::files();
    document::secure();
    let script = document::interactive().then(|| view! {
        <link rel="modulepreload" href=files.js.clone()/>
        {files.loader.clone().map(|loader| view! { <link rel="modulepreload" href=loader/> })}
        <link rel="preload" href=files.wasm.clone() r#as="fetch" r#type="application/wasm" crossorigin=""/>
        <script type="module" nonce=use_nonce()>
            {format!("import init,{{hydrate}} from {:?};init({{module_or_path:{:?}}}).then(hydrate)", files.js, files.wasm)}
        </script>
    });
    view! {
        <!DOCTYPE html>
        <html lang=use_locale().tag() data-currency=use_currency().code() data-development=development().then_some("")>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                <meta name="theme-color" content="#faf7f2" media="(prefers-color-scheme: light)"/>
                <meta name="theme-color" content="#141210" media="(prefers-color-scheme: dark)"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="apple-touch-icon" href="/apple-touch-icon.png"/>
                <link rel="manifest" href="/manifest.webmanifest"/>
                <link rel="stylesheet" href=files.css/>
                <script defer src="/boot.js"></script>
                {script}
                {document::reload()}
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
