//! From where to where, when, and who: the form of a line's page and of the search for trips.

use super::ask::{show_input, show_select, use_asking};
use crate::{
    domain::{
        booking::{date::LocalDate, travel::TripAsk},
        locale::Text,
        texts::booking_trip as t,
    },
    ui::use_locale,
};
use leptos::{html, prelude::*};

/// How many travellers of a kind the form offers.
const OFFERED: i64 = 9;

#[component]
pub fn AskForm(
    /// What can be chosen, each by what is asked for and its name.
    places: Vec<(String, String)>,
    asked: TripAsk,
    today: LocalDate,
    /// The page that the form leads to.
    path: String,
    /// The id of the place where departures are shown.
    found: &'static str,
    /// What the button says.
    label: Text,
) -> impl IntoView {
    let l = use_locale();
    let follow = use_asking(path.clone(), found);
    let date = asked.date.map(|date| date.to_string()).unwrap_or_default();
    let back = asked.back.map(|date| date.to_string()).unwrap_or_default();
    let day = move |id: &'static str, name: &'static str, text: Text, value: String, needed: bool| {
        let field = NodeRef::<html::Input>::new();
        show_input(field, value.clone());
        view! {
            <div class="field">
                <label class="field-label" for=id>{l.t(text)}</label>
                <input
                    class="input"
                    type="date"
                    id=id
                    name=name
                    value=value
                    min=today.to_string()
                    required=needed
                    node_ref=field
                />
            </div>
        }
    };
    let place = |id: &'static str, name: &'static str, text: Text, chosen: Option<String>| {
        let field = NodeRef::<html::Select>::new();
        let chosen = chosen.unwrap_or_default();
        show_select(field, chosen.clone());
        let none = chosen.is_empty().then(|| view! { <option value="" selected>{l.t(t::ANY_PLACE)}</option> });
        let option = |(key, text): &(String, String)| {
            let selected = *key == chosen;
            view! { <option value=key.clone() selected=selected>{text.clone()}</option> }
        };
        view! {
            <div class="field">
                <label class="field-label" for=id>{l.t(text)}</label>
                <select class="select" id=id name=name required node_ref=field>
                    {none}
                    {places.iter().map(option).collect_view()}
                </select>
            </div>
        }
    };
    let count = |id: &'static str, name: &'static str, text: Text, least: i64, chosen: i64| {
        let field = NodeRef::<html::Select>::new();
        // More than are offered can come by an address.
        let most = OFFERED.max(chosen);
        show_select(field, chosen.to_string());
        let option = |n: i64| view! { <option value=n.to_string() selected={n == chosen}>{n}</option> };
        view! {
            <div class="field">
                <label class="field-label" for=id>{l.t(text)}</label>
                <select class="select" id=id name=name node_ref=field>{(least..=most).map(option).collect_view()}</select>
            </div>
        }
    };
    let people = asked.travellers;
    view! {
        <form class="form booking-form" action=path method="get" on:submit=follow>
            <div class="form-row">
                {place("booking-from", "from", t::FROM, asked.from)}
                {place("booking-to", "to", t::TO, asked.to)}
            </div>
            <div class="form-row form-row-2">
                {day("booking-date", "date", t::DATE, date, true)}
                {day("booking-back", "back", t::BACK, back, false)}
            </div>
            <div class="form-row form-row-3">
                {count("booking-adults", "adults", t::ADULTS, 0, people.adults)}
                {count("booking-children", "children", t::CHILDREN, 0, people.children)}
                {count("booking-infants", "infants", t::INFANTS, 0, people.infants)}
            </div>
            <button class="btn btn-primary" type="submit">{l.t(label)}</button>
        </form>
    }
    .into_any()
}
