//! What customers and staff see of a second factor alike: what their app is told, where its code is typed, and the
//! recovery codes.

use super::{
    copy::CopyButton,
    field::{Field, described_by, invalid},
    qr::QrCode,
    travel::focus_quietly,
    typed::taking_over,
};
use crate::{
    domain::{
        second_factor::{SetUp, grouped},
        texts::second as t,
    },
    ui::use_locale,
};
use leptos::{html, prelude::*};

/// What an app is told: as a picture, as a key to be typed, and as an address for an app on the same device.
#[component]
pub fn TellApp(set_up: SetUp) -> impl IntoView {
    let l = use_locale();
    let SetUp { secret, address, picture } = set_up;
    view! {
        <p>{l.t(t::SET_UP_SCAN)}</p>
        <QrCode picture label=l.t(t::PICTURE)/>
        <p class="no-print"><a class="btn btn-secondary" href=address rel="external">{l.t(t::OPEN_APP)}</a></p>
        <p>{l.t(t::SET_UP_TYPE)}</p>
        <div class="cluster">
            <code class="code secret-key" aria-label=l.t(t::KEY) role="group">{grouped(&secret, " ")}</code>
            <CopyButton text=secret label=l.t(t::COPY_KEY)/>
        </div>
    }
    .into_any()
}

/// Where a code is typed: digits alone, so that a phone shows its keypad for them.
#[component]
pub fn SecondFactorField(label: &'static str, #[prop(into)] error: Signal<Option<String>>) -> impl IntoView {
    view! {
        <Field id="code" label error>
            <input
                class="input num code-input"
                id="code"
                name="code"
                type="text"
                inputmode="numeric"
                autocomplete="one-time-code"
                maxlength="32"
                aria-required="true"
                aria-invalid=invalid(error)
                aria-describedby=described_by("code", false, error)
            />
        </Field>
    }
    .into_any()
}

/// New recovery codes, to be copied or printed. Where they take the place of the form that asked for them, the reader goes
/// on at their heading.
#[component]
pub fn RecoveryCodes(codes: Vec<String>) -> impl IntoView {
    let l = use_locale();
    let all = codes.join("\n");
    let heading = NodeRef::<html::H2>::new();
    // A page that came with them begins where pages begin.
    let came_along = taking_over();
    Effect::new(move |_| {
        if let (Some(heading), false) = (heading.get(), came_along) {
            // After everything around them has its place.
            request_animation_frame(move || {
                focus_quietly(&heading);
                heading.scroll_into_view();
            });
        }
    });
    view! {
        <h2 class="panel-title" id="codes-title" tabindex="-1" node_ref=heading>{l.t(t::CODES_TITLE)}</h2>
        <p>{l.t(t::CODES_TEXT)}</p>
        <p class="muted no-print">{l.t(t::CODES_ONCE)}</p>
        <ul class="recovery-codes" aria-labelledby="codes-title">
            {codes.into_iter().map(|code| view! { <li class="num">{code}</li> }).collect_view()}
        </ul>
        <div class="no-print"><CopyButton text=all label=l.t(t::COPY_CODES)/></div>
    }
    .into_any()
}
