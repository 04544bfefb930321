//! The second factor: codes that an authenticator app makes from a shared secret, and recovery codes for when the app is
//! lost. What was typed is read here; whether it is right is known to the server alone.

use super::error::Problem;
use serde::{Deserialize, Serialize};

/// The digits of a code.
pub const DIGITS: usize = 6;
/// How long a code is shown by the app, in seconds: a time step (RFC 6238 §5.2).
pub const STEP_SECONDS: i64 = 30;
/// How many recovery codes there are at first.
pub const RECOVERY_CODES: usize = 10;
/// The digits of a recovery code: 66 bits (NIST SP 800-63B-4 §4.2.1.1 asks for 64), and nothing that a keypad of digits
/// does not have.
pub const RECOVERY_DIGITS: usize = 20;
/// The digits of those that were handed out before, and are still taken.
const FEWER_DIGITS: usize = 16;
/// How long the second factor is awaited after the first, in milliseconds: five minutes.
pub const PENDING_MS: i64 = 5 * 60_000;
/// How long a secret that is being set up may be seen and confirmed, in milliseconds: a quarter of an hour.
pub const SET_UP_MS: i64 = 15 * 60_000;
/// How long new recovery codes may be seen, in milliseconds, unless they are said to be kept before.
pub const SHOWN_MS: i64 = 10 * 60_000;

/// What somebody typed as the second factor. It is not logged.
#[derive(Clone, PartialEq, Eq)]
pub enum Typed {
    /// The code of an app: [`DIGITS`] digits.
    Code(String),
    /// A recovery code, without what divides it.
    Recovery(String),
}

impl Typed {
    /// Reads a code as people copy it, with spaces or dashes or with digits of full width.
    ///
    /// # Errors
    /// `Required` for nothing, `SecondFactor` for what can be neither.
    pub fn read(typed: &str) -> Result<Self, Problem> {
        let divides = |c: &char| c.is_whitespace() || matches!(c, '-' | '－');
        let plain: String = typed.chars().filter(|c| !divides(c)).map(plain).collect();
        let digits = plain.bytes().all(|b| b.is_ascii_digit());
        match plain.len() {
            0 => Err(Problem::Required),
            DIGITS if digits => Ok(Self::Code(plain)),
            RECOVERY_DIGITS | FEWER_DIGITS if digits => Ok(Self::Recovery(plain)),
            _ => Err(Problem::SecondFactor),
        }
    }
}

/// A digit of full width as the digit it is.
fn plain(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')).unwrap_or(c),
        c => c,
    }
}

/// In groups of four, as it is copied by hand.
pub fn grouped(text: &str, between: &str) -> String {
    let groups: Vec<_> = text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    groups.join(between)
}

/// Where the second factor of whoever asks stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    Off,
    /// The app is to take the secret over, and to show so by a code.
    SettingUp(SetUp),
    On(On),
}

/// What an app is told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetUp {
    /// In base 32 (RFC 4648 §6) without padding, as apps take it typed.
    pub secret: String,
    /// An `otpauth:` address, which an app on the same device opens.
    pub address: String,
    pub picture: Picture,
}

impl std::fmt::Debug for SetUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SetUp")
    }
}

/// The address as a QR code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Modules on each side, without the quiet zone around them.
    pub size: u32,
    /// The dark ones, as the path of an SVG in which a module is one by one.
    pub path: String,
}

/// A second factor that is asked for at each sign-in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct On {
    /// UTC milliseconds.
    pub since: i64,
    /// How many recovery codes were not used.
    pub left: i64,
    /// New recovery codes, to be kept elsewhere: for a while, and for the session alone in which they were made.
    pub codes: Vec<String>,
}

impl std::fmt::Debug for On {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "On({}, {} left)", self.since, self.left)
    }
}

/// What the page of a customer's second factor shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mine {
    pub second: SecondFactor,
    pub has_password: bool,
    /// Whether it may be turned on without the password: a code proved who this is a moment ago.
    pub proved: bool,
}

/// What the page of a member of staff's second factor shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfStaff {
    pub login: String,
    /// Whether the office is open to them already.
    pub inside: bool,
    pub second: SecondFactor,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_read_however_it_was_copied() {
        let code = |digits: &str| Ok(Typed::Code(digits.to_owned()));
        let recovery = |code: &str| Ok(Typed::Recovery(code.to_owned()));
        for (typed, read) in [
            ("287082", code("287082")),
            (" 287 082 ", code("287082")),
            ("２８７０８２", code("287082")),
            ("0123-4567-8901-2345", recovery("0123456789012345")),
            ("0123 4567 8901 2345", recovery("0123456789012345")),
            ("0123-4567-8901-2345-6789", recovery("01234567890123456789")),
            ("0123-4567-8901-2345-67", Err(Problem::SecondFactor)),
            ("", Err(Problem::Required)),
            (" - ", Err(Problem::Required)),
            ("28708", Err(Problem::SecondFactor)),
            ("2870821", Err(Problem::SecondFactor)),
            ("0123-4567-8901-234x", Err(Problem::SecondFactor)),
            ("+87082", Err(Problem::SecondFactor)),
        ] {
            assert!(Typed::read(typed) == read, "{typed}");
        }
        assert_eq!(grouped("ABCDEFGHIJ", " "), "ABCD EFGH IJ");
    }

    proptest! {
        #[test]
        fn anything_typed_has_an_answer(typed in "\\PC{0,60}") {
            let _ = Typed::read(&typed);
        }
    }
}
