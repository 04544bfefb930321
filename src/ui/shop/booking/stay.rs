//! A house: when, for how many, and in which of its rooms, with what the stay costs; its nights by month, what it has, and
//! its rules.
//!
//! All that is chosen is in the address, by a form and by links, so that it works without script; each room that is free is
//! a form that puts the stay into the cart.

use super::{
    asked::AskedStay,
    lodging::{AskForm, beds_words, facility_name, moment_words, rules, stay_words},
    nights::Nights,
    wait::{WaitForm, WaitNotice},
};
use crate::{
    api::booking::AddBooking,
    domain::{
        Error, Locale,
        booking::{
            date::LocalDate,
            lodging::{FEW_ROOMS, House, NearStay, NightList, RoomOffer, RoomProblem, StayForm},
            rates::{StayPrice, StayProblem, StayRequest},
            stay::{Occupancy, Stay},
            wish::Wish,
            words::full_date,
            zone::clock,
        },
        catalog::{Image, Product, Width, percent_encode},
        money::{Amount, Currency},
        texts::booking_stay as t,
    },
    ui::{
        components::{
            icon::Icon,
            links::product_href,
            picture::Picture,
            price::{Price, use_currency},
            shell::use_added,
            skeleton::{Reloading, SkeletonText},
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};

/// Where a stay leads that was put into the cart.
const CART: &str = "/cart";

/// What the address says: the form, the room type in view, and the month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) form: StayForm,
    pub(super) room: Option<String>,
    pub(super) month: Option<String>,
}

impl Asked {
    pub(super) fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let said = |name: &str| get(name).filter(|text| !text.is_empty());
        Self { room: said("v"), month: said("month"), form: StayForm::read(&get) }
    }

    /// The address of a page that is asked this.
    fn href(&self, path: &str) -> String {
        let mut href = self.form.href(path);
        for (name, value) in [("v", &self.room), ("month", &self.month)] {
            if let Some(value) = value {
                href.push(if href.contains('?') { '&' } else { '?' });
                href.push_str(&format!("{name}={}", percent_encode(value)));
            }
        }
        href
    }
}

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Staying {
    /// The address of the page, without what is chosen.
    path: StoredValue<String>,
    product: StoredValue<Product>,
    asked: Memo<Asked>,
    add: ServerAction<AddBooking>,
    /// The wish that was sent last.
    sent: RwSignal<Option<String>>,
    /// Whether the rooms that are shown answer something that was asked before.
    pending: RwSignal<bool>,
}

impl Staying {
    fn href(self, asked: &Asked) -> String {
        self.path.with_value(|path| asked.href(path))
    }

    /// What a room type is called, and its picture.
    fn room(self, variant: &str) -> (String, Option<Image>) {
        self.product.with_value(|product| {
            let found = product.variants.iter().find(|known| known.id == variant);
            let Some(found) = found else { return (product.title.clone(), None) };
            let label = product.label(found);
            let title = if label.is_empty() { product.title.clone() } else { label };
            (title, found.image.and_then(|place| product.images.get(place).cloned()))
        })
    }
}

