//! Whether this process hears of every change of the catalogue, so that what it remembers is true until it hears of one.
//!
//! It hears of them in two ways: other nodes tell of theirs (see [`nodes`](crate::server::nodes)), and what an import changed
//! beside them is looked for (see [`jobs`](crate::server::jobs)). Each way gives a sign of life every second. Where one is
//! silent, changes may go unheard.

use super::lock;
use std::{sync::Mutex, time::Duration};
use tokio::time::Instant;

/// How long a sign of life counts: as long as what is remembered for a second, and was read a second before, may be old.
const FRESH: Duration = Duration::from_secs(2);

/// The last signs of life; none at the beginning.
#[derive(Default)]
pub(super) struct Hearing(Mutex<Signs>);

#[derive(Default)]
struct Signs {
    /// There are no other nodes.
    alone: bool,
    /// When the one was heard last that is silent for the longest, of the other nodes and this one; none while nothing is
    /// heard.
    others: Option<Instant>,
    /// When the last look began that found what other processes changed.
    looked: Option<Instant>,
}

impl Hearing {
    pub(super) fn alone(&self) {
        lock(&self.0).alone = true;
    }

    pub(super) fn others(&self, heard: Option<Instant>) {
        lock(&self.0).others = heard;
    }

    pub(super) fn looked(&self, begun: Instant) {
        lock(&self.0).looked = Some(begun);
    }

    pub(super) fn is_whole(&self, now: Instant) -> bool {
        let signs = lock(&self.0);
        let fresh = |sign: Option<Instant>| sign.is_some_and(|sign| now.saturating_duration_since(sign) <= FRESH);
        fresh(signs.looked) && (signs.alone || fresh(signs.others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_heard_while_every_way_gives_signs_of_life() {
        let (hearing, begun) = (Hearing::default(), Instant::now());
        let after = |seconds| begun + Duration::from_secs(seconds);
        assert!(!hearing.is_whole(begun), "nothing was heard yet");
        hearing.looked(begun);
        assert!(!hearing.is_whole(begun), "there may be other nodes");
        hearing.others(Some(after(1)));
        assert!(hearing.is_whole(after(2)));
        assert!(!hearing.is_whole(after(3)), "an import may have changed something");
        hearing.looked(after(3));
        assert!(hearing.is_whole(after(3)));
        hearing.others(None);
        assert!(!hearing.is_whole(after(3)), "the connection was lost");
        hearing.others(Some(after(3)));
        assert!(hearing.is_whole(after(5)) && !hearing.is_whole(after(6)));
        hearing.alone();
        hearing.looked(after(60));
        assert!(hearing.is_whole(after(61)));
    }
}
