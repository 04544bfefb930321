//! What comes back when a booking of any kind is given up. The rules are shown before paying; the sum is computed by the
//! same lines that showed them.

use super::{WHOLE, date::LocalDate, zone::Zone};
use crate::domain::money::Amount;
use serde::{Deserialize, Serialize};

/// A moment before a booking begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deadline {
    /// By the clock of the venue: so many days before the date of the booking, at this minute of the day.
    Clock { days: i64, minute: i64 },
    /// So many milliseconds before the beginning.
    Before { ms: i64 },
}

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fee {
    /// A part of what was paid, in basis points.
    Share(i64),
    /// No more than was paid.
    Fixed(Amount),
    /// What the first so many nights cost.
    Nights(i64),
}

/// From a deadline on a fee is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub from: Deadline,
    pub fee: Fee,
}

/// The rules for giving a booking up: free before the first deadline; then the highest fee of the deadlines that are past;
/// once it has begun, everything. So waiting never pays. Without steps it is free until it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    pub steps: Vec<Step>,
}

/// The booking that may be given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booked<'a> {
    /// In the zone of the venue.
    pub date: LocalDate,
    /// When it begins: check-in, departure, the visit. UTC milliseconds.
    pub start: i64,
    pub paid: Amount,
    /// What each night costs; empty where there are none.
    pub nights: &'a [Amount],
}

/// How what was paid is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// What the venue keeps; with the refund it is what was paid.
    pub fee: Amount,
    pub refund: Amount,
}

impl Deadline {
    /// As a moment, in UTC milliseconds.
    pub fn moment(self, date: LocalDate, start: i64, zone: &Zone) -> i64 {
        match self {
            Self::Clock { days, minute } => zone.at(date.plus(days.saturating_neg()), minute),
            Self::Before { ms } => start.saturating_sub(ms),
        }
    }
}

impl Fee {
    /// Never negative, and never more than was paid.
    fn of(self, booked: &Booked<'_>) -> Amount {
        let fee = match self {
            // More than everything is everything.
            Self::Share(basis_points) => booked.paid.ratio(basis_points, WHOLE).unwrap_or(booked.paid),
            Self::Fixed(amount) => amount,
            Self::Nights(count) => booked.nights.iter().take(usize::try_from(count).unwrap_or(0)).copied().sum(),
        };
        fee.min(booked.paid).max(Amount::ZERO)
    }
}

impl Cancellation {
    /// Until when giving up costs nothing, in UTC milliseconds: the last moment is the one before.
    pub fn free_until(&self, booked: &Booked<'_>, zone: &Zone) -> i64 {
        let costs = self.steps.iter().filter(|step| step.fee.of(booked) > Amount::ZERO);
        let first = costs.map(|step| step.from.moment(booked.date, booked.start, zone)).min();
        first.unwrap_or(booked.start).min(booked.start)
    }

