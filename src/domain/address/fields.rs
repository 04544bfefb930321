//! The fields of a recipient and an address: how what is typed in each is read, and how it is shown covered.

use crate::domain::error::{Problem, Result};

/// A text in one line of `min..=max` characters, trimmed and without control characters.
pub fn text(typed: &str, min: u32, max: u32) -> Result<String, Problem> {
    measured(typed.chars().filter(|c| !c.is_control()).collect(), min, max)
}

/// The same, in as many lines as were typed.
pub fn lines(typed: &str, min: u32, max: u32) -> Result<String, Problem> {
    measured(typed.chars().filter(|c| !c.is_control() || *c == '\n').collect(), min, max)
}

fn measured(cleaned: String, min: u32, max: u32) -> Result<String, Problem> {
    let text = cleaned.trim();
    match u32::try_from(text.chars().count()).unwrap_or(u32::MAX) {
        0 if min > 0 => Err(Problem::Required),
        length if length < min => Err(Problem::TooShort(min)),
        length if length > max => Err(Problem::TooLong(max)),
        _ => Ok(text.to_owned()),
    }
}

/// The calling codes that a number may be typed with, in the order they are offered; none begins with another.
pub const CALLING_CODES: [&str; 9] = ["+86", "+852", "+853", "+886", "+1", "+44", "+65", "+81", "+82"];

/// A phone number in E.164. In China mobile numbers have 11 digits and begin with 13 to 19, landlines begin with the
/// area code's zero; elsewhere 6 to 14 digits are taken.
pub fn phone(country_code: &str, typed: &str) -> Result<String, Problem> {
    let digits = |s: &str| s.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '\u{a0}')).collect::<String>();
    let (country, typed) = (digits(country_code), digits(typed));
    let country = if country.is_empty() { "+86".to_owned() } else { country };
    let typed = typed.strip_prefix("00").map(|rest| format!("+{rest}")).unwrap_or(typed);
    let (country, national) = if typed.starts_with('+') {
        let known =
            CALLING_CODES.iter().find_map(|code| Some(((*code).to_owned(), typed.strip_prefix(code)?.to_owned())));
        known.ok_or(Problem::Phone)?
    } else {
        (country, typed)
    };
    if national.is_empty() {
        return Err(Problem::Required);
    }
    let code_is_valid = CALLING_CODES.contains(&country.as_str());
    let all_digits = national.bytes().all(|b| b.is_ascii_digit());
    let valid = match country.as_str() {
        "+86" => {
            let mobile =
                national.len() == 11 && national.starts_with('1') && matches!(national.as_bytes()[1], b'3'..=b'9');
            // Without its zero a landline must not look like a mobile number: area codes begin with 10 or 2 to 9.
            let area = matches!(national.as_bytes(), [b'0', b'1', b'0', b'2'..=b'9', ..] | [b'0', b'2'..=b'9', ..]);
            mobile || area && (10..=12).contains(&national.len())
        }
        _ => (6..=14).contains(&national.len()),
    };
    if !(code_is_valid && all_digits && valid) {
        return Err(Problem::Phone);
    }
    Ok(format!("{country}{}", national.strip_prefix('0').unwrap_or(&national)))
}

/// Calling code and national number as they are typed, from E.164. Reading them gives the same number again.
pub fn split_phone(phone: &str) -> (String, String) {
    let known = CALLING_CODES.iter().find_map(|code| Some((*code, phone.strip_prefix(code)?)));
    let (code, national) = known.unwrap_or((phone, ""));
    let is_mobile = national.len() == 11 && national.starts_with('1');
    // A landline lost the zero of its area code on the way in.
    let zero = if code == "+86" && !is_mobile { "0" } else { "" };
    (code.to_owned(), format!("{zero}{national}"))
}

/// An e-mail address in lower case; the syntax people really have (RFC 5321 without quoting and literals).
pub fn email(typed: &str) -> Result<String, Problem> {
    let typed = typed.trim().to_lowercase();
    let Some((local, domain)) = typed.rsplit_once('@') else { return Err(Problem::Email) };
    let local_is_valid = (1..=64).contains(&local.len())
        && !local.contains(['@', ' ', ',', ';', '<', '>', '(', ')', '"', '\\'])
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let label_is_valid = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let domain_is_valid = domain.contains('.') && domain.len() <= 253 && domain.split('.').all(label_is_valid);
    if local_is_valid && domain_is_valid && !typed.chars().any(char::is_control) {
        Ok(typed)
    } else {
        Err(Problem::Email)
    }
}

