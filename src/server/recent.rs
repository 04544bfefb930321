//! What many ask for at the same time is found out once, and told to all who ask within a second.
//!
//! Each process remembers for itself: a change on another node is heard of (see [`nodes`](super::nodes)) and ends what is
//! remembered here as well; what is not heard of is found anew after the second.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::OnceCell;

/// How long an answer is given to others after it was asked for first.
const LIFE: Duration = Duration::from_secs(1);
/// The most answers that are kept at once. Of more, each who asks gets one of their own.
pub const MOST: usize = 128;

/// Answers of the last second, each for as long as nothing is heard of a change of the catalogue; see
/// [`Hub::product_changes`](super::live::Hub::product_changes).
pub struct Recent<K, V>(Mutex<HashMap<K, Kept<V>>>);

/// An answer since when it was asked for first, after how many changes.
struct Kept<V> {
    since: Instant,
    changes: u64,
    answer: Arc<OnceCell<V>>,
}

impl<V> Kept<V> {
    fn is_good(&self, changes: u64) -> bool {
        self.since.elapsed() < LIFE && self.changes == changes
    }
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V> Recent<K, V> {
    /// Where the answer to a question is or will be; those who ask meanwhile wait for it. None where too many are kept.
    pub fn place(&self, asked: K, changes: u64) -> Option<Arc<OnceCell<V>>> {
        // Nothing is left half done in this short section, so what a panic left behind is still right.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = all.get(&asked).filter(|kept| kept.is_good(changes)) {
            return Some(kept.answer.clone());
        }
        if all.len() >= MOST {
            all.retain(|_, kept| kept.is_good(changes));
        }
        if all.len() >= MOST {
            return None;
        }
        let kept = Kept { since: Instant::now(), changes, answer: Arc::default() };
        let answer = kept.answer.clone();
        all.insert(asked, kept);
        Some(answer)
    }

    /// The answer that others got, or else the one that is read now. One that fails is nobody else's.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn get<E, F>(&self, asked: K, changes: u64, read: impl FnOnce() -> F) -> Result<V, E>
    where
        V: Clone,
        F: Future<Output = Result<V, E>>,
    {
        match self.place(asked, changes) {
            Some(place) => place.get_or_try_init(read).await.cloned(),
            None => read().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };

    #[tokio::test]
    async fn an_answer_is_found_once_until_something_changes() {
        let (recent, read) = (Recent::<&str, usize>::default(), AtomicUsize::new(0));
        let find = async || Ok::<_, Infallible>(read.fetch_add(1, Ordering::Relaxed));
        assert_eq!(recent.get("a", 0, find).await, Ok(0));
        assert_eq!(recent.get("a", 0, find).await, Ok(0));
        assert_eq!(recent.get("b", 0, find).await, Ok(1));
        assert_eq!(recent.get("a", 1, find).await, Ok(2), "changed");
        assert_eq!(recent.get("a", 1, find).await, Ok(2));
    }

    #[tokio::test]
    async fn a_failure_is_nobody_elses() {
        let recent = Recent::<&str, usize>::default();
        assert_eq!(recent.get("a", 0, async || Err("no")).await, Err("no"));
        assert_eq!(recent.get("a", 0, async || Ok::<_, &str>(1)).await, Ok(1));
    }

    #[tokio::test]
    async fn no_more_answers_are_kept_than_fit() {
        let recent = Recent::<usize, usize>::default();
        for n in 0..2 * MOST {
            assert_eq!(recent.get(n, 0, async || Ok::<_, Infallible>(n)).await, Ok(n));
        }
        assert_eq!(recent.0.lock().unwrap_or_else(PoisonError::into_inner).len(), MOST);
    }
}
