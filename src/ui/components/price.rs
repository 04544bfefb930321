//! Prices as the eye reads them: a small sign, a small fraction.

use crate::{
    domain::{
        money::{Amount, Currency},
        texts::common as t,
    },
    ui::use_locale,
};
use leptos::prelude::*;

pub use crate::api::page::use_currency;

/// A price. Inside text and tables of sums, [`Amount::display`] is enough.
///
/// `class` adds to `price`: `price-lg`, `price-xl`. `sale` colours a reduced price. `currency` is the shop's unless told.
#[component]
pub fn Price(
    amount: Amount,
    #[prop(optional)] currency: Option<Currency>,
    #[prop(optional)] class: &'static str,
    #[prop(optional)] sale: bool,
) -> impl IntoView {
    let currency = currency.unwrap_or_else(use_currency);
    let (sign, whole, cents) = parts(amount, currency);
    let mut classes = String::from("price");
    for name in [class, if sale { "price-sale" } else { "" }] {
        if !name.is_empty() {
            classes.push(' ');
            classes.push_str(name);
        }
    }
    view! {
        <span class=classes>
            <span class="price-sign">{sign}</span>
            {whole}
            {cents.map(|cents| view! { <span class="price-cents">{cents}</span> })}
        </span>
    }
    .into_any()
}

/// The price before a reduction, struck out and named as such for readers.
#[component]
pub fn PriceWas(amount: Amount, #[prop(optional)] currency: Option<Currency>) -> impl IntoView {
    let currency = currency.unwrap_or_else(use_currency);
    let was = format!("{} ", use_locale().t(t::WAS));
    view! { <s class="price-was"><span class="visually-hidden">{was}</span>{amount.display(currency)}</s> }.into_any()
}

/// Sign (with the minus of a negative amount), whole units, and the fraction with its point.
fn parts(amount: Amount, currency: Currency) -> (String, String, Option<String>) {
    let text = amount.display(currency);
    let digits = text.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let (sign, number) = text.split_at(digits);
    match number.find('.') {
        Some(point) => (sign.to_owned(), number[..point].to_owned(), Some(number[point..].to_owned())),
        None => (sign.to_owned(), number.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_falls_into_sign_units_and_fraction() {
        let owned = |(a, b, c): (&str, &str, Option<&str>)| (a.to_owned(), b.to_owned(), c.map(str::to_owned));
        assert_eq!(parts(Amount(129_900), Currency::CNY), owned(("¥", "1,299", Some(".00"))));
        assert_eq!(parts(Amount(-50), Currency::HKD), owned(("−HK$", "0", Some(".50"))));
        assert_eq!(parts(Amount(1200), Currency::JPY), owned(("¥", "1,200", None)));
    }
}
