//! Orders: placing them, following them, and everything that changes them.

mod change;
mod checkout;
pub(super) mod confirm;
mod crowd;
mod edit;
mod erase;
mod office;
pub(super) mod sealed;
pub(super) mod store;
mod submit;

pub use change::{cancel, cancel_unpaid, change, complete, expire_due};
pub use checkout::{checkout, review, save_checkout, typed, with_address};
pub use crowd::Crowd;
pub use edit::{change_form, edit};
pub(super) use erase::forget_payments;
pub use erase::{Erased, erase_some};
pub use office::{
    cancel as office_cancel, complete as office_complete, counts as office_counts, get as office_get,
    list as office_list, reveal, ship,
};
pub(super) use submit::sell;
pub use submit::{Submission, submit};

use super::{
    App, Ctx,
    account::{
        self,
        attempt::{self, Guarded},
    },
    cart,
    catalog::like,
    crypto::Keys,
    db::Tx,
};
use crate::{
    args,
    domain::{
        Error, Result, address,
        cart::Cart,
        error::{Problem, Shortage},
        live::Topic,
        number,
        order::{Order, OrderCounts, OrderSummary, State},
        page::{Page, offset},
        permission::Permission,
    },
};
use store::OrderRow;

const PER_PAGE: i64 = 10;

/// The customer's orders, newest first; `q` finds by number or product.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(ctx: &Ctx, state: Option<State>, q: Option<&str>, page: i64) -> Result<Page<OrderSummary>> {
    let (page, skip) = offset(page, PER_PAGE);
    let Some(customer) = ctx.customer.clone() else {
        return Ok(Page { items: Vec::new(), total: 0, page, per_page: PER_PAGE });
    };
    let (state, pattern) = (state.map(State::name), like(&search_words(q)));
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let (customer, pattern) = (customer.clone(), pattern.clone());
            Box::pin(async move {
                const WHERE: &str =
                    "o.customer_id = $1 and ($2 is null or o.state = $2) and o.words like $3 escape '\\'";
                let total = tx
                    .one(
                        format!("select count(*) as total from orders o where {WHERE}"),
                        args![&customer, state, &pattern],
                    )
                    .await?;
                let sql =
                    format!("{} where {WHERE} order by o.placed_at desc, o.id desc limit $4 offset $5", store::SELECT);
                let rows = tx.all(sql, args![&customer, state, &pattern, PER_PAGE, skip]).await?;
                Ok(Page {
                    items: store::summaries(tx, &rows).await?,
                    total: total.get("total")?,
                    page,
                    per_page: PER_PAGE,
                })
            })
        })
        .await
}

/// What a search for orders looks for: numbers are found however they are grouped.
fn search_words(q: Option<&str>) -> String {
    let q = q.unwrap_or("").trim();
    let digits: String = q.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) { digits } else { q.to_owned() }
}

/// How many orders of the customer there are in each state.
///
/// # Errors
/// When the database cannot be read.
pub async fn counts(ctx: &Ctx) -> Result<OrderCounts> {
    let Some(customer) = &ctx.customer else { return Ok(OrderCounts::default()) };
    let sql = "select state, count(*) as orders from orders where customer_id = $1 group by state";
    store::counts(&ctx.app.db.all(sql, args![customer]).await?)
}

/// An order of this customer.
///
/// # Errors
/// [`Error::NotFound`] for an unknown number and for the order of someone else alike.
pub async fn get(ctx: &Ctx, number: &str) -> Result<Order> {
    let row = own(ctx, number).await?;
    store::order(ctx, &row).await
}

/// Whether the browser that asks may follow an order.
pub async fn may_see(ctx: &Ctx, number: &str) -> bool {
    ctx.may(Permission::SeeOrders) || own(ctx, number).await.is_ok()
}

/// An order of the customer who asks, or one granted to this browser that nobody's account has.
pub(super) async fn own(ctx: &Ctx, number: &str) -> Result<OrderRow> {
    let number = number::parse(number).ok_or(Error::NotFound)?;
    let row = store::by_number(&ctx.app.db, &number).await?;
    let owns = ctx.customer.as_ref() == Some(&row.customer_id)
        || ctx.granted_orders.contains(&number) && !account::has_account(&ctx.app, &row.customer_id).await?;
    if owns { Ok(row) } else { Err(Error::NotFound) }
}

