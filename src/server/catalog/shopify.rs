//! Reads the product CSV that Shopify exports and most shops can produce. No database, no network: a file becomes
//! product drafts and problems.
//!
//! Rows with the same handle are one product: the first has its texts, each adds a variant, a picture, or both. A row
//! without a handle gets one from its title; without either it is reported and keeps the product before it out, because
//! it is most likely a part of that. The file is read twice: first for its handles alone, so that a product whose rows
//! are apart is put together again (its rows wait until the end of the file) while all others pass by one at a time.
//! A product with a bad row is not imported at all.

mod columns;
mod html;
mod problem;
mod product;
mod records;

pub use columns::{Column, Columns, Header};
pub use problem::{PictureFault, Problem, ProblemKind};
pub use product::{ImageDraft, ProductDraft, Status, VariantDraft, slug};
pub use records::{MAX_RECORD, Unreadable};

use crate::domain::money::Currency;
use product::{Build, Row};
use records::{Fault, Records};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    io::BufRead,
};

/// The most rows of one product: as many variants as shops allow, with pictures.
pub const MAX_ROWS: usize = 3_000;

/// What is read a file for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Everything.
    Products,
    /// Titles, descriptions and other texts, in a further language.
    Texts,
}

/// Why a file gives no products at all.
#[derive(Debug)]
pub enum FileError {
    /// It cannot be read as CSV.
    Unreadable(Unreadable),
    /// It has neither a column for the handle nor one for the title.
    NotProducts {
        /// The headings it has.
        headings: Vec<String>,
    },
}

impl From<Unreadable> for FileError {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

impl From<std::io::Error> for FileError {
    fn from(error: std::io::Error) -> Self {
        Self::Unreadable(Unreadable::Io(error))
    }
}

/// A product of the file, or rows that belong to none.
#[derive(Debug)]
pub struct Product {
    /// Empty for rows that belong to no product.
    pub handle: String,
    pub rows: u64,
    /// `None` when the problems keep it out.
    pub draft: Option<ProductDraft>,
    /// Problems and notices, in the order of their lines.
    pub problems: Vec<Problem>,
}

/// The products of a file, one at a time.
pub struct Products<R> {
    records: Records<R>,
    header: Header,
    currency: Currency,
    purpose: Purpose,
    /// All rows below the headings.
    total_rows: u64,
    /// Handles whose rows are apart.
    scattered: HashSet<String>,
    held: Vec<Group>,
    held_places: HashMap<String, usize>,
    current: Option<Group>,
    /// Where the last row with a handle went, which a row without one follows.
    last: Option<Place>,
    ready: VecDeque<Product>,
    /// Which product has a SKU.
    skus: HashMap<String, String>,
    finished: bool,
}

/// Which group a row went to.
#[derive(Clone, Copy)]
enum Place {
    Current,
    /// One of those that wait until the end of the file.
    Held(usize),
}

#[derive(Default)]
struct Group {
    handle: String,
    count: u64,
    rows: Vec<Row>,
    problems: Vec<Problem>,
}

impl<R: BufRead> Products<R> {
    /// Reads the headings, and the handles of the whole file; `open` gives the file from its beginning each time.
    ///
    /// # Errors
    /// See [`FileError`].
    pub fn open(
        open: impl Fn() -> std::io::Result<R>,
        currency: Currency,
        purpose: Purpose,
    ) -> Result<Self, FileError> {
        let mut records = Records::new(open()?)?;
        let header = header(&mut records)?;
        let (mut seen, mut scattered) = (HashSet::new(), HashSet::new());
        let (mut last, mut total_rows) = (String::new(), 0);
        while records.advance()? {
            if is_blank(&records) {
                continue;
            }
            total_rows += 1;
            if let Some(handle) = handle(&header, &records)
                && handle != last
            {
                if !seen.insert(handle.clone()) {
                    scattered.insert(handle.clone());
                }
                last = handle;
            }
        }
        let mut records = Records::new(open()?)?;
        self::header(&mut records)?;
        Ok(Self {
            records,
            header,
            currency,
            purpose,
            total_rows,
            scattered,
            held: Vec::new(),
            held_places: HashMap::new(),
            current: None,
            last: None,
            ready: VecDeque::new(),
            skus: HashMap::new(),
            finished: false,
        })
    }

    /// The headings.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many rows there are below the headings.
    pub fn total_rows(&self) -> u64 {
        self.total_rows
    }

    fn step(&mut self) -> Result<(), Unreadable> {
        if !self.records.advance()? {
            self.finished = true;
            let last = self.current.take();
            for group in last.into_iter().chain(std::mem::take(&mut self.held)) {
                self.finish(group);
            }
            return Ok(());
        }
        if is_blank(&self.records) {
            return Ok(());
        }
        let (row, problems) = self.row();
        let handle = handle(&self.header, &self.records);
        match handle {
            Some(handle) if self.scattered.contains(&handle) => {
                let place = *self.held_places.entry(handle.clone()).or_insert_with(|| {
                    self.held.push(Group { handle, ..Group::default() });
                    self.held.len() - 1
                });
                self.last = Some(Place::Held(place));
            }
            Some(handle) => {
                if let Some(before) = self.current.take_if(|current| current.handle != handle) {
                    self.finish(before);
                }
                self.current.get_or_insert_with(|| Group { handle, ..Group::default() });
                self.last = Some(Place::Current);
            }
            None => {}
        }
        let group = match self.last {
            Some(Place::Current) => self.current.as_mut(),
            Some(Place::Held(place)) => self.held.get_mut(place),
            None => None,
        };
        let mut alone = Group::default();
        let group = group.unwrap_or(&mut alone);
        group.count += 1;
        // What is beyond the limit is counted and not looked at, so that endless rows cost no memory.
        if group.rows.len() < MAX_ROWS {
            group.problems.extend(problems.into_iter().map(|(column, kind)| Problem {
                line: row.line,
                column: column.map(|column| self.header.heading(column).to_owned()).unwrap_or_default(),
                handle: group.handle.clone(),
                kind,
            }));
            group.rows.push(row);
        } else if group.count == MAX_ROWS as u64 + 1 {
            let (line, handle) = (row.line, group.handle.clone());
            let kind = ProblemKind::TooManyRows { limit: MAX_ROWS };
            group.problems.push(Problem { line, column: String::new(), handle, kind });
        }
        if alone.count > 0 {
            self.finish(alone);
        }
        Ok(())
    }

