//! What the office sets of the nights of a room type, and what it sees of them.

use super::{
    date::LocalDate,
    rates::{Night, NightChange, Season},
    stay::MAX_NIGHTS,
};
use crate::domain::{
    error::{Check, Problem, Result},
    money::{Amount, AmountError, Currency},
};
use serde::{Deserialize, Serialize};

/// The most days that are changed at once.
pub const MAX_DAYS: i64 = 366;
/// The most rooms of a type.
pub const MAX_TOTAL: i64 = 10_000;

/// Which nights of a range are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weekdays {
    #[default]
    All,
    /// The nights from Friday and from Saturday.
    Weekend,
    /// All others.
    Week,
}

/// Prices and rules of the nights of a range as they were typed. What is empty stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RateForm {
    pub first: String,
    pub last: String,
    pub days: String,
    pub price: String,
    pub min_nights: String,
    pub max_nights: String,
    /// `yes` or `no`: whether somebody may arrive, may leave, and whether the nights are sold.
    pub arrival: String,
    pub departure: String,
    pub open: String,
}

/// How many rooms there are in the nights of a range, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomsForm {
    pub from: String,
    pub to: String,
    pub on: String,
    pub total: String,
}

/// So many rooms in these nights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomCount {
    /// Its change is empty.
    pub nights: Season,
    pub total: i64,
}

/// A house of the office's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeHouse {
    pub product_id: String,
    pub handle: String,
    pub title: String,
    /// Whether it is sold.
    pub active: bool,
    /// The ids of its room types, and what they are called.
    pub rooms: Vec<(String, String)>,
}

/// A night as the office sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeNight {
    pub date: LocalDate,
    /// `None` where nothing is set yet.
    pub night: Option<Night>,
    pub total: i64,
    pub claimed: i64,
}

/// A month of a room type as the office sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeMonth {
    pub variant_id: String,
    pub handle: String,
    pub title: String,
    pub room: String,
    pub today: LocalDate,
    /// All days of the month.
    pub nights: Vec<OfficeNight>,
}

impl Weekdays {
    pub const ALL: [Self; 3] = [Self::All, Self::Weekend, Self::Week];

    /// The name in forms.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Weekend => "weekend",
            Self::Week => "week",
        }
    }

    /// Reads the name in a form; an unknown one is every night.
    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|days| days.name() == name).unwrap_or_default()
    }

    /// By the days of the week, Monday first.
    pub const fn days(self) -> [bool; 7] {
        match self {
            Self::All => [true; 7],
            Self::Weekend => [false, false, false, false, true, true, false],
            Self::Week => [true, true, true, true, false, false, true],
        }
    }
}

/// The nights of a range, with nothing changed yet. Both dates come with the names of their fields.
fn range(check: &mut Check, first: (&str, &str), last: (&str, &str), days: &str) -> Option<Season> {
    let date = |text: &str| match text.trim() {
        "" => Err(Problem::Required),
        text => LocalDate::parse(text).ok_or(Problem::Choice),
    };
    let begin = check.take(first.0, date(first.1));
    let end = check.take(last.0, date(last.1));
    let (begin, end) = begin.zip(end)?;
    if !(0..MAX_DAYS).contains(&begin.until(end)) {
        check.add(last.0, Problem::Range(1, MAX_DAYS));
        return None;
    }
    let weekdays = Weekdays::from_name(days.trim()).days();
    Some(Season { first: begin, last: end, weekdays, change: NightChange::default() })
}

fn number(text: &str, from: i64, to: i64) -> Result<i64, Problem> {
    match text.trim().parse::<i64>() {
        Ok(number) if (from..=to).contains(&number) => Ok(number),
        Ok(_) => Err(Problem::Range(from, to)),
        Err(_) => Err(Problem::Number),
    }
}

/// `None` for an empty field.
fn choice(text: &str) -> Result<Option<bool>, Problem> {
    match text.trim() {
        "" => Ok(None),
        "yes" => Ok(Some(true)),
        "no" => Ok(Some(false)),
        _ => Err(Problem::Choice),
    }
}

