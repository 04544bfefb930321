//! Choosing a variant. Each value is a link to the variant it leads to, so that choosing works without script, and a
//! radio button to assistive technology and the keyboard.

use super::Shown;
use crate::{
    domain::{
        catalog::{Product, ProductOption, Width},
        texts::catalog as t,
    },
    ui::{
        components::{links::product_href, picture::Picture},
        use_locale,
    },
};
use leptos::{ev, prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};

/// Where a value leads, and how it stands to the other choices made.
#[derive(Clone, Debug, PartialEq)]
struct Choice {
    chosen: bool,
    /// This combination exists.
    exists: bool,
    buyable: bool,
    /// The variant to go to; `None` when there is none with this value.
    variant: Option<String>,
}

fn choice(product: &Product, chosen: usize, option: usize, value: usize) -> Choice {
    let choices = product.variants.get(chosen).map(|variant| variant.choices.as_slice()).unwrap_or_default();
    let (exists, buyable) = product.offers(choices, option, value);
    let mut wanted = choices.to_vec();
    if let Some(choice) = wanted.get_mut(option) {
        *choice = value;
    }
    let variant = product.variant(&wanted).or_else(|| product.nearest(choices, option, value));
    Choice {
        chosen: choices.get(option) == Some(&value),
        exists,
        buyable,
        variant: variant.map(|variant| variant.id.clone()),
    }
}

/// The picture of each value, if the values of this option look different from each other.
fn pictures(product: &Product, option: usize, values: usize) -> Option<Vec<usize>> {
    let picture = |value| product.variants.iter().find(|v| v.choices.get(option) == Some(&value)).and_then(|v| v.image);
    let pictures: Vec<usize> = (0..values).map(picture).collect::<Option<_>>()?;
    let distinct = pictures.iter().enumerate().all(|(i, picture)| !pictures[..i].contains(picture));
    (distinct && values > 1).then_some(pictures)
}

#[component]
pub fn Options(shown: Shown) -> impl IntoView {
    let options = shown.product.with_untracked(|product| product.options.clone());
    let group = move |(index, option)| view! { <OptionGroup shown index option/> };
    options.into_iter().enumerate().map(group).collect_view().into_any()
}

#[component]
fn OptionGroup(shown: Shown, index: usize, option: ProductOption) -> impl IntoView {
    let id = format!("option-{index}");
    let labelled = id.clone();
    let ProductOption { name, values } = option;
    let pictures = shown.product.with_untracked(|product| pictures(product, index, values.len()));
    let names = values.clone();
    let chosen = move || {
        let value = shown.with(|_, variant| variant.choices.get(index).copied()).flatten();
        value.and_then(|value| names.get(value).cloned())
    };
    let value = move |(i, text): (usize, String)| {
        let picture = pictures.as_ref().and_then(|pictures| pictures.get(i)).copied();
        view! { <OptionValue shown index value=i text picture/> }
    };
    view! {
        <fieldset class="options">
            <legend class="options-label" id=id>{name}<span class="options-value">{chosen}</span></legend>
            <div class="options-list" role="radiogroup" aria-labelledby=labelled on:keydown=by_keyboard>
                {values.into_iter().enumerate().map(value).collect_view()}
            </div>
        </fieldset>
    }
    .into_any()
}

#[component]
fn OptionValue(shown: Shown, index: usize, value: usize, text: String, picture: Option<usize>) -> impl IntoView {
    let l = use_locale();
    let state = Memo::new(move |_| {
        let chosen = shown.chosen.get();
        shown.product.with(|product| choice(product, chosen, index, value))
    });
    let (handle, image) = shown.product.with_untracked(|product| {
        (product.handle.clone(), picture.and_then(|picture| product.images.get(picture).cloned()))
    });
    let class = move || match state.get() {
        Choice { exists: false, .. } => "option is-unavailable",
        Choice { buyable: false, .. } => "option is-soldout",
        _ => "option",
    };
    let href = move || {
        state.with(|choice| choice.variant.as_ref().map(|variant| format!("{}?v={variant}", product_href(&handle))))
    };
    let note = move || match state.get() {
        Choice { exists: false, .. } => Some(t::OPTION_MISSING),
        Choice { buyable: false, .. } => Some(t::OPTION_SOLD_OUT),
        _ => None,
    };
    let note = move || note().map(|text| view! { <span class="option-note">{l.t(text)}</span> });
    let hint =
        move || state.with(|choice| !choice.exists && choice.variant.is_some()).then(|| l.t(t::OPTION_MISSING_HINT));
    view! {
        <a
            class=class
            role="radio"
            aria-checked=move || state.with(|choice| choice.chosen).to_string()
            aria-disabled=move || state.with(|choice| choice.variant.is_none()).then_some("true")
            href=href
            title=hint
            rel="nofollow"
            data-noscroll=""
            prop:replace=true
        >
            <span class="option-face">
                {image.map(|image| view! { <Picture image=Some(image) class="option-thumb" thumb=Width::Thumb/> })}
                {text}
                {note}
            </span>
        </a>
    }
    .into_any()
}

/// The keys of a group of radio buttons: arrows move the choice, space chooses.
fn by_keyboard(event: ev::KeyboardEvent) {
    let Some(present) = document().active_element() else { return };
    let target = match event.key().as_str() {
        "ArrowRight" | "ArrowDown" => present.next_element_sibling(),
        "ArrowLeft" | "ArrowUp" => present.previous_element_sibling(),
        " " => Some(present),
        _ => return,
    };
    event.prevent_default();
    if let Some(target) = target.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = target.focus();
        target.click();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{catalog::Variant, money::Amount};

    fn shirt() -> Product {
        let variant = |id: &str, choices: [usize; 2], available, image| Variant {
            id: id.into(),
            sku: String::new(),
            barcode: String::new(),
            choices: choices.to_vec(),
            price: Amount(100),
            compare_at: None,
            available,
            grams: 0,
            image: Some(image),
        };
        Product {
            id: "p".into(),
            handle: "shirt".into(),
            title: String::new(),
            brand: String::new(),
            description_html: String::new(),
            seo_title: String::new(),
            seo_description: String::new(),
            tags: vec![],
            options: vec![],
            variants: vec![
                variant("black-s", [0, 0], 0, 0),
                variant("black-m", [0, 1], 3, 0),
                variant("white-s", [1, 0], 2, 1),
            ],
            images: vec![],
            breadcrumbs: vec![],
            sales: 0,
            rating: Default::default(),
            kind: None,
        }
    }

    #[test]
    fn every_value_leads_somewhere_and_says_how_it_stands() {
        let shirt = shirt();
        let of = |option, value| choice(&shirt, 1, option, value);
        assert_eq!(of(0, 0), Choice { chosen: true, exists: true, buyable: true, variant: Some("black-m".into()) });
        assert_eq!(of(1, 0), Choice { chosen: false, exists: true, buyable: false, variant: Some("black-s".into()) });
        assert_eq!(of(0, 1), Choice { chosen: false, exists: false, buyable: false, variant: Some("white-s".into()) });
        assert_eq!(of(1, 2).variant, None);
    }

    #[test]
    fn values_that_look_alike_have_no_pictures() {
        let shirt = shirt();
        assert_eq!(pictures(&shirt, 0, 2), Some(vec![0, 1]));
        assert_eq!(pictures(&shirt, 1, 2), None);
        assert_eq!(pictures(&shirt, 0, 3), None);
    }
}
