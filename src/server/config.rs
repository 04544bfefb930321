//! How a shop is run: from the command line and the environment.

use super::{
    backup::schedule::Schedule,
    db,
    http::{
        acme::{self, LETS_ENCRYPT},
        tls::{Files, Source},
    },
    media::bucket,
    message::{mail::MailSettings, sms::SmsSettings},
};
use crate::domain::address::CALLING_CODES;
use ipnet::IpNet;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// The settings of a process.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder of the database, the pictures and the keys.
    pub data: PathBuf,
    /// Where the pictures are as well, for nodes that share no data folder.
    pub bucket: Option<bucket::Settings>,
    /// `sqlite://…` or `postgres://…`; by default a file in the data folder.
    pub database_url: String,
    pub database: DatabaseLimits,
    pub listen: SocketAddr,
    /// Where the figures are told; without it by the shop itself, to its own machine and private network.
    pub metrics_listen: Option<SocketAddr>,
    /// The collector of traces, if there is one.
    pub otlp_url: Option<String>,
    /// The address customers use, without a slash at the end: for links that leave the page. Its scheme also decides on
    /// `Secure` cookies and on HSTS, wherever TLS ends: here or in a proxy.
    pub public_url: String,
    /// Where the certificate comes from, if TLS ends here.
    pub tls: Option<Source>,
    /// Whether browsers are to use HTTPS for the names below the shop's as well.
    pub hsts_subdomains: bool,
    /// Whether the sandbox payment provider runs and takes payments: it moves no money, so that a shop which sells for
    /// real goes without. There is no other provider yet: without it nothing can be paid.
    pub sandbox: bool,
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
    /// The most text messages that leave on a day.
    pub sms_per_day: i64,
    /// The calling codes, such as `+86`, of the countries to which they leave.
    pub sms_countries: Vec<String>,
    /// Whether the database is brought up to date at the start; otherwise a database that is behind is waited for.
    pub migrate: bool,
    /// Backups that are made now and then.
    pub backup: Option<Schedule>,
    /// Whether cookies are marked `Secure`; off only where the public address is plain HTTP on loopback.
    pub secure_cookies: bool,
}

impl Config {
    /// The default hold of an unpaid order: 15 minutes.
    pub const HOLD_MS: i64 = 15 * 60 * 1000;
    /// The default bound of text messages on a day.
    pub const SMS_PER_DAY: i64 = 2_000;

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

    /// How the database is opened.
    pub fn database(&self) -> db::Options {
        self.database.of(self.database_url.clone())
    }

    /// Whether customers come over HTTPS.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// What tells browsers to come back over HTTPS only, for two years (RFC 6797).
    pub fn strict_transport(&self) -> Option<&'static str> {
        self.is_https().then_some(match self.hsts_subdomains {
            false => "max-age=63072000",
            true => "max-age=63072000; includeSubDomains",
        })
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

    /// Whether there is a provider through which orders can be paid.
    pub const fn takes_payments(&self) -> bool {
        self.sandbox
    }

    /// Where the sandbox provider, on this machine, tells us of payments: beside a proxy's way in, or by the name that is
    /// in the certificate.
    pub fn notify_url(&self) -> String {
        if self.tls.is_some() {
            return format!("{}{}", self.public_url, super::payment::SANDBOX_PATH);
        }
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
            bucket: None,
            database_url: "sqlite://./data/xiadan.db".to_owned(),
            database: DatabaseLimits::default(),
            listen: loopback(3000),
            metrics_listen: None,
            otlp_url: None,
            public_url: "http://127.0.0.1:3000".to_owned(),
            tls: None,
            hsts_subdomains: false,
            sandbox: false,
            sandbox_listen: loopback(3002),
            sandbox_url: "http://127.0.0.1:3002".to_owned(),
            site: PathBuf::from("target/site"),
            hold_ms: Self::HOLD_MS,
            development: false,
            security_contact: None,
            trusted_proxies: Vec::new(),
            mail: None,
            sms: None,
            sms_per_day: Self::SMS_PER_DAY,
            sms_countries: CALLING_CODES.map(str::to_owned).to_vec(),
            migrate: true,
            backup: None,
            secure_cookies: false,
        }
    }
}

