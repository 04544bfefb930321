//! What can be done with a booking after it was paid for, below its line: the calendar file, the code for the door, moving
//! it, and giving it up, which asks first and shows what comes back. Each works as a plain link or form.

use super::{
    Page, STATE_ID,
    held::{HeldNotice, MoveDue},
    load,
};
use crate::{
    api::{
        self,
        booking_after::{CancelBooking, MoveBooking},
    },
    domain::{
        Error,
        booking::{
            after::{BookingChoices, MoveAnswer, MoveQuote},
            cancellation::Settlement,
            date::LocalDate,
            zone::clock,
        },
        locale::Text,
        money::Amount,
        number,
        order::{BookingState, Event, EventKind, Order, OrderBooking, State},
        texts::booking_after as t,
    },
    ui::{
        components::{
            field::{TextField, focus, problem_of},
            form::FormState,
            icon::Icon,
            qr::QrCode,
            shell::use_toasts,
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

/// In the address what asks for a form, with the position of the booking.
const MOVE: &str = "move";
const GIVE_UP: &str = "give-up";
/// In the address what asks what a move costs, before it is made.
const QUOTE: &str = "quote";

/// A date and the minutes of it at which a booking could begin instead; none where no date is asked about.
type FreeOn = Resource<Option<(String, Vec<i64>)>>;
/// What a move costs that the address asks about, with its date and time; none where it asks about none.
type QuoteOf = Resource<Option<(String, String, Result<MoveQuote, Error>)>>;

/// How often something became of moving a booking.
fn moves_of(order: &Order, position: i64) -> usize {
    let of_booking = |event: &&Event| match event.kind {
        EventKind::BookingMoved { position: moved, .. }
        | EventKind::MoveHeld { position: moved, .. }
        | EventKind::MoveEnded { position: moved, .. } => moved == position,
        _ => false,
    };
    order.events.iter().filter(of_booking).count()
}

/// A row below the line of a booking; nothing while the order is not paid.
#[component]
pub fn AfterBooking(page: Page, booking: OrderBooking) -> impl IntoView {
    let (position, state) = (booking.position, booking.state);
    let paid = Memo::new(move |_| page.order.with(|order| !matches!(order.state, State::ToPay | State::Cancelled)));
    let open = Memo::new(move |_| {
        let of_order = page.order.with(|order| matches!(order.state, State::ToShip | State::Shipped));
        of_order && state.is_open()
    });
    // Whether what comes back was another sum than was shown.
    let changed = RwSignal::new(false);
    // Whether a move costs another sum than was shown.
    let dearer = RwSignal::new(false);
    let moves = Memo::new(move |_| page.order.with(|order| moves_of(order, position)));
    let number = page.number();
    let choices = Resource::new(
        move || (open.get(), moves.get()),
        move |(open, _)| {
            let number = number.clone();
            async move { if open { api::booking_after::choices(number, position).await.map(Some) } else { Ok(None) } }
        },
    );
    let again = Callback::new(move |()| choices.refetch());
    // Asked for beside the choices and not below them: what is asked for within an answer is asked for twice.
    let query = use_query_map();
    let here = move || query.with(|query| query.get(MOVE)).is_some_and(|place| place == position.to_string());
    let quoting = move || query.with(|query| query.get(QUOTE)).is_some();
    let wanted =
        Memo::new(move |_| query.with(|query| query.get("date")).filter(|_| here() && !quoting() && open.get()));
    let asked = Memo::new(move |_| {
        let to = query.with(|query| Some((query.get("date")?, query.get("time").unwrap_or_default())));
        to.filter(|_| here() && quoting() && open.get())
    });
    let number = page.number();
    let quote: QuoteOf = Resource::new(
        move || asked.get(),
        move |to| {
            let number = number.clone();
            async move {
                let (date, time) = to?;
                let quote = api::booking_after::quote_move(number, position, date.clone(), time.clone()).await;
                Some((date, time, quote))
            }
        },
    );
    let quote_again = Callback::new(move |()| quote.refetch());
    let number = page.number();
    let times: FreeOn = Resource::new(
        move || wanted.get(),
        move |date| {
            let number = number.clone();
            async move {
                let date = date?;
                // What is wrong with it is said beside its field.
                let times = api::booking_after::move_times(number, position, date.clone()).await;
                times.ok().map(|times| (date, times))
            }
        },
    );
    let tools = move || {
        Suspend::new(async move {
            match choices.await {
                Ok(Some(choices)) => {
                    let moving = Moving { times, quote, dearer, again: quote_again };
                    view! { <Tools page position state choices moving changed again/> }.into_any()
                }
                Ok(None) => ().into_any(),
                Err(error) => view! { <ErrorNotice error reload=true/> }.into_any(),
            }
        })
    };
    move || {
        paid.get().then(|| {
            view! {
                <li class="line-after stack-sm">
                    {state.is_open().then(|| view! { <div class="cluster"><CalendarLink page position/></div> })}
                    <Transition fallback=|| ()>{tools}</Transition>
                </li>
            }
        })
    }
}

#[component]
fn CalendarLink(page: Page, position: i64) -> impl IntoView {
    let href = format!("/orders/{}/{position}.ics", page.number());
    view! {
        <a class="btn btn-quiet btn-sm" href=href rel="external" download="">
            <Icon name="download" class="icon-sm"/>
            {use_locale().t(t::CALENDAR)}
        </a>
    }
    .into_any()
}

/// What is asked for to move a booking.
#[derive(Clone, Copy)]
struct Moving {
    times: FreeOn,
    quote: QuoteOf,
    /// Whether it costs another sum than was shown.
    dearer: RwSignal<bool>,
    /// Asks anew what it costs.
    again: Callback<()>,
}

#[component]
fn Tools(
    page: Page,
    position: i64,
    state: BookingState,
    choices: BookingChoices,
    moving: Moving,
    changed: RwSignal<bool>,
    again: Callback<()>,
) -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let number = page.number();
    let BookingChoices { settlement, open, movable, held, date, minute, by_hour, code } = choices;
    let open = open && state == BookingState::Booked;
    let asked = move |what: &'static str| {
        let asked = query.with(|query| query.get(what)).and_then(|asked| asked.parse::<i64>().ok());
        asked == Some(position)
    };
    let is_moving = Memo::new(move |_| open && movable && asked(MOVE));
    let quoting = Memo::new(move |_| query.with(|query| query.get(QUOTE)).is_some());
    let giving_up = Memo::new(move |_| open && asked(GIVE_UP));
    let link = |what: &'static str, text: Text| {
        let href = format!("/orders/{number}?{what}={position}");
        view! { <a class="btn btn-secondary btn-sm" href=href>{l.t(text)}</a> }
    };
    let links = open.then(|| {
        view! {
            <div class="cluster">
                {movable.then(|| link(MOVE, t::MOVE))}
                {link(GIVE_UP, t::CANCEL)}
            </div>
        }
    });
    let label = l.f(t::CODE_LABEL, &[("number", &number::display(&number))]);
    view! {
        <details>
            <summary class="ask">{l.t(t::CODE)}</summary>
            <div class="stack">
                <QrCode picture=code label/>
                <p class="muted small">{l.t(t::CODE_HINT)}</p>
            </div>
        </details>
        {held.filter(|_| open).map(|held| view! { <HeldNotice page position held/> })}
        {links}
        {move || is_moving.get().then(|| match quoting.get() {
            true => view! { <Quoted page position moving date minute by_hour/> }.into_any(),
            false => view! { <MoveForm page position date minute by_hour times=moving.times/> }.into_any(),
        })}
        {move || giving_up.get().then(|| view! { <GiveUpForm page position settlement changed again/> })}
    }
    .into_any()
}

