//! A page that was made for all, and the answers that are made of it: each with a nonce of its own.

use super::{Fleeting, Shown};
use axum::{
    body::{Body, Bytes, to_bytes},
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_SECURITY_POLICY, ETAG, InvalidHeaderValue, SET_COOKIE},
        response::Parts,
    },
    response::{IntoResponse, Response},
};
use leptos::nonce::Nonce;
use sha2::{Digest, Sha256};

/// What a page takes beside its text: headers, the cuts, its place. Rather too much.
const BESIDE: usize = 4 * 1024;

/// A page that was made, cut where its nonce stands.
pub struct Page {
    parts: Parts,
    policy: Vec<String>,
    body: Vec<Bytes>,
    /// By what it is told from others, without its nonce. A weak one: it is sent compressed in one way or another.
    tag: HeaderValue,
    lasts: bool,
    shown: Option<Shown>,
}

impl Page {
    /// Takes a page apart.
    ///
    /// # Errors
    /// The answer as it was, where it is no page or was meant for one visitor.
    pub async fn of(answer: Response) -> Result<Self, Response> {
        let headers = answer.headers();
        let policy = headers.get(CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok()).map(str::to_owned);
        let nonce = policy.as_deref().and_then(nonce_of).map(str::to_owned);
        let (Some(policy), Some(nonce)) = (policy, nonce) else { return Err(answer) };
        if answer.status() != StatusCode::OK || headers.contains_key(SET_COOKIE) {
            return Err(answer);
        }
        let (mut parts, body) = answer.into_parts();
        let Ok(body) = to_bytes(body, usize::MAX).await else {
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        };
        // Only now, because what it shows is read until its end.
        let lasts = parts.extensions.remove::<Fleeting>().is_some_and(|fleeting| !fleeting.is_noted());
        let shown = parts.extensions.remove::<Shown>();
        parts.headers.remove(CONTENT_LENGTH);
        let (policy, body): (Vec<_>, _) =
            (policy.split(&nonce).map(str::to_owned).collect(), cut(&body, nonce.as_bytes()));
        let Ok(tag) = tag(&policy, &body) else {
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        };
        parts.headers.insert(ETAG, tag.clone());
        Ok(Self { parts, policy, body, tag, lasts, shown })
    }

    /// Whether all of what it shows is told of when it changes.
    pub fn lasts(&self) -> bool {
        self.lasts
    }

    /// What it shows; none where that was not noted.
    pub fn shown(&self) -> Option<Shown> {
        self.shown.clone()
    }

    /// About how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        self.body.iter().map(Bytes::len).sum::<usize>() + BESIDE
    }

    /// Whether the browser has it.
    fn is_known(&self, known: Option<&HeaderValue>) -> bool {
        let known = known.and_then(|known| known.to_str().ok()).unwrap_or_default();
        known.split(',').any(|known| known.trim().as_bytes() == self.tag.as_bytes())
    }

    /// An answer of its own, or the word that nothing has changed.
    pub fn answer(&self, known: Option<&HeaderValue>) -> Response {
        if self.is_known(known) {
            return (StatusCode::NOT_MODIFIED, [(ETAG, self.tag.clone())]).into_response();
        }
        let nonce = Nonce::new();
        let mut answer = Response::from_parts(self.parts.clone(), Body::from(self.body.join(nonce.as_bytes())));
        match HeaderValue::try_from(self.policy.join(&nonce)) {
            Ok(policy) => answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy),
            // Without it the page would run no script of ours rather than any of others.
            Err(_) => {
                answer.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'self'"))
            }
        };
        answer
    }
}

/// The tag of a page: half of the hash of everything in it but its nonce.
fn tag(policy: &[String], body: &[Bytes]) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut hash = Sha256::new();
    for part in policy.iter().map(String::as_bytes).chain(body.iter().map(|part| &part[..])) {
        // With its length: what stands before and after a nonce is not the same as without one.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digits: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::try_from(format!("W/\"{digits}\""))
}

/// The nonce that a content security policy names.
pub fn nonce_of(policy: &str) -> Option<&str> {
    policy.split_once("'nonce-")?.1.split_once('\'').map(|(nonce, _)| nonce).filter(|nonce| !nonce.is_empty())
}

/// The parts between what stands somewhere in a text, without copying them.
fn cut(text: &Bytes, at: &[u8]) -> Vec<Bytes> {
    let (mut parts, mut begin, mut here) = (Vec::new(), 0, 0);
    while let Some(rest) = text.get(here..).filter(|rest| rest.len() >= at.len()) {
        if rest.starts_with(at) {
            parts.push(text.slice(begin..here));
            begin = here + at.len();
            here = begin;
        } else {
            here += 1;
        }
    }
    parts.push(text.slice(begin..));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_wherever_the_nonce_stands() {
        let parts = |text: &'static str| -> Vec<String> {
            let parts = cut(&Bytes::from_static(text.as_bytes()), b"ab");
            parts.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect()
        };
        assert_eq!(parts(""), [""]);
        assert_eq!(parts("a"), ["a"]);
        assert_eq!(parts("ab"), ["", ""]);
        assert_eq!(parts("xabyaab"), ["x", "ya", ""]);
        assert_eq!(parts("ababa"), ["", "", "a"]);
        assert_eq!(nonce_of("script-src 'self' 'nonce-x_y'; a"), Some("x_y"));
        assert_eq!(nonce_of("script-src 'self'"), None);
    }
}
