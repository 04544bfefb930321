//! Certificates by ACME (RFC 8555), validated on the shop's own listener (RFC 8737): ordered when there is none, and again
//! when a third of its life is left.
//!
//! What must survive a restart lies in the data folder, for its owner alone: the account's key, and the certificate with
//! its key. Each node of a shop that has several orders for itself, and a validation must reach the node that asked for
//! it: behind a balancer, one that ends TLS does better.

use crate::server::crypto::hex;
use async_trait::async_trait;
use futures::StreamExt;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_acme::{AccountCache, AcmeConfig, AcmeState, CertCache, EventOk, ResolvesServerCertAcme};
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::time::timeout;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The directory of Let's Encrypt; its staging server is `https://acme-staging-v02.api.letsencrypt.org/directory`.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// The folder in the data folder.
const FOLDER: &str = "acme";
/// After so long without a word the order begins anew: a request to the authority has no end of its own.
const SILENCE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long reading the certificate that is kept may take.
const READING: Duration = Duration::from_secs(10);

/// What to ask of which authority.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The names of the shop, in lower case and ASCII.
    pub domains: Vec<String>,
    /// Whom the authority may write to, such as `mailto:shop@shop.example`.
    pub contacts: Vec<String>,
    /// The address of the authority's directory.
    pub directory: String,
}

/// Gives who shows the certificate, and what gets it and keeps it fresh: a future that never ends by itself.
///
/// # Errors
/// When the folder cannot be made, or the system trusts nobody.
pub fn open(
    settings: &Settings,
    data: &Path,
) -> Result<(Arc<dyn ResolvesServerCert>, impl Future<Output = ()> + Send + use<>), Failure> {
    let folder = data.join(FOLDER);
    make_folder(&folder).map_err(|e| format!("the folder {}: {e}", folder.display()))?;
    let asking = Asking {
        settings: settings.clone(),
        folder: Folder { path: folder, newest: Arc::default() },
        client: Arc::new(client()?),
    };
    let state = asking.begin();
    let shown = Arc::new(Shown(RwLock::new(state.resolver())));
    Ok((shown.clone(), renew(asking, state, shown)))
}

/// Everything that the beginning of an order needs.
struct Asking {
    settings: Settings,
    folder: Folder,
    client: Arc<ClientConfig>,
}

impl Asking {
    fn begin(&self) -> AcmeState<io::Error> {
        AcmeConfig::new_with_client_config(&self.settings.domains, self.client.clone())
            .contact(&self.settings.contacts)
            .directory(&self.settings.directory)
            .cache(self.folder.clone())
            .state()
    }

    fn has_certificate(&self) -> bool {
        let newest = self.folder.newest.read().unwrap_or_else(PoisonError::into_inner);
        newest.is_some() || self.folder.certificate(&self.settings.domains, &self.settings.directory).exists()
    }
}

async fn renew(asking: Asking, mut state: AcmeState<io::Error>, shown: Arc<Shown>) {
    loop {
        match timeout(SILENCE, state.next()).await {
            Ok(Some(event)) => tell(event),
            // Its stream has no end; were it otherwise, this would turn without a pause.
            Ok(None) => tokio::time::sleep(SILENCE).await,
            Err(_) => {
                let mut anew = asking.begin();
                // The certificate in use is shown until the new state has read it too.
                if asking.has_certificate() {
                    match timeout(READING, anew.next()).await {
                        Ok(Some(event @ Ok(EventOk::DeployedCachedCert))) => tell(event),
                        Ok(Some(event)) => {
                            tell(event);
                            continue;
                        }
                        _ => continue,
                    }
                }
                *shown.0.write().unwrap_or_else(PoisonError::into_inner) = anew.resolver();
                state = anew;
            }
        }
    }
}

fn tell<E: std::fmt::Display>(event: Result<EventOk, E>) {
    match event {
        Ok(EventOk::DeployedCachedCert) => tracing::info!("new connections get the certificate that was kept"),
        Ok(EventOk::DeployedNewCert) => tracing::info!("new connections get a new certificate"),
        Ok(EventOk::CertCacheStore | EventOk::AccountCacheStore) => {}
        Err(error) => tracing::error!(%error, "no certificate by ACME; it is tried again later"),
    }
}

