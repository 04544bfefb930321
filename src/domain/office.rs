//! What the office sees and does.

use super::{catalog::Image, money::Amount, order::OrderSummary};
use serde::{Deserialize, Serialize};

/// A member of staff who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staff {
    pub login: String,
}

/// An order in the office's queue, with its recipient masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeOrder {
    pub order: OrderSummary,
    pub recipient: String,
    pub phone: String,
    pub region_name: String,
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
