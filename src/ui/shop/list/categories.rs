//! All categories on one page.

use crate::{
    api,
    domain::{
        catalog::Category,
        texts::{catalog as t, start},
    },
    ui::{
        components::{head::Head, icon::Icon, links::category_href, skeleton::SkeletonProducts, travel::Main},
        error::ErrorPage,
        shop::home::Tiles,
        use_locale,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn CategoriesPage() -> impl IntoView {
    let categories = Resource::new(|| (), |()| api::catalog::categories());
    view! {
        <Suspense fallback=Skeleton>
            {move || Suspend::new(async move {
                match categories.await {
                    Ok(categories) => view! { <CategoriesView categories/> }.into_any(),
                    Err(error) => view! { <ErrorPage error/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn CategoriesView(categories: Vec<Category>) -> impl IntoView {
    let l = use_locale();
    let section = move |category: Category| {
        let id = format!("category-{}", category.handle);
        // A category without any below it shows itself.
        let mut below = category.children.clone();
        if below.is_empty() {
            below.push(category.clone());
        }
        let labelled = id.clone();
        view! {
            <section aria-labelledby=labelled>
                <div class="section-head">
                    <h2 id=id>{category.title.clone()}</h2>
                    <a class="link" href=category_href(&category.handle)>
                        {l.t(start::SEE_ALL)}
                        <span class="visually-hidden">" "{category.title}</span>
                        <Icon name="chevron-right" class="icon-sm"/>
                    </a>
                </div>
                <Tiles categories=below counted=true/>
            </section>
        }
    };
    let empty = categories.is_empty().then(|| {
        view! {
            <div class="empty">
                <span class="empty-art"><Icon name="categories" class="icon-lg"/></span>
                <p class="empty-text">{l.t(t::NO_CATEGORIES_TEXT)}</p>
                <div class="empty-actions"><a class="btn btn-primary" href="/search">{l.t(t::SEE_PRODUCTS)}</a></div>
            </div>
        }
    });
    view! {
        <Title text=l.t(start::ALL_CATEGORIES)/>
        <Head
            path="/categories".into()
            title=l.t(start::ALL_CATEGORIES).into()
            description=l.t(t::CATEGORIES_DESCRIPTION).into()
        />
        <Main class="page container">
            <div class="page-head"><h1 class="page-title">{l.t(start::ALL_CATEGORIES)}</h1></div>
            <div class="stack-lg">{categories.into_iter().map(section).collect_view()}</div>
            {empty}
        </Main>
    }
    .into_any()
}

#[component]
fn Skeleton() -> impl IntoView {
    let l = use_locale();
    view! {
        <Main class="page container" loading=true>
            <div class="page-head"><h1 class="page-title">{l.t(start::ALL_CATEGORIES)}</h1></div>
            <SkeletonProducts count=12/>
        </Main>
    }
    .into_any()
}
