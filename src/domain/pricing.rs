//! What a cart costs. The browser runs this at once and the server as the authority.

use super::money::Amount;
use serde::{Deserialize, Serialize};

/// What pricing needs to know of a cart line or an order line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PricedLine {
    pub unit_price: Amount,
    /// The price before a reduction; ignored unless it is above `unit_price`.
    pub compare_at: Option<Amount>,
    pub quantity: i64,
    /// The weight of one piece.
    pub grams: i64,
}

/// Shipping to some regions: a fee for the first weight, one more for each step begun above it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingRule {
    /// Prefixes of division codes (`54` is Tibet); empty is everywhere else.
    pub regions: Vec<String>,
    pub first_grams: i64,
    pub first_fee: Amount,
    /// At least 1.
    pub step_grams: i64,
    pub step_fee: Amount,
    /// Free when the goods, after discount, cost at least this.
    pub free_from: Option<Amount>,
    /// Days from dispatch until delivery, from and to.
    pub days: (i64, i64),
}

/// The rules of a shop, tried in order; the first that names the region wins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingRules(pub Vec<ShippingRule>);

/// What is paid and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Goods at their list prices.
    pub goods: Amount,
    /// What reductions save; never negative, never above `goods`.
    pub discount: Amount,
    pub shipping: Amount,
    /// `goods − discount + shipping`.
    pub total: Amount,
    /// How much more to buy for free shipping; `None` when it is free already or never.
    pub to_free_shipping: Option<Amount>,
    pub quantity: i64,
    pub grams: i64,
}

impl Totals {
    /// With bookings, which weigh nothing, are in no reduction, and do not count towards free shipping.
    #[must_use]
    pub fn and_bookings(mut self, prices: impl IntoIterator<Item = Amount>) -> Self {
        for price in prices {
            self.goods = self.goods + price;
            self.total = self.total + price;
            self.quantity += 1;
        }
        self
    }
}

impl PricedLine {
    /// The price before the reduction, or the price.
    pub fn list_price(&self) -> Amount {
        self.compare_at.filter(|list| *list > self.unit_price).unwrap_or(self.unit_price)
    }

    pub fn total(&self) -> Amount {
        self.unit_price * self.quantity
    }
}

impl ShippingRules {
    /// The rules of a shop in China that has not set its own: remote provinces and the regions beyond the customs
    /// border cost more, everywhere else shipping is free from ¥99.
    pub fn china() -> Self {
        let rule = |regions: &[&str], first_fee, step_fee, free_from, days| ShippingRule {
            regions: regions.iter().map(|region| (*region).to_owned()).collect(),
            first_grams: 1_000,
            first_fee: Amount(first_fee),
            step_grams: 500,
            step_fee: Amount(step_fee),
            free_from,
            days,
        };
        Self(vec![
            rule(&["15", "54", "62", "63", "64", "65"], 1_800, 800, Some(Amount(29_900)), (4, 7)),
            rule(&["71", "81", "82"], 3_000, 1_200, None, (4, 8)),
            rule(&[], 800, 200, Some(Amount(9_900)), (2, 4)),
        ])
    }

    /// The rule for a division code; without a code, or where no rule names it, the rule for everywhere else.
    pub fn rule(&self, region: Option<&str>) -> Option<&ShippingRule> {
        region
            .and_then(|code| {
                self.0.iter().find(|rule| rule.regions.iter().any(|prefix| code.starts_with(prefix.as_str())))
            })
            .or_else(|| self.0.iter().find(|rule| rule.regions.is_empty()))
    }
}

impl ShippingRule {
    /// The fee for a weight. Nothing to carry costs nothing.
    pub fn fee(&self, grams: i64, goods: Amount) -> Amount {
        if grams <= 0 || self.free_from.is_some_and(|from| goods >= from) {
            return Amount::ZERO;
        }
        let step = self.step_grams.max(1);
        let steps = (grams - self.first_grams).max(0).div_euclid(step)
            + i64::from((grams - self.first_grams).max(0).rem_euclid(step) > 0);
        self.first_fee + self.step_fee * steps
    }
}

