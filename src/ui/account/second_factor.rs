//! Two-step verification: turned on, its recovery codes, turned off.

use super::{Done, Narrow, SignInFirst};
use crate::{
    api::{
        self,
        second_factor::{Begin, Confirm, Keep, PAGE, Renew, TurnOff},
    },
    domain::{
        Error, Locale,
        error::{Check, Problem},
        page::local_path,
        second_factor::{Mine, On, SecondFactor, SetUp, Typed},
        texts::second as t,
    },
    ui::{
        components::{
            field::{FieldError, TextField, problem_of},
            form::FormState,
            icon::Icon,
            loaded::Loaded,
            second_factor::{RecoveryCodes, SecondFactorField, TellApp},
            shell::use_toasts,
            time::date,
        },
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

/// So few recovery codes are worth a word.
const FEW: i64 = 3;

/// How many recovery codes are left, in words.
fn left_text(l: Locale, left: i64) -> String {
    l.n(t::LEFT_ONE, t::LEFT, left)
}

/// On the page of security: where it stands, and the way to it.
#[component]
pub fn SecondFactorSection() -> impl IntoView {
    let l = use_locale();
    let mine = Resource::new(|| (), |()| api::second_factor::get());
    view! {
        <section class="panel section-sm stack" aria-labelledby="second-title">
            <div class="panel-head"><h2 class="panel-title" id="second-title">{l.t(t::TITLE)}</h2></div>
            <Loaded data=mine lines=2 inside=true let:mine>
                {match mine {
                    Some(Mine { second: SecondFactor::On(on), .. }) => {
                        let since = l.f(t::SECTION_ON, &[("date", &date(l, on.since))]);
                        view! { <p>{since}" "{left_text(l, on.left)}</p> }.into_any()
                    }
                    _ => view! { <p class="muted">{l.t(t::SECTION_OFF)}</p> }.into_any(),
                }}
            </Loaded>
            <div class="form-actions"><a class="btn btn-secondary" href=PAGE>{l.t(t::SEE_TO)}</a></div>
        </section>
    }
    .into_any()
}

#[component]
pub fn SecondFactorPage() -> impl IntoView {
    let l = use_locale();
    let mine = Resource::new(|| (), |()| api::second_factor::get());
    let again = Callback::new(move |()| mine.refetch());
    view! {
        <Narrow title=l.t(t::TITLE)>
            <Done said=&[("off", t::TURNED_OFF)]/>
            <Loaded data=mine lines=6 let:mine>
                {match mine {
                    Some(Mine { second, has_password, proved }) => match second {
                        SecondFactor::Off => view! { <TurnOn has_password proved again/> }.into_any(),
                        SecondFactor::SettingUp(set_up) => view! { <Connect set_up again/> }.into_any(),
                        SecondFactor::On(on) if !on.codes.is_empty() => view! { <NewCodes codes=on.codes again/> }.into_any(),
                        SecondFactor::On(on) => view! { <IsOn on again/> }.into_any(),
                    },
                    None => view! { <SignInFirst to=PAGE text=l.t(t::SIGN_IN_FIRST)/> }.into_any(),
                }}
            </Loaded>
            <p class="section-sm no-print"><a class="link" href="/me/security">{l.t(t::BACK)}</a></p>
        </Narrow>
    }
    .into_any()
}

/// What it is, and the way to begin.
#[component]
fn TurnOn(has_password: bool, proved: bool, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<Begin>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &["password"]);
    let error = problem_of(state.error.into(), "password");
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(Begin { password }) = Begin::from_event(&event) else { return };
        let empty = has_password && !proved && password.is_empty();
        let wrong = empty.then(|| Error::field("password", Problem::Required));
        state.send(wrong, api::second_factor::begin(password), move |()| again.run(()));
    };
    let way = if !has_password && !proved {
        view! {
            <p>{l.t(t::PROVE_FIRST)}</p>
            <div class="form-actions">
                <a class="btn btn-secondary" href="/sign-in?with=code&to=/me/security/second">{l.t(t::PROVE)}</a>
            </div>
        }
        .into_any()
    } else {
        let field = if proved {
            // The code that was proof enough may be too old by now.
            view! { <FieldError id="password" error/> }.into_any()
        } else {
            view! {
                <TextField
                    id="password" name="password" label=l.t(t::PASSWORD) error kind="password"
                    autocomplete="current-password"
                />
            }
            .into_any()
        };
        view! {
            <form class="form" action=Begin::url() method="post" novalidate on:submit=submit>
                {state.notice()}
                {field}
                <div class="form-actions">
                    <button class="btn btn-primary" type="submit" aria-busy=state.busy()>{l.t(t::BEGIN)}</button>
                </div>
            </form>
        }
        .into_any()
    };
    view! {
        <section class="panel stack" aria-labelledby="on-title">
            <h2 class="panel-title" id="on-title">{l.t(t::OFF_TITLE)}</h2>
            <p>{l.t(t::OFF_TEXT)}</p>
            {way}
        </section>
    }
    .into_any()
}

