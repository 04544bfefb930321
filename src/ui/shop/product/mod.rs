//! One product: pictures, choices, the way into the cart, the merchant's words. What is booked has its own way in place of
//! the one of goods, see [`booking`](super::booking).
//!
//! The chosen variant is in the address (`?v=`), so that it can be linked and chosen without script. Price and stock
//! are those of the live feed once it has spoken.

mod buy;
mod description;
mod favourite;
mod gallery;
mod options;
mod structured;
mod viewer;

use self::{
    buy::{Buy, BuyBar, BuyHead},
    description::{Description, without_lead},
    favourite::HeartForm,
    gallery::Gallery,
};
use crate::{
    api,
    domain::{
        catalog::{Product, ProductCard, Variant},
        live::{self, Topic, VariantState},
        pricing::ShippingRule,
        texts::catalog as t,
    },
    ui::{
        absolute,
        components::{
            breadcrumbs::Breadcrumbs,
            head::{Head, canonical},
            links::{category_href, product_href},
            price::use_currency,
            product_card::ProductGrid,
            travel::Main,
        },
        error::ErrorPage,
        live::use_live,
        shop::{
            booking::{AskedBooking, BookingBox, OnPage, use_booking},
            review::list::{Asked, Reviews, use_reviews},
        },
        use_locale,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_location, use_params_map, use_query_map};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a value that changed by itself stays marked.
const FRESH: Duration = Duration::from_millis(1600);

/// What the page needs to know of the customer's cart: how its goods would be sent, and how many pieces it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct CartFacts {
    rule: Option<ShippingRule>,
    pieces: i64,
}

type Facts = Resource<Option<CartFacts>>;

