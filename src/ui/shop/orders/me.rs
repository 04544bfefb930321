//! What belongs to the person at this browser.

use crate::{
    api,
    domain::{
        Error,
        account::Profile,
        order::State,
        texts::{account, me as t, order, personal},
    },
    ui::{
        account::SignOutButton,
        components::{
            icon::Icon,
            order_state::{count_of, state_name},
            shell::Languages,
            skeleton::SkeletonText,
            travel::Main,
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::{Meta, Title};

#[component]
pub fn MePage() -> impl IntoView {
    let l = use_locale();
    let counts = Resource::new(|| (), |()| api::order::counts());
    let cart = Resource::new(|| (), |()| api::cart::get());
    let profile = Resource::new(|| (), |()| api::account::me());
    let to_pay = move || {
        Suspend::new(async move {
            let waiting = counts.await.map(|counts| counts.to_pay).unwrap_or_default();
            (waiting > 0).then(|| view! { <span class="muted small">{l.f(t::TO_PAY_HINT, &[("n", &waiting)])}</span> })
        })
    };
    let in_cart = move || {
        Suspend::new(async move {
            let pieces = cart.await.map(|cart| cart.quantity()).unwrap_or_default();
            (pieces > 0)
                .then(|| view! { <span class="muted small">{l.n(t::CART_COUNT_ONE, t::CART_COUNT, pieces)}</span> })
        })
    };
    let saved = move || {
        Suspend::new(async move {
            let lines = cart.await.map(|cart| cart.saved.len()).unwrap_or_default();
            (lines > 0).then(|| view! { <span class="muted small">{lines}</span> })
        })
    };
    let row = move |href: &'static str, icon: &'static str, text, hint: AnyView| {
        view! {
            <li>
                <a class="menu-link" href=href>
                    <Icon name=icon/>
                    <span class="grow">{l.t(text)}</span>
                    {hint}
                    <Icon name="chevron-right" class="icon-sm"/>
                </a>
            </li>
        }
    };
    view! {
        <Title text=l.t(t::TITLE)/>
        <Meta name="robots" content="noindex"/>
        <Main class="page container container-narrow">
            <div class="page-head"><h1 class="page-title">{l.t(t::TITLE)}</h1></div>
            <Person profile/>
            <nav class="panel" aria-label=l.t(t::ORDERS_BY_STATE)>
                <ul class="states">{State::ALL.map(|state| view! { <li><StateTile state counts/></li> })}</ul>
            </nav>
            <ul class="panel menu section-sm">
                {row("/orders", "orders", t::ORDERS, view! { <Transition>{to_pay}</Transition> }.into_any())}
                {row("/cart", "cart", t::CART, view! { <Transition>{in_cart}</Transition> }.into_any())}
                {row("/cart", "bookmark", t::SAVED, view! { <Transition>{saved}</Transition> }.into_any())}
                {row("/me/favourites", "heart", personal::FAVOURITES_TITLE, ().into_any())}
                {row("/me/waiting", "bookmark", crate::domain::texts::booking_after::WAITING_TITLE, ().into_any())}
                {row("/me/viewed", "clock", personal::VIEWED_TITLE, ().into_any())}
                {row("/me/addresses", "pin", personal::ADDRESSES_TITLE, ().into_any())}
                {row("/me/notifications", "mail", personal::NOTIFICATIONS_TITLE, ().into_any())}
                {row("/orders/find", "search", order::FIND, ().into_any())}
                {row("/me/privacy", "shield", t::PRIVACY, ().into_any())}
            </ul>
            <section class="panel section-sm" aria-labelledby="language-title">
                <div class="spread">
                    <h2 class="panel-title" id="language-title">{l.t(t::LANGUAGE)}</h2>
                    <Languages/>
                </div>
            </section>
            <Forget profile/>
            <section class="panel section-sm" aria-labelledby="about-title">
                <div class="panel-head"><h2 class="panel-title" id="about-title">{l.t(t::ABOUT)}</h2></div>
                <p class="muted">{l.t(t::ABOUT_TEXT)}</p>
            </section>
        </Main>
    }
    .into_any()
}

/// Who is signed in, or the way in.
#[component]
fn Person(profile: Resource<Result<Option<Profile>, Error>>) -> impl IntoView {
    let l = use_locale();
    let person = move || {
        Suspend::new(async move {
            match profile.await {
                Ok(Some(profile)) => {
                    let name = [
                        Some(profile.name).filter(|name| !name.is_empty()),
                        profile.login,
                        profile.phone,
                        profile.email,
                    ]
                    .into_iter()
                    .flatten()
                    .next()
                    .unwrap_or_default();
                    view! {
                        <div class="spread">
                            <p class="panel-title">{l.f(account::HELLO, &[("name", &name)])}</p>
                            <a class="btn btn-secondary btn-sm" href="/me/security">{l.t(account::SECURITY_TITLE)}</a>
                        </div>
                    }
                    .into_any()
                }
                Ok(None) => view! {
                    <div class="spread">
                        <div class="grow">
                            <p class="panel-title">{l.t(account::GUEST_TITLE)}</p>
                            <p class="muted">{l.t(account::GUEST_TEXT)}</p>
                        </div>
                        <a class="btn btn-primary" href="/sign-in">{l.t(account::SIGN_IN_TITLE)}</a>
                    </div>
                }
                .into_any(),
                Err(error) => view! { <ErrorNotice error reload=true/> }.into_any(),
            }
        })
    };
    view! { <div class="panel person"><Transition fallback=|| view! { <SkeletonText lines=2/> }>{person}</Transition></div> }
        .into_any()
}

/// Lets this browser forget whose cart and orders it shows: signing out, or for a guest leaving.
#[component]
fn Forget(profile: Resource<Result<Option<Profile>, Error>>) -> impl IntoView {
    let l = use_locale();
    let way = move || {
        Suspend::new(async move {
            if matches!(profile.await, Ok(Some(_))) {
                return view! { <div class="section-sm"><SignOutButton/></div> }.into_any();
            }
            // The whole page is loaded anew, so that nothing of it stays in memory either.
            view! {
                <details class="panel section-sm">
                    <summary class="panel-title">{l.t(t::FORGET)}</summary>
                    <form class="stack" action=api::account::Forget::url() method="post">
                        <p class="muted">{l.t(t::FORGET_TEXT)}</p>
                        <div class="form-actions"><button class="btn btn-secondary">{l.t(t::FORGET_SUBMIT)}</button></div>
                    </form>
                </details>
            }
            .into_any()
        })
    };
    view! { <Transition>{way}</Transition> }.into_any()
}

/// The orders of a state: an icon, how many, and the way to them.
#[component]
fn StateTile(
    state: State,
    counts: Resource<Result<crate::domain::order::OrderCounts, crate::domain::Error>>,
) -> impl IntoView {
    let l = use_locale();
    let icon = match state {
        State::ToPay => "card",
        State::ToShip => "package",
        State::Shipped => "truck",
        State::Completed => "package-check",
        State::Cancelled => "return",
    };
    let count = move || {
        Suspend::new(async move {
            let orders = counts.await.map(|counts| count_of(&counts, state)).unwrap_or_default();
            (orders > 0).then(|| view! { <span class="count">{orders}</span> })
        })
    };
    view! {
        <a class="state-tile" href=format!("/orders?state={}", state.name())>
            <span class="has-count"><Icon name=icon/><Transition>{count}</Transition></span>
            {state_name(l, state)}
        </a>
    }
    .into_any()
}
