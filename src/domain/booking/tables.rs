//! Tables of a restaurant: which one a party gets, for how long, and how many may arrive at once.
//!
//! A table is claimed like a person, by cells; tables that are joined are claimed together. Covers are counted by the
//! quarter of an hour in which parties arrive, so that the kitchen keeps up.

use super::{
    MINUTE_MS,
    slots::{Availability, Search},
};
use crate::domain::money::Amount;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most tables that are put together for one party.
pub const MAX_JOINED: usize = 4;
/// The most sets of tables that a floor knows. One whose tables all join each other would have millions; of those, the ones
/// of fewer tables are known first.
pub const MAX_SETS: usize = 20_000;
/// Covers are counted by this.
pub const QUARTER_MS: i64 = 15 * MINUTE_MS;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Where it stands: the terrace, by the window.
    pub area: String,
    /// The smallest and the largest party that it is given to.
    pub min: i64,
    pub max: i64,
    /// The tables of the same area that it can be put together with, by their places in the list; naming it once is enough.
    pub joins: Vec<usize>,
}

/// The tables of a restaurant, with all sets of them that a party may get.
#[derive(Clone, Debug)]
pub struct Floor {
    tables: Vec<Table>,
    /// The order in which they are tried.
    sets: Vec<Set>,
}

/// One table, or several that are joined; sorted as they are tried.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Set {
    count: usize,
    max: i64,
    /// In order.
    tables: Vec<usize>,
    min: i64,
}

/// How long parties of a size stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The largest party that this is for.
    pub up_to: i64,
    pub duration_ms: i64,
}

/// What a restaurant asks of parties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyRules {
    /// At least one; the longest is also for larger parties.
    pub turns: Vec<Turn>,
    /// Larger parties have to ask.
    pub largest: i64,
    /// From this size on there is a deposit; `None` for none.
    pub deposit_from: Option<i64>,
    pub deposit_per_guest: Amount,
}

/// What a party is told before it books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyTerms {
    pub duration_ms: i64,
    /// Zero for none.
    pub deposit: Amount,
}

/// Why a party cannot book by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartyProblem {
    /// Nobody comes.
    Empty,
    /// It is larger than so many: it has to ask.
    Large(i64),
    /// The restaurant has not said how long parties stay.
    Closed,
}

/// How many covers arrive in each quarter of an hour, and how many may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pacing {
    /// `None` for any number.
    pub limit: Option<i64>,
    arriving: BTreeMap<i64, i64>,
}

/// Who wants a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party<'a> {
    pub guests: i64,
    /// `None` for anywhere.
    pub area: Option<&'a str>,
}

/// A time with the tables that a party would get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sitting {
    /// UTC milliseconds.
    pub start: i64,
    pub end: i64,
    /// By their places in the list of tables; in order.
    pub tables: Vec<usize>,
}

