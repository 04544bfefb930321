//! Where pages lie that were made for all: found by what was asked for, good until something changes that they show, and
//! never more of them than there is room for.

use super::Shown;
use crate::server::live::Hub;
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::OnceCell;

/// How long a page is given to others where a change may go unheard, or where no change is told of what it shows.
pub const LIFE: Duration = Duration::from_secs(1);
/// How long one is given to others whatever is heard. What no process tells of, such as a change made by hand in the
/// database, is seen after this.
const LONGEST: Duration = Duration::from_secs(60);
/// The most pages that lie here.
const MOST: usize = 1_024;
/// The most bytes that they take together.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// A page of more than this part of them is not kept, so that one does not drive out all others.
const PART: usize = 8;

/// A moment at which a page is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub now: Instant,
    /// How often the catalogue has changed until then, as far as it was heard.
    pub changes: u64,
    /// Whether every change is heard of.
    pub sure: bool,
}

impl Moment {
    /// The present one.
    pub fn of(live: &Hub) -> Self {
        // Asked first: what was missed is counted before it is sure again that nothing is.
        let sure = live.hears_all();
        Self { now: Instant::now(), changes: live.product_changes(), sure }
    }
}

/// Where a page is or will be; those who ask meanwhile wait for it.
pub type Place<V> = Arc<OnceCell<V>>;

/// The places of pages. Of those that do not fit, the ones go that nobody asked for the longest.
pub struct Shelf<K, V> {
    kept: Mutex<Kept<K, V>>,
    most: usize,
    most_bytes: usize,
}

struct Kept<K, V> {
    pages: HashMap<K, Entry<V>>,
    /// What all of them take together.
    bytes: usize,
    /// How often something was asked for.
    asked: u64,
}

struct Entry<V> {
    place: Place<V>,
    /// When it was asked for first, before it was made.
    since: Instant,
    /// How often the catalogue had changed by then.
    changes: u64,
    /// Whether all of what it shows is told of when it changes; not before it is made.
    lasts: bool,
    /// What it shows; none before it is made, and where that was not noted: then every change may be one of it.
    shown: Option<Shown>,
    /// Zero until it is made.
    bytes: usize,
    /// When it was asked for last, in the count of all that was.
    asked: u64,
}

impl<V> Entry<V> {
    fn is_good(&self, moment: Moment) -> bool {
        let life = if self.lasts && moment.sure { LONGEST } else { LIFE };
        // Of what was made after more changes than somebody knows of, nothing is older.
        let same = self.changes >= moment.changes
            || self.shown.as_ref().is_some_and(|shown| !shown.is_changed_after(self.changes));
        same && moment.now.saturating_duration_since(self.since) < life
    }
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self::new(MOST, MOST_BYTES)
    }
}

