//! An order after it was placed: where it stands, what happens next, and what its customer can do about it.

mod actions;
pub mod again;
mod booking;
mod details;
mod edit;
mod head;
mod held;

pub use edit::OrderEditPage;

use self::{details::Details, head::Head};
use crate::{
    api::{
        self,
        order::{Again, Cancel, Complete, Pay},
    },
    domain::{
        Error,
        live::{self, Topic},
        number,
        order::{Action, Order},
        paying::{MoneyBack, Phase, phase},
        texts::{order as t, review},
    },
    ui::{
        components::{field::focus, icon::Icon, skeleton::SkeletonText, travel::Main},
        error::ErrorPage,
        live::use_live,
        use_locale,
    },
};
use leptos::{html, prelude::*, task::spawn_local};
use leptos_meta::{Meta, Title};
use leptos_router::hooks::{use_params_map, use_query_map};

/// The id of the title of an order's state, where the focus goes after an action.
const STATE_ID: &str = "state-title";

/// The number in the address.
fn use_number() -> Memo<String> {
    let params = use_params_map();
    Memo::new(move |_| params.with(|params| params.get("number").unwrap_or_default()))
}

#[component]
pub fn OrderPage() -> impl IntoView {
    let number = use_number();
    let order = Resource::new(move || number.get(), api::order::get);
    let posted = posted_error();
    view! {
        <Meta name="robots" content="noindex"/>
        <Suspense fallback=|| view! { <Loading/> }>
            {move || {
                let posted = posted.clone();
                Suspend::new(async move {
                    match order.await {
                        Ok(order) => view! { <Body order posted/> }.into_any(),
                        Err(error) => view! { <ErrorPage error/> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

/// The error of a form that was posted from here without script.
fn posted_error() -> Option<Error> {
    let errors = [
        ServerAction::<Cancel>::new().value().get_untracked(),
        ServerAction::<Complete>::new().value().get_untracked(),
    ];
    let again = ServerAction::<Again>::new().value().get_untracked().and_then(Result::err);
    let pay = ServerAction::<Pay>::new().value().get_untracked().and_then(Result::err);
    errors.into_iter().flatten().find_map(Result::err).or(again).or(pay)
}

#[component]
fn Loading() -> impl IntoView {
    view! {
        <Main class="page container">
            <section class="order-state"><SkeletonText lines=3/></section>
            <div class="with-aside section-sm">
                <section class="panel"><SkeletonText lines=6/></section>
                <aside class="panel"><SkeletonText lines=4/></aside>
            </div>
        </Main>
    }
    .into_any()
}

/// What the page shows, and what is going on.
#[derive(Clone, Copy)]
struct Page {
    order: RwSignal<Order>,
    phase: Memo<Phase>,
    /// Whether something asked for is being done.
    busy: RwSignal<bool>,
    error: RwSignal<Option<Error>>,
    cancel: NodeRef<html::Dialog>,
    receive: NodeRef<html::Dialog>,
}

/// What is asked before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Cancel,
    Receive,
}

impl Ask {
    /// What asks for it in the address, without script.
    const fn query(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Receive => "receive",
        }
    }

    const fn action(self) -> Action {
        match self {
            Self::Cancel => Action::Cancel,
            Self::Receive => Action::Complete,
        }
    }
}

impl Page {
    fn new(order: Order, error: Option<Error>) -> Self {
        let order = RwSignal::new(order);
        Self {
            order,
            phase: Memo::new(move |_| order.with(phase)),
            busy: RwSignal::new(false),
            error: RwSignal::new(error),
            cancel: NodeRef::new(),
            receive: NodeRef::new(),
        }
    }

    fn number(self) -> String {
        self.order.with_untracked(|order| order.number.clone())
    }

    fn dialog(self, ask: Ask) -> NodeRef<html::Dialog> {
        match ask {
            Ask::Cancel => self.cancel,
            Ask::Receive => self.receive,
        }
    }

    /// Whether the order's state allows it.
    fn allows(self, ask: Ask) -> bool {
        self.order.with(|order| order.state.allows(ask.action()) && !(ask == Ask::Receive && order.has_arrived()))
    }

    fn close(self, ask: Ask) {
        if let Some(dialog) = self.dialog(ask).get_untracked() {
            dialog.close();
        }
    }

    /// Does what was asked and answered with yes.
    fn run(self, ask: Ask) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.error.set(None);
        let number = self.number();
        spawn_local(async move {
            let done = match ask {
                Ask::Cancel => api::order::cancel(number).await,
                Ask::Receive => api::order::complete(number).await,
            };
            if self.busy.try_set(false).is_some() {
                // The page was left.
                return;
            }
            self.close(ask);
            self.error.set(done.err());
            load(self.order).await;
            focus(STATE_ID);
        });
    }
}

/// Loads the order again; an older answer never replaces a newer one.
async fn load(order: RwSignal<Order>) {
    let Some(number) = order.try_with_untracked(|order| order.number.clone()) else { return };
    if let Ok(new) = api::order::get(number).await {
        order.try_update(|order| {
            if order.version <= new.version {
                *order = new;
            }
        });
    }
}

/// Loads the order again whenever the live feed tells of a newer version.
fn follow(order: RwSignal<Order>) {
    let number = order.with_untracked(|order| order.number.clone());
    let updates = use_live().subscribe(Topic::Order(number));
    Effect::new(move |_| {
        let Some(live::Update::Order { version, .. }) = updates.get() else { return };
        if order.with_untracked(|order| order.version < version) {
            spawn_local(load(order));
        }
    });
}

/// While something is about to happen that the live feed should tell: should it be cut off, asking now and then does.
fn ask_meanwhile(page: Page) {
    let awaited = Memo::new(move |_| {
        let phase = page.phase.get();
        matches!(phase, Phase::Paying | Phase::Ending | Phase::Cancelled { back: MoneyBack::UnderWay(_), .. })
    });
    Effect::new(move |_| {
        if awaited.get() {
            let asking =
                set_interval_with_handle(move || spawn_local(load(page.order)), std::time::Duration::from_secs(5)).ok();
            on_cleanup(move || {
                if let Some(asking) = asking {
                    asking.clear();
                }
            });
        }
    });
}

#[component]
fn Body(order: Order, posted: Option<Error>) -> impl IntoView {
    let l = use_locale();
    let title = l.f(t::TITLE, &[("number", &number::display(&order.number))]);
    let page = Page::new(order, posted);
    follow(page.order);
    ask_meanwhile(page);
    // What a form without script did that leads here.
    let said = match use_query_map().with_untracked(|query| query.get("done")).as_deref() {
        Some("review") => Some(review::SENT),
        Some("removed") => Some(review::REMOVED),
        _ => None,
    };
    let said = said.map(|text| {
        view! {
            <div class="notice notice-success" role="status">
                <Icon name="success"/>
                <div class="notice-body"><p>{l.t(text)}</p></div>
            </div>
        }
    });
    view! {
        <Title text=title/>
        <Main class="page container">
            {said}
            <Head page/>
            <Details page/>
        </Main>
    }
    .into_any()
}
