//! Finds the variants and option values of the shop again in a file that may have them in another order.

use super::{super::shopify::ProductDraft, store::ExistingVariant};
use crate::domain::catalog::ProductOption;
use std::collections::{HashMap, HashSet};

/// For each variant of a draft, the index of the one in the shop.
pub type Matches = Vec<Option<usize>>;

/// Finds for each variant of the draft the one in the shop: by SKU, else by what was chosen.
pub fn matches(draft: &ProductDraft, known: &[ExistingVariant], old_options: &[ProductOption]) -> Matches {
    let by_sku: HashMap<&str, usize> = (known.iter().enumerate())
        .filter(|(_, old)| !old.row.sku.is_empty())
        .map(|(index, old)| (old.row.sku.as_str(), index))
        .collect();
    let mut matches: Matches = draft.variants.iter().map(|variant| by_sku.get(variant.sku.as_str()).copied()).collect();
    let taken: HashSet<usize> = matches.iter().flatten().copied().collect();
    let mut by_values: HashMap<Vec<(&str, &str)>, usize> = HashMap::new();
    let mut choices: Vec<(usize, Vec<usize>)> = known.iter().map(|old| old.row.choices()).enumerate().collect();
    // The options may have changed since one was withdrawn, and what it chose of them then means another thing now.
    choices.retain(|(index, _)| known.get(*index).is_some_and(|old| old.row.active));
    for (index, choices) in choices.iter().filter(|(index, _)| !taken.contains(index)) {
        by_values.entry(chosen(old_options, choices)).or_insert(*index);
    }
    for (variant, matched) in draft.variants.iter().zip(&mut matches).filter(|(_, matched)| matched.is_none()) {
        *matched = match &draft.options {
            Some(options) => by_values.remove(&chosen(options, &variant.choices)),
            // Without option columns, a single variant is the one there is.
            None if draft.variants.len() == 1 && old_options.is_empty() => by_values.remove(&Vec::new()),
            None => None,
        };
    }
    matches
}

/// The names and values chosen, whatever their order.
fn chosen<'a>(options: &'a [ProductOption], choices: &[usize]) -> Vec<(&'a str, &'a str)> {
    let pairs = options.iter().zip(choices);
    let mut chosen: Vec<_> =
        pairs.filter_map(|(option, i)| Some((option.name.as_str(), option.values.get(*i)?.as_str()))).collect();
    chosen.sort_unstable();
    chosen
}

/// The options of another language after those of the main language changed: what was translated stays so, what is new
/// stands in the main language until it is translated.
pub fn moved(old: &[ProductOption], translated: &[ProductOption], new: &[ProductOption]) -> Vec<ProductOption> {
    new.iter()
        .map(|option| {
            let place = old.iter().position(|old| old.name == option.name);
            let before = place.and_then(|place| Some((old.get(place)?, translated.get(place)?)));
            let Some((before, translated)) = before else { return option.clone() };
            let value = |value: &String| {
                let place = before.values.iter().position(|old| old == value);
                place.and_then(|place| translated.values.get(place)).unwrap_or(value).clone()
            };
            ProductOption { name: translated.name.clone(), values: option.values.iter().map(value).collect() }
        })
        .collect()
}