impl Floor {
    pub fn new(tables: Vec<Table>) -> Self {
        let mut neighbours = vec![BTreeSet::new(); tables.len()];
        for (one, table) in tables.iter().enumerate() {
            for &other in &table.joins {
                if other != one && tables.get(other).is_some_and(|other| other.area == table.area) {
                    for (from, to) in [(one, other), (other, one)] {
                        if let Some(list) = neighbours.get_mut(from) {
                            list.insert(to);
                        }
                    }
                }
            }
        }
        let mut sets: Vec<Vec<usize>> = (0..tables.len()).map(|table| vec![table]).collect();
        let mut level: BTreeSet<Vec<usize>> = sets.iter().cloned().collect();
        for _ in 1..MAX_JOINED {
            let mut larger = BTreeSet::new();
            'level: for set in &level {
                for next in set.iter().filter_map(|table| neighbours.get(*table)).flatten() {
                    if let Err(place) = set.binary_search(next) {
                        if sets.len() + larger.len() >= MAX_SETS {
                            break 'level;
                        }
                        let mut joined = set.clone();
                        joined.insert(place, *next);
                        larger.insert(joined);
                    }
                }
            }
            sets.extend(larger.iter().cloned());
            level = larger;
        }
        let mut sets: Vec<_> = sets.into_iter().map(|set| Set::of(&tables, set)).collect();
        sets.sort_unstable();
        Self { tables, sets }
    }

    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The smallest that a party fits: a single table where one is free, else the fewest that can be joined; of several the
    /// one with the fewest seats, and of those the first in the list. `None` where nothing fits.
    pub fn seat(&self, party: i64, area: Option<&str>, free: impl Fn(usize) -> bool) -> Option<&[usize]> {
        let fits = |set: &&Set| {
            let wanted = |table: &usize| {
                free(*table) && area.is_none_or(|area| self.tables.get(*table).is_some_and(|table| table.area == area))
            };
            set.min <= party && party <= set.max && set.tables.iter().all(wanted)
        };
        self.sets.iter().find(fits).map(|set| set.tables.as_slice())
    }

    /// When a party can come, and where it would sit. `venue` has the hours of the restaurant with nothing taken; `each` has
    /// the tables in the order of the list, with their claims; the visit of the search is as long as the party stays.
    pub fn sittings(
        &self,
        venue: &Availability,
        each: &[Availability],
        pacing: &Pacing,
        search: &Search,
        party: Party<'_>,
    ) -> Vec<Sitting> {
        let Party { guests, area } = party;
        let sitting = |start: i64| {
            if !pacing.allows(start, guests) {
                return None;
            }
            let free: Vec<_> = each.iter().map(|table| table.can(search.visit, search.grid, start)).collect();
            let tables = self.seat(guests, area, |table| free.get(table).copied().unwrap_or(false))?;
            Some(Sitting { start, end: search.visit.shown(start).end, tables: tables.to_vec() })
        };
        venue.starts(search).into_iter().filter_map(sitting).collect()
    }
}

impl Set {
    fn of(all: &[Table], tables: Vec<usize>) -> Self {
        let sum = |part: fn(&Table) -> i64| tables.iter().filter_map(|table| all.get(*table)).map(part).sum();
        Self { count: tables.len(), max: sum(|table| table.max), min: sum(|table| table.min), tables }
    }
}

impl PartyRules {
    /// # Errors
    /// Why the party cannot book by itself.
    pub fn terms(&self, party: i64) -> Result<PartyTerms, PartyProblem> {
        if party < 1 {
            return Err(PartyProblem::Empty);
        }
        if party > self.largest {
            return Err(PartyProblem::Large(self.largest));
        }
        let fitting = self.turns.iter().filter(|turn| party <= turn.up_to).min_by_key(|turn| turn.up_to);
        let turn = fitting.or_else(|| self.turns.iter().max_by_key(|turn| turn.up_to)).ok_or(PartyProblem::Closed)?;
        let deposit = match self.deposit_from {
            Some(from) if party >= from => self.deposit_per_guest * party,
            _ => Amount::ZERO,
        };
        Ok(PartyTerms { duration_ms: turn.duration_ms, deposit })
    }
}

impl Pacing {
    /// Of parties that come already, each with its beginning and its covers.
    pub fn new(limit: Option<i64>, parties: impl IntoIterator<Item = (i64, i64)>) -> Self {
        let mut arriving: BTreeMap<i64, i64> = BTreeMap::new();
        for (start, covers) in parties {
            *arriving.entry(Self::quarter(start)).or_default() += covers;
        }
        Self { limit, arriving }
    }

    /// The beginning of the quarter of an hour that holds a moment: the key under which its covers are counted. Any moment
    /// can be asked about, also one before the first whole quarter.
    pub const fn quarter(moment: i64) -> i64 {
        moment.saturating_sub(moment.rem_euclid(QUARTER_MS))
    }

