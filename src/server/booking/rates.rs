//! The nights of room types as the office keeps them: prices, rules, and how many rooms there are. There are never fewer
//! rooms than are claimed.
//!
//! Whoever changes nights takes the product first, so that two changes of one room type come one after the other. Rooms
//! are written night by night, in the order in which orders claim them.

use super::store;
use crate::{
    args,
    domain::{
        Error, Result,
        booking::{
            date::LocalDate,
            keeping::{MAX_TOTAL, OfficeHouse, OfficeMonth, OfficeNight, RateForm, RoomsForm},
            rates::Night,
            stay::MAX_NIGHTS,
        },
        catalog::{ProductOption, label},
        error::Problem,
        live::Topic,
        money::Amount,
        page::{Page, offset},
        permission::Permission,
    },
    server::{
        Ctx,
        audit::{self, Action, Entry},
        catalog::{in_locale, json, like},
        db::{Row, Tx, lists},
    },
};
use std::collections::HashMap;

const HOUSES_PER_PAGE: i64 = 20;

/// The houses of the shop with their room types; `q` finds by title.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff.
pub async fn houses(ctx: &Ctx, q: Option<&str>, page: i64) -> Result<Page<OfficeHouse>> {
    ctx.require(Permission::SeeStock)?;
    let (pattern, locale) = (like(q.unwrap_or("").trim()), ctx.locale);
    let (page, skip) = offset(page, HOUSES_PER_PAGE);
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let pattern = pattern.clone();
            Box::pin(async move {
                const FOUND: &str = "p.kind = 'stay' and p.status <> 'archived' and exists (
                    select 1 from product_text w where w.product_id = p.id and w.words like $1 escape '\\')";
                let sql = format!("select count(*) as total from product p where {FOUND}");
                let total = tx.one(sql, args![&pattern]).await?.get("total")?;
                let sql = format!(
                    "select p.id, p.handle, p.status = 'active' as sold, {title} as title, {options} as options
                    from product p where {found} order by p.handle limit $3 offset $4",
                    title = in_locale!("title"),
                    options = in_locale!("options"),
                    found = FOUND.replace("$1", "$2"),
                );
                let rows = tx.all(sql, args![locale.tag(), &pattern, HOUSES_PER_PAGE, skip]).await?;
                let mut items = Vec::new();
                let mut options: HashMap<String, (usize, Vec<ProductOption>)> = HashMap::new();
                for row in &rows {
                    let id: String = row.get("id")?;
                    options.insert(id.clone(), (items.len(), json(&row.get::<String>("options")?)));
                    items.push(OfficeHouse {
                        product_id: id,
                        handle: row.get("handle")?,
                        title: row.get("title")?,
                        active: row.get("sold")?,
                        rooms: Vec::new(),
                    });
                }
                let ids: Vec<String> = items.iter().map(|house| house.product_id.clone()).collect();
                for (list, args) in lists(&ids) {
                    let sql = format!(
                        "select v.id, v.product_id, v.choices, v.sku from variant v join offer f on f.variant_id = v.id
                        where v.active and v.product_id in {list} order by v.product_id, v.position, v.id"
                    );
                    for row in tx.all(sql, args).await? {
                        let Some((place, options)) = options.get(&row.get::<String>("product_id")?) else { continue };
                        if let Some(house) = items.get_mut(*place) {
                            house.rooms.push((row.get("id")?, room_name(options, &row)?));
                        }
                    }
                }
                Ok(Page { items, total, page, per_page: HOUSES_PER_PAGE })
            })
        })
        .await
}

/// What a room type is called: its choices, or its SKU where there is nothing to choose.
fn room_name(options: &[ProductOption], row: &Row) -> Result<String> {
    let choices: Vec<usize> = json(&row.get::<String>("choices")?);
    let name = label(options, &choices);
    if name.is_empty() { Ok(row.get("sku")?) } else { Ok(name) }
}

