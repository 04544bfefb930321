//! The cart of a customer. Every change is one transaction that raises the cart's version and answers with the whole
//! cart, so that all tabs and devices agree.

use super::{
    App, Ctx, account,
    booking::{quote::Quote, wishes},
    catalog::{AVAILABLE, image, in_locale, json},
    db::{Row, Tx},
};
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        cart::{BuyNow, Cart, CartLine, MAX_LINES, MAX_QUANTITY, Removed, Wanted, check_quantity, read_prices},
        catalog::{ProductOption, UNLIMITED, label},
        error::{Problem, Shortage},
        live::Topic,
        money::Amount,
    },
};
use futures::future::BoxFuture;
use std::collections::HashMap;

/// The cart; empty for a browser without a customer.
///
/// # Errors
/// When the database cannot be read.
pub async fn get(ctx: &Ctx) -> Result<Cart> {
    let mut cart = match ctx.customer.clone() {
        Some(customer) => {
            let (locale, now) = (ctx.locale, ctx.now);
            ctx.app
                .db
                .read::<_, Error>(move |tx| {
                    let customer = customer.clone();
                    Box::pin(async move { load(tx, &customer, locale, now).await })
                })
                .await?
        }
        None => Cart::default(),
    };
    finish(ctx, &mut cart);
    Ok(cart)
}

/// The cart of something that is bought at once: one line at today's price, and the version of the customer's cart.
///
/// # Errors
/// When the database cannot be read.
pub async fn bought_now(ctx: &Ctx, buy_now: BuyNow) -> Result<Cart> {
    let (customer, locale) = (ctx.customer.clone().unwrap_or_default(), ctx.locale);
    let mut cart = ctx
        .app
        .db
        .read::<_, Error>(move |tx| {
            let (customer, buy_now) = (customer.clone(), buy_now.clone());
            Box::pin(async move { load_now(tx, &customer, &buy_now, locale).await })
        })
        .await?;
    finish(ctx, &mut cart);
    Ok(cart)
}

/// Adds pieces of a variant; the customer has seen its present price.
///
/// # Errors
/// [`Error::Shortage`] when less is left than would then be in the cart.
pub async fn add(ctx: &Ctx, variant_id: &str, quantity: i64) -> Result<Cart> {
    check_quantity(quantity)?;
    let customer = account::customer_or_create(ctx).await?;
    let (variant_id, now, locale) = (variant_id.to_owned(), ctx.now, ctx.locale);
    change(ctx, customer, move |tx, customer| {
        let variant_id = variant_id.clone();
        Box::pin(async move { add_line(tx, &customer, &variant_id, quantity, locale, now).await })
    })
    .await
}

/// Sets the quantity of a line; zero removes it, and what was removed is told with the cart. A quantity above what is left
/// is kept: the page shows the shortage.
///
/// # Errors
/// [`Error::NotFound`] when the variant is not in the cart.
pub async fn set_quantity(ctx: &Ctx, variant_id: &str, quantity: i64) -> Result<(Cart, Option<Removed>)> {
    if quantity != 0 {
        check_quantity(quantity)?;
    }
    let variant_id = variant_id.to_owned();
    change_and_tell(ctx, ctx.customer()?.to_owned(), move |tx, customer| {
        let variant_id = variant_id.clone();
        Box::pin(async move {
            if quantity == 0 {
                let sql = "delete from cart_line where customer_id = $1 and variant_id = $2
                    returning quantity, price_seen, saved, added_at";
                let row = tx.optional(sql, args![customer, &variant_id]).await?;
                let wanted = row.as_ref().map(wanted).transpose()?;
                return Ok(wanted.map(|wanted| Removed { variant_id, wanted }));
            }
            let sql = "update cart_line set quantity = $3 where customer_id = $1 and variant_id = $2";
            match tx.exec(sql, args![customer, variant_id, quantity]).await? {
                0 => Err(Error::NotFound),
                _ => Ok(None),
            }
        })
    })
    .await
}

