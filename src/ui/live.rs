//! The browser's end of the live feed: one connection per tab for all that its page shows.
//!
//! A page says which topics it shows with [`Live::subscribe`] and reads a signal. The connection is opened for all
//! topics together, opened again when they change, and closed while the tab is in the background. Each connection
//! begins with the present state of its topics, so nothing that happened in between is missed.
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
    #[cfg(not(feature = "hydrate"))]
    pub fn subscribe(self, _topic: Topic) -> Signal<Option<Update>> {
        Signal::stored(None)
    }

    /// Follows a topic for as long as the caller's component (or effect) lives. The signal holds the latest state that
    /// arrived, and `None` before the first.
    #[cfg(feature = "hydrate")]
    pub fn subscribe(self, topic: Topic) -> Signal<Option<Update>> {
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
        latest: ArcRwSignal<Option<Update>>,
        followers: usize,
    }

    struct Open {
        source: EventSource,
        address: String,
        /// Kept for as long as the browser may call it, as is the next.
        _on_message: Closure<dyn Fn(MessageEvent)>,
        _on_error: Closure<dyn Fn()>,
    }

    impl Drop for Open {
        fn drop(&mut self) {
            self.source.set_onmessage(None);
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

        pub fn follow(this: Stored, name: &str) -> ReadSignal<Option<Update>> {
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
                let names: Vec<_> = connection.topics.keys().map(String::as_str).collect();
                let address = format!("/live?topics={}", names.join(","));
                if connection.open.as_ref().is_some_and(|open| open.address == address) {
                    return;
                }
                connection.open = Open::new(this, address);
            });
        }

        fn receive(this: Stored, text: &str) {
            let Ok(update) = serde_json::from_str::<Update>(text) else { return };
            let name = update.topic().name();
            let latest = this.try_update_value(|connection| {
                connection.refused = 0;
                connection.topics.get(&name).map(|followed| followed.latest.clone())
            });
            // Outside of the update, because whoever reads the signal may follow or leave a topic.
            if let Some(Some(latest)) = latest {
                latest.set(Some(update));
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
        fn new(this: Stored, address: String) -> Option<Self> {
            let source = EventSource::new(&address).ok()?;
            let message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
                if let Some(text) = event.data().as_string() {
                    Connection::receive(this, &text);
                }
            });
            // In a task of its own: the handler may not be dropped while it runs.
            let error = Closure::<dyn Fn()>::new(move || set_timeout(move || Connection::failed(this), Duration::ZERO));
            source.set_onmessage(Some(message.as_ref().unchecked_ref()));
            source.set_onerror(Some(error.as_ref().unchecked_ref()));
            Some(Self { source, address, _on_message: message, _on_error: error })
        }
    }
}
