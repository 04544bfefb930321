//! What a rush needed of memory goes back to the system after it, so that a small machine has it for something else.

use super::figures;
use std::time::Duration;
use tokio::{sync::watch, time::sleep};

/// How often the memory is looked at.
const EVERY: Duration = Duration::from_secs(10);
/// Free memory is worth looking for when there are so many bytes more in memory than there were at the least: what is given
/// back is soon asked for again in a shop that is busy all the time.
const GROWN: u64 = 32 << 20;
/// Whoever grew by fewer bytes since the last look has ceased to grow.
const STILL: u64 = 1 << 20;

/// Gives back what is free when the memory of this process grew by much and has ceased to, until `stop` turns true.
pub async fn watch(mut stop: watch::Receiver<bool>) {
    let (mut least, mut last) = (u64::MAX, 0);
    loop {
        let Some(present) = figures::resident_bytes() else { return };
        least = least.min(present);
        if is_over(present, least, last) && tokio::task::spawn_blocking(heap::give_back).await.is_ok() {
            least = figures::resident_bytes().unwrap_or(present);
            tracing::debug!(before = present, left = least, "free memory was given back");
        }
        last = present;
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = sleep(EVERY) => {}
        }
    }
}

/// Whether there was a rush that is over.
fn is_over(present: u64, least: u64, last: u64) -> bool {
    present >= least.saturating_add(GROWN) && present < last.saturating_add(STILL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_after_a_rush_and_not_in_it() {
        const MIB: u64 = 1 << 20;
        assert!(!is_over(54 * MIB, 54 * MIB, 0), "just started");
        assert!(!is_over(80 * MIB, 54 * MIB, 80 * MIB), "not worth it");
        assert!(!is_over(260 * MIB, 54 * MIB, 200 * MIB), "it grows");
        assert!(is_over(260 * MIB, 54 * MIB, 260 * MIB));
        assert!(is_over(200 * MIB, 54 * MIB, 260 * MIB));
    }

    #[test]
    fn what_is_free_leaves_the_memory() {
        // In pieces that the allocator keeps in its heaps, with every hundredth still in use.
        let mut pieces: Vec<_> = (0..20_000).map(|n| vec![n as u8; 8_000]).collect();
        let mut n = 0;
        pieces.retain(|_| {
            n += 1;
            n % 100 == 0
        });
        let Some(before) = figures::resident_bytes() else { return };
        heap::give_back();
        let after = figures::resident_bytes().unwrap_or(before);
        if cfg!(all(target_os = "linux", target_env = "gnu")) {
            assert!(after + (100 << 20) < before, "{before} → {after}, {} in use", pieces.len());
        }
    }
}
