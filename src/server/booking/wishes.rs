//! The bookings in a cart. They hold nothing: what each costs and whether it can be had is found out when it is read.

use super::{
    claim::Claim,
    quote::{Asked, By, Quote},
    row, stays, tables, trips, visit, waiting,
};
use crate::{
    args,
    domain::{
        Error, Locale, Result,
        booking::{wish::Wish, zone::Zone},
        cart::{Cart, CartBooking, MAX_BOOKINGS, Near, Unbooked},
        catalog::{ProductOption, label},
        error::{Problem, TakenSlot},
        money::Amount,
    },
    server::{
        Ctx, account, cart,
        catalog::{image, in_locale, json},
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
            let (present, quotes) = quoted(tx, &customer, locale, now).await?;
            if i64::try_from(present.len()).unwrap_or(i64::MAX) >= MAX_BOOKINGS {
                let most = u32::try_from(MAX_BOOKINGS).unwrap_or(u32::MAX);
                return Err(Error::field("wish", Problem::Full(most)));
            }
            let before: Vec<_> = quotes.into_iter().filter_map(|quote| quote.claims).flatten().collect();
            let asked = Asked { variant_id: &variant, wish: &wish, before: &before, now, by: By::Customer };
            let price = price_of(tx, &customer, &asked, "", locale).await?;
            let sql = "insert into cart_booking (id, customer_id, variant_id, wish, price_seen, added_at)
                values ($1, $2, $3, $4, $5, $6)";
            tx.exec(sql, args![id, customer, variant, text, price.0, now]).await?;
            Ok(())
        })
    })
    .await
}

/// What a customer's wish costs that can be had.
///
/// # Errors
/// [`Error::SlotTaken`] for one that cannot, with the line of the cart that it is for; [`Error::NotFound`] for what is not
/// booked in this way.
async fn price_of(tx: &mut Tx<'_>, customer: &str, asked: &Asked<'_>, line: &str, locale: Locale) -> Result<Amount> {
    let quote = waiting::quote_for(tx, customer, asked).await?;
    if let Some(price) = quote.price.filter(|_| quote.is_available()) {
        return Ok(price);
    }
    let title = title_of_wish(tx, asked.variant_id, asked.wish, locale).await?;
    Err(Error::SlotTaken(vec![TakenSlot { line: line.to_owned(), title }]))
}

/// Wants something else in place of a booking in the cart: another time, another person. It keeps its place, and what it
/// costs now is what the customer has seen.
///
/// # Errors
/// [`Error::NotFound`] when it is not in the cart; else as [`add`].
pub async fn replace(ctx: &Ctx, id: &str, wish: &Wish) -> Result<Cart> {
    replace_by(ctx, id, None, wish).await
}

/// The same, of another variant where one is named: another room type.
///
/// # Errors
/// As [`replace`].
pub async fn replace_by(ctx: &Ctx, id: &str, other: Option<&str>, wish: &Wish) -> Result<Cart> {
    wish.check()?;
    let text = serde_json::to_string(wish).map_err(|e| internal("wish", &e))?;
    let (id, other, wish) = (id.to_owned(), other.map(str::to_owned), wish.clone());
    let (locale, now) = (ctx.locale, ctx.now);
    cart::change(ctx, ctx.customer()?.to_owned(), move |tx, customer| {
        let (id, other, wish, text) = (id.clone(), other.clone(), wish.clone(), text.clone());
        Box::pin(async move {
            let (present, quotes) = quoted(tx, &customer, locale, now).await?;
            let mine = present.iter().find(|booking| booking.id == id).ok_or(Error::NotFound)?;
            let (variant, gone) = (other.unwrap_or_else(|| mine.variant_id.clone()), mine.taken());
            let others = present.iter().zip(quotes).filter(|(booking, _)| booking.id != id);
            let before: Vec<_> = others.filter_map(|(_, quote)| quote.claims).flatten().collect();
            let asked = Asked { variant_id: &variant, wish: &wish, before: &before, now, by: By::Customer };
            let price = match price_of(tx, &customer, &asked, &id, locale).await {
                // The office made something else of it meanwhile.
                Err(Error::NotFound) => return Err(Error::SlotTaken(vec![gone])),
                price => price?,
            };
            let sql = "update cart_booking set variant_id = $3, wish = $4, price_seen = $5
                where customer_id = $1 and id = $2";
            tx.exec(sql, args![customer, id, variant, text, price.0]).await?;
            Ok(())
        })
    })
    .await
}

