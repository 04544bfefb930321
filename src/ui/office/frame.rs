//! What stands around every page of the office: where to go, how many orders wait, who is signed in.

use super::parts::{PasswordFirst, SignInFirst};
use crate::{
    api::{self, office::SignOut},
    domain::{
        Error,
        live::{Topic, Update},
        office::Staff,
        permission::Permission,
        texts::{booking_office, booking_stay as stay, office as t, review, second, shell},
    },
    ui::{
        components::{
            icon::Icon,
            shell::{Languages, ToastRegion, use_toasts},
        },
        error::message,
        live::use_live,
        use_locale,
    },
};
use leptos::prelude::*;
use leptos_meta::Meta;
use leptos_router::{components::Outlet, hooks::use_location};

/// What the frame holds for its pages.
#[derive(Clone, Copy)]
pub struct Desk {
    /// How many orders wait to be shipped, as the live feed told last.
    pub to_ship: Signal<Option<i64>>,
    /// The carrier of the last parcel sent from here, which the next one often takes too.
    pub carrier: RwSignal<String>,
}

/// What the frame holds for its pages.
pub fn use_desk() -> Desk {
    expect_context()
}

#[component]
pub fn Frame() -> impl IntoView {
    let l = use_locale();
    let updates = use_live().subscribe(Topic::Office);
    let to_ship = Signal::derive(move || match updates.get() {
        Some(Update::Office { to_ship }) => Some(to_ship),
        _ => None,
    });
    provide_context(Desk { to_ship, carrier: RwSignal::new(String::new()) });
    let me = Resource::new(|| (), |()| api::office::me());
    view! {
        <Meta name="robots" content="noindex"/>
        <a class="skip-link" href="#main" rel="external">{l.t(shell::SKIP)}</a>
        <div id="offline-bar" class="offline-bar" role="status" hidden>
            <Icon name="offline" class="icon-sm"/>
            <span>{l.t(t::OFFLINE)}</span>
        </div>
        <div class="office">
            <Rail to_ship me/>
            <Outlet/>
        </div>
        <ToastRegion/>
    }
    .into_any()
}

#[component]
fn Rail(to_ship: Signal<Option<i64>>, me: Resource<Result<Staff, Error>>) -> impl IntoView {
    let l = use_locale();
    let path = use_location().pathname;
    let link = move |href: &'static str, icon: &'static str, text, badge: AnyView| {
        let current = move || path.with(|path| present(href, path)).then_some("page");
        view! {
            <li>
                <a class="office-link" href=href aria-current=current>
                    <Icon name=icon/>
                    {l.t(text)}
                    {badge}
                </a>
            </li>
        }
    };
    let waiting = view! { <Waiting to_ship/> }.into_any();
    // What is not permitted is not offered.
    let permitted = move || {
        Suspend::new(async move {
            let role = me.await.ok().map(|staff| staff.role);
            let may = |permission| role.is_some_and(|role| role.may(permission));
            let reviews = may(Permission::TendReviews)
                .then(|| link("/office/reviews", "note", review::OFFICE_TITLE, ().into_any()));
            let people = may(Permission::ManageStaff).then(|| link("/office/people", "me", t::PEOPLE, ().into_any()));
            view! { {reviews} {people} }
        })
    };
    view! {
        <header class="office-rail">
            <a class="logo" href="/office" aria-label=l.t(t::HOME_LABEL)>
                <svg class="logo-mark" aria-hidden="true"><use href="/icons.svg#logo"></use></svg>
                <span class="logo-text only-desktop">{l.t(t::NAME)}</span>
            </a>
            <nav aria-label=l.t(t::NAME)>
                <ul class="office-nav">
                    {link("/office", "orders", t::ORDERS, waiting)}
                    {link("/office/bookings", "clock", booking_office::TITLE, ().into_any())}
                    {link("/office/stock", "stock", t::STOCK, ().into_any())}
                    {link("/office/stays", "bookmark", stay::OFFICE_STAYS, ().into_any())}
                    <Suspense>{permitted}</Suspense>
                    <li>
                        <a class="office-link" href="/">
                            <Icon name="store"/>
                            {l.t(t::TO_SHOP)}
                        </a>
                    </li>
                </ul>
            </nav>
            <Who me/>
        </header>
    }
    .into_any()
}

/// Whether a page belongs to an entry of the navigation.
fn present(href: &str, path: &str) -> bool {
    let path = path.trim_end_matches('/');
    match href {
        "/office" => path == "/office" || path.starts_with("/office/orders"),
        href => path == href || path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/')),
    }
}

/// How many orders wait to be shipped; nothing while there are none.
#[component]
fn Waiting(to_ship: Signal<Option<i64>>) -> impl IntoView {
    let l = use_locale();
    let counts = Resource::new(|| (), |()| api::office::counts());
    let badge = move |first: i64| {
        let n = to_ship.get().unwrap_or(first);
        (n > 0).then(|| {
            view! {
                <span class="badge badge-warn">
                    {n}
                    <span class="visually-hidden">{format!(" {}", l.t(t::TO_SHIP_HIDDEN))}</span>
                </span>
            }
        })
    };
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                let first = counts.await.map_or(0, |counts| counts.to_ship);
                move || badge(first)
            })}
        </Suspense>
    }
    .into_any()
}

/// Who is signed in, the language, and the way out. Whoever is not signed in is sent to do so.
#[component]
fn Who(me: Resource<Result<Staff, Error>>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let sign_out = ServerAction::<SignOut>::new();
    let busy = sign_out.pending();
    Effect::new(move |_| {
        if let Some(Err(error)) = sign_out.value().get() {
            toasts.show(message(l, &error));
        }
    });
    view! {
        <div class="office-who">
            <Suspense>
                {move || Suspend::new(async move {
                    match me.await {
                        Ok(staff) => view! {
                            <a class="btn btn-icon btn-quiet" href=api::office::SECOND aria-label=l.t(second::OFFICE_TITLE)>
                                <Icon name="shield"/>
                            </a>
                            <span class="only-desktop grow">{staff.login}</span>
                        }
                        .into_any(),
                        Err(Error::Unauthenticated) => view! { <SignInFirst/> }.into_any(),
                        Err(Error::PasswordFirst) => view! { <PasswordFirst/> }.into_any(),
                        Err(_) => ().into_any(),
                    }
                })}
            </Suspense>
            <Languages/>
            <ActionForm action=sign_out>
                <button class="btn btn-icon btn-quiet" type="submit" aria-label=l.t(t::SIGN_OUT) aria-busy=move || busy.get().then_some("true")>
                    <Icon name="sign-out"/>
                </button>
            </ActionForm>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::present;

    #[test]
    fn a_page_lights_one_entry() {
        let lit = |path: &str| {
            ["/office", "/office/stock", "/office/people", "/office/bookings", "/office/stays", "/office/reviews"]
                .into_iter()
                .filter(|href| present(href, path))
                .collect::<Vec<_>>()
        };
        assert_eq!(lit("/office"), ["/office"]);
        assert_eq!(lit("/office/"), ["/office"]);
        assert_eq!(lit("/office/orders/2611230000000000"), ["/office"]);
        assert_eq!(lit("/office/stock"), ["/office/stock"]);
        assert_eq!(lit("/office/people"), ["/office/people"]);
        assert_eq!(lit("/office/reviews"), ["/office/reviews"]);
        assert_eq!(lit("/office/bookings"), ["/office/bookings"]);
        assert_eq!(lit("/office/stays/7"), ["/office/stays"]);
    }
}
