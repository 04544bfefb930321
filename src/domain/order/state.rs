//! The states of an order, and the one place where they change.
//!
//! ```text
//!           pay                ship              complete
//!  ToPay ─────────▶ ToShip ─────────▶ Shipped ─────────▶ Completed
//!                     └──── finish, where nothing is shipped ────▶ Completed
//!    │  cancel, expire │ cancel (refund)
//!    ▼                 ▼
//!  Cancelled ◀─────────┘      Cancelled ──late payment, stock still there──▶ ToShip
//! ```

use crate::domain::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    ToPay,
    ToShip,
    Shipped,
    Completed,
    Cancelled,
}

/// What happens to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The customer changes quantities, address, note or payment method.
    Change,
    Pay,
    /// Money arrives for an order that expired, and its goods could be held again.
    PayLate,
    /// The customer (or, before shipping, the office) gives it up.
    Cancel,
    /// The hold's time is over.
    Expire,
    Ship,
    Complete,
    /// All bookings of an order without goods are over.
    Finish,
}

/// Why an order was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    Customer,
    Expired,
    Office,
}

/// Where a booking stands, beside the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookingState {
    Booked,
    CheckedIn,
    Done,
    NoShow,
    Cancelled,
}

impl State {
    pub const ALL: [Self; 5] = [Self::ToPay, Self::ToShip, Self::Shipped, Self::Completed, Self::Cancelled];

    /// The name in the database and in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ToPay => "to_pay",
            Self::ToShip => "to_ship",
            Self::Shipped => "shipped",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The state after an action.
    ///
    /// # Errors
    /// [`Error::OrderClosed`] with the present state where the action is not allowed.
    pub fn after(self, action: Action) -> Result<Self> {
        match (self, action) {
            (Self::ToPay, Action::Change) => Ok(Self::ToPay),
            (Self::ToPay, Action::Pay) | (Self::Cancelled, Action::PayLate) => Ok(Self::ToShip),
            (Self::ToPay | Self::ToShip, Action::Cancel) | (Self::ToPay, Action::Expire) => Ok(Self::Cancelled),
            (Self::ToShip, Action::Ship) => Ok(Self::Shipped),
            (Self::Shipped, Action::Complete) | (Self::ToShip, Action::Finish) => Ok(Self::Completed),
            _ => Err(Error::OrderClosed(self)),
        }
    }

    /// Whether an action is allowed, for buttons.
    pub fn allows(self, action: Action) -> bool {
        self.after(action).is_ok()
    }
}

impl BookingState {
    const ALL: [Self; 5] = [Self::Booked, Self::CheckedIn, Self::Done, Self::NoShow, Self::Cancelled];

    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::CheckedIn => "checked_in",
            Self::Done => "done",
            Self::NoShow => "no_show",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ACTIONS: [Action; 8] = [
        Action::Change,
        Action::Pay,
        Action::PayLate,
        Action::Cancel,
        Action::Expire,
        Action::Ship,
        Action::Complete,
        Action::Finish,
    ];

    #[test]
    fn only_the_drawn_arrows_exist() {
        let allowed: Vec<_> = State::ALL
            .into_iter()
            .flat_map(|state| {
                ACTIONS.into_iter().filter_map(move |action| Some((state, action, state.after(action).ok()?)))
            })
            .collect();
        use {Action as A, State as S};
        assert_eq!(
            allowed,
            [
                (S::ToPay, A::Change, S::ToPay),
                (S::ToPay, A::Pay, S::ToShip),
                (S::ToPay, A::Cancel, S::Cancelled),
                (S::ToPay, A::Expire, S::Cancelled),
                (S::ToShip, A::Cancel, S::Cancelled),
                (S::ToShip, A::Ship, S::Shipped),
                (S::ToShip, A::Finish, S::Completed),
                (S::Shipped, A::Complete, S::Completed),
                (S::Cancelled, A::PayLate, S::ToShip),
            ]
        );
    }

    proptest! {
        #[test]
        fn no_path_ships_what_was_not_paid_or_leaves_completed(path in prop::collection::vec(prop::sample::select(&ACTIONS[..]), 0..40)) {
            let (mut state, mut paid) = (State::ToPay, false);
            for action in path {
                let Ok(next) = state.after(action) else { continue };
                prop_assert_ne!(state, State::Completed, "nothing follows completion");
                paid |= matches!(action, Action::Pay | Action::PayLate);
                if next == State::Cancelled {
                    prop_assert!(state == State::ToPay || state == State::ToShip, "shipped goods are returned, not cancelled");
                    paid = false;
                }
                if matches!(next, State::ToShip | State::Shipped | State::Completed) {
                    prop_assert!(paid, "{state:?} {action:?} {next:?}");
                }
                state = next;
            }
        }
    }
}
