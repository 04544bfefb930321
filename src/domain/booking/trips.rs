//! Trips by air, coach or on a tour: departures in two zones, seats along a route, fares and their rules.
//!
//! A route with stops is a row of legs. Who travels from the second stop to the fourth takes a seat on two legs, and leaves
//! it free on the others.

use super::{
    cancellation::{Cancellation, Deadline},
    date::LocalDate,
    zone::{LocalTime, Zone},
};
use crate::domain::money::Amount;
use serde::{Deserialize, Serialize};

/// The most legs of a route.
pub const MAX_LEGS: usize = 64;
/// The most travellers of one booking, of each kind.
pub const MAX_TRAVELLERS: i64 = 50;

/// When it leaves and when it arrives, in UTC milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    leaves: i64,
    arrives: i64,
}

/// What the clocks at both ends show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ends {
    pub leaves: LocalTime,
    pub arrives: LocalTime,
    /// By how many dates the arrival is later: the small `+1` beside it. Across the date line it may be negative.
    pub days_later: i64,
    /// How long it takes, in milliseconds.
    pub duration_ms: i64,
}

/// From one stop of a route to a later one; stops are counted from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(usize, usize)", into = "(usize, usize)")]
pub struct Section {
    from: usize,
    to: usize,
}

/// The seats of a departure where nobody chooses one: how many are left on each leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seats {
    left: Vec<i64>,
}

/// The seats of a departure where they are chosen: on which legs each is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatMap {
    legs: usize,
    /// A bit for each leg.
    taken: Vec<u64>,
}

/// Who travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Travellers {
    pub adults: i64,
    pub children: i64,
    /// On the lap of an adult each, without a seat.
    pub infants: i64,
}

/// A fare class with its own rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fare {
    /// For one way.
    pub adult: Amount,
    pub child: Amount,
    pub infant: Amount,
    /// How many seats are sold in this class; `None` for all there are.
    pub quota: Option<i64>,
    pub cancellation: Cancellation,
    /// `None` where the departure cannot be changed.
    pub change: Option<ChangeRule>,
    /// What each traveller with a seat may take along.
    pub cabin_bags: i64,
    pub checked_grams: i64,
}

/// How a booking is moved to another departure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRule {
    /// From then on it is too late.
    pub from: Deadline,
    /// For each traveller with a seat.
    pub fee: Amount,
    /// Whether the difference to a cheaper departure comes back.
    pub refunds_difference: bool,
}

/// A change that is asked for, and what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move<'a> {
    /// That of the booking, and the date on which it leaves there.
    pub departure: Departure,
    pub date: LocalDate,
    /// Of the place where it leaves.
    pub zone: &'a Zone,
    pub travellers: Travellers,
    pub paid: Amount,
    /// What the other departure costs.
    pub price: Amount,
}

/// What a change costs; one of `to_pay` and `refund` is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    pub fee: Amount,
    pub to_pay: Amount,
    pub refund: Amount,
}

impl Departure {
    /// `None` unless it arrives after it leaves.
    pub const fn new(leaves: i64, arrives: i64) -> Option<Self> {
        if leaves < arrives { Some(Self { leaves, arrives }) } else { None }
    }

    /// As a timetable has it: a date and a minute of the day by the clock of each end. A time that clocks leave out or show
    /// twice is what [`Zone::at`] says.
    pub fn by_the_clock(leaves: (LocalDate, i64), from: &Zone, arrives: (LocalDate, i64), to: &Zone) -> Option<Self> {
        Self::new(from.at(leaves.0, leaves.1), to.at(arrives.0, arrives.1))
    }

    pub const fn leaves(self) -> i64 {
        self.leaves
    }

    pub const fn arrives(self) -> i64 {
        self.arrives
    }

    pub fn ends(self, from: &Zone, to: &Zone) -> Ends {
        let (leaves, arrives) = (from.local(self.leaves), to.local(self.arrives));
        let days_later = leaves.date.until(arrives.date);
        Ends { leaves, arrives, days_later, duration_ms: self.arrives.saturating_sub(self.leaves) }
    }

