//! What is offered: a room type, a fare, a table, a service; and the rules of the venue that offers it. These are what the
//! database keeps as JSON beside a product and its variants.

use super::{
    cancellation::Cancellation,
    date::LocalDate,
    lodging::{Beds, Facility},
    rates::Charges,
    schedule::{Limits, Schedule},
    slots::{Slot, Times, Visit},
    stay::Occupancy,
    tables::PartyRules,
    trips::Fare,
    zone::Zone,
};
use crate::domain::{Locale, money::Amount};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which kind of booking it is: that of a product and of everything offered by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Stay,
    Trip,
    Table,
    Visit,
}

/// The rules of a venue. Those that do not belong to its kind are of no consequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policies {
    /// Of stays, tables and visits; fares have their own.
    pub cancellation: Cancellation,
    /// Of stays: minutes of the day.
    pub check_in: i64,
    pub check_out: i64,
    /// Of stays: what the house has.
    pub facilities: Vec<Facility>,
    /// Of stays: as days go by, further nights open by themselves, up to the horizon and like those before them.
    pub rolls_on: bool,
    pub limits: Limits,
    /// Of a restaurant.
    pub hours: Schedule,
    pub party: Option<PartyRules>,
    /// How many covers may arrive in a quarter of an hour; `None` for any number.
    pub pacing: Option<i64>,
}

/// What a variant is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Offer {
    Stay(RoomType),
    Trip(Fare),
    /// A table of the restaurant; what there is of them are its tables.
    Table,
    Visit(Service),
}

/// Rooms that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomType {
    pub occupancy: Occupancy,
    pub charges: Charges,
    #[serde(default)]
    pub beds: Beds,
    /// Zero where nobody measured it.
    #[serde(default)]
    pub square_metres: i64,
}

/// What somebody does, for the price of its variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    pub times: Visit,
    #[serde(default)]
    pub add_ons: Vec<AddOn>,
    /// Done at the address of the customer.
    #[serde(default)]
    pub at_home: bool,
    /// What its price depends on.
    #[serde(default)]
    pub basis: Basis,
}

/// What the price of a service depends on. The price itself is that of its variant: one for each number of hours, or for
/// each size of a home.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    #[default]
    Fixed,
    Hour,
    Area,
}

/// What can be had on top of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddOn {
    pub name: String,
    /// The name in further languages, by their tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    pub price: Amount,
    /// How much longer it takes, in milliseconds.
    pub duration_ms: i64,
}

/// Where a trip stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Its name, by which it is asked for in every language.
    pub place: String,
    /// The name in further languages, by their tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    /// An IANA name.
    pub zone: String,
    /// UTC milliseconds. The first stop is arrived at, and the last one left, when it suits.
    pub arrives_at: i64,
    pub leaves_at: i64,
}

/// The most days of which slots are asked for at once: a month.
pub const MAX_DAYS: i64 = 31;

/// The free slots of a service on some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotList {
    /// The clocks of the venue.
    pub zone: Zone,
    /// With the add-ons that were asked for.
    pub price: Amount,
    /// Who does it; slots name them by their places in this list.
    pub people: Vec<SlotPerson>,
    pub add_ons: Vec<AddOn>,
    /// Each of the days that were asked for, also those on which nothing is free.
    pub days: Vec<SlotDay>,
}

/// Somebody who does a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotPerson {
    pub id: String,
    pub name: String,
}

/// The free slots of a date of the venue. Who is free is told for a single day alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotDay {
    pub date: LocalDate,
    pub slots: Vec<Slot>,
}

impl Kind {
    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stay => "stay",
            Self::Trip => "trip",
            Self::Table => "table",
            Self::Visit => "service",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Stay, Self::Trip, Self::Table, Self::Visit].into_iter().find(|kind| kind.name() == name)
    }
}

impl Stop {
    /// The name in a language, as far as it has one.
    pub fn name(&self, locale: Locale) -> &str {
        self.names.get(locale.tag()).unwrap_or(&self.place)
    }
}

impl Default for Policies {
    /// Free to give up until it begins, bookable for a year ahead.
    fn default() -> Self {
        Self {
            cancellation: Cancellation::default(),
            check_in: 15 * 60,
            check_out: 11 * 60,
            facilities: Vec::new(),
            rolls_on: false,
            limits: Limits { step_ms: 15 * super::MINUTE_MS, notice_ms: 0, horizon_days: 365 },
            hours: Schedule::default(),
            party: None,
            pacing: None,
        }
    }
}

impl AddOn {
    /// With its name in a language, as far as it has one, and in no other.
    pub fn in_locale(&self, locale: Locale) -> Self {
        let name = self.names.get(locale.tag()).unwrap_or(&self.name).clone();
        Self { name, names: BTreeMap::new(), ..self.clone() }
    }
}

impl Service {
    /// The service with some of its add-ons, by their places in the list: what it costs on top, and how long it takes.
    /// `None` where there is no such add-on, or it would take too long.
    pub fn with(&self, add_ons: &[usize]) -> Option<(Amount, Visit)> {
        let chosen = add_ons.iter().map(|place| self.add_ons.get(*place)).collect::<Option<Vec<_>>>()?;
        let longer: i64 = chosen.iter().map(|add_on| add_on.duration_ms).sum();
        let times = self.times.times();
        let visit = Visit::new(Times { duration: times.duration.saturating_add(longer), ..times })?;
        Some((chosen.iter().map(|add_on| add_on.price).sum(), visit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{HOUR_MS, MINUTE_MS};

    #[test]
    fn add_ons_cost_more_and_take_longer() {
        let Some(times) = Visit::new(Times { duration: HOUR_MS, after: MINUTE_MS, ..Times::default() }) else {
            panic!("an hour is possible")
        };
        let add_on = |price, duration_ms| AddOn {
            name: "oil".into(),
            names: BTreeMap::from([("zh-CN".to_owned(), "精油".to_owned())]),
            price: Amount(price),
            duration_ms,
        };
        let service =
            Service { times, add_ons: vec![add_on(500, HOUR_MS), add_on(50, 0)], at_home: false, basis: Basis::Fixed };
        let with = |add_ons: &[usize]| service.with(add_ons).map(|(price, visit)| (price.0, visit.times().duration));
        assert_eq!(with(&[]), Some((0, HOUR_MS)));
        assert_eq!(with(&[0, 1]), Some((550, 2 * HOUR_MS)));
        assert_eq!(with(&[2]), None);
        let named = |locale| add_on(0, 0).in_locale(locale).name;
        assert_eq!((named(Locale::ZhCn).as_str(), named(Locale::En).as_str()), ("精油", "oil"));
    }

    #[test]
    fn rules_and_offers_read_back_from_json() -> Result<(), serde_json::Error> {
        assert_eq!(serde_json::from_str::<Policies>("{}")?, Policies::default());
        let text = serde_json::to_string(&Policies::default())?;
        assert_eq!(serde_json::from_str::<Policies>(&text)?, Policies::default());
        let room = r#"{"kind":"stay","occupancy":{"adults":2,"children":1,"guests":3},
            "charges":{"included_guests":2,"extra_adult":0,"extra_child":0,"breakfast":null,"tax_basis_points":0}}"#;
        assert!(matches!(
            serde_json::from_str(room)?,
            Offer::Stay(RoomType { occupancy: Occupancy { guests: 3, .. }, .. })
        ));
        assert_eq!(serde_json::from_str::<Offer>(r#"{"kind":"table"}"#)?, Offer::Table);
        Ok(())
    }
}
