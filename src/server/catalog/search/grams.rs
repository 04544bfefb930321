//! Which products may have a word in their texts: for each two characters that stand side by side somewhere, the products in
//! which they do.
//!
//! So any part of a text is found, in any language, without knowing where its words begin. What is named here *may* have the
//! word; whoever asks looks whether it does. A product is named for every word that it has.

use crate::domain::catalog::MOST_FOUND;
use std::{
    collections::{HashMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    sync::Arc,
};

/// The most products that are named: as many as are counted. Of more, so many of all products are among them that who looks
/// through all has soon found enough.
pub const MOST: usize = MOST_FOUND as usize;
/// So few products are not narrowed down any further: looking at their texts takes less.
const FEW: usize = 64;
/// How many bits a character takes in a key.
const BITS: u32 = 21;

/// The lists of products by what stands in their texts.
#[derive(Default)]
pub struct Grams {
    lists: HashMap<u64, List>,
    /// By number; none of those whose texts were put in anew since.
    products: Vec<Option<Arc<str>>>,
    known: HashMap<Arc<str>, Known>,
}

/// What is known of a product.
struct Known {
    number: u32,
    /// Another one where its texts are others.
    mark: u64,
}

/// Numbers that grow, each written as its distance from the one before, seven bits to a byte and the lowest first.
#[derive(Default)]
struct List {
    /// One more than the last of them.
    end: u32,
    count: u32,
    bytes: Vec<u8>,
}

impl List {
    fn push(&mut self, number: u32) {
        let end = number.saturating_add(1);
        // The same again, from another place in the texts of a product.
        if end <= self.end {
            return;
        }
        let mut step = end - self.end;
        (self.end, self.count) = (end, self.count + 1);
        while step > 0x7f {
            self.bytes.push((step & 0x7f) as u8 | 0x80);
            step >>= 7;
        }
        self.bytes.push(step as u8);
    }

    fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        let (mut bytes, mut end) = (self.bytes.iter(), 0_u32);
        std::iter::from_fn(move || {
            let (mut step, mut shift) = (0_u32, 0);
            loop {
                let byte = *bytes.next()?;
                step |= u32::from(byte & 0x7f) << shift;
                if byte < 0x80 {
                    break;
                }
                shift += 7;
            }
            end += step;
            Some(end - 1)
        })
    }
}

impl Grams {
    /// Puts the texts of a product in, in place of those that were there.
    pub fn put(&mut self, product: &str, texts: &[String]) {
        let mut hasher = DefaultHasher::new();
        texts.hash(&mut hasher);
        let mark = hasher.finish();
        // A number of its own for each product and each change of one; there is no shop with so many.
        let Ok(number) = u32::try_from(self.products.len()) else { return };
        let name: Arc<str> = match self.known.get_key_value(product) {
            Some((_, known)) if known.mark == mark => return,
            Some((name, known)) => {
                if let Some(place) = self.products.get_mut(known.number as usize) {
                    *place = None;
                }
                name.clone()
            }
            None => Arc::from(product),
        };
        self.products.push(Some(name.clone()));
        self.known.insert(name, Known { number, mark });
        for text in texts {
            each(text, |key| self.lists.entry(key).or_default().push(number));
        }
    }

    /// The products that may have all of these words; `None` where there are too many to name, and for no words.
    pub fn find(&self, words: &[String]) -> Option<Vec<Arc<str>>> {
        let mut keys = Vec::new();
        for word in words {
            let word = word.to_lowercase();
            let single = word.chars().nth(1).is_none();
            each(&word, |key| {
                if single || key >> BITS > 0 {
                    keys.push(key);
                }
            });
        }
        keys.sort_unstable();
        keys.dedup();
        let mut lists = Vec::with_capacity(keys.len());
        for key in &keys {
            match self.lists.get(key) {
                Some(list) => lists.push(list),
                None => return Some(Vec::new()),
            }
        }
        lists.sort_by_key(|list| list.count);
        let mut lists = lists.into_iter();
        let current = |number: &u32| self.products.get(*number as usize).is_some_and(Option::is_some);
        let mut found: Vec<u32> = lists.next()?.numbers().filter(current).collect();
        for list in lists {
            if found.len() <= FEW {
                break;
            }
            let mut numbers = list.numbers().peekable();
            found.retain(|wanted| {
                while numbers.next_if(|number| number < wanted).is_some() {}
                numbers.peek() == Some(wanted)
            });
        }
        let names = || found.iter().filter_map(|number| self.products.get(*number as usize)?.clone()).collect();
        (found.len() <= MOST).then(names)
    }

    /// Whether more of it is out of date than not, so that it is better made anew.
    pub fn is_worn(&self) -> bool {
        self.products.len() > 2 * self.known.len() + 1_000
    }

    /// Gives back the room that was kept for more.
    pub fn tidy(&mut self) {
        self.lists.values_mut().for_each(|list| list.bytes.shrink_to_fit());
        self.lists.shrink_to_fit();
        self.products.shrink_to_fit();
        self.known.shrink_to_fit();
    }

    /// How many products are in it.
    pub fn products(&self) -> usize {
        self.known.len()
    }

