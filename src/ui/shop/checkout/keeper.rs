//! Keeps what is typed at checkout, on the server: a moment after each change, when the page is left, and before the
//! form is sent. One request at a time, always with the latest, so that nothing older arrives last. What could not be
//! kept is tried again when the network is back and when the page is left.

use crate::{
    api::{self, order::SaveCheckout},
    domain::{Error, address::CheckoutForm, cart::BuyNow},
    ui::{beacon, components::address::Divisions},
};
use leptos::{ev, prelude::*, server_fn::ServerFn, task::spawn_local};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The pause after typing before it is kept.
const PAUSE: Duration = Duration::from_millis(500);
/// A step of `save_checkout` that only keeps the form.
const DRAFT: &str = "draft";

/// The form of a page, on its way to the server.
#[derive(Clone, Copy)]
pub struct Keeper {
    work: StoredValue<Arc<Mutex<Work>>>,
    timer: StoredValue<Option<TimeoutHandle>>,
    /// What is bought at once; the way on depends on it.
    buy_now: StoredValue<Option<BuyNow>>,
    /// What can be chosen in the selects of the address.
    pub divisions: RwSignal<Divisions>,
    /// Whether what the last choice of a province or city offers is on its way.
    pub loading: RwSignal<bool>,
    /// Whether the form is being sent.
    pub sending: RwSignal<bool>,
    /// What the server answered to the form sent last.
    pub failed: RwSignal<Option<Error>>,
    /// Whether what was typed could not be kept.
    pub lost: RwSignal<bool>,
}

#[derive(Default)]
struct Work {
    /// The latest that was typed.
    typed: Option<CheckoutForm>,
    /// Something was typed that was not sent yet.
    draft: bool,
    /// What was sent last did not arrive.
    unkept: bool,
    /// A province or city was chosen: what it offers is to be loaded.
    region: bool,
    /// What the last choice offers could not be loaded.
    unloaded: bool,
    /// The form is to be sent.
    send: bool,
    running: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Job {
    Draft,
    Region,
    Send,
}

impl Keeper {
    pub fn new(divisions: Divisions, buy_now: Option<BuyNow>) -> Self {
        let keeper = Self {
            work: StoredValue::new(Arc::default()),
            timer: StoredValue::new(None),
            buy_now: StoredValue::new(buy_now),
            divisions: RwSignal::new(divisions),
            loading: RwSignal::new(false),
            sending: RwSignal::new(false),
            failed: RwSignal::new(None),
            lost: RwSignal::new(false),
        };
        let work = keeper.work.get_value();
        let left = work.clone();
        on_cleanup(move || {
            let to_keep = {
                let mut work = lock(&left);
                work.draft |= work.unkept;
                work.draft
            };
            if is_browser() && to_keep {
                keeper.start(left.clone());
            }
        });
        Effect::new(move |_| {
            let (back, hidden) = (work.clone(), work.clone());
            let back = window_event_listener(ev::online, move |_| {
                try_again(&back);
                keeper.start(back.clone());
            });
            let hidden = window_event_listener(ev::pagehide, move |_| last_word(&hidden));
            on_cleanup(move || {
                back.remove();
                hidden.remove();
            });
        });
        keeper
    }

    /// Something was typed; it is kept after a pause.
    pub fn typed(self, form: CheckoutForm) {
        self.note(|work| {
            work.typed = Some(form);
            work.draft = true;
        });
        self.timer.update_value(|timer| {
            if let Some(timer) = timer.take() {
                timer.clear();
            }
            let later = move || {
                if let Some(work) = self.work.try_get_value() {
                    self.start(work);
                }
            };
            *timer = set_timeout_with_handle(later, PAUSE).ok();
        });
    }

    /// Keeps the form at once.
    pub fn keep(self, form: CheckoutForm) {
        self.note(|work| {
            work.typed = Some(form);
            work.draft = true;
        });
        self.start(self.work.get_value());
    }

    /// A province or a city was chosen: keeps it and loads what it offers.
    pub fn region(self, form: CheckoutForm) {
        self.divisions.update(|divisions| {
            divisions.districts.clear();
            let still = divisions.cities.iter().any(|(code, _)| *code == form.city);
            if !still {
                divisions.cities.clear();
            }
        });
        self.loading.set(!form.province.is_empty());
        self.note(|work| {
            work.typed = Some(form);
            work.region = true;
        });
        self.start(self.work.get_value());
    }

    /// Sends the form; a form that is being sent is not sent again.
    pub fn send(self, form: CheckoutForm) {
        if self.sending.get_untracked() {
            return;
        }
        self.sending.set(true);
        self.failed.set(None);
        self.note(|work| {
            work.typed = Some(form);
            work.send = true;
        });
        self.start(self.work.get_value());
    }

    fn note(self, f: impl FnOnce(&mut Work)) {
        self.work.with_value(|work| f(&mut lock(work)));
    }

    /// Works through what there is to do, unless that goes on already. Does not end with the page.
    fn start(self, work: Arc<Mutex<Work>>) {
        if !std::mem::replace(&mut lock(&work).running, true) {
            spawn_local(async move {
                while let Some((job, form)) = next(&work) {
                    self.run(&work, job, form).await;
                }
            });
        }
    }

