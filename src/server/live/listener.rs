//! One connection of the live feed: what waits for it, and the stream that it is.

use super::{Hub, lock};
use crate::domain::live::Topic;
use axum::body::Bytes;
use futures::Stream;
use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker, ready},
};
use tokio::time::Interval;

/// What waits to be sent on a connection: at most one text for each of its topics.
#[derive(Default)]
pub(super) struct Inbox(Mutex<Mail>);

#[derive(Default)]
struct Mail {
    texts: Vec<(usize, Bytes)>,
    waker: Option<Waker>,
    closed: bool,
}

impl Inbox {
    pub(super) fn put(&self, topic: usize, text: Bytes) {
        let waker = {
            let mut mail = lock(&self.0);
            match mail.texts.iter_mut().find(|(waiting, _)| *waiting == topic) {
                Some((_, waiting)) => *waiting = text,
                None => mail.texts.push((topic, text)),
            }
            mail.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn close(&self) {
        let waker = {
            let mut mail = lock(&self.0);
            mail.closed = true;
            mail.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A connection's end of the feed: a stream in the format of server-sent events. Dropping it stops listening.
pub struct Listener {
    pub(super) hub: Hub,
    pub(super) id: u64,
    pub(super) topics: Vec<Topic>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) keep_alive: Interval,
}

impl Stream for Listener {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let texts = {
            let mut mail = lock(&self.inbox.0);
            if mail.closed {
                return Poll::Ready(None);
            }
            if mail.texts.is_empty() {
                mail.waker = Some(context.waker().clone());
            }
            std::mem::take(&mut mail.texts)
        };
        if let [(_, text)] = texts.as_slice() {
            return Poll::Ready(Some(Ok(text.clone())));
        }
        if !texts.is_empty() {
            let all: Vec<u8> = texts.iter().flat_map(|(_, text)| text.iter().copied()).collect();
            return Poll::Ready(Some(Ok(all.into())));
        }
        ready!(self.keep_alive.poll_tick(context));
        Poll::Ready(Some(Ok(Bytes::from_static(b":\n\n"))))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.hub.leave(self.id, &self.topics);
    }
}
