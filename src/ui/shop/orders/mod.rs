//! My orders: a list by state, with search and paging. The address is the state of the page, so that it works with
//! links and forms alone.

mod card;
mod find;
mod me;

pub use find::FindOrderPage;
pub use me::MePage;

use self::card::Card;
use crate::{
    api::{self, order::Again},
    domain::{
        catalog::percent_encode,
        live::{self, Topic},
        order::{OrderCounts, OrderSummary, State},
        page::Page,
        texts::order as t,
    },
    ui::{
        components::{
            icon::Icon,
            order_state::{count_of, state_name},
            pagination::Pagination,
            skeleton::{Reloading, SkeletonText},
            travel::{Main, use_asked},
            typed::follow_text,
        },
        error::ErrorNotice,
        live::use_live,
        set_status, use_locale,
    },
};
use leptos::{ev, html, prelude::*};
use leptos_meta::{Meta, Title};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use serde::{Deserialize, Serialize};

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Wanted {
    state: Option<State>,
    q: String,
    page: i64,
}

impl Wanted {
    fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            state: get("state").and_then(|name| State::from_name(&name)),
            q: get("q").map(|q| q.trim().chars().take(100).collect()).unwrap_or_default(),
            page: get("page").and_then(|page| page.parse().ok()).unwrap_or(1).max(1),
        }
    }

    fn href(&self) -> String {
        let mut pairs = Vec::new();
        if let Some(state) = self.state {
            pairs.push(format!("state={}", state.name()));
        }
        if !self.q.is_empty() {
            pairs.push(format!("q={}", percent_encode(&self.q)));
        }
        if self.page > 1 {
            pairs.push(format!("page={}", self.page));
        }
        if pairs.is_empty() { "/orders".to_owned() } else { format!("/orders?{}", pairs.join("&")) }
    }
}

#[component]
pub fn OrdersPage() -> impl IntoView {
    let l = use_locale();
    let wanted = use_asked("/orders", |query| Wanted::read(|name| query.get(name)));
    let counts = Resource::new(|| (), |()| api::order::counts());
    let orders = Resource::new(
        move || wanted.get(),
        |wanted| async move {
            let q = (!wanted.q.is_empty()).then(|| wanted.q.clone());
            let found = api::order::list(wanted.state, q, wanted.page).await;
            (wanted, found)
        },
    );
    let reload = Callback::new(move |()| {
        orders.refetch();
        counts.refetch();
    });
    let posted = ServerAction::<Again>::new().value().get_untracked().and_then(Result::err);
    let pending = RwSignal::new(false);
    view! {
        <Title text=l.t(t::ORDERS_TITLE)/>
        <Meta name="robots" content="noindex"/>
        <Main class="page container container-narrow">
            <div class="page-head"><h1 class="page-title">{l.t(t::ORDERS_TITLE)}</h1></div>
            <Transition>
                {move || Suspend::new(async move {
                    let counts = counts.await.ok();
                    view! { <Tabs wanted counts/> }
                })}
            </Transition>
            <Search wanted/>
            {posted.map(|error| view! { <ErrorNotice error/> })}
            <div class="section-sm" aria-busy=move || pending.get().to_string()>
                <Reloading fallback=Loading pending>
                    {move || Suspend::new(async move {
                        match orders.await {
                            (wanted, Ok(orders)) => view! { <List wanted orders reload/> }.into_any(),
                            (_, Err(error)) => {
                                set_status(error.status_code());
                                view! { <ErrorNotice error reload=true/> }.into_any()
                            }
                        }
                    })}
                </Reloading>
            </div>
        </Main>
    }
    .into_any()
}

#[component]
fn Loading() -> impl IntoView {
    let card = |_| view! { <section class="panel"><SkeletonText lines=4/></section> };
    view! { <div class="stack">{(0..3).map(card).collect_view()}</div> }.into_any()
}

/// All orders, and those of each state.
#[component]
fn Tabs(wanted: Memo<Wanted>, counts: Option<OrderCounts>) -> impl IntoView {
    let l = use_locale();
    let tab = move |state: Option<State>| {
        let name = state.map_or(l.t(t::ALL), |state| state_name(l, state));
        let count = counts.map(|counts| match state {
            Some(state) => count_of(&counts, state),
            None => State::ALL.into_iter().map(|state| count_of(&counts, state)).sum(),
        });
        let href = move || wanted.with(|wanted| Wanted { state, q: wanted.q.clone(), page: 1 }.href());
        let current = move || wanted.with(|wanted| wanted.state == state).then_some("page");
        view! {
            <a class="tab" href=href aria-current=current>
                {name}
                {count.map(|count| view! { <span class="tab-count">{count}</span> })}
            </a>
        }
    };
    view! {
        <nav class="tabs" aria-label=l.t(t::BY_STATE)>
            {tab(None)}
            {State::ALL.map(|state| tab(Some(state)))}
        </nav>
    }
    .into_any()
}

