//! Moving a stay or a trip of an order: a date is asked about first, and what stands then is from when to when, with the
//! departures of that date for a trip. All of it stands in the address and works without script.

use super::order::Open;
use crate::{
    api::{self, booking_office::MoveElsewhere},
    domain::{
        Error, Locale,
        booking::{
            date::LocalDate,
            offer::Kind,
            words,
            zone::{Zone, clock},
        },
        error::Problem,
        order::{BookingState, OrderBooking, State},
        permission::Permission,
        texts::booking_office as t,
    },
    ui::{
        components::{
            field::{Field, TextField, described_by, invalid, problem_of},
            form::FormState,
            shell::use_toasts,
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

/// In the address what asks for the form, with the position of the booking.
const ELSEWHERE: &str = "elsewhere";
/// The heading of the form.
const TITLE: &str = "elsewhere-title";

/// A date and the minutes of it at which a trip could leave instead; none where no date is asked about.
type Found = Resource<Option<(String, Result<Vec<i64>, Error>)>>;

/// What of a booking the form asks about.
#[derive(Clone, Copy)]
struct Stands {
    open: Open,
    position: i64,
    kind: Kind,
    /// When it begins now, in UTC milliseconds.
    start: i64,
    /// How many nights a stay has.
    nights: i64,
}

/// A link to the form, and the form where it is asked for; nothing for what is moved elsewhere, or not any more.
#[component]
pub fn MoveAway(open: Open, title: String, booking: OrderBooking) -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let OrderBooking { position, kind, clocks, start, end, date, state, .. } = booking;
    let paid = open.order.with_untracked(|order| matches!(order.state, State::ToShip | State::Shipped));
    // By the server's clock when the order was read.
    let to_come = state == BookingState::Booked && open.order.with_untracked(|order| order.now) < start;
    let may = open.role.may(Permission::AdjustStock) && paid && to_come && matches!(kind, Kind::Stay | Kind::Trip);
    let stands = Stands { open, position, kind, start, nights: date.until(clocks.local(end).date) };
    let number = open.number();
    let page = format!("/office/orders/{number}");
    let asked = Memo::new(move |_| {
        may && query.with(|query| query.get(ELSEWHERE)).is_some_and(|place| place == position.to_string())
    });
    // Asked for beside the form and not within the answer below it, which would ask twice.
    let wanted = Memo::new(move |_| {
        let date = query.with(|query| query.get("date")).filter(|date| !date.is_empty());
        date.filter(|_| asked.get())
    });
    let found: Found = Resource::new(
        move || wanted.get(),
        move |date| {
            let number = number.clone();
            async move {
                // What is no date is said beside its field.
                let date = date.filter(|date| LocalDate::parse(date).is_some())?;
                let minutes = match kind {
                    Kind::Trip => api::booking_office::departures(number, position, date.clone()).await,
                    // Of nights it is said when they are moved whether they can be had.
                    _ => Ok(Vec::new()),
                };
                Some((date, minutes))
            }
        },
    );
    let wrong = Signal::derive(move || {
        let is_none = |date: &String| LocalDate::parse(date).is_none();
        let wrong = wanted.with(|date| date.as_ref().is_some_and(is_none));
        wrong.then(|| Error::field("date", Problem::Choice))
    });
    let link = may.then(|| {
        let hidden = format!(" {title}");
        let href = format!("{page}?{ELSEWHERE}={position}");
        view! {
            <p><a class="btn btn-quiet btn-sm" href=href>{l.t(t::MOVE)}<span class="visually-hidden">{hidden}</span></a></p>
        }
    });
    let (title, page) = (StoredValue::new(title), StoredValue::new(page));
    let clocks = StoredValue::new(clocks);
    let form = move || {
        asked.get().then(|| {
            let now = clocks.with_value(|clocks| when(l, clocks, stands));
            let typed = wanted.get_untracked().unwrap_or_else(|| date.to_string());
            let answer = move || {
                Suspend::new(async move {
                    match found.await {
                        Some((date, minutes)) => view! { <Answer stands date minutes/> }.into_any(),
                        None => ().into_any(),
                    }
                })
            };
            view! {
                <section class="panel stack" aria-labelledby=TITLE>
                    <h3 class="panel-title" id=TITLE>{title.with_value(|title| l.f(t::MOVE_TITLE, &[("title", title)]))}</h3>
                    <p>{l.f(t::MOVE_FROM, &[("when", &now)])}</p>
                    <form class="form" action=page.get_value() method="get">
                        <input type="hidden" name=ELSEWHERE value=position/>
                        <TextField
                            id="date" name="date" kind="date" label=l.t(t::MOVE_DATE) value=typed
                            error=problem_of(wrong, "date")
                        />
                        <div class="form-actions">
                            <button class="btn btn-secondary" type="submit">{l.t(t::ELSEWHERE_SHOW)}</button>
                            <a class="btn btn-quiet" href=page.get_value()>{l.t(t::KEEP)}</a>
                        </div>
                    </form>
                    <Transition fallback=|| ()>{answer}</Transition>
                </section>
            }
        })
    };
    view! {
        {link}
        {form}
    }
    .into_any()
}

/// When it is now: from one date to another, or when it leaves.
fn when(l: Locale, clocks: &Zone, stands: Stands) -> String {
    match stands.kind {
        Kind::Stay => nights(l, clocks.local(stands.start).date, stands.nights),
        _ => words::moment(l, clocks, stands.start),
    }
}

/// From the date of arrival to that of departure.
fn nights(l: Locale, arrival: LocalDate, nights: i64) -> String {
    format!("{} – {}", words::date(l, arrival), words::date(l, arrival.plus(nights)))
}

/// What there is on a date: the nights from it on, or the departures to choose from, with the button that moves it.
#[component]
fn Answer(stands: Stands, date: String, minutes: Result<Vec<i64>, Error>) -> impl IntoView {
    let l = use_locale();
    let (toasts, navigate, query) = (use_toasts(), use_navigate(), use_query_map());
    let posted = ServerAction::<MoveElsewhere>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &["time"]);
    let minutes = match minutes {
        Ok(minutes) => minutes,
        Err(error) => return view! { <ErrorNotice error/> }.into_any(),
    };
    let Some(day) = LocalDate::parse(&date) else { return ().into_any() };
    let Stands { open, position, kind, start, nights: count } = stands;
    if kind == Kind::Trip && minutes.is_empty() {
        let text = l.f(t::ELSEWHERE_NONE, &[("date", &words::date(l, day))]);
        return view! { {state.notice()}<p class="muted" role="status">{text}</p> }.into_any();
    }
    let then = if kind == Kind::Stay { nights(l, day, count) } else { words::date(l, day) };
    let error = problem_of(state.error.into(), "time");
    let typed = query.with_untracked(|query| query.get("time")).unwrap_or_default();
    let departures = (kind == Kind::Trip).then(|| {
        let option = |time: String| {
            let selected = time == typed;
            view! { <option value=time selected=selected>{time.clone()}</option> }
        };
        let options = minutes.iter().copied().map(clock).map(option).collect_view();
        view! {
            <Field id="time" label=l.t(t::ELSEWHERE_DEPARTURE) error>
                <select
                    class="select"
                    id="time"
                    name="time"
                    aria-invalid=invalid(error)
                    aria-describedby=described_by("time", false, error)
                >
                    {options}
                </select>
            </Field>
        }
    });
    let submit = move |event: ev::SubmitEvent| {
        let Ok(MoveElsewhere { number, position, seen, date, time }) = MoveElsewhere::from_event(&event) else {
            return;
        };
        event.prevent_default();
        let (page, navigate) = (format!("/office/orders/{number}"), navigate.clone());
        state.send(None, api::booking_office::move_elsewhere(number, position, seen, date, time), move |()| {
            toasts.show(l.t(t::MOVED));
            navigate(&page, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
            // The order is read again, as after anything else that is done with it.
            open.tell(async { Ok(()) });
        });
    };
    view! {
        <form class="form" action=MoveElsewhere::url() method="post" novalidate on:submit=submit>
            <p><strong>{l.f(t::MOVE_TO, &[("when", &then)])}</strong></p>
            <p class="muted small">{l.t(t::MOVE_TEXT)}</p>
            {state.notice()}
            <input type="hidden" name="number" value=open.number()/>
            <input type="hidden" name="position" value=position/>
            <input type="hidden" name="seen" value=start/>
            <input type="hidden" name="date" value=date/>
            {departures}
            <div class="form-actions">
                <button class="btn btn-primary" type="submit" aria-busy=state.busy()>{l.t(t::MOVE_NOW)}</button>
            </div>
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nights_are_told_from_arrival_to_departure() {
        let arrival = LocalDate::parse("2026-12-30").unwrap_or(LocalDate::MIN);
        assert_eq!(nights(Locale::En, arrival, 3), "Wed 30 Dec – Sat 2 Jan");
        assert_eq!(nights(Locale::ZhCn, arrival, 1), "12月30日 周三 – 12月31日 周四");
    }
}
