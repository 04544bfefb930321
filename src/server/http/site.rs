//! The built site: the client, its styles and the public files. All of it is a few megabytes and lives in memory, with
//! the compressed forms that the build made, so that an answer is one look into a table. An address is looked up, never
//! made into a path, and so cannot leave the site.

use super::Front;
use crate::domain::{Locale, texts};
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE,
            IF_NONE_MATCH, LAST_MODIFIED, VARY,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use brotli::{BrotliCompress, enc::BrotliEncoderParams};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, fs, io, path::Path, time::SystemTime};

/// The name of the client's files.
pub const NAME: &str = "xiadan";
/// The file with the hashes in the names of the client's files.
const HASHES: &str = "hash.txt";
/// The folder of the style sheets, from where `cargo leptos watch` runs.
const STYLES: &str = "style";

/// All files of the site by address.
#[derive(Default)]
pub struct Site {
    files: HashMap<String, File>,
    pub names: Names,
    /// The files of each part of the client that is loaded when a page of it is opened, by the name of the part.
    pub parts: HashMap<String, Vec<String>>,
}

/// The addresses of the client's files.
#[derive(Clone, Default)]
pub struct Names {
    pub css: String,
    pub js: String,
    pub wasm: String,
    /// The loader of the parts, when the client has any.
    pub loader: Option<String>,
    /// By locale, the texts that the first visit shows, and the rest.
    texts: [[String; 2]; 2],
}

impl Names {
    /// The addresses of the client's texts in a language: those that the first visit shows, and the rest.
    pub fn texts(&self, locale: Locale) -> &[String; 2] {
        &self.texts[locale as usize]
    }
}

struct File {
    plain: Encoded,
    brotli: Option<Encoded>,
    gzip: Option<Encoded>,
    content_type: HeaderValue,
    cache: HeaderValue,
    modified: HeaderValue,
}

struct Encoded {
    content: Bytes,
    tag: HeaderValue,
}

impl Site {
    /// Reads a folder made by `cargo xtask build`. A missing folder is an empty site: pages work, without client and
    /// styles.
    ///
    /// # Errors
    /// When something in the folder cannot be read.
    pub fn load(folder: &Path) -> io::Result<Self> {
        // `cargo xtask` writes them into the site, `cargo leptos` beside the program.
        let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join(HASHES)));
        let mut hashes = hashes_in(&folder.join(HASHES))?;
        let lasting = !hashes.is_empty();
        if let (false, Some(beside)) = (lasting, beside) {
            hashes = hashes_in(&beside)?;
        }
        let name = |start: &str, kind: &str, end: &str| match hashes.get(kind) {
            Some(hash) => format!("/pkg/{start}.{hash}.{end}"),
            None => format!("/pkg/{start}.{end}"),
        };
        let mut contents = HashMap::new();
        if folder.exists() {
            read(folder, "", &mut contents)?;
        }
        // `cargo leptos watch` leaves the style sheet's imports to the browser.
        if !lasting && std::env::var_os("LEPTOS_WATCH").is_some() && Path::new(STYLES).exists() {
            read(Path::new(STYLES), "/pkg", &mut contents)?;
        }
        let loader = Some(name("__wasm_split", "split", "js")).filter(|loader| contents.contains_key(loader));
        let names = Names {
            css: name(NAME, "css", "css"),
            js: name(NAME, "js", "js"),
            wasm: name(NAME, "wasm", "wasm"),
            loader,
            texts: Locale::ALL.map(|locale| {
                texts::DELIVERED[locale as usize].map(|table| {
                    let hash = crate::server::crypto::hex(&Sha256::digest(table)[..12]);
                    format!("/pkg/texts.{}.{hash}.txt", locale.tag())
                })
            }),
        };
        let parts = contents.get(&name("__wasm_split_manifest", "manifest", "json"));
        let parts = parts.map(|(content, _)| parts_of(content)).unwrap_or_default();
        let mut files = HashMap::new();
        for (address, (content, modified)) in &contents {
            if address.ends_with(".br") || address.ends_with(".gz") {
                continue;
            }
            let encoded = |end: &str| {
                contents.get(&format!("{address}.{end}")).and_then(|(content, _)| Encoded::new(content, end))
            };
            let Some(plain) = Encoded::new(content, "") else { continue };
            let file = File {
                plain,
                brotli: encoded("br"),
                gzip: encoded("gz"),
                content_type: HeaderValue::from_static(content_type(address)),
                cache: HeaderValue::from_static(cache(address, lasting)),
                modified: http_date(*modified),
            };
            files.insert(address.clone(), file);
        }
        if contents.contains_key(&names.js) {
            let tables = names.texts.iter().flatten().zip(texts::DELIVERED.as_flattened());
            for (address, table) in tables {
                files.insert(address.clone(), File::of_texts(table)?);
            }
        }
        Ok(Self { files, names, parts })
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The answer for a file, if the site has it.
    fn answer(&self, address: &str, head_only: bool, request: &HeaderMap) -> Option<Response> {
        let file = self.files.get(address)?;
        let (encoded, encoding) = file.best(request);
        let mut response = if file.is_known(&encoded.tag, request) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let content = if head_only { Body::empty() } else { encoded.content.clone().into() };
            let length = HeaderValue::from(encoded.content.len());
            let mut response =
                ([(CONTENT_TYPE, file.content_type.clone()), (CONTENT_LENGTH, length)], content).into_response();
            if let Some(encoding) = encoding {
                response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            response
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, file.cache.clone());
        headers.insert(ETAG, encoded.tag.clone());
        headers.insert(LAST_MODIFIED, file.modified.clone());
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        Some(response)
    }
}

