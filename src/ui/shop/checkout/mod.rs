//! Checkout: the form, the review, and what both share.

mod form;
mod keeper;
mod review;
mod saved;
mod taken;

pub use form::CheckoutPage;
pub use review::ReviewPage;

use crate::{
    domain::{
        booking::wish::beside_time,
        cart::{BuyNow, CartBooking, CartLine},
        money::Currency,
        texts::checkout as t,
    },
    ui::{
        components::{booked::BookedInCart, icon::Icon, skeleton::SkeletonText, summary::CompactLine, travel::Main},
        use_locale,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// What is bought at once, by the address of the page; `None` for the cart.
fn use_buy_now() -> Memo<Option<BuyNow>> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|query| BuyNow::parse(|name| query.get(name))))
}

/// What is bought at once, in the fields of a form.
#[component]
fn BuyNowFields(buy_now: Option<BuyNow>) -> impl IntoView {
    buy_now.map(|BuyNow { variant_id, quantity }| {
        view! {
            <input type="hidden" name="buy_now[variant_id]" value=variant_id/>
            <input type="hidden" name="buy_now[quantity]" value=quantity/>
        }
    })
}

/// How far an order has come: 0 fill in, 1 review, 2 pay.
#[component]
pub fn Steps(present: usize) -> impl IntoView {
    let l = use_locale();
    let step = move |(i, text)| {
        let class = if i < present { "step is-done" } else { "step" };
        view! { <li class=class aria-current=(i == present).then_some("step")>{l.t(text)}</li> }
    };
    let texts = [t::STEP_FILL, t::STEP_REVIEW, t::STEP_PAY];
    view! { <ol class="steps" aria-label=l.t(t::STEPS)>{texts.into_iter().enumerate().map(step).collect_view()}</ol> }
        .into_any()
}

/// The lines of a cart, goods first, only to be read.
#[component]
fn ReadLines(lines: Vec<CartLine>, bookings: Vec<CartBooking>, currency: Currency) -> impl IntoView {
    let line = move |line: CartLine| {
        let CartLine { image, title, label, unit_price, quantity, .. } = line;
        view! { <CompactLine image title label unit_price quantity currency/> }
    };
    let booking = move |booking: CartBooking| {
        let CartBooking { image, title, label, price, .. } = booking.clone();
        let label = beside_time(&label).to_owned();
        view! {
            <CompactLine image title label unit_price=price quantity=1 currency><BookedInCart booking/></CompactLine>
        }
    };
    view! {
        <ul class="lines">
            {lines.into_iter().map(line).collect_view()}
            {bookings.into_iter().map(booking).collect_view()}
        </ul>
    }
    .into_any()
}

/// There is nothing to order, perhaps because it was ordered a moment ago.
#[component]
fn NothingToOrder() -> impl IntoView {
    let l = use_locale();
    view! {
        <Main class="page container">
            <div class="empty">
                <span class="empty-art"><Icon name="cart" class="icon-lg"/></span>
                <h1 class="empty-title">{l.t(t::EMPTY_TITLE)}</h1>
                <p class="empty-text">{l.t(t::EMPTY_TEXT)}</p>
                <div class="empty-actions">
                    <a class="btn btn-primary" href="/">{l.t(t::TO_SHOP)}</a>
                    <a class="btn btn-secondary" href="/orders">{l.t(t::TO_ORDERS)}</a>
                </div>
            </div>
        </Main>
    }
    .into_any()
}

#[component]
fn Loading(present: usize) -> impl IntoView {
    view! {
        <Main class="page container">
            <Steps present/>
            <div class="with-aside">
                <section class="panel"><SkeletonText lines=8/></section>
                <aside class="panel"><SkeletonText lines=4/></aside>
            </div>
        </Main>
    }
    .into_any()
}
