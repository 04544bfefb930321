//! From an order to the reviews of its lines.

use crate::{
    domain::{order::OrderLine, review::LineReview, texts::review as t},
    ui::use_locale,
};
use leptos::prelude::*;

fn href(number: &str, line: &OrderLine) -> String {
    format!("/orders/{number}/review/{}", line.position)
}

/// Below a line on the page of its order: where its review is written, changed or read; nothing where there can be none.
#[component]
pub fn ReviewLink(number: String, line: OrderLine) -> impl IntoView {
    let l = use_locale();
    line.review.map(|review| {
        let (text, class) = match review {
            LineReview::Open => (t::WRITE, "btn btn-secondary btn-sm"),
            LineReview::Written { editable: true, .. } => (t::CHANGE, "btn btn-quiet btn-sm"),
            LineReview::Written { editable: false, .. } => (t::READ, "btn btn-quiet btn-sm"),
        };
        let href = href(&number, &line);
        let hidden = format!(" {}", line.title);
        view! {
            <li class="line-after">
                <a class=class href=href>{l.t(text)}<span class="visually-hidden">{hidden}</span></a>
            </li>
        }
    })
}

/// In a list of orders: where each line that can be reviewed is; nothing where there is none.
#[component]
pub fn ReviewLinks(number: String, lines: Vec<OrderLine>) -> impl IntoView {
    let l = use_locale();
    let open = lines.into_iter().filter(|line| line.review == Some(LineReview::Open));
    let link = |line: OrderLine| {
        let href = href(&number, &line);
        view! { <li><a class="btn btn-quiet btn-sm" href=href>{l.f(t::WRITE_OF, &[("title", &line.title)])}</a></li> }
    };
    let links: Vec<_> = open.map(link).collect();
    (!links.is_empty()).then(|| view! { <ul class="cluster">{links}</ul> })
}
