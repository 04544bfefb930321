//! Several nodes, one shop: what changed on one is told to all others, whose open pages then show it, and whose answers
//! from memory are found anew.
//!
//! On SQLite there is one node, and nothing of this runs. On PostgreSQL each node says on a channel of the database
//! (its `NOTIFY`) which topics changed and in which categories how much is sold, and nothing else of their content: who
//! hears it reads the present state, as for a change of its own. What changed is gathered for some milliseconds and
//! said after the commit that changed it, not within: a transaction with a word in it holds a lock of the whole server
//! until its commit is on the disk (`PreCommit_Notify` in PostgreSQL's `async.c`), so that all orders of a shop would
//! wait for each other, whatever they buy.
//!
//! Nothing depends on a word: each message carries its node's count of messages, and every node says something at least
//! once a second. So a node that misses one, that lost its connection, or that does not hear from another any more which
//! did not say good-bye and may have ended between a commit and the word of it, reads everything anew that its pages
//! watch. So do all where a node cannot know whether what it changed was committed. A page itself begins with the present
//! state each time it connects. While a node does not hear itself or one of the others, it keeps no answer for longer than a
//! second ([`Hub::hears_all`](super::live::Hub::hears_all)).

use super::{
    App,
    db::{Channels, DbError, Ear, LONGEST, Voice},
    figures,
    live::{Hub, Outgoing},
};
use crate::domain::live::Topic;
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::{BuildHasher, Hasher},
    mem,
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

/// The channel; those of other databases on the same server are others.
const CHANNEL: &str = "xiadan_live";
/// How long changes are gathered before they are told.
const GATHER: Duration = Duration::from_millis(10);
/// How often each node says something, be it that there is nothing new.
const BEAT: Duration = Duration::from_secs(1);
/// So long after a commit of which nobody knows whether it was made, others are told again to look: a server that is slow may
/// make it later. Each further pause is twice as long, up to this one.
const DOUBT: Duration = Duration::from_secs(1);
const LONGEST_DOUBT: Duration = Duration::from_secs(32);
/// After so long without a word from a node something is wrong with it, or with the way to it.
const SILENCE: Duration = Duration::from_secs(4);
/// The pause after a first failure; each further one doubles it.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What a node says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Message {
    /// Which node; another one after each start.
    node: String,
    /// How many messages it has sent, this one included.
    version: u64,
    /// What changed there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    topics: Vec<Topic>,
    /// Of how many of the products with which that begins nothing changed but the stock, and how many were sold. A node of an
    /// earlier version says of none, and takes it of all that anything may have changed.
    #[serde(default, skip_serializing_if = "is_zero")]
    stock: usize,
    /// The categories in which something was sold, each with the most that it was of one product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sold: Vec<(String, i64)>,
    /// More changed than is told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    all: bool,
    /// It says nothing after this.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    leaves: bool,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Message {
    /// Tells open pages and answers from memory what changed on the other node.
    fn tell(self, live: &Hub) {
        for (place, topic) in self.topics.into_iter().enumerate() {
            match topic {
                Topic::Product(product) if place < self.stock => live.heard_stock(product),
                topic => live.heard(topic),
            }
        }
        self.sold.iter().for_each(|(category, sales)| live.heard_sold(category, *sales));
    }
}

/// Tells other nodes and hears them until `stop` turns true, where the database is one that several nodes share.
pub async fn run(app: App, stop: watch::Receiver<bool>) {
    let Some(channels) = app.db.channels() else { return app.live.note_alone() };
    let node = uuid::Uuid::now_v7().to_string();
    app.live.keep_for_others();
    tokio::select! {
        () = speak(&app, channels.voice(), &node, stop) => {}
        () = listen(&app, &channels, &node) => {}
    }
}

/// Says what changed here, and good-bye in the end.
async fn speak(app: &App, mut voice: Voice, node: &str, mut stop: watch::Receiver<bool>) {
    let (mut version, mut failures, mut doubts, mut doubted) = (0, 0, app.db.doubts(), None);
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let (leaves, more) = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => (true, false),
            () = app.live.to_tell() => (false, true),
            _ = beat.tick() => (false, false),
        };
        if more {
            sleep(GATHER).await;
        }
        if doubts != app.db.doubts() {
            (doubts, doubted) = (app.db.doubts(), Some((Instant::now(), DOUBT)));
        }
        if let Some((at, pause)) = doubted.filter(|(at, _)| *at <= Instant::now()) {
            app.live.tell_all();
            doubted = (pause <= LONGEST_DOUBT).then(|| (at + pause, pause * 2));
        }
        let outgoing = app.live.take_for_others();
        match say(&mut voice, node, &mut version, &outgoing, leaves).await {
            Ok(()) => failures = 0,
            Err(error) => {
                if failures == 0 {
                    tracing::warn!(%error, "other nodes cannot be told of changes; it is tried again");
                }
                app.live.put_back(outgoing);
                failures += 1;
                if !leaves {
                    sleep(pause(failures)).await;
                }
            }
        }
        if leaves {
            return;
        }
    }
}

