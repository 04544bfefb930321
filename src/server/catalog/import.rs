//! `xiadan import shopify`: the products of a file become the products of the shop.
//!
//! Products go in by batches, one transaction each, while the next ones are being read. Where a batch fails, its products
//! go in one by one, so that a bad one takes no neighbour with it. Importing a file again changes only what is different:
//! products are found again by handle and variants by SKU, and nothing is there twice.

mod categories;
mod matching;
mod pictures;
mod plan;
mod report;
mod store;
mod translate;

pub use report::{Progress, Report, Watcher, to_stderr};

use super::shopify::{Column, Columns, FileError, Problem, ProblemKind, Product, Products, Purpose, Unreadable};
use crate::{
    domain::{Locale, money::Currency},
    server::{
        App,
        audit::{self, Action, Entry},
        context::now,
        db::{BoxFuture, Db, DbError, Tx},
    },
};
use categories::Categories;
use futures::StreamExt;
use pictures::Pictures;
use plan::{Done, Outcome, Planner, Prepared};
use std::{
    collections::{HashMap, HashSet},
    fmt,
    fs::File,
    io::BufReader,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};
use store::Changes;
use tokio::{sync::mpsc, task::JoinHandle};

/// A batch is written when it has so many products or rows: few enough that the shop's other writers hardly wait.
const BATCH_PRODUCTS: usize = 200;
const BATCH_ROWS: u64 = 1_000;

/// How to import.
#[derive(Default)]
pub struct ImportOptions {
    /// The language of the texts. In the shop's main language products are made and changed; in any other one, products
    /// that are there get their texts.
    pub locale: Locale,
    /// Only report: write and fetch nothing.
    pub dry_run: bool,
    /// Leave the stock of variants that are in the shop as it is; new ones get theirs.
    pub keep_stock: bool,
    /// Fetch pictures from hosts on a private network too.
    pub allow_private_image_hosts: bool,
    /// Is told how far it is.
    pub watcher: Option<Watcher>,
}

/// Why nothing, or not everything, was imported. Batches written before stay; importing again goes on from there.
#[derive(Debug)]
pub enum ImportError {
    /// The file gives no products.
    File(PathBuf, FileError),
    Db(DbError),
    /// The client for pictures cannot be made.
    Client(reqwest::Error),
    /// A worker thread ended by a panic.
    Broken(String),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, FileError::Unreadable(why)) => {
                write!(f, "{}: ", path.display())?;
                match why {
                    Unreadable::Io(error) => write!(f, "{error}"),
                    Unreadable::Utf16 => f.write_str("the file is UTF-16; save it as “CSV UTF-8”"),
                    Unreadable::Quotes { line } => {
                        write!(f, "quotes are broken all over the file, read up to line {line}")
                    }
                }
            }
            Self::File(path, FileError::NotProducts { headings }) => write!(
                f,
                "{}: the first line has no heading Handle or Title, but: {}",
                path.display(),
                headings.iter().take(8).cloned().collect::<Vec<_>>().join(", ")
            ),
            Self::Db(error) => error.fmt(f),
            Self::Client(error) => write!(f, "pictures cannot be fetched: {error}"),
            Self::Broken(why) => write!(f, "the import broke: {why}"),
        }
    }
}

impl std::error::Error for ImportError {}

