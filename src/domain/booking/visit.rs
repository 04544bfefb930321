//! What the page of a service shows and asks: who does it, when they are free, and what has been chosen so far.

use super::{
    cancellation::Cancellation,
    date::LocalDate,
    month,
    offer::{AddOn, Basis},
    row::MAX_FURTHER,
    slots::Slot,
    wish::{MAX_ADD_ONS, Wish},
    zone::Zone,
};
use crate::domain::{catalog::percent_encode, money::Amount, review::Rating};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many times are offered in place of one that is gone.
pub const NEAREST: usize = 3;

/// What customers are told of somebody beside the name: the detail of a resource that is a person, as the database keeps
/// it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Where customers may ask for it.
    pub gender: Option<Gender>,
    /// What is spoken, in the language of a page by its tag, the way the shop says it.
    pub languages: BTreeMap<String, Vec<String>>,
    /// What somebody is good at, by the tag of a language.
    pub skills: BTreeMap<String, Vec<String>>,
    /// How many visits were made.
    pub visits: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gender {
    Woman,
    Man,
}

/// Somebody who does a service, in the language of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    pub id: String,
    pub name: String,
    pub gender: Option<Gender>,
    pub languages: Vec<String>,
    pub skills: Vec<String>,
    /// What customers thought of them who were visited, and said so in a review.
    #[serde(default, skip_serializing_if = "Rating::is_none")]
    pub rating: Rating,
    pub visits: i64,
}

/// What is asked of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The first day of the month to look at.
    pub month: Option<LocalDate>,
    /// The day whose slots are shown.
    pub date: Option<LocalDate>,
    /// The id of whoever is to do it; anyone unless one is named.
    pub person: Option<String>,
    /// By their places in the list of the service.
    pub add_ons: Vec<usize>,
    /// What else is to be done in the same visit: variants, in this order.
    pub further: Vec<String>,
}

/// Another service that can be done in the same visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Further {
    pub variant_id: String,
    /// In the language of the page, with which variant it is.
    pub title: String,
    pub price: Amount,
    pub duration_ms: i64,
}

/// A service with its free days of a month, and its free slots of one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub variant_id: String,
    /// The clocks of the venue.
    pub zone: Zone,
    /// Where it is done, or in which area customers are come to; in words, and empty for nowhere in particular.
    pub place: String,
    /// Done at the address of the customer.
    pub at_home: bool,
    pub basis: Basis,
    /// With the add-ons, and with what else was chosen.
    pub price: Amount,
    /// In milliseconds; likewise.
    pub duration_ms: i64,
    /// In the language of the page.
    pub add_ons: Vec<AddOn>,
    /// Those that were asked for and that there are, by their places.
    pub chosen_add_ons: Vec<usize>,
    /// What else can be done in the same visit.
    pub further: Vec<Further>,
    /// Those of it that were asked for, by their variants and in that order.
    pub chosen_further: Vec<String>,
    /// Who does it, or begins; slots name them by their places in this list.
    pub workers: Vec<Worker>,
    /// The place of the one who was asked for.
    pub person: Option<usize>,
    pub cancellation: Cancellation,
    /// By the clocks of the venue.
    pub today: LocalDate,
    /// The last day that can be booked.
    pub last: LocalDate,
    /// The first day of the month that is shown.
    pub month: LocalDate,
    /// How many times are free on each day of the month on which there is any, in order; of whoever was asked for.
    pub free: Vec<(LocalDate, i64)>,
    /// The day whose slots are shown; `None` where nothing is free in the month.
    pub date: Option<LocalDate>,
    /// The free slots of that day, also of others than the one who was asked for.
    pub slots: Vec<Slot>,
    /// The days of the month on which nothing is free because all of it is taken, in order.
    pub full: Vec<LocalDate>,
    /// When on the day that is shown visits begin that somebody else has, in UTC milliseconds; of whoever was asked for.
    pub taken: Vec<i64>,
}

/// What has been chosen on a service's page: it is in the address, so that it works without script and can be linked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    pub variant: Option<String>,
    pub month: Option<String>,
    pub date: Option<String>,
    pub person: Option<String>,
    pub add_ons: Vec<usize>,
    pub further: Vec<String>,
    /// When the slot began that was wanted and was gone, in UTC milliseconds.
    pub gone: Option<i64>,
}

impl Profile {
    /// As a page in a language (by its tag) tells it; in the first language there is where it says nothing in that one.
    pub fn worker(self, id: &str, name: &str, tag: &str) -> Worker {
        let words = |mut all: BTreeMap<String, Vec<String>>| {
            let own = all.remove(tag);
            own.or_else(|| all.into_values().next()).unwrap_or_default()
        };
        Worker {
            id: id.to_owned(),
            name: name.to_owned(),
            gender: self.gender,
            languages: words(self.languages),
            skills: words(self.skills),
            rating: Rating::default(),
            visits: self.visits,
        }
    }
}

impl Choice {
    /// The slots of the day that whoever was asked for has.
    pub fn own_slots(&self) -> Vec<Slot> {
        let mut slots = self.slots.clone();
        if let Some(person) = self.person {
            slots.retain(|slot| slot.people.contains(&person));
        }
        slots
    }

    /// What to put into the cart for a slot that begins at a moment, by somebody or by anyone.
    pub fn wish(&self, start: i64, person: Option<usize>) -> Wish {
        let person = person.and_then(|place| self.workers.get(place)).map(|worker| worker.id.clone());
        let (add_ons, further) = (self.chosen_add_ons.clone(), self.chosen_further.clone());
        Wish::Visit { start, person, add_ons, further }
    }

