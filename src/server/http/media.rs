//! Pictures of the catalogue. Their names are made from their content, so they never change.

use super::Front;
use axum::{
    extract::{Path, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};

const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

pub async fn file(State(front): State<Front>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(path) = front.app.media.path(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let tag = format!("\"{name}\"");
    let mut response = if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        match tokio::fs::read(path).await {
            Ok(content) => content.into_response(),
            Err(_) => return StatusCode::NOT_FOUND.into_response(),
        }
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, FOREVER);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(super::site::content_type(&name)));
    // A picture that came with an import is shown as a picture only, also when it is opened by itself.
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    );
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}
