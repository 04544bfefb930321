//! What the lines of goods and of bookings share.

use super::state::CartState;
use crate::{
    api::cart::AcceptPrices,
    domain::{
        cart::Cart,
        money::{Amount, Currency},
        texts::{cart as t, common},
    },
    ui::{
        components::{field::focus, icon::Icon, shell::use_toasts},
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn};

/// What the focus returns to when the line it was in is gone.
pub const TITLE_ID: &str = "cart-title";

/// Keeps a form from being sent: with script its buttons do by themselves what they are for.
pub fn stay(event: ev::SubmitEvent) {
    event.prevent_default();
}

/// What a button does in place of sending its form.
pub fn act(run: impl Fn() + 'static) -> impl Fn(ev::MouseEvent) {
    move |event| {
        event.prevent_default();
        run();
    }
}

/// What a button does that takes a line out by `remove`, which gives back how it comes in again: that is offered.
pub fn removing<U: Fn() + Send + Sync + 'static>(
    title: String,
    remove: impl Fn() -> U + 'static,
) -> impl Fn(ev::MouseEvent) {
    let (l, toasts) = (use_locale(), use_toasts());
    let removed = l.f(t::REMOVED, &[("title", &title)]);
    act(move || {
        let undo = remove();
        let undo = move || {
            undo();
            focus(TITLE_ID);
        };
        toasts.show_with(removed.clone(), l.t(common::UNDO), undo);
        focus(TITLE_ID);
    })
}

/// Old and new price, with the nod to it unless several lines ask for one together.
#[component]
pub fn PriceNotice(state: CartState, change: Memo<Option<(Amount, Amount)>>, currency: Currency) -> impl IntoView {
    let l = use_locale();
    let alone = Memo::new(move |_| state.shown.with(|cart| cart.price_changes().len() == 1));
    move || {
        change.get().map(|(old, new)| {
            view! {
                <div class="notice notice-warn" role="status">
                    <Icon name="tag"/>
                    <div class="notice-body">
                        <p>
                            {l.t(t::PRICE_CHANGED)}
                            <s>{old.display(currency)}</s>
                            " → "
                            <strong class="is-fresh">{new.display(currency)}</strong>
                        </p>
                        {move || alone.get().then(|| view! { <AcceptForm state label=l.t(t::ACCEPT)/> })}
                    </div>
                </div>
            }
        })
    }
}

/// The nod to all prices as they are now.
#[component]
pub fn AcceptForm(state: CartState, label: &'static str) -> impl IntoView {
    view! {
        <form class="notice-actions" action=AcceptPrices::url() method="post" on:submit=stay>
            <input type="hidden" name="prices" value=move || state.shown.with(Cart::prices)/>
            <button class="btn btn-secondary btn-sm" type="submit" aria-busy=move || state.busy.get().then_some("true") on:click=act(move || state.accept_prices())>
                {label}
            </button>
        </form>
    }
    .into_any()
}

/// The last failure, where it is about this line.
#[component]
pub fn LineProblem(state: CartState, id: StoredValue<String>) -> impl IntoView {
    move || {
        let problem = state.problem.get().filter(|(line, _)| id.with_value(|id| id == line));
        problem.map(|(_, error)| view! { <ErrorNotice error/> })
    }
}
