//! The form by which somebody looks for a room, and the search that it means.

use super::super::{
    date::LocalDate,
    stay::{Guests, MAX_GUESTS, MAX_NIGHTS, MAX_ROOMS, Stay},
};
use crate::domain::{
    catalog::{MAX_SEARCH, percent_encode},
    error::{Check, Error, Problem, Result},
};
use serde::{Deserialize, Serialize};

/// The order in which houses are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StayOrder {
    /// What is booked most comes first.
    #[default]
    Recommended,
    /// The lowest total comes first.
    Price,
}

/// A search for a room as it was typed: the fields of its form, and of the address that it reads into.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StayForm {
    pub place: String,
    pub arrival: String,
    pub departure: String,
    pub adults: String,
    pub children: String,
    pub rooms: String,
    pub sort: String,
    pub page: String,
}

/// A search for a room that makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaySearch {
    /// Anywhere where it is empty.
    pub place: String,
    pub stay: Stay,
    pub guests: Guests,
    pub rooms: i64,
    pub order: StayOrder,
    /// From 1.
    pub page: i64,
}

impl StayOrder {
    pub const ALL: [Self; 2] = [Self::Recommended, Self::Price];

    /// The name in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recommended => "recommended",
            Self::Price => "price",
        }
    }

    /// Reads the name in an address; an unknown one is the default order.
    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|order| order.name() == name).unwrap_or_default()
    }
}