impl RateForm {
    /// As one text, for a form without script that is drawn anew.
    pub fn typed(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads [`typed`](Self::typed); anything else is an empty form.
    pub fn from_typed(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// What is meant by it; the same check on both sides.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::domain::Error::Invalid) with the problem of each field; where nothing is changed that of
    /// the price.
    pub fn check(&self, currency: Currency) -> Result<Season> {
        let mut check = Check::default();
        let nights = range(&mut check, ("first", &self.first), ("last", &self.last), &self.days);
        let price = match self.price.trim() {
            "" => Ok(None),
            text => Amount::parse(text, currency).map(Some).map_err(|error| match error {
                AmountError::Range => Problem::Range(0, Amount::MAX_PRICE.0 / 100),
                AmountError::Malformed | AmountError::Precision => Problem::Number,
            }),
        };
        let nights_of = |text: &str| match text.trim() {
            "" => Ok(None),
            text => number(text, 1, MAX_NIGHTS).map(Some),
        };
        let change = NightChange {
            price: check.take("price", price).flatten(),
            min_nights: check.take("min_nights", nights_of(&self.min_nights)).flatten(),
            max_nights: check.take("max_nights", nights_of(&self.max_nights)).flatten(),
            closed_to_arrival: check.take("arrival", choice(&self.arrival)).flatten().map(|yes| !yes),
            closed_to_departure: check.take("departure", choice(&self.departure)).flatten().map(|yes| !yes),
            closed: check.take("open", choice(&self.open)).flatten().map(|yes| !yes),
        };
        if let (Some(min), Some(max)) = (change.min_nights, change.max_nights)
            && min > max
        {
            check.add("max_nights", Problem::Range(min, MAX_NIGHTS));
        }
        let empty = change == NightChange::default();
        if empty {
            check.add("price", Problem::Required);
        }
        check.finish()?;
        match nights {
            Some(nights) => Ok(Season { change, ..nights }),
            // Without nights there is a problem, so this is never reached.
            None => Err(crate::domain::Error::field("first", Problem::Required)),
        }
    }
}

impl RoomsForm {
    /// As one text, for a form without script that is drawn anew.
    pub fn typed(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads [`typed`](Self::typed); anything else is an empty form.
    pub fn from_typed(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// What is meant by it; the same check on both sides.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::domain::Error::Invalid) with the problem of each field.
    pub fn check(&self) -> Result<RoomCount> {
        let mut check = Check::default();
        let nights = range(&mut check, ("from", &self.from), ("to", &self.to), &self.on);
        let total = match self.total.trim() {
            "" => Err(Problem::Required),
            text => number(text, 0, MAX_TOTAL),
        };
        let total = check.take("total", total);
        check.finish()?;
        match (nights, total) {
            (Some(nights), Some(total)) => Ok(RoomCount { nights, total }),
            _ => Err(crate::domain::Error::field("from", Problem::Required)),
        }
    }
}

impl Season {
    /// The dates that are meant.
    pub fn dates(&self) -> impl Iterator<Item = LocalDate> {
        self.first.up_to(self.last.plus(1)).filter(|date| self.has(*date))
    }
}

impl Night {
    /// A night that is set for the first time: sold at a price, to everybody.
    pub const fn new(price: Amount) -> Self {
        Self {
            price,
            min_nights: 1,
            max_nights: MAX_NIGHTS,
            closed_to_arrival: false,
            closed_to_departure: false,
            closed: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Error, booking::samples::date};

    fn form(first: &str, last: &str, days: &str) -> RateForm {
        RateForm { first: first.into(), last: last.into(), days: days.into(), ..RateForm::default() }
    }

    #[test]
    fn only_what_was_typed_is_changed() {
        let form =
            RateForm { price: "398".into(), arrival: "no".into(), ..form("2026-12-24", "2026-12-31", "weekend") };
        let Ok(season) = form.check(Currency::CNY) else { panic!("{form:?}") };
        let changed =
            NightChange { price: Some(Amount(39_800)), closed_to_arrival: Some(true), ..NightChange::default() };
        assert_eq!(season.change, changed);
        let dates: Vec<_> = season.dates().collect();
        assert_eq!(dates, [date("2026-12-25"), date("2026-12-26")], "a Friday and a Saturday");
    }

    #[test]
    fn what_makes_no_change_is_told_by_its_field() {
        let good = form("2026-12-24", "2026-12-31", "");
        for (form, field) in [
            (RateForm { price: "398".into(), ..good.clone() }, None),
            (good.clone(), Some("price")),
            (RateForm { price: "x".into(), ..good.clone() }, Some("price")),
            (RateForm { open: "no".into(), ..form("2026-12-24", "2026-12-23", "") }, Some("last")),
            (RateForm { open: "no".into(), ..form("2026-12-24", "2028-12-23", "") }, Some("last")),
            (RateForm { open: "no".into(), ..form("", "2028-12-23", "") }, Some("first")),
            (RateForm { open: "maybe".into(), price: "1".into(), ..good.clone() }, Some("open")),
            (RateForm { min_nights: "3".into(), max_nights: "2".into(), ..good.clone() }, Some("max_nights")),
            (RateForm { min_nights: "0".into(), price: "1".into(), ..good.clone() }, Some("min_nights")),
        ] {
            let wrong = match form.check(Currency::CNY) {
                Err(Error::Invalid(fields)) => fields.into_keys().next(),
                _ => None,
            };
            assert_eq!(wrong.as_deref(), field, "{form:?}");
        }
        let rooms = |total: &str| RoomsForm {
            from: "2026-12-24".into(),
            to: "2026-12-24".into(),
            total: total.into(),
            ..RoomsForm::default()
        };
        assert_eq!(rooms("8").check().map(|count| (count.total, count.nights.dates().count())), Ok((8, 1)));
        for total in ["", "-1", "many"] {
            assert!(rooms(total).check().is_err_and(|error| error.problem("total").is_some()), "{total}");
        }
    }
}
