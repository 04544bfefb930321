//! The waiting list: who wants what somebody else has. What comes free is held for the first in line for a while, by
//! claims of its own that no order has; the hold passes on to the order that they make of it.

use super::{
    claim,
    quote::{self, Asked, By, Quote},
    row,
    tell::{self, Reader},
    wishes,
};
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        booking::{
            after::{MAX_WAITING, OFFER_MS, Waiting},
            wish::Wish,
        },
        cart::CartBooking,
        choice::Topic,
        error::Problem,
    },
    server::{
        App, Ctx,
        catalog::in_locale,
        context::{internal, new_id},
        db::{Row, ToValue, Tx, placeholders},
        message::What,
    },
};

/// The longest wish that can be waited for, in bytes: it is part of a key.
const LONGEST: usize = 1_000;
/// How many of those who wait for a product are looked at in the transaction in which something of it comes free, and of
/// all who wait in one go of [`look`].
const LINE: usize = 50;
/// How many holds that are over are freed at once.
const BATCH: i64 = 100;
/// How often [`look`] goes on: what it costs has an end, however long the line is.
const GOES: usize = 200;
/// Those who wait, as [`Waiter::read`] reads them.
const WAITERS: &str =
    "select w.id, w.customer_id, w.variant_id, w.wish, w.locale, w.asked_at, w.until_at from waiting w";

/// Somebody in a waiting list.
struct Waiter {
    id: String,
    customer: String,
    variant: String,
    wish: Wish,
    locale: Locale,
    /// When it begins, in UTC milliseconds.
    until: i64,
}

impl Waiter {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            customer: row.get("customer_id")?,
            variant: row.get("variant_id")?,
            wish: read(&row.get::<String>("wish")?)?,
            locale: Locale::from_tag(&row.get::<String>("locale")?).unwrap_or_default(),
            until: row.get("until_at")?,
        })
    }
}

/// Waits for a booking that cannot be had now. Waiting twice is once.
///
/// # Errors
/// [`Error::Unauthenticated`] for a guest, who could not be told; [`Error::NotFound`] for what is not booked in this way,
/// [`Error::Invalid`] for what nobody could want or have, for what has begun, and for somebody who waits for too much;
/// [`Error::Conflict`] where there is nothing to wait for, as it can be had.
pub async fn wait(ctx: &Ctx, variant_id: &str, wish: &Wish) -> Result<()> {
    let customer = ctx.session()?.customer_id.clone();
    wish.check()?;
    let text = written(wish)?;
    if text.len() > LONGEST {
        return Err(Error::field("wish", Problem::Choice));
    }
    let (id, variant, wish, locale, now) = (new_id(), variant_id.to_owned(), wish.clone(), ctx.locale, ctx.now);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (id, customer, variant, wish, text) =
                (id.clone(), customer.clone(), variant.clone(), wish.clone(), text.clone());
            Box::pin(async move {
                let asked = Asked { variant_id: &variant, wish: &wish, before: &[], now, by: By::Customer };
                let quote = quote::quote(tx, &asked).await?;
                if quote.start <= now {
                    return Err(Error::field("wish", Problem::BookingOver));
                }
                if quote.is_available() {
                    return Err(Error::Conflict);
                }
                if !quote::quote(tx, &Asked { by: By::Waiting, ..asked }).await?.is_available() {
                    // Closed, off sale, or more than there is: that comes free for nobody.
                    return Err(Error::field("wish", Problem::Choice));
                }
                let sql = "select count(*) as waiting from waiting where customer_id = $1";
                if tx.one(sql, args![&customer]).await?.get::<i64>("waiting")? >= MAX_WAITING {
                    let most = u32::try_from(MAX_WAITING).unwrap_or(u32::MAX);
                    return Err(Error::field("wish", Problem::Full(most)));
                }
                let sql = "insert into waiting (id, customer_id, variant_id, wish, locale, asked_at, until_at)
                    values ($1, $2, $3, $4, $5, $6, $7) on conflict (customer_id, variant_id, wish) do nothing";
                tx.exec(sql, args![id, customer, variant, text, locale.tag(), now, quote.start]).await?;
                Ok(())
            })
        })
        .await
}

