//! The products that the person at this browser looked at last, and whether that is remembered.

use super::{
    Done, Narrow,
    kept::{KeptList, KeptRow, page_of},
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
        components::{form::FormState, loaded::Loaded},
        use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/me/viewed";

#[component]
pub fn ViewedPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let page = Memo::new(move |_| query.with(|query| page_of(query.get("page"))));
    let viewed = Resource::new(move || page.get(), api::catalog::viewed);
    let again = Callback::new(move |()| viewed.refetch());
    view! {
        <Narrow title=l.t(t::VIEWED_TITLE) class="page container container-narrow">
            <Done said=&[("cleared", t::VIEWED_CLEARED), ("on", t::VIEWED_ON), ("off", t::VIEWED_OFF)]/>
            <Loaded data=viewed lines=8 let:viewed>
                <List viewed again/>
            </Loaded>
        </Narrow>
    }
    .into_any()
}

#[component]
fn List(viewed: Viewed, again: Callback<()>) -> impl IntoView {
    let Viewed { products, remembered } = viewed;
    let some = products.total > 0;
    let empty = (t::VIEWED_EMPTY_TITLE, if remembered { t::VIEWED_EMPTY_TEXT } else { t::VIEWED_OFF_TEXT });
    view! {
        <KeptList products path=PATH icon="clock" empty beyond=t::VIEWED_EMPTY_TEXT let:product><KeptRow product/></KeptList>
        <Choice remembered some again/>
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
