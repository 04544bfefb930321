//! `GET /live?topics=product:<id>,cart,order:<number>,office`: the live feed as server-sent events.

use super::Front;
use crate::{
    domain::{live::Topic, permission::Permission},
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

/// Where it is.
pub const PATH: &str = "/live";

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
            Some(Topic::Cart(_)) => ctx.customer.clone().map(Topic::Cart),
            topic => topic,
        };
        if let Some(topic) = topic.filter(|topic| !topics.contains(topic)) {
            topics.push(topic);
        }
        if topics.len() > MAX_TOPICS {
            return StatusCode::BAD_REQUEST.into_response();
        }
    }
    // Only now, because an order is looked up in the database.
    for topic in &topics {
        let allowed = match topic {
            Topic::Order(number) => order::may_see(&ctx, number).await,
            Topic::Office => ctx.require(Permission::SeeOrders).is_ok(),
            Topic::Cart(_) | Topic::Product(_) => true,
        };
        if !allowed {
            return StatusCode::FORBIDDEN.into_response();
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
