//! What nights cost and when they can be had: the calendar of a room type, and the price of a stay.

use super::{
    WHOLE,
    date::LocalDate,
    stay::{Guests, MAX_ROOMS, Stay},
};
use crate::domain::money::Amount;
use serde::{Deserialize, Serialize};

/// The rules of one night of a room type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Night {
    /// Of one room, with the guests who are included.
    pub price: Amount,
    /// Of a stay that arrives on this date: the fewest and the most nights.
    pub min_nights: i64,
    pub max_nights: i64,
    /// Nobody may arrive on this date, or leave on it; both may sleep through it.
    pub closed_to_arrival: bool,
    pub closed_to_departure: bool,
    /// Not to be had.
    pub closed: bool,
}

/// What is otherwise on some dates; `None` leaves it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightChange {
    pub price: Option<Amount>,
    pub min_nights: Option<i64>,
    pub max_nights: Option<i64>,
    pub closed_to_arrival: Option<bool>,
    pub closed_to_departure: Option<bool>,
    pub closed: Option<bool>,
}

/// Dates on which something is otherwise: a season, weekends, a fair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Season {
    /// The first and the last date.
    pub first: LocalDate,
    pub last: LocalDate,
    /// Of these the days of the week that are meant, Monday first.
    pub weekdays: [bool; 7],
    pub change: NightChange,
}

/// The nights of a room type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateCalendar {
    pub base: Night,
    /// Later ones win over earlier ones, each thing by itself.
    pub seasons: Vec<Season>,
}

/// Why a stay cannot be had, whatever is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StayProblem {
    /// This night is not to be had.
    Closed(LocalDate),
    ClosedToArrival,
    ClosedToDeparture,
    /// It has fewer nights than so many.
    TooShort(i64),
    /// It has more nights than so many.
    TooLong(i64),
}

/// What is paid beside the nights. A price is of one guest and one night.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charges {
    /// So many guests of a room are in its price; adults take these places first.
    pub included_guests: i64,
    pub extra_adult: Amount,
    pub extra_child: Amount,
    /// `None` where there is none to be had.
    pub breakfast: Option<Amount>,
    /// On top of everything, in basis points of it.
    pub tax_basis_points: i64,
}

/// A stay that somebody asks the price of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StayRequest {
    pub stay: Stay,
    pub guests: Guests,
    pub rooms: i64,
    pub breakfast: bool,
}

/// The price of a stay, for all rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StayPrice {
    /// What each night costs with extra guests and breakfast, before tax.
    pub nights: Vec<Amount>,
    pub rooms: Amount,
    pub extra_guests: Amount,
    pub breakfast: Amount,
    pub tax: Amount,
    /// All of the above.
    pub total: Amount,
    /// The total of one room and night on average, rounded: for lists, and for nothing that is paid.
    pub per_night: Amount,
}

impl Season {
    pub fn has(&self, date: LocalDate) -> bool {
        self.first <= date && date <= self.last && self.weekdays.get(date.weekday()).copied().unwrap_or(false)
    }
}

impl RateCalendar {
    /// The rules of a night.
    pub fn night(&self, date: LocalDate) -> Night {
        let seasons = self.seasons.iter().filter(|season| season.has(date));
        seasons.fold(self.base, |night, season| season.change.on(night))
    }

    /// Whether the rules allow a stay; how many rooms are left is another question.
    ///
    /// # Errors
    /// The first that is in the way, as a customer would want to know of them.
    pub fn check(&self, stay: Stay) -> Result<(), StayProblem> {
        if let Some(night) = stay.dates().find(|date| self.night(*date).closed) {
            return Err(StayProblem::Closed(night));
        }
        let arrival = self.night(stay.arrival());
        if arrival.closed_to_arrival {
            Err(StayProblem::ClosedToArrival)
        } else if self.night(stay.departure()).closed_to_departure {
            Err(StayProblem::ClosedToDeparture)
        } else if stay.nights() < arrival.min_nights {
            Err(StayProblem::TooShort(arrival.min_nights))
        } else if stay.nights() > arrival.max_nights {
            Err(StayProblem::TooLong(arrival.max_nights))
        } else {
            Ok(())
        }
    }

    /// What a stay costs. `None` for no rooms or guests, too many of them, or breakfast where there is none.
    pub fn price(&self, charges: &Charges, request: &StayRequest) -> Option<StayPrice> {
        let nights: Vec<_> = request.stay.dates().map(|date| self.night(date).price).collect();
        charges.price(request, &nights)
    }
}

