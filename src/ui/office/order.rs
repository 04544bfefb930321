//! An order, as the office works on it: pack, ship, complete, or cancel.

use super::{
    frame::{Desk, use_desk},
    order_ask::{Ask, Confirmation, Trigger},
    order_bookings::Bookings,
    order_details::Details,
    order_ship::ShipPanel,
    parts::{Failure, LoadFailed, ago, use_clock},
};
use crate::{
    api::{
        self,
        office::{Cancel, Complete, Reveal, Ship},
    },
    domain::{
        Error,
        live::{self, Topic},
        money::Amount,
        number,
        office::OpenOrder,
        order::{Action, EventKind, Order, State},
        paying::refunds,
        permission::{Permission, Role},
        texts::{common, office as t},
    },
    ui::{
        components::{
            copy::CopyButton,
            field::focus,
            icon::Icon,
            order_state::{StateBadge, state_name},
            skeleton::SkeletonText,
            time,
            travel::Main,
        },
        live::use_live,
        use_locale,
    },
};
use leptos::{html, prelude::*, task::spawn_local};
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

/// The id of the title, where the focus goes after an action.
const STATE_ID: &str = "state-title";

#[component]
pub fn OrderPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let number = Memo::new(move |_| params.with(|params| params.get("number").unwrap_or_default()));
    let query = use_query_map();
    let reveal = Memo::new(move |_| query.with(|query| query.get("shown")));
    let order = Resource::new(
        move || (number.get(), reveal.get()),
        |(number, shown)| async move { (api::office::order(number, shown.clone()).await, shown) },
    );
    let shown = move || {
        number.with(|typed| number::parse(typed).map_or_else(|| typed.clone(), |number| number::display(&number)))
    };
    let ship = ServerAction::<Ship>::new().value().get_untracked().and_then(Result::err);
    let cancel = ServerAction::<Cancel>::new().value().get_untracked().and_then(Result::err);
    let complete = ServerAction::<Complete>::new().value().get_untracked().and_then(Result::err);
    let revealed = ServerAction::<Reveal>::new().value().get_untracked().and_then(Result::err);
    let posted = Posted { ship, other: cancel.or(complete).or(revealed) };
    view! {
        <Title text=move || l.f(t::ORDER_TITLE, &[("number", &shown())])/>
        <Main class="office-main">
            <nav aria-label=l.t(common::BREADCRUMB)>
                <ol class="breadcrumb">
                    <li><a class="breadcrumb-link" href="/office">{l.t(t::ORDERS)}</a></li>
                    <li><span class="code nowrap" aria-current="page">{shown}</span></li>
                </ol>
            </nav>
            <Suspense fallback=Loading>
                {move || {
                    let posted = posted.clone();
                    Suspend::new(async move {
                        match order.await {
                            (Ok(order), shown) => view! { <Body order shown posted/> }.into_any(),
                            (Err(error), _) => view! { <LoadFailed error/> }.into_any(),
                        }
                    })
                }}
            </Suspense>
        </Main>
    }
    .into_any()
}

/// The errors of forms that were posted from here without script.
#[derive(Clone)]
struct Posted {
    ship: Option<Error>,
    other: Option<Error>,
}

#[component]
fn Loading() -> impl IntoView {
    view! {
        <div class="with-aside">
            <section class="panel"><SkeletonText lines=8/></section>
            <aside class="panel"><SkeletonText lines=5/></aside>
        </div>
    }
}

/// What the page shows, and what is going on.
#[derive(Clone, Copy)]
pub struct Open {
    pub order: RwSignal<Order>,
    /// Whether recipient, address and note are shown.
    pub shown: RwSignal<bool>,
    /// Of who is signed in.
    pub role: Role,
    /// With what they are asked for again.
    reveal: StoredValue<Option<String>>,
    /// Whether something asked for is being done.
    pub busy: RwSignal<bool>,
    /// What went wrong with anything but a field of the ship form.
    pub error: RwSignal<Option<Error>>,
    /// What went wrong with the ship form.
    pub ship_error: RwSignal<Option<Error>>,
    cancel: NodeRef<html::Dialog>,
    complete: NodeRef<html::Dialog>,
    desk: Desk,
}

