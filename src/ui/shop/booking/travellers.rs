//! Who travels with a booking of an order: names and documents, which the shop keeps sealed.

use crate::{
    api::{self, booking_trip::SetTravellers},
    domain::{
        Error,
        booking::{
            offer::Kind,
            travel::{Companions, MAX_DOCUMENT, MAX_NAME, Traveller},
        },
        order::{BookingState, OrderBooking, OrderLine},
        texts::booking_trip as t,
    },
    ui::{
        components::{
            field::{Field, invalid},
            form::{FormState, load},
            loaded::Loaded,
            travel::Main,
        },
        error::problem_text,
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};
use leptos_meta::{Meta, Title};
use leptos_router::hooks::use_params_map;

/// The fields of the first ten travellers, which take the focus when something is wrong with them.
static FIELDS: [&str; 20] = [
    "name0",
    "document0",
    "name1",
    "document1",
    "name2",
    "document2",
    "name3",
    "document3",
    "name4",
    "document4",
    "name5",
    "document5",
    "name6",
    "document6",
    "name7",
    "document7",
    "name8",
    "document8",
    "name9",
    "document9",
];

/// On the page of an order: where its owner writes who travels, for each trip to come; nothing where there is none.
#[component]
pub fn TravellerLinks(number: String, lines: Memo<Vec<OrderLine>>) -> impl IntoView {
    let l = use_locale();
    let link = move |line: OrderLine| {
        let to_come = |booking: &OrderBooking| booking.kind == Kind::Trip && booking.state == BookingState::Booked;
        let booking = line.booking.filter(to_come)?;
        let href = format!("/orders/{number}/travellers/{}", booking.position);
        Some(
            view! { <li><a class="link" href=href>{line.title}</a> " " <span class="muted small">{line.label}</span></li> },
        )
    };
    move || {
        let links: Vec<_> = lines.get().into_iter().filter_map(&link).collect();
        (!links.is_empty()).then(|| {
            view! {
                <section class="panel" aria-labelledby="travellers-title">
                    <div class="panel-head"><h2 class="panel-title" id="travellers-title">{l.t(t::TRAVELLERS_TITLE)}</h2></div>
                    <p class="muted small">{l.t(t::TRAVELLERS_HINT)}</p>
                    <ul class="stack stack-sm">{links}</ul>
                </section>
            }
        })
    }
}

#[component]
pub fn TravellersPage() -> impl IntoView {
    let (l, params) = (use_locale(), use_params_map());
    let of = Memo::new(move |_| {
        params.with(|params| {
            let position = params.get("position").and_then(|position| position.parse::<i64>().ok()).unwrap_or(-1);
            (params.get("number").unwrap_or_default(), position)
        })
    });
    let companions = Resource::new(
        move || of.get(),
        |(number, position)| async move { api::booking_trip::travellers(number, position).await },
    );
    view! {
        <Title text=l.t(t::TRAVELLERS_TITLE)/>
        <Meta name="robots" content="noindex"/>
        <Main class="page container container-narrow">
            <div class="page-head"><h1 class="page-title">{l.t(t::TRAVELLERS_TITLE)}</h1></div>
            <Loaded data=companions lines=6 let:companions>
                <TravellersForm companions of=of.get_untracked()/>
            </Loaded>
        </Main>
    }
    .into_any()
}

#[component]
fn TravellersForm(companions: Companions, of: (String, i64)) -> impl IntoView {
    let l = use_locale();
    let (number, position) = of;
    let order = format!("/orders/{number}");
    let Companions { title, label, most, open, people } = companions;
    let back = view! { <p><a class="link" href=order.clone()>{l.t(t::TO_ORDER)}</a></p> };
    let what = view! { <p class="strong">{title}</p><p class="muted small">{label}</p> };
    if !open {
        return view! { {what} <p>{l.t(t::CLOSED)}</p> {back} }.into_any();
    }
    let posted = ServerAction::<SetTravellers>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &FIELDS);
    let next = order.clone();
    let submit = move |event: ev::SubmitEvent| {
        // The browser sends by itself what cannot be read.
        let Ok(SetTravellers { number, position, people, .. }) = SetTravellers::from_event(&event) else { return };
        event.prevent_default();
        let next = next.clone();
        state.send(None, api::booking_trip::set_travellers(number, position, people, None), move |()| load(&next));
    };
    let error = state.error;
    let person = move |n: i64| {
        let known = usize::try_from(n).ok().and_then(|n| people.get(n).cloned()).unwrap_or_default();
        view! { <Person n known error/> }
    };
    view! {
        {what}
        <form class="panel form section-sm" action=SetTravellers::url() method="post" novalidate on:submit=submit>
            {state.notice()}
            <p class="muted small">{l.t(t::TRAVELLERS_TEXT)}</p>
            <input type="hidden" name="number" value=number/>
            <input type="hidden" name="position" value=position.to_string()/>
            <input type="hidden" name="next" value=order/>
            {(0..most).map(person).collect_view()}
            <button class="btn btn-primary btn-lg" type="submit" aria-busy=state.busy()>{l.t(t::SAVE)}</button>
        </form>
        {back}
    }
    .into_any()
}

/// Name and document of one of them.
#[component]
fn Person(n: i64, known: Traveller, error: RwSignal<Option<Error>>) -> impl IntoView {
    let l = use_locale();
    let text = move |field: String| {
        Signal::derive(move || {
            error.with(|error| error.as_ref()?.problem(&field).map(|problem| problem_text(l, problem)))
        })
    };
    let place = usize::try_from(n).unwrap_or(usize::MAX);
    // Beyond those that can take the focus they have no id of their own.
    let id =
        move |of: usize| place.checked_mul(2).and_then(|first| FIELDS.get(first + of)).copied().unwrap_or_default();
    let (name_error, document_error) = (text(format!("name{n}")), text(format!("document{n}")));
    view! {
        <fieldset class="form">
            <legend class="field-label">{l.f(t::TRAVELLER, &[("n", &(n + 1))])}</legend>
            <Field id=id(0) label=l.t(t::NAME) error=name_error>
                <input
                    class="input"
                    id=id(0)
                    name=format!("people[{n}][name]")
                    value=known.name
                    maxlength=MAX_NAME.to_string()
                    autocomplete="off"
                    aria-invalid=invalid(name_error)
                />
            </Field>
            <Field id=id(1) label=l.t(t::DOCUMENT) optional=true error=document_error>
                <input
                    class="input mono"
                    id=id(1)
                    name=format!("people[{n}][document]")
                    value=known.document
                    maxlength=MAX_DOCUMENT.to_string()
                    autocomplete="off"
                    aria-invalid=invalid(document_error)
                />
            </Field>
        </fieldset>
    }
    .into_any()
}
