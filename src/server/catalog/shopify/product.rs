//! The rows of one product become a draft, or reasons why not.

use super::{
    Purpose,
    columns::{Column, Header},
    html,
    problem::{Problem, ProblemKind},
};
use crate::{
    domain::{
        catalog::ProductOption,
        money::{Amount, AmountError, Currency},
    },
    server::stock::MAX_ON_HAND,
};
use std::collections::{HashMap, HashSet};

/// The longest title, name, tag or code, in characters.
const SHORT: usize = 255;
/// The longest text for search engines, in characters.
const MEDIUM: usize = 1_000;
/// The heaviest piece: a hundred tons.
const MAX_GRAMS: i64 = 100_000_000;
const MAX_POSITION: i64 = 1_000_000;

/// A product as the file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductDraft {
    /// The name in addresses, by which the product is found again.
    pub handle: String,
    /// The physical line of its first row.
    pub line: u64,
    pub title: String,
    /// Sanitised.
    pub description_html: String,
    pub brand: String,
    /// Titles from the top down; at most two.
    pub category: Vec<String>,
    pub kind: String,
    pub tags: Vec<String>,
    pub status: Status,
    pub seo_title: String,
    pub seo_description: String,
    /// `None` when the file has no option columns; empty for a product with a single variant.
    pub options: Option<Vec<ProductOption>>,
    pub variants: Vec<VariantDraft>,
    /// In the order they are shown, each source once.
    pub images: Vec<ImageDraft>,
}

/// A variant as the file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariantDraft {
    pub line: u64,
    pub sku: String,
    pub barcode: String,
    /// For each option the index of its value.
    pub choices: Vec<usize>,
    /// `None` when the file has no prices.
    pub price: Option<Amount>,
    /// Always above the price.
    pub compare_at: Option<Amount>,
    pub grams: i64,
    /// `None` when the file does not say.
    pub quantity: Option<i64>,
    /// Sold whether or not it is on hand.
    pub backorder: bool,
    /// Index into the product's images.
    pub image: Option<usize>,
}

/// A picture as the file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageDraft {
    pub line: u64,
    /// An address, or a path beside the file.
    pub source: String,
    pub alt: String,
}

/// Who sees a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Active,
    Draft,
    Archived,
}

impl Status {
    /// As in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Draft => "draft",
            Self::Archived => "archived",
        }
    }
}

/// A row of the file: its cells by column.
#[derive(Debug)]
pub(super) struct Row {
    pub line: u64,
    pub cells: Vec<String>,
}

impl Row {
    fn get(&self, column: Column) -> &str {
        self.cells.get(column as usize).map_or("", |cell| cell.trim())
    }
}

/// What is needed beside the rows.
pub(super) struct Build<'a> {
    pub header: &'a Header,
    pub currency: Currency,
    pub purpose: Purpose,
    pub handle: &'a str,
    pub problems: &'a mut Vec<Problem>,
}

