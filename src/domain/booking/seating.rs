//! What a page is told of the tables of a restaurant: when a party can come, what it may ask for, and what is near where it
//! cannot come.

use super::{
    alternatives::{self, Wanted},
    date::LocalDate,
    schedule::minute,
    slots::Slot,
    stay::MAX_GUESTS,
    tables::{PartyProblem, PartyTerms, Sitting},
    zone::{Zone, clock},
};
use crate::domain::{
    Locale,
    catalog::{Image, percent_encode},
    locale::Text,
    review::Rating,
    texts::booking_table as t,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many other times are offered where the wanted one cannot be had.
pub const NEAREST: usize = 4;
/// From so many days before the wanted date to so many after it other times are looked for.
pub const DAYS_BEFORE: i64 = 1;
pub const DAYS_AFTER: i64 = 7;
/// How many come unless somebody says otherwise.
const USUAL_GUESTS: i64 = 2;

/// What a party asks for along with its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    ChildSeat,
    Pram,
    Wheelchair,
    Birthday,
    Quiet,
}

/// What somebody looks for, as it stands in an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableAsk {
    /// `None` for today.
    pub date: Option<LocalDate>,
    pub guests: i64,
    /// The minute of the day by the clock of the restaurant; `None` for any.
    pub time: Option<i64>,
    /// `None` for anywhere.
    pub area: Option<String>,
    pub requests: Vec<Request>,
    /// The code of a city, where restaurants are looked for; `None` for all.
    pub place: Option<String>,
}

/// When a party can have a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableTime {
    /// UTC milliseconds.
    pub start: i64,
    pub end: i64,
    /// The area to ask for; `None` for anywhere.
    pub area: Option<String>,
}

/// The free times of a date for a party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SittingList {
    /// The clocks of the restaurant.
    pub zone: Zone,
    /// The first and the last date that can be booked.
    pub today: LocalDate,
    pub last: LocalDate,
    pub date: LocalDate,
    pub guests: i64,
    /// Larger parties have to ask.
    pub largest: i64,
    /// In the order of the restaurant.
    pub areas: Vec<String>,
    pub terms: Result<PartyTerms, PartyProblem>,
    /// How long before the beginning of any of the times giving it up still costs nothing, in milliseconds; zero where it
    /// never costs anything.
    pub free_before_ms: i64,
    pub times: Vec<TableTime>,
    /// The moment that was asked for.
    pub wanted: Option<i64>,
    /// What is nearest to it, where it cannot be had: other times, areas and days.
    pub nearest: Vec<TableTime>,
    /// Whether it cannot be had only because others have it: then it can be waited for.
    pub waits: bool,
}

/// A restaurant in a list, with the times of a date that are nearest to the wanted one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restaurant {
    /// The name in addresses: `/p/<handle>`.
    pub handle: String,
    pub title: String,
    /// What it is about, in one sentence.
    pub lead: String,
    pub image: Option<Image>,
    /// Of its reviews.
    #[serde(default, skip_serializing_if = "Rating::is_none")]
    pub rating: Rating,
    /// The name of its city.
    pub city: String,
    pub address: String,
    pub zone: Zone,
    pub times: Vec<TableTime>,
}

/// Restaurants for a party on a date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestaurantList {
    pub today: LocalDate,
    pub date: LocalDate,
    /// Code and name of the cities in which there are any.
    pub places: Vec<(String, String)>,
    /// Those with a free time come first.
    pub restaurants: Vec<Restaurant>,
}

impl Request {
    pub const ALL: [Self; 5] = [Self::ChildSeat, Self::Pram, Self::Wheelchair, Self::Birthday, Self::Quiet];

    /// The name in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChildSeat => "child_seat",
            Self::Pram => "pram",
            Self::Wheelchair => "wheelchair",
            Self::Birthday => "birthday",
            Self::Quiet => "quiet",
        }
    }

    pub fn words(self, locale: Locale) -> &'static str {
        locale.t(match self {
            Self::ChildSeat => t::CHILD_SEAT,
            Self::Pram => t::PRAM,
            Self::Wheelchair => t::WHEELCHAIR,
            Self::Birthday => t::BIRTHDAY,
            Self::Quiet => t::QUIET,
        })
    }
}

impl Default for TableAsk {
    fn default() -> Self {
        Self { date: None, guests: USUAL_GUESTS, time: None, area: None, requests: Vec::new(), place: None }
    }
}

impl TableAsk {
    /// Reads the parameters of an address; what makes no sense is left out.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let guests = text("guests").and_then(|text| text.parse().ok()).unwrap_or(USUAL_GUESTS);
        Self {
            date: text("date").and_then(|text| LocalDate::parse(&text)),
            guests: guests.clamp(1, MAX_GUESTS),
            time: text("time").and_then(|text| minute(&text)),
            area: text("area"),
            requests: Request::ALL.into_iter().filter(|request| text(request.name()).is_some()).collect(),
            place: text("place"),
        }
    }

    /// The address of a page with this in it.
    pub fn href(&self, path: &str) -> String {
        let mut pairs: Vec<(&str, String)> = Vec::new();
        pairs.extend(self.date.map(|date| ("date", date.to_string())));
        pairs.push(("guests", self.guests.to_string()));
        pairs.extend(self.time.map(|time| ("time", clock(time))));
        pairs.extend(self.area.clone().map(|area| ("area", area)));
        pairs.extend(self.place.clone().map(|place| ("place", place)));
        pairs.extend(self.requests.iter().map(|request| (request.name(), "1".to_owned())));
        let text: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", percent_encode(value))).collect();
        format!("{path}?{}", text.join("&"))
    }
}