/// A name of which only the first character of each word is shown.
pub fn mask_name(name: &str) -> String {
    let mut first = true;
    let mask = |c: char| {
        let shown = std::mem::replace(&mut first, c.is_whitespace()) || c.is_whitespace();
        if shown { c } else { '*' }
    };
    name.chars().map(mask).collect()
}

/// What the office and shared screens show of a phone number: `138****8000`.
pub fn mask_phone(phone: &str) -> String {
    let national = phone.strip_prefix("+86").unwrap_or(phone);
    let count = national.chars().count();
    let (keep_start, keep_end) = if count >= 9 { (3, 4) } else { (0, 2) };
    national.chars().enumerate().map(|(i, c)| if i < keep_start || i + keep_end >= count { c } else { '*' }).collect()
}

/// What the office and shared screens show of an e-mail address: `l***@example.com`.
pub fn mask_email(email: &str) -> String {
    let (local, domain) = email.rsplit_once('@').unwrap_or((email, ""));
    let first = local.chars().next().filter(|_| local.chars().nth(1).is_some());
    format!("{}***@{domain}", first.map(String::from).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn phones_are_read_as_people_type_them() {
        let table = [
            ("", "138 0013 8000", Ok("+8613800138000")),
            ("+86", "138-0013-8000", Ok("+8613800138000")),
            ("+86", "+86 138 0013 8000", Ok("+8613800138000")),
            ("+86", "0086 13800138000", Ok("+8613800138000")),
            ("+86", "0755-26001234", Ok("+8675526001234")),
            ("+86", "12800138000", Err(Problem::Phone)),
            ("+86", "1380013800", Err(Problem::Phone)),
            ("+86", "", Err(Problem::Required)),
            ("+44", "07911 123456", Ok("+447911123456")),
            ("44x", "7911123456", Err(Problem::Phone)),
            ("+999", "7911123456", Err(Problem::Phone)),
            ("+86", "010 6555 1234", Ok("+861065551234")),
            ("+86", "013800138000", Err(Problem::Phone)),
            ("+86", "１３８００１３８０００", Err(Problem::Phone)),
        ];
        for (country, typed, expected) in table {
            assert_eq!(phone(country, typed), expected.map(str::to_owned), "{country} {typed}");
        }
    }

    #[test]
    fn a_phone_taken_apart_reads_the_same_again() {
        for number in [
            "+8613800138000",
            "+8675526001234",
            "+861065551234",
            "+85261234567",
            "+88612345678",
            "+447911123456",
            "+12125550123",
            "+861023456789",
        ] {
            let (code, national) = split_phone(number);
            assert_eq!(phone(&code, &national).as_deref(), Ok(number), "{code} {national}");
        }
        assert_eq!(split_phone("+8675526001234"), ("+86".to_owned(), "075526001234".to_owned()));
    }

    #[test]
    fn texts_are_measured_without_what_nobody_sees() {
        assert_eq!(text(" \u{7} 李\n雷 ", 1, 20), Ok("李雷".to_owned()));
        assert_eq!(text("\u{7} \u{7}", 1, 20), Err(Problem::Required));
        assert_eq!(lines(" 放门口\n谢谢 ", 0, 20), Ok("放门口\n谢谢".to_owned()));
    }

    #[test]
    fn mail_addresses_are_checked_for_slips() {
        for good in ["a@b.cn", "First.Last+tag@Example.COM", "用户@例子.公司"] {
            assert!(email(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "a@b", "a@@b.cn", "a b@c.cn", "a@b..cn", ".a@b.cn", "a@-b.cn"] {
            assert_eq!(email(bad), Err(Problem::Email), "{bad}");
        }
    }

    #[test]
    fn a_masked_phone_shows_only_its_ends() {
        assert_eq!(mask_phone("+8613800138000"), "138****8000");
        assert_eq!(mask_phone("12345"), "***45");
        assert_eq!(mask_email("lilei@example.com"), "l***@example.com");
        assert_eq!(mask_email("a@example.com"), "***@example.com");
        assert_eq!((mask_name("李雷").as_str(), mask_name("Ming Wang").as_str()), ("李*", "M*** W***"));
    }

    proptest! {
        #[test]
        fn anything_typed_is_read_or_refused(a in "\\PC*", b in "\\PC*") {
            let _ = (phone(&a, &b), email(&a), text(&a, 1, 20), mask_phone(&b), mask_email(&b));
        }
    }
}