#[component]
pub fn StayBox(product: Product, asked: AskedStay) -> impl IntoView {
    let l = use_locale();
    let added = use_added();
    let AskedStay { asked, house, nights } = asked;
    let staying = Staying {
        path: StoredValue::new(product_href(&product.handle)),
        product: StoredValue::new(product),
        asked,
        add: ServerAction::new(),
        sent: RwSignal::new(None),
        pending: RwSignal::new(false),
    };
    let add = staying.add;
    Effect::new(move |_| match add.value().get() {
        Some(Ok(cart)) => added(&cart, t::ADDED),
        // What is shown as free is not, most likely.
        Some(Err(Error::SlotTaken(_))) => house.refetch(),
        Some(Err(_)) | None => {}
    });
    let unfolded = asked.with_untracked(|asked| asked.month.is_some());
    let error = move || add.value().get().and_then(Result::err).map(|error| view! { <ErrorNotice error/> });
    view! {
        <div class="stay" id="rooms">
            <WaitNotice back=Signal::derive(move || asked.with(|asked| staying.href(asked)))/>
            <Reloading fallback=|| view! { <SkeletonText lines=12/> } pending=staying.pending>
                {move || Suspend::new(async move {
                    match house.await {
                        Ok(house) => view! { <Rooms house staying/> }.into_any(),
                        Err(Error::NotFound) => view! { <p class="stock stock-out">{l.t(t::NOT_OFFERED)}</p> }.into_any(),
                        Err(error) => view! { <ErrorNotice error reload=true/> }.into_any(),
                    }
                })}
            </Reloading>
            <div role="alert">{error}</div>
            <details class="panel stay-calendar" open=unfolded>
                <summary class="panel-title">{l.t(t::CALENDAR)}</summary>
                <Transition fallback=|| view! { <SkeletonText lines=8/> }>
                    {move || {
                        // The stay that is marked changes without another month.
                        let asked = asked.get();
                        Suspend::new(async move { month_view(nights.await, asked, staying) })
                    }}
                </Transition>
            </details>
            <Transition fallback=|| view! { <SkeletonText lines=6/> }>
                {move || Suspend::new(async move { house.await.ok().map(|house| view! { <Facts house/> }) })}
            </Transition>
        </div>
    }
    .into_any()
}

/// A month of the room type in view.
fn month_view(nights: Result<NightList, Error>, asked: Asked, staying: Staying) -> AnyView {
    match nights {
        Ok(list) => {
            let (room, _) = staying.room(&list.variant_id);
            let stay = asked.form.stay();
            let (from, of) = (asked.clone(), asked);
            let href = move |date: LocalDate| staying.href(&from_date(&from, stay, date));
            let month_href = move |date: LocalDate| {
                let (year, month, _) = date.civil();
                staying.href(&Asked { month: Some(format!("{year:04}-{month:02}")), ..of.clone() })
            };
            view! { <Nights list room stay href month_href/> }.into_any()
        }
        Err(Error::NotFound) => ().into_any(),
        Err(error) => view! { <ErrorNotice error reload=true/> }.into_any(),
    }
}

/// The same stay from another date on: as many nights as before, one where it was none.
fn from_date(asked: &Asked, stay: Option<Stay>, date: LocalDate) -> Asked {
    let nights = stay.map_or(1, Stay::nights);
    let form = match Stay::new(date, date.plus(nights)) {
        Some(stay) => asked.form.on(stay),
        None => asked.form.clone(),
    };
    Asked { form, room: asked.room.clone(), month: asked.month.clone() }
}

/// The form, and all room types with what the stay costs in each.
#[component]
fn Rooms(house: House, staying: Staying) -> impl IntoView {
    let l = use_locale();
    let path = staying.path.get_value();
    let stay = house.rooms.iter().find_map(|room| room.request).map(|request| request.stay);
    let title = stay.map_or_else(|| l.t(t::ROOM_TYPES).to_owned(), |stay| stay_words(l, stay));
    let form = house.form.clone();
    let offer = |offer: &RoomOffer| view! { <Offer offer=offer.clone() form=house.form.clone() staying/> };
    let offers = house.rooms.iter().map(offer).collect_view();
    let none = house.rooms.is_empty().then(|| view! { <p class="muted">{l.t(t::NO_ROOM_TYPES)}</p> });
    view! {
        <AskForm path form wrong=house.wrong today=Some(house.today) places=None/>
        <h2 class="panel-title" aria-live="polite">{title}</h2>
        {none}
        <ul class="room-list" inert=move || staying.pending.get()>{offers}</ul>
    }
    .into_any()
}