impl StayForm {
    /// Reads it out of an address.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| {
            let text = get(name).unwrap_or_default();
            text.trim().chars().take(MAX_SEARCH).collect::<String>()
        };
        Self {
            place: text("place"),
            arrival: text("arrival"),
            departure: text("departure"),
            adults: text("adults"),
            children: text("children"),
            rooms: text("rooms"),
            sort: text("sort"),
            page: text("page"),
        }
    }

    /// With what most mean who say nothing: tomorrow for one night, two adults, one room.
    pub fn filled(mut self, today: LocalDate) -> Self {
        let or = |field: &mut String, value: String| {
            if field.trim().is_empty() {
                *field = value;
            }
        };
        if self.arrival.trim().is_empty() && self.departure.trim().is_empty() {
            self.arrival = today.plus(1).to_string();
        }
        if let Some(arrival) = LocalDate::parse(self.arrival.trim()) {
            or(&mut self.departure, arrival.plus(1).to_string());
        }
        or(&mut self.adults, "2".to_owned());
        or(&mut self.children, "0".to_owned());
        or(&mut self.rooms, "1".to_owned());
        self
    }

    /// The stay that the dates ask for, whoever comes; `None` where they make none.
    pub fn stay(&self) -> Option<Stay> {
        Stay::new(LocalDate::parse(self.arrival.trim())?, LocalDate::parse(self.departure.trim())?)
    }

    /// What is meant by it; the same check on both sides.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the problem of each field.
    pub fn check(&self) -> Result<StaySearch> {
        let mut check = Check::default();
        let date = |text: &str| match text.trim() {
            "" => Err(Problem::Required),
            text => LocalDate::parse(text).ok_or(Problem::Choice),
        };
        let number = |text: &str, from: i64, to: i64| match text.trim() {
            "" => Err(Problem::Required),
            text => match text.parse::<i64>() {
                Ok(number) if (from..=to).contains(&number) => Ok(number),
                Ok(_) => Err(Problem::Range(from, to)),
                Err(_) => Err(Problem::Number),
            },
        };
        let arrival = check.take("arrival", date(&self.arrival));
        let departure = check.take("departure", date(&self.departure));
        let stay = arrival.zip(departure).and_then(|(arrival, departure)| {
            check.take("departure", Stay::new(arrival, departure).ok_or(Problem::Range(1, MAX_NIGHTS)))
        });
        let adults = check.take("adults", number(&self.adults, 1, MAX_GUESTS));
        let children = check.take("children", number(&self.children, 0, MAX_GUESTS));
        let rooms = check.take("rooms", number(&self.rooms, 1, MAX_ROOMS));
        if let (Some(adults), Some(rooms)) = (adults, rooms)
            && adults < rooms
        {
            check.add("rooms", Problem::Range(1, adults));
        }
        check.finish()?;
        let (Some(stay), Some(adults), Some(children), Some(rooms)) = (stay, adults, children, rooms) else {
            // Whatever is missing has a problem, so this is never reached.
            return Err(Error::field("arrival", Problem::Required));
        };
        Ok(StaySearch {
            place: self.place.trim().chars().take(MAX_SEARCH).collect(),
            stay,
            guests: Guests { adults, children },
            rooms,
            order: StayOrder::from_name(self.sort.trim()),
            page: self.page.trim().parse().unwrap_or(1).clamp(1, 10_000),
        })
    }

    /// For other dates.
    pub fn on(&self, stay: Stay) -> Self {
        let (arrival, departure) = (stay.arrival().to_string(), stay.departure().to_string());
        Self { arrival, departure, page: String::new(), ..self.clone() }
    }

    /// The address of a page that is asked this.
    pub fn href(&self, path: &str) -> String {
        let all = [
            ("place", &self.place),
            ("arrival", &self.arrival),
            ("departure", &self.departure),
            ("adults", &self.adults),
            ("children", &self.children),
            ("rooms", &self.rooms),
            ("sort", &self.sort),
            ("page", &self.page),
        ];
        let said = all.into_iter().filter(|(name, text)| match *name {
            "page" => !text.is_empty() && *text != "1",
            "sort" => StayOrder::from_name(text) != StayOrder::default(),
            _ => !text.is_empty(),
        });
        let pairs: Vec<_> = said.map(|(name, text)| format!("{name}={}", percent_encode(text))).collect();
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::samples::date;

    fn form(arrival: &str, departure: &str, adults: &str, rooms: &str) -> StayForm {
        StayForm {
            arrival: arrival.into(),
            departure: departure.into(),
            adults: adults.into(),
            rooms: rooms.into(),
            ..StayForm::default()
        }
    }

    #[test]
    fn who_says_nothing_means_a_night_for_two_from_tomorrow_on() {
        let filled = StayForm::default().filled(date("2026-12-31"));
        let search = filled.check();
        let Ok(search) = search else { panic!("{search:?}") };
        assert_eq!((search.stay.arrival(), search.stay.nights()), (date("2027-01-01"), 1));
        assert_eq!((search.guests, search.rooms), (Guests { adults: 2, children: 0 }, 1));
        let only = form("2026-12-24", "", "", "").filled(date("2026-12-01"));
        assert_eq!(only.departure, "2026-12-25");
        let wrong = form("soon", "", "3", "").filled(date("2026-12-01"));
        assert_eq!((wrong.arrival.as_str(), wrong.departure.as_str()), ("soon", ""), "what was typed stays");
    }

    #[test]
    fn what_makes_no_search_is_told_by_its_field() {
        for (form, field) in [
            (form("2026-12-24", "2026-12-27", "2", "1"), None),
            (form("2026-12-24", "2026-12-24", "2", "1"), Some("departure")),
            (form("2026-12-24", "2028-12-24", "2", "1"), Some("departure")),
            (form("2026-02-30", "2026-12-24", "2", "1"), Some("arrival")),
            (form("", "2026-12-24", "2", "1"), Some("arrival")),
            (form("2026-12-24", "2026-12-27", "0", "1"), Some("adults")),
            (form("2026-12-24", "2026-12-27", "two", "1"), Some("adults")),
            (form("2026-12-24", "2026-12-27", "2", "3"), Some("rooms")),
            (form("2026-12-24", "2026-12-27", "2", "51"), Some("rooms")),
        ] {
            let form = form.filled(date("2026-12-01"));
            let wrong = match form.check() {
                Err(Error::Invalid(fields)) => fields.into_keys().next(),
                _ => None,
            };
            assert_eq!(wrong.as_deref(), field, "{form:?}");
        }
    }

    #[test]
    fn an_address_reads_back_as_what_was_typed() {
        let typed = StayForm {
            place: "杭州 西湖".into(),
            sort: "price".into(),
            page: "2".into(),
            ..form("2026-12-24", "2026-12-27", "2", "1")
        };
        let href = typed.href("/stays");
        assert_eq!(
            href,
            "/stays?place=%E6%9D%AD%E5%B7%9E%20%E8%A5%BF%E6%B9%96&arrival=2026-12-24&departure=2026-12-27&adults=2&rooms=1&sort=price&page=2"
        );
        let pairs: Vec<_> = href["/stays?".len()..].split('&').filter_map(|pair| pair.split_once('=')).collect();
        let get = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let read = StayForm::read(get);
        assert_eq!(StayForm { place: typed.place.clone(), ..read }, typed);
        assert_eq!(
            StayForm { sort: "recommended".into(), page: "1".into(), ..StayForm::default() }.href("/stays"),
            "/stays"
        );
    }
}
