//! What the command line takes: commands and options, each with the words that `--help` shows.

use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};
use xiadan::{
    domain::{Locale, address::CALLING_CODES, permission::Role},
    server::{
        backup::{BackupKey, schedule::Schedule},
        config::{Config, DatabaseLimits, TlsOptions},
        message::sms::{Provider, SmsSettings},
        start::Failure,
    },
};

/// Xiadan 下单: a self-service ordering platform in one program.
#[derive(Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(flatten)]
    pub settings: Settings,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args)]
pub struct Settings {
    /// The folder of the database, the pictures and the keys
    #[arg(long, global = true, env = "XIADAN_DATA", default_value = "data")]
    pub data: PathBuf,
    /// sqlite:///path/of/file or postgres://user:password@host/name [default: a SQLite file in the data folder]
    #[arg(long, global = true, env = "XIADAN_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    #[command(flatten)]
    pub database: DatabaseLimits,
    /// How the log is written
    #[arg(long, global = true, env = "XIADAN_LOG_FORMAT", value_enum, default_value = "compact")]
    pub log_format: LogFormat,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum LogFormat {
    Compact,
    Json,
}

#[derive(Subcommand)]
pub enum Command {
    /// Serve the shop
    Serve(Box<Serve>),
    /// Import products
    Import {
        #[command(subcommand)]
        from: Import,
    },
    /// Fill an empty catalogue with the demo shop
    Demo {
        /// The folder of products.zh-CN.csv and products.en.csv
        #[arg(long, default_value = "demo")]
        demo: PathBuf,
    },
    /// People who work in the office, and what only the operator may do for a customer
    Admin {
        #[command(subcommand)]
        action: Admin,
    },
    /// The record of what must not be denied
    Audit {
        #[command(subcommand)]
        action: Audit,
    },
    /// The keys that seal personal data
    Keys {
        #[command(subcommand)]
        action: KeysAction,
    },
    /// Bring the database up to date and end; `serve` does so by itself. Several at once take turns
    Migrate,
    /// Write everything of the shop into one file, while it serves
    Backup {
        /// A file that is not there yet, or a folder
        #[arg(long, value_name = "FILE|FOLDER", default_value = ".")]
        to: PathBuf,
        /// Take the master key along, without which nothing sealed opens; only with a key for the backup
        #[arg(long)]
        with_master_key: bool,
        #[command(flatten)]
        key: BackupKeyOptions,
    },
    /// Check that a backup is whole, without a database, and say what it holds
    Verify {
        file: PathBuf,
        #[command(flatten)]
        key: BackupKeyOptions,
    },
    /// Make a shop of a backup, in an empty data folder and an empty database
    Restore {
        file: PathBuf,
        /// Send the messages and reminders that were due and not sent when the backup was made
        #[arg(long)]
        send_due: bool,
        #[command(flatten)]
        key: BackupKeyOptions,
    },
    /// Carry the shop into another database, while it is stopped; goes on with what was broken off
    Move {
        /// The database that has the shop: sqlite://… or postgres://…. A command line can be read by others: an address with
        /// a password in it is better in the environment
        #[arg(long, env = "XIADAN_MOVE_FROM", hide_env_values = true, value_name = "URL")]
        from: String,
        /// An empty one
        #[arg(long, env = "XIADAN_MOVE_TO", hide_env_values = true, value_name = "URL")]
        to: String,
    },
    /// Check that stock, orders, money and bookings agree, while the shop serves
    CheckBooks,
}

/// The key of backups. It is read from a file or the environment alone: a command line can be read by others.
#[derive(Args)]
pub struct BackupKeyOptions {
    /// A file with the key that seals backups, 64 hexadecimal digits; or XIADAN_BACKUP_KEY with the digits
    #[arg(long, env = "XIADAN_BACKUP_KEY_FILE", value_name = "FILE")]
    pub backup_key_file: Option<PathBuf>,
}

impl BackupKeyOptions {
    /// The key, if there is one.
    pub fn key(&self) -> Result<Option<BackupKey>, Failure> {
        let wrong = |place: &str| format!("{place}: a key of backups is 64 hexadecimal digits");
        if let Some(path) = &self.backup_key_file {
            let place = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|e| format!("{place}: {e}"))?;
            return Ok(Some(BackupKey::from_hex(&text).ok_or_else(|| wrong(&place))?));
        }
        match std::env::var("XIADAN_BACKUP_KEY") {
            Ok(text) => Ok(Some(BackupKey::from_hex(&text).ok_or_else(|| wrong("XIADAN_BACKUP_KEY"))?)),
            Err(_) => Ok(None),
        }
    }
}

