//! What people agreed to: purpose, version and time, in rows that are only ever added.

use crate::{
    args,
    domain::{Result, account::NOTICES},
    server::{context::new_id, db::Tx},
};

/// Records that the present terms and privacy notice were agreed to, unless that is on record.
///
/// # Errors
/// When the database cannot be written.
pub async fn agree(tx: &mut Tx<'_>, customer: &str, now: i64) -> Result<()> {
    for (purpose, version) in NOTICES {
        let sql = "insert into consent (id, customer_id, purpose, version, granted, at)
            select $1, $2, $3, $4, true, $5
            where not exists (select 1 from consent where customer_id = $2 and purpose = $3 and version = $4)";
        tx.exec(sql, args![new_id(), customer, purpose, version, now]).await?;
    }
    Ok(())
}
