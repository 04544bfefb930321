//! The pictures of a product: a strip to swipe, thumbnails, and a viewer that enlarges.
//!
//! Without script the strip scrolls, the thumbnails jump and a picture opens by itself.

use super::Shown;
use crate::{
    domain::{
        catalog::Image,
        texts::{catalog as t, common},
    },
    ui::{
        components::{
            icon::Icon,
            picture::{Picture, dimensions},
        },
        use_locale,
    },
};
use leptos::{ev, html, prelude::*};

/// Pixels assumed where a file does not tell its size.
const SIZE: i64 = 1000;
/// A mouse that moved less than this while pressed meant a click.
const CLICK: i32 = 5;

#[component]
pub fn Gallery(images: Vec<Image>, title: String, shown: Shown) -> impl IntoView {
    let l = use_locale();
    let count = images.len();
    if count == 0 {
        return view! { <section class="gallery" aria-label=l.t(t::GALLERY)><Picture image=None/></section> }
            .into_any();
    }
    let track = NodeRef::<html::Ul>::new();
    let viewer = NodeRef::<html::Dialog>::new();
    let current = RwSignal::new(0usize);

    let go = move |to: usize| {
        let to = to.min(count - 1);
        current.set(to);
        if let Some(track) = track.get_untracked() {
            track.set_scroll_left(track.client_width() * i32::try_from(to).unwrap_or(0));
        }
    };
    // While the strip glides to a picture, the one in its middle is the present one.
    let scrolled = move |_| {
        if let Some(track) = track.get_untracked() {
            let width = track.client_width().max(1);
            let at = usize::try_from((track.scroll_left() + width / 2) / width).unwrap_or(0).min(count - 1);
            if at != current.get_untracked() {
                current.set(at);
            }
        }
    };
    let pressed = move |event: ev::KeyboardEvent| {
        let at = current.get_untracked();
        let to = match event.key().as_str() {
            "ArrowRight" => at + 1,
            "ArrowLeft" => at.saturating_sub(1),
            "Home" => 0,
            "End" => count - 1,
            _ => return,
        };
        event.prevent_default();
        go(to);
    };
    // The picture follows the variant; at first it is there already.
    let of_variant = Memo::new(move |_| shown.with(|_, variant| variant.image).flatten());
    Effect::new(move |before: Option<Option<usize>>| {
        let image = of_variant.get();
        match before {
            None => go(0),
            Some(_) => {
                if let Some(image) = image {
                    go(image);
                }
            }
        }
        image
    });
    let open = move |i: usize| {
        move |event: ev::MouseEvent| {
            if let Some(dialog) = viewer.get_untracked() {
                event.prevent_default();
                current.set(i);
                let _ = dialog.show_modal();
            }
        }
    };

    let slide = |(i, image): (usize, Image)| {
        let n = i + 1;
        let label = l.f(t::ENLARGE, &[("n", &n)]);
        let alt =
            if count > 1 { format!("{} · {}", image.alt, l.f(t::PICTURE, &[("n", &n)])) } else { image.alt.clone() };
        let href = image.url.clone();
        view! {
            <li class="gallery-slide" id=format!("photo-{n}")>
                <a class="gallery-zoom" href=href rel="external nofollow" aria-label=label on:click=open(i)>
                    <Picture image=Some(image) alt=alt priority={i == 0} size=SIZE/>
                </a>
            </li>
        }
    };
    let thumb = |(i, image): (usize, Image)| {
        let n = i + 1;
        let chosen = move || (current.get() == i).then_some("true");
        let jump = move |event: ev::MouseEvent| {
            event.prevent_default();
            go(i);
        };
        view! {
            <a class="gallery-thumb" href=format!("#photo-{n}") aria-current=chosen on:click=jump>
                <Picture image=Some(image) alt=l.f(t::PICTURE, &[("n", &n)]) size=SIZE/>
            </a>
        }
    };
    let several = count > 1;
    let thumbs = several.then(|| {
        view! {
            <p class="gallery-count" aria-hidden="true">{move || current.get() + 1}" / "{count}</p>
            <nav class="gallery-thumbs" aria-label=l.t(t::CHOOSE_PICTURE)>
                {images.clone().into_iter().enumerate().map(thumb).collect_view()}
            </nav>
        }
    });
    view! {
        <section class="gallery" aria-label=l.t(t::GALLERY)>
            <ul
                node_ref=track
                class="gallery-track"
                tabindex=several.then_some("0")
                aria-label=several.then_some(l.t(t::GALLERY_HINT))
                on:scroll=scrolled
                on:keydown=pressed
            >
                {images.clone().into_iter().enumerate().map(slide).collect_view()}
            </ul>
            {thumbs}
            <Viewer images title dialog=viewer current go=Callback::new(go)/>
        </section>
    }
    .into_any()
}

