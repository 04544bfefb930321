//! The houses of the shop, and the way to the nights of each of their room types.

use super::{
    parts::LoadFailed,
    search::{ListSearch, Wanted, use_wanted},
};
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

const PATH: &str = "/office/stays";

#[component]
pub fn StaysPage() -> impl IntoView {
    let l = use_locale();
    let wanted = use_wanted(PATH);
    let houses = Resource::new(
        move || wanted.get(),
        |wanted| async move {
            let found = api::stay::office_stays(wanted.words(), wanted.page).await;
            (wanted, found)
        },
    );
    let pending = RwSignal::new(false);
    view! {
        <Title text=l.t(t::OFFICE_TITLE)/>
        <Main class="office-main">
            <div class="page-head"><h1 class="page-title">{l.t(t::OFFICE_STAYS)}</h1></div>
            <ListSearch path=PATH wanted placeholder=t::OFFICE_SEARCH_HINT label=t::OFFICE_SEARCH/>
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
        let back = wanted.is_part().then(|| view! { <a class="btn btn-primary" href=PATH>{l.t(t::OFFICE_ALL)}</a> });
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
    let href = move |page| Wanted { page, ..wanted.clone() }.href(PATH);
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
