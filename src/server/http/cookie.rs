//! Cookies: their names, how they are read, and how they are set from a server function or a page.

use crate::server::{App, config::Config};
use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use std::borrow::Cow;

/// The session of an account.
pub const SESSION_COOKIE: &str = "xiadan_session";
/// The guest of this browser, see [`signed`](crate::server::account::signed).
pub const GUEST_COOKIE: &str = "xiadan_guest";
/// Orders from other devices that this browser may see.
pub const ORDERS_COOKIE: &str = "xiadan_orders";
/// The session of the office.
pub const STAFF_COOKIE: &str = "xiadan_staff";
/// A sign-in of which the second factor is awaited.
pub const PENDING_COOKIE: &str = "xiadan_pending";
/// The same for the office.
pub const STAFF_PENDING_COOKIE: &str = "xiadan_staff_pending";
/// What was typed into a form without script that was refused; see [`kept`](super::kept).
pub const TYPED_COOKIE: &str = "xiadan_typed";
/// By which a browser is known again when somebody signs in; it opens nothing.
pub const DEVICE_COOKIE: &str = "xiadan_device";
/// The language chosen in the footer.
pub const LANG_COOKIE: &str = "lang";

/// The name a cookie has on the wire. Over HTTPS the prefix makes browsers refuse it from anywhere but this very host.
fn wire_name<'a>(config: &Config, name: &'a str) -> Cow<'a, str> {
    if config.secure_cookies { format!("__Host-{name}").into() } else { name.into() }
}

/// The value of a cookie that the browser sent.
pub fn get<'h>(config: &Config, headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let name = wire_name(config, name);
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Whether the browser sent no cookie but perhaps this one, ours or of others.
pub fn only(config: &Config, headers: &HeaderMap, name: &str) -> bool {
    let name = wire_name(config, name);
    headers.get_all(COOKIE).into_iter().all(|value| {
        let pairs = value.to_str().map(|value| value.split(';'));
        pairs.is_ok_and(|mut pairs| pairs.all(|pair| pair.trim().split_once('=').is_some_and(|(key, _)| key == name)))
    })
}

/// The `Set-Cookie` header of a cookie that scripts cannot read; `None` for a value that no cookie can have.
/// `seconds` is how long the browser keeps it; zero removes it.
pub fn header(config: &Config, name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
    let safe = |b: u8| b.is_ascii_graphic() && !matches!(b, b';' | b',' | b'"' | b'\\');
    if !value.bytes().all(safe) {
        return None;
    }
    let secure = if config.secure_cookies { "; Secure" } else { "" };
    let name = wire_name(config, name);
    HeaderValue::from_str(&format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")).ok()
}

/// Whether an answer sets a cookie or removes it.
pub fn is_set(config: &Config, headers: &HeaderMap, name: &str) -> bool {
    let name = wire_name(config, name);
    let named = |value: &str| value.split_once('=').is_some_and(|(set, _)| set == name);
    headers.get_all(SET_COOKIE).into_iter().filter_map(|value| value.to_str().ok()).any(named)
}

/// Sets a cookie with the answer to the present page or server function. See [`header`] for the arguments.
pub fn set_cookie(app: &App, name: &str, value: &str, seconds: i64) {
    let answer = leptos::context::use_context::<leptos_axum::ResponseOptions>();
    match (answer, header(&app.config, name, value, seconds)) {
        (Some(answer), Some(header)) => answer.append_header(SET_COOKIE, header),
        _ => tracing::error!(name, "a cookie could not be set here"),
    }
}

/// Asks the browser to throw away what it keeps of this shop: pages, pictures and the service worker. The next page makes
/// a new one.
pub fn clear_site_data() {
    if let Some(answer) = leptos::context::use_context::<leptos_axum::ResponseOptions>() {
        let name = HeaderName::from_static("clear-site-data");
        answer.insert_header(name, HeaderValue::from_static("\"cache\", \"storage\""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(secure_cookies: bool) -> Config {
        Config { secure_cookies, ..Config::default() }
    }

    fn sent(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("")))])
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let headers = sent("xiadan_guest2=no; a=b;xiadan_guest=id.sig=; __Host-xiadan_guest=host");
        assert_eq!(get(&config(false), &headers, GUEST_COOKIE), Some("id.sig="));
        assert_eq!(get(&config(true), &headers, GUEST_COOKIE), Some("host"));
        assert_eq!(get(&config(false), &headers, LANG_COOKIE), None);
        assert_eq!(get(&config(false), &sent(";;=;"), LANG_COOKIE), None);
    }

    #[test]
    fn a_cookie_over_https_is_bound_to_the_host() {
        let set = header(&config(true), "a", "b", 60);
        assert_eq!(
            set,
            Some(HeaderValue::from_static("__Host-a=b; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"))
        );
        let set = header(&config(false), "a", "", 0);
        assert_eq!(set, Some(HeaderValue::from_static("a=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")));
    }

    #[test]
    fn an_answer_is_asked_for_a_cookie_by_its_whole_name() {
        let config = config(true);
        let set = |name: &str| header(&config, name, "v", 1).map(|header| HeaderMap::from_iter([(SET_COOKIE, header)]));
        assert!(set(GUEST_COOKIE).is_some_and(|headers| is_set(&config, &headers, GUEST_COOKIE)));
        assert!(set("xiadan_guest2").is_some_and(|headers| !is_set(&config, &headers, GUEST_COOKIE)));
        assert!(!is_set(&config, &HeaderMap::new(), GUEST_COOKIE));
    }

    #[test]
    fn a_value_cannot_add_attributes_or_headers() {
        for value in ["a; Domain=evil", "a\r\nSet-Cookie: b=c", "a b", "ä", "a,b"] {
            assert_eq!(header(&config(false), "a", value, 1), None, "{value:?}");
        }
    }
}
