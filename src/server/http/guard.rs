//! What no request gets past: foreign origins, oversized bodies, endless waiting. And the headers on every answer.

use super::{
    BODY_LIMIT, Front,
    document::{Outline, failure},
    limit::asker,
    request_id,
};
use crate::{domain::Error, server::refusal};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{self, CONTENT_LENGTH, HOST, ORIGIN, REFERER},
    },
    middleware::Next,
    response::Response,
};
use std::{net::SocketAddr, time::Duration};

/// How long a page or a server function may take.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Sent with everything. A document comes with a content security policy of its own, see [`super::document::secure`];
/// the one here is for the rest, should a browser take it for a document. The service worker works under it.
static HEADERS: [(HeaderName, &str); 3] = [
    (header::CONTENT_SECURITY_POLICY, "default-src 'self'; frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // The shop's own forms are sent back to the page they came from; other sites learn nothing.
    (header::REFERRER_POLICY, "same-origin"),
];

/// Sent with documents: to anything else they mean nothing, and a page has dozens of files.
static OF_DOCUMENTS: [(HeaderName, &str); 2] = [
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

pub async fn check(State(front): State<Front>, request: Request, next: Next) -> Response {
    let (headers, config) = (request.headers(), &front.app.config);
    let foreign = || !same_origin(headers, &config.public_url, config.tls.is_some());
    let refusal = if !request.method().is_safe() && foreign() {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let asker = asker(headers, peer, &config.trusted_proxies);
        refusal::foreign(&front.app, &asker, &request_id(), request.uri().path());
        Some((StatusCode::FORBIDDEN, Error::Forbidden))
    } else if length(headers).is_some_and(|length| length > BODY_LIMIT as u64) {
        Some((StatusCode::PAYLOAD_TOO_LARGE, Error::Invalid(Default::default())))
    } else {
        None
    };
    let mut response = match refusal {
        Some((status, error)) => failure(&front, &Outline::of(&front, &request), status, &error),
        None => next.run(request).await,
    };
    let unchanged = response.status() == StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let of_documents = if kind.is_some_and(|kind| kind.starts_with("text/html")) { &OF_DOCUMENTS[..] } else { &[] };
    // What the browser has keeps the policy that it came with: whatever is said here would take its place (RFC 9111 §4.3.4).
    let of_all = if unchanged { &HEADERS[1..] } else { &HEADERS[..] };
    for &(ref name, value) in of_all.iter().chain(of_documents) {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Some(value) = front.app.config.strict_transport() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(value));
    }
    response
}

/// Gives up on what takes too long.
pub async fn time_limit(State(front): State<Front>, request: Request, next: Next) -> Response {
    let outline = Outline::of(&front, &request);
    tokio::time::timeout(TIME_LIMIT, next.run(request)).await.unwrap_or_else(|_| {
        tracing::error!(request = request_id(), "no answer within {TIME_LIMIT:?}");
        failure(&front, &outline, StatusCode::SERVICE_UNAVAILABLE, &Error::Internal(request_id()))
    })
}

/// Whether a request that changes something comes from one of the shop's own pages, or from no browser at all: every
/// browser sends `Origin` with a POST, payment providers and programs send none. Behind a proxy the shop does not know of
/// its own whether the page came encrypted; where TLS ends here it did, and one that did not is somebody else's.
fn same_origin(headers: &HeaderMap, public_url: &str, tls: bool) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match text(ORIGIN) {
        Some(origin) => is_own(origin, headers, public_url, tls),
        None => matches!(text(HeaderName::from_static("sec-fetch-site")), None | Some("same-origin" | "none")),
    }
}

fn is_own(origin: &str, headers: &HeaderMap, public_url: &str, tls: bool) -> bool {
    let host = origin.split_once("://").filter(|(scheme, _)| !tls || *scheme == "https").map(|(_, host)| host);
    let asked = headers.get(HOST).map(|value| value.to_str().unwrap_or("?"));
    origin.eq_ignore_ascii_case(public_url) || host.is_some() && host == asked
}

/// Whether the page that a request says it comes from, if it says so, is one of the shop's own.
pub fn from_own_page(headers: &HeaderMap, public_url: &str, tls: bool) -> bool {
    let Some(page) = headers.get(REFERER) else { return true };
    let origin = |page: &str| Some(url::Url::parse(page).ok()?.origin().ascii_serialization());
    page.to_str().ok().and_then(origin).is_some_and(|origin| is_own(&origin, headers, public_url, tls))
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::page::local_path;

    #[test]
    fn a_redirect_never_leaves_the_shop() {
        for path in ["/", "/cart", "/p/%E8%8C%B6?page=2#about", "/a//b", "/a?to=//b"] {
            assert_eq!(local_path(path), Some(path));
        }
        for path in [
            "",
            "cart",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil",
            "/a\r\nb",
            "/茶",
            " /a",
        ] {
            assert_eq!(local_path(path), None, "{path:?}");
        }
    }

    #[test]
    fn only_own_pages_and_programs_may_change_something() {
        let allowed_with = |tls, pairs: &[(&'static str, &'static str)]| {
            let pairs =
                pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            same_origin(&pairs.collect(), "https://shop.example", tls)
        };
        let allowed = |pairs: &[(&'static str, &'static str)]| allowed_with(false, pairs);
        assert!(allowed(&[("origin", "https://shop.example"), ("host", "10.0.0.1:3000")]));
        assert!(allowed(&[("origin", "http://127.0.0.1:3000"), ("host", "127.0.0.1:3000")]));
        assert!(allowed(&[("host", "shop.example")]));
        assert!(allowed(&[("host", "shop.example"), ("sec-fetch-site", "same-origin")]));
        assert!(!allowed(&[("origin", "https://evil.example"), ("host", "shop.example")]));
        assert!(!allowed(&[("origin", "null"), ("host", "shop.example")]));
        assert!(!allowed(&[("origin", "null"), ("host", "null")]));
        assert!(!allowed(&[("origin", "https://shop.example.evil.example"), ("host", "shop.example")]));
        assert!(!allowed(&[("host", "shop.example"), ("sec-fetch-site", "cross-site")]));
        assert!(!allowed(&[("host", "shop.example"), ("sec-fetch-site", "same-site")]));
        // Where TLS ends here, a page of the same host that came without is not ours.
        assert!(allowed_with(true, &[("origin", "https://shop.example"), ("host", "10.0.0.1:3000")]));
        assert!(allowed_with(true, &[("origin", "https://127.0.0.1:3000"), ("host", "127.0.0.1:3000")]));
        assert!(!allowed_with(true, &[("origin", "http://127.0.0.1:3000"), ("host", "127.0.0.1:3000")]));
        assert!(!allowed_with(true, &[("origin", "http://shop.example"), ("host", "shop.example")]));
    }

    #[test]
    fn a_form_is_sent_back_to_own_pages_alone() {
        let own = |page: &'static str| {
            let pairs = [(REFERER, HeaderValue::from_static(page)), (HOST, HeaderValue::from_static("10.0.0.1:3000"))];
            from_own_page(&pairs.into_iter().collect(), "https://shop.example", false)
        };
        assert!(from_own_page(&HeaderMap::new(), "https://shop.example", false));
        for page in ["https://shop.example/cart?a=1", "https://shop.example:443/", "http://10.0.0.1:3000/cart"] {
            assert!(own(page), "{page}");
        }
        for page in [
            "https://evil.example/",
            "https://shop.example@evil.example/",
            "/cart",
            "javascript:a",
            "",
            "http://10.0.0.1/",
        ] {
            assert!(!own(page), "{page}");
        }
    }
}
