//! What a booking has that goods do not: when it is by the clocks of its place, how it stands, and by which rules it is
//! given up.

use super::booking_state::BookingBadge;
use crate::{
    domain::{
        Locale,
        booking::{
            WHOLE,
            cancellation::{Cancellation, Deadline, Fee},
            words,
            zone::Zone,
        },
        cart::CartBooking,
        money::{Amount, Currency},
        order::{BookingState, OrderBooking},
        texts::booking_visit as t,
    },
    ui::use_locale,
};
use leptos::prelude::*;

/// When a booking is and until when giving it up costs nothing, for the lines of carts and orders.
#[component]
pub fn Booked(
    clocks: Zone,
    /// UTC milliseconds.
    start: i64,
    end: i64,
    free_until: i64,
    #[prop(optional)] state: Option<BookingState>,
) -> impl IntoView {
    let l = use_locale();
    let when = words::span(l, &clocks, start, end);
    let zone = l.f(t::CLOCKS, &[("zone", &words::utc(&clocks, start))]);
    let rule = match state {
        None | Some(BookingState::Booked) => Some(free_text(l, &clocks, start, free_until)),
        Some(_) => None,
    };
    let state = state.filter(|state| *state != BookingState::Booked);
    view! {
        <p class="line-variant">
            <time datetime=clocks.local(start).to_string()>{when}</time>
            " "
            <span class="muted small nowrap">{zone}</span>
        </p>
        {state.map(|state| view! { <p><BookingBadge state/></p> })}
        {rule.map(|rule| view! { <p class="muted small">{rule}</p> })}
    }
    .into_any()
}

/// The same of a line of an order.
#[component]
pub fn BookedLine(booking: OrderBooking) -> impl IntoView {
    let OrderBooking { clocks, start, end, free_until, state, .. } = booking;
    view! { <Booked clocks start end free_until state/> }.into_any()
}

/// The same of a booking in the cart.
#[component]
pub fn BookedInCart(booking: CartBooking) -> impl IntoView {
    let CartBooking { clocks, start, end, free_until, .. } = booking;
    view! { <Booked clocks start end free_until/> }.into_any()
}

/// Until when giving a booking up costs nothing.
fn free_text(l: Locale, clocks: &Zone, start: i64, free_until: i64) -> String {
    if free_until >= start {
        l.t(t::FREE_UNTIL_START).to_owned()
    } else {
        l.f(t::FREE_UNTIL, &[("time", &words::moment(l, clocks, free_until))])
    }
}

/// The rules for giving a booking up, before it is known when it is.
pub fn rules(l: Locale, currency: Currency, cancellation: &Cancellation) -> Vec<String> {
    if cancellation.steps.is_empty() {
        return vec![l.t(t::FREE_UNTIL_START).to_owned()];
    }
    let step = |(from, fee): (Deadline, Fee)| {
        let from = match from {
            Deadline::Before { ms } => l.f(t::FROM_BEFORE, &[("time", &words::length(l, ms))]),
            Deadline::Clock { days, minute } => {
                let clock = format!("{:02}:{:02}", minute / 60, minute % 60);
                l.f(t::FROM_CLOCK, &[("days", &days), ("time", &clock)])
            }
        };
        let fee = match fee {
            Fee::Share(WHOLE..) => l.t(t::FEE_WHOLE).to_owned(),
            Fee::Share(points) => l.f(t::FEE_SHARE, &[("percent", &(points * 100 / WHOLE))]),
            Fee::Fixed(Amount::ZERO) | Fee::Nights(0) => l.t(t::FEE_NONE).to_owned(),
            Fee::Fixed(amount) => l.f(t::FEE_FIXED, &[("amount", &amount.display(currency))]),
            Fee::Nights(nights) => l.n(t::FEE_NIGHTS_ONE, t::FEE_NIGHTS, nights),
        };
        l.f(t::RULE, &[("from", &from), ("fee", &fee)])
    };
    cancellation.steps.iter().map(|rule| step((rule.from, rule.fee))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{HOUR_MS, cancellation::Step};

    #[test]
    fn rules_are_told_step_by_step() {
        let told = |steps| rules(Locale::En, Currency::CNY, &Cancellation { steps });
        assert_eq!(told(vec![]), [Locale::En.t(t::FREE_UNTIL_START)]);
        let half = Step { from: Deadline::Before { ms: 24 * HOUR_MS }, fee: Fee::Share(5_000) };
        let all = Step { from: Deadline::Clock { days: 1, minute: 18 * 60 }, fee: Fee::Share(WHOLE) };
        let told = told(vec![half, all]);
        assert!(told[0].contains("1 day") && told[0].contains("50"), "{told:?}");
        assert!(told[1].contains("18:00") && told[1].contains(Locale::En.t(t::FEE_WHOLE)), "{told:?}");
    }
}
