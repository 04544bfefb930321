//! What is for sale, what it comes to, and how an order gets on.

use super::samples;
use crate::{
    domain::{
        money::{Amount, Currency},
        texts::{checkout, design as t},
    },
    ui::{
        components::{
            countdown::{Countdown, use_countdown},
            price::{Price, PriceWas, use_currency},
            product_card::ProductGrid,
            summary::{ActionbarTotal, CompactLine, Estimate, FreeShipping, Summary},
            time::Time,
            timeline::Timeline,
        },
        use_locale,
    },
};
use leptos::prelude::*;

pub fn prices() -> AnyView {
    let (l, currency) = (use_locale(), use_currency());
    let foreign = Currency::ALL.map(|currency| view! { <Price amount=Amount(129_950) currency/> });
    let (below, above) = (samples::totals(3_900), samples::totals(16_800));
    view! {
        <div class="cluster">
            <Price amount=Amount(4_590)/>
            <Price amount=Amount(129_900) class="price-lg" sale=true/>
            <PriceWas amount=Amount(159_900)/>
            <Price amount=Amount(12_890_000) class="price-xl"/>
            <Price amount=Amount(-3_000)/>
        </div>
        <div class="cluster">{foreign}</div>
        <div class="panel stack">
            <FreeShipping totals=Signal::stored(below) currency/>
            <ul class="lines">
                <CompactLine
                    image={Some(samples::picture())} title=l.t(t::CUP).to_owned() label=l.t(t::CUP_LABEL).to_owned()
                    unit_price=Amount(3_900) quantity=2 currency href="#prices"
                />
                <CompactLine image=None title=l.t(t::SCARF).to_owned() label=String::new() unit_price=Amount(29_900) quantity=12 currency/>
            </ul>
            <Summary totals=Signal::stored(below) currency/>
            <Estimate days=Signal::stored(Some((2_i64, 4_i64)))/>
        </div>
        <div class="panel stack">
            <Summary totals=Signal::stored(above) currency/>
            <ActionbarTotal total=Signal::stored(above.total) currency/>
        </div>
    }
    .into_any()
}

pub fn products() -> AnyView {
    view! { <ProductGrid products=samples::cards(use_locale())/> }.into_any()
}

pub fn order() -> AnyView {
    let (l, currency) = (use_locale(), use_currency());
    let minute = 60_000;
    let clock = |left: i64| view! { <Countdown left=use_countdown(samples::MOMENT, samples::MOMENT + left)/> };
    let within = l.t(checkout::PAY_WITHIN);
    let (before, after) = within.split_once("{time}").unwrap_or((within, ""));
    view! {
        <p>{before}{clock(12 * minute + 41_000)}{after}</p>
        <p class="cluster">{clock(61 * minute)} {clock(0)} <Time ms=samples::MOMENT class="muted small"/></p>
        <div class="panel"><Timeline events=Signal::stored(samples::events(l)) currency/></div>
    }
    .into_any()
}
