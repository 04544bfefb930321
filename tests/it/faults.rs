//! What goes wrong outside of the rooms, and what people are told of it: lost keys, senseless input, a database that
//! fails or is slow.

use super::postgres;
use std::{fs, path::Path};
use xiadan::server::{config::Config, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_opens_with_the_key_of_its_database_alone() {
    for on_postgres in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let database = on_postgres.then(postgres::Database::create);
        let url = match &database {
            Some(database) => database.url.clone(),
            None => format!("sqlite://{}", folder.path().join("shop.db").display()),
        };
        let data = folder.path().join("new").join("data");
        let key = data.join("master.key");
        let open = async |data: &Path| {
            let app = start::open(Config { data: data.to_owned(), database_url: url.clone(), ..Config::default() });
            match app.await {
                Ok(app) => {
                    app.db.close().await;
                    Ok(())
                }
                Err(failure) => Err(failure.to_string()),
            }
        };
        open(&data).await.unwrap();
        open(&data).await.unwrap();
        let mode = |path: &Path| std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions());
        assert_eq!(mode(&data) & 0o777, 0o700);

        // The database was restored, and its key was not.
        let right = fs::read_to_string(&key).unwrap();
        fs::remove_file(&key).unwrap();
        let failure = open(&data).await.unwrap_err();
        assert!(failure.contains("master.key is missing") && failure.contains("put the key file"), "{failure}");
        assert!(!key.exists(), "no other key is made in its place");
        fs::write(&key, "0f".repeat(32)).unwrap();
        let failure = open(&data).await.unwrap_err();
        assert!(failure.contains("is not the database's: put the key file"), "{failure}");

        fs::write(&key, right).unwrap();
        open(&data).await.unwrap();
    }
}