/// A room type: what it is, and each way to have it; or why it cannot be had, and when it can.
#[component]
fn Offer(offer: RoomOffer, form: StayForm, staying: Staying) -> impl IntoView {
    let l = use_locale();
    let currency = use_currency();
    let RoomOffer { variant_id, room, request, left, price, with_breakfast, free_until, problem, near } = offer;
    let (title, image) = staying.room(&variant_id);
    let mut facts = vec![beds_words(l, room.beds), occupancy_words(l, room.occupancy)];
    if room.square_metres > 0 {
        facts.push(l.f(t::SQUARE_METRES, &[("n", &room.square_metres)]));
    }
    let facts = facts.into_iter().filter(|fact| !fact.is_empty()).collect::<Vec<_>>().join(" · ");
    let tax = room.charges.tax_basis_points > 0;
    let few = (price.is_some() && left <= FEW_ROOMS)
        .then(|| view! { <p class="stock stock-low">{l.n(t::ROOMS_LEFT_ONE, t::ROOMS_LEFT, left)}</p> });
    let free = price.is_some().then(|| match free_until {
        Some(until) => view! {
            <p class="with-icon small"><Icon name="return" class="icon-sm"/>{l.f(t::FREE_UNTIL, &[("time", &moment_words(l, until))])}</p>
        }
        .into_any(),
        None => view! { <p class="muted small">{l.t(t::NOT_FREE)}</p> }.into_any(),
    });
    let ways = request.map(|request| {
        let way = |price: StayPrice, breakfast: bool| {
            let request = StayRequest { breakfast, ..request };
            view! { <Way variant_id=variant_id.clone() room=title.clone() request price tax staying/> }
        };
        let plain = price.map(|price| way(price, false));
        let fed = with_breakfast.map(|price| way(price, true));
        view! { <div class="room-ways">{plain}{fed}</div> }
    });
    // What others have may come free; a rule of the house does not go away.
    let taken = request.filter(|_| matches!(problem, Some(RoomProblem::Left(_))));
    let wait = taken.map(|request| {
        let back = staying.href(&staying.asked.get_untracked());
        let (variant_id, wish, what) = (variant_id.clone(), Wish::Stay(request), title.clone());
        view! { <WaitForm variant_id wish back what/> }
    });
    let wrong = problem.map(|problem| {
        let near = near.iter().map(|near| near_view(l, currency, near, &form, &variant_id, staying)).collect_view();
        let others = (!near.is_empty()).then(|| {
            view! {
                <p class="small">{l.t(t::NEAR_ROOM)}</p>
                <ul class="near-list">{near}</ul>
            }
        });
        view! {
            <p class="stock stock-out">{problem_words(l, problem)}</p>
            {others}
        }
    });
    view! {
        <li class="room">
            <div class="room-head">
                {image.map(|image| view! { <span class="room-media"><Picture image=Some(image) thumb=Width::Thumb/></span> })}
                <div class="grow">
                    <h3 class="room-name">{title.clone()}</h3>
                    <p class="muted small">{facts}</p>
                    {few}
                    {free}
                </div>
            </div>
            {ways}
            {wrong}
            {wait}
        </li>
    }
    .into_any()
}