    /// What is kept and what comes back when a booking is given up now (UTC milliseconds).
    pub fn settle(&self, booked: &Booked<'_>, zone: &Zone, now: i64) -> Settlement {
        let past = self.steps.iter().filter(|step| step.from.moment(booked.date, booked.start, zone) <= now);
        let fee = if now >= booked.start {
            booked.paid.max(Amount::ZERO)
        } else {
            past.map(|step| step.fee.of(booked)).max().unwrap_or(Amount::ZERO)
        };
        Settlement { fee, refund: booked.paid.max(Amount::ZERO) - fee }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{DAY_MS, HOUR_MS, MINUTE_MS, samples::*};
    use proptest::prelude::*;

    fn hotel() -> Cancellation {
        let at_six = |days| Deadline::Clock { days, minute: 18 * 60 };
        Cancellation {
            steps: vec![
                Step { from: at_six(1), fee: Fee::Nights(1) },
                Step { from: Deadline::Before { ms: 2 * HOUR_MS }, fee: Fee::Share(WHOLE) },
            ],
        }
    }

    #[test]
    fn free_until_six_the_day_before_by_the_clock_of_the_venue() {
        let zone = berlin();
        let nights = [Amount(100), Amount(150)];
        // Arrival on the day on which clocks are put forward: six the day before is still by winter time.
        let booked = Booked {
            date: date("2026-03-29"),
            start: zone.at(date("2026-03-29"), 15 * 60),
            paid: Amount(250),
            nights: &nights,
        };
        let until = hotel().free_until(&booked, &zone);
        assert_eq!(zone.local(until).to_string(), "2026-03-28T18:00+01:00");
        let settle = |now| {
            let Settlement { fee, refund } = hotel().settle(&booked, &zone, now);
            (fee.0, refund.0)
        };
        assert_eq!(settle(until - 1), (0, 250));
        assert_eq!(settle(until), (100, 150));
        assert_eq!(settle(booked.start - 2 * HOUR_MS - 1), (100, 150));
        assert_eq!(settle(booked.start - 2 * HOUR_MS), (250, 0));
        assert_eq!(settle(booked.start + DAY_MS), (250, 0));
    }

    #[test]
    fn without_steps_it_is_free_until_it_begins() {
        let booked = Booked { date: date("2026-05-04"), start: utc("2026-05-04", 60), paid: Amount(80), nights: &[] };
        let rules = Cancellation::default();
        assert_eq!(rules.free_until(&booked, &shanghai()), booked.start);
        assert_eq!(rules.settle(&booked, &shanghai(), booked.start - 1).refund, Amount(80));
        assert_eq!(rules.settle(&booked, &shanghai(), booked.start).refund, Amount::ZERO);
    }

    fn fees() -> impl Strategy<Value = Fee> {
        prop_oneof![
            (-100i64..20_000).prop_map(Fee::Share),
            (-5i64..5_000).prop_map(|fee| Fee::Fixed(Amount(fee))),
            (-1i64..4).prop_map(Fee::Nights),
        ]
    }

    fn deadlines() -> impl Strategy<Value = Deadline> {
        prop_oneof![
            (0i64..10, 0i64..1440).prop_map(|(days, minute)| Deadline::Clock { days, minute }),
            (0i64..10_000).prop_map(|minutes| Deadline::Before { ms: minutes * MINUTE_MS }),
        ]
    }

    proptest! {
        #[test]
        fn fee_and_refund_are_what_was_paid_and_waiting_never_pays(
            zone in zones(), day in days(), minute in 0i64..1440, nights in prop::collection::vec(0i64..2_000, 0..5),
            steps in prop::collection::vec((deadlines(), fees()), 0..4), a in 0i64..20_000, b in 0i64..20_000,
        ) {
            let steps = steps.into_iter().map(|(from, fee)| Step { from, fee }).collect();
            let rules = Cancellation { steps };
            let nights: Vec<_> = nights.into_iter().map(Amount).collect();
            let paid = nights.iter().copied().sum::<Amount>() + Amount(10);
            let booked = Booked { date: day, start: zone.at(day, minute), paid, nights: &nights };
            let at = |minutes: i64| rules.settle(&booked, &zone, booked.start + DAY_MS - minutes * MINUTE_MS);
            let (sooner, later) = (at(a.max(b)), at(a.min(b)));
            for one in [sooner, later] {
                prop_assert_eq!(one.fee + one.refund, paid);
                prop_assert!(one.fee >= Amount::ZERO && one.refund >= Amount::ZERO);
            }
            prop_assert!(sooner.refund >= later.refund);
            let until = rules.free_until(&booked, &zone);
            prop_assert!(until <= booked.start);
            prop_assert_eq!(rules.settle(&booked, &zone, until - 1).fee, Amount::ZERO);
            prop_assert!(rules.settle(&booked, &zone, until).fee > Amount::ZERO);
        }
    }
}
