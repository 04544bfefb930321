//! The order: the promise, its history, and what its customer changes of it while it is unpaid. How its state changes is
//! drawn in `state`.

pub mod path;
mod state;

pub use state::{Action, BookingState, CancelReason, State};

use super::{
    address::{Checkout, CheckoutForm, Contact, DeliveryWish},
    address_book::SavedAddress,
    booking::{after::Mark, date::LocalDate, offer::Kind, zone::Zone},
    cart::Cart,
    catalog::Image,
    money::{Amount, Currency},
    payment::Method,
    pricing::{PricedLine, ShippingRules, Totals, price},
    review::LineReview,
};
use serde::{Deserialize, Serialize};

/// One entry of an order's history; the timeline, the live feed and the audit all read these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub sequence: i64,
    pub kind: EventKind,
    /// UTC milliseconds.
    pub at: i64,
}

/// What an event tells. It holds no personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventKind {
    Placed,
    Changed,
    PaymentStarted {
        method: Method,
    },
    PaymentFailed,
    Paid,
    /// Paid after it had expired; the goods were held again.
    Reopened,
    Shipped {
        carrier: String,
        tracking_number: String,
    },
    Completed,
    Cancelled {
        reason: CancelReason,
    },
    RefundRequested {
        amount: Amount,
    },
    Refunded {
        amount: Amount,
    },
    /// A booking was given up: what was kept of what was paid for it, and what comes back.
    BookingCancelled {
        position: i64,
        title: String,
        fee: Amount,
        refund: Amount,
    },
    /// A booking is at another time, from a moment (UTC milliseconds) on: what comes back as it costs less there, or what
    /// was added as it costs more, and what of all that the change itself cost.
    BookingMoved {
        position: i64,
        title: String,
        start: i64,
        refund: Amount,
        #[serde(default)]
        added: Amount,
        #[serde(default)]
        fee: Amount,
    },
    /// A booking goes to another time, from a moment (UTC milliseconds) on, once this is paid.
    MoveHeld {
        position: i64,
        title: String,
        start: i64,
        due: Amount,
    },
    /// It stays where it was: nobody paid in time, or the move was given up.
    MoveEnded {
        position: i64,
        title: String,
        expired: bool,
    },
    /// What the venue said of a booking.
    BookingMarked {
        position: i64,
        title: String,
        mark: Mark,
    },
    /// The goods were received while a booking is still to come.
    Arrived,
}

/// An order in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSummary {
    pub number: String,
    pub state: State,
    pub currency: Currency,
    pub total: Amount,
    pub quantity: i64,
    /// UTC milliseconds.
    pub placed_at: i64,
    /// When the hold ends; only while unpaid.
    pub expires_at: Option<i64>,
    pub lines: Vec<OrderLine>,
}

/// A snapshot of what was ordered and for how much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Of the line in its order.
    #[serde(default)]
    pub position: i64,
    pub variant_id: String,
    pub handle: String,
    pub title: String,
    pub label: String,
    pub sku: String,
    pub image: Option<Image>,
    pub unit_price: Amount,
    pub compare_at: Option<Amount>,
    pub quantity: i64,
    pub grams: i64,
    /// Of a booking what goods do not have; its price is `unit_price`, and its quantity one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking: Option<OrderBooking>,
    /// Where its review stands; none where there is none and can be none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<LineReview>,
}

/// A line of an order that is a booking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderBooking {
    /// Of the line: two bookings of one order may be of one variant.
    pub position: i64,
    pub kind: Kind,
    /// The IANA name of the zone by whose clocks it begins.
    pub zone: String,
    /// What those clocks show.
    pub clocks: Zone,
    /// From when to when, in UTC milliseconds.
    pub start: i64,
    pub end: i64,
    /// In its zone.
    pub date: LocalDate,
    pub state: BookingState,
    /// Until when giving it up costs nothing, in UTC milliseconds, by the rules that were shown before paying.
    pub free_until: i64,
}

