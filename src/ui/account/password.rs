//! Setting a password, with its strength as it is typed.

use crate::{
    api::{self, account::SetPassword},
    domain::{
        account::{self, Profile, Strength, strength},
        error::{Check, Problem},
        texts::account as t,
    },
    ui::{
        components::{
            field::{TextField, problem_of},
            form::FormState,
            shell::use_toasts,
        },
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, html, prelude::*, server_fn::ServerFn};

#[component]
pub fn PasswordForm(profile: Profile) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let posted = ServerAction::<SetPassword>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &["old", "new"]);
    let form = NodeRef::<html::Form>::new();
    let typed = RwSignal::new(String::new());
    let Profile { has_password, proved, login, .. } = profile;
    // Also once the server asks for it: the proof of a code grows old while the page is open.
    let asks = Memo::new(move |asked: Option<&bool>| {
        let asked = asked.copied().unwrap_or(has_password && !proved);
        asked || state.error.with(|error| error.as_ref().is_some_and(|error| error.problem("old").is_some()))
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(SetPassword { old, new }) = SetPassword::from_event(&event) else { return };
        let mut check = Check::default();
        if asks.get_untracked() && old.is_empty() {
            check.add("old", Problem::Required);
        }
        check.take("new", account::password(&new, &[login.as_deref().unwrap_or_default()]));
        state.send(check.finish().err(), api::account::set_password(old, new), move |()| {
            toasts.show(l.t(t::PASSWORD_SAVED));
            typed.set(String::new());
            if let Some(form) = form.get_untracked() {
                form.reset();
            }
        });
    };
    let hint = Signal::derive(move || {
        let text = typed.with(|typed| match strength(typed) {
            _ if typed.is_empty() => t::PASSWORD_HINT,
            Strength::TooShort => t::STRENGTH_SHORT,
            Strength::Weak => t::STRENGTH_WEAK,
            Strength::Fair => t::STRENGTH_FAIR,
            Strength::Good => t::STRENGTH_GOOD,
            Strength::Strong => t::STRENGTH_STRONG,
        });
        l.t(text).to_owned()
    });
    let step = move || typed.with(|typed| if typed.is_empty() { 0 } else { strength(typed) as u8 });
    let old = move || {
        asks.get().then(|| {
            view! {
                <TextField
                    id="old" name="old" label=l.t(t::OLD_PASSWORD) error=problem_of(state.error.into(), "old")
                    kind="password" autocomplete="current-password"
                />
            }
        })
    };
    if !has_password && !proved {
        return view! {
            <section class="panel section-sm" aria-labelledby="password-title">
                <div class="panel-head"><h2 class="panel-title" id="password-title">{l.t(t::PASSWORD_TITLE)}</h2></div>
                <div class="stack">
                    <p class="muted">{l.t(t::PROVE_FIRST)}</p>
                    <div class="form-actions">
                        <a class="btn btn-secondary" href="/sign-in?with=code&to=/me/security">{l.t(t::PROVE)}</a>
                    </div>
                </div>
            </section>
        }
        .into_any();
    }
    view! {
        <section class="panel section-sm" aria-labelledby="password-title">
            <div class="panel-head"><h2 class="panel-title" id="password-title">{l.t(t::PASSWORD_TITLE)}</h2></div>
            <form class="form" action=SetPassword::url() method="post" novalidate node_ref=form on:submit=submit>
                {state.notice()}
                <p class="muted">{l.t(if has_password { t::PASSWORD_TEXT } else { t::NO_PASSWORD_TEXT })}</p>
                {old}
                <div class="stack-sm" on:input=move |event: ev::Event| typed.set(event_target_value(&event))>
                    <TextField
                        id="new" name="new" label=l.t(t::NEW_PASSWORD) error=problem_of(state.error.into(), "new")
                        kind="password" autocomplete="new-password" hint
                    />
                    <meter class="strength" min="0" low="2" high="3" optimum="4" max="4" value=step aria-label=l.t(t::STRENGTH)></meter>
                </div>
                <div class="form-actions">
                    <button class="btn btn-primary" type="submit" aria-busy=state.busy()>{l.t(t::SET_PASSWORD)}</button>
                </div>
            </form>
        </section>
    }
    .into_any()
}
