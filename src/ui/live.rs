//! The browser's end of the live feed: one connection per tab for all that its page shows.
//!
//! A page says which topics it shows with [`Live::subscribe`] and reads a signal. The connection is opened for all
//! topics together, opened again when they change, and closed while the tab is in the background. Each connection
//! begins with the present state of its topics, so nothing that happened in between is missed. An event has the name of
//! its topic.
//!
//! On the server everything here does nothing, and every signal is `None`.

use crate::domain::live::{Topic, Update};
use leptos::prelude::*;

#[cfg(feature = "hydrate")]
use connection::Connection;

/// The live feed of this tab.
#[derive(Clone, Copy)]
pub struct Live {
    #[cfg(feature = "hydrate")]
    connection: StoredValue<Connection, LocalStorage>,
}

/// Makes the live feed; once, around all pages.
#[cfg(not(feature = "hydrate"))]
pub fn provide_live() {
    provide_context(Live {});
}

/// Makes the live feed; once, around all pages.
#[cfg(feature = "hydrate")]
pub fn provide_live() {
    let connection = StoredValue::new_local(Connection::new());
    Connection::watch(connection);
    provide_context(Live { connection });
}

/// The live feed of this tab.
pub fn use_live() -> Live {
    expect_context()
}

impl Live {
    /// Follows a topic for as long as the caller's component (or effect) lives. The signal holds the latest state that
    /// arrived, and `None` before the first.
    pub fn subscribe(self, topic: Topic) -> Signal<Option<Update>> {
        let told = self.listen(&topic);
        Signal::derive(move || told.with(|text| serde_json::from_str(text.as_ref()?).ok()))
    }

    /// As [`subscribe`](Self::subscribe), but gives the message as it came: who reads it loads the reader with it.
    #[cfg(not(feature = "hydrate"))]
    pub fn listen(self, _topic: &Topic) -> Signal<Option<String>> {
        Signal::stored(None)
    }

    /// As [`subscribe`](Self::subscribe), but gives the message as it came: who reads it loads the reader with it.
    #[cfg(feature = "hydrate")]
    pub fn listen(self, topic: &Topic) -> Signal<Option<String>> {
        let name = topic.name();
        let signal = Connection::follow(self.connection, &name);
        on_cleanup(move || Connection::leave(self.connection, &name));
        signal.into()
    }
}

#[cfg(feature = "hydrate")]
mod connection {
    use super::*;
    use leptos::{ev, leptos_dom::helpers::TimeoutHandle};
    use std::{collections::BTreeMap, time::Duration};
    use wasm_bindgen::{JsCast, closure::Closure};
    use web_sys::{EventSource, MessageEvent, VisibilityState};

    type Stored = StoredValue<Connection, LocalStorage>;

    /// The topics of the page, and the connection that carries them while the tab is visible.
    pub struct Connection {
        topics: BTreeMap<String, Followed>,
        open: Option<Open>,
        timer: Option<TimeoutHandle>,
        /// Attempts that the server refused, one after the other.
        refused: u32,
    }

    struct Followed {
        latest: ArcRwSignal<Option<String>>,
        followers: usize,
    }

    struct Open {
        source: EventSource,
        /// Their names, with commas between.
        topics: String,
        /// Kept for as long as the browser may call it, as is the next.
        _on_message: Closure<dyn Fn(MessageEvent)>,
        _on_error: Closure<dyn Fn()>,
    }

    impl Drop for Open {
        fn drop(&mut self) {
            self.source.set_onerror(None);
            self.source.close();
        }
    }

    impl Connection {
        /// Components come and go together; a moment later it is clear which topics remain.
        const SOON: Duration = Duration::from_millis(60);
        /// The first wait after the server refused, doubled each time up to a minute.
        const REFUSED: Duration = Duration::from_secs(2);

        pub fn new() -> Self {
            Self { topics: BTreeMap::new(), open: None, timer: None, refused: 0 }
        }

