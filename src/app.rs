//! The table of all pages.

use crate::domain::texts;
use crate::ui::{
    components::{
        shell::{ShopFrame, ShopShell, provide_shell},
        travel::{TravelBar, provide_travel},
    },
    error::OfflinePage,
    live::provide_live,
    parts::{account, catalog, office, ordering},
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
                </ParentRoute>
                // Apart from those above: the type of so many routes in one group takes the compiler many times as long.
                <ParentRoute path=path!("") view=ShopShell ssr=SsrMode::Async>
                    <Route path=path!("me/security") view={Lazy::<account::Security>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("sign-in") view={Lazy::<account::SignIn>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("sign-in/code") view={Lazy::<account::Code>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("sign-in/second") view={Lazy::<account::SecondSignIn>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("outbox") view={Lazy::<account::Outbox>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("terms") view={Lazy::<account::Terms>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("privacy") view={Lazy::<account::Privacy>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("privacy/shared") view={Lazy::<account::Shared>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("me/privacy") view={Lazy::<account::MyData>::new()} ssr=SsrMode::Async/>
                </ParentRoute>
                <ParentRoute path=path!("me") view=ShopShell ssr=SsrMode::Async>
                    <Route path=path!("addresses") view={Lazy::<account::Addresses>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("favourites") view={Lazy::<account::Favourites>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("notifications") view={Lazy::<account::Notifications>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("viewed") view={Lazy::<account::Viewed>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("security/second") view={Lazy::<account::SecondFactor>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("addresses/edit") view={Lazy::<account::AddressEdit>::new()} ssr=SsrMode::Async/>
                </ParentRoute>
                <Route path=path!("office/sign-in") view={Lazy::<office::SignIn>::new()} ssr=SsrMode::Async/>
                <Route path=path!("office/second") view={Lazy::<office::Second>::new()} ssr=SsrMode::Async/>
                <ParentRoute path=path!("office") view={Lazy::<office::Frame>::new()} ssr=SsrMode::Async>
                    <Route path=path!("") view={Lazy::<office::Orders>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("orders/:number") view={Lazy::<office::Order>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("stock") view={Lazy::<office::Stock>::new()} ssr=SsrMode::Async/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}