impl<K, V> Shelf<K, V> {
    fn new(most: usize, most_bytes: usize) -> Self {
        Self { kept: Mutex::new(Kept { pages: HashMap::new(), bytes: 0, asked: 0 }), most, most_bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Kept<K, V>> {
        // Nothing is left half done in these short sections, so what a panic left behind is still right.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash, V> Shelf<K, V> {
    /// Where the page is or will be that somebody asks for who `arrived` at a moment, and may have waited since.
    pub fn place(&self, asked: &K, arrived: Moment, present: Moment) -> Place<V> {
        let mut kept = self.lock();
        if let Some(place) = kept.good(asked, arrived) {
            return place;
        }
        let kept = &mut *kept;
        let place = Place::default();
        let entry = Entry {
            place: place.clone(),
            since: present.now,
            changes: present.changes,
            lasts: false,
            shown: None,
            bytes: 0,
            asked: kept.asked,
        };
        if let Some(before) = kept.pages.insert(asked.clone(), entry) {
            kept.bytes = kept.bytes.saturating_sub(before.bytes);
        }
        kept.make_room(self.most, self.most_bytes);
        place
    }

    /// Where the page is, or is being made, that somebody may have who arrives now.
    pub fn good(&self, asked: &K, arrived: Moment) -> Option<Place<V>> {
        self.lock().good(asked, arrived)
    }

    /// Where a page is being made that was asked for before something changed of which somebody knows by now. Whether that is
    /// seen on it is known as soon as it is made.
    pub fn under_way(&self, asked: &K, moment: Moment) -> Option<Place<V>> {
        let kept = self.lock();
        let entry = kept.pages.get(asked)?;
        let young = moment.now.saturating_duration_since(entry.since) < LIFE;
        (young && !entry.place.initialized() && entry.changes < moment.changes).then(|| entry.place.clone())
    }

    /// Notes of a page that was made how much room it takes, whether it lasts (whether all of what it shows is told of when
    /// it changes), and what it shows, where that was noted.
    pub fn settle(&self, asked: &K, place: &Place<V>, bytes: usize, lasts: bool, shown: Option<Shown>) {
        let mut kept = self.lock();
        let kept = &mut *kept;
        // Another one may lie there by now.
        let Some(entry) = kept.pages.get_mut(asked).filter(|entry| Arc::ptr_eq(&entry.place, place)) else { return };
        if bytes > self.most_bytes / PART {
            kept.pages.remove(asked);
            return;
        }
        kept.bytes = kept.bytes.saturating_sub(entry.bytes) + bytes;
        (entry.bytes, entry.lasts, entry.shown) = (bytes, lasts, shown);
        kept.make_room(self.most, self.most_bytes);
    }
}

impl<K: Clone + Eq + Hash, V> Kept<K, V> {
    fn good(&mut self, asked: &K, arrived: Moment) -> Option<Place<V>> {
        self.asked += 1;
        let entry = self.pages.get_mut(asked).filter(|entry| entry.is_good(arrived))?;
        entry.asked = self.asked;
        Some(entry.place.clone())
    }

    fn make_room(&mut self, most: usize, most_bytes: usize) {
        while self.pages.len() > most || self.bytes > most_bytes {
            let oldest = self.pages.iter().min_by_key(|(_, entry)| entry.asked).map(|(asked, _)| asked.clone());
            let Some(gone) = oldest.and_then(|oldest| self.pages.remove(&oldest)) else { return };
            self.bytes = self.bytes.saturating_sub(gone.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::live::Sight;

    const SURE: bool = true;

    /// A shelf with time of its own.
    struct Test {
        shelf: Shelf<usize, ()>,
        begun: Instant,
    }

    impl Test {
        fn new(most: usize, most_bytes: usize) -> Self {
            Self { shelf: Shelf::new(most, most_bytes), begun: Instant::now() }
        }

        /// The place of a page at a moment, so many milliseconds after the beginning.
        fn place(&self, asked: usize, moment: (u64, u64, bool)) -> Place<()> {
            self.shelf.place(&asked, self.moment(moment), self.moment(moment))
        }

        fn moment(&self, (ms, changes, sure): (u64, u64, bool)) -> Moment {
            Moment { now: self.begun + Duration::from_millis(ms), changes, sure }
        }

        fn make(&self, asked: usize, moment: (u64, u64, bool), bytes: usize, lasts: bool) -> Place<()> {
            let place = self.place(asked, moment);
            self.shelf.settle(&asked, &place, bytes, lasts, None);
            place
        }

        fn bytes(&self) -> (usize, usize) {
            let kept = self.shelf.lock();
            let sum = kept.pages.values().map(|entry| entry.bytes).sum();
            assert_eq!(kept.bytes, sum, "what is counted is what is there");
            (kept.pages.len(), sum)
        }
    }

    #[test]
    fn a_page_lies_there_until_something_changes_or_a_minute_is_over() {
        let test = Test::new(8, 800);
        let first = test.make(1, (0, 5, SURE), 1, true);
        let same = |moment| Arc::ptr_eq(&first, &test.place(1, moment));
        assert!(same((0, 5, SURE)) && same((999, 5, !SURE)) && same((59_999, 5, SURE)));
        assert!(same((30_000, 4, SURE)), "somebody who has not heard of the last change yet");
        assert!(!Arc::ptr_eq(&first, &test.place(2, (0, 5, SURE))), "another page");

        for moment in [(1_000, 5, !SURE), (60_000, 5, SURE), (1, 6, SURE), (1, 6, !SURE)] {
            let test = Test::new(8, 800);
            let first = test.make(1, (0, 5, SURE), 1, true);
            assert!(!Arc::ptr_eq(&first, &test.place(1, moment)), "{moment:?}");
        }
    }

    #[test]
    fn a_page_of_which_not_every_change_is_told_lies_there_for_a_second() {
        let test = Test::new(8, 800);
        let fleeting = test.make(1, (0, 5, SURE), 1, false);
        assert!(Arc::ptr_eq(&fleeting, &test.place(1, (999, 5, SURE))));
        assert!(!Arc::ptr_eq(&fleeting, &test.place(1, (1_000, 5, SURE))));
        let unmade = test.place(2, (0, 5, SURE));
        assert!(Arc::ptr_eq(&unmade, &test.place(2, (999, 5, SURE))));
        assert!(!Arc::ptr_eq(&unmade, &test.place(2, (1_000, 5, SURE))));
    }

    #[test]
    fn when_it_is_not_sure_for_a_while_the_page_from_before_is_good_again_where_nothing_changed() {
        let test = Test::new(8, 800);
        let first = test.make(1, (0, 5, !SURE), 1, true);
        assert!(Arc::ptr_eq(&first, &test.place(1, (2_000, 5, SURE))));
        assert!(!Arc::ptr_eq(&first, &test.place(1, (2_001, 5, !SURE))));
    }

    #[test]
    fn a_page_lies_there_until_something_changes_that_it_shows() {
        let (test, live) = (Test::new(8, 800), Hub::new());
        let place = |ms| test.place(1, (ms, live.product_changes(), SURE));
        let make = |ms| {
            let (made, shown) = (place(ms), Shown::new(&live));
            shown.note(&Sight { products: vec!["a".to_owned()], ..Sight::default() });
            test.shelf.settle(&1, &made, 1, true, Some(shown));
            made
        };
        let first = make(0);
        live.heard_sold("tea", 1);
        assert!(Arc::ptr_eq(&first, &place(1)), "something else was sold");
        assert!(!Arc::ptr_eq(&first, &place(60_000)), "for a minute");
        let second = make(60_001);
        live.heard_stock("a".to_owned());
        assert!(!Arc::ptr_eq(&second, &place(60_002)));
        let unmade = place(60_003);
        let under_way = |ms| test.shelf.under_way(&1, test.moment((ms, live.product_changes(), SURE)));
        assert!(under_way(60_003).is_none(), "whoever asks now shares it");
        live.heard_sold("tea", 1);
        assert!(under_way(60_004).is_some_and(|place| Arc::ptr_eq(&unmade, &place)));
        assert!(under_way(61_003).is_none(), "nobody waits for ever");
        assert!(!Arc::ptr_eq(&unmade, &place(60_004)), "nobody knows yet what it shows");
        let late = make(60_005);
        live.all_changed();
        assert!(!Arc::ptr_eq(&late, &place(60_006)));
    }

    #[test]
    fn what_changes_while_a_page_is_made_is_a_change_of_it() {
        let (test, live) = (Test::new(8, 800), Hub::new());
        let made = test.place(1, (0, live.product_changes(), SURE));
        let shown = Shown::new(&live);
        // It may have been read before that.
        live.heard_stock("a".to_owned());
        shown.note(&Sight { products: vec!["a".to_owned()], ..Sight::default() });
        test.shelf.settle(&1, &made, 1, true, Some(shown));
        assert!(!Arc::ptr_eq(&made, &test.place(1, (1, live.product_changes(), SURE))));
    }

    #[test]
    fn those_go_first_that_nobody_asked_for_the_longest() {
        let test = Test::new(3, 800);
        let [first, second, _] = [1, 2, 3].map(|page| test.make(page, (0, 0, SURE), 10, true));
        assert!(Arc::ptr_eq(&first, &test.place(1, (1, 0, SURE))));
        test.make(4, (2, 0, SURE), 10, true);
        assert_eq!(test.bytes(), (3, 30));
        assert!(Arc::ptr_eq(&first, &test.place(1, (3, 0, SURE))));
        assert!(!Arc::ptr_eq(&second, &test.place(2, (3, 0, SURE))));
    }

    #[test]
    fn however_many_and_however_large_pages_are_they_have_room() {
        let test = Test::new(50, 800);
        for page in 0..1_000 {
            test.make(page % 70, (page as u64, page as u64 / 9, SURE), page % 100 + 1, page % 3 > 0);
            let (pages, bytes) = test.bytes();
            assert!(pages <= 50 && bytes <= 800, "{pages} of {bytes}");
        }
        let small = test.make(1_000, (0, 0, SURE), 1, true);
        test.make(1_001, (0, 0, SURE), 101, true);
        assert!(Arc::ptr_eq(&small, &test.place(1_000, (0, 0, SURE))), "a large one drives nothing out");
        let (pages, bytes) = test.bytes();
        assert!(pages <= 50 && bytes <= 800);
    }

    #[test]
    fn what_is_made_too_late_changes_nothing() {
        let test = Test::new(8, 800);
        let early = test.place(1, (0, 0, SURE));
        let late = test.make(1, (1, 1, SURE), 10, true);
        test.shelf.settle(&1, &early, 50, true, None);
        assert_eq!(test.bytes(), (1, 10));
        assert!(Arc::ptr_eq(&late, &test.place(1, (2, 1, SURE))));
    }
}
