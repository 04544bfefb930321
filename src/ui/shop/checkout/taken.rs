//! What somebody else has by the time of the order, and what is near to it.

use super::review::{Page, offer};
use crate::{
    api::{self, booking::ReplaceBooking},
    domain::{
        Error,
        cart::{CartBooking, Near},
        error::TakenSlot,
        texts::{booking_visit, checkout as t},
    },
    ui::{components::icon::Icon, error::message, use_locale},
};
use leptos::{prelude::*, server_fn::ServerFn};

/// Somebody else has a booking by now: what is near to it, of which one tap takes one. The rest of the order stays.
#[component]
pub fn TakenNotice(page: Page, taken: Vec<TakenSlot>) -> impl IntoView {
    let l = use_locale();
    let gone = move |booking: &CartBooking| !booking.available && !booking.near.is_empty();
    let gone =
        page.review.with(|review| review.cart.bookings.iter().filter(|one| gone(one)).cloned().collect::<Vec<_>>());
    let nearest = gone.into_iter().map(|booking| view! { <Nearest page booking/> }).collect_view();
    view! {
        <div class="notice notice-danger" role="alert">
            <Icon name="warning"/>
            <div class="notice-body">
                <p class="notice-title">{message(l, &Error::SlotTaken(taken))}</p>
                {nearest}
                <div class="notice-actions"><a class="btn btn-secondary btn-sm" href="/cart">{l.t(t::TO_CART)}</a></div>
            </div>
        </div>
    }
    .into_any()
}

/// What can be had in place of a booking, each a form of its own.
#[component]
fn Nearest(page: Page, booking: CartBooking) -> impl IntoView {
    let l = use_locale();
    let CartBooking { id, title, near, .. } = booking;
    let choice = |Near { variant_id, wish, label }: Near| {
        let (kept, wished) = (StoredValue::new(id.clone()), StoredValue::new(wish.text()));
        let other = StoredValue::new(variant_id.clone());
        let of = variant_id.map(|id| view! { <input type="hidden" name="variant_id" value=id/> });
        let take = move || api::booking::replace_booking(kept.get_value(), wished.get_value(), other.get_value(), None);
        view! {
            <form action=ReplaceBooking::url() method="post" on:submit=offer(page, take)>
                <input type="hidden" name="id" value=kept.get_value()/>
                <input type="hidden" name="wish" value=wished.get_value()/>
                {of}
                <input type="hidden" name="next" value="/checkout/review"/>
                <button class="btn btn-primary btn-sm" type="submit" aria-busy=page.offered()>{label}</button>
            </form>
        }
    };
    view! {
        <p>{title}" · "{l.t(booking_visit::NEAR)}</p>
        <div class="notice-actions">{near.into_iter().map(choice).collect_view()}</div>
    }
    .into_any()
}
