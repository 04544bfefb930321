//! The page of what is booked: what the server says of it reaches the browser once.

use crate::{door::Door, shop::both, venues};

/// How often an answer with a field stands in the data that a page hands over to the browser.
fn handed_over(html: &str, field: &str) -> usize {
    let key = format!(r#"\"{field}\":"#);
    html.split("__RESOLVED_RESOURCES[").skip(1).filter(|data| data.contains(&key)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_booked_is_asked_for_once_for_each_page() {
    both(&[], async |app| {
        venues::open(&app).await;
        let door = Door::open(&app).await;
        let fields = ["facilities", "nights", "chosen_further", "free_before_ms", "home_seats"];
        for (handle, expected) in
            [("inn", [1, 2, 0, 0, 0]), ("spa", [0, 0, 1, 0, 0]), ("bistro", [0, 0, 0, 1, 0]), ("bus", [0, 0, 0, 0, 1])]
        {
            let html = door.get(&format!("/p/{handle}")).await.text().await.unwrap();
            assert_eq!(fields.map(|field| handed_over(&html, field)), expected, "{handle}: {fields:?}");
        }
    })
    .await;
}