/// How much of PostgreSQL a process uses and how long it waits for it, as on the command line. SQLite knows none of these.
#[derive(clap::Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseLimits {
    /// PostgreSQL: the most connections of this node, beside the two by which nodes hear each other; 8 to 500
    #[arg(
        long = "database-connections",
        global = true,
        env = "XIADAN_DATABASE_CONNECTIONS",
        value_name = "NUMBER",
        default_value_t = 16,
        value_parser = clap::value_parser!(u32).range(8..=500)
    )]
    pub connections: u32,
    /// PostgreSQL: how long a caller waits for one of them; 100ms to 60s
    #[arg(
        long = "database-acquire-timeout",
        global = true,
        env = "XIADAN_DATABASE_ACQUIRE_TIMEOUT",
        value_name = "TIME",
        default_value = "10s",
        value_parser = between(Duration::from_millis(100), Duration::from_secs(60))
    )]
    pub acquire_timeout: Duration,
    /// PostgreSQL: how long a statement may take, except in migrations; 1s to 10m
    #[arg(
        long = "database-statement-timeout",
        global = true,
        env = "XIADAN_DATABASE_STATEMENT_TIMEOUT",
        value_name = "TIME",
        default_value = "30s",
        value_parser = between(Duration::from_secs(1), Duration::from_secs(600))
    )]
    pub statement_timeout: Duration,
    /// PostgreSQL: how long a statement waits for a lock, except in migrations; 100ms to 60s
    #[arg(
        long = "database-lock-timeout",
        global = true,
        env = "XIADAN_DATABASE_LOCK_TIMEOUT",
        value_name = "TIME",
        default_value = "10s",
        value_parser = between(Duration::from_millis(100), Duration::from_secs(60))
    )]
    pub lock_timeout: Duration,
    /// PostgreSQL: how long a server that is not up yet is waited for at the start; 1s to 60m
    #[arg(
        long = "database-wait",
        global = true,
        env = "XIADAN_DATABASE_WAIT",
        value_name = "TIME",
        default_value = "60s",
        value_parser = between(Duration::from_secs(1), Duration::from_secs(3600))
    )]
    pub connect_wait: Duration,
}

impl DatabaseLimits {
    /// How a database is opened with these.
    pub fn of(self, url: String) -> db::Options {
        db::Options {
            url,
            max_connections: self.connections,
            acquire_timeout: self.acquire_timeout,
            statement_timeout: self.statement_timeout,
            lock_timeout: self.lock_timeout,
            connect_wait: self.connect_wait,
            ..db::Options::default()
        }
    }
}

impl Default for DatabaseLimits {
    fn default() -> Self {
        let options = db::Options::default();
        Self {
            connections: options.max_connections,
            acquire_timeout: options.acquire_timeout,
            statement_timeout: options.statement_timeout,
            lock_timeout: options.lock_timeout,
            connect_wait: options.connect_wait,
        }
    }
}

/// Reads a time such as `500ms`, `30s` or `2m` between two bounds.
fn between(
    least: Duration,
    most: Duration,
) -> impl Fn(&str) -> Result<Duration, String> + Clone + Send + Sync + 'static {
    move |text: &str| {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match text.get(digits.len()..) {
            Some("ms") => Some(1),
            Some("s") => Some(1_000),
            Some("m") => Some(60_000),
            _ => None,
        };
        let ms = digits.parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
        ms.map(Duration::from_millis)
            .filter(|time| (least..=most).contains(time))
            .ok_or_else(|| format!("a time from {least:?} to {most:?}, such as 500ms, 30s or 2m"))
    }
}

/// TLS, as it is asked for on the command line.
#[derive(clap::Args)]
pub struct TlsOptions {
    /// Serve HTTPS with the certificate, and those that vouch for it, in this PEM file; read again when it changes
    #[arg(
        long,
        env = "XIADAN_TLS_CERTIFICATE",
        value_name = "FILE",
        requires = "tls_key",
        conflicts_with = "acme_domain"
    )]
    pub tls_certificate: Option<PathBuf>,
    /// The key of the certificate, a PEM file
    #[arg(long, env = "XIADAN_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// Serve HTTPS with a certificate for this name, which an authority gives by itself: it must reach the shop at port 443
    #[arg(long, env = "XIADAN_ACME_DOMAINS", value_name = "NAME", value_delimiter = ',', value_parser = domain)]
    pub acme_domain: Vec<String>,
    /// Whom the authority may write to: mailto:shop@shop.example
    #[arg(long, env = "XIADAN_ACME_CONTACTS", value_name = "MAILTO", value_delimiter = ',', value_parser = mailto)]
    pub acme_contact: Vec<String>,
    /// The directory of the authority
    #[arg(long, env = "XIADAN_ACME_DIRECTORY", value_name = "URL", default_value = LETS_ENCRYPT, value_parser = directory)]
    pub acme_directory: String,
    /// Where plain HTTP is sent on to HTTPS
    #[arg(long, env = "XIADAN_REDIRECT_LISTEN", value_name = "ADDRESS")]
    pub redirect_listen: Option<SocketAddr>,
    /// Have browsers use HTTPS for all names below the shop's as well
    #[arg(long, env = "XIADAN_HSTS_SUBDOMAINS")]
    pub hsts_subdomains: bool,
}