    async fn run(self, work: &Mutex<Work>, job: Job, form: CheckoutForm) {
        let step = match job {
            Job::Send => None,
            Job::Draft | Job::Region => Some(DRAFT.to_owned()),
        };
        let (province, city) = (form.province.clone(), form.city.clone());
        // The page may be gone by now; then only the form is kept.
        let buy_now = self.buy_now.try_get_value().flatten();
        let kept = api::order::save_checkout(form, step, buy_now.clone(), None, None).await;
        // A form with something wrong in it is kept all the same.
        lock(work).unkept = kept.as_ref().is_err_and(|error| !matches!(error, Error::Invalid(_)));
        let region = job == Job::Region;
        match (job, kept) {
            (Job::Send, kept) => {
                self.sending.try_set(false);
                self.failed.try_set(kept.err());
            }
            (Job::Draft, kept) => {
                self.lost.try_set(kept.is_err());
            }
            (Job::Region, Err(_)) => self.not_loaded(work),
            (Job::Region, Ok(())) => match api::order::checkout(buy_now).await {
                // What was filled in meanwhile brought its own.
                Ok(_) if !is_latest(work, &province, &city) => {}
                Ok(page) if page.form.province == province && page.form.city == city => {
                    self.divisions.try_update(|divisions| {
                        (divisions.cities, divisions.districts) = (page.cities, page.districts)
                    });
                    self.lost.try_set(false);
                }
                Ok(_) => {}
                Err(_) => self.not_loaded(work),
            },
        }
        if region {
            // Another choice that was made meanwhile is answered next.
            self.loading.try_set(lock(work).region);
        }
    }

    fn not_loaded(self, work: &Mutex<Work>) {
        lock(work).unloaded = true;
        self.lost.try_set(true);
    }
}

/// Whether province and city are still those of the latest form.
fn is_latest(work: &Mutex<Work>, province: &str, city: &str) -> bool {
    lock(work).typed.as_ref().is_some_and(|typed| typed.province == province && typed.city == city)
}

/// Takes up what failed once more.
fn try_again(work: &Mutex<Work>) {
    let mut work = lock(work);
    work.draft |= work.unkept;
    work.region |= std::mem::take(&mut work.unloaded);
}

/// Keeps what was typed last when the page is left for another site or its tab is closed: a request of the page would end
/// with it.
fn last_word(work: &Mutex<Work>) {
    let mut work = lock(work);
    // A request that is under way may end with the page as well.
    if let (true, Some(form)) = (work.draft || work.unkept || work.running, &work.typed)
        && beacon::post(SaveCheckout::url(), "form", form, DRAFT)
    {
        (work.draft, work.unkept) = (false, false);
    }
}

/// What to do next. Sending keeps the form too, and a choice of region keeps what was typed.
fn next(work: &Mutex<Work>) -> Option<(Job, CheckoutForm)> {
    let mut work = lock(work);
    let job = match (work.send, work.region, work.draft) {
        (true, ..) => Job::Send,
        (_, true, _) => Job::Region,
        (_, _, true) => Job::Draft,
        _ => {
            work.running = false;
            return None;
        }
    };
    (work.send, work.draft) = (false, false);
    if !matches!(job, Job::Send) {
        (work.region, work.unloaded) = (false, false);
    }
    match work.typed.clone() {
        Some(form) => Some((job, form)),
        None => {
            work.running = false;
            None
        }
    }
}

fn lock(work: &Mutex<Work>) -> std::sync::MutexGuard<'_, Work> {
    work.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sending_comes_first_and_the_latest_is_kept() {
        let form = |recipient: &str| CheckoutForm { recipient: recipient.into(), ..CheckoutForm::default() };
        let (typed, running) = (Some(form("a")), true);
        let work = Mutex::new(Work { typed, draft: true, region: true, send: true, running, ..Work::default() });
        assert_eq!(next(&work), Some((Job::Send, form("a"))));
        lock(&work).typed = Some(form("b"));
        assert_eq!(next(&work), Some((Job::Region, form("b"))), "what a choice offers is still to be loaded");
        lock(&work).draft = true;
        assert_eq!(next(&work), Some((Job::Draft, form("b"))));
        assert_eq!(next(&work), None);
        assert!(!lock(&work).running, "the next change starts anew");
    }

    #[test]
    fn what_was_not_kept_waits_for_the_network() {
        let form = CheckoutForm { recipient: "a".into(), ..CheckoutForm::default() };
        let work = Mutex::new(Work { typed: Some(form.clone()), unkept: true, ..Work::default() });
        assert_eq!(next(&work), None, "it is not sent over and over");
        try_again(&work);
        assert_eq!(next(&work), Some((Job::Draft, form.clone())));
        (lock(&work).unkept, lock(&work).unloaded) = (true, true);
        try_again(&work);
        assert_eq!(next(&work), Some((Job::Region, form)), "a choice is kept and loaded together");
        lock(&work).unkept = false;
        try_again(&work);
        assert_eq!(next(&work), None);
    }
}