/// A picture alone on a dark ground. A click doubles it where it was clicked; then it is moved by dragging.
#[component]
fn Viewer(
    images: Vec<Image>,
    title: String,
    dialog: NodeRef<html::Dialog>,
    current: RwSignal<usize>,
    go: Callback<usize>,
) -> impl IntoView {
    let l = use_locale();
    let count = images.len();
    let stage = NodeRef::<html::Div>::new();
    let zoomed = RwSignal::new(false);
    let dragged = StoredValue::new(0);
    let turn = move |by: isize| {
        zoomed.set(false);
        current.update(|i| *i = (*i + count).saturating_add_signed(by) % count);
    };
    let pressed = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "ArrowRight" if !zoomed.get_untracked() => turn(1),
        "ArrowLeft" if !zoomed.get_untracked() => turn(-1),
        "Enter" | " " | "+" | "-" if is_stage(&event) => {
            event.prevent_default();
            zoomed.update(|zoomed| *zoomed = !*zoomed);
        }
        _ => {}
    };
    let zoom = move |event: ev::MouseEvent| {
        if dragged.get_value() > CLICK {
            return;
        }
        zoomed.update(|zoomed| *zoomed = !*zoomed);
        // What was under the pointer stays in the middle.
        let (x, y) = (event.offset_x(), event.offset_y());
        request_animation_frame(move || {
            if let Some(stage) = stage.get_untracked() {
                stage.set_scroll_left(x * 2 - stage.client_width() / 2);
                stage.set_scroll_top(y * 2 - stage.client_height() / 2);
            }
        });
    };
    // A finger scrolls by itself, a mouse needs help.
    let drag = move |event: ev::PointerEvent| {
        if let Some(stage) = stage.get_untracked()
            && event.buttons() == 1
            && event.pointer_type() == "mouse"
        {
            dragged.update_value(|way| *way += event.movement_x().abs() + event.movement_y().abs());
            stage.set_scroll_left(stage.scroll_left() - event.movement_x());
            stage.set_scroll_top(stage.scroll_top() - event.movement_y());
        }
    };
    let closed = move |_| {
        zoomed.set(false);
        go.run(current.get_untracked());
    };
    let large = images.iter().map(|image| (image.url.clone(), dimensions(image, SIZE))).collect::<Vec<_>>();
    let picture = move || {
        let (url, (width, height)) = large.get(current.get()).cloned().unwrap_or_default();
        let class = move || if zoomed.get() { "viewer-image is-zoomed" } else { "viewer-image" };
        view! { <img class=class src=url width=width height=height alt=title.clone() loading="lazy" draggable="false"/> }
    };
    let nav = |by, icon, text| {
        view! {
            <button class="viewer-nav" type="button" aria-label=l.t(text) on:click=move |_| turn(by)>
                <Icon name=icon/>
            </button>
        }
    };
    let turns =
        (count > 1).then(|| (nav(-1, "chevron-left", t::PREVIOUS_PICTURE), nav(1, "chevron-right", t::NEXT_PICTURE)));
    view! {
        <dialog node_ref=dialog class="dialog dialog-media" aria-label=l.t(t::VIEWER) on:close=closed on:keydown=pressed>
            <div class="viewer">
                <div class="viewer-bar">
                    <span class="num" aria-live="polite">{move || current.get() + 1}" / "{count}</span>
                    <form method="dialog">
                        <button class="btn btn-icon" aria-label=l.t(common::CLOSE)><Icon name="close"/></button>
                    </form>
                </div>
                <div
                    node_ref=stage
                    class="viewer-stage"
                    tabindex="0"
                    role="group"
                    aria-label=l.t(t::ZOOM_HINT)
                    on:pointerdown=move |_| dragged.set_value(0)
                    on:pointermove=drag
                    on:click=zoom
                >
                    {picture}
                </div>
                {turns}
            </div>
        </dialog>
    }
    .into_any()
}

/// Whether a key was pressed on the picture itself rather than on a button.
fn is_stage(event: &ev::KeyboardEvent) -> bool {
    event_target::<leptos::web_sys::Element>(event).class_list().contains("viewer-stage")
}
