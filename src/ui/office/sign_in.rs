//! The door of the office.

use crate::{
    api::{self, office::SignIn, page::typed},
    domain::{
        Error,
        error::{Check, Problem},
        texts::{office as t, shell},
    },
    ui::{
        components::{
            field::{TextField, focus, problem_of},
            icon::Icon,
            shell::Languages,
            travel::Main,
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_meta::{Meta, Title};
use leptos_router::hooks::use_query_map;

#[component]
pub fn SignInPage() -> impl IntoView {
    let l = use_locale();
    view! {
        <Title text=l.t(t::SIGN_IN_TITLE)/>
        <Meta name="robots" content="noindex"/>
        <Main class="sign-in">
            <div class="stack-sm center">
                <p class="cluster">
                    <svg class="logo-mark" aria-hidden="true"><use href="/icons.svg#logo"></use></svg>
                    <span class="logo-text">{l.t(shell::NAME)}</span>
                </p>
                <h1 class="page-title">{l.t(t::SIGN_IN_TITLE)}</h1>
            </div>
            <Over/>
            <Form/>
            <div class="cluster">
                <a class="link link-quiet" href="/">{l.t(t::TO_SHOP)}</a>
                <Languages/>
            </div>
        </Main>
    }
    .into_any()
}

/// Why somebody who was in the office is here again.
#[component]
fn Over() -> impl IntoView {
    let l = use_locale();
    let over = Resource::new(|| (), |()| api::office::session_over());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                over.await.unwrap_or(false).then(|| {
                    view! {
                        <div class="notice notice-info" role="status">
                            <Icon name="clock"/>
                            <div class="notice-body"><p>{l.t(t::SESSION_OVER)}</p></div>
                        </div>
                    }
                })
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Form() -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<SignIn>::new().value().get_untracked().and_then(Result::err);
    let error = RwSignal::new(posted);
    let busy = RwSignal::new(false);
    let to = use_query_map().with_untracked(|query| query.get("to"));
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(SignIn { login, password, to }) = SignIn::from_event(&event) else { return };
        if busy.get_untracked() {
            return;
        }
        if let Some(wrong) = check(&login, &password) {
            error.set(Some(wrong));
            show(error);
            return;
        }
        // What was wrong with the last try says nothing about this one.
        error.set(None);
        busy.set(true);
        spawn_local(async move {
            // On success the server names the page to go to.
            let failed = api::office::sign_in(login, password, to).await.err();
            busy.try_set(false);
            if error.try_set(failed).is_none() {
                show(error);
            }
        });
    };
    // What is about a field is said there.
    let notice = move || {
        error.get().filter(|error| !matches!(error, Error::Invalid(_))).map(|error| view! { <ErrorNotice error/> })
    };
    view! {
        <form class="panel form" action=SignIn::url() method="post" novalidate on:submit=submit>
            {notice}
            {to.map(|to| view! { <input type="hidden" name="to" value=to/> })}
            <TextField
                id="login" name="login" label=l.t(t::LOGIN) value=typed("login")
                error=problem_of(error.into(), "login") autocomplete="username"
            />
            <TextField
                id="password"
                name="password"
                label=l.t(t::PASSWORD)
                error=problem_of(error.into(), "password")
                kind="password"
                autocomplete="current-password"
            />
            <button class="btn btn-primary btn-lg btn-block" type="submit" aria-busy=move || busy.get().then_some("true")>
                {l.t(t::SIGN_IN)}
            </button>
            <p class="field-hint">{l.t(t::SIGN_IN_HINT)}</p>
        </form>
    }
    .into_any()
}

/// What can be told without asking.
fn check(login: &str, password: &str) -> Option<Error> {
    let mut check = Check::default();
    if login.trim().is_empty() {
        check.add("login", Problem::Required);
    }
    if password.is_empty() {
        check.add("password", Problem::Required);
    }
    check.finish().err()
}

/// Moves the focus to the first wrong field, once it says what is wrong.
fn show(error: RwSignal<Option<Error>>) {
    let first = error.with_untracked(|error| {
        let error = error.as_ref()?;
        ["login", "password"].into_iter().find(|field| error.problem(field).is_some())
    });
    if let Some(field) = first {
        request_animation_frame(move || {
            focus(field);
        });
    }
}
