//! Jobs that meet: all of what they do counts once, and none waits for another in a circle.

use super::*;
use xiadan::server::db::Tx;

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_increments_are_all_counted_and_read_at_once() {
    both(|db| async move {
        item(&db, "n", 0).await;
        let mut jobs = JoinSet::new();
        for _ in 0..1000 {
            let db = db.clone();
            jobs.spawn(async move {
                let sql = "update item set amount = amount + 1 where id = 'n' returning amount";
                let written: i64 = db
                    .write::<_, DbError>(move |tx| Box::pin(async move { tx.one(sql, args![]).await?.get("amount") }))
                    .await
                    .unwrap();
                assert!(amount(&db, "n").await >= written);
            });
        }
        while let Some(done) = jobs.join_next().await {
            done.unwrap();
        }
        assert_eq!(amount(&db, "n").await, 1000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_pieces_are_sold_to_exactly_a_hundred_of_a_thousand_buyers() {
    both(|db| async move {
        item(&db, "piece", 100).await;
        let mut buyers = JoinSet::new();
        for number in 0..1000_i64 {
            let db = db.clone();
            buyers.spawn(async move {
                db.write(move |tx| {
                    Box::pin(async move {
                        let sql = "update item set amount = amount - $2 where id = $1 and amount >= $2";
                        if tx.exec(sql, args!["piece", 1]).await? == 0 {
                            return Err(Refusal::No);
                        }
                        let sold = "insert into part (id, item_id) values ($1, 'piece')";
                        tx.exec(sold, args![number.to_string()]).await?;
                        Ok(())
                    })
                })
                .await
            });
        }
        let mut sold = 0;
        while let Some(done) = buyers.join_next().await {
            match done.unwrap() {
                Ok(()) => sold += 1,
                Err(error) => assert_eq!(error, Refusal::No),
            }
        }
        let parts = db.one("select count(*) as n from part", args![]).await.unwrap();
        assert_eq!((sold, parts.get::<i64>("n").unwrap(), amount(&db, "piece").await), (100, 100, 0));
    })
    .await;
}

const AMOUNT: &str = "select amount from item where id = $1";

async fn transfer(tx: &mut Tx<'_>, from: &'static str, to: &'static str) -> Result<(), DbError> {
    tx.exec("update item set amount = amount - 1 where id = $1", args![from]).await?;
    tx.exec("update item set amount = amount + 1 where id = $1", args![to]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_sees_one_state_and_deadlocks_are_repeated() {
    both(|db| async move {
        item(&db, "a", 1000).await;
        item(&db, "b", 1000).await;
        let mut jobs = JoinSet::new();
        for number in 0..2 {
            let db = db.clone();
            jobs.spawn(async move {
                let (from, to) = if number % 2 == 0 { ("a", "b") } else { ("b", "a") };
                for _ in 0..50 {
                    db.write(move |tx| Box::pin(async move { transfer(tx, from, to).await })).await.unwrap();
                    let sum = db
                        .read::<i64, DbError>(|tx| {
                            Box::pin(async move {
                                let a = tx.one("select amount from item where id = 'a'", args![]).await?;
                                let b = tx.one("select amount from item where id = 'b'", args![]).await?;
                                Ok(a.get::<i64>("amount")? + b.get::<i64>("amount")?)
                            })
                        })
                        .await
                        .unwrap();
                    assert_eq!(sum, 2000);
                }
            });
        }
        while let Some(done) = jobs.join_next().await {
            done.unwrap();
        }
        let refused = db.read(|tx| Box::pin(async move { tx.exec("update item set amount = 0", args![]).await })).await;
        assert!(matches!(refused, Err(DbError::Other(_))), "{refused:?}");
        let panicked = db.read::<(), DbError>(|_| Box::pin(async { panic!("a read panics on purpose") })).await;
        assert!(matches!(panicked, Err(DbError::Other(_))), "{panicked:?}");
        assert_eq!(amount(&db, "a").await + amount(&db, "b").await, 2000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_take_their_rows_first_wait_for_each_other_in_no_circle() {
    both(|db| async move {
        item(&db, "a", 1000).await;
        item(&db, "b", 1000).await;
        let tries = Arc::new(AtomicUsize::new(0));
        let mut jobs = JoinSet::new();
        for (from, to) in [("a", "b"), ("b", "a")] {
            let (db, tries) = (db.clone(), tries.clone());
            jobs.spawn(async move {
                for _ in 0..100 {
                    let tries = tries.clone();
                    let change = db.write::<_, DbError>(move |tx| {
                        tries.fetch_add(1, Ordering::Relaxed);
                        Box::pin(async move {
                            let ids = [from, to, from, "no such id"].map(str::to_owned);
                            tx.lock("item", &ids).await?;
                            let before: i64 = tx.one(AMOUNT, args![from]).await?.get("amount")?;
                            transfer(tx, from, to).await?;
                            let after: i64 = tx.one(AMOUNT, args![from]).await?.get("amount")?;
                            assert_eq!(before - 1, after);
                            Ok(())
                        })
                    });
                    change.await.unwrap();
                }
            });
        }
        while let Some(done) = jobs.join_next().await {
            done.unwrap();
        }
        assert_eq!(tries.load(Ordering::Relaxed), 200, "no transaction had to be repeated");
        assert_eq!((amount(&db, "a").await, amount(&db, "b").await), (1000, 1000));
    })
    .await;
}
