//! What no request gets past: foreign origins, oversized bodies, endless waiting. And the headers on every answer.

use super::{
    BODY_LIMIT, Front,
    document::{Outline, failure},
    request_id,
};
use crate::domain::Error;
use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{self, CONTENT_LENGTH, HOST, ORIGIN},
    },
    middleware::Next,
    response::Response,
};
use std::time::Duration;

/// How long a page or a server function may take.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Sent with everything. A content security policy comes with each document, see [`super::document::secure`].
const HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // The shop's own forms are sent back to the page they came from; other sites learn nothing.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

pub async fn check(State(front): State<Front>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let refusal = if !request.method().is_safe() && !same_origin(headers, &front.app.config.public_url) {
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
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if front.app.config.public_url.starts_with("https://") {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
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
/// browser sends `Origin` with a POST, payment providers and programs send none.
fn same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match text(ORIGIN) {
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            origin.eq_ignore_ascii_case(public_url) || host.is_some() && host == text(HOST)
        }
        None => matches!(text(HeaderName::from_static("sec-fetch-site")), None | Some("same-origin" | "none")),
    }
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
        let allowed = |pairs: &[(&'static str, &'static str)]| {
            let pairs =
                pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            same_origin(&pairs.collect(), "https://shop.example")
        };
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
    }
}
