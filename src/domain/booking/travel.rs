//! What a page is told of departures: when they leave and arrive by the clocks there, what each fare costs and has left,
//! which seats are free; and what comes back from it: who travels, on which seats.

use super::{
    date::LocalDate,
    trips::{Section, Travellers},
    zone::LocalTime,
};
use crate::domain::{
    catalog::{Image, percent_encode},
    money::Amount,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// The most characters of a name, and of the number of a document.
pub const MAX_NAME: u32 = 80;
pub const MAX_DOCUMENT: u32 = 40;
/// Between the two ids of a [`Pick`] in an address.
const BETWEEN: char = '~';

/// Who travels or stays.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traveller {
    pub name: String,
    /// The number of an identity card or a passport; may be empty.
    #[serde(default)]
    pub document: String,
}

/// Who comes with a booking of an order, as the owner of the order writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Companions {
    pub title: String,
    /// What was booked, in words.
    pub label: String,
    /// How many come at most.
    pub most: i64,
    /// Whether they can still be changed.
    pub open: bool,
    pub people: Vec<Traveller>,
}

/// A fare of a departure that was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pick {
    pub departure_id: String,
    pub variant_id: String,
}

/// What somebody looks for, as it stands in an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TripAsk {
    /// `None` for today.
    pub date: Option<LocalDate>,
    /// The date of the way back; `None` for one way.
    pub back: Option<LocalDate>,
    /// Places by the names under which they are kept; `None` for the ends of the route.
    pub from: Option<String>,
    pub to: Option<String>,
    pub travellers: Travellers,
    /// What was chosen of the way there and of the way back.
    pub there: Option<Pick>,
    pub home: Option<Pick>,
}

/// One way of a trip that is put into the cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    pub departure_id: String,
    pub variant_id: String,
    pub from: usize,
    pub to: usize,
    /// As many as travellers need, where they are chosen.
    #[serde(default)]
    pub seats: Vec<String>,
}

/// A trip that is put into the cart, as a form sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TripChoice {
    pub travellers: Travellers,
    pub there: Way,
    #[serde(default)]
    pub home: Option<Way>,
}

/// A stop as somebody sees it who gets on or off there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub place: String,
    /// By the clock there.
    pub local: LocalTime,
}

/// A fare class on a departure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FareOffer {
    pub variant_id: String,
    /// Empty where there is only one.
    pub name: String,
    /// For all travellers.
    pub price: Amount,
    /// How many can still be had.
    pub left: i64,
    pub cabin_bags: i64,
    pub checked_grams: i64,
    /// Until when giving it up costs nothing, by the clock where it leaves; `None` where that always costs something.
    pub free_until: Option<LocalTime>,
    /// What it costs each traveller to move it to another departure; `None` where that cannot be done.
    pub change_fee: Option<Amount>,
}

/// A departure from one place to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voyage {
    pub id: String,
    pub section: Section,
    pub from: Call,
    pub to: Call,
    /// Where it stops on the way.
    pub via: Vec<String>,
    /// By how many dates the arrival is later.
    pub days_later: i64,
    pub duration_ms: i64,
    /// UTC milliseconds.
    pub leaves_at: i64,
    pub arrives_at: i64,
    /// Whether seats are chosen.
    pub seats_chosen: bool,
    pub fares: Vec<FareOffer>,
}

/// The departures of a date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepartureList {
    /// The first and the last date that can be booked.
    pub today: LocalDate,
    pub last: LocalDate,
    pub date: LocalDate,
    /// All stops, each by what is asked for and its name.
    pub places: Vec<(String, String)>,
    /// Between which of them.
    pub from: String,
    pub to: String,
    pub voyages: Vec<Voyage>,
    /// The next date on which anything leaves, where nothing leaves on this one.
    pub next: Option<LocalDate>,
}

/// Everything that an address asks for of a line: departures, and the seats of what was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TripOffer {
    pub there: DepartureList,
    /// Of the way back, where there is one.
    pub home: Option<DepartureList>,
    /// The seats of what was chosen; none where nobody chooses them.
    pub seats: Vec<SeatRow>,
    pub home_seats: Vec<SeatRow>,
}

/// A line in a list of trips, with its departures of a date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trip {
    pub handle: String,
    pub title: String,
    pub brand: String,
    pub image: Option<Image>,
    pub voyages: Vec<Voyage>,
}

/// Trips between two places on a date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TripList {
    pub today: LocalDate,
    pub date: LocalDate,
    pub places: Vec<(String, String)>,
    pub trips: Vec<Trip>,
}

/// A seat that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    pub name: String,
    pub free: bool,
}

/// A row of seats. `None` is the aisle, or a place without a seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatRow {
    pub number: String,
    pub seats: Vec<Option<Seat>>,
}

impl fmt::Debug for Traveller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Traveller(…)")
    }
}

impl Pick {
    /// Reads what stands in an address.
    pub fn parse(text: &str) -> Option<Self> {
        let (departure, variant) = text.split_once(BETWEEN)?;
        let some = |id: &str| (!id.is_empty()).then(|| id.to_owned());
        Some(Self { departure_id: some(departure)?, variant_id: some(variant)? })
    }
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{BETWEEN}{}", self.departure_id, self.variant_id)
    }
}

impl Default for TripAsk {
    /// One adult, one way.
    fn default() -> Self {
        Self {
            date: None,
            back: None,
            from: None,
            to: None,
            travellers: Travellers { adults: 1, children: 0, infants: 0 },
            there: None,
            home: None,
        }
    }
}

