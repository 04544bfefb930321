//! The way into the waiting list from a page on which something is taken: a form that works without script. Whoever is not
//! signed in is told so and led back here afterwards; they could not be told of what comes free.
//!
//! Each of the four kinds can be waited for, as long as the wish says exactly what: nights of a room type, an hour of a
//! service, a time of a restaurant, places on a departure. Not offered is what has no such wish: seats of a departure on
//! which they are chosen, any house of a search.

use crate::{
    api::{
        self,
        booking_after::{WAITING, Wait},
    },
    domain::{
        Error,
        booking::{wish::Wish, zone::Zone},
        catalog::percent_encode,
        texts::{account, booking_after as t},
    },
    ui::{
        components::{
            form::FormState,
            icon::Icon,
            shell::use_toasts,
            slot_list::{SlotList, SlotTime},
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn};

/// What came of a form of the waiting list that was sent without script, on the page it is sent back to. Once on a page,
/// however many forms there are; `back` is the address of the page.
#[component]
pub fn WaitNotice(back: Signal<String>) -> impl IntoView {
    let posted = ServerAction::<Wait>::new().value().get_untracked().and_then(Result::err);
    posted.map(|error| view! { <Refused error back=back.get_untracked()/> }).into_any()
}

/// Why somebody is not on the list.
#[component]
fn Refused(error: Error, back: String) -> impl IntoView {
    let l = use_locale();
    let (text, link) = match error {
        Error::Unauthenticated => {
            let href = format!("/sign-in?to={}", percent_encode(&back));
            (
                t::WAITING_SIGN_IN,
                Some(view! { <a class="btn btn-primary btn-sm" href=href>{l.t(account::SIGN_IN_TITLE)}</a> }),
            )
        }
        // It can be had, or somebody else has changed it meanwhile.
        Error::Conflict => (t::WAIT_FREE, None),
        error => return view! { <ErrorNotice error/> }.into_any(),
    };
    view! {
        <div class="notice" role="alert">
            <Icon name="info"/>
            <div class="notice-body">
                <p>{l.t(text)}</p>
                {link.map(|link| view! { <div class="notice-actions">{link}</div> })}
            </div>
        </div>
    }
    .into_any()
}

/// A form that is sent by script; once somebody is on the list it leads there.
#[derive(Clone, Copy)]
struct Waiter {
    state: FormState,
    /// The wish that was sent last.
    sent: RwSignal<Option<String>>,
    done: RwSignal<bool>,
}

impl Waiter {
    fn new() -> Self {
        Self { state: FormState::new(None, &[]), sent: RwSignal::new(None), done: RwSignal::new(false) }
    }

    /// Sends a wish.
    fn send(self, variant_id: &str, wish: String, said: impl Fn() + 'static) {
        self.sent.set(Some(wish.clone()));
        let answer = api::booking_after::wait(variant_id.to_owned(), wish);
        self.state.send(None, answer, move |()| {
            said();
            self.done.set(true);
        });
    }

    /// What came of it.
    fn news(self, back: String) -> impl Fn() -> Option<AnyView> + Clone {
        let l = use_locale();
        move || {
            let refused = self.state.error.get().map(|error| view! { <Refused error back=back.clone()/> }.into_any());
            let link = || view! { <a class="btn btn-secondary" href=WAITING>{l.t(t::WAIT_LIST)}</a> }.into_any();
            refused.or_else(|| self.done.get().then(link))
        }
    }
}

/// Lets somebody wait for what is taken.
#[component]
pub fn WaitForm(
    variant_id: String,
    wish: Wish,
    /// The address of the page.
    back: String,
    /// For those who listen, what it is.
    #[prop(optional)]
    what: String,
    /// Leaves the explanation out, where many stand one below the other.
    #[prop(optional)]
    short: bool,
) -> impl IntoView {
    let (l, toasts) = (use_locale(), use_toasts());
    let waiter = Waiter::new();
    let wish = wish.text();
    let sent = (variant_id.clone(), wish.clone());
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        waiter.send(&sent.0, sent.1.clone(), move || toasts.show(l.t(t::WAIT_DONE)));
    };
    let busy = waiter.state.busy();
    let hidden = if what.is_empty() { String::new() } else { format!(" {what}") };
    view! {
        <form class="stack-sm" action=Wait::url() method="post" on:submit=submit>
            {(!short).then(|| view! { <p class="muted small">{l.t(t::WAIT_TEXT)}</p> })}
            <div role="status">{waiter.news(back)}</div>
            <input type="hidden" name="variant_id" value=variant_id/>
            <input type="hidden" name="wish" value=wish/>
            <div hidden=move || waiter.done.get()>
                <button class="btn btn-secondary btn-sm" type="submit" aria-busy=busy>
                    {l.t(t::WAIT)}<span class="visually-hidden">{hidden}</span>
                </button>
            </div>
        </form>
    }
    .into_any()
}

/// Times that somebody else has, each a button that lets somebody wait for it.
#[component]
pub fn WaitTimes(
    variant_id: String,
    zone: Zone,
    times: Vec<SlotTime>,
    back: String,
    /// Unfolded where nothing else can be had.
    open: bool,
) -> impl IntoView {
    let (l, toasts) = (use_locale(), use_toasts());
    if times.is_empty() {
        return ().into_any();
    }
    let waiter = Waiter::new();
    let variant = variant_id.clone();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Some(wish) = event.submitter().and_then(|button| button.get_attribute("value")) else { return };
        waiter.send(&variant, wish, move || toasts.show(l.t(t::WAIT_DONE)));
    };
    let busy = waiter.state.busy();
    let on_its_way = Signal::derive(move || waiter.sent.get().filter(|_| busy().is_some()));
    view! {
        <details class="wait-times" open=open>
            <summary class="ask">{l.t(t::WAIT_TIMES)}</summary>
            <form class="stack-sm" action=Wait::url() method="post" on:submit=submit>
                <p class="muted small">{l.t(t::WAIT_TIMES_TEXT)}</p>
                <div role="status">{waiter.news(back)}</div>
                <input type="hidden" name="variant_id" value=variant_id/>
                <SlotList zone times name="wish" sent=on_its_way/>
            </form>
        </details>
    }
    .into_any()
}
