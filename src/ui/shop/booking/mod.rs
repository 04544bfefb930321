//! What is booked: in place of the buy box of goods, the way to a free room, seat, table or hour; and the searches for it.

mod ask;
mod further;
pub mod lodging;
mod nights;
mod stay;
pub mod stays;
mod table;
pub mod tables;
pub mod travellers;
mod trip;
mod trip_form;
pub mod trips;
mod visit;
mod voyage;
mod wait;

use crate::domain::{booking::offer::Kind, catalog::Product};
use leptos::prelude::*;
use stay::StayBox;
use table::TableBox;
use trip::TripBox;
use visit::VisitBox;

/// The choice of what is booked of a product.
#[component]
pub fn BookingBox(product: Product) -> impl IntoView {
    match product.kind {
        Some(Kind::Visit) => view! { <VisitBox product/> }.into_any(),
        Some(Kind::Stay) => view! { <StayBox product/> }.into_any(),
        Some(Kind::Table) => view! { <TableBox product/> }.into_any(),
        Some(Kind::Trip) => view! { <TripBox product/> }.into_any(),
        None => ().into_any(),
    }
}