#[component]
fn Search(wanted: Memo<Wanted>) -> impl IntoView {
    let l = use_locale();
    let field = NodeRef::<html::Input>::new();
    let navigate = use_navigate();
    let search = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if let Some(field) = field.get_untracked() {
            let state = wanted.with_untracked(|wanted| wanted.state);
            let q = field.value().trim().to_owned();
            navigate(&Wanted { state, q, page: 1 }.href(), NavigateOptions::default());
        }
    };
    let words = Signal::derive(move || wanted.with(|wanted| wanted.q.clone()));
    follow_text(field, words);
    let state = move || {
        wanted.with(|wanted| wanted.state.map(|state| view! { <input type="hidden" name="state" value=state.name()/> }))
    };
    view! {
        <form class="search section-sm" role="search" aria-label=l.t(t::ORDERS_TITLE) action="/orders" on:submit=search>
            <Icon name="search" class="icon-sm"/>
            {state}
            <input
                class="search-input"
                type="search"
                name="q"
                enterkeyhint="search"
                maxlength="100"
                placeholder=l.t(t::SEARCH_PLACEHOLDER)
                aria-label=l.t(t::SEARCH)
                value=words.get_untracked()
                node_ref=field
            />
        </form>
    }
    .into_any()
}

#[component]
fn List(wanted: Wanted, orders: Page<OrderSummary>, reload: Callback<()>) -> impl IntoView {
    if orders.items.is_empty() {
        return view! { <Nothing wanted total=orders.total/> }.into_any();
    }
    for order in &orders.items {
        follow(order, reload);
    }
    let pages = orders.pages();
    let page = orders.page;
    let href = move |page| Wanted { page, ..wanted.clone() }.href();
    let cards = orders.items.into_iter().map(|order| view! { <li><Card order reload/></li> }).collect_view();
    view! {
        <ul class="stack">{cards}</ul>
        <Pagination page pages href/>
    }
    .into_any()
}

/// Loads the list again when an order of it that goes on comes to another state.
fn follow(order: &OrderSummary, reload: Callback<()>) {
    if matches!(order.state, State::Completed) {
        return;
    }
    let shown = order.state;
    let updates = use_live().subscribe(Topic::Order(order.number.clone()));
    Effect::new(move |_| {
        if let Some(live::Update::Order { state, .. }) = updates.get()
            && state != shown
        {
            reload.run(());
        }
    });
}

/// Nothing on this page: why, and where to go on. `total` is how many there are on all pages.
#[component]
fn Nothing(wanted: Wanted, total: i64) -> impl IntoView {
    let l = use_locale();
    let (title, text) = match (wanted.q.as_str(), wanted.state) {
        _ if total > 0 => (l.t(t::PAGE_GONE_TITLE).to_owned(), l.t(t::PAGE_GONE_TEXT)),
        ("", None) => (l.t(t::EMPTY_TITLE).to_owned(), l.t(t::EMPTY_TEXT)),
        ("", Some(state)) => (l.f(t::EMPTY_STATE_TITLE, &[("state", &state_name(l, state))]), ""),
        (q, _) => (l.f(t::EMPTY_SEARCH_TITLE, &[("q", &q)]), l.t(t::EMPTY_SEARCH_TEXT)),
    };
    let (href, label) = if total > 0 {
        (Wanted { page: 1, ..wanted }.href(), t::FIRST_PAGE)
    } else if wanted.state.is_some() || !wanted.q.is_empty() {
        ("/orders".to_owned(), t::SHOW_ALL)
    } else {
        ("/".to_owned(), t::TO_SHOP)
    };
    view! {
        <div class="empty">
            <span class="empty-art"><Icon name="orders" class="icon-lg"/></span>
            <h2 class="empty-title">{title}</h2>
            {(!text.is_empty()).then(|| view! { <p class="empty-text">{text}</p> })}
            <div class="empty-actions">
                <a class="btn btn-primary" href=href>{l.t(label)}</a>
                <a class="btn btn-secondary" href="/orders/find">{l.t(t::FIND)}</a>
            </div>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_what_was_looked_for() {
        let read = |pairs: &'static [(&str, &str)]| {
            Wanted::read(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        let wanted = read(&[("state", "to_pay"), ("q", " 茶 "), ("page", "3")]);
        assert_eq!(wanted, Wanted { state: Some(State::ToPay), q: "茶".into(), page: 3 });
        assert_eq!(wanted.href(), "/orders?state=to_pay&q=%E8%8C%B6&page=3");
        let plain = read(&[("state", "nonsense"), ("page", "-4")]);
        assert_eq!(plain.href(), "/orders");
    }
}
