//! The parts of the client: each is one file that the browser loads when the first of its pages is opened.
//!
//! The first visit needs the frame and the start page only. What the main file and a part both use is in the main file;
//! the build tool finds that out. Only what is called inside a function marked `wasm_split` can leave the main file, so a
//! route makes nothing before its page's code is there, and each page asks for its data itself.

use super::{
    account::{
        AddressEditPage, AddressesPage, CodePage, ConsentPage, FavouritesPage, MyDataPage, NotificationsPage,
        OutboxPage, PrivacyPage, SecondFactorPage, SecondSignInPage, SecurityPage, SharedPage,
        SignInPage as CustomerSignInPage, TargetCodePage, TermsPage, ViewedPage, WaitingPage,
    },
    components::{shell::ShopShell, travel::use_travel},
    error::OfflinePage,
    office::{
        bookings::BookingsPage, frame::Frame, order, orders, password::PasswordPage, people::PeoplePage,
        reviews::ReviewsPage, second::SecondPage, sign_in::SignInPage, stay_nights::StayNightsPage,
        stays::StaysPage as OfficeStaysPage, stock::StockPage,
    },
    shop::{
        booking::{stays::StaysPage, tables::TablesPage, travellers::TravellersPage, trips::TripsPage},
        cart::CartPage,
        checkout::{CheckoutPage, ReviewPage},
        home::HomePage,
        list::{CategoriesPage, CategoryPage, SearchPage},
        order::{OrderEditPage, OrderPage},
        orders::{FindOrderPage, MePage, OrdersPage},
        pay::PayPage,
        product::ProductPage,
        review::WriteReviewPage,
    },
    texts,
};
use crate::api::page;
use leptos::{
    prelude::*,
    wasm_split::{SplitLoaderError, wasm_split},
};
use leptos_router::{ChooseView, hooks::use_url};

/// A page, or its part could not be loaded.
type Loaded = Result<AnyView, SplitLoaderError>;

/// What a route shows. All routes are of this one type, so that the router is compiled once for it and not once for each
/// page. A page is chosen by value inside its part: a function handed in from outside would keep its code in the main
/// file.
#[derive(Clone, Copy)]
pub enum Page {
    Shell,
    Home,
    Offline,
    Catalog(Catalog),
    Ordering(Ordering),
    Account(Account),
    Office(Office),
}

impl ChooseView for Page {
    async fn choose(self) -> AnyView {
        // Loaded before, or the page would not be shown.
        let page = match self {
            Self::Shell => Ok(view! { <ShopShell/> }.into_any()),
            Self::Home => Ok(view! { <HomePage/> }.into_any()),
            Self::Offline => Ok(view! { <OfflinePage/> }.into_any()),
            Self::Catalog(page) => {
                page::preload("catalog");
                catalog(page).await
            }
            Self::Ordering(page) => {
                page::preload("ordering");
                ordering(page).await
            }
            Self::Account(page) => {
                page::preload("account");
                account(page).await
            }
            Self::Office(page) => {
                page::preload("office");
                office(page).await
            }
        };
        page.unwrap_or_else(|_| ().into_any())
    }

    async fn preload(&self) {
        if matches!(self, Self::Shell | Self::Home | Self::Offline) {
            return;
        }
        let (url, travel) = (use_url().get_untracked(), use_travel());
        let texts = texts::load();
        let part = async {
            match self {
                Self::Shell | Self::Home | Self::Offline => true,
                Self::Catalog(_) => preload_catalog().await.is_ok(),
                Self::Ordering(_) => preload_ordering().await.is_ok(),
                Self::Account(_) => preload_account().await.is_ok(),
                Self::Office(_) => preload_office().await.is_ok(),
            }
        };
        if !travel.opening(async { part.await && texts.await.is_ok() }).await {
            // The shop was brought up to date meanwhile, or the network is gone.
            travel.by_the_server(&url).await;
        }
    }
}

/// Finding goods.
#[derive(Clone, Copy)]
pub enum Catalog {
    Categories,
    Category,
    Search,
    Product,
    Stays,
    Tables,
    Trips,
}

#[wasm_split(catalog, wasm_split_path = ::leptos::wasm_split, preload(preload_catalog), fallible)]
fn catalog(page: Catalog) -> Loaded {
    Ok(match page {
        Catalog::Categories => view! { <CategoriesPage/> }.into_any(),
        Catalog::Category => view! { <CategoryPage/> }.into_any(),
        Catalog::Search => view! { <SearchPage/> }.into_any(),
        Catalog::Product => view! { <ProductPage/> }.into_any(),
        Catalog::Stays => view! { <StaysPage/> }.into_any(),
        Catalog::Tables => view! { <TablesPage/> }.into_any(),
        Catalog::Trips => view! { <TripsPage/> }.into_any(),
    })
}

