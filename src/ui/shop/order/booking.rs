//! What can be done with a booking after it was paid for, below its line: the calendar file, the code for the door, moving
//! it, and giving it up, which asks first and shows what comes back. Each works as a plain link or form.

use super::{Page, STATE_ID, load};
use crate::{
    api::{
        self,
        booking_after::{CancelBooking, MoveBooking},
    },
    domain::{
        Error,
        booking::{after::BookingChoices, cancellation::Settlement, date::LocalDate, zone::clock},
        locale::Text,
        money::Amount,
        number,
        order::{BookingState, OrderBooking, State},
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

/// A date and the minutes of it at which a booking could begin instead; none where no date is asked about.
type FreeOn = Resource<Option<(String, Vec<i64>)>>;

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
    let number = page.number();
    let choices = Resource::new(
        move || open.get(),
        move |open| {
            let number = number.clone();
            async move { if open { api::booking_after::choices(number, position).await.map(Some) } else { Ok(None) } }
        },
    );
    let again = Callback::new(move |()| choices.refetch());
    // Asked for beside the choices and not below them: what is asked for within an answer is asked for twice.
    let query = use_query_map();
    let wanted = Memo::new(move |_| {
        let here = query.with(|query| query.get(MOVE)).is_some_and(|place| place == position.to_string());
        query.with(|query| query.get("date")).filter(|_| here && open.get())
    });
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
                Ok(Some(choices)) => view! { <Tools page position state choices times changed again/> }.into_any(),
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

#[component]
fn Tools(
    page: Page,
    position: i64,
    state: BookingState,
    choices: BookingChoices,
    times: FreeOn,
    changed: RwSignal<bool>,
    again: Callback<()>,
) -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let number = page.number();
    let BookingChoices { settlement, open, movable, date, minute, by_hour, code } = choices;
    let open = open && state == BookingState::Booked;
    let asked = move |what: &'static str| {
        let asked = query.with(|query| query.get(what)).and_then(|asked| asked.parse::<i64>().ok());
        asked == Some(position)
    };
    let moving = Memo::new(move |_| open && movable && asked(MOVE));
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
        {links}
        {move || moving.get().then(|| view! { <MoveForm page position date minute by_hour times/> })}
        {move || giving_up.get().then(|| view! { <GiveUpForm page position settlement changed again/> })}
    }
    .into_any()
}

/// The order as it is now, at its own address again.
fn use_done(page: Page) -> impl Fn(Text) + Clone + 'static {
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
    let done = use_done(page);
    let submit = move |event: ev::SubmitEvent| {
        // The other button asks what is free, by the address of the page.
        if event.submitter().is_some_and(|button| button.get_attribute("formmethod").is_some()) {
            return;
        }
        event.prevent_default();
        let Ok(MoveBooking { number, position, date, time }) = MoveBooking::from_event(&event) else { return };
        let done = done.clone();
        state.send(None, api::booking_after::move_booking(number, position, date, time), move |()| done(t::MOVED));
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
    let done = use_done(page);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(MoveBooking { number, position, date, time }) = MoveBooking::from_event(&event) else { return };
        let done = done.clone();
        state.send(None, api::booking_after::move_booking(number, position, date, time), move |()| done(t::MOVED));
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
    let other_sum = posted == Some(Error::Conflict);
    let state = FormState::new(posted.filter(|error| *error != Error::Conflict), &[]);
    // Another sum is shown at once, and asked about anew.
    Effect::new(move |_| {
        if state.error.with(|error| *error == Some(Error::Conflict)) {
            changed.set(true);
            again.run(());
        }
    });
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
        (other_sum || changed.get()).then(|| {
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
