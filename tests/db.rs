//! The database floor, on SQLite and on PostgreSQL alike.
#![cfg(feature = "ssr")]
#![allow(clippy::unwrap_used, reason = "a test says so by failing")]

#[path = "db/meet.rs"]
mod meet;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "db/slow.rs"]
mod slow;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, task::JoinSet};
use xiadan::{
    args,
    server::db::{Args, Db, DbError, Kind, Migration, Options, Row, placeholders},
};

const SCHEMA: Migration = Migration {
    name: "0001_test",
    sql: "
        create table item (
            id text not null primary key,
            code text unique,
            amount bigint not null check (amount >= 0),
            weight double precision,
            active boolean,
            picture bytea
        );
        create table part (id text not null primary key, item_id text not null references item (id));
        create index part_item on part (item_id); -- a comment; with a semicolon;
    ",
};

async fn both<F: Future<Output = ()>>(test: impl Fn(Db) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let database = postgres::Database::create();
    for url in [format!("sqlite://{}/new/test.db", folder.path().display()), database.url.clone()] {
        let db = Db::open(Options { url, readers: 2, ..Options::default() }).await.unwrap();
        assert_eq!(db.migrate(&[SCHEMA]).await.unwrap(), ["0001_test"]);
        eprintln!("on {}", db.kind().as_str());
        test(db.clone()).await;
        db.close().await;
    }
}

async fn exec(db: &Db, sql: &'static str, args: Args) -> Result<u64, DbError> {
    db.write(move |tx| {
        let args = args.clone();
        Box::pin(async move { tx.exec(sql, args).await })
    })
    .await
}

async fn item(db: &Db, id: &str, amount: i64) {
    let sql = "insert into item (id, amount) values ($1, $2)";
    assert_eq!(exec(db, sql, args![id, amount]).await, Ok(1));
}

async fn amount(db: &Db, id: &str) -> i64 {
    let row = db.one("select amount from item where id = $1", args![id]).await.unwrap();
    row.get("amount").unwrap()
}

