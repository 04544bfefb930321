//! Both databases, for the tests beside the code of the rooms.
#![allow(dead_code, reason = "each room takes what it needs")]

#[path = "../../../tests/support/postgres.rs"]
mod postgres;

use super::{Db, Migration, Options};

/// Runs the test on a fresh SQLite file, then on a fresh PostgreSQL database, both with this schema.
///
/// # Panics
/// Where the test panics, and where a database cannot be made.
pub(crate) async fn both<F: Future<Output = ()>>(migrations: &[Migration], test: impl Fn(Db) -> F) {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no temporary folder: {error}"));
    let file = format!("sqlite://{}/test.db", folder.path().display());
    on(file, migrations, &test).await;

    let database = postgres::Database::create();
    on(database.url.clone(), migrations, &test).await;
}

async fn on<F: Future<Output = ()>>(url: String, migrations: &[Migration], test: &impl Fn(Db) -> F) {
    let options = Options { url, readers: 2, ..Options::default() };
    let db = Db::open(options).await.unwrap_or_else(|error| panic!("the database cannot be opened: {error}"));
    if let Err(error) = db.migrate(migrations).await {
        panic!("the schema cannot be made on {}: {error}", db.kind().as_str());
    }
    eprintln!("on {}", db.kind().as_str());
    test(db.clone()).await;
    db.close().await;
}
