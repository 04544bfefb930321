//! The queue of orders, by state, with search and paging. The address is the state of the page, so that it works with
//! links and forms alone.
//!
//! A list that someone reads or works through does not change below their hands: new orders are announced above it,
//! and an order of it that moves on changes its own row.

use super::{
    frame::use_desk,
    orders_row::Row,
    parts::{LoadFailed, SearchForm, use_clock},
};
use crate::{
    api,
    domain::{
        catalog::percent_encode,
        office::OfficeOrder,
        order::{OrderCounts, State},
        page::Page,
        texts::office as t,
    },
    ui::{
        components::{
            icon::Icon,
            order_state::{count_of, state_name},
            pagination::Pagination,
            skeleton::{Reloading, SkeletonText},
            travel::{Main, use_asked},
        },
        use_locale,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_navigate;
use serde::{Deserialize, Serialize};

/// In the order of their urgency.
const TABS: [Option<State>; 6] = [
    Some(State::ToShip),
    Some(State::ToPay),
    Some(State::Shipped),
    Some(State::Completed),
    Some(State::Cancelled),
    None,
];

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wanted {
    /// All states when `None`.
    state: Option<State>,
    q: String,
    page: i64,
}

impl Wanted {
    fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let state = match get("state").as_deref() {
            Some("all") => None,
            name => Some(name.and_then(State::from_name).unwrap_or(State::ToShip)),
        };
        Self {
            state,
            q: get("q").map(|q| q.trim().chars().take(100).collect()).unwrap_or_default(),
            page: get("page").and_then(|page| page.parse().ok()).unwrap_or(1).max(1),
        }
    }

    fn href(&self) -> String {
        let mut pairs = Vec::new();
        match self.state {
            Some(State::ToShip) => {}
            state => pairs.push(format!("state={}", state.map_or("all", State::name))),
        }
        if !self.q.is_empty() {
            pairs.push(format!("q={}", percent_encode(&self.q)));
        }
        if self.page > 1 {
            pairs.push(format!("page={}", self.page));
        }
        if pairs.is_empty() { "/office".to_owned() } else { format!("/office?{}", pairs.join("&")) }
    }

    /// Whether it is the plain queue, which new orders join.
    fn is_queue(&self) -> bool {
        self.state == Some(State::ToShip) && self.q.is_empty()
    }
}

#[component]
pub fn OrdersPage() -> impl IntoView {
    let l = use_locale();
    let wanted = use_asked("/office", |query| Wanted::read(|name| query.get(name)));
    let counts = Resource::new(move || wanted.get(), |_| api::office::counts());
    let orders = Resource::new(
        move || wanted.get(),
        |wanted| async move {
            let now = api::page::now();
            let q = (!wanted.q.is_empty()).then(|| wanted.q.clone());
            let found = api::office::orders(wanted.state, q, wanted.page).await;
            (wanted, now, found)
        },
    );
    let reload = Callback::new(move |()| {
        orders.refetch();
        counts.refetch();
    });
    let pending = RwSignal::new(false);
    let navigate = use_navigate();
    // A number or a name is looked for in all states: who asks does not know where the order stands.
    let search = Callback::new(move |q: String| {
        let state = if q.is_empty() { Some(State::ToShip) } else { None };
        navigate(&Wanted { state, q, page: 1 }.href(), Default::default());
    });
    view! {
        <Title text=l.t(t::ORDERS_TITLE)/>
        <Main class="office-main">
            <div class="page-head"><h1 class="page-title">{l.t(t::ORDERS)}</h1></div>
            <Transition>
                {move || Suspend::new(async move {
                    let counts = counts.await.ok();
                    view! { <Tabs wanted counts/> }
                })}
            </Transition>
            <div class="office-tools section-sm">
                <SearchForm
                    action="/office"
                    words=Signal::derive(move || wanted.with(|wanted| wanted.q.clone()))
                    placeholder=l.t(t::SEARCH_ORDERS_PLACEHOLDER)
                    label=l.t(t::SEARCH_ORDERS)
                    on_search=search
                >
                    <input type="hidden" name="state" value="all"/>
                </SearchForm>
            </div>
            <div aria-busy=move || pending.get().to_string()>
                <Reloading fallback=Loading pending>
                    {move || Suspend::new(async move {
                        match orders.await {
                            (wanted, now, Ok(orders)) => view! { <List wanted now orders reload/> }.into_any(),
                            (_, _, Err(error)) => view! { <LoadFailed error/> }.into_any(),
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
    view! { <section class="panel"><SkeletonText lines=8/></section> }
}

#[component]
fn Tabs(wanted: Memo<Wanted>, counts: Option<OrderCounts>) -> impl IntoView {
    let l = use_locale();
    let live = use_desk().to_ship;
    let tab = move |state: Option<State>| {
        let name = state.map_or(l.t(t::ALL), |state| state_name(l, state));
        let count = move || {
            let counts = counts?;
            let waiting = live.get().unwrap_or(counts.to_ship);
            let of = |state| if state == State::ToShip { waiting } else { count_of(&counts, state) };
            let count: i64 = state.map_or_else(|| State::ALL.into_iter().map(of).sum(), of);
            // How many of them match what is looked for is another number.
            let plain = wanted.with(|wanted| wanted.q.is_empty());
            plain.then(|| view! { <span class="tab-count">{count}</span> })
        };
        let href = move || wanted.with(|wanted| Wanted { state, q: wanted.q.clone(), page: 1 }.href());
        let current = move || wanted.with(|wanted| wanted.state == state).then_some("page");
        view! {
            <a class="tab" href=href aria-current=current>
                {name}
                {count}
            </a>
        }
    };
    view! { <nav class="tabs" aria-label=l.t(t::BY_STATE)>{TABS.map(tab)}</nav> }.into_any()
}

#[component]
fn List(wanted: Wanted, now: i64, orders: Page<OfficeOrder>, reload: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let queue = wanted.is_queue();
    // Rows of this page that have left the queue since it was loaded.
    let gone = RwSignal::new(0);
    let known = orders.total;
    if orders.items.is_empty() {
        return view! {
            {queue.then(|| view! { <Arrivals known gone=gone.into() empty=true reload/> })}
            <Nothing wanted/>
        }
        .into_any();
    }
    let clock = use_clock(now);
    let (page, pages) = (orders.page, orders.pages());
    let caption = match wanted.state {
        Some(state) => l.f(t::CAPTION, &[("state", &state_name(l, state))]),
        None => l.t(t::ORDERS).to_owned(),
    };
    let rows = orders.items.into_iter().map(|order| view! { <Row order clock gone/> }).collect_view();
    let href = move |page| Wanted { page, ..wanted.clone() }.href();
    let column = |text| view! { <th scope="col">{l.t(text)}</th> };
    view! {
        {queue.then(|| view! { <Arrivals known gone=gone.into() empty=false reload/> })}
        <div class="table-wrap">
            <table class="table table-cards">
                <caption class="visually-hidden">{caption}</caption>
                <thead>
                    <tr>
                        {column(t::ORDER)}
                        {column(t::RECIPIENT)}
                        {column(t::ITEMS)}
                        <th scope="col" class="is-num">{l.t(t::TOTAL)}</th>
                        {column(t::PLACED)}
                        {column(t::STATE)}
                        <th scope="col"><span class="visually-hidden">{l.t(t::ACTIONS)}</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <Pagination page pages href/>
    }
    .into_any()
}

/// Says that orders came into the queue since the list was loaded, and offers to load it again. Where the list is empty
/// nobody is disturbed by loading it at once.
#[component]
fn Arrivals(
    /// How many orders waited when the list was loaded.
    known: i64,
    gone: Signal<i64>,
    empty: bool,
    reload: Callback<()>,
) -> impl IntoView {
    let l = use_locale();
    let live = use_desk().to_ship;
    let new = Memo::new(move |_| live.get().map_or(0, |now| (now - (known - gone.get())).max(0)));
    Effect::new(move |_| {
        if empty && new.get() > 0 {
            reload.run(());
        }
    });
    let notice = move || {
        let n = new.get();
        (n > 0 && !empty).then(|| {
            view! {
                <div class="notice">
                    <Icon name="live"/>
                    <div class="notice-body">
                        <p class="notice-title">{l.n(t::NEW_ORDERS_ONE, t::NEW_ORDERS, n)}</p>
                        <div class="notice-actions">
                            <button class="btn btn-secondary btn-sm" type="button" on:click=move |_| reload.run(())>
                                <Icon name="refresh" class="icon-sm"/>
                                {l.t(t::SHOW_NEW)}
                            </button>
                        </div>
                    </div>
                </div>
            }
        })
    };
    view! { <div role="status">{notice}</div> }.into_any()
}

#[component]
fn Nothing(wanted: Wanted) -> impl IntoView {
    let l = use_locale();
    let (title, text) = match (wanted.q.as_str(), wanted.state) {
        ("", Some(State::ToShip)) => (l.t(t::EMPTY_QUEUE_TITLE).to_owned(), l.t(t::EMPTY_QUEUE_TEXT)),
        ("", Some(state)) => (l.f(t::EMPTY_STATE_TITLE, &[("state", &state_name(l, state))]), ""),
        ("", None) => (l.t(t::EMPTY_TITLE).to_owned(), l.t(t::EMPTY_QUEUE_TEXT)),
        (q, _) => (l.f(t::EMPTY_SEARCH_TITLE, &[("q", &q)]), l.t(t::EMPTY_SEARCH_TEXT)),
    };
    let wider = (!wanted.q.is_empty() && wanted.state.is_some()).then(|| {
        let href = Wanted { state: None, page: 1, ..wanted.clone() }.href();
        view! { <a class="btn btn-primary" href=href>{l.t(t::SEARCH_ALL)}</a> }
    });
    let back = (!wanted.is_queue() || wanted.page > 1)
        .then(|| view! { <a class="btn btn-secondary" href="/office">{l.t(t::TO_QUEUE)}</a> });
    let icon = if wanted.is_queue() { "package-check" } else { "orders" };
    view! {
        <div class="empty">
            <span class="empty-art"><Icon name=icon class="icon-lg"/></span>
            <h2 class="empty-title">{title}</h2>
            {(!text.is_empty()).then(|| view! { <p class="empty-text">{text}</p> })}
            <div class="empty-actions">{wider}{back}</div>
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
        let wanted = read(&[("state", "shipped"), ("q", " 茶 "), ("page", "3")]);
        assert_eq!(wanted, Wanted { state: Some(State::Shipped), q: "茶".into(), page: 3 });
        assert_eq!(wanted.href(), "/office?state=shipped&q=%E8%8C%B6&page=3");
        assert_eq!(read(&[("state", "all")]).href(), "/office?state=all");
        let plain = read(&[("state", "nonsense"), ("page", "-4")]);
        assert!(plain.is_queue());
        assert_eq!(plain.href(), "/office");
    }
}
