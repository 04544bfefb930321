//! The last look before an order is placed. What changed meanwhile is shown here and answered here; submitting twice,
//! or again after an answer got lost, gives the same order.

use super::{BuyNowFields, Loading, NothingToOrder, ReadLines, Steps, taken::TakenNotice, use_buy_now};
use crate::{
    api::{
        self,
        booking::ReplaceBooking,
        cart::{AcceptPrices, TakeAvailable},
        order::Submit,
    },
    domain::{
        Error,
        cart::{BuyNow, Cart},
        error::{PriceChange, Shortage},
        live::{self, Topic, VariantState},
        money::Currency,
        order::Review,
        texts::{checkout as t, payment},
    },
    ui::{
        components::{
            address::AddressBlock,
            icon::Icon,
            method::{MethodMark, method_name},
            shell::use_cart_count,
            summary::{ActionbarTotal, Estimate, Summary},
            travel::Main,
        },
        error::{ErrorNotice, ErrorPage},
        live::use_live,
        use_locale,
    },
};
use leptos::{ev, html, prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_meta::{Meta, Title};

#[component]
pub fn ReviewPage() -> impl IntoView {
    let l = use_locale();
    let buy_now = use_buy_now();
    let review = Resource::new(
        move || buy_now.get(),
        |buy_now| async move { (api::order::review(buy_now.clone()).await, buy_now) },
    );
    let submit = ServerAction::<Submit>::new();
    let posted = [
        ServerAction::<TakeAvailable>::new().value().get_untracked(),
        ServerAction::<AcceptPrices>::new().value().get_untracked(),
        ServerAction::<ReplaceBooking>::new().value().get_untracked(),
    ];
    let posted = posted.into_iter().flatten().find_map(Result::err);
    view! {
        <Title text=l.t(t::REVIEW_TITLE)/>
        <Meta name="robots" content="noindex"/>
        <Suspense fallback=|| view! { <Loading present=1/> }>
            {move || {
                let posted = posted.clone();
                Suspend::new(async move {
                    match review.await {
                        (Ok(review), buy_now) => view! { <Body review buy_now submit posted/> }.into_any(),
                        (Err(Error::CartEmpty), _) => view! { <NothingToOrder/> }.into_any(),
                        (Err(Error::Invalid(_)), buy_now) => view! { <Incomplete buy_now/> }.into_any(),
                        (Err(error), _) => view! { <ErrorPage error/> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

/// The address is missing or not right any more.
#[component]
fn Incomplete(buy_now: Option<BuyNow>) -> impl IntoView {
    let l = use_locale();
    let href = BuyNow::href("/checkout", buy_now.as_ref());
    view! {
        <Main class="page container">
            <Steps present=0/>
            <div class="empty">
                <span class="empty-art"><Icon name="pin" class="icon-lg"/></span>
                <h1 class="empty-title">{l.t(t::INCOMPLETE_TITLE)}</h1>
                <p class="empty-text">{l.t(t::INCOMPLETE_TEXT)}</p>
                <div class="empty-actions"><a class="btn btn-primary" href=href>{l.t(t::TO_CHECKOUT)}</a></div>
            </div>
        </Main>
    }
    .into_any()
}

/// What the page shows, and how it is brought up to date.
#[derive(Clone, Copy)]
pub struct Page {
    pub review: RwSignal<Review>,
    /// What is bought at once, instead of the cart.
    buy_now: StoredValue<Option<BuyNow>>,
    submit: ServerAction<Submit>,
    /// The cart was emptied: ordered in another tab, or nothing is left.
    gone: RwSignal<Option<Error>>,
    /// A failure of one of the offers.
    failed: RwSignal<Option<Error>>,
    /// One of the offers is being carried out.
    offering: RwSignal<bool>,
}

impl Page {
    /// Loads the review again. Not while an order is being placed or perhaps was: its cart is empty by then.
    async fn refresh(self) {
        let Some(buy_now) = self.buy_now.try_get_value() else { return };
        match api::order::review(buy_now).await {
            Ok(new) => {
                self.review.try_set(new);
            }
            Err(error @ (Error::CartEmpty | Error::Invalid(_))) => {
                self.gone.try_set(Some(error));
            }
            Err(error) => {
                self.failed.try_set(Some(error));
            }
        }
    }

    /// A link to one of the pages of the checkout.
    fn href(self, path: &str) -> String {
        self.buy_now.with_value(|buy_now| BuyNow::href(path, buy_now.as_ref()))
    }

    /// The page of what is bought at once.
    fn product(self) -> Option<String> {
        let line = self.review.with_untracked(|review| review.cart.lines.first().cloned())?;
        Some(format!("/p/{}?v={}", line.handle, line.variant_id))
    }

    /// `aria-busy` of an offer's button.
    pub fn offered(self) -> impl Fn() -> Option<&'static str> {
        move || self.offering.get().then_some("true")
    }

    fn is_placing(self) -> bool {
        let answer = self.submit.value();
        self.submit.pending().get_untracked()
            || answer.with_untracked(|answer| matches!(answer, Some(Ok(_) | Err(Error::Offline))))
    }

    /// Follows the cart, and stock and prices of its products.
    fn follow(self) {
        let live = use_live();
        let updates = live.subscribe(Topic::Cart(String::new()));
        Effect::new(move |_| {
            let Some(live::Update::Cart { version }) = updates.get() else { return };
            if self.review.with_untracked(|review| review.cart.version < version) && !self.is_placing() {
                spawn_local(self.refresh());
            }
        });
        let mut products = self
            .review
            .with_untracked(|review| review.cart.lines.iter().map(|line| line.product_id.clone()).collect::<Vec<_>>());
        products.sort();
        products.dedup();
        for product in products {
            let updates = live.subscribe(Topic::Product(product));
            Effect::new(move |_| {
                let Some(live::Update::Product { id, variants }) = updates.get() else { return };
                if self.review.with_untracked(|review| differs(&review.cart, &id, &variants)) && !self.is_placing() {
                    spawn_local(self.refresh());
                }
            });
        }
    }
}

/// Whether stock or price of a product is another than shown.
fn differs(cart: &Cart, product_id: &str, variants: &[VariantState]) -> bool {
    cart.clone().see(product_id, variants)
}

#[component]
fn Body(review: Review, buy_now: Option<BuyNow>, submit: ServerAction<Submit>, posted: Option<Error>) -> impl IntoView {
    let currency = review.cart.currency;
    let page = Page {
        review: RwSignal::new(review),
        buy_now: StoredValue::new(buy_now.clone()),
        submit,
        gone: RwSignal::new(None),
        failed: RwSignal::new(posted),
        offering: RwSignal::new(false),
    };
    page.follow();
    if buy_now.is_none() {
        let count = use_cart_count();
        Effect::new(move |_| page.review.with(|review| count.show(&review.cart)));
    }
    // The cart or its stock is another than was submitted: show the present one below the reason.
    Effect::new(move |_| {
        let stale = submit.value().with(|answer| {
            matches!(
                answer,
                Some(Err(Error::Shortage(_)
                    | Error::PriceChanged(_)
                    | Error::SlotTaken(_)
                    | Error::Conflict
                    | Error::CartEmpty))
            )
        });
        if stale && submit.version().get_untracked() > 0 {
            spawn_local(page.refresh());
        }
    });
    move || match page.gone.get() {
        Some(Error::CartEmpty) => view! { <NothingToOrder/> }.into_any(),
        Some(_) => view! { <Incomplete buy_now=page.buy_now.get_value()/> }.into_any(),
        None => view! { <Filled page currency/> }.into_any(),
    }
}

#[component]
fn Filled(page: Page, currency: Currency) -> impl IntoView {
    let l = use_locale();
    let review = page.review;
    let totals = Memo::new(move |_| review.with(|review| review.cart.totals()));
    let lines = Memo::new(move |_| review.with(|review| (review.cart.lines.clone(), review.cart.bookings.clone())));
    let contents = move || {
        let (lines, bookings) = lines.get();
        view! { <ReadLines lines bookings currency/> }
    };
    let checkout = Memo::new(move |_| review.with(|review| (review.checkout.clone(), review.region_name.clone())));
    let address = move || {
        let (checkout, region_name) = checkout.get();
        view! { <AddressBlock contact=checkout.contact region_name wish=checkout.delivery_wish note=checkout.note/> }
    };
    let method = move || {
        let method = checkout.with(|(checkout, _)| checkout.payment_method);
        view! { <MethodMark method/> {method_name(l, method)} }
    };
    let total = Signal::derive(move || totals.with(|totals| totals.total));
    let placed = move || page.submit.value().with(|answer| matches!(answer, Some(Ok(_))));
    let busy = move || (page.submit.pending().get() || placed()).then_some("true");
    let label = move || l.t(if busy().is_some() { t::SUBMITTING } else { t::SUBMIT });
    let place = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if busy().is_none() {
            page.failed.set(None);
            let (cart_version, reviewed) =
                review.with_untracked(|review| (review.cart.version, review.reviewed.clone()));
            let (total, buy_now) = (total.get_untracked().0, page.buy_now.get_value());
            page.submit.dispatch(Submit { cart_version, total, reviewed, buy_now });
        }
    };
    let hold = review.with_untracked(|review| review.hold_minutes);
    let goods = match page.buy_now.with_value(Option::is_some) {
        true => page.product(),
        false => Some("/cart".to_owned()),
    };
    let edit = move |what| {
        view! { <a class="link" href=page.href("/checkout")>{l.t(t::CHANGE)}<span class="visually-hidden">{format!(" {}", l.t(what))}</span></a> }
    };
    view! {
        <Main class="page container">
            <h1 class="visually-hidden">{l.t(t::REVIEW_TITLE)}</h1>
            <Steps present=1/>
            <div class="with-aside">
                <div class="stack">
                    <Answers page currency/>
                    <section class="panel" aria-labelledby="to-title">
                        <div class="panel-head"><h2 class="panel-title" id="to-title">{l.t(t::CONTACT)}</h2>{edit(t::CONTACT)}</div>
                        {address}
                    </section>
                    <section class="panel" aria-labelledby="pay-title">
                        <div class="panel-head"><h2 class="panel-title" id="pay-title">{l.t(payment::METHOD)}</h2>{edit(payment::METHOD)}</div>
                        <p class="cluster">{method}</p>
                    </section>
                    <section class="panel" aria-labelledby="lines-title">
                        <div class="panel-head">
                            <h2 class="panel-title" id="lines-title">{l.t(t::GOODS)}</h2>
                            <a class="link" href=goods>{l.t(t::CHANGE)}<span class="visually-hidden">{format!(" {}", l.t(t::GOODS))}</span></a>
                        </div>
                        {contents}
                    </section>
                </div>
                <aside class="panel aside-sticky stack" aria-labelledby="sum-title">
                    <h2 class="panel-title" id="sum-title">{l.t(t::TO_PAY)}</h2>
                    <Summary totals currency/>
                    <Estimate days=Signal::derive(move || review.with(|review| review.cart.delivery_days()))/>
                    <form class="stack" id="submit" action=Submit::url() method="post" on:submit=place>
                        <input type="hidden" name="cart_version" value=move || review.with(|review| review.cart.version)/>
                        <input type="hidden" name="total" value=move || total.get().0/>
                        <input type="hidden" name="reviewed" value=move || review.with(|review| review.reviewed.clone())/>
                        <BuyNowFields buy_now=page.buy_now.get_value()/>
                        <button class="btn btn-primary btn-lg btn-block only-desktop" type="submit" aria-busy=busy>{label}</button>
                    </form>
                    <p class="muted small">{l.n(t::HOLD_NOTICE_ONE, t::HOLD_NOTICE, hold)}</p>
                </aside>
            </div>
            <div class="actionbar actionbar-solo">
                <ActionbarTotal total currency label=l.t(t::TO_PAY)/>
                <button class="btn btn-primary" type="submit" form="submit" aria-busy=busy>{label}</button>
            </div>
        </Main>
    }
    .into_any()
}

/// What stands in the way of the order, and what can be done about it.
#[component]
fn Answers(page: Page, currency: Currency) -> impl IntoView {
    let l = use_locale();
    let state = Memo::new(move |_| page.review.with(|review| review.cart.check().err()));
    let answer = move || page.submit.value().get().and_then(Result::err);
    let hindrance = move || {
        match (state.get(), answer()) {
        // What the cart shows now comes before what was said to an earlier attempt.
        (Some(Error::Shortage(short)), _) => view! { <ShortageNotice page short/> }.into_any(),
        (Some(Error::SlotTaken(taken)), _) => view! { <TakenNotice page taken/> }.into_any(),
        (Some(Error::PriceChanged(changes)), _) => view! { <PriceNotice page changes currency/> }.into_any(),
        (_, None) => ().into_any(),
        (_, Some(Error::Offline)) => view! { <LostNotice page/> }.into_any(),
        (_, Some(Error::Conflict | Error::Shortage(_) | Error::SlotTaken(_) | Error::PriceChanged(_))) => view! {
            <div class="notice notice-warn" role="alert">
                <Icon name="warning"/>
                <div class="notice-body"><p class="notice-title">{l.t(t::CONFLICT_TITLE)}</p><p>{l.t(t::CONFLICT_TEXT)}</p></div>
            </div>
        }
        .into_any(),
        (_, Some(Error::Invalid(_))) => view! {
            <div class="notice notice-danger" role="alert">
                <Icon name="error"/>
                <div class="notice-body">
                    <p class="notice-title">{l.t(t::INCOMPLETE_TITLE)}</p>
                    <p>{l.t(t::INCOMPLETE_TEXT)}</p>
                    <div class="notice-actions"><a class="btn btn-primary btn-sm" href=page.href("/checkout")>{l.t(t::TO_CHECKOUT)}</a></div>
                </div>
            </div>
        }
        .into_any(),
        (_, Some(error)) => view! { <ErrorNotice error/> }.into_any(),
    }
    };
    // The button may be far below what it says.
    let place = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if page.submit.value().with(|answer| matches!(answer, Some(Err(_))))
            && let Some(place) = place.get_untracked()
        {
            request_animation_frame(move || {
                place.scroll_into_view_with_bool(false);
                let _ = place.focus();
            });
        }
    });
    view! {
        <div class="stack" node_ref=place tabindex="-1">
            {hindrance}
            {move || page.failed.get().map(|error| view! { <ErrorNotice error/> })}
        </div>
    }
    .into_any()
}

/// Runs an offer's change of the cart, then shows the order as it is with it.
pub fn offer<F: Future<Output = Result<Cart, Error>> + 'static>(
    page: Page,
    change: impl Fn() -> F + Copy + 'static,
) -> impl Fn(ev::SubmitEvent) {
    move |event| {
        event.prevent_default();
        if page.offering.get_untracked() {
            return;
        }
        page.offering.set(true);
        page.failed.set(None);
        spawn_local(async move {
            match change().await {
                Ok(_) => page.refresh().await,
                Err(error) => {
                    // What is offered is gone as well: what is near now.
                    let gone = matches!(error, Error::SlotTaken(_));
                    page.failed.try_set(Some(error));
                    if gone {
                        page.refresh().await;
                    }
                }
            }
            page.offering.try_set(false);
        });
    }
}

#[component]
fn ShortageNotice(page: Page, short: Vec<Shortage>) -> impl IntoView {
    let l = use_locale();
    let line = move |short: Shortage| {
        let text = if short.available > 0 { t::SHORTAGE_LEFT } else { t::SHORTAGE_NONE };
        let text = if short.available > 0 {
            l.f(text, &[("title", &short.title), ("available", &short.available), ("wanted", &short.wanted)])
        } else {
            l.f(text, &[("title", &short.title)])
        };
        view! { <p>{text}</p> }
    };
    let take = match page.buy_now.get_value() {
        None => view! {
            <p class="small">{l.t(t::TAKE_AVAILABLE_HINT)}</p>
            <form class="notice-actions" action=TakeAvailable::url() method="post" on:submit=offer(page, api::cart::take_available)>
                <button class="btn btn-primary btn-sm" type="submit" aria-busy=page.offered()>{l.t(t::TAKE_AVAILABLE)}</button>
                <a class="btn btn-secondary btn-sm" href="/cart">{l.t(t::TO_CART)}</a>
            </form>
        }
        .into_any(),
        // The same page for as many as there are.
        Some(buy_now) => short
            .first()
            .filter(|short| short.available > 0)
            .map(|short| {
                let left = BuyNow { quantity: short.available, ..buy_now };
                (BuyNow::href("/checkout/review", Some(&left)), t::TAKE_AVAILABLE)
            })
            .or_else(|| page.product().map(|href| (href, t::BACK_TO_PRODUCT)))
            .map(|(href, text)| {
                view! { <div class="notice-actions"><a class="btn btn-primary btn-sm" href=href>{l.t(text)}</a></div> }
            })
            .into_any(),
    };
    view! {
        <div class="notice notice-danger" role="alert">
            <Icon name="warning"/>
            <div class="notice-body">
                <p class="notice-title">{l.t(t::SHORTAGE_TITLE)}</p>
                {short.into_iter().map(line).collect_view()}
                {take}
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn PriceNotice(page: Page, changes: Vec<PriceChange>, currency: Currency) -> impl IntoView {
    let l = use_locale();
    let shown = move || page.review.with(|review| review.cart.prices());
    let accept = move || api::cart::accept_prices(page.review.with_untracked(|review| review.cart.prices()));
    let line = move |change: PriceChange| {
        let (old, new) = (change.old.display(currency), change.new.display(currency));
        view! { <p>{l.f(t::PRICE_LINE, &[("title", &change.title), ("old", &old), ("new", &new)])}</p> }
    };
    view! {
        <div class="notice notice-warn" role="alert">
            <Icon name="tag"/>
            <div class="notice-body">
                <p class="notice-title">{l.t(t::PRICE_TITLE)}</p>
                {changes.into_iter().map(line).collect_view()}
                <form class="notice-actions" action=AcceptPrices::url() method="post" on:submit=offer(page, accept)>
                    <input type="hidden" name="prices" value=shown/>
                    <button class="btn btn-primary btn-sm" type="submit" aria-busy=page.offered()>{l.t(t::ACCEPT_PRICES)}</button>
                    <a class="btn btn-secondary btn-sm" href="/cart">{l.t(t::TO_CART)}</a>
                </form>
            </div>
        </div>
    }
    .into_any()
}

/// No answer came: the same order is asked for once more, and given once only.
#[component]
fn LostNotice(page: Page) -> impl IntoView {
    let l = use_locale();
    view! {
        <div class="notice notice-danger" role="alert">
            <Icon name="offline"/>
            <div class="notice-body">
                <p class="notice-title">{l.t(t::LOST_TITLE)}</p>
                <p>{l.t(t::LOST_TEXT)}</p>
                <div class="notice-actions">
                    <button class="btn btn-primary btn-sm" type="submit" form="submit" aria-busy=move || page.submit.pending().get().then_some("true")>
                        {l.t(t::TRY_AGAIN)}
                    </button>
                </div>
            </div>
        </div>
    }
    .into_any()
}