/// A month of a room type; `month` is `2026-12`, or a date in it; where it is none the present one.
///
/// # Errors
/// [`Error::NotFound`] for what is no room type.
pub async fn month(ctx: &Ctx, variant_id: &str, month: &str) -> Result<OfficeMonth> {
    ctx.require(Permission::SeeStock)?;
    let (variant, locale, now) = (variant_id.to_owned(), ctx.locale, ctx.now);
    let wanted = LocalDate::parse(month).or_else(|| LocalDate::parse(&format!("{month}-01")));
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let variant = variant.clone();
            Box::pin(async move {
                let sql = format!(
                    "select v.choices, v.sku, p.handle, e.zone, {title} as title, {options} as options
                    from variant v join product p on p.id = v.product_id join venue e on e.product_id = p.id
                        join offer f on f.variant_id = v.id
                    where v.id = $2 and p.kind = 'stay'",
                    title = in_locale!("title"),
                    options = in_locale!("options"),
                );
                let row = tx.one(sql, args![locale.tag(), &variant]).await?;
                let today = store::zone_around(&row.get::<String>("zone")?, now)?.local(now).date;
                let first = super::stays::month_of(wanted.unwrap_or(today));
                let next = super::stays::month_of(first.plus(31));
                let set = set_nights(tx, &variant, (first, next.plus(-1))).await?;
                let sql =
                    "select unit, total, claimed from capacity where resource_id = $1 and unit >= $2 and unit < $3";
                let mut rooms = HashMap::new();
                for row in tx.all(sql, args![&variant, first.day(), next.day()]).await? {
                    let count: (i64, i64) = (row.get("total")?, row.get("claimed")?);
                    rooms.insert(row.get::<i64>("unit")?, count);
                }
                let night = |date: LocalDate| {
                    let (total, claimed) = rooms.get(&date.day()).copied().unwrap_or_default();
                    OfficeNight { date, night: set.get(&date).copied(), total, claimed }
                };
                let options: Vec<ProductOption> = json(&row.get::<String>("options")?);
                Ok(OfficeMonth {
                    handle: row.get("handle")?,
                    title: row.get("title")?,
                    room: room_name(&options, &row)?,
                    today,
                    nights: first.up_to(next).map(night).collect(),
                    variant_id: variant,
                })
            })
        })
        .await
}

/// The nights that are set from one date to another, both included.
async fn set_nights(
    tx: &mut Tx<'_>,
    variant: &str,
    (first, last): (LocalDate, LocalDate),
) -> Result<HashMap<LocalDate, Night>> {
    let sql = "select day, price, min_nights, max_nights, arrival, departure, open from rate
        where variant_id = $1 and day >= $2 and day <= $3";
    let mut nights = HashMap::new();
    for row in tx.all(sql, args![variant, first.day(), last.day()]).await? {
        let night = Night {
            price: Amount(row.get("price")?),
            min_nights: row.get("min_nights")?,
            max_nights: row.get("max_nights")?,
            closed_to_arrival: !row.get::<bool>("arrival")?,
            closed_to_departure: !row.get::<bool>("departure")?,
            closed: !row.get::<bool>("open")?,
        };
        nights.insert(LocalDate::from_day(row.get("day")?), night);
    }
    Ok(nights)
}

/// Writes a night, whether or not it was set before.
async fn write_night(tx: &mut Tx<'_>, variant: &str, date: LocalDate, night: Night) -> Result<()> {
    let sql = "insert into rate (variant_id, day, price, min_nights, max_nights, arrival, departure, open)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (variant_id, day) do update set price = excluded.price, min_nights = excluded.min_nights,
            max_nights = excluded.max_nights, arrival = excluded.arrival, departure = excluded.departure,
            open = excluded.open";
    let args = args![
        variant,
        date.day(),
        night.price.0,
        night.min_nights,
        night.max_nights,
        !night.closed_to_arrival,
        !night.closed_to_departure,
        !night.closed
    ];
    tx.exec(sql, args).await?;
    Ok(())
}

/// The product of a room type, taken until the transaction ends, and the price of its variant.
async fn take(tx: &mut Tx<'_>, variant: &str) -> Result<(String, Amount)> {
    let sql = "select v.product_id, v.price from variant v join product p on p.id = v.product_id
            join offer f on f.variant_id = v.id
        where v.id = $1 and p.kind = 'stay'";
    let row = tx.one(sql, args![variant]).await?;
    let product: String = row.get("product_id")?;
    tx.lock("product", std::slice::from_ref(&product)).await?;
    Ok((product, Amount(row.get("price")?)))
}

