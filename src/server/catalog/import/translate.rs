//! Plans the texts of a further language for products that are in the shop.
//!
//! Choices are indexes, so a translated value must stand at the place of the value it translates. Variants with the same
//! SKU tell the places; without SKUs, both files must have the same values in the same order.

use super::{
    super::shopify::{Column, Problem, ProblemKind, ProductDraft},
    categories::Categories,
    plan::{Done, Outcome, Planner, json, text_row},
    store::{Existing, TextRow},
};
use crate::{
    args,
    domain::{Locale, catalog::ProductOption},
};
use std::collections::HashMap;

impl Planner {
    /// Plans the texts of one product in this language.
    pub fn translation(&mut self, draft: &ProductDraft, existing: Option<&Existing>, locale: Locale) -> Outcome {
        let rejected = |kind| {
            let problem = Problem { line: draft.line, column: String::new(), handle: draft.handle.clone(), kind };
            Outcome { done: Done::Rejected, problems: vec![problem] }
        };
        let Some(existing) = existing else { return rejected(ProblemKind::UnknownProduct) };
        let base = existing.texts.get(Locale::default().tag()).map(TextRow::options).unwrap_or_default();
        let old = existing.texts.get(locale.tag());
        let options = match translate(draft, existing, &base, old.map(TextRow::options)) {
            Ok(options) => options,
            Err(kind) => return rejected(kind),
        };
        let before = self.changes.len();
        let sold = existing.variants.iter().filter(|variant| variant.row.active);
        let skus: Vec<&str> = sold.map(|variant| variant.row.sku.as_str()).collect();
        let mut text = text_row(self.columns, draft, old, &skus, &existing.row.brand);
        text.options = json(&options);
        let is_new = old.is_none();
        self.put_text(&existing.id, locale.tag(), old, text);
        if self.changes.len() > before {
            self.changes.translated.push(args![&existing.id, self.now]);
        }
        let done = match (is_new, self.changes.len() > before) {
            (true, _) => Done::Created,
            (false, true) => Done::Updated,
            (false, false) => Done::Unchanged,
        };
        Outcome { done, problems: Vec::new() }
    }

    /// Calls the categories of a product as the file does. `named` are those that another product of this file has
    /// named already: the first one counts.
    pub fn translate_category(
        &mut self,
        draft: &ProductDraft,
        existing: &Existing,
        locale: Locale,
        named: &mut HashMap<String, String>,
        heading: &str,
    ) -> Vec<Problem> {
        let mut notices = Vec::new();
        let Some(id) =
            existing.row.category_id.as_deref().filter(|_| self.columns.has_any(&[Column::Category, Column::Type]))
        else {
            return notices;
        };
        let way = self.categories.way(id);
        if way.len() != draft.category.len() {
            return notices;
        }
        for (id, title) in way.iter().zip(&draft.category) {
            match named.get(id) {
                Some(kept) if kept != title => {
                    let kind = ProblemKind::CategoryTextDiffers { kept: kept.clone(), value: title.clone() };
                    let (column, handle) = (heading.to_owned(), draft.handle.clone());
                    notices.push(Problem { line: draft.line, column, handle, kind });
                }
                Some(_) => {}
                None => {
                    named.insert(id.clone(), title.clone());
                    if self.categories.title(id, locale) != Some(title) {
                        Categories::rename(&mut self.categories, id, locale, title, &mut self.changes);
                    }
                }
            }
        }
        notices
    }
}

/// The options of the shop with the names and values of the file.
fn translate(
    draft: &ProductDraft,
    existing: &Existing,
    base: &[ProductOption],
    old: Option<Vec<ProductOption>>,
) -> Result<Vec<ProductOption>, ProblemKind> {
    let Some(options) = &draft.options else { return Ok(old.unwrap_or_else(|| base.to_vec())) };
    if options.len() != base.len() {
        return Err(ProblemKind::OptionsDiffer);
    }
    let choices_of: HashMap<&str, Vec<usize>> = (existing.variants.iter())
        .filter(|variant| !variant.row.sku.is_empty())
        .map(|variant| (variant.row.sku.as_str(), variant.row.choices()))
        .collect();
    let mut values: Vec<Vec<Option<&String>>> = base.iter().map(|option| vec![None; option.values.len()]).collect();
    for variant in draft.variants.iter().filter(|variant| !variant.sku.is_empty()) {
        let choices = choices_of.get(variant.sku.as_str()).ok_or(ProblemKind::VariantsDiffer)?;
        for (index, option) in options.iter().enumerate() {
            let (Some(place), Some(choice)) = (choices.get(index), variant.choices.get(index)) else { continue };
            let (Some(slot), Some(value)) =
                (values.get_mut(index).and_then(|values| values.get_mut(*place)), option.values.get(*choice))
            else {
                continue;
            };
            if slot.is_some_and(|known| known != value) {
                return Err(ProblemKind::OptionsDiffer);
            }
            *slot = Some(value);
        }
    }
    let translated = options.iter().zip(base).zip(values).map(|((option, base), values)| {
        if values.iter().all(Option::is_some) {
            let values = values.into_iter().flatten().cloned().collect();
            return Ok(ProductOption { name: option.name.clone(), values });
        }
        if option.values.len() != base.values.len() {
            return Err(ProblemKind::OptionsDiffer);
        }
        Ok(option.clone())
    });
    translated.collect()
}
