//! What many want at the same moment: the last pieces of something.
//!
//! Each order takes its turn at the database, so that ten thousand buyers of a hundred pieces would keep everybody else
//! waiting until the last of them has an answer. Therefore only a few orders at a time are looked at, by one statement that
//! finds out whether there is anything left; and those of something of which little is left form a line of their own for
//! each variant and go on a few at a time. Where who waits for the row of a variant does so in the database, on a connection
//! that others lack ([`Db::waits_by_row`](crate::server::db::Db::waits_by_row)), all orders do so, however much is left.
//! What is sold is decided by the conditional update of [`stock`](crate::server::stock) alone: nothing here promises
//! anything, and each node has lines of its own.

use super::submit::Submission;
use crate::{
    args,
    domain::{Error, Result, cart::BuyNow, catalog::UNLIMITED, error::Shortage},
    server::{Ctx, cart::available_now, catalog::in_locale},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many free pieces are little: of more, nobody waits for anybody where no one has a row for himself.
const LITTLE: i64 = 1_000;
/// How many orders of a variant go on at a time, and how many are looked at before it is known what they are of: fewer than
/// there are connections, so that there are some left for everybody else.
const AT_ONCE: usize = 4;
/// How often an order of several variants waits at one of them without a place at the others.
const WAITS: usize = 4;
/// After so many lines, those in which nobody stands are forgotten.
const MANY_LINES: usize = 256;

/// The lines of a node.
pub struct Crowd {
    /// Of orders of which nothing is known.
    unseen: Semaphore,
    /// By variant.
    lines: Mutex<HashMap<String, Weak<Semaphore>>>,
}

impl Default for Crowd {
    fn default() -> Self {
        Self { unseen: Semaphore::new(AT_ONCE), lines: Mutex::default() }
    }
}

/// The places of an order in the lines of its variants; the next ones go on when it is dropped.
#[derive(Default)]
pub(super) struct Turn {
    places: Vec<OwnedSemaphorePermit>,
    /// Whether it had to wait, so that what was seen before is old.
    pub waited: bool,
}

impl Crowd {
    /// Waits until it is an order's turn at all of its variants. Whoever waits at one gives up the places at the others
    /// meanwhile: they would be taken from those who want nothing else. One that has waited often enough keeps them, and then
    /// waits at one after the other in an order that is the same everywhere, so that no two wait for each other.
    pub(super) async fn enter(&self, mut variants: Vec<String>) -> Turn {
        variants.sort();
        variants.dedup();
        let lines: Vec<_> = variants.into_iter().map(|variant| self.line(variant)).collect();
        let (mut turn, mut kept) = (Turn::default(), None);
        for _ in 0..=WAITS {
            let mut busy = None;
            for (place, line) in
                lines.iter().enumerate().filter(|(place, _)| kept.as_ref().is_none_or(|(at, _)| at != place))
            {
                match line.clone().try_acquire_owned() {
                    Ok(permit) => turn.places.push(permit),
                    Err(_) => {
                        busy = Some((place, line.clone()));
                        break;
                    }
                }
            }
            let Some((place, line)) = busy else {
                turn.places.extend(kept.map(|(_, permit)| permit));
                return turn;
            };
            turn.waited = true;
            turn.places.clear();
            drop(kept.take());
            kept = line.acquire_owned().await.ok().map(|permit| (place, permit));
        }
        drop(kept);
        for line in lines {
            turn.places.extend(line.acquire_owned().await.ok());
        }
        turn
    }

    fn line(&self, variant: String) -> Arc<Semaphore> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(&variant).and_then(Weak::upgrade) {
            return line;
        }
        if lines.len() >= MANY_LINES {
            lines.retain(|_, line| line.strong_count() > 0);
        }
        let line = Arc::new(Semaphore::new(AT_ONCE));
        lines.insert(variant, Arc::downgrade(&line));
        line
    }
}

/// What is about to be ordered, as it stands outside a transaction.
pub(super) enum Seen {
    /// It was ordered before: the number.
    Ordered(String),
    /// There is enough of all of it. Some variants have lines, and of some there is little; the checkout form as it is kept
    /// for the customer.
    Enough { lines: Vec<String>, little: bool, form: Option<Vec<u8>> },
}

/// Waits until there is a place to look from, and [looks](look).
///
/// # Errors
/// Those of [`look`].
pub(super) async fn first_look(ctx: &Ctx, submission: &Submission, submit_key: &str) -> Result<Seen> {
    let _place = ctx.app.crowd.unseen.acquire().await.ok();
    look(ctx, submission, submit_key).await
}