impl From<DbError> for ImportError {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// Imports a file into a shop. It may run beside the process that serves it, which looks for what was changed and tells
/// the open pages (see [`changed_since`](super::changed_since)). It goes on record, with each price and stock of a variant
/// that was in the shop and changed.
///
/// # Errors
/// See [`ImportError`]; problems with single products are in the report.
pub async fn import(app: &App, file: &Path, options: ImportOptions) -> Result<Report, ImportError> {
    let started = Instant::now();
    let ImportOptions { locale, dry_run, keep_stock, allow_private_image_hosts, watcher } = options;
    let purpose = if locale == Locale::default() { Purpose::Products } else { Purpose::Texts };
    let mut reading = read(file, app.currency, purpose).await?;
    let client = match (purpose, dry_run) {
        (Purpose::Products, false) => Some(pictures::client(allow_private_image_hosts).map_err(ImportError::Client)?),
        _ => None,
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let pictures = Pictures::new(app.media.clone(), folder, client, allow_private_image_hosts, dry_run);
    let mut report =
        Report { dry_run, locale, ignored_columns: std::mem::take(&mut reading.ignored), ..Report::default() };
    let mut writer = Writer {
        app: app.clone(),
        dry_run,
        keep_stock,
        locale,
        columns: reading.columns,
        headings: Arc::new(std::mem::take(&mut reading.headings)),
        categories: None,
        named: Arc::default(),
    };
    let told = |report: &Report, total_rows| {
        if let Some(watcher) = &watcher {
            let (rows, products) = (report.rows, report.products);
            watcher(Progress { rows, total_rows, products, elapsed: started.elapsed() });
        }
    };
    let ended = take_in(file, &mut reading, &pictures, &mut writer, &mut report, told).await;
    // What was written before a failure stays, and so does its trace.
    let recorded = if dry_run { Ok(()) } else { writer.record(&report, ended.is_ok()).await };
    ended?;
    recorded?;
    report.problems.sort_by_key(|problem| problem.line);
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Takes batch after batch from the file into the shop.
async fn take_in(
    file: &Path,
    reading: &mut Reading,
    pictures: &Pictures,
    writer: &mut Writer,
    report: &mut Report,
    told: impl Fn(&Report, u64),
) -> Result<(), ImportError> {
    while let Some(batch) = reading.batches.recv().await {
        let batch = batch.map_err(|error| ImportError::File(file.to_owned(), FileError::Unreadable(error)))?;
        let mut prepared = Vec::new();
        for product in batch {
            report.rows += product.rows;
            report.add(product.problems);
            match product.draft {
                Some(draft) => prepared.push(Prepared { draft, pictures: Vec::new() }),
                // Rows that belong to no product are problems, but no product.
                None if product.handle.is_empty() => {}
                None => report.count(Done::Rejected),
            }
        }
        get_pictures(&writer.app.db, pictures, &mut prepared, report).await?;
        for outcome in writer.write(prepared).await? {
            report.count(outcome.done);
            report.add(outcome.problems);
        }
        told(report, reading.total_rows);
    }
    // A file that was read only in part must not look as if it were imported.
    (&mut reading.reader).await.map_err(|error| ImportError::Broken(error.to_string()))
}

/// What the file's first line and its size tell, and where its products come from.
struct Reading {
    columns: Columns,
    headings: HashMap<Column, String>,
    ignored: Vec<String>,
    total_rows: u64,
    batches: mpsc::Receiver<Result<Vec<Product>, Unreadable>>,
    reader: JoinHandle<()>,
}

/// Reads the file on a thread of its own, a few batches ahead of what is written.
async fn read(file: &Path, currency: Currency, purpose: Purpose) -> Result<Reading, ImportError> {
    let path = file.to_owned();
    let open = tokio::task::spawn_blocking(move || {
        Products::open(|| File::open(&path).map(|file| BufReader::with_capacity(1 << 18, file)), currency, purpose)
    });
    let opened = open.await.map_err(|error| ImportError::Broken(error.to_string()))?;
    let products = opened.map_err(|error| ImportError::File(file.to_owned(), error))?;
    let header = products.header();
    let columns = [Column::Sku, Column::Price, Column::Quantity, Column::Image, Column::Category];
    let headings = columns.into_iter().map(|column| (column, header.heading(column).to_owned())).collect();
    let (sender, batches) = mpsc::channel(2);
    let (columns, ignored, total_rows) = (header.columns, header.ignored.clone(), products.total_rows());
    let reader = tokio::task::spawn_blocking(move || {
        let (mut batch, mut rows) = (Vec::new(), 0);
        for product in products {
            match product {
                Ok(product) => {
                    rows += product.rows;
                    batch.push(product);
                }
                Err(error) => {
                    // Nobody listens when the import ended early.
                    let _ = sender.blocking_send(Ok(std::mem::take(&mut batch)));
                    let _ = sender.blocking_send(Err(error));
                    return;
                }
            }
            if batch.len() >= BATCH_PRODUCTS || rows >= BATCH_ROWS {
                rows = 0;
                if sender.blocking_send(Ok(std::mem::take(&mut batch))).is_err() {
                    return;
                }
            }
        }
        let _ = sender.blocking_send(Ok(batch));
    });
    Ok(Reading { columns, headings, ignored, total_rows, batches, reader })
}

/// Gets the pictures of a batch, each source once; those that cannot be had are reported.
async fn get_pictures(
    db: &Db,
    pictures: &Pictures,
    batch: &mut [Prepared],
    report: &mut Report,
) -> Result<(), DbError> {
    let images = batch.iter().flat_map(|prepared| &prepared.draft.images);
    let sources: HashSet<String> = images.map(|image| image.source.clone()).collect();
    if sources.is_empty() {
        return Ok(());
    }
    let handles: Vec<String> = batch.iter().map(|prepared| prepared.draft.handle.clone()).collect();
    let known = db
        .read::<_, DbError>(move |tx| {
            let handles = handles.clone();
            Box::pin(async move { store::pictures(tx, &handles).await })
        })
        .await?;
    let known = &known;
    let found: HashMap<String, _> = futures::stream::iter(sources)
        .map(|source| async move {
            let stored = pictures.get(&source, known.get(&source)).await;
            (source, stored)
        })
        .buffer_unordered(pictures::AT_ONCE)
        .collect()
        .await;
    for prepared in batch {
        let draft = &prepared.draft;
        for image in &draft.images {
            let stored = match found.get(&image.source) {
                Some(Ok(stored)) => Some(stored.clone()),
                Some(Err(fault)) => {
                    let kind = ProblemKind::PictureMissing { source: image.source.clone(), fault: fault.clone() };
                    let (line, handle) = (image.line, draft.handle.clone());
                    report.add(vec![Problem { line, column: String::new(), handle, kind }]);
                    // What an earlier import got is better than nothing.
                    known.get(&image.source).cloned()
                }
                None => None,
            };
            if matches!(found.get(&image.source), Some(Ok(_))) {
                report.pictures += 1
            } else {
                report.pictures_missing += 1
            }
            prepared.pictures.push(stored);
        }
    }
    Ok(())
}

/// Writes batches, and remembers from one to the next what need not be read again.
struct Writer {
    app: App,
    dry_run: bool,
    keep_stock: bool,
    locale: Locale,
    columns: Columns,
    headings: Arc<HashMap<Column, String>>,
    categories: Option<Arc<Categories>>,
    /// What this file calls categories in a further language.
    named: Arc<HashMap<String, String>>,
}

/// What a job gives back when it is committed.
struct Written {
    outcomes: Vec<Outcome>,
    categories: Arc<Categories>,
    named: Arc<HashMap<String, String>>,
}

impl Writer {
    async fn write(&mut self, batch: Vec<Prepared>) -> Result<Vec<Outcome>, DbError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let batch = Arc::new(batch);
        let error = match self.attempt(&batch, 0..batch.len()).await {
            Ok(outcomes) => return Ok(outcomes),
            Err(error) => error,
        };
        if is_general(&error) {
            return Err(error);
        }
        let mut outcomes = Vec::new();
        for (index, prepared) in batch.iter().enumerate() {
            match self.attempt(&batch, index..index + 1).await {
                Ok(outcome) => outcomes.extend(outcome),
                Err(error) if is_general(&error) => return Err(error),
                Err(error) => {
                    let kind = ProblemKind::Database { message: error.to_string() };
                    let (line, handle) = (prepared.draft.line, prepared.draft.handle.clone());
                    let problems = vec![Problem { line, column: String::new(), handle, kind }];
                    outcomes.push(Outcome { done: Done::Rejected, problems });
                }
            }
        }
        Ok(outcomes)
    }

    /// Some products in one transaction.
    async fn attempt(&mut self, batch: &Arc<Vec<Prepared>>, range: Range<usize>) -> Result<Vec<Outcome>, DbError> {
        let job = Arc::new(Job {
            app: self.app.clone(),
            batch: batch.clone(),
            range,
            dry_run: self.dry_run,
            keep_stock: self.keep_stock,
            locale: self.locale,
            columns: self.columns,
            headings: self.headings.clone(),
            // After a failure they are read again, because someone may have made one meanwhile.
            categories: self.categories.take(),
            named: self.named.clone(),
        });
        let written = if self.dry_run {
            self.app.db.read(move |tx| job.clone().run(tx)).await?
        } else {
            self.app.db.write(move |tx| job.clone().run(tx)).await?
        };
        self.categories = Some(written.categories);
        self.named = written.named;
        Ok(written.outcomes)
    }

    /// Puts the import on record: how much it was, and whether it came to its end.
    async fn record(&self, report: &Report, whole: bool) -> Result<(), DbError> {
        let Report { rows, created, updated, unchanged, rejected, .. } = report;
        let end = if whole { "" } else { ", broken off" };
        let entry = Entry {
            actor: "operator".to_owned(),
            action: Action::Imported,
            subject: format!("catalog:{}", self.locale.tag()),
            detail: format!(
                "{rows} rows: {created} created, {updated} updated, {unchanged} unchanged, {rejected} rejected{end}"
            ),
        };
        let app = self.app.clone();
        self.app
            .db
            .write::<_, DbError>(move |tx| {
                let (app, entry) = (app.clone(), entry.clone());
                Box::pin(async move { audit::record_all(tx, &app.keys, std::slice::from_ref(&entry), now()).await })
            })
            .await
    }
}

/// Some products of a batch: a function of what it holds, because the database may run it more than once.
struct Job {
    app: App,
    batch: Arc<Vec<Prepared>>,
    range: Range<usize>,
    dry_run: bool,
    keep_stock: bool,
    locale: Locale,
    columns: Columns,
    headings: Arc<HashMap<Column, String>>,
    categories: Option<Arc<Categories>>,
    named: Arc<HashMap<String, String>>,
}

impl Job {
    fn run<'t>(self: Arc<Self>, tx: &'t mut Tx<'_>) -> BoxFuture<'t, Result<Written, DbError>> {
        Box::pin(async move { self.steps(tx).await })
    }

    async fn steps(&self, tx: &mut Tx<'_>) -> Result<Written, DbError> {
        let batch = self.batch.get(self.range.clone()).unwrap_or_default();
        let handles: Vec<String> = batch.iter().map(|prepared| prepared.draft.handle.clone()).collect();
        let is_main = self.locale == Locale::default();
        // Texts of another language change no variant.
        let variants = batch.iter().filter(|_| is_main).flat_map(|prepared| &prepared.draft.variants);
        let skus: Vec<String> = variants.map(|variant| variant.sku.clone()).filter(|sku| !sku.is_empty()).collect();
        if !self.dry_run {
            store::lock(tx, &handles, &skus).await?;
        }
        let existing = store::load(tx, &handles).await?;
        let categories = match &self.categories {
            Some(categories) => categories.clone(),
            None => Arc::new(Categories::load(tx).await?),
        };
        let holders = store::holders(tx, &skus).await?;
        let heading = |column: Column| self.headings.get(&column).cloned().unwrap_or_default();
        let mut planner = Planner {
            columns: self.columns,
            keep_stock: self.keep_stock,
            sku_heading: heading(Column::Sku),
            price_heading: heading(Column::Price),
            quantity_heading: heading(Column::Quantity),
            now: now(),
            categories,
            holders,
            changes: Changes::default(),
        };
        let mut named = self.named.clone();
        let mut outcomes = Vec::new();
        for prepared in batch {
            let draft = &prepared.draft;
            let old = existing.get(&draft.handle);
            if is_main {
                outcomes.push(planner.product(prepared, old));
                continue;
            }
            let mut outcome = planner.translation(draft, old, self.locale);
            if let (Some(old), false) = (old, outcome.done == Done::Rejected) {
                let named = Arc::make_mut(&mut named);
                let notices = planner.translate_category(draft, old, self.locale, named, &heading(Column::Category));
                outcome.problems.extend(notices);
            }
            outcomes.push(outcome);
        }
        if !self.dry_run {
            let entries = planner.changes.write(tx).await?;
            audit::record_all(tx, &self.app.keys, &entries, planner.now).await?;
        }
        Ok(Written { outcomes, categories: planner.categories, named })
    }
}

/// Errors that the next product would meet as well.
fn is_general(error: &DbError) -> bool {
    matches!(error, DbError::Busy | DbError::Unavailable(_) | DbError::ReadOnly | DbError::Closed)
}