        /// Follows what the tab goes through: it is hidden and shown again, and its network comes back. After that the
        /// connection may be closed, or seem open while nothing arrives any more.
        pub fn watch(this: Stored) {
            let seen = window_event_listener(ev::visibilitychange, move |_| Self::reopen_soon(this, Self::SOON, false));
            let online = window_event_listener(ev::online, move |_| {
                this.try_update_value(|connection| connection.refused = 0);
                Self::reopen_soon(this, Self::SOON, true);
            });
            on_cleanup(move || {
                seen.remove();
                online.remove();
            });
        }

        pub fn follow(this: Stored, name: &str) -> ReadSignal<Option<String>> {
            let latest = this.try_update_value(|connection| {
                let followed = connection.topics.entry(name.to_owned());
                let followed = followed.or_insert_with(|| Followed { latest: ArcRwSignal::new(None), followers: 0 });
                followed.followers += 1;
                followed.latest.clone()
            });
            Self::reopen_soon(this, Self::SOON, false);
            latest.unwrap_or_else(|| ArcRwSignal::new(None)).read_only().into()
        }

        pub fn leave(this: Stored, name: &str) {
            this.try_update_value(|connection| {
                if let Some(followed) = connection.topics.get_mut(name) {
                    followed.followers -= 1;
                    if followed.followers == 0 {
                        connection.topics.remove(name);
                    }
                }
            });
            Self::reopen_soon(this, Self::SOON, false);
        }

        /// Brings the connection in line with the topics after a moment; `anew` even if it is.
        fn reopen_soon(this: Stored, after: Duration, anew: bool) {
            this.try_update_value(|connection| {
                if anew {
                    connection.open = None;
                }
                if let Some(timer) = connection.timer.take() {
                    timer.clear();
                }
                connection.timer = set_timeout_with_handle(move || Self::reopen(this), after).ok();
            });
        }

        fn reopen(this: Stored) {
            this.try_update_value(|connection| {
                let visible = document().visibility_state() == VisibilityState::Visible;
                if !visible || connection.topics.is_empty() {
                    connection.open = None;
                    return;
                }
                let topics = connection.topics.keys().map(String::as_str).collect::<Vec<_>>().join(",");
                if connection.open.as_ref().is_some_and(|open| open.topics == topics) {
                    return;
                }
                connection.open = Open::new(this, topics);
            });
        }

        fn receive(this: Stored, event: &MessageEvent) {
            let latest = this.try_update_value(|connection| {
                connection.refused = 0;
                connection.topics.get(&event.type_()).map(|followed| followed.latest.clone())
            });
            // Outside of the update, because whoever reads the signal may follow or leave a topic.
            if let Some(Some(latest)) = latest {
                latest.set(event.data().as_string());
            }
        }

        /// A lost connection is opened again by the browser itself; a refused one is not.
        fn failed(this: Stored) {
            let wait = this.try_update_value(|connection| {
                let closed =
                    connection.open.as_ref().is_some_and(|open| open.source.ready_state() == EventSource::CLOSED);
                closed.then(|| {
                    connection.open = None;
                    connection.refused = (connection.refused + 1).min(6);
                    (Self::REFUSED * 2u32.pow(connection.refused - 1)).min(Duration::from_secs(60))
                })
            });
            if let Some(Some(wait)) = wait {
                Self::reopen_soon(this, wait, false);
            }
        }
    }

    impl Open {
        fn new(this: Stored, topics: String) -> Option<Self> {
            let source = EventSource::new(&format!("/live?topics={topics}")).ok()?;
            let message =
                Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| Connection::receive(this, &event));
            for topic in topics.split(',') {
                source.add_event_listener_with_callback(topic, message.as_ref().unchecked_ref()).ok()?;
            }
            // In a task of its own: the handler may not be dropped while it runs.
            let error = Closure::<dyn Fn()>::new(move || set_timeout(move || Connection::failed(this), Duration::ZERO));
            source.set_onerror(Some(error.as_ref().unchecked_ref()));
            Some(Self { source, topics, _on_message: message, _on_error: error })
        }
    }
}
