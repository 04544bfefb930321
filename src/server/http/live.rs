//! `GET /live?topics=product:<id>,cart,order:<number>,office`: the live feed as server-sent events.

use super::Front;
use crate::{
    domain::live::Topic,
    server::{Ctx, order},
};
use axum::{
    Extension,
    body::Body,
    extract::{Query, State},
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use serde::Deserialize;

/// The most topics of one connection: a full cart and a list page together stay below.
const MAX_TOPICS: usize = 200;

#[derive(Deserialize)]
pub struct Wishes {
    #[serde(default)]
    topics: String,
}

pub async fn stream(
    State(front): State<Front>,
    Extension(ctx): Extension<Ctx>,
    Query(wishes): Query<Wishes>,
) -> Response {
    let mut topics = Vec::new();
    for name in wishes.topics.split(',') {
        let topic = match Topic::parse(name) {
            Some(Topic::Cart(_)) => match &ctx.customer {
                Some(customer) => Topic::Cart(customer.clone()),
                None => continue,
            },
            Some(Topic::Order(number)) => {
                if ctx.staff.is_none() && !order::may_see(&ctx, &number).await {
                    return StatusCode::FORBIDDEN.into_response();
                }
                Topic::Order(number)
            }
            Some(Topic::Office) if ctx.staff.is_none() => return StatusCode::FORBIDDEN.into_response(),
            Some(topic) => topic,
            None => continue,
        };
        if !topics.contains(&topic) {
            topics.push(topic);
        }
        if topics.len() > MAX_TOPICS {
            return StatusCode::BAD_REQUEST.into_response();
        }
    }
    if topics.is_empty() {
        return StatusCode::NO_CONTENT.into_response();
    }
    let Some(listener) = front.app.live.listen(topics) else {
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")]).into_response();
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // nginx would hold events back until it has a buffer full of them.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(listener)).into_response()
}
