//! What comes after a booking was paid for: it is given up or moved by the rules that were shown before paying, somebody
//! is reminded of it, and the venue says whether they came.

use super::{
    DAY_MS, HOUR_MS, cancellation::Settlement, date::LocalDate, interval::Interval, stay::Stay, trips::Moved,
    wish::Wish, zone::Zone,
};
use crate::domain::{
    error::{Error, Problem, Result},
    money::Amount,
    order::BookingState,
    second_factor::Picture,
};
use serde::{Deserialize, Serialize};

/// How long before it begins somebody is reminded of a booking.
pub const REMIND_MS: i64 = DAY_MS;
/// The same of one that was made later than that.
pub const REMIND_LATE_MS: i64 = 2 * HOUR_MS;
/// How long before it begins the first guests are let in.
pub const EARLY_MS: i64 = DAY_MS;
/// How long a place that came free is held for the first in line.
pub const OFFER_MS: i64 = HOUR_MS;
/// For how many bookings one account waits at most.
pub const MAX_WAITING: i64 = 20;

/// What a customer is shown of a booking before giving it up or moving it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingChoices {
    /// What is kept and what comes back when it is given up now.
    pub settlement: Settlement,
    /// Whether it can still be given up.
    pub open: bool,
    /// Whether it can be moved now; what that costs depends on where to.
    pub movable: bool,
    /// Where it goes once that is paid for.
    pub held: Option<HeldMove>,
    /// By the clocks of the venue: the date and the minute of the day at which it begins.
    pub date: LocalDate,
    pub minute: i64,
    /// Whether an hour is chosen along with the date.
    pub by_hour: bool,
    /// The number of the order, as a code that a scanner at the door reads.
    pub code: Picture,
}

/// What became of moving a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveAnswer {
    /// It is there now.
    Done,
    /// It is where it was: this has to be paid first.
    Due(Moved),
}

/// A move as it is shown before it is paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveQuote {
    /// When it would be, in words.
    pub label: String,
    pub cost: Moved,
}

/// A move that waits for its payment. What is claimed there is held until then, and so is what the booking has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldMove {
    /// When it would be, in words.
    pub label: String,
    /// What of `due` is for the change itself.
    pub fee: Amount,
    pub due: Amount,
    /// Until when it is held, and the server's clock when this was read: UTC milliseconds.
    pub until: i64,
    pub now: i64,
}

/// Somebody's place in a waiting list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub id: String,
    pub variant_id: String,
    pub handle: String,
    pub title: String,
    /// What is waited for, in words.
    pub label: String,
    /// The same as JSON, for the button that takes it.
    pub wish: String,
    /// UTC milliseconds.
    pub asked_at: i64,
    /// Until when what came free is held; none while nothing did. UTC milliseconds.
    pub held_until: Option<i64>,
}

/// What the venue says of a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    CheckedIn,
    Done,
    NoShow,
}

impl Mark {
    pub const ALL: [Self; 3] = [Self::CheckedIn, Self::Done, Self::NoShow];

    /// What the booking is then.
    pub const fn state(self) -> BookingState {
        match self {
            Self::CheckedIn => BookingState::CheckedIn,
            Self::Done => BookingState::Done,
            Self::NoShow => BookingState::NoShow,
        }
    }

    /// Whether it can be said of a booking in a state, at a moment (UTC milliseconds).
    ///
    /// # Errors
    /// `NotYet` before its time, `BookingOver` where something else was said.
    pub const fn check(self, state: BookingState, time: Interval, now: i64) -> Result<(), Problem> {
        let (follows, from) = match self {
            Self::CheckedIn => (matches!(state, BookingState::Booked), time.start.saturating_sub(EARLY_MS)),
            Self::Done => (matches!(state, BookingState::Booked | BookingState::CheckedIn), time.start),
            Self::NoShow => (matches!(state, BookingState::Booked), time.start),
        };
        match (follows, now < from) {
            (false, _) => Err(Problem::BookingOver),
            (true, true) => Err(Problem::NotYet),
            (true, false) => Ok(()),
        }
    }
}

impl BookingState {
    /// Whether it is still to come, or under way.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Booked | Self::CheckedIn)
    }
}

/// When somebody is reminded of a booking that was made at a moment, in UTC milliseconds. Nobody is who made it just
/// before it begins.
pub const fn remind_at(start: i64, made: i64) -> Option<i64> {
    if made <= start.saturating_sub(REMIND_MS) {
        Some(start.saturating_sub(REMIND_MS))
    } else if made <= start.saturating_sub(REMIND_LATE_MS) {
        Some(start.saturating_sub(REMIND_LATE_MS))
    } else {
        None
    }
}

