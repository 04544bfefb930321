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
            Some(("product", id)) if is_id(id) => Some(Self::Product(id.to_owned())),
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

/// Whether it may be an id: in a name of the feed, which is a line of text, stands nothing else.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The version that a message about the cart tells, for the frame of every page: it would need the reader of all messages
/// for this one number.
pub fn cart_version(message: &str) -> Option<i64> {
    message.split(|letter: char| !letter.is_ascii_digit()).find(|digits| !digits.is_empty())?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_cart_is_read_from_its_message() -> serde_json::Result<()> {
        let told = serde_json::to_string(&Update::Cart { version: 1_234_567_890_123 })?;
        assert_eq!(cart_version(&told), Some(1_234_567_890_123));
        assert_eq!(cart_version("{}"), None);
        Ok(())
    }
}
