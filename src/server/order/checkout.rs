//! The checkout form, kept sealed with the customer, and the last look before an order is placed.

use crate::{
    args,
    domain::{
        Error, Result,
        address::{Checkout, CheckoutForm},
        address_book::ANOTHER,
        cart::{BuyNow, Cart},
        error::Problem,
        order::{CheckoutPage, Review},
    },
    server::{
        Ctx,
        account::{self, addresses},
        cart,
        context::{internal, unreadable},
        crypto::Keys,
        db::Tx,
    },
};
use serde::{Serialize, de::DeserializeOwned};

/// The checkout form as last typed, with the divisions its selects offer. Where nothing was typed of an address, the
/// account's own is there to begin with.
///
/// # Errors
/// When the database cannot be read.
pub async fn checkout(ctx: &Ctx, buy_now: Option<BuyNow>) -> Result<CheckoutPage> {
    let mut cart = contents(ctx, buy_now).await?;
    let mut form = form(ctx).await?;
    let addresses = if ctx.session.is_some() { addresses::list(ctx).await? } else { Vec::new() };
    if form.is_untouched()
        && let Some(address) = addresses.iter().find(|address| address.is_default)
    {
        form.take_contact(&address.form());
    }
    let (provinces, cities, districts) = ctx.app.divisions.choices(&mut form, ctx.locale);
    if !form.district.is_empty() {
        cart.region = Some(form.district.clone());
    }
    let (signed_in, payable) = (ctx.session.is_some(), ctx.app.config.takes_payments());
    Ok(CheckoutPage { form, cart, provinces, cities, districts, signed_in, payable, addresses })
}

/// Keeps the form as typed, then checks it if `check` is set. One that is right, and asks for it, saves its address with
/// the account.
///
/// # Errors
/// [`Error::Invalid`] with the problems by field; what was typed is kept all the same.
pub async fn save_checkout(ctx: &Ctx, mut form: CheckoutForm, check: bool) -> Result<()> {
    form.clip();
    let checked = if check { checked_for_cart(ctx, &form).await.map(Some) } else { Ok(None) };
    let checked = match checked {
        Ok(Some(checkout)) => within_reach(&cart::get(ctx).await?, &checkout.contact.region).map(|()| Some(checkout)),
        checked => checked,
    };
    let mut saved = Ok(());
    if let (Ok(Some(checkout)), Some(_), false) = (&checked, &ctx.session, form.save_address.is_empty())
        && !checkout.contact.region.is_empty()
    {
        saved = addresses::keep(ctx, &checkout.contact).await;
        if saved.is_ok() {
            // Done: the next order asks anew.
            form.save_address.clear();
        }
    }
    let known = ctx.app.divisions.is_path(&form.province, &form.city, &form.district);
    keep(ctx, Kept::Checkout, &form, known.then_some(form.district.as_str())).await?;
    checked?;
    saved
}

/// The form with one of the account's addresses in it; with [`ANOTHER`] one without an address.
///
/// # Errors
/// [`Error::NotFound`] for an address of someone else, and for one that was deleted; what was typed is kept then.
pub async fn with_address(ctx: &Ctx, mut form: CheckoutForm, id: &str) -> Result<CheckoutForm> {
    if id == ANOTHER {
        form.take_contact(&CheckoutForm::for_another());
        return Ok(form);
    }
    match addresses::list(ctx).await?.into_iter().find(|address| address.id == id) {
        Some(address) => {
            form.take_contact(&address.form());
            Ok(form)
        }
        None => {
            save_checkout(ctx, form, false).await?;
            Err(Error::NotFound)
        }
    }
}

/// What is kept, sealed, with a customer. Each has a column of its own, so that none overwrites another.
#[derive(Clone, Copy)]
pub(super) enum Kept {
    /// The checkout form.
    Checkout,
    /// A change of an order that was typed and not done.
    OrderDraft,
}

impl Kept {
    const fn column(self) -> &'static str {
        match self {
            Self::Checkout => "checkout_sealed",
            Self::OrderDraft => "order_draft_sealed",
        }
    }

    /// Where it is sealed to.
    fn place(self, customer: &str) -> String {
        let what = match self {
            Self::Checkout => "checkout",
            Self::OrderDraft => "order_draft",
        };
        format!("customer.{what}:{customer}")
    }
}

