//! Looking for texts in bytes, in whatever form they may have got there.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use std::{collections::HashMap, fmt::Write};
use xiadan::domain::catalog::percent_encode;

/// Texts to look for, in all their forms.
pub struct Traces {
    /// Form and text, and the bytes that give it away.
    needles: Vec<(String, Vec<u8>)>,
    /// The needles by their first two bytes.
    begins: HashMap<[u8; 2], Vec<usize>>,
    /// Whether any needle begins so: most places are done with after this.
    possible: Vec<bool>,
}

impl Traces {
    pub fn of(texts: &[&str]) -> Self {
        let mut needles: Vec<_> = texts.iter().flat_map(|text| forms(text)).collect();
        needles.sort_by(|a, b| a.1.cmp(&b.1));
        needles.dedup_by(|a, b| a.1 == b.1);
        let (mut begins, mut possible) = (HashMap::<_, Vec<_>>::new(), vec![false; 0x10000]);
        for (n, (form, needle)) in needles.iter().enumerate() {
            assert!(needle.len() >= 6, "too short to be no accident: {form}");
            begins.entry([needle[0], needle[1]]).or_default().push(n);
            possible[usize::from(u16::from_be_bytes([needle[0], needle[1]]))] = true;
        }
        Self { needles, begins, possible }
    }

    /// The first of them that is in the bytes, with what stands round it.
    pub fn find(&self, bytes: &[u8]) -> Option<String> {
        let mut pair = usize::from(*bytes.first()?);
        for (at, byte) in bytes.iter().enumerate().skip(1) {
            pair = (pair << 8 | usize::from(*byte)) & 0xffff;
            if !self.possible[pair] {
                continue;
            }
            let rest = &bytes[at - 1..];
            let here = self.begins.get(&[rest[0], rest[1]]).into_iter().flatten();
            for (form, needle) in here.map(|n| &self.needles[*n]) {
                if rest.starts_with(needle) {
                    let round = &bytes[at.saturating_sub(80)..(at + needle.len() + 80).min(bytes.len())];
                    return Some(format!("{form} in: {}", String::from_utf8_lossy(round)));
                }
            }
        }
        None
    }
}

/// A text as it may stand in a file, a log or a column.
fn forms(text: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = text.as_bytes();
    let hex = |upper: bool| {
        bytes.iter().fold(String::new(), |mut hex, byte| {
            let _ = if upper { write!(hex, "{byte:02X}") } else { write!(hex, "{byte:02x}") };
            hex
        })
    };
    let percent = percent_encode(text);
    let decimal: Vec<_> = bytes.iter().map(u8::to_string).collect();
    let units: Vec<u16> = text.encode_utf16().collect();
    let escaped = |write_one: fn(u16) -> String| units.iter().map(|unit| write_one(*unit)).collect::<String>();
    let rust: String = text.chars().map(|c| format!("\\u{{{:x}}}", u32::from(c))).collect();
    let mut forms = vec![
        ("plain", bytes.to_vec()),
        ("UTF-16 LE", units.iter().flat_map(|unit| unit.to_le_bytes()).collect()),
        ("UTF-16 BE", units.iter().flat_map(|unit| unit.to_be_bytes()).collect()),
        ("percent", percent.clone().into_bytes()),
        ("percent", percent.replace("%20", "+").into_bytes()),
        ("percent in lower case", lower_percent(&percent).into_bytes()),
        ("percent twice", percent_encode(&percent).into_bytes()),
        ("JSON", escaped(|unit| format!("\\u{unit:04x}")).into_bytes()),
        ("JSON in upper case", escaped(|unit| format!("\\u{unit:04X}")).into_bytes()),
        ("Rust", rust.into_bytes()),
        ("list of bytes", decimal.join(", ").into_bytes()),
        ("list of bytes", decimal.join(",").into_bytes()),
        ("hexadecimal", hex(false).into_bytes()),
        ("hexadecimal", hex(true).into_bytes()),
    ];
    // What stands before it moves it by a byte or two, and what is next to it shares a digit with it.
    for before in 0..3 {
        let moved = [&vec![0; before][..], bytes].concat();
        let end = usize::from(moved.len() % 3 != 0);
        for digits in [STANDARD_NO_PAD.encode(&moved), URL_SAFE_NO_PAD.encode(&moved)] {
            forms.push(("base64", digits.as_bytes()[[0, 2, 3][before]..digits.len() - end].to_vec()));
        }
    }
    forms.into_iter().map(|(form, needle)| (format!("{text:?} ({form})"), needle)).collect()
}

fn lower_percent(percent: &str) -> String {
    let mut parts = percent.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| format!("{text}%{}{}", part[..2].to_lowercase(), &part[2..]))
}

#[test]
fn a_text_is_found_in_whatever_form_it_is() {
    let traces = Traces::of(&["诸葛清岚", "+8615987654321"]);
    let text = "收件人：诸葛清岚。";
    let utf16 = |big: bool| -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let mut hidden = vec![
        text.as_bytes().to_vec(),
        utf16(true),
        utf16(false),
        percent_encode(text).into_bytes(),
        percent_encode(text).to_lowercase().into_bytes(),
        format!("{:?}", text.as_bytes()).into_bytes(),
        b"{\"name\":\"\\u8bf8\\u845b\\u6e05\\u5c9a\"}".to_vec(),
        text.escape_unicode().to_string().into_bytes(),
        b"phone=%2B8615987654321&".to_vec(),
    ];
    for before in ["", "a", "ab", "abc"] {
        hidden.push(STANDARD_NO_PAD.encode(format!("{before}{text}")).into_bytes());
        hidden.push(URL_SAFE_NO_PAD.encode(format!("{before}+8615987654321{before}")).into_bytes());
    }
    for bytes in hidden {
        assert!(traces.find(&bytes).is_some(), "{}", String::from_utf8_lossy(&bytes));
        assert!(traces.find(&[&[0xff, 0xe8], &*bytes, &[0x80, 0]].concat()).is_some());
    }
    for harmless in ["", "诸", "诸葛亮", "+86 159****4321", "15987654320"] {
        assert_eq!(traces.find(harmless.as_bytes()), None, "{harmless}");
    }
}