/// An order with everything its customer may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub number: String,
    pub state: State,
    /// Grows with each change.
    pub version: i64,
    pub currency: Currency,
    pub totals: Totals,
    pub lines: Vec<OrderLine>,
    /// The shop's shipping rules, so that a change can be priced before it is sent.
    pub shipping_rules: ShippingRules,
    pub contact: Contact,
    /// The names of province, city and district in the language of the page.
    pub region_name: String,
    pub delivery_wish: DeliveryWish,
    pub note: String,
    pub payment_method: Method,
    /// UTC milliseconds.
    pub placed_at: i64,
    /// UTC milliseconds, while unpaid.
    pub expires_at: Option<i64>,
    /// The server's clock when this was read, so that a countdown does not depend on the browser's clock.
    pub now: i64,
    pub events: Vec<Event>,
    pub shipment: Option<Shipment>,
    pub refunds: Vec<Refund>,
}

/// Goods on their way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    pub carrier: String,
    pub tracking_number: String,
    /// UTC milliseconds.
    pub shipped_at: i64,
}

/// Money on its way back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    pub amount: Amount,
    pub done: bool,
    /// UTC milliseconds.
    pub requested_at: i64,
}

/// What a customer changes on an unpaid order; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderChange {
    /// The version the customer saw.
    pub version: i64,
    #[serde(default)]
    pub quantities: Vec<QuantityChange>,
    #[serde(default)]
    pub form: Option<CheckoutForm>,
}

/// A new quantity of a line; zero removes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuantityChange {
    pub variant_id: String,
    pub quantity: i64,
}

/// The checkout form with what its selects offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutPage {
    pub form: CheckoutForm,
    pub cart: Cart,
    /// Code and name of all provinces, of the cities of the chosen province, of the districts of the chosen city.
    pub provinces: Vec<(String, String)>,
    pub cities: Vec<(String, String)>,
    pub districts: Vec<(String, String)>,
    /// Whether there is an account to save an address with.
    pub signed_in: bool,
    /// Whether the shop takes payments: without them nothing can be ordered.
    pub payable: bool,
    /// Those of the account, the default first.
    pub addresses: Vec<SavedAddress>,
}

/// An order as its customer changes it, with what the selects of its address offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEdit {
    pub order: Order,
    /// Recipient, address and wishes: those of the order, or as last typed.
    pub form: CheckoutForm,
    /// Quantities as last typed; lines that are not named keep theirs.
    pub quantities: Vec<QuantityChange>,
    /// Code and name of all provinces, of the cities of the chosen province, of the districts of the chosen city.
    pub provinces: Vec<(String, String)>,
    pub cities: Vec<(String, String)>,
    pub districts: Vec<(String, String)>,
}

/// The last look before an order is placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Priced for the region of the address.
    pub cart: Cart,
    pub checkout: Checkout,
    /// The names of province, city and district in the language of the page.
    pub region_name: String,
    /// For how long the goods will be held, in minutes.
    pub hold_minutes: i64,
    /// Stands for recipient, address and wishes as they are shown here: an order goes to what was reviewed and to
    /// nothing that was typed later.
    pub reviewed: String,
}

/// How many orders each tab of "my orders" has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCounts {
    pub to_pay: i64,
    pub to_ship: i64,
    pub shipped: i64,
    pub completed: i64,
    pub cancelled: i64,
}

impl Order {
    /// The variants of its goods with their quantities.
    pub fn wanted(&self) -> Vec<(String, i64)> {
        let goods = self.lines.iter().filter(|line| line.booking.is_none());
        goods.map(|line| (line.variant_id.clone(), line.quantity)).collect()
    }

    /// What is still with the shop of what was paid for an order and would come back with it: not what was given back for
    /// bookings, and not what was kept of those that were given up, or for changing them.
    pub fn returnable(&self) -> Amount {
        let gone = |event: &Event| match event.kind {
            EventKind::BookingCancelled { fee, refund, .. } => fee + refund,
            EventKind::BookingMoved { refund, added, fee, .. } => refund + fee - added,
            _ => Amount::ZERO,
        };
        let gone: Amount = self.events.iter().map(gone).sum();
        self.totals.total - gone
    }