/// Seals what a customer typed with the customer, in place of what was kept before.
/// A `region` is kept beside it, for the cart.
pub(super) async fn keep(ctx: &Ctx, what: Kept, typed: &impl Serialize, region: Option<&str>) -> Result<()> {
    let (customer, now) = (account::customer_or_create(ctx).await?, ctx.now);
    let plain = serde_json::to_vec(typed).map_err(|e| unreadable("form", &e))?;
    let sealed = ctx.app.keys.seal(&plain, &what.place(&customer)).map_err(|e| internal("crypto", &e))?;
    let region = region.map(str::to_owned);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (customer, sealed, region) = (customer.clone(), sealed.clone(), region.clone());
            Box::pin(async move {
                account::ensure_customer(tx, &customer, now).await?;
                let sql =
                    format!("update customer set {} = $2, region = coalesce($3, region) where id = $1", what.column());
                tx.exec(sql, args![customer, sealed, region]).await?;
                Ok(())
            })
        })
        .await
}

/// What [`keep`] sealed.
pub(super) async fn kept<T: DeserializeOwned>(ctx: &Ctx, what: Kept) -> Result<Option<T>> {
    let Some(customer) = &ctx.customer else { return Ok(None) };
    let sql = format!("select {} as sealed from customer where id = $1", what.column());
    let row = ctx.app.db.optional(sql, args![customer]).await?;
    let Some(sealed) = row.map(|row| row.get::<Option<Vec<u8>>>("sealed")).transpose()?.flatten() else {
        return Ok(None);
    };
    opened(ctx, what, &sealed).map(Some)
}

/// What [`keep`] sealed with the customer who asks.
fn opened<T: DeserializeOwned>(ctx: &Ctx, what: Kept, sealed: &[u8]) -> Result<T> {
    let plain = ctx.app.keys.open(sealed, &what.place(ctx.customer()?)).map_err(|e| internal("crypto", &e))?;
    serde_json::from_slice(&plain).map_err(|e| unreadable("form", &e))
}

/// What a customer typed, from the column in which [`keep`] sealed it.
///
/// # Errors
/// When it does not open.
pub fn typed(keys: &Keys, customer: &str, column: &str, sealed: &[u8]) -> Result<serde_json::Value> {
    let what = [Kept::Checkout, Kept::OrderDraft].into_iter().find(|what| what.column() == column);
    let what = what.ok_or_else(|| internal("form", &"an unknown column"))?;
    let plain = keys.open(sealed, &what.place(customer)).map_err(|e| internal("crypto", &e))?;
    serde_json::from_slice(&plain).map_err(|e| unreadable("form", &e))
}

/// Forgets what [`keep`] sealed.
pub(super) async fn forget(ctx: &Ctx, what: Kept) -> Result<()> {
    let Some(customer) = ctx.customer.clone() else { return Ok(()) };
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let customer = customer.clone();
            Box::pin(async move {
                let sql = format!("update customer set {0} = null where id = $1 and {0} is not null", what.column());
                tx.exec(sql, args![customer]).await?;
                Ok(())
            })
        })
        .await
}

/// Seals to an account the form that a guest typed, unless the account has one: its own address is the better guess.
pub(super) async fn join(tx: &mut Tx<'_>, keys: &Keys, guest: &str, account: &str) -> Result<()> {
    let sql = "select checkout_sealed, region from customer where id = $1";
    let Some(row) = tx.optional(sql, args![guest]).await? else { return Ok(()) };
    let Some(sealed) = row.get::<Option<Vec<u8>>>("checkout_sealed")? else { return Ok(()) };
    let plain = keys.open(&sealed, &Kept::Checkout.place(guest)).map_err(|e| internal("crypto", &e))?;
    let sealed = keys.seal(&plain, &Kept::Checkout.place(account)).map_err(|e| internal("crypto", &e))?;
    let sql = "update customer set checkout_sealed = $2, region = $3 where id = $1 and checkout_sealed is null";
    tx.exec(sql, args![account, sealed, row.get::<Option<String>>("region")?]).await?;
    let sql = "update customer set checkout_sealed = null, order_draft_sealed = null, region = null where id = $1";
    tx.exec(sql, args![guest]).await?;
    Ok(())
}

