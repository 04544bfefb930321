//! What the venues of the demo shop have in common, whatever is booked there: how a list of them is taken over, where they
//! are, what is kept of what is given up, and who or what is there.

use super::claim;
use crate::{
    args,
    domain::{
        Error, Result,
        booking::{
            HOUR_MS, WHOLE,
            cancellation::{Cancellation, Deadline, Fee, Step},
            interval::Interval,
            offer::{Kind, Offer, Policies},
            schedule::{Hours, Schedule},
        },
    },
    server::{
        App,
        context::{internal, now},
        db::{BoxFuture, Tx},
    },
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Why some of the time is taken, as the office sees it.
const BUSY: &str = "电话预约 / booked by phone";

/// Where a product is booked, which is found by its handle.
#[derive(Clone, Deserialize)]
pub(super) struct Venue {
    pub handle: String,
    /// The IANA name of the zone by whose clocks it opens.
    pub zone: String,
    region: String,
    address: String,
}

/// From so many hours before the beginning on, so many per cent are kept.
#[derive(Clone, Deserialize)]
pub(super) struct Kept {
    hours: i64,
    percent: i64,
}

/// A row of people, things or tables.
pub(super) struct Resource<'a> {
    pub product: &'a str,
    pub id: &'a str,
    pub kind: &'static str,
    pub place: i64,
    pub name: &'a str,
}

/// Takes over the entries of a JSON list, each in a transaction of its own. `write` is given the entry and the time in UTC
/// milliseconds.
///
/// # Errors
/// When the list cannot be read or the database cannot be written.
pub(super) async fn take_over<T: Clone + DeserializeOwned + Send + Sync + 'static>(
    app: &App,
    list: &str,
    write: impl for<'t> Fn(&'t mut Tx<'_>, &'t T, i64) -> BoxFuture<'t, Result<()>> + Copy + Send + Sync + 'static,
) -> Result<()> {
    let entries: Vec<T> = serde_json::from_str(list).map_err(|e| internal("demo", &e))?;
    let now = now();
    for entry in entries {
        app.db
            .write::<_, Error>(move |tx| {
                let entry = entry.clone();
                Box::pin(async move { write(tx, &entry, now).await })
            })
            .await?;
    }
    Ok(())
}

impl Venue {
    /// The id of the product, which is booked like this from now on; `None` where there is none.
    pub async fn product(&self, tx: &mut Tx<'_>, kind: Kind) -> Result<Option<String>> {
        let sql = "update product set kind = $2 where handle = $1 returning id";
        let row = tx.optional(sql, args![&self.handle, kind.name()]).await?;
        Ok(row.map(|row| row.get("id")).transpose()?)
    }

    pub async fn write(&self, tx: &mut Tx<'_>, product: &str, policies: &Policies) -> Result<()> {
        let sql =
            "insert into venue (product_id, zone, region, address, policies, version) values ($1, $2, $3, $4, $5, 1)
            on conflict (product_id) do update set zone = excluded.zone, region = excluded.region,
                address = excluded.address, policies = excluded.policies, version = venue.version + 1";
        tx.exec(sql, args![product, &self.zone, &self.region, &self.address, text(policies)?]).await?;
        Ok(())
    }
}

/// Offers the variant of a product that has a SKU; nothing where there is none.
pub(super) async fn offer(tx: &mut Tx<'_>, product: &str, sku: &str, offer: &Offer) -> Result<()> {
    let sql = "insert into offer (variant_id, detail, version)
        select v.id, $3, 1 from variant v where v.product_id = $1 and v.sku = $2
        on conflict (variant_id) do update set detail = excluded.detail, version = offer.version + 1";
    tx.exec(sql, args![product, sku, text(offer)?]).await?;
    Ok(())
}

impl Resource<'_> {
    /// Writes it, and for which variants it can be had; for a table none are named.
    pub async fn write(&self, tx: &mut Tx<'_>, detail: &str, schedule: &Schedule, variants: &[String]) -> Result<()> {
        let sql = "insert into resource (id, product_id, kind, position, active, name, detail, schedule, version)
            values ($1, $2, $3, $4, true, $5, $6, $7, 1)
            on conflict (id) do update set position = excluded.position, name = excluded.name, detail = excluded.detail,
                schedule = excluded.schedule, version = resource.version + 1";
        let args = args![self.id, self.product, self.kind, self.place, self.name, detail, text(schedule)?];
        tx.exec(sql, args).await?;
        for variant in variants {
            let sql = "insert into resource_offer (resource_id, variant_id) values ($1, $2)
                on conflict (resource_id, variant_id) do nothing";
            tx.exec(sql, args![self.id, variant]).await?;
        }
        Ok(())
    }

    /// Takes some of its time, unless some was ever taken.
    pub async fn occupy(&self, tx: &mut Tx<'_>, times: &[Interval]) -> Result<()> {
        if tx.optional("select id from claim where resource_id = $1 limit 1", args![self.id]).await?.is_none() {
            for time in times {
                claim::block(tx, self.id, *time, BUSY).await?;
            }
        }
        Ok(())
    }
}

/// What is kept by these rules of what is given up.
pub(super) fn cancellation(kept: &[Kept]) -> Cancellation {
    let step = |kept: &Kept| Step {
        from: Deadline::Before { ms: kept.hours * HOUR_MS },
        fee: Fee::Share(kept.percent * WHOLE / 100),
    };
    Cancellation { steps: kept.iter().map(step).collect() }
}

/// Reads `09:00-18:00`.
pub(super) fn hours(text: &str) -> Result<Hours> {
    let hours = text.split_once('-').and_then(|(from, until)| Hours::parse(from, until));
    hours.ok_or_else(|| wrong(text))
}

pub(super) fn text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| internal("demo", &e))
}

pub(super) fn wrong(what: &str) -> Error {
    internal("demo", &format!("{what} cannot be"))
}