impl Encoded {
    /// Names the content by its hash; `end` keeps the tags of its compressed forms apart.
    fn new(content: &Bytes, end: &str) -> Option<Self> {
        let hash = crate::server::crypto::hex(&Sha256::digest(content)[..12]);
        Some(Self { content: content.clone(), tag: HeaderValue::from_str(&format!("\"{hash}{end}\"")).ok()? })
    }
}

impl File {
    /// A table of the client's texts. Its numbers are those of this program's build, so it comes from the program.
    fn of_texts(table: &'static str) -> io::Result<Self> {
        // Fast enough to be done at each start.
        let quality = BrotliEncoderParams { quality: 6, ..BrotliEncoderParams::default() };
        let mut brotli = Vec::new();
        BrotliCompress(&mut table.as_bytes(), &mut brotli, &quality)?;
        let plain = Encoded::new(&Bytes::from_static(table.as_bytes()), "").ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self {
            plain,
            brotli: Encoded::new(&brotli.into(), "br"),
            gzip: None,
            content_type: HeaderValue::from_static(content_type("texts.txt")),
            cache: HeaderValue::from_static(cache("/pkg/", true)),
            modified: http_date(SystemTime::now()),
        })
    }

    /// The smallest form that the browser reads.
    fn best(&self, request: &HeaderMap) -> (&Encoded, Option<&'static str>) {
        let accepts = |name| accepts(request, name);
        match (&self.brotli, &self.gzip) {
            (Some(brotli), _) if accepts("br") => (brotli, Some("br")),
            (_, Some(gzip)) if accepts("gzip") => (gzip, Some("gzip")),
            _ => (&self.plain, None),
        }
    }

    /// Whether the browser has it already. The date is only compared with the one we sent (RFC 9110 §13.1.3).
    fn is_known(&self, tag: &HeaderValue, request: &HeaderMap) -> bool {
        match request.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()) {
            Some(known) => {
                known.split(',').any(|known| known.trim().trim_start_matches("W/").as_bytes() == tag.as_bytes())
            }
            None => request.get(IF_MODIFIED_SINCE) == Some(&self.modified),
        }
    }
}

