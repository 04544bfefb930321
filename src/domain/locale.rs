//! The languages of the interface and their texts.

use serde::{Deserialize, Serialize};
use std::fmt::{Display, Write};

/// The parameter of an address that asks for its page in a language, whatever the reader has chosen.
pub const PARAMETER: &str = "lang";

/// A language of the interface. The catalogue may have texts in other languages too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Locale {
    #[default]
    #[serde(rename = "zh-CN")]
    ZhCn,
    #[serde(rename = "en")]
    En,
}

#[cfg(target_arch = "wasm32")]
pub mod delivered;

/// One text, made from `locales/` by the build: in every [`Locale`] on the server, and in the browser by its number in
/// the tables of the page's language, which the server delivers.
#[derive(Clone, Copy)]
pub struct Text(pub(crate) Form);

#[cfg(not(target_arch = "wasm32"))]
type Form = [&'static str; 2];
#[cfg(target_arch = "wasm32")]
type Form = u16;

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

    /// The tag with a territory, as the Open Graph protocol has it.
    pub const fn territory_tag(self) -> &'static str {
        match self {
            Self::ZhCn => "zh_CN",
            Self::En => "en_US",
        }
    }

    /// A local address, without a fragment, that always shows its page in this language.
    pub fn address(self, address: &str) -> String {
        let address = any_language(address);
        let mark = if address.contains('?') { '&' } else { '?' };
        format!("{address}{mark}{PARAMETER}={}", self.tag())
    }

    /// The language that the query of an address asks for.
    pub fn from_query(query: &str) -> Option<Self> {
        let asked = query.split('&').filter_map(|pair| pair.strip_prefix(PARAMETER)?.strip_prefix('='));
        asked.filter_map(Self::from_tag).next()
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
    #[cfg(not(target_arch = "wasm32"))]
    pub const fn t(self, text: Text) -> &'static str {
        text.0[self as usize]
    }

    /// The text in the language of the page, which it keeps while it lives.
    #[cfg(target_arch = "wasm32")]
    pub fn t(self, text: Text) -> &'static str {
        delivered::text(text.0)
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

/// A local address, without a fragment, that shows its page in the language of whoever asks.
pub fn any_language(address: &str) -> String {
    let Some((path, query)) = address.split_once('?') else { return address.to_owned() };
    let asks = |pair: &&str| pair.split('=').next() != Some(PARAMETER);
    let rest = query.split('&').filter(asks).collect::<Vec<_>>().join("&");
    if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_asks_for_at_most_one_language() {
        for (address, plain, english) in [
            ("/", "/", "/?lang=en"),
            ("/?lang=zh-CN", "/", "/?lang=en"),
            ("/p/mug?v=1", "/p/mug?v=1", "/p/mug?v=1&lang=en"),
            ("/c/a?lang=x&page=2&lang=en&language=q", "/c/a?page=2&language=q", "/c/a?page=2&language=q&lang=en"),
        ] {
            assert_eq!(any_language(address), plain);
            assert_eq!(Locale::En.address(address), english);
            assert_eq!(Locale::from_query(english.split_once('?').unwrap_or_default().1), Some(Locale::En));
        }
        assert_eq!(Locale::from_query("q=lang=en&lang=fr&lang"), None);
        assert_eq!(Locale::from_query("page=2&lang=zh"), Some(Locale::ZhCn));
    }

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
