//! Pages that look the same to everybody of whom nothing is known: made once for all who ask for one until something changes
//! that it shows, instead of once for each of them. When a thousand people open the same link, the server draws one page.
//!
//! Only pages of the catalogue are shared, and only with visitors whose browser sent no cookie but the language: they have
//! no cart, no account and no past here. A page is made anew as soon as this process hears of a change of what it shows: of
//! a price, of stock, of what was sold, of a review, of what an import brought, of the search index; here, on another node
//! (see [`nodes`](crate::server::nodes)) or by an import beside them. One number counts all of these changes,
//! [`Hub::product_changes`](crate::server::live::Hub::product_changes). It is read before anything of a page is. Orders come
//! all the time, and change the stock and the sales of some products alone: while a page is made it is noted which products
//! it shows, and of what else its lists are made ([`Shown`]), so that an order leaves all other pages as they are. Any other
//! change may be seen on every page (see [`Changes`](crate::server::live::Changes)).
//!
//! So that nobody sees a price of yesterday, a page is shared for no longer than a second
//!
//! - while changes may go unheard ([`Hub::hears_all`](crate::server::live::Hub::hears_all)), as when the connection by which
//!   other nodes are heard was lost;
//! - where it shows what no change is told of, such as the free times, nights and places of what is booked ([`Fleeting`]), or
//!   where something of it could not be read;
//!
//! and in any case for no longer than a minute, for what is told by nobody, such as the new name of a category. What changed
//! meanwhile is told by the live feed, which begins with the present state.
//!
//! The nonce of the content security policy is another one in each answer, because one that is known in advance protects
//! from nothing. It is no part of what a page is told by: a browser that has the page of a moment ago asks with its tag, and
//! is told that the page is still the same. It then shows what it has, with the policy and the nonce that came with it.

mod page;
mod shelf;
mod shown;

use super::cookie::{self, LANG_COOKIE};
use crate::{
    domain::Locale,
    server::{Ctx, figures},
};
use axum::{
    extract::Request,
    http::{HeaderValue, Method},
    response::Response,
};
use leptos::context::use_context;
use page::Page;
use shelf::{LIFE, Shelf};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::time::timeout;

pub use shelf::Moment;
pub use shown::Shown;

/// The longest address whose page is shared, in bytes.
const ADDRESS: usize = 512;
/// How often somebody waits for a page that was begun before what they know of, until they make one.
const WAITS: usize = 2;
/// Where the pages of the catalogue begin, beside the first one.
const CATALOGUE: [&str; 4] = ["/categories", "/c/", "/p/", "/search"];

/// A page as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    address: String,
    locale: Locale,
}

impl Asked {
    /// The page that a request asks for, if it may be shared.
    pub fn of(ctx: &Ctx, request: &Request) -> Option<Self> {
        let uri = request.uri();
        let address = uri.path_and_query()?.as_str();
        let listed = uri.path() == "/" || CATALOGUE.iter().any(|begin| uri.path().starts_with(begin));
        let unknown = cookie::only(&ctx.app.config, request.headers(), LANG_COOKIE);
        (request.method() == Method::GET && listed && unknown && address.len() <= ADDRESS)
            .then(|| Self { address: address.to_owned(), locale: ctx.locale })
    }
}

/// Notes that a page shows something of which no change is told: it is not shared for longer than a second.
#[derive(Clone, Default)]
pub struct Fleeting(Arc<AtomicBool>);

impl Fleeting {
    /// The note of the page that is being made; none where the answer is none.
    pub fn of_page() -> Option<Self> {
        use_context()
    }

