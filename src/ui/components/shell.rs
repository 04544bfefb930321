//! The frame of the customer's pages: header, bottom bar, footer, offline bar, language switch, toasts.

use crate::{
    api,
    domain::{
        Locale,
        cart::{Cart, Count},
        catalog::percent_encode,
        live::{Topic, cart_version},
        locale::Text,
        texts::{catalog, shell as t},
    },
    ui::{
        components::{links::category_href, typed::follow_text, ways::WayLinks},
        error::query,
        live::use_live,
        use_locale,
    },
};
use leptos::{html, prelude::*};
use leptos_router::{
    components::Outlet,
    hooks::{use_location, use_navigate, use_query_map},
};
use std::{sync::Arc, time::Duration};

/// How long a toast stays; one with a button stays longer, so that it can be reached.
const TOAST: Duration = Duration::from_secs(5);
const TOAST_WITH_ACTION: Duration = Duration::from_secs(10);

/// What the frame holds for all pages: the number in the cart, and the toasts.
pub fn provide_shell() {
    provide_context(Toasts { shown: std::array::from_fn(|_| RwSignal::new(None)), counted: StoredValue::new(0) });
    provide_context(CartCount(RwSignal::new(None)));
}

/// The number of pieces in the cart, as the header shows it.
#[derive(Clone, Copy)]
pub struct CartCount(RwSignal<Option<Count>>);

/// The number in the header; a page that changed the cart tells it with [`CartCount::show`].
pub fn use_cart_count() -> CartCount {
    expect_context()
}

impl CartCount {
    /// Shows what a server function answered, unless a newer cart is shown already.
    pub fn show(self, cart: &Cart) {
        self.show_count(cart.count());
    }

    /// The pieces in the cart, once they are known.
    pub fn pieces(self) -> Option<i64> {
        self.0.get().map(|count| count.pieces)
    }

    fn show_count(self, new: Count) {
        if self.0.with_untracked(|shown| shown.is_none_or(|shown| shown.version <= new.version)) {
            self.0.set(Some(new));
        }
    }
}

/// What is done with a cart that something was put into: the header shows it, and a message says so and leads there.
pub fn use_added() -> impl Fn(&Cart, Text) + Clone + Send + Sync + 'static {
    let (l, count, toasts, navigate) = (use_locale(), use_cart_count(), use_toasts(), use_navigate());
    move |cart: &Cart, said: Text| {
        count.show(cart);
        let navigate = navigate.clone();
        toasts.show_with(l.t(said), l.t(catalog::VIEW_CART), move || navigate("/cart", Default::default()));
    }
}

/// Short messages about what just happened, at the lower edge.
#[derive(Clone, Copy)]
pub struct Toasts {
    /// A place for each that is shown at once. A toast keeps its place, and with it the focus and its time.
    shown: [RwSignal<Option<Toast>>; 5],
    /// How many there were; each has a number of its own, so that no timer closes another.
    counted: StoredValue<usize>,
}

#[derive(Clone)]
struct Toast {
    id: usize,
    text: String,
    action: Option<Action>,
}

/// The label of a toast's button, and what it does.
type Action = (String, Arc<dyn Fn() + Send + Sync>);

pub fn use_toasts() -> Toasts {
    expect_context()
}

impl Toasts {
    /// Shows a message for some seconds.
    pub fn show(self, text: impl Into<String>) {
        if let Some(id) = self.push(text.into(), None) {
            set_timeout(move || self.close(id), TOAST);
        }
    }

    /// Shows a message with a button, such as "Undo"; the button also closes it. It stays while it is pointed at or
    /// has the focus.
    pub fn show_with(
        self,
        text: impl Into<String>,
        label: impl Into<String>,
        action: impl Fn() + Send + Sync + 'static,
    ) {
        self.push(text.into(), Some((label.into(), Arc::new(action))));
    }

