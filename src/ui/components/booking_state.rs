//! The state of a booking in a word.

use crate::{
    domain::{Locale, order::BookingState, texts::booking_after as t},
    ui::use_locale,
};
use leptos::prelude::*;

/// Where a booking stands.
pub fn booking_state_name(l: Locale, state: BookingState) -> &'static str {
    l.t(match state {
        BookingState::Booked => t::STATE_BOOKED,
        BookingState::CheckedIn => t::STATE_CHECKED_IN,
        BookingState::Done => t::STATE_DONE,
        BookingState::NoShow => t::STATE_NO_SHOW,
        BookingState::Cancelled => t::STATE_CANCELLED,
    })
}

/// The same as a badge.
#[component]
pub fn BookingBadge(state: BookingState) -> impl IntoView {
    let class = match state {
        BookingState::Booked => "badge badge-info",
        BookingState::CheckedIn => "badge badge-accent",
        BookingState::Done => "badge badge-ok",
        BookingState::NoShow => "badge badge-warn",
        BookingState::Cancelled => "badge",
    };
    view! { <span class=class>{booking_state_name(use_locale(), state)}</span> }.into_any()
}
