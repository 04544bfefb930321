//! What an import says while it runs and when it is done.

use super::{
    super::shopify::{Problem, ProblemKind},
    plan::Done,
};
use crate::domain::Locale;
use serde::Serialize;
use std::{
    fmt::Write as _,
    io::{IsTerminal, Write as _},
    sync::Mutex,
    time::{Duration, Instant},
};

/// How many problems a person is shown.
const SHOWN: usize = 100;
/// How many problems are kept; beyond that the file is to be mended from its beginning.
const KEPT: usize = 100_000;
/// How many notices are kept, apart from the problems, so that neither crowds the other out.
const KEPT_NOTICES: usize = 10_000;

/// What an import did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub dry_run: bool,
    /// The language of the texts in the file.
    pub locale: Locale,
    /// Rows below the headings.
    pub rows: u64,
    /// Products in the file.
    pub products: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    /// Products that were kept out, each by at least one of the problems.
    pub rejected: u64,
    pub pictures: u64,
    pub pictures_missing: u64,
    /// Variants that were in the shop with another number of pieces on hand.
    pub stock_set: u64,
    /// Columns the import has no use for.
    pub ignored_columns: Vec<String>,
    pub problems: Vec<Problem>,
    /// Problems beyond those kept in `problems`.
    pub more_problems: u64,
    /// Notices beyond those kept in `problems`.
    pub more_notices: u64,
    /// Notices among `problems`.
    #[serde(skip)]
    pub(super) notices: usize,
    pub seconds: f64,
}

/// How far an import is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub rows: u64,
    pub total_rows: u64,
    pub products: u64,
    pub elapsed: Duration,
}

/// Is told how far an import is, after each batch of products.
pub type Watcher = Box<dyn Fn(Progress) + Send + Sync>;

impl Report {
    pub(super) fn count(&mut self, done: Done) {
        self.products += 1;
        match done {
            Done::Created => self.created += 1,
            Done::Updated => self.updated += 1,
            Done::Unchanged => self.unchanged += 1,
            Done::Rejected => self.rejected += 1,
        }
    }

    pub(super) fn add(&mut self, problems: Vec<Problem>) {
        for problem in problems {
            let is_notice = problem.kind.is_notice();
            self.stock_set += u64::from(matches!(problem.kind, ProblemKind::StockSet { .. }));
            match (is_notice, self.notices, self.problems.len() - self.notices) {
                (true, KEPT_NOTICES.., _) => self.more_notices += 1,
                (false, _, KEPT..) => self.more_problems += 1,
                _ => {
                    self.notices += usize::from(is_notice);
                    self.problems.push(problem);
                }
            }
        }
    }

    /// Whether a product or a row was kept out.
    pub fn has_errors(&self) -> bool {
        self.rejected > 0 || self.more_problems > 0 || self.problems.iter().any(|problem| !problem.kind.is_notice())
    }

