//! Ordering the same again, from wherever an order is shown.

use crate::{
    api,
    domain::{Error, cart::Cart, texts::order as t},
    ui::{
        components::shell::{CartCount, Toasts, use_cart_count, use_toasts},
        use_locale,
    },
};

/// What is needed to say how it went.
#[derive(Clone, Copy)]
pub struct Again {
    toasts: Toasts,
    count: CartCount,
    locale: crate::domain::Locale,
}

pub fn use_again() -> Again {
    Again { toasts: use_toasts(), count: use_cart_count(), locale: use_locale() }
}

impl Again {
    /// Puts variants with their quantities, those of an order, into the cart; the server names the cart as the page to
    /// go to. What did not come along is told.
    pub async fn run(self, number: String, wanted: &[(String, i64)]) -> Result<(), Error> {
        let cart: Cart = api::order::again(number).await?;
        self.count.show(&cart);
        let short = cart.lacks(wanted);
        if short > 0 {
            self.toasts.show(self.locale.n(t::AGAIN_PARTLY_ONE, t::AGAIN_PARTLY, short as i64));
        }
        Ok(())
    }
}
