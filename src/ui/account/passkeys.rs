//! Passkeys: signing in with one, completing a sign-in with one, and those of the account. What the browser has to be
//! asked is the business of `public/passkey.js`: it finds the forms marked `data-passkey`, shows by an attribute of
//! `<html>` whether there are passkeys here at all, and says what went wrong in the line of [`Said`]. Names are changed
//! and passkeys are removed without it.

use super::sign_in::ToField;
use crate::{
    api::{
        self,
        passkey::{Remove, Rename},
    },
    domain::{
        Error,
        account::Profile,
        error::Problem,
        passkey::{self, NAME, Passkey},
        privacy::Proof,
        texts::passkey as t,
    },
    ui::{
        components::{
            field::{TextField, focus, invalid, problem_of},
            form::FormState,
            icon::Icon,
            loaded::Loaded,
            shell::use_toasts,
            time::Time,
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn, web_sys};

/// Where somebody shows anew who this is, and comes back from.
const PROVE: &str = "/sign-in?with=code&to=/me/security";

/// The script, which runs once however many pages ask for it; and the news of this page for a script that runs already.
#[component]
fn Script() -> impl IntoView {
    Effect::new(|_| {
        if let Ok(news) = web_sys::Event::new("passkeys") {
            // Only listeners that fail make this fail.
            let _ = window().dispatch_event(&news);
        }
    });
    view! { <script type="module" src="/passkey.js"></script> }
}

/// Where the script says what went wrong; the texts are its attributes.
#[component]
fn Said() -> impl IntoView {
    let l = use_locale();
    view! {
        <p
            class="field-error"
            role="alert"
            data-passkey-said=""
            data-cancelled=l.t(t::SAID_CANCELLED)
            data-late=l.t(t::SAID_LATE)
            data-known=l.t(t::SAID_KNOWN)
            data-unable=l.t(t::SAID_UNABLE)
            data-refused=l.t(t::SAID_REFUSED)
            data-full=l.t(t::SAID_FULL)
            data-required=l.t(t::SAID_REQUIRED)
            data-credentials=l.t(t::SAID_CREDENTIALS)
            data-proof=l.t(t::SAID_PROOF)
            data-sign-in=l.t(t::SAID_SIGN_IN)
            data-over=l.t(t::SAID_OVER)
            data-many=l.t(t::SAID_MANY)
            data-offline=l.t(t::SAID_OFFLINE)
            data-failed=l.t(t::SAID_FAILED)
        ></p>
    }
    .into_any()
}

/// The button to sign in with a passkey.
#[component]
pub fn ByPasskey(to: Memo<Option<String>>) -> impl IntoView {
    let l = use_locale();
    view! {
        <div class="if-passkeys section-sm">
            <form class="stack-sm" data-passkey="sign-in">
                <ToField to/>
                <button class="btn btn-secondary btn-lg btn-block" type="submit"><Icon name="lock"/>{l.t(t::SIGN_IN)}</button>
                <Said/>
            </form>
        </div>
        <Script/>
    }
    .into_any()
}

/// The button to complete a sign-in that waits with a passkey of its account, where it has one.
#[component]
pub fn CompleteByPasskey(to: Memo<Option<String>>) -> impl IntoView {
    let l = use_locale();
    let offered = Resource::new(|| (), |()| api::passkey::completes());
    view! {
        <Loaded data=offered lines=1 inside=true let:offered>
            {offered.then(|| view! {
                <div class="if-passkeys section-sm">
                    <form class="stack-sm" data-passkey="second">
                        <ToField to/>
                        <button class="btn btn-secondary btn-lg btn-block" type="submit"><Icon name="lock"/>{l.t(t::COMPLETE)}</button>
                        <Said/>
                    </form>
                </div>
            })}
        </Loaded>
        <Script/>
    }
    .into_any()
}

/// The passkeys of the account.
#[component]
pub fn Passkeys(profile: Profile) -> impl IntoView {
    let l = use_locale();
    let proof = match profile {
        Profile { proved: true, .. } => Proof::Given,
        Profile { has_password: true, .. } => Proof::Password,
        Profile { .. } => Proof::Code,
    };
    let keys = Resource::new(|| (), |()| api::passkey::list());
    let again = Callback::new(move |()| keys.refetch());
    // What was posted twice, or is gone by now, is no matter.
    let posted = [
        ServerAction::<Rename>::new().value().get_untracked().and_then(Result::err),
        ServerAction::<Remove>::new().value().get_untracked().and_then(Result::err),
    ];
    let posted = posted.into_iter().flatten().find(|error| *error != Error::NotFound);
    view! {
        <section class="panel section-sm" aria-labelledby="passkeys-title">
            <div class="panel-head"><h2 class="panel-title" id="passkeys-title">{l.t(t::TITLE)}</h2></div>
            <div class="stack-sm">
                <p class="muted">{l.t(t::TEXT)}</p>
                {posted.map(|error| view! { <Posted error/> })}
                <Loaded data=keys lines=2 inside=true let:found>
                    <List found proof again/>
                </Loaded>
                <Add proof/>
            </div>
            <Script/>
        </section>
    }
    .into_any()
}

/// What was wrong with a form that was posted without script: of which passkey it was is not known here.
#[component]
fn Posted(error: Error) -> impl IntoView {
    let l = use_locale();
    let text = match error.problem("password") {
        Some(Problem::Required) => t::SAID_REQUIRED,
        Some(Problem::Credentials) => t::SAID_CREDENTIALS,
        Some(_) => t::SAID_PROOF,
        None => return view! { <ErrorNotice error/> }.into_any(),
    };
    view! {
        <div class="notice notice-danger" role="alert">
            <Icon name="error"/>
            <div class="notice-body"><p class="notice-title">{l.t(text)}</p></div>
        </div>
    }
    .into_any()
}

#[component]
fn List(found: passkey::Passkeys, proof: Proof, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let passkey::Passkeys { keys, origin } = found;
    let elsewhere = match origin {
        Some(origin) => l.f(t::ELSEWHERE, &[("origin", &origin)]),
        None => l.t(t::NOWHERE).to_owned(),
    };
    let list = if keys.is_empty() {
        view! { <p>{l.t(t::EMPTY)}</p> }.into_any()
    } else {
        let rows = keys.into_iter().map(|key| view! { <Row key proof again/> }).collect_view();
        view! { <ul class="devices">{rows}</ul> }.into_any()
    };
    view! {
        {list}
        <p class="unless-passkeys muted small">{elsewhere}</p>
        <p class="only-no-script muted small">{l.t(t::NO_SCRIPT)}</p>
    }
    .into_any()
}

#[component]
fn Row(key: Passkey, proof: Proof, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let Passkey { id, name, created_at, last_used_at } = key;
    let used = match last_used_at {
        Some(ms) => view! { {l.t(t::USED_AT)} " " <Time ms/> }.into_any(),
        None => l.t(t::NEVER_USED).into_any(),
    };
    view! {
        <li class="device">
            <Icon name="lock"/>
            <div class="grow">
                <p><strong>{name.clone()}</strong></p>
                <p class="muted small">{l.t(t::ADDED_AT)} " " <Time ms=created_at/></p>
                <p class="muted small">{used}</p>
                <RenameForm id=id.clone() name=name.clone() again/>
                <RemoveForm id name proof again/>
            </div>
        </li>
    }
    .into_any()
}

/// The part of a label that is for those who do not see what it stands beside.
fn of(name: &str) -> impl IntoView + use<> {
    view! { <span class="visually-hidden">{format!(" {name}")}</span> }
}

#[component]
fn RenameForm(id: String, name: String, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let state = FormState::new(None, &["name"]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(Rename { id, name }) = Rename::from_event(&event) else { return };
        let wrong: Option<Problem> = passkey::name(&name).err();
        let wrong = wrong.map(|problem| Error::field("name", problem));
        state.send(wrong, api::passkey::rename(id, name), move |()| {
            toasts.show(l.t(t::RENAMED));
            again.run(());
        });
    };
    let error = problem_of(state.error.into(), "name");
    // Ids of their own for each row.
    let (field, line) = (format!("passkey-{id}"), format!("passkey-{id}-error"));
    let described = line.clone();
    let described_by = move || error.with(Option::is_some).then(|| described.clone());
    let said = move || error.get().map(|text| view! { <p class="field-error" id=line.clone()>{text}</p> });
    view! {
        <details>
            <summary class="ask">{l.t(t::RENAME)}{of(&name)}</summary>
            <form class="stack-sm" action=Rename::url() method="post" novalidate on:submit=submit>
                {state.notice()}
                <input type="hidden" name="id" value=id/>
                <div class="field">
                    <label class="field-label" for=field.clone()>{l.t(t::NAME)}</label>
                    <input
                        class="input" id=field name="name" type="text" value=name.clone() maxlength=NAME
                        autocomplete="off" aria-invalid=invalid(error) aria-describedby=described_by
                    />
                    {said}
                </div>
                <div><button class="btn btn-secondary btn-sm" type="submit" aria-busy=state.busy()>{l.t(t::SAVE)}{of(&name)}</button></div>
            </form>
        </details>
    }
    .into_any()
}

/// Removing one, which asks who is here: whoever finds the browser open must not shut its owner out.
#[component]
fn RemoveForm(id: String, name: String, proof: Proof, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let state = FormState::new(None, &["password"]);
    let problem = Signal::derive(move || state.error.with(|error| error.as_ref()?.problem("password")));
    // The proof that was fresh when the page was made may be too old by now.
    let way = Memo::new(move |before: Option<&Proof>| match problem.get() {
        Some(Problem::Proof) => Proof::Code,
        Some(_) => Proof::Password,
        None => before.copied().unwrap_or(proof),
    });
    let by_code = Memo::new(move |_| way.get() == Proof::Code);
    // An id of its own for each row.
    let place = format!("passkey-{id}-proof");
    let wanted = place.clone();
    Effect::new(move |before: Option<()>| {
        if problem.get().is_some() && before.is_some() {
            let place = wanted.clone();
            request_animation_frame(move || {
                focus(&place);
            });
        }
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(Remove { id, password }) = Remove::from_event(&event) else { return };
        let empty = way.get_untracked() == Proof::Password && password.is_empty();
        let wrong = empty.then(|| Error::field("password", Problem::Required));
        let gone = async move {
            match api::passkey::remove(id, password).await {
                // By another tab, a moment ago.
                Err(Error::NotFound) => Ok(()),
                other => other,
            }
        };
        state.send(wrong, gone, move |()| {
            toasts.show(l.t(t::REMOVED));
            again.run(());
        });
    };
    let summary = view! { <summary class="ask">{l.t(t::REMOVE)}{of(&name)}</summary> };
    let ways = move || {
        if by_code.get() {
            return view! {
                <div class="stack-sm">
                    <p class="muted small">{l.t(t::REMOVE_PROVE)}</p>
                    <div><a class="btn btn-secondary btn-sm" id=place.clone() href=PROVE>{l.t(t::PROVE)}{of(&name)}</a></div>
                </div>
            }
            .into_any();
        }
        let place = place.clone();
        let field = move || (way.get() == Proof::Password).then(|| view! { <PasswordField id=place.clone() state/> });
        view! {
            <form class="stack-sm" action=Remove::url() method="post" novalidate on:submit=submit>
                {state.notice()}
                <input type="hidden" name="id" value=id.clone()/>
                <p class="muted small">{l.t(t::REMOVE_ASK)}</p>
                {field}
                <div><button class="btn btn-danger btn-sm" type="submit" aria-busy=state.busy()>{l.t(t::REMOVE_YES)}{of(&name)}</button></div>
            </form>
        }
        .into_any()
    };
    view! { <details>{summary}{ways}</details> }.into_any()
}

/// The present password, in a form that a page has several of.
#[component]
fn PasswordField(id: String, state: FormState) -> impl IntoView {
    let l = use_locale();
    let error = problem_of(state.error.into(), "password");
    let line = format!("{id}-error");
    let described = line.clone();
    let described_by = move || error.with(Option::is_some).then(|| described.clone());
    let said = move || error.get().map(|text| view! { <p class="field-error" id=line.clone()>{text}</p> });
    view! {
        <div class="field">
            <label class="field-label" for=id.clone()>{l.t(t::PASSWORD)}</label>
            <input
                class="input" id=id name="password" type="password" autocomplete="current-password"
                aria-required="true" aria-invalid=invalid(error) aria-describedby=described_by
            />
            {said}
        </div>
    }
    .into_any()
}

/// Adding one, which asks who is here: whoever finds the browser open must not leave a key of their own.
#[component]
fn Add(proof: Proof) -> impl IntoView {
    let l = use_locale();
    if proof == Proof::Code {
        return view! {
            <div class="if-passkeys stack-sm">
                <p class="muted">{l.t(t::PROVE_FIRST)}</p>
                <div class="form-actions"><a class="btn btn-secondary" href=PROVE>{l.t(t::PROVE)}</a></div>
            </div>
        }
        .into_any();
    }
    let password = (proof == Proof::Password).then(|| {
        view! {
            <TextField
                id="passkey-password" name="password" label=l.t(t::PASSWORD) error=Signal::stored(None::<String>)
                kind="password" autocomplete="current-password"
            />
        }
    });
    view! {
        <form class="if-passkeys stack-sm" data-passkey="add" method="post" novalidate>
            {password}
            <div class="form-actions"><button class="btn btn-secondary" type="submit">{l.t(t::ADD)}</button></div>
            <Said/>
        </form>
    }
    .into_any()
}
