//! The parts of the client: each is one file that the browser loads when the first of its pages is opened.
//!
//! The first visit needs the frame and the start page only. What the main file and a part both use is in the main file;
//! the build tool finds that out. Only what is called inside a function marked `lazy` can leave the main file, so a
//! route makes nothing before its page's code is there, and each page asks for its data itself.

use super::{
    design::DesignPage,
    office::{frame::Frame, order, orders, sign_in::SignInPage, stock::StockPage},
    shop::{
        cart::CartPage,
        checkout::{CheckoutPage, ReviewPage},
        list::{CategoriesPage, CategoryPage, SearchPage},
        order::{OrderEditPage, OrderPage},
        orders::{FindOrderPage, MePage, OrdersPage},
        pay::PayPage,
        product::ProductPage,
    },
};
use leptos::prelude::*;

/// Names the routes of a part. A page is chosen by value inside the part: a function handed in from outside would keep
/// its code in the main file.
macro_rules! routes {
    ($(#[$doc:meta])* $part:ident, $preload:ident: $($page:ident),+) => {
        $(#[$doc])*
        pub mod $part {
            use leptos::prelude::*;
            use leptos_router::LazyRoute;

            #[derive(Clone, Copy)]
            #[repr(u8)]
            pub(super) enum Page { $($page),+ }

            $(
                pub struct $page;

                impl LazyRoute for $page {
                    fn data() -> Self {
                        Self
                    }

                    async fn view(_: Self) -> AnyView {
                        #[cfg(feature = "ssr")]
                        crate::server::http::document::preload(stringify!($part));
                        super::$part(Page::$page).await
                    }

                    async fn preload() {
                        #[cfg(feature = "hydrate")]
                        super::$preload().await;
                    }
                }
            )+
        }
    };
}

routes! {
    /// Finding goods.
    catalog, __preload_catalog: Categories, Category, Search, Product
}

#[lazy]
fn catalog(page: catalog::Page) -> AnyView {
    use catalog::Page;
    match page {
        Page::Categories => view! { <CategoriesPage/> }.into_any(),
        Page::Category => view! { <CategoryPage/> }.into_any(),
        Page::Search => view! { <SearchPage/> }.into_any(),
        Page::Product => view! { <ProductPage/> }.into_any(),
    }
}

routes! {
    /// From the cart to goods that have arrived.
    ordering, __preload_ordering: Cart, Checkout, Review, Pay, Orders, FindOrder, Order, OrderEdit, Me
}

#[lazy]
fn ordering(page: ordering::Page) -> AnyView {
    use ordering::Page;
    match page {
        Page::Cart => view! { <CartPage/> }.into_any(),
        Page::Checkout => view! { <CheckoutPage/> }.into_any(),
        Page::Review => view! { <ReviewPage/> }.into_any(),
        Page::Pay => view! { <PayPage/> }.into_any(),
        Page::Orders => view! { <OrdersPage/> }.into_any(),
        Page::FindOrder => view! { <FindOrderPage/> }.into_any(),
        Page::Order => view! { <OrderPage/> }.into_any(),
        Page::OrderEdit => view! { <OrderEditPage/> }.into_any(),
        Page::Me => view! { <MePage/> }.into_any(),
    }
}

routes! {
    /// For the shop's staff.
    office, __preload_office: Frame, SignIn, Orders, Order, Stock, Design
}

#[lazy]
fn office(page: office::Page) -> AnyView {
    use office::Page;
    match page {
        Page::Frame => view! { <Frame/> }.into_any(),
        Page::SignIn => view! { <SignInPage/> }.into_any(),
        Page::Orders => view! { <orders::OrdersPage/> }.into_any(),
        Page::Order => view! { <order::OrderPage/> }.into_any(),
        Page::Stock => view! { <StockPage/> }.into_any(),
        Page::Design => view! { <DesignPage/> }.into_any(),
    }
}
