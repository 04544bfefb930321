//! Stock: pieces on hand and pieces held for unpaid orders.
//!
//! Nothing is sold twice because every claim is one conditional update whose affected rows are counted.
//!
//! Rows are written in one order, so that no two transactions wait for each other in a circle: the order, then products
//! by their ids, then their variants, which nobody changes who has not taken the product ([`Tx::lock`]), then stock by the
//! ids of its variants, and the record ([`audit`]) last. What leaves out a step keeps to the others: holding and releasing
//! begin with stock, and nothing that comes after it in the same transaction goes back to a product. An account that is closed
//! with several unpaid orders ends them one after the other, stock and bookings of each: should it meet somebody else in a
//! circle, one of the two is begun again by the database floor.

use super::{
    Ctx,
    audit::{self, Entry},
    catalog::{image, in_locale, json, like},
    db::{Args, Row, Tx, placeholders},
};
use crate::{
    args,
    domain::{
        Error, Result,
        catalog::{ProductOption, label},
        error::Problem,
        live::Topic,
        money::{Amount, AmountError},
        office::OfficeVariant,
        page::{Page, offset},
        permission::Permission,
    },
};

/// The only location so far.
pub const LOCATION: &str = "main";
/// The highest number of pieces of a variant on hand.
pub const MAX_ON_HAND: i64 = 10_000_000;
const OFFICE_PER_PAGE: i64 = 30;

/// Holds pieces for an order; answers with the variants of which not enough is left and what is available.
/// Variants that are sold without stock are not held.
pub(super) async fn hold(tx: &mut Tx<'_>, order_id: &str, lines: &[(String, i64)]) -> Result<Vec<(String, i64)>> {
    let (lines, mut short) = (sorted(lines), Vec::new());
    // The order's own rows first: those of the stock are wanted by others as well.
    note_holds(tx, order_id, &lines).await?;
    for (variant, quantity) in lines {
        let sql = "update stock set held = held + $3 where variant_id = $1 and location = $2 and on_hand - held >= $3
            and not (select v.backorder from variant v where v.id = $1)";
        if tx.exec(sql, args![variant, LOCATION, quantity]).await? == 1 {
            continue;
        }
        let sql = "delete from hold where order_id = $1 and variant_id = $2 and location = $3";
        tx.exec(sql, args![order_id, variant, LOCATION]).await?;
        let sql = "select v.backorder, coalesce(s.on_hand - s.held, 0) as available
            from variant v left join stock s on s.variant_id = v.id and s.location = $2 where v.id = $1";
        match tx.optional(sql, args![variant, LOCATION]).await? {
            Some(row) if row.get("backorder")? => {}
            Some(row) => short.push((variant.clone(), row.get::<i64>("available")?.max(0))),
            None => short.push((variant.clone(), 0)),
        }
    }
    Ok(short)
}

async fn note_holds(tx: &mut Tx<'_>, order_id: &str, lines: &[&(String, i64)]) -> Result<()> {
    const COLUMNS: usize = 4;
    if lines.is_empty() {
        return Ok(());
    }
    let (mut args, mut rows) = (Args::new(), Vec::new());
    for (variant, quantity) in lines {
        rows.push(format!("({}, 'active')", placeholders(args.len() + 1, COLUMNS)));
        args.extend(args![order_id, variant, LOCATION, quantity]);
    }
    let sql = format!(
        "insert into hold (order_id, variant_id, location, quantity, state) values {}
        on conflict (order_id, variant_id, location) do update set quantity = excluded.quantity, state = 'active'",
        rows.join(", ")
    );
    tx.exec(sql, args).await?;
    Ok(())
}

/// Gives the held pieces of an order back.
pub(super) async fn release(tx: &mut Tx<'_>, order_id: &str) -> Result<()> {
    let sql = "update stock set held = held - $3 where variant_id = $1 and location = $2";
    end(tx, order_id, ("active", "released"), sql).await?.carry_out(tx).await
}

/// Has the held pieces of an order sold; they are off the shelf when that is [carried out](Ended::carry_out).
pub(super) async fn take(tx: &mut Tx<'_>, order_id: &str) -> Result<Ended> {
    let sql = "update stock set held = held - $3, on_hand = on_hand - $3 where variant_id = $1 and location = $2";
    end(tx, order_id, ("active", "taken"), sql).await
}

/// Puts sold pieces of an order that was never shipped back on the shelf.
pub(super) async fn put_back(tx: &mut Tx<'_>, order_id: &str) -> Result<()> {
    let sql = "update stock set on_hand = on_hand + $3 where variant_id = $1 and location = $2";
    end(tx, order_id, ("taken", "released"), sql).await?.carry_out(tx).await
}

/// Holds that ended, and what is to be done to the stock.
#[must_use]
pub(super) struct Ended {
    sql: &'static str,
    /// Variant, location and quantity.
    pieces: Vec<(String, String, i64)>,
}

