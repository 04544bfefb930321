//! Nights that open as days go by. A house that wants it always has nights up to its horizon: a new one is like that of the
//! same weekday 52 weeks before, and where there is none like that of the week before. Nights that are long over go.

use super::store;
use crate::{
    args,
    domain::{
        Error, Result,
        booking::{DAY_MS, date::LocalDate, offer::Policies},
    },
    server::{
        App,
        db::{Args, Row, ToValue, Tx, placeholders},
    },
};
use std::collections::BTreeMap;

/// The setting that holds the day up to which all is done.
const DONE: &str = "horizon";
/// So many room types are looked at by one transaction.
const BATCH: i64 = 50;
/// How many days before its own a night is like another: the same weekday of the year before, or of the week before.
const LIKE: [i64; 2] = [364, 7];
/// Nights are kept for so many days, so that those of the next year can be like them.
const KEPT_DAYS: i64 = 400;
/// How many rows of eight columns go into one statement.
const ROWS: usize = 60;
/// Clocks that are furthest ahead of UTC show a new day so much earlier.
const AHEAD_MS: i64 = 14 * DAY_MS / 24;

/// A night as it is copied: price, fewest and most nights, arrival, departure, open, and the rooms there are.
pub(super) type Like = (i64, i64, i64, bool, bool, bool, Option<i64>);

/// Opens the nights that are due, once on each day; tells whether anything was done.
///
/// # Errors
/// When the database cannot be written.
pub async fn run_due(app: &App, now: i64) -> Result<bool> {
    let today = now.saturating_add(AHEAD_MS).div_euclid(DAY_MS).to_string();
    let done = app.db.optional("select value from setting where key = $1", args![DONE]).await?;
    if done.map(|row| row.get::<String>("value")).transpose()?.as_deref() == Some(today.as_str()) {
        return Ok(false);
    }
    roll(app, now).await?;
    app.db
        .write::<_, Error>(move |tx| {
            let today = today.clone();
            Box::pin(async move {
                let sql = "insert into setting (key, value) values ($1, $2)
                    on conflict (key) do update set value = excluded.value";
                tx.exec(sql, args![DONE, today]).await?;
                Ok(())
            })
        })
        .await?;
    Ok(true)
}

/// Opens nights of all houses that want it, up to the horizon of each; answers with how many. Doing it twice is once.
///
/// # Errors
/// When the database cannot be written.
pub async fn roll(app: &App, now: i64) -> Result<i64> {
    let (mut after, mut opened) = (String::new(), 0);
    loop {
        let from = after.clone();
        let batch = app.db.write::<_, Error>(move |tx| {
            let from = from.clone();
            Box::pin(async move { batch(tx, &from, now).await })
        });
        let (last, nights) = batch.await?;
        opened += nights;
        match last {
            Some(last) => after = last,
            None => return Ok(opened),
        }
    }
}

/// Opens the nights of the room types that come after one; answers with the last of these, and how many nights it were.
async fn batch(tx: &mut Tx<'_>, after: &str, now: i64) -> Result<(Option<String>, i64)> {
    let sql = "select v.id, e.zone, e.policies from venue e cross join product p cross join variant v
        where p.id = e.product_id and v.product_id = p.id and p.kind = 'stay' and p.status <> 'archived' and v.active
            and v.id > $1 order by v.id limit $2";
    let (mut last, mut opened) = (None, 0);
    for row in tx.all(sql, args![after, BATCH]).await? {
        let variant: String = row.get("id")?;
        // A house whose rules cannot be read is in the log, and must not keep those after it closed.
        if let Some((today, horizon_days)) = rolling(&row, now).unwrap_or_default() {
            opened += open(tx, &variant, today, horizon_days).await?;
        }
        last = Some(variant);
    }
    Ok((last, opened))
}

/// Today at a house, and for how many days it takes bookings; `None` for one whose nights do not open by themselves.
fn rolling(row: &Row, now: i64) -> Result<Option<(LocalDate, i64)>> {
    let policies: Policies = store::json(row, "policies")?;
    if !policies.rolls_on {
        return Ok(None);
    }
    let today = store::zone_around(&row.get::<String>("zone")?, now)?.local(now).date;
    Ok(Some((today, policies.limits.horizon_days)))
}

