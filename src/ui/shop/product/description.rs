//! The merchant's words, with the table in them shown as the specification.

use super::Shown;
use crate::{domain::texts::catalog as t, ui::use_locale};
use leptos::prelude::*;

#[component]
pub fn Description(html: String, brand: String, shown: Shown) -> impl IntoView {
    let l = use_locale();
    let (prose, rows) = split(&html);
    let words = (!prose.trim().is_empty()).then(|| {
        view! {
            <section aria-labelledby="about-title">
                <div class="section-head"><h2 class="section-title" id="about-title">{l.t(t::ABOUT)}</h2></div>
                // Sanitised when it was imported.
                <div class="prose" inner_html=prose></div>
            </section>
        }
    });
    let row = move |name, value: AnyView| view! { <tr><th scope="row">{l.t(name)}</th>{value}</tr> };
    let brand = (!brand.is_empty()).then(|| row(t::BRAND, view! { <td>{brand}</td> }.into_any()));
    let grams = Memo::new(move |_| shown.with(|_, variant| variant.grams).unwrap_or(0));
    let weight = move || {
        let value = view! { <td>{move || grams_text(grams.get())}</td> }.into_any();
        (grams.get() > 0).then(|| row(t::WEIGHT, value))
    };
    let sku = Memo::new(move |_| shown.with(|_, variant| variant.sku.clone()).unwrap_or_default());
    let number = move || {
        let value = view! { <td class="mono">{move || sku.get()}</td> }.into_any();
        (!sku.with(String::is_empty)).then(|| row(t::SKU, value))
    };
    view! {
        <div class="section about">
            {words}
            <section aria-labelledby="specification-title">
                <div class="section-head">
                    <h2 class="section-title" id="specification-title">{l.t(t::SPECIFICATION)}</h2>
                </div>
                <table class="table table-spec">
                    <tbody>{brand}{weight}{number}</tbody>
                    {rows.map(|rows| view! { <tbody inner_html=rows></tbody> })}
                </table>
            </section>
        </div>
    }
    .into_any()
}

/// Leaves out a first paragraph that stands below the title already.
pub fn without_lead<'a>(html: &'a str, lead: &str) -> &'a str {
    let first = html.trim_start().strip_prefix("<p>").and_then(|rest| rest.strip_prefix(lead.trim()));
    match first.and_then(|rest| rest.strip_prefix("</p>")) {
        Some(rest) if !lead.is_empty() => rest,
        _ => html,
    }
}

/// A weight as one would say it.
fn grams_text(grams: i64) -> String {
    match grams {
        1000.. => {
            let text = format!("{}.{:03}", grams / 1000, grams % 1000);
            format!("{} kg", text.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => format!("{grams} g"),
    }
}

/// Takes a simple table out of sanitised HTML, with the heading right above it: what is left, and the rows.
///
/// A table with a head, a caption or another table inside stays where it is, and so do two tables: they are more than
/// a list of names and values.
fn split(html: &str) -> (String, Option<String>) {
    let whole = || (html.to_owned(), None);
    let parts = || {
        let start = html.find("<table")?;
        let open = start + html[start..].find('>')? + 1;
        let end = open + html[open..].find("</table>")?;
        let rows = html[open..end].trim().strip_prefix("<tbody>")?.strip_suffix("</tbody>")?;
        let after = &html[end + "</table>".len()..];
        let simple = !["<table", "<tbody", "<thead", "<tfoot"].iter().any(|tag| rows.contains(tag));
        (simple && !after.contains("<table"))
            .then(|| (without_last_heading(&html[..start]).to_owned() + after, rows.to_owned()))
    };
    parts().map_or_else(whole, |(rest, rows)| (rest, Some(rows)))
}

/// Leaves out a heading at the very end.
fn without_last_heading(html: &str) -> &str {
    let trimmed = html.trim_end();
    let cut = ["h2", "h3", "h4", "h5", "h6"]
        .iter()
        .find_map(|tag| trimmed.strip_suffix(format!("</{tag}>").as_str())?.rfind(format!("<{tag}").as_str()));
    cut.map_or(html, |at| &html[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_read_in_the_unit_one_would_say() {
        assert_eq!(grams_text(180), "180 g");
        assert_eq!(grams_text(1200), "1.2 kg");
        assert_eq!(grams_text(2000), "2 kg");
        assert_eq!(grams_text(1050), "1.05 kg");
    }

    #[test]
    fn a_table_of_names_and_values_becomes_the_specification() {
        let html = "<p>Soft.</p>\n<h3>Details</h3>\n<table>\n<tbody>\n<tr><th>A</th><td>1</td></tr></tbody>\n</table><p>End</p>";
        let (prose, rows) = split(html);
        assert_eq!(prose, "<p>Soft.</p>\n<p>End</p>");
        assert_eq!(rows.as_deref(), Some("\n<tr><th>A</th><td>1</td></tr>"));
    }

    #[test]
    fn other_tables_and_broken_html_stay_where_they_are() {
        for html in [
            "<table><thead><tr><th>S</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>",
            "<table><tbody><tr><td>1</td></tr></tbody></table><table><tbody><tr><td>2</td></tr></tbody></table>",
            "<table><tbody><tr><td><table><tbody></tbody></table></td></tr></tbody></table>",
            "<table><tbody>",
            "<table",
            "<p>茶</p>",
            "",
        ] {
            assert_eq!(split(html), (html.to_owned(), None), "{html}");
        }
    }

    #[test]
    fn what_the_title_is_followed_by_is_not_said_twice() {
        assert_eq!(without_lead("<p>Soft.</p><ul></ul>", "Soft."), "<ul></ul>");
        assert_eq!(without_lead("<p>Soft and warm.</p>", "Soft"), "<p>Soft and warm.</p>");
        assert_eq!(without_lead("<p></p>", ""), "<p></p>");
    }

    #[test]
    fn only_the_heading_right_above_the_table_goes() {
        assert_eq!(without_last_heading("<h3>A</h3><p>b</p>"), "<h3>A</h3><p>b</p>");
        assert_eq!(without_last_heading("<h2>X</h2><p>b</p><h3>A</h3>\n"), "<h2>X</h2><p>b</p>");
    }
}