/// From the cart to goods that have arrived.
#[derive(Clone, Copy)]
pub enum Ordering {
    Cart,
    Checkout,
    Review,
    Pay,
    Orders,
    FindOrder,
    Order,
    OrderEdit,
    WriteReview,
    Travellers,
    Me,
}

#[wasm_split(ordering, wasm_split_path = ::leptos::wasm_split, preload(preload_ordering), fallible)]
fn ordering(page: Ordering) -> Loaded {
    Ok(match page {
        Ordering::Cart => view! { <CartPage/> }.into_any(),
        Ordering::Checkout => view! { <CheckoutPage/> }.into_any(),
        Ordering::Review => view! { <ReviewPage/> }.into_any(),
        Ordering::Pay => view! { <PayPage/> }.into_any(),
        Ordering::Orders => view! { <OrdersPage/> }.into_any(),
        Ordering::FindOrder => view! { <FindOrderPage/> }.into_any(),
        Ordering::Order => view! { <OrderPage/> }.into_any(),
        Ordering::OrderEdit => view! { <OrderEditPage/> }.into_any(),
        Ordering::WriteReview => view! { <WriteReviewPage/> }.into_any(),
        Ordering::Travellers => view! { <TravellersPage/> }.into_any(),
        Ordering::Me => view! { <MePage/> }.into_any(),
    })
}

/// Signing in, and what belongs to an account.
#[derive(Clone, Copy)]
pub enum Account {
    SignIn,
    Code,
    Security,
    Outbox,
    Terms,
    Privacy,
    Addresses,
    AddressEdit,
    Favourites,
    Viewed,
    Notifications,
    MyData,
    Shared,
    SecondFactor,
    SecondSignIn,
    Consent,
    TargetCode,
    Waiting,
}

#[wasm_split(account, wasm_split_path = ::leptos::wasm_split, preload(preload_account), fallible)]
fn account(page: Account) -> Loaded {
    Ok(match page {
        Account::SignIn => view! { <CustomerSignInPage/> }.into_any(),
        Account::Code => view! { <CodePage/> }.into_any(),
        Account::Security => view! { <SecurityPage/> }.into_any(),
        Account::Outbox => view! { <OutboxPage/> }.into_any(),
        Account::Terms => view! { <TermsPage/> }.into_any(),
        Account::Privacy => view! { <PrivacyPage/> }.into_any(),
        Account::Addresses => view! { <AddressesPage/> }.into_any(),
        Account::AddressEdit => view! { <AddressEditPage/> }.into_any(),
        Account::Favourites => view! { <FavouritesPage/> }.into_any(),
        Account::Viewed => view! { <ViewedPage/> }.into_any(),
        Account::Notifications => view! { <NotificationsPage/> }.into_any(),
        Account::MyData => view! { <MyDataPage/> }.into_any(),
        Account::Shared => view! { <SharedPage/> }.into_any(),
        Account::SecondFactor => view! { <SecondFactorPage/> }.into_any(),
        Account::SecondSignIn => view! { <SecondSignInPage/> }.into_any(),
        Account::Consent => view! { <ConsentPage/> }.into_any(),
        Account::TargetCode => view! { <TargetCodePage/> }.into_any(),
        Account::Waiting => view! { <WaitingPage/> }.into_any(),
    })
}

/// For the shop's staff.
#[derive(Clone, Copy)]
pub enum Office {
    Frame,
    SignIn,
    Second,
    Password,
    Orders,
    Order,
    Stock,
    Bookings,
    People,
    Reviews,
    Stays,
    StayNights,
}

#[wasm_split(office, wasm_split_path = ::leptos::wasm_split, preload(preload_office), fallible)]
fn office(page: Office) -> Loaded {
    Ok(match page {
        Office::Frame => view! { <Frame/> }.into_any(),
        Office::SignIn => view! { <SignInPage/> }.into_any(),
        Office::Second => view! { <SecondPage/> }.into_any(),
        Office::Password => view! { <PasswordPage/> }.into_any(),
        Office::Orders => view! { <orders::OrdersPage/> }.into_any(),
        Office::Order => view! { <order::OrderPage/> }.into_any(),
        Office::Stock => view! { <StockPage/> }.into_any(),
        Office::Bookings => view! { <BookingsPage/> }.into_any(),
        Office::People => view! { <PeoplePage/> }.into_any(),
        Office::Reviews => view! { <ReviewsPage/> }.into_any(),
        Office::Stays => view! { <OfficeStaysPage/> }.into_any(),
        Office::StayNights => view! { <StayNightsPage/> }.into_any(),
    })
}
