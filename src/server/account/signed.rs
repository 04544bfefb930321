//! What a browser without an account carries: a value with the time at which it ends, signed, so that a copy of the cookie
//! is not good for ever and nobody makes one up.

use crate::server::crypto::Keys;

/// How long such a cookie is good for and kept by the browser, in seconds: 400 days, the longest that browsers allow.
pub const SECONDS: i64 = 400 * 24 * 60 * 60;

/// Cookies that were signed without an end are taken until then, UTC milliseconds: 2028-01-01, when no browser keeps one
/// any more. Whoever comes with one gets it anew with an end.
const TIMELESS_UNTIL: i64 = 1_830_297_600_000;

/// What a cookie says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    pub value: String,
    /// Whether it was signed without an end, and is to be written anew.
    pub timeless: bool,
}

/// A cookie for `purpose` that is good from `now`, in UTC milliseconds, on. The value has no dot in it.
pub fn write(keys: &Keys, purpose: &str, value: &str, now: i64) -> String {
    let until = now + SECONDS * 1000;
    format!("{value}.{until}.{}", keys.sign(&timed(purpose), &text(value, until)))
}

/// What a cookie for `purpose` says, if its signature holds and its time is not over.
pub fn read(keys: &Keys, purpose: &str, cookie: &str, now: i64) -> Option<Signed> {
    match *cookie.split('.').collect::<Vec<_>>().as_slice() {
        [value, until, signature] => {
            let until: i64 = until.parse().ok()?;
            let holds = until > now && keys.verify(&timed(purpose), &text(value, until), signature);
            holds.then(|| Signed { value: value.to_owned(), timeless: false })
        }
        [value, signature] => {
            let holds = now < TIMELESS_UNTIL && keys.verify(purpose, value, signature);
            holds.then(|| Signed { value: value.to_owned(), timeless: true })
        }
        _ => None,
    }
}

/// Another purpose than that of cookies without an end: neither can be taken for the other.
fn timed(purpose: &str) -> String {
    format!("{purpose} until")
}

fn text(value: &str, until: i64) -> String {
    format!("{until}:{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000_000;

    #[test]
    fn a_cookie_is_good_for_its_time_and_its_purpose() {
        let keys = Keys::new(&[7; 32]);
        let cookie = write(&keys, "guest", "id", NOW);
        let end = NOW + SECONDS * 1000;
        let good = Some(Signed { value: "id".into(), timeless: false });
        assert_eq!((read(&keys, "guest", &cookie, NOW), read(&keys, "guest", &cookie, end - 1)), (good.clone(), good));
        assert_eq!(read(&keys, "guest", &cookie, end), None, "its time is over");
        assert_eq!(read(&keys, "orders", &cookie, NOW), None);
        assert_eq!(read(&Keys::new(&[8; 32]), "guest", &cookie, NOW), None);
        let (rest, signature) = cookie.rsplit_once('.').unwrap_or_default();
        for forged in [
            String::new(),
            format!("other.{end}.{signature}"),
            format!("id.{}.{signature}", end + 1),
            format!("{rest}."),
            format!("id.{signature}"),
            format!("{end}:id.{signature}"),
            format!("{cookie}.{signature}"),
        ] {
            assert_eq!(read(&keys, "guest", &forged, NOW), None, "{forged}");
        }
    }

    #[test]
    fn a_cookie_without_an_end_is_taken_until_browsers_have_none_left() {
        let keys = Keys::new(&[7; 32]);
        let old = format!("id.{}", keys.sign("guest", "id"));
        assert_eq!(read(&keys, "guest", &old, NOW), Some(Signed { value: "id".into(), timeless: true }));
        assert_eq!(read(&keys, "guest", &old, TIMELESS_UNTIL), None);
    }
}
