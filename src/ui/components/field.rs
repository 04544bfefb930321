//! Form fields: label, control, hint and error, tied together for those who see and those who listen.
//!
//! Controls are not bound to signals: what was typed before the page came alive, or restored by the browser, stays. A
//! page that wants to know reads the whole form when it tells of an input.

use crate::{
    domain::{
        Error,
        texts::{checkout as t, common},
    },
    ui::{
        error::{ErrorNotice, problem_text},
        use_locale,
    },
};
use leptos::{ev::MouseEvent, html, prelude::*};

/// What is wrong with a field, in words.
pub fn problem_of(error: Signal<Option<Error>>, field: &'static str) -> Signal<Option<String>> {
    let l = use_locale();
    Signal::derive(move || error.with(|error| error.as_ref()?.problem(field).map(|problem| problem_text(l, problem))))
}

/// `aria-invalid` of a control.
pub fn invalid(error: Signal<Option<String>>) -> impl Fn() -> Option<&'static str> + Copy + Send + Sync + 'static {
    move || error.with(Option::is_some).then_some("true")
}

/// `aria-describedby` of a control: its hint, and its error while there is one.
pub fn described_by(
    id: &'static str,
    hint: bool,
    error: Signal<Option<String>>,
) -> impl Fn() -> Option<String> + Copy + Send + Sync + 'static {
    move || match (hint, error.with(Option::is_some)) {
        (true, true) => Some(format!("{id}-hint {id}-error")),
        (true, false) => Some(format!("{id}-hint")),
        (false, true) => Some(format!("{id}-error")),
        (false, false) => None,
    }
}

/// Label, hint and error around a control, which has the same `id` and carries [`invalid`] and [`described_by`].
#[component]
pub fn Field(
    id: &'static str,
    #[prop(into)] label: String,
    #[prop(optional)] optional: bool,
    /// Shown below the control.
    #[prop(optional, into)]
    hint: Option<Signal<String>>,
    #[prop(into)] error: Signal<Option<String>>,
    children: Children,
) -> impl IntoView {
    let l = use_locale();
    view! {
        <div class="field">
            <label class="field-label" for=id>
                {label}
                {optional.then(|| view! { " "<span class="field-optional">{l.t(common::OPTIONAL)}</span> })}
            </label>
            {children()}
            {hint.map(|hint| view! { <p class="field-hint" id=format!("{id}-hint")>{hint}</p> })}
            <FieldError id error/>
        </div>
    }
    .into_any()
}

/// What is wrong with a field, as the line below it.
#[component]
pub fn FieldError(id: &'static str, #[prop(into)] error: Signal<Option<String>>) -> impl IntoView {
    move || {
        error.get().map(|text| {
            view! {
                <p class="field-error" id=format!("{id}-error")>
                    <svg class="icon icon-sm" aria-hidden="true"><use href="/icons.svg#error"></use></svg>
                    <span>{text}</span>
                </p>
            }
        })
    }
}

/// A line of text with its label.
#[component]
pub fn TextField(
    id: &'static str,
    /// The name in the form.
    #[prop(into)]
    name: String,
    #[prop(into)] label: String,
    /// What it holds at first.
    #[prop(optional, into)]
    value: String,
    #[prop(into)] error: Signal<Option<String>>,
    /// `text` unless told otherwise.
    #[prop(default = "text")]
    kind: &'static str,
    #[prop(optional)] inputmode: &'static str,
    #[prop(optional)] autocomplete: &'static str,
    #[prop(optional)] optional: bool,
    /// Needed only where another field is empty, which its hint or that field tells.
    #[prop(optional)]
    one_of_two: bool,
    #[prop(optional, into)] hint: Option<Signal<String>>,
) -> impl IntoView {
    let described = described_by(id, hint.is_some(), error);
    let text = |s: &'static str| (!s.is_empty()).then_some(s);
    let input = view! {
        <input
            class="input"
            id=id
            name=name
            type=kind
            value=value
            inputmode=text(inputmode)
            autocomplete=text(autocomplete)
            aria-required=(!optional && !one_of_two).then_some("true")
            aria-invalid=invalid(error)
            aria-describedby=described
        />
    };
    match hint {
        Some(hint) => view! { <Field id label optional hint error>{input}</Field> }.into_any(),
        None => view! { <Field id label optional error>{input}</Field> }.into_any(),
    }
}

