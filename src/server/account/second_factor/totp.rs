//! Time-based one-time passwords (RFC 6238): six digits from HMAC-SHA-1 over the time step, as every authenticator app
//! makes them; and how an app is told the secret.

use crate::domain::{
    Result,
    catalog::percent_encode,
    second_factor::{Picture, STEP_SECONDS, SetUp},
};
use crate::server::{context::internal, crypto};
use totp_rs::{Builder, Secret, Totp};

/// The bytes of a secret: as many as the hash has (RFC 4226 §4, R6).
pub const SECRET: usize = 20;
/// How many time steps the clock of an app may be off, either way (RFC 6238 §5.2).
const DRIFT: i64 = 1;

/// A new secret.
///
/// # Errors
/// When the system has no randomness.
pub fn new_secret() -> Result<[u8; SECRET]> {
    crypto::random().map_err(|e| internal("random source", &e))
}

/// The time step of a time in UTC milliseconds.
pub fn step_at(now: i64) -> i64 {
    now.div_euclid(1000 * STEP_SECONDS)
}

/// The time step of which a code is, if it is one of now, or of as many steps around it as clocks may be off, and later
/// than `last`.
///
/// # Errors
/// When the secret is none.
pub fn accepted(secret: &[u8], code: &str, last: i64, now: i64) -> Result<Option<i64>> {
    let totp = totp(secret)?;
    let step = step_at(now);
    // The comparison takes the same time for every code.
    let matches = |step: &i64| match u64::try_from(step.saturating_mul(STEP_SECONDS)) {
        Ok(seconds) => totp.check(code, seconds).is_some(),
        Err(_) => false,
    };
    Ok((step - DRIFT..=step + DRIFT).filter(|step| *step > last).find(matches))
}

/// For one time step at a time.
fn totp(secret: &[u8]) -> Result<Totp> {
    Builder::new().with_secret(secret).with_skew(0).build().map_err(|e| internal("second factor", &e))
}

/// What an app is told: who asks for the codes, and whose they are.
///
/// # Errors
/// When it does not fit into a picture, which takes a name of more than a thousand characters.
pub fn set_up(secret: &[u8], issuer: &str, name: &str) -> Result<SetUp> {
    let secret = Secret::from(secret).to_base32();
    // https://github.com/google/google-authenticator/wiki/Key-Uri-Format, with the defaults for all the rest.
    let (issuer, name) = (percent_encode(issuer), percent_encode(name));
    let address = format!("otpauth://totp/{issuer}:{name}?secret={secret}&issuer={issuer}");
    let picture = picture(&address)?;
    Ok(SetUp { secret, address, picture })
}

/// A text as a QR code.
///
/// # Errors
/// When it is longer than one holds.
pub fn picture(text: &str) -> Result<Picture> {
    let code = qrcode::QrCode::new(text).map_err(|e| internal("picture", &e))?;
    let width = code.width();
    let modules = code.to_colors();
    let mut path = String::new();
    for (y, row) in modules.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run[0] == qrcode::Color::Dark {
                path.push_str(&format!("M{x} {y}h{}v1h-{}z", run.len(), run.len()));
            }
            x += run.len();
        }
    }
    Ok(Picture { size: u32::try_from(width).unwrap_or_default(), path })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of the vectors in RFC 6238, appendix B.
    const RFC: &[u8] = b"12345678901234567890";

    #[test]
    fn the_published_vectors() {
        // Eight digits there: of a code with fewer digits they are the last ones.
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let (now, code) = (seconds * 1000, &code[2..]);
            assert_eq!(accepted(RFC, code, 0, now), Ok(Some(seconds / 30)), "{seconds}");
            assert_eq!(totp(RFC).map(|totp| totp.generate(seconds as u64).to_string()), Ok(code.to_owned()));
        }
    }

    #[test]
    fn a_clock_may_be_off_by_a_step_and_no_step_counts_twice() {
        // Of the step from 30 to 60 seconds.
        let at = |seconds: i64, last| accepted(RFC, "287082", last, seconds * 1000);
        for (seconds, last, step) in [
            (0, 0, Some(1)),
            (30, 0, Some(1)),
            (59, 0, Some(1)),
            (89, 0, Some(1)),
            (90, 0, None),
            (59, 1, None),
            (59, 7, None),
        ] {
            assert_eq!(at(seconds, last), Ok(step), "{seconds} {last}");
        }
        assert_eq!(at(-1, -9), Ok(None), "no time before 1970");
        for wrong in ["287083", "28708", "2870820", "+87082", ""] {
            assert_eq!(accepted(RFC, wrong, 0, 59_000), Ok(None), "{wrong}");
        }
        assert!(accepted(b"short", "287082", 0, 59_000).is_err());
    }

    #[test]
    fn an_app_is_told_everything() -> Result<()> {
        let told = set_up(RFC, "下单", "li lei@example.com")?;
        assert_eq!(told.secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            told.address,
            "otpauth://totp/%E4%B8%8B%E5%8D%95:li%20lei%40example.com\
            ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=%E4%B8%8B%E5%8D%95"
        );
        // A mark of seven modules in the corner.
        assert!(told.picture.size > 20 && told.picture.path.starts_with("M0 0h7v1h-7z"), "{:?}", told.picture.path);
        assert_ne!(new_secret()?, new_secret()?);
        Ok(())
    }
}