    /// Whether a party may arrive at a moment.
    pub fn allows(&self, start: i64, party: i64) -> bool {
        let arriving = self.arriving.get(&Self::quarter(start)).copied().unwrap_or(0);
        self.limit.is_none_or(|limit| arriving.saturating_add(party) <= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{
        HOUR_MS,
        cells::Grid,
        interval::Interval,
        samples::*,
        schedule::{Day, Hours, Schedule},
        slots::{Times, Visit},
    };
    use proptest::prelude::*;

    fn table(area: &str, min: i64, max: i64, joins: &[usize]) -> Table {
        Table { area: area.to_owned(), min, max, joins: joins.to_vec() }
    }

    /// Two tables for two that join a third, a table for six, and one for four on the terrace.
    fn floor() -> Floor {
        Floor::new(vec![
            table("hall", 1, 2, &[1]),
            table("hall", 1, 2, &[]),
            table("hall", 2, 4, &[1, 4]),
            table("hall", 4, 6, &[]),
            table("terrace", 2, 4, &[]),
        ])
    }

    #[test]
    fn a_party_gets_the_smallest_that_fits() {
        let floor = floor();
        let seat = |party, taken: &[usize]| floor.seat(party, None, |table| !taken.contains(&table)).map(<[_]>::to_vec);
        assert_eq!(seat(2, &[]), Some(vec![0]));
        assert_eq!(seat(2, &[0]), Some(vec![1]));
        assert_eq!(seat(3, &[]), Some(vec![2]));
        assert_eq!(seat(4, &[2]), Some(vec![4]), "one table before two");
        assert_eq!(seat(4, &[2, 3, 4]), Some(vec![0, 1]));
        assert_eq!(seat(6, &[3]), Some(vec![1, 2]));
        assert_eq!(seat(7, &[]), Some(vec![0, 1, 2]));
        assert_eq!(seat(8, &[1]), None, "the ones left stand apart");
        assert_eq!(seat(1, &[0, 1]), None, "a table for four is not for one");
        assert_eq!(floor.seat(2, Some("terrace"), |_| true), Some([4].as_slice()));
        assert_eq!(floor.seat(6, Some("terrace"), |_| true), None);
    }

    #[test]
    fn a_floor_on_which_everything_joins_has_an_end() {
        let all: Vec<usize> = (0..200).collect();
        let floor = Floor::new((0..200).map(|_| table("", 1, 2, &all)).collect());
        assert!(floor.sets.len() <= MAX_SETS);
        assert_eq!(floor.seat(4, None, |_| true).map(<[_]>::len), Some(2));
    }

    #[test]
    fn larger_parties_stay_longer_pay_a_deposit_or_have_to_ask() {
        let hours = |up_to, hours| Turn { up_to, duration_ms: hours * HOUR_MS };
        let rules = PartyRules {
            turns: vec![hours(6, 2), hours(2, 1)],
            largest: 12,
            deposit_from: Some(8),
            deposit_per_guest: Amount(5_000),
        };
        let terms = |party| rules.terms(party).map(|terms| (terms.duration_ms / HOUR_MS, terms.deposit.0));
        assert_eq!(terms(0), Err(PartyProblem::Empty));
        assert_eq!(terms(2), Ok((1, 0)));
        assert_eq!(terms(3), Ok((2, 0)));
        assert_eq!(terms(8), Ok((2, 40_000)));
        assert_eq!(terms(13), Err(PartyProblem::Large(12)));
        let nothing = PartyRules { turns: Vec::new(), ..rules.clone() };
        assert_eq!(nothing.terms(2), Err(PartyProblem::Closed));
    }

    #[test]
    fn the_kitchen_is_not_overrun() {
        let pacing = Pacing::new(Some(10), [(0, 4), (14 * MINUTE_MS, 4), (QUARTER_MS, 9), (-1, 10)]);
        assert!(pacing.allows(5 * MINUTE_MS, 2) && !pacing.allows(5 * MINUTE_MS, 3));
        assert!(pacing.allows(QUARTER_MS, 1) && !pacing.allows(2 * QUARTER_MS - 1, 2));
        assert!(pacing.allows(2 * QUARTER_MS, 10) && !pacing.allows(-QUARTER_MS, 1));
        assert!(Pacing::default().allows(0, 1_000));
        for moment in [i64::MIN, i64::MIN + 1, i64::MAX] {
            assert!(pacing.allows(moment, 10), "{moment}");
        }
    }

    /// The reference: every set of tables, by its bits.
    fn smallest(tables: &[Table], party: i64, free: &[bool]) -> Option<(usize, i64)> {
        let joined = |a: usize, b: usize| {
            tables[a].area == tables[b].area && (tables[a].joins.contains(&b) || tables[b].joins.contains(&a))
        };
        let sets =
            (1u32..1 << tables.len()).map(|bits| (0..tables.len()).filter(|n| bits >> n & 1 == 1).collect::<Vec<_>>());
        let fits = |set: &Vec<usize>| {
            let mut reached = vec![set[0]];
            while let Some(next) = set.iter().find(|n| !reached.contains(n) && reached.iter().any(|r| joined(*r, **n)))
            {
                reached.push(*next);
            }
            let sum = |part: fn(&Table) -> i64| set.iter().map(|n| part(&tables[*n])).sum::<i64>();
            reached.len() == set.len()
                && set.len() <= MAX_JOINED
                && set.iter().all(|n| free[*n])
                && (sum(|table| table.min)..=sum(|table| table.max)).contains(&party)
        };
        sets.filter(fits).map(|set| (set.len(), set.iter().map(|n| tables[*n].max).sum::<i64>())).min()
    }

    fn tables() -> impl Strategy<Value = Vec<Table>> {
        let one = (prop::bool::weighted(0.7), 1i64..4, 0i64..5, prop::collection::vec(0usize..7, 0..4));
        let one = one
            .prop_map(|(hall, min, more, joins)| table(if hall { "hall" } else { "terrace" }, min, min + more, &joins));
        prop::collection::vec(one, 1..8)
    }

    proptest! {
        #[test]
        fn no_smaller_set_of_tables_would_do(
            tables in tables(), party in 1i64..16, free in prop::collection::vec(prop::bool::weighted(0.8), 8),
        ) {
            let floor = Floor::new(tables.clone());
            let seat = floor.seat(party, None, |table| free[table]);
            let found = seat.map(|set| (set.len(), set.iter().map(|n| tables[*n].max).sum::<i64>()));
            prop_assert_eq!(found, smallest(&tables, party, &free));
            prop_assert!(seat.is_none_or(|set| set.iter().all(|n| free[*n]) && set.is_sorted()));
        }

        #[test]
        fn no_table_is_given_twice_and_no_quarter_gets_too_many(
            tables in tables(), wishes in prop::collection::vec((0usize..100, 1i64..9), 1..25), limit in prop::option::of(4i64..20),
        ) {
            let zone = shanghai();
            let evening = Day { open: Hours::parse("18:00", "22:00").into_iter().collect(), breaks: Vec::new() };
            let schedule = Schedule { week: std::array::from_fn(|_| evening.clone()), ..Schedule::default() };
            let within = zone.day(date("2026-05-04"));
            let times = Times { duration: HOUR_MS, after: 10 * MINUTE_MS, ..Times::default() };
            let Some(visit) = Visit::new(times) else { return Ok(()) };
            let search = Search { visit, grid: Grid::FIVE_MINUTES, step_ms: QUARTER_MS, within };
            let floor = Floor::new(tables.clone());
            let mut claims: Vec<Vec<Interval>> = vec![Vec::new(); tables.len()];
            let mut parties: Vec<(i64, i64)> = Vec::new();
            let venue = Availability::new(&schedule, &zone, within, []);
            for (pick, party) in wishes {
                let each: Vec<_> = claims
                    .iter()
                    .map(|claims| Availability::new(&schedule, &zone, within, claims.iter().copied()))
                    .collect();
                let pacing = Pacing::new(limit, parties.iter().copied());
                let sittings = floor.sittings(&venue, &each, &pacing, &search, Party { guests: party, area: None });
                let Some(sitting) = sittings.get(pick % sittings.len().max(1)) else { continue };
                let claim = visit.claim(sitting.start, Grid::FIVE_MINUTES);
                for table in &sitting.tables {
                    prop_assert!(claims[*table].iter().all(|other| !other.overlaps(claim)));
                    claims[*table].push(claim);
                }
                parties.push((sitting.start, party));
            }
            if let Some(limit) = limit {
                let mut covers: BTreeMap<i64, i64> = BTreeMap::new();
                for (start, party) in parties {
                    *covers.entry(start.div_euclid(QUARTER_MS)).or_default() += party;
                }
                prop_assert!(covers.values().all(|covers| *covers <= limit), "{covers:?}");
            }
        }
    }
}
