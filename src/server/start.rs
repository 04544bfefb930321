//! From settings to a running shop, and in good order back to none.

use super::{
    App, MIGRATIONS,
    backup::BackupError,
    config::Config,
    context::Shop,
    crypto::Keys,
    db::{Db, Options, tables},
    divisions::Divisions,
    http::{
        self, Front, FrontParts, limit,
        listen::{self, Limits},
        redirect,
        shared::Shared,
        site::Site,
        tls::Tls,
    },
    jobs, keys,
    live::Hub,
    media::{Media, bucket::Bucket},
    message::Post,
    nodes, payment, traces,
};
use crate::{args, domain::pricing::ShippingRules};
use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// Why the shop does not start. Its text is for whoever starts it, and says what to do.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long requests in flight may take once no more are taken.
const REQUESTS: Duration = Duration::from_secs(15);
/// How long jobs, what speaks with others, and the database may each take after that: with the requests
/// less than the half minute that those who start processes commonly give them to end.
const FINISH: Duration = Duration::from_secs(3);
/// The pause after pictures could not be put into the bucket.
const PICTURES: Duration = Duration::from_secs(60);
/// How long a provider may take to answer.
const PROVIDER: Duration = Duration::from_secs(10);

/// How long a database that is behind is waited for.
const SCHEMA_WAIT: Duration = Duration::from_secs(60);
/// The pause between two looks at it.
const LOOK: Duration = Duration::from_secs(1);

/// The key file in the data folder.
const KEY_FILE: &str = "master.key";
/// The setting by which a database knows its key again; a keyed hash, which tells nothing of the key.
const KEY_CHECK: &str = "key_check";
/// What to do about a key that is not the database's.
const RIGHT_KEY: &str = "put the key file that belongs to this database back there, from the copy that was kept apart \
    or from another node, or set XIADAN_MASTER_KEY to what is in it. Where the key is lost for good, delete the row \
    'key_check' of the table 'setting': the shop then starts with another key, and the contacts of its orders stay \
    sealed";

/// Opens the database, brings it up to date, and puts the shop together. Nothing runs yet.
///
/// # Errors
/// A folder, key, database or migration that does not do, named in the text.
pub async fn open(config: Config) -> Result<App, Failure> {
    make_folder(&config.data).map_err(|e| format!("the data folder {}: {e}", config.data.display()))?;
    let given = given_keys(&config.data)?;
    let db = open_database(config.database()).await?;
    if config.migrate {
        db.migrate(MIGRATIONS).await?;
    } else {
        up_to_date(&db, SCHEMA_WAIT).await?;
    }
    let keys = keys_of(given, &db, &config.data).await?;
    let media = open_media(&config)?;
    // The sandbox provider is on this machine, where a proxy of the environment would not find it.
    // A provider answers where it was asked: what is signed for one address goes to no other.
    let client = reqwest::Client::builder()
        .timeout(PROVIDER)
        .user_agent("xiadan")
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    Ok(App::new(Shop {
        keys,
        db,
        live: Hub::new(),
        media,
        reads: Default::default(),
        search: Default::default(),
        crowd: Default::default(),
        divisions: Divisions::load()?,
        client,
        post: Post::new(&config)?,
        currency: Default::default(),
        shipping: ShippingRules::china(),
        wake: Default::default(),
        config,
    }))
}

/// Opens the store of pictures.
///
/// # Errors
/// A folder that cannot be made, or an address that names no bucket.
pub fn open_media(config: &Config) -> Result<Media, Failure> {
    // For all clients of the process. Fails only when a provider was chosen already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let bucket = config.bucket.clone().map(Bucket::open).transpose()?;
    Ok(Media::open(&config.data)?.with_bucket(bucket))
}

/// Opens a database, which is made where there is none, and changes nothing in it.
///
/// # Errors
/// When it cannot be reached, or its filling by a restore or a move was not finished.
pub async fn open_database(options: Options) -> Result<Db, Failure> {
    let db = Db::open(options).await?;
    if db.table_names().await?.contains(tables::UNFINISHED) {
        db.close().await;
        return Err(BackupError::Unfinished.into());
    }
    Ok(db)
}

/// Opens a database that is there.
///
/// # Errors
/// As [`open_database`], and where there is none.
pub async fn open_present(options: Options) -> Result<Db, Failure> {
    if let Some(path) = options.url.strip_prefix("sqlite://")
        && !Path::new(path).is_file()
    {
        return Err(format!("there is no database at {path}").into());
    }
    open_database(options).await
}

