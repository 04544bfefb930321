//! The form of an address: the fields of the checkout, and what it is called.

use super::{Narrow, SignInFirst};
use crate::{
    api::{self, account::SaveAddress},
    domain::{
        Error,
        address_book::{AddressPage, LABEL},
        texts::{checkout, personal as t},
    },
    ui::{
        components::{
            address::{ContactFields, Divisions, field_labels},
            field::{ErrorSummary, FieldError, TextField, problem_of},
            skeleton::SkeletonText,
        },
        error::ErrorPage,
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_router::hooks::use_query_map;

#[component]
pub fn AddressEditPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let posted = ServerAction::<SaveAddress>::new().value().get_untracked().and_then(Result::err);
    // What was typed and could not be saved is shown again, after a form without script as well.
    let draft = posted.is_some() || query.with_untracked(|query| query.get("draft").is_some());
    let id = Memo::new(move |_| query.with(|query| query.get("id").filter(|id| !id.is_empty())));
    let page = Resource::new(move || id.get(), move |id| api::account::address(id, draft));
    let title = move |new: bool| l.t(if new { t::ADD_ADDRESS } else { t::EDIT_ADDRESS });
    view! {
        <Suspense fallback=move || view! { <Narrow title=title(id.get_untracked().is_none())><div class="panel"><SkeletonText lines=8/></div></Narrow> }>
            {move || {
                let posted = posted.clone();
                Suspend::new(async move {
                    match page.await {
                        Ok(page) => {
                            let title = title(page.input.id.is_empty());
                            view! { <Narrow title><Form page posted/></Narrow> }.into_any()
                        }
                        Err(Error::Unauthenticated) => view! {
                            <Narrow title=title(true)><SignInFirst to="/me/addresses" text=l.t(t::SIGN_IN_ADDRESSES)/></Narrow>
                        }
                        .into_any(),
                        Err(error) => view! { <ErrorPage error/> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Form(page: AddressPage, posted: Option<Error>) -> impl IntoView {
    let l = use_locale();
    let AddressPage { input, is_default, provinces, cities, districts } = page;
    let divisions = RwSignal::new(Divisions { provinces, cities, districts });
    let (loading, busy) = (RwSignal::new(false), RwSignal::new(false));
    let (error, attempts) = (RwSignal::new(posted), RwSignal::new(0usize));
    // Counts the choices, so that only the answer to the last one is taken.
    let asked = StoredValue::new(0u32);
    let chosen = Callback::new(move |(province, city): (String, String)| {
        asked.update_value(|asked| *asked = asked.wrapping_add(1));
        let mine = asked.get_value();
        divisions.update(|divisions| {
            divisions.districts.clear();
            if !divisions.cities.iter().any(|(code, _)| *code == city) {
                divisions.cities.clear();
            }
        });
        loading.set(!province.is_empty());
        if province.is_empty() {
            return;
        }
        spawn_local(async move {
            let offered = api::order::divisions(province, city).await;
            if asked.try_get_value() != Some(mine) {
                return;
            }
            loading.set(false);
            match offered {
                Ok((cities, districts)) => {
                    divisions.update(|divisions| (divisions.cities, divisions.districts) = (cities, districts));
                }
                Err(failed) => error.set(Some(failed)),
            }
        });
    });
    let is_district =
        move |code: &str| divisions.with_untracked(|offered| offered.districts.iter().any(|(c, _)| c == code));
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(SaveAddress { address, .. }) = SaveAddress::from_event(&event) else { return };
        if busy.get_untracked() {
            return;
        }
        let refuse = move |wrong: Error| {
            error.set(Some(wrong));
            attempts.update(|n| *n += 1);
        };
        if let Err(wrong) = address.check(is_district) {
            return refuse(wrong);
        }
        error.set(None);
        busy.set(true);
        spawn_local(async move {
            // On success the answer leads to the list.
            let answer = api::account::save_address(address, None).await;
            // The page may be gone by now.
            if busy.try_set(false).is_some() {
                return;
            }
            if let Err(wrong) = answer {
                refuse(wrong);
            }
        });
    };
    let mut fields = field_labels(l);
    fields.push(("label", "label", l.t(t::LABEL)));
    fields.push(("label_text", "label_text", l.t(t::LABEL_TEXT)));
    let label = input.label.clone();
    let choice = move |value: &'static str, text| {
        let checked = label == value;
        view! {
            <label class="choice">
                <input type="radio" name="address[label]" value=value checked=checked/>
                <span class="choice-body"><span class="choice-title">{l.t(text)}</span></span>
            </label>
        }
    };
    let default = if is_default {
        view! { <p class="field-hint">{l.t(t::DEFAULT_STAYS)}</p> }.into_any()
    } else {
        view! {
            <label class="check">
                <input type="checkbox" name="address[is_default]" value="1" checked={!input.is_default.is_empty()}/>
                <span>{l.t(t::MAKE_DEFAULT)}" "<span class="muted small">{l.t(t::MAKE_DEFAULT_HINT)}</span></span>
            </label>
        }
        .into_any()
    };
    view! {
        <ErrorSummary error fields attempts=Signal::from(attempts)/>
        <form class="panel form" action=SaveAddress::url() method="post" novalidate on:submit=submit>
            // The first button is the one that Enter presses.
            <button class="visually-hidden" type="submit" tabindex="-1" aria-hidden="true">{l.t(t::SAVE)}</button>
            <input type="hidden" name="address[id]" value=input.id/>
            <h2 class="visually-hidden">{l.t(checkout::CONTACT)}</h2>
            <ContactFields prefix="address[contact]" form=input.contact divisions loading error on_region=chosen/>
            <fieldset id="label" tabindex="-1">
                <legend class="field-label">{l.t(t::LABEL)}</legend>
                <div class="choices choices-2">
                    {choice("", t::NO_LABEL)} {choice("home", t::HOME)} {choice("company", t::COMPANY)} {choice("own", t::OWN)}
                </div>
                <FieldError id="label" error=problem_of(error.into(), "label")/>
            </fieldset>
            <TextField
                id="label_text" name="address[label_text]" label=l.t(t::LABEL_TEXT) value=input.label_text
                error=problem_of(error.into(), "label_text") optional=true
                hint=Signal::stored(l.f(t::LABEL_HINT, &[("n", &LABEL)]))
            />
            {default}
            <div class="form-actions">
                <button class="btn btn-primary" type="submit" aria-busy=move || busy.get().then_some("true")>{l.t(t::SAVE)}</button>
                <a class="btn btn-quiet" href="/me/addresses">{l.t(t::BACK_TO_ADDRESSES)}</a>
            </div>
        </form>
    }
    .into_any()
}
