//! The account's addresses at checkout: choosing one fills the form, and an address that is typed can be saved.
//!
//! Without script the choice is part of the form: a button fills it, and so does going on after another choice.

use crate::{
    domain::{
        Error,
        address::CheckoutForm,
        address_book::{ANOTHER, SavedAddress},
        texts::{checkout as t, personal},
    },
    ui::{
        components::{
            address::{label_text, reached_by},
            field::{FieldError, described_by, invalid, problem_of},
            typed::taking_over,
        },
        use_locale,
    },
};
use leptos::{html, prelude::*};

/// The address that a form says; [`ANOTHER`] for one that is not among the account's.
pub fn chosen_of(addresses: &[SavedAddress], form: &CheckoutForm) -> String {
    let said = addresses.iter().find(|address| address.form().same_contact(form));
    said.map_or(ANOTHER, |address| &address.id).to_owned()
}

/// The addresses to choose from, and to type another one; nothing where there are none.
#[component]
pub fn AddressChoices(
    addresses: Vec<SavedAddress>,
    /// The address that the form says.
    selected: RwSignal<String>,
    /// Fills the form with an address, or with none.
    choose: Callback<String>,
) -> impl IntoView {
    let l = use_locale();
    if addresses.is_empty() {
        return ().into_any();
    }
    let shown = selected.get_untracked();
    let saved = addresses.into_iter().map(|address| {
        let label = address.label.as_ref().map(|label| label_text(l, label));
        let title = address.contact.recipient.clone();
        let hint = format!("{} · {} {}", reached_by(&address.contact), address.region_name, address.contact.detail);
        view! { <AddressChoice id=address.id title label hint is_default=address.is_default selected choose/> }
    });
    view! {
        <fieldset>
            <legend class="field-label">{l.t(t::SAVED_ADDRESSES)}</legend>
            <div class="choices">
                {saved.collect_view()}
                <AddressChoice id=ANOTHER title=l.t(t::OTHER_ADDRESS) label=None hint="" is_default=false selected choose/>
            </div>
            <input type="hidden" name="address_shown" value=shown/>
            <div class="form-actions only-no-script">
                <button class="btn btn-secondary btn-sm" type="submit" name="step" value="address">{l.t(t::USE_ADDRESS)}</button>
            </div>
            <p class="field-hint"><a class="link" href="/me/addresses">{l.t(personal::MANAGE_ADDRESSES)}</a></p>
        </fieldset>
    }
    .into_any()
}

#[component]
fn AddressChoice(
    #[prop(into)] id: String,
    #[prop(into)] title: String,
    label: Option<String>,
    #[prop(into)] hint: String,
    is_default: bool,
    selected: RwSignal<String>,
    choose: Callback<String>,
) -> impl IntoView {
    let l = use_locale();
    let field = NodeRef::<html::Input>::new();
    let at_first = selected.get_untracked() == id;
    let early = taking_over();
    let mine = StoredValue::new(id.clone());
    // A choice that was made before the page came alive counts like any other.
    Effect::new(move |seen: Option<bool>| {
        let now = selected.with(|selected| mine.with_value(|id| id == selected));
        let Some(field) = field.get() else { return false };
        if early && seen != Some(true) && field.checked() != now {
            if field.checked() {
                choose.run(mine.get_value());
            }
        } else {
            field.set_checked(now);
        }
        true
    });
    let click = move |_| choose.run(mine.get_value());
    view! {
        <label class="choice">
            <input type="radio" name="address" value=id checked=at_first node_ref=field on:click=click/>
            <span class="choice-body">
                <span class="choice-title">
                    {title}
                    {label.map(|label| view! { " "<span class="badge">{label}</span> })}
                    {is_default.then(|| view! { " "<span class="badge badge-ok">{l.t(personal::DEFAULT)}</span> })}
                </span>
                {(!hint.is_empty()).then(|| view! { <span class="choice-hint">{hint}</span> })}
            </span>
        </label>
    }
    .into_any()
}

/// Whether the address that is typed is saved with the account.
#[component]
pub fn SaveAddress(ticked: bool, #[prop(into)] error: Signal<Option<Error>>) -> impl IntoView {
    let l = use_locale();
    let wrong = problem_of(error, "save_address");
    view! {
        <div class="field">
            <label class="check">
                <input
                    type="checkbox" id="save_address" name="form[save_address]" value="1" checked=ticked
                    aria-invalid=invalid(wrong) aria-describedby=described_by("save_address", false, wrong)
                />
                <span>{l.t(t::SAVE_ADDRESS)}</span>
            </label>
            <FieldError id="save_address" error=wrong/>
        </div>
    }
    .into_any()
}
