//! A bucket of a store that speaks as Amazon S3 does, where nodes on several machines keep their pictures: each picture is
//! the object `media/<name>`. What of that protocol is needed is here: putting, getting and listing, signed by version 4
//! ("Authenticating Requests: Using the Authorization Header" in the documentation of S3).

use crate::{
    domain::catalog::percent_encode,
    server::crypto::{hex, mac, sha256},
};
use jiff::Timestamp;
use reqwest::{Client, Method, Response, StatusCode, Url, redirect::Policy};
use std::{collections::BTreeSet, fmt, io, sync::Arc, time::Duration};

/// Where the pictures are in the bucket.
const FOLDER: &str = "media/";
/// The region of stores that have none.
const REGION: &str = "us-east-1";
/// How long one request may take, and how often it is tried where the store cannot be reached or breaks.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How much of that connecting may take: a store that is not there must not hold up whoever wants a picture.
const CONNECT: Duration = Duration::from_secs(5);
const TRIES: u32 = 3;
/// The pause after the first try; it grows with each.
const PAUSE: Duration = Duration::from_millis(300);
/// The longest object that is taken for a picture, in bytes.
const LONGEST: usize = 64 << 20;

/// Which bucket, and the key to it.
#[derive(Clone)]
pub struct Settings {
    /// `https://store.example/bucket`, or `https://bucket.store.example`.
    pub url: String,
    pub region: String,
    pub key_id: String,
    pub key_secret: String,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Settings {
    /// What the environment says: a command line can be read by others. `None` where it names no bucket.
    ///
    /// # Errors
    /// A key that is missing.
    pub fn from_environment() -> Result<Option<Self>, String> {
        let Some(url) = std::env::var("XIADAN_S3_URL").ok().filter(|url| !url.is_empty()) else { return Ok(None) };
        let secret = |name: &str| std::env::var(name).map_err(|_| format!("pictures in a bucket need {name}"));
        let region = std::env::var("XIADAN_S3_REGION").unwrap_or_else(|_| REGION.to_owned());
        let (key_id, key_secret) = (secret("XIADAN_S3_KEY_ID")?, secret("XIADAN_S3_KEY_SECRET")?);
        Ok(Some(Self { url, region, key_id, key_secret }))
    }
}

/// A bucket. Cheap to clone.
#[derive(Clone)]
pub struct Bucket(Arc<Inner>);

struct Inner {
    client: Client,
    settings: Settings,
    /// Scheme and host.
    origin: String,
    host: String,
    /// The bucket's path, without a slash at the end; empty where the host names the bucket.
    base: String,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(&self.0.settings.url).finish()
    }
}

impl Bucket {
    /// Nothing is asked of it yet.
    ///
    /// # Errors
    /// An address that names no bucket.
    pub fn open(settings: Settings) -> Result<Self, String> {
        let wrong = || {
            let url = &settings.url;
            format!(
                "{url}: the address of a bucket is such as https://store.example/bucket or https://bucket.store.example"
            )
        };
        let url = Url::parse(&settings.url).map_err(|_| wrong())?;
        let (Some(host), "http" | "https") = (url.host_str(), url.scheme()) else { return Err(wrong()) };
        let base = url.path().trim_end_matches('/').to_owned();
        if base.matches('/').count() > 1 || url.query().is_some() {
            return Err(wrong());
        }
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let origin = format!("{}://{host}", url.scheme());
        let client = Client::builder().timeout(TIMEOUT).connect_timeout(CONNECT).user_agent("xiadan");
        let client = client.redirect(Policy::none()).build().map_err(|error| error.to_string())?;
        Ok(Self(Arc::new(Inner { client, settings, origin, host, base })))
    }

