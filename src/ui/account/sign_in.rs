//! Signing in: with a code that is sent, which also makes an account, with a password, or with a passkey.

use super::{Narrow, passkeys::ByPasskey};
use crate::{
    api::{
        self,
        account::{SendCode, SignIn},
        page::typed,
    },
    domain::{
        Error,
        account::Target,
        catalog::percent_encode,
        error::{Check, Problem},
        texts::account as t,
    },
    ui::{
        components::{
            field::{TextField, problem_of},
            form::{FormState, load},
        },
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

#[component]
pub fn SignInPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let by_password = Memo::new(move |_| query.with(|query| query.get_str("with") == Some("password")));
    let to = Memo::new(move |_| query.with(|query| query.get("to")));
    let tab = move |password: bool, text| {
        let href = move || {
            let way = if password { "?with=password" } else { "?with=code" };
            format!("/sign-in{way}{}", to.get().map(|to| format!("&to={}", percent_encode(&to))).unwrap_or_default())
        };
        let present = move || (by_password.get() == password).then_some("page");
        view! { <a class="tab" href=href aria-current=present>{l.t(text)}</a> }
    };
    view! {
        <Narrow title=l.t(t::SIGN_IN_TITLE)>
            <nav class="tabs" aria-label=l.t(t::WAYS)>{tab(false, t::WITH_CODE)} {tab(true, t::WITH_PASSWORD)}</nav>
            {move || if by_password.get() { view! { <ByPassword to/> }.into_any() } else { view! { <ByCode to/> }.into_any() }}
            <ByPasskey to/>
        </Narrow>
    }
    .into_any()
}

/// The page to go to after signing in, as part of a form.
#[component]
pub(super) fn ToField(to: Memo<Option<String>>) -> impl IntoView {
    move || to.get().map(|to| view! { <input type="hidden" name="to" value=to/> })
}

#[component]
fn ByCode(to: Memo<Option<String>>) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<SendCode>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &["target"]);
    let navigate = use_navigate();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(SendCode { target, to }) = SendCode::from_event(&event) else { return };
        let wrong = Target::read("+86", &target).err().map(|problem| Error::field("target", problem));
        let navigate = navigate.clone();
        let page = to.clone();
        state.send(wrong, api::account::send_code(target, to), move |sent| {
            navigate(&sent.href(page.as_deref()), NavigateOptions::default());
        });
    };
    view! {
        <form class="panel form section-sm" action=SendCode::url() method="post" novalidate on:submit=submit>
            {state.notice()}
            <ToField to/>
            <TextField
                id="target" name="target" label=l.t(t::TARGET) value=typed("target") error=problem_of(state.error.into(), "target")
                autocomplete="username webauthn" hint=Signal::stored(l.t(t::TARGET_HINT).to_owned())
            />
            <button class="btn btn-primary btn-lg btn-block" type="submit" aria-busy=state.busy()>{l.t(t::SEND_CODE)}</button>
            <p class="field-hint">{l.t(t::CODE_MAKES_ACCOUNT)}</p>
        </form>
    }
    .into_any()
}

#[component]
fn ByPassword(to: Memo<Option<String>>) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<SignIn>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &["name", "password"]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(SignIn { name, password, to }) = SignIn::from_event(&event) else { return };
        let mut check = Check::default();
        for (field, typed) in [("name", name.trim()), ("password", &*password)] {
            if typed.is_empty() {
                check.add(field, Problem::Required);
            }
        }
        state.send(check.finish().err(), api::account::sign_in(name, password, to), |page| load(&page));
    };
    let forgotten = move || {
        let after = to.get().unwrap_or_else(|| "/me/security".to_owned());
        format!("/sign-in?with=code&to={}", percent_encode(&after))
    };
    view! {
        <form class="panel form section-sm" action=SignIn::url() method="post" novalidate on:submit=submit>
            {state.notice()}
            <ToField to/>
            <TextField
                id="name" name="name" label=l.t(t::NAME_OR_TARGET) value=typed("name")
                error=problem_of(state.error.into(), "name") autocomplete="username webauthn"
            />
            <TextField
                id="password" name="password" label=l.t(t::PASSWORD) error=problem_of(state.error.into(), "password")
                kind="password" autocomplete="current-password"
            />
            <button class="btn btn-primary btn-lg btn-block" type="submit" aria-busy=state.busy()>{l.t(t::SIGN_IN)}</button>
            <p class="field-hint"><a class="link" href=forgotten>{l.t(t::FORGOTTEN)}</a>" "{l.t(t::FORGOTTEN_HINT)}</p>
        </form>
    }
    .into_any()
}
