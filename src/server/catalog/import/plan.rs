//! Decides what is to be written so that a product in the shop becomes as the file describes it.
//!
//! Nothing is written here: a plan is made from what was read in the same transaction. What the file has no column for
//! stays as it is. A variant is found again by its SKU, else by its option values, and keeps its id; one that is not in
//! the file any more is no longer sold, but stays for the orders that refer to it and for the file it comes back in.

use super::{
    super::shopify::{Column, Columns, Problem, ProblemKind, ProductDraft, VariantDraft},
    categories::Categories,
    matching::{Matches, chosen, matches, moved},
    store::{Changes, Existing, ExistingVariant, Holder, ImageRow, ProductRow, TextRow, VariantRow},
};
use crate::{
    args,
    domain::{
        Locale,
        catalog::{Image, ProductOption},
        money::Amount,
    },
    server::{context::new_id, db::Value, media::Stored, stock::LOCATION},
};
use serde::Serialize;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// A product of the file with its pictures.
#[derive(Debug)]
pub struct Prepared {
    pub draft: ProductDraft,
    /// For each image of the draft; `None` for one that could not be had.
    pub pictures: Vec<Option<Stored>>,
}

/// What became of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Created,
    Updated,
    Unchanged,
    Rejected,
}

/// The answer for one product.
#[derive(Debug)]
pub struct Outcome {
    pub done: Done,
    /// Problems and notices that only the shop could tell.
    pub problems: Vec<Problem>,
}

/// What plans share: all in one transaction.
pub struct Planner {
    pub columns: Columns,
    /// Variants that are in the shop keep their stock.
    pub keep_stock: bool,
    /// Headings as the file writes them, for reports.
    pub sku_heading: String,
    pub price_heading: String,
    pub quantity_heading: String,
    pub now: i64,
    pub categories: Arc<Categories>,
    pub holders: HashMap<String, Holder>,
    pub changes: Changes,
}

impl Planner {
    /// Plans one product; adds nothing to the changes when it is rejected.
    pub fn product(&mut self, prepared: &Prepared, existing: Option<&Existing>) -> Outcome {
        let draft = &prepared.draft;
        let known: &[ExistingVariant] = existing.map_or(&[], |existing| &existing.variants);
        let base = existing.and_then(|existing| existing.texts.get(Locale::default().tag()));
        let old_options = base.map(TextRow::options).unwrap_or_default();
        let matches = matches(draft, known, &old_options);
        let mut problems = Vec::new();
        let resolved = self.resolve(draft, existing.is_some(), known, &matches, &old_options, &mut problems);
        self.check_skus(draft, &mut problems);
        if !problems.is_empty() {
            return Outcome { done: Done::Rejected, problems };
        }
        let before = self.changes.len();
        let (product_id, is_new) = match existing {
            Some(existing) => (existing.id.clone(), false),
            None => (new_id(), true),
        };
        let images = self.images(prepared, existing);
        let options = match (&draft.options, base) {
            (None, Some(_)) => old_options.clone(),
            (options, _) => options.clone().unwrap_or_default(),
        };
        let image_position = |variant: &VariantDraft| -> Option<i64> {
            let source = &draft.images.get(variant.image?)?.source;
            images.iter().position(|image| image.source == *source).and_then(position)
        };
        let mut stock = Vec::new();
        let mut rows = Vec::new();
        for (index, ((variant, matched), (price, choices))) in
            draft.variants.iter().zip(&matches).zip(resolved).enumerate()
        {
            let old = matched.and_then(|matched| known.get(matched));
            let keep = |column: Column| !self.columns.has(column);
            let old_row = old.map(|old| &old.row);
            let compare_at = variant.compare_at.map(|amount| amount.0);
            let pick = |column, new: &String, kept: fn(&VariantRow) -> &String| match old_row {
                Some(row) if keep(column) => kept(row).clone(),
                _ => new.clone(),
            };
            let row = VariantRow {
                position: position(index).unwrap_or(0),
                sku: pick(Column::Sku, &variant.sku, |row| &row.sku),
                barcode: pick(Column::Barcode, &variant.barcode, |row| &row.barcode),
                choices: json(&choices),
                price: price.0,
                compare_at: match old_row {
                    Some(row) if keep(Column::CompareAt) => row.compare_at,
                    _ => compare_at,
                },
                grams: match old_row {
                    Some(row) if keep(Column::Grams) => row.grams,
                    _ => variant.grams,
                },
                image_position: match old_row {
                    Some(row) if keep(Column::VariantImage) => row
                        .image_position
                        .filter(|place| usize::try_from(*place).is_ok_and(|place| place <= images.len())),
                    _ => image_position(variant),
                },
                backorder: match old_row {
                    Some(row) if keep(Column::Policy) && keep(Column::Tracker) => row.backorder,
                    _ => variant.backorder,
                },
                active: true,
                withdrawn_as: String::new(),
            };
            stock.push((old, variant));
            rows.push(row);
        }
        let stock_problems = self.variants((&product_id, &draft.handle), known, &old_options, &rows, &stock);
        problems.extend(stock_problems);
        self.image_rows(&product_id, existing, &images);
        let row = self.product_row(draft, existing, &rows, &images);
        let mut text = self.text(draft, base, &rows, &row.brand);
        text.options = json(&options);
        self.texts(&product_id, existing, base, &old_options, &options, text);
        let differs = existing.is_none_or(|existing| existing.row != row);
        if is_new {
            let ProductRow { status, brand, category_id, tags, price_min, price_max, compare_at, image } = row;
            let (id, handle, now) = (&product_id, &draft.handle, self.now);
            self.changes.products.push(args![
                id,
                handle,
                status,
                brand,
                category_id,
                tags,
                price_min,
                price_max,
                compare_at,
                image,
                0,
                now,
                now
            ]);
        } else if differs || self.changes.len() > before {
            let ProductRow { status, brand, category_id, tags, price_min, price_max, compare_at, image } = row;
            let id = &product_id;
            self.changes.product_updates.push(args![
                id,
                status,
                brand,
                category_id,
                tags,
                price_min,
                price_max,
                compare_at,
                image,
                self.now
            ]);
        }
        let done = match (is_new, self.changes.len() > before) {
            (true, _) => Done::Created,
            (false, true) => Done::Updated,
            (false, false) => Done::Unchanged,
        };
        Outcome { done, problems }
    }

