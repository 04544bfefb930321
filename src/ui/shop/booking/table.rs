//! Booking a table on the page of its restaurant: when, with how many and where, and the free times, each of which is one
//! tap. What is asked for is in the address, so that it can be linked and asked without script.

use super::{
    ask::{ChoiceField, DateField, TimeField, days_around, duration_words, use_asking},
    asked::{AskedTable, bookable},
    wait::{WaitForm, WaitNotice},
};
use crate::{
    api::booking::AddBooking,
    domain::{
        Error, Locale,
        booking::{
            date::LocalDate,
            seating::{Request, SittingList, TableAsk, TableTime, area_name},
            tables::{PartyProblem, PartyTerms},
            wish::Wish,
            words::full_date,
            zone::clock,
        },
        catalog::Product,
        money::Amount,
        texts::{booking as words, booking_table as t, catalog},
    },
    ui::{
        components::{
            icon::Icon,
            links::product_href,
            price::use_currency,
            shell::use_added,
            skeleton::{Reloading, SkeletonText},
            slot_list::{OwnTime, use_alive},
            typed::show_ticked,
        },
        error::ErrorNotice,
        set_status, use_locale,
    },
};
use leptos::{ev, html, prelude::*, server_fn::ServerFn};
use leptos_router::{NavigateOptions, hooks::use_navigate};

/// Where a booking leads when the page cannot stay.
const CART: &str = "/cart";
/// The id of the place where free times are shown.
const FOUND: &str = "free-times";
/// From these minutes of the day on it is lunch, and dinner.
const LUNCH: i64 = 11 * 60;
const DINNER: i64 = 16 * 60;

/// Putting a table into the cart.
#[derive(Clone, Copy)]
struct Booking {
    action: ServerAction<AddBooking>,
    /// What was tapped last: a date and a minute of it, by the clock of the restaurant.
    tapped: StoredValue<Option<(LocalDate, i64)>>,
}

impl Booking {
    fn new(path: String, AskedTable { asked, sittings }: AskedTable) -> Self {
        let (added, navigate) = (use_added(), use_navigate());
        let action = ServerAction::<AddBooking>::new();
        let tapped = StoredValue::new(None);
        Effect::new(move |_| match action.value().get() {
            Some(Ok(cart)) => added(&cart, catalog::ADDED),
            // Somebody else was quicker: what is nearest to what was wanted.
            Some(Err(Error::SlotTaken(_))) => {
                sittings.refetch();
                if let Some((date, minute)) = tapped.get_value() {
                    let asked = TableAsk { date: Some(date), time: Some(minute), ..asked.get_untracked() };
                    let options = NavigateOptions { scroll: false, replace: true, ..NavigateOptions::default() };
                    navigate(&asked.href(&path), options);
                }
            }
            Some(Err(_)) | None => {}
        });
        Self { action, tapped }
    }

    /// Sends the time that was tapped without leaving the page; while one is under way another is ignored.
    fn submit(self, event: &ev::SubmitEvent, variant_id: &str) {
        event.prevent_default();
        let Some(button) = event.submitter() else { return };
        if self.action.pending().get_untracked() {
            return;
        }
        let date = button.get_attribute("data-date").and_then(|date| LocalDate::parse(&date));
        let minute = button.get_attribute("data-minute").and_then(|minute| minute.parse().ok());
        self.tapped.set_value(date.zip(minute));
        if let Some(wish) = button.get_attribute("value") {
            self.action.dispatch(AddBooking { variant_id: variant_id.to_owned(), wish, next: None, back: None });
        }
    }

    fn busy(self) -> Option<&'static str> {
        self.action.pending().get().then_some("true")
    }

    fn error(self) -> Option<Error> {
        self.action.value().get().and_then(Result::err)
    }
}