/// Shows what the present state has: the certificate, or to whoever validates, the answer.
#[derive(Debug)]
struct Shown(RwLock<Arc<ResolvesServerCertAcme>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).resolve(hello)
    }
}

/// Speaks to authorities whom the system trusts: those of everybody, and one of a company's own.
fn client() -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(
            "ACME needs the certificates of authorities, which Debian has in the package ca-certificates".into()
        );
    }
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    Ok(client.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth())
}

/// The folder of what must survive.
#[derive(Clone)]
struct Folder {
    path: PathBuf,
    /// The newest certificate of this process: where it could not be written, the next order must not lose it.
    newest: Arc<RwLock<Option<Vec<u8>>>>,
}

impl Folder {
    /// A certificate for other names, or from another authority, is another file.
    fn file(&self, kind: &str, names: &[String], directory: &str) -> PathBuf {
        let names = [names.join("\n"), directory.to_owned()].join("\0");
        self.path.join(format!("{kind}-{}.pem", &hex(&Sha256::digest(names))[..16]))
    }

    fn certificate(&self, domains: &[String], directory: &str) -> PathBuf {
        self.file("certificate", domains, directory)
    }

    fn account(&self, contacts: &[String], directory: &str) -> PathBuf {
        self.file("account", contacts, directory).with_extension("der")
    }
}

#[async_trait]
impl CertCache for Folder {
    type EC = io::Error;

    async fn load_cert(&self, domains: &[String], directory: &str) -> io::Result<Option<Vec<u8>>> {
        if let Some(newest) = self.newest.read().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(Some(newest));
        }
        read(&self.certificate(domains, directory))
    }

    async fn store_cert(&self, domains: &[String], directory: &str, certificate: &[u8]) -> io::Result<()> {
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = Some(certificate.to_vec());
        write(&self.certificate(domains, directory), certificate)
    }
}

#[async_trait]
impl AccountCache for Folder {
    type EA = io::Error;

    async fn load_account(&self, contacts: &[String], directory: &str) -> io::Result<Option<Vec<u8>>> {
        read(&self.account(contacts, directory))
    }

    async fn store_account(&self, contacts: &[String], directory: &str, key: &[u8]) -> io::Result<()> {
        write(&self.account(contacts, directory), key)
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a small file for its owner alone. Whoever reads it meanwhile, or after a power cut, reads the one before.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let aside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&aside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&aside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_for_its_owner_alone_and_for_one_order() -> io::Result<()> {
        let data = tempfile::tempdir()?;
        let folder = Folder { path: data.path().join(FOLDER), newest: Arc::default() };
        make_folder(&folder.path)?;
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let path = folder.certificate(&names(&["a.example", "b.example"]), LETS_ENCRYPT);
        assert_eq!(read(&path)?, None);
        for content in ["the first one, which is longer", "the next"] {
            write(&path, content.as_bytes())?;
            assert_eq!(read(&path)?.as_deref(), Some(content.as_bytes()));
        }
        #[cfg(unix)]
        {
            let mode = |path: &Path| {
                Ok::<_, io::Error>(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path)?.permissions()) & 0o777)
            };
            assert_eq!((mode(&path)?, mode(&folder.path)?), (0o600, 0o700));
        }
        assert_eq!(fs::read_dir(&folder.path)?.count(), 1, "nothing is left aside");
        for (others, directory) in [
            (names(&["a.example"]), LETS_ENCRYPT),
            (names(&["a.exampleb.example"]), LETS_ENCRYPT),
            (names(&["a.example", "b.example"]), "https://other.example"),
        ] {
            assert_ne!(folder.certificate(&others, directory), path);
        }
        assert_ne!(folder.account(&names(&["a.example", "b.example"]), LETS_ENCRYPT), path);
        Ok(())
    }
}
