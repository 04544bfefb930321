//! How much one network may ask for: pages and server functions, and far less of what can be guessed at.
//!
//! Beside this each target, account and login has limits of its own in the database, see
//! [`attempt`](crate::server::account::attempt); these here hold up those who try many of them.
//!
//! The counts are those of one process: what they protect first is the process itself, which answers every other network
//! meanwhile. Behind a load balancer a network may look around as many times as fast as there are nodes, and have so many
//! offers of passkeys. It may not guess faster: what can be guessed at is counted once more in the database, for all nodes
//! together, see [`pace`](crate::server::pace).

use super::{
    Front,
    document::{Outline, failure},
};
use crate::{
    domain::Error,
    server::{
        context::{Asker, now},
        pace,
    },
};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header::RETRY_AFTER},
    middleware::Next,
    response::Response,
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
/// Functions with which somebody could guess a password, a code or an order, have messages sent, or fill the database.
const GUESSING: [&str; 24] = [
    "/api/account/send_code",
    "/api/account/resend_code",
    "/api/account/enter",
    "/api/account/sign_in",
    "/api/account/set_password",
    "/api/account/add_target",
    "/api/account/resend_target",
    "/api/account/confirm_target",
    "/api/account/remove_target",
    "/api/account/second_enter",
    "/api/account/second_begin",
    "/api/account/second_renew",
    "/api/account/second_off",
    "/api/office/sign_in",
    "/api/office/set_password",
    "/api/office/second_enter",
    "/api/office/second_renew",
    "/api/passkey/begin_registration",
    "/api/passkey/finish_sign_in",
    "/api/passkey/begin_second",
    "/api/passkey/finish_second",
    "/api/passkey/remove",
    "/api/order/find",
    "/api/privacy/delete_account",
];
/// The function that every open page of the sign-in asks by itself, again and again: with it nothing can be guessed, but the
/// database be filled.
const OFFERING: &str = "/api/passkey/begin_sign_in";
/// Networks that are counted at once. Over that, those that have rested are forgotten early.
const NETWORKS: usize = 100_000;
/// How often those that have rested are forgotten.
const REST: Duration = Duration::from_secs(60);

/// The counts of a process.
pub struct Limits {
    anything: DefaultKeyedRateLimiter<String>,
    guessing: DefaultKeyedRateLimiter<String>,
    offering: DefaultKeyedRateLimiter<String>,
}

/// What a request is beside being one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    /// A try at what could be guessed.
    Guess,
    /// An open page offers passkeys. It counts on its own, so that it uses up no tries of people behind the same address.
    Offer,
}

impl Kind {
    fn of(method: &Method, path: &str) -> Self {
        match path {
            _ if method != Method::POST => Self::Plain,
            OFFERING => Self::Offer,
            path if GUESSING.contains(&path) => Self::Guess,
            _ => Self::Plain,
        }
    }
}

impl Default for Limits {
    /// A burst as large as a busy office makes it, and after that a steady flow.
    fn default() -> Self {
        let quota = |period, burst| {
            let quota = Quota::with_period(period).unwrap_or(Quota::per_second(NonZeroU32::MIN));
            quota.allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN))
        };
        Self {
            anything: RateLimiter::keyed(quota(Duration::from_millis(20), 600)),
            guessing: RateLimiter::keyed(quota(Duration::from_secs(2), 60)),
            offering: RateLimiter::keyed(quota(Duration::from_secs(2), 60)),
        }
    }
}

impl Limits {
    /// Counts a request of a network, and tells how long to wait when it is one too many.
    fn count(&self, network: &str, kind: Kind) -> Result<(), Duration> {
        let beside = match kind {
            Kind::Plain => None,
            Kind::Guess => Some(&self.guessing),
            Kind::Offer => Some(&self.offering),
        };
        for limiter in [Some(&self.anything), beside].into_iter().flatten() {
            if limiter.len() > NETWORKS {
                limiter.retain_recent();
            }
            limiter
                .check_key(&network.to_owned())
                .map_err(|early| early.wait_time_from(DefaultClock::default().now()))?;
        }
        Ok(())
    }

    /// Forgets the networks that have rested long enough to begin anew.
    pub fn forget(&self) {
        for limiter in [&self.anything, &self.guessing, &self.offering] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// Forgets them again and again.
pub async fn forget(limits: Arc<Limits>) {
    loop {
        tokio::time::sleep(REST).await;
        limits.forget();
    }
}

/// Refuses what is too much; see [`Asker::is_local`] for those who are not counted.
pub async fn check(State(front): State<Front>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let asker = asker(request.headers(), peer, &front.app.config.trusted_proxies);
    if asker.is_local() {
        return next.run(request).await;
    }
    let kind = Kind::of(request.method(), request.uri().path());
    let here = front.limits.count(&asker.network(), kind).map_err(|wait| {
        let retry_after = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        Error::TooMany { retry_after }
    });
    let counted = match here {
        // Where nobody can count, nobody guesses.
        Ok(()) if kind == Kind::Guess => pace::count(&front.app, &asker, now()).await,
        here => here,
    };
    match counted {
        Ok(()) => next.run(request).await,
        Err(error) => {
            let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = failure(&front, &Outline::of(&front, &request), status, &error);
            if let Error::TooMany { retry_after } = error {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after));
            }
            response
        }
    }
}

