//! The live feed: open pages are told the present state of what they show, soon after it changed.
//!
//! A room says [`Hub::changed`] after a commit. Changes are gathered for a moment, each topic that someone listens to is
//! read once, and the same text goes to all who listen. A connection that is slower than the changes gets the latest
//! state of each topic and nothing in between, so what waits for it never grows.
//!
//! Who listens is known to the process that holds the connection and to nobody else. Where several nodes serve one shop,
//! each tells the others what changed, see [`nodes`](super::nodes).

mod changes;
mod hearing;
mod listener;
mod outgoing;

pub use changes::{Changes, Ranking, Seen, Sight, Sold, WHOLE};
pub use listener::Listener;
pub use outgoing::Outgoing;

use super::{App, cart, catalog, figures, order};
use crate::domain::{
    Error, Result,
    live::{Topic, Update},
};
use axum::body::Bytes;
use futures::{StreamExt, stream};
use hearing::Hearing;
use listener::Inbox;
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, interval_at},
};

/// How long changes are gathered before they are read.
const GATHER: Duration = Duration::from_millis(50);
/// How long to wait after the database did not answer.
const TROUBLE: Duration = Duration::from_secs(1);
/// How many topics are read before the newest changes are looked at again.
const ROUND: usize = 256;
/// How many topics are read at once.
const AT_ONCE: usize = 8;
/// A quiet connection gets a comment, so that nothing on the way takes it for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// The most open connections of one process: a quarter of the places of its listener
/// ([`Limits`](super::http::listen::Limits)) stays for those who load a page or order.
const MAX_CONNECTIONS: usize = 12_000;

/// Who listens to what. Cloning it gives another handle on the same.
#[derive(Clone, Default)]
pub struct Hub(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    work: Notify,
    next_id: AtomicU64,
    /// For answers from memory.
    changes: Arc<Changes>,
    hearing: Hearing,
    /// What other nodes are to be told; none where there are no others.
    outgoing: Mutex<Option<Outgoing>>,
    /// There is something in it.
    to_tell: Notify,
}

#[derive(Default)]
struct State {
    topics: HashMap<Topic, HashMap<u64, Place>>,
    /// Topics to be read for all who listen.
    changed: HashSet<Topic>,
    /// Topics to be read for those who have just come.
    joined: HashSet<Topic>,
    connections: usize,
    closed: bool,
}

/// A connection's place among those who listen to a topic.
struct Place {
    inbox: Arc<Inbox>,
    /// The topic's index among those of the connection.
    topic: usize,
    /// Whether it has not been told anything yet.
    new: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half done in these short sections, so what a panic left behind is still right.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that a topic has changed; of a product, anything may have. Cheap; call it after the commit.
    pub fn changed(&self, topic: Topic) {
        self.keep(|outgoing| outgoing.note(topic.clone()));
        self.heard(topic);
    }

    /// The same of a product of which nothing changed but its stock, and how many were sold: then [`Hub::sold`] is told too.
    pub fn stock_changed(&self, product: String) {
        self.keep(|outgoing| outgoing.note_stock(&product));
        self.heard_stock(product);
    }

    /// Notes that pieces of a product were sold, or given back; call it after the commit.
    pub fn sold(&self, sold: &Sold) {
        for category in sold.places() {
            self.keep(|outgoing| outgoing.note_sold(category, sold.sales));
            self.heard_sold(category, sold.sales);
        }
    }

    /// As [`Hub::changed`], for what another node says of a change there.
    pub fn heard(&self, topic: Topic) {
        if matches!(topic, Topic::Product(_)) {
            self.0.changes.of_any();
        }
        self.read_again(topic);
    }

    /// As [`Hub::stock_changed`].
    pub fn heard_stock(&self, product: String) {
        self.0.changes.of_stock(&product);
        self.read_again(Topic::Product(product));
    }

    /// As [`Hub::sold`], in one category, or [`WHOLE`].
    pub fn heard_sold(&self, category: &str, sales: i64) {
        self.0.changes.of_sales(category, sales);
    }

    /// Keeps something for other nodes, where there are some.
    fn keep(&self, note: impl FnOnce(&mut Outgoing)) {
        let noted = lock(&self.0.outgoing).as_mut().map(note);
        if noted.is_some() {
            self.0.to_tell.notify_one();
        }
    }

