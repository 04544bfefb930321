//! The form that changes an order: what it shows, and what was typed into it and could not be done.

use super::{
    change::change,
    checkout::{self, Kept},
    own, store,
};
use crate::{
    domain::{
        Error, Result,
        address::{CALLING_CODES, CheckoutForm},
        cart::MAX_LINES,
        order::{Order, OrderChange, OrderEdit, QuantityChange},
    },
    server::Ctx,
};
use serde::{Deserialize, Serialize};

/// A change of an order that was typed and not done.
#[derive(Serialize, Deserialize)]
struct Draft {
    number: String,
    quantities: Vec<QuantityChange>,
    form: Option<CheckoutForm>,
}

/// An order as it is, ready to be changed; with `draft` as it was typed last.
///
/// # Errors
/// [`Error::NotFound`] for an unknown number and for the order of someone else alike.
pub async fn edit(ctx: &Ctx, number: &str, draft: bool) -> Result<OrderEdit> {
    let row = own(ctx, number).await?;
    let order = store::order(ctx, &row).await?;
    let typed = if draft { checkout::kept::<Draft>(ctx, Kept::OrderDraft).await? } else { None };
    let typed = typed.filter(|typed| typed.number == order.number);
    let (form, quantities) = typed.map_or((None, Vec::new()), |typed| (typed.form, typed.quantities));
    let mut form = form.unwrap_or_else(|| form_of(ctx, &order));
    let (provinces, cities, districts) = checkout::choices(ctx, &mut form);
    Ok(OrderEdit { order, form, quantities, provinces, cities, districts })
}

/// Changes an order as its form asks. With `region_only` what was typed is only kept, so that the form offers the
/// cities and districts of the choice made; it is kept as well when the change cannot be done.
///
/// # Errors
/// Those of [`change`].
pub async fn change_form(ctx: &Ctx, number: &str, wanted: OrderChange, region_only: bool) -> Result<()> {
    if region_only {
        return keep(ctx, number, wanted).await;
    }
    let done = change(ctx, number, wanted.clone()).await;
    let _ = match &done {
        Ok(()) => checkout::forget(ctx, Kept::OrderDraft).await,
        Err(Error::NotFound) => Ok(()),
        Err(_) => keep(ctx, number, wanted).await,
    };
    // The log tells what could not be kept; the answer is what became of the change.
    done
}

async fn keep(ctx: &Ctx, number: &str, typed: OrderChange) -> Result<()> {
    let number = own(ctx, number).await?.number;
    let (mut quantities, mut form) = (typed.quantities, typed.form);
    quantities.truncate(usize::try_from(MAX_LINES).unwrap_or_default());
    quantities.retain(|line| line.variant_id.len() <= 64);
    form.iter_mut().for_each(checkout::clip);
    checkout::keep(ctx, Kept::OrderDraft, &Draft { number, quantities, form }, None).await
}

/// The checkout form that says what an order says.
fn form_of(ctx: &Ctx, order: &Order) -> CheckoutForm {
    let contact = order.contact.clone();
    let (country_code, phone) = contact.phone.as_deref().map(split_phone).unwrap_or_default();
    let (province, city) = ctx.app.divisions.path(&contact.region).unwrap_or_default();
    CheckoutForm {
        recipient: contact.recipient,
        country_code,
        phone,
        email: contact.email.unwrap_or_default(),
        province,
        city,
        district: contact.region,
        detail: contact.detail,
        delivery_wish: order.delivery_wish.name().to_owned(),
        note: order.note.clone(),
        payment_method: order.payment_method.name().to_owned(),
    }
}

/// Calling code and national number as they are typed, from E.164. Reading them gives the same number again.
fn split_phone(phone: &str) -> (String, String) {
    let known = CALLING_CODES.iter().find_map(|code| Some((*code, phone.strip_prefix(code)?)));
    let (code, national) = known.unwrap_or((phone, ""));
    let is_mobile = national.len() == 11 && national.starts_with('1');
    // A landline lost the zero of its area code on the way in.
    let zero = if code == "+86" && !is_mobile { "0" } else { "" };
    (code.to_owned(), format!("{zero}{national}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::address;

    #[test]
    fn a_phone_taken_apart_reads_the_same_again() {
        for phone in [
            "+8613800138000",
            "+8675526001234",
            "+861065551234",
            "+85261234567",
            "+88612345678",
            "+447911123456",
            "+12125550123",
            "+861023456789",
        ] {
            let (code, national) = split_phone(phone);
            assert_eq!(address::phone(&code, &national).as_deref(), Ok(phone), "{code} {national}");
        }
        assert_eq!(split_phone("+8675526001234"), ("+86".to_owned(), "075526001234".to_owned()));
    }
}
