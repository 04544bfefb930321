//! Answers to server functions: the one place where an [`Error`] becomes an HTTP status.

use super::{
    Front,
    document::{Outline, failure},
    guard::from_own_page,
    private, request_id, to_the_end,
};
use crate::{
    domain::Error,
    server::{Ctx, figures},
};
use axum::{
    Extension,
    body::{Bytes, to_bytes},
    extract::{FromRequest, MatchedPath, Request, State},
    http::{
        HeaderValue, Method, StatusCode,
        header::{REFERER, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use leptos::context::provide_context;
use server_fn::error::{FromServerFnError, SERVER_FN_ERROR_HEADER};

/// No error is longer: the largest names every line of a full cart.
const LONGEST: usize = 256 * 1024;

/// What is the same for everybody. The rest is somebody's and stays in no cache.
const PUBLIC: [&str; 6] = [
    "/api/catalog/home",
    "/api/catalog/categories",
    "/api/catalog/menu",
    "/api/catalog/list",
    "/api/catalog/product",
    "/api/catalog/related",
];

/// Runs the server function that the address names.
pub async fn answer(
    State(front): State<Front>,
    Extension(ctx): Extension<Ctx>,
    function: MatchedPath,
    request: Request,
) -> Response {
    let outline = Outline::of(&front, &request);
    let secret = !PUBLIC.contains(&request.uri().path());
    let mut request = match whole(request).await {
        Ok(request) => request,
        Err(status) => {
            let error = Error::Invalid(Default::default());
            figures::function_failed(function.as_str(), &error);
            return private(failure(&front, &outline, status, &error), secret);
        }
    };
    // `server_fn` sends a form without script to where it says it comes from.
    let config = &front.app.config;
    if !from_own_page(request.headers(), &config.public_url, config.tls.is_some()) {
        request.headers_mut().remove(REFERER);
    }
    let context = move || provide_context(ctx.clone());
    let reads = request.method() == Method::GET;
    let work = async move { leptos_axum::handle_server_fns_with_context(context, request).await.into_response() };
    let response = if reads { work.await } else { to_the_end(work).await };
    private(typed(&front, &outline, function.as_str(), response).await, secret)
}

/// Takes in the body. One that is too long or cut off is the client's error; `server_fn` would not tell it from others.
async fn whole(request: Request) -> Result<Request, StatusCode> {
    let (parts, body) = request.into_parts();
    // Keeps to the limit in the extensions.
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), &()).await;
    let body = body.map_err(|rejection| rejection.status())?;
    Ok(Request::from_parts(parts, body.into()))
}

/// `server_fn` answers every error with 500; here it gets its own status. A form posted without JavaScript is redirected
/// to its page, with the error in the address, and stays as it is.
async fn typed(front: &Front, outline: &Outline, function: &str, response: Response) -> Response {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR
        || !response.headers().contains_key(SERVER_FN_ERROR_HEADER)
    {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else {
        let error = Error::Internal(request_id());
        figures::function_failed(function, &error);
        return failure(front, outline, StatusCode::INTERNAL_SERVER_ERROR, &error);
    };
    let error = match Error::de(body.clone()) {
        // Said by `server_fn` itself: what was posted is no text, or not the JSON that the function takes.
        Error::Internal(id) if id.is_empty() && outline.method == Method::POST => {
            tracing::warn!(request = request_id(), path = outline.uri.path(), "what was posted could not be read");
            let error = Error::Invalid(Default::default());
            figures::function_failed(function, &error);
            parts.status = StatusCode::UNPROCESSABLE_ENTITY;
            return Response::from_parts(parts, error.ser().into());
        }
        // The same, which does not know the request.
        Error::Internal(id) if id.is_empty() => {
            tracing::error!(request = request_id(), path = outline.uri.path(), "a server function could not be run");
            let error = Error::Internal(request_id());
            figures::function_failed(function, &error);
            return Response::from_parts(parts, error.ser().into());
        }
        error => error,
    };
    figures::function_failed(function, &error);
    parts.status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Error::TooMany { retry_after } = error {
        parts.headers.insert(RETRY_AFTER, HeaderValue::from(retry_after));
    }
    Response::from_parts(parts, body.into())
}
