//! What changed last of what pages of the catalogue show, so that a page that was made for many is made anew when something
//! that it shows has changed, and not whenever anything has.
//!
//! Each change has a number, the count of all changes until then. An order changes the stock of its products, and once it is
//! paid how many of them are sold: for these the number of the last change is kept apart. All else changes rarely and may be
//! seen anywhere (prices, texts, categories, reviews, the search index, whatever may not have been heard): it changes
//! every page. A page that was begun after so many changes is true as long as nothing that it shows ([`Sight`]) has a higher
//! number.
//!
//! The numbers lie in tables of a fixed size, found by a hash. Two that meet in one place share the number of the later
//! change, so that a page is made anew once too often and never too rarely.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

/// How many products have a number of their own, as long as their hashes do not meet.
const PRODUCTS: usize = 4_096;
/// How many categories have.
const CATEGORIES: usize = 256;
/// Into how many levels products are sorted by how many of them are sold; see [`level`].
const LEVELS: usize = 32;
/// The most places of a table that are noted of a page. One that shows more is changed by everything.
const MOST: usize = 64;

/// The name under which the sales of all categories are counted together: no category has an empty id.
pub const WHOLE: &str = "";

/// What a page shows of which changes are told apart. Whatever else it shows of the catalogue changes with all pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// The ids of the products of which it shows stock or how many were sold.
    pub products: Vec<String>,
    /// Whether it depends on the stock of other products which of them it shows.
    pub stock: bool,
    /// Where it depends on the sales of other products which of them it shows, and in which order.
    pub sales: Option<Ranking>,
}

/// A part of a list of products by how many are sold of each, the most first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranking {
    /// The category that it is about, with those directly below it, by its id; [`WHOLE`] for the whole shop.
    pub category: String,
    /// How many are sold of the last product that is shown. One of which fewer are sold, before and after, comes behind it.
    pub least: i64,
}

/// That some pieces of a product were sold, or were not after all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sold {
    /// Its category and the one above that, by their ids.
    pub categories: Vec<String>,
    /// How many there were before or after, whichever is more.
    pub sales: i64,
}

/// What was noted of a page: places in the tables.
#[derive(Debug, Default)]
pub struct Seen {
    /// Too much to be told apart.
    all: bool,
    stock: bool,
    products: BTreeSet<usize>,
    sales: BTreeSet<usize>,
}

/// The numbers of the last changes that this process has heard of.
#[derive(Debug)]
pub struct Changes {
    /// How many there were.
    count: AtomicU64,
    /// The last one that may be seen on every page.
    any: AtomicU64,
    /// The last one of the stock of any product.
    stock: AtomicU64,
    products: Box<[AtomicU64]>,
    /// By category, and in each by level: the last sale of a product that has sold that well, or better.
    sales: Box<[AtomicU64]>,
}

impl Default for Changes {
    fn default() -> Self {
        let table = |size: usize| -> Box<[AtomicU64]> { (0..size).map(|_| AtomicU64::new(0)).collect() };
        Self {
            count: AtomicU64::new(0),
            any: AtomicU64::new(0),
            stock: AtomicU64::new(0),
            products: table(PRODUCTS),
            sales: table(CATEGORIES * LEVELS),
        }
    }
}

impl Seen {
    /// Notes what a page shows, beside what was noted of it before.
    pub fn note(&mut self, sight: &Sight) {
        self.stock |= sight.stock;
        self.products.extend(sight.products.iter().map(|product| product_place(product)));
        self.sales.extend(sight.sales.iter().map(|by| category_place(&by.category) + level(by.least)));
        if self.products.len().max(self.sales.len()) > MOST {
            *self = Self { all: true, ..Self::default() };
        }
    }
}

impl Changes {
    /// How many there were until now. Whoever reads data after asking this has at least what these changed.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Notes a change that may be seen on every page.
    pub fn of_any(&self) {
        let number = self.next();
        self.any.fetch_max(number, Ordering::SeqCst);
    }

    /// Notes that the stock of a product changed, or how many were sold of it. Where the order of products by that may have
    /// changed with it, [`Changes::of_sales`] is told too.
    pub fn of_stock(&self, product: &str) {
        let number = self.next();
        self.stock.fetch_max(number, Ordering::SeqCst);
        self.products[product_place(product)].fetch_max(number, Ordering::SeqCst);
    }

    /// Notes that a product in a category sells as well as this: see [`Sold`].
    pub fn of_sales(&self, category: &str, sales: i64) {
        let (number, first) = (self.next(), category_place(category));
        for last in &self.sales[first..=first + level(sales)] {
            last.fetch_max(number, Ordering::SeqCst);
        }
    }

    /// Whether something that a page shows has changed after so many changes.
    pub fn is_any_after(&self, number: u64, seen: &Seen) -> bool {
        let after = |last: &AtomicU64| last.load(Ordering::SeqCst) > number;
        after(if seen.all { &self.count } else { &self.any })
            || (seen.stock && after(&self.stock))
            || seen.products.iter().any(|place| after(&self.products[*place]))
            || seen.sales.iter().any(|place| after(&self.sales[*place]))
    }

    fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// The place of a product in its table.
fn product_place(id: &str) -> usize {
    place(id, PRODUCTS)
}

/// The first of the places of a category in its table.
fn category_place(id: &str) -> usize {
    place(id, CATEGORIES) * LEVELS
}

/// Which of so many places belongs to an id. Ids are ours, so that nobody can make them meet.
fn place(id: &str, places: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    // Less than `places`, whatever is cut off.
    hasher.finish() as usize % places
}

/// The level of a number of pieces sold: how many binary digits it has. More pieces are never on a lower one.
fn level(sales: i64) -> usize {
    let digits = i64::BITS - sales.max(0).leading_zeros();
    (digits as usize).min(LEVELS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page that shows some products, of a list by sales in a category.
    fn page(changes: &Changes, products: &[&str], sales: Option<(&str, i64)>) -> (u64, Seen) {
        let (number, mut seen) = (changes.count(), Seen::default());
        let sight = Sight {
            products: products.iter().map(|id| (*id).to_owned()).collect(),
            stock: false,
            sales: sales.map(|(category, least)| Ranking { category: category.to_owned(), least }),
        };
        seen.note(&sight);
        (number, seen)
    }

    /// A product whose hash meets with none of some others.
    fn apart(from: &[&str]) -> String {
        let taken: BTreeSet<_> = from.iter().map(|id| product_place(id)).collect();
        let mut names = (0..).map(|n: u32| n.to_string());
        names.find(|id| !taken.contains(&product_place(id))).unwrap_or_default()
    }

    #[test]
    fn stock_changes_the_pages_that_show_it_and_lists_that_are_made_by_it() {
        let changes = Changes::default();
        let (number, seen) = page(&changes, &["a", "b"], Some(("tea", 0)));
        let in_stock = Seen { stock: true, ..Seen::default() };
        let changed = |seen: &Seen| changes.is_any_after(number, seen);
        assert!(!changed(&seen) && !changed(&in_stock));
        changes.of_stock(&apart(&["a", "b"]));
        assert!(!changed(&seen), "of a product that it does not show");
        assert!(changed(&in_stock), "it may be there now");
        changes.of_stock("b");
        assert!(changed(&seen));
        let (number, seen) = page(&changes, &["a", "b"], None);
        assert!(!changes.is_any_after(number, &seen), "made after all of that");
        assert_eq!(changes.count(), 2);
    }

    #[test]
    fn what_is_not_told_apart_changes_every_page() {
        let changes = Changes::default();
        let (number, seen) = page(&changes, &[], None);
        changes.of_stock("a");
        changes.of_sales("tea", 5);
        assert!(!changes.is_any_after(number, &seen));
        changes.of_any();
        assert!(changes.is_any_after(number, &seen));
    }

    #[test]
    fn a_list_by_sales_changes_with_what_may_come_into_it() {
        let changes = Changes::default();
        let mut names = (0..).map(|n: u32| n.to_string());
        let other = names.find(|id| category_place(id) != category_place("tea")).unwrap_or_default();
        for (category, least, sold, changed) in [
            ("tea", 100, 100, true),
            ("tea", 100, 128, true),
            ("tea", 100, 101, true),
            ("tea", 100, 63, false),
            ("tea", 0, 0, true),
            ("tea", 0, 1, true),
            ("tea", -3, -5, true),
            ("tea", i64::MAX, i64::MAX, true),
            ("tea", i64::MAX, 7, false),
            (&*other, 0, 1_000, false),
        ] {
            let (number, seen) = page(&changes, &[], Some((category, least)));
            changes.of_sales("tea", sold);
            assert_eq!(changes.is_any_after(number, &seen), changed, "{sold} of {category} from {least}");
        }
    }

    #[test]
    fn who_sells_more_is_on_no_lower_level() {
        let sales = [i64::MIN, -1, 0, 1, 2, 3, 4, 1_000, 1 << 30, 1 << 31, 1 << 40, i64::MAX];
        assert!(sales.map(level).is_sorted());
        assert_eq!([0, 1, 2, 3, 4, i64::MAX].map(level), [0, 1, 2, 2, 3, LEVELS - 1]);
    }

    #[test]
    fn what_is_noted_twice_is_noted() {
        let (changes, mut seen) = (Changes::default(), Seen::default());
        for product in ["a", "b"] {
            seen.note(&Sight { products: vec![product.to_owned()], ..Sight::default() });
        }
        for product in ["a", "b"] {
            let number = changes.count();
            changes.of_stock(product);
            assert!(changes.is_any_after(number, &seen), "{product}");
        }
    }

    #[test]
    fn a_page_of_very_many_products_is_changed_by_everything() {
        let changes = Changes::default();
        let products: Vec<String> = (0..2 * MOST).map(|n| n.to_string()).collect();
        let mut seen = Seen::default();
        seen.note(&Sight { products, ..Sight::default() });
        seen.note(&Sight { products: vec!["a".to_owned()], ..Sight::default() });
        assert!(seen.all && seen.products.len() <= 1);
        let number = changes.count();
        assert!(!changes.is_any_after(number, &seen));
        changes.of_sales("tea", 1);
        assert!(changes.is_any_after(number, &seen));
    }
}
