//! What the account is reached by: one phone and one e-mail address, each added, replaced or taken away. Whoever asks
//! shows anew who this is: who finds a browser open must not take the account over.

use crate::{
    api::{
        self,
        page::typed,
        target::{Add, Remove},
    },
    domain::{
        Error,
        account::{Profile, Target},
        error::{Check, Problem},
        locale::Text,
        privacy::Proof,
        texts::target as t,
    },
    ui::{
        components::{
            field::{FieldError, TextField, focus, problem_of},
            form::FormState,
            icon::Icon,
            shell::use_toasts,
        },
        error::{ErrorNotice, problem_text},
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};

/// Where somebody shows anew who this is, and comes back from.
const PROVE: &str = "/sign-in?with=code&to=/me/security";

#[component]
pub fn Targets(profile: Profile) -> impl IntoView {
    let l = use_locale();
    let proof = match profile {
        Profile { proved: true, .. } => Proof::Given,
        Profile { has_password: true, .. } => Proof::Password,
        Profile { .. } => Proof::Code,
    };
    let Profile { phone, email, .. } = profile;
    let (phone, email) = (RwSignal::new(phone), RwSignal::new(email));
    let fact = move |name: Text, value: RwSignal<Option<String>>| {
        let value = move || value.get().unwrap_or_else(|| l.t(t::NOT_SET).to_owned());
        view! { <div class="fact"><dt>{l.t(name)}</dt><dd class="num">{value}</dd></div> }
    };
    // The last one stays.
    let both = Memo::new(move |_| phone.with(Option::is_some) && email.with(Option::is_some));
    let removals = move || {
        both.get().then(|| {
            view! {
                <RemoveForm kind="phone" field="remove-phone-password" texts=(t::REMOVE_PHONE, t::REMOVE_PHONE_YES) proof shown=phone/>
                <RemoveForm kind="email" field="remove-email-password" texts=(t::REMOVE_EMAIL, t::REMOVE_EMAIL_YES) proof shown=email/>
            }
        })
    };
    // What was posted twice is no matter.
    let posted = ServerAction::<Remove>::new().value().get_untracked().and_then(Result::err);
    let posted = posted.filter(|error| *error != Error::NotFound);
    view! {
        <section class="panel section-sm" aria-labelledby="targets-title">
            <div class="panel-head"><h2 class="panel-title" id="targets-title">{l.t(t::TITLE)}</h2></div>
            <div class="stack">
                <p class="muted">{l.t(t::TEXT)}</p>
                {posted.map(|error| view! { <Posted error/> })}
                <dl class="facts">{fact(t::PHONE, phone)}{fact(t::EMAIL, email)}</dl>
                {removals}
                <AddForm proof/>
            </div>
        </section>
    }
    .into_any()
}

/// What was wrong with a removal that was posted without script: of which one it was is not known here.
#[component]
fn Posted(error: Error) -> impl IntoView {
    let l = use_locale();
    let Some(problem) = error.problem("password").or_else(|| error.problem("kind")) else {
        return view! { <ErrorNotice error/> }.into_any();
    };
    view! {
        <div class="notice notice-danger" role="alert">
            <Icon name="error"/>
            <div class="notice-body"><p class="notice-title">{problem_text(l, problem)}</p></div>
        </div>
    }
    .into_any()
}

/// How it is shown who asks: as the page knows it, until the server says more.
fn way_of(state: FormState, proof: Proof) -> Memo<Proof> {
    Memo::new(move |before: Option<&Proof>| match state.error.with(|error| error.as_ref()?.problem("password")) {
        Some(Problem::Proof) => Proof::Code,
        Some(_) => Proof::Password,
        None => before.copied().unwrap_or(proof),
    })
}

/// Where who asks is shown: by the password, or by the way to a code. What was fresh when the page was made may be too old
/// by now, and is said then.
#[component]
fn ProofField(id: &'static str, state: FormState, way: Memo<Proof>) -> impl IntoView {
    let l = use_locale();
    let error = problem_of(state.error.into(), "password");
    move || match way.get() {
        Proof::Given => view! { <FieldError id error/> }.into_any(),
        Proof::Password => view! {
            <TextField
                id name="password" label=l.t(t::PASSWORD) error kind="password" autocomplete="current-password"
            />
        }
        .into_any(),
        Proof::Code => view! {
            <div class="stack-sm">
                <p class="muted">{l.t(t::PROVE_FIRST)}</p>
                <div><a class="btn btn-secondary" href=PROVE>{l.t(t::PROVE)}</a></div>
            </div>
        }
        .into_any(),
    }
}

#[component]
fn AddForm(proof: Proof) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<Add>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &["target", "password"]);
    let way = way_of(state, proof);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(Add { target, password }) = Add::from_event(&event) else { return };
        let mut check = Check::default();
        check.take("target", Target::read("+86", &target));
        if way.get_untracked() == Proof::Password && password.is_empty() {
            check.add("password", Problem::Required);
        }
        // On success the answer leads to where the code is typed.
        state.send(check.finish().err(), api::target::add(target, password), |_| {});
    };
    if proof == Proof::Code {
        return view! { <ProofField id="password" state way/> }.into_any();
    }
    view! {
        <form class="form" action=Add::url() method="post" novalidate on:submit=submit>
            {state.notice()}
            <TextField
                id="target" name="target" label=l.t(t::NEW) value=typed("target")
                error=problem_of(state.error.into(), "target") autocomplete="off"
                hint=Signal::stored(l.t(t::NEW_HINT).to_owned())
            />
            <ProofField id="password" state way/>
            <div class="form-actions">
                <button class="btn btn-primary" type="submit" aria-busy=state.busy()>{l.t(t::SEND)}</button>
            </div>
        </form>
    }
    .into_any()
}

