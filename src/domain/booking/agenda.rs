//! The days of a venue as the office sees them: who works when, and what of that time is taken.

use super::{
    DAY_MINUTES,
    date::LocalDate,
    interval::Interval,
    zone::{LocalTime, Zone},
};
use crate::domain::{catalog::percent_encode, order::BookingState};
use serde::{Deserialize, Serialize};

/// The most days of an agenda: a week.
pub const MAX_DAYS: i64 = 7;
/// By so many minutes a booking is dragged: every cell of the calendar begins a step.
pub const STEP_MINUTES: i64 = 5;
/// The most characters of the reason for which time is blocked.
pub const MAX_REASON: usize = 100;

/// Some days of a venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agenda {
    /// The venues that have people, tables or things: id of the product and title.
    pub venues: Vec<(String, String)>,
    /// The one that is shown; `None` where there is none.
    pub product_id: Option<String>,
    /// Its clocks.
    pub zone: Zone,
    pub today: LocalDate,
    /// In order, one after the other.
    pub days: Vec<LocalDate>,
    pub resources: Vec<AgendaResource>,
    /// Whether who asks may block time.
    pub may_block: bool,
}

/// Somebody or something with the days of the agenda.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgendaResource {
    pub id: String,
    pub name: String,
    /// Whether bookings are moved to it: to people and tables. A thing goes where its people go.
    pub takes: bool,
    /// As many as the agenda has.
    pub days: Vec<AgendaDay>,
}

/// A day of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgendaDay {
    /// When somebody works, without breaks.
    pub open: Vec<Interval>,
    /// What is taken, in order of time; what goes on past midnight is on both days.
    pub items: Vec<AgendaItem>,
}

/// Time that is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgendaItem {
    /// Of the claim.
    pub id: String,
    /// With what is prepared before and the way after.
    pub time: Interval,
    pub what: AgendaWhat,
}

/// By whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AgendaWhat {
    /// By an order, for a line of it.
    Booking(AgendaBooking),
    /// By the office, for a reason.
    Blocked { reason: String },
    /// For somebody who waits for a place and was offered it.
    Offered,
}

/// A booking in an agenda.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgendaBooking {
    pub number: String,
    /// Of the line in the order.
    pub position: i64,
    /// How often it was changed: who moves it says which of these they saw.
    pub version: i64,
    /// When it begins for the customer, in UTC milliseconds.
    pub start: i64,
    pub title: String,
    pub state: BookingState,
    pub paid: bool,
    /// Whether it is paid for and still to come: then it can be moved.
    pub open: bool,
}

/// Where the office moves a booking to, as its form sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MoveOrder {
    pub number: String,
    pub position: i64,
    /// That of the booking as it was seen.
    pub version: i64,
    /// By the clocks of the venue: `2026-12-24` and `18:30`.
    pub date: String,
    pub time: String,
    /// The id of whoever does it, or of the table; empty for anyone, or any.
    pub resource: String,
    /// The address of the day from which it is moved, and the claim that was picked up there: a form without script is
    /// sent back to them.
    pub page: String,
    pub claim: String,
}

impl MoveOrder {
    /// The address of a page that asks about this, from the one that shows the day.
    pub fn again(&self, page: &str) -> String {
        let mark = if page.contains('?') { '&' } else { '?' };
        let Self { date, time, resource, claim, .. } = self;
        let pairs = [("move", claim), ("to_date", date), ("to_time", time), ("to", resource)];
        let pairs = pairs.map(|(name, value)| format!("{name}={}", percent_encode(value)));
        format!("{page}{mark}{}", pairs.join("&"))
    }
}

/// Where a booking comes to lie that is dragged so many days and steps on, by the clocks of the venue: a date and a minute
/// of that day on a step, however far it was dragged.
pub fn dropped(from: LocalTime, days: i64, steps: i64) -> (LocalDate, i64) {
    let minute = from.minute.saturating_add(steps.saturating_mul(STEP_MINUTES));
    // A booking that begins between two steps stays there unless it is dragged.
    let minute = if steps == 0 { from.minute } else { minute - minute.rem_euclid(STEP_MINUTES) };
    (from.date.plus(days), minute.clamp(0, DAY_MINUTES - STEP_MINUTES))
}

impl AgendaDay {
    /// What of `items` lies in a day, as a list of its own.
    pub fn new(open: Vec<Interval>, items: &[AgendaItem], day: Interval) -> Self {
        Self { open, items: items.iter().filter(|item| item.time.overlaps(day)).cloned().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_booking_is_dropped_on_a_step_of_its_day() {
        let date = LocalDate::from_day(20_000);
        let from = |minute| LocalTime { date, minute, offset_minutes: 480 };
        for (minute, days, steps, expected) in [
            (840, 0, 0, (0, 840)),
            (840, 0, 6, (0, 870)),
            (840, -2, -1, (-2, 835)),
            (843, 1, 0, (1, 843)),
            (843, 0, 1, (0, 845)),
            (60, 0, -100, (0, 0)),
            (1_400, 0, i64::MAX, (0, 1_435)),
        ] {
            let (days_on, at) = expected;
            assert_eq!(dropped(from(minute), days, steps), (date.plus(days_on), at), "{minute} {steps}");
        }
    }

    #[test]
    fn what_goes_on_past_midnight_is_on_both_days() {
        let item = |id: &str, start, end| AgendaItem {
            id: id.to_owned(),
            time: Interval { start, end },
            what: AgendaWhat::Blocked { reason: String::new() },
        };
        let items = [item("a", 1, 5), item("b", 8, 12), item("c", 10, 11)];
        let ids = |start, end| {
            let day = AgendaDay::new(vec![], &items, Interval { start, end });
            day.items.into_iter().map(|item| item.id).collect::<String>()
        };
        assert_eq!((ids(0, 10), ids(10, 20), ids(20, 30)), ("ab".to_owned(), "bc".to_owned(), String::new()));
    }
}