    /// Price and choices of each variant, with what the file leaves to the shop; what is missing is a problem.
    fn resolve(
        &self,
        draft: &ProductDraft,
        is_known: bool,
        known: &[ExistingVariant],
        matches: &Matches,
        old_options: &[ProductOption],
        problems: &mut Vec<Problem>,
    ) -> Vec<(Amount, Vec<usize>)> {
        let mut resolved = Vec::new();
        let first = draft.variants.first().map_or(draft.line, |variant| variant.line);
        for (index, (variant, matched)) in draft.variants.iter().zip(matches).enumerate() {
            let old = matched.and_then(|matched| known.get(matched));
            let mut problem = |column: &str, kind| {
                let (column, handle) = (column.to_owned(), draft.handle.clone());
                problems.push(Problem { line: variant.line, column, handle, kind });
            };
            let price = variant.price.or(old.map(|old| Amount(old.row.price))).unwrap_or_else(|| {
                problem(&self.price_heading, ProblemKind::NoPrice);
                Amount::ZERO
            });
            let choices = match (&draft.options, old) {
                (Some(_), _) => variant.choices.clone(),
                (None, Some(old)) => old.row.choices(),
                (None, None) => {
                    // Without option columns, only a SKU tells the variants of a product apart.
                    if is_known && !old_options.is_empty() {
                        problem("", ProblemKind::VariantsDiffer);
                    } else if index > 0 {
                        problem("", ProblemKind::VariantTwice { first });
                    }
                    Vec::new()
                }
            };
            resolved.push((price, choices));
        }
        resolved
    }

    /// A SKU that another product sells under stays there; one that it does not sell any more is given away.
    fn check_skus(&mut self, draft: &ProductDraft, problems: &mut Vec<Problem>) {
        let mut free = Vec::new();
        for variant in &draft.variants {
            let Some(holder) = self.holders.get(&variant.sku).filter(|holder| holder.handle != draft.handle) else {
                continue;
            };
            if holder.active {
                let kind = ProblemKind::SkuTaken { sku: variant.sku.clone(), product: holder.handle.clone() };
                let (column, handle) = (self.sku_heading.clone(), draft.handle.clone());
                problems.push(Problem { line: variant.line, column, handle, kind });
            } else {
                free.push(variant.sku.clone());
            }
        }
        if problems.is_empty() {
            for sku in free {
                if let Some(holder) = self.holders.remove(&sku) {
                    self.changes.free_skus.push(args![holder.variant_id]);
                }
            }
        }
    }

