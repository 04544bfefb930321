//! Who works here: for those who may sign others out and remove them.

use super::parts::{Failure, LoadFailed};
use crate::{
    api::{
        self,
        office::{EndSessions, RemoveStaff},
    },
    domain::{locale::Text, office::Colleague, permission::Role, texts::office as t},
    ui::{
        components::{
            form::FormState, icon::Icon, shell::use_toasts, skeleton::SkeletonText, time::Time, travel::Main,
        },
        use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

#[component]
pub fn PeoplePage() -> impl IntoView {
    let l = use_locale();
    let people = Resource::new(|| (), |()| api::office::people());
    let again = Callback::new(move |()| people.refetch());
    let posted = [
        ServerAction::<EndSessions>::new().value().get_untracked().and_then(Result::err),
        ServerAction::<RemoveStaff>::new().value().get_untracked().and_then(Result::err),
    ];
    let posted = posted.into_iter().flatten().next();
    let outline = || view! { <section class="panel"><SkeletonText lines=6/></section> };
    view! {
        <Title text=l.t(t::PEOPLE_TITLE)/>
        <Main class="office-main">
            <div class="page-head"><h1 class="page-title">{l.t(t::PEOPLE)}</h1></div>
            {posted.map(|error| view! { <Failure error/> })}
            <Transition fallback=outline>
                {move || Suspend::new(async move {
                    match people.await {
                        Ok(people) => view! { <List people again/> }.into_any(),
                        Err(error) => view! { <LoadFailed error/> }.into_any(),
                    }
                })}
            </Transition>
        </Main>
    }
    .into_any()
}

/// Never empty: whoever looks is on it.
#[component]
fn List(people: Vec<Colleague>, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let rows = people.into_iter().map(|person| view! { <Person person again/> }).collect_view();
    view! {
        <section class="panel" aria-label=l.t(t::PEOPLE)>
            <ul class="devices">{rows}</ul>
            <p class="muted small">{l.t(t::PEOPLE_HINT)}</p>
        </section>
    }
    .into_any()
}

const fn role_name(role: Role) -> Text {
    match role {
        Role::Support => t::ROLE_SUPPORT,
        Role::Warehouse => t::ROLE_WAREHOUSE,
        Role::Purchasing => t::ROLE_PURCHASING,
        Role::Finance => t::ROLE_FINANCE,
        Role::Manager => t::ROLE_MANAGER,
        Role::Owner => t::ROLE_OWNER,
    }
}

#[component]
fn Person(person: Colleague, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let Colleague { login, role, signed_in_at, second_factor, sessions, own } = person;
    let last = match signed_in_at {
        Some(ms) => view! { {l.t(t::LAST_SIGN_IN)} " " <Time ms/> }.into_any(),
        None => view! { {l.t(t::NEVER_SIGNED_IN)} }.into_any(),
    };
    let (badge, second) =
        if second_factor { ("badge badge-ok", t::SECOND_ON) } else { ("badge badge-warn", t::SECOND_OFF) };
    let remove = (!own).then(|| view! { <RemoveForm login=login.clone() again/> });
    let end = (!own && sessions > 0).then(|| view! { <SignOutForm login=login.clone() again/> });
    view! {
        <li class="device">
            <Icon name="me"/>
            <div class="grow">
                <p>
                    <strong>{login}</strong>
                    {format!(" · {}", l.t(role_name(role)))}
                    {own.then(|| view! { " "<span class="badge badge-ok">{l.t(t::YOU)}</span> })}
                </p>
                <p class="muted small">{last}</p>
                <p class="muted small"><span class=badge>{l.t(second)}</span>{format!(" {}", l.n(t::SESSIONS_ONE, t::SESSIONS, sessions))}</p>
                {remove}
            </div>
            {end}
        </li>
    }
    .into_any()
}

/// Signing in again is all it takes to undo it, so it does not ask.
#[component]
fn SignOutForm(login: String, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let state = FormState::new(None, &[]);
    let (sent, hidden) = (login.clone(), format!(" {login}"));
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let said = l.f(t::SESSIONS_ENDED, &[("login", &sent)]);
        state.send(None, api::office::end_sessions(sent.clone()), move |()| {
            toasts.show(said);
            again.run(());
        });
    };
    view! {
        <form action=EndSessions::url() method="post" on:submit=submit>
            {state.notice()}
            <input type="hidden" name="login" value=login/>
            <button class="btn btn-secondary btn-sm" type="submit" aria-busy=state.busy()>
                {l.t(t::END_SESSIONS)}<span class="visually-hidden">{hidden}</span>
            </button>
        </form>
    }
    .into_any()
}

/// Says what it means before it can be done.
#[component]
fn RemoveForm(login: String, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let state = FormState::new(None, &[]);
    let (sent, hidden) = (login.clone(), format!(" {login}"));
    let (text, confirm) = (l.f(t::REMOVE_TEXT, &[("login", &login)]), l.f(t::REMOVE_CONFIRM, &[("login", &login)]));
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let said = l.f(t::REMOVED, &[("login", &sent)]);
        state.send(None, api::office::remove_staff(sent.clone()), move |()| {
            toasts.show(said);
            again.run(());
        });
    };
    view! {
        <details>
            <summary class="ask">{l.t(t::REMOVE)}<span class="visually-hidden">{hidden}</span></summary>
            <form class="stack-sm" action=RemoveStaff::url() method="post" on:submit=submit>
                {state.notice()}
                <p>{text}</p>
                <input type="hidden" name="login" value=login/>
                <div><button class="btn btn-danger btn-sm" type="submit" aria-busy=state.busy()>{confirm}</button></div>
            </form>
        </details>
    }
    .into_any()
}
