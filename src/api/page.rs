//! What a page knows of its surroundings: the language, the currency, the shop's address, the time. The one place
//! where the server's context and the browser's document give the same answers, so that what the server rendered and
//! what the client makes of it are the same.

use crate::domain::{Locale, money::Currency};

/// The language of the page. It never changes while a page lives: choosing another one loads the page anew.
///
/// On the server it is the request's, in the browser that of `<html lang>`.
pub fn use_locale() -> Locale {
    side::locale()
}

/// The shop's currency, for pages whose data does not name one; in the browser that of `<html data-currency>`.
pub fn use_currency() -> Currency {
    side::currency()
}

/// The full address of a local path, for canonical links and structured data.
pub fn absolute(path: &str) -> String {
    format!("{}{path}", side::public_url())
}

/// The server's clock while a page is rendered, the browser's afterwards; in UTC milliseconds. For resources, which
/// carry the first to the second; never for a view.
pub fn now() -> i64 {
    side::now()
}

/// Sets the HTTP status of the page while the server renders it; nothing in the browser.
pub fn set_status(status: u16) {
    side::set_status(status);
}

/// What was typed into a field, by its id, of a form that was refused without script, on the page that says why; else
/// empty. In the browser what the page came with, while it is taken over.
pub fn typed(field: &'static str) -> String {
    side::typed(field)
}

/// Lets the browser load a part of the client while it still reads the page; nothing in the browser.
pub fn preload(part: &'static str) {
    side::preload(part);
}

#[cfg(feature = "ssr")]
mod side {
    use super::*;
    use crate::server::{
        Ctx,
        http::{document, kept},
    };
    use leptos::context::use_context;

    /// The context of the request; a test that renders a piece of a page has none.
    fn read<T: Default>(of: impl FnOnce(&Ctx) -> T) -> T {
        use_context::<Ctx>().map(|ctx| of(&ctx)).unwrap_or_default()
    }

    pub fn locale() -> Locale {
        read(|ctx| ctx.locale)
    }

    pub fn currency() -> Currency {
        read(|ctx| ctx.app.currency)
    }

    pub fn public_url() -> String {
        read(|ctx| ctx.app.config.public_url.clone())
    }

    pub fn now() -> i64 {
        read(|ctx| ctx.now)
    }

    pub fn set_status(status: u16) {
        if let Some(response) = use_context::<leptos_axum::ResponseOptions>()
            && let Ok(status) = http::StatusCode::from_u16(status)
        {
            response.set_status(status);
        }
    }

    pub fn typed(field: &'static str) -> String {
        read(|ctx| kept::take(ctx, field)).unwrap_or_default()
    }

    pub fn preload(part: &'static str) {
        document::preload(part);
    }
}

#[cfg(not(feature = "ssr"))]
mod side {
    use super::*;
    use leptos::prelude::{Owner, document, window};
    use std::sync::OnceLock;

    fn attribute(name: &str) -> Option<String> {
        document().document_element()?.get_attribute(name)
    }

    pub fn locale() -> Locale {
        static LOCALE: OnceLock<Locale> = OnceLock::new();
        *LOCALE.get_or_init(|| attribute("lang").and_then(|tag| Locale::from_tag(&tag)).unwrap_or_default())
    }

    pub fn currency() -> Currency {
        static CURRENCY: OnceLock<Currency> = OnceLock::new();
        *CURRENCY
            .get_or_init(|| attribute("data-currency").and_then(|code| Currency::from_code(&code)).unwrap_or_default())
    }

    pub fn public_url() -> String {
        window().location().origin().unwrap_or_default()
    }

    #[cfg(feature = "hydrate")]
    pub fn now() -> i64 {
        js_sys::Date::now() as i64
    }

    #[cfg(not(feature = "hydrate"))]
    pub fn now() -> i64 {
        0
    }

    pub fn set_status(_status: u16) {}

    pub fn typed(field: &'static str) -> String {
        let taken_over = Owner::current_shared_context().is_some_and(|context| context.during_hydration());
        let element = taken_over.then(|| document().get_element_by_id(field)).flatten();
        element.and_then(|element| element.get_attribute("value")).unwrap_or_default()
    }

    pub fn preload(_part: &'static str) {}
}
