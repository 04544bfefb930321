//! How a shop is run: from the command line and the environment.

use super::message::{mail::MailSettings, sms::SmsSettings};
use ipnet::IpNet;
use std::{net::SocketAddr, path::PathBuf};

/// The settings of a process.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder of the database, the pictures and the keys.
    pub data: PathBuf,
    /// `sqlite://…` or `postgres://…`; by default a file in the data folder.
    pub database_url: String,
    pub listen: SocketAddr,
    /// The address customers use, without a slash at the end: for links that leave the page.
    pub public_url: String,
    /// Where the sandbox payment provider listens.
    pub sandbox_listen: SocketAddr,
    /// The address of the sandbox payment provider as the customer's browser reaches it.
    pub sandbox_url: String,
    /// The built site: `pkg/` and public files.
    pub site: PathBuf,
    /// How long an unpaid order holds its goods, in milliseconds.
    pub hold_ms: i64,
    /// Shows all components at `/design`, and at `/outbox` what would be sent where no way to send it is set up.
    pub development: bool,
    /// Whom to tell of a hole: a `mailto:` or `https:` address.
    pub security_contact: Option<String>,
    /// The proxies of this shop, whose word on where a request comes from is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// How mail leaves, if it does.
    pub mail: Option<MailSettings>,
    /// How text messages leave, if they do.
    pub sms: Option<SmsSettings>,
    /// Whether cookies are marked `Secure`; off only where the public address is plain HTTP on loopback.
    pub secure_cookies: bool,
}

impl Config {
    /// The default hold of an unpaid order: 15 minutes.
    pub const HOLD_MS: i64 = 15 * 60 * 1000;

    /// Whether cookies must be marked `Secure` for a public address. Browsers keep such cookies over HTTPS only; plain
    /// HTTP is for trying the shop on the machine it runs on.
    pub fn needs_secure_cookies(public_url: &str) -> bool {
        let host = url::Url::parse(public_url).ok().filter(|url| url.scheme() == "http");
        let loopback = host.as_ref().and_then(url::Url::host).is_some_and(|host| match host {
            url::Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            url::Host::Ipv4(address) => address.is_loopback(),
            url::Host::Ipv6(address) => address.is_loopback(),
        });
        !loopback
    }

    /// Where the passkeys of a shop with this public address work: their relying party is its host. None over plain HTTP
    /// and under an IP address, which browsers do not allow (WebAuthn level 2 §5.1.3 and §5.1.4.1). A shop that is tried
    /// on the machine it runs on is also found there as `localhost`, which they do.
    pub fn passkeys_at(public_url: &str) -> Option<url::Url> {
        let mut url = url::Url::parse(public_url).ok()?;
        let loopback = !Self::needs_secure_cookies(public_url);
        if loopback && url.domain().is_none() {
            url.set_host(Some("localhost")).ok()?;
        }
        let allowed = (loopback || url.scheme() == "https") && url.domain().is_some();
        allowed.then_some(url)
    }

    /// Where the sandbox provider, on this machine, tells us of payments.
    pub fn notify_url(&self) -> String {
        let mut address = self.listen;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{address}{}", super::payment::SANDBOX_PATH)
    }
}

impl Default for Config {
    /// A shop on this machine, in `./data`.
    fn default() -> Self {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            data: PathBuf::from("data"),
            database_url: "sqlite://./data/xiadan.db".to_owned(),
            listen: loopback(3000),
            public_url: "http://127.0.0.1:3000".to_owned(),
            sandbox_listen: loopback(3002),
            sandbox_url: "http://127.0.0.1:3002".to_owned(),
            site: PathBuf::from("target/site"),
            hold_ms: Self::HOLD_MS,
            development: false,
            security_contact: None,
            trusted_proxies: Vec::new(),
            mail: None,
            sms: None,
            secure_cookies: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_secure_everywhere_but_on_this_machine() {
        for url in ["http://127.0.0.1:3000", "http://localhost", "http://shop.localhost:8080", "http://[::1]:3000"] {
            assert!(!Config::needs_secure_cookies(url), "{url}");
        }
        for url in
            ["https://shop.example", "http://shop.example", "http://192.168.1.5:3000", "https://localhost", "nonsense"]
        {
            assert!(Config::needs_secure_cookies(url), "{url}");
        }
    }

    #[test]
    fn passkeys_need_a_name_and_https_except_on_this_machine() {
        let at = |url| Config::passkeys_at(url).map(|url| url.origin().ascii_serialization());
        for (url, origin) in [
            ("https://shop.example", Some("https://shop.example")),
            ("https://shop.example:8443", Some("https://shop.example:8443")),
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("http://shop.localhost:8080", Some("http://shop.localhost:8080")),
            ("http://127.0.0.1:3000", Some("http://localhost:3000")),
            ("http://[::1]:3000", Some("http://localhost:3000")),
            ("http://shop.example", None),
            ("http://192.168.1.5:3000", None),
            ("https://192.0.2.1", None),
            ("nonsense", None),
        ] {
            assert_eq!(at(url).as_deref(), origin, "{url}");
        }
    }
}
