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

/// Sends whoever only reads to the same page of the shop at `public_url`. What changes something is refused rather than
/// sent on: a form that came in the clear should not come again as if nothing had happened.
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
