//! What a checkout form fills in an order's row: who receives it and the note, sealed, and the keyed hashes by which a
//! guest finds the order again.

use crate::{
    domain::{
        Result,
        address::{Checkout, Contact},
    },
    server::{
        context::{internal, unreadable},
        crypto::Keys,
    },
};

/// Those columns, ready to be written.
#[derive(Clone)]
pub struct Sealed {
    pub contact: Vec<u8>,
    pub note: Vec<u8>,
    /// Empty, which no hash is, where only an e-mail address was given.
    pub phone_hash: String,
    pub email_hash: Option<String>,
    pub region: String,
    pub delivery_wish: &'static str,
    pub payment_method: &'static str,
}

impl Sealed {
    /// Seals what a form says to one order.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn new(keys: &Keys, order_id: &str, checkout: &Checkout) -> Result<Self> {
        let Checkout { contact, delivery_wish, note, payment_method } = checkout;
        let plain = serde_json::to_vec(contact).map_err(|e| internal("contact", &e))?;
        let seal = |plain: &[u8], place: String| keys.seal(plain, &place).map_err(|e| internal("crypto", &e));
        let hash = |of: &str, value: &Option<String>| value.as_ref().map(|value| keys.lookup(of, value));
        Ok(Self {
            contact: seal(&plain, contact_place(order_id))?,
            note: seal(note.as_bytes(), note_place(order_id))?,
            phone_hash: hash("phone", &contact.phone).unwrap_or_default(),
            email_hash: hash("email", &contact.email),
            region: contact.region.clone(),
            delivery_wish: delivery_wish.name(),
            payment_method: payment_method.name(),
        })
    }
}

/// Opens the recipient of an order.
///
/// # Errors
/// When it was not sealed to this order, or with another key.
pub fn contact(keys: &Keys, order_id: &str, sealed: &[u8]) -> Result<Contact> {
    let plain = keys.open(sealed, &contact_place(order_id)).map_err(|e| internal("crypto", &e))?;
    serde_json::from_slice(&plain).map_err(|e| unreadable("contact", &e))
}

/// Opens the note of an order.
///
/// # Errors
/// As [`contact`].
pub fn note(keys: &Keys, order_id: &str, sealed: &[u8]) -> Result<String> {
    let plain = keys.open(sealed, &note_place(order_id)).map_err(|e| internal("crypto", &e))?;
    String::from_utf8(plain).map_err(|e| internal("crypto", &e))
}

fn contact_place(order_id: &str) -> String {
    format!("orders.contact:{order_id}")
}

fn note_place(order_id: &str) -> String {
    format!("orders.note:{order_id}")
}
