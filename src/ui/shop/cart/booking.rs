//! A booking in the cart: what it is and when, by which rules it is given up, and what is near where somebody else was
//! quicker. It holds nothing yet.

use super::{
    fresh::use_fresh,
    parts::{LineProblem, PriceNotice, removing, stay},
    state::CartState,
};
use crate::{
    api::booking::{RemoveBooking, ReplaceBooking},
    domain::{
        booking::{offer::Kind, wish::beside_time},
        cart::{CartBooking, Near},
        catalog::Width,
        money::Currency,
        texts::{booking_stay as s, booking_visit as v, cart as t},
    },
    ui::{
        components::{booked::BookedInCart, icon::Icon, links::product_href, picture::Picture, price::Price},
        use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn};

#[component]
pub fn BookingLine(state: CartState, first: CartBooking, currency: Currency) -> impl IntoView {
    let id = StoredValue::new(first.id.clone());
    let href = product_href(&first.handle);
    let (title, image) = (first.title.clone(), first.image.clone());
    // It keeps its last state for the moment it takes to disappear.
    let booking = Memo::new(move |before: Option<&CartBooking>| {
        let now = state.shown.with(|cart| cart.bookings.iter().find(|booking| booking.id == first.id).cloned());
        now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
    });
    let price = Memo::new(move |_| booking.with(|booking| booking.price));
    let price_is_fresh = use_fresh(price);
    let change = Memo::new(move |_| {
        booking.with(|booking| (booking.price != booking.price_seen).then_some((booking.price_seen, booking.price)))
    });
    let about = move || {
        let booking = booking.get();
        let label = beside_time(&booking.label).to_owned();
        view! {
            {(!label.is_empty()).then(|| view! { <p class="line-variant">{label}</p> })}
            <BookedInCart booking/>
        }
    };
    view! {
        <li class="line">
            <a class="line-media" href=href.clone() tabindex="-1" aria-hidden="true"><Picture image thumb=Width::Thumb size=200/></a>
            <div class="line-body">
                <h2><a class="line-name" href=href.clone()>{title.clone()}</a></h2>
                {about}
            </div>
            <p class="line-price" class:is-fresh=price_is_fresh>{move || view! { <Price amount=price.get() currency/> }}</p>
            <form class="line-tools" action=RemoveBooking::url() method="post" on:submit=stay>
                <input type="hidden" name="id" value=id.get_value()/>
                <RemoveButton state id title/>
            </form>
            <PriceNotice state change currency/>
            <GoneNotice state booking href/>
            <LineProblem state id/>
        </li>
    }
    .into_any()
}

#[component]
fn RemoveButton(state: CartState, id: StoredValue<String>, title: String) -> impl IntoView {
    let l = use_locale();
    let remove = removing(title.clone(), move || id.with_value(|id| state.unbook(id)));
    view! {
        <button class="link link-quiet" type="submit" on:click=remove>
            <Icon name="trash" class="icon-sm"/>
            {l.t(t::REMOVE)}
            <span class="visually-hidden">{format!(" {title}")}</span>
        </button>
    }
    .into_any()
}

/// That somebody else has it by now, and what is near: one tap takes it.
#[component]
fn GoneNotice(state: CartState, booking: Memo<CartBooking>, href: String) -> impl IntoView {
    let l = use_locale();
    let near = Memo::new(move |_| {
        let known = |booking: &CartBooking| (booking.id.clone(), booking.wish.kind(), booking.near.clone());
        booking.with(|booking| (!booking.available).then(|| known(booking)))
    });
    move || {
        near.get().map(|(id, kind, near)| {
            let text = match (kind, near.is_empty()) {
                (Kind::Stay, true) => s::LINE_GONE,
                (Kind::Stay, false) => s::LINE_GONE_NEAR,
                (_, true) => v::LINE_GONE,
                (_, false) => v::LINE_GONE_NEAR,
            };
            let choices = near.into_iter().map(|near| view! { <NearButton state id=id.clone() near/> }).collect_view();
            view! {
                <div class="notice notice-danger" role="status">
                    <Icon name="warning"/>
                    <div class="notice-body">
                        <p>{l.t(text)}</p>
                        <div class="notice-actions">
                            {choices}
                            <a class="btn btn-quiet btn-sm" href=href.clone()>{l.t(v::CHOOSE_AGAIN)}</a>
                        </div>
                    </div>
                </div>
            }
        })
    }
}

#[component]
fn NearButton(state: CartState, id: String, near: Near) -> impl IntoView {
    let Near { variant_id, wish, label } = near;
    let (field, value) = (id.clone(), wish.text());
    let of = variant_id.clone().map(|id| view! { <input type="hidden" name="variant_id" value=id/> });
    let take = move |event: ev::SubmitEvent| {
        event.prevent_default();
        state.rebook(&id, variant_id.clone(), wish.clone());
    };
    view! {
        <form action=ReplaceBooking::url() method="post" on:submit=take>
            <input type="hidden" name="id" value=field/>
            {of}
            <button class="btn btn-secondary btn-sm" type="submit" name="wish" value=value aria-busy=move || state.busy.get().then_some("true")>
                {label}
            </button>
        </form>
    }
    .into_any()
}
