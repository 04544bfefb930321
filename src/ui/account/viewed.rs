//! The products that the person at this browser looked at last, and whether that is remembered.

use super::{
    Done,
    kept::{KeptRow, page_href, page_of},
};
use crate::{
    api::{
        self,
        catalog::{ClearViewed, RememberViewed},
    },
    domain::{
        catalog::{MAX_VIEWED, Viewed},
        texts::personal as t,
    },
    ui::{
        components::{form::FormState, icon::Icon, pagination::Pagination, skeleton::SkeletonText, travel::Main},
        error::ErrorNotice,
        set_status, use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn};
use leptos_meta::{Meta, Title};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/me/viewed";

#[component]
pub fn ViewedPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let page = Memo::new(move |_| query.with(|query| page_of(query.get("page"))));
    let viewed = Resource::new(move || page.get(), api::catalog::viewed);
    let again = Callback::new(move |()| viewed.refetch());
    let done = move || {
        let text = match query.with(|query| query.get("done"))?.as_str() {
            "cleared" => t::VIEWED_CLEARED,
            "on" => t::VIEWED_ON,
            "off" => t::VIEWED_OFF,
            _ => return None,
        };
        Some(view! { <Done text=l.t(text)/> })
    };
    view! {
        <Title text=l.t(t::VIEWED_TITLE)/>
        <Meta name="robots" content="noindex"/>
        <Main class="page container container-narrow">
            <div class="page-head"><h1 class="page-title">{l.t(t::VIEWED_TITLE)}</h1></div>
            {done}
            <Transition fallback=|| view! { <div class="panel"><SkeletonText lines=8/></div> }>
                {move || Suspend::new(async move {
                    match viewed.await {
                        Ok(viewed) => view! { <List viewed again/> }.into_any(),
                        Err(error) => {
                            set_status(error.status_code());
                            view! { <ErrorNotice error reload=true/> }.into_any()
                        }
                    }
                })}
            </Transition>
        </Main>
    }
    .into_any()
}

#[component]
fn List(viewed: Viewed, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let Viewed { products, remembered } = viewed;
    let (page, pages, total) = (products.page, products.pages(), products.total);
    let list = if products.items.is_empty() {
        let (title, text) = match (total, remembered) {
            (0, true) => (t::VIEWED_EMPTY_TITLE, t::VIEWED_EMPTY_TEXT),
            (0, false) => (t::VIEWED_EMPTY_TITLE, t::VIEWED_OFF_TEXT),
            _ => (t::PAGE_EMPTY_TITLE, t::VIEWED_EMPTY_TEXT),
        };
        let way = match total {
            0 => view! { <a class="btn btn-primary" href="/">{l.t(t::TO_SHOP)}</a> },
            _ => view! { <a class="btn btn-primary" href=PATH>{l.t(t::FIRST_PAGE)}</a> },
        };
        view! {
            <div class="empty">
                <span class="empty-art"><Icon name="clock" class="icon-lg"/></span>
                <h2 class="empty-title">{l.t(title)}</h2>
                <p class="empty-text">{l.t(text)}</p>
                <div class="empty-actions">{way}</div>
            </div>
        }
        .into_any()
    } else {
        let rows = products.items.into_iter().map(|product| view! { <KeptRow product/> }).collect_view();
        view! {
            <div class="panel"><ul class="lines">{rows}</ul></div>
            <Pagination page pages href=|page| page_href(PATH, page)/>
        }
        .into_any()
    };
    view! {
        {list}
        <Choice remembered some={total > 0} again/>
    }
    .into_any()
}

/// What is remembered and for whom, the switch, and the button that forgets it.
#[component]
fn Choice(remembered: bool, some: bool, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let (clearing, choosing) = (FormState::new(None, &[]), FormState::new(None, &[]));
    let clear = move |event: ev::SubmitEvent| {
        event.prevent_default();
        clearing.send(None, api::catalog::clear_viewed(), move |()| again.run(()));
    };
    let choose = move |event: ev::SubmitEvent| {
        event.prevent_default();
        choosing.send(None, api::catalog::remember_viewed(!remembered), move |()| again.run(()));
    };
    view! {
        <section class="panel section-sm stack-sm" aria-labelledby="viewed-choice">
            <h2 class="panel-title" id="viewed-choice">{l.t(t::VIEWED_CHOICE)}</h2>
            <p class="muted">{l.f(t::VIEWED_CHOICE_TEXT, &[("n", &MAX_VIEWED)])}</p>
            {clearing.notice()}
            {choosing.notice()}
            <div class="cluster">
                {some.then(|| view! {
                    <form action=ClearViewed::url() method="post" on:submit=clear>
                        <button class="btn btn-secondary" type="submit" aria-busy=clearing.busy()>{l.t(t::CLEAR_VIEWED)}</button>
                    </form>
                })}
                <form action=RememberViewed::url() method="post" on:submit=choose>
                    <input type="hidden" name="wanted" value=(!remembered).to_string()/>
                    <button class="btn btn-secondary" type="submit" aria-busy=choosing.busy()>
                        {l.t(if remembered { t::TURN_OFF_VIEWED } else { t::TURN_ON_VIEWED })}
                    </button>
                </form>
            </div>
        </section>
    }
    .into_any()
}
