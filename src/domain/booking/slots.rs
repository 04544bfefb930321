//! Slots: schedule − exceptions − breaks − claims − buffers, for one person and for anyone of several.
//!
//! What is open and what is taken are sorted lists of intervals. Slots of a month are found in one pass along both, leaping
//! over what is closed or taken, so that the time it takes grows with the slots there are and not with the minutes of a
//! month.

use super::{
    DAY_MS,
    cells::Grid,
    interval::{Interval, Intervals},
    schedule::{Limits, Open, Schedule},
    zone::Zone,
};
use serde::{Deserialize, Serialize};

/// How long a service takes, and what it takes around that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Times", into = "Times")]
pub struct Visit(Times);

/// All in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// What the customer sees.
    pub duration: i64,
    /// Preparing, within working hours.
    pub before: i64,
    /// Tidying up, within working hours.
    pub after: i64,
    /// The way to the next customer. It takes the person, but may lie in a break or after hours.
    pub travel: i64,
}

/// What one person, table or thing has open, and what is taken of it.
#[derive(Clone, Debug)]
pub struct Availability {
    open: Open,
    taken: Intervals,
}

/// Which slots are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    pub visit: Visit,
    /// The grid of the claims.
    pub grid: Grid,
    /// From one slot to the next, in milliseconds.
    pub step_ms: i64,
    /// Where slots may begin: what is asked for and can be booked.
    pub within: Interval,
}

/// A time that can be booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// UTC milliseconds, without what lies before and after for the person.
    pub start: i64,
    pub end: i64,
    /// Who is free, by their places in the list that was asked for; in order, and at least one.
    pub people: Vec<usize>,
}

impl Visit {
    /// `None` unless it takes some time, nothing is negative, and neither what comes before its beginning nor what
    /// follows from there is longer than 24 hours.
    pub fn new(times: Times) -> Option<Self> {
        let Times { duration, before, after, travel } = times;
        let parts = [duration, before, after, travel];
        let fits = parts.iter().all(|part| (0..=DAY_MS).contains(part)) && duration > 0;
        (fits && duration + after + travel <= DAY_MS).then_some(Self(times))
    }

    /// Several services by one person, one after the other: prepared for at the beginning and tidied up after at the end,
    /// as the one that takes longest does. `None` for none, and where they are too long together.
    pub fn in_a_row(visits: &[Self]) -> Option<Self> {
        let longest = |part: fn(&Times) -> i64| visits.iter().map(|visit| part(&visit.0)).max();
        Self::new(Times {
            duration: visits.iter().map(|visit| visit.0.duration).sum(),
            before: longest(|times| times.before)?,
            after: longest(|times| times.after)?,
            travel: longest(|times| times.travel)?,
        })
    }

    pub const fn times(self) -> Times {
        self.0
    }

    /// The same for a thing, which does not go along to the next customer.
    pub const fn without_travel(self) -> Self {
        Self(Times { travel: 0, ..self.0 })
    }

    /// What the customer sees of one that begins at a moment.
    pub const fn shown(self, start: i64) -> Interval {
        Interval { start, end: start.saturating_add(self.0.duration) }
    }

    /// What has to lie within working hours.
    pub const fn work(self, start: i64) -> Interval {
        let Times { duration, before, after, .. } = self.0;
        Interval { start: start.saturating_sub(before), end: start.saturating_add(duration + after) }
    }

    /// What is claimed of the person.
    pub fn claim(self, start: i64, grid: Grid) -> Interval {
        let Interval { start, end } = self.work(start);
        grid.around(Interval { start, end: end.saturating_add(self.0.travel) })
    }
}

impl From<Visit> for Times {
    fn from(visit: Visit) -> Self {
        visit.0
    }
}

impl TryFrom<Times> for Visit {
    type Error = &'static str;

    fn try_from(times: Times) -> Result<Self, Self::Error> {
        Self::new(times).ok_or("no times of a visit")
    }
}

impl Search {
    /// For slots that begin within an interval, as far as they can be booked now (UTC milliseconds).
    pub fn new(visit: Visit, limits: &Limits, zone: &Zone, now: i64, asked: Interval) -> Self {
        let within = asked.and(limits.bookable(zone, now));
        Self { visit, grid: Grid::FIVE_MINUTES, step_ms: limits.step_ms(), within }
    }
}

impl Availability {
    /// Of slots that begin within an interval. `claims` are those that [`Self::reach`] tells.
    pub fn new(schedule: &Schedule, zone: &Zone, within: Interval, claims: impl IntoIterator<Item = Interval>) -> Self {
        Self { open: schedule.open(zone, within), taken: claims.into_iter().collect() }
    }