/// The hashes by kind of file; none if there is no such file.
fn hashes_in(file: &Path) -> io::Result<HashMap<String, String>> {
    match fs::read_to_string(file) {
        Ok(text) => {
            let lines = text.lines().filter_map(|line| line.split_once(':'));
            Ok(lines.map(|(kind, hash)| (kind.trim().to_owned(), hash.trim().to_owned())).collect())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(HashMap::new()),
        Err(error) => Err(error),
    }
}

/// The addresses in the build's table of parts. There a part is called by its name and a number.
fn parts_of(manifest: &[u8]) -> HashMap<String, Vec<String>> {
    let parts: HashMap<String, Vec<String>> = serde_json::from_slice(manifest).unwrap_or_default();
    let address = |file: String| format!("/pkg/{file}.wasm");
    let name = |part: String| part.rsplit_once('_').map_or(part.clone(), |(name, _)| name.to_owned());
    parts.into_iter().map(|(part, files)| (name(part), files.into_iter().map(address).collect())).collect()
}

/// Whether an encoding is among those accepted and not refused with `q=0`.
fn accepts(request: &HeaderMap, name: &str) -> bool {
    let wishes = request.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    wishes.flat_map(|value| value.split(',')).any(|wish| {
        let (encoding, rest) = wish.split_once(';').unwrap_or((wish, ""));
        let refused = rest.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0));
        encoding.trim().eq_ignore_ascii_case(name) && !refused
    })
}

/// Answers with a file of the site, before anything else is asked.
pub async fn serve(State(front): State<Front>, request: Request, next: Next) -> Response {
    let head_only = request.method() == Method::HEAD;
    if head_only || request.method() == Method::GET {
        if let Some(response) = front.site.answer(request.uri().path(), head_only, request.headers()) {
            return response;
        }
        // A part of an older client; a page in its place would only be misread.
        if request.uri().path().starts_with("/pkg/") {
            return StatusCode::NOT_FOUND.into_response();
        }
    }
    next.run(request).await
}

/// Reads a folder and all below it.
fn read(folder: &Path, address: &str, files: &mut HashMap<String, (Bytes, SystemTime)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (Some(name), path) = (entry.file_name().to_str().map(str::to_owned), entry.path()) else { continue };
        let address = format!("{address}/{name}");
        let about = fs::metadata(&path)?;
        if about.is_dir() {
            read(&path, &address, files)?;
        } else if name != HASHES {
            let modified = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            files.insert(address, (fs::read(&path)?.into(), modified));
        }
    }
    Ok(())
}

/// How long browsers may use a file without asking. What carries a hash in its name never changes; scripts that decide
/// what else is loaded are asked for each time.
fn cache(address: &str, hashed: bool) -> &'static str {
    if address.starts_with("/pkg/") && hashed {
        "public, max-age=31536000, immutable"
    } else if address.starts_with("/pkg/") || address.ends_with(".js") || address.ends_with(".webmanifest") {
        "no-cache"
    } else {
        // Pictures for the most part: the one from before is shown at once, and another one fetched meanwhile.
        "public, max-age=600, stale-while-revalidate=86400"
    }
}

/// The type of a file by the end of its name.
pub fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("wasm") => "application/wasm",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml; charset=utf-8",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("avif") => "image/avif",
        Some("gif") => "image/gif",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// A date as HTTP writes it (RFC 9110 §5.6.7).