    /// Has a topic read for those who listen to it; nothing at all when nobody does.
    fn read_again(&self, topic: Topic) {
        let mut state = lock(&self.0.state);
        if state.topics.contains_key(&topic) && state.changed.insert(topic) {
            drop(state);
            self.0.work.notify_one();
        }
    }

    /// Reads everything anew that somebody listens to: some change may not have been heard of.
    pub fn all_changed(&self) {
        self.0.changes.of_any();
        let mut state = lock(&self.0.state);
        state.changed = state.topics.keys().cloned().collect();
        drop(state);
        self.0.work.notify_one();
    }

    /// The same here and on other nodes: something may have changed here of which nobody can tell.
    pub fn tell_all(&self) {
        if let Some(outgoing) = lock(&self.0.outgoing).as_mut() {
            *outgoing = Outgoing::everything();
        }
        self.all_changed();
    }

    /// From now on what changes here is kept for other nodes, until it is taken.
    pub fn keep_for_others(&self) {
        lock(&self.0.outgoing).get_or_insert_default();
    }

    /// Takes what other nodes are to be told.
    pub fn take_for_others(&self) -> Outgoing {
        lock(&self.0.outgoing).as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Puts back what they could not be told.
    pub fn put_back(&self, untold: Outgoing) {
        if let Some(outgoing) = lock(&self.0.outgoing).as_mut() {
            outgoing.add(untold);
        }
    }

    /// Done when there is something to tell other nodes.
    pub async fn to_tell(&self) {
        self.0.to_tell.notified().await;
    }

    /// How often something has changed of what pages of the catalogue show, such as the stock or the price of some product,
    /// here or on another node, since the start of this process.
    pub fn product_changes(&self) -> u64 {
        self.0.changes.count()
    }

    /// The same changes, told apart.
    pub fn changes(&self) -> Arc<Changes> {
        self.0.changes.clone()
    }

    /// Notes a change in this process of what pages of the catalogue show, of which no topic tells.
    pub fn catalogue_changed(&self) {
        self.0.changes.of_any();
    }

    /// Whether every such change is heard of: what was missed before is counted by the time that this is so.
    pub fn hears_all(&self) -> bool {
        self.0.hearing.is_whole(Instant::now())
    }

    /// Notes that there are no other nodes.
    pub fn note_alone(&self) {
        self.0.hearing.alone();
    }

    /// Notes when the node was heard last that is silent for the longest; none where nothing is heard.
    pub fn note_others(&self, heard: Option<Instant>) {
        self.0.hearing.others(heard);
    }

    /// Notes when a look began that found the products that other processes changed, once they are counted.
    pub fn note_look(&self, begun: Instant) {
        self.0.hearing.looked(begun);
    }

    /// Listens to some topics; the stream begins with the present state of each. `None` when the process has as many
    /// connections as it takes, or is about to stop.
    pub fn listen(&self, topics: Vec<Topic>) -> Option<Listener> {
        let id = self.0.next_id.fetch_add(1, Ordering::Relaxed);
        let inbox = Arc::new(Inbox::default());
        {
            let mut state = lock(&self.0.state);
            if state.closed || state.connections >= MAX_CONNECTIONS {
                return None;
            }
            state.connections += 1;
            metrics::gauge!(figures::LIVE).set(state.connections as f64);
            for (index, topic) in topics.iter().enumerate() {
                let place = Place { inbox: inbox.clone(), topic: index, new: true };
                state.topics.entry(topic.clone()).or_default().insert(id, place);
                state.joined.insert(topic.clone());
            }
        }
        self.0.work.notify_one();
        let keep_alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        Some(Listener { hub: self.clone(), id, topics, inbox, keep_alive })
    }

    /// Whether [`Hub::close`] was called.
    fn is_closed(&self) -> bool {
        lock(&self.0.state).closed
    }

    /// Ends all connections; browsers come back by themselves, to the next process.
    pub fn close(&self) {
        let inboxes: Vec<_> = {
            let mut state = lock(&self.0.state);
            state.closed = true;
            state.topics.values().flat_map(HashMap::values).map(|place| place.inbox.clone()).collect()
        };
        inboxes.iter().for_each(|inbox| inbox.close());
        self.0.work.notify_one();
    }

    /// Reads what changed and tells it, until the hub is closed. One task per process.
    pub async fn run(self, app: App) {
        loop {
            self.0.work.notified().await;
            tokio::time::sleep(GATHER).await;
            loop {
                let round = self.round();
                if round.is_empty() {
                    break;
                }
                let read = |(topic, for_all): (Topic, bool)| {
                    let app = &app;
                    async move { (read(app, &topic).await, topic, for_all) }
                };
                let mut states = stream::iter(round).map(read).buffer_unordered(AT_ONCE);
                let mut trouble = false;
                while let Some((state, topic, for_all)) = states.next().await {
                    match state {
                        Ok(update) => self.tell(&topic, &update, for_all),
                        // Deleted meanwhile: there is nothing to tell any more.
                        Err(Error::NotFound) => {}
                        Err(_) => {
                            self.again(topic);
                            trouble = true;
                        }
                    }
                }
                if trouble {
                    tokio::time::sleep(TROUBLE).await;
                }
            }
            if self.is_closed() {
                return;
            }
        }
    }

    /// The topics to be read next, with whether all who listen are told; changes before newcomers.
    fn round(&self) -> Vec<(Topic, bool)> {
        let mut state = lock(&self.0.state);
        if state.closed {
            return Vec::new();
        }
        let mut round: Vec<_> = take(&mut state.changed, ROUND).map(|topic| (topic, true)).collect();
        for (topic, _) in &round {
            state.joined.remove(topic);
        }
        let room = ROUND - round.len();
        round.extend(take(&mut state.joined, room).map(|topic| (topic, false)));
        round
    }

    fn again(&self, topic: Topic) {
        let mut state = lock(&self.0.state);
        if state.topics.contains_key(&topic) {
            state.changed.insert(topic);
        }
    }

    fn tell(&self, topic: &Topic, update: &Update, for_all: bool) {
        let Ok(json) = serde_json::to_string(update) else { return };
        let text = Bytes::from(format!("event: {}\ndata: {json}\n\n", topic.name()));
        let told: Vec<_> = {
            let mut state = lock(&self.0.state);
            let places = state.topics.get_mut(topic).into_iter().flat_map(HashMap::values_mut);
            let told = places.filter(|place| for_all || place.new);
            told.map(|place| {
                place.new = false;
                (place.inbox.clone(), place.topic)
            })
            .collect()
        };
        metrics::counter!(figures::LIVE_SENT).increment(told.len() as u64);
        for (inbox, topic) in told {
            inbox.put(topic, text.clone());
        }
    }

    fn leave(&self, id: u64, topics: &[Topic]) {
        let mut state = lock(&self.0.state);
        for topic in topics {
            if let Some(places) = state.topics.get_mut(topic) {
                places.remove(&id);
                if places.is_empty() {
                    state.topics.remove(topic);
                }
            }
        }
        state.connections -= 1;
        metrics::gauge!(figures::LIVE).set(state.connections as f64);
    }
}

/// Takes some out of a set.
fn take(set: &mut HashSet<Topic>, count: usize) -> impl Iterator<Item = Topic> + use<> {
    let taken: Vec<_> = set.iter().take(count).cloned().collect();
    taken.iter().for_each(|topic| {
        set.remove(topic);
    });
    taken.into_iter()
}

/// The present state of a topic.
async fn read(app: &App, topic: &Topic) -> Result<Update> {
    Ok(match topic {
        Topic::Product(id) => Update::Product { id: id.clone(), variants: catalog::variant_states(app, id).await? },
        Topic::Cart(customer) => Update::Cart { version: cart::version(app, customer).await? },
        Topic::Order(number) => {
            let (state, version) = order::live_state(app, number).await?;
            Update::Order { number: number.clone(), state, version }
        }
        Topic::Office => Update::Office { to_ship: order::to_ship_count(app).await? },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(id: &str) -> Topic {
        Topic::Product(id.to_owned())
    }

    fn text(hub: &Hub, topic: &Topic, to_ship: i64, for_all: bool) {
        hub.tell(topic, &Update::Office { to_ship }, for_all);
    }

    async fn next(listener: &mut Listener) -> Option<String> {
        let soon = tokio::time::timeout(Duration::from_millis(20), listener.next()).await.ok()??;
        let Ok(bytes) = soon;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    #[tokio::test]
    async fn a_newcomer_is_told_the_present_state_and_others_are_not_told_again() {
        let hub = Hub::new();
        let (Some(mut first), topic) = (hub.listen(vec![product("a")]), product("a")) else { return };
        assert_eq!(hub.round(), [(topic.clone(), false)]);
        text(&hub, &topic, 1, false);
        assert_eq!(next(&mut first).await.as_deref(), Some("event: product:a\ndata: {\"Office\":{\"to_ship\":1}}\n\n"));
        let Some(mut second) = hub.listen(vec![product("a")]) else { return };
        text(&hub, &topic, 2, false);
        assert!(next(&mut second).await.is_some());
        assert_eq!(next(&mut first).await, None);
    }

    #[tokio::test]
    async fn a_slow_connection_gets_the_latest_state_of_each_topic() {
        let hub = Hub::new();
        let Some(mut listener) = hub.listen(vec![product("a"), product("b")]) else { return };
        for n in 0..100 {
            text(&hub, &product("a"), n, true);
        }
        text(&hub, &product("b"), 7, true);
        let expected = "event: product:a\ndata: {\"Office\":{\"to_ship\":99}}\n\n\
                        event: product:b\ndata: {\"Office\":{\"to_ship\":7}}\n\n";
        assert_eq!(next(&mut listener).await.as_deref(), Some(expected));
    }

    #[tokio::test]
    async fn only_what_someone_listens_to_is_read() {
        let hub = Hub::new();
        hub.changed(product("a"));
        assert!(hub.round().is_empty());
        let listener = hub.listen(vec![product("a")]);
        hub.changed(product("a"));
        hub.changed(product("a"));
        assert_eq!(hub.round(), [(product("a"), true)], "once, although it changed twice and someone has just come");
        assert!(hub.round().is_empty());
        drop(listener);
        hub.changed(product("a"));
        assert!(hub.round().is_empty() && lock(&hub.0.state).connections == 0);
    }

    #[test]
    fn what_other_nodes_are_told_is_bounded_and_waits_until_they_are_told() {
        let hub = Hub::new();
        hub.changed(product("a"));
        assert!(hub.take_for_others().is_empty(), "there are no others");
        hub.keep_for_others();
        hub.changed(product("a"));
        hub.changed(product("a"));
        hub.heard(product("b"));
        let taken = hub.take_for_others();
        assert_eq!(
            taken,
            Outgoing { topics: HashSet::from([product("a")]), ..Outgoing::default() },
            "what they said is not said back"
        );
        assert!(hub.take_for_others().is_empty());
        hub.changed(product("c"));
        hub.put_back(taken);
        assert_eq!(hub.take_for_others().topics, HashSet::from([product("a"), product("c")]));
        for n in 0..=outgoing::MOST {
            hub.changed(product(&n.to_string()));
        }
        hub.put_back(Outgoing { topics: HashSet::from([product("a")]), ..Outgoing::default() });
        assert_eq!(hub.take_for_others(), Outgoing { all: true, ..Outgoing::default() });
        hub.changed(product("a"));
        hub.tell_all();
        assert_eq!(hub.take_for_others(), Outgoing { all: true, ..Outgoing::default() });
    }

    #[tokio::test]
    async fn after_something_may_have_been_missed_all_that_is_watched_is_read() {
        let hub = Hub::new();
        let _listener = hub.listen(vec![product("a"), product("b")]);
        assert_eq!(hub.round().len(), 2);
        let before = hub.product_changes();
        hub.all_changed();
        assert_eq!(hub.round().iter().filter(|(_, for_all)| *for_all).count(), 2);
        assert_ne!(hub.product_changes(), before, "and nothing is answered from memory");
    }

    #[tokio::test]
    async fn closing_ends_every_connection_and_takes_no_more() {
        let hub = Hub::new();
        let Some(mut listener) = hub.listen(vec![product("a")]) else { return };
        hub.close();
        assert!(listener.next().await.is_none());
        assert!(hub.listen(vec![product("a")]).is_none());
    }
}