/// Backups that the shop makes by itself.
#[derive(Args)]
pub struct Backups {
    /// The folder of backups that are made while the shop serves; of several nodes one makes each
    #[arg(long, env = "XIADAN_BACKUP_TO", value_name = "FOLDER")]
    pub backup_to: Option<PathBuf>,
    /// The time between two of them: 90m, 24h or 7d
    #[arg(long, env = "XIADAN_BACKUP_EVERY", value_name = "TIME", default_value = "24h", value_parser = time_ms)]
    pub backup_every: i64,
    /// How many of them are kept
    #[arg(long, env = "XIADAN_BACKUP_KEEP", value_name = "NUMBER", default_value_t = 14, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub backup_keep: u64,
    #[command(flatten)]
    pub key: BackupKeyOptions,
}

impl Backups {
    pub fn schedule(self) -> Result<Option<Schedule>, Failure> {
        let Some(to) = self.backup_to else { return Ok(None) };
        let keep = usize::try_from(self.backup_keep)?;
        Ok(Some(Schedule { to: std::path::absolute(to)?, every_ms: self.backup_every, keep, key: self.key.key()? }))
    }
}

#[derive(Args)]
pub struct Serve {
    /// Where the shop listens [default: 127.0.0.1:3000]
    #[arg(long, env = "XIADAN_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// The address customers use [default: the first --acme-domain, or the address the shop listens on]
    #[arg(long, env = "XIADAN_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Take payments through the sandbox payment provider, which moves no money: whoever reaches it "pays". For trying the
    /// shop; with --development it is there anyway
    #[arg(long, env = "XIADAN_SANDBOX")]
    pub sandbox: bool,
    /// Where the sandbox payment provider listens
    #[arg(long, env = "XIADAN_SANDBOX_LISTEN", default_value = "127.0.0.1:3002")]
    pub sandbox_listen: SocketAddr,
    /// The address of the sandbox payment provider for customers [default: http:// and where it listens]
    #[arg(long, env = "XIADAN_SANDBOX_URL")]
    pub sandbox_url: Option<String>,
    /// Where Prometheus reads /metrics; without it the shop tells its own machine and private network
    #[arg(long, env = "XIADAN_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
    /// The collector of traces, which takes OTLP over HTTP: http://collector:4318
    #[arg(long, env = "XIADAN_OTLP_URL", value_name = "URL", value_parser = collector)]
    pub otlp_url: Option<String>,
    /// The folder of the built site [default: target/site]
    #[arg(long, env = "XIADAN_SITE")]
    pub site: Option<PathBuf>,
    /// How long an unpaid order holds its goods
    #[arg(long, env = "XIADAN_HOLD_MINUTES", default_value_t = Config::HOLD_MS / 60_000, value_parser = clap::value_parser!(i64).range(1..=1440))]
    pub hold_minutes: i64,
    /// How long to go on after SIGTERM with /readyz saying 503, so that a load balancer looks elsewhere, in milliseconds
    #[arg(long, env = "XIADAN_DRAIN_MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(..=600_000))]
    pub drain_ms: u64,
    /// Never in production: shows the page of all components at /design and at /outbox, to this machine, the messages that
    /// cannot be sent; lets staff without a second factor in by password alone
    #[arg(long, env = "XIADAN_DEVELOPMENT")]
    pub development: bool,
    /// Proxies in front of the shop, by address or network: what they say in X-Forwarded-For is believed
    #[arg(long, env = "XIADAN_TRUSTED_PROXIES", value_delimiter = ',', value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,
    /// Whom to tell of a hole, for /.well-known/security.txt: mailto:security@shop.example
    #[arg(long, env = "XIADAN_SECURITY_CONTACT", value_parser = contact)]
    pub security_contact: Option<String>,
    /// The mail server: smtps://user:password@host, or smtp://user:password@host?tls=required
    #[arg(long, env = "XIADAN_SMTP_URL", hide_env_values = true, requires = "mail_from")]
    pub smtp_url: Option<String>,
    /// The sender of mail: Shop <no-reply@shop.example>
    #[arg(long, env = "XIADAN_MAIL_FROM")]
    pub mail_from: Option<String>,
    /// Leave the database as it is: wait a minute for `xiadan migrate` where it is behind, and end if it still is
    #[arg(long, env = "XIADAN_NO_MIGRATE")]
    pub no_migrate: bool,
    #[command(flatten)]
    pub backups: Backups,
    #[command(flatten)]
    pub sms: Sms,
    #[command(flatten)]
    pub tls: TlsOptions,
}

