//! Bookings in the cart: each with what is wanted of it and the price the customer saw. They hold nothing.

use super::Cart;
use crate::domain::{
    booking::{wish::Wish, zone::Zone},
    catalog::{Image, percent_encode},
    error::TakenSlot,
    money::Amount,
};
use serde::{Deserialize, Serialize};

/// A booking in the cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartBooking {
    pub id: String,
    pub variant_id: String,
    pub product_id: String,
    /// The product's handle.
    pub handle: String,
    pub title: String,
    /// What is booked of it and when, in words.
    pub label: String,
    pub sku: String,
    pub image: Option<Image>,
    /// From when to when, in UTC milliseconds.
    pub start: i64,
    pub end: i64,
    /// The IANA name of the zone by whose clocks it begins.
    pub zone: String,
    /// What those clocks show.
    pub clocks: Zone,
    /// What is wanted, so that it can be put back after it was taken out.
    pub wish: Wish,
    /// The price now; the one seen where nobody can say what it would cost.
    pub price: Amount,
    /// The price the customer has seen and accepted.
    pub price_seen: Amount,
    /// Until when giving it up costs nothing, in UTC milliseconds.
    pub free_until: i64,
    /// Done at the address of the customer.
    pub at_home: bool,
    /// The code of the division in which it is done there; empty for anywhere.
    pub area: String,
    /// Whether it can be had now.
    pub available: bool,
    /// Where it cannot, what else is near it, the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<Near>,
    /// UTC milliseconds.
    pub added_at: i64,
}

/// What can be had in place of a booking that cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Near {
    /// Where it is not what was wanted at another time: what it is of, another room type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant_id: Option<String>,
    pub wish: Wish,
    /// What it is, in words.
    pub label: String,
}

/// A booking that was taken out of the cart, so that it can be put back. Without script the address of the cart carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbooked {
    pub variant_id: String,
    pub wish: Wish,
}

impl Unbooked {
    /// The cart with the offer to put the booking back, as long as it has this version.
    pub fn href(&self, version: i64) -> String {
        let (id, wish) = (percent_encode(&self.variant_id), percent_encode(&self.wish.text()));
        format!("/cart?unbooked={id}&wish={wish}&version={version}")
    }

    /// Reads it from the parameters of the cart's address, as [`Removed::parse`](super::Removed::parse) does.
    pub fn parse(get: impl Fn(&str) -> Option<String>, version: i64) -> Option<Self> {
        let known = get("version")?.parse::<i64>().ok() == Some(version);
        let variant_id = get("unbooked").filter(|_| known)?;
        Some(Self { variant_id, wish: Wish::parse(&get("wish")?).ok()? })
    }
}

/// Whether what is done at the customer's in an area is done in a region, both by their division codes; no area is
/// anywhere.
pub fn is_within(area: &str, region: &str) -> bool {
    // Codes end in zeros where they name no smaller division: `440300` is a city, and `440305` a district of it.
    region.starts_with(area.trim_end_matches("00"))
}

impl CartBooking {
    /// As it is told to whoever was not quick enough.
    pub fn taken(&self) -> TakenSlot {
        TakenSlot { line: self.id.clone(), title: self.title.clone() }
    }
}

impl Cart {
    /// Whether somebody has to come or send something: bookings elsewhere need no address.
    pub fn needs_address(&self) -> bool {
        self.bookings.is_empty() || !self.lines.is_empty() || self.bookings.iter().any(|booking| booking.at_home)
    }

    /// Whether all that is done at the customer's is done in a region, by its division code.
    pub fn reaches(&self, region: &str) -> bool {
        let mut at_home = self.bookings.iter().filter(|booking| booking.at_home);
        at_home.all(|booking| is_within(&booking.area, region))
    }

