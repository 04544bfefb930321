//! The heart: keeps a product among the customer's favourites.
//!
//! The button stands inside the form that buys; without script it sends a form of its own, which stands outside.

use crate::{
    api::{self, catalog::SetFavourite},
    domain::texts::personal as t,
    ui::{
        components::{icon::Icon, shell::use_toasts},
        error::{ErrorNotice, message, query},
        use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_router::hooks::{use_location, use_navigate};

const FORM: &str = "favourite";
/// Where they all are.
const ALL: &str = "/me/favourites";

/// The button; its place is kept until it is known whether the product is among them.
#[component]
pub fn Heart(product_id: String, liked: Resource<bool>) -> impl IntoView {
    let id = StoredValue::new(product_id);
    let l = use_locale();
    let waiting = move || {
        view! {
            <button class="btn btn-icon btn-quiet heart" type="button" disabled aria-label=l.t(t::FAVOURITE)><Icon name="heart"/></button>
        }
    };
    view! {
        <Suspense fallback=waiting>
            {move || Suspend::new(async move {
                let liked = liked.await;
                view! { <Button id liked/> }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Button(id: StoredValue<String>, liked: bool) -> impl IntoView {
    let (l, toasts, navigate) = (use_locale(), use_toasts(), use_navigate());
    let (on, busy) = (RwSignal::new(liked), RwSignal::new(false));
    let toggle = move |event: ev::MouseEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let (wanted, navigate) = (!on.get_untracked(), navigate.clone());
        // Shown at once; taken back where it could not be kept.
        on.set(wanted);
        busy.set(true);
        spawn_local(async move {
            let answer = api::catalog::set_favourite(id.get_value(), wanted, None, None).await;
            match answer {
                Ok(()) if wanted => {
                    toasts.show_with(l.t(t::FAVOURITE_ADDED), l.t(t::SEE_FAVOURITES), move || {
                        navigate(ALL, Default::default());
                    });
                }
                Ok(()) => toasts.show(l.t(t::FAVOURITE_REMOVED)),
                Err(error) => {
                    on.try_set(!wanted);
                    toasts.show(message(l, &error));
                }
            }
            // The page may be gone by now.
            busy.try_set(false);
        });
    };
    view! {
        <button
            class="btn btn-icon btn-quiet heart"
            type="submit"
            form=FORM
            name="wanted"
            value=move || (!on.get()).to_string()
            aria-label=l.t(t::FAVOURITE)
            aria-pressed=move || on.get().to_string()
            on:click=toggle
        >
            <Icon name="heart"/>
        </button>
    }
    .into_any()
}

/// What the button sends without script, and what came of it.
#[component]
pub fn HeartForm(product_id: String) -> impl IntoView {
    let posted = ServerAction::<SetFavourite>::new().value().get_untracked().and_then(Result::err);
    let location = use_location();
    let here = move || format!("{}{}", location.pathname.get_untracked(), query(&location.search.get_untracked()));
    view! {
        {posted.map(|error| view! { <ErrorNotice error/> })}
        <form id=FORM action=SetFavourite::url() method="post" hidden>
            <input type="hidden" name="product_id" value=product_id/>
            <input type="hidden" name="next" value=here()/>
        </form>
    }
    .into_any()
}
