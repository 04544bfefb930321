//! The commands for copies of the whole shop, and for its books: what they do is in the library, and what they say is here.

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    sync::Arc,
};
use xiadan::server::{
    MIGRATIONS,
    backup::{
        self, BackupKey, Contents, Progress, Watch,
        restore::Options,
        transfer,
        write::{Plan, file_name},
    },
    books,
    config::Config,
    context::now,
    db::Db,
    start::{self, Failure},
};

/// Brings the database up to date.
pub async fn migrate(config: Config) -> Result<(), Failure> {
    start::make_folder(&config.data)?;
    let db = start::open_database(config.database()).await?;
    let applied = db.migrate(MIGRATIONS).await;
    db.close().await;
    let applied = applied?;
    println!("the database is up to date ({} migrations, {} of them now)", MIGRATIONS.len(), applied.len());
    Ok(())
}

/// Writes a backup.
pub async fn backup(config: Config, to: PathBuf, with_master_key: bool, key: Option<BackupKey>) -> Result<(), Failure> {
    let to = if to.is_dir() { to.join(file_name(now(), key.is_some())) } else { to };
    let master_key = with_master_key.then(|| start::master_key(&config.data)).transpose()?;
    let db = start::open_present(config.database()).await?;
    let media = start::open_media(&config)?;
    let written = backup::write(&db, &media, Plan { to: to.clone(), key, master_key }, to_stderr()).await;
    db.close().await;
    let contents = written?;
    println!("{}\n{}", to.display(), told(&contents));
    if !contents.head.with_master_key {
        println!("the master key is not in it: keep a copy of it apart");
    }
    Ok(())
}

/// Examines a backup.
pub async fn verify(file: PathBuf, key: Option<BackupKey>) -> Result<(), Failure> {
    let contents = tokio::task::spawn_blocking(move || backup::read::verify(&file, key.as_ref())).await??;
    println!("the backup is whole\n{}", told(&contents));
    Ok(())
}

/// Makes a shop of a backup.
pub async fn restore(config: Config, file: PathBuf, options: Options) -> Result<(), Failure> {
    start::make_folder(&config.data)?;
    let db = start::open_database(config.database()).await?;
    let restored = backup::restore(&db, &config.data, &file, options, to_stderr()).await;
    db.close().await;
    let restored = restored?;
    println!("the shop is restored\n{}", told(&restored.contents));
    println!("{} migrations that came after it were applied", restored.migrated.len());
    println!("all sessions are over: everybody signs in anew");
    let (messages, reminders) = restored.set_aside;
    if messages + reminders > 0 {
        println!("{messages} messages and {reminders} reminders that were due are not sent, as they may have been");
    }
    match start::open(config).await {
        Ok(app) => {
            let recorded = backup::restore::on_record(&app, &restored.contents.head).await;
            app.db.close().await;
            recorded?;
            println!("its master key is in place");
        }
        Err(error) => println!("it cannot be served yet: {error}"),
    }
    Ok(())
}

/// Carries a shop into another database.
pub async fn carry(config: Config, from: String, to: String) -> Result<(), Failure> {
    let old = start::open_present(config.database.of(from.clone())).await?;
    let new = Db::open(config.database.of(to)).await?;
    let moved = transfer::transfer(&old, &new, &from, to_stderr()).await;
    new.close().await;
    old.close().await;
    let moved = moved?;
    if moved.resumed {
        println!("gone on with what was broken off");
    }
    println!("{} tables with {} rows are the same on both sides", moved.tables, moved.rows);
    println!("serve the shop with the new --database-url and the same data folder; the old database is as it was");
    Ok(())
}

/// Examines the books.
pub async fn check_books(config: Config) -> Result<(), Failure> {
    let db = start::open_present(config.database()).await?;
    let behind = db.pending(MIGRATIONS).await?;
    if !behind.is_empty() {
        db.close().await;
        return Err("the database is behind this program: run `xiadan migrate` first".into());
    }
    let report = books::check(&db).await;
    db.close().await;
    let report = report?;
    for problem in &report.problems {
        println!("{problem}");
    }
    println!("{} variants, {} orders and {} claims were looked at", report.stocks, report.orders, report.claims);
    match report.problems.len() {
        0 => {
            println!("the books balance");
            Ok(())
        }
        problems => Err(format!("the books do not balance: {problems} problems").into()),
    }
}

/// What a backup holds, in lines.
fn told(contents: &Contents) -> String {
    let Contents { head, manifest, sealed, bytes } = contents;
    let rows: u64 = manifest.tables.iter().map(|table| table.rows).sum();
    let last = head.migrations.last().map_or("none", |applied| applied.name.as_str());
    let time = jiff::Timestamp::from_millisecond(head.created_at).unwrap_or_default();
    [
        format!("  made        {time} from {} by version {}", head.database, head.program),
        format!("  migrations  {}, the last is {last}", head.migrations.len()),
        format!(
            "  rows        {rows} in {} tables, {} orders",
            manifest.tables.len(),
            contents.rows("orders").unwrap_or(0)
        ),
        format!("  pictures    {}", manifest.pictures),
        format!(
            "  keys        {}{}",
            head.keys.join(", "),
            if head.with_master_key { ", and the master key" } else { "" }
        ),
        format!("  size        {bytes} bytes, {}", if *sealed { "sealed" } else { "not sealed" }),
    ]
    .join("\n")
}

/// Shows how far it came: in place on a terminal, and nothing else where nobody watches.
fn to_stderr() -> Watch {
    if !io::stderr().is_terminal() {
        return backup::unwatched();
    }
    Arc::new(|progress: Progress| {
        let text = match progress {
            Progress::Rows { table, rows } => format!("{table}: {rows} rows"),
            Progress::Pictures(pictures) => format!("{pictures} pictures"),
        };
        // Nothing depends on it.
        let _ = write!(io::stderr(), "\r\u{1b}[K{text}\r");
    })
}
