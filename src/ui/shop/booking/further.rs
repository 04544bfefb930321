//! What else can be done in the same visit: each a link that takes it along or leaves it out again, so that it works
//! without script.

use crate::{
    domain::{
        booking::{row::MAX_FURTHER, visit::Further, words},
        texts::booking_visit as t,
    },
    ui::{
        components::{icon::Icon, price::use_currency},
        use_locale,
    },
};
use leptos::prelude::*;

#[component]
pub fn FurtherServices(
    /// Each with the address of the page on which it is taken along, or left out where it was.
    services: Vec<(Further, Signal<String>)>,
    /// The variants of those that were chosen.
    chosen: Vec<String>,
) -> impl IntoView {
    let l = use_locale();
    if services.is_empty() {
        return ().into_any();
    }
    let (open, full) = (!chosen.is_empty(), chosen.len() >= MAX_FURTHER);
    let is_chosen = |one: &Further| chosen.contains(&one.variant_id);
    let shown: Vec<_> = services.into_iter().filter(|(one, _)| !full || is_chosen(one)).collect();
    let service = |(one, href): (Further, Signal<String>)| {
        let is_chosen = is_chosen(&one);
        view! { <Service one href is_chosen/> }
    };
    let list = shown.into_iter().map(service).collect_view();
    let most = full.then(|| view! { <p class="muted small">{l.f(t::FURTHER_MOST, &[("n", &MAX_FURTHER)])}</p> });
    view! {
        <details class="further" open=open>
            <summary class="ask">{l.t(t::FURTHER)}</summary>
            <div class="stack-sm">
                <p class="muted small">{l.t(t::FURTHER_TEXT)}</p>
                <ul class="add-ons">{list}</ul>
                {most}
            </div>
        </details>
    }
    .into_any()
}

#[component]
fn Service(one: Further, href: Signal<String>, is_chosen: bool) -> impl IntoView {
    let l = use_locale();
    let Further { title, price, duration_ms, .. } = one;
    let note =
        format!("+{} · {}", price.display(use_currency()), l.f(t::LONGER, &[("time", &words::length(l, duration_ms))]));
    let (icon, text) = if is_chosen { ("check", t::LEAVE_OUT) } else { ("plus", t::TAKE_ALONG) };
    view! {
        <li>
            <a class="add-on" class:is-chosen=is_chosen href=href rel="nofollow" data-noscroll="" prop:replace=true>
                <Icon name=icon class="icon-sm"/>
                <span class="grow">{title}</span>
                <span class="muted small">{note}</span>
                <span class="visually-hidden">{l.t(text)}</span>
            </a>
        </li>
    }
    .into_any()
}
