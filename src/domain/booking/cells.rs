//! The cells of a calendar: how a claim on somebody's time becomes rows under a primary key.
//!
//! `calendar_cell (resource_id, cell_start)` holds one row for each cell that a claim covers. Whoever claims inserts all
//! cells of the claim; a cell that somebody has makes the insert fail, on any database. For that to be exact, claims begin
//! and end on the grid: then two that overlap share a cell, and two that merely touch share none.

use super::{MINUTE_MS, interval::Interval};
use std::iter;

/// The moments, counted from 1970 UTC, at which cells begin. All claims on a resource, for whatever service, use one grid.
///
/// Every zone of our time is a number of quarter hours from UTC, so that a grid of five minutes falls on full minutes of
/// clocks everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    step_ms: i64,
}

/// That somebody or something is taken for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    pub resource_id: &'a str,
    pub time: Interval,
}

impl Grid {
    /// Cells of five minutes: a morning is some tens of rows.
    pub const FIVE_MINUTES: Self = Self { step_ms: 5 * MINUTE_MS };

    /// `None` unless the step in milliseconds is positive.
    pub const fn new(step_ms: i64) -> Option<Self> {
        if step_ms > 0 { Some(Self { step_ms }) } else { None }
    }

    pub const fn step_ms(self) -> i64 {
        self.step_ms
    }

    /// The shortest claim on the grid that holds an interval. Only claims of this form are kept.
    pub fn around(self, time: Interval) -> Interval {
        if time.is_empty() {
            return time;
        }
        let before = |moment: i64| moment.rem_euclid(self.step_ms);
        let start = time.start.saturating_sub(before(time.start));
        let end = match before(time.end) {
            0 => time.end,
            past => time.end.saturating_add(self.step_ms - past),
        };
        Interval { start, end }
    }

    /// The beginnings of all cells that a claim covers, in order; none for an empty one.
    pub fn cells(self, time: Interval) -> impl Iterator<Item = i64> {
        let Interval { start, end } = self.around(time);
        let first = (!time.is_empty()).then_some(start);
        iter::successors(first, move |cell| cell.checked_add(self.step_ms)).take_while(move |cell| *cell < end)
    }

    /// The rows of all claims of an order, in the order of their key, in which every order claims, so that two orders never
    /// wait for each other. `None` where the claims of this one order collide.
    pub fn rows<'a>(self, claims: &[Claim<'a>]) -> Option<Vec<(&'a str, i64)>> {
        let rows = claims.iter().flat_map(|claim| self.cells(claim.time).map(move |cell| (claim.resource_id, cell)));
        let mut rows: Vec<_> = rows.collect();
        rows.sort_unstable();
        let collide = rows.iter().zip(rows.iter().skip(1)).any(|(row, next)| row == next);
        (!collide).then_some(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{DAY_MS, samples::*};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn times() -> impl Strategy<Value = Interval> {
        (-2_000i64..2_000, 1i64..500).prop_map(|(start, length)| Interval { start, end: start + length })
    }

    #[test]
    fn cells_are_those_that_a_claim_covers() {
        let Some(grid) = Grid::new(10) else { panic!("a step of ten is one") };
        let cells = |start, end| grid.cells(Interval { start, end }).collect::<Vec<_>>();
        assert_eq!(cells(10, 30), [10i64, 20]);
        assert_eq!(cells(11, 30), [10i64, 20]);
        assert_eq!(cells(10, 31), [10i64, 20, 30]);
        assert_eq!(cells(-5, 5), [-10i64, 0]);
        assert!(cells(5, 5).is_empty());
        assert_eq!(Grid::new(0), None);
    }

    #[test]
    fn claims_of_one_order_on_one_person_may_not_collide() {
        let claim = |resource_id, start, end| Claim { resource_id, time: Interval { start, end } };
        let Some(grid) = Grid::new(10) else { panic!("a step of ten is one") };
        let apart = [claim("b", 0, 20), claim("a", 10, 20), claim("b", 20, 30)];
        assert_eq!(grid.rows(&apart), Some(vec![("a", 10), ("b", 0), ("b", 10), ("b", 20)]));
        assert_eq!(grid.rows(&[claim("a", 0, 20), claim("a", 10, 30)]), None);
    }

    proptest! {
        #[test]
        fn claims_share_a_cell_exactly_where_they_overlap(a in times(), b in times(), step in 1i64..60) {
            let Some(grid) = Grid::new(step) else { return Ok(()) };
            let (a, b) = (grid.around(a), grid.around(b));
            let cells: BTreeSet<_> = grid.cells(a).collect();
            prop_assert_eq!(grid.cells(b).any(|cell| cells.contains(&cell)), a.overlaps(b));
            // One that follows at once, and one that ends as it begins.
            let next = Interval { start: a.end, end: a.end + step };
            let last = Interval { start: a.start - step, end: a.start };
            prop_assert!(grid.cells(next).chain(grid.cells(last)).all(|cell| !cells.contains(&cell)));
        }

        #[test]
        fn a_claim_on_the_grid_holds_the_time_and_less_than_two_cells_more(time in times(), step in 1i64..60) {
            let Some(grid) = Grid::new(step) else { return Ok(()) };
            let claim = grid.around(time);
            prop_assert!(claim.start <= time.start && time.end <= claim.end);
            prop_assert!(claim.length() - time.length() < 2 * step);
            prop_assert_eq!(grid.around(claim), claim);
            prop_assert_eq!(grid.cells(time).count() as i64 * step, claim.length());
        }

        #[test]
        fn full_five_minutes_of_every_clock_are_on_the_grid(zone in zones(), day in days(), fives in 0i64..288) {
            let start = zone.at(day, fives * 5);
            let time = Interval { start, end: zone.at(day.plus(1), fives * 5).max(start + DAY_MS / 24) };
            prop_assert_eq!(Grid::FIVE_MINUTES.around(time), time);
        }
    }
}
