//! Narrowing and ordering a list: two forms that read into an address. With script each choice is followed at once.

use super::{filter_count, href, path, unfiltered};
use crate::{
    domain::{
        catalog::{Category, ListQuery, PriceRange, Sort},
        money::Amount,
        texts::catalog as t,
    },
    ui::{
        components::{
            field::{FieldError, described_by, invalid, problem_of},
            icon::Icon,
            price::use_currency,
            typed::{show_ticked, taking_over},
        },
        use_locale,
    },
};
use leptos::{ev, html, prelude::*, wasm_bindgen::JsCast, web_sys::Element};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

/// Follows an address within the page, where the reader is; going back undoes it.
fn use_follow() -> impl Fn(ListQuery) + Clone + Send + Sync + 'static {
    let navigate = use_navigate();
    move |query: ListQuery| {
        let options = NavigateOptions { scroll: false, ..NavigateOptions::default() };
        navigate(&href(&ListQuery { page: 1, ..query }), options);
    }
}

/// An amount as it stands in a field and in addresses.
fn plain(amount: Option<Amount>) -> String {
    amount.map(|amount| amount.to_decimal(Default::default()).trim_end_matches(".00").to_owned()).unwrap_or_default()
}

/// The prices in the address, as they were typed.
fn typed_prices() -> PriceRange {
    use_query_map().with_untracked(|query| PriceRange {
        min: query.get("min").unwrap_or_default(),
        max: query.get("max").unwrap_or_default(),
    })
}

/// The path of the list whose filters a reader of a phone has unfolded: they stay so while one is chosen after the other.
#[derive(Clone, Copy)]
pub struct Unfolded(RwSignal<Option<String>>);

impl Unfolded {
    /// Remembers it for the lists in this part of the page.
    pub fn provide() {
        provide_context(Self(RwSignal::new(None)));
    }
}

/// The categories among what was found, each a link that keeps the other filters: within a search to the search in that
/// category, from all products to its page. Numbers that are too low are not shown.
#[component]
fn CategoryFilter(query: ListQuery, categories: Vec<Category>, partial: bool) -> impl IntoView {
    let l = use_locale();
    if categories.is_empty() {
        return ().into_any();
    }
    // Within the same page the reader stays at the same place.
    let stays = query.q.is_some().then_some("");
    let link = |handle: Option<String>, title: String, products: Option<i64>| {
        let current = (handle == query.category).then_some("true");
        let to = href(&ListQuery { category: handle, page: 1, ..query.clone() });
        let products = products.filter(|_| !partial);
        view! {
            <a class="filter-link" href=to aria-current=current data-noscroll=stays>
                {title}
                {products.map(|products| view! { <span class="check-count">{products}</span> })}
            </a>
        }
    };
    let category = |category: Category| {
        let below = |below: Category| view! { <li>{link(Some(below.handle), below.title, Some(below.products))}</li> };
        let children = (!category.children.is_empty())
            .then(|| view! { <ul class="filter-below">{category.children.into_iter().map(below).collect_view()}</ul> });
        view! { <li>{link(Some(category.handle), category.title, Some(category.products))} {children}</li> }
    };
    view! {
        <div role="group" aria-labelledby="filter-category">
            <p class="filter-title" id="filter-category">{l.t(t::CATEGORY)}</p>
            <ul class="filter-list">
                <li>{link(None, l.t(t::ALL).to_owned(), None)}</li>
                {categories.into_iter().map(category).collect_view()}
            </ul>
        </div>
    }
    .into_any()
}

