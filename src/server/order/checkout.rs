//! The checkout form, kept sealed with the customer, and the last look before an order is placed.

use crate::{
    args,
    domain::{
        Error, Result,
        address::{Checkout, CheckoutForm},
        order::{CheckoutPage, Review},
    },
    server::{Ctx, account, cart, context::internal},
};
use serde::{Serialize, de::DeserializeOwned};

/// The longest text of a field that is kept, in characters; more than any check allows.
const KEPT: usize = 400;

/// The checkout form as last typed, with the divisions its selects offer.
///
/// # Errors
/// When the database cannot be read.
pub async fn checkout(ctx: &Ctx) -> Result<CheckoutPage> {
    let mut cart = cart::get(ctx).await?;
    let mut form = form(ctx).await?;
    let (provinces, cities, districts) = choices(ctx, &mut form);
    if !form.district.is_empty() {
        cart.region = Some(form.district.clone());
    }
    Ok(CheckoutPage { form, cart, provinces, cities, districts })
}

/// Keeps the form as typed, then checks it if `check` is set.
///
/// # Errors
/// [`Error::Invalid`] with the problems by field; what was typed is kept all the same.
pub async fn save_checkout(ctx: &Ctx, mut form: CheckoutForm, check: bool) -> Result<()> {
    clip(&mut form);
    keep(ctx, &form).await?;
    if check {
        checked_form(ctx, &form)?;
    }
    Ok(())
}

/// Code and name of all provinces, of the cities of the chosen province, of the districts of the chosen city.
pub(super) type Choices = (Vec<(String, String)>, Vec<(String, String)>, Vec<(String, String)>);

/// What the selects of an address offer. A select that lost its choice must not keep a code that no longer fits.
pub(super) fn choices(ctx: &Ctx, form: &mut CheckoutForm) -> Choices {
    let divisions = &ctx.app.divisions;
    let cities = divisions.children(&form.province, ctx.locale);
    if !cities.iter().any(|(code, _)| *code == form.city) {
        form.city.clear();
    }
    let districts = if form.city.is_empty() { Vec::new() } else { divisions.children(&form.city, ctx.locale) };
    if !districts.iter().any(|(code, _)| *code == form.district) {
        form.district.clear();
    }
    (divisions.provinces(ctx.locale), cities, districts)
}

/// Cuts what nobody would type, before it is kept.
pub(super) fn clip(form: &mut CheckoutForm) {
    for field in [
        &mut form.recipient,
        &mut form.country_code,
        &mut form.phone,
        &mut form.email,
        &mut form.province,
        &mut form.city,
        &mut form.district,
        &mut form.detail,
        &mut form.delivery_wish,
        &mut form.note,
        &mut form.payment_method,
    ] {
        if let Some((end, _)) = field.char_indices().nth(KEPT) {
            field.truncate(end);
        }
    }
}

/// Seals what a customer typed with the customer, in place of what was kept before.
pub(super) async fn keep(ctx: &Ctx, typed: &impl Serialize) -> Result<()> {
    let (customer, now) = (account::customer_or_create(ctx).await?, ctx.now);
    let plain = serde_json::to_vec(typed).map_err(|e| internal("checkout form", &e))?;
    let sealed = ctx.app.keys.seal(&plain, &place(&customer)).map_err(|e| internal("crypto", &e))?;
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (customer, sealed) = (customer.clone(), sealed.clone());
            Box::pin(async move {
                account::ensure_customer(tx, &customer, now).await?;
                tx.exec("update customer set checkout_sealed = $2 where id = $1", args![customer, sealed]).await?;
                Ok(())
            })
        })
        .await
}

/// Everything that will be ordered.
///
/// # Errors
/// [`Error::CartEmpty`]; [`Error::Invalid`] when the form is not complete.
pub async fn review(ctx: &Ctx) -> Result<Review> {
    let mut cart = cart::get(ctx).await?;
    if cart.lines.is_empty() {
        return Err(Error::CartEmpty);
    }
    let checkout = checked(ctx).await?;
    cart.region = Some(checkout.contact.region.clone());
    let region_name = ctx.app.divisions.name(&checkout.contact.region, ctx.locale);
    Ok(Review { cart, checkout, region_name, hold_minutes: ctx.app.config.hold_ms / 60_000 })
}

/// The customer's form, checked.
pub(super) async fn checked(ctx: &Ctx) -> Result<Checkout> {
    checked_form(ctx, &form(ctx).await?)
}

/// Checks a form with the divisions that the server knows.
pub(super) fn checked_form(ctx: &Ctx, form: &CheckoutForm) -> Result<Checkout> {
    form.check(|district| ctx.app.divisions.is_path(&form.province, &form.city, district))
}

async fn form(ctx: &Ctx) -> Result<CheckoutForm> {
    kept(ctx).await
}

/// What [`keep`] sealed; the default for a customer of whom nothing is kept.
pub(super) async fn kept<T: Default + DeserializeOwned>(ctx: &Ctx) -> Result<T> {
    let Some(customer) = &ctx.customer else { return Ok(T::default()) };
    let row = ctx.app.db.optional("select checkout_sealed from customer where id = $1", args![customer]).await?;
    let Some(sealed) = row.map(|row| row.get::<Option<Vec<u8>>>("checkout_sealed")).transpose()?.flatten() else {
        return Ok(T::default());
    };
    let plain = ctx.app.keys.open(&sealed, &place(customer)).map_err(|e| internal("crypto", &e))?;
    serde_json::from_slice(&plain).map_err(|e| internal("checkout form", &e))
}

fn place(customer: &str) -> String {
    format!("customer.checkout:{customer}")
}
