//! Changing an unpaid order. One plain form for quantities, address, wishes and payment method; with script the new
//! total follows at once, and what another page or the clock did meanwhile is told here.

mod answers;
mod form;
mod quantities;

use self::form::Form;
use super::{load, use_number};
use crate::{
    api::{self, order::Change},
    domain::{
        Error,
        live::{self, Topic},
        number,
        order::{Action, Order, OrderEdit},
        texts::order as t,
    },
    ui::{
        components::{
            breadcrumbs::Breadcrumbs,
            countdown::{Countdown, use_countdown},
            icon::Icon,
            skeleton::SkeletonText,
            travel::Main,
        },
        error::{ErrorPage, message},
        live::use_live,
        use_locale,
    },
};
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::{Meta, Title};
use leptos_router::hooks::use_query_map;

#[component]
pub fn OrderEditPage() -> impl IntoView {
    let l = use_locale();
    let number = use_number();
    let query = use_query_map();
    let posted = ServerAction::<Change>::new().value().get_untracked().and_then(Result::err);
    // What was typed and could not be done is shown again, after a form without script as well.
    let draft = posted.is_some() || query.with_untracked(|query| query.get("draft").is_some());
    let edit = Resource::new(move || number.get(), move |number| api::order::edit(number, draft));
    view! {
        <Title text=l.t(t::EDIT_TITLE)/>
        <Meta name="robots" content="noindex"/>
        <Suspense fallback=|| view! { <Loading/> }>
            {move || {
                let posted = posted.clone();
                Suspend::new(async move {
                    match edit.await {
                        Ok(edit) => view! { <Body edit posted/> }.into_any(),
                        Err(error) => view! { <ErrorPage error/> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Loading() -> impl IntoView {
    let l = use_locale();
    view! {
        <Main class="page container container-narrow">
            <div class="page-head"><h1 class="page-title">{l.t(t::EDIT_TITLE)}</h1></div>
            <div class="stack">
                <section class="panel"><SkeletonText lines=4/></section>
                <section class="panel"><SkeletonText lines=8/></section>
            </div>
        </Main>
    }
    .into_any()
}

/// Whether an order can be changed at the moment it was read.
fn is_open(order: &Order) -> bool {
    order.state.allows(Action::Change) && order.expires_at.is_some_and(|end| end > order.now)
}

/// Whether two versions of an order hold the same in all that this page changes. The payment method is left out: it
/// follows the attempts to pay.
fn same_contents(a: &Order, b: &Order) -> bool {
    (&a.lines, &a.contact, &a.note, a.delivery_wish) == (&b.lines, &b.contact, &b.note, b.delivery_wish)
}

#[component]
fn Body(edit: OrderEdit, posted: Option<Error>) -> impl IntoView {
    let l = use_locale();
    let OrderEdit { order, form, quantities, provinces, cities, districts } = edit;
    let href = format!("/orders/{}", order.number);
    let first = StoredValue::new(order.clone());
    let order = RwSignal::new(order);
    let updates = use_live().subscribe(Topic::Order(first.with_value(|order| order.number.clone())));
    Effect::new(move |_| {
        let Some(live::Update::Order { version, .. }) = updates.get() else { return };
        if order.with_untracked(|order| order.version < version) {
            spawn_local(load(order));
        }
    });
    let open = Memo::new(move |_| order.with(is_open));
    // Attempts to pay make new versions too; they change nothing here.
    let version = Memo::new(move |_| {
        order.with(|order| {
            first.with_value(|first| if same_contents(first, order) { order.version } else { first.version })
        })
    });
    let changed = Memo::new(move |_| order.with(|order| first.with_value(|first| !same_contents(first, order))));
    let clock =
        Memo::new(move |_| order.with(|order| order.expires_at.filter(|_| is_open(order)).map(|end| (order.now, end))));
    let crumbs = vec![
        ("/orders".to_owned(), l.t(t::ORDERS_TITLE).to_owned()),
        (href.clone(), number::display(&first.with_value(|order| order.number.clone()))),
    ];
    let offered = crate::ui::components::address::Divisions { provinces, cities, districts };
    // Made once: what was typed outlives every news of the order.
    let body = view! { <Form order=first.get_value() form quantities offered version changed open posted/> };
    view! {
        <Main class="page container container-narrow">
            <Breadcrumbs links=crumbs here=l.t(t::EDIT_HERE).to_owned()/>
            <div class="page-head">
                <h1 class="page-title">{l.t(t::EDIT_TITLE)}</h1>
                {move || clock.get().map(|(now, until)| view! { <Clock order now until/> })}
            </div>
            <div aria-live="polite">{move || (!open.get()).then(|| view! { <Closed order href=href.clone()/> })}</div>
            {body}
        </Main>
    }
    .into_any()
}

/// The time left of the hold.
#[component]
fn Clock(order: RwSignal<Order>, now: i64, until: i64) -> impl IntoView {
    let l = use_locale();
    let left = use_countdown(now, until);
    Effect::new(move |asked: Option<bool>| {
        let over = left.get() == 0;
        if over && asked == Some(false) {
            set_timeout(move || spawn_local(load(order)), std::time::Duration::from_millis(500));
        }
        over
    });
    let text = l.t(t::TIME_LEFT);
    let (before, after) = text.split_once("{time}").unwrap_or((text, ""));
    view! { <p class="muted small" role="timer">{before}<Countdown left/>{after}</p> }.into_any()
}

/// The order is paid, cancelled, or out of time.
#[component]
fn Closed(order: RwSignal<Order>, href: String) -> impl IntoView {
    let l = use_locale();
    let why = order.with_untracked(|order| match order.state.after(Action::Change) {
        Err(error) => message(l, &error),
        Ok(_) => l.t(t::ENDING_TITLE).to_owned(),
    });
    view! {
        <div class="notice notice-warn">
            <Icon name="info"/>
            <div class="notice-body">
                <p class="notice-title">{l.t(t::CLOSED_TITLE)}</p>
                <p>{why}</p>
                <div class="notice-actions"><a class="btn btn-primary btn-sm" href=href>{l.t(t::BACK_TO_ORDER)}</a></div>
            </div>
        </div>
    }
    .into_any()
}
