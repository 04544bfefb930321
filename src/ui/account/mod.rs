//! The pages of a person: signing in, and what belongs to an account.

mod code;
mod devices;
mod legal;
mod outbox;
mod password;
mod profile;
mod security;
mod sign_in;

pub use code::CodePage;
pub use devices::SignOutButton;
pub use legal::{PrivacyPage, TermsPage};
pub use outbox::OutboxPage;
pub use security::SecurityPage;
pub use sign_in::SignInPage;

use crate::ui::components::travel::Main;
use leptos::prelude::*;
use leptos_meta::{Meta, Title};

/// A narrow page with a heading, which search engines leave out.
#[component]
fn Narrow(#[prop(into)] title: String, children: Children) -> impl IntoView {
    view! {
        <Title text=title.clone()/>
        <Meta name="robots" content="noindex"/>
        <Main class="page container container-form">
            <div class="page-head"><h1 class="page-title">{title}</h1></div>
            {children()}
        </Main>
    }
    .into_any()
}