/// The secret for the app, and the code by which the app shows that it has it.
#[component]
fn Connect(set_up: SetUp, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<Confirm>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &["code"]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(Confirm { code }) = Confirm::from_event(&event) else { return };
        let wrong = Typed::read(&code).err().map(|problem| Error::field("code", problem));
        state.send(wrong, api::second_factor::confirm(code), move |()| again.run(()));
    };
    view! {
        <section class="panel stack" aria-labelledby="connect-title">
            <h2 class="panel-title" id="connect-title">{l.t(t::SET_UP_TITLE)}</h2>
            <TellApp set_up/>
            <form class="form" action=Confirm::url() method="post" novalidate on:submit=submit>
                {state.notice()}
                <p>{l.t(t::SET_UP_CODE)}</p>
                <SecondFactorField label=l.t(t::CODE) error=problem_of(state.error.into(), "code")/>
                <div class="form-actions">
                    <button class="btn btn-primary" type="submit" aria-busy=state.busy()>{l.t(t::CONFIRM)}</button>
                </div>
            </form>
        </section>
    }
    .into_any()
}

/// New recovery codes, until they are said to be kept.
#[component]
fn NewCodes(codes: Vec<String>, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<Keep>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &[]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        state.send(None, api::second_factor::keep(), move |()| again.run(()));
    };
    view! {
        <section class="panel stack" aria-labelledby="codes-title">
            <RecoveryCodes codes/>
            <form class="form no-print" action=Keep::url() method="post" on:submit=submit>
                {state.notice()}
                <div class="form-actions">
                    <button class="btn btn-primary" type="submit" aria-busy=state.busy()>{l.t(t::KEPT)}</button>
                </div>
            </form>
        </section>
    }
    .into_any()
}

/// What is there, and what can be changed about it behind one more step.
#[component]
fn IsOn(on: On, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let used = move || {
        query.with(|query| query.get("used")).map(|_| {
            let to = query.with(|query| query.get("to"));
            let to = to.as_deref().and_then(local_path).unwrap_or("/me").to_owned();
            view! {
                <div class="notice notice-info" role="status">
                    <Icon name="info"/>
                    <div class="notice-body">
                        <p>{l.n(t::USED_ONE, t::USED, on.left)}</p>
                        <div class="notice-actions"><a class="btn btn-secondary btn-sm" href=to>{l.t(t::GO_ON)}</a></div>
                    </div>
                </div>
            }
        })
    };
    let since = l.f(t::SECTION_ON, &[("date", &date(l, on.since))]);
    view! {
        {used}
        <section class="panel stack" aria-labelledby="on-title">
            <h2 class="panel-title" id="on-title">{l.t(t::ON_TITLE)}</h2>
            <p>{since}" "{l.t(t::ON_TEXT)}</p>
            <p role="status">{left_text(l, on.left)}" "{(on.left <= FEW).then(|| l.t(t::FEW_LEFT))}</p>
            <RenewCodes again/>
            <Off again/>
        </section>
    }
    .into_any()
}

/// The code by which somebody shows anew who this is. The password is not enough: that it may be known is why there is
/// a second factor.
#[component]
fn ProofField(id: &'static str, state: FormState) -> impl IntoView {
    let l = use_locale();
    view! {
        <TextField
            id name="code" label=l.t(t::CODE_OR_RECOVERY) error=problem_of(state.error.into(), "code")
            inputmode="numeric" autocomplete="one-time-code"
        />
    }
    .into_any()
}

/// What can be told of the code without asking.
fn check(code: &str) -> Option<Error> {
    let mut check = Check::default();
    check.take("code", Typed::read(code));
    check.finish().err()
}

#[component]
fn RenewCodes(again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<Renew>::new().value().get_untracked().and_then(Result::err);
    // What was wrong must be seen without opening anything.
    let open = posted.is_some();
    let state = FormState::new(posted, &["code"]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(Renew { code }) = Renew::from_event(&event) else { return };
        state.send(check(&code), api::second_factor::renew(code), move |()| again.run(()));
    };
    view! {
        <details open=open>
            <summary class="panel-title">{l.t(t::RENEW_TITLE)}</summary>
            <form class="form" action=Renew::url() method="post" novalidate on:submit=submit>
                {state.notice()}
                <p>{l.t(t::RENEW_TEXT)}</p>
                <ProofField id="renew-code" state/>
                <div class="form-actions">
                    <button class="btn btn-secondary" type="submit" aria-busy=state.busy()>{l.t(t::RENEW)}</button>
                </div>
            </form>
        </details>
    }
    .into_any()
}

#[component]
fn Off(again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let posted = ServerAction::<TurnOff>::new().value().get_untracked().and_then(Result::err);
    let open = posted.is_some();
    let state = FormState::new(posted, &["code"]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(TurnOff { code }) = TurnOff::from_event(&event) else { return };
        state.send(check(&code), api::second_factor::turn_off(code), move |()| {
            toasts.show(l.t(t::TURNED_OFF));
            again.run(());
        });
    };
    view! {
        <details open=open>
            <summary class="panel-title">{l.t(t::OFF_AGAIN_TITLE)}</summary>
            <form class="form" action=TurnOff::url() method="post" novalidate on:submit=submit>
                {state.notice()}
                <p>{l.t(t::OFF_AGAIN_TEXT)}</p>
                <ProofField id="off-code" state/>
                <div class="form-actions">
                    <button class="btn btn-danger" type="submit" aria-busy=state.busy()>{l.t(t::TURN_OFF)}</button>
                </div>
            </form>
        </details>
    }
    .into_any()
}
