//! People with an account: what they are reached by, the passwords they may choose, and the limits of one-time codes.

use super::{
    address::{email, mask_email, mask_phone, phone},
    catalog::percent_encode,
    error::Problem,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The digits of a one-time code.
pub const CODE_DIGITS: usize = 6;
/// How long a one-time code is good for, in milliseconds: five minutes.
pub const CODE_MS: i64 = 5 * 60_000;
/// How often a one-time code may be tried.
pub const CODE_TRIES: i64 = 5;
/// How long until another code may be asked for, in milliseconds: a minute.
pub const RESEND_MS: i64 = 60_000;

/// The shortest password, in characters: what NIST SP 800-63B-4 §3.1.1.2 asks for beside another factor. Why it is enough
/// for customers who have none: SECURITY.md.
pub const PASSWORD_MIN: u32 = 8;
/// The longest password that is taken, in characters: hashing more would only cost time.
pub const PASSWORD_MAX: u32 = 128;

/// What the shop and its doors are called: whoever guesses at passwords here tries it first (OWASP ASVS 5 §6.1.2). The
/// server adds the parts of the shop's address.
pub const SHOP_WORDS: [&str; 9] = ["xiadan", "下单", "shop", "商城", "商店", "office", "admin", "password", "密码"];

/// The purposes everybody with an account agrees to, and the version of their text that is shown now.
pub const NOTICES: [(&str, &str); 2] = [("terms", "2026-11-25"), ("privacy", "2026-11-26")];

/// What a person is reached by, and an account is found by. Personal: sealed in the database, never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A number in E.164.
    Phone(String),
    /// An address in lower case.
    Email(String),
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.kind())
    }
}

impl Target {
    /// Reads what was typed into one field: with an `@` it is an e-mail address, else a phone number.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(country_code: &str, typed: &str) -> Result<Self, Problem> {
        if typed.contains('@') { email(typed).map(Self::Email) } else { phone(country_code, typed).map(Self::Phone) }
    }

    /// `phone` or `email`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Phone(_) => "phone",
            Self::Email(_) => "email",
        }
    }

    /// What of it whoever knows it would try as a part of a password: the name before the `@`, or the last eight digits.
    pub fn known_part(&self) -> &str {
        match self {
            Self::Email(address) => address.split('@').next().unwrap_or(address),
            Self::Phone(number) => number.get(number.len().saturating_sub(8)..).unwrap_or(number),
        }
    }

    pub fn value(&self) -> &str {
        match self {
            Self::Phone(value) | Self::Email(value) => value,
        }
    }

    /// The target of a kind; none for a kind that is unknown.
    pub fn of(kind: &str, value: String) -> Option<Self> {
        match kind {
            "phone" => Some(Self::Phone(value)),
            "email" => Some(Self::Email(value)),
            _ => None,
        }
    }

    /// As much of it as its owner needs to know it again.
    pub fn masked(&self) -> String {
        match self {
            Self::Phone(value) => mask_phone(value),
            Self::Email(value) => mask_email(value),
        }
    }
}

/// A code that is on its way, as the page that waits for it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentCode {
    /// Names the code; cannot be guessed.
    pub id: String,
    /// Where it was sent, masked.
    pub masked: String,
    /// UTC milliseconds from which another one may be asked for.
    pub resend_at: i64,
    /// UTC milliseconds at which it ends.
    pub expires_at: i64,
    /// UTC milliseconds when this was said; the browser's clock may be wrong.
    pub now: i64,
    /// Whether it is read on the outbox page of a shop that is being tried: there is no way to send it.
    pub in_outbox: bool,
}

impl SentCode {
    /// The page where it is typed; `to` is the page to go to after that.
    pub fn href(&self, to: Option<&str>) -> String {
        let to = to.map(|to| format!("&to={}", percent_encode(to))).unwrap_or_default();
        format!("/sign-in/code?id={}{to}", self.id)
    }

    /// The page where a code is typed by which an account is to be reached.
    pub fn target_href(&self) -> String {
        format!("/me/security/target?id={}", self.id)
    }
}

/// Who is signed in, as the personal pages show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What the person wants to be called; empty until chosen.
    pub name: String,
    /// The user name; none until chosen.
    pub login: Option<String>,
    /// Masked.
    pub phone: Option<String>,
    /// Masked.
    pub email: Option<String>,
    pub has_password: bool,
    /// Whether a new password may be set without the old one: a code proved who this is a moment ago.
    pub proved: bool,
}

/// A message as the outbox page of a shop that is being tried shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    pub id: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    /// The names of the files that go along with it.
    pub files: Vec<String>,
    /// UTC milliseconds after which it is of no use.
    pub until: Option<i64>,
}

/// A device on which the account is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Names the session; opens nothing.
    pub id: String,
    /// Browser and system: `Chrome · Android`.
    pub name: String,
    /// UTC milliseconds.
    pub signed_in_at: i64,
    /// UTC milliseconds, to within some minutes.
    pub seen_at: i64,
    /// Whether it is the one that asks.
    pub present: bool,
}

