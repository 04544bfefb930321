//! What there is to do about the payment of an order.

use super::order::{CancelReason, EventKind, Order, State};

/// Where a customer stands between the order and its payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Choose how to pay; `failed` after an attempt that did not go through.
    Choose {
        failed: bool,
    },
    /// A payment was begun and its result is not known.
    Waiting,
    /// The time is over and the order is about to be cancelled.
    Ending,
    Paid,
    /// It was cancelled because it was not paid in time.
    Expired,
    /// It was cancelled for another reason.
    Cancelled,
}

/// Where the customer stands; the last attempt decides.
pub fn phase(order: &Order) -> Phase {
    let kinds = || order.events.iter().map(|event| (event.sequence, &event.kind));
    let latest = |wanted: fn(&EventKind) -> bool| {
        kinds().filter(|(_, kind)| wanted(kind)).max_by_key(|(sequence, _)| *sequence).map(|(_, kind)| kind)
    };
    match order.state {
        State::ToPay if order.expires_at.is_some_and(|end| end <= order.now) => Phase::Ending,
        State::ToPay if order.open_attempt().is_some() => Phase::Waiting,
        State::ToPay => Phase::Choose { failed: latest(|kind| *kind == EventKind::PaymentFailed).is_some() },
        State::ToShip | State::Shipped | State::Completed => Phase::Paid,
        State::Cancelled => match latest(|kind| matches!(kind, EventKind::Cancelled { .. })) {
            Some(EventKind::Cancelled { reason: CancelReason::Expired }) => Phase::Expired,
            _ => Phase::Cancelled,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{order::sample as order, payment::Method};

    #[test]
    fn the_last_attempt_to_pay_decides_what_is_shown() {
        let started = EventKind::PaymentStarted { method: Method::Alipay };
        let table = [
            (State::ToPay, vec![EventKind::Placed], Phase::Choose { failed: false }),
            (State::ToPay, vec![EventKind::Placed, started.clone()], Phase::Waiting),
            (State::ToPay, vec![started.clone(), EventKind::PaymentFailed], Phase::Choose { failed: true }),
            (State::ToPay, vec![EventKind::PaymentFailed, started.clone(), EventKind::Changed], Phase::Waiting),
            (State::ToShip, vec![started, EventKind::Paid], Phase::Paid),
            (State::Cancelled, vec![EventKind::Cancelled { reason: CancelReason::Expired }], Phase::Expired),
            (State::Cancelled, vec![EventKind::Cancelled { reason: CancelReason::Customer }], Phase::Cancelled),
        ];
        for (state, kinds, expected) in table {
            assert_eq!(phase(&order(state, &kinds)), expected, "{state:?} {kinds:?}");
        }
        assert_eq!(phase(&Order { now: 100, ..order(State::ToPay, &[]) }), Phase::Ending, "the time is over");
    }
}
