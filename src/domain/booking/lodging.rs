//! Looking for a room: what somebody asks for, the nights of a room type as they are now, and what a page shows of both.

mod form;

pub use form::{StayForm, StayOrder, StaySearch};

use super::{
    cancellation::Cancellation,
    date::LocalDate,
    offer::RoomType,
    rates::{Night, StayPrice, StayProblem, StayRequest},
    stay::Stay,
    zone::{LocalTime, Zone},
};
use crate::domain::{
    catalog::Image,
    error::{Error, Result},
    money::Amount,
    page::Page,
    review::Rating,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many houses a page of a search shows.
pub const STAYS_PER_PAGE: i64 = 20;
/// How many days around those that were asked for other nights are looked for.
pub const NEAR_DAYS: i64 = 14;
/// How many other stays are offered at once.
pub const NEAR_STAYS: usize = 3;
/// Of so few rooms that are left it is told how many.
pub const FEW_ROOMS: i64 = 3;

/// The beds of a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Beds {
    /// For two, about 1.8 m wide and more.
    pub king: i64,
    /// For two, about 1.5 m wide.
    pub double: i64,
    pub single: i64,
    /// On the floor of a room with mats, for two each.
    pub tatami: i64,
}

/// What a house has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facility {
    Wifi,
    Parking,
    Transfer,
    AirConditioning,
    FloorHeating,
    Lift,
    StepFree,
    Restaurant,
    TeaRoom,
    Bar,
    Pool,
    HotSpring,
    Gym,
    Garden,
    Terrace,
    Kitchen,
    Laundry,
    Luggage,
    Family,
    Pets,
    NoSmoking,
}

/// A night of a room type, as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomNight {
    pub night: Night,
    /// How many rooms nobody has.
    pub left: i64,
}

/// The nights of a room type, as they are now. A night that is not in it cannot be had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomNights(BTreeMap<LocalDate, RoomNight>);

/// Why a room cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoomProblem {
    /// The guests do not fit into so many rooms; they do into these, if into any.
    Guests(Option<i64>),
    /// It is over, or further ahead than is sold.
    Date,
    Rule(StayProblem),
    /// Fewer rooms are left than are asked for.
    Left(i64),
}

/// Another stay that can be had, and the lowest total for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearStay {
    pub stay: Stay,
    pub total: Amount,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StayList {
    /// What was asked for, with dates and guests where none were named.
    pub form: StayForm,
    pub today: LocalDate,
    pub nights: i64,
    pub stays: Page<StayCard>,
    /// Where nothing was found: other dates for which something is free, the nearest first.
    pub near: Vec<NearStay>,
    /// Where nothing was found because of how many come: the fewest rooms that they fit into somewhere.
    pub rooms_needed: Option<i64>,
}

/// A house in a list, with the room type of which the stay costs least.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StayCard {
    pub product_id: String,
    pub handle: String,
    pub title: String,
    /// One sentence about it.
    pub lead: String,
    pub image: Option<Image>,
    /// Of its reviews.
    #[serde(default, skip_serializing_if = "Rating::is_none")]
    pub rating: Rating,
    /// Where it is, in words.
    pub region: String,
    pub facilities: Vec<Facility>,
    pub variant_id: String,
    /// What the room type is called.
    pub room: String,
    pub beds: Beds,
    /// How many of these rooms are left for all nights.
    pub left: i64,
    /// Of all rooms and nights, with tax.
    pub total: Amount,
    /// Of one room and night on average, with tax.
    pub per_night: Amount,
    /// By the clocks there; `None` where giving it up costs something at any time.
    pub free_until: Option<LocalTime>,
}

/// A house with all that can be booked there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct House {
    /// What was asked for, with dates and guests where none were named.
    pub form: StayForm,
    /// What is wrong with it.
    pub wrong: Option<Error>,
    /// By the clocks of the house, as all that follows.
    pub today: LocalDate,
    /// The last date on which a stay may begin.
    pub last: LocalDate,
    pub zone: Zone,
    pub region: String,
    pub address: String,
    /// Minutes of the day.
    pub check_in: i64,
    pub check_out: i64,
    pub facilities: Vec<Facility>,
    pub cancellation: Cancellation,
    pub nights: i64,
    /// In the order of the variants.
    pub rooms: Vec<RoomOffer>,
}

/// A room type, and what the stay that is asked for costs in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomOffer {
    pub variant_id: String,
    pub room: RoomType,
    /// Without breakfast; `None` where what was typed makes no stay.
    pub request: Option<StayRequest>,
    /// How many rooms are left for all nights.
    pub left: i64,
    /// `None` where it cannot be had.
    pub price: Option<StayPrice>,
    pub with_breakfast: Option<StayPrice>,
    /// By the clocks there; `None` where giving it up costs something at any time.
    pub free_until: Option<LocalTime>,
    /// Why it cannot be had.
    pub problem: Option<RoomProblem>,
    /// Where it cannot be had: the nearest stays as long that can.
    pub near: Vec<NearStay>,
}

/// Whether a night of a calendar can be had, in the order of what is told first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NightState {
    Free,
    /// [`FEW_ROOMS`] or fewer are left.
    Few,
    /// It can be slept through, and nobody may arrive.
    NoArrival,
    SoldOut,
    /// Not sold, or over.
    Closed,
}

/// A night of a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthNight {
    pub date: LocalDate,
    pub state: NightState,
    /// Of one room with the guests who are included, with tax.
    pub price: Option<Amount>,
    pub left: i64,
    /// The fewest nights of a stay that arrives on it.
    pub min_nights: i64,
}