#[component]
pub fn Filters(
    query: ListQuery,
    brands: Vec<(String, i64)>,
    categories: Vec<Category>,
    partial: bool,
) -> impl IntoView {
    let (l, currency, follow) = (use_locale(), use_currency(), use_follow());
    let (min, max) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let count = filter_count(&query);

    // A brand that was chosen stays in the form even when another filter leaves nothing of it.
    let mut brands = brands;
    for brand in &query.brand {
        if !brands.iter().any(|(name, _)| name == brand) {
            brands.push((brand.clone(), 0));
        }
    }
    let brand = {
        let (query, follow) = (query.clone(), follow.clone());
        move |(name, products): (String, i64)| {
            let chosen = query.brand.contains(&name);
            let (query, follow, value) = (query.clone(), follow.clone(), name.clone());
            let toggle = move |ticked: bool| {
                let mut query = query.clone();
                query.brand.retain(|brand| *brand != name);
                if ticked {
                    query.brand.push(name.clone());
                }
                follow(query);
            };
            let field = NodeRef::<html::Input>::new();
            show_ticked(field, chosen, toggle.clone());
            let toggle = move |event: ev::Event| toggle(event_target_checked(&event));
            view! {
                <label class="check">
                    <input type="checkbox" name="brand" value=value.clone() checked=chosen node_ref=field on:change=toggle/>
                    {value}
                    {(!partial).then(|| view! { <span class="check-count">{products}</span> })}
                </label>
            }
        }
    };
    let brand_list = (!brands.is_empty()).then(|| {
        view! {
            <fieldset>
                <legend class="filter-title">{l.t(t::BRAND)}</legend>
                <div class="filter-list">{brands.into_iter().map(brand).collect_view()}</div>
            </fieldset>
        }
    });

    let in_stock = {
        let (query, follow) = (query.clone(), follow.clone());
        move |in_stock: bool| follow(ListQuery { in_stock, ..query.clone() })
    };
    let stock = NodeRef::<html::Input>::new();
    show_ticked(stock, query.in_stock, in_stock.clone());
    // What is wrong in the address stands in the fields as it was typed, also without script.
    let typed = typed_prices();
    let posted = typed.read().err();
    let shown = match posted {
        Some(_) => typed,
        None => PriceRange { min: plain(query.price_min), max: plain(query.price_max) },
    };
    let unfolded = use_context::<Unfolded>();
    let here = path(&query);
    let unfold =
        posted.is_some() || unfolded.is_some_and(|Unfolded(at)| at.with_untracked(|at| at.as_deref() == Some(&*here)));
    let details = NodeRef::<html::Details>::new();
    // Before the browser folds or unfolds it.
    let pressed = move |_| {
        if let (Some(Unfolded(at)), Some(details)) = (unfolded, details.get_untracked()) {
            at.set((!details.open()).then(|| here.clone()));
        }
    };
    let wrong = RwSignal::new(posted);
    // Drawn anew for another choice, the form keeps what is wrong in it.
    let (early, fresh) = (taking_over(), shown.clone());
    Effect::new(move |_| {
        let (Some(min), Some(max)) = (min.get(), max.get()) else { return };
        match (PriceRange { min: min.value(), max: max.value() }).read() {
            Err(error) if early || count > 0 => wrong.set(Some(error)),
            _ if early => {}
            _ => {
                min.set_value(&fresh.min);
                max.set_value(&fresh.max);
            }
        }
    });
    // Reads both fields and follows, or tells beside them what is wrong; what was typed stays. Tells whether they are right.
    let apply = {
        let query = query.clone();
        move || {
            let text =
                |field: NodeRef<html::Input>| field.get_untracked().map(|input| input.value()).unwrap_or_default();
            let bounds = PriceRange { min: text(min), max: text(max) }.read();
            wrong.set(bounds.as_ref().err().cloned());
            let Ok((low, high)) = bounds else { return false };
            if (low, high) != (query.price_min, query.price_max) {
                follow(ListQuery { price_min: low, price_max: high, ..query.clone() });
            }
            true
        }
    };
    let submit = {
        let apply = apply.clone();
        move |event: ev::SubmitEvent| {
            event.prevent_default();
            // Who presses the button wants to see the products.
            if apply() {
                if let Some(Unfolded(at)) = unfolded {
                    at.set(None);
                }
                if let Some(details) = details.get_untracked() {
                    details.set_open(false);
                }
            }
        }
    };
    // A range is followed once both its ends were left: one who goes on to the other end, or to the button, is not done.
    let left = {
        let apply = apply.clone();
        move |event: ev::FocusEvent| {
            let to = event.related_target().and_then(|to| to.dyn_into::<Element>().ok());
            if to.is_none_or(|to| !matches!(to.closest(".filter-range, button"), Ok(Some(_)))) {
                apply();
            }
        }
    };
    let range = |node, id, name, label, placeholder, value: String| {
        let error = problem_of(wrong.into(), name);
        view! {
            <input
                node_ref=node
                class="input input-sm"
                id=id
                name=name
                inputmode="decimal"
                autocomplete="off"
                aria-label=l.t(label)
                placeholder=l.t(placeholder)
                value=value
                aria-invalid=invalid(error)
                aria-describedby=described_by(id, false, error)
            />
        }
    };
    let badge = (count > 0).then(|| {
        view! {
            <span class="badge badge-accent">
                <span aria-hidden="true">{count}</span>
                <span class="visually-hidden">{l.n(t::FILTERS_ACTIVE_ONE, t::FILTERS_ACTIVE, count as i64)}</span>
            </span>
        }
    });
    let clear = (count > 0)
        .then(|| view! { <a class="link link-quiet" href=href(&unfiltered(&query))>{l.t(t::CLEAR_ALL)}</a> });
    view! {
        <details class="filters" open=unfold node_ref=details>
            <summary on:click=pressed>
                <Icon name="filter" class="icon-sm"/>
                {l.t(t::FILTER)}
                {badge}
                <Icon name="chevron-down" class="icon-sm"/>
            </summary>
            <form class="filters-form" action=path(&query) method="get" on:submit=submit>
                {hidden("q", query.q.clone())}
                {hidden("category", query.narrowed_to().map(str::to_owned))}
                {hidden("sort", sort_name(query.sort))}
                <CategoryFilter query=query.clone() categories partial/>
                {brand_list}
                <fieldset>
                    <legend class="filter-title">{l.f(t::PRICE_RANGE, &[("unit", &currency.symbol())])}</legend>
                    <div class="filter-range" on:focusout=left>
                        {range(min, "price-min", "min", t::PRICE_MIN, t::MIN, shown.min)}
                        <span aria-hidden="true">"–"</span>
                        {range(max, "price-max", "max", t::PRICE_MAX, t::MAX, shown.max)}
                    </div>
                    <div role="alert">
                        <FieldError id="price-min" error=problem_of(wrong.into(), "min")/>
                        <FieldError id="price-max" error=problem_of(wrong.into(), "max")/>
                    </div>
                </fieldset>
                <label class="check">
                    <input
                        type="checkbox"
                        name="stock"
                        value="1"
                        checked=query.in_stock
                        node_ref=stock
                        on:change=move |event| in_stock(event_target_checked(&event))
                    />
                    {l.t(t::IN_STOCK)}
                </label>
                <div class="form-actions">
                    <button class="btn btn-secondary btn-block">{l.t(t::APPLY)}</button>
                    {clear}
                </div>
            </form>
        </details>
    }
    .into_any()
}

