//! Pictures of the catalogue, whole and in smaller versions. Their names are made from their content, so they never
//! change: a browser never asks for one again, and there is nothing to be shown stale while it is asked for anew. Pictures
//! whose names stay while they change are those of the built site alone, see [`site`](super::site).

use super::{Front, site::content_type};
use crate::{domain::catalog::Width, server::media::Media};
use axum::{
    extract::{Path, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};
use std::io;

const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// A picture as it is.
pub async fn file(State(front): State<Front>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    answer(&front.app.media, &name, None, &headers).await
}

/// A picture in one of the widths of [`Width`].
pub async fn narrow(
    State(front): State<Front>,
    Path((name, width)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match Width::named(&width) {
        Some(width) => answer(&front.app.media, &name, Some(width), &headers).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn answer(media: &Media, name: &str, width: Option<Width>, headers: &HeaderMap) -> Response {
    if media.path(name).is_none() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let tag = match width {
        Some(width) => format!("\"{name}-{}\"", width.pixels()),
        None => format!("\"{name}\""),
    };
    let mut response = if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        match read(media, name, width).await {
            Ok((content, kind)) => ([(CONTENT_TYPE, HeaderValue::from_static(kind))], content).into_response(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return StatusCode::NOT_FOUND.into_response(),
            Err(error) => {
                tracing::warn!(picture = name, %error, "a picture cannot be shown");
                // Caches on the way keep for a while that something is not there; it may be there in a moment.
                let status = match error.kind() {
                    io::ErrorKind::InvalidData => StatusCode::NOT_FOUND,
                    _ => StatusCode::SERVICE_UNAVAILABLE,
                };
                return status.into_response();
            }
        }
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, FOREVER);
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

/// The file and its type. Where there is no smaller version, the picture as it is stands for it.
async fn read(media: &Media, name: &str, width: Option<Width>) -> io::Result<(Vec<u8>, &'static str)> {
    let path = media.bring(name).await?;
    if let Some(width) = width
        && let Some(content) = media.thumbnail(name, width).await?
    {
        return Ok((content, "image/webp"));
    }
    Ok((tokio::fs::read(path).await?, content_type(name)))
}
