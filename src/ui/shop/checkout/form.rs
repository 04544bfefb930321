//! The checkout form. It is a plain form that works by itself; with script it is checked before it is sent, kept while
//! it is typed, and the sums beside it follow the address.

use super::{
    BuyNowFields, Loading, NothingToOrder, ReadLines, Steps,
    keeper::Keeper,
    saved::{AddressChoices, SaveAddress, chosen_of},
    use_buy_now,
};
use crate::{
    api::{self, order::SaveCheckout},
    domain::{
        Error,
        address::{CALLING_CODES, CheckoutForm, DeliveryWish},
        address_book::SavedAddress,
        cart::{BuyNow, Cart},
        live::{self, Topic},
        order::CheckoutPage as Page,
        payment::Method,
        texts::{booking_visit, checkout as t, payment},
    },
    ui::{
        components::{
            address::{ContactFields, DeliveryFields, Divisions, field_labels},
            field::{ErrorSummary, problem_of},
            method::MethodCards,
            summary::{ActionbarTotal, Estimate, Summary},
            travel::Main,
        },
        error::{ErrorNotice, ErrorPage},
        live::use_live,
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, html, prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_meta::{Meta, Title};

#[component]
pub fn CheckoutPage() -> impl IntoView {
    let l = use_locale();
    let buy_now = use_buy_now();
    let page = Resource::new(
        move || buy_now.get(),
        |buy_now| async move { (api::order::checkout(buy_now.clone()).await, buy_now) },
    );
    let posted = ServerAction::<SaveCheckout>::new().value().get_untracked().and_then(Result::err);
    view! {
        <Title text=l.t(t::TITLE)/>
        <Meta name="robots" content="noindex"/>
        <Suspense fallback=|| view! { <Loading present=0/> }>
            {move || {
                let posted = posted.clone();
                Suspend::new(async move {
                    match page.await {
                        (Ok(page), _) if page.cart.is_empty() => view! { <NothingToOrder/> }.into_any(),
                        (Ok(page), buy_now) => view! { <Body page buy_now posted/> }.into_any(),
                        (Err(error), _) => view! { <ErrorPage error/> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

/// The cart beside the form, kept up with other tabs.
fn follow_cart(cart: RwSignal<Cart>) {
    let updates = use_live().subscribe(Topic::Cart(String::new()));
    Effect::new(move |_| {
        let Some(live::Update::Cart { version }) = updates.get() else { return };
        if cart.with_untracked(|cart| cart.version < version) {
            spawn_local(async move {
                if let Ok(mut new) = api::cart::get().await {
                    cart.try_update(|cart| {
                        if cart.version < new.version {
                            new.region = cart.region.take();
                            *cart = new;
                        }
                    });
                }
            });
        }
    });
}

#[component]
fn Body(page: Page, buy_now: Option<BuyNow>, posted: Option<Error>) -> impl IntoView {
    let l = use_locale();
    let Page { form, cart, provinces, cities, districts, signed_in, payable, addresses } = page;
    let keeper = Keeper::new(Divisions { provinces, cities, districts }, buy_now.clone());
    let cart = RwSignal::new(cart);
    if buy_now.is_none() {
        follow_cart(cart);
    }
    let back = match &buy_now {
        None => Some(("/cart".to_owned(), t::BACK_TO_CART)),
        Some(_) => cart.with_untracked(|cart| {
            cart.lines.first().map(|line| (format!("/p/{}?v={}", line.handle, line.variant_id), t::BACK_TO_PRODUCT))
        }),
    };
    let currency = cart.with_untracked(|cart| cart.currency);
    // Where nobody comes or sends anything, somebody to contact is enough. What needs more is told of when it is sent.
    let to_somewhere = cart.with_untracked(Cart::needs_address);
    // The account's addresses, the one that the form says, and what the fields of the address began with since they were
    // filled for the n-th time.
    let selected = RwSignal::new(chosen_of(&addresses, &form));
    let addresses = StoredValue::new(addresses);
    let filled = RwSignal::new((0u32, form.clone()));
    // What is wrong, as shown beside the fields and above the form.
    let error = RwSignal::new(posted);
    let attempts = RwSignal::new(0usize);
    let place = NodeRef::<html::Form>::new();
    let check = move |form: &CheckoutForm| {
        let known = |code: &str| keeper.divisions.with_untracked(|d| d.districts.iter().any(|(c, _)| c == code));
        if to_somewhere { form.check(known).err() } else { form.check_without_address().err() }
    };

    let notice = move |typed: &CheckoutForm| {
        cart.update(|cart| {
            let region = [&typed.district, &typed.city, &typed.province].into_iter().find(|code| !code.is_empty());
            if cart.region.as_ref() != region {
                cart.region = region.cloned();
            }
        });
        let says = addresses.with_value(|addresses| chosen_of(addresses, typed));
        if selected.get_untracked() != says {
            selected.set(says);
        }
        // A field that is right now is no longer told wrong; new problems wait for the next attempt.
        if let Some(Error::Invalid(mut wrong)) = error.get_untracked() {
            let now = check(typed);
            let before = wrong.len();
            wrong.retain(|field, _| now.as_ref().is_some_and(|now| now.problem(field).is_some()));
            if wrong.len() < before {
                error.set((!wrong.is_empty()).then_some(Error::Invalid(wrong)));
            }
        }
    };
    let typed = move |_: ev::Event| {
        if let Some(form) = read(place, keeper.divisions) {
            notice(&form);
            keeper.typed(form);
        }
    };
    let chosen = Callback::new(move |(province, city): (String, String)| {
        if let Some(mut form) = read(place, keeper.divisions) {
            (form.province, form.city) = (province, city);
            form.district.clear();
            notice(&form);
            keeper.region(form);
        }
    });
    // Counts the choices of an address, so that only the last one is taken.
    let (asked, filling) = (StoredValue::new(0u32), RwSignal::new(false));
    let choose = Callback::new(move |id: String| {
        let contact = addresses.with_value(|addresses| {
            let address = addresses.iter().find(|address| address.id == id);
            address.map_or_else(CheckoutForm::for_another, SavedAddress::form)
        });
        asked.update_value(|asked| *asked = asked.wrapping_add(1));
        let mine = asked.get_value();
        filling.set(true);
        spawn_local(async move {
            let offered = match contact.province.is_empty() {
                true => Ok((Vec::new(), Vec::new())),
                false => api::order::divisions(contact.province.clone(), contact.city.clone()).await,
            };
            if asked.try_get_value() != Some(mine) {
                return;
            }
            filling.set(false);
            let (Ok((cities, districts)), Some(mut form)) = (offered.clone(), read(place, keeper.divisions)) else {
                error.set(offered.err());
                // The choice goes back to what the form says.
                selected.update(|_| ());
                return attempts.update(|n| *n += 1);
            };
            form.take_contact(&contact);
            // Before the fields that choose among them.
            keeper.divisions.update(|divisions| (divisions.cities, divisions.districts) = (cities, districts));
            keeper.loading.set(false);
            notice(&form);
            keeper.keep(form.clone());
            filled.update(|filled| *filled = (mine, form));
        });
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Some(form) = read(place, keeper.divisions) else { return };
        // What is chosen and not there yet is not what would be sent.
        if keeper.sending.get_untracked() || filling.get_untracked() {
            return;
        }
        let wrong = check(&form);
        error.set(wrong.clone());
        attempts.update(|n| *n += 1);
        match wrong {
            Some(_) => keeper.keep(form),
            None => keeper.send(form),
        }
    };
    Effect::new(move |_| {
        if let Some(failed) = keeper.failed.get() {
            error.set(Some(failed));
            attempts.update(|n| *n += 1);
        }
    });
    // What was typed or restored before the page came alive counts as if it were typed now.
    let served = as_shown(&form);
    Effect::new(move |_| {
        if place.get().is_some()
            && let Some(form) = read(place, keeper.divisions)
        {
            notice(&form);
            if as_shown(&form) != served {
                keeper.typed(form);
            }
        }
    });

    let totals = Memo::new(move |_| cart.with(Cart::totals));
    let lines = Memo::new(move |_| cart.with(|cart| (cart.lines.clone(), cart.bookings.clone())));
    let method = Method::from_name(&form.payment_method).or(form.payment_method.is_empty().then(Method::default));
    let busy = move || (keeper.sending.get() || filling.get()).then_some("true");
    let lost =
        move || keeper.lost.get().then(|| view! { <p class="muted small" role="status">{l.t(t::SAVING_FAILED)}</p> });
    let contents = move || {
        let (lines, bookings) = lines.get();
        if lines.is_empty() && bookings.is_empty() {
            view! { <p class="muted">{l.t(t::EMPTY_TITLE)}</p> }.into_any()
        } else {
            view! { <ReadLines lines bookings currency/> }.into_any()
        }
    };
    view! {
        <Main class="page container">
            <h1 class="visually-hidden">{l.t(t::TITLE)}</h1>
            <Steps present=0/>
            {(!payable).then(|| view! { <ErrorNotice error=Error::NoPayment/> })}
            <ErrorSummary error fields=field_labels(l) attempts=Signal::from(attempts)/>
            <form
                class="with-aside"
                class:section-sm=move || !payable || error.with(Option::is_some)
                id="checkout"
                action=SaveCheckout::url()
                method="post"
                novalidate
                node_ref=place
                on:input=typed
                on:change=typed
                on:submit=submit
            >
                // The first button is the one that Enter presses.
                <button class="visually-hidden" type="submit" tabindex="-1" aria-hidden="true">{l.t(t::NEXT)}</button>
                <BuyNowFields buy_now/>
                <div class="stack">
                    <section class="panel" aria-labelledby="to-title">
                        <div class="panel-head"><h2 class="panel-title" id="to-title">{l.t(t::CONTACT)}</h2></div>
                        <div class="form">
                            {to_somewhere.then(|| view! { <AddressChoices addresses=addresses.get_value() selected choose/> })}
                            {(!to_somewhere).then(|| view! { <p class="muted small">{l.t(booking_visit::NO_ADDRESS)}</p> })}
                            // Each time they are filled the fields are new ones: a field that was typed into, or holds several
                            // lines, would not show another text that it is given.
                            <For each=move || [filled.get()] key=|(times, _)| *times let:filled>
                                <ContactFields prefix="form" form=filled.1 divisions=keeper.divisions loading=keeper.loading error on_region=chosen address=to_somewhere/>
                            </For>
                            {(signed_in && to_somewhere).then(|| view! { <SaveAddress ticked={!form.save_address.is_empty()} error/> })}
                        </div>
                    </section>
                    <section class="panel" aria-labelledby="time-title">
                        <div class="panel-head"><h2 class="panel-title" id="time-title">{l.t(if to_somewhere { t::DELIVERY } else { t::NOTE })}</h2></div>
                        <div class="form"><DeliveryFields prefix="form" form error delivered=to_somewhere/></div>
                    </section>
                    <section class="panel" aria-labelledby="pay-title">
                        <div class="panel-head"><h2 class="panel-title" id="pay-title">{l.t(payment::METHOD)}</h2></div>
                        <MethodCards name="form[payment_method]" selected=method columns=true error=problem_of(error.into(), "payment_method")/>
                    </section>
                    {lost}
                </div>
                <aside class="panel aside-sticky stack" aria-labelledby="sum-title">
                    <div class="spread">
                        <h2 class="panel-title" id="sum-title">{l.t(t::ORDER_CONTENTS)}</h2>
                        {back.map(|(href, text)| view! { <a class="link link-quiet" href=href>{l.t(text)}</a> })}
                    </div>
                    {contents}
                    <Summary totals currency/>
                    <Estimate days=Signal::derive(move || cart.with(Cart::delivery_days))/>
                    <button class="btn btn-primary btn-lg btn-block only-desktop" type="submit" aria-busy=busy>{l.t(t::NEXT)}</button>
                </aside>
            </form>
            <div class="actionbar actionbar-solo">
                <ActionbarTotal total=Signal::derive(move || totals.with(|totals| totals.total)) currency/>
                <button class="btn btn-primary" type="submit" form="checkout" aria-busy=busy>{l.t(t::NEXT_SHORT)}</button>
            </div>
        </Main>
    }
    .into_any()
}

/// A form with what its fields choose by themselves where nothing was chosen, and one kind of line ends.
fn as_shown(form: &CheckoutForm) -> CheckoutForm {
    let or = |value: &str, default: &str| if value.is_empty() { default.to_owned() } else { value.to_owned() };
    let lines = |text: &str| text.replace("\r\n", "\n");
    CheckoutForm {
        country_code: or(&form.country_code, CALLING_CODES[0]),
        delivery_wish: DeliveryWish::from_name(&form.delivery_wish).unwrap_or_default().name().to_owned(),
        payment_method: or(&form.payment_method, Method::default().name()),
        detail: lines(&form.detail),
        note: lines(&form.note),
        ..form.clone()
    }
}

/// What the form holds now. A city or district that is no longer offered is about to leave its select.
fn read(place: NodeRef<html::Form>, offered: RwSignal<Divisions>) -> Option<CheckoutForm> {
    let element = place.get_untracked()?;
    let data = leptos::web_sys::FormData::new_with_form(&element).ok()?;
    let mut form = SaveCheckout::from_form_data(&data).ok()?.form;
    offered.with_untracked(|offered| {
        let has = |list: &[(String, String)], code: &str| list.iter().any(|(offered, _)| offered == code);
        if !has(&offered.cities, &form.city) {
            form.city.clear();
        }
        if !has(&offered.districts, &form.district) {
            form.district.clear();
        }
    });
    Some(form)
}
