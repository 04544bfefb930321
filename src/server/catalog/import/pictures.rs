//! Gets the pictures of an import into the store: from the folder of the file, or from the web.
//!
//! Addresses come from strangers, so nothing on a private network is asked for, neither by its address nor by a name
//! that leads there nor by a redirect.

use super::super::shopify::PictureFault;
use crate::server::media::{Format, Media, Stored};
use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use std::{
    collections::HashMap,
    error::Error,
    fmt,
    io::Read,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The largest picture, in bytes.
pub const MAX_BYTES: u64 = 8 << 20;
/// How many are fetched at once.
pub const AT_ONCE: usize = 4;
const TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REDIRECTS: usize = 5;
/// A host that failed so often in a row is not asked again during this import.
const PATIENCE: u32 = 3;

/// Where the pictures of one file come from and go to.
pub struct Pictures {
    media: Media,
    folder: PathBuf,
    client: Option<Client>,
    private_hosts: bool,
    /// Only look: keep and fetch nothing.
    dry_run: bool,
    failures: Mutex<HashMap<String, u32>>,
}

impl Pictures {
    /// For a file in this folder. Without a client (see [`client`]) nothing is fetched from the web.
    pub fn new(media: Media, folder: &Path, client: Option<Client>, private_hosts: bool, dry_run: bool) -> Self {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        Self { media, folder, client, private_hosts, dry_run, failures: Mutex::default() }
    }

    /// The stored picture of a source. `known` is what was stored for it by an earlier import: an address is not
    /// fetched again, a file is read again because it may have changed.
    ///
    /// # Errors
    /// Why there is no picture.
    pub async fn get(&self, source: &str, known: Option<&Stored>) -> Result<Stored, PictureFault> {
        let address = match source.strip_prefix("//") {
            Some(rest) => format!("https://{rest}"),
            None => source.to_owned(),
        };
        if !address.contains("://") {
            return self.read(&address).await;
        }
        if let Some(known) = known
            && self.media.bring(&known.name).await.is_ok_and(|path| path.is_file())
        {
            return Ok(known.clone());
        }
        let url = Url::parse(&address).map_err(|_| PictureFault::BadAddress)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(PictureFault::BadAddress);
        }
        if !self.private_hosts && literal(&url).is_some_and(|ip| !is_public(ip)) {
            return Err(PictureFault::PrivateHost);
        }
        if self.dry_run {
            return Ok(Stored { name: String::new(), width: 0, height: 0 });
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        if self.failures().get(&host).is_some_and(|failures| *failures >= PATIENCE) {
            return Err(PictureFault::HostGivenUp);
        }
        let fetched = self.fetch(url).await;
        match &fetched {
            Err(PictureFault::Unreachable | PictureFault::TimedOut) => *self.failures().entry(host).or_default() += 1,
            _ => _ = self.failures().remove(&host),
        }
        self.keep(fetched?).await
    }

    async fn read(&self, source: &str) -> Result<Stored, PictureFault> {
        let path = self.folder.join(source.replace('\\', "/"));
        let folder = self.folder.clone();
        let bytes = blocking(move || {
            let path = path.canonicalize().map_err(|_| PictureFault::NoFile)?;
            if !path.starts_with(&folder) {
                return Err(PictureFault::OutsideFolder);
            }
            if !path.is_file() {
                return Err(PictureFault::NoFile);
            }
            let storage = |error: std::io::Error| PictureFault::Storage(error.to_string());
            let mut bytes = Vec::new();
            std::fs::File::open(path).map_err(storage)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(storage)?;
            Ok(bytes)
        })
        .await?;
        if bytes.len() as u64 > MAX_BYTES { Err(PictureFault::TooLarge(MAX_BYTES)) } else { self.keep(bytes).await }
    }

    async fn fetch(&self, url: Url) -> Result<Vec<u8>, PictureFault> {
        let client = self.client.as_ref().ok_or(PictureFault::Unreachable)?;
        let mut response = client.get(url).send().await.map_err(|error| fault(&error))?;
        if !response.status().is_success() {
            return Err(PictureFault::Status(response.status().as_u16()));
        }
        let too_large = PictureFault::TooLarge(MAX_BYTES);
        if response.content_length().is_some_and(|length| length > MAX_BYTES) {
            return Err(too_large);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > MAX_BYTES {
                return Err(too_large);
            }
        }
        // A drawing is a document that can do more than show itself: only the merchant's own files may be one.
        match Format::of(&bytes) {
            None | Some(Format::Svg) => Err(PictureFault::NotAPicture),
            Some(_) => Ok(bytes),
        }
    }

    async fn keep(&self, bytes: Vec<u8>) -> Result<Stored, PictureFault> {
        if self.dry_run {
            return Media::describe(&bytes).ok_or(PictureFault::NotAPicture);
        }
        let media = self.media.clone();
        blocking(move || {
            media.put(&bytes).map_err(|error| match error.kind() {
                std::io::ErrorKind::InvalidData => PictureFault::NotAPicture,
                _ => PictureFault::Storage(error.to_string()),
            })
        })
        .await
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, HashMap<String, u32>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client that reaches public hosts only; all hosts with `private_hosts`, which is for tests and for shops whose
/// pictures are on their own network. It goes through no proxy, because that would look names up by itself.
///
/// # Errors
/// When the TLS roots cannot be loaded.
pub fn client(private_hosts: bool) -> reqwest::Result<Client> {
    let redirects = Policy::custom(move |attempt| {
        if attempt.previous().len() > REDIRECTS {
            attempt.stop()
        } else if !private_hosts && literal(attempt.url()).is_some_and(|ip| !is_public(ip)) {
            attempt.error(PrivateHost)
        } else {
            attempt.follow()
        }
    });
    let builder = Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent("xiadan")
        .no_proxy()
        .redirect(redirects);
    if private_hosts { builder.build() } else { builder.dns_resolver(Arc::new(PublicHosts)).build() }
}

async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, PictureFault> + Send + 'static,
) -> Result<T, PictureFault> {
    tokio::task::spawn_blocking(job).await.unwrap_or_else(|error| Err(PictureFault::Storage(error.to_string())))
}

fn fault(error: &reqwest::Error) -> PictureFault {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if inner.is::<PrivateHost>() {
            return PictureFault::PrivateHost;
        }
        cause = inner.source();
    }
    if error.is_timeout() { PictureFault::TimedOut } else { PictureFault::Unreachable }
}

/// Names lead to public addresses or nowhere.
struct PublicHosts;

impl Resolve for PublicHosts {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<SocketAddr> = found.iter().copied().filter(|address| is_public(address.ip())).collect();
            if public.is_empty() && !found.is_empty() {
                return Err(PrivateHost.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[derive(Debug)]
struct PrivateHost;

impl fmt::Display for PrivateHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host is on a private network")
    }
}

impl Error for PrivateHost {}

/// The address that stands in the URL itself; names are looked at when they are resolved.
fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => {
            let parts = ip.segments();
            let embedded = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
            match parts {
                // IPv4 in IPv6 clothes: mapped, compatible, translated, and 6to4.
                [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                    is_public_v4(embedded(high, low))
                }
                [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
                // Only 2000::/3 is routed; parts of 2001::/16 are tunnels and documentation.
                [0x2001, second, ..] => second >= 0x0200 && second != 0x0db8,
                [first, ..] => first & 0xe000 == 0x2000,
            }
        }
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || matches!(
            (a, b, c),
            (0 | 224..=255, _, _) | (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99) | (198, 18 | 19, _)
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known_in_every_form() {
        let table = [
            ("8.8.8.8", true),
            ("223.5.5.5", true),
            ("2606:4700::1111", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.31.0.1", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("::1", false),
            ("::", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:8.8.8.8", true),
            ("64:ff9b::a00:1", false),
            ("2002:7f00:1::", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("ff02::1", false),
            ("2001:db8::1", false),
        ];
        for (text, public) in table {
            assert_eq!(text.parse().map(is_public), Ok(public), "{text}");
        }
    }

    #[tokio::test]
    async fn a_path_stays_in_the_folder_of_the_file() -> std::io::Result<()> {
        let data = tempfile::tempdir()?;
        let folder = data.path().join("shop");
        std::fs::create_dir_all(folder.join("pictures"))?;
        std::fs::write(data.path().join("secret.svg"), "<svg></svg>")?;
        std::fs::write(folder.join("pictures/a.svg"), "<svg></svg>")?;
        std::fs::write(folder.join("pictures/b.svg"), "text")?;
        let pictures = Pictures::new(Media::open(data.path())?, &folder, None, false, false);
        let outside = data.path().join("secret.svg").display().to_string();
        let table = [
            ("pictures/b.svg", PictureFault::NotAPicture),
            ("pictures", PictureFault::NoFile),
            ("pictures/c.svg", PictureFault::NoFile),
            ("../secret.svg", PictureFault::OutsideFolder),
            ("..\\secret.svg", PictureFault::OutsideFolder),
            (outside.as_str(), PictureFault::OutsideFolder),
            ("file:///etc/passwd", PictureFault::BadAddress),
            ("http://", PictureFault::BadAddress),
            ("http://127.0.0.1:1/a.png", PictureFault::PrivateHost),
            ("http://[::1]/a.png", PictureFault::PrivateHost),
            ("http://2130706433/a.png", PictureFault::PrivateHost),
        ];
        for (source, expected) in table {
            assert_eq!(pictures.get(source, None).await, Err(expected), "{source}");
        }
        assert!(pictures.get("./pictures/a.svg", None).await.is_ok());
        Ok(())
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_refused() -> Result<(), Box<dyn Error>> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let data = tempfile::tempdir()?;
        let pictures = Pictures::new(Media::open(data.path())?, data.path(), Some(client(false)?), false, false);
        assert_eq!(pictures.get("http://localhost:1/a.png", None).await, Err(PictureFault::PrivateHost));
        Ok(())
    }
}