/// A way to have a room, with its price and the form that puts it into the cart.
#[component]
fn Way(
    variant_id: String,
    /// What the room is called, for those who listen.
    room: String,
    request: StayRequest,
    price: StayPrice,
    /// Whether there is tax in the price.
    tax: bool,
    staying: Staying,
) -> impl IntoView {
    let l = use_locale();
    let currency = use_currency();
    let wish = serde_json::to_string(&Wish::Stay(request)).unwrap_or_default();
    let add = staying.add;
    let (own, sent) = (wish.clone(), staying.sent);
    let busy = move || {
        let mine = sent.with(|sent| sent.as_ref() == Some(&own));
        (mine && add.pending().get()).then_some("true")
    };
    let submit = move |event: ev::SubmitEvent| {
        let Ok(input) = AddBooking::from_event(&event) else { return };
        event.prevent_default();
        if !add.pending().get_untracked() {
            sent.set(Some(input.wish.clone()));
            add.dispatch(AddBooking { next: None, ..input });
        }
    };
    let meal = l.t(if request.breakfast { t::WITH_BREAKFAST } else { t::WITHOUT_BREAKFAST });
    let per_night = l.f(t::PER_NIGHT, &[("amount", &price.per_night.display(currency))]);
    let included = l.t(if tax { t::TAX_INCLUDED } else { t::NO_TAX });
    let parts = [
        (t::PART_ROOMS, price.rooms),
        (t::PART_EXTRA_GUESTS, price.extra_guests),
        (t::PART_BREAKFAST, price.breakfast),
        (t::PART_TAX, price.tax),
    ];
    let parts = parts.into_iter().filter(|(_, amount)| *amount > Amount::ZERO);
    let parts = parts.map(|(name, amount)| {
        view! { <div class="sum"><dt>{l.t(name)}</dt><dd>{amount.display(currency)}</dd></div> }
    });
    let parts = parts.collect_view();
    let nights = request.stay.dates().zip(price.nights.iter()).map(|(date, amount)| {
        view! { <div class="sum"><dt>{full_date(l, date)}</dt><dd>{amount.display(currency)}</dd></div> }
    });
    let nights = nights.collect_view();
    let hidden = format!(" {room}, {meal}");
    // Without script, the page that says what went wrong.
    let back = staying.href(&staying.asked.get_untracked());
    view! {
        <form class="room-way" action=AddBooking::url() method="post" on:submit=submit>
            <input type="hidden" name="variant_id" value=variant_id/>
            <input type="hidden" name="wish" value=wish/>
            <input type="hidden" name="next" value=CART/>
            <input type="hidden" name="back" value=back/>
            <div class="grow">
                <p class="strong small">{meal}</p>
                <p><Price amount=price.total class="price-lg"/></p>
                <p class="muted small">{per_night}" · "{included}</p>
                <details class="small">
                    <summary class="link link-quiet">{l.t(t::PRICE_DETAILS)}</summary>
                    <dl class="sums">{nights}</dl>
                    <dl class="sums sum-total">{parts}</dl>
                </details>
            </div>
            <button class="btn btn-primary" type="submit" aria-busy=busy>
                {l.t(t::BOOK)}<span class="visually-hidden">{hidden}</span>
            </button>
        </form>
    }
    .into_any()
}

fn near_view(
    l: Locale,
    currency: Currency,
    near: &NearStay,
    form: &StayForm,
    variant: &str,
    staying: Staying,
) -> AnyView {
    let href = staying.href(&Asked { form: form.on(near.stay), room: Some(variant.to_owned()), month: None });
    let total = near.total.display(currency);
    view! {
        <li>
            <a class="btn btn-secondary btn-sm" href=href rel="nofollow" data-noscroll="">
                {stay_words(l, near.stay)}" · "{total}
            </a>
        </li>
    }
    .into_any()
}

fn occupancy_words(l: Locale, room: Occupancy) -> String {
    if room.children > 0 && room.guests > room.adults {
        let values: [(&str, &dyn std::fmt::Display); 2] = [("adults", &room.adults), ("guests", &room.guests)];
        return l.f(t::OCCUPANCY_CHILDREN, &values);
    }
    l.n(t::OCCUPANCY_ONE, t::OCCUPANCY, room.adults.min(room.guests))
}

/// Why a room cannot be had.
fn problem_words(l: Locale, problem: RoomProblem) -> String {
    match problem {
        RoomProblem::Guests(Some(rooms)) => l.n(t::PROBLEM_ROOMS_ONE, t::PROBLEM_ROOMS, rooms),
        RoomProblem::Guests(None) => l.t(t::PROBLEM_GUESTS).to_owned(),
        RoomProblem::Date => l.t(t::PROBLEM_DATE).to_owned(),
        RoomProblem::Left(..=0) => l.t(t::PROBLEM_SOLD_OUT).to_owned(),
        RoomProblem::Left(left) => l.n(t::PROBLEM_LEFT_ONE, t::PROBLEM_LEFT, left),
        RoomProblem::Rule(StayProblem::Closed(date)) => l.f(t::PROBLEM_CLOSED, &[("date", &full_date(l, date))]),
        RoomProblem::Rule(StayProblem::ClosedToArrival) => l.t(t::PROBLEM_ARRIVAL).to_owned(),
        RoomProblem::Rule(StayProblem::ClosedToDeparture) => l.t(t::PROBLEM_DEPARTURE).to_owned(),
        RoomProblem::Rule(StayProblem::TooShort(nights)) => l.n(t::PROBLEM_SHORT_ONE, t::PROBLEM_SHORT, nights),
        RoomProblem::Rule(StayProblem::TooLong(nights)) => l.n(t::PROBLEM_LONG_ONE, t::PROBLEM_LONG, nights),
    }
}