    /// The report for a terminal: counts, then the first problems.
    pub fn text(&self, locale: Locale) -> String {
        let zh = locale == Locale::ZhCn;
        let mut text = String::new();
        let mut line = |chinese: String, english: String| {
            text.push_str(if zh { &chinese } else { &english });
            text.push('\n');
        };
        let Self { rows, products, created, updated, unchanged, rejected, pictures, pictures_missing, .. } = self;
        if self.dry_run {
            line("试运行，没有写入任何内容。".into(), "Dry run: nothing was written.".into());
        }
        line(
            format!(
                "{rows} 行，{products} 个商品：新增 {created}，更新 {updated}，未变 {unchanged}，未导入 {rejected}"
            ),
            format!(
                "{rows} rows, {products} products: {created} created, {updated} updated, {unchanged} unchanged, {rejected} not imported"
            ),
        );
        if pictures + pictures_missing > 0 {
            line(
                format!("图片 {pictures} 张，缺 {pictures_missing} 张"),
                format!("{pictures} pictures, {pictures_missing} missing"),
            );
        }
        if self.stock_set > 0 {
            let n = self.stock_set;
            line(
                format!("已有规格的库存改动 {n} 处；--keep-stock 可保持库存不变"),
                format!("the stock of {n} variants was set to another figure; --keep-stock leaves it alone"),
            );
        }
        line(format!("用时 {:.1} 秒", self.seconds), format!("{:.1} seconds", self.seconds));
        if !self.ignored_columns.is_empty() {
            let (zh_list, en_list) = (self.ignored_columns.join("、"), self.ignored_columns.join(", "));
            line(format!("未使用的列：{zh_list}"), format!("Columns without a use: {en_list}"));
        }
        for (heading_zh, heading_en, notices) in
            [("未导入的原因：", "Why products were not imported:", false), ("提示：", "Notices:", true)]
        {
            let found: Vec<&Problem> =
                self.problems.iter().filter(|problem| problem.kind.is_notice() == notices).collect();
            if found.is_empty() {
                continue;
            }
            let _ = writeln!(text, "{}", if zh { heading_zh } else { heading_en });
            for problem in found.iter().take(SHOWN) {
                let _ = writeln!(text, "  {}", problem.line_of_text(locale));
            }
            let dropped = if notices { self.more_notices } else { self.more_problems };
            let more = found.len().saturating_sub(SHOWN) as u64 + dropped;
            if more > 0 {
                let _ = if zh { writeln!(text, "  还有 {more} 条") } else { writeln!(text, "  and {more} more") };
            }
        }
        text
    }

    /// The whole report for programs.
    ///
    /// # Errors
    /// None in practice: everything in it has a JSON form.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}

/// Shows progress on standard error: in place on a terminal, else a line every few seconds.
pub fn to_stderr(locale: Locale) -> Watcher {
    let terminal = std::io::stderr().is_terminal();
    let pause = if terminal { Duration::from_millis(100) } else { Duration::from_secs(5) };
    let last = Mutex::new(Instant::now());
    Box::new(move |progress| {
        let finished = progress.rows == progress.total_rows;
        let Ok(mut last) = last.lock() else { return };
        if last.elapsed() < pause && !(finished && terminal) {
            return;
        }
        *last = Instant::now();
        let Progress { rows, total_rows, products, elapsed } = progress;
        let percent = (rows * 100).checked_div(total_rows).unwrap_or(100);
        let rate = rows as f64 / elapsed.as_secs_f64().max(0.001);
        let text = match locale {
            Locale::ZhCn => format!("{percent:>3}%  {rows}/{total_rows} 行，{products} 个商品，{rate:.0} 行/秒"),
            Locale::En => format!("{percent:>3}%  {rows}/{total_rows} rows, {products} products, {rate:.0} rows/s"),
        };
        // Progress that cannot be shown is no reason to stop.
        let _ = match (terminal, finished) {
            (true, false) => write!(std::io::stderr(), "\r\x1b[K{text}"),
            (true, true) => writeln!(std::io::stderr(), "\r\x1b[K{text}"),
            (false, _) => writeln!(std::io::stderr(), "{text}"),
        };
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(count: usize, kind: &ProblemKind) -> Vec<Problem> {
        let problem = Problem { line: 2, column: String::new(), handle: "a".into(), kind: kind.clone() };
        vec![problem; count]
    }

    #[test]
    fn many_notices_are_counted_and_neither_kept_nor_an_error() {
        let mut report = Report::default();
        report.add(many(KEPT * 2, &ProblemKind::StockSet { sku: "S".into(), from: 6, to: 10 }));
        assert_eq!((report.problems.len(), report.stock_set), (KEPT_NOTICES, KEPT as u64 * 2));
        assert!(!report.has_errors());
        let text = report.text(Locale::En);
        assert!(
            text.lines().count() < SHOWN + 10 && text.contains(&format!("and {} more", KEPT * 2 - SHOWN)),
            "{text}"
        );
        report.add(many(KEPT + 7, &ProblemKind::NoPrice));
        assert_eq!((report.problems.len(), report.more_problems), (KEPT_NOTICES + KEPT, 7));
        assert!(report.has_errors() && report.text(Locale::ZhCn).contains(&format!("还有 {} 条", KEPT + 7 - SHOWN)));
    }
}