/// Waits until somebody has brought the schema up to date.
///
/// # Errors
/// When nobody did in this time.
pub async fn up_to_date(db: &Db, longest: Duration) -> Result<(), Failure> {
    let begin = Instant::now();
    loop {
        let pending = db.pending(MIGRATIONS).await?;
        let Some(first) = pending.first() else { return Ok(()) };
        let missing = pending.len();
        if begin.elapsed() >= longest {
            let text = format!(
                "the database is behind this program by {missing} migrations, from {first} on: run `xiadan migrate`, or \
                `xiadan serve` without --no-migrate"
            );
            return Err(text.into());
        }
        tracing::warn!(missing, first, "the database is behind this program; waiting for `xiadan migrate`");
        sleep(LOOK.min(longest)).await;
    }
}

/// Makes a folder that is not there yet for its owner alone: keys, orders and pictures lie in it.
pub fn make_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The keys of the environment or of the key file, if there are any.
fn given_keys(data: &Path) -> Result<Option<Keys>, Failure> {
    match std::env::var("XIADAN_MASTER_KEY") {
        Ok(hex) => Ok(Some(Keys::from_hex(&hex).map_err(|e| format!("XIADAN_MASTER_KEY: {e}"))?)),
        Err(_) => {
            let path = data.join(KEY_FILE);
            Ok(Keys::load(&path).map_err(|e| format!("{}: {e}", path.display()))?)
        }
    }
}

/// The master key as text, of the environment or of the key file.
///
/// # Errors
/// When there is none, or the file cannot be read.
pub fn master_key(data: &Path) -> Result<String, Failure> {
    if let Ok(hex) = std::env::var("XIADAN_MASTER_KEY") {
        return Ok(hex.trim().to_owned());
    }
    let path = data.join(KEY_FILE);
    Ok(fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?.trim().to_owned())
}

/// The given keys, if they are those of the database; new ones for a database that has none. Another key would seal new
/// contacts and open none of the old ones.
async fn keys_of(given: Option<Keys>, db: &Db, data: &Path) -> Result<Keys, Failure> {
    let path = data.join(KEY_FILE);
    let keys = match given {
        Some(keys) => keys,
        None if db.optional("select value from setting where key = $1", args![KEY_CHECK]).await?.is_some() => {
            return Err(format!("{} is missing, and the database was made with it: {RIGHT_KEY}", path.display()).into());
        }
        None => Keys::load_or_create(&path).map_err(|e| format!("{}: {e}", path.display()))?,
    };
    keys::open(keys, db, KEY_CHECK).await?.ok_or_else(|| {
        format!("the key in XIADAN_MASTER_KEY or {} is not the database's: {RIGHT_KEY}", path.display()).into()
    })
}

/// Takes an address, so that the settings can name the port that was really taken.
///
/// # Errors
/// When another program has it.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    Ok(TcpListener::bind(address).await.map_err(|e| format!("cannot listen on {address}: {e}"))?)
}

/// The addresses that were taken for the shop.
pub struct Listeners {
    pub shop: TcpListener,
    /// The sandbox payment provider, where it runs.
    pub sandbox: Option<TcpListener>,
    /// Plain HTTP, from where customers are sent on to HTTPS.
    pub redirect: Option<TcpListener>,
    /// The figures, where they are not for everybody in the shop's own network.
    pub metrics: Option<TcpListener>,
}

