//! How the texts of a page come to the browser: those of the first visit before it is taken over, all others with the
//! first part of the client that is loaded later. The server has them all.

/// The texts could not be loaded.
#[derive(Debug)]
pub struct Missing;

#[cfg(not(feature = "hydrate"))]
pub async fn load() -> Result<(), Missing> {
    Ok(())
}

#[cfg(feature = "hydrate")]
pub use browser::{begin, load};

#[cfg(feature = "hydrate")]
mod browser {
    use super::Missing;
    use crate::domain::locale::delivered;
    use js_sys::{Function, Promise};
    use std::cell::OnceCell;
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;

    thread_local! {
        static MORE: OnceCell<Function> = const { OnceCell::new() };
    }

    /// Takes what the page's script has to give: the first texts, and a function that promises the rest.
    pub fn begin(first: String, more: Function) {
        delivered::keep_first(first);
        // A page begins once.
        let _ = MORE.with(|kept| kept.set(more));
    }

    /// Begins at once to load the texts that are not there yet.
    ///
    /// # Errors
    /// [`Missing`] when the network is gone, or the shop was brought up to date meanwhile.
    pub fn load() -> impl Future<Output = Result<(), Missing>> {
        let asked = (!delivered::complete()).then(|| MORE.with(|more| more.get()?.call0(&JsValue::NULL).ok()));
        async move {
            let Some(asked) = asked else { return Ok(()) };
            let promise: Promise = asked.ok_or(Missing)?.dyn_into().map_err(|_| Missing)?;
            let texts = JsFuture::from(promise).await.map_err(|_| Missing)?;
            delivered::keep_rest(texts.as_string().ok_or(Missing)?);
            Ok(())
        }
    }
}
