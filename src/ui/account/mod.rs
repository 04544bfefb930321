//! The pages of a person: signing in, and what belongs to an account.

mod address_edit;
mod addresses;
mod code;
mod consent;
mod devices;
mod favourites;
mod kept;
mod legal;
mod my_data;
mod notifications;
mod outbox;
mod passkeys;
mod password;
mod profile;
mod second_factor;
mod second_sign_in;
mod security;
mod shared;
mod sign_in;
mod target_code;
mod targets;
mod viewed;
mod waiting;

pub use address_edit::AddressEditPage;
pub use addresses::AddressesPage;
pub use code::CodePage;
pub use consent::ConsentPage;
pub use devices::SignOutButton;
pub use favourites::FavouritesPage;
pub use legal::{PrivacyPage, TermsPage};
pub use my_data::MyDataPage;
pub use notifications::NotificationsPage;
pub use outbox::OutboxPage;
pub use second_factor::SecondFactorPage;
pub use second_sign_in::SecondSignInPage;
pub use security::SecurityPage;
pub use shared::SharedPage;
pub use sign_in::SignInPage;
pub use target_code::TargetCodePage;
pub use viewed::ViewedPage;
pub use waiting::WaitingPage;

use crate::{
    domain::{catalog::percent_encode, locale::Text, texts::account as t},
    ui::{
        components::{icon::Icon, travel::Main},
        use_locale,
    },
};
use leptos::prelude::*;
use leptos_meta::{Meta, Title};
use leptos_router::hooks::use_query_map;

/// A narrow page with a heading, which search engines leave out; as wide as a form, unless `class` says otherwise.
#[component]
fn Narrow(
    #[prop(into)] title: String,
    #[prop(default = "page container container-form")] class: &'static str,
    children: Children,
) -> impl IntoView {
    view! {
        <Title text=title.clone()/>
        <Meta name="robots" content="noindex"/>
        <Main class>
            <div class="page-head"><h1 class="page-title">{title}</h1></div>
            {children()}
        </Main>
    }
    .into_any()
}

/// What a form came to, on the page after it: `said` has the words for the `done` of the address.
#[component]
fn Done(said: &'static [(&'static str, Text)]) -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    move || {
        let done = query.with(|query| query.get("done"))?;
        let (_, text) = said.iter().find(|(name, _)| *name == done)?;
        Some(view! {
            <div class="notice notice-success" role="status">
                <Icon name="success"/>
                <div class="notice-body"><p>{l.t(*text)}</p></div>
            </div>
        })
    }
}

/// The way to sign in, and back to this page.
#[component]
fn SignInFirst(to: &'static str, text: &'static str) -> impl IntoView {
    let href = format!("/sign-in?to={}", percent_encode(to));
    view! {
        <div class="panel stack">
            <p>{text}</p>
            <div class="form-actions"><a class="btn btn-primary" href=href>{use_locale().t(t::SIGN_IN_TITLE)}</a></div>
        </div>
    }
    .into_any()
}