    /// The product's pictures as they are to be.
    fn images(&self, prepared: &Prepared, existing: Option<&Existing>) -> Vec<ImageRow> {
        if let Some(existing) = existing.filter(|_| !self.columns.has(Column::Image)) {
            return existing.images.clone();
        }
        let draft = &prepared.draft;
        let pairs = draft.images.iter().zip(&prepared.pictures);
        let images = pairs.filter_map(|(image, stored)| {
            let alt = if image.alt.is_empty() { draft.title.clone() } else { image.alt.clone() };
            Some(ImageRow { stored: stored.clone()?, alt, source: image.source.clone() })
        });
        images.collect()
    }

    fn image_rows(&mut self, product_id: &str, existing: Option<&Existing>, images: &[ImageRow]) {
        if existing.is_some_and(|existing| existing.images == images) {
            return;
        }
        if existing.is_some_and(|existing| !existing.images.is_empty()) {
            self.changes.image_deletes.push(args![product_id]);
        }
        for (index, image) in images.iter().enumerate() {
            let Stored { name, width, height } = &image.stored;
            let place = position(index).unwrap_or(0);
            self.changes.images.push(args![product_id, place, name, &image.alt, width, height, &image.source]);
        }
    }

    /// Rows and stock of the variants; answers with notices about stock.
    fn variants(
        &mut self,
        (product_id, handle): (&str, &str),
        known: &[ExistingVariant],
        old_options: &[ProductOption],
        rows: &[VariantRow],
        drafts: &[(Option<&ExistingVariant>, &VariantDraft)],
    ) -> Vec<Problem> {
        let mut notices = Vec::new();
        let mut kept = HashSet::new();
        for (row, (old, draft)) in rows.iter().zip(drafts) {
            let id = old.map_or_else(new_id, |old| old.id.clone());
            match old {
                Some(old) => {
                    kept.insert(old.id.as_str());
                    if old.row != *row {
                        self.changes.variant_updates.push(update(&id, row));
                        if old.row.price != row.price {
                            self.changes.prices.push((id.clone(), old.row.price, row.price));
                        }
                        self.holders.remove(&old.row.sku);
                    }
                }
                None => {
                    let mut args = args![&id, product_id];
                    args.extend(cells(row));
                    args.extend(args![1]);
                    self.changes.variants.push(args);
                }
            }
            if !row.sku.is_empty() {
                let holder = Holder { variant_id: id.clone(), handle: handle.to_owned(), active: true };
                self.holders.insert(row.sku.clone(), holder);
            }
            if old.is_some() && self.keep_stock {
                continue;
            }
            match (old.and_then(|old| old.stock), draft.quantity) {
                (None, quantity) => {
                    let quantity = quantity.unwrap_or(0);
                    self.changes.stock.push(args![&id, LOCATION, quantity, 0, quantity]);
                }
                (Some(_), None) => {}
                (Some((on_hand, held)), Some(wanted)) => {
                    let mut notice = |kind| {
                        let (column, handle) = (self.quantity_heading.clone(), handle.to_owned());
                        notices.push(Problem { line: draft.line, column, handle, kind });
                    };
                    let to = wanted.max(held);
                    if wanted < held {
                        notice(ProblemKind::StockHeld { wanted, kept: held });
                    }
                    if on_hand != to {
                        notice(ProblemKind::StockSet { sku: row.sku.clone(), from: on_hand, to });
                        self.changes.stock_updates.push((id.clone(), wanted));
                    }
                }
            }
        }
        for gone in known.iter().filter(|old| old.row.active && !kept.contains(old.id.as_str())) {
            let withdrawn_as = chosen(old_options, &gone.row.choices());
            let row = VariantRow { active: false, withdrawn_as, ..gone.row.clone() };
            self.changes.variant_updates.push(update(&gone.id, &row));
            if let Some(holder) = self.holders.get_mut(&gone.row.sku) {
                holder.active = false;
            }
        }
        notices
    }

    fn product_row(
        &mut self,
        draft: &ProductDraft,
        existing: Option<&Existing>,
        variants: &[VariantRow],
        images: &[ImageRow],
    ) -> ProductRow {
        let columns = self.columns;
        let kept = |these: &[Column]| existing.filter(|_| !columns.has_any(these)).map(|existing| &existing.row);
        let category_id = match kept(&[Column::Category, Column::Type]) {
            Some(row) => row.category_id.clone(),
            None => Categories::find_or_make(&mut self.categories, &draft.category, &mut self.changes),
        };
        let image = images.first().map(|image| Image {
            url: format!("/media/{}", image.stored.name),
            alt: image.alt.clone(),
            width: image.stored.width,
            height: image.stored.height,
        });
        ProductRow {
            status: kept(&[Column::Status, Column::Published])
                .map_or(draft.status.name().to_owned(), |row| row.status.clone()),
            brand: kept(&[Column::Vendor]).map_or(&draft.brand, |row| &row.brand).clone(),
            category_id,
            tags: kept(&[Column::Tags]).map_or_else(|| json(&draft.tags), |row| row.tags.clone()),
            price_min: variants.iter().map(|variant| variant.price).min().unwrap_or(0),
            price_max: variants.iter().map(|variant| variant.price).max().unwrap_or(0),
            compare_at: variants.iter().filter_map(|variant| variant.compare_at.filter(|c| *c > variant.price)).max(),
            image: image.as_ref().map(json),
        }
    }

