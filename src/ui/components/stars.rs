//! Stars: what was given, and what all of them come to.

use crate::{
    domain::{
        review::{MOST, Rating},
        texts::{review as t, start},
    },
    ui::use_locale,
};
use leptos::prelude::*;

/// So many stars out of five.
#[component]
pub fn Stars(stars: i64) -> impl IntoView {
    let l = use_locale();
    let row: String = (1..=MOST).map(|star| if star <= stars { '★' } else { '☆' }).collect();
    view! {
        <span class="stars">
            <span aria-hidden="true">{row}</span>
            <span class="visually-hidden">{l.f(t::STARS_OF, &[("n", &stars)])}</span>
        </span>
    }
    .into_any()
}

/// The mean and the number of reviews in one line; nothing without reviews.
#[component]
pub fn Mean(rating: Rating) -> impl IntoView {
    let l = use_locale();
    rating.mean().map(|mean| {
        let said = l.f(start::RATED, &[("mean", &mean), ("n", &rating.count)]);
        let shown = format!("★ {mean} ({})", rating.count);
        view! {
            <span class="stars-mean" aria-hidden="true">{shown}</span>
            <span class="visually-hidden">{said}</span>
        }
        .into_any()
    })
}
