//! The second factor of staff: set up and asked for at the door, and seen to from inside.

use super::SIGN_IN;
use crate::{
    api::{
        self,
        office::{BeginSecond, ConfirmSecond, Enter, KeepRecovery, RenewRecovery},
    },
    domain::{
        Error,
        second_factor::{OfStaff, On, SecondFactor, SetUp, Typed},
        texts::{office, second as t, shell},
    },
    ui::{
        components::{
            field::problem_of,
            form::{FormState, load},
            icon::Icon,
            loaded::Loaded,
            second_factor::{RecoveryCodes, SecondFactorField, TellApp},
            shell::Languages,
            travel::Main,
        },
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};
use leptos_meta::{Meta, Title};
use leptos_router::{NavigateOptions, components::Redirect, hooks::use_query_map};

#[component]
pub fn SecondPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let to = Memo::new(move |_| query.with(|query| query.get("to")));
    let found = Resource::new(|| (), |()| api::office::second_factor());
    let again = Callback::new(move |()| found.refetch());
    view! {
        <Title text=l.t(t::OFFICE_TITLE)/>
        <Meta name="robots" content="noindex"/>
        <Main class="sign-in">
            <div class="stack-sm center no-print">
                <p class="cluster">
                    <svg class="logo-mark" aria-hidden="true"><use href="/icons.svg#logo"></use></svg>
                    <span class="logo-text">{l.t(shell::NAME)}</span>
                </p>
                <h1 class="page-title">{l.t(t::OFFICE_TITLE)}</h1>
            </div>
            <Loaded data=found lines=4 let:found>
                {match found {
                    Some(OfStaff { login, inside, second }) => {
                        // Not beside recovery codes that are still to be copied.
                        let copying = matches!(&second, SecondFactor::On(on) if !on.codes.is_empty());
                        let part = match (second, inside) {
                            (SecondFactor::Off, _) => view! { <Begin login inside to again/> }.into_any(),
                            (SecondFactor::SettingUp(set_up), _) => view! { <Connect set_up to again/> }.into_any(),
                            (SecondFactor::On(_), false) => view! { <Ask login to/> }.into_any(),
                            (SecondFactor::On(on), true) => view! { <Inside on to again/> }.into_any(),
                        };
                        let password = (inside && !copying).then(|| {
                            view! { <a class="btn btn-quiet btn-block no-print" href=api::office::PASSWORD>{l.t(office::OWN_PASSWORD)}</a> }
                        });
                        view! { {part} {password} }.into_any()
                    }
                    None => {
                        let options = NavigateOptions { replace: true, ..NavigateOptions::default() };
                        view! { <Redirect path=SIGN_IN options/> }.into_any()
                    }
                }}
            </Loaded>
            <div class="cluster no-print">
                <a class="link link-quiet" href=SIGN_IN>{l.t(t::AGAIN)}</a>
                <Languages/>
            </div>
        </Main>
    }
    .into_any()
}

/// The page to go to after this, as part of a form.
#[component]
fn ToField(to: Memo<Option<String>>) -> impl IntoView {
    move || to.get().map(|to| view! { <input type="hidden" name="to" value=to/> })
}

/// What can be told of a code without asking.
fn wrong(code: &str) -> Option<Error> {
    Typed::read(code).err().map(|problem| Error::field("code", problem))
}

/// One who has none yet: outside of development there is no way past it.
#[component]
fn Begin(login: String, inside: bool, to: Memo<Option<String>>, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<BeginSecond>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &[]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        state.send(None, api::office::begin_second(to.get_untracked()), move |()| again.run(()));
    };
    let why = if inside {
        view! { <p>{l.t(t::SECTION_OFF)}</p> }.into_any()
    } else {
        view! {
            <p class="muted">{l.f(t::OFFICE_FOR, &[("login", &login)])}</p>
            <p>{l.t(t::OFFICE_REQUIRED)}</p>
        }
        .into_any()
    };
    view! {
        <form class="panel form" action=BeginSecond::url() method="post" on:submit=submit>
            {state.notice()}
            <ToField to/>
            {why}
            <p>{l.t(t::OFF_TEXT)}</p>
            <button class="btn btn-primary btn-lg btn-block" type="submit" aria-busy=state.busy()>{l.t(t::BEGIN)}</button>
        </form>
    }
    .into_any()
}

