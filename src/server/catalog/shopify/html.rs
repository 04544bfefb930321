//! Descriptions come from strangers: only what structures a text survives.

use ammonia::Builder;
use std::{borrow::Cow, sync::LazyLock};

static RULES: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut rules = Builder::default();
    rules
        // A picture would be loaded from another shop's server, which the page's policy forbids.
        .rm_tags(["img", "map", "area"])
        .url_schemes(["http", "https", "mailto", "tel"].into())
        .link_rel(Some("nofollow noopener noreferrer"));
    rules
});

/// Safe HTML, and how many pictures were left out of it. A plain text becomes paragraphs.
pub fn clean(body: &str) -> (String, usize) {
    let body = body.trim();
    if !body.contains('<') {
        return (paragraphs(body), 0);
    }
    let lower = body.to_ascii_lowercase();
    (RULES.clean(body).to_string().trim().to_owned(), lower.matches("<img").count())
}

fn paragraphs(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    // Plain texts carry entities as well; those that are not one become visible again.
    let text: Cow<'_, str> = if text.contains(['&', '>']) { RULES.clean(text).to_string().into() } else { text.into() };
    let text = text.replace("\r\n", "\n");
    text.split("\n\n")
        .map(str::trim)
        .filter(|paragraph| !paragraph.is_empty())
        .map(|paragraph| format!("<p>{}</p>", paragraph.replace('\n', "<br>")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structure_stays_and_everything_active_goes() {
        let table = [
            (
                "<table><tbody><tr><th>a</th><td>b</td></tr></tbody></table>",
                "<table><tbody><tr><th>a</th><td>b</td></tr></tbody></table>",
            ),
            ("<ul><li style=\"color:red\" class=x onclick=go()>a</li></ul>", "<ul><li>a</li></ul>"),
            ("<p>a<script>alert(1)</script><style>p{}</style></p>", "<p>a</p>"),
            ("<a href=\"javascript:x\">a</a>", "<a rel=\"nofollow noopener noreferrer\">a</a>"),
            (
                "<a href=https://x.example target=_blank>a</a>",
                "<a href=\"https://x.example\" rel=\"nofollow noopener noreferrer\">a</a>",
            ),
            ("<p>open", "<p>open</p>"),
            ("one\r\ntwo\n\nR&D > 3", "<p>one<br>two</p><p>R&amp;D &gt; 3</p>"),
            ("  ", ""),
        ];
        for (body, expected) in table {
            assert_eq!(clean(body).0, expected, "{body}");
        }
        assert_eq!(clean("<p>a</p><IMG src=x><img>"), ("<p>a</p>".to_owned(), 2));
    }
}
