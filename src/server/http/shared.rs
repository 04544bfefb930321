//! Pages that look the same to everybody of whom nothing is known: made once for all who ask for one within a second,
//! instead of once for each of them. When a thousand people open the same link, the server draws one page.
//!
//! Only pages of the catalogue are shared, and only with visitors whose browser sent no cookie but the language: they have
//! no cart, no account and no past here. A page is made anew after a second, and at once when stock or a price changed in
//! this process or another node told that it did (see [`nodes`](crate::server::nodes)). What changed meanwhile is told by
//! the live feed, which begins with the present state.
//!
//! The nonce of the content security policy is another one in each answer, because one that is known in advance protects
//! from nothing. It is no part of what a page is told by: a browser that has the page of a moment ago asks with its tag, and
//! is told that the page is still the same. It then shows what it has, with the policy and the nonce that came with it.

use super::cookie::{self, LANG_COOKIE};
use crate::{
    domain::Locale,
    server::{Ctx, recent::Recent},
};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{
        HeaderValue, Method, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_SECURITY_POLICY, ETAG, InvalidHeaderValue, SET_COOKIE},
        response::Parts,
    },
    response::{IntoResponse, Response},
};
use leptos::nonce::Nonce;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The longest address whose page is shared, in bytes.
const ADDRESS: usize = 512;
/// Where the pages of the catalogue begin, beside the first one.
const CATALOGUE: [&str; 4] = ["/categories", "/c/", "/p/", "/search"];

/// A page as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    address: String,
    locale: Locale,
}

impl Asked {
    /// The page that a request asks for, if it may be shared.
    pub fn of(ctx: &Ctx, request: &Request) -> Option<Self> {
        let uri = request.uri();
        let address = uri.path_and_query()?.as_str();
        let listed = uri.path() == "/" || CATALOGUE.iter().any(|begin| uri.path().starts_with(begin));
        let unknown = cookie::only(&ctx.app.config, request.headers(), LANG_COOKIE);
        (request.method() == Method::GET && listed && unknown && address.len() <= ADDRESS)
            .then(|| Self { address: address.to_owned(), locale: ctx.locale })
    }
}

/// The pages that are shared just now; none for what cannot be.
#[derive(Clone, Default)]
pub struct Shared(Arc<Recent<Asked, Option<Page>>>);

impl Shared {
    /// Answers with the page that others asked for, or else makes it; those who ask meanwhile wait for it. What cannot be
    /// shared is made for each. `known` are the tags of what the browser has (RFC 9110 §13.1.2).
    pub async fn answer<F: Future<Output = Response>>(
        &self,
        asked: Asked,
        changes: u64,
        known: Option<&HeaderValue>,
        make: impl Fn() -> F,
    ) -> Response {
        let Some(page) = self.0.place(asked, changes) else { return make().await };
        let mut own = None;
        let shared = page
            .get_or_init(|| async {
                let made = Page::of(make().await).await;
                made.map_err(|answer| own = Some(answer)).ok()
            })
            .await;
        match (shared, own) {
            (Some(page), _) => page.answer(known),
            (None, Some(answer)) => answer,
            (None, None) => make().await,
        }
    }
}

/// A page that was made, cut where its nonce stands.
struct Page {
    parts: Parts,
    policy: Vec<String>,
    body: Vec<Bytes>,
    /// By what it is told from others, without its nonce. A weak one: it is sent compressed in one way or another.
    tag: HeaderValue,
}

impl Page {
    /// Takes a page apart.
    ///
    /// # Errors
    /// The answer as it was, where it is no page or was meant for one visitor.
    async fn of(answer: Response) -> Result<Self, Response> {
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
        parts.headers.remove(CONTENT_LENGTH);
        let (policy, body): (Vec<_>, _) =
            (policy.split(&nonce).map(str::to_owned).collect(), cut(&body, nonce.as_bytes()));
        let Ok(tag) = tag(&policy, &body) else {
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        };
        parts.headers.insert(ETAG, tag.clone());
        Ok(Self { parts, policy, body, tag })
    }

    /// Whether the browser has it.
    fn is_known(&self, known: Option<&HeaderValue>) -> bool {
        let known = known.and_then(|known| known.to_str().ok()).unwrap_or_default();
        known.split(',').any(|known| known.trim().as_bytes() == self.tag.as_bytes())
    }