    /// What was paid beside the order's total, for moving its bookings.
    pub fn added(&self) -> Amount {
        let added = |event: &Event| match event.kind {
            EventKind::BookingMoved { added, .. } => added,
            _ => Amount::ZERO,
        };
        self.events.iter().map(added).sum()
    }

    /// Whether its goods were received, and only bookings are still to come.
    pub fn has_arrived(&self) -> bool {
        self.events.iter().any(|event| event.kind == EventKind::Arrived)
    }

    /// The sequence of the latest attempt to pay of which neither success nor failure is known; `None` without one.
    pub fn open_attempt(&self) -> Option<i64> {
        let attempt =
            |event: &&Event| matches!(event.kind, EventKind::PaymentStarted { .. } | EventKind::PaymentFailed);
        let latest = self.events.iter().filter(attempt).max_by_key(|event| event.sequence)?;
        matches!(latest.kind, EventKind::PaymentStarted { .. }).then_some(latest.sequence)
    }
}

impl OrderLine {
    pub fn priced(&self) -> PricedLine {
        PricedLine {
            unit_price: self.unit_price,
            compare_at: self.compare_at,
            quantity: self.quantity,
            grams: self.grams,
        }
    }
}

/// What an order's lines cost when sent to a region.
pub fn totals(lines: &[OrderLine], rules: &ShippingRules, region: &str) -> Totals {
    let (bookings, goods): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.booking.is_some());
    let goods: Vec<_> = goods.into_iter().map(OrderLine::priced).collect();
    price(&goods, rules, Some(region)).and_bookings(bookings.into_iter().map(|line| line.unit_price))
}

/// An order in a state to which these things happened one after the other; as unpaid it may be paid until 100, and now is 1.
#[cfg(test)]
pub fn sample(state: State, kinds: &[EventKind]) -> Order {
    use super::address::{Contact, DeliveryWish};
    let event = |(sequence, kind): (i64, &EventKind)| Event { sequence, kind: kind.clone(), at: 0 };
    Order {
        number: String::new(),
        state,
        version: 1,
        currency: Currency::default(),
        totals: Totals::default(),
        lines: Vec::new(),
        shipping_rules: ShippingRules::default(),
        contact: Contact {
            recipient: String::new(),
            phone: None,
            email: None,
            region: String::new(),
            detail: String::new(),
        },
        region_name: String::new(),
        delivery_wish: DeliveryWish::default(),
        note: String::new(),
        payment_method: Method::default(),
        placed_at: 0,
        expires_at: (state == State::ToPay).then_some(100),
        now: 1,
        events: (0..).zip(kinds).map(event).collect(),
        shipment: None,
        refunds: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_for_bookings_or_kept_of_them_does_not_come_back_again() {
        let title = String::new;
        let cancelled =
            EventKind::BookingCancelled { position: 1, title: title(), fee: Amount(100), refund: Amount(200) };
        let moved = |refund, added, fee| EventKind::BookingMoved {
            position: 2,
            title: title(),
            start: 0,
            refund: Amount(refund),
            added: Amount(added),
            fee: Amount(fee),
        };
        let order = |kinds: &[EventKind]| Order {
            totals: Totals { total: Amount(1_000), ..Totals::default() },
            ..sample(State::ToShip, kinds)
        };
        let once = order(&[EventKind::Paid, cancelled.clone(), moved(50, 0, 0)]);
        assert_eq!((once.returnable(), once.added()), (Amount(650), Amount::ZERO));
        let again = order(&[EventKind::Paid, cancelled, moved(50, 0, 0), moved(0, 120, 20)]);
        assert_eq!((again.returnable(), again.added()), (Amount(750), Amount(120)));
        let order = once;
        assert!(!order.has_arrived());
    }
}
