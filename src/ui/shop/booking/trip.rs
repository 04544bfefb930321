//! Booking a trip on the page of its line: from where to where and when, the departures by the clocks of both ends, fares
//! with what is left of each, seats where they are chosen, and the way back. Every choice is in the address, so that it
//! works without script.

use super::{
    ask::days_around,
    asked::AskedTrip,
    trip_form::AskForm,
    voyage::{VoyageCard, fare_of},
    wait::WaitNotice,
};
use crate::{
    api::booking_trip::AddTrip,
    domain::{
        Error,
        booking::{
            travel::{DepartureList, Pick, Seat, SeatRow, TripAsk, TripOffer, Voyage},
            trips::Travellers,
            words::full_date,
        },
        catalog::Product,
        money::Amount,
        texts::{booking as words, booking_trip as t, catalog},
    },
    ui::{
        components::{
            icon::Icon,
            links::product_href,
            price::use_currency,
            shell::use_added,
            skeleton::{Reloading, SkeletonText},
        },
        error::ErrorNotice,
        set_status, use_locale,
    },
};
use leptos::{ev, form::FromFormData, html, prelude::*, server_fn::ServerFn};

/// Where a booking leads when the page cannot stay.
const CART: &str = "/cart";
/// The id of the place where departures are shown.
const FOUND: &str = "departures";

