//! The houses of the shop, and the way to the nights of each of their room types.

use super::parts::{LoadFailed, SearchForm};
use crate::{
    api,
    domain::{
        booking::keeping::OfficeHouse,
        catalog::percent_encode,
        page::Page,
        texts::{booking_stay as t, office},
    },
    ui::{
        components::{
            icon::Icon,
            links::product_href,
            pagination::Pagination,
            skeleton::{Reloading, SkeletonText},
            travel::Main,
        },
        use_locale,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_location, use_navigate, use_query_map};
use serde::{Deserialize, Serialize};

const PATH: &str = "/office/stays";

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wanted {
    q: String,
    page: i64,
}

impl Wanted {
    fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            q: get("q").map(|q| q.trim().chars().take(100).collect()).unwrap_or_default(),
            page: get("page").and_then(|page| page.parse().ok()).unwrap_or(1).max(1),
        }
    }

    fn href(&self) -> String {
        let mut pairs = Vec::new();
        if !self.q.is_empty() {
            pairs.push(format!("q={}", percent_encode(&self.q)));
        }
        if self.page > 1 {
            pairs.push(format!("page={}", self.page));
        }
        if pairs.is_empty() { PATH.to_owned() } else { format!("{PATH}?{}", pairs.join("&")) }
    }
}

#[component]
pub fn StaysPage() -> impl IntoView {
    let l = use_locale();
    let (query, location) = (use_query_map(), use_location());
    let wanted = Memo::new(move |last: Option<&Wanted>| match last {
        Some(last) if location.pathname.with(|path| path.trim_end_matches('/') != PATH) => last.clone(),
        _ => query.with(|query| Wanted::read(|name| query.get(name))),
    });
    let houses = Resource::new(
        move || wanted.get(),
        |wanted| async move {
            let q = (!wanted.q.is_empty()).then(|| wanted.q.clone());
            let found = api::stay::office_stays(q, wanted.page).await;
            (wanted, found)
        },
    );
    let pending = RwSignal::new(false);
    let navigate = use_navigate();
    let search = Callback::new(move |q: String| navigate(&Wanted { q, page: 1 }.href(), Default::default()));
    view! {
        <Title text=l.t(t::OFFICE_TITLE)/>
        <Main class="office-main">
            <div class="page-head"><h1 class="page-title">{l.t(t::OFFICE_STAYS)}</h1></div>
            <div class="office-tools">
                <SearchForm
                    action=PATH
                    words=Signal::derive(move || wanted.with(|wanted| wanted.q.clone()))
                    placeholder=l.t(t::OFFICE_SEARCH_HINT)
                    label=l.t(t::OFFICE_SEARCH)
                    on_search=search
                />
            </div>
            <div aria-busy=move || pending.get().to_string()>
                <Reloading pending fallback=|| view! { <section class="panel"><SkeletonText lines=6/></section> }>
                    {move || Suspend::new(async move {
                        match houses.await {
                            (wanted, Ok(houses)) => view! { <List wanted houses/> }.into_any(),
                            (_, Err(error)) => view! { <LoadFailed error/> }.into_any(),
                        }
                    })}
                </Reloading>
            </div>
        </Main>
    }
    .into_any()
}

#[component]
fn List(wanted: Wanted, houses: Page<OfficeHouse>) -> impl IntoView {
    let l = use_locale();
    if houses.items.is_empty() {
        let back = (!wanted.q.is_empty() || wanted.page > 1)
            .then(|| view! { <a class="btn btn-primary" href=PATH>{l.t(t::OFFICE_ALL)}</a> });
        return view! {
            <div class="empty">
                <span class="empty-art"><Icon name="store" class="icon-lg"/></span>
                <h2 class="empty-title">{l.t(t::OFFICE_EMPTY)}</h2>
                <p class="empty-text">{l.t(t::OFFICE_EMPTY_TEXT)}</p>
                <div class="empty-actions">{back}</div>
            </div>
        }
        .into_any();
    }
    let (page, pages) = (houses.page, houses.pages());
    let href = move |page| Wanted { page, ..wanted.clone() }.href();
    let rows = houses.items.into_iter().map(|house| view! { <House house/> }).collect_view();
    view! {
        {rows}
        <Pagination page pages href/>
    }
    .into_any()
}

#[component]
fn House(house: OfficeHouse) -> impl IntoView {
    let l = use_locale();
    let OfficeHouse { handle, title, active, rooms, .. } = house;
    let name = if active {
        view! { <a class="link link-quiet" href=product_href(&handle)>{title.clone()}</a> }.into_any()
    } else {
        view! { {title.clone()}" "<span class="badge badge-warn">{l.t(t::OFFICE_NOT_SOLD)}</span> }.into_any()
    };
    let room = |(id, room): (String, String)| {
        view! {
            <li>
                <a class="menu-link" href=format!("{PATH}/{}", percent_encode(&id))>
                    <Icon name="clock"/>
                    <span class="grow">{room}</span>
                    <span class="muted small">{l.t(office::PRICE)}</span>
                    <Icon name="chevron-right" class="icon-sm"/>
                </a>
            </li>
        }
    };
    let none = rooms.is_empty().then(|| view! { <p class="muted">{l.t(t::NO_ROOM_TYPES)}</p> });
    view! {
        <section class="panel" aria-label=title.clone()>
            <h2 class="panel-title">{name}</h2>
            {none}
            <ul class="menu">{rooms.into_iter().map(room).collect_view()}</ul>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_what_was_looked_for() {
        let wanted = Wanted::read(|name| (name == "q").then(|| " 湖 ".to_owned()));
        assert_eq!(wanted, Wanted { q: "湖".into(), page: 1 });
        assert_eq!(wanted.href(), "/office/stays?q=%E6%B9%96");
        assert_eq!(Wanted { q: String::new(), page: 2 }.href(), "/office/stays?page=2");
    }
}