/// Text messages. The keys are read from the environment alone: a command line can be read by others.
#[derive(Args)]
pub struct Sms {
    /// Who delivers text messages: alibaba or tencent
    #[arg(long, env = "XIADAN_SMS_PROVIDER", value_parser = provider)]
    pub sms_provider: Option<Provider>,
    /// The approved signature of text messages
    #[arg(long, env = "XIADAN_SMS_SIGN_NAME", default_value = "")]
    pub sms_sign_name: String,
    /// The approved template of one-time codes
    #[arg(long, env = "XIADAN_SMS_TEMPLATE", default_value = "")]
    pub sms_template: String,
    /// The approved template of news about one's account; without it phones are told codes alone
    #[arg(long, env = "XIADAN_SMS_NEWS_TEMPLATE", default_value = "")]
    pub sms_news_template: String,
    /// Tencent's SmsSdkAppId
    #[arg(long, env = "XIADAN_SMS_APP_ID", default_value = "")]
    pub sms_app_id: String,
    /// Where the provider's API is, if not where it always is
    #[arg(long, env = "XIADAN_SMS_URL")]
    pub sms_url: Option<String>,
    /// The most text messages of a day, whoever asks for them: each costs money. After them codes leave by mail alone
    #[arg(long, env = "XIADAN_SMS_PER_DAY", default_value_t = Config::SMS_PER_DAY, value_parser = clap::value_parser!(i64).range(0..))]
    pub sms_per_day: i64,
    /// The calling codes of the countries that get text messages, such as +86,+852 [default: all that can be chosen]
    #[arg(long, env = "XIADAN_SMS_COUNTRIES", value_name = "CODES", value_delimiter = ',', value_parser = calling_code)]
    pub sms_countries: Vec<String>,
}

impl Sms {
    pub fn settings(self) -> Result<Option<SmsSettings>, Failure> {
        let Some(provider) = self.sms_provider else { return Ok(None) };
        let secret = |name: &str| std::env::var(name).map_err(|_| format!("text messages need {name}"));
        Ok(Some(SmsSettings {
            provider,
            key_id: secret("XIADAN_SMS_KEY_ID")?,
            key_secret: secret("XIADAN_SMS_KEY_SECRET")?,
            sign_name: self.sms_sign_name,
            template: self.sms_template,
            news_template: self.sms_news_template,
            app_id: self.sms_app_id,
            url: self.sms_url.unwrap_or_else(|| provider.url().to_owned()),
        }))
    }
}