#[component]
pub fn ProductPage() -> impl IntoView {
    let params = use_params_map();
    let handle = Memo::new(move |_| params.with(|params| params.get("handle").unwrap_or_default()));
    let product = Resource::new(move || handle.get(), api::catalog::product);
    let related =
        Resource::new(move || handle.get(), |handle| async { api::catalog::related(handle).await.unwrap_or_default() });
    let facts = Resource::new(
        || (),
        |()| async {
            let cart = api::cart::get().await.ok()?;
            Some(CartFacts { rule: cart.shipping.rule(cart.region.as_deref()).cloned(), pieces: cart.quantity() })
        },
    );
    let liked = Resource::new(
        move || handle.get(),
        |handle| async { api::catalog::is_favourite(handle).await.unwrap_or_default() },
    );
    let reviews = use_reviews(handle);
    let booking = use_booking(OnPage { handle, product });
    view! {
        <Suspense fallback=ProductSkeleton>
            {move || Suspend::new(async move {
                match product.await {
                    Ok(product) => view! { <ProductView product related liked reviews booking facts/> }.into_any(),
                    Err(error) => view! { <ErrorPage error/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

/// What is shown: the product as the live feed knows it, and the variant the reader looks at.
#[derive(Clone, Copy)]
struct Shown {
    product: RwSignal<Product>,
    /// Index into the product's variants.
    chosen: Memo<usize>,
    /// Price or stock of the chosen variant just changed by itself.
    fresh: RwSignal<bool>,
}

impl Shown {
    fn new(product: Product) -> Self {
        let (query, location) = (use_query_map(), use_location());
        // Kept, because what is sold out meanwhile must not change the reader's choice.
        let first = product.default_variant().map(|variant| variant.id.clone());
        let product = RwSignal::new(product);
        let chosen = Memo::new(move |last: Option<&usize>| {
            let here = location.pathname.with(|path| path.starts_with("/p/"));
            match last {
                // On the way to another page the address has no variant any more.
                Some(last) if !here => *last,
                _ => {
                    let wanted = query.with(|query| query.get("v"));
                    product.with(|product| {
                        let find = |id: &Option<String>| {
                            product.variants.iter().position(|variant| Some(&variant.id) == id.as_ref())
                        };
                        find(&wanted).or_else(|| find(&first)).unwrap_or(0)
                    })
                }
            }
        });
        let shown = Self { product, chosen, fresh: RwSignal::new(false) };
        shown.follow(product.with_untracked(|product| product.id.clone()));
        shown
    }

    /// Takes over what the live feed tells.
    fn follow(self, id: String) {
        let updates = use_live().subscribe(Topic::Product(id));
        Effect::new(move |_| {
            let Some(live::Update::Product { variants, .. }) = updates.get() else { return };
            let before = self.variant_untracked();
            self.product.update(|product| take_over(product, &variants));
            if self.variant_untracked() != before {
                self.fresh.set(false);
                request_animation_frame(move || {
                    self.fresh.try_set(true);
                });
                set_timeout(
                    move || {
                        self.fresh.try_set(false);
                    },
                    FRESH,
                );
            }
        });
    }

    /// Something of the chosen variant; `None` for a product without any.
    fn with<T>(self, read: impl FnOnce(&Product, &Variant) -> T) -> Option<T> {
        let chosen = self.chosen.get();
        self.product.with(|product| product.variants.get(chosen).map(|variant| read(product, variant)))
    }

    fn variant_untracked(self) -> Option<Variant> {
        let chosen = self.chosen.get_untracked();
        self.product.with_untracked(|product| product.variants.get(chosen).cloned())
    }

    /// What can be bought of the chosen variant.
    fn available(self) -> i64 {
        self.with(|_, variant| variant.available).unwrap_or(0)
    }
}

/// Sets price and stock of the variants as they are now; one that is not told of any more cannot be bought.
fn take_over(product: &mut Product, states: &[VariantState]) {
    for variant in &mut product.variants {
        match states.iter().find(|state| state.id == variant.id) {
            Some(state) => {
                variant.price = state.price;
                variant.compare_at = state.compare_at;
                variant.available = state.available;
            }
            None => variant.available = 0,
        }
    }
}

/// Puts the picture of a variant first, so that it is seen at once, without script too.
fn picture_first(product: &mut Product, first: usize) {
    if first == 0 || first >= product.images.len() {
        return;
    }
    let image = product.images.remove(first);
    product.images.insert(0, image);
    for variant in &mut product.variants {
        variant.image = variant.image.map(|i| match i {
            i if i == first => 0,
            i if i < first => i + 1,
            i => i,
        });
    }
}

#[component]
fn ProductView(
    product: Product,
    related: Resource<Vec<ProductCard>>,
    liked: Resource<bool>,
    reviews: Asked,
    booking: AskedBooking,
    facts: Facts,
) -> impl IntoView {
    let mut product = product;
    let wanted = use_query_map().with_untracked(|query| query.get("v"));
    let variant =
        product.variants.iter().find(|variant| Some(&variant.id) == wanted.as_ref()).or(product.default_variant());
    if let Some(first) = variant.and_then(|variant| variant.image) {
        picture_first(&mut product, first);
    }
    let links = product.breadcrumbs.iter().map(|(handle, title)| (category_href(handle), title.clone())).collect();
    let data = structured::data(&product, use_currency(), &canonical(&product_href(&product.handle)), absolute);
    let head = head(&product);
    let html = without_lead(&product.description_html, &product.seo_description).to_owned();
    let (brand, images) = (product.brand.clone(), product.images.clone());
    let product_id = product.id.clone();
    let handle = product.handle.clone();
    let booked = product.kind.is_some().then(|| product.clone());
    let shown = Shown::new(product);
    let (way, bar) = match booked {
        Some(product) => {
            let way = view! {
                <div class="buy">
                    <BuyHead shown liked/>
                    <BookingBox product asked=booking/>
                </div>
            };
            (way.into_any(), ().into_any())
        }
        None => {
            let quantity = RwSignal::new(1);
            let adding = buy::Adding::new(shown, quantity);
            let way = view! { <Buy shown quantity adding liked facts/> };
            (way.into_any(), view! { <BuyBar shown adding facts/> }.into_any())
        }
    };
    view! {
        {head}
        // A block of data, which the browser does not run; `structured` lets no end tag through.
        <script type="application/ld+json" inner_html=data></script>
        <Main class="page container">
            <Breadcrumbs links/>
            <article class="detail">
                <Gallery images shown/>
                {way}
            </article>
            <HeartForm product_id/>
            <Description html brand shown/>
            <Reviews handle reviews/>
            <Related related/>
            {bar}
        </Main>
    }
    .into_any()
}

/// Title and description for the window, for machines, and for those with whom the page is shared.
fn head(product: &Product) -> AnyView {
    let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
    let window = or(&product.seo_title, &product.title);
    let (path, title) = (product_href(&product.handle), product.title.clone());
    let description = or(&product.seo_description, &product.title);
    let image = product.images.first().map(|image| image.url.clone());
    view! {
        <Title text=window/>
        <Head path title description image kind="product"/>
    }
    .into_any()
}

/// Other products; left out when there are none.
#[component]
fn Related(related: Resource<Vec<ProductCard>>) -> impl IntoView {
    let l = use_locale();
    let section = move |products: Vec<ProductCard>| {
        (!products.is_empty()).then(|| {
            view! {
                <section class="section" aria-labelledby="related-title">
                    <div class="section-head"><h2 class="section-title" id="related-title">{l.t(t::RELATED)}</h2></div>
                    <ProductGrid products/>
                </section>
            }
        })
    };
    view! { <Suspense>{move || Suspend::new(async move { section(related.await) })}</Suspense> }.into_any()
}

#[component]
fn ProductSkeleton() -> impl IntoView {
    view! {
        <Main class="page container" loading=true>
            <span class="skeleton skeleton-text skeleton-short"></span>
            <article class="detail">
                <section class="gallery"><span class="skeleton skeleton-media"></span></section>
                <div class="buy">
                    <span class="skeleton skeleton-title"></span>
                    <span class="skeleton skeleton-text"></span>
                    <span class="skeleton skeleton-text skeleton-short"></span>
                    <span class="skeleton skeleton-block"></span>
                </div>
            </article>
        </Main>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{catalog::Image, money::Amount};

    fn product() -> Product {
        let variant = |id: &str, image| Variant {
            id: id.into(),
            sku: String::new(),
            barcode: String::new(),
            choices: vec![],
            price: Amount(100),
            compare_at: None,
            available: 5,
            grams: 0,
            image,
        };
        let image = |url: &str| Image { url: url.into(), alt: String::new(), width: 0, height: 0 };
        Product {
            id: "p".into(),
            handle: "p".into(),
            title: String::new(),
            brand: String::new(),
            description_html: String::new(),
            seo_title: String::new(),
            seo_description: String::new(),
            tags: vec![],
            options: vec![],
            variants: vec![variant("a", Some(0)), variant("b", Some(2)), variant("c", None)],
            images: vec![image("0"), image("1"), image("2"), image("3")],
            breadcrumbs: vec![],
            sales: 0,
            rating: Default::default(),
            kind: None,
        }
    }

    #[test]
    fn the_picture_of_the_chosen_variant_comes_first_and_all_keep_theirs() {
        let before = product();
        for first in 0..before.images.len() {
            let mut after = before.clone();
            picture_first(&mut after, first);
            assert_eq!(after.images[0], before.images[first]);
            for (a, b) in before.variants.iter().zip(&after.variants) {
                assert_eq!(a.image.map(|i| &before.images[i]), b.image.map(|i| &after.images[i]));
            }
        }
    }

    #[test]
    fn a_variant_that_is_withdrawn_cannot_be_bought() {
        let mut product = product();
        let state = VariantState { id: "a".into(), available: 2, price: Amount(90), compare_at: Some(Amount(100)) };
        take_over(&mut product, &[state]);
        assert_eq!((product.variants[0].price, product.variants[0].available), (Amount(90), 2));
        assert_eq!(product.variants[1].available, 0);
    }
}