/// In place of the way into the cart, on the page of a line.
#[component]
pub fn TripBox(product: Product, asked: AskedTrip) -> impl IntoView {
    let l = use_locale();
    let path = product_href(&product.handle);
    let AskedTrip { asked, offer } = asked;
    let action = ServerAction::<AddTrip>::new();
    let added = use_added();
    Effect::new(move |_| match action.value().get() {
        Some(Ok(cart)) => added(&cart, catalog::ADDED),
        // Somebody else was quicker: what is left now.
        Some(Err(Error::SlotTaken(_))) => offer.refetch(),
        Some(Err(_)) | None => {}
    });
    let wrong = Signal::derive(move || action.value().get().and_then(Result::err));
    let problem = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let (Some(_), Some(problem)) = (wrong.get(), problem.get()) {
            let _ = problem.focus();
        }
    });
    let notice = move || {
        wrong.get().map(|error| {
            if error.problem("seats").or(error.problem("home_seats")).is_some() {
                warning(l.t(t::SEATS_WRONG).to_owned())
            } else if error.problem("home").is_some() {
                warning(l.t(t::BACK_TOO_EARLY).to_owned())
            } else {
                view! { <ErrorNotice error/> }.into_any()
            }
        })
    };
    let (form_path, page) = (path.clone(), path.clone());
    let here = Signal::derive(move || asked.with(|asked| asked.href(&page)));
    let form = move || {
        let path = form_path.clone();
        Suspend::new(async move {
            let TripOffer { there: DepartureList { places, from, to, today, date, .. }, .. } = offer.await.ok()?;
            let asked = TripAsk { from: Some(from), to: Some(to), date: Some(date), ..asked.get_untracked() };
            Some(view! { <AskForm places asked today path found=FOUND label=t::SHOW/> })
        })
    };
    let found = move || {
        let path = path.clone();
        Suspend::new(async move {
            match offer.await {
                Ok(offer) => view! { <Choice offer asked=asked.get_untracked() path action/> }.into_any(),
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
            <div node_ref=problem tabindex="-1">{notice}</div>
            <div id=FOUND tabindex="-1">
                // What is still there answers what was asked before: it is not to be tapped any more.
                <div inert=move || pending.get()>
                    <Reloading fallback=|| view! { <SkeletonText lines=6/> } pending>
                        {found}
                    </Reloading>
                </div>
            </div>
            <p class="muted small">{l.t(t::CLOCKS)}</p>
        </section>
    }
    .into_any()
}

fn warning(text: String) -> AnyView {
    view! {
        <div class="notice notice-danger" role="alert">
            <Icon name="error"/>
            <div class="notice-body"><p class="notice-title">{text}</p></div>
        </div>
    }
    .into_any()
}

/// The way there, then the way back, then the seats: each once the one before is chosen.
#[component]
fn Choice(offer: TripOffer, asked: TripAsk, path: String, action: ServerAction<AddTrip>) -> impl IntoView {
    let l = use_locale();
    let wanted = asked.travellers.seats();
    let there = asked.there.as_ref().and_then(|pick| chosen(&offer.there, pick, wanted));
    let title = l.f(t::THERE_ON, &[("date", &full_date(l, offer.there.date))]);
    let anew = TripAsk { there: None, home: None, ..asked.clone() };
    let wait = (asked.travellers, asked.href(&path));
    let Some((voyage, pick)) = there else {
        let href = {
            let path = path.clone();
            move |pick: Pick| TripAsk { there: Some(pick), home: None, ..asked.clone() }.href(&path)
        };
        let list = offer.there.voyages.clone();
        return view! {
            <h3 class="booking-day">{title}</h3>
            <Voyages voyages=list wait href=Callback::new(href)/>
            <Nothing list=offer.there asked=anew path/>
        }
        .into_any();
    };
    let (arrives, price) = (voyage.arrives_at, fare_of(&voyage, &pick).map_or(Amount::ZERO, |fare| fare.price));
    let first = view! {
        <h3 class="booking-day">{title}</h3>
        <ul class="voyages"><VoyageCard voyage=voyage.clone() wanted pick=pick.clone()/></ul>
        <p><a class="link" href=anew.href(&path) data-noscroll="">{l.t(t::OTHER)}</a></p>
    };
    let Some(back) = offer.home else {
        let ways = vec![(voyage, pick, offer.seats)];
        return view! { {first} <Final ways asked price action/> }.into_any();
    };
    let title = l.f(t::HOME_ON, &[("date", &full_date(l, back.date))]);
    let home = asked.home.as_ref().and_then(|pick| chosen(&back, pick, wanted));
    let Some((home, home_pick)) = home.filter(|(home, _)| home.leaves_at >= arrives) else {
        let later: Vec<_> = back.voyages.iter().filter(|home| home.leaves_at >= arrives).cloned().collect();
        let none = later.is_empty().then(|| view! { <p class="muted" role="status">{l.t(t::NONE_BACK)}</p> });
        let href = move |pick: Pick| TripAsk { home: Some(pick), ..asked.clone() }.href(&path);
        return view! {
            {first}
            <h3 class="booking-day">{title}</h3>
            {none}
            <Voyages voyages=later wait href=Callback::new(href)/>
        }
        .into_any();
    };
    let price = price + fare_of(&home, &home_pick).map_or(Amount::ZERO, |fare| fare.price);
    let other = TripAsk { home: None, ..asked.clone() }.href(&path);
    let second = view! {
        <h3 class="booking-day">{title}</h3>
        <ul class="voyages"><VoyageCard voyage=home.clone() wanted pick=home_pick.clone()/></ul>
        <p><a class="link" href=other data-noscroll="">{l.t(t::OTHER)}</a></p>
    };
    let ways = vec![(voyage, pick, offer.seats), (home, home_pick, offer.home_seats)];
    view! { {first} {second} <Final ways asked price action/> }.into_any()
}

/// What was chosen, as long as it can be had.
fn chosen(list: &DepartureList, pick: &Pick, wanted: i64) -> Option<(Voyage, Pick)> {
    let voyage = list.voyages.iter().find(|voyage| voyage.id == pick.departure_id)?;
    fare_of(voyage, pick).filter(|fare| fare.left >= wanted)?;
    Some((voyage.clone(), pick.clone()))
}

/// Departures to choose from, for so many travellers, and the address of this page.
#[component]
fn Voyages(voyages: Vec<Voyage>, wait: (Travellers, String), href: Callback<Pick, String>) -> impl IntoView {
    let wanted = wait.0.seats();
    let card = |voyage: Voyage| view! { <VoyageCard voyage wanted href wait=wait.clone()/> };
    view! { <ul class="voyages">{voyages.into_iter().map(card).collect_view()}</ul> }.into_any()
}

/// That nothing leaves, when something does, and the days around.
#[component]
fn Nothing(list: DepartureList, asked: TripAsk, path: String) -> impl IntoView {
    let l = use_locale();
    let on = |date| TripAsk { date: Some(date), ..asked.clone() }.href(&path);
    let none = list.voyages.is_empty().then(|| {
        let title = l.f(t::NONE_TITLE, &[("date", &full_date(l, list.date))]);
        let next = list.next.map(|date| {
            let text = l.f(t::NEXT_DAY, &[("date", &full_date(l, date))]);
            view! { <p><a class="link" href=on(date) data-noscroll="">{text}</a></p> }
        });
        view! {
            <div class="notice">
                <Icon name="info"/>
                <div class="notice-body"><p class="notice-title">{title}</p><p>{l.t(t::NONE_TEXT)}</p>{next}</div>
            </div>
        }
    });
    let days = days_around(l, list.date, list.today..=list.last, t::SEE_DAYS, on);
    view! {
        {none}
        {days}
    }
    .into_any()
}

/// A way with the seats to choose from.
type Chosen = (Voyage, Pick, Vec<SeatRow>);

/// Seats, the sum, and the way into the cart: a form that the server understands without script.
#[component]
fn Final(ways: Vec<Chosen>, asked: TripAsk, price: Amount, action: ServerAction<AddTrip>) -> impl IntoView {
    let (l, currency) = (use_locale(), use_currency());
    let submit = move |event: ev::SubmitEvent| {
        // The browser sends by itself what cannot be read.
        let Ok(add) = AddTrip::from_event(&event) else { return };
        event.prevent_default();
        if !action.pending().get_untracked() {
            action.dispatch(AddTrip { next: None, ..add });
        }
    };
    let people = asked.travellers;
    let wanted = people.seats();
    let hidden = |name: String, value: String| view! { <input type="hidden" name=name value=value/> };
    let way = |(name, (voyage, pick, rows)): (&'static str, Chosen)| {
        let (from, to): (usize, usize) = voyage.section.into();
        let title = if name == "there" { t::SEATS_THERE } else { t::SEATS_HOME };
        view! {
            {hidden(format!("choice[{name}][departure_id]"), pick.departure_id)}
            {hidden(format!("choice[{name}][variant_id]"), pick.variant_id)}
            {hidden(format!("choice[{name}][from]"), from.to_string())}
            {hidden(format!("choice[{name}][to]"), to.to_string())}
            <Seats name rows wanted title=l.t(title)/>
        }
    };
    let count = l.n(words::TRAVELLERS_ONE, words::TRAVELLERS, wanted + people.infants);
    view! {
        <form class="form" action=AddTrip::url() method="post" on:submit=submit>
            {hidden("choice[travellers][adults]".to_owned(), people.adults.to_string())}
            {hidden("choice[travellers][children]".to_owned(), people.children.to_string())}
            {hidden("choice[travellers][infants]".to_owned(), people.infants.to_string())}
            {hidden("next".to_owned(), CART.to_owned())}
            {["there", "home"].into_iter().zip(ways).map(way).collect_view()}
            <p class="spread"><span>{count}</span><strong class="num">{price.display(currency)}</strong></p>
            <p class="muted small">{l.t(t::NAMES_LATER)}</p>
            <button class="btn btn-primary btn-lg" type="submit" aria-busy=move || action.pending().get().then_some("true")>
                {l.t(t::ADD)}
            </button>
        </form>
    }
    .into_any()
}

/// The seats of a vehicle as boxes to tick, row by row.
#[component]
fn Seats(name: &'static str, rows: Vec<SeatRow>, wanted: i64, title: &'static str) -> impl IntoView {
    let l = use_locale();
    if rows.is_empty() {
        return ().into_any();
    }
    let field = format!("choice[{name}][seats][]");
    let row = |SeatRow { number, seats }: SeatRow| {
        let seat = |seat: Option<Seat>| {
            let Some(seat) = seat else { return view! { <span class="seat-none"></span> }.into_any() };
            let text = if seat.free { t::SEAT } else { t::SEAT_TAKEN };
            let label = l.f(text, &[("name", &seat.name)]);
            let letter = seat.name.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned();
            let shown = if letter.is_empty() { seat.name.clone() } else { letter };
            view! {
                <label class="seat">
                    <input type="checkbox" name=field.clone() value=seat.name disabled={!seat.free} aria-label=label/>
                    <span aria-hidden="true">{shown}</span>
                </label>
            }
            .into_any()
        };
        let label = l.f(t::ROW, &[("n", &number)]);
        view! {
            <div class="seat-row" role="group" aria-label=label>
                <span class="seat-number muted small" aria-hidden="true">{number}</span>
                {seats.into_iter().map(seat).collect_view()}
            </div>
        }
    };
    view! {
        <fieldset class="seat-map">
            <legend class="field-label">{title}</legend>
            <p class="field-hint">{l.n(t::SEATS_HINT_ONE, t::SEATS_HINT, wanted)}</p>
            {rows.into_iter().map(row).collect_view()}
        </fieldset>
    }
    .into_any()
}
