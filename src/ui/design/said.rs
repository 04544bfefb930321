//! What the page says back.

use crate::{
    domain::{
        Error,
        error::Shortage,
        order::State,
        texts::{cart, checkout, common, design as t, order},
    },
    ui::{
        components::{
            dialog::Dialog,
            icon::Icon,
            shell::{ToastRegion, use_toasts},
            skeleton::{SkeletonProducts, SkeletonText},
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::prelude::*;

pub fn notices() -> AnyView {
    let l = use_locale();
    let kinds = [
        ("notice", "info"),
        ("notice notice-ok", "success"),
        ("notice notice-warn", "tag"),
        ("notice notice-danger", "error"),
    ];
    let notice = |(class, icon): (&'static str, &'static str)| {
        view! {
            <div class=class>
                <Icon name=icon/>
                <div class="notice-body">
                    <p class="notice-title">{l.t(t::NOTICE_TITLE)}</p>
                    <p>{l.t(t::NOTICE_TEXT)}</p>
                    <div class="notice-actions"><button class="btn btn-secondary btn-sm">{l.t(checkout::TRY_AGAIN)}</button></div>
                </div>
            </div>
        }
    };
    let short = |title| Shortage { variant_id: String::new(), title: l.t(title).into(), wanted: 3, available: 1 };
    let errors = [
        Error::Shortage(vec![short(t::CUP), short(t::TEA)]),
        Error::PriceChanged(vec![]),
        Error::OrderClosed(State::Shipped),
        Error::TooMany { retry_after: 30 },
        Error::Internal("7f3a9c21".into()),
    ];
    view! {
        {kinds.map(notice)}
        {errors.map(|error| view! { <ErrorNotice error/> })}
        <ErrorNotice error=Error::Offline reload=true/>
    }
    .into_any()
}

pub fn loading() -> AnyView {
    let l = use_locale();
    let loading = l.t(common::LOADING);
    view! {
        <div class="panel"><SkeletonText/></div>
        <SkeletonProducts count=4/>
        <progress class="progress" max="100" value="70" aria-label=loading></progress>
        <progress class="progress progress-ok" max="100" value="100" aria-label=l.t(order::STATE_COMPLETED)></progress>
        <p><span class="spinner" role="img" aria-label=loading></span></p>
    }
    .into_any()
}

pub fn empty() -> AnyView {
    let l = use_locale();
    view! {
        <div class="panel">
            <div class="empty">
                <span class="empty-art"><Icon name="cart" class="icon-lg"/></span>
                <h3 class="empty-title">{l.t(cart::EMPTY_TITLE)}</h3>
                <p class="empty-text">{l.t(cart::EMPTY_TEXT)}</p>
                <div class="empty-actions">
                    <a class="btn btn-primary" href="#empty">{l.t(cart::TO_SHOP)}</a>
                    <a class="btn btn-secondary" href="#empty">{l.t(order::FIND)}</a>
                </div>
            </div>
        </div>
    }
    .into_any()
}

/// A dialog as it stands above the page, and the region of messages with one that can be answered.
pub fn asking() -> AnyView {
    let l = use_locale();
    use_toasts().show_with(l.f(cart::REMOVED, &[("title", &l.t(t::CUP))]), l.t(common::UNDO), || ());
    view! {
        <div class="specimen-stage">
            <Dialog place=NodeRef::new() title_id="dialog-title" title=l.t(order::ASK_CANCEL_TITLE) open=true>
                <div class="dialog-body"><p class="muted">{l.t(order::ASK_CANCEL_TEXT)}</p></div>
                <div class="dialog-actions">
                    <button class="btn btn-secondary">{l.t(order::KEEP)}</button>
                    <button class="btn btn-danger">{l.t(order::CANCEL)}</button>
                </div>
            </Dialog>
        </div>
        <div class="specimen-stage"><ToastRegion/></div>
    }
    .into_any()
}
