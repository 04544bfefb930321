//! Passkeys: keys that a person's devices keep for this shop, and that open the account once the device knows its owner
//! by a finger, a face or a PIN. One of them is both factors at once.

use super::{address, error::Problem};
use serde::{Deserialize, Serialize};

/// The most passkeys of an account.
pub const MAX_PASSKEYS: u32 = 20;
/// How long a browser may take over a registration or a sign-in, in milliseconds: five minutes (the recommendation of
/// WebAuthn level 2 §15.1).
pub const CEREMONY_MS: i64 = 5 * 60_000;
/// The longest name, in characters.
pub const NAME: u32 = 50;

/// A passkey as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Names it; opens nothing.
    pub id: String,
    /// What the person calls it: at first browser and system.
    pub name: String,
    /// UTC milliseconds.
    pub created_at: i64,
    /// UTC milliseconds of the last sign-in with it, if there was one.
    pub last_used_at: Option<i64>,
}

/// The passkeys of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkeys {
    /// The oldest first.
    pub keys: Vec<Passkey>,
    /// The only address at which this shop's passkeys work; none where the shop has none that browsers allow.
    pub origin: Option<String>,
}

/// A registration or a sign-in that waits for the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceremony {
    /// Names it; cannot be guessed, is used once.
    pub id: String,
    /// What the browser is asked for, as JSON: `PublicKeyCredentialCreationOptionsJSON` or
    /// `PublicKeyCredentialRequestOptionsJSON` (WebAuthn level 3 §5.1.8 and §5.1.9).
    pub options: String,
}

/// Reads what a person calls a passkey.
///
/// # Errors
/// What is wrong with it.
pub fn name(typed: &str) -> Result<String, Problem> {
    address::text(typed, 1, NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passkey_has_a_name_of_one_line() {
        assert_eq!(name(" 我的\n手机 "), Ok("我的手机".to_owned()));
        assert_eq!(name("  "), Err(Problem::Required));
        assert_eq!(name(&"长".repeat(51)), Err(Problem::TooLong(NAME)));
    }
}