    fn push(self, text: String, action: Option<Action>) -> Option<usize> {
        let id = self.counted.try_update_value(|counted| {
            *counted += 1;
            *counted
        })?;
        // A free place, or that of the oldest, but rather of one that cannot be answered.
        let age = |toast: &Option<Toast>| toast.as_ref().map(|toast| (toast.action.is_some(), toast.id));
        let place = self.shown.into_iter().min_by_key(|place| place.try_with_untracked(age))?;
        place.try_set(Some(Toast { id, text, action }));
        Some(id)
    }

    fn close(self, id: usize) {
        for place in self.shown {
            if place.try_with_untracked(toast_id) == Some(Some(id)) {
                place.try_set(None);
            }
        }
    }
}

fn toast_id(toast: &Option<Toast>) -> Option<usize> {
    toast.as_ref().map(|toast| toast.id)
}

/// Where toasts appear; belongs once into each frame.
#[component]
pub fn ToastRegion() -> impl IntoView {
    let toasts = use_toasts();
    let toast = |Toast { id, text, action }| match action {
        Some(action) => view! { <ToastWithAction id text action/> }.into_any(),
        None => view! { <div class="toast"><span>{text}</span></div> }.into_any(),
    };
    let place = |place: RwSignal<Option<Toast>>| move || place.get().map(toast);
    view! {
        <div class="toasts" role="status" aria-live="polite">{toasts.shown.map(place).into_iter().collect_view()}</div>
    }
    .into_any()
}

/// A toast that can be answered. Its time runs only while nobody is about to: it begins anew when the pointer and the
/// focus have left.
#[component]
fn ToastWithAction(id: usize, text: String, action: Action) -> impl IntoView {
    let toasts = use_toasts();
    let (label, run) = action;
    let (pointed, focused) = (RwSignal::new(false), RwSignal::new(false));
    Effect::new(move |_| {
        if !pointed.get() && !focused.get() {
            let timer = set_timeout_with_handle(move || toasts.close(id), TOAST_WITH_ACTION).ok();
            on_cleanup(move || {
                if let Some(timer) = timer {
                    timer.clear();
                }
            });
        }
    });
    let click = move |_| {
        run();
        toasts.close(id);
    };
    view! {
        <div
            class="toast"
            on:pointerenter=move |_| pointed.set(true)
            on:pointerleave=move |_| pointed.set(false)
            on:focusin=move |_| focused.set(true)
            on:focusout=move |_| focused.set(false)
        >
            <span>{text}</span>
            <button class="toast-action" type="button" on:click=click>{label}</button>
        </div>
    }
    .into_any()
}

/// The frame around the customer's page of the present route.
#[component]
pub fn ShopShell() -> impl IntoView {
    view! { <ShopFrame><Outlet/></ShopFrame> }.into_any()
}

/// The frame of the shop around anything.
#[component]
pub fn ShopFrame(children: Children) -> impl IntoView {
    let l = use_locale();
    let cart = cart_resource();
    view! {
        <a class="skip-link" href="#main" rel="external">{l.t(t::SKIP)}</a>
        <Header cart/>
        {children()}
        <Footer/>
        <TabBar cart/>
        <ToastRegion/>
    }
    .into_any()
}

type CartResource = Resource<Option<Count>>;

/// Loads the number once, and again whenever the live feed tells of a newer cart.
fn cart_resource() -> CartResource {
    let resource = Resource::new(|| (), |()| async { api::cart::count().await.ok() });
    let shown = use_cart_count();
    let live = use_live();
    Effect::new(move |_| {
        if let Some(Some(new)) = resource.get() {
            shown.show_count(new);
        }
    });
    let has_cart = Memo::new(move |_| shown.0.get().is_some_and(|count| count.version > 0));
    Effect::new(move |_| {
        if !has_cart.get() {
            return;
        }
        let told = live.listen(&Topic::Cart(String::new()));
        Effect::new(move |_| {
            if let Some(version) = told.with(|text| text.as_deref().and_then(cart_version))
                && shown.0.with_untracked(|shown| shown.is_none_or(|shown| shown.version < version))
            {
                resource.refetch();
            }
        });
    });
    resource
}

