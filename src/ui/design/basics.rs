//! What everything else is made of.

use crate::{
    domain::{
        order::State,
        payment::Method,
        texts::{catalog, checkout, common, order, start},
    },
    ui::{
        components::{
            breadcrumbs::Breadcrumbs,
            icon::Icon,
            method::MethodMark,
            order_state::{StateBadge, state_name},
            pagination::Pagination,
        },
        shop::checkout::Steps,
        use_locale,
    },
};
use leptos::prelude::*;

pub fn colours() -> AnyView {
    let names = ["paper", "surface", "sunken", "ink", "accent", "accent-soft", "ok", "warn", "danger", "info"];
    let swatch = |name: &'static str| view! { <li class=format!("swatch swatch-{name}")>{name}</li> };
    view! { <ul class="swatches" lang="en">{names.map(swatch)}</ul> }.into_any()
}

pub fn buttons() -> AnyView {
    let l = use_locale();
    view! {
        <div class="cluster">
            <button class="btn btn-primary">{l.t(catalog::BUY_NOW)}</button>
            <button class="btn btn-tint">{l.t(catalog::ADD_TO_CART)}</button>
            <button class="btn btn-secondary">{l.t(order::EDIT)}</button>
            <button class="btn btn-quiet">{l.t(order::DISCARD)}</button>
            <button class="btn btn-danger">{l.t(order::CANCEL)}</button>
        </div>
        <div class="cluster">
            <button class="btn btn-primary btn-lg">{l.t(checkout::NEXT)}</button>
            <button class="btn btn-primary btn-sm">{l.t(checkout::NEXT_SHORT)}</button>
            <button class="btn btn-primary" aria-busy="true">{l.t(checkout::SUBMITTING)}</button>
            <button class="btn btn-primary" disabled>{l.t(common::SOLD_OUT)}</button>
            <button class="btn btn-secondary"><Icon name="again" class="icon-sm"/>{l.t(order::ORDER_AGAIN)}</button>
            <button class="btn btn-icon btn-secondary" aria-label=l.t(catalog::FILTER)><Icon name="filter"/></button>
        </div>
        <div class="cluster">
            <a class="link" href="#buttons">{l.t(start::SEE_ALL)}<Icon name="chevron-right" class="icon-sm"/></a>
            <a class="link link-quiet" href="#buttons">{l.t(catalog::CLEAR_ALL)}</a>
        </div>
    }
    .into_any()
}

pub fn badges() -> AnyView {
    let l = use_locale();
    view! {
        <div class="cluster">{State::ALL.map(|state| view! { <StateBadge state/> })}</div>
        <div class="cluster">
            <span class="badge">{l.t(start::BADGE_NEW)}</span>
            <span class="badge badge-solid">{l.t(start::BADGE_HOT)}</span>
            <span class="badge badge-danger">{l.t(common::SOLD_OUT)}</span>
        </div>
        <div class="cluster">
            <a class="chip" aria-current="true" href="#badges">{l.t(catalog::ALL)}</a>
            <a class="chip" href="#badges">
                {l.t(catalog::IN_STOCK)}
                <Icon name="close" class="icon-sm"/>
            </a>
            <button class="chip" aria-pressed="true">{l.t(catalog::IN_STOCK)}</button>
        </div>
    }
    .into_any()
}

pub fn navigation() -> AnyView {
    let l = use_locale();
    let tab = |state: State| {
        let current = (state == State::ToShip).then_some("true");
        view! { <a class="tab" href="#navigation" aria-current=current>{state_name(l, state)}<span class="tab-count">"2"</span></a> }
    };
    let links = vec![("/categories".to_owned(), l.t(start::ALL_CATEGORIES).to_owned())];
    let steps = (0..3).map(|present| view! { <Steps present/> }).collect_view();
    view! {
        <Breadcrumbs links here=l.t(catalog::BRAND).to_owned()/>
        <div class="tabs">{State::ALL.map(tab)}</div>
        {steps}
        <Pagination page=5 pages=9 href={|page: i64| format!("?page={page}#navigation")}/>
    }
    .into_any()
}

/// The sprite that all pages share.
const SPRITE: &str = include_str!("../../../public/icons.svg");

pub fn icons() -> AnyView {
    // Payment marks have a shape of their own.
    let names = SPRITE.split("<symbol id=\"").skip(1).filter_map(|symbol| symbol.split('"').next());
    let icon = |name: &'static str| view! { <li><Icon name/><span class="small muted">{name}</span></li> };
    let icons = names.filter(|name| !name.starts_with("pay-")).map(icon).collect_view();
    view! {
        <ul class="specimen-icons" lang="en">{icons}</ul>
        <div class="cluster">{Method::ALL.map(|method| view! { <MethodMark method/> })}</div>
    }
    .into_any()
}
