//! Reading a backup: every part is looked at as a whole before anything is made of it, and the file is complete when its
//! manifest says of each part what was read.

use super::{
    BackupError, Contents, FORM, HEADER, Head, MANIFEST, MANIFEST_SUM, MASTER_KEY, Manifest, Part, TableHead, TableSum,
    at,
    rows::{Sum, read_line},
    seal::{self, BackupKey, Opener},
    tar,
};
use crate::server::{
    crypto::{hex, sha256},
    db::Value,
    media::Media,
};
use flate2::bufread::GzDecoder;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

/// The longest part after it was unpacked, in bytes.
const UNPACKED: u64 = 512 * 1024 * 1024;

/// Something that was read.
pub enum Piece {
    Head(Head),
    /// Rows of the table at this place among those of the head.
    Rows(usize, Vec<Vec<Value>>),
    /// A picture, under the name of its content.
    Picture(String, Vec<u8>),
    /// In hexadecimal.
    MasterKey(String),
}

/// Reads a backup to its end, and gives what it finds to `each`. What was given counts when this has come to its end.
/// Blocks.
///
/// # Errors
/// See [`BackupError`]; that of `each`.
pub fn read(
    file: &Path,
    key: Option<&BackupKey>,
    mut each: impl FnMut(Piece) -> Result<(), BackupError>,
) -> Result<Contents, BackupError> {
    let mut from = BufReader::with_capacity(256 * 1024, File::open(file).map_err(at(file))?);
    let bytes = from.get_ref().metadata().map_err(at(file))?.len();
    let mut first = [0; seal::MAGIC.len()];
    from.read_exact(&mut first)?;
    let (head, manifest) = match (first == seal::MAGIC, key) {
        (true, Some(key)) => archive(&mut Opener::new(from, key)?, &mut each),
        (true, None) => Err(BackupError::KeyNeeded),
        (false, None) if first.starts_with(HEADER.as_bytes()) => archive(&mut (&first[..]).chain(from), &mut each),
        (false, Some(_)) if first.starts_with(HEADER.as_bytes()) => Err(BackupError::NotSealed),
        (false, _) => Err(BackupError::NoBackup),
    }?;
    Ok(Contents { head, manifest, sealed: key.is_some(), bytes })
}

/// Examines a backup without a database; answers with what it holds. Blocks.
///
/// # Errors
/// See [`BackupError`].
pub fn verify(file: &Path, key: Option<&BackupKey>) -> Result<Contents, BackupError> {
    read(file, key, |_| Ok(()))
}

type Each<'a> = &'a mut dyn FnMut(Piece) -> Result<(), BackupError>;

/// What was read so far.
struct Seen {
    head: Head,
    parts: Vec<Part>,
    sums: BTreeMap<String, Sum>,
    pictures: u64,
}

fn archive(from: &mut impl Read, each: Each<'_>) -> Result<(Head, Manifest), BackupError> {
    let (name, bytes) = tar::read(from)?.ok_or_else(|| damaged("it is empty"))?;
    if name != HEADER {
        return Err(BackupError::NoBackup);
    }
    let head: Head = match serde_json::from_slice::<serde_json::Value>(&bytes) {
        // Before anything else: a newer form may have other fields.
        Ok(json) => match json["form"].as_u64() {
            Some(form) if form > u64::from(FORM) => return Err(BackupError::Newer(format!("form {form}"))),
            _ => serde_json::from_value(json).map_err(|_| damaged("its header cannot be read"))?,
        },
        Err(_) => return Err(damaged("its header cannot be read")),
    };
    each(Piece::Head(head.clone()))?;
    let sums = head.tables.iter().map(|table| (table.name.clone(), Sum::default())).collect();
    let mut seen = Seen { head, parts: vec![part(&name, &bytes)], sums, pictures: 0 };
    loop {
        let (name, bytes) = tar::read(from)?.ok_or(BackupError::Truncated)?;
        if name == MANIFEST {
            let sum = tar::read(from)?.ok_or(BackupError::Truncated)?;
            if sum != (MANIFEST_SUM.to_owned(), hex(&sha256(&bytes)).into_bytes()) {
                return Err(damaged("its manifest is not what was written"));
            }
            if tar::read(from)?.is_some() {
                return Err(damaged("there is something behind its manifest"));
            }
            let manifest: Manifest =
                serde_json::from_slice(&bytes).map_err(|_| damaged("its manifest cannot be read"))?;
            seen.agree_with(&manifest)?;
            return Ok((seen.head, manifest));
        }
        seen.parts.push(part(&name, &bytes));
        each(seen.piece(&name, bytes)?)?;
    }
}

