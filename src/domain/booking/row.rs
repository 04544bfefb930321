//! Several services in one visit, one after the other without a gap: by one person who does all of them, or by one person
//! after another. Whoever does some that follow each other prepares, tidies up and is on the way once for all of these, as
//! [`Visit::in_a_row`] says, and a thing they need stays with them meanwhile.

use super::{
    cancellation::Cancellation,
    cells::Grid,
    interval::Interval,
    offer::Basis,
    slots::{Availability, Search, Slot, Visit, merged},
};

/// The most services that one visit has besides its first.
pub const MAX_FURTHER: usize = 3;

/// Whether so many services can be asked for besides the first, by the ids of their variants: few, and none twice. The ways
/// to divide them among people double with each.
pub fn are_few(further: &[String]) -> bool {
    further.len() <= MAX_FURTHER && further.iter().enumerate().all(|(place, id)| !further[..place].contains(id))
}

/// A service, as far as it matters to what is done in one visit with it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub product_id: &'a str,
    /// The name of the zone whose clocks count there.
    pub zone: &'a str,
    /// Where it is, or whose people it comes to.
    pub region: &'a str,
    /// Empty where it is not told.
    pub address: &'a str,
    /// Done at the customer's.
    pub at_home: bool,
    pub basis: Basis,
    pub cancellation: &'a Cancellation,
}

/// One service of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub visit: Visit,
    /// Who does it, by their places in the list of people.
    pub people: Vec<usize>,
    /// What it needs one of, by the places in the list of things; empty where it needs none.
    pub things: Vec<usize>,
}

/// What one person does of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// All of it.
    pub visit: Visit,
    /// UTC milliseconds.
    pub start: i64,
    /// By the places in the lists.
    pub person: usize,
    pub thing: Option<usize>,
}

/// The services of a visit in their order, with everybody and everything that they may take.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    pub parts: &'a [Part],
    pub people: &'a [Availability],
    pub things: &'a [Availability],
    /// That of the claims.
    pub grid: Grid,
}

impl Place<'_> {
    /// Whether two services are done in one visit: at one place, or both at the customer's in one area, and given up by the
    /// same rules, as the whole is. Of one product only what costs the same whatever its length or size: others are
    /// lengths of one service.
    pub fn goes_with(&self, other: &Self) -> bool {
        let near = if self.product_id == other.product_id {
            self.basis == Basis::Fixed && other.basis == Basis::Fixed
        } else {
            // A place that is not told may be anywhere.
            (self.zone, self.region, self.address) == (other.zone, other.region, other.address)
                && (self.at_home || !self.address.is_empty())
        };
        near && self.at_home == other.at_home && self.cancellation == other.cancellation
    }
}

impl Run {
    /// What is claimed of the person.
    pub fn of_person(self, grid: Grid) -> Interval {
        self.visit.claim(self.start, grid)
    }

    /// What is claimed of the thing, which does not go along to the next customer.
    pub fn of_thing(self, grid: Grid) -> Interval {
        self.visit.without_travel().claim(self.start, grid)
    }
}

impl Row<'_> {
    /// When the visit can begin, in order, each time with everybody who can begin it then. The visit of the search is of no
    /// consequence: times are counted as those of the first service are.
    pub fn slots(&self, search: &Search) -> Vec<Slot> {
        let (Some(first), Some(whole)) = (self.parts.first(), whole(self.parts)) else { return Vec::new() };
        let search = Search { visit: first.visit, ..*search };
        let mut starts: Vec<(i64, usize)> = Vec::new();
        for place in &first.people {
            // Who can do more from a moment on can do the first of it from there.
            let own = self.people.get(*place).map(|person| person.starts(&search)).unwrap_or_default();
            let own = own.into_iter().filter(|start| self.runs(*start, Some(*place)).is_some());
            starts.extend(own.map(|start| (start, *place)));
        }
        merged(starts, whole)
    }

    /// Who does what of a visit that begins at a moment, whether it is a slot or not; `None` where it cannot be done. `first`
    /// is who begins; anyone unless somebody is named. One person does as much as they can.
    pub fn runs(&self, start: i64, first: Option<usize>) -> Option<Vec<Run>> {
        whole(self.parts)?;
        // Most of what cannot be done fails here, before anything is put together.
        let mut begins = start;
        for part in self.parts {
            let can = |place: &usize| self.people.get(*place).is_some_and(|one| one.can(part.visit, self.grid, begins));
            if !part.people.iter().any(can) {
                return None;
            }
            begins = part.visit.shown(begins).end;
        }
        let mut runs = Vec::new();
        self.go_on(0, start, first, &mut runs).then_some(runs)
    }

    /// Finds somebody for the services from one on, which begins at a moment; whether all are done then. With false, the
    /// list is as it was.
    fn go_on(&self, from: usize, start: i64, first: Option<usize>, runs: &mut Vec<Run>) -> bool {
        if from >= self.parts.len() {
            return true;
        }
        for until in (from + 1..=self.parts.len()).rev() {
            let Some(parts) = self.parts.get(from..until) else { continue };
            let Some(visit) = whole(parts) else { continue };
            for person in common(parts.iter().map(|part| part.people.as_slice())) {
                if from == 0 && first.is_some_and(|first| first != person) {
                    continue;
                }
                for thing in things_of(parts) {
                    let run = Run { visit, start, person, thing };
                    if !self.is_free(run, runs) {
                        continue;
                    }
                    runs.push(run);
                    if self.go_on(until, visit.shown(start).end, first, runs) {
                        return true;
                    }
                    runs.pop();
                }
            }
        }
        false
    }

    /// Whether somebody can do it, with what it needs, besides what they do of the visit already.
    fn is_free(&self, run: Run, others: &[Run]) -> bool {
        let Run { visit, start, person, thing } = run;
        let grid = self.grid;
        let can = self.people.get(person).is_some_and(|one| one.can(visit, grid, start))
            && thing.is_none_or(|thing| {
                self.things.get(thing).is_some_and(|one| one.can(visit.without_travel(), grid, start))
            });
        can && others.iter().all(|other| {
            let of_person = other.person == person && other.of_person(grid).overlaps(run.of_person(grid));
            let of_thing = thing.is_some() && other.thing == thing && other.of_thing(grid).overlaps(run.of_thing(grid));
            !of_person && !of_thing
        })
    }
}

/// Services one after the other, as one visit; `None` where that is too long.
pub fn whole(parts: &[Part]) -> Option<Visit> {
    Visit::in_a_row(&parts.iter().map(|part| part.visit).collect::<Vec<_>>())
}

/// The things that serve for all of some services; once nothing where none of them needs any.
fn things_of(parts: &[Part]) -> Vec<Option<usize>> {
    let mut needed = parts.iter().map(|part| part.things.as_slice()).filter(|things| !things.is_empty()).peekable();
    if needed.peek().is_none() {
        return vec![None];
    }
    common(needed).into_iter().map(Some).collect()
}

/// What is in all of some lists, in the order of the first.
fn common<'a>(mut lists: impl Iterator<Item = &'a [usize]>) -> Vec<usize> {
    let Some(first) = lists.next() else { return Vec::new() };
    let others: Vec<_> = lists.collect();
    first.iter().copied().filter(|place| others.iter().all(|list| list.contains(place))).collect()
}

#[cfg(test)]
mod tests;
