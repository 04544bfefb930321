//! A QR code as a picture.

use crate::domain::second_factor::Picture;
use leptos::prelude::*;

/// The light modules around a QR code (ISO/IEC 18004 §6.3.8).
const QUIET: u32 = 4;

/// Dark on light whatever the colours of the page.
#[component]
pub fn QrCode(
    picture: Picture,
    /// What it says, for readers.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    let side = picture.size + 2 * QUIET;
    let view_box = format!("-{QUIET} -{QUIET} {side} {side}");
    let (from, side) = (format!("-{QUIET}"), side.to_string());
    view! {
        <svg class="qr" viewBox=view_box role="img" aria-label=label shape-rendering="crispEdges">
            <rect x=from.clone() y=from width=side.clone() height=side fill="#fff"></rect>
            <path fill="#000" d=picture.path></path>
        </svg>
    }
    .into_any()
}
