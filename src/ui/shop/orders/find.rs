//! An order of a guest, found on another device by its number and the phone or e-mail given with it.

use crate::{
    api::{self, order::Find},
    domain::{Error, error::Problem, number, texts::order as t},
    ui::{
        components::{
            field::{Field, TextField, described_by, focus, invalid, problem_of},
            icon::Icon,
            travel::Main,
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, html, prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_meta::{Meta, Title};
use leptos_router::hooks::use_query_map;

#[component]
pub fn FindOrderPage() -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<Find>::new().value().get_untracked().and_then(Result::err);
    // Sent without script, the form is drawn anew: the number comes back by the address, the contact is nobody's business.
    let typed = use_query_map()
        .with_untracked(|query| query.get("number"))
        .and_then(|typed| number::to_show(&typed).map(str::to_owned));
    let error = RwSignal::new(posted);
    let busy = RwSignal::new(false);
    let place = NodeRef::<html::Form>::new();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(Find { number, contact }) = Find::from_event(&event) else { return };
        if busy.get_untracked() {
            return;
        }
        if let Some(wrong) = check(&number, &contact) {
            error.set(Some(wrong));
            show(error);
            return;
        }
        // What was wrong with the last try says nothing about this one.
        error.set(None);
        busy.set(true);
        spawn_local(async move {
            // On success the server names the page to go to.
            let found = api::order::find(number, contact).await;
            busy.try_set(false);
            if error.try_set(found.err()).is_none() {
                show(error);
            }
        });
    };
    let number_error = Signal::derive(move || {
        let problem = error.with(|error| error.as_ref()?.problem("number"))?;
        Some(l.t(if problem == Problem::Required { t::NUMBER_REQUIRED } else { t::NUMBER_WRONG }).to_owned())
    });
    let notice = move || match error.get() {
        None | Some(Error::Invalid(_)) => ().into_any(),
        Some(Error::NotFound) => view! {
            <div class="notice notice-danger" role="alert">
                <Icon name="error"/>
                <div class="notice-body"><p>{l.t(t::FIND_FAILED)}</p></div>
            </div>
        }
        .into_any(),
        Some(error) => view! { <ErrorNotice error/> }.into_any(),
    };
    view! {
        <Title text=l.t(t::FIND_TITLE)/>
        <Meta name="robots" content="noindex"/>
        <Main class="page container container-narrow">
            <div class="page-head"><h1 class="page-title">{l.t(t::FIND_TITLE)}</h1></div>
            <p class="muted">{l.t(t::FIND_TEXT)}</p>
            <form class="panel form section-sm" action=Find::url() method="post" novalidate node_ref=place on:submit=submit>
                {notice}
                <Field id="number" label=l.t(t::ORDER_NUMBER) hint=Signal::stored(l.t(t::FIND_HINT).to_owned()) error=number_error>
                    <input
                        class="input mono"
                        id="number"
                        name="number"
                        type="text"
                        inputmode="numeric"
                        autocomplete="off"
                        maxlength="40"
                        value=typed
                        aria-required="true"
                        aria-invalid=invalid(number_error)
                        aria-describedby=described_by("number", true, number_error)
                    />
                </Field>
                <TextField id="contact" name="contact" label=l.t(t::CONTACT) error=problem_of(error.into(), "contact") autocomplete="tel"/>
                <button class="btn btn-primary btn-lg" type="submit" aria-busy=move || busy.get().then_some("true")>{l.t(t::FIND_SUBMIT)}</button>
            </form>
        </Main>
    }
    .into_any()
}

/// What can be told without asking: an empty field, and a number with a wrong digit.
fn check(typed: &str, contact: &str) -> Option<Error> {
    let mut check = crate::domain::error::Check::default();
    if typed.trim().is_empty() {
        check.add("number", Problem::Required);
    } else if number::parse(typed).is_none() {
        check.add("number", Problem::Choice);
    }
    if contact.trim().is_empty() {
        check.add("contact", Problem::Required);
    }
    check.finish().err()
}

/// Moves the focus to the first wrong field.
fn show(error: RwSignal<Option<Error>>) {
    let first = error.with_untracked(|error| {
        let error = error.as_ref()?;
        ["number", "contact"].into_iter().find(|field| error.problem(field).is_some())
    });
    if let Some(field) = first {
        request_animation_frame(move || {
            focus(field);
        });
    }
}
