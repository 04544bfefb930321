//! What a person is called.

use crate::{
    api::{self, account::SetProfile},
    domain::{
        account::{Profile, login},
        address,
        error::Check,
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
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};

#[component]
pub fn ProfileForm(profile: Profile) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let posted = ServerAction::<SetProfile>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &["name", "login"]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(SetProfile { name, login: typed }) = SetProfile::from_event(&event) else { return };
        let mut check = Check::default();
        check.take("name", address::text(&name, 0, 50));
        if !typed.trim().is_empty() {
            check.take("login", login(&typed));
        }
        state.send(check.finish().err(), api::account::set_profile(name, typed), move |()| {
            toasts.show(l.t(t::PROFILE_SAVED));
        });
    };
    view! {
        <section class="panel" aria-labelledby="profile-title">
            <div class="panel-head"><h2 class="panel-title" id="profile-title">{l.t(t::PROFILE_TITLE)}</h2></div>
            <form class="form" action=SetProfile::url() method="post" novalidate on:submit=submit>
                {state.notice()}
                <TextField
                    id="name" name="name" label=l.t(t::NAME) value=profile.name error=problem_of(state.error.into(), "name")
                    autocomplete="nickname" optional=true
                />
                <TextField
                    id="login" name="login" label=l.t(t::LOGIN) value=profile.login.unwrap_or_default()
                    error=problem_of(state.error.into(), "login") autocomplete="username" optional=true
                    hint=Signal::stored(l.t(t::LOGIN_HINT).to_owned())
                />
                <div class="form-actions">
                    <button class="btn btn-primary" type="submit" aria-busy=state.busy()>{l.t(t::SAVE)}</button>
                </div>
            </form>
        </section>
    }
    .into_any()
}
