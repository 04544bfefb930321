//! A product in a list.

use super::{
    links::product_href,
    picture::Picture,
    price::{Price, PriceWas, use_currency},
    stars::Mean,
};
use crate::{
    domain::{
        Locale,
        catalog::{ProductCard, Width, badge},
        money::{Amount, Currency},
        texts::{common, start as t},
    },
    ui::use_locale,
};
use leptos::prelude::*;

/// Cards in a grid. `level` is that of their headings, below the heading of the section. The first `eager` pictures
/// are in view at once and do not wait for the reader to scroll.
#[component]
pub fn ProductGrid(
    products: Vec<ProductCard>,
    #[prop(default = 3)] level: u8,
    #[prop(optional)] eager: usize,
) -> impl IntoView {
    let card = |(i, product)| view! { <ProductItem product level eager={i < eager} priority={i == 0 && eager > 0}/> };
    view! { <ul class="products">{products.into_iter().enumerate().map(card).collect_view()}</ul> }.into_any()
}

#[component]
fn ProductItem(product: ProductCard, level: u8, eager: bool, priority: bool) -> impl IntoView {
    let (l, currency) = (use_locale(), use_currency());
    let badge = card_badge(&product, l, currency);
    let several = product.price_min != product.price_max;
    let was = product.compare_at.filter(|was| *was > product.price_max);
    let link = view! { <a class="product-link" href=product_href(&product.handle)>{product.title}</a> };
    let name = match level {
        2 => view! { <h2 class="product-name">{link}</h2> }.into_any(),
        _ => view! { <h3 class="product-name">{link}</h3> }.into_any(),
    };
    let note =
        |text| (several && !l.t(text).is_empty()).then(|| view! { <span class="product-note">{l.t(text)}</span> });
    view! {
        <li class=if product.in_stock { "product" } else { "product is-soldout" }>
            <div class="product-media">
                <Picture image=product.image eager priority thumb=Width::Card/>
                {badge.map(|(text, class)| view! { <div class="product-badges"><span class=class>{text}</span></div> })}
            </div>
            {(!product.brand.is_empty()).then(|| view! { <p class="product-brand">{product.brand}</p> })}
            {name}
            {(!product.rating.is_none()).then(|| view! { <p class="product-rating"><Mean rating=product.rating/></p> })}
            <p class="product-price">
                {note(t::FROM_BEFORE)}
                <Price amount=product.price_min sale=was.is_some()/>
                {note(t::FROM_AFTER)}
                {was.filter(|_| !several).map(|amount| view! { <PriceWas amount/> })}
            </p>
        </li>
    }
    .into_any()
}

/// The one thing worth saying on a card: that it cannot be had, that many want it, that it is new, what it saves.
fn card_badge(product: &ProductCard, l: Locale, currency: Currency) -> Option<(String, &'static str)> {
    if !product.in_stock {
        return Some((l.t(common::SOLD_OUT).to_owned(), "badge"));
    }
    if let Some(text) = badge(&product.tags, l) {
        let class = if text == l.t(t::BADGE_NEW) { "badge" } else { "badge badge-solid" };
        return Some((text.to_owned(), class));
    }
    saving(product.price_max, product.compare_at, l, currency).map(|text| (text, "badge badge-solid"))
}

/// "Save ¥30", when there is a reduction.
pub fn saving(price: Amount, compare_at: Option<Amount>, l: Locale, currency: Currency) -> Option<String> {
    let less = compare_at? - price;
    let text = less.display(currency);
    let text = text.strip_suffix(".00").unwrap_or(&text);
    (less > Amount::ZERO).then(|| l.f(t::SAVE, &[("amount", &text)]))
}
