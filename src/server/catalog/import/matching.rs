//! Finds the variants and option values of the shop again in a file that may have them in another order.

use super::{super::shopify::ProductDraft, plan::json, store::ExistingVariant};
use crate::domain::catalog::ProductOption;
use std::collections::{HashMap, HashSet};

/// For each variant of a draft, the index of the one in the shop.
pub type Matches = Vec<Option<usize>>;

/// Finds for each variant of the draft the one in the shop: by SKU, else by what was chosen. One that is sold comes before
/// one that was withdrawn.
pub fn matches(draft: &ProductDraft, known: &[ExistingVariant], old_options: &[ProductOption]) -> Matches {
    let by_sku: HashMap<&str, usize> = (known.iter().enumerate())
        .filter(|(_, old)| !old.row.sku.is_empty())
        .map(|(index, old)| (old.row.sku.as_str(), index))
        .collect();
    let mut matches: Matches = draft.variants.iter().map(|variant| by_sku.get(variant.sku.as_str()).copied()).collect();
    let taken: HashSet<usize> = matches.iter().flatten().copied().collect();
    let mut by_values: HashMap<String, usize> = HashMap::new();
    let free = || known.iter().enumerate().filter(|(index, _)| !taken.contains(index));
    for (index, old) in free().filter(|(_, old)| old.row.active) {
        by_values.entry(chosen(old_options, &old.row.choices())).or_insert(index);
    }
    // The options may have changed since one was withdrawn, and its choices mean another thing now: what counts is what
    // they were then.
    for (index, old) in free().filter(|(_, old)| !old.row.active && old.row.sku.is_empty()) {
        if !old.row.withdrawn_as.is_empty() {
            by_values.entry(old.row.withdrawn_as.clone()).or_insert(index);
        }
    }
    for (variant, matched) in draft.variants.iter().zip(&mut matches).filter(|(_, matched)| matched.is_none()) {
        *matched = match &draft.options {
            Some(options) => by_values.remove(&chosen(options, &variant.choices)),
            // Without option columns, a single variant is the one there is.
            None if draft.variants.len() == 1 && old_options.is_empty() => by_values.remove(&chosen(&[], &[])),
            None => None,
        };
    }
    matches
}

/// The names and values chosen, whatever their order, as JSON.
pub fn chosen(options: &[ProductOption], choices: &[usize]) -> String {
    let pairs = options.iter().zip(choices);
    let mut chosen: Vec<_> = pairs.filter_map(|(option, i)| Some((&option.name, option.values.get(*i)?))).collect();
    chosen.sort_unstable();
    json(&chosen)
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
