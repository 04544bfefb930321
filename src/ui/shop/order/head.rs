//! The head of an order's page: its state in plain words, what happens next, and the buttons for it.

use super::{
    Ask, Page, STATE_ID,
    actions::{AgainButton, AgainForm, Confirmation, PayButton, PayForm, Trigger},
    load,
};
use crate::{
    domain::{
        Locale,
        money::Amount,
        number,
        order::{Action, CancelReason, Order, State},
        paying::{MoneyBack, Phase, refunds},
        texts::order as t,
    },
    ui::{
        components::{
            copy::CopyButton,
            countdown::{Countdown, use_countdown},
            icon::Icon,
            time,
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{prelude::*, task::spawn_local};

const DAY_MS: i64 = 86_400_000;

/// The state, and what happens next, in words.
fn words(l: Locale, phase: Phase, order: &Order) -> (&'static str, String) {
    let back = |text, amount: Amount| l.f(text, &[("amount", &amount.display(order.currency))]);
    let days = order.shipping_rules.rule(Some(&order.contact.region)).map(|rule| rule.days);
    let (title, text) = match phase {
        Phase::ToPay { .. } => (t::PAY_TITLE, l.t(t::PAY_TEXT).to_owned()),
        Phase::Paying => (t::WAITING_TITLE, l.t(t::WAITING_TEXT).to_owned()),
        Phase::Ending => (t::ENDING_TITLE, l.t(t::ENDING_TEXT).to_owned()),
        Phase::ToShip { late } => {
            let text = l.t(if late { t::LATE_TEXT } else { t::TO_SHIP_TEXT }).to_owned();
            let days = days.map(|(from, to)| match from == to {
                true => l.n(t::TO_SHIP_DAYS_EXACT_ONE, t::TO_SHIP_DAYS_EXACT, from),
                false => l.f(t::TO_SHIP_DAYS, &[("from", &from), ("to", &to)]),
            });
            let days = days.unwrap_or_default();
            (t::TO_SHIP_TITLE, join(l, text, days))
        }
        Phase::Shipped => {
            let expected = order.shipment.as_ref().zip(days).map(|(shipment, (from, to))| {
                let day = |days: i64| time::date(l, shipment.shipped_at + days * DAY_MS);
                l.f(t::SHIPPED_TEXT, &[("from", &day(from)), ("to", &day(to))])
            });
            (t::SHIPPED_TITLE, expected.unwrap_or_default())
        }
        Phase::Completed => (t::COMPLETED_TITLE, l.t(t::COMPLETED_TEXT).to_owned()),
        Phase::Cancelled { back: MoneyBack::UnderWay(amount), .. } => {
            (t::REFUNDING_TITLE, back(t::REFUNDING_TEXT, amount))
        }
        Phase::Cancelled { back: MoneyBack::Arrived(amount), .. } => {
            (t::REFUNDED_TITLE, back(t::REFUNDED_TEXT, amount))
        }
        Phase::Cancelled { reason, back: MoneyBack::Nothing } => {
            let text = match reason {
                // Whether an attempt to pay came to something may be known later only.
                _ if order.open_attempt().is_some() => t::CANCELLED_OPEN_TEXT,
                CancelReason::Customer => t::CANCELLED_TEXT,
                CancelReason::Expired => t::CANCELLED_EXPIRED_TEXT,
                CancelReason::Office => t::CANCELLED_OFFICE_TEXT,
            };
            (t::CANCELLED_TITLE, l.t(text).to_owned())
        }
    };
    (l.t(title), text)
}

/// Two sentences, as the language sets them.
fn join(l: Locale, first: String, second: String) -> String {
    let space = if l == Locale::En && !second.is_empty() { " " } else { "" };
    first + space + &second
}

const fn class(phase: Phase) -> &'static str {
    match phase {
        Phase::ToPay { .. } | Phase::Paying => "order-state order-state-pay",
        Phase::Ending | Phase::Cancelled { back: MoneyBack::UnderWay(_), .. } => "order-state order-state-warn",
        Phase::ToShip { .. } | Phase::Shipped => "order-state order-state-ok",
        Phase::Completed | Phase::Cancelled { .. } => "order-state",
    }
}

#[component]
pub fn Head(page: Page) -> impl IntoView {
    let l = use_locale();
    let number = page.number();
    let words = Memo::new(move |_| page.order.with(|order| words(l, page.phase.get(), order)));
    let clock = Memo::new(move |_| {
        let open = page.phase.get().is_open();
        page.order.with(|order| order.expires_at.filter(|_| open).map(|end| (order.now, end)))
    });
    // What changes while the page is open is said once; the clock beside it is not.
    let said = RwSignal::new(String::new());
    Effect::new(move |before: Option<(&'static str, String)>| {
        let now = words.get();
        if before.is_some_and(|before| before != now) {
            said.set(join(l, format!("{}{}", now.0, if l == Locale::En { "." } else { "。" }), now.1.clone()));
        }
        now
    });
    view! {
        <div class="stack">
            <Confirmation page ask=Ask::Cancel/>
            <Confirmation page ask=Ask::Receive/>
            <section class=move || class(page.phase.get()) aria-labelledby=STATE_ID>
                <div>
                    <p class="muted small">
                        {l.t(t::ORDER_NUMBER)} " "
                        <span class="nowrap">
                            <span class="code">{number::display(&number)}</span>
                            <CopyButton text=number.clone() label=l.t(t::COPY_NUMBER)/>
                        </span>
                    </p>
                    <h1 class="order-state-title" id=STATE_ID tabindex="-1">{move || words.with(|words| words.0)}</h1>
                    {move || clock.get().map(|(now, until)| view! { <Clock page now until/> })}
                    <p class="muted">{move || words.with(|words| words.1.clone())}</p>
                </div>
                <Buttons page/>
            </section>
            <p class="visually-hidden" role="status">{said}</p>
            {move || page.error.get().map(|error| view! { <ErrorNotice error/> })}
            <Notices page/>
        </div>
        <PayForm page/>
        <AgainForm page/>
    }
    .into_any()
}

/// The time left of the hold, counted by the server's clock; when it is over the order is asked for again.
#[component]
fn Clock(page: Page, now: i64, until: i64) -> impl IntoView {
    let l = use_locale();
    let left = use_countdown(now, until);
    Effect::new(move |asked: Option<bool>| {
        let over = left.get() == 0;
        if over && asked == Some(false) {
            set_timeout(move || spawn_local(load(page.order)), std::time::Duration::from_millis(500));
        }
        over
    });
    let text = l.t(t::HELD);
    let (before, after) = text.split_once("{time}").unwrap_or((text, ""));
    view! { <p role="timer">{before}<Countdown left/>{after}</p> }.into_any()
}

/// What can be done now.
#[component]
fn Buttons(page: Page) -> impl IntoView {
    let l = use_locale();
    let number = StoredValue::new(page.number());
    let edit = move || {
        let may = page.order.with(|order| order.state.allows(Action::Change));
        may.then(|| view! { <a class="btn btn-secondary" href=format!("/orders/{}/edit", number.get_value())>{l.t(t::EDIT)}</a> })
    };
    let buttons = move || match page.phase.get() {
        phase @ (Phase::ToPay { .. } | Phase::Paying) => view! {
            <PayButton page phase/>
            {edit}
            <Trigger page ask=Ask::Cancel/>
        }
        .into_any(),
        Phase::Ending => ().into_any(),
        Phase::ToShip { .. } => {
            view! { <AgainButton page class="btn btn-secondary"/><Trigger page ask=Ask::Cancel/> }.into_any()
        }
        Phase::Shipped => {
            view! { <Trigger page ask=Ask::Receive/><AgainButton page class="btn btn-quiet"/> }.into_any()
        }
        Phase::Completed | Phase::Cancelled { back: MoneyBack::Nothing, .. } => {
            view! { <AgainButton page class="btn btn-primary"/> }.into_any()
        }
        Phase::Cancelled { .. } => view! { <AgainButton page class="btn btn-secondary"/> }.into_any(),
    };
    view! { <div class="order-state-actions">{buttons}</div> }.into_any()
}

/// An attempt to pay that failed, and money of an order that goes on.
#[component]
fn Notices(page: Page) -> impl IntoView {
    let l = use_locale();
    let href = StoredValue::new(format!("/pay/{}", page.number()));
    let failed = Memo::new(move |_| page.phase.get() == Phase::ToPay { failed: true });
    let failure = move || {
        failed.get().then(|| {
            view! {
                <div class="notice notice-danger" role="alert">
                    <Icon name="error"/>
                    <div class="notice-body">
                        <p class="notice-title">{l.t(t::FAILED_TITLE)}</p>
                        <p>{l.t(t::FAILED_TEXT)}</p>
                        <div class="notice-actions">
                            <a class="btn btn-secondary btn-sm" href=href.get_value()>{l.t(t::OTHER_METHOD)}</a>
                        </div>
                    </div>
                </div>
            }
        })
    };
    let extra = Memo::new(move |_| {
        page.order.with(|order| {
            let (under_way, done) = if order.state == State::Cancelled { Default::default() } else { refunds(order) };
            (under_way, done, order.currency)
        })
    });
    let notice = move |amount: Amount, text, icon, class| {
        (amount > Amount::ZERO).then(|| {
            let text = l.f(text, &[("amount", &amount.display(extra.get_untracked().2))]);
            view! { <div class=class role="status"><Icon name=icon/><div class="notice-body"><p>{text}</p></div></div> }
        })
    };
    // What comes back for a booking was not paid by mistake.
    let (refunding, refunded) = match page.order.with_untracked(|order| order.lines.iter().any(|l| l.booking.is_some()))
    {
        true => (t::REFUNDING_TEXT, t::REFUNDED_TEXT),
        false => (t::EXTRA_REFUNDING, t::EXTRA_REFUNDED),
    };
    view! {
        {failure}
        {move || {
            let (under_way, done, _) = extra.get();
            (
                notice(under_way, refunding, "refund", "notice notice-warn"),
                notice(done, refunded, "refund", "notice notice-ok"),
            )
        }}
    }
    .into_any()
}