impl TlsOptions {
    /// Where the certificate comes from, if TLS ends here.
    pub fn source(self) -> Option<Source> {
        if let (Some(certificate), Some(key)) = (self.tls_certificate, self.tls_key) {
            return Some(Source::Files(Files { certificate, key }));
        }
        (!self.acme_domain.is_empty()).then_some(Source::Acme(acme::Settings {
            domains: self.acme_domain,
            contacts: self.acme_contact,
            directory: self.acme_directory,
        }))
    }
}

/// A name that an authority can validate by coming here: neither an address nor a whole domain with `*`.
fn domain(name: &str) -> Result<String, String> {
    match url::Host::parse(name) {
        Ok(url::Host::Domain(name)) if !name.starts_with('*') && name.contains('.') => Ok(name),
        _ => Err("a name such as shop.example".to_owned()),
    }
}

fn mailto(text: &str) -> Result<String, String> {
    let address = text.strip_prefix("mailto:").is_some_and(|address| address.contains('@'));
    let known = address && text.bytes().all(|b| b.is_ascii_graphic());
    known.then(|| text.to_owned()).ok_or_else(|| "an address such as mailto:shop@shop.example".to_owned())
}

fn directory(text: &str) -> Result<String, String> {
    let known = url::Url::parse(text).is_ok_and(|url| url.scheme() == "https");
    known.then(|| text.to_owned()).ok_or_else(|| "an address that begins with https://".to_owned())
}

/// Whether a host is this machine, so that nobody is on the way there; a path is that of a local socket.
pub fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || host.starts_with('/') || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Limits {
        #[command(flatten)]
        limits: DatabaseLimits,
    }

    fn limits(options: &[&str]) -> Result<DatabaseLimits, String> {
        let given = <Limits as clap::Parser>::try_parse_from([&["xiadan"][..], options].concat());
        given.map(|given| given.limits).map_err(|error| error.to_string())
    }

    #[test]
    fn limits_of_the_database_are_as_they_were_said_and_within_what_is_safe() {
        assert_eq!(limits(&[]), Ok(DatabaseLimits::default()));
        let said = limits(&[
            "--database-connections",
            "40",
            "--database-acquire-timeout",
            "500ms",
            "--database-statement-timeout",
            "2m",
            "--database-lock-timeout",
            "3s",
            "--database-wait",
            "5m",
        ]);
        let wanted = DatabaseLimits {
            connections: 40,
            acquire_timeout: Duration::from_millis(500),
            statement_timeout: Duration::from_secs(120),
            lock_timeout: Duration::from_secs(3),
            connect_wait: Duration::from_secs(300),
        };
        assert_eq!(said, Ok(wanted));
        let options = wanted.of("postgres://x".to_owned());
        assert_eq!((options.max_connections, options.connect_wait), (40, Duration::from_secs(300)));
        for (option, value, because) in [
            ("connections", "7", "8..=500"),
            ("connections", "501", "8..=500"),
            ("connections", "many", "invalid"),
            ("acquire-timeout", "99ms", "from 100ms to 60s"),
            ("acquire-timeout", "2m", "from 100ms to 60s"),
            ("statement-timeout", "0s", "from 1s to 600s"),
            ("statement-timeout", "30", "such as 500ms, 30s or 2m"),
            ("statement-timeout", "s", "such as 500ms"),
            ("lock-timeout", "1h", "such as 500ms"),
            ("lock-timeout", "99999999999999999999s", "such as 500ms"),
            ("wait", "9000000000000000000m", "from 1s to 3600s"),
        ] {
            let refused = limits(&[&format!("--database-{option}"), value]);
            assert!(matches!(&refused, Err(text) if text.contains(because)), "{option} {value}: {refused:?}");
        }
    }

    #[test]
    fn a_certificate_is_ordered_for_names_alone() {
        for (given, name) in [
            ("shop.example", "shop.example"),
            ("WWW.Shop.example", "www.shop.example"),
            ("商店.example", "xn--czrs0t.example"),
        ] {
            assert_eq!(domain(given).as_deref(), Ok(name));
        }
        for wrong in [
            "",
            "localhost",
            "192.0.2.1",
            "[::1]",
            "*.shop.example",
            "https://shop.example",
            "shop.example/",
            "a b.example",
        ] {
            assert!(domain(wrong).is_err(), "{wrong}");
        }
        assert!(mailto("mailto:shop@shop.example").is_ok() && directory(LETS_ENCRYPT).is_ok());
        assert!(mailto("shop@shop.example").is_err() && directory("http://shop.example").is_err());
    }

    #[test]
    fn browsers_are_told_to_come_back_over_https_where_they_can() {
        let told = |url: &str, hsts_subdomains| {
            Config { public_url: url.to_owned(), hsts_subdomains, ..Config::default() }.strict_transport()
        };
        assert_eq!(told("http://shop.example", true), None);
        assert_eq!(told("https://shop.example", false), Some("max-age=63072000"));
        assert_eq!(told("https://shop.example", true), Some("max-age=63072000; includeSubDomains"));
    }

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
