//! A past for the demo shop: since when its products are on sale and how many were sold. A file of products cannot say
//! either, and lists by newest and by sales would have nothing to order.

use crate::{
    args,
    domain::{Error, Result},
    server::{App, context::now},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Takes over a table of handle, days on sale and pieces sold, with a line of headings. A line that cannot be read is
/// left out, and so is a product that does not exist.
///
/// # Errors
/// When the database cannot be written.
pub async fn take_over(app: &App, table: &str) -> Result<()> {
    let now = now();
    let lines: Vec<(String, i64, i64)> = table.lines().skip(1).filter_map(read).collect();
    app.db
        .write::<_, Error>(move |tx| {
            let lines = lines.clone();
            Box::pin(async move {
                let products = tx.all("select id from product", args![]).await?;
                let products = products.iter().map(|row| Ok(row.get("id")?)).collect::<Result<Vec<String>>>()?;
                // In the order of the file they could wait for an order that is being paid, and it for them.
                tx.lock("product", &products).await?;
                for (handle, days, sold) in &lines {
                    let sql = "update product set created_at = $2, sales = $3 where handle = $1";
                    tx.exec(sql, args![handle, now - days * DAY_MS, *sold]).await?;
                }
                Ok(())
            })
        })
        .await
}

fn read(line: &str) -> Option<(String, i64, i64)> {
    let mut cells = line.split(',').map(str::trim);
    Some((cells.next()?.to_owned(), cells.next()?.parse().ok()?, cells.next()?.parse().ok()?))
}
