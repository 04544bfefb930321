//! What an import changes of what was in the shop goes on record.

use super::*;
use xiadan::server::audit::{self, Finding};

#[tokio::test]
async fn what_an_import_changes_is_on_record() {
    both(|shop| async move {
        shop.import(TEA).await;
        let file = TEA.replace("39,10", "41,8");
        for _ in 0..2 {
            shop.import(&file).await;
        }
        shop.run(&shop.file(TEA), ImportOptions { dry_run: true, ..ImportOptions::default() }).await;
        let variant = shop.variants("tea").await[0].1.clone();
        let rows = shop.rows("select actor, action, subject, detail from audit order by sequence").await;
        let told: Vec<_> = rows
            .iter()
            .map(|row| {
                ["actor", "action", "subject", "detail"].map(|column| row.get::<String>(column).unwrap()).join(" ")
            })
            .collect();
        assert_eq!(
            told,
            [
                "operator imported catalog:zh-CN 3 rows: 2 created, 0 updated, 0 unchanged, 0 rejected".to_owned(),
                format!("operator price_set variant:{variant} 3900 -> 4100"),
                format!("operator stock_adjusted variant:{variant} -2"),
                "operator imported catalog:zh-CN 3 rows: 0 created, 1 updated, 1 unchanged, 0 rejected".to_owned(),
                "operator imported catalog:zh-CN 3 rows: 0 created, 0 updated, 2 unchanged, 0 rejected".to_owned(),
            ]
        );
        assert_eq!(audit::verify(&shop.app).await, Ok(Finding::Whole(5)));
    })
    .await;
}