/// The name of an area: the usual ones in the language of the reader, any other as the restaurant wrote it.
pub fn area_name(locale: Locale, area: &str) -> String {
    let known: Text = match area {
        "hall" => t::AREA_HALL,
        "window" => t::AREA_WINDOW,
        "terrace" => t::AREA_TERRACE,
        "garden" => t::AREA_GARDEN,
        "bar" => t::AREA_BAR,
        "private" => t::AREA_PRIVATE,
        "upstairs" => t::AREA_UPSTAIRS,
        other => return other.to_owned(),
    };
    locale.t(known).to_owned()
}

/// What is nearest to a moment (UTC milliseconds) that cannot be had. With an area, `here` are the sittings in it and
/// `elsewhere` those in any, and its name is told by `area_of`; another area counts as an hour further away.
pub fn nearest(
    here: &[Sitting],
    elsewhere: &[Sitting],
    area: Option<&str>,
    wanted: i64,
    area_of: impl Fn(&Sitting) -> Option<String>,
) -> Vec<TableTime> {
    let mut slots: BTreeMap<i64, Slot> = BTreeMap::new();
    for (who, sittings) in [here, elsewhere].into_iter().enumerate() {
        for Sitting { start, end, .. } in sittings {
            let slot = slots.entry(*start).or_insert_with(|| Slot { start: *start, end: *end, people: Vec::new() });
            slot.people.push(who);
        }
    }
    let slots: Vec<_> = slots.into_values().collect();
    let wanted = Wanted { start: wanted, person: area.map(|_| 0) };
    let time = |found: alternatives::Alternative| {
        let area = match found.person {
            0 => area.map(str::to_owned),
            _ => elsewhere.iter().find(|sitting| sitting.start == found.start).and_then(&area_of),
        };
        TableTime { start: found.start, end: found.end, area }
    };
    alternatives::nearest(&slots, wanted, NEAREST).into_iter().map(time).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{HOUR_MS, MINUTE_MS};

    #[test]
    fn an_address_reads_back_as_what_it_was_made_from() {
        let asked = TableAsk {
            date: LocalDate::parse("2026-12-24"),
            guests: 4,
            time: Some(19 * 60 + 5),
            area: Some("露台 1&2".into()),
            requests: vec![Request::ChildSeat, Request::Birthday],
            place: Some("440300".into()),
        };
        let href = asked.href("/tables");
        assert!(href.starts_with("/tables?date=2026-12-24&guests=4&time=19%3A05&area="), "{href}");
        let values = BTreeMap::from([
            ("date", "2026-12-24"),
            ("guests", "4"),
            ("time", "19:05"),
            ("area", "露台 1&2"),
            ("child_seat", "1"),
            ("birthday", "1"),
            ("place", "440300"),
        ]);
        assert_eq!(TableAsk::parse(|name| values.get(name).map(|value| (*value).to_owned())), asked);
        let nonsense = BTreeMap::from([("date", "tomorrow"), ("guests", "-3"), ("time", "25:00"), ("area", " ")]);
        let read = TableAsk::parse(|name| nonsense.get(name).map(|value| (*value).to_owned()));
        assert_eq!(read, TableAsk { guests: 1, ..TableAsk::default() });
    }

    #[test]
    fn the_same_area_soon_is_nearer_than_another_at_once() {
        let sitting = |minute: i64, table| {
            let start = minute * MINUTE_MS;
            Sitting { start, end: start + HOUR_MS, tables: vec![table] }
        };
        let here = [sitting(1170, 0), sitting(1260, 0)];
        let elsewhere = [sitting(1140, 1), sitting(1170, 1), sitting(1230, 1), sitting(1260, 0)];
        let name = |sitting: &Sitting| Some(if sitting.tables == [0] { "hall" } else { "bar" }.to_owned());
        let found = nearest(&here, &elsewhere, Some("hall"), 1140 * MINUTE_MS, name);
        let found: Vec<_> =
            found.iter().map(|time| (time.start / MINUTE_MS, time.area.as_deref().unwrap_or_default())).collect();
        assert_eq!(found, [(1170, "hall"), (1140, "bar"), (1260, "hall"), (1230, "bar")]);
        let anywhere = nearest(&elsewhere, &[], None, 1185 * MINUTE_MS, name);
        assert_eq!(anywhere.first().map(|time| (time.start / MINUTE_MS, time.area.clone())), Some((1170, None)));
        assert!(nearest(&[], &[], None, 0, name).is_empty());
    }

    #[test]
    fn usual_areas_have_names_in_every_language() {
        assert_eq!(area_name(Locale::En, "Rose room"), "Rose room");
        for area in ["hall", "window", "terrace", "garden", "bar", "private", "upstairs"] {
            for locale in Locale::ALL {
                assert_ne!(area_name(locale, area), area);
            }
        }
    }
}
