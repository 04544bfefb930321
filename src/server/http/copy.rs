//! `GET /me/privacy/copy/<id>`: the file of a copy of somebody's data, for its owner alone.

use super::{
    Front,
    document::{Outline, failure},
};
use crate::{
    domain::Error,
    server::{Ctx, privacy},
};
use axum::{
    Extension,
    body::Body,
    extract::{Path, Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
    },
    response::{IntoResponse, Response},
};

/// Where somebody who has to sign in (again) is sent.
const SIGN_IN: &str = "/sign-in?to=/me/privacy";

pub async fn file(
    State(front): State<Front>,
    Extension(ctx): Extension<Ctx>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let mut response = match privacy::download(&ctx, &id).await {
        Ok(download) => {
            let size = HeaderValue::from(download.size);
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static("application/zip")),
                (CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"xiadan-data.zip\"")),
                (CONTENT_LENGTH, size),
            ];
            (headers, Body::from_stream(download.parts())).into_response()
        }
        Err(error @ (Error::Unauthenticated | Error::Forbidden)) => {
            let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
            if accept.contains("text/html") {
                (StatusCode::SEE_OTHER, [(LOCATION, SIGN_IN)]).into_response()
            } else {
                refused(&front, &request, &error)
            }
        }
        Err(error) => refused(&front, &request, &error),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn refused(front: &Front, request: &Request, error: &Error) -> Response {
    let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    failure(front, &Outline::of(front, request), status, error)
}
