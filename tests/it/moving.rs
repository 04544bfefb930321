//! A shop moves from one database into another and back, also when it is broken off on the way.

use crate::{
    postgres,
    shop::{Piece, Shop, balance, customer, place, staff},
    venues,
};
use std::sync::Arc;
use xiadan::server::{
    App,
    backup::{
        BackupError, Progress, Watch,
        restore::sums,
        transfer::{Moved, transfer},
        unwatched,
    },
    db::{Db, Options},
    order, start, stock,
};

async fn open(url: &str) -> Db {
    Db::open(Options { url: url.to_owned(), ..Options::default() }).await.unwrap()
}

/// A shop with rows in many tables, also in those whose rows refer to each other.
async fn filled(on_postgres: bool) -> Shop {
    let shop = Shop::open(on_postgres).await;
    let app = &shop.app;
    shop.sell(&[Piece("mug", 5_000, 100)]).await;
    venues::open(app).await;
    crate::member::exec(
        app,
        "insert into category (id, handle, parent_id, position) values ('z', 'z', null, 1), ('b', 'b', 'z', 1), ('a', 'a', 'b', 1)",
    )
    .await;
    for _ in 0..3 {
        let ctx = customer(app).await;
        place(&ctx, "mug", 1).await.unwrap();
        let number = place(&ctx, "mug", 2).await.unwrap();
        order::cancel(&ctx, &number).await.unwrap();
    }
    stock::adjust(&staff(app), "mug", 0, 100, 90).await.unwrap();
    shop
}

/// Somebody who goes away when a table comes to its turn.
fn gone_at(name: &'static str) -> Watch {
    Arc::new(move |progress: Progress| {
        if let Progress::Rows { table, .. } = progress {
            assert_ne!(table, name, "the power fails");
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_moves_to_the_other_database_and_back() {
    let shop = filled(false).await;
    let (database, folder) = (postgres::Database::create(), tempfile::tempdir().unwrap());
    let old = sums(&shop.app.db).await.unwrap();
    assert!(old.iter().filter(|sum| sum.rows > 0).count() > 15, "{old:?}");
    let postgres = open(&database.url).await;
    let moved = transfer(&shop.app.db, &postgres, "a", unwatched()).await.unwrap();
    let rows = old.iter().map(|sum| sum.rows).sum();
    assert_eq!(moved, Moved { tables: old.len(), rows, resumed: false });
    assert_eq!(sums(&postgres).await.unwrap(), old);
    let back = open(&format!("sqlite://{}", folder.path().join("back.db").display())).await;
    transfer(&postgres, &back, "b", unwatched()).await.unwrap();
    assert_eq!(sums(&back).await.unwrap(), old);
    let again = transfer(&postgres, &back, "b", unwatched()).await;
    assert!(matches!(again, Err(BackupError::NotEmpty(_))), "{again:?}");
    postgres.close().await;
    back.close().await;
    let app = opened(&shop, &database.url).await;
    balance(&app).await;
    let ctx = customer(&app).await;
    place(&ctx, "mug", 1).await.unwrap();
    app.db.close().await;
    shop.app.db.close().await;
}

/// The same shop on another database.
async fn opened(shop: &Shop, url: &str) -> App {
    let config = xiadan::server::config::Config { database_url: url.to_owned(), ..shop.app.config.clone() };
    start::open(config).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_was_broken_off_goes_on_and_finds_what_was_changed_meanwhile() {
    for on_postgres in [false, true] {
        let shop = filled(on_postgres).await;
        let (database, folder) = (postgres::Database::create(), tempfile::tempdir().unwrap());
        let url = match on_postgres {
            true => format!("sqlite://{}", folder.path().join("new.db").display()),
            false => database.url.clone(),
        };
        let new = open(&url).await;
        let (from, to) = (shop.app.db.clone(), new.clone());
        let broken = tokio::spawn(async move { transfer(&from, &to, "here", gone_at("order_line")).await });
        assert!(broken.await.is_err(), "it was broken off");
        assert!(
            start::open_database(Options { url: url.clone(), ..Options::default() }).await.is_err(),
            "and is not served"
        );
        let other = transfer(&shop.app.db, &new, "there", unwatched()).await;
        assert!(matches!(other, Err(BackupError::Refused(_))), "{other:?}");
        crate::member::exec(&shop.app, "insert into setting (key, value) values ('late', 'x')").await;
        let differs = transfer(&shop.app.db, &new, "here", unwatched()).await;
        assert!(matches!(&differs, Err(BackupError::Differs(tables)) if *tables == ["setting"]), "{differs:?}");
        crate::member::exec(&shop.app, "delete from setting where key = 'late'").await;
        let moved = transfer(&shop.app.db, &new, "here", unwatched()).await.unwrap();
        assert!(moved.resumed);
        assert_eq!(sums(&new).await.unwrap(), sums(&shop.app.db).await.unwrap());
        new.close().await;
        shop.app.db.close().await;
    }
}