    /// Claims that overlap this may matter to slots that begin within an interval.
    pub const fn reach(within: Interval) -> Interval {
        Interval { start: within.start.saturating_sub(2 * DAY_MS), end: within.end.saturating_add(2 * DAY_MS) }
    }

    /// Whether a visit can begin at a moment, on a slot or between two.
    pub fn can(&self, visit: Visit, grid: Grid, start: i64) -> bool {
        self.open.work.covers(visit.work(start)) && !self.taken.meets(visit.claim(start, grid))
    }

    /// When visits can begin, in order. Slots are counted from the beginning of the hours, not of what is free of them, so
    /// that a claim takes slots away and moves none.
    pub fn starts(&self, search: &Search) -> Vec<i64> {
        let mut starts = Vec::new();
        for window in &self.open.windows {
            if window.start >= search.within.end {
                break;
            }
            if window.end > search.within.start {
                self.starts_in(*window, search, &mut starts);
            }
        }
        // Hours that overlap have slots of their own each.
        if !starts.is_sorted_by(|a, b| a < b) {
            starts.sort_unstable();
            starts.dedup();
        }
        starts
    }

    fn starts_in(&self, window: Interval, search: &Search, starts: &mut Vec<i64>) {
        let Search { visit, grid, step_ms, within } = *search;
        let (step, before) = (step_ms.max(1), visit.times().before);
        let slot_from = |moment: i64| {
            let past = moment.saturating_sub(window.start).max(0);
            // Rounded up to a whole number of steps.
            window.start.saturating_add(past.saturating_add((step - past % step) % step))
        };
        let end = window.end.min(within.end);
        let mut start = slot_from(within.start);
        let (work, taken) = (self.open.work.as_slice(), self.taken.as_slice());
        let mut open = self.open.work.first_reaching(visit.work(start).end);
        let mut claimed = self.taken.first_after(visit.claim(start, grid).start);
        while start < end {
            let wanted = visit.work(start);
            while work.get(open).is_some_and(|part| part.end < wanted.end) {
                open += 1;
            }
            match work.get(open) {
                None => return,
                // What begins sooner has even less of this part.
                Some(part) if part.start > wanted.start => {
                    start = slot_from(part.start.saturating_add(before));
                    continue;
                }
                Some(_) => {}
            }
            let claim = visit.claim(start, grid);
            while taken.get(claimed).is_some_and(|other| other.end <= claim.start) {
                claimed += 1;
            }
            match taken.get(claimed) {
                // What begins before it is over, and later than this one, meets it as well.
                Some(other) if other.start < claim.end => {
                    start = slot_from(other.end.saturating_add(before)).max(start.saturating_add(step));
                }
                _ => {
                    starts.push(start);
                    start = start.saturating_add(step);
                }
            }
        }
    }
}

/// The slots that at least one of several people has, in order.
pub fn slots(people: &[Availability], search: &Search) -> Vec<Slot> {
    let mut starts: Vec<(i64, usize)> = Vec::new();
    for (person, availability) in people.iter().enumerate() {
        starts.extend(availability.starts(search).into_iter().map(|start| (start, person)));
    }
    merged(starts, search.visit)
}

/// Slots of a visit out of moments at which it can begin and the places of those who can then, each person's in order.
pub(super) fn merged(mut starts: Vec<(i64, usize)>, visit: Visit) -> Vec<Slot> {
    // Each person's are in order: a stable sort finds and merges them.
    starts.sort();
    let slot = |group: &[(i64, usize)]| {
        let shown = visit.shown(group.first()?.0);
        Some(Slot { start: shown.start, end: shown.end, people: group.iter().map(|(_, person)| *person).collect() })
    };
    starts.chunk_by(|a, b| a.0 == b.0).filter_map(slot).collect()
}

/// Leaves the slots for which a thing is free as well (a chair, a room, a vehicle), each with the first that is. A thing
/// is claimed for the visit without the way to the next.
pub fn with_a_thing(slots: Vec<Slot>, things: &[Availability], search: &Search) -> Vec<(Slot, usize)> {
    let visit = search.visit.without_travel();
    let free = |slot: &Slot| things.iter().position(|thing| thing.can(visit, search.grid, slot.start));
    slots.into_iter().filter_map(|slot| free(&slot).map(|thing| (slot, thing))).collect()
}

#[cfg(test)]
mod tests;
