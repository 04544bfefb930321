//! What somebody wants to book: the part of a cart line that goods do not have. It is a wish and holds nothing; whether it
//! can be had, and for how much, is found out whenever it is looked at.

use super::{
    date::LocalDate,
    offer::Kind,
    rates::StayRequest,
    row::are_few,
    seating::{Request, area_name},
    stay::{MAX_GUESTS, MAX_ROOMS},
    trips::{Section, Travellers},
    zone::Zone,
};
use crate::domain::{
    Locale,
    error::{Check, Error, Problem, Result},
    texts::booking as t,
};
use serde::{Deserialize, Serialize};

/// Between the parts of what is said of a booking.
const BETWEEN: &str = " · ";

/// The most add-ons of one visit.
pub const MAX_ADD_ONS: usize = 20;
/// The longest id or name in a wish, in bytes.
const MAX_ID: usize = 100;

/// One booking that somebody wants. A way back is another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Wish {
    /// Nights in rooms of the type.
    Stay(StayRequest),
    /// Places on a departure, for the fare. `seats` names as many as travellers need where they are chosen, and none where
    /// they are not.
    Trip {
        departure_id: String,
        section: Section,
        travellers: Travellers,
        #[serde(default)]
        seats: Vec<String>,
    },
    /// A table for a party, from a moment (UTC milliseconds) on; anywhere unless an area is named.
    Table {
        start: i64,
        guests: i64,
        #[serde(default)]
        area: Option<String>,
        /// What the party asks for along with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        requests: Vec<Request>,
    },
    /// The service from a moment (UTC milliseconds) on, by a person or, where none is named, by anyone; with add-ons by
    /// their places in the list of the service. A person who is named begins; `further` are the variants of what is done
    /// after it in the same visit, in this order.
    Visit {
        start: i64,
        #[serde(default)]
        person: Option<String>,
        #[serde(default)]
        add_ons: Vec<usize>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        further: Vec<String>,
    },
}

