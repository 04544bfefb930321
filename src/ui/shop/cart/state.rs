//! The cart as this tab shows it: what the server said last, with what was chosen here since.
//!
//! Changes leave one after the other, so that the answers come in their order; a line that is changed again while its
//! change is on the way is sent once more with the last quantity, however often it was clicked. What waits is still
//! sent after the page was left.

use crate::{
    api,
    domain::{
        Error,
        booking::wish::Wish,
        cart::{Cart, CartLine},
        live::VariantState,
        texts::cart as t,
    },
    ui::{
        components::shell::{CartCount, Toasts, use_cart_count, use_toasts},
        use_locale,
    },
};
use leptos::{prelude::*, task::spawn_local};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

/// A change that waits to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    /// The quantity chosen for a variant by now; zero removes it.
    Quantity(String),
    Save {
        variant_id: String,
        saved: bool,
    },
    /// Puts back what was removed.
    Restore {
        line: Box<CartLine>,
        saved: bool,
    },
    /// Takes a booking out.
    Unbook(String),
    /// Puts a booking in.
    Book {
        variant_id: String,
        wish: Wish,
    },
    /// Wants something else in place of a booking.
    Rebook {
        id: String,
        /// Where it is to be of another variant.
        variant_id: Option<String>,
        wish: Wish,
    },
    /// The prices that were shown.
    AcceptPrices(String),
    TakeAvailable,
    /// Only asks for the present cart.
    Load,
}

impl Change {
    /// The line it is about: the variant of goods, or the id of a booking; empty for the whole cart.
    fn line(&self) -> &str {
        match self {
            Self::Quantity(id) | Self::Save { variant_id: id, .. } => id,
            Self::Unbook(id) | Self::Rebook { id, .. } => id,
            Self::Restore { line, .. } => &line.variant_id,
            Self::Book { .. } | Self::AcceptPrices(_) | Self::TakeAvailable | Self::Load => "",
        }
    }
}

/// What does not end with the page.
#[derive(Clone)]
struct Work {
    server: ArcRwSignal<Cart>,
    /// Quantities chosen here which the server has not confirmed.
    chosen: ArcRwSignal<BTreeMap<String, i64>>,
    /// The last failure, with the line it is about (empty for the whole cart).
    problem: ArcRwSignal<Option<(String, Error)>>,
    busy: ArcRwSignal<bool>,
    waiting: Arc<Mutex<Waiting>>,
    count: CartCount,
    toasts: Toasts,
    /// What is said once a line was saved for later.
    saved: &'static str,
}

#[derive(Default)]
struct Waiting {
    changes: VecDeque<Change>,
    /// The newest version the live feed told of.
    told: i64,
}

/// The cart of a page.
#[derive(Clone, Copy)]
pub struct CartState {
    work: StoredValue<Work>,
    /// The cart to show.
    pub shown: Memo<Cart>,
    /// The last failure, with the line it is about (empty for the whole cart).
    pub problem: RwSignal<Option<(String, Error)>>,
    /// Whether a change is on its way.
    pub busy: RwSignal<bool>,
}

impl CartState {
    /// Begins with what the server answered, and the error of a form posted without script.
    pub fn new(cart: Cart, error: Option<Error>) -> Self {
        let count = use_cart_count();
        let work = Work {
            server: ArcRwSignal::new(cart),
            chosen: ArcRwSignal::new(BTreeMap::new()),
            problem: ArcRwSignal::new(error.map(|error| (String::new(), error))),
            busy: ArcRwSignal::new(false),
            waiting: Arc::default(),
            count,
            toasts: use_toasts(),
            saved: use_locale().t(t::SAVED_FOR_LATER),
        };
        let (server, chosen) = (work.server.clone(), work.chosen.clone());
        let shown = Memo::new(move |_| {
            let mut cart = server.get();
            chosen.with(|chosen| chosen.iter().for_each(|(id, quantity)| choose(&mut cart, id, *quantity)));
            cart
        });
        let (problem, busy) = (work.problem.clone().into(), work.busy.clone().into());
        Effect::new(move |_| count.show(&shown.get()));
        Self { work: StoredValue::new(work), shown, problem, busy }
    }

    /// Shows a quantity at once and sends it; zero removes the line.
    pub fn set_quantity(self, variant_id: &str, quantity: i64) {
        self.with(|work| {
            work.chosen.update(|chosen| {
                chosen.insert(variant_id.to_owned(), quantity);
            });
            work.push(Change::Quantity(variant_id.to_owned()));
        });
    }

    /// Removes a line; the answer puts it back.
    pub fn remove(self, variant_id: &str) -> impl Fn() + Send + Sync + use<> {
        let before = self.shown.with_untracked(|cart| find(cart, variant_id));
        self.set_quantity(variant_id, 0);
        let work = self.work.try_get_value();
        move || {
            if let (Some(work), Some((line, saved))) = (&work, &before) {
                work.push(Change::Restore { line: line.clone(), saved: *saved });
            }
        }
    }

    pub fn save_for_later(self, variant_id: &str, saved: bool) {
        self.with(|work| work.push(Change::Save { variant_id: variant_id.to_owned(), saved }));
    }

    /// Takes a booking out; the answer puts it back.
    pub fn unbook(self, id: &str) -> impl Fn() + Send + Sync + use<> {
        let before = self.shown.with_untracked(|cart| cart.bookings.iter().find(|booking| booking.id == id).cloned());
        self.with(|work| work.push(Change::Unbook(id.to_owned())));
        let work = self.work.try_get_value();
        move || {
            if let (Some(work), Some(booking)) = (&work, &before) {
                work.push(Change::Book { variant_id: booking.variant_id.clone(), wish: booking.wish.clone() });
            }
        }
    }

