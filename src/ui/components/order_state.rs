//! The state of an order in a word.

use crate::{
    domain::{
        Locale,
        order::{OrderCounts, State},
        texts::order as t,
    },
    ui::use_locale,
};
use leptos::prelude::*;

/// The name of a state, as on tabs and badges.
pub fn state_name(l: Locale, state: State) -> &'static str {
    l.t(match state {
        State::ToPay => t::STATE_TO_PAY,
        State::ToShip => t::STATE_TO_SHIP,
        State::Shipped => t::STATE_SHIPPED,
        State::Completed => t::STATE_COMPLETED,
        State::Cancelled => t::STATE_CANCELLED,
    })
}

/// How many orders are in a state.
pub fn count_of(counts: &OrderCounts, state: State) -> i64 {
    match state {
        State::ToPay => counts.to_pay,
        State::ToShip => counts.to_ship,
        State::Shipped => counts.shipped,
        State::Completed => counts.completed,
        State::Cancelled => counts.cancelled,
    }
}

/// The state of an order as a badge.
#[component]
pub fn StateBadge(state: State) -> impl IntoView {
    let class = match state {
        State::ToPay => "badge badge-accent",
        State::ToShip => "badge badge-warn",
        State::Shipped => "badge badge-info",
        State::Completed => "badge badge-ok",
        State::Cancelled => "badge",
    };
    view! { <span class=class>{state_name(use_locale(), state)}</span> }.into_any()
}