    /// Whether another departure can be the way back, with so many milliseconds in between.
    pub const fn is_before(self, back: Self, between_ms: i64) -> bool {
        self.arrives.saturating_add(between_ms) <= back.leaves
    }
}

impl Section {
    /// `None` where there is no leg between the stops, or more than [`MAX_LEGS`] up to the second.
    pub const fn new(from: usize, to: usize) -> Option<Self> {
        if from < to && to <= MAX_LEGS { Some(Self { from, to }) } else { None }
    }

    /// The legs of it, as bits.
    const fn bits(self) -> u64 {
        Self::below(self.to) & !Self::below(self.from)
    }

    /// The legs before a stop, as bits.
    const fn below(stop: usize) -> u64 {
        if stop >= MAX_LEGS { u64::MAX } else { (1 << stop) - 1 }
    }
}

impl From<Section> for (usize, usize) {
    fn from(section: Section) -> Self {
        (section.from, section.to)
    }
}

impl TryFrom<(usize, usize)> for Section {
    type Error = &'static str;

    fn try_from((from, to): (usize, usize)) -> Result<Self, Self::Error> {
        Self::new(from, to).ok_or("no section of a route")
    }
}

impl Seats {
    /// All free. `None` for a route without legs or with more than [`MAX_LEGS`], or fewer than no seats.
    pub fn new(legs: usize, seats: i64) -> Option<Self> {
        ((1..=MAX_LEGS).contains(&legs) && seats >= 0).then(|| Self { left: vec![seats; legs] })
    }

    /// Those that are free all along a section; none on one that the route does not have.
    pub fn left(&self, section: Section) -> i64 {
        let legs = self.left.get(section.from..section.to);
        legs.and_then(|legs| legs.iter().min()).copied().unwrap_or(0)
    }

    /// Takes seats on each leg of a section, or none at all where there are not that many.
    #[must_use]
    pub fn take(&mut self, section: Section, seats: i64) -> bool {
        let enough = seats > 0 && self.left(section) >= seats;
        if enough && let Some(legs) = self.left.get_mut(section.from..section.to) {
            legs.iter_mut().for_each(|left| *left -= seats);
        }
        enough
    }
}

impl SeatMap {
    /// All free. `None` for a route without legs or with more than [`MAX_LEGS`].
    pub fn new(legs: usize, seats: usize) -> Option<Self> {
        (1..=MAX_LEGS).contains(&legs).then(|| Self { legs, taken: vec![0; seats] })
    }

    /// The seats that are free all along a section, by their places in the list.
    pub fn free(&self, section: Section) -> Vec<usize> {
        let seats = self.taken.iter().enumerate().filter(|(_, taken)| **taken & section.bits() == 0);
        if section.to > self.legs { Vec::new() } else { seats.map(|(seat, _)| seat).collect() }
    }

    /// Takes the chosen seats along a section: all of them, or none where one is taken, unknown or named twice.
    #[must_use]
    pub fn take(&mut self, seats: &[usize], section: Section) -> bool {
        if section.to > self.legs || seats.is_empty() {
            return false;
        }
        let mut taken = self.taken.clone();
        for seat in seats {
            match taken.get_mut(*seat) {
                Some(legs) if *legs & section.bits() == 0 => *legs |= section.bits(),
                _ => return false,
            }
        }
        self.taken = taken;
        true
    }
}

impl Travellers {
    /// Whether they can travel: somebody has a seat, and each infant an adult.
    pub fn is_possible(self) -> bool {
        let counts = [self.adults, self.children, self.infants];
        counts.iter().all(|count| (0..=MAX_TRAVELLERS).contains(count))
            && self.seats() > 0
            && self.infants <= self.adults
    }

    /// How many seats they need. Any numbers can be asked about, also those of people who cannot travel.
    pub const fn seats(self) -> i64 {
        self.adults.saturating_add(self.children)
    }
}

