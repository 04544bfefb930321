//! The form.

use super::{
    answers::{ANSWER_ID, Answer, is_answered},
    quantities::{Line, Quantities},
};
use crate::{
    api::{self, order::Change},
    domain::{
        Error,
        address::CheckoutForm,
        order::{Order, OrderLine, QuantityChange, totals},
        payment::Method,
        texts::{checkout, order as t, payment},
    },
    ui::{
        components::{
            address::{ContactFields, DeliveryFields, Divisions, field_labels},
            field::{ErrorSummary, focus, problem_of},
            method::MethodCards,
            shell::use_toasts,
            summary::{ActionbarTotal, OrderLineRow, Summary},
        },
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, html, prelude::*, server_fn::ServerFn, task::spawn_local};

/// What the page knows of the form.
#[derive(Clone, Copy)]
pub struct Editing {
    pub order: StoredValue<Order>,
    pub quantities: Quantities,
    pub error: RwSignal<Option<Error>>,
    /// The order was changed elsewhere since the form was filled.
    pub changed: Memo<bool>,
}

/// What the selects of the address offer.
#[derive(Clone, Copy)]
struct Offer {
    divisions: RwSignal<Divisions>,
    loading: RwSignal<bool>,
    failed: RwSignal<bool>,
    /// Counts the choices, so that only the answer to the last one is taken.
    asked: StoredValue<u32>,
}

impl Offer {
    fn load(self, (province, city): (String, String)) {
        self.asked.update_value(|asked| *asked = asked.wrapping_add(1));
        let mine = self.asked.get_value();
        self.divisions.update(|divisions| {
            divisions.districts.clear();
            if !divisions.cities.iter().any(|(code, _)| *code == city) {
                divisions.cities.clear();
            }
        });
        self.loading.set(!province.is_empty());
        if province.is_empty() {
            return;
        }
        spawn_local(async move {
            let offered = api::order::divisions(province, city).await;
            if self.asked.try_get_value() != Some(mine) {
                return;
            }
            self.loading.set(false);
            self.failed.set(offered.is_err());
            if let Ok((cities, districts)) = offered {
                self.divisions.update(|divisions| (divisions.cities, divisions.districts) = (cities, districts));
            }
        });
    }

    fn has_district(self, code: &str) -> bool {
        self.divisions.with_untracked(|divisions| divisions.districts.iter().any(|(district, _)| district == code))
    }
}

#[component]
pub fn Form(
    order: Order,
    /// What the fields hold at first.
    form: CheckoutForm,
    quantities: Vec<QuantityChange>,
    offered: Divisions,
    version: Memo<i64>,
    changed: Memo<bool>,
    open: Memo<bool>,
    posted: Option<Error>,
) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let (number, currency, before) = (order.number.clone(), order.currency, order.totals.total);
    let href = format!("/orders/{number}");
    let offer = Offer {
        divisions: RwSignal::new(offered),
        loading: RwSignal::new(false),
        failed: RwSignal::new(false),
        asked: StoredValue::new(0),
    };
    // A booking is changed by itself; here it is only to be seen. An order of such alone may go nowhere.
    let (bookings, lines): (Vec<_>, Vec<_>) = order.lines.iter().cloned().partition(|line| line.booking.is_some());
    let (booked, sent) = (!bookings.is_empty(), !order.contact.region.is_empty());
    let quantities = Quantities::new(&lines, &quantities);
    let order = StoredValue::new(order);
    let editing = Editing { order, quantities, error: RwSignal::new(posted), changed };
    let (error, attempts, busy) = (editing.error, RwSignal::new(0usize), RwSignal::new(false));
    let place = NodeRef::<html::Form>::new();

    // The new total, by the rules the server will use.
    let region =
        RwSignal::new(region_of(&form).unwrap_or_else(|| order.with_value(|order| order.contact.region.clone())));
    let sums = Memo::new(move |_| {
        order.with_value(|order| {
            let wanted = |line: &OrderLine| match line.booking {
                Some(_) => line.clone(),
                None => OrderLine { quantity: quantities.of(&line.variant_id), ..line.clone() },
            };
            let lines: Vec<_> = order.lines.iter().map(wanted).filter(|line| line.quantity > 0).collect();
            totals(&lines, &order.shipping_rules, &region.get())
        })
    });

    let check = move |form: &CheckoutForm| match sent {
        true => form.check(|code| offer.has_district(code)).err(),
        false => form.check_without_address().err(),
    };
    let typed = move |_: ev::Event| {
        let Some(Change { change, .. }) = read(place) else { return };
        let Some(form) = change.form else { return };
        if let Some(code) = region_of(&form) {
            region.set(code);
        }
        // A field that is right now is no longer told wrong; new problems wait for the next attempt.
        if let Some(Error::Invalid(mut wrong)) = error.get_untracked() {
            let now = check(&form);
            let count = wrong.len();
            wrong.retain(|field, _| now.as_ref().is_some_and(|now| now.problem(field).is_some()));
            if wrong.len() < count {
                error.set((!wrong.is_empty()).then_some(Error::Invalid(wrong)));
            }
        }
    };
    let refused = move |why: Error| {
        let answered = is_answered(&why);
        error.set(Some(why));
        attempts.update(|n| *n += 1);
        if answered {
            request_animation_frame(|| {
                focus(ANSWER_ID);
            });
        }
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let Some(Change { number, change, .. }) = read(place) else { return };
        if !quantities.any() && !booked {
            return refused(Error::CartEmpty);
        }
        if let Some(wrong) = change.form.as_ref().and_then(check) {
            return refused(wrong);
        }
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            // On success the server names the page to go to.
            let done = api::order::change(number, change, None).await;
            if done.is_ok() {
                toasts.show(l.t(t::SAVED));
            }
            if busy.try_set(false).is_none()
                && let Err(why) = done
            {
                refused(why);
            }
        });
    };

    let method = Method::from_name(&form.payment_method);
    let total = Signal::derive(move || sums.with(|sums| sums.total));
    let was = move || {
        (total.get() != before)
            .then(|| view! { <p class="muted small">{l.f(t::WAS_TOTAL, &[("amount", &before.display(currency))])}</p> })
    };
    let spoken =
        move || (total.get() != before).then(|| format!("{} {}", l.t(t::NEW_TOTAL), total.get().display(currency)));
    let aria_busy = move || busy.get().then_some("true");
    let label = move || l.t(if busy.get() { t::SAVING } else { t::SAVE });
    let summary = Signal::derive(move || error.get().filter(|error| !is_answered(error)));
    // Room below what is said above the form.
    let class = move || if error.with(Option::is_some) || changed.get() { "stack section-sm" } else { "stack" };
    let booking = |line: OrderLine| view! { <OrderLineRow line currency/> };
    let line = |(i, line): (usize, OrderLine)| view! { <Line i line quantities currency/> };
    view! {
        <ErrorSummary error=summary fields=field_labels(l) attempts=Signal::from(attempts)/>
        <Answer editing/>
        <form
            class=class
            id="edit"
            action=Change::url()
            method="post"
            novalidate
            hidden=move || !open.get()
            node_ref=place
            on:input=typed
            on:change=typed
            on:submit=submit
        >
            // The first button is the one that Enter presses.
            <button class="visually-hidden" type="submit" tabindex="-1" aria-hidden="true">{l.t(t::SAVE)}</button>
            <input type="hidden" name="number" value=number/>
            <input type="hidden" name="change[version]" value=move || version.get()/>
            <section class="panel" aria-labelledby="q-title">
                <div class="panel-head"><h2 class="panel-title" id="q-title">{l.t(t::QUANTITIES)}</h2></div>
                <ul class="lines">
                    {lines.into_iter().enumerate().map(line).collect_view()}
                    {bookings.into_iter().map(booking).collect_view()}
                </ul>
                <p class="field-hint only-no-script">{l.t(t::ZERO_HINT)}</p>
            </section>
            <section class="panel" aria-labelledby="to-title">
                <div class="panel-head"><h2 class="panel-title" id="to-title">{l.t(checkout::CONTACT)}</h2></div>
                <div class="form">
                    <ContactFields
                        prefix="change[form]" form=form.clone() divisions=offer.divisions loading=offer.loading error
                        on_region=Callback::new(move |chosen| offer.load(chosen)) address=sent
                    />
                </div>
                <div role="status">
                    {move || offer.failed.get().then(|| view! { <p class="muted small">{l.t(checkout::DIVISIONS_FAILED)}</p> })}
                </div>
            </section>
            <section class="panel" aria-labelledby="wish-title">
                <div class="panel-head"><h2 class="panel-title" id="wish-title">{l.t(checkout::DELIVERY)}</h2></div>
                <div class="form"><DeliveryFields prefix="change[form]" form error delivered=sent/></div>
            </section>
            <section class="panel" aria-labelledby="pay-title">
                <div class="panel-head"><h2 class="panel-title" id="pay-title">{l.t(payment::METHOD)}</h2></div>
                <MethodCards name="change[form][payment_method]" selected=method columns=true error=problem_of(error.into(), "payment_method")/>
            </section>
            <section class="panel" aria-labelledby="sum-title">
                <div class="panel-head"><h2 class="panel-title" id="sum-title">{l.t(t::NEW_TOTAL)}</h2></div>
                <Summary totals=sums currency/>
                {was}
                <p class="visually-hidden" role="status">{spoken}</p>
            </section>
            <div class="form-actions only-desktop">
                <button class="btn btn-primary btn-lg" type="submit" aria-busy=aria_busy>{label}</button>
                <a class="btn btn-quiet btn-lg" href=href.clone()>{l.t(t::DISCARD)}</a>
            </div>
            <p class="center only-phone"><a class="link link-quiet" href=href>{l.t(t::DISCARD)}</a></p>
        </form>
        <div class="actionbar actionbar-solo" hidden=move || !open.get()>
            <ActionbarTotal total currency label=l.t(t::NEW_TOTAL)/>
            <button class="btn btn-primary" type="submit" form="edit" aria-busy=aria_busy>{label}</button>
        </div>
    }
    .into_any()
}

/// What the form holds now.
fn read(place: NodeRef<html::Form>) -> Option<Change> {
    let element = place.get_untracked()?;
    let data = leptos::web_sys::FormData::new_with_form(&element).ok()?;
    Change::from_form_data(&data).ok()
}

/// The most exact region that is chosen.
fn region_of(form: &CheckoutForm) -> Option<String> {
    [&form.district, &form.city, &form.province].into_iter().find(|code| !code.is_empty()).cloned()
}
