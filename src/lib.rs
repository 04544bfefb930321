//! Xiadan 下单: a self-service ordering platform in one crate.
//!
//! Four floors, and arrows only point down: `ui → api → server → domain`.
//!
//! | floor | what lives there | compiled for |
//! | --- | --- | --- |
//! | [`domain`] | words and rules: pure types, pricing, the order's state machine | both |
//! | [`server`] | data, sessions, live feed, payment, background work | server |
//! | [`api`] | server functions: the only door from the browser | both |
//! | [`ui`] | components and pages | both |
//!
//! [`app`] is the table of all pages; the document around them is in `server::http::document`.

// The view of a page is one deeply nested type.
#![recursion_limit = "512"]

pub mod api;
pub mod app;
pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;
pub mod ui;

/// Called by the page's script once the client is loaded: takes over the page the server rendered. `texts` are those of
/// the first visit, `more_texts` loads the rest.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate(texts: String, more_texts: js_sys::Function) {
    console_error_panic_hook::set_once();
    ui::texts::begin(texts, more_texts);
    leptos::mount::hydrate_lazy(app::App);
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        fs,
        path::{Path, PathBuf},
    };

    /// What code below `folder` names of `roots`, as `path: name`.
    fn named(folder: &str, roots: &[&str], but: &[&str]) -> Vec<String> {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut open: Vec<PathBuf> = vec![src.join(folder)];
        let mut found = Vec::new();
        let mut files = 0;
        while let Some(path) = open.pop() {
            let name = path.strip_prefix(&src).unwrap_or(&path).display().to_string();
            if but.iter().any(|but| name.starts_with(but)) {
                continue;
            }
            if path.is_dir() {
                let entries = fs::read_dir(&path).into_iter().flatten();
                open.extend(entries.map_while(Result::ok).map(|entry| entry.path()));
            } else if let Ok(text) = fs::read_to_string(&path) {
                files += 1;
                let names = names(&text);
                found.extend(roots.iter().filter(|root| names.contains(**root)).map(|root| format!("{name}: {root}")));
            }
        }
        assert!(files > 0, "there is no code in {folder}");
        found
    }

    /// All paths that code names, as far as arrows go: `crate::server`, also out of `use crate::{…}`, and the first
    /// words of other paths, `axum`.
    fn names(code: &str) -> BTreeSet<String> {
        let code: String = code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        let mut names = BTreeSet::new();
        for (at, _) in code.match_indices("::") {
            let before: String = code[..at].chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            names.insert(before.chars().rev().collect());
        }
        for (at, root) in code.match_indices("crate::") {
            let rest = &code[at + root.len()..];
            let Some(group) = rest.strip_prefix('{') else {
                names.insert(format!("crate::{}", word(rest)));
                continue;
            };
            let (mut depth, mut begins) = (1, true);
            for (i, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 1 => break,
                    '}' => depth -= 1,
                    ',' if depth == 1 => begins = true,
                    c if begins && !c.is_whitespace() => {
                        names.insert(format!("crate::{}", word(&group[i..])));
                        begins = false;
                    }
                    _ => {}
                }
            }
        }
        names
    }

    #[test]
    fn arrows_point_down_only() {
        let table: [(&str, &[&str], &[&str]); 4] = [
            (
                "domain",
                &["crate::server", "crate::api", "crate::ui", "crate::app", "axum", "leptos", "leptos_router", "sqlx"],
                &[],
            ),
            // The frame mounts what is above it.
            ("server", &["crate::api", "crate::ui", "crate::app"], &["server/http"]),
            ("api", &["crate::ui", "crate::app"], &[]),
            ("ui", &["crate::server", "crate::app"], &[]),
        ];
        for (folder, roots, but) in table {
            assert_eq!(named(folder, roots, but), Vec::<String>::new(), "{folder} is below what it names");
        }
        assert_eq!(named("app.rs", &["crate::server"], &[]), Vec::<String>::new());
    }

    #[test]
    fn names_are_found_wherever_a_path_begins() {
        let code =
            "use crate::{\n    api::{self, cart},\n    domain::Error, // crate::no\n    server,\n};\naxum::serve();";
        let names = names(code);
        for name in ["crate::api", "crate::domain", "crate::server", "axum"] {
            assert!(names.contains(name), "{name} in {names:?}");
        }
        for name in ["crate::no", "crate::cart", "crate::self"] {
            assert!(!names.contains(name), "{name} in {names:?}");
        }
    }
}
