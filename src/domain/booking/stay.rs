//! Stays: nights between two dates, who fits into how many rooms, and how many rooms are left.
//!
//! A night is named by the date on which it begins. Nights are counted in dates, so that clocks that are changed meanwhile
//! neither add one nor take one away.

use super::{date::LocalDate, interval::Interval, zone::Zone};
use serde::{Deserialize, Serialize};

/// The most nights of one stay.
pub const MAX_NIGHTS: i64 = 365;
/// The most rooms of one stay.
pub const MAX_ROOMS: i64 = 50;
/// The most guests of one stay, adults and children each.
pub const MAX_GUESTS: i64 = 500;

/// From the date of arrival to that of departure; at least one night, and no more than [`MAX_NIGHTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(LocalDate, LocalDate)", into = "(LocalDate, LocalDate)")]
pub struct Stay {
    arrival: LocalDate,
    departure: LocalDate,
}

/// Who comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guests {
    pub adults: i64,
    pub children: i64,
}

/// How many fit into one room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occupancy {
    pub adults: i64,
    pub children: i64,
    /// Of both together; adults and children alone may be less each.
    pub guests: i64,
}

impl Stay {
    /// `None` where there is no night between the dates, or too many.
    pub fn new(arrival: LocalDate, departure: LocalDate) -> Option<Self> {
        (1..=MAX_NIGHTS).contains(&arrival.until(departure)).then_some(Self { arrival, departure })
    }

    pub const fn arrival(self) -> LocalDate {
        self.arrival
    }

    pub const fn departure(self) -> LocalDate {
        self.departure
    }

    pub const fn nights(self) -> i64 {
        self.arrival.until(self.departure)
    }

    /// The dates on which its nights begin.
    pub fn dates(self) -> impl Iterator<Item = LocalDate> {
        self.arrival.up_to(self.departure)
    }

    /// Whether both need a room in one night. One may arrive on the day the other leaves.
    pub fn overlaps(self, other: Self) -> bool {
        self.arrival < other.departure && other.arrival < self.departure
    }

    /// From check-in to check-out, which the venue names as minutes of the day.
    pub fn time(self, zone: &Zone, check_in: i64, check_out: i64) -> Interval {
        Interval { start: zone.at(self.arrival, check_in), end: zone.at(self.departure, check_out) }
    }

    /// Stays as long as this one that begin up to so many days later or earlier, the nearest first, the later of two first.
    pub fn nearby(self, days: i64) -> impl Iterator<Item = Self> {
        (1..=days)
            .flat_map(|by| [by, -by])
            .filter_map(move |by| Self::new(self.arrival.plus(by), self.departure.plus(by)))
    }

    /// The rooms of a type that are left for all of a stay: what its scarcest night has. `left` tells what a night has; a
    /// night that it does not know has none.
    pub fn rooms_left(self, left: impl Fn(LocalDate) -> Option<i64>) -> i64 {
        self.dates().map(|night| left(night).unwrap_or(0).max(0)).min().unwrap_or(0)
    }
}

impl From<Stay> for (LocalDate, LocalDate) {
    fn from(stay: Stay) -> Self {
        (stay.arrival, stay.departure)
    }
}

impl TryFrom<(LocalDate, LocalDate)> for Stay {
    type Error = &'static str;

    fn try_from((arrival, departure): (LocalDate, LocalDate)) -> Result<Self, Self::Error> {
        Self::new(arrival, departure).ok_or("no nights of a stay")
    }
}

impl Guests {
    pub const fn count(self) -> i64 {
        self.adults + self.children
    }

    /// Whether so many may be asked for at all.
    pub fn is_possible(self) -> bool {
        (1..=MAX_GUESTS).contains(&self.adults) && (0..=MAX_GUESTS).contains(&self.children)
    }
}

impl Occupancy {
    /// Whether guests fit into so many rooms with an adult in each. Adults are spread evenly: that leaves most room for
    /// children.
    pub fn fits(&self, guests: Guests, rooms: i64) -> bool {
        if !guests.is_possible() || !(1..=MAX_ROOMS).contains(&rooms) || guests.adults < rooms {
            return false;
        }
        let (fewer, rooms_with_more) = (guests.adults / rooms, guests.adults % rooms);
        let most = if rooms_with_more > 0 { fewer + 1 } else { fewer };
        let beds_for_children = |adults: i64| self.children.min(self.guests - adults).max(0);
        let children =
            rooms_with_more * beds_for_children(fewer + 1) + (rooms - rooms_with_more) * beds_for_children(fewer);
        most <= self.adults.min(self.guests) && guests.children <= children
    }

