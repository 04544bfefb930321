//! The form that changes an order: what it shows, and what was typed into it and could not be done.

use super::{
    change::change,
    checkout::{self, Kept},
    own, store,
};
use crate::{
    domain::{
        Error, Result,
        address::CheckoutForm,
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
    let (provinces, cities, districts) = ctx.app.divisions.choices(&mut form, ctx.locale);
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
    form.iter_mut().for_each(CheckoutForm::clip);
    checkout::keep(ctx, Kept::OrderDraft, &Draft { number, quantities, form }, None).await
}

/// The checkout form that says what an order says.
fn form_of(ctx: &Ctx, order: &Order) -> CheckoutForm {
    let (province, city) = ctx.app.divisions.path(&order.contact.region).unwrap_or_default();
    CheckoutForm {
        delivery_wish: order.delivery_wish.name().to_owned(),
        note: order.note.clone(),
        payment_method: order.payment_method.name().to_owned(),
        ..CheckoutForm::of_contact(&order.contact, province, city)
    }
}
