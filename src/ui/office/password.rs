//! The page where a member of staff sets a password: at the first sign-in in place of the operator's, or at will.

use super::{SIGN_IN, parts::SignInFirst};
use crate::{
    api::{self, office::SetPassword},
    domain::{
        account,
        error::{Check, Problem},
        office::OfficePassword,
        texts::{account as words, office as t, second, shell},
    },
    ui::{
        components::{
            field::{TextField, problem_of},
            form::{FormState, load},
            loaded::Loaded,
            shell::Languages,
            travel::Main,
        },
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};
use leptos_meta::{Meta, Title};
use leptos_router::hooks::use_query_map;

#[component]
pub fn PasswordPage() -> impl IntoView {
    let l = use_locale();
    let found = Resource::new(|| (), |()| api::office::own_password());
    view! {
        <Title text=l.t(t::OWN_PASSWORD)/>
        <Meta name="robots" content="noindex"/>
        <Main class="sign-in">
            <div class="stack-sm center">
                <p class="cluster">
                    <svg class="logo-mark" aria-hidden="true"><use href="/icons.svg#logo"></use></svg>
                    <span class="logo-text">{l.t(shell::NAME)}</span>
                </p>
                <h1 class="page-title">{l.t(t::OWN_PASSWORD)}</h1>
            </div>
            <Loaded data=found lines=4 let:found>
                {match found {
                    Some(own) => view! { <Form own/> }.into_any(),
                    None => view! { <SignInFirst/> }.into_any(),
                }}
            </Loaded>
            <div class="cluster">
                <a class="link link-quiet" href=SIGN_IN>{l.t(second::AGAIN)}</a>
                <Languages/>
            </div>
        </Main>
    }
    .into_any()
}

#[component]
fn Form(own: OfficePassword) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<SetPassword>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &["old", "new"]);
    let to = use_query_map().with_untracked(|query| query.get("to"));
    let OfficePassword { login, first } = own;
    let whose = l.f(t::OWN_PASSWORD_OF, &[("login", &login)]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(SetPassword { old, new, to }) = SetPassword::from_event(&event) else { return };
        let mut check = Check::default();
        if !first && old.is_empty() {
            check.add("old", Problem::Required);
        }
        check.take("new", account::password(&new, &[&login]));
        state.send(check.finish().err(), api::office::set_password(old, new, to), |page| load(&page));
    };
    let old = (!first).then(|| {
        view! {
            <TextField
                id="old" name="old" label=l.t(words::OLD_PASSWORD) error=problem_of(state.error.into(), "old")
                kind="password" autocomplete="current-password"
            />
        }
    });
    let hint = Signal::derive(move || l.t(words::PASSWORD_HINT).to_owned());
    view! {
        <form class="panel form" action=SetPassword::url() method="post" novalidate on:submit=submit>
            {state.notice()}
            <p class="muted">{whose}</p>
            <p>{l.t(if first { t::OWN_PASSWORD_FIRST } else { t::OWN_PASSWORD_TEXT })}</p>
            {to.map(|to| view! { <input type="hidden" name="to" value=to/> })}
            {old}
            <TextField
                id="new" name="new" label=l.t(words::NEW_PASSWORD) error=problem_of(state.error.into(), "new")
                kind="password" autocomplete="new-password" hint
            />
            <button class="btn btn-primary btn-lg btn-block" type="submit" aria-busy=state.busy()>{l.t(words::SET_PASSWORD)}</button>
        </form>
    }
    .into_any()
}