async fn count(db: &Db) -> i64 {
    db.one("select count(*) as n from item", args![]).await.unwrap().get("n").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_comes_back_as_it_went_in() {
    both(|db| async move {
        let insert = "insert into item (id, code, amount, weight, active, picture) values ($1, $2, $3, $4, $5, $6)";
        let bytes = vec![0_u8, 255, 39, 0];
        let full = args!["下单", "it's \"🧧\"\n", i64::MAX, 0.1 + 0.2, true, &bytes];
        assert_eq!(exec(&db, insert, full).await, Ok(1));
        let none = args!["空", None::<String>, 0, None::<f64>, None::<bool>, None::<Vec<u8>>];
        assert_eq!(exec(&db, insert, none).await, Ok(1));
        let off = args!["off", Some(""), 1, Some(-0.5), Some(false), Some(Vec::<u8>::new())];
        assert_eq!(exec(&db, insert, off).await, Ok(1));

        let row = db.one("select * from item where id = $1", args!["下单"]).await.unwrap();
        assert_eq!(row.get::<String>("code").unwrap(), "it's \"🧧\"\n");
        assert_eq!(row.get::<i64>("amount").unwrap(), i64::MAX);
        assert_eq!(row.get::<f64>("weight").unwrap(), 0.1 + 0.2);
        assert!(row.get::<bool>("active").unwrap());
        assert_eq!(row.get::<Option<Vec<u8>>>("picture").unwrap(), Some(bytes));
        assert_eq!(row.columns().collect::<Vec<_>>(), ["id", "code", "amount", "weight", "active", "picture"]);

        let row = db.one("select * from item where id = $1", args!["空"]).await.unwrap();
        assert_eq!(row.get::<Option<String>>("code").unwrap(), None);
        assert_eq!(row.get::<Option<f64>>("weight").unwrap(), None);
        assert_eq!(row.get::<Option<bool>>("active").unwrap(), None);
        assert_eq!(row.get::<Option<Vec<u8>>>("picture").unwrap(), None);
        assert!(matches!(row.get::<String>("code"), Err(DbError::Column { problem: "is null", .. })));
        assert!(matches!(row.get::<i64>("id"), Err(DbError::Column { .. })));
        assert!(matches!(row.get::<i64>("nothing"), Err(DbError::Column { .. })));

        let row = db.one("select * from item where active = $1", args![false]).await.unwrap();
        assert!(!row.get::<bool>("active").unwrap());
        assert_eq!(row.get::<Option<String>>("code").unwrap().as_deref(), Some(""));
        assert_eq!(row.get::<f64>("weight").unwrap(), -0.5);
        assert_eq!(row.get::<Vec<u8>>("picture").unwrap(), Vec::<u8>::new());
        let nul = exec(&db, "update item set code = $1", args!["a\0b"]).await;
        assert!(matches!(nul, Err(DbError::Argument)), "{nul:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn placeholders_may_come_twice_and_in_any_order() {
    both(|db| async move {
        for (id, n) in [("a", 1), ("b", 2), ("c", 3)] {
            item(&db, id, n).await;
        }
        let ids = |rows: Vec<Row>| rows.iter().map(|row| row.get::<String>("id").unwrap()).collect::<String>();
        let sql = "select id from item where amount <= $2 and id >= $1 and ($2 < 9 or id = $1) order by id";
        assert_eq!(ids(db.all(sql, args!["b", 3]).await.unwrap()), "bc");

        let filter = "select id from item where ($1 is null or id = $1) and ($2 is null or amount >= $2)
            and ($3 is null or active = $3) and ($4 is null or weight > $4) order by id";
        let none = (None::<bool>, None::<f64>);
        let found = db.all(filter, args![None::<String>, None::<i64>, none.0, none.1]).await.unwrap();
        assert_eq!(ids(found), "abc");
        assert_eq!(ids(db.all(filter, args![Some("b"), None::<i64>, none.0, none.1]).await.unwrap()), "b");
        assert_eq!(ids(db.all(filter, args![None::<&str>, Some(2), none.0, none.1]).await.unwrap()), "bc");

        let list = format!("select id from item where id in ({}) order by id", placeholders(1, 2));
        assert_eq!(ids(db.all(list, args!["c", "a"]).await.unwrap()), "ac");
        let sum = db.one("select cast(sum(amount) as bigint) as n from item", args![]).await.unwrap();
        assert_eq!(sum.get::<i64>("n").unwrap(), 6);
        assert_eq!(db.one("select id from item where id = $1", args!["z"]).await.unwrap_err(), DbError::NotFound);
        assert!(db.optional("select id from item where id = $1", args!["z"]).await.unwrap().is_none());
        assert!(db.all("select id from item where id = $1", args![]).await.is_err());
        db.ping().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn violations_have_kinds_and_name_no_values() {
    both(|db| async move {
        let insert = "insert into item (id, code, amount) values ($1, $2, $3)";
        exec(&db, insert, args!["a", "secret-1", 1]).await.unwrap();
        let twice = exec(&db, insert, args!["b", "secret-1", 1]).await.unwrap_err();
        assert!(matches!(twice, DbError::Unique(_)), "{twice:?}");
        let key = exec(&db, insert, args!["a", "secret-2", 1]).await.unwrap_err();
        assert!(matches!(key, DbError::Unique(_)), "{key:?}");
        let check = exec(&db, insert, args!["b", "secret-2", -1]).await.unwrap_err();
        assert_eq!(check, DbError::Check);
        let null = exec(&db, insert, args!["b", "secret-2", None::<i64>]).await.unwrap_err();
        assert_eq!(null, DbError::Check);
        let part = "insert into part (id, item_id) values ($1, $2)";
        assert_eq!(exec(&db, part, args!["p", "none"]).await, Err(DbError::ForeignKey));
        exec(&db, part, args!["p", "a"]).await.unwrap();
        assert_eq!(exec(&db, "delete from item where id = $1", args!["a"]).await, Err(DbError::ForeignKey));
        let wrong = exec(&db, "insert into nowhere (x) values ($1)", args!["secret-3"]).await.unwrap_err();
        assert!(matches!(&wrong, DbError::Other(text) if text.contains("nowhere")), "{wrong:?}");
        for error in [twice, key, check, null, wrong] {
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
        let none = exec(&db, "insert into item (id, amount) values ($1, 1) on conflict do nothing", args!["a"]).await;
        assert_eq!(none, Ok(0));
    })
    .await;
}

#[derive(Debug, PartialEq)]
enum Refusal {
    Db(DbError),
    No,
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_or_panicking_job_undoes_itself_alone() {
    both(|db| async move {
        item(&db, "sum", 0).await;
        let mut jobs = JoinSet::new();
        for number in 0..300_i64 {
            let db = db.clone();
            jobs.spawn(async move {
                let result = db
                    .write(move |tx| {
                        Box::pin(async move {
                            let id = number.to_string();
                            tx.exec("insert into item (id, amount) values ($1, 1)", args![&id]).await?;
                            match number % 3 {
                                0 => Ok(id),
                                1 => Err(Refusal::No),
                                _ => panic!("a job panics on purpose"),
                            }
                        })
                    })
                    .await;
                (number, result)
            });
        }
        while let Some(done) = jobs.join_next().await {
            let (number, result) = done.unwrap();
            match number % 3 {
                0 => assert_eq!(result, Ok(number.to_string())),
                1 => assert_eq!(result, Err(Refusal::No)),
                _ => assert!(matches!(result, Err(Refusal::Db(DbError::Other(_)))), "{result:?}"),
            }
        }
        assert_eq!(count(&db).await, 101);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_statement_ends_its_transaction_even_if_the_job_goes_on() {
    both(|db| async move {
        item(&db, "a", 1).await;
        let result = db
            .write::<_, DbError>(|tx| {
                Box::pin(async move {
                    tx.exec("insert into item (id, amount) values ('b', 1)", args![]).await?;
                    assert!(tx.exec("insert into item (id, amount) values ('a', 1)", args![]).await.is_err());
                    assert!(tx.all("select id from item", args![]).await.is_err());
                    Ok(())
                })
            })
            .await;
        assert!(matches!(result, Err(DbError::Unique(_))), "{result:?}");
        assert_eq!(count(&db).await, 1);
        // A row that is not there is no failure.
        let result = db
            .write::<_, DbError>(|tx| {
                Box::pin(async move {
                    let missing = tx.one("select id from item where id = 'x'", args![]).await;
                    assert_eq!(missing.unwrap_err(), DbError::NotFound);
                    let row = tx.one("insert into item (id, amount) values ('c', 7) returning amount", args![]).await?;
                    row.get::<i64>("amount")
                })
            })
            .await;
        assert_eq!(result, Ok(7));
        assert_eq!(count(&db).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_run_once_and_never_change() {
    both(|db| async move {
        assert_eq!(db.migrate(&[SCHEMA]).await.unwrap(), [""; 0]);
        let changed = Migration { sql: "create table item (id text);", ..SCHEMA };
        let error = db.migrate(&[changed]).await.unwrap_err();
        assert!(error.to_string().contains("0001_test"), "{error}");
        let broken = Migration {
            name: "0002_broken",
            sql: "create table half (id text not null primary key);\ncreate table item (id text);\n",
        };
        assert!(db.migrate(&[SCHEMA, broken]).await.is_err());
        assert!(db.all("select id from half", args![]).await.is_err());

        let more = Migration { name: "0002_more", sql: "alter table item add column note text default ';\n';" };
        let mut nodes = JoinSet::new();
        for _ in 0..4 {
            let db = db.clone();
            nodes.spawn(async move { db.migrate(&[SCHEMA, more]).await.unwrap().len() });
        }
        assert_eq!(nodes.join_all().await.into_iter().sum::<usize>(), 1);
        item(&db, "a", 1).await;
        let row = db.one("select note from item where id = 'a'", args![]).await.unwrap();
        assert_eq!(row.get::<String>("note").unwrap(), ";\n");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_survives_a_migration_that_changes_its_columns() {
    both(|db| async move {
        item(&db, "a", 1).await;
        // Every connection of the pool knows the statement.
        let all = || db.all("select * from item", args![]);
        for _ in 0..5 {
            futures::future::join_all((0..16).map(|_| all())).await;
        }
        let more = Migration { name: "0002", sql: "alter table item add column note text default 'x';" };
        db.migrate(&[SCHEMA, more]).await.unwrap();
        for _ in 0..20 {
            let rows = all().await.unwrap();
            assert_eq!(rows[0].get::<String>("note").unwrap(), "x");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn close_finishes_what_was_accepted_and_refuses_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let database = postgres::Database::create();
    for url in [format!("sqlite://{}/test.db", folder.path().display()), database.url.clone()] {
        let options = Options { url, readers: 2, ..Options::default() };
        let db = Db::open(options.clone()).await.unwrap();
        db.migrate(&[SCHEMA]).await.unwrap();
        let written = Arc::new(AtomicUsize::new(0));
        let mut jobs = JoinSet::new();
        for number in 0..500_i64 {
            let (db, written) = (db.clone(), written.clone());
            jobs.spawn(async move {
                let sql = "insert into item (id, amount) values ($1, 1)";
                match exec(&db, sql, args![number.to_string()]).await {
                    Ok(rows) => _ = written.fetch_add(usize::try_from(rows).unwrap(), Ordering::SeqCst),
                    Err(error) => assert_eq!(error, DbError::Closed),
                }
            });
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        db.close().await;
        db.close().await;
        while let Some(done) = jobs.join_next().await {
            done.unwrap();
        }
        assert_eq!(db.ping().await, Err(DbError::Closed));
        assert_eq!(exec(&db, "delete from item", args![]).await, Err(DbError::Closed));
        if db.kind() == Kind::Sqlite {
            assert!(!folder.path().join("test.db-wal").exists());
        }
        let again = Db::open(options).await.unwrap();
        let kept = usize::try_from(count(&again).await).unwrap();
        assert_eq!(kept, written.load(Ordering::SeqCst));
        again.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_does_not_undo_an_accepted_job() {
    both(|db| async move {
        for number in 0..50_i64 {
            let work = exec(&db, "insert into item (id, amount) values ($1, 1)", args![number.to_string()]);
            let _ = tokio::time::timeout(Duration::from_micros(1), work).await;
        }
        for _ in 0..200 {
            if count(&db).await == 50 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("only {} of 50 jobs were done", count(&db).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_the_disk_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let db = Db::open(Options { url, ..Options::default() }).await.unwrap();
    db.migrate(&[SCHEMA]).await.unwrap();
    let mut modes = Vec::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.unwrap().metadata().unwrap().permissions());
        modes.push(mode & 0o777);
    }
    assert_eq!(modes, [0o600; 3], "the file, its log and the index of that");
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_job_on_sqlite_cannot_wait_for_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/test.db", folder.path().display());
    let db = Db::open(Options { url, ..Options::default() }).await.unwrap();
    db.migrate(&[SCHEMA]).await.unwrap();
    let result = db
        .write::<(), DbError>(|tx| {
            Box::pin(async move {
                tx.exec("insert into item (id, amount) values ('a', 1)", args![]).await?;
                tokio::task::yield_now().await;
                Ok(())
            })
        })
        .await;
    assert!(matches!(result, Err(DbError::Other(_))), "{result:?}");
    assert_eq!(count(&db).await, 0);
    item(&db, "b", 1).await;
    assert_eq!(Db::open(Options { url: "mysql://x".into(), ..Options::default() }).await.err().map(|_| ()), Some(()));
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_are_replaced_without_an_error() {
    let database = postgres::Database::create();
    let options = Options { url: database.url.clone(), max_connections: 8, ..Options::default() };
    let db = Db::open(options).await.unwrap();
    db.migrate(&[SCHEMA]).await.unwrap();
    item(&db, "n", 0).await;
    for _ in 0..3 {
        let mut jobs = JoinSet::new();
        for _ in 0..8 {
            let db = db.clone();
            jobs.spawn(async move {
                assert!(db.all("select pg_sleep(0.05)", args![]).await.is_ok());
            });
        }
        while let Some(done) = jobs.join_next().await {
            done.unwrap();
        }
        postgres::drop_connections(&database);
        assert_eq!(exec(&db, "update item set amount = amount + 1", args![]).await, Ok(1));
        postgres::drop_connections(&database);
        db.ping().await.unwrap();
        postgres::drop_connections(&database);
        db.read(|tx| Box::pin(async move { tx.one("select amount from item", args![]).await })).await.unwrap();
    }
    assert_eq!(amount(&db, "n").await, 3);
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_ready_for_the_next_as_soon_as_it_was_used() {
    let database = postgres::Database::create();
    let db = Db::open(Options { url: database.url.clone(), max_connections: 8, ..Options::default() }).await.unwrap();
    db.migrate(&[SCHEMA]).await.unwrap();
    db.ping().await.unwrap();
    let before = db.load().connections;
    for n in 0..20 {
        item(&db, &n.to_string(), n).await;
        assert_eq!(amount(&db, &n.to_string()).await, n);
        let load = db.load();
        assert!(load.connections <= before && load.idle >= 1, "no other one is opened: {load:?}");
    }
    let mut many = JoinSet::new();
    for n in 0..200_i64 {
        let db = db.clone();
        many.spawn(async move { amount(&db, &(n % 20).to_string()).await });
    }
    assert_eq!(many.join_all().await.len(), 200);
    let load = db.load();
    assert!(load.connections <= 8 && load.idle == load.connections, "all are back: {load:?}");
    db.close().await;
    assert_eq!(db.load().connections, 0);
    assert_eq!(db.ping().await, Err(DbError::Closed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_unavailable_after_the_wait() {
    let url = String::from("postgres://nobody:secret@127.0.0.1:1/none");
    let options = Options { url, connect_wait: Duration::ZERO, ..Options::default() };
    let error = Db::open(options).await.err().unwrap();
    assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("secret"));
}