impl Wish {
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Stay(_) => Kind::Stay,
            Self::Trip { .. } => Kind::Trip,
            Self::Table { .. } => Kind::Table,
            Self::Visit { .. } => Kind::Visit,
        }
    }

    /// As a form sends it: JSON.
    pub fn text(&self) -> String {
        // Nothing in it can fail: no map has keys that are no texts, and all numbers are whole.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads one from a form, where it is JSON.
    ///
    /// # Errors
    /// [`Error::Invalid`] for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|_| Error::field("wish", Problem::Choice))
    }

    /// Whether anybody could want it; the same check on both sides.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the problem of each field.
    pub fn check(&self) -> Result<()> {
        let mut check = Check::default();
        let id = |text: &str| !text.is_empty() && text.len() <= MAX_ID;
        match self {
            Self::Stay(request) => {
                if !request.guests.is_possible() {
                    check.add("guests", Problem::Range(1, MAX_GUESTS));
                }
                if !(1..=MAX_ROOMS).contains(&request.rooms) {
                    check.add("rooms", Problem::Range(1, MAX_ROOMS));
                }
            }
            Self::Trip { departure_id, travellers, seats, .. } => {
                if !id(departure_id) {
                    check.add("departure_id", Problem::Choice);
                }
                if !travellers.is_possible() {
                    check.add("travellers", Problem::Choice);
                }
                let mut names: Vec<_> = seats.iter().collect();
                names.sort_unstable();
                names.dedup();
                let all =
                    seats.is_empty() || usize::try_from(travellers.seats()).is_ok_and(|wanted| wanted == seats.len());
                if !all || names.len() != seats.len() || !seats.iter().all(|seat| id(seat)) {
                    check.add("seats", Problem::Choice);
                }
            }
            Self::Table { guests, area, requests, .. } => {
                if !(1..=MAX_GUESTS).contains(guests) {
                    check.add("guests", Problem::Range(1, MAX_GUESTS));
                }
                if !area.as_deref().is_none_or(id) {
                    check.add("area", Problem::Choice);
                }
                // Each once at most.
                if !requests.is_sorted_by(|a, b| a < b) {
                    check.add("requests", Problem::Choice);
                }
            }
            Self::Visit { person, add_ons, further, .. } => {
                if !person.as_deref().is_none_or(id) {
                    check.add("person", Problem::Choice);
                }
                let mut places = add_ons.clone();
                places.sort_unstable();
                places.dedup();
                if places.len() != add_ons.len() || places.len() > MAX_ADD_ONS {
                    check.add("add_ons", Problem::Choice);
                }
                if !are_few(further) || !further.iter().all(|other| id(other)) {
                    check.add("further", Problem::Choice);
                }
            }
        }
        check.finish()
    }

    /// In words, by the clocks of the venue; `start` is when it begins, and `person` the name of whoever was chosen.
    pub fn words(&self, locale: Locale, zone: &Zone, start: i64, person: Option<&str>) -> String {
        let mut parts = Vec::new();
        let when = || {
            let local = zone.local(start);
            format!("{} {}", local.date, local.clock())
        };
        match self {
            Self::Stay(request) => {
                let (arrival, departure): (LocalDate, LocalDate) = request.stay.into();
                parts.push(format!("{arrival} – {departure}"));
                parts.push(locale.n(t::NIGHTS_ONE, t::NIGHTS, request.stay.nights()));
                parts.push(locale.n(t::GUESTS_ONE, t::GUESTS, request.guests.count()));
                parts.push(locale.n(t::ROOMS_ONE, t::ROOMS, request.rooms));
                if request.breakfast {
                    parts.push(locale.t(t::BREAKFAST).to_owned());
                }
            }
            Self::Trip { travellers, seats, .. } => {
                parts.push(when());
                parts.push(locale.n(t::TRAVELLERS_ONE, t::TRAVELLERS, travellers.seats() + travellers.infants));
                if !seats.is_empty() {
                    parts.push(locale.f(t::SEATS, &[("seats", &seats.join(", "))]));
                }
            }
            Self::Table { guests, area, requests, .. } => {
                parts.push(when());
                parts.push(locale.n(t::GUESTS_ONE, t::GUESTS, *guests));
                parts.extend(area.as_deref().map(|area| area_name(locale, area)));
                parts.extend(requests.iter().map(|request| request.words(locale).to_owned()));
            }
            Self::Visit { .. } => {
                parts.push(when());
                parts.extend(person.map(str::to_owned));
            }
        }
        parts.join(BETWEEN)
    }
}

