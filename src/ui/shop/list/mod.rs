//! Lists of products: a category, a search, and the overview of all categories.
//!
//! The address is the state. Every filter is a link or a form that reads into an address, so that lists can be shared,
//! reloaded, gone back to and used without script; with script the same addresses are followed without a new page.

mod categories;
mod filters;
mod results;

pub use categories::CategoriesPage;

use self::{
    filters::{Filters, Sorting, Unfolded},
    results::{ActiveFilters, Nothing, Results},
};
use crate::{
    api,
    domain::{
        Error, Locale,
        catalog::{ListQuery, ProductList, list_href, parse_list_query},
        texts::catalog as t,
    },
    ui::{
        components::{
            breadcrumbs::Breadcrumbs,
            head::Head,
            links::category_href,
            scroll::{remember_scroll, restore_scroll},
            skeleton::{Reloading, SkeletonProducts},
            travel::Main,
        },
        error::{ErrorNotice, ErrorPage},
        set_status, use_locale,
    },
};
use leptos::prelude::*;
use leptos_meta::{Meta, Title};
use leptos_router::hooks::{use_location, use_params_map, use_query_map};

#[component]
pub fn CategoryPage() -> impl IntoView {
    let params = use_params_map();
    view! { <ListPage category=Signal::derive(move || params.with(|params| params.get("handle")))/> }.into_any()
}

#[component]
pub fn SearchPage() -> impl IntoView {
    view! { <ListPage category=Signal::stored(None)/> }.into_any()
}

/// The path of a list; its filters come behind.
fn path(query: &ListQuery) -> String {
    query.page_of().map_or_else(|| "/search".to_owned(), category_href)
}

/// The address of a list.
fn href(query: &ListQuery) -> String {
    list_href(&path(query), query)
}

/// The same list without its filters.
fn unfiltered(query: &ListQuery) -> ListQuery {
    ListQuery {
        category: query.page_of().map(str::to_owned),
        q: query.q.clone(),
        sort: query.sort,
        page: 1,
        ..ListQuery::default()
    }
}

/// How many filters narrow a list.
fn filter_count(query: &ListQuery) -> usize {
    query.brand.len()
        + usize::from(query.narrowed_to().is_some())
        + usize::from(query.price_min.or(query.price_max).is_some())
        + usize::from(query.in_stock)
}

/// What a list is called.
fn title(l: Locale, query: &ListQuery, list: Option<&ProductList>) -> String {
    match (&query.q, list.and_then(|list| list.category.as_ref())) {
        (Some(q), _) => l.f(t::RESULTS_FOR, &[("q", q)]),
        (None, Some(category)) => category.title.clone(),
        (None, None) => l.t(t::ALL_PRODUCTS).to_owned(),
    }
}

#[component]
fn ListPage(category: Signal<Option<String>>) -> impl IntoView {
    Unfolded::provide();
    let (query, location) = (use_query_map(), use_location());
    // On the way to another page the address is already that of the other page: this one keeps its last query.
    let wanted = Memo::new(move |last: Option<&ListQuery>| {
        let category = category.get();
        let root = if category.is_some() { "/c/" } else { "/search" };
        match last {
            Some(last) if !location.pathname.with(|path| path.starts_with(root)) => last.clone(),
            _ => {
                let pairs: Vec<_> = query.get().into_iter().collect();
                parse_list_query(category, pairs.iter().map(|(key, value)| (key.as_ref(), value.as_str())))
            }
        }
    });
    remember_scroll(Signal::derive(move || wanted.with(href)));
    let list = Resource::new(
        move || wanted.get(),
        |query| async move {
            let list = api::catalog::list(query.clone()).await;
            (query, list)
        },
    );
    let pending = RwSignal::new(false);
    // Taking over the server's page loads nothing that the reader waits for.
    let first = wanted.get_untracked();
    let moved = Memo::new(move |moved: Option<&bool>| {
        moved.is_some_and(|moved| *moved) || wanted.with(|wanted| *wanted != first)
    });
    let busy = Signal::derive(move || moved.get() && pending.get());
    view! {
        <Reloading fallback=ListSkeleton pending>
            {move || Suspend::new(async move {
                match list.await {
                    (query, Ok(list)) => view! { <ListView query list busy/> }.into_any(),
                    (_, Err(error @ Error::NotFound)) => view! { <ErrorPage error/> }.into_any(),
                    (query, Err(error)) => view! { <ListBroken query error/> }.into_any(),
                }
            })}
        </Reloading>
    }
    .into_any()
}

#[component]
fn ListView(query: ListQuery, list: ProductList, busy: Signal<bool>) -> impl IntoView {
    let l = use_locale();
    let title = title(l, &query, Some(&list));
    let address = href(&query);
    Effect::new(move || restore_scroll(&address));
    let head = head(&query, &title, &list);
    if list.products.total == 0 && list.category.is_none() && filter_count(&query) == 0 && query.q.is_some() {
        return view! {
            {head}
            <Main class="page container"><Nothing query list heading=1/></Main>
        }
        .into_any();
    }
    let total = match list.more {
        true => l.f(t::TOTAL_MORE, &[("n", &list.products.total)]),
        false => l.n(t::TOTAL_ONE, t::TOTAL, list.products.total),
    };
    // A search that is narrowed to a category is no page of it.
    let around = query.page_of().map(|_| (navigation(&list), sub_categories(&list)));
    let (navigation, sub_categories) = around.unzip();
    let category = query.narrowed_to().and(list.category.as_ref()).map(|category| category.title.clone());
    view! {
        {head}
        <Main class="page container">
            {navigation}
            <div class="page-head"><h1 class="page-title">{title}</h1></div>
            {sub_categories}
            <div class="catalog">
                <Filters
                    query=query.clone()
                    brands=list.brands.clone()
                    categories=list.categories.clone()
                    partial=list.partial
                />
                <section aria-label=l.t(t::LIST) aria-busy=move || busy.get().to_string()>
                    <div class="catalog-bar">
                        <p class="muted small" role="status">{total}</p>
                        <Sorting query=query.clone()/>
                    </div>
                    <ActiveFilters query=query.clone() category/>
                    <Results query list/>
                </section>
            </div>
        </Main>
    }
    .into_any()
}

