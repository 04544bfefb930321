//! The waiting list: what an account waits for.

use super::{Done, Narrow, SignInFirst};
use crate::{
    api::{
        self,
        booking::AddBooking,
        booking_after::{StopWaiting, WAITING},
    },
    domain::{Error, booking::after::Waiting, texts::booking_after as t},
    ui::{
        components::{form::FormState, icon::Icon, links::product_href, shell::use_cart_count, time::date_time},
        error::ErrorNotice,
        set_status, use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn};
use leptos_router::{NavigateOptions, hooks::use_navigate};

#[component]
pub fn WaitingPage() -> impl IntoView {
    let l = use_locale();
    let waiting = Resource::new(|| (), |()| api::booking_after::waiting_list());
    let again = Callback::new(move |()| waiting.refetch());
    let added = ServerAction::<AddBooking>::new().value().get_untracked().and_then(Result::err);
    let stopped = ServerAction::<StopWaiting>::new().value().get_untracked().and_then(Result::err);
    view! {
        <Narrow title=l.t(t::WAITING_TITLE) class="page container container-narrow">
            <Done said=&[("wait", t::WAIT_DONE)]/>
            {added.or(stopped).map(|error| view! { <ErrorNotice error/> })}
            <p class="muted">{l.t(t::WAITING_TEXT)}</p>
            <Transition fallback=|| ()>
                {move || Suspend::new(async move {
                    match waiting.await {
                        Ok(waiting) => view! { <List waiting again/> }.into_any(),
                        Err(Error::Unauthenticated) => {
                            view! { <SignInFirst to=WAITING text=l.t(t::WAITING_SIGN_IN)/> }.into_any()
                        }
                        Err(error) => {
                            set_status(error.status_code());
                            view! { <ErrorNotice error reload=true/> }.into_any()
                        }
                    }
                })}
            </Transition>
        </Narrow>
    }
    .into_any()
}

#[component]
fn List(waiting: Vec<Waiting>, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    if waiting.is_empty() {
        return view! {
            <div class="empty">
                <span class="empty-art"><Icon name="clock" class="icon-lg"/></span>
                <h2 class="empty-title">{l.t(t::EMPTY_TITLE)}</h2>
                <p class="empty-text">{l.t(t::EMPTY_TEXT)}</p>
            </div>
        }
        .into_any();
    }
    let rows = waiting.into_iter().map(|waiting| view! { <Row waiting again/> }).collect_view();
    view! { <div class="panel"><ul class="lines">{rows}</ul></div> }.into_any()
}

#[component]
fn Row(waiting: Waiting, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let Waiting { id, variant_id, handle, title, label, wish, asked_at, held_until } = waiting;
    let (class, said) = match held_until {
        Some(until) => ("stock stock-in", l.f(t::HELD, &[("time", &date_time(l, until))])),
        None => ("muted small", l.f(t::IN_LINE, &[("time", &date_time(l, asked_at))])),
    };
    let state = FormState::new(None, &[]);
    let (count, navigate) = (use_cart_count(), use_navigate());
    let sent = (variant_id.clone(), wish.clone());
    let take = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let (navigate, (variant, wish)) = (navigate.clone(), sent.clone());
        state.send(None, api::booking::add_booking(variant, wish, None, None), move |cart| {
            count.show(&cart);
            navigate("/cart", NavigateOptions::default());
        });
    };
    let sent = id.clone();
    let stop = move |event: ev::SubmitEvent| {
        event.prevent_default();
        state.send(None, api::booking_after::stop_waiting(sent.clone()), move |()| again.run(()));
    };
    let stop_label = l.f(t::STOP_LABEL, &[("title", &title)]);
    let take = held_until.is_some().then(|| {
        view! {
            <form action=AddBooking::url() method="post" on:submit=take>
                <input type="hidden" name="variant_id" value=variant_id/>
                <input type="hidden" name="wish" value=wish/>
                <input type="hidden" name="next" value="/cart"/>
                <button class="btn btn-primary btn-sm" type="submit" aria-busy=state.busy()>{l.t(t::TAKE)}</button>
            </form>
        }
    });
    view! {
        <li class="line-after stack">
            <h2><a class="line-name" href=product_href(&handle)>{title}</a></h2>
            <p class="line-variant">{label}</p>
            <p class=class>{said}</p>
            {state.notice()}
            <div class="cluster">
                {take}
                <form action=StopWaiting::url() method="post" on:submit=stop>
                    <input type="hidden" name="id" value=id/>
                    <button class="btn btn-quiet btn-sm" type="submit" aria-label=stop_label aria-busy=state.busy()>
                        {l.t(t::STOP)}
                    </button>
                </form>
            </div>
        </li>
    }
    .into_any()
}
