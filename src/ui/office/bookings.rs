//! The days of a venue: who works when, and what of that time is taken. A day has a column for each of the people, a week
//! one for each day; on a phone both are lists. The address is the state of the page.

use super::{
    booking_move::{Ghost, Hand, MovePanel, MoveTools, Moving},
    parts::{Failure, LoadFailed},
};
use crate::{
    api::{
        self,
        booking_office::{Block, Unblock},
    },
    domain::{
        Locale,
        booking::{
            agenda::{Agenda, AgendaBooking, AgendaDay, AgendaItem, AgendaResource, AgendaWhat, MAX_DAYS},
            date::LocalDate,
            interval::Interval,
            words,
            zone::Zone,
        },
        catalog::percent_encode,
        number,
        order::BookingState,
        texts::{booking_office as t, booking_visit as v},
    },
    ui::{
        components::{
            booking_state::booking_state_name,
            form::FormState,
            icon::Icon,
            shell::use_toasts,
            skeleton::SkeletonText,
            travel::{Main, use_asked},
        },
        error::problem_text,
        use_locale,
    },
};
use leptos::{ev, html, prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

const PATH: &str = "/office/bookings";
/// What is typed to block time.
const FIELDS: &[&str] = &["from", "until", "reason"];

/// What is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wanted {
    /// The id of a product.
    of: Option<String>,
    date: Option<String>,
    week: bool,
}

impl Wanted {
    fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| get(name).filter(|text| !text.is_empty());
        Self { of: text("of"), date: text("date"), week: text("view").as_deref() == Some("week") }
    }

    fn href(&self) -> String {
        let view = self.week.then(|| "week".to_owned());
        let pairs = [("of", self.of.as_ref()), ("date", self.date.as_ref()), ("view", view.as_ref())];
        let pairs = pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", percent_encode(value?))));
        let pairs: Vec<_> = pairs.collect();
        if pairs.is_empty() { PATH.to_owned() } else { format!("{PATH}?{}", pairs.join("&")) }
    }

    const fn days(&self) -> i64 {
        if self.week { MAX_DAYS } else { 1 }
    }
}

#[component]
pub fn BookingsPage() -> impl IntoView {
    let l = use_locale();
    let wanted = use_asked(PATH, |query| Wanted::read(|name| query.get(name)));
    let moving = use_asked(PATH, |query| Moving::read(|name| query.get(name)));
    let agenda = Resource::new(
        move || wanted.get(),
        |wanted| {
            let days = wanted.days();
            api::booking_office::bookings(wanted.of, wanted.date, days)
        },
    );
    let again = Callback::new(move |()| agenda.refetch());
    let posted = [
        ServerAction::<Block>::new().value().get_untracked().and_then(Result::err),
        ServerAction::<Unblock>::new().value().get_untracked().and_then(Result::err),
    ];
    let posted = posted.into_iter().flatten().next();
    view! {
        <Title text=l.t(t::PAGE_TITLE)/>
        <Main class="office-main">
            <div class="page-head"><h1 class="page-title">{l.t(t::TITLE)}</h1></div>
            {posted.map(|error| view! { <Failure error/> })}
            <Transition fallback=|| view! { <section class="panel"><SkeletonText lines=8/></section> }>
                {move || Suspend::new(async move {
                    match agenda.await {
                        Ok(agenda) if agenda.product_id.is_none() => view! { <NoVenue/> }.into_any(),
                        Ok(agenda) => view! { <Days agenda wanted=wanted.get_untracked() moving again/> }.into_any(),
                        Err(error) => view! { <LoadFailed error/> }.into_any(),
                    }
                })}
            </Transition>
        </Main>
    }
    .into_any()
}

#[component]
fn NoVenue() -> impl IntoView {
    let l = use_locale();
    view! {
        <div class="empty">
            <span class="empty-art"><Icon name="clock" class="icon-lg"/></span>
            <h2 class="empty-title">{l.t(t::EMPTY_TITLE)}</h2>
            <p class="empty-text">{l.t(t::EMPTY_TEXT)}</p>
            <div class="empty-actions"><a class="btn btn-secondary" href=PATH>{l.t(t::TO_FIRST)}</a></div>
        </div>
    }
    .into_any()
}

