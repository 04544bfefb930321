//! What is booked: in place of the buy box of goods, the way to a free room, seat, table or hour; and the searches for it.

mod ask;
mod asked;
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

pub use asked::{AskedBooking, OnPage, use_booking};

use crate::domain::{booking::offer::Kind, catalog::Product};
use leptos::prelude::*;
use stay::StayBox;
use table::TableBox;
use trip::TripBox;
use visit::VisitBox;

/// The choice of what is booked of a product.
#[component]
pub fn BookingBox(product: Product, asked: AskedBooking) -> impl IntoView {
    match product.kind {
        Some(Kind::Visit) => view! { <VisitBox product asked=asked.visit/> }.into_any(),
        Some(Kind::Stay) => view! { <StayBox product asked=asked.stay/> }.into_any(),
        Some(Kind::Table) => view! { <TableBox product asked=asked.table/> }.into_any(),
        Some(Kind::Trip) => view! { <TripBox product asked=asked.trip/> }.into_any(),
        None => ().into_any(),
    }
}