impl TripAsk {
    /// Reads the parameters of an address; what makes no sense is left out.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let date = |name: &str| text(name).and_then(|text| LocalDate::parse(&text));
        let count = |name: &str| text(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
        let asked = Travellers { adults: count("adults"), children: count("children"), infants: count("infants") };
        let travellers = if asked.is_possible() { asked } else { Self::default().travellers };
        let pick = |name: &str| text(name).and_then(|text| Pick::parse(&text));
        Self {
            date: date("date"),
            back: date("back"),
            from: text("from"),
            to: text("to"),
            travellers,
            there: pick("there"),
            home: pick("home"),
        }
    }

    /// The address of a page with this in it.
    pub fn href(&self, path: &str) -> String {
        let mut pairs: Vec<(&str, String)> = Vec::new();
        pairs.extend(self.from.clone().map(|place| ("from", place)));
        pairs.extend(self.to.clone().map(|place| ("to", place)));
        pairs.extend(self.date.map(|date| ("date", date.to_string())));
        pairs.extend(self.back.map(|date| ("back", date.to_string())));
        let Travellers { adults, children, infants } = self.travellers;
        pairs.extend(
            [("adults", adults), ("children", children), ("infants", infants)].map(|(name, n)| (name, n.to_string())),
        );
        pairs.extend(self.there.as_ref().map(|pick| ("there", pick.to_string())));
        pairs.extend(self.home.as_ref().map(|pick| ("home", pick.to_string())));
        let text: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", percent_encode(value))).collect();
        format!("{path}?{}", text.join("&"))
    }

    /// The way back: the same in the other direction. `from` and `to` are those of the way there.
    pub fn backwards(&self, from: &str, to: &str) -> Option<Self> {
        let date = Some(self.back?);
        Some(Self { date, back: None, from: Some(to.to_owned()), to: Some(from.to_owned()), ..self.clone() })
    }
}

/// Seats in rows, by the numbers at the beginning of their names, with an aisle in the middle of what is wider than two.
pub fn seat_rows(names: &[String], taken: impl Fn(&str) -> bool) -> Vec<SeatRow> {
    let parts = |name: &str| {
        let letters = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
        let (number, letters) = name.split_at(letters);
        (number.to_owned(), letters.to_owned())
    };
    let columns: BTreeSet<String> = names.iter().map(|name| parts(name).1).collect();
    let aisle = if columns.len() > 2 { columns.len().div_ceil(2) } else { columns.len() };
    let mut rows: Vec<SeatRow> = Vec::new();
    let mut numbers: Vec<String> = Vec::new();
    for name in names {
        let number = parts(name).0;
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    for number in numbers {
        let mut seats = Vec::new();
        for (place, column) in columns.iter().enumerate() {
            if place == aisle {
                seats.push(None);
            }
            let name = format!("{number}{column}");
            seats.push(names.contains(&name).then(|| Seat { free: !taken(&name), name }));
        }
        rows.push(SeatRow { number, seats });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn an_address_reads_back_as_what_it_was_made_from() {
        let pick = |departure: &str| Pick { departure_id: departure.into(), variant_id: "eco".into() };
        let asked = TripAsk {
            date: LocalDate::parse("2026-12-24"),
            back: LocalDate::parse("2026-12-27"),
            from: Some("深圳".into()),
            to: Some("成都".into()),
            travellers: Travellers { adults: 2, children: 1, infants: 1 },
            there: Some(pick("a")),
            home: Some(pick("b")),
        };
        let href = asked.href("/p/line");
        let pairs: BTreeMap<_, _> = [
            ("date", "2026-12-24"),
            ("back", "2026-12-27"),
            ("from", "深圳"),
            ("to", "成都"),
            ("adults", "2"),
            ("children", "1"),
            ("infants", "1"),
            ("there", "a~eco"),
            ("home", "b~eco"),
        ]
        .into();
        assert_eq!(TripAsk::parse(|name| pairs.get(name).map(|value| (*value).to_owned())), asked);
        assert!(href.ends_with("&adults=2&children=1&infants=1&there=a~eco&home=b~eco"), "{href}");
        let nonsense: BTreeMap<_, _> = [("adults", "0"), ("infants", "3"), ("date", "x"), ("there", "a~")].into();
        assert_eq!(TripAsk::parse(|name| nonsense.get(name).map(|value| (*value).to_owned())), TripAsk::default());
        let back = asked.backwards("深圳", "成都");
        assert_eq!(back.and_then(|back| Some((back.date?.to_string(), back.from?, back.to?))), {
            Some(("2026-12-27".to_owned(), "成都".to_owned(), "深圳".to_owned()))
        });
        assert_eq!(TripAsk::default().backwards("a", "b"), None);
    }

    #[test]
    fn seats_stand_in_rows_with_an_aisle() {
        let names: Vec<String> = ["1A", "1B", "1C", "1D", "2A", "2B", "2D", "10A"].map(str::to_owned).into();
        let rows = seat_rows(&names, |name| name == "1B");
        let told: Vec<_> = rows
            .iter()
            .map(|row| {
                let seats = row.seats.iter().map(|seat| match seat {
                    Some(seat) if seat.free => 'o',
                    Some(_) => 'x',
                    None => ' ',
                });
                (row.number.as_str(), seats.collect::<String>())
            })
            .collect();
        let expected = [("1", "ox oo"), ("2", "oo  o"), ("10", "o    ")];
        assert_eq!(told, expected.map(|(number, seats)| (number, seats.to_owned())));
        let single = seat_rows(&["7".to_owned()], |_| false);
        assert_eq!((single.len(), single[0].seats.len()), (1, 1));
        assert!(seat_rows(&[], |_| false).is_empty());
    }

    #[test]
    fn who_travels_is_in_no_debugging_text() {
        let who = Traveller { name: "欧阳晓".into(), document: "G12345678".into() };
        assert_eq!(format!("{who:?}"), "Traveller(…)");
    }
}
