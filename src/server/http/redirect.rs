//! The way from plain HTTP to where the shop is.

use axum::{
    Router,
    extract::Request,
    http::{
        HeaderName, HeaderValue, Method, StatusCode,
        header::{CONNECTION, CONTENT_TYPE, LOCATION},
    },
    response::{IntoResponse, Response},
};

/// What programs ask for and nobody types: one that speaks plain HTTP is to be mended, and would not be noticed if it were
/// sent on (OWASP ASVS 5 §4.1.2).
const OF_PROGRAMS: [&str; 3] = ["/api/", "/live?", "/metrics"];

/// Sends whoever only reads to the same page of the shop at `public_url`. What changes something is refused rather than
/// sent on: a form that came in the clear should not come again as if nothing had happened. So is what only programs ask
/// for.
pub fn router(public_url: &str) -> Router {
    let url = public_url.to_owned();
    Router::new().fallback(move |request: Request| {
        let answer = answer(&url, &request);
        async move { answer }
    })
}

fn answer(url: &str, request: &Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD) && path.starts_with('/');
    let reads = reads && !OF_PROGRAMS.iter().any(|begin| path.starts_with(begin));
    let mut response = match HeaderValue::from_str(&format!("{url}{path}")) {
        Ok(place) if reads => (StatusCode::PERMANENT_REDIRECT, [(LOCATION, place)]).into_response(),
        _ => {
            let text = format!("Nothing was done: this came without encryption. The shop is at {url}\n");
            let plain = HeaderValue::from_static("text/plain; charset=utf-8");
            (StatusCode::BAD_REQUEST, [(CONTENT_TYPE, plain)], text).into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    // Nobody has a second question here.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, http};

    #[test]
    fn people_who_read_are_sent_on_and_nothing_else_is() {
        let status = |method: Method, path: &'static str| {
            let request = http::Request::builder().method(method).uri(path).body(Body::empty()).unwrap_or_default();
            answer("https://shop.example", &request).status()
        };
        for path in ["/", "/p/tea?size=2", "/lively", "/apiary"] {
            assert_eq!(status(Method::GET, path), StatusCode::PERMANENT_REDIRECT, "{path}");
        }
        for path in ["/api/account/me", "/live?topics=cart", "/metrics"] {
            assert_eq!(status(Method::GET, path), StatusCode::BAD_REQUEST, "{path}");
        }
        assert_eq!(status(Method::POST, "/cart"), StatusCode::BAD_REQUEST);
    }
}