impl Open {
    fn new(OpenOrder { order, shown, role }: OpenOrder, reveal: Option<String>, posted: Posted) -> Self {
        // What is not about a field would have no place to be shown once the form is gone.
        let (fields, rest) = match posted.ship {
            Some(error @ Error::Invalid(_)) => (Some(error), None),
            error => (None, error),
        };
        Self {
            order: RwSignal::new(order),
            shown: RwSignal::new(shown),
            reveal: StoredValue::new(reveal),
            role,
            busy: RwSignal::new(false),
            error: RwSignal::new(posted.other.or(rest)),
            ship_error: RwSignal::new(fields),
            cancel: NodeRef::new(),
            complete: NodeRef::new(),
            desk: use_desk(),
        }
    }

    pub fn number(self) -> String {
        self.order.with_untracked(|order| order.number.clone())
    }

    /// Whether the order's state allows an action, and the role of who is signed in too.
    pub fn allows(self, action: Action) -> bool {
        let permission = match action {
            Action::Ship | Action::Complete => Permission::Ship,
            _ => Permission::Cancel,
        };
        let gone = |order: &Order| action == Action::Complete && order.has_arrived();
        self.role.may(permission) && self.order.with(|order| order.state.allows(action) && !gone(order))
    }

    pub fn dialog(self, ask: Ask) -> NodeRef<html::Dialog> {
        match ask {
            Ask::Cancel => self.cancel,
            Ask::Complete => self.complete,
        }
    }

    pub fn close(self, ask: Ask) {
        if let Some(dialog) = self.dialog(ask).get_untracked() {
            dialog.close();
        }
    }

    /// The carrier of the last parcel.
    pub fn last_carrier(self) -> String {
        self.desk.carrier.get_untracked()
    }

    /// Does what was asked and answered with yes.
    pub fn run(self, ask: Ask) {
        if !self.begin() {
            return;
        }
        let number = self.number();
        spawn_local(async move {
            let done = match ask {
                Ask::Cancel => api::office::cancel(number).await,
                Ask::Complete => api::office::complete(number).await,
            };
            if self.busy.try_set(false).is_some() {
                // The page was left.
                return;
            }
            self.close(ask);
            self.error.set(done.err());
            load(self).await;
            focus(STATE_ID);
        });
    }

    /// Says something of a booking, and loads the order again.
    pub fn tell(self, said: impl Future<Output = Result<(), Error>> + 'static) {
        if !self.begin() {
            return;
        }
        spawn_local(async move {
            let said = said.await;
            if self.busy.try_set(false).is_some() {
                return;
            }
            self.error.set(said.err());
            load(self).await;
            focus(STATE_ID);
        });
    }

    /// Asks who receives the order, which goes on record.
    pub fn reveal(self) {
        if !self.begin() {
            return;
        }
        let number = self.number();
        spawn_local(async move {
            let shown = api::office::reveal(number).await;
            if self.busy.try_set(false).is_some() {
                return;
            }
            // On success the server names the page that shows it.
            if let Err(error) = shown {
                self.error.set(Some(error));
            }
        });
    }

    /// Tells the server that the goods have left. `id` is where the focus goes when a field is wrong.
    pub fn ship(self, carrier: String, tracking_number: String, wrong: impl Fn() + 'static) {
        if !self.begin() {
            return;
        }
        let number = self.number();
        spawn_local(async move {
            let done = api::office::ship(number, carrier.clone(), tracking_number).await;
            if self.busy.try_set(false).is_some() {
                return;
            }
            match done {
                Ok(()) => {
                    self.desk.carrier.try_set(carrier);
                }
                Err(error @ Error::Invalid(_)) => {
                    self.ship_error.set(Some(error));
                    return wrong();
                }
                Err(error) => self.error.set(Some(error)),
            }
            load(self).await;
            focus(STATE_ID);
        });
    }

    /// Whether nothing else is being done; clears what was said of the last attempt.
    fn begin(self) -> bool {
        if self.busy.get_untracked() {
            return false;
        }
        self.busy.set(true);
        self.error.set(None);
        self.ship_error.set(None);
        true
    }
}

/// Loads the order again; an older answer never replaces a newer one.
async fn load(open: Open) {
    let Some(number) = open.order.try_with_untracked(|order| order.number.clone()) else { return };
    let Some(reveal) = open.reveal.try_get_value() else { return };
    if let Ok(OpenOrder { order: new, shown, .. }) = api::office::order(number, reveal).await {
        open.shown.try_set(shown);
        open.order.try_update(|order| {
            if order.version <= new.version {
                *order = new;
            }
        });
    }
}