/// A user name: 3 to 30 letters, digits, `_`, `.` or `-`, in lower case. It begins with a letter, so that it is neither
/// a phone number nor, without an `@`, an e-mail address.
pub fn login(typed: &str) -> Result<String, Problem> {
    let login = typed.trim().to_lowercase();
    let count = login.chars().count();
    if count == 0 {
        return Err(Problem::Required);
    }
    if count < 3 {
        return Err(Problem::TooShort(3));
    }
    if count > 30 {
        return Err(Problem::TooLong(30));
    }
    let begins = login.chars().next().is_some_and(char::is_alphabetic);
    let rest = login.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if begins && rest { Ok(login) } else { Err(Problem::Login) }
}

/// Checks the length of a new password, and that it is neither what the person nor what the shop is called. Whether it is
/// one of the most common ones is known to the server alone.
pub fn password(typed: &str, names: &[&str]) -> Result<(), Problem> {
    let length = u32::try_from(typed.chars().count()).unwrap_or(u32::MAX);
    if typed.is_empty() {
        return Err(Problem::Required);
    }
    if length < PASSWORD_MIN {
        return Err(Problem::TooShort(PASSWORD_MIN));
    }
    if length > PASSWORD_MAX {
        return Err(Problem::TooLong(PASSWORD_MAX));
    }
    // `88888888`, `abcdefgh`, `987654321`: first in every list of guesses.
    let mut steps =
        typed.chars().zip(typed.chars().skip(1)).map(|(a, b)| i64::from(u32::from(b)) - i64::from(u32::from(a)));
    if let Some(first @ -1..=1) = steps.next()
        && steps.all(|step| step == first)
    {
        return Err(Problem::PasswordCommon);
    }
    if is_made_of(typed, &SHOP_WORDS) {
        return Err(Problem::PasswordCommon);
    }
    let lower = typed.to_lowercase();
    let about_self = names.iter().any(|name| name.chars().count() >= 4 && lower.contains(&name.to_lowercase()));
    if about_self { Err(Problem::PasswordOwn) } else { Ok(()) }
}

/// Whether a password is nothing but some of these words, with the digits and signs that everybody puts round them:
/// `Xiadan-2026!`. One in which a word stands beside others is not.
pub fn is_made_of(typed: &str, words: &[&str]) -> bool {
    let lower = typed.to_lowercase();
    let words = words.iter().filter(|word| !word.is_empty());
    let rest = words.fold(lower.clone(), |rest, word| rest.replace(&word.to_lowercase(), " "));
    rest != lower && !rest.chars().any(char::is_alphabetic)
}

/// How well a password would stand up to guessing, as shown while it is typed. It is advice, never a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    TooShort,
    Weak,
    Fair,
    Good,
    Strong,
}

/// Estimates a strength from what a guesser has to try: each character counts by its alphabet, and counts little where
/// it repeats the one before or goes on counting (`aaaa`, `1234`, `dcba`).
pub fn strength(typed: &str) -> Strength {
    let characters: Vec<char> = typed.chars().collect();
    if characters.len() < PASSWORD_MIN as usize {
        return Strength::TooShort;
    }
    let has = |test: fn(&char) -> bool| characters.iter().any(test);
    let mut alphabet = 0u32;
    for (test, size) in [
        (char::is_ascii_digit as fn(&char) -> bool, 10),
        (char::is_ascii_lowercase, 26),
        (char::is_ascii_uppercase, 26),
        (char::is_ascii_punctuation, 32),
        (|c| !c.is_ascii_graphic(), 1000),
    ] {
        if has(test) {
            alphabet += size;
        }
    }
    // Tenths of a bit, whole numbers on both sides.
    let per_character = bits(alphabet);
    let mut total = per_character;
    for pair in characters.windows(2) {
        let step = i64::from(u32::from(pair[1])) - i64::from(u32::from(pair[0]));
        total += if (-1..=1).contains(&step) { 10 } else { per_character };
    }
    // A short piece said again and again is that piece.
    let period = (1..=characters.len() / 2).find(|p| characters.iter().zip(&characters[*p..]).all(|(a, b)| a == b));
    if let Some(period) = period {
        total = total.min(per_character * u32::try_from(period).unwrap_or(u32::MAX) + 20);
    }
    match total {
        0..350 => Strength::Weak,
        350..500 => Strength::Fair,
        500..700 => Strength::Good,
        _ => Strength::Strong,
    }
}

/// The logarithm to base two, in tenths, of a number up to some thousands.
fn bits(of: u32) -> u32 {
    let whole = of.max(1).ilog2();
    let rest = of.max(1) * 1000 / (1 << whole) - 1000;
    whole * 10 + rest / 100
}

