//! People: the guests who carry a signed cookie, those who have an account, and the staff who sign in to the office.

pub mod addresses;
pub mod attempt;
pub mod ceremony;
pub mod choices;
pub mod code;
pub mod consent;
pub mod passkey;
pub mod password;
pub mod pending;
pub mod profile;
pub mod proof;
pub mod second_factor;
pub mod session;
pub mod signed;
mod staff;
mod staff_password;
pub mod targets;
pub mod team;

pub use staff::{
    NewStaffSession, SESSION as STAFF_SESSION, Seat, create_staff, open_session, sign_in, sign_out, staff_of,
};
pub use staff_password::{own_password, set_own_password};

use super::{
    App, Ctx,
    context::{new_id, now},
    db::Tx,
    http, pace, risk,
};
use crate::{
    args,
    domain::{Error, Result},
};

/// What the signed cookies of a browser are for: the guest it is, and the orders of other devices that it may see.
const GUEST: &str = "guest";
const ORDERS: &str = "orders";
/// The most orders of other devices that one browser is granted.
const MAX_GRANTS: usize = 10;

/// The customer of this browser; makes one and sets the signed cookie for a browser that has none.
///
/// # Errors
/// When the database cannot be written.
pub async fn customer_or_create(ctx: &Ctx) -> Result<String> {
    if let Some(id) = &ctx.customer {
        return Ok(id.clone());
    }
    let id = create_customer(&ctx.app).await?;
    http::set_cookie(&ctx.app, http::GUEST_COOKIE, &signed::write(&ctx.app.keys, GUEST, &id, ctx.now), signed::SECONDS);
    Ok(id)
}

/// Makes a customer with an empty cart.
///
/// # Errors
/// When the database cannot be written.
pub async fn create_customer(app: &App) -> Result<String> {
    let (id, now) = (new_id(), now());
    let row = id.clone();
    app.db
        .write::<_, Error>(move |tx| {
            let id = row.clone();
            Box::pin(async move {
                tx.exec("insert into customer (id, created_at) values ($1, $2)", args![&id, now]).await?;
                tx.exec("insert into cart (customer_id, version, updated_at) values ($1, 1, $2)", args![&id, now])
                    .await?;
                Ok(())
            })
        })
        .await?;
    Ok(id)
}

/// Makes sure of the rows of a customer who was made before: a signed cookie may outlive a database that was restored.
///
/// # Errors
/// When the database cannot be written.
pub async fn ensure_customer(tx: &mut Tx<'_>, customer: &str, now: i64) -> Result<()> {
    let sql = "insert into customer (id, created_at) values ($1, $2) on conflict (id) do nothing";
    tx.exec(sql, args![customer, now]).await?;
    let sql =
        "insert into cart (customer_id, version, updated_at) values ($1, 1, $2) on conflict (customer_id) do nothing";
    tx.exec(sql, args![customer, now]).await?;
    Ok(())
}

/// What the signed cookies of a browser say.
#[derive(Debug, Default)]
pub struct Carried {
    /// The guest's customer.
    pub guest: Option<String>,
    /// Numbers of orders from other devices.
    pub orders: Vec<String>,
    /// Cookies by name that are to be written anew, because they were signed without an end.
    pub renewed: Vec<(&'static str, String)>,
}

/// Reads the cookies of a guest and of [`grant_order`], as far as their signatures hold.
pub fn carried(app: &App, guest: Option<&str>, orders: Option<&str>, now: i64) -> Carried {
    let mut carried = Carried::default();
    let mut read = |name: &'static str, purpose: &str, cookie: Option<&str>| {
        let signed = signed::read(&app.keys, purpose, cookie?, now)?;
        if signed.timeless {
            carried.renewed.push((name, signed::write(&app.keys, purpose, &signed.value, now)));
        }
        Some(signed.value)
    };
    let (guest, orders) = (read(http::GUEST_COOKIE, GUEST, guest), read(http::ORDERS_COOKIE, ORDERS, orders));
    carried.guest = guest;
    carried.orders = orders.map(|list| list.split('-').map(str::to_owned).collect()).unwrap_or_default();
    carried
}

/// Lets this browser follow and change an order that was placed on another device: for a guest, the number together with
/// phone or e-mail is what an account is to others.
pub fn grant_order(ctx: &Ctx, number: &str) {
    let mut numbers: Vec<&str> = vec![number];
    numbers.extend(ctx.granted_orders.iter().map(String::as_str).filter(|n| *n != number));
    numbers.truncate(MAX_GRANTS);
    let value = signed::write(&ctx.app.keys, ORDERS, &numbers.join("-"), ctx.now);
    http::set_cookie(&ctx.app, http::ORDERS_COOKIE, &value, signed::SECONDS);
}

/// Whether a customer has an account, rather than being a guest.
///
/// # Errors
/// When the database cannot be read.
pub async fn has_account(app: &App, customer: &str) -> Result<bool> {
    let sql = "select customer_id from account where customer_id = $1";
    Ok(app.db.optional(sql, args![customer]).await?.is_some())
}

/// Lets this browser forget its customer and the orders it was granted, with all that it keeps of this shop.
pub fn forget(ctx: &Ctx) {
    for cookie in [http::GUEST_COOKIE, http::ORDERS_COOKIE] {
        http::set_cookie(&ctx.app, cookie, "", 0);
    }
    http::clear_site_data();
}

/// Removes what is over: sessions and sign-ins, codes, ceremonies, and failures that are forgotten.
///
/// # Errors
/// When the database cannot be written.
pub async fn sweep(app: &App) -> Result<()> {
    let now = now();
    app.db
        .write::<_, Error>(move |tx| {
            Box::pin(async move {
                session::sweep(tx, now).await?;
                pending::sweep(tx, now).await?;
                second_factor::sweep(tx, now).await?;
                risk::sweep(tx, now).await?;
                pace::sweep(tx, now).await?;
                ceremony::sweep(tx, now).await?;
                code::sweep(tx, now).await
            })
        })
        .await
}
