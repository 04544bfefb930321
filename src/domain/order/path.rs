//! Whether the history of an order is one that can have happened: the state machine, gone through event by event.

use super::{Action, CancelReason, EventKind, State};
use crate::domain::money::Amount;

/// The state that these events lead to, one after the other from the first on; or the place of the first one that cannot
/// come where it is.
///
/// # Errors
/// That place, counted from zero; zero where there is none.
pub fn replay<'a>(kinds: impl IntoIterator<Item = &'a EventKind>) -> Result<State, usize> {
    let mut history: Option<History> = None;
    for (place, kind) in kinds.into_iter().enumerate() {
        history = Some(match (history, kind) {
            (None, EventKind::Placed) => History { state: State::ToPay, cancelled: None, refunds: 0, moves: 0 },
            (Some(history), kind) => history.after(kind).ok_or(place)?,
            (None, _) => return Err(place),
        });
    }
    history.map(|history| history.state).ok_or(0)
}

/// Where an order stands, with what of its past decides on what may come.
#[derive(Clone, Copy)]
struct History {
    state: State,
    /// Why it was cancelled last.
    cancelled: Option<CancelReason>,
    /// Refunds that were asked for and are not done.
    refunds: u32,
    /// Moves of bookings that wait for their payment.
    moves: u32,
}

impl History {
    fn after(self, kind: &EventKind) -> Option<Self> {
        let to = |action| Some(Self { state: self.state.after(action).ok()?, ..self });
        let is_paid = matches!(self.state, State::ToShip | State::Shipped);
        let expired = self.cancelled == Some(CancelReason::Expired);
        match kind {
            EventKind::Placed => None,
            EventKind::Changed => to(Action::Change),
            EventKind::PaymentStarted { .. } => (self.state == State::ToPay || self.moves > 0).then_some(self),
            // The provider's word comes when it comes.
            EventKind::PaymentFailed => Some(self),
            EventKind::Paid => to(Action::Pay),
            // Late money buys what the clock took away, and nothing that somebody said no to.
            EventKind::Reopened => to(Action::PayLate).filter(|_| expired),
            EventKind::Shipped { .. } => to(Action::Ship),
            EventKind::Completed => to(Action::Complete).or_else(|| to(Action::Finish)),
            EventKind::Cancelled { reason } => {
                let action = if *reason == CancelReason::Expired { Action::Expire } else { Action::Cancel };
                let again = (self.state == State::Cancelled && expired && action == Action::Cancel).then_some(self);
                let next = to(action).or(again)?;
                Some(Self { cancelled: Some(*reason), ..next })
            }
            EventKind::RefundRequested { .. } => Some(Self { refunds: self.refunds + 1, ..self }),
            EventKind::Refunded { .. } => Some(Self { refunds: self.refunds.checked_sub(1)?, ..self }),
            EventKind::MoveHeld { .. } => is_paid.then_some(Self { moves: self.moves + 1, ..self }),
            EventKind::MoveEnded { .. } => Some(Self { moves: self.moves.checked_sub(1).filter(|_| is_paid)?, ..self }),
            // What was added was waited for.
            EventKind::BookingMoved { added, .. } if *added > Amount::ZERO => {
                Some(Self { moves: self.moves.checked_sub(1).filter(|_| is_paid)?, ..self })
            }
            EventKind::BookingCancelled { .. } | EventKind::BookingMoved { .. } | EventKind::BookingMarked { .. } => {
                is_paid.then_some(self)
            }
            EventKind::Arrived => (self.state == State::Shipped).then_some(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::payment::Method;

    #[test]
    fn only_what_can_have_happened_is_a_history() {
        use EventKind as E;
        let started = || E::PaymentStarted { method: Method::default() };
        let cancelled = |reason| E::Cancelled { reason };
        let (asked, back) = (|| E::RefundRequested { amount: Amount(1) }, || E::Refunded { amount: Amount(1) });
        let shipped = || E::Shipped { carrier: String::new(), tracking_number: String::new() };
        let (late, customer) = (CancelReason::Expired, CancelReason::Customer);
        let held = || E::MoveHeld { position: 0, title: String::new(), start: 0, due: Amount(1) };
        let ended = || E::MoveEnded { position: 0, title: String::new(), expired: true };
        let moved = |added| {
            let (refund, added, fee) = (Amount::ZERO, Amount(added), Amount::ZERO);
            E::BookingMoved { position: 0, title: String::new(), start: 0, refund, added, fee }
        };
        let table = [
            (vec![], Err(0)),
            (vec![E::Placed], Ok(State::ToPay)),
            (vec![E::Paid], Err(0)),
            (vec![E::Placed, E::Placed], Err(1)),
            (vec![E::Placed, E::Changed, started(), E::PaymentFailed, started(), E::Paid], Ok(State::ToShip)),
            (vec![E::Placed, E::Paid, shipped(), E::Completed], Ok(State::Completed)),
            (vec![E::Placed, E::Paid, E::Completed], Ok(State::Completed)),
            (vec![E::Placed, shipped()], Err(1)),
            (vec![E::Placed, E::Paid, E::Paid], Err(2)),
            (vec![E::Placed, E::Paid, started()], Err(2)),
            (vec![E::Placed, E::Paid, shipped(), cancelled(customer)], Err(3)),
            (vec![E::Placed, cancelled(late), E::Reopened], Ok(State::ToShip)),
            (vec![E::Placed, cancelled(customer), E::Reopened], Err(2)),
            (vec![E::Placed, cancelled(late), cancelled(customer)], Ok(State::Cancelled)),
            (vec![E::Placed, cancelled(late), cancelled(customer), E::Reopened], Err(3)),
            (vec![E::Placed, cancelled(customer), cancelled(customer)], Err(2)),
            (vec![E::Placed, E::Paid, asked(), cancelled(customer), back()], Ok(State::Cancelled)),
            (vec![E::Placed, E::Paid, back()], Err(2)),
            (vec![E::Placed, E::Paid, E::Arrived], Err(2)),
            (vec![E::Placed, E::Paid, moved(0), held(), started(), moved(1)], Ok(State::ToShip)),
            (vec![E::Placed, E::Paid, held(), ended(), started()], Err(4)),
            (vec![E::Placed, E::Paid, held(), held(), ended(), moved(1), moved(1)], Err(6)),
            (vec![E::Placed, E::Paid, moved(1)], Err(2)),
            (vec![E::Placed, held()], Err(1)),
            (vec![E::Placed, E::Paid, ended()], Err(2)),
            (vec![E::Placed, E::Paid, held(), cancelled(customer), ended()], Err(4)),
        ];
        for (kinds, state) in table {
            assert_eq!(replay(&kinds), state, "{kinds:?}");
        }
    }
}
