//! What a list found, or what to do when it found nothing.

use super::{filter_count, href, unfiltered};
use crate::{
    api,
    domain::{
        catalog::{ListQuery, ProductCard, ProductList},
        texts::catalog as t,
    },
    ui::{
        components::{icon::Icon, pagination::Pagination, price::use_currency, product_card::ProductGrid},
        use_locale,
    },
};
use leptos::prelude::*;

/// Pictures that a wide screen shows at once.
const EAGER: usize = 4;

#[component]
pub fn Results(query: ListQuery, list: ProductList) -> impl IntoView {
    if list.products.items.is_empty() {
        return view! { <Nothing query list heading=2/> }.into_any();
    }
    let l = use_locale();
    let (page, pages) = (list.products.page, list.products.pages());
    let narrow = (list.more && page >= pages).then(|| view! { <p class="muted">{l.t(t::NARROW)}</p> });
    let to = move |page| href(&ListQuery { page, ..query.clone() });
    view! {
        <ProductGrid products=list.products.items level=2 eager=EAGER/>
        <Pagination page pages href=to/>
        {narrow}
    }
    .into_any()
}

/// The filters in force, each a link that removes it. `category` is the title of the one that a search is narrowed to.
#[component]
pub fn ActiveFilters(query: ListQuery, category: Option<String>) -> impl IntoView {
    let (l, currency) = (use_locale(), use_currency());
    if filter_count(&query) == 0 {
        return ().into_any();
    }
    let all = ListQuery { page: 1, ..query.clone() };
    let mut chips: Vec<(String, ListQuery)> = Vec::new();
    chips.extend(category.map(|title| (title, ListQuery { category: None, ..all.clone() })));
    for brand in &all.brand {
        let others = all.brand.iter().filter(|other| *other != brand).cloned().collect();
        chips.push((brand.clone(), ListQuery { brand: others, ..all.clone() }));
    }
    let without_price = ListQuery { price_min: None, price_max: None, ..all.clone() };
    let (min, max) = (all.price_min.map(|a| a.display(currency)), all.price_max.map(|a| a.display(currency)));
    match (min, max) {
        (Some(min), Some(max)) => chips.push((format!("{min} – {max}"), without_price)),
        (Some(min), None) => chips.push((l.f(t::PRICE_FROM, &[("min", &min)]), without_price)),
        (None, Some(max)) => chips.push((l.f(t::PRICE_TO, &[("max", &max)]), without_price)),
        (None, None) => {}
    }
    if all.in_stock {
        chips.push((l.t(t::IN_STOCK).to_owned(), ListQuery { in_stock: false, ..all.clone() }));
    }
    let chip = |(text, without): (String, ListQuery)| {
        view! {
            <a class="chip" href=href(&without) data-noscroll="">
                <span class="visually-hidden">{l.t(t::REMOVE_FILTER)}</span>
                {text}
                <Icon name="close" class="icon-sm"/>
            </a>
        }
    };
    view! {
        <nav class="chips" aria-label=l.t(t::CHOSEN_FILTERS)>
            {chips.into_iter().map(chip).collect_view()}
            <a class="link link-quiet" href=href(&unfiltered(&all)) data-noscroll="">{l.t(t::CLEAR_ALL)}</a>
        </nav>
    }
    .into_any()
}

/// Nothing found: why, and the next thing to try. `heading` is 1 where it is the page's own title.
#[component]
pub fn Nothing(query: ListQuery, list: ProductList, heading: u8) -> impl IntoView {
    let l = use_locale();
    let (icon, title, text, link, label) = if list.products.total > 0 {
        (
            "sort",
            l.t(t::PAGE_GONE_TITLE).to_owned(),
            if list.more { t::NARROW } else { t::PAGE_GONE_TEXT },
            href(&ListQuery { page: 1, ..query }),
            t::FIRST_PAGE,
        )
    } else if filter_count(&query) > 0 {
        ("filter", l.t(t::NONE_TITLE).to_owned(), t::NONE_TEXT, href(&unfiltered(&query)), t::CLEAR_FILTERS)
    } else if let Some(q) = &query.q {
        ("search", l.f(t::NOT_FOUND_TITLE, &[("q", q)]), t::NOT_FOUND_TEXT, "/categories".to_owned(), t::TO_CATEGORIES)
    } else {
        (
            "package",
            l.t(t::EMPTY_CATEGORY_TITLE).to_owned(),
            t::EMPTY_CATEGORY_TEXT,
            "/categories".to_owned(),
            t::TO_CATEGORIES,
        )
    };
    let title = match heading {
        1 => view! { <h1 class="empty-title">{title}</h1> }.into_any(),
        _ => view! { <h2 class="empty-title">{title}</h2> }.into_any(),
    };
    view! {
        <div class="empty">
            <span class="empty-art"><Icon name=icon class="icon-lg"/></span>
            {title}
            <p class="empty-text">{l.t(text)}</p>
            <div class="empty-actions"><a class="btn btn-primary" href=link>{l.t(label)}</a></div>
        </div>
        <Suggestions/>
    }
    .into_any()
}

/// What sells well, for those who found nothing. Left out silently when there is none or it cannot be loaded: it is not
/// what was asked.
#[component]
fn Suggestions() -> impl IntoView {
    let l = use_locale();
    let hot = Resource::new(|| (), |()| async { api::catalog::home().await.map(|home| home.hot).unwrap_or_default() });
    let section = move |products: Vec<ProductCard>| {
        (!products.is_empty()).then(|| {
            view! {
                <section class="section" aria-labelledby="suggestions">
                    <div class="section-head"><h2 class="section-title" id="suggestions">{l.t(t::SUGGESTIONS)}</h2></div>
                    <ProductGrid products/>
                </section>
            }
        })
    };
    view! { <Suspense>{move || Suspend::new(async move { section(hot.await) })}</Suspense> }.into_any()
}