async fn say(
    voice: &mut Voice,
    node: &str,
    version: &mut u64,
    outgoing: &Outgoing,
    leaves: bool,
) -> Result<(), DbError> {
    let mut parts = parts(outgoing);
    let last = parts.pop().unwrap_or_default();
    for (part, end) in parts.into_iter().map(|part| (part, false)).chain([(last, true)]) {
        *version += 1;
        let (all, leaves) = (outgoing.all && end, leaves && end);
        let message = Message { node: node.to_owned(), version: *version, all, leaves, ..part };
        let words = serde_json::to_string(&message).map_err(|error| DbError::Other(error.to_string()))?;
        voice.say(CHANNEL, &words).await?;
    }
    Ok(())
}

/// What changed in parts, each of which fits into a message.
fn parts(outgoing: &Outgoing) -> Vec<Message> {
    // Of what else is in a message.
    const AROUND: usize = 200;
    let (mut parts, mut part, mut size) = (Vec::new(), Message::default(), AROUND);
    let mut make_room = |part: &mut Message, more: usize| {
        if size + more > LONGEST && size > AROUND {
            parts.push(mem::take(part));
            size = AROUND;
        }
        size += more;
    };
    let stock = outgoing.stock.iter().map(|product| (Topic::Product(product.clone()), true));
    for (topic, stock) in stock.chain(outgoing.topics.iter().map(|topic| (topic.clone(), false))) {
        make_room(&mut part, length(&topic));
        part.topics.push(topic);
        part.stock += usize::from(stock);
    }
    for (category, sales) in &outgoing.sold {
        let sold = (category.clone(), *sales);
        make_room(&mut part, length(&sold));
        part.sold.push(sold);
    }
    parts.push(part);
    parts
}

/// How many bytes something takes in a message, with what divides it from the next.
fn length(part: &impl Serialize) -> usize {
    serde_json::to_string(part).map_or(LONGEST, |text| text.len() + 1)
}

/// Hears other nodes, over one connection after the other.
async fn listen(app: &App, channels: &Channels, node: &str) {
    let mut failures = 0;
    loop {
        match channels.listen(CHANNEL).await {
            Ok(mut ear) => {
                if failures > 0 {
                    tracing::info!("other nodes are heard again");
                }
                // What was said before this was missed.
                app.live.all_changed();
                let begun = Instant::now();
                let error = hear(app, &mut ear, node).await;
                app.live.note_others(None);
                tracing::warn!(%error, "other nodes are not heard; it is tried again");
                if begun.elapsed() > LONGEST_PAUSE {
                    failures = 0;
                }
            }
            Err(error) if failures == 0 => tracing::warn!(%error, "other nodes are not heard; it is tried again"),
            Err(_) => {}
        }
        metrics::counter!(figures::DEAF).increment(1);
        metrics::gauge!(figures::NODES).set(0.0);
        failures += 1;
        sleep(pause(failures)).await;
    }
}

/// Hears what is said until the connection is of no more use.
async fn hear(app: &App, ear: &mut Ear, node: &str) -> DbError {
    let mut nodes = Nodes::default();
    let (begun, mut own) = (Instant::now(), None);
    loop {
        match timeout(BEAT, ear.next()).await {
            Ok(Ok(words)) => {
                // A later version of the program may say what this one does not understand: then all may have changed.
                let Ok(message) = serde_json::from_str::<Message>(&words) else {
                    app.live.all_changed();
                    continue;
                };
                if message.node == node {
                    own = Some(Instant::now());
                } else if nodes.hear(&message, Instant::now()) || message.all {
                    app.live.all_changed();
                } else {
                    message.tell(&app.live);
                }
            }
            Ok(Err(error)) => return error,
            Err(_) => {}
        }
        let now = Instant::now();
        if nodes.forget(now) {
            tracing::warn!("a node ended without a word: what it changed last is read anew");
            app.live.all_changed();
        }
        // Besides, whoever is here is one.
        metrics::gauge!(figures::NODES).set(nodes.0.len() as f64 + 1.0);
        // What this node says itself comes back on the same way as all else.
        app.live.note_others(own.map(|own| nodes.heard_since(own)));
        if now.duration_since(own.unwrap_or(begun)) > SILENCE {
            return DbError::Unavailable("nothing is heard, not even what was said here".into());
        }
    }
}

/// The other nodes, with how many messages each has sent and when it was heard last.
#[derive(Default)]
struct Nodes(HashMap<String, (u64, Instant)>);

impl Nodes {
    /// Notes a message; true where one before it was missed.
    fn hear(&mut self, message: &Message, now: Instant) -> bool {
        if message.leaves {
            let before = self.0.remove(&message.node);
            return before.is_some_and(|(version, _)| message.version > version + 1);
        }
        let before = self.0.insert(message.node.clone(), (message.version, now));
        before.is_some_and(|(version, _)| message.version > version + 1)
    }

    /// When the one was heard last that is silent for the longest, among them and another.
    fn heard_since(&self, other: Instant) -> Instant {
        self.0.values().map(|(_, heard)| *heard).fold(other, Instant::min)
    }

