//! A service: what it costs and how long it takes, by whom, on which day and at which hour.
//!
//! All that is chosen is in the address, by links, so that it works without script; a slot is a button of a form that puts
//! the visit into the cart. What is taken can be waited for.

use super::{
    asked::{AskedVisit, offered},
    further::FurtherServices,
    wait::{WaitForm, WaitNotice, WaitTimes},
};
use crate::{
    api::booking::AddBooking,
    domain::{
        Error, Locale,
        booking::{
            alternatives::{self, Wanted},
            date::LocalDate,
            month,
            offer::{AddOn, Basis},
            slots::Slot,
            visit::{Choice, Chosen, Gender, NEAREST, Worker},
            wish::Wish,
            words,
            zone::Zone,
        },
        catalog::{Product, Variant},
        locale::Text,
        texts::booking_visit as t,
    },
    ui::{
        components::{
            booked::rules,
            calendar::{Calendar, CalendarDay},
            icon::Icon,
            links::product_href,
            price::{Price, use_currency},
            shell::use_added,
            skeleton::{Reloading, SkeletonText},
            slot_list::{SlotList, SlotTime},
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn};
use std::sync::Arc;

/// Where a visit leads that was put into the cart.
const CART: &str = "/cart";

/// What the parts of the box share.
#[derive(Clone, Copy)]
struct Booking {
    /// The address of the page, without what is chosen.
    path: StoredValue<String>,
    chosen: Memo<Chosen>,
    action: ServerAction<AddBooking>,
    /// The wish that was sent last.
    sent: RwSignal<Option<String>>,
    /// Whether what is shown answers something that was chosen before.
    pending: RwSignal<bool>,
}

impl Booking {
    fn href(self, chosen: &Chosen) -> String {
        self.path.with_value(|path| chosen.href(path))
    }

    /// The address of this page.
    fn here(self) -> Signal<String> {
        self.with(|_| ())
    }

    /// The address of the page on which something else is chosen. It follows the address of this one: what was chosen a
    /// moment ago is not lost because its answer is still on its way.
    fn with(self, change: impl Fn(&mut Chosen) + Send + Sync + 'static) -> Signal<String> {
        Signal::derive(move || {
            let mut chosen = Chosen { gone: None, ..self.chosen.get() };
            change(&mut chosen);
            self.href(&chosen)
        })
    }

    /// The wish on its way to the server.
    fn on_its_way(self) -> Signal<Option<String>> {
        Signal::derive(move || self.sent.get().filter(|_| self.action.pending().get()))
    }

    /// When the slot began that was wanted and was gone.
    fn gone(self) -> Option<i64> {
        let taken = self.action.value().with(|answer| matches!(answer, Some(Err(Error::SlotTaken(_)))));
        let sent = self.sent.get().and_then(|wish| Wish::parse(&wish).ok());
        let start = match sent {
            Some(Wish::Visit { start, .. }) => Some(start),
            _ => self.chosen.with(|chosen| chosen.gone),
        };
        start.filter(|_| taken)
    }
}

#[component]
pub fn VisitBox(product: Product, asked: AskedVisit) -> impl IntoView {
    let l = use_locale();
    let added = use_added();
    let AskedVisit { chosen, choice } = asked;
    let booking = Booking {
        path: StoredValue::new(product_href(&product.handle)),
        chosen,
        action: ServerAction::new(),
        sent: RwSignal::new(None),
        pending: RwSignal::new(false),
    };
    let own = product.clone();
    let variant = Memo::new(move |_| offered(&own, chosen.with(|chosen| chosen.variant.clone())));
    Effect::new(move |_| match booking.action.value().get() {
        Some(Ok(cart)) => {
            added(&cart, t::ADDED);
            choice.refetch();
        }
        // What is shown as free is not, most likely.
        Some(Err(_)) if booking.sent.get_untracked().is_some() => choice.refetch(),
        Some(Err(_)) | None => {}
    });
    let offers = (product.variants.len() > 1).then(|| view! { <Offers product variant booking/> });
    let error = move || booking.action.value().get().and_then(Result::err);
    view! {
        {offers}
        <WaitNotice back=booking.here()/>
        <Reloading fallback=|| view! { <SkeletonText lines=10/> } pending=booking.pending>
            {move || Suspend::new(async move {
                match choice.await {
                    Ok(choice) => view! { <Chooser choice booking/> }.into_any(),
                    Err(Error::NotFound) => view! { <p class="stock stock-out">{l.t(t::NOT_OFFERED)}</p> }.into_any(),
                    Err(error) => view! { <ErrorNotice error reload=true/> }.into_any(),
                }
            })}
        </Reloading>
        // Beside what was tried: the buttons are above it.
        <div role="status">{move || error().filter(|error| !matches!(error, Error::SlotTaken(_))).map(|error| view! { <ErrorNotice error/> })}</div>
    }
    .into_any()
}

/// The services of a product: so many hours, or a home of such a size.
#[component]
fn Offers(product: Product, variant: Memo<String>, booking: Booking) -> impl IntoView {
    let l = use_locale();
    let currency = use_currency();
    let name = match product.options.as_slice() {
        [option] => option.name.clone(),
        _ => l.t(t::SERVICE).to_owned(),
    };
    let offer = |offered: &Variant| {
        let (id, label, price) = (offered.id.clone(), product.label(offered), offered.price);
        let (here, there) = (id.clone(), id);
        let current = move || variant.with(|chosen| *chosen == here).then_some("true");
        let href = booking.with(move |chosen| chosen.variant = Some(there.clone()));
        view! {
            <li>
                <a class="option" aria-current=current href=href rel="nofollow" data-noscroll="" prop:replace=true>
                    <span class="option-face">{label}<span class="option-note">{price.display(currency)}</span></span>
                </a>
            </li>
        }
    };
    view! {
        <section class="options" aria-labelledby="offers-title">
            <h2 class="options-label" id="offers-title">{name}</h2>
            <ul class="options-list">{product.variants.iter().map(offer).collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// Everything that depends on the service: price, add-ons, people, days, slots.
#[component]
fn Chooser(choice: Choice, booking: Booking) -> impl IntoView {
    let l = use_locale();
    let currency = use_currency();
    let basis = match choice.basis {
        Basis::Fixed => t::BASIS_FIXED,
        Basis::Hour => t::BASIS_HOUR,
        Basis::Area => t::BASIS_AREA,
    };
    let place = match (choice.place.is_empty(), choice.at_home) {
        (true, true) => l.t(t::AT_HOME).to_owned(),
        (true, false) => String::new(),
        (false, true) => l.f(t::AT_HOME_IN, &[("area", &choice.place)]),
        (false, false) => l.f(t::AT_VENUE, &[("address", &choice.place)]),
    };
    let terms = rules(l, currency, &choice.cancellation);
    let (price, duration) = (choice.price, words::length(l, choice.duration_ms));
    let add_ons = choice.add_ons.iter().cloned().enumerate();
    let add_on = |(index, add_on): (usize, AddOn)| {
        let is_chosen = choice.chosen_add_ons.contains(&index);
        view! { <AddOnChoice add_on index is_chosen booking/> }
    };
    let add_ons = (!choice.add_ons.is_empty()).then(|| {
        view! {
            <section class="options" aria-labelledby="add-ons-title">
                <h2 class="options-label" id="add-ons-title">{l.t(t::ADD_ONS)}</h2>
                <ul class="add-ons">{add_ons.map(add_on).collect_view()}</ul>
            </section>
        }
    });
    let known: Arc<[String]> = choice.further.iter().map(|one| one.variant_id.clone()).collect();
    let further = choice.further.iter().cloned().map(|one| {
        let (id, known) = (one.variant_id.clone(), known.clone());
        let href = booking.with(move |chosen| {
            // What is not done along with this one is left behind.
            chosen.further.retain(|id| known.contains(id));
            *chosen = chosen.joined(&id);
        });
        (one, href)
    });
    let (further, chosen_further): (Vec<_>, _) = (further.collect(), choice.chosen_further.clone());
    view! {
        <p class="buy-price" aria-live="polite">
            <Price amount=price class="price-xl"/>
            <span class="muted small">{l.t(basis)}</span>
        </p>
        {add_ons}
        <FurtherServices services=further chosen=chosen_further/>
        <ul class="assurances">
            <li class="assurance"><Icon name="clock"/><span>{l.f(t::TAKES, &[("time", &duration)])}</span></li>
            {(!place.is_empty()).then(|| view! { <li class="assurance"><Icon name="pin"/><span>{place}</span></li> })}
            <li class="assurance">
                <Icon name="return"/>
                <span>{terms.into_iter().map(|term| view! { <span class="term">{term}</span> }).collect_view()}</span>
            </li>
        </ul>
        <People choice=choice.clone() booking/>
        <Days choice=choice.clone() booking/>
        <Slots choice booking/>
    }
    .into_any()
}

/// One add-on: a link that takes it along, or leaves it out again.
#[component]
fn AddOnChoice(add_on: AddOn, index: usize, is_chosen: bool, booking: Booking) -> impl IntoView {
    let l = use_locale();
    let AddOn { name, price, duration_ms, .. } = add_on;
    let href = booking.with(move |chosen| *chosen = chosen.toggled(index));
    let longer = (duration_ms > 0).then(|| l.f(t::LONGER, &[("time", &words::length(l, duration_ms))]));
    let more = format!("+{}", price.display(use_currency()));
    let note: Vec<_> = [Some(more), longer].into_iter().flatten().collect();
    let (icon, text) = if is_chosen { ("check", t::LEAVE_OUT) } else { ("plus", t::TAKE_ALONG) };
    view! {
        <li>
            <a class="add-on" class:is-chosen=is_chosen href=href rel="nofollow" data-noscroll="" prop:replace=true>
                <Icon name=icon class="icon-sm"/>
                <span class="grow">{name}</span>
                <span class="muted small">{note.join(" · ")}</span>
                <span class="visually-hidden">{l.t(text)}</span>
            </a>
        </li>
    }
    .into_any()
}

/// Who does it: anyone, or somebody.
#[component]
fn People(choice: Choice, booking: Booking) -> impl IntoView {
    let l = use_locale();
    let Choice { workers, person, .. } = choice;
    if workers.is_empty() {
        return ().into_any();
    }
    let anyone = booking.with(|chosen| chosen.person = None);
    let worker = |(index, worker): (usize, Worker)| {
        let id = worker.id.clone();
        let href = booking.with(move |chosen| chosen.person = Some(id.clone()));
        view! { <Person worker href is_chosen={person == Some(index)}/> }
    };
    view! {
        <section class="options" aria-labelledby="people-title">
            <h2 class="options-label" id="people-title">{l.t(t::WHO)}</h2>
            <ul class="workers">
                <li>
                    <a class="worker" href=anyone aria-current=person.is_none().then_some("true") rel="nofollow" data-noscroll="" prop:replace=true>
                        <span class="worker-mark"><Icon name="me"/></span>
                        <span class="worker-body">
                            <strong>{l.t(t::ANYONE)}</strong>
                            <span class="muted small">{l.t(t::ANYONE_HINT)}</span>
                        </span>
                    </a>
                </li>
                {workers.into_iter().enumerate().map(worker).collect_view()}
            </ul>
        </section>
    }
    .into_any()
}

const fn gender_name(gender: Gender) -> Text {
    match gender {
        Gender::Woman => t::WOMAN,
        Gender::Man => t::MAN,
    }
}

#[component]
fn Person(worker: Worker, href: Signal<String>, is_chosen: bool) -> impl IntoView {
    let l = use_locale();
    let Worker { name, gender, languages, skills, rating, visits, .. } = worker;
    let initial: String = name.chars().take(1).collect();
    let rated = rating.mean().map(|mean| l.f(t::RATING, &[("rating", &mean), ("n", &rating.count)]));
    let done = (visits > 0).then(|| l.n(t::VISITS_ONE, t::VISITS, visits));
    let facts: Vec<_> = [rated, done].into_iter().flatten().collect();
    let gender = gender.map(|gender| l.t(gender_name(gender)).to_owned());
    let about: Vec<_> = gender.into_iter().chain(languages).chain(skills).collect();
    view! {
        <li>
            <a class="worker" href=href aria-current=is_chosen.then_some("true") rel="nofollow" data-noscroll="" prop:replace=true>
                <span class="worker-mark" aria-hidden="true">{initial}</span>
                <span class="worker-body">
                    <strong>{name}</strong>
                    {(!facts.is_empty()).then(|| view! { <span class="small">{facts.join(" · ")}</span> })}
                    {(!about.is_empty()).then(|| view! { <span class="muted small">{about.join(" · ")}</span> })}
                </span>
            </a>
        </li>
    }
    .into_any()
}

/// The month, with what is free on each day.
#[component]
fn Days(choice: Choice, booking: Booking) -> impl IntoView {
    let l = use_locale();
    let (before, after) = choice.months();
    let to_month =
        |first: LocalDate| booking.with(move |chosen| (chosen.month, chosen.date) = (Some(month::name(first)), None));
    let day = |date: LocalDate| {
        let free = choice.free_on(date);
        let bookable = choice.today <= date && date <= choice.last;
        let full = choice.full.contains(&date);
        let href = (free > 0 || full).then(|| {
            booking.with(move |chosen| (chosen.month, chosen.date) = (Some(month::name(date)), Some(date.to_string())))
        });
        let words = match (free, bookable) {
            (0, true) if full => l.t(t::FULL).to_owned(),
            (0, true) => l.t(t::NOTHING_FREE).to_owned(),
            (0, false) => l.t(t::CLOSED).to_owned(),
            (free, _) => l.n(t::TIMES_ONE, t::TIMES, free),
        };
        let note = match free {
            0 if full => l.t(t::FULL_SHORT).to_owned(),
            0 => String::new(),
            free => l.f(t::FREE_SHORT, &[("n", &free)]),
        };
        CalendarDay { date, href, note, words }
    };
    let days: Vec<_> = month::days(choice.month).map(day).collect();
    let (month, chosen, today) = (choice.month, choice.date, choice.today);
    view! {
        <section aria-labelledby="day-title">
            <h2 class="options-label" id="day-title">{l.t(t::DAY)}</h2>
            <Calendar month days chosen today before=before.map(to_month) after=after.map(to_month)/>
        </section>
    }
    .into_any()
}

/// The slots of the day, each a button that puts the visit into the cart.
#[component]
fn Slots(choice: Choice, booking: Booking) -> impl IntoView {
    let l = use_locale();
    let Some(date) = choice.date else {
        let text = if choice.full.is_empty() { t::NO_DAY_FREE } else { t::NO_DAY_FREE_WAIT };
        return view! { <p class="muted" role="status">{l.t(text)}</p> }.into_any();
    };
    let title = l.f(t::TIMES_OF, &[("date", &words::date(l, date))]);
    let zone = l.f(t::CLOCKS, &[("zone", &words::utc(&choice.zone, choice.zone.day(date).start))]);
    let slots = choice.own_slots();
    let times: Vec<_> = slots.iter().map(|slot| time(&choice, slot.start, choice.person, String::new())).collect();
    let (clocks, empty) = (choice.zone.clone(), times.is_empty());
    let taken = choice.taken.iter().map(|start| time(&choice, *start, choice.person, String::new()));
    let (taken, waiting_clocks): (Vec<_>, _) = (taken.collect(), choice.zone.clone());
    let choice = StoredValue::new(choice);
    let variant = choice.with_value(|choice| choice.variant_id.clone());
    let waiting_variant = variant.clone();
    let list = if empty {
        view! { <p class="muted">{l.t(t::DAY_TAKEN)}</p> }.into_any()
    } else {
        view! { <SlotForm booking variant=variant.clone()><SlotList zone=clocks times name="wish" sent=booking.on_its_way()/></SlotForm> }
            .into_any()
    };
    let gone = move || {
        let start = booking.gone()?;
        let (near, wish, zone) = choice
            .with_value(|choice| (near(l, choice, start), choice.wish(start, choice.person), choice.zone.clone()));
        Some(view! { <Gone near wish booking variant=variant.clone() zone/> })
    };
    view! {
        <section class="stack" aria-labelledby="slots-title">
            <div class="spread">
                <h3 class="options-label" id="slots-title" tabindex="-1">{title}</h3>
                <span class="muted small">{zone}</span>
            </div>
            // Those of a day that is not asked for any more are not to be tapped.
            <div class="stack" inert=move || booking.pending.get()>
                {gone}
                {list}
                <p class="muted small">{l.t(t::NOT_HELD)}</p>
                <WaitTimes variant_id=waiting_variant zone=waiting_clocks times=taken back=booking.here().get_untracked() open=empty/>
            </div>
        </section>
    }
    .into_any()
}

/// A slot as its button shows and sends it.
fn time(choice: &Choice, start: i64, person: Option<usize>, note: String) -> SlotTime {
    SlotTime { start, value: choice.wish(start, person).text(), note }
}

/// What is nearest on the day to a slot that is gone. Another person is named.
fn near(l: Locale, choice: &Choice, start: i64) -> Vec<SlotTime> {
    let wanted = Wanted { start, person: choice.person };
    let mut slots: Vec<Slot> = choice.slots.clone();
    slots.retain_mut(|slot| {
        if slot.start == start {
            // What is shown may be older than what was just said.
            slot.people.retain(|place| choice.person.is_some_and(|person| person != *place));
        }
        !slot.people.is_empty()
    });
    let found = alternatives::nearest(&slots, wanted, NEAREST);
    found
        .into_iter()
        .map(|one| {
            let other = choice.person.is_some_and(|person| person != one.person);
            let worker = choice.workers.get(one.person).filter(|_| other);
            let note = worker.map(|worker| l.f(t::BY, &[("name", &worker.name)])).unwrap_or_default();
            time(choice, one.start, choice.person.map(|_| one.person), note)
        })
        .collect()
}

/// The form around buttons that each send a wish.
#[component]
fn SlotForm(booking: Booking, variant: String, children: Children) -> impl IntoView {
    let back = move || {
        let chosen = booking.chosen.get();
        booking.href(&Chosen { gone: None, ..chosen })
    };
    let field = variant.clone();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Some(wish) = event.submitter().and_then(|button| button.get_attribute("value")) else { return };
        if booking.action.pending().get_untracked() {
            return;
        }
        booking.sent.set(Some(wish.clone()));
        booking.action.dispatch(AddBooking { variant_id: variant.clone(), wish, next: None, back: None });
    };
    view! {
        <form action=AddBooking::url() method="post" on:submit=submit>
            <input type="hidden" name="variant_id" value=field/>
            <input type="hidden" name="next" value=CART/>
            <input type="hidden" name="back" value=back/>
            {children()}
        </form>
    }
    .into_any()
}

/// Somebody else was quicker; what is near can be taken at once, and what was wanted can be waited for.
#[component]
fn Gone(near: Vec<SlotTime>, wish: Wish, booking: Booking, variant: String, zone: Zone) -> impl IntoView {
    let l = use_locale();
    let wait = view! { <WaitForm variant_id=variant.clone() wish back=booking.here().get_untracked()/> };
    let offer = if near.is_empty() {
        view! { <p>{l.t(t::NOTHING_NEAR)}</p> }.into_any()
    } else {
        view! {
            <p>{l.t(t::NEAR)}</p>
            <SlotForm booking variant><SlotList zone times=near name="wish" sent=booking.on_its_way()/></SlotForm>
        }
        .into_any()
    };
    view! {
        <div class="notice notice-warn" role="alert">
            <Icon name="warning"/>
            <div class="notice-body">
                <p class="notice-title">{l.t(t::GONE)}</p>
                {offer}
                {wait}
            </div>
        </div>
    }
    .into_any()
}