fn damaged(what: &str) -> BackupError {
    BackupError::Damaged(what.to_owned())
}

fn part(name: &str, bytes: &[u8]) -> Part {
    Part { name: name.to_owned(), bytes: bytes.len() as u64, sha256: hex(&sha256(bytes)) }
}

impl Seen {
    fn piece(&mut self, name: &str, bytes: Vec<u8>) -> Result<Piece, BackupError> {
        if let Some(picture) = name.strip_prefix("media/") {
            if Media::describe(&bytes).is_none_or(|stored| stored.name != picture) {
                return Err(BackupError::Damaged(format!("{name} is another picture")));
            }
            self.pictures += 1;
            return Ok(Piece::Picture(picture.to_owned(), bytes));
        }
        if name == MASTER_KEY && self.head.with_master_key {
            let key = String::from_utf8(bytes).map_err(|_| damaged("its master key cannot be read"))?;
            return Ok(Piece::MasterKey(key));
        }
        let number = self.parts.iter().filter(|part| part.name.starts_with("rows/")).count();
        let table = name.strip_prefix(&format!("rows/{number:06}-")).and_then(|rest| rest.strip_suffix(".jsonl.gz"));
        let place = table.and_then(|table| self.head.tables.iter().position(|head| head.name == table));
        let (Some(place), Some(table)) = (place, table) else {
            return Err(BackupError::Damaged(format!("{name} is no part of a backup")));
        };
        let mut lines = Vec::new();
        let mut packed = GzDecoder::new(&bytes[..]).take(UNPACKED + 1);
        let unpacked = packed.read_to_end(&mut lines);
        if unpacked.is_err() || lines.len() as u64 > UNPACKED {
            return Err(BackupError::Damaged(format!("{name} cannot be unpacked")));
        }
        let TableHead { columns, .. } = &self.head.tables[place];
        let sum = self.sums.entry(table.to_owned()).or_default();
        let mut rows = Vec::new();
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            sum.add(line);
            rows.push(read_line(line, columns.iter().map(|(_, kind)| *kind))?);
        }
        Ok(Piece::Rows(place, rows))
    }

    fn agree_with(&self, manifest: &Manifest) -> Result<(), BackupError> {
        if let Some((read, _)) = self.parts.iter().zip(&manifest.parts).find(|(read, written)| read != written) {
            return Err(BackupError::Damaged(format!("{} is not what was written", read.name)));
        }
        if self.parts.len() != manifest.parts.len() || self.pictures != manifest.pictures {
            return Err(damaged("a part is missing, or there is one too many"));
        }
        let sum = |table: &TableHead| {
            let sum = self.sums.get(&table.name).copied().unwrap_or_default();
            TableSum { name: table.name.clone(), rows: sum.rows, sum: sum.text() }
        };
        let sums: Vec<_> = self.head.tables.iter().map(sum).collect();
        match sums.iter().zip(&manifest.tables).find(|(read, written)| read != written) {
            Some((read, _)) => Err(BackupError::Damaged(format!("rows of {} are missing", read.name))),
            None if sums.len() == manifest.tables.len() => Ok(()),
            None => Err(damaged("a table is missing")),
        }
    }
}
