//! The favourites of a person at this browser, with or without an account.

use super::{
    Narrow,
    kept::{KeptList, KeptRow, page_href, page_of},
};
use crate::{
    api::{self, catalog::SetFavourite},
    domain::{
        catalog::{KeptProduct, percent_encode},
        page::Page,
        texts::{common, personal as t},
    },
    ui::{
        components::{form::FormState, icon::Icon, loaded::Loaded, shell::use_toasts},
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/me/favourites";

#[component]
pub fn FavouritesPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let page = Memo::new(move |_| query.with(|query| page_of(query.get("page"))));
    let products = Resource::new(move || page.get(), api::catalog::favourites);
    let again = Callback::new(move |()| products.refetch());
    let posted = ServerAction::<SetFavourite>::new().value().get_untracked().and_then(Result::err);
    view! {
        <Narrow title=l.t(t::FAVOURITES_TITLE) class="page container container-narrow">
            {posted.map(|error| view! { <ErrorNotice error/> })}
            {move || query.with(|query| Some((query.get("removed")?, query.get("at")?))).map(|(id, at)| view! { <Removed id at/> })}
            <Loaded data=products lines=8 let:products>
                <List products again/>
            </Loaded>
        </Narrow>
    }
    .into_any()
}

/// The way back after one was removed without script.
#[component]
fn Removed(id: String, at: String) -> impl IntoView {
    let l = use_locale();
    view! {
        <div class="notice" role="status">
            <Icon name="info"/>
            <div class="notice-body">
                <p>{l.t(t::FAVOURITE_REMOVED)}</p>
                <form class="notice-actions" action=SetFavourite::url() method="post">
                    <input type="hidden" name="product_id" value=id/>
                    <input type="hidden" name="at" value=at/>
                    <input type="hidden" name="wanted" value="true"/>
                    <input type="hidden" name="next" value=PATH/>
                    <button class="btn btn-secondary btn-sm" type="submit">{l.t(common::UNDO)}</button>
                </form>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn List(products: Page<KeptProduct>, again: Callback<()>) -> impl IntoView {
    let page = products.page;
    let empty = (t::FAVOURITES_EMPTY_TITLE, t::FAVOURITES_EMPTY_TEXT);
    view! { <KeptList products path=PATH icon="heart" empty let:product><Row product page again/></KeptList> }
}

#[component]
fn Row(product: KeptProduct, page: i64, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let state = FormState::new(None, &[]);
    let (id, at, hidden) = (product.card.id.clone(), product.at, format!(" {}", product.card.title));
    let sent = id.clone();
    let remove = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let id = sent.clone();
        state.send(None, api::catalog::set_favourite(id.clone(), false, None, None), move |()| {
            toasts.show_with(l.t(t::FAVOURITE_REMOVED), l.t(common::UNDO), move || {
                let id = id.clone();
                spawn_local(async move {
                    match api::catalog::set_favourite(id, true, Some(at), None).await {
                        Ok(()) => again.try_run(()).unwrap_or_default(),
                        Err(error) => toasts.show(crate::ui::error::message(l, &error)),
                    }
                });
            });
            again.run(());
        });
    };
    let list = page_href(PATH, page);
    let and = if page > 1 { '&' } else { '?' };
    let next = format!("{list}{and}removed={}&at={at}", percent_encode(&id));
    view! {
        <KeptRow product>
            {state.notice()}
            <form action=SetFavourite::url() method="post" on:submit=remove>
                <input type="hidden" name="product_id" value=id/>
                <input type="hidden" name="wanted" value="false"/>
                <input type="hidden" name="next" value=next/>
                <button class="btn btn-quiet btn-sm" type="submit" aria-busy=state.busy()>
                    <Icon name="trash" class="icon-sm"/>
                    {l.t(t::REMOVE)}<span class="visually-hidden">{hidden}</span>
                </button>
            </form>
        </KeptRow>
    }
    .into_any()
}
