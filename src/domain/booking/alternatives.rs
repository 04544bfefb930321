//! What to offer instead of a slot that somebody else was quicker to take.

use super::{HOUR_MS, slots::Slot};
use serde::{Deserialize, Serialize};

/// A customer who chose a person would rather wait up to this long than have another one.
pub const RATHER_WAIT_MS: i64 = HOUR_MS;

/// The slot that cannot be had any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// UTC milliseconds.
    pub start: i64,
    /// The place in the list of people of whoever was chosen; `None` for anyone.
    pub person: Option<usize>,
}

/// One that can be had: one tap takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    /// UTC milliseconds.
    pub start: i64,
    pub end: i64,
    pub person: usize,
}

/// So many of the nearest slots, the nearest first: by the distance in time, to which another person than the chosen one
/// adds [`RATHER_WAIT_MS`]; of two that are as near, the earlier one. Each time is there once.
pub fn nearest(slots: &[Slot], wanted: Wanted, count: usize) -> Vec<Alternative> {
    let near = |slot: &Slot| {
        let chosen = wanted.person.filter(|person| slot.people.contains(person));
        let person = chosen.or_else(|| slot.people.first().copied())?;
        let other = if wanted.person.is_some() && chosen.is_none() { RATHER_WAIT_MS } else { 0 };
        let away = slot.start.saturating_sub(wanted.start).saturating_abs().saturating_add(other);
        Some((away, Alternative { start: slot.start, end: slot.end, person }))
    };
    let mut found: Vec<_> = slots.iter().filter_map(near).collect();
    found.sort_by_key(|(away, alternative)| (*away, alternative.start));
    found.into_iter().take(count).map(|(_, alternative)| alternative).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::MINUTE_MS;
    use proptest::prelude::*;

    fn slot(minute: i64, people: &[usize]) -> Slot {
        Slot { start: minute * MINUTE_MS, end: (minute + 30) * MINUTE_MS, people: people.to_vec() }
    }

    fn offered(slots: &[Slot], minute: i64, person: Option<usize>) -> Vec<(i64, usize)> {
        let found = nearest(slots, Wanted { start: minute * MINUTE_MS, person }, 3);
        found.into_iter().map(|one| (one.start / MINUTE_MS, one.person)).collect()
    }

    #[test]
    fn the_chosen_person_soon_is_nearer_than_another_at_once() {
        let slots = [slot(600, &[1, 2]), slot(630, &[0, 1]), slot(690, &[0]), slot(700, &[1]), slot(900, &[2])];
        assert_eq!(offered(&slots, 600, Some(0)), [(630, 0), (600, 1), (690, 0)]);
        assert_eq!(offered(&slots, 600, None), [(600, 1), (630, 0), (690, 0)]);
        assert_eq!(offered(&slots, 660, None), [(630, 0), (690, 0), (700, 1)]);
        assert!(offered(&[], 600, None).is_empty());
    }

    proptest! {
        #[test]
        fn nothing_nearer_is_left_out(
            slots in prop::collection::btree_map(0i64..500, prop::collection::btree_set(0usize..4, 1..4), 0..30),
            start in 0i64..500, person in prop::option::of(0usize..4), count in 0usize..6,
        ) {
            let slots: Vec<_> =
                slots.into_iter().map(|(minute, people)| slot(minute, &people.into_iter().collect::<Vec<_>>())).collect();
            let wanted = Wanted { start: start * MINUTE_MS, person };
            let away = |start: i64, who: usize| {
                (start - wanted.start).abs() + if person.is_some_and(|person| person != who) { RATHER_WAIT_MS } else { 0 }
            };
            let found = nearest(&slots, wanted, count);
            prop_assert_eq!(found.len(), count.min(slots.len()));
            let farthest = found.iter().map(|one| away(one.start, one.person)).max().unwrap_or(0);
            for slot in &slots {
                let best = slot.people.iter().map(|who| away(slot.start, *who)).min().unwrap_or(0);
                match found.iter().find(|one| one.start == slot.start) {
                    Some(one) => {
                        prop_assert!(slot.people.contains(&one.person));
                        prop_assert_eq!(away(one.start, one.person), best);
                    }
                    None => prop_assert!(count == 0 || best >= farthest),
                }
            }
        }
    }
}