/// Puts a line aside, or back among those to be bought.
///
/// # Errors
/// [`Error::NotFound`] when the variant is not in the cart; [`Error::Invalid`] when it is full.
pub async fn save_for_later(ctx: &Ctx, variant_id: &str, saved: bool) -> Result<Cart> {
    let variant_id = variant_id.to_owned();
    change(ctx, ctx.customer()?.to_owned(), move |tx, customer| {
        let variant_id = variant_id.clone();
        Box::pin(async move {
            let sql =
                "select count(*) as lines from cart_line where customer_id = $1 and variant_id <> $2 and not saved";
            let others: i64 = tx.one(sql, args![&customer, &variant_id]).await?.get("lines")?;
            if !saved && others >= MAX_LINES {
                return Err(Error::field("quantity", Problem::Full(u32::try_from(MAX_LINES).unwrap_or(u32::MAX))));
            }
            let sql = "update cart_line set saved = $3 where customer_id = $1 and variant_id = $2";
            match tx.exec(sql, args![customer, variant_id, saved]).await? {
                0 => Err(Error::NotFound),
                _ => Ok(()),
            }
        })
    })
    .await
}

/// Whether there is room for one more line besides the others to be bought, or besides those put aside.
async fn room(tx: &mut Tx<'_>, customer: &str, variant_id: &str, saved: bool) -> Result<()> {
    let sql = "select count(*) as lines from cart_line where customer_id = $1 and variant_id <> $2 and saved = $3";
    let others: i64 = tx.one(sql, args![customer, variant_id, saved]).await?.get("lines")?;
    if others < MAX_LINES { Ok(()) } else { Err(full()) }
}

fn full() -> Error {
    Error::field("quantity", Problem::Full(u32::try_from(MAX_LINES).unwrap_or(u32::MAX)))
}

/// Puts a line back as it was before it was removed, whatever is left of it and whatever it costs now: the page shows
/// both as it did.
///
/// # Errors
/// [`Error::NotFound`] for a variant that does not exist.
pub async fn restore(ctx: &Ctx, removed: Removed) -> Result<Cart> {
    check_quantity(removed.wanted.quantity)?;
    let customer = account::customer_or_create(ctx).await?;
    let added_at = removed.wanted.added_at.clamp(0, ctx.now);
    change(ctx, customer, move |tx, customer| {
        let Removed { variant_id, wanted } = removed.clone();
        Box::pin(async move {
            tx.one("select id from variant where id = $1", args![&variant_id]).await?;
            room(tx, &customer, &variant_id, wanted.saved).await?;
            let sql = "insert into cart_line (customer_id, variant_id, quantity, price_seen, saved, added_at) values ($1, $2, $3, $4, $5, $6)
                on conflict (customer_id, variant_id) do update
                set quantity = excluded.quantity, price_seen = excluded.price_seen, saved = excluded.saved";
            let Wanted { quantity, price_seen, saved, .. } = wanted;
            tx.exec(sql, args![customer, variant_id, quantity, price_seen.0, saved, added_at]).await?;
            Ok(())
        })
    })
    .await
}

/// The customer's nod to prices as they were shown, written as [`Cart::prices`] does. One that has changed again since waits for another nod.
///
/// # Errors
/// When the database cannot be written.
pub async fn accept_prices(ctx: &Ctx, shown: &str) -> Result<Cart> {
    let (shown, now) = (read_prices(shown), ctx.now);
    change(ctx, ctx.customer()?.to_owned(), move |tx, customer| {
        let shown = shown.clone();
        Box::pin(async move {
            for (variant, price) in &shown {
                let sql = "update cart_line set price_seen = $3 where customer_id = $1 and variant_id = $2
                    and exists (select 1 from variant v where v.id = $2 and v.price = $3)";
                tx.exec(sql, args![&customer, variant, price.0]).await?;
            }
            wishes::accept_prices(tx, &customer, &shown, now).await
        })
    })
    .await
}

/// Lowers each short line to what is left; lines of which nothing is left are saved for later. Bookings stay: what to
/// take in their place is for the customer to say.
///
/// # Errors
/// When the database cannot be written.
pub async fn take_available(ctx: &Ctx) -> Result<Cart> {
    let locale = ctx.locale;
    change(ctx, ctx.customer()?.to_owned(), move |tx, customer| {
        Box::pin(async move {
            let cart = goods(tx, Cart::default(), &customer, locale).await?;
            for line in cart.lines.iter().filter(|line| line.is_short()) {
                let (quantity, saved) = if line.available > 0 { (line.limit(), false) } else { (line.quantity, true) };
                let sql = "update cart_line set quantity = $3, saved = $4 where customer_id = $1 and variant_id = $2";
                tx.exec(sql, args![&customer, &line.variant_id, quantity, saved]).await?;
            }
            Ok(())
        })
    })
    .await
}