/// In place of the way into the cart, on the page of a restaurant.
#[component]
pub fn TableBox(product: Product, asked: AskedTable) -> impl IntoView {
    let l = use_locale();
    let variant_id = bookable(&product);
    let path = product_href(&product.handle);
    let booking = Booking::new(path.clone(), asked);
    let AskedTable { asked, sittings } = asked;
    let problem = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let (Some(_), Some(problem)) = (booking.error(), problem.get()) {
            let _ = problem.focus();
        }
    });
    let form_path = path.clone();
    let page = path.clone();
    let here = Signal::derive(move || asked.with(|asked| asked.href(&page)));
    let form = move || {
        let path = form_path.clone();
        Suspend::new(async move {
            let list = sittings.await.ok()?;
            let asked = asked.get_untracked();
            Some(view! { <AskForm list asked path/> })
        })
    };
    let times = move || {
        let (path, variant_id) = (path.clone(), variant_id.clone());
        Suspend::new(async move {
            match sittings.await {
                Ok(list) => {
                    let asked = asked.get_untracked();
                    view! { <Times list asked variant_id path booking/> }.into_any()
                }
                Err(error) => {
                    set_status(error.status_code());
                    view! { <ErrorNotice error reload=true/> }.into_any()
                }
            }
        })
    };
    let pending = RwSignal::new(false);
    view! {
        <section class="booking" aria-labelledby="booking-title">
            <h2 class="section-title" id="booking-title">{l.t(t::TITLE)}</h2>
            <WaitNotice back=here/>
            <Transition fallback=|| view! { <SkeletonText lines=4/> }>{form}</Transition>
            <div node_ref=problem tabindex="-1">
                {move || booking.error().map(|error| view! { <ErrorNotice error/> })}
            </div>
            <div id=FOUND tabindex="-1">
                // What is still there answers what was asked before: it is not to be tapped any more.
                <div inert=move || pending.get()>
                    <Reloading fallback=|| view! { <SkeletonText lines=3/> } pending>
                        {times}
                    </Reloading>
                </div>
            </div>
        </section>
    }
    .into_any()
}

/// When, with how many, where, and what the restaurant shall know.
#[component]
fn AskForm(list: SittingList, asked: TableAsk, path: String) -> impl IntoView {
    let l = use_locale();
    if list.largest < 1 {
        return ().into_any();
    }
    let follow = use_asking(path.clone(), FOUND);
    let count = |n: i64| {
        let text = if n > list.largest {
            l.f(t::MORE_GUESTS, &[("n", &list.largest)])
        } else {
            l.n(words::GUESTS_ONE, words::GUESTS, n)
        };
        (n.to_string(), text)
    };
    let guests = (1..=list.largest + 1).map(count).collect::<Vec<_>>();
    let party = asked.guests.min(list.largest + 1).to_string();
    let (date, time) = (list.date.to_string(), asked.time.map(clock).unwrap_or_default());
    let area = asked.area.clone().unwrap_or_default();
    let areas = (list.areas.len() > 1).then(|| {
        let anywhere = (String::new(), l.t(t::ANYWHERE).to_owned());
        let named = list.areas.iter().map(|area| (area.clone(), area_name(l, area)));
        let areas = std::iter::once(anywhere).chain(named).collect::<Vec<_>>();
        view! { <ChoiceField id="booking-area" name="area" label=t::AREA chosen=area options=areas required=false/> }
    });
    let request = |request: Request| {
        let (field, ticked) = (NodeRef::<html::Input>::new(), asked.requests.contains(&request));
        // It is read when the form is sent.
        show_ticked(field, ticked, |_| ());
        view! {
            <label class="check">
                <input type="checkbox" name=request.name() value="1" checked=ticked node_ref=field/>
                {request.words(l)}
            </label>
        }
    };
    view! {
        <form class="form booking-form" action=path method="get" on:submit=follow>
            <div class="form-row form-row-2">
                <DateField
                    id="booking-date"
                    name="date"
                    label=t::DATE
                    value=date
                    first=list.today
                    last=Some(list.last)
                    required=true
                />
                <ChoiceField id="booking-guests" name="guests" label=t::GUESTS chosen=party options=guests required=false/>
            </div>
            <div class="form-row form-row-2">
                <TimeField value=time/>
                {areas}
            </div>
            <fieldset>
                <legend class="field-label">{l.t(t::REQUESTS)}</legend>
                <div class="cluster">{Request::ALL.into_iter().map(request).collect_view()}</div>
                <p class="field-hint">{l.t(t::REQUESTS_HINT)}</p>
            </fieldset>
            <button class="btn btn-primary" type="submit">{l.t(t::SHOW)}</button>
        </form>
    }
    .into_any()
}

