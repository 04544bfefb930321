//! The cart: the intent to buy, with the price the customer saw.

mod booking;

pub use booking::{CartBooking, Near, Unbooked, is_within};

use super::{
    catalog::{Image, UNLIMITED, percent_encode},
    error::{Error, PriceChange, Problem, Result, Shortage},
    live::VariantState,
    money::{Amount, Currency},
    pricing::{PricedLine, ShippingRules, Totals, price},
};
use serde::{Deserialize, Serialize};

/// The most pieces of one variant in a cart.
pub const MAX_QUANTITY: i64 = 999;
/// The most lines in a cart.
pub const MAX_LINES: i64 = 100;
/// The most bookings in a cart.
pub const MAX_BOOKINGS: i64 = 20;

/// A customer's cart as the server knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// Grows with each change, so that an older answer never replaces a newer one.
    pub version: i64,
    pub currency: Currency,
    /// To be bought now, newest first.
    pub lines: Vec<CartLine>,
    /// Saved for later.
    pub saved: Vec<CartLine>,
    /// To be bought now, oldest first. They hold nothing; nobody saves them for later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bookings: Vec<CartBooking>,
    pub shipping: ShippingRules,
    /// The division code of the delivery address, once it is known: the one typed last.
    pub region: Option<String>,
}

/// How much is in a cart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// That of the cart, see [`Cart::version`].
    pub version: i64,
    /// To be bought now.
    pub pieces: i64,
}

/// A variant in the cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    pub variant_id: String,
    pub product_id: String,
    /// The product's handle.
    pub handle: String,
    pub title: String,
    /// The choices in words; empty for a single variant.
    pub label: String,
    pub sku: String,
    pub image: Option<Image>,
    pub quantity: i64,
    /// The price now.
    pub unit_price: Amount,
    /// The price the customer has seen and accepted.
    pub price_seen: Amount,
    pub compare_at: Option<Amount>,
    pub grams: i64,
    /// UTC milliseconds; its place among the others.
    pub added_at: i64,
    /// What can be bought now; zero also when the product is no longer sold.
    pub available: i64,
}

/// What a customer wants of one variant, without what is known of the variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub quantity: i64,
    pub price_seen: Amount,
    pub saved: bool,
    /// UTC milliseconds.
    pub added_at: i64,
}

impl Wanted {
    /// Two carts become one: the pieces add up to what can be had, and to no fewer than the newer wish; whether it is
    /// saved for later, and the price that was seen, are those of the newer wish.
    pub fn join(self, other: Self, available: i64) -> Self {
        let newer = if other.added_at >= self.added_at { other } else { self };
        let sum = self.quantity.saturating_add(other.quantity).min(available.max(newer.quantity));
        Self { quantity: sum.clamp(1, MAX_QUANTITY), ..newer }
    }
}

/// A line that was removed, so that it can be put back. Without script the address of the cart carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    pub variant_id: String,
    pub wanted: Wanted,
}

impl Removed {
    /// The cart with the offer to put the line back, as long as it has this version.
    pub fn href(&self, version: i64) -> String {
        let Self { variant_id, wanted: Wanted { quantity, price_seen: Amount(price), saved, added_at } } = self;
        let id = percent_encode(variant_id);
        format!(
            "/cart?removed={id}&quantity={quantity}&price_seen={price}&saved={saved}&added_at={added_at}&version={version}"
        )
    }

    /// Reads it from the parameters of the cart's address. A cart that has changed since has another version, and the
    /// offer is over.
    pub fn parse(get: impl Fn(&str) -> Option<String>, version: i64) -> Option<Self> {
        let number = |name| get(name)?.parse::<i64>().ok();
        let variant_id = get("removed").filter(|_| number("version") == Some(version))?;
        let wanted = Wanted {
            quantity: number("quantity")?,
            price_seen: Amount(number("price_seen")?),
            saved: get("saved")?.parse().ok()?,
            added_at: number("added_at")?,
        };
        Some(Self { variant_id, wanted })
    }
}

/// One variant that is ordered at once, past the cart. Its pages carry it in their addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuyNow {
    pub variant_id: String,
    pub quantity: i64,
}

