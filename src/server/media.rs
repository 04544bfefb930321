//! The store of pictures: files named after their content, so that a name never means another picture and equal
//! pictures are kept once.
//!
//! A picture is `media/<first two hex digits>/<32 hex digits>.<type>` in the data folder, complete or not there at all.
//! Smaller versions lie beside it, see [`thumbnail`]. Nothing here loads a picture from elsewhere; the import does.
//!
//! Nodes that share no folder have a [`bucket`]: a picture is put there before it is kept here, and whoever needs one that
//! is not here yet fetches it from there, once. The folder of a node can then be lost without harm.

pub mod bucket;
mod thumbnail;

use bucket::Bucket;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{runtime::Handle, sync::Mutex};

/// How many pictures are fetched from the bucket at once.
const AT_ONCE: usize = 8;

/// Hex digits of the hash in a name: enough that no two pictures ever share one.
const DIGITS: usize = 32;

/// The types of pictures the store takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Png,
    Jpeg,
    WebP,
    Gif,
    Avif,
    Svg,
}

/// A picture in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// `<hash>.<type>`, as in `/media/<name>` and in the database.
    pub name: String,
    /// Pixels; zero where the file does not tell.
    pub width: i64,
    pub height: i64,
}

/// Where the pictures are. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Media {
    folder: PathBuf,
    lanes: thumbnail::Lanes,
    /// Where all nodes keep their pictures, if they share no folder.
    bucket: Option<Bucket>,
    /// Lanes of those who fetch from it: who wants the same picture waits in the same one, so that it is fetched once.
    fetching: Arc<[Mutex<()>]>,
}

impl Format {
    const ALL: [Self; 6] = [Self::Png, Self::Jpeg, Self::WebP, Self::Gif, Self::Avif, Self::Svg];

    /// The end of its file names.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::WebP => "webp",
            Self::Gif => "gif",
            Self::Avif => "avif",
            Self::Svg => "svg",
        }
    }

    /// The type by what the file begins with, whatever it is called.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let brand = bytes.get(4..32.min(bytes.len())).unwrap_or_default();
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::WebP)
        } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
            Some(Self::Gif)
        } else if brand.starts_with(b"ftyp") && brand.chunks_exact(4).any(|b| b == b"avif" || b == b"avis") {
            Some(Self::Avif)
        } else if root_of_svg(bytes).is_some() {
            Some(Self::Svg)
        } else {
            None
        }
    }
}