/// The same wish at another time, by the clocks of the venue: so many nights from the date on, or from this minute of the
/// day on. `None` for a trip, whose departures are what there is.
pub fn moved(wish: &Wish, date: LocalDate, minute: i64, zone: &Zone) -> Option<Wish> {
    let mut moved = wish.clone();
    match &mut moved {
        Wish::Stay(request) => request.stay = Stay::new(date, date.plus(request.stay.nights()))?,
        Wish::Table { start, .. } | Wish::Visit { start, .. } => *start = zone.at(date, minute),
        Wish::Trip { .. } => return None,
    }
    Some(moved)
}

/// What it costs to move a booking for which so much was paid to where it costs `price`: what that is more, or less. It is
/// moved as long as giving it up would cost nothing: who could move it later would move it far away and give it up there.
///
/// # Errors
/// [`Error::Invalid`] with `MoveCosts`, at the date.
pub fn move_cost(settlement: Settlement, paid: Amount, price: Amount) -> Result<Moved> {
    if settlement.fee > Amount::ZERO {
        return Err(Error::field("date", Problem::MoveCosts));
    }
    let more = price - paid;
    Ok(Moved { fee: Amount::ZERO, to_pay: more.max(Amount::ZERO), refund: (-more).max(Amount::ZERO) })
}

impl Moved {
    /// What is to be paid beside the fee; less than nothing where something cheaper makes it less than the fee.
    pub fn difference(self) -> Amount {
        self.to_pay - self.fee
    }

    /// What is paid for the booking itself after it was moved, and comes back by its rules: the fee was for the change.
    pub fn paid_after(self, paid: Amount) -> Amount {
        paid + self.to_pay - self.refund - self.fee
    }
}