/// Prices lines sent to a region (a division code, or `None` while it is not known).
pub fn price(lines: &[PricedLine], rules: &ShippingRules, region: Option<&str>) -> Totals {
    let goods: Amount = lines.iter().map(|line| line.list_price() * line.quantity).sum();
    let sold: Amount = lines.iter().map(PricedLine::total).sum();
    let quantity: i64 = lines.iter().map(|line| line.quantity).sum();
    let grams: i64 = lines.iter().map(|line| line.grams * line.quantity).sum();
    let rule = rules.rule(region).filter(|_| quantity > 0);
    let shipping = rule.map_or(Amount::ZERO, |rule| rule.fee(grams, sold));
    Totals {
        goods,
        discount: goods - sold,
        shipping,
        total: sold + shipping,
        to_free_shipping: rule
            .filter(|_| shipping > Amount::ZERO)
            .and_then(|rule| rule.free_from)
            .map(|from| from - sold)
            .filter(|more| *more > Amount::ZERO),
        quantity,
        grams,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cart::{MAX_LINES, MAX_QUANTITY};
    use proptest::prelude::*;

    fn rules() -> ShippingRules {
        let rule = |regions: &[&str], first_fee, step_fee, free_from| ShippingRule {
            regions: regions.iter().map(|r| (*r).to_owned()).collect(),
            first_grams: 1000,
            first_fee: Amount(first_fee),
            step_grams: 500,
            step_fee: Amount(step_fee),
            free_from,
            days: (1, 3),
        };
        ShippingRules(vec![rule(&["54", "65"], 2000, 1000, None), rule(&[], 800, 200, Some(Amount(9900)))])
    }

    fn line(unit_price: i64, quantity: i64, grams: i64) -> PricedLine {
        PricedLine { unit_price: Amount(unit_price), compare_at: None, quantity, grams }
    }

    #[test]
    fn each_begun_step_of_weight_costs_a_step_fee() {
        for (grams, fee) in [(0, 0), (1, 800), (1000, 800), (1001, 1000), (1500, 1000), (1501, 1200)] {
            assert_eq!(price(&[line(100, 1, grams)], &rules(), None).shipping, Amount(fee), "{grams} g");
        }
    }

    #[test]
    fn a_named_region_has_its_own_rule_and_others_are_free_above_an_amount() {
        assert_eq!(price(&[line(9900, 1, 100)], &rules(), Some("440305")).shipping, Amount::ZERO);
        assert_eq!(price(&[line(9900, 1, 100)], &rules(), Some("540102")).shipping, Amount(2000));
        let totals = price(&[line(9000, 1, 100)], &rules(), None);
        assert_eq!(totals.to_free_shipping, Some(Amount(900)));
    }

    #[test]
    fn an_empty_cart_costs_nothing() {
        assert_eq!(price(&[], &rules(), None), Totals::default());
    }

    #[test]
    fn a_list_price_below_the_price_is_no_discount() {
        let odd = PricedLine { compare_at: Some(Amount(50)), ..line(100, 2, 0) };
        assert_eq!(price(&[odd], &rules(), None).discount, Amount::ZERO);
    }

    proptest! {
        #[test]
        fn totals_add_up_and_are_never_negative(
            lines in prop::collection::vec((0..=Amount::MAX_PRICE.0, prop::option::of(0..=Amount::MAX_PRICE.0), 1..=MAX_QUANTITY, 0i64..1_000_000), 0..MAX_LINES as usize),
            region in prop::option::of("[0-9]{6}"),
        ) {
            let lines: Vec<_> = lines.into_iter().map(|(price, list, quantity, grams)| PricedLine {
                unit_price: Amount(price), compare_at: list.map(Amount), quantity, grams,
            }).collect();
            let totals = price(&lines, &rules(), region.as_deref());
            let sum: Amount = lines.iter().map(PricedLine::total).sum();
            prop_assert_eq!(totals.total, sum + totals.shipping);
            prop_assert_eq!(totals.goods - totals.discount, sum);
            prop_assert!(totals.discount >= Amount::ZERO && totals.discount <= totals.goods);
            prop_assert!(totals.shipping >= Amount::ZERO);
            prop_assert!(totals.to_free_shipping.is_none_or(|more| more > Amount::ZERO));
        }

        #[test]
        fn a_step_of_weight_costs_one_step_more_and_part_of_one_as_much(steps in 0i64..1_000, part in 1i64..=500) {
            let rules = rules();
            let Some(rule) = rules.rule(None) else { return Ok(()) };
            let part = part.min(rule.step_grams);
            let begun = rule.fee(rule.first_grams + steps * rule.step_grams + part, Amount::ZERO);
            prop_assert_eq!(begun, rule.first_fee + rule.step_fee * (steps + 1));
        }

        #[test]
        fn more_weight_never_ships_for_less(grams in 1i64..100_000, more in 0i64..100_000) {
            let rules = rules();
            let Some(rule) = rules.rule(None) else { return Ok(()) };
            prop_assert!(rule.fee(grams + more, Amount::ZERO) >= rule.fee(grams, Amount::ZERO));
        }
    }
}
