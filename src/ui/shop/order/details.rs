//! What was ordered, where it goes, what it costs, and what happened so far.

use super::{Page, booking::AfterBooking};
use crate::{
    domain::{
        address::{Contact, DeliveryWish},
        money::Amount,
        order::{Order, OrderLine, Shipment},
        payment::Method,
        texts::order as t,
    },
    ui::{
        components::{
            address::{reached_by, wish_name},
            copy::CopyButton,
            method::method_name,
            summary::{OrderLineRow, Summary},
            time::Time,
            timeline::Timeline,
        },
        shop::{booking::travellers::TravellerLinks, review::ReviewLink},
        use_locale,
    },
};
use leptos::prelude::*;

#[component]
pub fn Details(page: Page) -> impl IntoView {
    let l = use_locale();
    let order = page.order;
    let currency = order.with_untracked(|order| order.currency);
    let lines = Memo::new(move |_| order.with(|order| order.lines.clone()));
    let totals = Memo::new(move |_| order.with(|order| order.totals));
    let events = Memo::new(move |_| order.with(|order| order.events.clone()));
    let added = Memo::new(move |_| order.with(Order::added));
    let added = move || {
        let amount = added.get();
        let text = l.f(t::ADDED, &[("amount", &amount.display(currency))]);
        (amount > Amount::ZERO).then(|| view! { <p class="muted small">{text}</p> })
    };
    let line = move |line: OrderLine| {
        let booking = line.booking.clone();
        let review = view! { <ReviewLink number=page.number() line=line.clone()/> };
        view! {
            <OrderLineRow line currency links=true/>
            {booking.map(|booking| view! { <AfterBooking page booking/> })}
            {review}
        }
    };
    view! {
        <div class="with-aside section-sm">
            <div class="stack">
                <section class="panel" aria-labelledby="lines-title">
                    <div class="panel-head"><h2 class="panel-title" id="lines-title">{l.t(t::LINES)}</h2></div>
                    <ul class="lines">{move || lines.get().into_iter().map(line).collect_view()}</ul>
                </section>
                <TravellerLinks number=page.number() lines/>
                <Facts page/>
            </div>
            <aside class="stack">
                <section class="panel" aria-labelledby="sum-title">
                    <div class="panel-head"><h2 class="panel-title" id="sum-title">{l.t(t::AMOUNT)}</h2></div>
                    <Summary totals currency/>
                    {added}
                </section>
                <section class="panel" aria-labelledby="time-title">
                    <div class="panel-head"><h2 class="panel-title" id="time-title">{l.t(t::PROGRESS)}</h2></div>
                    <Timeline events currency/>
                </section>
            </aside>
        </div>
    }
    .into_any()
}

/// Recipient, address, wishes, payment method and parcel.
#[component]
fn Facts(page: Page) -> impl IntoView {
    let l = use_locale();
    let facts = Memo::new(move |_| {
        page.order.with(|order| {
            let place = (order.contact.clone(), order.region_name.clone());
            (place, order.delivery_wish, order.note.clone(), order.payment_method, order.shipment.clone())
        })
    });
    let rows = move || {
        let ((contact, region), wish, note, method, shipment) = facts.get();
        view! { <FactRows contact region wish note method shipment/> }
    };
    view! {
        <section class="panel" aria-labelledby="to-title">
            <div class="panel-head"><h2 class="panel-title" id="to-title">{l.t(t::DELIVERY)}</h2></div>
            {rows}
        </section>
    }
    .into_any()
}

#[component]
fn FactRows(
    contact: Contact,
    region: String,
    wish: DeliveryWish,
    note: String,
    method: Method,
    shipment: Option<Shipment>,
) -> impl IntoView {
    let l = use_locale();
    let fact = move |name, value: AnyView| view! { <div class="fact"><dt>{l.t(name)}</dt><dd>{value}</dd></div> };
    let reached = reached_by(&contact);
    let recipient = view! { {contact.recipient} " " <span class="nowrap">{reached}</span> }.into_any();
    // An order of bookings elsewhere goes nowhere.
    let sent = !region.is_empty() || !contact.detail.is_empty();
    let address = view! { {region} " " <span class="pre-line">{contact.detail}</span> }.into_any();
    let parcel = shipment.map(|shipment| {
        let number = shipment.tracking_number;
        let number = view! {
            <span class="code">{number.clone()}</span>
            <CopyButton text=number label=l.t(t::COPY_TRACKING)/>
        };
        (
            fact(t::PARCEL, shipment.carrier.into_any()),
            fact(t::TRACKING_NUMBER, number.into_any()),
            fact(t::SHIPPED_AT, view! { <Time ms=shipment.shipped_at/> }.into_any()),
        )
    });
    view! {
        <dl class="facts facts-2">
            {parcel}
            {fact(t::RECIPIENT, recipient)}
            {sent.then(|| fact(t::ADDRESS, address))}
            {contact.email.map(|email| fact(t::EMAIL, email.into_any()))}
            {sent.then(|| fact(t::WISH, wish_name(l, wish).into_any()))}
            {fact(t::METHOD, method_name(l, method).into_any())}
            {(!note.is_empty()).then(|| fact(t::NOTE, view! { <span class="pre-line">{note}</span> }.into_any()))}
        </dl>
    }
    .into_any()
}
