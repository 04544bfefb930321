//! Exact money: integer minor units and an ISO 4217 code. Floats never touch it.

use serde::{Deserialize, Serialize};
use std::{
    iter::Sum,
    ops::{Add, Mul, Neg, Sub},
};

/// An amount in minor units (fen, cent) of a currency that its container names.
///
/// Prices are limited to [`Amount::MAX_PRICE`] and quantities to [`crate::domain::cart::MAX_QUANTITY`], so that sums
/// over a cart cannot leave `i64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(pub i64);

/// An ISO 4217 currency that shops can use, with its number of decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Currency {
    #[default]
    CNY,
    USD,
    EUR,
    GBP,
    HKD,
    JPY,
}

/// Why a text is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountError {
    /// Not a decimal number.
    Malformed,
    /// More decimals than the currency has.
    Precision,
    /// Negative, or above [`Amount::MAX_PRICE`].
    Range,
}

impl Amount {
    pub const ZERO: Self = Self(0);
    /// The highest price of one piece: ten thousand million major units of a currency with two decimals.
    pub const MAX_PRICE: Self = Self(1_000_000_000_000);

    /// Reads a price in major units such as `1299`, `1,299.00` or `0.5`. A comma only parts thousands: taken for less,
    /// `19,99` would cost a hundred times as much.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, AmountError> {
        let text = text.trim();
        if text.starts_with('-') {
            return Err(AmountError::Range);
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let mut groups = whole.split(',');
        let first = groups.next().unwrap_or_default().len();
        let grouped = !whole.contains(',') || (1..=3).contains(&first) && groups.all(|group| group.len() == 3);
        let whole: String = whole.split(',').collect();
        if !grouped || whole.is_empty() && fraction.is_empty() || !digits(&whole) || !digits(fraction) {
            return Err(AmountError::Malformed);
        }
        let fraction = fraction.trim_end_matches('0');
        let decimals = currency.decimals();
        if fraction.len() > decimals {
            return Err(AmountError::Precision);
        }
        let text = format!("{whole}{fraction:0<decimals$}");
        let minor: i64 = text.parse().map_err(|_| AmountError::Range)?;
        if minor > Self::MAX_PRICE.0 { Err(AmountError::Range) } else { Ok(Self(minor)) }
    }

    /// The plain decimal text in major units, as machines read it: `1299.00`.
    pub fn to_decimal(self, currency: Currency) -> String {
        let decimals = currency.decimals();
        let digits = format!("{:0>width$}", self.0.unsigned_abs(), width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        let sign = if self.0 < 0 { "-" } else { "" };
        if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    /// What a person reads: `¥1,299.00`. The sign of a negative amount comes first.
    pub fn display(self, currency: Currency) -> String {
        let text = Self(self.0.saturating_abs()).to_decimal(currency);
        let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(w, f)| (w, Some(f)));
        let mut grouped = String::new();
        for (i, c) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(c);
        }
        let sign = if self.0 < 0 { "−" } else { "" };
        let fraction = fraction.map(|f| format!(".{f}")).unwrap_or_default();
        format!("{sign}{}{grouped}{fraction}", currency.symbol())
    }

    /// `self × numerator ÷ denominator`, rounded half away from zero: the one place where money is rounded.
    ///
    /// `None` when the denominator is zero or the result leaves `i64`.
    pub fn ratio(self, numerator: i64, denominator: i64) -> Option<Self> {
        let product = i128::from(self.0) * i128::from(numerator);
        let denominator = i128::from(denominator);
        if denominator == 0 {
            return None;
        }
        let (quotient, remainder) = (product / denominator, product % denominator);
        let away = if (product < 0) == (denominator < 0) { 1 } else { -1 };
        let rounded = if remainder.abs() * 2 >= denominator.abs() { quotient + away } else { quotient };
        i64::try_from(rounded).ok().map(Self)
    }
}

impl Currency {
    pub const ALL: [Self; 6] = [Self::CNY, Self::USD, Self::EUR, Self::GBP, Self::HKD, Self::JPY];

