//! The reviews of the demo shop. Its customers are as invented as its goods: these reviews belong to no order.

use crate::{
    args,
    domain::{Error, Result, review::Draft},
    server::{
        App,
        context::{internal, now},
        db::Tx,
    },
};
use serde::Deserialize;

const DAY_MS: i64 = 24 * 60 * 60_000;

/// A review, of a product that is named by its handle and of what its SKU says.
#[derive(Clone, Deserialize)]
struct Entry {
    handle: String,
    #[serde(default)]
    sku: String,
    /// As it is shown; empty for somebody without a name.
    name: String,
    stars: i64,
    #[serde(default)]
    body: String,
    /// Since how many days it is there.
    days: i64,
    /// Who came, by the key of a file of services.
    #[serde(default)]
    person: Option<String>,
    #[serde(default)]
    person_stars: i64,
    /// What the shop said the day after.
    #[serde(default)]
    answer: Option<String>,
}

/// Takes over the reviews of a JSON list. One of a product that does not exist is left out, and so is one that was taken
/// over before.
///
/// # Errors
/// When the list cannot be read or the database cannot be written.
pub async fn take_over(app: &App, list: &str) -> Result<()> {
    let entries: Vec<Entry> = serde_json::from_str(list).map_err(|e| internal("demo", &e))?;
    let now = now();
    app.db
        .write::<_, Error>(move |tx| {
            let entries = entries.clone();
            Box::pin(async move {
                for (number, entry) in entries.iter().enumerate() {
                    write(tx, number, entry, now).await?;
                }
                Ok(())
            })
        })
        .await
}

async fn write(tx: &mut Tx<'_>, number: usize, entry: &Entry, now: i64) -> Result<()> {
    let Entry { handle, sku, name, stars, days, person_stars, .. } = entry;
    let draft = Draft { stars: *stars, body: entry.body.clone(), anonymous: false, person_stars: *person_stars };
    let draft = draft.check(entry.person.is_some())?;
    let sql = "select p.id, coalesce((select max(v.id) from variant v where v.product_id = p.id and v.sku = $2), '') as variant
        from product p where p.handle = $1";
    let Some(row) = tx.optional(sql, args![handle, sku]).await? else { return Ok(()) };
    let (product, variant): (String, String) = (row.get("id")?, row.get("variant")?);
    // At another time of the day each.
    let hour = i64::try_from(number).unwrap_or(0) * 37 % 600;
    let at = now - days * DAY_MS - hour * 60_000;
    let person = entry.person.as_ref().map(|key| format!("{product}:{key}"));
    let rated = (draft.person_stars > 0).then_some(draft.person_stars);
    let (answer, answered) = (entry.answer.clone(), entry.answer.as_ref().map(|_| at + DAY_MS));
    let sql =
        "insert into review (id, product_id, variant_id, author, stars, body, resource_id, person_stars, written_at,
            changed_at, answer, answered_at, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, 1) on conflict (id) do nothing";
    let args = args![
        format!("demo-{handle}-{number}"),
        &product,
        variant,
        name,
        draft.stars,
        draft.body,
        person,
        rated,
        at,
        answer,
        answered
    ];
    if tx.exec(sql, args).await? == 1 {
        super::store::count(tx, &product, (draft.stars, 1), now).await?;
    }
    Ok(())
}
