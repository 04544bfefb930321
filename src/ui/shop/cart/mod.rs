//! The cart.

mod booking;
mod fresh;
mod line;
mod parts;
mod state;

use crate::{
    api::{
        self,
        booking::{AddBooking, RemoveBooking, ReplaceBooking},
        cart::{AcceptPrices, Add, Restore, SaveForLater, SetQuantity, TakeAvailable},
    },
    domain::{
        Error,
        cart::{Cart, Removed, Unbooked},
        live::{self, Topic},
        pricing::Totals,
        texts::{booking_visit, cart as t, common},
    },
    ui::{
        components::{
            field::focus,
            icon::Icon,
            skeleton::SkeletonText,
            summary::{ActionbarTotal, Estimate, FreeShipping, Summary},
            travel::Main,
        },
        error::{ErrorNotice, ErrorPage},
        live::use_live,
        use_locale,
    },
};
use booking::BookingLine;
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::{Meta, Title};
use leptos_router::hooks::use_query_map;
use line::{Line, SavedLine};
use parts::{AcceptForm, TITLE_ID};
use state::CartState;

#[component]
pub fn CartPage() -> impl IntoView {
    let l = use_locale();
    let cart = Resource::new(|| (), |()| api::cart::get());
    let error = posted_error();
    view! {
        <Title text=l.t(t::TITLE)/>
        <Meta name="robots" content="noindex"/>
        <Suspense fallback=|| view! { <Loading/> }>
            {move || {
                let error = error.clone();
                Suspend::new(async move {
                    match cart.await {
                        Ok(cart) => view! { <CartBody cart error/> }.into_any(),
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
        ServerAction::<SetQuantity>::new().value().get_untracked(),
        ServerAction::<Restore>::new().value().get_untracked(),
        ServerAction::<SaveForLater>::new().value().get_untracked(),
        ServerAction::<AcceptPrices>::new().value().get_untracked(),
        ServerAction::<TakeAvailable>::new().value().get_untracked(),
        ServerAction::<Add>::new().value().get_untracked(),
        ServerAction::<AddBooking>::new().value().get_untracked(),
        ServerAction::<ReplaceBooking>::new().value().get_untracked(),
        ServerAction::<RemoveBooking>::new().value().get_untracked(),
    ];
    errors.into_iter().flatten().find_map(Result::err)
}

#[component]
fn Loading() -> impl IntoView {
    let l = use_locale();
    view! {
        <Main class="page container">
            <div class="page-head"><h1 class="page-title">{l.t(t::TITLE)}</h1></div>
            <section class="panel"><SkeletonText lines=6/></section>
        </Main>
    }
    .into_any()
}

#[component]
fn CartBody(cart: Cart, error: Option<Error>) -> impl IntoView {
    let l = use_locale();
    let state = CartState::new(cart, error);
    let updates = use_live().subscribe(Topic::Cart(String::new()));
    Effect::new(move |_| {
        if let Some(live::Update::Cart { version }) = updates.get() {
            state.told(version);
        }
    });
    let has = move |of: fn(&Cart) -> bool| Memo::new(move |_| state.shown.with(of));
    let (lines, saved) = (has(|cart| !cart.is_empty()), has(|cart| !cart.saved.is_empty()));
    let anything = Memo::new(move |_| lines.get() || saved.get());
    keep_focus(anything);
    let general = move || {
        // A failure about a line that is not there any more has no better place.
        let problem = state.problem.get();
        let problem = problem.filter(|(id, _)| {
            state.shown.with(|cart| {
                let of_goods = cart.lines.iter().chain(&cart.saved).any(|line| line.variant_id == *id);
                !of_goods && !cart.bookings.iter().any(|booking| booking.id == *id)
            })
        });
        problem.map(|(_, error)| view! { <ErrorNotice error/> })
    };
    view! {
        <Main class="page container">
            {general}
            <PutBack state/>
            <Show when=move || anything.get() fallback=|| view! { <Nothing/> }>
                <div class="page-head">
                    <h1 class="page-title" id=TITLE_ID tabindex="-1">{l.t(t::TITLE)}</h1>
                    <p class="muted" aria-live="polite">
                        {move || l.n(common::ITEMS_ONE, common::ITEMS, state.shown.with(Cart::quantity))}
                    </p>
                </div>
                <div class="with-aside">
                    <div class="stack-lg">
                        <Show when=move || lines.get() fallback=move || view! { <p class="muted">{l.t(t::EMPTY_LINES)}</p> }>
                            <section class="panel stack" aria-label=l.t(t::TO_BUY)>
                                <SeveralNotices state/>
                                <Lines state/>
                            </section>
                        </Show>
                        <Show when=move || saved.get()>
                            <SavedLines state/>
                        </Show>
                    </div>
                    <Show when=move || lines.get()>
                        <Aside state/>
                    </Show>
                </div>
                <Show when=move || lines.get()>
                    <CheckoutBar state/>
                </Show>
            </Show>
        </Main>
    }
    .into_any()
}

/// The way back after a line was removed without script, until the cart changes again.
#[component]
fn PutBack(state: CartState) -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let removed = Memo::new(move |_| {
        let version = state.shown.with(|cart| cart.version);
        query.with(|query| Removed::parse(|name| query.get(name), version))
    });
    let unbooked = Memo::new(move |_| {
        let version = state.shown.with(|cart| cart.version);
        query.with(|query| Unbooked::parse(|name| query.get(name), version))
    });
    let booking = move || {
        unbooked.get().map(|Unbooked { variant_id, wish }| {
            view! {
                <div class="notice" role="status">
                    <Icon name="info"/>
                    <div class="notice-body">
                        <p>{l.t(booking_visit::UNBOOKED)}</p>
                        <form class="notice-actions" action=AddBooking::url() method="post">
                            <input type="hidden" name="variant_id" value=variant_id/>
                            <input type="hidden" name="wish" value=wish.text()/>
                            <input type="hidden" name="next" value="/cart"/>
                            <button class="btn btn-secondary btn-sm" type="submit">{l.t(common::UNDO)}</button>
                        </form>
                    </div>
                </div>
            }
        })
    };
    let line = move || {
        removed.get().map(|Removed { variant_id, wanted }| {
            view! {
                <div class="notice" role="status">
                    <Icon name="info"/>
                    <div class="notice-body">
                        <p>{l.t(t::LINE_REMOVED)}</p>
                        <form class="notice-actions" action=Restore::url() method="post">
                            <input type="hidden" name="variant_id" value=variant_id/>
                            <input type="hidden" name="quantity" value=wanted.quantity/>
                            <input type="hidden" name="price_seen" value=wanted.price_seen.0/>
                            <input type="hidden" name="saved" value=wanted.saved.to_string()/>
                            <input type="hidden" name="added_at" value=wanted.added_at/>
                            <button class="btn btn-secondary btn-sm" type="submit">{l.t(common::UNDO)}</button>
                        </form>
                    </div>
                </div>
            }
        })
    };
    (booking, line)
}

/// When the last line goes or the first comes, the page has another heading, and with the old one the focus may be gone.
fn keep_focus(anything: Memo<bool>) {
    Effect::new(move |before: Option<bool>| {
        let now = anything.get();
        if before.is_some_and(|before| before != now) {
            request_animation_frame(|| {
                if document().active_element().is_none_or(|active| active.tag_name() == "BODY") {
                    focus(TITLE_ID);
                }
            });
        }
        now
    });
}

#[component]
fn Lines(state: CartState) -> impl IntoView {
    let currency = state.shown.with_untracked(|cart| cart.currency);
    view! {
        <ul class="lines">
            <For each=move || state.shown.with(|cart| cart.lines.clone()) key=|line| line.variant_id.clone() let:first>
                <Line state first currency/>
            </For>
            <For each=move || state.shown.with(|cart| cart.bookings.clone()) key=|booking| booking.id.clone() let:first>
                <BookingLine state first currency/>
            </For>
        </ul>
    }
    .into_any()
}

#[component]
fn SavedLines(state: CartState) -> impl IntoView {
    let l = use_locale();
    let currency = state.shown.with_untracked(|cart| cart.currency);
    view! {
        <section aria-labelledby="later-title">
            <div class="section-head">
                <h2 id="later-title">{move || l.f(t::LATER, &[("n", &state.shown.with(|cart| cart.saved.len()))])}</h2>
            </div>
            <ul class="lines panel">
                <For each=move || state.shown.with(|cart| cart.saved.clone()) key=|line| line.variant_id.clone() let:first>
                    <SavedLine state first currency/>
                </For>
            </ul>
        </section>
    }
    .into_any()
}

/// Where several lines changed price or fell short, one button answers for all.
#[component]
fn SeveralNotices(state: CartState) -> impl IntoView {
    let l = use_locale();
    let short = Memo::new(move |_| state.shown.with(|cart| cart.shortages().len()));
    let changed = Memo::new(move |_| state.shown.with(|cart| cart.price_changes().len()));
    let take = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        state.take_available();
    };
    let short_notice = move || {
        let n = short.get();
        (n > 1).then(|| {
            view! {
                <div class="notice notice-danger" role="status">
                    <Icon name="warning"/>
                    <div class="notice-body">
                        <p>{l.f(t::SEVERAL_SHORT, &[("n", &n)])}</p>
                        <form class="notice-actions" action=TakeAvailable::url() method="post">
                            <button class="btn btn-secondary btn-sm" type="submit" on:click=take>{l.t(t::TAKE_AVAILABLE)}</button>
                        </form>
                    </div>
                </div>
            }
        })
    };
    let price_notice = move || {
        let n = changed.get();
        (n > 1).then(|| {
            view! {
                <div class="notice notice-warn" role="status">
                    <Icon name="tag"/>
                    <div class="notice-body">
                        <p>{l.f(t::PRICES_CHANGED, &[("n", &n)])}</p>
                        <AcceptForm state label=l.t(t::ACCEPT_ALL)/>
                    </div>
                </div>
            }
        })
    };
    (short_notice, price_notice)
}

fn totals(state: CartState) -> Signal<Totals> {
    Memo::new(move |_| state.shown.with(Cart::totals)).into()
}

#[component]
fn Aside(state: CartState) -> impl IntoView {
    let l = use_locale();
    let totals = totals(state);
    let currency = state.shown.with_untracked(|cart| cart.currency);
    let spoken = move || l.f(t::TOTAL_NOW, &[("total", &totals.with(|totals| totals.total).display(currency))]);
    view! {
        <aside class="panel aside-sticky stack" aria-labelledby="sum-title">
            <h2 class="panel-title" id="sum-title">{l.t(t::CHECKOUT_SUMMARY)}</h2>
            <FreeShipping totals currency/>
            <Summary totals currency/>
            <Estimate days=Signal::derive(move || state.shown.with(Cart::delivery_days))/>
            <p class="visually-hidden" role="status">{spoken}</p>
            <a class="btn btn-primary btn-lg btn-block only-desktop" href="/checkout">{l.t(t::CHECKOUT)}</a>
            <p class="muted small center only-desktop">{l.t(t::HOLD_HINT)}</p>
        </aside>
    }
    .into_any()
}

/// The bar at the lower edge of a phone.
#[component]
fn CheckoutBar(state: CartState) -> impl IntoView {
    let l = use_locale();
    let totals = totals(state);
    let currency = state.shown.with_untracked(|cart| cart.currency);
    let pieces = move || l.f(t::CHECKOUT_COUNT, &[("n", &totals.with(|totals| totals.quantity))]);
    view! {
        <div class="actionbar">
            <ActionbarTotal total=Signal::derive(move || totals.with(|totals| totals.total)) currency/>
            <a class="btn btn-primary" href="/checkout">{pieces}</a>
        </div>
    }
    .into_any()
}

#[component]
fn Nothing() -> impl IntoView {
    let l = use_locale();
    view! {
        <div class="empty">
            <span class="empty-art"><Icon name="cart" class="icon-lg"/></span>
            <h1 class="empty-title" id=TITLE_ID tabindex="-1">{l.t(t::EMPTY_TITLE)}</h1>
            <p class="empty-text">{l.t(t::EMPTY_TEXT)}</p>
            <div class="empty-actions"><a class="btn btn-primary" href="/">{l.t(t::TO_SHOP)}</a></div>
        </div>
    }
    .into_any()
}
