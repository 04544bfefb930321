//! Where a sign-in is completed with the second factor: a code, or a passkey of the account.

use super::{Narrow, passkeys::CompleteByPasskey, sign_in::ToField};
use crate::{
    api::{self, second_factor::Enter},
    domain::{Error, second_factor::Typed, texts::second as t},
    ui::{
        components::{
            field::problem_of,
            form::{FormState, load},
            loaded::Loaded,
            second_factor::SecondFactorField,
        },
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn SecondSignInPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let to = Memo::new(move |_| query.with(|query| query.get("to")));
    let awaited = Resource::new(|| (), |()| api::second_factor::is_awaited());
    view! {
        <Narrow title=l.t(t::SIGN_IN_TITLE)>
            <Loaded data=awaited lines=3 let:awaited>
                {if awaited {
                    view! { <SecondForm to/><CompleteByPasskey to/> }.into_any()
                } else {
                    view! {
                        <div class="panel stack">
                            <p>{l.t(t::OVER)}</p>
                            <div class="form-actions"><a class="btn btn-primary" href="/sign-in">{l.t(t::AGAIN)}</a></div>
                        </div>
                    }
                    .into_any()
                }}
            </Loaded>
            <p class="section-sm"><a class="link" href="/sign-in">{l.t(t::AGAIN)}</a></p>
        </Narrow>
    }
    .into_any()
}

#[component]
fn SecondForm(to: Memo<Option<String>>) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<Enter>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &["code"]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(Enter { code, to }) = Enter::from_event(&event) else { return };
        state.send(wrong(&code), api::second_factor::enter(code, to), |page| load(&page));
    };
    view! {
        <form class="panel form" action=Enter::url() method="post" novalidate on:submit=submit>
            {state.notice()}
            <p>{l.t(t::SIGN_IN_TEXT)}</p>
            <ToField to/>
            <SecondFactorField label=l.t(t::CODE_OR_RECOVERY) error=problem_of(state.error.into(), "code")/>
            <p class="field-hint">{l.t(t::SIGN_IN_HINT)}</p>
            <button class="btn btn-primary btn-lg btn-block" type="submit" aria-busy=state.busy()>{l.t(t::SIGN_IN)}</button>
        </form>
    }
    .into_any()
}

/// What can be told without asking.
fn wrong(code: &str) -> Option<Error> {
    Typed::read(code).err().map(|problem| Error::field("code", problem))
}
