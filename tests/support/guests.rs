//! Customers who want to book what the [`venues`](super::venues) offer, for tests.

use super::shop::{customer, form, submission};
use std::sync::Arc;
use tokio::sync::Barrier;
use xiadan::{
    domain::{Error, booking::wish::Wish},
    server::{
        App, Ctx,
        booking::wishes,
        order::{self, Submission},
    },
};

/// A customer whose form is filled in.
pub async fn guest(app: &App) -> Ctx {
    let ctx = customer(app).await;
    order::save_checkout(&ctx, form("张三"), true).await.unwrap();
    ctx
}

/// A customer with a booking in the cart, who is about to submit it.
pub async fn wanting(app: &App, variant: &str, wish: &Wish) -> (Ctx, Submission) {
    let ctx = guest(app).await;
    wishes::add(&ctx, variant, wish).await.unwrap();
    let seen = submission(&order::review(&ctx, None).await.unwrap());
    (ctx, seen)
}

/// Lets everybody submit at one moment what is in their carts; answers with how many orders there are then.
pub async fn rush(ready: Vec<(Ctx, Submission)>) -> usize {
    let start = Arc::new(Barrier::new(ready.len()));
    let tasks: Vec<_> = ready
        .into_iter()
        .map(|(ctx, seen)| {
            let start = start.clone();
            tokio::spawn(async move {
                start.wait().await;
                order::submit(&ctx, seen).await
            })
        })
        .collect();
    let mut orders = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => orders += 1,
            Err(Error::SlotTaken(_)) => {}
            Err(other) => panic!("an unclear answer: {other}"),
        }
    }
    orders
}