    /// Wants something else in place of a booking.
    pub fn rebook(self, id: &str, variant_id: Option<String>, wish: Wish) {
        self.with(|work| work.push(Change::Rebook { id: id.to_owned(), variant_id, wish }));
    }

    pub fn accept_prices(self) {
        let shown = self.shown.with_untracked(Cart::prices);
        self.with(|work| work.push(Change::AcceptPrices(shown)));
    }

    pub fn take_available(self) {
        self.with(|work| work.push(Change::TakeAvailable));
    }

    /// Takes a product's stock and prices from the live feed.
    pub fn see(self, product_id: &str, variants: &[VariantState]) {
        self.with(|work| {
            let changed = work.server.try_maybe_update(|cart| {
                let changed = cart.see(product_id, variants);
                (changed, changed)
            });
            // An answer on its way may have been made before this.
            if changed == Some(true) && work.busy.get_untracked() {
                work.push(Change::Load);
            }
        });
    }

    /// Loads the cart if another tab or device has made a newer one.
    pub fn told(self, version: i64) {
        self.with(|work| {
            work.waiting(|waiting| waiting.told = waiting.told.max(version));
            if !work.busy.get_untracked() && work.server.with_untracked(|cart| cart.version < version) {
                work.push(Change::Load);
            }
        });
    }

    fn with(self, f: impl FnOnce(&Work)) {
        if let Some(work) = self.work.try_get_value() {
            f(&work);
        }
    }
}

/// The quantity of a variant in the cart, and whether it is saved for later.
fn find(cart: &Cart, variant_id: &str) -> Option<(Box<CartLine>, bool)> {
    let saved = cart.saved.iter().find(|line| line.variant_id == variant_id).map(|line| (line, true));
    let found = saved.or_else(|| cart.line(variant_id).map(|line| (line, false)));
    found.map(|(line, saved)| (Box::new(line.clone()), saved))
}

/// The cart as it will be when a quantity is set, also of what is saved for later.
fn choose(cart: &mut Cart, variant_id: &str, quantity: i64) {
    cart.set_quantity(variant_id, quantity);
    if quantity <= 0 {
        cart.saved.retain(|line| line.variant_id != variant_id);
    }
}

impl Work {
    fn waiting<T>(&self, f: impl FnOnce(&mut Waiting) -> T) -> T {
        f(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, change: Change) {
        if change != Change::Load {
            self.problem.set(None);
        }
        self.waiting(|waiting| {
            if !waiting.changes.contains(&change) {
                waiting.changes.push_back(change);
            }
        });
        if !self.busy.get_untracked() {
            self.busy.set(true);
            let work = self.clone();
            spawn_local(async move { work.run().await });
        }
    }

    async fn run(self) {
        while let Some(change) = self.next() {
            let sent = self.chosen.with_untracked(|chosen| chosen.get(change.line()).copied());
            let result = send(&change, sent).await;
            self.settle(change, sent, result);
        }
        self.busy.set(false);
    }

    /// What to send next; the cart itself when the live feed told of a newer one than any answer.
    fn next(&self) -> Option<Change> {
        let version = self.server.with_untracked(|cart| cart.version);
        self.waiting(|waiting| {
            waiting
                .changes
                .pop_front()
                .or_else(|| (std::mem::take(&mut waiting.told) > version).then_some(Change::Load))
        })
    }

    fn settle(&self, change: Change, sent: Option<i64>, result: Result<Cart, Error>) {
        let failed = result.is_err();
        match result {
            Ok(cart) => {
                self.show(cart);
                if matches!(change, Change::Save { saved: true, .. }) {
                    self.toasts.show(self.saved);
                }
            }
            Err(error) => {
                // What was shown may not be what is: ask, unless nobody answers.
                if !matches!(error, Error::Offline) && change != Change::Load {
                    self.waiting(|waiting| waiting.changes.push_back(Change::Load));
                }
                self.problem.set(Some((change.line().to_owned(), error)));
            }
        }
        if let Change::Quantity(id) = change {
            let chosen_again = self.chosen.with_untracked(|chosen| chosen.get(&id).copied()) != sent;
            if failed || !chosen_again {
                self.chosen.update(|chosen| {
                    chosen.remove(&id);
                });
            }
        }
    }

    /// Shows an answer, unless a newer one is shown.
    fn show(&self, cart: Cart) {
        self.count.show(&cart);
        if self.server.with_untracked(|shown| shown.version <= cart.version) {
            self.server.set(cart);
        }
    }
}

async fn send(change: &Change, quantity: Option<i64>) -> Result<Cart, Error> {
    match change.clone() {
        Change::Quantity(id) => match quantity {
            Some(quantity) => api::cart::set_quantity(id, quantity).await,
            None => api::cart::get().await,
        },
        Change::Save { variant_id, saved } => api::cart::save_for_later(variant_id, saved).await,
        Change::Restore { line, saved } => {
            let CartLine { variant_id, quantity, price_seen, added_at, .. } = *line;
            api::cart::restore(variant_id, quantity, price_seen.0, saved, added_at).await
        }
        Change::Unbook(id) => api::booking::remove_booking(id).await,
        Change::Book { variant_id, wish } => api::booking::add_booking(variant_id, wish.text(), None, None).await,
        Change::Rebook { id, variant_id, wish } => {
            api::booking::replace_booking(id, wish.text(), variant_id, None).await
        }
        Change::AcceptPrices(shown) => api::cart::accept_prices(shown).await,
        Change::TakeAvailable => api::cart::take_available().await,
        Change::Load => api::cart::get().await,
    }
}
