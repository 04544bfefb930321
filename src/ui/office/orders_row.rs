//! An order in the queue.

use super::parts::ago;
use crate::{
    domain::{
        Locale,
        live::{self, Topic},
        number,
        office::OfficeOrder,
        order::{Action, OrderLine, State},
        texts::office as t,
    },
    ui::{
        components::{order_state::StateBadge, price::Price, time::Time},
        live::use_live,
        use_locale,
    },
};
use leptos::prelude::*;

/// A row of the table. It follows its order, and counts itself in `gone` once the order has left the queue.
#[component]
pub fn Row(order: OfficeOrder, clock: Signal<i64>, gone: RwSignal<i64>) -> impl IntoView {
    let l = use_locale();
    let OfficeOrder { order, recipient, reached_by, region_name } = order;
    let state = follow(&order.number, order.state, gone);
    let href = format!("/office/orders/{}", order.number);
    let shown = number::display(&order.number);
    let hidden = format!(" {shown}");
    let placed_at = order.placed_at;
    let action = move || {
        let (class, text) = if state.get().allows(Action::Ship) {
            ("btn btn-secondary btn-sm", t::SHIP)
        } else {
            ("btn btn-quiet btn-sm", t::VIEW)
        };
        view! { <a class=class href=href.clone()>{l.t(text)}<span class="visually-hidden">{hidden.clone()}</span></a> }
    };
    view! {
        <tr>
            <th scope="row" data-label=l.t(t::ORDER)>
                <a class="link" href=format!("/office/orders/{}", order.number)><span class="code nowrap">{shown}</span></a>
            </th>
            <td data-label=l.t(t::RECIPIENT)>
                <span>{recipient} " " <span class="nowrap">{reached_by}</span><br/><span class="muted">{region_name}</span></span>
            </td>
            <td data-label=l.t(t::ITEMS)>{items(l, &order.lines)}</td>
            <td class="is-num" data-label=l.t(t::TOTAL)><Price amount=order.total currency=order.currency/></td>
            <td data-label=l.t(t::PLACED)>
                <span><Time ms=placed_at class="num nowrap"/><br/><span class="muted">{move || ago(l, clock.get() - placed_at)}</span></span>
            </td>
            <td data-label=l.t(t::STATE)>{move || view! { <StateBadge state=state.get()/> }}</td>
            <td class="is-num">{action}</td>
        </tr>
    }
    .into_any()
}

/// The state of an order, kept up to date by the live feed.
fn follow(number: &str, loaded: State, gone: RwSignal<i64>) -> Memo<State> {
    let updates = (loaded != State::Completed).then(|| use_live().subscribe(Topic::Order(number.to_owned())));
    let state = Memo::new(move |_| match updates.and_then(|updates| updates.get()) {
        Some(live::Update::Order { state, .. }) => state,
        _ => loaded,
    });
    Effect::new(move |counted: Option<bool>| {
        let counted = counted.unwrap_or(false);
        let has_left = loaded == State::ToShip && state.get() != State::ToShip;
        if has_left != counted {
            gone.try_update(|gone| *gone += if has_left { 1 } else { -1 });
        }
        has_left
    });
    state
}

/// The first line, and how many more there are.
fn items(l: Locale, lines: &[OrderLine]) -> String {
    let Some(first) = lines.first() else { return String::new() };
    match lines.len() - 1 {
        0 => format!("{} × {}", first.title, first.quantity),
        more => l.f(t::ITEMS_MORE, &[("title", &first.title), ("n", &more)]),
    }
}
