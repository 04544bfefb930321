//! One's own data: a copy of all of it, and the erasure of the account.

use super::{Done, Narrow};
use crate::{
    api::{
        self,
        privacy::{AskCopy, DeleteAccount, DiscardCopy, KeepAccount},
    },
    domain::{
        Error,
        error::Problem,
        privacy::{CopyState, DataCopy, Deletion, Overview, Proof},
        texts::privacy as t,
    },
    ui::{
        components::{
            field::{FieldError, TextField, problem_of},
            form::{FormState, load},
            icon::Icon,
            loaded::Loaded,
            shell::use_toasts,
            time::Time,
        },
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};
use std::time::Duration;

const SIGN_IN: &str = "/sign-in?to=/me/privacy";
const SIGN_IN_WITH_CODE: &str = "/sign-in?with=code&to=/me/privacy";
/// How often a copy that is being made is looked at.
const LOOK: Duration = Duration::from_secs(3);

#[component]
pub fn MyDataPage() -> impl IntoView {
    let l = use_locale();
    let overview = Resource::new(|| (), |()| api::privacy::overview());
    let again = Callback::new(move |()| overview.refetch());
    view! {
        <Narrow title=l.t(t::TITLE)>
            <Done said=&[("discarded", t::DISCARDED), ("deletion", t::DELETION_ASKED), ("kept", t::KEPT)]/>
            <Loaded data=overview lines=6 let:overview>
                {match overview {
                    Some(overview) => view! { <Both overview again/> }.into_any(),
                    None => view! { <SignInFirst/> }.into_any(),
                }}
            </Loaded>
            <div class="form-actions section-sm">
                <a class="btn btn-secondary" href="/privacy/shared">{l.t(t::SHARED_LINK)}</a>
                <a class="btn btn-secondary" href="/privacy">{l.t(t::NOTICE_LINK)}</a>
            </div>
        </Narrow>
    }
    .into_any()
}

#[component]
fn SignInFirst() -> impl IntoView {
    let l = use_locale();
    view! {
        <div class="panel stack">
            <p>{l.t(t::SIGN_IN_FIRST)}</p>
            <div class="form-actions">
                <a class="btn btn-primary" href=SIGN_IN>{l.t(crate::domain::texts::account::SIGN_IN_TITLE)}</a>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Both(overview: Overview, again: Callback<()>) -> impl IntoView {
    let Overview { copy, deletion, proof, fresh } = overview;
    let deletion = match deletion {
        Some(deletion) => view! { <Pending deletion again/> }.into_any(),
        None => view! { <Delete proof/> }.into_any(),
    };
    view! {
        <Export copy fresh again/>
        {deletion}
    }
    .into_any()
}

/// The copy: asked for, being made, ready.
#[component]
fn Export(copy: Option<DataCopy>, fresh: bool, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<AskCopy>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &[]);
    let ask = move |event: ev::SubmitEvent| {
        event.prevent_default();
        state.send(None, api::privacy::ask_copy(), move |_| again.run(()));
    };
    let ask_form = move |text| {
        view! {
            <form class="form-actions" action=AskCopy::url() method="post" on:submit=ask>
                <button class="btn btn-primary" type="submit" aria-busy=state.busy()>{l.t(text)}</button>
            </form>
        }
        .into_any()
    };
    let stands = match copy {
        None => view! { <p class="muted">{l.t(t::NOTHING)}</p>{ask_form(t::ASK)} }.into_any(),
        Some(DataCopy { state: CopyState::Failed, .. }) => view! {
            <p role="status">{l.t(t::FAILED)}</p>
            {ask_form(t::ASK_AGAIN)}
        }
        .into_any(),
        Some(copy) if copy.state.goes_on() => view! { <Waiting copy again/> }.into_any(),
        Some(copy) => view! { <Ready copy fresh again/> }.into_any(),
    };
    view! {
        <section class="panel section-sm stack" aria-labelledby="export-title">
            <div class="panel-head"><h2 class="panel-title" id="export-title">{l.t(t::EXPORT_TITLE)}</h2></div>
            <p class="muted">{l.t(t::EXPORT_TEXT)}</p>
            {state.notice()}
            {stands}
        </section>
    }
    .into_any()
}

/// A copy that will be another one by itself: with script the page looks again, without there is a link.
#[component]
fn Waiting(copy: DataCopy, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    Effect::new(move |_| {
        let looking = set_interval_with_handle(move || again.run(()), LOOK).ok();
        on_cleanup(move || {
            if let Some(looking) = looking {
                looking.clear();
            }
        });
    });
    let text = if copy.state == CopyState::Asked { t::ASKED } else { t::MAKING };
    view! {
        <p role="status">{l.t(text)}</p>
        <p class="muted small">{l.t(t::ASKED_AT)}<Time ms=copy.asked_at/></p>
        <div class="form-actions">
            <a class="btn btn-secondary" href=api::privacy::PAGE rel="external">
                <Icon name="refresh" class="icon-sm"/>{l.t(t::REFRESH)}
            </a>
        </div>
    }
    .into_any()
}

#[component]
fn Ready(copy: DataCopy, fresh: bool, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let DataCopy { id, bytes, expires_at, .. } = copy;
    let size = l.f(t::BYTES, &[("n", &((bytes.unwrap_or_default() + 1023) / 1024))]);
    let way = if fresh {
        let href = format!("/me/privacy/copy/{id}");
        view! {
            <a class="btn btn-primary" href=href rel="external">
                <Icon name="download" class="icon-sm"/>{l.t(t::DOWNLOAD)}
            </a>
        }
        .into_any()
    } else {
        view! { <a class="btn btn-primary" href=SIGN_IN>{l.t(t::SIGN_IN_AGAIN)}</a> }.into_any()
    };
    let posted = ServerAction::<DiscardCopy>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &[]);
    let sent = id.clone();
    let discard = move |event: ev::SubmitEvent| {
        event.prevent_default();
        state.send(None, api::privacy::discard_copy(sent.clone()), move |()| {
            toasts.show(l.t(t::DISCARDED));
            again.run(());
        });
    };
    view! {
        <p role="status"><strong>{l.f(t::READY, &[("size", &size)])}</strong></p>
        {expires_at.map(|ms| view! { <p class="muted small">{l.t(t::EXPIRES)}<Time ms/></p> })}
        {(!fresh).then(|| view! { <p>{l.t(t::SIGN_IN_TO_DOWNLOAD)}</p> })}
        {state.notice()}
        <div class="form-actions">
            {way}
            <form action=DiscardCopy::url() method="post" on:submit=discard>
                <input type="hidden" name="id" value=id/>
                <button class="btn btn-secondary" type="submit" aria-busy=state.busy()>{l.t(t::DISCARD)}</button>
            </form>
        </div>
    }
    .into_any()
}

/// What erasing the account means, and the way to it behind one more step.
#[component]
fn Delete(proof: Proof) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<DeleteAccount>::new().value().get_untracked().and_then(Result::err);
    // What was wrong must be seen without opening anything.
    let open = posted.is_some();
    let state = FormState::new(posted, &["password"]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(DeleteAccount { password }) = DeleteAccount::from_event(&event) else { return };
        let empty = proof == Proof::Password && password.is_empty();
        let wrong = empty.then(|| Error::field("password", Problem::Required));
        state.send(wrong, api::privacy::delete_account(password), |page| load(&page));
    };
    let ways = match proof {
        Proof::Code => view! {
            <p>{l.t(t::DELETE_PROOF)}</p>
            <div class="form-actions">
                <a class="btn btn-secondary" href=SIGN_IN_WITH_CODE>{l.t(t::SIGN_IN_AGAIN)}</a>
            </div>
        }
        .into_any(),
        Proof::Given | Proof::Password => {
            let error = problem_of(state.error.into(), "password");
            let field = if proof == Proof::Password {
                view! {
                    <TextField
                        id="password" name="password" label=l.t(t::DELETE_PASSWORD) error kind="password"
                        autocomplete="current-password"
                    />
                }
                .into_any()
            } else {
                // The code that was proof enough may be too old by now.
                view! { <FieldError id="password" error/> }.into_any()
            };
            view! {
                <form class="form" action=DeleteAccount::url() method="post" novalidate on:submit=submit>
                    {state.notice()}
                    {field}
                    <div class="form-actions">
                        <button class="btn btn-danger" type="submit" aria-busy=state.busy()>{l.t(t::DELETE_SUBMIT)}</button>
                    </div>
                </form>
            }
            .into_any()
        }
    };
    view! {
        <section class="panel section-sm stack" aria-labelledby="delete-title">
            <div class="panel-head"><h2 class="panel-title" id="delete-title">{l.t(t::DELETE_TITLE)}</h2></div>
            <p>{l.t(t::DELETE_TEXT)}</p>
            <p>{l.t(t::DELETE_NOW)}</p>
            <p class="muted small">{l.t(t::DELETE_NEVER_MIND)}</p>
            <details open=open>
                <summary class="panel-title">{l.t(t::DELETE_OPEN)}</summary>
                <div class="stack">{ways}</div>
            </details>
        </section>
    }
    .into_any()
}

/// An account that is to be erased, and the way back.
#[component]
fn Pending(deletion: Deletion, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let posted = ServerAction::<KeepAccount>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &[]);
    let keep = move |event: ev::SubmitEvent| {
        event.prevent_default();
        state.send(None, api::privacy::keep_account(), move |()| {
            toasts.show(l.t(t::KEPT));
            again.run(());
        });
    };
    view! {
        <section class="panel section-sm stack" aria-labelledby="delete-title">
            <div class="panel-head"><h2 class="panel-title" id="delete-title">{l.t(t::PENDING_TITLE)}</h2></div>
            <p>{l.t(t::PENDING_TEXT)}</p>
            <p><strong>{l.t(t::PENDING_UNTIL)}<Time ms=deletion.erase_at/></strong></p>
            {state.notice()}
            <form class="form-actions" action=KeepAccount::url() method="post" on:submit=keep>
                <button class="btn btn-primary" type="submit" aria-busy=state.busy()>{l.t(t::KEEP)}</button>
            </form>
        </section>
    }
    .into_any()
}
