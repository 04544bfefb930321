//! Making a backup: of one state of the database, whatever is written meanwhile, and of the pictures that are there after
//! it was read. Pictures are kept before rows name them and are never removed, so that all that the rows name are among them.

use super::{
    Applied, BackupError, Contents, FORM, HEADER, Head, MANIFEST, MANIFEST_SUM, MASTER_KEY, Manifest, Part, Progress,
    TableHead, TableSum, Watch, at, blocking,
    rows::{Sum, write_line},
    seal::{BackupKey, Sealer},
    tar,
};
use crate::{
    args,
    server::{
        context::now,
        crypto::{hex, random, sha256},
        db::{Db, DbError, Tx, tables},
        media::Media,
    },
};
use flate2::{Compression, write::GzEncoder};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// The length of the rows in one part, in bytes before they are compressed; a part is never less than a row.
const PART: usize = 4 * 1024 * 1024;

/// What to write.
#[derive(Clone)]
pub struct Plan {
    /// The name of the file, at which nothing is yet.
    pub to: PathBuf,
    /// Seals it.
    pub key: Option<BackupKey>,
    /// To be taken along, in hexadecimal; only into a sealed file.
    pub master_key: Option<String>,
}

/// The name under which a backup of this time (UTC milliseconds) is kept.
pub fn file_name(at: i64, sealed: bool) -> String {
    let time = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    format!("xiadan-{}.{}", time.strftime("%Y%m%dT%H%M%SZ"), if sealed { "sealed" } else { "tar" })
}

/// Makes a backup. It gets its name when it is complete, and whatever goes wrong before leaves nothing behind.
///
/// # Errors
/// When something has that name, the database cannot be read or the file not be written.
pub async fn write(db: &Db, media: &Media, plan: Plan, watch: Watch) -> Result<Contents, BackupError> {
    if plan.master_key.is_some() && plan.key.is_none() {
        return Err(BackupError::Refused(
            "the master key goes into a sealed backup alone: give a key to seal it".into(),
        ));
    }
    if plan.to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(plan.to));
    }
    let aside = Aside::new(&plan.to)?;
    let _leaving = Leaving(aside.stopped.clone());
    let (kind, created_at) = (db.kind().as_str(), now());
    let (path, stopped, told, with) = (aside.path.clone(), aside.stopped.clone(), watch.clone(), plan.clone());
    let (archive, head, sums) = db
        .read_long::<_, BackupError>(move |tx| {
            let (path, stopped, watch, plan) = (path.clone(), stopped.clone(), told.clone(), with.clone());
            Box::pin(async move {
                // Begun anew each time: the transaction may be repeated.
                let mut archive = Archive::create(&path, plan.key.as_ref())?;
                if stopped.load(Ordering::Relaxed) {
                    // Whoever stopped it may have looked for the file before it was there.
                    let _ = fs::remove_file(&path);
                    return Err(BackupError::Stopped);
                }
                let head = head(tx, kind, created_at, plan.master_key.is_some()).await?;
                archive.add(HEADER, &to_json(&head)?)?;
                let sums = dump(tx, &mut archive, &watch, &stopped).await?;
                Ok((archive, head, sums))
            })
        })
        .await?;
    media.bring_all().await?;
    let (media, sealed, stopped) = (media.clone(), plan.key.is_some(), aside.stopped.clone());
    blocking(move || {
        let mut archive = archive;
        let mut pictures = 0;
        for name in media.names()? {
            if stopped.load(Ordering::Relaxed) {
                return Err(BackupError::Stopped);
            }
            let Some(path) = media.path(&name) else { continue };
            let bytes = fs::read(&path).map_err(at(&path))?;
            if Media::describe(&bytes).is_none_or(|stored| stored.name != name) {
                // It is of no use here either, and must not keep the rest from being safe.
                tracing::error!(picture = name, "a picture is not what it was, and is not in the backup");
                continue;
            }
            archive.add(&format!("media/{name}"), &bytes)?;
            pictures += 1;
            watch(Progress::Pictures(pictures));
        }
        if let Some(key) = &plan.master_key {
            archive.add(MASTER_KEY, key.as_bytes())?;
        }
        let (manifest, bytes) = archive.finish(sums, pictures)?;
        aside.take_name(&plan.to)?;
        Ok(Contents { head, manifest, sealed, bytes })
    })
    .await
}

/// Whoever waits for a backup. The work is on other threads, and ends when they go away.
struct Leaving(Arc<AtomicBool>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A file that is being written, under a name of its own, which goes with this value.
struct Aside {
    path: PathBuf,
    /// Whoever waited for it went away.
    stopped: Arc<AtomicBool>,
}

impl Aside {
    fn new(to: &Path) -> Result<Self, BackupError> {
        let name = to.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| BackupError::Refused(format!("{}: no name for a file", to.display())))?;
        let path = to.with_file_name(format!("{name}.{}.part", hex(&random::<4>()?)));
        Ok(Self { path, stopped: Arc::default() })
    }

    /// Gives the file its name, unless there is one of this name by now.
    fn take_name(&self, to: &Path) -> Result<(), BackupError> {
        match fs::hard_link(&self.path, to) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(BackupError::Exists(to.to_owned()));
            }
            // Not every file system knows a second name.
            Err(_) if to.symlink_metadata().is_err() => fs::rename(&self.path, to).map_err(at(to))?,
            Err(error) => return Err(BackupError::File(to.to_owned(), error)),
        }
        // The name has to survive a power cut as well as the content.
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if cfg!(unix) {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))?;
        }
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // It is gone already where it could not be linked, or was never made.
        let _ = fs::remove_file(&self.path);
    }
}

