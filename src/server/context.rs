//! What every rule on the server is given: the shop it runs in, who asks, in which language and at what time.

use super::{
    account::session::Session,
    catalog::{reads::Reads, search::Search},
    config::Config,
    crypto::Keys,
    db::{Db, DbError},
    divisions::Divisions,
    live::Hub,
    media::Media,
    message::Post,
    order::Crowd,
    refusal,
};
use crate::domain::{Error, Locale, money::Currency, office::Staff, permission::Permission, pricing::ShippingRules};
use std::{
    net::IpAddr,
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
    pub reads: Reads,
    pub search: Search,
    /// Who waits for the last pieces of something.
    pub crowd: Crowd,
    pub divisions: Divisions,
    /// For messages to people.
    pub post: Post,
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
    /// The customer: of the account that is signed in, or else the guest of this browser.
    pub customer: Option<String>,
    /// The guest of the browser's signed cookie, if it has one.
    pub guest: Option<String>,
    /// The session of the account that is signed in.
    pub session: Option<Session>,
    pub asker: Asker,
    /// By which this browser is known again when somebody signs in.
    pub device: Option<String>,
    /// Numbers of orders from other devices that this browser may follow and change.
    pub granted_orders: Vec<String>,
    /// The token of a sign-in of this browser of which the second factor is awaited.
    pub pending: Option<String>,
    /// The member of staff who is signed in and may do what the role permits.
    pub staff: Option<Staff>,
    /// The member of staff who is signed in and has to set a password before anything else is done.
    pub staff_to_change: Option<Staff>,
    /// The token of that session, to end it.
    pub staff_token: Option<String>,
    /// The token of a sign-in to the office of which the second factor is awaited.
    pub staff_pending: Option<String>,
    /// What was typed into a form without script that was refused, sealed; see [`kept`](super::http::kept).
    pub typed: Option<String>,
}

/// Where a request comes from.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    /// The address of the browser, or of the last proxy that is not ours; never stored or logged as it is.
    pub address: Option<IpAddr>,
    /// Whether a proxy that is not named as ours says that it asks for somebody else.
    pub forwarded: bool,
    /// Browser and system in words, see [`device_name`](crate::domain::account::device_name).
    pub device: String,
}

impl Asker {
    /// Whether somebody on this machine asks. A proxy on it that is not named as ours asks for everybody: they are not
    /// local, and count as one.
    pub fn is_local(&self) -> bool {
        !self.forwarded && self.address.is_none_or(|address| address.to_canonical().is_loopback())
    }

    /// What the addresses of one household share: an IPv4 address, or the first half of an IPv6 address.
    pub fn network(&self) -> String {
        match self.address.map(|address| address.to_canonical()) {
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}")
            }
            Some(address) => address.to_string(),
            None => String::new(),
        }
    }
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
            guest: None,
            session: None,
            asker: Asker::default(),
            device: None,
            granted_orders: Vec::new(),
            pending: None,
            staff: None,
            staff_to_change: None,
            staff_token: None,
            staff_pending: None,
            typed: None,
        }
    }

    /// The customer's id.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the browser has none: someone without a cookie owns nothing.
    pub fn customer(&self) -> Result<&str, Error> {
        self.customer.as_deref().ok_or(Error::NotFound)
    }

    /// The session of the account that is signed in.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for a guest.
    pub fn session(&self) -> Result<&Session, Error> {
        self.session.as_ref().ok_or(Error::Unauthenticated)
    }

    /// The member of staff.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in, [`Error::PasswordFirst`] for one who has to set a password.
    pub fn staff(&self) -> Result<&Staff, Error> {
        match (&self.staff, &self.staff_to_change) {
            (Some(staff), _) => Ok(staff),
            (None, Some(_)) => Err(Error::PasswordFirst),
            (None, None) => Err(Error::Unauthenticated),
        }
    }

    /// The member of staff who is signed in, also one who has to set a password first.
    pub fn inside(&self) -> Option<&Staff> {
        self.staff.as_ref().or(self.staff_to_change.as_ref())
    }

    /// The member of staff, who may do this.
    ///
    /// # Errors
    /// Those of [`Ctx::staff`], [`Error::Forbidden`] for a role without this permission.
    pub fn require(&self, permission: Permission) -> Result<&Staff, Error> {
        let staff = self.staff()?;
        if staff.role.may(permission) {
            return Ok(staff);
        }
        refusal::forbidden(self, staff, permission);
        Err(Error::Forbidden)
    }

    /// Whether a member of staff asks who may do this; for what is shown to others in another way.
    pub fn may(&self, permission: Permission) -> bool {
        self.staff.as_ref().is_some_and(|staff| staff.role.may(permission))
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
