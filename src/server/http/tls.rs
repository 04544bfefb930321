//! TLS: which certificate is shown, and how a connection becomes secure.
//!
//! A certificate comes from files that others renew, or by ACME ([`super::acme`]). Either way the one in use can change
//! while the shop serves; connections that are open keep what they began with. What is spoken on them is [`super::listen`].

use super::acme;
use futures::future::BoxFuture;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};
use tokio::{
    net::TcpStream,
    select,
    signal::unix::{Signal, SignalKind, signal},
    time::sleep,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Why there is no TLS. Its text is for whoever starts the shop.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How often it is looked whether the files have changed.
const LOOK: Duration = Duration::from_secs(60);

/// The names of what may be spoken, of which a client offers some (RFC 7301).
const HTTP1: &[u8] = b"http/1.1";
const HTTP2: &[u8] = b"h2";
const CHALLENGE: &[u8] = b"acme-tls/1";

/// Where the certificate comes from.
#[derive(Clone, Debug)]
pub enum Source {
    Files(Files),
    Acme(acme::Settings),
}

/// A certificate followed by those that vouch for it, and its key, each in a PEM file.
#[derive(Clone, Debug)]
pub struct Files {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// What a client and the shop have agreed to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
    /// Nothing: the client only looks at the certificate, to validate a name (RFC 8737).
    Challenge,
}

/// The secure side of a listener.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl Tls {
    /// Makes the listener's side ready, and gives what keeps its certificate fresh: a future to run beside it, which
    /// never ends by itself.
    ///
    /// # Errors
    /// A file or setting that does not do, named in the text. A certificate by ACME may come later.
    pub fn open(source: &Source, data: &Path) -> Result<(Self, BoxFuture<'static, ()>), Failure> {
        match source {
            Source::Files(files) => {
                let seen = stamp(files);
                let current = Arc::new(Current(RwLock::new(Arc::new(load(files)?))));
                let tls = Self::new(current.clone(), &[HTTP2, HTTP1])?;
                Ok((tls, Box::pin(watch(files.clone(), current, seen))))
            }
            Source::Acme(settings) => {
                let (resolver, renewing) = acme::open(settings, data)?;
                Ok((Self::new(resolver, &[HTTP2, HTTP1, CHALLENGE])?, Box::pin(renewing)))
            }
        }
    }

    fn new(resolver: Arc<dyn ResolvesServerCert>, protocols: &[&[u8]]) -> Result<Self, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Makes a connection secure.
    ///
    /// # Errors
    /// When the client goes away, speaks something else, or shares no protocol with us.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<(TlsStream<TcpStream>, Protocol)> {
        let stream = self.0.accept(stream).await?;
        let protocol = match stream.get_ref().1.alpn_protocol() {
            Some(HTTP2) => Protocol::Http2,
            Some(CHALLENGE) => Protocol::Challenge,
            _ => Protocol::Http1,
        };
        Ok((stream, protocol))
    }
}

/// The certificate that is shown to new connections.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// Reads the files, and checks that they belong together.
fn load(files: &Files) -> Result<CertifiedKey, Failure> {
    let certificate = files.certificate.display();
    let wrong = |error: &dyn std::fmt::Display| format!("the certificate {certificate}: {error}");
    let chain = CertificateDer::pem_file_iter(&files.certificate).map_err(|e| wrong(&e))?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(|e| wrong(&e))?;
    if chain.is_empty() {
        return Err(wrong(&"there is none in the file, as PEM").into());
    }
    let key = files.key.display();
    let private = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| format!("the key {key}: {e}"))?;
    Ok(CertifiedKey::from_der(chain, private, &ring::default_provider())
        .map_err(|e| format!("the certificate {certificate} with the key {key}: {e}"))?)
}

/// By what a change of a file is known: when it was written, and how long it is.
type Stamp = [Option<(SystemTime, u64)>; 2];

fn stamp(files: &Files) -> Stamp {
    [&files.certificate, &files.key].map(|path| {
        let file = fs::metadata(path).ok()?;
        Some((file.modified().ok()?, file.len()))
    })
}

/// Reads the files again when they have changed, and when the process is told to by SIGHUP. Files that do not do, as
/// between the writing of the one and of the other, leave the certificate as it is and are tried again.
async fn watch(files: Files, current: Arc<Current>, seen: Stamp) {
    let mut hangup = signal(SignalKind::hangup()).ok();
    let mut seen = Some(seen);
    loop {
        let told = select! {
            () = sleep(LOOK) => false,
            () = hung_up(&mut hangup) => true,
        };
        let (known, from) = (seen, files.clone());
        let look = move || {
            // Before the reading, so that what is written meanwhile is seen the next time.
            let now = stamp(&from);
            (told || known != Some(now)).then(|| (now, load(&from)))
        };
        match tokio::task::spawn_blocking(look).await {
            Ok(Some((now, Ok(certificate)))) => {
                seen = Some(now);
                *current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certificate);
                tracing::info!("new connections get the certificate that was read again");
            }
            Ok(Some((_, Err(error)))) => {
                seen = None;
                tracing::error!(%error, "the certificate from before stays in use");
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "the certificate could not be looked at"),
        }
    }
}

async fn hung_up(signal: &mut Option<Signal>) {
    let told = match signal {
        Some(signal) => signal.recv().await.is_some(),
        None => false,
    };
    if !told {
        std::future::pending().await
    }
}
