//! Turns `locales/<locale>/<room>.json` into constants, so that a key which is missing or has other placeholders in one
//! language is a build error. In the client a text is a number in tables that the server delivers beside it, so that a
//! browser loads one language, and on the first visit only what that shows.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path};

/// In the order of `domain::locale::Locale`.
const LOCALES: [&str; 2] = ["zh-CN", "en"];

/// The rooms whose texts the start page and what is around every page can show.
const FIRST: [&str; 4] = ["common", "error", "shell", "start"];

/// Between the texts of a delivered table.
const SEPARATOR: char = '\u{1e}';

type Texts = BTreeMap<String, String>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=migrations");
    let mut out = String::new();
    let mut rooms: Vec<_> = fs::read_dir(Path::new("locales").join(LOCALES[0]))?
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    rooms.sort_by_key(|room| (!FIRST.contains(&room.as_str()), room.clone()));
    let in_browser = env::var("CARGO_CFG_TARGET_ARCH")? == "wasm32";
    let mut delivered: [[Vec<String>; 2]; 2] = Default::default();
    let mut number = 0;
    for room in rooms {
        let part = usize::from(!FIRST.contains(&room.as_str()));
        let tables = LOCALES.map(|locale| read(locale, &room));
        writeln!(out, "pub mod {room} {{\n    use super::Text;")?;
        for (key, first) in &tables[0] {
            let mut values = Vec::new();
            for ((locale, table), delivered) in LOCALES.iter().zip(&tables).zip(&mut delivered) {
                let value =
                    table.get(key).unwrap_or_else(|| panic!("locales/{locale}/{room}.json: key {key:?} is missing"));
                assert_eq!(
                    placeholders(value),
                    placeholders(first),
                    "locales/{locale}/{room}.json: placeholders of {key:?} differ"
                );
                assert!(!value.contains(SEPARATOR), "locales/{locale}/{room}.json: {key:?} contains a separator");
                values.push(format!("{value:?}"));
                delivered[part].push(value.clone());
            }
            let form = if in_browser { number.to_string() } else { format!("[{}]", values.join(", ")) };
            number += 1;
            writeln!(
                out,
                "    /// “{}”\n    pub const {}: Text = Text({form});",
                first.replace('\n', " "),
                key.to_uppercase(),
            )?;
        }
        for (locale, table) in LOCALES.iter().zip(&tables) {
            for key in table.keys() {
                assert!(
                    tables[0].contains_key(key),
                    "locales/{}/{room}.json: key {key:?} is missing, {locale} has it",
                    LOCALES[0]
                );
            }
        }
        out.push_str("}\n");
    }
    if !in_browser {
        let separator = SEPARATOR.to_string();
        let tables = delivered.map(|parts| parts.map(|texts| texts.join(&separator)));
        writeln!(
            out,
            "/// By locale: what the first visit shows, and the rest.\npub const DELIVERED: [[&str; 2]; 2] = {tables:?};"
        )?;
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("texts.rs"), out)?;
    migrations()
}

/// The list of migrations in the order of their names, as `server::MIGRATIONS` runs them.
fn migrations() -> Result<(), Box<dyn std::error::Error>> {
    let mut files: Vec<_> = fs::read_dir("migrations")?
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "sql"))
        .collect();
    files.sort();
    let mut out = String::from("&[\n");
    for file in files {
        let name = file.file_stem().and_then(|s| s.to_str()).ok_or("a migration's name is not text")?.to_owned();
        // The text itself, not its path: the target folder is shared by checkouts in other places.
        writeln!(out, "    Migration {{ name: {name:?}, sql: {:?} }},", fs::read_to_string(&file)?)?;
    }
    out.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("migrations.rs"), out)?;
    Ok(())
}

fn read(locale: &str, room: &str) -> Texts {
    let path = format!("locales/{locale}/{room}.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The sorted names in `{name}` marks of a text.
fn placeholders(text: &str) -> Vec<&str> {
    let mut names: Vec<_> =
        text.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}
