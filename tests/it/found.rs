//! What search engines, and those with whom a page is shared, are told: addresses, languages, the product in data.

use super::{
    door::Door,
    shop::{Piece, both},
};
use reqwest::{Response, header};
use serde_json::Value;
use xiadan::{
    args,
    server::{App, db::DbError},
};

const PIECES: [Piece; 2] = [Piece("v", 1000, 5), Piece("w", 2550, 0)];

async fn exec(app: &App, sql: &'static str) {
    app.db.write::<_, DbError>(move |tx| Box::pin(async move { tx.exec(sql, args![]).await })).await.unwrap();
}

/// Asks as a browser that was set to a language here.
async fn chosen(door: &Door, path: &str, language: &str) -> Response {
    let request = door.client.get(format!("{}{path}", door.url));
    request.header(header::COOKIE, format!("lang={language}")).send().await.unwrap()
}

/// The attributes of all tags of a page with a name.
fn tags<'h>(html: &'h str, name: &str) -> Vec<&'h str> {
    let start = format!("<{name} ");
    html.split(&start).skip(1).filter_map(|rest| Some(rest.split_once('>')?.0)).collect()
}

fn value<'t>(tag: &'t str, attribute: &str) -> Option<&'t str> {
    let (_, rest) = tag.split_once(&format!("{attribute}=\""))?;
    Some(rest.split_once('"')?.0)
}

/// The addresses of a page in all languages, as its head tells them.
fn alternates(html: &str) -> Vec<(&str, &str)> {
    let links = tags(html, "link").into_iter().filter(|tag| value(tag, "rel") == Some("alternate"));
    links.map(|tag| (value(tag, "hreflang").unwrap(), value(tag, "href").unwrap())).collect()
}

fn canonical(html: &str) -> Option<&str> {
    let links = tags(html, "link").into_iter().filter(|tag| value(tag, "rel") == Some("canonical"));
    let all: Vec<_> = links.map(|tag| value(tag, "href").unwrap()).collect();
    assert!(all.len() <= 1, "{all:?}");
    all.first().copied()
}

/// What a page says under a name of the Open Graph protocol or of another kind of `meta`.
fn meta<'h>(html: &'h str, name: &str) -> Option<&'h str> {
    let mut all = tags(html, "meta").into_iter();
    let tag = all.find(|tag| value(tag, "property").or(value(tag, "name")) == Some(name))?;
    value(tag, "content")
}