/// Title and description for the window and for machines. A filtered list is not another page to them, and a search is
/// none at all.
fn head(query: &ListQuery, title: &str, list: &ProductList) -> AnyView {
    let l = use_locale();
    let page = list.products.page;
    let numbered = match page {
        2.. => format!("{title} · {}", l.f(t::PAGE_OF, &[("page", &page), ("pages", &list.products.pages())])),
        _ => title.to_owned(),
    };
    let total = list.products.total;
    let text = if total == 1 { t::CATEGORY_DESCRIPTION_ONE } else { t::CATEGORY_DESCRIPTION };
    let description = l.f(text, &[("title", &title), ("n", &total)]);
    let title = title.to_owned();
    if query.page_of().is_none() {
        return view! {
            <Title text=numbered/>
            <Meta name="description" content=description/>
            <Meta name="robots" content="noindex, follow"/>
        }
        .into_any();
    }
    let path = href(&ListQuery { category: query.category.clone(), page, ..ListQuery::default() });
    let image = list.products.items.iter().find_map(|product| Some(product.image.as_ref()?.url.clone()));
    view! {
        <Title text=numbered/>
        <Head path title description image/>
    }
    .into_any()
}

/// The categories above this one.
fn navigation(list: &ProductList) -> AnyView {
    let mut links: Vec<_> =
        list.breadcrumbs.iter().map(|(handle, title)| (category_href(handle), title.clone())).collect();
    let here = links.pop().map(|(_, title)| title);
    here.map(|here| view! { <Breadcrumbs links here/> }).into_any()
}

/// The categories below this one, or beside it when it is the lowest.
fn sub_categories(list: &ProductList) -> AnyView {
    let l = use_locale();
    let Some(category) = list.category.as_ref().filter(|category| !category.children.is_empty()) else {
        return ().into_any();
    };
    let lowest = category.children.iter().any(|child| child.handle == category.handle);
    let above = list.breadcrumbs.iter().rev().nth(1).map(|(handle, _)| handle);
    let all = above.filter(|_| lowest).unwrap_or(&category.handle);
    let chip = |handle: &str, title: String| {
        let current = (handle == category.handle).then_some("page");
        view! { <a class="chip" href=category_href(handle) aria-current=current>{title}</a> }
    };
    view! {
        <nav class="chips" aria-label=l.t(t::SUB_CATEGORIES)>
            {chip(all, l.t(t::ALL).to_owned())}
            {category.children.iter().map(|child| chip(&child.handle, child.title.clone())).collect_view()}
        </nav>
    }
    .into_any()
}

/// A list that could not be loaded.
#[component]
fn ListBroken(query: ListQuery, error: Error) -> impl IntoView {
    let l = use_locale();
    set_status(error.status_code());
    let title = if query.page_of().is_some() { l.t(t::LIST).to_owned() } else { title(l, &query, None) };
    view! {
        <Title text=title.clone()/>
        <Meta name="robots" content="noindex"/>
        <Main class="page container">
            <div class="page-head"><h1 class="page-title">{title}</h1></div>
            <ErrorNotice error reload=true/>
        </Main>
    }
    .into_any()
}

#[component]
fn ListSkeleton() -> impl IntoView {
    view! {
        <Main class="page container" loading=true>
            <div class="page-head"><span class="skeleton skeleton-title"></span></div>
            <div class="catalog">
                <span class="skeleton skeleton-text"></span>
                <section>
                    <div class="catalog-bar"><span class="skeleton skeleton-text skeleton-short"></span></div>
                    <SkeletonProducts count=24/>
                </section>
            </div>
        </Main>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Amount;

    #[test]
    fn clearing_filters_keeps_what_is_looked_at_and_its_order() {
        let query = ListQuery {
            category: Some("home".into()),
            brand: vec!["A".into(), "B".into()],
            price_max: Some(Amount(5000)),
            in_stock: true,
            sort: crate::domain::catalog::Sort::Newest,
            page: 4,
            ..ListQuery::default()
        };
        assert_eq!(filter_count(&query), 4);
        assert_eq!(href(&unfiltered(&query)), "/c/home?sort=newest");
        assert_eq!(href(&query), "/c/home?brand=A&brand=B&max=50&stock=1&sort=newest&page=4");
        let search = ListQuery { q: Some("tea".into()), brand: Vec::new(), page: 1, ..query };
        assert_eq!(filter_count(&search), 3, "the category narrows a search like any other filter");
        assert_eq!(href(&search), "/search?q=tea&category=home&max=50&stock=1&sort=newest");
        assert_eq!(href(&unfiltered(&search)), "/search?q=tea&sort=newest");
    }
}
