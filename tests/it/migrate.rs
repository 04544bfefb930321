//! The schema: brought up to date once, whoever begins, and waited for by those who do not.

use crate::postgres;
use std::{path::Path, process::Command, time::Duration};
use xiadan::{
    args,
    server::{
        MIGRATIONS,
        db::{Db, Options},
        start,
    },
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");

fn migrate(data: &Path, url: &str) -> std::process::Child {
    let data = data.to_str().unwrap();
    Command::new(PROGRAM).args(["--data", data, "--database-url", url, "migrate"]).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_migrate_at_once_do_it_once_and_the_others_wait_for_them() {
    let (folder, database) = (tempfile::tempdir().unwrap(), postgres::Database::create());
    for url in [format!("sqlite://{}", folder.path().join("xiadan.db").display()), database.url.clone()] {
        let db = Db::open(Options { url: url.clone(), ..Options::default() }).await.unwrap();
        assert_eq!(db.pending(MIGRATIONS).await.unwrap().len(), MIGRATIONS.len());
        let refused = start::up_to_date(&db, Duration::ZERO).await.unwrap_err().to_string();
        assert!(refused.contains("xiadan migrate"), "{refused}");
        let waiting = start::up_to_date(&db, Duration::from_secs(60));
        let migrating = async {
            let both = [(); 2].map(|()| migrate(folder.path(), &url));
            tokio::task::spawn_blocking(move || both.map(|mut child| child.wait().unwrap().success())).await.unwrap()
        };
        let (waited, done) = tokio::join!(waiting, migrating);
        waited.unwrap();
        assert_eq!(done, [true, true]);
        let rows = db.one("select count(*) as n from schema_migration", args![]).await.unwrap();
        assert_eq!(rows.get::<i64>("n").unwrap(), i64::try_from(MIGRATIONS.len()).unwrap());
        db.close().await;
    }
}