/// Finds an order of a guest by number and by the phone or e-mail given with it, and lets this browser act on it. An
/// order of an account is found by signing in alone: a number and a phone are no sign-in.
///
/// # Errors
/// [`Error::Invalid`] for what can be neither; [`Error::NotFound`] without telling which of the two was wrong;
/// [`Error::TooMany`] after failures in a row.
pub async fn find(ctx: &Ctx, typed_number: &str, contact: &str) -> Result<String> {
    let number = number::parse(typed_number).ok_or_else(|| Error::field("number", Problem::Choice))?;
    let phone = address::phone("+86", contact).map(|phone| ctx.app.keys.lookup("phone", &phone));
    let email = address::email(contact).map(|email| ctx.app.keys.lookup("email", &email));
    if phone.is_err() && email.is_err() {
        return Err(Error::field("contact", Problem::Contact));
    }
    // A phone that was seen masked has only ten thousand others to be.
    let guarded = Guarded::new(&ctx.app.keys, &ctx.asker, &format!("find:{number}"));
    attempt::begin(&ctx.app, &guarded, ctx.now).await?;
    let sql = "select number from orders where number = $1 and (phone_hash = $2 or email_hash = $3)
        and not exists (select 1 from account where account.customer_id = orders.customer_id)";
    ctx.app.db.one(sql, args![&number, phone.ok(), email.ok()]).await?;
    attempt::over(&ctx.app, &guarded).await?;
    account::grant_order(ctx, &number);
    Ok(number)
}

/// Puts what an order had into the cart again, as far as it is still sold and in stock.
///
/// # Errors
/// [`Error::Shortage`] when nothing of it can be had.
pub async fn again(ctx: &Ctx, number: &str) -> Result<Cart> {
    let row = own(ctx, number).await?;
    let customer = account::customer_or_create(ctx).await?;
    let (order_id, locale, now) = (row.id.clone(), ctx.locale, ctx.now);
    let topic = Topic::Cart(customer.clone());
    let mut cart = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (order_id, customer) = (order_id.clone(), customer.clone());
            Box::pin(async move {
                cart::touch(tx, &customer, now).await?;
                let mut refused = Vec::new();
                let mut added = 0;
                let lines = store::lines(tx, &order_id).await?;
                // A booking was of its time; another one is another wish.
                for line in lines.into_iter().filter(|line| line.booking.is_none()) {
                    match cart::add_line(tx, &customer, &line.variant_id, line.quantity, locale, now).await {
                        Ok(()) => added += 1,
                        Err(Error::Shortage(mut short)) => {
                            let left = short.first().map_or(0, |s| s.available - (s.wanted - line.quantity));
                            if left > 0 {
                                cart::add_line(tx, &customer, &line.variant_id, left, locale, now).await?;
                                added += 1;
                            }
                            refused.append(&mut short);
                        }
                        // Not sold any more.
                        Err(Error::NotFound) => refused.push(Shortage {
                            variant_id: line.variant_id,
                            title: line.title,
                            wanted: line.quantity,
                            available: 0,
                        }),
                        Err(Error::Invalid(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
                if added == 0 { Err(Error::Shortage(refused)) } else { cart::load(tx, &customer, locale, now).await }
            })
        })
        .await?;
    ctx.app.live.changed(topic);
    cart::finish(ctx, &mut cart);
    Ok(cart)
}

/// Gives what a guest ordered, and the address the guest typed last, to an account.
///
/// # Errors
/// When the database cannot be written.
pub async fn join(tx: &mut Tx<'_>, keys: &Keys, guest: &str, account: &str) -> Result<()> {
    // The keys under which submitting twice is found belong to the cart of whoever submitted.
    let sql = "update orders set customer_id = $2, submit_key = $3 || submit_key where customer_id = $1";
    tx.exec(sql, args![guest, account, format!("{guest}:")]).await?;
    checkout::join(tx, keys, guest, account).await
}

/// The state and version of an order, for the live feed.
///
/// # Errors
/// [`Error::NotFound`] for an unknown number.
pub async fn live_state(app: &App, number: &str) -> Result<(State, i64)> {
    let row = app.db.one("select state, version from orders where number = $1", args![number]).await?;
    Ok((store::known(State::from_name, &row, "state")?, row.get("version")?))
}

/// How many orders wait to be shipped, for the live feed of the office.
///
/// # Errors
/// When the database cannot be read.
pub async fn to_ship_count(app: &App) -> Result<i64> {
    Ok(app.db.one("select count(*) as orders from orders where state = 'to_ship'", args![]).await?.get("orders")?)
}

/// Tells open pages of a change.
pub(super) fn announce(app: &App, changed: &store::Changed) {
    app.live.changed(Topic::Order(changed.number.clone()));
    app.live.changed(Topic::Office);
    for product in &changed.products {
        app.live.stock_changed(product.clone());
    }
    changed.sold.iter().for_each(|sold| app.live.sold(sold));
}