/// Waits no longer; what was held goes to the next in line. Doing so twice is once.
///
/// # Errors
/// [`Error::Unauthenticated`] for a guest.
pub async fn stop(ctx: &Ctx, id: &str) -> Result<()> {
    let (customer, id) = (ctx.session()?.customer_id.clone(), id.to_owned());
    let (app, now) = (ctx.app.clone(), ctx.now);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (app, customer, id) = (app.clone(), customer.clone(), id.clone());
            Box::pin(async move {
                let sql = "select id from waiting where id = $1 and customer_id = $2";
                match tx.optional(sql, args![&id, customer]).await? {
                    Some(_) => end(tx, &app, &id, now).await,
                    None => Ok(()),
                }
            })
        })
        .await?;
    ctx.app.wake.notify_waiters();
    Ok(())
}

/// What the account waits for, in the order in which it asked.
///
/// # Errors
/// [`Error::Unauthenticated`] for a guest.
pub async fn list(ctx: &Ctx) -> Result<Vec<Waiting>> {
    let (customer, locale, now) = (ctx.session()?.customer_id.clone(), ctx.locale, ctx.now);
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let customer = customer.clone();
            Box::pin(async move {
                let sql = format!(
                    "select w.id, w.variant_id, w.wish, w.asked_at, w.expires_at, p.handle, v.choices,
                        {title} as title, {options} as options
                    from waiting w join variant v on v.id = w.variant_id join product p on p.id = v.product_id
                    where w.customer_id = $2 order by w.asked_at, w.id",
                    title = in_locale!("title"),
                    options = in_locale!("options"),
                );
                let mut waiting = Vec::new();
                for row in tx.all(sql, args![locale.tag(), customer]).await? {
                    let (variant_id, text): (String, String) = (row.get("variant_id")?, row.get("wish")?);
                    let wish = read(&text)?;
                    let quote = quoted(tx, &variant_id, &wish, now).await?;
                    let title = row::title_with(tx, wishes::title(&row)?, &wish, locale).await?;
                    waiting.push(Waiting {
                        id: row.get("id")?,
                        variant_id,
                        handle: row.get("handle")?,
                        title,
                        label: label(&quote, locale),
                        wish: text,
                        asked_at: row.get("asked_at")?,
                        held_until: row.get("expires_at")?,
                    });
                }
                Ok(waiting)
            })
        })
        .await
}

/// Something of these products came free: whoever waits first and can have what they wait for gets it held and is told.
/// Only the first in line are looked at here, as others wait for the transaction; [`look`] sees to those behind them.
/// Whoever calls wakes the outbox after the transaction.
///
/// # Errors
/// When the database cannot be written.
pub async fn offer(tx: &mut Tx<'_>, app: &App, products: &[String], now: i64) -> Result<()> {
    if products.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "{WAITERS} join variant v on v.id = w.variant_id
        where w.expires_at is null and w.until_at > $1 and v.product_id in ({})
        order by w.asked_at, w.id limit {LINE}",
        placeholders(2, products.len())
    );
    let mut args = args![now];
    args.extend(products.iter().map(ToValue::to_value));
    for row in tx.all(sql, args).await? {
        if let Some(waiter) = unless_broken(Waiter::read(&row))? {
            unless_broken(offer_to(tx, app, &waiter, now).await)?;
        }
    }
    Ok(())
}

/// What is wrong with one of those who wait is in the log by then, and keeps neither the others from what came free nor
/// those who give it up from doing so. A statement that failed ends the transaction all the same.
fn unless_broken<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Err(Error::Internal(_)) => Ok(None),
        answer => answer.map(Some),
    }
}

/// Holds for somebody what they wait for and tells them, if it can be had; whether it could.
async fn offer_to(tx: &mut Tx<'_>, app: &App, waiter: &Waiter, now: i64) -> Result<bool> {
    let Waiter { id, customer, variant, wish, locale, until } = waiter;
    let quote = quoted(tx, variant, wish, now).await?;
    let Some(claims) = quote.claims.as_ref().filter(|_| quote.is_available()) else { return Ok(false) };
    let until = (*until).min(now + OFFER_MS);
    // Others offer at this moment as well, and whoever waits may go: it is held for one who is there, and once.
    let sql = "update waiting set offered_at = $2, expires_at = $3 where id = $1 and expires_at is null";
    if tx.exec(sql, args![id, now, until]).await? == 0 {
        return Ok(false);
    }
    if let Some(unit) = &quote.opens {
        claim::open_unit(tx, unit).await?;
    }
    match claim::hold_for(tx, id, claims, until).await {
        Ok(true) => {}
        refused => {
            tx.exec("update waiting set offered_at = null, expires_at = null where id = $1", args![id]).await?;
            return refused;
        }
    }
    let title = wishes::title_of_wish(tx, variant, wish, *locale).await?;
    let page = format!("{}/me/waiting", app.config.public_url);
    let what = What::PlaceFree { title, label: label(&quote, *locale), until, page };
    let reader = Reader { customer, otherwise: Vec::new(), topic: Topic::BackInStock, locale: *locale, until };
    // Who cannot be told finds it in the list, and after a while it is the next one's.
    unless_broken(tell::tell(tx, app, reader, &what, now).await)?;
    Ok(true)
}

