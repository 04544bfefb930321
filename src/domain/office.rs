//! What the office sees and does.

use super::{
    catalog::Image,
    money::Amount,
    order::{Order, OrderSummary},
    permission::Role,
};
use serde::{Deserialize, Serialize};

/// A member of staff who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staff {
    pub login: String,
    pub role: Role,
}

/// Somebody who works here, as whoever manages staff sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colleague {
    pub login: String,
    pub role: Role,
    /// UTC milliseconds of the last sign-in; none of one who never came.
    pub signed_in_at: Option<i64>,
    /// Whether a second factor is on.
    pub second_factor: bool,
    /// How many sessions are open.
    pub sessions: i64,
    /// Whether it is who asks.
    pub own: bool,
}

/// Whose password is set, as the page for it shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficePassword {
    pub login: String,
    /// Whether it has to be set before anything else, in place of one that somebody else chose.
    pub first: bool,
}

impl Staff {
    /// How records name this person.
    pub fn actor(&self) -> String {
        format!("staff:{}", self.login)
    }
}

/// An order in the office's queue, with its recipient masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeOrder {
    pub order: OrderSummary,
    pub recipient: String,
    /// Phone, or e-mail where there is no phone.
    pub reached_by: String,
    pub region_name: String,
}

/// An order as the office opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOrder {
    /// With recipient, address and note masked, unless they were asked for.
    pub order: Order,
    /// Whether they were.
    pub shown: bool,
    /// Of who asks: what is not permitted is not offered.
    pub role: Role,
}

/// A variant in the office's stock list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeVariant {
    pub variant_id: String,
    pub product_id: String,
    pub handle: String,
    pub title: String,
    pub label: String,
    pub sku: String,
    pub image: Option<Image>,
    pub price: Amount,
    pub compare_at: Option<Amount>,
    pub on_hand: i64,
    pub held: i64,
    /// Grows with each change of price; a change must name the version it saw.
    pub version: i64,
    /// Grows with each change of the pieces on hand that is no sale; a change must name the version it saw.
    pub stock_version: i64,
}

/// Carriers the ship form offers; free text is allowed too.
pub const CARRIERS: [&str; 6] = ["顺丰速运", "中通快递", "圆通速递", "京东物流", "中国邮政 EMS", "DHL"];
