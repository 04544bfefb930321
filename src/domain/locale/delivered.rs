//! The texts that a browser has: those of the first visit from the start, the rest with the first other page.

use std::sync::OnceLock;

/// Between the texts of a table; the build makes sure that none contains it.
const SEPARATOR: char = '\u{1e}';

/// Shown in place of a text that was not delivered, so that it is seen: its page was opened before its texts were there.
const MISSING: &str = "\u{fffd}";

type Table = OnceLock<Box<[&'static str]>>;

static FIRST: Table = OnceLock::new();
static REST: Table = OnceLock::new();

/// Keeps the texts of the first visit for as long as the page lives.
pub fn keep_first(table: String) {
    keep(&FIRST, table);
}

/// Keeps all other texts. A second time changes nothing.
pub fn keep_rest(table: String) {
    keep(&REST, table);
}

/// Whether all texts are there.
pub fn complete() -> bool {
    REST.get().is_some()
}

fn keep(table: &Table, texts: String) {
    table.get_or_init(|| texts.leak().split(SEPARATOR).collect());
}

/// A text by its number.
pub(super) fn text(number: u16) -> &'static str {
    let number = usize::from(number);
    let first = FIRST.get().map_or(&[][..], |table| table);
    let found = match number.checked_sub(first.len()) {
        None => first.get(number),
        Some(number) => REST.get().and_then(|table| table.get(number)),
    };
    found.copied().unwrap_or(MISSING)
}