#[derive(Subcommand)]
pub enum Import {
    /// The product CSV that Shopify exports
    Shopify {
        file: PathBuf,
        /// The language of the texts in the file
        #[arg(long, default_value = "zh-CN", value_parser = locale)]
        locale: Locale,
        /// Only report what would be done
        #[arg(long)]
        dry_run: bool,
        /// Leave the stock of variants that are in the shop as it is; new ones get theirs
        #[arg(long)]
        keep_stock: bool,
        /// Write the report with all its problems to this file, as JSON
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
pub enum Audit {
    /// Check that no row was changed, added or taken out
    Verify,
}

#[derive(Subcommand)]
pub enum KeysAction {
    /// Seal everything under a new key and remove the old one, while the shop serves; goes on with what was begun
    Rotate,
    /// Wrap the keys under another master key; start the program with it from then on
    Rewrap {
        /// A file with the other master key, 64 hexadecimal digits; made where there is none
        file: PathBuf,
    },
}

#[derive(Subcommand)]
pub enum Admin {
    /// Make an account for the office, or set its password anew
    Create {
        #[arg(required_unless_present = "demo")]
        login: Option<String>,
        /// Read the password from the first line of standard input
        #[arg(long, conflicts_with = "demo")]
        password_stdin: bool,
        /// What the account may do: support, warehouse, purchasing, finance, manager or owner; a new one is an owner
        #[arg(long, value_parser = role)]
        role: Option<Role>,
        /// Make the account `demo` with a random password and print both
        #[arg(long, conflicts_with = "login")]
        demo: bool,
    },
    /// Remove somebody from the office: all sessions end; what the record says stays
    Remove { login: String },
    /// End sessions: all of somebody in the office, all of a customer, or all there are
    SignOut {
        /// The user name in the office; with --customer the phone or e-mail address of a customer
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        name: Option<String>,
        /// Of a customer
        #[arg(long, conflicts_with = "all")]
        customer: bool,
        /// Of everybody, customers and staff
        #[arg(long)]
        all: bool,
    },
    /// Take the second factor of somebody away whose phone and recovery codes are lost; the next sign-in sets up another
    ResetSecondFactor {
        /// The user name in the office; with --customer the phone or e-mail address of a customer
        name: String,
        /// Of a customer, who then signs in without one
        #[arg(long)]
        customer: bool,
    },
}

fn locale(tag: &str) -> Result<Locale, String> {
    Locale::from_tag(tag).ok_or_else(|| format!("choose one of {}", Locale::ALL.map(Locale::tag).join(", ")))
}

/// A time such as `90m`, in milliseconds: from a minute to a year.
fn time_ms(text: &str) -> Result<i64, String> {
    const MINUTE: i64 = 60_000;
    let wrong = || "a time from 1m to 365d, such as 90m, 24h or 7d".to_owned();
    let unit = match text.chars().last() {
        Some('m') => MINUTE,
        Some('h') => 60 * MINUTE,
        Some('d') => 24 * 60 * MINUTE,
        _ => return Err(wrong()),
    };
    let number: i64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    number.checked_mul(unit).filter(|ms| (MINUTE..=365 * 24 * 60 * MINUTE).contains(ms)).ok_or_else(wrong)
}

fn contact(text: &str) -> Result<String, String> {
    let known = ["mailto:", "https://", "tel:"].iter().any(|scheme| text.starts_with(scheme));
    if known && text.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err("an address such as mailto:security@shop.example".to_owned())
    }
}

fn collector(text: &str) -> Result<String, String> {
    let known = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
    known.then(|| text.to_owned()).ok_or_else(|| "an address such as http://collector:4318".to_owned())
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = |_| text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>().or_else(address).map_err(|_| "an address, or a network such as 10.0.0.0/8".to_owned())
}

fn provider(name: &str) -> Result<Provider, String> {
    Provider::from_name(name).ok_or_else(|| "choose alibaba or tencent".to_owned())
}

fn calling_code(code: &str) -> Result<String, String> {
    let known = CALLING_CODES.contains(&code);
    known.then(|| code.to_owned()).ok_or_else(|| format!("choose among {}", CALLING_CODES.join(",")))
}

fn role(name: &str) -> Result<Role, String> {
    Role::from_name(name).ok_or_else(|| format!("choose one of {}", Role::ALL.map(Role::name).join(", ")))
}

#[cfg(test)]
mod tests;
