//! Connections: how many at once, how long one may take to ask, and how they end.
//!
//! `axum::serve` waits for ever for a request that never comes, each time with a descriptor that others lack, and holds
//! the end of the process up. Here every connection has a time to ask in, and all of them share so many places.

use axum::{Router, extract::ConnectInfo};
use http::Request;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::{Semaphore, watch},
    time::sleep,
};
use tower::util::MapRequest;

/// How long a connection that has not asked yet when the listener closes may take to begin.
const FIRST_WORD: Duration = Duration::from_secs(1);

/// What a listener bears with.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a connection may take from its begin, or from its last answer, to the end of the next request's head.
    pub head: Duration,
    /// The most connections at once; more wait in the queue of the operating system.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head: Duration::from_secs(10), connections: 10_000 }
    }
}

/// Serves until `stop` is done. Then it takes no more connections, answers every request that has begun and every
/// client that had connected, and is done when the last of them is answered. Handlers find the peer's address in
/// [`ConnectInfo`].
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: impl Future<Output = ()>) {
    let mut http = Builder::new(TokioExecutor::new()).http1_only();
    http.http1().timer(TokioTimer::new()).header_read_timeout(limits.head);
    let places = Arc::new(Semaphore::new(limits.connections));
    // Each connection hears from the one when to end, and says by dropping it that it has.
    let (end, ending) = watch::channel(false);
    let answering = Answering { http, router: router.with_state(()), ending };
    let mut stop = pin!(stop);
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            (place, accept(&listener).await)
        };
        let (place, (stream, peer)) = select! {
            () = &mut stop => break,
            accepted = accepted => accepted,
        };
        let connection = answering.clone().answer(stream, peer);
        tokio::spawn(async move {
            let _place = place;
            connection.await;
        });
    }
    for (stream, peer) in last(listener) {
        let (connection, places) = (answering.clone().answer(stream, peer), places.clone());
        tokio::spawn(async move {
            let _place = places.acquire_owned().await;
            connection.await;
        });
    }
    drop(answering);
    // Fails only when no connection is open.
    let _ = end.send(true);
    end.closed().await;
}

/// What each connection needs to be answered.
#[derive(Clone)]
struct Answering {
    http: Builder<TokioExecutor>,
    router: Router,
    ending: watch::Receiver<bool>,
}

impl Answering {
    async fn answer(mut self, stream: TcpStream, peer: SocketAddr) {
        // Answers are written whole; to wait for more would only delay them.
        let _ = stream.set_nodelay(true);
        let asked = Arc::new(AtomicBool::new(false));
        let asks = asked.clone();
        let service = MapRequest::new(self.router, move |mut request: Request<_>| {
            asks.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        });
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)));
        let end = async {
            let _ = self.ending.wait_for(|end| *end).await;
            // Ended at once, it would leave a request that is on its way without an answer.
            if !asked.load(Ordering::Relaxed) {
                sleep(FIRST_WORD).await;
            }
        };
        let done = select! {
            done = connection.as_mut() => done,
            () = end => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = done {
            // The peer went away or never asked; what happened to a request is told where it is answered.
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// Closes the listener and gives those who were waiting in its queue: closing alone would reset their connections.
fn last(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    // The runtime may not know yet of the newest, so the operating system is asked.
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let waiting: Vec<_> = std::iter::from_fn(|| listener.accept().ok()).collect();
    drop(listener);
    let ready = |(stream, peer): (std::net::TcpStream, _)| {
        stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)).ok().zip(Some(peer))
    };
    waiting.into_iter().filter_map(ready).collect()
}

/// The next connection. What goes wrong here is the peer's business, or passes: descriptors run out and come back.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if of_peer(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

fn of_peer(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}