#[component]
fn Days(agenda: Agenda, wanted: Wanted, moving: Memo<Option<Moving>>, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let hand = Hand::new(agenda.zone.clone(), agenda.may_block, wanted.href(), again);
    let shown = StoredValue::new(agenda.clone());
    let panel = move || {
        let moving = moving.get().filter(|_| hand.may_block)?;
        Some(view! { <MovePanel agenda=shown.get_value() hand moving/> })
    };
    let first = agenda.days.first().copied().unwrap_or(agenda.today);
    let noon = agenda.zone.at(first, 12 * 60);
    let clocks = l.f(v::CLOCKS, &[("zone", &words::utc(&agenda.zone, noon))]);
    let title = match agenda.days.last() {
        Some(last) if *last != first => format!("{} – {}", words::date(l, first), words::date(l, *last)),
        _ => words::date(l, first),
    };
    let body = if wanted.week {
        view! { <WeekView agenda=agenda.clone() hand/> }.into_any()
    } else {
        view! { <DayView agenda=agenda.clone() date=first hand/> }.into_any()
    };
    view! {
        <Tools agenda wanted first/>
        {panel}
        <section aria-labelledby="agenda-title">
            <div class="section-head">
                <h2 id="agenda-title" aria-live="polite">{title}</h2>
                <span class="muted small">{clocks}</span>
            </div>
            {body}
        </section>
        <Ghost hand/>
    }
    .into_any()
}

/// Which venue, which day, and one or seven of them.
#[component]
fn Tools(agenda: Agenda, wanted: Wanted, first: LocalDate) -> impl IntoView {
    let l = use_locale();
    let Agenda { venues, product_id, today, .. } = agenda;
    let step = wanted.days();
    let to = |date: LocalDate| Wanted { date: Some(date.to_string()), ..wanted.clone() }.href();
    let as_week = |week: bool| Wanted { week, date: Some(first.to_string()), ..wanted.clone() }.href();
    let (before, after, now) = (to(first.plus(-step)), to(first.plus(step)), to(today));
    let (day, week) = (as_week(false), as_week(true));
    let is_week = wanted.week;
    let venue = |(id, title): (String, String)| {
        let chosen = product_id.as_ref() == Some(&id);
        view! { <option value=id selected=chosen>{title}</option> }
    };
    let venues = venues.into_iter().map(venue).collect_view();
    view! {
        <div class="office-tools section-sm">
            <form class="agenda-tools" action=PATH method="get">
                <label class="field">
                    <span class="field-label">{l.t(t::VENUE)}</span>
                    <select class="select" name="of">{venues}</select>
                </label>
                <label class="field">
                    <span class="field-label">{l.t(t::DATE)}</span>
                    <input class="input" type="date" name="date" value=first.to_string()/>
                </label>
                {is_week.then(|| view! { <input type="hidden" name="view" value="week"/> })}
                <button class="btn btn-secondary" type="submit">{l.t(t::SHOW)}</button>
            </form>
            <nav class="cluster" aria-label=l.t(t::DAYS)>
                <a class="btn btn-icon btn-quiet" href=before aria-label=l.t(t::EARLIER) data-noscroll=""><Icon name="chevron-left"/></a>
                <a class="btn btn-secondary" href=now data-noscroll="">{l.t(t::TODAY)}</a>
                <a class="btn btn-icon btn-quiet" href=after aria-label=l.t(t::LATER) data-noscroll=""><Icon name="chevron-right"/></a>
                <a class="chip" href=day aria-current=(!is_week).then_some("true") data-noscroll="">{l.t(t::ONE_DAY)}</a>
                <a class="chip" href=week aria-current=is_week.then_some("true") data-noscroll="">{l.t(t::WEEK)}</a>
            </nav>
        </div>
    }
    .into_any()
}

