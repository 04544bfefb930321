//! Who someone is to this shop.

use crate::domain::Error;
use leptos::prelude::*;

/// Forgets on this browser whose cart and orders it showed, and everything of them that is kept in it.
#[server(prefix = "/api", endpoint = "account/forget")]
pub async fn forget() -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::account::forget(&ctx);
        super::go_to(Some("/"));
        Ok(())
    })
    .await
}
