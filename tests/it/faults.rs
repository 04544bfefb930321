//! What goes wrong outside of the rooms, and what people are told of it: lost keys, senseless input, a database that
//! fails or is slow.

use super::{
    door::Door,
    postgres,
    proxy::Proxy,
    shop::{self, Piece, Shop, both},
};
use futures::{StreamExt, stream};
use reqwest::{Body, Response};
use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Notify;
use xiadan::{
    args,
    domain::Error,
    server::{
        App, cart, catalog,
        config::Config,
        db::{Db, DbError, Migration, Options},
        http::{SESSION_COOKIE, STAFF_COOKIE},
        start,
    },
};

const PIECES: [Piece; 1] = [Piece("v", 1000, 5)];

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

const FORM: &str = "application/x-www-form-urlencoded";

async fn exec(app: &App, sql: &'static str) {
    app.db.write::<_, DbError>(move |tx| Box::pin(async move { tx.exec(sql, args![]).await })).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_cannot_be_stored_is_not_found() {
    both(&PIECES, |app| async move {
        let read = app.db.all("select id from product where handle = $1", args!["a\0"]).await;
        assert_eq!(read.unwrap_err(), DbError::Argument);
        let written = app.db.write::<_, DbError>(|tx| {
            Box::pin(async move {
                tx.exec("update stock set on_hand = 0", args![]).await?;
                let refused = tx.exec("update product set brand = $1", args!["\0"]).await;
                assert_eq!(refused, Err(DbError::Argument));
                Ok(())
            })
        });
        assert_eq!(written.await, Err(DbError::Argument), "it undoes its transaction as every failed statement does");
        assert_eq!(shop::books(&app, "v").await.0, 5);

        let ctx = shop::customer(&app).await;
        assert_eq!(cart::add(&ctx, "\0", 1).await, Err(Error::NotFound));
        assert_eq!(catalog::product(&ctx, "\0").await.unwrap_err(), Error::NotFound);

        let door = Door::open(&app).await;
        for path in ["/search?q=%00", "/p/%00", "/c/%00"] {
            let status = door.get(path).await.status().as_u16();
            assert!((200..500).contains(&status), "{path}: {status}");
        }
        assert_eq!(door.post("/api/cart/add", FORM, "variant_id=%00&quantity=1").await.status(), 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_database_has_the_number_of_its_request() {
    both(&PIECES, |app| async move {
        let door = Door::open(&app).await;
        exec(&app, "drop table cart_line").await;
        exec(&app, "drop table product_text").await;
        let id = |answer: &Response| answer.headers()["x-request-id"].to_str().unwrap().to_owned();

        // In a write.
        let answer = door.post("/api/cart/add", FORM, "variant_id=v&quantity=1").await;
        assert_eq!(answer.status(), 500);
        let number = id(&answer);
        assert_eq!(answer.json::<Error>().await.unwrap(), Error::Internal(number));
        // In a read, of a server function and of a page.
        let answer = door.get("/api/catalog/product?handle=mug").await;
        assert_eq!(answer.status(), 500);
        let number = id(&answer);
        assert_eq!(answer.json::<Error>().await.unwrap(), Error::Internal(number));
        let answer = door.get("/p/mug").await;
        let (status, number, page) = (answer.status(), id(&answer), answer.text().await.unwrap());
        assert_eq!(status, 500);
        assert!(page.contains(&format!(">{number}<")), "{number}: {page}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_taken_for_a_guest_because_the_database_fails() {
    both(&PIECES, |app| async move {
        let door = Door::open(&app).await;
        exec(&app, "drop table session").await;
        exec(&app, "drop table staff_session").await;
        for name in [SESSION_COOKIE, STAFF_COOKIE] {
            let request = door.client.post(format!("{}/api/cart/add", door.url)).header("cookie", format!("{name}=x"));
            let request = request.header("content-type", FORM).body("variant_id=v&quantity=1");
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 500, "{name}");
            assert!(!answer.headers().contains_key("set-cookie"), "no guest was made");
            assert!(matches!(answer.json::<Error>().await.unwrap(), Error::Internal(_)));
        }
        assert_eq!(door.post("/api/cart/add", FORM, "variant_id=v&quantity=1").await.status(), 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_taken_is_its_senders_error() {
    both(&PIECES, |app| async move {
        let door = Door::open(&app).await;
        // Without a length, so that only reading it tells how long it is. Its sender has said just too much and not come to
        // an end: one that went on would maybe find the connection closed before it reads the answer.
        let part = |length| Ok::<_, std::io::Error>(vec![b'a'; length]);
        let parts = [64 * 1024; 16].into_iter().chain([1]).map(part);
        let long = Body::wrap_stream(stream::iter(parts.collect::<Vec<_>>()).chain(stream::pending()));
        assert_eq!(door.post("/api/cart/add", FORM, long).await.status(), 413);
        for (path, kind, body) in [
            ("/api/cart/add", FORM, &b"variant_id=\xff&quantity=1"[..]),
            ("/api/cart/add", FORM, b"quantity=many"),
            ("/api/catalog/list", "application/json", b"{"),
            ("/api/catalog/list", "application/json", b"{\"query\":7}"),
            ("/api/catalog/list", "application/json", b"\xff"),
        ] {
            let answer = door.post(path, kind, body.to_vec()).await;
            assert_eq!(answer.status(), 422, "{path} {body:?}");
            assert!(matches!(answer.json::<Error>().await.unwrap(), Error::Invalid(_)));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_looks_up_no_order_twice_and_not_too_many() {
    both(&PIECES, |app| async move {
        let ctx = shop::customer(&app).await;
        let number = shop::place(&ctx, "v", 1).await.unwrap();
        let door = Door::open(&app).await;
        let feed = async |topics: Vec<String>| door.get(&format!("/live?topics={}", topics.join(","))).await.status();
        let products = |n: usize| (0..n).map(|i| format!("product:{i}")).collect::<Vec<_>>();
        assert_eq!(feed(vec!["product:p".into(); 500]).await, 200);
        assert_eq!(feed(products(200)).await, 200);
        assert_eq!(feed(products(201)).await, 400);
        let one_more = [vec![format!("order:{number}")], products(200)].concat();
        assert_eq!(feed(one_more).await, 400, "counted before it is seen");
        assert_eq!(feed(vec![format!("order:{number}"); 500]).await, 403);
        assert_eq!(feed(vec!["office".into()]).await, 403);
        assert_eq!(feed(vec!["cart".into(), "nonsense".into()]).await, 204);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_gives_up_on_slow_statements_and_locks_without_trying_again() {
    let database = postgres::Database::create();
    let open = |limit: Duration| {
        let url = database.url.clone();
        Db::open(Options { url, statement_timeout: limit, lock_timeout: limit, ..Options::default() })
    };
    let hasty = open(Duration::from_millis(200)).await.unwrap();
    let slow = Migration {
        name: "slow",
        sql: "create table thing (id text not null primary key);\ninsert into thing values ('a');\nselect pg_sleep(0.5);\n",
    };
    assert_eq!(hasty.migrate(&[slow]).await.unwrap(), ["slow"], "a migration takes as long as it takes");

    // Longer than failures are repeated, and shorter than what they meet.
    let (limit, longer) = (Duration::from_millis(5200), 6.5);
    let (db, other) = (open(limit).await.unwrap(), open(limit * 2).await.unwrap());
    let holder = other.write::<_, DbError>(move |tx| {
        Box::pin(async move {
            tx.exec("update thing set id = 'b'", args![]).await?;
            tx.all("select pg_sleep($1)", args![longer]).await.map(drop)
        })
    });
    let waiter = async {
        // Not before the other one has the row.
        const FREE: &str = "select id from thing for update skip locked";
        let is_free = async || {
            let free =
                db.write::<_, DbError>(|tx| Box::pin(async move { Ok(!tx.all(FREE, args![]).await?.is_empty()) }));
            free.await.unwrap()
        };
        while is_free().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let change = "update thing set id = 'c'";
        db.write::<_, DbError>(move |tx| Box::pin(async move { tx.exec(change, args![]).await })).await
    };
    let begun = Instant::now();
    let refused = async {
        let (slept, changed) = tokio::join!(db.all("select pg_sleep($1)", args![longer]), waiter);
        assert_eq!((slept.map(drop), changed), (Err(DbError::Busy), Err(DbError::Busy)));
        assert!(begun.elapsed() < limit + Duration::from_secs(1), "{:?}", begun.elapsed());
    };
    assert_eq!(tokio::join!(holder, refused).0, Ok(()));
    for db in [hasty, db, other] {
        db.close().await;
    }
}

async fn write(db: &Db) -> Result<(), DbError> {
    db.write(|tx| Box::pin(async move { tx.all("select 1 as n", args![]).await.map(drop) })).await
}

// Its machine is gone, and nobody says so: without an end of our own the system waits a quarter of an hour.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_fell_silent_is_given_up_and_found_again() {
    let database = postgres::Database::create();
    let way = Proxy::open(database.port()).await;
    // One connection each: who kept it would keep everybody out.
    let open = || {
        let (url, statement_timeout) = (database.through(way.port), Duration::from_millis(300));
        Db::open(Options { url, statement_timeout, max_connections: 1, ..Options::default() })
    };
    let (left, read, written) = (open().await.unwrap(), open().await.unwrap(), open().await.unwrap());
    for db in [&left, &read, &written] {
        db.ping().await.unwrap();
        // On its way back it would be found lost there.
        while db.load().idle == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    // One that is lost on its way back keeps nobody out either.
    let returned = open().await.unwrap();
    returned.ping().await.unwrap();
    way.lose();
    let begun = Instant::now();
    let after = async {
        // Whoever waited went away.
        assert!(tokio::time::timeout(Duration::from_millis(100), left.ping()).await.is_err());
        write(&left).await
    };
    let (after, pinged, wrote, _) = tokio::join!(after, read.ping(), write(&written), write(&returned));
    assert_eq!(after, Ok(()), "the next one has a connection of its own");
    for given_up in [pinged, wrote] {
        assert!(matches!(given_up, Err(DbError::Unavailable(_))), "{given_up:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    for db in [left, read, written, returned] {
        write(&db).await.unwrap();
        db.close().await;
    }
}

#[test]
fn a_job_without_an_end_does_not_keep_the_process_from_its_own() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let begun = Instant::now();
    runtime.block_on(async {
        // A thread of SQLite's; PostgreSQL has none to wait for.
        let shop = Shop::open(false).await;
        let (db, started) = (shop.app.db.clone(), Arc::new(Notify::new()));
        let starts = started.clone();
        tokio::spawn(async move {
            let endless = db.write::<_, DbError>(move |_| {
                starts.notify_one();
                std::thread::sleep(Duration::from_secs(60));
                Box::pin(async { Ok(()) })
            });
            endless.await
        });
        started.notified().await;
        let closed = tokio::time::timeout(Duration::from_millis(300), shop.app.db.close()).await;
        assert!(closed.is_err(), "the job still runs");
    });
    drop(runtime);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}
