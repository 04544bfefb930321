//! What sealing costs an order.

use crate::{
    client::{Buyer, Server},
    load::median,
    orders,
};
use reqwest::Client;
use std::{hint::black_box, path::Path, time::Instant};
use xiadan::{
    domain::address::{CheckoutForm, Contact},
    server::crypto::Keys,
};

/// All that is sealed, opened and hashed of an order from its form to the page that shows it paid: the form once each
/// way, recipient and note once in and twice out, and the hashes of phone and e-mail. Beside it, the whole way over HTTP by
/// one buyer.
pub async fn beside_an_order(client: &Client, server: &Server, data: &Path) {
    const ORDERS: usize = 60;
    const RUNS: usize = 2_000;
    let keys = Keys::new(&[7; 32]);
    let contact = Contact {
        recipient: "李雷".into(),
        phone: Some("+8613800138000".into()),
        email: Some("li@example.com".into()),
        region: "440305".into(),
        detail: "科技园一路 1 号 2 栋 301".into(),
    };
    let form = CheckoutForm::of_contact(&contact, "440000".into(), "440300".into());
    let (contact, form) = (serde_json::to_vec(&contact).unwrap(), serde_json::to_vec(&form).unwrap());
    let note = "请放门口".as_bytes();
    let mut sealing = Vec::new();
    for _ in 0..RUNS {
        let begin = Instant::now();
        for (plain, place, opened) in
            [(&*form, "customer.checkout:c", 1), (&*contact, "orders.contact:o", 2), (note, "orders.note:o", 2)]
        {
            let sealed = keys.seal(plain, place).unwrap();
            for _ in 0..opened {
                assert_eq!(black_box(keys.open(&sealed, place).unwrap()).len(), plain.len());
            }
        }
        black_box((keys.lookup("phone", "+8613800138000"), keys.lookup("email", "li@example.com")));
        sealing.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    let (variant, _) = orders::variant(data, 1_000_000);
    let mut whole = Vec::new();
    for _ in 0..ORDERS {
        let mut buyer = Buyer::new(client, &server.url);
        let begin = Instant::now();
        let seen = buyer.prepare(&variant, 1).await.unwrap();
        let number = buyer.submit(&seen).await.unwrap().unwrap();
        assert!(buyer.pay(&number).await.unwrap());
        assert_eq!(buyer.get(&format!("/api/order/get?number={number}")).await.unwrap()["state"], "to_ship");
        whole.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    let (sealing, whole) = (median(&mut sealing), median(&mut whole));
    println!(
        "sealing: {sealing:.0} µs for an order (median of {RUNS}), {:.2} % of the whole order from the cart to paid ({:.1} ms, median of {ORDERS})",
        sealing / whole * 100.0,
        whole / 1000.0,
    );
}