/// What the move costs that the address asks about; the form where that is nothing, or cannot be said.
#[component]
fn Quoted(page: Page, position: i64, moving: Moving, date: LocalDate, minute: i64, by_hour: bool) -> impl IntoView {
    let Moving { times, quote, dearer, again } = moving;
    let shown = move || {
        Suspend::new(async move {
            let form = move || view! { <MoveForm page position date minute by_hour times/> };
            match quote.await {
                Some((date, time, Ok(quote))) if quote.cost.to_pay > Amount::ZERO => {
                    view! { <MoveDue page position date time quote changed=dearer again/> }.into_any()
                }
                Some((_, _, Err(error))) => view! { <ErrorNotice error/>{form()} }.into_any(),
                _ => form().into_any(),
            }
        })
    };
    view! { <Transition fallback=|| ()>{shown}</Transition> }.into_any()
}

/// What comes of moving a booking to a date and a time: it is there, or the page says what has to be paid first.
fn use_moved(page: Page, position: i64) -> impl Fn(MoveAnswer, &str, &str) + Clone + 'static {
    let (done, navigate) = (use_done(page), use_navigate());
    move |answer: MoveAnswer, date: &str, time: &str| match answer {
        MoveAnswer::Done => done(t::MOVED),
        MoveAnswer::Due(_) => {
            let options = NavigateOptions { scroll: false, ..NavigateOptions::default() };
            let to = format!("{MOVE}={position}&date={date}&time={time}&{QUOTE}=1");
            navigate(&format!("/orders/{}?{to}", page.number()), options);
        }
    }
}

