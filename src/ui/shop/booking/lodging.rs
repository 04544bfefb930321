//! What the pages of rooms share: the form that asks for dates and guests, and words for dates, beds and rules.

use crate::{
    domain::{
        Error, Locale,
        booking::{
            HOUR_MS, MINUTE_MS, WHOLE,
            cancellation::{Cancellation, Deadline, Fee},
            date::LocalDate,
            lodging::{Beds, Facility, StayForm},
            stay::{MAX_ROOMS, Stay},
            words::full_date,
            zone::{LocalTime, clock},
        },
        error::Problem,
        locale::Text,
        money::{Amount, Currency},
        texts::{booking as words, booking_stay as t},
    },
    ui::{
        components::field::{Field, described_by, invalid},
        error::problem_text,
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};

/// The fields of the form in which something can be wrong.
const FIELDS: [&str; 5] = ["arrival", "departure", "adults", "children", "rooms"];

/// Dates and guests, and where `places` are suggested the place; it reads into the address `path`. What was typed stands in
/// it again, with what is wrong beside each field.
#[component]
pub fn AskForm(
    path: String,
    form: StayForm,
    wrong: Option<Error>,
    /// The first date that can be chosen, where it is known.
    today: Option<LocalDate>,
    places: Option<Vec<String>>,
) -> impl IntoView {
    let l = use_locale();
    let navigate = use_navigate();
    let action = path.clone();
    let submit = move |event: ev::SubmitEvent| {
        // The browser follows by itself what cannot be read.
        let Ok(asked) = StayForm::from_event(&event) else { return };
        event.prevent_default();
        let options = NavigateOptions { scroll: false, ..NavigateOptions::default() };
        navigate(&asked.href(&path), options);
    };
    let today = today.map(|date| date.to_string());
    let problem = |field: &'static str| Signal::stored(wrong.as_ref().and_then(|wrong| field_problem(l, wrong, field)));
    let date = |id: &'static str, name: &'static str, label: Text, value: String, min: Option<String>| {
        let error = problem(name);
        view! {
            <Field id label=l.t(label) error>
                <input
                    class="input"
                    type="date"
                    id=id
                    name=name
                    value=value
                    min=min
                    required
                    aria-invalid=invalid(error)
                    aria-describedby=described_by(id, false, error)
                />
            </Field>
        }
    };
    let number = |id: &'static str, name: &'static str, label: Text, value: String, min: i64, max: i64| {
        let error = problem(name);
        view! {
            <Field id label=l.t(label) error>
                <input
                    class="input"
                    type="number"
                    inputmode="numeric"
                    id=id
                    name=name
                    value=value
                    min=min
                    max=max
                    required
                    autocomplete="off"
                    aria-invalid=invalid(error)
                    aria-describedby=described_by(id, false, error)
                />
            </Field>
        }
    };
    let typed = form.place.clone();
    let place = places.map(|places| {
        let error: Signal<Option<String>> = Signal::stored(None);
        let options = places.into_iter().map(|place| view! { <option value=place></option> }).collect_view();
        view! {
            <Field id="stay-place" label=l.t(t::PLACE) optional=true error>
                <input
                    class="input"
                    type="text"
                    id="stay-place"
                    name="place"
                    value=typed
                    list="stay-places"
                    maxlength="100"
                    autocomplete="off"
                    placeholder=l.t(t::PLACE_HINT)
                />
            </Field>
            <datalist id="stay-places">{options}</datalist>
        }
    });
    let sort = (!form.sort.is_empty()).then(|| view! { <input type="hidden" name="sort" value=form.sort.clone()/> });
    view! {
        <form class="form panel stay-form" action=action method="get" novalidate on:submit=submit>
            {place}
            <div class="form-row form-row-2">
                {date("stay-arrival", "arrival", t::ARRIVAL, form.arrival.clone(), today.clone())}
                {date("stay-departure", "departure", t::DEPARTURE, form.departure.clone(), today)}
            </div>
            <div class="form-row form-row-3">
                {number("stay-adults", "adults", t::ADULTS, form.adults.clone(), 1, 99)}
                {number("stay-children", "children", t::CHILDREN, form.children.clone(), 0, 99)}
                {number("stay-rooms", "rooms", t::ROOMS, form.rooms.clone(), 1, MAX_ROOMS)}
            </div>
            {sort}
            <button class="btn btn-primary btn-lg" type="submit">{l.t(t::SHOW_ROOMS)}</button>
        </form>
    }
    .into_any()
}

/// Whether something is wrong with a field of the form.
pub fn is_about_a_field(error: &Error) -> bool {
    FIELDS.into_iter().any(|field| error.problem(field).is_some())
}

/// What is wrong with a field, in the words of this form.
fn field_problem(l: Locale, error: &Error, field: &str) -> Option<String> {
    let problem = error.problem(field)?;
    Some(match (field, problem) {
        ("arrival", Problem::Choice) => l.t(t::ARRIVAL_WRONG).to_owned(),
        ("departure", Problem::Choice | Problem::Range(..)) => l.t(t::DEPARTURE_WRONG).to_owned(),
        ("arrival" | "departure", Problem::Required) => l.t(t::DATE_REQUIRED).to_owned(),
        ("rooms", Problem::Range(_, most)) if most < MAX_ROOMS => l.n(t::ROOMS_WRONG_ONE, t::ROOMS_WRONG, most),
        (_, problem) => problem_text(l, problem),
    })
}

/// From the date of arrival to that of departure, with the nights between them.
pub fn stay_words(l: Locale, stay: Stay) -> String {
    let nights = l.n(words::NIGHTS_ONE, words::NIGHTS, stay.nights());
    format!("{} – {} · {nights}", full_date(l, stay.arrival()), full_date(l, stay.departure()))
}

/// A moment by the clocks of the house.
pub fn moment_words(l: Locale, at: LocalTime) -> String {
    format!("{} {}", full_date(l, at.date), at.clock())
}

/// An amount without cents where there are none.
pub fn short(amount: Amount, currency: Currency) -> String {
    let text = amount.display(currency);
    text.strip_suffix(".00").map(str::to_owned).unwrap_or(text)
}

/// The beds of a room: `1 张大床，1 张单人床`; empty where they are not told.
pub fn beds_words(l: Locale, beds: Beds) -> String {
    let kinds = [
        (beds.king, t::BED_KING_ONE, t::BED_KING),
        (beds.double, t::BED_DOUBLE_ONE, t::BED_DOUBLE),
        (beds.single, t::BED_SINGLE_ONE, t::BED_SINGLE),
        (beds.tatami, t::BED_TATAMI_ONE, t::BED_TATAMI),
    ];
    let there = kinds.into_iter().filter(|(n, ..)| *n > 0);
    there.map(|(n, one, other)| l.n(one, other, n)).collect::<Vec<_>>().join(l.t(t::LIST_COMMA))
}

pub const fn facility_name(facility: Facility) -> Text {
    match facility {
        Facility::Wifi => t::WIFI,
        Facility::Parking => t::PARKING,
        Facility::Transfer => t::TRANSFER,
        Facility::AirConditioning => t::AIR_CONDITIONING,
        Facility::FloorHeating => t::FLOOR_HEATING,
        Facility::Lift => t::LIFT,
        Facility::StepFree => t::STEP_FREE,
        Facility::Restaurant => t::RESTAURANT,
        Facility::TeaRoom => t::TEA_ROOM,
        Facility::Bar => t::BAR,
        Facility::Pool => t::POOL,
        Facility::HotSpring => t::HOT_SPRING,
        Facility::Gym => t::GYM,
        Facility::Garden => t::GARDEN,
        Facility::Terrace => t::TERRACE,
        Facility::Kitchen => t::KITCHEN,
        Facility::Laundry => t::LAUNDRY,
        Facility::Luggage => t::LUGGAGE,
        Facility::Family => t::FAMILY,
        Facility::Pets => t::PETS,
        Facility::NoSmoking => t::NO_SMOKING,
    }
}

/// The rules for giving a stay up, one sentence each.
pub fn rules(l: Locale, currency: Currency, cancellation: &Cancellation) -> Vec<String> {
    if cancellation.steps.is_empty() {
        return vec![l.t(t::FREE_TO_THE_END).to_owned()];
    }
    let step = |from: Deadline, fee: Fee| {
        let when = match from {
            Deadline::Clock { days: 0, minute } => l.f(t::FROM_SAME_DAY, &[("time", &clock(minute))]),
            Deadline::Clock { days, minute } => {
                let text = if days == 1 { t::FROM_DAY_BEFORE } else { t::FROM_DAYS_BEFORE };
                l.f(text, &[("n", &days), ("time", &clock(minute))])
            }
            Deadline::Before { ms } if ms < HOUR_MS => l.f(t::FROM_MINUTES_BEFORE, &[("n", &(ms / MINUTE_MS))]),
            Deadline::Before { ms } => l.f(t::FROM_HOURS_BEFORE, &[("n", &(ms / HOUR_MS))]),
        };
        let fee = match fee {
            Fee::Share(share) if share >= WHOLE => l.t(t::FEE_ALL).to_owned(),
            Fee::Share(share) => l.f(t::FEE_SHARE, &[("n", &(share / 100))]),
            Fee::Fixed(amount) => l.f(t::FEE_FIXED, &[("amount", &amount.display(currency))]),
            Fee::Nights(nights) => l.n(t::FEE_NIGHTS_ONE, t::FEE_NIGHTS, nights),
        };
        l.f(t::RULE, &[("when", &when), ("fee", &fee)])
    };
    let steps = cancellation.steps.iter().map(|rule| step(rule.from, rule.fee));
    std::iter::once(l.t(t::FREE_BEFORE).to_owned()).chain(steps).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beds_and_amounts_are_told_as_people_say_them() {
        let beds = Beds { king: 1, single: 2, ..Beds::default() };
        assert_eq!(beds_words(Locale::En, beds), "1 king bed, 2 single beds");
        assert_eq!(beds_words(Locale::ZhCn, Beds::default()), "");
        assert_eq!(short(Amount(39_800), Currency::CNY), "¥398");
        assert_eq!(short(Amount(39_850), Currency::CNY), "¥398.50");
    }

    #[test]
    fn what_is_wrong_is_told_in_the_words_of_the_form() {
        let form = StayForm { arrival: "2026-12-24".into(), departure: "2026-12-24".into(), ..StayForm::default() };
        let date = LocalDate::parse("2026-12-01").unwrap_or(LocalDate::MIN);
        let error = match (StayForm { adults: "1".into(), rooms: "2".into(), ..form }).filled(date).check() {
            Err(error) => error,
            Ok(search) => panic!("{search:?}"),
        };
        assert!(is_about_a_field(&error));
        assert!(field_problem(Locale::En, &error, "departure").is_some());
        assert_eq!(field_problem(Locale::En, &error, "adults"), None);
        assert!(field_problem(Locale::En, &error, "rooms").is_some_and(|text| text.contains('1')));
    }
}