/// The free times of the date, or why there are none.
#[component]
fn Times(list: SittingList, asked: TableAsk, variant_id: String, path: String, booking: Booking) -> impl IntoView {
    let l = use_locale();
    let terms = match list.terms {
        Ok(terms) => terms,
        Err(PartyProblem::Large(n)) => {
            return notice("info", l.f(t::LARGE_TITLE, &[("n", &n)]), l.t(t::LARGE_TEXT));
        }
        Err(PartyProblem::Empty | PartyProblem::Closed) => {
            return notice("clock", l.t(t::CLOSED_TITLE).to_owned(), l.t(t::CLOSED_TEXT));
        }
    };
    let title = full_date(l, list.date);
    let facts = facts(l, &list, terms);
    let on = |date| TableAsk { date: Some(date), ..asked.clone() }.href(&path);
    let days = days_around(l, list.date, list.today..=list.last, t::SEE_DAYS, on);
    let found = i64::try_from(list.times.len()).unwrap_or(i64::MAX);
    let alive = use_alive();
    let near = nearest(l, &list, &asked, alive);
    let on_date = if list.times.is_empty() {
        let title = l.f(t::NONE_TITLE, &[("date", &title)]);
        view! {
            <div class="notice">
                <Icon name="info"/>
                <div class="notice-body"><p class="notice-title">{title}</p><p>{l.t(t::NONE_TEXT)}</p></div>
            </div>
        }
        .into_any()
    } else {
        view! {
            <h3 class="booking-day">{l.f(t::FREE_TIMES, &[("date", &title)])}</h3>
            <p class="muted small" role="status">{l.n(t::FOUND_ONE, t::FOUND, found)}</p>
            {parts(l, &list, &asked, alive)}
        }
        .into_any()
    };
    let wait = list.wanted.filter(|_| list.waits).map(|start| {
        let (area, requests) = (asked.area.clone(), asked.requests.clone());
        let wish = Wish::Table { start, guests: list.guests, area, requests };
        view! { <WaitForm variant_id=variant_id.clone() wish back=asked.href(&path)/> }
    });
    let variant = variant_id.clone();
    view! {
        <form
            class="sitting-form"
            action=AddBooking::url()
            method="post"
            aria-busy=move || booking.busy()
            on:submit=move |event| booking.submit(&event, &variant)
        >
            <input type="hidden" name="variant_id" value=variant_id/>
            <input type="hidden" name="next" value=CART/>
            {near}
            {on_date}
        </form>
        {wait}
        {days}
        {facts}
    }
    .into_any()
}

/// That the wanted time cannot be had, and what is nearest to it.
fn nearest(l: Locale, list: &SittingList, asked: &TableAsk, alive: RwSignal<bool>) -> AnyView {
    let Some(wanted) = list.wanted.filter(|_| !list.nearest.is_empty()) else { return ().into_any() };
    let (date, time) = (full_date(l, list.date), list.zone.local(wanted).clock());
    view! {
        <div class="notice notice-warn" role="status">
            <Icon name="clock"/>
            <div class="notice-body">
                <p class="notice-title">{l.f(t::NOT_FREE, &[("date", &date), ("time", &time)])}</p>
                <p>{l.t(t::NEAREST)}</p>
                <ul class="sittings">
                    {list.nearest.iter().map(|time| slot(l, list, asked, time, alive)).collect_view()}
                </ul>
            </div>
        </div>
    }
    .into_any()
}

