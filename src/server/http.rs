//! The way in: routes, who asks in which language, security headers, logs and figures of every request.
//!
//! From outside in, a request passes [`observe`] (id, log line, metrics, panics), [`guard`] (foreign origins, size,
//! security headers), [`site`] (files of the built site, answered from memory), [`limit`] (too much of it), [`request`] (the [`Ctx`]), and reaches
//! a page, a server function ([`functions`]) or one of the few plain routes below.

pub mod acme;
mod calendar;
mod consent;
pub mod cookie;
mod copy;
pub mod document;
mod functions;
mod guard;
mod health;
pub mod kept;
pub mod limit;
pub mod listen;
mod live;
mod media;
mod observe;
pub mod redirect;
mod request;
pub mod shared;
pub mod site;
mod sitemap;
pub mod tls;

use super::{App, Ctx, payment};
use crate::{app, ui::design};
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request},
    http::header::{CONTENT_TYPE, IF_NONE_MATCH},
    middleware::from_fn_with_state,
    response::Response,
    routing::{MethodRouter, get, on},
};
use leptos::{IntoView, context::provide_context};
use shared::{Asked, Fleeting, Moment, Shared, Shown};
use site::Site;
use std::{
    ops::Deref,
    sync::{Arc, LazyLock},
};
use tokio::sync::watch;
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{DefaultPredicate, Predicate, SizeAbove},
    },
};

pub use crate::domain::page::local_path;
pub use cookie::{
    DEVICE_COOKIE, GUEST_COOKIE, LANG_COOKIE, ORDERS_COOKIE, PENDING_COOKIE, SESSION_COOKIE, STAFF_COOKIE,
    STAFF_PENDING_COOKIE, clear_site_data, set_cookie,
};
pub use health::{ALIVE, METRICS, READY, install_metrics, metrics_router};
pub use observe::{request_id, to_the_end};

/// The largest request body: forms are small, files come by import.
const BODY_LIMIT: usize = 1024 * 1024;

/// The addresses of all pages. To learn them the app is built while nothing is loaded, and that is so for the whole process: a
/// page that is made at that moment waits for ever. So it is done once, before there is a router.
static PAGES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let pages = leptos_axum::generate_route_list(app::App);
    pages.iter().map(|page| page.path().to_owned()).collect()
});

/// What every route is given: each layer of each request has it, so that it is one pointer.
#[derive(Clone)]
pub struct Front(Arc<FrontParts>);

impl From<FrontParts> for Front {
    fn from(parts: FrontParts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for Front {
    type Target = FrontParts;

    fn deref(&self) -> &FrontParts {
        &self.0
    }
}

/// What a [`Front`] has.
pub struct FrontParts {
    pub app: App,
    pub site: Arc<Site>,
    pub metrics: metrics_exporter_prometheus::PrometheusHandle,
    pub limits: Arc<limit::Limits>,
    pub shared: Shared,
    /// Turns true when the process is asked to stop: it still answers, but nobody should count on it.
    pub leaving: watch::Receiver<bool>,
}

/// All routes of the shop.
pub fn router(front: Front) -> Router {
    let mut dynamic = Router::new();
    for path in PAGES.iter() {
        dynamic = dynamic.route(path, page(&front, document::shop));
    }
    if front.app.config.development {
        let styles = || async { ([(CONTENT_TYPE, "text/css; charset=utf-8")], design::STYLES) };
        dynamic = dynamic.route("/design", page(&front, document::design)).route(design::STYLES_PATH, get(styles));
    }
    for (path, method) in server_fn::axum::server_fn_paths() {
        if let Ok(method) = method.try_into() {
            dynamic = dynamic.route(path, on(method, functions::answer));
        }
    }
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Precise(4))
        .compress_when(DefaultPredicate::new().and(SizeAbove::new(512)));
    let dynamic = dynamic
        .route("/lang/{tag}", get(request::choose_language))
        .route("/robots.txt", get(sitemap::robots))
        .route("/.well-known/security.txt", get(sitemap::security))
        .route("/sitemap.xml", get(sitemap::index))
        .route("/sitemaps/{page}", get(sitemap::page))
        .route("/orders/{number}/{file}", get(calendar::file))
        .fallback_service(page(&front, document::shop))
        .layer(compression.clone())
        .layer(from_fn_with_state(front.clone(), request::context))
        .with_state(front.clone());
    // Drawings are text; other pictures are packed already and left as they are.
    let pictures = Router::new()
        .route("/media/{name}", get(media::file))
        .route("/media/{name}/{width}", get(media::narrow))
        .layer(compression)
        .with_state(front.clone());
    let live = Router::new()
        .route(live::PATH, get(live::stream))
        .layer(from_fn_with_state(front.clone(), request::context))
        .with_state(front.clone());
    // Apart from the pages: what is packed already is not packed again.
    let copies = Router::new()
        .route("/me/privacy/copy/{id}", get(copy::file))
        .layer(from_fn_with_state(front.clone(), request::context))
        .with_state(front.clone());
    Router::new()
        .route(ALIVE, get(health::alive))
        .route(READY, get(health::ready))
        .route(METRICS, get(health::metrics))
        .with_state(front.clone())
        .merge(pictures)
        .merge(payment::routes(front.app.clone()))
        .merge(dynamic)
        .merge(copies)
        // Everything but the live feed ends: a webhook or a form whose body never comes is given up.
        .layer(from_fn_with_state(front.clone(), guard::time_limit))
        .merge(live)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(front.clone(), limit::check))
        .layer(from_fn_with_state(front.clone(), site::serve))
        .layer(from_fn_with_state(front.clone(), guard::check))
        .layer(from_fn_with_state(front, observe::observe))
}

