//! The terms and the privacy notice, in the version that people agree to.

use crate::{
    domain::{
        account::NOTICES,
        locale::Text,
        texts::{legal as t, privacy as my},
    },
    ui::{components::travel::Main, use_locale},
};
use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn TermsPage() -> impl IntoView {
    let sections = [
        (t::TERMS_ORDERS, t::TERMS_ORDERS_TEXT),
        (t::TERMS_PRICES, t::TERMS_PRICES_TEXT),
        (t::TERMS_CANCEL, t::TERMS_CANCEL_TEXT),
        (t::TERMS_ACCOUNT, t::TERMS_ACCOUNT_TEXT),
        (t::TERMS_DISPUTES, t::TERMS_DISPUTES_TEXT),
    ];
    view! { <Notice title=t::TERMS_TITLE version=NOTICES[0].1 sections=sections.to_vec() links=&[]/> }.into_any()
}

#[component]
pub fn PrivacyPage() -> impl IntoView {
    let sections = [
        (t::PRIVACY_WHAT, t::PRIVACY_WHAT_TEXT),
        (t::PRIVACY_WHY, t::PRIVACY_WHY_TEXT),
        (t::PRIVACY_SHARED, t::PRIVACY_SHARED_TEXT),
        (t::PRIVACY_SAFE, t::PRIVACY_SAFE_TEXT),
        (t::PRIVACY_LONG, t::PRIVACY_LONG_TEXT),
        (t::PRIVACY_COOKIES, t::PRIVACY_COOKIES_TEXT),
        (t::PRIVACY_RIGHTS, t::PRIVACY_RIGHTS_TEXT),
    ];
    const LINKS: &[(&str, Text)] = &[("/privacy/shared", my::SHARED_LINK), ("/me/privacy", my::TITLE)];
    view! { <Notice title=t::PRIVACY_TITLE version=NOTICES[1].1 sections=sections.to_vec() links=LINKS/> }.into_any()
}

#[component]
fn Notice(
    title: Text,
    version: &'static str,
    sections: Vec<(Text, Text)>,
    /// Where more is to be seen and done.
    links: &'static [(&'static str, Text)],
) -> impl IntoView {
    let l = use_locale();
    let section = move |(heading, text): (Text, Text)| {
        view! {
            <section class="stack-sm">
                <h2 class="panel-title">{l.t(heading)}</h2>
                <p class="pre-line">{l.t(text)}</p>
            </section>
        }
    };
    let link = move |(href, text): &'static (&'static str, Text)| {
        view! { <a class="btn btn-secondary" href=*href>{l.t(*text)}</a> }
    };
    view! {
        <Title text=l.t(title)/>
        <Main class="page container container-narrow">
            <div class="page-head">
                <h1 class="page-title">{l.t(title)}</h1>
                <p class="muted">{l.f(t::VERSION, &[("date", &version)])}</p>
            </div>
            <div class="panel stack">{sections.into_iter().map(section).collect_view()}</div>
            {(!links.is_empty()).then(|| view! { <div class="form-actions section-sm">{links.iter().map(link).collect_view()}</div> })}
        </Main>
    }
    .into_any()
}
