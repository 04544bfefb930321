//! Who asks, and in which language.

use super::{
    Front,
    cookie::{
        self, DEVICE_COOKIE, GUEST_COOKIE, LANG_COOKIE, ORDERS_COOKIE, PENDING_COOKIE, SESSION_COOKIE, STAFF_COOKIE,
        STAFF_PENDING_COOKIE, TYPED_COOKIE,
    },
    document::{Outline, failure},
    limit::asker,
    live::PATH as LIVE_PATH,
    request_id,
};
use crate::{
    domain::{Locale, Result, account::device_name, locale::any_language, page::local_path},
    server::{
        App, Ctx,
        account::{self, Carried, Seat, session, signed},
        config::Config,
        context::{Asker, now},
        crypto::is_token,
    },
};
use axum::{
    extract::{ConnectInfo, Path, Query, Request, State},
    http::{
        HeaderMap, StatusCode, Uri,
        header::{ACCEPT_LANGUAGE, LOCATION, SET_COOKIE, USER_AGENT},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::net::SocketAddr;

/// How long a browser remembers its language, in seconds: 400 days, the longest that browsers allow.
const LANG_SECONDS: i64 = 400 * 24 * 60 * 60;

/// The header in which a page that is open tells its language to server functions: it may be another than a next page
/// would have.
pub const LANG_HEADER: &str = "x-lang";

/// Puts the [`Ctx`] beside the request, for pages and server functions alike.
pub async fn context(State(front): State<Front>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let asker = asker(request.headers(), peer, &front.app.config.trusted_proxies);
    let (ctx, renewed) = match read(&front.app, request.uri(), request.headers(), asker).await {
        Ok(read) => read,
        Err(error) => {
            let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return failure(&front, &Outline::of(&front, &request), status, &error);
        }
    };
    request.extensions_mut().insert(ctx);
    let mut response = next.run(request).await;
    for (name, value) in renewed {
        // What the answer itself says of it goes before, as when somebody signs in and is a guest no more.
        if cookie::is_set(&front.app.config, response.headers(), name) {
            continue;
        }
        if let Some(header) = cookie::header(&front.app.config, name, &value, signed::SECONDS) {
            response.headers_mut().append(SET_COOKIE, header);
        }
    }
    response
}

/// Who asks, and the cookies that are to be written anew, by name.
async fn read(app: &App, uri: &Uri, headers: &HeaderMap, asker: Asker) -> Result<(Ctx, Vec<(&'static str, String)>)> {
    let now = now();
    let cookie = |name| cookie::get(&app.config, headers, name).filter(|value| !value.is_empty());
    let staff_token = cookie(STAFF_COOKIE).map(str::to_owned);
    let seat = match &staff_token {
        Some(token) => account::staff_of(app, token, now, uri.path() != LIVE_PATH).await?,
        None => None,
    };
    let (staff, staff_to_change) = match seat {
        Some(Seat { staff, must_change: true }) => (None, Some(staff)),
        Some(Seat { staff, must_change: false }) => (Some(staff), None),
        None => (None, None),
    };
    let session = match cookie(SESSION_COOKIE) {
        Some(token) => session::find(app, token, now).await?,
        None => None,
    };
    let Carried { guest, orders, renewed } = account::carried(app, cookie(GUEST_COOKIE), cookie(ORDERS_COOKIE), now);
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let ctx = Ctx {
        app: app.clone(),
        now,
        locale: locale(&app.config, uri, headers),
        request_id: request_id(),
        customer: session.as_ref().map(|session| session.customer_id.clone()).or_else(|| guest.clone()),
        guest,
        session,
        asker: Asker { device: device_name(user_agent), ..asker },
        device: cookie(DEVICE_COOKIE).filter(|value| is_token(value)).map(str::to_owned),
        granted_orders: orders,
        pending: cookie(PENDING_COOKIE).map(str::to_owned),
        staff,
        staff_to_change,
        staff_token,
        staff_pending: cookie(STAFF_PENDING_COOKIE).map(str::to_owned),
        typed: cookie(TYPED_COOKIE).map(str::to_owned),
    };
    Ok((ctx, renewed))
}

/// The language of the open page that asks, or that the address asks for; else the one chosen before, else the best of
/// those the browser names, else the first of ours.
pub fn locale(config: &Config, uri: &Uri, headers: &HeaderMap) -> Locale {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    header(LANG_HEADER)
        .and_then(Locale::from_tag)
        .or_else(|| Locale::from_query(uri.query()?))
        .or_else(|| Locale::from_tag(cookie::get(config, headers, LANG_COOKIE)?))
        .or_else(|| Locale::from_accept_language(header(ACCEPT_LANGUAGE.as_str())?))
        .unwrap_or_default()
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
    // What the address asks for would go before the choice.
    let to = any_language(back.to.as_deref().and_then(local_path).unwrap_or("/"));
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response();
    if let Some(header) = cookie::header(&front.app.config, LANG_COOKIE, locale.tag(), LANG_SECONDS) {
        response.headers_mut().append(SET_COOKIE, header);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue, header::COOKIE};

    #[test]
    fn what_is_asked_for_goes_before_what_was_chosen_and_that_before_the_browsers() {
        let of = |address: &'static str, pairs: &[(HeaderName, &'static str)]| {
            let headers = pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
            locale(&Config::default(), &Uri::from_static(address), &headers)
        };
        let english = (ACCEPT_LANGUAGE, "en-GB,zh;q=0.5");
        let chinese = (COOKIE, "lang=zh-CN");
        let page = (HeaderName::from_static(LANG_HEADER), "zh-CN");
        assert_eq!(of("/", &[]), Locale::ZhCn);
        assert_eq!(of("/", std::slice::from_ref(&english)), Locale::En);
        assert_eq!(of("/", &[(COOKIE, "lang=fr"), english.clone()]), Locale::En);
        assert_eq!(of("/", &[chinese.clone(), english.clone()]), Locale::ZhCn);
        assert_eq!(of("/p/mug?v=1&lang=en", std::slice::from_ref(&chinese)), Locale::En);
        assert_eq!(of("/?lang=fr", &[chinese]), Locale::ZhCn);
        assert_eq!(of("/api/catalog/home?lang=en", &[page, english]), Locale::ZhCn);
    }
}