impl Ended {
    /// Does it, in the order of the variants.
    pub(super) async fn carry_out(self, tx: &mut Tx<'_>) -> Result<()> {
        for (variant, location, quantity) in self.pieces {
            tx.exec(self.sql, args![variant, location, quantity]).await?;
        }
        Ok(())
    }
}

/// Has the holds of an order that are in the first state in the second; to the stock of each is to be done what the statement
/// says.
async fn end(tx: &mut Tx<'_>, order_id: &str, (from, to): (&str, &str), sql: &'static str) -> Result<Ended> {
    let ended =
        "update hold set state = $3 where order_id = $1 and state = $2 returning variant_id, location, quantity";
    let rows = tx.all(ended, args![order_id, from, to]).await?;
    let pieces = |row: &Row| -> Result<(String, String, i64)> {
        Ok((row.get("variant_id")?, row.get("location")?, row.get("quantity")?))
    };
    let mut pieces: Vec<_> = rows.iter().map(pieces).collect::<Result<_>>()?;
    // They come in no order.
    pieces.sort();
    Ok(Ended { sql, pieces })
}

fn sorted(lines: &[(String, i64)]) -> Vec<&(String, i64)> {
    let mut lines: Vec<_> = lines.iter().collect();
    lines.sort();
    lines
}

/// The variants of the shop with stock and price, for the office; `q` finds by title or SKU.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff.
pub async fn office_variants(ctx: &Ctx, q: Option<&str>, page: i64) -> Result<Page<OfficeVariant>> {
    ctx.require(Permission::SeeStock)?;
    let pattern = like(q.unwrap_or("").trim());
    let (page, skip) = offset(page, OFFICE_PER_PAGE);
    let sql = "select count(*) as total from variant v join product p on p.id = v.product_id
        where v.active and exists (select 1 from product_text w where w.product_id = p.id and w.words like $1 escape '\\')";
    let total = ctx.app.db.one(sql, args![&pattern]).await?.get("total")?;
    let sql = format!(
        "select v.id, v.product_id, v.sku, v.choices, v.price, v.compare_at, v.version, p.handle, p.image, {title} as title,
            {options} as options, coalesce(s.on_hand, 0) as on_hand, coalesce(s.held, 0) as held,
            coalesce(s.version, 0) as stock_version
        from variant v join product p on p.id = v.product_id left join stock s on s.variant_id = v.id and s.location = '{LOCATION}'
        where v.active and exists (select 1 from product_text w where w.product_id = p.id and w.words like $2 escape '\\')
        order by p.handle, v.position, v.id limit $3 offset $4",
        title = in_locale!("title"),
        options = in_locale!("options"),
    );
    let rows = ctx.app.db.all(sql, args![ctx.locale.tag(), pattern, OFFICE_PER_PAGE, skip]).await?;
    let items = rows.iter().map(|row| {
        let options: Vec<ProductOption> = json(&row.get::<String>("options")?);
        let choices: Vec<usize> = json(&row.get::<String>("choices")?);
        Ok(OfficeVariant {
            variant_id: row.get("id")?,
            product_id: row.get("product_id")?,
            handle: row.get("handle")?,
            title: row.get("title")?,
            label: label(&options, &choices),
            sku: row.get("sku")?,
            image: image(row, "image")?,
            price: Amount(row.get("price")?),
            compare_at: row.get::<Option<i64>>("compare_at")?.map(Amount),
            on_hand: row.get("on_hand")?,
            held: row.get("held")?,
            version: row.get("version")?,
            stock_version: row.get("stock_version")?,
        })
    });
    Ok(Page { items: items.collect::<Result<_>>()?, total, page, per_page: OFFICE_PER_PAGE })
}

