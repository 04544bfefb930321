//! How many of each line, down to none.

use crate::{
    domain::{
        cart::MAX_QUANTITY,
        catalog::Width,
        money::Currency,
        order::{OrderLine, QuantityChange},
        texts::{common, order as t},
    },
    ui::{
        components::{icon::Icon, picture::Picture, price::Price},
        use_locale,
    },
};
use leptos::{ev, html, prelude::*};

/// What is chosen for each line, by variant.
#[derive(Clone, Copy)]
pub struct Quantities(StoredValue<Vec<(String, RwSignal<i64>)>>);

impl Quantities {
    /// Those of the lines, or as typed.
    pub fn new(lines: &[OrderLine], typed: &[QuantityChange]) -> Self {
        let chosen = |line: &OrderLine| {
            let typed = typed.iter().find(|typed| typed.variant_id == line.variant_id);
            let quantity = typed.map_or(line.quantity, |typed| typed.quantity.clamp(0, MAX_QUANTITY));
            (line.variant_id.clone(), RwSignal::new(quantity))
        };
        Self(StoredValue::new(lines.iter().map(chosen).collect()))
    }

    fn signal(self, variant_id: &str) -> Option<RwSignal<i64>> {
        self.0.with_value(|all| all.iter().find(|(id, _)| id == variant_id).map(|(_, quantity)| *quantity))
    }

    /// What is chosen for a variant.
    pub fn of(self, variant_id: &str) -> i64 {
        self.signal(variant_id).map_or(0, |quantity| quantity.get())
    }

    pub fn set(self, variant_id: &str, quantity: i64) {
        if let Some(signal) = self.signal(variant_id) {
            signal.set(quantity);
        }
    }

    /// Whether anything is left.
    pub fn any(self) -> bool {
        self.0.with_value(|all| all.iter().any(|(_, quantity)| quantity.get_untracked() > 0))
    }
}

/// A line with its quantity. Without script the number is typed.
#[component]
pub fn Line(i: usize, line: OrderLine, quantities: Quantities, currency: Currency) -> impl IntoView {
    let l = use_locale();
    let OrderLine { variant_id, title, label, image, unit_price, quantity: before, .. } = line;
    let quantity = quantities.signal(&variant_id).unwrap_or_else(|| RwSignal::new(before));
    let gone = Memo::new(move |_| quantity.get() == 0);
    let name = move |field| format!("change[quantities][{i}][{field}]");
    let text = l.f(t::QUANTITY_OF, &[("title", &title)]);
    let class = move || if gone.get() { "line line-compact is-unavailable" } else { "line line-compact" };
    let price = move || {
        if gone.get() {
            view! { <span class="muted small">{l.t(t::REMOVED)}</span> }.into_any()
        } else {
            view! { <Price amount=unit_price * quantity.get() currency/> }.into_any()
        }
    };
    let each = l.f(t::EACH, &[("price", &unit_price.display(currency))]);
    // The button needs the script: without it 0 is typed.
    let ready = RwSignal::new(false);
    Effect::new(move |_| ready.set(true));
    let toggle = move |_| quantity.set(if gone.get_untracked() { before.max(1) } else { 0 });
    let toggle_text = move || l.t(if gone.get() { t::PUT_BACK } else { t::REMOVE });
    let hidden = format!(" {title}");
    view! {
        <li class=class>
            <span class="line-media"><Picture image thumb=Width::Thumb size=144/></span>
            <div class="line-body">
                <p class="line-name">{title}</p>
                {(!label.is_empty()).then(|| view! { <p class="line-variant">{label}</p> })}
                <p class="muted small">{each}</p>
            </div>
            <p class="line-price">{price}</p>
            <div class="line-tools">
                <input type="hidden" name=name("variant_id") value=variant_id/>
                <QuantityField name=name("quantity") label=text quantity/>
                <button class="link link-quiet" type="button" hidden=move || !ready.get() on:click=toggle>
                    {toggle_text}
                    <span class="visually-hidden">{hidden}</span>
                </button>
            </div>
        </li>
    }
    .into_any()
}

/// A number from zero up, with a button on either side.
#[component]
fn QuantityField(name: String, label: String, quantity: RwSignal<i64>) -> impl IntoView {
    let l = use_locale();
    let step = move |by: i64| move |_: ev::MouseEvent| quantity.update(|n| *n = (*n + by).clamp(0, MAX_QUANTITY));
    // While typing only what is right counts; an empty field is on its way to become something.
    let typed = move |event| {
        if let Ok(wanted) = event_target_value(&event).trim().parse()
            && (0..=MAX_QUANTITY).contains(&wanted)
        {
            quantity.set(wanted);
        }
    };
    let left = move |event: ev::Event| {
        let wanted = event_target_value(&event).trim().parse().unwrap_or_else(|_| quantity.get_untracked());
        let wanted = wanted.clamp(0, MAX_QUANTITY);
        event_target::<leptos::web_sys::HtmlInputElement>(&event).set_value(&wanted.to_string());
        quantity.set(wanted);
    };
    let field = NodeRef::<html::Input>::new();
    Effect::new(move |alive: Option<bool>| {
        let shown = quantity.get();
        let Some(field) = field.get() else { return false };
        if alive == Some(true) {
            if field.value().trim().parse() != Ok(shown) {
                field.set_value(&shown.to_string());
            }
        } else if let Ok(typed) = field.value().trim().parse()
            && (0..=MAX_QUANTITY).contains(&typed)
        {
            // What was typed before the page came alive counts.
            quantity.set(typed);
        }
        true
    });
    view! {
        <div class="stepper" role="group" aria-label=label.clone()>
            <button class="stepper-btn" type="button" aria-label=l.t(common::ONE_LESS) disabled=move || { quantity.get() <= 0 } on:click=step(-1)>
                <Icon name="minus" class="icon-sm"/>
            </button>
            <input
                class="stepper-input"
                type="number"
                inputmode="numeric"
                name=name
                min="0"
                max=MAX_QUANTITY
                value=quantity.get_untracked()
                node_ref=field
                aria-label=label.clone()
                on:input=typed
                on:change=left
            />
            <button class="stepper-btn" type="button" aria-label=l.t(common::ONE_MORE) disabled=move || { quantity.get() >= MAX_QUANTITY } on:click=step(1)>
                <Icon name="plus" class="icon-sm"/>
            </button>
        </div>
    }
    .into_any()
}
