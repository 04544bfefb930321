//! Products that a person keeps or looked at, as they are now: rows of a list.

use crate::{
    domain::{
        catalog::{KeptProduct, Width},
        locale::Text,
        page::Page,
        texts::{catalog as t, common, personal, start},
    },
    ui::{
        components::{
            icon::Icon,
            links::product_href,
            pagination::Pagination,
            picture::Picture,
            price::{Price, PriceWas},
            time::Time,
        },
        use_locale,
    },
};
use leptos::prelude::*;

/// Which page of a list is asked for; from 1.
pub fn page_of(typed: Option<String>) -> i64 {
    typed.and_then(|page| page.trim().parse().ok()).unwrap_or(1).max(1)
}

/// The address of a page of a list.
pub fn page_href(path: &str, page: i64) -> String {
    if page > 1 { format!("{path}?page={page}") } else { path.to_owned() }
}

/// A page of a list, with the way to the others; and where nothing is on it, why and where to go.
#[component]
pub fn KeptList<F, V>(
    products: Page<KeptProduct>,
    /// Where the list is.
    path: &'static str,
    /// Of a list with nothing in it.
    icon: &'static str,
    /// Title and text of a list with nothing in it.
    empty: (Text, Text),
    /// Text of a page beyond the last one.
    #[prop(optional)]
    beyond: Option<Text>,
    /// The row of a product.
    children: F,
) -> impl IntoView
where
    F: Fn(KeptProduct) -> V,
    V: IntoView + 'static,
{
    let l = use_locale();
    if products.items.is_empty() {
        let (title, text, href, way) = match products.total {
            0 => (empty.0, Some(empty.1), "/", personal::TO_SHOP),
            // After the last of it was removed.
            _ => (personal::PAGE_EMPTY_TITLE, beyond, path, personal::FIRST_PAGE),
        };
        return view! {
            <div class="empty">
                <span class="empty-art"><Icon name=icon class="icon-lg"/></span>
                <h2 class="empty-title">{l.t(title)}</h2>
                {text.map(|text| view! { <p class="empty-text">{l.t(text)}</p> })}
                <div class="empty-actions"><a class="btn btn-primary" href=href>{l.t(way)}</a></div>
            </div>
        }
        .into_any();
    }
    let (page, pages) = (products.page, products.pages());
    let rows = products.items.into_iter().map(children).collect_view();
    view! {
        <div class="panel"><ul class="lines">{rows}</ul></div>
        <Pagination page pages href=move |page| page_href(path, page)/>
    }
    .into_any()
}

/// A row: the product with its present price and whether it can be had; `children` are what can be done with it.
#[component]
pub fn KeptRow(product: KeptProduct, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    let l = use_locale();
    let KeptProduct { card, sold, at } = product;
    let several = card.price_min != card.price_max;
    let was = card.compare_at.filter(|was| *was > card.price_max && !several);
    let note =
        move |text| (several && !l.t(text).is_empty()).then(|| view! { <span class="muted small">{l.t(text)}</span> });
    let name = if sold {
        view! { <h2><a class="line-name" href=product_href(&card.handle)>{card.title}</a></h2> }.into_any()
    } else {
        view! { <h2 class="line-name">{card.title}</h2> }.into_any()
    };
    let (class, state) = match (sold, card.in_stock) {
        (false, _) => ("stock stock-out", l.t(personal::NOT_SOLD)),
        (true, false) => ("stock stock-out", l.t(common::SOLD_OUT)),
        (true, true) => ("stock stock-in", l.t(t::IN_STOCK_NOW)),
    };
    view! {
        <li class="line">
            <span class="line-media"><Picture image=card.image thumb=Width::Thumb size=144/></span>
            <div class="line-body">
                {name}
                <p class=class>{state}</p>
                <p class="muted small"><Time ms=at/></p>
            </div>
            <p class="line-price">
                {sold.then(|| view! {
                    {note(start::FROM_BEFORE)}
                    <Price amount=card.price_min sale=was.is_some()/>
                    {note(start::FROM_AFTER)}
                    {was.map(|amount| view! { <PriceWas amount/> })}
                })}
            </p>
            <div class="line-tools">{children.map(|children| children())}</div>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_page_that_is_typed_is_one() {
        let read = |typed: &str| page_of(Some(typed.to_owned()));
        assert_eq!([read("3"), read("0"), read("-1"), read("x"), page_of(None)], [3, 1, 1, 1, 1]);
        assert_eq!((page_href("/a", 1), page_href("/a", 2)), ("/a".to_owned(), "/a?page=2".to_owned()));
    }
}
