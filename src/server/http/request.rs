//! Who asks, and in which language.

use super::{
    Front,
    cookie::{self, GUEST_COOKIE, LANG_COOKIE, ORDERS_COOKIE, STAFF_COOKIE},
    guard::local_path,
    request_id,
};
use crate::{
    domain::Locale,
    server::{App, Ctx, account, context::now},
};
use axum::{
    extract::{Path, Query, Request, State},
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT_LANGUAGE, LOCATION, SET_COOKIE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

/// How long a browser remembers its language, in seconds: 400 days, the longest that browsers allow.
const LANG_SECONDS: i64 = 400 * 24 * 60 * 60;

/// Puts the [`Ctx`] beside the request, for pages and server functions alike.
pub async fn context(State(front): State<Front>, mut request: Request, next: Next) -> Response {
    let ctx = read(&front.app, request.headers()).await;
    request.extensions_mut().insert(ctx);
    next.run(request).await
}

async fn read(app: &App, headers: &HeaderMap) -> Ctx {
    let cookie = |name| cookie::get(&app.config, headers, name).filter(|value| !value.is_empty());
    let staff_token = cookie(STAFF_COOKIE).map(str::to_owned);
    let staff = match &staff_token {
        Some(token) => account::staff_of(app, token).await,
        None => None,
    };
    Ctx {
        app: app.clone(),
        now: now(),
        locale: locale(cookie(LANG_COOKIE), headers),
        request_id: request_id(),
        customer: cookie(GUEST_COOKIE).and_then(|value| account::customer_of(app, value)),
        granted_orders: cookie(ORDERS_COOKIE).map(|value| account::granted_orders(app, value)).unwrap_or_default(),
        staff,
        staff_token,
    }
}

/// The language chosen before, else the best of those the browser names, else the first of ours.
pub fn locale(chosen: Option<&str>, headers: &HeaderMap) -> Locale {
    let browser = || headers.get(ACCEPT_LANGUAGE).and_then(|value| Locale::from_accept_language(value.to_str().ok()?));
    chosen.and_then(Locale::from_tag).or_else(browser).unwrap_or_default()
}

#[derive(Deserialize)]
pub struct Return {
    to: Option<String>,
}

/// Remembers the language and goes back to where the customer was.
pub async fn choose_language(
    State(front): State<Front>,
    Path(tag): Path<String>,
    Query(back): Query<Return>,
) -> Response {
    let Some(locale) = Locale::from_tag(&tag) else { return StatusCode::NOT_FOUND.into_response() };
    let to = back.to.as_deref().and_then(local_path).unwrap_or("/").to_owned();
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response();
    if let Some(header) = cookie::header(&front.app.config, LANG_COOKIE, locale.tag(), LANG_SECONDS) {
        response.headers_mut().append(SET_COOKIE, header);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_chosen_language_goes_before_the_browsers() {
        let english = HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static("en-GB,zh;q=0.5"))]);
        assert_eq!(locale(Some("zh-CN"), &english), Locale::ZhCn);
        assert_eq!(locale(Some("fr"), &english), Locale::En);
        assert_eq!(locale(None, &HeaderMap::new()), Locale::ZhCn);
    }
}
