//! A last word to the server when a page goes away: the browser sends it even after the page is gone.

use serde::Serialize;

/// Posts the fields of a form as `prefix[field]`, with `step` beside them; false when the browser does not take it.
#[cfg(not(feature = "hydrate"))]
pub fn post(_path: &str, _prefix: &str, _form: &impl Serialize, _step: &str) -> bool {
    false
}

/// Posts the fields of a form as `prefix[field]`, with `step` beside them; false when the browser does not take it.
#[cfg(feature = "hydrate")]
pub fn post(path: &str, prefix: &str, form: &impl Serialize, step: &str) -> bool {
    let send = || {
        let fields = web_sys::UrlSearchParams::new().ok()?;
        for (name, value) in serde_json::to_value(form).ok()?.as_object()? {
            fields.append(&format!("{prefix}[{name}]"), value.as_str().unwrap_or_default());
        }
        fields.append("step", step);
        let navigator = leptos::prelude::window().navigator();
        navigator.send_beacon_with_opt_url_search_params(path, Some(&fields)).ok()
    };
    send().unwrap_or(false)
}
