//! The question about new terms in a session that is open: before the next page that somebody opens, once.

use crate::{
    domain::privacy::question,
    server::{
        App, Ctx,
        account::consent::{self, Standing},
    },
};
use axum::{
    extract::Request,
    http::{
        Method, StatusCode,
        header::{HeaderName, LOCATION},
    },
    response::{IntoResponse, Response},
};

/// Where pages begin before which nobody is asked: what the question is about and what leads to it, what must not be
/// held up once it is begun, and the office, whose people are others.
const NEVER: [&str; 8] = ["/me/consent", "/terms", "/privacy", "/sign-in", "/checkout", "/pay", "/office", "/offline"];

/// A page that somebody with an account opens, and before which the question may come.
pub struct Opened {
    app: App,
    customer: String,
    page: String,
    now: i64,
}

impl Opened {
    /// The page of a request, if it is one of them.
    pub fn of(request: &Request) -> Option<Self> {
        let ctx = request.extensions().get::<Ctx>()?;
        let session = ctx.session.as_ref()?;
        let path = request.uri().path();
        if request.method() != Method::GET || !is_opened(request) || NEVER.iter().any(|begin| path.starts_with(begin)) {
            return None;
        }
        let page = request.uri().path_and_query().map_or(path, |page| page.as_str()).to_owned();
        Some(Self { app: ctx.app.clone(), customer: session.customer_id.clone(), page, now: ctx.now })
    }

    /// The way to the question, where somebody is to be asked; from there it goes on to the page. That they were asked
    /// is noted with it.
    pub async fn question(self) -> Option<Response> {
        // What cannot be read or written is in the log, and holds nobody up.
        if consent::standing(&self.app, &self.customer).await.ok()? != Standing::New {
            return None;
        }
        consent::note_asked(&self.app, &self.customer, self.now).await.ok()?;
        Some((StatusCode::SEE_OTHER, [(LOCATION, question(&self.page))]).into_response())
    }
}

/// Whether somebody opens the page, and not a script that keeps it for later; browsers that say nothing of it, on plain
/// HTTP, have no such script.
fn is_opened(request: &Request) -> bool {
    let says = |name: &'static str| request.headers().get(HeaderName::from_static(name));
    says("sec-fetch-mode").is_none_or(|mode| mode == "navigate") && says("sec-purpose").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, http};

    #[test]
    fn what_a_script_fetches_is_opened_by_nobody() {
        let opened = |headers: &[(&str, &str)]| {
            let request =
                headers.iter().fold(http::Request::builder(), |request, (name, value)| request.header(*name, *value));
            request.body(Body::empty()).is_ok_and(|request| is_opened(&request))
        };
        assert!(opened(&[]));
        assert!(opened(&[("sec-fetch-mode", "navigate")]));
        assert!(!opened(&[("sec-fetch-mode", "cors")]));
        assert!(!opened(&[("sec-fetch-mode", "navigate"), ("sec-purpose", "prefetch")]));
    }
}