impl BuyNow {
    /// Reads it from the parameters of an address. Where there is a variant its quantity becomes one that can be: the
    /// whole cart would be something else than was asked for.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let variant_id = get("variant_id").filter(|id| !id.is_empty())?;
        let quantity = get("quantity").and_then(|quantity| quantity.trim().parse().ok()).unwrap_or(1);
        Some(Self { variant_id, quantity: quantity.clamp(1, MAX_QUANTITY) })
    }

    /// A link to a page of the checkout, for what is bought now or for the cart.
    pub fn href(path: &str, buy_now: Option<&Self>) -> String {
        match buy_now {
            None => path.to_owned(),
            Some(Self { variant_id, quantity }) => {
                format!("{path}?variant_id={}&quantity={quantity}", percent_encode(variant_id))
            }
        }
    }
}

/// Reads what [`Cart::prices`] wrote; what makes no sense is left out.
pub fn read_prices(text: &str) -> Vec<(String, Amount)> {
    let lines = text.split(',').take(usize::try_from(2 * MAX_LINES + MAX_BOOKINGS).unwrap_or_default());
    lines
        .filter_map(|line| line.split_once('='))
        .filter_map(|(id, price)| Some((id.to_owned(), Amount(price.parse().ok()?))))
        .collect()
}

/// What a customer may ask for; the same check on both sides.
pub fn check_quantity(quantity: i64) -> Result<i64> {
    if (1..=MAX_QUANTITY).contains(&quantity) {
        Ok(quantity)
    } else {
        Err(Error::field("quantity", Problem::Range(1, MAX_QUANTITY)))
    }
}

impl CartLine {
    pub fn priced(&self) -> PricedLine {
        PricedLine {
            unit_price: self.unit_price,
            compare_at: self.compare_at,
            quantity: self.quantity,
            grams: self.grams,
        }
    }

    /// The highest quantity that can be chosen now.
    pub fn limit(&self) -> i64 {
        self.available.clamp(0, MAX_QUANTITY)
    }

    pub fn is_short(&self) -> bool {
        self.available != UNLIMITED && self.quantity > self.available
    }

    pub fn price_changed(&self) -> bool {
        self.unit_price != self.price_seen
    }
}

impl Cart {
    pub fn totals(&self) -> Totals {
        let lines: Vec<_> = self.lines.iter().map(CartLine::priced).collect();
        let goods = price(&lines, &self.shipping, self.region.as_deref());
        goods.and_bookings(self.bookings.iter().map(|booking| booking.price))
    }