    /// About how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        let written: usize = self.lists.values().map(|list| list.bytes.capacity()).sum();
        let names: usize = self.known.keys().map(|name| name.len() + 2 * size_of::<usize>()).sum();
        written
            + names
            + self.lists.capacity() * size_of::<(u64, List)>()
            + self.products.capacity() * size_of::<Option<Arc<str>>>()
            + self.known.capacity() * size_of::<(Arc<str>, Known)>()
    }
}

/// Tells the key of each character of a text, of each two that stand side by side in a word, and of each three letters or
/// digits of ASCII: of these two alone are in too many texts.
fn each(text: &str, mut tell: impl FnMut(u64)) {
    let (mut first, mut second) = (None::<char>, None::<char>);
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_whitespace() {
            (first, second) = (None, None);
            continue;
        }
        tell(key(&[c]));
        if let Some(b) = second {
            tell(key(&[b, c]));
            if let Some(a) = first
                && [a, b, c].iter().all(char::is_ascii_alphanumeric)
            {
                tell(key(&[a, b, c]));
            }
        }
        (first, second) = (second, Some(c));
    }
}

/// Up to three characters as one number.
fn key(characters: &[char]) -> u64 {
    characters.iter().fold(0, |key, c| (key << BITS) | u64::from(*c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn found(grams: &Grams, text: &str) -> Option<Vec<String>> {
        let mut names: Vec<_> = grams.find(&words(text))?.iter().map(|name| name.to_string()).collect();
        names.sort();
        Some(names)
    }

    #[test]
    fn any_part_of_a_text_is_found() {
        let mut grams = Grams::default();
        grams.put("teapot", &["青瓷茶壶 yelu sku-100".to_owned(), "celadon teapot".to_owned()]);
        grams.put("cup", &["青瓷茶杯 yelu sku-101".to_owned()]);
        grams.put("lamp", &["台灯".to_owned()]);
        let table: [(&str, &[&str]); 12] = [
            ("青瓷", &["cup", "teapot"]),
            ("瓷茶壶", &["teapot"]),
            ("壶", &["teapot"]),
            ("灯", &["lamp"]),
            ("YELU", &["cup", "teapot"]),
            ("sku-101", &["cup"]),
            ("k", &["cup", "teapot"]),
            ("青瓷 101", &["cup"]),
            ("celadon 青瓷", &["teapot"]),
            ("壶yelu", &[]),
            ("毯", &[]),
            ("青瓷 毯", &[]),
        ];
        for (asked, expected) in table {
            let expected: Vec<_> = expected.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(found(&grams, asked), Some(expected), "{asked}");
        }
        assert_eq!(found(&grams, ""), None);
        assert_eq!(grams.products(), 3);
    }

    #[test]
    fn a_text_that_changed_is_found_as_it_is_now() {
        let mut grams = Grams::default();
        grams.put("a", &["red lamp".to_owned()]);
        grams.put("b", &["red chair".to_owned()]);
        let before = grams.bytes();
        grams.put("a", &["red lamp".to_owned()]);
        assert_eq!((grams.products.len(), grams.bytes()), (2, before), "nothing changed");
        grams.put("a", &["blue lamp".to_owned()]);
        assert_eq!(found(&grams, "red"), Some(vec!["b".to_owned()]));
        assert_eq!(found(&grams, "lamp"), Some(vec!["a".to_owned()]));
        assert_eq!(found(&grams, "blue lamp"), Some(vec!["a".to_owned()]));
        assert!(!grams.is_worn());
        for n in 0..2_000 {
            grams.put("b", &[format!("chair {n}")]);
        }
        assert!(grams.is_worn());
        assert_eq!(found(&grams, "chair"), Some(vec!["b".to_owned()]));
    }

    #[test]
    fn of_too_many_none_is_named() {
        let mut grams = Grams::default();
        for n in 0..=MOST {
            grams.put(&format!("p{n}"), &[format!("茶壶 sku-{n:05}")]);
        }
        assert_eq!(found(&grams, "茶壶"), None);
        assert_eq!(found(&grams, "茶壶 00300").map(|names| names.contains(&"p300".to_owned())), Some(true));
        assert!(grams.find(&words("茶壶 00300")).is_some_and(|names| names.len() <= FEW));
    }

    #[test]
    fn numbers_come_back_as_they_were_put_in() {
        let numbers = [0, 1, 2, 129, 130, 16_600, 16_601, 5_000_000, u32::MAX - 1];
        let mut list = List::default();
        for number in numbers {
            list.push(number);
            list.push(number);
        }
        assert_eq!(list.numbers().collect::<Vec<_>>(), numbers);
        assert_eq!(list.count as usize, numbers.len());
    }

    proptest! {
        #[test]
        fn whatever_has_all_words_is_named(
            texts in prop::collection::vec("[ab12茶壶杯 ]{0,12}", 1..120),
            asked in prop::collection::vec("[ab12茶壶杯]{1,4}", 1..3),
        ) {
            let mut grams = Grams::default();
            for (n, text) in texts.iter().enumerate() {
                grams.put(&n.to_string(), std::slice::from_ref(text));
            }
            let named = grams.find(&asked).unwrap_or_default();
            for (n, text) in texts.iter().enumerate() {
                let has = asked.iter().all(|word| text.contains(word.as_str()));
                let named = named.iter().any(|name| **name == *n.to_string());
                prop_assert!(!has || named, "{text:?} has {asked:?}");
            }
        }
    }
}
