//! What open pages are told while they are open.
//!
//! A message carries the present state of a topic, never a difference: a page that missed some is right again with the
//! next one, and a new connection begins with the state of each of its topics. No message carries personal data.

use super::{money::Amount, order::State};
use serde::{Deserialize, Serialize};

/// Something that can change while a page shows it. In addresses as `product:<id>`, `cart`, `order:<number>`, `office`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// Stock and price of all variants of a product, by product id.
    Product(String),
    /// The cart of the customer who asks, by customer id on the server; empty in the browser.
    Cart(String),
    /// The progress of an order, by order number; only its customer and the office may listen.
    Order(String),
    /// The queue of orders, for the office.
    Office,
}

/// A message on the live feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Update {
    Product { id: String, variants: Vec<VariantState> },
    Cart { version: i64 },
    Order { number: String, state: State, version: i64 },
    Office { to_ship: i64 },
}

/// The present stock and price of a variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantState {
    pub id: String,
    pub available: i64,
    pub price: Amount,
    pub compare_at: Option<Amount>,
}

impl Topic {
    /// Reads a topic from an address.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some(("product", id)) if !id.is_empty() => Some(Self::Product(id.to_owned())),
            Some(("order", number)) => super::number::parse(number).map(Self::Order),
            None if text == "cart" => Some(Self::Cart(String::new())),
            None if text == "office" => Some(Self::Office),
            _ => None,
        }
    }

    /// How the topic is written in an address.
    pub fn name(&self) -> String {
        match self {
            Self::Product(id) => format!("product:{id}"),
            Self::Cart(_) => "cart".to_owned(),
            Self::Order(number) => format!("order:{number}"),
            Self::Office => "office".to_owned(),
        }
    }
}

impl Update {
    /// The topic a page follows to receive this.
    pub fn topic(&self) -> Topic {
        match self {
            Self::Product { id, .. } => Topic::Product(id.clone()),
            Self::Cart { .. } => Topic::Cart(String::new()),
            Self::Order { number, .. } => Topic::Order(number.clone()),
            Self::Office { .. } => Topic::Office,
        }
    }
}