/// A month of a room type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightList {
    pub variant_id: String,
    /// All days of the month.
    pub nights: Vec<MonthNight>,
    /// Whether the month before and the month after it have nights that can be asked for.
    pub before: bool,
    pub after: bool,
}

/// What a wish for a stay comes to now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    /// `None` where nobody can say.
    pub price: Option<Amount>,
    pub available: bool,
    /// UTC milliseconds, and the clocks by which they are meant.
    pub start: i64,
    pub end: i64,
    /// Until when giving it up costs nothing, in UTC milliseconds.
    pub free_until: i64,
    pub zone: Zone,
}

impl RoomNights {
    pub fn insert(&mut self, date: LocalDate, night: RoomNight) {
        self.0.insert(date, night);
    }

    pub fn get(&self, date: LocalDate) -> Option<RoomNight> {
        self.0.get(&date).copied()
    }

    /// What one room costs in each night of a stay, where so many rooms are left in all of them and the rules allow it.
    ///
    /// # Errors
    /// What is in the way.
    pub fn prices(&self, stay: Stay, rooms: i64) -> Result<Vec<Amount>, RoomProblem> {
        let rule = |problem| Err(RoomProblem::Rule(problem));
        let mut prices = Vec::new();
        for date in stay.dates() {
            match self.get(date) {
                Some(open) if !open.night.closed => prices.push(open.night.price),
                _ => return rule(StayProblem::Closed(date)),
            }
        }
        if let Some(RoomNight { night, .. }) = self.get(stay.arrival()) {
            if night.closed_to_arrival {
                return rule(StayProblem::ClosedToArrival);
            }
            if stay.nights() < night.min_nights {
                return rule(StayProblem::TooShort(night.min_nights));
            }
            if stay.nights() > night.max_nights {
                return rule(StayProblem::TooLong(night.max_nights));
            }
        }
        if self.get(stay.departure()).is_some_and(|open| open.night.closed_to_departure) {
            return rule(StayProblem::ClosedToDeparture);
        }
        let left = self.left(stay);
        if left < rooms { Err(RoomProblem::Left(left)) } else { Ok(prices) }
    }

    /// How many rooms are left for all nights of a stay.
    pub fn left(&self, stay: Stay) -> i64 {
        stay.rooms_left(|date| self.get(date).map(|open| open.left))
    }

    /// How a night is shown; `from` and `last` are the first and the last date on which a stay may begin.
    pub fn state(&self, date: LocalDate, (from, last): (LocalDate, LocalDate)) -> NightState {
        match self.get(date) {
            Some(open) if !open.night.closed && (from..=last).contains(&date) => {
                if open.left <= 0 {
                    NightState::SoldOut
                } else if open.night.closed_to_arrival {
                    NightState::NoArrival
                } else if open.left <= FEW_ROOMS {
                    NightState::Few
                } else {
                    NightState::Free
                }
            }
            _ => NightState::Closed,
        }
    }
}

impl Beds {
    pub const fn count(self) -> i64 {
        self.king + self.double + self.single + self.tatami
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{
        rates::{NightChange, RateCalendar, Season},
        samples::date,
    };
    use proptest::prelude::*;

    fn nights() -> impl Strategy<Value = Vec<Option<RoomNight>>> {
        let night = (1i64..500, 1i64..4, 3i64..8, prop::array::uniform3(prop::bool::weighted(0.15)), 0i64..4).prop_map(
            |(price, min_nights, max_nights, [closed_to_arrival, closed_to_departure, closed], left)| RoomNight {
                night: Night {
                    price: Amount(price),
                    min_nights,
                    max_nights,
                    closed_to_arrival,
                    closed_to_departure,
                    closed,
                },
                left,
            },
        );
        prop::collection::vec(prop::option::weighted(0.9, night), 12)
    }

    proptest! {
        /// The nights as they are now and the calendar of rates agree on what can be had.
        #[test]
        fn what_can_be_had_is_what_the_calendar_allows(
            nights in nights(), from in 0i64..10, length in 1i64..9, rooms in 1i64..4,
        ) {
            let first = date("2026-10-20");
            let Some(stay) = Stay::new(first.plus(from), first.plus(from + length)) else {
                return Err(TestCaseError::fail("no stay"));
            };
            let (mut known, mut seasons) = (RoomNights::default(), Vec::new());
            for (day, open) in (0..).zip(&nights) {
                let Some(open) = open else { continue };
                let date = first.plus(day);
                known.insert(date, *open);
                let night = open.night;
                let change = NightChange {
                    price: Some(night.price),
                    min_nights: Some(night.min_nights),
                    max_nights: Some(night.max_nights),
                    closed_to_arrival: Some(night.closed_to_arrival),
                    closed_to_departure: Some(night.closed_to_departure),
                    closed: Some(night.closed),
                };
                seasons.push(Season { first: date, last: date, weekdays: [true; 7], change });
            }
            let base = Night {
                price: Amount::ZERO, min_nights: 1, max_nights: 1,
                closed_to_arrival: false, closed_to_departure: false, closed: true,
            };
            let calendar = RateCalendar { base, seasons };
            let allowed = calendar.check(stay).is_ok() && known.left(stay) >= rooms;
            let prices = known.prices(stay, rooms);
            prop_assert_eq!(prices.is_ok(), allowed, "{:?}", prices);
            if let Ok(prices) = prices {
                let expected: Vec<_> = stay.dates().map(|date| calendar.night(date).price).collect();
                prop_assert_eq!(prices, expected);
            }
        }
    }
}