    /// Whether there is nothing to be bought now.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.bookings.is_empty()
    }

    /// Days until delivery after dispatch, from and to; `None` while there is nothing to deliver.
    pub fn delivery_days(&self) -> Option<(i64, i64)> {
        self.shipping.rule(self.region.as_deref()).filter(|_| !self.lines.is_empty()).map(|rule| rule.days)
    }

    /// The present prices of all lines, as they go into a form: what a nod to them is a nod to.
    pub fn prices(&self) -> String {
        let lines = self.lines.iter().chain(&self.saved).map(|line| (&line.variant_id, line.unit_price));
        let bookings = self.bookings.iter().map(|booking| (&booking.id, booking.price));
        lines.chain(bookings).map(|(id, price)| format!("{id}={}", price.0)).collect::<Vec<_>>().join(",")
    }

    /// How many of these variants with their quantities are not whole in it.
    pub fn lacks(&self, wanted: &[(String, i64)]) -> usize {
        let whole = |id: &str, quantity: i64| self.line(id).is_some_and(|line| line.quantity >= quantity);
        wanted.iter().filter(|(id, quantity)| !whole(id, *quantity)).count()
    }

    /// What every page shows of it.
    pub fn count(&self) -> Count {
        Count { version: self.version, pieces: self.quantity() }
    }

    /// The number of pieces and bookings to be bought now.
    pub fn quantity(&self) -> i64 {
        let bookings = i64::try_from(self.bookings.len()).unwrap_or(i64::MAX);
        self.lines.iter().map(|line| line.quantity).sum::<i64>().saturating_add(bookings)
    }

    pub fn shortages(&self) -> Vec<Shortage> {
        let short = self.lines.iter().filter(|line| line.is_short());
        short
            .map(|line| Shortage {
                variant_id: line.variant_id.clone(),
                title: line.title.clone(),
                wanted: line.quantity,
                available: line.available,
            })
            .collect()
    }

    pub fn price_changes(&self) -> Vec<PriceChange> {
        let changed = self.lines.iter().filter(|line| line.price_changed());
        let lines = changed.map(|line| PriceChange {
            variant_id: line.variant_id.clone(),
            title: line.title.clone(),
            old: line.price_seen,
            new: line.unit_price,
        });
        let changed = self.bookings.iter().filter(|booking| booking.price != booking.price_seen);
        let bookings = changed.map(|booking| PriceChange {
            variant_id: booking.variant_id.clone(),
            title: booking.title.clone(),
            old: booking.price_seen,
            new: booking.price,
        });
        lines.chain(bookings).collect()
    }

    /// Whether an order can be made of it; shortage is told before price.
    pub fn check(&self) -> Result<()> {
        let (shortages, taken, changes) = (self.shortages(), self.taken(), self.price_changes());
        match (self.is_empty(), shortages.is_empty(), taken.is_empty(), changes.is_empty()) {
            (true, ..) => Err(Error::CartEmpty),
            (_, false, ..) => Err(Error::Shortage(shortages)),
            (_, _, false, _) => Err(Error::SlotTaken(taken)),
            (_, _, _, false) => Err(Error::PriceChanged(changes)),
            _ => Ok(()),
        }
    }

    /// The line of a variant among those to be bought now.
    pub fn line(&self, variant_id: &str) -> Option<&CartLine> {
        self.lines.iter().find(|line| line.variant_id == variant_id)
    }

    /// Takes the present stock and prices of a product's variants, and tells whether that changed anything. `variants`
    /// are all that are sold: nothing is left of a variant that is not among them.
    pub fn see(&mut self, product_id: &str, variants: &[VariantState]) -> bool {
        let mut changed = false;
        for line in self.lines.iter_mut().chain(&mut self.saved).filter(|line| line.product_id == product_id) {
            let before = (line.available, line.unit_price, line.compare_at);
            let now = match variants.iter().find(|variant| variant.id == line.variant_id) {
                Some(variant) => (variant.available, variant.price, variant.compare_at),
                None => (0, line.unit_price, line.compare_at),
            };
            (line.available, line.unit_price, line.compare_at) = now;
            changed |= now != before;
        }
        changed
    }

    /// The cart as it will be when a quantity is set; what the browser shows before the server has answered.
    /// Zero removes the line.
    pub fn set_quantity(&mut self, variant_id: &str, quantity: i64) {
        match quantity {
            ..=0 => self.lines.retain(|line| line.variant_id != variant_id),
            _ => self
                .lines
                .iter_mut()
                .filter(|line| line.variant_id == variant_id)
                .for_each(|line| line.quantity = quantity.min(MAX_QUANTITY)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn line(variant: &str, quantity: i64, available: i64, seen: i64, now: i64) -> CartLine {
        CartLine {
            variant_id: variant.into(),
            product_id: "p".into(),
            handle: "h".into(),
            title: variant.into(),
            label: String::new(),
            sku: String::new(),
            image: None,
            quantity,
            unit_price: Amount(now),
            price_seen: Amount(seen),
            compare_at: None,
            added_at: 0,
            grams: 0,
            available,
        }
    }

    #[test]
    fn prices_read_back_from_a_form() {
        let cart =
            Cart { lines: vec![line("a", 1, 5, 100, 120)], saved: vec![line("b", 1, 5, 100, 90)], ..Cart::default() };
        assert_eq!(cart.prices(), "a=120,b=90");
        assert_eq!(read_prices(&cart.prices()), [("a".to_owned(), Amount(120)), ("b".to_owned(), Amount(90))]);
        assert_eq!(read_prices("a,b=x,=,c=1").len(), 1);
    }

    #[test]
    fn what_is_bought_now_reads_back_from_its_address() {
        let buy_now = BuyNow { variant_id: "a&b".into(), quantity: 3 };
        assert_eq!(BuyNow::href("/checkout", Some(&buy_now)), "/checkout?variant_id=a%26b&quantity=3");
        assert_eq!(BuyNow::href("/checkout", None), "/checkout");
        let read = |quantity: &str| {
            let quantity = quantity.to_owned();
            BuyNow::parse(move |name| Some(if name == "quantity" { quantity.clone() } else { "a&b".to_owned() }))
        };
        assert_eq!(read("3"), Some(buy_now));
        let quantities = ["0", "1000", ""].map(|text| read(text).map(|buy_now| buy_now.quantity));
        assert_eq!(quantities, [Some(1), Some(MAX_QUANTITY), Some(1)]);
        assert_eq!(BuyNow::parse(|name| (name == "quantity").then(|| "1".to_owned())), None);
    }

    #[test]
    fn a_removed_line_reads_back_from_the_address_while_the_cart_is_the_same() {
        let wanted = Wanted { quantity: 3, price_seen: Amount(5000), saved: true, added_at: 7 };
        let removed = Removed { variant_id: "a&b".into(), wanted };
        let href = removed.href(4);
        assert_eq!(href, "/cart?removed=a%26b&quantity=3&price_seen=5000&saved=true&added_at=7&version=4");
        let read = |left_out: &str, version| {
            let pairs = href.split(['?', '&']).filter_map(|pair| pair.split_once('='));
            let pairs: Vec<_> = pairs.filter(|(name, _)| *name != left_out).collect();
            let get = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| value.replace("%26", "&"));
            Removed::parse(get, version)
        };
        assert_eq!(read("", 4), Some(removed));
        assert_eq!(read("", 5), None, "something was changed since");
        for name in ["removed", "quantity", "price_seen", "saved", "added_at", "version"] {
            assert_eq!(read(name, 4), None, "without {name}");
        }
    }

    #[test]
    fn an_order_needs_stock_and_prices_that_were_seen() {
        let cart = |lines| Cart { lines, ..Cart::default() };
        assert_eq!(cart(vec![]).check(), Err(Error::CartEmpty));
        assert_eq!(cart(vec![line("a", 1, 5, 100, 100)]).check(), Ok(()));
        assert!(matches!(cart(vec![line("a", 6, 5, 90, 100)]).check(), Err(Error::Shortage(s)) if s[0].available == 5));
        assert!(
            matches!(cart(vec![line("a", 1, 5, 90, 100)]).check(), Err(Error::PriceChanged(c)) if c[0].new == Amount(100))
        );
        assert_eq!(cart(vec![line("a", 900, UNLIMITED, 1, 1)]).check(), Ok(()));
    }

    #[test]
    fn stock_and_prices_are_taken_over_and_what_is_not_sold_any_more_is_gone() {
        let mut other = line("other", 1, 5, 100, 100);
        other.product_id = "q".into();
        let mut cart = Cart {
            lines: vec![line("a", 1, 5, 100, 100), line("b", 1, UNLIMITED, 100, 100), other],
            saved: vec![line("c", 1, 5, 100, 100)],
            ..Cart::default()
        };
        let state = |id: &str, available, price| VariantState {
            id: id.into(),
            available,
            price: Amount(price),
            compare_at: None,
        };
        let same = [state("a", 5, 100), state("b", UNLIMITED, 100), state("c", 5, 100), state("d", 9, 1)];
        let before = cart.clone();
        assert!(!cart.see("p", &same));
        assert!(!cart.see("unknown", &[]));
        assert_eq!(cart, before);

        assert!(cart.see("p", &[state("a", 4, 90)]));
        assert_eq!(
            (cart.lines[0].available, cart.lines[0].unit_price, cart.lines[0].price_seen),
            (4, Amount(90), Amount(100))
        );
        assert_eq!((cart.lines[1].available, cart.lines[1].unit_price), (0, Amount(100)), "gone, at the price it had");
        assert_eq!(cart.lines[2].available, 5, "another product's");
        assert_eq!(cart.saved[0].available, 0, "also what is saved for later");
        assert!(!cart.see("p", &[state("a", 4, 90)]));

        assert!(cart.see("p", &[state("a", 4, 90), state("b", 2, 100)]));
        assert_eq!(cart.lines[1].available, 2, "sold again");
        assert!(cart.see("p", &[]), "the whole product is withdrawn");
        assert_eq!(cart.shortages().len(), 2);
    }

    #[test]
    fn zero_pieces_remove_the_line() {
        let mut cart = Cart { lines: vec![line("a", 1, 5, 1, 1), line("b", 1, 5, 1, 1)], ..Cart::default() };
        cart.set_quantity("a", 0);
        cart.set_quantity("b", 4);
        assert_eq!(cart.lines.iter().map(|l| (l.variant_id.as_str(), l.quantity)).collect::<Vec<_>>(), [("b", 4)]);
    }
}
