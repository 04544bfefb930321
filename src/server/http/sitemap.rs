//! For search engines: which pages there are, and which are nobody's business.

use super::{Front, request_id};
use crate::{
    args,
    domain::{Error, Locale, catalog::percent_encode},
    server::{context::now, db::Row},
};
use axum::{
    extract::{Path, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use std::fmt::Write;

/// The most pages in one file. Each has an address for every language and one for all, with all others beside it;
/// sitemaps.org allows 50,000 addresses and 50 MB.
const PER_FILE: i64 = 5_000;

const XML: [(axum::http::HeaderName, &str); 1] = [(CONTENT_TYPE, "application/xml; charset=utf-8")];
const NAMESPACE: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";
const XHTML: &str = "http://www.w3.org/1999/xhtml";

pub async fn robots(State(front): State<Front>) -> String {
    let url = &front.app.config.public_url;
    let closed =
        ["/api/", "/cart", "/checkout", "/lang/", "/live", "/me", "/office", "/orders", "/outbox", "/pay/", "/sign-in"];
    let closed: String = closed.map(|path| format!("Disallow: {path}\n")).concat();
    // The longest path that fits decides: pictures are not the customer's own pages.
    format!("User-agent: *\nAllow: /media/\n{closed}\nSitemap: {url}/sitemap.xml\n")
}

/// Whom to tell of a hole (RFC 9116), where the operator has said so. It is good for half a year from now on.
pub async fn security(State(front): State<Front>) -> Response {
    const HALF_A_YEAR_MS: i64 = 180 * 24 * 60 * 60_000;
    let config = &front.app.config;
    let until = jiff::Timestamp::from_millisecond(now() + HALF_A_YEAR_MS).ok();
    let (Some(contact), Some(until)) = (&config.security_contact, until) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let until = until.strftime("%Y-%m-%dT%H:%M:%SZ");
    let canonical = format!("{}/.well-known/security.txt", config.public_url);
    format!("Contact: {contact}\nExpires: {until}\nPreferred-Languages: zh, en\nCanonical: {canonical}\n")
        .into_response()
}

/// Everything in one file, or the list of the files when there are more.
pub async fn index(State(front): State<Front>) -> Response {
    answer(async {
        let row = front.app.db.one("select count(*) as n from product where status = 'active'", args![]).await?;
        let products = row.get::<i64>("n")?;
        if products < PER_FILE - 1000 {
            return urls(&front, 0, PER_FILE, true).await;
        }
        let mut xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<sitemapindex xmlns=\"{NAMESPACE}\">\n");
        for file in 0..=(products - 1) / PER_FILE + 1 {
            let _ = writeln!(xml, "<sitemap><loc>{}/sitemaps/{file}.xml</loc></sitemap>", front.app.config.public_url);
        }
        xml.push_str("</sitemapindex>\n");
        Ok(xml)
    })
    .await
}

/// One file of many: `0.xml` holds the categories, those after it the products.
pub async fn page(State(front): State<Front>, Path(name): Path<String>) -> Response {
    let file =
        name.strip_suffix(".xml").and_then(|number| number.parse::<i64>().ok()).filter(|n| (0..10_000).contains(n));
    match file {
        Some(0) => answer(urls(&front, 0, 0, true)).await,
        Some(file) => answer(urls(&front, (file - 1) * PER_FILE, PER_FILE, false)).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn answer(xml: impl Future<Output = Result<String, Error>>) -> Response {
    match xml.await {
        Ok(xml) => (XML, xml).into_response(),
        Err(error) => {
            tracing::error!(%error, request = request_id(), "sitemap");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn urls(front: &Front, from: i64, count: i64, categories: bool) -> Result<String, Error> {
    let (db, url) = (&front.app.db, &front.app.config.public_url);
    let mut xml =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"{NAMESPACE}\" xmlns:xhtml=\"{XHTML}\">\n");
    let mut add = |path: &str, handle: &str, changed: Option<i64>| {
        let changed = changed.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        let changed = changed.map(|at| at.strftime("<lastmod>%Y-%m-%d</lastmod>").to_string()).unwrap_or_default();
        // Percent-encoding leaves nothing that XML would need escaped.
        let path = format!("{path}{}", percent_encode(handle));
        let mut addresses = vec![("x-default", format!("{url}{path}"))];
        addresses.extend(Locale::ALL.map(|locale| (locale.tag(), format!("{url}{}", locale.address(&path)))));
        let link = |(tag, address): &(&str, String)| {
            format!("<xhtml:link rel=\"alternate\" hreflang=\"{tag}\" href=\"{address}\"/>")
        };
        let links: String = addresses.iter().map(link).collect();
        for (_, address) in &addresses {
            let _ = writeln!(xml, "<url><loc>{address}</loc>{changed}{links}</url>");
        }
    };
    if categories {
        add("/", "", None);
        add("/categories", "", None);
        // The page of a category in which nothing is sold is not found.
        let sql = "select c.handle from category c where exists (select 1 from product p where p.status = 'active'
            and (p.category_id = c.id or p.category_id in (select d.id from category d where d.parent_id = c.id)))
            order by c.handle";
        for row in db.all(sql, args![]).await? {
            add("/c/", &handle(&row)?, None);
        }
    }
    if count > 0 {
        let sql = "select handle, updated_at from product where status = 'active' order by id limit $1 offset $2";
        for row in db.all(sql, args![count, from]).await? {
            add("/p/", &handle(&row)?, Some(row.get("updated_at")?));
        }
    }
    xml.push_str("</urlset>\n");
    Ok(xml)
}

fn handle(row: &Row) -> Result<String, Error> {
    Ok(row.get("handle")?)
}
