//! The bookings in a cart. They hold nothing: what each costs and whether it can be had is found out when it is read.

use super::quote::{self, Asked, Quote};
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        booking::wish::Wish,
        cart::{Cart, CartBooking, MAX_BOOKINGS},
        error::{Problem, TakenSlot},
        money::Amount,
    },
    server::{
        Ctx, account, cart,
        catalog::{image, in_locale},
        context::{internal, new_id},
        db::{Row, Tx},
    },
};

/// Puts a booking into the cart; the customer has seen what it costs now.
///
/// # Errors
/// [`Error::Invalid`] for what nobody could want and for a cart that is full, [`Error::NotFound`] for what is not booked in
/// this way, [`Error::SlotTaken`] when it cannot be had.
pub async fn add(ctx: &Ctx, variant_id: &str, wish: &Wish) -> Result<Cart> {
    wish.check()?;
    let text = serde_json::to_string(wish).map_err(|e| internal("wish", &e))?;
    let customer = account::customer_or_create(ctx).await?;
    let (id, variant, wish) = (new_id(), variant_id.to_owned(), wish.clone());
    let (locale, now) = (ctx.locale, ctx.now);
    cart::change(ctx, customer, move |tx, customer| {
        let (id, variant, wish, text) = (id.clone(), variant.clone(), wish.clone(), text.clone());
        Box::pin(async move {
            let (present, quotes) = load(tx, &customer, locale, now).await?;
            if i64::try_from(present.len()).unwrap_or(i64::MAX) >= MAX_BOOKINGS {
                let most = u32::try_from(MAX_BOOKINGS).unwrap_or(u32::MAX);
                return Err(Error::field("wish", Problem::Full(most)));
            }
            let before: Vec<_> = quotes.into_iter().filter_map(|quote| quote.claims).flatten().collect();
            let quote = quote::quote(tx, &Asked { variant_id: &variant, wish: &wish, before: &before, now }).await?;
            let Some(price) = quote.price.filter(|_| quote.is_available()) else {
                let sql = format!(
                    "select {} as title from variant v join product p on p.id = v.product_id where v.id = $2",
                    in_locale!("title")
                );
                let title = tx.one(sql, args![locale.tag(), &variant]).await?.get("title")?;
                return Err(Error::SlotTaken(vec![TakenSlot { line: String::new(), title }]));
            };
            let sql = "insert into cart_booking (id, customer_id, variant_id, wish, price_seen, added_at)
                values ($1, $2, $3, $4, $5, $6)";
            tx.exec(sql, args![id, customer, variant, text, price.0, now]).await?;
            Ok(())
        })
    })
    .await
}

/// Takes a booking out of the cart. Taking it out twice is once.
///
/// # Errors
/// [`Error::NotFound`] for a browser without a cart.
pub async fn remove(ctx: &Ctx, id: &str) -> Result<Cart> {
    let (id, customer) = (id.to_owned(), ctx.customer()?.to_owned());
    let sql = "select id from cart_booking where customer_id = $1 and id = $2";
    if ctx.app.db.optional(sql, args![&customer, &id]).await?.is_none() {
        return cart::get(ctx).await;
    }
    cart::change(ctx, customer, move |tx, customer| {
        let id = id.clone();
        Box::pin(async move {
            tx.exec("delete from cart_booking where customer_id = $1 and id = $2", args![customer, id]).await?;
            Ok(())
        })
    })
    .await
}

/// The bookings of a cart, the oldest first, each with its quote. One takes from what is left for those after it.
///
/// # Errors
/// When the database cannot be read.
pub async fn load(tx: &mut Tx<'_>, customer: &str, locale: Locale, now: i64) -> Result<(Vec<CartBooking>, Vec<Quote>)> {
    let sql = format!(
        "select b.id, b.variant_id, b.wish, b.price_seen, b.added_at, v.product_id, v.sku, p.handle, p.image, {} as title
        from cart_booking b join variant v on v.id = b.variant_id join product p on p.id = v.product_id
        where b.customer_id = $2 order by b.added_at, b.id",
        in_locale!("title")
    );
    let (mut bookings, mut quotes, mut before) = (Vec::new(), Vec::new(), Vec::new());
    for row in tx.all(sql, args![locale.tag(), customer]).await? {
        let wish: Wish = serde_json::from_str(&row.get::<String>("wish")?).map_err(|e| internal("database", &e))?;
        let variant: String = row.get("variant_id")?;
        let asked = Asked { variant_id: &variant, wish: &wish, before: &before, now };
        let quote = match quote::quote(tx, &asked).await {
            // The office made something else of it: it cannot be had any more, and the customer takes it out.
            Err(Error::NotFound) => Quote::gone(&wish),
            quote => quote?,
        };
        before.extend(quote.claims.iter().flatten().cloned());
        bookings.push(booking(&row, variant, &quote, locale)?);
        quotes.push(quote);
    }
    Ok((bookings, quotes))
}

/// The customer's nod to what bookings cost, as far as that is what they cost now.
pub(in crate::server) async fn accept_prices(
    tx: &mut Tx<'_>,
    customer: &str,
    shown: &[(String, Amount)],
    now: i64,
) -> Result<()> {
    for booking in load(tx, customer, Locale::default(), now).await?.0 {
        let nodded = shown.iter().any(|(id, price)| *id == booking.id && *price == booking.price);
        if nodded && booking.price != booking.price_seen {
            let sql = "update cart_booking set price_seen = $3 where customer_id = $1 and id = $2";
            tx.exec(sql, args![customer, &booking.id, booking.price.0]).await?;
        }
    }
    Ok(())
}

/// Whether there are any in a cart.
pub(in crate::server) async fn are_there(tx: &mut Tx<'_>, customer: &str) -> Result<bool> {
    let sql = "select id from cart_booking where customer_id = $1 limit 1";
    Ok(tx.optional(sql, args![customer]).await?.is_some())
}

/// Moves those of a guest into the cart of an account, which is there already; those that do not fit in go.
pub(in crate::server) async fn join(tx: &mut Tx<'_>, guest: &str, account: &str) -> Result<()> {
    let sql = "select count(*) as bookings from cart_booking where customer_id = $1";
    let present: i64 = tx.one(sql, args![account]).await?.get("bookings")?;
    let sql = "update cart_booking set customer_id = $2 where id in (
        select b.id from cart_booking b where b.customer_id = $1 order by b.added_at desc, b.id limit $3)";
    tx.exec(sql, args![guest, account, (MAX_BOOKINGS - present).max(0)]).await?;
    tx.exec("delete from cart_booking where customer_id = $1", args![guest]).await?;
    Ok(())
}

fn booking(row: &Row, variant_id: String, quote: &Quote, locale: Locale) -> Result<CartBooking> {
    let price_seen = Amount(row.get("price_seen")?);
    let price = quote.price.unwrap_or(price_seen);
    Ok(CartBooking {
        id: row.get("id")?,
        variant_id,
        product_id: row.get("product_id")?,
        handle: row.get("handle")?,
        title: row.get("title")?,
        label: quote.wish.words(locale, &quote.zone, quote.start, quote.person.as_deref()),
        sku: row.get("sku")?,
        image: image(row, "image")?,
        start: quote.start,
        end: quote.end,
        zone: quote.zone.name().to_owned(),
        price,
        price_seen,
        free_until: quote.free_until(price),
        at_home: quote.at_home,
        available: quote.is_available(),
        added_at: row.get("added_at")?,
    })
}