/// Several lines of text with their label.
#[component]
pub fn TextAreaField(
    id: &'static str,
    /// The name in the form.
    #[prop(into)]
    name: String,
    #[prop(into)] label: String,
    /// What it holds at first.
    #[prop(optional, into)]
    value: String,
    #[prop(into)] error: Signal<Option<String>>,
    #[prop(optional)] autocomplete: &'static str,
    #[prop(optional)] optional: bool,
    #[prop(optional, into)] hint: Option<Signal<String>>,
) -> impl IntoView {
    let described = described_by(id, hint.is_some(), error);
    let area = view! {
        <textarea
            class="textarea"
            id=id
            name=name
            rows="2"
            autocomplete=(!autocomplete.is_empty()).then_some(autocomplete)
            aria-required=(!optional).then_some("true")
            aria-invalid=invalid(error)
            aria-describedby=described
        >
            {value}
        </textarea>
    };
    match hint {
        Some(hint) => view! { <Field id label optional hint error>{area}</Field> }.into_any(),
        None => view! { <Field id label optional error>{area}</Field> }.into_any(),
    }
}

/// What is wrong with a form, above it, with a link to each field. Takes the focus when an error appears.
///
/// `fields` are the names, ids and labels of the fields; an error that is not about fields is shown as it is.
#[component]
pub fn ErrorSummary(
    #[prop(into)] error: Signal<Option<Error>>,
    fields: Vec<(&'static str, &'static str, &'static str)>,
    /// Grows with each attempt to send the form: where it is told, the focus comes here then and not at other changes.
    #[prop(optional, into)]
    attempts: Option<Signal<usize>>,
) -> impl IntoView {
    let fields = StoredValue::new(fields);
    let place = NodeRef::<html::Div>::new();
    Effect::new(move |before: Option<()>| {
        let wrong = match attempts {
            Some(attempts) => attempts.get() > 0 && error.with_untracked(Option::is_some),
            None => error.with(Option::is_some),
        };
        if wrong && before.is_some() {
            // After the fields have shown their errors, so that nothing moves under the focus.
            request_animation_frame(move || {
                if let Some(place) = place.try_get_untracked().flatten() {
                    let _ = place.focus();
                }
            });
        }
    });
    view! {
        <div node_ref=place tabindex="-1">
            {move || error.get().map(|error| fields.with_value(|fields| summary(error, fields)))}
        </div>
    }
    .into_any()
}

fn summary(error: Error, fields: &[(&'static str, &'static str, &'static str)]) -> AnyView {
    let Error::Invalid(problems) = &error else { return view! { <ErrorNotice error/> }.into_any() };
    let l = use_locale();
    let count = i64::try_from(problems.len()).unwrap_or(i64::MAX);
    let wrong: Vec<_> = fields
        .iter()
        .filter_map(|(name, id, label)| Some((*id, *label, problem_text(l, *problems.get(*name)?))))
        .collect();
    if wrong.is_empty() {
        return view! { <ErrorNotice error/> }.into_any();
    }
    let line = move |(id, label, text): (&'static str, &'static str, String)| {
        let go = move |event: MouseEvent| {
            if focus(id) {
                event.prevent_default();
            }
        };
        let text = l.f(t::FIELD_PROBLEM, &[("field", &label), ("problem", &text)]);
        view! { <li><a href=format!("#{id}") rel="external" on:click=go>{text}</a></li> }
    };
    view! {
        <div class="notice notice-danger" role="alert">
            <svg class="icon" aria-hidden="true"><use href="/icons.svg#error"></use></svg>
            <div class="notice-body">
                <p class="notice-title">{l.n(t::PROBLEMS_ONE, t::PROBLEMS, count)}</p>
                <ul>{wrong.into_iter().map(line).collect_view()}</ul>
            </div>
        </div>
    }
    .into_any()
}

/// Moves the focus to an element, and tells whether there is one.
#[cfg(feature = "hydrate")]
pub fn focus(id: &str) -> bool {
    use wasm_bindgen::JsCast;
    let element = document().get_element_by_id(id).and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
    element.is_some_and(|element| element.focus().is_ok())
}

/// Moves the focus to an element, and tells whether there is one.
#[cfg(not(feature = "hydrate"))]
pub fn focus(_id: &str) -> bool {
    false
}