/// Who asks. What a proxy says is believed only where the proxy is one of ours: from the right, the first address that is
/// none of ours is the one that our outermost proxy saw.
pub fn asker(headers: &HeaderMap, peer: Option<IpAddr>, trusted: &[IpNet]) -> Asker {
    let ours = |address: IpAddr| trusted.iter().any(|network| network.contains(&address.to_canonical()));
    let Some(mut seen) = peer else { return Asker::default() };
    let has = |name| headers.contains_key(name);
    // `Forwarded` is not read, but says that somebody else asks.
    let mut forwarded = match ours(seen) {
        true => has(FORWARDED) && !has(FORWARDED_FOR),
        false => has(FORWARDED) || has(FORWARDED_FOR),
    };
    // What a client wrote may be no text; what our proxy put behind it still is.
    let written = headers.get_all(FORWARDED_FOR).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let written: Vec<_> = written.collect();
    let mut hops: Vec<&str> = written.iter().flat_map(|value| value.split(',')).map(str::trim).collect();
    while ours(seen)
        && let Some(hop) = hops.pop()
    {
        // With a port, as some proxies write it.
        let parsed = hop.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()));
        let Some(parsed) = parsed else {
            // For somebody else all the same: nobody becomes local by being unreadable.
            forwarded = true;
            break;
        };
        seen = parsed;
    }
    Asker { address: Some(seen.to_canonical()), forwarded, device: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_becomes_local_by_what_they_write() {
        let ours: Vec<IpNet> = ["127.0.0.1/32"].iter().filter_map(|net| net.parse().ok()).collect();
        let through_ours = |name: HeaderName, value: &'static [u8]| {
            let value = HeaderValue::from_bytes(value).unwrap_or(HeaderValue::from_static(""));
            asker(&HeaderMap::from_iter([(name, value)]), "127.0.0.1".parse().ok(), &ours)
        };
        let seen = through_ours(FORWARDED_FOR, b"\xff, 198.51.100.1");
        assert_eq!(seen.address, "198.51.100.1".parse().ok());
        assert!(!seen.is_local());
        for (name, value) in
            [(FORWARDED_FOR, &b"\xff"[..]), (FORWARDED_FOR, b"unknown"), (FORWARDED, b"for=198.51.100.1")]
        {
            assert!(!through_ours(name, value).is_local(), "{value:?}");
        }
    }

    #[test]
    fn a_forwarded_address_is_believed_from_our_proxies_only() {
        let trusted: Vec<IpNet> = ["10.0.0.0/8", "127.0.0.1/32"].iter().filter_map(|net| net.parse().ok()).collect();
        let seen = |peer: &str, forwarded: &[&'static str]| {
            let headers = forwarded.iter().map(|value| (FORWARDED_FOR, HeaderValue::from_static(value))).collect();
            let asker = asker(&headers, peer.parse().ok(), &trusted);
            asker.address.map(|address| address.to_string()).unwrap_or_default()
        };
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"]), "203.0.113.9", "a stranger says nothing about himself");
        assert_eq!(seen("127.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("127.0.0.1", &["1.2.3.4, 198.51.100.1", "10.0.0.7"]), "198.51.100.1", "what the client wrote");
        assert_eq!(seen("127.0.0.1", &["10.0.0.7"]), "10.0.0.7");
        assert_eq!(seen("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(seen("127.0.0.1", &["nonsense"]), "127.0.0.1");
        assert_eq!(seen("127.0.0.1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(seen("::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1", "the same address in other words");

        let headers: HeaderMap = [(FORWARDED_FOR, HeaderValue::from_static("198.51.100.1"))].into_iter().collect();
        let local = |headers: &HeaderMap, trusted| asker(headers, "127.0.0.1".parse().ok(), trusted).is_local();
        assert!(local(&HeaderMap::new(), &[]), "somebody at the machine itself");
        assert!(!local(&headers, &[]), "a proxy at the machine that nobody named asks for others");
        assert!(!local(&headers, &trusted), "and so does one of ours");
        for unreadable in ["unknown", "unix:", "198.51.100.1.5", "2001:db8::12345", ""] {
            let headers = HeaderMap::from_iter([(FORWARDED_FOR, HeaderValue::from_static(unreadable))]);
            assert!(!local(&headers, &trusted), "{unreadable:?}");
        }
    }

    #[test]
    fn guessing_is_held_up_long_before_looking_around() {
        let limits = Limits::default();
        let refused = |network: &str, kind, times| (0..times).filter(|_| limits.count(network, kind).is_err()).count();
        assert_eq!(refused("a", Kind::Guess, 60), 0);
        assert!(refused("a", Kind::Guess, 100) > 90);
        assert_eq!(refused("a", Kind::Plain, 100), 0, "pages are still shown");
        assert_eq!(refused("b", Kind::Guess, 60), 0, "others are not held up");
        let wait = limits.count("a", Kind::Guess).err().unwrap_or_default();
        assert!(wait <= Duration::from_secs(2), "{wait:?}");
    }

    #[test]
    fn open_pages_that_offer_passkeys_use_up_no_tries() {
        let limits = Limits::default();
        let refused = |kind, times| (0..times).filter(|_| limits.count("a", kind).is_err()).count();
        assert_eq!(refused(Kind::Offer, 60), 0);
        assert!(refused(Kind::Offer, 100) > 90, "they are held up all the same");
        assert_eq!(refused(Kind::Guess, 60), 0);
        let kind = |path| Kind::of(&Method::POST, path);
        assert_eq!(kind("/api/passkey/begin_sign_in"), Kind::Offer);
        assert_eq!(kind("/api/passkey/finish_sign_in"), Kind::Guess);
        assert_eq!(kind("/api/cart/add"), Kind::Plain);
        assert_eq!(Kind::of(&Method::GET, "/api/account/sign_in"), Kind::Plain);
    }
}