impl Media {
    /// The store in this data folder; made when missing.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(data: &Path) -> io::Result<Self> {
        let folder = data.join("media");
        fs::create_dir_all(&folder)?;
        let fetching = (0..AT_ONCE).map(|_| Mutex::default()).collect();
        Ok(Self { folder, lanes: thumbnail::lanes(), bucket: None, fetching })
    }

    /// The same with a bucket behind it.
    pub fn with_bucket(self, bucket: Option<Bucket>) -> Self {
        Self { bucket, ..self }
    }

    /// The file of a picture; `None` for what is no name of one. It need not be there.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        let (hash, extension) = name.split_once('.')?;
        let is_hash = hash.len() == DIGITS && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let is_known = Format::ALL.iter().any(|format| format.extension() == extension);
        let group = hash.get(..2)?;
        (is_hash && is_known).then(|| self.folder.join(group).join(name))
    }

    /// The names of all pictures that are there, in order; without the smaller versions, which can be made again. Blocks.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for group in fs::read_dir(&self.folder)? {
            let group = group?.path();
            if !group.is_dir() {
                continue;
            }
            for file in fs::read_dir(group)? {
                let name = file?.file_name();
                names.extend(name.to_str().filter(|name| self.has(name)).map(str::to_owned));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Whether the file of this picture is there.
    pub fn has(&self, name: &str) -> bool {
        self.path(name).is_some_and(|path| path.is_file())
    }

    /// The name and size a picture would have in the store; `None` for what is no picture.
    pub fn describe(bytes: &[u8]) -> Option<Stored> {
        let format = Format::of(bytes)?;
        let hash: String = Sha256::digest(bytes).iter().take(DIGITS / 2).map(|b| format!("{b:02x}")).collect();
        let (width, height) = match format {
            Format::Svg => size_of_svg(root_of_svg(bytes)?),
            _ => imagesize::blob_size(bytes).map_or((0, 0), |size| (pixels(size.width), pixels(size.height))),
        };
        Some(Stored { name: format!("{hash}.{}", format.extension()), width, height })
    }

    /// The file of a picture, fetched from the bucket where it is not here yet. Without a bucket it need not be there.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] for what is no name and where the bucket has none either; any other when it cannot be
    /// fetched or kept.
    pub async fn bring(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path(name).ok_or(io::ErrorKind::NotFound)?;
        let Some(bucket) = &self.bucket else { return Ok(path) };
        if tokio::fs::try_exists(&path).await? {
            return Ok(path);
        }
        let lane = name.bytes().map(usize::from).sum::<usize>() % self.fetching.len();
        let _lane = self.fetching[lane].lock().await;
        // Somebody else may have brought it meanwhile.
        if tokio::fs::try_exists(&path).await? {
            return Ok(path);
        }
        let bytes = bucket.get(name).await?.ok_or(io::ErrorKind::NotFound)?;
        let (media, name, to) = (self.clone(), name.to_owned(), path.clone());
        let keep = move || {
            if Self::describe(&bytes).is_none_or(|stored| stored.name != name) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a picture in the bucket is not what its name says",
                ));
            }
            media.write(&to, &bytes)
        };
        tokio::task::spawn_blocking(keep).await.map_err(io::Error::other)??;
        Ok(path)
    }

    /// Fetches all pictures of the bucket that are not here yet; those that are damaged there are left out.
    ///
    /// # Errors
    /// When the bucket cannot be read, or a picture not be kept.
    pub async fn bring_all(&self) -> io::Result<()> {
        let Some(bucket) = &self.bucket else { return Ok(()) };
        for name in bucket.names().await? {
            if self.path(&name).is_none() {
                continue;
            }
            match self.bring(&name).await {
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    tracing::error!(picture = name, %error, "a picture is left out");
                }
                brought => _ = brought?,
            }
        }
        Ok(())
    }

    /// Puts all pictures into the bucket that are here alone: those from before there was one, or of a backup. Answers with
    /// how many these were.
    ///
    /// # Errors
    /// When a picture cannot be read, or the bucket does not take it.
    pub async fn send_missing(&self) -> io::Result<usize> {
        let Some(bucket) = &self.bucket else { return Ok(0) };
        let media = self.clone();
        let here = tokio::task::spawn_blocking(move || media.names()).await.map_err(io::Error::other)??;
        let there = bucket.names().await?;
        let mut sent = 0;
        for name in here.iter().filter(|name| !there.contains(*name)) {
            let Some(path) = self.path(name) else { continue };
            bucket.put(name, &tokio::fs::read(path).await?).await?;
            sent += 1;
        }
        Ok(sent)
    }

    /// Keeps a picture. Blocks: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] for what is no picture; any other when writing fails.
    pub fn put(&self, bytes: &[u8]) -> io::Result<Stored> {
        let stored = Self::describe(bytes).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        let path = self.path(&stored.name).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        if fs::metadata(&path).is_ok_and(|known| known.len() == bytes.len() as u64) {
            return Ok(stored);
        }
        if let Some(bucket) = &self.bucket {
            // First of all: what a row names every node must be able to show.
            Handle::current().block_on(bucket.put(&stored.name, bytes))?;
        }
        self.write(&path, bytes).map(|()| stored)
    }

    /// Writes a file of the store, whole or not at all.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if let Some(group) = path.parent() {
            fs::create_dir_all(group)?;
        }
        // Several nodes may write to one folder, and in containers all of them may be process 1.
        let unfinished = self.folder.join(format!("{}.part", uuid::Uuid::now_v7()));
        let written = File::create(&unfinished)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&unfinished, path));
        if written.is_err() {
            // What could not be written is of no use; the error that counts is the first.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }
}

fn pixels(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(0)
}

