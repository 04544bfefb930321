//! `GET /orders/<number>/<position>.ics`: a booking for somebody's calendar, for whoever may see the order.

use super::{
    Front,
    document::{Outline, failure},
};
use crate::{
    domain::Result,
    server::{Ctx, booking},
};
use axum::{
    Extension,
    extract::{Path, Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};

pub async fn file(
    State(front): State<Front>,
    Extension(ctx): Extension<Ctx>,
    Path((number, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let mut response = match written(&ctx, &number, &name).await {
        Ok((name, text)) => {
            let attached = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
            let attached = attached.unwrap_or_else(|_| HeaderValue::from_static("attachment"));
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8")),
                (CONTENT_DISPOSITION, attached),
            ];
            (headers, text).into_response()
        }
        Err(error) => {
            let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            failure(&front, &Outline::of(&front, &request), status, &error)
        }
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn written(ctx: &Ctx, number: &str, name: &str) -> Result<(String, String)> {
    booking::calendar_file(ctx, number, booking::position_of(name)?).await
}
