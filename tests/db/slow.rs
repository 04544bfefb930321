//! What is slow keeps nothing waiting that has nothing to do with it.

use super::*;
use futures::future::BoxFuture;
use std::sync::{
    Mutex,
    mpsc::{self, Receiver, Sender},
};
use xiadan::server::db::Tx;

#[tokio::test(flavor = "multi_thread")]
async fn slow_reads_keep_no_write_out_and_slow_writes_no_read() {
    const HOLD: &str = "select pg_advisory_xact_lock(7)";
    // As slow as somebody else holds the lock.
    const SLOW: &str = "select pg_advisory_xact_lock_shared(7)";
    let database = postgres::Database::create();
    let open = |max_connections| Db::open(Options { url: database.url.clone(), max_connections, ..Options::default() });
    let (db, other) = (open(4).await.unwrap(), open(2).await.unwrap());
    db.migrate(&[SCHEMA]).await.unwrap();
    item(&db, "n", 0).await;
    let locks = async |granted: bool, wanted: i64| {
        // Other tests have locks of their own in their databases.
        let sql = "select count(*) as n from pg_locks join pg_database on pg_database.oid = database
            where datname = current_database() and locktype = 'advisory' and objid = 7 and granted = $1";
        while other.all(sql, args![granted]).await.unwrap()[0].get::<i64>("n").unwrap() < wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    for reads in [true, false] {
        let gate = Arc::new(Notify::new());
        let (holder, open) = (other.clone(), gate.clone());
        let holding = tokio::spawn(async move {
            let hold = holder.write::<_, DbError>(move |tx| {
                let open = open.clone();
                Box::pin(async move {
                    tx.all(HOLD, args![]).await?;
                    open.notified().await;
                    Ok(())
                })
            });
            hold.await
        });
        locks(true, 1).await;
        let mut jobs = JoinSet::new();
        for _ in 0..6 {
            let db = db.clone();
            jobs.spawn(async move {
                if reads {
                    return db.all(SLOW, args![]).await.map(drop);
                }
                let slow = db.write::<_, DbError>(|tx| Box::pin(async move { tx.all(SLOW, args![]).await.map(drop) }));
                slow.await
            });
        }
        locks(false, 3).await;
        let quick = async {
            if reads {
                assert_eq!(exec(&db, "update item set amount = amount + 1", args![]).await, Ok(1));
                assert_eq!(db.ping().await, Ok(()), "nobody takes it for dead");
            } else {
                assert_eq!(amount(&db, "n").await, 1);
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(8), quick).await.is_ok(), "kept out");
        gate.notify_one();
        assert_eq!(holding.await.unwrap(), Ok(()));
        while let Some(done) = jobs.join_next().await {
            assert_eq!(done.unwrap(), Ok(()));
        }
    }
    db.close().await;
    other.close().await;
}

/// Tells when it has read something, and goes on when it is told to.
fn gated(
    inside: Sender<()>,
    gate: Receiver<()>,
) -> impl for<'t> Fn(&'t mut Tx<'_>) -> BoxFuture<'t, Result<i64, DbError>> + Send + Sync + 'static {
    let gate = Arc::new(Mutex::new(gate));
    move |tx| {
        let (inside, gate) = (inside.clone(), gate.clone());
        Box::pin(async move {
            let rows = tx.all("select amount from item", args![]).await?;
            inside.send(()).unwrap();
            let _ = gate.lock().unwrap().recv();
            rows[0].get("amount")
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_for_long_keeps_no_reader_and_readers_keep_nobody_from_asking_whether_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/test.db", folder.path().display());
    let db = Db::open(Options { url, readers: 1, ..Options::default() }).await.unwrap();
    db.migrate(&[SCHEMA]).await.unwrap();
    item(&db, "n", 1).await;
    for long in [true, false] {
        let (inside, begun) = mpsc::channel();
        let (end, gate) = mpsc::channel::<()>();
        let (read, reader) = (gated(inside, gate), db.clone());
        let reading =
            tokio::spawn(async move { if long { reader.read_long(read).await } else { reader.read(read).await } });
        tokio::task::spawn_blocking(move || begun.recv()).await.unwrap().unwrap();
        assert_eq!(db.ping().await, Ok(()));
        if long {
            assert_eq!(amount(&db, "n").await, 1);
            assert_eq!(exec(&db, "update item set amount = 2", args![]).await, Ok(1));
            assert_eq!(amount(&db, "n").await, 2);
        }
        end.send(()).unwrap();
        assert_eq!(reading.await.unwrap(), Ok(if long { 1 } else { 2 }), "one state of the data");
    }
    db.close().await;
    assert_eq!(db.ping().await, Err(DbError::Closed));
    let late = db.read_long::<i64, DbError>(|_| Box::pin(async { Ok(1) })).await;
    assert_eq!(late, Err(DbError::Closed));
}