    /// Keeps a picture under its name.
    ///
    /// # Errors
    /// When it is not kept for sure.
    pub async fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let answer = self.send(Method::PUT, &self.path(name), "", bytes).await?;
        if answer.status().is_success() { Ok(()) } else { Err(refused(answer.status())) }
    }

    /// The picture of a name, as it is there; `None` where there is none.
    ///
    /// # Errors
    /// When the bucket cannot be reached or refuses.
    pub async fn get(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let mut answer = self.send(Method::GET, &self.path(name), "", &[]).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => return Ok(None),
            status if !status.is_success() => return Err(refused(status)),
            _ => {}
        }
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(lost)? {
            bytes.extend_from_slice(&part);
            if bytes.len() > LONGEST {
                return Err(io::Error::other("an object in the bucket is too long for a picture"));
            }
        }
        Ok(Some(bytes))
    }

    /// The names of all pictures that are there.
    ///
    /// # Errors
    /// When the bucket cannot be reached or refuses.
    pub async fn names(&self) -> io::Result<BTreeSet<String>> {
        let (mut names, mut after) = (BTreeSet::new(), String::new());
        loop {
            // In the order of their names, as they are signed.
            let query = format!("{after}list-type=2&prefix={}", percent_encode(FOLDER));
            let answer = self.send(Method::GET, &format!("{}/", self.0.base), &query, &[]).await?;
            if !answer.status().is_success() {
                return Err(refused(answer.status()));
            }
            let text = answer.text().await.map_err(lost)?;
            let keys = between(&text, "<Key>", "</Key>");
            names.extend(keys.filter_map(|key| key.strip_prefix(FOLDER)).map(str::to_owned));
            match between(&text, "<NextContinuationToken>", "</NextContinuationToken>").next() {
                Some(token) => after = format!("continuation-token={}&", percent_encode(&token.replace("&amp;", "&"))),
                None => return Ok(names),
            }
        }
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{FOLDER}{name}", self.0.base)
    }

    /// Sends a request, again where it did not get through: each may be done twice without harm.
    async fn send(&self, method: Method, path: &str, query: &str, body: &[u8]) -> io::Result<Response> {
        let mut tries = 1;
        loop {
            let answer = self.try_once(&method, path, query, body).await;
            let done = answer.as_ref().is_ok_and(|answer| !answer.status().is_server_error());
            if done || tries == TRIES {
                return answer.map_err(lost);
            }
            tokio::time::sleep(PAUSE * tries).await;
            tries += 1;
        }
    }

    async fn try_once(&self, method: &Method, path: &str, query: &str, body: &[u8]) -> reqwest::Result<Response> {
        let Inner { client, settings, origin, host, .. } = &*self.0;
        let date = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let sum = hex(&sha256(body));
        let authorization = authorization(settings, (method.as_str(), path, query), host, &date, &sum);
        let address = format!("{origin}{path}{}{query}", if query.is_empty() { "" } else { "?" });
        let request = client.request(method.clone(), address).header("authorization", authorization);
        let request = request.header("x-amz-content-sha256", sum).header("x-amz-date", date);
        request.body(body.to_vec()).send().await
    }
}

/// The `Authorization` of a request. `query` is encoded, in the order of its names; `sum` is that of the body.
fn authorization(
    settings: &Settings,
    (method, path, query): (&str, &str, &str),
    host: &str,
    date: &str,
    sum: &str,
) -> String {
    const NAMES: &str = "host;x-amz-content-sha256;x-amz-date";
    let canonical = format!(
        "{method}\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{sum}\nx-amz-date:{date}\n\n{NAMES}\n{sum}"
    );
    let scope = [date.get(..8).unwrap_or_default(), settings.region.as_str(), "s3", "aws4_request"];
    let begin = format!("AWS4{}", settings.key_secret).into_bytes();
    let key = scope.iter().fold(begin, |key, part| mac(&key, part.as_bytes()).to_vec());
    let scope = scope.join("/");
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&sha256(canonical.as_bytes())));
    let signature = hex(&mac(&key, to_sign.as_bytes()));
    format!("AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={NAMES}, Signature={signature}", settings.key_id)
}

/// What stands between two tags, each time.
fn between<'t>(text: &'t str, begin: &'t str, end: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(begin).skip(1).filter_map(move |rest| Some(rest.split_once(end)?.0))
}

fn refused(status: StatusCode) -> io::Error {
    io::Error::other(format!("the bucket of the pictures answers with {status}"))
}

/// Without its text, which may name more than belongs into a log.
fn lost(_: reqwest::Error) -> io::Error {
    io::Error::other("the bucket of the pictures cannot be reached")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of the examples in the documentation of S3.
    fn settings(url: &str) -> Settings {
        Settings {
            url: url.to_owned(),
            region: REGION.to_owned(),
            key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            key_secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        }
    }

    #[test]
    fn a_request_is_signed_as_the_documentation_signs_it() {
        let (host, date) = ("examplebucket.s3.amazonaws.com", "20130524T000000Z");
        let asked = ("GET", "/", "max-keys=2&prefix=J");
        let signed =
            authorization(&settings("https://examplebucket.s3.amazonaws.com"), asked, host, date, &hex(&sha256(b"")));
        assert_eq!(
            signed,
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
            SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
            Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }

    #[test]
    fn a_bucket_is_named_by_a_path_or_by_a_host() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        for (url, origin, base) in [
            ("https://store.example/shop", "https://store.example", "/shop"),
            ("http://127.0.0.1:9000/shop/", "http://127.0.0.1:9000", "/shop"),
            ("https://shop.oss-cn-hangzhou.aliyuncs.com", "https://shop.oss-cn-hangzhou.aliyuncs.com", ""),
        ] {
            let bucket = Bucket::open(settings(url)).map(|bucket| (bucket.0.origin.clone(), bucket.0.base.clone()));
            assert_eq!(bucket, Ok((origin.to_owned(), base.to_owned())), "{url}");
        }
        for url in
            ["", "shop", "ftp://store.example/shop", "https://store.example/shop/pictures", "https://a.example/?b"]
        {
            assert!(Bucket::open(settings(url)).is_err(), "{url}");
        }
    }

    #[test]
    fn names_are_read_out_of_a_list() {
        let list =
            "<Contents><Key>media/a.png</Key><Size>1</Size></Contents><Contents><Key>media/b.png</Key></Contents>";
        assert_eq!(between(list, "<Key>", "</Key>").collect::<Vec<_>>(), ["media/a.png", "media/b.png"]);
        assert_eq!(between("<Key>cut", "<Key>", "</Key>").count(), 0);
    }
}
