//! Where a one-time code is typed.

use super::{Narrow, sign_in::ToField};
use crate::{
    api::{
        self,
        account::{Enter, ResendCode},
    },
    domain::{
        Error,
        account::{CODE_DIGITS, SentCode},
        catalog::percent_encode,
        error::{Check, Problem},
        texts::account as t,
    },
    ui::{
        components::{
            countdown::{clock_text, use_countdown},
            field::{Field, FieldError, described_by, invalid, problem_of},
            form::{FormState, load},
            skeleton::SkeletonText,
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, html, prelude::*, server_fn::ServerFn};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

#[component]
pub fn CodePage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let id = Memo::new(move |_| query.with(|query| query.get("id").unwrap_or_default()));
    let to = Memo::new(move |_| query.with(|query| query.get("to")));
    let sent = Resource::new(move || id.get(), api::account::code);
    let back = move || {
        let to = to.get().map(|to| format!("&to={}", percent_encode(&to))).unwrap_or_default();
        format!("/sign-in?with=code{to}")
    };
    view! {
        <Narrow title=l.t(t::CODE_TITLE)>
            <Suspense fallback=|| view! { <div class="panel"><SkeletonText lines=4/></div> }>
                {move || Suspend::new(async move {
                    match sent.await {
                        Ok(sent) => view! { <CodeForm sent to/> }.into_any(),
                        Err(Error::NotFound) => view! {
                            <div class="panel stack">
                                <p>{l.t(t::CODE_GONE)}</p>
                                <div class="form-actions"><a class="btn btn-primary" href=back>{l.t(t::NEW_CODE)}</a></div>
                            </div>
                        }
                        .into_any(),
                        Err(error) => view! { <ErrorNotice error reload=true/> }.into_any(),
                    }
                })}
            </Suspense>
            <p class="section-sm"><a class="link" href=back>{l.t(t::OTHER_TARGET)}</a></p>
        </Narrow>
    }
    .into_any()
}

#[component]
fn CodeForm(sent: SentCode, to: Memo<Option<String>>) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<Enter>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &["code", "agreed"]);
    let wrong = problem_of(state.error.into(), "code");
    let agreed = problem_of(state.error.into(), "agreed");
    let form = NodeRef::<html::Form>::new();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(Enter { id, code, agreed, to }) = Enter::from_event(&event) else { return };
        state.send(check(&code, agreed.is_some()), api::account::enter(id, code, agreed, to), |page| load(&page));
    };
    // The last digit sends the form, once the terms are agreed to.
    let typed = move |event: ev::Event| {
        let digits = event_target_value(&event).chars().filter(char::is_ascii_digit).count();
        if let Some(form) = form.get_untracked()
            && digits == CODE_DIGITS
            && form.check_validity()
        {
            let _ = form.request_submit();
        }
    };
    let notices = view! {
        {l.t(t::AGREE)}
        " "
        <a class="link" href="/terms" target="_blank">{l.t(t::TERMS)}</a>
        " "
        {l.t(t::AND)}
        " "
        <a class="link" href="/privacy" target="_blank">{l.t(t::PRIVACY)}</a>
    };
    view! {
        <form class="panel form" action=Enter::url() method="post" novalidate node_ref=form on:submit=submit>
            {state.notice()}
            <p>{l.f(t::CODE_SENT, &[("to", &sent.masked)])}</p>
            {sent.in_outbox.then(|| view! { <p class="field-hint"><a class="link" href="/outbox" target="_blank">{l.t(t::TO_OUTBOX)}</a></p> })}
            <input type="hidden" name="id" value=sent.id.clone()/>
            <ToField to/>
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
            <div class="field">
                <label class="check">
                    <input
                        type="checkbox" id="agreed" name="agreed" value="1" required
                        aria-invalid=invalid(agreed) aria-describedby=described_by("agreed", false, agreed)
                    />
                    <span>{notices}</span>
                </label>
                <FieldError id="agreed" error=agreed/>
            </div>
            <button class="btn btn-primary btn-lg btn-block" type="submit" aria-busy=state.busy()>{l.t(t::ENTER)}</button>
        </form>
        <Resend sent to/>
    }
    .into_any()
}

/// What can be told without asking.
fn check(code: &str, agreed: bool) -> Option<Error> {
    let mut check = Check::default();
    if code.trim().is_empty() {
        check.add("code", Problem::Required);
    }
    if !agreed {
        check.add("agreed", Problem::Consent);
    }
    check.finish().err()
}

/// Asks for another code to sign in with.
#[component]
fn Resend(sent: SentCode, to: Memo<Option<String>>) -> impl IntoView {
    let posted = ServerAction::<ResendCode>::new().value().get_untracked().and_then(Result::err);
    let navigate = use_navigate();
    let id = sent.id.clone();
    let send = move |state: FormState| {
        let (navigate, page) = (navigate.clone(), to.get_untracked());
        state.send(None, api::account::resend_code(id.clone(), page.clone()), move |sent: SentCode| {
            navigate(&sent.href(page.as_deref()), NavigateOptions { replace: true, ..NavigateOptions::default() });
        });
    };
    view! {
        <ResendForm now=sent.now resend_at=sent.resend_at action=ResendCode::url() posted send>
            <input type="hidden" name="id" value=sent.id/>
            <ToField to/>
        </ResendForm>
    }
    .into_any()
}

/// A form that asks for another code, from a minute after the last one on.
#[component]
pub(super) fn ResendForm<F>(
    /// UTC milliseconds when the page was made, and from which another one may be asked for.
    now: i64,
    resend_at: i64,
    /// Where it is posted without script.
    action: &'static str,
    /// What was wrong with it then.
    posted: Option<Error>,
    /// Sends it by script.
    send: F,
    /// What it says beside.
    children: Children,
) -> impl IntoView
where
    F: Fn(FormState) + 'static,
{
    let l = use_locale();
    let state = FormState::new(posted, &[]);
    let left = use_countdown(now, resend_at);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if left.get_untracked() <= 0 {
            send(state);
        }
    };
    // Without script nothing counts down, and the server tells who comes too early.
    let counts = RwSignal::new(false);
    Effect::new(move |_| counts.set(true));
    let waiting = move || counts.get() && left.get() > 0;
    let text = move || match waiting() {
        false => l.t(t::RESEND).to_owned(),
        true => l.f(t::RESEND_IN, &[("time", &clock_text(left.get()))]),
    };
    let waits = move || waiting().then_some("true");
    view! {
        <form class="section-sm stack" action=action method="post" on:submit=submit>
            {state.notice()}
            {children()}
            <div><button class="btn btn-secondary" type="submit" aria-disabled=waits aria-busy=state.busy()>{text}</button></div>
        </form>
    }
    .into_any()
}