#[component]
pub fn Sorting(query: ListQuery) -> impl IntoView {
    let (l, follow) = (use_locale(), use_follow());
    let sort = query.sort;
    let option = move |choice: Sort| {
        let text = match choice {
            Sort::Relevance => t::SORT_RELEVANCE,
            Sort::Sales => t::SORT_SALES,
            Sort::Newest => t::SORT_NEWEST,
            Sort::PriceAsc => t::SORT_PRICE_ASC,
            Sort::PriceDesc => t::SORT_PRICE_DESC,
        };
        let chosen = choice == sort;
        view! { <option value=choice.name() selected=chosen>{l.t(text)}</option> }
    };
    let kept = [
        query.brand.iter().map(|brand| hidden("brand", Some(brand.clone()))).collect_view().into_any(),
        hidden("q", query.q.clone()),
        hidden("category", query.narrowed_to().map(str::to_owned)),
        hidden("min", Some(plain(query.price_min)).filter(|text| !text.is_empty())),
        hidden("max", Some(plain(query.price_max)).filter(|text| !text.is_empty())),
        hidden("stock", query.in_stock.then(|| "1".to_owned())),
    ];
    let action = path(&query);
    // Drawn anew with another order, the select must show it.
    let select = NodeRef::<html::Select>::new();
    let early = taking_over();
    Effect::new(move |_| {
        if let (false, Some(select)) = (early, select.get()) {
            select.set_value(sort.name());
        }
    });
    let change = move |event| follow(ListQuery { sort: Sort::from_name(&event_target_value(&event)), ..query.clone() });
    view! {
        <form class="catalog-sort" action=action method="get">
            {kept.into_iter().collect_view()}
            <label for="sort">{l.t(t::SORT)}</label>
            <select class="select select-sm" id="sort" name="sort" node_ref=select on:change=change>{Sort::ALL.map(option)}</select>
            <button class="btn btn-secondary btn-sm only-no-script">{l.t(t::SORT)}</button>
        </form>
    }
    .into_any()
}

fn hidden(name: &'static str, value: Option<String>) -> AnyView {
    value.map(|value| view! { <input type="hidden" name=name value=value/> }).into_any()
}

fn sort_name(sort: Sort) -> Option<String> {
    (sort != Sort::default()).then(|| sort.name().to_owned())
}
