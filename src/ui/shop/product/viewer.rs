//! The pictures of a product, large and alone on a dark ground.
//!
//! They are swiped or turned like those in the page. A click or a double tap doubles the one in view, which is then
//! moved by finger, mouse or keys.

use super::gallery::SIZE;
use crate::{
    domain::{
        catalog::Image,
        texts::{catalog as t, common},
    },
    ui::{
        components::{
            icon::Icon,
            picture::dimensions,
            strip::{Strip, is_shortcut},
        },
        use_locale,
    },
};
use leptos::{
    ev, html,
    prelude::*,
    web_sys::{Element, Event, HtmlElement},
};

/// A mouse that moved less than this while pressed, in pixels, meant a click.
const CLICK: i32 = 5;
/// Two taps within this time, in milliseconds, are one double tap.
const DOUBLE_TAP: f64 = 350.0;

#[component]
pub fn Viewer(images: Vec<Image>, dialog: NodeRef<html::Dialog>, strip: Strip, closed: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let count = images.len();
    let zoomed = RwSignal::new(false);
    let here = move || strip.page(strip.current.get_untracked());
    Effect::new(move |_| {
        strip.current.track();
        zoomed.set(false);
    });
    // What was under the pointer stays in the middle.
    let zoom = move |(x, y): (i32, i32)| {
        zoomed.set(true);
        request_animation_frame(move || {
            if let Some(slide) = here() {
                slide.set_scroll_left(x * 2 - slide.client_width() / 2);
                slide.set_scroll_top(y * 2 - slide.client_height() / 2);
            }
        });
    };
    let toggle = move |at: (i32, i32)| if zoomed.get_untracked() { zoomed.set(false) } else { zoom(at) };
    let middle = move || here().map_or((0, 0), |slide| (slide.client_width() / 2, slide.client_height() / 2));

    let pressed = move |event: ev::KeyboardEvent| {
        if is_shortcut(&event) {
            return;
        }
        let key = event.key();
        match key.as_str() {
            "+" | "=" if !zoomed.get_untracked() => zoom(middle()),
            "-" => zoomed.set(false),
            "Enter" | " " if !is_button(&event) => toggle(middle()),
            "ArrowRight" | "ArrowLeft" | "ArrowDown" | "ArrowUp" if zoomed.get_untracked() => {
                if let Some(slide) = here() {
                    pan(&slide, &key);
                }
            }
            _ => {
                strip.key(&event);
                return;
            }
        }
        event.prevent_default();
    };
    // A finger scrolls by itself, a mouse needs help. One tap of a finger often only begins a swipe.
    let (dragged, finger, tapped) = (StoredValue::new(0), StoredValue::new(false), StoredValue::new(0.0));
    let down = move |event: ev::PointerEvent| {
        dragged.set_value(0);
        finger.set_value(event.pointer_type() == "touch");
        strip.held();
    };
    let moved = move |event: ev::PointerEvent| {
        if event.buttons() == 1
            && event.pointer_type() == "mouse"
            && let Some(slide) = here()
        {
            dragged.update_value(|way| *way += event.movement_x().abs() + event.movement_y().abs());
            slide.set_scroll_left(slide.scroll_left() - event.movement_x());
            slide.set_scroll_top(slide.scroll_top() - event.movement_y());
        }
    };
    let clicked = move |event: ev::MouseEvent| {
        let now = event.time_stamp();
        let second = now - tapped.get_value() < DOUBLE_TAP;
        tapped.set_value(if second { 0.0 } else { now });
        if dragged.get_value() <= CLICK && (second || !finger.get_value()) {
            toggle((event.offset_x(), event.offset_y()));
        }
    };

    let slide = |(i, image): (usize, Image)| {
        let (width, height) = dimensions(&image, SIZE);
        let large = move || zoomed.get() && strip.current.get() == i;
        view! {
            <li class="viewer-slide" class:is-zoomed=large tabindex=move || if large() { "0" } else { "-1" }>
                <img src=image.url width=width height=height alt=image.alt loading="lazy" decoding="async" draggable="false"/>
            </li>
        }
    };
    let nav = |end: Signal<bool>, icon, text, turn: fn(usize) -> usize| {
        let turn = move |_| strip.go(turn(strip.current.get_untracked()));
        view! {
            <button
                class="viewer-nav"
                type="button"
                aria-label=l.t(text)
                aria-disabled=move || end.get().then_some("true")
                on:click=turn
            >
                <Icon name=icon/>
            </button>
        }
    };
    let turns = (count > 1).then(|| {
        let first = Signal::derive(move || strip.current.get() == 0);
        let last = Signal::derive(move || strip.is_last(strip.current.get()));
        (
            nav(first, "chevron-left", t::PREVIOUS_PICTURE, |at| at.saturating_sub(1)),
            nav(last, "chevron-right", t::NEXT_PICTURE, |at| at + 1),
        )
    });
    let closed = move |_| {
        zoomed.set(false);
        closed.run(());
    };
    view! {
        <dialog node_ref=dialog class="dialog dialog-media" aria-label=l.t(t::VIEWER) on:close=closed on:keydown=pressed>
            <div class="viewer">
                <div class="viewer-bar">
                    <span class="num" aria-live="polite">{move || strip.current.get() + 1}" / "{count}</span>
                    <form method="dialog">
                        <button class="btn btn-icon" aria-label=l.t(common::CLOSE)><Icon name="close"/></button>
                    </form>
                </div>
                <ul
                    node_ref=strip.track
                    class="viewer-track"
                    tabindex="0"
                    aria-label=l.t(t::ZOOM_HINT)
                    on:scroll=move |_| strip.scrolled()
                    on:scrollend=move |_: Event| strip.held()
                    on:pointerdown=down
                    on:pointermove=moved
                    on:click=clicked
                >
                    {images.into_iter().enumerate().map(slide).collect_view()}
                </ul>
                {turns}
            </div>
        </dialog>
    }
    .into_any()
}

/// Moves a picture under its frame by a quarter of the frame.
fn pan(slide: &Element, key: &str) {
    let (x, y) = (slide.client_width() / 4, slide.client_height() / 4);
    let (x, y) = match key {
        "ArrowRight" => (x, 0),
        "ArrowLeft" => (-x, 0),
        "ArrowDown" => (0, y),
        _ => (0, -y),
    };
    slide.set_scroll_left(slide.scroll_left() + x);
    slide.set_scroll_top(slide.scroll_top() + y);
}

/// Whether a key was pressed on a button, which has its own use for it.
fn is_button(event: &ev::KeyboardEvent) -> bool {
    event_target::<HtmlElement>(event).tag_name() == "BUTTON"
}
