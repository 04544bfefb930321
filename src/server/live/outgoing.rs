//! What changed on this node since others were last told.

use super::Sold;
use crate::domain::live::Topic;
use std::collections::{HashMap, HashSet};

/// The most topics, products and categories together that wait for other nodes to be told of them.
pub(super) const MOST: usize = 10_000;

/// What changed here since other nodes were last told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// Of a product that is among them, anything may have changed.
    pub topics: HashSet<Topic>,
    /// The products of which nothing but the stock changed, and how many were sold. None of them is among the topics.
    pub stock: HashSet<String>,
    /// The categories in which something was sold, each with the most that it was of one product: see [`Sold`].
    pub sold: HashMap<String, i64>,
    /// More than was noted: they should look at everything anew.
    pub all: bool,
}

impl Outgoing {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty() && self.stock.is_empty() && self.sold.is_empty() && !self.all
    }

    /// More than can be told.
    pub(super) fn everything() -> Self {
        Self { all: true, ..Self::default() }
    }

    pub(super) fn note(&mut self, topic: Topic) {
        if !self.has_room() {
            return;
        }
        if let Topic::Product(id) = &topic {
            self.stock.remove(id);
        }
        self.topics.insert(topic);
    }

    pub(super) fn note_stock(&mut self, product: &str) {
        if self.has_room() && !self.topics.contains(&Topic::Product(product.to_owned())) {
            self.stock.insert(product.to_owned());
        }
    }

    pub(super) fn note_sold(&mut self, category: &str, sales: i64) {
        if self.has_room() {
            let most = self.sold.entry(category.to_owned()).or_insert(sales);
            *most = sales.max(*most);
        }
    }

    /// Adds what was taken before and could not be told.
    pub(super) fn add(&mut self, untold: Self) {
        if untold.all {
            *self = Self::everything();
        }
        untold.topics.into_iter().for_each(|topic| self.note(topic));
        untold.stock.iter().for_each(|product| self.note_stock(product));
        untold.sold.iter().for_each(|(category, sales)| self.note_sold(category, *sales));
    }

    /// False once there is more than can be told.
    fn has_room(&mut self) -> bool {
        if self.topics.len() + self.stock.len() + self.sold.len() >= MOST {
            *self = Self::everything();
        }
        !self.all
    }
}

impl Sold {
    /// Where it counts: in its categories, and in the whole shop.
    pub(super) fn places(&self) -> impl Iterator<Item = &str> {
        self.categories.iter().map(String::as_str).chain([super::WHOLE])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_told_once_and_of_a_category_the_most() {
        let mut outgoing = Outgoing::default();
        let product = |id: &str| Topic::Product(id.to_owned());
        outgoing.note_stock("a");
        outgoing.note_stock("b");
        outgoing.note(product("a"));
        outgoing.note_stock("a");
        assert_eq!(outgoing.topics, HashSet::from([product("a")]));
        assert_eq!(outgoing.stock, HashSet::from(["b".to_owned()]));
        for sales in [3, 9, 5] {
            outgoing.note_sold("tea", sales);
        }
        let mut later = Outgoing::default();
        later.note(product("b"));
        later.note_sold("tea", 10);
        later.add(outgoing);
        assert_eq!(later.topics, HashSet::from([product("a"), product("b")]));
        assert!(later.stock.is_empty());
        assert_eq!(later.sold, HashMap::from([("tea".to_owned(), 10)]));
        later.add(Outgoing::everything());
        later.note_stock("c");
        later.note_sold("tea", 11);
        assert_eq!(later, Outgoing::everything());
        assert!(!later.is_empty());
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut outgoing = Outgoing::default();
        for n in 0..MOST {
            outgoing.note_stock(&n.to_string());
        }
        assert!(!outgoing.all);
        outgoing.note_sold("tea", 1);
        assert_eq!(outgoing, Outgoing::everything());
    }
}
