//! Where the code is typed that was sent to what the account is to be reached by.

use super::{Narrow, code::ResendForm};
use crate::{
    api::{
        self,
        target::{Confirm, Resend},
    },
    domain::{
        Error,
        account::{CODE_DIGITS, SentCode},
        error::Problem,
        texts::{account, target as t},
    },
    ui::{
        components::{
            field::{Field, described_by, invalid, problem_of},
            form::FormState,
            skeleton::SkeletonText,
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, html, prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

/// Where one begins, and the whole page of it.
const BEGIN: &str = "/me/security";

#[component]
pub fn TargetCodePage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let id = Memo::new(move |_| query.with(|query| query.get("id").unwrap_or_default()));
    let sent = Resource::new(move || id.get(), api::account::code);
    view! {
        <Narrow title=l.t(t::CODE_TITLE)>
            <Suspense fallback=|| view! { <div class="panel"><SkeletonText lines=4/></div> }>
                {move || Suspend::new(async move {
                    match sent.await {
                        Ok(sent) => view! { <CodeForm sent/> }.into_any(),
                        Err(Error::NotFound) => view! {
                            <div class="panel stack">
                                <p>{l.t(t::CODE_GONE)}</p>
                                <div class="form-actions"><a class="btn btn-primary" href=BEGIN>{l.t(t::AGAIN)}</a></div>
                            </div>
                        }
                        .into_any(),
                        Err(error) => view! { <ErrorNotice error reload=true/> }.into_any(),
                    }
                })}
            </Suspense>
            <p class="section-sm"><a class="link" href=BEGIN>{l.t(t::BACK)}</a></p>
        </Narrow>
    }
    .into_any()
}

#[component]
fn CodeForm(sent: SentCode) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<Confirm>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &["code"]);
    let wrong = problem_of(state.error.into(), "code");
    let form = NodeRef::<html::Form>::new();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(Confirm { id, code }) = Confirm::from_event(&event) else { return };
        let empty = code.trim().is_empty().then(|| Error::field("code", Problem::Required));
        // On success the answer leads back.
        state.send(empty, api::target::confirm(id, code), |()| {});
    };
    // The last digit sends the form.
    let typed = move |event: ev::Event| {
        let digits = event_target_value(&event).chars().filter(char::is_ascii_digit).count();
        if let Some(form) = form.get_untracked()
            && digits == CODE_DIGITS
        {
            let _ = form.request_submit();
        }
    };
    let again = ServerAction::<Resend>::new().value().get_untracked().and_then(Result::err);
    let id = sent.id.clone();
    view! {
        <form class="panel form" action=Confirm::url() method="post" novalidate node_ref=form on:submit=submit>
            {state.notice()}
            <p>{l.f(t::CODE_SENT, &[("to", &sent.masked)])}</p>
            {sent.in_outbox.then(|| view! { <p class="field-hint"><a class="link" href="/outbox" target="_blank">{l.t(account::TO_OUTBOX)}</a></p> })}
            <input type="hidden" name="id" value=sent.id.clone()/>
            <Field id="code" label=l.t(t::CODE) error=wrong>
                <input
                    class="input num code-input"
                    id="code"
                    name="code"
                    type="text"
                    inputmode="numeric"
                    autocomplete="one-time-code"
                    maxlength="12"
                    required
                    aria-invalid=invalid(wrong)
                    aria-describedby=described_by("code", false, wrong)
                    on:input=typed
                />
            </Field>
            <p class="field-hint">{l.t(t::REPLACES)}</p>
            <button class="btn btn-primary btn-lg btn-block" type="submit" aria-busy=state.busy()>{l.t(t::CONFIRM)}</button>
        </form>
        <ResendForm
            now=sent.now resend_at=sent.resend_at action=Resend::url() posted=again
            send=move |state: FormState| state.send(None, api::target::resend(id.clone()), |_| {})
        >
            <input type="hidden" name="id" value=sent.id/>
        </ResendForm>
    }
    .into_any()
}