/// Takes a booking out of the cart, and tells what it was. Taking it out twice is once.
///
/// # Errors
/// [`Error::NotFound`] for a browser without a cart.
pub async fn remove(ctx: &Ctx, id: &str) -> Result<(Cart, Option<Unbooked>)> {
    let (id, customer) = (id.to_owned(), ctx.customer()?.to_owned());
    let sql = "select id from cart_booking where customer_id = $1 and id = $2";
    if ctx.app.db.optional(sql, args![&customer, &id]).await?.is_none() {
        return Ok((cart::get(ctx).await?, None));
    }
    cart::change_and_tell(ctx, customer, move |tx, customer| {
        let id = id.clone();
        Box::pin(async move {
            let sql = "delete from cart_booking where customer_id = $1 and id = $2 returning variant_id, wish";
            let Some(row) = tx.optional(sql, args![customer, id]).await? else { return Ok(None) };
            Ok(Some(Unbooked { variant_id: row.get("variant_id")?, wish: wish_of(&row)? }))
        })
    })
    .await
}

/// What is nearest to a wish that cannot be had: another time, person, area, seat or room type.
async fn near(tx: &mut Tx<'_>, asked: &Asked<'_>, zone: &Zone, locale: Locale) -> Result<Vec<Near>> {
    let Asked { variant_id, wish, before, now, .. } = *asked;
    let found = match wish {
        Wish::Visit { .. } => return visit::near(tx, variant_id, wish, (before, now), locale).await,
        Wish::Table { .. } => tables::near(tx, variant_id, wish, (before, now)).await?,
        Wish::Trip { .. } => trips::near(tx, variant_id, wish, (before, now)).await?,
        Wish::Stay(request) => return stays::instead(tx, variant_id, request, (before, now), locale).await,
    };
    let told =
        |(wish, start): (Wish, i64)| Near { variant_id: None, label: wish.words(locale, zone, start, None), wish };
    Ok(found.into_iter().map(told).collect())
}

fn wish_of(row: &Row) -> Result<Wish> {
    serde_json::from_str(&row.get::<String>("wish")?).map_err(|e| internal("database", &e))
}

/// The bookings of a cart, the oldest first, and in place of those that cannot be had what is near to them.
///
/// # Errors
/// When the database cannot be read.
pub async fn load(tx: &mut Tx<'_>, customer: &str, locale: Locale, now: i64) -> Result<Vec<CartBooking>> {
    Ok(find(tx, customer, true, (locale, now)).await?.0)
}

/// The same, each with its quote, and without what is near: nobody sees that while something is ordered or changed, and it
/// takes many times as long to find.
///
/// # Errors
/// When the database cannot be read.
pub async fn quoted(
    tx: &mut Tx<'_>,
    customer: &str,
    locale: Locale,
    now: i64,
) -> Result<(Vec<CartBooking>, Vec<Quote>)> {
    find(tx, customer, false, (locale, now)).await
}