/// Browser and system in the words people know, from a `User-Agent` header. What it does not know it leaves out; no more
/// of the header is kept anywhere.
pub fn device_name(user_agent: &str) -> String {
    let find = |table: &[(&str, &'static str)]| {
        table.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    // Those that call themselves by others' names too come first.
    let browser = find(&[
        ("MicroMessenger", "WeChat"),
        ("AlipayClient", "Alipay"),
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("HuaweiBrowser", "Huawei Browser"),
        ("MiuiBrowser", "Mi Browser"),
        ("UCBrowser", "UC"),
        ("QQBrowser", "QQ Browser"),
        ("Firefox", "Firefox"),
        ("FxiOS", "Firefox"),
        ("CriOS", "Chrome"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ]);
    let system = find(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("HarmonyOS", "HarmonyOS"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    [browser, system].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_field_takes_phones_and_mails() {
        assert_eq!(Target::read("+86", "138 0013 8000"), Ok(Target::Phone("+8613800138000".into())));
        assert_eq!(Target::read("+86", " Li@Example.com "), Ok(Target::Email("li@example.com".into())));
        assert_eq!(Target::read("+86", "li@"), Err(Problem::Email));
        assert_eq!(Target::read("+86", "lilei"), Err(Problem::Phone));
        assert_eq!(Target::read("+86", ""), Err(Problem::Required));
        assert_eq!(format!("{:?}", Target::Phone("+8613800138000".into())), "Target(phone)");
        let target = Target::Email("li@example.com".into());
        assert_eq!(Target::of(target.kind(), target.value().to_owned()), Some(target));
    }

    #[test]
    fn a_user_name_is_no_phone_and_no_mail() {
        for (typed, read) in [
            (" LiLei ", Ok("lilei")),
            ("李雷_2026", Ok("李雷_2026")),
            ("li", Err(Problem::TooShort(3))),
            ("", Err(Problem::Required)),
            ("13800138000", Err(Problem::Login)),
            ("li@lei", Err(Problem::Login)),
            ("li lei", Err(Problem::Login)),
        ] {
            assert_eq!(login(typed), read.map(str::to_owned), "{typed}");
        }
        assert_eq!(login(&"a".repeat(31)), Err(Problem::TooLong(30)));
    }

    #[test]
    fn passwords_need_length_and_nothing_else() {
        assert_eq!(password("", &[]), Err(Problem::Required));
        assert_eq!(password("1234567", &[]), Err(Problem::TooShort(8)));
        assert_eq!(password("床前明月光疑是地", &[]), Ok(()));
        assert_eq!(password("all lower case", &[]), Ok(()));
        assert_eq!(password(&"a".repeat(129), &[]), Err(Problem::TooLong(128)));
        for counted in ["88888888", "23456789", "hgfedcba"] {
            assert_eq!(password(counted, &[]), Err(Problem::PasswordCommon), "{counted}");
        }
        assert_eq!(password("12345679", &[]), Ok(()));
        assert_eq!(password("LiLei2026", &["lilei"]), Err(Problem::PasswordOwn));
        assert_eq!(password("anna-banana", &["ann"]), Ok(()), "what is too short to mean anything is let be");
        for called in ["Xiadan2026", "xiadanxiadan", "下单下单8888", "shop-admin", "my.shop."] {
            let made = if called == "my.shop." { Ok(()) } else { Err(Problem::PasswordCommon) };
            assert_eq!(password(called, &[]), made, "{called}");
        }
        assert_eq!(password("20481634", &[]), Ok(()), "digits are no word");
        assert!(is_made_of("Teahouse!88", &["teahouse"]) && !is_made_of("teahouse at dawn", &["teahouse"]));
    }

    #[test]
    fn what_is_known_of_a_target_is_its_name_or_its_last_digits() {
        assert_eq!(Target::Email("li.lei@example.com".into()).known_part(), "li.lei");
        assert_eq!(Target::Phone("+8613800138000".into()).known_part(), "00138000");
        assert_eq!(Target::Phone("+1234".into()).known_part(), "+1234");
    }

    #[test]
    fn strength_grows_with_what_has_to_be_guessed() {
        let order = ["1234567", "12345678", "k3v9zq2m", "k3v9zq2mT-", "correct horse battery staple"];
        let measured: Vec<_> = order.into_iter().map(strength).collect();
        assert_eq!(measured, [Strength::TooShort, Strength::Weak, Strength::Fair, Strength::Good, Strength::Strong]);
        for weak in ["aaaaaaaaaaaaaaaa", "abcdefgh", "87654321", "abcabcabcabc", "ab12ab12ab12ab12"] {
            assert!(strength(weak) <= Strength::Weak, "{weak}: {:?}", strength(weak));
        }
    }

    #[test]
    fn devices_are_named_as_people_know_them() {
        let chrome = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36";
        assert_eq!(device_name(chrome), "Chrome · Android");
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile Safari/604.1";
        assert_eq!(device_name(safari), "Safari · iPhone");
        assert_eq!(device_name(&format!("{safari} MicroMessenger/8.0.50")), "WeChat · iPhone");
        assert_eq!(device_name("curl/8"), "");
    }

    proptest! {
        #[test]
        fn anything_typed_has_an_answer(typed in "\\PC{0,200}") {
            let _ = (Target::read("+86", &typed), login(&typed), password(&typed, &[&typed]), strength(&typed), device_name(&typed));
        }
    }
}
