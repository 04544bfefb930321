//! What is to be claimed beside what somebody has already: a stay that begins a day later needs one more night, not all of
//! its nights a second time.

use super::{Claim, What};
use crate::domain::booking::{cells::Grid, interval::Interval};
use std::collections::{BTreeMap, BTreeSet};

/// The parts of some claims that are not among what is there. Both together cover all that is wanted.
pub fn beyond(wanted: &[Claim], present: &[Claim]) -> Vec<Claim> {
    let (mut cells, mut counted) = (BTreeSet::new(), BTreeMap::new());
    for claim in present {
        let resource = claim.resource_id.as_str();
        match claim.what {
            What::Count { from, until, quantity } => {
                for unit in from..until {
                    *counted.entry((resource, unit)).or_insert(0) += quantity;
                }
            }
            what => cells.extend(what.cells().into_iter().map(|cell| (resource, cell))),
        }
    }
    let mut missing = Vec::new();
    for Claim { resource_id, what } in wanted {
        let resource = resource_id.as_str();
        let absent = |cell: &i64| !cells.contains(&(resource, *cell));
        let of = |what| Claim { resource_id: resource_id.clone(), what };
        match *what {
            What::Time(_) => {
                let runs = runs(what.cells().into_iter().filter(absent).map(|cell| (cell, 1)), CELL);
                missing.extend(runs.into_iter().map(|(start, end, _)| of(What::Time(Interval { start, end }))));
            }
            What::Seat { .. } => {
                let runs = runs(what.cells().into_iter().filter(absent).map(|leg| (leg, 1)), 1);
                missing.extend(runs.into_iter().map(|(from, until, _)| of(What::Seat { from, until })));
            }
            What::Count { from, until, quantity } => {
                let more = (from..until).map(|unit| {
                    let there = counted.get_mut(&(resource, unit));
                    // What is used here is not there for the next one.
                    let used = there.map_or(0, |there| {
                        let used = quantity.min(*there);
                        *there -= used;
                        used
                    });
                    (unit, quantity - used)
                });
                let runs = runs(more.filter(|(_, quantity)| *quantity > 0), 1);
                let count = |(from, until, quantity)| of(What::Count { from, until, quantity });
                missing.extend(runs.into_iter().map(count));
            }
        }
    }
    missing
}

/// A cell of time, in milliseconds.
const CELL: i64 = Grid::FIVE_MINUTES.step_ms();

/// Units that follow each other by a step, with as much of each: the first, the one after the last, and how much.
fn runs(units: impl Iterator<Item = (i64, i64)>, step: i64) -> Vec<(i64, i64, i64)> {
    let mut runs: Vec<(i64, i64, i64)> = Vec::new();
    for (unit, quantity) in units {
        match runs.last_mut() {
            Some((_, until, same)) if *until == unit && *same == quantity => *until += step,
            _ => runs.push((unit, unit + step, quantity)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(resource: &str, from: i64, until: i64) -> Claim {
        let time = Interval { start: from * CELL, end: until * CELL };
        Claim { resource_id: resource.to_owned(), what: What::Time(time) }
    }

    fn count(resource: &str, from: i64, until: i64, quantity: i64) -> Claim {
        Claim { resource_id: resource.to_owned(), what: What::Count { from, until, quantity } }
    }

    fn seat(resource: &str, from: i64, until: i64) -> Claim {
        Claim { resource_id: resource.to_owned(), what: What::Seat { from, until } }
    }

    #[test]
    fn only_what_is_missing_is_claimed_as_well() {
        let table = [
            (vec![count("twin", 3, 6, 1)], vec![count("twin", 2, 5, 1)], vec![count("twin", 5, 6, 1)]),
            (
                vec![count("twin", 2, 5, 2)],
                vec![count("twin", 3, 4, 1)],
                vec![count("twin", 2, 3, 2), count("twin", 3, 4, 1), count("twin", 4, 5, 2)],
            ),
            (vec![count("other", 2, 5, 1)], vec![count("twin", 2, 5, 1)], vec![count("other", 2, 5, 1)]),
            (vec![count("twin", 2, 5, 1)], vec![count("twin", 1, 9, 2)], vec![]),
            (vec![time("wu", 6, 18)], vec![time("wu", 0, 12)], vec![time("wu", 12, 18)]),
            (vec![time("wu", 0, 12)], vec![time("wu", 3, 6)], vec![time("wu", 0, 3), time("wu", 6, 12)]),
            (vec![time("li", 6, 18)], vec![time("wu", 0, 12)], vec![time("li", 6, 18)]),
            (vec![seat("d:1A", 0, 2)], vec![seat("d:1A", 1, 3)], vec![seat("d:1A", 0, 1)]),
            (vec![seat("d:1A", 0, 2), seat("d:1B", 0, 2)], vec![seat("d:1A", 0, 2)], vec![seat("d:1B", 0, 2)]),
        ];
        for (wanted, present, expected) in table {
            assert_eq!(beyond(&wanted, &present), expected, "{wanted:?} beside {present:?}");
        }
    }

    #[test]
    fn what_is_there_is_used_once() {
        let wanted = [count("twin", 0, 2, 1), count("twin", 1, 3, 1)];
        assert_eq!(beyond(&wanted, &[count("twin", 0, 3, 1)]), [count("twin", 1, 2, 1)]);
    }

    /// How much of each unit is claimed.
    fn sums<'a>(claims: impl IntoIterator<Item = &'a Claim>) -> BTreeMap<(String, i64), i64> {
        let mut sums = BTreeMap::new();
        for Claim { resource_id, what } in claims {
            let (units, quantity): (Vec<i64>, i64) = match *what {
                What::Count { from, until, quantity } => ((from..until).collect(), quantity),
                what => (what.cells(), 1),
            };
            for unit in units {
                *sums.entry((resource_id.clone(), unit)).or_insert(0) += quantity;
            }
        }
        sums
    }

    fn counts() -> impl Strategy<Value = Vec<Claim>> {
        let one = (0usize..2, 0i64..8, 1i64..5, 1i64..4);
        let claim = |(resource, from, length, quantity): (usize, i64, i64, i64)| {
            count(["twin", "suite"][resource], from, from + length, quantity)
        };
        prop::collection::vec(one.prop_map(claim), 0..4)
    }

    proptest! {
        #[test]
        fn both_together_are_all_that_is_wanted_and_nothing_is_claimed_in_vain(wanted in counts(), present in counts()) {
            let missing = sums(&beyond(&wanted, &present));
            let (wanted, present) = (sums(&wanted), sums(&present));
            for (unit, wanted) in &wanted {
                let there = present.get(unit).copied().unwrap_or(0);
                prop_assert_eq!(missing.get(unit).copied().unwrap_or(0), (wanted - there).max(0));
            }
            prop_assert!(missing.keys().all(|unit| wanted.contains_key(unit)));
        }

        #[test]
        fn of_somebodys_time_no_cell_is_claimed_twice(from in 0i64..20, length in 1i64..20, own in 0i64..20, owned in 1i64..20) {
            let (wanted, present) = ([time("wu", from, from + length)], [time("wu", own, own + owned)]);
            let missing = beyond(&wanted, &present);
            let all = sums(present.iter().chain(&missing));
            prop_assert!(all.values().all(|claims| *claims == 1));
            prop_assert!(sums(&wanted).keys().all(|cell| all.contains_key(cell)));
        }
    }
}