impl NightChange {
    /// A night with what is otherwise.
    pub fn on(&self, night: Night) -> Night {
        Night {
            price: self.price.unwrap_or(night.price),
            min_nights: self.min_nights.unwrap_or(night.min_nights),
            max_nights: self.max_nights.unwrap_or(night.max_nights),
            closed_to_arrival: self.closed_to_arrival.unwrap_or(night.closed_to_arrival),
            closed_to_departure: self.closed_to_departure.unwrap_or(night.closed_to_departure),
            closed: self.closed.unwrap_or(night.closed),
        }
    }
}

impl Charges {
    /// The price of a stay of which one room costs so much in each night. `None` for no rooms or guests, too many of them,
    /// or breakfast where there is none.
    pub fn price(&self, request: &StayRequest, nights: &[Amount]) -> Option<StayPrice> {
        let StayRequest { stay, guests, rooms, breakfast } = *request;
        if !guests.is_possible() || !(1..=MAX_ROOMS).contains(&rooms) {
            return None;
        }
        let extra = self.extra_guests(guests, rooms);
        let breakfast = if breakfast { self.breakfast? * guests.count() } else { Amount::ZERO };
        let rooms_total = nights.iter().copied().sum::<Amount>() * rooms;
        let before_tax = rooms_total + (extra + breakfast) * stay.nights();
        let tax = before_tax.ratio(self.tax_basis_points, WHOLE)?;
        let total = before_tax + tax;
        Some(StayPrice {
            nights: nights.iter().map(|night| *night * rooms + extra + breakfast).collect(),
            rooms: rooms_total,
            extra_guests: extra * stay.nights(),
            breakfast: breakfast * stay.nights(),
            tax,
            total,
            per_night: total.ratio(1, stay.nights() * rooms)?,
        })
    }

    /// An amount with the tax on top of it, rounded: for calendars, and for nothing that is paid.
    pub fn with_tax(&self, amount: Amount) -> Amount {
        amount.ratio(WHOLE.saturating_add(self.tax_basis_points), WHOLE).unwrap_or(amount)
    }