/// The version of a customer's cart, for the live feed.
///
/// # Errors
/// When the database cannot be read.
pub async fn version(app: &App, customer: &str) -> Result<i64> {
    let row = app.db.optional("select version from cart where customer_id = $1", args![customer]).await?;
    row.map_or(Ok(0), |row| Ok(row.get("version")?))
}

/// Adds to a line, or makes one, at the price of now.
pub(super) async fn add_line(
    tx: &mut Tx<'_>,
    customer: &str,
    variant_id: &str,
    quantity: i64,
    locale: Locale,
    now: i64,
) -> Result<()> {
    let sql = format!(
        "select v.price, {AVAILABLE} as available, {title} as title,
            (select l.quantity from cart_line l where l.customer_id = $3 and l.variant_id = v.id and not l.saved) as wanted,
            (select count(*) from cart_line l where l.customer_id = $3 and not l.saved) as lines
        from variant v join product p on p.id = v.product_id left join stock s on s.variant_id = v.id
        where v.id = $2 and v.active and p.status = 'active' and p.kind = 'goods'",
        title = in_locale!("title"),
    );
    let row = tx.one(sql, args![locale.tag(), variant_id, customer]).await?;
    let present = row.get::<Option<i64>>("wanted")?;
    let (wanted, available) = (present.unwrap_or(0) + quantity, row.get::<i64>("available")?.clamp(0, UNLIMITED));
    if wanted > available {
        return Err(Error::Shortage(vec![Shortage {
            variant_id: variant_id.to_owned(),
            title: row.get("title")?,
            wanted,
            available,
        }]));
    }
    if wanted > MAX_QUANTITY {
        return Err(Error::field("quantity", Problem::Range(1, MAX_QUANTITY)));
    }
    if present.is_none() && row.get::<i64>("lines")? >= MAX_LINES {
        return Err(full());
    }
    let sql = "insert into cart_line (customer_id, variant_id, quantity, price_seen, saved, added_at) values ($1, $2, $3, $4, false, $5)
        on conflict (customer_id, variant_id) do update set quantity = excluded.quantity, price_seen = excluded.price_seen, saved = false";
    tx.exec(sql, args![customer, variant_id, wanted, row.get::<i64>("price")?, now]).await?;
    Ok(())
}

/// Moves what a guest has in the cart into that of an account, where both want the same by [`Wanted::join`].
///
/// # Errors
/// When the database cannot be written.
pub(super) async fn join(tx: &mut Tx<'_>, guest: &str, account: &str, now: i64) -> Result<()> {
    let read = |row: &Row| -> Result<(String, Wanted)> { Ok((row.get("variant_id")?, wanted(row)?)) };
    let sql = format!(
        "select l.variant_id, l.quantity, l.price_seen, l.saved, l.added_at, {AVAILABLE} as available
        from cart_line l join variant v on v.id = l.variant_id left join stock s on s.variant_id = v.id
        where l.customer_id = $1 order by l.added_at desc, l.variant_id"
    );
    // First of all: what the guest does in another tab at the same time comes before or after, also an order.
    touch(tx, guest, now).await?;
    let brought = tx.all(sql, args![guest]).await?;
    if brought.is_empty() && !wishes::are_there(tx, guest).await? {
        return Ok(());
    }
    touch(tx, account, now).await?;
    wishes::join(tx, guest, account).await?;
    let sql = "select variant_id, quantity, price_seen, saved, added_at from cart_line where customer_id = $1";
    let present = tx.all(sql, args![account]).await?.iter().map(read).collect::<Result<HashMap<_, _>>>()?;
    let mut buying = present.values().filter(|wanted| !wanted.saved).count();
    for row in &brought {
        let (variant, wanted) = read(row)?;
        let available = row.get::<i64>("available")?.clamp(0, UNLIMITED);
        let old = present.get(&variant).copied();
        let mut wanted = old.map_or(wanted, |old| old.join(wanted, available));
        let bought = old.is_some_and(|old| !old.saved);
        // A cart with more could not be ordered, and nothing is lost: the rest is put aside.
        wanted.saved |= !bought && i64::try_from(buying).is_ok_and(|buying| buying >= MAX_LINES);
        buying = buying + usize::from(!wanted.saved) - usize::from(bought);
        let sql = "insert into cart_line (customer_id, variant_id, quantity, price_seen, saved, added_at) values ($1, $2, $3, $4, $5, $6)
            on conflict (customer_id, variant_id) do update set quantity = excluded.quantity,
            price_seen = excluded.price_seen, saved = excluded.saved, added_at = excluded.added_at";
        let Wanted { quantity, price_seen, saved, added_at } = wanted;
        tx.exec(sql, args![account, variant, quantity, price_seen.0, saved, added_at]).await?;
    }
    tx.exec("delete from cart_line where customer_id = $1", args![guest]).await?;
    Ok(())
}