    /// The ISO 4217 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CNY => "CNY",
            Self::USD => "USD",
            Self::EUR => "EUR",
            Self::GBP => "GBP",
            Self::HKD => "HKD",
            Self::JPY => "JPY",
        }
    }

    /// Reads an ISO 4217 code; `None` for a currency shops cannot use yet.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.code().eq_ignore_ascii_case(code))
    }

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::CNY | Self::JPY => "¥",
            Self::USD => "$",
            Self::EUR => "€",
            Self::GBP => "£",
            Self::HKD => "HK$",
        }
    }

    /// The number of decimals of the major unit.
    pub const fn decimals(self) -> usize {
        match self {
            Self::JPY => 0,
            _ => 2,
        }
    }
}

impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Mul<i64> for Amount {
    type Output = Self;
    fn mul(self, quantity: i64) -> Self {
        Self(self.0 * quantity)
    }
}

impl Neg for Amount {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prices_are_read_as_shops_write_them() {
        let table = [
            ("1299", Ok(129_900)),
            ("1,299.00", Ok(129_900)),
            ("0.5", Ok(50)),
            (".5", Ok(50)),
            ("19.990", Ok(1_999)),
            ("19.999", Err(AmountError::Precision)),
            ("-1", Err(AmountError::Range)),
            ("", Err(AmountError::Malformed)),
            ("12a", Err(AmountError::Malformed)),
            ("12,345,678", Ok(1_234_567_800)),
            ("19,99", Err(AmountError::Malformed)),
            ("1,5", Err(AmountError::Malformed)),
            (",123", Err(AmountError::Malformed)),
            ("1234,567", Err(AmountError::Malformed)),
            ("99999999999999999999", Err(AmountError::Range)),
        ];
        for (text, expected) in table {
            assert_eq!(Amount::parse(text, Currency::CNY), expected.map(Amount), "{text}");
        }
        assert_eq!(Amount::parse("1299", Currency::JPY), Ok(Amount(1299)));
    }

    #[test]
    fn people_read_grouped_amounts() {
        assert_eq!(Amount(129_900).display(Currency::CNY), "¥1,299.00");
        assert_eq!(Amount(-5).display(Currency::USD), "−$0.05");
        assert_eq!(Amount(1_234_567).display(Currency::JPY), "¥1,234,567");
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        assert_eq!(Amount(5).ratio(1, 2), Some(Amount(3)));
        assert_eq!(Amount(-5).ratio(1, 2), Some(Amount(-3)));
        assert_eq!(Amount(4).ratio(1, 3), Some(Amount(1)));
        assert_eq!(Amount(1).ratio(1, 0), None);
    }

    proptest! {
        #[test]
        fn a_written_amount_reads_back(minor in 0..=Amount::MAX_PRICE.0) {
            for currency in Currency::ALL {
                prop_assert_eq!(Amount::parse(&Amount(minor).to_decimal(currency), currency), Ok(Amount(minor)));
                let shown = Amount(minor).display(currency);
                prop_assert_eq!(Amount::parse(shown.trim_start_matches(currency.symbol()), currency), Ok(Amount(minor)));
            }
        }

        #[test]
        fn a_ratio_is_rounded_to_the_nearest_and_alike_on_both_sides_of_zero(
            minor in 0..=Amount::MAX_PRICE.0, numerator in 0i64..10_000, denominator in 1i64..10_000,
        ) {
            let Some(rounded) = Amount(minor).ratio(numerator, denominator) else { return Ok(()) };
            let exact = i128::from(minor) * i128::from(numerator);
            let error = (i128::from(rounded.0) * i128::from(denominator) - exact).abs();
            prop_assert!(error * 2 <= i128::from(denominator), "off by more than half: {error} of {denominator}");
            prop_assert_eq!(Amount(-minor).ratio(numerator, denominator), Some(-rounded));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = Amount::parse(&text, Currency::CNY);
        }
    }
}
