//! Copying a number.

use super::{icon::Icon, shell::use_toasts};
use crate::{domain::texts::common as t, ui::use_locale};
use leptos::prelude::*;

/// A button that copies `text`. It appears with the script that it needs, and not where a browser cannot copy.
#[component]
pub fn CopyButton(
    #[prop(into)] text: String,
    /// What is copied, for readers.
    label: &'static str,
) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let possible = RwSignal::new(false);
    Effect::new(move |_| possible.set(can_copy()));
    let copied = move |_| copy(&text, move || toasts.show(l.t(t::COPIED)));
    view! {
        <button class="btn btn-icon btn-quiet btn-sm" type="button" aria-label=label hidden=move || !possible.get() on:click=copied>
            <Icon name="copy" class="icon-sm"/>
        </button>
    }
    .into_any()
}

/// The browser's clipboard, which exists on secure pages only.
#[cfg(feature = "hydrate")]
fn clipboard() -> Option<js_sys::Object> {
    use wasm_bindgen::JsCast;
    js_sys::Reflect::get(&window().navigator(), &"clipboard".into()).ok()?.dyn_into().ok()
}

#[cfg(feature = "hydrate")]
fn can_copy() -> bool {
    clipboard().is_some()
}

/// Copies, and tells when the browser has done it.
#[cfg(feature = "hydrate")]
fn copy(text: &str, done: impl FnOnce() + 'static) {
    use wasm_bindgen::{JsCast, JsValue, closure::Closure};
    let method =
        |of: &JsValue, name: &str| js_sys::Reflect::get(of, &name.into()).ok()?.dyn_into::<js_sys::Function>().ok();
    let Some(clipboard) = clipboard() else { return };
    let Some(promise) = method(&clipboard, "writeText").and_then(|write| write.call1(&clipboard, &text.into()).ok())
    else {
        return;
    };
    if let Some(then) = method(&promise, "then") {
        let _ = then.call2(
            &promise,
            &Closure::once_into_js(move |_: JsValue| done()),
            &Closure::once_into_js(|_: JsValue| ()),
        );
    }
}

#[cfg(not(feature = "hydrate"))]
fn can_copy() -> bool {
    false
}

#[cfg(not(feature = "hydrate"))]
fn copy(_text: &str, _done: impl FnOnce() + 'static) {}
