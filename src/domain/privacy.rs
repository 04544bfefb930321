//! What a person may ask of this shop about their own data: a copy, its erasure, and whom it was handed to.

use super::catalog::percent_encode;
use serde::{Deserialize, Serialize};

/// How long a copy can be fetched, in milliseconds: seven days.
pub const COPY_MS: i64 = 7 * DAY_MS;
/// How many copies may be asked for in a day.
pub const COPIES_A_DAY: i64 = 3;
/// How long an account that is to be erased can be taken back, in milliseconds: seven days.
pub const WAY_BACK_MS: i64 = 7 * DAY_MS;
/// A day in milliseconds.
pub const DAY_MS: i64 = 24 * 60 * 60_000;

/// Where the copy of somebody's data stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyState {
    /// It waits for its turn.
    Asked,
    Making,
    Ready,
    /// It could not be made after several attempts; it can be asked for again.
    Failed,
}

impl CopyState {
    /// The state of a name in the database; none for a copy that is gone.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "asked" => Some(Self::Asked),
            "making" => Some(Self::Making),
            "ready" => Some(Self::Ready),
            "failed" => Some(Self::Failed),
            _ => None,
        }
    }

    /// Whether it will be another one by itself.
    pub const fn goes_on(self) -> bool {
        matches!(self, Self::Asked | Self::Making)
    }
}

/// A copy of somebody's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataCopy {
    pub id: String,
    pub state: CopyState,
    /// UTC milliseconds.
    pub asked_at: i64,
    /// The size of the file in bytes, once it is ready.
    pub bytes: Option<i64>,
    /// UTC milliseconds from which it is gone, once it is ready.
    pub expires_at: Option<i64>,
}

/// An account that is to be erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// UTC milliseconds.
    pub asked_at: i64,
    /// UTC milliseconds until which it can be taken back.
    pub erase_at: i64,
}

/// The page that asks whether the present terms and privacy notice are agreed to.
pub const QUESTION: &str = "/me/consent";

/// The same with the page to go on to.
pub fn question(to: &str) -> String {
    format!("{QUESTION}?to={}", percent_encode(to))
}

/// How whoever asks for something that cannot be undone shows who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A code has just done so.
    Given,
    /// By the password.
    Password,
    /// By signing in with a code again: there is no password.
    Code,
}

/// What the page of one's own data shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// The newest copy, unless it is gone.
    pub copy: Option<DataCopy>,
    pub deletion: Option<Deletion>,
    pub proof: Proof,
    /// Whether this session was opened a moment ago, so that the copy can be fetched.
    pub fresh: bool,
}

/// Who receives personal data from this shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receiver {
    Carrier,
    Payment,
    Mail,
    Sms,
}

impl Receiver {
    pub const ALL: [Self; 4] = [Self::Carrier, Self::Payment, Self::Mail, Self::Sms];

    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Carrier => "carrier",
            Self::Payment => "payment",
            Self::Mail => "mail",
            Self::Sms => "sms",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|receiver| receiver.name() == name)
    }

    /// What it may receive.
    pub const fn data(self) -> &'static [Datum] {
        match self {
            Self::Carrier => &[Datum::Recipient, Datum::Phone, Datum::Email, Datum::Address],
            Self::Payment => &[Datum::OrderNumber, Datum::Amount],
            Self::Mail => &[Datum::Email, Datum::Message],
            Self::Sms => &[Datum::Phone, Datum::Message],
        }
    }
}

/// A kind of data that is handed to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Datum {
    OrderNumber,
    Amount,
    Recipient,
    Phone,
    Email,
    Address,
    /// What a message says, such as a code.
    Message,
}

impl Datum {
    pub const ALL: [Self; 7] =
        [Self::OrderNumber, Self::Amount, Self::Recipient, Self::Phone, Self::Email, Self::Address, Self::Message];

    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrderNumber => "order_number",
            Self::Amount => "amount",
            Self::Recipient => "recipient",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Address => "address",
            Self::Message => "message",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|datum| datum.name() == name)
    }
}

/// What of an order was handed to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sharing {
    /// The order's number.
    pub number: String,
    pub receiver: Receiver,
    /// The company, as far as the shop knows it: a carrier or a payment provider.
    pub name: String,
    pub data: Vec<Datum>,
    /// UTC milliseconds.
    pub at: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for receiver in Receiver::ALL {
            assert_eq!(Receiver::from_name(receiver.name()), Some(receiver));
            assert!(!receiver.data().is_empty());
        }
        for datum in Datum::ALL {
            assert_eq!(Datum::from_name(datum.name()), Some(datum));
        }
        assert_eq!(CopyState::from_name("gone"), None);
    }
}