    pub fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_noted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The pages that are shared just now; none for what cannot be.
#[derive(Clone, Default)]
pub struct Shared(Arc<Shelf<Asked, Option<Page>>>);

impl Shared {
    /// Answers with the page that others asked for, or else makes it; those who ask meanwhile wait for it, also where
    /// something changed after it was begun: it mostly is nothing that it shows. What cannot be shared is made for each.
    /// `moment` is the present one; `known` are the tags of what the browser has (RFC 9110 §13.1.2).
    pub async fn answer<F: Future<Output = Response>>(
        &self,
        asked: Asked,
        moment: impl Fn() -> Moment,
        known: Option<&HeaderValue>,
        make: impl Fn() -> F,
    ) -> Response {
        metrics::counter!(figures::SHARED, "step" => "asked").increment(1);
        let arrived = moment();
        let good = self.0.good(&asked, arrived);
        if let Some(Some(page)) = good.as_ref().and_then(|place| place.get()) {
            return page.answer(known);
        }
        // Most requests end above, and need no room for the rest.
        Box::pin(self.made(asked, (arrived, moment), known, make)).await
    }

    async fn made<F: Future<Output = Response>>(
        &self,
        asked: Asked,
        (arrived, moment): (Moment, impl Fn() -> Moment),
        known: Option<&HeaderValue>,
        make: impl Fn() -> F,
    ) -> Response {
        let make = || {
            metrics::counter!(figures::SHARED, "step" => "made").increment(1);
            make()
        };
        let mut present = None;
        for _ in 0..WAITS {
            let Some(under_way) = self.0.under_way(&asked, arrived) else { break };
            // Ends when it is made, or when nobody makes it any more.
            let _ = timeout(LIFE, under_way.get_or_try_init(|| async { Err(()) })).await;
            present = Some(moment());
        }
        let place = self.0.place(&asked, arrived, present.unwrap_or(arrived));
        let mut own = None;
        let shared = place
            .get_or_init(|| async {
                let made = Page::of(make().await).await;
                if let Ok(page) = &made {
                    self.0.settle(&asked, &place, page.bytes(), page.lasts(), page.shown());
                }
                made.map_err(|answer| own = Some(answer)).ok()
            })
            .await;
        match (shared, own) {
            (Some(page), _) => page.answer(known),
            (None, Some(answer)) => answer,
            (None, None) => make().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{page::nonce_of, *};
    use crate::{
        domain::live::Topic,
        server::live::{Hub, Sight, Sold},
    };
    use axum::{
        body::to_bytes,
        http::{
            StatusCode,
            header::{CONTENT_SECURITY_POLICY, ETAG, SET_COOKIE},
        },
        response::IntoResponse,
    };
    use std::{
        sync::atomic::AtomicUsize,
        time::{Duration, Instant},
    };

    /// A page of which it was noted that it shows one product.
    fn page_of(live: &Hub, product: &str, body: &str) -> Response {
        let (mut page, shown) = (page("first", body), Shown::new(live));
        shown.note(&Sight { products: vec![product.to_owned()], ..Sight::default() });
        page.extensions_mut().insert(shown);
        page
    }

    fn asked(address: &str) -> Asked {
        Asked { address: address.to_owned(), locale: Locale::default() }
    }

    /// Now, after so many changes.
    fn after(changes: u64) -> Moment {
        Moment { now: Instant::now(), changes, sure: true }
    }

    fn page(nonce: &str, body: &str) -> Response {
        let policy = format!("script-src 'self' 'nonce-{nonce}'; img-src 'self'");
        let mut page = ([(CONTENT_SECURITY_POLICY, policy)], body.to_owned()).into_response();
        page.extensions_mut().insert(Fleeting::default());
        page
    }

    async fn text(answer: Response) -> String {
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap_or_default();
        String::from_utf8_lossy(&body).into_owned()
    }

    #[tokio::test]
    async fn a_page_is_made_once_and_each_answer_has_a_nonce_of_its_own() {
        let (shared, made) = (Shared::default(), AtomicUsize::new(0));
        let make = async || {
            made.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            page("first", "<script nonce=\"first\">1</script>")
        };
        let answers =
            futures::future::join_all((0..8).map(|_| shared.answer(asked("/"), || after(0), None, make))).await;
        assert_eq!(made.load(Ordering::Relaxed), 1);
        let mut nonces = std::collections::HashSet::new();
        for answer in answers {
            let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap_or_default().to_owned();
            let nonce = nonce_of(&policy).unwrap_or_default().to_owned();
            assert_eq!(policy, format!("script-src 'self' 'nonce-{nonce}'; img-src 'self'"));
            assert_eq!(text(answer).await, format!("<script nonce=\"{nonce}\">1</script>"));
            assert!(nonces.insert(nonce), "each its own");
        }
        shared.answer(asked("/search"), || after(0), None, make).await;
        assert_eq!(made.load(Ordering::Relaxed), 2, "another page");
        shared.answer(asked("/"), || after(1), None, make).await;
        assert_eq!(made.load(Ordering::Relaxed), 3, "the catalogue changed");
    }

    #[tokio::test]
    async fn a_page_that_the_browser_has_is_not_sent_again() {
        let shared = Shared::default();
        // Made anew each time the catalogue changes, with another nonce and the words of the moment.
        let ask = async |changes: u64, words: &'static str, known: Option<&HeaderValue>| {
            let make = async || page(&format!("nonce-{changes}"), &format!("<p nonce=\"nonce-{changes}\">{words}</p>"));
            shared.answer(asked("/"), || after(changes), known, make).await
        };
        let first = ask(0, "1", None).await;
        let tag = first.headers()[ETAG].clone();
        assert_eq!(first.status(), StatusCode::OK);
        for changes in [0, 1] {
            let again = ask(changes, "1", Some(&tag)).await;
            assert_eq!((again.status(), &again.headers()[ETAG]), (StatusCode::NOT_MODIFIED, &tag));
            assert!(!again.headers().contains_key(CONTENT_SECURITY_POLICY), "the one that it came with stays");
            assert_eq!(text(again).await, "");
        }
        let many = HeaderValue::try_from(format!("\"other\", {}", tag.to_str().unwrap_or_default())).ok();
        assert_eq!(ask(1, "1", many.as_ref()).await.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(ask(1, "1", Some(&HeaderValue::from_static("\"other\""))).await.status(), StatusCode::OK);
        let changed = ask(2, "2", Some(&tag)).await;
        assert_eq!(changed.status(), StatusCode::OK);
        assert_ne!(changed.headers()[ETAG], tag);
    }

    #[tokio::test]
    async fn what_is_meant_for_one_visitor_is_made_for_each() {
        let (shared, made) = (Shared::default(), AtomicUsize::new(0));
        let make = async || {
            let n = made.fetch_add(1, Ordering::Relaxed);
            let mut answer = page("first", &n.to_string());
            answer.headers_mut().insert(SET_COOKIE, HeaderValue::from_static("xiadan_guest=1"));
            answer
        };
        assert_eq!(text(shared.answer(asked("/"), || after(0), None, make).await).await, "0");
        assert_eq!(text(shared.answer(asked("/"), || after(0), None, make).await).await, "1");
        let missing = async || (StatusCode::NOT_FOUND, page("first", "none")).into_response();
        assert_eq!(shared.answer(asked("/p/none"), || after(0), None, missing).await.status(), StatusCode::NOT_FOUND);
        assert_eq!(shared.answer(asked("/p/none"), || after(0), None, missing).await.status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn a_page_is_shared_until_the_catalogue_changes_where_every_change_is_told() {
        let (shared, made) = (Shared::default(), AtomicUsize::new(0));
        let begun = Instant::now();
        let ask = async |(seconds, changes, sure): (u64, u64, bool), fleeting: bool, address: &str| {
            let make = async || {
                let answer = page("first", &made.fetch_add(1, Ordering::Relaxed).to_string());
                if let Some(note) = answer.extensions().get::<Fleeting>().filter(|_| fleeting) {
                    note.note();
                }
                answer
            };
            let moment = Moment { now: begun + Duration::from_secs(seconds), changes, sure };
            text(shared.answer(asked(address), || moment, None, make).await).await
        };
        assert_eq!(ask((0, 0, true), false, "/").await, "0");
        assert_eq!(ask((59, 0, true), false, "/").await, "0");
        assert_eq!(ask((59, 1, true), false, "/").await, "1", "something changed");
        assert_eq!(ask((60, 1, false), false, "/").await, "2", "something may have changed");
        assert_eq!(ask((119, 1, true), false, "/").await, "2");
        assert_eq!(ask((120, 1, true), false, "/").await, "3", "whatever may have");
        assert_eq!(ask((0, 0, true), true, "/p/room").await, "4");
        assert_eq!(ask((0, 0, true), true, "/p/room").await, "4");
        assert_eq!(ask((1, 0, true), true, "/p/room").await, "5", "of its free nights nothing tells");
    }

    #[tokio::test]
    async fn an_order_leaves_the_pages_of_other_products_as_they_are() {
        let (shared, live, made) = (Shared::default(), Hub::new(), AtomicUsize::new(0));
        let ask = async |product: &str| {
            let make = async || page_of(&live, product, &made.fetch_add(1, Ordering::Relaxed).to_string());
            text(shared.answer(asked(&format!("/p/{product}")), || after(live.product_changes()), None, make).await)
                .await
        };
        assert_eq!((ask("mug").await, ask("lamp").await), ("0".to_owned(), "1".to_owned()));
        live.stock_changed("mug".to_owned());
        live.sold(&Sold { categories: vec!["tea".to_owned()], sales: 1 });
        assert_eq!((ask("lamp").await, ask("mug").await), ("1".to_owned(), "2".to_owned()));
        live.changed(Topic::Product("mug".to_owned()));
        assert_eq!(
            (ask("lamp").await, ask("mug").await),
            ("3".to_owned(), "4".to_owned()),
            "its name may stand anywhere"
        );
    }

    #[tokio::test]
    async fn who_comes_while_a_page_is_made_is_given_it_unless_it_has_changed() {
        let (shared, live, made) = (Shared::default(), Hub::new(), AtomicUsize::new(0));
        let make = async || {
            let n = made.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            page_of(&live, "mug", &n.to_string())
        };
        // Just after an order.
        let ask = async |ordered: &'static str| {
            live.heard_stock(ordered.to_owned());
            text(shared.answer(asked("/p/mug"), || after(live.product_changes()), None, make).await).await
        };
        let answers = futures::future::join_all((0..8).map(|_| ask("lamp"))).await;
        assert!(answers.iter().all(|answer| answer == "0"), "{answers:?}");
        let answers = futures::future::join_all((0..8).map(|_| ask("mug"))).await;
        assert_eq!(answers.first().map(String::as_str), Some("1"));
        assert!(answers.iter().skip(1).all(|answer| answer != "0" && answer != "1"), "{answers:?}");
        assert!(
            made.load(Ordering::Relaxed) <= 4,
            "who waited is given what was begun after the last change: {answers:?}"
        );
    }

    #[tokio::test]
    async fn of_a_page_that_is_broken_off_nothing_stays() {
        let (shared, made) = (Shared::default(), AtomicUsize::new(0));
        let make = async || {
            if made.fetch_add(1, Ordering::Relaxed) == 0 {
                std::future::pending::<()>().await;
            }
            page("first", "whole")
        };
        let first = shared.answer(asked("/"), || after(0), None, make);
        assert!(tokio::time::timeout(Duration::from_millis(10), first).await.is_err());
        assert_eq!(text(shared.answer(asked("/"), || after(0), None, make).await).await, "whole");
        assert_eq!(text(shared.answer(asked("/"), || after(0), None, make).await).await, "whole");
        assert_eq!(made.load(Ordering::Relaxed), 2);
    }
}
