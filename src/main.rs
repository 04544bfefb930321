//! The command line: serve a shop, fill it, and look after it.

mod copies;
mod options;

use clap::Parser;
use options::{Admin, Audit, Cli, Command, Import, KeysAction, LogFormat, Serve, Settings};
use std::{
    ffi::OsString,
    io::{self, BufRead, IsTerminal, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};
use tracing_subscriber::EnvFilter;
use xiadan::{
    args,
    domain::{Error, Locale},
    server::{
        App, account,
        audit::{self, Finding},
        backup::restore::Options,
        booking,
        catalog::{
            self,
            import::{ImportOptions, to_stderr},
        },
        config::Config,
        context::now,
        crypto::{self, Keys},
        db::DbError,
        http::tls::Source,
        keys::{self, Progress},
        media::bucket,
        message::mail::MailSettings,
        review,
        start::{self, Failure, Listeners},
    },
};

#[tokio::main]
async fn main() -> ExitCode {
    let started = Instant::now();
    let cli = Cli::parse_from(arguments());
    log_to_stderr(cli.settings.log_format);
    match run(cli, started).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xiadan: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the program was called with. `cargo leptos watch` calls it with nothing and means that it serves.
fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.len() == 1 && std::env::var_os("LEPTOS_SITE_ROOT").is_some() {
        arguments.push("serve".into());
    }
    arguments
}

fn log_to_stderr(format: LogFormat) {
    // What a browser sent of a passkey and could not be read would be logged in full; that it was refused is logged anyway.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = match "webauthn_rs_core=off".parse() {
        Ok(silent) => filter.add_directive(silent),
        Err(_) => filter,
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Compact => log.compact().with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

async fn run(cli: Cli, started: Instant) -> Result<(), Failure> {
    let config = config(&cli.settings)?;
    match cli.command {
        Command::Serve(options) => serve(config, *options, started).await,
        Command::Import { from: Import::Shopify { file, locale, dry_run, keep_stock, report } } => {
            let options = ImportOptions { locale, dry_run, keep_stock, ..ImportOptions::default() };
            with(config, async |app| import(app, &file, options, report.as_deref()).await).await
        }
        Command::Demo { demo } => with(config, async |app| fill(app, &demo).await).await,
        Command::Admin { action: Admin::Create { login, password_stdin, role, demo } } => {
            let (login, password) = match login {
                Some(login) if !demo => (login, if password_stdin { first_line()? } else { ask_twice()? }),
                _ => ("demo".to_owned(), crypto::token()?[..16].to_owned()),
            };
            let (name, secret) = (login.clone(), password.clone());
            with(config, async |app| Ok(account::create_staff(app, &name, role, secret).await?)).await?;
            if demo {
                println!("User name: {login}\nPassword:  {password}");
            } else {
                println!("{login} can sign in at /office, and first sets a password that nobody else knows");
            }
            Ok(())
        }
        Command::Admin { action: Admin::Remove { login } } => {
            with(config, async |app| {
                account::team::remove_by_operator(app, &login).await.map_err(|error| unknown(error, &login))?;
                println!("{login} works here no more; all sessions are over");
                Ok(())
            })
            .await
        }
        Command::Admin { action: Admin::SignOut { name, customer, .. } } => {
            with(config, async |app| {
                match name {
                    Some(target) if customer => {
                        account::team::end_of_customer(app, &target).await.map_err(no_account)?;
                    }
                    Some(login) => {
                        account::team::end_by_operator(app, &login).await.map_err(|error| unknown(error, &login))?;
                    }
                    None => account::team::end_all(app).await?,
                }
                println!("the sessions are over");
                Ok(())
            })
            .await
        }
        Command::Admin { action: Admin::ResetSecondFactor { name, customer: true } } => {
            with(config, async |app| {
                account::second_factor::mine::reset(app, &name).await.map_err(no_account)?;
                println!("signing in asks for no second factor; all sessions of the account are over");
                Ok(())
            })
            .await
        }
        Command::Admin { action: Admin::ResetSecondFactor { name, customer: false } } => {
            with(config, async |app| {
                account::second_factor::office::reset(app, &name).await.map_err(|error| unknown(error, &name))?;
                println!("{name} sets up another second factor at the next sign-in");
                println!("until then the password alone protects it: if it may be known, xiadan admin create {name}");
                Ok(())
            })
            .await
        }
        Command::Audit { action: Audit::Verify } => {
            with(config, async |app| match audit::verify(app).await? {
                Finding::Whole(rows) => {
                    println!("the record is whole ({rows} rows)");
                    Ok(())
                }
                Finding::Broken(row) => Err(format!("the record is not what was written, from row {row} on").into()),
            })
            .await
        }
        Command::Keys { action: KeysAction::Rotate } => with(config, rotate).await,
        Command::Keys { action: KeysAction::Rewrap { file } } => {
            with(config, async |app| {
                let master = Keys::load_or_create(&file).map_err(|e| format!("{}: {e}", file.display()))?;
                if let Err(error) = keys::wrap_anew(app, &master, now()).await {
                    return Err(match error {
                        Error::Conflict => "a rotation is under way; let `keys rotate` finish first".into(),
                        error => error.into(),
                    });
                }
                println!(
                    "the keys are wrapped anew: put {} in the place of master.key (or its text into \
                    XIADAN_MASTER_KEY) on every node, and start the program again",
                    file.display()
                );
                Ok(())
            })
            .await
        }
        Command::Migrate => copies::migrate(config).await,
        Command::Backup { to, with_master_key, key } => copies::backup(config, to, with_master_key, key.key()?).await,
        Command::Verify { file, key } => copies::verify(file, key.key()?).await,
        Command::Restore { file, send_due, key } => {
            copies::restore(config, file, Options { key: key.key()?, send_due }).await
        }
        Command::Move { from, to } => copies::carry(config, from, to).await,
        Command::CheckBooks => copies::check_books(config).await,
    }
}

/// Says that nobody of this name works here, where that is what went wrong.
fn unknown(error: Error, login: &str) -> Failure {
    match error {
        Error::NotFound => format!("nobody called {login} works here").into(),
        error => error.into(),
    }
}

/// The same for the phone or e-mail address of an account.
fn no_account(error: Error) -> Failure {
    match error {
        Error::NotFound => "no account has this phone or e-mail address".into(),
        error => error.into(),
    }
}

/// Takes a rotation to its end. A shop that serves takes the same steps, so that it ends as well when this is stopped.
async fn rotate(app: &App) -> Result<(), Failure> {
    let key = keys::rotate(app, now()).await?;
    println!("key {key} replaces those before it");
    let mut values = 0;
    loop {
        let until = match keys::step(app, now()).await? {
            Progress::Done => break,
            Progress::Resealed(more) => {
                values += more;
                continue;
            }
            Progress::Announced(until) => {
                println!("every node learns of it first");
                until
            }
            Progress::Waiting(until) => {
                println!("{values} values are under it; a last look follows in a while");
                until
            }
            Progress::Stuck { unreadable, .. } => {
                let text = format!("{unreadable} values open with no key, so the old keys stay; the log names them");
                return Err(text.into());
            }
        };
        let wait = u64::try_from(until - now()).unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    println!("everything is under key {key}, and older keys are removed");
    Ok(())
}

fn config(settings: &Settings) -> Result<Config, Failure> {
    let data = std::path::absolute(&settings.data)?;
    let database_url =
        settings.database_url.clone().unwrap_or_else(|| format!("sqlite://{}", data.join("xiadan.db").display()));
    let bucket = bucket::Settings::from_environment()?;
    Ok(Config { data, database_url, database: settings.database, bucket, ..Config::default() })
}

/// Opens the shop for one piece of work.
async fn with(config: Config, work: impl AsyncFnOnce(&App) -> Result<(), Failure>) -> Result<(), Failure> {
    let app = start::open(config).await?;
    let result = work(&app).await;
    app.db.close().await;
    result
}

async fn serve(mut config: Config, options: Serve, started: Instant) -> Result<(), Failure> {
    // The build tool speaks in the variables that every Leptos tool knows.
    let leptos = |name: &str| std::env::var(name).ok();
    let listen = match options.listen {
        Some(listen) => listen,
        None => leptos("LEPTOS_SITE_ADDR").and_then(|address| address.parse().ok()).unwrap_or(config.listen),
    };
    config.development = options.development || leptos("LEPTOS_WATCH").is_some();
    config.sandbox = options.sandbox || config.development;
    let shop = start::bind(listen).await?;
    let sandbox = match config.sandbox {
        true => Some(start::bind(options.sandbox_listen).await?),
        false => None,
    };
    let redirect = match options.tls.redirect_listen {
        Some(address) => Some(start::bind(address).await?),
        None => None,
    };
    let metrics = match options.metrics_listen {
        Some(address) => Some(start::bind(address).await?),
        None => None,
    };
    config.metrics_listen = metrics.as_ref().map(|listener| listener.local_addr()).transpose()?;
    config.listen = shop.local_addr()?;
    config.sandbox_listen = match &sandbox {
        Some(listener) => listener.local_addr()?,
        None => options.sandbox_listen,
    };
    config.otlp_url = options.otlp_url;
    config.hsts_subdomains = options.tls.hsts_subdomains;
    let named = options.tls.acme_domain.first().map(|name| format!("https://{name}"));
    config.tls = options.tls.source();
    let site = options.site.or_else(|| leptos("LEPTOS_SITE_ROOT").map(PathBuf::from));
    config.site = site.unwrap_or(config.site);
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    config.public_url = address(options.public_url.or(named), scheme, config.listen)?;
    if config.tls.is_some() && !config.is_https() {
        return Err(format!("{}: with a certificate the shop is at https://", config.public_url).into());
    }
    if redirect.is_some() && !config.is_https() {
        return Err(
            "--redirect-listen needs HTTPS to send customers to: a certificate, or --public-url https://…".into()
        );
    }
    config.sandbox_url = address(options.sandbox_url, "http", config.sandbox_listen)?;
    config.migrate = !options.no_migrate;
    config.backup = options.backups.schedule()?;
    config.hold_ms = options.hold_minutes * 60_000;
    config.security_contact = options.security_contact;
    config.trusted_proxies = options.trusted_proxy;
    config.mail = options.smtp_url.zip(options.mail_from).map(|(url, from)| MailSettings { url, from });
    config.sms_per_day = options.sms.sms_per_day;
    if !options.sms.sms_countries.is_empty() {
        config.sms_countries = options.sms.sms_countries.clone();
    }
    config.sms = options.sms.settings()?;
    config.secure_cookies = Config::needs_secure_cookies(&config.public_url);
    if config.secure_cookies && config.public_url.starts_with("http://") {
        tracing::warn!(
            url = config.public_url,
            "browsers keep the shop's cookies over HTTPS only; give it a certificate, or put a proxy with one in front"
        );
    }
    if !config.takes_payments() {
        tracing::warn!(
            "no payment provider is set up: nothing can be ordered; --sandbox starts one that moves no money"
        );
    } else if !config.development {
        tracing::warn!("payments go through the sandbox provider, which moves no money: whoever reaches it pays");
    }
    let reloads = matches!(config.tls, Some(Source::Files(_)));
    let app = start::open(config).await?;
    let listeners = Listeners { shop, sandbox, redirect, metrics };
    start::serve(app, listeners, started, interrupted(Duration::from_millis(options.drain_ms), reloads)).await
}

/// An address as written by the operator, or the one that is listened on: on this machine where that is all of them, so
/// that a shop in a container can be tried on the machine that runs it.
fn address(given: Option<String>, scheme: &str, mut listen: SocketAddr) -> Result<String, Failure> {
    let Some(given) = given else {
        if listen.ip().is_unspecified() {
            listen.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        return Ok(format!("{scheme}://{listen}"));
    };
    let url = url::Url::parse(&given).map_err(|e| format!("{given}: {e}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.path() != "/" || url.query().is_some() {
        return Err(format!("{given}: an address is http:// or https:// and a host, without a path").into());
    }
    Ok(url.origin().ascii_serialization())
}

/// Done when the process is asked to stop; answers with how long to go on. Whoever presses Ctrl-C or closes the terminal
/// waits for the end, and `drain` is for whoever sends SIGTERM. With `reloads`, SIGHUP means something else.
async fn interrupted(drain: Duration, reloads: bool) -> Duration {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut hangup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Duration::ZERO,
        _ = terminate.recv() => drain,
        Some(()) = hangup.recv(), if !reloads => Duration::ZERO,
    }
}

async fn import(app: &App, file: &Path, options: ImportOptions, written: Option<&Path>) -> Result<(), Failure> {
    let options = ImportOptions { watcher: Some(to_stderr(words())), ..options };
    let report = catalog::import::import(app, file, options).await?;
    print!("{}", report.text(words()));
    if let Some(path) = written {
        std::fs::write(path, report.json()?).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    if report.has_errors() { Err("some products were not imported; see the report above".into()) } else { Ok(()) }
}

/// Imports the demo shop, its products first and their English texts after that. A shop that has products keeps them,
/// unless they are those of a demo that was begun and not finished: then it goes on.
async fn fill(app: &App, folder: &Path) -> Result<(), Failure> {
    let begun = app.db.optional("select value from setting where key = 'demo'", args![]).await?.is_some();
    let products: i64 = app.db.one("select count(*) as products from product", args![]).await?.get("products")?;
    if products > 0 && !begun {
        println!("the shop has {products} products already; nothing was changed");
        return Ok(());
    }
    set(app, "insert into setting (key, value) values ('demo', 'begun') on conflict (key) do nothing").await?;
    for locale in Locale::ALL {
        // What was sold between the two runs stays sold.
        let options = ImportOptions { locale, keep_stock: true, ..ImportOptions::default() };
        import(app, &folder.join(format!("products.{}.csv", locale.tag())), options, None).await?;
        // Services, restaurants and lines are products too, in files of their own.
        for kind in ["services", "tables", "trips"] {
            let file = folder.join(format!("{kind}.{}.csv", locale.tag()));
            if file.exists() {
                let options = ImportOptions { locale, keep_stock: true, ..ImportOptions::default() };
                import(app, &file, options, None).await?;
            }
        }
    }
    if let Ok(services) = std::fs::read_to_string(folder.join("services.json")) {
        booking::demo::take_over(app, &services).await?;
    }
    if let Ok(tables) = std::fs::read_to_string(folder.join("tables.json")) {
        booking::demo_tables::take_over(app, &tables).await?;
    }
    if let Ok(trips) = std::fs::read_to_string(folder.join("trips.json")) {
        booking::demo_trips::take_over(app, &trips).await?;
    }
    if let Ok(history) = std::fs::read_to_string(folder.join("history.csv")) {
        catalog::history::take_over(app, &history).await?;
    }
    booking::demo_stays::fill(app, folder).await?;
    if let Ok(reviews) = std::fs::read_to_string(folder.join("reviews.json")) {
        review::demo::take_over(app, &reviews).await?;
    }
    set(app, "delete from setting where key = 'demo'").await
}

async fn set(app: &App, sql: &'static str) -> Result<(), Failure> {
    app.db.write::<_, DbError>(move |tx| Box::pin(async move { tx.exec(sql, args![]).await })).await?;
    Ok(())
}

/// The language of the terminal.
fn words() -> Locale {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    set.and_then(|tag| Locale::from_tag(&tag)).unwrap_or(Locale::En)
}

fn first_line() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks for a password on the terminal, without showing it.
fn ask_twice() -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return Err("there is no terminal to ask for a password; use --password-stdin".into());
    }
    let _hidden = Hidden::new();
    let ask = |text: &str| {
        eprint!("{text}: ");
        io::stderr().flush()?;
        let line = first_line();
        eprintln!();
        line
    };
    let password = ask("Password (at least 8 characters)")?;
    if ask("Once more")? != password {
        return Err("the two passwords differ; nothing was changed".into());
    }
    Ok(password)
}

/// What is typed is not shown while this lives.
struct Hidden;

impl Hidden {
    fn new() -> Self {
        stty("-echo");
        Self
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        stty("echo");
    }
}

fn stty(setting: &str) {
    // Without `stty` the password is merely visible.
    let _ = std::process::Command::new("stty").arg(setting).status();
}