    /// The bookings that cannot be had any more.
    pub fn taken(&self) -> Vec<TakenSlot> {
        self.bookings.iter().filter(|booking| !booking.available).map(CartBooking::taken).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{cart::tests::line, error::Error, pricing::ShippingRules};

    fn booking(id: &str, seen: i64, now: i64, available: bool) -> CartBooking {
        CartBooking {
            id: id.to_owned(),
            variant_id: String::new(),
            product_id: String::new(),
            handle: String::new(),
            title: id.to_owned(),
            label: String::new(),
            sku: String::new(),
            image: None,
            start: 0,
            end: 1,
            zone: "UTC".to_owned(),
            clocks: Zone::utc(),
            wish: Wish::Visit { start: 0, person: None, add_ons: vec![], further: vec![] },
            price: Amount(now),
            price_seen: Amount(seen),
            free_until: 0,
            at_home: false,
            area: String::new(),
            available,
            near: vec![],
            added_at: 0,
        }
    }

    #[test]
    fn a_booking_that_was_taken_out_reads_back_from_the_address_while_the_cart_is_the_same() {
        let wish = Wish::Visit { start: 5, person: None, add_ons: vec![1], further: vec!["f".into()] };
        let unbooked = Unbooked { variant_id: "a&b".into(), wish };
        let href = unbooked.href(4);
        let (_, query) = href.split_once('?').unwrap_or_default();
        assert!(query.starts_with("unbooked=a%26b&wish=%7B") && query.ends_with("&version=4"), "{href}");
        let read = |left_out: &str, version| {
            let values = [("unbooked", "a&b".to_owned()), ("wish", unbooked.wish.text()), ("version", "4".to_owned())];
            let get = |name: &str| {
                let mut values = values.iter().filter(|(other, _)| *other == name && name != left_out);
                values.next().map(|(_, value)| value.clone())
            };
            Unbooked::parse(get, version)
        };
        assert_eq!(read("", 4), Some(unbooked.clone()));
        assert_eq!(read("", 5), None, "something was changed since");
        for name in ["unbooked", "wish", "version"] {
            assert_eq!(read(name, 4), None, "without {name}");
        }
    }

    #[test]
    fn bookings_are_paid_with_goods_and_weigh_nothing() {
        let goods =
            Cart { lines: vec![line("a", 2, 5, 100, 100)], shipping: ShippingRules::china(), ..Cart::default() };
        let both = Cart { bookings: vec![booking("b", 50_000, 50_000, true)], ..goods.clone() };
        let (alone, totals) = (goods.totals(), both.totals());
        assert_eq!((totals.total, totals.shipping), (alone.total + Amount(50_000), alone.shipping));
        assert_eq!((totals.quantity, both.count().pieces, totals.grams), (3, 3, alone.grams));
        assert_eq!(totals.to_free_shipping, alone.to_free_shipping);
        assert_eq!(both.prices(), "a=100,b=50000");
        assert!(both.needs_address() && Cart::default().needs_address());
        let mut only = Cart { lines: Vec::new(), ..both };
        assert!(!only.needs_address() && only.check().is_ok() && !only.is_empty());
        only.bookings[0].at_home = true;
        for (area, reached) in [("", true), ("440000", true), ("440300", true), ("440305", true), ("440100", false)] {
            only.bookings[0].area = area.to_owned();
            assert_eq!(only.reaches("440305"), reached, "{area}");
        }
        assert!(only.needs_address());
    }

    #[test]
    fn a_slot_that_was_taken_is_told_before_a_price_that_changed() {
        let cart = |bookings| Cart { bookings, ..Cart::default() };
        let taken = cart(vec![booking("a", 100, 90, true), booking("b", 5, 5, false)]).check();
        assert_eq!(taken, Err(Error::SlotTaken(vec![TakenSlot { line: "b".into(), title: "b".into() }])));
        let dearer = cart(vec![booking("a", 90, 100, true)]).check();
        assert!(matches!(dearer, Err(Error::PriceChanged(changes)) if changes[0].new == Amount(100)));
    }
}
