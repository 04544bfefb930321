//! An order in the list.

use crate::{
    api::order::Again,
    domain::{
        Error,
        catalog::Width,
        number,
        order::{OrderLine, OrderSummary, State},
        texts::order as t,
    },
    ui::{
        components::{order_state::StateBadge, picture::Picture, price::Price, summary::OrderLineRow, time},
        error::ErrorNotice,
        shop::{order::again::use_again, review::ReviewLinks},
        use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn, task::spawn_local};

/// The most pictures of an order of several lines.
const PICTURES: usize = 6;

#[component]
pub fn Card(order: OrderSummary, reload: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let OrderSummary { number, state, currency, total, quantity, placed_at, expires_at, lines } = order;
    let wanted =
        StoredValue::new(lines.iter().map(|line| (line.variant_id.clone(), line.quantity)).collect::<Vec<_>>());
    let href = format!("/orders/{number}");
    let reviews = view! { <ReviewLinks number=number.clone() lines=lines.clone()/> };
    let title_id = format!("order-{number}");
    let shown = number::display(&number);
    let hidden = format!(" {shown}");
    let contents = match <[OrderLine; 1]>::try_from(lines) {
        Ok([line]) => view! { <ul class="lines"><OrderLineRow line currency/></ul> }.into_any(),
        Err(lines) => {
            let picture =
                |line: OrderLine| view! { <Picture image=line.image alt=line.title thumb=Width::Thumb size=144/> };
            view! { <div class="order-card-pictures">{lines.into_iter().take(PICTURES).map(picture).collect_view()}</div> }.into_any()
        }
    };
    let error = RwSignal::new(None::<Error>);
    let action = match state {
        State::ToPay => {
            let until = expires_at.map(|end| l.f(t::PAY_BY, &[("time", &time::clock(end))]));
            view! {
                {until.map(|until| view! { <span class="muted small">{until}</span> })}
                <a class="btn btn-primary btn-sm" href=format!("/pay/{number}")>{l.t(t::GO_PAY)}<span class="visually-hidden">{hidden.clone()}</span></a>
            }
            .into_any()
        }
        State::Shipped => view! {
            <a class="btn btn-secondary btn-sm" href=format!("{href}?receive=1")>{l.t(t::RECEIVED)}<span class="visually-hidden">{hidden.clone()}</span></a>
        }
        .into_any(),
        State::ToShip | State::Completed | State::Cancelled => view! { <AgainForm number wanted error reload/> }.into_any(),
    };
    view! {
        <article class="panel order-card" aria-labelledby=title_id.clone()>
            <header class="order-card-head">
                <h2 class="small" id=title_id.clone()><a class="link link-quiet" href=href.clone()><span class="code nowrap">{shown}</span></a></h2>
                <time datetime=time::iso(placed_at)>{time::date(l, placed_at)}</time>
                <StateBadge state/>
            </header>
            {contents}
            {reviews}
            <footer class="order-card-foot">
                <p>{l.n(t::COUNT_TOTAL_ONE, t::COUNT_TOTAL, quantity)}<Price amount=total currency/></p>
                <div class="cluster">
                    <a class="btn btn-quiet btn-sm" href=href>{l.t(t::DETAILS)}<span class="visually-hidden">{hidden}</span></a>
                    {action}
                </div>
            </footer>
            {move || error.get().map(|error| view! { <ErrorNotice error/> })}
        </article>
    }
    .into_any()
}

/// Puts what the order had into the cart and goes there.
#[component]
fn AgainForm(
    number: String,
    wanted: StoredValue<Vec<(String, i64)>>,
    error: RwSignal<Option<Error>>,
    reload: Callback<()>,
) -> impl IntoView {
    let l = use_locale();
    let run = use_again();
    let busy = RwSignal::new(false);
    let hidden = format!(" {}", number::display(&number));
    let order = number.clone();
    let again = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        let (order, wanted) = (order.clone(), wanted.get_value());
        spawn_local(async move {
            if let Err(problem) = run.run(order, &wanted).await {
                if problem == Error::NotFound {
                    reload.try_run(());
                }
                error.try_set(Some(problem));
            }
            busy.try_set(false);
        });
    };
    view! {
        <form action=Again::url() method="post" on:submit=again>
            <input type="hidden" name="number" value=number/>
            <button class="btn btn-secondary btn-sm" type="submit" aria-busy=move || busy.get().then_some("true")>
                {l.t(t::ORDER_AGAIN)}
                <span class="visually-hidden">{hidden}</span>
            </button>
        </form>
    }
    .into_any()
}