/// What the house has, where it is, and its rules.
#[component]
fn Facts(house: House) -> impl IntoView {
    let l = use_locale();
    let currency = use_currency();
    let facilities = house.facilities.iter().map(|facility| {
        view! { <li class="with-icon"><Icon name="check" class="icon-sm"/>{l.t(facility_name(*facility))}</li> }
    });
    let facilities = facilities.collect_view();
    let has = (!house.facilities.is_empty()).then(|| {
        view! {
            <section aria-labelledby="stay-facilities">
                <h2 class="panel-title" id="stay-facilities">{l.t(t::FACILITIES)}</h2>
                <ul class="stay-facilities">{facilities}</ul>
            </section>
        }
    });
    let place = [house.region, house.address].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let place = (!place.is_empty()).then(|| {
        view! { <div class="fact"><dt>{l.t(t::ADDRESS)}</dt><dd>{place}</dd></div> }
    });
    let rules =
        rules(l, currency, &house.cancellation).into_iter().map(|rule| view! { <li>{rule}</li> }).collect_view();
    let from = l.f(t::FROM_TIME, &[("time", &clock(house.check_in))]);
    let until = l.f(t::UNTIL_TIME, &[("time", &clock(house.check_out))]);
    let zone = l.f(t::CLOCKS, &[("zone", &house.zone.name())]);
    view! {
        <div class="panel stack">
            {has}
            <section aria-labelledby="stay-policies">
                <h2 class="panel-title" id="stay-policies">{l.t(t::POLICIES)}</h2>
                <dl class="facts facts-2">
                    {place}
                    <div class="fact"><dt>{l.t(t::CHECK_IN)}</dt><dd>{from}</dd></div>
                    <div class="fact"><dt>{l.t(t::CHECK_OUT)}</dt><dd>{until}</dd></div>
                    <div class="fact">
                        <dt>{l.t(t::CANCELLATION)}</dt>
                        <dd><ul class="stack-sm">{rules}</ul></dd>
                    </div>
                </dl>
                <p class="muted small">{zone}</p>
            </section>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_the_room_and_the_month() {
        let pairs = [("arrival", "2026-12-24"), ("v", "twin"), ("month", "2026-12"), ("adults", "2")];
        let asked =
            Asked::read(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()));
        assert_eq!(asked.href("/p/inn"), "/p/inn?arrival=2026-12-24&adults=2&v=twin&month=2026-12");
        assert_eq!(Asked::default().href("/p/inn"), "/p/inn");
        let date = LocalDate::parse("2026-12-30").unwrap_or(LocalDate::MIN);
        let other = from_date(&asked, Stay::new(date.plus(-6), date.plus(-3)), date);
        assert_eq!((other.form.arrival.as_str(), other.form.departure.as_str()), ("2026-12-30", "2027-01-02"));
    }

    #[test]
    fn every_reason_is_told_in_words() {
        let date = LocalDate::parse("2026-12-24").unwrap_or(LocalDate::MIN);
        let problems = [
            RoomProblem::Guests(Some(2)),
            RoomProblem::Guests(None),
            RoomProblem::Date,
            RoomProblem::Left(0),
            RoomProblem::Left(1),
            RoomProblem::Rule(StayProblem::Closed(date)),
            RoomProblem::Rule(StayProblem::ClosedToArrival),
            RoomProblem::Rule(StayProblem::ClosedToDeparture),
            RoomProblem::Rule(StayProblem::TooShort(2)),
            RoomProblem::Rule(StayProblem::TooLong(7)),
        ];
        let words: std::collections::BTreeSet<_> =
            problems.into_iter().map(|problem| problem_words(Locale::En, problem)).collect();
        assert_eq!(words.len(), problems.len());
    }
}