fn http_date(time: SystemTime) -> HeaderValue {
    let text = jiff::Timestamp::try_from(time).map(|time| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    text.ok()
        .and_then(|text| HeaderValue::from_str(&text).ok())
        .unwrap_or(HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn site() -> io::Result<(tempfile::TempDir, Site)> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("pkg"))?;
        fs::write(folder.path().join(HASHES), "js: H1\nwasm: H1\ncss: H2\nmanifest: H1\nsplit: H1\n")?;
        fs::write(folder.path().join("pkg/xiadan.H1.js"), "hydrate()")?;
        fs::write(folder.path().join("pkg/xiadan.H2.css"), "a{}")?;
        fs::write(folder.path().join("pkg/xiadan.H2.css.br"), "brotli")?;
        fs::write(
            folder.path().join("pkg/__wasm_split_manifest.H1.json"),
            r#"{"office_123":["chunk_1.H1","split_office_123.H1"]}"#,
        )?;
        fs::write(folder.path().join("icons.svg"), "<svg/>")?;
        let site = Site::load(folder.path())?;
        Ok((folder, site))
    }

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn names_come_from_the_build() -> io::Result<()> {
        let (_folder, site) = site()?;
        assert_eq!(site.names.css, "/pkg/xiadan.H2.css");
        assert_eq!(site.names.wasm, "/pkg/xiadan.H1.wasm");
        assert_eq!(site.names.loader, None, "this client has no loader");
        assert_eq!(site.parts["office"], ["/pkg/chunk_1.H1.wasm", "/pkg/split_office_123.H1.wasm"]);
        assert!(Site::load(Path::new("/nowhere"))?.is_empty());
        Ok(())
    }

    #[test]
    fn a_hashed_file_is_sent_compressed_and_kept_for_ever() -> io::Result<()> {
        let (_folder, site) = site()?;
        let answer = site.answer("/pkg/xiadan.H2.css", false, &headers(&[(ACCEPT_ENCODING, "gzip, br;q=0.9")]));
        let Some(answer) = answer else { return Err(io::Error::other("no answer")) };
        assert_eq!(answer.headers()[CONTENT_ENCODING], "br");
        assert_eq!(answer.headers()[CONTENT_TYPE], "text/css; charset=utf-8");
        assert_eq!(answer.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
        let plain = site.answer("/pkg/xiadan.H2.css", true, &headers(&[(ACCEPT_ENCODING, "br;q=0")]));
        let Some(plain) = plain else { return Err(io::Error::other("no answer")) };
        assert!(!plain.headers().contains_key(CONTENT_ENCODING));
        assert_eq!(plain.headers()[CONTENT_LENGTH], "3");
        assert_ne!(plain.headers()[ETAG], answer.headers()[ETAG], "each form has a tag of its own");
        Ok(())
    }

    #[test]
    fn the_texts_of_a_language_are_delivered_in_two_tables() -> io::Result<()> {
        let (_folder, site) = site()?;
        let mut tables = Vec::new();
        for address in Locale::ALL.iter().flat_map(|locale| site.names.texts(*locale)) {
            let file = site.files.get(address).ok_or(io::Error::other("no such file"))?;
            assert_eq!(file.cache, "public, max-age=31536000, immutable");
            let brotli = file.brotli.as_ref().ok_or(io::Error::other("not compressed"))?;
            let mut plain = Vec::new();
            brotli::BrotliDecompress(&mut &brotli.content[..], &mut plain)?;
            assert_eq!(plain, file.plain.content);
            tables.push(String::from_utf8(plain).map_err(io::Error::other)?.split('\u{1e}').count());
        }
        assert_eq!(tables[..2], tables[2..], "the numbers mean the same in every language");
        let [first, rest] = texts::DELIVERED[Locale::En as usize];
        assert!(
            first.contains(Locale::En.t(texts::shell::NAME)) && !rest.contains(Locale::En.t(texts::error::BROKEN_TEXT))
        );
        Ok(())
    }

    #[test]
    fn a_known_file_is_not_sent_again() -> io::Result<()> {
        let (_folder, site) = site()?;
        let first = site.answer("/icons.svg", false, &HeaderMap::new()).ok_or(io::Error::other("no answer"))?;
        for name in [ETAG, LAST_MODIFIED] {
            let asked = if name == ETAG { IF_NONE_MATCH } else { IF_MODIFIED_SINCE };
            let request = HeaderMap::from_iter([(asked, first.headers()[&name].clone())]);
            let again = site.answer("/icons.svg", false, &request).ok_or(io::Error::other("no answer"))?;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        }
        let other = headers(&[(IF_NONE_MATCH, "\"other\""), (IF_MODIFIED_SINCE, "Thu, 01 Jan 1970 00:00:00 GMT")]);
        let again = site.answer("/icons.svg", false, &other).ok_or(io::Error::other("no answer"))?;
        assert_eq!(again.status(), StatusCode::OK);
        Ok(())
    }

    #[test]
    fn no_address_leaves_the_site() -> io::Result<()> {
        let (_folder, site) = site()?;
        for address in [
            "/../Cargo.toml",
            "/pkg/../hash.txt",
            "/hash.txt",
            "/%2e%2e/hash.txt",
            "/pkg",
            "/",
            "//icons.svg",
            "/icons.svg/",
        ] {
            assert!(site.answer(address, false, &HeaderMap::new()).is_none(), "{address}");
        }
        Ok(())
    }
}
