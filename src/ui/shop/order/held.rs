//! A move of a booking that costs something: what that is, before it is confirmed; and while it is held, how long yet, the
//! way to pay and the way out.

use super::{
    Page,
    booking::{use_done, use_sum},
    load,
};
use crate::{
    api::{
        self,
        booking_after::{GiveUpMove, HoldMove, PayMove},
    },
    domain::{
        booking::after::{HeldMove, MoveQuote},
        money::{Amount, Currency},
        texts::booking_after as t,
    },
    ui::{
        components::{
            countdown::{Countdown, use_countdown},
            field::focus,
            form::FormState,
            icon::Icon,
        },
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn, task::spawn_local};
use std::time::Duration;

/// What a move costs; one at a time on a page.
const DUE: &str = "move-due";

/// What of the sum is for the change itself, and what is for the booking.
#[component]
fn Sums(fee: Amount, due: Amount, currency: Currency) -> impl IntoView {
    let l = use_locale();
    let row = move |name, amount: Amount| {
        (amount != Amount::ZERO).then(|| {
            view! { <div class="sum"><dt>{l.t(name)}</dt><dd>{amount.display(currency)}</dd></div> }
        })
    };
    view! {
        <dl class="sums">
            {row(t::DUE_FEE, fee)}
            {row(t::DUE_DIFFERENCE, due - fee)}
            <div class="sum sum-total"><dt>{l.t(t::DUE_SUM)}</dt><dd>{due.display(currency)}</dd></div>
        </dl>
    }
    .into_any()
}

/// What a move costs, and the button that confirms it. `changed` tells whether that was another sum before, and `again` asks
/// for it anew.
#[component]
pub fn MoveDue(
    page: Page,
    position: i64,
    date: String,
    time: String,
    quote: MoveQuote,
    changed: RwSignal<bool>,
    again: Callback<()>,
) -> impl IntoView {
    let l = use_locale();
    let currency = page.order.with_untracked(|order| order.currency);
    let posted = ServerAction::<HoldMove>::new().value().get_untracked().and_then(Result::err);
    let (state, other_sum) = use_sum(posted, changed, again);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(HoldMove { number, position, date, time, expected_due }) = HoldMove::from_event(&event) else { return };
        // On success the browser is on its way to the cashier.
        state.send(None, api::booking_after::hold_move(number, position, date, time, expected_due), |_| ());
    };
    // It takes the place of the form in which the button was that asked for it: whoever does not see it is led there.
    Effect::new(move |_| {
        request_animation_frame(|| {
            let _ = focus(DUE);
        });
    });
    let MoveQuote { label, cost } = quote;
    let due = cost.to_pay;
    let news = move || other_sum.get().then(|| view! { <p role="alert"><strong>{l.t(t::DUE_CHANGED)}</strong></p> });
    view! {
        <section class="notice notice-warn" id=DUE tabindex="-1" aria-label=l.t(t::DUE_TITLE)>
            <Icon name="warning"/>
            <div class="notice-body">
                <p class="notice-title">{l.t(t::DUE_TITLE)}</p>
                {news}
                <p>{l.f(t::DUE_TEXT, &[("label", &label)])}</p>
                <Sums fee=cost.fee due currency/>
                {state.notice()}
                <form class="notice-actions" action=HoldMove::url() method="post" on:submit=submit>
                    <input type="hidden" name="number" value=page.number()/>
                    <input type="hidden" name="position" value=position/>
                    <input type="hidden" name="date" value=date/>
                    <input type="hidden" name="time" value=time/>
                    <input type="hidden" name="expected_due" value=due.0/>
                    <a class="btn btn-secondary btn-sm" href=format!("/orders/{}", page.number())>{l.t(t::KEEP)}</a>
                    <button class="btn btn-primary btn-sm" type="submit" aria-busy=state.busy()>
                        {l.f(t::DUE_DO, &[("amount", &due.display(currency))])}
                    </button>
                </form>
            </div>
        </section>
    }
    .into_any()
}

/// A move that waits for its payment.
#[component]
pub fn HeldNotice(page: Page, position: i64, held: HeldMove) -> impl IntoView {
    let l = use_locale();
    let currency = page.order.with_untracked(|order| order.currency);
    let confirmed = ServerAction::<HoldMove>::new().value().get_untracked().and_then(Result::err);
    let paid = ServerAction::<PayMove>::new().value().get_untracked().and_then(Result::err);
    let given_up = ServerAction::<GiveUpMove>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(confirmed.or(paid).or(given_up), &[]);
    let pay = move |event: ev::SubmitEvent| {
        event.prevent_default();
        // On success the browser is on its way to the cashier.
        state.send(None, api::booking_after::pay_move(page.number(), position), |_| ());
    };
    let done = use_done(page);
    let give_up = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let done = done.clone();
        let given_up = api::booking_after::give_up_move(page.number(), position);
        state.send(None, given_up, move |()| done(t::HELD_GIVEN_UP));
    };
    let HeldMove { label, fee, due, until, now } = held;
    view! {
        <section class="notice notice-warn" aria-label=l.t(t::HELD_TITLE)>
            <Icon name="warning"/>
            <div class="notice-body">
                <p class="notice-title">{l.t(t::HELD_TITLE)}</p>
                <Clock page now until/>
                <p>{l.f(t::HELD_TEXT, &[("label", &label)])}</p>
                <Sums fee due currency/>
                {state.notice()}
                <div class="notice-actions">
                    <form action=GiveUpMove::url() method="post" on:submit=give_up>
                        <input type="hidden" name="number" value=page.number()/>
                        <input type="hidden" name="position" value=position/>
                        <button class="btn btn-secondary btn-sm" type="submit" aria-busy=state.busy()>
                            {l.t(t::HELD_GIVE_UP)}
                        </button>
                    </form>
                    <form action=PayMove::url() method="post" on:submit=pay>
                        <input type="hidden" name="number" value=page.number()/>
                        <input type="hidden" name="position" value=position/>
                        <button class="btn btn-primary btn-sm" type="submit" aria-busy=state.busy()>
                            {l.f(t::HELD_PAY, &[("amount", &due.display(currency))])}
                        </button>
                    </form>
                </div>
            </div>
        </section>
    }
    .into_any()
}

/// The time left, counted by the server's clock; when it is over the order is asked for again.
#[component]
fn Clock(page: Page, now: i64, until: i64) -> impl IntoView {
    let l = use_locale();
    let left = use_countdown(now, until);
    Effect::new(move |asked: Option<bool>| {
        let over = left.get() == 0;
        if over && asked == Some(false) {
            // The clock of the server looks every second.
            set_timeout(move || spawn_local(load(page.order)), Duration::from_millis(1500));
        }
        over
    });
    let text = l.t(t::HELD_TIME);
    let (before, after) = text.split_once("{time}").unwrap_or((text, ""));
    view! { <p role="timer">{before}<Countdown left/>{after}</p> }.into_any()
}