/// The order as it is now, at its own address again.
pub fn use_done(page: Page) -> impl Fn(Text) + Clone + 'static {
    let (l, toasts, navigate) = (use_locale(), use_toasts(), use_navigate());
    move |said: Text| {
        toasts.show(l.t(said));
        let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
        navigate(&format!("/orders/{}", page.number()), options);
        spawn_local(async move {
            load(page.order).await;
            focus(STATE_ID);
        });
    }
}

#[component]
fn MoveForm(page: Page, position: i64, date: LocalDate, minute: i64, by_hour: bool, times: FreeOn) -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let posted = ServerAction::<MoveBooking>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &["date", "time"]);
    let moved = use_moved(page, position);
    let submit = move |event: ev::SubmitEvent| {
        // The other button asks what is free, by the address of the page.
        if event.submitter().is_some_and(|button| button.get_attribute("formmethod").is_some()) {
            return;
        }
        event.prevent_default();
        let Ok(MoveBooking { number, position, date, time }) = MoveBooking::from_event(&event) else { return };
        let moved = moved.clone();
        let answer = api::booking_after::move_booking(number, position, date.clone(), time.clone());
        state.send(None, answer, move |answer| moved(answer, &date, &time));
    };
    // As it was typed into a form that was refused without script.
    let typed = |name: &str| query.with_untracked(|query| query.get(name));
    let (typed_date, typed_time) = (typed("date"), typed("time"));
    let title_id = format!("move-{position}");
    let here = format!("/orders/{}", page.number());
    let free = by_hour.then(|| view! { <FreeTimes page position times/> });
    let ask = by_hour.then(|| {
        view! {
            <button class="btn btn-secondary" type="submit" formmethod="get" formaction=here.clone() formnovalidate=true>
                {l.t(t::MOVE_FREE)}
            </button>
        }
    });
    view! {
        <section class="panel" aria-labelledby=title_id>
            <h3 class="panel-title" id=title_id.clone()>{l.t(t::MOVE_TITLE)}</h3>
            <form class="form" action=MoveBooking::url() method="post" novalidate on:submit=submit>
                <p class="muted">{l.t(t::MOVE_TEXT)}</p>
                {state.notice()}
                <input type="hidden" name="number" value=page.number()/>
                <input type="hidden" name="position" value=position/>
                <input type="hidden" name=MOVE value=position/>
                <TextField
                    id="date" name="date" kind="date" label=l.t(t::MOVE_DATE)
                    value=typed_date.unwrap_or_else(|| date.to_string()) error=problem_of(state.error.into(), "date")
                />
                {by_hour.then(|| view! {
                    <TextField
                        id="time" name="time" kind="time" label=l.t(t::MOVE_TIME)
                        value=typed_time.unwrap_or_else(|| clock(minute)) error=problem_of(state.error.into(), "time")
                    />
                })}
                <div class="form-actions">
                    <button class="btn btn-primary" type="submit" aria-busy=state.busy()>{l.t(t::MOVE_DO)}</button>
                    {ask}
                    <a class="btn btn-quiet" href=here>{l.t(t::KEEP)}</a>
                </div>
            </form>
            {free}
        </section>
    }
    .into_any()
}

/// What is free on the date in the address, each as a button that moves the booking there.
#[component]
fn FreeTimes(page: Page, position: i64, times: FreeOn) -> impl IntoView {
    let list = move || {
        Suspend::new(async move {
            match times.await {
                Some((date, times)) => view! { <TimeButtons page position date times/> }.into_any(),
                None => ().into_any(),
            }
        })
    };
    view! { <Transition fallback=|| ()>{list}</Transition> }.into_any()
}