#[component]
fn Connect(set_up: SetUp, to: Memo<Option<String>>, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<ConfirmSecond>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &["code"]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(ConfirmSecond { code, to }) = ConfirmSecond::from_event(&event) else { return };
        state.send(wrong(&code), api::office::confirm_second(code, to), move |()| again.run(()));
    };
    view! {
        <section class="panel stack" aria-labelledby="connect-title">
            <h2 class="panel-title" id="connect-title">{l.t(t::SET_UP_TITLE)}</h2>
            <TellApp set_up/>
            <form class="form" action=ConfirmSecond::url() method="post" novalidate on:submit=submit>
                {state.notice()}
                <p>{l.t(t::SET_UP_CODE)}</p>
                <ToField to/>
                <SecondFactorField label=l.t(t::CODE) error=problem_of(state.error.into(), "code")/>
                <button class="btn btn-primary btn-block" type="submit" aria-busy=state.busy()>{l.t(t::CONFIRM)}</button>
            </form>
        </section>
    }
    .into_any()
}

/// One at the door.
#[component]
fn Ask(login: String, to: Memo<Option<String>>) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<Enter>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &["code"]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(Enter { code, to }) = Enter::from_event(&event) else { return };
        state.send(wrong(&code), api::office::enter(code, to), |page| load(&page));
    };
    view! {
        <form class="panel form" action=Enter::url() method="post" novalidate on:submit=submit>
            {state.notice()}
            <p class="muted">{l.f(t::OFFICE_FOR, &[("login", &login)])}</p>
            <p>{l.t(t::SIGN_IN_TEXT)}</p>
            <ToField to/>
            <SecondFactorField label=l.t(t::CODE_OR_RECOVERY) error=problem_of(state.error.into(), "code")/>
            <button class="btn btn-primary btn-lg btn-block" type="submit" aria-busy=state.busy()>{l.t(t::SIGN_IN)}</button>
            <p class="field-hint">{l.t(t::SIGN_IN_HINT)}" "{l.t(t::OFFICE_LOST)}</p>
        </form>
    }
    .into_any()
}

/// One in the office: new recovery codes, or what is left of them.
#[component]
fn Inside(on: On, to: Memo<Option<String>>, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    if on.codes.is_empty() {
        let used = move || {
            query.with(|query| query.get("used")).map(|_| {
                view! {
                    <div class="notice notice-info" role="status">
                        <Icon name="info"/>
                        <div class="notice-body"><p>{l.n(t::USED_ONE, t::USED, on.left)}</p></div>
                    </div>
                }
            })
        };
        let href = move || to.get().filter(|to| to.starts_with("/office")).unwrap_or_else(|| "/office".to_owned());
        return view! {
            {used}
            <section class="panel stack" aria-labelledby="on-title">
                <h2 class="panel-title" id="on-title">{l.t(t::ON_TITLE)}</h2>
                <p>{l.n(t::LEFT_ONE, t::LEFT, on.left)}</p>
                <a class="btn btn-primary btn-block" href=href>{l.t(t::TO_OFFICE)}</a>
                <NewCodes again/>
            </section>
        }
        .into_any();
    }
    let posted = ServerAction::<KeepRecovery>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &[]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        state.send(None, api::office::keep_recovery(to.get_untracked()), |page| load(&page));
    };
    view! {
        <section class="panel stack" aria-labelledby="codes-title">
            <RecoveryCodes codes=on.codes/>
            <form class="form no-print" action=KeepRecovery::url() method="post" on:submit=submit>
                {state.notice()}
                <ToField to/>
                <button class="btn btn-primary btn-block" type="submit" aria-busy=state.busy()>{l.t(t::KEPT)}</button>
            </form>
        </section>
    }
    .into_any()
}

#[component]
fn NewCodes(again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<RenewRecovery>::new().value().get_untracked().and_then(Result::err);
    // What was wrong must be seen without opening anything.
    let open = posted.is_some();
    let state = FormState::new(posted, &["code"]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(RenewRecovery { code }) = RenewRecovery::from_event(&event) else { return };
        state.send(wrong(&code), api::office::renew_recovery(code), move |()| again.run(()));
    };
    view! {
        <details open=open>
            <summary class="panel-title">{l.t(t::RENEW_TITLE)}</summary>
            <form class="form" action=RenewRecovery::url() method="post" novalidate on:submit=submit>
                {state.notice()}
                <p>{l.t(t::RENEW_TEXT)}</p>
                <SecondFactorField label=l.t(t::CODE_OR_RECOVERY) error=problem_of(state.error.into(), "code")/>
                <button class="btn btn-secondary btn-block" type="submit" aria-busy=state.busy()>{l.t(t::RENEW)}</button>
            </form>
        </details>
    }
    .into_any()
}
