//! What a customer does with an order: pay it, cancel it, confirm it, order the same again.
//!
//! Each works as a plain form. What cannot be undone asks first: in a dialog, or without script on the page itself.

use super::{Ask, Page, again::use_again, load};
use crate::{
    api::{
        self,
        order::{Again, Cancel, Complete, Pay},
    },
    domain::{Error, order::State, paying::Phase, texts::order as t},
    ui::{
        components::{dialog::Dialog, icon::Icon},
        use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_router::hooks::{use_location, use_query_map};

const PAY_FORM: &str = "pay";
const AGAIN_FORM: &str = "again";

/// The button to the provider's cashier, of [`PayForm`].
#[component]
pub fn PayButton(page: Page, phase: Phase) -> impl IntoView {
    let l = use_locale();
    let text = match phase {
        Phase::ToPay { failed: true } => t::PAY_AGAIN,
        Phase::Paying => t::PAY_GO_ON,
        _ => t::PAY_NOW,
    };
    let label = move || page.order.with(|order| l.f(text, &[("amount", &order.totals.total.display(order.currency))]));
    let busy = move || page.busy.get().then_some("true");
    view! { <button class="btn btn-primary" type="submit" form=PAY_FORM aria-busy=busy>{label}</button> }.into_any()
}

/// Begins a payment with the order's method.
#[component]
pub fn PayForm(page: Page) -> impl IntoView {
    let pay = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if page.busy.get_untracked() {
            return;
        }
        page.busy.set(true);
        page.error.set(None);
        spawn_local(async move {
            // On success the browser is on its way to the cashier, and the button stays busy until it is there.
            if let Err(error) = api::order::pay(page.number(), None).await {
                let closed = matches!(error, Error::OrderClosed(_));
                page.busy.try_set(false);
                page.error.try_set(Some(error));
                if closed {
                    load(page.order).await;
                }
            }
        });
    };
    // On the way back from the cashier the browser may show this page as it was left.
    Effect::new(move |_| {
        let back = window_event_listener(ev::pageshow, move |event| {
            if event.persisted() {
                page.busy.try_set(false);
                spawn_local(load(page.order));
            }
        });
        on_cleanup(move || back.remove());
    });
    view! {
        <form id=PAY_FORM action=Pay::url() method="post" on:submit=pay hidden>
            <input type="hidden" name="number" value=page.number()/>
        </form>
    }
    .into_any()
}

/// The button of [`AgainForm`].
#[component]
pub fn AgainButton(page: Page, class: &'static str) -> impl IntoView {
    let busy = move || page.busy.get().then_some("true");
    view! {
        <button class=class type="submit" form=AGAIN_FORM aria-busy=busy>
            <Icon name="again" class="icon-sm"/>
            {use_locale().t(t::ORDER_AGAIN)}
        </button>
    }
    .into_any()
}

/// Puts what the order had into the cart and goes there.
#[component]
pub fn AgainForm(page: Page) -> impl IntoView {
    let run = use_again();
    let again = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if page.busy.get_untracked() {
            return;
        }
        page.busy.set(true);
        page.error.set(None);
        let (number, wanted) = page.order.with_untracked(|order| (order.number.clone(), order.wanted()));
        spawn_local(async move {
            if let Err(error) = run.run(number, &wanted).await {
                page.error.try_set(Some(error));
            }
            page.busy.try_set(false);
        });
    };
    view! {
        <form id=AGAIN_FORM action=Again::url() method="post" on:submit=again hidden>
            <input type="hidden" name="number" value=page.number()/>
        </form>
    }
    .into_any()
}

