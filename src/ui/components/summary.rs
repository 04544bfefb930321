//! What things cost together: the table of sums, the way to free shipping, and lines that are only read.

use super::{booked::BookedLine, links::product_href, picture::Picture, price::Price};
use crate::{
    domain::{
        Locale,
        booking::wish::beside_time,
        catalog::{Image, Width},
        money::{Amount, Currency},
        order::OrderLine,
        pricing::Totals,
        texts::{catalog, checkout as t},
    },
    ui::use_locale,
};
use leptos::prelude::*;

/// Goods, discount, shipping and total.
#[component]
pub fn Summary(#[prop(into)] totals: Signal<Totals>, currency: Currency) -> impl IntoView {
    let l = use_locale();
    let sum = move |of: fn(&Totals) -> Amount| move || totals.with(of).display(currency);
    let discount = move || {
        totals.with(|totals| totals.discount > Amount::ZERO).then(|| {
            let less = move || (-totals.with(|totals| totals.discount)).display(currency);
            view! { <div class="sum sum-less"><dt>{l.t(t::DISCOUNT)}</dt><dd>{less}</dd></div> }
        })
    };
    let shipping = move || match totals.with(|totals| totals.shipping) {
        Amount::ZERO => l.t(t::SHIPPING_FREE).to_owned(),
        fee => fee.display(currency),
    };
    view! {
        <dl class="sums">
            <div class="sum"><dt>{l.t(t::GOODS)}</dt><dd>{sum(|totals| totals.goods)}</dd></div>
            {discount}
            <div class="sum"><dt>{l.t(t::SHIPPING)}</dt><dd>{shipping}</dd></div>
            <div class="sum sum-total">
                <dt>{l.t(t::TOTAL)}</dt>
                <dd>{move || view! { <Price amount=totals.with(|totals| totals.total) currency class="price-lg"/> }}</dd>
            </div>
        </dl>
    }
    .into_any()
}

/// When it arrives.
#[component]
pub fn Estimate(#[prop(into)] days: Signal<Option<(i64, i64)>>) -> impl IntoView {
    let l = use_locale();
    move || days.get().map(|days| view! { <p class="muted small">{delivery_text(l, days)}</p> })
}

/// Days from dispatch until delivery, in words.
pub fn delivery_text(l: Locale, (from, to): (i64, i64)) -> String {
    match from == to {
        true => l.n(catalog::DELIVERY_DAYS_EXACT_ONE, catalog::DELIVERY_DAYS_EXACT, from),
        false => l.f(catalog::DELIVERY_DAYS, &[("from", &from), ("to", &to)]),
    }
}

/// How much more to buy for free shipping; nothing where it is free already or never.
#[component]
pub fn FreeShipping(#[prop(into)] totals: Signal<Totals>, currency: Currency) -> impl IntoView {
    let l = use_locale();
    move || {
        let totals = totals.get();
        totals.to_free_shipping.map(|more| {
            let reached = totals.goods - totals.discount;
            let text = l.f(t::FREE_SHIPPING_MORE, &[("amount", &more.display(currency))]);
            view! {
                <div class="freight">
                    <p id="freight-text">{text}</p>
                    <progress class="progress" max=(reached + more).0 value=reached.0 aria-labelledby="freight-text"></progress>
                </div>
            }
        })
    }
}

/// The total in the bar at the lower edge of a phone.
#[component]
pub fn ActionbarTotal(
    #[prop(into)] total: Signal<Amount>,
    currency: Currency,
    #[prop(optional)] label: Option<&'static str>,
) -> impl IntoView {
    let label = label.unwrap_or_else(|| use_locale().t(t::TOTAL));
    view! {
        <p class="actionbar-total">
            <span class="small muted">{label}</span>
            {move || view! { <Price amount=total.get() currency class="price-lg"/> }}
        </p>
    }
    .into_any()
}

/// A line of an order, only to be read: of goods, or of a booking with when it is and its rules.
#[component]
pub fn OrderLineRow(
    line: OrderLine,
    currency: Currency,
    /// Whether its name leads to the product.
    #[prop(optional)]
    links: bool,
) -> impl IntoView {
    let OrderLine { image, title, label, unit_price, quantity, handle, booking, .. } = line;
    let href = product_href(&handle);
    let label = if booking.is_some() { beside_time(&label).to_owned() } else { label };
    let about = move || booking.map(|booking| view! { <BookedLine booking/> });
    match links {
        true => view! {
            <CompactLine image title label unit_price quantity currency href>{about()}</CompactLine>
        }
        .into_any(),
        false => {
            view! { <CompactLine image title label unit_price quantity currency>{about()}</CompactLine> }.into_any()
        }
    }
}

/// A line of a cart or an order, only to be read.
#[component]
pub fn CompactLine(
    image: Option<Image>,
    title: String,
    /// The choices in words; empty for a single variant.
    label: String,
    unit_price: Amount,
    quantity: i64,
    currency: Currency,
    /// Where the name leads, if anywhere.
    #[prop(optional, into)]
    href: Option<String>,
    /// What else is said of it.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let name = match href {
        Some(href) => view! { <p><a class="line-name" href=href>{title}</a></p> }.into_any(),
        None => view! { <p class="line-name">{title}</p> }.into_any(),
    };
    view! {
        <li class="line line-compact">
            <span class="line-media"><Picture image thumb=Width::Thumb size=144/></span>
            <div class="line-body">
                {name}
                {(!label.is_empty()).then(|| view! { <p class="line-variant">{label}</p> })}
                {children.map(|children| children())}
            </div>
            <p class="line-price">
                <Price amount=unit_price * quantity currency/>
                <span class="line-qty small">{format!("× {quantity}")}</span>
            </p>
        </li>
    }
    .into_any()
}
