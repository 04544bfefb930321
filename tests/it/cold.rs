//! A page that nobody has asked for yet is made once, however many ask for it at one moment.

use crate::http::{World, in_world};
use std::time::{Duration, Instant};

const MANY: u64 = 50;
/// Far longer than it takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// How many pages that can be shared were asked for, and how many were made.
async fn counted(world: &World) -> (u64, u64) {
    let text = world.get("/metrics", "").send().await.unwrap().text().await.unwrap();
    let count = |step: &str| -> u64 {
        let name = format!("shared_pages_total{{step=\"{step}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).expect("a figure")
    };
    (count("asked"), count("made"))
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_who_ask_for_a_cold_page_at_one_moment_are_given_one() {
    in_world(|world| async move {
        for path in ["/search", "/p/mug"] {
            let begun = Instant::now();
            // A page that is just made is given to all who ask within a second. Where a busy machine takes longer for fifty
            // answers, or something changes meanwhile, another address tells.
            for n in 0.. {
                let url = format!("{}{path}?cold={n}", world.server.url);
                let before = counted(&world).await;
                let answers = (0..MANY).map(|_| async { world.client.get(&url).send().await.unwrap().status() });
                let answers = futures::future::join_all(answers).await;
                assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
                let after = counted(&world).await;
                let (asked, made) = (after.0 - before.0, after.1 - before.1);
                eprintln!("{path}: {made} made for {asked}");
                assert_eq!(asked, MANY);
                if made == 1 {
                    break;
                }
                assert!(begun.elapsed() < LONG, "{made} pages were made for {asked}");
                // No more than a network may ask for.
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    })
    .await;
}