/// Raises the version, which also locks the cart against a change at the same time; answers with the new version.
pub(super) async fn touch(tx: &mut Tx<'_>, customer: &str, now: i64) -> Result<i64> {
    account::ensure_customer(tx, customer, now).await?;
    let sql = "insert into cart (customer_id, version, updated_at) values ($1, 1, $2)
        on conflict (customer_id) do update set version = cart.version + 1, updated_at = excluded.updated_at
        returning version";
    Ok(tx.one(sql, args![customer, now]).await?.get("version")?)
}

/// Reads a cart inside a transaction.
pub(super) async fn load(tx: &mut Tx<'_>, customer: &str, locale: Locale, now: i64) -> Result<Cart> {
    let cart = empty(tx, customer).await?;
    let mut cart = goods(tx, cart, customer, locale).await?;
    cart.bookings = wishes::load(tx, customer, locale, now).await?;
    Ok(cart)
}

/// The same as it is ordered: with what its bookings come to, in their order, and without what is near to those that cannot
/// be had. Its version and region are not read; `books` tells whether there are bookings in it.
pub(super) async fn load_quoted(
    tx: &mut Tx<'_>,
    customer: &str,
    books: bool,
    (locale, now): (Locale, i64),
) -> Result<(Cart, Vec<Quote>)> {
    let mut cart = goods(tx, Cart::default(), customer, locale).await?;
    if !books {
        return Ok((cart, Vec::new()));
    }
    let (bookings, quotes) = wishes::quoted(tx, customer, locale, now).await?;
    cart.bookings = bookings;
    Ok((cart, quotes))
}

/// Puts the goods of a customer into an empty cart.
async fn goods(tx: &mut Tx<'_>, mut cart: Cart, customer: &str, locale: Locale) -> Result<Cart> {
    let sql = format!(
        "select {}, l.quantity, l.price_seen, l.saved, l.added_at from cart_line l join variant v on v.id = l.variant_id {VARIANT_OF}
        where l.customer_id = $2 order by l.added_at desc, l.variant_id",
        columns(),
    );
    for row in tx.all(sql, args![locale.tag(), customer]).await? {
        let mut line = line(&row, row.get("quantity")?, Amount(row.get("price_seen")?))?;
        line.added_at = row.get("added_at")?;
        if row.get("saved")? { cart.saved.push(line) } else { cart.lines.push(line) }
    }
    Ok(cart)
}

/// The same for what is bought at once. A variant that does not exist leaves it empty.
pub(super) async fn load_now(tx: &mut Tx<'_>, customer: &str, buy_now: &BuyNow, locale: Locale) -> Result<Cart> {
    check_quantity(buy_now.quantity)?;
    let mut cart = empty(tx, customer).await?;
    let sql = format!("select {} from variant v {VARIANT_OF} where v.id = $2", columns());
    if let Some(row) = tx.optional(sql, args![locale.tag(), &buy_now.variant_id]).await? {
        cart.lines.push(line(&row, buy_now.quantity, Amount(row.get("price")?))?);
    }
    Ok(cart)
}

