//! Where an order stands towards its payment, and what there is to do about it: what its page and the page to pay it at
//! both go by.

use super::{
    money::Amount,
    order::{CancelReason, EventKind, Order, State},
};

/// Where an order stands, as its customer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// To be paid; `failed` after an attempt that did not go through.
    ToPay {
        failed: bool,
    },
    /// A payment was begun and its result is not known.
    Paying,
    /// The time is over and the order is about to be cancelled.
    Ending,
    /// `late` when the money came after the time was over.
    ToShip {
        late: bool,
    },
    Shipped,
    Completed,
    Cancelled {
        reason: CancelReason,
        back: MoneyBack,
    },
}

/// What comes back of what was paid for an order that was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyBack {
    Nothing,
    /// So much is still on its way.
    UnderWay(Amount),
    /// So much, and all of it has arrived.
    Arrived(Amount),
}

impl Phase {
    /// Whether it can be paid now.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::ToPay { .. } | Self::Paying)
    }
}

/// Where the order stands; the last attempt to pay and the last cancellation decide.
pub fn phase(order: &Order) -> Phase {
    let latest = |wanted: fn(&EventKind) -> bool| {
        let events = order.events.iter().filter(|event| wanted(&event.kind));
        events.max_by_key(|event| event.sequence).map(|event| &event.kind)
    };
    match order.state {
        State::ToPay if order.expires_at.is_some_and(|end| end <= order.now) => Phase::Ending,
        State::ToPay if order.open_attempt().is_some() => Phase::Paying,
        State::ToPay => Phase::ToPay { failed: latest(|kind| *kind == EventKind::PaymentFailed).is_some() },
        State::ToShip => Phase::ToShip { late: latest(|kind| matches!(kind, EventKind::Reopened)).is_some() },
        State::Shipped => Phase::Shipped,
        State::Completed => Phase::Completed,
        State::Cancelled => {
            let reason = match latest(|kind| matches!(kind, EventKind::Cancelled { .. })) {
                Some(EventKind::Cancelled { reason }) => *reason,
                _ => CancelReason::Customer,
            };
            let back = match refunds(order) {
                (Amount::ZERO, Amount::ZERO) => MoneyBack::Nothing,
                (Amount::ZERO, arrived) => MoneyBack::Arrived(arrived),
                (under_way, _) => MoneyBack::UnderWay(under_way),
            };
            Phase::Cancelled { reason, back }
        }
    }
}

/// What is on its way back, and what came back.
pub fn refunds(order: &Order) -> (Amount, Amount) {
    let sum = |done| order.refunds.iter().filter(|refund| refund.done == done).map(|refund| refund.amount).sum();
    (sum(false), sum(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        order::{Refund, sample as order},
        payment::Method,
    };

    const fn cancelled(reason: CancelReason, back: MoneyBack) -> Phase {
        Phase::Cancelled { reason, back }
    }

    #[test]
    fn the_last_attempt_to_pay_decides_what_is_shown() {
        let started = EventKind::PaymentStarted { method: Method::Alipay };
        let expired = EventKind::Cancelled { reason: CancelReason::Expired };
        let table = [
            (State::ToPay, vec![EventKind::Placed], Phase::ToPay { failed: false }),
            (State::ToPay, vec![EventKind::Placed, started.clone()], Phase::Paying),
            (State::ToPay, vec![started.clone(), EventKind::PaymentFailed], Phase::ToPay { failed: true }),
            (State::ToPay, vec![EventKind::PaymentFailed, started.clone(), EventKind::Changed], Phase::Paying),
            (State::ToShip, vec![started.clone(), EventKind::Paid], Phase::ToShip { late: false }),
            (State::ToShip, vec![started, expired, EventKind::Reopened], Phase::ToShip { late: true }),
            (State::Shipped, vec![EventKind::Paid], Phase::Shipped),
            (State::Completed, vec![EventKind::Paid, EventKind::Completed], Phase::Completed),
        ];
        for (state, kinds, expected) in table {
            assert_eq!(phase(&order(state, &kinds)), expected, "{state:?} {kinds:?}");
        }
        assert_eq!(phase(&Order { now: 100, ..order(State::ToPay, &[]) }), Phase::Ending, "the time is over");
    }

    #[test]
    fn a_cancelled_order_tells_of_the_last_reason_and_of_its_money() {
        let by = |reason| EventKind::Cancelled { reason };
        for reason in [CancelReason::Customer, CancelReason::Expired, CancelReason::Office] {
            let order = order(State::Cancelled, &[EventKind::Placed, by(reason)]);
            assert_eq!(phase(&order), cancelled(reason, MoneyBack::Nothing));
        }
        let late = [by(CancelReason::Expired), EventKind::Reopened, by(CancelReason::Office)];
        let mut order = order(State::Cancelled, &late);
        let refund = |amount, done| Refund { amount: Amount(amount), done, requested_at: 0 };
        order.refunds = vec![refund(300, true)];
        assert_eq!(phase(&order), cancelled(CancelReason::Office, MoneyBack::Arrived(Amount(300))));
        order.refunds.push(refund(200, false));
        assert_eq!(phase(&order), cancelled(CancelReason::Office, MoneyBack::UnderWay(Amount(200))));
    }

    #[test]
    fn only_an_order_whose_time_runs_can_be_paid() {
        let open = |order: &Order| phase(order).is_open();
        let started = [EventKind::PaymentStarted { method: Method::Alipay }];
        assert!(open(&order(State::ToPay, &[])) && open(&order(State::ToPay, &started)));
        assert!(!open(&Order { now: 100, ..order(State::ToPay, &started) }));
        for state in [State::ToShip, State::Shipped, State::Completed, State::Cancelled] {
            assert!(!open(&order(state, &started)), "{state:?}");
        }
    }
}
