//! A list of the office that is looked through by words and page by page. The address says what is looked for.

use super::parts::SearchForm;
use crate::{
    domain::{catalog::percent_encode, locale::Text},
    ui::{components::travel::use_asked, use_locale},
};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use serde::{Deserialize, Serialize};

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    pub q: String,
    /// From 1.
    pub page: i64,
}

impl Wanted {
    fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            q: get("q").map(|q| q.trim().chars().take(100).collect()).unwrap_or_default(),
            page: get("page").and_then(|page| page.parse().ok()).unwrap_or(1).max(1),
        }
    }

    /// The address of the list at `path` that looks for this.
    pub fn href(&self, path: &str) -> String {
        let mut pairs = Vec::new();
        if !self.q.is_empty() {
            pairs.push(format!("q={}", percent_encode(&self.q)));
        }
        if self.page > 1 {
            pairs.push(format!("page={}", self.page));
        }
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
    }

    /// The words, where there are any.
    pub fn words(&self) -> Option<String> {
        (!self.q.is_empty()).then(|| self.q.clone())
    }

    /// Whether it is anything else than the first page of the whole list.
    pub fn is_part(&self) -> bool {
        !self.q.is_empty() || self.page > 1
    }
}

/// What is looked for in the list at `path`.
pub fn use_wanted(path: &'static str) -> Memo<Wanted> {
    use_asked(path, |query| Wanted::read(|name| query.get(name)))
}

/// The field above the list at `path`, which leads to the first page of what is found.
#[component]
pub fn ListSearch(path: &'static str, wanted: Memo<Wanted>, placeholder: Text, label: Text) -> impl IntoView {
    let l = use_locale();
    let navigate = use_navigate();
    let search = Callback::new(move |q: String| navigate(&Wanted { q, page: 1 }.href(path), Default::default()));
    view! {
        <div class="office-tools">
            <SearchForm
                action=path
                words=Signal::derive(move || wanted.with(|wanted| wanted.q.clone()))
                placeholder=l.t(placeholder)
                label=l.t(label)
                on_search=search
            />
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_what_was_looked_for() {
        for (typed, q, href) in
            [(" SX-1 ", "SX-1", "/office/stock?q=SX-1"), (" 湖 ", "湖", "/office/stock?q=%E6%B9%96")]
        {
            let wanted = Wanted::read(|name| (name == "q").then(|| typed.to_owned()));
            assert_eq!(wanted, Wanted { q: q.into(), page: 1 });
            assert_eq!(wanted.href("/office/stock"), href);
        }
        assert_eq!(Wanted { q: String::new(), page: 2 }.href("/office/stays"), "/office/stays?page=2");
    }
}
