//! What every rule on the server is given: the shop it runs in, who asks, in which language and at what time.

use super::{
    config::Config,
    crypto::Keys,
    db::{Db, DbError},
    divisions::Divisions,
    live::Hub,
    media::Media,
};
use crate::domain::{Error, Locale, money::Currency, office::Staff, pricing::ShippingRules};
use std::{
    ops::Deref,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

tokio::task_local! {
    /// The id of the request that is being answered; whoever gives its work to another thread or task tells it there.
    /// Read through [`request_id`](super::http::request_id).
    pub(super) static REQUEST_ID: String;
}

/// The running shop. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shop>);

/// The parts of a running shop.
pub struct Shop {
    pub config: Config,
    pub db: Db,
    pub keys: Keys,
    pub live: Hub,
    pub media: Media,
    pub divisions: Divisions,
    /// For calls to providers.
    pub client: reqwest::Client,
    pub currency: Currency,
    pub shipping: ShippingRules,
    /// Tells the outbox worker that there may be work, so that it need not wait for its next look.
    pub wake: tokio::sync::Notify,
}

/// One request: the shop, and what is known of the person who asks.
#[derive(Clone)]
pub struct Ctx {
    pub app: App,
    /// UTC milliseconds at the request's begin.
    pub now: i64,
    pub locale: Locale,
    /// Under which the log tells of this request.
    pub request_id: String,
    /// The customer's id from the signed cookie, if the browser has one.
    pub customer: Option<String>,
    /// Numbers of orders from other devices that this browser may follow and change.
    pub granted_orders: Vec<String>,
    /// The member of staff who is signed in.
    pub staff: Option<Staff>,
    /// The token of that session, to end it.
    pub staff_token: Option<String>,
}

impl App {
    pub fn new(shop: Shop) -> Self {
        Self(Arc::new(shop))
    }
}

impl Deref for App {
    type Target = Shop;
    fn deref(&self) -> &Shop {
        &self.0
    }
}

impl Ctx {
    /// A context for work that nobody asked for: jobs, imports, notifications.
    pub fn system(app: &App) -> Self {
        Self {
            app: app.clone(),
            now: now(),
            locale: Locale::default(),
            request_id: "system".to_owned(),
            customer: None,
            granted_orders: Vec::new(),
            staff: None,
            staff_token: None,
        }
    }

    /// The customer's id.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the browser has none: someone without a cookie owns nothing.
    pub fn customer(&self) -> Result<&str, Error> {
        self.customer.as_deref().ok_or(Error::NotFound)
    }

    /// The member of staff.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in.
    pub fn staff(&self) -> Result<&Staff, Error> {
        self.staff.as_ref().ok_or(Error::Unauthenticated)
    }
}

/// UTC milliseconds.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// A new UUIDv7.
pub fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Database errors are logged here, once, and hidden from the wire.
impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        match error {
            DbError::NotFound | DbError::Argument => Self::NotFound,
            error => internal("database", &error),
        }
    }
}

/// Logs an error that is not the customer's business and answers with the request id that finds it.
pub fn internal(what: &str, error: &dyn std::fmt::Display) -> Error {
    let request = super::http::request_id();
    tracing::error!(%request, %error, "{what}");
    Error::Internal(request)
}

/// The same for a sealed text that is not what it should be. Where it goes wrong is logged and what is there is not: it
/// is personal.
pub fn unreadable(what: &str, error: &serde_json::Error) -> Error {
    internal(what, &format!("{:?} in column {}", error.classify(), error.column()))
}
