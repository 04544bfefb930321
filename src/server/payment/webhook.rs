//! Where providers tell us what came of a payment.

use super::{Settled, provider, settle};
use crate::{
    domain::Error,
    server::{App, http::to_the_end},
};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};

/// The path providers call.
pub const SANDBOX_PATH: &str = "/webhooks/payment/sandbox";

/// The routes of this room.
pub fn routes(app: App) -> Router {
    Router::new().route(SANDBOX_PATH, post(sandbox)).with_state(app)
}

/// A success status confirms the notification; anything else makes the provider send it again.
async fn sandbox(State(app): State<App>, headers: HeaderMap, body: String) -> StatusCode {
    let Some(notification) = provider::open(&provider::secret(&app), &headers, &body) else {
        return StatusCode::UNAUTHORIZED;
    };
    match to_the_end(async move { settle(&app, &notification).await }).await {
        Ok(Settled::Paid | Settled::Moved | Settled::Nothing | Settled::Failed | Settled::Refunded) => {
            StatusCode::NO_CONTENT
        }
        Err(Error::NotFound) => StatusCode::NOT_FOUND,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