    /// An answer of its own, or the word that nothing has changed.
    fn answer(&self, known: Option<&HeaderValue>) -> Response {
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
fn nonce_of(policy: &str) -> Option<&str> {
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn asked(address: &str) -> Asked {
        Asked { address: address.to_owned(), locale: Locale::default() }
    }

    fn page(nonce: &str, body: &str) -> Response {
        let policy = format!("script-src 'self' 'nonce-{nonce}'; img-src 'self'");
        ([(CONTENT_SECURITY_POLICY, policy)], body.to_owned()).into_response()
    }

    async fn text(answer: Response) -> String {
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap_or_default();
        String::from_utf8_lossy(&body).into_owned()
    }

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

    #[tokio::test]
    async fn a_page_is_made_once_and_each_answer_has_a_nonce_of_its_own() {
        let (shared, made) = (Shared::default(), AtomicUsize::new(0));
        let make = async || {
            made.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            page("first", "<script nonce=\"first\">1</script>")
        };
        let answers = futures::future::join_all((0..8).map(|_| shared.answer(asked("/"), 0, None, make))).await;
        assert_eq!(made.load(Ordering::Relaxed), 1);
        let mut nonces = std::collections::HashSet::new();
        for answer in answers {
            let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap_or_default().to_owned();
            let nonce = nonce_of(&policy).unwrap_or_default().to_owned();
            assert_eq!(policy, format!("script-src 'self' 'nonce-{nonce}'; img-src 'self'"));
            assert_eq!(text(answer).await, format!("<script nonce=\"{nonce}\">1</script>"));
            assert!(nonces.insert(nonce), "each its own");
        }
        shared.answer(asked("/search"), 0, None, make).await;
        assert_eq!(made.load(Ordering::Relaxed), 2, "another page");
        shared.answer(asked("/"), 1, None, make).await;
        assert_eq!(made.load(Ordering::Relaxed), 3, "the catalogue changed");
    }

    #[tokio::test]
    async fn a_page_that_the_browser_has_is_not_sent_again() {
        let shared = Shared::default();
        // Made anew each time the catalogue changes, with another nonce and the words of the moment.
        let ask = async |changes: u64, words: &'static str, known: Option<&HeaderValue>| {
            let make = async || page(&format!("nonce-{changes}"), &format!("<p nonce=\"nonce-{changes}\">{words}</p>"));
            shared.answer(asked("/"), changes, known, make).await
        };
        let first = ask(0, "1", None).await;
        let tag = first.headers()[ETAG].clone();
        assert_eq!(first.status(), StatusCode::OK);
        for changes in [0, 1] {
            let again = ask(changes, "1", Some(&tag)).await;
            assert_eq!((again.status(), &again.headers()[ETAG]), (StatusCode::NOT_MODIFIED, &tag));
            assert!(!again.headers().contains_key(CONTENT_SECURITY_POLICY), "the one that it came with stays");
            assert_eq!(text(again).await, "");
        }
        let many = HeaderValue::try_from(format!("\"other\", {}", tag.to_str().unwrap_or_default())).ok();
        assert_eq!(ask(1, "1", many.as_ref()).await.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(ask(1, "1", Some(&HeaderValue::from_static("\"other\""))).await.status(), StatusCode::OK);
        let changed = ask(2, "2", Some(&tag)).await;
        assert_eq!(changed.status(), StatusCode::OK);
        assert_ne!(changed.headers()[ETAG], tag);
    }

    #[tokio::test]
    async fn what_is_meant_for_one_visitor_is_made_for_each() {
        let (shared, made) = (Shared::default(), AtomicUsize::new(0));
        let make = async || {
            let n = made.fetch_add(1, Ordering::Relaxed);
            let mut answer = page("first", &n.to_string());
            answer.headers_mut().insert(SET_COOKIE, HeaderValue::from_static("xiadan_guest=1"));
            answer
        };
        assert_eq!(text(shared.answer(asked("/"), 0, None, make).await).await, "0");
        assert_eq!(text(shared.answer(asked("/"), 0, None, make).await).await, "1");
        let missing = async || (StatusCode::NOT_FOUND, page("first", "none")).into_response();
        assert_eq!(shared.answer(asked("/p/none"), 0, None, missing).await.status(), StatusCode::NOT_FOUND);
        assert_eq!(shared.answer(asked("/p/none"), 0, None, missing).await.status(), StatusCode::NOT_FOUND);
    }
}
