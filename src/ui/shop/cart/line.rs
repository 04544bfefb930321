//! A line of the cart: what it is, how many, and what has changed since it was put in.
//!
//! Without script each button sends a small form; with it they change the page at once.

use super::{
    fresh::use_fresh,
    parts::{LineProblem, PriceNotice, TITLE_ID, act, removing, stay},
    state::CartState,
};
use crate::{
    api::cart::{SaveForLater, SetQuantity},
    domain::{
        cart::CartLine,
        catalog::Width,
        live::{self, Topic},
        money::Currency,
        texts::cart as t,
    },
    ui::{
        components::{
            field::focus,
            icon::Icon,
            picture::Picture,
            price::{Price, PriceWas},
            stepper::Stepper,
        },
        live::use_live,
        use_locale,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};

/// The line of a variant as the cart shows it now; it keeps its last state for the moment it takes to disappear.
fn present(state: CartState, first: CartLine) -> Memo<CartLine> {
    Memo::new(move |before: Option<&CartLine>| {
        state.shown.with(|cart| {
            let mut lines = cart.lines.iter().chain(&cart.saved);
            let line = lines.find(|line| line.variant_id == first.variant_id);
            line.cloned().or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
        })
    })
}

/// The live feed takes 200 topics of a page. Of a cart with more lines, which only two carts that join can be, what is put
/// aside stays as it was when the page was loaded.
const FOLLOWED: usize = 190;

/// Follows stock and price of the line's product.
fn follow(state: CartState, product_id: &str) {
    let updates = use_live().subscribe(Topic::Product(product_id.to_owned()));
    Effect::new(move |_| {
        if let Some(live::Update::Product { id, variants }) = updates.get() {
            state.see(&id, &variants);
        }
    });
}

/// A line to be bought.
#[component]
pub fn Line(state: CartState, first: CartLine, currency: Currency) -> impl IntoView {
    let l = use_locale();
    follow(state, &first.product_id);
    let id = StoredValue::new(first.variant_id.clone());
    let href = format!("/p/{}", first.handle);
    let (title, label, image) = (first.title.clone(), first.label.clone(), first.image.clone());
    let form_id = |kind: &str| format!("{kind}-{}", first.variant_id);
    let (less, more, none) = (form_id("less"), form_id("more"), form_id("none"));
    let line = present(state, first.clone());
    let quantity = RwSignal::new(first.quantity);
    Effect::new(move |_| {
        let now = line.with(|line| line.quantity);
        if now != quantity.get_untracked() {
            quantity.set(now);
        }
    });
    let price = Memo::new(move |_| line.with(|line| line.unit_price));
    let price_is_fresh = use_fresh(price);
    let change =
        Memo::new(move |_| line.with(|line| line.price_changed().then_some((line.price_seen, line.unit_price))));
    let each = move || l.f(t::EACH, &[("price", &price.get().display(currency))]);
    let total = move || {
        line.with(|line| {
            let priced = line.priced();
            let was = (priced.list_price() > line.unit_price).then(|| priced.list_price() * line.quantity);
            view! {
                <Price amount=priced.total() currency sale=was.is_some()/>
                {was.map(|amount| view! { <PriceWas amount currency/> })}
            }
        })
    };
    let name = l.f(t::QUANTITY_OF, &[("title", &title)]);
    let hidden_form = move |form: String, quantity: Signal<i64>| {
        view! {
            <form id=form action=SetQuantity::url() method="post" hidden>
                <input type="hidden" name="variant_id" value=id.get_value()/>
                <input type="hidden" name="quantity" value=move || quantity.get()/>
            </form>
        }
    };
    let set = Callback::new(move |quantity| id.with_value(|id| state.set_quantity(id, quantity)));
    view! {
        <li class="line">
            <a class="line-media" href=href.clone() tabindex="-1" aria-hidden="true"><Picture image thumb=Width::Thumb size=200/></a>
            <div class="line-body">
                <h2><a class="line-name" href=href>{title.clone()}</a></h2>
                {(!label.is_empty()).then(|| view! { <p class="line-variant">{label}</p> })}
                <p class="muted small"><span class:is-fresh=price_is_fresh>{each}</span></p>
            </div>
            <p class="line-price">{total}</p>
            <form class="line-tools" action=SetQuantity::url() method="post" on:submit=stay>
                <input type="hidden" name="variant_id" value=id.get_value()/>
                <button class="visually-hidden" type="submit" tabindex="-1">{l.t(t::UPDATE)}</button>
                <Stepper value=quantity max=Signal::derive(move || line.with(CartLine::limit)) label=Signal::stored(name) forms=(less.clone(), more.clone()) on_change=set/>
                <button
                    class="link link-quiet"
                    type="submit"
                    name="saved"
                    value="true"
                    formaction=SaveForLater::url()
                    on:click=act(move || {
                        id.with_value(|id| state.save_for_later(id, true));
                        focus(TITLE_ID);
                    })
                >
                    <Icon name="bookmark" class="icon-sm"/>
                    {l.t(t::SAVE_FOR_LATER)}
                </button>
                <RemoveButton state id title form=none.clone()/>
            </form>
            {hidden_form(less, Signal::derive(move || (quantity.get() - 1).max(1)))}
            {hidden_form(more, Signal::derive(move || quantity.get() + 1))}
            {hidden_form(none, Signal::stored(0))}
            <PriceNotice state change currency/>
            <ShortNotice state line/>
            <LineProblem state id/>
        </li>
    }
    .into_any()
}

#[component]
fn RemoveButton(state: CartState, id: StoredValue<String>, title: String, form: String) -> impl IntoView {
    let l = use_locale();
    let remove = removing(title, move || id.with_value(|id| state.remove(id)));
    view! {
        <button class="link link-quiet" type="submit" form=form on:click=remove>
            <Icon name="trash" class="icon-sm"/>
            {l.t(t::REMOVE)}
        </button>
    }
    .into_any()
}

/// That less is left than was chosen, with the offer to take it.
#[component]
fn ShortNotice(state: CartState, line: Memo<CartLine>) -> impl IntoView {
    let l = use_locale();
    let short = Memo::new(move |_| line.with(|line| line.is_short().then_some((line.quantity, line.limit()))));
    move || {
        short.get().map(|(wanted, available)| {
            let id = line.with_untracked(|line| line.variant_id.clone());
            let (field, take) = (id.clone(), id.clone());
            let (text, form) = if available > 0 {
                let form = view! {
                    <form class="notice-actions" action=SetQuantity::url() method="post" on:submit=stay>
                        <input type="hidden" name="variant_id" value=field/>
                        <button class="btn btn-secondary btn-sm" type="submit" name="quantity" value=available on:click=act(move || state.set_quantity(&take, available))>
                            {l.f(t::TAKE_N, &[("n", &available)])}
                        </button>
                    </form>
                };
                (l.f(t::SHORT_LEFT, &[("available", &available), ("wanted", &wanted)]), form.into_any())
            } else {
                let form = view! {
                    <form class="notice-actions" action=SaveForLater::url() method="post" on:submit=stay>
                        <input type="hidden" name="variant_id" value=field/>
                        <button class="btn btn-secondary btn-sm" type="submit" name="saved" value="true" on:click=act(move || {
                            state.save_for_later(&take, true);
                            focus(TITLE_ID);
                        })>
                            {l.t(t::SAVE_FOR_LATER)}
                        </button>
                    </form>
                };
                (l.t(t::SHORT_NONE).to_owned(), form.into_any())
            };
            view! {
                <div class="notice notice-danger is-fresh" role="status">
                    <Icon name="warning"/>
                    <div class="notice-body"><p>{text}</p>{form}</div>
                </div>
            }
        })
    }
}

/// A line saved for later.
#[component]
pub fn SavedLine(state: CartState, first: CartLine, currency: Currency) -> impl IntoView {
    let l = use_locale();
    if state.shown.with_untracked(|cart| cart.lines.len() + cart.saved.len() <= FOLLOWED) {
        follow(state, &first.product_id);
    }
    let id = StoredValue::new(first.variant_id.clone());
    let href = format!("/p/{}", first.handle);
    let none = format!("none-{}", first.variant_id);
    let (title, label, image) = (first.title.clone(), first.label.clone(), first.image.clone());
    let line = present(state, first);
    let price = Memo::new(move |_| line.with(|line| (line.unit_price, line.priced().list_price())));
    let sold_out = Memo::new(move |_| line.with(|line| line.available <= 0));
    let price_is_fresh = use_fresh(price);
    let prices = move || {
        let (now, list) = price.get();
        let reduced = list > now;
        view! {
            <Price amount=now currency sale=reduced/>
            {reduced.then(|| view! { <PriceWas amount=list currency/> })}
        }
    };
    let back = act(move || {
        id.with_value(|id| state.save_for_later(id, false));
        focus(TITLE_ID);
    });
    view! {
        <li class="line">
            <a class="line-media" href=href.clone() tabindex="-1" aria-hidden="true"><Picture image thumb=Width::Thumb size=200/></a>
            <div class="line-body">
                <h3><a class="line-name" href=href>{title.clone()}</a></h3>
                {(!label.is_empty()).then(|| view! { <p class="line-variant">{label}</p> })}
                {move || sold_out.get().then(|| view! { <p class="stock stock-out small" role="status">{l.t(t::SOLD_OUT)}</p> })}
            </div>
            <p class="line-price" class:is-fresh=price_is_fresh>{prices}</p>
            <form class="line-tools" action=SaveForLater::url() method="post" on:submit=stay>
                <input type="hidden" name="variant_id" value=id.get_value()/>
                <button class="btn btn-secondary btn-sm" type="submit" name="saved" value="false" on:click=back>{l.t(t::MOVE_TO_CART)}</button>
                <RemoveButton state id title form=none.clone()/>
            </form>
            <form id=none action=SetQuantity::url() method="post" hidden>
                <input type="hidden" name="variant_id" value=id.get_value()/>
                <input type="hidden" name="quantity" value="0"/>
            </form>
            <LineProblem state id/>
        </li>
    }
    .into_any()
}