/// Loads the order again whenever the live feed tells of a newer version.
fn follow(open: Open) {
    let order = open.order;
    let number = order.with_untracked(|order| order.number.clone());
    let updates = use_live().subscribe(Topic::Order(number));
    Effect::new(move |_| {
        let Some(live::Update::Order { version, .. }) = updates.get() else { return };
        if order.with_untracked(|order| order.version < version) {
            spawn_local(load(open));
        }
    });
}

#[component]
fn Body(order: OpenOrder, shown: Option<String>, posted: Posted) -> impl IntoView {
    let open = Open::new(order, shown, posted);
    follow(open);
    view! {
        <Confirmation open ask=Ask::Cancel/>
        <Confirmation open ask=Ask::Complete/>
        <Head open/>
        <div class="stack">
            {move || open.error.get().map(|error| view! { <Failure error/> })}
            <Refunds open/>
        </div>
        <Details open>
            <Bookings open/>
            <ShipPanel open/>
        </Details>
    }
    .into_any()
}

/// Where the order stands, since when, and what can be done beside shipping.
#[component]
fn Head(open: Open) -> impl IntoView {
    let l = use_locale();
    let state = Memo::new(move |_| open.order.with(|order| order.state));
    let clock = use_clock(open.order.with_untracked(|order| order.now));
    // What changes while the page is open is said once.
    let said = RwSignal::new("");
    Effect::new(move |before: Option<State>| {
        let now = state.get();
        if before.is_some_and(|before| before != now) {
            said.set(state_name(l, now));
        }
        now
    });
    let since = Memo::new(move |_| open.order.with(since));
    let note = move || {
        let text = match since.get() {
            Since::PayBy(end) => l.f(t::PAY_BY, &[("time", &time::date_time(l, end))]),
            Since::Paid(at) => l.f(t::PAID_AGO, &[("ago", &ago(l, clock.get() - at))]),
            Since::Shipped(at) => l.f(t::SHIPPED_AGO, &[("ago", &ago(l, clock.get() - at))]),
            Since::Nothing => return None,
        };
        Some(view! { <span class="muted">{text}</span> })
    };
    view! {
        <div class="page-head">
            <div>
                <h1 class="page-title" id=STATE_ID tabindex="-1">{move || state_name(l, state.get())}</h1>
                <div class="cluster">
                    {move || view! { <StateBadge state=state.get()/> }}
                    {note}
                    <CopyButton text=open.number() label=l.t(t::COPY_NUMBER)/>
                </div>
            </div>
            <div class="cluster">
                <Trigger open ask=Ask::Complete/>
                <Trigger open ask=Ask::Cancel/>
            </div>
        </div>
        <p class="visually-hidden" role="status">{said}</p>
    }
    .into_any()
}

/// What the age of an order is counted from; UTC milliseconds.
#[derive(Clone, Copy, PartialEq)]
enum Since {
    PayBy(i64),
    Paid(i64),
    Shipped(i64),
    Nothing,
}

fn since(order: &Order) -> Since {
    let paid = |kind: &EventKind| matches!(kind, EventKind::Paid | EventKind::Reopened);
    match order.state {
        State::ToPay => order.expires_at.map_or(Since::Nothing, Since::PayBy),
        State::ToShip => {
            let paid = order.events.iter().filter(|event| paid(&event.kind)).map(|event| event.at).max();
            paid.map_or(Since::Nothing, Since::Paid)
        }
        State::Shipped => {
            order.shipment.as_ref().map_or(Since::Nothing, |shipment| Since::Shipped(shipment.shipped_at))
        }
        State::Completed | State::Cancelled => Since::Nothing,
    }
}

/// Money that is on its way back, and that came back.
#[component]
fn Refunds(open: Open) -> impl IntoView {
    let l = use_locale();
    let sums = Memo::new(move |_| {
        open.order.with(|order| {
            let (under_way, done) = refunds(order);
            (under_way, done, order.currency)
        })
    });
    let notice = move |amount: Amount, text, class| {
        (amount > Amount::ZERO).then(|| {
            let text = l.f(text, &[("amount", &amount.display(sums.get_untracked().2))]);
            view! { <div class=class role="status"><Icon name="refund"/><div class="notice-body"><p>{text}</p></div></div> }
        })
    };
    move || {
        let (under_way, done, _) = sums.get();
        (notice(under_way, t::REFUNDING, "notice notice-warn"), notice(done, t::REFUNDED, "notice notice-ok"))
    }
}
