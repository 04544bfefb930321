//! The search index of this process: which products may have a word in their texts, found without looking through all of
//! them.
//!
//! It is kept in memory, read from the database when the process begins, and kept current by the products that change, on
//! whichever node: each looks for itself. The database has the last word: what is named here is looked at there, so that a
//! change that was not read yet can leave a product out for a second or two, and can show none that does not belong. Until
//! the index is filled, and where it names too many, the database looks through texts until it has found enough. Beside it,
//! and in the same way, the [`Counts`] of all products are kept.

mod grams;

use super::{changed_since, counts::Counts};
use crate::{
    args,
    domain::Result,
    server::{
        App,
        db::{Row, lists},
    },
};
use grams::Grams;
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

pub use grams::MOST;

/// How often changes are looked for.
pub const EVERY: Duration = Duration::from_secs(1);
/// How often products are counted anew at most, while they change.
const COUNT: Duration = Duration::from_secs(5);
/// How many products are read at a time: putting them in takes milliseconds, in which other work waits.
const PART: i64 = 200;
/// How far back a look goes before the last one, in milliseconds: a product is dated before the transaction that changes it
/// ends, and maybe by the clock of another machine.
const LOOK_BACK: i64 = 15_000;

/// The index, empty until [`step`] has filled it.
#[derive(Default)]
pub struct Search {
    /// None until all products were read once.
    grams: RwLock<Option<Grams>>,
    /// None until they were counted once.
    counts: RwLock<Option<Arc<Counts>>>,
    reading: Mutex<Reading>,
}

/// How far the reading has come.
#[derive(Default)]
struct Reading {
    /// What is made while all products are read, and the last of them that was.
    next: Grams,
    after: String,
    complete: bool,
    /// When changes were looked for last; the first time when the reading of all products began.
    since: i64,
    /// When the products were changed that the last look found.
    seen: HashMap<String, i64>,
    looked: Option<Instant>,
    /// When the products were counted, and whether some have changed since then.
    counted: Option<Instant>,
    changed: bool,
}

impl Search {
    /// The products that may have all of these words in their texts, at most [`MOST`]; `None` where they are not known, or
    /// are too many to name.
    pub fn find(&self, words: &[String]) -> Option<Vec<String>> {
        // Nothing is left half done under this lock that a look at the database would not put right.
        let grams = self.grams.read().unwrap_or_else(PoisonError::into_inner);
        let found = grams.as_ref()?.find(words)?;
        Some(found.iter().map(|product| product.as_ref().to_owned()).collect())
    }

    /// How many products there are of each brand in each category, as they were some seconds ago at most; `None` where that
    /// is not known yet.
    pub fn counts(&self) -> Option<Arc<Counts>> {
        self.counts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// About how many bytes of memory the index takes.
    pub fn bytes(&self) -> usize {
        self.grams.read().unwrap_or_else(PoisonError::into_inner).as_ref().map_or(0, Grams::bytes)
    }

    /// Puts in what was read anew; true where the index is worn by that.
    fn put(&self, products: &[(String, Vec<String>)]) -> bool {
        let mut grams = self.grams.write().unwrap_or_else(PoisonError::into_inner);
        let Some(grams) = grams.as_mut() else { return true };
        products.iter().for_each(|(product, texts)| grams.put(product, texts));
        grams.is_worn()
    }
}

/// Reads the next products, or those that changed since the last look. Tells whether there is more to read at once.
///
/// # Errors
/// When the database cannot be read; the next step goes on from there.
pub async fn step(app: &App, now: i64) -> Result<bool> {
    let mut reading = app.search.reading.lock().await;
    if !reading.complete {
        return fill(app, &mut reading, now).await;
    }
    // It is called more often where there is other work to do.
    if reading.looked.is_some_and(|looked| looked.elapsed() < EVERY / 2) {
        return Ok(false);
    }
    let changed = changed_since(app, reading.since - LOOK_BACK).await?;
    let new = changed.iter().filter(|(product, at)| reading.seen.get(*product) != Some(*at));
    let new: Vec<String> = new.map(|(product, _)| product.clone()).collect();
    for (list, args) in lists(&new) {
        let sql =
            format!("select product_id as id, words from product_text where product_id in {list} order by product_id");
        let rows = app.db.all(sql, args).await?;
        if app.search.put(&texts(&rows)?) {
            (reading.complete, reading.after) = (false, String::new());
        }
    }
    if !new.is_empty() {
        // Pages that were made since these products changed were made with the index from before.
        app.live.catalogue_changed();
        reading.changed = true;
    }
    reading.seen = changed;
    reading.since = now;
    reading.looked = Some(Instant::now());
    if reading.counted.is_none_or(|counted| reading.changed && counted.elapsed() >= COUNT) {
        let counts = Counts::read(&app.db).await?;
        *app.search.counts.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(counts));
        app.live.catalogue_changed();
        (reading.counted, reading.changed) = (Some(Instant::now()), false);
    }
    Ok(!reading.complete)
}

/// Reads the next part of all products. The index from before, if there is one, is used until the new one is complete.
async fn fill(app: &App, reading: &mut Reading, now: i64) -> Result<bool> {
    if reading.after.is_empty() {
        (reading.since, reading.next) = (now, Grams::default());
        reading.seen.clear();
    }
    let sql = "select p.id, coalesce(t.words, '') as words
        from (select id from product where id > $1 order by id limit $2) p
            left join product_text t on t.product_id = p.id
        order by p.id";
    let rows = app.db.all(sql, args![&reading.after, PART]).await?;
    let products = texts(&rows)?;
    let Some((last, _)) = products.last() else {
        let mut complete = mem::take(&mut reading.next);
        complete.tidy();
        let (products, bytes) = (complete.products(), complete.bytes());
        *app.search.grams.write().unwrap_or_else(PoisonError::into_inner) = Some(complete);
        app.live.catalogue_changed();
        reading.complete = true;
        tracing::info!(products, bytes, "the search index is complete");
        return Ok(true);
    };
    products.iter().for_each(|(product, texts)| reading.next.put(product, texts));
    reading.after.clone_from(last);
    Ok(true)
}

/// The texts of each product, of rows in the order of the products.
fn texts(rows: &[Row]) -> Result<Vec<(String, Vec<String>)>> {
    let mut products: Vec<(String, Vec<String>)> = Vec::new();
    for row in rows {
        let (product, words): (String, String) = (row.get("id")?, row.get("words")?);
        match products.last_mut() {
            Some((last, texts)) if *last == product => texts.push(words),
            _ => products.push((product, vec![words])),
        }
    }
    Ok(products)
}