/// Sets prices and rules of the nights of a range; what is empty stays as it is. A night that was not set yet costs what
/// the variant does unless a price is told.
///
/// # Errors
/// [`Error::Invalid`] with the problem of each field, [`Error::NotFound`] for what is no room type.
pub async fn set_rates(ctx: &Ctx, variant_id: &str, form: &RateForm) -> Result<()> {
    let staff = ctx.require(Permission::SetPrices)?.clone();
    let season = form.check(ctx.app.currency)?;
    let dates: Vec<_> = season.dates().collect();
    let (app, variant, actor, now) = (ctx.app.clone(), variant_id.to_owned(), staff.actor(), ctx.now);
    let product = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (app, variant, actor, dates) = (app.clone(), variant.clone(), actor.clone(), dates.clone());
            Box::pin(async move {
                let (product, price) = take(tx, &variant).await?;
                let before = set_nights(tx, &variant, (season.first, season.last)).await?;
                for date in dates {
                    let night = before.get(&date).copied().unwrap_or(Night::new(price));
                    let night = season.change.on(night);
                    if night.min_nights > night.max_nights {
                        let field = if season.change.max_nights.is_some() { "max_nights" } else { "min_nights" };
                        let range = match field {
                            "max_nights" => Problem::Range(night.min_nights, MAX_NIGHTS),
                            _ => Problem::Range(1, night.max_nights),
                        };
                        return Err(Error::field(field, range));
                    }
                    write_night(tx, &variant, date, night).await?;
                }
                let change = season.change;
                let detail = format!(
                    "nights {}..{}: price {:?}, nights {:?} to {:?}, closed to arrival {:?}, to departure {:?}, closed {:?}",
                    season.first,
                    season.last,
                    change.price.map(|price| price.0),
                    change.min_nights,
                    change.max_nights,
                    change.closed_to_arrival,
                    change.closed_to_departure,
                    change.closed
                );
                let entry =
                    Entry { actor, action: Action::PriceSet, subject: format!("variant:{variant}"), detail };
                audit::record(tx, &app.keys, &entry, now).await?;
                Ok(product)
            })
        })
        .await?;
    tracing::info!(%variant_id, first = %season.first, last = %season.last, staff = %staff.login, "nights set");
    ctx.app.live.changed(Topic::Product(product));
    Ok(())
}

/// Sets how many rooms there are in the nights of a range.
///
/// # Errors
/// [`Error::Invalid`] where more are claimed than there would be, [`Error::NotFound`] for what is no room type.
pub async fn set_rooms(ctx: &Ctx, variant_id: &str, form: &RoomsForm) -> Result<()> {
    let staff = ctx.require(Permission::AdjustStock)?.clone();
    let count = form.check()?;
    let dates: Vec<_> = count.nights.dates().collect();
    let (app, variant, actor, now) = (ctx.app.clone(), variant_id.to_owned(), staff.actor(), ctx.now);
    let product = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (app, variant, actor, dates) = (app.clone(), variant.clone(), actor.clone(), dates.clone());
            Box::pin(async move {
                let (product, _) = take(tx, &variant).await?;
                for date in dates {
                    if !write_rooms(tx, &variant, date, count.total).await? {
                        let sql = "select max(claimed) as claimed from capacity
                            where resource_id = $1 and unit >= $2 and unit <= $3";
                        let args = args![&variant, count.nights.first.day(), count.nights.last.day()];
                        let claimed: Option<i64> = tx.one(sql, args).await?.get("claimed")?;
                        return Err(Error::field("total", Problem::Range(claimed.unwrap_or(0), MAX_TOTAL)));
                    }
                }
                let entry = Entry {
                    actor,
                    action: Action::StockAdjusted,
                    subject: format!("variant:{variant}"),
                    detail: format!("nights {}..{}: {} rooms", count.nights.first, count.nights.last, count.total),
                };
                audit::record(tx, &app.keys, &entry, now).await?;
                Ok(product)
            })
        })
        .await?;
    tracing::info!(%variant_id, rooms = count.total, staff = %staff.login, "rooms set");
    ctx.app.live.changed(Topic::Product(product));
    Ok(())
}

/// Sets the rooms of a night; false where more are claimed.
async fn write_rooms(tx: &mut Tx<'_>, variant: &str, date: LocalDate, total: i64) -> Result<bool> {
    let sql = "insert into capacity (resource_id, unit, total, claimed) values ($1, $2, $3, 0)
        on conflict (resource_id, unit) do update set total = excluded.total where capacity.claimed <= excluded.total";
    Ok(tx.exec(sql, args![variant, date.day(), total]).await? == 1)
}