#[component]
fn TimeButtons(page: Page, position: i64, date: String, times: Vec<i64>) -> impl IntoView {
    let l = use_locale();
    let state = FormState::new(None, &[]);
    let moved = use_moved(page, position);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(MoveBooking { number, position, date, time }) = MoveBooking::from_event(&event) else { return };
        let moved = moved.clone();
        let answer = api::booking_after::move_booking(number, position, date.clone(), time.clone());
        state.send(None, answer, move |answer| moved(answer, &date, &time));
    };
    let text = if times.is_empty() { t::MOVE_NONE } else { t::MOVE_FREE_ON };
    let title = l.f(text, &[("date", &date)]);
    let buttons = times.into_iter().map(clock).map(|time| {
        view! { <button class="btn btn-secondary btn-sm" type="submit" name="time" value=time>{time.clone()}</button> }
    });
    view! {
        <form class="stack" action=MoveBooking::url() method="post" on:submit=submit>
            <p class="muted">{title}</p>
            {state.notice()}
            <input type="hidden" name="number" value=page.number()/>
            <input type="hidden" name="position" value=position/>
            <input type="hidden" name="date" value=date/>
            <div class="cluster">{buttons.collect_view()}</div>
        </form>
    }
    .into_any()
}

/// A form that confirms a sum, and whether that is another one than was shown before: then it is asked for `again` and shown
/// at once, to be confirmed anew. `changed` outlives the form, and `posted` is what a form without script was answered.
pub(super) fn use_sum(
    posted: Option<Error>,
    changed: RwSignal<bool>,
    again: Callback<()>,
) -> (FormState, Signal<bool>) {
    let before = posted == Some(Error::Conflict);
    let state = FormState::new(posted.filter(|error| *error != Error::Conflict), &[]);
    Effect::new(move |_| {
        if state.error.with(|error| *error == Some(Error::Conflict)) {
            changed.set(true);
            again.run(());
        }
    });
    (state, Signal::derive(move || before || changed.get()))
}

#[component]
fn GiveUpForm(
    page: Page,
    position: i64,
    settlement: Settlement,
    changed: RwSignal<bool>,
    again: Callback<()>,
) -> impl IntoView {
    let l = use_locale();
    let currency = page.order.with_untracked(|order| order.currency);
    let posted = ServerAction::<CancelBooking>::new().value().get_untracked().and_then(Result::err);
    let (state, other_sum) = use_sum(posted, changed, again);
    let done = use_done(page);
    let Settlement { fee, refund } = settlement;
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let done = done.clone();
        let cancelled = api::booking_after::cancel_booking(page.number(), position, refund.0);
        state.send(None, cancelled, move |()| done(t::CANCELLED));
    };
    let (kept, back) = (fee.display(currency), refund.display(currency));
    let text = match (fee > Amount::ZERO, refund > Amount::ZERO) {
        (false, false) => l.t(t::CANCEL_NOTHING).to_owned(),
        (false, true) => l.f(t::CANCEL_FREE, &[("refund", &back)]),
        (true, true) => l.f(t::CANCEL_FEE, &[("fee", &kept), ("refund", &back)]),
        (true, false) => l.f(t::CANCEL_ALL, &[("fee", &kept)]),
    };
    let news = move || {
        other_sum.get().then(|| {
            view! {
                <p role="alert">
                    <strong>{l.t(t::CHANGED_TITLE)}</strong>
                    " "
                    {l.t(t::CHANGED_TEXT)}
                </p>
            }
        })
    };
    view! {
        <section class="notice notice-warn" aria-label=l.t(t::CANCEL_TITLE)>
            <Icon name="warning"/>
            <div class="notice-body">
                <p class="notice-title">{l.t(t::CANCEL_TITLE)}</p>
                {news}
                <p>{text}</p>
                {state.notice()}
                <form class="notice-actions" action=CancelBooking::url() method="post" on:submit=submit>
                    <input type="hidden" name="number" value=page.number()/>
                    <input type="hidden" name="position" value=position/>
                    <input type="hidden" name="expected_refund" value=refund.0/>
                    <a class="btn btn-secondary btn-sm" href=format!("/orders/{}", page.number())>{l.t(t::KEEP)}</a>
                    <button class="btn btn-danger btn-sm" type="submit" aria-busy=state.busy()>{l.t(t::CANCEL_DO)}</button>
                </form>
            </div>
        </section>
    }
    .into_any()
}
