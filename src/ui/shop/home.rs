//! The start page: what this shop is, its categories, what sells well, what is new.

use crate::{
    api,
    domain::{
        catalog::{Category, Home, ProductCard, Width},
        locale::Text,
        texts::{shell, start as t},
    },
    ui::{
        components::{
            head::Head,
            icon::Icon,
            links::category_href,
            picture::Picture,
            product_card::ProductGrid,
            scroll::{remember_scroll, restore_scroll},
            skeleton::SkeletonProducts,
            travel::Main,
            ways::WayTiles,
        },
        error::ErrorPage,
        use_locale,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;

/// Below this number a shop does not boast with it.
const MANY: i64 = 20;

#[component]
pub fn HomePage() -> impl IntoView {
    let home = Resource::new(|| (), |()| api::catalog::home());
    remember_scroll(Signal::stored("/".to_owned()));
    view! {
        <Suspense fallback=HomeSkeleton>
            {move || Suspend::new(async move {
                match home.await {
                    Ok(home) => view! { <HomeView home/> }.into_any(),
                    Err(error) => view! { <ErrorPage error/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn HomeView(home: Home) -> impl IntoView {
    let l = use_locale();
    let Home { categories, ways, hot, new } = home;
    let products: i64 = categories.iter().map(|category| category.products).sum();
    let hero = hot.first().or(new.first()).and_then(|product| product.image.clone());
    let empty = hot.is_empty() && new.is_empty();
    Effect::new(|| restore_scroll("/"));
    let tiles = (!categories.is_empty()).then(|| {
        view! {
            <section class="section" aria-labelledby="categories-title">
                <SectionHead id="categories-title" title=t::BY_CATEGORY href="/categories" link=t::ALL_CATEGORIES/>
                <Tiles categories counted=true/>
            </section>
        }
    });
    view! {
        <Title text=""/>
        <Head
            path="/".into()
            title=l.t(shell::NAME).into()
            description=l.t(t::HOME_DESCRIPTION).into()
            image=hero.as_ref().map(|image| image.url.clone())
        />
        <Main class="page container">
            <section class="hero" aria-labelledby="hero-title">
                <div class="hero-body">
                    <h1 class="hero-title" id="hero-title">{l.t(t::HERO_TITLE)}<br/>{l.t(t::HERO_TITLE_2)}</h1>
                    <p class="hero-text">
                        {if products >= MANY { l.f(t::HERO_TEXT, &[("n", &products)]) } else { l.t(t::HERO_TEXT_FEW).to_owned() }}
                    </p>
                    <a class="btn btn-primary btn-lg" href="/search?sort=newest">{l.t(t::HERO_BUTTON)}</a>
                </div>
                {hero.map(|image| view! { <Picture image=Some(image) class="hero-media" priority=true size=1200/> })}
            </section>
            <WayTiles ways/>
            {tiles}
            <Row id="new" title=t::NEW href="/search?sort=newest" products=new/>
            <Row id="hot" title=t::HOT href="/search?sort=sales" products=hot/>
            {empty.then(|| view! { <ShopEmpty/> })}
        </Main>
    }
    .into_any()
}

/// The heading of a section, with a link to all that the section shows a part of.
#[component]
fn SectionHead(id: &'static str, title: Text, href: &'static str, link: Text) -> impl IntoView {
    let l = use_locale();
    view! {
        <div class="section-head">
            <h2 class="section-title" id=id>{l.t(title)}</h2>
            <a class="link" href=href>
                {l.t(link)}
                {(link.0 == t::SEE_ALL.0).then(|| view! { <span class="visually-hidden">" "{l.t(title)}</span> })}
                <Icon name="chevron-right" class="icon-sm"/>
            </a>
        </div>
    }
    .into_any()
}

#[component]
fn Row(id: &'static str, title: Text, href: &'static str, products: Vec<ProductCard>) -> impl IntoView {
    (!products.is_empty())
        .then(|| {
            view! {
                <section class="section" aria-labelledby=id>
                    <SectionHead id title href link=t::SEE_ALL/>
                    <ProductGrid products/>
                </section>
            }
        })
        .into_any()
}

/// Categories as pictures with names; `counted` adds how many products they have.
#[component]
pub fn Tiles(categories: Vec<Category>, #[prop(optional)] counted: bool) -> impl IntoView {
    let l = use_locale();
    let tile = move |category: Category| {
        let count = counted
            .then(|| view! { " "<span class="tile-count">{l.n(t::COUNT_ONE, t::COUNT, category.products)}</span> });
        view! {
            <li>
                <a class="tile" href=category_href(&category.handle)>
                    <Picture image=category.image class="tile-media" thumb=Width::Thumb size=400/>
                    <span><span class="tile-name">{category.title}</span>{count}</span>
                </a>
            </li>
        }
    };
    view! { <ul class="tiles">{categories.into_iter().map(tile).collect_view()}</ul> }.into_any()
}

/// A shop that has nothing yet.
#[component]
fn ShopEmpty() -> impl IntoView {
    let l = use_locale();
    view! {
        <div class="empty">
            <span class="empty-art"><Icon name="store" class="icon-lg"/></span>
            <h2 class="empty-title">{l.t(t::SHOP_EMPTY_TITLE)}</h2>
            <p class="empty-text">{l.t(t::SHOP_EMPTY_TEXT)}</p>
        </div>
    }
    .into_any()
}

#[component]
fn HomeSkeleton() -> impl IntoView {
    let l = use_locale();
    view! {
        <Main class="page container" loading=true>
            <section class="hero">
                <div class="hero-body">
                    <h1 class="hero-title">{l.t(t::HERO_TITLE)}<br/>{l.t(t::HERO_TITLE_2)}</h1>
                    <span class="skeleton skeleton-text"></span>
                </div>
                <span class="skeleton skeleton-block hero-media"></span>
            </section>
            <section class="section"><SkeletonProducts/></section>
            <section class="section"><SkeletonProducts/></section>
        </Main>
    }
    .into_any()
}
