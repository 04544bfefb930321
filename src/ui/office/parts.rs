//! Small pieces that several pages of the office share.

use super::SIGN_IN;
use crate::{
    api::{self, page::now},
    domain::{Error, Locale, catalog::percent_encode, texts::office as t},
    ui::{
        components::{icon::Icon, typed::follow_text},
        error::{ErrorNotice, query},
        set_status, use_locale,
    },
};
use leptos::{ev, html, prelude::*};
use leptos_router::{NavigateOptions, components::Redirect, hooks::use_location};
use std::time::Duration;

/// Sends whoever is not signed in to do so.
#[component]
pub fn SignInFirst() -> impl IntoView {
    view! { <There page=SIGN_IN/> }.into_any()
}

/// Sends whoever has to set a password first to do so.
#[component]
pub fn PasswordFirst() -> impl IntoView {
    view! { <There page=api::office::PASSWORD/> }.into_any()
}

/// Leads to a page that comes back here.
#[component]
fn There(page: &'static str) -> impl IntoView {
    let options = NavigateOptions { replace: true, ..NavigateOptions::default() };
    let location = use_location();
    let here = format!("{}{}", location.pathname.get_untracked(), query(&location.search.get_untracked()));
    let path = format!("{page}?to={}", percent_encode(&here));
    view! { <Redirect path options/> }.into_any()
}

/// In place of data that could not be had. Sets the status of the answer.
#[component]
pub fn LoadFailed(error: Error) -> impl IntoView {
    let l = use_locale();
    match error {
        Error::Unauthenticated => view! { <SignInFirst/> }.into_any(),
        Error::PasswordFirst => view! { <PasswordFirst/> }.into_any(),
        Error::NotFound => {
            set_status(404);
            view! {
                <div class="empty">
                    <span class="empty-art"><Icon name="compass" class="icon-lg"/></span>
                    <h2 class="empty-title">{l.t(t::NOT_FOUND_TITLE)}</h2>
                    <p class="empty-text">{l.t(t::NOT_FOUND_TEXT)}</p>
                    <div class="empty-actions"><a class="btn btn-primary" href="/office">{l.t(t::TO_ORDERS)}</a></div>
                </div>
            }
            .into_any()
        }
        error => {
            set_status(error.status_code());
            view! { <ErrorNotice error reload=true/> }.into_any()
        }
    }
}

/// What went wrong with something that was asked for. Where the session has ended, another tab is offered to sign in
/// again, so that nothing typed here is lost.
#[component]
pub fn Failure(error: Error) -> impl IntoView {
    let l = use_locale();
    if error != Error::Unauthenticated {
        return view! { <ErrorNotice error/> }.into_any();
    }
    view! {
        <div class="notice notice-danger" role="alert">
            <Icon name="error"/>
            <div class="notice-body">
                <p class="notice-title">{l.t(t::SESSION_ENDED)}</p>
                <div class="notice-actions"><a class="btn btn-secondary btn-sm" href=SIGN_IN target="_blank">{l.t(t::SIGN_IN_AGAIN)}</a></div>
            </div>
        </div>
    }
    .into_any()
}

/// A search field. Without script its form asks for `action` with `q` and what `children` add.
#[component]
pub fn SearchForm(
    action: &'static str,
    /// What is looked for now.
    #[prop(into)]
    words: Signal<String>,
    placeholder: &'static str,
    label: &'static str,
    on_search: Callback<String>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    follow_text(field, words);
    let search = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if let Some(field) = field.get_untracked() {
            on_search.run(field.value().trim().to_owned());
        }
    };
    view! {
        <form class="search" role="search" aria-label=label action=action on:submit=search>
            <Icon name="search" class="icon-sm"/>
            {children.map(|children| children())}
            <input
                class="search-input"
                type="search"
                name="q"
                enterkeyhint="search"
                maxlength="100"
                placeholder=placeholder
                aria-label=label
                value=words.get_untracked()
                node_ref=field
            />
        </form>
    }
    .into_any()
}

/// A clock that began with `first` and goes on, half a minute at a time.
pub fn use_clock(first: i64) -> Signal<i64> {
    let shown = RwSignal::new(first);
    Effect::new(move |_| {
        let begun = now();
        let tick = move || {
            shown.try_set(first + now() - begun);
        };
        let ticking = set_interval_with_handle(tick, Duration::from_secs(30)).ok();
        on_cleanup(move || {
            if let Some(ticking) = ticking {
                ticking.clear();
            }
        });
    });
    shown.into()
}

/// How long ago something was, in words; takes milliseconds.
pub fn ago(l: Locale, ms: i64) -> String {
    let minutes = ms.max(0) / 60_000;
    match minutes {
        0 => l.t(t::AGO_NOW).to_owned(),
        1..60 => l.n(t::AGO_MINUTES_ONE, t::AGO_MINUTES, minutes),
        60..2880 => l.n(t::AGO_HOURS_ONE, t::AGO_HOURS, minutes / 60),
        _ => l.n(t::AGO_DAYS_ONE, t::AGO_DAYS, minutes / 1440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_the_largest_unit_that_says_enough() {
        let minute = 60_000;
        assert_eq!(ago(Locale::En, -5), "just now");
        assert_eq!(ago(Locale::En, minute), "1 minute ago");
        assert_eq!(ago(Locale::En, 59 * minute), "59 minutes ago");
        assert_eq!(ago(Locale::En, 60 * minute), "1 hour ago");
        assert_eq!(ago(Locale::En, 47 * 60 * minute), "47 hours ago");
        assert_eq!(ago(Locale::ZhCn, 48 * 60 * minute), "2 天前");
    }
}
