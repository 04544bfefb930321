//! The languages of the interface and their texts.

use serde::{Deserialize, Serialize};
use std::fmt::{Display, Write};

/// A language of the interface. The catalogue may have texts in other languages too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Locale {
    #[default]
    #[serde(rename = "zh-CN")]
    ZhCn,
    #[serde(rename = "en")]
    En,
}

/// One text in every [`Locale`], made from `locales/` by the build.
#[derive(Clone, Copy)]
pub struct Text(pub(crate) [&'static str; 2]);

/// All texts of the interface, a module for each file in `locales/`.
#[allow(missing_docs)]
pub mod texts {
    use super::Text;
    include!(concat!(env!("OUT_DIR"), "/texts.rs"));
}

impl Locale {
    pub const ALL: [Self; 2] = [Self::ZhCn, Self::En];

    /// The BCP 47 tag, as in `<html lang>`, the `lang` cookie and the database.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::En => "en",
        }
    }

    /// Reads a tag, by language alone: `zh`, `zh-Hans-CN`, `en-GB`.
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag.trim().split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::ZhCn),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The first language of an `Accept-Language` header that the interface has, by its order of preference.
    pub fn from_accept_language(header: &str) -> Option<Self> {
        let mut wishes: Vec<(f32, Self)> = header
            .split(',')
            .filter_map(|wish| {
                let (tag, rest) = wish.split_once(';').unwrap_or((wish, ""));
                let quality = rest.trim().strip_prefix("q=").and_then(|q| q.parse().ok()).unwrap_or(1.0);
                Some((quality, Self::from_tag(tag)?))
            })
            .collect();
        wishes.sort_by(|a, b| b.0.total_cmp(&a.0));
        wishes.first().map(|(_, locale)| *locale)
    }

    /// The text in this language.
    pub const fn t(self, text: Text) -> &'static str {
        text.0[self as usize]
    }

    /// The text in this language with `{name}` marks replaced.
    pub fn f(self, text: Text, values: &[(&str, &dyn Display)]) -> String {
        let mut out = String::new();
        for (i, part) in self.t(text).split('{').enumerate() {
            match part.split_once('}') {
                Some((name, rest)) if i > 0 => {
                    if let Some((_, value)) = values.iter().find(|(key, _)| *key == name) {
                        let _ = write!(out, "{value}");
                    }
                    out.push_str(rest);
                }
                _ => out.push_str(part),
            }
        }
        out
    }

    /// A counted text: `one` for exactly one in languages that tell it apart, else `other`; `{n}` is the count.
    pub fn n(self, one: Text, other: Text, n: i64) -> String {
        self.f(if n == 1 && self == Self::En { one } else { other }, &[("n", &n)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_known_language_of_a_browser_is_chosen() {
        assert_eq!(Locale::from_accept_language("fr-FR,en;q=0.8,zh;q=0.9"), Some(Locale::ZhCn));
        assert_eq!(Locale::from_accept_language("en-GB,en;q=0.9"), Some(Locale::En));
        assert_eq!(Locale::from_accept_language("de"), None);
        assert_eq!(Locale::from_accept_language(";;q=,"), None);
    }

    #[test]
    fn marks_are_replaced_and_unknown_ones_vanish() {
        let text = Text(["{n} 件，共 {total}{gone}", "{n} items, {total}{gone}"]);
        assert_eq!(Locale::ZhCn.f(text, &[("n", &2), ("total", &"¥5")]), "2 件，共 ¥5");
    }
}
