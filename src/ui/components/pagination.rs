//! Links to the pages of a list.

use super::icon::Icon;
use crate::{domain::texts::common as t, ui::use_locale};
use leptos::prelude::*;

/// Nothing for a list of one page. `href` makes the address of a page, counted from 1.
#[component]
pub fn Pagination<F>(page: i64, pages: i64, href: F) -> impl IntoView
where
    F: Fn(i64) -> String,
{
    let l = use_locale();
    let page = page.clamp(1, pages.max(1));
    let neighbour = |to: i64, icon, text, rel| {
        ((1..=pages).contains(&to)).then(|| {
            view! {
                <a class="pagination-link" href=href(to) rel=rel>
                    <Icon name=icon class="icon-sm"/>
                    <span class="visually-hidden">{l.t(text)}</span>
                </a>
            }
        })
    };
    let number = |shown: Option<i64>| match shown {
        Some(n) => {
            let current = (n == page).then_some("page");
            view! { <a class="pagination-link" href=href(n) aria-current=current>{n}</a> }.into_any()
        }
        None => view! { <span class="pagination-gap">"…"</span> }.into_any(),
    };
    (pages > 1)
        .then(|| {
            view! {
                <nav class="pagination" aria-label=l.t(t::PAGES)>
                    {neighbour(page - 1, "chevron-left", t::PREVIOUS, "prev")}
                    {shown(page, pages).into_iter().map(number).collect_view()}
                    {neighbour(page + 1, "chevron-right", t::NEXT, "next")}
                </nav>
            }
        })
        .into_any()
}

/// The first, the last and those around the present page; `None` where some are left out.
fn shown(page: i64, pages: i64) -> Vec<Option<i64>> {
    let mut shown: Vec<Option<i64>> = Vec::new();
    let mut last = 0;
    for n in (1..=pages).filter(|n| *n == 1 || *n == pages || (page - 1..=page + 1).contains(n)) {
        match n - last {
            1 => {}
            2 => shown.push(Some(n - 1)),
            _ => shown.push(None),
        }
        shown.push(Some(n));
        last = n;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_stand_for_two_pages_at_least() {
        let text = |page, pages| {
            let names = shown(page, pages).into_iter().map(|n| n.map_or("…".to_owned(), |n| n.to_string()));
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(text(1, 1), "1");
        assert_eq!(text(2, 4), "1 2 3 4");
        assert_eq!(text(4, 9), "1 2 3 4 5 … 9");
        assert_eq!(text(5, 9), "1 … 4 5 6 … 9");
        assert_eq!(text(9, 9), "1 … 8 9");
    }
}