/// Everything that will be ordered.
///
/// # Errors
/// [`Error::CartEmpty`]; [`Error::Invalid`] when the form is not complete.
pub async fn review(ctx: &Ctx, buy_now: Option<BuyNow>) -> Result<Review> {
    let buys_one = buy_now.is_some();
    let mut cart = contents(ctx, buy_now).await?;
    if cart.is_empty() {
        return Err(Error::CartEmpty);
    }
    let checkout = checked(ctx, &form(ctx).await?, buys_one).await?;
    within_reach(&cart, &checkout.contact.region)?;
    cart.region = Some(checkout.contact.region.clone());
    let region_name = ctx.app.divisions.name(&checkout.contact.region, ctx.locale);
    let reviewed = seal_of(ctx, &checkout)?;
    Ok(Review { cart, checkout, region_name, hold_minutes: ctx.app.config.hold_ms / 60_000, reviewed })
}

/// What is about to be ordered: the cart, or the one thing that is bought now.
async fn contents(ctx: &Ctx, buy_now: Option<BuyNow>) -> Result<Cart> {
    match buy_now {
        Some(buy_now) => cart::bought_now(ctx, buy_now).await,
        None => cart::get(ctx).await,
    }
}

/// Stands for what a form says, without telling it; see [`Review::reviewed`].
pub(super) fn seal_of(ctx: &Ctx, checkout: &Checkout) -> Result<String> {
    let text = serde_json::to_string(checkout).map_err(|e| unreadable("form", &e))?;
    Ok(ctx.app.keys.sign("reviewed", &text))
}

/// The customer's form, checked for what is bought: one thing past the cart, or the cart.
pub(super) async fn checked(ctx: &Ctx, form: &CheckoutForm, buys_one: bool) -> Result<Checkout> {
    if buys_one { checked_form(ctx, form) } else { checked_for_cart(ctx, form).await }
}

/// Checks a form with the divisions that the server knows. Where there is no address in it, and nothing in the cart needs
/// one, there is none in the order.
async fn checked_for_cart(ctx: &Ctx, form: &CheckoutForm) -> Result<Checkout> {
    match checked_form(ctx, form) {
        Err(_) if form.has_no_address() && !cart::get(ctx).await?.needs_address() => form.check_without_address(),
        checked => checked,
    }
}

/// Nobody comes to an address out of reach.
///
/// # Errors
/// [`Error::Invalid`] where what is done at the customer's is not done there.
pub(super) fn within_reach(cart: &Cart, region: &str) -> Result<()> {
    if cart.reaches(region) { Ok(()) } else { Err(Error::field("district", Problem::Area)) }
}

/// The same for an order that was placed.
pub(super) async fn checked_for_order(ctx: &Ctx, form: &CheckoutForm, order_id: &str) -> Result<Checkout> {
    match checked_form(ctx, form) {
        Err(error) if form.has_no_address() => {
            let row = ctx.app.db.one("select region from orders where id = $1", args![order_id]).await?;
            let had_none = row.get::<String>("region")?.is_empty();
            if had_none { form.check_without_address() } else { Err(error) }
        }
        checked => checked,
    }
}

/// Checks a form with the divisions that the server knows.
fn checked_form(ctx: &Ctx, form: &CheckoutForm) -> Result<Checkout> {
    form.check(|district| ctx.app.divisions.is_path(&form.province, &form.city, district))
}

/// The form as it is kept, once it was read.
pub(super) fn form_of(ctx: &Ctx, sealed: Option<&[u8]>) -> Result<CheckoutForm> {
    Ok(sealed.map(|sealed| opened(ctx, Kept::Checkout, sealed)).transpose()?.unwrap_or_default())
}

async fn form(ctx: &Ctx) -> Result<CheckoutForm> {
    Ok(kept(ctx, Kept::Checkout).await?.unwrap_or_default())
}
