//! Backups now and then, each made by one of the nodes that are told to.
//!
//! When the last one was begun stands in the settings. Whoever finds that long enough ago moves it forward, by so much that
//! the next one is due in a while, and makes one. As long as that takes it is moved on, and once it is made to when it was
//! begun: one that fails is tried again, and so is one whose maker was ended.

use super::{BackupError, Contents, seal::BackupKey, store, unwatched, write};
use crate::{
    domain::Result,
    server::{App, context::internal, figures},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    pin::pin,
    time::{Duration, Instant, SystemTime},
};
use tokio::time::timeout;

/// After how long one that came to nothing is tried again, in milliseconds: ten minutes.
const AGAIN_MS: i64 = 10 * 60_000;
/// How often one that is being made says so.
const BEAT: Duration = Duration::from_secs(120);
/// What was left of a process that was killed is removed after a day.
const LEFT: Duration = Duration::from_secs(24 * 60 * 60);

/// How backups are made now and then.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The folder they go to.
    pub to: PathBuf,
    /// Between two of them, in milliseconds.
    pub every_ms: i64,
    /// So many are kept; older ones are removed.
    pub keep: usize,
    pub key: Option<BackupKey>,
}

/// Makes a backup if one is due; tells whether it did.
///
/// # Errors
/// When it could not be made; the log says why.
pub async fn run_due(app: &App, now: i64) -> Result<bool> {
    let Some(schedule) = &app.config.backup else { return Ok(false) };
    let Some(mut claimed) = claim(app, schedule, now).await? else { return Ok(false) };
    let begun = Instant::now();
    let mut making = pin!(make(app, schedule, now));
    let made = loop {
        if let Ok(made) = timeout(BEAT, &mut making).await {
            break made;
        }
        let at = now.saturating_add(i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX));
        // Where it cannot be said, another node may begin one as well, which does no harm.
        let next = claim_at(schedule, at);
        if store::move_on(&app.db, claimed.to_string(), next, false).await.is_ok_and(|moved| moved) {
            claimed = next;
        }
    };
    match made {
        Ok(contents) => {
            tracing::info!(folder = %schedule.to.display(), bytes = contents.bytes, "a backup was made");
            store::move_on(&app.db, claimed.to_string(), now, true).await?;
            Ok(true)
        }
        Err(error) => {
            metrics::counter!(figures::BACKUP_FAILURES).increment(1);
            Err(internal("backup", &error))
        }
    }
}

/// The time of the last one by which the next one is due in a while, whatever the schedule.
fn claim_at(schedule: &Schedule, now: i64) -> i64 {
    now.saturating_sub(schedule.every_ms).saturating_add(AGAIN_MS).min(now)
}

/// Moves the time of the last one forward if the next one is due and nobody else did; answers with what it is now.
async fn claim(app: &App, schedule: &Schedule, now: i64) -> Result<Option<i64>> {
    let stored = store::begun(&app.db).await?;
    let last: i64 = stored.parse().unwrap_or(0);
    // A clock that was ahead must not put the next one off for long.
    if (last..last.saturating_add(schedule.every_ms)).contains(&now) {
        return Ok(None);
    }
    let claimed = claim_at(schedule, now);
    Ok(store::move_on(&app.db, stored, claimed, false).await?.then_some(claimed))
}

async fn make(app: &App, schedule: &Schedule, now: i64) -> std::result::Result<Contents, BackupError> {
    let (folder, keep) = (schedule.to.clone(), schedule.keep);
    super::blocking({
        let folder = folder.clone();
        move || fs::create_dir_all(&folder).map_err(super::at(&folder))
    })
    .await?;
    let to = folder.join(write::file_name(now, schedule.key.is_some()));
    let plan = write::Plan { to, key: schedule.key.clone(), master_key: None };
    let contents = write::write(&app.db, &app.media, plan, unwatched()).await?;
    // The backup is there, whatever becomes of the old ones: another one would not help, and need room besides.
    if let Err(error) = super::blocking(move || retain(&folder, keep)).await {
        tracing::error!(%error, "old backups cannot be removed, and will fill the disk");
    }
    Ok(contents)
}

/// Removes the oldest of our files beyond so many, and what was left of those that were not finished. One that cannot be
/// removed keeps no other from it, and is told of in the end.
fn retain(folder: &Path, keep: usize) -> std::result::Result<(), BackupError> {
    let (mut files, mut stuck) = (Vec::new(), None);
    for file in fs::read_dir(folder).map_err(super::at(folder))? {
        let file = file?;
        let Some(name) = file.file_name().to_str().map(str::to_owned) else { continue };
        if is_ours(&name) {
            files.push(name);
        } else if name.starts_with("xiadan-") && name.ends_with(".part") {
            let changed = file.metadata().and_then(|metadata| metadata.modified());
            let age = changed.ok().and_then(|changed| SystemTime::now().duration_since(changed).ok());
            if age.is_some_and(|age| age > LEFT) {
                stuck = remove(&file.path()).err().or(stuck);
            }
        }
    }
    // Their names begin with the time.
    files.sort();
    let old = files.len().saturating_sub(keep.max(1));
    for name in &files[..old] {
        match remove(&folder.join(name)) {
            Ok(()) => tracing::info!(file = name, "an old backup was removed"),
            Err(error) => stuck = Some(error),
        }
    }
    stuck.map_or(Ok(()), Err)
}

fn remove(path: &Path) -> std::result::Result<(), BackupError> {
    match fs::remove_file(path) {
        // Somebody else did it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done.map_err(super::at(path)),
    }
}

/// Whether a file has a name that this program gives: nothing else is removed.
fn is_ours(name: &str) -> bool {
    let time = name.strip_prefix("xiadan-").and_then(|rest| rest.strip_suffix(".tar").or(rest.strip_suffix(".sealed")));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    time.and_then(|time| time.strip_suffix('Z'))
        .and_then(|time| time.split_once('T'))
        .is_some_and(|(day, time)| day.len() == 8 && time.len() == 6 && digits(day) && digits(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_one_that_cannot_be_removed_keeps_no_other_there() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = |at: i64| folder.path().join(write::file_name(at * 1000, false));
        fs::create_dir(path(0))?;
        for at in 1..4 {
            fs::write(path(at), "x")?;
        }
        assert!(retain(folder.path(), 1).is_err());
        assert_eq!([0, 1, 2, 3].map(|at| path(at).exists()), [true, false, false, true]);
        Ok(())
    }

    #[test]
    fn the_newest_are_kept_and_files_of_others_left_alone() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let names = |at: i64| write::file_name(at * 1000, at % 2 == 0);
        for at in 0..5 {
            fs::write(folder.path().join(names(at)), "x")?;
        }
        assert!(is_ours(&names(0)), "{}", names(0));
        let others = ["xiadan-notes.tar", "xiadan-20260101T000000Z.tar.part", "xiadan-2026010xT000000Z.tar", "a"];
        for name in others {
            fs::write(folder.path().join(name), "x")?;
        }
        retain(folder.path(), 2).map_err(io::Error::from)?;
        let mut left = fs::read_dir(folder.path())?
            .map(|file| Ok(file?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        left.sort();
        let mut expected: Vec<_> = others.map(str::to_owned).to_vec();
        expected.extend([names(3), names(4)]);
        expected.sort();
        assert_eq!(left, expected);
        Ok(())
    }
}