/// What [`Wish::words`] say besides the time, for where that is told by the clocks of the venue.
pub fn beside_time(words: &str) -> &str {
    words.split_once(BETWEEN).map_or("", |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{
        samples::{berlin, date, utc},
        stay::{Guests, Stay},
    };

    fn stay(arrival: &str, departure: &str, rooms: i64, adults: i64) -> Wish {
        let Some(stay) = Stay::new(date(arrival), date(departure)) else { panic!("no stay") };
        Wish::Stay(StayRequest { stay, guests: Guests { adults, children: 1 }, rooms, breakfast: true })
    }

    fn trip(seats: &[&str]) -> Wish {
        let Some(section) = Section::new(0, 2) else { panic!("no section") };
        let travellers = Travellers { adults: 2, children: 0, infants: 1 };
        let seats = seats.iter().map(|seat| (*seat).to_owned()).collect();
        Wish::Trip { departure_id: "d".into(), section, travellers, seats }
    }

    #[test]
    fn what_nobody_could_want_is_refused_by_its_field() {
        let table = |guests, area: &str| Wish::Table { start: 0, guests, area: Some(area.into()), requests: vec![] };
        let asking =
            |requests: &[Request]| Wish::Table { start: 0, guests: 2, area: None, requests: requests.to_vec() };
        let with = |add_ons: &[usize], further: &[&str]| {
            let further = further.iter().map(|id| (*id).to_owned()).collect();
            Wish::Visit { start: 0, person: None, add_ons: add_ons.to_vec(), further }
        };
        let visit = |add_ons: &[usize]| with(add_ons, &[]);
        let crowd = |adults, children| {
            let Some(section) = Section::new(0, 2) else { panic!("no section") };
            let travellers = Travellers { adults, children, infants: 0 };
            Wish::Trip { departure_id: "d".into(), section, travellers, seats: vec!["1A".into()] }
        };
        let long = "x".repeat(MAX_ID + 1);
        for (wish, field) in [
            (stay("2026-12-24", "2026-12-27", 1, 2), None),
            (stay("2026-12-24", "2026-12-27", 0, 2), Some("rooms")),
            (stay("2026-12-24", "2026-12-27", 1, 0), Some("guests")),
            (trip(&[]), None),
            (trip(&["1A", "1B"]), None),
            (trip(&["1A"]), Some("seats")),
            (trip(&["1A", "1A"]), Some("seats")),
            (trip(&["1A", &long]), Some("seats")),
            (crowd(i64::MAX, i64::MAX), Some("travellers")),
            (crowd(i64::MIN, i64::MIN), Some("travellers")),
            (table(2, "Terrace"), None),
            (table(0, "Terrace"), Some("guests")),
            (table(2, ""), Some("area")),
            (asking(&[Request::ChildSeat, Request::Birthday]), None),
            (asking(&[Request::Birthday, Request::Birthday]), Some("requests")),
            (visit(&[1, 0]), None),
            (visit(&[1, 1]), Some("add_ons")),
            (with(&[], &["a", "b", "c"]), None),
            (with(&[], &["a", "a"]), Some("further")),
            (with(&[], &["a", "b", "c", "d"]), Some("further")),
            (with(&[], &[""]), Some("further")),
        ] {
            let problem = |field: &str| wish.check().err().and_then(|error| error.problem(field));
            match field {
                None => assert_eq!(wish.check(), Ok(()), "{wish:?}"),
                Some(field) => assert!(problem(field).is_some(), "{wish:?}"),
            }
        }
    }

    #[test]
    fn a_wish_is_told_in_words_by_the_clocks_of_the_venue() {
        let start = utc("2026-12-24", 18 * 60);
        let requests = vec![Request::ChildSeat, Request::Quiet];
        let table = Wish::Table { start, guests: 1, area: Some("Rose room".into()), requests };
        let visit = Wish::Visit { start, person: Some("r".into()), add_ons: vec![], further: vec![] };
        for (wish, person, words) in [
            (
                stay("2026-12-24", "2026-12-27", 1, 2),
                None,
                "2026-12-24 – 2026-12-27 · 3 nights · 3 guests · 1 room · breakfast",
            ),
            (trip(&["1A", "1B"]), None, "2026-12-24 19:00 · 3 travellers · seats 1A, 1B"),
            (table, None, "2026-12-24 19:00 · 1 guest · Rose room · high chair · quiet table"),
            (visit, Some("Lin"), "2026-12-24 19:00 · Lin"),
        ] {
            assert_eq!(wish.words(Locale::En, &berlin(), start, person), words);
            assert!(words.ends_with(beside_time(words)) && !beside_time(words).contains(':'), "{words}");
            assert!(!wish.words(Locale::ZhCn, &berlin(), start, person).is_empty());
        }
    }

    #[test]
    fn wishes_read_back_from_json() -> Result<(), serde_json::Error> {
        let visit = Wish::Visit { start: 5, person: None, add_ons: vec![1], further: vec!["f".into()] };
        for wish in [stay("2026-12-24", "2026-12-27", 1, 2), trip(&["1A", "1B"]), visit] {
            assert_eq!(serde_json::from_str::<Wish>(&serde_json::to_string(&wish)?)?, wish);
        }
        let visit = Wish::Visit { start: 5, person: Some("wu".into()), add_ons: vec![], further: vec![] };
        assert!(!visit.text().contains("further"), "what waits for one is found by its text");
        assert_eq!(Wish::parse(&visit.text()), Ok(visit));
        let never = r#"{"kind":"stay","stay":["2026-12-24","2026-12-24"],"guests":{"adults":1,"children":0},"rooms":1,"breakfast":false}"#;
        assert_eq!(Wish::parse(never), Err(Error::field("wish", Problem::Choice)), "a stay of no nights");
        Ok(())
    }
}
