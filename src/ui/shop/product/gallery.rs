//! The pictures of a product: a strip to swipe and thumbnails. A click enlarges one.
//!
//! Without script the strip scrolls, the thumbnails jump and a picture opens by itself.

use super::{Shown, viewer::Viewer};
use crate::{
    domain::{
        catalog::{Image, Width},
        texts::catalog as t,
    },
    ui::{
        components::{picture::Picture, strip::Strip, travel::focus_quietly},
        use_locale,
    },
};
use leptos::{
    ev, html,
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{Event, HtmlElement},
};

/// Pixels assumed where a file does not tell its size.
pub const SIZE: i64 = 1000;

#[component]
pub fn Gallery(images: Vec<Image>, shown: Shown) -> impl IntoView {
    let l = use_locale();
    let count = images.len();
    if count == 0 {
        return view! { <section class="gallery" aria-label=l.t(t::GALLERY)><Picture image=None/></section> }
            .into_any();
    }
    // Several pictures may be described alike.
    let numbered = |(i, image): (usize, Image)| {
        let alt = match count {
            1 => image.alt.clone(),
            _ => format!("{} · {}", image.alt, l.f(t::PICTURE, &[("n", &(i + 1))])),
        };
        Image { alt, ..image }
    };
    let images: Vec<Image> = images.into_iter().enumerate().map(numbered).collect();
    let (strip, enlarged) = (Strip::new(count), Strip::new(count));
    let dialog = NodeRef::<html::Dialog>::new();

    // The picture follows the variant; at first it is there already.
    let of_variant = Memo::new(move |_| shown.with(|_, variant| variant.image).flatten());
    Effect::new(move |before: Option<Option<usize>>| {
        let image = of_variant.get();
        match before {
            None => strip.jump(0),
            Some(_) => {
                if let Some(image) = image {
                    strip.go(image);
                }
            }
        }
        image
    });
    let open = move |i: usize| {
        move |event: ev::MouseEvent| {
            if let Some(dialog) = dialog.get_untracked() {
                event.prevent_default();
                let _ = dialog.show_modal();
                enlarged.jump(i);
            }
        }
    };
    // The reader goes on where the viewer was left.
    let closed = move || {
        let at = enlarged.current.get_untracked();
        strip.jump(at);
        let link = strip.page(at).and_then(|slide| slide.query_selector("a").ok().flatten());
        if let Some(link) = link.as_ref().and_then(|link| link.dyn_ref::<HtmlElement>()) {
            focus_quietly(link);
        }
    };

    let slide = |(i, image): (usize, Image)| {
        let n = i + 1;
        let label = l.f(t::ENLARGE, &[("n", &n)]);
        let (href, alt) = (image.url.clone(), image.alt.clone());
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
        let chosen = move || (strip.current.get() == i).then_some("true");
        let jump = move |event: ev::MouseEvent| {
            event.prevent_default();
            strip.go(i);
        };
        view! {
            <a class="gallery-thumb" href=format!("#photo-{n}") aria-current=chosen on:click=jump>
                <Picture image=Some(image) alt=l.f(t::PICTURE, &[("n", &n)]) thumb=Width::Thumb size=SIZE/>
            </a>
        }
    };
    let several = count > 1;
    let thumbs = several.then(|| {
        view! {
            <p class="gallery-count" aria-hidden="true">{move || strip.current.get() + 1}" / "{count}</p>
            <nav class="gallery-thumbs" aria-label=l.t(t::CHOOSE_PICTURE)>
                {images.clone().into_iter().enumerate().map(thumb).collect_view()}
            </nav>
        }
    });
    view! {
        <section class="gallery" aria-label=l.t(t::GALLERY)>
            <ul
                node_ref=strip.track
                class="gallery-track"
                tabindex=several.then_some("0")
                aria-label=several.then_some(l.t(t::GALLERY_HINT))
                on:scroll=move |_| strip.scrolled()
                on:scrollend=move |_: Event| strip.held()
                on:pointerdown=move |_| strip.held()
                on:keydown=move |event| {
                    strip.key(&event);
                }
            >
                {images.clone().into_iter().enumerate().map(slide).collect_view()}
            </ul>
            {thumbs}
            <Viewer images dialog strip=enlarged closed=Callback::new(move |()| closed())/>
        </section>
    }
    .into_any()
}