/// A column for each of the people.
#[component]
fn DayView(agenda: Agenda, date: LocalDate, hand: Hand) -> impl IntoView {
    let Agenda { zone, resources, .. } = agenda;
    let column = |resource: AgendaResource| {
        let AgendaResource { id, name, takes, days } = resource;
        let day = days.into_iter().next().unwrap_or(AgendaDay { open: Vec::new(), items: Vec::new() });
        let heading = format!("agenda-{id}");
        let hours = view! { <p class="muted small">{hours_text(use_locale(), &zone, &day.open)}</p> };
        let form = hand.may_block.then(|| {
            view! { <BlockForm resource_id=id.clone() name=name.clone() date again=hand.again/> }
        });
        // What is dropped on a thing would be with nobody.
        let goal = takes.then(|| (id.clone(), name.clone(), date.to_string()));
        let (to, who, on) = goal.map_or((None, None, None), |(id, name, date)| (Some(id), Some(name), Some(date)));
        let resource = takes.then(|| (id, name.clone()));
        view! {
            <section
                class="panel agenda-column"
                aria-labelledby=heading
                data-resource=to
                data-name=who
                data-date=on
            >
                <h3 class="panel-title" id=heading.clone()>{name}</h3>
                {hours}
                <Items items=day.items hand resource/>
                {form}
            </section>
        }
    };
    view! { <div class="agenda">{resources.into_iter().map(column).collect_view()}</div> }.into_any()
}

/// A column for each day, with everybody in it who has something to do.
#[component]
fn WeekView(agenda: Agenda, hand: Hand) -> impl IntoView {
    let l = use_locale();
    let Agenda { resources, days, today, .. } = agenda;
    let column = |(place, date): (usize, LocalDate)| {
        let busy = resources.iter().filter_map(|resource| {
            let day = resource.days.get(place)?;
            let whose = resource.takes.then(|| (resource.id.clone(), resource.name.clone()));
            (!day.items.is_empty()).then(|| (resource.name.clone(), whose, day.items.clone()))
        });
        let busy: Vec<_> = busy.collect();
        let nobody = busy.is_empty().then(|| view! { <p class="muted small">{l.t(t::NOTHING)}</p> });
        let person = |(name, resource, items): (String, Option<(String, String)>, Vec<AgendaItem>)| {
            view! {
                <h4 class="small">{name}</h4>
                <Items items hand resource/>
            }
        };
        let (heading, is_today) = (format!("agenda-{date}"), date == today);
        view! {
            <section
                class="panel agenda-column"
                class:is-today=is_today
                aria-labelledby=heading
                data-date=date.to_string()
            >
                <h3 class="panel-title" id=heading.clone()>{words::date(l, date)}</h3>
                {busy.into_iter().map(person).collect_view()}
                {nobody}
            </section>
        }
    };
    view! { <div class="agenda agenda-week">{days.into_iter().enumerate().map(column).collect_view()}</div> }.into_any()
}

fn hours_text(l: Locale, zone: &Zone, open: &[Interval]) -> String {
    if open.is_empty() {
        return l.t(t::DAY_OFF).to_owned();
    }
    open.iter().map(|part| span(zone, *part)).collect::<Vec<_>>().join(" · ")
}

/// `09:00–11:30` by the clocks of the venue.
fn span(zone: &Zone, time: Interval) -> String {
    format!("{}–{}", zone.local(time.start).clock(), zone.local(time.end).clock())
}

/// What is taken of somebody, by id and name, or of a thing.
#[component]
fn Items(items: Vec<AgendaItem>, hand: Hand, resource: Option<(String, String)>) -> impl IntoView {
    let l = use_locale();
    if items.is_empty() {
        return view! { <p class="muted small">{l.t(t::NOTHING)}</p> }.into_any();
    }
    let item = |item: AgendaItem| view! { <Item item hand resource=resource.clone()/> };
    view! { <ol class="agenda-items">{items.into_iter().map(item).collect_view()}</ol> }.into_any()
}

#[component]
fn Item(item: AgendaItem, hand: Hand, resource: Option<(String, String)>) -> impl IntoView {
    let l = use_locale();
    let AgendaItem { id, time, what } = item;
    let (when, from) = hand.zone.with_value(|zone| (span(zone, time), zone.local(time.start).to_string()));
    let (class, body) = match what {
        AgendaWhat::Booking(booking) => {
            let tools = resource.filter(|_| hand.may_block && booking.open).map(|resource| {
                view! { <MoveTools hand claim=id booking=booking.clone() resource/> }
            });
            let AgendaBooking { number, title, state, paid, .. } = booking;
            let unpaid = (!paid).then(|| view! { <span class="badge badge-warn">{l.t(t::UNPAID)}</span> });
            let state = (state != BookingState::Booked)
                .then(|| view! { <span class="badge">{booking_state_name(l, state)}</span> });
            let body = view! {
                <a class="link" href=format!("/office/orders/{number}")>{title}</a>
                <span class="code small">{number::display(&number)}</span>
                {unpaid}
                {state}
                {tools}
            };
            ("agenda-item", body.into_any())
        }
        AgendaWhat::Blocked { reason } => {
            let text = if reason.is_empty() { l.t(t::BLOCKED).to_owned() } else { reason };
            let form = hand.may_block.then(|| view! { <UnblockForm id when=when.clone() again=hand.again/> });
            ("agenda-item is-blocked", view! { <span>{text}</span>{form} }.into_any())
        }
        AgendaWhat::Offered => ("agenda-item is-blocked", view! { <span>{l.t(t::OFFERED)}</span> }.into_any()),
    };
    view! {
        <li class=class>
            <time class="agenda-time" datetime=from>{when}</time>
            {body}
        </li>
    }
    .into_any()
}

