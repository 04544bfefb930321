//! Made-up goods and orders.

use crate::domain::{
    Locale,
    address::Contact,
    catalog::{Image, ProductCard},
    locale::Text,
    money::Amount,
    order::{CancelReason, Event, EventKind},
    payment::Method,
    pricing::{PricedLine, ShippingRules, Totals, price},
    review::Rating,
    texts::design as t,
};

/// A moment of the past, in UTC milliseconds.
pub const MOMENT: i64 = 1_795_413_900_000;
const HOUR: i64 = 3_600_000;

/// A square picture.
pub fn picture() -> Image {
    Image { url: "/icon-512.png".into(), alt: String::new(), width: 512, height: 512 }
}

fn card(l: Locale, title: Text, price: (i64, i64), tags: &[&str]) -> ProductCard {
    ProductCard {
        id: String::new(),
        handle: "design".into(),
        title: l.t(title).into(),
        brand: l.t(t::BRAND).into(),
        price_min: Amount(price.0),
        price_max: Amount(price.1),
        compare_at: None,
        image: Some(picture()),
        in_stock: true,
        sales: 12,
        rating: Rating { sum: 57, count: 12 },
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    }
}

/// A card of each kind: much wanted, new, reduced, with several prices, sold out, without a picture.
pub fn cards(l: Locale) -> Vec<ProductCard> {
    vec![
        card(l, t::CUP, (16_800, 16_800), &["hot"]),
        card(l, t::SCARF, (29_900, 29_900), &["new"]),
        ProductCard { compare_at: Some(Amount(25_900)), ..card(l, t::LAMP, (19_900, 19_900), &[]) },
        card(l, t::PHONE, (599_900, 899_900), &[]),
        ProductCard { in_stock: false, ..card(l, t::TEA, (8_800, 8_800), &[]) },
        ProductCard { image: None, brand: String::new(), ..card(l, t::CUP, (9_950, 9_950), &[]) },
    ]
}

/// What two pieces at a reduced price come to, below and above free shipping.
pub fn totals(unit_price: i64) -> Totals {
    let line = PricedLine {
        unit_price: Amount(unit_price),
        compare_at: Some(Amount(unit_price + 1_000)),
        quantity: 2,
        grams: 400,
    };
    price(&[line], &ShippingRules::china(), None)
}

/// Who receives it.
pub fn contact(l: Locale) -> Contact {
    Contact {
        recipient: l.t(t::RECIPIENT).into(),
        phone: Some("+8613800138000".into()),
        email: Some("ming@example.com".into()),
        region: "330106".into(),
        detail: l.t(t::STREET).into(),
    }
}

/// Every kind of event, in an order that no real history has.
pub fn events(l: Locale) -> Vec<Event> {
    let amount = Amount(33_600);
    let kinds = [
        EventKind::Placed,
        EventKind::Changed,
        EventKind::PaymentStarted { method: Method::WechatPay },
        EventKind::PaymentFailed,
        EventKind::Paid,
        EventKind::Shipped { carrier: l.t(t::CARRIER).into(), tracking_number: "SF1234567890".into() },
        EventKind::Completed,
        EventKind::Cancelled { reason: CancelReason::Expired },
        EventKind::Reopened,
        EventKind::Cancelled { reason: CancelReason::Customer },
        EventKind::RefundRequested { amount },
        EventKind::Refunded { amount },
    ];
    let event = |(sequence, kind): (i64, EventKind)| Event { sequence, kind, at: MOMENT + sequence * HOUR };
    (1..).zip(kinds).map(event).collect()
}
