//! The document around a page: its head, its files, its content security policy; and the document that is shown when a
//! page could not be made at all.

use super::{
    Front,
    request::locale,
    site::{Names, Site},
};
use crate::{
    api::page::{use_currency, use_locale},
    app::App,
    domain::{Error, Locale, texts::error as t},
    server::{Ctx, config::Config},
    ui::{design::DesignPage, error::message},
};
use axum::{
    extract::Request,
    http::{
        HeaderName, HeaderValue, Method, StatusCode, Uri,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LINK},
    },
    response::{IntoResponse, Response},
};
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;
use server_fn::error::{FromServerFnError, SERVER_FN_ERROR_HEADER};
use std::sync::{Arc, Mutex, PoisonError};

/// A page of the shop, which the client takes over.
pub fn shop() -> impl IntoView {
    document(interactive(), || view! { <App/> })
}

/// The page of all components, which stays as the server made it.
pub fn design() -> impl IntoView {
    document(false, || view! { <DesignPage/> })
}

/// The whole document, as the server sends it.
fn document<V: IntoView>(interactive: bool, body: fn() -> V) -> impl IntoView + use<V> {
    let files = files();
    secure();
    let [texts, more_texts] = files.texts(use_locale()).clone();
    let script = interactive.then(|| view! {
        <link rel="modulepreload" href=files.js.clone()/>
        {files.loader.clone().map(|loader| view! { <link rel="modulepreload" href=loader/> })}
        <link rel="preload" href=files.wasm.clone() r#as="fetch" r#type="application/wasm" crossorigin=""/>
        <link rel="preload" href=texts.clone() r#as="fetch" crossorigin=""/>
        <script type="module" nonce=use_nonce()>
            {format!(
                "import init,{{hydrate}} from {:?};\
                const read=a=>fetch(a).then(r=>r.ok?r.text():Promise.reject(r.status));\
                Promise.all([read({texts:?}),init({{module_or_path:{:?}}})]).then(([t])=>hydrate(t,()=>read({more_texts:?})))",
                files.js, files.wasm,
            )}
        </script>
    });
    view! {
        <!DOCTYPE html>
        <html lang=use_locale().tag() data-currency=use_currency().code() data-passkeys-at=passkeys_at()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                <meta name="theme-color" content="#faf7f2" media="(prefers-color-scheme: light)"/>
                <meta name="theme-color" content="#141210" media="(prefers-color-scheme: dark)"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="apple-touch-icon" href="/apple-touch-icon.png"/>
                <link rel="manifest" href="/manifest.webmanifest"/>
                <link rel="stylesheet" href=files.css/>
                <script defer src="/boot.js"></script>
                {script}
                {reload()}
                <MetaTags/>
            </head>
            <body>{body()}</body>
        </html>
    }
}

/// Where passkeys work, for the script that offers them.
fn passkeys_at() -> Option<String> {
    let origin = Config::passkeys_at(&use_context::<Ctx>()?.app.config.public_url)?;
    Some(origin.origin().ascii_serialization())
}

/// The addresses of the client's files.
fn files() -> Names {
    use_context::<Arc<Site>>().map(|site| site.names.clone()).unwrap_or_default()
}