async fn empty(tx: &mut Tx<'_>, customer: &str) -> Result<Cart> {
    let sql = "select c.version, u.region from cart c join customer u on u.id = c.customer_id where c.customer_id = $1";
    Ok(match tx.optional(sql, args![customer]).await? {
        Some(row) => Cart { version: row.get("version")?, region: row.get("region")?, ..Cart::default() },
        None => Cart::default(),
    })
}

/// What belongs to a variant `v` in a cart; in a language ($1).
fn columns() -> String {
    format!(
        "v.id as variant_id, v.product_id, v.sku, v.choices, v.price, v.compare_at, v.grams,
            p.handle, {title} as title, {options} as options,
            coalesce((select i.media from product_image i where i.product_id = p.id and i.position = v.image_position), '') as media,
            p.image, {available} as available",
        available = available_now(),
        title = in_locale!("title"),
        options = in_locale!("options"),
    )
}

/// What can be bought now of a variant `v` of a product `p` with stock `s`.
pub(super) fn available_now() -> String {
    format!("case when v.active and p.status = 'active' and p.kind = 'goods' then {AVAILABLE} else 0 end")
}

const VARIANT_OF: &str = "join product p on p.id = v.product_id left join stock s on s.variant_id = v.id";

fn line(row: &Row, quantity: i64, price_seen: Amount) -> Result<CartLine> {
    let options: Vec<ProductOption> = json(&row.get::<String>("options")?);
    let choices: Vec<usize> = json(&row.get::<String>("choices")?);
    let mut picture = image(row, "image")?;
    let media: String = row.get("media")?;
    if let (Some(picture), false) = (&mut picture, media.is_empty()) {
        picture.url = format!("/media/{media}");
    }
    Ok(CartLine {
        variant_id: row.get("variant_id")?,
        product_id: row.get("product_id")?,
        handle: row.get("handle")?,
        title: row.get("title")?,
        label: label(&options, &choices),
        sku: row.get("sku")?,
        image: picture,
        quantity,
        unit_price: Amount(row.get("price")?),
        price_seen,
        compare_at: row.get::<Option<i64>>("compare_at")?.map(Amount),
        grams: row.get("grams")?,
        added_at: 0,
        available: row.get::<i64>("available")?.clamp(0, UNLIMITED),
    })
}

/// What a customer wants, of a row of `cart_line`.
fn wanted(row: &Row) -> Result<Wanted> {
    Ok(Wanted {
        quantity: row.get("quantity")?,
        price_seen: Amount(row.get("price_seen")?),
        saved: row.get("saved")?,
        added_at: row.get("added_at")?,
    })
}

/// Runs a change of a customer's cart and answers with the cart after it.
pub(super) async fn change(
    ctx: &Ctx,
    customer: String,
    job: impl for<'t> Fn(&'t mut Tx<'_>, String) -> BoxFuture<'t, Result<()>> + Clone + Send + Sync + 'static,
) -> Result<Cart> {
    change_and_tell(ctx, customer, job).await.map(|(cart, ())| cart)
}

/// The same, with what the change tells of itself.
pub(super) async fn change_and_tell<T: Send + 'static>(
    ctx: &Ctx,
    customer: String,
    job: impl for<'t> Fn(&'t mut Tx<'_>, String) -> BoxFuture<'t, Result<T>> + Clone + Send + Sync + 'static,
) -> Result<(Cart, T)> {
    let (now, locale, topic) = (ctx.now, ctx.locale, Topic::Cart(customer.clone()));
    let (mut cart, told) = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (job, customer) = (job.clone(), customer.clone());
            Box::pin(async move {
                touch(tx, &customer, now).await?;
                let told = job(tx, customer.clone()).await?;
                Ok((load(tx, &customer, locale, now).await?, told))
            })
        })
        .await?;
    ctx.app.live.changed(topic);
    finish(ctx, &mut cart);
    Ok((cart, told))
}

/// Adds what the database does not know: the shop's currency and shipping rules.
pub(super) fn finish(ctx: &Ctx, cart: &mut Cart) {
    cart.currency = ctx.app.currency;
    cart.shipping.clone_from(&ctx.app.shipping);
}