async fn furnish(app: &App) {
    for sql in [
        "insert into category (id, parent_id, handle, position) values ('top', null, 'top', 0), ('low', 'top', 'low', 0)",
        "insert into category (id, parent_id, handle, position) values ('bare', null, 'bare', 1), ('sold', 'bare', 'sold', 0)",
        "update product set category_id = 'low' where id = 'p'",
        "insert into product_text (product_id, locale, title, description_html, seo_title, seo_description, options, tags, words)
            values ('p', 'en', 'Mug', '', '', 'A mug & more', '[]', '[]', 'mug')",
        "insert into product_image (product_id, position, media, alt, width, height, source) values ('p', 1, 'aa.webp', '', 600, 600, '')",
        "update variant set barcode = '4006381333931' where id = 'v'",
    ] {
        exec(app, sql).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_decides_the_language_of_its_page_alone() {
    both(&PIECES, |app| async move {
        furnish(&app).await;
        let door = Door::open(&app).await;
        for (path, cookie, language, title) in [
            ("/p/mug", "zh-CN", "zh-CN", "马克杯"),
            ("/p/mug", "en", "en", "Mug"),
            ("/p/mug?lang=en", "zh-CN", "en", "Mug"),
            ("/p/mug?lang=zh-CN&v=v", "en", "zh-CN", "马克杯"),
            ("/p/mug?lang=fr", "en", "en", "Mug"),
        ] {
            let page = chosen(&door, path, cookie).await;
            assert_eq!(page.status(), 200, "{path}");
            assert!(page.headers().get(header::SET_COOKIE).is_none(), "{path} is for once");
            let html = page.text().await.unwrap();
            assert_eq!(tags(&html, "html").first().and_then(|tag| value(tag, "lang")), Some(language), "{path}");
            assert!(html.contains(&format!("<title>{title} · ")), "{path}: {html}");
        }
        let ask = |language| {
            let request = door.client.get(format!("{}/api/catalog/product?handle=mug", door.url));
            request.header(header::COOKIE, "lang=zh-CN").header("x-lang", language).send()
        };
        for (language, title) in [("en", "Mug"), ("zh-CN", "马克杯"), ("", "马克杯")] {
            let product: Value = ask(language).await.unwrap().json().await.unwrap();
            assert_eq!(product["title"], title, "an open page keeps its language");
        }
        let back = door.get("/lang/en?to=%2Fp%2Fmug%3Flang%3Dzh-CN%26v%3Dv").await;
        assert_eq!(back.headers()[header::LOCATION], "/p/mug?v=v", "a choice is not undone by the address");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_may_be_found_names_itself_and_its_other_languages() {
    both(&PIECES, |app| async move {
        furnish(&app).await;
        let (door, shop) = (Door::open(&app).await, &app.config.public_url);
        for path in ["/", "/categories", "/c/low", "/p/mug"] {
            let expected = [
                ("zh-CN", format!("{shop}{path}?lang=zh-CN")),
                ("en", format!("{shop}{path}?lang=en")),
                ("x-default", format!("{shop}{path}")),
            ];
            let expected: Vec<_> = expected.iter().map(|(tag, address)| (*tag, address.as_str())).collect();
            for (query, own) in [("", 2), ("?lang=en", 1), ("?lang=zh", 0), ("?utm_source=x", 2), ("?lang=fr", 2)] {
                let html = chosen(&door, &format!("{path}{query}"), "en").await.text().await.unwrap();
                assert_eq!(canonical(&html), Some(expected[own].1), "{path}{query}");
                assert_eq!(alternates(&html), expected, "{path}{query}");
                assert_eq!(meta(&html, "og:url"), Some(expected[own].1));
                let locale = if own == 0 { ("zh_CN", "en_US") } else { ("en_US", "zh_CN") };
                assert_eq!(
                    (meta(&html, "og:locale"), meta(&html, "og:locale:alternate")),
                    (Some(locale.0), Some(locale.1))
                );
                for name in ["description", "og:title", "og:description", "og:site_name"] {
                    assert!(meta(&html, name).is_some_and(|text| !text.is_empty()), "{path}{query} {name}");
                }
                assert!(meta(&html, "og:image").is_some_and(|image| image.starts_with(shop.as_str())), "{path}{query}");
            }
        }
        let html = door.get("/c/low?page=1&sort=newest&brand=Brand").await.text().await.unwrap();
        assert_eq!(canonical(&html), Some(format!("{shop}/c/low").as_str()), "a filtered list is no other page");
        for path in ["/search?q=mug", "/cart", "/nowhere"] {
            let html = door.get(path).await.text().await.unwrap();
            assert!(meta(&html, "robots").is_some_and(|robots| robots.contains("noindex")), "{path}");
            assert_eq!((canonical(&html), alternates(&html)), (None, vec![]), "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_shared_with_its_picture_and_read_with_its_offers() {
    both(&PIECES, |app| async move {
        furnish(&app).await;
        let (door, shop) = (Door::open(&app).await, &app.config.public_url);
        let html = door.get("/p/mug?lang=en").await.text().await.unwrap();
        for (name, expected) in [
            ("og:type", "product"),
            ("og:title", "Mug"),
            ("og:description", "A mug &amp; more"),
            ("og:image", &format!("{shop}/media/aa.webp")),
            ("twitter:card", "summary_large_image"),
        ] {
            assert_eq!(meta(&html, name), Some(expected), "{name}");
        }
        let (_, data) = html.split_once("application/ld+json").unwrap();
        let data = data.split_once('>').unwrap().1.split_once("</script>").unwrap().0;
        let read: Value = serde_json::from_str(data).unwrap();
        let group = &read["@graph"][0];
        assert_eq!(group["@type"], "ProductGroup");
        assert_eq!(group["brand"]["name"], "Brand");
        let offers: Vec<_> = group["hasVariant"].as_array().unwrap().iter().collect();
        for (variant, id, price, stock) in
            [(offers[0], "v", "10.00", "InStock"), (offers[1], "w", "25.50", "OutOfStock")]
        {
            assert_eq!(variant["sku"], id);
            assert_eq!(variant["offers"]["price"], price);
            assert_eq!(variant["offers"]["priceCurrency"], "CNY");
            assert_eq!(variant["offers"]["availability"], format!("https://schema.org/{stock}"));
            assert_eq!(variant["offers"]["url"], format!("{shop}/p/mug?lang=en&v={id}"));
        }
        assert_eq!((&offers[0]["gtin"], &offers[1]["gtin"]), (&Value::from("4006381333931"), &Value::Null));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sitemap_names_categories_with_something_in_them_and_every_language() {
    both(&PIECES, |app| async move {
        furnish(&app).await;
        let (door, shop) = (Door::open(&app).await, &app.config.public_url);
        let xml = door.get("/sitemap.xml").await.text().await.unwrap();
        for (handle, listed) in [("top", true), ("low", true), ("bare", false), ("sold", false)] {
            assert_eq!(xml.contains(&format!("/c/{handle}</loc>")), listed, "{xml}");
            let status = door.get(&format!("/c/{handle}")).await.status();
            assert_eq!(status, if listed { 200 } else { 404 }, "{handle}");
        }
        assert!(xml.contains("xmlns:xhtml=\"http://www.w3.org/1999/xhtml\""), "{xml}");
        let entries: Vec<_> = xml.split("<url>").filter(|entry| entry.contains("/p/mug")).collect();
        assert_eq!(entries.len(), 3, "{xml}");
        for (entry, end) in entries.iter().zip(["", "?lang=zh-CN", "?lang=en"]) {
            assert!(entry.starts_with(&format!("<loc>{shop}/p/mug{end}</loc>")), "{entry}");
            for (tag, end) in [("x-default", ""), ("zh-CN", "?lang=zh-CN"), ("en", "?lang=en")] {
                let link = format!("hreflang=\"{tag}\" href=\"{shop}/p/mug{end}\"/>");
                assert!(entry.contains(&link), "{entry}");
            }
        }
        let robots = door.get("/robots.txt").await.text().await.unwrap();
        assert!(robots.contains("Disallow: /me\n") && robots.contains("Allow: /media/\n"), "{robots}");
    })
    .await;
}