/// The times of the date, by part of the day.
fn parts(l: Locale, list: &SittingList, asked: &TableAsk, alive: RwSignal<bool>) -> AnyView {
    let part = |(title, from, until): (_, i64, i64)| {
        let within = |time: &&TableTime| (from..until).contains(&list.zone.local(time.start).minute);
        let times: Vec<_> = list.times.iter().filter(within).collect();
        (!times.is_empty()).then(|| {
            view! {
                <h4 class="booking-part">{l.t(title)}</h4>
                <ul class="sittings">
                    {times.into_iter().map(|time| slot(l, list, asked, time, alive)).collect_view()}
                </ul>
            }
        })
    };
    let all = [(t::MORNING, 0, LUNCH), (t::LUNCH, LUNCH, DINNER), (t::DINNER, DINNER, i64::MAX)];
    all.into_iter().map(part).collect_view().into_any()
}

/// A time that is booked by one tap.
fn slot(l: Locale, list: &SittingList, asked: &TableAsk, time: &TableTime, alive: RwSignal<bool>) -> AnyView {
    let local = list.zone.local(time.start);
    let wish = Wish::Table {
        start: time.start,
        guests: list.guests,
        area: time.area.clone(),
        requests: asked.requests.clone(),
    };
    // A wish is plain data: it always has a JSON.
    let wish = serde_json::to_string(&wish).unwrap_or_default();
    let mut notes = Vec::new();
    if local.date != list.date {
        notes.push(full_date(l, local.date));
    }
    if time.area != asked.area {
        notes.extend(time.area.as_deref().map(|area| area_name(l, area)));
    }
    let note = (!notes.is_empty()).then(|| view! { <span class="sitting-note">{notes.join(" · ")}</span> });
    view! {
        <li>
            <button
                class="btn btn-secondary sitting"
                name="wish"
                value=wish
                data-date=local.date.to_string()
                data-minute=local.minute.to_string()
            >
                <span class="visually-hidden">{l.t(t::BOOK)} " "</span>
                <time datetime=local.to_string()>{local.clock()}</time>
                {note}
                <OwnTime zone=list.zone.clone() moment=time.start alive/>
            </button>
        </li>
    }
    .into_any()
}

/// How long the table is theirs, what is paid beforehand, until when it can be given up, and whose clock counts.
fn facts(l: Locale, list: &SittingList, terms: PartyTerms) -> AnyView {
    let currency = use_currency();
    let deposit = if terms.deposit > Amount::ZERO {
        l.f(t::DEPOSIT, &[("amount", &terms.deposit.display(currency))])
    } else {
        l.t(t::NO_DEPOSIT).to_owned()
    };
    let free = if list.free_before_ms > 0 {
        l.f(t::FREE_BEFORE, &[("time", &duration_words(l, list.free_before_ms))])
    } else {
        l.t(t::FREE_ALWAYS).to_owned()
    };
    let offset = list.zone.local(list.zone.day(list.date).start).offset();
    let fact =
        |icon: &'static str, text: String| view! { <li class="assurance"><Icon name=icon/><span>{text}</span></li> };
    view! {
        <ul class="assurances">
            {fact("clock", l.f(t::LASTING, &[("time", &duration_words(l, terms.duration_ms))]))}
            {fact("card", deposit)}
            {fact("return", free)}
            {fact("pin", l.f(t::CLOCKS, &[("offset", &offset)]))}
        </ul>
    }
    .into_any()
}

fn notice(icon: &'static str, title: String, text: &'static str) -> AnyView {
    view! {
        <div class="notice">
            <Icon name=icon/>
            <div class="notice-body"><p class="notice-title">{title}</p><p>{text}</p></div>
        </div>
    }
    .into_any()
}