/// What a customer's wish comes to. What is held for it is theirs: then it can be had though it is taken.
///
/// # Errors
/// As [`quote::quote`].
pub async fn quote_for(tx: &mut Tx<'_>, customer: &str, asked: &Asked<'_>) -> Result<Quote> {
    let quote = quote::quote(tx, asked).await?;
    if quote.claims.is_some() || quote.start <= asked.now {
        return Ok(quote);
    }
    let sql = "select w.id from waiting w join variant v on v.id = w.variant_id join product p on p.id = v.product_id
        where w.customer_id = $1 and w.variant_id = $2 and w.wish = $3 and w.expires_at is not null
            and v.active and p.status = 'active'";
    let Some(row) = tx.optional(sql, args![customer, asked.variant_id, written(asked.wish)?]).await? else {
        return Ok(quote);
    };
    let held = claim::held_for(tx, &row.get::<String>("id")?).await?;
    // Once in a cart, not twice.
    if held.is_empty() || held.iter().any(|claim| asked.before.contains(claim)) {
        return Ok(quote);
    }
    Ok(Quote { claims: Some(held), ..quote })
}

/// An order is about to claim bookings that its customer may have waited for: what is held for them is freed for it, in
/// the same transaction.
///
/// # Errors
/// When the database cannot be written.
pub async fn hand_over(tx: &mut Tx<'_>, order_id: &str, bookings: &[CartBooking], quotes: &[Quote]) -> Result<()> {
    for (booking, quote) in bookings.iter().zip(quotes) {
        let sql = "select w.id from waiting w join orders o on o.customer_id = w.customer_id
            where o.id = $1 and w.variant_id = $2 and w.wish = $3";
        let args = args![order_id, &booking.variant_id, written(&quote.wish)?];
        if let Some(row) = tx.optional(sql, args).await? {
            let id: String = row.get("id")?;
            claim::release_for(tx, &id).await?;
            tx.exec("delete from waiting where id = $1", args![id]).await?;
        }
    }
    Ok(())
}

/// Frees what was held long enough, for the next in line, and lets nobody wait for what has begun. Answers with how many
/// places were freed.
///
/// # Errors
/// When the database cannot be reached.
pub async fn run_due(app: &App, now: i64) -> Result<usize> {
    let sql = format!(
        "select distinct waiting_id from claim
        where expires_at <= $1 and state = 'active' and waiting_id is not null limit {BATCH}"
    );
    let mut freed = 0;
    for row in app.db.all(sql, args![now]).await? {
        let (shop, id): (App, String) = (app.clone(), row.get("waiting_id")?);
        let ended = app.db.write::<_, Error>(move |tx| {
            let (app, id) = (shop.clone(), id.clone());
            Box::pin(async move {
                // At this moment they may have ordered it.
                let sql =
                    "select id from claim where waiting_id = $1 and state = 'active' and expires_at <= $2 limit 1";
                if tx.optional(sql, args![&id, now]).await?.is_none() {
                    return Ok(false);
                }
                end(tx, &app, &id, now).await.map(|()| true)
            })
        });
        match ended.await {
            Ok(ended) => freed += usize::from(ended),
            // One that cannot be freed must not keep the others from it.
            Err(error) => tracing::error!(%error, "what was held for somebody who waited could not be freed"),
        }
    }
    let over = "select id from waiting where until_at <= $1 limit 1";
    if app.db.optional(over, args![now]).await?.is_some() {
        let ended = app.db.write::<_, Error>(move |tx| {
            let sql = "delete from waiting where until_at <= $1 and expires_at is null";
            Box::pin(async move { Ok(tx.exec(sql, args![now]).await?) })
        });
        ended.await?;
    }
    if freed > 0 {
        app.wake.notify_waiters();
    }
    Ok(freed)
}