/// Looks by one statement whether it was ordered before, and at what is left of it.
///
/// # Errors
/// [`Error::Shortage`] where less is left than is wanted. Of a cart that is not the one that was submitted nothing is said.
pub(super) async fn look(ctx: &Ctx, submission: &Submission, submit_key: &str) -> Result<Seen> {
    let mut args = args![ctx.locale.tag(), ctx.customer()?, submit_key];
    let (wanted, variant) = match &submission.buy_now {
        None => (
            "l.quantity",
            "left join cart_line l on l.customer_id = $2 and not l.saved left join variant v on v.id = l.variant_id",
        ),
        Some(BuyNow { variant_id, quantity }) => {
            args.extend(args![variant_id, *quantity]);
            ("$5", "left join variant v on v.id = $4")
        }
    };
    let sql = format!(
        "select b.number, b.version, b.form, v.id as variant_id, {wanted} as wanted, {title} as title, {available} as available
        from (select (select o.number from orders o where o.customer_id = $2 and o.submit_key = $3) as number,
            (select c.version from cart c where c.customer_id = $2) as version,
            (select c.checkout_sealed from customer c where c.id = $2) as form) b
        {variant} left join product p on p.id = v.product_id left join stock s on s.variant_id = v.id",
        title = in_locale!("title"),
        available = available_now(),
    );
    let everyone = ctx.app.db.waits_by_row();
    let (mut lines, mut little, mut short, mut form) = (Vec::new(), false, Vec::new(), None);
    for row in ctx.app.db.all(sql, args).await? {
        if let Some(number) = row.get("number")? {
            return Ok(Seen::Ordered(number));
        }
        form = row.get("form")?;
        let Some(variant_id) = row.get::<Option<String>>("variant_id")? else { continue };
        let (wanted, available): (i64, i64) = (row.get("wanted")?, row.get::<i64>("available")?.clamp(0, UNLIMITED));
        if available < wanted && row.get::<Option<i64>>("version")? == Some(submission.cart_version) {
            short.push(Shortage { variant_id, title: row.get("title")?, wanted, available });
        } else if everyone || available <= LITTLE {
            little |= available <= LITTLE;
            lines.push(variant_id);
        }
    }
    if short.is_empty() { Ok(Seen::Enough { lines, little, form }) } else { Err(Error::Shortage(short)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt, future::join_all};
    use std::{
        sync::atomic::{AtomicUsize, Ordering::SeqCst},
        time::Duration,
    };

    fn of(variants: &[&str]) -> Vec<String> {
        variants.iter().map(|variant| (*variant).to_owned()).collect()
    }

    #[tokio::test]
    async fn a_crowd_for_one_thing_keeps_nobody_from_another() {
        let crowd = Crowd::default();
        let inside = join_all((0..AT_ONCE).map(|_| crowd.enter(of(&["hot"])))).await;
        assert!(inside.iter().all(|turn| !turn.waited));
        assert!(crowd.enter(of(&["other", "hot"])).now_or_never().is_none(), "one more of the crowd");
        assert!(crowd.enter(of(&["other"])).now_or_never().is_some_and(|turn| !turn.waited));
        let mut next = Box::pin(crowd.enter(of(&["hot"])));
        assert!(next.as_mut().now_or_never().is_none());
        drop(inside);
        assert!(next.await.waited, "what it saw before is old");
    }

    #[tokio::test]
    async fn who_waits_for_something_with_something_else_keeps_nobody_from_that() {
        let crowd = Crowd::default();
        let inside = join_all((0..AT_ONCE).map(|_| crowd.enter(of(&["hot"])))).await;
        let mut both: Vec<_> = (0..2 * AT_ONCE).map(|_| Box::pin(crowd.enter(of(&["another", "hot"])))).collect();
        assert!(both.iter_mut().all(|turn| turn.as_mut().now_or_never().is_none()));
        let plain = crowd.enter(of(&["another"])).now_or_never();
        assert!(plain.is_some_and(|turn| !turn.waited), "there are places at the other");
        drop(inside);
        for turn in both {
            assert!(turn.await.waited);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_two_orders_wait_for_each_other() {
        let (crowd, inside) = (Arc::new(Crowd::default()), Arc::new(AtomicUsize::new(0)));
        let orders = (0..400).map(|n| {
            let (crowd, inside) = (crowd.clone(), inside.clone());
            tokio::spawn(async move {
                let variants = if n % 2 == 0 { of(&["a", "b", "a"]) } else { of(&["b", "a"]) };
                let turn = crowd.enter(variants).await;
                assert!(inside.fetch_add(1, SeqCst) < AT_ONCE);
                tokio::task::yield_now().await;
                inside.fetch_sub(1, SeqCst);
                drop(turn);
            })
        });
        let all = tokio::time::timeout(Duration::from_secs(30), join_all(orders)).await;
        assert!(all.is_ok_and(|all| all.iter().all(Result::is_ok)));
    }

    #[tokio::test]
    async fn lines_in_which_nobody_stands_are_forgotten() {
        let crowd = Crowd::default();
        let stays = crowd.enter(of(&["stays"])).await;
        for n in 0..3 * MANY_LINES {
            crowd.enter(vec![n.to_string()]).await;
        }
        let lines = crowd.lines.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(lines.len() <= MANY_LINES);
        assert!(lines.get("stays").is_some_and(|line| line.strong_count() > 0));
        drop(stays);
    }
}