/// Reads `18:30`, as `<input type=time>` sends it, as a minute of the day.
pub fn minute_of(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    // Some browsers send the seconds too.
    let minute = minute.split_once(':').map_or(minute, |(minute, _)| minute);
    let number = |text: &str, below: i64| {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| digits && *number < below)
    };
    Some(number(hour, 24)? * 60 + number(minute, 60)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{
        samples::{berlin, date, shanghai, utc},
        zone::clock,
    };
    use proptest::prelude::*;

    #[test]
    fn somebody_is_reminded_a_day_before_or_shortly_before() {
        let start = utc("2026-12-24", 18 * 60);
        let hours = |before: i64| start - before * HOUR_MS;
        for (made, expected) in [
            (hours(700), Some(hours(24))),
            (hours(24), Some(hours(24))),
            (hours(24) + 1, Some(hours(2))),
            (hours(2), Some(hours(2))),
            (hours(2) + 1, None),
            (start + 1, None),
        ] {
            assert_eq!(remind_at(start, made), expected, "{}", start - made);
        }
        assert_eq!(remind_at(i64::MIN, 0), None);
    }

    #[test]
    fn the_venue_says_one_thing_after_the_other_and_each_in_its_time() {
        use BookingState::{Booked, Cancelled, CheckedIn, Done, NoShow};
        let start = utc("2026-12-24", 18 * 60);
        let time = Interval { start, end: start + HOUR_MS };
        let told = |mark: Mark, state, now| mark.check(state, time, now);
        assert_eq!(told(Mark::CheckedIn, Booked, start - EARLY_MS), Ok(()));
        assert_eq!(told(Mark::CheckedIn, Booked, start - EARLY_MS - 1), Err(Problem::NotYet));
        assert_eq!(told(Mark::Done, CheckedIn, start - 1), Err(Problem::NotYet));
        assert_eq!(told(Mark::NoShow, Booked, start - 1), Err(Problem::NotYet));
        for state in [Booked, CheckedIn] {
            assert_eq!(told(Mark::Done, state, start), Ok(()), "{state:?}");
        }
        assert_eq!(told(Mark::NoShow, CheckedIn, start + DAY_MS), Err(Problem::BookingOver), "they are there");
        for state in [Done, NoShow, Cancelled] {
            for mark in Mark::ALL {
                assert_eq!(told(mark, state, start + 1), Err(Problem::BookingOver), "{mark:?} {state:?}");
            }
        }
    }

    fn wish(json: &str) -> Wish {
        match Wish::parse(json) {
            Ok(wish) => wish,
            Err(error) => panic!("{json}: {error}"),
        }
    }

    #[test]
    fn a_wish_is_moved_by_the_clocks_of_the_venue_and_is_otherwise_the_same() {
        let moved_to = |wish: &Wish, day: &str, minute| moved(wish, date(day), minute, &berlin());
        let room = |arrival: &str, departure: &str| {
            wish(&format!(
                r#"{{"kind":"stay","stay":["{arrival}","{departure}"],"guests":{{"adults":2,"children":1}},"rooms":1,"breakfast":true}}"#
            ))
        };
        // Three nights, in one of which clocks are changed.
        let expected = room("2026-05-01", "2026-05-04");
        assert_eq!(moved_to(&room("2026-03-27", "2026-03-30"), "2026-05-01", 0), Some(expected));
        let table = |start: i64| wish(&format!(r#"{{"kind":"table","start":{start},"guests":4,"area":"Terrace"}}"#));
        assert_eq!(moved_to(&table(0), "2026-07-01", 19 * 60), Some(table(utc("2026-07-01", 17 * 60))));
        let visit = |start: i64| wish(&format!(r#"{{"kind":"visit","start":{start},"person":"wu","add_ons":[1]}}"#));
        assert_eq!(moved_to(&visit(0), "2026-01-01", 19 * 60), Some(visit(utc("2026-01-01", 18 * 60))));
        let trip = wish(
            r#"{"kind":"trip","departure_id":"d","section":[0,1],"travellers":{"adults":1,"children":0,"infants":0}}"#,
        );
        assert_eq!(moved_to(&trip, "2026-01-01", 0), None);
    }

    #[test]
    fn a_move_gives_the_rest_back_or_costs_what_is_missing() {
        let free = |paid| Settlement { fee: Amount::ZERO, refund: Amount(paid) };
        let cost = |to_pay, refund| Ok(Moved { fee: Amount::ZERO, to_pay: Amount(to_pay), refund: Amount(refund) });
        assert_eq!(move_cost(free(300), Amount(300), Amount(300)), cost(0, 0));
        assert_eq!(move_cost(free(300), Amount(300), Amount(250)), cost(0, 50));
        assert_eq!(move_cost(free(300), Amount(300), Amount(301)), cost(1, 0));
        let late = Settlement { fee: Amount(1), refund: Amount(299) };
        assert_eq!(move_cost(late, Amount(300), Amount(300)), Err(Error::field("date", Problem::MoveCosts)));
    }

    #[test]
    fn the_fee_of_a_change_is_not_paid_for_the_booking() {
        let moved = |fee, to_pay, refund| Moved { fee: Amount(fee), to_pay: Amount(to_pay), refund: Amount(refund) };
        for (moved, difference, paid) in [
            (moved(0, 0, 0), 0, 300),
            (moved(20, 70, 0), 50, 350),
            (moved(20, 20, 0), 0, 300),
            // Fifteen cheaper, which the fee swallows.
            (moved(20, 5, 0), -15, 285),
        ] {
            assert_eq!(
                (moved.difference(), moved.paid_after(Amount(300))),
                (Amount(difference), Amount(paid)),
                "{moved:?}"
            );
        }
        assert_eq!(moved(20, 0, 30).paid_after(Amount(300)), Amount(250), "fifty cheaper");
    }

    #[test]
    fn times_are_read_as_a_browser_sends_them() {
        for (text, minute) in [("00:00", 0), ("18:30", 1110), ("23:59", 1439), ("9:05", 545), ("18:30:00", 1110)] {
            assert_eq!(minute_of(text), Some(minute), "{text}");
        }
        for text in ["", ":", "24:00", "12:60", "12", "-1:00", "12:0x", "012:00"] {
            assert_eq!(minute_of(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_minute_reads_back(minute in 0i64..1440, text in "\\PC{0,12}") {
            prop_assert_eq!(minute_of(&clock(minute)), Some(minute));
            let _ = minute_of(&text);
        }

        #[test]
        fn a_reminder_comes_after_the_booking_and_before_it_begins(start in 0i64..1_000_000_000, made in 0i64..1_000_000_000) {
            if let Some(at) = remind_at(start, made) {
                prop_assert!(made <= at && at < start);
            } else {
                prop_assert!(made > start - REMIND_LATE_MS);
            }
        }

        #[test]
        fn what_is_paid_after_a_move_is_what_it_costs_there(paid in 0i64..1_000_000, price in 0i64..1_000_000) {
            let settlement = Settlement { fee: Amount::ZERO, refund: Amount(paid) };
            let Ok(cost) = move_cost(settlement, Amount(paid), Amount(price)) else { return Ok(()) };
            prop_assert!(cost.to_pay == Amount::ZERO || cost.refund == Amount::ZERO);
            prop_assert!(cost.to_pay >= Amount::ZERO && cost.refund >= Amount::ZERO);
            prop_assert_eq!(cost.paid_after(Amount(paid)), Amount(price));
        }

        #[test]
        fn moving_there_and_back_is_the_same_wish(day in 20_000i64..25_000, minute in 0i64..1440) {
            let zone = shanghai();
            let here = LocalDate::from_day(day);
            let wish = wish(&format!(r#"{{"kind":"visit","start":{}}}"#, zone.at(here, minute)));
            let there = moved(&wish, here.plus(30), 600, &zone);
            prop_assert_eq!(there.and_then(|there| moved(&there, here, minute, &zone)), Some(wish));
        }
    }
}