    /// The current record by column, and what is wrong with it.
    fn row(&self) -> (Row, Vec<(Option<Column>, ProblemKind)>) {
        let mut problems = Vec::new();
        let (expected, found) = (self.header.cells.len(), self.records.len());
        match self.records.fault() {
            Some(Fault::UnclosedQuote) => problems.push((None, ProblemKind::UnclosedQuote)),
            Some(Fault::TooLong) => problems.push((None, ProblemKind::RowTooLong)),
            None => {
                let spare =
                    (expected..found).any(|i| self.records.cell(i).is_some_and(|cell| !cell.trim_ascii().is_empty()));
                if found < expected || spare {
                    problems.push((None, ProblemKind::CellCount { expected, found }));
                }
            }
        }
        let mut cells = vec![String::new(); Column::COUNT];
        for (index, column) in self.header.cells.iter().enumerate() {
            let (Some(column), Some(bytes)) = (*column, self.records.cell(index)) else { continue };
            let text = String::from_utf8_lossy(bytes);
            if matches!(text, std::borrow::Cow::Owned(_)) {
                problems.push((Some(column), ProblemKind::NotUtf8));
            }
            if text.contains('\0') {
                problems.push((Some(column), ProblemKind::ControlCharacter));
            }
            if let Some(cell) = cells.get_mut(column as usize) {
                // Vertical tabs and their like come from word processors and mean a space.
                *cell = text.replace(|c: char| c.is_ascii_control() && !matches!(c, '\n' | '\r' | '\t'), " ");
            }
        }
        if handle(&self.header, &self.records).is_none() && problems.is_empty() {
            problems.push((Some(Column::Handle), ProblemKind::NoHandle));
        }
        (Row { line: self.records.line(), cells }, problems)
    }

    /// Makes the product of a group and puts it where [`next`](Iterator::next) finds it.
    fn finish(&mut self, group: Group) {
        let Group { handle, count, rows, mut problems } = group;
        let mut draft = None;
        // With a row that could not be taken apart, what the other rows say is wrong only because of it.
        let torn = |problem: &Problem| {
            use ProblemKind::{CellCount, NoHandle, RowTooLong, TooManyRows, UnclosedQuote};
            matches!(problem.kind, UnclosedQuote | RowTooLong | CellCount { .. } | NoHandle | TooManyRows { .. })
        };
        if !handle.is_empty() && !problems.iter().any(torn) {
            let (header, currency, purpose) = (&self.header, self.currency, self.purpose);
            draft = Build { header, currency, purpose, handle: &handle, problems: &mut problems }.product(&rows);
            for variant in draft.iter().flat_map(|draft| &draft.variants).filter(|variant| !variant.sku.is_empty()) {
                if let Some(other) = self.skus.get(&variant.sku).filter(|other| **other != handle) {
                    let kind = ProblemKind::SkuTwice { sku: variant.sku.clone(), product: other.clone() };
                    let column = self.header.heading(Column::Sku).to_owned();
                    problems.push(Problem { line: variant.line, column, handle: handle.clone(), kind });
                }
            }
        }
        problems.sort_by_key(|problem| problem.line);
        if problems.iter().any(|problem| !problem.kind.is_notice()) {
            draft = None;
        }
        for variant in draft.iter().flat_map(|draft| &draft.variants).filter(|variant| !variant.sku.is_empty()) {
            self.skus.insert(variant.sku.clone(), handle.clone());
        }
        self.ready.push_back(Product { handle, rows: count, draft, problems });
    }
}

impl<R: BufRead> Iterator for Products<R> {
    type Item = Result<Product, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(product) = self.ready.pop_front() {
                return Some(Ok(product));
            }
            if self.finished {
                return None;
            }
            if let Err(error) = self.step() {
                self.finished = true;
                return Some(Err(error));
            }
        }
    }
}

/// The headings, from the first record.
fn header<R: BufRead>(records: &mut Records<R>) -> Result<Header, FileError> {
    let mut headings = Vec::new();
    if records.advance()? {
        let cells = (0..records.len()).filter_map(|index| records.cell(index));
        headings = cells.map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
    }
    let header = Header::new(headings);
    if header.columns.has_any(&[Column::Handle, Column::Title]) {
        Ok(header)
    } else {
        Err(FileError::NotProducts { headings: header.ignored })
    }
}

/// Spreadsheets leave rows of bare commas behind.
fn is_blank<R: BufRead>(records: &Records<R>) -> bool {
    (0..records.len()).all(|index| records.cell(index).is_none_or(|cell| cell.trim_ascii().is_empty()))
}

/// Which product the current record belongs to: by its handle, else by its title.
fn handle<R: BufRead>(header: &Header, records: &Records<R>) -> Option<String> {
    let cell = |column: Column| {
        let index = header.cells.iter().position(|cell| *cell == Some(column))?;
        let text = String::from_utf8_lossy(records.cell(index)?);
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    cell(Column::Handle).or_else(|| cell(Column::Title).map(|title| slug(&title)).filter(|slug| !slug.is_empty()))
}

#[cfg(test)]
mod tests;