    /// How many times are free on a day of the month.
    pub fn free_on(&self, date: LocalDate) -> i64 {
        self.free.iter().find(|(day, _)| *day == date).map_or(0, |(_, count)| *count)
    }

    /// The month before and the one after, as far as anything can be booked there.
    pub fn months(&self) -> (Option<LocalDate>, Option<LocalDate>) {
        let (before, after) = (month::before(self.month), month::next(self.month));
        ((month::first(self.today) <= before).then_some(before), (after <= self.last).then_some(after))
    }
}

impl Chosen {
    /// Reads the parameters of an address; what makes no sense is left out.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| get(name).filter(|text| !text.is_empty());
        let mut add_ons: Vec<usize> = Vec::new();
        for place in text("add").iter().flat_map(|text| text.split(',')).filter_map(|place| place.parse().ok()) {
            if !add_ons.contains(&place) && add_ons.len() < MAX_ADD_ONS {
                add_ons.push(place);
            }
        }
        let mut further: Vec<String> = Vec::new();
        for id in text("further").iter().flat_map(|text| text.split(',')).filter(|id| !id.is_empty()) {
            if !further.iter().any(|other| other == id) && further.len() < MAX_FURTHER {
                further.push(id.to_owned());
            }
        }
        Self {
            variant: text("v"),
            month: text("month"),
            date: text("date"),
            person: text("person"),
            add_ons,
            further,
            gone: text("gone").and_then(|text| text.parse().ok()),
        }
    }

    /// The address of a page on which this is chosen.
    pub fn href(&self, path: &str) -> String {
        let places: Vec<_> = self.add_ons.iter().map(usize::to_string).collect();
        let add = (!places.is_empty()).then(|| places.join(","));
        let further = (!self.further.is_empty()).then(|| self.further.join(","));
        let gone = self.gone.map(|start| start.to_string());
        let pairs = [
            ("v", self.variant.as_ref()),
            ("month", self.month.as_ref()),
            ("date", self.date.as_ref()),
            ("person", self.person.as_ref()),
            ("add", add.as_ref()),
            ("further", further.as_ref()),
            ("gone", gone.as_ref()),
        ];
        let pairs = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        // The commas of a list are as good as they are.
        let pairs: Vec<_> =
            pairs.map(|(name, value)| format!("{name}={}", percent_encode(value).replace("%2C", ","))).collect();
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
    }

    /// The same with one add-on more, or without it where it was chosen.
    pub fn toggled(&self, add_on: usize) -> Self {
        let mut chosen = Self { gone: None, ..self.clone() };
        if chosen.add_ons.contains(&add_on) {
            chosen.add_ons.retain(|place| *place != add_on);
        } else {
            chosen.add_ons.push(add_on);
            chosen.add_ons.sort_unstable();
        }
        chosen
    }

    /// The same with another service more, the last one, or without it where it was chosen.
    pub fn joined(&self, variant_id: &str) -> Self {
        let mut chosen = Self { gone: None, ..self.clone() };
        if chosen.further.iter().any(|other| other == variant_id) {
            chosen.further.retain(|other| other != variant_id);
        } else {
            chosen.further.push(variant_id.to_owned());
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_what_was_chosen() {
        let chosen = Chosen {
            variant: Some("a b".into()),
            month: Some("2026-12".into()),
            date: Some("2026-12-24".into()),
            person: Some("p:1".into()),
            add_ons: vec![0, 2],
            further: vec!["f:1".into(), "g".into()],
            gone: Some(5),
        };
        let href = chosen.href("/p/x");
        assert_eq!(href, "/p/x?v=a%20b&month=2026-12&date=2026-12-24&person=p%3A1&add=0,2&further=f%3A1,g&gone=5");
        let values = [
            ("v", "a b"),
            ("month", "2026-12"),
            ("date", "2026-12-24"),
            ("person", "p:1"),
            ("add", "0,2,x,2"),
            ("further", "f:1,,g,f:1"),
            ("gone", "5"),
        ];
        let get = |name: &str| values.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(Chosen::parse(get), chosen);
        assert_eq!(Chosen::parse(|_| Some(String::new())), Chosen::default());
        assert_eq!(Chosen::default().href("/p/x"), "/p/x");
    }

    #[test]
    fn an_add_on_is_chosen_and_given_up() {
        let chosen = Chosen { add_ons: vec![1], gone: Some(1), ..Chosen::default() };
        let more = chosen.toggled(0);
        assert_eq!((more.add_ons.as_slice(), more.gone), ([0, 1].as_slice(), None));
        assert_eq!(more.toggled(1).add_ons, [0]);
        let joined = more.joined("b").joined("a");
        assert_eq!(
            (joined.further.join(","), joined.joined("b").further.join(",")),
            ("b,a".to_owned(), "a".to_owned())
        );
    }

    #[test]
    fn a_profile_is_told_in_the_language_of_the_page_or_another() {
        let said = |tag: &str, word: &str| (tag.to_owned(), vec![word.to_owned()]);
        let profile = Profile {
            skills: BTreeMap::from([said("zh-CN", "推拿"), said("en", "massage")]),
            languages: BTreeMap::from([said("zh-CN", "粤语")]),
            ..Profile::default()
        };
        let worker = profile.worker("1", "Li", "en");
        assert_eq!((worker.skills, worker.languages), (vec!["massage".to_owned()], vec!["粤语".to_owned()]));
        assert_eq!(serde_json::from_str::<Profile>("{}").ok(), Some(Profile::default()));
    }
}