    /// Forgets those that say nothing any more; true where there were some.
    fn forget(&mut self, now: Instant) -> bool {
        let before = self.0.len();
        self.0.retain(|_, (_, heard)| now.duration_since(*heard) <= SILENCE);
        self.0.len() < before
    }
}

/// The pause after so many failures, spread by chance: those who lost the same database do not come back at one moment.
fn pause(failures: u32) -> Duration {
    let longest = PAUSE.saturating_mul(1 << failures.clamp(1, 10).saturating_sub(1)).min(LONGEST_PAUSE);
    let ms = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
    let chance = RandomState::new().build_hasher().finish() % ms.max(1);
    Duration::from_millis(ms / 2 + chance / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::live::{Seen, Sight};
    use std::collections::HashSet;

    #[test]
    fn a_message_that_was_missed_is_noticed_with_the_next() {
        let (mut nodes, now) = (Nodes::default(), Instant::now());
        let mut hear = |node: &str, version, leaves| {
            nodes.hear(&Message { node: node.into(), version, leaves, ..Message::default() }, now)
        };
        assert!(!hear("a", 7, false), "what was said before is read anew at the beginning");
        assert!(!hear("a", 8, false) && !hear("a", 8, false), "said twice");
        assert!(!hear("b", 1, false));
        assert!(hear("a", 10, false));
        assert!(!hear("a", 11, true) && !hear("a", 12, true));
        assert!(hear("b", 3, true));
    }

    #[test]
    fn a_node_that_ends_without_a_word_is_noticed_once() {
        let (mut nodes, now) = (Nodes::default(), Instant::now());
        for node in ["a", "b"] {
            nodes.hear(&Message { node: node.into(), version: 1, ..Message::default() }, now);
        }
        nodes.hear(&Message { node: "a".into(), version: 2, leaves: true, ..Message::default() }, now);
        assert_eq!((nodes.heard_since(now + BEAT), nodes.heard_since(now - BEAT)), (now, now - BEAT));
        assert!(!nodes.forget(now + SILENCE));
        assert!(nodes.forget(now + SILENCE + BEAT));
        assert_eq!(nodes.heard_since(now + BEAT), now + BEAT, "who is forgotten is waited for no more");
        assert!(!nodes.forget(now + SILENCE + BEAT) && nodes.0.is_empty());
    }

    #[test]
    fn everything_that_changed_is_said_in_messages_that_the_database_takes() -> serde_json::Result<()> {
        let topics: HashSet<_> = (0..1_000).map(|n| Topic::Cart(format!("{n:036}"))).collect();
        let stock: HashSet<_> = (0..1_000).map(|n| format!("{n:036}")).collect();
        let sold: HashMap<_, _> = (0..1_000).map(|n| (format!("{n:036}"), i64::MAX - n)).collect();
        let outgoing = Outgoing { topics, stock, sold, all: false };
        let parts = parts(&outgoing);
        assert!(parts.len() > 15, "{}", parts.len());
        let mut said = Outgoing::default();
        for part in parts {
            let node = "0".repeat(36);
            let message = Message { node, version: u64::MAX, all: true, leaves: true, ..part };
            let words = serde_json::to_string(&message)?;
            assert!(words.len() <= LONGEST, "{}", words.len());
            assert_eq!(serde_json::from_str::<Message>(&words)?, message);
            let mut topics = message.topics.into_iter();
            said.stock.extend(topics.by_ref().take(message.stock).filter_map(|topic| match topic {
                Topic::Product(product) => Some(product),
                _ => None,
            }));
            said.topics.extend(topics);
            said.sold.extend(message.sold);
        }
        assert_eq!(said, outgoing);
        assert_eq!(super::parts(&Outgoing::default()), [Message::default()], "a beat");
        Ok(())
    }

    #[test]
    fn what_another_node_says_changes_what_it_is_about() -> serde_json::Result<()> {
        let live = Hub::new();
        let (changes, mut seen) = (live.changes(), Seen::default());
        let sight = Sight { products: vec!["a".to_owned()], ..Sight::default() };
        seen.note(&sight);
        let changed = |words: &str| {
            let before = live.product_changes();
            serde_json::from_str::<Message>(words).map(|message| {
                message.tell(&live);
                changes.is_any_after(before, &seen)
            })
        };
        let start = "\"node\":\"1\",\"version\":1";
        assert!(!changed(&format!("{{{start}}}"))?, "a beat");
        assert!(!changed(&format!("{{{start},\"topics\":[\"Office\"],\"sold\":[[\"\",7]]}}"))?);
        assert!(changed(&format!("{{{start},\"topics\":[{{\"Product\":\"a\"}}],\"stock\":1}}"))?);
        assert!(changed(&format!("{{{start},\"topics\":[{{\"Product\":\"b\"}}]}}"))?, "by a version before this one");
        Ok(())
    }

    #[test]
    fn pauses_grow_to_a_bound() {
        for failures in 0..40 {
            let pause = pause(failures);
            assert!(pause >= PAUSE / 2 && pause <= LONGEST_PAUSE, "{failures}: {pause:?}");
        }
    }
}