/// It can be blocked again, so that it does not ask.
#[component]
fn UnblockForm(id: String, when: String, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let state = FormState::new(None, &[]);
    let (sent, hidden) = (id.clone(), format!(" {when}"));
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let said = l.t(t::UNBLOCKED);
        state.send(None, api::booking_office::unblock(sent.clone()), move |()| {
            toasts.show(said);
            again.run(());
        });
    };
    view! {
        <form action=Unblock::url() method="post" on:submit=submit>
            {state.notice()}
            <input type="hidden" name="id" value=id/>
            <button class="btn btn-quiet btn-sm" type="submit" aria-busy=state.busy()>
                {l.t(t::UNBLOCK)}<span class="visually-hidden">{hidden}</span>
            </button>
        </form>
    }
    .into_any()
}

/// Time in which nobody can book somebody: a day at the doctor's, a course, a job that was taken by phone.
#[component]
fn BlockForm(resource_id: String, name: String, date: LocalDate, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let state = FormState::new(None, FIELDS);
    let (from, until, reason) =
        (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let id = resource_id.clone();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let value = |field: NodeRef<html::Input>| field.get_untracked().map(|field| field.value()).unwrap_or_default();
        let answer = api::booking_office::block(id.clone(), date.to_string(), value(from), value(until), value(reason));
        let said = l.t(t::BLOCK_DONE);
        state.send(None, answer, move |()| {
            toasts.show(said);
            again.run(());
        });
    };
    let problem = move || {
        let wrong = state.error.with(|error| FIELDS.iter().find_map(|field| error.as_ref()?.problem(field)));
        wrong.map(|problem| {
            let text = problem_text(l, problem);
            view! { <p class="field-error"><Icon name="error" class="icon-sm"/><span>{text}</span></p> }
        })
    };
    let hidden = format!(" {name}");
    view! {
        <details class="agenda-block">
            <summary class="ask">{l.t(t::BLOCK)}<span class="visually-hidden">{hidden}</span></summary>
            <form class="stack-sm" action=Block::url() method="post" on:submit=submit>
                {state.notice()}
                <input type="hidden" name="resource_id" value=resource_id/>
                <input type="hidden" name="date" value=date.to_string()/>
                <label class="field">
                    <span class="field-label">{l.t(t::FROM)}</span>
                    <input class="input" type="time" step="300" name="from" required=true node_ref=from/>
                </label>
                <label class="field">
                    <span class="field-label">{l.t(t::UNTIL)}</span>
                    <input class="input" type="time" step="300" name="until" required=true node_ref=until/>
                </label>
                <label class="field">
                    <span class="field-label">{l.t(t::REASON)}</span>
                    <input class="input" type="text" name="reason" maxlength="100" node_ref=reason/>
                </label>
                <div role="status">{problem}</div>
                <div><button class="btn btn-secondary btn-sm" type="submit" aria-busy=state.busy()>{l.t(t::BLOCK_NOW)}</button></div>
            </form>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_what_is_looked_at() {
        let wanted = Wanted { of: Some("a b".into()), date: Some("2026-12-24".into()), week: true };
        assert_eq!(wanted.href(), "/office/bookings?of=a%20b&date=2026-12-24&view=week");
        let values = [("of", "a b"), ("date", "2026-12-24"), ("view", "week")];
        let get = |name: &str| values.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(Wanted::read(get), wanted);
        assert_eq!(Wanted::read(|_| None), Wanted::default());
        assert_eq!((Wanted::default().href().as_str(), Wanted::default().days()), (PATH, 1));
    }
}
