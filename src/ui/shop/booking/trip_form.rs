//! From where to where, when, and who: the form of a line's page and of the search for trips.

use super::ask::{ChoiceField, DateField, use_asking};
use crate::{
    domain::{
        booking::{date::LocalDate, travel::TripAsk},
        locale::Text,
        texts::booking_trip as t,
    },
    ui::use_locale,
};
use leptos::prelude::*;

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
    let place = |id: &'static str, name: &'static str, label: Text, chosen: Option<String>| {
        let chosen = chosen.unwrap_or_default();
        let none = chosen.is_empty().then(|| (String::new(), l.t(t::ANY_PLACE).to_owned()));
        let options = none.into_iter().chain(places.iter().cloned()).collect::<Vec<_>>();
        view! { <ChoiceField id name label chosen options required=true/> }
    };
    let count = |id: &'static str, name: &'static str, label: Text, chosen: i64| {
        // More than are offered can come by an address.
        let options = (0..=OFFERED.max(chosen)).map(|n| (n.to_string(), n.to_string())).collect::<Vec<_>>();
        view! { <ChoiceField id name label chosen=chosen.to_string() options required=false/> }
    };
    let people = asked.travellers;
    view! {
        <form class="form booking-form" action=path method="get" on:submit=follow>
            <div class="form-row">
                {place("booking-from", "from", t::FROM, asked.from)}
                {place("booking-to", "to", t::TO, asked.to)}
            </div>
            <div class="form-row form-row-2">
                <DateField id="booking-date" name="date" label=t::DATE value=date first=today last=None required=true/>
                <DateField id="booking-back" name="back" label=t::BACK value=back first=today last=None required=false/>
            </div>
            <div class="form-row form-row-3">
                {count("booking-adults", "adults", t::ADULTS, people.adults)}
                {count("booking-children", "children", t::CHILDREN, people.children)}
                {count("booking-infants", "infants", t::INFANTS, people.infants)}
            </div>
            <button class="btn btn-primary" type="submit">{l.t(label)}</button>
        </form>
    }
    .into_any()
}