/// Serves the shop and its sandbox provider until `stop` is done, and for the time that it gives longer: by then who
/// watches `/readyz` sends customers elsewhere. After that it finishes what is in flight: no new connections, answers to
/// all requests, an end to every live feed, the jobs' present batch, the database's queue. `started` is when the process
/// began, for the log.
///
/// # Errors
/// When the site or the certificate cannot be read or metrics cannot be installed.
pub async fn serve(
    app: App,
    Listeners { shop, sandbox, redirect, metrics: figures }: Listeners,
    started: Instant,
    stop: impl Future<Output = Duration>,
) -> Result<(), Failure> {
    let (tls, renewing) = match &app.config.tls {
        Some(source) => {
            let (tls, renewing) = Tls::open(source, &app.config.data)?;
            (Some(tls), Some(tokio::spawn(renewing)))
        }
        None => (None, None),
    };
    let site = Site::load(&app.config.site).map_err(|e| format!("the site in {}: {e}", app.config.site.display()))?;
    if site.is_empty() {
        tracing::warn!(folder = %app.config.site.display(), "there is no built site; pages work without scripts and styles");
    }
    let limits = Arc::new(limit::Limits::default());
    let resting = tokio::spawn(limit::forget(limits.clone()));
    let pictures = tokio::spawn(send_pictures(app.media.clone()));
    let (leave_sender, leaving) = watch::channel(false);
    let metrics = http::install_metrics()?;
    let (site, shared) = (Arc::new(site), Shared::default());
    let front = Front::from(FrontParts { app: app.clone(), site, metrics, limits, shared, leaving });
    let address = shop.local_addr()?;
    let (stop_sender, stopping) = watch::channel(false);
    let feed = tokio::spawn(app.live.clone().run(app.clone()));
    let jobs = tokio::spawn(jobs::run(app.clone(), stopping.clone()));
    // Requests and jobs that are being finished may still pay and refund.
    let (last_sender, last) = watch::channel(false);
    let provider = sandbox.map(|listener| {
        let served = payment::sandbox::serve(app.clone(), listener, told(last.clone()));
        tokio::spawn(logged("sandbox provider", served))
    });
    let redirecting = redirect.map(|listener| {
        let router = redirect::router(&app.config.public_url);
        tokio::spawn(listen::serve(
            listener,
            None,
            router,
            Limits { connections: 1_000, ..Limits::default() },
            told(stopping.clone()),
        ))
    });
    let told_figures = figures.map(|listener| {
        let limits = Limits { connections: 100, ..Limits::default() };
        tokio::spawn(listen::serve(listener, None, http::metrics_router(front.clone()), limits, told(stopping.clone())))
    });
    let others = tokio::spawn(nodes::run(app.clone(), last.clone()));
    let traced =
        app.config.otlp_url.clone().map(|url| tokio::spawn(traces::run(app.client.clone(), url, last.clone())));
    let secure = tls.is_some();
    let server = tokio::spawn(listen::serve(shop, tls, http::router(front), Limits::default(), told(stopping)));
    let ms = started.elapsed().as_millis();
    if app.config.is_https() && !secure && app.config.trusted_proxies.is_empty() {
        tracing::warn!("no --trusted-proxy is named: all who come through a proxy share the limits of one network");
    }
    tracing::info!(%address, url = app.config.public_url, tls = secure, database = app.db.kind().as_str(), ms, "listening");
    let drain = stop.await;
    tracing::info!(drain_ms = drain.as_millis(), "stopping");
    // Sending only fails when nobody listens any more.
    let _ = leave_sender.send(true);
    sleep(drain).await;
    let _ = stop_sender.send(true);
    // Only now, so that a page that comes back at once comes to another process.
    app.live.close();
    let mut whole = finish("requests", server, REQUESTS).await;
    for part in redirecting.into_iter().chain(renewing).chain(told_figures) {
        part.abort();
    }
    whole &= finish("jobs", jobs, FINISH).await;
    if !whole {
        // What was broken off may have changed something that nobody was told of.
        app.live.tell_all();
    }
    let _ = last_sender.send(true);
    let ended = async |name: &str, part: Option<JoinHandle<()>>| {
        if let Some(part) = part {
            finish(name, part, FINISH).await;
        }
    };
    tokio::join!(
        ended("sandbox provider", provider),
        ended("messages to other nodes", Some(others)),
        ended("traces", traced)
    );
    feed.abort();
    resting.abort();
    pictures.abort();
    if timeout(FINISH, app.db.close()).await.is_err() {
        tracing::warn!("the database did not close within {FINISH:?}; what was answered is committed");
    }
    tracing::info!("stopped");
    Ok(())
}

/// Puts the pictures into the bucket that are in the folder alone. What is kept later goes there by itself.
async fn send_pictures(media: Media) {
    loop {
        match media.send_missing().await {
            Ok(0) => return,
            Ok(sent) => return tracing::info!(sent, "pictures of this folder are in the bucket now"),
            Err(error) => tracing::warn!(%error, "pictures cannot be put into the bucket; it is tried again"),
        }
        sleep(PICTURES).await;
    }
}

/// Done once the shop is asked to stop.
async fn told(mut stopping: watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

async fn logged(name: &str, part: impl Future<Output = Result<(), Failure>>) {
    if let Err(error) = part.await {
        tracing::error!(name, %error, "a part of the server ended");
    }
}

/// Waits for a part to end, but not for ever; answers whether it came to its end.
async fn finish(name: &str, mut part: JoinHandle<()>, longest: Duration) -> bool {
    match timeout(longest, &mut part).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => tracing::error!(name, %error, "ended badly"),
        Err(_) => {
            tracing::warn!(name, "did not end within {longest:?}");
            part.abort();
        }
    }
    false
}
