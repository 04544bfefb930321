//! Payment of an order just placed: its number, the time left, and the way to the cashier, which is another site.

use super::{checkout::Steps, order::again::use_again};
use crate::{
    api::{
        self,
        order::{Again, Pay},
    },
    domain::{
        Error,
        live::{self, Topic},
        money::Currency,
        number,
        order::{CancelReason, Order},
        paying::{Phase, phase},
        texts::{self, checkout as t},
    },
    ui::{
        components::{
            countdown::{Countdown, use_countdown},
            field::problem_of,
            icon::Icon,
            method::MethodCards,
            price::Price,
            skeleton::SkeletonText,
            travel::Main,
        },
        error::{ErrorNotice, ErrorPage},
        live::use_live,
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_meta::{Meta, Title};
use leptos_router::hooks::{use_params_map, use_query_map};

#[component]
pub fn PayPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let number = Memo::new(move |_| params.with(|params| params.get("number").unwrap_or_default()));
    let order = Resource::new(move || number.get(), api::order::get);
    let pay = ServerAction::<Pay>::new();
    let posted_again = ServerAction::<Again>::new().value().get_untracked().and_then(Result::err);
    view! {
        <Title text=l.t(t::PAY_TITLE)/>
        <Meta name="robots" content="noindex"/>
        <Suspense fallback=|| view! { <Loading/> }>
            {move || {
                let posted_again = posted_again.clone();
                Suspend::new(async move {
                    match order.await {
                        Ok(order) => view! { <Body order pay posted_again/> }.into_any(),
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
    view! {
        <Main class="page container container-narrow">
            <Steps present=2/>
            <section class="panel"><SkeletonText lines=6/></section>
        </Main>
    }
    .into_any()
}

/// Loads the order again whenever the live feed tells of it.
fn follow(order: RwSignal<Order>) {
    let number = order.with_untracked(|order| order.number.clone());
    let updates = use_live().subscribe(Topic::Order(number));
    Effect::new(move |before: Option<bool>| {
        let Some(live::Update::Order { state, version, .. }) = updates.get() else { return false };
        // The first message is the present state, which is shown already; later ones may tell of an attempt to pay,
        // which is no new version.
        let shown = order.with_untracked(|order| (order.state, order.version) == (state, version));
        if !shown || before == Some(true) {
            load(order);
        }
        true
    });
}

fn load(order: RwSignal<Order>) {
    spawn_local(async move {
        let _ = fetch(order).await;
    });
}

async fn fetch(order: RwSignal<Order>) -> Result<(), Error> {
    let new = api::order::get(order.with_untracked(|order| order.number.clone())).await?;
    order.try_update(|order| {
        if order.version <= new.version {
            *order = new;
        }
    });
    Ok(())
}

/// The live feed tells of news; should it be cut off, asking now and then does too.
fn ask_meanwhile(order: RwSignal<Order>) {
    Effect::new(move |_| {
        let asking = set_interval_with_handle(move || load(order), std::time::Duration::from_secs(5)).ok();
        on_cleanup(move || {
            if let Some(asking) = asking {
                asking.clear();
            }
        });
    });
}

#[component]
fn Body(order: Order, pay: ServerAction<Pay>, posted_again: Option<Error>) -> impl IntoView {
    let l = use_locale();
    let (number, currency) = (order.number.clone(), order.currency);
    let order = RwSignal::new(order);
    follow(order);
    let query = use_query_map();
    // "Pay another way" is a link, so that it works without script. It names the attempt it gives up: a later one is
    // waited for again.
    let other =
        Memo::new(move |_| query.with(|query| query.get("other").and_then(|attempt| attempt.parse::<i64>().ok())));
    let phase = Memo::new(move |_| match order.with(phase) {
        Phase::Paying if other.get().is_some() && other.get() == order.with(Order::open_attempt) => {
            Phase::ToPay { failed: false }
        }
        phase => phase,
    });
    let clock = Memo::new(move |_| {
        let open = phase.get().is_open();
        order.with(|order| order.expires_at.filter(|_| open).map(|end| (order.now, order.placed_at, end)))
    });
    let pay = Beginning { action: pay, busy: RwSignal::new(false) };
    // The browser may show this page again as it was left, on the way back from the cashier.
    Effect::new(move |_| {
        let back = window_event_listener(ev::pageshow, move |event| {
            if event.persisted() {
                pay.give_up();
                load(order);
            }
        });
        on_cleanup(move || back.remove());
    });
    Effect::new(move |_| {
        if pay.action.value().with(|answer| matches!(answer, Some(Err(_)))) {
            pay.busy.set(false);
        }
    });
    let href = StoredValue::new(format!("/orders/{number}"));
    let posted_again = StoredValue::new(posted_again);
    let total = move || order.with(|order| order.totals.total);
    // Whether an attempt to pay came to something may be known later only.
    let ended = move |text| {
        let open = order.with_untracked(|order| order.open_attempt().is_some());
        l.t(if open { texts::order::CANCELLED_OPEN_TEXT } else { text })
    };
    let content = move || {
        match phase.get() {
        Phase::ToPay { failed } => view! { <Choose order pay failed href currency/> }.into_any(),
        Phase::Paying => view! { <Waiting order pay href/> }.into_any(),
        Phase::Ending => view! { <Said title=l.t(t::ENDING_TITLE) text=l.t(t::ENDING_TEXT) class="order-state order-state-warn center"><EndingActions order href/></Said> }.into_any(),
        Phase::ToShip { .. } | Phase::Shipped | Phase::Completed => view! {
            <Said title=l.t(t::PAID_TITLE) text=l.t(t::PAID_TEXT) class="order-state order-state-ok center">
                <div class="order-state-actions">
                    <a class="btn btn-primary" href=href.get_value()>{l.t(t::VIEW_ORDER)}</a>
                    <a class="btn btn-secondary" href="/">{l.t(t::GO_ON_SHOPPING)}</a>
                </div>
            </Said>
        }
        .into_any(),
        Phase::Cancelled { reason: CancelReason::Expired, .. } => view! {
            <Said title=l.t(t::EXPIRED_TITLE) text=ended(t::EXPIRED_TEXT) class="order-state order-state-warn center">
                <OrderAgain order error=posted_again.get_value()/>
            </Said>
        }
        .into_any(),
        Phase::Cancelled { .. } => view! {
            <Said title=l.t(t::CANCELLED_TITLE) text=ended(t::CANCELLED_TEXT) class="order-state order-state-warn center">
                <OrderAgain order error=posted_again.get_value()/>
            </Said>
        }
        .into_any(),
    }
    };
    let spoken = move || match phase.get() {
        Phase::ToPay { .. } => "",
        Phase::Paying => l.t(t::WAITING_TITLE),
        Phase::Ending => l.t(t::ENDING_TITLE),
        Phase::ToShip { .. } | Phase::Shipped | Phase::Completed => l.t(t::PAID_TITLE),
        Phase::Cancelled { reason: CancelReason::Expired, .. } => l.t(t::EXPIRED_TITLE),
        Phase::Cancelled { .. } => l.t(t::CANCELLED_TITLE),
    };
    let bar = move || match phase.get() {
        Phase::ToPay { failed } => {
            let label = move || pay_label(failed, total().display(currency));
            let busy = move || pay.busy.get().then_some("true");
            Some(view! {
                <div class="actionbar actionbar-solo">
                    <a class="btn btn-quiet" href=href.get_value()>{l.t(t::VIEW_ORDER)}</a>
                    <button class="btn btn-primary" type="submit" form="pay" aria-busy=busy>{label}</button>
                </div>
            })
        }
        _ => None,
    };
    view! {
        <Main class="page container container-narrow">
            <h1 class="visually-hidden">{l.t(t::PAY_TITLE)}</h1>
            <Steps present=2/>
            <section class="till" aria-labelledby="till-title">
                <p class="muted" id="till-title">
                    {l.t(t::PLACED)} " · " {l.t(t::ORDER_NUMBER)} " " <span class="code nowrap">{number::display(&number)}</span>
                </p>
                <p>{move || view! { <Price amount=total() currency class="till-amount"/> }}</p>
                {move || clock.get().map(|(now, from, until)| view! { <Clock order now from until/> })}
            </section>
            <p class="visually-hidden" role="status">{spoken}</p>
            {content}
            {bar}
        </Main>
    }
    .into_any()
}

/// The beginning of a payment, up to the moment the cashier's page opens.
#[derive(Clone, Copy)]
struct Beginning {
    action: ServerAction<Pay>,
    /// The action alone does not tell: its answer may arrive after the browser came back from the cashier.
    busy: RwSignal<bool>,
}

impl Beginning {
    /// Makes the button usable again.
    fn give_up(self) {
        self.busy.try_set(false);
        self.action.value().try_set(None);
    }
}

fn pay_label(again: bool, amount: String) -> String {
    use_locale().f(if again { t::PAY_AGAIN } else { t::PAY_NOW }, &[("amount", &amount)])
}

/// The time left to pay, counted by the server's clock.
#[component]
fn Clock(order: RwSignal<Order>, now: i64, from: i64, until: i64) -> impl IntoView {
    let l = use_locale();
    let left = use_countdown(now, until);
    let max = (until - from).max(1);
    // The order is cancelled on the server; a moment later its page tells.
    Effect::new(move |asked: Option<bool>| {
        let over = left.get() == 0;
        if over && asked == Some(false) {
            set_timeout(move || load(order), std::time::Duration::from_millis(500));
        }
        over
    });
    let text = l.t(t::PAY_WITHIN);
    let (before, after) = text.split_once("{time}").unwrap_or((text, ""));
    view! {
        <div class="till-clock" role="timer" aria-labelledby="clock-text">
            <p id="clock-text">{before}<Countdown left/>{after}</p>
            <progress class="progress" max=max value=move || left.get() aria-labelledby="clock-text"></progress>
        </div>
    }
    .into_any()
}

/// The methods, and the button to the cashier.
#[component]
fn Choose(
    order: RwSignal<Order>,
    pay: Beginning,
    failed: bool,
    href: StoredValue<String>,
    currency: Currency,
) -> impl IntoView {
    let l = use_locale();
    let (number, method) = order.with_untracked(|order| (order.number.clone(), order.payment_method));
    let error = Signal::derive(move || pay.action.value().get().and_then(Result::err));
    let label = move || pay_label(failed, order.with(|order| order.totals.total).display(currency));
    let busy = move || pay.busy.get().then_some("true");
    let start = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if !pay.busy.get_untracked()
            && let Ok(input) = Pay::from_event(&event)
        {
            pay.busy.set(true);
            pay.action.dispatch(input);
        }
    };
    // What is closed shows as such once it is loaded.
    Effect::new(move |_| {
        if let Some(Error::OrderClosed(_)) = error.get() {
            load(order);
        }
    });
    let notice = move || {
        error.get().filter(|error| error.problem("method").is_none()).map(|error| view! { <ErrorNotice error/> })
    };
    view! {
        <div class="stack">
            {failed.then(|| view! {
                <div class="notice notice-danger" role="alert">
                    <Icon name="error"/>
                    <div class="notice-body"><p class="notice-title">{l.t(t::FAILED_TITLE)}</p><p>{l.t(t::FAILED_TEXT)}</p></div>
                </div>
            })}
            {notice}
            <form class="panel stack" id="pay" action=Pay::url() method="post" on:submit=start>
                <input type="hidden" name="number" value=number/>
                <MethodCards name="method" selected={Some(method)} titled=true error=problem_of(error, "method")/>
                <button class="btn btn-primary btn-lg btn-block only-desktop" type="submit" aria-busy=busy>{label}</button>
                <p class="center cluster">
                    <a class="link link-quiet only-desktop" href=href.get_value()>{l.t(t::VIEW_ORDER)}</a>
                    <a class="link link-quiet" href=format!("{}/edit", href.get_value())>{l.t(t::CHANGE_ORDER)}</a>
                    <a class="link link-quiet" href=format!("{}#cancel", href.get_value())>{l.t(t::CANCEL_ORDER)}</a>
                </p>
            </form>
        </div>
    }
    .into_any()
}

/// A payment was begun; its result comes by the live feed.
#[component]
fn Waiting(order: RwSignal<Order>, pay: Beginning, href: StoredValue<String>) -> impl IntoView {
    let l = use_locale();
    let here = order.with_untracked(|order| format!("/pay/{}", order.number));
    let other = order.with_untracked(|order| format!("{here}?other={}", order.open_attempt().unwrap_or_default()));
    ask_meanwhile(order);
    let (busy, failed) = (RwSignal::new(false), RwSignal::new(None));
    let again = move |event: ev::MouseEvent| {
        event.prevent_default();
        if !busy.get_untracked() {
            busy.set(true);
            spawn_local(async move {
                failed.try_set(fetch(order).await.err());
                busy.try_set(false);
            });
        }
    };
    view! {
        <div class="panel stack center">
            <p><span class="spinner" aria-hidden="true"></span></p>
            <p class="strong">{l.t(t::WAITING_TITLE)}</p>
            <p class="muted">{l.t(t::WAITING_TEXT)}</p>
            {move || failed.get().map(|error| view! { <ErrorNotice error/> })}
            <div class="cluster">
                <a class="btn btn-secondary" href=here rel="external" on:click=again aria-busy=move || busy.get().then_some("true")>{l.t(t::REFRESH)}</a>
                <a class="btn btn-quiet" href=other on:click=move |_| pay.give_up()>{l.t(t::OTHER_METHOD)}</a>
                <a class="btn btn-quiet" href=href.get_value()>{l.t(t::VIEW_ORDER)}</a>
            </div>
        </div>
    }
    .into_any()
}

/// A state of the order in large letters.
#[component]
fn Said(title: &'static str, text: &'static str, class: &'static str, children: Children) -> impl IntoView {
    view! {
        <div class=class>
            <h2 class="order-state-title">{title}</h2>
            <p class="muted">{text}</p>
            {children()}
        </div>
    }
    .into_any()
}

#[component]
fn EndingActions(order: RwSignal<Order>, href: StoredValue<String>) -> impl IntoView {
    let l = use_locale();
    ask_meanwhile(order);
    view! { <div class="order-state-actions"><a class="btn btn-primary" href=href.get_value()>{l.t(t::VIEW_ORDER)}</a></div> }.into_any()
}

/// Puts the same goods into the cart again.
#[component]
fn OrderAgain(order: RwSignal<Order>, error: Option<Error>) -> impl IntoView {
    let l = use_locale();
    let again = use_again();
    let (busy, problem) = (RwSignal::new(false), RwSignal::new(error));
    let run = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        problem.set(None);
        let (number, wanted) = order.with_untracked(|order| (order.number.clone(), order.wanted()));
        spawn_local(async move {
            if let Err(error) = again.run(number, &wanted).await {
                problem.try_set(Some(error));
            }
            busy.try_set(false);
        });
    };
    let number = order.with_untracked(|order| order.number.clone());
    view! {
        {move || problem.get().map(|error| view! { <ErrorNotice error/> })}
        <form class="order-state-actions" action=Again::url() method="post" on:submit=run>
            <input type="hidden" name="number" value=number/>
            <button class="btn btn-primary" type="submit" aria-busy=move || busy.get().then_some("true")>{l.t(t::ORDER_AGAIN)}</button>
            <a class="btn btn-secondary" href="/cart">{l.t(t::VIEW_CART)}</a>
        </form>
    }
    .into_any()
}
