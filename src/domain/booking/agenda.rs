//! The days of a venue as the office sees them: who works when, and what of that time is taken.

use super::{date::LocalDate, interval::Interval, zone::Zone};
use crate::domain::order::BookingState;
use serde::{Deserialize, Serialize};

/// The most days of an agenda: a week.
pub const MAX_DAYS: i64 = 7;
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
    Booking { number: String, title: String, state: BookingState, paid: bool },
    /// By the office, for a reason.
    Blocked { reason: String },
    /// For somebody who waits for a place and was offered it.
    Offered,
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
