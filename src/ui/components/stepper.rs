//! Choosing how many.

use super::icon::Icon;
use crate::{
    domain::{cart::MAX_QUANTITY, texts::common as t},
    ui::use_locale,
};
use leptos::{ev, html, prelude::*};

/// A number with a button on either side.
///
/// What is chosen is written to `value` and told to `on_change`; a number outside `1..=max` that is typed is corrected
/// when the field is left. A `max` below the value only stops it from growing, so that a shortage stays visible.
///
/// The input is sent as `name`, so a form around it works without script. There the two buttons do nothing, unless
/// `forms` names two forms elsewhere on the page, which send one less and one more.
#[component]
pub fn Stepper(
    value: RwSignal<i64>,
    #[prop(into)] max: Signal<i64>,
    /// What is counted, for readers: "Quantity: Wool scarf".
    #[prop(into)]
    label: Signal<String>,
    #[prop(default = "quantity")] name: &'static str,
    #[prop(optional, into)] on_change: Option<Callback<i64>>,
    /// The ids of the forms that send one less and one more.
    #[prop(optional)]
    forms: Option<(String, String)>,
    #[prop(optional, into)] disabled: Signal<bool>,
) -> impl IntoView {
    let l = use_locale();
    let limit = move || max.get().clamp(1, MAX_QUANTITY);
    let choose = move |wanted: i64| {
        if wanted != value.get_untracked() {
            value.set(wanted);
            if let Some(changed) = on_change {
                changed.run(wanted);
            }
        }
    };
    let step = move |by: i64| {
        move |event: ev::MouseEvent| {
            event.prevent_default();
            choose((value.get_untracked() + by).clamp(1, MAX_QUANTITY));
        }
    };
    // While typing only what is right counts; an empty field is on its way to become something.
    let typed = move |event| {
        if let Ok(wanted) = event_target_value(&event).trim().parse()
            && (1..=max.get_untracked().clamp(1, MAX_QUANTITY)).contains(&wanted)
        {
            choose(wanted);
        }
    };
    let left = move |event: ev::Event| {
        let wanted = event_target_value(&event).trim().parse().unwrap_or_else(|_| value.get_untracked());
        let wanted = wanted.clamp(1, max.get_untracked().clamp(1, MAX_QUANTITY));
        event_target::<leptos::web_sys::HtmlInputElement>(&event).set_value(&wanted.to_string());
        choose(wanted);
    };
    let field = NodeRef::<html::Input>::new();
    Effect::new(move |alive: Option<bool>| {
        let shown = value.get();
        let Some(field) = field.get() else { return false };
        if alive == Some(true) {
            if field.value() != shown.to_string() {
                field.set_value(&shown.to_string());
            }
        } else if let Ok(typed) = field.value().trim().parse()
            && (1..=max.get_untracked().clamp(1, MAX_QUANTITY)).contains(&typed)
        {
            // What was typed before the page came alive counts.
            choose(typed);
        }
        true
    });
    let kind = if forms.is_some() { "submit" } else { "button" };
    let (less, more) = forms.unzip();
    view! {
        <div class="stepper" role="group" aria-label=move || label.get()>
            <button
                class="stepper-btn"
                type=kind
                form=less
                aria-label=l.t(t::ONE_LESS)
                disabled=move || { disabled.get() || value.get() <= 1 }
                on:click=step(-1)
            >
                <Icon name="minus" class="icon-sm"/>
            </button>
            <input
                class="stepper-input"
                type="number"
                inputmode="numeric"
                name=name
                min="1"
                max=limit
                required
                value=value.get_untracked()
                node_ref=field
                aria-label=move || label.get()
                disabled=move || disabled.get()
                on:input=typed
                on:change=left
            />
            <button
                class="stepper-btn"
                type=kind
                form=more
                aria-label=l.t(t::ONE_MORE)
                disabled=move || { disabled.get() || value.get() >= limit() }
                on:click=step(1)
            >
                <Icon name="plus" class="icon-sm"/>
            </button>
        </div>
    }
    .into_any()
}