/// The number beside the cart's icon; nothing while the cart is empty.
#[component]
fn CountBadge(cart: CartResource) -> impl IntoView {
    let shown = use_cart_count();
    let badge = move |loaded: Option<Count>| {
        let pieces = shown.0.get().or(loaded).map_or(0, |count| count.pieces);
        let text = if pieces > 99 { "99+".to_owned() } else { pieces.to_string() };
        (pieces > 0).then(|| view! { <span class="count">{text}</span> })
    };
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                let loaded = cart.await;
                move || badge(loaded)
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Header(cart: CartResource) -> impl IntoView {
    let l = use_locale();
    let categories = Resource::new(|| (), |()| async { api::catalog::menu().await.unwrap_or_default() });
    let path = use_location().pathname;
    let present = move |href: &str| (path.get() == href).then_some("page");
    let words = use_query_map();
    let words = Signal::derive(move || words.with(|query| query.get("q").unwrap_or_default()));
    let field = NodeRef::<html::Input>::new();
    follow_text(field, words);
    view! {
        <header class="site-header">
            <div class="container site-header-row">
                <a class="logo" href="/" aria-label=l.t(t::HOME_LABEL)>
                    <svg class="logo-mark" aria-hidden="true"><use href="/icons.svg#logo"></use></svg>
                    <span class="logo-text only-desktop">{l.t(t::NAME)}</span>
                </a>
                <form class="search" role="search" action="/search">
                    <svg class="icon icon-sm" aria-hidden="true"><use href="/icons.svg#search"></use></svg>
                    <input
                        class="search-input"
                        type="search"
                        name="q"
                        enterkeyhint="search"
                        placeholder=l.t(t::SEARCH_PLACEHOLDER)
                        aria-label=l.t(t::SEARCH_LABEL)
                        value=words.get_untracked()
                        node_ref=field
                    />
                </form>
                <div class="site-actions">
                    <a class="site-link" href="/orders" aria-current=move || present("/orders")>{l.t(t::MY_ORDERS)}</a>
                    <a class="site-link" href="/cart" aria-current=move || present("/cart")>
                        <span class="has-count">
                            <svg class="icon" aria-hidden="true"><use href="/icons.svg#cart"></use></svg>
                            <CountBadge cart/>
                        </span>
                        {l.t(t::CART)}
                    </a>
                    <a class="site-link" href="/me" aria-current=move || present("/me")>
                        <svg class="icon" aria-hidden="true"><use href="/icons.svg#me"></use></svg>
                        {l.t(t::TAB_ME)}
                    </a>
                    <Languages/>
                </div>
            </div>
            <div id="offline-bar" class="offline-bar" role="status" hidden>
                <svg class="icon icon-sm" aria-hidden="true"><use href="/icons.svg#offline"></use></svg>
                <span>{l.t(t::OFFLINE_BAR)}</span>
            </div>
        </header>
        <nav class="site-nav container" aria-label=l.t(t::CATEGORIES)>
            <ul class="site-nav-list">
                <Suspense>
                    {move || Suspend::new(async move {
                        let link = move |(handle, title): (String, String)| {
                            let href = category_href(&handle);
                            let to = href.clone();
                            view! { <li><a class="site-link" href=href aria-current=move || present(&to)>{title}</a></li> }
                        };
                        categories.await.into_iter().map(link).collect_view()
                    })}
                </Suspense>
            </ul>
        </nav>
    }
    .into_any()
}

/// Links that load this page in another language.
#[component]
pub fn Languages() -> impl IntoView {
    let present = use_locale();
    let location = use_location();
    let here = move || percent_encode(&format!("{}{}", location.pathname.get(), query(&location.search.get())));
    let link = move |locale: Locale| {
        let name = match locale {
            Locale::ZhCn => "中文",
            Locale::En => "English",
        };
        let href = move || format!("/lang/{}?to={}", locale.tag(), here());
        let current = (locale == present).then_some("true");
        view! {
            <a class="lang-btn" href=href lang=locale.tag() hreflang=locale.tag() rel="external nofollow" aria-current=current>{name}</a>
        }
    };
    view! { <div class="lang" role="group" aria-label=present.t(t::LANGUAGE)>{Locale::ALL.map(link)}</div> }.into_any()
}

#[component]
fn Footer() -> impl IntoView {
    let l = use_locale();
    // A foot without them is better than none.
    let ways = Resource::new(|| (), |()| async { api::catalog::ways().await.unwrap_or_default() });
    let promise = |icon: &str, text| {
        let icon = format!("/icons.svg#{icon}");
        view! { <span class="promise"><svg class="icon" aria-hidden="true"><use href=icon></use></svg>{l.t(text)}</span> }
    };
    view! {
        <footer class="site-footer">
            <div class="container site-footer-row">
                <div class="promises">
                    {promise("truck", t::PROMISE_SHIPPING)}
                    {promise("shield", t::PROMISE_SECURE)}
                    {promise("return", t::PROMISE_CANCEL)}
                </div>
                <div class="spread">
                    <nav class="footer-links" aria-label=l.t(t::FOOTER)>
                        <a class="footer-link" href="/orders/find">{l.t(t::FIND_ORDER)}</a>
                        <a class="footer-link" href="/categories">{l.t(t::ALL_CATEGORIES)}</a>
                        <Suspense>
                            {move || Suspend::new(async move {
                                let ways = ways.await;
                                view! { <WayLinks ways/> }
                            })}
                        </Suspense>
                        <a class="footer-link" href="/terms">{l.t(t::TERMS)}</a>
                        <a class="footer-link" href="/privacy">{l.t(t::PRIVACY)}</a>
                        <a class="footer-link" href="/office" rel="nofollow">{l.t(t::OFFICE)}</a>
                    </nav>
                    <Languages/>
                </div>
            </div>
        </footer>
    }
    .into_any()
}

#[component]
fn TabBar(cart: CartResource) -> impl IntoView {
    let l = use_locale();
    let path = use_location().pathname;
    let tab = move |icon: &str, href: &'static str, text, badge: Option<AnyView>| {
        let icon = format!("/icons.svg#{icon}");
        let current = move || is_tab(href, &path.get()).then_some("page");
        view! {
            <li>
                <a class="tabbar-link" href=href aria-current=current>
                    <span class="has-count">
                        <svg class="icon" aria-hidden="true"><use href=icon></use></svg>
                        {badge}
                    </span>
                    {l.t(text)}
                </a>
            </li>
        }
    };
    let badge = view! { <CountBadge cart/> }.into_any();
    view! {
        <nav class="tabbar" aria-label=l.t(t::MAIN_NAV)>
            <ul class="tabbar-list">
                {tab("home", "/", t::TAB_HOME, None)}
                {tab("categories", "/categories", t::TAB_CATEGORIES, None)}
                {tab("cart", "/cart", t::CART, Some(badge))}
                {tab("orders", "/orders", t::TAB_ORDERS, None)}
                {tab("me", "/me", t::TAB_ME, None)}
            </ul>
        </nav>
    }
    .into_any()
}

/// Whether a page belongs to a tab: the tab's own page and those below it.
fn is_tab(href: &str, path: &str) -> bool {
    let below = |tab: &str| path == tab || path.strip_prefix(tab).is_some_and(|rest| rest.starts_with('/'));
    match href {
        "/" => path == "/",
        "/categories" => below("/categories") || below("/c"),
        "/orders" => below("/orders") || below("/pay"),
        "/cart" => below("/cart") || below("/checkout"),
        href => below(href),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_lights_one_tab_at_most() {
        let tabs = ["/", "/categories", "/cart", "/orders", "/me"];
        let lit = |path: &str| tabs.into_iter().filter(|tab| is_tab(tab, path)).collect::<Vec<_>>();
        assert_eq!(lit("/"), ["/"]);
        assert_eq!(lit("/c/clothing"), ["/categories"]);
        assert_eq!(lit("/checkout/review"), ["/cart"]);
        assert_eq!(lit("/orders/1/edit"), ["/orders"]);
        assert_eq!(lit("/me/addresses"), ["/me"]);
        assert!(lit("/p/cup").is_empty() && lit("/categoriesx").is_empty());
    }
}