    /// The fewest rooms that guests fit into.
    pub fn rooms_for(&self, guests: Guests) -> Option<i64> {
        (1..=MAX_ROOMS).find(|rooms| self.fits(guests, *rooms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{DAY_MS, HOUR_MS, samples::*};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn stay(arrival: &str, departure: &str) -> Stay {
        match Stay::new(date(arrival), date(departure)) {
            Some(stay) => stay,
            None => panic!("no stay from {arrival} to {departure}"),
        }
    }

    #[test]
    fn nights_are_counted_in_dates_whatever_clocks_do() {
        let table = [
            (berlin(), "2026-03-28", "2026-03-29", 1, 20),
            (berlin(), "2026-03-28", "2026-03-31", 3, 3 * 24 - 4),
            (berlin(), "2026-10-24", "2026-10-26", 2, 2 * 24 - 2),
            (berlin(), "2026-05-01", "2026-05-02", 1, 21),
        ];
        for (zone, arrival, departure, nights, hours) in table {
            let stay = stay(arrival, departure);
            assert_eq!(stay.nights(), nights, "{arrival}");
            assert_eq!(stay.time(&zone, 15 * 60, 12 * 60).length(), hours * HOUR_MS, "{arrival}");
        }
    }

    #[test]
    fn a_stay_has_a_night_and_not_too_many() {
        assert_eq!(Stay::new(date("2026-05-01"), date("2026-05-01")), None);
        assert_eq!(Stay::new(date("2026-05-02"), date("2026-05-01")), None);
        assert!(Stay::new(date("2026-01-01"), date("2027-01-01")).is_some());
        assert_eq!(Stay::new(date("2026-01-01"), date("2027-01-02")), None);
        assert_eq!(serde_json::from_str::<Stay>(r#"["2026-05-02","2026-05-01"]"#).ok(), None);
        assert!(!stay("2026-05-01", "2026-05-03").overlaps(stay("2026-05-03", "2026-05-04")));
        assert!(stay("2026-05-01", "2026-05-03").overlaps(stay("2026-05-02", "2026-05-03")));
    }

    #[test]
    fn the_nearest_other_stays_come_first() {
        let found: Vec<_> = stay("2026-05-01", "2026-05-03").nearby(2).map(|stay| stay.arrival().to_string()).collect();
        assert_eq!(found, ["2026-05-02", "2026-04-30", "2026-05-03", "2026-04-29"]);
    }

    #[test]
    fn families_fit_where_everybody_has_a_bed() {
        let double = Occupancy { adults: 2, children: 1, guests: 3 };
        let fits = |adults, children, rooms| double.fits(Guests { adults, children }, rooms);
        assert!(fits(2, 1, 1) && fits(1, 1, 1) && fits(4, 2, 2) && fits(3, 2, 2));
        assert!(!fits(3, 0, 1) && !fits(2, 2, 1) && !fits(0, 1, 1) && !fits(1, 1, 2) && !fits(2, 1, 0));
        assert_eq!(double.rooms_for(Guests { adults: 5, children: 0 }), Some(3));
        assert_eq!(double.rooms_for(Guests { adults: 1, children: 2 }), None);
    }

    /// The reference: guests are put into rooms one room after the other, in every way there is.
    fn fits_somehow(occupancy: &Occupancy, guests: Guests, rooms: i64) -> bool {
        if rooms == 0 {
            return guests.count() == 0;
        }
        (1..=occupancy.adults.min(guests.adults)).any(|adults| {
            (0..=occupancy.children.min(guests.children)).any(|children| {
                let rest = Guests { adults: guests.adults - adults, children: guests.children - children };
                adults + children <= occupancy.guests && fits_somehow(occupancy, rest, rooms - 1)
            })
        })
    }

    proptest! {
        #[test]
        fn nights_across_any_change_of_clocks_are_the_dates_between(
            zone in zones(), arrival in days(), nights in 1i64..20, check_in in 0i64..1440, check_out in 0i64..1440,
        ) {
            let Some(stay) = Stay::new(arrival, arrival.plus(nights)) else { return Ok(()) };
            prop_assert_eq!(stay.nights(), nights);
            prop_assert_eq!(stay.dates().count() as i64, nights);
            prop_assert!(stay.dates().all(|night| stay.arrival() <= night && night < stay.departure()));
            // However long they are: in hours they would be another number.
            let midnights = Interval { start: zone.day(arrival).start, end: zone.day(stay.departure()).start };
            let hours_off = (midnights.length() - nights * DAY_MS).abs();
            let most = if zone.name() == "Pacific/Apia" { DAY_MS } else { HOUR_MS };
            prop_assert!(hours_off <= most);
            // And the dates on the clock at check-in and check-out are those of the stay.
            if zone.name() != "Pacific/Apia" {
                let time = stay.time(&zone, check_in, check_out);
                let (first, last) = (zone.local(time.start).date, zone.local(time.end).date);
                prop_assert_eq!(first.until(last), nights);
            }
        }

        #[test]
        fn rooms_fit_guests_where_some_way_to_put_them_does(
            adults in 0i64..7, children in 0i64..6, rooms in 1i64..5,
            occupancy in (1i64..4, 0i64..4, 1i64..5).prop_map(|(adults, children, guests)| Occupancy { adults, children, guests }),
        ) {
            let guests = Guests { adults, children };
            prop_assert_eq!(occupancy.fits(guests, rooms), fits_somehow(&occupancy, guests, rooms));
        }

        #[test]
        fn nights_are_never_sold_beyond_the_rooms_there_are(
            rooms in prop::collection::vec(0i64..5, 12),
            wishes in prop::collection::vec((0i64..14, 1i64..6, 1i64..4), 0..40),
        ) {
            let first = date("2026-03-22");
            let capacity: BTreeMap<_, _> = first.up_to(first.plus(12)).zip(rooms).collect();
            let mut left = capacity.clone();
            let mut sold: BTreeMap<LocalDate, i64> = BTreeMap::new();
            for (from, nights, wanted) in wishes {
                let Some(stay) = Stay::new(first.plus(from), first.plus(from + nights)) else { continue };
                let offered = stay.rooms_left(|night| left.get(&night).copied());
                let refused = stay.dates().any(|night| left.get(&night).is_none_or(|left| *left < wanted));
                prop_assert_eq!(wanted <= offered, !refused);
                if wanted <= offered {
                    for night in stay.dates() {
                        if let Some(left) = left.get_mut(&night) {
                            *left -= wanted;
                        }
                        *sold.entry(night).or_default() += wanted;
                    }
                }
            }
            for (night, sold) in sold {
                prop_assert!(sold <= capacity.get(&night).copied().unwrap_or(0), "{night}");
            }
        }
    }
}
