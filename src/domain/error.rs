//! The one error that crosses the wire: coarse, typed, with what a page needs to help. Internal texts stay in the log.

use super::{order::State, wire};
use serde::{Deserialize, Serialize};
use server_fn::error::{FromServerFnError, ServerFnErrorErr};
use std::{collections::BTreeMap, fmt};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as the customer's page is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Error {
    /// There is no such thing, or it is not this person's.
    NotFound,
    /// Sign in first.
    Unauthenticated,
    /// Signed in, but without the permission.
    Forbidden,
    /// Signed in to the office with a password that somebody else chose: one's own has to be set first.
    PasswordFirst,
    /// Some fields need a correction; keyed by the field's name in the form.
    Invalid(BTreeMap<String, Problem>),
    /// The cart is empty.
    CartEmpty,
    /// Less is left than was asked for.
    Shortage(Vec<Shortage>),
    /// Prices changed since the customer saw them.
    PriceChanged(Vec<PriceChange>),
    /// Bookings that somebody else was quicker to make.
    SlotTaken(Vec<TakenSlot>),
    /// The order's state does not allow it any more.
    OrderClosed(State),
    /// The account cannot be erased while these orders, by their numbers, are paid and not shipped.
    OrdersUnderWay(Vec<String>),
    /// Someone else changed it meanwhile: load it again.
    Conflict,
    /// Try again after so many seconds.
    TooMany { retry_after: u32 },
    /// The shop has no payment provider: nothing can be paid, so nothing is ordered.
    NoPayment,
    /// A provider (payment, carrier) did not answer; nothing was changed.
    ProviderUnavailable,
    /// The server cannot be reached.
    Offline,
    /// Something broke; the text is the request id under which the log tells more.
    Internal(String),
}

/// A variant of which less is left than the customer wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    pub variant_id: String,
    pub title: String,
    /// What the customer wanted.
    pub wanted: i64,
    /// What can be had now; zero when sold out.
    pub available: i64,
}

/// A cart line whose price is another than the customer saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceChange {
    pub variant_id: String,
    pub title: String,
    pub old: super::money::Amount,
    pub new: super::money::Amount,
}

/// A booking that cannot be had any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenSlot {
    /// Of the line in the cart or in the order.
    pub line: String,
    pub title: String,
}

/// What is wrong with one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Problem {
    Required,
    /// Longer than so many characters.
    TooLong(u32),
    /// Shorter than so many characters.
    TooShort(u32),
    Phone,
    Email,
    /// One of the two is needed, and neither was given.
    PhoneOrEmail,
    /// Not a number, or not an amount of money.
    Number,
    /// Outside from..=to.
    Range(i64, i64),
    /// The highest price is below the lowest.
    Bounds,
    /// Not one of the choices.
    Choice,
    /// Province, city and district do not belong together.
    Region,
    /// Something that was booked is not done there.
    Area,
    /// Neither a phone number nor an e-mail address.
    Contact,
    /// User name or password is wrong.
    Credentials,
    /// Too many wrong passwords were tried: it is taken again once a code or a passkey was used.
    PasswordClosed,
    /// No user name: see [`super::account::login`].
    Login,
    /// Somebody else has it.
    Taken,
    /// One of the passwords that everybody tries first.
    PasswordCommon,
    /// A password with the person's own name in it.
    PasswordOwn,
    /// The password that is to be replaced.
    PasswordSame,
    /// Not the code that was sent.
    Code,
    /// The code is over: too old, tried too often, or used.
    CodeOver,
    /// Too many wrong codes were tried for one phone or e-mail address: none is taken for a day.
    CodeClosed,
    /// Neither the code that the app shows now, nor a recovery code; or one that was used.
    SecondFactor,
    /// A sign-in that was begun took too long: it has to be begun again.
    SignInOver,
    /// The shop has no way to send messages there.
    Unreachable,
    /// The terms were not agreed to.
    Consent,
    /// Whoever asks has to show anew who this is, by a code.
    Proof,
    /// The passkey is unknown, was removed, or did not show what it had to.
    Passkey,
    /// The browser took too long over a passkey, or it was used already: begin anew.
    PasskeyOver,
    /// Browsers allow no passkeys at this shop's address.
    PasskeyPlace,
    /// An account has to be reached somewhere, and it is reached nowhere else.
    LastTarget,
    /// So many are there already, and there can be no more.
    Full(u32),
    /// A booking that has begun or is over: it is what it is.
    BookingOver,
    /// It is too early to say that of a booking.
    NotYet,
    /// A booking is not moved any more: its rules say until when it is.
    MoveCosts,
    /// A move that waited for its payment is over: it was given up, or its time is.
    MoveOver,
    /// What was bought was not received, or the time to write or change its review is over.
    ReviewClosed,
}

impl Error {
    /// An error of one field.
    pub fn field(name: &str, problem: Problem) -> Self {
        Self::Invalid(BTreeMap::from([(name.to_owned(), problem)]))
    }

    /// The HTTP status of the answer.
    pub const fn status_code(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Unauthenticated => 401,
            Self::Forbidden | Self::PasswordFirst => 403,
            Self::Invalid(_) | Self::CartEmpty => 422,
            Self::Shortage(_)
            | Self::PriceChanged(_)
            | Self::SlotTaken(_)
            | Self::OrderClosed(_)
            | Self::OrdersUnderWay(_)
            | Self::Conflict => 409,
            Self::TooMany { .. } => 429,
            Self::NoPayment | Self::ProviderUnavailable | Self::Offline => 503,
            Self::Internal(_) => 500,
        }
    }

    /// What kind of error it is, in one word; for figures of the operator.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::PasswordFirst => "password_first",
            Self::Invalid(_) => "invalid",
            Self::CartEmpty => "cart_empty",
            Self::Shortage(_) => "shortage",
            Self::PriceChanged(_) => "price_changed",
            Self::SlotTaken(_) => "slot_taken",
            Self::OrderClosed(_) => "order_closed",
            Self::OrdersUnderWay(_) => "orders_under_way",
            Self::Conflict => "conflict",
            Self::TooMany { .. } => "too_many",
            Self::NoPayment => "no_payment",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::Offline => "offline",
            Self::Internal(_) => "internal",
        }
    }

    /// The problem of a field, if this error has one for it.
    pub fn problem(&self, field: &str) -> Option<Problem> {
        match self {
            Self::Invalid(fields) => fields.get(field).copied(),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    /// For logs; pages translate with `ui::error`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Error {}

impl FromServerFnError for Error {
    type Encoder = wire::Text;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) => Self::Offline,
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => Self::Invalid(BTreeMap::new()),
            _ => Self::Internal(String::new()),
        }
    }
}

/// Collects the problems of a form, so that all fields are told at once.
#[derive(Default)]
pub struct Check(BTreeMap<String, Problem>);

impl Check {
    pub fn add(&mut self, field: &str, problem: Problem) {
        self.0.entry(field.to_owned()).or_insert(problem);
    }

    /// Takes a checked value, or notes the problem and answers with `None`.
    pub fn take<T>(&mut self, field: &str, value: std::result::Result<T, Problem>) -> Option<T> {
        value.map_err(|problem| self.add(field, problem)).ok()
    }

    /// `Err` with all problems if there are any.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}
