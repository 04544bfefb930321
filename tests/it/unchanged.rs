//! A page that a browser has is not sent again while it is the same, and is as soon as it is not.

use crate::{
    door::Door,
    shop::{Piece, both, customer, place, staff},
};
use reqwest::header;
use std::time::{Duration, Instant};
use xiadan::server::stock;

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_sent_again_once_the_stock_of_something_in_it_has_changed() {
    both(&[Piece("mug", 5_000, 1)], async |app| {
        let door = Door::open(&app).await;
        let ask = async |tag: &str| {
            let request = door.client.get(format!("{}/search", door.url)).header(header::IF_NONE_MATCH, tag);
            request.send().await.unwrap()
        };
        let (begun, mut tag) = (Instant::now(), "\"none\"".to_owned());
        loop {
            let answer = ask(&tag).await;
            if answer.status() == 304 {
                assert_eq!(answer.headers()[header::ETAG], *tag);
                break;
            }
            assert_eq!(answer.status(), 200);
            assert!(begun.elapsed() < Duration::from_secs(30), "it is sent each time");
            tag = answer.headers()[header::ETAG].to_str().unwrap().to_owned();
        }
        place(&customer(&app).await, "mug", 1).await.unwrap();
        let answer = ask(&tag).await;
        assert_eq!(answer.status(), 200);
        assert_ne!(answer.headers()[header::ETAG], *tag);
        assert!(answer.text().await.unwrap().contains("is-soldout"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_sent_again_once_a_price_has_changed() {
    both(&[Piece("mug", 5_000, 10)], async |app| {
        let door = Door::open(&app).await;
        let ask = async |tag: &str| {
            let request = door.client.get(format!("{}/p/mug", door.url)).header(header::IF_NONE_MATCH, tag);
            request.send().await.unwrap()
        };
        // For a second it is the very same page; on a busy machine that may be over before the next look.
        let (begun, mut tag) = (Instant::now(), "\"none\"".to_owned());
        let unchanged = loop {
            let answer = ask(&tag).await;
            if answer.status() == 304 {
                break answer;
            }
            assert_eq!(answer.status(), 200);
            assert!(begun.elapsed() < Duration::from_secs(30), "it is sent each time");
            tag = answer.headers()[header::ETAG].to_str().unwrap().to_owned();
        };
        let headers = unchanged.headers();
        assert_eq!(headers[header::ETAG], *tag);
        assert_eq!(headers[header::CACHE_CONTROL], "private, no-cache");
        assert!(!headers.contains_key(header::CONTENT_SECURITY_POLICY), "the page keeps the nonce that it came with");

        stock::set_price(&staff(&app), "mug", 1, "60", "").await.unwrap();
        let answer = ask(&tag).await;
        assert_eq!(answer.status(), 200);
        assert_ne!(answer.headers()[header::ETAG], *tag);

        let known = door.client.get(format!("{}/p/mug", door.url)).header(header::COOKIE, "somebody=1");
        let answer = known.header(header::IF_NONE_MATCH, tag).send().await.unwrap();
        assert_eq!(answer.status(), 200, "a page for one visitor alone is told by nothing");
        assert!(!answer.headers().contains_key(header::ETAG));
    })
    .await;
}