async fn open(tx: &mut Tx<'_>, variant: &str, today: LocalDate, horizon_days: i64) -> Result<i64> {
    let first = today.plus(-KEPT_DAYS);
    tx.exec("delete from rate where variant_id = $1 and day < $2", args![variant, first.day()]).await?;
    tx.exec("delete from capacity where resource_id = $1 and unit < $2", args![variant, first.day()]).await?;
    let sql = "select r.day, r.price, r.min_nights, r.max_nights, r.arrival, r.departure, r.open, c.total
        from rate r left join capacity c on c.resource_id = r.variant_id and c.unit = r.day
        where r.variant_id = $1 and r.day >= $2";
    let mut known: BTreeMap<i64, Like> = BTreeMap::new();
    for row in tx.all(sql, args![variant, first.day()]).await? {
        let night = (
            row.get("price")?,
            row.get("min_nights")?,
            row.get("max_nights")?,
            row.get("arrival")?,
            row.get("departure")?,
            row.get("open")?,
            row.get("total")?,
        );
        known.insert(row.get("day")?, night);
    }
    let new = further(&mut known, today.plus(horizon_days).day());
    write(tx, variant, &new).await?;
    Ok(i64::try_from(new.len()).unwrap_or(i64::MAX))
}

/// Writes nights that are not there yet, with the rooms of each.
pub(super) async fn write(tx: &mut Tx<'_>, variant: &str, nights: &[(i64, Like)]) -> Result<()> {
    for nights in nights.chunks(ROWS) {
        let (mut rates, mut rooms) = (Vec::new(), Vec::new());
        let (mut rate_args, mut room_args) = (Args::new(), Args::new());
        for (day, (price, min_nights, max_nights, arrival, departure, open, total)) in nights {
            rates.push(format!("({})", placeholders(rate_args.len() + 1, 8)));
            rate_args.extend(args![variant, *day, *price, *min_nights, *max_nights, *arrival, *departure, *open]);
            if let Some(total) = total {
                rooms.push(format!("({}, 0)", placeholders(room_args.len() + 1, 3)));
                room_args.extend([variant.to_value(), day.to_value(), total.to_value()]);
            }
        }
        let sql = format!(
            "insert into rate (variant_id, day, price, min_nights, max_nights, arrival, departure, open) values {}
            on conflict (variant_id, day) do nothing",
            rates.join(", ")
        );
        tx.exec(sql, rate_args).await?;
        if !rooms.is_empty() {
            let sql = format!(
                "insert into capacity (resource_id, unit, total, claimed) values {}
                on conflict (resource_id, unit) do nothing",
                rooms.join(", ")
            );
            tx.exec(sql, room_args).await?;
        }
    }
    Ok(())
}

/// The nights after the last that is known, up to a day. Where nothing is like one of them, it stays closed.
fn further(known: &mut BTreeMap<i64, Like>, until: i64) -> Vec<(i64, Like)> {
    let Some(last) = known.keys().next_back().copied() else { return Vec::new() };
    let mut new = Vec::new();
    for day in last.saturating_add(1)..=until {
        let like = LIKE.into_iter().find_map(|before| known.get(&(day - before)).copied());
        if let Some(night) = like {
            known.insert(day, night);
            new.push((day, night));
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn night(price: i64) -> Like {
        (price, 1, 9, true, true, true, Some(2))
    }

    #[test]
    fn a_new_night_is_like_that_of_the_year_before_or_else_of_the_week_before() {
        let mut known: BTreeMap<_, _> = (0..7).map(|day| (day, night(day))).collect();
        let prices = |new: Vec<(i64, Like)>| new.into_iter().map(|(day, night)| (day, night.0)).collect::<Vec<_>>();
        assert_eq!(prices(further(&mut known, 9)), [(7, 0), (8, 1), (9, 2)]);
        assert!(further(&mut known, 9).is_empty(), "doing it twice is once");
        known.insert(9 + 1 - 364, night(77));
        assert_eq!(prices(further(&mut known, 10)), [(10, 77)]);
        assert!(further(&mut BTreeMap::new(), 10).is_empty(), "a house that has no nights opens none");
    }
}