/// Opens the dialog of [`Confirmation`]; without script it asks on the page.
#[component]
pub fn Trigger(page: Page, ask: Ask) -> impl IntoView {
    let l = use_locale();
    let open = move |event: ev::MouseEvent| {
        if let Some(dialog) = page.dialog(ask).get_untracked() {
            event.prevent_default();
            if !dialog.open() {
                let _ = dialog.show_modal();
            }
        }
    };
    let (class, text) = match ask {
        Ask::Cancel => ("btn btn-quiet", t::CANCEL),
        Ask::Receive => ("btn btn-primary", t::RECEIVED),
    };
    let href = format!("/orders/{}?{}=1", page.number(), ask.query());
    view! { <a class=class id=ask.query() href=href aria-haspopup="dialog" on:click=open>{l.t(text)}</a> }.into_any()
}

/// Asks, in a dialog or on the page.
#[component]
pub fn Confirmation(page: Page, ask: Ask) -> impl IntoView {
    let l = use_locale();
    let (query, location) = (use_query_map(), use_location());
    let dialog = page.dialog(ask);
    let allowed = Memo::new(move |_| page.allows(ask));
    let asked = Memo::new(move |_| allowed.get() && query.with(|query| query.get(ask.query()).is_some()));
    // A link from another page may lead here to ask.
    Effect::new(move |_| {
        let hash = location.hash.get();
        if hash.trim_start_matches('#') == ask.query()
            && allowed.get_untracked()
            && let Some(dialog) = dialog.get()
            && !dialog.open()
        {
            let _ = dialog.show_modal();
        }
    });
    // What can no longer be done is not asked any more.
    Effect::new(move |_| {
        if !allowed.get() {
            page.close(ask);
        }
    });
    let title = l.t(match ask {
        Ask::Cancel => t::ASK_CANCEL_TITLE,
        Ask::Receive => t::ASK_RECEIVE_TITLE,
    });
    let text = move || match ask {
        Ask::Cancel => page.order.with(|order| match order.state {
            State::ToShip => l.f(t::ASK_CANCEL_PAID, &[("amount", &order.returnable().display(order.currency))]),
            _ => l.t(t::ASK_CANCEL_TEXT).to_owned(),
        }),
        Ask::Receive => l.t(t::ASK_RECEIVE_TEXT).to_owned(),
    };
    let keep = l.t(match ask {
        Ask::Cancel => t::KEEP,
        Ask::Receive => t::NOT_YET,
    });
    let title_id = format!("ask-{}", ask.query());
    let on_page = move || {
        asked.get().then(|| {
            view! {
                <section class="notice notice-warn" aria-label=title>
                    <Icon name="warning"/>
                    <div class="notice-body">
                        <p class="notice-title">{title}</p>
                        <p>{text}</p>
                        <ConfirmForm page ask class="notice-actions">
                            <a class="btn btn-secondary btn-sm" href=format!("/orders/{}", page.number())>{keep}</a>
                        </ConfirmForm>
                    </div>
                </section>
            }
        })
    };
    view! {
        {on_page}
        <Dialog place=dialog title_id title>
            <div class="dialog-body"><p class="muted">{text}</p></div>
            <ConfirmForm page ask class="dialog-actions">
                <button class="btn btn-secondary" type="button" on:click=move |_| page.close(ask)>{keep}</button>
            </ConfirmForm>
        </Dialog>
    }
    .into_any()
}

/// The answer "yes", beside what is in it.
#[component]
fn ConfirmForm(page: Page, ask: Ask, class: &'static str, children: Children) -> impl IntoView {
    let l = use_locale();
    let (url, button, text) = match ask {
        Ask::Cancel => (Cancel::url(), "btn btn-danger", t::CANCEL),
        Ask::Receive => (Complete::url(), "btn btn-primary", t::RECEIVED),
    };
    let confirm = move |event: ev::SubmitEvent| {
        event.prevent_default();
        page.run(ask);
    };
    let button = if class == "notice-actions" { format!("{button} btn-sm") } else { button.to_owned() };
    view! {
        <form class=class action=url method="post" on:submit=confirm>
            <input type="hidden" name="number" value=page.number()/>
            {children()}
            <button class=button type="submit" aria-busy=move || page.busy.get().then_some("true")>{l.t(text)}</button>
        </form>
    }
    .into_any()
}
