//! Pictures that keep their place while they load.

use super::icon::Icon;
use crate::domain::catalog::{Image, Width};
use leptos::prelude::*;

/// A picture from the media store, or a quiet stand-in of the same size where there is none.
///
/// Decorative (`alt=""`) unless `alt` is told, because mostly the name stands right beside it. Loads when it comes near
/// the window, unless `eager`; `priority` is for the one picture a page is about, which loads before all others. With
/// `thumb` it loads a version of that width, which keeps the place of the whole picture. `size` is the width and height
/// in pixels assumed where the file does not tell.
#[component]
pub fn Picture(
    image: Option<Image>,
    #[prop(optional)] class: &'static str,
    #[prop(optional, into)] alt: String,
    #[prop(optional)] eager: bool,
    #[prop(optional)] priority: bool,
    #[prop(optional)] thumb: Option<Width>,
    #[prop(default = 600)] size: i64,
) -> impl IntoView {
    let Some(image) = image else {
        let class = format!("{class} picture-none");
        return view! { <span class=class.trim().to_owned()><Icon name="image" class="icon-lg"/></span> }.into_any();
    };
    let (width, height) = dimensions(&image, size);
    let src = thumb.map_or_else(|| image.url.clone(), |thumb| image.url_at(thumb));
    view! {
        <img
            class=(!class.is_empty()).then_some(class)
            src=src
            width=width
            height=height
            alt=alt
            loading=(!eager && !priority).then_some("lazy")
            fetchpriority=priority.then_some("high")
            decoding="async"
        />
    }
    .into_any()
}

/// Width and height to reserve; a square where the file does not tell.
pub fn dimensions(image: &Image, size: i64) -> (i64, i64) {
    if image.width > 0 && image.height > 0 { (image.width, image.height) } else { (size, size) }
}