/// Looks through the line of all who wait for what came free in other ways than by a booking that was given up (rooms that
/// were added, time that is not blocked any more) or is for none of the first in line, and offers it.
///
/// # Errors
/// When the database cannot be reached.
pub async fn look(app: &App, now: i64) -> Result<()> {
    let mut after = (i64::MIN, String::new());
    for _ in 0..GOES {
        let from = after.clone();
        // A look costs little, while a write waits for its turn.
        let looked = app.db.read::<_, Error>(move |tx| {
            let from = from.clone();
            Box::pin(async move { free_after(tx, &from, now).await })
        });
        let (free, last) = looked.await?;
        for id in free {
            let shop = app.clone();
            let offered = app.db.write::<_, Error>(move |tx| {
                let (app, id) = (shop.clone(), id.clone());
                Box::pin(async move { offer_if_waiting(tx, &app, &id, now).await })
            });
            match offered.await {
                Ok(true) => app.wake.notify_waiters(),
                Ok(false) => {}
                // One to whom nothing can be offered must not keep the others from it.
                Err(error) => tracing::error!(%error, "a place that came free could not be offered"),
            }
        }
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    Ok(())
}

/// Who could have now what they wait for, of the next of all in line after a moment and an id, and the last of those that
/// were looked at, where others may follow.
async fn free_after(
    tx: &mut Tx<'_>,
    (asked_at, id): &(i64, String),
    now: i64,
) -> Result<(Vec<String>, Option<(i64, String)>)> {
    let sql = format!(
        "{WAITERS} where w.expires_at is null and w.until_at > $1 and (w.asked_at > $2 or w.asked_at = $2 and w.id > $3)
        order by w.asked_at, w.id limit {LINE}"
    );
    let rows = tx.all(sql, args![now, *asked_at, id]).await?;
    let (mut free, mut last) = (Vec::new(), None);
    for row in &rows {
        last = Some((row.get("asked_at")?, row.get("id")?));
        let Some(waiter) = unless_broken(Waiter::read(row))? else { continue };
        let quote = unless_broken(quoted(tx, &waiter.variant, &waiter.wish, now).await)?;
        if quote.is_some_and(|quote| quote.is_available()) {
            free.push(waiter.id);
        }
    }
    Ok((free, last.filter(|_| rows.len() == LINE)))
}

/// Offers somebody what they wait for, if they still do.
async fn offer_if_waiting(tx: &mut Tx<'_>, app: &App, id: &str, now: i64) -> Result<bool> {
    match tx.optional(format!("{WAITERS} where w.id = $1 and w.expires_at is null"), args![id]).await? {
        Some(row) => offer_to(tx, app, &Waiter::read(&row)?, now).await,
        None => Ok(false),
    }
}

/// Takes somebody out of the list, and gives what was held for them to the next.
async fn end(tx: &mut Tx<'_>, app: &App, id: &str, now: i64) -> Result<()> {
    let sql = "select v.product_id from waiting w join variant v on v.id = w.variant_id where w.id = $1";
    let product = tx.optional(sql, args![id]).await?.map(|row| row.get::<String>("product_id")).transpose()?;
    claim::release_for(tx, id).await?;
    tx.exec("delete from waiting where id = $1", args![id]).await?;
    // Of an account that was erased meanwhile nothing is left but what was held.
    offer(tx, app, product.as_slice(), now).await
}

/// The quote of a wish, also of one that is not offered any more.
async fn quoted(tx: &mut Tx<'_>, variant_id: &str, wish: &Wish, now: i64) -> Result<Quote> {
    match quote::quote(tx, &Asked { variant_id, wish, before: &[], now, by: By::Customer }).await {
        Err(Error::NotFound) => Ok(Quote::gone(wish)),
        quote => quote,
    }
}

fn label(quote: &Quote, locale: Locale) -> String {
    quote.wish.words(locale, &quote.zone, quote.start, quote.person.as_deref())
}

/// A wish as it is kept, and found again.
fn written(wish: &Wish) -> Result<String> {
    serde_json::to_string(wish).map_err(|e| internal("wish", &e))
}

fn read(text: &str) -> Result<Wish> {
    serde_json::from_str(text).map_err(|e| internal("database", &e))
}
