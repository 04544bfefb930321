//! The signed cookies of browsers without an account.

use crate::http::in_world;
use reqwest::{Response, header};
use xiadan::server::cart;

/// The values that an answer gives to a cookie.
fn set(answer: &Response, name: &str) -> Vec<String> {
    let set = answer.headers().get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let values = set.filter_map(|set| set.split(';').next()?.strip_prefix(name)?.strip_prefix('='));
    values.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_was_signed_without_an_end_is_given_one() {
    in_world(async |world| {
        cart::add(&world.owner, "mug", 1).await.unwrap();
        let old = world.guest(&world.owner);
        let count = async |cookie: &str| {
            let answer = world.get("/api/cart/count", cookie).send().await.unwrap();
            let renewed = set(&answer, "xiadan_guest");
            (answer.text().await.unwrap(), renewed)
        };
        let (counted, renewed) = count(&old).await;
        assert_eq!(renewed.len(), 1);
        let new = format!("xiadan_guest={}", renewed[0]);
        assert_ne!(new, old);
        assert_eq!(count(&new).await, (counted, Vec::new()), "the same guest, who keeps it");
        let forgotten = world.post("/api/account/forget", &old, "").send().await.unwrap();
        assert_eq!(set(&forgotten, "xiadan_guest"), [""], "whoever wants to be forgotten is not given another");
    })
    .await;
}
