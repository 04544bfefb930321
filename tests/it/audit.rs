//! The record of what must not be denied.

use crate::shop::{Piece, both, staff};
use xiadan::{
    args,
    domain::{Error, office::Staff, permission::Role},
    server::{
        App, Ctx, account,
        audit::{self, Action, Entry, Finding},
        context::now,
        db::DbError,
        stock,
    },
};

async fn write(app: &App, sql: &'static str) {
    app.db.write::<_, DbError>(move |tx| Box::pin(async move { tx.exec(sql, args![]).await })).await.unwrap();
}

async fn record(app: &App, subject: String) {
    let shop = app.clone();
    app.db
        .write::<_, Error>(move |tx| {
            let (shop, subject) = (shop.clone(), subject.clone());
            Box::pin(async move {
                let entry =
                    Entry { actor: "staff:lin".into(), action: Action::RecipientSeen, subject, detail: "a:b".into() };
                audit::record(tx, &shop.keys, &entry, now()).await
            })
        })
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_changes_the_record_is_found_out() {
    both(&[Piece("mug", 5_000, 10)], async |app| {
        assert_eq!(audit::verify(&app).await, Ok(Finding::Whole(0)));
        let together = (0..30).map(|i| record(&app, format!("order:{i}")));
        futures::future::join_all(together).await;
        assert_eq!(audit::verify(&app).await, Ok(Finding::Whole(30)));
        for (harm, repair, found) in [
            (
                "update audit set actor = 'staff:hua' where sequence = 7",
                "update audit set actor = 'staff:lin' where sequence = 7",
                7,
            ),
            (
                "update audit set at = at + 1 where sequence = 30",
                "update audit set at = at - 1 where sequence = 30",
                30,
            ),
            (
                "update audit set sequence = 99 where sequence = 12",
                "update audit set sequence = 12 where sequence = 99",
                12,
            ),
            // One who moves text from one column to the next.
            (
                "update audit set subject = subject || 'a', detail = ':b' where sequence = 3",
                "update audit set subject = 'order:x', detail = 'a:b' where sequence = 3",
                3,
            ),
        ] {
            write(&app, harm).await;
            assert_eq!(audit::verify(&app).await, Ok(Finding::Broken(found)), "{harm}");
            write(&app, repair).await;
        }
        assert_eq!(audit::verify(&app).await, Ok(Finding::Broken(3)), "it was order:2 or another, and not that");
    })
    .await;
    both(&[Piece("mug", 5_000, 10)], async |app| {
        for i in 0..3 {
            record(&app, format!("order:{i}")).await;
        }
        // Cut off at the end.
        write(&app, "delete from audit where sequence = 3").await;
        assert_eq!(audit::verify(&app).await, Ok(Finding::Broken(3)));
        write(&app, "delete from audit").await;
        assert_eq!(audit::verify(&app).await, Ok(Finding::Broken(1)));
        write(&app, "delete from setting where key = 'audit_head'").await;
        assert_eq!(
            audit::verify(&app).await,
            Ok(Finding::Whole(0)),
            "a record that never was cannot be told from one that is gone"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_office_does_is_on_record() {
    both(&[Piece("mug", 5_000, 10)], async |app| {
        stock::set_price(&staff(&app), "mug", 1, "60.00", "").await.unwrap();
        stock::adjust(&staff(&app), "mug", 0, 10, 12).await.unwrap();
        // What was refused is not what was done.
        assert!(stock::set_price(&staff(&app), "mug", 1, "70.00", "").await.is_err());
        account::create_staff(&app, "hua", Some(Role::Warehouse), "correct horse".into()).await.unwrap();
        let rows =
            app.db.all("select actor, action, subject, detail from audit order by sequence", args![]).await.unwrap();
        let told: Vec<_> = rows
            .iter()
            .map(|row| {
                ["actor", "action", "subject", "detail"].map(|column| row.get::<String>(column).unwrap()).join(" ")
            })
            .collect();
        assert_eq!(
            told,
            [
                "staff:lin price_set variant:mug 5000 -> 6000",
                "staff:lin stock_adjusted variant:mug +2",
                "operator staff_set staff:hua warehouse",
            ]
        );
        assert_eq!(audit::verify(&app).await, Ok(Finding::Whole(3)));
        let warehouse = Ctx { staff: Some(Staff { login: "hua".into(), role: Role::Warehouse }), ..Ctx::system(&app) };
        assert_eq!(stock::set_price(&warehouse, "mug", 2, "1.00", "").await, Err(Error::Forbidden));
    })
    .await;
}
