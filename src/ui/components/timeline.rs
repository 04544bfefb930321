//! What happened to an order, newest first.

use super::{method::method_name, time::Time};
use crate::{
    domain::{
        Locale,
        booking::after::Mark,
        money::{Amount, Currency},
        order::{CancelReason, Event, EventKind},
        texts::order as t,
    },
    ui::use_locale,
};
use leptos::prelude::*;

/// An event in words, as the customer is told.
pub fn event_text(l: Locale, kind: &EventKind, currency: Currency) -> String {
    let text = match kind {
        EventKind::PaymentStarted { method } => {
            return l.f(t::EVENT_PAYMENT_STARTED, &[("method", &method_name(l, *method))]);
        }
        EventKind::Shipped { carrier, .. } => return l.f(t::EVENT_SHIPPED, &[("carrier", carrier)]),
        EventKind::RefundRequested { amount } => {
            return l.f(t::EVENT_REFUND_REQUESTED, &[("amount", &amount.display(currency))]);
        }
        EventKind::Refunded { amount } => return l.f(t::EVENT_REFUNDED, &[("amount", &amount.display(currency))]),
        EventKind::BookingCancelled { title, refund, .. } => {
            let refund = refund.display(currency);
            return l.f(t::EVENT_BOOKING_CANCELLED, &[("title", title), ("refund", &refund)]);
        }
        EventKind::BookingMoved { title, added, .. } if *added > Amount::ZERO => {
            let added = added.display(currency);
            return l.f(t::EVENT_MOVE_PAID, &[("title", title), ("amount", &added)]);
        }
        EventKind::BookingMoved { title, .. } => return l.f(t::EVENT_BOOKING_MOVED, &[("title", title)]),
        EventKind::MoveHeld { title, due, .. } => {
            return l.f(t::EVENT_MOVE_HELD, &[("title", title), ("amount", &due.display(currency))]);
        }
        EventKind::MoveEnded { title, expired, .. } => {
            let text = if *expired { t::EVENT_MOVE_EXPIRED } else { t::EVENT_MOVE_GIVEN_UP };
            return l.f(text, &[("title", title)]);
        }
        EventKind::BookingMarked { title, mark, .. } => {
            let text = match mark {
                Mark::CheckedIn => t::EVENT_CHECKED_IN,
                Mark::Done => t::EVENT_BOOKING_DONE,
                Mark::NoShow => t::EVENT_NO_SHOW,
            };
            return l.f(text, &[("title", title)]);
        }
        EventKind::Arrived => t::EVENT_ARRIVED,
        EventKind::Placed => t::EVENT_PLACED,
        EventKind::Changed => t::EVENT_CHANGED,
        EventKind::PaymentFailed => t::EVENT_PAYMENT_FAILED,
        EventKind::Paid => t::EVENT_PAID,
        EventKind::Reopened => t::EVENT_REOPENED,
        EventKind::Completed => t::EVENT_COMPLETED,
        EventKind::Cancelled { reason: CancelReason::Customer } => t::EVENT_CANCELLED,
        EventKind::Cancelled { reason: CancelReason::Expired } => t::EVENT_CANCELLED_EXPIRED,
        EventKind::Cancelled { reason: CancelReason::Office } => t::EVENT_CANCELLED_OFFICE,
    };
    l.t(text).to_owned()
}

/// The history of an order. An event that arrives is added; those shown stay as they are.
#[component]
pub fn Timeline(#[prop(into)] events: Signal<Vec<Event>>, currency: Currency) -> impl IntoView {
    let l = use_locale();
    let newest = Memo::new(move |_| events.with(|events| events.iter().map(|event| event.sequence).max()));
    let descending = move || {
        let mut events = events.get();
        events.sort_by_key(|event| std::cmp::Reverse(event.sequence));
        events
    };
    let item = move |event: Event| {
        let current = move || (newest.get() == Some(event.sequence)).then_some("step");
        view! {
            <li class="timeline-item" aria-current=current>
                <span class="timeline-title">{event_text(l, &event.kind, currency)}</span>
                <Time ms=event.at class="timeline-time"/>
            </li>
        }
    };
    view! { <ol class="timeline"><For each=descending key=|event| event.sequence children=item/></ol> }.into_any()
}
