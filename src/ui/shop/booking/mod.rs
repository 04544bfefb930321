//! What is booked: in place of the buy box of goods, the way to a free room, seat, table or hour; and the searches for it.

pub mod lodging;
pub mod nights;
pub mod stay;
pub mod stays;
mod visit;

use crate::domain::{booking::offer::Kind, catalog::Product};
use leptos::prelude::*;
use stay::StayBox;
use visit::VisitBox;

/// The choice of what is booked of a product. A kind for which the shop has no choice yet shows the merchant's words alone.
#[component]
pub fn BookingBox(product: Product) -> impl IntoView {
    match product.kind {
        Some(Kind::Visit) => view! { <VisitBox product/> }.into_any(),
        Some(Kind::Stay) => view! { <StayBox product/> }.into_any(),
        Some(Kind::Trip | Kind::Table) | None => ().into_any(),
    }
}