impl Fare {
    /// For all travellers, one way; `None` where they cannot travel.
    pub fn price(&self, travellers: Travellers) -> Option<Amount> {
        let Travellers { adults, children, infants } = travellers;
        let sum = || self.adult * adults + self.child * children + self.infant * infants;
        travellers.is_possible().then(sum)
    }

    /// What is left in this class: no more than its quota, of which so many are sold, and than there are seats.
    pub fn left(&self, sold: i64, seats_left: i64) -> i64 {
        self.quota.map_or(seats_left, |quota| quota.saturating_sub(sold).min(seats_left)).max(0)
    }

    /// What it costs now (UTC milliseconds) to move a booking to another departure; `None` where it cannot be moved, or not
    /// any more.
    pub fn change(&self, asked: &Move<'_>, now: i64) -> Option<Moved> {
        self.change?.moved(asked, now)
    }
}

impl ChangeRule {
    /// Until when a booking can be moved that leaves at a moment, on a date in a zone: in UTC milliseconds, and the last
    /// moment is the one before.
    pub fn until(self, leaves: i64, date: LocalDate, zone: &Zone) -> i64 {
        self.from.moment(date, leaves, zone).min(leaves)
    }

    /// What it costs now (UTC milliseconds) to move a booking; `None` where that is over, or nobody travels.
    pub fn moved(self, asked: &Move<'_>, now: i64) -> Option<Moved> {
        if now >= self.until(asked.departure.leaves, asked.date, asked.zone) || !asked.travellers.is_possible() {
            return None;
        }
        let fee = self.fee.max(Amount::ZERO) * asked.travellers.seats();
        let dearer = asked.price - asked.paid;
        let due = if dearer >= Amount::ZERO || self.refunds_difference { fee + dearer } else { fee };
        Some(Moved { fee, to_pay: due.max(Amount::ZERO), refund: (-due).max(Amount::ZERO) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{HOUR_MS, MINUTE_MS, samples::*};
    use proptest::prelude::*;

    fn section(from: usize, to: usize) -> Section {
        match Section::new(from, to) {
            Some(section) => section,
            None => panic!("no section from {from} to {to}"),
        }
    }

    fn fare() -> Fare {
        Fare {
            adult: Amount(120_000),
            child: Amount(90_000),
            infant: Amount(12_000),
            quota: Some(10),
            cancellation: Cancellation::default(),
            change: Some(ChangeRule {
                from: Deadline::Before { ms: 2 * HOUR_MS },
                fee: Amount(5_000),
                refunds_difference: false,
            }),
            cabin_bags: 1,
            checked_grams: 23_000,
        }
    }

    #[test]
    fn times_are_those_of_both_ends() {
        let ends = |leaves: (&str, i64), from: &Zone, arrives: (&str, i64), to: &Zone| {
            let departure =
                Departure::by_the_clock((date(leaves.0), leaves.1), from, (date(arrives.0), arrives.1), to)?;
            let ends = departure.ends(from, to);
            Some((ends.leaves.to_string(), ends.arrives.to_string(), ends.days_later, ends.duration_ms / MINUTE_MS))
        };
        let found = ends(("2026-05-04", 23 * 60), &shanghai(), ("2026-05-05", 5 * 60 + 30), &berlin());
        let expected = ("2026-05-04T23:00+08:00", "2026-05-05T05:30+02:00", 1, 12 * 60 + 30);
        assert_eq!(found, Some((expected.0.to_owned(), expected.1.to_owned(), expected.2, expected.3)));
        // Eastwards over the date line clocks show an earlier hour of the same date at the arrival.
        let east = Departure::by_the_clock((date("2012-06-02"), 600), &apia(), (date("2012-06-02"), 300), &new_york());
        assert_eq!(east.map(|departure| departure.ends(&apia(), &new_york()).duration_ms), Some(14 * HOUR_MS));
        // A coach through the night in which clocks are put forward is an hour less on the way than clocks say.
        let coach = ends(("2026-03-28", 22 * 60), &berlin(), ("2026-03-29", 6 * 60), &berlin());
        assert_eq!(coach.map(|coach| coach.3), Some(7 * 60));
        assert_eq!(ends(("2026-05-04", 600), &berlin(), ("2026-05-04", 600), &berlin()), None);
    }

    #[test]
    fn the_way_back_begins_after_the_arrival() {
        let (Some(out), Some(back)) = (Departure::new(0, 10), Departure::new(15, 20)) else { panic!("both arrive") };
        assert!(out.is_before(back, 5) && !out.is_before(back, 6) && !back.is_before(out, 0));
    }

    #[test]
    fn a_seat_is_free_again_where_somebody_gets_off() {
        let Some(mut map) = SeatMap::new(3, 2) else { panic!("three legs") };
        assert!(map.take(&[0], section(0, 2)));
        assert_eq!(map.free(section(0, 1)), [1usize]);
        assert_eq!(map.free(section(2, 3)), [0usize, 1]);
        assert!(!map.take(&[1, 0], section(1, 2)), "all or none");
        assert!(!map.take(&[1, 1], section(1, 2)) && !map.take(&[2], section(0, 1)) && !map.take(&[], section(0, 1)));
        assert!(!map.take(&[1], section(2, 4)), "there is no such stop");
        assert!(map.take(&[1, 0], section(2, 3)));
        assert!(map.free(section(0, 3)).is_empty());
        assert_eq!(Section::new(2, 2), None);
        assert_eq!(Section::new(0, MAX_LEGS + 1), None);
        assert!(SeatMap::new(0, 5).is_none() && SeatMap::new(MAX_LEGS + 1, 5).is_none());
        assert_eq!(section(63, 64).bits(), 1 << 63);
        assert_eq!(section(0, 64).bits(), u64::MAX);
    }

    #[test]
    fn fares_are_for_people_who_can_travel() {
        let price = |adults, children, infants| fare().price(Travellers { adults, children, infants });
        assert_eq!(price(2, 1, 1), Some(Amount(342_000)));
        assert_eq!(price(1, 0, 2), None, "each infant needs a lap");
        assert_eq!(price(0, 0, 0), None);
        assert_eq!(price(51, 0, 0), None);
        assert_eq!(price(i64::MAX, i64::MAX, i64::MAX), None);
        assert_eq!(Travellers { adults: i64::MAX, children: 1, infants: 0 }.seats(), i64::MAX);
        assert_eq!([fare().left(4, 100), fare().left(4, 5), fare().left(12, 5)], [6, 5, 0]);
        assert_eq!(Fare { quota: None, ..fare() }.left(12, 5), 5);
    }

    #[test]
    fn a_change_costs_its_fee_and_the_difference() {
        let Some(departure) = Departure::new(utc("2026-05-04", 600), utc("2026-05-04", 900)) else {
            panic!("it arrives")
        };
        let zone = shanghai();
        let travellers = Travellers { adults: 2, children: 0, infants: 0 };
        let date = date("2026-05-04");
        let change = |fare: &Fare, price, before| {
            let asked = Move { departure, date, zone: &zone, travellers, paid: Amount(240_000), price: Amount(price) };
            fare.change(&asked, departure.leaves() - before).map(|moved| (moved.fee.0, moved.to_pay.0, moved.refund.0))
        };
        let day = 24 * HOUR_MS;
        assert_eq!(change(&fare(), 260_000, day), Some((10_000, 30_000, 0)));
        assert_eq!(change(&fare(), 200_000, day), Some((10_000, 10_000, 0)));
        assert_eq!(change(&fare(), 240_000, 2 * HOUR_MS), None, "too late");
        let generous = fare().change.map(|rule| ChangeRule { refunds_difference: true, ..rule });
        assert_eq!(change(&Fare { change: generous, ..fare() }, 200_000, day), Some((10_000, 0, 30_000)));
        assert_eq!(change(&Fare { change: None, ..fare() }, 240_000, day), None);
    }

    proptest! {
        #[test]
        fn seats_are_never_sold_twice_on_any_leg(
            legs in 1usize..6, seats in 0usize..5, wishes in prop::collection::vec((0usize..6, 1usize..6, 1i64..4), 0..30),
        ) {
            let (Some(mut counted), Some(mut map)) = (Seats::new(legs, seats as i64), SeatMap::new(legs, seats)) else {
                return Ok(());
            };
            let mut sold = vec![0i64; legs];
            let mut sitting = vec![vec![0; legs]; seats];
            for (from, length, wanted) in wishes {
                let Some(section) = Section::new(from, from + length) else { continue };
                let left = (from..from + length).map(|leg| sold.get(leg).map_or(0, |sold| seats as i64 - sold)).min();
                prop_assert_eq!(counted.left(section), left.unwrap_or(0));
                let taken = counted.take(section, wanted);
                prop_assert_eq!(taken, left.is_some_and(|left| left >= wanted));
                if taken {
                    (from..from + length).for_each(|leg| sold[leg] += wanted);
                }
                let free = map.free(section);
                let chosen: Vec<_> = free.into_iter().take(wanted as usize).collect();
                if map.take(&chosen, section) {
                    for seat in chosen {
                        (from..from + length).for_each(|leg| sitting[seat][leg] += 1);
                    }
                }
            }
            prop_assert!(sold.iter().all(|sold| *sold <= seats as i64));
            prop_assert!(sitting.iter().flatten().all(|people| *people <= 1));
        }

        #[test]
        fn a_timetable_shows_what_it_was_made_of(
            (from, to) in (zones(), zones()), day in days(), leaves in 0i64..1440, minutes in 1i64..2_000,
        ) {
            let begin = from.at(day, leaves);
            let Some(departure) = Departure::new(begin, begin + minutes * MINUTE_MS) else { return Ok(()) };
            let ends = departure.ends(&from, &to);
            prop_assert_eq!(ends.duration_ms, minutes * MINUTE_MS);
            let again = Departure::by_the_clock(
                (ends.leaves.date, ends.leaves.minute), &from, (ends.arrives.date, ends.arrives.minute), &to,
            );
            // The same, or sooner by what clocks were put back where they show the arrival twice.
            prop_assert!(again.is_none_or(|again| again.leaves() == begin && again.arrives() <= departure.arrives()));
        }

        #[test]
        fn a_change_never_costs_more_than_its_fee_and_the_difference(
            paid in 0i64..1_000_000, price in 0i64..1_000_000, fee in 0i64..50_000, refunds_difference: bool, adults in 1i64..9,
        ) {
            let rule = ChangeRule { from: Deadline::Before { ms: 0 }, fee: Amount(fee), refunds_difference };
            let Some(departure) = Departure::new(0, 1) else { return Ok(()) };
            let travellers = Travellers { adults, ..Travellers::default() };
            let zone = Zone::utc();
            let asked = Move {
                departure, date: date("1970-01-01"), zone: &zone, travellers, paid: Amount(paid), price: Amount(price),
            };
            let Some(moved) = (Fare { change: Some(rule), ..fare() }).change(&asked, -1) else { return Ok(()) };
            prop_assert!(moved.to_pay >= Amount::ZERO && moved.refund >= Amount::ZERO);
            prop_assert!(moved.to_pay == Amount::ZERO || moved.refund == Amount::ZERO);
            let net = moved.to_pay - moved.refund;
            prop_assert_eq!(moved.fee, Amount(fee * adults));
            if price >= paid || refunds_difference {
                prop_assert_eq!(net, moved.fee + Amount(price - paid));
                prop_assert_eq!(moved.paid_after(Amount(paid)), Amount(price));
            } else {
                prop_assert_eq!(net, moved.fee);
                prop_assert_eq!(moved.paid_after(Amount(paid)), Amount(paid));
            }
        }
    }
}
