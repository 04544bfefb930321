//! The parts of the client: each is one file that the browser loads when the first of its pages is opened.
//!
//! The first visit needs the frame and the start page only. What the main file and a part both use is in the main file;
//! the build tool finds that out. Only what is called inside a function marked `wasm_split` can leave the main file, so a
//! route makes nothing before its page's code is there, and each page asks for its data itself.

use super::{
    account::{
        AddressEditPage, AddressesPage, CodePage, FavouritesPage, MyDataPage, NotificationsPage, OutboxPage,
        PrivacyPage, SecondFactorPage, SecondSignInPage, SecurityPage, SharedPage, SignInPage as CustomerSignInPage,
        TermsPage, ViewedPage,
    },
    office::{frame::Frame, order, orders, second::SecondPage, sign_in::SignInPage, stock::StockPage},
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
use leptos::{
    prelude::*,
    wasm_split::{SplitLoaderError, wasm_split},
};

/// A page, or its part could not be loaded.
type Loaded = Result<AnyView, SplitLoaderError>;

/// Names the routes of a part. A page is chosen by value inside the part: a function handed in from outside would keep
/// its code in the main file.
macro_rules! routes {
    ($(#[$doc:meta])* $part:ident, $preload:ident: $($page:ident),+) => {
        $(#[$doc])*
        pub mod $part {
            use crate::{
                api::page,
                ui::{components::travel::use_travel, texts},
            };
            use leptos::prelude::*;
            use leptos_router::{LazyRoute, hooks::use_url};

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
                        page::preload(stringify!($part));
                        // Loaded before, or the page would not be shown.
                        super::$part(Page::$page).await.unwrap_or_else(|_| ().into_any())
                    }

                    async fn preload() {
                        let (url, travel) = (use_url().get_untracked(), use_travel());
                        let texts = texts::load();
                        let load = async { super::$preload().await.is_ok() && texts.await.is_ok() };
                        if !travel.opening(load).await {
                            // The shop was brought up to date meanwhile, or the network is gone.
                            travel.by_the_server(&url).await;
                        }
                    }
                }
            )+
        }
    };
}

routes! {
    /// Finding goods.
    catalog, preload_catalog: Categories, Category, Search, Product
}

#[wasm_split(catalog, wasm_split_path = ::leptos::wasm_split, preload(preload_catalog), fallible)]
fn catalog(page: catalog::Page) -> Loaded {
    use catalog::Page;
    Ok(match page {
        Page::Categories => view! { <CategoriesPage/> }.into_any(),
        Page::Category => view! { <CategoryPage/> }.into_any(),
        Page::Search => view! { <SearchPage/> }.into_any(),
        Page::Product => view! { <ProductPage/> }.into_any(),
    })
}

routes! {
    /// From the cart to goods that have arrived.
    ordering, preload_ordering: Cart, Checkout, Review, Pay, Orders, FindOrder, Order, OrderEdit, Me
}

#[wasm_split(ordering, wasm_split_path = ::leptos::wasm_split, preload(preload_ordering), fallible)]
fn ordering(page: ordering::Page) -> Loaded {
    use ordering::Page;
    Ok(match page {
        Page::Cart => view! { <CartPage/> }.into_any(),
        Page::Checkout => view! { <CheckoutPage/> }.into_any(),
        Page::Review => view! { <ReviewPage/> }.into_any(),
        Page::Pay => view! { <PayPage/> }.into_any(),
        Page::Orders => view! { <OrdersPage/> }.into_any(),
        Page::FindOrder => view! { <FindOrderPage/> }.into_any(),
        Page::Order => view! { <OrderPage/> }.into_any(),
        Page::OrderEdit => view! { <OrderEditPage/> }.into_any(),
        Page::Me => view! { <MePage/> }.into_any(),
    })
}

routes! {
    /// Signing in, and what belongs to an account.
    account, preload_account: SignIn, Code, Security, Outbox, Terms, Privacy, Addresses, AddressEdit, Favourites,
        Viewed, Notifications, MyData, Shared, SecondFactor, SecondSignIn
}

#[wasm_split(account, wasm_split_path = ::leptos::wasm_split, preload(preload_account), fallible)]
fn account(page: account::Page) -> Loaded {
    use account::Page;
    Ok(match page {
        Page::SignIn => view! { <CustomerSignInPage/> }.into_any(),
        Page::Code => view! { <CodePage/> }.into_any(),
        Page::Security => view! { <SecurityPage/> }.into_any(),
        Page::Outbox => view! { <OutboxPage/> }.into_any(),
        Page::Terms => view! { <TermsPage/> }.into_any(),
        Page::Privacy => view! { <PrivacyPage/> }.into_any(),
        Page::Addresses => view! { <AddressesPage/> }.into_any(),
        Page::AddressEdit => view! { <AddressEditPage/> }.into_any(),
        Page::Favourites => view! { <FavouritesPage/> }.into_any(),
        Page::Viewed => view! { <ViewedPage/> }.into_any(),
        Page::Notifications => view! { <NotificationsPage/> }.into_any(),
        Page::MyData => view! { <MyDataPage/> }.into_any(),
        Page::Shared => view! { <SharedPage/> }.into_any(),
        Page::SecondFactor => view! { <SecondFactorPage/> }.into_any(),
        Page::SecondSignIn => view! { <SecondSignInPage/> }.into_any(),
    })
}

routes! {
    /// For the shop's staff.
    office, preload_office: Frame, SignIn, Second, Orders, Order, Stock
}

#[wasm_split(office, wasm_split_path = ::leptos::wasm_split, preload(preload_office), fallible)]
fn office(page: office::Page) -> Loaded {
    use office::Page;
    Ok(match page {
        Page::Frame => view! { <Frame/> }.into_any(),
        Page::SignIn => view! { <SignInPage/> }.into_any(),
        Page::Second => view! { <SecondPage/> }.into_any(),
        Page::Orders => view! { <orders::OrdersPage/> }.into_any(),
        Page::Order => view! { <order::OrderPage/> }.into_any(),
        Page::Stock => view! { <StockPage/> }.into_any(),
    })
}