/// The parts of the client that the page being rendered preloads.
#[derive(Clone, Default)]
pub struct Preloaded(Arc<Mutex<Vec<&'static str>>>);

/// Lets the browser load a part of the client while it still reads the page: by a header (RFC 8288), because the client
/// takes over the tags of the head one by one, and would find one more than it wrote.
pub fn preload(part: &'static str) {
    let (Some(site), Some(Preloaded(parts)), Some(answer)) =
        (use_context::<Arc<Site>>(), use_context(), use_context::<leptos_axum::ResponseOptions>())
    else {
        return;
    };
    let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
    if parts.contains(&part) || !interactive() {
        return;
    }
    let [_, texts] = site.names.texts(use_locale());
    let texts = parts.is_empty().then(|| format!("<{texts}>; rel=preload; as=fetch; crossorigin"));
    parts.push(part);
    let code = site.parts.get(part).into_iter().flatten();
    let code = code.map(|file| format!("<{file}>; rel=preload; as=fetch; type=\"application/wasm\"; crossorigin"));
    for link in code.chain(texts) {
        if let Ok(link) = HeaderValue::from_str(&link) {
            answer.append_header(LINK, link);
        }
    }
}

/// Whether the client takes the page over. It must not where the address is another than the page was made for: the
/// service worker shows `/offline` in place of pages it does not have.
fn interactive() -> bool {
    use_context::<http::request::Parts>().is_none_or(|parts| parts.uri.path() != "/offline")
}

/// Sends the content security policy with the page that is being rendered: nothing but the shop's own files runs, and
/// inline scripts only with this answer's nonce.
fn secure() {
    let (Some(answer), Some(nonce), Some(ctx)) =
        (use_context::<leptos_axum::ResponseOptions>(), use_nonce(), use_context::<Ctx>())
    else {
        return;
    };
    // Chromium applies `form-action` to where a form is redirected: from the order to the provider's cashier.
    let config = &ctx.app.config;
    let cashier = Some(&config.sandbox_url).filter(|_| config.sandbox).and_then(|url| origin(url)).unwrap_or_default();
    // `cargo xtask dev` tells open pages to reload over a WebSocket of another port.
    let reload = if watched() { " ws:" } else { "" };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data: blob:; connect-src 'self'{reload}; object-src 'none'; base-uri 'none'; \
         form-action 'self' {cashier}; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        answer.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
}

fn origin(address: &str) -> Option<String> {
    Some(url::Url::parse(address).ok()?.origin().ascii_serialization())
}

fn watched() -> bool {
    std::env::var_os("LEPTOS_WATCH").is_some()
}

/// The script that reloads the page after a build of `cargo xtask dev`.
fn reload() -> Option<impl IntoView> {
    watched().then(|| {
        let port = std::env::var("LEPTOS_RELOAD_PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(3001);
        let options = LeptosOptions::builder().output_name(super::site::NAME).reload_port(port).build();
        view! { <AutoReload options/> }
    })
}

/// What must be known of a request to answer it after it was consumed.
#[derive(Clone)]
pub struct Outline {
    pub method: Method,
    pub uri: Uri,
    locale: Locale,
    /// Whether a person looks at the answer, rather than a script.
    page: bool,
}

impl Outline {
    pub fn of(front: &Front, request: &Request) -> Self {
        let headers = request.headers();
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            locale: locale(&front.app.config, request.uri(), headers),
            page: accept.contains("text/html"),
        }
    }
}

/// An answer in place of a page or a server function that could not be run.
pub fn failure(front: &Front, outline: &Outline, status: StatusCode, error: &Error) -> Response {
    let mut response = if outline.page {
        ([(CONTENT_TYPE, "text/html; charset=utf-8")], broken(&front.site.names.css, outline.locale, error))
            .into_response()
    } else {
        let mut response = ([(CONTENT_TYPE, "application/json")], error.ser()).into_response();
        if let Ok(path) = HeaderValue::from_str(outline.uri.path()) {
            response.headers_mut().insert(HeaderName::from_static(SERVER_FN_ERROR_HEADER), path);
        }
        response
    };
    *response.status_mut() = status;
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A whole document without any script, which needs nothing of what may have failed. Nothing in it comes from outside.
fn broken(css: &str, l: Locale, error: &Error) -> String {
    let (title, text) = match error {
        Error::Internal(_) => (l.t(t::BROKEN_TITLE).to_owned(), l.t(t::BROKEN_TEXT)),
        error => (message(l, error), ""),
    };
    let number = match error {
        Error::Internal(id) => format!(r#"<p class="empty-text">{}<span class="code">{id}</span></p>"#, l.t(t::NUMBER)),
        _ => String::new(),
    };
    format!(
        r#"<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title><link rel="stylesheet" href="{css}"></head><body><main class="page container"><div class="empty"><h1 class="empty-title">{title}</h1><p class="empty-text">{text}</p>{number}<div class="empty-actions"><a class="btn btn-primary" href="/">{home}</a></div></div></main></body></html>"#,
        lang = l.tag(),
        home = l.t(t::TO_HOME),
    )
}
