//! The form that tells that the goods have left.

use super::order::Open;
use crate::{
    api::office::Ship,
    domain::{Error, address, error::Check, office::CARRIERS, order::Action, texts::office as t},
    ui::{
        components::{
            field::{Field, described_by, focus, invalid, problem_of},
            icon::Icon,
        },
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};

/// Nothing unless the order's state allows it.
#[component]
pub fn ShipPanel(open: Open) -> impl IntoView {
    let l = use_locale();
    let allowed = Memo::new(move |_| open.allows(Action::Ship));
    move || {
        allowed.get().then(|| {
            view! {
                <section class="panel" aria-labelledby="ship-title">
                    <div class="panel-head"><h2 class="panel-title" id="ship-title">{l.t(t::SHIP)}</h2></div>
                    <ShipForm open/>
                </section>
            }
        })
    }
}

#[component]
fn ShipForm(open: Open) -> impl IntoView {
    let l = use_locale();
    // Without script the browser itself checks what it can, so that nothing typed is sent in vain; with it the page
    // says what is wrong in its own words.
    let alive = RwSignal::new(false);
    Effect::new(move |_| alive.set(true));
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(Ship { carrier, tracking_number, .. }) = Ship::from_event(&event) else { return };
        if let Some(wrong) = check(&carrier, &tracking_number) {
            open.ship_error.set(Some(wrong));
            return show(open);
        }
        open.ship(carrier, tracking_number, move || show(open));
    };
    let carrier_error = problem_of(open.ship_error.into(), "carrier");
    let tracking_error = problem_of(open.ship_error.into(), "tracking_number");
    let carriers = CARRIERS.map(|carrier| view! { <option value=carrier></option> });
    view! {
        <form class="form" action=Ship::url() method="post" novalidate=move || alive.get() on:submit=submit>
            <input type="hidden" name="number" value=open.number()/>
            <div class="form-row">
                <Field id="carrier" label=l.t(t::CARRIER) hint=Signal::stored(l.t(t::CARRIER_HINT).to_owned()) error=carrier_error>
                    <input
                        class="input"
                        id="carrier"
                        name="carrier"
                        list="carriers"
                        autocomplete="off"
                        maxlength="60"
                        required
                        value=open.last_carrier()
                        aria-invalid=invalid(carrier_error)
                        aria-describedby=described_by("carrier", true, carrier_error)
                    />
                    <datalist id="carriers">{carriers}</datalist>
                </Field>
                <Field id="tracking_number" label=l.t(t::TRACKING_NUMBER) error=tracking_error>
                    <input
                        class="input mono"
                        id="tracking_number"
                        name="tracking_number"
                        autocomplete="off"
                        autocapitalize="characters"
                        spellcheck="false"
                        minlength="4"
                        maxlength="60"
                        required
                        aria-invalid=invalid(tracking_error)
                        aria-describedby=described_by("tracking_number", false, tracking_error)
                    />
                </Field>
            </div>
            <div class="form-actions">
                <button class="btn btn-primary" type="submit" aria-busy=move || open.busy.get().then_some("true")>
                    <Icon name="truck" class="icon-sm"/>
                    {l.t(t::SHIP_SUBMIT)}
                </button>
            </div>
        </form>
    }
    .into_any()
}

/// What can be told without asking.
fn check(carrier: &str, tracking_number: &str) -> Option<Error> {
    let mut check = Check::default();
    check.take("carrier", address::text(carrier, 1, 60));
    check.take("tracking_number", address::text(tracking_number, 4, 60));
    check.finish().err()
}

/// Moves the focus to the first wrong field, once it says what is wrong.
fn show(open: Open) {
    let first = open.ship_error.with_untracked(|error| {
        let error = error.as_ref()?;
        ["carrier", "tracking_number"].into_iter().find(|field| error.problem(field).is_some())
    });
    if let Some(field) = first {
        request_animation_frame(move || {
            focus(field);
        });
    }
}
