//! From page to page: what the browser does by itself when it loads a page, and must be done here when the client moves
//! on its own. A bar shows that the next page is on its way, and the focus goes to the beginning of the new page, so
//! that a reader starts there.

use crate::{domain::texts::common as t, ui::use_locale};
use leptos::{html, prelude::*};
use leptos_router::{
    hooks::{use_location, use_query_map},
    location::Url,
    params::ParamsMap,
};

/// Where the visitor is on the way.
#[derive(Clone, Copy)]
pub struct Travel {
    /// The page that the server made was left.
    moved: StoredValue<bool>,
    /// For how many pages code is being loaded: someone may go elsewhere meanwhile.
    opening: RwSignal<u32>,
}

/// One page whose code is being loaded; that ends as well when its visitor goes elsewhere and nobody waits for it.
struct Opening(RwSignal<u32>);

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.try_update(|opening| *opening -= 1);
    }
}

/// Once, around all pages.
pub fn provide_travel() {
    provide_context(Travel { moved: StoredValue::new(false), opening: RwSignal::new(0) });
}

pub fn use_travel() -> Travel {
    expect_context()
}

impl Travel {
    /// Runs while the bar is shown.
    pub async fn opening<T>(self, work: impl Future<Output = T>) -> T {
        self.opening.try_update(|opening| *opening += 1);
        let _opening = Opening(self.opening);
        work.await
    }

    /// Leaves the next page to the server, or to the service worker in its place; never comes back. A page that the
    /// server has made already works as it is.
    pub async fn by_the_server(self, url: &Url) {
        if self.moved.try_get_value() == Some(true) {
            let _ = window().location().set_href(&address(url));
        }
        std::future::pending().await
    }

    /// Asks the service worker, if there is one, for a page whose data could not be had. Only after a move: a page that
    /// was loaded came from there already.
    pub fn to_the_saved_page(self, url: &Url) {
        if self.moved.try_get_value() == Some(true) && has_worker() {
            let _ = window().location().replace(&address(url));
        }
    }
}

fn address(url: &Url) -> String {
    format!("{}{}{}", url.path(), url.search_params().to_query_string(), url.hash())
}

#[cfg(not(feature = "hydrate"))]
fn has_worker() -> bool {
    false
}

#[cfg(feature = "hydrate")]
fn has_worker() -> bool {
    window().navigator().service_worker().controller().is_some()
}

/// What the address of a page asks for, as `read` takes it from the parameters. The page is the one at the path `here`, or
/// where that ends in a slash any below it. On the way to another page the address is already that of the other page: this
/// one keeps what it was asked for.
pub fn use_asked<T: Clone + PartialEq + Send + Sync + 'static>(
    here: &'static str,
    read: impl Fn(&ParamsMap) -> T + Send + Sync + 'static,
) -> Memo<T> {
    let (query, location) = (use_query_map(), use_location());
    let is_here = move |path: &String| match here.ends_with('/') {
        true => path.starts_with(here),
        false => path.trim_end_matches('/') == here,
    };
    Memo::new(move |last: Option<&T>| match last {
        Some(last) if !location.pathname.with(is_here) => last.clone(),
        _ => query.with(&read),
    })
}

/// The bar at the upper edge. Inside the router.
#[component]
pub fn TravelBar() -> impl IntoView {
    let Travel { moved, opening } = use_travel();
    let path = use_location().pathname;
    Effect::new(move |first: Option<String>| {
        let now = path.get();
        if first.is_some_and(|before| before != now) {
            moved.set_value(true);
        }
        now
    });
    view! { <div class="travel" aria-hidden="true" hidden=move || opening.get() == 0></div> }.into_any()
}

/// What a page is about. After a move it takes the focus, unless something in it has it or the visitor is typing.
#[component]
pub fn Main(
    class: &'static str,
    /// Only the outline of the page, while it loads.
    #[prop(optional)]
    loading: bool,
    children: Children,
) -> impl IntoView {
    let l = use_locale();
    let place = NodeRef::<html::Main>::new();
    let moved = use_travel().moved;
    Effect::new(move |_| {
        if let (Some(place), Some(true)) = (place.get(), moved.try_get_value()) {
            arrive(&place);
        }
    });
    view! {
        <main
            id="main"
            class=class
            tabindex="-1"
            node_ref=place
            aria-busy=loading.then_some("true")
            aria-label=loading.then(|| l.t(t::LOADING))
        >
            {children()}
        </main>
    }
    .into_any()
}

fn arrive(place: &leptos::web_sys::HtmlElement) {
    let active = document().active_element();
    let busy = active.is_some_and(|active| {
        place.contains(Some(&active)) || matches!(active.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
    });
    if !busy {
        // Where the page begins is the router's business.
        focus_quietly(place);
    }
}

/// Moves the focus without scrolling.
#[cfg(not(feature = "hydrate"))]
pub fn focus_quietly(_place: &leptos::web_sys::HtmlElement) {}

/// Moves the focus without scrolling.
#[cfg(feature = "hydrate")]
pub fn focus_quietly(place: &leptos::web_sys::HtmlElement) {
    let options = web_sys::FocusOptions::new();
    options.set_prevent_scroll(true);
    let _ = place.focus_with_options(&options);
}