/// Taking one away, which asks before.
#[component]
fn RemoveForm(
    kind: &'static str,
    /// The id of the password's field.
    field: &'static str,
    /// What opens it, and what does it.
    texts: (Text, Text),
    proof: Proof,
    /// What the page shows of it.
    shown: RwSignal<Option<String>>,
) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let state = FormState::new(None, &["kind", "password"]);
    let way = way_of(state, proof);
    Effect::new(move |before: Option<()>| {
        let wrong = state.error.with(|error| error.as_ref().is_some_and(|error| error.problem("password").is_some()));
        if wrong && before.is_some() {
            request_animation_frame(move || {
                focus(field);
            });
        }
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(Remove { kind, password }) = Remove::from_event(&event) else { return };
        let empty = way.get_untracked() == Proof::Password && password.is_empty();
        let wrong = empty.then(|| Error::field("password", Problem::Required));
        let gone = async move {
            match api::target::remove(kind, password).await {
                // By another tab, a moment ago.
                Err(Error::NotFound) => Ok(()),
                other => other,
            }
        };
        state.send(wrong, gone, move |()| {
            toasts.show(l.t(t::REMOVED));
            shown.set(None);
        });
    };
    let (open, yes) = texts;
    let button = move || {
        (way.get() != Proof::Code).then(|| {
            view! { <div><button class="btn btn-danger btn-sm" type="submit" aria-busy=state.busy()>{l.t(yes)}</button></div> }
        })
    };
    view! {
        <details>
            <summary class="ask">{l.t(open)}</summary>
            <form class="stack-sm" action=Remove::url() method="post" novalidate on:submit=submit>
                {state.notice()}
                <input type="hidden" name="kind" value=kind/>
                <p class="muted small">{l.t(t::REMOVE_ASK)}</p>
                <FieldError id=kind error=problem_of(state.error.into(), "kind")/>
                <ProofField id=field state way/>
                {button}
            </form>
        </details>
    }
    .into_any()
}
