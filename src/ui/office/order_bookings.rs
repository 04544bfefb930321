//! The bookings of an order in the office: they came, it is over, nobody came. What cannot be undone asks first, on the
//! page itself.

use super::{order::Open, order_move::MoveAway};
use crate::{
    api::{
        self,
        booking_after::{BookingDone, CheckIn, NoShow},
    },
    domain::{
        booking::{after::Mark, interval::Interval},
        order::{BookingState, OrderBooking, OrderLine, State},
        permission::Permission,
        texts::{booking_after as t, office},
    },
    ui::{
        components::{booking_state::BookingBadge, icon::Icon},
        use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

/// In the address what asks whether nobody came, with the position of the booking.
const NO_SHOW: &str = "no-show";

/// A panel of all bookings; nothing for an order of goods alone.
#[component]
pub fn Bookings(open: Open) -> impl IntoView {
    let l = use_locale();
    let bookings = Memo::new(move |_| {
        let of = |line: &OrderLine| Some((line.title.clone(), line.label.clone(), line.booking.clone()?));
        open.order.with(|order| order.lines.iter().filter_map(of).collect::<Vec<_>>())
    });
    let posted = [
        ServerAction::<CheckIn>::new().value().get_untracked().and_then(Result::err),
        ServerAction::<BookingDone>::new().value().get_untracked().and_then(Result::err),
        ServerAction::<NoShow>::new().value().get_untracked().and_then(Result::err),
    ];
    if let Some(error) = posted.into_iter().flatten().next() {
        open.error.set(Some(error));
    }
    move || {
        let bookings = bookings.get();
        (!bookings.is_empty()).then(|| {
            let rows = bookings.into_iter().map(|(title, label, booking)| view! { <Row open title label booking/> });
            view! {
                <section class="panel" aria-labelledby="bookings-title">
                    <div class="panel-head"><h2 class="panel-title" id="bookings-title">{l.t(t::OFFICE_TITLE)}</h2></div>
                    <ul class="lines">{rows.collect_view()}</ul>
                </section>
            }
        })
    }
}

#[component]
fn Row(open: Open, title: String, label: String, booking: OrderBooking) -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let OrderBooking { position, state, start, end, .. } = booking;
    let may = open.role.may(Permission::Ship)
        && open.order.with_untracked(|order| matches!(order.state, State::ToShip | State::Shipped));
    // By the server's clock when the order was read: what is too early is not offered.
    let now = open.order.with_untracked(|order| order.now);
    let fits = move |mark: Mark| may && mark.check(state, Interval { start, end }, now).is_ok();
    let asked = Memo::new(move |_| {
        let asked = query.with(|query| query.get(NO_SHOW)).and_then(|asked| asked.parse::<i64>().ok());
        asked == Some(position) && state == BookingState::Booked
    });
    let text = l.f(t::NO_SHOW_TEXT, &[("title", &title)]);
    let confirmation = move || {
        asked.get().then(|| {
            view! {
                <section class="notice notice-warn" aria-label=l.t(t::NO_SHOW_TITLE)>
                    <Icon name="warning"/>
                    <div class="notice-body">
                        <p class="notice-title">{l.t(t::NO_SHOW_TITLE)}</p>
                        <p>{text.clone()}</p>
                        <div class="notice-actions">
                            <a class="btn btn-secondary btn-sm" href=format!("/office/orders/{}", open.number())>
                                {l.t(office::KEEP)}
                            </a>
                            <MarkForm open position mark=Mark::NoShow/>
                        </div>
                    </div>
                </section>
            }
        })
    };
    let away = view! { <MoveAway open title=title.clone() booking/> };
    let ask = format!("/office/orders/{}?{NO_SHOW}={position}", open.number());
    view! {
        <li class="line-after stack">
            <p class="line-name">{title}</p>
            <p class="line-variant">{label}</p>
            <div class="cluster">
                <BookingBadge state/>
                {fits(Mark::CheckedIn).then(|| view! { <MarkForm open position mark=Mark::CheckedIn/> })}
                {fits(Mark::Done).then(|| view! { <MarkForm open position mark=Mark::Done/> })}
                {fits(Mark::NoShow).then(|| view! { <a class="btn btn-quiet btn-sm" href=ask>{l.t(t::NO_SHOW)}</a> })}
            </div>
            {confirmation}
            {away}
        </li>
    }
    .into_any()
}

/// One thing that can be said of a booking, as a button.
#[component]
fn MarkForm(open: Open, position: i64, mark: Mark) -> impl IntoView {
    let l = use_locale();
    let (url, class, text) = match mark {
        Mark::CheckedIn => (CheckIn::url(), "btn btn-primary btn-sm", t::CHECK_IN),
        Mark::Done => (BookingDone::url(), "btn btn-secondary btn-sm", t::DONE),
        Mark::NoShow => (NoShow::url(), "btn btn-danger btn-sm", t::NO_SHOW),
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let number = open.number();
        open.tell(async move {
            match mark {
                Mark::CheckedIn => api::booking_after::check_in(number, position).await,
                Mark::Done => api::booking_after::booking_done(number, position).await,
                Mark::NoShow => api::booking_after::no_show(number, position).await,
            }
        });
    };
    view! {
        <form action=url method="post" on:submit=submit>
            <input type="hidden" name="number" value=open.number()/>
            <input type="hidden" name="position" value=position/>
            <button class=class type="submit" aria-busy=move || open.busy.get().then_some("true")>{l.t(text)}</button>
        </form>
    }
    .into_any()
}