    /// The texts of the file, without the options.
    fn text(&self, draft: &ProductDraft, old: Option<&TextRow>, variants: &[VariantRow], brand: &str) -> TextRow {
        let skus: Vec<&str> = variants.iter().map(|variant| variant.sku.as_str()).collect();
        text_row(self.columns, draft, old, &skus, brand)
    }

    /// Writes the text of the main language, and keeps the choices of the other languages the same choices.
    fn texts(
        &mut self,
        product_id: &str,
        existing: Option<&Existing>,
        base: Option<&TextRow>,
        old_options: &[ProductOption],
        options: &[ProductOption],
        text: TextRow,
    ) {
        let locale = Locale::default().tag();
        self.put_text(product_id, locale, base, text);
        if old_options == options {
            return;
        }
        for (other, row) in existing.iter().flat_map(|existing| &existing.texts).filter(|(other, _)| *other != locale) {
            let options = json(&moved(old_options, &row.options(), options));
            let text = TextRow { options, ..row.clone() };
            self.put_text(product_id, other, Some(row), text);
        }
    }

    /// Writes a text where it differs.
    pub fn put_text(&mut self, product_id: &str, locale: &str, old: Option<&TextRow>, text: TextRow) {
        if old == Some(&text) {
            return;
        }
        let TextRow { title, description_html, seo_title, seo_description, options, tags, words } = text;
        let row = args![product_id, locale, title, description_html, seo_title, seo_description, options, tags, words];
        if old.is_some() { self.changes.text_updates.push(row) } else { self.changes.texts.push(row) }
    }
}

/// Texts of the file, without options; `old` for columns it does not have.
pub fn text_row(columns: Columns, draft: &ProductDraft, old: Option<&TextRow>, skus: &[&str], brand: &str) -> TextRow {
    let kept = |column: Column| old.filter(|_| !columns.has(column));
    let tags = kept(Column::Tags).map_or_else(|| json(&draft.tags), |old| old.tags.clone());
    let tag_words: Vec<String> = crate::server::catalog::json(&tags);
    let mut seen = HashSet::new();
    let parts = [draft.title.as_str(), brand]
        .into_iter()
        .chain(tag_words.iter().map(String::as_str))
        .chain(skus.iter().copied());
    let words: Vec<String> = parts
        .chain(std::iter::once(draft.kind.as_str()))
        .map(str::to_lowercase)
        .filter(|part| !part.is_empty() && seen.insert(part.clone()))
        .collect();
    TextRow {
        title: draft.title.clone(),
        description_html: kept(Column::Body).map_or(&draft.description_html, |old| &old.description_html).clone(),
        seo_title: kept(Column::SeoTitle).map_or(&draft.seo_title, |old| &old.seo_title).clone(),
        seo_description: kept(Column::SeoDescription)
            .map_or(&draft.seo_description, |old| &old.seo_description)
            .clone(),
        options: String::new(),
        tags,
        words: words.join(" "),
    }
}

fn update(id: &str, row: &VariantRow) -> Vec<Value> {
    let mut args = args![id];
    args.extend(cells(row));
    args.extend(args![&row.withdrawn_as]);
    args
}

/// What a variant that is new and one that changes have in common, in the order of the columns.
fn cells(row: &VariantRow) -> Vec<Value> {
    let VariantRow {
        position,
        sku,
        barcode,
        choices,
        price,
        compare_at,
        grams,
        image_position,
        backorder,
        active,
        withdrawn_as: _,
    } = row;
    args![position, sku, barcode, choices, price, compare_at, grams, image_position, backorder, active]
}

/// From 1, as the database counts.
fn position(index: usize) -> Option<i64> {
    i64::try_from(index).ok().map(|index| index + 1)
}

/// JSON of a plain value; lists of texts and numbers always have one.
pub fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
