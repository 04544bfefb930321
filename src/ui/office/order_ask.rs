//! What cannot be undone asks first: in a dialog, or without script on the page itself.

use super::order::Open;
use crate::{
    api::office::{Cancel, Complete},
    domain::{
        order::{Action, State},
        texts::office as t,
    },
    ui::{
        components::{dialog::Dialog, icon::Icon},
        use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

/// What is asked before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    Cancel,
    Complete,
}

impl Ask {
    /// What asks for it in the address, without script.
    const fn query(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Complete => "complete",
        }
    }

    const fn action(self) -> Action {
        match self {
            Self::Cancel => Action::Cancel,
            Self::Complete => Action::Complete,
        }
    }

    const fn label(self) -> crate::domain::locale::Text {
        match self {
            Self::Cancel => t::CANCEL,
            Self::Complete => t::COMPLETE,
        }
    }
}

/// Opens the dialog of [`Confirmation`], as long as the order's state allows what it asks.
#[component]
pub fn Trigger(open: Open, ask: Ask) -> impl IntoView {
    let l = use_locale();
    let allowed = Memo::new(move |_| open.allows(ask.action()));
    let show = move |event: ev::MouseEvent| {
        if let Some(dialog) = open.dialog(ask).get_untracked() {
            event.prevent_default();
            if !dialog.open() {
                let _ = dialog.show_modal();
            }
        }
    };
    let class = match ask {
        Ask::Cancel => "btn btn-quiet",
        Ask::Complete => "btn btn-primary",
    };
    move || {
        allowed.get().then(|| {
            let href = format!("/office/orders/{}?{}=1", open.number(), ask.query());
            view! { <a class=class href=href aria-haspopup="dialog" on:click=show>{l.t(ask.label())}</a> }
        })
    }
}

/// Asks, in a dialog or on the page.
#[component]
pub fn Confirmation(open: Open, ask: Ask) -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let allowed = Memo::new(move |_| open.allows(ask.action()));
    let asked = Memo::new(move |_| allowed.get() && query.with(|query| query.get(ask.query()).is_some()));
    // What can no longer be done is not asked any more.
    Effect::new(move |_| {
        if !allowed.get() {
            open.close(ask);
        }
    });
    let title = l.t(match ask {
        Ask::Cancel => t::ASK_CANCEL_TITLE,
        Ask::Complete => t::ASK_COMPLETE_TITLE,
    });
    let text = move || match ask {
        Ask::Cancel => open.order.with(|order| match order.state {
            State::ToShip => l.f(t::ASK_CANCEL_PAID, &[("amount", &order.returnable().display(order.currency))]),
            _ => l.t(t::ASK_CANCEL_TEXT).to_owned(),
        }),
        Ask::Complete => l.t(t::ASK_COMPLETE_TEXT).to_owned(),
    };
    let title_id = format!("ask-{}", ask.query());
    let on_page = move || {
        asked.get().then(|| {
            view! {
                <section class="notice notice-warn" aria-label=title>
                    <Icon name="warning"/>
                    <div class="notice-body">
                        <p class="notice-title">{title}</p>
                        <p>{text}</p>
                        <ConfirmForm open ask class="notice-actions">
                            <a class="btn btn-secondary btn-sm" href=format!("/office/orders/{}", open.number())>{l.t(t::KEEP)}</a>
                        </ConfirmForm>
                    </div>
                </section>
            }
        })
    };
    view! {
        {on_page}
        <Dialog place=open.dialog(ask) title_id title>
            <div class="dialog-body"><p class="muted">{text}</p></div>
            <ConfirmForm open ask class="dialog-actions">
                <button class="btn btn-secondary" type="button" on:click=move |_| open.close(ask)>{l.t(t::KEEP)}</button>
            </ConfirmForm>
        </Dialog>
    }
    .into_any()
}

/// The answer "yes", beside what is in it.
#[component]
fn ConfirmForm(open: Open, ask: Ask, class: &'static str, children: Children) -> impl IntoView {
    let l = use_locale();
    let (url, button) = match ask {
        Ask::Cancel => (Cancel::url(), "btn btn-danger"),
        Ask::Complete => (Complete::url(), "btn btn-primary"),
    };
    let confirm = move |event: ev::SubmitEvent| {
        event.prevent_default();
        open.run(ask);
    };
    let button = if class == "notice-actions" { format!("{button} btn-sm") } else { button.to_owned() };
    view! {
        <form class=class action=url method="post" on:submit=confirm>
            <input type="hidden" name="number" value=open.number()/>
            {children()}
            <button class=button type="submit" aria-busy=move || open.busy.get().then_some("true")>{l.t(ask.label())}</button>
        </form>
    }
    .into_any()
}