/// The bookings of a cart with their quotes; one takes from what is left for those after it. `is_shown` tells whether what
/// is near is wanted.
async fn find(
    tx: &mut Tx<'_>,
    customer: &str,
    is_shown: bool,
    (locale, now): (Locale, i64),
) -> Result<(Vec<CartBooking>, Vec<Quote>)> {
    let sql = format!(
        "select b.id, b.variant_id, b.wish, b.price_seen, b.added_at, v.product_id, v.sku, v.choices, p.handle, p.image,
            {title} as title, {options} as options
        from cart_booking b join variant v on v.id = b.variant_id join product p on p.id = v.product_id
        where b.customer_id = $2 order by b.added_at, b.id",
        title = in_locale!("title"),
        options = in_locale!("options"),
    );
    let (mut bookings, mut quotes, mut before): (_, _, Vec<Claim>) = (Vec::new(), Vec::new(), Vec::new());
    for row in tx.all(sql, args![locale.tag(), customer]).await? {
        let wish = wish_of(&row)?;
        let variant: String = row.get("variant_id")?;
        let asked = Asked { variant_id: &variant, wish: &wish, before: &before, now, by: By::Customer };
        let quote = match waiting::quote_for(tx, customer, &asked).await {
            // The office made something else of it: it cannot be had any more, and the customer takes it out.
            Err(Error::NotFound) => Quote::gone(&wish),
            quote => quote?,
        };
        let near = match is_shown && !quote.is_available() {
            true => near(tx, &asked, &quote.zone, locale).await?,
            false => Vec::new(),
        };
        before.extend(quote.claims.iter().flatten().cloned());
        let title = row::title_with(tx, title(&row)?, &wish, locale).await?;
        bookings.push(booking(&row, (variant, title), &quote, near, locale)?);
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
    for booking in quoted(tx, customer, Locale::default(), now).await?.0 {
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

/// What is booked: the product, and which of its variants where there are several.
pub(super) fn title(row: &Row) -> Result<String> {
    let options: Vec<ProductOption> = json(&row.get::<String>("options")?);
    let choices: Vec<usize> = json(&row.get::<String>("choices")?);
    let parts = [row.get::<String>("title")?, label(&options, &choices)];
    Ok(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · "))
}

/// The same of a variant.
pub(super) async fn title_of(tx: &mut Tx<'_>, variant_id: &str, locale: Locale) -> Result<String> {
    known_title(tx, variant_id, locale).await?.ok_or(Error::NotFound)
}

/// The same of a wish for a variant, with what else is done in the same visit.
pub(super) async fn title_of_wish(tx: &mut Tx<'_>, variant_id: &str, wish: &Wish, locale: Locale) -> Result<String> {
    let title = title_of(tx, variant_id, locale).await?;
    row::title_with(tx, title, wish, locale).await
}

/// That of a variant; `None` for one that there is no more.
pub(super) async fn known_title(tx: &mut Tx<'_>, variant_id: &str, locale: Locale) -> Result<Option<String>> {
    let sql = format!(
        "select v.choices, {title} as title, {options} as options
        from variant v join product p on p.id = v.product_id where v.id = $2",
        title = in_locale!("title"),
        options = in_locale!("options"),
    );
    tx.optional(sql, args![locale.tag(), variant_id]).await?.as_ref().map(title).transpose()
}

fn booking(
    row: &Row,
    (variant_id, title): (String, String),
    quote: &Quote,
    near: Vec<Near>,
    locale: Locale,
) -> Result<CartBooking> {
    let price_seen = Amount(row.get("price_seen")?);
    let price = quote.price.unwrap_or(price_seen);
    Ok(CartBooking {
        id: row.get("id")?,
        variant_id,
        product_id: row.get("product_id")?,
        handle: row.get("handle")?,
        title,
        label: quote.wish.words(locale, &quote.zone, quote.start, quote.person.as_deref()),
        sku: row.get("sku")?,
        image: image(row, "image")?,
        start: quote.start,
        end: quote.end,
        zone: quote.zone.name().to_owned(),
        clocks: quote.zone.clone(),
        wish: quote.wish.clone(),
        price,
        price_seen,
        free_until: quote.free_until(price),
        at_home: quote.at_home,
        area: quote.area.clone(),
        available: quote.is_available(),
        near,
        added_at: row.get("added_at")?,
    })
}