/// Renders the document of whatever page the address names.
fn page<S, V>(front: &Front, document: fn() -> V) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let (site, shared) = (front.site.clone(), front.shared.clone());
    let render = move |request: Request| {
        let (site, ctx) = (site.clone(), request.extensions().get::<Ctx>().cloned());
        let (fleeting, shown) = (Fleeting::default(), ctx.as_ref().map(|ctx| Shown::new(&ctx.app.live)));
        let notes = (fleeting.clone(), shown.clone());
        let context = move || {
            provide_context(site.clone());
            provide_context(notes.0.clone());
            if let Some(shown) = &notes.1 {
                provide_context(shown.clone());
            }
            // Leptos would name the parts itself, but after the rendering, where it may write into another page's head.
            provide_context(document::Preloaded::default());
            if let Some(ctx) = &ctx {
                provide_context(ctx.clone());
            }
        };
        let rendered = leptos_axum::render_app_async_with_context(context, document)(request);
        async move {
            let mut page = rendered.await;
            page.extensions_mut().insert(fleeting);
            if let Some(shown) = shown {
                page.extensions_mut().insert(shown);
            }
            page
        }
    };
    get(move |request: Request<Body>| {
        let (render, shared) = (render.clone(), shared.clone());
        // What these showed must not come back after signing out, from no cache and no history.
        let secret = SECRET.iter().any(|part| request.uri().path().starts_with(part));
        let opened = consent::Opened::of(&request);
        async move {
            let question = match opened {
                // Rare and large; most requests need not have room for it.
                Some(opened) => Box::pin(opened.question()).await,
                None => None,
            };
            match question {
                Some(question) => private(question, true),
                None => private(answer(&shared, request, render).await, secret),
            }
        }
    })
}

/// A page that was made for others as well, or one that is made for this visitor.
async fn answer<F: Future<Output = Response>>(
    shared: &Shared,
    request: Request,
    render: impl Fn(Request) -> F,
) -> Response {
    let asked = request.extensions().get::<Ctx>().and_then(|ctx| {
        let asked = Asked::of(ctx, &request)?;
        Some((asked, ctx.app.live.clone()))
    });
    let Some((asked, live)) = asked else { return Box::pin(render(request)).await };
    // Has no body, and can be asked again.
    let (parts, _) = request.into_parts();
    let known = parts.headers.get(IF_NONE_MATCH);
    let make = || render(Request::from_parts(parts.clone(), Body::empty()));
    shared.answer(asked, || Moment::of(&live), known, make).await
}

/// Where pages begin that show names and addresses, or what only staff may see.
const SECRET: [&str; 7] = ["/office", "/me", "/orders/", "/checkout", "/pay", "/sign-in", "/outbox"];

/// Keeps what was made for one person out of shared caches, and lets browsers ask whether it is still true.
/// A `secret` page is not kept at all.
fn private(mut response: Response, secret: bool) -> Response {
    use http::header::{CACHE_CONTROL, HeaderValue, VARY};
    let headers = response.headers_mut();
    let kept = HeaderValue::from_static(if secret { "no-store" } else { "private, no-cache" });
    headers.entry(CACHE_CONTROL).or_insert(kept);
    headers.append(VARY, HeaderValue::from_static("cookie, accept-language, x-lang"));
    response
}
