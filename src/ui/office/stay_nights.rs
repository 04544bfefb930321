//! The nights of a room type by month, and the two forms that change a range of them: prices with rules, and rooms.

use super::parts::{Failure, LoadFailed};
use crate::{
    api::{
        self,
        page::typed,
        stay::{SetRates, SetRooms},
    },
    domain::{
        Error, Locale,
        booking::{
            date::LocalDate,
            keeping::{MAX_TOTAL, OfficeMonth, OfficeNight, RateForm, RoomsForm, Weekdays},
            words as dates,
        },
        catalog::percent_encode,
        error::Problem,
        locale::Text,
        money::Currency,
        texts::{booking_stay as t, office},
    },
    ui::{
        components::{
            field::{Field, described_by, invalid},
            form::FormState,
            icon::Icon,
            links::product_href,
            price::use_currency,
            shell::use_toasts,
            skeleton::SkeletonText,
            travel::Main,
        },
        error::problem_text,
        shop::booking::lodging::short,
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::{use_location, use_params_map, use_query_map};

const PATH: &str = "/office/stays";
/// The fields of both forms, which are their ids too.
const RATES: &[&str] = &["first", "last", "price", "min_nights", "max_nights", "arrival", "departure", "open"];
const ROOMS: &[&str] = &["from", "to", "total"];

#[component]
pub fn StayNightsPage() -> impl IntoView {
    let l = use_locale();
    let (params, query, location) = (use_params_map(), use_query_map(), use_location());
    // On the way to another page the address is already that of the other page: this one keeps what it shows.
    let wanted = Memo::new(move |last: Option<&(String, String)>| match last {
        Some(last) if location.pathname.with(|path| !path.starts_with("/office/stays/")) => last.clone(),
        _ => {
            let id = params.with(|params| params.get("id")).unwrap_or_default();
            (id, query.with(|query| query.get("month")).unwrap_or_default())
        }
    });
    let month = Resource::new(move || wanted.get(), |(id, month)| api::stay::office_nights(id, month));
    let again = Callback::new(move |()| month.refetch());
    // Each comes back with its form when the browser posted it.
    let rates = ServerAction::<SetRates>::new().value().get_untracked().and_then(Result::err);
    let rooms = ServerAction::<SetRooms>::new().value().get_untracked().and_then(Result::err);
    let rates = FormState::new(rates, RATES);
    let rooms = FormState::new(rooms, ROOMS);
    let (typed_rates, typed_rooms) = (typed("rates"), typed("rooms"));
    let first = Memo::new(move |_| wanted.with(|(id, _)| id.clone()));
    view! {
        <Title text=l.t(t::OFFICE_TITLE)/>
        <Main class="office-main">
            <Transition fallback=|| view! { <section class="panel"><SkeletonText lines=10/></section> }>
                {move || Suspend::new(async move {
                    match month.await {
                        Ok(month) => view! { <Month month/> }.into_any(),
                        Err(error) => view! { <LoadFailed error/> }.into_any(),
                    }
                })}
            </Transition>
            <input type="hidden" id="rates" value=typed_rates.clone()/>
            <input type="hidden" id="rooms" value=typed_rooms.clone()/>
            <RatesForm variant=first form=RateForm::from_typed(&typed_rates) state=rates again/>
            <RoomCountForm variant=first form=RoomsForm::from_typed(&typed_rooms) state=rooms again/>
        </Main>
    }
    .into_any()
}

/// A month as a table: what each night costs, how many rooms there are and are taken, and its rules.
#[component]
fn Month(month: OfficeMonth) -> impl IntoView {
    let l = use_locale();
    let currency = use_currency();
    let OfficeMonth { variant_id, handle, title, room, today, nights } = month;
    let Some(first) = nights.first().map(|night| night.date) else { return ().into_any() };
    let to = |date: LocalDate| {
        let (year, month, _) = date.civil();
        format!("{PATH}/{}?month={year:04}-{month:02}", percent_encode(&variant_id))
    };
    let link = |date: LocalDate, icon: &'static str, text: Text| {
        view! { <a class="btn btn-icon btn-quiet" href=to(date) aria-label=l.t(text)><Icon name=icon/></a> }
    };
    let name = dates::month(l, first);
    let column = |text: Text| view! { <th scope="col">{l.t(text)}</th> };
    let number = |text: Text| view! { <th scope="col" class="is-num">{l.t(text)}</th> };
    let rows = nights.iter().map(|night| night_row(l, currency, night, today)).collect_view();
    view! {
        <div class="page-head">
            <h1 class="page-title">{room}</h1>
            <p class="muted"><a class="link link-quiet" href=product_href(&handle)>{title}</a></p>
        </div>
        <section class="panel" aria-labelledby="nights-month">
            <div class="nights-head">
                {link(first.plus(-1), "chevron-left", t::MONTH_BEFORE)}
                <h2 class="nights-title" id="nights-month">{name.clone()}</h2>
                {link(first.plus(31), "chevron-right", t::MONTH_AFTER)}
            </div>
            <div class="table-wrap">
                <table class="table table-cards">
                    <caption class="visually-hidden">{name}</caption>
                    <thead>
                        <tr>
                            {column(t::NIGHT)}
                            {number(office::PRICE)}
                            {number(t::ROOMS_TAKEN)}
                            {column(t::STAY_LENGTH)}
                            {column(t::RULES)}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

fn night_row(l: Locale, currency: Currency, row: &OfficeNight, today: LocalDate) -> AnyView {
    let date = dates::full_date(l, row.date);
    let class = (row.date < today).then_some("muted");
    let rooms = format!("{} / {}", row.claimed, row.total);
    let Some(night) = row.night else {
        return view! {
            <tr class=class>
                <th scope="row">{date}</th>
                <td class="is-num" data-label=l.t(office::PRICE)>"–"</td>
                <td class="is-num" data-label=l.t(t::ROOMS_TAKEN)>{rooms}</td>
                <td data-label=l.t(t::STAY_LENGTH)>"–"</td>
                <td data-label=l.t(t::RULES)>{l.t(t::NOT_SET)}</td>
            </tr>
        }
        .into_any();
    };
    let rules = [
        (night.closed, t::RULE_CLOSED),
        (night.closed_to_arrival, t::RULE_NO_ARRIVAL),
        (night.closed_to_departure, t::RULE_NO_DEPARTURE),
    ];
    let rules: Vec<_> = rules.into_iter().filter(|(is, _)| *is).map(|(_, text)| l.t(text)).collect();
    let rules = if rules.is_empty() { l.t(t::RULE_NONE).to_owned() } else { rules.join(l.t(t::LIST_COMMA)) };
    view! {
        <tr class=class>
            <th scope="row">{date}</th>
            <td class="is-num" data-label=l.t(office::PRICE)>{short(night.price, currency)}</td>
            <td class="is-num" data-label=l.t(t::ROOMS_TAKEN)>{rooms}</td>
            <td data-label=l.t(t::STAY_LENGTH)>{format!("{} – {}", night.min_nights, night.max_nights)}</td>
            <td data-label=l.t(t::RULES)>{rules}</td>
        </tr>
    }
    .into_any()
}

/// What is wrong with a field, in the words of these forms.
fn words(l: Locale, state: FormState, field: &'static str) -> Signal<Option<String>> {
    Signal::derive(move || {
        let problem = state.error.with(|error| error.as_ref()?.problem(field))?;
        Some(match (field, problem) {
            ("total", Problem::Range(from, MAX_TOTAL)) if from > 0 => l.n(t::FEWER_ONE, t::FEWER, from),
            ("price", Problem::Required) => l.t(t::NOTHING_CHANGED).to_owned(),
            ("last" | "to", Problem::Range(..)) => l.t(t::RANGE_WRONG).to_owned(),
            (_, problem) => problem_text(l, problem),
        })
    })
}

/// A date, a number or an amount with its label.
#[component]
fn Input(
    id: &'static str,
    name: &'static str,
    label: Text,
    #[prop(default = "text")] kind: &'static str,
    #[prop(optional)] optional: bool,
    value: String,
    state: FormState,
) -> impl IntoView {
    let l = use_locale();
    let error = words(l, state, id);
    let inputmode = match kind {
        "number" => Some("numeric"),
        "text" => Some("decimal"),
        _ => None,
    };
    view! {
        <Field id label=l.t(label) optional error>
            <input
                class="input"
                id=id
                name=name
                type=kind
                inputmode=inputmode
                value=value
                autocomplete="off"
                aria-required=(!optional).then_some("true")
                aria-invalid=invalid(error)
                aria-describedby=described_by(id, false, error)
            />
        </Field>
    }
    .into_any()
}

/// A choice with its label; the values come with their texts.
#[component]
fn Select(
    id: &'static str,
    name: &'static str,
    label: Text,
    choices: Vec<(&'static str, Text)>,
    value: String,
    state: FormState,
) -> impl IntoView {
    let l = use_locale();
    let error = words(l, state, id);
    let option = |(choice, text): (&'static str, Text)| {
        view! { <option value=choice selected={choice == value}>{l.t(text)}</option> }
    };
    let options = choices.into_iter().map(option).collect_view();
    view! {
        <Field id label=l.t(label) error>
            <select class="select" id=id name=name aria-invalid=invalid(error) aria-describedby=described_by(id, false, error)>
                {options}
            </select>
        </Field>
    }
    .into_any()
}

fn weekdays() -> Vec<(&'static str, Text)> {
    let text = |days: Weekdays| match days {
        Weekdays::All => t::DAYS_ALL,
        Weekdays::Weekend => t::DAYS_WEEKEND,
        Weekdays::Week => t::DAYS_WEEK,
    };
    Weekdays::ALL.map(|days| (days.name(), text(days))).to_vec()
}

#[component]
fn RatesForm(variant: Memo<String>, form: RateForm, state: FormState, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let (toasts, currency) = (use_toasts(), use_currency());
    let submit = move |event: ev::SubmitEvent| {
        let Ok(SetRates { variant_id, form, .. }) = SetRates::from_event(&event) else { return };
        event.prevent_default();
        let wrong = form.check(currency).err();
        state.send(wrong, api::stay::set_rates(variant_id, form, None), move |()| {
            toasts.show(l.t(t::SAVED));
            again.run(());
        });
    };
    let yes_or_no = |yes: Text, no: Text| vec![("", t::AS_IT_IS), ("yes", yes), ("no", no)];
    let next = move || format!("{PATH}/{}", percent_encode(&variant.get()));
    view! {
        <section class="panel" aria-labelledby="rates-title">
            <h2 class="panel-title" id="rates-title">{l.t(t::RATES_TITLE)}</h2>
            <p class="muted small">{l.t(t::RATES_HINT)}</p>
            <form class="form" action=SetRates::url() method="post" novalidate on:submit=submit>
                {failure(state, RATES)}
                <input type="hidden" name="variant_id" value=move || variant.get()/>
                <input type="hidden" name="next" value=next/>
                <div class="form-row">
                    <Input id="first" name="form[first]" label=t::FIRST_NIGHT kind="date" value=form.first state/>
                    <Input id="last" name="form[last]" label=t::LAST_NIGHT kind="date" value=form.last state/>
                    <Select id="days" name="form[days]" label=t::DAYS choices=weekdays() value=form.days state/>
                </div>
                <div class="form-row">
                    <Input id="price" name="form[price]" label=t::NIGHT_PRICE optional=true value=form.price state/>
                    <Input id="min_nights" name="form[min_nights]" label=t::MIN_NIGHTS kind="number" optional=true value=form.min_nights state/>
                    <Input id="max_nights" name="form[max_nights]" label=t::MAX_NIGHTS kind="number" optional=true value=form.max_nights state/>
                </div>
                <div class="form-row">
                    <Select
                        id="arrival" name="form[arrival]" label=t::MAY_ARRIVE
                        choices=yes_or_no(t::ALLOWED, t::NOT_ALLOWED) value=form.arrival state
                    />
                    <Select
                        id="departure" name="form[departure]" label=t::MAY_LEAVE
                        choices=yes_or_no(t::ALLOWED, t::NOT_ALLOWED) value=form.departure state
                    />
                    <Select
                        id="open" name="form[open]" label=t::IS_SOLD
                        choices=yes_or_no(t::SOLD, t::CLOSED) value=form.open state
                    />
                </div>
                <button class="btn btn-primary" type="submit" aria-busy=state.busy()>{l.t(t::SAVE_RATES)}</button>
            </form>
        </section>
    }
    .into_any()
}

#[component]
fn RoomCountForm(variant: Memo<String>, form: RoomsForm, state: FormState, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let submit = move |event: ev::SubmitEvent| {
        let Ok(SetRooms { variant_id, form, .. }) = SetRooms::from_event(&event) else { return };
        event.prevent_default();
        let wrong = form.check().err();
        state.send(wrong, api::stay::set_rooms(variant_id, form, None), move |()| {
            toasts.show(l.t(t::SAVED));
            again.run(());
        });
    };
    let next = move || format!("{PATH}/{}", percent_encode(&variant.get()));
    view! {
        <section class="panel" aria-labelledby="room-count-title">
            <h2 class="panel-title" id="room-count-title">{l.t(t::ROOMS_TITLE)}</h2>
            <p class="muted small">{l.t(t::ROOMS_HINT)}</p>
            <form class="form" action=SetRooms::url() method="post" novalidate on:submit=submit>
                {failure(state, ROOMS)}
                <input type="hidden" name="variant_id" value=move || variant.get()/>
                <input type="hidden" name="next" value=next/>
                <div class="form-row">
                    <Input id="from" name="form[from]" label=t::FIRST_NIGHT kind="date" value=form.from state/>
                    <Input id="to" name="form[to]" label=t::LAST_NIGHT kind="date" value=form.to state/>
                    <Select id="on" name="form[on]" label=t::DAYS choices=weekdays() value=form.on state/>
                    <Input id="total" name="form[total]" label=t::ROOM_COUNT kind="number" value=form.total state/>
                </div>
                <button class="btn btn-primary" type="submit" aria-busy=state.busy()>{l.t(t::SAVE_ROOMS)}</button>
            </form>
        </section>
    }
    .into_any()
}

/// What went wrong and is about no field of the form.
fn failure(
    state: FormState,
    fields: &'static [&'static str],
) -> impl Fn() -> Option<AnyView> + Copy + Send + Sync + 'static {
    move || {
        let said = |error: &Error| fields.iter().any(|field| error.problem(field).is_some());
        let error = state.error.get().filter(|error| !said(error));
        error.map(|error| view! { <Failure error/> }.into_any())
    }
}