/// Sets the prices of a variant, in major units as typed; an empty `compare_at` is none.
///
/// # Errors
/// [`Error::Invalid`] for what is no price, [`Error::Conflict`] when the price was changed since it was seen.
pub async fn set_price(ctx: &Ctx, variant_id: &str, version: i64, price: &str, compare_at: &str) -> Result<()> {
    let staff = ctx.require(Permission::SetPrices)?.clone();
    let read = |field: &str, text: &str| {
        Amount::parse(text, ctx.app.currency).map_err(|error| {
            let problem = match error {
                AmountError::Range => Problem::Range(0, Amount::MAX_PRICE.0 / 100),
                AmountError::Malformed | AmountError::Precision => Problem::Number,
            };
            Error::field(field, problem)
        })
    };
    let price = read("price", price)?.0;
    let compare_at = if compare_at.trim().is_empty() { None } else { Some(read("compare_at", compare_at)?.0) };
    let variant = variant_id.to_owned();
    let (app, actor, now) = (ctx.app.clone(), staff.actor(), ctx.now);
    let product = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (app, variant, actor) = (app.clone(), variant.clone(), actor.clone());
            Box::pin(async move {
                let product: String = tx.one("select product_id from variant where id = $1", args![&variant]).await?.get("product_id")?;
                // Two prices of one product at once would each sum the product up without the other.
                tx.lock("product", std::slice::from_ref(&product)).await?;
                let before: i64 = tx.one("select price from variant where id = $1", args![&variant]).await?.get("price")?;
                let sql = "update variant set price = $2, compare_at = $3, version = version + 1 where id = $1 and version = $4";
                if tx.exec(sql, args![&variant, price, compare_at, version]).await? == 0 {
                    return Err(Error::Conflict);
                }
                let sql = "update product set
                        price_min = (select min(v.price) from variant v where v.product_id = product.id and v.active),
                        price_max = (select max(v.price) from variant v where v.product_id = product.id and v.active),
                        compare_at = (select max(v.compare_at) from variant v where v.product_id = product.id and v.active and v.compare_at > v.price)
                    where id = $1";
                tx.exec(sql, args![&product]).await?;
                let entry = Entry {
                    actor,
                    action: audit::Action::PriceSet,
                    subject: format!("variant:{variant}"),
                    detail: format!("{before} -> {price}"),
                };
                audit::record(tx, &app.keys, &entry, now).await?;
                Ok(product)
            })
        })
        .await?;
    tracing::info!(%variant_id, price, staff = %staff.login, "price set");
    ctx.app.live.changed(Topic::Product(product));
    Ok(())
}

/// Changes the pieces on hand by `on_hand − seen`, so that sales in between are not undone. The same change sent again
/// is made once: `version` is the one the office saw.
///
/// # Errors
/// [`Error::Invalid`] when fewer would be on hand than are held, or more than [`MAX_ON_HAND`]; [`Error::Conflict`] when
/// someone else changed the pieces on hand meanwhile.
pub async fn adjust(ctx: &Ctx, variant_id: &str, version: i64, seen: i64, on_hand: i64) -> Result<()> {
    let (staff, now) = (ctx.require(Permission::AdjustStock)?.clone(), ctx.now);
    if !(0..=MAX_ON_HAND).contains(&on_hand) || !(0..=MAX_ON_HAND).contains(&seen) {
        return Err(Error::field("on_hand", Problem::Range(0, MAX_ON_HAND)));
    }
    let (app, variant, person) = (ctx.app.clone(), variant_id.to_owned(), staff.clone());
    let product = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (app, variant, person) = (app.clone(), variant.clone(), person.clone());
            Box::pin(async move {
                let product: String = tx.one("select product_id from variant where id = $1", args![&variant]).await?.get("product_id")?;
                let sql = "insert into stock (variant_id, location, on_hand, held) values ($1, $2, 0, 0) on conflict (variant_id, location) do nothing";
                tx.exec(sql, args![&variant, LOCATION]).await?;
                let (made, difference) = (version.saturating_add(1), on_hand - seen);
                let sql = "update stock set on_hand = on_hand + $3, version = $6
                    where variant_id = $1 and location = $2 and on_hand + $3 >= held and on_hand + $3 <= $4 and version = $5";
                if tx.exec(sql, args![&variant, LOCATION, difference, MAX_ON_HAND, version, made]).await? == 1 {
                    let sql = "insert into stock_change (variant_id, location, version, difference, staff, at) values ($1, $2, $3, $4, $5, $6)";
                    tx.exec(sql, args![&variant, LOCATION, made, difference, &person.login, now]).await?;
                    let entry = Entry {
                        actor: person.actor(),
                        action: audit::Action::StockAdjusted,
                        subject: format!("variant:{variant}"),
                        detail: format!("{difference:+}"),
                    };
                    audit::record(tx, &app.keys, &entry, now).await?;
                    return Ok(product);
                }
                let sql = "select on_hand, held, version from stock where variant_id = $1 and location = $2";
                let row = tx.one(sql, args![&variant, LOCATION]).await?;
                if row.get::<i64>("version")? == version {
                    // What was typed counts from what was seen, and so does the least that can be.
                    let least = row.get::<i64>("held")? - (row.get::<i64>("on_hand")? - seen);
                    return Err(Error::field("on_hand", Problem::Range(least.max(0), MAX_ON_HAND)));
                }
                let sql = "select 1 as made from stock_change where variant_id = $1 and location = $2 and version = $3 and difference = $4 and staff = $5";
                match tx.optional(sql, args![&variant, LOCATION, made, difference, &person.login]).await? {
                    Some(_) => Ok(product),
                    None => Err(Error::Conflict),
                }
            })
        })
        .await?;
    tracing::info!(%variant_id, difference = on_hand - seen, staff = %staff.login, "stock adjusted");
    ctx.app.live.stock_changed(product);
    Ok(())
}