impl Build<'_> {
    fn problem(&mut self, line: u64, column: Column, kind: ProblemKind) {
        let column = self.header.heading(column).to_owned();
        self.problems.push(Problem { line, column, handle: self.handle.to_owned(), kind });
    }

    /// The draft; where the problems hold more than notices, it is not to be used.
    pub fn product(&mut self, rows: &[Row]) -> Option<ProductDraft> {
        let first = rows.first()?;
        let line = first.line;
        if !is_handle(self.handle) {
            self.problem(line, Column::Handle, ProblemKind::BadHandle);
        }
        let title = self.text(rows, Column::Title, SHORT);
        if title.is_empty() {
            self.problem(line, Column::Title, ProblemKind::NoTitle);
        }
        let body = rows.iter().map(|row| row.get(Column::Body)).find(|body| !body.is_empty()).unwrap_or("");
        let (description_html, pictures) = html::clean(body);
        if pictures > 0 {
            self.problem(line, Column::Body, ProblemKind::PicturesInDescription { count: pictures });
        }
        let kind = self.text(rows, Column::Type, SHORT);
        let path = self.text(rows, Column::Category, MEDIUM);
        let mut category: Vec<String> = path.split('>').map(plain).filter(|part| !part.is_empty()).take(2).collect();
        if category.is_empty() && !kind.is_empty() {
            category.push(kind.clone());
        }
        let mut variant_rows: Vec<&Row> =
            rows.iter().filter(|row| Column::VARIANT.iter().any(|column| !row.get(*column).is_empty())).collect();
        if variant_rows.is_empty() {
            variant_rows.push(first);
        }
        let (options, choices) = self.options(rows, &variant_rows);
        let images = if self.purpose == Purpose::Texts { Vec::new() } else { self.images(rows, &variant_rows) };
        let variants = self.variants(&variant_rows, choices, &images);
        Some(ProductDraft {
            handle: self.handle.to_owned(),
            line,
            title,
            description_html,
            brand: self.text(rows, Column::Vendor, SHORT),
            category,
            kind,
            tags: self.tags(rows),
            status: self.status(rows),
            seo_title: self.text(rows, Column::SeoTitle, MEDIUM),
            seo_description: self.text(rows, Column::SeoDescription, MEDIUM),
            options,
            variants,
            images,
        })
    }

    /// What the first row that has something in this column says, on one line.
    fn text(&mut self, rows: &[Row], column: Column, limit: usize) -> String {
        let found = rows.iter().find(|row| !row.get(column).is_empty());
        found.map(|row| self.cell(row, column, limit)).unwrap_or_default()
    }

    fn cell(&mut self, row: &Row, column: Column, limit: usize) -> String {
        let text = plain(row.get(column));
        if text.chars().count() > limit {
            self.problem(row.line, column, ProblemKind::TooLong { limit });
        }
        text
    }

    fn tags(&mut self, rows: &[Row]) -> Vec<String> {
        let Some(row) = rows.iter().find(|row| !row.get(Column::Tags).is_empty()) else { return Vec::new() };
        let mut seen = HashSet::new();
        let tags: Vec<String> = row
            .get(Column::Tags)
            .split([',', '，'])
            .map(plain)
            .filter(|tag| !tag.is_empty() && seen.insert(tag.to_lowercase()))
            .collect();
        if tags.iter().any(|tag| tag.chars().count() > SHORT) {
            self.problem(row.line, Column::Tags, ProblemKind::TooLong { limit: SHORT });
        }
        tags
    }

    /// Active, unless the status or the publication says otherwise.
    fn status(&mut self, rows: &[Row]) -> Status {
        let cell = |column| rows.iter().map(|row| (row.line, row.get(column))).find(|cell| !cell.1.is_empty());
        let mut status = Status::Active;
        if let Some((line, value)) = cell(Column::Status) {
            status = match value.to_ascii_lowercase().as_str() {
                "active" => Status::Active,
                "draft" => Status::Draft,
                "archived" => Status::Archived,
                "unlisted" => {
                    self.problem(line, Column::Status, ProblemKind::Unlisted);
                    Status::Draft
                }
                _ => {
                    let expected = "active, draft, archived, unlisted";
                    self.problem(line, Column::Status, ProblemKind::UnknownValue { value: shown(value), expected });
                    Status::Draft
                }
            };
        }
        if let Some((line, value)) = cell(Column::Published) {
            match (truth(value), status) {
                (Some(false), Status::Active) => status = Status::Draft,
                (Some(_), _) => {}
                (None, _) => {
                    let kind = ProblemKind::UnknownValue { value: shown(value), expected: "TRUE, FALSE" };
                    self.problem(line, Column::Published, kind);
                }
            }
        }
        status
    }

    /// The options with their values in the order they appear, and the choices of each variant.
    fn options(&mut self, rows: &[Row], variants: &[&Row]) -> (Option<Vec<ProductOption>>, Vec<Vec<usize>>) {
        let mut choices = vec![Vec::new(); variants.len()];
        if !self.header.columns.has_any(&Column::OPTIONS.map(|pair| pair.1)) {
            return (None, choices);
        }
        let mut options = Vec::new();
        for (name_column, value_column) in Column::OPTIONS {
            let name = self.text(rows, name_column, SHORT);
            let Some(example) = variants.iter().find(|row| !row.get(value_column).is_empty()) else {
                if !name.is_empty() && variants.len() > 1 {
                    self.problem(
                        rows.first().map_or(0, |row| row.line),
                        value_column,
                        ProblemKind::OptionWithoutValue { option: name },
                    );
                }
                continue;
            };
            // How a shop writes down that there is nothing to choose.
            if variants.len() == 1
                && name.eq_ignore_ascii_case("title")
                && example.get(value_column).eq_ignore_ascii_case("default title")
            {
                continue;
            }
            if name.is_empty() {
                self.problem(example.line, name_column, ProblemKind::OptionWithoutName);
            }
            let mut values: Vec<String> = Vec::new();
            let mut known: HashMap<String, usize> = HashMap::new();
            for (row, choices) in variants.iter().zip(&mut choices) {
                let value = self.cell(row, value_column, SHORT);
                if value.is_empty() {
                    let option = name.clone();
                    self.problem(row.line, value_column, ProblemKind::OptionWithoutValue { option });
                }
                let next = values.len();
                let index = *known.entry(value.clone()).or_insert(next);
                if index == next {
                    values.push(value);
                }
                choices.push(index);
            }
            options.push(ProductOption { name, values });
        }
        let mut lines: HashMap<&[usize], u64> = HashMap::new();
        for (row, choices) in variants.iter().zip(&choices) {
            match lines.get(choices.as_slice()) {
                Some(first) => {
                    self.problem(row.line, Column::Option1Value, ProblemKind::VariantTwice { first: *first })
                }
                None => _ = lines.insert(choices, row.line),
            }
        }
        (Some(options), choices)
    }

    /// Pictures by position, then those which only a variant has.
    fn images(&mut self, rows: &[Row], variants: &[&Row]) -> Vec<ImageDraft> {
        let mut images: Vec<(i64, ImageDraft)> = Vec::new();
        let mut seen = HashSet::new();
        for row in rows {
            let source = row.get(Column::Image);
            if source.is_empty() || !seen.insert(source) {
                continue;
            }
            let alt = self.cell(row, Column::ImageAlt, MEDIUM);
            let position = self.whole(row, Column::ImagePosition, 0..=MAX_POSITION).unwrap_or(MAX_POSITION);
            images.push((position, ImageDraft { line: row.line, source: source.to_owned(), alt }));
        }
        images.sort_by_key(|(position, _)| *position);
        let only_variants = variants.iter().filter_map(|row| {
            let source = row.get(Column::VariantImage);
            let new = !source.is_empty() && seen.insert(source);
            new.then(|| ImageDraft { line: row.line, source: source.to_owned(), alt: String::new() })
        });
        images.into_iter().map(|(_, image)| image).chain(only_variants).collect()
    }

    fn variants(&mut self, rows: &[&Row], choices: Vec<Vec<usize>>, images: &[ImageDraft]) -> Vec<VariantDraft> {
        let places: HashMap<&str, usize> =
            images.iter().enumerate().map(|(i, image)| (image.source.as_str(), i)).collect();
        let mut skus = HashSet::new();
        let mut variants = Vec::new();
        for (row, choices) in rows.iter().zip(choices) {
            let sku = self.code(row, Column::Sku);
            if !sku.is_empty() && !skus.insert(sku.clone()) {
                let product = self.handle.to_owned();
                self.problem(row.line, Column::Sku, ProblemKind::SkuTwice { sku: sku.clone(), product });
            }
            let mut variant = VariantDraft {
                line: row.line,
                sku,
                barcode: String::new(),
                choices,
                price: None,
                compare_at: None,
                grams: 0,
                quantity: None,
                backorder: false,
                image: places.get(row.get(Column::VariantImage)).copied(),
            };
            if self.purpose == Purpose::Products {
                self.for_sale(row, &mut variant);
            }
            variants.push(variant);
        }
        variants
    }

    fn for_sale(&mut self, row: &Row, variant: &mut VariantDraft) {
        variant.barcode = self.code(row, Column::Barcode);
        variant.price = self.amount(row, Column::Price);
        if row.get(Column::Price).is_empty() && self.header.columns.has(Column::Price) {
            self.problem(row.line, Column::Price, ProblemKind::NoPrice);
        }
        variant.compare_at = self.amount(row, Column::CompareAt).filter(|amount| *amount > Amount::ZERO);
        if let (Some(price), Some(compare_at)) = (variant.price, variant.compare_at)
            && compare_at <= price
        {
            variant.compare_at = None;
            if compare_at < price {
                self.problem(row.line, Column::CompareAt, ProblemKind::CompareAtIgnored);
            }
        }
        variant.grams = self.whole(row, Column::Grams, 0..=MAX_GRAMS).unwrap_or(0);
        variant.quantity = self.whole(row, Column::Quantity, -MAX_ON_HAND..=MAX_ON_HAND);
        if let Some(value) = variant.quantity.filter(|quantity| *quantity < 0) {
            variant.quantity = Some(0);
            self.problem(row.line, Column::Quantity, ProblemKind::NegativeQuantity { value });
        }
        let policy = row.get(Column::Policy).to_ascii_lowercase();
        let counted = !self.header.columns.has(Column::Tracker) || !row.get(Column::Tracker).is_empty();
        variant.backorder = match policy.as_str() {
            "continue" | "true" => true,
            // Whoever neither tracks a variant nor gives it a quantity never runs out of it.
            "deny" | "false" | "" => !counted && variant.quantity.unwrap_or(0) == 0,
            _ => {
                let kind = ProblemKind::UnknownValue { value: shown(&policy), expected: "deny, continue" };
                self.problem(row.line, Column::Policy, kind);
                false
            }
        };
    }

    /// A code; the apostrophe that keeps spreadsheets from reading it as a number is not part of it.
    fn code(&mut self, row: &Row, column: Column) -> String {
        let code = self.cell(row, column, SHORT);
        code.strip_prefix('\'').map(str::to_owned).unwrap_or(code)
    }

    fn amount(&mut self, row: &Row, column: Column) -> Option<Amount> {
        let text = row.get(column);
        if text.is_empty() {
            return None;
        }
        // `19,99` would otherwise cost a hundred times as much.
        let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
        let grouped = whole.split(',').skip(1).all(|group| group.len() == 3);
        let amount = if grouped { Amount::parse(text, self.currency) } else { Err(AmountError::Malformed) };
        amount
            .map_err(|error| {
                let value = shown(text);
                let kind = match error {
                    AmountError::Malformed => ProblemKind::NotAnAmount { value },
                    AmountError::Precision => ProblemKind::TooManyDecimals { value },
                    AmountError::Range => ProblemKind::AmountOutOfRange { value },
                };
                self.problem(row.line, column, kind);
            })
            .ok()
    }

    /// A whole number; decimals are rounded.
    fn whole(&mut self, row: &Row, column: Column, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let text = row.get(column);
        if text.is_empty() {
            return None;
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if digits.is_empty() || !is_number(digits) || !is_number(fraction) {
            self.problem(row.line, column, ProblemKind::NotANumber { value: shown(text) });
            return None;
        }
        let away = i64::from(fraction.bytes().next().is_some_and(|digit| digit >= b'5'));
        let number =
            whole.parse::<i64>().ok().and_then(|n| n.checked_add(if whole.starts_with('-') { -away } else { away }));
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            self.problem(row.line, column, ProblemKind::NumberOutOfRange { value: shown(text) });
        }
        number
    }
}

/// Text on one line, with single spaces.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A value as a report shows it: not the whole of a misplaced description.
fn shown(value: &str) -> String {
    let mut shown: String = value.chars().take(40).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    shown
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "1" => Some(true),
        "false" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

fn is_handle(handle: &str) -> bool {
    !matches!(handle, "" | "." | "..")
        && handle.chars().count() <= SHORT
        && !handle.chars().any(|c| c.is_whitespace() || c.is_control() || "/\\?#%".contains(c))
}

/// A name for addresses: letters and digits of any script in lower case, joined by hyphens.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') && c != '\'' && c != '’' {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}