/// The attributes of the `svg` element a file begins with.
fn root_of_svg(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    // The declaration, comments and the document type come before it.
    let comes_before = |after: &&str| ["?xml", "!--", "!DOCTYPE svg"].iter().any(|start| after.starts_with(start));
    while let Some(after) = rest.strip_prefix('<').filter(comes_before) {
        let end = if after.starts_with("!--") { "-->" } else { ">" };
        rest = after.split_once(end)?.1.trim_start();
    }
    let after = rest.strip_prefix("<svg")?;
    after.starts_with(|c: char| c.is_whitespace() || c == '>').then_some(after)?.split_once('>').map(|(root, _)| root)
}

/// Width and height, from these attributes or from the view box.
fn size_of_svg(root: &str) -> (i64, i64) {
    let attribute = |name: &str| {
        let (_, after) = root.split_once(&format!(" {name}="))?;
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        after.get(1..)?.split(quote).next()
    };
    let number = |text: &str| {
        let text = text.trim().trim_end_matches("px");
        let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
        whole.parse::<i64>().ok().filter(|n| (1..=100_000).contains(n))
    };
    let view = || {
        let mut numbers = attribute("viewBox")?.split([' ', ',']).filter(|part| !part.is_empty()).skip(2).map(number);
        Some((numbers.next()??, numbers.next()??))
    };
    match (attribute("width").and_then(number), attribute("height").and_then(number)) {
        (Some(width), Some(height)) => (width, height),
        _ => view().unwrap_or((0, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A transparent picture of one pixel.
    const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

    #[test]
    fn equal_pictures_are_one_file() -> io::Result<()> {
        let data = tempfile::tempdir()?;
        let media = Media::open(data.path())?;
        let first = media.put(GIF)?;
        assert_eq!((first.width, first.height), (1, 1));
        assert!(first.name.ends_with(".gif") && first.name.len() == DIGITS + 4);
        assert_eq!(media.put(GIF)?, first);
        let path = media.path(&first.name).ok_or(io::ErrorKind::NotFound)?;
        assert_eq!(fs::read(&path)?, GIF);
        fs::write(&path, "cut off")?;
        media.put(GIF)?;
        assert_eq!(fs::read(&path)?, GIF, "a damaged file is written again");
        assert_eq!(fs::read_dir(data.path().join("media"))?.count(), 1, "nothing unfinished stays");
        Ok(())
    }

    #[test]
    fn only_pictures_are_taken() -> io::Result<()> {
        let data = tempfile::tempdir()?;
        let media = Media::open(data.path())?;
        for bytes in [&b""[..], b"<html></html>", b"<!doctype html><svg></svg", b"GIF", b"%PDF-1.7", b"<svgx>"] {
            assert!(media.put(bytes).is_err(), "{bytes:?}");
        }
        Ok(())
    }

    #[test]
    fn a_name_leads_nowhere_else() -> io::Result<()> {
        let data = tempfile::tempdir()?;
        let media = Media::open(data.path())?;
        let hash = "0123456789abcdef0123456789abcdef";
        assert!(
            media.path(&format!("{hash}.webp")).is_some_and(|path| path.ends_with(format!("media/01/{hash}.webp")))
        );
        for name in
            ["", "x", "../xiadan.db", &format!("{hash}.exe"), &format!("{hash}.png/.."), &format!("../{hash}.png")]
        {
            assert_eq!(media.path(name), None, "{name}");
        }
        Ok(())
    }

    #[test]
    fn drawings_tell_their_size() {
        let table = [
            ("<svg width=\"30\" height='40px'/>", (30, 40)),
            (
                "<?xml version=\"1.0\"?>\n<!-- <b> --><!DOCTYPE svg>\n<svg xmlns=\"x\" viewBox=\"0 0 64.5 48\"></svg>",
                (64, 48),
            ),
            ("<svg viewBox=\"0,0,10,20\" width=\"100%\" height=\"100%\"></svg>", (10, 20)),
            ("<svg></svg>", (0, 0)),
        ];
        for (text, size) in table {
            let stored = Media::describe(text.as_bytes());
            assert_eq!(stored.map(|stored| (stored.width, stored.height)), Some(size), "{text}");
        }
    }
}
