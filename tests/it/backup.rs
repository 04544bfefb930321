//! Backups: made while the shop serves, whole or none at all, and good for a shop again.

use crate::{
    client::run,
    member::{exec, number},
    postgres,
    shop::{Piece, Shop, balance, both, customer, place},
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use xiadan::{
    args,
    server::{
        App, Ctx, MIGRATIONS,
        backup::{
            self, BackupError, BackupKey, Contents,
            read::verify,
            restore::{Options, Restored, sums},
            schedule::{self, Schedule},
            store, unwatched,
            write::Plan,
        },
        config::Config,
        context::now,
        db::{Db, DbError, Migration, Options as DbOptions},
        order, start,
    },
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");
const MUG: Piece = Piece("mug", 5_000, 100_000);
/// A transparent picture of one pixel.
const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

fn key(digit: &str) -> BackupKey {
    BackupKey::from_hex(&digit.repeat(64)).unwrap()
}

async fn written(app: &App, to: &Path, key: Option<BackupKey>) -> Result<Contents, BackupError> {
    let plan = Plan { to: to.to_owned(), key, master_key: None };
    backup::write(&app.db, &app.media, plan, unwatched()).await
}

/// A place for a shop.
struct Place {
    folder: tempfile::TempDir,
    _database: Option<postgres::Database>,
    url: String,
    db: Db,
}

impl Place {
    async fn new(on_postgres: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = on_postgres.then(postgres::Database::create);
        let url = match &database {
            Some(database) => database.url.clone(),
            None => format!("sqlite://{}", folder.path().join("restored.db").display()),
        };
        let db = Db::open(DbOptions { url: url.clone(), ..DbOptions::default() }).await.unwrap();
        Self { folder, _database: database, url, db }
    }

    async fn restore(&self, file: &Path, key: Option<BackupKey>) -> Result<Restored, BackupError> {
        let options = Options { key, send_due: false };
        backup::restore(&self.db, self.folder.path(), file, options, unwatched()).await
    }

    /// The shop that is here now.
    async fn shop(&self) -> App {
        let config =
            Config { data: self.folder.path().to_owned(), database_url: self.url.clone(), ..Config::default() };
        start::open(config).await.unwrap()
    }
}

/// People who order as long as nobody stops them.
struct Buyers {
    stop: Arc<AtomicBool>,
    confirmed: Arc<Mutex<BTreeSet<(String, String)>>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Buyers {
    fn start(app: &App, count: usize) -> Self {
        let (stop, confirmed) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeSet::new())));
        let tasks = (0..count).map(|_| {
            let (app, stop, confirmed) = (app.clone(), stop.clone(), confirmed.clone());
            tokio::spawn(async move {
                for round in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let ctx = customer(&app).await;
                    let number = place(&ctx, "mug", 1).await.unwrap();
                    confirmed.lock().unwrap().insert((ctx.customer.clone().unwrap(), number.clone()));
                    if round % 3 == 2 {
                        order::cancel(&ctx, &number).await.unwrap();
                    }
                }
            })
        });
        Self { tasks: tasks.collect(), stop, confirmed }
    }

    fn confirmed(&self) -> BTreeSet<(String, String)> {
        self.confirmed.lock().unwrap().clone()
    }

    async fn stop(self) -> BTreeSet<(String, String)> {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.confirmed.lock().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_of_a_busy_shop_has_every_order_that_was_confirmed_before_it() {
    for on_postgres in [false, true] {
        let shop = Shop::open(on_postgres).await;
        shop.sell(&[MUG]).await;
        let picture = shop.app.media.put(GIF).unwrap();
        let file = shop.folder.path().join("backups").join("one");
        fs::create_dir(file.parent().unwrap()).unwrap();
        let buyers = Buyers::start(&shop.app, 4);
        while buyers.confirmed().len() < 40 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let before = buyers.confirmed();
        let master_key = Some(start::master_key(shop.folder.path()).unwrap());
        let plan = Plan { to: file.clone(), key: Some(key("a")), master_key };
        let contents = backup::write(&shop.app.db, &shop.app.media, plan, unwatched()).await.unwrap();
        let all = buyers.stop().await;
        assert_eq!(verify(&file, Some(&key("a"))).unwrap(), contents);
        assert_eq!((contents.manifest.pictures, contents.sealed, contents.head.with_master_key), (1, true, true));
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing is left aside");
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        for to_postgres in [false, true] {
            let place = Place::new(to_postgres).await;
            let restored = place.restore(&file, Some(key("a"))).await.unwrap();
            assert_eq!((restored.contents, restored.migrated.len()), (contents.clone(), 0));
            let app = place.shop().await;
            balance(&app).await;
            assert!(app.media.has(&picture.name));
            let rows = app.db.all("select customer_id, number from orders", args![]).await.unwrap();
            let stored: BTreeSet<(String, String)> =
                rows.iter().map(|row| (row.get("customer_id").unwrap(), row.get("number").unwrap())).collect();
            assert!(before.is_subset(&stored), "of {} orders {} are there", before.len(), stored.len());
            let late = stored.difference(&all).count();
            assert!(late <= 4, "an order of each buyer may not have been confirmed yet: {late}");
            let (id, number) = before.first().unwrap();
            let ctx = Ctx { customer: Some(id.clone()), ..Ctx::system(&app) };
            assert_eq!(order::get(&ctx, number).await.unwrap().contact.recipient, "张三", "what is sealed opens");
            app.db.close().await;
            place.db.close().await;
        }
        shop.app.db.close().await;
    }
}

/// Whether an error tells of the file, and not of something on the way to it.
fn tells_of_the_file(error: &BackupError) -> bool {
    use BackupError as E;
    matches!(
        error,
        E::NoBackup | E::KeyNeeded | E::NotSealed | E::WrongKey | E::Truncated | E::Damaged(_) | E::Newer(_)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_bit_a_missing_end_and_a_wrong_key_are_found() {
    let shop = Shop::open(false).await;
    shop.sell(&[MUG]).await;
    shop.app.media.put(GIF).unwrap();
    place(&customer(&shop.app).await, "mug", 1).await.unwrap();
    let changed = shop.folder.path().join("changed");
    for sealed in [None, Some(key("a"))] {
        let file = shop.folder.path().join(format!("sealed-{}", sealed.is_some()));
        written(&shop.app, &file, sealed.clone()).await.unwrap();
        let whole = fs::read(&file).unwrap();
        let stride = 1 + whole.len() / 500;
        let places =
            (0..600).step_by(7).chain((0..whole.len()).step_by(stride)).chain(whole.len() - 1_200..whole.len());
        for place in places {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << (place % 8);
            fs::write(&changed, bytes).unwrap();
            let error = verify(&changed, sealed.as_ref()).expect_err(&format!("byte {place}"));
            assert!(tells_of_the_file(&error), "byte {place}: {error:?}");
        }
        for length in (0..whole.len()).step_by(1 + whole.len() / 100) {
            fs::write(&changed, &whole[..length]).unwrap();
            let error = verify(&changed, sealed.as_ref()).expect_err(&format!("{length} bytes"));
            assert!(tells_of_the_file(&error), "{length} bytes: {error:?}");
            assert!(sealed.is_some() || matches!(error, BackupError::Truncated), "{length} bytes: {error:?}");
        }
        fs::write(&changed, [&whole[..], b"x"].concat()).unwrap();
        assert!(verify(&changed, sealed.as_ref()).is_err());
        let wrong = verify(&file, Some(&key("b"))).unwrap_err();
        let none = verify(&file, None);
        if sealed.is_some() {
            assert!(matches!(wrong, BackupError::WrongKey), "{wrong:?}");
            assert!(matches!(none, Err(BackupError::KeyNeeded)), "{none:?}");
            let inside = String::from_utf8_lossy(&whole);
            assert!(!inside.contains("orders") && !inside.contains("GIF89a"));
        } else {
            assert!(matches!(wrong, BackupError::NotSealed), "{wrong:?}");
            assert!(none.is_ok());
        }
    }
    let none = verify(&shop.folder.path().join("shop.db"), None);
    assert!(matches!(none, Err(BackupError::NoBackup)), "{none:?}");
    shop.app.db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_overwritten_and_what_fails_leaves_nothing_behind() {
    both(&[MUG], async |app| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("one");
        written(&app, &file, None).await.unwrap();
        let again = written(&app, &file, None).await;
        assert!(matches!(&again, Err(BackupError::Exists(path)) if *path == file), "{again:?}");
        let plan = Plan { to: folder.path().join("two"), key: None, master_key: Some("a".repeat(64)) };
        let open = backup::write(&app.db, &app.media, plan, unwatched()).await;
        assert!(matches!(open, Err(BackupError::Refused(_))), "{open:?}");
        let nowhere = written(&app, &folder.path().join("none").join("two"), None).await;
        assert!(matches!(nowhere, Err(BackupError::File(..))), "{nowhere:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let place = Place::new(false).await;
        let here = backup::restore(&app.db, place.folder.path(), &file, Options::default(), unwatched()).await;
        assert!(matches!(here, Err(BackupError::NotEmpty(_))), "{here:?}");
        fs::create_dir_all(place.folder.path()).unwrap();
        let media = xiadan::server::media::Media::open(place.folder.path()).unwrap();
        media.put(GIF).unwrap();
        let pictures = place.restore(&file, None).await;
        assert!(matches!(pictures, Err(BackupError::NotEmpty(_))), "{pictures:?}");
        assert_eq!(place.db.table_names().await.unwrap().len(), 0, "nothing was begun");
        balance(&app).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_on_the_way_is_never_served() {
    let shop = Shop::open(false).await;
    shop.sell(&[MUG]).await;
    let file = shop.folder.path().join("one");
    written(&shop.app, &file, None).await.unwrap();
    let place = Place::new(true).await;
    place.db.begin_filling().await.unwrap();
    let begun = place.restore(&file, None).await;
    assert!(matches!(begun, Err(BackupError::Unfinished)), "{begun:?}");
    let refused = start::open_database(DbOptions { url: place.url.clone(), ..DbOptions::default() })
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(refused.contains("not finished"), "{refused}");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let place = Place::new(true).await;
    assert!(place.restore(&file, None).await.is_err());
    assert_eq!(place.db.table_names().await.unwrap().len(), 0, "it was looked at before anything was done");
    place.db.close().await;
    shop.app.db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_backup_is_brought_up_to_date_and_a_newer_one_refused() {
    for on_postgres in [false, true] {
        let old = Place::new(on_postgres).await;
        let (last, before) = MIGRATIONS.split_last().unwrap();
        old.db.migrate(before).await.unwrap();
        let sql = "insert into customer (id, created_at) values ('c', 1)";
        old.db.write::<_, DbError>(move |tx| Box::pin(async move { tx.exec(sql, args![]).await })).await.unwrap();
        let media = xiadan::server::media::Media::open(old.folder.path()).unwrap();
        let write = async |name: &str| {
            let file = old.folder.path().join(name);
            let plan = Plan { to: file.clone(), key: None, master_key: None };
            backup::write(&old.db, &media, plan, unwatched()).await.unwrap();
            file
        };
        let older = write("older").await;
        let place = Place::new(on_postgres).await;
        assert_eq!(place.restore(&older, None).await.unwrap().migrated, [last.name]);
        assert_eq!(sums(&place.db).await.unwrap().iter().find(|sum| sum.name == "customer").unwrap().rows, 1);
        place.db.close().await;
        let future = Migration { name: "9999_future", sql: "create table future (id text not null primary key);" };
        old.db.migrate(&[before, &[*last, future]].concat()).await.unwrap();
        let newer = write("newer").await;
        let place = Place::new(on_postgres).await;
        let refused = place.restore(&newer, None).await;
        assert!(matches!(&refused, Err(BackupError::Newer(what)) if what.contains("9999_future")), "{refused:?}");
        assert_eq!(place.db.table_names().await.unwrap().len(), 0);
        place.db.close().await;
        old.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_sent_is_not_sent_again_and_no_session_lives_again() {
    both(&[MUG], async |app| {
        exec(
            &app,
            "insert into outbox (id, kind, payload, attempts, next_at) values ('m', 'message', '', 0, 0),
                ('c', 'confirmation', '', 0, 0), ('p', 'payment', '', 0, 0)",
        )
        .await;
        exec(
            &app,
            "insert into staff (id, login, password_hash, created_at) values ('s', 'lin', '', 0)",
        )
        .await;
        exec(
            &app,
            "insert into staff_session (token_hash, staff_id, created_at, expires_at) values ('t', 's', 0, 9000000000000)",
        )
        .await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("one");
        written(&app, &file, None).await.unwrap();
        for send_due in [false, true] {
            let place = Place::new(false).await;
            let options = Options { key: None, send_due };
            let restored =
                backup::restore(&place.db, place.folder.path(), &file, options, unwatched()).await.unwrap();
            assert_eq!(restored.set_aside, (2 * u64::from(!send_due), 0));
            let key = start::master_key(&app.config.data).unwrap();
            fs::write(place.folder.path().join("master.key"), key).unwrap();
            let restored = place.shop().await;
            let waiting = "select count(*) as n from outbox where done_at is null";
            assert_eq!(number(&restored, waiting).await, 1 + 2 * i64::from(send_due));
            assert_eq!(number(&restored, "select count(*) as n from staff_session").await, 0);
            assert_eq!(number(&restored, "select count(*) as n from staff").await, 1);
            restored.db.close().await;
            place.db.close().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_nodes_one_makes_each_backup_and_old_ones_go() {
    for on_postgres in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("backups");
        let every_ms = 60 * 60_000;
        let shop = Shop::open_with(on_postgres, |config| {
            config.backup = Some(Schedule { to: to.clone(), every_ms, keep: 2, key: Some(key("a")) });
        })
        .await;
        let other = start::open(shop.app.config.clone()).await.unwrap();
        let files = || -> Vec<PathBuf> { fs::read_dir(&to).unwrap().map(|file| file.unwrap().path()).collect() };
        let begin = now();
        assert_eq!(store::made(&other.db).await, Ok(None));
        for round in 0..4 {
            let at = begin + round * every_ms;
            let runs = [&shop.app, &other, &shop.app, &other].map(|app| schedule::run_due(app, at));
            let made = futures::future::join_all(runs).await;
            assert_eq!(made.into_iter().filter(|made| *made.as_ref().unwrap()).count(), 1, "round {round}");
            assert_eq!(store::made(&other.db).await, Ok(Some(at)), "whoever made it");
            assert!(!schedule::run_due(&other, at + every_ms - 1).await.unwrap());
            assert_eq!(files().len(), usize::try_from(round + 1).unwrap().min(2));
        }
        for file in files() {
            verify(&file, Some(&key("a"))).unwrap();
        }
        // One that fails is tried again before the next is due.
        fs::remove_dir_all(&to).unwrap();
        fs::write(&to, "no folder").unwrap();
        let at = begin + 4 * every_ms;
        assert!(schedule::run_due(&shop.app, at).await.is_err());
        fs::remove_file(&to).unwrap();
        assert!(!schedule::run_due(&other, at + 60_000).await.unwrap());
        assert_eq!(store::made(&other.db).await, Ok(Some(at - every_ms)), "one that was only begun is none");
        assert!(schedule::run_due(&other, at + 11 * 60_000).await.unwrap());
        assert_eq!(store::made(&shop.app.db).await, Ok(Some(at + 11 * 60_000)));
        other.db.close().await;
        shop.app.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_whose_maker_was_ended_is_made_soon() {
    for on_postgres in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (to, every_ms) = (folder.path().join("backups"), 24 * 60 * 60_000);
        let shop = Shop::open_with(on_postgres, |config| {
            config.backup = Some(Schedule { to: to.clone(), every_ms, keep: 2, key: None });
        })
        .await;
        // So much that it takes a while.
        let many = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000)
            insert into setting (key, value) select 'many-' || i, 'x' from n";
        exec(&shop.app, many).await;
        let (begin, claim) = (now(), "select count(*) as n from setting where key = 'backup'");
        let claimed = async {
            while number(&shop.app, claim).await == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            () = claimed => {}
            made = schedule::run_due(&shop.app, begin) => panic!("it was made before anybody could end it: {made:?}"),
        }
        assert!(!schedule::run_due(&shop.app, begin + 60_000).await.unwrap(), "it may be under way elsewhere");
        assert!(schedule::run_due(&shop.app, begin + 11 * 60_000).await.unwrap());
        assert!(!schedule::run_due(&shop.app, begin + every_ms).await.unwrap());
        assert_eq!(fs::read_dir(&to).unwrap().count(), 1, "nothing is left of the one that was ended");
        shop.app.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_do_it_and_tell_what_they_did() {
    let folder = tempfile::tempdir().unwrap();
    let (data, place) = (folder.path().join("data"), folder.path().join("place"));
    let key = folder.path().join("backup.key");
    fs::write(&key, "c".repeat(64)).unwrap();
    run(PROGRAM, &data, &["migrate"]);
    run(PROGRAM, &data, &["admin", "create", "--demo"]);
    run(PROGRAM, &data, &["check-books"]);
    let file = folder.path().join("shop.sealed");
    let (file, key) = (file.to_str().unwrap(), key.to_str().unwrap());
    let sealed = ["--backup-key-file", key];
    run(PROGRAM, &data, &[&["backup", "--to", file, "--with-master-key"], &sealed[..]].concat());
    let said = |data: &Path, args: &[&str]| {
        let done = Command::new(PROGRAM).arg("--data").arg(data).args(args).output().unwrap();
        (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    };
    let (whole, text) = said(&data, &["verify", file, "--backup-key-file", key]);
    assert!(whole && text.contains("the backup is whole") && text.contains("and the master key"), "{text}");
    let (whole, text) = said(&data, &["verify", file]);
    assert!(!whole && text.contains("--backup-key-file"), "{text}");
    let (done, text) = said(&data, &["restore", file, "--backup-key-file", key]);
    assert!(!done && text.contains("there is something in the place already"), "{text}");
    let (done, text) = said(&place, &[&["restore", file], &sealed[..]].concat());
    assert!(done && text.contains("its master key is in place"), "{text}");
    run(PROGRAM, &place, &["audit", "verify"]);
    run(PROGRAM, &place, &["check-books"]);
    let (done, text) = said(&folder.path().join("none"), &["backup"]);
    assert!(!done && text.contains("there is no database"), "{text}");
    let (old, new) =
        (format!("sqlite://{}/xiadan.db", place.display()), format!("sqlite://{}/new.db", place.display()));
    // As for an address with a password in it.
    let moved = Command::new(PROGRAM).args(["move", "--from", &old]).env("XIADAN_MOVE_TO", &new).output().unwrap();
    let text = String::from_utf8_lossy(&[moved.stdout, moved.stderr].concat()).into_owned();
    assert!(moved.status.success() && text.contains("are the same on both sides"), "{text}");
    let (done, text) = said(&place, &["move", "--from", &old, "--to", &new]);
    assert!(!done && text.contains("there is something in the place already"), "{text}");
}
