//! What stands in the way of a change, and what can be done about it.

use super::form::Editing;
use crate::{
    domain::{
        Error,
        error::{PriceChange, Shortage},
        texts::order as t,
    },
    ui::{components::icon::Icon, use_locale},
};
use leptos::prelude::*;

/// Where the focus goes when an answer appears.
pub const ANSWER_ID: &str = "edit-answer";

/// Whether an error is answered here, rather than by the summary of the fields.
pub fn is_answered(error: &Error) -> bool {
    matches!(error, Error::Conflict | Error::Shortage(_) | Error::PriceChanged(_) | Error::CartEmpty)
}

#[component]
pub fn Answer(editing: Editing) -> impl IntoView {
    let conflict =
        Memo::new(move |_| editing.changed.get() || editing.error.with(|error| matches!(error, Some(Error::Conflict))));
    let answer = move || match editing.error.get() {
        Some(Error::Shortage(short)) => view! { <Short editing short/> }.into_any(),
        Some(Error::PriceChanged(changes)) => view! { <Repriced editing changes/> }.into_any(),
        Some(Error::CartEmpty) => view! { <NothingLeft editing/> }.into_any(),
        _ => ().into_any(),
    };
    view! {
        <div class="stack" id=ANSWER_ID tabindex="-1">
            {move || conflict.get().then(|| view! { <Changed editing/> })}
            {answer}
        </div>
    }
    .into_any()
}

/// Someone, perhaps the same person in another tab, changed the order meanwhile.
#[component]
fn Changed(editing: Editing) -> impl IntoView {
    let l = use_locale();
    let href = editing.order.with_value(|order| format!("/orders/{}/edit", order.number));
    view! {
        <div class="notice notice-warn" role="alert">
            <Icon name="warning"/>
            <div class="notice-body">
                <p class="notice-title">{l.t(t::CONFLICT_TITLE)}</p>
                <p>{l.t(t::CONFLICT_TEXT)}</p>
                <div class="notice-actions">
                    <a class="btn btn-primary btn-sm" href=href rel="external"><Icon name="refresh" class="icon-sm"/>{l.t(t::RELOAD)}</a>
                </div>
            </div>
        </div>
    }
    .into_any()
}

/// More is wanted than can be had.
#[component]
fn Short(editing: Editing, short: Vec<Shortage>) -> impl IntoView {
    let l = use_locale();
    let ready = RwSignal::new(false);
    Effect::new(move |_| ready.set(true));
    let lines = short.iter().map(|short| {
        let text = if short.available > 0 {
            l.f(
                t::SHORTAGE_LEFT,
                &[("title", &short.title), ("available", &short.available), ("wanted", &short.wanted)],
            )
        } else {
            l.f(t::SHORTAGE_NONE, &[("title", &short.title)])
        };
        view! { <p>{text}</p> }
    });
    let lines = lines.collect_view();
    let take = move |_| {
        for short in &short {
            editing.quantities.set(&short.variant_id, short.available.max(0));
        }
        editing.error.set(None);
    };
    view! {
        <div class="notice notice-danger" role="alert">
            <Icon name="warning"/>
            <div class="notice-body">
                <p class="notice-title">{l.t(t::SHORTAGE_TITLE)}</p>
                {lines}
                <div class="notice-actions" hidden=move || !ready.get()>
                    <button class="btn btn-primary btn-sm" type="button" on:click=take>{l.t(t::TAKE_AVAILABLE)}</button>
                </div>
            </div>
        </div>
    }
    .into_any()
}

/// More is wanted of what has another price now: the order keeps its price for as many as were ordered.
#[component]
fn Repriced(editing: Editing, changes: Vec<PriceChange>) -> impl IntoView {
    let l = use_locale();
    let ready = RwSignal::new(false);
    Effect::new(move |_| ready.set(true));
    let currency = editing.order.with_value(|order| order.currency);
    let lines = changes.iter().map(|change| {
        let (old, new) = (change.old.display(currency), change.new.display(currency));
        let handle = editing.order.with_value(|order| {
            let line = order.lines.iter().find(|line| line.variant_id == change.variant_id);
            line.map(|line| format!("/p/{}", line.handle))
        });
        let text = l.f(t::REPRICED_LINE, &[("title", &change.title), ("old", &old), ("new", &new)]);
        view! { <p>{text} " " <a class="link" href=handle>{l.t(t::REPRICED_ORDER)}</a></p> }
    });
    let lines = lines.collect_view();
    let keep = move |_| {
        for change in &changes {
            let ordered = editing.order.with_value(|order| {
                order.lines.iter().find(|line| line.variant_id == change.variant_id).map(|line| line.quantity)
            });
            if let Some(ordered) = ordered {
                editing.quantities.set(&change.variant_id, ordered);
            }
        }
        editing.error.set(None);
    };
    view! {
        <div class="notice notice-warn" role="alert">
            <Icon name="tag"/>
            <div class="notice-body">
                <p class="notice-title">{l.t(t::REPRICED_TITLE)}</p>
                {lines}
                <div class="notice-actions" hidden=move || !ready.get()>
                    <button class="btn btn-primary btn-sm" type="button" on:click=keep>{l.t(t::REPRICED_KEEP)}</button>
                </div>
            </div>
        </div>
    }
    .into_any()
}

/// Every line was removed.
#[component]
fn NothingLeft(editing: Editing) -> impl IntoView {
    let l = use_locale();
    let href = editing.order.with_value(|order| format!("/orders/{}?cancel=1", order.number));
    view! {
        <div class="notice notice-danger" role="alert">
            <Icon name="error"/>
            <div class="notice-body">
                <p class="notice-title">{l.t(t::NOTHING_TITLE)}</p>
                <p>{l.t(t::NOTHING_TEXT)}</p>
                <div class="notice-actions"><a class="btn btn-secondary btn-sm" href=href>{l.t(t::CANCEL)}</a></div>
            </div>
        </div>
    }
    .into_any()
}
