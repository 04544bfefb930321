//! The way into the cart: price, choices, quantity, and the two buttons, on a phone in a bar at the lower edge.
//!
//! One plain form, which the server answers with the next page; with script it is sent without leaving the page. What is
//! ordered at once does not pass through the cart: its checkout reads the same fields from its address.

use super::{Facts, Shown, favourite::Heart, options::Options};
use crate::{
    api,
    domain::{
        Error,
        cart::{BuyNow, MAX_QUANTITY},
        pricing::ShippingRule,
        review::PLACE,
        texts::{catalog as t, common},
    },
    ui::{
        components::{
            icon::Icon,
            price::{Price, PriceWas, use_currency},
            product_card::saving,
            shell::{use_added, use_cart_count},
            stars::Mean,
            stepper::Stepper,
            summary::delivery_text,
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{ev, html, prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_navigate;

/// At most this many pieces are worth a hint that few are left.
const FEW: i64 = 10;
/// Where the two buttons lead when the page cannot stay.
const CART: &str = "/cart";
const CHECKOUT: &str = "/checkout";

/// Putting the chosen variant into the cart.
#[derive(Clone, Copy)]
pub struct Adding {
    action: ServerAction<api::cart::Add>,
    /// Goes on to the checkout with what is chosen.
    checkout: Callback<BuyNow>,
    shown: Shown,
    quantity: RwSignal<i64>,
}

impl Adding {
    pub fn new(shown: Shown, quantity: RwSignal<i64>) -> Self {
        let (added, navigate) = (use_added(), use_navigate());
        let action = ServerAction::<api::cart::Add>::new();
        let checkout =
            Callback::new(move |buy_now| navigate(&BuyNow::href(CHECKOUT, Some(&buy_now)), Default::default()));
        Effect::new(move |_| {
            if let Some(Ok(cart)) = action.value().get() {
                added(&cart, t::ADDED);
            }
        });
        // What was wrong with another choice says nothing about this one; and nobody can want more than there is.
        Effect::new(move |before: Option<usize>| {
            let chosen = shown.chosen.get();
            if before.is_some_and(|before| before != chosen) {
                action.value().set(None);
            }
            chosen
        });
        Effect::new(move |_| {
            let limit = shown.available().min(MAX_QUANTITY);
            if limit > 0 && quantity.get_untracked() > limit {
                quantity.set(limit);
            }
        });
        Self { action, checkout, shown, quantity }
    }

    /// Sends the form without leaving the page; while one is under way another is ignored.
    fn submit(self, event: &ev::SubmitEvent) {
        event.prevent_default();
        let Some(variant) = self.shown.variant_untracked() else { return };
        if self.action.pending().get_untracked() {
            return;
        }
        let (variant_id, quantity) = (variant.id, self.quantity.get_untracked());
        if event.submitter().is_some_and(|button| button.has_attribute("formaction")) {
            self.checkout.run(BuyNow { variant_id, quantity });
        } else {
            self.action.dispatch(api::cart::Add { variant_id, quantity, next: None });
        }
    }

    /// Whether it is on its way into the cart.
    fn busy(self) -> Option<&'static str> {
        self.action.pending().get().then_some("true")
    }

    fn error(self) -> Option<Error> {
        self.action.value().get().and_then(Result::err)
    }
}

#[component]
pub fn Buy(
    shown: Shown,
    quantity: RwSignal<i64>,
    adding: Adding,
    liked: Resource<bool>,
    facts: Facts,
) -> impl IntoView {
    let l = use_locale();
    let sales = shown.product.with_untracked(|product| product.sales);
    let variant = Memo::new(move |_| shown.with(|_, variant| variant.id.clone()).unwrap_or_default());
    let limit = Signal::derive(move || shown.available());
    let problem = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let (Some(_), Some(problem)) = (adding.error(), problem.get()) {
            let _ = problem.focus();
        }
    });
    view! {
        <form class="buy" id="buy" action=api::cart::Add::url() method="post" on:submit=move |event| adding.submit(&event)>
            <BuyHead shown liked/>
            <BuyPrice shown/>
            <Options shown/>
            <input type="hidden" name="variant_id" value=move || variant.get() prop:value=move || variant.get()/>
            <div class="cluster">
                <Stepper value=quantity max=limit label=l.t(common::QUANTITY) disabled=Signal::derive(move || shown.available() <= 0)/>
                <Stock shown/>
                {(sales > 0).then(|| view! { <span class="muted small">{l.n(t::SOLD_ONE, t::SOLD, sales)}</span> })}
            </div>
            <div node_ref=problem tabindex="-1">{move || adding.error().map(|error| view! { <ErrorNotice error/> })}</div>
            <div class="buy-actions only-desktop"><Buttons shown adding large=true/></div>
            <Assurances shown quantity facts/>
        </form>
    }
    .into_any()
}

/// What it is, in the merchant's words.
#[component]
pub fn BuyHead(shown: Shown, liked: Resource<bool>) -> impl IntoView {
    let (product_id, title, brand, lead) = shown.product.with_untracked(|product| {
        (product.id.clone(), product.title.clone(), product.brand.clone(), product.seo_description.clone())
    });
    let rating = shown.product.with_untracked(|product| product.rating);
    let rated = (!rating.is_none()).then(|| {
        let href = format!("#{PLACE}");
        view! { <p><a class="link link-quiet buy-rating" href=href rel="external"><Mean rating/></a></p> }
    });
    view! {
        <div class="buy-head">
            {(!brand.is_empty()).then(|| view! { <p class="buy-brand">{brand}</p> })}
            <div class="spread">
                <h1 class="buy-title">{title}</h1>
                <Heart product_id liked/>
            </div>
            {rated}
            {(!lead.is_empty()).then(|| view! { <p class="buy-lead">{lead}</p> })}
        </div>
    }
    .into_any()
}

/// The price of the chosen variant, as it is now.
#[component]
fn BuyPrice(shown: Shown) -> impl IntoView {
    let (l, currency) = (use_locale(), use_currency());
    let prices = Memo::new(move |_| shown.with(|_, variant| (variant.price, variant.compare_at)));
    let price = move || {
        let (amount, compare_at) = prices.get()?;
        let was = compare_at.filter(|was| *was > amount);
        let class = if shown.fresh.get() { "price-xl is-fresh" } else { "price-xl" };
        let saving = saving(amount, compare_at, l, currency);
        Some(view! {
            <Price amount class sale=was.is_some()/>
            {was.map(|amount| view! { <PriceWas amount/> })}
            {saving.map(|text| view! { <span class="badge badge-accent">{text}</span> })}
        })
    };
    view! { <p class="buy-price" aria-live="polite">{price}</p> }.into_any()
}

/// Whether it can be had, and how many when there are few.
#[component]
fn Stock(shown: Shown) -> impl IntoView {
    let l = use_locale();
    let available = Memo::new(move |_| shown.available());
    let class = move || {
        let class = match available.get() {
            ..=0 => "stock stock-out",
            1..=FEW => "stock stock-low",
            _ => "stock stock-in",
        };
        if shown.fresh.get() { format!("{class} is-fresh") } else { class.to_owned() }
    };
    let text = move || match available.get() {
        ..=0 => l.t(t::VARIANT_SOLD_OUT).to_owned(),
        n @ 1..=FEW => l.f(t::LEFT, &[("n", &n)]),
        _ => l.t(t::IN_STOCK_NOW).to_owned(),
    };
    view! { <p class=class role="status" aria-live="polite">{text}</p> }.into_any()
}

/// "Add to cart" and "Order now", or that neither is possible.
#[component]
fn Buttons(shown: Shown, adding: Adding, #[prop(optional)] large: bool) -> impl IntoView {
    let l = use_locale();
    let sold_out = Memo::new(move |_| shown.available() <= 0);
    let size = if large { " btn-lg" } else { "" };
    move || {
        if sold_out.get() {
            return view! { <button class=format!("btn{size}") form="buy" disabled>{l.t(t::PRODUCT_SOLD_OUT)}</button> }.into_any();
        }
        view! {
            <button class=format!("btn btn-tint{size}") form="buy" name="next" value=CART aria-busy=move || adding.busy()>
                {l.t(t::ADD_TO_CART)}
            </button>
            <button class=format!("btn btn-primary{size}") form="buy" formaction=CHECKOUT formmethod="get">
                {l.t(t::BUY_NOW)}
            </button>
        }
        .into_any()
    }
}

/// The bar at the lower edge of a phone: the cart, and the form's buttons.
#[component]
pub fn BuyBar(shown: Shown, adding: Adding, facts: Facts) -> impl IntoView {
    let l = use_locale();
    let count = use_cart_count();
    let cart = move |before: i64| {
        let pieces = move || count.pieces().unwrap_or(before);
        let label = move || match pieces() {
            0 => l.t(t::CART).to_owned(),
            n => l.n(t::CART_ITEMS_ONE, t::CART_ITEMS, n),
        };
        let shown = move || match pieces() {
            0 => String::new(),
            n if n > 99 => "99+".to_owned(),
            n => n.to_string(),
        };
        view! {
            <a class="btn btn-icon btn-quiet" href=CART aria-label=label>
                <span class="has-count"><Icon name="cart"/><span class="count">{shown}</span></span>
            </a>
        }
    };
    view! {
        <div class="actionbar actionbar-solo">
            <Suspense>{move || Suspend::new(async move { cart(facts.await.map_or(0, |facts| facts.pieces)) })}</Suspense>
            <Buttons shown adding/>
        </div>
    }
    .into_any()
}

/// When it comes, what that costs, and that nothing can go wrong.
#[component]
fn Assurances(shown: Shown, quantity: RwSignal<i64>, facts: Facts) -> impl IntoView {
    let l = use_locale();
    let item = move |icon, text| view! { <li class="assurance"><Icon name=icon/><span>{l.t(text)}</span></li> };
    view! {
        <ul class="assurances">
            <li class="assurance">
                <Icon name="truck"/>
                <Suspense fallback=|| view! { <span class="skeleton skeleton-text"></span> }>
                    {move || Suspend::new(async move {
                        match facts.await.and_then(|facts| facts.rule) {
                            Some(rule) => view! { <Delivery shown quantity rule/> }.into_any(),
                            None => view! { <span>{l.t(t::DELIVERY_UNKNOWN)}</span> }.into_any(),
                        }
                    })}
                </Suspense>
            </li>
            {item("lock", t::HELD)}
            {item("return", t::CANCEL)}
        </ul>
    }
    .into_any()
}

/// Days and fee for as many of the chosen variant as are wanted.
#[component]
fn Delivery(shown: Shown, quantity: RwSignal<i64>, rule: ShippingRule) -> impl IntoView {
    let (l, currency) = (use_locale(), use_currency());
    let days = delivery_text(l, rule.days);
    let fee = move || {
        let pieces = quantity.get();
        let fee = shown.with(|_, variant| rule.fee(variant.grams * pieces, variant.price * pieces)).unwrap_or_default();
        let text = fee.display(currency);
        match rule.free_from {
            _ if fee.0 == 0 => l.t(t::SHIPPING_FREE).to_owned(),
            Some(amount) => l.f(t::SHIPPING_FEE_FREE_FROM, &[("fee", &text), ("amount", &amount.display(currency))]),
            None => l.f(t::SHIPPING_FEE, &[("fee", &text)]),
        }
    };
    view! { <span>{days}<br/><span class="muted">{fee}</span></span> }.into_any()
}