    /// What the guests beyond those who are included cost in a night, in all rooms together.
    pub fn extra_guests(&self, guests: Guests, rooms: i64) -> Amount {
        let included = self.included_guests.max(0).saturating_mul(rooms.max(0));
        let adults = (guests.adults - included).max(0);
        let children = (guests.children - (included - guests.adults).max(0)).max(0);
        self.extra_adult * adults + self.extra_child * children
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{samples::*, stay::MAX_NIGHTS};
    use proptest::prelude::*;

    const BASE: Night = Night {
        price: Amount(50_000),
        min_nights: 1,
        max_nights: 28,
        closed_to_arrival: false,
        closed_to_departure: false,
        closed: false,
    };

    fn season(first: &str, last: &str, weekdays: [bool; 7], change: NightChange) -> Season {
        Season { first: date(first), last: date(last), weekdays, change }
    }

    fn calendar() -> RateCalendar {
        let [all, weekend] = [[true; 7], [false, false, false, false, true, true, false]];
        let none = NightChange::default();
        RateCalendar {
            base: BASE,
            seasons: vec![
                season("2026-01-01", "2026-12-31", weekend, NightChange { price: Some(Amount(60_000)), ..none }),
                season(
                    "2026-10-01",
                    "2026-10-07",
                    all,
                    NightChange { price: Some(Amount(90_000)), min_nights: Some(3), ..none },
                ),
                season("2026-10-01", "2026-10-01", all, NightChange { closed_to_arrival: Some(true), ..none }),
                season("2026-10-05", "2026-10-05", all, NightChange { closed_to_departure: Some(true), ..none }),
                season("2026-12-24", "2026-12-25", all, NightChange { closed: Some(true), ..none }),
            ],
        }
    }

    fn stay(arrival: &str, nights: i64) -> Stay {
        match Stay::new(date(arrival), date(arrival).plus(nights)) {
            Some(stay) => stay,
            None => panic!("no stay of {nights} nights"),
        }
    }

    #[test]
    fn later_seasons_win_each_thing_by_itself() {
        let price = |day| calendar().night(date(day)).price;
        assert_eq!(price("2026-05-06"), Amount(50_000));
        assert_eq!(price("2026-05-08"), Amount(60_000), "a Friday");
        assert_eq!(price("2026-10-02"), Amount(90_000), "a Friday of the holidays");
        let first = calendar().night(date("2026-10-01"));
        assert_eq!((first.price, first.min_nights, first.closed_to_arrival), (Amount(90_000), 3, true));
    }

    #[test]
    fn the_rules_of_the_calendar_say_what_is_in_the_way() {
        let check = |arrival, nights| calendar().check(stay(arrival, nights));
        assert_eq!(check("2026-05-06", 2), Ok(()));
        assert_eq!(check("2026-05-06", 29), Err(StayProblem::TooLong(28)));
        assert_eq!(check("2026-10-01", 3), Err(StayProblem::ClosedToArrival));
        assert_eq!(check("2026-10-02", 2), Err(StayProblem::TooShort(3)));
        assert_eq!(check("2026-10-02", 3), Err(StayProblem::ClosedToDeparture));
        assert_eq!(check("2026-10-02", 4), Ok(()));
        assert_eq!(check("2026-09-30", 1), Ok(()), "who leaves on a date is not bound by its nights");
        assert_eq!(check("2026-12-23", 2), Err(StayProblem::Closed(date("2026-12-24"))));
        assert_eq!(check("2026-12-23", 1), Ok(()));
    }

    #[test]
    fn a_stay_across_a_change_of_clocks_costs_its_nights() {
        let request = StayRequest {
            stay: stay("2026-03-27", 3),
            guests: Guests { adults: 2, children: 0 },
            rooms: 1,
            breakfast: false,
        };
        let charges = Charges { included_guests: 2, ..Charges::default() };
        let price = calendar().price(&charges, &request);
        let nights = price.as_ref().map(|price| price.nights.clone());
        assert_eq!(nights, Some(vec![Amount(60_000), Amount(60_000), Amount(50_000)]), "Friday, Saturday, Sunday");
        assert_eq!(price.map(|price| (price.total, price.per_night)), Some((Amount(170_000), Amount(56_667))));
    }

    #[test]
    fn adults_take_the_places_that_are_included_first() {
        let charges =
            Charges { included_guests: 2, extra_adult: Amount(100), extra_child: Amount(10), ..Charges::default() };
        let extra = |adults, children, rooms| charges.extra_guests(Guests { adults, children }, rooms).0;
        assert_eq!(
            [extra(2, 0, 1), extra(1, 1, 1), extra(1, 2, 1), extra(3, 1, 1), extra(3, 2, 2)],
            [0, 0, 10, 110, 10]
        );
    }

    proptest! {
        #[test]
        fn the_parts_of_a_price_add_up_and_nothing_overflows(
            price in 0..=Amount::MAX_PRICE.0, extra in 0..=Amount::MAX_PRICE.0, breakfast in prop::option::of(0..=Amount::MAX_PRICE.0),
            tax in 0i64..=3_000, nights in 1i64..=MAX_NIGHTS, adults in 1i64..=100, children in 0i64..=100, rooms in 1i64..=MAX_ROOMS,
            wants_breakfast: bool, included in 0i64..4,
        ) {
            let mut calendar = calendar();
            calendar.base.price = Amount(price);
            let charges = Charges {
                included_guests: included,
                extra_adult: Amount(extra),
                extra_child: Amount(extra / 2),
                breakfast: breakfast.map(Amount),
                tax_basis_points: tax,
            };
            let guests = Guests { adults, children };
            let request = StayRequest { stay: stay("2026-03-01", nights), guests, rooms, breakfast: wants_breakfast };
            let Some(quoted) = calendar.price(&charges, &request) else {
                prop_assert!(wants_breakfast && breakfast.is_none());
                return Ok(());
            };
            let StayPrice { nights: each, rooms: for_rooms, extra_guests, breakfast, tax, total, per_night } = quoted;
            prop_assert_eq!(each.len() as i64, nights);
            prop_assert_eq!(each.into_iter().sum::<Amount>() + tax, total);
            prop_assert_eq!(for_rooms + extra_guests + breakfast + tax, total);
            prop_assert!([for_rooms, extra_guests, breakfast, tax].into_iter().all(|part| part >= Amount::ZERO));
            let off = i128::from(per_night.0) * i128::from(nights * rooms) - i128::from(total.0);
            prop_assert!(off.abs() * 2 <= i128::from(nights * rooms));
        }

        #[test]
        fn more_nights_and_more_guests_never_cost_less(nights in 1i64..40, adults in 1i64..10, children in 0i64..10, rooms in 1i64..5) {
            let charges = Charges {
                included_guests: 2, extra_adult: Amount(8_000), extra_child: Amount(3_000), breakfast: Some(Amount(4_500)), tax_basis_points: 600,
            };
            let total = |nights, adults, children| {
                let guests = Guests { adults, children };
                let request = StayRequest { stay: stay("2026-03-10", nights), guests, rooms, breakfast: true };
                calendar().price(&charges, &request).map(|price| price.total)
            };
            let price = total(nights, adults, children);
            prop_assert!(price.is_some() && price < total(nights + 1, adults, children));
            prop_assert!(price <= total(nights, adults + 1, children) && price <= total(nights, adults, children + 1));
        }
    }
}
