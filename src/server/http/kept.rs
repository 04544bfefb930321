//! What somebody typed into a form without script that was refused, kept for the page that says why.
//!
//! It lies sealed in a cookie of that browser, for one showing and a few minutes: what people are called and reached by is
//! in no address and no log, and whoever sits down after them finds nothing. Passwords and codes are not kept.

use super::cookie::{TYPED_COOKIE, set_cookie};
use crate::server::Ctx;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// How long it waits for its page, in seconds: five minutes, for lines that are slow.
const SECONDS: i64 = 5 * 60;
/// The longest text that is kept, in bytes: a review of five hundred Chinese characters with what belongs to it. Sealed and
/// written as text it is a third longer, and a cookie has room for 4096.
const LONGEST: usize = 2_200;

/// Keeps what was typed into a field.
pub fn keep(ctx: &Ctx, field: &str, typed: &str) {
    if typed.len() > LONGEST {
        return;
    }
    // What cannot be sealed is typed once more, and nothing else is lost.
    if let Ok(sealed) = ctx.app.keys.seal(typed.as_bytes(), &place(field)) {
        set_cookie(&ctx.app, TYPED_COOKIE, &URL_SAFE_NO_PAD.encode(sealed), SECONDS);
    }
}

/// What was kept for a field, this once; of another field it is nothing.
pub fn take(ctx: &Ctx, field: &str) -> Option<String> {
    let kept = ctx.typed.as_deref()?;
    set_cookie(&ctx.app, TYPED_COOKIE, "", 0);
    let sealed = URL_SAFE_NO_PAD.decode(kept).ok()?;
    String::from_utf8(ctx.app.keys.open(&sealed, &place(field)).ok()?).ok()
}

fn place(field: &str) -> String {
    format!("form.{field}")
}
