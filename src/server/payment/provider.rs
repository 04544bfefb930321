//! The language spoken with payment providers: signed JSON over HTTP.
//!
//! A message carries `x-xiadan-timestamp` (UTC milliseconds) and `x-xiadan-signature`, the HMAC-SHA-256 of timestamp and
//! body under a secret that both sides know. A message older or newer than five minutes is refused, so that a recorded
//! one cannot be sent again much later; within that time idempotency makes a repeat harmless.

use crate::{
    domain::{Error, Result},
    server::{App, context::now, crypto},
};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// The name of the sandbox provider in the database.
pub const SANDBOX: &str = "sandbox";
pub const TIMESTAMP: &str = "x-xiadan-timestamp";
pub const SIGNATURE: &str = "x-xiadan-signature";
/// How far a message's time may be from ours, in milliseconds.
const TOLERANCE_MS: u64 = 5 * 60 * 1000;
const TIME_OUT: Duration = Duration::from_secs(8);

/// A sum we ask a provider to collect.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Charge {
    /// Our id of the payment, the idempotency key.
    pub payment_id: String,
    pub order_number: String,
    /// Minor units.
    pub amount: i64,
    pub currency: String,
    pub method: String,
    /// The language of the cashier.
    pub locale: String,
    /// Where the provider tells us what came of it.
    pub notify_url: String,
    /// Where the customer goes afterwards.
    pub return_url: String,
}

/// A charge the provider has opened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Opened {
    /// The provider's own id of it.
    pub reference: String,
    /// Where the customer pays.
    pub cashier_url: String,
}

/// A provider's word about a payment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Notification {
    pub payment_id: String,
    pub reference: String,
    pub outcome: Outcome,
    /// Minor units.
    pub amount: i64,
    pub currency: String,
}

/// What came of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Succeeded,
    Failed,
}

/// Money we ask a provider to give back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefundRequest {
    /// Our id of the refund, the idempotency key.
    pub refund_id: String,
    pub payment_id: String,
    pub reference: String,
    /// Minor units.
    pub amount: i64,
    pub currency: String,
}

/// The answer to a refund.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refunded {
    pub refund_id: String,
}

/// Opens a charge.
///
/// # Errors
/// [`Error::ProviderUnavailable`].
pub async fn charge(app: &App, charge: &Charge) -> Result<Opened> {
    call(app, "/charges", charge).await
}

/// Asks for a refund; repeating it is safe.
///
/// # Errors
/// [`Error::ProviderUnavailable`].
pub async fn refund(app: &App, request: &RefundRequest) -> Result<Refunded> {
    call(app, "/refunds", request).await
}

async fn call<T: DeserializeOwned>(app: &App, path: &str, message: &impl Serialize) -> Result<T> {
    let unavailable = |error: &dyn std::fmt::Display| {
        tracing::warn!(%error, path, "the payment provider is unavailable");
        Error::ProviderUnavailable
    };
    let body = serde_json::to_string(message).map_err(|e| unavailable(&e))?;
    let (timestamp, signature) = sign(&secret(app), &body);
    let url = format!("http://{}{path}", app.config.sandbox_listen);
    let request = app
        .client
        .post(url)
        .header(TIMESTAMP, timestamp)
        .header(SIGNATURE, signature)
        .header("content-type", "application/json");
    let answer = request.timeout(TIME_OUT).body(body).send().await.map_err(|e| unavailable(&e.without_url()))?;
    let answer = answer.error_for_status().map_err(|e| unavailable(&e.without_url()))?;
    let bytes = answer.bytes().await.map_err(|e| unavailable(&e.without_url()))?;
    serde_json::from_slice(&bytes).map_err(|e| unavailable(&e))
}

/// The secret shared with the sandbox provider.
pub fn secret(app: &App) -> String {
    app.keys.shared_secret(SANDBOX)
}

/// Timestamp and signature of a body sent now.
pub fn sign(secret: &str, body: &str) -> (String, String) {
    let timestamp = now().to_string();
    let signature = signature(secret, &timestamp, body);
    (timestamp, signature)
}

fn signature(secret: &str, timestamp: &str, body: &str) -> String {
    crypto::hex(&crypto::hmac(secret.as_bytes(), &[timestamp.as_bytes(), body.as_bytes()]))
}

/// Reads a signed message; `None` where the signature or the time is wrong, or the body is something else.
pub fn open<T: DeserializeOwned>(secret: &str, headers: &HeaderMap, body: &str) -> Option<T> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (timestamp, given) = (header(TIMESTAMP)?, header(SIGNATURE)?);
    // Not a difference: the timestamp is anybody's until the signature is checked, and may be any number.
    let age = now().abs_diff(timestamp.parse().ok()?);
    let genuine: bool = signature(secret, timestamp, body).as_bytes().ct_eq(given.as_bytes()).into();
    if genuine && age <= TOLERANCE_MS { serde_json::from_str(body).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(timestamp: &str, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [(TIMESTAMP, timestamp), (SIGNATURE, signature)] {
            headers.insert(name, value.parse().unwrap_or_else(|_| panic!("a header")));
        }
        headers
    }

    #[test]
    fn only_a_fresh_message_with_the_right_signature_opens() {
        let body = r#"{"refund_id":"1"}"#;
        let (timestamp, signature_now) = sign("secret", body);
        assert!(open::<Refunded>("secret", &headers(&timestamp, &signature_now), body).is_some());
        assert!(open::<Refunded>("other", &headers(&timestamp, &signature_now), body).is_none());
        assert!(open::<Refunded>("secret", &headers(&timestamp, &signature_now), r#"{"refund_id":"2"}"#).is_none());
        for seconds in [-301, 301] {
            let wrong = (now() + seconds * 1000).to_string();
            assert!(open::<Refunded>("secret", &headers(&wrong, &signature("secret", &wrong, body)), body).is_none());
        }
        assert!(open::<Refunded>("secret", &HeaderMap::new(), body).is_none());
    }

    #[test]
    fn no_timestamp_makes_the_arithmetic_overflow() {
        let body = r#"{"refund_id":"1"}"#;
        for timestamp in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX].map(|t| t.to_string()) {
            assert!(open::<Refunded>("secret", &headers(&timestamp, "forged"), body).is_none());
            let signed = headers(&timestamp, &signature("secret", &timestamp, body));
            assert!(open::<Refunded>("secret", &signed, body).is_none());
        }
    }
}
