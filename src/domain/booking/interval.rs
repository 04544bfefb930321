//! Stretches of time, and sorted lists of them: what is open, what is taken, and what is left.

use serde::{Deserialize, Serialize};

/// From a moment (UTC milliseconds) up to, and without, another. One that ends at or before its start is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Interval {
    pub start: i64,
    pub end: i64,
}

impl Interval {
    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// In milliseconds; zero for an empty one.
    pub const fn length(self) -> i64 {
        if self.is_empty() { 0 } else { self.end.saturating_sub(self.start) }
    }

    /// What both have in common; empty where they only touch.
    pub fn and(self, other: Self) -> Self {
        Self { start: self.start.max(other.start), end: self.end.min(other.end) }
    }

    pub fn overlaps(self, other: Self) -> bool {
        !self.and(other).is_empty()
    }

    pub const fn contains(self, moment: i64) -> bool {
        self.start <= moment && moment < self.end
    }
}

/// Intervals in order of time that neither overlap nor touch, none of them empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intervals(Vec<Interval>);

impl FromIterator<Interval> for Intervals {
    /// Sorts them, and makes one of those that overlap or touch.
    fn from_iter<I: IntoIterator<Item = Interval>>(intervals: I) -> Self {
        let mut sorted: Vec<_> = intervals.into_iter().filter(|interval| !interval.is_empty()).collect();
        if !sorted.is_sorted() {
            sorted.sort_unstable();
        }
        sorted.dedup_by(|later, kept| {
            let meets = later.start <= kept.end;
            if meets {
                kept.end = kept.end.max(later.end);
            }
            meets
        });
        Self(sorted)
    }
}

impl Intervals {
    pub fn as_slice(&self) -> &[Interval] {
        &self.0
    }

    /// What is left of these without others.
    pub fn minus(&self, others: &Self) -> Self {
        let mut left = Vec::with_capacity(self.0.len() + others.0.len());
        let mut next = 0;
        for whole in &self.0 {
            let mut start = whole.start;
            while others.0.get(next).is_some_and(|other| other.end <= start) {
                next += 1;
            }
            let mut at = next;
            while let Some(other) = others.0.get(at).filter(|other| other.start < whole.end) {
                if other.start > start {
                    left.push(Interval { start, end: other.start });
                }
                start = start.max(other.end);
                at += 1;
            }
            // The last of them may reach into what follows.
            next = next.max(at.saturating_sub(1));
            if start < whole.end {
                left.push(Interval { start, end: whole.end });
            }
        }
        Self(left)
    }

    /// Whether one of these holds all of another interval.
    pub fn covers(&self, other: Interval) -> bool {
        self.0.get(self.first_reaching(other.end)).is_some_and(|interval| interval.start <= other.start)
    }

    /// Whether one of these has a moment in common with another interval.
    pub fn meets(&self, other: Interval) -> bool {
        self.0.get(self.first_after(other.start)).is_some_and(|interval| interval.overlaps(other))
    }

    /// The index of the first that does not end before a moment.
    pub(super) fn first_reaching(&self, moment: i64) -> usize {
        self.0.partition_point(|interval| interval.end < moment)
    }

    /// The index of the first that ends after a moment.
    pub(super) fn first_after(&self, moment: i64) -> usize {
        self.0.partition_point(|interval| interval.end <= moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some() -> impl Strategy<Value = Vec<Interval>> {
        let one = (0i64..60, -2i64..12).prop_map(|(start, length)| Interval { start, end: start + length });
        prop::collection::vec(one, 0..12)
    }

    /// The reference: moment by moment.
    fn has(intervals: &[Interval], moment: i64) -> bool {
        intervals.iter().any(|interval| interval.contains(moment))
    }

    fn is_normal(intervals: &Intervals) -> bool {
        let all = intervals.as_slice();
        all.iter().all(|one| !one.is_empty()) && all.iter().zip(all.iter().skip(1)).all(|(a, b)| a.end < b.start)
    }

    #[test]
    fn intervals_that_only_touch_have_nothing_in_common() {
        let (a, b) = (Interval { start: 0, end: 5 }, Interval { start: 5, end: 9 });
        assert!(!a.overlaps(b) && !b.overlaps(a));
        assert!(!a.overlaps(Interval { start: 3, end: 3 }));
        assert_eq!(Intervals::from_iter([b, a]).as_slice(), [Interval { start: 0, end: 9 }]);
    }

    proptest! {
        #[test]
        fn a_list_has_the_moments_of_its_parts(parts in some()) {
            let list: Intervals = parts.iter().copied().collect();
            prop_assert!(is_normal(&list), "{list:?}");
            for moment in -2..80 {
                prop_assert_eq!(has(list.as_slice(), moment), has(&parts, moment), "{}", moment);
            }
        }

        #[test]
        fn what_is_left_has_the_moments_of_the_one_and_not_of_the_other(a in some(), b in some()) {
            let left = Intervals::from_iter(a.iter().copied()).minus(&b.iter().copied().collect());
            prop_assert!(is_normal(&left), "{left:?}");
            for moment in -2..80 {
                prop_assert_eq!(has(left.as_slice(), moment), has(&a, moment) && !has(&b, moment), "{}", moment);
            }
        }

        #[test]
        fn covering_and_meeting_are_what_they_are_moment_by_moment(parts in some(), start in 0i64..70, length in 1i64..15) {
            let list: Intervals = parts.iter().copied().collect();
            let other = Interval { start, end: start + length };
            prop_assert_eq!(list.covers(other), (other.start..other.end).all(|moment| has(&parts, moment)));
            prop_assert_eq!(list.meets(other), (other.start..other.end).any(|moment| has(&parts, moment)));
        }
    }
}