/// The file and what was written of it.
struct Archive {
    out: Out,
    parts: Vec<Part>,
    numbers: u64,
}

enum Out {
    Plain(BufWriter<File>),
    Sealed(Box<Sealer<BufWriter<File>>>),
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Sealed(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Sealed(out) => out.flush(),
        }
    }
}

impl Archive {
    fn create(path: &Path, key: Option<&BackupKey>) -> Result<Self, BackupError> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = BufWriter::with_capacity(256 * 1024, options.open(path).map_err(at(path))?);
        let out = match key {
            Some(key) => Out::Sealed(Box::new(Sealer::new(file, key)?)),
            None => Out::Plain(file),
        };
        Ok(Self { out, parts: Vec::new(), numbers: 0 })
    }

    fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), BackupError> {
        tar::write(&mut self.out, name, bytes)?;
        self.parts.push(Part { name: name.to_owned(), bytes: bytes.len() as u64, sha256: hex(&sha256(bytes)) });
        Ok(())
    }

    /// Adds rows, as lines.
    fn add_rows(&mut self, table: &str, lines: &[u8]) -> Result<(), BackupError> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(lines)?;
        let packed = packed.finish()?;
        self.numbers += 1;
        self.add(&format!("rows/{:06}-{table}.jsonl.gz", self.numbers), &packed)
    }

    /// Writes the end, down to the disk; answers with the length of the file.
    fn finish(mut self, tables: Vec<TableSum>, pictures: u64) -> Result<(Manifest, u64), BackupError> {
        let manifest = Manifest { parts: std::mem::take(&mut self.parts), tables, pictures };
        let text = to_json(&manifest)?;
        tar::write(&mut self.out, MANIFEST, &text)?;
        tar::write(&mut self.out, MANIFEST_SUM, hex(&sha256(&text)).as_bytes())?;
        tar::end(&mut self.out)?;
        let out = match self.out {
            Out::Plain(out) => out,
            Out::Sealed(sealer) => (*sealer).finish()?,
        };
        let file = out.into_inner().map_err(|error| BackupError::Io(error.into_error()))?;
        file.sync_all()?;
        Ok((manifest, file.metadata()?.len()))
    }
}

fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>, BackupError> {
    serde_json::to_vec(value).map_err(|error| BackupError::Io(error.into()))
}

/// What the database is, in the transaction in which it is read.
async fn head(tx: &mut Tx<'_>, kind: &str, created_at: i64, with_master_key: bool) -> Result<Head, BackupError> {
    let names = tables::names(tx).await?;
    if names.contains(tables::UNFINISHED) {
        return Err(BackupError::Unfinished);
    }
    if !names.contains("schema_migration") {
        return Err(BackupError::Refused("there is no shop in this database".into()));
    }
    let rows = tx.all("select name, checksum from schema_migration order by name", args![]).await?;
    let applied = |row: &crate::server::db::Row| -> Result<Applied, DbError> {
        Ok(Applied { name: row.get("name")?, checksum: row.get("checksum")? })
    };
    let mut migrations = rows.iter().map(applied).collect::<Result<Vec<_>, _>>()?;
    migrations.sort_by(|a, b| a.name.cmp(&b.name));
    let mut keys = Vec::new();
    if names.contains("data_key") {
        for row in tx.all("select purpose, id from data_key order by purpose, id", args![]).await? {
            keys.push(format!("{}:{}", row.get::<String>("purpose")?, row.get::<i64>("id")?));
        }
    }
    let tables = tables::all(tx).await?;
    let table = |table: tables::Table| TableHead { name: table.name, columns: table.columns };
    Ok(Head {
        form: FORM,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        created_at,
        database: kind.to_owned(),
        migrations,
        tables: tables.into_iter().map(table).collect(),
        keys,
        with_master_key,
    })
}

/// Writes all rows of all tables.
async fn dump(
    tx: &mut Tx<'_>,
    archive: &mut Archive,
    watch: &Watch,
    stopped: &AtomicBool,
) -> Result<Vec<TableSum>, BackupError> {
    let mut sums = Vec::new();
    for table in tables::all(tx).await? {
        let (mut sum, mut part, mut line) = (Sum::default(), Vec::new(), Vec::new());
        let mut after = None;
        loop {
            if stopped.load(Ordering::Relaxed) {
                return Err(BackupError::Stopped);
            }
            let page = table.page(tx, after.as_deref()).await?;
            let Some(last) = page.last() else { break };
            after = Some(table.key_of(last));
            for row in &page {
                line.clear();
                write_line(&mut line, row)?;
                sum.add(&line);
                part.extend_from_slice(&line);
                if part.len() >= PART {
                    archive.add_rows(&table.name, &part)?;
                    part.clear();
                }
            }
            watch(Progress::Rows { table: table.name.clone(), rows: sum.rows });
        }
        if !part.is_empty() {
            archive.add_rows(&table.name, &part)?;
        }
        sums.push(TableSum { name: table.name, rows: sum.rows, sum: sum.text() });
    }
    Ok(sums)
}
